"""Results in the caller's memory: ``out=`` of the inverse transforms."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import Library, assert_close, mapped, zero_mean

import liftwave as lw

SCHEME = lw.LiftingScheme.from_name("cdf9.7")
SHAPE = (24, 20, 32)
DATA = zero_mean(SHAPE)

WAYS: dict[str, tuple[Any, str]] = {
    "filter bank": ("db3", "symmetric"),
    "periodized": ("bior2.4", "periodization"),
    "lifting": (SCHEME, "symmetric"),
}

PERIODIC: dict[str, tuple[Any, str]] = {
    "undecimated": ("db3", "periodization"),
    "undecimated lifting": (SCHEME, "symmetric"),
}

Inverse = Callable[..., Any]

# Bands, and the function that takes them (and optionally ``out``).
CASES: dict[str, Callable[..., tuple[Any, Inverse]]] = {
    "idwt": lambda x, *way: (lw.dwt(x, *way), lambda c, **out: lw.idwt(*c, *way, **out)),
    "idwt of one band": lambda x, *way: (
        lw.dwt(x, *way, axis=0)[1],
        lambda c, **out: lw.idwt(None, c, *way, axis=0, **out),
    ),
    "idwt2": lambda x, *way: (lw.dwt2(x, *way), lambda c, **out: lw.idwt2(c, *way, **out)),
    "idwtn": lambda x, *way: (lw.dwtn(x, *way), lambda c, **out: lw.idwtn(c, *way, **out)),
    "idwtn along two axes apart": lambda x, *way: (
        lw.dwtn(x, *way, (2, 0)),
        lambda c, **out: lw.idwtn(c, *way, (2, 0), **out),
    ),
    "waverec": lambda x, *way: (
        lw.wavedec(x, *way, 2),
        lambda c, **out: lw.waverec(c, *way, **out),
    ),
    "waverec of no level": lambda x, *way: (
        lw.wavedec(x, *way, 0),
        lambda c, **out: lw.waverec(c, *way, **out),
    ),
    "waverec2": lambda x, *way: (
        lw.wavedec2(x, *way, 2),
        lambda c, **out: lw.waverec2(c, *way, **out),
    ),
    "waverecn": lambda x, *way: (
        lw.wavedecn(x, *way, 2),
        lambda c, **out: lw.waverecn(c, *way, **out),
    ),
}


UNDECIMATED: dict[str, Callable[..., tuple[Any, Inverse]]] = {
    "iswt": lambda x, wavelet, mode: (
        lw.swt(x, wavelet, 2, mode=mode),
        lambda c, **out: lw.iswt(c, wavelet, mode=mode, **out),
    ),
    "iswt2": lambda x, wavelet, mode: (
        lw.swt2(x, wavelet, 2, mode=mode, trim_approx=True),
        lambda c, **out: lw.iswt2(c, wavelet, mode=mode, **out),
    ),
    "iswtn": lambda x, wavelet, mode: (
        lw.swtn(x, wavelet, 1, mode=mode),
        lambda c, **out: lw.iswtn(c, wavelet, mode=mode, **out),
    ),
}
MODWT: dict[str, Callable[..., tuple[Any, Inverse]]] = {
    f"imodwt, {mode}": lambda x, wavelet, _, mode=mode: (
        lw.modwt(x, wavelet, 2, 1, mode),
        lambda c, **out: lw.imodwt(c, wavelet, 1, mode, **out),
    )
    for mode in ("periodic", "reflection")
}


def empty(shape: tuple[int, ...], dtype: str, xp: Library) -> Any:
    """A writable array of NaN."""
    values = np.full(shape, np.nan, dtype)
    return values if xp.is_numpy else xp.asarray(values)


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_the_result_is_in_out(name: str, way: str, xp: Library, kernels: Any) -> None:
    coeffs, inverse = CASES[name](DATA, *WAYS[way])
    for dtype in ("float64", "float32"):
        given = xp.tree(mapped(lambda band, to=dtype: band.astype(to), coeffs))
        expected = inverse(given)
        out = empty(tuple(expected.shape), dtype, xp)
        assert inverse(given, out=out) is out
        assert_close(out, xp.asarray(expected) if xp.is_numpy else expected, ulps=0)


@pytest.mark.parametrize("name", [*UNDECIMATED, *MODWT])
def test_results_of_undecimated_transforms(name: str, xp: Library, kernels: Any) -> None:
    ways = PERIODIC if name in UNDECIMATED else {"undecimated": PERIODIC["undecimated"]}
    for way in ways.values():
        coeffs, inverse = (UNDECIMATED | MODWT)[name](DATA, *way)
        given = xp.tree(coeffs)
        expected = inverse(given)
        out = empty(tuple(expected.shape), "float64", xp)
        assert inverse(given, out=out) is out
        assert_close(out, xp.asarray(expected) if xp.is_numpy else expected, ulps=0)
        for wrong in (empty((24, 20, 31), "float64", xp), empty(SHAPE, "float32", xp), [0.0]):
            with pytest.raises(lw.errors.LiftwaveError, match=r"^out "):
                inverse(given, out=wrong)


@pytest.mark.parametrize("way", WAYS)
def test_out_of_any_strides(way: str, kernels: Any) -> None:
    coeffs, inverse = CASES["idwt2"](DATA, *WAYS[way])
    expected = inverse(coeffs)
    whole = np.full((48, 20, 64), np.nan)
    unaligned = np.empty(expected.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(SHAPE)
    views = [whole[::2, :, ::-2], np.full(SHAPE[::-1], np.nan).T, unaligned]
    for out in views:
        assert inverse(coeffs, out=out) is out
        np.testing.assert_array_equal(out, expected)
    assert np.isnan(whole[1::2]).all()


@pytest.mark.parametrize("way", WAYS)
def test_out_in_the_memory_of_the_bands(way: str, kernels: Any) -> None:
    memory = zero_mean((2, 16, 24))
    wavelet, mode = "haar" if way == "filter bank" else WAYS[way][0], WAYS[way][1]
    expected = lw.idwt(memory[0].copy(), memory[1].copy(), wavelet, mode, axis=0)
    out = memory.reshape(32, 24)
    assert lw.idwt(memory[0], memory[1], wavelet, mode, axis=0, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_other_dtypes(kernels: Any) -> None:
    integer = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    x = (100 * DATA).astype(np.int16)
    coeffs = lw.wavedec2(x, integer, "symmetric", 2)
    out = np.zeros(SHAPE, coeffs[0].dtype)
    assert lw.waverec2(coeffs, integer, "symmetric", out=out) is out
    np.testing.assert_array_equal(out, x)
    out = np.zeros(8)
    lw.idwt([1, 2, 3, 4], [0, 0, 0, 0], "haar", out=out)  # integers become float64
    np.testing.assert_array_equal(out, lw.idwt([1, 2, 3, 4], None, "haar"))


def test_half_precision_and_gradients_of_torch(kernels: Any) -> None:
    torch = pytest.importorskip("torch")
    bands = torch.ones(2, 8, dtype=torch.float16)
    out = torch.zeros(16, dtype=torch.float16)
    assert lw.idwt(*bands, "haar", out=out) is out
    assert torch.equal(out, lw.idwt(*bands, "haar"))
    approx = torch.ones(4, dtype=torch.float64, requires_grad=True)
    out = torch.zeros(8, dtype=torch.float64)
    lw.idwt(approx, None, "haar", out=out).sum().backward()
    np.testing.assert_allclose(approx.grad, np.full(4, np.sqrt(2)), rtol=1e-15)


ONE_GO = [(CASES[name], WAYS[way]) for name in ("idwt", "idwt2", "waverec2") for way in WAYS]
ONE_GO += [(case, ("db2", "periodization")) for case in (*UNDECIMATED.values(), *MODWT.values())]


@pytest.mark.parametrize(("case", "way"), ONE_GO)
def test_nothing_is_allocated(case: Callable[..., tuple[Any, Inverse]], way: Any) -> None:
    pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
    coeffs, inverse = case(zero_mean((16, 128, 128)), *way)
    with lw.kernels("cpu"):
        out = inverse(coeffs)
        inverse(coeffs, out=out)
        tracemalloc.start()
        try:
            inverse(coeffs, out=out)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 24 * 1024 < out.nbytes / 50


@pytest.mark.parametrize(("n", "level"), [(1, 1), (2, 3), (7, 1), (40, 5), (9000, 2), (9000, 12)])
def test_the_half_of_a_reflected_signal(n: int, level: int, kernels: Any) -> None:
    """Intermediate levels are computed as far as the half needs them."""
    bands = list(zero_mean((level + 1, 2 * n)))
    only_approx = [bands[0], *[None] * level]
    for coeffs in (bands, only_approx):
        expected = lw.imodwt(coeffs, "db4")[:n]
        out = np.full(n, np.nan)
        assert lw.imodwt(coeffs, "db4", mode="reflection", out=out) is out
        np.testing.assert_array_equal(out, expected)


def test_the_half_of_a_long_reflected_signal() -> None:
    """One band of a signal that the caches do not hold goes through all levels in blocks."""
    n = (1 << 21) + 5
    coeffs = [np.random.default_rng(0).standard_normal(2 * n), None, None, None]
    out = np.full(n, np.nan)
    lw.imodwt(coeffs, "db2", mode="reflection", out=out)
    np.testing.assert_array_equal(out, lw.imodwt(coeffs, "db2")[:n])


def test_what_out_cannot_be(kernels: Any) -> None:
    torch = pytest.importorskip("torch")
    bands = np.ones(4), np.ones(4)
    readonly = np.zeros(8)
    readonly.flags.writeable = False
    with pytest.raises(TypeError, match="writeable array, got a read-only array"):
        lw.idwt(*bands, "haar", out=readonly)
    with pytest.raises(TypeError, match="writeable array, got list"):
        lw.idwt(*bands, "haar", out=[0.0] * 8)
    with pytest.raises(TypeError, match="arrays of one library"):
        lw.idwt(*bands, "haar", out=torch.zeros(8, dtype=torch.float64))
    for shape in ((7,), (8, 1), ()):
        with pytest.raises(lw.errors.ShapeError, match=r"out has shape .* result has shape \(8,\)"):
            lw.idwt(*bands, "haar", out=np.zeros(shape))
    out = np.full(8, 7, np.float32)
    with pytest.raises(lw.errors.DTypeError, match=r"out has dtype float32, .* has float64"):
        lw.idwt(*bands, "haar", out=out)
    assert (out == 7).all()
    with pytest.raises(TypeError, match="positional"):
        lw.idwt(*bands, "haar", "symmetric", -1, np.zeros(8))
