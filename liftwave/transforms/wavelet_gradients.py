"""Pullbacks of transforms, and gradients of the taps in the structure of ``wavelet``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import Opened, as_array, common_namespace
from liftwave._arrays.taps import check_library_of_taps
from liftwave._arrays.tensors import resolved
from liftwave._dispatch import kernels_for
from liftwave._numbers import flag
from liftwave._operations.call import Call
from liftwave._operations.operation import Shape
from liftwave._operations.tap_gradients import LiftGradient, StepGradient, real_zeros
from liftwave._operations.wavelet_operation import WaveletOperation
from liftwave._typing import Array
from liftwave.errors import DTypeError, ShapeError, WaveletError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved, resolve_wavelet
from liftwave.wavelets.taps import tap_count


@dataclass(frozen=True, eq=False)
class FilterBankGradient:
    """The gradient with respect to the taps of a :class:`FilterBank`.

    Attributes
    ----------
    dec_lo, dec_hi, rec_lo, rec_hi : array, shape (length,)
        In the library and the (real) precision of the data. The gradients of filters that the
        transform does not use are zero: synthesis filters in an analysis, and vice versa.
    """

    dec_lo: Array
    dec_hi: Array
    rec_lo: Array
    rec_hi: Array

    def __add__(self, other: FilterBankGradient) -> FilterBankGradient:
        """The sum, filter by filter."""
        if not isinstance(other, FilterBankGradient):
            return NotImplemented
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return FilterBankGradient(*(a + b for a, b in pairs))


@dataclass(frozen=True, eq=False)
class LiftingGradient:
    """The gradient with respect to the taps and scales of a :class:`LiftingScheme`.

    Attributes
    ----------
    taps : tuple of array
        One array for each step, of the shape of its taps.
    scale : array, shape (2,)
        The gradients with respect to the two scales.
    """

    taps: tuple[Array, ...]
    scale: Array

    def __add__(self, other: LiftingGradient) -> LiftingGradient:
        """The sum, step by step."""
        if not isinstance(other, LiftingGradient):
            return NotImplemented
        if len(self.taps) != len(other.taps):
            raise ShapeError(
                f"gradients of {len(self.taps)} and {len(other.taps)} lifting steps have no sum"
            )
        taps = tuple(a + b for a, b in zip(self.taps, other.taps, strict=True))
        return LiftingGradient(taps, self.scale + other.scale)


WaveletGradient: TypeAlias = FilterBankGradient | LiftingGradient


class WaveletArgument(NamedTuple):
    """The wavelet of each axis, and the argument ``wavelet`` that defines them."""

    wavelets: Sequence[Resolved]
    argument: Any

    def check(self, *arrays: Array) -> None:
        """Raise if a wavelet has no derivative, or taps and data belong to different libraries.

        Raises
        ------
        WaveletError
            If a wavelet is an integer scheme.
        ArgumentTypeError
            If taps and data belong to different libraries.
        """
        for wavelet in self.wavelets:
            if isinstance(wavelet, LiftingScheme) and wavelet.integer:
                raise WaveletError(
                    f"{wavelet!r} rounds and has no derivative: use the scheme without integer=True"
                )
        if not all(wavelet.is_concrete for wavelet in self.wavelets):
            check_library_of_taps(self.wavelets, arrays)

    def gradient(self, axes: Sequence[StepGradient], like: Array, of_analysis: bool) -> Any:
        """The sum of the gradients of the axes (zero if none), in the structure of the argument."""
        gradients = [_of_wavelet(gradient, of_analysis) for gradient in axes]
        if not axes:
            gradients = [_zero(wavelet, like) for wavelet in self.wavelets]
        return self.combine(gradients, like)

    def combine(self, gradients: Sequence[WaveletGradient], like: Array) -> Any:
        """The gradient for each wavelet of the argument: the sum over the axes that share it."""
        if not isinstance(self.argument, Iterable) or isinstance(self.argument, str):
            if not gradients:
                return _zero(resolve_wavelet(self.argument), like)
            return _total(gradients)
        return [_total(gradients)] if len(list(self.argument)) < len(gradients) else list(gradients)


def _total(gradients: Sequence[Any]) -> Any:
    return reduce(lambda a, b: a + b, gradients)


def _of_wavelet(gradient: StepGradient, of_analysis: bool) -> WaveletGradient:
    if isinstance(gradient, LiftGradient):
        return LiftingGradient(gradient.taps, gradient.scale)
    low, high = gradient
    none = array_namespace(low).zeros_like(low)
    return FilterBankGradient(
        *((low, high, none, none) if of_analysis else (none, none, low, high))
    )


def _zero(wavelet: Resolved, like: Array) -> WaveletGradient:
    if isinstance(wavelet, LiftingScheme):
        taps = tuple(real_zeros((step.length,), like) for step in wavelet.steps)
        return LiftingGradient(taps, real_zeros((2,), like))
    return FilterBankGradient(
        *(real_zeros((tap_count(taps),), like) for taps in wavelet.filter_bank)
    )


# --- pullbacks -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Gradient:
    """The result of a pullback.

    Attributes
    ----------
    data : array or structure of coefficients
        The gradient with respect to the data: an array, or coefficients in the passed structure.
    wavelet : FilterBankGradient, LiftingGradient, list of these, or None
        The gradient with respect to the wavelet; a list if a sequence of wavelets was passed.
        ``None`` for ``wavelet=False``.
    """

    data: Any
    wavelet: Any


Pullback: TypeAlias = Callable[..., Gradient]
"""``pullback(cotangents, wavelet=True)``: maps cotangents of the result to a :class:`Gradient`."""


def transform_vjp(call: Call, argument: Any) -> tuple[Any, Pullback]:
    """Result and pullback of one analysis or synthesis."""
    operation = cast(WaveletOperation, call.operation)
    wavelets = WaveletArgument(operation.wavelets, argument)
    wavelets.check(*call.arrays)
    opened = operation.open_floating(call.arrays)
    inputs = as_read([x for x, *_ in opened])
    shapes = [tuple(x.shape) for x in inputs]
    operation = _with_numbers(operation, inputs)
    results = operation.run(inputs, call.sizes, kernels_for(*inputs))
    residuals = operation.residuals(shapes, call.sizes, exact=True, parameters=True)
    if residuals == "outputs":
        in_memory = kernels_for(*inputs).wants_numpy
        if not operation.rebuilds_precisely(inputs, in_memory):
            residuals = "inputs"
    values = results if residuals == "outputs" else inputs
    names = operation.result_names

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        arrays = as_read(call.result.unpack(cotangents))
        bands = checked_cotangents(arrays, results, opened[0], names)
        if all(g is None for g in bands):
            bands[0] = opened[0].xp.zeros_like(results[0])
        kernels = kernels_for(*(g for g in bands if g is not None), results[0])
        if wavelet is True or flag(wavelet, "wavelet"):
            data, axes = operation.pull_back(bands, values, residuals, shapes, (), kernels)
            of_wavelet = wavelets.gradient(axes, results[0], not operation.uses_synthesis_filters)
        else:
            data, _ = operation.pull_back(bands, [], "nothing", shapes, (), kernels)
            of_wavelet = None
        return Gradient(call.data.pack(opened[0].close_all(data)), of_wavelet)

    if operation.is_identity:
        return call.result.pack(call.arrays), pullback
    return call.result.pack(opened[0].close_all(results, operation.data_outputs)), pullback


def _with_numbers(operation: WaveletOperation, inputs: Sequence[Array]) -> WaveletOperation:
    """The operation with taps as its kernels need them: numbers for kernels that read memory.

    Taps that torch records stay arrays, so that torch can differentiate with respect to them.
    """
    _, taps = operation.with_slots()
    needs_numbers = bool(taps) and kernels_for(*inputs, *taps).wants_numpy
    return operation.with_numbers() if needs_numbers else operation


def as_read(arrays: Sequence[Any]) -> list[Any]:
    """The arrays, with lazily conjugated or negated tensors resolved to plain numbers."""
    return [x if x is None or type(x) is np.ndarray else resolved(x) for x in arrays]


def checked_cotangents(
    cotangents: Sequence[Any], results: Sequence[Array], opened: Opened, names: Sequence[str]
) -> list[Array | None]:
    """Check the cotangents against the results, and convert them to the dtype of computation."""
    if len(cotangents) != len(results):
        raise ShapeError(
            f"cotangents of {len(cotangents)} bands do not fit a result of {len(results)}: pass "
            "the structure of the result"
        )
    arrays = []
    for g, y, name in zip(cotangents, results, names, strict=True):
        fits = g is None or (type(g) is type(y) and g.dtype == y.dtype and g.shape == y.shape)
        arrays.append(g if fits else checked_cotangent(g, tuple(y.shape), opened, name))
    return arrays


def checked_cotangent(cotangent: Any, shape: Shape, opened: Opened, name: str) -> Array:
    """Check a cotangent against the shape of the result, and convert it to the dtype."""
    array = as_array(cotangent)
    common_namespace([array, opened.array])
    if tuple(array.shape) != shape:
        raise ShapeError(
            f"the cotangent of {name} has shape {tuple(array.shape)}, the result has {shape}"
        )
    dtype, xp = opened.array.dtype, opened.xp
    is_complex = xp.isdtype(array.dtype, "complex floating")
    if is_complex and not xp.isdtype(dtype, "complex floating"):
        raise DTypeError(f"the cotangent of {name} is complex, the result is real")
    return array if array.dtype == dtype else xp.astype(array, dtype)
