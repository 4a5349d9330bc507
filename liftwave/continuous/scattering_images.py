"""Scattering of images: averages of moduli of oriented wavelets, of two orders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, is_complex, open_array
from liftwave._numbers import flag, items, positive_number
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import Array, ArrayLike
from liftwave.continuous.extension import Layout, extended
from liftwave.continuous.fourier import arrays_at_once, inverse, spectra_of
from liftwave.continuous.scattering_image_filters import (
    Wavelets,
    angles_of,
    bank_of,
    low_pass_of,
)
from liftwave.errors import (
    AxisError,
    AxisTypeError,
    DTypeError,
    LevelError,
    OptionError,
    ShapeError,
)

_MOST_LEVELS, _MOST_ANGLES = 20, 256

_PLANE = (-2, -1)

# Numbers of spectra that are filtered at a time.
_MOST_NUMBERS = 1 << 19


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
    r"""Scattering transform of images: features that small shifts of an image hardly change.

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
        axes. Without averages, the moduli have the size of the image. Default True.
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
            f"J={levels} averages over 2**{levels} pixels, but the image has {sizes[0]} x "
            f"{sizes[1]}"
        )
    opened = open_array(array)
    if is_complex(opened.array):
        raise DTypeError(f"scattering needs real images, got {opened.array.dtype}")
    image = opened.xp.moveaxis(opened.array, plane, _PLANE)
    layouts = _layout(sizes[0], levels), _layout(sizes[1], levels)
    transform = _Transform(layouts, levels, angles, averages)
    parts = list(transform.paths(image, highest))
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


# --- paths ---------------------------------------------------------------------------------------


class _Transform(NamedTuple):
    """The transform of images of one size."""

    layouts: tuple[Layout, Layout]
    levels: int
    angles: int
    averages: bool

    @property
    def shape(self) -> tuple[int, int]:
        """The size of the extended image."""
        return self.layouts[0].length, self.layouts[1].length

    def paths(self, x: Array, order: int) -> Iterator[Array]:
        """The coefficients of all paths, in order: arrays (..., paths, rows, columns)."""
        wide, xp = x, array_namespace(x)
        for layout, axis in zip(self.layouts, _PLANE, strict=True):
            wide = xp.moveaxis(extended(xp.moveaxis(wide, axis, -1), layout), -1, axis)
        yield self._finished(wide[..., None, :, :], 0)
        spectrum = spectra_of(wide, _PLANE)
        second: list[Array] = []
        for level in range(self.levels):
            moduli = self._moduli(spectrum, 0, level)
            yield self._finished(moduli, level)
            if order == 2 and level + 1 < self.levels:
                spectra = spectra_of(moduli, _PLANE)
                step = arrays_at_once(_MOST_NUMBERS, tuple(spectrum.shape), 1 << 2 * level)
                for first in range(0, self.angles, step):
                    last = min(first + step, self.angles)
                    second.append(self._children(spectra[..., first:last, :, :], level))
        yield from second

    def _children(self, spectra: Array, level: int) -> Array:
        """The coefficients of the second order of several moduli, one after the other."""
        lowers = range(level + 1, self.levels)
        parts = [self._finished(self._moduli(spectra, level, lower), lower) for lower in lowers]
        xp = array_namespace(spectra)
        both = xp.stack(parts, axis=-4)
        *batch, parents, levels, angles, height, width = both.shape
        return xp.reshape(both, (*batch, parents * levels * angles, height, width))

    def _moduli(self, spectrum: Array, level: int, lower: int) -> Array:
        """The moduli of images that are filtered by wavelets of all angles, at their rate."""
        is_numpy = type(spectrum) is np.ndarray
        dtype = spectrum.dtype.name if is_numpy else "float64"
        bank = bank_of(self.shape, self.levels, self.angles, self.averages, dtype)
        products = _numpy_products if is_numpy else _products
        images = inverse(products(spectrum, bank[lower, level]), _PLANE)
        return array_namespace(images).abs(images)

    def _finished(self, images: Array, level: int) -> Array:
        """Averages at the lowest rate, or the moduli themselves, without the extension."""
        if self.averages:
            return _averaged(images, self.shape, self.levels, level)
        rows, columns = self.layouts
        images = images[..., rows.before : rows.before + rows.n, :]
        return images[..., columns.before : columns.before + columns.n]


def _numpy_products(spectra: NDArray[Any], wavelets: Wavelets) -> NDArray[Any]:
    """The spectra of filtered images at a lower rate: the sums of blocks of the products.

    They have a new axis before the last two.
    """
    responses = wavelets.responses
    height, width = (n // wavelets.factor for n in spectra.shape[-2:])
    shape = (*spectra.shape[:-2], responses.shape[0], height, width)
    result = np.zeros(shape, spectra.dtype)
    bins = spectra * spectra.real.dtype.type(height * width)
    for angle, block in wavelets.blocks:
        result[..., angle, :, :] += bins[(..., *block)] * responses[(angle, *block)]
    return result


def _products(spectra: Array, wavelets: Wavelets) -> Array:
    """As :func:`_numpy_products`, for any library."""
    xp, factor = array_namespace(spectra), wavelets.factor
    products = spectra[..., None, :, :] * _as_array(wavelets.responses, spectra)
    *batch, height, width = products.shape
    height, width = height // factor, width // factor
    blocks = xp.reshape(products, (*batch, factor, height, factor, width))
    return xp.sum(blocks, axis=(-4, -2)) * (height * width)


def _averaged(images: Array, shape: tuple[int, int], levels: int, level: int) -> Array:
    """The averages of images of some rate: a Gaussian is a product of both axes."""
    xp = array_namespace(images)
    rows, columns = (
        [_as_array(part, images) for part in low_pass_of(n, levels, level)] for n in shape
    )
    parts = [
        xp.matmul(xp.matmul(left, images), xp.matrix_transpose(right))
        for left, right in zip(rows, columns, strict=False)
    ]
    return parts[0] - parts[1] if len(parts) > 1 else parts[0]


def _as_array(values: NDArray[Any], like: Array) -> Array:
    xp = array_namespace(like)
    return xp.asarray(values, dtype=like.dtype, device=device_of(like))


def _table(
    levels: int, angles: int, order: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The order, the scales and the angles of each path."""
    first = [(level, angle) for level in range(levels) for angle in angles_of(angles)]
    pairs = [(one, two) for one in first for two in first if order == 2 and two[0] > one[0]]
    none = (-1, math.nan)
    paths = [(none, none), *((one, none) for one in first), *pairs]
    scales, turns = (np.asarray([[w[k] for w in path] for path in paths]) for k in (0, 1))
    counts = [0, *[1] * len(first), *[2] * len(pairs)]
    return np.asarray(counts), scales, turns
