"""Blocks on workers of `distributed`: they use one thread each, and one of them may die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest

import liftwave as lw
import liftwave.dask
import liftwave.zarr

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def client() -> Iterator[Any]:
    """Two processes of one thread."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def threads() -> int:
    return lw.get_num_threads()


def slowly(block: Any) -> Any:
    time.sleep(0.05)
    return block


def test_workers_use_one_thread(client: Any) -> None:
    """`distributed` sets OMP_NUM_THREADS for its workers."""
    assert set(client.run(threads).values()) == {1}


def test_a_killed_worker_costs_time_but_no_data(client: Any, tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((1024, 1024)).astype("float32")
    source = da.from_array(x, chunks=128).map_blocks(slowly, dtype=x.dtype, meta=x[:0, :0])
    d = lw.decompose(source, "bior4.4", 3)
    first, *_ = client.run(os.getpid).values()
    future = client.compute(liftwave.dask.to_zarr(d, tmp_path / "c", compute=False))
    time.sleep(1.0)
    assert not future.done()
    os.kill(first, signal.SIGKILL)
    future.result(timeout=120)
    assert liftwave.zarr.open_decomposition(tmp_path / "c") == lw.decompose(x, "bior4.4", 3)
