"""The Decomposition object: names, round trips, modified coefficients, plots."""

import pickle

import numpy as np
import pytest
import pywt
from helpers import (
    DISCRETE,
    LIFTING_MODES,
    MODES,
    Library,
    assert_all_close,
    assert_close,
    to_numpy,
    zero_mean,
)

import liftwave as lw
from liftwave.errors import ArgumentTypeError, BandError, LevelWarning, LiftwaveError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")

SCHEME = lw.LiftingScheme.from_name("cdf9.7")
INTEGER = lw.LiftingScheme.from_name("cdf5.3").to_integer()


# --- names ---------------------------------------------------------------------------------------


def horizontal_stripes(n=16):
    """Rows alternate: the values vary along the first axis (H)."""
    return np.tile(np.array([1.0, -1.0]), n // 2)[:, None] * np.ones((1, n))


@pytest.mark.parametrize("wavelet", ["haar", "db3", SCHEME])
@pytest.mark.parametrize(
    ("picture", "key", "name", "pywt_name"),
    [
        (horizontal_stripes(), "da", "LH", "cH"),
        (horizontal_stripes().T, "ad", "HL", "cV"),
        (horizontal_stripes() * horizontal_stripes().T, "dd", "HH", "cD"),
        (np.ones((16, 16)), "aa", "LL", "cA"),
    ],
)
def test_stripes_fix_which_band_is_which(wavelet, picture, key, name, pywt_name):
    d = lw.decompose(picture, wavelet, 1, "periodization")
    shares = d.energy()
    assert max(shares, key=shares.get) == (1, key)
    assert shares[1, key] == pytest.approx(1.0, abs=1e-12)
    assert d[1, key] is d[1, name]
    assert d[1, key] is d[1, pywt_name]


def test_bands_agree_with_pywavelets_names():
    x = zero_mean((12, 20))
    d = lw.decompose(x, "db2", 1)
    cA, (cH, cV, cD) = pywt.dwt2(x, "db2")
    for name, band in {"cA": cA, "cH": cH, "cV": cV, "cD": cD}.items():
        assert_close(d[1, name], band, ulps=20)


def test_bands_of_one_and_of_three_axes():
    d = lw.decompose(zero_mean(33), "haar", 2)
    assert list(d.bands) == [(2, "a"), (2, "d"), (1, "d")]
    assert d[2, "cA"] is d.approx
    assert d[1, "H"] is d[1, "d"]
    cube = lw.decompose(zero_mean((6, 7, 8)), "haar", 1)
    assert set(cube.bands) == {
        (1, k) for k in (["aaa", "aad", "ada", "add", "daa", "dad", "dda", "ddd"])
    }


@pytest.mark.parametrize(
    "which", [(3, "da"), (1, "aa"), (1, "XX"), (1, 2), (0, "da"), (-3, "da"), (1, "da", 0)]
)
def test_a_band_that_is_not_there(which):
    d = lw.decompose(zero_mean((16, 16)), "haar", 2)
    assert which not in d
    with pytest.raises(BandError, match=r"no band .*\(2, 'aa'\).*LL, LH, HL, HH"):
        d[which]
    with pytest.raises(KeyError):
        d[which]


# --- round trips ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", ["haar", "db4", "bior3.3", "coif2"])
def test_reconstruct_returns_the_shape_for_every_mode_and_length(wavelet, mode):
    first = 2 if mode in ("reflect", "antireflect") else 1
    for n in range(first, 41):
        # Expansive modes keep the approximation long enough to reflect at level 2.
        x = zero_mean(n, seed=n)
        deep = n > 2
        back = lw.decompose(x, wavelet, 2 if deep else 1, mode).reconstruct()
        assert_close(back, x, ulps=400, scale=1.0 + np.abs(x).max())


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("shape", [(1,), (7,), (40,), (5, 8), (9, 13), (1, 6), (3, 4, 5)])
def test_lifting_returns_the_shape(shape, mode):
    x = zero_mean(shape)
    d = lw.decompose(x, SCHEME, 2, mode)
    assert_close(d.reconstruct(), x, ulps=40)
    if mode != "periodization":
        assert sum(band.size for band in d.bands.values()) == x.size


def test_mixed_axes_wavelets_and_modes(xp):
    x = xp.asarray(zero_mean((3, 11, 4, 14)))
    d = lw.decompose(x, ["db2", "bior2.2"], 2, ["smooth", "periodization"], axes=(-1, 1))
    assert d.axes == (3, 1)
    assert d.modes == ("smooth", "periodization")
    assert_close(d.reconstruct(), x, ulps=400)


def test_same_coefficients_as_wavedecn(xp):
    x = xp.asarray(zero_mean((20, 23)))
    d = lw.decompose(x, "sym3", 2)
    assert_all_close(d.to_pywt(), lw.wavedec2(x, "sym3", level=2), ulps=0)
    line = lw.decompose(x[0, ...], "sym3", 2)
    assert_all_close(line.to_pywt(), lw.wavedec(x[0, ...], "sym3", level=2), ulps=0)
    cube = xp.asarray(zero_mean((6, 7, 8)))
    expected = lw.wavedecn(cube, "haar", level=1)
    assert_all_close(lw.decompose(cube, "haar", 1).to_pywt(), expected, ulps=0)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32"])
def test_integer_schemes_give_back_the_dtype(dtype):
    info = np.iinfo(dtype)
    x = np.random.default_rng(0).integers(info.min, info.max, (21, 34), dtype, endpoint=True)
    d = lw.decompose(x, INTEGER, 3, "reflect")
    assert_close(d.reconstruct(), x)


def test_integers_driven_out_of_range_are_clipped():
    x = np.full((8, 8), 255, dtype=np.uint8)
    d = lw.decompose(x, INTEGER, 1, "reflect")
    brighter = d.replace({(1, "LL"): d.approx + 10}).reconstruct()
    assert_close(brighter, x)


def test_level_zero_is_the_data():
    x = zero_mean(5)
    d = lw.decompose(x, "db4", 0)
    assert d.bands == {(0, "a"): d.approx}
    assert_close(d.reconstruct(), x)


def test_warns_of_too_many_levels():
    with pytest.warns(LevelWarning, match="Level value of 3 is too high") as record:
        lw.decompose(zero_mean(8), "db2", 3)
    assert record[0].filename == __file__


# --- one array -----------------------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", ["db3", SCHEME, INTEGER])
@pytest.mark.parametrize("shape", [(37,), (18, 25), (6, 7, 9)])
def test_to_array_and_back(wavelet, shape, xp):
    x = zero_mean(shape) if wavelet is not INTEGER else np.arange(np.prod(shape)).reshape(shape)
    d = lw.decompose(xp.asarray(x), wavelet, 2)
    packed = d.to_array()
    if wavelet is not SCHEME and wavelet is not INTEGER:
        expected, _ = pywt.coeffs_to_array(pywt.wavedecn(x, wavelet, level=2))
        assert_close(packed, xp.asarray(expected), ulps=50)
    else:
        assert tuple(packed.shape) == shape
    again = d.from_array(packed)
    assert_all_close(again.bands, d.bands, ulps=0)
    assert_close(again.reconstruct(), d.reconstruct(), ulps=0)


def test_from_array_of_another_shape():
    d = lw.decompose(zero_mean((16, 16)), "db2", 1)
    with pytest.raises(ShapeError, match=r"expected the shape \(18, 18\).*got \(16, 16\)"):
        d.from_array(np.zeros((16, 16)))


# --- changed coefficients ------------------------------------------------------------------------


def test_map_and_replace_leave_the_original_alone():
    d = lw.decompose(zero_mean((16, 16)), "db2", 2)
    before = {which: band.copy() for which, band in d.bands.items()}
    zeroed = d.map(lambda band: 0 * band)
    replaced = d.replace({(2, "LL"): d.approx + 1, (1, "HH"): d[1, "dd"] * 2})
    assert all(not band.any() for (_, key), band in zeroed.bands.items() if key != "aa")
    assert_close(zeroed.approx, d.approx)
    assert_close(replaced.approx, d.approx + 1)
    assert_close(replaced[1, "dd"], d[1, "dd"] * 2)
    assert_close(replaced[1, "da"], d[1, "da"])
    assert_all_close(d.bands, before, ulps=0)


def test_map_keeps_shapes():
    d = lw.decompose(zero_mean((16, 16)), "db2", 1)
    with pytest.raises(ShapeError, match=r"band \(1, '..'\) .* shape \(9, 9\), got \(9, 8\)"):
        d.map(lambda band: band[:, 1:])
    with pytest.raises(BandError, match="no band"):
        d.replace({(5, "LL"): d.approx})


def test_threshold_by_number_level_band_and_function(xp):
    d = lw.decompose(xp.asarray(zero_mean((20, 20))), "db2", 2)
    everywhere = d.threshold(0.5)
    for which, band in d.bands.items():
        expected = band if which[1] == "aa" else lw.threshold(band, 0.5)
        assert_close(everywhere[which], expected)
    some = d.threshold({1: 0.3, (1, "HH"): 0.9}, "hard")
    assert_close(some[1, "da"], lw.threshold(d[1, "da"], 0.3, "hard"))
    assert_close(some[1, "dd"], lw.threshold(d[1, "dd"], 0.9, "hard"))
    assert_close(some[2, "da"], d[2, "da"])
    half = d.threshold(lambda band: 0.1 * band.shape[0], "hard")
    assert_close(half[2, "dd"], lw.threshold(d[2, "dd"], 0.7, "hard"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({5: 1e9}, r"no level 5: the levels are 1 \(finest\) to 2"),
        ({0: 1.0}, r"no level 0: the levels are 1 \(finest\) to 2"),
        ({-3: 1.0}, r"no level -3: the levels are 1 \(finest\) to 2"),
        ({-1: 1.0, 2: 2.0}, "level 2 is named twice"),
        ({"d": 1.0}, r"no band 'd': use \[level, key\]"),
        ({"HH": 1.0}, "no band 'HH'"),
        ({(7, "dd"): 1.0}, r"no band \(7, 'dd'\)"),
        ({(1, "aa"): 1.0}, r"no band \(1, 'aa'\)"),
        ({(1, ("dd",)): 1.0}, r"no band \(1, \('dd',\)\)"),
        ({None: 1.0}, "no band None"),
        ({(1, "HH"): 1.0, (1, "dd"): 2.0}, r"band \(1, 'dd'\) is named twice"),
    ],
)
def test_keys_that_name_no_band(value, message):
    """Methods that take keys read them in the same way."""
    d = lw.decompose(zero_mean((16, 16)), "haar", 2)
    with pytest.raises(BandError, match=message):
        d.threshold(value)
    if all(isinstance(key, tuple | str) for key in value):
        with pytest.raises(BandError, match=message):
            d.replace(dict.fromkeys(value, d[1, "dd"]))
    with pytest.raises(BandError, match="no level 1: there are no levels"):
        lw.decompose(zero_mean(16), "haar", 0).threshold({1: 2.0})


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-1, ValueError, "a number of at least 0, got -1"),
        (float("nan"), ValueError, "a number of at least 0, got nan"),
        ({1: -1.0}, ValueError, "at least 0, got -1.0"),
        ({(2, "LL"): float("nan")}, ValueError, "got nan"),
        (lambda band: -float(abs(band).max()), ValueError, "at least 0, got -"),
        (np.array([[1.0], [-1.0]]), ValueError, "at least 0, got array"),
        ("soft", TypeError, "a threshold must be a real number .*, got 'soft'"),
        ("soft", ValueError, "a threshold must be a real number .*, got 'soft'"),
        (None, TypeError, "got None"),
        (1j, TypeError, "must be real, got 1j"),
        ({2: "a"}, TypeError, "got 'a'"),
    ],
)
def test_thresholds_that_are_not_magnitudes(value, error, message):
    with pytest.raises(error, match=message) as raised:
        lw.decompose(zero_mean((16, 16)), "haar", 2).threshold(value)
    assert isinstance(raised.value, LiftwaveError)


