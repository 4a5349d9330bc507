"""Pooling by weights that depend on the samples: SoftPool, IDW, eDSCW, AdaPool."""

from __future__ import annotations

from liftwave._execute import execute, graph_node
from liftwave._plan.windows import Size
from liftwave._typing import Array, ArrayLike
from liftwave.pooling import calls


@graph_node
def soft_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Array:
    r"""Pooling by the softmax of each region (SoftPool, the eM of AdaPool).

    Parameters
    ----------
    x : array_like, shape (..., \*spatial)
        Signals or images with any number of leading axes (batch, channels). float32 and float64
        keep their dtype. Half precision is computed in float32 and returned in half precision
        (NumPy's in float32). Integers become float64.
    kernel_size : int or tuple of int
        Size of the windows. The last axes are pooled: one number for each of them, or one number
        for all ``ndim`` axes.
    stride : int or tuple of int, optional
        Distance between windows; their size by default.
    padding : int or tuple of int, optional
        How far windows can extend before the first sample and after the last one; at most
        half of ``kernel_size``. No samples are added: a region consists of the samples inside
        the signal.
    dilation : int or tuple of int, optional
        Distance between samples of a window.
    ceil_mode : bool, optional
        Whether to keep windows that extend beyond the end; they have fewer samples.
    per_channel : bool, optional
        Whether each channel has its own weights (default). Otherwise all channels, along the
        axis before the last ``ndim`` ones, share the weights of their sum.
    ndim : int, optional
        The number of last axes to pool. The default is the length of ``kernel_size``, or 2
        if it is a single number.

    Returns
    -------
    array, shape (..., \*windows)
        Along each axis
        ``floor((n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1``, in the
        library, dtype and on the device of ``x``.

    Raises
    ------
    WindowError, ShapeError
        If the windows are not valid, or do not fit the data (both are :class:`ValueError`).
    DTypeError, ArgumentTypeError
        If the data are complex or not numbers, or sizes are not integers.

    Notes
    -----
    .. math:: y = \sum_{i \in R} w_i a_i, \qquad w_i = \frac{e^{a_i}}{\sum_{j \in R} e^{a_j}}

    (AdaPool [1]_, section III-B; SoftPool [2]_), for each channel separately; with
    ``per_channel=False``, :math:`w_i` is the softmax of :math:`\sum_c a_{ic}`. The largest sample
    is subtracted from the exponents to avoid overflow.

    References
    ----------
    .. [1] A. Stergiou, R. Poppe, "AdaPool: Exponential Adaptive Pooling for
       Information-Retaining Downsampling", IEEE Trans. Image Processing 32, 2023.
    .. [2] A. Stergiou, R. Poppe, G. Kalliatakis, "Refining activation downsampling with
       SoftPool", ICCV 2021.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pooling.soft_pool([[0.0, 1.0, 5.0, 5.0], [1.0, 2.0, 5.0, 5.0]], 2).round(3).tolist()
    [[1.462, 5.0]]
    """
    windows = (kernel_size, stride, padding, dilation, ceil_mode)
    return execute(calls.soft_pool(x, *windows, per_channel=per_channel, ndim=ndim))


@graph_node
def edscw_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Array:
    r"""Pooling by the exponential of the Dice-Sørensen similarity of samples to the mean.

    Parameters
    ----------
    x, kernel_size, stride, padding, dilation, ceil_mode, ndim
        As for :func:`soft_pool`; ``x`` has shape (..., C, \*spatial) if channels are compared
        together.
    per_channel : bool, optional
        ``True``: compare each channel separately (as in the authors' code). ``False``: compare
        the vectors of all channels, whose similarity is the sum over channels (as in the tables
        of the paper).

    Returns
    -------
    array, shape (..., \*windows)

    Raises
    ------
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As :func:`soft_pool`.

    Notes
    -----
    With the mean :math:`m` of a region,

    .. math:: y = \sum_i \frac{e^{s_i}}{\sum_j e^{s_j}} a_i, \qquad
              s_i = \frac{2 |m a_i|}{m^2 + a_i^2}

    (AdaPool, equation 3), and :math:`s_i = 1` where :math:`m = a_i = 0`, so all samples of a
    region of zeros have the same weight. Derivatives of absolute values are 0 at 0.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pooling.edscw_pool([0.0, 1.0, 1.0, 6.0, 0.0, 0.0, 0.0, 0.0], (4,)).round(3).tolist()
    [2.115, 0.0]
    """
    windows = (kernel_size, stride, padding, dilation, ceil_mode)
    return execute(calls.edscw_pool(x, *windows, per_channel=per_channel, ndim=ndim))


