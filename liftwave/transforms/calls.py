"""The linear transforms' calls as data: which bands, along which axes, and in what structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from liftwave._arrays.convert import as_array
from liftwave._operations.transform_vjp import Bands
from liftwave._plan.arguments import check_level, normalize_axes, normalize_axis
from liftwave._plan.axes import AxisPlans, axis_plan, axis_plans
from liftwave._typing import Array
from liftwave.errors import ShapeError
from liftwave.transforms.dwt import check_part, check_positive_level, downcoef, dwt, idwt
from liftwave.transforms.dwtn import (
    checked_bands,
    dwt2,
    dwt2_bands,
    dwtn,
    dwtn_bands,
    idwt2,
    idwtn,
    two_axes,
)
from liftwave.transforms.multilevel import (
    check_key_lengths,
    ndim_of,
    wavedec,
    wavedec2,
    wavedec2_bands,
    wavedec_bands,
    wavedecn,
    wavedecn_bands,
    waverec,
    waverec2,
    waverecn,
)

Details: TypeAlias = Sequence[Bands]


class Form(NamedTuple):
    """A structure of coefficients: how it is made of bands, and how bands are read from it."""

    pack: Callable[[Array | None, Details], Any]
    unpack: Callable[[Any], tuple[Array | None, Details]]


class AnalysisCall(NamedTuple):
    """A call that analyses ``data``."""

    data: Array
    plans: AxisPlans
    level: int
    form: Form


class SynthesisCall(NamedTuple):
    """A call that puts bands together."""

    approx: Array | None
    details: Details
    plans: AxisPlans
    fit: bool
    form: Form


# --- structures ------------------------------------------------------------------------------


def _unpack_pair(pair: Any) -> tuple[Array | None, Details]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ShapeError(f"expected the bands (cA, cD) as dwt gives them, got {pair!r}")
    approx, detail = (None if band is None else as_array(band) for band in pair)
    return approx, [{} if detail is None else {"d": detail}]


def _keyed(bands: Mapping[str, Any]) -> tuple[Array | None, Details]:
    present = checked_bands({key: band for key, band in bands.items() if band is not None})
    letters = max(map(len, present), default=0)
    return present.pop("a" * letters, None), [present]


def _triple(bands: Bands) -> tuple[Array | None, ...]:
    return tuple(bands.get(key) for key in ("da", "ad", "dd"))


PAIR = Form(lambda approx, details: (approx, details[0].get("d")), _unpack_pair)
BANDS_2D = Form(
    lambda approx, details: (approx, _triple(details[0])),
    lambda coeffs: _keyed(dwt2_bands(coeffs)),
)
LIST = Form(lambda approx, details: [approx, *(bands.get("d") for bands in details)], wavedec_bands)
LIST_2D = Form(lambda approx, details: [approx, *map(_triple, details)], wavedec2_bands)
LIST_ND = Form(lambda approx, details: [approx, *map(dict, details)], wavedecn_bands)


def _bands_nd(naxes: int) -> Form:
    first = "a" * naxes

    def pack(approx: Array | None, details: Details) -> dict[str, Array]:
        return {**({} if approx is None else {first: approx}), **details[0]}

    return Form(pack, _keyed)


def _one_band(part: str, level: int) -> Form:
    def pack(approx: Array | None, details: Details) -> Array:
        return approx if part == "a" else details[0]["d"]

    def unpack(band: Any) -> tuple[Array | None, Details]:
        finer: list[Bands] = [{} for _ in range(level - 1)]
        if part == "a":
            return as_array(band), [{}, *finer]
        return None, [{"d": as_array(band)}, *finer]

    return Form(pack, unpack)


# --- analysis --------------------------------------------------------------------------------


def _dwt(data: Any, wavelet: Any, mode: Any, axis: Any) -> AnalysisCall:
    data = as_array(data)
    return AnalysisCall(data, axis_plan(normalize_axis(axis, data.ndim), wavelet, mode), 1, PAIR)


def _dwt2(data: Any, wavelet: Any, mode: Any, axes: Any) -> AnalysisCall:
    return _dwtn(data, wavelet, mode, two_axes(axes))._replace(form=BANDS_2D)


def _dwtn(data: Any, wavelet: Any, mode: Any, axes: Any) -> AnalysisCall:
    data = as_array(data)
    if data.ndim < 1:
        raise ShapeError("Input data must be at least 1D, got a 0-d array")
    plans = axis_plans(normalize_axes(axes, data.ndim), wavelet, mode)
    return AnalysisCall(data, plans, 1, _bands_nd(len(plans)))


def _wavedec(data: Any, wavelet: Any, mode: Any, level: Any, axis: Any) -> AnalysisCall:
    data = as_array(data)
    plans = axis_plans((normalize_axis(axis, data.ndim),), (wavelet,), (mode,))
    return AnalysisCall(data, plans, _level(data, plans, level), LIST)


def _wavedec2(data: Any, wavelet: Any, mode: Any, level: Any, axes: Any) -> AnalysisCall:
    return _wavedecn(data, wavelet, mode, level, two_axes(axes))._replace(form=LIST_2D)


def _wavedecn(data: Any, wavelet: Any, mode: Any, level: Any, axes: Any) -> AnalysisCall:
    data = as_array(data)
    plans = axis_plans(normalize_axes(axes, data.ndim, unique=True), wavelet, mode)
    return AnalysisCall(data, plans, _level(data, plans, level), LIST_ND)


def _level(data: Array, plans: AxisPlans, level: Any) -> int:
    return check_level(level, [data.shape[p.axis] for p in plans], [p.wavelet for p in plans])


def _downcoef(part: Any, data: Any, wavelet: Any, mode: Any, level: Any) -> AnalysisCall:
    data = as_array(data)
    if data.ndim != 1:
        raise ShapeError(f"downcoef only supports 1d data, got shape {tuple(data.shape)}.")
    check_part(part)
    level = check_positive_level(level)
    return AnalysisCall(data, axis_plan(0, wavelet, mode), level, _one_band(part, level))


# --- synthesis -------------------------------------------------------------------------------


def _idwt(cA: Any, cD: Any, wavelet: Any, mode: Any, axis: Any) -> SynthesisCall:
    if cA is None and cD is None:
        raise ShapeError("At least one coefficient parameter must be specified.")
    approx, details = _unpack_pair((cA, cD))
    along = normalize_axis(axis, ndim_of(approx, details))
    return SynthesisCall(approx, details, axis_plan(along, wavelet, mode), False, PAIR)


def _idwt2(coeffs: Any, wavelet: Any, mode: Any, axes: Any) -> SynthesisCall:
    call = _idwtn(dwt2_bands(coeffs), wavelet, mode, two_axes(axes))
    return call._replace(form=BANDS_2D)


def _idwtn(coeffs: Any, wavelet: Any, mode: Any, axes: Any) -> SynthesisCall:
    approx, details, normalized = dwtn_bands(coeffs, axes)
    plans = axis_plans(normalized, wavelet, mode)
    return SynthesisCall(approx, [details], plans, False, _bands_nd(len(plans)))


def _waverec(coeffs: Any, wavelet: Any, mode: Any, axis: Any) -> SynthesisCall:
    approx, details = wavedec_bands(coeffs)
    along = normalize_axis(axis, ndim_of(approx, details))
    plans = axis_plans((along,), (wavelet,), (mode,))
    return SynthesisCall(approx, details, plans, True, LIST)


def _waverec2(coeffs: Any, wavelet: Any, mode: Any, axes: Any) -> SynthesisCall:
    approx, details = wavedec2_bands(coeffs)
    normalized = normalize_axes(two_axes(axes), ndim_of(approx, details), unique=True)
    plans = axis_plans(normalized, wavelet, mode)
    return SynthesisCall(approx, details, plans, True, LIST_2D)


def _waverecn(coeffs: Any, wavelet: Any, mode: Any, axes: Any) -> SynthesisCall:
    approx, details = wavedecn_bands(coeffs)
    normalized = normalize_axes(axes, ndim_of(approx, details), unique=True)
    check_key_lengths(details, len(normalized))
    plans = axis_plans(normalized, wavelet, mode)
    return SynthesisCall(approx, details, plans, True, LIST_ND)


CALLS: dict[Any, Callable[..., AnalysisCall | SynthesisCall]] = {
    dwt: _dwt,
    dwt2: _dwt2,
    dwtn: _dwtn,
    wavedec: _wavedec,
    wavedec2: _wavedec2,
    wavedecn: _wavedecn,
    downcoef: _downcoef,
    idwt: _idwt,
    idwt2: _idwt2,
    idwtn: _idwtn,
    waverec: _waverec,
    waverec2: _waverec2,
    waverecn: _waverecn,
}
"""What each public function's arguments (by name) mean."""
