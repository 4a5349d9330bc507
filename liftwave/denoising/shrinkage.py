"""Denoising by wavelet thresholding."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from math import inf, prod
from typing import Any

import numpy as np
from array_api_compat import device, to_device

from liftwave._arrays.convert import (
    as_array,
    common_namespace,
    is_array,
    is_complex,
    open_array,
    real_dtype,
)
from liftwave._execute import execute
from liftwave._operations.call import Call
from liftwave._operations.transform import analysis
from liftwave._plan.arguments import check_level, normalize_axes
from liftwave._plan.axes import AxisPlan, AxisPlans, axis_plans
from liftwave._typing import Array, ArrayLike, ArrayT, Data, Modes, Namespace, Rule, ShrinkageRule
from liftwave.decomposition import Decomposition
from liftwave.denoising.thresholds import METHODS, Method, noise_level
from liftwave.errors import ArgumentTypeError, DTypeError, ShapeError, ThresholdError
from liftwave.thresholding import threshold
from liftwave.transforms.structures import dict_list, keyed_bands
from liftwave.wavelets.resolve import Wavelets

# Number of coarsest levels left unchanged by default. They hold the signal and little noise, and
# the universal threshold would damage them. Thresholds for each band adapt to this.
_LEVELS_KEPT = {"visu": 3}


def denoise(
    x: Data[ArrayT],
    wavelet: Wavelets = "sym8",
    *,
    method: Method = "bayes",
    rule: ShrinkageRule = "soft",
    sigma: Any = None,
    level: int | None = None,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
    shifts: int = 1,
) -> ArrayT:
    r"""Remove white Gaussian noise by thresholding wavelet coefficients.

    Parameters
    ----------
    x : array_like
        Data with noise, real or complex.
    wavelet, mode
        As for :func:`decompose`. The theory holds for orthonormal wavelets, but others work too.
    method : {'bayes', 'sure', 'visu'}, optional
        Rule for the thresholds (see Notes).
    rule : {'soft', 'hard', 'garrote'}, optional
        How coefficients are shrunk (:func:`threshold`).
    sigma : float or array, optional
        Standard deviation of the noise; by default :func:`estimate_sigma`.
        That of complex noise is the root of the mean of its squared magnitude.
        An array has the shape of the batch axes.
    level : int, optional
        Number of levels; by default :func:`dwtn_max_level` (with ``'visu'`` three
        fewer), at least one.
    axes : int or sequence of int, optional
        The axes to transform; all by default. Axes of one sample are not
        transformed. Thresholds are computed separately for each item of the
        other (batch) axes.
    shifts : int, optional
        Cycle spinning [4]_: the average over this many circular shifts along
        each axis, which removes artefacts at edges. Every shift costs one transform.

    Returns
    -------
    array
        Of the shape of ``x``, in the floating dtype of its transform.

    Raises
    ------
    ValueError, TypeError
        If ``method``, ``rule``, ``shifts`` or ``sigma`` is not valid, the wavelet is an
        integer scheme, or as for :func:`decompose`.

    Notes
    -----
    With noise of standard deviation :math:`\sigma`:

    * ``visu`` [1]_: :math:`t = \sigma \sqrt{2 \ln N}` for :math:`N` samples,
      which removes all noise, and some detail;
    * ``sure`` [2]_: for each band of :math:`M` coefficients the :math:`t` that minimises

      .. math:: M \sigma^2 - 2 \sigma^2 \#\{|c_i| \le t\} + \sum_i \min(|c_i|, t)^2 ,

      but at most the universal threshold of the band, which is also used for sparse bands;
    * ``bayes`` [3]_: for each band :math:`t = \sigma^2 / \sigma_c` with
      :math:`\sigma_c^2 = \max(\mathrm{mean}(c^2) - \sigma^2, 0)`; a band of pure noise is removed.

    For complex data, :math:`\sigma^2` is shared by two parts. Their magnitudes exceed
    :math:`\sigma \sqrt{\ln N}` as rarely as real noise exceeds :math:`\sigma \sqrt{2 \ln N}`, so
    this is the universal threshold. The risk gets the additional term
    :math:`-\sigma^2 t \sum_{|c_i| > t} 1 / |c_i|`, and is minimised over the magnitudes.

    References
    ----------
    .. [1] D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by
       wavelet shrinkage", Biometrika 81, 425-455, 1994.
    .. [2] D. L. Donoho and I. M. Johnstone, "Adapting to unknown smoothness
       via wavelet shrinkage", J. Am. Stat. Assoc. 90, 1200-1224, 1995.
    .. [3] S. G. Chang, B. Yu and M. Vetterli, "Adaptive wavelet thresholding
       for image denoising and compression", IEEE Trans. Image Process. 9, 2000.
    .. [4] R. R. Coifman and D. L. Donoho, "Translation-invariant de-noising",
       in Wavelets and Statistics, Springer, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> clean = np.sin(np.linspace(0, 12, 1024))
    >>> noisy = clean + 0.3 * np.random.default_rng(0).standard_normal(1024)
    >>> error = lambda y: float(np.sqrt(np.mean((y - clean) ** 2)))
    >>> round(error(noisy) / error(lw.denoise(noisy)), 1) > 2
    True
    """
    _check_choices(method, rule)
    shifts = _whole_shifts(shifts)
    opened = open_array(x)
    data, xp = opened.array, opened.xp
    batched = _checked_axes(axes, data)
    plans = _splitting(axis_plans(wavelet, mode, batched, data.ndim), data)
    _check_linear(plans)
    depth = _depth(level, method, tuple(data.shape), plans)
    noise = None if sigma is None else _as_column(sigma, data, batched, xp)
    result: ArrayT
    if not depth:
        result = opened.close(xp.asarray(data, copy=True))
        return result
    transform = analysis(plans, data.ndim, depth)
    axes = tuple(plan.axis for plan in plans)
    samples = prod(data.shape[a] for a in axes)
    total = None
    for spin in product(range(shifts), repeat=len(axes)):
        call = Call(transform, (_rolled(data, spin, axes, xp),), dict_list(len(plans)))
        approx, *details = execute(call)
        if noise is None:  # the first spin is that of the data themselves
            noise = noise_level(details[-1]["d" * len(axes)], axes, xp)
        choose = partial(METHODS[method], sigma=noise, samples=samples, axes=axes, xp=xp)
        bands = tuple(_thresholded(level, choose, rule) for level in details)
        d = Decomposition(approx, bands, tuple(data.shape), data.dtype, plans)
        clean = _rolled(d.reconstruct(), tuple(-s for s in spin), axes, xp)
        total = clean if total is None else total + clean
    result = opened.close(total if shifts == 1 else total / shifts ** len(axes))
    return result


def estimate_sigma(
    x: ArrayLike,
    wavelet: Wavelets = "sym8",
    *,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
) -> Array:
    r"""Estimate the standard deviation of white Gaussian noise from the finest details.

    Parameters
    ----------
    x : array_like
        Data with noise, real or complex.
    wavelet, mode
        As for :func:`decompose`.
    axes : int or sequence of int, optional
        The axes to transform; all by default. Axes of one sample are not transformed.

    Returns
    -------
    array
        One estimate for each item of the batch axes (0-d without batch axes):
        :math:`\mathrm{median}(|c|) / 0.6745` over the band :math:`c` that is
        a detail along every axis (Donoho & Johnstone, 1994). For complex data it is
        the root of the mean of the squared magnitude of the noise, as from
        :func:`numpy.std`: :math:`\mathrm{median}(|c|) / \sqrt{\ln 2}`, because the
        magnitude of complex noise follows a Rayleigh distribution.

    Raises
    ------
    ValueError, TypeError
        If all axes have one sample, the wavelet is an integer scheme, or as for
        :func:`decompose`.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> noise = 3.0 * np.random.default_rng(0).standard_normal((256, 256))
    >>> bool(abs(lw.estimate_sigma(noise) - 3.0) < 0.05)
    True
    """
    opened = open_array(x)
    data, xp = opened.array, opened.xp
    batched = _checked_axes(axes, data)
    plans = _splitting(axis_plans(wavelet, mode, batched, data.ndim), data)
    _check_linear(plans)
    if not plans:
        raise ShapeError(
            "estimating noise needs at least two samples along one of the axes, "
            f"got axes {batched} of an array of shape {tuple(data.shape)}"
        )
    call = Call(analysis(plans, data.ndim, 1), (data,), keyed_bands(len(plans)))
    finest = execute(call)["d" * len(plans)]
    column = noise_level(finest, tuple(plan.axis for plan in plans), xp)
    shape = tuple(n for a, n in enumerate(data.shape) if a not in batched)
    sigma = as_array(xp.reshape(column, shape))
    # For complex data it is real, in the precision of the data.
    return sigma if is_complex(data) else opened.close(sigma)


def _rolled(x: Array, spin: tuple[int, ...], axes: tuple[int, ...], xp: Namespace) -> Array:
    return xp.roll(x, spin, axis=axes) if any(spin) else x


def _thresholded(
    bands: Mapping[str, Array], choose: Callable[[Array], Array], rule: Rule
) -> dict[str, Array]:
    return {key: threshold(band, choose(band), rule) for key, band in bands.items()}


# --- arguments ----------------------------------------------------------------------------------


def _check_choices(method: str, rule: str) -> None:
    if not isinstance(method, str) or method not in METHODS:
        raise ThresholdError(
            f"unknown method {method!r}; use one of {', '.join(map(repr, METHODS))}"
        )
    if rule not in ("soft", "hard", "garrote"):
        raise ThresholdError(f"unknown rule {rule!r}; use one of 'soft', 'hard', 'garrote'")


def _whole_shifts(shifts: int) -> int:
    try:
        number = operator.index(shifts)
    except TypeError:
        raise ArgumentTypeError(f"shifts must be an integer, got {shifts!r}") from None
    if number < 1:
        raise ThresholdError(f"shifts must be at least 1 (no cycle spinning), got {shifts}")
    return number


def _checked_axes(axes: Sequence[int] | int | None, data: Array) -> tuple[int, ...]:
    if data.ndim < 1:
        raise ShapeError("Expected at least 1D input data, got a 0-d array.")
    return normalize_axes(axes, data.ndim, unique=True)


def _splitting(plans: AxisPlans, data: Array) -> AxisPlans:
    """Return the plans of the axes with more than one sample: others have no details."""
    if all(data.shape[plan.axis] != 1 for plan in plans):
        return plans
    return AxisPlans(plan for plan in plans if data.shape[plan.axis] != 1)


def _check_linear(plans: AxisPlans) -> None:
    if plans.is_integer:
        raise ThresholdError(
            "denoising needs a linear transform, got an integer lifting scheme; "
            "use the scheme before to_integer()"
        )


def _depth(
    level: int | None, method: str, shape: tuple[int, ...], plans: tuple[AxisPlan, ...]
) -> int:
    if not plans:
        return 0
    depth = check_level(level, [shape[p.axis] for p in plans], [p.wavelet for p in plans])
    return max(1, depth - _LEVELS_KEPT.get(method, 0)) if level is None else depth


def _as_column(sigma: Any, data: Array, axes: tuple[int, ...], xp: Namespace) -> Array:
    """The noise level of each item of the batch, in a shape that broadcasts against the data."""
    batch = tuple(1 if a in axes else n for a, n in enumerate(data.shape))
    values = _noise_levels(sigma, data, xp)
    expected = tuple(n for a, n in enumerate(data.shape) if a not in axes)
    if values.ndim and tuple(values.shape) != expected:
        raise ShapeError(
            f"sigma must be a number or have the shape {expected} of the batch axes, "
            f"got {tuple(values.shape)}"
        )
    return xp.reshape(values, batch) if values.ndim else xp.broadcast_to(values, batch)


def _noise_levels(sigma: Any, data: Array, xp: Namespace) -> Array:
    """Return sigma as an array in the precision of the data.

    Raises
    ------
    DTypeError, ThresholdError
        If it is not real, negative or not finite. The numbers of tensors and of arrays on devices
        are not read.
    """
    dtype = real_dtype(data, xp)
    if type(sigma) is type(data) and type(data) is not np.ndarray:
        # (Torch may record gradients of it.)
        return to_device(xp.astype(sigma, dtype, copy=False), device(data))
    if is_array(sigma) and not isinstance(sigma, np.ndarray | np.generic):
        common_namespace([data, sigma])
    try:
        values = np.asarray(sigma)
    except ValueError:  # rows of different lengths
        values = np.asarray(None)
    if values.dtype.kind not in "iuf":
        raise DTypeError(f"sigma must be a real number or an array of these, got {sigma!r}")
    if not bool(np.all((values >= 0) & (values < inf))):
        raise ThresholdError(f"sigma must be finite and at least 0, got {sigma}")
    return xp.asarray(values, dtype=dtype, device=device(data))
