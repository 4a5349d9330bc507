"""Files that are transformed block by block: .zarr folders, .h5 and .npy files of any size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from liftwave._files.source import first_line
from liftwave._plan.arguments import resolve_mode
from liftwave.cli import console
from liftwave.cli.choice import Choice
from liftwave.cli.options import chosen_axes
from liftwave.errors import FileError, MissingFileError

FOLDERS = (".zarr",)
"""The suffixes of folders that hold coefficients or an array, in blocks."""


def is_folder(path: Path) -> bool:
    """Whether this is the name of a folder in blocks."""
    return path.suffix.lower() in FOLDERS


def decompose_in_blocks(
    source: Path,
    target: Path,
    choice: Choice,
    mode: str,
    level: int | None,
    axes: str | None,
    *,
    key: str | None,
    force: bool,
) -> None:
    """Decompose a file into a folder of coefficients; continue if a run was interrupted.

    Raises
    ------
    FileError
        If the source is not such a file, or the folder has other contents.
    """
    from liftwave.zarr import decompose_to

    choice.check_mode(mode)
    _check_target(target)
    with _opened(source, key) as array, _threads() as threads:
        if choice.integer and array.dtype.kind not in "iu":
            raise FileError(
                f"--integer needs integer data, but the file holds {array.dtype}; remove "
                "--integer, or use --lifting"
            )
        chosen = chosen_axes(axes, tuple(range(array.ndim)), array.ndim)
        with console.counted(f"decomposing {source.name}") as progress:
            decompose_to(
                array,
                target,
                choice.wavelet(),
                level,
                resolve_mode(mode),
                chosen,
                executor=threads,
                overwrite=force,
                progress=progress,
            )
    _table(source, target)


def _table(source: Path, target: Path) -> None:
    import zarr

    group = zarr.open_group(str(target), mode="r")
    rows = []
    for name in sorted(group, key=lambda name: (-int(name[5:].split("_")[0]), name)):
        level, key = name.removeprefix("level").split("_")
        band: Any = group[name]
        rows.append((level, key, "x".join(map(str, band.shape)), str(band.dtype)))
    console.table(f"{source} -> {target}", ("level", "band", "shape", "dtype"), rows, numbers=1)


def reconstruct_in_blocks(source: Path, target: Path, *, force: bool) -> None:
    """Reconstruct the array of a folder of coefficients, into another folder.

    Raises
    ------
    FileError
        If the source is not a folder of coefficients, or the target exists.
    """
    from liftwave.zarr import reconstruct_to

    _check_target(target)
    with console.counted(f"reconstructing {source.name}") as progress, _threads() as threads:
        reconstruct_to(source, target, executor=threads, overwrite=force, progress=progress)
    import zarr

    array = zarr.open_array(str(target), mode="r")
    console.say(f"{target}: array of shape {'x'.join(map(str, array.shape))}, {array.dtype}")


def _check_target(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise FileError(f"{target}: is a file, and not a folder")
    if not target.absolute().parent.is_dir():
        raise FileError(f"{target}: the folder {target.parent} does not exist")


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(4, len(os.sched_getaffinity(0)) if _HAS_AFFINITY else 2))


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")


# --- sources -------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path, key: str | None) -> Iterator[Any]:
    """The array in a file, which is read in blocks."""
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise FileError(
            f"{path}: only {', '.join(_READERS)} can be read in blocks; write the coefficients of "
            "other files to .npz"
        )
    if not path.exists():
        raise MissingFileError(f"{path}: no such file")
    with ExitStack() as stack:
        try:
            array = _READERS[suffix](path, key, stack)
        except (OSError, ValueError, KeyError) as error:
            if isinstance(error, FileError):
                raise
            raise FileError(f"{path}: not a readable array ({first_line(error)})") from error
        if np.dtype(array.dtype).kind not in "biufc" or not array.shape:
            raise FileError(f"{path}: expected an array of numbers, found {array.dtype}")
        yield array


def _hdf5(path: Path, key: str | None, stack: ExitStack) -> Any:
    try:
        import h5py
    except ModuleNotFoundError:
        raise FileError(f"{path}: reading HDF5 needs h5py: pip install h5py") from None
    return _member(path, stack.enter_context(h5py.File(path, "r")), key, h5py.Dataset)


def _npy(path: Path, key: str | None, _: ExitStack) -> Any:
    if key is not None:
        raise FileError(f"{path}: --key names an array in a file with several; remove it")
    return np.load(path, mmap_mode="r")


def _zarr(path: Path, key: str | None, _: ExitStack) -> Any:
    import zarr

    group = zarr.open(str(path), mode="r")
    return group if isinstance(group, zarr.Array) else _member(path, group, key, zarr.Array)


def _member(path: Path, group: Any, key: str | None, kind: type) -> Any:
    """The array of a group by its name, or its only one."""
    arrays = [name for name in group if isinstance(group[name], kind)]
    if key is None and len(arrays) == 1:
        return group[arrays[0]]
    if key is None:
        listed = ", ".join(arrays) or "none"
        raise FileError(f"{path}: holds {len(arrays)} arrays ({listed}): choose one by --key")
    if key not in group or not isinstance(group[key], kind):
        raise FileError(f"{path}: no array {key!r}; it holds {', '.join(arrays) or 'none'}")
    return group[key]


_READERS: dict[str, Callable[[Path, str | None, ExitStack], Any]] = {
    ".zarr": _zarr,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".npy": _npy,
}
