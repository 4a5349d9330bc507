"""LiftPool: downsampling by lifting with learned non-linear steps, and its exact inverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from liftwave._execute import execute, graph_node
from liftwave._numbers import flag, positive_number
from liftwave._operations.lift_pool import Reversible
from liftwave._plan.lengths import check_size
from liftwave._typing import Array, ArrayLike
from liftwave.errors import ShapeError
from liftwave.pooling import lifting_calls
from liftwave.pooling.lifting_arguments import LINEAR_RANGE, checked_dimensions, checked_range
from liftwave.pooling.lifting_calls import LiftFilters, LiftPenalties


def lift_down(
    x: ArrayLike,
    filters: LiftFilters,
    output: str = "sum",
    bands: Sequence[str] | None = None,
    *,
    padding: str = "reflect",
    dimensions: int = 2,
    penalties: str | None = None,
    reversible: Reversible = "auto",
) -> Any:
    r"""Halve the last axes by learned lifting (LiftDownPool).

    Parameters
    ----------
    x : array_like, shape (..., C, spatial axes)
        Signals. float32 and float64 keep their dtype. Half precision is computed in float32,
        integers in float64.
    filters : LiftFilters
        Predictors and updaters of each channel, in the order of the passes: the last axis first,
        then the axis before it for the approximation and for the details, and so on. If there is
        only one pair, all passes use it.
    output : str, optional
        ``"sum"`` (default) or ``"concat"`` of the bands along channels, ``"bands"`` for a dict of
        bands, or the name of one band.
    bands : sequence of str, optional
        The names of the bands; all by default. A name has ``L`` or ``H`` for each axis, the last
        axis first: for images ``LL``, ``LH`` (details along the height), ``HL``, ``HH``.
    padding : {"reflect", "zeros", "replicate", "circular", "signal"}, optional
        The extension beyond the ends of even samples and details, as in ``torch.nn.Conv1d``.
        ``"signal"`` reflects the signal about its end samples instead, as the lifting mode
        ``"reflect"`` does.
    dimensions : int, optional
        The number of spatial axes, which are the last ones.
    penalties : {"mean", "sum", "norm"}, optional
        Also return penalties: the mean or the sum of the squares, or the root of the sum.
    reversible : {"auto", True, False}, optional
        Whether the derivative rebuilds the signal from the bands, so that only the bands are
        stored, if the result has all bands. Undoing steps with large gains loses digits.
        ``"auto"`` stores the signal if less than half of the digits could remain, and in compiled
        graphs, whose filters are not known. On a GPU, where reading the filters would wait for the
        device, ``"auto"`` is True.

    Returns
    -------
    array, or dict of arrays
        Of shape (..., C, ceil(n / 2), ...), C times the number of bands for ``"concat"``.
    LiftPenalties
        Only with ``penalties``.

    Raises
    ------
    ShapeError
        If axes are missing or empty, or filters do not have the shapes of :class:`LiftFilters`.
    BandError, OptionError
        If a band, the output, the padding or the reduction is unknown.
    DTypeError
        For complex numbers, whose maximum with zero has no meaning.

    Notes
    -----
    Along one axis, with even samples :math:`x_{2k}` and odd samples :math:`x_{2k+1}`,

    .. math:: d = x^o - P(x^e), \qquad s = x^e + U(d),

    with :math:`P` and :math:`U` as in :class:`LiftFilters`. If the number of samples is odd, the
    last one is repeated first (for ``padding="signal"`` the last but one, so that the additional
    detail repeats the last detail). :func:`lift_up` undoes the transform for any filters.

    References
    ----------
    Zhao, Snoek: LiftPool: Bidirectional ConvNet Pooling, ICLR 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.pooling import lift_down, lift_filters, lift_up
    >>> x = np.random.default_rng(0).standard_normal((2, 3, 9, 8))
    >>> filters = lift_filters(3, kernel_size=5)
    >>> lift_down(x, filters).shape
    (2, 3, 5, 4)
    >>> bands = lift_down(x, filters, "bands")
    >>> list(bands)
    ['LL', 'LH', 'HL', 'HH']
    >>> bool(np.allclose(lift_up(bands, filters, (9, 8)), x))
    True
    """
    arguments = (x, filters, output, bands, padding, dimensions, penalties, reversible)
    result = lifting_calls.run_lift_down(*arguments)
    return result if penalties is None else (result[0], LiftPenalties(*result[1]))


@graph_node
def lift_up(
    bands: Mapping[str, Array] | Sequence[Array],
    filters: LiftFilters,
    output_size: Sequence[int] | None = None,
    *,
    padding: str = "reflect",
    dimensions: int = 2,
    reversible: Reversible = "auto",
) -> Array:
    """Undo :func:`lift_down`, from its bands (LiftUpPool).

    Parameters
    ----------
    bands : mapping of str to array, or sequence of array
        A dict by name, or all bands in the order of :func:`lift_down`. Bands that are missing or
        ``None`` count as zero.
    filters : LiftFilters
        Those of :func:`lift_down`.
    output_size : sequence of int, optional
        The spatial lengths of the signal: twice those of the bands (the default), or one less.
    padding, dimensions
        As for :func:`lift_down`.
    reversible
        As for :func:`lift_down`: whether the derivative rebuilds the bands from the signal, if its
        lengths are even.

    Returns
    -------
    array, shape (..., C, output_size)
        The signal. For the bands of :func:`lift_down` it is exact up to rounding.

    Raises
    ------
    ShapeError
        If bands differ in shape, all are missing, or their shape does not fit ``output_size``.
    BandError, OptionError, DTypeError
        As :func:`lift_down`.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.pooling import lift_down, lift_filters, lift_up
    >>> filters = lift_filters(1, kernel_size=2, dimensions=1)
    >>> x = np.array([[4.0, 6.0, 10.0, 12.0, 20.0]])
    >>> bands = lift_down(x, filters, "bands", dimensions=1)
    >>> lift_up(bands, filters, [5], dimensions=1).tolist()
    [[4.0, 6.0, 10.0, 12.0, 20.0]]
    """
    call = lifting_calls.lift_up(bands, filters, output_size, padding, dimensions, reversible)
    return execute(call)


def lift_filters(
    channels: int,
    kernel_size: int = 5,
    dimensions: int = 2,
    *,
    shared: bool = False,
    linear_range: float = LINEAR_RANGE,
) -> LiftFilters:
    """Return initial filters for learning: those of the wavelet CDF 5/3.

    Parameters
    ----------
    channels : int
        Number of channels.
    kernel_size : int, optional
        Number of weights.
    dimensions : int, optional
        Number of spatial axes.
    shared : bool, optional
        Whether all passes share one predictor and one updater.
    linear_range : float, optional
        How far below zero predictions and updates can be before the ReLU cuts them off. 0 sets all
        negative ones to zero, which gives the wavelet transform only if none is negative.

    Returns
    -------
    LiftFilters
        NumPy arrays in double precision. The predictor is the mean of the neighbours of an odd
        sample. The updater is a quarter of the sum of the details next to an even sample (CDF
        5/3, or Haar for one or two weights). The bias is ``linear_range``, the offset its negative.

    Raises
    ------
    ShapeError
        If a number is not positive.
    OptionError
        If ``linear_range`` is negative or not finite.

    Notes
    -----
    Samples of size :math:`m` have predictions and updates of size :math:`2^{d - 1} m` at most, for
    :math:`d` axes. Within ``linear_range`` the filters are linear. Sums with the bias are rounded
    to a unit in the last place of ``linear_range``: 4e-6 in single precision by default.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.pooling import lift_down, lift_filters
    >>> filters = lift_filters(64, kernel_size=5)
    >>> sum(each.size for each in filters)
    3072
    >>> x = np.array([[1.0, 0, 1, 0, 1, 0, 1, 0]])
    >>> lift_down(x, lift_filters(1, dimensions=1), "L", dimensions=1).tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    linear_range = checked_range(linear_range)
    channels = positive_number(channels, "channels", ShapeError)
    kernel_size = positive_number(kernel_size, "kernel_size", ShapeError)
    passes = 1 if flag(shared, "shared") else 2 ** checked_dimensions(dimensions) - 1
    shape, middle = (passes, 2, channels), (kernel_size - 1) // 2
    check_size("the filters", (*shape, kernel_size))
    weight = np.zeros((*shape, kernel_size))
    if kernel_size < 3:
        weight[:, 0, :, middle], weight[:, 1, :, middle] = 1.0, 0.5
    else:
        weight[:, 0, :, middle : middle + 2] = 0.5
        weight[:, 1, :, middle - 1 : middle + 1] = 0.25
    bias = np.full(shape, linear_range)
    return LiftFilters(weight, bias, np.ones(shape), -bias)
