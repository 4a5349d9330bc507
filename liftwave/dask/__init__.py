"""Arrays of dask: transforms of data that do not fit into memory.

Importing this module lets the functions of ``liftwave`` accept arrays of dask. They return arrays
of dask and compute nothing:

- ``dwt``, ``dwt2``, ``dwtn``, ``wavedec``, ``wavedec2``, ``wavedecn``, ``fswavedecn``,
  :func:`liftwave.decompose`, and their inverses;
- ``swt``, ``swt2``, ``swtn``, ``modwt``, ``mra``, and their inverses;
- ``threshold``, ``threshold_firm``, ``estimate_sigma``, and ``denoise`` by the methods ``'bayes'``
  and ``'visu'``.

Other functions raise an error. :func:`plan` describes the blocks of a transform.
"""

try:
    import dask.array as _da  # noqa: F401
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "dask":
        raise
    raise ModuleNotFoundError(
        "liftwave.dask needs dask, which is not installed: pip install 'liftwave[dask]'",
        name="dask",
    ) from error

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from liftwave._arrays.lazy import ON_CHUNKS as _ON_CHUNKS
from liftwave.dask.denoising import denoise as _denoise
from liftwave.dask.denoising import estimate_sigma as _estimate_sigma
from liftwave.dask.report import Report, plan
from liftwave.dask.thresholds import threshold_chunks as _threshold_chunks
from liftwave.dask.thresholds import threshold_firm_chunks as _threshold_firm_chunks
from liftwave.dask.transforms import execute as _execute
from liftwave.dask.transforms import open_coefficients as _open_coefficients
from liftwave.dask.transforms import open_samples as _open_samples

if _TYPE_CHECKING:
    from liftwave.dask.store import from_zarr, to_zarr

_ON_CHUNKS.update(
    execute=_execute,
    threshold=_threshold_chunks,
    threshold_firm=_threshold_firm_chunks,
    denoise=_denoise,
    estimate_sigma=_estimate_sigma,
    open_samples=_open_samples,
    open_coefficients=_open_coefficients,
)

__all__ = ["Report", "from_zarr", "plan", "to_zarr"]


def __getattr__(name: str) -> _Any:
    if name in ("from_zarr", "to_zarr"):  # they import zarr
        from liftwave.dask import store

        return globals().setdefault(name, getattr(store, name))
    raise AttributeError(f"module 'liftwave.dask' has no attribute {name!r}")