def test_thresholds_of_any_sign_and_of_the_approximation():
    d = lw.decompose(zero_mean((16, 16)), "haar", 2)
    greater = d.threshold(-0.5, "greater")
    assert_close(greater[1, "HH"], lw.threshold(d[1, "HH"], -0.5, "greater"))
    with pytest.raises(ValueError, match="at least -inf, got nan"):
        d.threshold(float("nan"), "less")
    with pytest.raises(ValueError, match="only takes values from"):
        lw.decompose(np.ones(4), "haar", 0).threshold(1, "medium")
    named = d.threshold({(2, "LL"): 0.7, np.int64(1): np.float32(0.25)})
    assert_close(named.approx, lw.threshold(d.approx, 0.7))
    assert_close(named[1, "HH"], lw.threshold(d[1, "HH"], 0.25))
    assert_close(named[2, "HH"], d[2, "HH"])
    untouched = d.threshold({1: 1e9})
    assert_close(untouched.approx, d.approx)


def test_threshold_of_integers_stays_integer():
    x = np.random.default_rng(1).integers(0, 256, (32, 32), dtype=np.uint8)
    d = lw.decompose(x, INTEGER, 2, "reflect").threshold(7.4)
    assert {band.dtype for band in d.bands.values()} == {np.dtype(np.int16)}
    assert d.reconstruct().dtype == np.uint8


