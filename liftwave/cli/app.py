"""The commands and their options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import liftwave
from liftwave._plan.arguments import resolve_mode
from liftwave.cli import console
from liftwave.cli.container import (
    Choice,
    read_decomposition,
    reconstructed,
    write_decomposition,
)
from liftwave.cli.files import FileError
from liftwave.cli.media import Media, check_writable, read, write
from liftwave.decomposition import Decomposition, decompose
from liftwave.denoising import denoise


def _examples(*commands: str) -> str:
    """The end of a command's help: one example on each line, for any terminal width."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"liftwave {command}" for command in commands)])


app = typer.Typer(
    name="liftwave",
    help="Wavelet transforms of arrays (.npy, .npz), images and sounds (.wav).",
    epilog=_examples("tour", "decompose --help"),
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

Input = Annotated[Path, typer.Argument(help="File to read: .npy, .npz, image or .wav.")]
Output = Annotated[Path, typer.Argument(help="File to write; the suffix selects the format.")]
WaveletOption = Annotated[str, typer.Option("-w", "--wavelet", help="Name of the wavelet.")]
ModeOption = Annotated[str, typer.Option("--mode", help="Boundary mode.")]
# More levels than a length has bits are never useful, and would take forever.
_LEVELS: dict[str, Any] = {"min": 0, "max": 64}
LevelOption = Annotated[
    int | None, typer.Option("--level", **_LEVELS, help="Levels; default: the most.")
]
FewerLevelsOption = Annotated[
    int | None,
    typer.Option("--level", **_LEVELS, help="Levels; default: the most; for visu three less."),
]
LiftingOption = Annotated[bool, typer.Option("--lifting", help="Transform by lifting.")]
IntegerOption = Annotated[
    bool, typer.Option("--integer", help="Integer lifting, lossless (integer data only).")
]


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


@app.command(
    "tour",
    epilog=_examples(
        "tour",
        "tour --output pictures",
    ),
)
def tour_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path(
        "tour"
    ),
) -> None:
    """Demonstrate the library on real data: a table, and pictures."""
    from liftwave.cli.tour import tour

    tour(output)


@app.command(
    "decompose",
    epilog=_examples(
        "decompose photo.png photo.npz --wavelet bior4.4 --level 4",
        "decompose photo.png exact.npz -w cdf5.3 --integer --mode reflect",
        "decompose music.wav music.npz -w sym8",
    ),
)
def decompose_command(
    source: Input,
    target: Annotated[Path, typer.Argument(help="Archive of coefficients to write (.npz).")],
    wavelet: WaveletOption = "bior4.4",
    mode: ModeOption = "symmetric",
    level: LevelOption = None,
    lifting: LiftingOption = False,
    integer: IntegerOption = False,
) -> None:
    """Decompose a file into wavelet coefficients."""
    check_writable(target, suffixes=(".npz",))
    choice = Choice(wavelet, lifting, integer)
    with console.progress(3) as step:
        step(f"reading {source.name}")
        media = read(source)
        step(f"decomposing {media.array.shape} by {wavelet}")
        d = _decomposed(media, choice, mode, level)
        step(f"writing {target.name}")
        write_decomposition(target, d, choice, media)
    shares = d.energy()
    rows = [
        (str(depth), key, "x".join(map(str, band.shape)), str(band.dtype), f"{share:.4%}")
        for ((depth, key), band), share in zip(d.bands.items(), shares.values(), strict=True)
    ]
    columns = ("level", "band", "shape", "dtype", "energy")
    console.table(f"{source} -> {target}", columns, rows, numbers=1)


@app.command(
    "reconstruct",
    epilog=_examples(
        "reconstruct photo.npz photo-again.png",
        "reconstruct music.npz music-again.wav",
    ),
)
def reconstruct_command(
    source: Annotated[Path, typer.Argument(help="Archive written by 'decompose' (.npz).")],
    target: Output,
) -> None:
    """Reconstruct the data from an archive of coefficients."""
    check_writable(target)
    with console.progress(3) as step:
        step(f"reading {source.name}")
        d, media = read_decomposition(source)
        step(f"reconstructing {d.shape}")
        result = reconstructed(d, media)
        step(f"writing {target.name}")
        write(target, result)
    console.say(f"{target}: {_described(result)}")


