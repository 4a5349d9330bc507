"""Levels and lengths of transforms, without computing them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, TypeAlias

import pywt

from liftwave._numbers import items, whole_number
from liftwave._plan.arguments import check_level, max_level, resolve_mode, undecimated_level
from liftwave._plan.axes import AxisPlan, AxisPlans, axis_plans, check_lengths
from liftwave._plan.axis import bounded
from liftwave._plan.lengths import band_lengths, filter_bank_length
from liftwave._typing import ModeLike, Modes
from liftwave.errors import ShapeError, ShapeTypeError, WaveletError, WaveletTypeError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.names import nearest_wavelet
from liftwave.wavelets.resolve import WaveletLike, Wavelets, resolve_wavelet

_WAVELETS = (str, pywt.Wavelet, FilterBank, LiftingScheme)


def dwt_max_level(data_len: int, filter_len: int | WaveletLike) -> int:
    r"""Return the largest useful number of levels for a signal.

    Parameters
    ----------
    data_len : int
        Number of samples.
    filter_len : int or wavelet
        Length of the filters, or a wavelet that has them.

    Returns
    -------
    int
        :math:`\lfloor \log_2(\mathtt{data\_len} / (\mathtt{filter\_len} - 1)) \rfloor`,
        at least 0. Up to this level at least one coefficient is free of boundary effects.

    Raises
    ------
    ValueError
        If ``filter_len`` is neither an integer of at least 2 nor a wavelet.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.dwt_max_level(1000, "db4")
    7
    """
    if type(data_len) is int and data_len >= 0 and type(filter_len) is int and filter_len >= 2:
        return max_level(data_len, filter_len)
    return max_level(_samples(data_len), _filter_length(filter_len))


def swt_max_level(input_len: int) -> int:
    """Return how many levels PyWavelets' :func:`swt` supports: how often 2 divides the length.

    Parameters
    ----------
    input_len : int
        Number of samples.

    Returns
    -------
    int
        The number of levels. It is the default of :func:`swt`. Any other level can be passed too,
        because lengths need not be multiples of a power of two here.

    Raises
    ------
    ValueError
        If ``input_len`` is less than 1.

    Warns
    -----
    LevelWarning
        If the length is odd.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.swt_max_level(96)
    5
    """
    return undecimated_level(_samples(input_len))


def _sizes(shape: Any) -> tuple[int, ...]:
    """A shape of at least one axis."""
    numbers = items(shape, "shape must be a sequence of integers", ShapeTypeError)
    sizes = tuple([n if type(n) is int and n >= 0 else _samples(n) for n in numbers])
    if not sizes:
        raise ShapeError("Expected at least 1D input data.")
    return sizes


def _samples(value: Any) -> int:
    """A number of samples: an integer of at least 0, or a float without a fraction."""
    number = whole_number(value, "expected a whole number of samples", ShapeTypeError)
    if number < 0:
        raise ShapeError(f"expected a number of samples of at least 0, got {value!r}")
    return number


def _filter_length(filter_len: Any) -> int:
    if isinstance(filter_len, _WAVELETS):
        return _known_wavelet(filter_len).dec_len
    length = whole_number(
        filter_len,
        "filter_len must be an integer, discrete Wavelet object, or the name of a discrete wavelet",
        WaveletTypeError,
    )
    if length < 2:
        raise WaveletError(f"invalid wavelet filter length: {length} (at least 2 taps are needed)")
    return length


def _known_wavelet(wavelet: WaveletLike) -> FilterBank | LiftingScheme:
    try:
        return resolve_wavelet(wavelet)
    except WaveletError as error:
        raise WaveletError(
            f"'{wavelet}', is not a recognized discrete wavelet.  A list of supported wavelet "
            "names can be obtained via wavelist(kind='discrete')."
            + (nearest_wavelet(wavelet) if isinstance(wavelet, str) else "")
        ) from error


def dwtn_max_level(
    shape: Sequence[int], wavelet: Wavelets, axes: Sequence[int] | None = None
) -> int:
    """Return the largest useful number of levels for an n-D array: the minimum over its axes.

    Parameters
    ----------
    shape : sequence of int
        Shape of the data.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`dwtn`.
    axes : sequence of int, optional
        The axes to transform; all by default.

    Returns
    -------
    int
        See :func:`dwt_max_level`.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.dwtn_max_level((64, 32), "db2")
    3
    """
    sizes = _sizes(shape)
    plans = axis_plans(wavelet, "symmetric", axes, len(sizes))
    return min([max_level(sizes[axis], wavelet.dec_len) for axis, wavelet, _ in plans])


def dwt_coeff_len(data_len: int, filter_len: int | WaveletLike, mode: ModeLike) -> int:
    """Return the number of approximation coefficients of :func:`dwt`.

    Parameters
    ----------
    data_len : int
        Number of samples.
    filter_len : int or wavelet
        Length of the filters, or a wavelet that has them.
    mode : str
        Boundary mode.

    Returns
    -------
    int
        ``floor((data_len + filter_len - 1) / 2)``; for ``"periodization"``, ``"orthogonal"``
        and lifting schemes ``ceil(data_len / 2)``.

    Raises
    ------
    ValueError
        If a length is not positive.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.dwt_coeff_len(10, 8, "symmetric"), lw.dwt_coeff_len(10, 8, "periodization")
    (8, 5)
    """
    if type(data_len) is int and data_len > 0 and type(filter_len) is int and filter_len > 0:
        return filter_bank_length(data_len, filter_len, resolve_mode(mode))
    n, name = _samples(data_len), resolve_mode(mode)
    if n < 1:
        raise ShapeError(f"Value of data_len must be greater than zero, got {n}.")
    if isinstance(filter_len, _WAVELETS):
        wavelet = _known_wavelet(filter_len)
        if isinstance(wavelet, LiftingScheme):
            return band_lengths(n, wavelet, name)[0]
        filter_len = wavelet.dec_len
    length = whole_number(
        filter_len, "filter_len must be an integer or a wavelet", WaveletTypeError
    )
    if length < 1:
        raise WaveletError(f"Value of filter_len must be greater than zero, got {length}.")
    return filter_bank_length(n, length, name)


def wavedecn_shapes(
    shape: Sequence[int],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] | int | None = None,
) -> list[Any]:
    """Return the shapes of the bands of :func:`wavedecn`, without computing the bands.

    Parameters
    ----------
    shape : sequence of int
        Shape of the data.
    wavelet, mode, level, axes
        As for :func:`wavedecn`.

    Returns
    -------
    list
        Like the result of :func:`wavedecn`, with shapes in place of arrays.

    Raises
    ------
    ValueError
        As for :func:`wavedecn`.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.wavedecn_shapes((64, 32), "db2", level=2, axes=0)
    [(18, 32), {'d': (18, 32)}, {'d': (33, 32)}]
    """
    current = _sizes(shape)
    plans = axis_plans(wavelet, mode, axes, len(current))
    if level is None:
        approx, details = _shapes_of_all_levels(current, plans)
    else:
        approx, details = _shapes(current, plans, level)
    return [approx, *[bands.copy() for bands in details]]


_Shapes: TypeAlias = tuple[tuple[int, ...], list[dict[str, tuple[int, ...]]]]
"""The shapes of the approximation, and of the details of each level, coarsest level first."""


def _shapes_of_all_levels(shape: tuple[int, ...], plans: AxisPlans) -> _Shapes:
    """The same object for the same plans and shape. Other levels may warn, each time."""
    key = ("shapes", shape)
    shapes: _Shapes | None = plans.cache.get(key)
    if shapes is None:
        shapes = bounded(plans.cache)[key] = _shapes(shape, plans, None)
    return shapes


def _shapes(shape: tuple[int, ...], plans: AxisPlans, level: int | None) -> _Shapes:
    sizes = [shape[p.axis] for p in plans]
    level = check_level(level, sizes, [p.wavelet for p in plans])
    check_lengths(shape, plans, level)
    details: list[dict[str, tuple[int, ...]]] = []
    for _ in range(level):
        bands = _band_shapes(shape, plans)
        shape = bands.pop("a" * len(plans))
        details.insert(0, bands)
    return shape, details


def _band_shapes(shape: tuple[int, ...], plans: tuple[AxisPlan, ...]) -> dict[str, tuple[int, ...]]:
    lengths = [band_lengths(shape[p.axis], p.wavelet, p.mode) for p in plans]
    bands = {}
    for letters in product("ad", repeat=len(plans)):
        band = list(shape)
        for plan, letter, pair in zip(plans, letters, lengths, strict=True):
            band[plan.axis] = pair["ad".index(letter)]
        bands["".join(letters)] = tuple(band)
    return bands