def test_keep_largest_keeps_the_largest(xp):
    d = lw.decompose(xp.asarray(zero_mean((32, 32))), "db2", 2, "periodization")
    kept = d.keep_largest(0.1)
    before, after = (
        np.sort(np.abs(np.concatenate([to_numpy(band).ravel() for band in each.bands.values()])))
        for each in (d, kept)
    )
    count = int(np.ceil(0.1 * before.size))
    assert np.count_nonzero(after) == count
    np.testing.assert_array_equal(after[-count:], before[-count:])


def test_keep_largest_with_nan(xp):
    """NaN counts as the largest; other coefficients are kept or zero, and never change."""
    x = zero_mean((16, 16))
    x[3, 5] = np.nan
    d = lw.decompose(xp.asarray(x), "haar", 2, "periodization")
    for fraction in (0.01, 0.1, 0.5, 1.0):
        kept = d.keep_largest(fraction)
        for which, band in kept.bands.items():
            before, after = to_numpy(d[which]), to_numpy(band)
            np.testing.assert_array_equal(np.isnan(after), np.isnan(before))
            assert np.all(np.isnan(after) | (after == before) | (after == 0))
        count = sum(np.count_nonzero(to_numpy(band)) for band in kept.bands.values())
        assert count == max(7, int(np.ceil(fraction * 256)))  # one in each band is NaN
    for which, band in d.keep_largest(1.0).bands.items():
        np.testing.assert_array_equal(to_numpy(band), to_numpy(d[which]))


