"""Transforms of arrays of JAX, against NumPy arrays and torch: ``python -m benchmarks.with_jax``.

``wavedec2`` of an image in single precision (``db4``, three levels), and the gradient of the energy
of its bands. Times are the least of twelve, in milliseconds; the first call, which compiles, is in
seconds of the processor. This needs JAX.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import torch

import liftwave as lw
from benchmarks.machine import processor

SIDE, RUNS = 1024, 12


def analysed(x: Any) -> Any:
    """The bands."""
    return lw.wavedec2(x, "db4", level=3)


def energy(x: Any) -> Any:
    """The energy of all bands."""
    approx, *details = analysed(x)
    return (approx**2).sum() + sum((band**2).sum() for level in details for band in level)


def torch_gradient(x: torch.Tensor) -> Any:
    """The gradient of the energy."""
    energy(leaf := x.clone().requires_grad_()).backward()
    return leaf.grad


def measured(function: Callable[[], Any]) -> tuple[float, float]:
    """The CPU seconds of the first call, and the milliseconds of the fastest of the others."""
    start = time.process_time()
    jax.block_until_ready(function())
    first, seconds = time.process_time() - start, []
    for _ in range(RUNS):
        start = time.perf_counter()
        jax.block_until_ready(function())
        seconds.append(time.perf_counter() - start)
    return first, 1e3 * min(seconds)


def main() -> None:
    """Print the table."""
    image = np.random.default_rng(0).standard_normal((SIDE, SIDE)).astype("float32")
    x, tensor = jax.numpy.asarray(image), torch.asarray(image)
    compiled, gradient = jax.jit(analysed), jax.jit(jax.grad(energy))
    calls: dict[str, Callable[[], Any]] = {
        "NumPy array, compiled kernels": lambda: analysed(image),
        "JAX, `jit`": lambda: compiled(x),
        "JAX, without `jit`": lambda: analysed(x),
        "JAX, `jit(grad)` of the energy of the bands": lambda: gradient(x),
        "torch, the same gradient, compiled kernels": lambda: torch_gradient(tensor),
    }
    print(f"{processor()}; {SIDE} x {SIDE} float32, db4, 3 levels")
    print("\n| | time (ms) | first call (CPU seconds) |\n| --- | ---: | ---: |")
    for name, call in calls.items():
        first, milliseconds = measured(call)
        print(f"| {name} | {milliseconds:.1f} | {first:.1f} |")


if __name__ == "__main__":
    main()
