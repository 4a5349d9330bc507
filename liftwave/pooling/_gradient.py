"""What :func:`liftwave.vjp` gives back for functions of pooling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, eq=False)
class PoolingGradient:
    """What a pullback of a pooling function gives.

    Attributes
    ----------
    data : array
        The gradient in the first argument.
    parameters : dict
        Gradients in its other arguments that have one, by their names: ``"beta"``,
        ``"pooled"``, ``"weight"``, ``"filters"``, ``"squeeze"``, ``"excite"``.
    """

    data: Any
    parameters: dict[str, Any] = field(default_factory=dict)


PoolingPullback: TypeAlias = Callable[[Any], PoolingGradient]
