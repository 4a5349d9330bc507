"""Memory formats: layers have the results of contiguous tensors, in the format of their input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from families import is_exact
from helpers import assert_close
from no_fallback_layers import ZOO, new_of_zoo
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode

import liftwave as lw
from liftwave import pooling
from liftwave import torch as lwt
from liftwave._kernels.pooling_contract import PoolingArguments
from liftwave._operations.weighted_pool import WeightedPool
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
from liftwave._plan.windows import window_arguments, window_plan

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
SHAPES = [((2, 9, 9, 7), "float32"), ((2, 17, 6, 8), "float64"), ((1, 16, 5, 4), "bfloat16")]
VOLUME = ((2, 3, 4, 5, 6), "float32")

Make = Callable[[int], nn.Module]


class Both(nn.Module):
    """A layer, and the layer that undoes it."""

    def __init__(self, layer: nn.Module, inverse: Callable[..., Any]) -> None:
        super().__init__()
        self.layer, self.inverse = layer, inverse(layer)

    def forward(self, x: Tensor) -> Any:
        result = self.layer(x)
        if isinstance(self.inverse, lwt.AdaUnpool2d):
            return result, self.inverse(result, x)
        if isinstance(self.layer, lwt.DWT2d | lwt.SWT2d | lwt.DWT3d):
            return result, self.inverse(result)
        return result, self.inverse(result, x.shape[2:])


IMAGES: dict[str, Make] = {
    "soft": lambda c: lwt.SoftPool2d(2),
    "soft, overlapping": lambda c: lwt.SoftPool2d(3, 1, 1),
    "soft, dilated": lambda c: lwt.SoftPool2d((3, 2), (2, 1), 1, 2, True),
    "edscw": lambda c: lwt.EDSCWPool2d(2),
    "edscw of vectors": lambda c: lwt.EDSCWPool2d(2, per_channel=False),
    "idw": lambda c: lwt.IDWPool2d((1, 2)),
    "ada": lambda c: Both(lwt.AdaPool2d(2), lwt.AdaUnpool2d),
    "ada, one beta": lambda c: Both(lwt.AdaPool2d(2, mask=False), lwt.AdaUnpool2d),
    "ada, beta per channel": lambda c: Both(lwt.AdaPool2d(3, 2, 1, channels=c), lwt.AdaUnpool2d),
    "lift": lambda c: lwt.LiftDownPool2d(c),
    "lift, several bands": lambda c: lwt.LiftDownPool2d(c, 3, "concat", ("LH", "LL")),
    "lift, all bands": lambda c: Both(lwt.LiftDownPool2d(c, 2, "bands"), lwt.LiftUpPool2d),
    "ldw": lambda c: lwt.LDWPool2d(4, "sum"),
    "ldw, symmetric": lambda c: lwt.LDWPool2d(4, "sum", mode="symmetric"),
    "ldw, all bands": lambda c: Both(lwt.LDWPool2d(4, "concat"), lwt.LDWUnpool2d),
    "dwt": lambda c: Both(lwt.DWT2d("db2"), lwt.DWT2d.inverse),
    "dwt, two levels": lambda c: Both(lwt.DWT2d("cdf5.3", 2), lwt.DWT2d.inverse),
    "dwt, learned": lambda c: lwt.DWT2d("db2", mode="periodic", learn="orthonormal"),
    "swt": lambda c: Both(lwt.SWT2d("db2"), lwt.SWT2d.inverse),
    "packets": lambda c: Both(lwt.WaveletPacket2d("haar", 2), lwt.WaveletPacket2d.inverse),
    "packets, learned, joined": lambda c: Both(
        lwt.WaveletPacket2d("haar", learn="orthonormal", output="concat"),
        lwt.WaveletPacket2d.inverse,
    ),
    "nearest": lambda c: lwt.NearestUnpool2d(2, 3),
    "bed of nails": lambda c: lwt.BedOfNailsUnpool2d(3, 2),
    "gated ada": lambda c: lwt.GatedAdaPool2d(3, 2, 1),
    "similarity": lambda c: lwt.SimilarityPool2d(2, per_channel=False),
}
VOLUMES: dict[str, Make] = {
    "soft": lambda c: lwt.SoftPool3d(2, 1),
    "ada": lambda c: lwt.AdaPool3d(2),
    "lift": lambda c: lwt.LiftDownPool3d(c, 3),
    "dwt": lambda c: Both(lwt.DWT3d("haar"), lwt.DWT3d.inverse),
}
CASES = [(IMAGES[k], *shape) for k in IMAGES for shape in SHAPES]
CASES += [(make, *VOLUME) for make in VOLUMES.values()]
NAMES = [f"{k}-{dtype}" for k in IMAGES for _, dtype in SHAPES]
NAMES += [f"{k}-3d" for k in VOLUMES]


def leaves(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
        return
    for each in tree.values() if isinstance(tree, dict) else tree:
        yield from leaves(each)


def data(shape: tuple[int, ...], dtype: str, last: bool) -> Tensor:
    x = torch.randn(shape, generator=torch.manual_seed(0)).to(getattr(torch, dtype))
    return x.contiguous(memory_format=FORMATS[x.ndim]) if last else x


def outcome(layer: nn.Module, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The results and the gradient of the data, and the gradients of the parameters."""
    x = x.requires_grad_()
    layer.zero_grad()
    results = list(leaves(layer(x)))
    generator = torch.manual_seed(1)
    total = sum((y * torch.randn(y.shape, generator=generator).to(y.dtype)).sum() for y in results)
    total.backward()  # type: ignore[union-attr]
    with torch.no_grad():
        results += leaves(layer(x))
    return [*results, x.grad], [p.grad.clone() for p in layer.parameters() if p.grad is not None]


