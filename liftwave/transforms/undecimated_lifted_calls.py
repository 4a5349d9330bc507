"""Calls of the undecimated transforms by lifting schemes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from liftwave._arrays.convert import as_array, check_out, open_arrays
from liftwave._arrays.integers import open_integer_coefficients
from liftwave._numbers import flag
from liftwave._operations.call import SINGLE, Structure
from liftwave._plan.arguments import normalize_axis
from liftwave._plan.axes import AxisPlans
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array, ArrayLike, ModeLike, Modes
from liftwave.errors import LevelError
from liftwave.transforms.calls import two_axes
from liftwave.transforms.undecimated_calls import (
    Nothing,
    check_letters,
    level_of,
    required_level,
    shape_of_all,
    undecimated_options,
)
from liftwave.transforms.undecimated_lifting import analyse, plans_for, synthesise
from liftwave.transforms.undecimated_modes import check_start
from liftwave.transforms.undecimated_structures import (
    ONE_AXIS,
    TWO_AXES,
    UndecimatedBands,
    any_axes,
    letters_of,
)
from liftwave.wavelets.resolve import WaveletLike, Wavelets


@dataclass(frozen=True)
class LiftedCall:
    """The call of an analysis or a synthesis.

    Attributes
    ----------
    arrays : sequence of array or None
        The signal; or the bands, where ``None`` means zeros.
    plans : AxisPlans
        The scheme and the boundary mode of each axis.
    options : Undecimated
        The level of the signal, and whether factors are divided by the square root of 2.
    result, data : Structure
        The structures of the results and of the arrays.
    level : int or None
        The number of levels; ``None`` for a synthesis.
    trims : bool
        Whether an analysis returns only the coarsest approximation.
    """

    arrays: Sequence[Array | None]
    plans: AxisPlans
    options: Undecimated
    result: Structure
    data: Structure = SINGLE
    level: int | None = None
    trims: bool = False

    def run(self, out: Array | None = None) -> Any:
        """The result of the function; a synthesis writes it to ``out``."""
        if self.level is None:
            return self._synthesised(out)
        (x,), options = self.arrays, self.options
        bands = analyse(x, self.plans, self.level, options.start_level, options.norm)
        return self.result.pack(self.selected(bands))

    def _synthesised(self, out: Array | None) -> Array:
        present = [band for band in self.arrays if band is not None]
        if out is not None:
            opened = (open_integer_coefficients if self.plans.is_integer else open_arrays)(present)
            check_out(out, opened[0], tuple(present[0].shape))
        x = synthesise(self.arrays, self.plans, self.options.norm)
        if out is None:
            return x
        out[...] = x
        return out

    def selected(self, bands: Sequence[Any]) -> list[Any]:
        """The bands that an analysis returns, among those of all levels."""
        count = 2 ** len(self.plans)
        return [band for k, band in enumerate(bands) if k == 0 or k % count or not self.trims]


# --- analysis --------------------------------------------------------------------------------


def swt(
    data: ArrayLike,
    wavelet: WaveletLike,
    level: int | None = None,
    start_level: int = 0,
    axis: int = -1,
    trim_approx: bool = False,
    norm: bool = False,
    mode: ModeLike = "periodization",
) -> LiftedCall:
    """The call of :func:`liftwave.swt`."""
    x = as_array(data)
    plans = plans_for(wavelet, mode, normalize_axis(axis, x.ndim), x.shape)
    count = level_of(level, [x.shape[plans[0].axis]])
    if count == 0:
        raise LevelError("Level value must be greater than zero: pass level")
    options = undecimated_options(start_level, norm)
    return _analysis(x, plans, count, options, trim_approx, ONE_AXIS)


def swt2(
    data: ArrayLike,
    wavelet: Wavelets,
    level: int,
    start_level: int = 0,
    axes: Sequence[int] = (-2, -1),
    trim_approx: bool = False,
    norm: bool = False,
    mode: Modes = "periodization",
) -> LiftedCall:
    """The call of :func:`liftwave.swt2`."""
    x = as_array(data)
    plans = plans_for(wavelet, mode, two_axes(axes), x.shape)
    count, options = required_level(level), undecimated_options(start_level, norm)
    return _analysis(x, plans, count, options, trim_approx, TWO_AXES)


def swtn(
    data: ArrayLike,
    wavelet: Wavelets,
    level: int,
    start_level: int = 0,
    axes: Sequence[int] | None = None,
    trim_approx: bool = False,
    norm: bool = False,
    mode: Modes = "periodization",
) -> LiftedCall:
    """The call of :func:`liftwave.swtn`."""
    x = as_array(data)
    plans = plans_for(wavelet, mode, axes, x.shape)
    count, options = required_level(level), undecimated_options(start_level, norm)
    return _analysis(x, plans, count, options, trim_approx, any_axes(len(plans)))


def _analysis(
    x: Array,
    plans: AxisPlans,
    level: int,
    options: Undecimated,
    trim_approx: bool,
    bands: UndecimatedBands,
) -> LiftedCall:
    check_start(options, x, plans)
    if flag(trim_approx, "trim_approx"):
        return LiftedCall((x,), plans, options, bands.trimmed, level=level, trims=True)
    structure: Structure = bands.levels if level else Nothing()
    return LiftedCall((x,), plans, options, structure, level=level)


# --- synthesis -------------------------------------------------------------------------------


def iswt(
    coeffs: Any,
    wavelet: WaveletLike,
    norm: bool = False,
    axis: int = -1,
    mode: ModeLike = "periodization",
) -> LiftedCall:
    """The call of :func:`liftwave.iswt`."""
    structure = ONE_AXIS.of_argument(coeffs, (tuple, list))
    bands = structure.unpack(coeffs)
    shape = shape_of_all(bands)
    plans = plans_for(wavelet, mode, normalize_axis(axis, len(shape)), shape)
    return LiftedCall(bands, plans, undecimated_options(0, norm), SINGLE, structure)


def iswt2(
    coeffs: Any,
    wavelet: Wavelets,
    norm: bool = False,
    axes: Sequence[int] = (-2, -1),
    mode: Modes = "periodization",
) -> LiftedCall:
    """The call of :func:`liftwave.iswt2`."""
    structure = TWO_AXES.of_argument(coeffs, (tuple, list))
    bands = structure.unpack(coeffs)
    plans = plans_for(wavelet, mode, two_axes(axes), shape_of_all(bands))
    return LiftedCall(bands, plans, undecimated_options(0, norm), SINGLE, structure)


def iswtn(
    coeffs: Any,
    wavelet: Wavelets,
    axes: Sequence[int] | None = None,
    norm: bool = False,
    mode: Modes = "periodization",
) -> LiftedCall:
    """The call of :func:`liftwave.iswtn`."""
    letters = letters_of(coeffs, axes)
    structure = any_axes(letters).of_argument(coeffs, (dict,))
    bands = structure.unpack(coeffs)
    plans = plans_for(wavelet, mode, axes, shape_of_all(bands))
    check_letters(letters, plans)
    return LiftedCall(bands, plans, undecimated_options(0, norm), SINGLE, structure)
