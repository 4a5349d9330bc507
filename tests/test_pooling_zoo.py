"""The poolings of the comparison compute the formulas of their papers."""

from __future__ import annotations

import inspect
import itertools
import math

import numpy as np
import pytest
import pywt
import scipy.signal
from test_house import described_parameters, sections

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: E402, N812

from examples import poolings  # noqa: E402
from liftwave.errors import ShapeError, WindowError  # noqa: E402
from liftwave.torch import zoo  # noqa: E402


def maps(*shape: int, seed: int = 0, positive: bool = False) -> torch.Tensor:
    x = np.random.default_rng(seed).standard_normal(shape)
    return torch.as_tensor(np.abs(x) if positive else x)


def windowed(x: torch.Tensor, rule, size: int = 2, stride: int = 2) -> np.ndarray:
    """``rule`` applied to each window and channel, by loops."""
    n, c, h, w = x.shape
    rows, columns = range(0, h - size + 1, stride), range(0, w - size + 1, stride)
    out = np.empty((n, c, len(rows), len(columns)))
    for i, k, r, s in itertools.product(range(n), range(c), range(len(rows)), range(len(columns))):
        top, left = rows[r], columns[s]
        out[i, k, r, s] = rule(x[i, k, top : top + size, left : left + size].numpy(), k)
    return out


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))


