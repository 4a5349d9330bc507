r"""Penalties for learned filters, which are zero for the filters of wavelets.

Each penalty is a sum of *terms*. A term has a value and a function that computes its gradient.
Libraries with automatic differentiation use the value only. For other libraries
:func:`liftwave.constraints.vjp` calls the gradient.
"""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import Literal, TypeAlias, get_args

from liftwave._arrays.convert import Opened
from liftwave._numbers import flag, is_one_of
from liftwave._typing import Array, ArrayLike
from liftwave.constraints.terms import (
    Penalty,
    TermOf,
    both_norms,
    mirror_image,
    mirrored_taps,
    norm_and_sum,
    open_filters,
    own_shifts,
    require_possible,
)
from liftwave.errors import ConstraintError

Symmetry: TypeAlias = Literal["linear-phase", "paper"]


def lowpass_penalty(lowpass: ArrayLike) -> Array:
    r"""Return the deviation of a low-pass from unit energy and from the sum :math:`\sqrt 2`.

    .. math:: L_{low} = \Bigl(\sum_i l_i^2 - 1\Bigr)^2 + \Bigl(\sum_i l_i - \sqrt 2\Bigr)^2

    (equation (9) of [1]_).

    Parameters
    ----------
    lowpass : array_like, shape (..., K)
        The filter :math:`l`, or one in each row; the order of its taps has no effect.

    Returns
    -------
    array, shape (...)
        The penalty of each filter.

    Raises
    ------
    ShapeError
        If there are no taps.
    ArgumentTypeError
        If the taps are complex.

    References
    ----------
    .. [1] B.-S. Wang et al., "Learnable Discrete Wavelet Pooling (LDW-Pooling) for
       Convolutional Networks", 2022.

    Examples
    --------
    >>> from liftwave.constraints import lowpass_penalty
    >>> float(lowpass_penalty([1.0, 1.0]).round(6))
    1.343146
    """
    return lowpass_terms(lowpass).value


def highpass_penalty(highpass: ArrayLike) -> Array:
    r"""Return the deviation of a high-pass from unit energy and from the sum 0.

    .. math:: L_{high} = \Bigl(\sum_i h_i^2 - 1\Bigr)^2 + \Bigl(\sum_i h_i\Bigr)^2

    (equation (10) of the paper that :func:`lowpass_penalty` names).

    Parameters
    ----------
    highpass : array_like, shape (..., K)
        The filter :math:`h`, or one in each row; the order of its taps has no effect.

    Returns
    -------
    array, shape (...)
        The penalty of each filter.

    Raises
    ------
    ShapeError, ArgumentTypeError
        As for :func:`lowpass_penalty`.

    Examples
    --------
    >>> from liftwave.constraints import highpass_penalty
    >>> float(highpass_penalty([1.0, -1.0]))
    1.0
    """
    return highpass_terms(highpass).value


def reversibility_penalty(lowpass: ArrayLike, highpass: ArrayLike) -> Array:
    r"""Return the deviation of the sum of both filters' energies from 2.

    .. math:: L_{reverse} = \Bigl(\sum_i l_i^2 + \sum_i h_i^2 - 2\Bigr)^2

    (equation (11) of the paper that :func:`lowpass_penalty` names).

    Parameters
    ----------
    lowpass, highpass : array_like, shape (..., K)
        The filters :math:`l` and :math:`h`, or a pair of them in each row.

    Returns
    -------
    array, shape (...)
        The penalty of each pair.

    Raises
    ------
    ShapeError
        If there are no taps, or the two shapes differ.
    ArgumentTypeError
        If the taps are complex, or the two are arrays of different libraries.

    Notes
    -----
    Despite its name, the penalty does not make the transform reversible. For more than two taps,
    all equations (9) to (12) together do not either. Use :func:`orthonormality_penalty`.

    Examples
    --------
    >>> from liftwave.constraints import reversibility_penalty
    >>> float(reversibility_penalty([1.0, 1.0], [1.0, -1.0]))
    4.0
    """
    return reversibility_terms(lowpass, highpass).value


