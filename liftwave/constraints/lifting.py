r"""Lifting schemes from free parameters, with perfect reconstruction for all parameters.

Symmetric steps give symmetric (linear-phase) filters. High-pass filters that sum to zero are
conditions on sums of taps. A constant signal has even samples :math:`a` and odd samples :math:`b`,
at first (1, 1). A predict step whose taps sum to S changes :math:`b` to :math:`b + S a`, an update
step changes :math:`a` to :math:`a + S b`. The detail of the constant is zero if the last predict
step has :math:`S = -b/a`. An alternating signal has even samples :math:`u` and odd samples
:math:`v`, at first (1, -1). Its approximation is zero if the last update step has
:math:`S = -u/v`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from liftwave._arrays.convert import Opened, is_array, open_arrays, zeros
from liftwave._numbers import flag, is_one_of, items, whole_number
from liftwave._typing import Array, ArrayLike
from liftwave.constraints.step_sums import propagate, propagate_vjp
from liftwave.constraints.terms import check_real, cotangent_like
from liftwave.errors import ConstraintError, ConstraintTypeError, ShapeError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep, StepKind
from liftwave.wavelets.resolve import WaveletLike

_TAPS = "taps must be a sequence of arrays, one for each step"
_KINDS: tuple[StepKind, StepKind] = ("predict", "update")

# The largest error of a condition that counts as rounding of a table, which has 12 to 16 digits.
_TABLE_ERROR = 1e-9


def free_lifting(
    taps: Sequence[ArrayLike],
    *,
    first: StepKind = "predict",
    scale: tuple[Any, Any] = (1.0, 1.0),
    name: str = "",
) -> LiftingScheme:
    """Return a lifting scheme of any taps: centred predict and update steps in turn.

    Parameters
    ----------
    taps : sequence of array_like, each of shape (r,)
        The taps of each step. Arrays of torch, CuPy or another library are kept as they are, so
        that gradients flow into them.
    first : {'predict', 'update'}, optional
        The kind of the first step. Default ``'predict'``.
    scale : (float, float), optional
        As for :class:`LiftingScheme`.
    name : str, optional
        A name for ``repr``.

    Returns
    -------
    LiftingScheme
        It reconstructs for all taps. A predict step of r taps reads even samples, from
        ``(r - 1) // 2`` before the target to ``r // 2`` after it. An update step reads odd
        samples, from ``r // 2`` before the target.

    Raises
    ------
    ConstraintError
        If ``first`` has another value.
    ValueError, TypeError
        As for :class:`LiftingStep`.

    Examples
    --------
    >>> from liftwave.constraints import free_lifting
    >>> print(free_lifting([[-0.4, -0.7], [0.2, 0.3]]))
    odd[k]  += -0.4*even[k] -0.7*even[k+1]
    even[k] += 0.2*odd[k-1] +0.3*odd[k]
    approx[k] = 1*even[k]
    detail[k] = 1*odd[k]
    """
    steps, taps = [], items(taps, _TAPS)
    for kind, values in zip(_alternating(first, len(taps)), taps, strict=True):
        step = LiftingStep(kind, values)
        before = (step.length - 1) // 2 if kind == "predict" else step.length // 2
        steps.append(step.moved(-before))
    return LiftingScheme(tuple(steps), scale, name=name)


def symmetric_lifting(
    taps: Sequence[ArrayLike],
    *,
    first: StepKind = "predict",
    zero_sum: bool = True,
    dual_zero_sum: bool = True,
    sign: int = -1,
    name: str = "",
) -> LiftingScheme:
    r"""Return a lifting scheme of symmetric steps: linear phase and perfect reconstruction.

    Parameters
    ----------
    taps : sequence of array_like, each of shape (r,)
        One half of the taps of each step, from the middle outwards. The other half is its mirror
        image. Omit the middle tap of a step that a zero sum determines.
    first : {'predict', 'update'}, optional
        The kind of the first step. The kinds alternate. Default ``'predict'``.
    zero_sum : bool, optional
        Whether the analysis high-pass sums to zero, so that constants have zero detail. This
        determines the middle taps of the last predict step. Default True.
    dual_zero_sum : bool, optional
        Whether the synthesis high-pass sums to zero, so that alternating signals have zero
        approximation. This determines the middle taps of the last update step. Default True.
    sign : {-1, 1}, optional
        The product of both scales. The low-pass sums to :math:`\sqrt 2`. Default -1.
    name : str, optional
        A name for ``repr``.

    Returns
    -------
    LiftingScheme
        It has symmetric filters of odd length for all taps. Its taps are arrays of the library of
        ``taps``, and gradients flow back to these.

    Raises
    ------
    ConstraintError
        If a zero sum is required, but the step that it determines is missing; if another step has
        no taps; if ``first`` or ``sign`` has another value; or if the taps are not possible,
        because the low-pass or a divisor in a condition sums to zero.
    ShapeError
        If the taps of a step are not one-dimensional.
    ArgumentTypeError
        If they are complex, or arrays of different libraries.

    Notes
    -----
    The two zero sums are conditions on the sums of the steps' taps. For two steps, the predict
    taps sum to -1 and the update taps to 1/2. The shortest such scheme has no free taps: CDF 5/3.

    Examples
    --------
    >>> from liftwave.constraints import symmetric_lifting
    >>> print(symmetric_lifting([[], []]))  # CDF 5/3
    odd[k]  += -0.5*even[k] -0.5*even[k+1]
    even[k] += 0.25*odd[k-1] +0.25*odd[k]
    approx[k] = 1.41421*even[k]
    detail[k] = -0.707107*odd[k]
    >>> symmetric_lifting([[1 / 16], []]).steps[0].taps
    (0.0625, -0.5625, -0.5625, 0.0625)
    """
    return _Symmetric(taps, first, zero_sum, dual_zero_sum, sign).scheme(name)


def symmetric_taps(
    wavelet: WaveletLike, *, zero_sum: bool = True, dual_zero_sum: bool = True
) -> list[NDArray[np.float64]]:
    """Return the free taps of a wavelet whose lifting steps are symmetric.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
        For example ``bior`` and ``rbio`` of orders 2.2 to 2.8, 4.4, 5.5 and 6.8 are symmetric.
    zero_sum, dual_zero_sum : bool, optional
        As for :func:`symmetric_lifting`.

    Returns
    -------
    list of ndarray
        The argument of :func:`symmetric_lifting` for the same scheme. ``first`` is then the kind of
        its first step, and ``sign`` the sign of the product of its scales.

    Raises
    ------
    ConstraintError
        If the steps are not symmetric, or a required zero sum is not zero.
    WaveletError
        If the argument is not a wavelet with a lifting scheme.

    Examples
    --------
    >>> from liftwave.constraints import symmetric_lifting, symmetric_taps
    >>> taps = symmetric_taps("cdf9.7")
    >>> [half.round(6).tolist() for half in taps]
    [[-1.586134], [-0.05298], [], []]
    >>> symmetric_lifting(taps)
    LiftingScheme(4 steps, scale=(1.1496, -0.86986))
    """
    scheme = LiftingScheme.from_wavelet(wavelet)
    halves = [_half(step, scheme) for step in scheme.steps]
    first = scheme.steps[0].kind if scheme.steps else "predict"
    kinds = _alternating(first, len(halves))
    if [step.kind for step in scheme.steps] != kinds:
        raise ConstraintError(f"the steps of {scheme!r} do not alternate: {scheme}")
    determined = _determined(kinds, zero_sum, dual_zero_sum)
    free = [half[1:] if k in determined else half for k, half in enumerate(halves)]
    again = symmetric_lifting(free, first=first, zero_sum=zero_sum, dual_zero_sum=dual_zero_sum)
    miss = max(
        (abs(again.steps[k].taps[len(halves[k])] - halves[k][0]) for k in determined), default=0.0
    )
    if miss > _TABLE_ERROR:
        raise ConstraintError(
            f"the high-pass filters of {scheme!r} do not both sum to zero: a middle tap would "
            f"change by {miss:.3g}; set zero_sum or dual_zero_sum to False"
        )
    return free


def symmetric_vjp(
    taps: Sequence[ArrayLike],
    *,
    first: StepKind = "predict",
    zero_sum: bool = True,
    dual_zero_sum: bool = True,
    sign: int = -1,
    name: str = "",
) -> tuple[LiftingScheme, Callable[[Sequence[Array], Sequence[Array]], list[Array]]]:
    """Return the scheme of :func:`symmetric_lifting` and its pullback.

    The pullback maps the gradients in each step's taps and in both scales to
    the gradients in the free taps.
    """
    problem = _Symmetric(taps, first, zero_sum, dual_zero_sum, sign)
    return problem.scheme(name), problem.pullback


# --- symmetric steps -----------------------------------------------------------------------------


class _Symmetric:
    """The validated arguments of :func:`symmetric_lifting`, and the sums of the steps' taps."""

    def __init__(
        self,
        taps: Sequence[ArrayLike],
        first: StepKind,
        zero_sum: bool,
        dual_zero_sum: bool,
        sign: int,
    ) -> None:
        sign = whole_number(sign, "sign must be 1 or -1", ConstraintTypeError)
        if sign not in (-1, 1):
            raise ConstraintError(f"sign must be 1 or -1, got {sign!r}")
        taps = items(taps, _TAPS)
        self.kinds = _alternating(first, len(taps))
        self.determined = _determined(self.kinds, zero_sum, dual_zero_sum)
        self.sign = sign
        opened = _opened(taps, self.determined)
        self.halves = [o.array for o in opened]
        self.close, self.xp = opened[0].close, opened[0].xp
        xp, like = self.xp, self.halves[0]
        self.free = {
            k: 2.0 * xp.sum(half) for k, half in enumerate(self.halves) if k not in self.determined
        }
        one = xp.ones((), dtype=like.dtype, device=device(like))
        self.sums = propagate(xp, self.kinds, self.free, one)

    def scheme(self, name: str) -> LiftingScheme:
        """Return the scheme of these taps and sums."""
        steps = []
        for k, (kind, half) in enumerate(zip(self.kinds, self.halves, strict=True)):
            if k in self.determined:
                middle = 0.5 * self.sums.totals[k] - self.xp.sum(half)
                half = self.xp.concat([self.xp.reshape(middle, (1,)), half])
            whole = self.close(self.xp.concat([self.xp.flip(half), half]))
            steps.append(LiftingStep(kind, whole, (kind == "predict") - half.shape[0]))
        factor = self.sums.gain / sqrt(2.0)
        scale = (self.close(1.0 / factor), self.close(self.sign * factor))
        return LiftingScheme(tuple(steps), scale, name=name)

    def pullback(self, of_taps: Sequence[Array], of_scale: Sequence[Array]) -> list[Array]:
        """Map gradients in the scheme's taps and scales to gradients in the free halves."""
        of_taps = _several("the cotangents of the taps", of_taps, len(self.halves))
        of_scale = _several("the cotangents of the scales", of_scale, 2)
        folded = [self._folded(k, g) for k, g in enumerate(of_taps)]
        zero = 0.0 * self.sums.gain
        of_totals = [
            0.5 * half[0] if k in self.determined else zero for k, half in enumerate(folded)
        ]
        low, high = (cotangent_like(g, zero, (), "the cotangent of a scale") for g in of_scale)
        of_gain = self.sign / sqrt(2.0) * high - sqrt(2.0) / self.sums.gain**2 * low
        complete = propagate_vjp(self.sums, self.kinds, self.free, of_totals, of_gain)
        return [
            self.close(half[1:] - half[0] if k in self.determined else half + 2.0 * total)
            for k, (half, total) in enumerate(zip(folded, complete, strict=True))
        ]

    def _folded(self, k: int, gradient: Array) -> Array:
        """Return the gradient in one half of a step's taps, which the other half repeats."""
        half = self.halves[k]
        middle = int(half.shape[0]) + (k in self.determined)
        name = f"the cotangent of the taps of step {k}"
        gradient = cotangent_like(gradient, half, (2 * middle,), name)
        return gradient[middle:] + self.xp.flip(gradient[:middle])


