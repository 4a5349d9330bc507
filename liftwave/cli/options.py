"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pywt
import typer

from liftwave._plan.boundary import LIFTING_MODES, MODES
from liftwave.errors import FileError
from liftwave.wavelets.names import ALIASES


def beginning(names: tuple[str, ...]) -> Any:
    """Shell completion for these names."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def wavelet_names() -> tuple[str, ...]:
    """All names of wavelets, those of lifting schemes last."""
    return (*pywt.wavelist(kind="discrete"), *(name for name in ALIASES if "." in name))


_MODES = tuple(MODES)
_EDGES = ("reflection", "periodic")
_RULES = ("soft", "hard", "garrote")

Input = Annotated[
    Path,
    typer.Argument(
        help="File to read: .npy, .npz, image, .wav, .flac or .ogg; '-' reads .npy from stdin."
    ),
]
Output = Annotated[
    Path,
    typer.Argument(help="File to write; the suffix selects the format; '-' writes .npy to stdout."),
]
ArchiveOutput = Annotated[
    Path, typer.Argument(help="Archive (.npz) or folder (.zarr) of coefficients to write.")
]
ArchiveInput = Annotated[
    Path, typer.Argument(help="Archive (.npz) or folder (.zarr) written by 'decompose'.")
]
WaveletOption = Annotated[
    str,
    typer.Option(
        "-w",
        "--wavelet",
        help="Name of the wavelet; 'liftwave wavelets' lists them.",
        autocompletion=beginning(wavelet_names()),
    ),
]
ModeOption = Annotated[
    str,
    typer.Option(
        "--mode",
        help=f"Boundary mode: {', '.join(_MODES)}. Lifting: {', '.join(LIFTING_MODES)}.",
        autocompletion=beginning(_MODES),
    ),
]
# More levels than a length has bits are never useful, and would take too long.
_LEVELS: dict[str, Any] = {"min": 0, "max": 64}
LevelOption = Annotated[
    int | None, typer.Option("--level", **_LEVELS, help="Levels; default: the most.")
]
FewerLevelsOption = Annotated[
    int | None,
    typer.Option("--level", **_LEVELS, help="Levels; default: the most; for visu three less."),
]
ComponentLevelOption = Annotated[
    int | None, typer.Option("--level", min=1, max=64, help="Levels; default: the most, at most 8.")
]
EdgesOption = Annotated[
    str,
    typer.Option(
        "--edges",
        help="Beyond the ends: reflection (the mirror image) or periodic.",
        autocompletion=beginning(_EDGES),
    ),
]
LiftingOption = Annotated[bool, typer.Option("--lifting", help="Transform by lifting.")]
IntegerOption = Annotated[
    bool, typer.Option("--integer", help="Integer lifting, lossless (integer data only).")
]
AxesOption = Annotated[
    str | None,
    typer.Option(
        "--axes",
        help="Axes to transform, as 0,2 or -1; default: height and width of images, "
        "time of sounds, all of arrays.",
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", help="Name of the array in a file with several (.npz, .zarr, .h5)."),
]
ForceOption = Annotated[bool, typer.Option("-f", "--force", help="Replace an existing file.")]
LargeOption = Annotated[
    bool,
    typer.Option(
        "--large", help="Read files that unpack to more than 1 GB and 100 times their size."
    ),
]
ZstdOption = Annotated[
    bool,
    typer.Option("--zstd", help="Pack the archive by shuffle and zstd (needs numcodecs)."),
]
RuleOption = Annotated[
    str | None,
    typer.Option(
        help="Shrinking by thresholds: soft, hard or garrote.", autocompletion=beginning(_RULES)
    ),
]


def chosen_axes(text: str | None, default: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """The axes that an option names, counted from the first one.

    Raises
    ------
    FileError
        If they are not numbers, or not axes of such data.
    """
    if text is None:
        return default
    try:
        axes = [int(part) for part in text.split(",")]
    except ValueError:
        raise FileError(f"--axes needs numbers separated by commas, as 0,1; got {text!r}") from None
    for axis in axes:
        if not -ndim <= axis < ndim:
            raise FileError(f"--axes {text}: the data have {ndim} axes, 0 to {ndim - 1}")
    result = tuple(axis % ndim for axis in axes)
    if len(set(result)) < len(result):
        raise FileError(f"--axes {text} names an axis twice")
    return result
