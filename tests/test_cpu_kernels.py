"""The compiled kernels are bitwise equal to the reference kernels in all configurations."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywt
from helpers import MODES, paired, zero_mean

import liftwave as lw
from liftwave import _dispatch
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.axis import FilterPlan, analysis_plan, synthesis_plan, upsampling_plan

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")

from liftwave._kernels.cpu import filters as cpu_filters  # noqa: E402
from liftwave._kernels.cpu import memory  # noqa: E402
from liftwave._kernels.cpu.family import CpuKernels  # noqa: E402

reference = ReferenceKernels()
cpu = CpuKernels(reference)

DTYPES = ("float32", "float64", "complex64", "complex128")

# Every specialized length, lengths between and beyond these, and filters padded with zeros.
WAVELETS = ("haar", "db2", "bior1.3", "db4", "bior4.4", "db6", "db20", "dmey")
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 16, 17, 33, 64, 101)


def both(call: Callable[[], Any]) -> tuple[Any, Any]:
    """The results of the compiled and of the reference kernels."""
    with lw.kernels("cpu"):
        compiled = call()
    with lw.kernels("reference"):
        return compiled, call()


def leaves(result: Any) -> list[Any]:
    if isinstance(result, dict):
        return [leaf for key in sorted(result) for leaf in leaves(result[key])]
    if isinstance(result, list | tuple):
        return [leaf for item in result for leaf in leaves(item)]
    return [result]


def assert_same(call: Callable[[], Any]) -> Any:
    """Raise unless both kernels give the same bits; return the compiled kernels' result."""
    compiled, expected = both(call)
    got, wanted = leaves(compiled), leaves(expected)
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        assert type(a) is type(b)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b, strict=True)
        assert np.isfinite(a).all()
    return compiled


def possible(n: int, mode: str) -> bool:
    return n > 1 or "reflect" not in mode


# --- the grid ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", WAVELETS)
def test_one_axis_is_the_reference(wavelet: str, mode: str) -> None:
    for n in LENGTHS:
        if not possible(n, mode):
            continue
        for dtype in DTYPES:
            x = zero_mean(n, n, dtype)
            coeffs = assert_same(lambda x=x: lw.dwt(x, wavelet, mode))
            assert_same(lambda c=coeffs: lw.idwt(*c, wavelet, mode))
            assert_same(lambda c=coeffs: lw.idwt(None, c[1], wavelet, mode))
            assert_same(lambda c=coeffs: lw.idwt(c[0], None, wavelet, mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", WAVELETS)
def test_across_an_axis_is_the_reference(wavelet: str, mode: str) -> None:
    # Inner lengths on both sides of every switch between algorithms.
    for shape in ((1, 40), (2, 16), (9, 3), (33, 15), (20, 2, 9), (6, 130)):
        if not possible(shape[0], mode):
            continue
        for dtype in ("float32", "complex128"):
            x = zero_mean(shape, 1, dtype)
            coeffs = assert_same(lambda x=x: lw.dwt(x, wavelet, mode, axis=0))
            assert_same(lambda c=coeffs: lw.idwt(*c, wavelet, mode, axis=0))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", WAVELETS)
def test_all_axes_at_once_are_the_reference(wavelet: str, mode: str) -> None:
    for shape in ((2, 2), (3, 7), (16, 40), (37, 50), (5, 6, 7)):
        for dtype in DTYPES if shape == (37, 50) else ("float32",):
            x = zero_mean(shape, 2, dtype)
            bands = assert_same(lambda x=x: lw.dwtn(x, wavelet, mode))
            assert_same(lambda b=bands: lw.idwtn(b, wavelet, mode))


# Each exercises tiles, blocks of rows, threads, or the axis-by-axis fallback.
LARGE = {
    "long line": ((70_001,), None),
    "lines": ((300, 2_000), (1,)),
    "columns": ((300, 5_001), (0,)),
    "image": ((500, 701), None),
    "batch of images": ((7, 120, 130), (1, 2)),
    "images with three channels": ((200, 301, 3), (0, 1)),
    "images with many channels": ((60, 50, 20), (0, 1)),
    "volume": ((40, 50, 61), None),
    "four axes": ((9, 10, 12, 20), None),
    "five axes": ((5, 6, 4, 7, 5), None),
    "wide rows": ((6, 40_000), None),
    "axes that are not neighbours": ((20, 7, 50), (0, 2)),
    "axes in reverse": ((60, 90), (1, 0)),
    "an axis twice": ((60, 90), (1, 1)),
}


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("name", LARGE)
def test_large_arrays_are_the_reference(name: str, dtype: str) -> None:
    shape, axes = LARGE[name]
    x = zero_mean(shape, 3, dtype)
    for wavelet, mode in (("db4", "symmetric"), ("bior2.2", "periodization"), ("haar", "smooth")):
        bands = assert_same(lambda w=wavelet, m=mode: lw.dwtn(x, w, m, axes))
        assert_same(lambda b=bands, w=wavelet, m=mode: lw.idwtn(b, w, m, axes))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2_100, 2_080), (0, 1)),
        ((2_100, 2_080), (0,)),
        ((4_500_037,), (0,)),
        ((20_011, 215), (0, 1)),  # short rows, several at a time
    ],
)
def test_results_beyond_the_caches_are_the_reference(shape: Any, axes: Any) -> None:
    x = zero_mean(shape, 4, "float32")
    for mode in ("periodization", "symmetric"):
        bands = assert_same(lambda m=mode: lw.dwtn(x, "db2", m, axes))
        assert all(band.ctypes.data % 64 == 0 for band in bands.values())
        assert_same(lambda b=bands, m=mode: lw.idwtn(b, "db2", m, axes))


