"""The structures of results and gradients of pooling functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from liftwave._typing import Array

Arrays: TypeAlias = "Sequence[Array | None]"


# --- gradients -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PoolingGradient:
    """What a pullback of a pooling function returns.

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
"""From the gradient in a result to a :class:`PoolingGradient`."""


class Inputs:
    """The inputs of a call: the first argument, and others by their names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients in them."""
        return PoolingGradient(arrays[0], dict(zip(self.names, arrays[1:], strict=False)))

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        return [value.data, *(value.parameters[name] for name in self.names)]


class AttentionInputs:
    """The inputs of :func:`energy_attention` that have gradients."""

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients in the data and both layers."""
        data, *layers = arrays
        pairs = {"squeeze": tuple(layers[:2]), "excite": tuple(layers[2:4])}
        return PoolingGradient(data, pairs)

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        return [value.data, *value.parameters["squeeze"], *value.parameters["excite"]]


# --- results -------------------------------------------------------------------------------------


class MaxResult:
    """Largest samples, and their places if these are wanted."""

    def __init__(self, return_indices: bool) -> None:
        self.return_indices = return_indices

    def pack(self, arrays: Arrays) -> Any:
        """The samples, or a pair of samples and places."""
        return tuple(arrays) if self.return_indices else arrays[0]

    def unpack(self, value: Any) -> Arrays:
        """The cotangent of the samples; places have none."""
        if self.return_indices and isinstance(value, tuple | list):
            value = value[0]
        return (value, None)


MAX_VALUES, MAX_PAIR = MaxResult(False), MaxResult(True)
