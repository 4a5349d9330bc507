"""Checks of the files that a command writes, before any computation."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from liftwave._files.source import STANDARD
from liftwave._files.writing import check_permission, followed, is_special
from liftwave.errors import FileError


def check_target(path: Path, *, force: bool = False) -> None:
    """Raise before any computation unless a file of this name can be written.

    Parameters
    ----------
    path : Path
        The file to write, a named pipe, or ``-`` for standard output.
    force : bool, optional
        Whether to replace an existing file.

    Raises
    ------
    FileError
        If it is a folder, a file that must not be overwritten, or in a folder
        that cannot be written.
    """
    if path == STANDARD:
        if sys.stdout.isatty():
            raise FileError(
                "standard output is a terminal, not a file: redirect it, or name a file"
            )
        return
    if path.is_dir():
        raise FileError(f"{path}: is a directory, not a file")
    target = followed(path)
    if not target.parent.is_dir():
        raise FileError(f"{path}: the folder {_shown(path, target)} does not exist")
    if target.exists():
        _check_existing(path, target, force)
    if not is_special(target) and not os.access(target.parent, os.W_OK):
        raise FileError(f"{path}: the folder {_shown(path, target)} is not writable")


def _check_existing(path: Path, target: Path, force: bool) -> None:
    check_permission(path, target)
    if not is_special(target) and not force:
        raise FileError(f"{path}: the file exists already; add --force to replace it")


def _shown(path: Path, target: Path) -> Path:
    return target.parent if path.is_symlink() else path.parent
