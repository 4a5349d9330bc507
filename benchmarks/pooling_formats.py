"""Pooling layers by memory format and precision: rows of :mod:`benchmarks.pooling`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks.measuring import interleaved
from benchmarks.pooling_layers import Shape, available, rulers
from benchmarks.torch_libraries import Prepared
from benchmarks.torch_peers import both_run_on, forward_run_on

MAX = "torch max_pool2d"
GOAL = 2.0
"""Times of ``max_pool2d`` with the channels last that a layer may take forward."""

GOAL_LAYERS = ("SoftPool2d", "AdaPool2d", "LiftDownPool2d")


class Variant(NamedTuple):
    """A memory format and a dtype."""

    dtype: str
    channels_last: bool

    @property
    def name(self) -> str:
        """The variant in a row."""
        return self.dtype + ", channels last" * self.channels_last

    def tensor(self, x: np.ndarray) -> Any:
        """The data as a tensor of this variant."""
        import torch

        tensor = torch.from_numpy(x).to(getattr(torch, self.dtype))
        return tensor.to(memory_format=torch.channels_last) if self.channels_last else tensor


FIRST = Variant("float32", False)
VARIANTS = (
    FIRST,
    Variant("float32", True),
    Variant("bfloat16", False),
    Variant("bfloat16", True),
)


@dataclass
class Row:
    """A layer in one variant: medians in seconds, and medians of ratios by round."""

    layer: str
    variant: Variant
    forward: float
    both: float
    forward_ratio: float  # to float32 with the channels first
    both_ratio: float
    max_ratio: float  # forward, to max_pool2d of the same variant


def measure(shape: Shape, rounds: int) -> list[Row]:
    """Time all layers in all variants in turn."""
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    layers = {MAX: rulers()[MAX]}
    layers |= {layer.name: layer.prepare(shape)[0] for layer in available()}
    runs: dict[str, Callable[[], object]] = {}
    for name, prepared in layers.items():
        for variant in VARIANTS:
            runs |= _runs(name, prepared, variant, variant.tensor(x))
    times = interleaved(runs, rounds, 2e-3 if x.nbytes < 1 << 20 else 0.0, before="itself")
    return [_row(name, variant, times) for name in layers for variant in VARIANTS]


def _runs(
    name: str, prepared: Prepared, variant: Variant, tensor: Any
) -> dict[str, Callable[[], object]]:
    return {
        f"{name}: {variant.name}: forward": forward_run_on(prepared, tensor),
        f"{name}: {variant.name}: both": both_run_on(prepared, tensor),
    }


def _row(name: str, variant: Variant, times: dict[str, list[float]]) -> Row:
    forward, both = (times[f"{name}: {variant.name}: {part}"] for part in ("forward", "both"))
    first = [times[f"{name}: {FIRST.name}: {part}"] for part in ("forward", "both")]
    return Row(
        *(name, variant, median(forward), median(both)),
        *(_ratio(forward, first[0]), _ratio(both, first[1])),
        _ratio(forward, times[f"{MAX}: {variant.name}: forward"]),
    )


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return median(a / b for a, b in zip(ours, theirs, strict=True))


# --- the page ------------------------------------------------------------------------------------

LEGEND = """\
`float32` is the time relative to `float32` with the channels first, `max pool` that relative to
`max_pool2d` of the same format and precision. Both are medians of ratios within a run.
"""


def table(rows: list[Row], time: Callable[[float], str]) -> str:
    """The rows as a table, with times as text by a function."""
    heading = ["", "", "forward", "float32", "max pool", "both", "float32"]
    lines = [heading, ["---"] * len(heading), *(_cells(row, time) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cells(row: Row, time: Callable[[float], str]) -> list[str]:
    ratio = f"{row.max_ratio:.2f}"
    if row.layer in GOAL_LAYERS and row.variant == Variant("float32", True):
        ratio += f" ({'met' if row.max_ratio <= GOAL else 'missed'}: {GOAL:g})"
    cells = [row.layer, row.variant.name, time(row.forward), f"{row.forward_ratio:.2f}", ratio]
    return [*cells, time(row.both), f"{row.both_ratio:.2f}"]
