"""Output of the commands: tables on stdout, progress on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from liftwave._files.source import STANDARD

# The output contains names from the user, so markup, emoji and highlighting are disabled.
_PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}

out = Console(**_PLAIN)
_progress = Console(stderr=True, **_PLAIN)


class Steps:
    """A progress bar that shows the current step."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=total)
        self._started = False

    def __call__(self, description: str) -> None:
        """Show the step that begins now; the previous step is complete."""
        self._bar.update(self._task, description=description, advance=int(self._started))
        self._started = True

    def count(self, finished: int, total: int) -> None:
        """Show the number of complete parts of the current step."""
        self._bar.update(self._task, completed=finished, total=total)


@contextmanager
def progress(total: int) -> Iterator[Steps]:
    """A progress bar on a terminal's stderr, cleared at the end."""
    description = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), description, BarColumn(), MofNCompleteColumn())
    # Only a terminal can be animated and cleared.
    is_terminal = _progress.is_terminal
    with Progress(*columns, console=_progress, transient=True, disable=not is_terminal) as bar:
        yield Steps(bar, total)


@contextmanager
def counted(description: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar that shows the number of finished blocks."""
    with progress(1) as step:
        step(description)
        yield step.count


def say(line: str, *, aside: bool = False) -> None:
    """Print one line of any length without wrapping, so file names stay whole.

    With ``aside`` it is printed on stderr, because stdout holds data.
    """
    (_progress if aside else out).print(line, soft_wrap=True)


def title(source: Path) -> Path:
    """The name of a file that was read, in titles: standard input is ``stdin``."""
    return Path("stdin") if source == STANDARD else source


def table(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, numbers: int = 0
) -> None:
    """Print a table; the last ``numbers`` columns are right-aligned.

    Without column names it has no header.
    """
    style = box.SIMPLE_HEAD if columns else None
    grid = Table(box=style, show_header=bool(columns), pad_edge=False, show_edge=False)
    count = len(rows[0])
    for index, name in enumerate(columns or ("",) * count):
        grid.add_column(name, justify="right" if index >= count - numbers else "left")
    for row in rows:
        grid.add_row(*row)
    out.print(title, style="bold", soft_wrap=True)
    out.print(grid)


def psnr(x: NDArray[Any], y: NDArray[Any], peak: float | None = None) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal arrays.

    The default of ``peak`` is the largest value of an integer dtype, or the range of the data.
    """
    peak = _range(x) if peak is None else peak
    error = rms(x, y)
    return float("inf") if error == 0 else float(20 * np.log10(peak / error))


def quality(decibels: float) -> str:
    """A peak signal-to-noise ratio as text."""
    return "exactly equal" if np.isinf(decibels) else f"PSNR {decibels:.2f} dB"


def _range(x: NDArray[Any]) -> float:
    if x.dtype.kind in "iu":
        return float(np.iinfo(x.dtype).max)
    values = np.abs(x) if x.dtype.kind == "c" else x.astype(np.float64)
    return float(np.ptp(values)) or 1.0


def rms(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Root mean square difference, also of complex numbers."""
    wide = np.result_type(x.dtype, y.dtype, np.float64)
    return float(np.sqrt(np.mean(np.abs(x.astype(wide) - y.astype(wide)) ** 2)))


def size(count: float) -> str:
    """A number of bytes in readable form."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
