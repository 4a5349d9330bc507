"""Where CUDA kernels are tested: on devices, and on the host, with their sources compiled as C++.

The tests use the public functions of the library. They record all kernels that run, and all calls
that fall back to the reference kernels.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
from cuda_host import HostRuntime
from helpers import eps, has_cuda, mapped, to_numpy

import liftwave as lw
from liftwave import _dispatch
from liftwave._kernels.cuda.common.runtime import DeviceRuntime
from liftwave._kernels.cuda.family import CudaKernels
from liftwave._kernels.half_precision import in_float32


class Place:
    """Arrays of a library, in the memory on which kernels run."""

    def __init__(self, library: str, on_device: bool) -> None:
        self.library, self.on_device = library, on_device
        self.launched: list[str] = []
        self.fell_back: list[str] = []

    def __str__(self) -> str:
        return f"{'cuda' if self.on_device else 'host'}-{self.library}"

    def asarray(self, values: Any, dtype: str | None = None) -> Any:
        """The values as a new array there; torch supports bfloat16, too."""
        if self.library == "torch":
            torch = importlib.import_module("torch")
            device = "cuda" if self.on_device else "cpu"
            made = torch.tensor(np.array(values), device=device)
            return made if dtype is None else made.to(getattr(torch, dtype))
        return importlib.import_module(self.library).array(values, dtype=dtype)

    def tree(self, values: Any, dtype: str | None = None) -> Any:
        """Nested lists, tuples and dicts with NumPy arrays converted to arrays there."""
        return mapped(lambda x: self.asarray(x, dtype), values)

    def served(self) -> list[str]:
        """Kernels launched since the last call; raise if there are none, or if any fell back."""
        launched, fell_back = self.launched, self.fell_back
        self.launched, self.fell_back = [], []
        assert not fell_back, f"the reference kernels did {fell_back}"
        assert launched, "no kernel ran"
        return launched


class _Counted:
    """A runtime that records its launches."""

    def __init__(self, runtime: Any, place: Place) -> None:
        self._runtime, self._place = runtime, place

    def launch(self, kernel: Any, *arguments: Any) -> None:
        self._place.launched.append(kernel.expression)
        self._runtime.launch(kernel, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)


class _Fallback:
    """Reference kernels that record their calls."""

    def __init__(self, functions: Any, place: Place) -> None:
        self._functions, self._place = functions, place

    def __getattr__(self, name: str) -> Any:
        if name in ("pooling", "lift_pool"):
            return _Fallback(getattr(self._functions, name), self._place)
        self._place.fell_back.append(name)
        return getattr(self._functions, name)


@contextmanager
def at(place: Place) -> Iterator[Place]:
    """The place with recorded kernels; on the host, they are chosen by name, as by a user."""
    runtime: Any = DeviceRuntime() if place.on_device else HostRuntime()
    if missing := runtime.missing():
        pytest.skip(missing)
    with (
        _dispatch.registered(counted(runtime, place)),
        nullcontext() if place.on_device else lw.kernels("cuda"),
    ):
        yield place


def counted(runtime: Any, place: Place) -> CudaKernels:
    """The kernels on a runtime; the place records their calls."""
    fallback: Any = _Fallback(in_float32(_dispatch.families()["reference"]), place)
    return CudaKernels(_Counted(runtime, place), fallback)


def reference(call: Callable[..., Any], *data: Any, **named: Any) -> Any:
    """The result of the reference kernels on host arrays."""
    with lw.kernels("reference"):
        return call(*data, **named)


def places(*libraries: str, host: bool = True) -> list[Any]:
    """Parameters: the host (NumPy for CuPy) and the device; with ``host=False`` only the device."""
    found = []
    for library in libraries or ("cupy", "torch"):
        if host:
            on_host = "numpy" if library == "cupy" else library
            found.append(pytest.param((on_host, False), id=f"host-{on_host}"))
        found.append(pytest.param((library, True), id=f"cuda-{library}", marks=pytest.mark.gpu))
    return found


def made(parameter: tuple[str, bool]) -> Place:
    """The place of a parameter; skip the test without a device."""
    if parameter[1] and not has_cuda():
        pytest.skip("no CUDA device, or no CuPy that finds one")
    return Place(*parameter)


def values(x: Any) -> np.ndarray:
    """The values of an array of any library and dtype, half precision in float32."""
    return to_numpy(x.float() if str(x.dtype) == "torch.bfloat16" else x)


def assert_near(got: Any, wanted: Any, ulps: float, size: float | None = None) -> None:
    """Raise unless nested arrays equal NumPy's values, within eps of the dtype of ``got``.

    ``size`` is the magnitude of the summed terms; the largest value by default.
    """
    if isinstance(wanted, dict):
        assert set(got) == set(wanted)
        for key, value in wanted.items():
            assert_near(got[key], value, ulps, size)
    elif isinstance(wanted, list | tuple):
        assert len(got) == len(wanted)
        for a, b in zip(got, wanted, strict=True):
            assert_near(a, b, ulps, size)
    elif wanted is None:
        assert got is None
    else:
        _near(got, values(wanted), ulps, size)


def _near(got: Any, wanted: np.ndarray, ulps: float, size: float | None) -> None:
    assert tuple(got.shape) == wanted.shape
    found = values(got)
    if found.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, wanted)
        return
    known = np.isfinite(wanted)
    np.testing.assert_array_equal(found[~known], wanted[~known])
    largest = float(np.abs(wanted[known]).max(initial=0.0)) if size is None else size
    gap = float(np.abs(found[known] - wanted[known]).max(initial=0.0))
    assert gap <= ulps * eps(got) * largest, f"{gap:.3g} > {ulps} eps of {largest:.3g}"
