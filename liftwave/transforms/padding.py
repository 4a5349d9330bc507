"""Extends signals beyond their ends by a boundary mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import Opened, as_array, open_array
from liftwave._kernels.reference.pieces import extended, extension_rows
from liftwave._plan.arguments import resolve_mode
from liftwave._plan.boundary import signal_extension
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
        Boundary mode (:func:`dwt`). ``"constant"`` repeats the end samples
        (``mode="edge"`` in :func:`numpy.pad`). ``"periodization"`` first
        repeats the last sample if a length is odd.

    Returns
    -------
    array
        ``x`` with its extension on all sides.

    Raises
    ------
    ValueError
        If a width is negative, the result too large, or the mode does not exist.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pad([1, 2, 3], 2, "antireflect").tolist()
    [-1, 0, 1, 2, 3, 4, 5]
    """
    array, name = as_array(x), resolve_mode(mode)
    widths = _pad_widths(pad_widths, array.ndim)
    for axis, (n, width) in enumerate(zip(array.shape, widths, strict=True)):
        if n == 0 and any(width):
            raise ShapeError(
                f"cannot extend axis {axis} of shape {tuple(array.shape)}: it has no samples"
            )
    shape = tuple(n + sum(width) for n, width in zip(array.shape, widths, strict=True))
    check_size("the padded array", shape)
    opened = _opened(array, name)
    if name == "periodization":
        widths = [(b, a + n % 2) for n, (b, a) in zip(array.shape, widths, strict=True)]
    padded = (_written if type(opened.array) is np.ndarray else _joined)(opened.array, widths, name)
    result: ArrayT = opened.close(padded)
    return result


_WEIGHTED_MODES = ("smooth", "antisymmetric", "antireflect")


def _opened(x: Array, mode: Mode) -> Opened:
    """Return the array itself if samples are only copied, else convert it to a signed dtype."""
    xp = array_namespace(x)
    if mode in _WEIGHTED_MODES and not xp.isdtype(x.dtype, "signed integer"):
        return open_array(x)
    return Opened(x, xp, x.dtype)


def _pad_widths(pad_widths: Any, ndim: int) -> list[tuple[int, int]]:
    if type(pad_widths) is int and pad_widths >= 0:
        return [(pad_widths, pad_widths)] * ndim
    widths = _rounded(pad_widths)
    if widths.size and widths.min() < 0:
        raise ShapeError(f"pad_widths must be >= 0, got {pad_widths}")
    try:
        return [(int(b), int(a)) for b, a in np.broadcast_to(widths, (ndim, 2))]
    except ValueError:
        raise ShapeError(
            f"pad_widths must be one width, one pair, or one pair for each of {ndim} axes, "
            f"got {pad_widths}"
        ) from None


def _rounded(pad_widths: Any) -> NDArray[np.intp]:
    """Widths as integers: PyWavelets rounds them, too."""
    try:
        widths = np.asarray(pad_widths)
    except ValueError:  # rows of different lengths
        widths = np.asarray(None)
    if widths.dtype.kind not in "biuf" or not np.isfinite(widths).all():
        raise DTypeError(f"pad_widths must be numbers of samples, got {pad_widths!r}")
    return np.round(widths).astype(np.intp)


def _joined(x: Array, widths: Sequence[tuple[int, int]], mode: Mode) -> Array:
    """The extension axis by axis, each time as a new array."""
    # Building the rows takes time, so check first that the result fits into memory.
    shape = [n + sum(width) for n, width in zip(x.shape, widths, strict=True)]
    array_namespace(x).empty(tuple(shape), dtype=x.dtype, device=device(x))
    for axis, (before, after) in enumerate(widths):
        x = extended(x, signal_extension(x.shape[axis], mode, before, after), axis)
    return x


def _written(x: Any, widths: Sequence[tuple[int, int]], mode: Mode) -> Any:
    """The same for NumPy arrays, written to one array, which takes less memory and time."""
    result = np.empty([n + sum(width) for n, width in zip(x.shape, widths, strict=True)], x.dtype)
    inside = [slice(b, b + n) for n, (b, _) in zip(x.shape, widths, strict=True)]
    result[tuple(inside)] = x
    xp = array_namespace(x)
    for axis, (before, after) in enumerate(widths):
        extension = signal_extension(x.shape[axis], mode, before, after)
        ahead = (slice(None),) * axis
        signal = result[(*ahead, *inside[axis:])]
        stop = inside[axis].stop
        for end, count, columns in (
            (slice(0, before), before, extension.left_columns),
            (slice(stop, stop + after), after, extension.right_columns),
        ):
            if count:
                rows = extension_rows(signal, count, columns, axis, xp)
                result[(*ahead, end, *inside[axis + 1 :])] = rows
    return result
