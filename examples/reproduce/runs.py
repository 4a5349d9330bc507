"""Runs, their results, and the continuation of interrupted runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Settings: TypeAlias = dict[str, Any]
"""The settings of a run, as JSON values."""

Result: TypeAlias = dict[str, Any]
"""Its results, as JSON values."""


class Results:
    """Results of runs, one line of JSON each, in a file to which lines are only appended.

    Lines truncated by an interruption are ignored, and their runs are repeated.

    Parameters
    ----------
    path : Path
        The file; the file and its folder can be missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found = dict(self._read())

    def _read(self) -> Iterator[tuple[str, tuple[Settings, Result]]]:
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                held = json.loads(line)
            except json.JSONDecodeError:
                continue
            yield _key(held["settings"]), (held["settings"], held["result"])

    def __contains__(self, settings: Settings) -> bool:
        return _key(settings) in self._found

    def __iter__(self) -> Iterator[tuple[Settings, Result]]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def of(self, **settings: Any) -> list[Result]:
        """The results of all runs with these settings and any other settings."""
        return [
            result
            for found, result in self
            if all(name in found and found[name] == value for name, value in settings.items())
        ]

    def add(self, settings: Settings, result: Result) -> None:
        """Append the result of a run."""
        line = json.dumps({"settings": settings, "result": result}, sort_keys=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Ends a truncated line first, so that it does not damage the new line.
        whole = not self.path.exists() or self.path.read_bytes()[-1:] in (b"", b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("" if whole else "\n") + line + "\n")
        self._found[_key(settings)] = (settings, json.loads(line)["result"])


def _key(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)


def perform(
    runs: Iterable[Settings],
    execute: Callable[[Settings], Result],
    results: Results,
    minutes: float | None = None,
) -> int:
    """Do the runs without a result, until the time limit.

    A run that has started is completed.

    Returns
    -------
    int
        The number of remaining runs.
    """
    todo = [settings for settings in runs if settings not in results]
    until = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("", total=len(todo))
        for done, settings in enumerate(todo):
            if time.monotonic() >= until:
                return len(todo) - done
            progress.update(task, description=", ".join(str(v) for v in settings.values()))
            results.add(settings, execute(settings))
            progress.advance(task)
    return 0
