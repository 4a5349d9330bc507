"""The memory that a transform uses beyond its result.

    python -m benchmarks.scratch_memory [--mib 64]

Prints a Markdown table of multiples of the input's size. *Held*: memory that the result
keeps alive beyond its own numbers. *Arrays*: the peak allocation beyond the result
during the call, measured by ``tracemalloc``. *Resident*: the same, measured by the operating
system (Linux), including the kernels' scratch memory, which does not grow with the
arrays.
"""

from __future__ import annotations

import argparse
import ctypes
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import liftwave as lw
from benchmarks.machine import processor

SCHEME = lw.LiftingScheme.from_name("cdf9.7")
INTEGER = lw.LiftingScheme.from_name("cdf5.3").to_integer()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=64, help="size of the input")
    args = parser.parse_args()
    side = int((args.mib * 2**18) ** 0.5) // 64 * 64
    image = np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    print(f"{processor()}; NumPy {np.__version__}; float32, {image.nbytes / 2**20:.3g} MiB\n")
    print("| transform | result | held | arrays | resident |")
    print("| --- | --- | --- | --- | --- |")
    for title, (call, given) in rows(image).items():
        call(given)
        figures = [size / image.nbytes for size in (*measured(call, given), resident(call, given))]
        print(f"| {title} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")


def rows(image: Any) -> dict[str, tuple[Callable[[Any], Any], Any]]:
    """The measured functions, and their arguments."""
    line, volume = image.reshape(-1), image.reshape(64, -1, 64)
    narrow = (100 * image).astype(np.int16)

    def of(call: Callable[..., Any], x: Any, *arguments: Any, **named: Any) -> Any:
        return lambda given: call(given, *arguments, **named), x

    def back(
        forward: Callable[..., Any],
        inverse: Callable[..., Any],
        x: Any,
        *arguments: Any,
        **named: Any,
    ) -> Any:
        return lambda given: inverse(given, *arguments), forward(x, *arguments, **named)

    return {
        "`dwt`": of(lw.dwt, line, "db4"),
        "`dwt` along axis 0": of(lw.dwt, image, "db4", axis=0),
        "`dwt2`": of(lw.dwt2, image, "db4"),
        "`idwt2`": back(lw.dwt2, lw.idwt2, image, "db4"),
        "`dwt2` of a transposed, reversed view": of(lw.dwt2, image.T[::-1, ::-1], "db4"),
        "`dwtn` of a volume": of(lw.dwtn, volume, "bior4.4"),
        "`dwtn` along axes that are not neighbours": of(lw.dwtn, volume, "bior4.4", axes=(0, 2)),
        "`wavedec`, 8 levels": of(lw.wavedec, line, "db4", level=8),
        "`waverec`, 8 levels": back(lw.wavedec, lw.waverec, line, "db4", level=8),
        "`wavedec2`, 4 levels": of(lw.wavedec2, image, "db4", level=4),
        "`waverec2`, 4 levels": back(lw.wavedec2, lw.waverec2, image, "db4", level=4),
        "`dwt2` by lifting": of(lw.dwt2, image, SCHEME, "symmetric"),
        "`idwt2` by lifting": back(lw.dwt2, lw.idwt2, image, SCHEME, "symmetric"),
        "`dwt2` by lifting of a transposed view": of(lw.dwt2, image.T, SCHEME, "symmetric"),
        "`dwt2` by lifting of int16": of(lw.dwt2, narrow, INTEGER, "symmetric"),
        "`dwtn` by lifting of a volume": of(lw.dwtn, volume, SCHEME, "symmetric"),
        "`wavedec2` by lifting, 4 levels": of(lw.wavedec2, image, SCHEME, "symmetric", level=4),
        "`dwt2` of int16 by a filter bank": of(lw.dwt2, narrow, "db4"),
    }


def measured(call: Callable[[Any], Any], given: Any) -> tuple[int, int, int]:
    """Bytes of the result, of other memory that it keeps alive, and of the peak beyond both."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = call(given)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    bands = leaves(result)
    own, held = sum(band.nbytes for band in bands), sum(owners(bands).values())
    return own, held - own, max(0, most - before - held)


def resident(call: Callable[[Any], Any], given: Any) -> float:
    """The peak resident size beyond the result's memory; NaN on systems other than Linux."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return float("nan")

    def kibibytes(what: str) -> int:
        return int(status.read_text().split(what + ":")[1].split()[0])

    ctypes.CDLL(None).malloc_trim(0)  # returns freed memory, so that its reuse counts
    reset.write_text("5")  # resets the peak
    before = kibibytes("VmRSS")
    result = call(given)
    held = sum(owners(leaves(result)).values())
    return max(0, 1024 * (kibibytes("VmHWM") - before) - held)


def leaves(tree: Any) -> list[Any]:
    """The arrays in nested lists, tuples and dicts."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def owners(arrays: list[Any]) -> dict[int, int]:
    """The sizes of the distinct blocks of memory that contain the arrays."""
    sizes = {}
    for array in arrays:
        while isinstance(array.base, np.ndarray):
            array = array.base
        sizes[id(array)] = array.nbytes
    return sizes


if __name__ == "__main__":
    main()
