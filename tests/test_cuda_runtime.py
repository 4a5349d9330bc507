"""Launching on devices, with a driver that only records its arguments."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from liftwave._kernels.cuda.common import runtime as cuda_runtime
from liftwave._kernels.cuda.common.memory import memory_of
from liftwave._kernels.cuda.common.runtime import DeviceRuntime, is_captured, kernel, source_text
from liftwave._kernels.cuda.filters import taps as cuda_taps
from liftwave._kernels.cuda.filters.taps import device_taps
from liftwave._plan.axis import analysis_plan
from liftwave.errors import DeviceError


class Arguments(ctypes.Structure):
    """An example of a parameter."""

    _fields_ = [("data", ctypes.c_void_p), ("count", ctypes.c_longlong), ("flag", ctypes.c_int)]


class DriverError(RuntimeError):
    pass


class DeviceFailureError(RuntimeError):
    pass


class CompileError(Exception):
    pass


class Driver:
    """The interface of CuPy's driver, for devices 0 and 1."""

    CUDADriverError = DriverError

    def __init__(self) -> None:
        self.current = 0
        self.context = 1
        self.launches: list[Any] = []
        self.settings: list[Any] = []
        self.compiled: list[Any] = []
        self.failure: Exception | None = None
        self.captured: set[int] = set()
        self.missing_compiler: Exception | None = None
        self.cuda = SimpleNamespace(
            driver=self,
            runtime=SimpleNamespace(
                CUDARuntimeError=DeviceFailureError,
                getDevice=lambda: self.current,
                setDevice=self.set_device,
                streamIsCapturing=lambda stream: stream in self.captured,
                deviceGetAttribute=lambda attribute, device: {97: 100_000 + device}[attribute],
            ),
            nvrtc=SimpleNamespace(getVersion=self.compiler_version),
            compiler=SimpleNamespace(CompileException=CompileError),
            Device=self.device,
            get_current_stream=lambda device=-1: SimpleNamespace(
                ptr=0x100 + (self.current if device < 0 else device)
            ),
        )
        self.__version__ = "0"

    def ctxGetCurrent(self) -> int:  # as the driver calls it
        return self.context

    def set_device(self, number: int) -> None:
        assert number == self.current
        self.context = 1

    def compiler_version(self) -> tuple[int, int]:
        if self.missing_compiler is not None:
            raise self.missing_compiler
        return 13, 0

    @contextmanager
    def device(self, number: int) -> Any:
        before, self.current = self.current, number
        try:
            yield
        finally:
            self.current = before

    def funcSetAttribute(self, *numbers: int) -> None:  # as the driver calls it
        self.settings.append(numbers)

    def launchKernel(self, function: int, *numbers: int) -> None:  # as the driver calls it
        assert self.context, "in this thread no device is current for the driver"
        *sizes, shared, stream, parameters, extra = numbers
        if self.failure is not None:
            raise self.failure
        first = ctypes.cast(parameters, ctypes.POINTER(ctypes.c_void_p))[0]
        given = Arguments.from_buffer_copy(ctypes.string_at(first, ctypes.sizeof(Arguments)))
        self.launches.append(
            (self.current, function, sizes, shared, stream, (given.data, given.count, given.flag))
        )
        assert extra == 0

    def RawModule(self, code: str, options: tuple[str, ...], name_expressions: Any) -> Any:
        self.compiled.append((self.current, code, options, name_expressions))
        function = SimpleNamespace(kernel=SimpleNamespace(ptr=7000 + self.current))
        return SimpleNamespace(get_function=lambda name: function)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    made = Driver()
    monkeypatch.setattr(cuda_runtime, "_cupy", lambda: made)
    monkeypatch.setattr(cuda_runtime, "_functions", {})
    cuda_runtime._most_shared.cache_clear()
    yield made
    cuda_runtime._most_shared.cache_clear()


def array_on(device: int) -> Any:
    """The attributes of a CuPy array that the runtime reads."""
    return SimpleNamespace(device=SimpleNamespace(id=device))


KERNEL = kernel("common/boundary.cuh", "none", "float16", 8, True)


def launch(like: Any, shared: int = 512) -> None:
    arguments = Arguments(12345, 1 << 40, 3)
    DeviceRuntime().launch(KERNEL, 10, 64, shared, arguments, like, "dwt of shape (4, 8)")


def test_more_shared_memory_is_asked_for(driver: Driver) -> None:
    launch(array_on(1), 48 << 10)
    assert not driver.settings
    assert DeviceRuntime().most_shared(array_on(1)) == 100_001
    launch(array_on(1), 60_000)
    assert driver.settings == [(7001, 8, 100_001)]
    assert driver.launches[-1][3] == 60_000


