"""The commands of ``python -m examples.reproduce``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from examples import data
from examples.reproduce import (
    autoencoder,
    bidirectional,
    classification,
    information,
    segmentation,
)
from examples.reproduce.runs import Result, Results, Settings, perform

ROOT = Path(__file__).parents[2]

app = typer.Typer(
    help="Measure in small what the papers on pooling claim. Every command goes on where it "
    "was stopped: what has a result is not done again.",
    no_args_is_help=True,
    add_completion=False,
)
console = Console()

ResultsOption = Annotated[
    Path, typer.Option("--results", help="folder of the results, a line of JSON for each run")
]
OutputOption = Annotated[
    Path, typer.Option("--output", help="folder whose tables/ and pictures/ are written")
]
MinutesOption = Annotated[
    float | None, typer.Option("--minutes", help="begin no run after so many minutes")
]
SeedsOption = Annotated[int, typer.Option("--seeds", min=1, help="runs with different beginnings")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="folder with CIFAR-10, CIFAR-100 or ImageNet; else digits"),
]
RESULTS, OUTPUT = ROOT / "examples" / "results", ROOT / "docs"


def _measure(
    name: str,
    runs: list[Settings],
    execute: Callable[[Settings], Result],
    report: Callable[..., None],
    results: Path,
    output: Path,
    minutes: float | None,
    threads: int | None = 1,  # most nets are so small that more only cost
    **more: Any,
) -> None:
    """Do what has no result yet, and write tables and pictures of all that has."""
    if threads is not None:
        torch.set_num_threads(threads)
    held = Results(results / f"{name}.jsonl")
    left = perform(runs, execute, held, minutes)
    report(held, tables=output / "tables", pictures=output / "pictures", **more)
    console.print(
        f"{name}: {len(held)} results in {held.path}"
        + (f", {left} runs are left: the same command goes on" if left else "")
    )


@app.command("bidirectional")
def _bidirectional(
    results: ResultsOption = RESULTS,
    output: OutputOption = OUTPUT,
    minutes: MinutesOption = None,
) -> None:
    """Photographs pooled and brought back (LiftPool, figure 1)."""
    module = bidirectional
    _measure(
        "bidirectional", module.runs(), module.execute, module.report, results, output, minutes
    )


@app.command("information")
def _information(
    results: ResultsOption = RESULTS,
    output: OutputOption = OUTPUT,
    minutes: MinutesOption = None,
) -> None:
    """What each pooling keeps of photographs, and how long it takes (AdaPool, V-B and V-C)."""
    module = information
    runs = module.runs()
    _measure("information", runs, module.execute, module.report, results, output, minutes)


@app.command("classification")
def _classification(
    results: ResultsOption = RESULTS,
    output: OutputOption = OUTPUT,
    minutes: MinutesOption = None,
    folder: DataOption = None,
    seeds: SeedsOption = 3,
    epochs: Annotated[int, typer.Option(min=1, help="how often each image is seen")] = 20,
) -> None:
    """All poolings in two nets, ablations, robustness (the tables of all three papers)."""
    name, split = ("digits", data.digits()) if folder is None else data.open_folder(folder)
    if name == "PASCAL VOC":
        raise typer.BadParameter(f"{folder} has pictures to segment: use the command segmentation")
    _measure(
        "classification",
        classification.runs(name, epochs, seeds),
        lambda settings: classification.execute(settings, split),
        classification.report,
        results,
        output,
        minutes,
        data=name,
    )


@app.command("autoencoder")
def _autoencoder(
    results: ResultsOption = RESULTS,
    output: OutputOption = OUTPUT,
    minutes: MinutesOption = None,
    seeds: SeedsOption = 2,
    steps: Annotated[int, typer.Option(min=1, help="batches to train with")] = 300,
) -> None:
    """SegNet and UNet in small give back images (LDW-Pooling, figure 1)."""
    module = autoencoder
    runs = module.runs(steps, seeds)
    _measure("autoencoder", runs, module.execute, module.report, results, output, minutes)


@app.command("segmentation")
def _segmentation(
    folder: Annotated[Path, typer.Option("--data", help="folder with PASCAL VOC")],
    results: ResultsOption = RESULTS,
    output: OutputOption = OUTPUT,
    minutes: MinutesOption = None,
    seeds: SeedsOption = 1,
    epochs: Annotated[int, typer.Option(min=1, help="how often each picture is seen")] = 50,
    size: Annotated[int, typer.Option(min=16, help="height and width of the pictures")] = 224,
) -> None:
    """SegNet and UNet on PASCAL VOC (LiftPool, 4.2; LDW-Pooling, table 4)."""
    module = segmentation
    split = data.voc(data.found_in(folder, "PASCAL VOC"), size)
    _measure(
        "segmentation",
        module.runs(epochs, seeds),
        lambda settings: module.execute(settings, split),
        module.report,
        results,
        output,
        minutes,
        threads=None,
    )
