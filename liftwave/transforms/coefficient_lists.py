"""Converts the coefficient lists of all multilevel transforms to one structure, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from liftwave._arrays.convert import are_plain, as_array, is_array
from liftwave._numbers import items
from liftwave._plan.arguments import normalize_axes
from liftwave._typing import Array, CoefficientFormat
from liftwave.errors import BandError, CoefficientsError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMATS = {
    "wavedec": "wavedec",
    "swt": "wavedec",
    "wavedec2": "wavedec2",
    "swt2": "wavedec2",
    "wavedecn": "wavedecn",
    "swtn": "wavedecn",
}

# The keys of a level that a format needs.
_KEYS: dict[str, tuple[str, ...]] = {
    "wavedec": ("d",),
    "wavedec2": ("da", "ad", "dd"),
    "wavedecn": (),
}


def as_dicts(
    coeffs: Any, axes: Sequence[int] | None
) -> tuple[Array, list[dict[str, Array]], tuple[int, ...]]:
    """Approximation, details as dicts (coarsest first), and the transformed axes."""
    if not isinstance(coeffs, list) or len(coeffs) == 0:
        raise ShapeError("input must be a list of coefficients from wavedecn")
    approx = coeffs[0]
    if approx is None:
        raise ShapeError("missing coefficients are not supported: the approximation is None")
    if not is_array(approx):
        raise ShapeError(f"first list element must be an array, got {type(approx).__name__}")
    approx = as_array(approx)
    details = [_as_dict(level) for level in coeffs[1:]]
    if not details:
        return approx, [], tuple(axes or ())
    letters = len(next(iter(details[0])))
    if axes is None and letters < approx.ndim:
        raise ShapeError(
            "coeffs corresponds to a DWT performed over only a subset of the axes.  "
            "In this case, axes must be specified."
        )
    transformed = normalize_axes(axes, approx.ndim)
    if len(transformed) != letters:
        raise ShapeError(
            "The length of axes doesn't match the number of dimensions transformed: "
            f"got axes {transformed} for keys of {letters} letters"
        )
    for bands in details:
        for key in bands:
            if len(key) != letters:
                raise ShapeError(f"all keys must have {letters} letters, got {key!r}")
    return approx, details, transformed


def _as_dict(level: Any) -> dict[str, Array]:
    if type(level) is np.ndarray and level.ndim == 1:
        return {"d": as_array(level)}
    if type(level) is tuple and len(level) == 3 and are_plain(level):
        return {"ad": level[1], "da": level[0], "dd": level[2]}
    if type(level) is dict and are_plain(bands := [*level.values()]) and bands:
        _check_letters(tuple(level))
        return level
    if is_array(level):
        if level.ndim != 1:
            raise ShapeError(f"expected a 1D coefficient array, got shape {tuple(level.shape)}")
        return {"d": as_array(level)}
    if isinstance(level, list | tuple):
        if len(level) != 3:
            raise ShapeError(f"expected a 3-tuple of detail coefficients, got {len(level)}")
        horizontal, vertical, diagonal = level
        level = {"ad": vertical, "da": horizontal, "dd": diagonal}
    if not isinstance(level, Mapping) or not level:
        raise ShapeError(f"invalid coefficient list: a level is {level!r}")
    for key, band in level.items():
        if band is None:
            raise ShapeError("missing coefficients (None) are not supported; use arrays of zeros")
        if not is_array(band):
            raise ShapeError(f"band {key!r} must be an array, got {type(band).__name__}")
    _check_letters(tuple(level))
    return {key: as_array(band) for key, band in level.items()}


@lru_cache(maxsize=256)
def _check_letters(keys: tuple[str, ...]) -> None:
    if not all(set(key) <= set("ad") for key in keys):
        raise ShapeError(f"unexpected letter in the keys {list(keys)}: only 'a' and 'd' occur")


def plain_bands(
    array: NDArray[Any], slices: Any, shapes: Any, output_format: CoefficientFormat
) -> list[Any] | None:
    """The bands of a NumPy array in the structure of a transform.

    ``None`` unless the arguments are lists of dicts that fit the array, each other and the format.
    :func:`formatted` accepts other types, and explains what is wrong.
    """
    if type(slices) is list and type(shapes) is list and len(slices) == len(shapes) > 0:
        try:
            levels = zip(slices, shapes)  # noqa: B905 (strict takes longer)
            where, shape = next(levels)
            bands = [array[where].reshape(shape), *_SHAPED[output_format](array, levels)]
        except (LookupError, TypeError, ValueError):
            return None
        return bands if len(bands) == len(slices) else None
    return None


def plain_views(
    array: NDArray[Any], slices: Any, output_format: CoefficientFormat
) -> list[Any] | None:
    """As :func:`plain_bands` without shapes: each band has the shape of its slices."""
    if type(slices) is list and len(slices) > 0:
        try:
            levels = iter(slices)
            bands = [array[next(levels)], *_PLACED[output_format](array, levels)]
        except (LookupError, TypeError, ValueError):
            return None
        return bands if len(bands) == len(slices) else None
    return None


_PLACED: dict[str, Callable[[NDArray[Any], Iterable[Any]], list[Any]]] = {
    "wavedec": lambda x, levels: [x[w["d"]] for w in levels if type(w) is dict],
    "wavedec2": lambda x, levels: [
        (x[w["da"]], x[w["ad"]], x[w["dd"]]) for w in levels if type(w) is dict
    ],
    "wavedecn": lambda x, levels: [
        {key: x[where] for key, where in w.items()} for w in levels if type(w) is dict
    ],
}
_PLACED |= {name: _PLACED[kind] for name, kind in _FORMATS.items()}
"""The details of each kind of transform, from the dicts of their slices."""

_SHAPED: dict[str, Callable[[NDArray[Any], Iterable[tuple[Any, Any]]], list[Any]]] = {
    "wavedec": lambda x, levels: [
        x[w["d"]].reshape(s["d"]) for w, s in levels if type(w) is type(s) is dict
    ],
    "wavedec2": lambda x, levels: [
        (
            x[w["da"]].reshape(s["da"]),
            x[w["ad"]].reshape(s["ad"]),
            x[w["dd"]].reshape(s["dd"]),
        )
        for w, s in levels
        if type(w) is type(s) is dict
    ],
    "wavedecn": lambda x, levels: [
        {key: x[where].reshape(s[key]) for key, where in w.items()}
        for w, s in levels
        if type(w) is type(s) is dict
    ],
}
_SHAPED |= {name: _SHAPED[kind] for name, kind in _FORMATS.items()}
"""The details of each kind of transform, from the dicts of their slices and shapes."""


def checked_list(entries: Any, what: str) -> list[Any]:
    """A list of slices or shapes: an entry for the approximation, and a dict for each level."""
    demand = f"expected the list of coefficient {what} of a transform"
    listed = items(entries, demand, CoefficientsError)
    if not listed:
        raise ShapeError(f"empty list of coefficient {what}")
    for level in listed[1:]:
        if not isinstance(level, Mapping):
            raise CoefficientsError(f"{demand}, got a level of type {type(level).__name__}")
    return listed


def formatted(
    read: Callable[[Any, Any], Array],
    slices: list[Any],
    shapes: list[Any],
    output_format: CoefficientFormat,
) -> list[Any]:
    """The bands that ``read`` returns for a place and a shape, in the structure of a transform."""
    if not isinstance(output_format, str) or output_format not in _FORMATS:
        names = ", ".join(map(repr, _FORMATS))
        raise CoefficientsError(
            f"Unrecognized output format: {output_format!r}; use one of {names}"
        )
    kind = _FORMATS[output_format]
    levels = list(zip(slices[1:], shapes[1:], strict=True))
    for where, _ in levels:
        if not set(_KEYS[kind]) <= set(where):
            raise BandError(
                f"output_format {output_format!r} needs the bands {', '.join(_KEYS[kind])}, "
                f"got {', '.join(map(str, where))}"
            )
    approx = read(slices[0], shapes[0])
    if kind == "wavedec":
        return [approx, *[read(where["d"], shape.get("d")) for where, shape in levels]]
    if kind == "wavedec2":
        keys = _KEYS[kind]
        return [approx, *[tuple(read(w[key], s.get(key)) for key in keys) for w, s in levels]]
    return [approx, *[{key: read(w[key], s.get(key)) for key in w} for w, s in levels]]
