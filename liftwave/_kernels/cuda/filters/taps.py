"""Taps as arguments of CUDA kernels: numbers in the launch, or device addresses.

The structures are those of ``filters/taps.cuh``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from liftwave._kernels.cuda.common.memory import contiguous, converted, is_beside, memory_of
from liftwave._kernels.cuda.common.runtime import is_captured
from liftwave._plan.axis import FilterPlan, bounded
from liftwave._typing import Array
from liftwave.errors import DeviceError
from liftwave.wavelets.taps import Taps, is_concrete

MAX_GIVEN_TAPS = 128
"""The most taps in the arguments of a launch; more taps are copied to the device."""

COUNTS = (2, 4, 6, 8, 10, 12, 16, 20)
"""Numbers of taps that kernels are compiled for; other numbers are an argument."""


@cache
def given_taps(real: str, count: int) -> Any:
    """``GivenTaps`` of a dtype for ``count`` taps (0: any number)."""
    number: Any = {"float32": ctypes.c_float, "float64": ctypes.c_double}[real]
    return (number * (count or MAX_GIVEN_TAPS)) * 2


LearnedTaps = ctypes.c_void_p * 2
"""``LearnedTaps``: the addresses of the taps of each filter."""


class DeviceTaps(NamedTuple):
    """The taps of one or two filters, for kernels that compute in the dtype ``real``."""

    filters: tuple[Taps, ...]
    arrays: tuple[Array, ...]  # on the device, unless taps are in the launch
    real: str
    plan: FilterPlan

    @property
    def learned(self) -> bool:
        """Whether kernels get addresses."""
        return bool(self.arrays)

    def structure(self, count: int) -> Any:
        """The structure of taps, for kernels compiled for ``count`` taps."""
        if self.arrays:
            return LearnedTaps(*(memory_of(x).address for x in self.arrays))
        key = ("cuda taps", self.real, count, self.filters)
        taps = self.plan.native.get(key)
        if taps is None:
            taps = given_taps(self.real, count)()
            for row, numbers in zip(taps, self.filters, strict=False):
                row[: len(numbers)] = numbers
            bounded(self.plan.native)[key] = taps
        return taps


def device_taps(
    filters: Sequence[Taps], plan: FilterPlan, real: str, like: Array
) -> DeviceTaps | None:
    """The taps for kernels on arrays like ``like``; None if kernels cannot read them there."""
    filters = tuple(filters)
    if all(map(is_concrete, filters)):
        if plan.length <= MAX_GIVEN_TAPS:
            return DeviceTaps(filters, (), real, plan)
    elif not all(is_concrete(f) or is_beside(f, like) for f in filters):
        return None
    return DeviceTaps(filters, tuple(_placed(f, plan, real, like) for f in filters), real, plan)


def _placed(taps: Taps, plan: FilterPlan, real: str, like: Array) -> Array:
    """Contiguous taps on the device, in the precision of the computation."""
    if not is_concrete(taps):
        return contiguous(converted(taps, real))
    xp = array_namespace(like)
    key = ("cuda uploaded taps", real, taps, xp.__name__, str(device(like)))
    array = plan.native.get(key)
    if array is None:
        if is_captured(like):
            raise DeviceError(
                f"filters of {len(taps)} taps are copied to the device at their first use, which "
                "a CUDA graph cannot record. Run the same call once before the capture."
            )
        array = xp.asarray(taps, dtype=getattr(xp, real), device=device(like))
        bounded(plan.native)[key] = array
    return array
