"""The library with its CUDA kernels equals the reference kernels on NumPy arrays.

Tests run on devices (marked ``gpu``: CuPy arrays, CUDA tensors). Most also run on the host, where
the kernels' sources are compiled as C++ and sizes are small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from calls import CASES
from gpu_layers import LAYERS, flattened, run_layer
from helpers import LIFTING_MODES, MODES, largest, mapped, zero_mean
from lift_pool_cases import random_filters
from places import Place, assert_near, at, made, places, reference, values

import liftwave as lw
from liftwave import pooling

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")

CDF97 = lw.LiftingScheme.from_name("cdf9.7")
CDF53 = lw.LiftingScheme.from_name("cdf5.3").to_integer()
FLOATS = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")


def rarely(every: tuple[str, ...], *some: str) -> list[Any]:
    """Parameters, some of them only with the slow tests: each dtype compiles its own kernels."""
    return [pytest.param(e, marks=pytest.mark.slow) if e in some else e for e in every]


@pytest.fixture(params=places())
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each library in each place."""
    with at(made(request.param)) as found:
        yield found


@pytest.fixture(params=places("torch"))
def torch_place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Tensors in each place."""
    with at(made(request.param)) as found:
        yield found


def given(dtype: str, values_: np.ndarray) -> np.ndarray:
    """Values rounded to this dtype, in a NumPy dtype that can represent them."""
    if dtype == "bfloat16":
        return torch.tensor(values_).to(torch.bfloat16).float().numpy()
    exact = values_.astype(dtype)
    return exact.astype("float32") if dtype == "float16" else exact


# --- transforms ----------------------------------------------------------------------------------

TRANSFORMS = [name for name in CASES if "dw" in name or "wave" in name or "coef " in name]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_calls(name: str, place: Place) -> None:
    call, data = CASES[name]
    got = call(lw, place.tree(data))
    wanted = reference(lambda: call(lw, data))
    assert_near(got, wanted, 200, max(largest(data), 1.0))


def test_nothing_falls_back(place: Place) -> None:
    x = place.asarray(zero_mean((3, 20, 24)))
    for call in (
        lambda: lw.dwt(x, "db2", "symmetric"),
        lambda: lw.dwt2(x, "bior4.4", "smooth"),
        lambda: lw.wavedecn(x, "haar", level=2),
        lambda: lw.waverec2(lw.wavedec2(x, "db2", "periodization", 2), "db2", "periodization"),
        lambda: lw.wavedec2(x, CDF97, "reflect", 2),
        lambda: lw.iswt2(lw.swt2(x, "db2", 2), "db2"),
        lambda: lw.iswt2(lw.swt2(x, CDF97, 2, mode="reflect"), CDF97, mode="reflect"),
        lambda: lw.mra(x, "haar", 2),
        lambda: pooling.soft_pool(x, 2),
        lambda: pooling.max_pool(x, 2),
    ):
        call()
        place.served()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior4.4", "db10"])
def test_modes_and_sizes(wavelet: str, mode: str, place: Place) -> None:
    sizes = [1, 2, 7, 33] + [1000, 65537] * place.on_device
    for n in sizes["reflect" in mode :]:
        x = zero_mean((2, n), n)
        scale = 200.0 * max(1.0, float(np.abs(lw.pad(x, ((0, 0), (25, 25)), mode)).max()))
        got = lw.dwt(place.asarray(x), wavelet, mode)
        wanted = reference(lw.dwt, x, wavelet, mode)
        assert_near(got, wanted, 1, scale)
        assert_near(
            lw.idwt(*got, wavelet, mode), reference(lw.idwt, *wanted, wavelet, mode), 1, scale
        )


@pytest.mark.parametrize("dtype", rarely(FLOATS, "complex128"))
@pytest.mark.parametrize("wavelet", ["db2", CDF97], ids=["db2", "cdf9.7"])
def test_dtypes(dtype: str, wavelet: Any, place: Place) -> None:
    if place.library != "torch" and dtype == "bfloat16":
        pytest.skip("a dtype of torch")
    x = given(dtype, zero_mean((2, 11, 18), 1, "complex128" if "complex" in dtype else "float64"))
    array = place.asarray(x, dtype)
    keeps = place.library != "numpy" or dtype != "float16"  # as PyWavelets does
    expected = dtype if keeps else "float32"
    got = lw.wavedec2(array, wavelet, "symmetric", 2)
    place.served()
    wanted = reference(lw.wavedec2, x, wavelet, "symmetric", 2)
    assert {str(b.dtype).removeprefix("torch.") for level in got[1:] for b in level} == {expected}
    assert_near(got, wanted, 100)
    back = lw.waverec2(got, wavelet, "symmetric")
    place.served()
    assert str(back.dtype).removeprefix("torch.") == expected
    assert_near(back[:, :11], x, 100)


@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior4.4", "db10"])
def test_undecimated(wavelet: str, place: Place) -> None:
    shapes = [((2, 33), 3), ((6, 20), 6)] + [((300, 1001), 4), ((3, 65537), 9)] * place.on_device
    for shape, level in shapes:
        x = zero_mean(shape, shape[1])
        for axis in (0, 1):
            got = lw.swt(place.asarray(x), wavelet, level, axis=axis)
            place.served()
            wanted = reference(lw.swt, x, wavelet, level, axis=axis)
            assert_near(got, wanted, 60 * level, 2.0**level)
            back = lw.iswt(got, wavelet, axis=axis)
            place.served()
            assert_near(back, reference(lw.iswt, wanted, wavelet, axis=axis), 60 * level, 4.0)
    image = zero_mean((2, 12, 18))
    got = lw.swt2(place.asarray(image), wavelet, 2)
    assert_near(got, reference(lw.swt2, image, wavelet, 2), 200, 4.0)


def test_undecimated_in_half_precision(torch_place: Place) -> None:
    x = given("float16", zero_mean((2, 12, 18)))
    got = lw.swt2(torch_place.asarray(x, "float16"), "db2", 2, trim_approx=True)
    torch_place.served()
    wanted = reference(lw.swt2, x, "db2", 2, trim_approx=True)
    assert {y.dtype for y in flattened(got)} == {torch.float16}
    assert_near(got, wanted, 60, 4.0)
    back = lw.iswt2(got, "db2")
    torch_place.served()
    assert back.dtype == torch.float16
    assert_near(back, x, 60, 4.0)


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_lifting(mode: Any, place: Place) -> None:
    for shape in [(2, 1), (2, 9), (5, 12)] + [(300, 1001)] * place.on_device:
        n = shape[1]
        if n == 1 and mode == "reflect":
            continue
        x = zero_mean(shape, n)
        got = lw.dwt(place.asarray(x), CDF97, mode)
        wanted = reference(lw.dwt, x, CDF97, mode)
        assert_near(got, wanted, 60, 4.0)
        assert_near(lw.idwt(*got, CDF97, mode)[:, :n], x, 60, 4.0)


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_undecimated_lifting(mode: Any, place: Place) -> None:
    shapes = [((2, 33), 3), ((6, 20), 6)] + [((300, 1001), 7), ((3, 65537), 12)] * place.on_device
    for shape, level in shapes:
        x = zero_mean(shape, shape[1])
        for axis in (0, 1):
            got = lw.swt(place.asarray(x), CDF97, level, axis=axis, mode=mode)
            place.served()
            wanted = reference(lw.swt, x, CDF97, level, axis=axis, mode=mode)
            assert_near(got, wanted, 60 * level, 2.0**level)
            back = lw.iswt(got, CDF97, axis=axis, mode=mode)
            place.served()
            assert_near(back, x, 60 * level, 4.0)
    pixels = np.random.default_rng(0).integers(-100, 100, (3, 13, 18)).astype("int16")
    exact = lw.swt2(place.asarray(pixels), CDF53, 2, mode=mode)
    assert_near(exact, reference(lw.swt2, pixels, CDF53, 2, mode=mode), 0)
    np.testing.assert_array_equal(values(lw.iswt2(exact, CDF53, mode=mode)), pixels)


def test_undecimated_lifting_in_half_precision(torch_place: Place) -> None:
    x = given("float16", zero_mean((2, 12, 18)))
    got = lw.swt2(torch_place.asarray(x, "float16"), CDF97, 2, trim_approx=True)
    torch_place.served()
    assert {y.dtype for y in flattened(got)} == {torch.float16}
    assert_near(got, reference(lw.swt2, x, CDF97, 2, trim_approx=True), 60, 4.0)


@pytest.mark.parametrize("dtype", rarely(INTEGERS, "int8", "uint16", "int32", "uint32"))
def test_integers(dtype: str, place: Place) -> None:
    if place.library == "torch" and dtype in ("uint16", "uint32"):
        pytest.skip("torch has few operations on them")
    low, high = (0, 200) if dtype[0] == "u" else (-100, 100)
    x = np.random.default_rng(0).integers(low, high, (3, 13, 18)).astype(dtype)
    got = lw.wavedec2(place.asarray(x), CDF53, "reflect", 2)
    wanted = reference(lw.wavedec2, x, CDF53, "reflect", 2)
    assert_near(got, wanted, 0)
    back = lw.waverec2(got, CDF53, "reflect")
    np.testing.assert_array_equal(values(back)[:, :13], x)


def test_strides(place: Place) -> None:
    x = place.asarray(zero_mean((6, 10, 12)))
    views = [x[::2], x[:, ::3, 1:], x[..., None, :], x[1:2]]
    if place.library == "torch":
        views += [x.permute(2, 0, 1), x.expand(3, 6, 10, 12), x.mT]
    else:
        views += [x.T, x[::-1], x[:, :, ::-1], x.transpose(1, 2, 0)[:, ::-2]]
    for view in views:
        before = values(view).copy()
        wanted = reference(lw.wavedec2, before, "db2", level=1)
        assert_near(lw.wavedec2(view, "db2", level=1), wanted, 60, 4.0)
        wanted = reference(lw.dwt, before, CDF97, "zero", 0)
        assert_near(lw.dwt(view, CDF97, "zero", 0), wanted, 60, 4.0)
        np.testing.assert_array_equal(values(view), before)


def test_nothing_at_all(place: Place) -> None:
    empty = place.asarray(np.zeros((0, 8)))
    assert tuple(lw.dwt(empty, "db2")[0].shape) == (0, 5)
    assert tuple(pooling.soft_pool(place.asarray(np.zeros((0, 4, 4))), 2).shape) == (0, 2, 2)


def test_not_a_number_goes_through(place: Place) -> None:
    x = zero_mean((2, 16))
    x[0, 3], x[1, 9] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        for wavelet, mode in (("db2", "zero"), ("haar", "periodization"), (CDF97, "zero")):
            wanted = reference(lw.dwt, x, wavelet, mode)
            assert_near(lw.dwt(place.asarray(x), wavelet, mode), wanted, 60)


def test_out(place: Place) -> None:
    bands = zero_mean((2, 9), 1), zero_mean((2, 9), 2)
    out = place.asarray(np.full((2, 16), 7.0))
    assert lw.idwt(*place.tree(bands), "db2", out=out) is out
    assert_near(out, reference(lw.idwt, *bands, "db2"), 60)


# --- gradients -----------------------------------------------------------------------------------

PULLBACKS: dict[str, Callable[..., Any]] = {
    "wavedec2": lambda x: lw.vjp(lw.wavedec2, x, "db2", "symmetric", 2),
    "lifting": lambda x: lw.vjp(lw.wavedec2, x, CDF97, "symmetric", 2),
    "swt2": lambda x: lw.vjp(lw.swt2, x, "db2", 2),
    "soft_pool": lambda x: lw.vjp(pooling.soft_pool, x, 2),
    "ada_pool": lambda x: lw.vjp(pooling.ada_pool, x, 2, beta=0.3),
    "idw_pool": lambda x: lw.vjp(pooling.idw_pool, x, 3, 2, 1),
    "max_pool": lambda x: lw.vjp(pooling.max_pool, x, 3, 2, 1),
}


def pulled(name: str, x: Any, change: Callable[[Any], Any]) -> Any:
    result, pullback = PULLBACKS[name](x)
    found = pullback(mapped(change, result))
    return found.data, getattr(found, "wavelet", None)


@pytest.mark.parametrize("name", PULLBACKS)
def test_pullbacks(name: str, place: Place) -> None:
    x = zero_mean((2, 3, 13, 18))
    got, of_wavelet = pulled(name, place.asarray(x), lambda y: 2 * y)
    wanted, wanted_of_wavelet = reference(lambda: pulled(name, x, lambda y: 2 * y))
    assert_near(got, wanted, 300, 4.0)
    if of_wavelet is not None:
        for key, value in vars(wanted_of_wavelet).items():
            assert_near(getattr(of_wavelet, key), value, 20 * x.size**0.5, largest(value) + 1)


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str, torch_place: Place) -> None:
    shape = (2, 3, 19) if name == "lines" else (2, 3, 13, 18)
    layer, x = LAYERS[name]().double(), torch.tensor(zero_mean(shape))
    wanted = reference(run_layer, layer, x)
    there = torch_place.asarray(x.numpy())
    got = run_layer(layer.to(there.device), there)
    torch_place.served()
    for a, b in zip(got, wanted, strict=True):
        assert_near(a, b.numpy(), 100 * x.numel() ** 0.5)


@pytest.mark.parametrize(
    "name", rarely((*LAYERS,), "fixed", "lines", "LDWPool", "LiftDownPool, even kernel")
)
@pytest.mark.parametrize("half", rarely(("float16", "bfloat16"), "bfloat16"))
def test_layers_in_half_precision(name: str, half: str, torch_place: Place) -> None:
    dtype = getattr(torch, half)
    shape = (2, 3, 19) if name == "lines" else (2, 3, 13, 18)
    layer, x = LAYERS[name](), torch.tensor(zero_mean(shape)).to(dtype)
    wanted = reference(run_layer, layer, x.float())
    there = torch_place.asarray(x.float().numpy()).to(dtype)
    got = run_layer(layer.to(there.device), there)
    torch_place.served()
    outputs = len(got) - 1 - len(list(layer.parameters()))
    assert {y.dtype for y in got[: outputs + 1]} == {dtype}
    tolerance = 20 * torch.finfo(dtype).eps
    for a, b in zip(got, wanted, strict=True):
        gap = float((a.float().cpu() - b).abs().max())
        assert gap <= tolerance * max(1.0, float(b.abs().max())), (gap, float(b.abs().max()))


@pytest.mark.parametrize(
    "name",
    rarely(
        ("fixed", "filters", "lifting", "SoftPool", "LiftDownPool"),
        *("fixed", "filters", "lifting", "SoftPool"),
    ),
)
def test_gradcheck(name: str, torch_place: Place) -> None:
    layer = LAYERS[name]().double()
    x = torch_place.asarray(zero_mean((1, 3, 5, 6))).requires_grad_()
    parameters = list(layer.to(x.device).parameters())
    torch.autograd.gradcheck(lambda *_: tuple(flattened(layer(x))), (x, *parameters))
    torch_place.served()


@pytest.mark.parametrize("name", ["fixed", "filters", "SoftPool", "LiftDownPool"])
def test_compiled_layers(name: str, torch_place: Place) -> None:
    layer, x = LAYERS[name](), torch_place.asarray(zero_mean((2, 3, 12, 10)), "float32")
    layer = layer.to(x.device)
    plain = run_layer(layer, x)
    torch.compiler.reset()
    traced = run_layer(torch.compile(layer, fullgraph=True, backend="aot_eager"), x)
    for a, b in zip(traced, plain, strict=True):
        assert_near(a, b.cpu().numpy(), 100)


# --- pooling -------------------------------------------------------------------------------------

POOLINGS: dict[str, Callable[[Any], Any]] = {
    "soft_pool": lambda x: pooling.soft_pool(x, 3, 2, 1),
    "edscw_pool": lambda x: pooling.edscw_pool(x, 2),
    "similarity_pool": lambda x: pooling.similarity_pool(x, 2, similarity="cosine"),
    "idw_pool": lambda x: pooling.idw_pool(x, 3, 2),
    "idw_pool huber": lambda x: pooling.idw_pool(x, 3, 2, distance="huber"),
    "ada_pool": lambda x: pooling.ada_pool(x, 2, beta=0.25),
    "ada_unpool": lambda x: pooling.ada_unpool(x, pooling.ada_pool(x, 2, beta=0.25), 2, beta=0.25),
    "max_pool": lambda x: pooling.max_pool(x, 3, 2, 1),
    "max_pool indices": lambda x: pooling.max_pool(x, 3, 2, 1, return_indices=True),
    "one axis": lambda x: pooling.soft_pool(x, 3, ndim=1),
    "volumes": lambda x: pooling.soft_pool(x, (2, 2, 2)),
    "channels": lambda x: pooling.edscw_pool(x, 2, per_channel=False),
}


@pytest.mark.parametrize("name", POOLINGS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_pooling(name: str, dtype: str, place: Place) -> None:
    x = given(dtype, zero_mean((2, 4, 9, 12), 3))
    got = POOLINGS[name](place.asarray(x, dtype))
    assert_near(got, reference(POOLINGS[name], x), 60)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_lift_pool(dims: int, dtype: str, place: Place) -> None:
    shape = {1: (2, 3, 15), 2: (2, 3, 9, 12), 3: (1, 3, 4, 5, 6)}[dims]
    x, filters = given(dtype, zero_mean(shape, 3)), random_filters(3, 5, dims)
    there = pooling.LiftFilters(*place.tree(tuple(filters)))
    options: dict[str, Any] = {"dimensions": dims, "penalties": "mean"}
    array = place.asarray(x, dtype)
    got, penalties = pooling.lift_down(array, there, "bands", **options)
    place.served()
    wanted, wanted_penalties = reference(lambda: pooling.lift_down(x, filters, "bands", **options))
    assert_near(got, wanted, 60)
    np.testing.assert_allclose(
        [float(p) for p in penalties], [float(p) for p in wanted_penalties], rtol=1e-5
    )
    back = pooling.lift_up(got, there, shape[2:], dimensions=dims)
    assert_near(back, x, 60, largest(wanted))
