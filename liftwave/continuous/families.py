r"""Analytic wavelets, defined by their Fourier transforms: Morse, Morlet, Paul, DOG, bump.

A response is 2 at its peak, so that a cosine of amplitude 1 gives coefficients of magnitude 1.
The module computes logarithms of responses, so that powers of large orders do not overflow.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np

from liftwave._arrays.convert import is_array
from liftwave._numbers import flag, real_number
from liftwave._typing import Array, Namespace
from liftwave.errors import WaveletError, WaveletTypeError

Number: TypeAlias = Any
"""A parameter: a number, or a tensor without dimensions that has a gradient."""


# Steps of Newton's method until the peak of a wavelet is exact.
_PEAK_STEPS = 8


def _plain(value: Number) -> Any:
    """A number without its gradient and its imaginary part."""
    value = value.detach() if hasattr(value, "detach") else value
    return value.real if isinstance(value, complex) else value


def names_of(family: type[AnalyticWavelet]) -> list[str]:
    """The names of the parameters of a family. Options are keywords."""
    return [field.name for field in fields(family) if not field.kw_only]


@dataclass(frozen=True)
class AnalyticWavelet(ABC):
    """A wavelet without negative frequencies, or the real part of one.

    Parameters are numbers, or tensors of torch without dimensions, which can have gradients.
    """

    family: ClassVar[str]
    is_real: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            demand = f"{type(self).__name__}: {name} must be a positive number"
            number = real_number(_plain(value), demand, WaveletTypeError)
            if not 0 < number < math.inf:
                raise WaveletError(f"{demand}, got {value!r}")
            if not is_array(value) or isinstance(value, np.ndarray | np.generic):
                object.__setattr__(self, name, number)

    @property
    def parameters(self) -> dict[str, Number]:
        """The parameters by name, without options."""
        return {name: getattr(self, name) for name in names_of(type(self))}

    @property
    def options(self) -> dict[str, bool]:
        """The options by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.kw_only}

    @property
    def concrete(self) -> AnalyticWavelet:
        """The wavelet with floats in place of tensors."""
        values = (float(_plain(value)) for value in self.parameters.values())
        return type(self)(*values, **self.options)

    @property
    def is_concrete(self) -> bool:
        """Whether all parameters are numbers of Python."""
        return all(isinstance(value, int | float) for value in self.parameters.values())

    @property
    @abstractmethod
    def peak(self) -> Number:
        """The angular frequency at which the response is largest, in radians for each scale."""

    @property
    def phase(self) -> complex:
        """The factor of coefficients; their phase."""
        return 1.0

    @property
    def efolding(self) -> float | None:
        """The e-folding time in scales, if it has a closed form."""
        return None

    @abstractmethod
    def _log_response(self, w: Array, xp: Namespace) -> Array:
        """The logarithm of the response at positive angular frequencies; 0 at the peak."""

    @property
    def text(self) -> str:
        """The text that describes the wavelet exactly."""
        return self._text(repr)

    def __str__(self) -> str:
        return self._text("{:g}".format)

    def _text(self, as_text: Callable[[float], str]) -> str:
        values = [as_text(float(_plain(value))) for value in self.parameters.values()]
        values += [name for name, is_set in self.options.items() if is_set]
        return f"{self.family}({', '.join(values)})"


@dataclass(frozen=True)
class Morse(AnalyticWavelet):
    r"""Generalised Morse wavelet.

    Parameters
    ----------
    gamma : float, optional
        The symmetry; 3 (the default) is the most symmetric in frequency.
    beta : float, optional
        The order; 20 by default. The square root of ``beta * gamma`` is the number of oscillations
        times :math:`\pi`.

    Raises
    ------
    WaveletError
        If a parameter is not a positive number.

    Notes
    -----
    The response is :math:`2 (\omega/\omega_0)^\beta e^{\omega_0^\gamma - \omega^\gamma}` at
    positive frequencies, with the peak :math:`\omega_0 = (\beta/\gamma)^{1/\gamma}` [1]_. MATLAB's
    default is (3, 20), which it calls (3, 60); ssqueezepy's is (3, 60).

    References
    ----------
    .. [1] S. C. Olhede and A. T. Walden, "Generalized Morse wavelets", IEEE Trans. Signal Process.
       50, 2661-2670, 2002.

    Examples
    --------
    >>> import liftwave as lw
    >>> wavelet = lw.Morse(3, 60)
    >>> print(wavelet, round(wavelet.peak, 4))
    morse(3, 60) 2.7144
    """

    family: ClassVar[str] = "morse"
    gamma: Number = 3.0
    beta: Number = 20.0

    @property
    def peak(self) -> Number:
        """The angular frequency at which the response is largest, in radians for each scale."""
        return (self.beta / self.gamma) ** (1 / self.gamma)

    def _log_response(self, w: Array, xp: Namespace) -> Array:
        """The logarithm of the response at positive angular frequencies; 0 at the peak."""
        u = w / self.peak
        return self.beta * xp.log(u) + self.beta / self.gamma * (1 - u**self.gamma)


