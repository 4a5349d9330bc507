"""Checks of arguments before any file is read or written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import zarr

from liftwave.errors import ArgumentTypeError

WRITES_EMPTY_CHUNKS = {"write_empty_chunks": True}
"""The configuration of new arrays. Writing zeros is faster than comparing chunks with zero."""


def check_executor(executor: object) -> None:
    """Raise unless the executor can submit calls, or is None.

    Raises
    ------
    ArgumentTypeError
        If it cannot.
    """
    if executor is not None and not hasattr(executor, "submit"):
        raise ArgumentTypeError(
            "executor must have the method submit, as in concurrent.futures, got a "
            f"{type(executor).__name__}"
        )


def check_progress(progress: object) -> None:
    """Raise unless ``progress`` can be called, or is None.

    Raises
    ------
    ArgumentTypeError
        If it cannot.
    """
    if progress is not None and not callable(progress):
        raise ArgumentTypeError(f"progress must be a function of two numbers, got {progress!r}")


def checked_metadata(metadata: object) -> dict[str, Any]:
    """The metadata as a dict; an empty one for None.

    Raises
    ------
    ArgumentTypeError
        If they are not a dict that JSON can hold.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise ArgumentTypeError(f"metadata must be a dict, got a {type(metadata).__name__}")
    try:
        data: dict[str, Any] = json.loads(json.dumps(dict(metadata)))
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(f"metadata must be data that JSON can hold: {error}") from error
    return data


def check_compressors(compressors: Any) -> None:
    """Raise unless :func:`zarr.create_array` accepts these compressors.

    Raises
    ------
    ArgumentTypeError
        If it does not.
    """
    memory = zarr.storage.MemoryStore()
    try:
        zarr.create_array(memory, shape=(1,), dtype="uint8", compressors=compressors)
    except Exception as error:  # zarr raises many kinds
        raise ArgumentTypeError(
            f"zarr.create_array does not accept compressors={compressors!r}: {error}"
        ) from error
