"""The compared libraries (:mod:`benchmarks.library`)."""

from __future__ import annotations

import importlib
import os
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pywt

from benchmarks.conventions import (
    Bands,
    Split,
    block_bands,
    other_phase_split,
    pywt_bands,
    shifted_split,
    standard_split,
)
from benchmarks.library import Call, Library
from benchmarks.rows import Row


class _NumPyLibrary(Library):
    """PyWavelets and liftwave, which have the same functions."""

    def wavelet(self, row: Row) -> Any:
        return row.wavelet

    def forward(self, row: Row) -> Call | None:
        m, w, mode, level, axes = self.module, self.wavelet(row), row.mode, row.level, row.axes
        if w is None:
            return None
        calls: dict[str, Call] = {
            "dwt": lambda x: m.dwt(x, w, mode, axis=axes[0]),
            "dwt2": lambda x: m.dwt2(x, w, mode, axes=axes),
            "dwtn": lambda x: m.dwtn(x, w, mode, axes=axes),
            "wavedec": lambda x: m.wavedec(x, w, mode, level=level, axis=axes[0]),
            "wavedec2": lambda x: m.wavedec2(x, w, mode, level=level, axes=axes),
            "packets": lambda x: self.packets(row, x),
            "packet levels": lambda x: self.packets(row, x),
            "swt": lambda x: m.swt(x, w, level, axis=axes[0], trim_approx=True),
            "swt2": lambda x: m.swt2(x, w, level, axes=axes, trim_approx=True),
            "mra": lambda x: m.mra(x, w, level, axis=axes[0]),
            "mra2": lambda x: m.mra2(x, w, level, axes=axes),
        }
        return calls[row.transform]

    def inverse(self, row: Row) -> Call | None:
        m, w, mode, axes = self.module, self.wavelet(row), row.mode, row.axes
        if w is None:
            return None
        calls: dict[str, Call] = {
            "dwt": lambda c: m.idwt(*c, w, mode, axis=axes[0]),
            "dwt2": lambda c: m.idwt2(c, w, mode, axes=axes),
            "dwtn": lambda c: m.idwtn(c, w, mode, axes=axes),
            "wavedec": lambda c: m.waverec(c, w, mode, axis=axes[0]),
            "wavedec2": lambda c: m.waverec2(c, w, mode, axes=axes),
            "packets": lambda c: self.of_packets(row, c),
            "packet levels": lambda c: self.of_packets(row, c),
            "swt": lambda c: m.iswt(c, w, axis=axes[0]),
            "swt2": lambda c: m.iswt2(c, w, axes=axes),
            "mra": lambda c: m.imra(c),
            "mra2": lambda c: m.imra2(c),
        }
        return calls[row.transform]

    def bands(self, row: Row, coeffs: Any) -> Bands:
        return pywt_bands(row, coeffs)

    @abstractmethod
    def packets(self, row: Row, x: np.ndarray) -> Any:
        """All packets of a level or of all levels."""

    @abstractmethod
    def of_packets(self, row: Row, packets: Any) -> np.ndarray:
        """The signal with these packets."""


class Liftwave(_NumPyLibrary):
    """The library of this repository."""

    name, package = "liftwave", "liftwave"

    def wavelet(self, row: Row) -> Any:
        if row.method == "filter bank":
            return row.wavelet
        scheme = self.module.LiftingScheme.from_name(row.wavelet)
        return scheme.to_integer() if row.method == "integer lifting" else scheme

    def bands(self, row: Row, coeffs: Any) -> Bands:
        if not row.has_packets:
            return super().bands(row, coeffs)
        if row.transform == "packets":
            return self._paths(row, coeffs, row.level)
        levels = [self._paths(row, coeffs[level], level) for level in range(1, row.level + 1)]
        return {path: packet for level in levels for path, packet in level.items()}

    def _paths(self, row: Row, packets: Any, level: int) -> Bands:
        """The packets of one level by path."""
        tree = self.module.PacketTree.complete(level, len(row.axes))
        places = np.ndindex((2**level,) * len(row.axes))
        # The leaves are sorted as the packets: by frequency along each axis.
        return dict(zip(tree.leaves, (packets[place] for place in places), strict=True))

    def packets(self, row: Row, x: np.ndarray) -> Any:
        full = row.transform == "packet levels"
        return self.module.wpdec(x, self.wavelet(row), row.mode, row.level, row.axes, full=full)

    def of_packets(self, row: Row, packets: Any) -> np.ndarray:
        leaves = packets if row.transform == "packets" else packets[-1]
        result: np.ndarray = self.module.wprec(
            leaves, self.wavelet(row), row.mode, row.axes, shape=row.shape
        )
        return result


