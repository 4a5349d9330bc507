"""Classification with every pooling, and the ablations of LDW-Pooling and of LiftPool."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from examples.data import Split
from examples.models import VGG, ResNet
from examples.poolings import OURS, POOLINGS, PoolFactory, ldw_of_the_paper
from examples.reproduce import training
from examples.reproduce.runs import Result, Results, Settings
from examples.reproduce.tables import ACCENT, INK, QUIET, mean_and_spread, save, table, write
from liftwave import torch as lt
from liftwave.torch import auxiliary_loss

NETS: dict[str, Callable[..., nn.Module]] = {"VGG": VGG, "ResNet": ResNet}
ABLATED = "VGG"  # the net of the ablations

# LDW-Pooling's table 6: the initial filters, and whether the penalty is added to the loss.
LDW_STARTS = {
    ("LDW", 1.0): "pretrained filters, penalty",
    ("LDW", 0.0): "pretrained filters, no penalty",
    ("LDW, random start", 1.0): "random filters, penalty",
    ("LDW, random start", 0.0): "random filters, no penalty",
}
BANDS = ("LL", "LH", "HL", "HH")
KERNELS = (2, 3, 4, 7)  # the default is 5


def _variants() -> dict[str, PoolFactory]:
    """The poolings of the ablations only."""

    def lift(**settings: Any) -> PoolFactory:
        return lambda channels: lt.LiftDownPool2d(channels, **settings)

    made = {f"LiftPool, {band}": lift(output=band) for band in BANDS}
    made["LiftPool, concat"] = lift(output="concat")
    made |= {f"LiftPool, kernel {size}": lift(kernel_size=size) for size in KERNELS}
    made["LDW, random start"] = lambda channels: ldw_of_the_paper(init="random")
    made["LDW, orthonormal"] = lambda channels: lt.LDWPool2d(4, learn="orthonormal")
    made["LDW, sum"] = lambda channels: ldw_of_the_paper(output="sum")
    made["LDW, concat"] = lambda channels: ldw_of_the_paper(output="concat")
    return made


VARIANTS = {**POOLINGS, **_variants()}


def runs(data: str, epochs: int, seeds: int) -> list[Settings]:
    """Every pooling in every network, and the ablations in one; seed by seed.

    Parameters
    ----------
    data : str
        Name of the data set.
    epochs, seeds : int
        The epochs of each training, and the number of trainings.
    """
    named = [
        *({"net": ABLATED, "pool": pool} for pool in POOLINGS),
        *({"net": ABLATED, "pool": pool} for pool in VARIANTS if pool not in POOLINGS),
        *({"net": ABLATED, "pool": pool, "penalty": 0.0} for pool in ("LDW", "LDW, random start")),
        {"net": ABLATED, "pool": "LiftPool", "penalty": 0.0},
        *({"net": ABLATED, "pool": pool, "attention": True} for pool in ("max", "LDW")),
        *({"net": net, "pool": pool} for net in NETS if net != ABLATED for pool in POOLINGS),
    ]
    usual = {"data": data, "epochs": epochs, "penalty": 1.0, "attention": False}
    return [{**usual, **chosen, "seed": seed} for seed in range(seeds) for chosen in named]


def execute(settings: Settings, split: Split) -> Result:
    """Train one network, and measure it on the test images, unchanged and changed."""
    torch.manual_seed(settings["seed"])
    image, _ = split.train[0]
    extra = {"attention": True} if settings["attention"] else {}
    net, pool = NETS[settings["net"]], VARIANTS[settings["pool"]]
    model = net(pool, classes=split.classes, inputs=len(image), **extra)
    model.eval()(image[None])  # sizes of masks come from the first input
    begun = time.perf_counter()
    loss = training.train(model, split.train, settings["epochs"], settings["penalty"])
    seconds = time.perf_counter() - begun
    penalty = float(auxiliary_loss(model).detach())
    return {
        "accuracy": training.accuracy(model, split.test),
        "loss": loss,
        "penalty left": penalty,
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(seconds, 2),
        **training.robustness(model, split.test),
    }


# --- the results ---------------------------------------------------------------------------------


class Found:
    """The results with one data set, by pooling."""

    def __init__(self, results: Results, data: str) -> None:
        self._results = [(s, r) for s, r in results if s["data"] == data]

    def by_seed(
        self, net: str, pool: str, measure: str, penalty: float = 1.0, attention: bool = False
    ) -> dict[int, float]:
        """A measure of all runs of these settings."""
        wanted = {"net": net, "pool": pool, "penalty": penalty, "attention": attention}
        return {
            settings["seed"]: result[measure]
            for settings, result in self._results
            if wanted.items() <= settings.items() and measure in result
        }

    def percent(self, net: str, pool: str, measure: str = "accuracy", **kept: object) -> str:
        """Mean and spread in per cent."""
        return mean_and_spread([*self.by_seed(net, pool, measure, **kept).values()], 2, 100)

    def against_max(self, net: str, pool: str) -> str:
        """Mean and spread of the difference from max pooling with the same seed, in points."""
        own, usual = (self.by_seed(net, name, "accuracy") for name in (pool, "max"))
        gaps = [own[seed] - usual[seed] for seed in own if seed in usual]
        if pool == "max" or not gaps:
            return "–"
        return f"{'+' if sum(gaps) >= 0 else ''}{mean_and_spread(gaps, 2, 100)}"


def report(results: Results, data: str, tables: Path, pictures: Path) -> None:
    """Write the tables and the pictures of the present results, for each data set its own."""
    found, suffix = Found(results, data), "" if data == "digits" else f"_{data.lower()}"
    write(tables / f"reproduced_classification{suffix}.md", _comparison(found))
    write(tables / f"reproduced_ablations{suffix}.md", _ablations(found))
    write(tables / f"reproduced_robustness{suffix}.md", _robustness(found))
    save(_chart(found), pictures / f"reproduced_classification{suffix}.png")
    save(_robustness_chart(found), pictures / f"reproduced_robustness{suffix}.png")


def _label(pool: str) -> str:
    return f"**{pool}**" if pool in OURS else pool


def _comparison(found: Found) -> str:
    heading = ["pooling"]
    for net in NETS:
        heading += [f"{net}, accuracy (%)", "against max"]
    rows = []
    for pool in POOLINGS:
        row = [_label(pool)]
        for net in NETS:
            row += [found.percent(net, pool), found.against_max(net, pool)]
        rows.append(row)
    return table(heading, rows)


def _ablations(found: Found) -> str:
    def rows(chosen: dict[str, dict[str, object]]) -> list[list[str]]:
        return [[label, found.percent(ABLATED, **kept)] for label, kept in chosen.items()]

    starts = {
        label: {"pool": pool, "penalty": penalty} for (pool, penalty), label in LDW_STARTS.items()
    }
    starts["orthonormal by construction"] = {"pool": "LDW, orthonormal"}
    starts["pretrained, penalty, sum of all bands"] = {"pool": "LDW, sum"}
    starts["pretrained, penalty, all bands as channels"] = {"pool": "LDW, concat"}
    attention = {
        "LDW, energy attention": {"pool": "LDW", "attention": True},
        "LDW": {"pool": "LDW"},
        "max, energy attention": {"pool": "max", "attention": True},
        "max": {"pool": "max"},
    }
    bands = {f"{band} alone": {"pool": f"LiftPool, {band}"} for band in BANDS}
    bands["sum of all"] = {"pool": "LiftPool"}
    bands["all as channels"] = {"pool": "LiftPool, concat"}
    bands["sum of all, no penalties"] = {"pool": "LiftPool", "penalty": 0.0}
    sizes = {str(size): {"pool": f"LiftPool, kernel {size}"} for size in KERNELS}
    sizes["5"] = {"pool": "LiftPool"}
    parts = (
        ("LDW-Pooling's filters", starts),
        ("energy attention", attention),
        ("LiftPool's bands", bands),
        ("LiftPool's kernel", dict(sorted(sizes.items()))),
    )
    return "\n".join(table([title, "accuracy (%)"], rows(chosen)) for title, chosen in parts)


MEASURES = {
    "accuracy": "as they are",
    "shift": "moved by a pixel",
    "consistency": "classed as when not moved",
    "noise": "noise",
    "blur": "blur",
}


def _robustness(found: Found, net: str = ABLATED) -> str:
    rows = [
        [_label(pool), *(found.percent(net, pool, measure) for measure in MEASURES)]
        for pool in POOLINGS
    ]
    return table([f"pooling ({net})", *(f"{name} (%)" for name in MEASURES.values())], rows)


def _means(found: Found, net: str, measure: str) -> dict[str, list[float]]:
    every = {pool: [*found.by_seed(net, pool, measure).values()] for pool in POOLINGS}
    return {pool: values for pool, values in every.items() if values}


def _chart(found: Found) -> Figure:
    """Accuracy in each net."""
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    for ax, net in zip(figure.subplots(1, len(NETS)), NETS, strict=True):
        _draw_dots(ax, _by_pooling(found, net, "accuracy"))
        ax.set_title(f"{net}: accuracy on held-out images (%)", fontsize=10)
    return figure


def _robustness_chart(found: Found, net: str = ABLATED) -> Figure:
    """The accuracy on changed images."""
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    changed = ("consistency", "noise", "blur")
    for ax, measure in zip(figure.subplots(1, len(changed)), changed, strict=True):
        _draw_dots(ax, _by_pooling(found, net, measure))
        ax.set_title(f"{MEASURES[measure]} (%)", fontsize=10)
    return figure


def _by_pooling(found: Found, net: str, measure: str) -> dict[str, list[float]]:
    every = {pool: [*found.by_seed(net, pool, measure).values()] for pool in POOLINGS}
    return {pool: [100 * v for v in values] for pool, values in every.items() if values}


def _draw_dots(ax: Axes, values: dict[str, list[float]]) -> None:
    """Every run as a dot, the mean as a line, poolings in the order of their means."""
    order = sorted(values, key=lambda pool: statistics.fmean(values[pool]))
    for height, pool in enumerate(order):
        color = ACCENT if pool in OURS else INK
        ax.plot(values[pool], [height] * len(values[pool]), "o", color=color, alpha=0.4, ms=4)
        ax.plot([statistics.fmean(values[pool])], [height], "|", color=color, ms=14)
    ax.set_yticks(range(len(order)), order)
    ax.grid(axis="x", color=QUIET, linewidth=0.4)
    ax.spines[["top", "right"]].set_visible(False)