def test_keep_largest_counts_exactly():
    """0.1 * 30 is more than 3 in floating-point arithmetic."""
    d = lw.decompose(np.arange(1.0, 31.0), "haar", 0)
    assert np.count_nonzero(d.keep_largest(0.1).approx) == 3
    d = lw.decompose(np.arange(1.0, 31.0), "haar", 0)
    assert np.count_nonzero(d.keep_largest(0.11).approx) == 4


def test_keep_largest_of_the_smallest_integer():
    """(Its magnitude is not an integer of the dtype.)"""
    band = np.array([-32768, 5, 6, 7], dtype=np.int16)
    d = lw.decompose(np.zeros(4, np.int16), INTEGER, 0, "reflect").replace({(0, "a"): band})
    assert d.keep_largest(0.25).approx.tolist() == [-32768, 0, 0, 0]


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5, float("nan"), "all", 1j, None])
def test_keep_largest_of_no_fraction(fraction):
    with pytest.raises(ShapeError, match=r"fraction must be (a number|above 0 and at most 1)"):
        lw.decompose(zero_mean(16), "haar", 1).keep_largest(fraction)


@pytest.mark.parametrize("wavelet", [w for w in DISCRETE if w[:2] in ("db", "sy", "co")][::9])
def test_energy_of_orthonormal_wavelets_is_that_of_the_data(wavelet):
    x = zero_mean(256)
    d = lw.decompose(x, wavelet, 2, "periodization")
    total = sum(float((band**2).sum()) for band in d.bands.values())
    assert total == pytest.approx(float((x**2).sum()), rel=1e-10)
    assert sum(d.energy().values()) == pytest.approx(1.0, abs=1e-14)
    assert d.energy()[1, "d"] == pytest.approx(float((d[1, "d"] ** 2).sum()) / total)


