"""The command ``packets``: the best basis of wavelet packets of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from liftwave.cli import console
from liftwave.cli.media import Media, check_writable, read
from liftwave.cli.options import (
    AxesOption,
    ForceOption,
    Input,
    KeyOption,
    LargeOption,
    ModeOption,
    WaveletOption,
    chosen_axes,
)
from liftwave.cli.packet_basis import PacketBasis, Transform, fewest
from liftwave.cli.packet_pictures import write_tiles
from liftwave.cli.sparsity import lean, picture_suffixes
from liftwave.errors import FileError
from liftwave.packets.costs import COSTS, PLAIN_COSTS

_SHARE = 0.99


def packets_command(
    source: Input,
    target: Annotated[
        Path | None, typer.Argument(help="Archive of the coefficients to write (.npz).")
    ] = None,
    wavelet: WaveletOption = "sym8",
    mode: ModeOption = "periodization",
    level: Annotated[
        int | None,
        typer.Option("--level", min=0, max=64, help="Levels; default: up to 256 packets."),
    ] = None,
    cost: Annotated[str, typer.Option(help=f"Cost of a basis: {', '.join(COSTS)}.")] = "shannon",
    value: Annotated[
        float | None, typer.Option(help="Exponent of the cost norm; threshold of threshold, sure.")
    ] = None,
    axes: AxesOption = None,
    rate: Annotated[
        float | None, typer.Option(help="Samples per second of an array; sounds have theirs.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the tiles to write.")] = None,
    key: KeyOption = None,
    force: ForceOption = False,
    large: LargeOption = False,
) -> None:
    """Choose the basis of wavelet packets with the lowest cost for a file.

    It prints the tree of packets: frequencies, shape and share of the energy
    of each leaf. Channels and frames share one tree. The archive has an array
    for each leaf, named by its path, and the description 'packets'. '--plot'
    draws the tiles of time and frequency, or of both frequencies of an image.
    """
    if target is not None:
        check_writable(target, "coefficients", suffixes=(".npz",), force=force)
    if plot is not None:
        check_writable(plot, "pictures", suffixes=picture_suffixes, force=force)
    _check_cost(cost, value)
    with console.progress(3) as step:
        title = console.title(source)
        step(f"reading {title.name}")
        media = read(source, key=key, large=large)
        chosen = chosen_axes(axes, media.axes, media.array.ndim)
        _check_plot(plot, chosen)
        hertz = _rate(rate, media, chosen)
        step(f"choosing packets of {media.array.shape} by {wavelet}")
        transform = Transform(wavelet, mode, level, chosen)
        basis = transform.best(_samples(source, media), cost, value, hertz)
        step("writing")
        if target is not None:
            transform.write(target, basis)
        if plot is not None:
            write_tiles(plot, title.name, basis)
    _report(str(title), basis)
    for path in filter(None, (target, plot)):
        console.say(f"wrote {path}")


# --- arguments -----------------------------------------------------------------------------------


def _check_cost(cost: str, value: float | None) -> None:
    if cost not in COSTS:
        raise FileError(f"unknown cost {cost!r}; use one of {', '.join(COSTS)}")
    if cost in PLAIN_COSTS and value is not None:
        raise FileError(f"--cost {cost} has no parameter; remove --value")
    if cost not in PLAIN_COSTS and value is None:
        parameter = "an exponent" if cost == "norm" else "a threshold"
        raise FileError(f"--cost {cost} needs {parameter}: add --value")


def _check_plot(plot: Path | None, axes: tuple[int, ...]) -> None:
    if plot is not None and len(axes) > 2:
        raise FileError(f"--plot draws one or two axes, not {len(axes)}; choose them by --axes")


def _rate(rate: float | None, media: Media, axes: tuple[int, ...]) -> float | None:
    """The sampling rate along the only axis, in Hz; None if it is unknown."""
    if rate is None:
        return media.extra.get("rate") if axes == media.axes else None
    if "rate" in media.extra:
        raise FileError(f"remove --rate: the sound already has a rate, {media.extra['rate']} Hz")
    if len(axes) != 1:
        raise FileError(f"--rate needs one axis, got {len(axes)}; choose it by --axes")
    if not 0 < rate < np.inf:
        raise FileError(f"--rate must be a positive number, got {rate}")
    return rate


def _samples(source: Path, media: Media) -> NDArray[np.generic]:
    """The samples without transparency.

    Raises
    ------
    FileError
        If some are not finite, because costs are then undefined.
    """
    samples = lean(media).array
    if media.has_alpha:
        samples = samples[..., :-1]
    if samples.dtype.kind in "fc" and not np.all(np.isfinite(samples)):
        raise FileError(f"{source}: it holds NaN or infinite numbers, so costs are undefined")
    return samples


# --- report --------------------------------------------------------------------------------------


def _report(title: str, basis: PacketBasis) -> None:
    """Print the tree, and the number of coefficients that hold most of the energy."""
    columns = ("packet", "frequencies (Hz)" if basis.rate else "frequencies", "shape", "energy")
    cells = iter(_cells(basis))
    rows = [
        (line, *next(cells)) if line.endswith("■") else (line, "", "", "")
        for line in str(basis.tree).splitlines()[1:] or ["■"]
    ]
    console.table(f"{title}: {basis.count}", columns, rows, numbers=3)
    counts = (
        f"{fewest([basis.samples], _SHARE)} of {basis.samples.size} samples",
        f"{fewest(basis.wave, _SHARE)} coefficients of the wavelet transform",
        f"{fewest(basis.leaves, _SHARE)} of the best basis",
    )
    console.say(f"\n{_SHARE:.0%} of the energy: {', '.join(counts)}")


def _cells(basis: PacketBasis) -> list[tuple[str, str, str]]:
    """The frequencies, the shape and the energy of each leaf, in the order of the paths."""
    by_path = []
    bands = basis.tree.bands(basis.rate or 1.0)
    leaves = zip(basis.tree.leaves, bands, basis.leaves, basis.energies, strict=True)
    for path, band, leaf, energy in leaves:
        pairs = [band] if basis.tree.ndim == 1 else band
        text = ", ".join(f"{low:.6g} - {high:.6g}" for low, high in pairs)
        by_path.append((path, (text, "x".join(map(str, leaf.shape)), f"{energy:.2%}")))
    return [cells for _, cells in sorted(by_path)]
