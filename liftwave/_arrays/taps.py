"""Learned taps: arrays of the library of the data."""

from __future__ import annotations

from collections.abc import Sequence

from liftwave._arrays.convert import common_namespace, is_array
from liftwave._arrays.tensors import is_tensor
from liftwave._typing import Array
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved


def check_library_of_taps(wavelets: Sequence[Resolved], arrays: Sequence[Array]) -> None:
    """Raise if learned taps and data belong to different array libraries.

    Taps are never copied between libraries.

    Raises
    ------
    ArgumentTypeError
        If they do.
    """
    for wavelet in {id(wavelet): wavelet for wavelet in wavelets}.values():
        if wavelet.is_concrete:
            continue
        if isinstance(wavelet, LiftingScheme):
            taps = [*(step.taps for step in wavelet.steps), *wavelet.scale]
        else:
            taps = list(wavelet.filter_bank)
        if not all(map(is_tensor, [*arrays, *taps])):
            common_namespace([*arrays, *filter(is_array, taps)])
