"""Analyses by learned wavelets. They are created once, for all values of the taps."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from liftwave._operations.planned_transform import keep
from liftwave._operations.transform import Transform
from liftwave._operations.wavelet_data import slot, slot_structure
from liftwave._typing import Array
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.taps import Taps, is_concrete

_TRANSFORMS: dict[Any, Transform] = {}
"""Transforms with slots, by the structure of the wavelet and by the other arguments."""


def analysis_and_taps(
    wavelet: Any, arguments: Hashable, make: Callable[[Any], Transform]
) -> tuple[Transform, list[Array]]:
    """The analysis by a wavelet, and its taps if they are arrays: further inputs of the transform.

    An analysis does not use the synthesis filters of a filter bank, so these are not inputs.

    Parameters
    ----------
    wavelet : wavelet, or sequence of wavelets
        The wavelet of all axes, or one per axis.
    arguments : hashable
        The other values that determine the transform.
    make : callable
        Returns the transform by a wavelet.
    """
    if not isinstance(wavelet, FilterBank | LiftingScheme) or wavelet.is_concrete:
        return make(wavelet), []
    taps: list[Array] = []
    filters = _learned_filters(wavelet)
    slots = [slot(taps_of_filter, taps) for taps_of_filter in filters]
    key = ((wavelet.name, *slots) if filters else slot_structure(wavelet, taps)), arguments
    transform = _TRANSFORMS.get(key)
    if transform is None:
        if filters:
            low, high = filters
            wavelet = FilterBank(low, high, low, high, wavelet.name)
        transform, _ = make(wavelet).with_slots()
        keep(_TRANSFORMS, key, transform)
    return transform, taps


def _learned_filters(wavelet: FilterBank | LiftingScheme) -> tuple[Taps, Taps] | tuple[()]:
    """The analysis filters of a filter bank, if at least one of them is an array; else none."""
    if not isinstance(wavelet, FilterBank):
        return ()
    filters = wavelet.dec_lo, wavelet.dec_hi
    return () if all(map(is_concrete, filters)) else filters
