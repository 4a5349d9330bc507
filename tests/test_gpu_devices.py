"""Features of devices only: streams, graphs, threads, large arrays and lack of memory.

Without a CUDA device, each test is skipped. With one, ``pytest -m gpu`` runs these tests and those
of ``test_gpu.py``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from gpu_layers import LAYERS, flattened, run_layer
from helpers import zero_mean
from places import Place, assert_near, at, counted, made, places, reference, values
from test_cuda_orders import CASES, leaves

import liftwave as lw
from liftwave import _dispatch, pooling
from liftwave._kernels.cuda.common.runtime import DeviceRuntime
from liftwave.errors import DeviceError

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")

CDF97 = lw.LiftingScheme.from_name("cdf9.7")


@pytest.fixture(params=places(host=False))
def device(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Devices only."""
    with at(made(request.param)) as found:
        yield found


@pytest.fixture(params=places("torch", host=False))
def torch_device(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Devices, with torch."""
    with at(made(request.param)) as found:
        yield found


@pytest.fixture(params=places("cupy", host=False))
def cupy_device(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Devices, with CuPy."""
    with at(made(request.param)) as found:
        yield found


def random(place: Place, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    return place.asarray(zero_mean(shape, 5, "float64"), dtype)


# Calls that are captured, run on streams, and checked for synchronization.
WORK: dict[str, Callable[[Any], Any]] = {
    "wavedec2": lambda x: lw.wavedec2(x, "db4", level=2),
    "waverec2": lambda x: lw.waverec2([x[..., :9, :9], (x[..., :9, :9],) * 3], "db2"),
    "lifting": lambda x: lw.wavedec2(x, CDF97, "symmetric", level=2),
    "soft_pool": lambda x: pooling.soft_pool(x, 2),
}


SPIN = """
extern "C" __global__ void spin(long long cycles) {
  for (long long start = clock64(); clock64() - start < cycles;) {}
}
"""


def keep_busy() -> None:
    """Keep CuPy's current stream busy for about a second."""
    import cupy

    cupy.RawKernel(SPIN, "spin")((1,), (1,), (np.int64(2_000_000_000),))


@pytest.mark.parametrize("name", CASES)
def test_results_do_not_change_from_run_to_run(name: str, cupy_device: Place) -> None:
    """A result that changes is a race."""

    def results() -> list[Any]:
        number = iter(range(100))

        def array(*shape: int, dtype: str = "float32", scale: float = 1.0) -> Any:
            return cupy_device.asarray(scale * zero_mean(shape, next(number)), dtype)

        found = CASES[name].run(_dispatch.families()["cuda"], array)
        return [values(leaf) for leaf in leaves(found) if leaf is not None]

    first = results()
    for _ in range(4):
        for a, b in zip(results(), first, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", WORK)
def test_on_a_stream_of_cupy(name: str, cupy_device: Place) -> None:
    import cupy

    wanted = reference(WORK[name], zero_mean((4, 16, 16), 5).astype("float32"))
    x = random(cupy_device, (4, 16, 16))
    WORK[name](x)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        late = cupy.zeros_like(x)
        keep_busy()  # another stream would not wait for this
        late[...] = x
        got = WORK[name](late)
        stream.synchronize()
    assert_near(got, wanted, 60, 4.0)


@pytest.mark.parametrize("name", WORK)
def test_on_a_stream_of_torch(name: str, torch_device: Place) -> None:
    wanted = reference(WORK[name], zero_mean((4, 16, 16), 5).astype("float32"))
    x = random(torch_device, (4, 16, 16))
    WORK[name](x)
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        late = torch.zeros_like(x)
        torch.cuda._sleep(50_000_000)  # another stream would not wait for this
        late.copy_(x)
        got = WORK[name](late)
    stream.synchronize()
    assert_near(got, wanted, 60, 4.0)


@pytest.mark.parametrize("name", WORK)
def test_in_a_graph_of_torch(name: str, torch_device: Place) -> None:
    x = random(torch_device, (4, 16, 16))
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        WORK[name](x)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = WORK[name](x)
    other = zero_mean((4, 16, 16), 6).astype("float32")
    x.copy_(torch.tensor(other))
    graph.replay()
    torch.cuda.synchronize()
    assert_near(got, reference(WORK[name], other), 60, 4.0)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_in_graphs(name: str, torch_device: Place) -> None:
    shape = (2, 3, 20) if name == "lines" else (2, 3, 12, 20)
    layer = LAYERS[name]().cuda()
    x = random(torch_device, shape).requires_grad_()
    flat = torch.nn.Sequential(layer, _Flat())
    plain = flat(x)
    weights = torch.randn_like(plain)
    wanted = torch.autograd.grad((plain * weights).sum(), [x, *layer.parameters()])
    graphed = torch.cuda.make_graphed_callables(flat, (torch.zeros_like(x).requires_grad_(),))
    result = graphed(x)
    got = torch.autograd.grad((result * weights).sum(), [x, *layer.parameters()])
    for a, b in zip((result, *got), (plain, *wanted), strict=True):
        assert_near(a, values(b), 100)


class _Flat(torch.nn.Module):
    """All results of a layer in one tensor."""

    def forward(self, x: Any) -> torch.Tensor:
        return torch.cat([part.flatten() for part in flattened(x)])


@pytest.mark.parametrize("name", WORK)
def test_in_a_graph_of_cupy(name: str, cupy_device: Place) -> None:
    import cupy

    x = random(cupy_device, (4, 16, 16))
    with cupy.cuda.Stream(non_blocking=True) as stream:
        kept = WORK[name](x)  # compiles, and fills the memory pool
        del kept
        stream.begin_capture()
        got = WORK[name](x)
        graph = stream.end_capture()
        other = zero_mean((4, 16, 16), 6).astype("float32")
        x.set(other, stream=stream)
        graph.launch(stream)
        stream.synchronize()
        assert_near(got, reference(WORK[name], other), 60, 4.0)


# torch warns at the first use of the mode, after it has set it.
FIRST_USE_OF_SYNC_DEBUG = pytest.mark.filterwarnings("ignore:Synchronization debug mode")


@FIRST_USE_OF_SYNC_DEBUG
@pytest.mark.parametrize("name", WORK)
def test_nothing_waits_with_torch(name: str, torch_device: Place) -> None:
    x = random(torch_device, (4, 16, 16))
    WORK[name](x)
    try:
        torch.cuda.set_sync_debug_mode("error")
        WORK[name](x)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@FIRST_USE_OF_SYNC_DEBUG
@pytest.mark.parametrize("name", LAYERS)
def test_no_layer_waits(name: str, torch_device: Place) -> None:
    shape = (2, 3, 20) if name == "lines" else (2, 3, 12, 20)
    layer, x = LAYERS[name]().cuda(), random(torch_device, shape)
    run_layer(layer, x)
    try:
        torch.cuda.set_sync_debug_mode("error")
        run_layer(layer, x)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", WORK)
def test_nothing_waits_with_cupy(name: str, cupy_device: Place) -> None:
    import cupy

    x = random(cupy_device, (4, 16, 16))
    with cupy.cuda.Stream(non_blocking=True) as stream:
        WORK[name](x)
        stream.synchronize()
        keep_busy()
        busy = stream.record()
        WORK[name](x)
        assert not busy.done
        stream.synchronize()


def test_many_planes(device: Place) -> None:
    """More than the 65,535 blocks of a grid along its second axis."""
    x = zero_mean((70_001, 8)).astype("float32")
    line, image = device.asarray(x), device.asarray(x.reshape(-1, 4, 2))
    assert_near(lw.dwt(line, "db2"), reference(lw.dwt, x, "db2"), 60)
    assert_near(lw.dwt2(image, "db2"), reference(lw.dwt2, x.reshape(-1, 4, 2), "db2"), 60)
    assert_near(lw.dwt(line, CDF97, "zero"), reference(lw.dwt, x, CDF97, "zero"), 60)
    wanted = reference(pooling.soft_pool, x.reshape(-1, 4, 2), 2)
    assert_near(pooling.soft_pool(image, 2), wanted, 60)


def free_bytes() -> int:
    import cupy

    cupy.get_default_memory_pool().free_all_blocks()
    torch.cuda.empty_cache()
    return int(cupy.cuda.runtime.memGetInfo()[0])


@pytest.mark.parametrize("shape", [(2**26 + 3, 32), (1, 2**31 + 64)], ids=["rows", "one row"])
@pytest.mark.parametrize("wavelet", ["db2", CDF97], ids=["db2", "cdf9.7"])
def test_more_than_two_to_the_31_numbers(
    shape: tuple[int, int], wavelet: Any, device: Place
) -> None:
    if free_bytes() < 12 * shape[0] * shape[1]:
        pytest.skip("too little memory on the device")
    xp = torch if device.library == "torch" else __import__("cupy")
    where = {"device": "cuda"} if device.library == "torch" else {}
    x = xp.zeros(shape, dtype=xp.float16, **where)
    tail = zero_mean((1, 32)).astype("float16")
    x[-1:, -32:] = device.asarray(tail)
    approx, detail = lw.dwt(x, wavelet, "zero")
    del x
    wanted = reference(lw.dwt, np.pad(tail, ((0, 0), (64, 0))).astype("float32"), wavelet, "zero")
    for got, of_tail in zip((approx, detail), wanted, strict=True):
        assert_near(got[-1:, -8:], of_tail[:, -8:], 20, 4.0)


def test_too_little_memory(device: Place) -> None:
    import cupy

    x = random(device, (8, 8))
    if device.library == "torch":
        huge, error = x.expand(2**36, 8, 8), torch.cuda.OutOfMemoryError
        used = torch.cuda.memory_allocated
    else:
        huge, error = cupy.broadcast_to(x, (2**36, 8, 8)), cupy.cuda.memory.OutOfMemoryError
        used = cupy.get_default_memory_pool().used_bytes
    before = used()
    for call in (
        lambda: lw.wavedec2(huge, "haar"),
        lambda: lw.dwt(huge, CDF97, "zero"),
        lambda: lw.dwt2(huge, "db2"),
    ):
        with pytest.raises(error, match=r"(?i)out of memory"):
            call()
        gc.collect()
        assert used() == before
    assert_near(lw.dwt2(x, "haar"), reference(lw.dwt2, values(x), "haar"), 60)


def test_launch_errors_say_what(device: Place) -> None:
    runtime: Any = DeviceRuntime()

    class TooMany:
        def launch(self, kernel: Any, blocks: int, threads: int, *others: Any) -> None:
            runtime.launch(kernel, blocks, 4096, *others)

        def __getattr__(self, name: str) -> Any:
            return getattr(runtime, name)

    x = random(device, (3, 16, 16))
    with _dispatch.registered(counted(TooMany(), device)):
        for call in (WORK["wavedec2"], WORK["lifting"], WORK["soft_pool"]):
            with pytest.raises(DeviceError, match=r"\(3, 16, 16\).*could not be launched"):
                call(x)
    assert_near(lw.dwt2(x, "haar"), reference(lw.dwt2, values(x), "haar"), 60)


def test_other_devices(device: Place) -> None:
    import cupy

    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("one CUDA device only")
    x = zero_mean((3, 16, 16)).astype("float32")
    if device.library == "torch":
        there, here = torch.tensor(x, device="cuda:1"), torch.tensor(x, device="cuda:0")
    else:
        here = cupy.asarray(x)
        with cupy.cuda.Device(1):
            there = cupy.asarray(x)
    for call in WORK.values():
        with nullcontext() if device.library == "torch" else there.device:
            got = call(there)
        device.served()
        first = got[0] if isinstance(got, list) else got
        assert first.device == there.device
        assert_near(got, reference(call, x), 60, 4.0)
    with pytest.raises((RuntimeError, ValueError, Warning)):  # CuPy warns first
        lw.idwt(here, there, "haar")


def test_from_other_threads(device: Place) -> None:
    x = zero_mean((3, 16, 16)).astype("float32")
    array = device.asarray(x)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: lw.dwt2(array, "db2"), range(16)))
    wanted = reference(lw.dwt2, x, "db2")
    for got in found:
        assert_near(got, wanted, 60)
