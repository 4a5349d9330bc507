"""The plans of an undecimated transform: filters or lifting steps, and boundary modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from liftwave._numbers import flag, is_one_of, is_several, items
from liftwave._plan.axes import AxisPlan, AxisPlans, axis_plans, with_length
from liftwave._plan.undecimated import Undecimated as Filters
from liftwave.errors import ModeTypeError, OptionError
from liftwave.transforms.modwt import CAUSAL, is_reflection, without_lifting
from liftwave.transforms.undecimated_modes import invertible, is_lifting
from liftwave.wavelets.resolve import Wavelets

Kind: TypeAlias = Literal["swt", "modwt"]
"""The names of undecimated transforms."""


def undecimated_plans(
    wavelet: Wavelets,
    transform: Kind,
    mode: Any,
    axes: Sequence[int] | int | None,
    shape: tuple[int, ...],
    norm: bool,
) -> AxisPlans:
    """The plans of a transform of data of this shape; see ``undecimated``.

    Raises
    ------
    OptionError
        If the transform does not exist.
    AxisError, ModeError, ShapeError, WaveletError
        As for the transforms.
    """
    if not is_one_of(transform, ("swt", "modwt")):
        raise OptionError(f"transform must be 'swt' or 'modwt', got {transform!r}")
    normalized = flag(norm, "norm")
    if transform == "modwt":
        is_reflection(_one("periodic" if mode is None else mode))
        return axis_plans(without_lifting(wavelet), CAUSAL, axes, len(shape))
    mode = "periodization" if mode is None else mode
    plans = axis_plans(wavelet, Filters("centred", 0, normalized), axes, len(shape))
    return invertible("undecimated", plans, mode if is_lifting(wavelet) else _one(mode), shape)


def _one(mode: Any) -> Any:
    """The mode of all axes, if one is passed for each axis."""
    if not is_several(mode):
        return mode
    modes = items(mode, "expected one mode per axis", ModeTypeError)
    are_names = modes and all(isinstance(name, str) for name in modes)
    return modes[0] if are_names and len({*modes}) == 1 else mode


def band_shape(
    shape: tuple[int, ...], modes: Sequence[str], axes: Sequence[int]
) -> tuple[int, ...]:
    """The shape of all bands: that of the data, with twice the samples for ``"reflection"``."""
    for axis, mode in zip(axes, modes, strict=True):
        shape = with_length(shape, axis, shape[axis] * (2 if mode == "reflection" else 1))
    return shape


def mode_of(plan: AxisPlan, lengths: tuple[int, int]) -> str:
    """The boundary mode of an axis, by the lengths of the data and of the bands."""
    if not isinstance(plan.mode, Filters) or not plan.mode.is_causal:
        return plan.boundary
    return "reflection" if lengths[1] == 2 * lengths[0] else "periodic"
