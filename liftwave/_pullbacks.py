"""Pullbacks of the transforms: what :func:`liftwave.vjp` gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

from liftwave._arrays.convert import (
    Opened,
    as_array,
    common_namespace,
    open_array,
    open_arrays,
    zeros,
)
from liftwave._arrays.integers import is_integer
from liftwave._dispatch import kernels_for
from liftwave._execute import check_taps
from liftwave._operations import transform_vjp as _vjp
from liftwave._operations.transform_vjp import LiftGradient, StepGradient, real_zeros
from liftwave._plan.axes import AxisPlan
from liftwave._plan.levels import (
    AnalysisLevel,
    AnalysisPlan,
    Shape,
    flatten_bands,
    plan_analysis,
    plan_synthesis,
    unflatten_bands,
)
from liftwave._typing import Array
from liftwave.errors import DTypeError, ShapeError, WaveletError
from liftwave.transforms.calls import AnalysisCall, Details, SynthesisCall
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved, resolve_wavelet
from liftwave.wavelets.taps import tap_count

# --- what is given back ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class FilterBankGradient:
    """The gradient in the taps of a :class:`FilterBank`.

    Attributes
    ----------
    dec_lo, dec_hi, rec_lo, rec_hi : array, shape (length,)
        In the library and the (real) precision of the data. An analysis does not use the
        synthesis filters, and the other way round: their gradients are zero.
    """

    dec_lo: Array
    dec_hi: Array
    rec_lo: Array
    rec_hi: Array

    def __add__(self, other: FilterBankGradient) -> FilterBankGradient:
        """The sum, filter by filter."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return FilterBankGradient(*(a + b for a, b in pairs))


@dataclass(frozen=True, eq=False)
class LiftingGradient:
    """The gradient in the taps and scales of a :class:`LiftingScheme`.

    Attributes
    ----------
    taps : tuple of array
        For each step an array of the shape of its taps.
    scale : array, shape (2,)
        The gradients in the two scales.
    """

    taps: tuple[Array, ...]
    scale: Array

    def __add__(self, other: LiftingGradient) -> LiftingGradient:
        """The sum, step by step."""
        taps = tuple(a + b for a, b in zip(self.taps, other.taps, strict=True))
        return LiftingGradient(taps, self.scale + other.scale)


WaveletGradient: TypeAlias = FilterBankGradient | LiftingGradient


@dataclass(frozen=True, eq=False)
class Gradient:
    """What a pullback gives.

    Attributes
    ----------
    data : array or structure of coefficients
        The gradient in the data: an array, or coefficients in the structure that was given.
    wavelet : FilterBankGradient, LiftingGradient, list of these, or None
        The gradient in the wavelet; a list where a sequence of wavelets was given. ``None``
        if it was not asked for.
    """

    data: Any
    wavelet: Any


Pullback: TypeAlias = Callable[..., Gradient]
"""``pullback(cotangents, wavelet=True)``: from a gradient in the result to a :class:`Gradient`."""


# --- the wavelet -----------------------------------------------------------------------------


class Shared(NamedTuple):
    """The axes' wavelets, and the argument that they came from."""

    plans: Sequence[AxisPlan]
    argument: Any

    def check(self, *arrays: Array) -> None:
        """Raise where there is no derivative, or taps do not belong with the data."""
        if is_integer(self.plans):
            raise WaveletError(
                f"{self.plans[0].wavelet!r} rounds and has no derivative: differentiate the "
                "scheme that it was made from"
            )
        check_taps(self.plans, *arrays)

    def gradient(self, axes: Sequence[StepGradient | None], like: Array, of_analysis: bool) -> Any:
        """In the structure of the argument: for each axis, or the sum over those that share it."""
        each: list[WaveletGradient] = [_zero(plan.wavelet, like) for plan in self.plans]
        for index, gradient in enumerate(axes):
            if gradient is not None:
                each[index] = _of_wavelet(gradient, each[index], of_analysis)
        if not isinstance(self.argument, Iterable) or isinstance(self.argument, str):
            return _total(each) if each else _zero(resolve_wavelet(self.argument), like)
        return [_total(each)] if len(list(self.argument)) < len(each) else each


def _total(gradients: Sequence[Any]) -> Any:
    return reduce(lambda a, b: a + b, gradients)


def _of_wavelet(
    gradient: StepGradient, zero: WaveletGradient, of_analysis: bool
) -> WaveletGradient:
    if isinstance(gradient, LiftGradient):
        return LiftingGradient(gradient.taps, gradient.scale)
    assert isinstance(zero, FilterBankGradient)
    if of_analysis:
        return FilterBankGradient(gradient.low, gradient.high, zero.rec_lo, zero.rec_hi)
    return FilterBankGradient(zero.dec_lo, zero.dec_hi, gradient.low, gradient.high)


def _zero(wavelet: Resolved, like: Array) -> WaveletGradient:
    if isinstance(wavelet, LiftingScheme):
        taps = tuple(real_zeros((step.length,), like) for step in wavelet.steps)
        return LiftingGradient(taps, real_zeros((2,), like))
    return FilterBankGradient(
        *(real_zeros((tap_count(taps),), like) for taps in wavelet.filter_bank)
    )


# --- cotangents ------------------------------------------------------------------------------


def checked_cotangent(given: Any, shape: Shape, opened: Opened, what: str) -> Array:
    """A cotangent in the dtype in which the transform was computed, once it fits the result."""
    array = as_array(given)
    common_namespace([array, opened.array])
    if tuple(array.shape) != shape:
        raise ShapeError(
            f"the cotangent of {what} has shape {tuple(array.shape)}, the result has {shape}"
        )
    dtype, xp = opened.array.dtype, opened.xp
    complex_given = xp.isdtype(array.dtype, "complex floating")
    if complex_given and not xp.isdtype(dtype, "complex floating"):
        raise DTypeError(f"the cotangent of {what} is complex, the result is real")
    return array if array.dtype == dtype else xp.astype(array, dtype)


