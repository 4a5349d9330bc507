"""One band of coefficients upsampled to a signal, edges included, as an operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import Opened, open_arrays, zeros
from liftwave._kernels.contract import Kernels
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.transform_vjp import (
    StepGradient,
    padded,
    synthesis_adjoint,
    synthesis_vjp,
)
from liftwave._operations.wavelet_data import from_json, to_json
from liftwave._plan.axis import upsampling_plan
from liftwave._plan.levels import SynthesisPlan, plan_upsampling
from liftwave._typing import Array
from liftwave.wavelets.filter_bank import FilterBank


@dataclass(frozen=True, eq=False)
class Upsample(Operation):
    """What one band of ``level`` levels contributes to a 1-D signal.

    Attributes
    ----------
    part : {"a", "d"}
        Whether the band is an approximation or a detail.
    bank : FilterBank
        The synthesis filters.
    level : int
        The number of levels.
    take : int
        Length of the central part that is returned; 0 for all.
    """

    part: str
    bank: FilterBank
    level: int
    take: int

    kind = "upsample"
    records_itself = True
    is_synthesis = True
    result_names = ("the result",)

    def fields(self) -> list[Any]:
        """The fields, with the filter bank as JSON data."""
        return [self.part, to_json(self.bank, []), self.level, self.take]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Upsample:
        """The operation with these fields."""
        part, bank, level, take = fields
        made = from_json(bank, None)
        assert isinstance(made, FilterBank)
        return cls(part, made, level, take)

    @property
    def wavelets(self) -> tuple[FilterBank]:
        """The filter bank."""
        return (self.bank,)

    def open_floating(self, arrays: Sequence[Array]) -> list[Opened]:
        """The band in a floating dtype."""
        return open_arrays(arrays)

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The signal."""
        (band,) = arrays
        for depth in range(self.level):
            is_detail = self.part == "d" and depth == 0
            taps = self.bank.rec_hi if is_detail else self.bank.rec_lo
            plan = upsampling_plan(band.shape[0], self.bank.rec_len)
            band = kernels.synthesis([band], [taps], plan, 0)
        start, stop = self._taken(band.shape[0])
        return [band[start:stop]]

    def _taken(self, n: int) -> tuple[int, int]:
        """The first sample of ``n`` that is returned, and the one after the last."""
        if not 0 < self.take < n:
            return 0, n
        start = (n - self.take) // 2
        return start, start + self.take

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of the signal."""
        start, stop = self._taken(self._plan(shapes[0][0]).shape[0])
        return [Output((stop - start,))]

    def _plan(self, n: int) -> SynthesisPlan:
        return plan_upsampling(self.part, n, (self.bank.rec_lo, self.bank.rec_hi), self.level)

    def wavelet_vjp(
        self,
        cotangents: Sequence[Array | None],
        values: Sequence[Array],
        residuals: Residuals,
        shapes: Sequence[Shape],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        """The cotangent of the band, and the gradient in the filters if there are values."""
        cotangent = cotangents[0]
        assert cotangent is not None  # the only one
        plan = self._plan(shapes[0][0])
        whole = self._untaken(cotangent, plan.shape[0])
        axes: Sequence[StepGradient] = ()
        if values:
            details: list[dict[str, Array]] = [{} for _ in range(self.level)]
            if self.part == "d":
                details[0]["d"] = values[0]
            inputs = (values[0] if self.part == "a" else None, details)
            approx, details, axes = synthesis_vjp(inputs, None, whole, plan, kernels)
        else:
            approx, details = synthesis_adjoint(whole, plan, kernels)
        return [approx if self.part == "a" else details[0]["d"]], axes

    def _untaken(self, cotangent: Array, n: int) -> Array:
        """The cotangent of all ``n`` samples."""
        xp = array_namespace(cotangent)
        before = zeros((self._taken(n)[0],), cotangent, xp)
        return padded(xp.concat([before, cotangent]), (n,))
