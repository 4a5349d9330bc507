"""The rows measured on a GPU, as data, and the libraries that compute each row.

A row's contenders are functions of one tensor, built for the tensor's device. Images have shape
(N, C, H, W) because pytorch_wavelets requires it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import pywt

from benchmarks.pooling_layers import LAYERS
from benchmarks.torch_checking import tensors
from benchmarks.torch_libraries import (
    Case,
    Conv2d,
    LiftwaveFilters,
    Prepared,
    Ptwt,
    PytorchWavelets,
    Subject,
)

Function = Callable[[Any], Any]
IMAGES, VOLUMES, MAPS = (64, 16, 512, 512), (32, 128, 256, 256), (64, 64, 256, 256)
LONG, SHORT, SMALL = (16, 1 << 24), (1 << 22, 64), (16, 1, 64, 64)
PERIODIC, MIRRORED = "periodization", "symmetric"
# The tolerance, in units of the largest coefficient.
TOLERANCES = {"float16": 4e-3, "float32": 1e-5}


@dataclass(frozen=True)
class GpuRow:
    """One transform or layer applied to one tensor.

    ``share`` is the target as a share of the bandwidth of copies. ``faster`` is the target ratio to
    each of the other libraries. ``both`` is forward and backward.
    """

    name: str
    # "images", "volumes", "signals", "lifting", "undecimated", "undecimated lifting", "layer"
    kind: str
    shape: tuple[int, ...]
    wavelet: str = "db4"
    mode: str = PERIODIC
    level: int = 1
    dtype: str = "float32"
    inverse: bool = False
    both: bool = False
    share: float | None = None
    faster: float | None = None

    def sized(self, quick: bool) -> GpuRow:
        """The row, or a small one of the same kind."""
        if not quick:
            return self
        limits = (2, 16, 160, 160) if len(self.shape) == 4 else (4, 256)
        return replace(
            self, shape=tuple(min(pair) for pair in zip(self.shape, limits, strict=True))
        )

    @property
    def axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        if self.kind == "volumes":
            return (-3, -2, -1)
        return (-1,) if len(self.shape) == 2 else (-2, -1)

    @property
    def is_undecimated(self) -> bool:
        """Whether bands are as long as the signal."""
        return self.kind.startswith("undecimated")

    @property
    def is_lifted(self) -> bool:
        """Whether the wavelet is a lifting scheme."""
        return self.kind.endswith("lifting")

    @property
    def has_ptwt(self) -> bool:
        """Whether ptwt computes the row: its undecimated transforms are those of one axis."""
        if self.kind == "undecimated":
            return len(self.axes) == 1 and not self.inverse
        return not self.is_lifted

    def input(self, device: str) -> Any:
        """White noise, or 8-bit pixels for integers, generated on the device."""
        import torch

        torch.manual_seed(0)
        dtype = getattr(torch, self.dtype)
        if not dtype.is_floating_point:
            return torch.randint(0, 256, self.shape, device=device).to(dtype)
        return torch.randn(self.shape, device=device).to(dtype)


def _images(name: str, share: float | None, **other: Any) -> GpuRow:
    settings: dict[str, Any] = {"kind": "images", "shape": IMAGES, "share": share, "faster": 5.0}
    return GpuRow(name, **(settings | other))


def _one_level() -> Iterator[GpuRow]:
    for wavelet, share in (("haar", 0.75), ("db4", 0.75), ("bior4.4", 0.75), ("db10", 0.6)):
        for mode in (PERIODIC, MIRRORED):
            for dtype in ("float32", "float16"):
                shape = IMAGES if dtype == "float32" else (2 * IMAGES[0], *IMAGES[1:])
                name = f"dwt2 {wavelet}, {mode}, {dtype}"
                yield _images(name, share, wavelet=wavelet, mode=mode, dtype=dtype, shape=shape)
            name = f"idwt2 {wavelet}, {mode}"
            yield _images(name, share, wavelet=wavelet, mode=mode, inverse=True)


ROWS = (
    *_one_level(),
    _images("dwt2 db4, zero", 0.75, mode="zero"),
    _images("wavedec2 db4, 4 levels", 0.65, level=4, mode=MIRRORED),
    _images("waverec2 db4, 4 levels", 0.65, level=4, mode=MIRRORED, inverse=True),
    _images("wavedec2 bior4.4, 4 levels", 0.65, level=4, wavelet="bior4.4"),
    _images("dwt2 db4, forward and backward", None, both=True),
    _images("wavedec2 db4, zero, 4 levels, forward and backward", None, level=4, mode="zero",
            both=True),
    GpuRow("dwtn db4", "volumes", VOLUMES, mode=MIRRORED, faster=5.0),
    GpuRow("dwt db4, long rows", "signals", LONG, mode=MIRRORED, faster=5.0),
    GpuRow("dwt db4, short rows", "signals", SHORT, mode=MIRRORED, faster=5.0),
    GpuRow("dwt2 CDF 9/7 by lifting", "lifting", IMAGES, "cdf9.7"),
    GpuRow("idwt2 CDF 9/7 by lifting", "lifting", IMAGES, "cdf9.7", inverse=True),
    GpuRow("dwt2 CDF 5/3, integers", "lifting", IMAGES, "cdf5.3", "reflect", dtype="int16"),
    GpuRow("swt db4, 5 levels, long rows", "undecimated", (16, 1 << 22), level=5, faster=5.0),
    GpuRow("iswt db4, 5 levels, long rows", "undecimated", (16, 1 << 22), level=5, inverse=True),
    GpuRow("swt2 haar, 3 levels", "undecimated", (16, 1, 2048, 2048), "haar", level=3),
    GpuRow("swt2 db4, 3 levels", "undecimated", (16, 1, 2048, 2048), level=3),
    GpuRow("iswt2 db4, 3 levels", "undecimated", (16, 1, 2048, 2048), level=3, inverse=True),
    GpuRow("swt2 db4, 3 levels, forward and backward", "undecimated", (16, 1, 2048, 2048), level=3,
           both=True),
    GpuRow("swt2 CDF 9/7 by lifting, 3 levels", "undecimated lifting", (16, 1, 2048, 2048),
           "cdf9.7", MIRRORED, level=3),
    GpuRow("iswt2 CDF 9/7 by lifting, 3 levels", "undecimated lifting", (16, 1, 2048, 2048),
           "cdf9.7", MIRRORED, level=3, inverse=True),
    GpuRow("swt CDF 9/7 by lifting, 5 levels, long rows", "undecimated lifting", (16, 1 << 22),
           "cdf9.7", MIRRORED, level=5),
    *(
        GpuRow(f"{name}{', forward and backward' if both else ''}", "layer", MAPS, name,
               both=both, share=None if both else 0.6, faster=faster if both else None)
        for name, faster in (("LiftDownPool2d", 5.0), ("SoftPool2d", None), ("AdaPool2d", None))
        for both in (False, True)
    ),
)  # fmt: skip

LATENCY = (
    GpuRow("dwt2 db4 of 16 images of 64 × 64", "images", SMALL),
    GpuRow("wavedec2 db4, 3 levels, of 16 images of 64 × 64", "images", SMALL, level=3),
    GpuRow("dwt2 CDF 9/7 by lifting of 16 images of 64 × 64", "lifting", SMALL, "cdf9.7"),
)
"""Small inputs, whose launches are what takes the time; each also as a CUDA graph."""


@dataclass(frozen=True)
class Contender:
    """A contender: a function of the data, and the tensors of its result by label."""

    name: str
    function: Function
    data: Any
    learned: tuple[Any, ...] = ()
    labelled: Callable[[Any], dict[str, Any]] | None = None


def contenders(row: GpuRow, x: Any) -> Iterator[tuple[str, Callable[[], Contender]]]:
    """The contenders that support the row, ours first, with functions that prepare them."""
    if row.kind == "images":
        subjects: list[Subject] = [
            LiftwaveFilters("liftwave", "liftwave"),
            Ptwt("ptwt", "ptwt"),
            PytorchWavelets("pytorch_wavelets", "pytorch_wavelets"),
            Conv2d("conv2d", "torch"),
        ]
        for subject in subjects:
            if subject.available() and _has(subject, row):
                yield subject.name, lambda subject=subject: _of_images(subject, row, x)
    elif row.kind == "layer":
        for number, name in enumerate(("liftwave", "plain torch")):
            yield name, lambda number=number: _of_layer(row, x, number)
    else:
        yield "liftwave", lambda: _ours(row, x)
        if row.has_ptwt and importlib.util.find_spec("ptwt"):
            yield "ptwt", lambda: _of_ptwt(row, x)


def _case(row: GpuRow) -> Case:
    return Case(row.name, row.shape, row.level, row.wavelet, row.mode, row.dtype)


def _has(subject: Subject, row: GpuRow) -> bool:
    if row.inverse and subject.inverse(_case(row)) is None:
        return False
    return subject.prepare(_case(row)) is not None


def _of_images(subject: Subject, row: GpuRow, x: Any) -> Contender:
    case = _case(row)
    prepared, inverse = subject.prepare(case), subject.inverse(case)
    assert prepared is not None
    if row.inverse:
        assert inverse is not None
        return Contender(subject.name, inverse, prepared.transform(x))

    def labelled(coeffs: Any) -> dict[str, Any]:
        return subject.bands(case, coeffs)

    return Contender(subject.name, prepared.transform, x, labelled=labelled)


def _of_layer(row: GpuRow, x: Any, number: int) -> Contender:
    layer = next(layer for layer in LAYERS if layer.name == row.wavelet)
    pair = layer.prepare(row.shape, str(x.device))
    prepared: Prepared = pair[number]
    return Contender("", prepared.transform, x, prepared.taps, lambda y: {"pooled": y})


def _ours(row: GpuRow, x: Any) -> Contender:
    import liftwave as lw

    wavelet: Any = row.wavelet
    if row.is_lifted:
        wavelet = lw.LiftingScheme.from_name(row.wavelet)
        wavelet = wavelet.to_integer() if row.dtype.startswith("int") else wavelet
    axes = row.axes

    def forward(data: Any) -> Any:
        if row.is_undecimated:
            return lw.swtn(data, wavelet, row.level, axes=axes, trim_approx=True, mode=row.mode)
        return lw.wavedecn(data, wavelet, row.mode, level=row.level, axes=axes)

    def back(coeffs: Any) -> Any:
        if row.is_undecimated:
            return lw.iswtn(coeffs, wavelet, axes, mode=row.mode)
        return lw.waverecn(coeffs, wavelet, row.mode, axes)

    if row.inverse:
        return Contender("liftwave", back, forward(x))
    return Contender("liftwave", forward, x, labelled=_by_key)


def _of_ptwt(row: GpuRow, x: Any) -> Contender:
    import ptwt

    if row.kind == "undecimated":
        return Contender("ptwt", lambda data: ptwt.swt(
            data, row.wavelet, level=row.level), x, labelled=_named)  # fmt: skip
    if row.kind == "volumes":
        return Contender("ptwt", lambda data: ptwt.wavedec3(
            data, row.wavelet, mode=row.mode, level=row.level), x, labelled=_by_key)  # fmt: skip

    return Contender("ptwt", lambda data: ptwt.wavedec(
        data, row.wavelet, mode=row.mode, level=row.level), x, labelled=_named)  # fmt: skip


def _named(coeffs: Any) -> dict[str, Any]:
    low, *details = coeffs
    return _by_key([low, *({"d": band} for band in details)])


def _by_key(coeffs: Any) -> dict[str, Any]:
    low, *details = coeffs
    naxes = len(next(iter(details[0])))
    found = {f"{'a' * naxes}{len(details)}": low}
    for level, bands in zip(range(len(details), 0, -1), details, strict=True):
        found |= {f"{key}{level}": band for key, band in bands.items()}
    return found


# --- checking ------------------------------------------------------------------------------------


def checked(row: GpuRow, contender: Contender, x: Any) -> str:
    """Empty, or the error of the first and the last item of the batch."""
    if row.kind == "layer":
        return ""  # compared with each other, in results and gradients
    result = contender.function(contender.data)
    found = {"signal": result} if contender.labelled is None else contender.labelled(result)
    for index in (0, -1):
        item = _item(row, x, index)
        wanted = {"signal": item} if row.inverse else expected(row, item.cpu().numpy())
        part = {key: _item(row, band, index) for key, band in found.items()}
        if wrong := _wrong(part, wanted, row):
            return wrong
    return ""


def _item(row: GpuRow, x: Any, index: int) -> Any:
    """One item of the batch; for images, one channel of one image."""
    return x[index] if row.kind == "volumes" or x.ndim == 2 else x[index, index]


def expected(row: GpuRow, item: np.ndarray) -> dict[str, Any]:
    """The bands of one item, by PyWavelets in double precision; by our reference for lifting."""
    exact = item.astype("float64")
    if row.kind == "undecimated":
        bands = pywt.swtn(exact, row.wavelet, row.level, trim_approx=True)
        return _by_key(bands)
    if not row.is_lifted:
        return _by_key(pywt.wavedecn(exact, row.wavelet, row.mode, level=row.level))
    import liftwave as lw

    scheme = lw.LiftingScheme.from_name(row.wavelet)
    with lw.kernels("reference"):
        if row.is_undecimated:
            return _by_key(lw.swtn(exact, scheme, row.level, trim_approx=True, mode=row.mode))
        if row.dtype.startswith("int"):
            return _by_key(lw.wavedecn(item, scheme.to_integer(), row.mode, level=row.level))
        return _by_key(lw.wavedecn(exact, scheme, row.mode, level=row.level))


def _wrong(found: dict[str, Any], wanted: dict[str, Any], row: GpuRow) -> str:
    if found.keys() != wanted.keys():
        return f"wrong: bands {sorted(found)}"
    for key, band in found.items():
        ours = band.double().cpu().numpy()
        theirs = wanted[key].double().cpu().numpy() if hasattr(wanted[key], "cpu") else wanted[key]
        if ours.shape != theirs.shape:
            return f"wrong: shape of {key}"
        tolerance = TOLERANCES.get(row.dtype, 0.0) * np.abs(theirs).max()
        if not np.abs(ours - theirs).max() <= tolerance:
            return f"wrong: result ({key})"
    return ""


def moved(row: GpuRow, contender: Contender) -> int:
    """Bytes of input and result, each accessed once per pass, forward and backward."""
    inputs = tensors(contender.data)
    result = tensors(contender.function(contender.data))
    size = sum(t.numel() * t.element_size() for t in (*inputs, *result))
    if not row.both:
        return size
    # Backward reads the cotangents and writes the gradient; a layer reads its input again.
    again = sum(t.numel() * t.element_size() for t in inputs) if row.kind == "layer" else 0
    return 2 * size + again


def gigabytes(row: GpuRow) -> float:
    """The size of the input."""
    size = 2 if row.dtype in ("float16", "int16") else 4
    return prod(row.shape) * size / 1e9