def symmetry_penalty(
    lowpass: ArrayLike, highpass: ArrayLike, *, symmetry: Symmetry = "linear-phase"
) -> Array:
    r"""Return the deviation of the filters from linear phase.

    .. math:: L_{sym} = \sum_{i < \lfloor K/2 \rfloor} (l_i - l_{K-1-i})^2
              + (h_i - \sigma\, h_{K-1-i})^2

    (equation (12) of the paper that :func:`lowpass_penalty` names, which writes
    :math:`W(K - i)` for the mirrored tap).

    Parameters
    ----------
    lowpass, highpass : array_like, shape (..., K)
        The filters :math:`l` and :math:`h`, or a pair of them in each row.
    symmetry : {'linear-phase', 'paper'}, optional
        For even K, ``'linear-phase'`` (default) requires an antisymmetric high-pass,
        :math:`\sigma = -1`, as banks with a symmetric low-pass have that reconstruct. ``'paper'``
        requires a symmetric high-pass, as in the equation of the paper. For odd K, both require
        :math:`\sigma = 1`.

    Returns
    -------
    array, shape (...)
        The penalty of each pair.

    Raises
    ------
    ConstraintError
        If ``symmetry`` has another value.
    ShapeError, ArgumentTypeError
        As for :func:`reversibility_penalty`.

    Notes
    -----
    For even K, ``'paper'`` contradicts the other penalties. Two symmetric taps that sum to zero
    are zero. More than two can be symmetric and sum to zero, but no such bank reconstructs.

    Examples
    --------
    >>> from liftwave.constraints import symmetry_penalty
    >>> float(symmetry_penalty([1.0, 1.0], [1.0, -1.0]))
    0.0
    >>> float(symmetry_penalty([1.0, 1.0], [1.0, -1.0], symmetry="paper"))
    4.0
    """
    return symmetry_terms(lowpass, highpass, symmetry=symmetry).value


def orthonormality_penalty(lowpass: ArrayLike, highpass: ArrayLike | None = None) -> Array:
    r"""Return the deviation of the filters from an orthonormal bank, which reconstructs perfectly.

    .. math:: L_{orth} = \sum_{m \ge 0} \Bigl(\sum_i l_i\, l_{i+2m} - \delta_m\Bigr)^2
              + \sum_i \bigl(h_i - (-1)^i\, l_{K-1-i}\bigr)^2

    Parameters
    ----------
    lowpass : array_like, shape (..., K)
        The filter :math:`l`, or one in each row, in the order of taps of ``rec_lo``.
    highpass : array_like, shape (..., K), optional
        The filter :math:`h`, in the order of taps of ``rec_hi``. By default the second sum is
        omitted.

    Returns
    -------
    array, shape (...)
        The penalty of each pair. It is zero if and only if
        ``FilterBank(l[::-1], h[::-1], l, h)`` is orthonormal.

    Raises
    ------
    ShapeError, ArgumentTypeError
        As for :func:`reversibility_penalty`.

    Notes
    -----
    The first sum is zero if the low-pass is orthogonal to its own shifts by two. The second sum is
    zero if the high-pass is the mirror image of the low-pass with alternating signs ([1]_, section
    5.1). Filters of odd length are padded with one zero tap. Use :func:`orthonormal_filters` for a
    bank that is orthonormal at every step of the training.

    References
    ----------
    .. [1] I. Daubechies, *Ten Lectures on Wavelets*, SIAM, 1992.

    Examples
    --------
    >>> import pywt
    >>> from liftwave.constraints import orthonormality_penalty
    >>> db4 = pywt.Wavelet("db4")
    >>> bool(orthonormality_penalty(db4.rec_lo, db4.rec_hi) < 1e-20)
    True
    >>> float(orthonormality_penalty([1.0, 1.0]))
    1.0
    """
    return orthonormality_terms(lowpass, highpass).value


