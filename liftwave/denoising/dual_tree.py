"""The bands of the dual-tree complex transform, and the statistics of their noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liftwave._arrays.convert import is_complex, namespace_of
from liftwave._execute import execute
from liftwave._operations.dual_tree_bands import Key, band_places
from liftwave._plan.axes import AxisPlan, AxisPlans
from liftwave._plan.dual_tree import level_plan
from liftwave._typing import Array
from liftwave.denoising.bands import Analysed, Band, for_children, median_of_complex
from liftwave.denoising.extension import extended
from liftwave.errors import AxisError, DTypeError, WaveletError
from liftwave.transforms.dual_tree_calls import (
    MOST_AXES,
    DualTreeStructure,
    dtcwt_call,
    idtcwt_call,
    moved_back,
)
from liftwave.wavelets.dual_tree import DualTreeFilters, TreeFilters, dual_tree_filters
from liftwave.wavelets.resolve import Resolved, as_pywt

QSHIFT = "q14"
"""The filters of all levels but the first."""

# On coarser levels, the statistics of noise differ by less than 1e-4 from those of this one.
_LAST_LEVEL = 8


def check_dual_tree(plans: Sequence[AxisPlan], data: Array) -> None:
    """Raise unless the dual tree transforms these data.

    Raises
    ------
    AxisError, DTypeError, WaveletError
        If there are too many axes, the data are complex, or the filters do not fit.
    """
    if len(plans) > MOST_AXES:
        axes = tuple(plan.axis for plan in plans)
        raise AxisError(
            f"transform='dtcwt' has one, two or three axes, got {axes}: pass the axes to transform"
        )
    if is_complex(data):
        raise DTypeError(
            f"transform='dtcwt' takes real data, got {data.dtype}: denoise the real and the "
            "imaginary part, or use 'swt'"
        )
    if any(plan.wavelet != plans[0].wavelet for plan in plans):
        raise WaveletError("transform='dtcwt' uses one wavelet for all axes: pass one wavelet")
    for plan in plans[:1]:
        filters_of(plan.wavelet)


def dual_tree(x: Array, plans: AxisPlans, level: int) -> Analysed:
    """The complex bands of the dual tree, each divided by the standard deviation of unit noise.

    The boundary of the transform is symmetric. Data of other modes are extended first.
    """
    filters = filters_of(plans[0].wavelet)
    reach = (len(filters.analysis.tree_a[0]) - 1) * (2**level - 1) // 2 + 1
    longer, box = extended(x, plans, ("symmetric",), lambda k: reach)
    call = dtcwt_call(longer, level, filters, tuple(plan.axis for plan in plans))
    low, *levels = execute(call)
    structure = call.result
    assert isinstance(structure, DualTreeStructure)
    scales = [[noise.deviation for noise in noises(filters, len(plans), j)] for j in range(level)]
    groups = [
        [plane / scale for plane, scale in zip(_planes(band, structure), group, strict=True)]
        for band, group in zip(levels, reversed(scales), strict=True)
    ]
    bands = list(_bands(groups, filters, structure))

    def rebuild(values: Sequence[Array]) -> Array:
        rest = iter(values)
        stacked = [
            _stacked([next(rest) * scale for scale in group], structure.axes)
            for group in reversed(scales)
        ]
        arrays = structure.unpack((low, *stacked))
        lengths = [longer.shape[axis] for axis in structure.axes]
        return moved_back(execute(idtcwt_call(arrays, lengths, filters)), structure.axes)[box]

    return Analysed(bands, rebuild)


def _bands(
    groups: list[list[Array]], filters: DualTreeFilters, structure: DualTreeStructure
) -> Iterator[Band]:
    """The bands of each level, coarsest first, with the parent of the same direction."""
    level, axes = len(groups), structure.axes
    for depth, group in enumerate(groups):
        every = noises(filters, len(axes), level - 1 - depth)
        for k, (values, noise) in enumerate(zip(group, every, strict=True)):
            parent = groups[depth - 1][k] if depth else None
            repeated = None if parent is None else partial(for_children, parent, values.shape, axes)
            yield Band(
                *(values, level - depth, noise.key, axes, repeated),
                is_periodic=False,
                responses=partial(list, noise.responses),
            )


def _planes(bands: Array, structure: DualTreeStructure) -> list[Array]:
    """The bands of a level. In one dimension there is only one, without an axis of directions."""
    if len(structure.axes) == 1:
        return [bands]
    return [bands[..., k] for k in range(bands.shape[-1])]


def _stacked(planes: list[Array], axes: tuple[int, ...]) -> Array:
    """The bands of a level along the last axis, in the memory of the transform's layout."""
    if len(axes) == 1:
        return planes[0]
    xp = namespace_of(planes[0])
    return xp.moveaxis(xp.stack(planes, axis=min(axes)), min(axes), -1)


