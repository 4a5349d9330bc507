"""Layers of similarity pooling, gated AdaPool, and upsampling without parameters."""

from __future__ import annotations

import itertools

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: E402, N812

import liftwave as lw  # noqa: E402
import liftwave.torch as lwt  # noqa: E402
from liftwave.errors import OptionError, ShapeError, WindowError  # noqa: E402

SIZES = {1: (11,), 2: (7, 8), 3: (4, 5, 6)}


def signals(d: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(d)
    return torch.randn(2, 3, *SIZES[d], generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_upsampling_is_that_of_the_functions(d: int) -> None:
    x = signals(d)
    for name, function in (
        ("Nearest", lw.pooling.nearest_unpool),
        ("BedOfNails", lw.pooling.bed_of_nails_unpool),
    ):
        layer = getattr(lwt, f"{name}Unpool{d}d")(2, 3)
        assert torch.equal(layer(x), function(x, 2, 3, ndim=d))
        assert torch.equal(layer(x[0]), layer(x)[0])
        size = tuple(3 * n for n in x.shape[2:])
        assert layer(x, size).shape[2:] == size
        assert "kernel_size=" in repr(layer)
    with pytest.raises(WindowError, match="windows must not overlap"):
        getattr(lwt, f"NearestUnpool{d}d")(3, 2)
    with pytest.raises(ShapeError, match="takes tensors of shape"):
        layer(x[0, 0])


@pytest.mark.parametrize("similarity", ["dice", "cosine", "pce"])
@pytest.mark.parametrize("exponential", [True, False])
def test_similarity_pooling_is_that_of_the_function(similarity: str, exponential: bool) -> None:
    for d in (1, 2, 3):
        options = {"similarity": similarity, "exponential": exponential, "per_channel": d == 2}
        layer = getattr(lwt, f"SimilarityPool{d}d")(3, 2, 1, **options)
        x = signals(d)
        assert torch.equal(layer(x), lw.pooling.similarity_pool(x, 3, 2, 1, ndim=d, **options))
        assert f"similarity={similarity!r}, exponential={exponential}" in repr(layer)
    with pytest.raises(WindowError, match="'dice', 'cosine', 'pce'"):
        lwt.SimilarityPool1d(2, similarity="cos")  # type: ignore[arg-type]


@pytest.mark.parametrize("windows", [(2,), (3, 1, 1), ((2, 3), 3, 0, 2), (3, 2, 1, 1, True)])
@pytest.mark.parametrize("channels", [None, 3])
def test_gates_are_products_with_the_samples_of_regions(windows, channels) -> None:
    layer = lwt.GatedAdaPool2d(*windows, channels=channels).double()
    x = signals(2)
    both = lw.pooling.edscw_pool(x, *windows), lw.pooling.soft_pool(x, *windows)
    torch.testing.assert_close(layer(x), (both[0] + both[1]) / 2)  # the gate starts at zero
    with torch.no_grad():
        layer.gate += torch.randn(layer.gate.shape, dtype=torch.float64)
    y, gate = layer(x), layer.gate.expand(3, -1, -1)
    kernel, stride, padding, dilation, _ = layer.windows
    assert y.shape == both[0].shape
    for i, j in itertools.product(range(y.shape[-2]), range(y.shape[-1])):
        logits = torch.zeros(2, 3, dtype=torch.float64)
        for k, m in itertools.product(*map(range, kernel)):
            row = i * stride[0] - padding[0] + k * dilation[0]
            column = j * stride[1] - padding[1] + m * dilation[1]
            if 0 <= row < x.shape[-2] and 0 <= column < x.shape[-1]:
                logits = logits + gate[:, k, m] * x[..., row, column]
        share = logits.sigmoid()
        wanted = share * both[0][..., i, j] + (1 - share) * both[1][..., i, j]
        torch.testing.assert_close(y[..., i, j], wanted)
    torch.testing.assert_close(layer(x[0]), y[0])


def test_gates_in_other_dimensions_and_precisions() -> None:
    for d in (1, 3):
        layer = getattr(lwt, f"GatedAdaPool{d}d")(2, channels=3).double()
        with torch.no_grad():
            layer.gate += 0.3
        x = signals(d)
        averages = getattr(F, f"avg_pool{d}d")(x, 2) * 2**d * 0.3
        torch.testing.assert_close(layer.share_of(x), averages.sigmoid())
        assert torch.autograd.gradcheck(layer, x[:1].requires_grad_(), fast_mode=True)
    layer = lwt.GatedAdaPool2d(2, dtype=torch.bfloat16)
    assert layer(signals(2).bfloat16()).dtype == torch.bfloat16
    with torch.no_grad():
        layer.gate.fill_(1)
    layer.reset_parameters()
    assert not layer.gate.any()
    with pytest.raises(ShapeError, match=r"shape \(4, H, W\)"):
        lwt.GatedAdaPool2d(2, channels=4)(signals(2))


WEIGHTED = [
    (lw.pooling.soft_pool, {}),
    (lw.pooling.soft_pool, {"per_channel": False}),
    (lw.pooling.edscw_pool, {"per_channel": False}),
    (lw.pooling.similarity_pool, {"similarity": "cosine", "exponential": False}),
    (lw.pooling.idw_pool, {"distance": "huber", "delta": 0.5}),
    (lw.pooling.ada_pool, {"beta": 0.3}),
]


@pytest.mark.parametrize(("function", "options"), WEIGHTED)
@pytest.mark.parametrize("windows", [(2,), (3, 2, 1), ((2, 3), 2, 1, 2, True)])
def test_weights_of_regions_give_the_result(function, options, windows) -> None:
    x = signals(2)
    weights = lw.pooling.region_weights(function, x, *windows, **options)
    layer = lwt.SoftPool2d(*windows)
    kernel, stride, padding, dilation, _ = layer.windows
    result = function(x, *windows, **options)
    assert weights.shape == (*result.shape, *kernel)
    torch.testing.assert_close(weights.sum((-2, -1)), torch.ones_like(result))
    total = torch.zeros_like(result)
    for i, j in itertools.product(range(result.shape[-2]), range(result.shape[-1])):
        for k, m in itertools.product(*map(range, kernel)):
            row = i * stride[0] - padding[0] + k * dilation[0]
            column = j * stride[1] - padding[1] + m * dilation[1]
            weight = weights[..., i, j, k, m]
            if 0 <= row < x.shape[-2] and 0 <= column < x.shape[-1]:
                total[..., i, j] += weight * x[..., row, column]
            else:
                assert not weight.any()
    torch.testing.assert_close(total, result)


def test_weights_of_other_functions() -> None:
    with pytest.raises(OptionError, match="one of the functions soft_pool, edscw_pool"):
        lw.pooling.region_weights(lw.pooling.max_pool, signals(2), 2)
    weights = lw.pooling.region_weights(lw.pooling.soft_pool, [1.0, 1.0], (2,))
    assert weights.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("d", [1, 2, 3])
def test_channels_share_the_softmax_of_their_sum(d: int) -> None:
    layer = getattr(lwt, f"SoftPool{d}d")(3, 2, 1, per_channel=False)
    x = signals(d)
    total = x.sum(1, keepdim=True)
    weights = lw.pooling.region_weights(lw.pooling.soft_pool, total, 3, 2, 1, ndim=d)
    options = {"per_channel": False, "ndim": d}
    shared = lw.pooling.region_weights(lw.pooling.soft_pool, x, 3, 2, 1, **options)
    torch.testing.assert_close(shared, weights.expand_as(shared))
    assert layer(x).shape == getattr(lwt, f"SoftPool{d}d")(3, 2, 1)(x).shape
    assert torch.autograd.gradcheck(layer, x[:1].requires_grad_(), fast_mode=True)
    large = layer(1e4 * x.detach())
    assert large.isfinite().all()
    assert "per_channel=False" in repr(layer)
