"""Sizes that no memory has are refused before any work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import liftwave as lw

SCHEME = lw.LiftingScheme.from_name("cdf5.3")


def huge(*shape: int, dtype: str = "f4") -> np.ndarray:
    """Ones that all lie at one address."""
    return np.broadcast_to(np.ones((), dtype), shape)


LINE, IMAGE = huge(1 << 60), huge(1 << 30, 1 << 30)
KEYS = ("ad", "da", "dd")

# Results of more bytes than have addresses, or whose number of bytes is too large for an int64.
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
    with pytest.raises(lw.errors.ShapeError, match="more than memory can have"):
        TOO_LARGE[name]()


# Results of a few pebibytes: they have addresses, but nobody has them.
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
    with pytest.raises(lw.errors.ShapeError, match="more than memory can have"):
        lw.dwt2(image, "db2")


@pytest.mark.parametrize("wavelet", ["db2", SCHEME])
@pytest.mark.parametrize("shape", [(0, 1 << 30, 1 << 30), (1 << 30, 0, 1 << 30)])
def test_no_samples_among_long_axes(shape: tuple[int, ...], wavelet: Any) -> None:
    """The compiled kernels do not walk along axes on which nothing lies."""
    pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
    axes = tuple(axis for axis, n in enumerate(shape) if n)
    x = np.empty(shape, "f4")
    for each in (axes, axes[:1], axes[1:]):
        bands = lw.dwtn(x, wavelet, "symmetric", each)
        assert lw.idwtn(bands, wavelet, "symmetric", each).shape == shape