def test_energy_of_nothing_is_zero():
    assert set(lw.decompose(np.zeros(16), "haar", 2).energy().values()) == {0.0}


# --- repr and pictures ---------------------------------------------------------------------------


def test_repr_shows_the_shapes():
    text = repr(lw.decompose(zero_mean((64, 48)), ["db2", SCHEME], 2, "symmetric"))
    assert "shape (64, 48), float64, by ('db2', 'cdf9.7'), mode 'symmetric', axes (0, 1)" in text
    assert "level 2: aa (18, 12), ad (18, 12), da (18, 12), dd (18, 12)" in text
    assert "level 1: ad (33, 24), da (33, 24), dd (33, 24)" in text


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_plot_draws_every_band(library):
    xp = Library(library)
    figure = lw.decompose(xp.asarray(zero_mean((40, 50))), "db2", 2).plot("Two levels")
    (axes,) = figure.axes
    assert {text.get_text() for text in axes.texts} == {
        "LL2", "LH2", "HL2", "HH2", "LH1", "HL1", "HH1",
    }  # fmt: skip
    assert len(axes.images) == 7
    assert figure.get_suptitle() == "Two levels"
    lines = lw.decompose(xp.asarray(zero_mean(200)), SCHEME, 3).plot()
    assert [ax.get_ylabel() for ax in lines.axes] == ["a3", "d3", "d2", "d1"]
    assert lines.get_suptitle() == "200, cdf9.7, symmetric, 3 levels"


@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
@pytest.mark.parametrize("wavelet", ["haar", "db2", "db8", "bior4.4", "sym8", SCHEME])
def test_bands_of_a_plot_line_up_with_the_signal(wavelet, mode):
    """A spike appears at its position on every level (up to one coefficient and the filter)."""
    from liftwave.decomposition.positions import sample_positions

    n, place = 512, 301
    x = np.zeros(n)
    x[place] = 1.0
    d = lw.decompose(x, wavelet, 4, mode)
    for (level, key), band in d.bands.items():
        first = sample_positions(d.plans[0], level)["ad".index(key)]
        where = np.average(np.arange(band.size), weights=band**2)
        assert abs(first + 2**level * where - place) <= 1.5 * 2**level


def test_plot_of_a_batch_says_what_to_do():
    with pytest.raises(ShapeError, match=r"plot\(\) draws a 1-D signal or a 2-D image.*\(3, 64\)"):
        lw.decompose(zero_mean((3, 64)), "haar", 1, axes=-1).plot()
    with pytest.raises(ShapeError, match=r"got shape \(8, 8, 8\)"):
        lw.decompose(zero_mean((8, 8, 8)), "haar", 1).plot()


