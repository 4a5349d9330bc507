"""The filters of LDW-Pooling: free filters of any number of taps, or a wavelet."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from liftwave._execute import execute, graph_node
from liftwave._numbers import is_one_of
from liftwave._operations.call import Call
from liftwave._operations.learned import analysis_and_taps
from liftwave._operations.plan_transforms import analysis_of_bands
from liftwave._operations.transform import Transform
from liftwave._plan.axes import axis_plans
from liftwave._plan.lengths import check_size
from liftwave._typing import Modes
from liftwave.constraints import orthonormal_filters
from liftwave.errors import OptionError, WaveletError
from liftwave.torch.layer_wavelets import check_no_factory
from liftwave.torch.wavelets import (
    FiltersWavelet,
    LearnableWavelet,
    OrthonormalWavelet,
    Symmetry,
    uniform,
    widened,
)
from liftwave.transforms.structures import BAND_LIST
from liftwave.wavelets.filter_bank import FilterBank

_INITS = ("pretrain", "random")


@graph_node
def pooled_bands(
    x: Tensor,
    wavelet: Any,
    details: tuple[str, ...],
    has_approx: bool,
    dimensions: int,
    mode: Modes = "periodization",
) -> list[Tensor]:
    """Bands of one level along the last axes: the approximation, if wanted, and some details."""

    def make(wavelet: Any) -> Transform:
        plans = axis_plans(wavelet, mode, tuple(range(-dimensions, 0)), x.ndim)
        return analysis_of_bands(plans, x.ndim, (details,), has_approx)

    arguments = "pooled bands", details, has_approx, dimensions, mode, x.ndim
    transform, taps = analysis_and_taps(wavelet, arguments, make)
    bands: list[Tensor] = execute(Call(transform, (x, *taps), BAND_LIST))
    return bands


class _KernelWavelet(FiltersWavelet):
    """Two free filters of any number of taps; a zero is appended to an odd number of taps."""

    def __init__(
        self,
        taps: int,
        init: str,
        weight: float,
        symmetry: Symmetry | None,
        orthonormal: bool,
        device: Any,
        dtype: torch.dtype | None,
    ) -> None:
        self._count, self._init = taps, init
        even = max(taps - taps % 2, 2)
        super().__init__(
            _orthonormal(even),
            random=True,
            weight=weight,
            symmetry=symmetry,
            orthonormal=orthonormal,
            device=device,
            dtype=dtype,
        )
        self.name = f"{taps} taps"

    def _number_of_taps(self) -> int:
        return self._count

    def initial_values(self) -> dict[str, Any]:
        """The synthesis filters: random, or those of a random orthonormal wavelet."""
        filters, taps = super().initial_values(), self._count
        if self._init == "random":
            return {name: uniform(taps, taps**-0.5) for name in filters}
        if taps % 2 == 0:
            return filters
        # Zeros at both ends change the sign of the high-pass of an orthonormal pair.
        signs = {"lowpass": 1.0, "highpass": -1.0}
        return {
            name: np.concatenate([[0.0], sign * np.asarray(filters[name])])
            for name, sign in signs.items()
        }

    def make(self) -> FilterBank:
        """The filter bank of the current filters."""
        low, high = widened(self.lowpass), widened(self.highpass)
        if low.numel() % 2:
            low, high = (torch.cat([f, f.new_zeros(1)]) for f in (low, high))
        return FilterBank(low.flip(0), high.flip(0), low, high)


def _orthonormal(taps: int) -> FilterBank:
    """An orthonormal wavelet with this number of taps."""
    return orthonormal_filters([0.1] * (taps // 2 - 1), zero_sum=True)


def pooling_wavelet(
    wavelet: Any,
    learn: str | None,
    init: str | None,
    weight: float,
    symmetry: Symmetry | None,
    orthonormal: bool,
    device: Any,
    dtype: torch.dtype | None,
) -> Any:
    """Return a learnable wavelet unchanged, or create one from a number of taps or a wavelet.

    Raises
    ------
    OptionError, WaveletError
        If the arguments do not fit together.
    """
    if isinstance(wavelet, LearnableWavelet):
        check_no_factory(wavelet, device, dtype)
        return wavelet
    if learn is not None and not is_one_of(learn, ("filters", "orthonormal")):
        raise OptionError(
            f"unknown way to learn {learn!r}: use 'filters', 'orthonormal' or None, or pass a "
            "LearnableWavelet"
        )
    if init is not None and (learn is None or not is_one_of(init, _INITS)):
        raise OptionError(
            f"init is None, 'pretrain' or 'random', for filters that are learned; got {init!r} "
            f"with learn={learn!r}"
        )
    random = isinstance(wavelet, int) or init is not None
    if isinstance(wavelet, int):
        if wavelet < 2:
            raise WaveletError(f"a filter needs at least two taps, got {wavelet}")
        check_size("the filters", (wavelet, wavelet))
        if learn == "filters":
            options = (weight, symmetry, orthonormal, device, dtype)
            return _KernelWavelet(wavelet, init or "pretrain", *options)
        if learn is None or wavelet % 2:
            raise WaveletError(
                f"{wavelet} taps do not determine a wavelet: orthonormal filters need an even "
                "number of taps, fixed filters need a name"
            )
        wavelet = _orthonormal(wavelet)
    if learn is None:
        return wavelet
    if init == "random" and learn == "filters":
        raise OptionError("init='random' needs a number of taps, not a wavelet")
    if learn == "orthonormal":
        return OrthonormalWavelet(wavelet, random=random, device=device, dtype=dtype)
    return FiltersWavelet(
        wavelet,
        random=random,
        weight=weight,
        symmetry=symmetry,
        orthonormal=orthonormal,
        device=device,
        dtype=dtype,
    )
