"""The accessors ``wavelet`` of data arrays and data trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from liftwave._numbers import items
from liftwave._typing import Modes
from liftwave.decomposition.decomposition import decompose
from liftwave.errors import AxisError, AxisTypeError
from liftwave.wavelets.resolve import Wavelets
from liftwave.xarray.trees import MARK, SIGNAL, decomposition_of, description_of, tree_of

_register: Any = xr  # these functions of xarray have no types


@_register.register_dataarray_accessor("wavelet")
class ArrayWavelets:
    """Wavelet transforms of a data array: its attribute ``wavelet``.

    Parameters
    ----------
    array : DataArray
        The data.

    Examples
    --------
    See :meth:`decompose`.
    """

    def __init__(self, array: xr.DataArray) -> None:
        self._array = array

    def decompose(
        self,
        wavelet: Wavelets,
        level: int | None = None,
        mode: Modes = "symmetric",
        *,
        dim: str | Sequence[str] | None = None,
    ) -> xr.DataTree:
        """Multilevel wavelet decomposition along named dimensions.

        Parameters
        ----------
        wavelet, level, mode : optional
            As for :func:`liftwave.decompose`.
        dim : str or sequence of str, optional
            The dimensions to transform, each once; all by default.

        Returns
        -------
        DataTree
            With a node ``level_1/d`` for each band, coarsest level first, named by level and key
            as in :class:`liftwave.Decomposition`. The node has a variable with the name of the
            array (``data`` for an array without a name), its attributes, and coordinates at the
            centres of energy of the filters. The node ``signal`` has the coordinates of the data.
            Bands of an array of chunks (dask) are computed later (:mod:`liftwave.dask`).

        Raises
        ------
        AxisError
            If ``dim`` is not one of the dimensions.
        LiftwaveError
            As for :func:`liftwave.decompose`.

        Examples
        --------
        >>> import numpy as np
        >>> import xarray as xr
        >>> import liftwave.xarray
        >>> time = np.arange("2001-01-01", "2001-01-11", dtype="datetime64[h]").astype("M8[s]")
        >>> wave = xr.DataArray(np.sin(np.arange(240.0)), {"time": time}, name="tide")
        >>> tree = wave.wavelet.decompose("haar", level=2, dim="time")
        >>> tree["level_2/d/tide"].sizes["time"]
        60
        >>> tree["level_2/d/tide"].time.values[0]
        np.datetime64('2001-01-01T01:30:00')
        >>> xr.testing.assert_allclose(tree.wavelet.reconstruct(), wave)
        """
        array = self._array
        dims = _dims(array, dim)
        if array.chunks is not None:
            import liftwave.dask  # noqa: F401  registers the functions for such arrays
        axes = [array.dims.index(dimension) for dimension in dims]
        return tree_of(decompose(array.data, wavelet, level, mode, axes), array, dims)


@_register.register_datatree_accessor("wavelet")
class TreeWavelets:
    """The reconstruction of a tree that ``DataArray.wavelet.decompose`` returned.

    Parameters
    ----------
    tree : DataTree
        The tree.

    Examples
    --------
    See :meth:`ArrayWavelets.decompose`.
    """

    def __init__(self, tree: xr.DataTree) -> None:
        self._tree = tree

    def reconstruct(self) -> xr.DataArray:
        """Return the data of the coefficients in the tree.

        Returns
        -------
        DataArray
            With the dimensions, the coordinates and the attributes of the data. You can change the
            coefficients first, and select along dimensions that were not transformed.

        Raises
        ------
        BandError, ShapeError
            If a node is missing, or has another size along a transformed dimension.

        Examples
        --------
        >>> import numpy as np
        >>> import xarray as xr
        >>> import liftwave.xarray
        >>> array = xr.DataArray(np.arange(24.0).reshape(2, 12), dims=("place", "time"))
        >>> tree = array.wavelet.decompose("db2", dim="time", level=1)
        >>> tree["level_1/d/data"][:] = 0
        >>> tree.isel(place=0).wavelet.reconstruct().sizes["time"]
        12
        """
        if self._tree.chunksizes:
            import liftwave.dask  # noqa: F401

        description = description_of(self._tree)
        d, approx = decomposition_of(self._tree, description)
        coordinates = self._tree[SIGNAL].coords.to_dataset().drop_vars(MARK)
        rest = approx.coords.to_dataset().drop_dims(description.dims, errors="ignore")
        data = xr.DataArray(
            d.reconstruct(), dims=approx.dims, name=description.name, attrs=approx.attrs
        )
        result: xr.DataArray = data.assign_coords(rest.coords).assign_coords(coordinates.coords)
        return result


def _dims(array: xr.DataArray, dim: Any) -> list[str]:
    """The transformed dimensions."""
    if dim is None:
        return [*map(str, array.dims)]
    demand = "dim must be the name of a dimension, or a sequence of names"
    names = [dim] if isinstance(dim, str) else items(dim, demand, AxisTypeError)
    for dimension in names:
        if not _is_dim(dimension, array):
            raise AxisError(
                f"dim={dimension!r} is not a dimension of the array, which has "
                f"{', '.join(map(repr, array.dims)) or 'none'}"
            )
    return names


def _is_dim(name: Any, array: xr.DataArray) -> bool:
    try:
        return name in set(array.dims)
    except TypeError:  # the name cannot be hashed
        return False
