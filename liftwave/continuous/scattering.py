"""Scattering of signals: averages of moduli of wavelet coefficients, of two orders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, is_complex, open_array, real_dtype
from liftwave._numbers import flag, positive_number
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import Array, ArrayLike
from liftwave.continuous.extension import Layout, extended
from liftwave.errors import DTypeError, LevelError, OptionError, ShapeError

# Kymatio's constants: the width of the low-pass, the response where neighbours cross, and how
# many deviations of a Gaussian a sampling rate must hold.
_WIDTH, _CROSSING, _DEVIATIONS = 0.1, math.sqrt(0.5), 5

_MOST_LEVELS, _MOST_VOICES = 40, 1000

# Deviations of a Gaussian that contain all but a thousandth of it.
_SUPPORT = 3.29


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


class _Filter(NamedTuple):
    """A Gabor filter: its centre and width in cycles per sample, and its sampling rate."""

    centre: float
    width: float
    level: int


def scattering1d(
    x: ArrayLike, J: int, Q: int = 8, *, order: int = 2, average: bool = True, axis: int = -1
) -> Scattering:
    r"""Scattering transform along one axis: features that do not change if a signal moves a little.

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
        Whether the moduli are averaged and reduced to one value for each ``2**J`` samples. Without,
        the moduli have n samples. Default True.
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
    :math:`\psi_2` of lower frequency than the modulus has [1]_. Filters, paths, padding by
    reflection and sampling rates are those of kymatio [2]_.

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
        raise ShapeError(f"J={levels} averages over 2**{levels} samples, the signal has {n}")
    opened = open_array(array)
    if is_complex(opened.array):
        raise DTypeError(f"scattering is for real signals, got {opened.array.dtype}")
    signal = opened.xp.moveaxis(opened.array, last, -1)
    tree = _tree(levels, voices, highest)
    layout = _layout(n, levels)
    parts = list(_paths(signal, layout, tree, averages))
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


# --- filters -------------------------------------------------------------------------------------


class _Tree(NamedTuple):
    """The filters of both orders, and the filters of the second order of each path."""

    levels: int
    first: tuple[_Filter, ...]
    second: tuple[_Filter, ...]
    children: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=64)
def _tree(levels: int, voices: int, order: int) -> _Tree:
    first, second = _bank(levels, voices), _bank(levels, 1) if order == 2 else ()
    children = tuple(
        tuple(k for k, child in enumerate(second) if child.level > parent.level) for parent in first
    )
    return _Tree(levels, first, second, children)


def _bank(levels: int, voices: int) -> tuple[_Filter, ...]:
    """Filters with equal ratios while they are broader than the low-pass, then equal steps."""
    least = _WIDTH / 2**levels
    centre = max(1 / (1 + 2 ** (3 / voices)), 0.35)
    ratio = 2 ** (-1 / voices)
    width = centre * (1 - ratio) / (1 + ratio) / math.sqrt(-2 * math.log(_CROSSING))
    filters = []
    while width > least:
        filters.append(_filter(centre, width))
        centre, width = centre * ratio, width * ratio
    elbow = filters[-1].centre if filters else centre
    filters += [_filter(elbow * (1 - q / voices), least) for q in range(1, voices)]
    return tuple(filters)


def _filter(centre: float, width: float) -> _Filter:
    """A filter, with the number of times its result can be halved in rate."""
    edge = min(centre + _DEVIATIONS * width, 0.5)
    return _Filter(centre, width, math.floor(-math.log2(edge)) - 1)


def _layout(n: int, levels: int) -> Layout:
    """The signal in the middle of a power of two, at most three times as long."""
    support = math.ceil(_SUPPORT * 2**levels / (2 * math.pi * _WIDTH))
    wanted = (n + 2 * support - 1).bit_length()
    bits = max(min(wanted, (max(3 * n - 2, 1)).bit_length() - 1), (n - 1).bit_length(), levels)
    length = 1 << bits
    # A multiple of the last step, so that the first sample of the signal is kept.
    before = (length - n) // 2 >> levels << levels
    return Layout(n, before, length, "reflect")


@lru_cache(maxsize=512)
def _response(centre: float, width: float, length: int) -> NDArray[np.float64]:
    """The Fourier transform of a filter, divided by the sum of its magnitudes in time."""
    gaussian = _periodic(centre, width, length)
    if centre:
        low = _periodic(0.0, width, length)
        gaussian = gaussian - gaussian[0] / low[0] * low
    return np.asarray(gaussian / np.abs(np.fft.ifft(gaussian)).sum())


