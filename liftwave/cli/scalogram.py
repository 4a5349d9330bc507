"""The command ``scalogram``: picture, ridges and components of a series."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from liftwave._files.archives import write_arrays
from liftwave._files.writing import write_whole
from liftwave.cli import console
from liftwave.cli.media import check_writable, write
from liftwave.cli.options import ForceOption, KeyOption, LargeOption
from liftwave.cli.series import CSV, Series, read_series
from liftwave.cli.sparsity import picture_suffixes
from liftwave.continuous.ridges import Ridge
from liftwave.continuous.transform import scalogram
from liftwave.errors import FileError

_SUFFIXES = (".npz", CSV, ".wav")


def scalogram_command(
    source: Annotated[
        Path,
        typer.Argument(
            help="File to read: .wav, .flac, .ogg, .npy, .npz, or .csv with a time column."
        ),
    ],
    target: Annotated[
        Path | None,
        typer.Argument(
            help="File to write: .npz (all arrays), .csv (ridges) or .wav (the components)."
        ),
    ] = None,
    fs: Annotated[
        float | None, typer.Option("--fs", help="Samples per second; sounds have theirs.")
    ] = None,
    wavelet: Annotated[
        str,
        typer.Option("-w", "--wavelet", help="morse(3, 20), morlet(6), paul(4), dog(2), bump."),
    ] = "morse(3, 20)",
    band: Annotated[
        str | None, typer.Option("--band", help="Lowest and highest frequency, as 50,4000.")
    ] = None,
    voices: Annotated[float, typer.Option(help="Rows per octave.")] = 16,
    ridges: Annotated[int, typer.Option(min=1, max=20, help="Number of components.")] = 1,
    synchrosqueeze: Annotated[
        bool, typer.Option("--synchrosqueeze", help="Move rows to their frequencies.")
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="Picture to write.")] = None,
    key: KeyOption = None,
    force: ForceOption = False,
    large: LargeOption = False,
) -> None:
    """Show a series in time and frequency, and follow its strongest components.

    It prints a table of the components. An .npz file gets the coefficients, the
    frequencies and the ridges, a .csv file the ridges over time, and a .wav file
    the sum of the components.
    """
    if target is not None:
        check_writable(target, "scalograms", suffixes=_SUFFIXES, force=force)
    if plot is not None:
        check_writable(plot, "pictures", suffixes=picture_suffixes, force=force)
    limits = _limits(band)
    with console.progress(4) as step:
        title = console.title(source)
        step(f"reading {title.name}")
        series = read_series(source, fs, key=key, large=large)
        if target is not None and target.suffix.lower() == ".wav":
            _check_sound(target, series)
        step(f"transforming {series.samples.size} samples by {wavelet}")
        rows: Any = scalogram(
            series.samples, series.rate, wavelet, voices=voices, limits=limits or "resolved"
        )
        if synchrosqueeze:
            rows = rows.synchrosqueeze()
        step("following ridges")
        lines = rows.ridges(ridges)
        step("writing")
        if target is not None:
            _write(target, series, rows, lines)
        if plot is not None:
            _write_picture(plot, title.name, series, rows, lines)
    _report(str(title), series, lines)
    for path in (target, plot):
        if path is not None:
            console.say(f"wrote {path}")


def _limits(band: str | None) -> tuple[float, float] | None:
    if band is None:
        return None
    try:
        low, high = (float(part) for part in band.split(","))
    except ValueError:
        raise FileError(f"--band needs two numbers, as 50,4000; got {band!r}") from None
    return low, high


def _check_sound(target: Path, series: Series) -> None:
    """Raise unless the series has a rate that sounds can have."""
    if series.unit != "s" or not series.rate.is_integer():
        raise FileError(
            f"{target}: cannot write a .wav file: the input does not have a whole number of "
            "samples per second; pass --fs"
        )


def _write(target: Path, series: Series, rows: Any, ridges: list[Ridge]) -> None:
    suffix = target.suffix.lower()
    if suffix == ".npz":
        arrays = {
            "coefficients": rows.coefficients,
            "frequencies": rows.frequencies,
            "times": rows.times,
            "coi": rows.coi,
            "ridge_frequencies": np.stack([ridge.frequencies for ridge in ridges]),
            "ridge_amplitudes": np.stack([ridge.amplitudes for ridge in ridges]),
            "components": np.stack([ridge.component for ridge in ridges]),
        }
        write_whole(target, lambda stream: write_arrays(stream, arrays))
    elif suffix == CSV:
        text = _table(rows.times, ridges)
        write_whole(target, lambda stream: stream.write(text.encode()))
    else:
        _write_sound(target, series, np.sum([ridge.component for ridge in ridges], axis=0))


def _write_sound(target: Path, series: Series, samples: Any) -> None:
    """Write samples in the dtype of a sound, or those of an array in single precision."""
    media, extra = series.media, {**series.media.extra, "rate": int(series.rate)}
    if media.kind == "sound" and media.array.dtype.kind != "u":
        first = media.array.reshape(len(samples), -1)[:, 0]
        sound = replace(media, array=first, extra=extra).with_array(samples)
    else:  # 8 bits are not signed
        extra.pop("bits", None)
        sound = replace(media, array=samples.astype(np.float32), kind="sound", extra=extra)
    write(target, sound)


def _table(times: Any, ridges: list[Ridge]) -> str:
    """Times, frequencies and amplitudes as text."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = [f"{what}{k}" for k in range(1, len(ridges) + 1) for what in ("frequency", "amplitude")]
    writer.writerow(["time", *names])
    columns = [part for ridge in ridges for part in (ridge.frequencies, ridge.amplitudes)]
    for row in zip(times, *columns, strict=True):
        writer.writerow([f"{value:.9g}" for value in row])
    return stream.getvalue()


def _write_picture(path: Path, name: str, series: Series, rows: Any, ridges: list[Ridge]) -> None:
    figure = rows.plot(f"{name}{series.note}, {rows.wavelet}", ridges=ridges, time_unit=series.unit)
    kind = path.suffix[1:].lower()
    write_whole(path, lambda stream: figure.savefig(stream, format=kind, dpi=110))


def _report(title: str, series: Series, ridges: list[Ridge]) -> None:
    """A table of the components."""
    variance = float(series.samples.var()) or 1.0
    unit = "Hz" if series.unit == "s" else "1/samples"
    rows = []
    for k, ridge in enumerate(ridges, 1):
        share = float(np.var(ridge.component)) / variance
        f, a = ridge.frequencies, ridge.amplitudes
        numbers = (np.median(f), f.min(), f.max(), np.mean(a))
        rows.append((str(k), *(f"{float(n):.4g}" for n in numbers), f"{share:.1%}"))
    columns = ("component", f"median {unit}", "lowest", "highest", "amplitude", "variance")
    console.table(f"{title}{series.note}", columns, rows, numbers=5)
