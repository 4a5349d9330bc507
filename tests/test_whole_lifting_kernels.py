"""Undecimated lifting by compiled kernels equals the reference kernels, for all families.

The CPU kernels are bitwise equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from families import family_of, is_exact
from helpers import LIFTING_MODES, zero_mean

import liftwave as lw
from liftwave import _dispatch
from liftwave._plan.undecimated_lifting import nearest_place

ONE_TAP = lw.LiftingScheme([lw.LiftingStep("update", (0.25, 0.5, 0.125, -0.5, 0.75), -3)])
SCHEMES = {
    **{name: lw.LiftingScheme.from_name(name) for name in ("haar", "cdf5.3", "cdf9.7", "sym8")},
    "one step of five taps": ONE_TAP,
}
INTEGER = lw.LiftingScheme.from_name("cdf9.7").to_integer()
DTYPES = [
    *(("cpu", dtype) for dtype in ("int8", "uint8", "int16", "int32", "int64")),
    ("cuda", "int16"),
    *(
        pytest.param("cuda", dtype, marks=pytest.mark.slow)
        for dtype in ("int8", "uint8", "int32", "int64")
    ),
]


def flat(value: Any) -> Iterator[np.ndarray]:
    """All arrays in a structure of bands."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        for each in value:
            yield from flat(each)
    elif value is not None:
        yield value


def run_by(family: Any, function: Any, *args: Any, **options: Any) -> Any:
    """The result of the family's kernels, without a fallback."""
    if family.name == "cpu":
        with lw.kernels("cpu!"):
            return function(*args, **options)
    with _dispatch.registered(family), lw.kernels(family.name):
        return function(*args, **options)


def assert_alike(family: Any, function: Any, *args: Any, **options: Any) -> Any:
    """The result, after a comparison with the reference kernels."""
    with lw.kernels("reference"):
        expected = function(*args, **options)
    result = run_by(family, function, *args, **options)
    largest = max((float(abs(y).max(initial=0)) for y in flat(expected)), default=0.0)
    for ours, theirs in zip(flat(result), flat(expected), strict=True):
        assert ours.dtype == theirs.dtype
        if is_exact(family) or ours.dtype.kind in "iu":
            np.testing.assert_array_equal(ours, theirs)
        else:  # rounding errors of one band spread to the others
            atol = 40 * np.finfo(ours.dtype).eps * largest
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)
    return result


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", SCHEMES)
def test_lines(family: Any, name: str, mode: Any) -> None:
    scheme = SCHEMES[name]
    for n in (1, 2, 3, 7, 64, 301):
        for dtype in ("float32", "complex128"):
            x = zero_mean((2, n)).astype(dtype)
            bands = assert_alike(family, lw.swt, x, scheme, 4, norm=n == 7, mode=mode)
            assert_alike(family, lw.iswt, bands, scheme, n == 7, mode=mode)
    any_bands = [zero_mean((2, 50)), None, zero_mean((2, 50)), None]
    assert_alike(family, lw.iswt, any_bands, scheme, mode=mode)


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_blocks_of_long_lines(family: Any, mode: Any) -> None:
    """Blocks, in the middle and at both ends, and whole lines if taps are far apart."""
    n, level = (40_001, 13) if family.name == "cpu" else (5001, 10)
    x = zero_mean(n).astype(np.float32)
    bands = assert_alike(family, lw.swt, x, SCHEMES["cdf9.7"], level, trim_approx=True, mode=mode)
    assert_alike(family, lw.iswt, bands, SCHEMES["cdf9.7"], mode=mode)


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_strips_of_wide_arrays(family: Any, mode: Any) -> None:
    x = zero_mean((600, 150) if family.name == "cpu" else (300, 37)).astype(np.float32)
    for scheme in (SCHEMES["cdf5.3"], SCHEMES["sym8"]):
        bands = assert_alike(family, lw.swt2, x, scheme, 3, mode=mode)
        assert_alike(family, lw.iswt2, bands, scheme, mode=mode)
    assert_alike(family, lw.swt, x, SCHEMES["cdf9.7"], 9, axis=0, mode=mode)


def test_several_axes(family: Any) -> None:
    x, schemes = zero_mean((3, 5, 6, 7)), (SCHEMES["cdf5.3"], SCHEMES["haar"], SCHEMES["sym8"])
    for axes in ((1, 2, 3), (3, 0, 2)):
        modes = ("reflect", "zero", "periodization")
        bands = assert_alike(family, lw.swtn, x, schemes, 2, axes=axes, mode=modes)
        assert_alike(family, lw.iswtn, bands, schemes, axes, mode=modes)
        some = [{"dda": bands[0]["dda"]}, {"aad": bands[1]["aad"]}]
        assert_alike(family, lw.iswtn, some, schemes, axes, mode=modes)
    view = x.transpose(3, 1, 0, 2)[::2]
    assert_alike(family, lw.swt2, view, SCHEMES["cdf9.7"], 2, axes=(0, 2))