def first_level(wavelet: Resolved) -> Any:
    """The wavelet, by its name if it has one: filters by name have all digits."""
    named: Any = as_pywt(wavelet)
    return named.name if getattr(named, "short_family_name", "") else wavelet


@lru_cache(maxsize=64)
def filters_of(wavelet: Resolved) -> DualTreeFilters:
    """The filters with this wavelet on the first level."""
    return dual_tree_filters(first_level(wavelet), QSHIFT)


# --- noise ---------------------------------------------------------------------------------------


class Noise(NamedTuple):
    """White noise of standard deviation 1 in a band.

    Attributes
    ----------
    key : str
        The filters along each axis: "a" for low-pass, "d" for high-pass.
    deviation : float
        Its standard deviation.
    responses : list of array
        The complex filter along each axis, whose product has the energy 1.
    """

    key: str
    deviation: float
    responses: list[NDArray[Any]]

    @property
    def median(self) -> float:
        """The median of its magnitudes, as a part of the standard deviation."""
        circularity = float(abs(np.prod([np.sum(r * r) for r in self.responses])))
        return median_of_complex(round(circularity, 4))


def noises(filters: DualTreeFilters, dimensions: int, depth: int) -> tuple[Noise, ...]:
    """The noise of each band of a level; 0 is the first one."""
    return _noises(filters.analysis, dimensions, min(depth, _LAST_LEVEL - 1))


@lru_cache(maxsize=64)
def _noises(filters: TreeFilters, dimensions: int, depth: int) -> tuple[Noise, ...]:
    return tuple(_noise(filters, *place, depth) for place in band_places(dimensions))


def _noise(filters: TreeFilters, letters: Key, signs: Key, depth: int) -> Noise:
    r"""The noise of a band, the product of :math:`2^{(1-d)/2}` and the filters along each axis."""
    pairs = [_responses(filters, letter, depth)[1] for letter in letters]
    responses = [even + sign * 1j * odd for sign, (even, odd) in zip(signs, pairs, strict=True)]
    norms = [float(np.linalg.norm(r)) for r in responses]
    deviation = sqrt(2) * float(np.prod([norm / sqrt(2) for norm in norms]))
    key = "".join("ad"[letter] for letter in letters)
    return Noise(key, deviation, [r / n for r, n in zip(responses, norms, strict=True)])


@lru_cache(maxsize=64)
def _responses(filters: TreeFilters, letter: int, depth: int) -> tuple[int, NDArray[np.float64]]:
    """The filters from the data to the even and to the odd samples of a level, and their start.

    Sample 2 k + parity reads the data at the places of this filter, moved by 2^(depth + 1) k.
    """
    halves: list[tuple[int, NDArray[np.float64]]] = [(0, np.zeros(0))] * 2
    # (The length is a multiple of four on all levels.)
    for half in level_plan((2**_LAST_LEVEL * 4,), filters, depth, "repeat").axes[0].halves:
        halves[half.parities[letter]] = _response(filters, half.filters[letter], half.phase, depth)
    first = min(start for start, _ in halves)
    arrays = np.zeros((2, max(start + taps.size for start, taps in halves) - first))
    for array, (start, taps) in zip(arrays, halves, strict=True):
        array[start - first : start - first + taps.size] = taps
    return first, arrays


def _response(
    filters: TreeFilters, taps: tuple[float, ...], phase: int, depth: int
) -> tuple[int, NDArray[np.float64]]:
    """The filter of sample 0 of a half of the outputs, and its start."""
    kernel = np.asarray(taps[::-1])
    if depth == 0:
        return phase + 1 - kernel.size, kernel
    start, lows = _responses(filters, 0, depth - 1)
    place, parity = divmod(phase, 2)
    dilated = np.zeros(((kernel.size - 1) << depth) + 1)
    dilated[:: 1 << depth] = kernel
    return start + ((place + 1 - kernel.size) << depth), np.convolve(dilated, lows[parity])
