"""Cross scalograms of two series: common power and phase differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave._arrays.convert import as_array, is_complex, open_arrays
from liftwave._arrays.host import as_numpy
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import Array, ArrayLike
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.averages import noise_limits
from liftwave.continuous.extension import Layout, checked_mode
from liftwave.continuous.families import AnalyticWavelet
from liftwave.continuous.grid import GridOptions, Limits, Norm, make_grid, sampling_rate
from liftwave.continuous.red_noise import checked_level, product_ratio
from liftwave.continuous.time_frequency import TimeFrequency
from liftwave.continuous.wavelet_text import resolve_analytic
from liftwave.errors import DTypeError, ShapeError


def cross_scalogram(
    x: ArrayLike,
    y: ArrayLike,
    fs: float = 1.0,
    wavelet: AnalyticWavelet | str = "morlet(6)",
    *,
    voices: float = 12,
    frequencies: ArrayLike | None = None,
    limits: Limits = "resolved",
    norm: Norm = "energy",
    mode: str = "symmetric",
    axis: int = -1,
) -> CrossScalogram:
    r"""Cross wavelet transform of two series: their common power, and their phase difference.

    Parameters
    ----------
    x, y : array_like, shape (..., n, ...)
        Real series of the same shape, of one library.
    fs, wavelet, voices, frequencies, limits, norm, mode, axis
        As for :func:`scalogram`, with the defaults of Torrence and Compo: the wavelet
        ``"morlet(6)"`` and the norm ``"energy"``.

    Returns
    -------
    CrossScalogram
        The coefficients :math:`W_x \overline{W_y}`.

    Raises
    ------
    ShapeError, ArgumentTypeError, DTypeError
        If the shapes or the libraries differ, or a series is complex.
    ValueError
        As :func:`scalogram` does.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> t = np.arange(400)
    >>> x, y = np.cos(2 * np.pi * t / 20), np.cos(2 * np.pi * (t - 5) / 20)  # 5 samples later
    >>> c = lw.cross_scalogram(x, y)
    >>> row = abs(c.coefficients[:, 200]).argmax()
    >>> float(c.delay()[row, 200].round(1))
    5.1
    """
    options = GridOptions(voices, frequencies, limits, norm)
    first, second = pair_of(x, y, fs, wavelet, options, mode, axis)
    xp = array_namespace(first.spectrum)
    rows = first.coefficients()[0], second.coefficients()[0]
    return CrossScalogram(rows[0] * xp.conj(rows[1]), first, second)


def pair_of(
    x: ArrayLike, y: ArrayLike, fs: Any, wavelet: Any, options: GridOptions, mode: Any, axis: Any
) -> tuple[Analysis, Analysis]:
    """The analyses of two series.

    Raises
    ------
    ShapeError, DTypeError
        If the series differ in shape, or are complex.
    """
    arrays, rate, family = [as_array(x), as_array(y)], sampling_rate(fs), resolve_analytic(wavelet)
    shapes = [tuple(array.shape) for array in arrays]
    if shapes[0] != shapes[1]:
        raise ShapeError(f"both series must have the same shape, got {shapes[0]} and {shapes[1]}")
    last = normalize_axis(axis, arrays[0].ndim)
    n = shapes[0][last]
    if 0 in shapes[0]:
        raise ShapeError(f"the series have no samples: shape {shapes[0]}")
    boundary = checked_mode(mode)
    grid = make_grid(family, n, rate, options)
    opened = [operand.array for operand in open_arrays(arrays)]
    if any(map(is_complex, opened)):
        raise DTypeError(f"both series must be real, got {opened[0].dtype}")
    layout = Layout.of(n, grid.reach, boundary)
    first, second = (Analysis.of(signal, grid, layout, last, 1) for signal in opened)
    return first, second


@dataclass(frozen=True, eq=False, repr=False)
class CrossScalogram(TimeFrequency):
    r"""A cross wavelet transform, as :func:`cross_scalogram` returns it.

    Attributes
    ----------
    coefficients : array, shape (..., frequencies, times)
        The products :math:`W_x \overline{W_y}`.
    frequencies, scales, times, coi
        As of a :class:`Scalogram`.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((2, 300))
    >>> c = lw.cross_scalogram(x, y, limits=(0.02, 0.4))
    >>> c.coefficients.shape, c.significance(0.95).shape
    ((52, 300), (52,))
    """

    _other: Analysis

    _name: ClassVar[str] = "cross scalogram"

    def phase(self) -> Array:
        """Return the phase of ``x`` relative to ``y``, in radians: positive if ``x`` is ahead.

        Returns
        -------
        array, shape (..., frequencies, times)
            From -pi to pi.
        """
        c = self.coefficients
        xp = array_namespace(c)
        if not is_complex(c):
            return xp.where(c < 0, xp.full_like(c, np.pi), xp.zeros_like(c))
        return xp.atan2(xp.imag(c), xp.real(c))

    def delay(self) -> Array:
        """Return the delay of ``y`` after ``x``, from the phase at the frequency of each row.

        Returns
        -------
        array, shape (..., frequencies, times)
            In units of time; at most half a period, because phases are periodic.
        """
        phase = self.phase()
        xp = array_namespace(phase)
        waves = 2 * np.pi * self.frequencies[:, None]
        return phase / xp.asarray(waves, dtype=phase.dtype, device=device_of(phase))

    def significance(self, level: float = 0.95) -> Array:
        r"""Return the magnitude that two independent red noises exceed with a small probability.

        Parameters
        ----------
        level : float, optional
            The probability that noise is smaller. Default 0.95.

        Returns
        -------
        array, shape (..., frequencies)
            Limits of ``abs(coefficients)``.

        Raises
        ------
        OptionError, ArgumentTypeError
            If the level is not between 0 and 1.

        Notes
        -----
        The limit is :math:`\sigma_x \sigma_y \sqrt{P_x P_y} Z_\nu(p)/\nu`, with the AR(1) spectra
        of both series and the distribution of the root of a product of two :math:`\chi^2_\nu`
        variables (Torrence and Compo, equation 31): :math:`Z_2 = 3.999` for 95 %.
        """
        probability = checked_level(level)
        limits = [noise_limits(analysis, None) for analysis in (self._analysis, self._other)]
        freedom = 1 if self._grid.concrete.is_real else 2
        result = np.sqrt(limits[0] * limits[1]) * product_ratio(probability, freedom)
        xp = array_namespace(self.coefficients)
        return xp.asarray(result, device=device_of(self.coefficients))

    def _shown_limit(self, level: float) -> Any:
        return as_numpy(self.significance(level))

    def _arrows(self) -> Any:
        return as_numpy(self.phase())

    def _label(self, unit: str) -> str:
        return f"common power ({unit})" if unit else "common power"