SLABS = {
    "odd": ((5, 121, 1_501), "db2", "float32"),
    "long filters": ((5, 150, 1_200), "bior4.4", "float32"),
    "complex": ((4, 64, 700), "db2", "complex128"),
    "four axes": ((3, 44, 6, 700), "db2", "float32"),
    "beyond the caches": ((54, 300, 286), "haar", "float32"),
}


@pytest.mark.parametrize(
    ("name", "mode"), paired(SLABS, ["symmetric", "periodization", "antireflect", "zero"])
)
def test_slabs_of_volumes_are_the_reference(name: str, mode: str) -> None:
    """Planes that exceed the L2 cache are computed slab by slab along the second axis."""
    shape, wavelet, dtype = SLABS[name]
    x = zero_mean(shape, 7, dtype)
    bands = assert_same(lambda: lw.dwtn(x, wavelet, mode))
    assert_same(lambda: lw.idwtn(bands, wavelet, mode))
    some = {key: band if "d" in key[1:] else None for key, band in bands.items()}
    assert_same(lambda: lw.idwtn(some, wavelet, mode))


def pulled_back(x: np.ndarray, cotangents: Any) -> Any:
    return lw.vjp(lw.dwtn, x, "db2", "reflect")[1](cotangents).data


def test_slabs_of_views_and_gradients_are_the_reference() -> None:
    x = zero_mean((1_300, 122, 6), 8, "float32")
    for view in (x[::-1, :, ::2].transpose(2, 1, 0), x.transpose(2, 1, 0)[:, ::-1]):
        bands = assert_same(lambda v=view: lw.dwtn(v, "db2", "reflect"))
        pulled = assert_same(lambda v=view, b=bands: pulled_back(v, b))
        assert pulled.shape == view.shape


@pytest.mark.parametrize("offsets", [(1, 1, 1, 1), (0, 1, 2, 3)])
def test_results_beyond_the_caches_begin_anywhere(offsets: tuple[int, ...]) -> None:
    x = zero_mean((1_500, 2_801), 5, "float32")
    wanted = lw.dwtn(x, "db3")  # compared with the reference above
    out = {}
    for (key, band), offset in zip(wanted.items(), offsets, strict=True):
        memory = np.full(band.size + 2 + offset, np.nan, "float32")
        out[key] = memory[1 + offset : -1].reshape(band.shape)
    lw.dwtn(x, "db3", out=out)
    for key, band in wanted.items():
        np.testing.assert_array_equal(out[key], band)
        assert np.isnan(out[key].base[0])
        assert np.isnan(out[key].base[-1])


@pytest.mark.parametrize("shape", [(4_500_037,), (2_250_019, 2), (1_500_013, 3)])
def test_levels_beyond_the_caches_are_the_reference(shape: tuple[int, ...]) -> None:
    x = zero_mean(shape, 6, "float32")
    assert_same(lambda: lw.wavedec(x, "db2", "symmetric", 8, axis=0))
    assert_same(lambda: lw.wavedec(x, "db3", "periodization", 8, axis=0))


@pytest.mark.parametrize("mode", MODES)
def test_multilevel_is_the_reference(mode: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lw.errors.LevelWarning)
        line, image, volume = zero_mean(203), zero_mean((61, 75)), zero_mean((20, 18, 33))
        coeffs = assert_same(lambda: lw.wavedec(line, "db3", mode, level=5))
        assert_same(lambda: lw.waverec(coeffs, "db3", mode))
        coeffs = assert_same(lambda: lw.wavedec2(image, ("db2", "bior2.4"), mode, level=3))
        assert_same(lambda: lw.waverec2(coeffs, ("db2", "bior2.4"), mode))
        coeffs = assert_same(lambda: lw.wavedecn(volume, "sym4", mode, level=2))
        assert_same(lambda: lw.waverecn(coeffs, "sym4", mode))
        coeffs = assert_same(lambda: lw.wavedecn(volume, "sym4", mode, level=2, axes=(2, 0)))
        assert_same(lambda: lw.waverecn(coeffs, "sym4", mode, axes=(2, 0)))


