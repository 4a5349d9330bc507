"""Reads and writes files: arrays, images and sound."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from liftwave._files.archives import Archive, read_header, write_arrays
from liftwave._files.source import STANDARD, Source, first_line, opened
from liftwave._files.writing import write_whole
from liftwave.cli.images import read_image, write_image
from liftwave.cli.sounds import read_packed_sound, read_sound, write_sound
from liftwave.cli.targets import check_target
from liftwave.errors import FileError, LiftwaveError

# Formats that are only read, because writing them changes colours.
_ONLY_READ = (".gif", ".jp2")

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".pgm", ".jp2")
ARRAYS = (".npy", ".npz")
SOUNDS = (".wav",)
# Read by soundfile, and not written.
PACKED_SOUNDS = (".flac", ".ogg")

# The name of the only array in a new .npz file.
_KEY = "data"


@dataclass(frozen=True)
class Media:
    """The array of a file, and the additional data that a file of its kind needs.

    Attributes
    ----------
    array : ndarray
        An image has the shape (height, width) or (height, width, channels), a
        stack of images (frames, height, width) or (frames, height, width,
        channels), a sound (samples,) or (samples, channels).
    kind : {"array", "image", "sound"}
        The kind of the file.
    extra : dict
        For a sound the ``rate``, in samples per second, and ``bits`` if they are
        24. For an image the number of ``frames`` of a stack, and its metadata. For
        an array the ``key`` in its .npz file.
    """

    array: np.ndarray[Any, Any]
    kind: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes to transform: all but frames and channels."""
        first = int("frames" in self.extra)
        count = {"image": 2, "sound": 1}.get(self.kind, self.array.ndim)
        return tuple(range(first, first + count))

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is the transparency of an image."""
        dimensions = self.array.ndim - int("frames" in self.extra)
        layered = self.kind == "image" and dimensions == 3 and self.array.shape[-1] in (2, 4)
        return bool(layered and self.extra.get("alpha", True) and self.extra.get("colour", True))

    @property
    def peak(self) -> float | None:
        """The largest value of samples of 24 bits; None if the dtype determines it."""
        return 2.0**23 - 1 if self.extra.get("bits") == 24 else None

    def with_array(self, array: np.ndarray[Any, Any]) -> Media:
        """The same file with other samples, in the original dtype and range."""
        result = as_dtype(array, self.array.dtype)
        if self.extra.get("bits") == 24:
            result = np.clip(result, -(2**23), 2**23 - 1)
        return replace(self, array=result)


def as_dtype(array: np.ndarray[Any, Any], dtype: Any) -> np.ndarray[Any, Any]:
    """Cast samples; for integer dtypes they are rounded and clipped to the range."""
    dtype = np.dtype(dtype)
    if array.dtype == dtype:
        return array
    if dtype.kind == "b":
        return array > 0.5
    if dtype.kind in "iu":
        return _clipped(np.rint(array), np.iinfo(dtype)).astype(dtype)
    return array.astype(dtype)


def _clipped(array: np.ndarray[Any, Any], limits: Any) -> np.ndarray[Any, Any]:
    top: Any = limits.max
    if array.dtype.kind == "f" and int(array.dtype.type(top)) > top:
        # Floating-point cannot represent the largest integers, so use the next smaller number.
        top = np.nextafter(array.dtype.type(top), array.dtype.type(0))
    clipped: np.ndarray[Any, Any] = np.clip(array, limits.min, top)
    return clipped


# --- reading -----------------------------------------------------------------------------------


def read(path: Path, *, key: str | None = None, large: bool = False) -> Media:
    """Read an array, an image or a sound; ``-`` is an array on standard input.

    Parameters
    ----------
    path : Path
        The file.
    key : str, optional
        The name of the array in a .npz file; only needed if it holds several.
    large : bool, optional
        Whether to permit files that unpack to a very large size.

    Raises
    ------
    FileError
        If the file is missing, empty, truncated, or does not match its suffix.
    """
    with opened(path, large=large) as source:
        if key is not None and path.suffix.lower() != ".npz":
            raise FileError(f"{path}: --key names an array in a .npz file; remove it")
        reader = _by_suffix(path, _READERS, "read")
        try:
            with warnings.catch_warnings():
                # Unusual but harmless chunks in sound files, and damaged descriptions of pictures.
                warnings.simplefilter("ignore")
                media: Media = reader(source, key)
        except (FileError, ImportError, MemoryError):
            raise
        except Exception as error:
            kind = _kind_of(path)
            raise FileError(f"{path}: not a readable {kind} ({first_line(error)})") from error
    if media.array.size == 0:
        raise FileError(f"{path}: it holds no samples, its shape is {media.array.shape}")
    return media


def _read_npy(source: Source, _: str | None) -> Media:
    stream = source.stream
    shape, _order, dtype = read_header(stream)
    if dtype.hasobject:
        raise FileError(f"{source.path}: it holds pickled objects, which are never read")
    size = stream.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size != source.size:
        raise ValueError(f"its array of shape {shape} needs {size} bytes, but it has {source.size}")
    stream.seek(0)
    # Unlike np.load, this does not treat other files as pickles.
    array = npy.read_array(stream, allow_pickle=False)
    return Media(_numeric(array, source.path), "array")


def _read_npz(source: Source, key: str | None) -> Media:
    archive = Archive(source, "array file")
    names = list(archive.members)
    if "liftwave" in names:
        raise FileError(
            f"{source.path}: holds the coefficients of a decomposition; use 'liftwave reconstruct'"
        )
    if key is None and len(names) != 1:
        listed = ", ".join(names) or "none"
        choice = "; choose one by --key" if names else ""
        raise FileError(f"{source.path}: expected one array, found {len(names)}: {listed}{choice}")
    name = names[0] if key is None else key
    if name not in names:
        raise FileError(f"{source.path}: no array {name!r}; it holds {', '.join(names)}")
    return Media(_numeric(archive.read(name)[0], source.path), "array", {"key": name})


def _numeric(array: np.ndarray[Any, Any], path: Path) -> np.ndarray[Any, Any]:
    if array.dtype.kind not in "biufc":
        raise FileError(f"{path}: expected numbers, found dtype {array.dtype}")
    if array.ndim == 0:
        raise FileError(f"{path}: expected an array, found a single number")
    return array


def _read_image(source: Source, _: str | None) -> Media:
    array, extra = read_image(source)
    return Media(array, "image", extra)


def _read_sound(source: Source, _: str | None) -> Media:
    packed = source.path.suffix.lower() in PACKED_SOUNDS
    samples, extra = (read_packed_sound if packed else read_sound)(source)
    return Media(samples, "sound", extra)


# --- writing -----------------------------------------------------------------------------------


def write(path: Path, media: Media) -> None:
    """Write an array, an image or a sound, in the format of the suffix.

    Raises
    ------
    FileError
        If the format cannot hold samples of this shape or dtype. In this case no
        file is created, and an existing file does not change.
    """
    writer = _by_suffix(path, _WRITERS, "write data to")
    try:
        write_whole(path, lambda stream: writer(stream, media, str(path)))
    except (LiftwaveError, ImportError, OSError, MemoryError):
        raise
    except Exception as error:
        # Metadata of a manipulated archive, which the libraries of the formats do not expect.
        raise FileError(f"{path}: cannot write it ({first_line(error)})") from error


def check_writable(
    path: Path,
    content: str = "data",
    *,
    suffixes: tuple[str, ...] | None = None,
    force: bool = False,
) -> None:
    """Raise before any computation unless a file of this name can be written.

    Parameters
    ----------
    path : Path
        The file to write.
    content : str, optional
        A description of the contents, for messages.
    suffixes : tuple of str, optional
        The supported suffixes; by default all that :func:`write` supports.
    force : bool, optional
        Whether to replace an existing file.
    """
    endings = suffixes or tuple(_WRITERS)
    if path == STANDARD and ".npy" not in endings:
        raise FileError(f"only .npy arrays can be written to standard output, not {endings[0]}")
    if path != STANDARD and not path.is_dir() and path.suffix.lower() not in endings:
        raise _unsupported(path, f"write {content} to", endings)
    check_target(path, force=force)


def _write_npy(stream: BinaryIO, media: Media, _: str) -> None:
    np.save(stream, media.array, allow_pickle=False)


def _write_npz(stream: BinaryIO, media: Media, _: str) -> None:
    # The name can be any text, also that of a parameter of np.savez_compressed.
    write_arrays(stream, {media.extra.get("key", _KEY): media.array})


def _write_image(stream: BinaryIO, media: Media, name: str) -> None:
    write_image(stream, media.array, media.extra, name)


def _write_sound(stream: BinaryIO, media: Media, name: str) -> None:
    write_sound(stream, media.array, media.extra, name)


# --- by suffix ---------------------------------------------------------------------------------

_READERS: dict[str, Callable[[Source, str | None], Media]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    **dict.fromkeys((*SOUNDS, *PACKED_SOUNDS), _read_sound),
    **dict.fromkeys(IMAGES, _read_image),
}

_WRITERS: dict[str, Callable[[BinaryIO, Media, str], None]] = {
    ".npy": _write_npy,
    ".npz": _write_npz,
    **dict.fromkeys(SOUNDS, _write_sound),
    **dict.fromkeys((suffix for suffix in IMAGES if suffix not in _ONLY_READ), _write_image),
}


def _by_suffix(path: Path, table: dict[str, Any], action: str) -> Any:
    suffix = ".npy" if path == STANDARD else path.suffix.lower()
    try:
        return table[suffix]
    except KeyError:
        raise _unsupported(path, action, table) from None


def _unsupported(path: Path, action: str, suffixes: Iterable[str]) -> FileError:
    kind = f"a {path.suffix} file" if path.suffix else "a file without a suffix"
    *first, last = suffixes
    choice = f"{', '.join(first)} or {last}" if first else last
    return FileError(f"{path}: cannot {action} {kind}; use {choice}")


def _kind_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in IMAGES:
        return f"{suffix[1:]} image"
    return "sound" if suffix in (*SOUNDS, *PACKED_SOUNDS) else "array file"
