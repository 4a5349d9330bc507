"""Kernels: the few functions that touch samples.

Every family of kernels (the reference, and compiled ones) is a module with the
functions of :class:`Kernels`. They get validated plans and never decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from liftwave._levels import AnalysisLevel, SynthesisLevel
from liftwave._plan import FilterPlan, LiftPlan
from liftwave._taps import Taps
from liftwave._typing import Array


class AxisKernels(Protocol):
    """Transforms along one axis."""

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


class Kernels(AxisKernels, Protocol):
    """What a family of kernels offers: one axis, and all axes and levels at once."""

    name: str

    def analyse(
        self, x: Array, levels: Sequence[AnalysisLevel], dtype: Any = None
    ) -> tuple[Array, list[dict[str, Array]]]:
        """Approximation, and the details of each level, finest first.

        Computed and given in ``dtype``, where that is wider than that of ``x``.
        """
        ...

    def synthesise(
        self,
        approx: Array | None,
        details: Sequence[Mapping[str, Array]],
        levels: Sequence[SynthesisLevel],
    ) -> Array:
        """The array with this approximation and these details, coarsest first."""
        ...
