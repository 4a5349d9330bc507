"""Scattering of images: averages of moduli of oriented wavelets, of two orders."""

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
from liftwave._numbers import flag, items, positive_number
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import Array, ArrayLike
from liftwave.continuous.extension import Layout, extended
from liftwave.errors import (
    AxisError,
    AxisTypeError,
    DTypeError,
    LevelError,
    OptionError,
    ShapeError,
)

_MOST_LEVELS, _MOST_ANGLES = 20, 256

# Kymatio's constants: its Gaussians are divided by this number in place of pi.
_PI, _WIDTH, _FREQUENCY = 3.1415, 0.8, 3 * math.pi / 4

_PLANE = (-2, -1)


class ImageScattering(NamedTuple):
    """Scattering coefficients of images and their paths.

    Attributes
    ----------
    coefficients : array, shape (..., paths, height, width)
        The coefficients: one of order 0, then those of order 1 and 2.
    order : ndarray of int, shape (paths,)
        The number of wavelets of each path.
    scales : ndarray of int, shape (paths, 2)
        The scale of each of its wavelets, from 0 to ``J - 1``; -1 for missing ones.
    angles : ndarray, shape (paths, 2)
        The angle of each of its wavelets from the axis of rows, in radians; NaN for missing ones.
    """

    coefficients: Array
    order: NDArray[np.int64]
    scales: NDArray[np.int64]
    angles: NDArray[np.float64]


def scattering2d(
    x: ArrayLike,
    J: int,
    L: int = 8,
    *,
    order: int = 2,
    average: bool = True,
    axes: Sequence[int] = (-2, -1),
) -> ImageScattering:
    r"""Scattering transform of images: features that do not change if an image moves a little.

    Parameters
    ----------
    x : array_like, shape (..., height, width)
        Real images, arrays of any library.
    J : int
        Averages are over ``2**J`` pixels. At least 1; ``2**J`` is at most the height and width.
    L : int, optional
        The number of angles. Default 8.
    order : {1, 2}, optional
        The highest order. Default 2.
    average : bool, optional
        Whether the moduli are averaged and reduced to one value for each ``2**J`` pixels along both
        axes. Without, the moduli have the size of the image. Default True.
    axes : (int, int), optional
        The axes of rows and columns. Default (-2, -1).

    Returns
    -------
    ImageScattering
        Coefficients of shape (..., paths, height // 2**J, width // 2**J), with the order, the
        scales and the angles of each path.

    Raises
    ------
    LevelError, ShapeError, OptionError, DTypeError, AxisError
        If an argument is not valid.

    Notes
    -----
    The coefficients are :math:`x * \phi`, :math:`|x * \psi_1| * \phi` and
    :math:`||x * \psi_1| * \psi_2| * \phi` with Morlet wavelets of ``J`` scales and ``L`` angles
    [1]_. The wavelets of the second order have larger scales. Filters, padding by reflection and
    sampling rates are those of kymatio [2]_.

    References
    ----------
    .. [1] J. Bruna and S. Mallat, "Invariant scattering convolution networks", IEEE Trans. Pattern
       Anal. Mach. Intell. 35, 1872-1886, 2013.
    .. [2] M. Andreux et al., "Kymatio: scattering transforms in Python", J. Mach. Learn. Res. 21,
       2020.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> rows = np.cos(0.8 * np.arange(32.0))[:, None] * np.ones(32)
    >>> s = lw.scattering2d(rows, J=3)
    >>> s.coefficients.shape
    (217, 4, 4)
    >>> first = s.coefficients[s.order == 1].mean(axis=(-2, -1))
    >>> float(s.angles[s.order == 1][first.argmax(), 0])  # waves along the axis of rows
    0.0
    """
    array = as_array(x)
    levels, angles, highest, averages = check_image_scattering(J, L, order, average)
    plane = _checked_axes(axes, array.ndim)
    sizes = [array.shape[axis] for axis in plane]
    if min(sizes) < 1 << levels:
        raise ShapeError(
            f"J={levels} averages over 2**{levels} pixels, the image has {sizes[0]} x {sizes[1]}"
        )
    opened = open_array(array)
    if is_complex(opened.array):
        raise DTypeError(f"scattering is for real images, got {opened.array.dtype}")
    image = opened.xp.moveaxis(opened.array, plane, _PLANE)
    layouts = _layout(sizes[0], levels), _layout(sizes[1], levels)
    transform = _Transform(layouts, levels, angles, averages)
    parts = [opened.xp.expand_dims(part, axis=-3) for part in transform.paths(image, highest)]
    coefficients = opened.close(opened.xp.concat(parts, axis=-3))
    return ImageScattering(coefficients, *_table(levels, angles, highest))


