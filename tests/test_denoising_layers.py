"""Layers that denoise by learned thresholds."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
import torch
from helpers import zero_mean

import liftwave as lw
from liftwave._plan.axes import axis_plans
from liftwave.denoising.dual_tree import dual_tree
from liftwave.denoising.noise import noise_of
from liftwave.errors import ModeError, OptionError, ShapeError, ThresholdError, WaveletError
from liftwave.torch import Denoise1d, Denoise2d

LAYERS = {1: Denoise1d, 2: Denoise2d}
SIZES = {1: (45,), 2: (22, 25)}


def signals(dims, dtype=torch.float64):
    return torch.asarray(zero_mean((2, 3, *SIZES[dims]))).to(dtype)


@pytest.mark.parametrize("transform", ["dwt", "swt"])
@pytest.mark.parametrize("dims", [1, 2])
def test_the_layer_thresholds_each_level(dims, transform):
    layer = LAYERS[dims]("db2", 2, transform=transform, rule="garrote").double()
    x, axes = signals(dims), tuple(range(-dims, 0))
    with torch.no_grad():
        layer.log_threshold.copy_(torch.tensor([0.7, 0.3]).log())
    kinds = {"dwt": lw.decompose, "swt": lw.undecimated}
    d = kinds[transform](x, "db2", 2, axes=axes)
    limits = dict(zip((2, 1), layer.threshold.tolist(), strict=True))
    expected = d.threshold(limits, "garrote").reconstruct()
    torch.testing.assert_close(layer(x), expected, rtol=1e-9, atol=1e-12)
    assert not torch.allclose(layer(x), x, atol=0.1)


def test_thresholds_of_channels_and_of_the_noise():
    layer = Denoise1d("haar", 2, channels=3, relative=True, initial=2.0).double()
    x, scales = signals(1), torch.tensor([1.0, 10.0, 0.01]).double()[:, None]
    torch.testing.assert_close(layer(scales * x), scales * layer(x))
    with torch.no_grad():
        layer.log_threshold[:, 1] = -inf
    torch.testing.assert_close(layer(x)[:, 1], x[:, 1])
    sigma = lw.estimate_sigma(x[0, 0], "haar")
    expected = lw.decompose(x[0, 0], "haar", 2).threshold(2 * float(sigma)).reconstruct()
    torch.testing.assert_close(layer(x)[0, 0], expected)


@pytest.mark.parametrize("transform", ["dwt", "swt", "dtcwt"])
def test_gradients_of_data_and_thresholds(transform):
    layer = Denoise1d("cdf5.3", 2, transform=transform).double()
    x = signals(1)[:1, :2, :20].requires_grad_()

    def run(x, logs):
        return torch.func.functional_call(layer, {"log_threshold": logs}, x)

    logs = torch.tensor([0.6, 0.2], dtype=torch.float64).log().requires_grad_()
    assert torch.autograd.gradcheck(run, (x, logs))


@pytest.mark.parametrize("limit", [-inf, log(0.1), inf])
@pytest.mark.parametrize("rule", ["soft", "hard", "garrote"])
@pytest.mark.parametrize(("transform", "wavelet"), [("dwt", "haar"), ("dtcwt", "cdf5.3")])
def test_gradients_at_zero_and_of_infinite_thresholds(transform, wavelet, rule, limit):
    """Coefficients are exactly zero where the signal is."""
    layer = Denoise1d(wavelet, 2, rule=rule, transform=transform)
    torch.nn.init.constant_(layer.log_threshold, limit)
    x = torch.zeros(1, 1, 32)
    x[..., 20:24] = torch.tensor([1.0, -2.0, 3.0, 0.5])
    x.requires_grad_()
    layer(x).square().sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())
    slopes = layer.log_threshold.grad
    assert (slopes is None) == (rule == "hard")
    if slopes is not None:
        assert bool(torch.isfinite(slopes).all())
        assert bool(slopes.any()) == (abs(limit) < inf)


@pytest.mark.parametrize("rule", ["soft", "hard", "garrote"])
@pytest.mark.parametrize("dims", [1, 2])
def test_the_dual_tree_as_a_layer(dims, rule):
    """The same as the bands of the function, shrunk by a threshold of each level."""
    layer = LAYERS[dims](None, 2, transform="dtcwt", rule=rule, relative=True).double()
    x, axes = signals(dims), tuple(range(-dims, 0))
    with torch.no_grad():
        layer.log_threshold.copy_(torch.tensor([1.2, 0.6]).log())
    plans = axis_plans("cdf9.7", "symmetric", axes, x.ndim)
    analysed = dual_tree(x, plans, 2)
    (noise,) = {id(n): n for n in noise_of(analysed.bands, "mad")}.values()
    coarse, fine = layer.threshold.tolist()
    limits = {2: coarse * noise, 1: fine * noise}
    values = [lw.threshold(b.values, limits[b.level], rule) for b in analysed.bands]
    torch.testing.assert_close(layer(x), analysed.rebuild(values), rtol=1e-9, atol=1e-12)
    assert not torch.allclose(layer(x), x, atol=0.1)


def test_gradients_of_the_noise_where_an_image_is_zero():
    layer = Denoise2d(None, 2, transform="dtcwt", relative=True)
    x = torch.zeros(1, 1, 40, 40)
    x[..., 5:20, 7:20] = 1
    x.requires_grad_()
    layer(x).square().sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())


def test_the_dual_tree_has_fixed_filters_and_one_boundary():
    with pytest.raises(WaveletError, match="one fixed wavelet for all axes: remove learn"):
        Denoise1d("cdf9.7", transform="dtcwt", learn="lifting")
    with pytest.raises(ModeError, match="transform='dtcwt' needs mode='symmetric', got 'zero'"):
        Denoise1d(transform="dtcwt", mode="zero")


def test_thresholds_are_learned():
    clean = 5 * torch.sin(torch.linspace(0, 20, 256)).expand(4, 1, -1)
    noisy = clean + torch.asarray(np.random.default_rng(0).standard_normal((4, 1, 256))).float()
    layer = Denoise1d("sym4", 3)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.3)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = (layer(noisy) - clean).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.4 * losses[0]
    layer.reset_parameters()
    torch.testing.assert_close(layer.threshold, torch.full((3,), 0.1))


def test_the_representation_has_all_options():
    expected = (
        "Denoise1d('haar', level=2, mode='symmetric', transform='dwt', rule='soft', initial=0.1, "
        "channels=3, relative=True, learn=None)"
    )
    assert repr(Denoise1d("haar", 2, channels=3, relative=True)) == expected


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"transform": "fft"}, OptionError, "unknown transform 'fft': use 'dwt', 'swt' or"),
        ({"rule": "less"}, ThresholdError, "unknown rule 'less': use 'soft'"),
        ({"initial": 0.0}, ThresholdError, "initial must be positive and finite, got 0"),
        ({"channels": 0}, OptionError, "channels must be at least 1, got 0"),
        ({"transform": "swt", "mode": "reflect"}, ModeError, "Denoise1d"),
        ({"transform": "dtcwt"}, WaveletError, "needs symmetric filters of odd lengths"),
    ],
)
def test_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        Denoise1d("db2", 2, **options)


def test_channels_must_fit():
    with pytest.raises(ShapeError, match=r"channels=2 takes this number of channels, got shape"):
        Denoise1d("haar", channels=2)(torch.ones(1, 3, 16))
