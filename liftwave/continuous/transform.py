"""The continuous wavelet transform by sampled Fourier transforms of the wavelet."""

from __future__ import annotations

from typing import Any

from liftwave._arrays.convert import as_array, is_complex, open_array
from liftwave._numbers import flag, real_number
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import ArrayLike
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.extension import Layout, checked_mode
from liftwave.continuous.families import AnalyticWavelet
from liftwave.continuous.grid import (
    GridOptions,
    Limits,
    Norm,
    make_grid,
    sampling_rate,
)
from liftwave.continuous.scalogram import Scalogram
from liftwave.continuous.wavelet_text import resolve_analytic
from liftwave.errors import OptionError, ScaleError, ShapeError


def scalogram(
    x: ArrayLike,
    fs: float = 1.0,
    wavelet: AnalyticWavelet | str = "morse",
    *,
    voices: float = 10,
    frequencies: ArrayLike | None = None,
    limits: Limits = "full",
    norm: Norm = "amplitude",
    mode: str = "symmetric",
    axis: int = -1,
    rate: float | None = None,
    invertible: bool = False,
) -> Scalogram:
    r"""Continuous wavelet transform along one axis, with amplitudes, an inverse and statistics.

    Parameters
    ----------
    x : array_like, shape (..., n, ...)
        Signal, or a batch of signals, real or complex, of any length. An array of any library; half
        precision is computed in float32.
    fs : float, optional
        Samples per unit of time. Frequencies are in cycles per this unit. Default 1.
    wavelet : str, Morse, Morlet, Paul, GaussianDerivative or Bump, optional
        An analytic wavelet, as an object or as text with its parameters: ``"morse(3, 20)"`` (the
        default), ``"morlet(6)"``, ``"paul(4)"``, ``"dog(2)"``, ``"bump(5, 0.6)"``.
    voices : float, optional
        Rows per octave. Default 10.
    frequencies : array_like, optional
        The peak frequencies of the rows, in place of ``voices`` and ``limits``.
    limits : {"full", "resolved"} or (float, float), optional
        The lowest and the highest frequency. ``"full"`` (the default) is from ``fs / (2 n)`` to
        ``fs / 2``, so that the inverse is exact. ``"resolved"`` omits rows that are wider than
        the signal, or cut off at half the sampling rate.
    norm : {"amplitude", "energy", "torrence"}, optional
        ``"amplitude"``: a cosine of amplitude A has coefficients of magnitude A at its frequency.
        ``"energy"``: each wavelet has unit energy, as in Torrence and Compo (``"torrence"`` is
        another name of it).
    mode : str, optional
        Boundary mode: ``"symmetric"`` (the default), ``"reflect"``, ``"antisymmetric"``,
        ``"constant"``, ``"zero"`` or ``"periodic"``. The extension at both ends has the e-folding
        time of the widest wavelet, at most the length of the signal in total. Its length is chosen
        for fast Fourier transforms.
    axis : int, optional
        The axis of time. Default -1.
    rate : float, optional
        Columns per unit of time; a divisor of ``fs``. By default there is one for each sample.
    invertible : bool, optional
        Keeps the columns of the extension, too, which takes up to twice the memory. Then the
        inverse is exact for all modes and lengths.

    Returns
    -------
    Scalogram
        Coefficients of shape (..., frequencies, n): the axis of time is the last one.

    Raises
    ------
    ScaleError, WaveletError, ModeError, OptionError, AxisError, ShapeError, DTypeError
        If an argument is not valid. All but some of ``DTypeError`` are :class:`ValueError`.

    See Also
    --------
    cwt : the transform of PyWavelets, with its numbers.

    Notes
    -----
    With the discrete Fourier transform :math:`X_k` of the extended signal of :math:`N` samples, the
    coefficient of scale :math:`s` at sample :math:`t` is

    .. math:: W_{s,t} = \frac 1 N \sum_{k=1}^{N/2} X_k \overline{\hat\psi(s \omega_k)}
              e^{2 \pi i k t / N}, \qquad \omega_k = 2 \pi k / N

    The wavelet is sampled in frequency, so its numbers are exact at all scales. The scale of
    frequency :math:`f` is :math:`s = \omega_0 / (2 \pi f)` with the peak :math:`\omega_0` of
    :math:`\hat\psi`. Coefficients of real wavelets (``"dog"``) are the real part.

    The transform is linear in the signal. Autograd computes gradients with respect to the signal,
    to ``frequencies`` and to the parameters of the wavelet, if these are tensors.

    References
    ----------
    .. [1] C. Torrence and G. P. Compo, "A practical guide to wavelet analysis", Bull. Amer.
       Meteorol. Soc. 79, 61-78, 1998.
    .. [2] J. M. Lilly and S. C. Olhede, "Generalized Morse wavelets as a superfamily of analytic
       wavelets", IEEE Trans. Signal Process. 60, 6036-6041, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> t = np.arange(1000) / 250
    >>> x = 2.5 * np.cos(2 * np.pi * 20 * t)
    >>> s = lw.scalogram(x, fs=250, voices=32)
    >>> s
    Scalogram of shape (319, 1000), complex128, by morse(3, 20), norm 'amplitude', mode 'symmetric'
      319 frequencies from 125 to 0.1275
    >>> row = abs(s.coefficients[:, 500]).argmax()
    >>> float(s.frequencies[row].round(1)), float(abs(s.coefficients[row, 500]).round(1))
    (19.8, 2.5)
    >>> bool(np.allclose(s.inverse(), x))
    True
    """
    array = as_array(x)
    rate_of_samples, family = sampling_rate(fs), resolve_analytic(wavelet)
    last = normalize_axis(axis, array.ndim)
    n = array.shape[last]
    if n == 0:
        raise ShapeError(f"the signal has no samples: shape {tuple(array.shape)}")
    boundary, keeps = checked_mode(mode), flag(invertible, "invertible")
    options = GridOptions(voices, frequencies, limits, norm)
    grid = make_grid(family, n, rate_of_samples, options)
    hop = _hop(rate, rate_of_samples)
    if hop > 1 and keeps:
        raise OptionError("invertible=True keeps all columns: do not pass rate")
    opened = open_array(array)
    layout = Layout.of(n, grid.reach, boundary)
    analysis = Analysis.of(opened.array, grid, layout, last, hop)
    return _scalogram(analysis, opened, keeps)


def _scalogram(analysis: Analysis, opened: Any, keeps: bool) -> Scalogram:
    whole = None
    coefficients, negative = analysis.coefficients(analysis.full_layout if keeps else None)
    if keeps:
        whole = (coefficients, negative)
        coefficients = analysis.cut(coefficients)
        negative = None if negative is None else analysis.cut(negative)
    if not is_complex(coefficients):
        coefficients = opened.close(coefficients)
    return Scalogram(coefficients, analysis, negative, whole, opened.result_dtype)


def _hop(rate: Any, fs: float) -> int:
    if rate is None:
        return 1
    demand = f"rate must be fs / 1, fs / 2, fs / 3, … with fs = {fs:g}"
    number = real_number(rate, demand)
    if not 0 < number <= fs * (1 + 1e-9):
        raise ScaleError(f"{demand}, got {rate!r}")
    hop = round(fs / number)
    if abs(hop * number - fs) > 1e-6 * fs:
        raise ScaleError(f"{demand}, got {rate!r}")
    return hop
