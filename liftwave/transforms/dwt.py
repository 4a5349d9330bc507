"""Single-level transforms, with PyWavelets' names, signatures and results."""

from __future__ import annotations

from typing import Any, Literal

from liftwave._execute import execute, graph_node
from liftwave._typing import ArrayT, Data, ModeLike
from liftwave.transforms import calls, synthesis_calls
from liftwave.wavelets.resolve import WaveletLike


@graph_node
def dwt(
    data: Data[ArrayT],
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    axis: int = -1,
    *,
    out: tuple[ArrayT, ArrayT] | None = None,
    dtype: Any = None,
) -> tuple[ArrayT, ArrayT]:
    r"""Single-level discrete wavelet transform along one axis.

    Parameters
    ----------
    data : array_like, shape (..., n, ...)
        Signal: an array of NumPy, CuPy, torch or another array-API library.
        float32, float64, complex64 and complex128 keep their dtype. So does
        half precision, except of NumPy. Integers become float64.
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
        With a lifting scheme the transform is computed by lifting, and is
        critically sampled.
    mode : str, optional
        Boundary mode, one of ``Modes.modes``, or ``"orthogonal"`` for orthonormal
        wavelets of plain numbers; for a lifting scheme one of ``"periodization"``,
        ``"reflect"``, ``"symmetric"``, ``"zero"``, ``"constant"``.
    axis : int, optional
        Axis to transform; all others are batch axes.
    out : (array, array), optional
        Writeable arrays for ``cA`` and ``cD``, of their library, shapes and dtype. The function
        writes the bands to them and returns ``out``. They must not share memory with each other or
        with ``data``. Kernels write to C-contiguous arrays directly, and results for other arrays
        are copied (see "Threads and memory" in the guide).
    dtype : dtype or str, optional
        The dtype of the coefficients of an integer lifting scheme: int16, int32 or int64. The
        default one holds the coefficients of all data of their dtype. A narrower one saves
        memory, and is possible if the data are small enough: see
        :meth:`LiftingScheme.to_integer`.

    Returns
    -------
    cA, cD : array
        Approximation and detail, in the library, dtype and on the device of
        ``data``. Along ``axis`` both have ``floor((n + dec_len - 1) / 2)``
        coefficients, under ``"periodization"`` ``ceil(n / 2)``. By lifting, and under
        ``"orthogonal"``, they have ``ceil(n / 2)`` and ``floor(n / 2)`` (by lifting under
        ``"periodization"`` both ``ceil(n / 2)``). With an integer scheme they are integers. See
        :meth:`LiftingScheme.to_integer` for their dtype.

    Raises
    ------
    WaveletError, ModeError, AxisError, ShapeError, DTypeError
        If the wavelet, mode or axis does not exist, the signal is empty, or the
        data are not numbers. Under ``"orthogonal"``, if the wavelet is not orthonormal, or the
        signal has less than ``2 * (dec_len - 2)`` samples. All but the last are
        :class:`ValueError`, the last is a :class:`TypeError`.
    CoefficientsError, ShapeError, DTypeError, ArgumentTypeError
        If ``out`` does not match the result. Nothing is computed in this case.

    Notes
    -----
    .. math:: cA_k = \sum_j \mathtt{dec\_lo}_j \, \tilde x_{2k+1-j}, \qquad
              cD_k = \sum_j \mathtt{dec\_hi}_j \, \tilde x_{2k+1-j}

    where :math:`\tilde x` is the signal extended by the boundary mode (under
    ``"periodization"`` the index is :math:`2k + L/2 - j`). The convention is
    PyWavelets' [1]_. Under ``"orthogonal"``, filters inside the signal compute the same
    coefficients. Those that would reach beyond its ends are replaced by functions that make the
    transform an orthogonal matrix.

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

    A loop writes the bands of each signal to the same memory:

    >>> import numpy as np
    >>> bands = np.empty(3), np.empty(3)
    >>> for signal in np.eye(3, 6):
    ...     assert lw.dwt(signal, "haar", out=bands) is bands
    """
    result: tuple[ArrayT, ArrayT] = execute(calls.dwt(data, wavelet, mode, axis), out, dtype=dtype)
    return result


@graph_node
def idwt(
    cA: Data[ArrayT] | None,
    cD: Data[ArrayT] | None,
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    axis: int = -1,
    *,
    out: ArrayT | None = None,
) -> ArrayT:
    """Single-level inverse discrete wavelet transform along one axis.

    Parameters
    ----------
    cA, cD : array_like or None
        Approximation and detail, as :func:`dwt` returns them. One of them can
        be ``None``, which means zeros.
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
        As passed to :func:`dwt`.
    mode : str, optional
        As passed to :func:`dwt`.
    axis : int, optional
        Axis along which the bands are merged.
    out : array, optional
        A writeable array of the library, shape and dtype of the result. The function writes the
        result to it and returns it.

    Returns
    -------
    array
        Along ``axis`` it has ``2 * len(cA) - rec_len + 2`` samples, under
        ``"periodization"`` ``2 * len(cA)``. If the signal had an odd length, this is one
        sample more. Lifting, and ``"orthogonal"``, return exactly ``len(cA) + len(cD)``
        samples.

    Raises
    ------
    ValueError
        If both bands are ``None``, do not fit together, or are too short for the wavelet, or
        ``out`` does not match the result.

    Examples
    --------
    >>> import liftwave as lw
    >>> cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "db2", "periodization")
    >>> lw.idwt(cA, cD, "db2", "periodization").round(6).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    """
    result: ArrayT = execute(synthesis_calls.idwt(cA, cD, wavelet, mode, axis), out)
    return result


@graph_node
def downcoef(
    part: Literal["a", "d"],
    data: Data[ArrayT],
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    level: int = 1,
    *,
    out: ArrayT | None = None,
) -> ArrayT:
    """Return one band of a 1-D signal: the approximation or the detail of one level.

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
    out : array, optional
        A writeable array for the band, as for :func:`idwt`.

    Returns
    -------
    array
        The 1-D band.

    Raises
    ------
    ValueError
        If ``data`` is not one-dimensional, ``part`` or ``level`` is not valid, or ``out``
        does not match the band.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.downcoef("a", [1.0, 2.0, 3.0, 4.0], "haar", level=2).round(6).tolist()
    [5.0]
    """
    result: ArrayT = execute(calls.downcoef(part, data, wavelet, mode, level), out)
    return result


@graph_node
def upcoef(
    part: Literal["a", "d"],
    coeffs: Data[ArrayT],
    wavelet: WaveletLike,
    level: int = 1,
    take: int = 0,
) -> ArrayT:
    """Return the contribution of one band of coefficients to a 1-D signal, edges included.

    Parameters
    ----------
    part : {'a', 'd'}
        Whether ``coeffs`` are an approximation or details.
    coeffs : array_like, shape (m,)
        Coefficients of one band.
    wavelet
        As for :func:`dwt`. The filter bank of a lifting scheme is used, since
        the signal has no boundary here.
    level : int, optional
        Level of the band, from 1.
    take : int, optional
        Length of the central part to return, if positive and less than that of the result.

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
    result: ArrayT = execute(calls.upcoef(part, coeffs, wavelet, level, take))
    return result
