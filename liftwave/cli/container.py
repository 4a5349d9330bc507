"""Decompositions as files: a self-describing .npz archive without pickles."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pywt

from liftwave._plan.axes import axis_plans
from liftwave._plan.boundary import LIFTING_MODES, MODES
from liftwave.cli.archives import Archive, write_arrays
from liftwave.cli.files import FileError, opened
from liftwave.cli.media import Media
from liftwave.cli.packing import packed, unpacked
from liftwave.cli.targets import write_whole
from liftwave.decomposition import Decomposition
from liftwave.errors import FactorizationError, LevelWarning
from liftwave.transforms.lengths import wavedecn_shapes
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.names import nearest_wavelet, pywt_name

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
    "coefficients": str,
}

_KINDS = {
    str: "text",
    bool: "true or false",
    list: "a list",
    int: "an integer",
    dict: "a table",
}

# The name of the description in an archive, and the largest number of its bytes.
_DESCRIPTION = "liftwave"
_LONGEST_DESCRIPTION = 2**26


class Layout(NamedTuple):
    """The shape and the dtype of a band in an archive."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Choice:
    """The name of the wavelet on the command line."""

    name: str
    lifting: bool = False
    integer: bool = False

    def wavelet(self) -> str | LiftingScheme:
        """The wavelet as an argument of the transforms.

        Raises
        ------
        FileError
            If no such wavelet exists, or it has no lifting scheme.
        """
        try:
            bank: str = pywt_name(self.name)
            if bank.lower() in pywt.wavelist(kind="continuous"):
                raise FileError(
                    f"{self.name!r} is a continuous wavelet, which has no filters; "
                    "'liftwave wavelets' lists the others"
                )
            if bank.lower() not in pywt.wavelist(kind="discrete"):
                raise FileError(
                    f"unknown wavelet {self.name!r}; 'liftwave wavelets' lists the names."
                    + nearest_wavelet(self.name)
                )
            if not self.lifting and not self.integer:
                return bank
            scheme: LiftingScheme = LiftingScheme.from_name(self.name)
        except FactorizationError:
            raise FileError(
                f"{self.name!r} has no lifting scheme, because the table of its filters does not "
                "reconstruct exactly; transform without lifting"
            ) from None
        return scheme.to_integer() if self.integer else scheme

    def check_mode(self, mode: str) -> None:
        """Raise if lifting does not have this boundary mode."""
        if (self.lifting or self.integer) and mode in MODES and mode not in LIFTING_MODES:
            raise FileError(
                f"the boundary mode {mode!r} is not defined for lifting; use one of "
                f"{', '.join(LIFTING_MODES)}, or transform without lifting"
            )


def write_decomposition(
    path: Path, d: Decomposition, choice: Choice, media: Media, *, zstd: bool = False
) -> None:
    """Write the bands and all data that the reconstruction needs; packed by zstd if requested."""
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
        "coefficients": d.approx.dtype.str,
    }
    bands = {_name(*position): _narrow(band) for position, band in d.bands.items()}
    if zstd:
        header["packed"] = {name: [b.dtype.str, b.shape] for name, b in bands.items()}
        bands = {name: packed(band) for name, band in bands.items()}

    def fill(stream: BinaryIO) -> None:
        write_arrays(stream, {_DESCRIPTION: np.array(json.dumps(header)), **bands})

    write_whole(path, fill)


