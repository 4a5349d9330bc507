"""Impossible sizes raise before any computation; others use the documented memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import zero_mean

import liftwave as lw

SCHEME = lw.LiftingScheme.from_name("cdf5.3")


def huge(*shape: int, dtype: str = "f4") -> np.ndarray:
    """An array of ones at a single address."""
    return np.broadcast_to(np.ones((), dtype), shape)


LINE, IMAGE = huge(1 << 60), huge(1 << 30, 1 << 30)
KEYS = ("ad", "da", "dd")

# Results that exceed the address space, or whose number of bytes overflows an int64.
TOO_LARGE: dict[str, Callable[[], Any]] = {
    "dwt": lambda: lw.dwt(LINE, "db2"),
    "dwt of many lines": lambda: lw.dwt(huge(1 << 40, 1 << 20), "db2"),
    "dwt across lines": lambda: lw.dwt(huge(1 << 40, 1 << 20), "db2", axis=0),
    "dwt of bytes": lambda: lw.dwt(huge(2**63 - 1, dtype="u1"), "db2"),
    "dwt2": lambda: lw.dwt2(IMAGE, "db2"),
    "dwtn": lambda: lw.dwtn(huge(1 << 20, 1 << 20, 1 << 20), "db2"),
    "wavedec": lambda: lw.wavedec(LINE, "db2", level=3),
    "wavedec2": lambda: lw.wavedec2(IMAGE, "db2", level=3),
    "wavedecn": lambda: lw.wavedecn(IMAGE, "db2", level=3),
    "fswavedecn": lambda: lw.fswavedecn(IMAGE, "db2", levels=1),
    "downcoef": lambda: lw.downcoef("a", LINE, "db2"),
    "lifting": lambda: lw.dwt(LINE, SCHEME, "symmetric"),
    "lifting of images": lambda: lw.dwt2(IMAGE, SCHEME, "symmetric"),
    "lifting of integers": lambda: lw.dwt2(
        huge(1 << 31, 1 << 31, dtype="u1"), SCHEME.to_integer(), "symmetric"
    ),
    "idwt": lambda: lw.idwt(LINE, LINE, "db2"),
    "idwt of one band": lambda: lw.idwt(None, LINE, "db2", "periodization"),
    "idwt by lifting": lambda: lw.idwt(LINE, LINE, SCHEME, "symmetric"),
    "idwt2": lambda: lw.idwt2((IMAGE, (None, IMAGE, None)), "db2"),
    "idwtn": lambda: lw.idwtn({"aa": IMAGE}, "db2"),
    "waverec2": lambda: lw.waverec2([IMAGE, (IMAGE, IMAGE, IMAGE)], "db2"),
    "waverecn": lambda: lw.waverecn([IMAGE, {"dd": IMAGE}], "db2"),
    "upcoef": lambda: lw.upcoef("a", LINE, "db2"),
    "upcoef of many levels": lambda: lw.upcoef("a", np.ones(4), "db2", level=60),
    "pad": lambda: lw.pad(LINE, 1 << 60, "symmetric"),
    "pad of a few samples": lambda: lw.pad(np.ones(4), 1 << 62, "symmetric"),
    "coeffs_to_array": lambda: lw.coeffs_to_array([IMAGE, dict.fromkeys(KEYS, IMAGE)]),
    "ravel_coeffs": lambda: lw.ravel_coeffs([LINE, {"d": LINE}]),
    "decompose": lambda: lw.decompose(IMAGE, "db2", level=1),
    "denoise": lambda: lw.denoise(IMAGE, "db2"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_sizes_beyond_all_memory(name: str, kernels: Any) -> None:
    with pytest.raises(lw.errors.ShapeError, match="more than memory can hold"):
        TOO_LARGE[name]()


# Results of a few pebibytes: the address space allows them, but no machine has the memory.
LONG, WIDE = huge(1 << 50), huge(1 << 25, 1 << 25)

NOT_THERE: dict[str, Callable[[], Any]] = {
    "dwt": lambda: lw.dwt(LONG, "db2"),
    "wavedec2": lambda: lw.wavedec2(WIDE, "db2", level=2),
    "lifting": lambda: lw.dwt2(WIDE, SCHEME, "symmetric"),
    "idwtn": lambda: lw.idwtn({"ad": WIDE}, "db2"),
    "pad": lambda: lw.pad(np.ones(4), 1 << 50, "smooth"),
    "threshold": lambda: lw.threshold(LONG, 0.5),
}


@pytest.mark.parametrize("name", NOT_THERE)
def test_sizes_beyond_this_memory(name: str, kernels: Any) -> None:
    with pytest.raises(MemoryError, match="Unable to allocate"):
        NOT_THERE[name]()


def test_tensors_of_sizes_beyond_all_memory() -> None:
    torch = pytest.importorskip("torch")
    image = torch.ones(1).expand(1 << 30, 1 << 30)
    with pytest.raises(lw.errors.ShapeError, match="more than memory can hold"):
        lw.dwt2(image, "db2")


@pytest.mark.parametrize("wavelet", ["db2", SCHEME])
@pytest.mark.parametrize("shape", [(0, 1 << 30, 1 << 30), (1 << 30, 0, 1 << 30)])
def test_no_samples_among_long_axes(shape: tuple[int, ...], wavelet: Any) -> None:
    """The compiled kernels do not iterate over long axes of empty arrays."""
    pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
    axes = tuple(axis for axis, n in enumerate(shape) if n)
    x = np.empty(shape, "f4")
    for each in (axes, axes[:1], axes[1:]):
        bands = lw.dwtn(x, wavelet, "symmetric", each)
        assert lw.idwtn(bands, wavelet, "symmetric", each).shape == shape


# --- memory beyond the result ------------------------------------------------------------------

SMALL = zero_mean((320, 384))
VOLUME = zero_mean((40, 48, 64))
BANK = ("db4", "symmetric")
LIFTED = (SCHEME, "symmetric")
NARROW = (100 * SMALL).astype(np.int16)
INTEGER = (SCHEME.to_integer(), "symmetric")

# Memory allocated besides the result, as a fraction of the input, for each call.
Row = tuple[Callable[[], Any], float]


def row(call: Callable[..., Any], *arguments: Any, beyond: float = 0.0, **named: Any) -> Row:
    return lambda: call(*arguments, **named), beyond


TAKEN: dict[str, Row] = {
    "dwt": row(lw.dwt, SMALL.reshape(-1), *BANK),
    "dwt of lines": row(lw.dwt, SMALL, *BANK),
    "dwt across lines": row(lw.dwt, SMALL, *BANK, axis=0),
    "dwt of a reversed view": row(lw.dwt, SMALL[::-1, ::-1], *BANK),
    "dwt2": row(lw.dwt2, SMALL, *BANK),
    "dwt2 of a transposed view": row(lw.dwt2, SMALL.T, *BANK),
    "dwt2 of every second column": row(lw.dwt2, np.repeat(SMALL, 2, 1)[:, ::2], *BANK),
    "dwt2 of one row again and again": row(lw.dwt2, np.broadcast_to(SMALL[:1], SMALL.shape), *BANK),
    "dwt2 of a batch": row(lw.dwt2, VOLUME, *BANK),
    "dwtn": row(lw.dwtn, VOLUME, *BANK),
    "dwtn of a transposed view": row(lw.dwtn, VOLUME.T, *BANK),
    "dwtn along two axes apart": row(lw.dwtn, VOLUME, *BANK, (0, 2), beyond=1.2),
    "wavedec": row(lw.wavedec, SMALL.reshape(-1), *BANK, 5),
    "wavedec2": row(lw.wavedec2, SMALL, *BANK, 3),
    "lifting": row(lw.dwt, SMALL, *LIFTED),
    "lifting across lines": row(lw.dwt, SMALL, *LIFTED, axis=0),
    "lifting of images": row(lw.dwt2, SMALL, *LIFTED),
    "lifting of transposed images": row(lw.dwt2, SMALL.T, *LIFTED),
    "lifting of integers": row(lw.dwt2, NARROW, *INTEGER),
    "lifting of volumes": row(lw.dwtn, VOLUME, *LIFTED, beyond=1.0),
    "lifting on three levels": row(lw.wavedec2, SMALL, *LIFTED, 3),
    "idwt": row(lw.idwt, *lw.dwt(SMALL, *BANK), *BANK),
    "idwt across lines": row(lw.idwt, *lw.dwt(SMALL, *BANK, 0), *BANK, 0),
    "idwt2": row(lw.idwt2, lw.dwt2(SMALL, *BANK), *BANK),
    "idwtn": row(lw.idwtn, lw.dwtn(VOLUME, *BANK), *BANK),
    "waverec2": row(lw.waverec2, lw.wavedec2(SMALL, *BANK, 3), *BANK),
    "inverse lifting": row(lw.idwt2, lw.dwt2(SMALL, *LIFTED), *LIFTED),
    # Components take the memory of the bands, which are one array more.
    "mra": row(lw.mra, SMALL.reshape(-1), "db4", 5, beyond=1 / 6),
    "mra2": row(lw.mra2, SMALL, "db4", 2, beyond=1 / 7),
    "modwt_mra": row(lw.modwt_mra, SMALL, "db4", 3, beyond=1 / 4),
}


def pieces(result: Any) -> list[np.ndarray]:
    """The distinct blocks of memory that contain the arrays of a result."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        found = {id(piece): piece for part in result for piece in pieces(part)}
        return list(found.values())
    while isinstance(result.base, np.ndarray):
        result = result.base
    return [result]


