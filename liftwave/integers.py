r"""Integer lifting: which dtype holds the coefficients.

The steps of an integer scheme add rounded increments,
:math:`t \leftarrow t + \lfloor P(s) + 1/2 \rfloor`, and drop the scales, so
that coefficients are integers and the inverse is exact (Calderbank,
Daubechies, Sweldens & Yeo, "Wavelet transforms that map integers to
integers", *Appl. Comput. Harmon. Anal.* 5, 1998). Coefficients need more room
than samples: one bit more for CDF 5/3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from liftwave._arrays import Opened, as_array, dtype_name, open_integers
from liftwave._kernels import reference
from liftwave._plan import lift_plan
from liftwave._separable_plan import AxisPlan
from liftwave._typing import ArrayLike, Mode
from liftwave._warnings import warn
from liftwave.errors import DTypeError, IntegerRangeWarning, WaveletError
from liftwave.lifting import LiftingScheme

_WIDER = {"int8": "int16", "uint8": "int16", "int16": "int32", "uint16": "int32"}
_WIDER |= {"int32": "int64", "uint32": "int64", "int64": "int64"}
_SIGNED = ("int16", "int32", "int64")


def is_integer(plans: Sequence[AxisPlan]) -> bool:
    """Whether a transform runs in integers.

    Raises
    ------
    WaveletError
        If some axes' wavelets do and others' do not.
    """
    kinds = {isinstance(p.wavelet, LiftingScheme) and p.wavelet.integer for p in plans}
    if len(kinds) > 1:
        raise WaveletError(
            "integer lifting schemes cannot be mixed with other wavelets in one transform: "
            f"got {[p.wavelet for p in plans]}"
        )
    return kinds == {True}


def open_samples(data: ArrayLike, plans: Sequence[AxisPlan], level: int) -> Opened:
    """Integer samples in the dtype that holds ``level`` levels of their coefficients.

    Raises
    ------
    DTypeError
        If the samples are not integers of at most 64 bits, or are uint64.

    Warns
    -----
    IntegerRangeWarning
        If the samples are so large that the coefficients overflow int64. They
        are then kept modulo 2**64, and the inverse is still exact.
    """
    gain = integer_gain(tuple((p.wavelet, p.mode) for p in plans), level)
    opened = open_integers([data], lambda names: _coefficient_dtype(_checked(names[0]), gain))[0]
    if opened.result_dtype == opened.xp.int64:
        _warn_of_overflow(opened, plans, gain, dtype_name(as_array(data).dtype, opened.xp))
    return opened


def open_coefficients(arrays: Sequence[ArrayLike]) -> list[Opened]:
    """Integer coefficients in one signed dtype, the widest among them."""
    return open_integers(arrays, lambda names: max(map(_signed, names), key=_bits))


def _checked(name: str) -> str:
    if name not in _WIDER:
        raise DTypeError(
            f"an integer lifting scheme needs int8 to int64 or uint8 to uint32, got {name}; "
            "convert the data, or use the scheme before to_integer()"
        )
    return name


def _signed(name: str) -> str:
    _checked(name)
    return _WIDER[name] if name.startswith("uint") else name


def _coefficient_dtype(name: str, gain: float) -> str:
    """The next wider dtype, or a still wider one where the coefficients may need it."""
    largest = gain * _magnitude(name)
    at_least = _bits(_WIDER[name])
    fitting = (d for d in _SIGNED if _bits(d) >= at_least and largest < 2.0 ** (_bits(d) - 1))
    return next(fitting, "int64")


def _bits(name: str) -> int:
    return int(name.removeprefix("u").removeprefix("int"))


def _magnitude(name: str) -> float:
    """The largest absolute value of a dtype."""
    return 2.0 ** (_bits(name) - (0 if name.startswith("u") else 1))


def _warn_of_overflow(opened: Opened, plans: Sequence[AxisPlan], gain: float, name: str) -> None:
    if 0 in opened.array.shape:
        return
    xp, largest = opened.xp, _magnitude(name)
    if name == "int64":
        largest = max(float(xp.max(opened.array)), -float(xp.min(opened.array)))
    numerators = max((_numerator_sum(p.wavelet) for p in plans), default=1)
    if largest * gain * numerators >= 2.0**63:
        warn(
            f"integers up to {largest:.3g} in {name}: the coefficients overflow int64 and are kept "
            "modulo 2**64. The inverse is still exact, but their values mean little",
            IntegerRangeWarning,
        )


def _numerator_sum(wavelet: object) -> int:
    assert isinstance(wavelet, LiftingScheme)
    return max((sum(map(abs, wavelet.fixed_point(s)[0])) for s in wavelet.steps), default=1)


@lru_cache(maxsize=512)
def integer_gain(wavelets: tuple[tuple[LiftingScheme, Mode], ...], level: int) -> float:
    r"""How much larger than the samples the coefficients can get.

    Parameters
    ----------
    wavelets : tuple of (LiftingScheme, mode)
        The integer scheme and boundary mode of each axis.
    level : int
        Number of levels.

    Returns
    -------
    float
        A bound, rounding included: :math:`\prod_\mathrm{axes} A^{\ell-1} \max(A, D)`
        for :math:`\ell` levels, where :math:`A` and :math:`D` are the largest
        absolute row sums of the approximation's and the detail's matrix.
    """
    gain = 1.0
    for scheme, mode in wavelets:
        approx, detail = _row_sums(scheme, mode)
        gain *= max(1.0, approx) ** max(0, level - 1) * max(1.0, approx, detail)
    return gain


@lru_cache(maxsize=512)
def _row_sums(scheme: LiftingScheme, mode: Mode) -> tuple[float, float]:
    """The largest absolute row sums, over lengths of both parities, short and long."""
    linear = replace(scheme, integer=False)
    taps = [step.taps for step in linear.steps]
    reach = 2 * sum(len(t) + abs(s.offset) for t, s in zip(taps, linear.steps, strict=True)) + 2
    sums = [0.0, 0.0]
    for n in (2, 3, 4, 5, 2 * reach, 2 * reach + 1):
        bands = reference.lift_analysis(
            np.eye(n), lift_plan(linear, n, mode), taps, linear.scale, 0
        )
        for k, band in enumerate(bands):
            sums[k] = max(sums[k], float(np.abs(band).sum(axis=1).max(initial=0.0)))
    # Rounding moves the target of each step by at most 1/2, and later steps magnify that.
    # The narrowest dtype reaches to 127, so this relative allowance holds for all of them.
    errors = [0.0, 0.0]
    for step in linear.steps:
        magnified = sum(map(abs, step.taps)) * errors[1 - step.target_parity]
        errors[step.target_parity] += magnified + 0.5
    return sums[0] + errors[0] / 127, sums[1] + errors[1] / 127
