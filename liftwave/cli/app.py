"""The commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import liftwave
from liftwave.cli import console
from liftwave.cli.container import (
    Choice,
    read_decomposition,
    reconstructed,
    write_decomposition,
)
from liftwave.cli.media import FileError, Media, check_writable, read, write
from liftwave.decomposition import Decomposition, decompose
from liftwave.denoising import denoise

app = typer.Typer(
    name="liftwave",
    help="Wavelet transforms of arrays (.npy, .npz), images and sounds (.wav).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

Input = Annotated[Path, typer.Argument(help="File to read: .npy, .npz, image or .wav.")]
Output = Annotated[Path, typer.Argument(help="File to write; its suffix says what kind.")]
WaveletOption = Annotated[str, typer.Option("-w", "--wavelet", help="Name of the wavelet.")]
ModeOption = Annotated[str, typer.Option("--mode", help="Boundary mode.")]
LevelOption = Annotated[int | None, typer.Option("--level", help="Levels; default: the most.")]
LiftingOption = Annotated[bool, typer.Option("--lifting", help="Transform by lifting.")]
IntegerOption = Annotated[
    bool, typer.Option("--integer", help="Integer lifting, lossless (integer data only).")
]


def _version(asked: bool) -> None:
    if asked:
        print(f"liftwave {liftwave.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command("tour")
def tour_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path(
        "tour"
    ),
) -> None:
    """Show on real data what the library does: a table, and pictures.

    Examples
    --------
        liftwave tour

        liftwave tour --output pictures
    """
    from liftwave.cli.tour import tour

    tour(output)


@app.command("decompose")
def decompose_command(
    source: Input,
    target: Annotated[Path, typer.Argument(help="Archive of coefficients to write (.npz).")],
    wavelet: WaveletOption = "bior4.4",
    mode: ModeOption = "symmetric",
    level: LevelOption = None,
    lifting: LiftingOption = False,
    integer: IntegerOption = False,
) -> None:
    """Decompose a file into wavelet coefficients.

    Examples
    --------
        liftwave decompose photo.png photo.npz --wavelet bior4.4 --level 4

        liftwave decompose photo.png lossless.npz -w cdf5.3 --integer --mode reflect

        liftwave decompose music.wav music.npz -w sym8
    """
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
    console.table(
        f"{source} -> {target}", ("level", "band", "shape", "dtype", "share of the energy"), rows
    )


@app.command("reconstruct")
def reconstruct_command(
    source: Annotated[Path, typer.Argument(help="Archive written by 'decompose' (.npz).")],
    target: Output,
) -> None:
    """Put the data of an archive of coefficients together again.

    Examples
    --------
        liftwave reconstruct photo.npz photo-again.png

        liftwave reconstruct music.npz music-again.wav
    """
    check_writable(target)
    with console.progress(3) as step:
        step(f"reading {source.name}")
        d, media = read_decomposition(source)
        step(f"reconstructing {d.shape}")
        result = reconstructed(d, media)
        step(f"writing {target.name}")
        write(target, result)
    console.out.print(f"{target}: {_described(result)}")


@app.command("denoise")
def denoise_command(
    source: Input,
    target: Output,
    wavelet: WaveletOption = "sym8",
    mode: ModeOption = "symmetric",
    level: LevelOption = None,
    method: Annotated[str, typer.Option(help="Thresholds: bayes, sure or visu.")] = "bayes",
    rule: Annotated[str, typer.Option(help="Shrinking: soft, hard or garrote.")] = "soft",
    sigma: Annotated[
        float | None, typer.Option(help="Noise level, in the file's units; default: estimated.")
    ] = None,
    shifts: Annotated[int, typer.Option(help="Cycle spinning: shifts along each axis.")] = 1,
) -> None:
    """Remove white noise from a file; channels are treated one by one.

    Examples
    --------
        liftwave denoise noisy.png clean.png

        liftwave denoise hiss.wav clean.wav --wavelet db8 --method sure

        liftwave denoise noisy.png clean.png --shifts 4 --sigma 12
    """
    check_writable(target)
    with console.progress(3) as step:
        step(f"reading {source.name}")
        media = read(source)
        step(f"denoising {media.array.shape} by {wavelet}")
        samples, alpha = _without_alpha(media)
        options: dict[str, Any] = {"method": method, "rule": rule, "shifts": shifts}
        noise = None if sigma is None else np.float64(sigma)
        clean = denoise(
            samples, wavelet, **options, sigma=noise, level=level, mode=mode, axes=media.axes
        )
        if alpha is not None:
            clean = np.concatenate([clean, alpha], axis=-1)
        result = media.with_array(clean)
        step(f"writing {target.name}")
        write(target, result)
    change = float(np.sqrt(np.mean(np.abs(result.array.astype(float) - media.array) ** 2)))
    console.out.print(f"{target}: {_described(result)}, changed by {change:.4g} (rms)")


@app.command("compress")
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
    """Keep the largest coefficients only.

    To an .npz file, the sparse coefficients are written ('reconstruct' reads
    them); to any other, the data that they give.

    Examples
    --------
        liftwave compress photo.png photo.npz --keep 0.05

        liftwave compress photo.png seen.png --keep 0.02 -w cdf9.7 --lifting --mode reflect

        liftwave compress photo.png lossless.npz --keep 1 -w cdf5.3 --integer --mode reflect
    """
    check_writable(target)
    choice = Choice(wavelet, lifting, integer)
    with console.progress(3) as step:
        step(f"reading {source.name}")
        media = read(source)
        step(f"compressing {media.array.shape} by {wavelet}")
        d = _decomposed(media, choice, mode, level).keep_largest(keep)
        result = media.with_array(np.asarray(d.reconstruct()))
        step(f"writing {target.name}")
        if target.suffix.lower() == ".npz":
            write_decomposition(target, d, choice, media)
        else:
            write(target, result)
    total = sum(band.size for band in d.bands.values())
    kept = sum(int(np.count_nonzero(band)) for band in d.bands.values())
    quality = console.psnr(media.array, result.array)
    sizes = [console.size(path.stat().st_size) for path in (source, target)]
    console.out.print(
        f"{target}: {kept} of {total} coefficients ({kept / total:.2%}), "
        f"PSNR {'exact' if np.isinf(quality) else f'{quality:.2f} dB'}, "
        f"{sizes[0]} -> {sizes[1]}"
    )


@app.command("info")
def info_command(
    wavelet: Annotated[str, typer.Argument(help="Name of a wavelet, as bior4.4 or cdf9.7.")],
    plot: Annotated[
        Path | None, typer.Option(help="Picture of filters and functions to write.")
    ] = None,
) -> None:
    """Show a wavelet: its filters, properties, and lifting steps.

    Examples
    --------
        liftwave info bior4.4

        liftwave info db4 --plot db4.png
    """
    from liftwave.cli.info import info

    if plot is not None:
        check_writable(plot, suffixes=(".png", ".pdf", ".svg"))
    info(wavelet, plot)


def _decomposed(media: Media, choice: Choice, mode: str, level: int | None) -> Decomposition:
    if choice.integer and media.array.dtype.kind not in "iu":
        raise FileError(
            f"--integer needs integer data, the file holds {media.array.dtype}; "
            "leave --integer out, or use --lifting"
        )
    return decompose(media.array, choice.wavelet(), level, mode, media.axes)


def _without_alpha(media: Media) -> tuple[Any, Any]:
    """Colours and, apart, the alpha channel of an image, which is not noisy."""
    array = media.array
    if media.kind == "image" and array.ndim == 3 and array.shape[2] in (2, 4):
        return array[..., :-1], array[..., -1:]
    return array, None


def _described(media: Media) -> str:
    rate = f", {media.extra['rate']} Hz" if "rate" in media.extra else ""
    return (
        f"{media.kind} of shape {'x'.join(map(str, media.array.shape))}, {media.array.dtype}{rate}"
    )
