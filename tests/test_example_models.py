"""The networks and blocks of the examples match the papers' figures, forward and backward."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from examples import autoencoders, models  # noqa: E402
from liftwave.errors import ShapeError  # noqa: E402
from liftwave.torch import LDWBottleneck, LDWPool2d, auxiliary_loss  # noqa: E402
from liftwave.torch.zoo import PixelShuffle2d, SkipPool2d  # noqa: E402


def maps(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_vgg_is_convolutions_and_poolings():
    net = models.VGG(lambda channels: nn.MaxPool2d(2), classes=7, inputs=3, channels=(4, 8)).eval()
    x = maps(2, 3, 12, 12)
    (first, _, second, _), head = net.stages, net.head
    wanted = F.max_pool2d(second(F.max_pool2d(first(x), 2)), 2).mean((-2, -1))
    torch.testing.assert_close(net(x), head(wanted))
    assert sum(isinstance(m, nn.Conv2d) for m in net.modules()) == 4


def test_pooling_by_skipping_makes_resnets_strided_convolutions():
    block = models.BasicBlock(4, 6, lambda channels: SkipPool2d(2)).eval()
    # The skipping layer follows the ReLU. The ReLU is pointwise, so the order does not matter.
    assert isinstance(block.first[1], SkipPool2d)
    x = maps(2, 4, 8, 8)
    convolution, normalization, _ = block.first[0]
    strided = F.conv2d(x, convolution.weight, stride=2, padding=1)
    through = block.second(normalization(strided).relu())
    _, one, normalization = block.shortcut
    beside = normalization(F.conv2d(x, one.weight, stride=2))
    torch.testing.assert_close(block(x), (through + beside).relu())


def test_a_block_that_keeps_its_size_adds_its_input():
    block = models.BasicBlock(4, 4).eval()
    nn.init.zeros_(block.second[1].weight)
    x = maps(2, 4, 8, 8)
    assert torch.equal(block(x), x.relu())


def test_poolings_that_make_channels_are_met_by_wider_convolutions():
    for net in (models.VGG, models.ResNet):
        made = net(lambda channels: PixelShuffle2d(2), channels=(4, 8), classes=3)
        assert made(maps(2, 1, 8, 8)).shape == (2, 3)
    widths = [m.in_channels for m in models.VGG(lambda c: PixelShuffle2d(2)).modules()
              if isinstance(m, nn.Conv2d)]  # fmt: skip
    assert widths == [1, 8, 32, 16, 64, 32]


def test_the_bottleneck_pools_its_shortcut_by_wavelets():
    torch.manual_seed(0)
    block = LDWBottleneck(6, 16).eval()
    x = maps(2, 6, 9, 8)
    assert block(x).shape == (2, 16, 5, 4)
    one, pool, attention = block.shortcut
    assert isinstance(pool, LDWPool2d)
    bands = pool(one(x))
    assert bands.shape == (2, 16, 5, 4)
    wanted = (block.through(x) + attention(bands)).relu()
    torch.testing.assert_close(block(x), wanted)
    # In the main path, the first convolution has stride 2 (section 3.4).
    strides = [m.stride for m in block.through.modules() if isinstance(m, nn.Conv2d)]
    assert strides == [(2, 2), (1, 1), (1, 1)]
    assert float(auxiliary_loss(block).detach()) >= 0
    torch.testing.assert_close(block(x[0]), wanted[0])
    with pytest.raises(ShapeError, match="channels must be a multiple of 4, because"):
        LDWBottleneck(4, 6)


@pytest.mark.parametrize("name", autoencoders.PAIRS)
def test_every_pair_goes_down_and_up(name):
    torch.manual_seed(0)
    pair = autoencoders.PAIRS[name](3)
    x = maps(2, 3, 8, 12).abs()
    y, memory = pair.down(x)
    assert y.shape == (2, 3, 4, 6)
    assert pair.up(y, memory).shape == x.shape


def test_pairs_by_hand():
    x = torch.tensor([[1.0, 5.0, 2.0, 2.0], [3.0, 0.0, 8.0, 1.0]])[None, None]
    back = {name: autoencoders.PAIRS[name](1)(x)[0, 0].tolist() for name in autoencoders.PAIRS}
    assert back["max, nearest"] == [[5, 5, 8, 8], [5, 5, 8, 8]]
    assert back["average, nearest"] == [[2.25, 2.25, 3.25, 3.25]] * 2
    assert back["max, bed of nails"] == [[5, 0, 8, 0], [0, 0, 0, 0]]
    assert back["max, unpooling"] == [[0, 5, 0, 0], [0, 0, 8, 0]]


@pytest.mark.parametrize("name", ["LDW", "LiftPool"])
def test_what_is_remembered_makes_the_way_exact(name):
    torch.manual_seed(0)
    pair, forgetful = (autoencoders.PAIRS[n](3) for n in (name, f"{name}, details forgotten"))
    forgetful.load_state_dict(pair.state_dict())
    x = maps(2, 3, 8, 12)
    torch.testing.assert_close(pair(x), x, rtol=0, atol=2e-5)
    assert (forgetful(x) - x).abs().max() > 0.1
    assert torch.equal(pair.down(x)[0], forgetful.down(x)[0])


def test_ada_preserves_means_or_sums():
    x = maps(2, 3, 8, 12).abs()
    for name, share in (("AdaPool", 1.0), ("AdaPool, sums preserved", 0.25)):
        pair = autoencoders.PAIRS[name](3)
        torch.testing.assert_close(F.avg_pool2d(pair(x), 2), share * pair.down(x)[0])


@pytest.mark.parametrize("build", [autoencoders.segnet, autoencoders.unet])
def test_an_autoencoder_gives_images_of_the_same_size(build):
    net = build(channels=(4, 8, 8), inputs=3, outputs=5)
    y = net(maps(2, 3, 16, 24))
    assert y.shape == (2, 5, 16, 24)
    y.square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_only_unet_shows_its_maps_to_the_decoder():
    for build, wider in ((autoencoders.segnet, 1), (autoencoders.unet, 2)):
        net = build(autoencoders.PAIRS["LiftPool"], channels=(4, 8))
        assert [part[0].in_channels for part in net.decoder] == [4 * wider, 8 * wider]
