"""No silent fallback: supported calls of every public name use the compiled kernels.

Under ``"cpu!"`` and ``"cuda!"``, a fallback to the reference kernels raises. Without a device, CUDA
kernels are chosen and launched but do not run (``cuda_dry.py``).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import no_fallback_calls as functions
import no_fallback_pooling as of_pooling
import numpy as np
import pytest
import torch
from cuda_dry import dry_cuda
from helpers import has_cuda
from no_fallback_calls import CALLS, FLOATS, HALVES, INTEGERS, Call, Learned
from no_fallback_layers import COMPLEX, LAYERS, NO_LAYERS
from no_fallback_pooling import MAPS, POOLING

import liftwave as lw
import liftwave.torch as lt
from liftwave import _dispatch, gradients, pooling
from liftwave.errors import KernelsError

pytestmark = [
    pytest.mark.skipif(not _dispatch.compiled(), reason="compiled kernels were not built"),
    pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning"),
    pytest.mark.filterwarnings("ignore::liftwave.errors.IntegerRangeWarning"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning"),  # torch's own
    # Kernels that do not run return zeros, whose correlation is not a number.
    pytest.mark.filterwarnings("ignore:invalid value encountered in scalar divide:RuntimeWarning"),
]

ALL_CALLS = {**CALLS, **POOLING}
DIFFERENTIABLE = {*gradients.TRANSFORM_CALLS, *gradients.VJPS, *gradients.POOLING_CALLS}
DIFFERENTIABLE |= {lw.fswavedecn, lw.fswaverecn}


# --- places --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A library of arrays, and compiled kernels without a fallback for these."""

    kernels: Callable[[], AbstractContextManager[None]]
    library: str
    device: str = "cpu"

    def dtypes(self, call: Call) -> tuple[str, ...]:
        """The dtypes of a call's data in this place."""
        if call.dtypes is INTEGERS:
            return INTEGERS
        is_half_known = self.library == "torch" or (self.device == "cuda" and not call.named)
        return call.dtypes + (HALVES if self.library == "torch" else HALVES[:1] * is_half_known)

    def array(self, values: np.ndarray, dtype: str, gradient: bool = False) -> Any:
        """The values as an array of the library."""
        if self.library != "torch":
            return importlib.import_module(self.library).asarray(values).astype(dtype)
        x = torch.tensor(values, device=self.device).to(getattr(torch, dtype))
        return x.requires_grad_(gradient and (x.is_floating_point() or x.is_complex()))

    def converter(self, dtype: str, gradient: bool = False) -> Callable[[Any], Any]:
        """The function that converts the arrays and learned wavelets of a call."""
        of_taps = "float64" if dtype in ("float64", "complex128") else "float32"

        def convert(x: Any) -> Any:
            if not isinstance(x, Learned):
                return self.array(x, dtype, gradient)
            has_taps = self.library in ("torch", "cupy")
            return x.made((lambda taps: self.array(taps, of_taps, gradient)) if has_taps else None)

        return convert


def cpu() -> AbstractContextManager[None]:
    return lw.kernels("cpu!")


def cuda() -> AbstractContextManager[None]:
    if not has_cuda():
        pytest.skip("no CUDA device, or no CuPy that finds one")
    return lw.kernels("cuda!")


PLACES = {
    "cpu-numpy": Place(cpu, "numpy"),
    "cpu-torch": Place(cpu, "torch"),
    "dry-numpy": Place(dry_cuda, "numpy"),
    "dry-torch": Place(dry_cuda, "torch"),
    "cuda-cupy": Place(cuda, "cupy", "cuda"),
    "cuda-torch": Place(cuda, "torch", "cuda"),
}
AT = [pytest.param(p, id=name, marks=[pytest.mark.gpu] * p.device.startswith("cuda"))
      for name, p in PLACES.items()]  # fmt: skip


# --- every function ------------------------------------------------------------------------------


def test_every_public_function_has_calls() -> None:
    assert set(CALLS) | functions.NO_ARRAYS == set(lw.__all__)
    assert not set(CALLS) & functions.NO_ARRAYS
    assert set(POOLING) | of_pooling.NO_ARRAYS == set(pooling.__all__)
    assert not set(POOLING) & of_pooling.NO_ARRAYS
    called = {call.function for calls in ALL_CALLS.values() for call in calls}
    assert called >= DIFFERENTIABLE - {lw.fswaverecn, pooling.max_unpool}


