"""Series of one variable over time: sounds, arrays, and .csv files with a column of times."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from liftwave._files.source import opened
from liftwave.cli.media import Media, read
from liftwave.errors import FileError

CSV = ".csv"

# Relative to the mean distance: text has few digits.
_TOLERANCE = 0.02


class Series(NamedTuple):
    """A series, and the number of its samples per second (or other unit of time).

    Attributes
    ----------
    samples : ndarray, shape (n,)
        Floating-point numbers.
    rate : float
        Samples per unit of time.
    unit : str
        ``"s"`` for sounds and known rates, ``"samples"`` without a rate.
    note : str
        The omitted parts, for the heading.
    media : Media
        The file.
    """

    samples: np.ndarray[Any, Any]
    rate: float
    unit: str
    note: str
    media: Media


def read_series(path: Path, rate: float | None, *, key: str | None, large: bool) -> Series:
    """Read a series.

    Parameters
    ----------
    path : Path
        A sound, an array of one axis, or a table with a column of times.
    rate : float, optional
        Samples per unit of time, in place of that of the file.
    key : str, optional
        The name of an array in a .npz file, or of a column of a table.
    large : bool
        Whether to permit files that unpack to a very large size.

    Raises
    ------
    FileError
        If the file does not hold such a series, or the rate is not positive.
    """
    if rate is not None and not 0 < rate < float("inf"):
        raise FileError(f"--fs must be a positive number, got {rate:g}")
    note = ""
    if path.suffix.lower() == CSV:
        samples, own = _read_table(path, key, large=large)
        media = Media(samples, "array")
    else:
        media = read(path, key=key, large=large)
        own = media.extra.get("rate")
        samples = media.array
        if media.kind == "sound" and samples.ndim == 2:
            note = f", the first of {samples.shape[1]} channels" if samples.shape[1] > 1 else ""
            samples = samples[:, 0]
    if samples.ndim != 1 or samples.dtype.kind == "c":
        raise FileError(
            f"{path}: a scalogram shows one real series, but the file holds an array of shape "
            f"{samples.shape} and dtype {samples.dtype}"
        )
    floats = samples if samples.dtype.kind == "f" else samples.astype(np.float64)
    if not np.isfinite(floats).all():
        raise FileError(f"{path}: it has samples that are not finite numbers")
    sampling_rate = rate or own
    unit = "samples" if sampling_rate is None else "s"
    return Series(floats, float(sampling_rate or 1.0), unit, note, media)


def _read_table(path: Path, key: str | None, *, large: bool) -> tuple[Any, float | None]:
    """The values of a column, and the rate that the column of times states."""
    with opened(path, large=large) as source:
        try:
            text = source.stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FileError(f"{path}: not a readable table ({error})") from None
    separator = ";" if ";" in text.partition("\n")[0] else ","
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    header = rows.pop(0) if rows and not _is_numeric(rows[0]) else []
    if not rows:
        raise FileError(f"{path}: the table has no numbers")
    try:
        table = np.array([[float(cell) for cell in row] for row in rows])
    except ValueError as error:
        raise FileError(f"{path}: not a table of numbers ({error})") from None
    column = _column(path, [name.strip() for name in header], table.shape[-1], key)
    if table.shape[1] == 1:
        return table[:, 0], None
    return table[:, column], _rate_of(path, table[:, 0])


def _is_numeric(row: list[str]) -> bool:
    try:
        [float(cell) for cell in row]
    except ValueError:
        return False
    return True


def _column(path: Path, header: list[str], count: int, key: str | None) -> int:
    if key is None:
        return min(1, count - 1)
    if key not in header[:count]:
        raise FileError(f"{path}: no column {key!r}; it has {', '.join(header) or 'no names'}")
    return header.index(key)


def _rate_of(path: Path, times: np.ndarray[Any, Any]) -> float:
    """The rate of equally spaced times."""
    gaps = np.diff(times)
    mean = float(gaps.mean()) if gaps.size else 0.0
    if not mean > 0 or np.abs(gaps - mean).max() > _TOLERANCE * mean:
        raise FileError(
            f"{path}: the times in the first column must increase by equal steps; resample the "
            "series first"
        )
    return 1 / mean
