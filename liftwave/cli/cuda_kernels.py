"""Compile CUDA kernels ahead of their first use."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer

from liftwave import _dispatch
from liftwave._kernels.cuda.common.recording import RecordingRuntime, compile_all
from liftwave._kernels.cuda.common.runtime import DeviceRuntime, Kernel
from liftwave._kernels.cuda.family import CudaKernels
from liftwave._kernels.half_precision import in_float32
from liftwave._plan.arguments import resolve_mode
from liftwave.cli import console
from liftwave.cli.choice import Choice
from liftwave.cli.options import IntegerOption, LiftingOption, ModeOption
from liftwave.errors import FileError, KernelsError
from liftwave.gradients import vjp
from liftwave.transforms.multilevel import wavedecn, waverecn

DTYPES = ("float16", "float32", "float64", "complex64", "complex128", "int16", "int32")
_SIDE, _BATCH, _LEVEL = 64, 3, 2


def compile_kernels_command(
    wavelets: Annotated[list[str], typer.Argument(help="Names of wavelets, as bior4.4 or cdf9.7.")],
    dtype: Annotated[str, typer.Option(help=f"One of {', '.join(DTYPES)}.")] = "float32",
    dimensions: Annotated[int, typer.Option(help="Number of transformed axes, 1 to 3.")] = 2,
    mode: ModeOption = "symmetric",
    lifting: LiftingOption = False,
    integer: IntegerOption = False,
    gradients: Annotated[
        bool, typer.Option(help="Also the kernels of derivatives, for the data and the taps.")
    ] = False,
    dry: Annotated[bool, typer.Option(help="List the kernels, compile nothing.")] = False,
) -> None:
    """Compile CUDA kernels into CuPy's cache, so that the first use does not wait.

    The kernels are those of transforms of contiguous arrays along their last
    axes. They are compiled for the current CUDA device. CuPy keeps them in
    CUPY_CACHE_DIR. Lifting with learned taps in float32 and half precision
    compiles kernels at its first use.
    """
    if dtype not in DTYPES:
        raise FileError(f"unknown --dtype {dtype!r}; use one of {', '.join(DTYPES)}")
    if not 1 <= dimensions <= 3:
        raise FileError(f"--dimensions must be 1, 2 or 3, got {dimensions}")
    choices = [Choice(name, lifting, integer) for name in wavelets]
    for choice in choices:
        choice.check_mode(mode)
    if not dry and (missing := DeviceRuntime().missing()):
        raise KernelsError(f"CUDA kernels cannot be compiled here: {missing}")
    kernels = kernels_of(choices, mode, dtype, dimensions, gradients)
    rows = [(kernel.expression,) for kernel in kernels] if dry else list(_compiled(kernels))
    console.table(f"{len(rows)} kernels", ("kernel", "seconds")[: 1 if dry else 2], rows)


def _compiled(kernels: list[Kernel]) -> Iterator[tuple[str, str]]:
    with console.progress(len(kernels)) as step:
        start = perf_counter()
        for kernel in compile_all(kernels):
            step(kernel.expression)
            yield kernel.expression, f"{perf_counter() - start:.1f}"
            start = perf_counter()


def kernels_of(
    choices: list[Choice], mode: str, dtype: str, dimensions: int, gradients: bool
) -> list[Kernel]:
    """The kernels of transforms by these wavelets, there and back."""
    runtime = RecordingRuntime()
    fallback = in_float32(_dispatch.families()["reference"])
    with _dispatch.registered(CudaKernels(runtime, fallback)), _dispatch.kernels("cuda"):
        for choice in choices:
            _transform(choice.wavelet(), mode, dtype, dimensions, gradients)
    return runtime.kernels


def _transform(wavelet: Any, mode: str, dtype: str, dimensions: int, gradients: bool) -> None:
    x = np.zeros((_BATCH, *(_SIDE,) * dimensions), dtype)
    axes = tuple(range(1, dimensions + 1))
    options: dict[str, Any] = {"mode": resolve_mode(mode), "axes": axes}
    coeffs = wavedecn(x, wavelet, level=_LEVEL, **options)
    waverecn(coeffs, wavelet, **options)
    if not gradients:
        return
    _, pullback = vjp(wavedecn, x, wavelet, level=_LEVEL, **options)
    pullback(coeffs)
    _, pullback = vjp(waverecn, coeffs, wavelet, **options)
    pullback(x)
