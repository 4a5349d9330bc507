"""What the commands print: tables on stdout, progress on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

out = Console(highlight=False)
_progress = Console(stderr=True)


class Steps:
    """A progress bar that is told what is being done."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=total)
        self._started = False

    def __call__(self, what: str) -> None:
        """Say what begins now; what went before is finished."""
        self._bar.update(self._task, description=what, advance=int(self._started))
        self._started = True


@contextmanager
def progress(total: int) -> Iterator[Steps]:
    """A progress bar on a terminal's stderr, gone when the work is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=_progress, transient=True) as bar:
        yield Steps(bar, total)


def table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table; the first column is text, the others align as they are."""
    made = Table(title=title, title_justify="left", title_style="bold", pad_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*row)
    out.print(made)


def psnr(x: NDArray[Any], y: NDArray[Any], peak: float | None = None) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal arrays.

    Without ``peak`` it is the range of an integer dtype's values, or that of the data.
    """
    if peak is None:
        integers = x.dtype.kind in "iu"
        peak = float(np.iinfo(x.dtype).max if integers else np.ptp(x) or 1.0)
    difference = x.astype(np.float64) - y.astype(np.float64)
    error = float(np.mean(np.abs(difference) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def size(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