def randomized(layer: torch.nn.Module) -> torch.nn.Module:
    """The layer with random changes of its initial parameters."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 0.5 * torch.randn(parameter.shape, generator=generator)
    return layer.double().eval()


def assert_equal(given: torch.Tensor, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(given.detach().numpy(), wanted, rtol=1e-12, atol=1e-13)


def test_skip_is_a_strided_convolution():
    x, weight = maps(2, 3, 7, 8), maps(4, 3, 3, 3, seed=1)
    skipped = zoo.SkipPool2d(2)(F.conv2d(x, weight, padding=1)[..., :6, :])
    assert_equal(skipped, F.conv2d(x, weight, stride=2, padding=1)[..., :3, :].numpy())
    assert zoo.SkipPool2d(2)(x).shape == (2, 3, 3, 4)


@pytest.mark.parametrize("p", [1.5, 3.0])
def test_lp_is_the_power_mean_of_magnitudes(p):
    layer, x = zoo.LpPool2d(3, 2, p=p).double(), maps(2, 3, 7, 8)
    power = float(layer.p.detach())
    assert power == pytest.approx(p, rel=1e-6)
    wanted = windowed(x, lambda a, _: np.mean(np.abs(a) ** power) ** (1 / power), 3, 2)
    assert_equal(layer(x), wanted)
    theirs = F.lp_pool2d(x.abs(), power, 3, 2) / 9 ** (1 / power)
    assert_equal(layer(x), theirs.numpy())


def test_lp_takes_zeros_and_the_largest_numbers():
    layer, x = zoo.LpPool2d(2).double(), maps(1, 1, 4, 4)
    x[..., :2, :2] = 0
    x[..., 2, 2] = 1e300
    x.requires_grad_()
    y = layer(x)
    y.sum().backward()
    assert y[0, 0, 0, 0] == 0
    assert y[0, 0, 1, 1].item() == pytest.approx(1e300 / 4 ** (1 / 3), rel=1e-6)
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(layer.rho.grad)
    with pytest.raises(ValueError, match="order p of LpPool2d must be above 1"):
        zoo.LpPool2d(2, p=1.0)


def test_blur_by_hand():
    x = torch.zeros(1, 2, 4, 4)
    x[0, 0, 1, 1], x[0, 1] = 16, 3
    y = zoo.BlurPool2d(3, 2)(x)
    # [1 2 1]/4 in both directions at samples 0 and 2; at 0, mirroring counts sample 1 twice.
    assert_equal(y[0, 0], np.array([[4.0, 2.0], [2.0, 1.0]]))
    assert_equal(y[0, 1], np.full((2, 2), 3.0))


@pytest.mark.parametrize("filter_size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("size", [(8, 8), (7, 9), (2, 3), (1, 5)])
def test_blur_keeps_constants_and_halves(filter_size, size):
    y = zoo.BlurPool2d(filter_size)(torch.full((1, 2, *size), 5.0))
    assert y.shape == (1, 2, -(-size[0] // 2), -(-size[1] // 2))
    assert torch.equal(y, torch.full_like(y, 5.0))


@pytest.mark.parametrize("filter_size", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(8, 8), (9, 11), (6, 5)])
def test_blur_is_torchs_convolution_of_the_mirrored_map(filter_size, stride, size):
    x = maps(2, 3, *size).requires_grad_()
    taps = torch.tensor([math.comb(filter_size - 1, k) for k in range(filter_size)]).double()
    weight = (torch.outer(taps, taps) / taps.sum() ** 2).expand(3, 1, -1, -1)
    before, after = (filter_size - 1) // 2, filter_size // 2
    mirrored = F.pad(x, (before, after, before, after), "reflect")
    wanted = F.conv2d(mirrored, weight, stride=stride, groups=3)
    y, cotangent = zoo.BlurPool2d(filter_size, stride)(x), torch.randn_like(wanted)
    assert_equal(y, wanted.detach().numpy())
    gradients = (torch.autograd.grad(each, x, cotangent)[0] for each in (y, wanted))
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-14)


def test_max_blur_is_maximum_then_blur():
    x = maps(2, 3, 8, 9)
    highest = windowed(x, lambda a, _: a.max(), 2, 1)
    assert_equal(zoo.MaxBlurPool2d(2, 3)(x), zoo.BlurPool2d(3)(torch.as_tensor(highest)).numpy())
    assert zoo.MaxBlurPool2d(2, 3)(x).shape == (2, 3, 4, 4)


@pytest.mark.parametrize("size", [(8, 12), (9, 10), (6, 7), (5, 3)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_spectral_is_resampling_by_fourier(size, stride):
    x = maps(2, 3, *size)
    wanted = x.numpy()
    for axis in (-2, -1):
        wanted = scipy.signal.resample(wanted, x.shape[axis] // stride, axis=axis)
    assert_equal(zoo.SpectralPool2d(stride)(x), wanted)


def test_wavelet_keeps_the_second_level_alone():
    x = maps(2, 3, 8, 12)
    approximation, second, first = pywt.wavedec2(x.numpy(), "haar", "periodization", level=2)
    assert len(first) == 3
    wanted = pywt.waverec2([approximation, second], "haar", "periodization")
    assert_equal(zoo.WaveletPool2d()(x), wanted)


def test_pixel_shuffle_loses_nothing():
    x = maps(2, 3, 6, 8)
    layer = zoo.PixelShuffle2d(2)
    assert layer(x).shape == (2, poolings.growth_of(layer) * 3, 3, 4)
    assert torch.equal(F.pixel_shuffle(layer(x), 2), x)


def test_stochastic_expects_what_it_draws():
    x = maps(1, 2, 4, 6)
    x[..., :2, :2] = -1.0  # no positive sample in the first window
    layer = zoo.StochasticPool2d(2).eval()

    def expected(a: np.ndarray, _: int) -> float:
        chances = np.maximum(a, 0)
        chances = chances / chances.sum() if chances.sum() else np.full((2, 2), 0.25)
        return float((chances * a).sum())

    assert_equal(layer(x), windowed(x, expected))
    torch.manual_seed(0)
    drawn = layer.train()(x.expand(20_000, -1, -1, -1))
    # The mean of 20000 draws with spread at most 1.5 is off by 0.05 less than once in a million.
    torch.testing.assert_close(drawn.mean(0), layer.eval()(x)[0], rtol=0, atol=0.05)
    corners = torch.nn.functional.unfold(x, 2, stride=2).reshape(2, 4, 2, 3)
    assert (drawn[:, :, None] == corners).any(2).all()


def test_s3_expects_what_it_draws():
    layer, x = zoo.S3Pool2d(2, stride=2, grid_size=6), maps(1, 2, 6, 13)
    torch.manual_seed(0)
    with torch.no_grad():
        drawn = torch.stack([layer(x)[0] for _ in range(2_000)])
    assert drawn.shape[1:] == (2, 3, 6)
    # The mean of 2000 draws with spread at most 1.5 is off by 0.16 less than once in a million.
    torch.testing.assert_close(drawn.mean(0), layer.eval()(x)[0], rtol=0, atol=0.16)
    highest = windowed(F.pad(x, (0, 1, 0, 1), "replicate"), lambda a, _: a.max(), 2, 1)
    values = set(np.unique(highest))
    assert set(np.unique(drawn[0].numpy())) <= values


def test_s3_keeps_the_order_of_rows():
    layer = zoo.S3Pool2d(1, stride=2, grid_size=8)
    x = torch.arange(16.0).reshape(1, 1, 16, 1).expand(1, 1, 16, 16)
    torch.manual_seed(0)
    for _ in range(10):
        rows = layer(x)[0, 0, :, 0]
        assert (rows.diff() > 0).all()
        assert (rows[:4] < 8).all()
        assert (rows[4:] >= 8).all()
    assert_equal(zoo.S3Pool2d(1).eval()(x), F.avg_pool2d(x, 2).numpy())


def test_s3_asks_for_whole_strides():
    with pytest.raises(ValueError, match="grid_size=3; use 4"):
        zoo.S3Pool2d(2, stride=2, grid_size=3)


def test_mixed_is_a_share_of_both():
    layer, x = randomized(zoo.MixedPool2d(3, 2)), maps(2, 3, 7, 8)
    share = sigmoid(float(layer.logit.detach()))
    wanted = windowed(x, lambda a, _: share * a.max() + (1 - share) * a.mean(), 3, 2)
    assert_equal(layer(x), wanted)


@pytest.mark.parametrize("channels", [None, 3])
def test_gated_decides_for_each_window(channels):
    layer, x = randomized(zoo.GatedPool2d(2, channels=channels)), maps(2, 3, 6, 8)
    gates = layer.gate.detach().numpy().reshape(-1, 2, 2)

    def rule(a: np.ndarray, channel: int) -> float:
        share = sigmoid(float((gates[channel % len(gates)] * a).sum()))
        return share * a.max() + (1 - share) * a.mean()

    assert_equal(layer(x), windowed(x, rule))


@pytest.mark.parametrize("symmetric", [True, False])
def test_dpp_weights_what_stands_out(symmetric):
    layer = randomized(zoo.DetailPreservingPool2d(3, symmetric=symmetric))
    x = maps(2, 3, 6, 8)
    alpha, lam = layer.log_alpha.detach().exp(), layer.log_lambda.detach().exp()

    def rule(a: np.ndarray, channel: int) -> float:
        v = a - a.mean()
        v = v if symmetric else np.maximum(v, 0)
        weights = alpha[channel].item() + np.sqrt(v**2 + 1e-6) ** lam[channel].item()
        return float((weights * a).sum() / weights.sum())

    assert_equal(layer(x), windowed(x, rule))


def test_lip_begins_at_average_pooling_and_weights_by_its_logits():
    layer, x = zoo.LocalImportancePool2d(3).double(), maps(2, 3, 6, 8)
    assert_equal(layer(x), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False).numpy())
    layer = randomized(layer)
    logits = layer.convolution(x)
    logits = (logits - logits.mean((-2, -1), keepdim=True)) / torch.sqrt(
        logits.var((-2, -1), correction=0, keepdim=True) + 1e-5
    )
    scale, shift = (p.detach().reshape(-1, 1, 1) for p in layer.normalization.parameters())
    weights = (12 / (1 + torch.exp(-(scale * logits + shift)))).exp().detach().numpy()
    y = layer(x).detach().numpy()
    for r, s in itertools.product(range(3), range(4)):
        rows, columns = slice(max(2 * r - 1, 0), 2 * r + 2), slice(max(2 * s - 1, 0), 2 * s + 2)
        w = weights[..., rows, columns]
        wanted = (w * x[..., rows, columns].numpy()).sum((-2, -1)) / w.sum((-2, -1))
        np.testing.assert_allclose(y[..., r, s], wanted, rtol=1e-10)


def test_gauss_adds_a_share_of_the_spread():
    layer, x = randomized(zoo.GaussianPool2d(4)), maps(3, 4, 6, 8)
    shares = F.softplus(layer.centre(layer.squeeze(x.mean((-2, -1))))).detach().numpy()
    pooled = layer(x).detach().numpy()
    for n in range(3):
        wanted = windowed(
            x[n : n + 1], lambda a, c, n=n: a.mean() + shares[n, c] * np.sqrt(a.var() + 1e-6)
        )
        np.testing.assert_allclose(pooled[n : n + 1], wanted, rtol=1e-12)
    layer.train()
    assert not torch.equal(layer(x), layer(x))


@pytest.mark.parametrize("name", poolings.COMPARED)
def test_every_pooling_halves_and_has_the_gradient_of_what_it_computes(name):
    layer = randomized(poolings.POOLINGS[name](4))
    assert layer(maps(2, 4, 8, 12)).shape == (2, 4 * poolings.growth_of(layer), 4, 6)
    x = maps(1, 4, 4, 4).requires_grad_()
    parameters = tuple(layer.parameters())

    def run(x, *values):
        named = dict(zip(dict(layer.named_parameters()), values, strict=True))
        return torch.func.functional_call(layer, named, (x,))

    # One random direction of all inputs: some poolings have hundreds of parameters.
    assert torch.autograd.gradcheck(run, (x, *parameters), atol=1e-6, fast_mode=True)


@pytest.mark.parametrize("name", poolings.COMPARED)
def test_every_pooling_says_its_settings(name):
    assert repr(poolings.POOLINGS[name](4)).startswith(type(poolings.POOLINGS[name](4)).__name__)


@pytest.mark.parametrize("name", zoo.__all__)
def test_layers_have_parameters_examples_and_a_source(name):
    found = sections(getattr(zoo, name).__doc__)
    assert {"References", "Examples"} <= set(found)
    described = described_parameters(found.get("Parameters", []))
    assert described == set(inspect.signature(getattr(zoo, name)).parameters)


def test_maps_without_a_batch_and_wrong_arguments():
    x = maps(4, 8, 12)
    for name in poolings.COMPARED:
        layer = randomized(poolings.POOLINGS[name](4))
        torch.testing.assert_close(layer(x), layer(x[None])[0])
    with pytest.raises(ShapeError, match=r"shape \(C, H, W\) or \(N, C, H, W\)"):
        zoo.BlurPool2d()(x[0])
    with pytest.raises(WindowError, match="kernel_size"):
        zoo.MixedPool2d(0)
