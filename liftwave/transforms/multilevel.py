"""Multilevel transforms, with PyWavelets' names, signatures and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liftwave._arrays.convert import as_array, is_array
from liftwave._compiled_step import as_step, is_read
from liftwave._execute import analyse, synthesise
from liftwave._plan.arguments import check_level, normalize_axes, normalize_axis
from liftwave._plan.axes import AxisPlan, axis_plans
from liftwave._typing import Array, ArrayLike, ModeLike, Modes
from liftwave.errors import ShapeError
from liftwave.transforms.dwtn import checked_bands, two_axes
from liftwave.wavelets.resolve import WaveletLike, Wavelets


def _analyse(
    data: Array, plans: tuple[AxisPlan, ...], level: int | None
) -> tuple[Array, list[dict[str, Array]]]:
    sizes = [data.shape[p.axis] for p in plans]
    return analyse(data, plans, check_level(level, sizes, [p.wavelet for p in plans]))


def ndim_of(approx: Array | None, details: Sequence[Mapping[str, Array]]) -> int:
    """Number of dimensions of the bands, of which there has to be one."""
    arrays = [approx] if approx is not None else [b for bands in details for b in bands.values()]
    if not arrays:
        raise ShapeError("At least one coefficient must contain a valid value.")
    return int(arrays[0].ndim)


def _check_list(coeffs: Any) -> None:
    if not isinstance(coeffs, list | tuple):
        raise ShapeError(f"Expected sequence of coefficient arrays, got {type(coeffs).__name__}.")
    if len(coeffs) < 1:
        raise ShapeError("Coefficient list too short (minimum 1 arrays required).")


# --- one axis ----------------------------------------------------------------------------------


def wavedec(
    data: ArrayLike,
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    level: int | None = None,
    axis: int = -1,
) -> list[Array]:
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
        Axis to transform; all others are batch.

    Returns
    -------
    list of array
        ``[cA_level, cD_level, …, cD_1]``, coarsest first.

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt`; also if ``level`` is negative.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient feels the boundary.

    Examples
    --------
    >>> import liftwave as lw
    >>> cA2, cD2, cD1 = lw.wavedec([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], "haar", level=2)
    >>> cA2.round(6).tolist(), cD2.round(6).tolist()
    ([5.0, 13.0], [-2.0, -2.0])
    """
    if is_read():
        coeffs: list[Array] = as_step("wavedec", data, wavelet, mode, level, axis)
        return coeffs
    data = as_array(data)
    plans = axis_plans((normalize_axis(axis, data.ndim),), (wavelet,), (mode,))
    approx, details = _analyse(data, plans, level)
    return [approx, *(bands["d"] for bands in details)]


