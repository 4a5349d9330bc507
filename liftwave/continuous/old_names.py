"""Deprecated names of functions, which PyWavelets still has. They warn."""

from __future__ import annotations

from typing import Any

from pywt import orthogonal_filter_bank

from liftwave.continuous.wavelets import central_frequency, integrate_wavelet, scale2frequency
from liftwave.errors import warn


def _renamed(old: str, new: str) -> None:
    warn(
        f"`{old}` has been renamed to `{new}` and will be removed in a future version of pywt.",
        DeprecationWarning,
    )


def intwave(*args: Any, **kwargs: Any) -> Any:
    """Return the result of :func:`integrate_wavelet`, with a warning: this is its old name.

    Parameters
    ----------
    *args, **kwargs
        As for :func:`integrate_wavelet`.

    Returns
    -------
    tuple of ndarray
        As :func:`integrate_wavelet`.

    Examples
    --------
    >>> import liftwave as lw
    >>> int_psi, x = lw.intwave("haar")  # doctest: +SKIP
    """
    _renamed("intwave", "integrate_wavelet")
    return integrate_wavelet(*args, **kwargs)


def centrfrq(*args: Any, **kwargs: Any) -> Any:
    """Return the result of :func:`central_frequency`, with a warning: this is its old name.

    Parameters
    ----------
    *args, **kwargs
        As for :func:`central_frequency`.

    Returns
    -------
    float
        As :func:`central_frequency`.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.centrfrq("morl")  # doctest: +SKIP
    0.8125
    """
    _renamed("centrfrq", "central_frequency")
    return central_frequency(*args, **kwargs)


def scal2frq(*args: Any, **kwargs: Any) -> Any:
    """Return the result of :func:`scale2frequency`, with a warning: this is its old name.

    Parameters
    ----------
    *args, **kwargs
        As for :func:`scale2frequency`.

    Returns
    -------
    float or array
        As :func:`scale2frequency`.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.scal2frq("mexh", 2)  # doctest: +SKIP
    0.125
    """
    _renamed("scal2frq", "scale2frequency")
    return scale2frequency(*args, **kwargs)


def orthfilt(*args: Any, **kwargs: Any) -> Any:
    """Return the result of :func:`orthogonal_filter_bank`, with a warning: this is its old name.

    Parameters
    ----------
    *args, **kwargs
        As for :func:`orthogonal_filter_bank`.

    Returns
    -------
    tuple of ndarray
        As :func:`orthogonal_filter_bank`.

    Examples
    --------
    >>> import liftwave as lw
    >>> dec_lo, dec_hi, rec_lo, rec_hi = lw.orthfilt([1.0, 1.0])  # doctest: +SKIP
    """
    _renamed("orthfilt", "orthogonal_filter_bank")
    return orthogonal_filter_bank(*args, **kwargs)
