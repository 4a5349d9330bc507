"""Transforms of arrays of dask: bit-equal to those of the whole array, and computed later."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from dask_helpers import assert_same, lazily, leaves, noise
from helpers import MODES

import liftwave as lw
import liftwave.dask
from liftwave._blocks import transforms as block_transforms
from liftwave._plan import blocks as arithmetic
from liftwave._plan.blocks import Reach, analysis_reach
from liftwave.dask import transforms
from liftwave.errors import (
    ArgumentTypeError,
    AxisError,
    LiftwaveError,
    ModeError,
    OptionError,
    ShapeError,
    ThresholdError,
)
from liftwave.lifting import LiftingScheme

ROOT = Path(__file__).parent.parent
CDF53, CDF97 = LiftingScheme.from_name("cdf5.3"), LiftingScheme.from_name("cdf9.7")
LIFTING_MODES = ("periodization", "reflect", "symmetric", "zero", "constant")


@pytest.fixture(autouse=True)
def _blocks_on_all_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of small arrays, too."""
    monkeypatch.setattr(block_transforms, "WHOLE_BELOW", 0)


# --- transforms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wavelet", "mode", "n"),
    [
        *(("db4", mode, 257) for mode in MODES),
        *((CDF97, mode, 257) for mode in LIFTING_MODES),
        *(("db4", mode, 200) for mode in ("periodic", "periodization", "symmetric")),
        (CDF97, "periodization", 200),
    ],
)
def test_one_axis_in_every_mode(wavelet: Any, mode: Any, n: int) -> None:
    x = noise(3, n)
    coeffs = lw.wavedec(x, wavelet, mode, level=3)
    assert_same(lw.wavedec(lazily(x, ((2, 1), (61, 3, n - 64))), wavelet, mode, level=3), coeffs)
    whole = lw.waverec(coeffs, wavelet, mode)
    assert_same(lw.waverec(lazily(coeffs, (2, 13)), wavelet, mode), whole)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "float16", "int16"])
@pytest.mark.parametrize("mode", ["symmetric", ("periodization", "periodic")])
def test_images_of_every_dtype(dtype: str, mode: Any) -> None:
    x = noise(90, 121, dtype=dtype)
    lazy = lazily(x, ((50, 40), (61, 50, 10)))
    coeffs = lw.wavedec2(x, "bior4.4", mode, level=2)
    assert_same(lw.wavedec2(lazy, "bior4.4", mode, level=2), coeffs)
    assert_same(lw.waverec2(lazily(coeffs), "bior4.4", mode), lw.waverec2(coeffs, "bior4.4", mode))
    bands = lw.dwt2(x, "db2", mode)
    assert_same(lw.dwt2(lazy, "db2", mode), bands)
    assert_same(lw.idwt2(lazily(bands), "db2", mode), lw.idwt2(bands, "db2", mode))


def test_volumes_along_some_axes() -> None:
    x, axes = noise(50, 3, 66), (2, 0)
    coeffs = lw.wavedecn(x, ["db2", CDF53], "reflect", level=2, axes=axes)
    lazy = lazily(x, (23, 2, 31))
    assert_same(lw.wavedecn(lazy, ["db2", CDF53], "reflect", level=2, axes=axes), coeffs)
    whole = lw.waverecn(coeffs, ["db2", CDF53], "reflect", axes=axes)
    assert_same(lw.waverecn(lazily(coeffs, 17), ["db2", CDF53], "reflect", axes=axes), whole)
    bands = lw.dwtn(x, "haar", axes=(0, 2))
    assert_same(lw.dwtn(lazy, "haar", axes=(0, 2)), bands)
    inverse = lw.idwtn(bands, "haar", axes=(0, 2))
    assert_same(lw.idwtn(lazily(bands, 17), "haar", axes=(0, 2)), inverse)
    assert_same(lw.dwt(lazy, "db3", axis=0), lw.dwt(x, "db3", axis=0))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int64"])
