"""Design of orthonormal wavelets for data, with SciPy's optimiser and liftwave's gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite, log, log10, pi
from typing import Any, TypeAlias

import numpy as np
import pywt
from array_api_compat import array_namespace, device, size
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, open_array, real_dtype
from liftwave._numbers import items, real_number, whole_number
from liftwave._optional import needed_by
from liftwave._plan.arguments import normalize_axis
from liftwave._plan.lengths import check_size
from liftwave._typing import Array, ArrayLike, ModeLike
from liftwave.constraints.gradients import vjp
from liftwave.constraints.lattice import lattice_angles
from liftwave.constraints.orthonormal import lattice_size, orthonormal_filters
from liftwave.constraints.terms import generator
from liftwave.errors import ArgumentTypeError, ConstraintError, ShapeError
from liftwave.gradients import vjp as transform_vjp
from liftwave.transforms.lengths import dwt_max_level
from liftwave.transforms.multilevel import wavedec
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.resolve import WaveletLike

Cost: TypeAlias = Callable[[list[Array]], tuple[Any, Sequence[Array]]]
"""Maps the bands of a transform to a number and its gradient with respect to each band."""


def coding_gain(
    x: ArrayLike,
    wavelet: WaveletLike,
    *,
    mode: ModeLike = "periodization",
    level: int | None = None,
    axis: int = -1,
) -> float:
    r"""Return how well a wavelet concentrates the energy of data in few bands, in decibels.

    .. math:: G = 10 \log_{10} \frac{\overline{x^2}}{\prod_b \bigl(\overline{c_b^2}\bigr)^{n_b / N}}

    This is the mean square of the data over the geometric mean of the mean squares of the bands.
    Each band is weighted by its number of coefficients :math:`n_b` of N (Jayant & Noll, *Digital
    Coding of Waveforms*, 1984, section 11.4).

    Parameters
    ----------
    x : array_like, shape (..., n, ...)
        The data; a batch counts as one signal.
    wavelet, mode, level, axis
        As for :func:`liftwave.wavedec`.

    Returns
    -------
    float
        A gain of 6 dB saves one bit per sample in a coder. Infinite if a band is zero.

    Notes
    -----
    Compare only orthonormal wavelets with periodization, which preserve energy. Other wavelets
    change the gain by amplification.

    Examples
    --------
    >>> import pywt
    >>> from liftwave.constraints import coding_gain
    >>> ecg = pywt.data.ecg() - pywt.data.ecg().mean()
    >>> [round(coding_gain(ecg, name, level=4)) for name in ("haar", "db4")]
    [9, 17]
    """
    x = as_array(x)
    if 0 in x.shape:
        raise ShapeError(f"coding_gain needs samples, got data of shape {tuple(x.shape)}")
    bands = wavedec(x, wavelet, mode, level, axis)
    powers, sizes = [_power(band) for band in bands], [size(band) for band in bands]
    if min(powers) == 0.0:
        return inf
    logarithms: float = sum(n * log10(p) for n, p in zip(sizes, powers, strict=True))
    gain: float = 10.0 * (log10(_power(x)) - logarithms / sum(sizes))
    return gain


def design_orthonormal(
    x: ArrayLike,
    length: int,
    *,
    cost: Cost | None = None,
    mode: ModeLike = "periodization",
    level: int | None = None,
    axis: int = -1,
    starts: int = 8,
    seed: int | np.random.Generator | None = 0,
) -> FilterBank:
    r"""Return the orthonormal wavelet of a given length with the lowest cost for data.

    Parameters
    ----------
    x : array_like, shape (..., n, ...)
        The data; a batch counts as one signal.
    length : int
        Number of taps, even, at least 4 (Haar is the only wavelet of two taps).
    cost : callable, optional
        The function to minimise: takes the bands ``[cA, cD_level, …, cD_1]`` and returns a number
        and its gradient with respect to each band. By default minus :func:`coding_gain`.
    mode, level, axis
        As for :func:`liftwave.wavedec`.
    starts : int, optional
        The number of random starting points, in addition to the Daubechies wavelet of this length
        (which exists up to 76 taps). Default 8.
    seed : int or numpy.random.Generator, optional
        For :func:`numpy.random.default_rng`. Default 0.

    Returns
    -------
    FilterBank
        An orthonormal bank of plain numbers whose high-pass sums to zero. Its cost on ``x`` is at
        most that of the Daubechies wavelet.

    Raises
    ------
    ConstraintError
        If ``length`` is odd or less than 4, there is no starting point, or the data are not finite
        or all zero.
    ImportError
        If SciPy is not installed.
    ValueError, TypeError
        As for :func:`liftwave.wavedec`.

    Notes
    -----
    The cost is a function of the K/2 - 1 lattice angles of :func:`orthonormal_filters`. It is
    periodic and smooth but not convex. BFGS minimises it from each starting point, with the exact
    gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.constraints import coding_gain, design_orthonormal
    >>> n = np.arange(1024)
    >>> x = np.sin(0.9 * n) + 0.1 * np.random.default_rng(0).standard_normal(1024)
    >>> bank = design_orthonormal(x, 8, level=3, starts=2)
    >>> bank.orthogonal, coding_gain(x, bank, level=3) > coding_gain(x, "db4", level=3) + 2
    (True, True)
    """
    with needed_by("design_orthonormal"):
        from scipy.optimize import minimize

    if cost is not None and not callable(cost):
        raise ArgumentTypeError(f"cost must be a function of the bands or None, got {cost!r}")
    starts = max(whole_number(starts, "starts must be an integer"), 0)
    check_size("the starting points", (max(starts, 1), lattice_size(length)))
    if lattice_size(length) < 2:
        raise ConstraintError("length must be at least 4: Haar is the only wavelet of length 2")
    data = open_array(x).array
    power = _power(data)
    if not isfinite(power) or power == 0.0:
        raise ConstraintError(
            f"a design needs finite data that are not all zero, got a mean square of {power}"
        )
    n = data.shape[normalize_axis(axis, data.ndim)]
    if level is None and dwt_max_level(n, length) == 0:
        raise ConstraintError(f"{n} samples are too few for {length} taps: pass level=1")
    objective = _Objective(data, _LogPowers(power) if cost is None else cost, mode, level, axis)
    points = _starting_points(length, starts, seed)
    results = [minimize(objective, point, jac=True, method="BFGS") for point in points]
    return orthonormal_filters(min(results, key=lambda result: result.fun).x)


class _LogPowers:
    """Minus the coding gain in nepers, up to a constant."""

    def __init__(self, power: float) -> None:
        # Bounds the gain of a band that is zero.
        self._floor = 1e-12 * power

    def __call__(self, bands: list[Array]) -> tuple[float, list[Array]]:
        count, value, gradients = sum(map(size, bands)), 0.0, []
        for band in bands:
            power = _power(band) + self._floor
            value += size(band) / count * log(power)
            gradients.append(band * (2.0 / (count * power)))
        return value, gradients


class _Objective:
    """A cost of bands as a function of lattice angles, with its gradient, as SciPy expects it."""

    def __init__(self, x: Array, cost: Cost, mode: ModeLike, level: int | None, axis: int) -> None:
        self._x, self._cost = x, cost
        self._options: dict[str, Any] = {"mode": mode, "level": level, "axis": axis}

    def __call__(self, angles: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        x, xp = self._x, array_namespace(self._x)
        parameters = xp.asarray(angles, dtype=real_dtype(x, xp), device=device(x))
        bank, to_angles = vjp(orthonormal_filters, parameters)
        bands, to_taps = transform_vjp(wavedec, x, bank, **self._options)
        value, gradients = _checked_cost(self._cost(bands))
        (of_angles,) = to_angles(to_taps(gradients).wavelet)
        return value, np.array([float(of_angles[k]) for k in range(angles.size)])


def _checked_cost(result: Any) -> tuple[float, Sequence[Array]]:
    demand = "cost must return a number and a gradient for each band"
    pair = items(result, demand)
    if len(pair) != 2:
        raise ArgumentTypeError(f"{demand}, got {len(pair)} objects")
    return real_number(pair[0], demand), pair[1]


def _starting_points(
    length: int, starts: int, seed: int | np.random.Generator | None
) -> list[NDArray[np.float64]]:
    rng, daubechies = generator(seed), f"db{length // 2}"
    first = [lattice_angles(daubechies)] if daubechies in pywt.wavelist("db") else []
    points = [*first, *rng.uniform(-pi, pi, (starts, length // 2 - 1))]
    if not points:
        raise ConstraintError(f"{daubechies} does not exist as a starting point: use starts >= 1")
    return points


def _power(x: Array) -> float:
    """Return the mean square."""
    xp: Any = array_namespace(x)
    return float(xp.mean(xp.abs(x) ** 2))
