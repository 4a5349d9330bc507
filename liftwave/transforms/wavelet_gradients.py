"""Gradients with respect to the taps, in the structure of the argument ``wavelet``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from liftwave._arrays.taps import check_library_of_taps
from liftwave._operations.tap_gradients import LiftGradient, StepGradient, real_zeros
from liftwave._typing import Array
from liftwave.errors import WaveletError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved, resolve_wavelet
from liftwave.wavelets.taps import tap_count


@dataclass(frozen=True, eq=False)
class FilterBankGradient:
    """The gradient with respect to the taps of a :class:`FilterBank`.

    Attributes
    ----------
    dec_lo, dec_hi, rec_lo, rec_hi : array, shape (length,)
        In the library and the (real) precision of the data. The gradients of filters that the
        transform does not use are zero: synthesis filters in an analysis, and vice versa.
    """

    dec_lo: Array
    dec_hi: Array
    rec_lo: Array
    rec_hi: Array

    def __add__(self, other: FilterBankGradient) -> FilterBankGradient:
        """The sum, filter by filter."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return FilterBankGradient(*(a + b for a, b in pairs))


@dataclass(frozen=True, eq=False)
class LiftingGradient:
    """The gradient with respect to the taps and scales of a :class:`LiftingScheme`.

    Attributes
    ----------
    taps : tuple of array
        One array for each step, of the shape of its taps.
    scale : array, shape (2,)
        The gradients with respect to the two scales.
    """

    taps: tuple[Array, ...]
    scale: Array

    def __add__(self, other: LiftingGradient) -> LiftingGradient:
        """The sum, step by step."""
        taps = tuple(a + b for a, b in zip(self.taps, other.taps, strict=True))
        return LiftingGradient(taps, self.scale + other.scale)


WaveletGradient: TypeAlias = FilterBankGradient | LiftingGradient


class WaveletArgument(NamedTuple):
    """The wavelet of each axis, and the argument ``wavelet`` that defines them."""

    wavelets: Sequence[Resolved]
    argument: Any

    def check(self, *arrays: Array) -> None:
        """Raise if a wavelet has no derivative, or taps and data belong to different libraries.

        Raises
        ------
        WaveletError
            If a wavelet is an integer scheme.
        ArgumentTypeError
            If taps and data belong to different libraries.
        """
        for wavelet in self.wavelets:
            if isinstance(wavelet, LiftingScheme) and wavelet.integer:
                raise WaveletError(
                    f"{wavelet!r} rounds and has no derivative: differentiate the scheme that it "
                    "was made from"
                )
        if not all(wavelet.is_concrete for wavelet in self.wavelets):
            check_library_of_taps(self.wavelets, arrays)

    def gradient(self, axes: Sequence[StepGradient], like: Array, of_analysis: bool) -> Any:
        """Combine the gradients of the axes (none: zero), in the structure of the argument."""
        gradients = [_of_wavelet(gradient, of_analysis) for gradient in axes]
        if not axes:
            gradients = [_zero(wavelet, like) for wavelet in self.wavelets]
        return self.combine(gradients, like)

    def combine(self, gradients: Sequence[WaveletGradient], like: Array) -> Any:
        """The gradient for each wavelet of the argument: the sum over the axes that share it."""
        if not isinstance(self.argument, Iterable) or isinstance(self.argument, str):
            if not gradients:
                return _zero(resolve_wavelet(self.argument), like)
            return _total(gradients)
        return [_total(gradients)] if len(list(self.argument)) < len(gradients) else list(gradients)


def _total(gradients: Sequence[Any]) -> Any:
    return reduce(lambda a, b: a + b, gradients)


def _of_wavelet(gradient: StepGradient, of_analysis: bool) -> WaveletGradient:
    if isinstance(gradient, LiftGradient):
        return LiftingGradient(gradient.taps, gradient.scale)
    low, high = gradient
    none = array_namespace(low).zeros_like(low)
    return FilterBankGradient(
        *((low, high, none, none) if of_analysis else (none, none, low, high))
    )


def _zero(wavelet: Resolved, like: Array) -> WaveletGradient:
    if isinstance(wavelet, LiftingScheme):
        taps = tuple(real_zeros((step.length,), like) for step in wavelet.steps)
        return LiftingGradient(taps, real_zeros((2,), like))
    return FilterBankGradient(
        *(real_zeros((tap_count(taps),), like) for taps in wavelet.filter_bank)
    )
