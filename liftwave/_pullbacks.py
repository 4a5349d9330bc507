"""The pullback of one transform, and the checks of cotangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np

from liftwave._arrays.convert import Opened, as_array, common_namespace
from liftwave._arrays.tensors import resolved
from liftwave._dispatch import kernels_for
from liftwave._numbers import flag
from liftwave._operations.call import Call
from liftwave._operations.operation import Shape
from liftwave._operations.wavelet_operation import WaveletOperation
from liftwave._typing import Array
from liftwave.errors import DTypeError, ShapeError
from liftwave.transforms.wavelet_gradients import WaveletArgument


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
    values = results if residuals == "outputs" else inputs
    names = operation.result_names

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        arrays = as_read(call.result.unpack(cotangents))
        bands = checked_cotangents(arrays, results, opened[0], names)
        if all(g is None for g in bands):
            bands[0] = opened[0].xp.zeros_like(results[0])
        kernels = kernels_for(*(g for g in bands if g is not None), results[0])
        if flag(wavelet, "wavelet"):
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
