"""Decompositions as files: a .npz archive that describes itself, without pickles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from liftwave._separable_plan import axis_plans
from liftwave.cli.media import FileError, Media, as_dtype, check_readable, write_whole
from liftwave.decomposition import Decomposition
from liftwave.lifting import LiftingScheme

_FORMAT = 1


@dataclass(frozen=True)
class Choice:
    """The wavelet as it is named on the command line."""

    name: str
    lifting: bool = False
    integer: bool = False

    def wavelet(self) -> str | LiftingScheme:
        """What the transforms take."""
        if self.integer:
            return LiftingScheme.from_name(self.name).to_integer()
        return LiftingScheme.from_name(self.name) if self.lifting else self.name


def write_decomposition(path: Path, d: Decomposition, choice: Choice, media: Media) -> None:
    """Write the bands and everything that is needed to undo them."""
    about = {
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
    bands = {f"level{level}_{key}": band for (level, key), band in d.bands.items()}

    def fill(stream: BinaryIO) -> None:
        np.savez_compressed(stream, liftwave=np.array(json.dumps(about)), **bands)

    write_whole(path, fill)


def read_decomposition(path: Path) -> tuple[Decomposition, Media]:
    """The decomposition in a file, and a stand-in of the data that it came from.

    Raises
    ------
    FileError
        If the file is missing, empty, truncated, or holds something else.
    """
    check_readable(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:
        raise FileError(f"{path}: not a readable archive of coefficients ({error})") from error
    if "liftwave" not in arrays:
        raise FileError(f"{path}: not written by 'liftwave decompose' (it holds {list(arrays)})")
    about: dict[str, Any] = json.loads(str(arrays.pop("liftwave")))
    if about.get("format") != _FORMAT:
        raise FileError(f"{path}: format {about.get('format')!r} is not known, only {_FORMAT} is")
    return _rebuilt(about, arrays, path)


def _rebuilt(
    about: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]], path: Path
) -> tuple[Decomposition, Media]:
    axes = tuple(about["axes"])
    choice = Choice(about["wavelet"], about["lifting"], about["integer"])
    plans = axis_plans(axes, choice.wavelet(), about["mode"])
    levels = range(about["level"], 0, -1)
    top = f"level{about['level']}_{'a' * len(axes)}"
    if top not in arrays:
        raise FileError(f"{path}: the approximation {top!r} is missing")
    approx = arrays.pop(top)
    details = tuple(
        {name.split("_")[1]: band for name, band in arrays.items() if name.startswith(f"level{n}_")}
        for n in levels
    )
    dtype = np.dtype(about["dtype"])
    shape = tuple(about["shape"])
    # An integer scheme gives the data's own dtype back; others are cast by the caller.
    d = Decomposition(approx, details, shape, dtype, plans)
    return d, Media(np.empty((0,), dtype=dtype), about["kind"], about["extra"])


def reconstructed(d: Decomposition, media: Media) -> Media:
    """The data of a decomposition, as a file of the kind that it came from."""
    array = as_dtype(np.asarray(d.reconstruct()), media.array.dtype)
    return Media(array, media.kind, media.extra)
