"""Pooling by weights follows the formulas, on all arrays and for all values."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pooling_loops as loops
import pytest
import torch
from helpers import Library, assert_close, byte_copy, zero_mean

import liftwave as lw
from liftwave import pooling
from liftwave._kernels.contract import Kernels

DISTANCES = ("l1", "l2", "huber", "chebyshev", "gower")


class Kind(NamedTuple):
    """A function, its options, and its name in the loops."""

    function: Callable[..., Any]
    options: dict[str, Any]
    name: str


KINDS = {
    "soft": Kind(pooling.soft_pool, {}, "softmax"),
    "edscw": Kind(pooling.edscw_pool, {}, "exp-dice"),
    **{
        f"{'exp-' * exponential}{name}": Kind(
            pooling.similarity_pool,
            {"similarity": name, "exponential": exponential},
            f"{'exp-' * exponential}{name}",
        )
        for name in ("dice", "cosine", "pce")
        for exponential in (True, False)
    },
    **{
        f"idw-{name}": Kind(pooling.idw_pool, {"distance": name, "delta": 0.4}, f"idw-{name}")
        for name in DISTANCES
    },
}

# Windows of every kind: adjacent, overlapping, with gaps, beyond the ends, one sample wide.
WINDOWS: dict[str, tuple[tuple[int, ...], tuple[Any, ...]]] = {
    "1-D": ((9,), ((2,),)),
    "1-D overlapping": ((9,), ((3,), 2, 1)),
    "1-D of one sample": ((5,), ((1,), 2)),
    "1-D of all samples": ((5,), ((5,),)),
    "2-D of two": ((6, 8), ((2, 2),)),
    "2-D of three": ((6, 9), ((3, 3),)),
    "2-D odd": ((7, 5), ((2, 2),)),
    "2-D ceil": ((7, 5), ((2, 3), None, 0, 1, True)),
    "2-D overlapping": ((6, 7), ((3, 2), (2, 1), 1)),
    "2-D gaps": ((8, 7), ((2, 2), 3)),
    "2-D dilated": ((9, 8), ((3, 2), 2, (1, 0), (2, 3))),
    "2-D dilated, ceil": ((8, 6), ((3, 2), (2, 3), 1, 2, True)),
    "2-D stride one": ((5, 6), ((3, 3), 1, 1)),
    "3-D": ((4, 5, 6), ((2, 2, 2),)),
    "3-D overlapping": ((4, 5, 6), ((2, 3, 2), (2, 1, 3), (1, 1, 0))),
}


def signals(size: tuple[int, ...], seed: int = 0, lead: tuple[int, ...] = (2, 3)) -> np.ndarray:
    return zero_mean((*lead, *size), seed)


def by_loops(x: np.ndarray, *arguments: Any, **options: Any) -> np.ndarray:
    return np.stack([loops.pool(image, *arguments, **options) for image in x])


# --- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", WINDOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_pooling_is_what_the_formulas_say(kernels: Kernels, kind: str, case: str) -> None:
    size, arguments = WINDOWS[case]
    function, options, name = KINDS[kind]
    x = signals(size)
    delta = options.get("delta", 1.0)
    assert_close(
        function(x, *arguments, **options), by_loops(x, name, arguments, delta=delta), ulps=64
    )
    if function is not pooling.soft_pool:
        found = function(x, *arguments, per_channel=False, **options)
        expected = by_loops(x, name, arguments, delta=delta, per_channel=False)
        assert_close(found, expected, ulps=64)


@pytest.mark.parametrize("case", WINDOWS)
def test_ada_pool_is_what_the_formulas_say(kernels: Kernels, case: str) -> None:
    size, arguments = WINDOWS[case]
    x = signals(size)
    counts, _ = loops.windows(size, *arguments)
    rng = np.random.default_rng(1)
    ones = (1,) * len(counts)
    for shape in (
        (),
        counts,
        (3, *counts),
        (1, *counts),
        (3, *ones),
        ones,
        (*ones[1:], counts[-1]),
    ):
        beta = rng.uniform(-0.2, 1.2, shape)
        for per_channel in (True, False):
            found = pooling.ada_pool(x, *arguments, beta=beta, per_channel=per_channel)
            expected = by_loops(x, "ada", arguments, beta, per_channel=per_channel)
            assert_close(found, expected, ulps=64)


@pytest.mark.parametrize("preserve", ["sum", "mean"])
@pytest.mark.parametrize("up", ["nearest", "linear"])
@pytest.mark.parametrize("case", WINDOWS)
def test_ada_unpool_is_what_the_formulas_say(
    kernels: Kernels, case: str, up: str, preserve: str
) -> None:
    size, arguments = WINDOWS[case]
    x, rng = signals(size), np.random.default_rng(2)
    counts, _ = loops.windows(size, *arguments)
    pooled = rng.standard_normal((2, 3, *counts))
    beta = rng.uniform(size=(3, *counts))
    for per_channel in (True, False):
        options = {"up": up, "preserve": preserve, "per_channel": per_channel}
        found = pooling.ada_unpool(x, pooled, *arguments, beta=beta, **options)
        expected = np.stack(
            [
                loops.unpool(image, p, "ada", arguments, beta, **options)
                for image, p in zip(x, pooled, strict=True)
            ]
        )
        assert_close(found, expected, ulps=64)


def test_unpooled_regions_keep_their_sum_or_mean(kernels: Kernels) -> None:
    x = signals((6, 8))
    y = pooling.ada_pool(x, 2, beta=0.3)
    for preserve, average in (("sum", np.sum), ("mean", np.mean)):
        back = pooling.ada_unpool(x, y, 2, beta=0.3, preserve=preserve)
        kept = average(back.reshape(2, 3, 3, 2, 4, 2), axis=(3, 5))
        assert_close(kept, y, ulps=16)


def test_linear_interpolation_is_that_of_torch() -> None:
    x, pooled = np.zeros((1, 3, 9, 8)), zero_mean((1, 3, 3, 4), 3)
    back = pooling.ada_unpool(x, pooled, (3, 2), up="linear", preserve="mean")
    expected = torch.nn.functional.interpolate(
        torch.asarray(pooled), size=(9, 8), mode="bilinear", align_corners=False
    )
    assert_close(back, expected.numpy(), ulps=16)


def test_soft_pool_is_the_softmax_of_torch() -> None:
    x = torch.asarray(signals((6, 9)))
    parts = torch.nn.functional.unfold(x, (2, 3), stride=(2, 3)).reshape(2, 3, 6, 9)
    expected = (parts.softmax(2) * parts).sum(2).reshape(2, 3, 3, 3)
    assert_close(pooling.soft_pool(x, (2, 3)), expected, ulps=16)


def test_distances_of_single_channels_are_the_same() -> None:
    x = signals((6, 8))
    first = pooling.idw_pool(x, 3, distance="l1")
    for distance in ("l2", "chebyshev", "gower"):
        assert_close(pooling.idw_pool(x, 3, distance=distance), first, ulps=8)
    wide = pooling.idw_pool(x, 3, distance="huber", delta=1e-9)  # almost everywhere linear
    assert_close(wide, first, ulps=1e9)
    together = {d: pooling.idw_pool(x, 3, distance=d, per_channel=False) for d in DISTANCES}
    assert_close(together["gower"], together["l1"], ulps=8)
    for distance in ("l2", "chebyshev", "huber"):
        assert np.abs(together[distance] - together["l1"]).max() > 1e-3


# --- arrays ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["soft", "edscw", "idw-huber", "pce"])
def test_arrays_of_every_library(xp: Library, kind: str) -> None:
    function, options, name = KINDS[kind]
    for dtype, ulps in (("float64", 64), ("float32", 64)):
        values = signals((7, 6)).astype(dtype)
        x = xp.asarray(values)
        before = byte_copy(x)
        delta = options.get("delta", 1.0)
        expected = by_loops(values.astype("float64"), name, ((3, 2), 2, 1), delta=delta)
        found = function(x, (3, 2), 2, 1, **options)
        assert_close(found, xp.asarray(expected.astype(dtype)), ulps=ulps)
        assert byte_copy(x) == before
    integers = xp.asarray(np.arange(24).reshape(1, 4, 6))
    assert_close(
        function(integers, 2, **options),
        function(xp.asarray(np.arange(24.0).reshape(1, 4, 6)), 2, **options),
    )


def test_ada_pool_on_arrays_of_every_library(xp: Library) -> None:
    x, beta = signals((6, 8)), np.random.default_rng(0).uniform(size=(3, 3, 4))
    y = by_loops(x, "ada", ((2, 2),), beta)
    found = pooling.ada_pool(xp.asarray(x), 2, beta=xp.asarray(beta))
    assert_close(found, xp.asarray(y), ulps=32)
    single = pooling.ada_pool(xp.asarray(x.astype("float32")), 2, beta=xp.asarray(beta))
    assert_close(single, xp.asarray(y.astype("float32")), ulps=32)
    listed = pooling.ada_pool(xp.asarray(x), 2, beta=beta.tolist())
    assert_close(listed, found)
    back = pooling.ada_unpool(xp.asarray(x), found, 2, beta=xp.asarray(beta))
    assert_close(back, xp.asarray(loops_back(x, y, beta)), ulps=64)


def loops_back(x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> np.ndarray:
    pairs = zip(x, y, strict=True)
    return np.stack([loops.unpool(a, b, "ada", ((2, 2),), beta) for a, b in pairs])


def test_any_number_of_leading_axes(kernels: Kernels) -> None:
    x = signals((6, 8), lead=(2, 2, 3))
    expected = pooling.soft_pool(x, 2)
    assert expected.shape == (2, 2, 3, 3, 4)
    assert_close(pooling.soft_pool(x[0, 0, 0], 2), expected[0, 0, 0])
    assert_close(pooling.soft_pool(x[1], 2), expected[1])
    mask = np.random.default_rng(0).uniform(size=(3, 3, 4))
    whole = pooling.ada_pool(x, 2, beta=mask)
    assert_close(pooling.ada_pool(x[1, 0], 2, beta=mask), whole[1, 0])
    assert_close(pooling.ada_pool(x[0, 1, 2], 2, beta=mask[2]), whole[0, 1, 2])


def test_a_number_pools_two_axes_or_ndim() -> None:
    x = signals((4, 6, 8))
    assert_close(pooling.soft_pool(x, 2), pooling.soft_pool(x, (2, 2)))
    assert_close(pooling.soft_pool(x, 2, ndim=1), pooling.soft_pool(x, (2,)))
    assert_close(pooling.soft_pool(x, 2, ndim=3), pooling.soft_pool(x, (2, 2, 2)))
    assert pooling.edscw_pool(x, (2,), 1).shape == (2, 3, 4, 6, 7)


@pytest.mark.parametrize("kind", [*KINDS, "ada"])
def test_memory_of_any_layout(kernels: Kernels, kind: str) -> None:
    function, options = (pooling.ada_pool, {}) if kind == "ada" else KINDS[kind][:2]
    x = signals((6, 8))
    expected = function(x, 2, **options)
    wide = np.zeros((2, 3, 12, 16))
    wide[:, :, ::2, 1::2] = x
    for same in (
        np.asfortranarray(x),
        wide[:, :, ::2, 1::2],
        np.ascontiguousarray(x[..., ::-1])[..., ::-1],
        np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1),
        x.astype(">f8"),
        np.broadcast_to(x[None], (1, *x.shape))[0],
    ):
        assert_close(function(same, 2, **options), expected)
    repeated = np.broadcast_to(x[:1], (4, 3, 6, 8))
    assert_close(function(repeated, 2, **options)[3], expected[0])


def test_no_images_at_all(kernels: Kernels) -> None:
    for lead in ((0, 3), (2, 0)):
        x = np.zeros((*lead, 6, 8))
        for kind in KINDS.values():
            assert kind.function(x, 2, **kind.options).shape == (*lead, 3, 4)
        y = pooling.ada_pool(x, 2, beta=np.zeros((1, 3, 4)))
        assert y.shape == (*lead, 3, 4)
        assert pooling.ada_unpool(x, y, 2).shape == x.shape


def test_half_precision_is_computed_in_single() -> None:
    x = torch.asarray(signals((6, 8)))
    for dtype in (torch.float16, torch.bfloat16):
        half = x.to(dtype)
        for function, options, _ in KINDS.values():
            found = function(half, 2, **options)
            assert_close(found, function(half.float(), 2, **options).to(dtype))
        found = pooling.ada_pool(half, 2, beta=torch.full((3, 4), 0.3))
        assert_close(found, pooling.ada_pool(half.float(), 2, beta=0.3).to(dtype))


# --- extremes --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-30, 1e30])
@pytest.mark.parametrize("kind", KINDS)
def test_scales_do_not_matter_to_similarities(kernels: Kernels, kind: str, size: float) -> None:
    """No overflow or underflow: all but softmax (and Huber, with delta) are homogeneous."""
    function, options, name = KINDS[kind]
    x = signals((6, 8)).astype("float32")
    big = x * np.float32(size)
    found = function(big, 2, **options)
    assert np.isfinite(found).all()
    expected = by_loops(big.astype("float64"), name, ((2, 2),), delta=options.get("delta", 1.0))
    assert_close(found, expected.astype("float32"), ulps=64)
    together = {} if kind == "soft" else {"per_channel": False}
    assert np.isfinite(function(big, 2, **options, **together)).all()


@pytest.mark.parametrize("kind", [*KINDS, "ada"])
def test_large_halves(kernels: Kernels, kind: str) -> None:
    """Values for which AdaPool's and SoftPool's original code gives NaN."""
    function, options = (pooling.ada_pool, {}) if kind == "ada" else KINDS[kind][:2]
    x = torch.tensor([[-1e4, 1e4], [1e4, 12.0]], dtype=torch.float16)
    for sign in (1, -1):
        y = function(sign * x, 2, **options)
        assert y.dtype == torch.float16
        assert torch.isfinite(y).all()
        assert abs(y.item()) <= 1e4


@pytest.mark.parametrize("kind", [*KINDS, "ada"])
def test_regions_of_equal_samples_are_kept(kernels: Kernels, kind: str) -> None:
    function, options = (pooling.ada_pool, {}) if kind == "ada" else KINDS[kind][:2]
    for value in (0.0, -3.0, 1e4, 1e30, -1e-30):
        for dtype in ("float32", "float64"):
            x = np.full((2, 7, 7), value, dtype)
            expected = np.full((2, 3, 3), value, dtype)
            assert_close(function(x, 3, 2, **options), expected, ulps=8)
            if kind != "soft":
                found = function(x, 3, 2, per_channel=False, **options)
                assert_close(found, expected, ulps=8)


@pytest.mark.parametrize("kind", [*KINDS, "ada"])
def test_single_samples_are_kept(kernels: Kernels, kind: str) -> None:
    function, options = (pooling.ada_pool, {}) if kind == "ada" else KINDS[kind][:2]
    x = signals((5, 6))
    assert_close(function(x, 1, **options), x)
    assert_close(function(x, 1, (2, 3), **options), x[..., ::2, ::3])


@pytest.mark.parametrize("kind", [*KINDS, "ada"])
def test_nan_stays_where_it_is(kernels: Kernels, kind: str) -> None:
    function, options = (pooling.ada_pool, {}) if kind == "ada" else KINDS[kind][:2]
    x = signals((6, 8))
    expected = function(x, 2, **options)
    x[1, 2, 3, 5] = np.nan
    with np.errstate(invalid="ignore"):
        found = function(x, 2, **options)
    assert np.isnan(found[1, 2, 1, 2])
    expected[1, 2, 1, 2] = np.nan
    assert_close(found, expected)


def test_a_mean_of_zero() -> None:
    """Only zeros are similar to it, and all other samples have equal weights."""
    x = np.array([[1.0, -1.0], [2.0, -2.0]])
    assert pooling.edscw_pool(x, 2).item() == 0.0
    for similarity in ("dice", "cosine", "pce"):
        y = pooling.similarity_pool(x, 2, similarity=similarity, exponential=False)
        assert y.item() == 0.0
    zeros = np.array([3.0, -3.0, 0.0])
    assert pooling.similarity_pool(zeros, (3,), exponential=False).item() == 0.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_means_of_integers_are_exact(kernels: Kernels, dtype: str) -> None:
    """Sums are exact, and they are divided: products with 1 / 7 would not be."""
    for kind, (function, options, _) in {**KINDS, "ada": (pooling.ada_pool, {}, "")}.items():
        for value, size in product((3.0, -7.0, 1001.0), ((3,), (7,), (5, 7), (7, 7))):
            found = function(np.full(size, value, dtype), size, **options)
            assert found.item() == value, kind
    columns = np.array(
        [[-3, 1, 2, -4, 5, -1], [-1, -1, -1, 2, 2, -1], [7, 7, -1, -2, -4, -7]], dtype
    )
    for x in columns:  # the mean is zero, and all weights are equal
        assert pooling.edscw_pool(x, (6,)).item() == 0.0
        for similarity in ("dice", "cosine", "pce"):
            y = pooling.similarity_pool(x, (6,), similarity=similarity, exponential=False)
            assert y.item() == 0.0, similarity
    for row in ([1, 9, 2, 5, 8, 3, 7], [0, 0, 7, 3, 2, 8, 1]):
        x = np.array(row, dtype)  # the sample at the mean has all the weight
        for distance in DISTANCES:
            assert pooling.idw_pool(x, (7,), distance=distance).item() == sum(row) / 7, distance


def test_zeros_are_similar_to_zeros(kernels: Kernels) -> None:
    """Visible in weights: in unpooling, and in sums over channels."""
    x = np.array([[3.0, -1.0, -2.0, 0.0]])
    found = pooling.ada_unpool(x, np.ones((1, 1)), (4,), beta=1.0)
    assert_close(found, loops.unpool(x, np.ones((1, 1)), "exp-dice", ((4,),)), ulps=4)
    assert found[0, 3] > 2 * found[0, 0]
    both = np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]])
    for similarity in ("dice", "cosine", "pce"):
        options = {"similarity": similarity, "exponential": False, "per_channel": False}
        expected = loops.pool(both, similarity, ((3,),), per_channel=False)
        assert_close(pooling.similarity_pool(both, (3,), **options), expected, ulps=8)


def test_samples_at_the_mean_share_all_the_weight() -> None:
    for distance in DISTANCES:
        assert pooling.idw_pool([0.0, 2.0, 4.0], (3,), distance=distance).item() == 2.0
        assert pooling.idw_pool([1.0, 3.0, 2.0, 2.0], (4,), distance=distance).item() == 2.0


def test_weights_do_not_lose_small_differences() -> None:
    """Large numbers with small differences: the softmax of 1e4, 1e4 + 1 is that of 0, 1."""
    base = np.array([0.0, 1.0, 2.0, 0.5])
    expected = pooling.soft_pool(base, (4,)) + 2.0**30
    assert_close(pooling.soft_pool(base + 2.0**30, (4,)), expected, ulps=2)


def test_regions_are_what_is_inside() -> None:
    """Padding adds no zeros: for negative samples, the softmax pooling is negative, too."""
    x = -100.0 - np.arange(25.0).reshape(1, 5, 5)
    y = pooling.soft_pool(x, 3, 2, 1)
    assert (y < -99).all()
    assert_close(pooling.edscw_pool(np.ones((1, 5, 5)), 3, 2, 1), np.ones((1, 3, 3)), ulps=4)


def test_results_are_the_same_each_time(kernels: Kernels) -> None:
    x = signals((64, 64), lead=(4, 8)).astype("float32")
    for kind in KINDS.values():
        first = kind.function(x, 3, 2, 1, **kind.options)
        for threads in (1, 2, 3):
            before = lw.get_num_threads()
            lw.set_num_threads(threads)
            try:
                again = kind.function(x, 3, 2, 1, **kind.options)
            finally:
                lw.set_num_threads(before)
            assert_close(again, first)
