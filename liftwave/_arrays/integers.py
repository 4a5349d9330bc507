r"""Integer lifting: the dtype of the coefficients.

The steps of an integer scheme add rounded increments,
:math:`t \leftarrow t + \lfloor P(s) + 1/2 \rfloor`, and drop the scales, so
coefficients are integers and the inverse is exact (Calderbank,
Daubechies, Sweldens & Yeo, "Wavelet transforms that map integers to
integers", *Appl. Comput. Harmon. Anal.* 5, 1998). Coefficients need more bits
than samples: one more for CDF 5/3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from liftwave._arrays.convert import Opened, as_array, common_namespace, dtype_name, open_integers
from liftwave._arrays.tensors import is_on_device, is_readable, is_tensor
from liftwave._plan.axes import AxisPlan
from liftwave._plan.axis import LiftPlan, StepPlan, lift_plan
from liftwave._typing import Array, ArrayLike, Mode
from liftwave.errors import DTypeError, IntegerRangeWarning, warn
from liftwave.wavelets.lifting.scheme import LiftingScheme

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WIDER = {"int8": "int16", "uint8": "int16", "int16": "int32", "uint16": "int32"}
_WIDER |= {"int32": "int64", "uint32": "int64", "int64": "int64"}
COEFFICIENT_DTYPES = ("int16", "int32", "int64")
"""The names of the dtypes of coefficients."""


def open_integer_samples(
    data: ArrayLike, plans: Sequence[AxisPlan], level: int, dtype: str = ""
) -> Opened:
    """Integer samples, and the dtype that holds ``level`` levels of their coefficients.

    The samples are not converted unless ``dtype`` is narrower: kernels widen them when they read
    them.

    Parameters
    ----------
    data : array_like
        The samples.
    plans : sequence of AxisPlan
        The transformed axes.
    level : int
        Number of levels.
    dtype : str
        The name of the dtype of the coefficients; the default one if empty.

    Raises
    ------
    DTypeError
        If the samples are not integers of at most 64 bits, or are uint64. If the coefficients
        could exceed ``dtype``.

    Warns
    -----
    IntegerRangeWarning
        If the samples are so large that the coefficients overflow int64. They
        are then computed modulo 2**64, and the inverse is still exact. int64
        samples on a CUDA device are not checked, because reading them would wait.
    """
    array = as_array(data)
    xp = common_namespace([array])
    name = _checked(dtype_name(array.dtype, xp))
    if dtype:
        _check_range(array, xp, plans, level, dtype)
        result = getattr(xp, dtype)
        array = array if _bits(name) <= _bits(dtype) else xp.astype(array, result)
    else:
        result = coefficient_dtype(array, plans, level)
    opened = Opened(array, xp, result)
    if result == xp.int64:
        _warn_of_overflow(opened, plans, _gain(plans, level), name)
    return opened


def coefficient_dtype(x: Array, plans: Sequence[AxisPlan], level: int) -> Any:
    """The dtype that holds ``level`` levels of coefficients of integer samples."""
    xp = common_namespace([x])
    name = _checked(dtype_name(x.dtype, xp))
    return getattr(xp, _coefficient_dtype(name, _gain(plans, level)))


def _gain(plans: Sequence[AxisPlan], level: int) -> float:
    return integer_gain(tuple((p.wavelet, p.boundary) for p in plans), level)


def requested_dtype(dtype: Any) -> str:
    """The name of a dtype that a caller asks for.

    Raises
    ------
    DTypeError
        If it is not a signed dtype of coefficients.
    """
    name = dtype.__name__ if isinstance(dtype, type) else str(dtype).rpartition(".")[2]
    if name not in COEFFICIENT_DTYPES:
        raise DTypeError(f"dtype of the coefficients must be int16, int32 or int64, got {dtype!r}")
    return name


def _check_range(x: Array, xp: Any, plans: Sequence[AxisPlan], level: int, dtype: str) -> None:
    """Raise if the coefficients, or numbers on the way to them, could exceed a dtype."""
    name = dtype_name(x.dtype, xp)
    peak = integer_peak(tuple((p.wavelet, p.boundary) for p in plans), level)
    limit = 2.0 ** (_bits(dtype) - 1)
    if peak * _magnitude(name) < limit or 0 in x.shape or not is_readable(x):
        return
    largest = _largest(x, xp)
    if dtype == "int64" or peak * max(largest, 127) < limit:  # int64 wraps around, with a warning
        return
    raise DTypeError(
        f"dtype={dtype} may not hold the coefficients: samples up to {largest} can grow by "
        f"{peak:.3g}. Use a wider dtype, or none"
    )


def _largest(x: Array, xp: Any) -> int:
    if dtype_name(x.dtype, xp) in ("uint16", "uint32") and is_tensor(x):
        x = xp.astype(x, xp.int64)  # torch has no maximum of these
    return max(int(xp.max(x)), -int(xp.min(x)))


def open_integer_coefficients(arrays: Sequence[ArrayLike]) -> list[Opened]:
    """Integer coefficients in one signed dtype, the widest among them.

    int8 is computed in int16: no compiled kernel writes int8.
    """
    opened = open_integers(arrays, lambda names: max(map(_signed, names), key=_bits))
    xp = opened[0].xp
    if opened[0].result_dtype != xp.int8:
        return opened
    return [operand._replace(array=xp.astype(operand.array, xp.int16)) for operand in opened]


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
    """The next wider dtype, or a wider one if the coefficients need it."""
    largest = gain * _magnitude(name)
    at_least = _bits(_WIDER[name])
    fitting = (
        d for d in COEFFICIENT_DTYPES if _bits(d) >= at_least and largest < 2.0 ** (_bits(d) - 1)
    )
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
        if is_on_device(opened.array):
            return
        largest = max(float(xp.max(opened.array)), -float(xp.min(opened.array)))
    numerators = max((_numerator_sum(p.wavelet) for p in plans), default=1)
    if largest * gain * numerators >= 2.0**63:
        warn(
            f"integers up to {largest:.3g} in {name}: the coefficients overflow int64 and are "
            "computed modulo 2**64. The inverse is still exact, but their values have no use",
            IntegerRangeWarning,
        )


def _numerator_sum(wavelet: object) -> int:
    assert isinstance(wavelet, LiftingScheme)
    return max((sum(map(abs, wavelet.fixed_point(s)[0])) for s in wavelet.steps), default=1)


@lru_cache(maxsize=512)
def integer_gain(wavelets: tuple[tuple[LiftingScheme, Mode], ...], level: int) -> float:
    r"""Return a bound on the ratio of the coefficients to the samples.

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
def integer_peak(wavelets: tuple[tuple[LiftingScheme, Mode], ...], level: int) -> float:
    """As :func:`integer_gain`, for the numbers after each step, too."""
    peak = 1.0
    for scheme, mode in wavelets:
        approx, _ = _row_sums(scheme, mode)
        steps = max(_peak(lift_plan(scheme, n, mode), scheme) for n in _lengths(scheme))
        peak *= max(1.0, approx) ** max(0, level - 1) * max(1.0, steps)
    return peak