# --- the decomposition as a mapping and as a vector ------------------------------------------


def image_decomposition(level=2):
    return lw.decompose(zero_mean((20, 17)), "db2", level)


def test_it_is_a_mapping_of_its_bands():
    d = image_decomposition()
    assert list(d) == list(d.keys()) == list(d.bands)
    assert len(d) == 7
    assert all(d[which] is band for which, band in d.items())
    assert [*d.values()] == [*d.bands.values()]
    assert (1, "HH") in d
    assert 2 in d
    assert d[1] == {key: d[1, key] for key in ("ad", "da", "dd")}
    assert d[-1] == d[2] == {key: d[2, key] for key in ("aa", "ad", "da", "dd")}
    assert d[-2, "HL"] is d[1, "ad"]


@pytest.mark.parametrize("which", [0, 3, -3, "da", None, 1.5])
def test_a_level_that_does_not_exist(which):
    d = image_decomposition()
    assert which not in d
    with pytest.raises(BandError, match=r"no level .*1 \(finest\) to 2"):
        d[which]


def test_properties_of_all_axes():
    d = image_decomposition()
    assert (d.ndim, d.mode, d.wavelet) == (2, "symmetric", d.wavelets[0])
    mixed = lw.decompose(zero_mean((8, 8)), ("haar", "db2"), 1, ("zero", "reflect"))
    assert mixed.mode == ("zero", "reflect")
    assert mixed.wavelet == mixed.wavelets


def test_arithmetic_is_that_of_the_data():
    x, y = zero_mean((20, 17)), zero_mean((20, 17))[::-1]
    d, e = (lw.decompose(each, "db2", 2) for each in (x, y))
    for combined, expected in (
        (d + e, x + y), (d - e, x - y), (2 * d, 2 * x), (np.float64(2) * d, 2 * x),
        (d * 0.5, x / 2), (d / 4, x / 4), (-d, -x), (+d, x),
    ):  # fmt: skip
        np.testing.assert_allclose(combined.reconstruct(), expected, atol=1e-14)
    assert all((band >= 0).all() for band in abs(d).values())
    assert abs(-d) == abs(d)


def test_comparison_by_value():
    d = image_decomposition()
    assert d == lw.decompose(zero_mean((20, 17)), "db2", 2)
    assert d != 2 * d
    assert d != "d"
    assert d != lw.decompose(zero_mean((20, 17)), "db2", 1)
    assert d != lw.decompose(zero_mean((20, 17)), "db2", 2, "zero")
    nearly = d * (1 + 1e-7)
    assert d != nearly
    assert d.allclose(nearly)
    assert not d.allclose(nearly, rtol=1e-9, atol=0)
    with pytest.raises(TypeError):
        hash(d)
    assert pickle.loads(pickle.dumps(d)) == d


def test_sums_need_one_layout():
    d = image_decomposition()
    for other in (image_decomposition(1), lw.decompose(zero_mean((20, 17)), "db3", 2)):
        with pytest.raises(ShapeError, match="same"):
            d + other
    for wrong in (1, "d", np.ones(3)):
        with pytest.raises(TypeError):
            d + wrong
    with pytest.raises(TypeError):
        d * d


def test_arithmetic_of_integers_stays_integer():
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    d = lw.decompose(np.arange(16) ** 2, scheme, 1, "reflect")
    assert {band.dtype for band in (d + d / 3).values()} == {d.approx.dtype}
    assert (2 * d)[1, "a"].tolist() == (2 * d.approx).tolist()


def test_bands_are_read_only():
    d = image_decomposition()
    for band in (d.approx, d[1, "dd"], d.details[0]["da"], (2 * d).approx, d.map(np.abs)[1, "dd"]):
        with pytest.raises(ValueError, match="read-only"):
            band[...] = 0
    with pytest.raises(TypeError):
        d.details[0]["da"] = d.approx
    coeffs = d.to_pywt()
    coeffs[0][...] = 0  # copies
    assert d.approx.any()


