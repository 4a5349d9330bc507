"""Boundary modes as data: the extension of a signal beyond its ends.

Every mode is a linear map of the signal. Outside the signal, sample ``i`` of
the extension is a *row*: a few pairs ``(index, weight)`` into the signal. The
transposed map (the *fold*) uses the same rows in the opposite direction, so
adjoints need no separate code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, update_wrapper
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar, overload

from liftwave._numbers import is_symbol
from liftwave._plan.mode_columns import mode_columns
from liftwave._typing import Mode
from liftwave.errors import ModeError

EXTENSION_MODES: tuple[Mode, ...] = (
    "zero",
    "constant",
    "symmetric",
    "reflect",
    "periodic",
    "smooth",
    "antisymmetric",
    "antireflect",
    "periodization",
)
"""The modes that extend a signal beyond its ends."""

MODES: tuple[Mode, ...] = (*EXTENSION_MODES, "orthogonal")
"""All modes. ``"orthogonal"`` has its own filters at the ends (``interval.py``)."""

PERIODIC_MODES: tuple[Mode, ...] = ("periodic", "periodization")
"""The periodic modes, except for lengths that must be made even."""

LIFTING_MODES: tuple[Mode, ...] = ("periodization", "reflect", "symmetric", "zero", "constant")

Row: TypeAlias = tuple[tuple[int, float], ...]
Column: TypeAlias = tuple[Any, Any]
"""Indices and weights: two tuples, or two arrays of NumPy if there are many rows."""

P = ParamSpec("P")
T = TypeVar("T")


def cached_by_length(make: Callable[Concatenate[int, P], T]) -> Callable[Concatenate[int, P], T]:
    """Wrap a function of a length and other values with a cache, unless the length is a symbol."""
    cached: Any = lru_cache(maxsize=4096)(make)

    def call(n: int, /, *values: P.args, **options: P.kwargs) -> T:
        result: T = (make if is_symbol(n) else cached)(n, *values, **options)
        return result

    return update_wrapper(call, make)


class Fold(NamedTuple):
    """Transposed rows: for each sample in a range, the rows that contain it.

    Attributes
    ----------
    start : int
        First sample of the range.
    columns : tuple of columns
        Row numbers and weights, one entry per sample of the range in each
        column. The weight is zero if a sample has no further row.
    """

    start: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, repr=False)
class Extension:
    """A signal of ``n`` samples extended by rows on both sides.

    Attributes
    ----------
    n : int
        Number of samples of the signal.
    left, right : sequence of rows
        ``left[-1]`` is the sample just before the signal, ``right[0]`` the one
        just after it. A row is a tuple of ``(index, weight)``. An empty row is zero.
    joined : bool
        Whether the signal is periodic: sample ``i`` is sample ``i % n`` for any ``i``, without
        rows.
    symbolic_mode : Mode or None
        The boundary mode, if ``n`` is a symbol of torch. The rows are then empty: they are
        counted, and computed in the recorded graph.
    channel : (int, int) or None
        With a symbolic mode, if the signal is one channel of another one: the parity of its
        samples, and the length of the other signal, which is extended by the mode.
    """

    n: int
    left: Sequence[Row] = ()
    right: Sequence[Row] = ()
    joined: bool = False
    symbolic_mode: Mode | None = None
    channel: tuple[int, int] | None = None

    @cached_property
    def left_columns(self) -> tuple[Column, ...]:
        """The left rows as columns of indices and weights, for gathering."""
        return _columns(self.left)

    @cached_property
    def right_columns(self) -> tuple[Column, ...]:
        """The right rows as columns of indices and weights, for gathering."""
        return _columns(self.right)

    @cached_property
    def left_fold(self) -> Fold | None:
        """The fold of the samples before the signal."""
        return _fold(self.left)

    @cached_property
    def right_fold(self) -> Fold | None:
        """The fold of the samples after the signal."""
        return _fold(self.right)

    @cached_property
    def vanishes(self) -> bool:
        """Whether the extension is zero everywhere (an empty one is)."""
        return not self.joined and not any(self.left) and not any(self.right)


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    """Rows of varying length as columns; short rows are padded with weight zero."""
    if isinstance(rows, ModeRows):
        return rows.columns
    width = max((len(row) for row in rows), default=0)
    filled = [row + ((0, 0.0),) * (width - len(row)) for row in rows]
    return tuple(
        (tuple(row[c][0] for row in filled), tuple(row[c][1] for row in filled))
        for c in range(width)
    )


def _fold(rows: Sequence[Row]) -> Fold | None:
    pairs = [(index, r, weight) for r, row in enumerate(rows) for index, weight in row]
    if not pairs:
        return None
    start, stop = min(pairs)[0], max(pairs)[0] + 1
    sources: list[list[tuple[int, float]]] = [[] for _ in range(start, stop)]
    for index, r, weight in pairs:
        sources[index - start].append((r, weight))
    return Fold(start, _columns(tuple(map(tuple, sources))))


def check_extends(mode: Mode, what: str) -> None:
    """Raise if a mode does not extend signals.

    Raises
    ------
    ModeError
        If it does not. ``what`` is the function that needs the extension.
    """
    if mode not in EXTENSION_MODES:
        raise ModeError(
            f"{what} extends signals, but mode {mode!r} has its own filters at the ends instead. "
            f"Use one of {', '.join(map(repr, EXTENSION_MODES))}"
        )


def signal_row(i: int, n: int, mode: Mode) -> Row:
    """The row for sample ``i`` (any integer) of an ``n``-sample signal under ``mode``."""
    if 0 <= i < n:
        return ((i, 1.0),)
    return _ROWS[mode](i, n)


def _zero(i: int, n: int) -> Row:
    return ()


def _constant(i: int, n: int) -> Row:
    return ((0 if i < 0 else n - 1, 1.0),)


def _symmetric(i: int, n: int) -> Row:
    p = i % (2 * n)
    return ((min(p, 2 * n - 1 - p), 1.0),)


def _antisymmetric(i: int, n: int) -> Row:
    p = i % (2 * n)
    return ((p, 1.0),) if p < n else ((2 * n - 1 - p, -1.0),)


def _reflect(i: int, n: int) -> Row:
    return ((reflected(i, n), 1.0),)


def _periodic(i: int, n: int) -> Row:
    return ((i % n, 1.0),)


def _periodization(i: int, n: int) -> Row:
    """Odd lengths are made even by repeating the last sample."""
    return ((min(i % (n + n % 2), n - 1), 1.0),)


def _smooth(i: int, n: int) -> Row:
    """A straight line through the last two samples (a constant for a single sample)."""
    if n == 1:
        return ((0, 1.0),)
    if i < 0:
        return ((0, 1.0 - i), (1, float(i)))
    k = i - (n - 1)
    return ((n - 1, 1.0 + k), (n - 2, float(-k)))


def _antireflect(i: int, n: int) -> Row:
    """Point reflection about the end samples; each period adds twice their difference."""
    if n == 1:
        return ((0, 1.0),)
    periods, p = divmod(i, 2 * (n - 1))
    weights = {0: -2.0 * periods, n - 1: 2.0 * periods}
    if p < n:
        weights[p] = weights.get(p, 0.0) + 1.0
    else:
        weights[n - 1] += 2.0
        mirror = 2 * (n - 1) - p
        weights[mirror] = weights.get(mirror, 0.0) - 1.0
    return tuple((index, weight) for index, weight in sorted(weights.items()) if weight)


_ROWS = {
    "zero": _zero,
    "constant": _constant,
    "symmetric": _symmetric,
    "antisymmetric": _antisymmetric,
    "reflect": _reflect,
    "periodic": _periodic,
    "periodization": _periodization,
    "smooth": _smooth,
    "antireflect": _antireflect,
}


def reflected(i: int, n: int) -> int:
    """Index of sample ``i`` under whole-sample symmetric extension of ``n`` samples."""
    if n == 1:
        return 0
    p = i % (2 * n - 2)
    return min(p, 2 * n - 2 - p)


def channel_row(i: int, parity: int, n: int, mode: Mode) -> Row:
    """The row for sample ``i`` of the even or odd samples of an ``n``-sample signal.

    A lifting step can read only one channel, so the extension must stay within
    it. Whole-sample symmetry (``reflect``) and periodicity of an even length
    preserve the parity of an index, so these modes use the extension of the
    signal. The other modes would mix the channels, so they extend each channel
    separately.

    Parameters
    ----------
    i : int
        Index within the channel, any integer.
    parity : {0, 1}
        0 for the even samples, 1 for the odd ones.
    n : int
        Length of the signal; even under ``periodization``.
    mode : Mode
        One of :data:`LIFTING_MODES`.
    """
    length = (n + 1 - parity) // 2
    if length == 0:
        return ()
    if mode == "reflect":
        return (((reflected(2 * i + parity, n) - parity) // 2, 1.0),)
    if mode == "periodization":
        return ((i % length, 1.0),)
    return signal_row(i, length, mode)


def signal_extension(n: int, mode: Mode, left: int, right: int) -> Extension:
    """The extension of a signal by ``left`` and ``right`` samples."""
    if is_symbol(n):
        return Extension(n, ((),) * left, ((),) * right, symbolic_mode=mode)
    return _signal_extension(n, mode, left, right)


@lru_cache(maxsize=4096)
def _signal_extension(n: int, mode: Mode, left: int, right: int) -> Extension:
    return Extension(
        n,
        tuple(signal_row(i, n, mode) for i in range(-left, 0)),
        tuple(signal_row(i, n, mode) for i in range(n, n + right)),
    )


def far_extension(n: int, mode: Mode, left: int, right: int) -> Extension:
    """As :func:`signal_extension`, for many rows: they are computed as arrays, and not cached."""
    if is_symbol(n):
        return signal_extension(n, mode, left, right)
    if mode == "zero":
        return Extension(n, ((),) * left, ((),) * right)
    return Extension(n, ModeRows(mode, n, -left, 0), ModeRows(mode, n, n, n + right))


class ModeRows(Sequence[Row]):
    """The rows of samples ``start`` … ``stop - 1`` of an ``n``-sample signal under ``mode``."""

    def __init__(self, mode: Mode, n: int, start: int, stop: int) -> None:
        self.mode, self.n, self.start, self.stop = mode, n, start, stop

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModeRows) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.mode, self.n, self.start, self.stop))

    def __len__(self) -> int:
        return self.stop - self.start

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return tuple(self)[index]
        return signal_row(range(self.start, self.stop)[index], self.n, self.mode)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The rows as columns of indices and weights."""
        return mode_columns(self.mode, self.start, self.stop, self.n)


@cached_by_length
def channel_extension(n: int, parity: int, mode: Mode, left: int, right: int) -> Extension:
    """The extension of one channel of an ``n``-sample signal (see :func:`channel_row`)."""
    length = (n + 1 - parity) // 2
    if is_symbol(n):
        channel = (parity, n) if mode == "reflect" else None
        of_channel: Mode = "periodic" if mode == "periodization" else mode
        return Extension(length, ((),) * left, ((),) * right, False, of_channel, channel)
    return Extension(
        length,
        tuple(channel_row(i, parity, n, mode) for i in range(-left, 0)),
        tuple(channel_row(i, parity, n, mode) for i in range(length, length + right)),
    )


@cached_by_length
def zero_extension(n: int, left: int, right: int) -> Extension:
    """``n`` samples with zeros on both sides."""
    return Extension(n, ((),) * left, ((),) * right)