@pytest.mark.filterwarnings("ignore::liftwave.errors.IntegerRangeWarning")
@pytest.mark.parametrize(("family", "dtype"), DTYPES, indirect=["family"])
def test_integers(family: Any, dtype: str) -> None:
    rng, largest = np.random.default_rng(0), np.iinfo(dtype).max
    for mode in LIFTING_MODES:
        x = rng.integers(np.iinfo(dtype).min // 4, largest // 4, (20, 33)).astype(dtype)
        bands = assert_alike(family, lw.swt, x, INTEGER, 3, mode=mode)
        np.testing.assert_array_equal(assert_alike(family, lw.iswt, bands, INTEGER, mode=mode), x)
        bands = assert_alike(family, lw.swt2, x, INTEGER, 2, trim_approx=True, mode=mode)
        np.testing.assert_array_equal(assert_alike(family, lw.iswt2, bands, INTEGER, mode=mode), x)
    no_bands_of_a_signal = list(rng.integers(-100, 100, (3, 40)).astype(dtype))
    assert_alike(family, lw.iswt, no_bands_of_a_signal, INTEGER)


def test_batches_without_arrays(family: Any) -> None:
    bands = assert_alike(family, lw.swt, np.zeros((0, 9)), SCHEMES["cdf9.7"], 2)
    assert_alike(family, lw.iswt, bands, SCHEMES["cdf9.7"])


def test_batches_and_threads() -> None:
    family_of("cpu")
    x = zero_mean((70, 900))
    expected = lw.swt(x, SCHEMES["cdf9.7"], 3)
    threads = lw.get_num_threads()
    try:
        lw.set_num_threads(1)
        for ours, theirs in zip(flat(lw.swt(x, SCHEMES["cdf9.7"], 3)), flat(expected), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    finally:
        lw.set_num_threads(threads)


def test_objects_and_components(family: Any) -> None:
    x = zero_mean((9, 12))

    def components() -> list[np.ndarray]:
        u = lw.undecimated(x, SCHEMES["cdf9.7"], 2, "reflect")
        return [*u.values(), u.reconstruct(), *u.mra().values()]

    assert_alike(family, components)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", ["cdf9.7", "sym8", "one step of five taps"])
def test_adjoints(family: Any, name: str, mode: Any) -> None:
    scheme = SCHEMES[name]

    def gradients(x: np.ndarray, axis: int) -> list[np.ndarray]:
        bands, pullback = lw.vjp(lw.swt, x, scheme, 3, axis=axis, mode=mode)
        of_signal = pullback([(2 * a, d) for a, d in bands], wavelet=False).data
        _, pullback = lw.vjp(lw.iswt, bands, scheme, axis=axis, mode=mode)
        return [of_signal, *flat(pullback(x, wavelet=False).data)]

    for n in (1, 2, 5, 40):
        for axis, x in ((-1, zero_mean((2, n))), (0, zero_mean((n, 130)))):
            with lw.kernels("reference"):
                expected = gradients(x, axis)
            results = run_by(family, gradients, x, axis)
            largest = max(abs(y).max() for y in expected)
            for ours, theirs in zip(results, expected, strict=True):
                scale = abs(theirs).max() if is_exact(family) else largest
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * scale)


def arrays_of(back: Any) -> list[np.ndarray]:
    """The cotangents of the data, and the gradients of taps and scales."""
    return [*flat(back.data), *back.wavelet.taps, np.asarray(back.wavelet.scale)]


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", ["cdf9.7", "one step of five taps"])
def test_gradients_of_taps(name: str, mode: Any) -> None:
    family, scheme = family_of("cpu"), SCHEMES[name]

    def gradients(x: np.ndarray, axis: int) -> list[np.ndarray]:
        bands, pullback = lw.vjp(lw.swt, x, scheme, 3, axis=axis, mode=mode)
        of_analysis = pullback([(2 * a, d) for a, d in bands])
        _, pullback = lw.vjp(lw.iswt, bands, scheme, axis=axis, mode=mode)
        return [*arrays_of(of_analysis), *arrays_of(pullback(x))]

    for n in (1, 5, 40):
        for axis, x in ((-1, zero_mean((2, n)) * (1 + 2j)), (0, zero_mean((n, 130))[:, ::2])):
            with lw.kernels("reference"):
                expected = gradients(x, axis)
            for ours, theirs in zip(run_by(family, gradients, x, axis), expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * abs(theirs).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_learned_taps_in_torch(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    family = family_of("cpu")
    x = torch.from_numpy(zero_mean((2, 40)).astype(dtype))

    def learned() -> list[np.ndarray]:
        steps = [
            lw.LiftingStep(kind, torch.tensor(taps, dtype=torch.float64, requires_grad=True))
            for kind, taps in (("predict", [-0.5, -0.25]), ("update", [0.25, 0.125]))
        ]
        scheme = lw.LiftingScheme(steps)
        bands = lw.swt(x, scheme, 2, mode="reflect")
        signal = lw.iswt([(2 * a, d**2) for a, d in bands], scheme, mode="reflect")
        (signal**2).sum().backward()
        gradients = [step.taps.grad for step in steps]
        return [each.detach().numpy() for each in (*flat(bands), signal, *gradients)]

    with lw.kernels("reference"):
        expected = learned()
    tolerance = 1e4 * np.finfo(dtype).eps
    for ours, theirs in zip(run_by(family, learned), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * abs(theirs).max())


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_shortest_places_have_the_same_samples(mode: Any) -> None:
    from test_undecimated_lifting import extended

    for n in (2, 5):
        x = np.arange(1.0, n + 1)
        for place in (0, 1, -1, 4, -7, 30, 2**70 + 3, -(2**66)):
            nearest = nearest_place(place, n, mode)
            assert abs(nearest) <= n
            for k in range(n):
                assert extended(x, k + nearest, mode) == extended(x, k + place, mode)
