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
