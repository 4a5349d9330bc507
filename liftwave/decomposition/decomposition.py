"""The object that :func:`decompose` returns: reconstruction and changed coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, device

from liftwave._arrays.convert import as_array, is_array
from liftwave._execute import execute
from liftwave._numbers import flag
from liftwave._operations.transform import Transform
from liftwave._plan.axes import as_axis_plans
from liftwave._typing import Array, ArrayLike, Modes
from liftwave.decomposition.changes import BandChanges
from liftwave.decomposition.from_pywt import fields_of
from liftwave.decomposition.plotting import plot_bands
from liftwave.errors import ArgumentTypeError, ShapeError
from liftwave.transforms import calls
from liftwave.transforms.calls import synthesis_call
from liftwave.transforms.coefficients import array_to_coeffs, coeffs_to_array
from liftwave.transforms.structures import dict_list
from liftwave.wavelets.resolve import Wavelets

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition(BandChanges):
    """A multilevel wavelet decomposition, as :func:`decompose` returns it.

    It is immutable: methods that change coefficients return a new decomposition, and its NumPy
    arrays are read-only views. It is also a mapping of the bands: ``d[1, "d"]`` is a band,
    ``d[1]`` are the bands of a level, ``d[-1]`` those of the coarsest one; ``len(d)``, ``in``,
    iteration and :meth:`items` go over names ``(level, key)``. Decompositions with the same layout
    can be added and subtracted, and multiplied by numbers.

    Attributes
    ----------
    approx : array
        The approximation of the coarsest level.
    details : tuple of mappings
        The details of each level, coarsest first, keyed by one letter per
        transformed axis as in :func:`dwtn`.
    shape : tuple of int
        Shape of the data.
    dtype : dtype
        Dtype of the original data.
    plans : tuple of AxisPlan
        Axis, wavelet and boundary mode for each transformed axis.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> d = lw.decompose(np.arange(77.0).reshape(7, 11), "db2", level=1)
    >>> d
    Decomposition of shape (7, 11), float64, by 'db2', mode 'symmetric', axes (0, 1), 1 level
      level 1: aa (5, 7), ad (5, 7), da (5, 7), dd (5, 7)
    >>> d.reconstruct().shape
    (7, 11)
    >>> d[1, "HL"] is d[1, "ad"]
    True
    >>> (2 * d - d).allclose(d)
    True
    """

    @classmethod
    def from_pywt(
        cls,
        coeffs: Sequence[Any],
        wavelet: Wavelets,
        mode: Modes = "symmetric",
        axes: Sequence[int] | int | None = None,
        shape: Sequence[int] | None = None,
    ) -> Decomposition:
        """Return the decomposition with the coefficients of a list of PyWavelets.

        Parameters
        ----------
        coeffs : list
            As from :func:`wavedec`, :func:`wavedec2` or :func:`wavedecn`. Missing details
            (``None``) count as zero.
        wavelet, mode
            Those that gave the coefficients.
        axes : int or sequence of int, optional
            The transformed axes; by default the last axes, as many as the structure shows.
        shape : sequence of int, optional
            Shape of the data; by default that of the reconstruction, which has an even
            length where the data may have had an odd one.

        Returns
        -------
        Decomposition

        Raises
        ------
        ShapeError, AxisError
            If the bands do not fit together, the axes or the shape.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.arange(63.0).reshape(7, 9)
        >>> coeffs = lw.wavedec2(x, "db2", level=1)
        >>> d = lw.Decomposition.from_pywt(coeffs, "db2", shape=x.shape)
        >>> d == lw.decompose(x, "db2", level=1)
        True
        """
        fields = fields_of(coeffs, wavelet, mode, axes, shape)
        return cls(fields.approx, fields.details, fields.shape, fields.approx.dtype, fields.plans)

    @classmethod
    def load(
        cls, path: str | PathLike[str], *, like: Array | None = None, large: bool = False
    ) -> Decomposition:
        """Read a decomposition that :meth:`save` or ``liftwave decompose`` wrote.

        Parameters
        ----------
        path : str or path
            The file.
        like : array, optional
            An array of the library, and on the device, that the bands are to have; by default
            they are NumPy arrays.
        large : bool, optional
            Permits files that unpack to more than 1 GB and 100 times their size. Default False.

        Returns
        -------
        Decomposition
            Equal to the one that was written.

        Raises
        ------
        FileError
            If the file is missing (also a ``FileNotFoundError``), damaged, or was not written
            by :meth:`save`. Pickles are never read.

        Examples
        --------
        See :meth:`save`.
        """
        from liftwave.decomposition.archive import read_archive

        if like is not None and not is_array(like):
            raise ArgumentTypeError(f"like must be an array, got a {type(like).__name__}")
        contents = read_archive(_as_path(path), large=flag(large, "large"))
        d = cls(*contents[:5])
        return d if like is None else _with_library(d, like)

    def save(self, path: str | PathLike[str], *, zstd: bool = False) -> None:
        """Write all bands, and what the reconstruction needs, to a file.

        The file is a compressed ``.npz`` archive without pickles. :meth:`load` and
        ``liftwave reconstruct`` read it, and :func:`numpy.load` reads its bands. It is written
        completely or not at all; an existing file is replaced.

        Parameters
        ----------
        path : str or path
            The file; no suffix is added.
        zstd : bool, optional
            Packs the bands by a byte shuffle and zstd, which makes smaller files; needs numcodecs.
            :func:`numpy.load` cannot read such bands. Default False.

        Raises
        ------
        FileError
            If the file cannot be written, or numcodecs is missing.
        TypeError
            If the path is not one, or NumPy does not have the dtype of the bands (bfloat16).

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

        write_archive(_as_path(path), self, zstd=flag(zstd, "zstd"))

    # --- back to data --------------------------------------------------------------------

    def reconstruct(self) -> Array:
        """Reconstruct the data from these coefficients.

        Returns
        -------
        array
            Of exactly the shape of the data, in the dtype of the
            coefficients. An integer lifting scheme gives the dtype of the
            data: values outside of its range, which changed coefficients
            can cause, are clipped.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.arange(7.0)
        >>> bool(np.allclose(lw.decompose(x, "db3", mode="smooth").reconstruct(), x))
        True
        """
        if self.level == 0:
            return self.approx
        structure = dict_list(len(self.plans))
        bands = structure.unpack([self.approx, *map(dict, self.details)])
        plans = as_axis_plans(self.plans)
        data = execute(synthesis_call(bands, plans, len(self.shape), structure))
        data = data[tuple(slice(n) for n in self.shape)]
        return _within(data, self.dtype) if self._is_integer else data

    def to_array(self) -> Array:
        """Return all bands in one array, in Mallat's layout (:func:`coeffs_to_array`).

        Zeros fill the gaps that occur if bands are larger than half of the signal.
        """
        return self._packed()[0]

    def _packed(self) -> tuple[Array, list[Any]]:
        return coeffs_to_array([self.approx, *map(dict, self.details)], axes=self.axes)

    def from_array(self, arr: Array) -> Decomposition:
        """Return a decomposition of the same layout with the coefficients of ``arr``.

        Parameters
        ----------
        arr : array
            Of the shape that :meth:`to_array` returns.

        Raises
        ------
        ShapeError
            If it has another shape.
        """
        arr, (packed, places) = as_array(arr), self._packed()
        if tuple(arr.shape) != tuple(packed.shape):
            raise ShapeError(
                f"expected the shape {tuple(packed.shape)} of to_array(), got {tuple(arr.shape)}"
            )
        approx, *details = array_to_coeffs(arr, places)
        return replace(self, approx=approx, details=tuple(details))

    def plot(self, title: str | None = None) -> Figure:
        """Draw the bands with matplotlib.

        One axis: the bands of a 1-D signal one above the other, aligned in
        time. Two axes: the mosaic of a 2-D image in Mallat's layout, with
        the contrast scaled for each detail band.

        Parameters
        ----------
        title : str, optional
            Heading of the figure.

        Returns
        -------
        matplotlib.figure.Figure
            Created without pyplot, so it is neither shown nor kept open.

        Raises
        ------
        ShapeError
            If the data are neither a 1-D signal nor a 2-D image.
        """
        return plot_bands(self, title)