def test_integer_lifting_is_lossless(dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 250, (61, 70)).astype(dtype)
    scheme, lazy = CDF53.to_integer(), lazily(x)
    whole, d = (lw.decompose(each, scheme, 2, "symmetric") for each in (x, lazy))
    assert_same(list(d.bands.values()), list(whole.bands.values()))
    assert_same(d.reconstruct(), x)


def test_decompositions_reconstruct() -> None:
    x = noise(61, 70)
    whole, d = (lw.decompose(each, "db3", 2) for each in (x, lazily(x, 40)))
    assert_same(d.reconstruct(), whole.reconstruct())
    assert_same((2 * d - d).approx, whole.approx)
    assert "by 'db3'" in repr(d)
    assert_same(d.threshold(20.0).reconstruct(), whole.threshold(20.0).reconstruct())


def test_fully_separable_transforms() -> None:
    x = noise(50, 75, dtype="float32")
    whole, lazy = (lw.fswavedecn(each, "db2", levels=(1, 2)) for each in (x, lazily(x, 30)))
    assert_same(lazy.coeffs, whole.coeffs)
    assert_same(lw.fswaverecn(lazy), lw.fswaverecn(whole))


def test_missing_bands_count_as_zero() -> None:
    approx, *details = lw.wavedec(noise(300), "db4", level=3)
    for coeffs in ([approx, None, details[1], None], [None, None, details[1], details[2]]):
        assert_same(lw.waverec(lazily(coeffs), "db4"), lw.waverec(coeffs, "db4"))
    _, cD = lw.dwt(noise(300), "db4")
    assert_same(lw.idwt(None, lazily(cD), "db4"), lw.idwt(None, cD, "db4"))


def test_transforms_without_levels() -> None:
    x = noise(20, 30)
    assert_same(lw.wavedec2(lazily(x, 10), "haar", level=0), [x])
    assert_same(lw.decompose(lazily(x, 10), "haar", 0).reconstruct(), x)


UNDECIMATED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "swt": (lambda x: lw.swt(x, "db3", 2), lambda c: lw.iswt(c, "db3")),
    "trimmed": (
        lambda x: lw.swt(x, CDF97, 2, trim_approx=True, mode="symmetric"),
        lambda c: lw.iswt(c, CDF97, mode="symmetric"),
    ),
    "swt2": (lambda x: lw.swt2(x, "haar", 2), lambda c: lw.iswt2(c, "haar")),
    "swtn": (lambda x: lw.swtn(x, "db2", 1, norm=True), lambda c: lw.iswtn(c, "db2", norm=True)),
    "modwt": (lambda x: lw.modwt(x, "sym4", 3), lambda c: lw.imodwt(c, "sym4")),
    "reflection": (
        lambda x: lw.modwt(x, "db2", 2, mode="reflection"),
        lambda c: lw.imodwt(c, "db2", mode="reflection"),
    ),
    "mra": (lambda x: lw.mra(x, "db2", 2), lw.imra),
    "mra2": (lambda x: lw.mra2(x, "db2", 2), lw.imra2),
    "decimated mra": (lambda x: lw.mra(x, "db2", 2, transform="dwt"), lw.imra),
    "modwt_mra": (lambda x: lw.modwt_mra(x, "haar", 2), sum),
}


@pytest.mark.parametrize("name", UNDECIMATED)
def test_undecimated_transforms(name: str) -> None:
    forward, inverse = UNDECIMATED[name]
    x = noise(48, 64)
    coeffs = forward(x)
    assert_same(forward(lazily(x, (20, 27))), coeffs)
    assert_same(inverse(lazily(coeffs, (20, 27))), inverse(coeffs))


