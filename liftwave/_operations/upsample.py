"""Upsampling of one band of coefficients to a signal, edges included, as an operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import NativeHalf, Opened, open_arrays, zeros
from liftwave._arrays.taps import check_library_of_taps
from liftwave._kernels.axis_by_axis import padded
from liftwave._kernels.contract import Kernels
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.tap_gradients import StepGradient
from liftwave._operations.transform_vjp import synthesis_adjoint, synthesis_vjp
from liftwave._operations.wavelet_data import (
    WaveletData,
    as_numbers,
    from_json,
    tap_slots,
    to_json,
    with_tap_arrays,
)
from liftwave._operations.wavelet_operation import WaveletOperation
from liftwave._plan.axis import upsampling_plan
from liftwave._plan.levels import SynthesisPlan
from liftwave._plan.planning import plan_upsampling
from liftwave._typing import Array
from liftwave.wavelets.filter_bank import FilterBank


@dataclass(frozen=True, eq=False)
class Upsample(WaveletOperation):
    """The contribution of one band of ``level`` levels to a signal along the last axis.

    Attributes
    ----------
    part : {"a", "d"}
        Whether the band is an approximation or a detail.
    bank : FilterBank or JSON data
        The synthesis filters. JSON data can have slots for taps (``wavelet_data.py``).
    level : int
        The number of levels.
    take : int
        Length of the central part that is returned; 0 for all.
    n_slots : int
        The number of arrays of taps that are parameters of the operation.
    """

    part: str
    bank: FilterBank | WaveletData
    level: int
    take: int
    n_slots: int = 0

    kind = "upcoef"
    is_synthesis = True
    result_names = ("the result",)

    def fields(self) -> list[Any]:
        """The fields, with the filter bank as JSON data."""
        return [self.part, self._data, self.level, self.take, self.n_slots]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Upsample:
        """The operation with these fields."""
        return cls(*fields)

    # --- properties ------------------------------------------------------------------------------

    @property
    def batched_inputs(self) -> int:
        """The band."""
        return 1

    @cached_property
    def holds_arrays(self) -> bool:
        """Whether the taps are arrays."""
        return isinstance(self.bank, FilterBank) and not self.bank.is_concrete

    @cached_property
    def wavelets(self) -> tuple[FilterBank]:
        """The filter bank, with ones in the slots."""
        return (self._bank(()),)

    @cached_property
    def _data(self) -> WaveletData:
        return to_json(self.bank, []) if isinstance(self.bank, FilterBank) else self.bank

    def _bank(self, taps: Sequence[Any]) -> FilterBank:
        """The filter bank with these taps in its slots."""
        if isinstance(self.bank, FilterBank):
            return self.bank
        bank = from_json(self.bank, taps or None)
        assert isinstance(bank, FilterBank)
        return bank

    def _bank_for(self, taps: Sequence[Array], kernels: Kernels) -> FilterBank:
        return self._bank(list(map(as_numbers, taps)) if kernels.wants_numpy else taps)

    # --- execution -------------------------------------------------------------------------------

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The band in a floating dtype."""
        check_library_of_taps(self.wavelets, arrays)
        return open_arrays(arrays, native_half)

    def open_floating(self, arrays: Sequence[Array]) -> list[Opened]:
        """The band in a floating dtype."""
        return open_arrays(arrays)

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The signal."""
        band, *taps = arrays
        bank = self._bank_for(taps, kernels)
        for depth in range(self.level):
            is_detail = self.part == "d" and depth == 0
            filters = [bank.rec_hi if is_detail else bank.rec_lo]
            plan = upsampling_plan(band.shape[-1], bank.rec_len)
            band = kernels.synthesis([band], filters, plan, band.ndim - 1)
        start, stop = self._taken(band.shape[-1])
        return [band[..., start:stop]]

    def _taken(self, n: int) -> tuple[int, int]:
        """The index of the first returned sample of ``n``, and the index after the last one."""
        if not 0 < self.take < n:
            return 0, n
        start = (n - self.take) // 2
        return start, start + self.take

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of the signal."""
        *lead, n = shapes[0]
        (bank,) = self.wavelets
        for _ in range(self.level):
            n = 2 * n - 2 + bank.rec_len
        start, stop = self._taken(n)
        return [Output((*lead, stop - start))]

    # --- derivative ------------------------------------------------------------------------------

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """The band, for gradients of the taps."""
        return "inputs" if parameters else "nothing"

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """The length of the band."""
        return [shapes[0][-1]]

    def shapes_from(self, like: Shape, sizes: Sequence[int]) -> list[Shape]:
        """The shape of the band."""
        return [(*like[:-1], *sizes)]

    @cached_property
    def tap_slots(self) -> list[list[int | None]]:
        """The slots of the synthesis filters."""
        return [tap_slots(self._data, self.is_synthesis)]

    def pull_back(
        self,
        cotangents: Sequence[Array | None],
        values: Sequence[Array],
        residuals: Residuals,
        shapes: Sequence[Shape],
        taps: Sequence[Array],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        """The cotangent of the band, and the gradient of the filters if values are present."""
        (cotangent,) = cotangents
        assert cotangent is not None  # the only one
        bank = self._bank_for(taps, kernels)
        plan = plan_upsampling(self.part, shapes[0], (bank.rec_lo, bank.rec_hi), self.level)
        signal_cotangent = self._untaken(cotangent, plan)
        axes: Sequence[StepGradient] = ()
        if values:
            details: list[dict[str, Array]] = [{} for _ in range(self.level)]
            if self.part == "d":
                details[0]["d"] = values[0]
            inputs = (values[0] if self.part == "a" else None, details)
            approx, details, axes = synthesis_vjp(inputs, None, signal_cotangent, plan, kernels)
        else:
            approx, details = synthesis_adjoint(signal_cotangent, plan, kernels)
        band = approx if self.part == "a" else details[0]["d"]
        return [band], axes

    def _untaken(self, cotangent: Array, plan: SynthesisPlan) -> Array:
        """The cotangent of all samples."""
        xp, shape = array_namespace(cotangent), plan.shape
        before = zeros((*shape[:-1], self._taken(shape[-1])[0]), cotangent, xp)
        return padded(xp.concat([before, cotangent], axis=-1), shape)

    # --- other forms -----------------------------------------------------------------------------

    def with_slots(self) -> tuple[Upsample, list[Array]]:
        """The operation with slots in place of arrays of taps, and these arrays."""
        if not isinstance(self.bank, FilterBank) or self.bank.is_concrete:
            return self, []
        taps: list[Array] = []
        data = to_json(self.bank, taps)
        return replace(self, bank=data, n_slots=len(taps)), taps

    def with_numbers(self) -> Upsample:
        """The operation with numbers in place of arrays of taps. This reads the arrays."""
        slotted, taps = self.with_slots()
        return replace(self, bank=slotted._bank(list(map(as_numbers, taps))))

    def recordable(self, tensors: Sequence[Array], rounds_numbers: bool) -> Operation:
        """The operation with taps in arrays if the exporter rounds numbers."""
        if not rounds_numbers or self.n_slots:
            return self
        bank = with_tap_arrays(self._bank(()), tensors[0].new_tensor)
        assert isinstance(bank, FilterBank)
        return replace(self, bank=bank)
