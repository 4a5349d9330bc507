"""Denoising by wavelet thresholding, with the classical rules for the thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import inf, log, log2, prod, sqrt
from typing import Any, Literal

from array_api_compat import device, to_device

from liftwave._arrays.convert import as_array, open_array, real_dtype
from liftwave._execute import execute
from liftwave._operations.call import Call
from liftwave._operations.transform import analysis
from liftwave._plan.arguments import check_level, normalize_axes
from liftwave._plan.axes import AxisPlan, AxisPlans, axis_plans
from liftwave._typing import Array, ArrayLike, ArrayT, Data, Modes, Namespace, ShrinkageRule
from liftwave.decomposition import Decomposition
from liftwave.errors import ShapeError
from liftwave.thresholding import ThresholdError, threshold
from liftwave.transforms.dwtn import dwtn
from liftwave.transforms.structures import dict_list
from liftwave.wavelets.resolve import Wavelets

Method = Literal["bayes", "sure", "visu"]

# The median of |N(0, 1)|.
_MAD_OF_NORMAL = 0.6744897501960817

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
        An array has the shape of the axes that are not transformed.
    level : int, optional
        Number of levels; by default :func:`dwtn_max_level` (with ``'visu'`` three
        fewer), at least one.
    axes : int or sequence of int, optional
        The axes to transform; all by default. Thresholds are computed separately
        for each item of the other (batch) axes.
    shifts : int, optional
        Cycle spinning [4]_: the average over this many circular shifts along
        each axis, which removes artefacts at edges. Every shift costs one transform.

    Returns
    -------
    array
        Of the shape of ``x``, in the floating dtype of its transform.

    Raises
    ------
    ValueError
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
    _check_choices(method, rule, shifts, sigma)
    opened = open_array(x)
    data, xp = opened.array, opened.xp
    axes = normalize_axes(axes, data.ndim, unique=True)
    plans = axis_plans(wavelet, mode, axes, data.ndim)
    _check_linear(plans)
    depth = _depth(level, method, tuple(data.shape), plans)
    noise = estimate_sigma(data, wavelet, mode=mode, axes=axes) if sigma is None else sigma
    noise = _as_column(noise, data, axes, xp)
    choose = _CHOICES[method]
    samples = prod(data.shape[a] for a in axes)
    # The shape of a threshold is that of the batch axes, with length 1 for the transformed axes.
    result = xp.zeros_like(data)
    transform = analysis(plans, data.ndim, depth)
    spins = list(product(range(shifts), repeat=len(axes)))
    for spin in spins:
        call = Call(transform, (xp.roll(data, spin, axis=axes),), dict_list(len(plans)))
        approx, *details = execute(call)
        d = Decomposition(approx, tuple(details), tuple(data.shape), data.dtype, plans)
        clean = d.map(lambda band: threshold(band, choose(band, noise, samples, axes, xp), rule))
        result = result + xp.roll(clean.reconstruct(), tuple(-s for s in spin), axis=axes)
    mean: ArrayT = opened.close(result / len(spins))
    return mean


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
        Data with noise.
    wavelet, mode
        As for :func:`decompose`.
    axes : int or sequence of int, optional
        The axes to transform; all by default.

    Returns
    -------
    array
        One estimate for each item of the batch axes (0-d without batch axes):
        :math:`\mathrm{median}(|c|) / 0.6745` over the band :math:`c` that is
        a detail along every axis (Donoho & Johnstone, 1994).

    Raises
    ------
    ValueError, TypeError
        As for :func:`decompose`.

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
    axes = normalize_axes(axes, data.ndim, unique=True)
    finest = dwtn(data, wavelet, mode, axes)["d" * len(axes)]
    flat = _flattened(xp.abs(finest), axes, xp)
    sigma = as_array(_median(flat, xp) / _MAD_OF_NORMAL)
    # For complex data it is real, in the precision of the data.
    return sigma if xp.isdtype(data.dtype, "complex floating") else opened.close(sigma)


# --- thresholds of a band ----------------------------------------------------------------------


def _visu(band: Array, sigma: Array, samples: int, axes: tuple[int, ...], xp: Namespace) -> Array:
    return sigma * sqrt(2 * log(max(samples, 2)))


def _bayes(band: Array, sigma: Array, samples: int, axes: tuple[int, ...], xp: Namespace) -> Array:
    power = xp.mean(xp.abs(band) ** 2, axis=axes, keepdims=True)
    signal = power - sigma**2
    some = signal > 0
    chosen = sigma**2 / xp.sqrt(xp.where(some, signal, xp.ones_like(signal)))
    # A band whose energy does not exceed that of the noise is removed, under every rule.
    return xp.where(some, chosen, xp.full_like(chosen, xp.inf))


def _sure(band: Array, sigma: Array, samples: int, axes: tuple[int, ...], xp: Namespace) -> Array:
    flat = xp.sort(_flattened(xp.abs(band), axes, xp), axis=-1)
    count = flat.shape[-1]
    variance = xp.reshape(sigma, (*flat.shape[:-1], 1)) ** 2
    # The risk has its minimum at zero or at a coefficient, so it is computed at all of these.
    candidates = xp.concat([xp.zeros_like(flat[..., :1]), flat], axis=-1)
    squares = candidates**2
    below = xp.arange(count + 1, dtype=flat.dtype, device=device(flat))
    kept = xp.cumulative_sum(squares, axis=-1) + (count - below) * squares
    risk = count * variance - 2 * variance * below + kept
    best = xp.expand_dims(xp.argmin(risk, axis=-1), axis=-1)
    chosen = xp.take_along_axis(candidates, best, axis=-1)
    universal = xp.sqrt(variance) * sqrt(2 * log(max(count, 2)))
    power = xp.sum(squares, axis=-1, keepdims=True) / count
    sparse = power <= variance * (1 + log2(max(count, 2)) ** 1.5 / sqrt(count))
    limited = xp.where(chosen < universal, chosen, universal)
    return xp.reshape(xp.where(sparse, universal, limited), sigma.shape)


_CHOICES: dict[str, Callable[[Array, Array, int, tuple[int, ...], Namespace], Array]] = {
    "bayes": _bayes,
    "sure": _sure,
    "visu": _visu,
}


# --- pieces ------------------------------------------------------------------------------------


def _check_choices(method: str, rule: str, shifts: int, sigma: Any) -> None:
    if method not in _CHOICES:
        raise ThresholdError(
            f"unknown method {method!r}; use one of {', '.join(map(repr, _CHOICES))}"
        )
    if rule not in ("soft", "hard", "garrote"):
        raise ThresholdError(f"unknown rule {rule!r}; use one of 'soft', 'hard', 'garrote'")
    if shifts < 1:
        raise ThresholdError(f"shifts must be at least 1 (no cycle spinning), got {shifts}")
    if isinstance(sigma, int | float) and not 0 <= sigma < inf:
        raise ThresholdError(f"sigma must be finite and at least 0, got {sigma}")


def _check_linear(plans: AxisPlans) -> None:
    if plans.is_integer:
        raise ThresholdError(
            "denoising needs a linear transform, got an integer lifting scheme; "
            "use the scheme before to_integer()"
        )


def _depth(
    level: int | None, method: str, shape: tuple[int, ...], plans: tuple[AxisPlan, ...]
) -> int:
    depth = check_level(level, [shape[p.axis] for p in plans], [p.wavelet for p in plans])
    return max(1, depth - _LEVELS_KEPT.get(method, 0)) if level is None else depth


def _as_column(sigma: Any, data: Array, axes: tuple[int, ...], xp: Namespace) -> Array:
    """The noise level of each item of the batch, in a shape that broadcasts against the data."""
    batch = tuple(1 if a in axes else n for a, n in enumerate(data.shape))
    dtype = real_dtype(data, xp)
    if type(sigma) is type(data):  # torch may record gradients of it
        values = to_device(xp.astype(sigma, dtype, copy=False), device(data))
    else:
        values = xp.asarray(sigma, dtype=dtype, device=device(data))
    expected = tuple(n for a, n in enumerate(data.shape) if a not in axes)
    if values.ndim and tuple(values.shape) != expected:
        raise ShapeError(
            f"sigma must be a number or have the shape {expected} of the batch axes, "
            f"got {tuple(values.shape)}"
        )
    return xp.reshape(values, batch) if values.ndim else xp.broadcast_to(values, batch)


def _flattened(band: Array, axes: tuple[int, ...], xp: Namespace) -> Array:
    """Move the batch axes to the front, and merge all transformed axes into the last one."""
    batch = tuple(a for a in range(band.ndim) if a not in axes)
    moved = xp.permute_dims(band, batch + axes)
    # The size is computed, because an empty batch does not determine -1.
    return xp.reshape(moved, (*(band.shape[a] for a in batch), prod(band.shape[a] for a in axes)))


def _median(values: Array, xp: Namespace) -> Array:
    ordered = xp.sort(values, axis=-1)
    n = values.shape[-1]
    return (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2
