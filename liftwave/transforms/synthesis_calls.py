"""Calls of the inverse transforms: convert the arguments of a public function to an operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from liftwave._operations.call import SINGLE, Call, Structure
from liftwave._operations.plan_transforms import partial_synthesis, synthesis
from liftwave._operations.planned_transform import detail_keys
from liftwave._plan.axes import AxisPlans, axis_plans, plans_along
from liftwave._typing import Array, ArrayLike, ModeLike, Modes
from liftwave.errors import ShapeError
from liftwave.transforms.calls import two_axes
from liftwave.transforms.structures import (
    BAND_LIST,
    PAIR,
    QUAD,
    TRIPLE_LIST,
    check_key_lengths,
    dict_list,
    dict_list_bands,
    keyed_bands,
    present_bands,
)
from liftwave.wavelets.resolve import WaveletLike, Wavelets


def idwt(
    cA: ArrayLike | None,
    cD: ArrayLike | None,
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    axis: int = -1,
) -> Call:
    """The call of :func:`liftwave.idwt`."""
    if type(cA) is type(cD) is np.ndarray:
        ndim = cA.ndim
        transform = synthesis(plans_along(wavelet, mode, axis, ndim), ndim, 1, False)
        return Call(transform, (cA, cD), SINGLE, PAIR)
    bands = PAIR.unpack((cA, cD))
    like = bands[1] if bands[0] is None else bands[0]
    if like is None:
        raise ShapeError("At least one coefficient parameter must be specified.")
    plans = plans_along(wavelet, mode, axis, like.ndim)
    return synthesis_call(bands, plans, like.ndim, PAIR, trim_odd=False)


def idwt2(
    coeffs: Any,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] = (-2, -1),
) -> Call:
    """The call of :func:`liftwave.idwt2`."""
    bands = QUAD.unpack(coeffs)
    ndim = _ndim_of(bands, "`coeffs` must contain at least one non-null wavelet band")
    plans = axis_plans(wavelet, mode, two_axes(axes), ndim, False)
    return synthesis_call(bands, plans, ndim, QUAD, trim_odd=False)


def idwtn(
    coeffs: Mapping[str, ArrayLike | None],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | None = None,
) -> Call:
    """The call of :func:`liftwave.idwtn`."""
    bands = present_bands(coeffs)
    letters = max(map(len, bands), default=0)
    if letters == 0:
        raise ShapeError("`coeffs` must contain at least one non-null wavelet band")
    ndim = int(next(iter(bands.values())).ndim)
    named = tuple(range(letters)) if axes is None else axes
    plans = axis_plans(wavelet, mode, named, ndim, False)
    if len(plans) != letters:
        raise ShapeError(
            f"keys of {letters} letters belong to {letters} axes, got axes "
            f"{tuple(plan.axis for plan in plans)}"
        )
    structure = keyed_bands(letters)
    flat = [bands.get(key) for key in structure.keys]
    return synthesis_call(flat, plans, ndim, structure, trim_odd=False)


def waverec(
    coeffs: Sequence[ArrayLike | None],
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    axis: int = -1,
) -> Call:
    """The call of :func:`liftwave.waverec`."""
    bands = BAND_LIST.unpack(coeffs)
    ndim = _ndim_of(bands)
    return synthesis_call(bands, plans_along(wavelet, mode, axis, ndim), ndim, BAND_LIST)


def waverec2(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] = (-2, -1),
) -> Call:
    """The call of :func:`liftwave.waverec2`."""
    bands = TRIPLE_LIST.unpack(coeffs)
    ndim = _ndim_of(bands)
    plans = axis_plans(wavelet, mode, two_axes(axes), ndim)
    return synthesis_call(bands, plans, ndim, TRIPLE_LIST)


def waverecn(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
) -> Call:
    """The call of :func:`liftwave.waverecn`."""
    approx, details = dict_list_bands(coeffs)
    ndim = _ndim_of([approx, *(band for bands in details for band in bands.values())])
    plans = axis_plans(wavelet, mode, axes, ndim)
    check_key_lengths(details, len(plans))
    structure = dict_list(len(plans))
    flat = [approx, *(bands.get(key) for bands in details for key in structure.keys)]
    return synthesis_call(flat, plans, ndim, structure)


def _ndim_of(
    bands: Sequence[Array | None],
    message: str = "At least one coefficient must contain a valid value.",
) -> int:
    """Number of dimensions of the bands. At least one band must be present."""
    for band in bands:
        if band is not None:
            return int(band.ndim)
    raise ShapeError(message)


class _Present:
    """A structure of bands. The inputs of the operation are the bands that are present."""

    def __init__(self, structure: Structure, is_present: Sequence[bool]) -> None:
        self.structure, self.is_present = structure, is_present

    def pack(self, arrays: Sequence[Array | None]) -> Any:
        """The arrays that are present, in the structure of all bands."""
        remaining = iter(arrays)
        return self.structure.pack([next(remaining) if p else None for p in self.is_present])

    def unpack(self, value: Any) -> Sequence[Array | None]:
        """The arrays that are present."""
        bands = self.structure.unpack(value)
        return [band for band, p in zip(bands, self.is_present, strict=True) if p]


def synthesis_call(
    bands: Sequence[Array | None],
    plans: AxisPlans,
    ndim: int,
    structure: Structure,
    trim_odd: bool = True,
) -> Call:
    """The call of a synthesis from bands. Some bands can be missing."""
    complete = detail_keys(len(plans))
    level = (len(bands) - 1) // len(complete) if complete else 0
    for band in bands:
        if band is None:
            return _partial_synthesis(bands, plans, ndim, structure, trim_odd)
    transform = synthesis(plans, ndim, level, trim_odd)
    return Call(transform, cast("Sequence[Array]", bands), SINGLE, structure)


def _partial_synthesis(
    bands: Sequence[Array | None],
    plans: AxisPlans,
    ndim: int,
    structure: Structure,
    trim_odd: bool,
) -> Call:
    is_present = [band is not None for band in bands]
    remaining, complete = iter(is_present[1:]), detail_keys(len(plans))
    keys = tuple(
        tuple(key for key in complete if next(remaining))
        for _ in range((len(bands) - 1) // len(complete))
    )
    transform = partial_synthesis(plans, ndim, keys, is_present[0], trim_odd=trim_odd)
    present = [band for band in bands if band is not None]
    return Call(transform, present, SINGLE, _Present(structure, is_present))