def _peak(plan: LiftPlan, scheme: LiftingScheme) -> float:
    """The largest bound of both channels after each step."""
    counts = range(1, len(plan.steps) + 1)
    return max((max(_bounds(plan, scheme, count)) for count in counts), default=1.0)


@lru_cache(maxsize=512)
def _row_sums(scheme: LiftingScheme, mode: Mode) -> tuple[float, float]:
    """Bounds on approximation and detail for samples of magnitude one, rounding included."""
    bounds = [_bounds(lift_plan(scheme, n, mode), scheme) for n in _lengths(scheme)]
    approx, detail = (max(bounds_of_band) for bounds_of_band in zip(*bounds, strict=True))
    return approx, detail


def _lengths(scheme: LiftingScheme) -> tuple[int, ...]:
    """Some short lengths, and one of each parity for which rows have all weights."""
    return 2, 3, 4, 5, scheme.dec_len + 6, scheme.dec_len + 7


def _bounds(plan: LiftPlan, scheme: LiftingScheme, count: int | None = None) -> tuple[float, float]:
    """The largest absolute row sums of both bands, or of both channels after ``count`` steps.

    Going backwards through the steps, ``rows`` are the bands as linear forms
    of the channels before each step. The rounding error of a step, at most 1/2,
    reaches the bands through the columns of its target.
    """
    n_even, n_odd = (plan.n + len(plan.edge.right) + 1) // 2, (plan.n + len(plan.edge.right)) // 2
    rows = [np.eye(n_even + n_odd, n_even), np.eye(n_even + n_odd, n_odd, -n_even)]
    errors = np.zeros(n_even + n_odd)
    for step, lifted in reversed(list(zip(plan.steps, scheme.steps, strict=True))[:count]):
        errors += 0.5 * np.abs(rows[step.target]).sum(axis=1)
        # BLAS is not used: it starts threads, and ends the process if memory is exhausted.
        rows[1 - step.target] += np.einsum(
            "ij,jk->ik", rows[step.target], step_matrix(step, lifted.taps)
        )
    sums = np.abs(rows[0]).sum(axis=1) + np.abs(rows[1]).sum(axis=1)
    # The maximum of the narrowest dtype is 127, so this relative allowance holds for all dtypes.
    bounds = sums + errors / 127
    return float(bounds[:n_even].max(initial=0.0)), float(bounds[n_even:].max(initial=0.0))


def step_matrix(step: StepPlan, taps: Sequence[float]) -> NDArray[np.float64]:
    """The increment of a step, as a matrix on its source."""
    inside = tuple(((i, 1.0),) for i in range(step.extend.n))
    rows = (*step.extend.left, *inside, *step.extend.right)
    first = len(step.extend.left) + step.offset
    matrix = np.zeros((step.fold.n, step.extend.n))
    if 0 not in matrix.shape:
        for k, j in np.ndindex(step.fold.n, step.length):
            for index, weight in rows[first + k + j]:
                matrix[k, index] += weight * taps[j]
    return matrix
