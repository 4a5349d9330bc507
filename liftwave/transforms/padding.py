"""Extends signals beyond their ends by a boundary mode."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import PLAIN_DTYPES, Opened, as_array, dtype_name, open_array
from liftwave._arrays.lazy import refuse_lazy
from liftwave._kernels.reference.pieces import extended, total
from liftwave._plan.arguments import resolve_mode
from liftwave._plan.boundary import Column, check_extends, signal_extension
from liftwave._plan.lengths import check_size
from liftwave._typing import Array, ArrayT, Data, Mode, ModeLike
from liftwave.errors import DTypeError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pad(x: Data[ArrayT], pad_widths: Any, mode: ModeLike) -> ArrayT:
    """Extend an array beyond its ends by a boundary mode.

    Parameters
    ----------
    x : array_like
        The array to extend. Its dtype is kept if the mode permits it.
    pad_widths : int, (int,), ((before, after),) or one pair per axis
        Samples to add before and after each axis, broadcast as in
        :func:`numpy.pad`.
    mode : str
        Boundary mode (:func:`dwt`) other than ``"orthogonal"``. ``"constant"`` repeats the
        end samples (``mode="edge"`` in :func:`numpy.pad`). ``"periodization"`` first
        repeats the last sample if a length is odd.

    Returns
    -------
    array
        ``x`` with its extension on all sides.

    Raises
    ------
    ValueError
        If a width is negative, the result too large, or the mode does not exist, or is
        ``"orthogonal"``, which does not extend signals.
    TypeError
        If integers of the dtype cannot hold the weights of the mode: ``smooth`` and
        ``antireflect`` multiply samples by numbers that grow with the width.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pad([1, 2, 3], 2, "antireflect").tolist()
    [-1, 0, 1, 2, 3, 4, 5]
    """
    array, name = as_array(x), resolve_mode(mode)
    if name == "orthogonal":
        check_extends(name, "pad")
    widths = _pad_widths(pad_widths, array.ndim)
    shape = _padded_shape(tuple(array.shape), widths)
    if name == "periodization":
        widths = tuple([(b, a + n % 2) for n, (b, a) in zip(array.shape, widths, strict=True)])
        shape = _padded_shape(tuple(array.shape), widths)
    padded: Any
    if name in _WEIGHTED_MODES:
        _check_weights(array, widths, name)
    if type(array) is np.ndarray:
        samples = array if _only_copies(array, name) else open_array(array).array
        padded = _written(samples, shape, widths, name)
    else:
        opened = _opened(array, name)
        padded = opened.close(_joined(opened.array, shape, widths, name))
    result: ArrayT = padded
    return result


Place: TypeAlias = tuple[Any, ...]
"""An index of a NumPy array."""

Widths: TypeAlias = tuple[tuple[int, int], ...]
"""The numbers of samples to add before and after each axis."""

_WEIGHTED_MODES = ("smooth", "antisymmetric", "antireflect")


def _only_copies(x: NDArray[Any], mode: Mode) -> bool:
    """Whether the mode and the dtype permit copies or differences of samples without conversion."""
    return mode not in _WEIGHTED_MODES or x.dtype.kind == "i" or x.dtype in PLAIN_DTYPES


def _check_weights(x: Array, widths: Widths, mode: Mode) -> None:
    """Raise if the dtype of integers cannot hold the weights of the samples."""
    xp = array_namespace(x)
    if not xp.isdtype(x.dtype, "signed integer"):  # unsigned ones are converted
        return
    for n, (before, after) in zip(x.shape, widths, strict=True):
        extension = signal_extension(n, mode, before, after)
        rows = (*extension.left, *extension.right)
        largest = max((abs(weight) for row in rows for _, weight in row), default=0)
        if largest > xp.iinfo(x.dtype).max:
            raise DTypeError(
                f"the mode {mode!r} multiplies samples by up to {largest:.0f} here, which "
                f"{dtype_name(x.dtype, xp)} cannot hold: convert the data to int64 or float64"
            )


def _opened(x: Array, mode: Mode) -> Opened:
    """Return the array itself if samples are only copied, else convert it to a signed dtype."""
    xp = array_namespace(x)
    refuse_lazy([x])
    if mode in _WEIGHTED_MODES and not xp.isdtype(x.dtype, "signed integer"):
        return open_array(x)
    return Opened(x, xp, x.dtype)


def _padded_shape(shape: tuple[int, ...], widths: Widths) -> tuple[int, ...]:
    padded = []
    for axis, (n, (before, after)) in enumerate(zip(shape, widths, strict=True)):
        if n == 0 and (before or after):
            raise ShapeError(f"cannot extend axis {axis} of shape {shape}: it has no samples")
        padded.append(n + before + after)
    check_size("the padded array", tuple(padded))
    return tuple(padded)


def _pad_widths(pad_widths: Any, ndim: int) -> Widths:
    if type(pad_widths) is int and pad_widths >= 0:
        return ((pad_widths, pad_widths),) * ndim
    if type(pad_widths) is tuple and len(pad_widths) == ndim > 0 and all(map(_is_pair, pad_widths)):
        return pad_widths
    widths = _rounded(pad_widths)
    if widths.size and widths.min() < 0:
        raise ShapeError(f"pad_widths must be >= 0, got {pad_widths}")
    try:
        return tuple([(int(b), int(a)) for b, a in np.broadcast_to(widths, (ndim, 2))])
    except ValueError:
        raise ShapeError(
            f"pad_widths must be one width, one pair, or one pair for each of {ndim} axes, "
            f"got {pad_widths}"
        ) from None


def _is_pair(width: Any) -> bool:
    """Whether these are two widths that need no conversion."""
    if type(width) is not tuple or len(width) != 2:
        return False
    before, after = width
    return type(before) is int and type(after) is int and 0 <= before < 2**62 and 0 <= after < 2**62


def _rounded(pad_widths: Any) -> NDArray[np.intp]:
    """Widths as integers. PyWavelets rounds them, too."""
    try:
        widths = np.asarray(pad_widths)
    except (TypeError, ValueError, RuntimeError):  # sparse tensors, rows of different lengths
        widths = np.asarray(None)
    if widths.dtype.kind not in "biuf" or not np.isfinite(widths).all():
        raise DTypeError(f"pad_widths must be numbers of samples, got {pad_widths!r}")
    return np.round(widths).astype(np.intp)


def _joined(x: Array, shape: tuple[int, ...], widths: Widths, mode: Mode) -> Array:
    """The extension axis by axis, each time as a new array."""
    # Building the rows takes time, so check first that the result fits into memory.
    array_namespace(x).empty(shape, dtype=x.dtype, device=device(x))
    for axis, (before, after) in enumerate(widths):
        x = extended(x, signal_extension(x.shape[axis], mode, before, after), axis)
    return x


def _written(x: NDArray[Any], shape: tuple[int, ...], widths: Widths, mode: Mode) -> NDArray[Any]:
    """As :func:`_joined`, for NumPy arrays: writing to one array takes less memory and time."""
    result = np.empty(shape, x.dtype)
    inside, margins = _layout(x.shape, widths, mode)
    result[inside] = x
    for margin in margins:
        if not margin.terms:
            result[margin.place] = 0
        else:
            result[margin.place] = total(_weighted(result, term) for term in margin.terms)
    return result


class Term(NamedTuple):
    """The samples at a place, times weights.

    Attributes
    ----------
    place : tuple of slices, and of an array of indices unless these are evenly spaced
        The samples in the padded array.
    weights : array, shaped to broadcast along the axis; or None
        ``None`` if all are 1.
    """

    place: Place
    weights: NDArray[np.float64] | None


class Margin(NamedTuple):
    """The samples beyond one end: sums of terms, zero without terms."""

    place: Place
    terms: tuple[Term, ...]


def _weighted(padded: NDArray[Any], term: Term) -> NDArray[Any]:
    samples: NDArray[Any] = padded[term.place]
    if term.weights is None:
        return samples
    weights, dtype = term.weights, samples.real.dtype
    products: NDArray[Any] = samples * weights.astype(dtype)
    # A row with fewer terms has weight 0: its product with NaN must be discarded.
    return products if weights.all() else np.where(weights != 0, products, 0)


@lru_cache(maxsize=256)
def _layout(shape: tuple[int, ...], widths: Widths, mode: Mode) -> tuple[Place, tuple[Margin, ...]]:
    """The place of an array of this shape in the padded array, and the margins around it."""
    inside = tuple(slice(b, b + n) for n, (b, _) in zip(shape, widths, strict=True))
    margins = []
    for axis, (before, after) in enumerate(widths):
        extension = signal_extension(shape[axis], mode, before, after)
        stop = before + shape[axis]
        for end, columns in (
            (slice(0, before), extension.left_columns),
            (slice(stop, stop + after), extension.right_columns),
        ):
            if end.start < end.stop:
                around = (*[slice(None)] * axis, end, *inside[axis + 1 :])
                terms = tuple(_term(around, axis, before, column) for column in columns)
                margins.append(Margin(around, terms))
    return inside, tuple(margins)


def _term(around: Place, axis: int, first: int, column: Column) -> Term:
    indices, weights = (np.asarray(part) for part in column)
    place = (*around[:axis], _as_slice(indices + first), *around[axis + 1 :])
    if (weights == 1).all():
        return Term(place, None)
    return Term(place, weights.reshape([-1] + [1] * (len(around) - axis - 1)))


def _as_slice(indices: NDArray[np.intp]) -> Any:
    """Evenly spaced indices as a slice, which reads faster. A repeated index broadcasts."""
    first, step = int(indices[0]), int(indices[1] - indices[0]) if len(indices) > 1 else 1
    if (np.diff(indices) != step).any():
        return indices
    if step == 0:
        return slice(first, first + 1)
    stop = first + step * len(indices)
    return slice(first, stop if stop >= 0 else None, step)