def assert_in_format(tensors: list[Tensor], ndim: int) -> None:
    for y in tensors:
        if y.ndim == ndim:
            is_dense = y.is_contiguous(memory_format=FORMATS[ndim])
            is_part = y._is_view() and y.stride(1) == 1
            assert is_dense or is_part, (tuple(y.shape), y.stride())


# --- layers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "shape", "dtype"), CASES, ids=NAMES)
def test_results_keep_their_bits_and_get_the_format(
    make: Make, shape: tuple[int, ...], dtype: str
) -> None:
    layer = make(shape[1])
    if dtype == "float64":
        layer(data(shape, "float32", False))  # masks get their size
        layer.double()
    expected, of_parameters = outcome(layer, data(shape, dtype, False))
    results, gradients = outcome(layer, data(shape, dtype, True))
    for result, wanted in zip(results, expected, strict=True):
        assert torch.equal(result, wanted)
    assert_in_format(results, len(shape))
    # Taps are summed over all samples, in the order of memory.
    for gradient, wanted in zip(gradients, of_parameters, strict=True):
        assert_close(gradient, wanted, ulps=64, scale=float(wanted.abs().max()) + 1)


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_gets_the_format(name: str) -> None:
    layer, shape = new_of_zoo(ZOO[name], 6).eval(), (2, 6, 9, 8)
    found = layer(data(shape, "float32", True))
    torch.testing.assert_close(found, layer(data(shape, "float32", False)))
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(2, 1, 6, 4), (2, 5, 1, 1), (1, 1, 1, 1), (0, 3, 4, 4)])
def test_tensors_in_both_formats_are_contiguous(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape).contiguous(memory_format=torch.channels_last)
    assert x.is_contiguous()
    layers = [lwt.LiftDownPool2d(shape[1], 3, "concat"), lwt.LDWPool2d("db2", "concat", learn=None)]
    for layer in layers if x.numel() else layers[:1]:
        y = layer(x)
        assert y.is_contiguous()
        assert torch.equal(y, layer(x.clone(memory_format=torch.contiguous_format)))


def test_other_strides_give_contiguous_results() -> None:
    x = torch.randn(2, 4, 6, 10)[..., ::2]
    for layer in (lwt.SoftPool2d(2), lwt.LiftDownPool2d(4), lwt.LDWPool2d("db2", learn=None)):
        assert layer(x).is_contiguous()
        assert torch.equal(layer(x), layer(x.contiguous()))


def test_gradients_have_the_format_of_the_data() -> None:
    """Also if the cotangent has another one."""
    for last in (False, True):
        for layer in (lwt.SoftPool2d(2), lwt.LDWPool2d("db2", learn=None), lwt.LiftDownPool2d(3)):
            gradients = []
            for other in (False, True):
                x = data((2, 3, 8, 6), "float32", last).requires_grad_()
                y = layer(x)
                y.backward(data(tuple(y.shape), "float32", other))
                gradients.append(x.grad)
                assert x.grad is not None
                assert x.grad.stride() == x.stride()
            assert torch.equal(*gradients)


