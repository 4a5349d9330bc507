"""The command ``denoise``."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import numpy as np
import typer
from numpy.typing import NDArray

from liftwave.cli import console
from liftwave.cli.choice import Choice
from liftwave.cli.media import Media, check_writable, read, write
from liftwave.cli.options import (
    AxesOption,
    FewerLevelsOption,
    ForceOption,
    Input,
    KeyOption,
    LargeOption,
    ModeOption,
    Output,
    RuleOption,
    beginning,
    chosen_axes,
    wavelet_names,
)
from liftwave.cli.results import described, say
from liftwave.denoising import denoise
from liftwave.denoising.analyses import ANALYSES
from liftwave.denoising.missing import Missing
from liftwave.denoising.noise import ESTIMATES
from liftwave.denoising.recipes import Method
from liftwave.errors import FileError

_METHODS, _MISSING = get_args(Method), get_args(Missing)

MethodOption = Annotated[
    str | None,
    typer.Option(
        help=f"Method: {', '.join(_METHODS)}. Default: neighcoeff along one axis, bivariate along "
        "several.",
        autocompletion=beginning(_METHODS),
    ),
]
DenoisingWaveletOption = Annotated[
    str | None,
    typer.Option(
        "-w",
        "--wavelet",
        help="Name of the wavelet; 'liftwave wavelets' lists them. Default: sym8; with dtcwt, "
        "cdf9.7.",
        autocompletion=beginning(wavelet_names()),
    ),
]
TransformOption = Annotated[
    str | None,
    typer.Option(
        help=f"Transform: {', '.join(ANALYSES)}; swt averages over all shifts, dtcwt has six "
        "directions in images. Default: dtcwt; with a wavelet or shifts, dwt.",
        autocompletion=beginning(tuple(ANALYSES)),
    ),
]
NoiseOption = Annotated[
    str | None,
    typer.Option(
        help="Noise level, in the file's units; several, as 9,6,4, for the levels from the finest; "
        f"or an estimate: {', '.join(ESTIMATES)} (default mad).",
        autocompletion=beginning(ESTIMATES),
    ),
]
MissingOption = Annotated[
    str,
    typer.Option(help=f"NaN: {', '.join(_MISSING)}.", autocompletion=beginning(_MISSING)),
]


def denoise_command(
    source: Input,
    target: Output,
    wavelet: DenoisingWaveletOption = None,
    mode: ModeOption = "symmetric",
    level: FewerLevelsOption = None,
    axes: AxesOption = None,
    method: MethodOption = None,
    transform: TransformOption = None,
    rule: RuleOption = None,
    sigma: NoiseOption = None,
    shifts: Annotated[int, typer.Option(min=1, help="Cycle spinning: shifts along each axis.")] = 1,
    missing: MissingOption = "raise",
    colour: Annotated[bool, typer.Option("--colour", help="Denoise opponent colours.")] = False,
    key: KeyOption = None,
    force: ForceOption = False,
    large: LargeOption = False,
) -> None:
    """Remove noise from a file; channels and frames are denoised separately."""
    check_writable(target, force=force)
    options: dict[str, Any] = {"method": method, "rule": rule, "shifts": shifts, "mode": mode}
    options |= {"transform": transform, "missing": missing, "level": level}
    options["sigma"] = _noise(sigma)
    with console.progress(1) as step:
        step(f"reading {console.title(source).name}")
        media = read(source, key=key, large=large)
    chosen = chosen_axes(axes, media.axes, media.array.ndim)
    samples, alpha = _without_alpha(media)
    frames = _frames(media, samples, chosen)
    inner = tuple(a - (samples.ndim - frames[0].ndim) for a in chosen)
    options |= {"axes": inner, "channel_axis": _channels(media) if colour else None}
    clean = []
    chosen_wavelet = None if wavelet is None else Choice(wavelet).wavelet()
    title = wavelet or transform or "wavelets"
    with console.progress(len(frames) + 1) as step:
        for number, frame in enumerate(frames, 1):
            step(f"denoising {media.array.shape} by {title}, {number} of {len(frames)}")
            clean.append(denoise(frame, chosen_wavelet, **options))
        result = media.with_array(_joined(clean, samples, alpha))
        step(f"writing {target.name}")
        write(target, result)
    change = console.rms(*_present(media.array, result.array))
    say(target, f"{target}: {described(result)}, changed by {change:.4g} (rms)")


def _noise(text: str | None) -> Any:
    """The noise: the name of an estimate, a number, or numbers by level."""
    if text is None or text in ESTIMATES:
        return text
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a number, numbers separated by commas, or one of "
            f"{', '.join(ESTIMATES)}",
            param_hint="'--sigma'",
        ) from None
    return numbers[0] if len(numbers) == 1 else dict(enumerate(numbers, 1))


def _frames(media: Media, samples: NDArray[Any], axes: tuple[int, ...]) -> list[NDArray[Any]]:
    """The frames of a stack, unless it is transformed along them; otherwise all data at once."""
    return [*samples] if "frames" in media.extra and 0 not in axes else [samples]


def _joined(clean: list[Any], samples: NDArray[Any], alpha: NDArray[Any] | None) -> NDArray[Any]:
    result = np.stack(clean) if clean[0].ndim < samples.ndim else clean[0]
    return result if alpha is None else np.concatenate([result, alpha], axis=-1)


def _without_alpha(media: Media) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The colours and, separately, the alpha channel of an image, which has no noise."""
    if media.has_alpha:
        return media.array[..., :-1], media.array[..., -1:]
    return media.array, None


def _channels(media: Media) -> int:
    if media.kind != "image" or media.array.ndim - int("frames" in media.extra) != 3:
        raise FileError("--colour needs an image with several channels: remove --colour")
    return -1


def _present(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The samples that are numbers in both arrays; at least one."""
    present = np.isfinite(x) & np.isfinite(y)
    return (x[present], y[present]) if present.any() else (x, y)
