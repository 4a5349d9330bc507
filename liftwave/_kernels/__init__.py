"""Kernels: the few functions that touch samples.

Every family of kernels (reference, and later compiled ones) is a module with
the functions of :class:`Kernels`. They get validated plans and never decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from liftwave._plan import FilterPlan, LiftPlan
from liftwave._taps import Taps
from liftwave._typing import Array


class Kernels(Protocol):
    """What a family of kernels offers."""

    name: str

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """One band per filter: filtered, and every second sample kept."""
        ...

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """The sum over bands, each upsampled by two and filtered."""
        ...

    def lift_analysis(
        self, x: Array, plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Split, step, scale, roll: approximation and detail."""
        ...

    def lift_synthesis(
        self,
        approx: Array,
        detail: Array,
        plan: LiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> Array:
        """Roll back, scale, step, merge."""
        ...
