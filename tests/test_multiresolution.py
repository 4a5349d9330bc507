"""Multiresolution analyses and the maximal overlap transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import Library, to_numpy, zero_mean

import liftwave as lw
from liftwave.errors import (
    CoefficientsError,
    LevelError,
    ModeError,
    NormWarning,
    OptionError,
    ShapeError,
    WaveletError,
)


def leaves(tree: Any) -> list[Any]:
    """The arrays of coefficients, in order."""
    if isinstance(tree, Mapping):
        return [tree[key] for key in sorted(tree)]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def assert_same(ours: Any, theirs: Any, atol: float = 1e-12) -> None:
    assert type(ours) is type(theirs)
    assert [type(branch) for branch in ours] == [type(branch) for branch in theirs]
    for y, expected in zip(leaves(ours), leaves(theirs), strict=True):
        assert y.dtype == expected.dtype
        np.testing.assert_allclose(y, expected, rtol=0, atol=atol)


# --- mra -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", ["haar", "db4", "sym5"])
@pytest.mark.usefixtures("kernels")
def test_mra_equals_pywavelets(wavelet: str) -> None:
    x = zero_mean((3, 48))
    for options in ({}, {"level": 2}, {"axis": 1, "level": 3}):
        assert_same(lw.mra(x, wavelet, **options), pywt.mra(x, wavelet, **options))
    x = zero_mean((32, 3))
    assert_same(lw.mra(x, wavelet, axis=0), pywt.mra(x, wavelet, axis=0))
    assert_same(lw.mra(x + 1j * x, wavelet, axis=0), pywt.mra(x + 1j * x, wavelet, axis=0))


@pytest.mark.parametrize("mode", ["periodization", "symmetric", "zero"])
def test_mra_of_the_dwt_equals_pywavelets(mode: Any) -> None:
    for n in (20, 33):
        x = zero_mean(n)
        theirs = pywt.mra(x, "db2", 2, transform="dwt", mode=mode)
        assert_same(lw.mra(x, "db2", 2, transform="dwt", mode=mode), theirs)
    image = zero_mean((13, 16))
    theirs = pywt.mra2(image, "db2", 1, transform="dwt2", mode=mode)
    assert_same(lw.mra2(image, "db2", 1, transform="dwt2", mode=mode), theirs)
    theirs = pywt.mran(image, "db2", 1, transform="dwtn", mode=mode)
    assert_same(lw.mran(image, "db2", 1, transform="dwtn", mode=mode), theirs)


@pytest.mark.usefixtures("kernels")
def test_mra_along_several_axes_equals_pywavelets() -> None:
    image, x = zero_mean((8, 12)), zero_mean((4, 8, 4))
    for wavelet in ("haar", ("db2", "sym3")):
        for axes in ((-2, -1), (1, 0)):
            assert_same(lw.mra2(image, wavelet, 2, axes), pywt.mra2(image, wavelet, 2, axes))
    assert_same(lw.mra2(image, "db2"), pywt.mra2(image, "db2"))
    assert_same(lw.mran(x, "db2"), pywt.mran(x, "db2"))
    assert_same(lw.mran(x, "db2", 1, (2, 0)), pywt.mran(x, "db2", 1, (2, 0)))


@pytest.mark.filterwarnings("ignore:norm=True")
@pytest.mark.usefixtures("kernels")
def test_components_add_up_for_every_length() -> None:
    for n in range(1, 40):
        x = np.cos(np.arange(n) ** 2)
        for wavelet in ("db3", "bior2.2"):
            np.testing.assert_allclose(lw.imra(lw.mra(x, wavelet, 4)), x, rtol=0, atol=1e-11)
    image, x = zero_mean((5, 7)), zero_mean((3, 5, 4))
    np.testing.assert_allclose(lw.imra2(lw.mra2(image, "db2", 3)), image, rtol=0, atol=1e-11)
    np.testing.assert_allclose(lw.imran(lw.mran(x, "db2", 2)), x, rtol=0, atol=1e-11)
    x = zero_mean(21)
    rec = lw.imra(lw.mra(x, lw.LiftingScheme.from_name("cdf5.3"), 2, -1, "dwt", "symmetric"))
    np.testing.assert_allclose(rec, x, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.usefixtures("kernels")
def test_levels_are_sums_of_components(xp: Library) -> None:
    x = xp.asarray(zero_mean((5, 8)))
    cases = (
        (lw.mra2, {"wavelet": "db2"}),
        (lw.mra2, {"wavelet": "db2", "transform": "dwt2", "mode": "zero"}),
        (lw.mran, {"wavelet": ["haar", "db3"], "axes": (1, 0)}),
        (lw.mran, {"wavelet": "db2", "transform": "dwtn", "axes": 1}),
    )
    for function, options in cases:
        single = function(x, level=2, **options)
        ours = function(x, level=2, levels_only=True, **options)
        assert [type(part) for part in ours] == [type(x)] * 3
        for part, details in zip(ours, single, strict=True):
            expected = sum(map(to_numpy, leaves(details)))
            np.testing.assert_allclose(to_numpy(part), expected, rtol=0, atol=1e-13)
        np.testing.assert_allclose(to_numpy(lw.imra(ours)), to_numpy(x), rtol=0, atol=1e-12)
    with pytest.raises(OptionError, match="levels_only"):
        lw.mra2(x, "haar", 1, levels_only=x)  # type: ignore[arg-type]


@pytest.mark.usefixtures("kernels")
def test_components_of_long_signals_are_arrays_of_their_own() -> None:
    """They take the memory of bands, but only of bands that no later component needs."""
    x, image = zero_mean(9000), zero_mean((96, 110), 2, "float32")
    x.flags.writeable = image.flags.writeable = False
    bands = lw.swt(x, "db3", 3, trim_approx=True, norm=True)
    alone = [[y if k == j else None for k, y in enumerate(bands)] for j in range(4)]
    components = lw.mra(x, "db3", 3)
    for component, coeffs in zip(components, alone, strict=True):
        np.testing.assert_array_equal(component, lw.iswt(coeffs, "db3", norm=True))
    approx, *details = lw.swt2(image, "db2", 2, trim_approx=True, norm=True)
    smooth, *levels = lw.mra2(image, "db2", 2)
    none = (None, None, None)
    zeros = [approx, none, none], [None, *details[:1], none], [None, none, *details[1:]]
    sums = [lw.iswt2(coeffs, "db2", norm=True) for coeffs in zeros]
    np.testing.assert_array_equal(smooth, sums[0])
    for parts, level in zip(levels, sums[1:], strict=True):
        np.testing.assert_allclose(sum(parts), level, rtol=0, atol=1e-5)
    for every in (components, leaves([smooth, levels])):
        for k, component in enumerate(every):
            assert not any(np.may_share_memory(component, other) for other in every[:k])


def test_sums_do_not_modify_components() -> None:
    image = zero_mean((4, 8))
    for analyse, add in ((lw.mra2, lw.imra2), (lw.mran, lw.imran), (lw.mra, lw.imra)):
        parts = analyse(image, "haar", 1)
        before = [part.copy() for part in leaves(parts)]
        add(parts)
        for part, copy in zip(leaves(parts), before, strict=True):
            np.testing.assert_array_equal(part, copy)


def test_libraries_agree(xp: Library) -> None:
    x = zero_mean((6, 9))
    for function in (lw.mra, lw.mra2, lw.mran, lw.modwt, lw.modwt_mra):
        ours, expected = function(xp.asarray(x), "db2", 2), function(x, "db2", 2)
        for y, of_numpy in zip(leaves(ours), leaves(expected), strict=True):
            assert type(y) is type(xp.asarray(x))
            np.testing.assert_allclose(to_numpy(y), of_numpy, rtol=0, atol=1e-13)


def test_torch_differentiates() -> None:
    x = torch.from_numpy(zero_mean((2, 5))).requires_grad_()
    for function in (lw.mra, lw.mra2, lw.modwt_mra, lw.modwt):
        call = lambda x, f=function: tuple(leaves(f(x, "db2", 2)))  # noqa: E731
        assert torch.autograd.gradcheck(call, x)
    reflected = lambda x: tuple(lw.modwt_mra(x, "db2", 2, mode="reflection"))  # noqa: E731
    assert torch.autograd.gradcheck(reflected, x)
    assert torch.autograd.gradcheck(lambda x: lw.imodwt([x, x**2, x], "db2"), x)


def test_errors_of_mra() -> None:
    x = zero_mean((4, 4))
    with pytest.raises(OptionError, match="unrecognized transform: 'fft'; use 'swt' or 'dwt'"):
        lw.mra(x, "haar", transform="fft")
    with pytest.raises(ModeError, match="'swt2' only supports mode='periodization', got 'zero'"):
        lw.mra2(x, "haar", mode="zero")
    with pytest.warns(NormWarning, match="not orthogonal"):
        lw.mra(x, "bior2.2", 1)
    for add in (lw.imra, lw.imra2, lw.imran):
        with pytest.raises(ValueError, match=r"components as mra.? returns them"):
            add([])
    with pytest.raises(CoefficientsError, match="details of a level are a dict"):
        lw.imran([x, x])


@pytest.mark.parametrize("other", [(4,), (2, 3), (1,), ()])
def test_components_have_one_shape(other: tuple[int, ...], xp: Library) -> None:
    x, y = xp.asarray(np.ones(3)), xp.asarray(np.ones(other))
    for add in (
        lambda: lw.imra([x, y]),
        lambda: lw.imra2([x, (x, y, x)]),
        lambda: lw.imran([x, {"d": y}]),
    ):
        with pytest.raises(ShapeError, match=r"got \(3,\), \(.*\): each must have the shape"):
            add()


# --- maximal overlap -----------------------------------------------------------------------------

# Percival & Walden, Wavelet Methods for Time Series Analysis: the series X1.
X1 = np.array([.2, -.4, -.6, -.5, -.8, -.4, -.9, 0, -.2, .1, -.1, .1, .7, .9, 0, .3])  # fmt: skip


@pytest.mark.usefixtures("kernels")
def test_modwt_of_the_book() -> None:
    V2, _, _ = lw.modwt(X1, "haar", 2)
    expected = [.35, .025, -.125, -.325, -.575, -.575, -.65, -.525, -.375, -.25, -.05, -.025, .2,
                .4, .425, .475]  # fmt: skip
    np.testing.assert_allclose(V2, expected, rtol=0, atol=1e-12)
    W1 = lw.modwt(X1, "sym4", 1)[1]
    np.testing.assert_allclose(W1[:4], [-0.362864, 0.371236, -0.021737, -0.200985], atol=1e-6)
    W1 = lw.modwt(X1, "haar", 1)[1]
    np.testing.assert_allclose(W1, (X1 - np.roll(X1, 1)) / 2, rtol=0, atol=1e-15)


def test_modwt_of_the_r_package_wv() -> None:
    x = np.array([-0.28174016, -1.31255963, 0.79518398, 0.27007049, -0.27730642])
    W1 = lw.modwt(x, "haar", 1)[1]
    np.testing.assert_allclose(
        W1[1:], [-0.5154097, 1.053872, -0.2625567, -0.2736885], rtol=0, atol=1e-6
    )
    W2 = lw.modwt(x, "haar", 2)[1]
    np.testing.assert_allclose(W2[3], 0.6648886, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("kernels")
def test_modwt_is_inverted_and_preserves_energy() -> None:
    for n in (1, 2, 3, 10, 17, 64):
        x = np.cos(np.arange(n) ** 2) + 0.1
        for wavelet in ("haar", "db4", "sym4"):
            bands = lw.modwt(x, wavelet)
            assert len(bands) == max(1, int(np.log2(n))) + 1
            energy = sum(float(band @ band) for band in bands)
            assert energy == pytest.approx(float(x @ x), rel=1e-9)
            for mode in ("periodic", "reflection"):
                rec = lw.imodwt(lw.modwt(x, wavelet, 3, mode=mode), wavelet, mode=mode)
                np.testing.assert_allclose(rec, x, rtol=0, atol=1e-10)
    x = zero_mean((4, 9, 2))
    rec = lw.imodwt(lw.modwt(x, "bior2.2", 2, 1), "bior2.2", 1)
    np.testing.assert_allclose(rec, x, rtol=0, atol=1e-12)


def test_modwt_is_the_swt_of_the_reversed_signal() -> None:
    x = zero_mean(23)
    bands = lw.swt(x[::-1], "db4", 3, trim_approx=True, norm=True)
    for j, (ours, of_swt) in enumerate(
        zip(reversed(lw.modwt(x, "db4", 3)[1:]), reversed(bands[1:]), strict=True), 1
    ):
        expected = np.roll(of_swt[::-1], (2**j - 1) * 3)
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_reflection_is_the_transform_of_the_extended_signal() -> None:
    x = zero_mean((2, 7))
    both = np.concatenate([x, x[:, ::-1]], axis=1)
    for y, expected in zip(
        lw.modwt(x, "db2", 2, mode="reflection"), lw.modwt(both, "db2", 2), strict=True
    ):
        np.testing.assert_array_equal(y, expected)
    parts = lw.modwt_mra(x, "db2", 2, mode="reflection")
    np.testing.assert_allclose(sum(parts), x, rtol=0, atol=1e-12)
    assert all(part.shape == x.shape for part in parts)


def test_components_of_both_transforms_are_equal() -> None:
    x = zero_mean(24)
    for y, expected in zip(lw.modwt_mra(x, "sym4", 3), lw.mra(x, "sym4", 3), strict=True):
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-11)


def test_shifts_align_wave_packets() -> None:
    t = np.arange(512)
    for wavelet in ("haar", "sym8", "coif3"):
        for j, delay in enumerate(reversed(lw.modwt_shifts(wavelet, 4)[1:]), 1):
            packet = np.exp(-(((t - 256) / (6 * 2**j)) ** 2))
            x = packet * np.cos(np.pi * 0.75 / 2 ** (j - 1) * (t - 256))
            W = lw.modwt(x, wavelet, 4)[-j]
            aligned = np.roll(W, -delay) ** 2
            centre = float((t * aligned).sum() / aligned.sum())
            assert abs(centre - 256) < 1.0, (wavelet, j)
    assert lw.modwt_shifts("haar", 2) == [2, 2, 0]


def test_errors_of_modwt() -> None:
    x = zero_mean(8)
    with pytest.raises(ModeError, match="'periodic' or 'reflection', got 'zero'"):
        lw.modwt(x, mode="zero")  # type: ignore[arg-type]
    with pytest.raises(LevelError, match="must be greater than zero, got 0"):
        lw.modwt(x, level=0)
    with pytest.raises(WaveletError, match="defined by filters"):
        lw.modwt(x, lw.LiftingScheme.from_name("haar"))
    with pytest.raises(ValueError, match="At least one coefficient"):
        lw.imodwt([None, None])
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        lw.imodwt([x, x[:3]])


@pytest.mark.parametrize("name", ["mra", "mra2", "mran"])
def test_lifting_schemes_need_the_decimated_transform(name: str) -> None:
    scheme, x = lw.LiftingScheme.from_name("cdf5.3"), zero_mean((20, 24))
    function = getattr(lw, name)
    with pytest.raises(WaveletError, match=r"defined by filters.*transform='dwt"):
        function(x, scheme, 1)
    decimated = "dwt" + name.removeprefix("mra")
    inverse = getattr(lw, f"i{name}")
    parts = function(x, scheme, 1, transform=decimated)
    np.testing.assert_allclose(inverse(parts), x, atol=1e-13)
