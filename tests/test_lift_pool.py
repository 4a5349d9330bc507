"""Lifting pooling: compared with loops from the formulas, inverses, gradients, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import Library, assert_close, to_numpy, zero_mean
from hypothesis import given
from hypothesis import strategies as st
from lift_pool_cases import EXTENSIONS, SIZES, random_filters, slow_batch, stacked

import liftwave as lw
from liftwave.errors import ArgumentTypeError, BandError, DTypeError, OptionError, ShapeError
from liftwave.pooling import LiftFilters, LiftPenalties, lift_down, lift_filters, lift_up

CHANNELS = 2


def signal(dims: int, seed: int = 0, dtype: str = "float64") -> np.ndarray:
    return zero_mean((2, CHANNELS, *SIZES[dims]), seed, dtype)


def in_library(xp: Library, filters: LiftFilters, dtype: str = "float64") -> LiftFilters:
    return LiftFilters(*(xp.asarray(each, dtype) for each in filters))


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", EXTENSIONS)
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_bands_are_those_of_the_formulas(
    dims: int, kernel: int, padding: str, xp: Library, kernels: Any
) -> None:
    x = signal(dims)
    for shared in (False, True):
        filters = random_filters(CHANNELS, kernel, dims, shared=shared)
        expected, _ = slow_batch(x, filters, dims, padding)
        got = lift_down(
            xp.asarray(x), in_library(xp, filters), "bands", padding=padding, dimensions=dims
        )
        assert list(got) == list(expected)
        for name, band in expected.items():
            assert_close(got[name], xp.asarray(band), ulps=64 * kernel)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_outputs(dims: int, xp: Library, kernels: Any) -> None:
    x, filters = signal(dims), random_filters(CHANNELS, 5, dims)
    bands, _ = slow_batch(x, filters, dims, "reflect")
    names = list(bands)

    def down(*arguments: Any) -> Any:
        return lift_down(xp.asarray(x), in_library(xp, filters), *arguments, dimensions=dims)

    some = [names[-1], names[0]]
    cases = [
        (down(), sum(bands.values())),
        (down("sum", some), bands[some[0]] + bands[some[1]]),
        (down("concat"), stacked(bands)),
        (down("concat", some), np.concatenate([bands[n] for n in some], axis=1)),
        *((down(name), band) for name, band in bands.items()),
        *((down("bands", some)[name], bands[name]) for name in some),
    ]
    for got, expected in cases:
        assert_close(got, xp.asarray(expected), ulps=512)
    assert list(down("bands", some)) == some


@pytest.mark.parametrize("reduction", ["mean", "sum", "norm"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_penalties(dims: int, reduction: str, xp: Library, kernels: Any) -> None:
    x, filters = signal(dims), random_filters(CHANNELS, 3, dims)
    _, gaps = slow_batch(x, filters, dims, "reflect")
    reduce = {
        "mean": lambda v: (v**2).mean(),
        "sum": lambda v: (v**2).sum(),
        "norm": lambda v: np.sqrt((v**2).sum()),
    }[reduction]
    bands, got = lift_down(
        xp.asarray(x), in_library(xp, filters), dimensions=dims, penalties=reduction
    )
    assert isinstance(got, LiftPenalties)
    for k, value in enumerate(got):
        expected = sum(reduce(pair[k]) for pair in gaps)
        assert value.shape == ()
        np.testing.assert_allclose(to_numpy(value), expected, rtol=1e-12)
    assert_close(bands, lift_down(xp.asarray(x), in_library(xp, filters), dimensions=dims))


def test_more_axes(kernels: Any) -> None:
    """Four axes, and planes before the channels."""
    x, filters = zero_mean((2, 3, 1, 2, 3, 4, 5)), random_filters(1, 3, 4)
    bands = lift_down(x, filters, "bands", dimensions=4)
    expected, _ = slow_batch(x.reshape(6, 1, 2, 3, 4, 5), filters, 4, "reflect")
    assert len(bands) == 16
    for name, band in bands.items():
        assert_close(band.reshape(6, 1, 1, 2, 2, 3), expected[name], ulps=1024)
    assert_close(lift_up(bands, filters, (2, 3, 4, 5), dimensions=4), x, ulps=4096)


# --- the first filters ---------------------------------------------------------------------------

CDF = lw.LiftingScheme.from_name("cdf5.3")


def wavelet_bands(x: np.ndarray, dims: int) -> dict[str, np.ndarray]:
    """The bands of CDF 5/3 without its scales, under ``reflect``."""
    steps = lw.LiftingScheme(CDF.steps)
    if dims == 1:
        return dict(zip("LH", lw.dwt(x, steps, "reflect"), strict=True))
    approx, details = lw.dwt2(x, steps, "reflect")
    return dict(zip(("LL", "LH", "HL", "HH"), (approx, *details), strict=True))


@pytest.mark.parametrize("kernel", [3, 4, 5, 8])
def test_the_first_filters_are_a_wavelet(kernel: int, kernels: Any) -> None:
    """For both signs of samples, predictions and details, and every length."""
    for size in [*((n,) for n in range(1, 12)), (1, 1), (2, 3), (6, 8), (7, 6), (9, 11)]:
        dims, x = len(size), zero_mean((2, 3, *size))
        filters = lift_filters(3, kernel, dims)
        expected = wavelet_bands(x, dims)
        signal_bands, reflected = (
            lift_down(x, filters, "bands", padding=padding, dimensions=dims)
            for padding in ("signal", "reflect")
        )
        # Odd lengths have a detail more than the wavelet. It repeats another.
        for name, band in expected.items():
            within = tuple(slice(n) for n in band.shape)
            assert_close(signal_bands[name][within], band, ulps=2048, scale=8.0)
            # The halves are reflected about their ends: only these differ.
            inner = (..., *(slice(1, n // 2 - 1) for n in size))
            assert_close(reflected[name][inner], band[inner], ulps=2048, scale=8.0)
        back = lift_up(signal_bands, filters, size, padding="signal", dimensions=dims)
        assert_close(back, x, ulps=64, scale=8.0)


def test_scales_are_all_that_the_scheme_has_more() -> None:
    x = zero_mean((1, 32))
    bands = lift_down(x, lift_filters(1, 5, 1), "bands", padding="signal", dimensions=1)
    approx, detail = lw.dwt(x, CDF, "reflect")
    assert_close(bands["L"] * 2**0.5, approx, ulps=2048)
    assert_close(bands["H"] * -(0.5**0.5), detail, ulps=2048)


def test_an_alias_is_attenuated_from_the_start() -> None:
    """A wave of 0.45 periods per sample keeps more if the ReLU cuts half of the details."""
    wave = np.cos(2 * np.pi * 0.45 * np.arange(400.0))[None]

    def deviation(**options: Any) -> float:
        low = lift_down(wave, lift_filters(1, 5, 1, **options), "L", dimensions=1)
        return float(low[0, 4:-4].std())

    expected = lw.dwt(wave[0], CDF, "reflect")[0][4:-4].std() * 0.5**0.5
    assert deviation() == pytest.approx(expected, rel=1e-9)
    assert deviation(linear_range=0.0) > 4 * expected


def test_a_linear_range_of_zero_cuts_negative_updates() -> None:
    x = np.array([[1.0, 0, 1, 0, 1, 0, 1, 0]])
    for linear_range, approx in ((0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (64.0, 0.5)):
        filters = lift_filters(1, 5, 1, linear_range=linear_range)
        assert lift_down(x, filters, "L", dimensions=1).tolist() == [[approx] * 4]
    sizes = [tuple(f.shape) for f in lift_filters(7, 4, 3, shared=True)]
    assert sizes == [(1, 2, 7, 4), (1, 2, 7), (1, 2, 7), (1, 2, 7)]
    for wrong in (-1.0, np.inf, np.nan):
        with pytest.raises(OptionError, match="linear_range must be a number that is not negative"):
            lift_filters(1, linear_range=wrong)


# --- inverses ------------------------------------------------------------------------------------


@given(
    dims=st.integers(1, 3),
    sizes=st.lists(st.integers(1, 9), min_size=3, max_size=3),
    kernel=st.integers(1, 8),
    padding=st.sampled_from(EXTENSIONS),
    shared=st.booleans(),
    seed=st.integers(0, 99),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_up_undoes_down(
    kernels: Any,
    dims: int,
    sizes: list[int],
    kernel: int,
    padding: str,
    shared: bool,
    seed: int,
    dtype: str,
) -> None:
    size = tuple(sizes[:dims])
    x = zero_mean((2, CHANNELS, *size), seed, dtype)
    filters = random_filters(CHANNELS, kernel, dims, seed, shared=shared)
    bands = lift_down(x, filters, "bands", padding=padding, dimensions=dims)
    assert {b.shape[2:] for b in bands.values()} == {tuple((n + 1) // 2 for n in size)}
    back = lift_up(bands, filters, size, padding=padding, dimensions=dims)
    # The inverse subtracts the same increments: errors are proportional to the increments.
    scale = max(1.0, *(float(np.abs(b).max()) for b in bands.values()))
    assert_close(back, x, ulps=64, scale=scale)


@pytest.mark.parametrize(("dtype", "decibels"), [("float32", 120), ("float64", 240)])
def test_a_picture_comes_back(dtype: str, decibels: float, kernels: Any) -> None:
    x = np.random.default_rng(0).random((1, 3, 63, 80)).astype(dtype)
    filters = random_filters(3, 5, 2, seed=3)
    y = lift_up(lift_down(x, filters, "bands"), filters, (63, 80))
    error = np.mean((y - x).astype("float64") ** 2)
    assert 10 * np.log10(1 / error) > decibels


def test_bands_may_be_missing(xp: Library, kernels: Any) -> None:
    filters, x = random_filters(CHANNELS, 5, 2), signal(2)
    bands = lift_down(x, filters, "bands")
    zero = {name: band * (name == "LL") for name, band in bands.items()}
    expected = xp.asarray(lift_up(zero, filters))
    inside, lows = in_library(xp, filters), xp.asarray(bands["LL"])
    assert_close(lift_up({"LL": lows}, inside), expected)
    assert_close(lift_up([lows, None, None, None], inside), expected)


# --- dtypes and layouts ---------------------------------------------------------------------------


def test_dtypes(kernels: Any) -> None:
    filters = random_filters(CHANNELS, 5, 2)
    x = np.arange(2 * CHANNELS * 30).reshape(2, CHANNELS, 5, 6)
    wide = lift_down(x.astype("float64"), filters)
    assert_close(lift_down(x, filters), wide)
    assert lift_down(x.astype("float32"), filters).dtype == "float32"
    assert lift_down(x.astype("float16"), filters).dtype == "float32"  # as in dwt
    torch = pytest.importorskip("torch")
    half = torch.asarray(x).to(torch.bfloat16)
    tensors = LiftFilters(*map(torch.asarray, filters))
    got = lift_down(half, tensors)
    assert got.dtype == torch.bfloat16
    assert_close(got, lift_down(half.float(), tensors).to(torch.bfloat16))


def test_layouts(kernels: Any) -> None:
    """Strided, reversed, read-only, big-endian, unaligned: same results, unmodified inputs."""
    filters = random_filters(CHANNELS, 5, 2)
    x = signal(2)
    expected = lift_down(x, filters, "bands")
    unaligned = np.frombuffer(b"x" + x.tobytes(), dtype="uint8")[1:].view(x.dtype)
    views = {
        "strided": np.repeat(x, 2, axis=-1)[..., ::2],
        "reversed": x[..., ::-1].copy()[..., ::-1],
        "channels last": np.ascontiguousarray(np.moveaxis(x, 1, -1)).transpose(0, 3, 1, 2),
        "big-endian": x.astype(">f8"),
        "unaligned": unaligned.reshape(x.shape),
        "read-only": np.frombuffer(x.tobytes()).reshape(x.shape),
    }
    for name, view in views.items():
        before = view.tobytes()
        got = lift_down(view, filters, "bands")
        for band in expected:
            np.testing.assert_array_equal(got[band], expected[band], err_msg=name)
        assert view.tobytes() == before
    empty = lift_down(x[:0], filters, penalties="mean")
    assert empty[0].shape == (0, CHANNELS, 3, 4)
    assert [float(p) for p in empty[1]] == [0.0, 0.0]


def test_what_is_not_a_number_goes_through(kernels: Any) -> None:
    filters = random_filters(1, 3, 1)
    x = np.ones((1, 40))
    x[0, 20] = np.nan
    bands = lift_down(x, filters, "bands", dimensions=1)
    assert np.isnan(bands["H"][0, 9:12]).all()
    assert np.isfinite(bands["H"][0, :9]).all()
    assert np.isfinite(bands["H"][0, 12:]).all()


# --- gradients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["sum", "concat", "bands", "L", "some"])
@pytest.mark.parametrize("padding", EXTENSIONS)
@pytest.mark.parametrize("dims", [1, 2])
def test_gradients_of_down(dims: int, padding: str, output: str, kernels: Any) -> None:
    bands = None
    if output == "some":
        output, bands = "sum", ["L" * dims, "H" * dims]
    elif output == "L":
        output = "L" * dims
    for penalties in (None, "mean", "sum", "norm"):
        check_down(dims, padding, output, bands, penalties)


def check_down(dims: int, padding: str, output: str, bands: Any, penalties: str | None) -> None:
    x, filters = signal(dims), random_filters(CHANNELS, 3, dims)
    options = {"padding": padding, "dimensions": dims, "penalties": penalties}
    result, pullback = lw.vjp(lift_down, x, filters, output, bands, **options)
    rng = np.random.default_rng(1)

    def weights(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: weights(value) for key, value in tree.items()}
        if isinstance(tree, tuple):
            return tuple(map(weights, tree))
        return rng.standard_normal(np.shape(tree))

    cotangents = weights(result)
    gradient = pullback(cotangents)

    def value(x: Any, filters: Any) -> float:
        return dot(lift_down(x, filters, output, bands, **options), cotangents)

    check_slopes(value, x, filters, gradient)


def dot(a: Any, b: Any) -> float:
    if isinstance(a, dict):
        return sum(dot(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return sum(map(dot, a, b))
    return float(np.sum(np.asarray(a) * np.asarray(b)))


def check_slopes(value: Any, x: Any, filters: LiftFilters, gradient: Any) -> None:
    """Along random directions, compared with central differences."""
    rng = np.random.default_rng(2)
    step = 1e-6
    for part in ("data", *LiftFilters._fields):
        like = x if part == "data" else getattr(filters, part)
        found = gradient.data if part == "data" else getattr(gradient.parameters["filters"], part)
        assert found.shape == like.shape
        way = rng.standard_normal(like.shape)

        def at(t: float, part: str = part, like: Any = like, way: Any = way) -> float:
            moved = like + t * way
            if part == "data":
                return float(value(moved, filters))
            return float(value(x, filters._replace(**{part: moved})))

        slope = (at(step) - at(-step)) / (2 * step)
        size = np.linalg.norm(found) * np.linalg.norm(way) + 1
        assert abs(slope - dot(found, way)) < 1e-7 * size, part


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_gradients_of_up(dims: int, even: bool, kernels: Any) -> None:
    """From the result at even sizes, from the bands at odd ones."""
    size = tuple(2 * ((n + 1) // 2) - (not even) for n in SIZES[dims])
    filters = random_filters(CHANNELS, 3, dims)
    names = list(lift_down(zero_mean((CHANNELS, *size)), filters, "bands", dimensions=dims))
    shape = (2, CHANNELS, *((n + 1) // 2 for n in size))
    bands = {name: zero_mean(shape, k) for k, name in enumerate(names)}
    result, pullback = lw.vjp(lift_up, bands, filters, size, dimensions=dims)
    cotangent = zero_mean(result.shape, 99)
    gradient = pullback(cotangent)
    joined = np.stack(list(bands.values()))
    joined_gradient = type(gradient)(np.stack(list(gradient.data.values())), gradient.parameters)

    def value(x: Any, filters: Any) -> float:
        y = lift_up(dict(zip(names, x, strict=True)), filters, size, dimensions=dims)
        return dot(y, cotangent)

    check_slopes(value, joined, filters, joined_gradient)


def test_pullbacks_in_other_libraries(xp: Library, kernels: Any) -> None:
    x, filters = signal(2), random_filters(CHANNELS, 5, 2)
    results = []
    for lib in (Library("numpy"), xp):
        inside = in_library(lib, filters)
        (bands, penalties), pullback = lw.vjp(
            lift_down, lib.asarray(x), inside, "bands", penalties="mean"
        )
        g = pullback(({"HL": lib.asarray(np.ones(bands["HL"].shape))}, (None, lib.asarray(2.0))))
        assert penalties.update.shape == ()
        up, pull_up = lw.vjp(lift_up, bands, inside, (5, 8))
        h = pull_up(lib.asarray(to_numpy(up)))
        results.append(
            [g.data, *g.parameters["filters"], *h.data.values(), *h.parameters["filters"]]
        )
    for expected, got in zip(*results, strict=True):
        assert_close(got, xp.asarray(expected), ulps=1 << 12)


def test_pullbacks_check_cotangents() -> None:
    filters, x = random_filters(CHANNELS, 5, 2), signal(2)
    _, pullback = lw.vjp(lift_down, x, filters, "bands")
    with pytest.raises(BandError, match="no band 'XX'"):
        pullback({"XX": x})
    with pytest.raises(ShapeError, match="has shape"):
        pullback({"LL": x})
    with pytest.raises(ShapeError, match="dict by band"):
        pullback(x)
    _, pullback = lw.vjp(lift_down, x, filters, penalties="mean")
    with pytest.raises(ShapeError, match="pair"):
        pullback(x)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"output": "LX"}, OptionError, "unknown output 'LX'"),
        ({"bands": ["LL", "XX"]}, BandError, "no band 'XX'"),
        ({"bands": []}, OptionError, "at least one"),
        ({"bands": ["LL", "LL"]}, OptionError, "without repetitions"),
        ({"output": "LL", "bands": ["HH"]}, OptionError, "names a band: do not pass"),
        ({"padding": "mirror"}, OptionError, "unknown padding 'mirror'"),
        ({"penalties": "max"}, OptionError, "unknown reduction"),
        ({"dimensions": 0}, ShapeError, "dimensions must be from 1 to 8"),
        ({"dimensions": 3}, ShapeError, r"weight must have the shape \(7 \(or 1\), 2, 2, K\)"),
        ({"x": np.ones(5)}, ShapeError, "spatial axes"),
        ({"x": np.ones((2, 0, 3))}, ShapeError, "no samples"),
        ({"x": np.ones((3, 4, 4))}, ShapeError, "for 3 channels"),
        ({"x": np.ones((2, 4, 4), complex)}, DTypeError, "real numbers"),
        ({"filters": np.ones(3)}, ArgumentTypeError, "LiftFilters"),
    ],
)
def test_wrong_arguments(change: dict[str, Any], error: type[Exception], match: str) -> None:
    arguments = {"x": signal(2), "filters": random_filters(CHANNELS, 5, 2), **change}
    with pytest.raises(error, match=match):
        lift_down(**arguments)


def test_wrong_bands() -> None:
    filters = random_filters(CHANNELS, 5, 2)
    band = np.ones((CHANNELS, 3, 4))
    for bands, size, error, match in [
        ({"XX": band}, None, BandError, "no band 'XX'"),
        ({}, None, ShapeError, "at least one band"),
        ([band], None, ShapeError, "in the order LL, LH, HL, HH"),
        (band, None, ShapeError, "got ndarray"),
        ({"LL": band, "HH": band[:, :2]}, None, ShapeError, "the same shape"),
        ({"LL": band}, (5, 9), ShapeError, r"\(6, 8\), or one less"),
        ({"LL": band}, (6,), ShapeError, "output_size"),
    ]:
        with pytest.raises(error, match=match):
            lift_up(bands, filters, size)
    for channels, kernel in ((0, 5), (2, 0)):
        with pytest.raises(ShapeError, match="at least 1, got 0"):
            lift_filters(channels, kernel)
