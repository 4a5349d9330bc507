"""Networks that reconstruct their input, with pairs of down- and upsampling."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from examples import data
from examples.autoencoders import PAIRS, AutoEncoder, DeconvolutionPair, PairFactory
from examples.reproduce import measures
from examples.reproduce.runs import Result, Results, Settings
from examples.reproduce.tables import ACCENT, INK, QUIET, mean_and_spread, save, table, write
from examples.shapes import HELD_OUT
from liftwave.torch import auxiliary_loss

SIZE, BATCH = 16, 16

TRAINED: dict[str, PairFactory] = {
    "max, deconvolution": DeconvolutionPair,
    **{
        name: PAIRS[name]
        for name in (
            "max, unpooling",
            "AdaPool",
            "LDW",
            "LDW, details forgotten",
            "LiftPool",
            "LiftPool, details forgotten",
        )
    },
}
KINDS = {"SegNet": False, "UNet": True}


@cache
def _patches() -> tuple[Tensor, Tensor]:
    """Grey patches for training, and patches of other photographs for the test."""
    photographs = data.photographs(colour=False)
    held_out = [photographs[name] for name in HELD_OUT]
    others = [image for name, image in photographs.items() if name not in HELD_OUT]
    return data.patches(others, SIZE, 2000, seed=0), data.patches(held_out, SIZE, 200, seed=1)


def runs(steps: int, seeds: int) -> list[Settings]:
    """Every pair in both kinds of networks; seed by seed."""
    return [
        {"kind": kind, "pair": pair, "steps": steps, "seed": seed}
        for seed in range(seeds)
        for kind in KINDS
        for pair in TRAINED
    ]


def execute(settings: Settings) -> Result:
    """Train a network to reconstruct its input, and measure it on unseen photographs."""
    torch.manual_seed(settings["seed"])
    training, held_out = _patches()
    model = AutoEncoder(TRAINED[settings["pair"]], skips=KINDS[settings["kind"]])
    model.eval()(training[:1])  # sizes of masks come from the first input
    begun = time.perf_counter()
    fit(model, training, settings["steps"])
    seconds = time.perf_counter() - begun
    with torch.no_grad():
        back = model.eval()(held_out).clamp(0, 1)
    return {
        "psnr": measures.psnr(held_out, back),
        "ssim": sum(map(measures.ssim, held_out, back)) / len(back),
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(seconds, 2),
    }


def fit(model: AutoEncoder, images: Tensor, steps: int, learning_rate: float = 3e-3) -> None:
    """Train by Adam on the mean square error; the rate falls to zero along half a cosine."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for _ in range(steps):
        batch = images[torch.randint(len(images), (BATCH,))]
        loss = F.mse_loss(model(batch), batch) + auxiliary_loss(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def report(results: Results, tables: Path, pictures: Path) -> None:
    """Write the table and the picture."""
    heading = ["down and up"]
    for kind in KINDS:
        heading += [f"{kind}: PSNR (dB)", "SSIM", "parameters"]
    rows = []
    for pair in TRAINED:
        row = [pair]
        for kind in KINDS:
            found = results.of(kind=kind, pair=pair)
            row += [
                mean_and_spread([r["psnr"] for r in found], 2),
                mean_and_spread([r["ssim"] for r in found], 4),
                f"{found[0]['parameters']:,}" if found else "–",
            ]
        rows.append(row)
    write(tables / "reproduced_autoencoder.md", table(heading, rows))
    save(_chart(results), pictures / "reproduced_autoencoder.png")


def _chart(results: Results) -> Figure:
    """Every run as a dot, for each kind of network with results."""
    kinds = [kind for kind in KINDS if results.of(kind=kind)] or [*KINDS]
    figure = Figure(figsize=(2 + 3.2 * len(kinds), 3), layout="constrained")
    axes = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for ax, kind in zip(axes, kinds, strict=True):
        for height, pair in enumerate(reversed(TRAINED)):
            decibels = [r["psnr"] for r in results.of(kind=kind, pair=pair)]
            color = ACCENT if pair.startswith(("LDW", "LiftPool", "Ada")) else INK
            ax.plot(decibels, [height] * len(decibels), "o", color=color, markersize=5, alpha=0.6)
        ax.set_yticks(range(len(TRAINED)), list(reversed(TRAINED)))
        ax.set_ylim(-0.5, len(TRAINED) - 0.5)
        ax.set_title(f"{kind}: PSNR (dB)", fontsize=10)
        ax.grid(axis="x", color=QUIET, linewidth=0.4)
        ax.spines[["top", "right"]].set_visible(False)
    return figure
