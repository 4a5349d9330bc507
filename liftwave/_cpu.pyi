"""The compiled kernels (see backends/cpu/python/module.cpp)."""

from collections.abc import Sequence
from typing import Any

class BandMemory:
    """The blocks of the bands of an analysis.

    The shape of each, the function that allocates it (None: empty), and an index and a shape for
    each of its bands; none of these if the block is a band.
    """

    def __init__(self, blocks: Sequence[tuple[tuple[int, ...], Any, Sequence[Any]]]) -> None: ...

class Analysis:
    """Levels of an analysis, run in one go.

    All bands; None if ``x`` is not plain, or not of the shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Any]],
        memory: BandMemory | None,
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...
    def run(self, x: Any, /) -> list[Any] | None: ...

class Synthesis:
    """Levels of a synthesis, run in one go.

    The array; None if a band is not plain, or not of its shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[tuple[Sequence[Any], Sequence[bool]]],
        shape: tuple[int, ...] | None,
        allocate: Any,
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...
    def run(self, bands: Sequence[Any], /) -> Any: ...
    def write(self, bands: Sequence[Any], out: Any, /) -> Any: ...

class PacketAnalysis:
    """All levels of wavelet packets, run in one go.

    An array for each level that has results; None if the only array is not plain, or not of the
    shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Any]],
        nodes: Sequence[tuple[int, int, int]],
        memory: BandMemory,
        shapes: Sequence[tuple[int, ...]],
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...

class PacketSynthesis:
    """All levels of the inverse of wavelet packets, run in one go.

    The array in a list; None if a band is not plain, or not of its shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Any]],
        nodes: Sequence[tuple[int, int, int]],
        shape: tuple[int, ...],
        allocate: Any,
        shapes: Sequence[tuple[int, ...]],
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...

class CircularPacketAnalysis(PacketAnalysis):
    """The same for packets without downsampling."""

class CircularPacketSynthesis(PacketSynthesis):
    """The same for packets without downsampling."""

class CircularAnalysis:
    """Levels of an analysis without downsampling, run in one go.

    All bands; None if ``x`` is not plain, not contiguous from the first axis on, or not of the
    shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Any]],
        memory: BandMemory | None,
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...
    def run(self, x: Any, /) -> list[Any] | None: ...

class CircularSynthesis:
    """Levels of a synthesis without downsampling, run in one go.

    The array; None if a band is not plain, or not of its shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Any]],
        present: Sequence[Sequence[bool]],
        allocate: Any,
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...
    def run(self, bands: Sequence[Any], /) -> Any: ...
    def write(self, bands: Sequence[Any], out: Any, /) -> Any: ...

class WholeLiftAnalysis:
    """Levels of an analysis by undecimated lifting, run in one go.

    All bands; None if ``x`` is not plain, not contiguous from the first axis on, or not of the
    shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Any]],
        memory: BandMemory,
        shapes: Sequence[tuple[int, ...]] | None,
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...
    def run(self, x: Any, /) -> list[Any] | None: ...

class WholeLiftSynthesis:
    """Levels of a synthesis by undecimated lifting, run in one go.

    The array; None if a band is not plain, or not of its shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Any]],
        present: Sequence[Sequence[bool]],
        allocate: Any,
        shapes: Sequence[tuple[int, ...]] | None,
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...
    def run(self, bands: Sequence[Any], /) -> Any: ...
    def write(self, bands: Sequence[Any], out: Any, /) -> Any: ...

class WholeLiftIncrement:
    """What a step of undecimated lifting adds to its target; None if the source is not plain."""

    def __init__(self, axis: Any) -> None: ...
    def run(self, source: Any, /) -> Any: ...

class TapGradients:
    """The gradient of an analysis along one axis in its taps: rows of float64, or None."""

    def __init__(self, axis: Any) -> None: ...
    def run(self, x: Any, cotangents: Sequence[Any], /) -> Any: ...

class CircularTapGradients:
    """The gradient of one axis in its taps, without their factor: rows of float64, or None."""

    def __init__(self, level: Sequence[Any]) -> None: ...
    def run(self, x: Any, cotangents: Sequence[Any], /) -> Any: ...

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

class LiftAnalysis:
    """Levels of lifting, run in one go.

    All bands; None if ``x`` is not plain, or not of the shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Sequence[tuple[int, LiftPlan]]]],
        memory: BandMemory | None,
        allocate: Any,
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...
    def run(self, x: Any, /) -> list[Any] | None: ...
    def run_in(self, x: Any, dtype: Any, /) -> list[Any] | None: ...

class LiftSynthesis:
    """Levels of lifting undone, run in one go.

    The array; None if a band is not plain, or not of its shape in ``shapes``.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Sequence[tuple[int, LiftPlan]]]],
        shape: tuple[int, ...] | None,
        allocate: Any,
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> None: ...
    def results(self, arrays: Sequence[Any], /) -> list[Any] | None: ...
    def run(self, bands: Sequence[Any], /) -> Any: ...
    def write(self, bands: Sequence[Any], out: Any, /) -> Any: ...

class LiftPullback:
    """The derivative of lifting along one axis: inputs, cotangents and sums, or None."""

    def __init__(
        self, axis: int, undoing: LiftPlan, transposed: LiftPlan, allocate: Any
    ) -> None: ...
    def run(
        self, outputs: Sequence[Any], cotangents: Sequence[Any], /
    ) -> tuple[list[Any], list[Any], list[float]] | None: ...

class Pooling:
    """Pooling over windows; all methods give None if an array is not plain."""

    def __init__(
        self,
        axes: Sequence[Sequence[int]],
        weights: int,
        delta: float,
        average: bool,
        allocate: Any = None,
        channels_last: bool = False,
    ) -> None: ...
    def pool(self, x: Any, beta: Any) -> Any: ...
    def pool_vjp(self, x: Any, beta: Any, cotangent: Any) -> tuple[Any, Any] | None: ...
    def unpool(self, x: Any, beta: Any, pooled: Any) -> Any: ...
    def unpool_vjp(
        self, x: Any, beta: Any, pooled: Any, cotangent: Any
    ) -> tuple[Any, Any, Any] | None: ...
    def max_pool(self, x: Any) -> tuple[Any, Any] | None: ...

def add_to_places(numbers: Any, places: Any, result: Any, planes: int) -> None: ...
def exponentials(x: Any, result: Any) -> None: ...

class LiftPool:
    """Lifting pooling of signals of given sizes; forms are 0 sum, 1 concat, 2 bands.

    All methods give None if an array is not plain.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        sources: Sequence[Sequence[int]],
        kernel: int,
        shared: bool,
        channels_last: bool = False,
    ) -> None: ...
    def down(
        self, x: Any, filters: Any, bands: Sequence[int], form: int, with_sums: bool
    ) -> tuple[list[Any], Any] | None: ...
    def up(self, bands: Sequence[Any], filters: Any) -> Any: ...
    def down_vjp(
        self,
        values: Sequence[Any],
        from_results: bool,
        cotangents: Sequence[Any],
        weights: Any,
        filters: Any,
        bands: Sequence[int],
        form: int,
    ) -> tuple[Any, Any] | None: ...
    def up_vjp(
        self, values: Sequence[Any], from_results: bool, cotangent: Any, filters: Any
    ) -> tuple[list[Any], Any] | None: ...