@graph_node
def similarity_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    similarity: str = "dice",
    exponential: bool = True,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Array:
    r"""Pooling by the similarity of samples to the mean of their region.

    Parameters
    ----------
    x, kernel_size, stride, padding, dilation, ceil_mode, per_channel, ndim
        As for :func:`edscw_pool`.
    similarity : {"dice", "cosine", "pce"}, optional
        The Dice-Sørensen coefficient, the cosine, or the peak-to-correlation energy.
    exponential : bool, optional
        ``True``: the weights are exponentials of the similarity. ``False``: the similarity
        itself, with zero in place of negative values.

    Returns
    -------
    array, shape (..., \*windows)

    Raises
    ------
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As :func:`soft_pool`; and if the similarity is unknown.

    Notes
    -----
    For samples :math:`a_i` and the mean :math:`m` (AdaPool, table XVI; products and squares are
    summed over channels with ``per_channel=False``)

    .. math:: s^{dice}_i = \sum_c \frac{2 |m a_i|}{m^2 + a_i^2}, \quad
              s^{cos}_i = \frac{m \cdot a_i}{|m| |a_i|}, \quad
              s^{pce}_i = \frac{m \cdot a_i}{|m|^2 + |a_i|^2 - m \cdot a_i}

    All are 1 if both are zero. If no sample is similar to the mean, the weights without an
    exponential are equal. The cosine of a single channel is 1, 0 or -1.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pooling.similarity_pool([1.0, 2.0, 6.0], (3,), similarity="pce").round(3).tolist()
    [3.071]
    """
    call = calls.similarity_pool(
        *(x, kernel_size, stride, padding, dilation, ceil_mode),
        similarity=similarity,
        exponential=exponential,
        per_channel=per_channel,
        ndim=ndim,
    )
    return execute(call)


@graph_node
def idw_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    distance: str = "l2",
    delta: float = 1.0,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Array:
    r"""Pooling by the inverse distance of samples from the mean of their region.

    Parameters
    ----------
    x, kernel_size, stride, padding, dilation, ceil_mode, per_channel, ndim
        As for :func:`edscw_pool`.
    distance : {"l2", "l1", "huber", "chebyshev", "gower"}, optional
        The distance. For single channels, all distances except Huber's are the same.
    delta : float, optional
        The point where Huber's distance changes from quadratic to linear.

    Returns
    -------
    array, shape (..., \*windows)

    Raises
    ------
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As :func:`soft_pool`; and if the distance is unknown.

    Notes
    -----
    .. math:: y = \sum_i \frac{1 / d_i}{\sum_j 1 / d_j} a_i

    (AdaPool, equations 1 and 2) with the distances of table XV between :math:`a_i` and the mean
    :math:`m`. With ``per_channel=False`` these are vectors along the channels:
    :math:`L_1 = \sum_c |m - a_i|`, :math:`L_2 = \sqrt{\sum_c (m - a_i)^2}`, Chebyshev's
    :math:`\max_c |m - a_i|`, Gower's :math:`L_1 / C`, Huber's :math:`L_1^2 / 2` where
    :math:`L_2 \le \delta` and :math:`\delta (L_1 - \delta / 2)` elsewhere. If samples have
    distance 0, they share all the weight.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pooling.idw_pool([0.0, 0.0, 1.0, 7.0], (4,)).round(3).tolist()
    [1.091]
    """
    call = calls.idw_pool(
        *(x, kernel_size, stride, padding, dilation, ceil_mode),
        distance=distance,
        delta=delta,
        per_channel=per_channel,
        ndim=ndim,
    )
    return execute(call)


