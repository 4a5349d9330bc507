"""Wavelet coherence of two series, with significance against red noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.host import as_numpy
from liftwave._numbers import whole_number
from liftwave._typing import Array, ArrayLike
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.averages import series_of
from liftwave.continuous.cross import pair_of
from liftwave.continuous.extension import Layout
from liftwave.continuous.families import AnalyticWavelet
from liftwave.continuous.grid import Grid, GridOptions, Limits
from liftwave.continuous.red_noise import checked_level, lag_one, red_series
from liftwave.continuous.smoothing import in_scale, in_time
from liftwave.continuous.time_frequency import TimeFrequency
from liftwave.errors import OptionError, ScaleError

# Bins of the histograms of coherence: quantiles have this resolution.
_BINS = 1000

_MOST_SURROGATES = 100_000

# Number of coefficients that are smoothed at a time: more do not fit into the caches.
_MOST_SMOOTHED = 1 << 14

# Coefficients of surrogates that are computed at a time.
_MOST_COEFFICIENTS = 1 << 21


@dataclass(frozen=True, eq=False, repr=False)
class Coherence(TimeFrequency):
    r"""The coherence of two series, as :func:`wavelet_coherence` returns it.

    Attributes
    ----------
    coefficients : array, shape (..., frequencies, times)
        The complex coherency; its squared magnitude is :attr:`coherence`.
    coherence : array, shape (..., frequencies, times)
        The squared coherence :math:`R^2`, from 0 to 1.
    significance : ndarray, shape (..., frequencies), or None
        The coherence that two independent red noises exceed with a small probability. NaN for rows
        all of whose coefficients depend on the ends.
    frequencies, scales, times, coi
        As of a :class:`Scalogram`.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((2, 300))
    >>> r = lw.wavelet_coherence(x, x + y, surrogates=20)
    >>> r.coherence.shape == r.coefficients.shape, r.significance.shape == r.frequencies.shape
    (True, True)
    """

    significance: NDArray[np.float64] | None = None

    _name: ClassVar[str] = "coherence"
    _highest: ClassVar[float | None] = 1.0

    @property
    def coherence(self) -> Array:
        """The squared coherence, from 0 to 1."""
        return self.power()

    def phase(self) -> Array:
        """Return the phase of ``x`` relative to ``y``, in radians: positive if ``x`` is ahead.

        Returns
        -------
        array, shape (..., frequencies, times)
            From -pi to pi.
        """
        xp, c = array_namespace(self.coefficients), self.coefficients
        return xp.atan2(xp.imag(c), xp.real(c))

    def _shown(self) -> Any:
        return as_numpy(self.coherence)

    def _shown_limit(self, level: float) -> Any:
        if self.significance is None:
            raise OptionError("the limits were not computed: use wavelet_coherence(surrogates=300)")
        return self.significance

    def _arrows(self) -> Any:
        return as_numpy(self.phase())

    def _label(self, unit: str) -> str:
        return "squared coherence"


def wavelet_coherence(
    x: ArrayLike,
    y: ArrayLike,
    fs: float = 1.0,
    wavelet: AnalyticWavelet | str = "morlet(6)",
    *,
    voices: float = 12,
    frequencies: ArrayLike | None = None,
    limits: Limits = "resolved",
    mode: str = "symmetric",
    axis: int = -1,
    level: float = 0.95,
    surrogates: int = 300,
    seed: int = 0,
) -> Coherence:
    r"""Wavelet coherence of two series: how closely they are related at each time and frequency.

    Parameters
    ----------
    x, y : array_like, shape (..., n, ...)
        Real series of the same shape, of one library.
    fs, wavelet, voices, frequencies, limits, mode, axis
        As for :func:`cross_scalogram`.
    level : float, optional
        The probability that noise has a smaller coherence. Default 0.95.
    surrogates : int, optional
        The number of random pairs for the significance; 0 computes none. Default 300.
    seed : int, optional
        The seed of the random pairs. The same seed gives the same limits. Default 0.

    Returns
    -------
    Coherence
        The squared coherence, the phase, and the limits of the noise.

    Raises
    ------
    ShapeError, DTypeError, OptionError
        If the shapes differ, a series is complex, or an option is not valid.
    ValueError
        As :func:`scalogram` does.

    Notes
    -----
    With the smoothing :math:`\langle\,\rangle` in time and scale,

    .. math:: R^2 = \frac{|\langle W_x \overline{W_y} / s \rangle|^2}
              {\langle |W_x|^2 / s \rangle \langle |W_y|^2 / s \rangle}

    The smoothing is a Gaussian in time with the width of the wavelet (:math:`e^{-t^2/2s^2}` for
    Morlet), and a mean in scale over the decorrelation length of the wavelet: 0.60 octaves for
    ``"morlet(6)"`` (Grinsted, Moore and Jevrejeva [1]_). The limits are quantiles of the coherence
    of pairs of AR(1) noises with the coefficients of the series, outside of the cone of influence.

    References
    ----------
    .. [1] A. Grinsted, J. C. Moore and S. Jevrejeva, "Application of the cross wavelet transform
       and wavelet coherence to geophysical time series", Nonlinear Process. Geophys. 11, 561-566,
       2004.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> rng = np.random.default_rng(0)
    >>> common, *noises = rng.standard_normal((3, 500))
    >>> slow = np.cos(2 * np.pi * 0.03 * np.arange(500))
    >>> r = lw.wavelet_coherence(slow + 0.5 * noises[0], slow + 0.5 * noises[1], surrogates=50)
    >>> row = abs(r.frequencies - 0.03).argmin()
    >>> bool(r.coherence[row, 250] > r.significance[row])
    True
    """
    options = GridOptions(voices, frequencies, limits, "amplitude")
    probability = checked_level(level)
    demand = f"surrogates must be an integer from 0 to {_MOST_SURROGATES}"
    count = whole_number(surrogates, demand)
    if not 0 <= count <= _MOST_SURROGATES:
        raise OptionError(f"{demand}, got {surrogates!r}")
    start = whole_number(seed, "seed must be an integer of at least 0")
    if start < 0:
        raise OptionError(f"seed must be an integer of at least 0, got {seed!r}")
    first, second = pair_of(x, y, fs, wavelet, options, mode, axis)
    if not first.grid.frequencies.size:
        raise ScaleError("coherence needs at least one frequency, got none")
    if first.grid.concrete.is_real:
        raise OptionError(f"coherence needs a complex wavelet, got {first.grid.wavelet}")
    coherency = coherency_of(first, second)
    limits_of_noise = None
    if count:
        lags = [lag_one(series_of(analysis)) for analysis in (first, second)]
        limits_of_noise = _limits(first, lags, probability, count, start)
    return Coherence(coherency, first, limits_of_noise)


def coherency_of(first: Analysis, second: Analysis) -> Array:
    """The smoothed cross spectrum, divided by the roots of both smoothed spectra."""
    xp, grid = array_namespace(first.spectrum), first.grid
    cross, both = (in_scale(x, grid) for x in _smoothed_in_time(first.rows(), second.rows(), grid))
    product = xp.real(both) * xp.imag(both)
    largest = xp.max(xp.abs(product))
    is_positive = product > 1e-24 * largest
    factor = 1 / xp.sqrt(xp.where(is_positive, product, xp.ones_like(product)))
    return cross * xp.astype(xp.where(is_positive, factor, xp.zeros_like(factor)), cross.dtype)


def _smoothed_in_time(a: Array, b: Array, grid: Grid) -> tuple[Array, Array]:
    """The cross spectrum, and both spectra as the real and imaginary part of one transform.

    It processes some rows at a time, which fit into the caches.
    """
    xp, parts, count = array_namespace(a), [], a.shape[-2]
    batch = math.prod(a.shape[:-2]) * a.shape[-1]
    step = max(_MOST_SMOOTHED // batch, 1)
    for start in range(0, count, step):
        stop = min(start + step, count)
        x, y = (rows[..., start:stop, :] for rows in (a, b))
        scales = xp.asarray(
            1 / grid.scales[start:stop, None],
            dtype=xp.real(x).dtype,
            device=device_of(x),
        )
        powers = [(xp.real(w) ** 2 + xp.imag(w) ** 2) * scales for w in (x, y)]
        cross = x * xp.conj(y) * xp.astype(scales, x.dtype)
        both = [in_time(w, grid, start) for w in (cross, powers[0] + 1j * powers[1])]
        if type(a) is np.ndarray:  # in the memory of the rows, which nothing else reads
            a[..., start:stop, :], b[..., start:stop, :] = both
        else:
            parts.append(both)
    if not parts:
        return a, b
    first, second = (xp.concat(list(part), axis=-2) for part in zip(*parts, strict=True))
    return first, second


def _limits(
    analysis: Analysis, lags: list[Any], level: float, count: int, seed: int
) -> NDArray[np.float64]:
    """The limits of each pair of series of a batch."""
    grid = analysis.grid
    key = (grid.concrete, grid.frequencies.tobytes(), grid.fs, analysis.layout)
    pairs = zip(lags[0].ravel().tolist(), lags[1].ravel().tolist(), strict=True)
    limits = [_noise_coherence(*key, pair, level, count, seed) for pair in pairs]
    return np.reshape(limits, (*lags[0].shape, grid.frequencies.size))


@lru_cache(maxsize=32)
def _noise_coherence(
    wavelet: AnalyticWavelet,
    frequencies: bytes,
    fs: float,
    layout: Layout,
    lags: tuple[float, float],
    level: float,
    count: int,
    seed: int,
) -> NDArray[np.float64]:
    """The quantile of the coherence of AR(1) noises in each row."""
    grid = Grid(wavelet, np.frombuffer(frequencies), fs, "amplitude")
    rng = np.random.default_rng(seed)
    rows = grid.frequencies.size
    histogram = np.zeros((rows, _BINS))
    step = max(_MOST_COEFFICIENTS // max(rows * layout.length, 1), 1)
    for first in range(0, count, step):
        size = min(step, count - first)
        pair = [Analysis.of(red_series(a, (size, layout.n), rng), grid, layout, 1, 1) for a in lags]
        squared = abs(coherency_of(*pair)) ** 2
        is_free = grid.frequencies[:, None] >= TimeFrequency(squared, pair[0]).coi
        for row in range(rows):
            values = squared[:, row, is_free[row]]
            histogram[row] += np.histogram(values, _BINS, (0.0, 1.0))[0]
    return _quantiles(histogram, level)


def _quantiles(histogram: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """The quantile of each row of a histogram from 0 to 1; NaN for empty rows."""
    sums = np.cumsum(histogram, axis=1)
    quantiles = np.full(len(histogram), np.nan)
    for row, total in enumerate(sums):
        if total[-1] > 0:
            quantiles[row] = (np.searchsorted(total, level * total[-1]) + 1) / _BINS
    return quantiles
