"""Files in and out: arrays, images and sound."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from liftwave.errors import LiftwaveError

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".pgm")
ARRAYS = (".npy", ".npz")
SOUNDS = (".wav",)


class FileError(LiftwaveError, ValueError):
    """A file that cannot be read or written as what it should be."""


@dataclass(frozen=True)
class Media:
    """The array of a file, and what a file of its kind needs besides.

    Attributes
    ----------
    array : ndarray
        An image has the shape (height, width) or (height, width, channels), a
        sound (samples,) or (samples, channels).
    kind : {"array", "image", "sound"}
        What the file was.
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
        """The same file with other samples, in the dtype that it had."""
        return replace(self, array=as_dtype(array, self.array.dtype))


def as_dtype(array: np.ndarray[Any, Any], dtype: Any) -> np.ndarray[Any, Any]:
    """Cast samples; towards integers they are rounded and clipped to the dtype's range."""
    dtype = np.dtype(dtype)
    if array.dtype == dtype:
        return array
    if dtype.kind == "b":
        return array > 0.5
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return np.clip(np.rint(array), limits.min, limits.max).astype(dtype)
    return array.astype(dtype)


# --- reading -----------------------------------------------------------------------------------


def read(path: Path) -> Media:
    """Read an array, an image or a sound.

    Raises
    ------
    FileError
        If the file is missing, empty, truncated, or not what its name says.
    """
    reader = _by_suffix(path, _READERS, "read")
    check_readable(path)
    try:
        with warnings.catch_warnings():
            # Odd but harmless chunks in sound files and oversized pictures.
            warnings.simplefilter("ignore")
            media = reader(path)
    except FileError:
        raise
    except Exception as error:
        kind = _kind_of(path)
        raise FileError(f"{path}: not a readable {kind} ({_first_line(error)})") from error
    if media.array.size == 0:
        raise FileError(f"{path}: it holds no samples, its shape is {media.array.shape}")
    return media


def check_readable(path: Path) -> None:
    """Raise unless ``path`` is a file with something in it."""
    if not path.exists():
        raise FileError(f"{path}: no such file")
    if path.is_dir():
        raise FileError(f"{path}: is a directory, not a file")
    if path.stat().st_size == 0:
        raise FileError(f"{path}: the file is empty")


def _read_npy(path: Path) -> Media:
    return Media(_numeric(np.load(path, allow_pickle=False), path), "array")


def _read_npz(path: Path) -> Media:
    with np.load(path, allow_pickle=False) as archive:
        names = list(archive.files)
        if "liftwave" in names:
            raise FileError(
                f"{path}: holds the coefficients of a decomposition; use 'liftwave reconstruct'"
            )
        if len(names) != 1:
            raise FileError(f"{path}: expected one array, found {len(names)}: {names}")
        return Media(_numeric(archive[names[0]], path), "array")


def _numeric(array: np.ndarray[Any, Any], path: Path) -> np.ndarray[Any, Any]:
    if array.dtype.kind not in "biufc":
        raise FileError(f"{path}: expected numbers, found dtype {array.dtype}")
    if array.ndim == 0:
        raise FileError(f"{path}: expected an array, found a single number")
    return array


def _read_image(path: Path) -> Media:
    from PIL import Image

    with Image.open(path) as image:
        deep = _is_deep_colour(image)
        image.load()
        if deep:
            return _read_deep_colour(path)
        if image.mode in ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "1"):
            # Palettes and other colour spaces have no arithmetic of their own.
            plain = image.convert({"1": "L", "PA": "RGBA"}.get(image.mode, "RGB"))
            return Media(np.asarray(plain), "image")
        return Media(np.asarray(image), "image")


def _is_deep_colour(image: Any) -> bool:
    """Whether pillow will reduce 16-bit colour to 8 bits, which it does without a word."""
    stored = " ".join(str(tile[3]) for tile in image.tile)
    return ";16" in stored and image.mode in ("RGB", "RGBA", "LA")


def _read_deep_colour(path: Path) -> Media:
    if path.suffix.lower() == ".png":
        import png

        width, height, rows, info = png.Reader(filename=str(path)).asDirect()
        array = np.vstack([np.asarray(row, dtype=np.uint16) for row in rows])
        return Media(array.reshape(height, width, info["planes"]), "image")
    import tifffile

    return Media(np.asarray(tifffile.imread(path)), "image")


