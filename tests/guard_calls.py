"""Calls on arrays between inaccessible pages; ``test_guard_pages.py`` runs them in a process.

The calls are those of all public functions, and transforms, lifting and pooling of arrays of all
lengths up to beyond two vectors of each instruction set.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from guard_memory import GuardedMemory
from helpers import LIFTING_MODES, MODES, zero_mean
from no_fallback_calls import CALLS, FLOATS, INTEGERS, Call, Learned
from no_fallback_pooling import POOLING

import liftwave as lw
from liftwave import pooling

SCHEMES = [lw.LiftingScheme.from_name(name) for name in ("haar", "cdf5.3", "cdf9.7", "sym8")]
INTEGER = lw.LiftingScheme.from_name("cdf5.3").to_integer()
WAVELETS = ("haar", "db2", "db4", "bior4.4", "db20")
# Tails of every length for vectors of 16 numbers, after one and two of them.
LENGTHS = (*range(1, 51), 64, 65, 127, 129)
FEW_LENGTHS = (1, 2, 7, 16, 33)

Guarded = Callable[[Any], Any]


def guarded(memory: GuardedMemory, dtype: str) -> Guarded:
    """The function that copies an array to guarded, read-only memory."""

    def copied(x: Any) -> Any:
        if isinstance(x, Learned):
            return x.made(None)
        y = np.array(x, dtype=dtype, order="C")
        memory.protect(y)
        return y

    return copied


# --- calls ---------------------------------------------------------------------------------------


def roundtrip(x: Any, wavelet: Any, mode: str, axes: Any) -> None:
    """A transform, its inverse from copies of the bands, and the gradients of both."""
    bands = lw.dwtn(x, wavelet, mode, axes)
    lw.idwtn({key: band.copy() for key, band in bands.items()}, wavelet, mode, axes)
    if x.dtype.kind in "fc":
        for function, data in ((lw.dwtn, x), (lw.idwtn, bands)):
            result, pullback = lw.vjp(function, data, wavelet, mode, axes)
            pullback(result)


def dual_tree(x: Any, axes: Any) -> None:
    """Two levels, the inverse, and the pullback."""
    tree, pullback = lw.vjp(lw.dtcwt, x, 2, "cdf9.7", "q10", axes)
    tree.reconstruct()
    pullback(tree)


def packets(x: Any, wavelet: str, mode: str, axes: Any) -> None:
    """All levels of packets, and the signal from the deepest one."""
    levels = lw.wpdec(x, wavelet, mode, 2, axes, full=True)
    lw.wprec(levels[-1].copy(), wavelet, mode, axes, shape=x.shape)


def undecimated(x: Any, wavelet: str, level: int, axes: Any) -> None:
    """The same without downsampling, and the inverses of single bands."""
    bands = lw.swtn(x, wavelet, level, 0, axes, True)
    copies = [bands[0].copy(), *({k: b.copy() for k, b in each.items()} for each in bands[1:])]
    lw.iswtn(copies, wavelet, axes)
    lw.mran(x, wavelet, level, axes)
    for scheme, mode in product((SCHEMES[2], SCHEMES[3]), LIFTING_MODES):
        lifted = lw.swtn(x, scheme, level, 0, axes, mode=mode)
        lw.iswtn(
            [{k: b.copy() for k, b in each.items()} for each in lifted], scheme, axes, mode=mode
        )
    for function, data, options in ((lw.swtn, x, (level, 0, axes)), (lw.iswtn, copies, (axes,))):
        result, pullback = lw.vjp(function, data, wavelet, *options)
        pullback(result)


def pooled(x: Any, kernel: int, stride: int) -> None:
    """Pooling of a batch of one image, and its gradients."""
    x = x[None, None]
    for function in (pooling.soft_pool, pooling.edscw_pool, pooling.ada_pool):
        result, pullback = lw.vjp(function, x, kernel, stride, min(1, kernel // 2))
        pullback(result)
    pooling.max_pool(x, kernel, stride)


def lift_pooled(x: Any, kernel: int) -> None:
    """Lifting pooling of a batch of one image, its inverse, and the gradients of both."""
    x = x[None, None]
    filters = pooling.lift_filters(1, kernel)
    bands, pullback = lw.vjp(pooling.lift_down, x, filters, "bands")
    pullback(bands)
    signal, pullback = lw.vjp(pooling.lift_up, bands, filters)
    pullback(signal)


def shapes(lengths: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Lines, columns and images, and the axes to transform."""
    for n in lengths:
        yield (n,), (0,)
        yield (3, n), (0,)
        yield (n, 3), (0,)
        yield (5, n), (0, 1)


