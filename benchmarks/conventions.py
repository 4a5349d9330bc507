"""The expected coefficients: PyWavelets', and the mapping of other conventions to them.

The transform of one axis and one level determines those of several axes and levels,
so a convention is a function ``split(x, axis) -> (low, high)``. Bands are labelled as
in ``pywt.wavedecn``, followed by the level: ``"da1"`` is high-pass along the first
axis, low-pass along the second, of level 1.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pywt

from benchmarks.rows import Row

Bands = dict[str, np.ndarray]
Split = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def decomposition(split: Split, row: Row, x: np.ndarray) -> Bands:
    """All bands of ``x``, computed from a function for one axis."""
    if row.has_packets:
        return _packets(split, row, x)
    bands: Bands = {}
    low = "a" * len(row.axes)
    for level in range(1, row.level + 1):
        parts = _level(split, row, x)
        x = parts.pop(low)
        bands |= {f"{key}{level}": part for key, part in parts.items()}
    return bands | {f"{low}{row.level}": x}


def _level(split: Split, row: Row, x: np.ndarray) -> Bands:
    """All bands of one level."""
    parts = {"": x}
    for axis in row.axes:
        halves = {key: split(part, axis) for key, part in parts.items()}
        parts = {
            key + letter: half
            for key, pair in halves.items()
            for letter, half in zip("ad", pair, strict=True)
        }
    return parts


def _packets(split: Split, row: Row, x: np.ndarray) -> Bands:
    """The packets of the last level or of all levels, by path."""
    packets, levels = {"": x}, Bands()
    for _ in range(row.level):
        packets = {
            path + key: band
            for path, packet in packets.items()
            for key, band in _level(split, row, packet).items()
        }
        levels |= packets
    return packets if row.transform == "packets" else levels


def undecimated_bands(row: Row, x: np.ndarray) -> Bands:
    """The bands of a transform without downsampling, computed by PyWavelets."""
    if row.transform == "mra":
        return pywt_bands(row, pywt.mra(x, row.wavelet, row.level, row.axes[0]))
    if row.transform == "swt":
        return pywt_bands(row, pywt.swt(x, row.wavelet, row.level, 0, row.axes[0], True))
    if row.transform == "mra2":
        return pywt_bands(row, pywt.mra2(x, row.wavelet, row.level, row.axes))
    return pywt_bands(row, pywt.swt2(x, row.wavelet, row.level, 0, row.axes, True))


def pywt_split(row: Row) -> Split:
    return lambda x, axis: pywt.dwt(x, row.wavelet, row.mode, axis)


def other_phase_split(row: Row) -> Split:
    """The samples that PyWavelets drops: its filters, shifted by a sample, with mode ``row.mode``.

    For an even number of samples, each band has one more coefficient.
    """
    taps = pywt.Wavelet(row.wavelet).dec_len
    extension = {"symmetric": "symmetric", "reflect": "reflect", "zero": "constant"}[row.mode]

    def split(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
        widths = [(0, 0)] * x.ndim
        widths[axis] = (taps - 1, taps - 1)
        padded = np.pad(x, widths, mode=extension)  # type: ignore[call-overload]
        kept = slice(taps // 2 - 1, taps // 2 - 1 + (x.shape[axis] + taps) // 2)
        low, high = pywt.dwt(padded, row.wavelet, "zero", axis)
        return _along(low, axis, kept), _along(high, axis, kept)

    return split


def shifted_split(row: Row, low: int, high: int) -> Split:
    """Periodic; each band's signal is shifted, and the high-pass has the opposite sign."""

    def split(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
        moved = (np.roll(x, shift, axis) for shift in (low, high))
        pairs = [pywt.dwt(each, row.wavelet, "periodization", axis) for each in moved]
        return pairs[0][0], -pairs[1][1]

    return split


def reversible_split(row: Row) -> Split:
    r"""JPEG 2000's reversible 5/3 of an even number of samples, with whole-sample symmetry.

    :math:`d_k = x_{2k+1} - \lfloor (x_{2k} + x_{2k+2}) / 2 \rfloor`,
    :math:`s_k = x_{2k} + \lfloor (d_{k-1} + d_k + 2) / 4 \rfloor`.
    """

    def split(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
        lines = np.moveaxis(x.astype(np.int64), axis, -1)
        even, odd = lines[..., ::2], lines[..., 1::2]
        following = np.concatenate([even[..., 1:], even[..., -1:]], -1)
        high = odd - ((even + following) >> 1)
        previous = np.concatenate([high[..., :1], high[..., :-1]], -1)
        low = even + ((previous + high + 2) >> 2)
        return np.moveaxis(low, -1, axis), np.moveaxis(high, -1, axis)

    return split


def standard_split(row: Row) -> Split:
    """PyWavelets' convention, or the standard's for integers."""
    return reversible_split(row) if row.method == "integer lifting" else pywt_split(row)


def _along(x: np.ndarray, axis: int, part: slice) -> np.ndarray:
    where = [slice(None)] * x.ndim
    where[axis] = part
    return x[tuple(where)]


# --- structures of coefficients ------------------------------------------------------------------


def pywt_bands(row: Row, coeffs: object) -> Bands:
    """The bands in PyWavelets' tuples, lists and dictionaries."""
    match row.transform:
        case "dwt" | "wavedec" | "swt" | "mra":
            details = [{"d": each} for each in coeffs[1:]]  # type: ignore[index]
        case "dwt2":
            details = [dict(zip(("da", "ad", "dd"), coeffs[1], strict=True))]  # type: ignore[index]
        case "wavedec2" | "swt2" | "mra2":
            details = [
                dict(zip(("da", "ad", "dd"), each, strict=True))
                for each in coeffs[1:]  # type: ignore[index]
            ]
        case "dwtn":
            return {f"{key}1": band for key, band in coeffs.items()}  # type: ignore[attr-defined]
    bands = {f"{'a' * len(row.axes)}{row.level}": coeffs[0]}  # type: ignore[index]
    for level, each in zip(range(row.level, 0, -1), details, strict=True):
        bands |= {f"{key}{level}": band for key, band in each.items()}
    return bands


def block_bands(row: Row, y: np.ndarray, half: Callable[[int], int]) -> Bands:
    """The bands of one array: along each axis, the details are at the end, the finest last.

    ``half(n)`` is the number of coefficients of each band of ``n`` samples.
    """
    bands: Bands = {}
    sizes, samples = ([array.shape[axis] for axis in row.axes] for array in (y, row))
    for level in range(1, row.level + 1):
        samples = [half(n) for n in samples]
        for key in map("".join, product("ad", repeat=len(row.axes))):
            part = y
            for axis, letter, size, n in zip(row.axes, key, sizes, samples, strict=True):
                span = slice(0, n) if letter == "a" else slice(size - n, size)
                part = _along(part, axis, span)
            if "d" in key or level == row.level:
                bands[f"{key}{level}"] = part
        sizes = [size - n for size, n in zip(sizes, samples, strict=True)]
    return bands
