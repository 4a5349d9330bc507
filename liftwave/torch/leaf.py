"""The base class of layers, which graphs of ``torch.fx`` call as a whole."""

from __future__ import annotations

from typing import Any

from torch import nn

_LEAF = "torch.nn"


class Layer(nn.Module):
    """A module that ``torch.fx.symbolic_trace`` does not trace into.

    torch.fx calls a module as a whole if its attribute ``__module__`` begins with ``"torch.nn"``.
    Tracers of users, and those of torchvision's feature extractors, ask the same question. The
    class keeps its own ``__module__``, which ``pickle`` needs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.__module__ = _LEAF

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickled layer."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.__module__ = _LEAF