def levels_of_long_lines(guard: Guarded) -> None:
    """Many levels of lines that are computed in one pass."""
    for shape, wavelet in product(((270_001,), (135_007, 2), (90_003, 3)), WAVELETS):
        lw.wavedec(guard(zero_mean(shape)), wavelet, "smooth", 8, axis=0)


def calls_of_lengths(guard: Callable[[str], Guarded], lengths: tuple[int, ...]) -> None:
    """Transforms, lifting, integers and pooling of these lengths."""
    transforms = [*product(WAVELETS, MODES), *product(SCHEMES, LIFTING_MODES)]
    for count, (shape, axes) in enumerate(shapes(lengths)):
        # All wavelets and modes meet all remainders of lengths, one after another.
        for wavelet, mode in transforms[count % 5 :: 5]:
            if "reflect" not in mode or min(shape[a] for a in axes) > 1:
                dtype = FLOATS[count % 4] if len(shape) > 1 else FLOATS[len(mode) % 4]
                roundtrip(guard(dtype)(zero_mean(shape)), wavelet, mode, axes)
                if isinstance(wavelet, str) and ("reflect" not in mode or wavelet == "db20"):
                    packets(guard(dtype)(zero_mean(shape)), wavelet, mode, axes)
        for level, wavelet in enumerate(("haar", "db4", "db20"), 1):
            x = guard(FLOATS[(count + level) % 4])(zero_mean(shape))
            undecimated(x, wavelet, 4 - level, axes)
        dual_tree(guard(FLOATS[count % 2])(zero_mean(shape)), axes)
        for dtype in INTEGERS:
            samples = np.random.default_rng(0).integers(0, 100, shape)
            roundtrip(guard(dtype)(samples), INTEGER, LIFTING_MODES[count % 5], axes)
    for n, dtype in product(lengths, FLOATS[:2]):
        for kernel, stride in ((2, 2), (3, 2), (3, 1)):
            pooled(guard(dtype)(zero_mean((5, n + 2))), kernel, stride)
        lift_pooled(guard(dtype)(zero_mean((4, n + 1))), 3)


def public_calls(memory: GuardedMemory, every: int) -> None:
    """Every public function, with its dtypes."""
    calls = [
        c for named in (CALLS, POOLING) for several in named.values() for c in several[::every]
    ]
    for call in calls:
        for dtype in call.dtypes[::every]:
            run(call, memory, dtype)


def run(call: Call, memory: GuardedMemory, dtype: str) -> None:
    """One call; arrays for results are writable."""
    convert = guarded(memory, dtype)
    options = dict(call.named)
    out = {"out": np.zeros_like(options.pop("out"), dtype=dtype)} if "out" in options else {}
    call.function(
        *call.converted(convert), **Call(call.function, (), options).options(convert), **out
    )


# --- the process ---------------------------------------------------------------------------------


def main(place: str, size: str) -> None:
    """Run the calls; ``size`` is ``few`` or ``all``."""
    memory = GuardedMemory(at_end=place == "end")
    warnings.simplefilter("ignore")
    with memory.in_use(), lw.kernels("cpu"):
        assert all(band.ctypes.data in memory.blocks for band in lw.dwt(np.ones(9), "db2"))
        public_calls(memory, 5 if size == "few" else 1)
        levels_of_long_lines(guarded(memory, "float32"))
        calls_of_lengths(
            lambda dtype: guarded(memory, dtype), FEW_LENGTHS if size == "few" else LENGTHS
        )
    print("done", flush=True)
    os._exit(0)  # arrays that are still alive would call this module at the end


def fault(place: str, kind: str) -> None:
    """Let a kernel read or write one sample beyond an array, or write to a read-only one."""
    memory = GuardedMemory(at_end=place == "end")
    with memory.in_use(), lw.kernels("cpu"):
        bands = lw.dwt(np.ones(6), "haar")
        x = np.zeros(6 if kind == "write" else 5)
        stride = x.itemsize if place == "end" else -x.itemsize
        longer = np.lib.stride_tricks.as_strided(x, (6,), (stride,))
        if kind == "read":
            lw.dwt(longer, "haar")
        elif kind == "write beyond":
            lw.idwt(*bands, "haar", out=longer)
        else:
            memory.protect(x)
            lw.idwt(*bands, "haar", out=x)


if __name__ == "__main__":
    (main if sys.argv[2] in ("few", "all") else fault)(*sys.argv[1:])
