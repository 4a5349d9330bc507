"""Reads and writes decompositions: .npz archives with a description in JSON, without pickles."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import dtype_name
from liftwave._arrays.host import as_numpy
from liftwave._files.archives import Archive, write_arrays
from liftwave._files.packing import packed, unpacked
from liftwave._files.source import opened
from liftwave._files.writing import write_whole
from liftwave._operations.planned_transform import detail_keys
from liftwave._operations.wavelet_data import to_json, with_numbers
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave.decomposition.bands import Bands
from liftwave.decomposition.description import DECIMATED, Description, described
from liftwave.decomposition.undecimated_plans import Kind, band_shape, undecimated_plans
from liftwave.errors import ArgumentTypeError, FileError, LevelWarning, ReconstructionWarning
from liftwave.transforms.lengths import wavedecn_shapes

# The name of the description in an archive, and the largest number of its bytes.
_DESCRIPTION = "liftwave"
_LONGEST_DESCRIPTION = 2**26


class Layout(NamedTuple):
    """The shape and the dtype of a band in an archive."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Contents(NamedTuple):
    """The fields of the bands, the metadata of their archive, and the name of their class."""

    approx: np.ndarray[Any, Any]
    details: tuple[dict[str, np.ndarray[Any, Any]], ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    plans: Any
    metadata: dict[str, Any]
    transform: str
    norm: bool

    @property
    def kind(self) -> str:
        """The name of the class of the bands."""
        return "Decomposition" if self.transform == DECIMATED else "Undecimated"


def write_archive(
    path: Path, d: Bands, metadata: Mapping[str, Any] | None = None, *, zstd: bool = False
) -> None:
    """Write the bands and all data that the reconstruction needs; see ``StoredBands.save``."""
    bands = {band_name(*position): _narrow(_host(band)) for position, band in d.bands.items()}
    header = header_of(d, metadata)
    if zstd:
        header["packed"] = {name: [b.dtype.str, b.shape] for name, b in bands.items()}
        bands = {name: packed(band) for name, band in bands.items()}

    def fill(stream: BinaryIO) -> None:
        write_arrays(stream, {_DESCRIPTION: np.array(json.dumps(header)), **bands})

    write_whole(path, fill)


def header_of(d: Bands, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The description of bands, as JSON data: what the reconstruction needs besides the bands."""
    coefficients = _stored_dtype(d.approx.dtype, d.approx)
    header = {
        "format": 2,
        "wavelets": [to_json(with_numbers(wavelet), []) for wavelet in d.wavelets],
        "modes": d.modes,
        "axes": d.axes,
        "shape": d.shape,
        "level": d.level,
        "dtype": _stored_dtype(d.dtype, d.approx).str,
        "coefficients": coefficients.str,
        "metadata": dict(metadata or {}),
    }
    return header | d._file_fields


def _stored_dtype(dtype: Any, like: Any) -> np.dtype[Any]:
    """NumPy's dtype of the same name, which a file can hold."""
    name = dtype_name(dtype, array_namespace(like))
    try:
        stored = np.dtype(name)
    except TypeError:
        stored = None
    # Other packages can register further dtypes, such as bfloat16, that files cannot hold.
    if stored is None or stored.kind not in "biufc":
        raise ArgumentTypeError(
            f"files can only hold NumPy's dtypes, and not {name}: decompose the data as float32"
        )
    return stored


def _host(band: Any) -> np.ndarray[Any, Any]:
    _stored_dtype(band.dtype, band)
    return as_numpy(band)


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


def band_name(level: int, key: str) -> str:
    """The name of a band in a file."""
    return f"level{level}_{key}"


def read_archive(path: Path, *, large: bool = False, remedy: str = "pass large=True") -> Contents:
    """The contents of an archive. Nothing is unpacked before all bands match the description.

    Raises
    ------
    FileError
        If the file is missing, empty or truncated, is not such an archive, or
        its bands do not match its description.
    """
    with opened(path, large=large, remedy=remedy) as source:
        archive = Archive(source, "archive of coefficients")
        if _DESCRIPTION not in archive.members:
            listed = ", ".join(archive.members) or "nothing"
            raise FileError(f"{path}: not an archive of coefficients (it holds {listed})")
        try:
            with warnings.catch_warnings():
                # The program that wrote the file has already warned of its wavelets and levels.
                warnings.simplefilter("ignore", LevelWarning)
                warnings.simplefilter("ignore", ReconstructionWarning)
                return _contents(_description(archive), archive)
        except (ValueError, TypeError) as error:
            if str(error).startswith(f"{path}: "):
                raise
            raise FileError(f"{path}: not a valid archive of coefficients: {error}") from error


def _description(archive: Archive) -> Description:
    if archive.members[_DESCRIPTION].entry.file_size > _LONGEST_DESCRIPTION:
        raise FileError("its description is too long")
    header = json.loads(str(archive.read(_DESCRIPTION)[0]))
    return described(header, bands=len(archive.members) - 1)


def _contents(description: Description, archive: Archive) -> Contents:
    shape, wide = description.shape, description.coefficients
    plans = plans_of(description)
    structure = structure_of(description)
    names = [band_name(*position) for position in structure]
    members = {name: m for name, m in archive.members.items() if name != _DESCRIPTION}
    stored = {name: Layout(m.shape, m.dtype) for name, m in members.items()}
    layouts = stored if description.packed is None else _packed_layouts(description.packed)
    kinds = kinds_of(plans.is_integer, description.dtype)
    check_bands(layouts, dict(zip(names, structure.values(), strict=True)), kinds)
    if layouts.keys() != members.keys():
        raise FileError("its packed bands do not match its description")
    if wide.kind not in kinds:
        raise FileError(f"its 'coefficients' should have a kind of {kinds!r}, got {wide}")
    archive.check_unpacked(sum(prod(band.shape) * band.dtype.itemsize for band in layouts.values()))
    bands = archive.read(*names)
    if description.packed is not None:
        bands = [unpacked(band, *layouts[name]) for name, band in zip(names, bands, strict=True)]
    top, *rest = (band.astype(wide, copy=False) for band in bands)
    details: list[dict[str, np.ndarray[Any, Any]]] = [{} for _ in range(description.level)]
    for (depth, key), band in zip(list(structure)[1:], rest, strict=True):
        details[description.level - depth][key] = band
    # An integer scheme returns the dtype of the data. The caller casts other results.
    return Contents(
        *(top, tuple(details), shape, description.dtype, plans, description.metadata),
        *(description.transform, description.norm),
    )


def plans_of(description: Description) -> AxisPlans:
    """The plans of the transformed axes."""
    wavelets, modes, axes, shape, *_ = description
    if description.transform == DECIMATED:
        return axis_plans(wavelets, modes, axes, len(shape))
    transform = cast("Kind", description.transform)
    return undecimated_plans(wavelets, transform, modes, axes, shape, description.norm)


def structure_of(description: Description) -> dict[tuple[int, str], tuple[int, ...]]:
    """The shape of each band by level and key, the approximation first."""
    level, axes = description.level, description.axes
    if description.transform != DECIMATED:
        shape = band_shape(description.shape, description.modes, axes)
        return {(level, "a" * len(axes)): shape} | {
            (depth, key): shape for depth in range(level, 0, -1) for key in detail_keys(len(axes))
        }
    approx, *details = wavedecn_shapes(
        description.shape, description.wavelets, description.modes, level, axes
    )
    shapes = {(level, "a" * len(axes)): approx}
    for depth, bands in zip(range(level, 0, -1), details, strict=True):
        shapes |= {(depth, key): shape for key, shape in bands.items()}
    return shapes


def _packed_layouts(table: Any) -> dict[str, Layout]:
    """The dtypes and shapes of packed bands."""
    if not isinstance(table, dict):
        raise FileError(f"its 'packed' should be a table, got {json.dumps(table)}")
    layouts = {}
    for name, (dtype, shape) in table.items():
        if any(type(n) is not int or n < 0 for n in shape):
            raise FileError(f"the shape of {name} should be integers, got {json.dumps(shape)}")
        layouts[name] = Layout(tuple(shape), np.dtype(dtype))
    return layouts


def kinds_of(integer: bool, dtype: np.dtype[Any]) -> str:
    """The possible dtype kinds of the coefficients of such data."""
    if dtype.kind not in "biufc":
        raise FileError(f"its 'dtype' should be a dtype of numbers, got {dtype}")
    if integer:
        return "iu"
    # Data without any level are not transformed, so they are stored unchanged.
    return "c" if dtype.kind == "c" else "biuf"


def check_bands(layouts: dict[str, Layout], shapes: dict[str, tuple[int, ...]], kinds: str) -> None:
    """Raise unless bands in a file have the described names, shapes and kinds of dtype.

    Raises
    ------
    FileError
        If a band is missing, is not described, or has another shape or kind.
    """
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
