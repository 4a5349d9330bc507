r"""Lifting schemes from free parameters: perfect reconstruction whatever they are.

Symmetric steps give symmetric (linear-phase) filters. The zero sums of the high-pass filters are
conditions on sums of taps: a constant signal has even samples :math:`a` and odd samples :math:`b`
throughout, beginning with (1, 1); a predict step of taps that sum to S makes :math:`b` into
:math:`b + S a`, an update step :math:`a` into :math:`a + S b`. The last predict step leaves no
detail of it if :math:`S = -b/a`. An alternating signal goes the same way from (1, -1); the last
update step leaves no approximation :math:`u` of it, beside odd samples :math:`v`, if
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
from liftwave._typing import Array, ArrayLike
from liftwave.constraints._filters import check_real
from liftwave.constraints.step_sums import pull, solve
from liftwave.errors import ConstraintError, ShapeError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep, StepKind
from liftwave.wavelets.resolve import WaveletLike

_KINDS: tuple[StepKind, StepKind] = ("predict", "update")

# How far a wavelet's table may be from a condition: its constants have 16 digits, or 12.
_TABLE_ERROR = 1e-9


def free_lifting(
    taps: Sequence[ArrayLike],
    *,
    first: StepKind = "predict",
    scale: tuple[Any, Any] = (1.0, 1.0),
    name: str = "",
) -> LiftingScheme:
    """A lifting scheme of any taps: predict and update steps in turn, centred.

    Parameters
    ----------
    taps : sequence of array_like, each of shape (r,)
        The taps of each step. Arrays of torch, CuPy or another library are kept as they are, so
        that gradients flow into them.
    first : {'predict', 'update'}, optional
        The kind of the first step.
    scale : (float, float), optional
        As for :class:`LiftingScheme`.
    name : str, optional
        A name for ``repr``.

    Returns
    -------
    LiftingScheme
        It reconstructs for all taps. A predict step of r taps reads the even samples from
        ``(r - 1) // 2`` before to ``r // 2`` after, an update step the odd ones from
        ``r // 2`` before.

    Raises
    ------
    ConstraintError
        If ``first`` is another word.
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
    steps = []
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
    r"""A lifting scheme of symmetric steps: linear phase and perfect reconstruction.

    Parameters
    ----------
    taps : sequence of array_like, each of shape (r,)
        For each step one half of its taps, from the middle outwards; the other half mirrors it.
        Steps that a zero sum determines have one tap fewer, without that in the middle.
    first : {'predict', 'update'}, optional
        The kind of the first step; predict and update steps take turns.
    zero_sum : bool, optional
        Whether constants are to give no detail: the analysis high-pass sums to zero. It determines
        the middle taps of the last predict step.
    dual_zero_sum : bool, optional
        Whether alternating signals are to give no approximation: the synthesis high-pass sums to
        zero. It determines the middle taps of the last update step.
    sign : {-1, 1}, optional
        The product of both scales. The low-pass sums to :math:`\sqrt 2`.
    name : str, optional
        A name for ``repr``.

    Returns
    -------
    LiftingScheme
        With symmetric filters of odd length, whatever the taps are; in the library of the taps,
        and gradients flow back to them.

    Raises
    ------
    ConstraintError
        If a zero sum is wanted and there is no step that it could determine, a step that nothing
        determines has no taps, ``first`` or ``sign`` is something else, or the taps make it
        impossible: the low-pass, or what a condition divides by, sums to zero.
    ShapeError
        If the taps of a step are not one-dimensional.
    ArgumentTypeError
        If they are complex, or arrays of different libraries.

    Notes
    -----
    The module's text has the two conditions. With two steps they say that the predict taps sum to
    -1 and the update taps to 1/2, so that the shortest scheme, which has no free taps, is CDF 5/3.

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
    """The free taps of a wavelet whose lifting steps are symmetric.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
        ``bior`` and ``rbio`` of orders 2.2 to 2.8, 4.4, 5.5 and 6.8 are symmetric, for instance.
    zero_sum, dual_zero_sum : bool, optional
        As for :func:`symmetric_lifting`.

    Returns
    -------
    list of ndarray
        What :func:`symmetric_lifting` makes the same scheme of, given its first step's kind as
        ``first`` and the sign of the product of its scales as ``sign``.

    Raises
    ------
    ConstraintError
        If the steps are not symmetric, or a sum is not zero that is to be.
    WaveletError
        If it is no wavelet that has a lifting scheme.

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
        raise ConstraintError(f"the steps of {scheme!r} do not take turns: {scheme}")
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
    """:func:`symmetric_lifting`, and what takes gradients of the scheme to those of the taps.

    The pullback takes the gradients of each step's taps, and of both scales.
    """
    problem = _Symmetric(taps, first, zero_sum, dual_zero_sum, sign)
    return problem.scheme(name), problem.pullback


