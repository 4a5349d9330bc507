"""The function that removes noise, and the estimate of the noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from liftwave._arrays.convert import as_array, is_complex, open_array
from liftwave._arrays.lazy import on_chunks
from liftwave._execute import execute
from liftwave._operations.call import Call
from liftwave._operations.plan_transforms import analysis
from liftwave._plan.axes import AxisPlans
from liftwave._typing import Array, ArrayLike, ArrayT, Data, Modes, Namespace, ShrinkageRule
from liftwave.denoising.analyses import ANALYSES, TransformName
from liftwave.denoising.arguments import (
    Stabilisation,
    check_shifts,
    data_axes,
    depth_of,
    linear_plans,
    number_of_shifts,
    steps_of,
    usual_method,
    usual_transform,
)
from liftwave.denoising.bands import Analysed, Band, Recipe
from liftwave.denoising.missing import Missing, check_missing, with_gaps, without_gaps
from liftwave.denoising.noise import known_noise, noise_level, noise_of
from liftwave.denoising.recipes import Method, recipe_of
from liftwave.errors import ShapeError
from liftwave.transforms.structures import keyed_bands
from liftwave.wavelets.resolve import Wavelets


@on_chunks("denoise")
def denoise(
    x: Data[ArrayT],
    wavelet: Wavelets | None = None,
    *,
    method: Method | None = None,
    transform: TransformName | None = None,
    rule: ShrinkageRule | None = None,
    sigma: Any = None,
    level: int | None = None,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
    shifts: int = 1,
    missing: Missing = "raise",
    vst: Stabilisation | None = None,
    gain: float = 1.0,
    read_noise: float = 0.0,
    channel_axis: int | None = None,
) -> ArrayT:
    r"""Remove noise by shrinking wavelet coefficients.

    Parameters
    ----------
    x : array_like
        Data with noise, real or complex.
    wavelet, mode : optional
        As for :func:`decompose`; ``'sym8'`` by default. The theory holds for orthonormal wavelets,
        but others work too. With ``'orthogonal'``, white noise stays white at the ends, too. For
        ``'dtcwt'`` the wavelet is that of the first level (the argument ``biort`` of
        :func:`dtcwt`): ``'cdf9.7'`` by default.
    method : str, optional
        The method that shrinks the coefficients (see Notes). By default ``'neighcoeff'`` along
        one axis and ``'bivariate'`` along several; ``'bayes'`` if ``rule`` is passed, and for
        arrays of dask.
    transform : {'dwt', 'swt', 'dtcwt'}, optional
        By default ``'dtcwt'``; ``'dwt'`` for complex data, more than three axes, a chosen wavelet,
        several ``shifts``, or arrays of dask.
        ``'swt'`` shrinks the coefficients of all circular shifts and averages the results
        (:func:`swtn`). Data whose mode is not periodic are extended first. ``'dtcwt'`` shrinks the
        magnitudes of complex coefficients of real data along up to three axes (:func:`dtcwt`). In
        images, these have six directions. Data whose mode is not ``'symmetric'`` are extended
        first.
    rule : {'soft', 'hard', 'garrote'}, optional
        How coefficients are shrunk by a threshold (:func:`threshold`): ``'hard'`` for ``'fdr'``,
        ``'soft'`` for ``'bayes'``, ``'sure'`` and ``'visu'``. Other methods have no threshold.
    sigma : float, array, dict or str, optional
        Standard deviation of the noise; for complex noise, the root of the mean of its squared
        magnitude. An array has the shape of the batch axes. A dict has a number or an array for
        each level; 1 is the finest, and the last one is for all coarser levels, too.
        ``'mad'`` (the default) is :func:`estimate_sigma`, for white noise; ``'level'`` and
        ``'band'`` estimate the noise of each level or band by its own median, for correlated noise.
    level : int, optional
        Number of levels; by default :func:`dwtn_max_level` (with ``'visu'`` three
        fewer), at least one.
    axes : int or sequence of int, optional
        The axes to transform; all by default. Axes of one sample are not
        transformed. Thresholds are computed separately for each item of the
        other (batch) axes.
    shifts : int, optional
        Cycle spinning [4]_ for ``'dwt'``: the average over this many circular shifts along
        each axis, which removes artefacts at edges. Every shift costs one transform.
    missing : {'raise', 'interpolate', 'mask'}, optional
        NaN raises an error, or is replaced before denoising: by linear interpolation, along several
        axes by the mean of the nearest samples with the inverse distances as weights. ``'mask'``
        returns NaN at the same places. ``'mad'`` ignores coefficients at these places.
    vst : {'anscombe', 'haar-fisz'}, optional
        For counts of photons: a transform after which their noise has the standard deviation 1.
        This is then the default of ``sigma``. The transform is undone after denoising.
    gain, read_noise : float, optional
        For ``vst``: the data are ``gain`` times a Poisson variable, plus normal noise of the
        standard deviation ``read_noise`` (``'anscombe'`` only).
    channel_axis : int, optional
        The axis of the colours. They are mixed to orthonormal opponent colours before denoising,
        and mixed back after it. The axis is a batch axis.

    Returns
    -------
    array
        Of the shape of ``x``, in the floating dtype of its transform.

    Raises
    ------
    MissingSamplesError
        If samples are infinite, or NaN without ``missing``. (A :class:`ValueError`. Tensors are not
        checked while they are traced.)
    ValueError, TypeError
        If another argument is not valid, the wavelet is an
        integer scheme, or as for :func:`decompose`.

    Notes
    -----
    Methods with a threshold :math:`t`, for noise of standard deviation :math:`\sigma`:

    * ``visu`` [1]_: :math:`t = \sigma \sqrt{2 \ln N}` for :math:`N` samples,
      which removes all noise, and some detail;
    * ``sure`` [2]_: for each band of :math:`M` coefficients the :math:`t` that minimises

      .. math:: M \sigma^2 - 2 \sigma^2 \#\{|c_i| \le t\} + \sum_i \min(|c_i|, t)^2 ,

      but at most the universal threshold of the band, which is also used for sparse bands;
    * ``bayes`` [3]_: for each band :math:`t = \sigma^2 / \sigma_c` with
      :math:`\sigma_c^2 = \max(\mathrm{mean}(c^2) - \sigma^2, 0)`; a band of pure noise is removed;
    * ``fdr`` [5]_: for each band the :math:`i`-th largest magnitude, for the largest :math:`i` with
      :math:`2 (1 - \Phi(|c|_{(i)} / \sigma)) \le 0.05\, i / M`; without one, the universal
      threshold of the band.

    Methods that use a neighbourhood of :math:`m` coefficients with the energy
    :math:`S^2 = \sum c^2`. They multiply coefficients by :math:`(1 - T / S^2)_+`, with
    :math:`\lambda = 4.505` (:math:`\lambda - \ln \lambda = 3`):

    * ``blockjs`` [6]_: blocks of about :math:`\ln N`, :math:`T = \lambda m \sigma^2`;
    * ``neighblock`` [7]_: blocks of about :math:`\ln N / 2`, with the energy of the block and a
      border of half its side, :math:`T = \lambda m \sigma^2`;
    * ``neighcoeff`` [7]_: windows of 3 along each axis, :math:`T = 2 \sigma^2 \ln N`;
    * ``neighshrink``: as ``neighcoeff``, but with ``'swt'`` the neighbours are adjacent samples,
      and not those of one decimated transform;
    * ``neighsure`` [8]_: for each band the window of 3, 5, 7 or 9, and the :math:`T`, of least
      estimated risk.

    Methods that use a model of the coefficients:

    * ``bivariate`` [9]_: with the parent :math:`p` of the next level and
      :math:`r = \sqrt{c^2 + p^2}`, :math:`c\, (1 - \sqrt 3 \sigma^2 / (s r))_+`, where
      :math:`s^2` is the mean of :math:`c^2` in a window of 7 minus :math:`\sigma^2`;
    * ``bls-gsm`` [10]_: the expected coefficient if neighbourhoods of 3 along each axis, with the
      parent, are a Gaussian vector times a random factor.

    For complex data, two parts share :math:`\sigma^2`. The magnitudes of complex noise exceed
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
    .. [5] F. Abramovich and Y. Benjamini, "Adaptive thresholding of wavelet coefficients",
       Comput. Stat. Data Anal. 22, 351-361, 1996.
    .. [6] T. T. Cai, "Adaptive wavelet estimation: a block thresholding and oracle inequality
       approach", Ann. Stat. 27, 898-924, 1999.
    .. [7] T. T. Cai and B. W. Silverman, "Incorporating information on neighbouring coefficients
       into wavelet estimation", Sankhya B 63, 127-148, 2001.
    .. [8] D. Zhou and W. Cheng, "Image denoising with an optimal threshold and neighbouring
       window", Pattern Recognit. Lett. 29, 1694-1697, 2008.
    .. [9] L. Sendur and I. W. Selesnick, "Bivariate shrinkage with local variance estimation",
       IEEE Signal Process. Lett. 9, 438-441, 2002.
    .. [10] J. Portilla, V. Strela, M. J. Wainwright and E. P. Simoncelli, "Image denoising using
       scale mixtures of Gaussians in the wavelet domain", IEEE Trans. Image Process. 12, 2003.

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
    shifts = number_of_shifts(shifts)
    check_shifts(transform, shifts)
    check_missing(missing)
    opened = open_array(x)
    data, xp = opened.array, opened.xp
    batched = data_axes(axes, data, channel_axis)
    transform = transform or usual_transform(wavelet, shifts, batched, data)
    method = usual_method(batched, data, rule) if method is None else method
    recipe = recipe_of(method, rule)
    plans = linear_plans(wavelet, mode, batched, data, transform)
    depth = depth_of(level, method, tuple(data.shape), plans)
    steps = steps_of(vst, gain, read_noise, channel_axis, data, batched)
    noise = known_noise(1.0 if sigma is None and vst else sigma, data, batched, depth, xp)
    present, gaps = without_gaps(data, missing, batched, xp)
    if depth:
        samples = prod(data.shape[plan.axis] for plan in plans)
        task = _Task(ANALYSES[transform], plans, depth, recipe, noise, samples, shifts, gaps)
        for step in steps:
            present = step.apply(present)
        present = task.run(present, xp)
        for step in reversed(steps):
            present = step.undo(present)
    elif gaps is None:
        present = xp.asarray(data, copy=True)
    result: ArrayT = opened.close(with_gaps(present, gaps, missing, xp))
    return result