# --- graphs --------------------------------------------------------------------------------------


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    def fail(block: Any) -> Any:
        raise AssertionError("computed")

    x = da.zeros((64, 64), chunks=20).map_blocks(fail, meta=np.empty((0, 0)))
    results = [
        *lw.wavedec2(x, "db2", level=2),
        lw.decompose(x, "db2", 2).threshold(1.0).reconstruct(),
        lw.swt2(x, "haar", 1)[0][0],
        lw.estimate_sigma(x),
        lw.denoise(x, level=2),
    ]
    for result in leaves(results):
        assert isinstance(result, da.Array)
        with pytest.raises(AssertionError, match="computed"):
            result.compute(scheduler="synchronous")


def test_one_task_per_block_and_one_per_band() -> None:
    x = da.zeros((512, 512), chunks=128)
    results = list(leaves(lw.wavedec2(x, "haar", level=1)))
    ours = [key for key in dict(results[0].__dask_graph__()) if "liftwave" in str(key)]
    assert len(ours) == 16 * (1 + 1)
    ours = {key for band in results for key in dict(band.__dask_graph__())}
    assert len([key for key in ours if "liftwave" in str(key)]) == 16 * (1 + 4)


def test_the_plan_is_that_of_the_graph() -> None:
    x = da.zeros((700, 500), chunks=(120, 200), dtype="float32")
    report = liftwave.dask.plan(x, "db4", 3)
    keys = {
        key
        for band in lw.decompose(x, "db4", 3).bands.values()
        for key in dict(band.__dask_graph__())
    }
    assert report.tasks == sum("liftwave" in str(key) for key in keys)
    assert [group.levels for group in report.groups] == [(1, 2), (3,)]
    first, _ = report.groups
    assert (first.blocks, first.largest, first.margins) == ((6, 3), (140, 220), ((20, 0), (20, 0)))
    assert str(report).splitlines()[0].startswith("levels 1 to 2: 6 x 3 blocks of")


def test_small_approximations_are_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_transforms, "WHOLE_BELOW", 1000)
    x = noise(1000)
    whole, d = (lw.decompose(each, "db4", 5) for each in (x, lazily(x, 100)))
    assert [d[level, "d"].numblocks for level in range(1, 6)] == [(10,), (10,), (1,), (1,), (1,)]
    assert_same(list(d.bands.values()), list(whole.bands.values()))
    assert_same(d.reconstruct(), whole.reconstruct())


def test_many_blocks_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transforms, "MOST_BLOCKS", 8)
    with pytest.warns(da.PerformanceWarning, match="the graph has 9 blocks"):
        lw.dwt2(da.zeros((90, 90), chunks=30), "haar")


def test_an_empty_batch() -> None:
    x = noise(0, 64)
    assert_same(lw.wavedec(lazily(x, 20), "db2", level=2), lw.wavedec(x, "db2", level=2))


def test_the_same_call_has_the_same_names() -> None:
    x = da.from_array(noise(64, 64), chunks=30)
    first, second, other = (lw.dwt2(x, name)[0].name for name in ("db2", "db2", "db3"))
    assert first == second != other


def test_tasks_can_be_sent_to_other_processes() -> None:
    x = lazily(np.arange(200, dtype=np.uint8).reshape(10, 20), 10)
    d = lw.decompose(x, CDF53.to_integer(), 1)
    copy = pickle.loads(pickle.dumps(d))
    assert_same(copy.reconstruct(), x.compute())


def test_read_only_chunks() -> None:
    x = noise(64)
    x.flags.writeable = False
    assert_same(lw.wavedec(lazily(x, 20), CDF97, level=2), lw.wavedec(x, CDF97, level=2))


def test_a_shorter_reach_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def shorter(plan: Any, depth: int = 0) -> Reach:
        before, after = analysis_reach(plan, depth)
        return Reach(before - 2, after)

    monkeypatch.setattr(arithmetic, "analysis_reach", shorter)
    x = noise(400)
    with pytest.raises(AssertionError, match="Mismatched"):
        assert_same(lw.dwt(lazily(x, 100), "db4"), lw.dwt(x, "db4"))


