"""The base class of operations with a wavelet, whose taps can be inputs after the data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property

from array_api_compat import array_namespace

from liftwave._arrays.convert import Opened, is_half
from liftwave._kernels.contract import Kernels
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.tap_gradients import StepGradient
from liftwave._typing import Array
from liftwave.wavelets.resolve import Resolved


class WaveletOperation(Operation):
    """An operation that is linear in the data, and depends on the taps of wavelets.

    Taps are numbers, or arrays of the data's library. Slots (``wavelet_data.py``) replace arrays
    if they are inputs of the operation.

    Attributes
    ----------
    is_synthesis : bool
        Whether the operation is an inverse transform.
    n_slots : int
        The number of arrays of taps that are parameters of the operation.
    """

    is_synthesis: bool
    n_slots: int

    @cached_property
    def is_linear(self) -> bool:
        """Whether no taps are inputs."""
        return not self.n_slots

    @cached_property
    def n_parameters(self) -> int:
        """The number of arrays of taps after the data."""
        return self.n_slots

    @cached_property
    def uses_synthesis_filters(self) -> bool:
        """Whether the taps are those of the synthesis filters."""
        return self.is_synthesis

    @cached_property
    def is_identity(self) -> bool:
        """Whether the results are the inputs."""
        return False

    @property
    @abstractmethod
    def wavelets(self) -> tuple[Resolved, ...]:
        """The wavelet of each axis."""

    @property
    @abstractmethod
    def result_names(self) -> Sequence[str]:
        """The name of each result in messages."""

    @property
    @abstractmethod
    def tap_slots(self) -> Sequence[Sequence[int | None]]:
        """The slots of the taps of each axis, in the order of the gradients; ``None``: numbers."""

    @abstractmethod
    def open_floating(self, arrays: Sequence[Array]) -> list[Opened]:
        """The inputs in one floating dtype, even if nothing is computed."""

    @abstractmethod
    def with_numbers(self) -> WaveletOperation:
        """The operation with numbers in place of arrays of taps. This reads the arrays."""

    def split_inputs(self, arrays: Sequence[Array]) -> tuple[Sequence[Array], Sequence[Array]]:
        """The data and the taps among arrays that end with the taps."""
        count = len(arrays) - self.n_slots
        return arrays[:count], arrays[count:]

    # --- derivative ------------------------------------------------------------------------------

    @abstractmethod
    def shapes_from(self, like: Shape, sizes: Sequence[int]) -> list[Shape]:
        """The shapes of the data, with these lengths; other lengths are those of ``like``."""

    @abstractmethod
    def pull_back(
        self,
        cotangents: Sequence[Array | None],
        values: Sequence[Array],
        residuals: Residuals,
        shapes: Sequence[Shape],
        taps: Sequence[Array],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        """Cotangents of data of these shapes, and gradients of the taps of each axis.

        ``values`` are the residuals. Without residuals, only the cotangents of the data are
        computed. The gradients are those of all taps of the wavelets, numbers and arrays.
        """

    def saved(
        self, inputs: Sequence[Array], results: Sequence[Array], residuals: Residuals
    ) -> list[Array]:
        """The residuals, then the taps."""
        data, taps = self.split_inputs(inputs)
        return [*{"nothing": (), "inputs": data, "outputs": results}[residuals], *taps]

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """Cotangents of the data, and with residuals also of the taps."""
        values, taps = self.split_inputs(saved)
        like = next(g for g in cotangents if g is not None)
        xp, dtype = array_namespace(like), like.dtype
        if values and is_half(like):  # gradients of taps are long sums
            cotangents = [None if g is None else xp.astype(g, xp.float32) for g in cotangents]
            values = [xp.astype(x, xp.float32) for x in values]
        shapes = self.shapes_from(like.shape, sizes)
        data, axes = self.pull_back(cotangents, values, residuals, shapes, taps, kernels)
        data = [xp.astype(g, dtype, copy=False) for g in data]
        return [*data, *self._tap_gradients(axes, taps)] if values else data

    def _tap_gradients(self, axes: Sequence[StepGradient], taps: Sequence[Array]) -> list[Array]:
        """The cotangent of each array of taps: the sum over all its uses."""
        sums: dict[int, Array] = {}
        for slots, gradient in zip(self.tap_slots, axes, strict=True):
            for slot, value in zip(slots, gradient.arrays, strict=True):
                if slot is not None:
                    sums[slot] = sums[slot] + value if slot in sums else value
        xp = array_namespace(*taps)
        return [
            xp.astype(sums[k], tap.dtype, copy=False) if k in sums else xp.zeros_like(tap)
            for k, tap in enumerate(taps)
        ]

    def vjp_outputs(
        self,
        cotangents: Sequence[Shape],
        saved: Sequence[Shape],
        residuals: Residuals,
        sizes: Sequence[int],
    ) -> list[Output]:
        """Shapes and dtypes of the cotangents of data and taps."""
        data = [Output(shape) for shape in self.shapes_from(cotangents[0], sizes)]
        if residuals == "nothing":
            return data
        first, count = len(saved) - self.n_slots, len(cotangents)
        return data + [Output(tuple(saved[k]), count + k) for k in range(first, len(saved))]