def runs_of(call: Call, place: Place, dtype: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The call itself, its ``vjp``, and with torch its backward pass."""
    is_differentiable = call.dtypes is not INTEGERS and "out" not in call.named
    yield "call", lambda: call.run(place.converter(dtype))
    if call.function in DIFFERENTIABLE and is_differentiable:
        yield "vjp", lambda: call.vjp(place.converter(dtype))
    if place.library == "torch" and is_differentiable:
        yield "backward", lambda: _backward(call.run(place.converter(dtype, gradient=True)))


def _backward(result: Any) -> None:
    recorded = [y for y in _tensors(result) if y.requires_grad]
    if recorded:
        torch.stack([(y.abs() ** 2).sum() for y in recorded]).sum().backward()


def _tensors(result: Any) -> list[Any]:
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, lw.FswavedecnResult):
        return [result.coeffs]
    parts = result.values() if isinstance(result, dict) else result
    is_nested = isinstance(result, dict | list | tuple)
    return [y for part in parts for y in _tensors(part)] if is_nested else []


def fallbacks(calls: list[Call], place: Place, some: Callable[[int, str], bool]) -> list[str]:
    """The calls that fall back, in the dtypes selected for each."""
    found = []
    for number, call in enumerate(calls):
        for dtype in place.dtypes(call):
            if not some(number, dtype):
                continue
            for what, run in runs_of(call, place, dtype):
                try:
                    with place.kernels():
                        run()
                except KernelsError as error:
                    found.append(f"{what} {number} in {dtype}: {error}")
    return found


@pytest.mark.parametrize("place", AT)
@pytest.mark.parametrize("name", ALL_CALLS)
def test_functions(name: str, place: Place) -> None:
    """Each call in some of the dtypes; together, the calls cover all dtypes."""

    def some(number: int, dtype: str) -> bool:
        of_call = place.dtypes(ALL_CALLS[name][number])
        return dtype == of_call[number % len(of_call)] or dtype == of_call[0]

    assert fallbacks(ALL_CALLS[name], place, some) == []


@pytest.mark.slow
@pytest.mark.parametrize("place", AT)
@pytest.mark.parametrize("name", ALL_CALLS)
def test_functions_in_all_dtypes(name: str, place: Place) -> None:
    assert fallbacks(ALL_CALLS[name], place, lambda number, dtype: True) == []


def _misaligned(x: np.ndarray) -> np.ndarray:
    return np.frombuffer(b"1" + x.tobytes(), "u1")[1:].view(x.dtype).reshape(x.shape)


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "reversed": lambda x: x[..., ::-1].copy()[..., ::-1],
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "Fortran": np.asfortranarray,
    "read-only and misaligned": lambda x: _misaligned(x),
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout: str) -> None:
    for calls in ALL_CALLS.values():
        with lw.kernels("cpu!"):
            calls[0].run(lambda x: LAYOUTS[layout](x) if isinstance(x, np.ndarray) else x)


@pytest.mark.parametrize(
    "data", [[1, 2, 3, 4], [True, False], (1.0, 2.0), np.ones((0, 8))], ids=str
)
def test_what_is_no_array_of_floats(data: Any) -> None:
    with lw.kernels("cpu!"):
        lw.dwt(data, "haar")
        lw.dwt(data, lw.LiftingScheme.from_name("haar"), "symmetric")


def test_tensors_that_are_conjugated_when_read() -> None:
    x = torch.complex(torch.tensor(MAPS), torch.tensor(MAPS))
    for y in (x.conj(), x.conj().imag):
        with lw.kernels("cpu!"):
            lw.dwt(y, "db2")
            (approx, _), pullback = lw.vjp(lw.dwt, y, "db2")
            pullback((approx.conj(), None))
    with lw.kernels("cpu!"):
        lw.vjp(pooling.soft_pool, x.conj().imag, 2)


@pytest.mark.parametrize("wavelet", ["db2", lw.LiftingScheme.from_name("cdf9.7")], ids=str)
def test_operators(wavelet: Any) -> None:
    operators = pytest.importorskip("liftwave.operators")
    for dtype in FLOATS:
        forward = operators.WaveletOperator((9, 12), wavelet, "symmetric", 2, dtype=dtype)
        with lw.kernels("cpu!"):
            for operator in (forward, forward.H, forward.inverse(), forward.inverse().H):
                operator @ np.ones(operator.shape[1], dtype)
                operator @ np.ones((operator.shape[1], 3), dtype)


def test_adaptive_pooling_with_its_default_beta() -> None:
    """A scalar ``beta`` once became a 0-d array, which no compiled kernel supported."""
    with lw.kernels("cpu!"):
        y = pooling.ada_pool(MAPS, 2)
        pooling.ada_unpool(MAPS, y, 2)
        lw.vjp(pooling.ada_pool, MAPS, 2)[1](y)
        lw.vjp(pooling.ada_unpool, MAPS, y, 2)[1](MAPS)


# --- every layer ---------------------------------------------------------------------------------

KINDS = list(dict.fromkeys(name.rstrip("123d") for name in LAYERS))


def test_every_layer_has_calls() -> None:
    assert set(LAYERS) | NO_LAYERS == set(lt.__all__)
    assert not set(LAYERS) & NO_LAYERS


def layer_fallbacks(kind: str, dtypes: tuple[str, ...], *kernels: Any) -> list[str]:
    found = []
    for name in [name for name in LAYERS if name.rstrip("123d") == kind]:
        for number, layer in enumerate(LAYERS[name]):
            for dtype in dtypes:
                if (dtype in HALVES and not layer.half) or (
                    "complex" in dtype and name not in COMPLEX
                ):
                    continue
                for choice in kernels:
                    try:
                        with choice():
                            layer.run(getattr(torch, dtype))
                    except KernelsError as error:
                        found.append(f"{name} {number} in {dtype}: {error}")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind: str) -> None:
    assert layer_fallbacks(kind, ("float32",), cpu, dry_cuda) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_layers_in_all_dtypes(kind: str) -> None:
    assert layer_fallbacks(kind, (*FLOATS, *HALVES), cpu, dry_cuda) == []


@pytest.mark.gpu
@pytest.mark.parametrize("kind", KINDS)
def test_layers_on_a_device(kind: str) -> None:
    def on_device() -> Any:
        cuda()
        return lw.kernels("cuda!")

    with torch.device("cuda"):
        assert layer_fallbacks(kind, ("float32", "float16"), on_device) == []