def _narrow(band: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The band in the narrowest dtype of its kind that holds all of its values."""
    narrower = {"i": "i1 i2 i4", "f": "f4"}.get(band.dtype.kind, "").split()
    for dtype in map(np.dtype, narrower):
        if dtype.itemsize >= band.dtype.itemsize:
            break
        with np.errstate(over="ignore"):
            cast = band.astype(dtype)
        if np.array_equal(cast, band, equal_nan=band.dtype.kind == "f"):
            return cast
    return band


def _name(level: int, key: str) -> str:
    return f"level{level}_{key}"


def read_decomposition(path: Path, *, large: bool = False) -> tuple[Decomposition, Media]:
    """The decomposition in a file, and a placeholder for the original data.

    Nothing is unpacked before all bands match the description.

    Raises
    ------
    FileError
        If the file is missing, empty, truncated, holds something else, or
        its bands do not match its description.
    """
    with opened(path, large=large) as source:
        archive = Archive(source, "archive of coefficients")
        if _DESCRIPTION not in archive.members:
            listed = ", ".join(archive.members) or "nothing"
            raise FileError(f"{path}: not written by 'liftwave decompose' (it holds {listed})")
        try:
            return _rebuilt(_description(archive), archive)
        except (ValueError, TypeError) as error:
            if str(error).startswith(f"{path}: "):
                raise
            raise FileError(f"{path}: not a valid archive of coefficients: {error}") from error


def _description(archive: Archive) -> Any:
    if archive.members[_DESCRIPTION].entry.file_size > _LONGEST_DESCRIPTION:
        raise FileError("its description is too long")
    return json.loads(str(archive.read(_DESCRIPTION)[0]))


def _rebuilt(header: Any, archive: Archive) -> tuple[Decomposition, Media]:
    members = {name: m for name, m in archive.members.items() if name != _DESCRIPTION}
    _check_fields(header, len(members))
    axes, shape, level = tuple(header["axes"]), tuple(header["shape"]), header["level"]
    choice = Choice(header["wavelet"], header["lifting"], header["integer"])
    wavelet, dtype = choice.wavelet(), np.dtype(header["dtype"])
    choice.check_mode(header["mode"])
    with warnings.catch_warnings():
        # The command that wrote the file has already warned about a high level.
        warnings.simplefilter("ignore", LevelWarning)
        approx, *details = wavedecn_shapes(shape, wavelet, header["mode"], level, axes)
    shapes = {_name(level, "a" * len(axes)): approx}
    for depth, bands in zip(range(level, 0, -1), details, strict=True):
        shapes |= {_name(depth, key): shape for key, shape in bands.items()}
    kinds = _kinds(choice.integer, dtype)
    stored = {name: Layout(m.shape, m.dtype) for name, m in members.items()}
    layouts = _packed_layouts(header["packed"]) if "packed" in header else stored
    _check_bands(layouts, shapes, kinds)
    if layouts.keys() != members.keys():
        raise FileError("its packed bands are not those of its description")
    wide = np.dtype(header["coefficients"])
    if wide.kind not in kinds:
        raise FileError(f"its 'coefficients' should have a kind of {kinds!r}, got {wide}")
    archive.check_unpacked(sum(prod(band.shape) * band.dtype.itemsize for band in layouts.values()))
    contents = zip(archive.read(*shapes), (layouts[name] for name in shapes), strict=True)
    if "packed" in header:
        bands_read = [unpacked(content, *layout) for content, layout in contents]
    else:
        bands_read = [content for content, _ in contents]
    top, *coefficients = (band.astype(wide, copy=False) for band in bands_read)
    iterator = iter(coefficients)
    filled = tuple({key: next(iterator) for key in bands} for bands in details)
    # An integer scheme returns the dtype of the data. The caller casts other results.
    plans = axis_plans(wavelet, header["mode"], axes, len(shape))
    d = Decomposition(top, filled, shape, dtype, plans)
    return d, Media(np.empty((0,), dtype=dtype), header["kind"], header["extra"])


def _packed_layouts(described: Any) -> dict[str, Layout]:
    """The dtypes and shapes of packed bands."""
    if not isinstance(described, dict):
        raise FileError(f"its 'packed' should be a table, got {json.dumps(described)}")
    layouts = {}
    for name, (dtype, shape) in described.items():
        if any(type(n) is not int or n < 0 for n in shape):
            raise FileError(f"the shape of {name} should be integers, got {json.dumps(shape)}")
        layouts[name] = Layout(tuple(shape), np.dtype(dtype))
    return layouts


def _check_fields(header: Any, count: int) -> None:
    if not isinstance(header, dict):
        raise FileError(f"its description should be a table, got {json.dumps(header)}")
    for name in ("format", *_FIELDS):
        if name not in header:
            raise FileError(f"its description has no {name!r}")
    if header["format"] != _FORMAT:
        file_format = json.dumps(header["format"])
        raise FileError(f"unknown format {file_format}: only {_FORMAT} is supported")
    for name, kind in _FIELDS.items():
        if type(header[name]) is not kind:
            value = json.dumps(header[name])
            raise FileError(f"its {name!r} should be {_KINDS[kind]}, got {value}")
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
    layouts: dict[str, Layout], shapes: dict[str, tuple[int, ...]], kinds: str
) -> None:
    for what, names in (("missing", shapes.keys() - layouts), ("unknown", layouts.keys() - shapes)):
        if names:
            raise FileError(f"{what} bands: {', '.join(sorted(names))}")
    for name, shape in shapes.items():
        band = layouts[name]
        if band.shape != shape or band.dtype.kind not in kinds:
            raise FileError(
                f"band {name} should have the shape {shape} and a dtype of kind {kinds!r}, "
                f"got {band.shape} and {band.dtype}"
            )


def reconstructed(d: Decomposition, media: Media) -> Media:
    """The data of a decomposition, as a file of the original kind."""
    return media.with_array(np.asarray(d.reconstruct()))
