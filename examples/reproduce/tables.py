"""Tables in Markdown, means with standard deviations, and the style of pictures."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

INK, ACCENT, QUIET = "#1f4e79", "#d1495b", "#9aa5b1"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first contain numbers, aligned to the right."""
    lines = [heading, ["---"] + ["---:"] * (len(heading) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def mean_and_spread(values: Sequence[float], digits: int = 1, scale: float = 1.0) -> str:
    """``mean ± standard deviation`` of a sample; only the mean of a single value."""
    if not values:
        return "–"
    mean = f"{scale * statistics.fmean(values):.{digits}f}"
    if len(values) == 1:
        return mean
    return f"{mean} ± {scale * statistics.stdev(values):.{digits}f}"


def number(value: float | None, digits: int) -> str:
    """A number, or a dash if it is missing."""
    return "–" if value is None else f"{value:.{digits}f}"


def write(path: Path, text: str) -> None:
    """Write a file, and create its folder if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def save(figure: Figure, path: Path) -> None:
    """Save a picture in the style of the documentation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, facecolor="white", metadata={"Software": None})