def _several(name: str, values: Any, count: int) -> list[Any]:
    arrays = items(values, f"{name} must be a sequence of {count}")
    if len(arrays) != count:
        raise ShapeError(f"{name} must be a sequence of {count}, got {len(arrays)}")
    return arrays


def _opened(taps: Sequence[ArrayLike], determined: frozenset[int]) -> list[Opened]:
    """Convert the taps to one library and dtype; empty lists become arrays of that library."""
    if not taps:
        raise ConstraintError(f"{_TAPS}, got none")
    arrays = [t for t in taps if is_array(t)]
    like = arrays[0] if arrays else np.empty(0)
    empty = zeros((0,), like, array_namespace(like))
    opened = open_arrays([empty if isinstance(t, list | tuple) and not t else t for t in taps])
    for k, half in enumerate(opened):
        check_real(half, "taps")
        if half.array.ndim != 1:
            raise ShapeError(
                f"the taps of a step are a 1-D array, got shape {tuple(half.array.shape)}"
            )
        if half.array.shape[0] == 0 and k not in determined:
            raise ConstraintError(f"step {k} has no taps, and no condition that determines one")
    return opened


def _alternating(first: StepKind, count: int) -> list[StepKind]:
    if not is_one_of(first, _KINDS):
        raise ConstraintError(f"first must be 'predict' or 'update', got {first!r}")
    start = _KINDS.index(first)
    return [_KINDS[(start + k) % 2] for k in range(count)]


