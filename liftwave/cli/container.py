"""Archives of coefficients, with the kind of the original file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from liftwave.cli.blocks import is_folder
from liftwave.cli.media import Media
from liftwave.decomposition import Decomposition, Undecimated
from liftwave.decomposition.archive import read_archive, write_archive
from liftwave.errors import FileError


def write_decomposition(path: Path, d: Decomposition, media: Media, *, zstd: bool = False) -> None:
    """Write the bands, and the kind of the original file."""
    metadata = {"kind": media.kind, "extra": media.extra}
    write_archive(path, replace(d, dtype=media.array.dtype), metadata, zstd=zstd)


def read_decomposition(
    path: Path, *, large: bool = False
) -> tuple[Decomposition | Undecimated, Media]:
    """The decomposition in a file, and a placeholder for the original data.

    Raises
    ------
    FileError
        If the file is not a valid archive of coefficients.
    """
    if is_folder(path):
        from liftwave.zarr.groups import contents as contents_of

        contents = contents_of(path, lambda array: np.asarray(array[...]))
    else:
        contents = read_archive(path, large=large, remedy="add --large")
    kind, extra = _original(path, contents.metadata)
    kinds: dict[str, type[Decomposition | Undecimated]]
    kinds = {cls.__name__: cls for cls in (Decomposition, Undecimated)}
    d = kinds[contents.kind]._of_contents(contents)
    return d, Media(np.empty((0,), dtype=contents.dtype), kind, extra)


def _original(path: Path, metadata: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind of the original file and its additional data; "array" if they are unknown."""
    kind, extra = metadata.get("kind", "array"), metadata.get("extra", {})
    problem = ""
    if kind not in ("array", "image", "sound"):
        problem = f"its 'kind' should be array, image or sound, got {kind!r}"
    elif not isinstance(extra, dict):
        problem = f"its 'extra' should be a table, got {extra!r}"
    elif kind == "sound" and type(extra.get("rate")) is not int:
        problem = f"a sound needs a 'rate', got {extra!r}"
    if problem:
        raise FileError(f"{path}: not a valid archive of coefficients: {problem}")
    return kind, extra


def reconstructed(d: Decomposition | Undecimated, media: Media) -> Media:
    """The data of a decomposition, as a file of the original kind."""
    return media.with_array(np.asarray(d.reconstruct()))
