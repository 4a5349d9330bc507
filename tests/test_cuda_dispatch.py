"""The arrays and dtypes that the CUDA kernels get, and the messages that users see.

These tests run on the host. ``test_gpu.py`` tests the results of the kernels.
"""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from cuda_host import source_names
from helpers import assert_close, has_cuda, zero_mean
from places import Place, assert_near, at, reference

import liftwave as lw
import liftwave.torch as lt
from liftwave import _config, _dispatch
from liftwave._arrays import integers
from liftwave._kernels.cuda.common import runtime as cuda_runtime
from liftwave._kernels.cuda.common.memory import ITEMSIZE
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave.errors import ArgumentTypeError, IntegerRangeWarning, KernelsError

CDF97 = lw.LiftingScheme.from_name("cdf9.7")


@pytest.fixture
def host() -> Iterator[Place]:
    """Tensors on the host, with the CUDA kernels chosen for them."""
    with at(Place("torch", False)) as place:
        yield place


def without_cuda() -> None:
    if has_cuda():
        pytest.skip("there is a CUDA device")


# --- choosing ------------------------------------------------------------------------------------


def test_what_is_missing_is_said() -> None:
    without_cuda()
    with pytest.raises(KernelsError, match="kernels 'cuda' cannot run here: CuPy"):
        lw.kernels("cuda").__enter__()


def test_an_environment_that_asks_for_what_is_missing() -> None:
    without_cuda()
    code = "import liftwave as lw; print('loaded'); lw.dwt([1.0, 2.0], 'haar')"
    environment = os.environ | {"LIFTWAVE_KERNELS": "cuda"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "loaded\n"
    assert "kernels 'cuda' cannot run here: CuPy" in done.stderr


def test_a_library_without_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """CuPy reports a missing device in several ways."""
    runtime = cuda_runtime.DeviceRuntime()
    monkeypatch.setattr(cuda_runtime.importlib.util, "find_spec", lambda name: name)
    cases: list[tuple[Any, str]] = [
        (lambda: 0, "finds no CUDA device"),
        (lambda: 2, ""),
        (_raising, "finds no CUDA device: no driver"),
    ]
    for count, said in cases:
        monkeypatch.setattr(cuda_runtime, "_cupy", lambda count=count: _cupy(count))
        cuda_runtime._missing.cache_clear()
        found = runtime.missing()
        assert said in found if said else found is None
    monkeypatch.setattr(cuda_runtime, "_cupy", _broken)
    cuda_runtime._missing.cache_clear()
    assert runtime.missing() == "CuPy cannot be imported: libcublas is missing"
    cuda_runtime._missing.cache_clear()


class NoDriverError(RuntimeError):
    """The error that CuPy raises without a driver."""


def _raising() -> int:
    raise NoDriverError("no driver")


def _broken() -> Any:
    raise ImportError("libcublas is missing")


def _cupy(count: Any) -> Any:
    runtime = types.SimpleNamespace(getDeviceCount=count, CUDARuntimeError=NoDriverError)
    return types.SimpleNamespace(cuda=types.SimpleNamespace(runtime=runtime), __version__="13")


def test_arrays_of_the_host_do_not_ask_for_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_runtime.DeviceRuntime, "missing", _broken)
    for x in (np.ones((4, 4)), torch.ones(4, 4), torch.ones(4, 4).half(), np.ones(4, "int64")):
        lw.dwt(x, "haar")
    lw.dwt(torch.ones(4, 4).to_sparse().to_dense(), "haar")


def test_what_the_runtime_does_not_hold_is_served_by_the_reference(host: Place) -> None:
    import array_api_strict

    x = array_api_strict.asarray(zero_mean((3, 8)))
    wanted = reference(lw.dwt, zero_mean((3, 8)), "db2")
    for got, band in zip(lw.dwt(x, "db2"), wanted, strict=True):
        assert type(got).__module__.startswith("array_api_strict")
        assert_near(got, band, 20)
    assert not host.launched