def check_image_scattering(J: Any, L: Any, order: Any, average: Any) -> tuple[int, int, int, bool]:
    """The options of a scattering transform of images.

    Raises
    ------
    LevelError, OptionError, ArgumentTypeError
        If one is not valid.
    """
    levels, angles = positive_number(J, "J", LevelError), positive_number(L, "L", OptionError)
    highest = positive_number(order, "order", OptionError)
    if levels > _MOST_LEVELS:
        raise LevelError(f"J must be at most {_MOST_LEVELS}, got {J!r}")
    if highest > 2:
        raise OptionError(f"order must be 1 or 2, got {order!r}")
    if angles > _MOST_ANGLES:
        raise OptionError(f"L must be at most {_MOST_ANGLES} angles, got {L!r}")
    return levels, angles, highest, flag(average, "average")


def _checked_axes(axes: Any, ndim: int) -> tuple[int, int]:
    demand = "axes must be the axes of rows and columns"
    pair = items(axes, demand, AxisTypeError)
    if len(pair) != 2:
        raise AxisError(f"{demand}, got {axes!r}")
    rows, columns = (normalize_axis(axis, ndim) for axis in pair)
    if rows == columns:
        raise AxisError(f"{demand}, got the same axis twice: {axes!r}")
    return rows, columns


