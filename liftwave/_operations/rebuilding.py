"""The growth of rounding errors when the inputs of lifting are rebuilt from its outputs.

Undoing a step subtracts its increment from larger numbers, which were rounded. Steps with large
gains therefore lose digits of the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from liftwave._arrays.tensors import numbers_in_memory
from liftwave.wavelets.lifting.scheme import LiftingScheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FREQUENCIES = 16


def keeps_half_of_the_digits(growth: float, epsilon: float) -> bool:
    """Whether errors of one ``epsilon``, grown by ``growth``, leave half of the digits."""
    return growth <= math.sqrt(1 / epsilon)


def growth_of_schemes(schemes: Sequence[LiftingScheme], level: int) -> float:
    """The approximate bound of the growth for one scheme per axis and this number of levels.

    Infinite if taps cannot be read, or if reading them would wait for a device.
    """
    last, further = 1.0, 1.0
    growths = {id(scheme): _growth(scheme) for scheme in schemes}
    for scheme in schemes:
        of_level, of_approximation = growths[id(scheme)]
        last, further = last * of_level, further * of_approximation
    return float(last * further ** (level - 1))


def _growth(scheme: LiftingScheme) -> tuple[float, float]:
    """The growth of one level, and of its approximation through another level.

    Both follow from the polyphase matrix at some frequencies. The first is its largest singular
    value. The second is the gain of the approximation in the analysis times that in the synthesis.
    Both are relative to the determinant, which is that of the scales.
    """
    low, high = (numbers_in_memory(factor) for factor in scheme.scale)
    if low is None or high is None:
        return math.inf, math.inf
    channels = np.zeros((2, 2, N_FREQUENCIES), complex)
    channels[0, 0] = channels[1, 1] = 1.0
    for step in scheme.steps:
        taps = numbers_in_memory(step.taps)
        if taps is None:
            return math.inf, math.inf
        target = int(step.kind == "predict")
        response = taps @ _waves(len(taps), step.offset)
        channels[target] += response * channels[1 - target]
    channels *= np.array([low, high]).reshape(2, 1, 1)
    determinant = abs(complex(low * high))
    norms = (np.abs(channels) ** 2).sum(1)  # of the approximation and of the detail
    squares = norms.sum(0)
    largest = (squares + np.sqrt(np.maximum(squares**2 - 4 * determinant**2, 0.0))) / 2
    of_approximation = np.sqrt(norms[0] * norms[1]).max()
    if not determinant:
        return math.inf, math.inf
    return float((largest.max() / determinant) ** 0.5), float(of_approximation / determinant)


@lru_cache(maxsize=256)
def _waves(length: int, offset: int) -> NDArray[np.complex128]:
    """``exp(i f (k + offset))`` for each tap ``k`` and frequency ``f``."""
    frequencies = np.linspace(0.0, np.pi, N_FREQUENCIES)
    waves: NDArray[np.complex128] = np.exp(1j * np.outer(np.arange(length) + offset, frequencies))
    return waves