CASCADES = {
    "line": (400_001, (400_001,), 0),
    "lines": (150_000, (3, 150_000), 1),
    "samples of three numbers": (150_000, (150_000, 3), 0),
    "every second sample": (200_000, (200_000, 2), 0),
}


@pytest.mark.parametrize("shape", [(37, 64, 70), (3, 5, 40, 33), (5, 1, 60, 70), (900, 2, 20, 9)])
def test_levels_item_by_item_are_the_reference(shape: tuple[int, ...]) -> None:
    for dtype in ("float32", "complex128"):
        x = zero_mean(shape, 7, dtype)
        for view in (x, x[::-2], x[..., ::-1]):
            coeffs = assert_same(lambda v=view: lw.wavedec2(v, "haar", level=2))
            assert_same(lambda c=coeffs: lw.waverec2(c, "haar"))
            coeffs[1] = (None, coeffs[1][1], None)
            assert_same(lambda c=coeffs: lw.waverec2(c, "haar"))
            coeffs = assert_same(lambda v=view: lw.wavedec(v, "haar", level=2, axis=-2))
            assert_same(lambda c=coeffs: lw.waverec(c, "haar", axis=-2))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASCADES)
def test_levels_in_blocks_are_the_reference(name: str, mode: str) -> None:
    # Long enough for several blocks, which must agree at their borders at every level.
    n, shape, axis = CASCADES[name]
    x = zero_mean(shape, n, "complex64" if name == "line" else "float32")
    x = x[:, :1] if name == "every second sample" else x
    for wavelet, level in (("haar", 3), ("db4", 9), ("db20", 7)):
        assert_same(lambda w=wavelet, j=level: lw.wavedec(x, w, mode, j, axis))


@pytest.mark.parametrize("n", [262_143, 262_144, 262_159, 327_690, 524_801])
def test_levels_of_any_length_are_the_reference(n: int, threads: Any) -> None:
    # Around the shortest lines that several threads share, and from any place of the memory.
    x = zero_mean(2 * n, n, "float32")
    for count, view in ((1, x[1 : n + 1]), (2, x[::-2]), (3, x[::2])):
        threads(count)
        for wavelet, mode in (
            ("haar", "symmetric"),
            ("db4", "periodization"),
            ("bior4.4", "smooth"),
        ):
            assert_same(lambda v=view, w=wavelet, m=mode: lw.wavedec(v, w, m, 8))


