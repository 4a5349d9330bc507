"""Single-level transforms, with PyWavelets' names, signatures and results."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pywt
from array_api_compat import array_namespace

from liftwave._arrays import Opened, as_array, open_array, open_arrays
from liftwave._dispatch import kernels_for
from liftwave._kernels import reference
from liftwave._plan import (
    AxisPlan,
    axis_plans,
    band_lengths,
    check_lengths,
    filter_bank_length,
    max_level,
    normalize_axes,
    normalize_axis,
    plan_merges,
    resolve_mode,
    upsampling_plan,
)
from liftwave._typing import Array, ArrayLike, Mode, ModeLike, Modes, WaveletLike, Wavelets
from liftwave.boundary import signal_extension
from liftwave.errors import LevelError, ShapeError, WaveletError
from liftwave.filterbank import FilterBank
from liftwave.integers import is_integer, open_coefficients, open_samples
from liftwave.lifting import LiftingScheme
from liftwave.separable import analysis_nd, synthesis_nd
from liftwave.wavelets import resolve_wavelet


# --- the transforms' common course -------------------------------------------------------------


def open_for_analysis(data: ArrayLike, plans: Sequence[AxisPlan], level: int = 1) -> Opened:
    """Data in the dtype in which ``plans`` are computed."""
    return open_samples(data, plans, level) if is_integer(plans) else open_array(data)


def open_for_synthesis(arrays: Sequence[ArrayLike], plans: Sequence[AxisPlan]) -> list[Opened]:
    """Coefficients in the dtype in which ``plans`` are undone."""
    return open_coefficients(arrays) if is_integer(plans) else open_arrays(arrays)


def _analysis(data: Array, plans: tuple[AxisPlan, ...]) -> dict[str, Array]:
    check_lengths(data.shape, plans, 1)
    opened = open_for_analysis(data, plans)
    bands = analysis_nd(opened.array, plans, kernels_for(opened.array))
    return {key: opened.close(band) for key, band in bands.items()}


def _synthesis(bands: Mapping[str, ArrayLike], plans: tuple[AxisPlan, ...]) -> Array:
    opened = dict(zip(bands, open_for_synthesis(list(bands.values()), plans), strict=True))
    merges, _ = plan_merges({key: tuple(o.array.shape) for key, o in opened.items()}, plans)
    first = next(iter(opened.values()))
    arrays = {key: o.array for key, o in opened.items()}
    return first.close(synthesis_nd(arrays, merges, kernels_for(first.array)))


# --- one axis ----------------------------------------------------------------------------------


def dwt(
    data: ArrayLike, wavelet: WaveletLike, mode: ModeLike = "symmetric", axis: int = -1
) -> tuple[Array, Array]:
    r"""Single-level discrete wavelet transform along one axis.

    Parameters
    ----------
    data : array_like, shape (..., n, ...)
        Signal: an array of NumPy, CuPy, torch or another array-API library.
        float32, float64, complex64 and complex128 are kept (half precision,
        too, outside of NumPy); integers become float64.
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
        With a lifting scheme the transform is computed by lifting, and is
        critically sampled.
    mode : str, optional
        Boundary mode, one of ``Modes.modes``; for a lifting scheme one of
        ``"periodization"``, ``"reflect"``, ``"symmetric"``, ``"zero"``,
        ``"constant"``.
    axis : int, optional
        Axis to transform; all others are batch.

    Returns
    -------
    cA, cD : array
        Approximation and detail, in the library, dtype and on the device of
        ``data``. Along ``axis`` both have ``floor((n + dec_len - 1) / 2)``
        coefficients, under ``"periodization"`` ``ceil(n / 2)``. By lifting they have
        ``ceil(n / 2)`` and ``floor(n / 2)`` (under ``"periodization"`` both
        ``ceil(n / 2)``). With an integer scheme they are integers of a dtype
        that holds them: see :meth:`LiftingScheme.to_integer`.

    Raises
    ------
    WaveletError, ModeError, AxisError, ShapeError, DTypeError
        If the wavelet, mode or axis does not exist, there is no sample to
        transform, or the data are not numbers. All but the last are
        :class:`ValueError`, the last is a :class:`TypeError`.

    Notes
    -----
    .. math:: cA_k = \sum_j \mathtt{dec\_lo}_j \, \tilde x_{2k+1-j}, \qquad
              cD_k = \sum_j \mathtt{dec\_hi}_j \, \tilde x_{2k+1-j}

    where :math:`\tilde x` is the signal extended by the boundary mode (under
    ``"periodization"`` the index is :math:`2k + L/2 - j`). The convention is
    PyWavelets' [1]_.

    References
    ----------
    .. [1] G. R. Lee et al., "PyWavelets: A Python package for wavelet
       analysis", J. Open Source Software 4(36), 1237, 2019.

    Examples
    --------
    >>> import liftwave as lw
    >>> cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0, 5.0], "haar")
    >>> cA.round(4).tolist(), cD.round(4).tolist()
    ([2.1213, 4.9497, 7.0711], [-0.7071, -0.7071, 0.0])
    >>> cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0, 5.0], lw.LiftingScheme.from_name("cdf5.3"), "reflect")
    >>> len(cA), len(cD)
    (3, 2)
    """
    data = as_array(data)
    plans = axis_plans((normalize_axis(axis, data.ndim),), (wavelet,), (mode,))
    bands = _analysis(data, plans)
    return bands["a"], bands["d"]


def idwt(
    cA: ArrayLike | None,
    cD: ArrayLike | None,
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    axis: int = -1,
) -> Array:
    """Single-level inverse discrete wavelet transform along one axis.

    Parameters
    ----------
    cA, cD : array_like or None
        Approximation and detail, as :func:`dwt` gives them. One of them may
        be ``None``, which means zeros.
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
        As given to :func:`dwt`.
    mode : str, optional
        As given to :func:`dwt`.
    axis : int, optional
        Axis along which the bands are merged.

    Returns
    -------
    array
        Along ``axis`` it has ``2 * len(cA) - rec_len + 2`` samples, under
        ``"periodization"`` ``2 * len(cA)``: one more than the signal had if
        that was odd. Lifting returns exactly ``len(cA) + len(cD)`` samples.

    Raises
    ------
    ValueError
        If both bands are ``None``, do not fit together, or are too short for the wavelet.

    Examples
    --------
    >>> import liftwave as lw
    >>> cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "db2", "periodization")
    >>> lw.idwt(cA, cD, "db2", "periodization").round(6).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    """
    bands = {k: as_array(v) for k, v in (("a", cA), ("d", cD)) if v is not None}
    if not bands:
        raise ShapeError("At least one coefficient parameter must be specified.")
    ndim = next(iter(bands.values())).ndim
    plans = axis_plans((normalize_axis(axis, ndim),), (wavelet,), (mode,))
    return _synthesis(bands, plans)


def downcoef(
    part: Literal["a", "d"],
    data: ArrayLike,
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    level: int = 1,
) -> Array:
    """One band of a 1-D signal: the approximation or the detail of one level.

    Parameters
    ----------
    part : {'a', 'd'}
        Approximation or detail.
    data : array_like, shape (n,)
        Signal.
    wavelet, mode
        As for :func:`dwt`.
    level : int, optional
        Level of the band, from 1.

    Returns
    -------
    array
        The 1-D band.

    Raises
    ------
    ValueError
        If ``data`` is not one-dimensional, ``part`` or ``level`` is not valid.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.downcoef("a", [1.0, 2.0, 3.0, 4.0], "haar", level=2).round(6).tolist()
    [5.0]
    """
    data = as_array(data)
    if data.ndim != 1:
        raise ShapeError(f"downcoef only supports 1d data, got shape {tuple(data.shape)}.")
    _check_part(part)
    level = _check_positive_level(level)
    plans = axis_plans((0,), (wavelet,), (mode,))
    check_lengths(tuple(data.shape), plans, level)
    opened = open_for_analysis(data, plans, level)
    kernels, band = kernels_for(opened.array), opened.array
    for depth in range(1, level + 1):
        band = analysis_nd(band, plans, kernels)[part if depth == level else "a"]
    return opened.close(band)


def upcoef(
    part: Literal["a", "d"],
    coeffs: ArrayLike,
    wavelet: WaveletLike,
    level: int = 1,
    take: int = 0,
) -> Array:
    """What one band of coefficients contributes to a 1-D signal, edges included.

    Parameters
    ----------
    part : {'a', 'd'}
        Whether ``coeffs`` are an approximation or details.
    coeffs : array_like, shape (m,)
        Coefficients of one band.
    wavelet
        As for :func:`dwt`. A lifting scheme is taken as the filter bank that
        it equals, since there is no boundary here.
    level : int, optional
        Level of the band, from 1.
    take : int, optional
        If positive and shorter than the result: length of the central part to return.

    Returns
    -------
    array
        The upsampled convolution, ``2 * m - 2 + rec_len`` samples per level.

    Raises
    ------
    ValueError
        If ``coeffs`` is not one-dimensional, ``part`` or ``level`` is not valid.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.upcoef("a", [2.0], "haar", level=2).round(6).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    coeffs = as_array(coeffs)
    if coeffs.ndim != 1:
        raise ShapeError(f"upcoef only supports 1d coeffs, got shape {tuple(coeffs.shape)}.")
    _check_part(part)
    level = _check_positive_level(level)
    if coeffs.shape[0] < 1:
        raise ShapeError("upcoef needs at least one coefficient, got none")
    bank = resolve_wavelet(wavelet)
    bank = bank.to_filter_bank() if isinstance(bank, LiftingScheme) else bank
    opened = open_array(coeffs)
    kernels, band = kernels_for(opened.array), opened.array
    for depth in range(level):
        taps = bank.rec_hi if part == "d" and depth == 0 else bank.rec_lo
        band = kernels.synthesis([band], [taps], upsampling_plan(band.shape[0], bank.rec_len), 0)
    return opened.close(_central(band, take))


