"""Whether threads pay: ``python -m benchmarks.threads``.

Three tables, for the compiled kernels of the CPU:

scaling
    Each large row of ``peers`` with 1, 2, 4, ... threads, as multiples of the speed of one.
sizes
    Square images by side: the time with one thread divided by that with two. Where the number
    exceeds 1, two threads pay. Results are written to memory that is present (``out=``), because
    the system's allocator releases and maps memory again in some calls, which one thread does. The
    calls run in loops of at least 20 ms, because a processor that rests takes time to wake up.
pools
    Programs that have workers of their own, as many as there are processors. Each worker
    transforms images. The number is the time with liftwave's default number of threads in each
    worker, relative to one thread in each.

All times are interleaved. The numbers are medians of ratios within a round.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

import liftwave as lw
from benchmarks.libraries import Liftwave, prepared
from benchmarks.machine import caches, processor, processors, versions
from benchmarks.measuring import Effort, Run, interleaved, median_ratio, new_memory
from benchmarks.rows import Row, matching

ROUNDS = 11
SIDES = (16, 32, 64, 128, 256, 512, 1024, 2048)
IMAGE = 512
IMAGES = 64
LOOP = 0.02
PAGE = Path(__file__).parent / "results" / "threads.md"
TITLE = """# Threads

```console
$ python -m benchmarks.threads --write
```

*Scaling* is the speed with several threads, as multiples of that with one. *Sizes* is the same with
two threads, for square images by side, in loops of calls with `out=`. *Pools* are programs with
workers of their own, each of which transforms images. The last column is the time with liftwave's
default number of threads in each worker, relative to one thread in each.
"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of rows' names; all large ones by default")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--side", type=int, help="no axis longer than this")
    parser.add_argument("--write", type=Path, nargs="?", const=PAGE, help=f"a page ({PAGE.name})")
    arguments = parser.parse_args(argv)
    most, effort = arguments.side or max(SIDES), Effort(side=arguments.side)
    rows = [effort.sized(row) for row in matching(arguments.names) if not row.small]
    lines, rounds = [TITLE], f"medians of {arguments.rounds} rounds"
    parts = (
        [f"{processor()} ({caches()}), {processors()} processors\\", f"{_versions()}\\", rounds],
        scaling(rows, arguments.rounds),
        sizes([side for side in SIDES if side <= most], arguments.rounds),
        pools(min(IMAGE, most), arguments.rounds),
    )
    for text in chain.from_iterable(parts):
        print(text, flush=True)
        lines.append(text)
    if arguments.write is not None:
        arguments.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _versions() -> str:
    return versions(["liftwave", "numpy", "torch", "dask", "joblib"])


# --- one call ------------------------------------------------------------------------------------


def with_threads(count: int, run: Run) -> Run:
    """A run with this number of liftwave's threads."""

    def call() -> object:
        lw.set_num_threads(count)
        return run()

    return call


@contextmanager
def same_threads_after() -> Iterator[int]:
    """The number of liftwave's threads, which is restored at the end."""
    before = lw.get_num_threads()
    try:
        yield before
    finally:
        lw.set_num_threads(before)


def numbers_of_threads() -> list[int]:
    """1, 2, 4, ... and the number of processors; at least 1 and 2."""
    powers = [2**k for k in range(1, processors().bit_length())]
    return sorted({1, 2, *powers, processors()})


def speeds(run: Run, counts: Sequence[int], rounds: int, at_least: float = 0.0) -> list[float]:
    """The speed with each number of threads, relative to that with the first."""
    runs = {str(count): with_threads(count, run) for count in counts}
    times = interleaved(runs, rounds, at_least, before="itself")
    return [median_ratio(times[str(counts[0])], times[str(count)]) for count in counts]


def scaling(rows: Sequence[Row], rounds: int) -> Iterator[str]:
    """The first table, line by line."""
    counts = numbers_of_threads()
    yield "\n## Scaling\n"
    yield line(["row", *(f"{count} threads" for count in counts)])
    yield line(["---"] * (len(counts) + 1))
    with same_threads_after(), new_memory():
        for row in rows:
            ratios = speeds(prepared(Liftwave(), row), counts, rounds)
            yield line([row.name, *(f"{ratio:.2f}" for ratio in ratios)])


def sizes(sides: Sequence[int], rounds: int) -> Iterator[str]:
    """The second table, line by line."""
    yield "\n## Sizes\n"
    yield line(["transform, float32", *map(str, sides)])
    yield line(["---"] * (len(sides) + 1))
    with same_threads_after():
        for name, transform in TRANSFORMS.items():
            cells = []
            for side in sides:
                x = np.random.default_rng(0).random((side, side), "float32")
                run = partial(transform, x, out=transform(x))
                cells.append(f"{speeds(run, (1, 2), rounds, LOOP)[1]:.2f}")
            yield line([name, *cells])