@dataclass(frozen=True)
class Morlet(AnalyticWavelet):
    r"""Morlet wavelet: a Gaussian around one frequency.

    Parameters
    ----------
    omega0 : float, optional
        The frequency, in radians for each scale; 6 by default.
    zero_mean : bool, optional
        Whether a Gaussian of frequency 0 is subtracted, so that the mean of the wavelet is exactly
        zero. In text: ``"morlet(6, zero_mean)"``. Default False.

    Raises
    ------
    WaveletError
        If the parameter is not a positive number.
    OptionError
        If ``zero_mean`` is neither true nor false.

    Notes
    -----
    The response is :math:`2 e^{-(\omega - \omega_0)^2/2}` at positive frequencies, as in Torrence
    and Compo (table 1). At frequency 0 it is not exactly zero: it is 3e-8 for 6. With
    ``zero_mean``, the response is proportional to :math:`e^{-(\omega - \omega_0)^2/2} -
    e^{-\omega_0^2/2} e^{-\omega^2/2}`, and ``omega0`` can be small. Without it, ``omega0`` below 5
    is not recommended. The correction moves the peak: to 2.035 for ``omega0=2``.

    Examples
    --------
    >>> import liftwave as lw
    >>> print(lw.Morlet(), lw.Morlet().peak)
    morlet(6) 6.0
    >>> wavelet = lw.Morlet(2, zero_mean=True)
    >>> print(wavelet, round(wavelet.peak, 3))
    morlet(2, zero_mean) 2.035
    """

    family: ClassVar[str] = "morlet"
    omega0: Number = 6.0
    zero_mean: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "zero_mean", flag(self.zero_mean, "zero_mean"))

    @property
    def peak(self) -> Number:
        """The angular frequency at which the response is largest, in radians for each scale."""
        if not self.zero_mean:
            return self.omega0
        # Newton's method for the zero of the derivative.
        omega, place = self.omega0, self.omega0 + 1
        for _ in range(_PEAK_STEPS):
            small = math.e ** -(omega * place)
            place = place - (place * (1 - small) - omega) / (1 - small + omega * place * small)
        return place

    @property
    def efolding(self) -> float | None:
        """The e-folding time in scales."""
        return None if self.zero_mean else math.sqrt(2)

    def _log_response(self, w: Array, xp: Namespace) -> Array:
        """The logarithm of the response at positive angular frequencies; 0 at the peak."""
        if not self.zero_mean:
            return (w - self.omega0) ** 2 / -2
        omega, peak = self.omega0, self.peak
        corrected = -xp.expm1(-omega * w) * (peak / omega)  # 1 at the peak
        return xp.log(corrected) + ((peak - omega) ** 2 - (w - omega) ** 2) / 2


@dataclass(frozen=True)
class Paul(AnalyticWavelet):
    r"""Paul wavelet: precise in time, broad in frequency.

    Parameters
    ----------
    m : float, optional
        The order; 4 by default.

    Raises
    ------
    WaveletError
        If the order is not a positive number.

    Notes
    -----
    The response is :math:`2 (\omega/m)^m e^{m - \omega}` at positive frequencies (Torrence and
    Compo, table 1).

    Examples
    --------
    >>> import liftwave as lw
    >>> print(lw.Paul(), lw.Paul().peak)
    paul(4) 4.0
    """

    family: ClassVar[str] = "paul"
    m: Number = 4.0

    @property
    def peak(self) -> Number:
        """The angular frequency at which the response is largest, in radians for each scale."""
        return self.m

    @property
    def efolding(self) -> float | None:
        """The e-folding time in scales."""
        return math.sqrt(0.5)

    def _log_response(self, w: Array, xp: Namespace) -> Array:
        """The logarithm of the response at positive angular frequencies; 0 at the peak."""
        return self.m * xp.log(w / self.m) + (self.m - w)


