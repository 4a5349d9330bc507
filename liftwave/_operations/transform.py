"""Programs: a linear transform written as text, which an operator of torch can carry.

An operator's arguments are tensors, numbers and text, so that compiled and exported graphs can
be kept; levels and plans are neither. The text says what is done, without shapes: axes count
from the end, so that batches may be added in front, and lengths follow from the tensors or are
given as numbers. Texts are read once (:func:`read`), and the levels that a program makes for a
shape are kept with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from itertools import product
from typing import Any, NamedTuple, TypeAlias, cast

from liftwave._plan.axes import AxisPlan, AxisPlans, with_length
from liftwave._plan.axis import band_lengths, fitting_length, signal_length
from liftwave._plan.levels import Shape, unflatten_bands
from liftwave._typing import Mode
from liftwave.errors import WaveletError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep
from liftwave.wavelets.resolve import Resolved, resolve_wavelet
from liftwave.wavelets.taps import is_concrete, tap_count

Keys: TypeAlias = tuple[tuple[str, ...], ...]
"""The keys of the details of each level, coarsest first."""


class Shaped(NamedTuple):
    """What a plan needs to know of an array."""

    shape: Shape


@dataclass(frozen=True, eq=False)
class Program:
    """A transform of a signal to bands or back, or the transpose of either.

    Attributes
    ----------
    plans : tuple of (axis, wavelet, mode)
        Axes are negative; wavelets are written (:func:`written_wavelet`).
    synthesis : bool
        Whether the transform goes from bands to a signal.
    approx : bool
        Whether the approximation is among the bands.
    keys : tuple of tuple of str
        The keys of the details of each level that are among the bands, coarsest first.
    fit : bool
        Whether approximations may have one sample too many (of a synthesis).
    transposed : bool
        Whether it is transposed, and so goes the other way.
    made : dict
        Plans by the number of dimensions; programs of the same plans share them.
    text : str
        The program as text, which :func:`read` reads.
    """

    plans: tuple[tuple[int, Any, Mode], ...]
    synthesis: bool
    approx: bool
    keys: Keys
    fit: bool = True
    transposed: bool = False
    made: dict[int, AxisPlans] = field(default_factory=dict, repr=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        parts = [self.plans, self.synthesis, self.approx, self.keys, self.fit, self.transposed]
        # An attribute and no property: torch.compile reads it.
        object.__setattr__(self, "text", json.dumps(parts, separators=(",", ":")))

    @property
    def level(self) -> int:
        """The number of levels."""
        return len(self.keys)

    @cached_property
    def empty_levels(self) -> int:
        """How many of the coarsest levels no band is of."""
        if self.approx:
            return 0
        return next(k for k, keys in enumerate(self.keys) if keys)

    @property
    def from_bands(self) -> bool:
        """Whether bands go in (and a signal comes out)."""
        return self.synthesis != self.transposed

    def __reduce__(self) -> tuple[Any, ...]:
        # What kernels prepared does not travel.
        return read, (self.text,)

    @cached_property
    def axes(self) -> tuple[int, ...]:
        """The axes, each once."""
        return tuple(dict.fromkeys(axis for axis, _, _ in self.plans))

    @cached_property
    def outline(self) -> AxisPlans:
        """The plans for lengths only, with negative axes and without the taps that are tensors."""
        return AxisPlans(AxisPlan(a, wavelet_of(w, None), m) for a, w, m in self.plans)

    def transpose(self) -> Program:
        """The transposed program."""
        return self._transpose

    @cached_property
    def _transpose(self) -> Program:
        return replace(self, transposed=not self.transposed)

    def inverse(self) -> Program:
        """The program that undoes this one where it is lifting: of all bands."""
        keys = (all_keys(len(self.plans)),) * self.level
        return replace(self, synthesis=not self.synthesis, approx=True, keys=keys, fit=True)

    def is_reversible(self, shapes: Sequence[Sequence[int]]) -> bool:
        """Whether inputs of these shapes can be rebuilt from the outputs: by lifting alone.

        A synthesis that leaves out samples of what it made so far is not undone.
        """
        lifts = all(isinstance(plan.wavelet, LiftingScheme) for plan in self.outline)
        return lifts and (not self.synthesis or not self._trims(shapes))

    def _trims(self, shapes: Sequence[Sequence[int]]) -> bool:
        """Whether only part of an approximation is used on some level but the first."""
        approx, details = self.parted([tuple(shape) for shape in shapes])
        for number, of_level in enumerate(details):
            if approx is not None and number > self.empty_levels:
                for index, plan in enumerate(self.outline):
                    given = {key[index]: band[plan.axis] for key, band in of_level.items()}
                    if self._used(approx[plan.axis], given, plan) != approx[plan.axis]:
                        return True
            if of_level or approx is not None:
                approx = self._merged(approx, of_level)
        return False

    def only(self, used: Sequence[bool]) -> Program:
        """The program of some of the bands, in their order."""
        if all(used):
            return self
        flags = iter(used)
        approx = next(flags) if self.approx else False
        keys = tuple(tuple(key for key in level if next(flags)) for level in self.keys)
        return replace(self, approx=approx, keys=keys)

    def at(self, ndim: int) -> AxisPlans:
        """The plans for arrays of ``ndim`` dimensions."""
        found = self.made.get(ndim)
        if found is None:
            found = self.made[ndim] = self.with_taps(ndim, None)
        return found

    def with_taps(self, ndim: int, taps: Sequence[Any] | None) -> AxisPlans:
        """The plans for arrays of ``ndim`` dimensions, with these taps in place of numbers."""
        known = {id(w): wavelet_of(w, taps) for _, w, _ in self.plans}
        return AxisPlans(AxisPlan(a + ndim, known[id(w)], m) for a, w, m in self.plans)

    @cached_property
    def bands(self) -> tuple[tuple[int, str], ...]:
        """Level (coarsest first) and key of each band, in order; the approximation comes first."""
        approx = [(0, "a" * len(self.plans))] if self.approx else []
        return (*approx, *((k, key) for k, keys in enumerate(self.keys) for key in keys))

    def select(self, bands: Sequence[Any]) -> list[Any]:
        """Those of all bands of an analysis (in order) that are the program's."""
        every = all_keys(len(self.plans))
        if self.approx and all(keys == every for keys in self.keys):
            return list(bands)
        approx, details = unflatten_bands(bands, (every,) * self.level)
        return self.joined(approx, details)

    def joined(self, approx: Any, details: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The bands in order, from what a transform gives."""
        bands = [approx] if self.approx else []
        return bands + [
            of[key] for of, keys in zip(details, self.keys, strict=True) for key in keys
        ]

    def parted(self, bands: Sequence[Any]) -> tuple[Any, list[dict[str, Any]]]:
        """Approximation and details, from the bands in order."""
        remaining = iter(bands)
        approx = next(remaining) if self.approx else None
        return approx, [{key: next(remaining) for key in level} for level in self.keys]

    def picked(
        self, approx: Any, details: Sequence[Mapping[str, Any]]
    ) -> tuple[Any, list[dict[str, Any]]]:
        """Of all bands, those of the program."""
        chosen = [{k: of[k] for k in keys} for of, keys in zip(details, self.keys, strict=True)]
        return approx if self.approx else None, chosen

    # --- lengths, which may be symbols -----------------------------------------------------------

    def lengths(self, shape: Sequence[int]) -> list[int]:
        """The lengths along the axes."""
        return [shape[axis] for axis in self.axes]

    def with_lengths(self, shape: Sequence[int], lengths: Sequence[int]) -> Shape:
        """A shape with these lengths along the axes."""
        changed = list(shape)
        for axis, n in zip(self.axes, lengths, strict=True):
            changed[axis] = n
        return tuple(changed)

    def shapes_of(self, like: Sequence[int], sizes: Sequence[int]) -> list[Shape]:
        """Shapes from the lengths along the axes, all in a row; the rest is as in ``like``."""
        count = len(self.axes)
        each = [sizes[i : i + count] for i in range(0, len(sizes), count)]
        return [self.with_lengths(like, lengths) for lengths in each]

    def band_shapes(self, shape: Sequence[int]) -> list[Shape]:
        """The shapes of the bands of a signal of this shape, in order."""
        approx, finest_first = tuple(shape), []
        for _ in range(self.level):
            bands = {"": approx}
            for plan in self.outline:
                bands = dict(_halves(bands, plan))
            finest_first.append(bands)
            approx = bands["a" * len(self.plans)]
        return [finest_first[self.level - 1 - number][key] for number, key in self.bands]

    def signal_shape(self, shapes: Sequence[Sequence[int]]) -> Shape:
        """The shape of what bands of these shapes are synthesised into."""
        approx, details = self.parted([tuple(shape) for shape in shapes])
        for of_level in details:
            if of_level or approx is not None:
                approx = self._merged(approx, of_level)
        return cast(Shape, approx)

    def _merged(self, approx: Shape | None, details: Mapping[str, Shape]) -> Shape:
        shape = approx if approx is not None else next(iter(details.values()))
        for index, plan in enumerate(self.outline):
            given = {key[index]: band[plan.axis] for key, band in details.items()}
            if approx is not None:
                given["a"] = self._used(approx[plan.axis], given, plan)
            n_approx = given.get("a", given.get("d", 0))
            n = signal_length(n_approx, given.get("d", n_approx), plan.wavelet, plan.mode)
            shape = _changed(shape, plan.axis, n)
        return shape

    def _used(self, n: int, given: Mapping[str, int], plan: AxisPlan) -> int:
        """How many of an approximation's ``n`` samples belong with the details."""
        if self.fit and "d" in given:
            return fitting_length(n, given["d"], plan.wavelet, plan.mode)
        if self.fit and "a" in given:
            return fitting_length(n, given["a"], plan.wavelet, "periodization")
        return n


def _changed(shape: Shape, axis: int, n: int) -> Shape:
    return with_length(shape, axis + len(shape), n)


def _halves(bands: Mapping[str, Shape], plan: AxisPlan) -> Iterator[tuple[str, Shape]]:
    for key, shape in bands.items():
        pair = band_lengths(shape[plan.axis], plan.wavelet, plan.mode)
        for letter, n in zip("ad", pair, strict=True):
            yield key + letter, _changed(shape, plan.axis, n)


@lru_cache(maxsize=1024)
def read(text: str) -> Program:
    """The program that ``text`` says."""
    plans, synthesis, approx, keys, fit, transposed = json.loads(text)
    triples = tuple((axis, wavelet, mode) for axis, wavelet, mode in plans)
    return Program(triples, synthesis, approx, tuple(map(tuple, keys)), fit, transposed)


@cache
def all_keys(naxes: int) -> tuple[str, ...]:
    """The keys of all details of one level, in order."""
    return tuple(map("".join, product("ad", repeat=naxes)))[1:]


# --- wavelets ------------------------------------------------------------------------------------


def written_wavelet(wavelet: Resolved, tensors: list[Any]) -> Any:
    """A wavelet as text, lists and numbers; taps that are arrays go to ``tensors``.

    In place of such an array there is its place among the tensors and its length (0 for a factor).
    """
    if isinstance(wavelet, LiftingScheme):
        steps = [[s.kind, _written(s.taps, tensors), s.offset] for s in wavelet.steps]
        scale = [_written(s, tensors) for s in wavelet.scale]
        return {"steps": steps, "scale": scale, "shift": wavelet.shift, "name": wavelet.name}
    if wavelet.is_concrete and _is_named(wavelet):
        return wavelet.name
    return {"taps": [_written(f, tensors) for f in wavelet.filter_bank], "name": wavelet.name}


def _is_named(bank: FilterBank) -> bool:
    try:
        return bool(bank.name) and resolve_wavelet(bank.name) is bank
    except WaveletError:
        return False


def _written(taps: Any, tensors: list[Any]) -> Any:
    if is_concrete(taps) or isinstance(taps, float | int):
        return taps
    number = next((k for k, t in enumerate(tensors) if t is taps), len(tensors))
    if number == len(tensors):
        tensors.append(taps)
    return {"tensor": number, "length": tap_count(taps) if taps.ndim else 0}


def tensors_of(wavelet: Resolved) -> list[Any]:
    """The arrays among a wavelet's taps, each once, as :func:`written_wavelet` numbers them."""
    if isinstance(wavelet, LiftingScheme):
        taps = [*(step.taps for step in wavelet.steps), *wavelet.scale]
    else:
        taps = list(wavelet.filter_bank)
    arrays = {id(t): t for t in taps if not (is_concrete(t) or isinstance(t, float | int))}
    return list(arrays.values())


def wavelet_of(written: Any, taps: Sequence[Any] | None) -> Resolved:
    """The wavelet that :func:`written_wavelet` wrote, with these taps.

    Without taps, ones stand in their place: lengths do not depend on them.
    """
    if isinstance(written, str):
        return resolve_wavelet(written)
    name = written["name"]
    if "taps" in written:
        dec_lo, dec_hi, rec_lo, rec_hi = (_filled(f, taps) for f in written["taps"])
        return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, name=name)
    steps = [LiftingStep(kind, _filled(t, taps), offset) for kind, t, offset in written["steps"]]
    low, high = (_filled(s, taps) for s in written["scale"])
    return LiftingScheme(tuple(steps), (low, high), name=name, shift=tuple(written["shift"]))


def _filled(written: Any, taps: Sequence[Any] | None) -> Any:
    if not isinstance(written, dict):
        return written
    if taps is not None:
        return taps[written["tensor"]]
    return (1.0,) * written["length"] or 1.0
