"""The commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import liftwave
from liftwave._plan.arguments import resolve_mode
from liftwave.cli import console
from liftwave.cli.blocks import decompose_in_blocks, is_folder, reconstruct_in_blocks
from liftwave.cli.choice import Choice
from liftwave.cli.container import (
    read_decomposition,
    reconstructed,
    write_decomposition,
)
from liftwave.cli.cuda_kernels import compile_kernels_command
from liftwave.cli.denoising import denoise_command
from liftwave.cli.media import Media, check_writable, read, write
from liftwave.cli.options import (
    ArchiveInput,
    ArchiveOutput,
    AxesOption,
    ComponentLevelOption,
    EdgesOption,
    ForceOption,
    Input,
    IntegerOption,
    KeyOption,
    LargeOption,
    LevelOption,
    LiftingOption,
    ModeOption,
    Output,
    WaveletOption,
    ZstdOption,
    chosen_axes,
)
from liftwave.cli.packets import packets_command
from liftwave.cli.results import described, say
from liftwave.cli.scalogram import scalogram_command
from liftwave.cli.sparsity import lean, measure, picture_suffixes, report, sparse, write_curves
from liftwave.decomposition import Decomposition, decompose
from liftwave.errors import FileError


def _examples(*commands: str) -> str:
    """The end of a command's help: one example per line, for any terminal width."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"liftwave {command}" for command in commands)])


