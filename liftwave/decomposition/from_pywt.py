"""Converts coefficients in the structures of PyWavelets to the fields of a decomposition."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, zeros
from liftwave._numbers import lengths
from liftwave._plan.arguments import normalize_axes
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave._typing import Array, Modes
from liftwave.errors import AxisError, LevelWarning, ShapeError, ShapeTypeError
from liftwave.transforms.lengths import wavedecn_shapes
from liftwave.transforms.structures import BandList, DictList, TripleList, dict_list
from liftwave.transforms.synthesis_calls import synthesis_call
from liftwave.wavelets.resolve import Wavelets


class Fields(NamedTuple):
    """The bands, the shape of the data, and the plans; see :class:`Decomposition`."""

    approx: Array
    details: tuple[dict[str, Array], ...]
    shape: tuple[int, ...]
    plans: AxisPlans


def fields_of(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    mode: Modes,
    axes: Sequence[int] | int | None,
    shape: Sequence[int] | None,
) -> Fields:
    """The fields of a decomposition with these coefficients; see ``Decomposition.from_pywt``."""
    if not isinstance(coeffs, list | tuple) or not coeffs:
        raise ShapeError(
            "expected a list of coefficients as from wavedec, wavedec2 or wavedecn, got "
            f"{type(coeffs).__name__}"
        )
    structure, count = _structure(coeffs)
    bands = [None if band is None else as_array(band) for band in structure.unpack(coeffs)]
    like = next((band for band in bands if band is not None), None)
    if like is None:
        raise ShapeError("at least one band must be an array, got None for all")
    dimensions = sorted({band.ndim for band in bands if band is not None})
    if len(dimensions) > 1:
        raise ShapeError(f"all bands must have the same number of dimensions, got {dimensions}")
    transformed = _axes(axes, count, like.ndim)
    plans = axis_plans(wavelet, mode, transformed, like.ndim)
    call = synthesis_call(bands, plans, like.ndim, structure)
    full = call.operation.outputs([tuple(b.shape) for b in call.arrays], ())[0].shape
    shape = full if shape is None else lengths(shape, "shape", ShapeTypeError)
    level = len(coeffs) - 1
    expected = _expected_shapes(shape, wavelet, mode, level, transformed)
    xp = array_namespace(like)
    filled = [
        _checked(band, name, expected[name], like, xp)
        for name, band in zip(expected, bands, strict=True)
    ]
    step = (len(filled) - 1) // level if level else 0
    keys = [key for _, key in list(expected)[1 : 1 + step]]
    details = [
        dict(zip(keys, filled[k : k + step], strict=True)) for k in range(1, len(filled), step or 1)
    ]
    return Fields(filled[0], tuple(details), shape, plans)


def _structure(coeffs: Sequence[Any]) -> tuple[BandList | TripleList | DictList, int | None]:
    """The structure of the list, and the number of axes; None if there are no details."""
    first = next((detail for detail in coeffs[1:] if detail is not None), None)
    if isinstance(first, Mapping):
        count = max(map(len, first), default=1)
        return dict_list(count), count
    if isinstance(first, list | tuple):
        return TripleList(), 2
    return BandList(), None if len(coeffs) == 1 else 1


def _axes(axes: Sequence[int] | int | None, count: int | None, ndim: int) -> tuple[int, ...]:
    if axes is None:
        if count is not None and count > 2 and count != ndim:
            raise AxisError(f"pass axes: {count} of the {ndim} axes are transformed")
        axes = range(-(ndim if count is None else count), 0)
    transformed = normalize_axes(axes, ndim)
    if count is not None and len(transformed) != count:
        raise AxisError(f"the coefficients have {count} transformed axes, got axes={axes}")
    return transformed


def _expected_shapes(
    shape: tuple[int, ...], wavelet: Wavelets, mode: Modes, level: int, axes: tuple[int, ...]
) -> dict[tuple[int, str], tuple[int, ...]]:
    """The shape of each band by level and key, in the order of flat bands."""
    with warnings.catch_warnings():
        # The transform that computed the coefficients has already warned of a deep level.
        warnings.simplefilter("ignore", LevelWarning)
        approx, *details = wavedecn_shapes(shape, wavelet, mode, level, axes)
    shapes = {(level, "a" * len(axes)): approx}
    for depth, bands in zip(range(level, 0, -1), details, strict=True):
        shapes |= {(depth, key): bands[key] for key in sorted(bands)}
    return shapes


def _checked(
    band: Array | None, name: tuple[int, str], shape: tuple[int, ...], like: Array, xp: Any
) -> Array:
    """The band, or zeros if it is missing."""
    if band is None:
        return zeros(shape, like, xp)
    if tuple(band.shape) != shape:
        raise ShapeError(
            f"band {name} has shape {tuple(band.shape)}, but the passed or inferred shape of the "
            f"data requires {shape}: pass the shape of the data as shape="
        )
    return band