@pytest.mark.parametrize("offsets", [range(9), [1] * 9])
@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_levels_beyond_the_caches_begin_anywhere(lanes: int, offsets: Any) -> None:
    x = zero_mean((4_400_001 // lanes, lanes), 7, "float32")
    wanted = lw.wavedec(x, "db3", level=8, axis=0)  # compared with the reference above
    out = []
    for band, offset in zip(wanted, offsets, strict=True):
        memory = np.full(band.size + 2 + offset, np.nan, "float32")
        out.append(memory[1 + offset : -1].reshape(band.shape))
    lw.wavedec(x, "db3", level=8, axis=0, out=out)
    for band, result in zip(wanted, out, strict=True):
        np.testing.assert_array_equal(result, band)
        assert np.isnan(result.base[0])
        assert np.isnan(result.base[-1])


@pytest.mark.parametrize("missing", [["aa"], ["ad", "dd"], ["da", "dd"], ["aa", "ad", "da"]])
def test_missing_bands_are_zero(missing: list[str]) -> None:
    bands = lw.dwtn(zero_mean((30, 41)), "db3")
    given = {key: band for key, band in bands.items() if key not in missing}
    assert_same(lambda: lw.idwtn(given, "db3"))
    detail = {key: band for key, band in given.items() if key != "aa"}
    finest = lw.dwtn(zero_mean((55, 79)), "db3")
    del finest["aa"]
    assert_same(lambda: lw.waverecn([None, detail, finest], "db3"))


def test_upcoef_and_downcoef_are_the_reference() -> None:
    x = zero_mean(77)
    for part in "ad":
        assert_same(lambda part=part: lw.downcoef(part, x, "db3", level=2))
        assert_same(lambda part=part: lw.upcoef(part, x, "db3", level=3))


# --- memory ------------------------------------------------------------------------------------

VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "reversed": lambda x: x[::-1, ::-1],
    "reversed along the last axis": lambda x: x[:, ::-1],
    "every second row": lambda x: x[::2],
    "every third column": lambda x: x[:, ::3],
    "transposed": lambda x: x.T,
    "Fortran order": np.asfortranarray,
    "broadcast row": lambda x: np.broadcast_to(x[:1], x.shape),
    "broadcast column": lambda x: np.broadcast_to(x[:, :1], x.shape),
    "inner part": lambda x: x[3:-2, 5:-1],
    "diagonals": lambda x: np.lib.stride_tricks.as_strided(x, (20, 30), x.strides[:1] * 2),
    "not aligned": lambda x: unaligned(x),
}


def unaligned(x: np.ndarray) -> np.ndarray:
    raw = np.empty(x.nbytes + 1, np.uint8)
    view = raw[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", VIEWS)
def test_any_strides_are_read_in_place(name: str, dtype: str) -> None:
    whole = zero_mean((70, 90), 5, dtype)
    x = VIEWS[name](whole)
    for mode in ("symmetric", "smooth", "periodization"):
        for axes in ((0,), (1,), (0, 1)):
            bands = assert_same(lambda m=mode, a=axes: lw.dwtn(x, "db3", m, a))
            assert all(band.flags.c_contiguous for band in bands.values())
            views = {key: VIEWS[name](zero_mean((70, 90), k, dtype)) for k, key in enumerate(bands)}
            assert_same(lambda v=views, m=mode, a=axes: lw.idwtn(v, "db3", m, a))


def test_unaligned_numbers_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """C++ must not read a number whose address is not a multiple of its size."""
    copied: list[Any] = []
    copy = memory.copied
    monkeypatch.setattr(memory, "copied", lambda x: (copied.append(x), copy(x))[1])
    x = zero_mean((20, 30))
    lw.dwt2(x[:, ::2], "db3")
    assert not copied
    odd = unaligned(x)
    lw.dwt2(odd, "db3")
    assert any(argument is odd for argument in copied)


def test_strides_of_volumes() -> None:
    x = zero_mean((16, 18, 20))
    for view in (x.transpose(2, 0, 1), x[:, ::-2], x[..., ::-3], np.swapaxes(x, 0, 1)[1:]):
        for axes in ((0,), (1,), (2,), (0, 1), (1, 2), None):
            bands = assert_same(lambda v=view, a=axes: lw.dwtn(v, "db2", "antireflect", a))
            assert_same(lambda b=bands, a=axes: lw.idwtn(b, "db2", "antireflect", a))


@pytest.mark.parametrize("dtype", DTYPES)
def test_channels_behind_the_axes_in_any_order(dtype: str) -> None:
    x = zero_mean((30, 34, 3, 2), 5, dtype)
    for view in (x, x[..., ::-1, :], x[..., ::-1], x.swapaxes(2, 3), x[:, ::2, :, 0], x[:, :, :2]):
        for axes in ((0,), (1,), (0, 1)):
            bands = assert_same(lambda v=view, a=axes: lw.dwtn(v, "db2", axes=a))
            views = {key: band[..., ::-1] for key, band in bands.items()}
            assert_same(lambda v=views, a=axes: lw.idwtn(v, "db2", axes=a))


def test_bands_in_different_memory_layouts() -> None:
    bands = lw.dwtn(zero_mean((20, 22, 24)), "db2")
    mixed = {k: b.copy(order="FC"[i % 2]) for i, (k, b) in enumerate(bands.items())}
    for axes in ((0, 1, 2),):
        assert_same(lambda a=axes: lw.idwtn(mixed, "db2", axes=a))


def test_inputs_stay_as_they_are() -> None:
    x = zero_mean((40, 50))
    before = x.copy()
    x.flags.writeable = False
    bands = lw.dwtn(x, "db3", "smooth")
    np.testing.assert_array_equal(x, before)
    kept = {key: band.copy() for key, band in bands.items()}
    for band in bands.values():
        band.flags.writeable = False
    lw.idwtn(bands, "db3", "smooth")
    for key, band in bands.items():
        np.testing.assert_array_equal(band, kept[key])


@pytest.mark.parametrize("shape", [(0, 8), (8, 0), (3, 0, 9)])
def test_empty_batches(shape: tuple[int, ...]) -> None:
    axis = int(np.argmax(shape))
    bands = assert_same(lambda: lw.dwt(np.empty(shape), "db2", axis=axis))
    assert_same(lambda: lw.idwt(*bands, "db2", axis=axis))


def test_the_module_refuses_what_does_not_fit() -> None:
    plan = analysis_plan(16, 4, "zero")
    levels = [[cpu_filters.analysis_axis(plan, ((0.5,) * 4, (0.25,) * 4), 0)]]
    module, n = _cpu.Analysis(levels, None), plan.n_out
    assert [band.shape for band in module.run(np.zeros(16))] == [(n,), (n,)]
    assert [band.shape for band in module.run(np.zeros((16, 0)))] == [(n, 0), (n, 0)]
    with pytest.raises(RuntimeError, match="does not fit"):
        module.run(np.zeros(15))
    for x in ([0.0] * 16, np.zeros(16, "i4"), np.zeros(16, ">f8"), np.zeros(16, "f2")):
        assert module.run(x) is None
    with pytest.raises(RuntimeError, match="no levels"):
        _cpu.Analysis([], None)
    with pytest.raises(RuntimeError, match="no memory"):
        _cpu.Analysis(levels * 2, None)

    def memory(*sizes: int) -> Any:
        return _cpu.BandMemory([((size,), None, []) for size in sizes])

    fitting = _cpu.Analysis(levels, memory(n, n))
    assert [band.shape for band in fitting.run(np.zeros(16))] == [(n,), (n,)]
    with pytest.raises(RuntimeError, match="do not match"):
        _cpu.Analysis(levels, memory(n))
    for wrong in (memory(n, n - 1), memory(n + 1, n)):
        with pytest.raises(RuntimeError, match="does not fit its memory"):
            _cpu.Analysis(levels, wrong).run(np.zeros(16))
    with pytest.raises(RuntimeError, match="does not fit its memory"):
        fitting.run(np.zeros((16, 2)))
    beyond = _cpu.Analysis([[cpu_filters.analysis_axis(plan, ((0.5,) * 4,) * 2, 1)]], None)
    with pytest.raises(RuntimeError, match="does not fit"):
        beyond.run(np.zeros(16))


def test_the_module_refuses_bands_that_do_not_fit() -> None:
    plan = synthesis_plan(9, 4, "zero")
    levels = [([cpu_filters.synthesis_axis(plan, ((0.5,) * 4, (0.25,) * 4), 0)], [True, True])]
    module, a, n = _cpu.Synthesis(levels, None, None), np.zeros(9), plan.n_out
    assert module.run([a, a]).shape == (n,)
    out = np.ones(n)
    assert module.write([a, a], out) is out
    assert not out.any()
    for bands in ([a, a[1:]], [a[1:], a[1:]], [a, np.zeros((9, 2))]):
        with pytest.raises(RuntimeError, match="does not fit"):
            module.run(bands)
    with pytest.raises(RuntimeError, match="not the bands"):
        module.run([a])
    for bands in ([a, a.astype("f4")], [a, [0.0] * 9], [a.astype("i4")] * 2):
        assert module.run(bands) is None
    with pytest.raises(RuntimeError, match="does not fit its memory"):
        module.write([a, a], np.zeros(n + 1))
    with pytest.raises(RuntimeError, match="contiguous"):
        module.write([a, a], np.zeros(2 * n)[::2])
    assert module.write([a, a], out.astype("f4")) is None
    out.flags.writeable = False
    assert module.write([a, a], out) is None
    with pytest.raises(RuntimeError, match="does not fit its memory"):
        _cpu.Synthesis(levels, (n + 1,), None).run([a, a])


# --- adjoints ----------------------------------------------------------------------------------


def fold_plans(n: int, length: int, mode: str) -> list[tuple[str, FilterPlan]]:
    """Plans with folded results: the adjoints of an analysis and of syntheses."""
    plans = [("synthesis", analysis_plan(n, length, mode).analysis_adjoint())]
    m = analysis_plan(n, length, mode).n_out
    plans.append(("analysis", synthesis_plan(m, length, mode).synthesis_adjoint()))
    plans.append(("analysis", upsampling_plan(m, length).synthesis_adjoint()))
    return plans


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", ["haar", "db4", "bior1.3", "db20"])
def test_adjoints_are_the_reference(wavelet: str, mode: str) -> None:
    bank = pywt.Wavelet(wavelet)
    filters = tuple(tuple(f) for f in (bank.rec_lo, bank.rec_hi))
    for n in (2, 3, 9, 40, 3_000):
        for direction, plan in fold_plans(n, bank.dec_len, mode):
            if not possible(n, mode):
                continue
            for shape, axis in (((plan.extend.n,), 0), ((3, plan.extend.n, 20), 1)):
                x = [zero_mean(shape, seed, "float32") for seed in (0, 1)]
                if direction == "analysis":
                    got = cpu.analysis(x[0], filters, plan, axis)
                    wanted = reference.analysis(x[0], filters, plan, axis)
                else:
                    got = [cpu.synthesis(x, filters, plan, axis)]
                    wanted = [reference.synthesis(x, filters, plan, axis)]
                for a, b in zip(got, wanted, strict=True):
                    np.testing.assert_array_equal(a, b, strict=True)


def test_one_filter_alone() -> None:
    plan = analysis_plan(50, 8, "smooth")
    taps = (tuple(pywt.Wavelet("db4").dec_hi),)
    for shape, axis in (((50,), 0), ((50, 40), 0)):
        x = zero_mean(shape)
        (got,), (wanted,) = (k.analysis(x, taps, plan, axis) for k in (cpu, reference))
        np.testing.assert_array_equal(got, wanted)


# --- gradients in taps ---------------------------------------------------------------------------

# Along an axis and across it, in one piece and in many, and numbers that do not fill a vector.
GRADIENTS = {
    "line": ((70_001,), 0),
    "lines": ((40, 2_000), 1),
    "columns": ((150, 1_101), 0),
    "three numbers": ((90, 400, 3), 1),
    "volume": ((7, 30, 40, 20), 1),
}


def gradient_plans(n: int, length: int) -> list[FilterPlan]:
    """Plans with an extension of weighted samples, with one of zeros, and with a fold."""
    smooth, periodic = (analysis_plan(n, length, mode) for mode in ("smooth", "periodization"))
    m = smooth.n_out
    return [smooth, periodic, synthesis_plan(m, length, "periodization").synthesis_adjoint()]


def arrays_of(plan: FilterPlan, shape: tuple[int, ...], axis: int, dtype: str) -> list[Any]:
    """An input and three cotangents."""
    lengths = (plan.extend.n, *(plan.n_out,) * 3)
    shapes = [(*shape[:axis], n, *shape[axis + 1 :]) for n in lengths]
    return [zero_mean(s, seed, dtype) for seed, s in enumerate(shapes)]


def assert_gradients(x: Any, cotangents: list[Any], plan: FilterPlan, axis: int) -> None:
    """Raise unless they equal the reference's in double precision, rounded once.

    Samples beyond the ends are rounded, too, if they are weighted sums. Each side has up to a
    filter length of them, with weights up to that length.
    """
    wide = "complex128" if np.iscomplexobj(x) else "float64"
    weighted = any(len(row) > 1 for row in plan.extend.left + plan.extend.right)
    got = cpu.tap_gradients(x, cotangents, plan, axis)
    wanted = reference.tap_gradients(
        x.astype(wide), [y.astype(wide) for y in cotangents], plan, axis
    )
    for gradient, expected, y in zip(got, wanted, cotangents, strict=True):
        assert gradient.dtype == x.real.dtype
        lines = x.size / plan.extend.n if weighted else 0
        ends = 2 * plan.length**2 * np.abs(x).max() * np.abs(y).max() * np.sqrt(lines)
        rounded = np.finfo(gradient.dtype).eps * (np.abs(expected) + ends)
        size = np.linalg.norm(x) * np.linalg.norm(y) * plan.length
        summed = np.finfo("float64").eps * np.sqrt(x.size) * size
        assert (np.abs(gradient - expected) <= rounded + summed).all()


@pytest.mark.parametrize(("name", "dtype"), paired(GRADIENTS, DTYPES))
def test_tap_gradients_of_large_arrays(name: str, dtype: str) -> None:
    shape, axis = GRADIENTS[name]
    for plan in gradient_plans(shape[axis], 10):
        x, *cotangents = arrays_of(plan, shape, axis, dtype)
        for count in (1, 2, 3):
            assert_gradients(x, cotangents[:count], plan, axis)


@pytest.mark.parametrize("name", VIEWS)
def test_tap_gradients_read_any_strides(name: str) -> None:
    for dtype in ("float32", "complex128"):
        x = VIEWS[name](zero_mean((70, 90), 5, dtype))
        for axis in (0, 1):
            for plan in gradient_plans(x.shape[axis], 4):
                if plan.extend.n == x.shape[axis]:
                    _, *cotangents = arrays_of(plan, x.shape, axis, dtype)
                    assert_gradients(x, [cotangents[0][::-1][::-1], cotangents[1]], plan, axis)
                    transposed = np.ascontiguousarray(cotangents[2].T).T
                    assert_gradients(x, [unaligned(cotangents[0]), transposed], plan, axis)


def test_tap_gradients_of_nothing() -> None:
    plan = analysis_plan(9, 4, "symmetric")
    (gradient,) = cpu.tap_gradients(np.ones((0, 9)), [np.ones((0, plan.n_out))], plan, 1)
    np.testing.assert_array_equal(gradient, np.zeros(4), strict=True)
    assert cpu.tap_gradients(np.ones(9), [], plan, 0) == []


def test_the_module_refuses_cotangents_that_do_not_fit() -> None:
    plan = analysis_plan(16, 4, "zero")
    module = _cpu.TapGradients(cpu_filters.analysis_axis(plan, ((0.0,) * 4,), 0))
    x, y = np.zeros(16), np.zeros(plan.n_out)
    assert module.run(x, [y, y]).shape == (2, 4)
    with pytest.raises(RuntimeError, match="does not fit"):
        module.run(x, [y[1:]])
    with pytest.raises(RuntimeError, match="does not fit"):
        module.run(y, [y])
    assert module.run(x, [y.astype("f4")]) is None
    assert module.run(x.astype("i4"), []) is None


# --- instruction sets and threads ----------------------------------------------------------------


@cache
def digest() -> str:
    """A fingerprint of many results."""
    total = hashlib.sha256()
    for wavelet in WAVELETS:
        for mode in MODES:
            for shape in ((53,), (20, 37), (600, 700), (9, 10, 40)):
                for dtype in DTYPES if shape != (600, 700) else ("float32",):
                    x = zero_mean(shape, 4, dtype)
                    bands = lw.dwtn(x, wavelet, mode)
                    for leaf in [*leaves(bands), lw.idwtn(bands, wavelet, mode)]:
                        total.update(np.ascontiguousarray(leaf).tobytes())
    for wavelet in WAVELETS:
        for dtype in ("float32", "complex64"):
            for leaf in lw.wavedec(zero_mean(270_001, 4, dtype), wavelet, level=8):
                total.update(leaf.tobytes())
    for shape, axis in GRADIENTS.values():
        for dtype in ("float32", "complex128"):
            for plan in gradient_plans(shape[axis], 10):
                x, *cotangents = arrays_of(plan, shape, axis, dtype)
                for gradient in cpu.tap_gradients(x, cotangents, plan, axis):
                    total.update(gradient.tobytes())
    for dtype in ("float32", "float64"):
        for n, rate in ((900, 1.0), (5000, 0.25)):
            rows = lw.scalogram(zero_mean((2, n), 5, dtype), voices=3, rate=rate)
            total.update(rows.coefficients.tobytes())
    return total.hexdigest()


def run(code: str, **environment: str) -> str:
    """The output of a fresh interpreter."""
    here = str(Path(__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r})\n{code}"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("isa", _cpu.available_isas())
def test_every_instruction_set_gives_the_same_bits(isa: str) -> None:
    code = (
        "import test_cpu_kernels as t, liftwave._cpu as m\n"
        f"assert m.isa() == {isa!r}, m.isa()\nprint(t.digest())"
    )
    with lw.kernels("cpu"):
        assert run(code, LIFTWAVE_ISA=isa) == digest()


def test_an_instruction_set_that_is_not_there_is_an_error() -> None:
    code = "import liftwave"
    with pytest.raises(AssertionError, match="LIFTWAVE_ISA asks for 'sparc'"):
        run(code, LIFTWAVE_ISA="sparc")


@pytest.fixture
def threads() -> Any:
    before = lw.get_num_threads()
    yield lw.set_num_threads
    lw.set_num_threads(before)


def test_results_do_not_depend_on_threads(threads: Any) -> None:
    x = zero_mean((700, 900), 6, "float32")
    line = zero_mean(300_000, 6)
    gradients = []
    for plan, shape, axis in (
        (analysis_plan(700, 8, "smooth"), (700, 900), 0),
        (analysis_plan(900, 8, "smooth"), (700, 900), 1),
    ):
        first, *cotangents = arrays_of(plan, shape, axis, "float32")
        gradients.append((first, cotangents, plan, axis))

    def results() -> list[Any]:
        coeffs = lw.wavedec2(x, "db4", "smooth", level=3)
        return [
            coeffs,
            lw.waverec2(coeffs, "db4", "smooth"),
            lw.wavedec(line, "db3", level=3),
            lw.wavedec(line, "db4", "periodization", level=8),
            [cpu.tap_gradients(*each) for each in gradients],
        ]

    threads(1)
    expected = leaves(results())
    for count in (2, 3, 7):
        threads(count)
        for a, b in zip(leaves(results()), expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_number_of_threads(threads: Any) -> None:
    threads(3)
    assert lw.get_num_threads() == 3
    with pytest.raises(ValueError, match="from 1 to 2147483647, got 0"):
        threads(0)
    code = "import liftwave as lw; print(lw.get_num_threads())"
    assert run(code, LIFTWAVE_NUM_THREADS="5") == "5"
    assert run(code, OMP_NUM_THREADS="3", LIFTWAVE_NUM_THREADS="") == "3"


def test_many_callers_at_once(threads: Any) -> None:
    threads(3)
    inputs = [zero_mean((300, 400 + k), k, "float32") for k in range(8)]
    with lw.kernels("reference"):
        expected = [lw.wavedec2(x, "db4", level=2) for x in inputs]
    failures: list[str] = []

    def call(k: int) -> None:
        for _ in range(20):
            got = lw.wavedec2(inputs[k], "db4", level=2)
            back = lw.waverec2(got, "db4")
            same = all(
                np.array_equal(a, b) for a, b in zip(leaves(got), leaves(expected[k]), strict=True)
            )
            if not same or not np.allclose(back[:300, : 400 + k], inputs[k], atol=1e-4):
                failures.append(f"caller {k}")

    workers = [threading.Thread(target=call, args=(k,)) for k in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=300)
    assert not failures
    assert not any(worker.is_alive() for worker in workers)


def _forked(x: np.ndarray) -> str:
    return hashlib.sha256(lw.dwt2(x, "db4")[0].tobytes()).hexdigest()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_computes(threads: Any) -> None:
    threads(2)
    x = zero_mean((800, 900), 7, "float32")
    expected = _forked(x)  # starts threads, which the child does not inherit
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads, 3.12+
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map_async(_forked, [x] * 4).get(timeout=120) == [expected] * 4
    assert _forked(x) == expected


class Images:
    """A data set whose worker processes transform the items."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, k: int) -> Any:
        return lw.dwt2(zero_mean((500, 600), k, "float32"), "db2")[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_data_loader_computes() -> None:
    torch = pytest.importorskip("torch")
    lw.dwt2(zero_mean((500, 600)), "db2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        loader = torch.utils.data.DataLoader(
            Images(), num_workers=2, timeout=120, multiprocessing_context="fork"
        )
        for k, item in enumerate(loader):
            np.testing.assert_array_equal(item[0].numpy(), Images()[k])


# --- supported arrays ----------------------------------------------------------------------------


def test_who_is_served() -> None:
    plain = zero_mean(8)
    assert _dispatch.kernels_for(plain).name == "cpu"
    assert _dispatch.kernels_for(plain.astype("f2")).name == "reference"
    assert _dispatch.kernels_for(np.longdouble(plain)).name == "reference"
    with lw.kernels("reference"):
        assert _dispatch.kernels_for(plain).name == "reference"
    with (
        pytest.raises(ValueError, match="unknown kernels 'gpu'; available: 'reference', 'cpu'"),
        lw.kernels("gpu"),
    ):
        pass


def test_torch_tensors_are_served_in_place() -> None:
    torch = pytest.importorskip("torch")
    x = torch.asarray(zero_mean((30, 40), dtype="float32"))
    served = [x, x.T, x.to(torch.complex64), x[::2, 1:]]
    for each in served:
        assert _dispatch.kernels_for(each).name == "cpu"
        got = lw.dwt2(each, "db2")[0]
        assert type(got) is torch.Tensor
        assert got.dtype == each.dtype
        np.testing.assert_array_equal(got.numpy(), lw.dwt2(each.numpy(), "db2")[0])
    back = lw.waverec2(lw.wavedec2(x, "db2", level=2), "db2")
    np.testing.assert_allclose(back.numpy(), x.numpy(), atol=1e-5)


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's own
def test_tensors_that_something_watches_are_not() -> None:
    torch = pytest.importorskip("torch")
    x = torch.asarray(zero_mean((12, 16)), dtype=torch.float64)
    watched = x.clone().requires_grad_()
    assert _dispatch.kernels_for(watched).name == "reference"
    assert _dispatch.kernels_for(x, watched).name == "reference"
    with torch.no_grad():
        assert _dispatch.kernels_for(watched).name == "cpu"
        assert not lw.dwt(watched, "haar")[0].requires_grad
    assert _dispatch.kernels_for(x.to(torch.complex128).conj()).name == "reference"
    assert _dispatch.kernels_for(x.half()).name == "reference"
    lw.dwt2(watched, "db2")[0].sum().backward()
    assert watched.grad is not None
    batched = torch.vmap(lambda row: lw.dwt(row, "db2")[0])(x)
    np.testing.assert_allclose(batched.numpy(), lw.dwt(x.numpy(), "db2")[0], atol=1e-12)
    _, tangent = torch.func.jvp(lambda v: lw.dwt(v, "db2")[0], (x,), (x,))
    np.testing.assert_allclose(tangent.numpy(), batched.numpy(), atol=1e-12)


def test_taps_that_are_tensors_get_their_gradients() -> None:
    torch = pytest.importorskip("torch")
    taps = [torch.tensor(f, requires_grad=True) for f in pywt.Wavelet("db2").filter_bank]
    bank = lw.FilterBank(*taps)
    x = torch.asarray(zero_mean((10, 12)), dtype=torch.float64)
    bands = lw.dwt2(x, bank)
    lw.idwt2(bands, bank).square().sum().backward()
    assert all(tap.grad is not None and tap.grad.abs().sum() > 0 for tap in taps)


def test_plans_are_kept_and_warnings_are_not_swallowed() -> None:
    x = zero_mean(16)
    for _ in range(2):
        with pytest.warns(lw.errors.LevelWarning, match="too high"):
            lw.wavedec(x, "db4", level=3)
        with pytest.raises(lw.errors.ShapeError, match="greater than 1"):
            lw.dwt(x[:1], "db4", "reflect")


# --- without the extension ---------------------------------------------------------------------

WITHOUT = """
import sys, warnings
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "liftwave._cpu":
            raise ModuleNotFoundError("not built", name=name)
sys.meta_path.insert(0, Missing())
import numpy as np, liftwave as lw
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(3):
        a, d = lw.dwt(np.arange(8.0), "db2")
assert np.allclose(lw.idwt(a, d, "db2"), np.arange(8.0))
lw.set_num_threads(2)
lw.show_config()
try:
    lw.kernels("cpu").__enter__()
except ValueError as error:
    print(error)
print(len(caught), *{str(w.message)[:50] for w in caught})
"""


def test_without_the_extension() -> None:
    said = run(WITHOUT)
    assert "kernels           reference" in said
    assert "installed without its compiled kernels" in said
    assert said.endswith("1 liftwave was installed without its compiled kernel")
    assert run(WITHOUT, LIFTWAVE_KERNELS="reference").splitlines()[-1] == "0"


def test_show_config(capsys: pytest.CaptureFixture[str]) -> None:
    lw.show_config()
    said = capsys.readouterr().out
    assert f"threads           {lw.get_num_threads()}" in said
    assert _cpu.isa() in said