@app.command(
    "denoise",
    epilog=_examples(
        "denoise noisy.png clean.png",
        "denoise hiss.wav clean.wav --wavelet db8 --method sure",
        "denoise noisy.png clean.png --shifts 4 --sigma 12",
    ),
)
def denoise_command(
    source: Input,
    target: Output,
    wavelet: WaveletOption = "sym8",
    mode: ModeOption = "symmetric",
    level: FewerLevelsOption = None,
    method: Annotated[str, typer.Option(help="Thresholds: bayes, sure or visu.")] = "bayes",
    rule: Annotated[str, typer.Option(help="Shrinking: soft, hard or garrote.")] = "soft",
    sigma: Annotated[
        float | None, typer.Option(help="Noise level, in the file's units; default: estimated.")
    ] = None,
    shifts: Annotated[int, typer.Option(min=1, help="Cycle spinning: shifts along each axis.")] = 1,
) -> None:
    """Remove white noise from a file; channels are denoised separately."""
    check_writable(target)
    with console.progress(3) as step:
        step(f"reading {source.name}")
        media = read(source)
        step(f"denoising {media.array.shape} by {wavelet}")
        samples, alpha = _without_alpha(media)
        options: dict[str, Any] = {"method": method, "rule": rule, "shifts": shifts}
        options |= {"sigma": sigma, "level": level, "mode": mode, "axes": media.axes}
        clean = denoise(samples, wavelet, **options)
        if alpha is not None:
            clean = np.concatenate([clean, alpha], axis=-1)
        result = media.with_array(clean)
        step(f"writing {target.name}")
        write(target, result)
    change = console.rms(media.array, result.array)
    console.say(f"{target}: {_described(result)}, changed by {change:.4g} (rms)")


@app.command(
    "compress",
    epilog=_examples(
        "compress photo.png photo.npz --keep 0.05",
        "compress photo.png seen.png --keep 0.02 -w sym8",
        "compress volume.npy volume.npz --keep 0.1 --mode periodization",
    ),
)
def compress_command(
    source: Input,
    target: Output,
    keep: Annotated[
        float, typer.Option(help="Share of the coefficients to keep, above 0, at most 1.")
    ] = 0.05,
    wavelet: WaveletOption = "bior4.4",
    mode: ModeOption = "symmetric",
    level: LevelOption = None,
    lifting: LiftingOption = False,
    integer: IntegerOption = False,
) -> None:
    """Keep only the largest coefficients.

    An .npz file gets the sparse coefficients ('reconstruct' reads them). Any
    other file gets the reconstructed data.
    """
    if not 0 < keep <= 1:
        raise typer.BadParameter(f"--keep must be above 0 and at most 1, got {keep}")
    check_writable(target)
    choice = Choice(wavelet, lifting, integer)
    with console.progress(3) as step:
        step(f"reading {source.name}")
        media, before = read(source), console.size(source.stat().st_size)
        step(f"compressing {media.array.shape} by {wavelet}")
        lean = media if choice.integer else replace(media, array=_lean(media.array))
        d = _decomposed(lean, choice, mode, level).keep_largest(keep)
        result = media.with_array(np.asarray(d.reconstruct()))
        step(f"writing {target.name}")
        if target.suffix.lower() == ".npz":
            write_decomposition(target, d, choice, media)
        else:
            write(target, result)
    total = sum(band.size for band in d.bands.values())
    count = sum(int(np.count_nonzero(band)) for band in d.bands.values())
    quality = console.psnr(media.array, result.array)
    console.say(
        f"{target}: {count} of {total} coefficients ({count / total:.2%}), "
        f"{'exactly equal' if np.isinf(quality) else f'PSNR {quality:.2f} dB'}, "
        f"{before} -> {console.size(target.stat().st_size)}"
    )


@app.command(
    "info",
    epilog=_examples(
        "info bior4.4",
        "info db4 --plot db4.png",
    ),
)
def info_command(
    wavelet: Annotated[str, typer.Argument(help="Name of a wavelet, as bior4.4 or cdf9.7.")],
    plot: Annotated[
        Path | None, typer.Option(help="Picture of filters and functions to write.")
    ] = None,
) -> None:
    """Show a wavelet: its filters, properties, and lifting steps."""
    from liftwave.cli.info import info

    if plot is not None:
        check_writable(plot, suffixes=(".png", ".pdf", ".svg"))
    info(wavelet, plot)


def _decomposed(media: Media, choice: Choice, mode: str, level: int | None) -> Decomposition:
    if choice.integer and media.array.dtype.kind not in "iu":
        raise FileError(
            f"--integer needs integer data, the file holds {media.array.dtype}; "
            "remove --integer, or use --lifting"
        )
    return decompose(media.array, choice.wavelet(), level, resolve_mode(mode), media.axes)


def _lean(array: Any) -> Any:
    """Integers of up to 16 bits in single precision, which is exact and needs half the storage."""
    small = array.dtype.kind in "biu" and array.dtype.itemsize <= 2
    return array.astype(np.float32) if small else array


def _without_alpha(media: Media) -> tuple[Any, Any]:
    """The colours and, separately, the alpha channel of an image, which has no noise."""
    array = media.array
    if media.kind == "image" and array.ndim == 3 and array.shape[2] in (2, 4):
        return array[..., :-1], array[..., -1:]
    return array, None


def _described(media: Media) -> str:
    rate = f", {media.extra['rate']} Hz" if "rate" in media.extra else ""
    return (
        f"{media.kind} of shape {'x'.join(map(str, media.array.shape))}, {media.array.dtype}{rate}"
    )
