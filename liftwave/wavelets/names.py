"""Names of wavelets: aliases, families, and the nearest name to an unknown name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pywt

from liftwave.errors import ArgumentTypeError, WaveletError, WaveletTypeError

# Other names of PyWavelets' wavelets: those of JPEG 2000 (ISO/IEC 15444-1, annex F).
ALIASES = {"cdf5.3": "bior2.2", "cdf53": "bior2.2", "cdf9.7": "bior4.4", "cdf97": "bior4.4"}
_LABELS = {"bior2.2": "cdf5.3", "bior4.4": "cdf9.7"}

# Long names of families, and the beginning of their wavelets' names.
_FAMILIES = {
    "reversebiorthogonal": "rbio",
    "biorthogonal": "bior",
    "daubechies": "db",
    "symlets": "sym",
    "symlet": "sym",
    "coiflets": "coif",
    "coiflet": "coif",
    "meyer": "dmey",
    "cdf": "cdf",
}


def pywt_name(name: str) -> str:
    """Return PyWavelets' name of a wavelet. Names without an alias are returned unchanged."""
    return ALIASES.get(name.lower(), name)


def label(name: str) -> str:
    """Return the name to show for a wavelet that is called ``name`` (in lower case)."""
    return _LABELS[ALIASES[name]] if name in ALIASES else name


def families(short: bool = True) -> list[str]:
    """Return the families of discrete wavelets.

    Parameters
    ----------
    short : bool, optional
        Whether to return the short names, which are prefixes of the names of wavelets (the
        default), or the long names.

    Returns
    -------
    list of str
        The names, in PyWavelets' order.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.families()
    ['haar', 'db', 'sym', 'coif', 'bior', 'rbio', 'dmey']
    """
    if not isinstance(short, int | float | None):
        raise ArgumentTypeError(f"short must be True or False, got {short!r}")
    discrete = set(pywt.wavelist(kind="discrete"))
    pairs = zip(pywt.families(), pywt.families(short=False), strict=True)
    return [pair[not short] for pair in pairs if discrete & set(pywt.wavelist(pair[0]))]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a sentence with the nearest of the known names; empty if none is near."""
    from difflib import get_close_matches  # only errors need it

    spelled = _spelled(name)
    by_spelling = {spelling.replace(".", ""): spelling for spelling in names}
    near = get_close_matches(spelled.replace(".", ""), by_spelling, n=1, cutoff=0.7)
    return f" Did you mean {by_spelling[near[0]]!r}?" if near else ""


def nearest_wavelet(name: str) -> str:
    """Return a sentence with the nearest name of a discrete wavelet; empty if none is near."""
    return did_you_mean(name, _known_names())


@cache
def _known_names() -> tuple[str, ...]:
    return (*pywt.wavelist(kind="discrete"), *_LABELS.values())


def _spelled(name: str) -> str:
    """A name in PyWavelets' spelling: in lower case, without blanks, with a short family."""
    plain = "".join(c for c in name.lower().replace(",", ".") if c.isalnum() or c == ".")
    for long, short in _FAMILIES.items():
        if plain.startswith(long):
            return short + plain.removeprefix(long)
    return plain


class _AnyWavelet(type):
    """Makes every ``pywt.Wavelet`` an instance of :class:`Wavelet`."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, pywt.Wavelet)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, pywt.Wavelet)


class Wavelet(pywt.Wavelet, metaclass=_AnyWavelet):  # type: ignore[misc]
    """A discrete wavelet of PyWavelets, by its name or from four filters.

    Parameters
    ----------
    name : str, optional
        A name of ``wavelist(kind="discrete")``, or ``"cdf5.3"`` (``"bior2.2"``) or ``"cdf9.7"``
        (``"bior4.4"``). Case is ignored. With ``filter_bank``, any name.
    filter_bank : sequence of four sequences of float, optional
        ``dec_lo``, ``dec_hi``, ``rec_lo``, ``rec_hi``, or an object with this attribute.

    Raises
    ------
    WaveletError
        If no discrete wavelet has the name, or the filters are not valid (a :class:`ValueError`).

    Notes
    -----
    The result is a ``pywt.Wavelet``, and every ``pywt.Wavelet`` is an instance of this class.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.Wavelet("cdf9.7").name, lw.Wavelet("db2").dec_len
    ('bior4.4', 4)
    """

    def __new__(cls, name: str = "", filter_bank: Any = None) -> Any:
        """Return the wavelet of PyWavelets."""
        is_name = filter_bank is None and isinstance(name, str)
        if not isinstance(name, str):
            raise WaveletTypeError(
                f"expected the name of a wavelet, got an object of type {type(name).__name__}"
            )
        try:
            return pywt.Wavelet(pywt_name(name) if is_name else name, filter_bank)
        except ValueError as error:
            hint = nearest_wavelet(name) if is_name else ""
            raise WaveletError(f"{error}{hint}") from None
        except (TypeError, AttributeError) as error:
            raise WaveletTypeError(
                f"expected a name or four filters, got {name!r} and {filter_bank!r}: {error}"
            ) from None
