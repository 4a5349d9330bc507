"""Transforms from file to file: coefficients in groups of Zarr, block by block.

The size of a block bounds the memory, for data of any size. The source can be an array of Zarr, a
dataset of h5py, a memory map, or any other array that supports slices. Start an interrupted run
again to continue it.
"""

try:
    import zarr as _zarr  # noqa: F401
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "zarr":
        raise
    raise ModuleNotFoundError(
        "liftwave.zarr needs zarr, which is not installed: pip install 'liftwave[dask]'",
        name="zarr",
    ) from error

from liftwave.zarr.analysis import decompose_to
from liftwave.zarr.groups import open_decomposition
from liftwave.zarr.synthesis import reconstruct_to

__all__ = ["decompose_to", "open_decomposition", "reconstruct_to"]
