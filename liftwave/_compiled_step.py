"""Functions that ``torch.compile`` reads: each takes itself as a single step of the graph."""

from __future__ import annotations

import sys
from typing import Any


def is_read() -> bool:
    """Whether ``torch.compile`` reads the code that calls this, rather than running it."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_dynamo_compiling()


def as_step(name: str, *arguments: Any) -> Any:
    """What the function of this name returns, as one step of what is read."""
    from liftwave import _steps  # it imports torch

    return _steps.STEPS[name](*arguments)
