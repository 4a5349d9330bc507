"""A basis of wavelet packets of a file: its choice, its archive, and its energies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._files.archives import write_arrays
from liftwave._files.writing import write_whole
from liftwave._plan.arguments import resolve_mode
from liftwave.cli.choice import Choice
from liftwave.packets.arrays import wpdec
from liftwave.packets.best_basis import best_basis
from liftwave.packets.packet_tree import PacketTree
from liftwave.transforms.lengths import dwtn_max_level

# The largest number of packets of the last level by default: a longer tree is hard to read.
_MOST_PACKETS = 256


@dataclass(frozen=True)
class PacketBasis:
    """The samples of a file, and their coefficients in a basis of packets.

    Attributes
    ----------
    samples : ndarray
        The samples.
    tree : PacketTree
        The basis.
    leaves : list of ndarray
        The coefficients of its leaves.
    wave : list of ndarray
        The coefficients of the wavelet transform of as many levels.
    axes : tuple of int
        The transformed axes.
    rate : float or None
        The number of samples per second, if it is known.
    """

    samples: NDArray[Any]
    tree: PacketTree
    leaves: list[NDArray[Any]]
    wave: list[NDArray[Any]]
    axes: tuple[int, ...]
    rate: float | None

    @property
    def count(self) -> str:
        """The number of packets as text."""
        number = len(self.tree)
        return "1 packet" if number == 1 else f"{number} packets"

    @property
    def energies(self) -> list[float]:
        """The share of each leaf in the energy of all coefficients."""
        sums = [float(np.sum(squares(leaf))) for leaf in self.leaves]
        total = sum(sums)
        return [energy / total if total else 0.0 for energy in sums]


@dataclass(frozen=True)
class Transform:
    """The options of a transform to packets on the command line."""

    wavelet: str
    mode: str
    level: int | None
    axes: tuple[int, ...]

    def best(
        self, samples: NDArray[Any], cost: str, value: float | None, rate: float | None
    ) -> PacketBasis:
        """The basis with the lowest cost."""
        wavelet, mode = Choice(self.wavelet).wavelet(), resolve_mode(self.mode)
        depth = self._depth(samples.shape, wavelet)
        levels = wpdec(samples, wavelet, mode, depth, self.axes, full=True)
        tree = best_basis(levels, cost, value, axes=self.axes)
        del levels  # they are many times as large as the samples
        wave = PacketTree.wavelet(depth, len(self.axes))
        leaves, wave_leaves = (
            wpdec(samples, wavelet, mode, axes=self.axes, tree=basis) for basis in (tree, wave)
        )
        return PacketBasis(samples, tree, leaves, wave_leaves, self.axes, rate)

    def _depth(self, shape: tuple[int, ...], wavelet: Any) -> int:
        if self.level is not None:
            return self.level
        useful = dwtn_max_level([shape[axis] for axis in self.axes], wavelet)
        return min(useful, (_MOST_PACKETS.bit_length() - 1) // len(self.axes))

    def write(self, path: Path, basis: PacketBasis) -> None:
        """Write the coefficients of each leaf by its path, and a description in JSON."""
        arrays = dict(zip(basis.tree.leaves, basis.leaves, strict=True))
        named = {leaf or "root": values for leaf, values in arrays.items()}
        about: dict[str, Any] = {"wavelet": self.wavelet, "mode": resolve_mode(self.mode)}
        about |= {"axes": self.axes, "shape": basis.samples.shape, "tree": basis.tree.leaves}
        if basis.rate is not None:
            about["rate"] = basis.rate
        named["packets"] = np.array(json.dumps(about))
        write_whole(path, lambda stream: write_arrays(stream, named))


def squares(x: NDArray[Any]) -> NDArray[Any]:
    """The squared magnitudes, in double precision."""
    wide: NDArray[Any] = np.abs(x.astype(np.result_type(x.dtype, np.float64))) ** 2
    return wide


def fewest(arrays: list[NDArray[Any]], share: float) -> int:
    """The smallest number of coefficients that hold this share of the energy."""
    sums = np.cumsum(np.sort(np.concatenate([squares(x).ravel() for x in arrays]))[::-1])
    return int(np.searchsorted(sums, share * sums[-1])) + 1 if sums[-1] else 0
