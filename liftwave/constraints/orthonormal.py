r"""Orthonormal filters by construction: the rotation lattice as a map from angles to filters.

:mod:`liftwave.wavelets.lifting.lattice` has the factorization and its source. This module computes
the low-pass from the output side, in the array library of the angles. There the low-pass is a row
of two polynomials. Each rotation rotates the row, and each delay lengthens it by one. The opposite
angle undoes a rotation, so the backward pass only stores the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import Opened, open_array, zeros
from liftwave._numbers import flag, items, whole_number
from liftwave._plan.lengths import check_size
from liftwave._typing import Array, ArrayLike, Namespace
from liftwave.constraints.terms import (
    check_real,
    cotangent_like,
    generator,
    mirror,
    mirror_transposed,
    require_possible,
)
from liftwave.errors import (
    ConstraintError,
    ConstraintTypeError,
    ShapeError,
)
from liftwave.wavelets.filter_bank import FilterBank


def orthonormal_lowpass(angles: ArrayLike, *, zero_sum: bool = True) -> Array:
    r"""Return the low-pass of an orthonormal filter bank from the angles of its rotation lattice.

    Parameters
    ----------
    angles : array_like, shape (..., N - 1), or (..., N) without ``zero_sum``
        In radians, starting at the input side; one filter for each row.
    zero_sum : bool, optional
        Whether to append the angle :math:`t_N = \pi/4 - \sum_{k<N} t_k`, for which the high-pass
        sums to zero and the low-pass to :math:`\sqrt 2`. Default True.

    Returns
    -------
    array, shape (..., 2N)
        The synthesis low-pass ``rec_lo``, in the library, dtype and device of the angles. The
        analysis low-pass is its reverse.

    Raises
    ------
    ShapeError
        If there are no angles (without ``zero_sum``), or they are a single number.
    ArgumentTypeError
        If they are complex.

    Notes
    -----
    Every choice of angles gives filters that are orthonormal up to rounding, and every orthonormal
    filter of 2N taps has such angles [1]_: it is a product of rotations :math:`R(t_k)` and delays
    :math:`D`. The derivative with respect to an angle has norm 1, for all angles and any number of
    them. Therefore gradients neither vanish nor explode.

    References
    ----------
    .. [1] P. P. Vaidyanathan and P.-Q. Hoang, "Lattice structures for optimal design and robust
       implementation of two-channel perfect-reconstruction QMF banks", IEEE Trans. ASSP 36, 1988.

    Examples
    --------
    >>> from math import pi
    >>> from liftwave.constraints import orthonormal_lowpass
    >>> orthonormal_lowpass([-pi / 6]).round(6).tolist()  # db2
    [0.482963, 0.836516, 0.224144, -0.12941]
    >>> orthonormal_lowpass([]).round(6).tolist()  # Haar
    [0.707107, 0.707107]
    """
    opened, all_angles = _all_angles(angles, zero_sum)
    return opened.close(_interleaved(opened.xp, *_lattice_row(opened.xp, all_angles)))


def orthonormal_filters(
    angles: ArrayLike, *, zero_sum: bool = True, symmetric: bool = False
) -> FilterBank:
    r"""Return the orthonormal filter bank of lattice angles, which always reconstructs perfectly.

    Parameters
    ----------
    angles : array_like, shape (N - 1,), or (N,) without ``zero_sum``
        As for :func:`orthonormal_lowpass`. For arrays of torch, CuPy or another library, the
        filters are arrays of that library, and are differentiable with respect to the angles.
    zero_sum : bool, optional
        Whether the high-pass sums to zero (and the low-pass to :math:`\sqrt 2`), which determines
        one angle. Default True.
    symmetric : bool, optional
        Whether to demand symmetric filters as well. Only Haar's are symmetric. Default False.

    Returns
    -------
    FilterBank
        With 2N taps and PyWavelets' signs and alignment:
        :math:`\mathtt{rec\_hi}_i = (-1)^i\, \mathtt{rec\_lo}_{2N-1-i}`, and the analysis filters
        are the synthesis filters reversed.

    Raises
    ------
    ConstraintError
        If ``symmetric`` is true and there are more than two taps: no such filters exist.
    ShapeError
        If the angles are not one-dimensional, or there are none (without ``zero_sum``).
    ArgumentTypeError
        If they are complex.

    Examples
    --------
    >>> import liftwave as lw
    >>> from liftwave.constraints import orthonormal_filters
    >>> bank = orthonormal_filters([0.3, -1.2, 0.7])
    >>> bank.dec_len, bank.orthogonal
    (8, True)
    >>> bool(abs(sum(bank.dec_hi)) < 1e-15)
    True
    """
    low = orthonormal_lowpass(angles, zero_sum=zero_sum)
    if low.ndim != 1:
        raise ShapeError(
            f"the angles of a FilterBank must be a 1-D array, got filters of shape {low.shape}: "
            "use orthonormal_lowpass for many filters at once"
        )
    both = flag(symmetric, "symmetric")
    require_possible(low.shape[0], ["orthonormal", "symmetric"] if both else ["orthonormal"])
    return orthonormal_bank(low)


def random_orthonormal_filters(
    length: int, seed: int | np.random.Generator | None = None, *, zero_sum: bool = True
) -> FilterBank:
    r"""Return a random orthonormal filter bank, as the start of a training.

    The lattice angles are drawn uniformly from :math:`[-\pi, \pi)`. This is LDW-Pooling's
    "pretrain": filters that satisfy the constraints before training on data.

    Parameters
    ----------
    length : int
        Number of taps, even.
    seed : int or numpy.random.Generator, optional
        For :func:`numpy.random.default_rng`.
    zero_sum : bool, optional
        As for :func:`orthonormal_filters`.

    Returns
    -------
    FilterBank

    Raises
    ------
    ConstraintError
        If ``length`` is odd or less than 2.

    Examples
    --------
    >>> from liftwave.constraints import random_orthonormal_filters
    >>> bank = random_orthonormal_filters(6, seed=0)
    >>> bank.orthogonal
    True
    """
    count = lattice_size(length) - flag(zero_sum, "zero_sum")
    check_size("the filters", (length,))
    angles = generator(seed).uniform(-pi, pi, count)
    return orthonormal_filters(angles, zero_sum=zero_sum)


def lattice_size(length: int) -> int:
    """Return the number of rotations of orthonormal filters with ``length`` taps."""
    length = whole_number(length, "length must be an integer", ConstraintTypeError)
    if length < 2 or length % 2:
        raise ConstraintError(
            f"orthonormal filters must have an even number of taps, at least 2, got {length}"
        )
    return length // 2


def lowpass_vjp(angles: ArrayLike, *, zero_sum: bool = True) -> tuple[Array, Any]:
    """Return the value of :func:`orthonormal_lowpass`, and its pullback."""
    opened, all_angles = _all_angles(angles, zero_sum)
    xp = opened.xp
    row = _lattice_row(xp, all_angles)
    low = opened.close(_interleaved(xp, *row))

    def pullback(cotangent: ArrayLike) -> tuple[Array, ...]:
        weights = cotangent_like(cotangent, all_angles, tuple(low.shape), "the cotangent")
        gradient = _angle_gradient(xp, all_angles, row, _deinterleaved(xp, weights))
        if zero_sum:
            gradient = gradient[..., :-1] - gradient[..., -1:]
        return (opened.close(gradient),)

    return low, pullback


def orthonormal_bank(low: Array) -> FilterBank:
    """Return the bank of an orthonormal ``rec_lo``."""
    xp: Any = array_namespace(low)
    high = mirror(low)
    return FilterBank(xp.flip(low, axis=-1), xp.flip(high, axis=-1), low, high)


def gradient_in_lowpass(gradients: Sequence[Array | None], zero: Array) -> Array:
    """The gradient with respect to ``low`` from those of :func:`orthonormal_bank`; None is zero."""
    xp: Any = array_namespace(zero)
    demand = "the cotangent of a FilterBank must be a FilterBankGradient or four arrays"
    filters = items(gradients, demand)
    if len(filters) != 4:
        raise ShapeError(f"{demand}, got {len(filters)} arrays")
    shape, name = tuple(zero.shape), "the cotangent of a filter"
    dec_lo, dec_hi, rec_lo, rec_hi = (
        zero if g is None else cotangent_like(g, zero, shape, name) for g in filters
    )
    of_low, of_high = rec_lo + xp.flip(dec_lo, axis=-1), rec_hi + xp.flip(dec_hi, axis=-1)
    return of_low + mirror_transposed(of_high)


# --- the lattice ---------------------------------------------------------------------------------


def _all_angles(angles: ArrayLike, zero_sum: bool) -> tuple[Opened, Array]:
    """Convert the angles, and append the last one if it is determined by a zero sum."""
    zero_sum = flag(zero_sum, "zero_sum")
    opened = open_array(angles)
    check_real(opened, "angles")
    free, xp = opened.array, opened.xp
    if free.ndim == 0 or (free.shape[-1] == 0 and not zero_sum):
        raise ShapeError(
            f"angles must be an array of at least one axis, with at least {1 - zero_sum} angles "
            f"along its last axis, got shape {tuple(free.shape)}"
        )
    if not zero_sum:
        return opened, free
    last = pi / 4 - xp.sum(free, axis=-1, keepdims=True)
    return opened, xp.concat([free, last], axis=-1)


def _lattice_row(xp: Namespace, angles: Array) -> tuple[Array, Array]:
    """Return the row ``(1, 0) R(t_N) D … D R(t_1)``: two polynomials of N coefficients."""
    c, s = xp.cos(angles), xp.sin(angles)
    first, second = c[..., -1:], s[..., -1:]
    zero = zeros((*angles.shape[:-1], 1), angles, xp)
    for k in range(angles.shape[-1] - 2, -1, -1):
        a, b = xp.concat([first, zero], axis=-1), xp.concat([zero, second], axis=-1)
        ck, sk = c[..., k : k + 1], s[..., k : k + 1]
        first, second = ck * a - sk * b, sk * a + ck * b
    return first, second


def _angle_gradient(
    xp: Namespace, angles: Array, row: tuple[Array, Array], cotangents: tuple[Array, Array]
) -> Array:
    """Undo the rotations one by one, on the row and on its cotangents, and collect gradients."""
    c, s = xp.cos(angles), xp.sin(angles)
    (first, second), (of_first, of_second) = row, cotangents
    gradients = []
    for k in range(angles.shape[-1]):
        turn = of_second * first - of_first * second
        gradients.append(xp.sum(turn, axis=-1, keepdims=True))
        ck, sk = c[..., k : k + 1], s[..., k : k + 1]
        first, second = ck * first + sk * second, ck * second - sk * first
        of_first, of_second = ck * of_first + sk * of_second, ck * of_second - sk * of_first
        first, second = first[..., :-1], second[..., 1:]
        of_first, of_second = of_first[..., :-1], of_second[..., 1:]
    return xp.concat(gradients, axis=-1)


def _interleaved(xp: Namespace, first: Array, second: Array) -> Array:
    """Return the filter ``rec_lo`` of a row of its even and odd taps in reverse order."""
    pairs = xp.stack([xp.flip(first, axis=-1), xp.flip(second, axis=-1)], axis=-1)
    return xp.reshape(pairs, (*first.shape[:-1], 2 * first.shape[-1]))


def _deinterleaved(xp: Namespace, low: Array) -> tuple[Array, Array]:
    """Invert (and transpose) :func:`_interleaved`."""
    return xp.flip(low[..., 0::2], axis=-1), xp.flip(low[..., 1::2], axis=-1)
