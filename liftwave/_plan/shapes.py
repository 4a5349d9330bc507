"""Shapes of bands and signals, from lengths that can be symbols of ``torch.compile``.

Plans (``_plan/planning.py``) need numbers. These functions only do arithmetic on lengths, so a
graph keeps its symbols.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from liftwave._plan.axes import AxisPlan, used_length, with_length
from liftwave._plan.lengths import band_lengths, signal_length
from liftwave._plan.levels import Keys, unflatten_bands

Shape: TypeAlias = tuple[int, ...]


def band_shapes(shape: Shape, plans: Sequence[AxisPlan], level: int) -> list[Shape]:
    """The shapes of all bands of a signal, approximation first, then coarsest level first."""
    approx, finest_first = shape, []
    for _ in range(level):
        bands = {"": approx}
        for plan in plans:
            bands = dict(_split(bands, plan))
        approx = bands.pop("a" * len(plans))
        finest_first.append(bands)
    return [approx, *(bands[key] for bands in reversed(finest_first) for key in sorted(bands))]


def _split(bands: Mapping[str, Shape], plan: AxisPlan) -> Iterator[tuple[str, Shape]]:
    for key, shape in bands.items():
        pair = band_lengths(shape[plan.axis], plan.wavelet, plan.mode)
        for letter, n in zip("ad", pair, strict=True):
            yield key + letter, _with_length(shape, plan.axis, n)


def signal_shape(
    shapes: Sequence[Shape], keys: Keys, has_approx: bool, plans: Sequence[AxisPlan], trim_odd: bool
) -> Shape:
    """The shape of the signal that has bands of these shapes."""
    approx, details = unflatten_bands(list(shapes), keys, has_approx)
    for of_level in details:
        if of_level or approx is not None:
            approx = _merged(approx, of_level, plans, trim_odd)
    assert approx is not None  # at least one band is present
    return approx


def trims_approximations(
    shapes: Sequence[Shape], keys: Keys, has_approx: bool, plans: Sequence[AxisPlan]
) -> bool:
    """Whether a synthesis drops samples of a computed approximation."""
    approx, details = unflatten_bands(list(shapes), keys, has_approx)
    computed = False
    for of_level in details:
        if computed and approx is not None:
            for index, plan in enumerate(plans):
                lengths = {key[index]: band[plan.axis] for key, band in of_level.items()}
                n = approx[plan.axis]
                if used_length(n, lengths, plan) != n:
                    return True
        if of_level or approx is not None:
            approx, computed = _merged(approx, of_level, plans, True), True
    return False


def _merged(
    approx: Shape | None, details: Mapping[str, Shape], plans: Sequence[AxisPlan], trim_odd: bool
) -> Shape:
    shape = approx if approx is not None else next(iter(details.values()))
    for index, plan in enumerate(plans):
        lengths = {key[index]: band[plan.axis] for key, band in details.items()}
        if approx is not None:
            n = approx[plan.axis]
            lengths["a"] = used_length(n, lengths, plan) if trim_odd else n
        n_approx = lengths.get("a", lengths.get("d", 0))
        n = signal_length(n_approx, lengths.get("d", n_approx), plan.wavelet, plan.mode)
        shape = _with_length(shape, plan.axis, n)
    return shape


def _with_length(shape: Shape, axis: int, n: int) -> Shape:
    return with_length(shape, axis % len(shape), n)
