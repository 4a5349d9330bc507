"""The compiled kernels (see backends/cpu/src/module.cpp)."""

from collections.abc import Sequence
from typing import Any

class Analysis:
    """Levels of an analysis, run in one go."""

    def __init__(self, levels: Sequence[Sequence[Any]], spacing: int) -> None: ...
    def run(self, x: Any, out: Any) -> bool: ...

class Layout:
    """Where the bands of an analysis lie in its memory."""

    def __init__(self, approx: Any, details: Sequence[Sequence[Any]]) -> None: ...
    def of(self, memory: Any) -> tuple[Any, list[dict[str, Any]]]: ...

class Synthesis:
    """Levels of a synthesis, run in one go."""

    def __init__(self, levels: Sequence[tuple[Sequence[Any], Sequence[bool]]]) -> None: ...
    def run(self, bands: Sequence[Any], out: Any) -> bool: ...

class TapGradients:
    """The gradient of an analysis along one axis in its taps."""

    def __init__(self, axis: Any) -> None: ...
    def run(self, x: Any, cotangents: Sequence[Any], out: Any) -> bool: ...

def isa() -> str: ...
def available_isas() -> list[str]: ...
def set_num_threads(count: int, /) -> None: ...
def get_num_threads() -> int: ...

class LiftPlan:
    """Lifting along one axis."""

    def __init__(
        self,
        n: int,
        edge: int,
        steps: Sequence[Any],
        shift: tuple[int, int],
        scale: tuple[float, float],
    ) -> None: ...

def lift_vjp(
    signals: Sequence[Any],
    bands: Sequence[Any],
    axis: int,
    undoing: LiftPlan,
    transposed: LiftPlan,
    merges: bool,
) -> list[float] | None: ...
def lift_analyse(x: Any, bands: Sequence[Any], plans: Sequence[tuple[int, LiftPlan]]) -> bool: ...
def lift_synthesise(
    bands: Sequence[Any], out: Any, plans: Sequence[tuple[int, LiftPlan]]
) -> bool: ...

class Pooling:
    """Pooling over windows."""

    def __init__(
        self, axes: Sequence[Sequence[int]], weights: int, delta: float, average: bool
    ) -> None: ...
    def pool(self, x: Any, beta: Any, result: Any) -> bool: ...
    def pool_vjp(self, x: Any, beta: Any, cotangent: Any, of_x: Any, of_beta: Any) -> bool: ...
    def unpool(self, x: Any, beta: Any, pooled: Any, result: Any) -> bool: ...
    def unpool_vjp(
        self,
        x: Any,
        beta: Any,
        pooled: Any,
        cotangent: Any,
        of_x: Any,
        of_pooled: Any,
        of_beta: Any,
    ) -> bool: ...
    def max_pool(self, x: Any, result: Any, places: Any) -> bool: ...

def add_to_places(numbers: Any, places: Any, result: Any, planes: int) -> None: ...
def exponentials(x: Any, result: Any) -> None: ...

class LiftPool:
    """Lifting pooling of signals of given sizes; forms are 0 sum, 1 concat, 2 bands."""

    def __init__(
        self, sizes: Sequence[int], sources: Sequence[Sequence[int]], kernel: int, shared: bool
    ) -> None: ...
    def down(
        self,
        x: Any,
        filters: Any,
        results: Sequence[Any],
        bands: Sequence[int],
        form: int,
        sums: Any,
    ) -> None: ...
    def up(self, bands: Sequence[Any], filters: Any, x: Any) -> None: ...
    def down_vjp(
        self,
        values: Sequence[Any],
        from_results: bool,
        cotangents: Sequence[Any],
        weights: Any,
        filters: Any,
        bands: Sequence[int],
        form: int,
        x: Any,
        gradient: Any,
    ) -> None: ...
    def up_vjp(
        self,
        values: Sequence[Any],
        from_results: bool,
        cotangent: Any,
        filters: Any,
        bands: Sequence[Any],
        gradient: Any,
    ) -> None: ...
