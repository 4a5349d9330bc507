"""Multiresolution analyses: signals that add up to the data, one per band of a transform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liftwave._execute import graph_node
from liftwave._typing import Array, ArrayT, Data, ModeLike, Modes
from liftwave.errors import CoefficientsError
from liftwave.transforms import multiresolution_calls as calls
from liftwave.transforms.components import listed, total
from liftwave.wavelets.resolve import WaveletLike, Wavelets

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
        As for :func:`swt` or :func:`wavedec`. Lifting schemes need the decimated transform.
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
    return calls.mra(data, wavelet, level, axis, transform, mode).run()


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
        If the list is empty, or its items are not arrays of one shape.

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
    *,
    levels_only: bool = False,
) -> list[Any]:
    """Multiresolution analysis along two axes; see :func:`mra`.

    Parameters
    ----------
    data : array_like, shape (..., H, W)
        Image, or a batch of images, of any size.
    wavelet : wavelet, or sequence of two
        As for :func:`swt2` or :func:`wavedec2`. Lifting schemes need the decimated transform.
    level : int, optional
        Number of levels. The default of ``"swt2"`` is the smaller :func:`swt_max_level` of both
        axes.
    axes : 2-sequence of int, optional
        The axes to transform.
    transform : {"swt2", "dwt2"}
        The transform whose bands are synthesised.
    mode : str or sequence of two
        The boundary mode of ``"dwt2"``.
    levels_only : bool, optional
        Whether to return one component for each level, the sum of its details, in a third of the
        memory of the single components. Default False.

    Returns
    -------
    list
        ``[S_n, (H_n, V_n, D_n), …, (H_1, V_1, D_1)]``, coarsest first, each of the shape of
        ``data``. With ``levels_only``, ``[S_n, D_n, …, D_1]``, whose sum :func:`imra` returns.

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
    >>> smooth, coarse, fine = lw.mra2(image, "haar", level=2, levels_only=True)
    >>> bool(np.allclose(smooth + coarse + fine, image))
    True
    """
    return calls.mra2(data, wavelet, level, axes, transform, mode, levels_only).run()


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
        If the list is empty, does not have this structure, or its arrays differ in shape.

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
    *,
    levels_only: bool = False,
) -> list[Any]:
    """Multiresolution analysis along any axes; see :func:`mra`.

    Parameters
    ----------
    data : array_like
        The data, of any size.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`swtn` or :func:`wavedecn`. Lifting schemes need the decimated transform.
    level : int, optional
        Number of levels. The default of ``"swtn"`` is the smallest :func:`swt_max_level` of the
        axes.
    axes : sequence of int, optional
        The axes to transform; all by default.
    transform : {"swtn", "dwtn"}
        The transform whose bands are synthesised.
    mode : str or sequence
        The boundary mode of ``"dwtn"``.
    levels_only : bool, optional
        Whether to return one component for each level, the sum of its details. Default False.

    Returns
    -------
    list
        ``[S_n, {details of level n}, …, {details of level 1}]``, with the keys of
        :func:`wavedecn`, each of the shape of ``data``. With ``levels_only``,
        ``[S_n, D_n, …, D_1]``, whose sum :func:`imra` returns.

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
    return calls.mran(data, wavelet, level, axes, transform, mode, levels_only).run()


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
        If the list is empty, does not have this structure, or its arrays differ in shape.

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
