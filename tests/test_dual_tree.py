"""The dual-tree complex transform: filters, formulas, inverses, adjoints, shifts, peers."""

from __future__ import annotations

from itertools import product
from typing import Any

import array_api_strict as xp
import numpy as np
import pytest
import torch
from helpers import zero_mean

import liftwave as lw
from liftwave.errors import AxisError, DTypeError, LevelError, ShapeError, WaveletError
from liftwave.wavelets.dual_tree import QSHIFT_NAMES, dual_tree_filters

FIRST = ("cdf9.7", "cdf5.3", "nearsym5.7")
EPS = 2e-15


# --- filters -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QSHIFT_NAMES)
def test_qshift_filters(name: str) -> None:
    """Orthonormal, one vanishing moment, and half a sample between both trees."""
    _, a, b = dual_tree_filters("cdf9.7", name).analysis
    low, high = map(np.array, a)
    assert len(low) == int(name[1:])
    for one, other in product((low, high), repeat=2):
        shifts = np.correlate(one, other, "full")[1::2]
        shifts[len(low) // 2 - 1] -= one is other
        assert abs(shifts).max() < 3e-16
    assert abs(low.sum() - 2**0.5) < 1e-15
    assert abs(high.sum()) < 1e-15
    assert b == (a[0][::-1], a[1][::-1])
    # Delays of the low-pass filters in the pass band: half a sample apart on average.
    frequencies = np.linspace(0.02, 0.45, 40) * np.pi
    ratio = np.exp(-1j * np.outer(frequencies, np.arange(len(low)))) @ np.array([a[0], b[0]]).T
    delay = np.angle(ratio[:, 0] / ratio[:, 1]) / frequencies
    np.testing.assert_allclose(delay, 0.5, atol=0.21)
    assert abs(delay.mean() - 0.5) < 0.06


@pytest.mark.parametrize("name", FIRST)
def test_filters_of_the_first_level_invert_each_other(name: str) -> None:
    filters = dual_tree_filters(name, "q10")
    (low, high), (dual_low, dual_high) = filters.analysis.first, filters.dual.first
    total = np.convolve(low, dual_low) + np.convolve(high, dual_high)
    impulse = np.zeros(len(total))
    impulse[len(low) - 2] = 1
    np.testing.assert_allclose(total, impulse, atol=3e-16)
    assert abs(sum(low) - 1) < 1e-15
    assert abs(sum(high)) < 1e-15


# --- formulas ------------------------------------------------------------------------------------


def mirrored(x: np.ndarray, i: int) -> float:
    n = len(x)
    p = i % (2 * n)
    return float(x[p if p < n else 2 * n - 1 - p])


def filtered(x: np.ndarray, taps: Any) -> np.ndarray:
    """A level of the first kind, by its formula; the last tap is zero."""
    x = np.append(x, x[-1:]) if len(x) % 2 else x
    half = (len(taps) - 2) // 2
    return np.array(
        [sum(h * mirrored(x, k + half - p) for p, h in enumerate(taps)) for k in range(len(x))]
    )


def sampled(x: np.ndarray, a: Any, b: Any) -> np.ndarray:
    """A level of the second kind, by its formula."""
    x, m = (np.array([x[0], *x, x[-1]]) if len(x) % 4 else x), len(a)
    e = [
        sum(h * mirrored(x, 4 * k + m - 2 * p) for p, h in enumerate(b)) for k in range(len(x) // 4)
    ]
    o = [
        sum(h * mirrored(x, 4 * k + m + 1 - 2 * p) for p, h in enumerate(a))
        for k in range(len(x) // 4)
    ]
    pair = (e, o) if np.dot(a, b) > 0 else (o, e)
    return np.stack(pair, axis=1).ravel()


def by_formula(x: np.ndarray, axis: int, depth: int, high: int) -> np.ndarray:
    first, a, b = dual_tree_filters("nearsym5.7", "q14").analysis

    def line(values: np.ndarray) -> np.ndarray:
        return sampled(values, a[high], b[high]) if depth else filtered(values, first[high])

    return np.apply_along_axis(line, axis, x)


@pytest.mark.parametrize("n", [1, 2, 7, 12, 37])
def test_signals_by_the_formula(kernels: Any, n: int) -> None:
    x = zero_mean(n)
    tree = lw.dtcwt(x, 3, "nearsym5.7", "q14")
    for depth in range(3):
        high = by_formula(x, 0, depth, 1)
        np.testing.assert_allclose(tree[depth + 1], high[0::2] + 1j * high[1::2], atol=EPS)
        x = by_formula(x, 0, depth, 0)
    np.testing.assert_allclose(tree.lowpass, x, atol=EPS)


def test_images_by_the_formula(kernels: Any) -> None:
    x = zero_mean((10, 13))
    tree = lw.dtcwt(x, 2, "nearsym5.7", "q14")
    for depth in range(2):
        for filters, rising, falling in (((1, 0), 0, 5), ((1, 1), 1, 4), ((0, 1), 2, 3)):
            y = by_formula(by_formula(x, 0, depth, filters[0]), 1, depth, filters[1])
            p = y[0::2, 0::2] + 1j * y[0::2, 1::2]
            q = y[1::2, 1::2] - 1j * y[1::2, 0::2]
            bands = tree[depth + 1]
            np.testing.assert_allclose(bands[..., rising], (p - q) / 2**0.5, atol=EPS)
            np.testing.assert_allclose(bands[..., falling], (p + q) / 2**0.5, atol=EPS)
        x = by_formula(by_formula(x, 0, depth, 0), 1, depth, 0)
    np.testing.assert_allclose(tree.lowpass, x, atol=EPS)


def test_volumes_by_the_formula() -> None:
    """Four bands for each of seven filters: products of imaginary units with all signs."""
    x = zero_mean((3, 4, 5))
    bands = lw.dtcwt(x, 1, "nearsym5.7")[1]
    filters = [(0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)]
    for k, (high, signs) in enumerate(product(filters, product((1, -1), (1, -1), (1,)))):
        y = x
        for axis in range(3):
            y = by_formula(y, axis, 0, high[axis])
        expected = 0
        for places in product((0, 1), repeat=3):
            unit = np.prod([(s * 1j) ** e for s, e in zip(signs, places, strict=True)])
            expected = expected + unit / 2 * y[tuple(slice(e, None, 2) for e in places)]
        np.testing.assert_allclose(bands[..., k], expected, atol=EPS)


def test_images_have_directions() -> None:
    """Crests at an angle answer in its band; angles are anticlockwise, with rows downwards."""
    rows, columns = np.mgrid[:64, :64]
    for band, angle in ((0, 15), (2, 75), (3, 105), (5, 165)):
        # The phase grows across the crests.
        normal = np.deg2rad(angle + 90)
        wave = np.cos(0.36 * np.pi * (columns * np.cos(normal) - rows * np.sin(normal)))
        tree = lw.dtcwt(wave, 2)
        energies = (abs(tree[2]) ** 2).sum(axis=(0, 1))
        assert energies.argmax() == band
        assert tree.angles[band] == angle


# --- inverses and adjoints -----------------------------------------------------------------------


def test_every_length_is_reconstructed(kernels: Any) -> None:
    for n in range(1, 40):
        x, names = zero_mean(n), (FIRST[n % 3], QSHIFT_NAMES[n // 3 % 3])
        tree = lw.dtcwt(x, 4, *names)
        np.testing.assert_allclose(tree.reconstruct(), x, atol=8e-15, err_msg=f"{n} {names}")


SHAPES = [((9, 6, 11), None), ((37, 50), None), ((2, 13, 3, 8), (1, 3)), ((3, 5, 4, 7), (3, 0, 2))]


@pytest.mark.parametrize(("shape", "axes"), SHAPES)
def test_several_axes_are_reconstructed(kernels: Any, shape: Any, axes: Any) -> None:
    x = zero_mean(shape)
    tree = lw.dtcwt(x, 3, axes=axes)
    assert x.dtype == tree.lowpass.dtype
    np.testing.assert_allclose(tree.reconstruct(), x, atol=8e-15)
    # A transform along some axes is that of each slice.
    if axes == (1, 3):
        part = lw.dtcwt(x[1, :, 2, :], 3)
        for level in (1, 3):
            np.testing.assert_allclose(tree[level][1, :, 2], part[level], atol=EPS)


@pytest.mark.parametrize(("shape", "axes"), SHAPES)
def test_pullbacks_are_adjoints(kernels: Any, shape: Any, axes: Any) -> None:
    x = zero_mean(shape)
    tree, pullback = lw.vjp(lw.dtcwt, x, 3, axes=axes)
    other = lw.dtcwt(zero_mean(shape, 1), 3, "cdf5.3", "q10", axes)
    products = [np.vdot(a, b).real for a, b in zip(tree.bands, other.bands, strict=True)]
    left = np.vdot(tree.lowpass, other.lowpass) + sum(products)
    np.testing.assert_allclose(np.vdot(x, pullback(other).data), left, rtol=1e-12)


@pytest.mark.parametrize(("biort", "qshift"), [("nearsym5.7", "q14"), ("bior2.8", "q10")])
def test_long_rows_by_both_kernels(biort: str, qshift: str) -> None:
    # Rows of full registers and their remainders; rows across them in pairs and alone.
    for dtype, eps in (("float32", 4e-5), ("float64", 1e-13)):
        for shape in ((90, 333), (70, 70), (1000,)):
            x = zero_mean(shape).astype(dtype)
            results = []
            for name in ("cpu!", "reference"):
                with lw.kernels(name):
                    tree, pullback = lw.vjp(lw.dtcwt, x, 3, biort, qshift)
                    parts = [tree.lowpass, *tree.bands, tree.reconstruct(), pullback(tree).data]
                results.append(parts)
            for ours, expected in zip(*results, strict=True):
                np.testing.assert_allclose(ours, expected, rtol=0, atol=eps)


def test_numbers_of_threads_give_the_same_bits() -> None:
    x, count = zero_mean((260, 515)), lw.get_num_threads()
    results = []
    try:
        for threads in (1, 3):
            lw.set_num_threads(threads)
            with lw.kernels("cpu!"):
                tree = lw.dtcwt(x, 3)
                results.append([tree.lowpass, *tree.bands, tree.reconstruct()])
    finally:
        lw.set_num_threads(count)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_deeper_levels_are_orthogonal() -> None:
    """Without the first level, the transform keeps the energy."""
    tree = lw.dtcwt(zero_mean((16, 24)), 3)
    first = lw.dtcwt(zero_mean((16, 24)), 1)
    bands = sum((abs(band) ** 2).sum() for band in tree.bands[:-1])
    np.testing.assert_allclose((tree.lowpass**2).sum() + bands, (first.lowpass**2).sum())


def test_torch_differentiates() -> None:
    x = torch.asarray(zero_mean((2, 3, 5))).requires_grad_()

    def both(x: Any) -> Any:
        tree = lw.dtcwt(x, 2, axes=(1, 2))
        return *map(torch.view_as_real, tree.bands), tree.map(lambda b: 2 * b).reconstruct()

    assert torch.autograd.gradcheck(both, (x,), fast_mode=True)


# --- libraries and dtypes ------------------------------------------------------------------------


def test_other_libraries() -> None:
    x = zero_mean((7, 10), dtype="float32")
    expected = lw.dtcwt(x, 2)
    for convert in (torch.asarray, xp.asarray):
        tree = lw.dtcwt(convert(x), 2)
        assert type(tree.lowpass) is type(convert(x))
        pairs = zip(tree.bands, expected.bands, strict=True)
        for band, other in ((tree.lowpass, expected.lowpass), *pairs):
            np.testing.assert_allclose(np.asarray(band), other, atol=1e-6)
        np.testing.assert_allclose(np.asarray(tree.reconstruct()), x, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_dtypes(dtype: str) -> None:
    tree = lw.dtcwt(np.arange(12, dtype=dtype), 2)
    real = "float32" if dtype == "float32" else "float64"
    assert tree.reconstruct().dtype == real
    assert tree[1].dtype == np.result_type(real, np.complex64)


def test_half_precision_of_torch() -> None:
    tree = lw.dtcwt(torch.ones(9, dtype=torch.float16), 2)
    assert (tree.lowpass.dtype, tree[1].dtype) == (torch.float16, torch.complex64)
    assert tree.reconstruct().dtype == torch.float16


# --- shifts --------------------------------------------------------------------------------------


def test_energies_hardly_change_when_a_step_moves() -> None:
    """Largest energy of a level divided by the smallest one, over 16 places of a step."""

    def ratios(levels: Any) -> np.ndarray:
        energies = np.array(
            [
                [(abs(band[len(band) // 4 : -len(band) // 4]) ** 2).sum() for band in levels(place)]
                for place in range(100, 116)
            ]
        )
        return np.asarray(energies.max(axis=0) / energies.min(axis=0))

    def step(place: int) -> np.ndarray:
        return (np.arange(256) >= place).astype(float)

    for name in QSHIFT_NAMES:
        assert (
            ratios(lambda place, q=name: lw.dtcwt(step(place), 4, qshift=q).bands[:3]).max() < 1.25
        )
    assert ratios(lambda place: lw.wavedec(step(place), "sym4", level=4)[1:4]).min() > 6


def test_pictures() -> None:
    """A signal has a panel for each level, an image six."""
    for shape, panels in (((5,), 4), ((9, 12), 1 + 3 * 6)):
        figure = lw.dtcwt(zero_mean(shape), 3).plot("title")
        assert sum(bool(ax.lines or ax.images) for ax in figure.axes) == panels
    (line,) = lw.dtcwt(zero_mean(5), 3).plot().axes[0].lines
    assert len(line.get_xdata()) == 5
    with pytest.raises(ShapeError, match="index a batch"):
        lw.dtcwt(np.ones((2, 8)), 1, axes=1).plot()


# --- filters of users ----------------------------------------------------------------------------


def test_filters_of_users() -> None:
    """Kingsbury's order of filters, one filter, wavelets: all give the same transform."""
    first, (h0a, h1a), (h0b, h1b) = dual_tree_filters("cdf5.3", "q10").analysis
    dual = dual_tree_filters("cdf5.3", "q10").dual.first
    four = [
        np.trim_zeros(f)[:, None] for f in map(np.array, (first[0], dual[0], first[1], dual[1]))
    ]
    eight = (h0a, h0b, h0b, h0a, h1a, h1b, h1b, h1a)
    x = zero_mean(21)
    expected = lw.dtcwt(x, 3, "cdf5.3", "q10")
    for biort, qshift in ((four, eight), (lw.Wavelet("bior2.2"), h0a), ("bior2.2", np.array(h0a))):
        tree = lw.dtcwt(x, 3, biort, qshift)
        np.testing.assert_allclose(tree[3], expected[3], atol=EPS)
        np.testing.assert_allclose(tree.reconstruct(), x, atol=8e-15)


def test_other_filters_are_refused() -> None:
    h = dual_tree_filters("cdf5.3", "q10").analysis.tree_a[0]
    for biort in ("db2", "bior3.5", "cdf", ([1.0], [1.0]), [np.ones(3)] * 4, [np.ones(2)] * 4):
        with pytest.raises(WaveletError):
            lw.dtcwt(np.ones(8), 1, biort)
    for qshift in (
        "q12",
        np.ones(10),
        h[1:],
        [h] * 7,
        [h] * 8,
        (h, h[::-1], h[::-1], h, h, h, h, h),
    ):
        with pytest.raises(WaveletError):
            lw.dtcwt(np.ones(8), 2, qshift=qshift)


def test_wrong_arguments_name_the_cause() -> None:
    with pytest.raises(DTypeError, match="real and the imaginary part"):
        lw.dtcwt(np.ones(8, complex))
    with pytest.raises(AxisError, match="pass the axes"):
        lw.dtcwt(np.ones((2, 2, 2, 2)))
    with pytest.raises(LevelError):
        lw.dtcwt(np.ones(8), 0)
    with pytest.raises(ShapeError):
        lw.dtcwt(np.ones((2, 0)))
    tree = lw.dtcwt(np.ones(8), 2)
    with pytest.raises(LevelError, match="from 1 to 2, or -1"):
        tree[3]
    with pytest.raises(ShapeError):
        tree.map(lambda band: band[1:])
    with pytest.raises(ShapeError, match="needs a DualTree"):
        lw.vjp(lw.dtcwt, np.ones(8), 2)[1](lw.dtcwt(np.ones(8), 1))


# --- the package dtcwt ---------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:The 'warn' function is deprecated:DeprecationWarning")
def test_the_package_dtcwt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers with its filters, where it is installed. It needs names that NumPy 2 dropped."""
    monkeypatch.setattr(np, "int", int, raising=False)
    monkeypatch.setattr(
        np, "asfarray", lambda a, dtype=float: np.asarray(a, a.dtype), raising=False
    )
    monkeypatch.setattr(np, "issubsctype", np.issubdtype, raising=False)
    coeffs = pytest.importorskip("dtcwt.coeffs")
    from dtcwt import Transform1d, Transform2d, Transform3d

    first, deeper = coeffs.biort("near_sym_a"), coeffs.qshift("qshift_b")
    for kind, shape in (
        (Transform1d, (100,)),
        (Transform2d, (37, 50)),
        (Transform3d, (16, 12, 20)),
    ):
        x = zero_mean(shape)
        expected = kind(first, deeper).forward(x, nlevels=3)
        tree = lw.dtcwt(x, 3, first, deeper)
        np.testing.assert_allclose(
            tree.lowpass, expected.lowpass.reshape(tree.lowpass.shape), atol=EPS
        )
        for level in (1, 2, 3):
            bands = expected.highpasses[level - 1].reshape(tree[level].shape)
            np.testing.assert_allclose(tree[level], bands, atol=EPS)
