"""Pictures of the tour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from matplotlib.figure import Figure

from liftwave._files.writing import write_whole

# Marks the pictures of the tour, so that a later tour may replace them.
_SOFTWARE = "liftwave tour"

_INK, _NOISE, _MARK = "#1f4e79", "#b0b0b0", "#c05000"


def save(figure: Figure, path: Path) -> None:
    """Write a picture of the tour."""

    def fill(stream: BinaryIO) -> None:
        figure.savefig(stream, format="png", dpi=90, metadata={"Software": _SOFTWARE})

    write_whole(path, fill)


def is_of_the_tour(path: Path) -> bool:
    """Whether the tour has written this file."""
    return f"Software\0{_SOFTWARE}".encode() in path.read_bytes()


def images(
    path: Path, pictures: Sequence[tuple[str, Any]], zoom: tuple[slice, slice], title: str
) -> None:
    """Grey pictures side by side, each with the same magnified detail below it."""
    count = len(pictures)
    figure = Figure(figsize=(4 * count, 8.4), layout="constrained")
    axes = figure.subplots(2, count)
    top, left = zoom[0].start, zoom[1].start
    height, width = (part.stop - part.start for part in zoom)
    for column, (label, picture) in enumerate(pictures):
        overview, detail = axes[0][column], axes[1][column]
        style = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "nearest"}
        overview.imshow(picture, **style)
        frame = {"fill": False, "edgecolor": "#ffb000", "linewidth": 1.5}
        overview.add_patch(_rectangle(left, top, width, height, frame))
        detail.imshow(picture[zoom], **style)
        overview.set_title(label, fontsize=11)
        for ax in (overview, detail):
            ax.set_xticks([])
            ax.set_yticks([])
    figure.suptitle(title, fontsize=13)
    save(figure, path)


def _rectangle(left: int, top: int, width: int, height: int, style: dict[str, Any]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((left, top), width, height, **style)


def signals(path: Path, clean: Any, noisy: Any, denoised: Any, title: str) -> None:
    """A noisy signal and the denoised signal, both drawn over the original."""
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, sharey=True)
    time = np.arange(clean.size)
    for ax, values, label, colour in (
        (axes[0], noisy, "with noise", _NOISE),
        (axes[1], denoised, "denoised", _MARK),
    ):
        ax.plot(time, values, color=colour, linewidth=1.1, label=label)
        ax.plot(time, clean, color=_INK, linewidth=0.8, label="recorded")
        ax.legend(frameon=False, loc="upper right", ncols=2, fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
    axes[1].set_xlabel("sample")
    axes[1].set_xlim(0, clean.size)
    figure.suptitle(title, fontsize=12)
    save(figure, path)