@pytest.mark.parametrize("order", ["<", ">"])
def test_either_byte_order(order: str) -> None:
    """(Zarr names the order of its arrays, and native bytes are the same dtype by another name.)"""
    x = noise(40, 30, dtype="float32")
    ordered = x.astype(x.dtype.newbyteorder(order)).view(x.dtype.newbyteorder(order))
    d = lw.decompose(lazily(ordered, 20), "db2", 1)
    assert_same(list(d.bands.values()), list(lw.decompose(x, "db2", 1).bands.values()))
    assert d.approx.dtype.byteorder == "="
    sigma = lw.estimate_sigma(lazily(ordered, 20), "db2")
    assert_same(sigma, np.asarray(lw.estimate_sigma(x, "db2")))
    assert sigma.dtype.byteorder == "="


def test_chunks_of_few_samples() -> None:
    x = noise(23, 40)
    assert_same(lw.wavedec2(lazily(x, 1), "db4", level=1), lw.wavedec2(x, "db4", level=1))


# --- errors --------------------------------------------------------------------------------------


def test_an_error_names_the_import() -> None:
    code = """
import dask.array as da, liftwave as lw
x = da.zeros((8, 8), chunks=4)
for call in (lambda: lw.dwt2(x, "haar"), lambda: lw.denoise(x), lambda: lw.threshold(x, 1.0)):
    try:
        call()
    except lw.errors.ArgumentTypeError as error:
        print("import liftwave.dask" in str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["True"] * 3


def unknown() -> Any:
    x = da.zeros((64, 64), chunks=20)
    return x[x[:, 0] > -1]


X = da.zeros((64, 64), chunks=20)
ERRORS: dict[str, tuple[Callable[[], Any], type[LiftwaveError], str]] = {
    "unknown": (lambda: lw.dwt2(unknown(), "db2"), ShapeError, r"compute_chunk_sizes\(\)"),
    "out": (lambda: lw.idwt(X, X, "haar", out=X), OptionError, "remove out="),
    "mixed": (lambda: lw.idwt(np.zeros((64, 64)), X, "haar"), ArgumentTypeError, "from_array"),
    "axis twice": (lambda: lw.dwtn(X, "haar", axes=(0, 0)), AxisError, "axis twice"),
    "packets": (lambda: lw.wpdec(X, "haar", level=1), ArgumentTypeError, "dask"),
    "pooling": (lambda: lw.pooling.soft_pool(X, 2), ArgumentTypeError, "dask"),
    "dual tree": (lambda: lw.dtcwt(X), ArgumentTypeError, "dask"),
    "scalogram": (lambda: lw.scalogram(X, 1.0), ArgumentTypeError, "dask"),
    "trend": (lambda: lw.remove_trend(X[0], 0.1), ArgumentTypeError, "dask"),
    "covariance": (lambda: lw.wavelet_covariance(X, X, "haar"), ArgumentTypeError, "dask"),
    "mode": (lambda: lw.dwt2(X, "db2", "orthogonal"), ModeError, "in blocks"),
    "pad": (lambda: lw.pad(X, 2, "smooth"), ArgumentTypeError, "dask"),
    "derivative": (lambda: lw.vjp(lw.dwt2, X, "haar"), ArgumentTypeError, "dask"),
    "method": (lambda: lw.denoise(X, method="sure"), ThresholdError, "'bayes' or .*'visu'"),
    "transform": (lambda: lw.denoise(X, transform="swt"), ThresholdError, "dask"),
    "gaps": (lambda: lw.denoise(X, missing="mask"), ThresholdError, "dask"),
    "no method": (lambda: lw.denoise(X, method="none"), ThresholdError, "unknown method"),
    "level": (lambda: lw.denoise(X, level=-1), LiftwaveError, "level"),
    "shape": (lambda: lw.idwt2((X, (X, X[:9], X)), "db2"), ShapeError, "length|size"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call()
