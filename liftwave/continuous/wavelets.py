"""Functions and frequencies of wavelets, with PyWavelets' names, signatures and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import pywt
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array
from liftwave._numbers import as_numbers, whole_number
from liftwave.errors import LevelError, LevelTypeError, WaveletError, WaveletTypeError, warn
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.names import did_you_mean, pywt_name
from liftwave.wavelets.resolve import WaveletLike, as_pywt

AnyWavelet: TypeAlias = "WaveletLike | pywt.ContinuousWavelet"
"""A discrete or a continuous wavelet, or its name."""

Samples: TypeAlias = "NDArray[Any]"

# Functions of 2**30 samples take 8 GiB.
_HIGHEST = 30


def wavefun(wavelet: AnyWavelet, level: int = 8) -> tuple[Samples, ...]:
    """Return samples of the functions of a wavelet.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, pywt.ContinuousWavelet, FilterBank or LiftingScheme
        A discrete or a continuous wavelet.
    level : int, optional
        The number of refinements of a discrete wavelet. A continuous wavelet has ``2**level``
        samples. From 1 to 30.

    Returns
    -------
    tuple of ndarray
        ``(psi, x)`` for a continuous wavelet, ``(phi, psi, x)`` for an orthogonal one, and
        ``(phi_d, psi_d, phi_r, psi_r, x)`` for all others: scaling function and wavelet of the
        analysis, then of the synthesis, at the points ``x``.

    Raises
    ------
    WaveletError, LevelError
        If the wavelet does not exist, or its taps are arrays; if the level is out of range.

    See Also
    --------
    scaling_function : Exact values of a scaling function.

    Notes
    -----
    The numbers are PyWavelets'. For discrete wavelets they are step functions of the cascade
    algorithm, which are approximations. :func:`scaling_function` returns exact values.

    Examples
    --------
    >>> import liftwave as lw
    >>> phi, psi, x = lw.wavefun("haar", level=2)
    >>> psi.round(6).tolist()
    [0.0, 1.0, 1.0, -1.0, -1.0, 0.0]
    >>> psi, x = lw.wavefun("mexh", level=3)
    >>> x.size, float(x[0])
    (8, -8.0)
    """
    return tuple(values.copy() for values in functions_of(wavelet, checked_level(level)))


def integrate_wavelet(wavelet: AnyWavelet, precision: int = 8) -> tuple[Samples, ...]:
    """Return samples of the integral of a wavelet.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, pywt.ContinuousWavelet, FilterBank or LiftingScheme
        A discrete or a continuous wavelet.
    precision : int, optional
        The ``level`` of :func:`wavefun`.

    Returns
    -------
    tuple of ndarray
        ``(int_psi, x)``: cumulative sums of the samples of :func:`wavefun`, times their distance.
        ``(int_psi_d, int_psi_r, x)`` for wavelets that are not orthogonal: of analysis and
        synthesis.

    Raises
    ------
    WaveletError, LevelError
        As for :func:`wavefun`.

    Examples
    --------
    >>> import liftwave as lw
    >>> int_psi, x = lw.integrate_wavelet("haar", precision=3)
    >>> round(float(int_psi.max()), 6), float(x[-1])
    (0.5, 1.125)
    """
    if isinstance(wavelet, list | tuple):
        return _integral_of_samples(wavelet)
    *functions, x = functions_of(wavelet, checked_level(precision))
    psis = [functions[0]] if len(functions) == 1 else functions[1::2]
    return (*(_integral(psi, x) for psi in psis), x.copy())


def _integral_of_samples(pair: Sequence[Any]) -> tuple[Samples, ...]:
    if len(pair) != 2:
        raise WaveletTypeError(f"expected a wavelet, got {len(pair)} objects")
    warn(
        "Integration of a general signal is deprecated and will be removed in a future version of "
        "pywt.",
        DeprecationWarning,
    )
    psi, x = map(as_numbers, pair)
    if x.ndim != 1 or x.size < 2:
        raise WaveletTypeError(f"expected the points of at least 2 samples, got shape {x.shape}")
    return _integral(psi, x), x


def _integral(psi: Samples, x: Samples) -> Samples:
    integral: Samples = np.cumsum(psi) * (x[1] - x[0])
    return integral


def central_frequency(wavelet: AnyWavelet, precision: int = 8) -> float:
    """Return the frequency at which the spectrum of a wavelet has its maximum.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, pywt.ContinuousWavelet, FilterBank or LiftingScheme
        A discrete or a continuous wavelet. For a discrete one, the wavelet of the analysis.
    precision : int, optional
        The ``level`` of :func:`wavefun`.

    Returns
    -------
    float
        The frequency, in cycles per unit of ``x``.

    Raises
    ------
    WaveletError, LevelError
        As for :func:`wavefun`.

    Notes
    -----
    The result is PyWavelets': a multiple of one divided by the length of ``x``. For ``"morl"`` it
    is 0.8125, and the maximum is at 0.7958.

    Examples
    --------
    >>> import liftwave as lw
    >>> float(lw.central_frequency("morl"))
    0.8125
    """
    *functions, x = functions_of(wavelet, checked_level(precision))
    psi = functions[min(1, len(functions) - 1)]
    place = int(np.argmax(np.abs(np.fft.fft(psi)[1:]))) + 1
    if place + 1 > len(psi) / 2:  # the frequencies of the upper half are negative
        place = len(psi) - place
    return np.float64(1.0) / (float(x[-1] - x[0]) / place)  # rounded as in PyWavelets


def scale2frequency(wavelet: AnyWavelet, scale: Any, precision: int = 8) -> Any:
    """Return the frequency of a scale of the continuous transform.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, pywt.ContinuousWavelet, FilterBank or LiftingScheme
        As for :func:`central_frequency`.
    scale : float or array_like
        One or several scales.
    precision : int, optional
        The ``level`` of :func:`wavefun`.

    Returns
    -------
    float or array
        ``central_frequency(wavelet, precision) / scale``, in cycles per sample.

    Raises
    ------
    WaveletError, LevelError, DTypeError
        As for :func:`wavefun`, or if the scales are not numbers.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.scale2frequency("mexh", [1, 2, 4]).tolist()
    [0.25, 0.125, 0.0625]
    """
    return _quotient(central_frequency(wavelet, precision), scale)


def frequency2scale(wavelet: AnyWavelet, freq: Any, precision: int = 8) -> Any:
    """Return the scale of the continuous transform for a frequency.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, pywt.ContinuousWavelet, FilterBank or LiftingScheme
        As for :func:`central_frequency`.
    freq : float or array_like
        One or several frequencies, in cycles per sample.
    precision : int, optional
        The ``level`` of :func:`wavefun`.

    Returns
    -------
    float or array
        ``central_frequency(wavelet, precision) / freq``.

    Raises
    ------
    WaveletError, LevelError, DTypeError
        As for :func:`wavefun`, or if the frequencies are not numbers.

    Examples
    --------
    >>> import liftwave as lw
    >>> float(lw.frequency2scale("mexh", 0.125))
    2.0
    """
    return _quotient(central_frequency(wavelet, precision), freq)


def _quotient(frequency: float, divisor: Any) -> Any:
    numbers = as_array(divisor)
    with np.errstate(divide="ignore"):  # the frequency of scale 0 is infinite
        return frequency / numbers


# --- the functions of any wavelet ----------------------------------------------------------------


def checked_level(level: Any) -> int:
    """A number of refinements.

    Raises
    ------
    LevelError
        If it is not an integer from 1 to 30.
    """
    number = whole_number(level, "level and precision must be integers", LevelTypeError)
    if not 1 <= number <= _HIGHEST:
        raise LevelError(f"level and precision must be from 1 to {_HIGHEST}, got {number}")
    return number


def functions_of(wavelet: AnyWavelet, level: int) -> tuple[Samples, ...]:
    """The functions of a wavelet, then their points. Do not change these arrays.

    Raises
    ------
    WaveletError
        If the argument is not a wavelet, or its taps are arrays.
    """
    if isinstance(wavelet, str):
        return _functions_of_name(wavelet, level)
    functions: tuple[Samples, ...] = tuple(pywt_object(wavelet).wavefun(level))
    return functions


@lru_cache(maxsize=32)
def _functions_of_name(name: str, level: int) -> tuple[Samples, ...]:
    functions: tuple[Samples, ...] = tuple(pywt_object(name).wavefun(level))
    return functions


def pywt_object(wavelet: AnyWavelet) -> Any:
    """The wavelet as an object of PyWavelets.

    Raises
    ------
    WaveletError
        If the argument is not a wavelet, or its taps are arrays.
    """
    if isinstance(wavelet, pywt.Wavelet | pywt.ContinuousWavelet):
        return wavelet
    if isinstance(wavelet, str):
        return _of_name(wavelet)
    bank = wavelet.to_filter_bank() if isinstance(wavelet, LiftingScheme) else wavelet
    if not isinstance(bank, FilterBank):
        raise WaveletTypeError(
            "expected a wavelet: a name (see wavelist()), a wavelet of PyWavelets, a FilterBank or "
            f"a LiftingScheme, got {wavelet!r} of type {type(wavelet).__name__}"
        )
    orthogonal, biorthogonal = bank.orthogonal, bank.biorthogonal  # they raise for array taps
    converted: Any = as_pywt(bank)
    if not converted.short_family_name:
        converted.orthogonal, converted.biorthogonal = orthogonal, biorthogonal
    return converted


def _of_name(name: str) -> Any:
    try:
        return pywt.DiscreteContinuousWavelet(pywt_name(name))
    except TypeError:
        raise WaveletTypeError("a wavelet needs a name, got the name ''") from None
    except ValueError as error:
        hint = did_you_mean(name, pywt.wavelist())
        raise WaveletError(f"{error}{hint}") from None
