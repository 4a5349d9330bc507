"""Max pooling, max unpooling, nearest and bed-of-nails upsampling, transposed convolution."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from array_api_compat import device

from liftwave._arrays.convert import open_array
from liftwave._execute import execute, graph_node
from liftwave._operations.conv_transpose import check_weight
from liftwave._plan.lengths import check_size
from liftwave._plan.windows import Size, per_axis
from liftwave._typing import Array, ArrayLike
from liftwave.pooling import calls


@graph_node
def max_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    return_indices: bool = False,
    ndim: int | None = None,
) -> Any:
    r"""Return the largest sample of each window.

    Parameters
    ----------
    x, kernel_size, stride, padding, dilation, ceil_mode, ndim
        As for :func:`soft_pool`.
    return_indices : bool, optional
        Whether to return the indices of the samples, too.

    Returns
    -------
    array, shape (..., \*windows)
        With ``return_indices`` a pair: the samples, and their indices (int64), flat over the
        spatial axes as in torch. If several samples are largest, the first one counts.

    Raises
    ------
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As :func:`soft_pool`.

    Notes
    -----
    NaN counts as larger than any number. The layer for models is ``torch.nn.MaxPool2d``.

    Examples
    --------
    >>> import liftwave as lw
    >>> y, indices = lw.pooling.max_pool([0.0, 3.0, 2.0, 2.0], (2,), return_indices=True)
    >>> y.tolist(), indices.tolist()
    ([3.0, 2.0], [1, 2])
    """
    windows = (kernel_size, stride, padding, dilation, ceil_mode)
    return execute(calls.max_pool(x, *windows, return_indices=return_indices, ndim=ndim))


@graph_node
def max_unpool(
    x: ArrayLike,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
    *,
    ndim: int | None = None,
) -> Array:
    r"""Put values at the positions of the largest samples, and zeros elsewhere.

    Parameters
    ----------
    x : array_like, shape (..., \*windows)
        Pooled values.
    indices : array of int, of the shape of ``x``
        Their flat indices, from :func:`max_pool`.
    kernel_size, stride, padding, ndim
        As passed to :func:`max_pool`.
    output_size : sequence of int, optional
        The spatial size, or the shape, of the array that was pooled. The default is the size
        that the windows span, ``(windows - 1) * stride - 2 * padding + kernel_size``.

    Returns
    -------
    array, shape (..., \*output_size)
        If several values have the same index, the last one is used.

    Raises
    ------
    ShapeError
        If the indices do not have the shape of ``x``, the size does not fit the number of
        windows, or an index is outside of it.
    WindowError, DTypeError, ArgumentTypeError
        As :func:`soft_pool`; and if indices are not integers.

    Notes
    -----
    The layer for models is ``torch.nn.MaxUnpool2d``.

    Examples
    --------
    >>> import liftwave as lw
    >>> y, indices = lw.pooling.max_pool([0.0, 3.0, 2.0, 1.0], (2,), return_indices=True)
    >>> lw.pooling.max_unpool(y, indices, (2,)).tolist()
    [0.0, 3.0, 2.0, 0.0]
    """
    windows = (kernel_size, stride, padding)
    return execute(calls.max_unpool(x, indices, *windows, output_size, ndim=ndim))


@graph_node
def nearest_unpool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    output_size: Sequence[int] | None = None,
    *,
    ndim: int | None = None,
) -> Array:
    r"""Copy each value to all samples of its window.

    Parameters
    ----------
    x : array_like, shape (..., \*windows)
        Pooled values.
    kernel_size, ndim
        As for :func:`soft_pool`.
    stride : int or tuple of int, optional
        Distance between windows; at least their size, which is the default. Samples between windows
        are zero.
    output_size : sequence of int, optional
        As for :func:`max_unpool`.

    Returns
    -------
    array, shape (..., \*output_size)

    Raises
    ------
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As :func:`max_unpool`; and if windows overlap.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pooling.nearest_unpool([[1.0, 2.0]], (2, 3)).tolist()
    [[1.0, 1.0, 1.0, 2.0, 2.0, 2.0], [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]]
    """
    return execute(calls.nearest_unpool(x, kernel_size, stride, output_size, ndim=ndim))


@graph_node
def bed_of_nails_unpool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    output_size: Sequence[int] | None = None,
    *,
    ndim: int | None = None,
) -> Array:
    r"""Put each value at the first sample of its window, and zeros elsewhere.

    Parameters
    ----------
    x, kernel_size, output_size, ndim
        As for :func:`nearest_unpool`.
    stride : int or tuple of int, optional
        Distance between windows, which can overlap; their size by default.

    Returns
    -------
    array, shape (..., \*output_size)

    Raises
    ------
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As :func:`max_unpool`.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pooling.bed_of_nails_unpool([1.0, 2.0], (3,)).tolist()
    [1.0, 0.0, 0.0, 2.0, 0.0, 0.0]
    """
    return execute(calls.bed_of_nails_unpool(x, kernel_size, stride, output_size, ndim=ndim))


@graph_node
def conv_transpose(
    x: ArrayLike,
    weight: ArrayLike,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
    *,
    bias: ArrayLike | None = None,
    groups: int = 1,
) -> Array:
    r"""Transposed convolution ("deconvolution"): each sample adds a copy of the filter.

    Parameters
    ----------
    x : array_like, shape (..., C, \*spatial)
        Signals or images of C channels.
    weight : array_like, shape (C, D / groups, \*kernel)
        Filters from each of C channels to each of D channels (of its group). The number of its
        axes determines the number of spatial axes.
    stride : int or tuple of int, optional
        Distance between the copies.
    padding : int or tuple of int, optional
        Number of samples removed at both ends.
    output_padding : int or tuple of int, optional
        Number of samples appended; less than the stride (or the dilation).
    dilation : int or tuple of int, optional
        Distance between the taps of the filter.
    bias : array_like, shape (D,), optional
        A number for each channel of the result, added to all of its samples.
    groups : int, optional
        Number of groups of consecutive channels. The channels of a group of the result come from
        the same group of ``x``.

    Returns
    -------
    array, shape (..., D, \*size)
        Along each axis
        ``(n - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1 + output_padding`` samples.

    Raises
    ------
    ShapeError, WindowError
        If the channels differ, axes are missing, or padding removes all samples.
    ArgumentTypeError, DTypeError
        If sizes are not integers, or data are not numbers of one library.

    See Also
    --------
    conv_transpose_matrix : the same map as a matrix.

    Notes
    -----
    The matrix is the transpose of the matrix of the convolution, not its inverse. Two samples,
    three taps and a stride of 2 give five samples:

    .. math::

        \begin{pmatrix} y_0 \\ y_1 \\ y_2 \\ y_3 \\ y_4 \end{pmatrix} =
        \begin{pmatrix} w_0 & 0 \\ w_1 & 0 \\ w_2 & w_0 \\ 0 & w_1 \\ 0 & w_2 \end{pmatrix}
        \begin{pmatrix} x_0 \\ x_1 \end{pmatrix}

    The layer for models is ``torch.nn.ConvTranspose2d``, which has the same arguments.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pooling.conv_transpose([[10.0, 100.0]], [[[1.0, 2.0, 3.0]]], stride=2).tolist()
    [[10.0, 20.0, 130.0, 200.0, 300.0]]
    """
    sizes = (stride, padding, output_padding, dilation)
    return execute(calls.conv_transpose(x, weight, *sizes, bias=bias, groups=groups))


def conv_transpose_matrix(
    weight: ArrayLike,
    size: Size,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
    *,
    groups: int = 1,
) -> Array:
    """Return the matrix of a transposed convolution, the transpose of the convolution's matrix.

    Parameters
    ----------
    weight, stride, padding, output_padding, dilation, groups
        As for :func:`conv_transpose`.
    size : int or tuple of int
        Number of input samples along each axis.

    Returns
    -------
    array, shape (D * prod(result's size), C * prod(size))
        The product of this matrix and the samples of all channels, in order, is the result.

    Raises
    ------
    ShapeError, WindowError, ArgumentTypeError, DTypeError
        As :func:`conv_transpose`.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pooling.conv_transpose_matrix([[[1.0, 2.0, 3.0]]], 2, stride=2).tolist()
    [[1.0, 0.0], [2.0, 0.0], [3.0, 1.0], [0.0, 2.0], [0.0, 3.0]]
    """
    opened = open_array(weight)
    check_weight(opened.array.shape)
    shape = (opened.array.shape[0], *per_axis("size", size, opened.array.ndim - 2, 1))
    check_size("the matrix", (prod(shape), prod(shape)))
    xp, like = opened.xp, opened.array
    units = xp.asarray(np.eye(prod(shape)), dtype=like.dtype, device=device(like))
    images = xp.reshape(units, (prod(shape), *shape))
    sizes = (stride, padding, output_padding, dilation)
    columns = conv_transpose(images, like, *sizes, groups=groups)
    rows = xp.reshape(columns, (prod(shape), prod(columns.shape[1:])))
    return opened.close(xp.permute_dims(rows, (1, 0)))
