r"""The positions of the coefficients of a transform with downsampling, in samples of the data.

Coefficient :math:`k` of level :math:`J` is a weighted sum of the samples :math:`2^J k + o`. Its
position is the centre of energy of these weights, the mean of :math:`2^J k + o` weighted by their
squares. With these positions, features are aligned across levels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liftwave._execute import run
from liftwave._operations.plan_transforms import analysis
from liftwave._operations.wavelet_data import with_numbers
from liftwave._plan.axes import AxisPlan, AxisPlans
from liftwave._plan.lengths import band_lengths
from liftwave.wavelets.lifting.scheme import LiftingScheme


def sample_positions(plan: AxisPlan, level: int) -> tuple[float, float]:
    """Return the positions of coefficient 0 of a level, for approximation and detail.

    Coefficient ``k`` is ``k * 2**level`` samples later. At level 0 the data are the approximation.
    """
    if level == 0:
        return 0.0, 0.0
    low, high = _filters_of(plan)
    return energy_centre(low, low, level), energy_centre(low, high, level)


class Weights(NamedTuple):
    """The weights of neighbouring samples, and the offset of the first one.

    The offset is relative to the first of the two samples of a coefficient.
    """

    first: int
    values: NDArray[Any]


def _filters_of(plan: AxisPlan) -> tuple[Weights, Weights]:
    """The low-pass and the high-pass filter of one level: two rows of its matrix."""
    wavelet: Any = with_numbers(plan.wavelet)
    if isinstance(wavelet, LiftingScheme) and wavelet.integer:
        wavelet = replace(wavelet, integer=False)
    middle = _most_coefficients(wavelet)
    n = 4 * middle  # the taps of the coefficient in the middle do not reach the ends
    plans = AxisPlans((AxisPlan(0, wavelet, plan.mode),))
    transform = analysis(plans, 1, 1)
    filters = []
    for which in (0, 1):
        bands = [np.zeros(count) for count in band_lengths(n, wavelet, plan.mode)]
        bands[which][middle] = 1.0
        (row,) = run(transform.transpose, bands, transform.lengths((n,)))
        used = np.flatnonzero(row) if row.any() else np.array([2 * middle])
        filters.append(Weights(int(used[0]) - 2 * middle, row[used[0] : used[-1] + 1]))
    return filters[0], filters[1]


def _most_coefficients(wavelet: Any) -> int:
    """The number of neighbours, on each side, whose samples a coefficient can depend on."""
    if not isinstance(wavelet, LiftingScheme):
        return int(wavelet.dec_len)
    steps = sum(abs(step.offset) + len(step.taps) for step in wavelet.steps)
    return steps + max(map(abs, wavelet.shift)) + 1


def energy_centre(low: Weights, last: Weights, level: int) -> float:
    r"""The mean offset of the samples of a coefficient, weighted by the squares of their weights.

    Parameters
    ----------
    low, last : Weights
        The filter of the finer levels, and that of the level itself.
    level : int
        The level, at least 1.

    Notes
    -----
    The weights :math:`w` of all levels satisfy
    :math:`w'(o) = \sum_i h(i)\, w((o - i) / 2)` for the low-pass filter :math:`h` of one more
    level. Therefore the sums :math:`A(m) = \sum_o w(o) w(o + m)` and
    :math:`M(m) = \sum_o o\, w(o) w(o + m)` for small :math:`m` follow from those of the level
    before. The weights, whose number grows with :math:`2^J`, are never computed.
    """
    reach = len(low.values)
    places = low.first + np.arange(reach)
    step = _correlated(low.values, low.values, reach)
    moved = _correlated(places * low.values, low.values, reach)
    places = last.first + np.arange(len(last.values))
    sums = _correlated(last.values, last.values, reach)
    moments = _correlated(last.values, places * last.values, reach)
    for _ in range(level - 1):
        moments = 2 * _coarser(moments, step) + _coarser(sums, moved)
        sums = _coarser(sums, step)
        moments, sums = moments / sums[reach], sums / sums[reach]
    total = sums[reach]
    return float(moments[reach] / total) if total else 0.0


def _correlated(a: NDArray[Any], b: NDArray[Any], reach: int) -> NDArray[Any]:
    """The sums of ``a[o + m] * b[o]`` for m from ``-reach`` to ``reach``."""
    return _middle(np.correlate(a, b, "full"), len(b) - 1, reach)


def _coarser(sums: NDArray[Any], filters: NDArray[Any]) -> NDArray[Any]:
    """The sums over d of ``filters[d] * sums[(m + d) / 2]``; both have their zero in the middle."""
    spread = np.zeros(2 * len(sums) - 1)
    spread[::2] = sums
    reach = len(filters) // 2
    return _middle(np.convolve(spread, filters[::-1]), len(sums) - 1 + reach, reach)


def _middle(values: NDArray[Any], zero: int, reach: int) -> NDArray[Any]:
    """The values from ``zero - reach`` to ``zero + reach``, 0 beyond the ends."""
    padded = np.pad(values, reach)
    return padded[zero : zero + 2 * reach + 1]
