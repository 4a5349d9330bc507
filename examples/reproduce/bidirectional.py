"""Photographs, pooled and reconstructed: LiftPool's first figure, with measures."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from examples import data
from examples.autoencoders import PAIRS, Pair
from examples.reproduce import measures
from examples.reproduce.runs import Result, Results, Settings
from examples.reproduce.tables import number, save, table, write

SIZE = 256
SHOWN = ("astronaut", "china", "coffee")
SHOWN_PAIRS = ("max, nearest", "max, bed of nails", "max, unpooling", "AdaPool", "LDW", "LiftPool")


def runs() -> list[Settings]:
    """Every photograph through every pair."""
    return [{"photograph": name, "pair": pair} for pair in PAIRS for name in data.photographs()]


def _pair(name: str, channels: int) -> Pair:
    torch.manual_seed(0)  # for random filters; their inverse needs no training
    return PAIRS[name](channels).eval()


@torch.no_grad()
def there_and_back(image: Tensor, pair: str) -> Tensor:
    """An image ``(C, H, W)`` down, then up."""
    return _pair(pair, len(image))(image[None])[0]


def execute(settings: Settings) -> Result:
    """The similarity of a photograph and its reconstruction."""
    image = data.photographs(SIZE)[settings["photograph"]]
    back = there_and_back(image, settings["pair"])
    return {
        "psnr": min(measures.psnr(image, back), 999.0),  # JSON has no infinity
        "ssim": measures.ssim(image, back),
        "gmsd": measures.gmsd(image, back),
    }


def report(results: Results, tables: Path, pictures: Path) -> None:
    """Write the table and the picture."""
    rows = []
    for pair in PAIRS:
        found = results.of(pair=pair)
        columns: list[tuple[str, Callable[..., float], int]] = [
            ("psnr", statistics.fmean, 1),
            ("psnr", min, 1),
            ("ssim", statistics.fmean, 4),
            ("gmsd", statistics.fmean, 4),
        ]
        values = [
            number(of([r[name] for r in found]) if found else None, digits)
            for name, of, digits in columns
        ]
        rows.append([pair, *values])
    heading = ["down, and up again", "PSNR (dB), mean", "smallest", "SSIM", "GMSD"]
    write(tables / "reproduced_bidirectional.md", table(heading, rows))
    save(_picture(), pictures / "reproduced_bidirectional.png")


def _picture() -> Figure:
    """Parts of photographs, and the reconstruction by each pair."""
    figure = Figure(figsize=(11.2, 5.3), layout="constrained")
    rows = figure.subplots(len(SHOWN), 1 + len(SHOWN_PAIRS))
    photographs = data.photographs(SIZE)
    for row, name in zip(rows, SHOWN, strict=True):
        image = photographs[name]
        panels = {"photograph": image}
        panels |= {pair: there_and_back(image, pair) for pair in SHOWN_PAIRS}
        for ax, (title, values) in zip(row, panels.items(), strict=True):
            part = values[:, 64:192, 64:192].clamp(0, 1).movedim(0, -1)
            ax.imshow(part.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            decibels = measures.psnr(image, values)
            ax.set_title(title if values is image else f"{title}\n{decibels:.1f} dB", fontsize=8.5)
            ax.set_axis_off()
    return figure
