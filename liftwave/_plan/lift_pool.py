"""Plans of lifting pooling: passes, lengths and paddings, as data without arrays.

A signal of d axes is split along the last axis first, then both bands are split along the axis
before it, and so on. The passes are the nodes of a binary tree, numbered level by level. Pass
``2 i + 1`` splits the approximation of pass ``i``, pass ``2 i + 2`` its detail. The leaves are
the bands, in the order of their names: ``L`` or ``H`` for each axis, the last axis first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import NamedTuple

from liftwave._numbers import is_symbol
from liftwave._plan.boundary import Extension, Row, channel_row, signal_extension
from liftwave._typing import Mode
from liftwave.errors import ExportError

PADDINGS: dict[str, Mode] = {
    "reflect": "reflect",
    "zeros": "zero",
    "replicate": "constant",
    "circular": "periodic",
    "signal": "reflect",
}
"""The boundary mode for each padding, by torch's names.

The mode extends the even samples and the details, except that ``"signal"`` extends the signal."""

N_SCALARS = 3
"""The number of scalars of a filter besides its weights: bias, gain, offset, in this order."""


class LiftPass(NamedTuple):
    """One pass: a split along ``axis`` of an array that is already split along later axes.

    Attributes
    ----------
    filter_index : int
        The index of the filters of this pass.
    axis : int
        The axis of the split, counted in the spatial axes.
    shape : tuple of int
        The spatial shape of the array that is split.
    """

    filter_index: int
    axis: int
    shape: tuple[int, ...]

    @property
    def half(self) -> tuple[int, ...]:
        """The shape of approximation and detail: ``ceil(n / 2)`` along the axis."""
        n = self.shape[self.axis]
        return (*self.shape[: self.axis], (n + 1) // 2, *self.shape[self.axis + 1 :])


@dataclass(frozen=True)
class LiftPoolPlan:
    """Everything about a lifting pooling that does not depend on the samples.

    Attributes
    ----------
    sizes : tuple of int
        Spatial lengths of the signal.
    kernel : int
        Number of weights of each filter.
    padding : str
        A key of :data:`PADDINGS`.
    shared : bool
        Whether all passes use one pair of filters.
    """

    sizes: tuple[int, ...]
    kernel: int
    padding: str
    shared: bool

    @property
    def dimensions(self) -> int:
        """The number of spatial axes."""
        return len(self.sizes)

    @property
    def extends_signal(self) -> bool:
        """Whether filters read the extension of the signal, not of its even or odd samples."""
        return self.padding == "signal"

    @cached_property
    def halves(self) -> tuple[int, ...]:
        """Spatial lengths of every band."""
        return tuple((n + 1) // 2 for n in self.sizes)

    @cached_property
    def passes(self) -> tuple[LiftPass, ...]:
        """All passes, in the order of the tree."""
        passes: list[LiftPass] = []
        for level in range(self.dimensions):
            axis = self.dimensions - 1 - level
            shape = (*self.sizes[: axis + 1], *self.halves[axis + 1 :])
            for _ in range(2**level):
                passes.append(LiftPass(0 if self.shared else len(passes), axis, shape))
        return tuple(passes)

    def extension(self, half: int) -> Extension:
        """The extension of a band of ``half`` samples that the filters read.

        For paddings that extend the halves of a signal.
        """
        before = (self.kernel - 1) // 2
        return signal_extension(half, PADDINGS[self.padding], before, self.kernel - 1 - before)

    def source(self, n: int, parity: int) -> Extension:
        """The extension of the even (0) or odd (1) ones of ``n`` samples that the filters read."""
        half = (n + 1) // 2
        if not self.extends_signal:
            return self.extension(half)
        if is_symbol(n):
            raise ExportError(
                'padding="signal" needs known lengths: export with fixed lengths, or use '
                'padding="reflect"'
            )
        before = (self.kernel - 1) // 2

        def row(i: int) -> Row:
            # A single sample is its own extension, at odd places too.
            return channel_row(i, parity, n, "reflect") if n > 1 else ((0, 1.0),)

        left = tuple(row(i) for i in range(-before, 0))
        right = tuple(row(i) for i in range(half, half + self.kernel - 1 - before))
        return Extension(half, left, right)

    def edge(self, axis: int) -> Extension:
        """The row after an odd number of samples.

        It repeats the last one, or the last but one if the signal is extended, whose detail then
        repeats the last detail. A number that is a symbol has this row, too. It is not used if the
        number is even.
        """
        n, mode = self.sizes[axis], PADDINGS["signal" if self.extends_signal else "replicate"]
        if is_symbol(n):
            return signal_extension(n, mode, 0, 1)
        return Extension(n, (), (((self.last(n), 1.0),),) * (n % 2))

    def last(self, n: int) -> int:
        """The sample that is repeated after an odd number of samples."""
        return n - 2 if self.extends_signal and n > 1 else n - 1

    def counts(self, planes: int) -> tuple[int, ...]:
        """The number of samples in each band of each pass, for this number of planes."""
        return tuple(planes * prod(step.half) for step in self.passes)


class LiftOutput(NamedTuple):
    """The bands of a result.

    Attributes
    ----------
    bands : tuple of int
        The indices of the bands.
    combination : {"sum", "concat", "bands"}
        The form of the result: added, concatenated along the channels, or separate arrays.
    """

    bands: tuple[int, ...]
    combination: str

    def holds_all(self, dimensions: int) -> bool:
        """Whether the signal can be rebuilt from the result."""
        return self.combination != "sum" and sorted(self.bands) == list(range(2**dimensions))


def band_names(dimensions: int) -> tuple[str, ...]:
    """The names of all bands, the letter of the last axis first."""
    return tuple("".join(letters) for letters in product("LH", repeat=dimensions))
