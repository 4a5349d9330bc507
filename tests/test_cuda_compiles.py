"""Every CUDA kernel is compiled for three generations of devices, in the forms that users need.

Calls of the library with recorded launches give the kernels. In the common forms, kernels spill no
registers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import HostKernels, HostRuntime, kernel_names, source_names

import liftwave as lw
from liftwave import _dispatch
from liftwave._kernels.cuda.common.runtime import Kernel
from liftwave._kernels.half_precision import in_float32
from liftwave._plan.axis import synthesis_plan

torch = pytest.importorskip("torch")
lt = pytest.importorskip("liftwave.torch")

pytestmark = pytest.mark.skipif(
    cuda_compile.compiler() is None, reason="neither NVRTC nor nvcc is here"
)

CDF97 = lw.LiftingScheme.from_name("cdf9.7")
CDF53 = lw.LiftingScheme.from_name("cdf5.3").to_integer()


class Noting(HostRuntime):
    """Records kernels; results are zero."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: set[Kernel] = set()

    def launch(self, kernel: Kernel, *arguments: Any) -> None:
        self.noted.add(kernel)

    def empty(self, shape: Any, dtype: str, like: Any) -> Any:
        made = super().empty(shape, dtype, like)
        made[...] = 0
        return made


def calls(x: Any) -> None:
    """Common calls on images."""
    for wavelet in ("haar", "db4", "bior4.4", "db10"):
        for mode in ("periodization", "symmetric"):
            lw.idwt2(lw.dwt2(x, wavelet, mode), wavelet, mode)
    lw.waverec2(lw.wavedec2(x, "db2", "symmetric", level=2), "db2", "symmetric")
    lw.dwt2(x, "db2", "smooth")
    for wavelet in ("db4", "db15"):
        for axis in (-1, 0):
            lw.idwt(*lw.dwt(x, wavelet, "symmetric", axis), wavelet, "symmetric", axis)
    lw.iswt2(lw.swt2(x, "db4", 2), "db4")
    lw.swt(x, "haar", 5)
    for axis in (-1, 0):
        lw.iswt(lw.swt(x, CDF97, 2, axis=axis), CDF97, axis=axis)
    lw.swt(x.reshape(-1).repeat(4), CDF97, 10)
    for mode in ("periodization", "reflect"):
        lw.waverec2(lw.wavedec2(x, CDF97, mode, level=2), CDF97, mode)
        lw.idwt(*lw.dwt(x, CDF97, mode), CDF97, mode)
    odd = x[:-1, :-1]  # filter banks replace lifting of even lengths
    lw.dwt2(odd, CDF97, "reflect")
    lw.dwt(odd, CDF97, "reflect")
    planes = x.reshape(1, 1, *x.shape[-2:])
    for window in ((2, 2), (3, 1), (3, 2, 1)):
        lw.pooling.soft_pool(planes, *window)
        lw.pooling.edscw_pool(planes, *window)
        lw.pooling.idw_pool(planes, *window)
        y = lw.pooling.ada_pool(planes, *window, beta=0.5)
        if window[0] == 2:
            lw.pooling.ada_unpool(planes, y, *window, beta=0.5)
        lw.pooling.max_pool(planes, *window)


