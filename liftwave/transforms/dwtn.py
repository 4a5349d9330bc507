"""Single-level transforms over several axes, with PyWavelets' names, signatures and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liftwave._arrays.convert import as_array
from liftwave._compiled_step import as_step, is_read
from liftwave._execute import analyse, synthesise
from liftwave._plan.arguments import normalize_axes
from liftwave._plan.axes import axis_plans
from liftwave._typing import Array, ArrayLike, Modes
from liftwave.errors import ShapeError
from liftwave.wavelets.resolve import Wavelets


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
    *,
    out: Array | None = None,
) -> Array:
    """Single-level inverse 2-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : (cA, (cH, cV, cD))
        Bands as :func:`dwt2` gives them; any may be ``None``, which means zeros.
    wavelet, mode, axes
        As given to :func:`dwt2`.
    out : array, optional
        As for :func:`idwt`.

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
    return idwtn(dwt2_bands(coeffs), wavelet, mode, two_axes(axes), out=out)


def dwt2_bands(coeffs: Any) -> dict[str, ArrayLike | None]:
    """The bands of :func:`dwt2` by key.

    Raises
    ------
    ShapeError
        If they are not such bands.
    """
    try:
        approx, (horizontal, vertical, diagonal) = coeffs
    except (TypeError, ValueError):
        raise ShapeError(
            f"expected the bands (cA, (cH, cV, cD)) as dwt2 gives them, got {type(coeffs).__name__}"
            + (f" of {len(coeffs)} items" if hasattr(coeffs, "__len__") else "")
        ) from None
    return {"aa": approx, "da": horizontal, "ad": vertical, "dd": diagonal}


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
    if is_read():
        found: dict[str, Array] = as_step("dwtn", data, wavelet, mode, axes)
        return found
    data = as_array(data)
    if data.ndim < 1:
        raise ShapeError("Input data must be at least 1D, got a 0-d array")
    plans = axis_plans(normalize_axes(axes, data.ndim), wavelet, mode)
    approx, (details,) = analyse(data, plans, 1)
    return {"a" * len(plans): approx, **details}


def idwtn(
    coeffs: Mapping[str, ArrayLike | None],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | None = None,
    *,
    out: Array | None = None,
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
    out : array, optional
        As for :func:`idwt`.

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
    if out is None and is_read():
        return as_step("idwtn", coeffs, wavelet, mode, axes)
    approx, details, normalized = dwtn_bands(coeffs, axes)
    plans = axis_plans(normalized, wavelet, mode)
    return synthesise(approx, [details], plans, fit=False, out=out)


def dwtn_bands(
    coeffs: Mapping[str, ArrayLike | None], axes: Sequence[int] | None
) -> tuple[Array | None, dict[str, Array], tuple[int, ...]]:
    """Approximation, details by key, and normalized axes, of bands as :func:`dwtn` gives them.

    Raises
    ------
    ShapeError
        If no band is given, or a key is not valid.
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
    return bands.pop("a" * letters, None), bands, normalized


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
            "The following invalid keys were found in the detail coefficient dictionary: "
            f"{invalid}; a key has one letter per axis, 'a' or 'd'"
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