class PyWavelets(_NumPyLibrary):
    """The library whose values are the reference."""

    name, package = "PyWavelets", "pywt"

    def wavelet(self, row: Row) -> Any:
        return None if row.method == "integer lifting" else row.wavelet

    def bands(self, row: Row, coeffs: Any) -> Bands:
        if not row.has_packets:
            return super().bands(row, coeffs)
        names = str.maketrans({"h": "da", "v": "ad", "a": "aa", "d": "dd"})
        first = row.level if row.transform == "packets" else 1
        levels = [coeffs.get_level(level) for level in range(first, row.level + 1)]
        nodes = [node for level in levels for node in level]
        if len(row.axes) == 1:
            return {node.path: node.data for node in nodes}
        return {node.path.translate(names): node.data for node in nodes}

    def packets(self, row: Row, x: np.ndarray) -> Any:
        """The tree, whose nodes it computes when they are used."""
        if len(row.axes) == 1:
            tree = self.module.WaveletPacket(x, row.wavelet, row.mode, row.level, row.axes[0])
        else:
            tree = self.module.WaveletPacket2D(x, row.wavelet, row.mode, row.level, row.axes)
        tree.get_level(row.level)
        return tree

    def of_packets(self, row: Row, packets: Any) -> np.ndarray:
        result: np.ndarray = packets.reconstruct(update=False)
        return result


