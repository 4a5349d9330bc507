"""Recipes of denoising compared with slow formulas, and with published results."""

from __future__ import annotations

from itertools import product
from math import erfc, exp, floor, log, sqrt

import numpy as np
import pytest
import torch
from helpers import assert_close, to_numpy, zero_mean

import liftwave as lw
from liftwave._plan.axes import axis_plans
from liftwave.denoising.analyses import decimated
from liftwave.denoising.bands import Band
from liftwave.denoising.recipes import recipe_of

METHODS = ("fdr", "blockjs", "neighblock", "neighcoeff", "neighshrink", "neighsure")
METHODS += ("bivariate", "bls-gsm")
LAMBDA = 4.505241495792883

# --- slow recipes: loops over coefficients -------------------------------------------------------


class Slow:
    """A band of one item, with its noise and the number of samples of the data."""

    def __init__(self, values, parent, sigma, samples, spacing, periodic, responses=None):
        self.values, self.parent, self.sigma, self.samples = values, parent, sigma, samples
        self.spacing, self.periodic, self.responses = spacing, periodic, responses
        self.parts = 2 if np.iscomplexobj(values) else 1

    def reached(self, n, k, offset):
        k += offset * self.spacing
        return k % n if self.periodic else min(k % (2 * n), 2 * n - 1 - k % (2 * n))

    def around(self, place, ranges):
        """The values in the product of ranges of offsets."""
        shape = self.values.shape
        indices = [
            [self.reached(n, k, o) for o in offsets]
            for n, k, offsets in zip(shape, place, ranges, strict=True)
        ]
        return np.array([self.values[index] for index in product(*indices)])

    def by_energy(self, ranges_of, limit):
        """The rule of James and Stein by the energy in ranges of offsets."""
        result = np.zeros_like(self.values)
        for place in np.ndindex(self.values.shape):
            energy = np.sum(np.abs(self.around(place, ranges_of(place))) ** 2)
            if energy > limit:
                result[place] = self.values[place] * (1 - limit / energy)
        return result

    def blocks(self, count, border_of):
        ndim = self.values.ndim
        side = max(1, round(count ** (1 / ndim)))
        border = border_of(side)

        def ranges_of(place):
            firsts = [-((k // self.spacing) % side) - border for k in place]
            return [range(first, first + side + 2 * border) for first in firsts]

        limit = LAMBDA * (side + 2 * border) ** ndim * self.sigma**2
        return self.by_energy(ranges_of, limit)

    def windows(self, size, limit):
        half = size // 2
        return self.by_energy(lambda place: [range(-half, half + 1)] * len(place), limit)

    # --- by name ---

    def fdr(self):
        magnitudes = np.sort(np.abs(self.values).ravel())[::-1]
        limit = self.sigma * sqrt(2 * log(magnitudes.size) / self.parts)
        for i, magnitude in enumerate(magnitudes, 1):
            z = magnitude / self.sigma
            chance = erfc(z / sqrt(2)) if self.parts == 1 else exp(-(z**2))
            if chance <= 0.05 * i / magnitudes.size:
                limit = magnitude
        return np.where(np.abs(self.values) >= limit, self.values, 0)

    def blockjs(self):
        return self.blocks(floor(log(self.samples)), lambda side: 0)

    def neighblock(self):
        return self.blocks(floor(log(self.samples) / 2), lambda side: max(1, side // 2))

    def neighcoeff(self):
        return self.windows(3, 2 * log(self.samples) / self.parts * self.sigma**2)

    def neighshrink(self):
        self.spacing = 1
        return self.neighcoeff()

    def neighsure(self):
        """Stein's estimate by its definition: the divergence from differences."""
        variance, best = self.sigma**2 / self.parts, None
        universal = 2 * log(self.values.size) * variance
        for size in (3, 5, 7, 9):
            sums = np.array(
                [
                    np.sum(
                        np.abs(
                            self.around(place, [range(-(size // 2), size // 2 + 1)] * len(place))
                        )
                        ** 2
                    )
                    for place in np.ndindex(self.values.shape)
                ]
            ).reshape(self.values.shape)
            squares = np.abs(self.values) ** 2
            for limit in [0.0, *sums.ravel()]:
                if limit > universal:
                    continue
                kept = sums > limit
                change = np.where(kept, limit**2 * squares / sums**2, squares)
                slope = np.where(
                    kept, limit * (self.parts * sums - 2 * squares) / sums**2, self.parts
                )
                risk = np.sum(change - 2 * variance * slope)
                if best is None or risk < best[0] - 1e-12 * abs(best[0]):
                    best = (risk, size, limit)
        return self.windows(best[1], best[2])

    def bivariate(self):
        self.spacing = 1 if self.values.ndim > 1 else self.spacing
        result, noise = np.zeros_like(self.values), self.sigma**2 / self.parts
        for place in np.ndindex(self.values.shape):
            around = self.around(place, [range(-3, 4)] * len(place))
            deviation = sqrt(max(np.mean(np.abs(around) ** 2) / self.parts - noise, 0))
            p = 0 if self.parent is None else self.parent[place]
            radius = sqrt(abs(self.values[place]) ** 2 + abs(p) ** 2)
            factor = sqrt(2 if self.parent is None else 3) * noise
            if deviation * radius > factor:
                result[place] = self.values[place] * (1 - factor / (deviation * radius))
        return result

    def gsm(self):
        if self.parts == 1:
            return self._gsm()
        parts = []
        for part in (np.real, np.imag):
            parent = None if self.parent is None else part(self.parent)
            options = (self.samples, self.spacing, self.periodic, self.responses)
            parts.append(Slow(part(self.values), parent, self.sigma / sqrt(2), *options)._gsm())
        return parts[0] + 1j * parts[1]

    def _gsm(self):
        """Wiener's estimates for all multipliers, weighted by the density of the neighbourhood."""
        self.spacing, ranges = 1, [range(-1, 2)] * self.values.ndim
        offsets = list(product(*ranges))
        vectors = []
        for place in np.ndindex(self.values.shape):
            vector = list(self.around(place, ranges))
            vectors.append(vector + ([] if self.parent is None else [self.parent[place]]))
        y = np.array(vectors)
        noise = np.eye(y.shape[1])
        for (i, a), (j, b) in product(enumerate(offsets), repeat=2):
            if self.responses is not None:
                lags = [abs(m - n) for m, n in zip(a, b, strict=True)]
                noise[i, j] = np.prod(
                    [
                        np.sum(r[lag:] * r[: r.size - lag])
                        for r, lag in zip(self.responses, lags, strict=True)
                    ]
                )
        noise *= self.sigma**2
        root = np.linalg.cholesky(noise)
        inverse = np.linalg.inv(root)
        powers, basis = np.linalg.eigh(
            inverse @ (y.T @ y / len(y)) @ inverse.T - np.eye(len(noise))
        )
        signal = root @ (basis * np.maximum(powers, 0)) @ basis.T @ root.T
        centre = offsets.index((0,) * self.values.ndim)
        total = weights = 0
        logs = np.array([self._log_density(y, np.exp(z) * signal + noise) for z in GRID])
        for z, density in zip(GRID, np.exp(logs - logs.max(0)), strict=True):
            covariance = np.exp(z) * signal + noise
            gain = np.exp(z) * signal[centre] @ np.linalg.inv(covariance)
            total, weights = total + density * (y @ gain), weights + density
        return (total / weights).reshape(self.values.shape)

    @staticmethod
    def _log_density(y, covariance):
        power = np.sum(y @ np.linalg.inv(covariance) * y, axis=1)
        return -0.5 * (np.linalg.slogdet(covariance)[1] + power)


GRID = np.arange(-20.5, 3.6, 2.0)


def coefficients(shape, seed=0, dtype="float64"):
    """Noise, and a few clusters of larger values."""
    values = zero_mean(shape, seed, dtype)
    index = tuple(slice(n // 4, n // 2) for n in shape)
    values[index] *= 6
    return values


CASES = [
    # shape, spacing, is_periodic, with a parent, dtype
    ((29,), 1, True, True, "float64"),
    ((41,), 2, False, False, "complex128"),
    ((12, 15), 1, False, True, "float64"),
    ((14, 12), 2, True, False, "float64"),
    ((6, 7, 8), 1, True, True, "float64"),
]


@pytest.mark.parametrize(("shape", "spacing", "periodic", "has_parent", "dtype"), CASES)
@pytest.mark.parametrize("method", METHODS)
def test_recipes_are_their_formulas(method, shape, spacing, periodic, has_parent, dtype):
    """Two items of a batch with different noise."""
    values = np.stack([coefficients(shape, k, dtype) for k in (0, 1)])
    parents = np.stack([2 * coefficients(shape, k, dtype) for k in (0, 2)]) if has_parent else None
    sigma = np.array([0.8, 1.3]).reshape(2, *[1] * len(shape))
    axes = tuple(range(1, values.ndim))
    compute_parent = None if parents is None else lambda: parents
    band = Band(values, 1, "d" * len(shape), axes, compute_parent, spacing, periodic)
    actual = recipe_of(method, None)(band, sigma, 2000)
    for k in (0, 1):
        parent = None if parents is None else parents[k]
        slow = Slow(values[k], parent, float(sigma.flat[k]), 2000, spacing, periodic)
        expected = getattr(slow, {"bls-gsm": "gsm"}.get(method, method))()
        assert values.ndim == 4 or np.abs(expected - values[k]).max() > 0.3
        assert_close(actual[k], expected, ulps=1e4)
    tensors = [None if x is None else torch.asarray(x) for x in (values, parents)]
    moved = band._replace(values=tensors[0], compute_parent=lambda: tensors[1])
    again = recipe_of(method, None)(moved, torch.asarray(sigma), 2000)
    np.testing.assert_allclose(to_numpy(again), actual, rtol=1e-9, atol=1e-11)


def test_the_noise_of_undecimated_neighbours_is_correlated():
    values = coefficients((20, 18))
    responses = [np.array([0.6, 0.8]), np.array([0.5, -0.5, 0.5, 0.5])]
    band = Band(values, 1, "dd", (0, 1), None, 2, True, lambda: responses)
    actual = recipe_of("bls-gsm", None)(band, np.full((1, 1), 0.9), 360)
    expected = Slow(values, None, 0.9, 360, 1, True, responses).gsm()
    assert_close(actual, expected, ulps=1e5)


@pytest.mark.parametrize("method", METHODS)
def test_without_noise_nothing_changes(method):
    x = zero_mean((2, 40))
    for transform in ("dwt", "swt"):
        clean = lw.denoise(x, "db2", method=method, transform=transform, sigma=0.0, level=2, axes=1)
        assert_close(clean, x, ulps=1e4)


# --- parents -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
def test_parents_are_at_the_same_place(mode):
    """The largest coefficient of an impulse has a large parent, wherever the impulse is."""
    shares = []
    for place in range(96, 128):
        x = np.zeros(256)
        x[place] = 1
        for band in decimated(x, axis_plans("db4", mode, (0,), 1), 3).bands[1:]:
            parents = np.abs(band.parent)
            assert parents.shape == band.values.shape
            shares.append(parents[np.argmax(np.abs(band.values))] / parents.max())
    assert np.mean(shares) > 0.85


# --- the undecimated transform -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["visu", "neighcoeff"])
@pytest.mark.parametrize("shape", [(64,), (28, 32)])
def test_the_undecimated_transform_averages_over_all_shifts(method, shape):
    x = zero_mean(shape).cumsum(0)
    options = {"method": method, "mode": "periodization", "sigma": 0.7, "level": 2}
    spun = lw.denoise(x, "sym4", shifts=4, **options)
    assert_close(lw.denoise(x, "sym4", transform="swt", **options), spun, ulps=1e4)


@pytest.mark.parametrize("mode", ["symmetric", "smooth"])
def test_other_boundary_modes_extend_the_data(mode):
    x, reach = np.linspace(0, 9, 90) + 0.3 * zero_mean(90), 25
    options = {"method": "bayes", "transform": "swt", "level": 3, "sigma": 0.3}
    longer = lw.denoise(lw.pad(x, reach, mode), "sym4", mode="periodization", **options)
    assert_close(lw.denoise(x, "sym4", mode=mode, **options), longer[reach:-reach], ulps=1e3)


# --- published results ---------------------------------------------------------------------------


def donoho(n=2048):
    """The four signals of Donoho and Johnstone (1994), with standard deviation 7."""
    t = np.arange(1, n + 1) / n
    places = [0.1, 0.13, 0.15, 0.23, 0.25, 0.40, 0.44, 0.65, 0.76, 0.78, 0.81]
    jumps = [4, -5, 3, -4, 5, -4.2, 2.1, 4.3, -3.1, 2.1, -4.2]
    heights = [4, 5, 3, 4, 5, 4.2, 2.1, 4.3, 3.1, 5.1, 4.2]
    widths = [0.005, 0.005, 0.006, 0.01, 0.01, 0.03, 0.01, 0.01, 0.005, 0.008, 0.005]
    bumps = zip(heights, places, widths, strict=True)
    signals = [
        sum(h * (1 + np.sign(t - p)) / 2 for h, p in zip(jumps, places, strict=True)),
        sum(h * (1 + np.abs((t - p) / w)) ** -4 for h, p, w in bumps),
        4 * np.sin(4 * np.pi * t) - np.sign(t - 0.3) - np.sign(0.72 - t),
        np.sqrt(t * (1 - t)) * np.sin(2.1 * np.pi / (t + 0.05)),
    ]
    return np.stack([7 * s / s.std() for s in signals])


# Root mean square errors, noise 1, sym8, 6 levels, periodic, mean of 6: decimated, undecimated.
PUBLISHED = {
    "visu": ([0.95, 1.07, 0.32, 0.55], [0.83, 0.90, 0.29, 0.48]),
    "sure": ([0.57, 0.54, 0.26, 0.39], [0.49, 0.47, 0.25, 0.30]),
    "bayes": ([0.52, 0.59, 0.25, 0.39], [0.48, 0.54, 0.23, 0.38]),
    "fdr": ([0.46, 0.50, 0.24, 0.31], [0.35, 0.37, 0.19, 0.24]),
    "blockjs": ([0.64, 0.59, 0.30, 0.29], [0.59, 0.51, 0.28, 0.25]),
    "neighblock": ([0.55, 0.48, 0.27, 0.28], [0.50, 0.44, 0.25, 0.23]),
    "neighcoeff": ([0.48, 0.45, 0.24, 0.28], [0.43, 0.39, 0.23, 0.23]),
}


@pytest.mark.parametrize("method", PUBLISHED)
def test_errors_of_donoho_s_signals(method):
    clean = donoho()[:, None]
    noisy = clean + np.random.default_rng(0).standard_normal((4, 6, 2048))
    options = {"method": method, "mode": "periodization", "level": 6, "axes": -1}
    for transform, published in zip(("dwt", "swt"), PUBLISHED[method], strict=True):
        result = lw.denoise(noisy, "sym8", transform=transform, **options)
        errors = np.sqrt(np.mean((result - clean) ** 2, axis=-1)).mean(axis=-1)
        np.testing.assert_allclose(errors, published, rtol=0.05, atol=0.01)


# Peak signal-to-noise ratios of the camera man in 256 x 256, noise 20, sym4, 4 levels, periodic.
PUBLISHED_IMAGES = {
    "bayes": (27.90, 29.03),
    "neighshrink": (28.27, 29.75),
    "bivariate": (28.82, 30.14),
    "bls-gsm": (29.23, 30.35),
}


@pytest.mark.parametrize("method", PUBLISHED_IMAGES)
def test_errors_of_a_photograph(method):
    large = lw.data.camera().astype(float)
    clean = (large[::2, ::2] + large[1::2, ::2] + large[::2, 1::2] + large[1::2, 1::2]) / 4
    noisy = clean + 20 * np.random.default_rng(1).standard_normal(clean.shape)
    options = {"method": method, "mode": "periodization", "level": 4, "sigma": 20}
    for transform, published in zip(("dwt", "swt"), PUBLISHED_IMAGES[method], strict=True):
        result = lw.denoise(noisy, "sym4", transform=transform, **options)
        psnr = 10 * np.log10(255**2 / np.mean((result - clean) ** 2))
        assert psnr == pytest.approx(published, abs=0.25)


@pytest.mark.parametrize(
    ("transform", "wavelet"), [("dwt", "haar"), ("swt", "haar"), ("dtcwt", "cdf5.3")]
)
@pytest.mark.parametrize("method", METHODS)
def test_derivatives_are_finite(method, transform, wavelet):
    """Also where coefficients are exactly zero."""
    values = np.concatenate([np.zeros(20), coefficients((20,))])
    x = torch.asarray(values).requires_grad_()
    options = {"method": method, "transform": transform, "level": 2}
    options["mode"] = "symmetric" if transform == "dtcwt" else "periodization"
    for sigma in (None, 0.5):
        lw.denoise(x, wavelet, sigma=sigma, **options).square().sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())
    assert bool(x.grad.any())