@graph_node
def ada_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    beta: ArrayLike = 0.5,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Array:
    r"""AdaPool: a blend of pooling by similarity to the mean and by softmax.

    Parameters
    ----------
    x, kernel_size, stride, padding, dilation, ceil_mode, per_channel, ndim
        As for :func:`edscw_pool`.
    beta : float or array, shape (\*windows) or (C, \*windows), optional
        The share of eDSCW; the rest is eM. One number, a mask with one number per window, or one
        per channel and window. Axes of length 1 are repeated. It is clamped to [0, 1].

    Returns
    -------
    array, shape (..., \*windows)

    Raises
    ------
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As :func:`soft_pool`; and if ``beta`` does not fit.

    Notes
    -----
    .. math:: y = \beta\, y^{eDSCW} + (1 - \beta)\, y^{eM}

    (AdaPool, equation 5) with :func:`edscw_pool` and :func:`soft_pool`. The derivative with
    respect to :math:`\beta` is :math:`y^{eDSCW} - y^{eM}`, and zero where ``beta`` is outside
    [0, 1]. Equation 6 of the paper is not the derivative of its equation 5.

    Examples
    --------
    >>> import liftwave as lw
    >>> x = [[0.0, 1.0], [1.0, 6.0]]
    >>> [lw.pooling.ada_pool(x, 2, beta=beta).round(3).tolist() for beta in (0.0, 0.5, 1.0)]
    [[[5.919]], [[4.017]], [[2.115]]]
    """
    windows = (kernel_size, stride, padding, dilation, ceil_mode)
    return execute(calls.ada_pool(x, *windows, beta=beta, per_channel=per_channel, ndim=ndim))


@graph_node
def ada_unpool(
    x: ArrayLike,
    pooled: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    beta: ArrayLike = 0.5,
    up: str = "nearest",
    preserve: str = "sum",
    per_channel: bool = True,
    ndim: int | None = None,
) -> Array:
    r"""AdaUnPool: pooled values spread over their regions by the weights of AdaPool.

    Parameters
    ----------
    x : array_like, shape (..., C, \*spatial)
        The array that was pooled. Its samples determine the weights.
    pooled : array_like, shape (..., C, \*windows)
        The values to spread: the result of :func:`ada_pool`, or an array derived from it.
    kernel_size, stride, padding, dilation, ceil_mode, beta, per_channel, ndim
        As for :func:`ada_pool`.
    up : {"nearest", "linear"}, optional
        How pooled values are upsampled: copied to all samples of their window, or interpolated
        between the centres of windows (and constant beyond them).
    preserve : {"sum", "mean"}, optional
        Whether the pooled value is the sum of the samples of its region (as in the paper), or
        their mean, which preserves the brightness of an image.

    Returns
    -------
    array, shape (..., C, \*spatial)
        Samples in several windows get the sum of the values. Samples in no window are zero.

    Raises
    ------
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As :func:`ada_pool`; and if ``pooled`` does not have a value for each window.

    Notes
    -----
    .. math:: a_i = (\beta\, w^{eDSCW}_i + (1 - \beta)\, w^{eM}_i)\, \mathrm{up}(y)_i

    (AdaPool, equation 7), multiplied by the number of samples in the region to preserve the mean.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.asarray([[0.0, 1.0], [1.0, 6.0]])
    >>> y = lw.pooling.ada_pool(x, 2, beta=0.5)
    >>> back = lw.pooling.ada_unpool(x, y, 2, beta=0.5)
    >>> bool(np.isclose(back.sum(), y[0, 0]))
    True
    """
    call = calls.ada_unpool(
        *(x, pooled, kernel_size, stride, padding, dilation, ceil_mode),
        beta=beta,
        up=up,
        preserve=preserve,
        per_channel=per_channel,
        ndim=ndim,
    )
    return execute(call)
