"""Calls that compiled kernels do not support, by design: the rows of a table in the documentation.

``python docs/make_tables.py`` writes the table. A test compares it with the library's behaviour.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple
from unittest import mock

import array_api_strict
import numpy as np
import torch
from cuda_dry import dry_cuda
from torch import Tensor

import liftwave as lw
from liftwave import pooling
from liftwave._kernels.cpu.family import CpuKernels
from liftwave._kernels.cuda.family import CudaKernels
from liftwave._kernels.no_fallback import TASKS
from liftwave.errors import KernelsError

MAPS = np.random.default_rng(0).standard_normal((2, 3, 8, 8))
TENSOR = torch.from_numpy(MAPS.copy())
FILTERS = pooling.lift_filters(3)


class Row(NamedTuple):
    """A kind of calls with examples, and the families that have such arrays."""

    what: str
    calls: tuple[Callable[[], Any], ...]
    families: tuple[str, ...] = ("cpu", "cuda")


# --- data ----------------------------------------------------------------------------------------


def recorded() -> Tensor:
    """A tensor that requires gradients."""
    return TENSOR.clone().requires_grad_()


def bank() -> lw.FilterBank:
    """A filter bank whose taps require gradients."""
    taps = [torch.ones(4, dtype=torch.float64, requires_grad=True) for _ in range(4)]
    return lw.FilterBank(*taps)


def scheme(steps: int, learned: bool = False, length: int = 1, offset: int = 0) -> Any:
    """A lifting scheme with the given number of steps."""
    taps: Any = [0.01] * length
    taps = torch.tensor(taps, dtype=torch.float64, requires_grad=True) if learned else taps
    kinds = ["predict", "update"] * steps
    return lw.LiftingScheme([lw.LiftingStep(kind, taps, offset) for kind in kinds[:steps]])


def differentiated(function: Callable[[Tensor], Tensor]) -> Callable[[], None]:
    """The derivative of a function of a tensor, by torch."""
    return lambda: function(recorded()).sum().backward()


def differentiated_twice(function: Callable[[Tensor], Tensor]) -> Callable[[], None]:
    """The second derivative of a function of a tensor, by torch."""

    def call() -> None:
        x = recorded()
        loss = (function(x) ** 2).sum()
        (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
        (gradient**2).sum().backward()

    return call


def pushed_forward(function: Callable[[Tensor], Any]) -> Callable[[], Any]:
    """The forward-mode derivative of a function of a tensor."""
    return lambda: torch.func.jvp(function, (TENSOR,), (TENSOR,))


def exported(function: Callable[[Tensor], Any]) -> Callable[[], None]:
    """The model that ``torch.onnx`` records."""

    def call() -> None:
        with mock.patch.object(torch.onnx, "is_in_onnx_export", return_value=True):
            function(recorded())

    return call


def of_filters(x: Tensor) -> Any:
    """Lifting pooling of a tensor."""
    return pooling.lift_down(x, pooling.LiftFilters(*map(torch.from_numpy, FILTERS)))


# --- rows ----------------------------------------------------------------------------------------

SCHEME = lw.LiftingScheme.from_name("haar")
LONG_STEP = lw.LiftingScheme([lw.LiftingStep("update", (0.01,) * 129, -60)])
PLACES = pooling.max_pool(MAPS, 2, return_indices=True)
COEFFICIENTS = lw.wavedec2(MAPS, "haar", level=1)
SPREAD = dict.fromkeys(("aa", "ad", "da", "dd"), MAPS)
LAYERS = (np.ones((2, 3)), np.ones(2)), (np.ones((3, 2)), np.ones(3))

ROWS = (
    Row(
        "NumPy arrays of `longdouble`",
        (lambda: lw.dwt(MAPS.astype("longdouble"), "db2"),),
        ("cpu",),
    ),
    Row(
        "arrays of other libraries than NumPy, CuPy and torch",
        (lambda: lw.dwt(array_api_strict.asarray(MAPS), "db2"),),
    ),
    Row(
        "`edscw_pool`, `similarity_pool`, `idw_pool`, `ada_pool`, `ada_unpool` with "
        "`per_channel=False`, and their layers",
        (
            lambda: pooling.soft_pool(MAPS, 2, per_channel=False),
            lambda: pooling.edscw_pool(MAPS, 2, per_channel=False),
            lambda: pooling.similarity_pool(MAPS, 2, per_channel=False),
            lambda: pooling.idw_pool(MAPS, 2, per_channel=False),
            lambda: pooling.ada_pool(MAPS, 2, per_channel=False),
            lambda: pooling.ada_unpool(MAPS, PLACES[0], 2, per_channel=False),
        ),
    ),
    Row(
        '`similarity_pool` with `similarity="cosine"` or `"pce"`',
        (
            lambda: pooling.similarity_pool(MAPS, 2, similarity="cosine"),
            lambda: pooling.similarity_pool(MAPS, 2, similarity="pce", exponential=False),
        ),
    ),
    Row(
        '`ada_unpool` and `AdaUnpool2d` with `up="linear"`',
        (lambda: pooling.ada_unpool(MAPS, PLACES[0], 2, up="linear"),),
    ),
    Row(
        "pooling over windows along more than three axes",
        (
            lambda: pooling.soft_pool(MAPS, (1, 1, 2, 2)),
            lambda: pooling.max_pool(MAPS, (1, 1, 2, 2)),
        ),
    ),
    Row(
        "lifting schemes of more than 112 steps",
        (lambda: lw.dwt(MAPS, scheme(113), "symmetric"),),
    ),
    Row(
        "lifting schemes of more than 48 steps whose taps are learned",
        (lambda: lw.dwt(TENSOR, scheme(49, learned=True), "symmetric"),),
    ),
    Row(
        "lifting schemes that reach thousands of samples far",
        (lambda: lw.dwt(np.ones(90_000), scheme(2, length=300, offset=-20_000), "symmetric"),),
    ),
    Row(
        "lifting pooling by filters of thousands of taps",
        (lambda: pooling.lift_down(MAPS, pooling.lift_filters(3, 20_001)),),
    ),
    Row("lifting pooling of an empty batch", (lambda: pooling.lift_down(MAPS[:0], FILTERS),)),
    Row(
        "`vjp` of tensors that require gradients, so that torch records it",
        (
            lambda: lw.vjp(lw.dwt, recorded(), "db2"),
            lambda: lw.vjp(pooling.soft_pool, recorded(), 2),
        ),
    ),
    Row(
        "`vjp` by taps that require gradients",
        (lambda: lw.vjp(lw.dwt, TENSOR, bank()),),
    ),
    Row(
        "`swt`, `swt2`, `swtn` by filter banks with a mode that is not periodic",
        (
            lambda: lw.swt(MAPS, "db2", 2, mode="symmetric"),
            lambda: lw.swt2(MAPS, "db2", 1, mode="zero"),
            lambda: lw.vjp(lw.swtn, MAPS, "db2", 1, axes=(2, 3), mode="zero")[1]([SPREAD]),
        ),
    ),
    Row(
        "`swt` with its variants and inverses by lifting schemes with a step of more than 128 taps",
        (
            lambda: lw.swt(MAPS, LONG_STEP, 1, mode="reflect"),
            lambda: lw.iswt2(lw.swt2(MAPS, LONG_STEP, 1), LONG_STEP),
        ),
    ),
    Row(
        "derivatives of `swt` by lifting schemes in taps and scales",
        (lambda: lw.vjp(lw.swt, MAPS, SCHEME, 1)[1]([(MAPS, MAPS)]),),
    ),
    Row(
        "second derivatives, in torch, of pooling and in learned taps",
        (
            differentiated_twice(lambda x: pooling.soft_pool(x, 2)),
            differentiated_twice(lambda x: pooling.max_pool(x, 2)),
            differentiated_twice(of_filters),
            differentiated_twice(lambda x: lw.dwt(x, bank())[0]),
            differentiated_twice(lambda x: lw.dwt(x, scheme(2, learned=True), "symmetric")[0]),
        ),
    ),
    Row(
        "forward-mode derivatives, in torch, of pooling and in learned taps",
        (
            pushed_forward(lambda x: pooling.soft_pool(x, 2)),
            pushed_forward(of_filters),
            pushed_forward(lambda x: lw.dwt(x, bank())[0]),
        ),
    ),
    Row(
        "what `torch.onnx.export` records",
        (
            exported(lambda x: lw.wavedec2(x, "haar", level=1)),
            exported(lambda x: pooling.soft_pool(x, 2)),
        ),
    ),
    Row(
        "`scalogram`, `cross_scalogram`, `wavelet_coherence`",
        (
            lambda: lw.scalogram(MAPS, rate=0.5),
            lambda: lw.cross_scalogram(MAPS, MAPS),
            lambda: lw.wavelet_coherence(MAPS, MAPS, surrogates=0),
        ),
    ),
    Row(
        '`scalogram` of tensors that require gradients, and in the mode `"periodic"` of lengths '
        "with a large prime factor; `scattering1d`, `scattering2d`",
        (
            lambda: lw.scalogram(recorded()),
            lambda: lw.scalogram(np.ones(509), mode="periodic"),
            lambda: lw.scattering1d(MAPS, 2),
            lambda: lw.scattering2d(MAPS, 2),
        ),
    ),
    Row(
        "`pad`, `threshold`, `threshold_firm`, `coeffs_to_array`, `array_to_coeffs`, "
        "`ravel_coeffs`, `unravel_coeffs`, `imra`, `imra2`, `imran`",
        (
            lambda: lw.pad(MAPS, 2, "reflect"),
            lambda: lw.threshold(MAPS, 0.5),
            lambda: lw.threshold_firm(MAPS, 0.5, 1),
            lambda: lw.array_to_coeffs(*lw.coeffs_to_array(COEFFICIENTS, axes=(2, 3))),
            lambda: lw.imra([MAPS, MAPS]),
            lambda: lw.unravel_coeffs(*lw.ravel_coeffs(COEFFICIENTS, axes=(2, 3))),
        ),
    ),
    Row(
        "`max_unpool`, `nearest_unpool`, `bed_of_nails_unpool`, `conv_transpose`, "
        "`energy_attention`",
        (
            lambda: pooling.max_unpool(*PLACES, 2),
            lambda: pooling.nearest_unpool(MAPS, 2),
            lambda: pooling.bed_of_nails_unpool(MAPS, 2),
            lambda: pooling.conv_transpose(MAPS, np.ones((3, 2, 3, 3))),
            lambda: pooling.energy_attention(MAPS, *LAYERS),
        ),
    ),
)

HEADINGS = ("call", "CPU kernels", "CUDA kernels")
COMPILED, REFERENCE, ARRAYS = "compiled", "reference", "array operations"


# --- the library's behaviour ---------------------------------------------------------------------


FAMILIES: dict[str, Any] = {"cpu": CpuKernels, "cuda": CudaKernels}
_KERNELS = {*TASKS, "pooling", "lift_pool"}


def watched(native: Callable[[Any], Any], asked: list[str]) -> Callable[[Any], Any]:
    """The function that makes native code for a plan, and notes whether there is any."""

    def call(plan: Any) -> Any:
        run = native(plan)
        if run is not None:
            asked.append("native_spectral")
        return run

    return call


def state(call: Callable[[], Any], family: str) -> str:
    """The kernels that compute a call when a family of compiled kernels is chosen."""
    asked: list[str] = []

    def read(kernels: Any, name: str) -> Any:
        if name in _KERNELS:
            asked.append(name)
        value = object.__getattribute__(kernels, name)
        return watched(value, asked) if name == "native_spectral" else value

    with ExitStack() as stack:
        stack.enter_context(lw.kernels("cpu!") if family == "cpu" else dry_cuda())
        stack.enter_context(mock.patch.object(FAMILIES[family], "__getattribute__", read))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        try:
            call()
        except KernelsError:
            return REFERENCE
    return COMPILED if asked else ARRAYS


def cells(row: Row) -> list[str]:
    """The cells of a row; all its calls must use the same kernels."""
    found = []
    for family in ("cpu", "cuda"):
        states = {state(call, family) for call in row.calls} if family in row.families else {"–"}
        assert len(states) == 1, f"{row.what}, {family}: {states}"
        found.extend(states)
    return [row.what, *found]