class Ndwt(Library):
    """Its filter banks."""

    name, package = "ndwt", "ndwt"
    # Its Bior4_4 has other filters than PyWavelets' bior4.4; CDF9_7 has the same.
    members: ClassVar = {
        "haar": "Daubechies1",
        "db2": "Daubechies2",
        "db4": "Daubechies4",
        "bior4.4": "CDF9_7",
    }

    def _settings(self, row: Row) -> tuple[Any, dict[str, Any]] | None:
        if row.wavelet not in self.members or row.undecimated or row.has_packets:
            return None
        settings: dict[str, Any] = {"axes": row.axes, "level": row.level}
        if row.mode != "periodization":
            settings["bc"] = getattr(self.module.BoundaryCondition, row.mode.capitalize())
        return getattr(self.module.Wavelet, self.members[row.wavelet]), settings

    def forward(self, row: Row) -> Call | None:
        found = self._settings(row)
        if found is None:
            return None
        wavelet, settings = found
        transform = self.module.dwt if "bc" in settings else self.module.dwt_per
        return lambda x: transform(wavelet, x, **settings)

    def inverse(self, row: Row) -> Call | None:
        found = self._settings(row)
        if found is None:
            return None
        wavelet, settings = found
        if "bc" not in settings:
            return lambda y: self.module.idwt_per(wavelet, y, **settings)
        return lambda y: self.module.idwt(wavelet, y, row.shape, **settings)

    def bands(self, row: Row, coeffs: Any) -> Bands:
        return block_bands(row, coeffs, lambda n: self._half(row, n))

    def _half(self, row: Row, n: int) -> int:
        found = self._settings(row)
        assert found is not None
        if row.mode == "periodization":
            return -(-n // 2)
        return int(self.module.get_dwt_shape(found[0], (n,), level=1)[0]) // 2

    def split(self, row: Row) -> Split:
        shifted = row.mode != "periodization" and row.wavelet in ("db2", "db4")
        return other_phase_split(row) if shifted else standard_split(row)


class NdwtLifting(Ndwt):
    """Its lifting: critically sampled, with a different treatment of edges."""

    name = "ndwt lifting"
    # The shifts of the low and high band relative to PyWavelets' periodization.
    shifts: ClassVar = {"haar": (0, 0), "bior4.4": (0, 0), "db2": (-1, 1), "db4": (-3, 3)}

    def _settings(self, row: Row) -> tuple[Any, dict[str, Any]] | None:
        found = super()._settings(row)
        if found is not None:
            found[1].setdefault("bc", self.module.BoundaryCondition.Periodic)
        return found

    def forward(self, row: Row) -> Call | None:
        found = self._settings(row)
        lwt = self.module.lwt
        return None if found is None else (lambda x: lwt(found[0], x, **found[1]))

    def inverse(self, row: Row) -> Call | None:
        found = self._settings(row)
        ilwt = self.module.ilwt
        return None if found is None else (lambda y: ilwt(found[0], y, **found[1]))

    def _half(self, row: Row, n: int) -> int:
        return -(-n // 2)

    def split(self, row: Row) -> Split:
        return shifted_split(row, *self.shifts[row.wavelet])

    def edge(self, row: Row) -> int:
        return (
            0 if row.mode == "periodization" else pywt.Wavelet(row.wavelet).dec_len // 2 + row.level
        )


class _TorchLibrary(Library):
    def load(self, row: Row, x: np.ndarray) -> Any:
        return importlib.import_module("torch").from_numpy(x)

    def array(self, row: Row, loaded: Any) -> np.ndarray:
        return np.asarray(loaded.reshape(row.shape).numpy())


class Ptwt(_TorchLibrary):
    """Filter banks by ``torch``'s convolutions."""

    name, package = "ptwt", "ptwt"

    def forward(self, row: Row) -> Call | None:
        mode = self._mode(row)
        if mode is None:
            return None
        decompose = self._functions(row)[0]
        place = self._place(row)
        return lambda x: decompose(x, row.wavelet, mode=mode, level=row.level, **place)

    def inverse(self, row: Row) -> Call | None:
        if self._mode(row) is None:
            return None
        reconstruct = self._functions(row)[1]
        place = self._place(row)
        return lambda coeffs: reconstruct(coeffs, row.wavelet, **place)

    def _functions(self, row: Row) -> tuple[Any, ...]:
        suffix = {1: "", 2: "2", 3: "3"}[len(row.axes)]
        return tuple(getattr(self.module, name + suffix) for name in ("wavedec", "waverec"))

    def _place(self, row: Row) -> dict[str, Any]:
        return {"axis": row.axes[0]} if len(row.axes) == 1 else {"axes": row.axes}

    def _mode(self, row: Row) -> str | None:
        """It has no periodization; for Haar and even lengths, no mode is used.

        Its packets are not compared: its modes of packets differ between versions.
        """
        if row.method == "integer lifting" or row.undecimated or row.has_packets:
            return None
        if row.mode == "periodization":
            return "zero" if row.wavelet == "haar" else None
        return row.mode

    def bands(self, row: Row, coeffs: Any) -> Bands:
        if row.transform == "dwtn":
            low, details = coeffs
            found = {f"{key}1": band for key, band in details.items()} | {"aaa1": low}
        else:
            found = pywt_bands(row, coeffs[:2] if row.transform == "dwt2" else coeffs)
        return {key: band.numpy() for key, band in found.items()}


class PytorchWavelets(_TorchLibrary):
    """Filter banks by ``torch``'s convolutions, as modules."""

    name, package = "pytorch_wavelets", "pytorch_wavelets"

    def load(self, row: Row, x: np.ndarray) -> Any:
        """The data as a batch of signals or images with one channel."""
        loaded = super().load(row, x)
        if len(row.axes) == 1:
            loaded = loaded.movedim(row.axes[0], -1)
        return loaded.reshape(-1, 1, *loaded.shape[loaded.ndim - len(row.axes) :])

    def forward(self, row: Row) -> Call | None:
        return self._made(row, "Forward", J=row.level)

    def inverse(self, row: Row) -> Call | None:
        return self._made(row, "Inverse")

    def _made(self, row: Row, direction: str, **settings: int) -> Call | None:
        names = {1: "DWT1D", 2: "DWT"}
        if len(row.axes) not in names or row.method == "integer lifting" or row.undecimated:
            return None
        if row.has_packets:
            return None
        torch = importlib.import_module("torch")
        module = getattr(self.module, names[len(row.axes)] + direction)
        before = torch.get_default_dtype()
        # Filters are built in the default dtype; later conversions preserve its rounding.
        torch.set_default_dtype(getattr(torch, row.dtype))
        try:
            made: Call = module(wave=row.wavelet, mode=row.mode, **settings)
            return made
        finally:
            torch.set_default_dtype(before)

    def bands(self, row: Row, coeffs: Any) -> Bands:
        low, details = coeffs
        keys = ("d",) if len(row.axes) == 1 else ("da", "ad", "dd")
        found = {f"{'a' * len(row.axes)}{row.level}": self._back(row, low)}
        for level, each in enumerate(details, 1):
            parts = (each,) if len(row.axes) == 1 else each.unbind(2)
            found |= {
                f"{key}{level}": self._back(row, part)
                for key, part in zip(keys, parts, strict=True)
            }
        return found

    def array(self, row: Row, loaded: Any) -> np.ndarray:
        return self._back(row, loaded)

    def _back(self, row: Row, x: Any) -> np.ndarray:
        """Without the channel, and with the axes in their original positions."""
        axes = {axis % len(row.shape) for axis in row.axes}
        batch = (n for axis, n in enumerate(row.shape) if axis not in axes)
        x = x.reshape(*batch, *x.shape[2:])
        return np.asarray((x.movedim(-1, row.axes[0]) if len(row.axes) == 1 else x).numpy())


LIBRARIES: tuple[Library, ...] = (
    Liftwave(),
    PyWavelets(),
    Ndwt(),
    NdwtLifting(),
    Ptwt(),
    PytorchWavelets(),
)


def prepared(library: Library, row: Row) -> Callable[[], object]:
    """The call that a row times, with its data bound, of a library that has the transform."""
    forward, inverse = library.forward(row), library.inverse(row)
    assert forward is not None
    assert inverse is not None
    loaded = library.load(row, row.input())
    call, data = (inverse, forward(loaded)) if row.inverse else (forward, loaded)
    return lambda: call(data)


def installed() -> list[Library]:
    """The importable :data:`LIBRARIES`, all with the same number of threads."""
    return [library for library in LIBRARIES if _importable(library)]


def _importable(library: Library) -> bool:
    try:
        return library.module is not None
    except ImportError:
        return False


def set_threads(count: int) -> None:
    """Before the first call: the number of threads for each library with threads."""
    os.environ["RAYON_NUM_THREADS"] = str(count)  # ndwt reads it when its pool starts
    importlib.import_module("liftwave").set_num_threads(count)
    if any(isinstance(library, _TorchLibrary) and _importable(library) for library in LIBRARIES):
        importlib.import_module("torch").set_num_threads(count)