def test_accepted_arrays(host: Place) -> None:
    cuda: Any = _dispatch.families()["cuda"]
    x = torch.ones(4, 4)
    for dtype in ITEMSIZE:
        assert cuda.serves(x.to(getattr(torch, dtype)))
        assert dtype == "bfloat16" or cuda.serves(np.ones(3, dtype))
    complex_ = torch.ones(4, dtype=torch.complex64)
    refused = [x.bool(), x.clone().requires_grad_(), complex_.conj(), complex_.conj().imag]
    refused += [torch.ones(4, device="meta"), torch.ones(4, 4).to_mkldnn()]
    refused += [np.ones(3, ">f8"), np.ones(3, bool), np.ones(3, "longdouble"), [1.0]]
    for y in refused:
        assert not cuda.serves(y), y
    assert cuda.serves_memory(x.clone().requires_grad_())
    assert cuda.serves(x, x)
    with torch.no_grad():
        assert cuda.serves(x.clone().requires_grad_())
    batched: list[bool] = []
    torch.func.vmap(lambda y: (batched.append(cuda.serves(y)), y)[1])(x)
    assert batched == [False]


def test_forced_families(host: Place) -> None:
    x = np.ones((4, 8))
    lw.dwt(x, "haar")
    assert host.served()
    with lw.kernels("reference"):
        lw.dwt(x, "haar")
    with lw.kernels("cpu") if _dispatch.compiled() else lw.kernels("reference"):
        lw.dwt(x, "haar")
    assert not host.launched


def test_unless_asked_for_they_serve_no_array_that_others_serve() -> None:
    with at(Place("numpy", False)) as place:
        token = _dispatch.CHOICE.set(None)
        lw.dwt(np.ones((4, 8)), "haar")
        assert _dispatch.compiled() != bool(place.launched)
        lw.dwt(torch.ones(4, 8).half(), "haar")  # unsupported by the CPU kernels
        place.served()
        _dispatch.CHOICE.reset(token)


def test_the_configuration_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cupy" in sys.modules or "CuPy" not in _config.config()
    fake = types.ModuleType("cupy")
    names = [b"First Card", b"Second Card"]
    fake.__version__ = "13.4.1"  # type: ignore[attr-defined]
    fake.cuda = types.SimpleNamespace(  # type: ignore[attr-defined]
        runtime=types.SimpleNamespace(
            getDeviceCount=lambda: len(names),
            getDeviceProperties=lambda k: {"name": names[k], "major": 9, "minor": k},
            CUDARuntimeError=NoDriverError,
        )
    )
    monkeypatch.setitem(sys.modules, "cupy", fake)
    rows = _config.config()
    assert rows["CuPy"] == "13.4.1"
    assert rows["CUDA device 0"] == "First Card (sm_90)"
    assert rows["CUDA device 1"] == "Second Card (sm_91)"
    fake.cuda.runtime.getDeviceCount = _raising
    rows = _config.config()
    assert rows["CuPy"] == "13.4.1"
    assert rows["CUDA devices"] == "none: no driver"


# --- half precision ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_kernels_get_halves_as_they_are(
    dtype: torch.dtype, host: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda: Any = _dispatch.families()["cuda"]
    seen: list[Any] = []

    def see(given: Any) -> None:
        seen.append((given[0] if isinstance(given, list | tuple) else given).dtype)

    for name in ("analyse", "synthesise"):
        function = getattr(cuda, name)
        monkeypatch.setattr(cuda, name, lambda x, *o, f=function: (see(x), f(x, *o))[1])
    x = torch.tensor(zero_mean((3, 8, 8))).to(dtype)
    bands = lw.wavedec2(x, "db2", level=1)
    lw.waverec2(bands, "db2")
    lw.wavedec2(x.clone().requires_grad_(), "db2", level=1)[0].sum().backward()
    lt.DWT2d("db2")(x)
    assert seen == [dtype] * 5
    seen.clear()
    with lw.kernels("reference"):
        lw.wavedec2(x, "db2", level=1)
    assert not seen


def test_halves_that_no_kernel_reads_are_widened() -> None:
    kernels, x = in_float32(ReferenceKernels()), torch.tensor(zero_mean((2, 16))).half()
    assert kernels.name == "reference"
    plan = _plan_of("db2", 16)
    got = kernels.analysis(x, plan.filters, plan.plan, 1)
    wanted = ReferenceKernels().analysis(x.float(), plan.filters, plan.plan, 1)
    for a, b in zip(got, wanted, strict=True):
        assert_close(a, b.half())
    sums = kernels.tap_gradients(x, got, plan.plan, 1)
    assert {s.dtype for s in sums} == {torch.float32}


