"""The base class of all operations: a computation as data, without the arrays.

An operation defines its execution, the shapes of its results and its derivative. The code that
executes operations (eager calls, :func:`liftwave.vjp`, the operator of torch) is generic.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

from liftwave._arrays.convert import PLAIN_DTYPES, NativeHalf, Opened, open_arrays
from liftwave._kernels.contract import Kernels, NativeRun, Targets
from liftwave._typing import Array
from liftwave.errors import OptionError

Shape: TypeAlias = tuple[int, ...]

Residuals: TypeAlias = Literal["nothing", "inputs", "outputs"]
"""The arrays of a run that are saved for its derivative."""


class Output(NamedTuple):
    """The shape and the dtype of an array before it is computed.

    Attributes
    ----------
    shape : tuple of int
        The shape, which can hold symbols of ``torch.compile``.
    like : int or None
        The index of the input that has the same dtype; ``None`` for int64.
    """

    shape: Shape
    like: int | None = 0


class Operation(ABC):
    """A computation on a flat list of arrays, as frozen data.

    Inputs are data first, then parameters (learned taps, filters of LiftPool, ``beta`` of
    AdaPool). ``sizes`` are integers that the shapes of the inputs do not determine, such as the
    length of a signal that is rebuilt from bands. They are a separate argument because
    ``torch.compile`` can pass symbols.

    Attributes
    ----------
    kind : str
        The name of the class in the serialized form.
    native_runs : mapping
        Compiled functions for NumPy arrays of the shapes of the last run, by kernels.
    records_itself : bool
        Whether it consists of operations of the arrays' own library. Torch then records
        and differentiates these.
    plain_dtypes : frozenset of dtype
        The dtypes of NumPy arrays that need no conversion.
    reads_channels_last : bool
        Whether kernels read data of shape (N, C, ...) with the channels last in memory in place,
        and return such results.
    n_slots : int
        The number of arrays of taps among the parameters.
    """

    kind: ClassVar[str]
    native_runs: Mapping[Kernels, NativeRun | None] = MappingProxyType({})
    records_itself: ClassVar[bool] = False
    plain_dtypes: ClassVar[frozenset[Any]] = PLAIN_DTYPES
    reads_channels_last: bool = False
    n_slots: int = 0

    @cached_property
    def is_linear(self) -> bool:
        """Whether it is linear in all inputs together.

        Its derivative then needs no residuals, and forward-mode derivatives run the operation
        itself.
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
        """The number of parameters, which are the last inputs."""
        return 0

    # --- serialization ---------------------------------------------------------------------------

    @abstractmethod
    def fields(self) -> list[Any]:
        """The operation as JSON data, for :meth:`from_fields`."""

    @classmethod
    @abstractmethod
    def from_fields(cls, fields: list[Any]) -> Operation:
        """The operation with these :meth:`fields`."""

    @cached_property
    def text(self) -> str:
        """The serialized form, for :func:`parse`."""
        import json  # most programs do not need it

        return json.dumps([self.kind, self.fields()], separators=(",", ":"))

    def __reduce__(self) -> tuple[Any, ...]:
        # Data that kernels prepared for the operation are not pickled.
        return parse, (self.text,)

    # --- execution -------------------------------------------------------------------------------

    def in_dtype(self, dtype: Any) -> Operation:
        """The operation with results in a dtype that the caller asks for.

        Raises
        ------
        DTypeError, OptionError
            If it is not a dtype of the results, or the operation is not an integer transform.
        """
        raise OptionError(
            f"dtype={dtype!r} is only for integer lifting schemes: convert the data, or use "
            "to_integer()"
        )

    def for_targets(self, out: Any) -> Operation:
        """The operation with results in the dtype of the arrays in ``out``, if it can choose."""
        return self

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The inputs in the dtype of computation.

        Raises
        ------
        DTypeError, ArgumentTypeError
            If the operation is not defined for the inputs' dtypes, or they are arrays of
            different libraries.
        """
        return open_arrays(arrays, native_half)

    @abstractmethod
    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The results listed by :meth:`outputs`, in any memory layout.

        Raises
        ------
        ShapeError, ModeError, WindowError
            If inputs of these shapes do not fit the operation. Nothing is computed in this case.
        """

    def run_into(
        self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels, out: Targets
    ) -> list[Array]:
        """As :meth:`run`. Results may be written to the arrays of ``out``, which are returned."""
        return self.run(arrays, sizes, kernels)

    def result_shapes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Shape]:
        """The shapes of the results.

        Raises
        ------
        ShapeError, ModeError, WindowError
            If inputs of these shapes do not fit the operation.
        """
        return [output.shape for output in self.outputs(shapes, sizes)]

    def channels_last(self, ndim: int) -> Operation | None:
        """The same operation on data with axis 1 moved to the end; ``None`` if there is none.

        Axis 1 is moved in data and results with :meth:`dimensions_with_channels`, and not in
        parameters and their gradients.
        """
        return None

    def dimensions_with_channels(self, ndim: int) -> tuple[int, ...]:
        """The numbers of dimensions of data and results that have channels, for data of ``ndim``.

        Axis 1 of these is moved for :meth:`channels_last`. They have the memory format of the data.
        """
        return (ndim,)

    @cached_property
    def parameter_outputs(self) -> int:
        """The number of results that are gradients of parameters. They are the last ones."""
        return 0

    @abstractmethod
    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """Shapes and dtypes of the results, for inputs of these shapes."""

    @cached_property
    def data_outputs(self) -> int | None:
        """The number of results in the dtype of the data; others keep their own. ``None``: all."""
        return None

    @cached_property
    def batched_inputs(self) -> int:
        """The number of leading inputs that can have one more leading axis than the others."""
        return 0

    def batch_axes(self, ndim: int) -> Sequence[int]:
        """The axes along which items are computed independently, for data of ``ndim`` dimensions.

        All data and results have them at the same places, and parameters do not depend on them.
        Distributed data can be split along them.
        """
        return ()

    @cached_property
    def holds_arrays(self) -> bool:
        """Whether the operation holds arrays, such as learned taps."""
        return False

    def with_slots(self) -> tuple[Operation, list[Array]]:
        """The operation with its arrays turned into parameters, and these arrays."""
        return self, []

    def recordable(self, tensors: Sequence[Array], rounds_numbers: bool) -> Operation:
        """The operation in a form that exporters can record in operations of torch.

        ``rounds_numbers`` tells whether the exporter rounds Python numbers to single precision.

        Raises
        ------
        ExportError
            If an exporter cannot record it.
        """
        return self

    # --- derivative ------------------------------------------------------------------------------

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """The kinds of arrays that the derivative needs.

        ``exact`` is false for half precision: inputs that are rebuilt from outputs can then
        differ from the original ones. ``parameters`` tells whether their gradient is needed.
        """
        return "inputs"

    def rebuilds_precisely(self, inputs: Sequence[Array], in_memory: bool) -> bool:
        """Whether inputs that are rebuilt from the outputs keep at least half of their digits.

        It is only called if :meth:`residuals` are outputs. If it is false, the inputs are saved
        instead. ``in_memory`` tells whether kernels read the parameters as numbers.
        """
        return True

    def saved(
        self, inputs: Sequence[Array], results: Sequence[Array], residuals: Residuals
    ) -> list[Array]:
        """The saved arrays for :meth:`vjp`: residuals, then parameters."""
        return list(inputs)

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """The ``sizes`` of the derivative, for inputs of these shapes."""
        return sizes

    def derivative(self, present: tuple[bool, ...], residuals: Residuals) -> Operation:
        """The operation from cotangents and saved arrays to the cotangents of the inputs.

        ``present`` tells which results have a cotangent. Other cotangents are zero and not passed.
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
        """Whether :meth:`derivative` needs all cotangents. Missing ones are then zeros."""
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
        """Shapes and dtypes of the results of :meth:`vjp`.

        ``cotangents`` are the shapes of the present cotangents. ``Output.like`` indexes these,
        followed by ``saved``.
        """
        raise TypeError(f"a linear operation has a transpose: {self.text}")


class Derivative(Operation):
    """The vector-Jacobian product of an operation, as an operation.

    Its inputs are the present cotangents and the saved arrays. The derivative of a linear operation
    is its transpose. Others are differentiated in the operations of the arrays' library.
    """

    kind = "derivative"

    def __init__(
        self, operation: Operation, present: tuple[bool, ...], residuals: Residuals
    ) -> None:
        self.operation, self.present, self.residuals_kept = operation, present, residuals
        self.count = sum(present)
        self.reads_channels_last = operation.reads_channels_last

    @cached_property
    def is_linear(self) -> bool:
        """Whether the operation is linear."""
        return self.operation.is_linear

    @cached_property
    def n_parameters(self) -> int:
        """Those of the operation."""
        return self.operation.n_parameters

    @cached_property
    def parameter_outputs(self) -> int:
        """The number of gradients of parameters, which need residuals."""
        return 0 if self.residuals_kept == "nothing" else self.n_parameters

    def channels_last(self, ndim: int) -> Operation | None:
        """The derivative of this form of the operation."""
        form = self.operation.channels_last(ndim)
        return None if form is None else Derivative(form, self.present, self.residuals_kept)

    def dimensions_with_channels(self, ndim: int) -> tuple[int, ...]:
        """Those of the operation."""
        return self.operation.dimensions_with_channels(ndim)

    def derivative(self, present: tuple[bool, ...], residuals: Residuals) -> Operation:
        """The operation itself, if it is linear."""
        return self.operation if self.is_linear else super().derivative(present, residuals)

    def fields(self) -> list[Any]:
        """The operation, the present cotangents, and the kind of saved arrays."""
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
    if kind not in _kinds():  # programs that were exported can be loaded before any call
        _import_all()
    operation: Operation = _kinds()[kind].from_fields(fields)
    return operation


def _import_all() -> None:
    """Import all modules of this folder, so that their operations can be found."""
    from pkgutil import iter_modules

    for module in iter_modules([str(Path(__file__).parent)]):
        import_module(f"{__package__}.{module.name}")


def _kinds() -> dict[str, type[Operation]]:
    """The classes of the imported modules, by kind."""
    classes: list[type[Operation]] = list(Operation.__subclasses__())
    for cls in classes:
        classes.extend(cls.__subclasses__())
    return {cls.kind: cls for cls in classes if "kind" in vars(cls)}
