"""The layout of a decomposition as a tree: its nodes, and the description of its transform."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import xarray as xr
from array_api_compat import array_namespace

from liftwave._arrays.convert import dtype_name
from liftwave._arrays.lazy import is_lazy
from liftwave._operations.wavelet_data import to_json, with_numbers
from liftwave._plan.axes import axis_plans
from liftwave._typing import Array, Mode
from liftwave.decomposition.decomposition import Decomposition
from liftwave.decomposition.description import wavelet_of
from liftwave.errors import BandError, ShapeError
from liftwave.xarray.coordinates import band_coordinate

SIGNAL = "signal"
"""The node with the coordinates of the data along the transformed dimensions."""

MARK = "liftwave"
"""A coordinate of this node, whose attribute describes the transform. (Computations drop the
attributes of the tree itself, and not all files preserve the dtype of text.)"""

_NAMELESS = "data"


class Description(NamedTuple):
    """The data that the reconstruction needs, as JSON data.

    Attributes
    ----------
    name : str or None
        The name of the data.
    dims : list of str
        The transformed dimensions.
    sizes : list of int
        The number of samples along each.
    wavelets, modes : list
        The wavelet and the boundary mode of each.
    dtype : str
        The dtype of the data.
    bands : list of (int, str, list of int)
        The level and key of each band, and its sizes along the transformed dimensions.
    """

    name: str | None
    dims: list[str]
    sizes: list[int]
    wavelets: list[Any]
    modes: list[Mode]
    dtype: str
    bands: list[tuple[int, str, list[int]]]

    @property
    def variable(self) -> str:
        """The name of the variable in each node of a band."""
        return _NAMELESS if self.name is None else self.name


def tree_of(d: Decomposition, array: xr.DataArray, dims: Sequence[str]) -> xr.DataTree:
    """The bands of an array as a tree."""
    description = _described(d, array, dims)
    nodes = {SIGNAL: _signal_node(array, dims, description)}
    rest = array.coords.to_dataset().drop_dims(dims, errors="ignore")
    for (level, key), band in d.items():
        # Bands of `d` are read-only, except those of dask.
        values = band if is_lazy(band) else array_namespace(band).asarray(band, copy=True)
        coordinates = {
            dim: band_coordinate(array, dim, plan, level, letter, band.shape[plan.axis])
            for dim, plan, letter in zip(dims, d.plans, key, strict=True)
        }
        node = rest.assign({description.variable: (array.dims, values, array.attrs)})
        nodes[path_of(level, key)] = node.assign_coords(coordinates)
    return xr.DataTree.from_dict(nodes, name=array.name if array.name is None else str(array.name))


def path_of(level: int, key: str) -> str:
    """The path of the node of a band."""
    return f"level_{level}/{key}"


def _described(d: Decomposition, array: xr.DataArray, dims: Sequence[str]) -> Description:
    return Description(
        None if array.name is None else str(array.name),
        list(dims),
        [d.shape[axis] for axis in d.axes],
        [to_json(with_numbers(wavelet), []) for wavelet in d.wavelets],
        [plan.boundary for plan in d.plans],
        dtype_name(d.dtype, array_namespace(d.approx)),
        [(level, key, [band.shape[axis] for axis in d.axes]) for (level, key), band in d.items()],
    )


def _signal_node(array: xr.DataArray, dims: Sequence[str], description: Description) -> xr.Dataset:
    coordinates = array.coords.to_dataset()
    along = [set(c.dims) for c in coordinates.variables.values() if {*c.dims} & {*dims}]
    needed = set[Hashable]().union(*along)
    # Coordinates along other dimensions are in the bands, and here if one above depends on both.
    dropped = [
        name
        for name, c in coordinates.variables.items()
        if not {*c.dims} & {*dims} and name not in needed
    ]
    text = json.dumps(description._asdict())
    return coordinates.drop_vars(dropped).assign_coords({MARK: ((), 1, {"transform": text})})


def description_of(tree: xr.DataTree) -> Description:
    """The description in a tree.

    Raises
    ------
    BandError
        If the tree has none.
    """
    node = tree.children.get(SIGNAL)
    if node is None or "transform" not in getattr(node.coords.get(MARK), "attrs", ()):
        raise BandError(
            f"reconstruct() needs the node {SIGNAL!r} with the coordinate {MARK!r}, which "
            f"decompose() writes; this tree has the nodes {', '.join(tree.children) or 'none'}"
        )
    return Description(**json.loads(node.coords[MARK].attrs["transform"]))


# --- from a tree to the data -----------------------------------------------------------------


def decomposition_of(
    tree: xr.DataTree, description: Description
) -> tuple[Decomposition, xr.DataArray]:
    """The bands in a tree, and the approximation with its coordinates.

    Raises
    ------
    BandError, ShapeError
        If a band is missing, or has another size along a transformed dimension.
    """
    bands = {
        (level, key): _band(tree, description, level, key, sizes)
        for level, key, sizes in description.bands
    }
    (level, key), approx = next(iter(bands.items()))
    dims = approx.dims
    axes = [dims.index(dim) for dim in description.dims]
    wavelets = [wavelet_of(data) for data in description.wavelets]
    plans = axis_plans(wavelets, description.modes, axes, len(dims))
    details: list[dict[str, Array]] = [{} for _ in range(level)]
    for (depth, key), band in [*bands.items()][1:]:
        details[level - depth][key] = band.transpose(*dims).data
    shape = [approx.sizes[dim] for dim in dims]
    for axis, size in zip(axes, description.sizes, strict=True):
        shape[axis] = size
    dtype = getattr(array_namespace(approx.data), description.dtype)
    d = Decomposition(approx.data, tuple(details), tuple(shape), dtype, plans)
    return d, approx


def _band(
    tree: xr.DataTree, description: Description, level: int, key: str, sizes: Sequence[int]
) -> xr.DataArray:
    path = f"{path_of(level, key)}/{description.variable}"
    try:
        band: Any = tree[path]
    except KeyError:
        raise BandError(f"the tree has no band {path!r}, which reconstruct() needs") from None
    lengths = [band.sizes.get(dim) for dim in description.dims]
    if lengths != list(sizes):
        raise ShapeError(
            f"{path} must have {_each(description.dims, sizes)}, got "
            f"{_each(band.dims, band.shape)}: select along other dimensions only"
        )
    result: xr.DataArray = band
    return result


def _each(dims: Sequence[Hashable], sizes: Sequence[int]) -> str:
    return ", ".join(f"{dim}: {size}" for dim, size in zip(dims, sizes, strict=True))