def wavelet_penalty(
    lowpass: ArrayLike,
    highpass: ArrayLike,
    *,
    symmetry: Symmetry | None = "linear-phase",
    orthonormal: bool = False,
) -> Array:
    r"""Return the sum of the penalties of LDW-Pooling.

    .. math:: L_{wavelet} = L_{low} + L_{high} + L_{reverse} + L_{sym}

    (equation (13) of the paper that :func:`lowpass_penalty` names).

    Parameters
    ----------
    lowpass, highpass : array_like, shape (..., K)
        The filters :math:`l` and :math:`h`, or a pair of them in each row.
    symmetry : {'linear-phase', 'paper', None}, optional
        As for :func:`symmetry_penalty`; None omits that term.
    orthonormal : bool, optional
        Whether to add :func:`orthonormality_penalty`. Default False.

    Returns
    -------
    array, shape (...)
        The penalty of each pair.

    Raises
    ------
    ConstraintError
        If ``symmetry`` has another value, or if the arguments require both orthonormal and
        symmetric filters of more than two taps, which do not exist (Daubechies, *Ten Lectures on
        Wavelets*, theorem 8.1.4).
    ShapeError, ArgumentTypeError
        As for :func:`reversibility_penalty`.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.constraints import wavelet_penalty
    >>> s = 0.5**0.5
    >>> bool(wavelet_penalty([s, s], [s, -s]) < 1e-30)
    True
    """
    return wavelet_terms(lowpass, highpass, symmetry=symmetry, orthonormal=orthonormal).value


# --- terms of the penalties ----------------------------------------------------------------------

_UNIT_LOW = partial(norm_and_sum, total=sqrt(2.0))
_UNIT_HIGH = partial(norm_and_sum, total=0.0)


def lowpass_terms(lowpass: ArrayLike) -> Penalty:
    """Return the terms of :func:`lowpass_penalty`."""
    return Penalty(open_filters(lowpass=lowpass), (_UNIT_LOW, (0,)))


def highpass_terms(highpass: ArrayLike) -> Penalty:
    """Return the terms of :func:`highpass_penalty`."""
    return Penalty(open_filters(highpass=highpass), (_UNIT_HIGH, (0,)))


def reversibility_terms(lowpass: ArrayLike, highpass: ArrayLike) -> Penalty:
    """Return the terms of :func:`reversibility_penalty`."""
    filters = open_filters(lowpass=lowpass, highpass=highpass)
    return Penalty(filters, (both_norms, (0, 1)))


def symmetry_terms(
    lowpass: ArrayLike, highpass: ArrayLike, *, symmetry: Symmetry = "linear-phase"
) -> Penalty:
    """Return the terms of :func:`symmetry_penalty`."""
    filters = open_filters(lowpass=lowpass, highpass=highpass)
    return Penalty(filters, (_mirrored(symmetry, filters), (0, 1)))


def orthonormality_terms(lowpass: ArrayLike, highpass: ArrayLike | None = None) -> Penalty:
    """Return the terms of :func:`orthonormality_penalty`."""
    if highpass is None:
        return Penalty(open_filters(lowpass=lowpass), (own_shifts, (0,)))
    filters = open_filters(lowpass=lowpass, highpass=highpass)
    return Penalty(filters, (own_shifts, (0,)), (mirror_image, (0, 1)))


def wavelet_terms(
    lowpass: ArrayLike,
    highpass: ArrayLike,
    *,
    symmetry: Symmetry | None = "linear-phase",
    orthonormal: bool = False,
) -> Penalty:
    """Return the terms of :func:`wavelet_penalty`."""
    filters = open_filters(lowpass=lowpass, highpass=highpass)
    parts: list[tuple[TermOf, tuple[int, ...]]] = [
        (_UNIT_LOW, (0,)),
        (_UNIT_HIGH, (1,)),
        (both_norms, (0, 1)),
    ]
    if symmetry is not None:
        parts += [(_mirrored(symmetry, filters), (0, 1))]
    if flag(orthonormal, "orthonormal"):
        demands = ["orthonormal"] if symmetry is None else ["orthonormal", "symmetric"]
        require_possible(filters[0].array.shape[-1], demands)
        parts += [(own_shifts, (0,)), (mirror_image, (0, 1))]
    return Penalty(filters, *parts)


def check_symmetry(symmetry: str) -> None:
    """Raise unless a symmetry exists.

    Raises
    ------
    ConstraintError
        If it does not.
    """
    if not is_one_of(symmetry, get_args(Symmetry)):
        raise ConstraintError(
            f"unknown symmetry {symmetry!r}: use 'linear-phase' (a high-pass of even length is "
            "antisymmetric) or 'paper' (both filters are symmetric)"
        )


def _mirrored(symmetry: Symmetry, filters: list[Opened]) -> TermOf:
    check_symmetry(symmetry)
    even = filters[0].array.shape[-1] % 2 == 0
    return partial(mirrored_taps, antisymmetric=symmetry == "linear-phase" and even)