def waverec(
    coeffs: Sequence[ArrayLike | None],
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    axis: int = -1,
    *,
    out: Array | None = None,
) -> Array:
    """Multilevel inverse discrete wavelet transform along one axis.

    Parameters
    ----------
    coeffs : list of array
        ``[cA_n, cD_n, …, cD_1]`` as :func:`wavedec` gives them.
    wavelet, mode, axis
        As given to :func:`wavedec`.
    out : array, optional
        As for :func:`idwt`.

    Returns
    -------
    array
        The signal. As with PyWavelets it has one sample too many where the
        signal's length was odd, except from a lifting scheme;
        :func:`decompose` remembers the length.

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
    if out is None and is_read():
        return as_step("waverec", coeffs, wavelet, mode, axis)
    approx, details = wavedec_bands(coeffs)
    if not details and out is None:
        return coeffs[0]
    along = normalize_axis(axis, ndim_of(approx, details))
    return synthesise(approx, details, axis_plans((along,), (wavelet,), (mode,)), out=out)


def wavedec_bands(
    coeffs: Sequence[ArrayLike | None],
) -> tuple[Array | None, list[dict[str, Array]]]:
    """Approximation and details (coarsest first, by key) in a list as of :func:`wavedec`.

    Raises
    ------
    ShapeError
        If it is no such list.
    """
    _check_list(coeffs)
    for detail in coeffs[1:]:
        if detail is not None and not is_array(detail):
            raise ShapeError(
                f"Unexpected detail coefficient type: {type(detail)}. Detail coefficients must be "
                "arrays as returned by wavedec. If you are using array_to_coeffs or "
                "unravel_coeffs, please specify output_format='wavedec'"
            )
    approx = None if coeffs[0] is None else as_array(coeffs[0])
    return approx, [{} if d is None else {"d": as_array(d)} for d in coeffs[1:]]


# --- two axes ------------------------------------------------------------------------------------


def wavedec2(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] = (-2, -1),
) -> list[Any]:
    """Multilevel 2-D discrete wavelet transform.

    Parameters
    ----------
    data : array_like, shape (..., H, W)
        Image, or a batch of images.
    wavelet, mode
        As for :func:`dwt2`; one, or one per axis.
    level : int, optional
        Number of levels; by default the most that either axis allows.
    axes : 2-sequence of int, optional
        The axes to transform, vertical (H) first.

    Returns
    -------
    list
        ``[cA_n, (cH_n, cV_n, cD_n), …, (cH_1, cV_1, cD_1)]``, coarsest first,
        with the bands named as in :func:`dwt2` (``cH, cV, cD`` = ``LH, HL, HH``).

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt2`; also if ``level`` is negative.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient feels the boundary.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> coeffs = lw.wavedec2(np.ones((8, 8)), "haar", level=2)
    >>> coeffs[0].round(6).tolist(), coeffs[1][0].shape, coeffs[2][0].shape
    ([[4.0, 4.0], [4.0, 4.0]], (2, 2), (4, 4))
    """
    if is_read():
        coeffs: list[Any] = as_step("wavedec2", data, wavelet, mode, level, axes)
        return coeffs
    data = as_array(data)
    if data.ndim < 2:
        raise ShapeError(
            f"Expected input data to have at least 2 dimensions, got shape {tuple(data.shape)}."
        )
    normalized = normalize_axes(two_axes(axes), data.ndim, unique=True)
    approx, details = _analyse(data, axis_plans(normalized, wavelet, mode), level)
    return [approx, *((bands["da"], bands["ad"], bands["dd"]) for bands in details)]


def waverec2(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] = (-2, -1),
    *,
    out: Array | None = None,
) -> Array:
    """Multilevel inverse 2-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : list
        ``[cA_n, (cH_n, cV_n, cD_n), …]`` as :func:`wavedec2` gives them. A
        detail band may be ``None``, which means zeros.
    wavelet, mode, axes
        As given to :func:`wavedec2`.
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
    if out is None and is_read():
        return as_step("waverec2", coeffs, wavelet, mode, axes)
    approx, details = wavedec2_bands(coeffs)
    if not details and out is None:
        return coeffs[0]
    axes = normalize_axes(two_axes(axes), ndim_of(approx, details), unique=True)
    return synthesise(approx, details, axis_plans(axes, wavelet, mode), out=out)


def wavedec2_bands(coeffs: Sequence[Any]) -> tuple[Array | None, list[dict[str, Array]]]:
    """Approximation and details (coarsest first, by key) in a list as of :func:`wavedec2`.

    Raises
    ------
    ShapeError
        If it is no such list.
    """
    _check_list(coeffs)
    details = [_details_2d(triple) for triple in coeffs[1:]]
    return None if coeffs[0] is None else as_array(coeffs[0]), details


def _details_2d(triple: Any) -> dict[str, Array]:
    if not isinstance(triple, list | tuple) or len(triple) != 3:
        raise ShapeError(
            f"Unexpected detail coefficient type: {type(triple)}. Detail coefficients must be a "
            "3-tuple of arrays as returned by wavedec2. If you are using array_to_coeffs or "
            "unravel_coeffs, please specify output_format='wavedec2'"
        )
    pairs = zip(("da", "ad", "dd"), triple, strict=True)
    bands = {key: as_array(band) for key, band in pairs if band is not None}
    shapes = [tuple(band.shape) for band in bands.values()]
    if any(shape != shapes[0] for shape in shapes):
        _check_lifted_2d(bands)
    return bands


def _check_lifted_2d(bands: Mapping[str, Array]) -> None:
    """Only lifting makes bands of different shapes, and those differ by at most one sample."""
    shapes = [tuple(band.shape) for band in bands.values()]
    same_ndim = len({len(shape) for shape in shapes}) == 1
    if not same_ndim or any(max(n) - min(n) > 1 for n in zip(*shapes, strict=True)):
        raise ShapeError(f"All detail shapes must be the same length, got {shapes}.")


# --- any axes ------------------------------------------------------------------------------------


def wavedecn(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] | int | None = None,
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

    Returns
    -------
    list
        ``[cA_n, {details of level n}, …, {details of level 1}]``, coarsest
        first. A detail's key has one letter per axis in the order of
        ``axes``, as in :func:`dwtn`.

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwtn`; also if ``level`` is negative.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient feels the boundary.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> coeffs = lw.wavedecn(np.ones((4, 4, 4)), "haar", level=1)
    >>> sorted(coeffs[1])
    ['aad', 'ada', 'add', 'daa', 'dad', 'dda', 'ddd']
    """
    if is_read():
        coeffs: list[Any] = as_step("wavedecn", data, wavelet, mode, level, axes)
        return coeffs
    data = as_array(data)
    if data.ndim < 1:
        raise ShapeError("Expected at least 1D input data, got a 0-d array.")
    plans = axis_plans(normalize_axes(axes, data.ndim, unique=True), wavelet, mode)
    approx, details = _analyse(data, plans, level)
    return [approx, *details]


def waverecn(
    coeffs: Sequence[Any],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
    *,
    out: Array | None = None,
) -> Array:
    """Multilevel inverse n-D discrete wavelet transform.

    Parameters
    ----------
    coeffs : list
        ``[cA_n, {details of level n}, …]`` as :func:`wavedecn` gives them.
        ``cA_n`` may be ``None`` and keys may be left out: both mean zeros.
    wavelet, mode, axes
        As given to :func:`wavedecn`.
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
    if out is None and is_read():
        return as_step("waverecn", coeffs, wavelet, mode, axes)
    approx, details = wavedecn_bands(coeffs)
    if not details and out is None:
        return coeffs[0]
    normalized = normalize_axes(axes, ndim_of(approx, details), unique=True)
    check_key_lengths(details, len(normalized))
    return synthesise(approx, details, axis_plans(normalized, wavelet, mode), out=out)


def wavedecn_bands(coeffs: Sequence[Any]) -> tuple[Array | None, list[dict[str, Array]]]:
    """Approximation and details (coarsest first, by key) in a list as of :func:`wavedecn`.

    Raises
    ------
    ShapeError
        If it is no such list.
    """
    if len(coeffs) < 1:
        raise ShapeError("Coefficient list too short (minimum 1 array required).")
    for bands in coeffs[1:]:
        if not isinstance(bands, Mapping):
            raise ShapeError(
                f"Unexpected detail coefficient type: {type(bands)}. Detail coefficients must be a "
                "dictionary of arrays as returned by wavedecn. If you are using array_to_coeffs "
                "or unravel_coeffs, please specify output_format='wavedecn'"
            )
    details = [checked_bands(bands) for bands in coeffs[1:]]
    return None if coeffs[0] is None else as_array(coeffs[0]), details


def check_key_lengths(details: Sequence[Mapping[str, Array]], naxes: int) -> None:
    """Raise unless the keys have one letter per axis."""
    letters = {len(key) for bands in details for key in bands}
    if not letters <= {naxes}:
        raise ShapeError(
            f"keys of {sorted(letters)} letters do not belong to {naxes} axes; "
            "pass the axes that were transformed"
        )
