"""No fallback: kernels that always raise.

They replace the reference kernels if users prefer an error to slower code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias

from array_api_compat import device

from liftwave._arrays.convert import is_array
from liftwave._arrays.tensors import is_tensor, is_unwatched
from liftwave._kernels.contract import Kernels, TimeFrequencyKernels
from liftwave._kernels.pooling_contract import PoolingArguments
from liftwave.errors import KernelsError

if TYPE_CHECKING:
    from liftwave._plan.dual_tree import LevelPlan as DualTreeLevel
    from liftwave._plan.packets import PacketPlan
    from liftwave._plan.spectral import SpectralPlan

TASKS: dict[str, str] = {
    "analyse": "a transform",
    "synthesise": "an inverse transform",
    "analysis": "a filter bank along one axis",
    "synthesis": "an inverse filter bank along one axis",
    "lift_analysis": "lifting along one axis",
    "lift_synthesis": "inverse lifting along one axis",
    "tap_gradients": "the gradient in the taps of a filter bank",
    "lift_vjp": "the derivative of lifting",
    "pool": "pooling by weights",
    "pool_vjp": "the derivative of pooling by weights",
    "unpool": "unpooling by weights",
    "unpool_vjp": "the derivative of unpooling by weights",
    "max_pool": "max pooling",
    "max_pool_vjp": "the derivative of max pooling",
    "lift_down": "lifting pooling",
    "lift_down_vjp": "the derivative of lifting pooling",
    "lift_up": "inverse lifting pooling",
    "lift_up_vjp": "the derivative of inverse lifting pooling",
}
"""The computation of each method of a family of kernels, in words."""

Cause: TypeAlias = Literal["arguments", "arrays", "derivative"]
"""The unsupported part of a call: arguments, arrays, or the derivative of a derivative."""

_DTYPES = "in float32, float64, complex64 or complex128 (integers for integer lifting)"

_ADVICE = {
    ("cpu", "arrays"): f"Pass NumPy arrays or torch tensors in the processor's memory, {_DTYPES}",
    ("cuda", "arrays"): f"Pass CuPy arrays or torch tensors on one CUDA device, {_DTYPES}",
    ("cpu", "arguments"): "Change the arguments",
    ("cuda", "arguments"): "Change the arguments",
    ("cpu", "derivative"): "Use first derivatives only, without create_graph=True",
    ("cuda", "derivative"): "Use first derivatives only, without create_graph=True",
}
_RECORDED = "torch records some of these: pass x.detach(), or call it under torch.no_grad()"


def no_fallback(family: str, cause: Cause) -> Kernels:
    """Kernels that raise instead of falling back to the reference kernels.

    Parameters
    ----------
    family : {"cpu", "cuda"}
        The family that the user chose.
    cause : {"arguments", "arrays", "derivative"}
        What the family does not support.
    """
    kernels: Any = NoFallback(family, cause)
    typed: Kernels = kernels
    return typed


class NoFallback:
    """The methods of a family of kernels, each of which raises; see :func:`no_fallback`."""

    wants_numpy = False
    native_half = False

    def __init__(self, family: str, cause: Cause) -> None:
        self.name = f"{family}!"
        self._family, self._cause = family, cause
        self.pooling = self.lift_pool = self

    @property
    def time_frequency(self) -> TimeFrequencyKernels:
        """Operations of the arrays' own library, which are no fallback."""
        from liftwave._kernels.reference.time_frequency import ReferenceTimeFrequency

        return ReferenceTimeFrequency()

    def native_packets(self, plan: PacketPlan) -> None:
        """None: the steps of the packets raise."""

    def native_spectral(self, plan: SpectralPlan) -> None:
        """None: the transforms of the array's library are no fallback."""

    def native_dual_tree(self, plan: DualTreeLevel) -> None:
        """None: the steps of the dual tree raise."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name not in TASKS:
            raise AttributeError(name)
        return partial(self._refuse, TASKS[name])

    def _refuse(self, task: str, *arguments: Any, **named: Any) -> NoReturn:
        values = [*arguments, *named.values()]
        arrays = list(_arrays_in(values))
        described = ", ".join(dict.fromkeys(map(_described, arrays)))
        raise KernelsError(
            f"kernels {self.name!r}: no compiled kernel supports {task}{_options_in(values)} of "
            f"{described}. {self._advice(arrays)}, or use lw.kernels({self._family!r}), which "
            "falls back to the reference kernels"
        )

    def _advice(self, arrays: list[Any]) -> str:
        recorded = any(is_tensor(x) and not is_unwatched(x) for x in arrays)
        if recorded and self._cause != "derivative":
            return _RECORDED
        return _ADVICE[self._family, self._cause]


def _arrays_in(values: Any) -> Iterator[Any]:
    """The arrays among the arguments of a kernel."""
    for value in values:
        if is_array(value):
            yield value
        elif type(value) in (list, tuple):
            yield from _arrays_in(value)


def _described(x: Any) -> str:
    kind, dtype = type(x), str(x.dtype).removeprefix("torch.")
    name = f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"
    return f"{name} of {dtype} with shape {tuple(x.shape)} on {device(x)}"


def _options_in(values: Any) -> str:
    """The options of a pooling by weights, in parentheses."""
    for value in values:
        if isinstance(value, PoolingArguments):
            options = f"weights={value.weights!r}, up={value.up!r}"
            return f" ({options}, vectors of {value.channels} channels)"
    return ""
