"""Plans of lifting pooling: passes, lengths and paddings, as data without arrays.

A signal of d axes is split along the last one first, then both halves along the one before, and
so on: the passes are the nodes of a binary tree, numbered level by level, the smooth half of pass
``i`` going to ``2 i + 1`` and the detail to ``2 i + 2``. The leaves are the bands, in the order of
their names: ``L`` and ``H`` for each axis, the last axis first.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

from liftwave._plan.boundary import Extension, signal_extension, signal_row
from liftwave._typing import Mode

PADDINGS: dict[str, Mode] = {
    "reflect": "reflect",
    "zeros": "zero",
    "replicate": "constant",
    "circular": "periodic",
}
"""What the filters read beyond the ends of a half, by torch's names, and the mode it is."""

OWN = 3
"""Numbers of a filter besides its weights: bias, gain, offset, in this order."""


class LiftPass(NamedTuple):
    """One pass: an array whose axes behind ``axis`` are halved already is split along it."""

    filters: int  # which filters of those given
    axis: int  # among the spatial ones
    shape: tuple[int, ...]  # of what is split, spatial axes only

    @property
    def half(self) -> tuple[int, ...]:
        """The shape of both halves: ``ceil(n / 2)`` along the axis."""
        n = self.shape[self.axis]
        return (*self.shape[: self.axis], (n + 1) // 2, *self.shape[self.axis + 1 :])


class LiftPoolPlan(NamedTuple):
    """What is known about lifting pooling before any sample.

    Attributes
    ----------
    sizes : tuple of int
        Spatial lengths of the signal.
    kernel : int
        Number of weights of each filter.
    padding : str
        A key of :data:`PADDINGS`.
    shared : bool
        Whether one pair of filters serves all passes.
    """

    sizes: tuple[int, ...]
    kernel: int
    padding: str
    shared: bool

    @property
    def dimensions(self) -> int:
        """How many axes are halved."""
        return len(self.sizes)

    @property
    def halves(self) -> tuple[int, ...]:
        """Spatial lengths of every band."""
        return tuple((n + 1) // 2 for n in self.sizes)

    @property
    def passes(self) -> tuple[LiftPass, ...]:
        """All passes, in the order of the tree."""
        found: list[LiftPass] = []
        for level in range(self.dimensions):
            axis = self.dimensions - 1 - level
            shape = (*self.sizes[: axis + 1], *self.halves[axis + 1 :])
            for _ in range(2**level):
                found.append(LiftPass(0 if self.shared else len(found), axis, shape))
        return tuple(found)

    @property
    def is_even(self) -> bool:
        """Whether no sample is repeated, so that a signal has as many as its bands."""
        return all(n % 2 == 0 for n in self.sizes)

    def extension(self, half: int) -> Extension:
        """What the filters read of one half of ``half`` samples."""
        before = (self.kernel - 1) // 2
        return signal_extension(half, PADDINGS[self.padding], before, self.kernel - 1 - before)

    def edge(self, axis: int) -> Extension:
        """The row behind an odd number of samples: the last one again."""
        n = self.sizes[axis]
        return Extension(n, (), tuple(signal_row(i, n, "constant") for i in range(n, n + n % 2)))

    def counts(self, planes: int) -> tuple[int, ...]:
        """Samples in each half of each pass, for so many planes."""
        return tuple(planes * prod(each.half) for each in self.passes)


class LiftOutput(NamedTuple):
    """Which bands are given, by number, and how: ``"sum"``, ``"concat"`` or ``"bands"``."""

    bands: tuple[int, ...]
    form: str

    def holds_all(self, dimensions: int) -> bool:
        """Whether the signal can be rebuilt from what is given."""
        return self.form != "sum" and sorted(self.bands) == list(range(2**dimensions))


def band_names(dimensions: int) -> tuple[str, ...]:
    """The names of all bands, the letter of the last axis first."""
    return tuple("".join(letters) for letters in product("LH", repeat=dimensions))
