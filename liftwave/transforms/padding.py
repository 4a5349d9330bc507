"""Extends signals beyond their ends by a boundary mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import Opened, as_array, open_array
from liftwave._kernels.reference.pieces import extended
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
    # Building the rows takes time, so check first that the result fits into memory.
    opened.xp.empty(shape, dtype=opened.array.dtype, device=device(opened.array))
    padded = opened.array
    for axis, (before, after) in enumerate(widths):
        padded = _padded_axis(padded, before, after, name, axis)
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


def _padded_axis(x: Array, before: int, after: int, mode: Mode, axis: int) -> Array:
    n = x.shape[axis]
    if mode == "periodization":
        after += n % 2
    return extended(x, signal_extension(n, mode, before, after), axis)
