"""Lifting pooling as operations: analysis into bands, and synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from liftwave._arrays.convert import (
    REAL_DTYPES,
    NativeHalf,
    Opened,
    open_arrays,
)
from liftwave._arrays.tensors import is_on_device, numbers_in_memory
from liftwave._kernels.contract import Kernels
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.rebuilding import keeps_half_of_the_digits
from liftwave._plan.axis import bounded
from liftwave._plan.lift_pool import N_SCALARS, LiftOutput, LiftPoolPlan
from liftwave._typing import Array
from liftwave.errors import DTypeError

Reversible: TypeAlias = bool | Literal["auto"]
"""Whether derivatives rebuild inputs from outputs; ``"auto"``: if the result is precise."""


class Layout(NamedTuple):
    """The shapes of one run.

    Attributes
    ----------
    plan : LiftPoolPlan
        Passes and lengths.
    lead : tuple of int
        The axes before the channels.
    planes : int
        The product of these axes.
    counts : tuple of int
        The number of samples in the bands of each pass.
    is_flat : bool
        Whether exactly one axis precedes the channels.
    """

    plan: LiftPoolPlan
    lead: Shape
    planes: int
    counts: tuple[int, ...]
    is_flat: bool


class _LiftPool(Operation):
    """The base class of both directions.

    Data has the shape (..., C, spatial axes). The last input is the parameter: the filters, of
    shape (passes, 2, C, K + 3) or (1, 2, C, K + 3).
    """

    plain_dtypes: ClassVar[frozenset[Any]] = REAL_DTYPES
    reads_channels_last = True

    dimensions: int
    padding: str
    reversible: Reversible

    @cached_property
    def is_plain(self) -> bool:
        """True: no conversion and no check is needed."""
        return True

    @cached_property
    def n_parameters(self) -> int:
        """The filters."""
        return 1

    def batch_axes(self, ndim: int) -> range:
        """The axes before the channels, unless sums over the whole signal are computed."""
        return range(ndim - self.dimensions - 1) if self.batched_inputs else range(0)

    def rebuilds_precisely(self, inputs: Sequence[Array], in_memory: bool) -> bool:
        """The value of ``reversible``; for "auto", whether the gains of the filters are small."""
        if self.reversible != "auto":
            return self.reversible
        if is_on_device(inputs[-1]):  # reading the filters would wait for the device
            return True
        filters = numbers_in_memory(inputs[-1])
        if filters is None:
            return False
        epsilon = array_namespace(inputs[0]).finfo(inputs[0].dtype).eps
        return keeps_half_of_the_digits(_growth(filters, self.dimensions), float(epsilon))

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """Data in a real floating dtype; filters in the same dtype, but never in half precision."""
        *data, filters = arrays
        opened = open_arrays(data, native_half)
        x, xp, *_ = opened[0]
        if xp.isdtype(x.dtype, "complex floating"):
            raise DTypeError(
                f"lifting pooling needs real numbers, got {x.dtype}: pool the real and the "
                "imaginary part as channels"
            )
        dtype = xp.float32 if xp.finfo(x.dtype).bits < 32 else x.dtype
        return [*opened, Opened(xp.astype(filters, dtype, copy=False), xp, dtype)]

    @cached_property
    def _layouts(self) -> dict[tuple[Shape, Shape, Shape], Layout]:
        return {}

    def layout(self, shape: Shape, filters: Shape, sizes: Shape) -> Layout:
        """The layout for data of this shape, without its spatial lengths, and the ``sizes``."""
        key = (shape, filters, sizes)
        try:
            return self._layouts[key]
        except (KeyError, TypeError):  # traced lengths are symbols or tensors
            layout = self._layout_of(*key)
        if all(type(n) is int for lengths in key for n in lengths):
            bounded(self._layouts)[key] = layout
        return layout

    def _layout_of(self, shape: Shape, filters: Shape, sizes: Shape) -> Layout:
        plan = LiftPoolPlan(tuple(sizes), filters[-1] - N_SCALARS, self.padding, filters[0] == 1)
        lead = tuple(shape[: len(shape) - self.dimensions - 1])
        planes = prod(lead)
        return Layout(plan, lead, planes, plan.counts(planes * filters[2]), len(lead) == 1)


def _growth(filters: NDArray[Any], dimensions: int) -> float:
    """A bound on the growth of rounding errors when passes with these filters are undone."""
    weights, gain = filters[..., :-N_SCALARS], filters[..., 1 - N_SCALARS]
    of_steps = 1.0 + np.abs(gain) * np.abs(weights).sum(-1)
    of_passes = of_steps.prod(1).max(-1)
    if len(of_passes) == 1:
        return float(of_passes[0] ** dimensions)
    return float(
        np.prod(
            [of_passes[2**level - 1 : 2 ** (level + 1) - 1].max() for level in range(dimensions)]
        )
    )


def _as_planes(x: Array, layout: Layout) -> Array:
    """``x`` with all axes before the channels merged."""
    if len(layout.lead) == 1:
        return x
    return array_namespace(x).reshape(x, (layout.planes, *x.shape[len(layout.lead) :]))


def _from_planes(x: Array, layout: Layout) -> Array:
    """``x`` with the leading axes of the data again."""
    if len(layout.lead) == 1:
        return x
    return array_namespace(x).reshape(x, (*layout.lead, *x.shape[1:]))


@dataclass(frozen=True)
class LiftDown(_LiftPool):
    """The bands of a signal by learned lifting.

    Its results are the bands, combined according to ``output``, and with ``with_penalties`` the
    sums of squares of each pass, of shape (passes, 2).

    Attributes
    ----------
    dimensions : int
        The number of spatial axes.
    padding : str
        A key of :data:`~liftwave._plan.lift_pool.PADDINGS`.
    output : LiftOutput
        The bands of the result.
    with_penalties : bool
        Whether the sums are computed.
    reversible : "auto" or bool
        Whether the derivative rebuilds the signal from all bands; ``"auto"``: if it keeps at least
        half of its digits.
    """

    kind = "lift_down"

    dimensions: int
    padding: str
    output: LiftOutput
    with_penalties: bool = False
    reversible: Reversible = "auto"

    def fields(self) -> list[Any]:
        """The attributes, in their order."""
        bands, combination = self.output
        return [
            *(self.dimensions, self.padding, list(bands), combination),
            *(self.with_penalties, self.reversible),
        ]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> LiftDown:
        """The operation with these fields."""
        dimensions, padding, bands, combination, *options = fields
        return cls(dimensions, padding, LiftOutput(tuple(bands), combination), *options)

    @cached_property
    def data_outputs(self) -> int:
        """The number of bands. Sums have the precision of the filters."""
        return len(self.output.bands) if self.output.combination == "bands" else 1

    @cached_property
    def batched_inputs(self) -> int:
        """The signal, unless sums over the whole signal are computed."""
        return 0 if self.with_penalties else 1

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The bands, and the sums of squares if requested."""
        x, filters = arrays
        layout = self.layout(x.shape, filters.shape, x.shape[x.ndim - self.dimensions :])
        bands, sums = kernels.lift_pool.lift_down(
            x if layout.is_flat else _as_planes(x, layout),
            filters,
            layout.plan,
            self.output,
            self.with_penalties,
        )
        results = bands if layout.is_flat else [_from_planes(band, layout) for band in bands]
        return results if sums is None else [*results, sums]

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shapes of the bands, and of the sums."""
        (shape, filters), dims = shapes, self.dimensions
        plan, lead, *_ = self.layout(shape, filters, tuple(shape[len(shape) - dims :]))
        blocks = len(self.output.bands) if self.output.combination == "concat" else 1
        shape = (*lead, blocks * filters[2], *plan.halves)
        results = [Output(shape)] * self.data_outputs
        return [*results, Output((len(plan.passes), 2), 1)] if self.with_penalties else results

    # --- derivative ------------------------------------------------------------------------------

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """The bands, if the signal can be rebuilt from them precisely, or else the signal.

        In half precision, a rebuilt sample can be on the other side of the kink of a ReLU.
        """
        return "outputs" if exact and self._holds_all else "inputs"

    @cached_property
    def _holds_all(self) -> bool:
        return self.output.holds_all(self.dimensions)

    def saved(
        self, inputs: Sequence[Array], results: Sequence[Array], residuals: Residuals
    ) -> list[Array]:
        """The bands or the signal, and the filters."""
        x, filters = inputs
        return [*(results[: self.data_outputs] if residuals == "outputs" else [x]), filters]

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """The spatial lengths of the signal."""
        shape = shapes[0]
        return tuple(shape[len(shape) - self.dimensions :])

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """The cotangents of the signal and of the filters."""
        *arrays, filters = saved
        layout = self.layout(arrays[0].shape, filters.shape, tuple(sizes))
        values, of_bands = arrays, [*cotangents[: self.data_outputs]]
        if not layout.is_flat:
            values = [_as_planes(x, layout) for x in arrays]
            of_bands = [None if g is None else _as_planes(g, layout) for g in of_bands]
        of_signal, of_filters = kernels.lift_pool.lift_down_vjp(
            values,
            of_bands,
            cotangents[-1] if self.with_penalties else None,
            filters,
            layout.plan,
            self.output,
            residuals == "outputs",
        )
        return [of_signal if layout.is_flat else _from_planes(of_signal, layout), of_filters]

    def vjp_outputs(
        self,
        cotangents: Sequence[Shape],
        saved: Sequence[Shape],
        residuals: Residuals,
        sizes: Sequence[int],
    ) -> list[Output]:
        """The shapes of the signal and of the filters."""
        filters, first = saved[-1], len(cotangents)
        lead = saved[0][: len(saved[0]) - self.dimensions - 1]
        signal = Output((*lead, filters[2], *sizes), first)
        return [signal, Output(tuple(filters), first + len(saved) - 1)]


@dataclass(frozen=True)
class LiftUp(_LiftPool):
    """The signal that has these bands. Its spatial lengths are the ``sizes``.

    Attributes
    ----------
    dimensions : int
        The number of spatial axes.
    padding : str
        A key of :data:`~liftwave._plan.lift_pool.PADDINGS`.
    reversible : "auto" or bool
        As for :class:`LiftDown`, with bands and signal exchanged.
    """

    kind = "lift_up"

    dimensions: int
    padding: str
    reversible: Reversible = "auto"

    def fields(self) -> list[Any]:
        """The attributes, in their order."""
        return [self.dimensions, self.padding, self.reversible]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> LiftUp:
        """The operation with these fields."""
        return cls(*fields)

    @cached_property
    def batched_inputs(self) -> int:
        """All bands."""
        return int(2**self.dimensions)

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The signal."""
        *bands, filters = arrays
        layout = self.layout(bands[0].shape, filters.shape, tuple(sizes))
        planes = [_as_planes(band, layout) for band in bands]
        signal = kernels.lift_pool.lift_up(planes, filters, layout.plan)
        return [_from_planes(signal, layout)]

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of the signal."""
        return [Output((*shapes[0][: len(shapes[0]) - self.dimensions], *sizes))]

    # --- derivative ------------------------------------------------------------------------------

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """The signal, if no sample was dropped from it, or else the bands."""
        return "outputs" if exact and all(n % 2 == 0 for n in sizes) else "inputs"

    def saved(
        self, inputs: Sequence[Array], results: Sequence[Array], residuals: Residuals
    ) -> list[Array]:
        """The signal or the bands, and the filters."""
        *bands, filters = inputs
        return [*(results if residuals == "outputs" else bands), filters]

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """The cotangents of the bands and of the filters."""
        *arrays, filters = saved
        layout = self.layout(arrays[0].shape, filters.shape, tuple(sizes))
        of_bands, of_filters = kernels.lift_pool.lift_up_vjp(
            [_as_planes(x, layout) for x in arrays],
            _as_planes(cotangents[0], layout),
            filters,
            layout.plan,
            residuals == "outputs",
        )
        return [*(_from_planes(g, layout) for g in of_bands), of_filters]

    def vjp_outputs(
        self,
        cotangents: Sequence[Shape],
        saved: Sequence[Shape],
        residuals: Residuals,
        sizes: Sequence[int],
    ) -> list[Output]:
        """The shapes of the bands and of the filters."""
        filters, first = saved[-1], len(cotangents)
        lead = saved[0][: len(saved[0]) - self.dimensions - 1]
        band = Output((*lead, filters[2], *((n + 1) // 2 for n in sizes)), first)
        return [band] * 2**self.dimensions + [Output(tuple(filters), first + len(saved) - 1)]