def _plan_of(wavelet: str, n: int) -> Any:
    from helpers import axis_plans

    from liftwave._plan.planning import plan_analysis

    plan = plan_analysis((2, n), axis_plans((1,), wavelet, "symmetric"), 1)
    return plan.levels[0].analysis_steps[0][1]


def test_half_precision_keeps_its_range(host: Place) -> None:
    """Gradients and penalties beyond 65504 stay finite."""
    x = torch.full((2, 3, 16, 16), 100.0).half().requires_grad_()
    layer = lt.LiftDownPool2d(3, output="concat", penalty_weights=(1.0, 1.0), reduction="sum")
    y = layer(x)
    assert torch.isfinite(layer.penalty())
    y.float().pow(2).sum().backward()
    assert torch.isfinite(layer.weight.grad).all()
    learned = lt.DWT2d("db2", learn="filters")
    approx = learned(x)[0]
    (approx.float().pow(2).sum() / 1e3).backward()
    assert all(torch.isfinite(p.grad).all() for p in learned.parameters())


# --- the bridge ----------------------------------------------------------------------------------


@pytest.mark.parametrize("learn", ["filters", "lifting", "orthonormal"])
def test_learned_taps_are_not_read(
    learn: str, host: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a device, reading a number waits for all previous work."""
    wavelet = "cdf9.7" if learn == "lifting" else "db2"
    layer = lt.DWT2d(wavelet, level=2, learn=learn, mode="symmetric")
    x = torch.tensor(zero_mean((2, 3, 16, 16))).float().requires_grad_()

    def read(*_: Any) -> Any:
        raise AssertionError("the value of a tensor was read")

    for name in ("tolist", "item", "__float__", "__int__", "__bool__"):
        monkeypatch.setattr(torch.Tensor, name, read)
    sum(y.pow(2).sum() for y in [layer(x)[0], *layer(x)[1:][0]]).backward()
    monkeypatch.undo()
    assert x.grad is not None


def test_results_of_the_bridge_have_memory_of_their_own(host: Place) -> None:
    x = torch.tensor(zero_mean((2, 3, 16, 16))).requires_grad_()
    approx, *details = lw.wavedec2(x, "db2", level=2)
    bands = [approx, *(band for level in details for band in level)]
    assert len({band.untyped_storage().data_ptr() for band in bands}) == len(bands)
    assert all(band.is_contiguous() for band in bands)


def test_taps_on_another_device_are_refused() -> None:
    bank = lw.FilterBank(*(torch.ones(2, device="meta") for _ in range(4)))
    with pytest.raises(ArgumentTypeError, match="device"):
        lw.dwt(torch.ones(8), bank)


def test_integers(host: Place) -> None:
    x = np.random.default_rng(0).integers(0, 255, (22, 25)).astype("uint8")
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    coeffs = lw.wavedec2(x, scheme, "symmetric", 2)
    assert coeffs[0].dtype == np.int16
    wanted = reference(lw.wavedec2, x, scheme, "symmetric", 2)
    assert_near(coeffs, wanted, 0)
    np.testing.assert_array_equal(lw.waverec2(coeffs, scheme, "symmetric")[:22, :25], x)


def test_integers_on_a_device_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.full(8, 2**62)
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    with pytest.warns(IntegerRangeWarning):
        lw.dwt(x, scheme, "symmetric")
    monkeypatch.setattr(integers, "is_on_device", lambda x: True)
    lw.dwt(x, scheme, "symmetric")


# --- sources -------------------------------------------------------------------------------------


def test_every_source_is_found_whole() -> None:
    names = source_names()
    assert {"common/numbers.cuh", "common/boundary.cuh"} < set(names)
    for name in names:
        text = cuda_runtime.source_text(name)
        assert "#include" not in text
        assert "#pragma once" not in text
        assert "namespace liftwave" in text


def test_nothing_is_loaded_before_an_array_of_a_device_is_there() -> None:
    code = (
        "import sys, numpy, liftwave as lw; lw.dwt(numpy.ones(8), 'haar'); lw.show_config();"
        "print([m for m in sys.modules if m in ('cupy', 'torch', 'liftwave._kernels.cuda')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
