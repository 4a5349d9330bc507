"""Compiled kernels for arrays in host memory: NumPy arrays and torch tensors.

This module defines the family; the other modules of this folder implement its methods.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from liftwave._arrays.convert import are_plain_memory
from liftwave._kernels.contract import NativeRun, NativeSpectral, TimeFrequencyKernels
from liftwave._kernels.cpu.filters import NAME
from liftwave._kernels.cpu.levels import CpuLevels
from liftwave._kernels.cpu.memory import serves
from liftwave._kernels.pooling_contract import LiftPoolKernels, PoolingKernels

if TYPE_CHECKING:
    from liftwave._plan.dual_tree import LevelPlan as DualTreeLevel
    from liftwave._plan.packets import PacketPlan
    from liftwave._plan.spectral import SpectralPlan


class CpuKernels(CpuLevels):
    """The family ``"cpu"``.

    Parameters
    ----------
    fallback : Kernels
        Handles what these kernels do not support.
    """

    wants_numpy = True
    native_half = False

    @cached_property
    def pooling(self) -> PoolingKernels:
        """Pooling over windows."""
        from liftwave._kernels.cpu.pooling import CpuPooling  # few programs pool

        return CpuPooling(self._fallback.pooling)

    @cached_property
    def lift_pool(self) -> LiftPoolKernels:
        """Lifting pooling."""
        from liftwave._kernels.cpu.lift_pool import CpuLiftPool

        return CpuLiftPool(self._fallback.lift_pool)

    @cached_property
    def time_frequency(self) -> TimeFrequencyKernels:
        """Synchrosqueezing and ridges."""
        from liftwave._kernels.cpu.time_frequency import CpuTimeFrequency

        return CpuTimeFrequency()

    def native_packets(self, plan: PacketPlan) -> NativeRun | None:
        """The function that computes all levels of packets at once."""
        run: NativeRun | None = plan.native.get(NAME)
        if run is not None:
            return run
        from liftwave._kernels.cpu.packets import native_packets  # few programs use packets

        return native_packets(plan)

    def native_spectral(self, plan: SpectralPlan) -> NativeSpectral | None:
        """The function that computes the rows of a continuous transform."""
        from liftwave._kernels.cpu.spectral import native_spectral  # few programs have scalograms

        return native_spectral(plan)

    def native_dual_tree(self, plan: DualTreeLevel) -> NativeRun | None:
        """The function that runs one level of the dual tree."""
        from liftwave._kernels.cpu.dual_tree import native_dual_tree  # few programs use it

        return native_dual_tree(plan)

    serves = staticmethod(serves)
    serves_memory = staticmethod(are_plain_memory)
