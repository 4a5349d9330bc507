"""Transforms of data that do not fit into memory: time, CPU time and peak memory, against copies.

    python -m benchmarks.bigger_than_memory [--megabytes N] [--side N] [--chunk N] [--folder PATH]

    --megabytes N   size of the image on disk, float32 (256)
    --side N        rows and columns of the array in memory for the overhead (4096)
    --chunk N       rows and columns of a chunk (2048: 16 MB)
    --threads N     threads that compute blocks at the same time (2)
    --folder PATH   where the files are written and deleted (a temporary folder)

Every row of the first table runs in a separate process. *Peak* is the largest resident memory
minus that after the imports (Linux only). The copy writes the same chunks by dask. Zarr does not
compress. The second table compares the transform of an array in memory with that of its chunks, by
the same threads: best of several, in CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import liftwave as lw
from benchmarks.machine import processor

WAVELET, LEVEL = "bior4.4", 3
SOURCE = "image.zarr"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--chunk", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row is not None:
        print(json.dumps(measured(ROWS[options.row], options)))
        return
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        print(f"{processor()}; {WAVELET}, {LEVEL} levels, float32, {options.threads} threads\n")
        print_rows(folder, options)
        print_overheads(options)
    finally:
        shutil.rmtree(folder)


# --- on disk -------------------------------------------------------------------------------------


def write_image(options: argparse.Namespace) -> None:
    """Write an image of whole chunks, row of chunks by row."""
    import zarr

    side = image_side(options)
    array = zarr.create_array(
        str(options.folder / SOURCE),
        shape=(side, side),
        chunks=(options.chunk, options.chunk),
        dtype="float32",
        compressors=None,
    )
    random = np.random.default_rng(0)
    for start in range(0, side, options.chunk):
        array[start : start + options.chunk] = random.standard_normal(
            (min(options.chunk, side - start), side), dtype="float32"
        )


def image_side(options: argparse.Namespace) -> int:
    """The rows and columns of the image: whole chunks, at least two."""
    chunks = (options.megabytes * 1e6 / 4) ** 0.5 / options.chunk
    return options.chunk * max(2, round(chunks))


def copy(options: argparse.Namespace) -> None:
    import dask.array as da

    x = da.from_zarr(str(options.folder / SOURCE))
    x.to_zarr(str(options.folder / "copy.zarr"), compressors=None)


def decompose_graph(options: argparse.Namespace) -> None:
    import dask.array as da

    import liftwave.dask

    x = da.from_zarr(str(options.folder / SOURCE))
    d = lw.decompose(x, WAVELET, LEVEL)
    liftwave.dask.to_zarr(d, options.folder / "graph.zarr", compressors=None)


def decompose_direct(options: argparse.Namespace) -> None:
    import zarr

    import liftwave.zarr

    source = zarr.open_array(str(options.folder / SOURCE), mode="r")
    with ThreadPoolExecutor(options.threads) as threads:
        liftwave.zarr.decompose_to(
            source,
            options.folder / "direct.zarr",
            WAVELET,
            LEVEL,
            block=(options.chunk,) * 2,
            executor=threads,
            compressors=None,
        )


def reconstruct_direct(options: argparse.Namespace) -> None:
    import liftwave.zarr

    with ThreadPoolExecutor(options.threads) as threads:
        liftwave.zarr.reconstruct_to(
            options.folder / "direct.zarr",
            options.folder / "again.zarr",
            block=(options.chunk,) * 2,
            executor=threads,
            compressors=None,
        )


def denoise(options: argparse.Namespace) -> None:
    import dask.array as da

    import liftwave.dask  # noqa: F401

    x = da.from_zarr(str(options.folder / SOURCE))
    clean = lw.denoise(x, WAVELET, level=LEVEL).rechunk(options.chunk)
    clean.to_zarr(str(options.folder / "clean.zarr"), compressors=None)


ROWS: dict[str, Callable[[argparse.Namespace], None]] = {
    "write": write_image,
    "copy": copy,
    "decompose, graph": decompose_graph,
    "decompose, direct": decompose_direct,
    "reconstruct, direct": reconstruct_direct,
    "denoise": denoise,
}


def measured(row: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> list[float]:
    """Wall seconds, CPU seconds, and bytes of peak memory beyond those after the imports."""
    import dask

    import liftwave.dask
    import liftwave.zarr  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    with dask.config.set(scheduler="threads", num_workers=options.threads):
        row(options)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return [wall, cpu, 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)]


def print_rows(folder: Path, options: argparse.Namespace) -> None:
    side = image_side(options)
    gigabytes = side * side * 4 / 1e9
    print(f"{side} x {side}, {gigabytes:.2f} GB, chunks of {options.chunk} x {options.chunk}\n")
    print("| | wall s | CPU s | peak MB |")
    print("| --- | ---: | ---: | ---: |")
    for name in ROWS:
        wall, cpu, peak = in_a_process(name, folder, options)
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak / 1e6:.0f} |", flush=True)
        for result in ("copy.zarr", "graph.zarr", "again.zarr", "clean.zarr"):
            shutil.rmtree(folder / result, ignore_errors=True)


def in_a_process(name: str, folder: Path, options: argparse.Namespace) -> list[float]:
    """The time and memory of a row, in a separate process."""
    numbers = [f"--{key}={getattr(options, key)}" for key in ("megabytes", "chunk", "threads")]
    row = [f"--folder={folder}", f"--row={name}"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bigger_than_memory", *numbers, *row],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: list[float] = json.loads(done.stdout.splitlines()[-1])
    return figures


# --- in memory -----------------------------------------------------------------------------------


def print_overheads(options: argparse.Namespace) -> None:
    import dask
    import dask.array as da

    import liftwave.dask  # noqa: F401

    x = np.random.default_rng(0).standard_normal((options.side,) * 2, dtype="float32")
    print(f"\n{options.side} x {options.side} in memory\n")
    print("| chunks | CPU s | of the whole |")
    print("| --- | ---: | ---: |")
    whole = cpu_seconds(lambda: lw.decompose(x, WAVELET, LEVEL))
    print(f"| the whole | {whole:.3f} | 1 |")
    for chunk in sorted({options.chunk, options.chunk // 2}, reverse=True):
        d = lw.decompose(da.from_array(x, chunks=chunk), WAVELET, LEVEL)
        with dask.config.set(scheduler="threads", num_workers=options.threads):
            bands = list(d.bands.values())
            blocks = cpu_seconds(lambda arrays=bands: dask.persist(*arrays))
        print(f"| {chunk} x {chunk} | {blocks:.3f} | {blocks / whole:.2f} |", flush=True)


def cpu_seconds(call: Callable[[], Any]) -> float:
    """The least CPU time of a call."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


if __name__ == "__main__":
    main()
