"""File handling: checks before reading, atomic writing, and archives."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from liftwave.errors import LiftwaveError


class FileError(LiftwaveError, ValueError):
    """A file that cannot be read or written in the expected format."""


def check_readable(path: Path) -> None:
    """Raise unless ``path`` is a file that is not empty."""
    if not path.exists():
        raise FileError(f"{path}: no such file")
    if path.is_dir():
        raise FileError(f"{path}: is a directory, not a file")
    if path.stat().st_size == 0:
        raise FileError(f"{path}: the file is empty")


def read_archive(path: Path, kind: str) -> dict[str, np.ndarray[Any, Any]]:
    """All arrays of a .npz file.

    Raises
    ------
    FileError
        If it is missing, empty, truncated, or not a .npz file.
    """
    check_readable(path)
    if not zipfile.is_zipfile(path):
        raise FileError(f"{path}: not a readable {kind} (no .npz file, or a truncated one)")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except MemoryError:
        raise
    except Exception as error:
        raise FileError(f"{path}: not a readable {kind} ({first_line(error)})") from error


def write_whole(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Write a file completely or not at all: write it under another name, then rename it.

    Raises
    ------
    FileError
        If the system does not permit the write.
    """
    try:
        _write_renamed(path, fill)
    except OSError as error:
        raise FileError(f"{path}: cannot write it ({error.strerror or error})") from error


def _write_renamed(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".liftwave-", suffix=path.suffix)
    os.close(handle)
    try:
        with Path(name).open("wb") as stream:
            fill(stream)
        # Files of mkstemp are private, so set the permissions of ordinary files.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def first_line(error: BaseException) -> str:
    """The message of another library's exception, shortened to one line."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
