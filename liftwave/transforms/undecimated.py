"""Undecimated (stationary) transforms, with PyWavelets' names, signatures and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._execute import execute, graph_node
from liftwave._typing import Array, ArrayT, Data, ModeLike, Modes
from liftwave.transforms import undecimated_calls as calls
from liftwave.wavelets.resolve import WaveletLike, Wavelets

# --- one axis ----------------------------------------------------------------------------------


@graph_node
def swt(
    data: Data[ArrayT],
    wavelet: WaveletLike,
    level: int | None = None,
    start_level: int = 0,
    axis: int = -1,
    trim_approx: bool = False,
    norm: bool = False,
    *,
    mode: ModeLike = "periodization",
    out: list[Any] | None = None,
) -> list[Any]:
    r"""Multilevel undecimated (stationary) wavelet transform along one axis.

    Parameters
    ----------
    data : array_like, shape (..., n, ...)
        Signal (see :func:`dwt` for libraries and dtypes), of any length.
    wavelet : str, Wavelet, FilterBank, or LiftingScheme
        As for :func:`dwt`.
    level : int, optional
        Number of levels; by default :func:`swt_max_level`.
    start_level : int
        The level of ``data``: the filters of the first level are those of level
        ``start_level + 1``. :func:`iswt` inverts the transform only for 0.
    axis : int, optional
        Axis to transform; all others are batch axes.
    trim_approx : bool
        Whether to return only the coarsest approximation.
    norm : bool
        Whether to divide the filters by :math:`\sqrt 2`. With ``trim_approx=True`` and an
        orthogonal wavelet, the coefficients then have the energy of the data.
    mode : str
        The boundary mode that extends the approximation of each level. By default
        (``"periodization"``, the same as ``"periodic"``), indices are periodic. A filter bank has
        the modes of :func:`dwt`; :func:`iswt` inverts only the default. A lifting scheme has the
        modes of lifting, and an inverse in each of them.
    out : list, optional
        Arrays for the coefficients, in the structure of the result, as for :func:`dwt`.

    Returns
    -------
    list
        ``[(cA_n, cD_n), …, (cA_1, cD_1)]``, coarsest first; ``[cA_n, cD_n, …, cD_1]`` with
        ``trim_approx``. Each band has the shape of ``data``.

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt`, also for ``out``; also if ``level`` is less than 1 or ``start_level`` is
        negative, or if the distance of the taps of the last level is at least the length of a
        signal that is not periodic.

    Warns
    -----
    NormWarning
        If ``norm`` is set and the wavelet is not orthogonal.

    Notes
    -----
    With filters :math:`h` (low-pass) and :math:`g` of :math:`L` taps, level :math:`j` computes,
    with :math:`s = 2^{j-1}` and periodic indices,

    .. math::

        cA_j[k] &= \sum_i h_i\, cA_{j-1}[(k + s (L/2 - i)) \bmod n] \\
        cD_j[k] &= \sum_i g_i\, cA_{j-1}[(k + s (L/2 - i)) \bmod n]

    (the algorithme à trous: Holschneider et al., *A real-time algorithm for signal analysis with
    the help of the wavelet transform*, 1989; Mallat, *A Wavelet Tour of Signal Processing*, 2009,
    section 5.2.2). The transform of a circularly shifted signal is the shifted transform.
    PyWavelets requires lengths that are multiples of ``2**level``; the formula does not. In another
    mode, a filter bank reads the extension of :math:`cA_{j-1}` in place of periodic indices.

    A lifting scheme runs its steps on the whole grid, with taps :math:`s` times as far apart. Both
    channels start as copies of the signal. Steps predict and update, in this order,

    .. math::

        D_k &\mathrel{+}= \sum_i t_i A_{k + s (2 (\mathtt{offset} + i) - 1)} \\
        A_k &\mathrel{+}= \sum_i t_i D_{k + s (2 (\mathtt{offset} + i) + 1)}.

    The bands are those of the filter bank, each shifted by a fixed number of samples
    (``"periodization"``). :func:`iswt` undoes the steps exactly in every boundary mode, and without
    loss with an integer scheme. For symmetric wavelets, the modes ``"reflect"`` and ``"symmetric"``
    give the transform of the extended signal. For other wavelets, the coefficients near the ends
    depend on the scheme.

    Examples
    --------
    >>> import liftwave as lw
    >>> ((cA, cD),) = lw.swt([1.0, 2.0, 4.0, 8.0], "haar", level=1)
    >>> cA.round(6).tolist(), cD.round(6).tolist()
    ([2.12132, 4.242641, 8.485281, 6.363961], [-0.707107, -1.414214, -2.828427, 4.949747])
    """
    result: list[Any] = execute(
        calls.swt(data, wavelet, level, start_level, axis, trim_approx, norm, mode), out
    )
    return result


@graph_node
def iswt(
    coeffs: Sequence[Any],
    wavelet: WaveletLike,
    norm: bool = False,
    axis: int = -1,
    *,
    mode: ModeLike = "periodization",
    out: Array | None = None,
) -> Array:
    r"""Multilevel inverse undecimated wavelet transform along one axis.

    Parameters
    ----------
    coeffs : list
        ``[(cA_n, cD_n), …, (cA_1, cD_1)]`` or ``[cA_n, cD_n, …, cD_1]``, as :func:`swt` returns
        them. Only the coarsest approximation is used. A detail can be ``None``, which means zeros.
    wavelet, norm, axis, mode
        As passed to :func:`swt`. With a filter bank, ``mode`` must be ``"periodization"`` or
        ``"periodic"``.
    out : array, optional
        A writeable array for the result, as for :func:`idwt`.

    Returns
    -------
    array
        The signal.

    Raises
    ------
    ValueError
        If the list is empty, the bands do not have the same shape, ``out`` does not match, or
        ``mode`` has no inverse.

    Notes
    -----
    With synthesis filters :math:`\tilde h` and :math:`\tilde g`, level :math:`j` computes, with
    :math:`s = 2^{j-1}`,

    .. math::

        cA_{j-1}[k] = \tfrac12 \sum_i \bigl( \tilde h_i\, cA_j[m_i] + \tilde g_i\, cD_j[m_i] \bigr),
        \quad m_i = (k + s (L/2 - 1 - i)) \bmod n.

    This is the average of the inverses of the two downsampled transforms that the level contains.
    It inverts :func:`swt`. Coefficients that are not the transform of any signal are projected:
    with an orthogonal wavelet, the result is the signal whose coefficients are nearest (least
    squares).

    Examples
    --------
    >>> import liftwave as lw
    >>> coeffs = lw.swt([1, 2, 3, 4, 5, 6, 7], "db2", level=2)
    >>> lw.iswt(coeffs, "db2").round(6).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    result: Array = execute(calls.iswt(coeffs, wavelet, norm, axis, mode), out)
    return result


# --- two axes ------------------------------------------------------------------------------------


@graph_node
def swt2(
    data: Data[ArrayT],
    wavelet: Wavelets,
    level: int,
    start_level: int = 0,
    axes: Sequence[int] = (-2, -1),
    trim_approx: bool = False,
    norm: bool = False,
    *,
    mode: Modes = "periodization",
    out: list[Any] | None = None,
) -> list[Any]:
    """Multilevel 2-D undecimated wavelet transform.

    Parameters
    ----------
    data : array_like, shape (..., H, W)
        Image, or a batch of images, of any size.
    wavelet : wavelet, or sequence of two
        As for :func:`swt`; one, or one per axis.
    level : int
        Number of levels.
    start_level
        As for :func:`swt`.
    axes : 2-sequence of int, optional
        The axes to transform, vertical (H) first.
    trim_approx : bool
        Whether to return only the coarsest approximation.
    norm, mode
        As for :func:`swt`; ``mode`` is one for all axes, or one per axis.
    out : list, optional
        Arrays for the coefficients, in the structure of the result, as for :func:`dwt`.

    Returns
    -------
    list
        ``[(cA_n, (cH_n, cV_n, cD_n)), …, (cA_1, (cH_1, cV_1, cD_1))]``, coarsest first;
        ``[cA_n, (cH_n, cV_n, cD_n), …, (cH_1, cV_1, cD_1)]`` with ``trim_approx``. Bands are named
        as in :func:`dwt2`. Each has the shape of ``data``.

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt2`; also if ``level`` or ``start_level`` is negative, or ``out``
        does not match.

    Warns
    -----
    NormWarning
        If ``norm`` is set and a wavelet is not orthogonal.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> ((cA, (cH, cV, cD)),) = lw.swt2(np.ones((3, 5)), "haar", level=1)
    >>> cA.shape, float(cA[0, 0].round(6)), bool(np.all(abs(cH) < 1e-12))
    ((3, 5), 2.0, True)
    """
    result: list[Any] = execute(
        calls.swt2(data, wavelet, level, start_level, axes, trim_approx, norm, mode), out
    )
    return result


@graph_node
def iswt2(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    norm: bool = False,
    axes: Sequence[int] = (-2, -1),
    *,
    mode: Modes = "periodization",
    out: Array | None = None,
) -> Array:
    """Multilevel inverse 2-D undecimated wavelet transform.

    Parameters
    ----------
    coeffs : list
        Coefficients as :func:`swt2` returns them, with or without the approximations of all
        levels. Only the coarsest one is used. A detail can be ``None``, which means zeros.
    wavelet, norm, axes, mode
        As passed to :func:`swt2`.
    out : array, optional
        A writeable array for the result, as for :func:`idwt`.

    Returns
    -------
    array
        The image (see :func:`iswt` for the formula).

    Raises
    ------
    ValueError
        If the list is empty, the bands do not have the same shape, or ``out`` does not match.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> image = np.arange(15.0).reshape(3, 5)
    >>> bool(np.allclose(lw.iswt2(lw.swt2(image, "db2", level=2), "db2"), image))
    True
    """
    result: Array = execute(calls.iswt2(coeffs, wavelet, norm, axes, mode), out)
    return result


# --- any axes ------------------------------------------------------------------------------------


@graph_node
def swtn(
    data: Data[ArrayT],
    wavelet: Wavelets,
    level: int,
    start_level: int = 0,
    axes: Sequence[int] | None = None,
    trim_approx: bool = False,
    norm: bool = False,
    *,
    mode: Modes = "periodization",
    out: list[Any] | None = None,
) -> list[Any]:
    """Multilevel n-D undecimated wavelet transform.

    Parameters
    ----------
    data : array_like
        The data, of any size.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`swt`; one, or one per axis.
    level : int
        Number of levels.
    start_level
        As for :func:`swt`.
    axes : sequence of int, optional
        The axes to transform; all by default. No axis can occur twice.
    trim_approx : bool
        Whether to return only the coarsest approximation.
    norm, mode
        As for :func:`swt`; ``mode`` is one for all axes, or one per axis.
    out : list, optional
        Arrays for the coefficients, in the structure of the result, as for :func:`dwt`.

    Returns
    -------
    list
        A dict of the bands of each level by key, as :func:`dwtn` returns it, coarsest level first.
        With ``trim_approx`` the coarsest approximation comes first, and the dicts have only
        details, as from :func:`wavedecn`. Each band has the shape of ``data``.

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwtn`; also if ``level`` or ``start_level`` is negative, or ``out``
        does not match.

    Warns
    -----
    NormWarning
        If ``norm`` is set and a wavelet is not orthogonal.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> (bands,) = lw.swtn(np.ones((3, 4, 5)), "haar", level=1)
    >>> sorted(bands), bands["aaa"].shape
    (['aaa', 'aad', 'ada', 'add', 'daa', 'dad', 'dda', 'ddd'], (3, 4, 5))
    """
    result: list[Any] = execute(
        calls.swtn(data, wavelet, level, start_level, axes, trim_approx, norm, mode), out
    )
    return result


@graph_node
def iswtn(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    axes: Sequence[int] | None = None,
    norm: bool = False,
    *,
    mode: Modes = "periodization",
    out: Array | None = None,
) -> Array:
    """Multilevel inverse n-D undecimated wavelet transform.

    Parameters
    ----------
    coeffs : list
        Coefficients as :func:`swtn` returns them, with or without the approximations of all
        levels. Only the coarsest one is used. Keys that are missing stand for zeros.
    wavelet, axes, norm, mode
        As passed to :func:`swtn`.
    out : array, optional
        A writeable array for the result, as for :func:`idwt`.

    Returns
    -------
    array
        The data (see :func:`iswt` for the formula).

    Raises
    ------
    ValueError
        If the list is empty, its keys do not fit the axes, or the bands do not have the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(60.0).reshape(3, 4, 5)
    >>> bool(np.allclose(lw.iswtn(lw.swtn(x, "db2", level=2), "db2"), x))
    True
    """
    result: Array = execute(calls.iswtn(coeffs, wavelet, axes, norm, mode), out)
    return result