def test_no_array_and_no_pickle_by_accident(tmp_path):
    d = image_decomposition()
    with pytest.raises(TypeError, match="to_array"):
        np.asarray(d)
    with pytest.raises(lw.errors.LiftwaveError, match=r"to_array\(\)"):
        np.savez(tmp_path / "d.npz", d=d)


@pytest.mark.parametrize(
    ("function", "axes"),
    [
        (lambda x: pywt.wavedec(x, "db2", level=2), -1),
        (lambda x: pywt.wavedec2(x, "db2", level=2), (-2, -1)),
        (lambda x: pywt.wavedecn(x, "db2", level=2), None),
        (lambda x: pywt.wavedecn(x, "db2", level=2, axes=(0, 2)), (0, 2)),
        (lambda x: pywt.wavedec2(x, "db2", level=0), (-2, -1)),
    ],
)
def test_coefficients_of_pywavelets(function, axes):
    x = zero_mean((13, 14, 15))
    d = lw.Decomposition.from_pywt(function(x), "db2", axes=axes, shape=x.shape)
    np.testing.assert_allclose(d.reconstruct(), x, atol=1e-14)
    assert d.allclose(lw.decompose(x, "db2", d.level, axes=axes))
    assert lw.Decomposition.from_pywt(d.to_pywt(), "db2", axes=d.axes, shape=x.shape) == d


def test_missing_coefficients_are_zero_and_lengths_are_inferred():
    x = zero_mean((13, 15))
    coeffs = pywt.wavedec2(x, "db2", level=1)
    d = lw.Decomposition.from_pywt([coeffs[0], (None, None, None)], "db2")
    assert d.shape == (14, 16)
    np.testing.assert_allclose(
        d.reconstruct(), pywt.waverec2([coeffs[0], (None, None, None)], "db2"), atol=1e-14
    )


@pytest.mark.parametrize(
    ("coeffs", "options"),
    [
        ([], {}),
        (None, {}),
        ([None], {}),
        ("abc", {}),
        (pywt.wavedec(np.arange(16.0), "db2", level=1), {"shape": (18,)}),
        (pywt.wavedec(np.arange(16.0), "db3", level=1), {"shape": (16,)}),
        (pywt.wavedec(np.arange(16.0), "db2", level=1), {"axes": (0, 1)}),
        ([np.ones((4, 4)), {"ad": 3.0}], {}),
        ([np.ones((4, 4, 4)), {"ad": np.ones((4, 4, 4))}], {"axes": 0}),
    ],
)
def test_coefficients_that_do_not_fit(coeffs, options):
    with pytest.raises(lw.errors.LiftwaveError):
        lw.Decomposition.from_pywt(coeffs, "db2", **options)


@pytest.mark.parametrize("name", ["cdf5.3", "cdf9.7", "db2", "bior3.1"])
def test_energies_of_lossless_transforms_are_those_of_the_usual_ones(name):
    x = (1000 * zero_mean(4000)).round().astype(np.int64)
    scheme = lw.LiftingScheme.from_name(name)
    usual = lw.decompose(x, scheme, 3, "symmetric").energy()
    lossless = lw.decompose(x, scheme.to_integer(), 3, "symmetric").energy()
    for which, share in usual.items():
        assert abs(lossless[which] - share) < 0.01 * share + 1e-4


def test_decompositions_of_two_libraries_differ() -> None:
    x = zero_mean(16)
    torch = pytest.importorskip("torch")
    one, other = lw.decompose(x, "haar", 2), lw.decompose(torch.from_numpy(x), "haar", 2)
    assert one != other
    assert not one.allclose(other)
    with pytest.raises(ArgumentTypeError, match="arrays of one library"):
        one + other
