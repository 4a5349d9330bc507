"""The information in photographs after each pooling, for several kernels, and its time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from examples import data
from examples.reproduce import measures
from examples.reproduce.runs import Result, Results, Settings
from examples.reproduce.tables import number, save, table, write
from liftwave import torch as lt
from liftwave.torch import zoo

KERNELS = (2, 3, 5)
SIZE = 270  # divisible by all kernels
TIMED = (8, 32, 60, 60)


class Halved(nn.Module):
    """The approximation of an orthonormal wavelet, scaled to the image's brightness."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H / 2, W / 2)``."""
        return self.pool(x) / 2


# For a number of channels and a kernel; layers that only halve are used with kernel 2 only.
ANY_KERNEL: dict[str, Callable[[int, int], nn.Module]] = {
    "max": lambda channels, k: nn.MaxPool2d(k),
    "average": lambda channels, k: nn.AvgPool2d(k),
    "skip": lambda channels, k: zoo.SkipPool2d(k),
    "L_p, p = 3": lambda channels, k: zoo.LpPool2d(k),
    "stochastic, one draw": lambda channels, k: zoo.StochasticPool2d(k).train(),
    "S3, one draw": lambda channels, k: zoo.S3Pool2d(k, stride=k).train(),
    "mixed, half of each": lambda channels, k: zoo.MixedPool2d(k),
    "blur": lambda channels, k: zoo.MaxBlurPool2d(k, filter_size=k + 1, stride=k),
    "DPP": lambda channels, k: zoo.DetailPreservingPool2d(channels, k),
    "spectral": lambda channels, k: zoo.SpectralPool2d(k),
    "IDW": lambda channels, k: lt.IDWPool2d(k),
    "SoftPool": lambda channels, k: lt.SoftPool2d(k),
    "eDSCW": lambda channels, k: lt.EDSCWPool2d(k),
    "AdaPool, half of each": lambda channels, k: lt.AdaPool2d(k, beta=0.5),
}
HALVING: dict[str, Callable[[int], nn.Module]] = {
    "wavelet (Haar)": lambda channels: Halved(zoo.WaveletPool2d()),
    "LDW, db2's approximation": lambda channels: Halved(lt.LDWPool2d("db2")),
    "LiftPool's LL, untrained": lambda channels: lt.LiftDownPool2d(channels, output="LL"),
}
NAMES = (*ANY_KERNEL, *HALVING)


def pooling(name: str, channels: int, kernel: int) -> nn.Module:
    """A pooling whose stride equals its kernel."""
    torch.manual_seed(0)
    if name in HALVING:
        return HALVING[name](channels)
    return ANY_KERNEL[name](channels, kernel)


def runs() -> list[Settings]:
    """Every photograph by every pooling and kernel, and the times."""
    asked = [(name, k) for k in KERNELS for name in NAMES if name in ANY_KERNEL or k == 2]
    kept = [
        {"pool": name, "kernel": k, "photograph": photograph}
        for name, k in asked
        for photograph in data.photographs()
    ]
    return kept + [{"pool": name, "kernel": k, "timed": list(TIMED)} for name, k in asked]


def execute(settings: Settings) -> Result:
    """The similarity of a photograph and its enlarged pooled version; or the time of pooling."""
    name, kernel = settings["pool"], settings["kernel"]
    if "timed" in settings:
        return _times(pooling(name, TIMED[1], kernel), nn.MaxPool2d(kernel))
    image = data.photographs(SIZE)[settings["photograph"]]
    with torch.no_grad():
        small = pooling(name, len(image), kernel)(image[None])
        back = F.interpolate(small, image.shape[-2:], mode="bilinear")[0]
    return {
        "psnr": measures.psnr(image, back),
        "ssim": measures.ssim(image, back),
        "gmsd": measures.gmsd(image, back),
    }


def _times(pool: nn.Module, usual: nn.Module, rounds: int = 15) -> Result:
    """Times as multiples of max pooling's time, interleaved."""
    x = torch.rand(TIMED, requires_grad=True)
    forward: dict[nn.Module, list[float]] = {pool: [], usual: []}
    backward: dict[nn.Module, list[float]] = {pool: [], usual: []}
    for _ in range(rounds + 1):
        for layer in (pool, usual):
            x.grad = None
            begun = time.perf_counter()
            y = layer(x)
            middle = time.perf_counter()
            y.sum().backward()
            forward[layer].append(middle - begun)
            backward[layer].append(time.perf_counter() - begun)

    def ratio(times: dict[nn.Module, list[float]]) -> float:
        return statistics.median(times[pool][1:]) / statistics.median(times[usual][1:])

    return {"forward": ratio(forward), "forward and backward": ratio(backward)}


def report(results: Results, tables: Path, pictures: Path) -> None:
    """Write the table and the picture."""
    heading = ["pooling"]
    for k in KERNELS:
        heading += [f"{k} x {k}: PSNR (dB)", "SSIM", "GMSD", "forward", "and backward"]
    rows = [[name, *(v for k in KERNELS for v in _row(results, name, k))] for name in NAMES]
    write(tables / "reproduced_information.md", table(heading, rows))
    save(_picture(), pictures / "reproduced_information.png")


def _row(results: Results, name: str, kernel: int) -> list[str]:
    found = results.of(pool=name, kernel=kernel)
    values = []
    for measure, digits in (
        ("psnr", 2), ("ssim", 3), ("gmsd", 3), ("forward", 1), ("forward and backward", 1)
    ):  # fmt: skip
        there = [result[measure] for result in found if measure in result]
        values.append(number(statistics.fmean(there) if there else None, digits))
    return values


SHOWN = ("max", "average", "stochastic, one draw", "blur", "spectral", "SoftPool", "eDSCW",
         "AdaPool, half of each")  # fmt: skip


def _picture(photograph: str = "astronaut", kernel: int = 5) -> Figure:
    """A part of a photograph, pooled."""
    figure = Figure(figsize=(9.8, 4.5), layout="constrained")
    image = data.photographs(SIZE)[photograph]
    panels = {"photograph": image}
    with torch.no_grad():
        for name in SHOWN:
            panels[name] = pooling(name, len(image), kernel)(image[None])[0]
    for ax, (title, values) in zip(figure.subplots(2, 5).flat, panels.items(), strict=False):
        ax.imshow(values.clamp(0, 1).movedim(0, -1).numpy(), interpolation="nearest")
        ax.set_title(title, fontsize=9)
    for ax in figure.axes:
        ax.set_axis_off()
    return figure