def test_rows_of_windows_that_are_longer_than_a_tile() -> None:
    layer = lwt.SoftPool2d(3, 1)
    for width in (258, 259, 700):
        shape = (1, 8, 4, width)
        results, expected = (outcome(layer, data(shape, "float32", last))[0] for last in (1, 0))
        for result, wanted in zip(results, expected, strict=True):
            assert torch.equal(result, wanted)


def test_bits_do_not_depend_on_threads() -> None:
    shape, threads = (2, 40, 30, 26), lw.get_num_threads()
    layers = [lwt.SoftPool2d(3, 2, 1), lwt.LiftDownPool2d(40, 3), lwt.DWT2d("db2")]
    try:
        found = []
        for count in (1, 3):
            lw.set_num_threads(count)
            found.append([outcome(layer, data(shape, "float32", True)) for layer in layers])
    finally:
        lw.set_num_threads(threads)
    for one, several in zip(*found, strict=True):
        for a, b in zip([*one[0], *one[1]], [*several[0], *several[1]], strict=True):
            assert torch.equal(a, b)


def test_functions_and_unpooling_keep_the_format() -> None:
    x = data((2, 3, 8, 6), "float32", True)
    values, indices = pooling.max_pool(x, 2, return_indices=True)
    y = pooling.max_unpool(values, indices, 2)
    coarse, *details = lw.wavedec2(x, "db2", level=1)
    along_channels = lw.dwt(x, "haar", axis=1)
    integers = lw.dwt2(x.to(torch.int32), lw.LiftingScheme.from_name("cdf5.3").to_integer())
    assert_in_format([*leaves((values, coarse, details, along_channels, integers))], 4)
    flat, places = pooling.max_pool(x.contiguous(), 2, return_indices=True)
    assert torch.equal(values, flat)
    assert torch.equal(indices, places)
    assert torch.equal(y, pooling.max_unpool(flat, places, 2))
    expected = lw.dwt(x.contiguous(), "haar", axis=1)
    assert all(map(torch.equal, along_channels, expected))


# --- torch's transforms --------------------------------------------------------------------------


def test_fake_tensors_have_the_strides_of_results() -> None:
    x = data((2, 3, 8, 6), "float32", True)
    y = torch.randn(3, 4, 3)
    pool = WeightedPool(window_arguments(2), "ada")
    lwt.SoftPool2d(2)(x.clone().requires_grad_())  # registers the operator
    operator = torch.ops.liftwave.run.default
    for tensors, operation in (
        ([x, y], pool),
        ([x[:, :, :4, :3].clone(), x, y], pool.derivative((True,), "inputs")),
    ):
        results = operator(tensors, operation.text, [])
        with FakeTensorMode(allow_non_fake_inputs=True) as mode:
            fakes = operator([mode.from_tensor(t) for t in tensors], operation.text, [])
        for result, fake in zip(results, fakes, strict=True):
            assert (fake.shape, fake.stride()) == (result.shape, result.stride())


def test_compiled_models_and_batches_keep_the_format() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), lwt.SoftPool2d(2), lwt.LiftDownPool2d(4, 3))
    model = model.to(memory_format=torch.channels_last)
    x = data((2, 3, 8, 12), "float32", True)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    (result, *_), gradients = outcome(compiled, x)
    (expected, *_), wanted = outcome(model, x.detach())
    assert_in_format([result, expected], 4)
    assert_close(result, expected)
    for a, b in zip(gradients, wanted, strict=True):
        assert_close(a, b)
    batch = x.detach()[None].repeat(2, 1, 1, 1, 1)
    layer = lwt.SoftPool2d(2)
    assert torch.equal(torch.func.vmap(layer)(batch)[1], layer(x))
    symmetric = lwt.LDWPool2d("db2", learn=None, mode="symmetric")
    assert_close(torch.func.vmap(symmetric)(batch)[1], symmetric(x))
    jacobian = torch.autograd.functional.jacobian(layer, x.detach()[:1], vectorize=True)
    assert_close(jacobian, torch.autograd.functional.jacobian(layer, x.detach()[:1].contiguous()))


