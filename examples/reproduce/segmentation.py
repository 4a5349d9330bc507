"""Segmentation of shapes or of PASCAL VOC with pairs (LiftPool; LDW-Pooling, table 4)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import Dataset

from examples.autoencoders import AutoEncoder
from examples.data import VOID, Sample, Split
from examples.reproduce.autoencoder import KINDS, TRAINED
from examples.reproduce.runs import Result, Results, Settings
from examples.reproduce.tables import mean_and_spread, table, write
from examples.reproduce.training import batches
from liftwave.torch import auxiliary_loss

BATCH = 8
CHANNELS, LEARNING_RATE = (32, 64, 128, 256), 1e-3
CHANNELS_FOR_SHAPES, LEARNING_RATE_FOR_SHAPES = (8, 16, 32), 5e-3


def runs(data: str, epochs: int, seeds: int) -> list[Settings]:
    """Every pair in both kinds of networks; seed by seed."""
    return [
        {"data": data, "kind": kind, "pair": pair, "epochs": epochs, "seed": seed}
        for seed in range(seeds)
        for kind in KINDS
        for pair in TRAINED
    ]


def execute(settings: Settings, split: Split) -> Result:
    """Train one network, and measure it on the test images."""
    torch.manual_seed(settings["seed"])
    image, _ = split.train[0]
    model = AutoEncoder(
        TRAINED[settings["pair"]],
        outputs=split.classes,
        inputs=len(image),
        channels=CHANNELS_FOR_SHAPES if settings["data"] == "shapes" else CHANNELS,
        skips=KINDS[settings["kind"]],
    )
    model.eval()(image[None])  # sizes of masks come from the first input
    rate = LEARNING_RATE_FOR_SHAPES if settings["data"] == "shapes" else LEARNING_RATE
    fit(model, split.train, settings["epochs"], rate)
    return {
        "mean IoU": mean_iou(model, split.test, split.classes),
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def fit(model: nn.Module, data: Dataset[Sample], epochs: int, learning_rate: float) -> None:
    """Train by Adam on the cross-entropy of the pixels that have a class."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    model.train()
    for _ in range(epochs):
        for images, classes in batches(data, BATCH, shuffled=True):
            loss = F.cross_entropy(model(images), classes, ignore_index=VOID)
            loss = loss + auxiliary_loss(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()


@torch.no_grad()
def mean_iou(model: nn.Module, data: Dataset[Sample], classes: int) -> float:
    """Mean over the classes of the intersection over union of true and predicted pixels.

    Classes that are absent in both do not count.
    """
    model.eval()
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    for images, there in batches(data, BATCH, shuffled=False):
        counts += confusion(there, model(images).argmax(1), classes)
    both = counts.diagonal()
    either = counts.sum(0) + counts.sum(1) - both
    return float((both[either > 0] / either[either > 0]).mean())


def confusion(there: Tensor, found: Tensor, classes: int) -> Tensor:
    """The number of pixels of each true class (rows) and predicted class (columns)."""
    known = there != VOID
    pairs = classes * there[known] + found[known]
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def report(results: Results, data: str, tables: Path, pictures: Path) -> None:
    """Write the table of a data set."""
    heading = ["down and up", *(f"{kind}: mean IoU (%)" for kind in KINDS)]
    rows = [
        [
            pair,
            *(
                mean_and_spread(
                    [r["mean IoU"] for r in results.of(data=data, kind=kind, pair=pair)], 2, 100
                )
                for kind in KINDS
            ),
        ]
        for pair in TRAINED
    ]
    suffix = "" if data == "shapes" else f"_{data.lower().replace(' ', '-')}"
    write(tables / f"reproduced_segmentation{suffix}.md", table(heading, rows))
