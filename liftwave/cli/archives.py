"""Archives (.npz): the members are listed and checked before any of them is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from liftwave.cli.files import FileError, Source, first_line

# Descriptions of arrays are short; a longer one is not read.
_LONGEST_HEADER = 10_000


@dataclass(frozen=True)
class Member:
    """An array in an archive that is not unpacked yet."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    entry: zipfile.ZipInfo


class Archive:
    """The arrays of a .npz file.

    Parameters
    ----------
    source : Source
        The file.
    kind : str
        What it should be, for messages.
    """

    def __init__(self, source: Source, kind: str) -> None:
        self._source = source
        self._kind = kind
        if not zipfile.is_zipfile(source.stream):
            raise FileError(
                f"{source.path}: not a readable {kind} (no .npz file, or a truncated one)"
            )
        with self._readable():
            self._file = zipfile.ZipFile(source.stream)
            self.members = {m.name: m for m in map(self._described, self._file.infolist())}

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (FileError, MemoryError):
            raise
        except Exception as error:
            raise FileError(
                f"{self._source.path}: not a readable {self._kind} ({first_line(error)})"
            ) from error

    def _described(self, entry: zipfile.ZipInfo) -> Member:
        with self._file.open(entry) as stream:
            shape, _, dtype = read_header(stream)
            start = stream.tell()
        if dtype.hasobject:
            raise FileError(
                f"{self._source.path}: {entry.filename} holds pickled objects, which are never read"
            )
        if start + prod(shape) * dtype.itemsize != entry.file_size:
            raise ValueError(f"{entry.filename} does not have the size of its shape {shape}")
        return Member(entry.filename.removesuffix(".npy"), shape, dtype, entry)

    def check_unpacked(self, count: int) -> None:
        """Raise if ``count`` bytes would be suspiciously many for this file."""
        self._source.check_unpacked(count)

    def read(self, *names: str) -> list[np.ndarray[Any, Any]]:
        """Unpack the named arrays.

        Raises
        ------
        FileError
            If they are damaged, or unpack to more than the limit.
        """
        entries = [self.members[name].entry for name in names]
        self._source.check_unpacked(sum(entry.file_size for entry in entries))
        with self._readable():
            return [self._unpacked(entry) for entry in entries]

    def _unpacked(self, entry: zipfile.ZipInfo) -> np.ndarray[Any, Any]:
        with self._file.open(entry) as stream:
            array = npy.read_array(stream, allow_pickle=False)
            # Only the end of the member compares its checksum.
            if stream.read(1):
                raise ValueError(f"{entry.filename} is longer than its array")
        return array


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape, the order and the dtype at the beginning of a .npy file."""
    version = npy.read_magic(stream)
    if version == (1, 0):
        return npy.read_array_header_1_0(stream, max_header_size=_LONGEST_HEADER)
    if version == (2, 0):
        return npy.read_array_header_2_0(stream, max_header_size=_LONGEST_HEADER)
    raise ValueError(f"the version {version} of the .npy format is not supported")


def write_arrays(stream: BinaryIO, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write a compressed .npz file with any names."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in arrays.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)
