"""Bands in the caller's memory: ``out=`` of the transforms."""

from __future__ import annotations

import dataclasses
import sys
import tracemalloc
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest
from helpers import Library, assert_close, mapped, zero_mean

import liftwave as lw

SCHEME = lw.LiftingScheme.from_name("cdf9.7")
DATA = zero_mean((24, 20, 32))

WAYS: dict[str, tuple[Any, str]] = {
    "filter bank": ("db3", "symmetric"),
    "at the ends": ("db2", "orthogonal"),
    "lifting": (SCHEME, "symmetric"),
}
UNDECIMATED_WAYS: dict[str, tuple[Any, str]] = {
    "periodic": ("db3", "periodization"),
    "extended": ("haar", "symmetric"),
    "lifting": (SCHEME, "reflect"),
}

Analysis = Callable[..., Any]

ANALYSES: dict[str, Analysis] = {
    "dwt": lw.dwt,
    "dwt, axis 0": lambda x, *way, **out: lw.dwt(x, *way, axis=0, **out),
    "dwt2": lw.dwt2,
    "dwtn": lw.dwtn,
    "dwtn along two axes apart": lambda x, *way, **out: lw.dwtn(x, *way, axes=(2, 0), **out),
    "wavedec": lambda x, *way, **out: lw.wavedec(x, *way, level=2, **out),
    "wavedec of no level": lambda x, *way, **out: lw.wavedec(x, *way, level=0, **out),
    "wavedec2": lambda x, *way, **out: lw.wavedec2(x, *way, level=2, **out),
    "wavedecn": lambda x, *way, **out: lw.wavedecn(x, *way, level=2, **out),
    "downcoef": lambda x, *way, **out: lw.downcoef("d", x[0, 0, ...], *way, level=2, **out),
}


def undecimated(function: Analysis, **options: Any) -> Analysis:
    """An undecimated transform as a function of data, wavelet and mode."""

    def run(x: Any, wavelet: Any, mode: str, **out: Any) -> Any:
        return function(x, wavelet, 2, mode=mode, **options, **out)

    return run


UNDECIMATED: dict[str, Analysis] = {
    "swt": undecimated(lw.swt),
    "swt, trimmed": undecimated(lw.swt, trim_approx=True),
    "swt2": undecimated(lw.swt2),
    "swt2, trimmed": undecimated(lw.swt2, trim_approx=True),
    "swtn": undecimated(lw.swtn),
    "swtn, trimmed": undecimated(lw.swtn, trim_approx=True),
}
CASES = [(ANALYSES[name], way) for name in ANALYSES for way in WAYS.values()]
CASES += [(UNDECIMATED[name], way) for name in UNDECIMATED for way in UNDECIMATED_WAYS.values()]
CASES += [
    (lambda x, wavelet, mode, **out: lw.modwt(x, wavelet, 2, mode=mode, **out), ("db3", mode))
    for mode in ("periodic", "reflection")
]
NAMES = [f"{name}, {way}" for name in ANALYSES for way in WAYS]
NAMES += [f"{name}, {way}" for name in UNDECIMATED for way in UNDECIMATED_WAYS]
NAMES += ["modwt", "modwt, reflection"]


def leaves(tree: Any) -> list[Any]:
    """The arrays of nested dicts, lists and tuples, in order."""
    if isinstance(tree, dict):
        return leaves(list(tree.values()))
    return list(chain(*map(leaves, tree))) if isinstance(tree, list | tuple) else [tree]


def empty_like(tree: Any, xp: Library | None = None) -> Any:
    """Arrays of NaN of the same shapes and dtypes."""

    def empty(band: Any) -> Any:
        name = str(band.dtype).rpartition(".")[2]
        values = np.full(tuple(band.shape), np.nan if "int" not in name else 99, name)
        return values if xp is None or xp.is_numpy else xp.asarray(values)

    return mapped(empty, tree)


def assert_same(out: Any, expected: Any) -> None:
    """Raise unless arrays have the same numbers."""
    pairs = list(zip(leaves(out), leaves(expected), strict=True))
    assert pairs
    for x, y in pairs:
        assert_close(x, y)


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.parametrize(("analysis", "way"), CASES, ids=NAMES)
def test_the_bands_are_in_out(analysis: Analysis, way: tuple[Any, str], kernels: Any) -> None:
    expected = analysis(DATA, *way)
    out = empty_like(expected)
    assert analysis(DATA, *way, out=out) is out
    assert_same(out, expected)


