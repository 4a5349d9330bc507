"""From whatever a user calls a wavelet to a filter bank or a lifting scheme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import pywt

from liftwave._typing import WaveletLike, Wavelets
from liftwave.errors import ReconstructionWarning, WaveletError, warn
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.taps import Taps

Resolved: TypeAlias = FilterBank | LiftingScheme
"""What the transforms work with."""

# A named bank that misses reconstruction (dmey: 3e-3) is as its table is; a
# custom one that misses it by more than a table's rounding is a mistake.
_RECONSTRUCTION_TOLERANCE = 1e-6


def resolve_wavelet(wavelet: WaveletLike) -> Resolved:
    """The filter bank or lifting scheme that ``wavelet`` stands for.

    Raises
    ------
    WaveletError
        If it is no discrete wavelet.

    Warns
    -----
    ReconstructionWarning
        If it is a custom filter bank whose synthesis does not undo its analysis.
    """
    if isinstance(wavelet, LiftingScheme):
        return wavelet
    if isinstance(wavelet, str):
        return _named(wavelet)
    if isinstance(wavelet, FilterBank):
        return _checked(wavelet)
    if isinstance(wavelet, pywt.Wavelet):
        bank = _from_pywt(tuple(map(tuple, wavelet.filter_bank)), wavelet.name)
        return bank if _is_builtin(wavelet.name) else _checked(bank)
    if isinstance(wavelet, pywt.ContinuousWavelet):
        raise WaveletError(_only_discrete(wavelet.name))
    raise WaveletError(
        "expected a wavelet: a name (see wavelist(kind='discrete')), a pywt.Wavelet, a FilterBank "
        f"or a LiftingScheme, got {wavelet!r} of type {type(wavelet).__name__}"
    )


def wavelets_per_axis(wavelet: Wavelets, naxes: int) -> tuple[Resolved, ...]:
    """One resolved wavelet for each of ``naxes`` axes."""
    if isinstance(wavelet, Iterable) and not isinstance(wavelet, str):
        each: Sequence[Any] = list(wavelet)
        if len(each) not in (1, naxes):
            raise WaveletError(
                "The number of wavelets must match the number of axes to be transformed: "
                f"got {len(each)} wavelets for {naxes} axes"
            )
        # One that serves several axes is looked at, and warned of, once.
        known = {id(w): resolve_wavelet(w) for w in {id(w): w for w in each}.values()}
        resolved = [known[id(w)] for w in each]
        return tuple(resolved * naxes if len(resolved) == 1 else resolved)
    return (resolve_wavelet(wavelet),) * naxes


@lru_cache(maxsize=512)
def _named(name: str) -> FilterBank:
    try:
        known = pywt.DiscreteContinuousWavelet(name)
    except ValueError as error:
        raise WaveletError(
            f"Unknown wavelet name {name!r}, "
            "check wavelist() for the list of available builtin wavelets."
        ) from error
    if not isinstance(known, pywt.Wavelet):
        raise WaveletError(_only_discrete(name))
    return _from_pywt(tuple(map(tuple, known.filter_bank)), known.name)


@lru_cache(maxsize=512)
def _from_pywt(filters: tuple[Taps, Taps, Taps, Taps], name: str) -> FilterBank:
    return FilterBank(*filters, name=name)


@lru_cache(maxsize=512)
def _is_builtin(name: str) -> bool:
    return name.lower() in pywt.wavelist(kind="discrete")


def _checked(bank: FilterBank) -> FilterBank:
    """Warn where a custom bank does not reconstruct; learned taps are not looked at."""
    if bank.is_concrete and (error := _reconstruction_error(bank)) > _RECONSTRUCTION_TOLERANCE:
        warn(
            f"{bank!r} does not reconstruct perfectly: its synthesis misses its analysis by "
            f"{error:.3g}. Check the alignment and signs of its four filters",
            ReconstructionWarning,
        )
    return bank


@lru_cache(maxsize=512)
def _reconstruction_error(bank: FilterBank) -> float:
    return bank.reconstruction_error()


def _only_discrete(name: str) -> str:
    return (
        f"{name!r} is a continuous wavelet, but only discrete wavelets are supported here; "
        "wavelist(kind='discrete') lists them"
    )
