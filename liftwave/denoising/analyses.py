"""Transforms of data to the bands that recipes denoise, and their inverses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from liftwave._execute import execute
from liftwave._operations.call import Call
from liftwave._operations.plan_transforms import analysis
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave._plan.boundary import PERIODIC_MODES
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array
from liftwave.denoising.bands import Analysed, Band, for_children
from liftwave.denoising.dual_tree import dual_tree
from liftwave.denoising.extension import extended
from liftwave.transforms.structures import dict_list
from liftwave.transforms.synthesis_calls import synthesis_call
from liftwave.transforms.undecimated_calls import undecimated_synthesis
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme

TransformName: TypeAlias = Literal["dwt", "swt", "dtcwt"]
"""The names of transforms for denoising."""


def decimated(x: Array, plans: AxisPlans, level: int) -> Analysed:
    """The bands of the decimated transform."""
    structure, axes = dict_list(len(plans)), tuple(plan.axis for plan in plans)
    approx, *details = execute(Call(analysis(plans, x.ndim, level), (x,), structure))
    periodic = all(plan.boundary in PERIODIC_MODES for plan in plans)
    bands = [
        Band(
            *(values, level - k, key, axes),
            partial(_parent, details, k, key, axes) if k else None,
            is_periodic=periodic,
        )
        for k, group in enumerate(details)
        for key, values in group.items()
    ]

    def rebuild(values: Sequence[Array]) -> Array:
        coefficients = structure.unpack([approx, *_grouped(values, details)])
        data = execute(synthesis_call(coefficients, plans, x.ndim, structure))
        return data[tuple(slice(n) for n in x.shape)]

    return Analysed(bands, rebuild)


def undecimated(x: Array, plans: AxisPlans, level: int) -> Analysed:
    """The bands of the transform without downsampling.

    Data with a boundary mode that is not periodic are extended first, by the reach of the filters
    of the coarsest level.
    """
    structure, axes = dict_list(len(plans)), tuple(plan.axis for plan in plans)
    longer, box = extended(x, plans, PERIODIC_MODES, partial(_reach, plans, level))
    grid = _without_ends(plans, x.ndim)
    approx, *details = execute(Call(analysis(grid, x.ndim, level), (longer,), structure))
    bands = [
        Band(
            *(values, level - k, key, axes),
            partial(details[k - 1].__getitem__, key) if k else None,
            spacing=2 ** (level - k),
            responses=partial(_responses, plans, key, level - k),
        )
        for k, group in enumerate(details)
        for key, values in group.items()
    ]

    def rebuild(values: Sequence[Array]) -> Array:
        coefficients = structure.unpack([approx, *_grouped(values, details)])
        call = undecimated_synthesis(coefficients, grid, x.ndim, structure)
        return execute(call)[box]

    return Analysed(bands, rebuild)


ANALYSES: dict[str, Callable[[Array, AxisPlans, int], Analysed]] = {
    "dwt": decimated,
    "swt": undecimated,
    "dtcwt": dual_tree,
}


def _grouped(values: Sequence[Array], details: Sequence[Mapping[str, Array]]) -> Any:
    """New values in the structure of the details."""
    rest = iter(values)
    return [{key: next(rest) for key in group} for group in details]


# --- parents -------------------------------------------------------------------------------------


def _parent(
    details: Sequence[Mapping[str, Array]], k: int, key: str, axes: tuple[int, ...]
) -> Array:
    return for_children(details[k - 1][key], details[k][key].shape, axes)


# --- undecimated plans ---------------------------------------------------------------------------


def _without_ends(plans: AxisPlans, ndim: int) -> AxisPlans:
    """The plans of the periodic undecimated transform of the same wavelets."""
    wavelets, axes = [plan.wavelet for plan in plans], tuple(plan.axis for plan in plans)
    return axis_plans(wavelets, Undecimated("centred"), axes, ndim)


def _reach(plans: AxisPlans, level: int, k: int) -> int:
    """The number of samples that the filters of the coarsest level reach to each side."""
    length: int = _bank(plans[k].wavelet).dec_len
    return (length - 1) * ((1 << level) - 1) // 2 + 1


def _bank(wavelet: Any) -> FilterBank:
    return wavelet.to_filter_bank() if isinstance(wavelet, LiftingScheme) else wavelet


def _responses(plans: AxisPlans, key: str, level: int) -> list[NDArray[Any]]:
    return [_response(plan, letter, level) for plan, letter in zip(plans, key, strict=True)]


def _response(plan: Any, letter: str, level: int) -> NDArray[Any]:
    """The filter from the data to a band of the undecimated transform, along one axis."""
    bank = _bank(plan.wavelet)
    low, high = (np.asarray([float(t) for t in taps]) for taps in (bank.dec_lo, bank.dec_hi))
    response = np.ones(1)
    for j in range(level):
        taps = high if letter == "d" and j == level - 1 else low
        dilated = np.zeros((taps.size - 1) * 2**j + 1)
        dilated[:: 2**j] = taps
        response = np.convolve(response, dilated)
    return response