app = typer.Typer(
    name="liftwave",
    help="Wavelet transforms of arrays (.npy, .npz), images and sounds (.wav, .flac, .ogg).",
    epilog=_examples("tour", "decompose --help"),
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(requested: bool) -> None:
    if requested:
        print(f"liftwave {liftwave.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None and (text := context.get_help()):
        print(text)


@app.command("tour", epilog=_examples("tour", "tour --output pictures"))
def tour_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path(
        "tour"
    ),
    force: ForceOption = False,
) -> None:
    """Demonstrate the library on real data: a table, and pictures."""
    from liftwave.cli.tour import tour

    tour(output, force=force)


@app.command(
    "decompose",
    epilog=_examples(
        "decompose photo.png photo.npz --wavelet bior4.4 --level 4",
        "decompose photo.png exact.npz -w cdf5.3 --integer --mode reflect",
        "decompose music.wav music.npz -w sym8",
        "decompose large.zarr bands.zarr --level 3",
    ),
)
def decompose_command(
    source: Input,
    target: ArchiveOutput,
    wavelet: WaveletOption = "bior4.4",
    mode: ModeOption = "symmetric",
    level: LevelOption = None,
    axes: AxesOption = None,
    lifting: LiftingOption = False,
    integer: IntegerOption = False,
    zstd: ZstdOption = False,
    key: KeyOption = None,
    force: ForceOption = False,
    large: LargeOption = False,
) -> None:
    """Decompose a file into wavelet coefficients.

    With a .zarr folder as target, files of any size (.zarr, .h5, .npy) are decomposed block by
    block. The same command continues a run that was interrupted.
    """
    choice = Choice(wavelet, lifting, integer)
    if is_folder(target):
        decompose_in_blocks(source, target, choice, mode, level, axes, key=key, force=force)
        return
    check_writable(target, "coefficients", suffixes=(".npz",), force=force)
    with console.progress(3) as step:
        step(f"reading {console.title(source).name}")
        media = read(source, key=key, large=large)
        step(f"decomposing {media.array.shape} by {wavelet}")
        d = _decomposed(media, choice, mode, level, axes)
        step(f"writing {target.name}")
        write_decomposition(target, d, media, zstd=zstd)
    shares = d.energy()
    rows = [
        (str(depth), name, "x".join(map(str, band.shape)), str(band.dtype), f"{share:.4%}")
        for ((depth, name), band), share in zip(d.bands.items(), shares.values(), strict=True)
    ]
    columns = ("level", "band", "shape", "dtype", "energy")
    console.table(f"{source} -> {target}", columns, rows, numbers=1)


@app.command(
    "reconstruct",
    epilog=_examples(
        "reconstruct photo.npz photo-again.png",
        "reconstruct music.npz music-again.wav",
        "reconstruct bands.zarr large-again.zarr",
    ),
)
def reconstruct_command(
    source: ArchiveInput, target: Output, force: ForceOption = False, large: LargeOption = False
) -> None:
    """Reconstruct the data from an archive or a .zarr folder of coefficients."""
    if is_folder(source) and is_folder(target):
        reconstruct_in_blocks(source, target, force=force)
        return
    check_writable(target, force=force)
    with console.progress(3) as step:
        step(f"reading {console.title(source).name}")
        d, media = read_decomposition(source, large=large)
        step(f"reconstructing {d.shape}")
        result = reconstructed(d, media)
        step(f"writing {target.name}")
        write(target, result)
    say(target, f"{target}: {described(result)}")


app.command(
    "denoise",
    epilog=_examples(
        "denoise noisy.png clean.png",
        "denoise hiss.wav quiet.wav --wavelet db8 --method sure",
        "denoise noisy.png smooth.png --shifts 4 --sigma 12",
        "denoise noisy.png best.png -w sym4 --transform swt --method bivariate",
    ),
)(denoise_command)


@app.command(
    "sparsify",
    epilog=_examples(
        "sparsify photo.png",
        "sparsify photo.png --plot curves.png",
        "sparsify photo.png seen.png --keep 0.02 -w sym8",
        "sparsify volume.npy volume.npz --keep 0.1 --mode periodization",
    ),
)
def sparsify_command(
    source: Input,
    target: Annotated[
        Path | None, typer.Argument(help="File of the result to write; without it: the table.")
    ] = None,
    keep: Annotated[
        float, typer.Option(help="Share of the coefficients to keep, above 0, at most 1.")
    ] = 0.05,
    wavelet: WaveletOption = "bior4.4",
    mode: ModeOption = "symmetric",
    level: LevelOption = None,
    axes: AxesOption = None,
    lifting: LiftingOption = False,
    integer: IntegerOption = False,
    plot: Annotated[
        Path | None, typer.Option(help="Picture of quality and share to write.")
    ] = None,
    zstd: ZstdOption = False,
    key: KeyOption = None,
    force: ForceOption = False,
    large: LargeOption = False,
) -> None:
    """Show how few coefficients represent a signal.

    Without a file to write, a table lists the quality for several shares of the
    coefficients. Otherwise, only the largest coefficients are kept: an .npz file
    gets the coefficients ('reconstruct' reads them), any other file the
    reconstructed data. This is not file compression, because nothing is coded.
    """
    if not 0 < keep <= 1:
        raise typer.BadParameter(f"--keep must be above 0 and at most 1, got {keep}")
    if target is not None:
        check_writable(target, force=force)
    if plot is not None:
        check_writable(plot, "pictures", suffixes=picture_suffixes, force=force)
    choice = Choice(wavelet, lifting, integer)
    with console.progress(3) as step:
        step(f"reading {console.title(source).name}")
        media = read(source, key=key, large=large)
        step(f"decomposing {media.array.shape} by {wavelet}")
        d = _decomposed(media if integer else lean(media), choice, mode, level, axes)
        step("keeping the largest coefficients")
        rows = measure(media, d) if target is None or plot is not None else []
        if plot is not None:
            write_curves(plot, console.title(source).name, media, rows)
        line = "" if target is None else _sparsified(target, media, d, keep, zstd)
    if target is not None:
        say(target, line)
    else:
        report(str(console.title(source)), media, rows)
    if plot is not None:
        say(target or plot, f"wrote {plot}")


def _sparsified(target: Path, media: Media, d: Decomposition, keep: float, zstd: bool) -> str:
    """Write the result, and describe it in a line."""
    sparse_bands, result = sparse(media, d, keep)
    if target.suffix.lower() == ".npz":
        write_decomposition(target, sparse_bands, media, zstd=zstd)
    else:
        write(target, result)
    total = sum(band.size for band in sparse_bands.bands.values())
    nonzero = sum(int(np.count_nonzero(band)) for band in sparse_bands.bands.values())
    count = total if keep == 1 else nonzero
    quality = console.quality(console.psnr(media.array, result.array, media.peak))
    return f"{target}: {count} of {total} coefficients ({count / total:.2%}), {quality}"


app.command(
    "packets",
    epilog=_examples(
        "packets music.wav",
        "packets music.wav packets.npz --plot tiles.png",
        "packets photo.png -w db4 --level 3 --cost norm --value 1",
    ),
)(packets_command)


@app.command(
    "mra",
    epilog=_examples(
        "mra music.wav --level 6 --plot music-parts.png",
        "mra music.wav part.wav --level 3",
        "mra photo.png parts.npz --plot parts.png -w haar",
        "mra volume.npy parts.npy --axes 0 --edges periodic",
    ),
)
def mra_command(
    source: Input,
    target: Annotated[
        Path | None, typer.Argument(help="File of the components; without it: the table.")
    ] = None,
    wavelet: WaveletOption = "sym4",
    level: ComponentLevelOption = None,
    axes: AxesOption = None,
    edges: EdgesOption = "reflection",
    plot: Annotated[Path | None, typer.Option(help="Picture of the components to write.")] = None,
    key: KeyOption = None,
    force: ForceOption = False,
    large: LargeOption = False,
) -> None:
    """Split a file into components that add up to it, one for each scale.

    S is smooth, and D1, D2, … are details from fine to coarse. An .npz file
    gets an array for each, an .npy file all in one array. As a sound or a .tif
    image, each gets a separate file: part.wav becomes part-S3.wav and others.
    """
    from liftwave.cli.mra import split

    choice = str(Choice(wavelet).wavelet())
    split(source, target, plot, choice, level, axes, edges, key=key, force=force, large=large)


app.command(
    "scalogram",
    epilog=_examples(
        "scalogram music.wav --plot music.png",
        "scalogram music.wav loudest.wav --band 80,1000 --synchrosqueeze",
        "scalogram series.csv ridges.csv --ridges 2 -w 'morlet(6)'",
        "scalogram signal.npy all.npz --fs 360",
    ),
)(scalogram_command)


@app.command("info", epilog=_examples("info bior4.4", "info db4 --plot db4.png"))
def info_command(
    wavelet: Annotated[str, typer.Argument(help="Name of a wavelet, as bior4.4 or cdf9.7.")],
    plot: Annotated[
        Path | None, typer.Option(help="Picture of filters and functions to write.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Show a wavelet: its filters, properties, and lifting steps."""
    from liftwave.cli.info import info

    if plot is not None:
        check_writable(plot, "pictures", suffixes=picture_suffixes, force=force)
    info(wavelet, plot)


@app.command("wavelets", epilog=_examples("wavelets"))
def wavelets_command() -> None:
    """List the names of all wavelets, by family."""
    from liftwave.cli.info import wavelets

    wavelets()


app.command(
    "compile-kernels",
    epilog=_examples(
        "compile-kernels bior4.4 db4 --mode periodization --gradients",
        "compile-kernels cdf5.3 --integer --dtype int16 --mode reflect",
        "compile-kernels db4 --dry",
    ),
)(compile_kernels_command)


def _decomposed(
    media: Media, choice: Choice, mode: str, level: int | None, axes: str | None
) -> Decomposition:
    if choice.integer and media.array.dtype.kind not in "iu":
        raise FileError(
            f"--integer needs integer data, but the file holds {media.array.dtype}; "
            "remove --integer, or use --lifting"
        )
    choice.check_mode(mode)
    chosen = chosen_axes(axes, media.axes, media.array.ndim)
    return decompose(media.array, choice.wavelet(), level, resolve_mode(mode), chosen)