TRANSFORMS: dict[str, Callable[..., Any]] = {
    "dwt2, haar": partial(lw.dwt2, wavelet="haar"),
    "dwt2, db4": partial(lw.dwt2, wavelet="db4"),
    "wavedec2, haar": partial(lw.wavedec2, wavelet="haar", level=3),
    "swt2, db4": partial(lw.swt2, wavelet="db4", level=1),
    "lifting, CDF 9/7": partial(lw.dwt2, wavelet=lw.LiftingScheme.from_name("cdf9.7")),
}


def line(texts: Sequence[str]) -> str:
    return "| " + " | ".join(texts) + " |"


# --- workers -------------------------------------------------------------------------------------


class Images:
    """A map-style data set: each item is transformed when it is read."""

    def __init__(self, side: int, count: int = IMAGES) -> None:
        self._image = np.random.default_rng(0).random((side, side), "float32")
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> float:
        return transformed(self._image)


def transformed(image: np.ndarray) -> float:
    """One number of a decomposition, so that workers have little to send."""
    return float(lw.wavedec2(image, "db4", level=2)[0][0, 0])


Pool = AbstractContextManager[Run]


@contextmanager
def executor(make: Callable[..., Executor], side: int, threads: int) -> Iterator[Run]:
    """A pool of the standard library. All its workers have this number of threads."""
    images = Images(side)
    with make(processors(), initializer=lw.set_num_threads, initargs=(threads,)) as pool:
        yield lambda: list(pool.map(images.__getitem__, range(len(images)), chunksize=4))


@contextmanager
def dask_threads(side: int, threads: int) -> Iterator[Run]:
    """The threads of dask, which computes one task for each image."""
    import dask

    images = Images(side)
    tasks = [dask.delayed(images.__getitem__)(k) for k in range(len(images))]
    compute = partial(dask.compute, *tasks, scheduler="threads", num_workers=processors())
    yield with_threads(threads, compute)


@contextmanager
def joblib_pool(backend: str, side: int, threads: int) -> Iterator[Run]:
    """The workers of joblib. Those of "loky" are processes."""
    import joblib

    images = Images(side)
    with joblib.Parallel(processors(), backend, batch_size=4) as pool:
        yield lambda: pool(joblib.delayed(_item)(images, k, threads) for k in range(len(images)))


def _item(images: Images, k: int, threads: int) -> float:
    lw.set_num_threads(threads)
    return images[k]


@contextmanager
def data_loader(side: int, threads: int) -> Iterator[Run]:
    """The worker processes of torch's DataLoader."""
    from torch.utils.data import DataLoader

    loader: Any = DataLoader(
        Images(side),  # type: ignore[arg-type]
        batch_size=4,
        num_workers=processors(),
        worker_init_fn=partial(_set_threads, threads),
        persistent_workers=True,
    )
    yield lambda: list(loader)


def _set_threads(threads: int, _worker: int) -> None:
    lw.set_num_threads(threads)


# By fork, a worker would inherit a pool of threads that it does not have.
PROCESSES = partial(ProcessPoolExecutor, mp_context=multiprocessing.get_context("spawn"))

POOLS: dict[str, tuple[str, Callable[[int, int], Pool]]] = {
    "threads": ("numpy", partial(executor, ThreadPoolExecutor)),
    "processes": ("numpy", partial(executor, PROCESSES)),
    "dask, threads": ("dask", dask_threads),
    "joblib, threads": ("joblib", partial(joblib_pool, "threading")),
    "joblib, processes": ("joblib", partial(joblib_pool, "loky")),
    "torch, DataLoader": ("torch", data_loader),
}
"""The package that each pool needs, and the pool."""


def pools(side: int, rounds: int) -> Iterator[str]:
    """The third table, line by line."""
    yield f"\n## Pools of {processors()} workers, images of {side} × {side}\n"
    yield line(["pool", "one thread each", "default", "default / one"])
    yield line(["---"] * 4)
    with same_threads_after() as default:
        for name, (package, make) in POOLS.items():
            if importlib.util.find_spec(package) is None:
                yield line([name, "–", "–", f"without {package}"])
                continue
            with ExitStack() as stack:
                counts = {"one": 1, "default": default}
                runs = {key: stack.enter_context(make(side, n)) for key, n in counts.items()}
                if name == "threads":  # both pools belong to one process
                    runs = {key: with_threads(counts[key], run) for key, run in runs.items()}
                times = interleaved(runs, rounds, before="itself")
            cells = [f"{1e3 * float(np.median(times[key])):.1f} ms" for key in counts]
            ratio = median_ratio(times["default"], times["one"])
            yield line([name, *cells, f"{ratio:.2f}"])


if __name__ == "__main__":
    main()
