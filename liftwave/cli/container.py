"""Decompositions as files: a self-describing .npz archive without pickles."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from liftwave._plan.axes import axis_plans
from liftwave.cli.files import FileError, read_archive, write_whole
from liftwave.cli.media import Media, as_dtype
from liftwave.decomposition import Decomposition
from liftwave.errors import LevelWarning
from liftwave.transforms.lengths import wavedecn_shapes
from liftwave.wavelets.lifting.scheme import LiftingScheme

_FORMAT = 1

# The required fields of the description in an archive, and their types.
_FIELDS = {
    "wavelet": str,
    "lifting": bool,
    "integer": bool,
    "mode": str,
    "axes": list,
    "shape": list,
    "level": int,
    "dtype": str,
    "kind": str,
    "extra": dict,
}


@dataclass(frozen=True)
class Choice:
    """The name of the wavelet on the command line."""

    name: str
    lifting: bool = False
    integer: bool = False

    def wavelet(self) -> str | LiftingScheme:
        """The wavelet as an argument of the transforms."""
        if self.integer:
            return LiftingScheme.from_name(self.name).to_integer()
        if self.lifting:
            return LiftingScheme.from_name(self.name)
        return self.name


def write_decomposition(path: Path, d: Decomposition, choice: Choice, media: Media) -> None:
    """Write the bands and all data that the reconstruction needs."""
    header = {
        "format": _FORMAT,
        "wavelet": choice.name,
        "lifting": choice.lifting,
        "integer": choice.integer,
        "mode": d.modes[0],
        "axes": d.axes,
        "shape": d.shape,
        "level": d.level,
        "dtype": media.array.dtype.str,
        "kind": media.kind,
        "extra": media.extra,
    }
    bands = {_name(*position): band for position, band in d.bands.items()}

    def fill(stream: BinaryIO) -> None:
        np.savez_compressed(stream, liftwave=np.array(json.dumps(header)), **bands)

    write_whole(path, fill)


def _name(level: int, key: str) -> str:
    return f"level{level}_{key}"


def read_decomposition(path: Path) -> tuple[Decomposition, Media]:
    """The decomposition in a file, and a placeholder for the original data.

    Raises
    ------
    FileError
        If the file is missing, empty, truncated, holds something else, or
        its bands do not match its description.
    """
    arrays = read_archive(path, "archive of coefficients")
    if "liftwave" not in arrays:
        raise FileError(
            f"{path}: not written by 'liftwave decompose' (it holds {', '.join(arrays)})"
        )
    try:
        return _rebuilt(json.loads(str(arrays.pop("liftwave"))), arrays)
    except (ValueError, TypeError) as error:
        raise FileError(f"{path}: not a valid archive of coefficients: {error}") from error


def _rebuilt(header: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> tuple[Decomposition, Media]:
    _check_fields(header, len(arrays))
    axes, shape, level = tuple(header["axes"]), tuple(header["shape"]), header["level"]
    choice = Choice(header["wavelet"], header["lifting"], header["integer"])
    wavelet, dtype = choice.wavelet(), np.dtype(header["dtype"])
    with warnings.catch_warnings():
        # The command that wrote the file has already warned about a high level.
        warnings.simplefilter("ignore", LevelWarning)
        approx, *details = wavedecn_shapes(shape, wavelet, header["mode"], level, axes)
    shapes = {_name(level, "a" * len(axes)): approx}
    for depth, bands in zip(range(level, 0, -1), details, strict=True):
        shapes |= {_name(depth, key): shape for key, shape in bands.items()}
    _check_bands(arrays, shapes, _kinds(choice.integer, dtype))
    top, *coefficients = (arrays[name] for name in shapes)
    iterator = iter(coefficients)
    filled = tuple({key: next(iterator) for key in bands} for bands in details)
    # An integer scheme returns the dtype of the data. The caller casts other results.
    plans = axis_plans(wavelet, header["mode"], axes, len(shape))
    d = Decomposition(top, filled, shape, dtype, plans)
    return d, Media(np.empty((0,), dtype=dtype), header["kind"], header["extra"])


def _check_fields(header: Any, count: int) -> None:
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        file_format = header.get("format") if isinstance(header, dict) else header
        raise FileError(f"unknown format {file_format!r}: only {_FORMAT} is supported")
    for name, kind in _FIELDS.items():
        if type(header.get(name)) is not kind:
            raise FileError(f"its {name!r} should be a {kind.__name__}, got {header.get(name)!r}")
    for name in ("axes", "shape"):
        if not header[name] or any(type(n) is not int for n in header[name]):
            raise FileError(f"its {name!r} should be a list of integers, got {header[name]!r}")
    # Every level has bands, so a description with more levels than arrays is not valid.
    if header["level"] >= max(count, 1):
        raise FileError(f"{count} bands are too few for {header['level']} levels")
    if header["kind"] not in ("array", "image", "sound"):
        raise FileError(f"its 'kind' should be array, image or sound, got {header['kind']!r}")
    if header["kind"] == "sound" and type(header["extra"].get("rate")) is not int:
        raise FileError(f"a sound needs a 'rate', got {header['extra']!r}")


def _kinds(integer: bool, dtype: np.dtype[Any]) -> str:
    """The possible dtype kinds of the coefficients of such data."""
    if dtype.kind not in "biufc":
        raise FileError(f"its 'dtype' should be one of numbers, got {dtype}")
    if integer:
        return "iu"
    # Data without any level are not transformed, so they are stored unchanged.
    return "c" if dtype.kind == "c" else "biuf"


def _check_bands(
    arrays: dict[str, np.ndarray[Any, Any]], shapes: dict[str, tuple[int, ...]], kinds: str
) -> None:
    for what, names in (("missing", shapes.keys() - arrays), ("unknown", arrays.keys() - shapes)):
        if names:
            raise FileError(f"{what} bands: {', '.join(sorted(names))}")
    for name, shape in shapes.items():
        band = arrays[name]
        if band.shape != shape or band.dtype.kind not in kinds:
            raise FileError(
                f"band {name} should have the shape {shape} and a dtype of kind {kinds!r}, "
                f"got {band.shape} and {band.dtype}"
            )


def reconstructed(d: Decomposition, media: Media) -> Media:
    """The data of a decomposition, as a file of the original kind."""
    array = as_dtype(np.asarray(d.reconstruct()), media.array.dtype)
    return Media(array, media.kind, media.extra)