# --- kernels -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(7, 6), (3, 4, 5)])
def test_kernels_pool_the_channels_last(family: Any, sizes: tuple[int, ...]) -> None:
    kernels, rng = family.pooling, np.random.default_rng(0)
    plan, channels = window_plan(sizes, 3, 2, 1, ndim=len(sizes)), 8
    x, g = (rng.standard_normal((2, channels, *n)).astype("float32") for n in (sizes, plan.outputs))
    for beta in (np.full((1,) * len(sizes), 0.3, "float32"), rng.random((8, *plan.outputs), "f4")):
        first = PoolingArguments(plan, "ada")
        last = PoolingArguments(plan.with_channels(channels), "ada", channels_last=True)
        rows = beta if beta.ndim > len(sizes) else beta[None]
        planes, cotangents = (v.reshape(-1, *v.shape[2:]) for v in (x, g))
        moved, behind = (np.ascontiguousarray(np.moveaxis(v, 1, -1)) for v in (x, g))
        ends = np.moveaxis(rows, 0, -1)[None]
        expected = [
            kernels.pool(planes, first, rows),
            *kernels.pool_vjp(planes, cotangents, first, rows),
            kernels.unpool(planes, cotangents, first, rows),
            *kernels.unpool_vjp(planes, cotangents, planes, first, rows),
        ]
        results = [
            kernels.pool(moved, last, ends),
            *kernels.pool_vjp(moved, behind, last, ends),
            kernels.unpool(moved, behind, last, ends),
            *kernels.unpool_vjp(moved, behind, moved, last, ends),
        ]
        for result, wanted in zip(results, expected, strict=True):
            back = np.moveaxis(np.asarray(result), -1, 1).reshape(wanted.shape)
            if is_exact(family):
                np.testing.assert_array_equal(back, wanted)
            else:
                assert_close(back, wanted, ulps=64)


@pytest.mark.parametrize("channels", [3, 21])
def test_kernels_find_the_maxima_of_channels_last(family: Any, channels: int) -> None:
    """Equal samples, NaN, and windows that overlap; one register of channels and a part of it."""
    kernels, rng, plan = family.pooling, np.random.default_rng(0), window_plan((7, 6), 3, 2, 1)
    x = np.round(rng.standard_normal((2, channels, 7, 6)) * 2).astype("float32")
    x[0, 1, 2, 3] = np.nan
    g = rng.standard_normal((2, channels, *plan.outputs)).astype("float32")
    values, places = kernels.max_pool(x.reshape(-1, 7, 6), plan)
    expected = [values, places, kernels.max_pool_vjp(g.reshape(values.shape), places, plan)]
    last = plan.with_channels(channels)
    moved, behind = (np.ascontiguousarray(np.moveaxis(v, 1, -1)) for v in (x, g))
    results = [*kernels.max_pool(moved, last, channels_last=True)]
    results.append(kernels.max_pool_vjp(behind, results[1], last, channels_last=True))
    for result, wanted in zip(results, expected, strict=True):
        back = np.moveaxis(np.asarray(result), -1, 1).reshape(wanted.shape)
        np.testing.assert_array_equal(back, wanted)


@pytest.mark.parametrize("combination", ["bands", "concat", "sum"])
def test_kernels_lift_the_channels_last(family: Any, combination: str) -> None:
    kernels, rng = family.lift_pool, np.random.default_rng(0)
    plan, output = LiftPoolPlan((5, 6), 3, "reflect", False), LiftOutput((0, 1, 2, 3), combination)
    taps = rng.standard_normal((3, 2, 4, 6))

    def last(x: np.ndarray) -> np.ndarray:
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)

    x = rng.standard_normal((2, 4, 5, 6))
    bands, sums = kernels.lift_down(x, taps, plan, output, True)
    found, found_sums = kernels.lift_down(last(x), taps, plan, output, True)
    back = kernels.lift_down_vjp([x], bands, sums, taps, plan, output, False)
    of_x = kernels.lift_down_vjp([last(x)], list(map(last, bands)), sums, taps, plan, output, False)
    pairs = [*zip(found, bands, strict=True), (of_x[0], back[0])]
    if combination == "bands":
        signal = kernels.lift_up(bands, taps, plan)
        pairs.append((kernels.lift_up(list(map(last, bands)), taps, plan), signal))
        up = kernels.lift_up_vjp(bands, x, taps, plan, False)
        of_bands = kernels.lift_up_vjp(list(map(last, bands)), last(x), taps, plan, False)
        pairs += [*zip(of_bands[0], up[0], strict=True)]
        assert_close(of_bands[1], up[1])
    for result, wanted in pairs:
        assert np.moveaxis(result, 1, -1).flags.c_contiguous
        np.testing.assert_array_equal(result, wanted)
    assert_close(found_sums, sums)
    assert_close(of_x[1], back[1])
