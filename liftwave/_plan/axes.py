"""Plans of separable transforms: the wavelet and mode of each axis, and the order of merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, cast

import pywt

from liftwave._plan.arguments import (
    modes_per_axis,
    normalize_axes,
    normalize_axis,
    resolve_mode,
)
from liftwave._plan.axis import bounded
from liftwave._plan.boundary import MODES
from liftwave._plan.lengths import (
    band_lengths,
    check_interval,
    check_lifting_mode,
    fitting_length,
    signal_length,
)
from liftwave._plan.undecimated import AxisMode, Undecimated
from liftwave._typing import Mode, ModeLike, Modes
from liftwave.errors import ShapeError, WaveletError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import (
    Resolved,
    WaveletLike,
    Wavelets,
    builtin_wavelet,
    named_wavelet,
    resolve_wavelet,
    wavelets_per_axis,
)


class AxisPlan(NamedTuple):
    """The wavelet and the boundary mode of one transformed axis."""

    axis: int
    wavelet: Resolved
    mode: AxisMode

    @property
    def boundary(self) -> Mode:
        """The boundary mode."""
        return self.mode.boundary if isinstance(self.mode, Undecimated) else self.mode


class AxisPlans(tuple[AxisPlan, ...]):
    """The plans of all transformed axes, and a cache of derived plans."""

    @cached_property
    def cache(self) -> dict[Any, Any]:
        """Plans of levels and operations, by shape; the cache lives as long as the plans."""
        return {}

    @cached_property
    def is_integer(self) -> bool:
        """Whether the transform runs in integers.

        Raises
        ------
        WaveletError
            If only some axes have an integer scheme.
        """
        kinds = {isinstance(p.wavelet, LiftingScheme) and p.wavelet.integer for p in self}
        if len(kinds) > 1:
            raise WaveletError(
                "integer lifting schemes cannot be mixed with other wavelets in one transform: "
                f"got {[p.wavelet for p in self]}"
            )
        return kinds == {True}

    @cached_property
    def is_lifted(self) -> bool:
        """Whether an axis has a lifting scheme."""
        return any(isinstance(plan.wavelet, LiftingScheme) for plan in self)

    @cached_property
    def is_concrete(self) -> bool:
        """Whether all taps are numbers."""
        return all(plan.wavelet.is_concrete for plan in self)

    def __reduce__(self) -> tuple[Any, ...]:
        return AxisPlans, (tuple(self),)


def as_axis_plans(plans: Sequence[AxisPlan]) -> AxisPlans:
    """The plans with their own cache, unless they already have one."""
    return plans if isinstance(plans, AxisPlans) else AxisPlans(plans)


def axis_plans(
    wavelet: Wavelets,
    mode: Modes | Undecimated,
    axes: Sequence[int] | int | None,
    ndim: int,
    unique: bool = True,
) -> AxisPlans:
    """The plans of a transform along these axes of an array with ``ndim`` axes.

    ``None`` means all axes. With ``unique``, no axis may occur twice. The same arguments give the
    same object, which the wavelet caches.

    Raises
    ------
    AxisError, ModeError, WaveletError
        If the array does not have one of the axes, ``unique`` is set and an axis occurs twice, or a
        mode or wavelet does not exist.
    """
    key = (mode, axes, ndim, unique)
    plans = _look_up(wavelet, key)
    if plans is None:
        normalized = normalize_axes(axes, ndim, unique=unique)
        wavelets = wavelets_per_axis(wavelet, len(normalized))
        plans = _plans(normalized, wavelets, _modes(mode, len(normalized)), ndim)
        _remember(wavelet, key, plans)
    return plans


def plans_along(
    wavelet: WaveletLike, mode: ModeLike | Undecimated, axis: int, ndim: int
) -> AxisPlans:
    """As :func:`axis_plans` for one axis: neither wavelet nor mode can be a sequence."""
    key = (mode, axis, ndim, "along")  # None means all axes elsewhere, but is not valid here
    plans = _look_up(wavelet, key)
    if plans is None:
        normalized = (normalize_axis(axis, ndim),)
        plans = _plans(normalized, (resolve_wavelet(wavelet),), (_one_mode(mode),), ndim)
        _remember(wavelet, key, plans)
    return plans


def _modes(mode: Modes | Undecimated, naxes: int) -> tuple[AxisMode, ...]:
    return (mode,) * naxes if isinstance(mode, Undecimated) else modes_per_axis(mode, naxes)


def _one_mode(mode: ModeLike | Undecimated) -> AxisMode:
    return mode if isinstance(mode, Undecimated) else resolve_mode(mode)


def plans_of_axis(plan: AxisPlan, ndim: int) -> AxisPlans:
    """The plans of one axis. Its wavelet is already resolved, and has already warned."""
    return _plans((plan.axis,), (plan.wavelet,), (plan.mode,), ndim)


def _look_up(wavelet: Wavelets, key: tuple[Any, ...]) -> AxisPlans | None:
    """The plans that a wavelet caches for the user's arguments."""
    axes, kind = key[1], type(wavelet)
    if type(axes) is tuple:
        for axis in axes:
            if type(axis) is not int:  # 1.0 and True equal 1, and would use its cache entry
                return None
    elif type(axes) is not int and axes is not None:
        return None
    owner: Any = wavelet
    if kind is str:
        owner = named_wavelet(owner)
    elif kind is pywt.Wavelet and owner.short_family_name:
        owner = builtin_wavelet(owner.name)
    elif kind is not LiftingScheme and (kind is not FilterBank or owner.warning):
        return None
    try:
        plans: AxisPlans | None = owner._plans.get(key)
    except TypeError:  # a list of modes
        return None
    return plans


