"""The reference kernels: readable array-API code for any library.

They define the results that compiled kernels are tested against. They also handle every array that
no compiled kernel supports, on the array's device. They write nothing in place, so libraries that
record operations can differentiate them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace

from liftwave._kernels import axis_by_axis
from liftwave._kernels.contract import Targets, TimeFrequencyKernels
from liftwave._kernels.pooling_contract import LiftPoolKernels, PoolingKernels
from liftwave._kernels.reference.filters import ReferenceFilters
from liftwave._kernels.reference.lifting import ReferenceLifting
from liftwave._plan.levels import AnalysisPlan, SynthesisPlan
from liftwave._typing import Array

if TYPE_CHECKING:
    from liftwave._plan.dual_tree import LevelPlan as DualTreeLevel
    from liftwave._plan.packets import PacketPlan
    from liftwave._plan.spectral import SpectralPlan


class ReferenceKernels(ReferenceFilters, ReferenceLifting):
    """The family ``"reference"``."""

    name = "reference"
    wants_numpy = False
    native_half = False

    @cached_property
    def pooling(self) -> PoolingKernels:
        """Pooling over windows."""
        from liftwave._kernels.reference.pooling.kernels import (
            ReferencePooling,  # few programs pool
        )

        return ReferencePooling()

    @cached_property
    def lift_pool(self) -> LiftPoolKernels:
        """Lifting pooling."""
        from liftwave._kernels.reference.lift_pool import ReferenceLiftPool

        return ReferenceLiftPool()

    @cached_property
    def time_frequency(self) -> TimeFrequencyKernels:
        """Synchrosqueezing and ridges."""
        from liftwave._kernels.reference.time_frequency import ReferenceTimeFrequency

        return ReferenceTimeFrequency()

    def analyse(
        self, x: Array, plan: AnalysisPlan, dtype: Any = None, out: Targets | None = None
    ) -> list[Array]:
        """All bands, always new ones: the approximation, then the details."""
        if dtype is not None:
            x = array_namespace(x).astype(x, dtype, copy=False)
        return axis_by_axis.analyse(x, plan, self)

    def synthesise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None
    ) -> Array:
        """The array with these bands: always a new one."""
        return axis_by_axis.synthesise(bands, plan, self)

    def native_run(self, plan: AnalysisPlan | SynthesisPlan) -> None:
        """None: these kernels have no native code."""

    def native_packets(self, plan: PacketPlan) -> None:
        """None: these kernels have no native code."""

    def native_spectral(self, plan: SpectralPlan) -> None:
        """None: these kernels have no native code."""

    def native_dual_tree(self, plan: DualTreeLevel) -> None:
        """None: these kernels have no native code."""