@pytest.mark.parametrize("name", ["dwt", "dwt2", "dwtn", "wavedec2", "downcoef", "swt2"])
def test_arrays_of_all_libraries(name: str, xp: Library, kernels: Any) -> None:
    analysis, way = (ANALYSES | UNDECIMATED)[name], ("db3", "periodization")
    x = xp.asarray(DATA, "float32")
    expected = analysis(x, *way)
    out = empty_like(expected, xp)
    assert analysis(x, *way, out=out) is out
    assert_same(out, expected if not xp.is_numpy else mapped(np.asarray, expected))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_out_of_any_strides(way: tuple[Any, str], kernels: Any) -> None:
    expected = lw.dwt2(DATA, *way)
    shapes = [band.shape for band in leaves(expected)]
    whole = [np.full((2 * n, rows, 2 * columns), np.nan) for n, rows, columns in shapes]
    unaligned = np.empty(8 * np.prod(shapes[2]) + 1, np.uint8)[1:].view(np.float64)
    out = (
        whole[0][::2, :, ::-2],
        (whole[1][::2, :, ::2], unaligned.reshape(shapes[2]), np.empty(shapes[3][::-1]).T),
    )
    assert lw.dwt2(DATA, *way, out=out) is out
    for x, y in zip(leaves(out), leaves(expected), strict=True):
        np.testing.assert_array_equal(x, y)
    assert np.isnan(whole[0][1::2]).all()


def test_interleaved_bands_do_not_overlap(kernels: Any) -> None:
    pixels = np.full((16, 2), np.nan)
    out = (pixels[:, 0], pixels[:, 1])
    lw.dwt(DATA[0, 0], "haar", out=out)
    assert_same(out, lw.dwt(DATA[0, 0], "haar"))


def test_integers_and_half_precision(kernels: Any) -> None:
    x = (100 * DATA).astype(np.int16)
    integer = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    for analysis in (ANALYSES["wavedec2"], UNDECIMATED["swt2"], UNDECIMATED["swt, trimmed"]):
        expected = analysis(x, integer, "symmetric")
        out = empty_like(expected)
        assert leaves(out)[0].dtype == leaves(expected)[0].dtype != x.dtype
        assert_same(analysis(x, integer, "symmetric", out=out), expected)
    out = (np.zeros(2), np.zeros(2))
    assert_same(lw.dwt([1, 2, 3, 4], "haar", out=out), lw.dwt([1, 2, 3, 4], "haar"))
    torch = pytest.importorskip("torch")
    half = torch.ones(8, dtype=torch.float16)
    out = tuple(torch.zeros(2, 4, dtype=torch.float16))
    assert_same(lw.dwt(half, "haar", out=out), lw.dwt(half, "haar"))


def test_gradients_of_torch(kernels: Any) -> None:
    torch = pytest.importorskip("torch")
    x = torch.ones(8, dtype=torch.float64, requires_grad=True)
    out = torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    assert lw.dwt(x, "haar", out=out) is out
    out[0].sum().backward()
    np.testing.assert_allclose(x.grad, np.full(8, 0.5**0.5), rtol=1e-15)
    out = torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    out[1].requires_grad = True
    with pytest.raises(lw.errors.ArgumentTypeError, match=r"out\[1\] is a leaf tensor"):
        lw.dwt(x.detach(), "haar", out=out)
    assert not out[0].any()
    with torch.no_grad():
        assert_same(lw.dwt(x, "haar", out=out)[0], lw.dwt(x, "haar")[0])


@pytest.mark.slow  # torch loads its compiler
@pytest.mark.filterwarnings("ignore:Dynamo")
def test_out_in_compiled_graphs() -> None:
    torch = pytest.importorskip("torch")
    x, out = torch.arange(8.0), (torch.zeros(4), torch.zeros(4))
    compiled = torch.compile(lambda x, a, d: lw.dwt(x, "haar", out=(a, d))[0] + 1, backend="eager")
    assert torch.equal(compiled(x, *out), lw.dwt(x, "haar")[0] + 1)
    assert_same(out, lw.dwt(x, "haar"))


# --- memory --------------------------------------------------------------------------------------

ONE_CALL = [(ANALYSES[name], WAYS["filter bank"]) for name in ("dwt", "dwt2", "dwtn", "wavedec2")]
ONE_CALL += [(ANALYSES[name], WAYS["lifting"]) for name in ("dwt", "dwt2", "wavedec2")]
ONE_CALL += [(UNDECIMATED[name], UNDECIMATED_WAYS["periodic"]) for name in UNDECIMATED]
ONE_CALL += [(UNDECIMATED["swt2, trimmed"], UNDECIMATED_WAYS["lifting"])]


