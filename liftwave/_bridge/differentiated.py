"""What ``torch.compile`` makes of transforms inside of ``torch.func.grad`` and its kin, and asks.

torch takes no custom operator there, whether it has a gradient or not, and of a function with
gradients of its own it reads what is inside. As a single step it is run, and then both work.
Imported only when something is compiled or exported: it loads torch's compiler.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C import _functorch

from liftwave._bridge import learned, linear, memory
from liftwave._bridge.tracing import step
from liftwave._operations.transform import read


@torch._dynamo.assume_constant_result  # type: ignore[untyped-decorator]
def is_differentiated() -> bool:
    """Whether ``torch.func.grad`` or its kin is at work."""
    interpreters = _functorch.get_interpreter_stack() or ()
    return any(each.key() != _functorch.TransformType.Vmap for each in interpreters)


@torch._dynamo.assume_constant_result  # type: ignore[untyped-decorator]
def keeps_halves(device: str) -> bool:
    """Whether tensors of half precision on devices of this type are served as they are."""
    return memory.keeps_halves([torch.empty(0, dtype=torch.float16, device=device)])


def _linear(text: str, inputs: list[Tensor], sizes: list[int]) -> list[Tensor]:
    return linear.transform(read(text), inputs, sizes)


def _learned(text: str, inputs: list[Tensor], taps: list[Tensor]) -> list[Tensor]:
    return learned.transform(read(text), inputs, taps)


linear_step, learned_step = step(_linear), step(_learned)
