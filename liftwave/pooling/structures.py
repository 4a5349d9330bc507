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
    """The result of a pullback of a pooling function.

    Attributes
    ----------
    data : array
        The gradient with respect to the first argument.
    parameters : dict
        The gradients with respect to other differentiable arguments, by name: ``"beta"``,
        ``"pooled"``, ``"weight"``, ``"filters"``, ``"squeeze"``, ``"excite"``.
    """

    data: Any
    parameters: dict[str, Any] = field(default_factory=dict)


PoolingPullback: TypeAlias = Callable[[Any], PoolingGradient]
"""Maps the cotangent of a result to a :class:`PoolingGradient`."""


class Inputs:
    """The inputs of a call: the first argument, and others by name."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients with respect to the inputs."""
        return PoolingGradient(arrays[0], dict(zip(self.names, arrays[1:], strict=False)))

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        return [value.data, *(value.parameters[name] for name in self.names)]


class AttentionInputs:
    """The inputs of :func:`energy_attention` that have gradients."""

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients with respect to the data and both layers."""
        data, *layers = arrays
        pairs = {"squeeze": tuple(layers[:2]), "excite": tuple(layers[2:4])}
        return PoolingGradient(data, pairs)

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        return [value.data, *value.parameters["squeeze"], *value.parameters["excite"]]


# --- results -------------------------------------------------------------------------------------


class MaxResult:
    """The largest samples, and their indices if requested."""

    def __init__(self, return_indices: bool) -> None:
        self.return_indices = return_indices

    def pack(self, arrays: Arrays) -> Any:
        """The samples, or a pair of samples and indices."""
        return tuple(arrays) if self.return_indices else arrays[0]

    def unpack(self, value: Any) -> Arrays:
        """The cotangent of the samples. Indices have none."""
        if self.return_indices and isinstance(value, tuple | list):
            value = value[0]
        return (value, None)


MAX_VALUES, MAX_PAIR = MaxResult(False), MaxResult(True)
