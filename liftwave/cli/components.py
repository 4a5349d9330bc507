"""Several arrays of one transform as files: an archive, one array, or a file for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from liftwave._files.archives import write_arrays
from liftwave._files.source import STANDARD
from liftwave._files.writing import write_whole
from liftwave.cli.media import ARRAYS, SOUNDS, Media, check_writable, write
from liftwave.cli.targets import check_target
from liftwave.errors import FileError

# The files that can hold samples below zero: sounds, and one format of images.
SUFFIXES = (*ARRAYS, *SOUNDS, ".tif", ".tiff")

Arrays = Mapping[str, np.ndarray[Any, Any]]
"""Arrays by name, in the order of the files."""


def check_targets(target: Path, names: tuple[str, ...], *, force: bool = False) -> None:
    """Raise before any computation unless files of these arrays can be written.

    Parameters
    ----------
    target : Path
        A ``.npz`` archive of all arrays, a ``.npy`` file or ``-`` for one array of all, or a sound
        or image. The name of each array is added to the names of sounds and images.
    names : tuple of str
        The names of the arrays; none if they are not known yet.
    force : bool, optional
        Whether to replace existing files.

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    if target == STANDARD or target.suffix.lower() in ARRAYS:
        check_writable(target, "components", suffixes=SUFFIXES, force=force)
        return
    check_writable(target, "components", suffixes=SUFFIXES, force=True)
    for path in files_of(target, names):
        check_target(path, force=force)


def files_of(target: Path, names: tuple[str, ...]) -> list[Path]:
    """The files that hold arrays of these names."""
    if target == STANDARD or target.suffix.lower() in ARRAYS:
        return [target]
    return [target.with_stem(f"{target.stem}-{name}") for name in names]


def check_samples(target: Path, media: Media) -> None:
    """Raise before any computation unless files of this kind can hold values around zero.

    Raises
    ------
    FileError
        If the input is not a sound, or its samples are not signed.
    """
    if target.suffix.lower() not in SOUNDS:
        return
    if "rate" not in media.extra:
        raise FileError(f"{target}: cannot write a .wav file: the input has no sample rate")
    if media.array.dtype.kind == "u":
        raise FileError(
            f"{target}: samples of 8 bits are not signed, so they cannot hold components around "
            "zero; write a .npy or .npz file"
        )


def write_components(target: Path, arrays: Arrays, media: Media) -> None:
    """Write arrays of the shape of the data.

    Sounds have the dtype of the data. Other files have the dtype of the arrays.
    """
    if target.suffix.lower() == ".npz":
        write_whole(target, lambda stream: write_arrays(stream, dict(arrays)))
    elif target == STANDARD or target.suffix.lower() == ".npy":
        write(target, Media(np.stack(list(arrays.values())), "array"))
    else:
        is_sound = target.suffix.lower() in SOUNDS
        for path, array in zip(files_of(target, tuple(arrays)), arrays.values(), strict=True):
            write(path, media.with_array(array) if is_sound else replace(media, array=array))