@dataclass(frozen=True)
class GaussianDerivative(AnalyticWavelet):
    r"""Derivative of a Gaussian: a real wavelet. The second derivative is the Mexican hat.

    Parameters
    ----------
    m : int, optional
        The derivative; 2 by default.

    Raises
    ------
    WaveletError
        If the order is not a positive integer.

    Notes
    -----
    The response is proportional to :math:`-i^m \omega^m e^{-\omega^2/2}` at all frequencies
    (Torrence and Compo, table 1). Coefficients of real signals are real, and the magnitude of those
    of a cosine of amplitude 1 is at most 1.

    Examples
    --------
    >>> import liftwave as lw
    >>> print(lw.GaussianDerivative(6), round(lw.GaussianDerivative(6).peak, 4))
    dog(6) 2.4495
    """

    family: ClassVar[str] = "dog"
    is_real: ClassVar[bool] = True

    m: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not float(_plain(self.m)).is_integer():
            raise WaveletError(
                f"GaussianDerivative: m must be an integer of at least 1, got {self.m!r}"
            )
        object.__setattr__(self, "m", int(_plain(self.m)))

    @property
    def peak(self) -> Number:
        """The angular frequency at which the response is largest, in radians for each scale."""
        return self.m**0.5

    @property
    def phase(self) -> complex:
        """The factor of coefficients, from the conjugate of the response."""
        return (-1.0, 1j, 1.0, -1j)[int(self.m) % 4]

    @property
    def efolding(self) -> float | None:
        """The e-folding time in scales."""
        return math.sqrt(2)

    def _log_response(self, w: Array, xp: Namespace) -> Array:
        """The logarithm of the response at positive angular frequencies; 0 at the peak."""
        return self.m * xp.log(w / self.m**0.5) + (self.m - w**2) / 2


@dataclass(frozen=True)
class Bump(AnalyticWavelet):
    r"""Bump wavelet: a narrow band of frequencies, with a response of zero outside of it.

    Parameters
    ----------
    mu : float, optional
        The frequency in the middle, in radians for each scale; 5 by default.
    sigma : float, optional
        Half the width of the band; 0.6 by default. Less than ``mu``.

    Raises
    ------
    WaveletError
        If a parameter is not a positive number, or the band reaches frequency 0.

    Notes
    -----
    The response is :math:`2 e^{1 - 1/(1 - u^2)}` with :math:`u = (\omega - \mu)/\sigma`, where
    :math:`|u| < 1`.

    Examples
    --------
    >>> import liftwave as lw
    >>> print(lw.Bump())
    bump(5, 0.6)
    """

    family: ClassVar[str] = "bump"
    mu: Number = 5.0
    sigma: Number = 0.6

    def __post_init__(self) -> None:
        super().__post_init__()
        if not float(_plain(self.sigma)) < float(_plain(self.mu)):
            raise WaveletError(
                f"Bump: sigma must be less than mu, got mu={self.mu!r} and sigma={self.sigma!r}"
            )

    @property
    def peak(self) -> Number:
        """The angular frequency at which the response is largest, in radians for each scale."""
        return self.mu

    def _log_response(self, w: Array, xp: Namespace) -> Array:
        """The logarithm of the response at positive angular frequencies; 0 at the peak."""
        u = ((w - self.mu) / self.sigma) ** 2
        # A real comparison, because derivatives are computed by complex steps.
        is_inside = (xp.real(u) if xp.isdtype(u.dtype, "complex floating") else u) < 1
        inside = xp.where(is_inside, u, xp.zeros_like(u))
        return xp.where(is_inside, 1 - 1 / (1 - inside), xp.full_like(u, -math.inf))


def unchecked(wavelet: AnalyticWavelet, parameters: dict[str, Number]) -> AnalyticWavelet:
    """A wavelet of the same family with unchecked numbers: complex numbers or traced tensors."""
    other = object.__new__(type(wavelet))
    for name, value in {**wavelet.options, **parameters}.items():
        object.__setattr__(other, name, value)
    return other
