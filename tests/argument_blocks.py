"""Valid arguments of everything public for data bigger than memory."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor

import dask.array as da
import numpy as np
import zarr
from argument_kinds import Case, cases

import liftwave as lw

FOLDER = tempfile.mkdtemp()
LINE = np.arange(8.0)
LAZY = da.from_array(LINE, chunks=4)
THREADS = ThreadPoolExecutor(1)
GROUP, *TARGETS = (zarr.open_group(zarr.storage.MemoryStore(), mode="w") for _ in range(3))
lw.zarr.decompose_to(LINE, GROUP, "haar", 1)

_dask, _zarr = cases(lw.dask, "dask."), cases(lw.zarr, "zarr.")

_OPTIONS = {"executor": THREADS, "overwrite": True, "compressors": None, "progress": None}

OURS: dict[str, Case] = dict(
    (
        _dask("plan", LAZY, "haar", 1, "symmetric", None),
        _dask(
            *("to_zarr", lw.decompose(LAZY, "haar", 1), TARGETS[0]),
            overwrite=True,
            metadata={},
            compressors=None,
            compute=True,
        ),
        _dask("from_zarr", GROUP),
        _zarr(
            *("decompose_to", LINE, TARGETS[1], "haar", 1, "symmetric", None),
            **{"block": (4,), "metadata": {}, **_OPTIONS},
        ),
        _zarr("reconstruct_to", GROUP, f"{FOLDER}/data.zarr", block=(4,), **_OPTIONS),
        _zarr("open_decomposition", GROUP),
    )
)