def _as_path(path: str | PathLike[str]) -> Path:
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


def _with_library(d: Decomposition, like: Array) -> Decomposition:
    """The decomposition with bands of the library and on the device of another array."""
    xp = array_namespace(like)

    def converted(band: Array) -> Array:
        return xp.asarray(band.copy(), device=device(like))  # a copy, which torch may write to

    details = tuple({key: converted(band) for key, band in b.items()} for b in d.details)
    dtype = getattr(xp, d.dtype.name)
    return replace(d, approx=converted(d.approx), details=details, dtype=dtype)


def decompose(
    x: ArrayLike,
    wavelet: Wavelets,
    level: int | None = None,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
) -> Decomposition:
    """Multilevel wavelet decomposition that can reconstruct the data exactly.

    Parameters
    ----------
    x : array_like
        Data of at least one dimension (see :func:`dwt` for libraries and dtypes).
    wavelet, mode
        As for :func:`dwtn`; one, or one per axis.
    level : int, optional
        Number of levels; by default :func:`dwtn_max_level` of the axes with more than
        one sample.
    axes : int or sequence of int, optional
        The axes to transform, each once; all by default.

    Returns
    -------
    Decomposition
        The same coefficients as :func:`wavedecn`.

    Raises
    ------
    ValueError, TypeError
        As for :func:`wavedecn`.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient feels the boundary.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.random.default_rng(0).standard_normal((19, 23))
    >>> d = lw.decompose(x, "bior4.4", level=1)
    >>> clean = d.threshold(0.5).reconstruct()
    >>> clean.shape
    (19, 23)
    """
    call = calls.decompose(x, wavelet, mode, level, axes)
    approx, *details = execute(call)
    (data,), transform = call.arrays, call.operation
    assert isinstance(transform, Transform)
    plans = transform.plans_for(data.ndim)
    return Decomposition(approx, tuple(details), tuple(data.shape), data.dtype, plans)


def _within(data: Array, dtype: Any) -> Array:
    """Convert integers to ``dtype``; values outside of its range are clipped."""
    xp = array_namespace(data)
    if data.dtype == dtype:
        return data
    limits = xp.iinfo(dtype)
    return xp.astype(xp.clip(data, limits.min, limits.max), dtype)
