"""The description in an archive of coefficients: a table in JSON, checked when it is read."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np

from liftwave._operations.wavelet_data import from_json
from liftwave.errors import FactorizationError, FileError, WaveletError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved

# The required fields of the formats, and their types.
_COMMON = {"axes": list, "shape": list, "level": int, "dtype": str, "coefficients": str}
_FIELDS = {
    1: {
        "wavelet": str,
        "lifting": bool,
        "integer": bool,
        "mode": str,
        **_COMMON,
        "kind": str,
        "extra": dict,
    },
    2: {"wavelets": list, "modes": list, **_COMMON, "metadata": dict},
}
# The third format is the second one, for transforms without downsampling.
_FIELDS[3] = {**_FIELDS[2], "transform": str, "norm": bool}

DECIMATED = "dwt"
"""The name of the transform with downsampling."""

_KINDS = {
    str: "text",
    bool: "true or false",
    list: "a list",
    int: "an integer",
    dict: "a table",
}


class Description(NamedTuple):
    """The description of the bands in an archive."""

    wavelets: tuple[Resolved, ...]
    modes: tuple[Any, ...]
    axes: tuple[int, ...]
    shape: tuple[int, ...]
    level: int
    dtype: np.dtype[Any]
    coefficients: np.dtype[Any]
    metadata: dict[str, Any]
    packed: Any
    transform: str
    norm: bool


def described(header: Any, bands: int) -> Description:
    """The description of an archive with this number of bands.

    Raises
    ------
    FileError
        If a field is missing or has another type, or a wavelet does not exist.
    """
    _check_fields(header)
    # Every level has bands, so a description with more levels than arrays is not valid.
    if header["level"] >= max(bands, 1):
        raise FileError(f"{bands} bands are too few for {header['level']} levels")
    axes, shape = tuple(header["axes"]), tuple(header["shape"])
    if header["format"] == 1:
        wavelets = [_named(header)] * len(axes)
        modes = [header["mode"]] * len(axes)
        metadata = {name: header[name] for name in ("kind", "extra")}
    else:
        wavelets = [wavelet_of(data) for data in header["wavelets"]]
        modes, metadata = header["modes"], header["metadata"]
    if not len(wavelets) == len(modes) == len(axes):
        raise FileError(
            f"its {len(wavelets)} wavelets and {len(modes)} modes should be as many as its "
            f"{len(axes)} axes"
        )
    dtype, coefficients = np.dtype(header["dtype"]), np.dtype(header["coefficients"])
    return Description(
        *(tuple(wavelets), tuple(modes), axes, shape, header["level"], dtype, coefficients),
        *(metadata, header.get("packed"), header.get("transform", DECIMATED)),
        header.get("norm", False),
    )


def _check_fields(header: Any) -> None:
    if not isinstance(header, dict):
        raise FileError(f"its description should be a table, got {json.dumps(header)}")
    if "format" not in header:
        raise FileError("its description has no 'format'")
    file_format = header["format"]
    if type(file_format) is not int or file_format not in _FIELDS:
        raise FileError(f"unknown format {json.dumps(file_format)}: only 1, 2 and 3 are supported")
    for name, kind in _FIELDS[file_format].items():
        if name not in header:
            raise FileError(f"its description has no {name!r}")
        if type(header[name]) is not kind:
            value = json.dumps(header[name])
            raise FileError(f"its {name!r} should be {_KINDS[kind]}, got {value}")
    for name in ("axes", "shape"):
        if not header[name] or any(type(n) is not int for n in header[name]):
            raise FileError(f"its {name!r} should be a list of integers, got {header[name]!r}")


def _named(header: dict[str, Any]) -> Resolved:
    """The wavelet of the first format, which has names only."""
    name = header["wavelet"]
    if not header["lifting"] and not header["integer"]:
        return wavelet_of(name)
    try:
        scheme: LiftingScheme = LiftingScheme.from_name(name)
    except FactorizationError:
        raise FileError(f"{name!r} has no lifting scheme") from None
    except WaveletError:
        raise FileError(f"unknown wavelet {name!r}") from None
    return scheme.to_integer() if header["integer"] else scheme


def wavelet_of(data: Any) -> Resolved:
    """The wavelet with this JSON data.

    Raises
    ------
    FileError
        If they do not describe a wavelet.
    """
    try:
        return from_json(data, ())  # taps are numbers, so a slot for an array is an error
    except WaveletError as error:
        raise FileError(f"unknown wavelet {json.dumps(data)[:80]}") from error
    except (KeyError, IndexError, AttributeError, OverflowError, TypeError, ValueError) as error:
        raise FileError(f"a wavelet is not valid: {json.dumps(data)[:80]}") from error
