"""Writes bands to files, and restores data from them."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from array_api_compat import array_namespace, device

from liftwave._arrays.convert import is_array
from liftwave._numbers import flag
from liftwave._typing import Array
from liftwave.decomposition.bands import Bands
from liftwave.decomposition.changes import BandChanges
from liftwave.errors import ArgumentTypeError, FileError

if TYPE_CHECKING:
    from liftwave.decomposition.archive import Contents


class StoredBands(BandChanges):
    """Methods that write all bands to a file, and read them."""

    @classmethod
    def load(
        cls, path: str | PathLike[str], *, like: Array | None = None, large: bool = False
    ) -> Self:
        """Read an object of this class that :meth:`save` or the command line wrote.

        Parameters
        ----------
        path : str or path
            The file.
        like : array, optional
            An array of the library and on the device for the bands; by default they are NumPy
            arrays.
        large : bool, optional
            Whether to permit files that unpack to more than 1 GB and 100 times their size.
            Default False.

        Returns
        -------
        Decomposition or Undecimated
            An object equal to the one that was written.

        Raises
        ------
        FileError
            If the file is missing (also a ``FileNotFoundError``), damaged, or was not written
            by :meth:`save` of this class. Pickles are never read.

        Examples
        --------
        See :meth:`save`.
        """
        from liftwave.decomposition.archive import read_archive

        if like is not None and not is_array(like):
            raise ArgumentTypeError(f"like must be an array, got a {type(like).__name__}")
        contents = read_archive(as_path(path), large=flag(large, "large"))
        if contents.kind != cls.__name__:
            raise FileError(
                f"{path}: holds an object of the class {contents.kind}, not {cls.__name__}: use "
                f"lw.{contents.kind}.load"
            )
        d = cls._of_contents(contents)
        return d if like is None else _with_library(d, like)

    def save(self, path: str | PathLike[str], *, zstd: bool = False) -> None:
        """Write all bands, and the data that the reconstruction needs, to a file.

        The file is a compressed ``.npz`` archive without pickles. :meth:`load` and
        ``liftwave reconstruct`` read it, and :func:`numpy.load` reads its bands. It is written
        completely or not at all; an existing file is replaced.

        Parameters
        ----------
        path : str or path
            The file; no suffix is added.
        zstd : bool, optional
            Whether to pack the bands by a byte shuffle and zstd, for smaller files; needs
            numcodecs. :func:`numpy.load` cannot read such bands. Default False.

        Raises
        ------
        FileError
            If the file cannot be written, or numcodecs is missing.
        TypeError
            If the path is not valid, or NumPy does not have the dtype of the bands (bfloat16).

        Notes
        -----
        Each band is stored in the narrowest dtype that holds its values exactly. Arrays of torch
        or CuPy are stored as NumPy arrays, and learned taps as numbers.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import liftwave as lw
        >>> d = lw.decompose(np.arange(64.0), "db2", level=2)
        >>> path = Path(tempfile.mkdtemp(), "coefficients.npz")
        >>> d.save(path)
        >>> lw.Decomposition.load(path) == d
        True
        """
        from liftwave.decomposition.archive import write_archive

        write_archive(as_path(path), self, zstd=flag(zstd, "zstd"))

    @classmethod
    def _of_contents(cls, contents: Contents) -> Self:
        """The object with the contents of an archive."""
        return cls(*contents[:5])


def as_path(path: str | PathLike[str]) -> Path:
    """The path, absolute: a file named ``-`` is not standard output.

    Raises
    ------
    ArgumentTypeError
        If it is not the name of a file.
    """
    if not isinstance(path, str | PathLike):
        raise ArgumentTypeError(
            f"path must be the name of a file, got an object of type {type(path).__name__}"
        )
    return Path(path).absolute()


def _with_library(d: Any, like: Array) -> Any:
    """The object with bands of the library and on the device of another array."""
    xp = array_namespace(like)

    def converted(band: Array) -> Array:
        return xp.asarray(band.copy(), device=device(like))  # a copy, which torch may write to

    details = tuple({key: converted(band) for key, band in b.items()} for b in d.details)
    dtype = getattr(xp, d.dtype.name)
    return replace(d, approx=converted(d.approx), details=details, dtype=dtype)


def restored(d: Bands, data: Array) -> Array:
    """The part of a reconstruction that has the shape of the data.

    An integer scheme returns the dtype of the data. Values outside of its range are clipped.
    """
    data = data[tuple(slice(n) for n in d.shape)]
    if not d._is_integer or data.dtype == d.dtype:
        return data
    xp = array_namespace(data)
    limits = xp.iinfo(d.dtype)
    return xp.astype(xp.clip(data, limits.min, limits.max), d.dtype)
