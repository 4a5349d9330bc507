"""The maximal overlap transform (MODWT), with the conventions of Percival & Walden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import are_plain, as_array
from liftwave._execute import execute, graph_node
from liftwave._kernels.reference.pieces import slice_along
from liftwave._operations.call import FLAT, Call
from liftwave._operations.plan_transforms import analysis
from liftwave._plan.arguments import check_positive_level, natural_level, normalize_axis
from liftwave._plan.axes import AxisPlans, plans_along
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array, ArrayT, Data
from liftwave.errors import LevelError, ModeError, ShapeError, WaveletError
from liftwave.transforms.alignment import Alignment
from liftwave.transforms.components import Components, parts_of
from liftwave.transforms.structures import BAND_LIST
from liftwave.transforms.undecimated_calls import undecimated_synthesis
from liftwave.transforms.undecimated_modes import is_lifting
from liftwave.wavelets.resolve import WaveletLike

Edges: TypeAlias = Literal["periodic", "reflection"]
"""The extension beyond the ends: the signal again, or its mirror image."""

CAUSAL = Undecimated("causal", 0, norm=True)


@graph_node
def modwt(
    x: Data[ArrayT],
    wavelet: WaveletLike = "sym4",
    level: int | None = None,
    axis: int = -1,
    mode: Edges = "periodic",
    *,
    out: list[ArrayT] | None = None,
) -> list[ArrayT]:
    r"""Maximal overlap discrete wavelet transform.

    Parameters
    ----------
    x : array_like, shape (..., n, ...)
        Signal, of any length.
    wavelet : str, Wavelet, or FilterBank
        The wavelet; usually orthogonal.
    level : int, optional
        Number of levels; by default :math:`\lfloor \log_2 n \rfloor`.
    axis : int, optional
        Axis to transform; all others are batch axes.
    mode : {"periodic", "reflection"}
        ``"reflection"`` transforms the signal followed by its mirror image. The bands then have
        ``2 n`` samples.
    out : list of array, optional
        Arrays for the coefficients, in the structure of the result, as for :func:`dwt`.

    Returns
    -------
    list of array
        ``[V_J, W_J, …, W_1]``: the scaling coefficients of the last level, and the wavelet
        coefficients of each level, coarsest first, as :func:`wavedec` orders them. (MATLAB and the
        packages of R return ``W_1`` first.)

    Raises
    ------
    ValueError, TypeError
        As for :func:`dwt`, also for ``out``; also if ``level`` is less than 1, or ``mode`` is not
        one of these.

    Notes
    -----
    With the synthesis filters :math:`\tilde h` and :math:`\tilde g` of PyWavelets, level :math:`j`
    computes, with periodic indices,

    .. math::

        W_j[t] &= \tfrac{1}{\sqrt 2} \sum_l \tilde g_l\, V_{j-1}[(t - 2^{j-1} l) \bmod n] \\
        V_j[t] &= \tfrac{1}{\sqrt 2} \sum_l \tilde h_l\, V_{j-1}[(t - 2^{j-1} l) \bmod n]

    (Percival & Walden, *Wavelet Methods for Time Series Analysis*, 2000, section 5). With an
    orthogonal wavelet, :math:`\sum_j \|W_j\|^2 + \|V_J\|^2 = \|x\|^2` for every length.
    Coefficients are delayed; :func:`modwt_shifts` aligns them. :func:`swt` with ``norm=True``
    computes the same for the reversed signal, shifted.

    Examples
    --------
    >>> import liftwave as lw
    >>> V1, W1 = lw.modwt([1.0, 2.0, 4.0, 8.0, 7.0], "haar", level=1)
    >>> W1.round(6).tolist(), V1.round(6).tolist()
    ([-3.0, 0.5, 1.0, 2.0, -0.5], [4.0, 1.5, 3.0, 6.0, 7.5])
    """
    result: list[ArrayT] = execute(modwt_call(x, wavelet, level, axis, mode), out)
    return result


@graph_node
def imodwt(
    coeffs: Sequence[ArrayT | None],
    wavelet: WaveletLike = "sym4",
    axis: int = -1,
    mode: Edges = "periodic",
    *,
    out: ArrayT | None = None,
) -> ArrayT:
    """Inverse maximal overlap transform.

    Parameters
    ----------
    coeffs : list of array
        ``[V_J, W_J, …, W_1]`` as :func:`modwt` returns them. An item can be ``None``, which means
        zeros.
    wavelet, axis, mode
        As passed to :func:`modwt`.
    out : array, optional
        A writeable array for the result, as for :func:`idwt`.

    Returns
    -------
    array
        The signal. With ``mode="reflection"`` it has half the samples of the bands.

    Raises
    ------
    ValueError
        If the list is empty, the bands do not have the same shape, ``mode`` is not one of these, or
        ``out`` does not match.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.imodwt(lw.modwt([1.0, 2.0, 4.0, 8.0, 7.0], "db2"), "db2").round(6).tolist()
    [1.0, 2.0, 4.0, 8.0, 7.0]
    """
    call = imodwt_call(coeffs, wavelet, axis)
    if not is_reflection(mode):
        return cast("ArrayT", execute(call, out))
    half: Any = _new_half(call.arrays, axis) if out is None else out
    if half is None:
        return cast("ArrayT", _half(execute(call), axis))
    shape = tuple(_half(call.arrays[0], axis).shape)
    return cast("ArrayT", execute(call, half, shape))


@graph_node
def modwt_mra(
    x: Data[ArrayT],
    wavelet: WaveletLike = "sym4",
    level: int | None = None,
    axis: int = -1,
    mode: Edges = "periodic",
) -> list[ArrayT]:
    """Multiresolution analysis by the maximal overlap transform.

    Parameters
    ----------
    x, wavelet, level, axis, mode
        As for :func:`modwt`.

    Returns
    -------
    list of array
        ``[S_J, D_J, …, D_1]``: components that add up to the data, each of the shape of ``x``.
        They are aligned with the data. With an orthogonal wavelet and ``mode="periodic"`` they are
        those of :func:`mra`.

    Raises
    ------
    ValueError, TypeError
        As for :func:`modwt`.

    Examples
    --------
    >>> import liftwave as lw
    >>> S2, D2, D1 = lw.modwt_mra([1.0, 2.0, 4.0, 8.0, 7.0], "haar", level=2)
    >>> (S2 + D2 + D1).round(6).tolist()
    [1.0, 2.0, 4.0, 8.0, 7.0]
    """
    return mra_call(x, wavelet, level, axis, mode).run()


def modwt_shifts(wavelet: WaveletLike, level: int) -> list[int]:
    r"""Return the delays of the bands of :func:`modwt`, in samples.

    Parameters
    ----------
    wavelet : str, Wavelet, or FilterBank
        The wavelet, whose taps are numbers.
    level : int
        Number of levels.

    Returns
    -------
    list of int
        The delays of ``[V_J, W_J, …, W_1]``. ``np.roll(band, -delay)`` aligns a band with the data.
        (Components of :func:`modwt_mra` need no alignment.)

    Raises
    ------
    ValueError
        If ``level`` is less than 1.

    Notes
    -----
    The delay of the scaling coefficients is the group delay of the filters at frequency 0. The
    delay of the wavelet coefficients follows from the centres of energy of the filters
    (Hess-Nielsen & Wickerhauser, *Wavelets and time-frequency analysis*, 1996). Both are rounded:

    .. math::

        \nu(V_j) &= (2^j - 1)\, \frac{\sum_l l\, \tilde h_l}{\sum_l \tilde h_l} \\
        \nu(W_j) &= 2^{j-1} (e(\tilde h) + e(\tilde g)) - e(\tilde h), \quad
        e(f) = \frac{\sum_l l\, f_l^2}{\sum_l f_l^2}.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.modwt_shifts("sym4", 3)
    [28, 24, 10, 3]
    """
    count = check_positive_level(level)
    (plan,) = plans_of(wavelet, 0, 1)
    if not plan.wavelet.is_concrete:
        raise WaveletError("modwt_shifts needs taps that are numbers, got arrays of a library")
    alignment = Alignment(plan)
    centres = [alignment.centres(count)[0]]
    centres += [alignment.centres(j)[1] for j in range(count, 0, -1)]
    return [-round(centre) for centre in centres]


# --- arguments -------------------------------------------------------------------------------


def modwt_call(data: Any, wavelet: WaveletLike, level: int | None, axis: int, mode: Edges) -> Call:
    """The call of :func:`liftwave.modwt`; ``mode="reflection"`` reflects the signal first."""
    x = as_array(data)
    plans = plans_of(wavelet, axis, x.ndim)
    return analysis_call(x, plans, level, mode)


def analysis_call(x: Array, plans: AxisPlans, level: int | None, mode: Edges) -> Call:
    """The call of a transform of an array along the axis of the plans."""
    n = x.shape[plans[0].axis]
    if level is None:
        level = max(1, int(n).bit_length() - 1)
    if natural_level(level) < 1:
        raise LevelError(f"Level value must be greater than zero, got {level}")
    extended = reflected(x, plans[0].axis) if is_reflection(mode) else x
    return Call(analysis(plans, x.ndim, natural_level(level)), (extended,), BAND_LIST)


def imodwt_call(coeffs: Sequence[Any], wavelet: WaveletLike, axis: int) -> Call:
    """The call of the inverse: the signal, and its mirror image if it was reflected."""
    bands = BAND_LIST.unpack(coeffs)
    like = next((band for band in bands if band is not None), None)
    if like is None:
        raise ShapeError("At least one coefficient must contain a valid value.")
    plans = plans_of(wavelet, axis, like.ndim)
    return undecimated_synthesis(bands, plans, like.ndim, BAND_LIST)


def mra_call(x: Any, wavelet: WaveletLike, level: int | None, axis: int, mode: Edges) -> Components:
    """The call of :func:`liftwave.modwt_mra`."""
    array = as_array(x)
    (plan,) = plans = plans_of(wavelet, axis, array.ndim)
    call = replace(modwt_call(array, wavelet, level, axis, mode), result=FLAT)
    reflects = plan.axis if is_reflection(mode) else None
    return Components(
        call,
        lambda bands: parts_of(bands, plans),
        BAND_LIST.pack,
        BAND_LIST.unpack,
        tuple(array.shape),
        reflects,
    )


def plans_of(wavelet: WaveletLike, axis: int, ndim: int) -> AxisPlans:
    """The plans of the transform along one axis."""
    return plans_along(without_lifting(wavelet), CAUSAL, axis, ndim)


def without_lifting(wavelet: Any) -> Any:
    """The wavelet, or the wavelets of several axes.

    Raises
    ------
    WaveletError
        If one is a lifting scheme.
    """
    if is_lifting(wavelet):
        raise WaveletError(
            f"the maximal overlap transform is defined by filters, got {wavelet!r}: pass its "
            "filter bank (scheme.to_filter_bank())"
        )
    return wavelet


def is_reflection(mode: Any) -> bool:
    """Whether the signal is followed by its mirror image.

    Raises
    ------
    ModeError
        If the mode does not exist.
    """
    if not isinstance(mode, str) or mode not in ("periodic", "reflection"):
        raise ModeError(f"mode must be 'periodic' or 'reflection', got {mode!r}")
    return mode == "reflection"


def reflected(x: Array, axis: int) -> Array:
    """The signal, followed by its mirror image."""
    xp = array_namespace(x)
    return xp.concat([x, xp.flip(x, axis=axis)], axis=axis)


# For fewer samples, computing the whole result is faster than allocating memory for its half.
_FEW_SAMPLES = 1 << 14


def _new_half(bands: Sequence[Array], axis: int) -> Array | None:
    """Memory for the samples before the mirror image, of large NumPy arrays; None for others."""
    is_large = type(bands[0]) is np.ndarray and bands[0].size >= _FEW_SAMPLES
    if not is_large or not are_plain(bands):
        return None
    half: Array = np.empty(_half(bands[0], axis).shape, bands[0].dtype)
    return half


def first_half(x: Array, axis: int, mode: Edges) -> Array:
    """The samples before the mirror image."""
    return _half(x, axis) if is_reflection(mode) else x


def _half(x: Array, axis: int) -> Array:
    axis = normalize_axis(axis, x.ndim)
    return slice_along(x, axis, 0, 1, x.shape[axis] // 2)
