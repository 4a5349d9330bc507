"""Resolves a wavelet in any form to a filter bank or a lifting scheme."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Protocol, TypeAlias, cast

import pywt

from liftwave._numbers import is_several, items
from liftwave.errors import ReconstructionWarning, WaveletError, WaveletTypeError, warn
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.names import nearest_wavelet, pywt_name
from liftwave.wavelets.taps import Taps


class PywtWavelet(Protocol):
    """A ``pywt.Wavelet``, for type checkers: PyWavelets has no types."""

    name: str
    short_family_name: str
    dec_lo: Any
    dec_hi: Any
    rec_lo: Any
    rec_hi: Any


WaveletLike: TypeAlias = str | PywtWavelet | FilterBank | LiftingScheme
"""A discrete wavelet, or its name."""

Wavelets: TypeAlias = WaveletLike | Sequence[WaveletLike]
"""One wavelet for all axes, or one for each axis."""

Resolved: TypeAlias = FilterBank | LiftingScheme
"""A wavelet in one of the two forms that transforms use."""


def resolve_wavelet(wavelet: WaveletLike) -> Resolved:
    """Return the filter bank or lifting scheme of a wavelet.

    A name, and a built-in ``pywt.Wavelet`` of that name, always give the same
    object, so both use the plans that are cached in it.

    Raises
    ------
    WaveletError
        If the argument is not a discrete wavelet.

    Warns
    -----
    ReconstructionWarning
        If it is a custom filter bank whose synthesis does not undo its analysis.
    """
    if isinstance(wavelet, pywt.Wavelet):
        if wavelet.short_family_name:  # only PyWavelets' own wavelets have a family
            return builtin_wavelet(wavelet.name)
        bank = _without_family(tuple(map(tuple, wavelet.filter_bank)), wavelet.name)
        warn_of_bank(bank)
        return bank
    if isinstance(wavelet, FilterBank):
        warn_of_bank(wavelet)
        return wavelet
    if isinstance(wavelet, LiftingScheme):
        return wavelet
    if isinstance(wavelet, str):
        return named_wavelet(wavelet)
    if isinstance(wavelet, pywt.ContinuousWavelet):
        raise WaveletError(_only_discrete(wavelet.name))
    raise WaveletTypeError(
        "expected a wavelet: a name (see wavelist(kind='discrete')), a pywt.Wavelet, a FilterBank "
        f"or a LiftingScheme, got {wavelet!r} of type {type(wavelet).__name__}"
    )


def as_pywt(wavelet: Resolved) -> pywt.Wavelet | Resolved:
    """Return the wavelet as PyWavelets' object. Schemes and learned filters stay as they are."""
    if not isinstance(wavelet, FilterBank) or not wavelet.is_concrete:
        return wavelet
    if _is_builtin(wavelet):
        return pywt.Wavelet(wavelet.name)
    return pywt.Wavelet(wavelet.name, filter_bank=wavelet.filter_bank)


def _is_builtin(bank: FilterBank) -> bool:
    if bank.name not in _builtin_names():
        return False
    builtin = builtin_wavelet(bank.name)
    return builtin is bank or builtin.filter_bank == bank.filter_bank


@cache
def _builtin_names() -> frozenset[str]:
    return frozenset(pywt.wavelist(kind="discrete"))


def warn_of_bank(wavelet: Resolved) -> None:
    """Warn if a filter bank does not reconstruct.

    Transforms warn on each use. So a caller that finds a plan in the wavelet's
    cache, and skips :func:`resolve_wavelet`, has to call this function.
    """
    if isinstance(wavelet, FilterBank) and wavelet.warning is not None:
        warn(wavelet.warning, ReconstructionWarning)


def wavelets_per_axis(wavelet: Wavelets, naxes: int) -> tuple[Resolved, ...]:
    """Resolve one wavelet for all of ``naxes`` axes, or one for each axis."""
    if is_several(wavelet):
        wavelets: Sequence[Any] = items(wavelet, "expected one wavelet per axis", WaveletTypeError)
        if len(wavelets) not in (1, naxes):
            raise WaveletError(
                "The number of wavelets must match the number of axes to be transformed: "
                f"got {len(wavelets)} wavelets for {naxes} axes"
            )
        # A wavelet used for several axes is resolved once, and warns once.
        unique = {id(w): w for w in wavelets}
        resolved = {key: resolve_wavelet(w) for key, w in unique.items()}
        per_axis = tuple(resolved[id(w)] for w in wavelets)
        return per_axis * naxes if len(per_axis) == 1 else per_axis
    return (resolve_wavelet(cast("WaveletLike", wavelet)),) * naxes


@lru_cache(maxsize=512)
def named_wavelet(name: str) -> FilterBank:
    """Return the filter bank of a name.

    Raises
    ------
    WaveletError
        If no discrete wavelet has the name.
    """
    try:
        wavelet = pywt.DiscreteContinuousWavelet(pywt_name(name))
    except TypeError:
        raise WaveletTypeError("a wavelet needs a name or four filters, got the name ''") from None
    except ValueError:
        raise WaveletError(
            f"Unknown wavelet name {name!r}, check wavelist(kind='discrete') for the list of "
            f"available builtin wavelets.{nearest_wavelet(name)}"
        ) from None
    if not isinstance(wavelet, pywt.Wavelet):
        raise WaveletError(_only_discrete(name))
    return builtin_wavelet(wavelet.name)


@cache
def builtin_wavelet(name: str) -> FilterBank:
    """Return the bank of a built-in wavelet by its full name: always the same object."""
    dec_lo, dec_hi, rec_lo, rec_hi = pywt.Wavelet(name).filter_bank
    bank = FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, name)
    # Published tables are used unchanged, even that of dmey, whose error is 3e-3.
    vars(bank)["warning"] = None
    return bank


@lru_cache(maxsize=512)
def _without_family(filters: tuple[Taps, Taps, Taps, Taps], name: str) -> FilterBank:
    """Return the bank of a custom wavelet, or of a copy of a built-in one (no family)."""
    if name in pywt.wavelist(kind="discrete") and builtin_wavelet(name).filter_bank == filters:
        return builtin_wavelet(name)
    return FilterBank(*filters, name=name)


def _only_discrete(name: str) -> str:
    return (
        f"{name!r} is a continuous wavelet, but only discrete wavelets are supported here; "
        "wavelist(kind='discrete') lists them"
    )
