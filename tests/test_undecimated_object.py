"""The Undecimated object: bands, round trips, components, variances, pictures, files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import LIFTING_MODES, Library, assert_all_close, to_numpy, zero_mean

import liftwave as lw
from liftwave.errors import (
    AxisError,
    DTypeError,
    FileError,
    LevelError,
    ModeError,
    NormWarning,
    OptionError,
    ShapeError,
    WaveletError,
)
from liftwave.transforms.alignment import Alignment

SCHEME = lw.LiftingScheme.from_name("cdf9.7")
INTEGER = lw.LiftingScheme.from_name("cdf5.3").to_integer()
MODWT: dict[str, Any] = {"transform": "modwt"}
REFLECTION: dict[str, Any] = {"transform": "modwt", "mode": "reflection"}


# --- bands ---------------------------------------------------------------------------------------


def test_same_coefficients_as_the_functions(xp: Library) -> None:
    x = xp.asarray(zero_mean((3, 5, 8)))
    options: dict[str, Any] = {"trim_approx": True, "norm": True}
    ours = lw.undecimated(x, "db2", 2, norm=True).to_pywt()
    assert_all_close(ours, lw.swtn(x, "db2", 2, **options), ulps=0)
    ours = lw.undecimated(x, "db2", 2, axes=(2, 1)).to_pywt()
    assert_all_close(ours, lw.swt2(x, "db2", 2, axes=(2, 1), trim_approx=True), ulps=0)
    ours = lw.undecimated(x, SCHEME, 2, "symmetric", axes=1).to_pywt()
    theirs = lw.swt(x, SCHEME, 2, axis=1, trim_approx=True, mode="symmetric")
    assert_all_close(ours, theirs, ulps=0)
    for mode in ("periodic", "reflection"):
        u = lw.undecimated(x, "db2", 2, mode, axes=1, transform="modwt")
        assert_all_close(u.to_pywt(), lw.modwt(x, "db2", 2, axis=1, mode=mode), ulps=0)
        assert u.mode == mode
    assert u.norm


@pytest.mark.filterwarnings("ignore:norm=True")
def test_round_trips_and_components(xp: Library) -> None:
    for shape, axes in (((5,), None), ((4, 7), None), ((3, 6, 5), (2, 0)), ((2, 9), 1)):
        x = xp.asarray(zero_mean(shape))
        choices: list[tuple[Any, dict[str, Any]]] = [
            ("db3", {}), ("bior2.2", {"norm": True}), ("db2", MODWT), ("db2", REFLECTION),
            *((SCHEME, {"mode": mode, "norm": mode == "zero"}) for mode in LIFTING_MODES),
        ]  # fmt: skip
        for wavelet, options in choices:
            u = lw.undecimated(x, wavelet, 2, axes=axes, **options)
            parts = u.mra()
            assert type(u.reconstruct()) is type(x)
            np.testing.assert_allclose(to_numpy(u.reconstruct()), to_numpy(x), atol=1e-12)
            assert list(parts) == list(u)
            total = sum(map(to_numpy, parts.values()))
            np.testing.assert_allclose(total, to_numpy(x), rtol=0, atol=1e-12)


def test_components_are_those_of_the_functions() -> None:
    x = zero_mean(33)
    for options, expected in (({}, lw.mra(x, "db2", 3)), (MODWT, lw.modwt_mra(x, "db2", 3))):
        parts = lw.undecimated(x, "db2", 3, **options).mra()
        assert_all_close(list(parts.values()), expected, ulps=20)
    # Those of a scheme are the inverses of its bands alone, also along two axes.
    u = lw.undecimated(zero_mean((5, 6)), SCHEME, 2, "symmetric")
    for which, part in u.mra().items():
        others = {name: 0 * band for name, band in u.items() if name != which}
        np.testing.assert_allclose(part, u.replace(others).reconstruct(), rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_integers_come_back(dtype: str) -> None:
    x = (np.arange(77).reshape(7, 11) ** 2 % 251).astype(dtype)
    u = lw.undecimated(x, INTEGER, 2, "reflect")
    assert u.reconstruct().dtype == x.dtype
    np.testing.assert_array_equal(u.reconstruct(), x)
    with pytest.raises(WaveletError, match="components of an integer scheme do not add up"):
        u.mra()
    assert u.threshold(2.5)[1, "dd"].dtype.kind == "i"


def test_it_is_a_mapping_with_arithmetic() -> None:
    x, y = zero_mean((8, 6)), zero_mean((8, 6), seed=1)
    u, v = lw.undecimated(x, "db2", 2), lw.undecimated(y, "db2", 2)
    assert len(u) == 7
    assert u[1, "HL"] is u[1, "ad"]
    assert set(u[-1]) == {"aa", "ad", "da", "dd"}
    assert (2 * u - v).allclose(lw.undecimated(2 * x - y, "db2", 2))
    assert u == lw.undecimated(x, "db2", 2) != v
    assert u.map(np.zeros_like).threshold(1.0)[1, "dd"].max() == 0
    assert not u[1, "dd"].flags.writeable
    with pytest.raises(ShapeError, match="only decompositions with the same shape"):
        u + lw.undecimated(x, "db2", 2, norm=True)
    with pytest.raises(ShapeError, match="only decompositions with the same shape"):
        u + lw.decompose(x, "db2", 1, "periodization")
    scheme = lw.undecimated(x, SCHEME, 1)
    assert scheme != lw.undecimated(x, SCHEME, 1, norm=True)


def test_one_array_and_repr() -> None:
    u = lw.undecimated(zero_mean((4, 5)), "db2", 1, "reflection", 1, transform="modwt")
    assert u.to_array().shape == (2, 4, 10)
    assert u.from_array(u.to_array()) == u
    with pytest.raises(ShapeError, match=r"expected the shape \(2, 4, 10\) of to_array"):
        u.from_array(np.zeros((2, 4, 5)))
    assert repr(u).startswith("Undecimated of shape (4, 5), float64, by 'db2', mode 'reflection'")
    assert pickle.loads(pickle.dumps(u)) == u


def test_no_levels_are_the_data() -> None:
    x = zero_mean(3)
    for wavelet in ("db8", SCHEME):
        u = lw.undecimated(x, wavelet)
        assert u.level == 0
        np.testing.assert_array_equal(u.reconstruct(), x)
        np.testing.assert_array_equal(u.mra()[0, "a"], x)


def test_default_levels_are_those_of_decompose() -> None:
    for shape in ((1001,), (40, 1), (64, 100)):
        u = lw.undecimated(zero_mean(shape), "sym4")
        assert u.level == lw.decompose(zero_mean(shape), "sym4").level > 0


def test_torch_differentiates() -> None:
    x = torch.from_numpy(zero_mean(9)).requires_grad_()
    for wavelet, options in (("db2", REFLECTION), ("db2", {}), (SCHEME, {"mode": "reflect"})):
        assert torch.autograd.gradcheck(
            lambda x, w=wavelet, o=options: (
                (3 * lw.undecimated(x, w, 2, **o)).map(torch.sin).reconstruct()
            ),
            x,
        )


# --- energy and variance -------------------------------------------------------------------------


def test_energies_are_shares_of_the_data() -> None:
    x = zero_mean((6, 9))
    for options in ({}, {"norm": True}, MODWT):
        u = lw.undecimated(x, "db3", 2, **options)
        expected = lw.undecimated(x, "db3", 2, norm=True)
        for which, share in u.energy().items():
            alone = float((expected[which] ** 2).sum() / (x**2).sum())
            if options != MODWT:
                assert share == pytest.approx(alone)
        assert sum(u.energy().values()) == pytest.approx(1.0)
    line = x.ravel()
    exact = lw.LiftingScheme.from_name("cdf5.3")
    for scheme in (exact, exact.to_integer()):
        samples = np.round(1000 * line).astype(int)
        first = lw.undecimated(samples, scheme, 2).energy()
        second = lw.undecimated(samples, exact.to_filter_bank(), 2).energy()
        assert list(first.values()) == pytest.approx(list(second.values()), rel=1e-2)


def test_variances_are_those_of_the_function() -> None:
    x = np.cumsum(zero_mean((2, 90)), axis=1).T
    for mode in ("periodic", "reflection"):
        for estimator in ("unbiased", "biased"):
            u = lw.undecimated(x, "db2", 3, mode, 0, transform="modwt")
            ours = u.variance(estimator=estimator, interval="chi2eta1", confidence=0.9)
            theirs = lw.wavelet_variance(
                x, "db2", 3, 0, mode=mode, estimator=estimator, interval="chi2eta1", confidence=0.9
            )
            assert_all_close(list(ours[:3]), list(theirs[:3]), ulps=8)
            assert ours.counts == theirs.counts
    u = lw.undecimated(x, "sym2", 2, axes=0)  # symmetric taps reversed: a shift, the same means
    reversed_series = lw.wavelet_variance(x[::-1], "sym2", 2, 0)
    np.testing.assert_allclose(u.variance().value, reversed_series.value, rtol=1e-12)
    assert u.variance().counts == reversed_series.counts


def test_variances_of_reflected_series() -> None:
    """Mirror images make no difference to unbiased estimates, and are counted once."""
    x = zero_mean((90, 2))
    plain, mirrored = (
        lw.undecimated(x, "db2", 3, mode, 0, transform="modwt")
        for mode in ("periodic", "reflection")
    )
    ours, theirs = mirrored.variance(interval="gaussian"), plain.variance(interval="gaussian")
    assert_all_close(list(ours[:3]), list(theirs[:3]), ulps=8)
    assert ours.counts == theirs.counts
    assert mirrored.variance(estimator="biased").counts == (90, 90, 90)


def test_variances_that_do_not_exist() -> None:
    x = zero_mean((40, 3))
    with pytest.raises(AxisError, match=r"one transformed axis, got axes \(0, 1\)"):
        lw.undecimated(x, "haar", 1).variance()
    with pytest.raises(LevelError, match="at least one level"):
        lw.undecimated(x, "haar", 0, axes=0).variance()
    with pytest.raises(LevelError, match="all coefficients of level 4 depend"):
        lw.undecimated(x, "db2", 5, axes=0).variance()
    with pytest.raises(DTypeError, match="defined for real series"):
        lw.undecimated(1j * x, "haar", 1, axes=0).variance()


# --- alignment and pictures ----------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", ["haar", "db3", "sym4", "bior2.2", SCHEME])
@pytest.mark.filterwarnings("ignore:norm=True")
def test_reaches_are_the_samples_that_coefficients_use(wavelet: Any) -> None:
    kinds: tuple[Any, ...] = ({},) if wavelet is SCHEME else ({}, MODWT)
    for options in kinds:
        u = lw.undecimated(np.eye(401), wavelet, 3, axes=0, **options)
        alignment = Alignment(u.plans[0])
        for (level, key), band in u.items():
            used = np.flatnonzero(band[200]) - 200
            number = "ad".index(key)
            assert (used[0], used[-1]) == alignment.supports(level)[number]
            # Filters of biorthogonal wavelets begin or end with zeros.
            reach = alignment.reaches(level)[number]
            assert reach.first <= used[0]
            assert used[-1] <= reach.last
            if wavelet != "bior2.2":
                assert (used[0], used[-1]) == reach


@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior2.2", "rbio1.3", SCHEME])
@pytest.mark.filterwarnings("ignore:norm=True")
def test_spreads_are_the_samples_that_components_use(wavelet: Any) -> None:
    kinds: tuple[Any, ...] = ({},) if wavelet is SCHEME else ({}, MODWT)
    for options in kinds:
        u = lw.undecimated(np.eye(301), wavelet, 3, axes=0, **options)
        alignment = Alignment(u.plans[0])
        for (level, key), part in u.mra().items():
            used = np.flatnonzero(np.abs(part[150]) > 1e-15) - 150
            assert (used[0], used[-1]) == alignment.spreads(level)["ad".index(key)]


def test_grey_areas_leave_out_zeros_of_filters() -> None:
    """Coefficients outside are those of a longer signal."""
    x = zero_mean(120)
    u, longer = lw.undecimated(x, "bior2.2", 2), lw.undecimated(np.pad(x, 20, "edge"), "bior2.2", 2)
    ax = u.plot().axes[1]  # d2
    first, second = (round(patch.get_width()) for patch in ax.patches)
    line = np.asarray(ax.lines[0].get_ydata())
    expected = np.asarray(longer.plot().axes[1].lines[0].get_ydata())[20:-20]
    np.testing.assert_allclose(line[first : 120 - second], expected[first : 120 - second])
    assert line[first - 1] != pytest.approx(expected[first - 1])
    assert line[120 - second] != pytest.approx(expected[120 - second])


@pytest.mark.parametrize("wavelet", ["haar", "sym4", "coif2", SCHEME])
def test_bands_of_a_plot_line_up_with_the_signal(wavelet: Any) -> None:
    """The line of each band is highest where the signal has its burst of this band."""
    n, place = 2048, 1200
    kinds: tuple[Any, ...] = ({},) if wavelet is SCHEME else ({}, MODWT)
    for level in (1, 2, 3):
        t = np.arange(n) - place
        burst = np.exp(-((t / (8 * 2**level)) ** 2)) * np.cos(0.75 * np.pi * t / 2 ** (level - 1))
        for options in kinds:
            figure = lw.undecimated(burst, wavelet, level, **options).plot(spacing=0.5, unit="s")
            (line,) = figure.axes[1].lines
            values = np.asarray(line.get_ydata())
            centre = np.average(line.get_xdata(), weights=values**2)
            assert abs(centre - 0.5 * place) <= 1.5


def test_pictures_of_signals() -> None:
    x = zero_mean(200)
    u = lw.undecimated(x, "db2", 3, **MODWT)
    figure = u.plot(spacing=0.01, unit="s")
    assert [ax.get_ylabel() for ax in figure.axes] == ["a3", "d3", "d2", "d1"]
    assert figure.axes[-1].get_xlabel().startswith("time (s); grey: depends on samples beyond")
    assert figure.axes[-1].get_xlim() == (0, 2)
    assert figure.get_suptitle() == "200, db2, modwt, periodic, 3 levels"
    # W_1 depends on 3 earlier samples: the two ends have 3 samples together.
    widths = [patch.get_width() for patch in figure.axes[-1].patches]
    assert sum(widths) == pytest.approx(0.03)
    parts = u.plot("parts", components=True)
    assert [ax.get_ylabel() for ax in parts.axes] == ["S3", "D3", "D2", "D1"]
    np.testing.assert_array_equal(parts.axes[1].lines[0].get_ydata(), u.mra()[3, "d"])
    assert parts.get_suptitle() == "parts"
    # All coefficients of level 2 depend on the ends of a short signal, which one area shows.
    assert [len(ax.patches) for ax in lw.undecimated(x[:9], "db4", 2).plot().axes] == [1, 1, 2]
    (line,) = lw.undecimated(zero_mean(100_000), "haar", 0).plot().axes[0].lines
    assert len(line.get_xdata()) <= 8000
    assert line.get_ydata().max() == zero_mean(100_000).max()


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_pictures_of_images(library: str) -> None:
    x, xp = zero_mean((30, 40)), Library(library)
    u = lw.undecimated(xp.asarray(x), "db2", 2)
    figure = u.plot()
    names = [ax.get_title() for ax in figure.axes if ax.images]
    assert names == ["LL2", "HL2", "LH2", "HH2", "HL1", "LH1", "HH1"]
    assert all(len(ax.lines) == 1 for ax in figure.axes if ax.images)  # a frame
    # The axes in the other order have the same picture.
    turned = lw.undecimated(xp.asarray(x), "db2", 2, axes=(1, 0)).plot()
    pictures = [
        {ax.get_title(): ax.images[0] for ax in f.axes if ax.images} for f in (figure, turned)
    ]
    for name, image in pictures[0].items():
        np.testing.assert_allclose(image.get_array(), pictures[1][name].get_array(), atol=1e-13)
    parts = u.plot(components=True)
    assert parts.axes[0].get_title() == "S2"


def test_pictures_of_bfloat16() -> None:
    x = torch.from_numpy(zero_mean(40)).to(torch.bfloat16)
    for kind in (lw.undecimated, lw.decompose):
        of_halves = kind(x, "haar", level=1).plot().axes[0]
        of_floats = kind(x.float(), "haar", level=1).plot().axes[0]
        assert of_halves.get_ylim() == pytest.approx(of_floats.get_ylim(), rel=0.01)


def test_pictures_that_cannot_be() -> None:
    u = lw.undecimated(zero_mean((3, 8)), "haar", 1, axes=1)
    with pytest.raises(ShapeError, match=r"a 1-D signal or a 2-D image.*\(3, 8\).*axes \(1,\)"):
        u.plot()
    line = lw.undecimated(zero_mean(8), "haar", 1)
    for spacing in (0, -1.0, float("nan"), float("inf"), "1"):
        with pytest.raises(OptionError, match="spacing must be a"):
            line.plot(spacing=spacing)  # type: ignore[arg-type]


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("zstd", [False, True])
def test_the_same_after_reading(zstd: bool, tmp_path: Path) -> None:
    if zstd:
        pytest.importorskip("numcodecs")
    x, path = zero_mean((7, 9)), tmp_path / "u.npz"
    for u in (
        lw.undecimated(x, "db2", 2),
        lw.undecimated(x, ["db2", "haar"], 2, norm=True, axes=(1, 0)),
        lw.undecimated(x, "db2", 1, "reflection", 1, transform="modwt"),
        lw.undecimated(x, SCHEME, 2, ["zero", "reflect"], norm=True),
        lw.undecimated(np.arange(20, dtype="uint8"), INTEGER, 2, "symmetric"),
        lw.undecimated(torch.from_numpy(x), "haar", 0),
    ):
        u.save(path, zstd=zstd)
        back = lw.Undecimated.load(path, like=u.approx)
        assert back == u
        assert (back.dtype, back.mode) == (u.dtype, u.mode)
        np.testing.assert_array_equal(to_numpy(back.reconstruct()), to_numpy(u.reconstruct()))


def test_files_of_the_other_class(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    lw.undecimated(zero_mean(8), "haar", 1).save(path)
    with pytest.raises(FileError, match=r"of the class Undecimated.*use lw.Undecimated.load"):
        lw.Decomposition.load(path)
    lw.decompose(zero_mean(8), "haar", 1).save(path)
    with pytest.raises(FileError, match=r"of the class Decomposition.*use lw.Decomposition.load"):
        lw.Undecimated.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transform": "cwt"}, "transform must be 'swt' or 'modwt', got 'cwt'"),
        ({"norm": 1}, "its 'norm' should be true or false, got 1"),
        ({"modes": ["zero"]}, "inverts filter banks with mode='periodization' only, got 'zero'"),
        ({"shape": [9]}, r"level1_a should have the shape \(9,\)"),
    ],
)
def test_wrong_descriptions(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    import json

    path = tmp_path / "u.npz"
    lw.undecimated(zero_mean(8), "haar", 1).save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays["liftwave"])) | change
    np.savez(path, **(arrays | {"liftwave": np.array(json.dumps(header))}))
    with pytest.raises(FileError, match=message):
        lw.Undecimated.load(path)


# --- arguments -----------------------------------------------------------------------------------


def test_errors() -> None:
    x = zero_mean(8)
    with pytest.raises(OptionError, match="transform must be 'swt' or 'modwt', got 'dwt'"):
        lw.undecimated(x, "haar", transform="dwt")  # type: ignore[arg-type]
    with pytest.raises(ModeError, match="mode='periodization' only, got 'symmetric'"):
        lw.undecimated(x, "haar", 1, "symmetric")
    with pytest.raises(ModeError, match="mode must be 'periodic' or 'reflection', got 'zero'"):
        lw.undecimated(x, "haar", 1, "zero", **MODWT)
    with pytest.raises(WaveletError, match="defined by filters"):
        lw.undecimated(x, SCHEME, 1, **MODWT)
    with pytest.raises(WaveletError, match="lifting schemes along all axes or along none"):
        lw.undecimated(zero_mean((4, 4)), [SCHEME, "haar"], 1)
    with pytest.raises(ShapeError, match="at least one dimension"):
        lw.undecimated(1.0, "haar")
    with pytest.warns(NormWarning, match="not orthogonal"):
        lw.undecimated(x, "bior2.2", 1, norm=True)
