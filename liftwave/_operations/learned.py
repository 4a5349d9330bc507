"""Transforms by learned wavelets: they are made once, for all values of the taps."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from liftwave._operations.planned_transform import keep
from liftwave._operations.transform import Transform
from liftwave._operations.wavelet_data import slot_structure
from liftwave._typing import Array
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme

_TRANSFORMS: dict[Any, Transform] = {}
"""Transforms with slots, by the structure of the wavelet and by the other arguments."""


def transform_and_taps(
    wavelet: Any, arguments: Hashable, make: Callable[[], Transform]
) -> tuple[Transform, list[Array]]:
    """The transform by a wavelet, and its taps if they are arrays: further inputs of the transform.

    Parameters
    ----------
    wavelet : wavelet, or sequence of wavelets
        The wavelet of all axes, or of each.
    arguments : hashable
        Everything but the wavelet that determines the transform.
    make : callable
        Returns the transform by the wavelet.
    """
    if not isinstance(wavelet, FilterBank | LiftingScheme) or wavelet.is_concrete:
        return make(), []
    taps: list[Array] = []
    key = slot_structure(wavelet, taps), arguments
    transform = _TRANSFORMS.get(key)
    if transform is None:
        transform, _ = make().with_slots()
        keep(_TRANSFORMS, key, transform)
    return transform, taps
