"""Coefficients in a group of Zarr: one array per band, and a description as attribute.

The description is that of archives (``decomposition/archive.py``). While blocks are written, the
group also has an array that marks the finished ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import zarr

from liftwave._numbers import flag
from liftwave._typing import Array
from liftwave.decomposition import Decomposition, Undecimated
from liftwave.decomposition.archive import (
    Contents,
    Layout,
    band_name,
    check_bands,
    header_of,
    kinds_of,
    plans_of,
    structure_of,
)
from liftwave.decomposition.bands import Bands
from liftwave.decomposition.description import described
from liftwave.errors import ArgumentTypeError, FileError, MissingFileError
from liftwave.zarr.arguments import WRITES_EMPTY_CHUNKS, check_compressors, checked_metadata

GroupLike: TypeAlias = "str | PathLike[str] | zarr.Group"
"""A group of Zarr, or the path of its folder."""

_ATTRIBUTE = "liftwave"
_SCRATCH = "liftwave_"
"""Arrays whose names begin with this are deleted at the end."""


def opened(group: GroupLike, *, create: bool = False) -> zarr.Group:
    """The group of Zarr at a path.

    Raises
    ------
    ArgumentTypeError
        If the argument is neither a path nor a group.
    FileError
        If the group does not exist, and is not to be created.
    """
    if isinstance(group, zarr.Group):
        return group
    if not isinstance(group, str | PathLike):
        raise ArgumentTypeError(
            f"expected a group of Zarr or the path of its folder, got a {type(group).__name__}"
        )
    path = Path(group)
    if not create and not path.exists():
        raise MissingFileError(f"{path}: no such folder")
    try:
        return zarr.open_group(str(path), mode="a" if create else "r")
    except (FileNotFoundError, ValueError, OSError, KeyError) as error:
        raise FileError(f"{path}: not a group of Zarr: {error}") from error


# --- writing -------------------------------------------------------------------------------------


class Writer:
    """A group that receives the bands of a decomposition.

    Parameters
    ----------
    group : Group or path
        The group, which is created if necessary.
    layout : Decomposition or Undecimated
        The bands; their values are not read.
    metadata : dict, optional
        Additional data for the description.
    overwrite : bool
        Whether a group with contents is emptied first.
    compressors : optional
        As for :func:`zarr.create_array`.

    Raises
    ------
    FileError
        If the group has other contents, and ``overwrite`` is not set.
    """

    def __init__(
        self,
        group: GroupLike,
        layout: Bands,
        metadata: Mapping[str, Any] | None = None,
        *,
        overwrite: bool = False,
        compressors: Any = "auto",
    ) -> None:
        self.header = json.loads(json.dumps(header_of(layout, checked_metadata(metadata))))
        empties = flag(overwrite, "overwrite")
        check_compressors(compressors)
        self.compressors = compressors
        self.group = opened(group, create=True)
        if empties:
            for name in list(self.group):
                del self.group[name]
            self.group.attrs.pop(_ATTRIBUTE, None)
        present = self.group.attrs.get(_ATTRIBUTE)
        if present is None and len(list(self.group)):
            raise FileError(
                f"{self.group}: holds other arrays ({', '.join(sorted(self.group))}): use another "
                "group, or overwrite=True"
            )
        if present is not None and {**present, "complete": None} != self._state(None):
            raise FileError(
                f"{self.group}: holds another decomposition: use another group, or overwrite=True"
            )
        self.is_complete = present is not None and bool(present["complete"])
        if present is None:
            self.group.attrs[_ATTRIBUTE] = self._state(False)

    def _state(self, complete: bool | None) -> dict[str, Any]:
        return {**self.header, "complete": complete}

    def array(
        self, name: str, shape: Sequence[int], chunks: Sequence[int], dtype: Any
    ) -> zarr.Array[Any]:
        """The array of this name, which is created if it does not exist.

        Raises
        ------
        FileError
            If it exists with other chunks.
        """
        shape, chunks = tuple(map(int, shape)), tuple(max(1, int(n)) for n in chunks)
        if name not in self.group:
            return self.group.create_array(
                name,
                shape=shape,
                chunks=chunks,
                dtype=dtype,
                compressors=self.compressors,
                config=WRITES_EMPTY_CHUNKS,
            )
        array = self.group[name]
        if (array.shape, array.chunks, array.dtype) != (shape, chunks, np.dtype(dtype)):
            raise FileError(
                f"{self.group}: was written in blocks of another size (array {name} has chunks "
                f"{array.chunks}, not {chunks}): use the same blocks, or overwrite=True"
            )
        return array

    def scratch(
        self, name: str, shape: Sequence[int], chunks: Sequence[int], dtype: Any
    ) -> zarr.Array[Any]:
        """An array that is deleted when all blocks are written."""
        return self.array(_SCRATCH + name, shape, chunks, dtype)

    def finished(self, number: int, grid: Sequence[int]) -> zarr.Array[Any]:
        """The marks of the finished blocks of a grid."""
        return self.scratch(f"finished_{number}", grid, (1,) * len(grid), np.uint8)

    def complete(self) -> None:
        """Mark the group as complete, and delete all marks of blocks."""
        self.group.attrs[_ATTRIBUTE] = self._state(True)
        for name in list(self.group):
            if name.startswith(_SCRATCH):
                del self.group[name]


# --- reading -------------------------------------------------------------------------------------


def contents(group: GroupLike, opened_as: Callable[[Any], Array]) -> Contents:
    """The contents of a group; each array of Zarr is converted by ``opened_as``.

    Raises
    ------
    FileError
        If it is not a group of coefficients, or not complete.
    """
    source = opened(group)
    header = dict(source.attrs).get(_ATTRIBUTE)
    if not isinstance(header, dict):
        raise FileError(f"{group}: not a group of coefficients: it has no attribute {_ATTRIBUTE!r}")
    if header.get("complete") is not True:
        raise FileError(
            f"{group}: is not complete: run the program that wrote it again to continue"
        )
    try:
        return _contents(source, header, opened_as)
    except (ValueError, TypeError) as error:
        raise FileError(f"{group}: not a valid group of coefficients: {error}") from error


def _contents(
    group: zarr.Group, header: dict[str, Any], opened_as: Callable[[Any], Array]
) -> Contents:
    description = described(header, len(list(group)))
    plans, structure = plans_of(description), structure_of(description)
    arrays = {name: group[name] for name in group}
    layouts = {name: Layout(tuple(a.shape), np.dtype(a.dtype)) for name, a in arrays.items()}
    shapes = {band_name(*which): shape for which, shape in structure.items()}
    check_bands(layouts, shapes, kinds_of(plans.is_integer, description.dtype))
    bands = {which: opened_as(arrays[band_name(*which)]) for which in structure}
    level, top = description.level, next(iter(structure))
    details: list[dict[str, Any]] = [{} for _ in range(level)]
    for depth, key in list(structure)[1:]:
        details[level - depth][key] = bands[depth, key]
    return Contents(
        *(bands[top], tuple(details), description.shape, description.dtype, plans),
        *(description.metadata, description.transform, description.norm),
    )


def object_of(stored: Contents) -> Decomposition | Undecimated:
    """The object with these contents."""
    kinds: dict[str, type[Decomposition | Undecimated]]
    kinds = {cls.__name__: cls for cls in (Decomposition, Undecimated)}
    return kinds[stored.kind]._of_contents(stored)


def open_decomposition(group: GroupLike) -> Decomposition | Undecimated:
    """Read the coefficients in a group of Zarr into memory.

    Parameters
    ----------
    group : str, path or zarr.Group
        A group that :func:`decompose_to` or :func:`liftwave.dask.to_zarr` wrote.

    Returns
    -------
    Decomposition or Undecimated
        Its bands are NumPy arrays. :func:`liftwave.dask.from_zarr` only reads them when needed.

    Raises
    ------
    FileError
        If it is not such a group, or the run that wrote it was interrupted.

    Examples
    --------
    See :func:`decompose_to`.
    """
    return object_of(contents(group, lambda array: np.asarray(array[...])))