def _determined(kinds: Sequence[StepKind], zero_sum: bool, dual_zero_sum: bool) -> frozenset[int]:
    """Return the indices of the steps whose middle taps follow from the zero sums."""
    indices = set()
    demands = (
        (flag(zero_sum, "zero_sum"), "predict", "zero_sum"),
        (flag(dual_zero_sum, "dual_zero_sum"), "update", "dual_zero_sum"),
    )
    for demanded, kind, label in demands:
        if demanded and kind not in kinds:
            raise ConstraintError(f"{label} determines the last {kind} step, which is missing")
        if demanded:
            indices.add(max(k for k, other in enumerate(kinds) if other == kind))
    return frozenset(indices)


def _half(step: LiftingStep, scheme: LiftingScheme) -> NDArray[np.float64]:
    """Return the taps of a symmetric step from the middle outwards."""
    taps, middle = np.asarray(step.taps), step.length // 2
    centred = step.length % 2 == 0 and step.offset == (step.kind == "predict") - middle
    if not centred or not np.array_equal(taps, taps[::-1]):
        raise ConstraintError(
            f"{scheme!r} is not made of symmetric steps: a step is {step}. Symmetric are the "
            "wavelets bior and rbio of orders 2.2 to 2.8, 4.4, 5.5 and 6.8"
        )
    return taps[middle:]