def _layout(n: int, levels: int) -> Layout:
    """One axis of an image in its extension, which is one step longer at both ends."""
    step = 2**levels
    length = ((n + step) // step + 1) * step
    return Layout(n, (length - n) // 2, length, "reflect")


# --- filters -------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _response(shape: tuple[int, int], level: int, angle: float, angles: int) -> NDArray[np.float64]:
    """The Fourier transform of an oriented wavelet."""
    frequency, width = _FREQUENCY / 2**level, _WIDTH * 2**level
    wave = (frequency * math.cos(angle), frequency * math.sin(angle))
    matrix = _spread(width, angle, 4 / angles)
    around, low = _gaussian(shape, wave, matrix), _gaussian(shape, (0.0, 0.0), matrix)
    return np.asarray(around - around[0, 0] / low[0, 0] * low)


@lru_cache(maxsize=16)
def _low_pass(shape: tuple[int, int], levels: int) -> NDArray[np.float64]:
    width = _WIDTH * 2 ** (levels - 1)
    return _gaussian(shape, (0.0, 0.0), _spread(width, 0.0, 1.0))


def _spread(width: float, angle: float, slant: float) -> NDArray[np.float64]:
    """The inverse covariance of a Gaussian of frequency, which is a covariance of positions."""
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    return np.asarray(turn @ np.diag([1, slant**-2]) @ turn.T * width**2)


def _gaussian(
    shape: tuple[int, int], centre: tuple[float, float], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A Gaussian of frequency, repeated with the sampling rate."""
    total = np.zeros(shape)
    # Further periods are below the rounding error.
    spreads = 9 * np.sqrt(np.diag(np.linalg.inv(matrix)))
    axes = [
        [2 * np.pi * (np.fft.fftfreq(n) + k) - mu for k in _periods(mu, spread)]
        for n, mu, spread in zip(shape, centre, spreads, strict=True)
    ]
    for rows in axes[0]:
        for columns in axes[1]:
            cross = 2 * matrix[0, 1] * rows[:, None] * columns
            squares = matrix[0, 0] * rows[:, None] ** 2 + matrix[1, 1] * columns**2
            total += np.exp(-(squares + cross) / 2)
    return total * (math.pi / _PI)


def _periods(centre: float, spread: float) -> range:
    """The periods whose Gaussian reaches the frequencies from -pi to pi."""
    first = math.ceil((centre - spread) / (2 * math.pi) - 0.5)
    return range(first, math.floor((centre + spread) / (2 * math.pi) + 0.5) + 1)


def _at_rate(response: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    """The low frequencies of a response, for images of a lower rate."""
    if not level:
        return response
    for axis in (0, 1):
        n, short = response.shape[axis], response.shape[axis] >> level
        inside = np.ones(n, bool)
        inside[short // 2 : short // 2 + n - short] = False
        response = np.compress(inside, response, axis=axis)
    return response


# --- paths ---------------------------------------------------------------------------------------


class _Transform(NamedTuple):
    """The transform of images of one size."""

    layouts: tuple[Layout, Layout]
    levels: int
    angles: int
    averages: bool

    def paths(self, x: Array, order: int) -> Iterator[Array]:
        """The coefficients of all paths, in order."""
        wide = x
        for layout, axis in zip(self.layouts, _PLANE, strict=True):
            xp = array_namespace(x)
            wide = xp.moveaxis(extended(xp.moveaxis(wide, axis, -1), layout), -1, axis)
        spectrum = _transformed(wide)
        yield self._finished(spectrum, 0) if self.averages else x
        second: list[Array] = []
        for level in range(self.levels):
            for angle in _angles(self.angles):
                modulus = self._modulus(spectrum, 0, level, angle)
                yield self._finished(modulus, level)
                if order == 2:
                    second += self._children(modulus, level)
        yield from second

    def _children(self, modulus: Array, level: int) -> Iterator[Array]:
        """The coefficients of the second order with one parent."""
        for lower in range(level + 1, self.levels):
            for angle in _angles(self.angles):
                yield self._finished(self._modulus(modulus, level, lower, angle), lower)

    def _modulus(self, spectrum: Array, level: int, lower: int, angle: float) -> Array:
        """The spectrum of the modulus of filtered images, at the rate of the wavelet."""
        xp = array_namespace(spectrum)
        shape = self.layouts[0].length, self.layouts[1].length
        response = _response(shape, lower, angle, self.angles)
        if self.averages:
            product = spectrum * _as_array(_at_rate(response, level), spectrum)
            product = _folded(product, lower - level)
        else:
            product = spectrum * _as_array(response, spectrum)
        return _transformed(xp.abs(_precise(xp.fft.ifftn(product, axes=_PLANE), spectrum)))

    def _finished(self, spectrum: Array, level: int) -> Array:
        """The average at the lowest rate, or the modulus itself, without the extension."""
        xp = array_namespace(spectrum)
        if not self.averages:
            rows, columns = self.layouts
            image = xp.real(_precise(xp.fft.ifftn(spectrum, axes=_PLANE), spectrum))
            image = image[..., rows.before : rows.before + rows.n, :]
            return image[..., columns.before : columns.before + columns.n]
        shape = self.layouts[0].length, self.layouts[1].length
        low = _at_rate(_low_pass(shape, self.levels), level)
        product = _folded(spectrum * _as_array(low, spectrum), self.levels - level)
        image = xp.real(_precise(xp.fft.ifftn(product, axes=_PLANE), spectrum))
        return image[..., 1:-1, 1:-1]


def _angles(count: int) -> list[float]:
    return [(int(count - count / 2 - 1) - t) * math.pi / count for t in range(count)]


def _transformed(x: Array) -> Array:
    """The spectrum of real images, in their precision."""
    xp = array_namespace(x)
    dtype = xp.complex64 if x.dtype == xp.float32 else xp.complex128
    complex_image = xp.astype(x, dtype)
    return _precise(xp.fft.fftn(complex_image, axes=_PLANE), complex_image)


def _folded(spectrum: Array, halvings: int) -> Array:
    """The spectrum of every ``2**halvings``-th pixel along both axes."""
    if not halvings:
        return spectrum
    xp, factor = array_namespace(spectrum), 2**halvings
    *batch, height, width = spectrum.shape
    shape = (*batch, factor, height // factor, factor, width // factor)
    return xp.mean(xp.reshape(spectrum, shape), axis=(-4, -2))


def _as_array(values: NDArray[Any], like: Array) -> Array:
    xp = array_namespace(like)
    return xp.asarray(values, dtype=like.dtype, device=device_of(like))


def _precise(x: Array, like: Array) -> Array:
    """A complex array in the precision of another: NumPy before 2.0 computes in double."""
    xp = array_namespace(like)
    dtype = xp.complex64 if real_dtype(like, xp) == xp.float32 else xp.complex128
    return x if x.dtype == dtype else xp.astype(x, dtype)


def _table(
    levels: int, angles: int, order: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The order, the scales and the angles of each path."""
    first = [(level, angle) for level in range(levels) for angle in _angles(angles)]
    pairs = [(one, two) for one in first for two in first if order == 2 and two[0] > one[0]]
    none = (-1, math.nan)
    paths = [(none, none), *((one, none) for one in first), *pairs]
    scales, turns = (np.asarray([[w[k] for w in path] for path in paths]) for k in (0, 1))
    counts = [0, *[1] * len(first), *[2] * len(pairs)]
    return np.asarray(counts), scales, turns
