"""Plans of separable transforms: what is done along each axis, and in which order undone."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from liftwave._plan.arguments import modes_per_axis
from liftwave._plan.axis import band_lengths, check_lifting_mode, fitting_length, signal_length
from liftwave._plan.boundary import MODES
from liftwave._typing import Mode, ModeLike, Modes
from liftwave.errors import ShapeError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved, WaveletLike, Wavelets, wavelets_per_axis


@dataclass(frozen=True)
class AxisPlan:
    """What is done along one axis."""

    axis: int
    wavelet: Resolved
    mode: Mode


class AxisPlans(tuple[AxisPlan, ...]):
    """The plans of all axes, and what was worked out from them for shapes seen before.

    Attributes
    ----------
    kept : dict
        Levels by shape (see ``_levels.py``); it goes when the plans go.
    integer : bool or None
        Whether the transform runs in integers; None until it is asked for.
    plain : bool
        Whether all taps are numbers and samples are floats: then there is nothing to check about
        taps, and nothing to convert about plain arrays.
    """

    kept: dict[Any, Any]
    integer: bool | None
    plain: bool

    def __new__(cls, plans: Iterable[AxisPlan] = ()) -> AxisPlans:
        made = super().__new__(cls, plans)
        made.kept, made.integer = {}, None
        made.plain = all(_in_numbers(plan.wavelet) for plan in made)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return AxisPlans, (tuple(self),)


def _in_numbers(wavelet: Resolved) -> bool:
    return wavelet.is_concrete and not (isinstance(wavelet, LiftingScheme) and wavelet.integer)


def axis_plans(axes: tuple[int, ...], wavelet: Wavelets, mode: Modes) -> AxisPlans:
    """Wavelets and modes, validated and dealt out to the axes.

    Where all are given by name, the same arguments give the same object.
    """
    if _named(wavelet) and _named(mode, MODES):
        return _named_plans(axes, wavelet, mode)
    return _made_plans(axes, wavelet, mode)


def axis_plan(axis: int, wavelet: WaveletLike, mode: ModeLike) -> AxisPlans:
    """The plan of one axis: neither wavelet nor mode may be a sequence."""
    if type(wavelet) is str and mode in MODES:
        return _named_plans((axis,), (wavelet,), (mode,))
    return _made_plans((axis,), (wavelet,), (mode,))


def _named(given: Any, known: Container[str] | None = None) -> bool:
    """Whether plain strings are given (old names of modes are not kept: each use is warned of)."""
    names = given if type(given) is tuple else (given,)
    for name in names:
        if type(name) is not str or (known is not None and name not in known):
            return False
    return True


def _made_plans(axes: tuple[int, ...], wavelet: Wavelets, mode: Modes) -> AxisPlans:
    wavelets = wavelets_per_axis(wavelet, len(axes))
    modes = modes_per_axis(mode, len(axes))
    return AxisPlans(AxisPlan(*each) for each in zip(axes, wavelets, modes, strict=True))


_named_plans = lru_cache(maxsize=512)(_made_plans)


def check_lengths(shape: tuple[int, ...], plans: tuple[AxisPlan, ...], level: int) -> None:
    """Walk all levels' lengths, so that whatever cannot be is raised before any work."""
    lengths = list(shape)
    # Even a transform of no level has to reject a mode that its wavelet does not know.
    for plan in plans:
        if isinstance(plan.wavelet, LiftingScheme):
            check_lifting_mode(plan.wavelet, plan.mode)
    for depth in range(1, level + 1):
        for plan in plans:
            what = f"axis {plan.axis} of shape {shape} at level {depth}"
            lengths[plan.axis], _ = band_lengths(lengths[plan.axis], plan.wavelet, plan.mode, what)


@dataclass(frozen=True)
class Merge:
    """One synthesis along one axis: bands ``key + 'a'`` and ``key + 'd'`` become band ``key``.

    The shapes are those of the two bands, also where a band is missing (zero).
    """

    key: str
    plan: AxisPlan
    shapes: tuple[tuple[int, ...], tuple[int, ...]]


def plan_merges(
    shapes: dict[str, tuple[int, ...]], plans: tuple[AxisPlan, ...]
) -> tuple[list[Merge], tuple[int, ...]]:
    """The merges that synthesise one level from bands of these shapes, and the result's shape.

    Parameters
    ----------
    shapes : dict
        The shapes of the bands that are there; at least one.
    plans : tuple of AxisPlan
        The axes in the order of the keys' letters.

    Raises
    ------
    ShapeError
        If the bands' shapes do not belong together.
    """
    merges: list[Merge] = []
    for depth in range(len(plans) - 1, -1, -1):
        plan, merged = plans[depth], {}
        for key in sorted({key[:depth] for key in shapes}):
            pair = _pair_shapes(key, shapes, plan.axis)
            merges.append(Merge(key, plan, pair))
            n_approx, n_detail = (shape[plan.axis] for shape in pair)
            n = signal_length(n_approx, n_detail, plan.wavelet, plan.mode)
            merged[key] = with_length(pair[0], plan.axis, n)
        shapes = merged
    return merges, shapes[""]


def _pair_shapes(
    key: str, shapes: dict[str, tuple[int, ...]], axis: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of a band and its sibling; a missing one is sized after the other bands."""
    pair = [shapes.get(key + letter) for letter in "ad"]
    known = pair[0] or pair[1]
    assert known is not None  # the key came from one of them
    for index, letter in enumerate("ad"):
        if pair[index] is None:
            lengths = {s[axis] for k, s in shapes.items() if k[len(key)] == letter}
            length = lengths.pop() if len(lengths) == 1 else known[axis]
            pair[index] = with_length(known, axis, length)
    a, d = cast(tuple[tuple[int, ...], tuple[int, ...]], tuple(pair))
    if with_length(a, axis, 0) != with_length(d, axis, 0):
        raise ShapeError(
            f"`coeffs` must all be of equal size (or None): bands {key + 'a'!r} and {key + 'd'!r} "
            f"have shapes {a} and {d}, which differ beside axis {axis}"
        )
    return a, d


def with_length(shape: tuple[int, ...], axis: int, length: int) -> tuple[int, ...]:
    """The shape with another length along one axis."""
    return (*shape[:axis], length, *shape[axis + 1 :])


def fitting_shape(
    approx: tuple[int, ...], details: dict[str, tuple[int, ...]], plans: tuple[AxisPlan, ...]
) -> tuple[int, ...]:
    """The part of a reconstructed approximation that belongs with a level's details."""
    for index, plan in enumerate(plans):
        lengths = {key[index]: shape[plan.axis] for key, shape in details.items()}
        n = approx[plan.axis]
        if "d" in lengths:
            n = fitting_length(n, lengths["d"], plan.wavelet, plan.mode)
        elif "a" in lengths:
            n = fitting_length(n, lengths["a"], plan.wavelet, "periodization")
        approx = with_length(approx, plan.axis, n)
    return approx
