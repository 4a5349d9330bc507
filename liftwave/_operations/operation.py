"""The base of all operations: what is computed, as data, apart from the arrays.

An operation says how it runs, which shapes it returns and how it is differentiated. Everything
that executes operations (eager calls, :func:`liftwave.vjp`, the operator of torch) is written
once, for any of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

from liftwave._arrays.convert import PLAIN_DTYPES, NativeHalf, Opened, open_arrays
from liftwave._kernels.contract import Kernels, NativeRun
from liftwave._typing import Array

Shape: TypeAlias = tuple[int, ...]

Residuals: TypeAlias = Literal["nothing", "inputs", "outputs"]
"""Which arrays of a run are kept for its derivative."""


class Output(NamedTuple):
    """What is known of an array before it is computed.

    Attributes
    ----------
    shape : tuple of int
        Its shape, which may hold symbols of ``torch.compile``.
    like : int or None
        The number of the input that has its dtype; ``None`` for int64.
    """

    shape: Shape
    like: int | None = 0


class Operation(ABC):
    """A computation on a flat list of arrays, as frozen data.

    Inputs are data first, then parameters (learned taps, filters of LiftPool, ``beta`` of
    AdaPool). ``sizes`` are integers that the shapes of the inputs do not determine, such as the
    length of a signal that is rebuilt from bands; they stand apart because ``torch.compile`` may
    pass symbols.

    Attributes
    ----------
    kind : str
        The name of the class in the serialized form.
    native_runs : mapping
        What runs the operation on NumPy arrays of the shapes of the last run, by kernels.
    records_itself : bool
        Whether it consists of operations of the arrays' own library. Torch then records
        and differentiates these.
    plain_dtypes : frozenset of dtype
        The dtypes of NumPy arrays that are computed as they are.
    """

    kind: ClassVar[str]
    native_runs: Mapping[Kernels, NativeRun | None] = MappingProxyType({})
    records_itself: ClassVar[bool] = False
    plain_dtypes: ClassVar[frozenset[Any]] = PLAIN_DTYPES

    @cached_property
    def is_linear(self) -> bool:
        """Whether it is linear in all inputs together.

        Its derivative is then an operation that needs no residuals, and forward-mode derivatives
        run the operation itself.
        """
        return False

    @cached_property
    def is_differentiable(self) -> bool:
        """Whether it has a derivative."""
        return True

    @cached_property
    def is_plain(self) -> bool:
        """Whether NumPy arrays of one of the ``plain_dtypes`` need no conversion and no checks."""
        return False

    @cached_property
    def n_parameters(self) -> int:
        """How many of the inputs, the last ones, are parameters."""
        return 0

    # --- serialization ---------------------------------------------------------------------------

    @abstractmethod
    def fields(self) -> list[Any]:
        """The operation as JSON data, from which :meth:`from_fields` makes it."""

    @classmethod
    @abstractmethod
    def from_fields(cls, fields: list[Any]) -> Operation:
        """The operation with these :meth:`fields`."""

    @cached_property
    def text(self) -> str:
        """The serialized form, which :func:`parse` reads."""
        import json  # most programs do not need it

        return json.dumps([self.kind, self.fields()], separators=(",", ":"))

    def __reduce__(self) -> tuple[Any, ...]:
        # What kernels prepared for the operation is not pickled.
        return parse, (self.text,)

    # --- execution -------------------------------------------------------------------------------

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The inputs in the dtype in which they are computed.

        Raises
        ------
        DTypeError, ArgumentTypeError
            If the operation is not defined for the inputs' dtypes, or they are arrays of
            different libraries.
        """
        return open_arrays(arrays, native_half)

    @abstractmethod
    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The results, as many as :meth:`outputs` says, in memory of any layout.

        Raises
        ------
        ShapeError, ModeError, WindowError
            If inputs of these shapes do not fit the operation; nothing is computed then.
        """

    @abstractmethod
    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """Shapes and dtypes of the results, for inputs of these shapes."""

    @cached_property
    def data_outputs(self) -> int | None:
        """How many results have the dtype of the data; the others keep theirs. ``None``: all."""
        return None

    @cached_property
    def batched_inputs(self) -> int:
        """How many leading inputs may have one more leading axis, if the others do not have it."""
        return 0

    @cached_property
    def holds_arrays(self) -> bool:
        """Whether the operation holds arrays, such as learned taps."""
        return False

    def with_slots(self) -> tuple[Operation, list[Array]]:
        """The operation with arrays that it holds as parameters, and these arrays."""
        return self, []

    def recordable(self, tensors: Sequence[Array], rounds_numbers: bool) -> Operation:
        """The operation in a form that exporters can record in operations of torch.

        ``rounds_numbers`` says whether the exporter rounds Python's numbers to single precision.

        Raises
        ------
        ExportError
            If a length that it is planned for is a symbol.
        """
        return self

    # --- derivative ------------------------------------------------------------------------------

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """Which arrays the derivative needs.

        ``exact`` is false for half precision, where inputs that are rebuilt from outputs may
        differ from the original ones; ``parameters`` says whether their gradient is needed.
        """
        return "inputs"

    def saved(
        self, inputs: Sequence[Array], results: Sequence[Array], residuals: Residuals
    ) -> list[Array]:
        """The arrays that :meth:`vjp` gets: residuals, then parameters."""
        return list(inputs)

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """The ``sizes`` of the derivative, for inputs of these shapes."""
        return sizes

    def derivative(self, present: tuple[bool, ...], residuals: Residuals) -> Operation:
        """The operation from cotangents and saved arrays to the cotangents of the inputs.

        ``present`` says which results have a cotangent; the others' are zero and no inputs.
        """
        key = (present, residuals)
        derivative = self._derivatives.get(key)
        if derivative is None:
            derivative = self._derivatives[key] = Derivative(self, present, residuals)
        return derivative

    @cached_property
    def _derivatives(self) -> dict[tuple[tuple[bool, ...], Residuals], Derivative]:
        return {}

    @cached_property
    def needs_all_cotangents(self) -> bool:
        """Whether :meth:`derivative` takes no missing cotangents: they are passed as zeros."""
        return False

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """Cotangents of the inputs, from those of the results (``None``: zero)."""
        raise TypeError(f"a linear operation has a transpose: {self.text}")

    def vjp_outputs(
        self,
        cotangents: Sequence[Shape],
        saved: Sequence[Shape],
        residuals: Residuals,
        sizes: Sequence[int],
    ) -> list[Output]:
        """Shapes and dtypes of what :meth:`vjp` returns.

        ``cotangents`` are the shapes of those that are present. ``Output.like`` counts through
        these and then through ``saved``.
        """
        raise TypeError(f"a linear operation has a transpose: {self.text}")


class Derivative(Operation):
    """The vector-Jacobian product of an operation, as an operation of its own.

    Its inputs are the cotangents that are present and the saved arrays. That of a linear operation
    is its transpose. Others are differentiated in the operations of the arrays' library.
    """

    kind = "derivative"

    def __init__(
        self, operation: Operation, present: tuple[bool, ...], residuals: Residuals
    ) -> None:
        self.operation, self.present, self.residuals_kept = operation, present, residuals
        self.count = sum(present)

    @cached_property
    def is_linear(self) -> bool:
        """Whether the operation is linear."""
        return self.operation.is_linear

    def derivative(self, present: tuple[bool, ...], residuals: Residuals) -> Operation:
        """The operation itself, if it is linear."""
        return self.operation if self.is_linear else super().derivative(present, residuals)

    def fields(self) -> list[Any]:
        """The operation, which cotangents are present, and what was saved."""
        data = [self.operation.kind, self.operation.fields()]
        return [data, list(map(int, self.present)), self.residuals_kept]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Derivative:
        """The derivative with these fields."""
        data, present, residuals = fields
        return cls(_operation_of(*data), tuple(map(bool, present)), residuals)

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """Cotangents of the inputs of the operation."""
        remaining = iter(arrays)
        cotangents = [next(remaining) if present else None for present in self.present]
        return self.operation.vjp(cotangents, [*remaining], self.residuals_kept, sizes, kernels)

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """Shapes and dtypes of the cotangents."""
        return self.operation.vjp_outputs(
            shapes[: self.count], shapes[self.count :], self.residuals_kept, sizes
        )


# --- serialized operations -----------------------------------------------------------------------


@lru_cache(maxsize=1024)
def parse(text: str) -> Operation:
    """The operation with this serialized form."""
    import json

    kind, fields = json.loads(text)
    return _operation_of(kind, fields)


def _operation_of(kind: str, fields: list[Any]) -> Operation:
    operation: Operation = _kinds()[kind].from_fields(fields)
    return operation


def _kinds() -> dict[str, type[Operation]]:
    classes: list[type[Operation]] = list(Operation.__subclasses__())
    for cls in classes:
        classes.extend(cls.__subclasses__())
    return {cls.kind: cls for cls in classes if "kind" in vars(cls)}
