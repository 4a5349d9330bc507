"""Pictures of the tiles of wavelet packets, with units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._files.writing import write_whole
from liftwave.cli.packet_basis import PacketBasis, squares

# Magnitudes are drawn down to this many decibels below the largest one.
_RANGE = 60.0


def write_tiles(path: Path, name: str, basis: PacketBasis) -> None:
    """Draw the tiles of one or two axes; all other axes are averaged."""
    tree, rate = basis.tree, basis.rate or 1.0
    strengths = [_strength(leaf, basis) for leaf in basis.leaves]
    largest = max(float(s.max()) for s in strengths)
    figure = tree.plot([_decibels(s, largest) for s in strengths], rate)
    (ax,) = figure.axes
    if tree.ndim == 1:
        ax.set_xlim(0.0, basis.samples.shape[basis.axes[0]] / rate)
        ax.set_xlabel("time (s)" if basis.rate else "time (samples)")
        ax.set_ylabel("frequency (Hz)" if basis.rate else "frequency (cycles per sample)")
    else:
        first, second = _directions(basis.axes)
        ax.set_xlabel(f"{second} frequency (cycles per sample)")
        ax.set_ylabel(f"{first} frequency (cycles per sample)")
    ax.set_title(f"{name}: {basis.count}, from the strongest (black) to {_RANGE:.0f} dB less")
    kind = path.suffix[1:].lower()
    write_whole(path, lambda stream: figure.savefig(stream, format=kind, dpi=110))


def _directions(axes: tuple[int, ...]) -> tuple[str, str]:
    first, second = axes
    return ("vertical", "horizontal") if axes == (0, 1) else (f"axis {first}:", f"axis {second}:")


def _strength(leaf: NDArray[Any], basis: PacketBasis) -> NDArray[Any]:
    """The root mean square over all axes that are not transformed; for images over all axes."""
    rest = tuple(axis for axis in range(leaf.ndim) if axis not in basis.axes)
    mean = squares(leaf).mean(axis=rest)
    strength: NDArray[Any] = np.sqrt(mean if mean.ndim == 1 else mean.mean(keepdims=True))
    return strength


def _decibels(strength: NDArray[Any], largest: float) -> NDArray[Any]:
    """Decibels above the lowest level that is drawn."""
    share = strength / largest if largest else strength
    with np.errstate(divide="ignore"):  # zero is drawn white
        decibels: NDArray[Any] = np.clip(20 * np.log10(share) + _RANGE, 0.0, None)
    return decibels