def test_expressions_name_the_types_of_cuda() -> None:
    assert KERNEL.expression == "liftwave::none<liftwave::half, 8, true>"
    assert kernel("a.cuh", "f", "bfloat16", "complex64", "int64").expression == (
        "liftwave::f<liftwave::bfloat, liftwave::complex<float>, long long>"
    )
    assert kernel("a.cuh", "f").expression == "liftwave::f"


def test_the_driver_gets_grid_stream_and_a_pointer_to_the_structure(driver: Driver) -> None:
    launch(array_on(0))
    launch(array_on(0))
    sizes = [10, 1, 1, 64, 1, 1]
    assert driver.launches == [(0, 7000, sizes, 512, 0x100, (12345, 1 << 40, 3))] * 2
    assert [found[0] for found in driver.compiled] == [0]  # once
    _, code, options, names = driver.compiled[0]
    assert code == source_text("common/boundary.cuh")
    assert options == ("-std=c++17",)
    assert names == (KERNEL.expression,)


def test_arrays_on_another_device_are_worked_on_there(driver: Driver) -> None:
    launch(array_on(1))
    launch(array_on(0))
    assert [(found[0], found[1], found[4]) for found in driver.launches] == [
        (1, 7001, 0x101),
        (0, 7000, 0x100),
    ]
    assert [found[0] for found in driver.compiled] == [1, 0]  # for each device
    assert driver.current == 0


def test_a_new_thread_gets_a_context(driver: Driver) -> None:
    driver.context = 0
    launch(array_on(0))
    assert len(driver.launches) == 1


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (DriverError("CUDA_ERROR_INVALID_VALUE"), "10 blocks of 64 threads.*INVALID_VALUE"),
        (DeviceFailureError("cudaErrorNoDevice"), "launched on CUDA device 0"),
        (CompileError("line 3"), "could not be compiled for CUDA device 0"),
    ],
)
def test_errors_say_which_transform_of_what_shape(
    driver: Driver, failure: Exception, said: str
) -> None:
    driver.failure = failure
    with pytest.raises(DeviceError, match=said) as caught:
        launch(array_on(0))
    assert str(caught.value).startswith("dwt of shape (4, 8): the kernel liftwave::none<")
    assert caught.value.__cause__ is failure
    assert isinstance(caught.value, RuntimeError)


@pytest.mark.parametrize("error", [RuntimeError, ImportError, OSError])
def test_a_missing_compiler_is_a_device_error(driver: Driver, error: type[Exception]) -> None:
    driver.missing_compiler = error("No such file: libnvrtc.so.13")
    with pytest.raises(DeviceError, match=r"dwt of .*NVRTC.*cuda13.*libnvrtc\.so\.13"):
        launch(array_on(0))
    driver.missing_compiler = None
    launch(array_on(0))


def test_a_kernel_is_not_loaded_during_a_capture(driver: Driver) -> None:
    driver.captured = {0x100}
    with pytest.raises(DeviceError, match=r"dwt of .* once before the capture"):
        launch(array_on(0))
    launch(array_on(1))
    driver.captured.clear()
    launch(array_on(0))
    driver.captured = {0x100}
    launch(array_on(0))
    assert [found[0] for found in driver.compiled] == [1, 0]


def test_arrays_of_the_host_are_not_captured() -> None:
    assert not is_captured(np.ones(3))


def test_long_filters_are_not_copied_during_a_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, x = analysis_plan(400, 130, "symmetric"), np.ones((2, 400))
    taps = [tuple(float(k + n) for k in range(130)) for n in range(2)]
    monkeypatch.setattr(cuda_taps, "is_captured", lambda like: True)
    with pytest.raises(DeviceError, match=r"filters of 130 taps.*once before the capture"):
        device_taps(taps, plan, "float64", x)
    monkeypatch.setattr(cuda_taps, "is_captured", lambda like: False)
    assert device_taps(taps, plan, "float64", x)
    monkeypatch.setattr(cuda_taps, "is_captured", lambda like: True)
    assert device_taps(taps, plan, "float64", x)


def test_memory_is_described_in_numbers() -> None:
    x = np.zeros((4, 6), "float32")[::-1, ::2]
    found = memory_of(x)
    assert found == (x.ctypes.data, (-6, 2), (4, 3), "float32")
    torch = pytest.importorskip("torch")
    y = torch.zeros(4, 6, dtype=torch.bfloat16)[:, 1::2]
    assert memory_of(y) == (y.data_ptr(), (6, 2), (4, 3), "bfloat16")


def test_sources_are_one_text_with_each_include_once() -> None:
    text = source_text("common/boundary.cuh")
    assert "#include" not in text
    assert "#pragma once" not in text
    assert text.count("struct half {") == 1
    assert text.index("struct half {") < text.index("struct Extension {")
