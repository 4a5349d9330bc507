"""Coefficients in groups of Zarr: bit-equal to those in memory, resumed, described, checked."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import zarr

import liftwave as lw
import liftwave.dask
import liftwave.zarr
from liftwave._blocks import tasks, transforms
from liftwave.errors import ArgumentTypeError, FileError, LevelError, ShapeError
from liftwave.lifting import LiftingScheme
from liftwave.zarr.blocks import block_shape

CDF53 = LiftingScheme.from_name("cdf5.3")


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> Any:
    """(With blocks on all levels of small arrays, too.)"""
    monkeypatch.setattr(transforms, "WHOLE_BELOW", 0)
    with dask.config.set(scheduler="synchronous"):
        yield


def noise(*shape: int, dtype: str = "float32") -> Any:
    return (100 * np.random.default_rng(0).standard_normal(shape)).astype(dtype)


CASES: dict[str, tuple[tuple[int, ...], str, Any, Any, Any, Any]] = {
    # shape, dtype, wavelet, mode, axes, block
    "image": ((90, 83), "float32", "bior4.4", "symmetric", None, (40, 48)),
    "periodic": ((70, 83), "float64", "db2", "periodic", None, (32, 48)),
    "odd": ((71, 83), "float32", "db2", "periodization", None, (32, 48)),
    "even": ((64, 96), "float32", CDF53, "periodization", None, (32, 48)),
    "batch": ((3, 150), "complex64", "haar", "zero", (1,), (2, 100)),
    "integers": ((70, 83), "uint8", CDF53.to_integer(), "symmetric", None, (32, 48)),
}


@pytest.mark.parametrize("name", CASES)
def test_bands_are_those_of_the_whole(name: str, tmp_path: Path) -> None:
    shape, dtype, wavelet, mode, axes, block = CASES[name]
    x = np.abs(noise(*shape)).astype(dtype)
    source = zarr.create_array(str(tmp_path / "x"), data=x, chunks=(min(shape[0], 50), 50))
    liftwave.zarr.decompose_to(source, tmp_path / "c", wavelet, 2, mode, axes, block=block)
    whole = lw.decompose(x, wavelet, 2, mode, axes)
    assert liftwave.zarr.open_decomposition(tmp_path / "c") == whole
    liftwave.zarr.reconstruct_to(tmp_path / "c", tmp_path / "y", block=block)
    np.testing.assert_array_equal(zarr.open_array(str(tmp_path / "y"))[...], whole.reconstruct())
    lazy = liftwave.dask.from_zarr(tmp_path / "c")
    np.testing.assert_array_equal(lazy.reconstruct().compute(), whole.reconstruct())


def test_threads_write_what_one_thread_writes(tmp_path: Path) -> None:
    x, calls = noise(130, 130), []
    with ThreadPoolExecutor(2) as executor:
        liftwave.zarr.decompose_to(
            x,
            tmp_path / "c",
            "db3",
            2,
            block=(64, 64),
            executor=executor,
            progress=lambda *numbers: calls.append(numbers),
        )
        y = np.empty_like(x)
        liftwave.zarr.reconstruct_to(tmp_path / "c", y, block=(64, 64), executor=executor)
    whole = lw.decompose(x, "db3", 2)
    assert liftwave.zarr.open_decomposition(tmp_path / "c") == whole
    assert calls == [(count, 4) for count in range(5)]
    np.testing.assert_array_equal(y, whole.reconstruct())


def test_a_run_that_was_interrupted_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, run, counts = noise(192, 192), tasks.Analysis.run, [0, 0]

    def interrupted(self: Any, block: Any) -> Any:
        counts[0] += 1
        if counts[0] == 4:
            raise KeyboardInterrupt
        return run(self, block)

    def counted(self: Any, block: Any) -> Any:
        counts[1] += 1
        return run(self, block)

    monkeypatch.setattr(tasks.Analysis, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        liftwave.zarr.decompose_to(x, tmp_path / "c", "db3", 1, block=(64, 64))
    with pytest.raises(FileError, match="not complete"):
        liftwave.zarr.open_decomposition(tmp_path / "c")
    monkeypatch.setattr(tasks.Analysis, "run", counted)
    for expected in (6, 6):  # nothing is left to do the second time
        liftwave.zarr.decompose_to(x, tmp_path / "c", "db3", 1, block=(64, 64))
        assert counts[1] == expected
    assert liftwave.zarr.open_decomposition(tmp_path / "c") == lw.decompose(x, "db3", 1)


@pytest.mark.parametrize("chunks", [64, ((100, 60, 32), (128, 64))])
def test_decompositions_of_dask_are_written(chunks: Any, tmp_path: Path) -> None:
    x = noise(192, 192)
    d = lw.decompose(da.from_array(x, chunks=chunks), "bior4.4", 2)
    liftwave.dask.to_zarr(d, tmp_path / "c", metadata={"unit": "mV"})
    assert liftwave.zarr.open_decomposition(tmp_path / "c") == lw.decompose(x, "bior4.4", 2)
    attribute = json.loads((tmp_path / "c" / "zarr.json").read_text())["attributes"]["liftwave"]
    assert (attribute["metadata"], attribute["complete"]) == ({"unit": "mV"}, True)
    assert not [name for name in zarr.open_group(str(tmp_path / "c")) if "liftwave" in name]


def test_graphs_continue_too(tmp_path: Path) -> None:
    x, broken = noise(256, 256), [True]

    def fail(block: Any, block_info: Any = None) -> Any:
        if broken[0] and block_info[0]["chunk-location"] == (2, 1):
            raise OSError("the worker died")
        return block

    source = da.from_array(x, chunks=64).map_blocks(fail, dtype=x.dtype, meta=x[:0, :0])
    d = lw.decompose(source, "haar", 1)
    with pytest.raises(OSError, match="died"):
        liftwave.dask.to_zarr(d, tmp_path / "c")
    broken[0] = False
    rest = liftwave.dask.to_zarr(d, tmp_path / "c", compute=False)
    assert 0 < sum("liftwave-write" in str(key) for key in dict(rest.dask)) < 16
    rest.compute()
    assert liftwave.zarr.open_decomposition(tmp_path / "c") == lw.decompose(x, "haar", 1)


def test_undecimated_bands_are_written(tmp_path: Path) -> None:
    x = noise(64, 60)
    u = lw.undecimated(da.from_array(x, chunks=30), "db2", 2)
    liftwave.dask.to_zarr(u, tmp_path / "c")
    whole = lw.undecimated(x, "db2", 2)
    assert liftwave.zarr.open_decomposition(tmp_path / "c") == whole
    lazy = liftwave.dask.from_zarr(tmp_path / "c")
    np.testing.assert_array_equal(lazy.reconstruct().compute(), whole.reconstruct())
    with pytest.raises(ArgumentTypeError, match="from_zarr"):
        liftwave.zarr.reconstruct_to(tmp_path / "c", np.empty_like(x))


@pytest.mark.slow
def test_processes(tmp_path: Path) -> None:
    x = noise(130, 130)
    source = zarr.create_array(str(tmp_path / "x"), data=x, chunks=(50, 50))
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        liftwave.zarr.decompose_to(
            source, tmp_path / "c", "db3", 2, block=(64, 64), executor=executor
        )
    assert liftwave.zarr.open_decomposition(tmp_path / "c") == lw.decompose(x, "db3", 2)


PEAK = """
import resource
import sys
from concurrent.futures import ThreadPoolExecutor

