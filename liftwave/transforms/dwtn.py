"""Single-level transforms over several axes, with PyWavelets' names, signatures and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liftwave._execute import execute, graph_node
from liftwave._typing import ArrayT, Data, Modes
from liftwave.transforms import calls, synthesis_calls
from liftwave.wavelets.resolve import Wavelets


@graph_node
def dwt2(
    data: Data[ArrayT],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] = (-2, -1),
    *,
    out: tuple[ArrayT, tuple[ArrayT, ArrayT, ArrayT]] | None = None,
    dtype: Any = None,
) -> tuple[ArrayT, tuple[ArrayT, ArrayT, ArrayT]]:
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
    out : (array, (array, array, array)), optional
        Arrays for the bands, as for :func:`dwt`.
    dtype : dtype or str, optional
        The dtype of the coefficients of an integer lifting scheme, as for :func:`dwt`.

    Returns
    -------
    (cA, (cH, cV, cD)) : tuple
        The bands, in PyWavelets' order. Their n-D keys (first letter: first
        axis) are ``'aa', ('da', 'ad', 'dd')``. In names with the horizontal
        letter first (first letter: filter along the last axis, W) they are
        ``LL, (LH, HL, HH)``. ``cH`` is the high-pass along H, so it shows
        horizontal edges.

    Raises
    ------
    ValueError
        If ``axes`` are not two axes of ``data``, or as for :func:`dwt`, also for ``out``.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> rows = np.array([[1.0, 1.0], [0.0, 0.0]])  # changes along H only
    >>> cA, (cH, cV, cD) = lw.dwt2(rows, "haar")
    >>> cA.round(6).tolist(), cH.round(6).tolist(), cV.round(6).tolist()
    ([[1.0]], [[1.0]], [[0.0]])
    """
    result: tuple[ArrayT, tuple[ArrayT, ArrayT, ArrayT]] = execute(
        calls.dwt2(data, wavelet, mode, axes), out, dtype=dtype
    )
    return result


@graph_node
def idwt2(
    coeffs: tuple[ArrayT | None, Sequence[ArrayT | None]],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] = (-2, -1),
    *,
    out: ArrayT | None = None,
) -> ArrayT:
    """Single-level inverse 2-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : (cA, (cH, cV, cD))
        Bands as :func:`dwt2` returns them. Any of them can be ``None``, which means zeros.
    wavelet, mode, axes
        As passed to :func:`dwt2`.
    out : array, optional
        As for :func:`idwt`.

    Returns
    -------
    array
        The image, with lengths as for :func:`idwt`.

    Raises
    ------
    ValueError
        If all bands are missing, or they do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> image = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> lw.idwt2(lw.dwt2(image, "haar"), "haar").round(6).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    result: ArrayT = execute(synthesis_calls.idwt2(coeffs, wavelet, mode, axes), out)
    return result


@graph_node
def dwtn(
    data: Data[ArrayT],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | None = None,
    *,
    out: dict[str, ArrayT] | None = None,
    dtype: Any = None,
) -> dict[str, ArrayT]:
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
        The axes to transform, in this order. An axis that occurs twice is
        transformed twice. All by default.
    out : dict of array, optional
        An array for the band of each key, as for :func:`dwt`.
    dtype : dtype or str, optional
        The dtype of the coefficients of an integer lifting scheme, as for :func:`dwt`.

    Returns
    -------
    dict
        A band for each key of one letter per axis, in the order of ``axes``:
        ``'a'`` for approximation (low-pass), ``'d'`` for detail (high-pass).

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt`, also for ``out``.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> bands = lw.dwtn(np.ones((4, 6, 8)), "haar", axes=(0, 2))
    >>> {key: band.shape for key, band in bands.items()}
    {'aa': (2, 6, 4), 'ad': (2, 6, 4), 'da': (2, 6, 4), 'dd': (2, 6, 4)}
    """
    result: dict[str, ArrayT] = execute(calls.dwtn(data, wavelet, mode, axes), out, dtype=dtype)
    return result


@graph_node
def idwtn(
    coeffs: Mapping[str, ArrayT | None],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | None = None,
    *,
    out: ArrayT | None = None,
) -> ArrayT:
    """Single-level inverse n-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : dict
        Bands as :func:`dwtn` returns them. Missing keys and ``None`` mean zeros.
    wavelet, mode
        As passed to :func:`dwtn`.
    axes : sequence of int, optional
        As passed to :func:`dwtn`. By default the first axes, one for each
        letter of the keys.
    out : array, optional
        As for :func:`idwt`.

    Returns
    -------
    array
        With lengths as for :func:`idwt` along each axis.

    Raises
    ------
    ValueError
        If all bands are missing, a key is not valid, or the bands do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(8.0).reshape(2, 2, 2)
    >>> bool(np.allclose(lw.idwtn(lw.dwtn(x, "haar"), "haar"), x))
    True
    """
    result: ArrayT = execute(synthesis_calls.idwtn(coeffs, wavelet, mode, axes), out)
    return result
