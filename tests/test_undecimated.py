"""Undecimated transforms: PyWavelets' results, any length, inverses, gradients, kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
import pywt
from helpers import DISCRETE, Library, eps, to_numpy, zero_mean

import liftwave as lw
from liftwave import _dispatch
from liftwave.errors import (
    AxisError,
    BandShapeError,
    CoefficientsError,
    LevelError,
    LevelWarning,
    NormWarning,
    ShapeError,
)

DB4 = pywt.Wavelet("db4")
OTHERS = ("haar", "db3", "bior2.2", "rbio3.1", "coif2", "dmey")

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
quiet = pytest.mark.filterwarnings("ignore:norm=True")


def leaves(tree: Any) -> list[Any]:
    """The arrays of coefficients, in order."""
    if isinstance(tree, Mapping):
        return [tree[key] for key in sorted(tree)]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def structure(tree: Any) -> Any:
    """The types, keys and dtypes of coefficients."""
    if isinstance(tree, dict):
        return {key: structure(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree), [structure(branch) for branch in tree]
    return tree.dtype, tree.shape


def assert_equal_coefficients(ours: Any, theirs: Any, levels: int = 1) -> None:
    assert structure(ours) == structure(theirs)
    for y, expected in zip(leaves(ours), leaves(theirs), strict=True):
        scale = np.abs(expected).max(initial=1.0)
        np.testing.assert_allclose(y, expected, rtol=0, atol=60 * levels * eps(y.dtype) * scale)


def random_like(tree: Any, seed: int = 0) -> Any:
    """Coefficients of the same structure that no signal has."""
    rng = np.random.default_rng(seed)

    def of(branch: Any) -> Any:
        if isinstance(branch, dict):
            return {key: of(value) for key, value in branch.items()}
        if isinstance(branch, list | tuple):
            return type(branch)(map(of, branch))
        noise = rng.standard_normal(branch.shape)
        if branch.dtype.kind == "c":
            noise = noise + 1j * rng.standard_normal(branch.shape)
        return noise.astype(branch.dtype)

    return of(tree)


# --- PyWavelets' results -------------------------------------------------------------------------


@quiet
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("trim_approx", [False, True])
@pytest.mark.parametrize("wavelet", OTHERS)
@pytest.mark.usefixtures("kernels")
def test_swt_equals_pywavelets(wavelet: str, trim_approx: bool, norm: bool) -> None:
    for n, level in ((8, 1), (8, 3), (16, 2), (40, 3), (96, 5)):
        options: dict[str, Any] = {"level": level, "trim_approx": trim_approx, "norm": norm}
        x = zero_mean(n)
        theirs = pywt.swt(x, wavelet, **options)
        assert_equal_coefficients(lw.swt(x, wavelet, **options), theirs, level)
        bands = random_like(theirs)
        ours, expected = lw.iswt(bands, wavelet, norm), pywt.iswt(bands, wavelet, norm)
        assert_equal_coefficients(ours, expected, level)


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("wavelet", DISCRETE)
def test_swt_of_all_wavelets_equals_pywavelets(wavelet: str) -> None:
    for n in (8, 24, 64):
        x = zero_mean(n)
        for level in range(1, lw.swt_max_level(n) + 1):
            theirs = pywt.swt(x, wavelet, level)
            assert_equal_coefficients(lw.swt(x, wavelet, level), theirs, level)
            bands = random_like(theirs)
            expected = pywt.iswt(bands, wavelet)
            assert_equal_coefficients(lw.iswt(bands, wavelet), expected, level)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "c16", "i4", "u1"])
@pytest.mark.usefixtures("kernels")
def test_dtypes_and_axes_are_those_of_pywavelets(dtype: str) -> None:
    x = (10 * zero_mean((4, 8, 16))).astype(dtype)
    for axis, level in ((0, 2), (1, None), (-1, 3)):
        theirs = pywt.swt(x, "db2", level, axis=axis)
        assert_equal_coefficients(lw.swt(x, "db2", level, axis=axis), theirs, 3)
        bands = random_like(theirs)
        expected = pywt.iswt(bands, "db2", axis=axis)
        assert_equal_coefficients(lw.iswt(bands, "db2", axis=axis), expected, 3)


@quiet
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("trim_approx", [False, True])
@pytest.mark.usefixtures("kernels")
def test_several_axes_equal_pywavelets(trim_approx: bool, norm: bool) -> None:
    x, image = zero_mean((4, 8, 12)), zero_mean((8, 16), 1)
    options: dict[str, Any] = {"trim_approx": trim_approx, "norm": norm}
    for wavelet in ("haar", "bior2.2", ("db3", "haar")):
        for axes in ((-2, -1), (1, 0)):
            theirs = pywt.swt2(image, wavelet, 2, axes=axes, **options)
            assert_equal_coefficients(lw.swt2(image, wavelet, 2, axes=axes, **options), theirs, 4)
            bands = random_like(theirs)
            expected = pywt.iswt2(bands, wavelet, norm, axes)
            assert_equal_coefficients(lw.iswt2(bands, wavelet, norm, axes), expected, 4)
    for nd_axes in (None, (2, 0), (1,)):
        theirs = pywt.swtn(x, "db2", 2, axes=nd_axes, **options)
        assert_equal_coefficients(lw.swtn(x, "db2", 2, axes=nd_axes, **options), theirs, 6)
        bands = random_like(theirs)
        expected = pywt.iswtn(bands, "db2", nd_axes, norm)
        assert_equal_coefficients(lw.iswtn(bands, "db2", nd_axes, norm), expected, 6)


@pytest.mark.usefixtures("kernels")
def test_start_level_equals_pywavelets() -> None:
    x, image = zero_mean(32), zero_mean((8, 8))
    for start in (1, 2):
        theirs = pywt.swt(x, DB4, 2, start_level=start)
        assert_equal_coefficients(lw.swt(x, DB4, 2, start_level=start), theirs, 2)
        theirs = pywt.swt2(image, "db2", 1, start_level=start)
        assert_equal_coefficients(lw.swt2(image, "db2", 1, start_level=start), theirs, 2)


def test_swt_max_level_is_that_of_pywavelets() -> None:
    for n in (2, 8, 12, 96, 1000, 1 << 40):
        assert lw.swt_max_level(n) == pywt.swt_max_level(n)
    with pytest.warns(LevelWarning, match="No levels of stationary"):
        assert lw.swt_max_level(7) == 0


# --- any length ----------------------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", ["haar", "db4", "bior4.4", "sym5", "rbio2.2"])
@pytest.mark.usefixtures("kernels")
def test_every_length_is_reconstructed(wavelet: str) -> None:
    for n in range(1, 66):
        x = zero_mean(n) if n > 1 else np.ones(1)
        for level in (1, 2, 5):
            for norm in (False, wavelet in ("haar", "db4", "sym5")):
                rec = lw.iswt(lw.swt(x, wavelet, level, norm=norm), wavelet, norm)
                np.testing.assert_allclose(rec, x, rtol=0, atol=2e-11)


@pytest.mark.usefixtures("kernels")
def test_every_length_along_several_axes() -> None:
    for shape in ((3, 5), (7, 9), (1, 6), (11, 2)):
        x = zero_mean(shape)
        for wavelet in ("db3", "bior2.4"):
            rec = lw.iswt2(lw.swt2(x, wavelet, 3), wavelet)
            np.testing.assert_allclose(rec, x, rtol=0, atol=1e-11)
    x = zero_mean((3, 5, 7))
    rec = lw.iswtn(lw.swtn(x, "db2", 2, trim_approx=True), "db2")
    np.testing.assert_allclose(rec, x, rtol=0, atol=1e-11)


def test_filters_are_those_of_the_formula_for_odd_lengths() -> None:
    """A direct evaluation of the documented sum."""
    h, g, n = DB4.dec_lo, DB4.dec_hi, 11
    approx = zero_mean(n)
    for level, (cA, cD) in enumerate(reversed(lw.swt(approx, DB4, 4))):
        index = np.arange(n)[:, None] + 2**level * (4 - np.arange(8))[None]
        samples = approx[index % n]
        np.testing.assert_allclose(cA, samples @ h, rtol=0, atol=1e-13)
        np.testing.assert_allclose(cD, samples @ g, rtol=0, atol=1e-13)
        approx = cA


@pytest.mark.parametrize("n", [5, 16, 37])
def test_energy_is_preserved(n: int) -> None:
    x = zero_mean((3, n))
    for wavelet in ("haar", "db5", "sym4"):
        bands = lw.swtn(x, wavelet, 3, trim_approx=True, norm=True)
        energy = sum(float((band**2).sum()) for band in leaves(bands))
        assert energy == pytest.approx(float((x**2).sum()), rel=1e-10)


def test_shifted_signals_have_shifted_coefficients() -> None:
    x = zero_mean(23)
    bands, shifted = lw.swt(x, "db3", 3), lw.swt(np.roll(x, 4), "db3", 3)
    for y, of_shifted in zip(leaves(bands), leaves(shifted), strict=True):
        np.testing.assert_array_equal(np.roll(y, 4), of_shifted)


def test_golden_values() -> None:
    ((cA, cD),) = lw.swt([1, 2, 4, 8], "haar", 1)
    np.testing.assert_allclose(cA, [2.121320, 4.242641, 8.485281, 6.363961], atol=1e-6)
    np.testing.assert_allclose(cD, [-0.707107, -1.414214, -2.828427, 4.949747], atol=1e-6)


def test_missing_details_are_zeros() -> None:
    x = zero_mean((6, 10))
    (cA2, cD2), (cA1, cD1) = lw.swt(x, "db2", 2)
    zero = np.zeros_like(cD2)
    expected = lw.iswt([cA2, zero, cD1], "db2")
    for bands in ([cA2, None, cD1], [(cA2, None), (cA1, cD1)], ((cA2, None), (None, cD1))):
        np.testing.assert_array_equal(lw.iswt(bands, "db2"), expected)
    np.testing.assert_array_equal(lw.iswt([cA2], "db2"), cA2)
    keyed = [{"aa": x, "da": x}, {"aa": x, "dd": x}]
    full = [x, {"ad": 0 * x, "da": x, "dd": 0 * x}, {"ad": 0 * x, "da": 0 * x, "dd": x}]
    np.testing.assert_allclose(lw.iswtn(keyed, "db2"), lw.iswtn(full, "db2"), atol=1e-14)
    # Without keys in the finest level, other levels or the axes have the number of letters.
    for bands, axes in (([keyed[0], {}], None), ([x, {}], (0, 1))):
        zeroed = [bands[0], {"aa": x, "dd": 0 * x} if axes is None else {"dd": 0 * x}]
        expected = lw.iswtn(zeroed, "db2", axes)
        np.testing.assert_allclose(lw.iswtn(bands, "db2", axes), expected, atol=1e-14)
    with pytest.raises(CoefficientsError, match="last item is a dict of bands"):
        lw.iswtn([x, {}], "db2")


def test_inputs_are_not_modified() -> None:
    x = zero_mean((8, 8))
    before = x.copy()
    bands = lw.swtn(x, "db2", 2)
    copies = [{key: band.copy() for key, band in level.items()} for level in bands]
    lw.iswtn(bands, "db2")
    np.testing.assert_array_equal(x, before)
    for level, copy in zip(bands, copies, strict=True):
        assert list(level) == list(copy)
        for key in level:
            np.testing.assert_array_equal(level[key], copy[key])


# --- libraries and kernels -----------------------------------------------------------------------


def calls() -> Iterator[Callable[[Any], Any]]:
    """Analyses and inverses of images."""
    yield partial(lw.swt, wavelet="db3", level=3)
    yield partial(lw.swt, wavelet="db2", level=2, axis=0, trim_approx=True)
    yield partial(lw.swt2, wavelet="bior2.2", level=2)
    yield partial(lw.swtn, wavelet="haar", level=2, norm=True)
    yield lambda x: lw.iswt([x, x, x], "db3", axis=0)
    yield lambda x: lw.iswt2([(x, (x, None, x)), (x, (x, x, x))], "db2", True)
    yield lambda x: lw.iswtn([x, {"ad": x}], "db2")


def test_libraries_agree(xp: Library) -> None:
    x = zero_mean((9, 10))
    for call in calls():
        for y, expected in zip(leaves(call(xp.asarray(x))), leaves(call(x)), strict=True):
            assert type(y) is type(xp.asarray(x))
            np.testing.assert_allclose(to_numpy(y), expected, rtol=0, atol=1e-13)


SHAPES: dict[tuple[int, ...], tuple[tuple[int, ...], ...]] = {
    (1,): ((0,),),
    (7,): ((0,),),
    (65,): ((0,),),
    (40000,): ((0,),),
    (3, 301, 5): ((1,), (0, 1), (0, 2)),
    (20011, 3): ((0,),),
    (33, 47): ((0, 1), (1, 0)),
    (2, 9, 31, 3): ((1, 2),),
    (5, 6, 7): ((0, 1, 2), (0, 2), (2, 0)),
    (3, 4, 5, 6): ((0, 1, 2, 3),),
    (3, 2, 4, 2, 3): ((0, 1, 2, 3, 4),),
}


def every_second(bands: Mapping[str, Any]) -> dict[str, Any]:
    """Some of the details of a level."""
    return {key: bands[key] for key in sorted(bands)[::2] if len(bands) > 1}


@pytest.mark.skipif(not _dispatch.compiled(), reason="compiled kernels were not built")
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8"])
@pytest.mark.parametrize("shape", SHAPES)
def test_cpu_kernels_equal_the_reference(shape: tuple[int, ...], dtype: str) -> None:
    """Bitwise, also for missing bands and for arrays that are not contiguous."""
    x = np.random.default_rng(len(shape)).standard_normal(shape).astype(dtype)
    x = x + 1j * x[::-1] if dtype == "c8" else x
    for axes in SHAPES[shape]:
        for wavelet, level in (("haar", 9), ("db4", 3), ("db20", 2)):
            level = level if len(axes) == 1 else min(level, 3)
            with lw.kernels("reference"):
                bands = lw.swtn(x, wavelet, level, axes=axes, trim_approx=True)
                some = [
                    bands[0],
                    *(dict(list(d.items())[k % 2 :: 2]) for k, d in enumerate(bands[1:])),
                ]
                some[-1] = bands[-1]
                expected = [*leaves(bands), *(lw.iswtn(b, wavelet, axes) for b in (bands, some))]
            with lw.kernels("cpu!"):
                for y in (x, np.asfortranarray(x)):
                    ours = lw.swtn(y, wavelet, level, axes=axes, trim_approx=True)
                    inverses = [lw.iswtn(b, wavelet, axes) for b in (bands, some)]
                    for a, b in zip([*leaves(ours), *inverses], expected, strict=True):
                        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(not _dispatch.compiled(), reason="compiled kernels were not built")
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_large_arrays_and_threads(axes: tuple[int, ...]) -> None:
    """Blocks, non-temporal stores and threads do not change the results."""
    x = np.random.default_rng(0).standard_normal((2051, 1031)).astype("f4")
    with lw.kernels("reference"):
        bands = lw.swtn(x, "db2", 2, axes=axes, trim_approx=True)
        rec = lw.iswtn(bands, "db2", axes)
    before = lw.get_num_threads()
    try:
        for threads in (1, 3):
            lw.set_num_threads(threads)
            ours = lw.swtn(x, "db2", 2, axes=axes, trim_approx=True)
            for a, b in zip(leaves(ours), leaves(bands), strict=True):
                np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(lw.iswtn(bands, "db2", axes), rec)
    finally:
        lw.set_num_threads(before)


# --- errors --------------------------------------------------------------------------------------


def test_errors_say_what_is_wrong() -> None:
    x, image = zero_mean(8), zero_mean((4, 4))
    with pytest.raises(LevelError, match="Level value must be greater than zero"):
        lw.swt(x, "db2", 0)
    with (
        pytest.warns(LevelWarning, match="No levels"),
        pytest.raises(LevelError, match="swt computes any number of levels of 7 samples"),
    ):
        lw.swt(x[:7], "db2")
    for transform in (lw.swt, lw.swt2, lw.swtn):
        with pytest.raises(LevelError, match="got start_level=3 for 8 samples"):
            transform(np.ones((8, 8)), "db2", 1, start_level=3)
    assert len(lw.swt(np.ones(9), "db2", 1, start_level=3)) == 1
    with pytest.raises(LevelError, match="got start_level=3 for 8 samples"):
        lw.swt(np.ones(8), lw.LiftingScheme.from_name("db2"), 1, start_level=3)
    with pytest.raises(LevelError, match="start_level must be at least 0, got -1"):
        lw.swt(x, "db2", 1, start_level=-1)
    with pytest.raises(AxisError, match="Axis greater than data dimensions"):
        lw.swt(x, "db2", 1, axis=1)
    with pytest.raises(AxisError, match="must be unique"):
        lw.swt2(image, "db2", 1, axes=(0, 0))
    with pytest.raises(ShapeError, match="Expected 2 axes"):
        lw.swt2(image, "db2", 1, axes=(0,))
    with pytest.raises(ShapeError, match="fewer dimensions than the specified axes"):
        lw.swt2(x, "db2", 1)
    with pytest.raises(ShapeError, match="has 0 samples"):
        lw.swtn(np.zeros((3, 0)), "db2", 1)
    with pytest.raises(BandShapeError, match=r"Mismatch in shape.*\(8,\), \(3,\)"):
        lw.iswt([x, x[:3]], "db2")
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        lw.iswtn([image, {"dd": image[:3]}], "db2")
    with pytest.raises(ShapeError, match="number of axes used in iswtn must match"):
        lw.iswtn([image, {"dd": image}], "db2", axes=(0,))
    with pytest.raises(CoefficientsError, match=r"at least one level, got \[\]"):
        lw.iswt([], "db2")
    with pytest.raises(ShapeError, match="has all bands of each level, got ndarray"):
        lw.iswt([(x, x), x], "db2")


def test_zero_levels_are_those_of_pywavelets() -> None:
    image = zero_mean((4, 4))
    assert lw.swt2(image, "db2", 0) == lw.swtn(image, "db2", 0) == []
    (approx,) = lw.swtn(image, "db2", 0, trim_approx=True)
    np.testing.assert_array_equal(approx, image)


@pytest.mark.filterwarnings("error")
def test_norm_warns_of_wavelets_that_are_not_orthogonal() -> None:
    x = zero_mean((8, 8))
    scaled = pywt.Wavelet("mine", filter_bank=pywt.Wavelet("bior2.2").filter_bank)
    for wavelet in ("bior2.2", pywt.Wavelet("bior2.2"), scaled):
        with pytest.warns(NormWarning, match="norm=True, but the wavelet is not orthogonal"):
            lw.swt(x, wavelet, 1, norm=True)
    with pytest.warns(NormWarning, match="norm=True"):
        lw.swt2(x, ("db2", "bior2.2"), 1, norm=True)
    lw.swt(x, "db2", 1, norm=True)
    lw.swt2(x, "dmey", 1, norm=True)
    lw.swtn(x, "bior2.2", 1)
