"""Wavelet transforms of labelled arrays: the accessor ``wavelet`` of xarray.

``import liftwave.xarray`` registers it: ``array.wavelet.decompose("db4", dim="time")`` returns a
``DataTree`` with a node for each level and band, and ``tree.wavelet.reconstruct()`` returns the
array.
"""

try:
    import xarray as _xarray  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "xarray":
        raise
    raise ModuleNotFoundError(
        "liftwave.xarray needs xarray, which is not installed: pip install 'liftwave[xarray]'",
        name="xarray",
    ) from error

from liftwave.xarray.accessors import ArrayWavelets, TreeWavelets

__all__ = ["ArrayWavelets", "TreeWavelets"]
