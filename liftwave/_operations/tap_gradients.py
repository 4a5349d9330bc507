"""Gradients of the taps of one axis, and zeros in their shapes."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave._arrays.convert import real_dtype
from liftwave._plan.levels import FilterStep, IntervalStep, LiftStep, Shape, Step
from liftwave._typing import Array
from liftwave.wavelets.taps import tap_count


class FilterGradient(NamedTuple):
    """The gradients of the low-pass and the high-pass filter of one axis."""

    low: Array
    high: Array

    @property
    def arrays(self) -> list[Array]:
        """The gradients, in the order of the taps."""
        return [self.low, self.high]


class LiftGradient(NamedTuple):
    """The gradients of the lifting steps and scales of one axis, in the order of execution."""

    taps: tuple[Array, ...]
    scale: Array  # of shape (2,)

    @property
    def arrays(self) -> list[Array]:
        """The gradients, in the order of the taps; those of both scales last."""
        return [*self.taps, self.scale[0, ...], self.scale[1, ...]]


StepGradient: TypeAlias = FilterGradient | LiftGradient


def no_gradient(step: Step, like: Array) -> StepGradient:
    """The zero gradient of an axis."""
    if not isinstance(step, LiftStep):
        return FilterGradient(no_taps(step, like), no_taps(step, like))
    taps = tuple(real_zeros((tap_count(t),), like) for t in step.taps)
    return LiftGradient(taps, real_zeros((2,), like))


def no_taps(step: FilterStep | IntervalStep, like: Array) -> Array:
    """The zero gradient of one filter."""
    return real_zeros((tap_count(step.filters[0]),), like)


def real_zeros(shape: Shape, like: Array) -> Array:
    """Zeros with the real precision, and on the device, of ``like``."""
    xp = array_namespace(like)
    return xp.zeros(shape, dtype=real_dtype(like, xp), device=device_of(like))
