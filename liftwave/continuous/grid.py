"""Frequencies, scales and norms of the rows of a scalogram, and their windows of bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from liftwave._arrays.convert import dtype_name, is_array
from liftwave._arrays.host import as_numpy
from liftwave._numbers import as_numbers, is_one_of, items, real_number
from liftwave._plan.spectral import SpectralPlan, Window, fast_length
from liftwave._typing import Array
from liftwave.continuous.extension import Layout
from liftwave.continuous.families import AnalyticWavelet
from liftwave.continuous.shapes import Shape, energy_of, lower_ratio, shape_of, upper_ratio
from liftwave.errors import ArgumentTypeError, DTypeError, OptionError, ScaleError

Norm: TypeAlias = Literal["amplitude", "energy", "torrence"]
"""The norm, which defines the meaning of a magnitude."""

Limits: TypeAlias = "Literal['full', 'resolved'] | tuple[float, float]"
"""The lowest and the highest frequency, or the name of a choice."""

NORMS = ("amplitude", "energy", "torrence")

# The largest number of rows: more are a mistake in a unit or in the number of voices.
_MOST_ROWS = 100_000

# Relative to the largest response, for single and double precision.
_EPSILON = {"float32": 1e-9, "float64": 1e-17}

# Plans of more bins are not cached.
_MOST_CACHED = 1 << 21


@dataclass(frozen=True, eq=False)
class Grid:
    """The rows of a scalogram.

    Attributes
    ----------
    wavelet : AnalyticWavelet
        The wavelet; its parameters can be tensors.
    frequencies : ndarray of float64, shape (rows,)
        The peak of each row, in the unit of ``fs``.
    fs : float
        The number of samples per unit of time.
    norm : str
        The norm.
    tensor : array, optional
        The frequencies as an array with a gradient.
    """

    wavelet: AnalyticWavelet
    frequencies: NDArray[np.float64]
    fs: float
    norm: Norm
    tensor: Array | None = None

    @cached_property
    def concrete(self) -> AnalyticWavelet:
        """The wavelet with floats as parameters."""
        return self.wavelet.concrete

    @cached_property
    def shape(self) -> Shape:
        """The constants of the wavelet."""
        return shape_of(self.concrete)

    @property
    def scales(self) -> NDArray[np.float64]:
        """The scale of each row, in the unit of time."""
        return self.shape.peak / (2 * np.pi * self.frequencies)

    @property
    def reach(self) -> float:
        """The e-folding time of the largest scale, in samples."""
        if not self.frequencies.size:
            return 0.0
        return float(self.shape.efolding * self.scales.max() * self.fs)

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """The factor of each row, relative to the amplitude norm."""
        if self.norm == "amplitude":
            return np.ones_like(self.frequencies)
        squared = self.shape.peak * self.fs / (self.frequencies * self.shape.energy)
        return np.sqrt(2 * squared if self.concrete.is_real else squared)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """The weight of each row in an integral over the logarithm of frequency."""
        logs, count = np.log(self.frequencies), self.frequencies.size
        if count < 2:
            return np.full(count, math.log(2))
        order = np.argsort(logs)
        gaps = np.diff(logs[order])
        weights = np.empty(count)
        weights[order] = (np.append(gaps, gaps[-1]) + np.append(gaps[0], gaps)) / 2
        return weights

    def symbol(self, layout: Layout) -> NDArray[np.float64]:
        """The sum of the responses of all rows, in the amplitude norm, at each bin."""
        total = np.zeros(layout.length // 2 + 1)
        plan = plan_of(self.plain, layout, "float64")
        for window, gain in zip(plan.windows, self.gains, strict=True):
            total[window.start : window.start + len(window.response)] += window.response / gain
        return total

    @property
    def plain(self) -> Grid:
        """The grid without gradients."""
        if self.tensor is None and self.wavelet.is_concrete:
            return self
        return Grid(self.concrete, self.frequencies, self.fs, self.norm)


# --- windows of bins -------------------------------------------------------------------------


def plan_of(grid: Grid, layout: Layout, dtype: str, hop: int = 1) -> SpectralPlan:
    """The plan of the rows; responses are arrays of the real ``dtype`` unless they have gradients.

    Plans of NumPy responses are cached.
    """
    if grid.tensor is not None or not grid.wavelet.is_concrete:
        return _plan(grid, layout, dtype, hop)
    key = (grid.concrete, grid.frequencies.tobytes(), grid.fs, grid.norm)
    if _bins(grid, layout, dtype) > _MOST_CACHED:
        return _plan(grid, layout, dtype, hop)
    return _cached_plan(*key, layout, dtype, hop)


@lru_cache(maxsize=8)
def _cached_plan(
    wavelet: AnalyticWavelet,
    frequencies: bytes,
    fs: float,
    norm: Norm,
    layout: Layout,
    dtype: str,
    hop: int,
) -> SpectralPlan:
    return _plan(Grid(wavelet, np.frombuffer(frequencies), fs, norm), layout, dtype, hop)


def _plan(grid: Grid, layout: Layout, dtype: str, hop: int) -> SpectralPlan:
    windows = tuple(
        Window(start, response_at(grid, row, np.arange(start, stop), layout.length, dtype))
        for row, (start, stop) in enumerate(_places(grid, layout, dtype))
    )
    return SpectralPlan(layout.length, layout.before, layout.n, windows, hop)


def _places(grid: Grid, layout: Layout, dtype: str) -> list[tuple[int, int]]:
    """The first bin of each row, and the one after the last."""
    epsilon = _EPSILON.get(dtype, 1e-17)
    peaks = grid.frequencies * (layout.length / grid.fs)
    last = layout.length // 2 + 1
    lowest = np.floor(peaks * _ratio(lower_ratio, grid.concrete, epsilon))
    highest = np.ceil(peaks * _ratio(upper_ratio, grid.concrete, epsilon)) + 1
    starts = np.clip(lowest, 1, last).astype(int)
    stops = np.clip(highest, starts, last).astype(int)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def _bins(grid: Grid, layout: Layout, dtype: str) -> int:
    return sum(stop - start for start, stop in _places(grid, layout, dtype))


@lru_cache(maxsize=256)
def _ratio(ratio: Any, wavelet: AnalyticWavelet, epsilon: float) -> float:
    result: float = ratio(wavelet, epsilon)
    return result


def response_at(grid: Grid, row: int, bins: NDArray[Any], length: int, dtype: str) -> Array:
    """The response of a row at some bins, in its norm."""
    if grid.tensor is None and grid.wavelet.is_concrete:
        values = responses(grid.wavelet, grid.frequencies[row], bins / length, grid.fs, grid.norm)
        return values.astype(dtype)
    like = grid.tensor
    if like is None:
        like = next(v for v in grid.wavelet.parameters.values() if is_array(v))
    xp = array_namespace(like)
    ratios = xp.asarray(bins / length, dtype=xp.float64)
    frequency = grid.frequencies[row] if grid.tensor is None else grid.tensor[row]
    return responses(grid.wavelet, frequency, ratios, grid.fs, grid.norm)


def responses(
    wavelet: AnalyticWavelet, frequency: Any, cycles: Array, fs: float, norm: Norm
) -> Array:
    """The response of the row of a frequency, at frequencies in cycles per sample.

    Computed by functions that have derivatives everywhere: in the library of ``cycles``, with
    tensors or with complex numbers as frequency and parameters.
    """
    xp = array_namespace(cycles)
    w = wavelet.peak * (cycles * fs) / frequency
    response = 2 * xp.exp(wavelet._log_response(w, xp))
    if norm == "amplitude":
        return response
    factor = 2 if wavelet.is_real else 1
    squared = factor * wavelet.peak * fs / (frequency * energy_of(wavelet, cycles))
    return response * squared**0.5


# --- arguments -------------------------------------------------------------------------------


class GridOptions(NamedTuple):
    """Arguments of :func:`scalogram` about rows, not yet checked."""

    voices: Any = 10
    frequencies: Any = None
    limits: Any = "full"
    norm: Any = "amplitude"


def make_grid(wavelet: AnalyticWavelet, n: int, fs: float, options: GridOptions) -> Grid:
    """The grid that these arguments describe, for signals of ``n`` samples.

    Raises
    ------
    ScaleError, OptionError, DTypeError, ArgumentTypeError
        If an argument is not valid.
    """
    voices, frequencies, limits, norm = options
    if not is_one_of(norm, NORMS):
        raise OptionError(f"norm must be one of {', '.join(map(repr, NORMS))}, got {norm!r}")
    number = _positive(voices, "voices must be a positive number")
    if frequencies is None:
        return Grid(wavelet, _series(wavelet, n, fs, number, limits), fs, norm)
    _checked_limits(limits, fs)
    values = _numbers_of(frequencies)
    if values.dtype.kind == "c":
        raise DTypeError(f"frequencies must be real numbers, got the dtype {values.dtype}")
    if values.ndim != 1 or not np.all(values > 0) or not np.all(values <= fs / 2 * (1 + 1e-9)):
        raise ScaleError(
            f"frequencies must be above 0 and at most fs / 2 = {fs / 2:g}, in one dimension, got "
            f"{frequencies!r}"
        )
    is_tensor = is_array(frequencies) and not isinstance(frequencies, np.ndarray)
    is_recorded = is_tensor and getattr(frequencies, "requires_grad", False)
    tensor = frequencies if is_recorded else None
    return Grid(wavelet, values.astype(np.float64), fs, norm, tensor)


def _numbers_of(frequencies: Any) -> NDArray[Any]:
    if is_array(frequencies) and not isinstance(frequencies, np.ndarray):
        return as_numpy(frequencies)
    return np.atleast_1d(as_numbers(frequencies))


def _positive(value: Any, demand: str) -> float:
    number = real_number(value, demand, ArgumentTypeError)
    if not 0 < number < math.inf:
        raise ScaleError(f"{demand}, got {value!r}")
    return number


def sampling_rate(fs: Any) -> float:
    """The number of samples per unit of time.

    Raises
    ------
    ScaleError, ArgumentTypeError
        If it is not a positive number.
    """
    return _positive(fs, "fs must be a positive number")


def _checked_limits(limits: Any, fs: float) -> Any:
    """The name, or the two frequencies."""
    demand = "limits must be 'full', 'resolved', or the lowest and the highest frequency"
    if isinstance(limits, str):
        if limits not in ("full", "resolved"):
            raise OptionError(f"{demand}, got {limits!r}")
        return limits
    ends = items(limits, demand)
    if len(ends) != 2:
        raise OptionError(f"{demand}, got {limits!r}")
    low, high = (real_number(end, demand) for end in ends)
    if not 0 < low <= high <= fs / 2 * (1 + 1e-9):
        raise ScaleError(f"{demand}, above 0 and at most fs / 2 = {fs / 2:g}; got {limits!r}")
    return low, high


def _series(
    wavelet: AnalyticWavelet, n: int, fs: float, voices: float, limits: Any
) -> NDArray[np.float64]:
    """Frequencies with equal ratios, the highest first."""
    ends = _checked_limits(limits, fs)
    if ends == "full":
        # The lowest bin of the extension, so that every bin has a row.
        low, high = fs / fast_length(2 * n), fs / 2
    elif ends == "resolved":
        shape = shape_of(wavelet.concrete)
        low = 4 * shape.deviation * shape.peak * fs / (2 * math.pi * n)
        high = max(fs / 2 / shape.half, low)
        high = min(high, fs / 2)
        low = min(low, high)
    else:
        low, high = ends
    count = math.floor(voices * math.log2(high / low) * (1 + 1e-12) + 1e-9) + 1
    if count > _MOST_ROWS:
        raise ScaleError(
            f"voices={voices:g} give {count} frequencies from {low:g} to {high:g}: at most "
            f"{_MOST_ROWS}"
        )
    return np.asarray(high * 2.0 ** (-np.arange(count) / voices))


def dtype_of_responses(x: Array) -> str:
    """The name of the real dtype of responses for a spectrum or signal."""
    return (
        "float32"
        if dtype_name(x.dtype, array_namespace(x)) in ("float32", "complex64")
        else ("float64")
    )
