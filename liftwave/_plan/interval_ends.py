r"""The functions of orthonormal wavelets at the ends of a signal (mode ``"orthogonal"``).

The outputs of filters inside the signal do not change. The orthogonal complement of these filters
is a small space at each end. The low-pass and the high-pass functions of an end are an orthonormal
basis of its space.
Together with the filters inside they are an orthonormal basis of all signals, so the transform is
an orthogonal matrix: it has as many coefficients as samples, and its transpose is its inverse.

The rows :math:`T` of the filters that an end cuts off span its space, and
:math:`P = T^\top T` is the projection to it. (All shifts of both filters are an orthonormal basis
of the signals without ends. Those that lie inside the signal project to the complement.)

The low-pass functions span the projections of polynomials of the lowest degrees, so the high-pass
functions do not respond to these polynomials.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

# Each step of the purification squares the error of a projection: 4 suffice from 0.01.
_PURIFICATIONS = 4
# A vector of length 1 that is nearer to the span of other vectors than this is in the span.
_DEPENDENT = 1e-10


class End(NamedTuple):
    """The functions at one end of a signal, on the samples nearest to this end.

    Attributes
    ----------
    functions : array of shape (functions, samples)
        The functions of the end: the low-pass ones, then the high-pass ones. Each band has its
        functions in the order of the signal.
    counts : (int, int)
        The numbers of low-pass and of high-pass functions.
    rows : (array, array)
        The rows of the whole transform that are not zero on these samples, for approximation and
        detail: the functions, and the nearest filters inside the signal.
    """

    functions: Matrix
    counts: tuple[int, int]
    rows: tuple[Matrix, Matrix]

    @property
    def samples(self) -> int:
        """The number of samples that the functions read."""
        samples: int = self.functions.shape[1]
        return samples


@lru_cache(maxsize=256)
def ends(dec_lo: tuple[float, ...], dec_hi: tuple[float, ...]) -> tuple[End, End, End]:
    """The functions at the first end, and at the last one of even and of odd lengths."""
    first = _Space(dec_lo[::-1], dec_hi[::-1], 2)
    even, odd = _Space(dec_lo, dec_hi, 2), _Space(dec_lo, dec_hi, 1)
    both = len(dec_lo) // 2 - 1  # low-pass functions of the first and the last end together
    n_low = _share(first, even, both)
    return (
        _end(first, n_low, forward=False),
        _end(even, both - n_low, forward=True),
        _end(odd, both + 1 - n_low, forward=True),
    )


def _share(first: _Space, last: _Space, both: int) -> int:
    r"""The number of low-pass functions at the first end, of those at both ends.

    A constant of 1 has coefficients :math:`\sqrt 2` inside. At an end, these share the energy of
    its projection, so half of this energy is the natural number of functions. If possible, each
    end has a low-pass and a high-pass function.
    """
    lowest, highest = max(0, both - last.dimension), min(both, first.dimension)
    if highest - lowest > 1:
        lowest, highest = lowest + 1, highest - 1
    return min(max(int(first.energy / 2 + 0.5), lowest), highest)


def _end(space: _Space, n_low: int, *, forward: bool) -> End:
    """The end with this number of low-pass functions."""
    low, high = space.functions(n_low)
    rows = [np.concatenate(pair) for pair in zip(space.inside, (low, high), strict=True)]
    # A space has rows from the inside to the end, and counts samples from the end.
    low, high, *rows = (_turned(matrix, forward=forward) for matrix in (low, high, *rows))
    return End(np.concatenate([low, high]), (len(low), len(high)), (rows[0], rows[1]))


def _turned(rows: Matrix, *, forward: bool) -> Matrix:
    return np.ascontiguousarray(rows[:, ::-1] if forward else rows[::-1])


class _Space:
    """The vectors at one end that are orthogonal to all filters inside.

    Samples are counted from the end. Matrix products are sums of elementwise products, which have
    the same digits on every machine, unlike those of BLAS: coefficients can be stored on one
    machine and reconstructed on another.

    Parameters
    ----------
    low, high : tuple of float
        The filters in the order of the samples, towards the inside.
    shift : int
        The number of taps of the first filter that are beyond the end.
    """

    def __init__(self, low: Sequence[float], high: Sequence[float], shift: int) -> None:
        self.low, self.high = _cut_off(low, shift), _cut_off(high, shift)
        self.inside = _inside(low, shift), _inside(high, shift)
        self.projection = _purified(_gram(np.concatenate([self.low, self.high])))
        self.dimension = round(float(np.trace(self.projection)))

    @property
    def energy(self) -> float:
        """The energy of the projection of the constant 1."""
        return float(self.projection.sum())

    def functions(self, n_low: int) -> tuple[Matrix, Matrix]:
        """Orthonormal low-pass and high-pass functions, from the inside to the end."""
        samples = self.projection.shape[0]
        low = self._extended([], _polynomials(np.arange(samples, dtype=np.float64)), n_low)
        both = self._extended(low, chain(self.high, self.low), self.dimension)
        functions = np.reshape(both, (self.dimension, samples))
        return _sampled(functions[:n_low]), functions[n_low:]

    def _extended(
        self, basis: Sequence[Matrix], vectors: Iterable[Matrix], count: int
    ) -> list[Matrix]:
        """``count`` orthonormal vectors: the basis, and projections of further vectors."""
        result = list(basis)
        for vector in vectors:
            if len(result) == count:
                break
            residual = self._residual(vector, result)
            if residual is not None:
                result.append(residual)
        return result

    def _residual(self, vector: Matrix, basis: Sequence[Matrix]) -> Matrix | None:
        """The normalized part of the projection orthogonal to the basis, unless it is zero."""
        for _ in range(2):  # the second run removes the rounding errors of the first
            vector = (self.projection * vector).sum(axis=1)
            for other in basis:
                vector = vector - other * (other * vector).sum()
            norm = float(np.sqrt((vector * vector).sum()))
            if norm < _DEPENDENT:
                return None
            vector = vector / norm
        return vector


def _cut_off(taps: Sequence[float], shift: int) -> Matrix:
    """The filters that an end cuts off, from the inside to the end: a tap for each sample."""
    length = len(taps)
    rows = [[*taps[first:], *[0.0] * (first - shift)] for first in range(shift, length, 2)]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), length - shift)


def _inside(taps: Sequence[float], shift: int) -> Matrix:
    """The nearest filters that the end does not cut off, on the same samples."""
    samples = len(taps) - shift
    gaps = range(2 - shift, samples, 2)
    rows = [[*[0.0] * gap, *taps[: samples - gap]] for gap in gaps]
    return np.asarray(rows[::-1], dtype=np.float64).reshape(len(rows), samples)


def _gram(rows: Matrix) -> Matrix:
    return _product(rows.T, rows)


def _product(a: Matrix, b: Matrix) -> Matrix:
    columns = [(a * column).sum(axis=1) for column in b.T]
    return np.stack(columns, axis=1) if columns else np.zeros((0, 0))


def _purified(matrix: Matrix) -> Matrix:
    """The projection next to a matrix that is one up to the rounding of tables of filters."""
    for _ in range(_PURIFICATIONS):
        square = _product(matrix, matrix)
        matrix = 3 * square - 2 * _product(square, matrix)
    return matrix


def _polynomials(places: Matrix) -> Iterable[Matrix]:
    """Polynomials of degrees 0, 1, …, orthonormal on the places, with positive leading terms."""
    basis: list[Matrix] = []
    vector = np.ones_like(places)
    for _ in places:
        for other in basis * 2:  # twice, for the cancellation
            vector = vector - other * (other * vector).sum()
        vector = vector / np.sqrt((vector * vector).sum())
        basis.append(vector)
        yield vector
        vector = vector * (places - places.mean())


def _sampled(functions: Matrix) -> Matrix:
    """The functions of degrees 0, 1, … rotated so that coefficients of polynomials are smooth.

    At each end, the coefficients of a polynomial are then samples of a polynomial of its degree.
    Therefore details of coarser levels stay small.
    """
    if len(functions) < 2:
        return functions
    # From the inside to the end, the distance from the end decreases.
    places = np.arange(len(functions), dtype=np.float64)[::-1]
    return _product(np.stack(list(_polynomials(places)), axis=1), functions)