def layers(x: Any) -> None:
    """Forward and backward, for the data and the parameters."""
    made = [
        lt.DWT2d("db4"),
        lt.DWT2d("db4", learn="orthonormal", mode="periodization"),
        torch.nn.Sequential(torch.nn.Flatten(1, 2), lt.DWT1d("db4", learn="filters")),
        lt.DWT2d("cdf9.7", learn="lifting"),
        lt.SoftPool2d(2),
        lt.SoftPool2d(3, 2, 1),
        lt.AdaPool2d(2),
        lt.EDSCWPool2d(2),
        lt.IDWPool2d(2),
        lt.LiftDownPool2d(1, kernel_size=3),
        lt.LiftDownPool2d(1, output="bands"),
    ]
    for layer in made:
        data = x.detach().reshape(1, 1, *x.shape[-2:]).requires_grad_()
        found = layer(data)
        outputs = [y for y in _tensors(found) if y.requires_grad]
        torch.autograd.grad(
            [y.float().sum() for y in outputs], [data, *layer.parameters()], allow_unused=True
        )
    torch.autograd.grad(lw.pooling.max_pool(data, 2).float().sum(), data)
    bands = lt.LiftDownPool2d(1, output="bands")
    lt.LiftUpPool2d(bands)(bands(data.detach()))


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, torch.Tensor):
        yield value
        return
    for part in value.values() if isinstance(value, dict) else value:
        yield from _tensors(part)


@cache
def noted() -> frozenset[Kernel]:
    """The kernels of all these calls, for float32 and float16, and for integers."""
    runtime = Noting()
    cuda = HostKernels(runtime, in_float32(_dispatch.families()["reference"]))
    with _dispatch.registered(cuda), lw.kernels("cuda"):
        for dtype in (torch.float32, torch.float16):
            x = torch.ones(64, 96, dtype=dtype)
            calls(x)
            layers(x)
        image = np.ones((64, 96), np.int16)
        lw.waverec2(lw.wavedec2(image, CDF53, "reflect", 2), CDF53, "reflect")
        lw.idwt(*lw.dwt(image, CDF53, "reflect"), CDF53, "reflect")
        lw.iswt2(lw.swt2(image, CDF53, 2, mode="reflect"), CDF53, mode="reflect")
        y, pull = lw.vjp(lw.idwt2, lw.dwt2(image / 1.0, "db4"), "db4", "periodization")
        pull(y)
        y, pull = lw.vjp(lw.swt, image / 1.0, "db4", 1)
        pull(y)
        # Samples that a synthesis leaves out return through a fold in the adjoint.
        plan = synthesis_plan(17, 8, "periodization").shortened(33).synthesis_adjoint()
        cuda.analysis(np.ones(33), [(1.0,) * 8] * 2, plan, 0)
        y, pull = lw.vjp(lw.pooling.max_pool, image / 1.0, 2)
        pull(y)
    return frozenset(runtime.noted)


SOURCES = [name for name in source_names() if kernel_names(name)]


def test_the_calls_need_every_kernel() -> None:
    every = {name for source in SOURCES for name in kernel_names(source)}
    needed = {re.findall(r"::(\w+)", kernel.expression)[0] for kernel in noted()}
    assert len(every) >= 15
    assert needed == every


@pytest.mark.parametrize("major", sorted(cuda_compile.libraries()) or [None])
def test_each_kernel_compiles(major: int | None) -> None:
    """The smallest form of each, for the oldest devices; other tests compile the common forms."""
    least: dict[str, dict[str, Kernel]] = {}
    for kernel in sorted(noted(), key=lambda k: [int(n) for n in re.findall(r" (\d+)", k[1])]):
        least.setdefault(kernel.source, {}).setdefault(kernel.expression.partition("<")[0], kernel)
    for of_source in least.values():
        kernels = list(of_source.values())
        assert cuda_compile.usages(kernels, cuda_compile.ARCHITECTURES[0], major)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
@pytest.mark.parametrize("source", SOURCES)
def test_all_forms_compile_and_spill_nothing(source: str, architecture: str) -> None:
    chosen = sorted(kernel for kernel in noted() if kernel.source == source)
    assert chosen
    spilled = {
        kernel.expression: usage
        for kernel, usage in cuda_compile.usages(chosen, architecture).items()
        if (usage.spilled or usage.stack) and not rows_are_long(kernel)
    }
    assert not spilled


def rows_are_long(kernel: Kernel) -> bool:
    """True if samples beyond the ends are sums (smooth, antireflect): some of these spill."""
    return "analysis_tile<" in kernel.expression and kernel.expression.endswith("true>")