@pytest.mark.parametrize("name", TAKEN)
def test_memory_beyond_the_result(name: str) -> None:
    """No hidden copies for any strides; multilevel calls allocate intermediate approximations."""
    pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
    call, beyond = TAKEN[name]
    call()  # builds and caches the plans
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = call()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    held = sum(piece.nbytes for piece in pieces(result))
    allowed = beyond * held + 24 * 1024  # Python objects
    assert most - before - held <= allowed
    assert allowed < held or beyond >= 1.0


def bands_of(result: Any) -> list[np.ndarray]:
    if isinstance(result, np.ndarray):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [band for part in parts for band in bands_of(part)]


@pytest.mark.parametrize("name", TAKEN)
def test_a_band_shares_memory_with_its_sibling_at_most(name: str, kernels: Any) -> None:
    """A program that keeps one band does not keep the whole transform."""
    for band in bands_of(TAKEN[name][0]()):
        (memory,) = pieces(band)
        assert memory.nbytes <= 2 * band.nbytes + 1024


def test_kept_approximations_hold_their_own_size() -> None:
    lw.wavedec2(SMALL, "haar", level=5)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [lw.wavedec2(SMALL, "haar", level=5)[0] for _ in range(20)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held - before <= sum(band.nbytes + 1024 for band in kept)
