"""Scattering of signals: averages of moduli of wavelet coefficients, of two orders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, is_complex, open_array
from liftwave._numbers import flag, positive_number
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import Array, ArrayLike
from liftwave.continuous.extension import Layout, extended
from liftwave.continuous.fourier import arrays_at_once, inverse, spectra_of
from liftwave.continuous.scattering_filters import (
    WIDTH,
    Filter,
    Tree,
    band_of,
    pieces,
    response_of,
    tree_of,
)
from liftwave.errors import DTypeError, LevelError, OptionError, ShapeError

_MOST_LEVELS, _MOST_VOICES = 40, 1000

# Deviations of a Gaussian that contain all but a thousandth of it.
_SUPPORT = 3.29

_TIME = (-1,)

# Numbers of moduli that are computed at a time: more do not fit into the caches.
_MOST_NUMBERS = 1 << 20


class Scattering(NamedTuple):
    """Scattering coefficients and their paths.

    Attributes
    ----------
    coefficients : array, shape (..., paths, times)
        The coefficients: one of order 0, then those of order 1 and 2.
    order : ndarray of int, shape (paths,)
        The number of wavelets of each path.
    frequencies : ndarray, shape (paths, 2)
        The centre frequencies of its wavelets, in cycles per sample; NaN for missing ones.
    """

    coefficients: Array
    order: NDArray[np.int64]
    frequencies: NDArray[np.float64]


def scattering1d(
    x: ArrayLike, J: int, Q: int = 8, *, order: int = 2, average: bool = True, axis: int = -1
) -> Scattering:
    r"""Scattering transform along one axis: features that small shifts of a signal hardly change.

    Parameters
    ----------
    x : array_like, shape (..., n, ...)
        Real signals, arrays of any library.
    J : int
        Averages are over ``2**J`` samples. At least 1; ``2**J`` is at most n.
    Q : int, optional
        Wavelets per octave of the first order; the second order has one. Default 8.
    order : {1, 2}, optional
        The highest order. Default 2.
    average : bool, optional
        Whether the moduli are averaged and reduced to one value for each ``2**J`` samples. Without
        averages, the moduli have n samples. Default True.
    axis : int, optional
        The axis of time. Default -1.

    Returns
    -------
    Scattering
        Coefficients of shape (..., paths, n / 2**J, rounded up), the order of each path and the
        frequencies of its wavelets.

    Raises
    ------
    LevelError, ShapeError, OptionError, DTypeError, AxisError
        If an argument is not valid.

    Notes
    -----
    With Morlet wavelets :math:`\psi` and a Gaussian :math:`\phi`, the coefficients are
    :math:`x * \phi`, :math:`|x * \psi_1| * \phi` and :math:`||x * \psi_1| * \psi_2| * \phi`, for
    :math:`\psi_2` of lower frequency than the modulus [1]_. Filters, paths, padding by reflection
    and sampling rates are those of kymatio [2]_.

    References
    ----------
    .. [1] J. Andén and S. Mallat, "Deep scattering spectrum", IEEE Trans. Signal Process. 62,
       4114-4128, 2014.
    .. [2] M. Andreux et al., "Kymatio: scattering transforms in Python", J. Mach. Learn. Res. 21,
       2020.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.cos(2 * np.pi * 0.1 * np.arange(512))
    >>> s = lw.scattering1d(x, J=6)
    >>> s.coefficients.shape
    (126, 8)
    >>> first = s.coefficients[s.order == 1].mean(axis=-1)
    >>> float(s.frequencies[s.order == 1][first.argmax(), 0].round(2))
    0.1
    """
    array = as_array(x)
    levels, voices, highest, averages = check_scattering(J, Q, order, average)
    last = normalize_axis(axis, array.ndim)
    n = array.shape[last]
    if n < 1 or 1 << levels > n:
        raise ShapeError(f"J={levels} averages over 2**{levels} samples, but the signal has {n}")
    opened = open_array(array)
    if is_complex(opened.array):
        raise DTypeError(f"scattering needs real signals, got {opened.array.dtype}")
    signal = opened.xp.moveaxis(opened.array, last, -1)
    tree = tree_of(levels, voices, highest)
    parts = list(_Transform(_layout(n, levels), tree, averages).paths(signal))
    coefficients = opened.xp.concat(parts, axis=-2)
    return Scattering(opened.close(coefficients), *_table(tree))


def check_scattering(J: Any, Q: Any, order: Any, average: Any) -> tuple[int, int, int, bool]:
    """The options of a scattering transform.

    Raises
    ------
    LevelError, OptionError, ArgumentTypeError
        If one is not valid.
    """
    levels, voices = positive_number(J, "J", LevelError), positive_number(Q, "Q", OptionError)
    highest = positive_number(order, "order", OptionError)
    if levels > _MOST_LEVELS:
        raise LevelError(f"J must be at most {_MOST_LEVELS}, got {J!r}")
    if highest > 2:
        raise OptionError(f"order must be 1 or 2, got {order!r}")
    if voices > _MOST_VOICES:
        raise OptionError(f"Q must be at most {_MOST_VOICES} wavelets per octave, got {Q!r}")
    return levels, voices, highest, flag(average, "average")


def _layout(n: int, levels: int) -> Layout:
    """The signal in the middle of a power of two, at most three times as long."""
    support = math.ceil(_SUPPORT * 2**levels / (2 * math.pi * WIDTH))
    exponent = (n + 2 * support - 1).bit_length()
    bits = max(min(exponent, (max(3 * n - 2, 1)).bit_length() - 1), (n - 1).bit_length(), levels)
    length = 1 << bits
    # A multiple of the last step, so that the first sample of the signal is kept.
    before = (length - n) // 2 >> levels << levels
    return Layout(n, before, length, "reflect")


# --- paths ---------------------------------------------------------------------------------------


class _Transform(NamedTuple):
    """The transform of signals of one length."""

    layout: Layout
    tree: Tree
    averages: bool

    def paths(self, x: Array) -> Iterator[Array]:
        """The coefficients of all paths, in order, each of the shape (..., paths, times)."""
        xp = array_namespace(x)
        spectrum = spectra_of(extended(x, self.layout), _TIME)[..., None, :]
        yield self._averaged(spectrum, 0) if self.averages else x[..., None, :]
        second: list[Array] = []
        for parents, children in self._groups(spectrum):
            level = parents[0].level if self.averages else 0
            moduli = xp.abs(self._filtered(spectrum[..., 0, :], parents, 0, level))
            if self.averages or children:
                spectra = spectra_of(moduli, _TIME)
            yield self._averaged(spectra, level) if self.averages else self._cut(moduli)
            if children:
                second.append(self._children(spectra, level, children))
        yield from second

    def _groups(self, spectrum: Array) -> Iterator[tuple[list[Filter], list[Filter]]]:
        """Filters of the first order with the same rate, and those of their second order."""
        pairs = zip(self.tree.first, self.tree.children, strict=True)
        for (_, children), same in groupby(pairs, key=lambda pair: (pair[0].level, pair[1])):
            parents = [parent for parent, _ in same]
            level = parents[0].level if self.averages else 0
            count = arrays_at_once(_MOST_NUMBERS, tuple(spectrum.shape), 1 << level)
            for first in range(0, len(parents), count):
                yield parents[first : first + count], [self.tree.second[k] for k in children]

    def _children(self, spectra: Array, level: int, children: Sequence[Filter]) -> Array:
        """The coefficients of the second order of several moduli, one after the other."""
        xp, results = array_namespace(spectra), []
        for child in children:
            rate = child.level if self.averages else 0
            moduli = xp.abs(self._filtered(spectra, [child], level, rate)[..., 0, :])
            if self.averages:
                results.append(self._averaged(spectra_of(moduli, _TIME), rate))
            else:
                results.append(self._cut(moduli))
        rows = xp.stack(results, axis=-2)
        *batch, parents, count, times = rows.shape
        return xp.reshape(rows, (*batch, parents * count, times))

    def _averaged(self, spectra: Array, level: int) -> Array:
        """The averages of signals, at the lowest rate."""
        levels = self.tree.levels
        low = Filter(0.0, WIDTH / 2**levels, levels)
        rows = self._filtered(spectra, [low], level, levels)[..., 0, :]
        rows, start = array_namespace(rows).real(rows), self.layout.before >> levels
        return rows[..., start : start + -(-self.layout.n >> levels)]

    def _cut(self, rows: Array) -> Array:
        """The columns of the signal, in moduli of the full rate."""
        return rows[..., self.layout.before : self.layout.before + self.layout.n]

    def _filtered(self, spectra: Array, filters: Sequence[Filter], level: int, lower: int) -> Array:
        """Filtered signals at a lower rate, along a new axis before the last one."""
        products = _numpy_products if type(spectra) is np.ndarray else _products
        return inverse(products(spectra, filters, self.layout.length, level, lower), _TIME)


def _numpy_products(
    spectra: NDArray[Any], filters: Sequence[Filter], length: int, level: int, lower: int
) -> NDArray[Any]:
    """The spectra of filtered signals at a lower rate: only bins of the filters are computed."""
    count, short = length >> level, length >> lower
    dtype = spectra.real.dtype
    result = np.zeros((*spectra.shape[:-1], len(filters), short), spectra.dtype)
    for k, wavelet in enumerate(filters):
        band = band_of(wavelet.centre, wavelet.width, length, dtype.name)
        for low, high in pieces(band, short):
            bins = spectra[..., low % count : low % count + high - low]
            place = low % short
            values = band.values[low - band.start : high - band.start]
            result[..., k, place : place + high - low] += bins * (values * dtype.type(short))
    return result


def _products(
    spectra: Array, filters: Sequence[Filter], length: int, level: int, lower: int
) -> Array:
    """As :func:`_numpy_products`, for any library."""
    xp, factor = array_namespace(spectra), 2 ** (lower - level)
    responses = [response_of(wavelet.centre, wavelet.width, length, level) for wavelet in filters]
    products = spectra[..., None, :] * _as_array(np.stack(responses), spectra)
    shape = (*products.shape[:-1], factor, length >> lower)
    return xp.sum(xp.reshape(products, shape), axis=-2) * (length >> lower)


def _as_array(values: NDArray[Any], like: Array) -> Array:
    xp = array_namespace(like)
    return xp.asarray(values, dtype=like.dtype, device=device_of(like))


def _table(tree: Tree) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The order and the frequencies of each path."""
    pairs = [
        (parent.centre, tree.second[k].centre)
        for parent, children in zip(tree.first, tree.children, strict=True)
        for k in children
    ]
    rows = [(np.nan, np.nan), *((wavelet.centre, np.nan) for wavelet in tree.first), *pairs]
    order = [0, *[1] * len(tree.first), *[2] * len(pairs)]
    return np.asarray(order), np.asarray(rows)
