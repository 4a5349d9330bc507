"""Text that describes analytic wavelets, such as ``"morse(3, 20)"``."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from liftwave.continuous.families import (
    AnalyticWavelet,
    Bump,
    GaussianDerivative,
    Morlet,
    Morse,
    Paul,
    names_of,
)
from liftwave.errors import WaveletError, WaveletTypeError

FAMILIES: dict[str, type[AnalyticWavelet]] = {
    cls.family: cls for cls in (Morse, Morlet, Paul, GaussianDerivative, Bump)
}
"""The families by the name at the beginning of the text."""

_TEXT = re.compile(r"\s*([a-z]+)\s*(?:\(([^()]*)\))?\s*", re.IGNORECASE)


def resolve_analytic(wavelet: Any) -> AnalyticWavelet:
    """The wavelet that an object or text such as ``"morse(3, 20)"`` describes.

    Raises
    ------
    WaveletTypeError, WaveletError
        If it is neither, or the wavelet does not exist.
    """
    if isinstance(wavelet, AnalyticWavelet):
        return wavelet
    examples = "morse(3, 20), morlet(6), paul(4), dog(2), bump(5, 0.6)"
    if not isinstance(wavelet, str):
        raise WaveletTypeError(
            f"wavelet must be an analytic wavelet or text such as {examples}; got an object of "
            f"type {type(wavelet).__name__}"
        )
    match = _TEXT.fullmatch(wavelet)
    family = FAMILIES.get(match[1].lower()) if match else None
    if match is None or family is None:
        raise WaveletError(f"unknown analytic wavelet {wavelet!r}; use one of {examples}")
    return _of_text(family, wavelet, match[2] or "")


def _of_text(family: type[AnalyticWavelet], text: str, inside: str) -> AnalyticWavelet:
    parts = [part.strip() for part in inside.split(",") if part.strip()]
    known = [field.name for field in fields(family) if field.kw_only]
    options = {part: True for part in parts if part in known}
    try:
        numbers = [float(part) for part in parts if part not in options]
    except ValueError:
        raise WaveletError(f"the parameters of {text!r} must be numbers") from None
    names = names_of(family)
    if len(numbers) > len(names):
        raise WaveletError(
            f"{text!r} has {len(numbers)} parameters, but only these exist: {', '.join(names)}"
        )
    return family(*numbers, **options)