def _central(band: Array, take: int) -> Array:
    surplus = band.shape[0] - take
    if take <= 0 or surplus <= 0:
        return band
    return band[surplus // 2 : surplus // 2 + take]


def _check_part(part: str) -> None:
    if part not in ("a", "d"):
        raise WaveletError(f"Argument 1 must be 'a' or 'd', not '{part}'.")


def _check_positive_level(level: int) -> int:
    level = operator.index(level)
    if level < 1:
        raise LevelError(f"Value of level must be greater than 0, got {level}.")
    return level


# --- several axes --------------------------------------------------------------------------------


def dwt2(
    data: ArrayLike, wavelet: Wavelets, mode: Modes = "symmetric", axes: Sequence[int] = (-2, -1)
) -> tuple[Array, tuple[Array, Array, Array]]:
    """Single-level 2-D discrete wavelet transform.

    Parameters
    ----------
    data : array_like, shape (..., H, W)
        Image, or a batch of images.
    wavelet : wavelet, or 2-sequence of wavelets
        As for :func:`dwt`; a sequence holds one per axis.
    mode : str, or 2-sequence of str, optional
        Boundary mode, or one per axis.
    axes : 2-sequence of int, optional
        The axes to transform, vertical (H) first.

    Returns
    -------
    (cA, (cH, cV, cD)) : tuple
        The bands, in PyWavelets' order. Their n-D keys (first letter: first
        axis) are ``'aa', ('da', 'ad', 'dd')``. In names with the horizontal
        letter first (first letter: filter along the last axis, W) they are
        ``LL, (LH, HL, HH)``: ``cH`` is high-pass along H and so shows
        horizontal edges.

    Raises
    ------
    ValueError
        If ``axes`` are not two axes of ``data``, or as for :func:`dwt`.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> rows = np.array([[1.0, 1.0], [0.0, 0.0]])  # changes along H only
    >>> cA, (cH, cV, cD) = lw.dwt2(rows, "haar")
    >>> cA.round(6).tolist(), cH.round(6).tolist(), cV.round(6).tolist()
    ([[1.0]], [[1.0]], [[0.0]])
    """
    bands = dwtn(data, wavelet, mode, two_axes(axes))
    return bands["aa"], (bands["da"], bands["ad"], bands["dd"])


def idwt2(
    coeffs: tuple[ArrayLike | None, tuple[ArrayLike | None, ...]],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] = (-2, -1),
) -> Array:
    """Single-level inverse 2-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : (cA, (cH, cV, cD))
        Bands as :func:`dwt2` gives them; any may be ``None``, which means zeros.
    wavelet, mode, axes
        As given to :func:`dwt2`.

    Returns
    -------
    array
        The image, with lengths as for :func:`idwt`.

    Raises
    ------
    ValueError
        If no band is given, or they do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> image = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> lw.idwt2(lw.dwt2(image, "haar"), "haar").round(6).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    approx, (horizontal, vertical, diagonal) = coeffs
    bands = {"aa": approx, "da": horizontal, "ad": vertical, "dd": diagonal}
    return idwtn(bands, wavelet, mode, two_axes(axes))


def dwtn(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | None = None,
) -> dict[str, Array]:
    """Single-level n-D discrete wavelet transform.

    Parameters
    ----------
    data : array_like
        Array of at least one dimension.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`dwt`; a sequence holds one per axis.
    mode : str, or sequence of str, optional
        Boundary mode, or one per axis.
    axes : sequence of int, optional
        The axes to transform, in this order (an axis may occur twice, and is
        then transformed twice). All by default.

    Returns
    -------
    dict
        A band for each key of one letter per axis, in the order of ``axes``:
        ``'a'`` for approximation (low-pass), ``'d'`` for detail (high-pass).

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt`.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> bands = lw.dwtn(np.ones((4, 6, 8)), "haar", axes=(0, 2))
    >>> {key: band.shape for key, band in bands.items()}
    {'aa': (2, 6, 4), 'ad': (2, 6, 4), 'da': (2, 6, 4), 'dd': (2, 6, 4)}
    """
    data = as_array(data)
    if data.ndim < 1:
        raise ShapeError("Input data must be at least 1D, got a 0-d array")
    return _analysis(data, axis_plans(normalize_axes(axes, data.ndim), wavelet, mode))


def idwtn(
    coeffs: Mapping[str, ArrayLike | None],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | None = None,
) -> Array:
    """Single-level inverse n-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : dict
        Bands as :func:`dwtn` gives them; missing ones, and ``None``, mean zeros.
    wavelet, mode
        As given to :func:`dwtn`.
    axes : sequence of int, optional
        As given to :func:`dwtn`. By default the first axes, as many as the
        keys have letters.

    Returns
    -------
    array
        With lengths as for :func:`idwt` along each axis.

    Raises
    ------
    ValueError
        If no band is given, a key is not valid, or the bands do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(8.0).reshape(2, 2, 2)
    >>> bool(np.allclose(lw.idwtn(lw.dwtn(x, "haar"), "haar"), x))
    True
    """
    bands = checked_bands({k: v for k, v in coeffs.items() if v is not None})
    letters = max(map(len, bands), default=0)
    if letters == 0:
        raise ShapeError("`coeffs` must contain at least one non-null wavelet band")
    ndim = letters if axes is None else next(iter(bands.values())).ndim
    normalized = normalize_axes(axes, ndim)
    if len(normalized) != letters:
        raise ShapeError(
            f"keys of {letters} letters belong to {letters} axes, got axes {normalized}"
        )
    return _synthesis(bands, axis_plans(normalized, wavelet, mode))


def checked_bands(bands: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """The bands as arrays, once their keys are valid.

    Raises
    ------
    ShapeError
        If a band is ``None``, a key has other letters than ``a`` and ``d``,
        or keys differ in length.
    """
    missing = [key for key, band in bands.items() if band is None]
    if missing:
        raise ShapeError(
            f"The following detail coefficients were set to None:\n{missing}\n"
            "For multilevel transforms use arrays of zeros instead of None, or leave the key out."
        )
    invalid = [key for key in bands if not set(key) <= set("ad")]
    if invalid:
        raise ShapeError(
            f"The following invalid keys were found in the detail coefficient dictionary: {invalid}; "
            "a key has one letter per axis, 'a' or 'd'"
        )
    if len({len(key) for key in bands}) > 1:
        raise ShapeError(f"All detail coefficient names must have equal length, got {list(bands)}.")
    return {key: as_array(band) for key, band in bands.items()}


def two_axes(axes: Sequence[int]) -> tuple[int, int]:
    """The axes of a 2-D transform: two of them."""
    pair = tuple(axes)
    if len(pair) != 2:
        raise ShapeError(f"Expected 2 axes, got {pair}")
    return pair[0], pair[1]


# --- lengths and padding ---------------------------------------------------------------------------


def dwt_max_level(data_len: int, filter_len: int | WaveletLike) -> int:
    r"""The largest useful number of levels for a signal.

    Parameters
    ----------
    data_len : int
        Number of samples.
    filter_len : int or wavelet
        Length of the filters, or a wavelet that has them.

    Returns
    -------
    int
        :math:`\lfloor \log_2(\mathtt{data\_len} / (\mathtt{filter\_len} - 1)) \rfloor`,
        at least 0: up to this level some coefficient is free of boundary effects.

    Raises
    ------
    ValueError
        If ``filter_len`` is neither an integer of at least 2 nor a wavelet.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.dwt_max_level(1000, "db4")
    7
    """
    return max_level(int(operator.index(_whole(data_len))), _filter_length(filter_len))


def _whole(value: Any) -> int:
    """Integers, also those that come as floats without a fraction."""
    try:
        whole = int(value)
    except (TypeError, ValueError, OverflowError):
        raise ShapeError(f"expected a whole number of samples, got {value!r}") from None
    if whole != value:
        raise ShapeError(f"expected a whole number of samples, got {value!r}")
    return whole


def _filter_length(filter_len: Any) -> int:
    if isinstance(filter_len, str | pywt.Wavelet | FilterBank | LiftingScheme):
        return _known_wavelet(filter_len).dec_len
    try:
        length = int(filter_len)
    except (TypeError, ValueError):
        length = -1
    if length != filter_len:
        raise WaveletError(
            "filter_len must be an integer, discrete Wavelet object, or the name of a discrete "
            f"wavelet, got {filter_len!r}"
        )
    if length < 2:
        raise WaveletError(f"invalid wavelet filter length: {length} (at least 2 taps are needed)")
    return length


def _known_wavelet(wavelet: WaveletLike) -> FilterBank | LiftingScheme:
    try:
        return resolve_wavelet(wavelet)
    except WaveletError as error:
        raise WaveletError(
            f"'{wavelet}', is not a recognized discrete wavelet.  A list of supported wavelet names "
            "can be obtained via wavelist(kind='discrete')"
        ) from error


def dwtn_max_level(
    shape: Sequence[int], wavelet: Wavelets, axes: Sequence[int] | None = None
) -> int:
    """The largest useful number of levels for an n-D array: the least over its axes.

    Parameters
    ----------
    shape : sequence of int
        Shape of the data.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`dwtn`.
    axes : sequence of int, optional
        The axes to transform; all by default.

    Returns
    -------
    int
        See :func:`dwt_max_level`.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.dwtn_max_level((64, 32), "db2")
    3
    """
    sizes = tuple(shape)
    if not sizes:
        raise ShapeError("Expected at least 1D input data.")
    normalized = normalize_axes(axes, len(sizes), unique=True)
    plans = axis_plans(normalized, wavelet, "symmetric")
    return min(max_level(sizes[p.axis], p.wavelet.dec_len) for p in plans)


def dwt_coeff_len(data_len: int, filter_len: int | WaveletLike, mode: ModeLike) -> int:
    """Number of approximation coefficients of :func:`dwt`.

    Parameters
    ----------
    data_len : int
        Number of samples.
    filter_len : int or wavelet
        Length of the filters, or a wavelet that has them.
    mode : str
        Boundary mode.

    Returns
    -------
    int
        ``floor((data_len + filter_len - 1) / 2)``; for ``"periodization"`` and
        for lifting schemes ``ceil(data_len / 2)``.

    Raises
    ------
    ValueError
        If a length is not positive.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.dwt_coeff_len(10, 8, "symmetric"), lw.dwt_coeff_len(10, 8, "periodization")
    (8, 5)
    """
    n, name = _whole(data_len), resolve_mode(mode)
    if n < 1:
        raise ShapeError(f"Value of data_len must be greater than zero, got {n}.")
    if isinstance(filter_len, str | pywt.Wavelet | FilterBank | LiftingScheme):
        wavelet = _known_wavelet(filter_len)
        if isinstance(wavelet, LiftingScheme):
            return band_lengths(n, wavelet, name)[0]
        filter_len = wavelet.dec_len
    length = _whole(filter_len)
    if length < 1:
        raise WaveletError(f"Value of filter_len must be greater than zero, got {length}.")
    return filter_bank_length(n, length, name)


def pad(x: ArrayLike, pad_widths: Any, mode: ModeLike) -> Array:
    """Extend an array beyond its ends by a boundary mode.

    Parameters
    ----------
    x : array_like
        The array to extend; its dtype is kept where the mode permits it.
    pad_widths : int, (int,), ((before, after),) or one pair per axis
        Samples to add before and after each axis, broadcast as in
        :func:`numpy.pad`.
    mode : str
        Boundary mode (:func:`dwt`). ``"constant"`` repeats the end samples
        (``mode="edge"`` in :func:`numpy.pad`). ``"periodization"`` first
        repeats the last sample where a length is odd.

    Returns
    -------
    array
        ``x`` with its extension on all sides.

    Raises
    ------
    ValueError
        If a width is negative or the mode does not exist.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.pad([1, 2, 3], 2, "antireflect").tolist()
    [-1, 0, 1, 2, 3, 4, 5]
    """
    array, name = as_array(x), resolve_mode(mode)
    widths = _pad_widths(pad_widths, array.ndim)
    if name in _WEIGHTED_MODES and not _holds_negatives(array):
        array = open_array(array).array
    for axis, (before, after) in enumerate(widths):
        array = _padded_axis(array, before, after, name, axis)
    return array


_WEIGHTED_MODES = ("smooth", "antisymmetric", "antireflect")


def _holds_negatives(x: Array) -> bool:
    return not array_namespace(x).isdtype(x.dtype, ("bool", "unsigned integer"))


def _pad_widths(pad_widths: Any, ndim: int) -> list[tuple[int, int]]:
    widths = np.round(np.asarray(pad_widths)).astype(np.intp)
    if widths.size and widths.min() < 0:
        raise ShapeError(f"pad_widths must be >= 0, got {pad_widths}")
    return [(int(b), int(a)) for b, a in np.broadcast_to(widths, (ndim, 2))]


def _padded_axis(x: Array, before: int, after: int, mode: Mode, axis: int) -> Array:
    n = x.shape[axis]
    if n == 0 and before + after:
        raise ShapeError(f"cannot extend axis {axis} of shape {tuple(x.shape)}: it has no samples")
    if mode == "periodization":
        after += n % 2
    return reference.extended(x, signal_extension(n, mode, before, after), axis)
