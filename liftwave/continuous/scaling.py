"""Exact values of scaling functions and wavelets at dyadic points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave._arrays.convert import zeros
from liftwave._arrays.host import as_numpy
from liftwave._numbers import whole_number
from liftwave._typing import Array
from liftwave.errors import LevelError, LevelTypeError, OptionError, WaveletError
from liftwave.transforms.dwt import dwt, idwt
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import WaveletLike, resolve_wavelet
from liftwave.wavelets.taps import is_concrete, reversed_taps

# Functions of 2**24 points for each unit of length take 128 MiB for each tap.
_HIGHEST = 24

# The sum rules of dmey, which approximates an infinite filter, hold up to 6e-4.
_TOLERANCE = 1e-3


def scaling_function(
    wavelet: WaveletLike, level: int = 8, *, of: Literal["synthesis", "analysis"] = "synthesis"
) -> tuple[Array, Array, Array]:
    r"""Return exact values of a scaling function and a wavelet at dyadic points.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
        A discrete wavelet. Its taps can be tensors with gradients.
    level : int, optional
        The points are multiples of ``2**-level``. From 0 to 24.
    of : {"synthesis", "analysis"}, optional
        Whether to use the synthesis filters, or the reversed analysis filters. For orthogonal
        wavelets both are the same.

    Returns
    -------
    phi, psi, x : array, shape ((length - 1) * 2**level + 1,)
        Scaling function and wavelet at the points ``x`` from 0 to ``length - 1``, the length of the
        filters. In the library and the dtype of the taps; NumPy's float64 for numbers.

    Raises
    ------
    WaveletError
        If the low-pass filter has no scaling function: the sums of its even and of its odd taps
        are not both :math:`1 / \sqrt 2`, or its values at integers are not determined (as for
        the analysis filters of ``"bior2.2"``, whose function is not bounded).
    LevelError
        If the level is out of range.

    See Also
    --------
    wavefun : PyWavelets' approximation by the cascade algorithm.

    Notes
    -----
    With the taps :math:`h_k` and :math:`g_k`, the functions satisfy

    .. math:: \varphi(x) = \sqrt 2 \sum_k h_k \varphi(2x - k), \qquad
              \psi(x) = \sqrt 2 \sum_k g_k \varphi(2x - k)

    The values at integers are an eigenvector of these equations with the sum 1. The values between
    follow from them, level by level [1]_. At jumps, as in the function of ``haar``, the value is
    the limit from the right.

    References
    ----------
    .. [1] I. Daubechies and J. C. Lagarias, "Two-scale difference equations II", SIAM J. Math.
       Anal. 23, 1031-1079, 1992.

    Examples
    --------
    >>> import liftwave as lw
    >>> phi, psi, x = lw.scaling_function("db2", level=1)
    >>> x.tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    >>> (phi.round(6) + 0.0).tolist()  # (1 + sqrt(3)) / 2 at 1, (1 - sqrt(3)) / 2 at 2
    [0.0, 0.933013, 1.366025, 0.0, -0.366025, 0.066987, 0.0]
    """
    depth = whole_number(level, "level must be an integer", LevelTypeError)
    if not 0 <= depth <= _HIGHEST:
        raise LevelError(f"level must be from 0 to {_HIGHEST}, got {depth}")
    if not isinstance(of, str) or of not in ("synthesis", "analysis"):
        raise OptionError(f"of must be 'synthesis' or 'analysis', got {of!r}")
    low, high = _filters(resolve_wavelet(wavelet), of == "synthesis")
    xp = array_namespace(low)
    phi = _at_integers(low)
    for k in range(depth):
        phi = _interleaved(phi, _refined(phi, low, 1 << k)[1::2])
    psi = _refined(phi, high, 1 << depth)[::2]
    x = xp.arange(phi.shape[0], dtype=phi.dtype, device=device_of(phi)) / (1 << depth)
    return phi, psi, x


def _refined(phi: Array, taps: Array, step: int) -> Array:
    """The sums of the shifted function, at points of half the distance."""
    xp, count = array_namespace(phi), taps.shape[0]
    total: Any = None
    for k in range(count):
        before = zeros((k * step,), phi, xp)
        after = zeros(((count - 1 - k) * step,), phi, xp)
        shifted = taps[k] * xp.concat([before, phi, after])
        total = shifted if total is None else total + shifted
    return sqrt(2.0) * total


def _interleaved(values: Array, between: Array) -> Array:
    """The values, interleaved with the values between them."""
    xp = array_namespace(values)
    pairs = xp.reshape(xp.stack([values[:-1], between], axis=1), (-1,))
    return xp.concat([pairs, values[-1:]])


def _at_integers(low: Array) -> Array:
    """The values of the scaling function at integers.

    Raises
    ------
    WaveletError
        If the filter does not determine them.
    """
    xp, values = array_namespace(low), as_numpy(low)
    _check_sums(values)
    used = np.flatnonzero(values)
    first, last = int(used[0]), int(used[-1])  # zeros at the ends shift the function
    n = last - first
    if n < 1:
        raise WaveletError(f"a low-pass filter needs at least two taps, got {values.tolist()}")
    # Row i is the equation for the value at i. They add up to 0, so the first can be replaced.
    taps = sqrt(2.0) * low[first : last + 1]
    zero = zeros((1,), low, xp)
    padded = xp.concat([taps, zero])
    index = 2 * np.arange(n)[:, None] - np.arange(n)
    index[(index < 0) | (index > n)] = n + 1
    flat = xp.asarray(index.ravel(), dtype=xp.int64, device=device_of(low))
    matrix = xp.reshape(xp.take(padded, flat, axis=0), (n, n))
    sums = xp.ones((1, n), dtype=low.dtype, device=device_of(low))
    identity = xp.eye(n, dtype=low.dtype, device=device_of(low))
    equations = xp.concat([sums, (matrix - identity)[1:, :]])
    _check_determined(equations, values)
    right = xp.concat([sums[0, :1], zeros((n - 1,), low, xp)])
    inside = xp.linalg.solve(equations, right[:, None])[:, 0]
    after = zeros((low.shape[0] - first - n,), low, xp)
    return xp.concat([zeros((first,), low, xp), inside, after])


def _check_sums(values: Any) -> None:
    sums = [float(values[k::2].sum()) for k in (0, 1)]
    if not np.allclose(sums, 0.5**0.5, rtol=0, atol=_TOLERANCE):
        raise WaveletError(
            "the low-pass filter has no scaling function: its even and its odd taps must both have "
            f"the sum 1 / sqrt(2) = 0.7071, got {sums[0]:.6g} and {sums[1]:.6g}"
        )


def _check_determined(equations: Array, values: Any) -> None:
    """Raise if several functions satisfy the equations."""
    if np.linalg.cond(as_numpy(equations)) > 1e12:
        raise WaveletError(
            "the low-pass filter does not determine the values of a scaling function at integers: "
            f"{values.tolist()}"
        )


# --- filters -------------------------------------------------------------------------------------


def _filters(wavelet: FilterBank | LiftingScheme, of_synthesis: bool) -> tuple[Array, Array]:
    """The low-pass and the high-pass filter as arrays."""
    if isinstance(wavelet, LiftingScheme):
        if not wavelet.is_concrete:
            return _learned_filters(wavelet, of_synthesis)
        wavelet = wavelet.to_filter_bank()
    low, high = (
        wavelet.filter_bank[2:] if of_synthesis else map(reversed_taps, wavelet.filter_bank[:2])
    )
    return _as_array(low), _as_array(high)


def _as_array(taps: Any) -> Array:
    return np.asarray(taps) if is_concrete(taps) else taps


def _learned_filters(scheme: LiftingScheme, of_synthesis: bool) -> tuple[Array, Array]:
    """The filters of learned steps, from the responses of the transform to impulses."""
    arrays = [t for t in (*(s.taps for s in scheme.steps), *scheme.scale) if hasattr(t, "dtype")]
    like, length = arrays[0], _concrete(scheme).to_filter_bank().dec_len
    xp = array_namespace(like)
    half = length // 2
    # Long enough that the response does not overlap with its periodic repetition.
    eye = xp.eye(2 * length, dtype=like.dtype, device=device_of(like))
    if of_synthesis:
        impulse, none = eye[length // 2, :length], zeros((length,), like, xp)
        start = 2 * (length // 2) - half + 1
        low = idwt(impulse, none, scheme, "periodization")
        high = idwt(none, impulse, scheme, "periodization")
        return low[start : start + length], high[start : start + length]
    approx, detail = dwt(eye[length : length + 2, :], scheme, "periodization")
    return _reversed_filter(approx, length), _reversed_filter(detail, length)


def _reversed_filter(responses: Array, length: int) -> Array:
    """The reversed analysis filter from the responses to impulses at two neighbouring samples."""
    xp = array_namespace(responses)
    taps: Sequence[Array] = []
    for j in reversed(range(length)):
        offset = (j - length // 2) % 2  # the impulse with this tap in its response
        taps = [*taps, responses[offset, (j - length // 2 + length + offset) // 2]]
    return xp.stack(taps)


def _concrete(scheme: LiftingScheme) -> LiftingScheme:
    """The scheme with numbers in place of arrays."""
    steps = tuple(
        replace(step, taps=step.taps if is_concrete(step.taps) else as_numpy(step.taps))
        for step in scheme.steps
    )
    low, high = (float(as_numpy(f)) if hasattr(f, "dtype") else f for f in scheme.scale)
    return replace(scheme, steps=steps, scale=(low, high))
