"""Steps that change the data before denoising, and undo the change after it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import pi, sqrt
from typing import NamedTuple

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from liftwave._arrays.convert import namespace_of
from liftwave._typing import Array


class Step(NamedTuple):
    """A change of the data, and its inverse.

    Attributes
    ----------
    apply : callable
        Returns the changed data.
    undo : callable
        Returns data of the original kind.
    """

    apply: Callable[[Array], Array]
    undo: Callable[[Array], Array]


def opponent_colours(axis: int) -> Step:
    """Mixes the channels along an axis to orthonormal opponent channels.

    The matrix is that of the discrete cosine transform. It maps red, green and blue to brightness,
    the difference of red and blue, and that of green and their mean. White noise of equal strength
    stays white.
    """

    def mixed(x: Array, inverse: bool) -> Array:
        xp = namespace_of(x)
        matrix = _cosines(x.shape[axis])
        matrix = xp.asarray(matrix.T if inverse else matrix, dtype=x.dtype, device=device(x))
        return xp.moveaxis(xp.tensordot(x, matrix, axes=((axis,), (1,))), -1, axis)

    return Step(lambda x: mixed(x, False), lambda x: mixed(x, True))


@lru_cache(maxsize=16)
def _cosines(n: int) -> NDArray[np.float64]:
    """The orthonormal matrix of the discrete cosine transform."""
    rows, columns = np.arange(n)[:, None], np.arange(n)
    matrix = sqrt(2 / n) * np.cos(pi * rows * (2 * columns + 1) / (2 * n))
    matrix[0] /= sqrt(2)
    return matrix


def anscombe(gain: float, read_noise: float) -> Step:
    """Transforms counts of photons so that their noise has the standard deviation 1.

    ``x`` is ``gain`` times a Poisson variable plus normal noise of standard deviation
    ``read_noise``.
    """
    offset = 3 / 8 + (read_noise / gain) ** 2

    def apply(x: Array) -> Array:
        xp = namespace_of(x)
        return 2 * xp.sqrt(_positive(x / gain + offset))

    def undo(y: Array) -> Array:
        """Mäkitalo and Foi's closed form of the exact unbiased inverse."""
        xp = namespace_of(y)
        least = 2 * sqrt(3 / 8)
        d = xp.where(y > least, y, xp.full_like(y, least))
        root = sqrt(3 / 2)
        counts = d**2 / 4 + root / (4 * d) - 11 / (8 * d**2) + 5 * root / (8 * d**3) - 1 / 8
        return gain * _positive(counts - (read_noise / gain) ** 2)

    return Step(apply, undo)


def _positive(x: Array) -> Array:
    xp = namespace_of(x)
    return xp.where(x > 0, x, xp.zeros_like(x))


# --- Haar-Fisz -----------------------------------------------------------------------------------


def haar_fisz(axes: tuple[int, ...], shape: tuple[int, ...], gain: float) -> Step:
    """Divides the details of means by the square root of the mean (Fryzlewicz and Nason, 2004).

    The noise of counts then has the standard deviation 1. Mirror images extend the lengths to
    powers of two.
    """
    longer = tuple(a for a in axes if shape[a] > 1)
    box = tuple(slice(n) for n in shape)

    def apply(x: Array) -> Array:
        x = _positive(x / gain)
        for axis in longer:
            x = _to_power_of_two(x, axis)
        return _fisz(x, longer, forwards=True)

    def undo(y: Array) -> Array:
        return gain * _positive(_fisz(y, longer, forwards=False))[box]

    return Step(apply, undo)


def _to_power_of_two(x: Array, axis: int) -> Array:
    """Extend by mirror images after the end."""
    n, xp = x.shape[axis], namespace_of(x)
    places = np.arange(1 << (n - 1).bit_length())
    places = np.where(places < n, places, 2 * n - 1 - places)
    return xp.take(x, xp.asarray(places, device=device(x)), axis=axis)


def _fisz(x: Array, axes: tuple[int, ...], *, forwards: bool) -> Array:
    """Multiply or divide the deviations from the mean of blocks of two, level by level."""
    axes = tuple(a for a in axes if x.shape[a] > 1)
    if not axes:
        return x
    xp = namespace_of(x)
    means = x
    for axis in axes:
        means = _pairs(means, axis, xp)
    coarse = _fisz(means, axes, forwards=forwards)
    counts = means if forwards else coarse
    root = xp.sqrt(_positive(counts))
    factor = xp.where(root > 0, root, xp.ones_like(root))
    factor = 1 / factor if forwards else xp.where(root > 0, root, xp.zeros_like(root))
    for axis in axes:
        means, coarse, factor = (xp.repeat(part, 2, axis=axis) for part in (means, coarse, factor))
    return coarse + (x - means) * factor


def _pairs(x: Array, axis: int, xp: object) -> Array:
    """The means of pairs along an axis."""
    index = [slice(None)] * x.ndim
    halves = []
    for start in (0, 1):
        index[axis] = slice(start, None, 2)
        halves.append(x[tuple(index)])
    return (halves[0] + halves[1]) / 2