class _Task(NamedTuple):
    """The processing of the bands of data, in all circular shifts of the data."""

    analyse: Callable[[Array, AxisPlans, int], Analysed]
    plans: AxisPlans
    level: int
    recipe: Recipe
    noise: Any
    samples: int
    shifts: int
    gaps: Array | None

    def run(self, data: Array, xp: Namespace) -> Array:
        """The average of the denoised data over all shifts."""
        axes = tuple(plan.axis for plan in self.plans)
        total = levels = None
        for spin in product(range(self.shifts), repeat=len(axes)):
            analysed = self.analyse(_rolled(data, spin, axes, xp), self.plans, self.level)
            if levels is None:  # the first spin does not shift the data
                levels = noise_of(analysed.bands, self.noise, self.gaps)
            pairs = zip(analysed.bands, levels, strict=True)
            values = [self.recipe(band, level, self.samples) for band, level in pairs]
            clean = _rolled(analysed.rebuild(values), tuple(-s for s in spin), axes, xp)
            total = clean if total is None else total + clean
        return total if self.shifts == 1 else total / self.shifts ** len(axes)


def _rolled(x: Array, spin: tuple[int, ...], axes: tuple[int, ...], xp: Namespace) -> Array:
    return xp.roll(x, spin, axis=axes) if any(spin) else x


