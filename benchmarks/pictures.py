"""The plots of the results: bars for each row, and the growth with size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.rows import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmarks.measuring import Measured
    from benchmarks.report import Results

COLOURS = {
    "liftwave": "#d1495b",
    "PyWavelets": "#4c4c4c",
    "ndwt": "#2e86ab",
    "ndwt lifting": "#8ec6e0",
    "ptwt": "#edae49",
    "pytorch_wavelets": "#7a9e65",
}


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def draw_bars(results: Results, path: Path) -> None:
    """Times as multiples of a copy, and for small arrays in microseconds, on logarithmic axes."""
    large = [row for row in results.rows if not named(row.name).small]
    small = [row for row in results.rows if named(row.name).small]
    panels = [(rows, kind) for rows, kind in ((large, "copies"), (small, "us")) if rows]
    figure = _figure(9, 1.6 + 0.62 * len(results.rows))
    heights = [len(rows) for rows, _ in panels]
    axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)
    for ax, (rows, kind) in zip(axes[:, 0], panels, strict=True):
        _bars(ax, rows, list(results.versions), kind)
    axes[0, 0].set_title(f"{results.machine}, {results.thread_counts[1]} threads", fontsize=10)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=110)


def _bars(ax: Axes, rows: list[Measured], names: list[str], kind: str) -> None:
    height = 0.86 / len(names)
    for index, name in enumerate(names):
        there = [(k, row) for k, row in enumerate(rows) if name in row.seconds]
        values = [_value(row, name, kind) for _, row in there]
        places = [k + (index - (len(names) - 1) / 2) * height for k, _ in there]
        bars = ax.barh(places, values, height, label=name, color=COLOURS.get(name))
        ax.bar_label(bars, [f"{value:.3g}" for value in values], padding=2, fontsize=6)
    _targets(ax, rows, kind)
    ax.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xscale("log")
    ax.margins(x=0.08)
    ax.set_xlabel("time / time of x.copy()" if kind == "copies" else "microseconds", fontsize=8)
    ax.tick_params(labelsize=8)
    ax.grid(axis="x", which="major", alpha=0.3)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _value(row: Measured, name: str, kind: str) -> float:
    if kind == "us":
        return row.seconds[name] * 1e6
    return row.copies if name == "liftwave" else row.seconds[name] / row.copy


def _targets(ax: Axes, rows: list[Measured], kind: str) -> None:
    """A line in each row at its target."""
    marked = [(k, named(row.name).copies) for k, row in enumerate(rows)]
    spans = [(k, copies) for k, copies in marked if copies is not None and kind == "copies"]
    if spans:
        ends = np.array([(k - 0.43, k + 0.43, copies) for k, copies in spans]).T
        ax.vlines(ends[2], ends[0], ends[1], colors="black", linewidth=1, label="target")


def draw_growth(results: Results, path: Path) -> None:
    """Time per sample against the number of samples; constant if the time is linear."""
    figure = _figure(7.5, 4.2)
    ax = figure.subplots()
    for name, curve in results.growth.items():
        sizes = np.array(sorted(curve))
        per_sample = np.array([curve[n] for n in sizes]) / sizes * 1e9
        ax.plot(sizes, per_sample, "o-", markersize=3, label=name, color=COLOURS.get(name))
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xlabel("samples")
    ax.set_ylabel("nanoseconds per sample")
    ax.set_title(f"dwt, db4, float32; {results.machine}", fontsize=10)
    ax.grid(which="major", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)
