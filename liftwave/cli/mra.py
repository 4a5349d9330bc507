"""Multiresolution analysis of a file: components that add up to it, as files, table, picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from liftwave._files.source import STANDARD
from liftwave._files.writing import write_whole
from liftwave._plan.arguments import useful_level
from liftwave.cli import console
from liftwave.cli.components import check_samples, check_targets, files_of, write_components
from liftwave.cli.media import Media, check_writable, read
from liftwave.cli.options import chosen_axes
from liftwave.cli.sparsity import lean, picture_suffixes
from liftwave.decomposition.undecimated_plotting import Panel, draw_images, draw_signals
from liftwave.errors import FileError
from liftwave.transforms.alignment import Alignment
from liftwave.transforms.modwt import Edges, imodwt, modwt, plans_of
from liftwave.wavelets.resolve import resolve_wavelet

_Array = np.ndarray[Any, Any]

# The largest number of components for which a picture is legible.
MOST_LEVELS = 8

# The dtypes of components; data of other dtypes are converted.
_DTYPES = ("float32", "float64", "complex64", "complex128")


class Request(NamedTuple):
    """A file, and the options of its analysis.

    Attributes
    ----------
    media : Media
        The file, without transparency.
    axes : tuple of int
        The transformed axes.
    wavelet : str
        The name of the wavelet.
    level : int
        The number of levels.
    edges : {"reflection", "periodic"}
        The extension beyond the ends.
    """

    media: Media
    axes: tuple[int, ...]
    wavelet: str
    level: int
    edges: Edges


def split(
    source: Path,
    target: Path | None,
    plot: Path | None,
    wavelet: str,
    level: int | None,
    axes: str | None,
    edges: str,
    *,
    key: str | None,
    force: bool,
    large: bool,
) -> None:
    """Run the command: read the file, split it, write components and picture, or a table."""
    checked = _checked_edges(edges)
    _check_names(target, plot, force=force)
    with console.progress(1) as step:
        title = console.title(source)
        step(f"reading {title.name}")
        media = read(source, key=key, large=large)
    request = _requested(media, axes, wavelet, level, checked)
    _check_request(request, target, plot, force=force)
    with console.progress(request.level + 1) as step:
        components = components_of(request, step)
        step("writing")
        if target is not None:
            write_components(target, components, request.media)
        if plot is not None:
            write_picture(plot, title.name, request, components)
    _report(str(title), target, plot, request, components)


def _checked_edges(edges: str) -> Edges:
    names: dict[str, Edges] = {"reflection": "reflection", "periodic": "periodic"}
    if edges in names:
        return names[edges]
    raise FileError(f"--edges must be reflection or periodic, got {edges}")


def _check_names(target: Path | None, plot: Path | None, *, force: bool) -> None:
    """Raise before the source is read if a file cannot be written."""
    if target is not None:
        check_targets(target, (), force=force)
    if plot is not None:
        check_writable(plot, "pictures", suffixes=picture_suffixes, force=force)


def _check_request(
    request: Request, target: Path | None, plot: Path | None, *, force: bool
) -> None:
    """Raise before any computation if a file cannot hold these components."""
    if target is not None:
        check_samples(target, request.media)
        check_targets(target, names_of(request.level), force=force)
    if plot is not None and len(request.axes) > 2:
        raise FileError(
            f"{plot}: a picture shows one or two transformed axes, but the data have "
            f"{len(request.axes)}; choose some by --axes, or remove --plot"
        )


def _requested(
    media: Media, axes: str | None, wavelet: str, level: int | None, edges: Edges
) -> Request:
    chosen = chosen_axes(axes, media.axes, media.array.ndim)
    if media.has_alpha:
        media = replace(media, array=media.array[..., :-1])
    if level is None:
        level = _default_level([media.array.shape[axis] for axis in chosen], wavelet)
    return Request(media, chosen, wavelet, level, edges)


def names_of(level: int) -> tuple[str, ...]:
    """The names of the components: the smooth one, then details, coarsest first."""
    return (f"S{level}", *(f"D{j}" for j in range(level, 0, -1)))


def _default_level(sizes: Sequence[int], wavelet: str) -> int:
    """The largest level with coefficients independent of the ends along all axes, from 1 to 8."""
    useful = useful_level(sizes, [resolve_wavelet(wavelet)] * len(sizes))
    return min(max(useful, 1), MOST_LEVELS)


def components_of(request: Request, step: Callable[[str], None]) -> dict[str, _Array]:
    """The components ``S3, D3, D2, D1`` (for three levels), of the shape of the data.

    The details of a level are the difference of two smooth components. These are computed along
    one axis after the other and for one channel or frame at a time, which saves memory.
    """
    x, axes = _floating(lean(request.media).array), request.axes
    batch: list[Any] = [[slice(None)] if k in axes else range(n) for k, n in enumerate(x.shape)]
    components: dict[str, _Array] = {}
    finer = x
    for j in range(1, request.level + 1):
        step(f"level {j} of {request.level}")
        coarser = np.empty_like(x)
        for place in product(*batch):
            coarser[place] = _smooth(x[place], j, _kept(axes, place), request)
        components[f"D{j}"] = finer - coarser
        finer = coarser
    components[f"S{request.level}"] = finer
    return {name: components[name] for name in names_of(request.level)}


def _floating(x: _Array) -> _Array:
    """The samples in the dtype of the components."""
    return x if x.dtype.name in _DTYPES else x.astype(np.float64)


def _kept(axes: tuple[int, ...], place: tuple[Any, ...]) -> tuple[int, ...]:
    """The transformed axes of an item of the batch, which lacks the axes of its numbers."""
    return tuple(axis - sum(isinstance(p, int) for p in place[:axis]) for axis in axes)


def _smooth(x: _Array, level: int, axes: tuple[int, ...], request: Request) -> _Array:
    """The smooth component of a level."""
    for axis in axes:
        coarsest = modwt(x, request.wavelet, level, axis, request.edges)[0]
        x = imodwt([coarsest, *[None] * level], request.wavelet, axis, request.edges)
    return x


# --- table -------------------------------------------------------------------------------------


def _report(
    title: str,
    target: Path | None,
    plot: Path | None,
    request: Request,
    components: dict[str, _Array],
) -> None:
    """Name the files, and print the periods and the size of each component."""
    aside = target == STANDARD
    rows = [
        (name, _periods(name, request.media), *(f"{n:.4g}" for n in _sizes(component)))
        for name, component in components.items()
    ]
    scale = "frequencies" if "rate" in request.media.extra else "periods"
    columns = ("component", scale, "rms", "smallest", "largest")
    if not aside:
        console.table(title, columns, rows, numbers=3)
    files = files_of(target, tuple(components)) if target is not None else []
    for path in [*files, *([plot] if plot is not None else [])]:
        console.say(f"wrote {path}", aside=aside)


def _sizes(x: _Array) -> tuple[float, float, float]:
    values = np.abs(x) if np.iscomplexobj(x) else x
    rms = float(np.sqrt(np.mean(np.square(np.abs(x), dtype=np.float64))))
    return rms, float(values.min()), float(values.max())


def _periods(name: str, media: Media) -> str:
    """The periods that a component contains; the frequencies if the rate is known."""
    shortest = 2 ** int(name[1:])
    is_smooth = name[0] == "S"
    if "rate" in media.extra:
        highest = media.extra["rate"] / shortest
        below = _hertz(highest / 2)
        return f"below {below} Hz" if is_smooth else f"{below} to {_hertz(highest)} Hz"
    unit = "pixels" if media.kind == "image" else "samples"
    return f"above {2 * shortest} {unit}" if is_smooth else f"{shortest} to {2 * shortest} {unit}"


def _hertz(frequency: float) -> str:
    return f"{frequency:.0f}" if frequency >= 100 else f"{frequency:.3g}"


# --- picture -----------------------------------------------------------------------------------


def write_picture(path: Path, name: str, request: Request, components: dict[str, _Array]) -> None:
    """Draw the data and its components on one time axis, or as images of one size."""
    (data, *parts), note = _shown(request, components)
    count, rate = len(request.axes), request.media.extra.get("rate")
    panels = [Panel("data", data, [(0, 0)] * count, is_detail=False)]
    for label, part in zip(components, parts, strict=True):
        reach, scale = _reach(label, request.wavelet), _periods(label, request.media)
        panels.append(Panel(label, part, [reach] * count, label[0] == "D", scale))
    if count == 1:
        figure = draw_signals(panels, 1 / rate if rate else 1.0, "s" if rate else "samples")
    else:
        figure = draw_images(panels, leading=2)
    figure.suptitle(f"{name}{note}: components by {request.wavelet}, which add up to the data")
    kind = path.suffix[1:].lower()
    write_whole(path, lambda stream: figure.savefig(stream, format=kind, dpi=110))


def _reach(name: str, wavelet: str) -> tuple[float, float]:
    """The distances from both ends within which a component depends on samples beyond them."""
    alignment = Alignment(plans_of(wavelet, 0, 1)[0])
    spread = alignment.spreads(int(name[1:]))["SD".index(name[0])]
    return -spread.first, spread.last


def _shown(request: Request, components: dict[str, _Array]) -> tuple[list[_Array], str]:
    """The arrays of one item of the batch: the mean of colours, otherwise the first item."""
    media, axes = request.media, request.axes
    arrays = [np.abs(x) if np.iscomplexobj(x) else x for x in (media.array, *components.values())]
    notes = []
    for axis in reversed(range(media.array.ndim)):
        if axis in axes:
            continue
        count = media.array.shape[axis]
        is_colour = media.kind == "image" and axis == media.array.ndim - 1
        take: Any = np.mean if is_colour else _first
        arrays = [take(x, axis=axis) for x in arrays]
        if count > 1:
            notes.append(", mean of the colours" if is_colour else f", the first of {count}")
    return arrays, "".join(reversed(notes))


def _first(x: _Array, axis: int) -> _Array:
    first: _Array = x.take(0, axis=axis)
    return first
