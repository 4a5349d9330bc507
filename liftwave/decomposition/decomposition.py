"""The object that :func:`decompose` returns: reconstruction and changed coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from liftwave._arrays.convert import as_array
from liftwave._execute import execute
from liftwave._operations.transform import Transform
from liftwave._plan.axes import AxisPlans, as_axis_plans
from liftwave._typing import Array, ArrayLike, Modes
from liftwave.decomposition.from_pywt import fields_of
from liftwave.decomposition.plotting import plot_bands
from liftwave.decomposition.stored import StoredBands, restored
from liftwave.errors import ArgumentTypeError, ShapeError
from liftwave.transforms import calls
from liftwave.transforms.coefficients import array_to_coeffs, coeffs_to_array
from liftwave.transforms.structures import dict_list
from liftwave.transforms.synthesis_calls import synthesis_call
from liftwave.wavelets.resolve import Wavelets

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition(StoredBands):
    """A multilevel wavelet decomposition, as :func:`decompose` returns it.

    It is immutable: methods that change coefficients return a new decomposition, and its NumPy
    arrays are read-only views. It is also a mapping of the bands: ``d[1, "d"]`` is a band,
    ``d[1]`` are the bands of a level, ``d[-1]`` those of the coarsest level; ``len(d)``, ``in``,
    iteration and :meth:`items` use the names ``(level, key)``. Decompositions with the same layout
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
            As passed to the function that computed the coefficients.
        axes : int or sequence of int, optional
            The transformed axes; by default the last axes, whose number follows from the structure.
        shape : sequence of int, optional
            Shape of the data; by default that of the reconstruction, which has an even
            length even if the length of the data was odd.

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

    # --- reconstruction ------------------------------------------------------------------

    def reconstruct(self) -> Array:
        """Reconstruct the data from these coefficients.

        Returns
        -------
        array
            Of exactly the shape of the data, in the dtype of the
            coefficients. An integer lifting scheme returns the dtype of the
            data. Changed coefficients can cause values outside of its range,
            which are clipped.

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
        return restored(self, data)

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
            An array of the shape that :meth:`to_array` returns.

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


def decompose(
    x: ArrayLike,
    wavelet: Wavelets,
    level: int | None = None,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
    *,
    out: Decomposition | None = None,
    dtype: Any = None,
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
    out : Decomposition, optional
        The result of an earlier call with these arguments, for data of the same shape and dtype.
        The function writes all bands to its memory and returns it. If other decompositions share
        bands with it, these change, too.
    dtype : dtype or str, optional
        The dtype of the coefficients of an integer lifting scheme, as for :func:`dwt`.

    Returns
    -------
    Decomposition
        The same coefficients as :func:`wavedecn`.

    Raises
    ------
    ValueError, TypeError
        As for :func:`wavedecn`, also for ``out``.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient depends on the boundary.

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
    (data,), transform = call.arrays, call.operation
    assert isinstance(transform, Transform)
    plans = transform.plans_for(data.ndim)
    if out is not None:
        execute(call, _bands_of(out, data, plans, transform.level), dtype=dtype)
        return out
    approx, *details = execute(call, dtype=dtype)
    return Decomposition(approx, tuple(details), tuple(data.shape), data.dtype, plans)


def _bands_of(out: Any, data: Array, plans: AxisPlans, level: int) -> list[Any]:
    """The bands of a decomposition, which can be written to, in the structure of the transform.

    Raises
    ------
    ArgumentTypeError, ShapeError
        If it is not a decomposition of such data with these plans.
    """
    if not isinstance(out, Decomposition):
        raise ArgumentTypeError(
            f"out must be a Decomposition, got an object of type {type(out).__name__}"
        )
    layout = tuple(data.shape), data.dtype, plans, level
    if (out.shape, out.dtype, out.plans, out.level) != layout:
        raise ShapeError(
            f"out does not match a decomposition of shape {layout[0]}, {data.dtype}, with these "
            f"arguments and {level} levels: pass the result of a call with the same arguments; "
            f"got {out!r}"
        )
    details = [{key: _writeable(band) for key, band in bands.items()} for bands in out.details]
    return [_writeable(out.approx), *details]


def _writeable(band: Array) -> Array:
    """A band that can be written to, unless the owner of its memory forbids that."""
    if type(band) is not np.ndarray:
        return band
    view = band.view()
    with suppress(ValueError):  # a later check then rejects the array as read-only
        view.flags.writeable = True
    return view
