"""Single-level transforms, with PyWavelets' names, signatures and results."""

from __future__ import annotations

import operator
from typing import Literal

from liftwave._arrays.convert import as_array, open_array
from liftwave._compiled_step import as_step, is_read
from liftwave._dispatch import kernels_for
from liftwave._execute import analyse, synthesise
from liftwave._plan.arguments import normalize_axis
from liftwave._plan.axes import axis_plan
from liftwave._plan.axis import check_size, upsampling_plan
from liftwave._typing import Array, ArrayLike, ModeLike
from liftwave.errors import LevelError, ShapeError, WaveletError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import WaveletLike, resolve_wavelet


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
    if is_read():
        cA, cD = as_step("dwt", data, wavelet, mode, axis)
        return cA, cD
    data = as_array(data)
    plans = axis_plan(normalize_axis(axis, data.ndim), wavelet, mode)
    approx, (details,) = analyse(data, plans, 1)
    return approx, details["d"]


def idwt(
    cA: ArrayLike | None,
    cD: ArrayLike | None,
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    axis: int = -1,
    *,
    out: Array | None = None,
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
    out : array, optional
        Where the result goes: a writeable array of the result's library, shape and dtype. It is
        returned.

    Returns
    -------
    array
        Along ``axis`` it has ``2 * len(cA) - rec_len + 2`` samples, under
        ``"periodization"`` ``2 * len(cA)``: one more than the signal had if
        that was odd. Lifting returns exactly ``len(cA) + len(cD)`` samples.

    Raises
    ------
    ValueError
        If both bands are ``None``, do not fit together, or are too short for the wavelet, or
        ``out`` is not what the result would be.

    Examples
    --------
    >>> import liftwave as lw
    >>> cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "db2", "periodization")
    >>> lw.idwt(cA, cD, "db2", "periodization").round(6).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    """
    if out is None and is_read():
        return as_step("idwt", cA, cD, wavelet, mode, axis)
    if cA is None and cD is None:
        raise ShapeError("At least one coefficient parameter must be specified.")
    approx = None if cA is None else as_array(cA)
    details = {} if cD is None else {"d": as_array(cD)}
    ndim = details["d"].ndim if approx is None else approx.ndim
    plans = axis_plan(normalize_axis(axis, ndim), wavelet, mode)
    return synthesise(approx, [details], plans, fit=False, out=out)


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
    check_part(part)
    level = check_positive_level(level)
    plans = axis_plan(0, wavelet, mode)
    approx, details = analyse(data, plans, level)
    return approx if part == "a" else details[0]["d"]


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
        If ``coeffs`` is not one-dimensional, ``part`` or ``level`` is not valid, or the result
        is too large.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.upcoef("a", [2.0], "haar", level=2).round(6).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    coeffs = as_array(coeffs)
    if coeffs.ndim != 1:
        raise ShapeError(f"upcoef only supports 1d coeffs, got shape {tuple(coeffs.shape)}.")
    check_part(part)
    level = check_positive_level(level)
    if coeffs.shape[0] < 1:
        raise ShapeError("upcoef needs at least one coefficient, got none")
    bank = resolve_wavelet(wavelet)
    bank = bank.to_filter_bank() if isinstance(bank, LiftingScheme) else bank
    check_size("the result", (_upsampled_length(coeffs.shape[0], bank.rec_len, level),))
    opened = open_array(coeffs)
    kernels, band = kernels_for(opened.array), opened.array
    for depth in range(level):
        taps = bank.rec_hi if part == "d" and depth == 0 else bank.rec_lo
        band = kernels.synthesis([band], [taps], upsampling_plan(band.shape[0], bank.rec_len), 0)
    return opened.close(_central(band, take))


def _upsampled_length(m: int, taps: int, level: int) -> int:
    """What ``level`` times ``m -> 2 m - 2 + taps`` gives (from 64 levels on: more than it)."""
    return (m + taps - 2 << min(level, 64)) - taps + 2


def _central(band: Array, take: int) -> Array:
    surplus = band.shape[0] - take
    if take <= 0 or surplus <= 0:
        return band
    return band[surplus // 2 : surplus // 2 + take]


def check_part(part: str) -> None:
    """Raise unless ``part`` names a band."""
    if part not in ("a", "d"):
        raise WaveletError(f"Argument 1 must be 'a' or 'd', not '{part}'.")


def check_positive_level(level: int) -> int:
    """The level of a band: an integer from 1."""
    level = operator.index(level)
    if level < 1:
        raise LevelError(f"Value of level must be greater than 0, got {level}.")
    return level
