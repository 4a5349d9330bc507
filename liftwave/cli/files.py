"""Files to read: checks before they are read, and limits of their unpacked size."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from liftwave.errors import LiftwaveError

# The name of standard input or output.
STANDARD = Path("-")

# Packed files that grow beyond both limits are refused: they would fill the memory.
LARGE = 10**9
LARGE_RATIO = 100


class FileError(LiftwaveError, ValueError):
    """A file that cannot be read or written in the expected format."""


@dataclass(frozen=True)
class Source:
    """A file to read.

    Attributes
    ----------
    path : Path
        Its name, for messages.
    stream : BinaryIO
        Its content, with a position that can be changed.
    size : int
        The number of bytes in it.
    large : bool
        Whether the user permits any unpacked size.
    """

    path: Path
    stream: BinaryIO
    size: int
    large: bool = False

    def check_unpacked(self, count: int) -> None:
        """Raise, before unpacking, if ``count`` bytes would be suspiciously many."""
        if not self.large and count > LARGE and count > LARGE_RATIO * self.size:
            raise FileError(
                f"{self.path}: {self.size} bytes would unpack to {count / 1e9:.1f} GB, more than "
                f"{LARGE / 1e9:.0f} GB and {LARGE_RATIO} times the file; add --large to permit it"
            )


@contextmanager
def opened(path: Path, *, large: bool = False) -> Iterator[Source]:
    """Open a file, a pipe or standard input to read.

    Raises
    ------
    FileError
        If it is missing, empty, or a folder.
    """
    if path != STANDARD and not path.exists():
        raise FileError(f"{path}: no such file")
    if path.is_dir():
        raise FileError(f"{path}: is a directory, not a file")
    if path != STANDARD and path.is_file():
        with path.open("rb") as stream:
            yield _checked(Source(path, stream, path.stat().st_size, large))
        return
    # A pipe has no position, but readers of pictures and archives go back and forth.
    content = sys.stdin.buffer.read() if path == STANDARD else path.read_bytes()
    yield _checked(Source(path, io.BytesIO(content), len(content), large))


def _checked(source: Source) -> Source:
    if source.size == 0:
        raise FileError(f"{source.path}: the file is empty")
    return source


def first_line(error: BaseException) -> str:
    """The message of another library's exception, shortened to one line."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
