"""Transforms along all axes of plans, which cache them."""

from __future__ import annotations

from liftwave._operations.planned_transform import TransformAxis, detail_keys
from liftwave._operations.transform import Transform
from liftwave._plan.axes import AxisPlans
from liftwave._plan.levels import Keys


def analysis(plans: AxisPlans, ndim: int, level: int) -> Transform:
    """The analysis of ``level`` levels along all axes of the plans."""
    transform: Transform | None = plans.cache.get(level)
    if transform is None:
        keys = (detail_keys(len(plans)),) * level
        transform = plans.cache[level] = _transform(plans, ndim, False, True, keys, True)
    return transform


def analysis_of_bands(plans: AxisPlans, ndim: int, keys: Keys, has_approx: bool) -> Transform:
    """The analysis into bands of these keys along all axes of the plans."""
    return _transform(plans, ndim, False, has_approx, keys, True)


def synthesis(plans: AxisPlans, ndim: int, level: int, trim_odd: bool = True) -> Transform:
    """The synthesis from all bands of ``level`` levels along all axes of the plans."""
    transform: Transform | None = plans.cache.get((level, trim_odd))
    if transform is None:
        keys = (detail_keys(len(plans)),) * level
        transform = _transform(plans, ndim, True, True, keys, trim_odd)
        plans.cache[level, trim_odd] = transform
    return transform


def partial_synthesis(
    plans: AxisPlans, ndim: int, keys: Keys, has_approx: bool, *, trim_odd: bool = True
) -> Transform:
    """The synthesis from bands of these keys along all axes of the plans."""
    return _transform(plans, ndim, True, has_approx, keys, trim_odd)


def _transform(
    plans: AxisPlans, ndim: int, is_synthesis: bool, has_approx: bool, keys: Keys, trim_odd: bool
) -> Transform:
    key = (is_synthesis, has_approx, keys, trim_odd)
    transform: Transform | None = plans.cache.get(key)
    if transform is None:
        axes = tuple(TransformAxis(p.axis - ndim, p.wavelet, p.mode) for p in plans)
        transform = plans.cache[key] = Transform(axes, *key, plans={ndim: plans})
    return transform