@on_chunks("estimate_sigma")
def estimate_sigma(
    x: ArrayLike,
    wavelet: Wavelets = "sym8",
    *,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
    missing: Missing = "raise",
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
    missing : {'raise', 'interpolate', 'mask'}, optional
        NaN raises an error, or is filled in as in :func:`denoise` and ignored by the median.

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
    MissingSamplesError
        If samples are infinite, or NaN without ``missing``. (A :class:`ValueError`.)
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
    check_missing(missing)
    opened = open_array(x)
    data, xp = opened.array, opened.xp
    batched = data_axes(axes, data)
    plans = linear_plans(wavelet, mode, batched, data)
    if not plans:
        raise ShapeError(
            "estimating noise needs at least two samples along one of the axes, "
            f"got axes {batched} of an array of shape {tuple(data.shape)}"
        )
    present, gaps = without_gaps(data, missing, batched, xp)
    call = Call(analysis(plans, data.ndim, 1), (present,), keyed_bands(len(plans)))
    finest = execute(call)["d" * len(plans)]
    band = Band(finest, 1, "d" * len(plans), tuple(plan.axis for plan in plans))
    column = noise_level([band], gaps)
    shape = tuple(n for a, n in enumerate(data.shape) if a not in batched)
    sigma = as_array(xp.reshape(column, shape))
    # For complex data it is real, in the precision of the data.
    return sigma if is_complex(data) else opened.close(sigma)
