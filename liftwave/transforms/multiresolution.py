"""Multiresolution analyses: signals that add up to the data, one per band of a transform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liftwave._arrays.convert import as_array
from liftwave._execute import execute, graph_node
from liftwave._plan.arguments import normalize_axes, normalize_axis, undecimated_level
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave._plan.circular import Undecimated
from liftwave._typing import Array, ArrayT, Data, ModeLike, Modes
from liftwave.errors import CoefficientsError, ModeError, OptionError
from liftwave.transforms import calls, undecimated_calls
from liftwave.transforms.components import listed, of_decimated, of_undecimated, total
from liftwave.transforms.structures import BAND_LIST, TRIPLE_LIST, dict_list
from liftwave.wavelets.resolve import WaveletLike, Wavelets

_NORMALIZED = Undecimated("centred", 0, norm=True)


# --- one axis ----------------------------------------------------------------------------------


@graph_node
def mra(
    data: Data[ArrayT],
    wavelet: WaveletLike,
    level: int | None = None,
    axis: int = -1,
    transform: str = "swt",
    mode: ModeLike = "periodization",
) -> list[ArrayT]:
    r"""Multiresolution analysis along one axis: components that add up to the data.

    Parameters
    ----------
    data : array_like, shape (..., n, ...)
        Signal, of any length.
    wavelet : wavelet
        As for :func:`swt` or :func:`wavedec`.
    level : int, optional
        Number of levels; by default that of the transform.
    axis : int, optional
        Axis to transform; all others are batch axes.
    transform : {"swt", "dwt"}
        The transform whose bands are synthesised: :func:`swt` with ``norm=True``, or
        :func:`wavedec`.
    mode : str
        The boundary mode of ``"dwt"``.

    Returns
    -------
    list of array
        ``[S_n, D_n, …, D_1]``: the smooth component and the details, coarsest first, each of the
        shape of ``data``.

    Raises
    ------
    ValueError, TypeError
        As for the transforms; also if ``transform`` is not one of these, or if ``mode`` is passed
        with ``"swt"``.

    Warns
    -----
    NormWarning
        If the wavelet is not orthogonal (``"swt"`` only).

    Notes
    -----
    A component is the inverse transform of one band, with zeros in place of all others. It is
    aligned with the data: events stay at their places. See Percival & Mofjeld, *Analysis of
    subtidal coastal sea level fluctuations using wavelets*, 1997. Each component is computed from
    its band alone, without filtering zeros.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.array([1.0, 2.0, 3.0, 9.0, 5.0, 6.0, 7.0])
    >>> smooth, coarse, fine = lw.mra(x, "db2", level=2)
    >>> bool(np.allclose(smooth + coarse + fine, x))
    True
    """
    x = as_array(data)
    if _is_undecimated(transform, "swt", "dwt", mode):
        call = undecimated_calls.swt(x, wavelet, level, 0, axis, True, True)
        plans = _plans(wavelet, normalize_axis(axis, x.ndim), x.ndim)
        return of_undecimated(call, plans, BAND_LIST.pack)
    call = calls.wavedec(x, wavelet, mode, level, axis)
    bands = execute(call)
    return of_decimated(x, bands, lambda c: calls.waverec(c, wavelet, mode, axis), BAND_LIST)


def imra(mra_coeffs: Sequence[ArrayT]) -> ArrayT:
    """Return the sum of the components of :func:`mra`.

    Parameters
    ----------
    mra_coeffs : list of array
        Components as :func:`mra` returns them. They are not modified.

    Returns
    -------
    array
        The data.

    Raises
    ------
    ValueError, TypeError
        If the list is empty, or its items are not arrays.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.imra(lw.mra([1.0, 2.0, 4.0, 8.0], "haar", level=1)).round(6).tolist()
    [1.0, 2.0, 4.0, 8.0]
    """
    data: ArrayT = total(listed(mra_coeffs, "mra"))
    return data


# --- two axes ------------------------------------------------------------------------------------


@graph_node
def mra2(
    data: Data[ArrayT],
    wavelet: Wavelets,
    level: int | None = None,
    axes: Sequence[int] = (-2, -1),
    transform: str = "swt2",
    mode: Modes = "periodization",
) -> list[Any]:
    """Multiresolution analysis along two axes; see :func:`mra`.

    Parameters
    ----------
    data : array_like, shape (..., H, W)
        Image, or a batch of images, of any size.
    wavelet : wavelet, or sequence of two
        As for :func:`swt2` or :func:`wavedec2`.
    level : int, optional
        Number of levels. The default of ``"swt2"`` is the smaller :func:`swt_max_level` of both
        axes.
    axes : 2-sequence of int, optional
        The axes to transform.
    transform : {"swt2", "dwt2"}
        The transform whose bands are synthesised.
    mode : str or sequence of two
        The boundary mode of ``"dwt2"``.

    Returns
    -------
    list
        ``[S_n, (H_n, V_n, D_n), …, (H_1, V_1, D_1)]``, coarsest first, each of the shape of
        ``data``.

    Raises
    ------
    ValueError, TypeError
        As for :func:`mra`.

    Warns
    -----
    NormWarning
        If a wavelet is not orthogonal (``"swt2"`` only).

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> image = np.arange(15.0).reshape(3, 5)
    >>> smooth, details = lw.mra2(image, "haar", level=1)
    >>> bool(np.allclose(smooth + sum(details), image))
    True
    """
    x = as_array(data)
    if _is_undecimated(transform, "swt2", "dwt2", mode):
        depth = _depth(x, level, axes)
        call = undecimated_calls.swt2(x, wavelet, depth, 0, axes, True, True)
        return of_undecimated(call, _plans(wavelet, axes, x.ndim), TRIPLE_LIST.pack)
    bands = execute(calls.wavedec2(x, wavelet, mode, level, axes))
    return of_decimated(x, bands, lambda c: calls.waverec2(c, wavelet, mode, axes), TRIPLE_LIST)


def imra2(mra_coeffs: Sequence[Any]) -> Array:
    """Return the sum of the components of :func:`mra2`.

    Parameters
    ----------
    mra_coeffs : list
        Components as :func:`mra2` returns them. They are not modified.

    Returns
    -------
    array
        The data.

    Raises
    ------
    ValueError, TypeError
        If the list is empty or does not have this structure.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> image = np.arange(15.0).reshape(3, 5)
    >>> bool(np.allclose(lw.imra2(lw.mra2(image, "db2", level=2)), image))
    True
    """
    smooth, *details = listed(mra_coeffs, "mra2")
    for triple in details:
        if not isinstance(triple, list | tuple) or len(triple) != 3:
            raise CoefficientsError(
                "the details of a level are three arrays as mra2 returns them, got "
                + type(triple).__name__
            )
    return total([smooth, *(band for triple in details for band in triple)])


# --- any axes ------------------------------------------------------------------------------------


@graph_node
def mran(
    data: Data[ArrayT],
    wavelet: Wavelets,
    level: int | None = None,
    axes: Sequence[int] | int | None = None,
    transform: str = "swtn",
    mode: Modes = "periodization",
) -> list[Any]:
    """Multiresolution analysis along any axes; see :func:`mra`.

    Parameters
    ----------
    data : array_like
        The data, of any size.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`swtn` or :func:`wavedecn`.
    level : int, optional
        Number of levels. The default of ``"swtn"`` is the smallest :func:`swt_max_level` of the
        axes.
    axes : sequence of int, optional
        The axes to transform; all by default.
    transform : {"swtn", "dwtn"}
        The transform whose bands are synthesised.
    mode : str or sequence
        The boundary mode of ``"dwtn"``.

    Returns
    -------
    list
        ``[S_n, {details of level n}, …, {details of level 1}]``, with keys as :func:`wavedecn`
        has, each of the shape of ``data``.

    Raises
    ------
    ValueError, TypeError
        As for :func:`mra`.

    Warns
    -----
    NormWarning
        If a wavelet is not orthogonal (``"swtn"`` only).

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(60.0).reshape(3, 4, 5)
    >>> smooth, details = lw.mran(x, "haar", level=1, axes=(0, 2))
    >>> sorted(details), bool(np.allclose(smooth + sum(details.values()), x))
    (['ad', 'da', 'dd'], True)
    """
    x = as_array(data)
    if _is_undecimated(transform, "swtn", "dwtn", mode):
        count = len(normalize_axes(axes, x.ndim, unique=True))
        depth = _depth(x, level, axes)
        call = undecimated_calls.swtn(x, wavelet, depth, 0, axes, True, True)  # type: ignore[arg-type]
        return of_undecimated(call, _plans(wavelet, axes, x.ndim), dict_list(count).pack)
    call = calls.wavedecn(x, wavelet, mode, level, axes)
    structure, bands = call.result, execute(call)
    return of_decimated(x, bands, lambda c: calls.waverecn(c, wavelet, mode, axes), structure)


def imran(mra_coeffs: Sequence[Any]) -> Array:
    """Return the sum of the components of :func:`mran`.

    Parameters
    ----------
    mra_coeffs : list
        Components as :func:`mran` returns them. They are not modified.

    Returns
    -------
    array
        The data.

    Raises
    ------
    ValueError, TypeError
        If the list is empty or does not have this structure.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(60.0).reshape(3, 4, 5)
    >>> bool(np.allclose(lw.imran(lw.mran(x, "db2", level=1)), x))
    True
    """
    smooth, *details = listed(mra_coeffs, "mran")
    for of_level in details:
        if not isinstance(of_level, Mapping):
            raise CoefficientsError(
                f"the details of a level are a dict as mran returns it, got "
                f"{type(of_level).__name__}"
            )
    return total([smooth, *(band for of_level in details for band in of_level.values())])


# --- arguments -------------------------------------------------------------------------------


def _is_undecimated(transform: str, undecimated: str, decimated: str, mode: Any) -> bool:
    if not isinstance(transform, str) or transform not in (decimated, undecimated):
        raise OptionError(
            f"unrecognized transform: {transform!r}; use {undecimated!r} or {decimated!r}"
        )
    if transform == decimated:
        return False
    if not isinstance(mode, str) or mode != "periodization":
        raise ModeError(
            f"transform {undecimated!r} only supports mode='periodization', got {mode!r}"
        )
    return True


def _depth(x: Array, level: int | None, axes: Any) -> int:
    """The number of levels; by default the largest that all axes support."""
    if level is not None:
        return level
    lengths = [x.shape[axis] for axis in normalize_axes(axes, x.ndim)]
    return min(map(undecimated_level, lengths))


def _plans(wavelet: Wavelets, axes: Any, ndim: int) -> AxisPlans:
    return axis_plans(wavelet, _NORMALIZED, axes, ndim)