def _read_sound(path: Path) -> Media:
    from scipy.io import wavfile

    rate, samples = wavfile.read(path)
    return Media(samples, "sound", {"rate": int(rate)})


# --- writing -----------------------------------------------------------------------------------


def write(path: Path, media: Media) -> None:
    """Write an array, an image or a sound, by the name's suffix.

    Raises
    ------
    FileError
        If samples of this shape or dtype do not fit that kind of file. No
        file is left behind then, and an old one is kept.
    """
    writer = _by_suffix(path, _WRITERS, "write")
    write_whole(path, lambda stream: writer(stream, media, path))


def check_writable(path: Path, *, suffixes: tuple[str, ...] | None = None) -> None:
    """Raise, before any work, unless a file of this name can be written.

    Parameters
    ----------
    path : Path
        The file to be.
    suffixes : tuple of str, optional
        What its name may end in; by default all that :func:`write` knows.
    """
    known = suffixes or tuple(_WRITERS)
    if path.suffix.lower() not in known:
        raise FileError(f"{path}: cannot write {_named(path)}; use one of {', '.join(known)}")
    if path.is_dir():
        raise FileError(f"{path}: is a directory, not a file")
    if not path.parent.is_dir():
        raise FileError(f"{path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path}: the folder {path.parent} is not writable")


def write_whole(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    """Write a file whole or not at all: under another name first, then renamed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    try:
        with os.fdopen(handle, "wb") as stream:
            fill(stream)
        # mkstemp's files are private; give it the permissions that others get.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _write_npy(stream: BinaryIO, media: Media, path: Path) -> None:
    np.save(stream, media.array, allow_pickle=False)


def _write_npz(stream: BinaryIO, media: Media, path: Path) -> None:
    np.savez_compressed(stream, data=media.array)


def _write_image(stream: BinaryIO, media: Media, path: Path) -> None:
    from PIL import Image

    array = media.array
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (2, 3, 4))
    if not fits or array.dtype not in (np.uint8, np.uint16, np.bool_):
        raise FileError(
            f"{path}: an image has the shape (height, width) or (height, width, 2 to 4) and dtype "
            f"uint8 or uint16, got {array.shape} and {array.dtype}; write a .npy file instead"
        )
    if array.dtype == np.uint16 and array.ndim == 3:
        _write_deep_colour(stream, array, path)
        return
    kind = Image.registered_extensions()[path.suffix.lower()]
    try:
        Image.fromarray(array).save(stream, format=kind)
    except (OSError, KeyError, ValueError) as error:
        raise FileError(
            f"{path}: {kind} cannot hold an image of shape {array.shape} and dtype {array.dtype} "
            f"({_first_line(error)}); use .png or .tif"
        ) from error


def _write_deep_colour(stream: BinaryIO, array: np.ndarray[Any, Any], path: Path) -> None:
    if path.suffix.lower() == ".png":
        import png

        height, width, channels = array.shape
        kinds = {"greyscale": channels == 2, "alpha": channels in (2, 4)}
        png.Writer(width, height, bitdepth=16, **kinds).write(stream, array.reshape(height, -1))
    elif path.suffix.lower() in (".tif", ".tiff"):
        import tifffile

        tifffile.imwrite(stream, array, photometric="rgb" if array.shape[2] > 2 else "minisblack")
    else:
        raise FileError(f"{path}: 16-bit colour is written as .png or .tif only")


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
        raise FileError(f"{path}: a .wav file needs a sample rate, which the input has not")
    wavfile.write(stream, media.extra["rate"], array)


# --- by suffix ---------------------------------------------------------------------------------

_READERS: dict[str, Callable[[Path], Media]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    **dict.fromkeys(SOUNDS, _read_sound),
    **dict.fromkeys(IMAGES, _read_image),
}

_WRITERS: dict[str, Callable[[BinaryIO, Media, Path], None]] = {
    ".npy": _write_npy,
    ".npz": _write_npz,
    **dict.fromkeys(SOUNDS, _write_sound),
    **dict.fromkeys(IMAGES, _write_image),
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


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
