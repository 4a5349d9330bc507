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

from liftwave._files.source import STANDARD
from liftwave.errors import FileError


def followed(path: Path) -> Path:
    """The file that a symbolic link leads to; other paths unchanged."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise FileError(f"{path}: is a symbolic link that leads back to itself")
    return target


def check_permission(path: Path, target: Path) -> None:
    """Raise if the file exists and must not be changed."""
    # The superuser may write everything, but has also marked such a file as read-only.
    if target.exists() and not (target.stat().st_mode & 0o222 and os.access(target, os.W_OK)):
        raise FileError(f"{path}: the file is read-only")


def is_special(target: Path) -> bool:
    """Whether it is a pipe or a device, which is written to and not replaced."""
    return target.exists() and not target.is_file()


def write_whole(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Write a file completely or not at all: write it under another name, then rename it.

    A symbolic link is followed, and an existing file's permissions are kept.

    Raises
    ------
    FileError
        If the file is read-only, the system does not permit the write, or the disk is full.
    """
    try:
        target = path if path == STANDARD else followed(path)
        if target == STANDARD or is_special(target):
            _write_through(target, fill)
        else:
            check_permission(path, target)
            _write_renamed(target, fill)
    except (BrokenPipeError, FileError):
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
