"""The dual tree against other packages: ``python -m benchmarks.dual_tree [--size N] [--repeat N]``.

Times are CPU times of one thread, in units of a copy of the image. The copy runs in the same
process, between the calls. All packages get the same filters, ours, and their results are compared
before they are timed. Packages that are not installed are left out. ``dtcwt`` needs names that
NumPy 2 dropped; they are added for this process.

    --size N      rows and columns of the image (1024)
    --repeat N    repetitions of each call; the best one counts (7)
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import liftwave as lw
from liftwave.wavelets.dual_tree import dual_tree_filters

LEVEL, BIORT, QSHIFT = 4, "nearsym5.7", "q14"


class Contender(NamedTuple):
    """A package: its transform, the inverse of the result, and the bands of level 2."""

    name: str
    forward: Callable[[], Any]
    inverse: Callable[[Any], Any]
    second: Callable[[Any], Any]


def filters() -> tuple[list[Any], list[Any]]:
    """The filters in the order of Kingsbury's toolbox."""
    _, analysis, dual = dual_tree_filters(BIORT, QSHIFT)
    (h0, h1), (g0, g1) = analysis.first, dual.first
    (h0a, h1a), (h0b, h1b) = analysis.tree_a, analysis.tree_b
    first = [np.array(f[:-1])[:, None] for f in (h0, g0, h1, g1)]
    deeper = [np.array(f)[:, None] for f in (h0a, h0b, h0b, h0a, h1a, h1b, h1b, h1a)]
    return first, deeper


def contenders(image: Any) -> Iterator[Contender]:
    """The packages that are installed."""
    yield Contender(
        "liftwave",
        lambda: lw.dtcwt(image, LEVEL, BIORT, QSHIFT),
        lambda tree: tree.reconstruct(),
        lambda tree: tree[2],
    )
    if find_spec("dtcwt"):
        yield _dtcwt(image)
    if find_spec("pytorch_wavelets"):
        yield _pytorch_wavelets(image)


def _dtcwt(image: Any) -> Contender:
    names: Any = np
    names.asfarray = lambda a, dtype=None: np.asarray(a, a.dtype)
    names.issubsctype = np.issubdtype
    logging.disable(logging.WARNING)
    import dtcwt

    transform = dtcwt.Transform2d(*filters())
    return Contender(
        "dtcwt",
        lambda: transform.forward(image, nlevels=LEVEL),
        transform.inverse,
        lambda pyramid: pyramid.highpasses[1],
    )


def _pytorch_wavelets(image: Any) -> Contender:
    import torch
    from pytorch_wavelets import DTCWTForward, DTCWTInverse

    torch.set_num_threads(1)
    first, deeper = filters()
    (h0o, g0o, h1o, g1o), (h0a, h0b, g0a, g0b, h1a, h1b, g1a, g1b) = first, deeper
    forward = DTCWTForward((h0o, h1o), (h0a, h0b, h1a, h1b), J=LEVEL)
    inverse = DTCWTInverse((g0o, g1o), (g0a, g0b, g1a, g1b))
    x = torch.from_numpy(image)[None, None]

    def second(result: Any) -> Any:
        bands = result[1][1][0, 0].numpy()
        return np.moveaxis(bands[..., 0] + 1j * bands[..., 1], 0, -1)

    return Contender("pytorch_wavelets", lambda: forward(x), inverse, second)


def seconds(call: Callable[[], Any], repeat: int) -> float:
    """The shortest CPU time of a call."""
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    lw.set_num_threads(1)
    image = np.random.default_rng(0).standard_normal((options.size,) * 2).astype("float32")
    expected = lw.dtcwt(image, LEVEL, BIORT, QSHIFT)[2]
    for each in contenders(image):
        result = each.forward()
        error = float(abs(each.second(result) - expected).max())
        there = seconds(each.forward, options.repeat)
        back = seconds(lambda one=each, bands=result: one.inverse(bands), options.repeat)
        copy = seconds(image.copy, 5 * options.repeat)
        print(
            f"{each.name:17} forward {there / copy:8.0f} copies ({1e3 * there:8.1f} ms), inverse "
            f"{back / copy:8.0f} copies ({1e3 * back:8.1f} ms), difference {error:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
