"""What layers of pooling have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from liftwave._dispatch import bridge
from liftwave._operations.weighted_pool import PoolCall
from liftwave.errors import DTypeError, ShapeError
from liftwave.pooling.calls import CALLS

_bridge = bridge()


class Pooling(nn.Module):
    """A call, and dtypes at the border."""

    dimensions: ClassVar[int]

    def __init__(self, call: PoolCall) -> None:
        super().__init__()
        # Operators take the call as text, which is not written anew each time.
        self._call, self._text = call, call.text

    def _run(self, inputs: Sequence[Tensor]) -> Tensor:
        """The call on tensors in one dtype."""
        x = inputs[0]
        dtype = x.dtype if x.dtype.is_floating_point else torch.float64
        compute = _bridge.compute_dtype(dtype, x)
        ready = [v.to(compute) for v in inputs]
        if not torch.compiler.is_compiling():  # there the operators say what cannot be
            self._call.check([v.shape for v in ready])
        found: Tensor = _bridge.pool(self._text, ready)
        return found.to(dtype)

    def _check_dimensions(self, x: Tensor) -> None:
        if x.ndim not in (self.dimensions + 1, self.dimensions + 2):
            names = ("D, H, W", "H, W", "L")[3 - self.dimensions]
            raise ShapeError(
                f"{type(self).__name__} takes signals of shape (C, {names}) or (N, C, {names}), "
                f"got shape {tuple(x.shape)}"
            )
        if x.dtype.is_complex:
            raise DTypeError(f"{type(self).__name__} compares numbers in size, got {x.dtype}")


class WindowPool(Pooling):
    """Windows, and one input."""

    def __init__(self, kind: str, windows: tuple[Any, ...], *options: Any) -> None:
        super().__init__(CALLS[kind]((*windows, self.dimensions), *options))

    def forward(self, x: Tensor) -> Tensor:
        """Pooled signals, of shape (C, …) or (N, C, …)."""
        self._check_dimensions(x)
        return self._run([x])

    def extra_repr(self) -> str:
        """What is printed between the parentheses."""
        kernel, stride, padding, dilation, ceil_mode = self._call.windows
        shown = [f"kernel_size={_short(kernel)}", f"stride={_short(stride)}"]
        shown += [f"padding={_short(padding)}"] * any(padding)
        shown += [f"dilation={_short(dilation)}"] * (max(dilation) > 1)
        shown += ["ceil_mode=True"] * ceil_mode
        return ", ".join([*shown, *self._own_repr()])

    def _own_repr(self) -> list[str]:
        return [] if self._call.per_channel else ["per_channel=False"]


def _short(numbers: Sequence[int]) -> Any:
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)