# --- what it is made of --------------------------------------------------------------------------


class _Symmetric:
    """The arguments of :func:`symmetric_lifting`, validated, and the sums that follow."""

    def __init__(
        self,
        taps: Sequence[ArrayLike],
        first: StepKind,
        zero_sum: bool,
        dual_zero_sum: bool,
        sign: int,
    ) -> None:
        if sign not in (-1, 1):
            raise ConstraintError(f"sign must be 1 or -1, got {sign!r}")
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
        self.sums = solve(xp, self.kinds, self.free, one)

    def scheme(self, name: str) -> LiftingScheme:
        """The scheme of these taps and sums."""
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
        """Gradients in the scheme's taps and scales to those in the free halves."""
        folded = [self._folded(g) for g in of_taps]
        zero = 0.0 * self.sums.gain
        of_totals = [
            0.5 * half[0] if k in self.determined else zero for k, half in enumerate(folded)
        ]
        low, high = of_scale
        of_gain = self.sign / sqrt(2.0) * high - sqrt(2.0) / self.sums.gain**2 * low
        complete = pull(self.sums, self.kinds, self.free, of_totals, of_gain)
        return [
            self.close(half[1:] - half[0] if k in self.determined else half + 2.0 * total)
            for k, (half, total) in enumerate(zip(folded, complete, strict=True))
        ]

    def _folded(self, gradient: Array) -> Array:
        """The gradient of one half: both halves hold it."""
        reach = gradient.shape[0] // 2
        return gradient[reach:] + self.xp.flip(gradient[:reach])


def _opened(taps: Sequence[ArrayLike], determined: frozenset[int]) -> list[Opened]:
    """The taps in one library and dtype; empty lists join whatever library the others are of."""
    arrays = [t for t in taps if is_array(t)]
    like = arrays[0] if arrays else np.empty(0)
    empty = zeros((0,), like, array_namespace(like))
    opened = open_arrays([t if is_array(t) or len(t) else empty for t in taps])
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
    if first not in _KINDS:
        raise ConstraintError(f"first must be 'predict' or 'update', got {first!r}")
    start = _KINDS.index(first)
    return [_KINDS[(start + k) % 2] for k in range(count)]


def _determined(kinds: Sequence[StepKind], zero_sum: bool, dual_zero_sum: bool) -> frozenset[int]:
    """Numbers of the steps whose middle taps follow from the others."""
    found = set()
    for wanted, kind, what in (
        (zero_sum, "predict", "zero_sum"),
        (dual_zero_sum, "update", "dual_zero_sum"),
    ):
        if wanted and kind not in kinds:
            raise ConstraintError(f"{what} determines the last {kind} step, but there is none")
        if wanted:
            found.add(max(k for k, other in enumerate(kinds) if other == kind))
    return frozenset(found)


def _half(step: LiftingStep, scheme: LiftingScheme) -> NDArray[np.float64]:
    """The taps of a symmetric step from the middle outwards."""
    taps, reach = np.asarray(step.taps), step.length // 2
    centred = step.length % 2 == 0 and step.offset == (step.kind == "predict") - reach
    if not centred or not np.array_equal(taps, taps[::-1]):
        raise ConstraintError(
            f"{scheme!r} is not made of symmetric steps: a step is {step}. Symmetric are the "
            "wavelets bior and rbio of orders 2.2 to 2.8, 4.4, 5.5 and 6.8"
        )
    return taps[reach:]
