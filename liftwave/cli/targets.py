"""Writes files completely or not at all, without changing what else the user has set up."""

from __future__ import annotations

import io
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from liftwave.cli.files import STANDARD, FileError


def check_target(path: Path, *, force: bool = False) -> None:
    """Raise, before any computation, unless a file of this name can be written.

    Parameters
    ----------
    path : Path
        The file to write, a named pipe, or ``-`` for standard output.
    force : bool, optional
        Permits an existing file, which is replaced.

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
    target = _followed(path)
    if not target.parent.is_dir():
        raise FileError(f"{path}: the folder {_shown(path, target)} does not exist")
    if target.exists():
        _check_existing(path, target, force)
    if not _is_special(target) and not os.access(target.parent, os.W_OK):
        raise FileError(f"{path}: the folder {_shown(path, target)} is not writable")


def _check_existing(path: Path, target: Path, force: bool) -> None:
    # The superuser may write everything, but has also marked this file as read-only.
    writable = target.stat().st_mode & 0o222 and os.access(target, os.W_OK)
    if not writable:
        raise FileError(f"{path}: the file is read-only")
    if not _is_special(target) and not force:
        raise FileError(f"{path}: the file exists already; add --force to replace it")


def _followed(path: Path) -> Path:
    """The file that a symbolic link leads to; other paths unchanged."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise FileError(f"{path}: is a symbolic link that leads back to itself")
    return target


def _shown(path: Path, target: Path) -> Path:
    return target.parent if path.is_symlink() else path.parent


def _is_special(target: Path) -> bool:
    """Whether it is a pipe or a device, which is written to and not replaced."""
    return target.exists() and not target.is_file()


def write_whole(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Write a file completely or not at all: write it under another name, then rename it.

    A symbolic link is followed, and an existing file's permissions are kept.

    Raises
    ------
    FileError
        If the system does not permit the write, or the disk is full.
    """
    try:
        target = path if path == STANDARD else _followed(path)
        if target == STANDARD or _is_special(target):
            _write_through(target, fill)
        else:
            _write_renamed(target, fill)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileError(f"{path}: cannot write it ({error.strerror or error})") from error


def _write_through(target: Path, fill: Callable[[BinaryIO], object]) -> None:
    # Pipes have no position, but the writers of archives and sounds go back to fill in sizes.
    content = io.BytesIO()
    fill(content)
    if target == STANDARD:
        sys.stdout.buffer.write(content.getbuffer())
        sys.stdout.buffer.flush()
        return
    with target.open("wb") as pipe:
        pipe.write(content.getbuffer())


def _write_renamed(target: Path, fill: Callable[[BinaryIO], object]) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".liftwave-", suffix=target.suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            stream = _CheckedStream(file)
            fill(cast(BinaryIO, stream))
            file.flush()
            os.fsync(handle)
            if os.fstat(handle).st_size != stream.end:
                raise OSError(f"{os.fstat(handle).st_size} of {stream.end} bytes were stored")
        _take_over(Path(name), target)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _take_over(temporary: Path, target: Path) -> None:
    """Give the new file the owner and the permissions of the file that it replaces."""
    if target.exists():
        existing = target.stat()
        if hasattr(os, "chown"):
            with suppress(PermissionError):  # only the superuser can give files away
                os.chown(temporary, existing.st_uid, existing.st_gid)
        temporary.chmod(stat.S_IMODE(existing.st_mode))
    else:
        # Files of mkstemp are private, so set the permissions of ordinary files.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)


class _CheckedStream(io.BufferedIOBase):
    """A file that libraries can only write to through Python, which reports every failed write.

    It has no file descriptor: ``ndarray.tofile`` would write through C's buffers, and does not
    report an error when it closes them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.end = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = self._file.write(data)
        self.end = max(self.end, self._file.tell())
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Do nothing: the file is closed after the check."""