def _remember(wavelet: Wavelets, key: tuple[Any, ...], plans: AxisPlans) -> None:
    """Cache plans by the user's arguments, if :func:`_look_up` accepts such arguments."""
    mode, axes = key[:2]
    names = mode if type(mode) is tuple else (mode,)
    # Old names of modes are not cached, because each use warns.
    are_names = all(type(name) is str and name in MODES for name in names)
    are_names = are_names or isinstance(mode, Undecimated)
    plain = axes is None or type(axes) in (int, tuple)
    single = isinstance(wavelet, str | pywt.Wavelet | FilterBank | LiftingScheme)
    if plans and plans.is_concrete and are_names and plain and single:
        bounded(plans[0].wavelet._plans)[key] = plans


def _plans(
    axes: tuple[int, ...],
    wavelets: tuple[Resolved, ...],
    modes: tuple[AxisMode, ...],
    ndim: int,
) -> AxisPlans:
    """The plans of these axes, from the cache of the first wavelet if its taps are numbers."""
    for wavelet, mode in zip(wavelets, modes, strict=True):
        if mode == "orthogonal" and isinstance(wavelet, FilterBank):
            check_interval(wavelet)
    plans = AxisPlans(AxisPlan(*fields) for fields in zip(axes, wavelets, modes, strict=True))
    if not plans or not plans.is_concrete:
        return plans
    # Cached plans hold their wavelets, so these ids cannot be reused.
    key = (axes, modes, ndim, tuple(map(id, wavelets)))
    cache: dict[Any, AxisPlans] = bounded(wavelets[0]._plans)
    return cache.setdefault(key, plans)


def check_lengths(shape: tuple[int, ...], plans: tuple[AxisPlan, ...], level: int) -> None:
    """Raise for the first level whose lengths or modes the wavelet does not support."""
    lengths = list(shape)
    # A transform of zero levels must also reject a mode that its wavelet does not support.
    for plan in plans:
        if isinstance(plan.wavelet, LiftingScheme):
            check_lifting_mode(plan.wavelet, plan.mode)
    for depth in range(1, level + 1):
        for plan in plans:
            name = f"axis {plan.axis} of shape {shape} at level {depth}"
            lengths[plan.axis], _ = band_lengths(lengths[plan.axis], plan.wavelet, plan.mode, name)


class Merge(NamedTuple):
    """One synthesis along one axis: bands ``key + 'a'`` and ``key + 'd'`` become band ``key``.

    The shapes are those of the two bands, even if a band is missing (zero).
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
        The shapes of the present bands; at least one.
    plans : tuple of AxisPlan
        The axes in the order of the keys' letters.

    Raises
    ------
    ShapeError
        If the shapes of the bands do not fit together.
    """
    merges: list[Merge] = []
    for depth in range(len(plans) - 1, -1, -1):
        plan, merged_shapes = plans[depth], {}
        for key in sorted({key[:depth] for key in shapes}):
            pair = _pair_shapes(key, shapes, plan.axis)
            merges.append(Merge(key, plan, pair))
            n_approx, n_detail = (shape[plan.axis] for shape in pair)
            n = signal_length(n_approx, n_detail, plan.wavelet, plan.mode)
            merged_shapes[key] = with_length(pair[0], plan.axis, n)
        shapes = merged_shapes
    return merges, shapes[""]


def _pair_shapes(
    key: str, shapes: dict[str, tuple[int, ...]], axis: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of a band and its sibling. The other bands determine the length of a missing band."""
    pair = [shapes.get(key + letter) for letter in "ad"]
    sibling = pair[0] or pair[1]
    assert sibling is not None  # the key is that of one of them
    for index, letter in enumerate("ad"):
        if pair[index] is None:
            of_others = [s[axis] for k, s in shapes.items() if k[len(key)] == letter]
            lengths = {str(n): n for n in of_others}  # a length that is a symbol has no hash
            length = of_others[0] if len(lengths) == 1 else sibling[axis]
            pair[index] = with_length(sibling, axis, length)
    a, d = cast(tuple[tuple[int, ...], tuple[int, ...]], tuple(pair))
    if with_length(a, axis, 0) != with_length(d, axis, 0):
        raise ShapeError(
            f"`coeffs` must all be of equal size (or None): bands {key + 'a'!r} and {key + 'd'!r} "
            f"have shapes {a} and {d}, which differ along other axes than {axis}"
        )
    return a, d


def with_length(shape: tuple[int, ...], axis: int, length: int) -> tuple[int, ...]:
    """The shape with another length along one axis."""
    return (*shape[:axis], length, *shape[axis + 1 :])


def fitting_shape(
    approx: tuple[int, ...], details: dict[str, tuple[int, ...]], plans: tuple[AxisPlan, ...]
) -> tuple[int, ...]:
    """The part of a reconstructed approximation that fits the details of a level."""
    for index, plan in enumerate(plans):
        lengths = {key[index]: shape[plan.axis] for key, shape in details.items()}
        n = used_length(approx[plan.axis], lengths, plan)
        approx = with_length(approx, plan.axis, n)
    return approx


def used_length(n: int, lengths: Mapping[str, int], plan: AxisPlan) -> int:
    """The number of the ``n`` samples of an approximation that fit the other bands' lengths."""
    if "d" in lengths:
        return fitting_length(n, lengths["d"], plan.wavelet, plan.mode)
    if "a" in lengths:
        return fitting_length(n, lengths["a"], plan.wavelet, "periodization")
    return n
