"""Undecimated filter banks in boundary modes that are not periodic: analysis only."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest
import pywt
import torch
from helpers import MODES, zero_mean

import liftwave as lw
from liftwave._plan.boundary import ModeRows, signal_row
from liftwave.errors import LevelError, ModeError, ModeTypeError, ShapeError
from liftwave.gradients import vjp

OTHERS = tuple(mode for mode in MODES if "period" not in mode)

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")


def level_of(x: np.ndarray, taps: Any, dilation: int, mode: Any) -> np.ndarray:
    """The documented sum for the last axis, evaluated directly."""
    length, n = len(taps), x.shape[-1]
    before, after = dilation * (length - 1 - length // 2), dilation * (length // 2)
    wide = lw.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, after)], mode)
    places = np.arange(n)[:, None] + before + dilation * (length // 2 - np.arange(length))
    return wide[..., places] @ np.asarray(taps)


@pytest.mark.parametrize("mode", OTHERS)
@pytest.mark.usefixtures("kernels")
def test_bands_are_those_of_the_formula(mode: Any) -> None:
    for name, n, levels, start in (("db2", 23, 3, 0), ("bior1.3", 9, 3, 0), ("haar", 12, 2, 1)):
        wavelet, approx = pywt.Wavelet(name), zero_mean((2, n))
        scale = max(1.0, 4.0**levels)
        found = lw.swt(approx, name, levels, start, mode=mode)
        for level, (cA, cD) in enumerate(reversed(found)):
            dilation = 2 ** (start + level)
            detail = level_of(approx, wavelet.dec_hi, dilation, mode)
            approx = level_of(approx, wavelet.dec_lo, dilation, mode)
            np.testing.assert_allclose(cA, approx, rtol=0, atol=1e-13 * scale * abs(approx).max())
            np.testing.assert_allclose(cD, detail, rtol=0, atol=1e-13 * scale * abs(approx).max())


@pytest.mark.parametrize("mode", OTHERS)
def test_every_second_coefficient_is_that_of_pywavelets(mode: Any) -> None:
    x = zero_mean(31)
    for name in ("haar", "db4", "bior2.4"):
        half = pywt.Wavelet(name).dec_len // 2
        ((cA, cD),) = lw.swt(x, name, 1, mode=mode)
        for band, expected in zip((cA, cD), pywt.dwt(x, name, mode), strict=True):
            places = 2 * np.arange(len(expected)) + 1 - half
            inside = (places >= 0) & (places < len(x))
            np.testing.assert_allclose(band[places[inside]], expected[inside], rtol=0, atol=1e-12)


def test_options_are_those_of_periodic_axes() -> None:
    x, options = zero_mean((6, 20)), {"level": 2, "axis": 0, "mode": "symmetric"}
    (cA, cD), (_, finer) = lw.swt(x, "db2", **options)
    trimmed = lw.swt(x, "db2", trim_approx=True, **options)
    for band, expected in zip(trimmed, (cA, cD, finer), strict=True):
        np.testing.assert_array_equal(band, expected)
    halves = lw.swt(x, "db2", trim_approx=True, norm=True, **options)
    factors = (0.5, 0.5, 0.5**0.5)
    for band, expected, factor in zip(halves, trimmed, factors, strict=True):
        np.testing.assert_allclose(band, factor * expected, rtol=0, atol=1e-14)


def test_several_axes_have_a_mode_each() -> None:
    x = zero_mean((7, 9))
    ((cA, (cH, cV, cD)),) = lw.swt2(x, ("db2", "haar"), 1, mode=("symmetric", "zero"))
    halves = lw.swt(x, "db2", 1, axis=0, mode="symmetric")[0]
    bands = [band for half in halves for band in lw.swt(half, "haar", 1, mode="zero")[0]]
    for found, expected in zip((cA, cV, cH, cD), bands, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    (found_n,) = lw.swtn(x, ("db2", "haar"), 1, mode=("symmetric", "zero"))
    np.testing.assert_array_equal(found_n["da"], cH)
    (mixed,) = lw.swtn(x, "db2", 1, mode=("periodization", "reflect"))
    half = lw.swt(x, "db2", 1, axis=0)[0][0]
    expected = lw.swt(half, "db2", 1, mode="reflect")[0][1]
    np.testing.assert_allclose(mixed["ad"], expected, rtol=0, atol=1e-14)


@pytest.mark.usefixtures("kernels")
def test_both_names_of_periodic_axes_are_the_same() -> None:
    x = zero_mean((2, 11))
    bands = lw.swt(x, "db3", 5)
    for mode in ("periodic", "periodization", pywt.Modes.periodic):
        for pair, expected in zip(lw.swt(x, "db3", 5, mode=mode), bands, strict=True):
            np.testing.assert_array_equal(pair, expected)
    np.testing.assert_array_equal(
        lw.iswt(bands, "db3", mode="periodic"), lw.iswt(bands, "db3", mode="periodization")
    )
    quads = lw.swt2(x, "db3", 1, mode=["periodic"])
    lw.iswt2(quads, "db3", mode=("periodic", "periodization"))


@pytest.mark.parametrize("mode", OTHERS)
def test_pullbacks_are_adjoints(mode: Any) -> None:
    rng = np.random.default_rng(0)
    for dtype in (float, complex):
        x, probe = (rng.standard_normal((2, 9)).astype(dtype) for _ in range(2))
        y, pullback = vjp(lw.swt, x, "db2", 3, mode=mode)
        g = [tuple(rng.standard_normal((2, *x.shape))) for _ in y]
        pulled = pullback(g).data
        moved = lw.swt(probe, "db2", 3, mode=mode)
        expected = sum(
            float(np.vdot(a, b).real) for p, q in zip(g, moved, strict=True)
            for a, b in zip(p, q, strict=True)
        )  # fmt: skip
        assert float(np.vdot(pulled, probe).real) == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("norm", [False, True])
def test_torch_differentiates(norm: bool) -> None:
    bank = pywt.Wavelet("db2").filter_bank
    taps = [torch.tensor(f, dtype=torch.float64, requires_grad=True) for f in bank]
    x = torch.from_numpy(zero_mean((2, 6))).requires_grad_()

    def forth(x: Any, low: Any, high: Any) -> Any:
        wavelet = lw.FilterBank(low, high, *taps[2:])
        return tuple(lw.swt(x, wavelet, 2, trim_approx=True, norm=norm, mode="reflect"))

    assert torch.autograd.gradcheck(forth, (x, *taps[:2]))


@pytest.mark.filterwarnings("ignore::liftwave.errors.ReconstructionWarning", "ignore:norm=True")
def test_gradients_in_taps_are_those_of_finite_differences() -> None:
    rng = np.random.default_rng(1)
    x, taps = rng.standard_normal((3, 9)), [np.array(f) for f in pywt.Wavelet("db2").filter_bank]
    direction = rng.standard_normal((2, 4))
    y, pullback = vjp(lw.swt, x, lw.FilterBank(*taps), 2, norm=True, mode="antireflect")
    g = [tuple(rng.standard_normal((2, *x.shape))) for _ in y]
    gradient = pullback(g).wavelet

    def value(t: float) -> float:
        low, high = (f + t * d for f, d in zip(taps, direction, strict=False))
        bank = lw.FilterBank(low, high, *taps[2:])
        bands = lw.swt(x, bank, 2, norm=True, mode="antireflect")
        pairs = zip(g, bands, strict=True)
        return float(sum((a * b).sum() for p, q in pairs for a, b in zip(p, q, strict=True)))

    slope = (value(1e-5) - value(-1e-5)) / 2e-5
    ours = float(gradient.dec_lo @ direction[0] + gradient.dec_hi @ direction[1])
    assert ours == pytest.approx(slope, rel=1e-6)


def test_errors() -> None:
    x, image = zero_mean(8), zero_mean((4, 4))
    bands, quads = lw.swt(x, "haar", 1), lw.swt2(image, "haar", 1)
    with pytest.raises(ModeError, match=r"iswt inverts filter banks with mode='periodization'"):
        lw.iswt(bands, "haar", mode="symmetric")
    with pytest.raises(ModeError, match=r"iswt2 inverts .* got \('periodic', 'zero'\)"):
        lw.iswt2(quads, "haar", mode=("periodic", "zero"))
    with pytest.raises(ModeError, match="Use a LiftingScheme"):
        lw.iswtn([{"a": x, "d": x}], "haar", mode="reflect")
    with pytest.raises(ModeError, match="Unknown mode name 'mirror'"):
        lw.swt(x, "haar", 1, mode="mirror")  # type: ignore[arg-type]
    with pytest.raises(ModeTypeError, match="mode must be a name or a number"):
        lw.swt(x, "haar", 1, mode=["zero"])  # type: ignore[arg-type]
    with pytest.raises(ModeError, match="got 3 modes for 2 axes"):
        lw.swt2(image, "haar", 1, mode=("zero", "zero", "zero"))
    with pytest.raises(ShapeError, match=r"greater than 1 for \[anti\]reflect mode"):
        lw.swt(x[:1], "haar", 1, mode="reflect")


def test_taps_cannot_be_as_far_apart_as_the_ends() -> None:
    x = zero_mean(8)
    for level, start in ((3, 0), (1, 2)):
        lw.swt(x, "haar", level, start, mode="zero")
    with pytest.raises(LevelError, match=r"taps 8 samples apart, but axis 0 has 8.*at most 3"):
        lw.swt(x, "haar", 4, mode="zero")
    with pytest.raises(LevelError, match=r"start_level \+ level is 4"):
        lw.swt(x, "haar", 2, 2, mode="zero")
    lw.swt(x, "haar", 40)
    lw.swt(x[:1], "haar", 1, mode="zero")


@pytest.mark.parametrize("mode", MODES)
def test_rows_as_arrays_are_the_rows(mode: Any) -> None:
    for n in (1, 2, 3, 8):
        for start, stop in ((-25, 0), (n, n + 25)):
            rows = ModeRows(mode, n, start, stop)
            dense, expected = np.zeros((25, n)), np.zeros((25, n))
            for indices, weights in rows.columns:
                dense[np.arange(25), indices] += weights
            for k, row in enumerate(rows):
                for index, weight in row:
                    expected[k, index] += weight
            np.testing.assert_array_equal(dense, expected)
            assert rows[-1] == rows[24] == rows[20:][4]


def test_levels_of_long_signals_are_planned_without_loops() -> None:
    """The extension of the last level has as many rows as its taps reach."""
    x = zero_mean(1 << 14)
    calls: list[int] = []

    def counted(*args: Any) -> Any:
        calls.append(1)
        return signal_row(*args)

    with mock.patch("liftwave._plan.boundary.signal_row", counted):
        lw.swt(x, "db4", level=12, mode="symmetric")
    assert len(calls) < 100