def _cotangents(
    bands: tuple[Array | None, Details], plan: AnalysisPlan, opened: Opened
) -> tuple[Array | None, list[dict[str, Array]]]:
    """Cotangents of all bands, coarsest level first, once they fit them."""
    approx, details = bands
    if len(details) != len(plan.levels):
        raise ShapeError(f"cotangents of {len(details)} levels, the result has {len(plan.levels)}")
    given = [
        {key: _band(band, key, level, opened) for key, band in of_level.items()}
        for of_level, level in zip(details, reversed(plan.levels), strict=True)
    ]
    if approx is not None:
        approx = checked_cotangent(approx, plan.shapes[0], opened, "the approximation")
    return approx, given


def _band(band: Any, key: str, level: AnalysisLevel, opened: Opened) -> Array:
    if key not in level.detail_keys:
        raise ShapeError(f"a cotangent of band {key!r}: the details are {list(level.detail_keys)}")
    return checked_cotangent(band, level.shapes[key], opened, f"band {key!r}")


# --- analysis --------------------------------------------------------------------------------


def analysis(call: AnalysisCall, shared: Shared) -> tuple[Any, Pullback]:
    plan = plan_analysis(tuple(call.data.shape), call.plans, call.level)
    shared.check(call.data)
    opened = open_array(call.data)
    if not plan.levels:
        return call.form.pack(call.data, []), _of_nothing(opened, shared, call.form.unpack)
    x = opened.array
    approx, *_ = bands = kernels_for(x).analyse(x, plan)
    _, details = unflatten_bands(bands, plan.keys)
    # What lifting has made is enough to go back; filter banks need what they were given.
    kept = (approx, details) if _vjp.is_reversible(plan) else None
    source = None if kept else x

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        of_bands = _cotangents(call.form.unpack(cotangents), plan, opened)
        kernels = kernels_for(*_arrays(*of_bands), approx)
        if not wavelet:
            data = _vjp.analysis_adjoint(*of_bands, plan, kernels)
            found = zeros(tuple(call.data.shape), approx, opened.xp) if data is None else data
            return Gradient(opened.close(found), None)
        back = _vjp.analysis_vjp(source, kept, of_bands, plan, kernels)
        return Gradient(opened.close(back.data), shared.gradient(back.axes, approx, True))

    return call.form.pack(opened.close(approx), _closed(details, opened)), pullback


def _of_nothing(opened: Opened, shared: Shared, unpack: Callable[[Any], Any]) -> Pullback:
    """The pullback of no level at all, which returns what it is given."""
    plan = AnalysisPlan((), (), (tuple(opened.array.shape),))

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        approx, _ = _cotangents(unpack(cotangents), plan, opened)
        x = opened.array
        data = opened.close(zeros(tuple(x.shape), x, opened.xp) if approx is None else approx)
        return Gradient(data, shared.gradient((), x, True) if wavelet else None)

    return pullback


def _closed(details: Details, opened: Opened) -> list[dict[str, Array]]:
    return [{key: opened.close(band) for key, band in bands.items()} for bands in details]


def _arrays(approx: Array | None, details: Details) -> list[Array]:
    bands = [band for of_level in details for band in of_level.values()]
    return bands if approx is None else [*bands, approx]


# --- synthesis -------------------------------------------------------------------------------


def synthesis(call: SynthesisCall, shared: Shared) -> tuple[Any, Pullback]:
    shared.check(*_arrays(call.approx, call.details))
    opened, approx, details = _opened_bands(call.approx, call.details)
    if not details:
        form = call.form
        back = _of_nothing(opened, shared, lambda given: (given, []))
        return call.approx, lambda cotangent, wavelet=True: _packed(back(cotangent, wavelet), form)
    bands, keys = flatten_bands(approx, details)
    shapes = tuple(tuple(band.shape) for band in bands)
    plan = plan_synthesis(shapes, keys, approx is not None, call.plans, call.fit)
    result = kernels_for(*bands).synthesise(bands, plan)
    reversible = _vjp.is_reversible(plan)
    inputs, kept = (None, result) if reversible else ((approx, details), None)
    shape = None if approx is None else tuple(approx.shape)

    def pullback(cotangent: Any, wavelet: bool = True) -> Gradient:
        outer = checked_cotangent(cotangent, tuple(result.shape), opened, "the result")
        kernels = kernels_for(outer, result)
        if wavelet:
            back = _vjp.synthesis_vjp(inputs, kept, outer, plan, kernels)
            bands, found = (back.approx, back.details), shared.gradient(back.axes, outer, False)
        else:
            bands, found = _vjp.synthesis_adjoint(outer, plan, kernels), None
        of_approx = None if shape is None else opened.close(_vjp.padded(bands[0], shape))
        return Gradient(call.form.pack(of_approx, _closed(bands[1], opened)), found)

    return opened.close(result), pullback


def _packed(gradient: Gradient, form: Any) -> Gradient:
    return Gradient(form.pack(gradient.data, []), gradient.wavelet)


def _opened_bands(
    approx: Array | None, details: Details
) -> tuple[Opened, Array | None, list[dict[str, Array]]]:
    """Bands in the dtype in which they meet."""
    opened = open_arrays(_arrays(approx, details))
    ready = iter([each.array for each in opened])
    made = [{key: next(ready) for key in bands} for bands in details]
    return opened[0], None if approx is None else next(ready), made
