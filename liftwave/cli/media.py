"""Reads and writes files: arrays, images and sound."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from liftwave.cli.files import FileError, check_readable, first_line, read_archive, write_whole
from liftwave.cli.images import read_image, write_image

# Read, but not written: colours would change, or grey would become colour.
_ONLY_READ = (".gif", ".webp")

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".pgm")
ARRAYS = (".npy", ".npz")
SOUNDS = (".wav",)


@dataclass(frozen=True)
class Media:
    """The array of a file, and the additional data that a file of its kind needs.

    Attributes
    ----------
    array : ndarray
        An image has the shape (height, width) or (height, width, channels), a
        sound (samples,) or (samples, channels).
    kind : {"array", "image", "sound"}
        The kind of the file.
    extra : dict
        ``rate`` of a sound, in samples per second.
    """

    array: np.ndarray[Any, Any]
    kind: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes to transform: all but channels."""
        count = {"image": 2, "sound": 1}.get(self.kind, self.array.ndim)
        return tuple(range(count))

    def with_array(self, array: np.ndarray[Any, Any]) -> Media:
        """The same file with other samples, in the original dtype."""
        return replace(self, array=as_dtype(array, self.array.dtype))


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


def read(path: Path) -> Media:
    """Read an array, an image or a sound.

    Raises
    ------
    FileError
        If the file is missing, empty, truncated, or does not match its suffix.
    """
    check_readable(path)
    reader = _by_suffix(path, _READERS, "read")
    try:
        with warnings.catch_warnings():
            # Unusual but harmless chunks in sound files, and very large pictures.
            warnings.simplefilter("ignore")
            media: Media = reader(path)
    except (FileError, ImportError, MemoryError):
        raise
    except Exception as error:
        kind = _kind_of(path)
        raise FileError(f"{path}: not a readable {kind} ({first_line(error)})") from error
    if media.array.size == 0:
        raise FileError(f"{path}: it holds no samples, its shape is {media.array.shape}")
    return media


def _read_npy(path: Path) -> Media:
    with path.open("rb") as stream:
        # Unlike np.load, this does not treat other files as pickles.
        array = np.lib.format.read_array(stream, allow_pickle=False)
    return Media(_numeric(array, path), "array")


def _read_npz(path: Path) -> Media:
    arrays = read_archive(path, "array file")
    if "liftwave" in arrays:
        raise FileError(
            f"{path}: holds the coefficients of a decomposition; use 'liftwave reconstruct'"
        )
    if len(arrays) != 1:
        raise FileError(
            f"{path}: expected one array, found {len(arrays)}: {', '.join(arrays) or 'none'}"
        )
    return Media(_numeric(next(iter(arrays.values())), path), "array")


def _numeric(array: np.ndarray[Any, Any], path: Path) -> np.ndarray[Any, Any]:
    if array.dtype.kind not in "biufc":
        raise FileError(f"{path}: expected numbers, found dtype {array.dtype}")
    if array.ndim == 0:
        raise FileError(f"{path}: expected an array, found a single number")
    return array


def _read_sound(path: Path) -> Media:
    from scipy.io import wavfile

    with warnings.catch_warnings():
        # scipy only warns about samples that are missing at the end.
        warnings.filterwarnings("error", message=".*EOF")
        rate, samples = wavfile.read(path)
    return Media(samples, "sound", {"rate": int(rate)})


# --- writing -----------------------------------------------------------------------------------


def write(path: Path, media: Media) -> None:
    """Write an array, an image or a sound, in the format of the suffix.

    Raises
    ------
    FileError
        If the format cannot hold samples of this shape or dtype. In this case no
        file is created, and an existing one is kept.
    """
    writer = _by_suffix(path, _WRITERS, "write")
    write_whole(path, lambda stream: writer(stream, media, path))


def check_writable(path: Path, *, suffixes: tuple[str, ...] | None = None) -> None:
    """Raise, before any computation, unless a file of this name can be written.

    Parameters
    ----------
    path : Path
        The file to write.
    suffixes : tuple of str, optional
        The supported suffixes; by default all that :func:`write` supports.
    """
    if path.is_dir():
        raise FileError(f"{path}: is a directory, not a file")
    endings = suffixes or tuple(_WRITERS)
    if path.suffix.lower() not in endings:
        raise FileError(f"{path}: cannot write {_named(path)}; use one of {', '.join(endings)}")
    if not path.parent.is_dir():
        raise FileError(f"{path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path}: the folder {path.parent} is not writable")


def _write_npy(stream: BinaryIO, media: Media, path: Path) -> None:
    np.save(stream, media.array, allow_pickle=False)


def _write_npz(stream: BinaryIO, media: Media, path: Path) -> None:
    np.savez_compressed(stream, data=media.array)


def _write_image(stream: BinaryIO, media: Media, path: Path) -> None:
    write_image(stream, media.array, path)


def _write_sound(stream: BinaryIO, media: Media, path: Path) -> None:
    from scipy.io import wavfile

    array = media.array
    names = ("uint8", "int16", "int32", "float32", "float64")
    if array.dtype.name not in names or array.ndim not in (1, 2):
        raise FileError(
            f"{path}: a sound has the shape (samples,) or (samples, channels) and dtype "
            f"{', '.join(names)}, got {array.shape} and {array.dtype}; write a .npy file instead"
        )
    if "rate" not in media.extra:
        raise FileError(f"{path}: cannot write a .wav file: the input has no sample rate")
    wavfile.write(stream, media.extra["rate"], array)


# --- by suffix ---------------------------------------------------------------------------------

_READERS: dict[str, Callable[[Path], Media]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    **dict.fromkeys(SOUNDS, _read_sound),
    **dict.fromkeys(IMAGES, lambda path: Media(read_image(path), "image")),
}

_WRITERS: dict[str, Callable[[BinaryIO, Media, Path], None]] = {
    ".npy": _write_npy,
    ".npz": _write_npz,
    **dict.fromkeys(SOUNDS, _write_sound),
    **dict.fromkeys((suffix for suffix in IMAGES if suffix not in _ONLY_READ), _write_image),
}


def _by_suffix(path: Path, table: dict[str, Any], verb: str) -> Any:
    try:
        return table[path.suffix.lower()]
    except KeyError:
        raise FileError(
            f"{path}: cannot {verb} {_named(path)}; use one of {', '.join(table)}"
        ) from None


def _named(path: Path) -> str:
    return f"files that end in {path.suffix!r}" if path.suffix else "a file without a suffix"


def _kind_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in IMAGES:
        return f"{suffix[1:]} image"
    return "sound" if suffix in SOUNDS else "array file"