import zarr

import liftwave.zarr

x = zarr.create_array(sys.argv[1] + "/x", shape=(16384,) * 2, chunks=(2048,) * 2, dtype="float32")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(2) as threads:
    liftwave.zarr.decompose_to(
        x, sys.argv[1] + "/c", "bior4.4", 3, block=(2048,) * 2, executor=threads
    )
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak is that of Linux")
def test_the_memory_is_that_of_the_blocks(tmp_path: Path) -> None:
    """Of 1.07 GB, less than 0.6 GB are in memory, with two threads."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) * 1024 < 600e6


def test_errors(tmp_path: Path) -> None:
    x, path = noise(64, 64), tmp_path / "c"
    liftwave.zarr.decompose_to(x, path, "haar", 1)
    with pytest.raises(FileError, match="another decomposition"):
        liftwave.zarr.decompose_to(x, path, "db2", 1)
    liftwave.zarr.decompose_to(x, path, "db2", 1, overwrite=True)
    assert liftwave.zarr.open_decomposition(path) == lw.decompose(x, "db2", 1)
    zarr.open_group(str(tmp_path / "other")).create_array("a", shape=(3,), dtype="f4")
    with pytest.raises(FileError, match="other arrays"):
        liftwave.zarr.decompose_to(x, tmp_path / "other", "db2", 1)
    with pytest.raises(FileError, match="no attribute"):
        liftwave.zarr.open_decomposition(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        liftwave.dask.from_zarr(tmp_path / "nothing")
    with pytest.raises(LevelError, match="at least one level"):
        liftwave.zarr.decompose_to(x, tmp_path / "d", "db2", 0)
    with pytest.raises(ShapeError, match="one positive size"):
        liftwave.zarr.decompose_to(x, tmp_path / "d", "db2", 1, block=(3,))
    with pytest.raises(ArgumentTypeError, match="array with slices"):
        liftwave.zarr.decompose_to([1.0, 2.0], tmp_path / "d", "db2", 1)
    with pytest.raises(ArgumentTypeError, match="submit"):
        liftwave.zarr.decompose_to(x, tmp_path / "d", "db2", 1, executor=3)  # type: ignore
    with pytest.raises(ArgumentTypeError, match="save"):
        liftwave.dask.to_zarr(lw.decompose(x, "db2", 1), tmp_path / "d")
    with pytest.raises(ShapeError, match="must have the shape"):
        liftwave.zarr.reconstruct_to(path, x[:9])
    with pytest.raises(FileError, match="exists"):
        liftwave.zarr.reconstruct_to(path, path / "level1_aa")


def test_a_group_that_lacks_a_band(tmp_path: Path) -> None:
    liftwave.zarr.decompose_to(noise(64, 64), tmp_path / "c", "haar", 1)
    del zarr.open_group(str(tmp_path / "c"))["level1_ad"]
    with pytest.raises(FileError, match="missing bands: level1_ad"):
        liftwave.zarr.open_decomposition(tmp_path / "c")


def test_blocks_of_large_files_are_limited() -> None:
    assert block_shape(None, (40000, 40000), (1024, 1024), (0, 1), 3) == [2048, 2048]
    assert block_shape(None, (40000, 40000), (4096, 4096), (0, 1), 3) == [4096, 4096]
    assert block_shape(None, (40000, 40000), (16, 16), (0, 1), 3) == [1024, 1024]
    assert block_shape(None, (10**9,), None, (0,), 26) == [2**22]
    assert block_shape(None, (7, 900), (1, 100), (1,), 4) == [7, 912]
