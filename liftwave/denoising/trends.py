"""Removes slow trends; keeps or drops bands of frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log2

from liftwave._arrays.convert import open_array
from liftwave._numbers import flag, items, real_number
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import Array, ArrayT, Data
from liftwave.denoising.missing import Missing, check_missing, with_gaps, without_gaps
from liftwave.errors import LevelError, OptionError, ShapeError
from liftwave.transforms.modwt import Edges, modwt_mra
from liftwave.wavelets.resolve import WaveletLike


def remove_trend(
    x: Data[ArrayT],
    cutoff: float,
    fs: float = 1.0,
    *,
    wavelet: WaveletLike = "sym8",
    axis: int = -1,
    mode: Edges = "reflection",
    missing: Missing = "raise",
) -> ArrayT:
    r"""Remove the part of a signal that is slower than a frequency: its trend or baseline.

    Parameters
    ----------
    x : array_like, shape (..., n, ...)
        Signal. The trend is ``x - remove_trend(x, ...)``.
    cutoff : float
        The frequency below which the signal is trend, in the unit of ``fs`` (usually Hz).
    fs : float, optional
        Samples per unit of time. Default 1.
    wavelet : str, Wavelet, or FilterBank
        The wavelet. Long filters separate frequencies better.
    axis : int, optional
        The axis of time; all others are batch axes.
    mode : {'reflection', 'periodic'}, optional
        The extension beyond the ends (:func:`modwt`).
    missing : {'raise', 'interpolate', 'mask'}, optional
        The treatment of NaN, as in :func:`denoise`.

    Returns
    -------
    array
        The signal without the smooth component of :func:`modwt_mra` of level :math:`J`.

    Raises
    ------
    MissingSamplesError
        If samples are infinite, or NaN without ``missing``.
    LevelError
        If the signal is too short for the cutoff, or the cutoff is not below ``fs / 2``.
    ValueError, TypeError
        If another argument is not valid.

    Notes
    -----
    Level :math:`j` halves the frequencies :math:`j` times, so the smooth component of level
    :math:`J` has the frequencies up to :math:`f_s / 2^{J+1}`. The function uses the level for which
    this is nearest to the cutoff, on a logarithmic scale. The filters have no sharp edges: about
    half of the amplitude is left at that frequency.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> t = np.arange(4096) / 256.0
    >>> beats, baseline = np.sin(2 * np.pi * 8 * t), 3 * np.sin(2 * np.pi * 0.1 * t)
    >>> flat = lw.remove_trend(beats + baseline, 0.5, fs=256.0)
    >>> bool(np.sqrt(np.mean((flat - beats) ** 2)) < 0.1)
    True
    """
    rate, limit = _frequency(fs, "fs"), _frequency(cutoff, "cutoff")
    signal = _Signal(x, axis, missing)
    level = _level_of(limit, rate, signal.length)
    smooth = modwt_mra(signal.present, wavelet, level, axis, mode)[0]
    result: ArrayT = signal.close(signal.present - smooth)
    return result


def frequency_band(
    x: Data[ArrayT],
    band: Sequence[float],
    fs: float = 1.0,
    *,
    drop: bool = False,
    wavelet: WaveletLike = "sym8",
    axis: int = -1,
    mode: Edges = "reflection",
    missing: Missing = "raise",
) -> ArrayT:
    r"""Keep or drop the part of a signal in a band of frequencies.

    Parameters
    ----------
    x : array_like, shape (..., n, ...)
        Signal.
    band : (float, float)
        The lowest and the highest frequency, in the unit of ``fs`` (usually Hz). A lowest frequency
        of 0 includes the trend, a highest one of ``fs / 2`` the finest details.
    fs : float, optional
        Samples per unit of time. Default 1.
    drop : bool, optional
        Returns the rest of the signal. Default False.
    wavelet, axis, mode, missing
        As for :func:`remove_trend`.

    Returns
    -------
    array
        The sum of the details of :func:`modwt_mra` in the band. The results with and without
        ``drop`` add up to the signal, and events stay at their places.

    Raises
    ------
    MissingSamplesError
        If samples are infinite, or NaN without ``missing``.
    LevelError
        If the signal is too short for the lowest frequency, the frequencies are not in order
        between 0 and ``fs / 2``, or they are less than an octave apart.
    ValueError, TypeError
        If another argument is not valid.

    Notes
    -----
    The details of level :math:`j` have the frequencies from :math:`f_s / 2^{j+1}` to
    :math:`f_s / 2^j`. Both ends of the band are rounded to such limits, on a logarithmic scale.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> t = np.arange(2048) / 256.0
    >>> alpha, hum = np.sin(2 * np.pi * 11 * t), np.sin(2 * np.pi * 60 * t)
    >>> kept = lw.frequency_band(alpha + hum, (8, 16), fs=256.0)
    >>> bool(np.sqrt(np.mean((kept - alpha) ** 2)) < 0.1)
    True
    """
    rate, drop = _frequency(fs, "fs"), flag(drop, "drop")
    low, high = _limits(band, rate)
    finest = max(round(log2(rate / high)), 1)
    signal = _Signal(x, axis, missing)
    data = signal.present
    if low == 0 and finest == 1:
        component = data
    elif low == 0:
        component = modwt_mra(data, wavelet, _level_of(high, rate, signal.length), axis, mode)[0]
    else:
        level = _level_of(low, rate, signal.length)
        if level < finest:
            raise LevelError(
                f"band={tuple(band)} is narrower than an octave: no level lies between {low} and "
                f"{high}. Use a band from {rate / 2 ** (finest + 1):g} to "
                f"{rate / 2**finest:g}"
            )
        details = modwt_mra(data, wavelet, level, axis, mode)[1:]  # coarsest first
        component = sum(details[1 : level - finest + 1], start=details[0])
    result: ArrayT = signal.close(data - component if drop else component)
    return result


# --- arguments -----------------------------------------------------------------------------------


def _frequency(value: float, name: str) -> float:
    number = real_number(value, f"{name} must be a number")
    if not 0 < number < inf:
        raise OptionError(f"{name} must be positive and finite, got {value!r}")
    return number


def _limits(band: Sequence[float], rate: float) -> tuple[float, float]:
    demand = "band must be two frequencies, the lower first"
    numbers = [real_number(frequency, demand) for frequency in items(band, demand)]
    if len(numbers) != 2 or not 0 <= numbers[0] < numbers[1] <= rate / 2:
        raise LevelError(f"{demand}, between 0 and fs / 2 = {rate / 2:g}, got {band!r}")
    return numbers[0], numbers[1]


class _Signal:
    """The data with all samples, and how results are returned."""

    def __init__(self, x: Array, axis: int, missing: Missing) -> None:
        check_missing(missing)
        self._opened, self._missing = open_array(x), missing
        data, xp = self._opened.array, self._opened.xp
        if data.ndim < 1:
            raise ShapeError("Expected at least 1D input data, got a 0-d array.")
        axis = normalize_axis(axis, data.ndim)
        self.length = int(data.shape[axis])
        self.present: Array
        self.present, self._gaps = without_gaps(data, missing, (axis,), xp)

    def close(self, result: Array) -> Array:
        """The result in the dtype of the data, with gaps if ``missing="mask"``."""
        return self._opened.close(with_gaps(result, self._gaps, self._missing, self._opened.xp))


def _level_of(limit: float, rate: float, n: int) -> int:
    """The level whose smooth component has the frequencies up to the limit."""
    if limit >= rate / 2:
        raise LevelError(f"the frequency must be below fs / 2 = {rate / 2:g}, got {limit:g}")
    level = max(round(log2(rate / limit)) - 1, 1)
    if 2**level > n:
        raise LevelError(
            f"a signal of {n} samples is too short to separate the frequency {limit:g}: it needs "
            f"at least {2**level} samples (two periods are {2 * rate / limit:.0f})"
        )
    return level