@pytest.mark.parametrize(("analysis", "way"), ONE_CALL)
def test_nothing_is_allocated(analysis: Analysis, way: tuple[Any, str]) -> None:
    pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
    x = zero_mean((16, 128, 128))
    with lw.kernels("cpu"):
        out = analysis(x, *way)
        analysis(x, *way, out=out)
        tracemalloc.start()
        try:
            analysis(x, *way, out=out)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 24 * 1024 < x.nbytes / 50


def test_levels_that_one_call_does_not_compute() -> None:
    """Rows that are too long for two axes at once: the levels after the first fit."""
    x = zero_mean((8, 40_000))
    expected = lw.wavedec2(x, "haar", level=3)
    out = empty_like(expected)
    assert_same(lw.wavedec2(x, "haar", level=3, out=out), expected)


def test_the_caller_alone_holds_out() -> None:
    out = (np.empty(16), np.empty(16))
    before = sys.getrefcount(out[0])
    lw.dwt(DATA[0, 0], "haar", out=out)
    after = sys.getrefcount(out[0])
    assert after == before


# --- objects -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_decompositions(way: tuple[Any, str], kernels: Any) -> None:
    def decompose(x: Any, **options: Any) -> Any:
        return lw.decompose(x, way[0], 1, way[1], axes=(1, 2), **options)

    out, expected = decompose(np.ones_like(DATA)), decompose(DATA)
    approx = out.approx
    assert decompose(DATA, out=out) is out
    assert out == expected
    assert approx is out.approx
    assert not approx.flags.writeable
    np.testing.assert_allclose(out.reconstruct(), DATA, atol=1e-12)


def test_decompositions_that_do_not_fit(kernels: Any) -> None:
    d = lw.decompose(DATA, "db2", 1)
    others = [
        lw.decompose(DATA[1:], "db2", 1),
        lw.decompose(DATA.astype(np.float32), "db2", 1),
        lw.decompose(DATA, "sym3", 1),
        lw.decompose(DATA, "db2", 1, "zero"),
        lw.decompose(DATA, "db2", 2),
        lw.decompose(DATA, "db2", 1, axes=(1, 2)),
    ]
    for out in others:
        with pytest.raises(lw.errors.ShapeError, match="out does not match a decomposition of"):
            lw.decompose(DATA, "db2", 1, out=out)
    with pytest.raises(lw.errors.ArgumentTypeError, match="must be a Decomposition, got"):
        lw.decompose(DATA, "db2", 1, out=[d.approx, *d.details])  # type: ignore[arg-type]
    approx = d.approx.copy()
    approx.flags.writeable = False
    with pytest.raises(lw.errors.ArgumentTypeError, match=r"out\[0\] must be a writeable array"):
        lw.decompose(DATA, "db2", 1, out=dataclasses.replace(d, approx=approx))


@pytest.mark.parametrize("axes", [(0, 2), (2, 0)])
def test_fully_separable_results(axes: tuple[int, ...], xp: Library, kernels: Any) -> None:
    def transform(x: Any, **out: Any) -> Any:
        return lw.fswavedecn(x, "db2", "symmetric", (1, 2), axes, **out)

    x = xp.asarray(DATA, "float32")
    expected = transform(x)
    out = transform(xp.asarray(np.ones_like(DATA), "float32"))
    coeffs = out.coeffs
    assert transform(x, out=out) is out
    assert out.coeffs is coeffs
    assert_same(coeffs, expected.coeffs)
    for wrong in (lw.fswavedecn(x, "db2", levels=1), lw.fswavedecn(x, "db2", "zero", (1, 2), axes)):
        with pytest.raises(lw.errors.ShapeError, match="which do not match these arguments"):
            transform(x, out=wrong)
    with pytest.raises(lw.errors.ArgumentTypeError, match="out must be a result of fswavedecn"):
        transform(x, out=coeffs)
    with pytest.raises(lw.errors.DTypeError, match=r"out\.coeffs has dtype .*float32"):
        transform(xp.asarray(DATA), out=out)


def test_fully_separable_results_of_other_dtypes(kernels: Any) -> None:
    x = (100 * DATA).astype(np.int16)
    integer = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    out = lw.fswavedecn(np.zeros_like(x), integer)
    assert_same(lw.fswavedecn(x, integer, out=out).coeffs, lw.fswavedecn(x, integer).coeffs)


# --- what out cannot be --------------------------------------------------------------------------


