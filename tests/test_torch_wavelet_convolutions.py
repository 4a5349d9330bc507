"""Depthwise convolutions of bands compute the formula of their paper."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import liftwave as lw  # noqa: E402
import liftwave.torch as lwt  # noqa: E402
from benchmarks import convolutions  # noqa: E402
from liftwave.errors import LevelError, ShapeError, WindowError  # noqa: E402

SIZES = {1: (21,), 2: (13, 12), 3: (6, 7, 4)}


def layer_of(d: int, *arguments, **options) -> nn.Module:
    """A layer with random scales, in double precision."""
    torch.manual_seed(d)
    layer = getattr(lwt, f"WTConv{d}d")(*arguments, **options).double()
    with torch.no_grad():
        for scale in (layer.base_scale, *layer.scales):
            scale += 0.3 * torch.randn(scale.shape, dtype=scale.dtype)
    return layer


def by_functions(layer: nn.Module, x: torch.Tensor, wavelet: str, mode: str) -> torch.Tensor:
    """The formula, band by band, with the n-D functions."""
    d, c, axes = x.ndim - 2, layer.channels, tuple(range(2, x.ndim))
    convolve = getattr(nn.functional, f"conv{d}d")
    keys = ["".join("da"[letter == "L"] for letter in reversed(name)) for name in
            (["L", "H"], ["LL", "LH", "HL", "HH"],
             ["LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH"])[d - 1]]  # fmt: skip

    def depthwise(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return convolve(x, weight, padding=layer.kernel_size // 2, groups=x.shape[1])

    levels, low = [], x
    for convolution, scale in zip(layer.convolutions, layer.scales, strict=True):
        bands = lw.dwtn(low, wavelet, mode, axes=axes)
        parts = (slice(k * c, (k + 1) * c) for k in range(len(keys)))
        convolved = {
            key: scale[part] * depthwise(bands[key], convolution.weight[part])
            for key, part in zip(keys, parts, strict=True)
        }
        levels.append((low.shape[2:], convolved))
        low = bands["a" * d]
    z = torch.zeros_like(low)
    for size, bands in reversed(levels):
        bands["a" * d] = bands["a" * d] + z
        z = lw.idwtn(bands, wavelet, mode, axes=axes)
        z = z[(..., *(slice(n) for n in size))]
    bias = layer.base.bias.reshape(-1, *(1,) * d) if layer.base.bias is not None else 0.0
    return layer.base_scale * (depthwise(x, layer.base.weight) + bias) + z


@pytest.mark.parametrize(
    ("d", "level", "wavelet", "mode"),
    [(1, 1, "haar", "periodization"), (1, 3, "db2", "symmetric"), (2, 1, "db2", "zero"),
     (2, 2, "haar", "periodization"), (3, 2, "haar", "periodization")],
)  # fmt: skip
def test_the_formula(d: int, level: int, wavelet: str, mode: str) -> None:
    layer = layer_of(d, 3, 3, level, wavelet, mode)
    x = torch.randn(2, 3, *SIZES[d], dtype=torch.float64)
    wanted = by_functions(layer, x, wavelet, mode)
    torch.testing.assert_close(layer(x), wanted)
    torch.testing.assert_close(layer(x[0]), wanted[0])
    strided = layer_of(d, 3, 3, level, wavelet, mode, stride=2)
    torch.testing.assert_close(strided(x), wanted[(..., *(slice(None, None, 2),) * d)])


def test_kernels_of_one_tap_reconstruct() -> None:
    layer = lwt.WTConv2d(2, kernel_size=1, level=3, bias=False)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(1.0)
    # Each level adds its approximation once more, as a smooth part of the signal.
    x = torch.full((1, 2, 16, 16), 3.0)
    torch.testing.assert_close(layer(x), (1 + 3) * x)
    x = torch.randn(1, 2, 16, 16)
    x -= nn.functional.avg_pool2d(x, 2).repeat_interleave(2, -1).repeat_interleave(2, -2)
    torch.testing.assert_close(layer(x), 2 * x)  # no approximation


def test_each_level_doubles_the_receptive_field() -> None:
    x = torch.zeros(1, 1, 128, dtype=torch.float64)
    x[..., 64] = 1.0
    for level, reach in ((1, 6), (2, 12), (3, 24)):
        y = layer_of(1, 1, 3, level, bias=False)(x)
        places = y[0, 0].nonzero()
        assert int(places.max() - places.min()) + 1 == reach


def test_gradients_and_a_learned_wavelet() -> None:
    layer = layer_of(2, 2, 3, 2, "db2", learn="orthonormal")
    names = dict(layer.named_parameters())
    assert {"dwt.wavelet.angles", "base.weight", "base_scale", "scales.1"} <= set(names)
    assert "idwt.wavelet.angles" not in names

    def run(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    x = torch.randn(1, 2, 8, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (x, *names.values()), fast_mode=True)


def test_parameters_can_be_reset_and_placed() -> None:
    layer = lwt.WTConv2d(2, 3, 2, dtype=torch.bfloat16)
    assert {p.dtype for p in layer.parameters()} == {torch.bfloat16}
    assert layer(torch.randn(1, 2, 8, 8, dtype=torch.bfloat16)).dtype == torch.bfloat16
    before = layer.convolutions[1].weight.clone()
    with torch.no_grad():
        layer.scales[1].fill_(7)
    layer.reset_parameters()
    assert not torch.equal(layer.convolutions[1].weight, before)
    assert (layer.scales[1] == torch.tensor(0.1).bfloat16()).all()
    assert (layer.base_scale == 1).all()
    assert next(lwt.WTConv1d(2, device="meta").parameters()).is_meta


def test_wrong_arguments() -> None:
    with pytest.raises(WindowError, match="must be odd, so that the size of bands"):
        lwt.WTConv2d(3, 4)
    with pytest.raises(LevelError, match="at least one level, got 0"):
        lwt.WTConv2d(3, level=0)
    with pytest.raises(ShapeError, match=r"shape \(3, H, W\) or \(N, 3, H, W\)"):
        lwt.WTConv2d(3)(torch.ones(1, 2, 8, 8))


def test_the_benchmark_writes_its_page(tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    convolutions.main(["--quick", "--out", str(out)])
    rows = [line for line in out.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(convolutions.layers(2))