def _periodic(centre: float, width: float, length: int) -> NDArray[np.float64]:
    """A Gaussian of frequency, repeated with the sampling rate."""
    reach = 9 * width + 0.5  # further periods are below the rounding error
    periods = np.arange(math.ceil(centre - reach), math.floor(centre + reach) + 1)
    total, f = np.zeros(length), np.fft.fftfreq(length)
    for period in periods:
        total += np.exp(-((f + period - centre) ** 2) / (2 * width**2))
    return total


def _at_rate(response: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    """A response for signals of a lower rate: all periods of its spectrum added."""
    return np.asarray(response.reshape(2**level, -1).sum(axis=0))


# --- paths ---------------------------------------------------------------------------------------


def _paths(x: Array, layout: Layout, tree: _Tree, averages: bool) -> Iterator[Array]:
    """The coefficients of all paths, in order, each of the shape (..., paths, times)."""
    xp, length = array_namespace(x), layout.length
    dtype = xp.complex64 if x.dtype == xp.float32 else xp.complex128
    spectrum = xp.fft.fft(xp.astype(extended(x, layout), dtype), axis=-1)
    spectrum = _precise(spectrum, x)[..., None, :]
    low = _response(0.0, _WIDTH / 2**tree.levels, length)
    finish = _Finish(layout, tree.levels, low, averages)
    yield finish(spectrum, 0) if averages else x[..., None, :]
    second: list[Array] = []
    for parent, children in zip(tree.first, tree.children, strict=True):
        level = parent.level if averages else 0
        response = _response(parent.centre, parent.width, length)
        modulus = _modulus(spectrum, [response], level)
        yield finish(modulus, level)
        second += _children(modulus, level, [tree.second[k] for k in children], finish)
    yield from second


def _children(
    modulus: Array, level: int, children: Sequence[_Filter], finish: _Finish
) -> Iterator[Array]:
    """The coefficients of the second order with one parent."""
    for child in children:
        response = _response(child.centre, child.width, finish.layout.length)
        rate = child.level if finish.averages else 0
        yield finish(_modulus(modulus, [_at_rate(response, level)], rate - level), rate)


def _modulus(spectrum: Array, responses: Sequence[NDArray[Any]], halvings: int) -> Array:
    """The spectrum of the modulus of filtered signals, at a rate that is halved several times."""
    xp = array_namespace(spectrum)
    products = spectrum * _as_array(np.stack(responses), spectrum)
    rows = xp.abs(xp.fft.ifft(_folded(products, halvings), axis=-1))
    return _precise(xp.fft.fft(xp.astype(rows, spectrum.dtype), axis=-1), spectrum)


def _folded(spectrum: Array, halvings: int) -> Array:
    """The spectrum of every ``2**halvings``-th sample."""
    if not halvings:
        return spectrum
    xp, factor = array_namespace(spectrum), 2**halvings
    shape = (*spectrum.shape[:-1], factor, spectrum.shape[-1] // factor)
    return xp.sum(xp.reshape(spectrum, shape), axis=-2) / factor


class _Finish(NamedTuple):
    """The last step of each path: averages at the lowest rate, or the moduli themselves."""

    layout: Layout
    levels: int
    low: NDArray[np.float64]
    averages: bool

    def __call__(self, spectrum: Array, level: int) -> Array:
        xp, layout = array_namespace(spectrum), self.layout
        if self.averages:
            spectrum = spectrum * _as_array(_at_rate(self.low, level), spectrum)
            spectrum = _folded(spectrum, self.levels - level)
        step = 2**self.levels if self.averages else 1
        rows = xp.real(xp.fft.ifft(spectrum, axis=-1))
        rows = xp.astype(rows, real_dtype(spectrum, xp))
        start = layout.before // step
        return rows[..., start : start + -(-layout.n // step)]


def _as_array(values: NDArray[Any], like: Array) -> Array:
    xp = array_namespace(like)
    return xp.asarray(values, dtype=like.dtype, device=device_of(like))


def _precise(spectrum: Array, like: Array) -> Array:
    """A spectrum in the precision of the signal: NumPy before 2.0 computes in double."""
    xp = array_namespace(like)
    dtype = xp.complex64 if real_dtype(like, xp) == xp.float32 else xp.complex128
    return spectrum if spectrum.dtype == dtype else xp.astype(spectrum, dtype)


def _table(tree: _Tree) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The order and the frequencies of each path."""
    pairs = [
        (parent.centre, tree.second[k].centre)
        for parent, children in zip(tree.first, tree.children, strict=True)
        for k in children
    ]
    rows = [(np.nan, np.nan), *((each.centre, np.nan) for each in tree.first), *pairs]
    order = [0, *[1] * len(tree.first), *[2] * len(pairs)]
    return np.asarray(order), np.asarray(rows)
