"""Multilevel transforms, with PyWavelets' names, signatures and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._execute import execute, graph_node
from liftwave._typing import ArrayT, Data, ModeLike, Modes
from liftwave.transforms import calls, synthesis_calls
from liftwave.wavelets.resolve import WaveletLike, Wavelets

# --- one axis ----------------------------------------------------------------------------------


@graph_node
def wavedec(
    data: Data[ArrayT],
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    level: int | None = None,
    axis: int = -1,
    *,
    out: list[ArrayT] | None = None,
    dtype: Any = None,
) -> list[ArrayT]:
    """Multilevel discrete wavelet transform along one axis.

    Parameters
    ----------
    data : array_like, shape (..., n, ...)
        Signal (see :func:`dwt` for libraries and dtypes).
    wavelet, mode
        As for :func:`dwt`.
    level : int, optional
        Number of levels; by default :func:`dwt_max_level`.
    axis : int, optional
        Axis to transform; all others are batch axes.
    out : list of array, optional
        Arrays for the coefficients, in the structure of the result, as for :func:`dwt`.
    dtype : dtype or str, optional
        The dtype of the coefficients of an integer lifting scheme, as for :func:`dwt`.

    Returns
    -------
    list of array
        ``[cA_level, cD_level, …, cD_1]``, coarsest first.

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt`; also if ``level`` is negative, or ``out`` does not match.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient depends on the boundary.

    Examples
    --------
    >>> import liftwave as lw
    >>> cA2, cD2, cD1 = lw.wavedec([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], "haar", level=2)
    >>> cA2.round(6).tolist(), cD2.round(6).tolist()
    ([5.0, 13.0], [-2.0, -2.0])
    """
    result: list[ArrayT] = execute(
        calls.wavedec(data, wavelet, mode, level, axis), out, dtype=dtype
    )
    return result


@graph_node
def waverec(
    coeffs: Sequence[ArrayT | None],
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    axis: int = -1,
    *,
    out: ArrayT | None = None,
) -> ArrayT:
    """Multilevel inverse discrete wavelet transform along one axis.

    Parameters
    ----------
    coeffs : list of array
        ``[cA_n, cD_n, …, cD_1]`` as :func:`wavedec` returns them.
    wavelet, mode, axis
        As passed to :func:`wavedec`.
    out : array, optional
        As for :func:`idwt`.

    Returns
    -------
    array
        The signal. If the length of the signal was odd, the result has one
        sample too many, as with PyWavelets. Lifting schemes return the exact
        length. :func:`decompose` stores the length.

    Raises
    ------
    ValueError
        If the list is empty or the bands do not fit together.

    Notes
    -----
    To leave out a level, replace its band by zeros of the same shape.

    Examples
    --------
    >>> import liftwave as lw
    >>> coeffs = lw.wavedec([1.0, 2.0, 3.0, 4.0], "haar")
    >>> lw.waverec(coeffs, "haar").round(6).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    result: ArrayT = execute(synthesis_calls.waverec(coeffs, wavelet, mode, axis), out)
    return result


# --- two axes ------------------------------------------------------------------------------------


@graph_node
def wavedec2(
    data: Data[ArrayT],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] = (-2, -1),
    *,
    out: list[Any] | None = None,
    dtype: Any = None,
) -> list[Any]:
    """Multilevel 2-D discrete wavelet transform.

    Parameters
    ----------
    data : array_like, shape (..., H, W)
        Image, or a batch of images.
    wavelet, mode
        As for :func:`dwt2`; one, or one per axis.
    level : int, optional
        Number of levels; by default the maximum over both axes.
    axes : 2-sequence of int, optional
        The axes to transform, vertical (H) first.
    out : list, optional
        Arrays for the coefficients, in the structure of the result, as for :func:`dwt`.
    dtype : dtype or str, optional
        The dtype of the coefficients of an integer lifting scheme, as for :func:`dwt`.

    Returns
    -------
    list
        ``[cA_n, (cH_n, cV_n, cD_n), …, (cH_1, cV_1, cD_1)]``, coarsest first,
        with the bands named as in :func:`dwt2` (``cH, cV, cD`` = ``LH, HL, HH``).

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt2`; also if ``level`` is negative, or ``out`` does not match.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient depends on the boundary.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> coeffs = lw.wavedec2(np.ones((8, 8)), "haar", level=2)
    >>> coeffs[0].round(6).tolist(), coeffs[1][0].shape, coeffs[2][0].shape
    ([[4.0, 4.0], [4.0, 4.0]], (2, 2), (4, 4))
    """
    result: list[Any] = execute(calls.wavedec2(data, wavelet, mode, level, axes), out, dtype=dtype)
    return result


@graph_node
def waverec2(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] = (-2, -1),
    *,
    out: ArrayT | None = None,
) -> ArrayT:
    """Multilevel inverse 2-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : list
        ``[cA_n, (cH_n, cV_n, cD_n), …]`` as :func:`wavedec2` returns them. A
        detail band can be ``None``, which means zeros.
    wavelet, mode, axes
        As passed to :func:`wavedec2`.
    out : array, optional
        As for :func:`idwt`.

    Returns
    -------
    array
        The image, with sizes as for :func:`waverec`.

    Raises
    ------
    ValueError
        If the list is empty or the bands do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> image = np.arange(16.0).reshape(4, 4)
    >>> bool(np.allclose(lw.waverec2(lw.wavedec2(image, "db2"), "db2"), image))
    True
    """
    result: ArrayT = execute(synthesis_calls.waverec2(coeffs, wavelet, mode, axes), out)
    return result


# --- any axes ------------------------------------------------------------------------------------


@graph_node
def wavedecn(
    data: Data[ArrayT],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] | int | None = None,
    *,
    out: list[Any] | None = None,
    dtype: Any = None,
) -> list[Any]:
    """Multilevel n-D discrete wavelet transform.

    Parameters
    ----------
    data : array_like
        Array of at least one dimension.
    wavelet, mode
        As for :func:`dwtn`; one, or one per axis.
    level : int, optional
        Number of levels; by default :func:`dwtn_max_level`.
    axes : int or sequence of int, optional
        The axes to transform, each once; all by default.
    out : list, optional
        Arrays for the coefficients, in the structure of the result, as for :func:`dwt`.
    dtype : dtype or str, optional
        The dtype of the coefficients of an integer lifting scheme, as for :func:`dwt`.

    Returns
    -------
    list
        ``[cA_n, {details of level n}, …, {details of level 1}]``, coarsest
        first. A detail's key has one letter per axis in the order of
        ``axes``, as in :func:`dwtn`.

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwtn`; also if ``level`` is negative, or ``out`` does not match.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient depends on the boundary.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> coeffs = lw.wavedecn(np.ones((4, 4, 4)), "haar", level=1)
    >>> sorted(coeffs[1])
    ['aad', 'ada', 'add', 'daa', 'dad', 'dda', 'ddd']
    """
    result: list[Any] = execute(calls.wavedecn(data, wavelet, mode, level, axes), out, dtype=dtype)
    return result


@graph_node
def waverecn(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
    *,
    out: ArrayT | None = None,
) -> ArrayT:
    """Multilevel inverse n-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : list
        ``[cA_n, {details of level n}, …]`` as :func:`wavedecn` returns them.
        ``cA_n`` can be ``None`` and keys can be missing: both mean zeros.
    wavelet, mode, axes
        As passed to :func:`wavedecn`.
    out : array, optional
        As for :func:`idwt`.

    Returns
    -------
    array
        With sizes as for :func:`waverec`.

    Raises
    ------
    ValueError
        If the list is empty, a detail is ``None``, a key is not valid, or the
        bands do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(64.0).reshape(4, 4, 4)
    >>> bool(np.allclose(lw.waverecn(lw.wavedecn(x, "haar"), "haar"), x))
    True
    """
    result: ArrayT = execute(synthesis_calls.waverecn(coeffs, wavelet, mode, axes), out)
    return result