def test_wrong_structures(kernels: Any) -> None:
    band, x = np.zeros(4), np.ones(8)
    for out in ([band], band, (band, band, band), {"a": band, "d": band}, (), "ad"):
        with pytest.raises(lw.errors.CoefficientsError, match=r"result, \(array, array\); got"):
            lw.dwt(x, "haar", out=out)  # type: ignore[arg-type]
    with pytest.raises(lw.errors.CoefficientsError, match=r"\{'a': array, 'd': array\}; got \{'a'"):
        lw.dwtn(x, "haar", out={"a": band})
    plane = np.zeros((4, 4))
    with pytest.raises(
        lw.errors.CoefficientsError,
        match=r"\[array, \(array, array, array\)\]; got \[array, array, array, NoneType\]",
    ):
        lw.wavedec2(np.ones((8, 8)), "haar", level=1, out=[plane, plane, plane, None])
    with pytest.raises(TypeError, match="positional"):
        lw.dwt(x, "haar", "symmetric", -1, (band, band))  # type: ignore[misc]


def test_wrong_arrays(kernels: Any) -> None:
    x, band, other = np.ones(8), np.full(4, 7.0), np.full(4, 7.0)
    readonly = np.zeros(4)
    readonly.flags.writeable = False
    wrong: list[tuple[Any, type[Exception], str]] = [
        (readonly, lw.errors.ArgumentTypeError, r"out\[1\] must be a writeable array, got a read"),
        (None, lw.errors.ArgumentTypeError, r"out\[1\] must be a writeable array, got NoneType"),
        ([0.0] * 4, lw.errors.ArgumentTypeError, r"out\[1\] must be a writeable array, got list"),
        (np.zeros(5), lw.errors.ShapeError, r"out\[1\] has shape \(5,\), .* has shape \(4,\)"),
        (np.zeros(4, "f"), lw.errors.DTypeError, r"out\[1\] has dtype float32, .* has float64"),
        (
            band,
            lw.errors.ArgumentTypeError,
            r"out\[0\] and out\[1\] share memory: pass a separate",
        ),
        (band[::-1], lw.errors.ArgumentTypeError, r"out\[0\] and out\[1\] share memory"),
        (x[::2], lw.errors.ArgumentTypeError, r"out\[1\] and the data share memory"),
    ]
    for array, error, match in wrong:
        with pytest.raises(error, match=match):
            lw.dwt(x, "haar", out=(band, array))
        assert (band == 7).all()
        assert (x == 1).all()
    with pytest.raises(lw.errors.ShapeError, match=r"out\[1\]\['ad'\] has shape"):
        lw.swtn(np.ones((4, 4)), "haar", 2, out=[empty_like(level) for level in _two_levels()])
    with pytest.raises(lw.errors.WaveletError):
        lw.dwt(x, "no wavelet", out=(band, other))
    with pytest.raises(TypeError, match="do not pass out="):
        lw.vjp(lw.dwt, x, "haar", out=(band, other))


def _two_levels() -> list[dict[str, Any]]:
    """Bands of two levels, with one of a wrong shape."""
    levels = lw.swtn(np.ones((4, 4)), "haar", 2)
    levels[1]["ad"] = np.zeros((4, 5))
    return levels


def test_tensors_that_share_memory(kernels: Any) -> None:
    torch = pytest.importorskip("torch")
    x, memory = torch.ones(8), torch.zeros(6)
    with pytest.raises(lw.errors.ArgumentTypeError, match=r"out\[0\] and out\[1\] share memory"):
        lw.dwt(x, "haar", out=(memory[:4], memory[2:]))
    with pytest.raises(lw.errors.ArgumentTypeError, match=r"out\[0\] and the data share memory"):
        lw.dwt(x, "haar", out=(x[::2], memory[:4]))
    with pytest.raises(TypeError, match="arrays of one library"):
        lw.dwt(x, "haar", out=(np.zeros(4, "f"), np.zeros(4, "f")))


def test_one_band_in_the_memory_of_the_data(kernels: Any) -> None:
    x = DATA[0, 0].copy()
    expected = lw.downcoef("a", x, "haar")
    assert_same(lw.downcoef("a", x, "haar", out=x[:16]), expected)


def test_arrays_of_dask() -> None:
    da = pytest.importorskip("dask.array")
    import liftwave.dask  # noqa: F401

    x, out = da.ones(8), (np.zeros(4), np.zeros(4))
    with pytest.raises(lw.errors.OptionError, match="out= does not support arrays of dask"):
        lw.dwt(x, "haar", out=out)
    with pytest.raises(lw.errors.OptionError, match="out= does not support arrays of dask"):
        lw.fswavedecn(x, "haar", out=lw.fswavedecn(np.ones(8), "haar"))
