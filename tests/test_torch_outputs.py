"""Transforms whose coefficients are one tensor, and wavelets for groups of channels."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import liftwave as lw  # noqa: E402
import liftwave.torch as lwt  # noqa: E402
from liftwave.errors import ArgumentTypeError, OptionError, ShapeError  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Level value:liftwave.errors.LevelWarning")

SIZES = {1: (17,), 2: (8, 11), 3: (4, 6, 5)}
# The order of the names of bands: LLH, LHL, LHH, … have the letters of the width first.
KEYS = ("daa", "ada", "dda", "aad", "dad", "add", "ddd")


def signals(dimensions: int, channels: int = 3, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(dimensions)
    shape = (batch, channels, *SIZES[dimensions])
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def bands_of(coeffs: Any, dimensions: int) -> list[torch.Tensor]:
    """All bands, coarsest first."""
    approx, *levels = coeffs
    if dimensions == 1:
        return [approx, *levels]
    if dimensions == 2:
        return [approx, *(band for level in levels for band in level)]
    return [approx, *(level[key] for level in levels for key in KEYS)]


TRANSFORMS = [
    *(("DWT", d, {"mode": "symmetric"}) for d in (1, 2, 3)),
    *(("SWT", d, {"level": 2}) for d in (1, 2, 3)),
    ("MODWT", 1, {"level": 2}),
]


@pytest.mark.parametrize(("name", "d", "options"), TRANSFORMS)
def test_one_tensor_has_all_bands(name: str, d: int, options: dict[str, Any]) -> None:
    transform = getattr(lwt, f"{name}{d}d")
    x = signals(d)
    size = {"output_size": x.shape[2:]} if name == "DWT" else {}
    bands = bands_of(transform("db2", **options)(x), d)
    for output, join in (("concat", torch.cat), ("stack", lambda b, k: torch.stack(b, k + 1))):
        layer = transform("db2", **options, output=output)
        y = layer(x)
        assert torch.equal(y, join(bands, 1))
        assert torch.equal(layer(x[0]), y[0]), "without a batch"
        inverse = layer.inverse()
        assert inverse.output == output
        assert f"output={output!r}" in repr(inverse)
        torch.testing.assert_close(inverse(y, **size), x)
        torch.testing.assert_close(inverse(y[0], **size), x[0])


@pytest.mark.parametrize("d", [1, 2])
def test_packets_along_channels(d: int) -> None:
    transform = getattr(lwt, f"WaveletPacket{d}d")
    x = signals(d)
    packets, layer = (transform("db2", 2, output=output) for output in ("stack", "concat"))
    nodes = packets(x).flatten(2, 1 + d)  # (N, C, nodes, …)
    y = layer(x)
    assert torch.equal(y, torch.cat(nodes.unbind(2), 1))
    size = x.shape[2:]
    torch.testing.assert_close(layer.inverse()(y, output_size=size), x)
    torch.testing.assert_close(layer.inverse()(y[0], output_size=size), x[0])
    with pytest.raises(ShapeError, match=f"takes {4**d} packets along the channels"):
        layer.inverse()(y[:, 1:])


def test_layers_are_steps_of_sequential() -> None:
    dwt = lwt.DWT2d("db2", mode="periodization", learn="orthonormal", output="concat")
    model = nn.Sequential(dwt, nn.Conv2d(12, 12, 3, padding=1, groups=12), dwt.inverse())
    x = torch.randn(2, 3, 16, 16)
    y = model(x)
    y.square().sum().backward()
    assert y.shape == x.shape
    assert dwt.wavelet.angles.grad is not None


def test_one_tensor_that_is_not_possible() -> None:
    with pytest.raises(OptionError, match=r"bands of equal sizes.* got level=2"):
        lwt.DWT2d("haar", level=2, output="stack")
    with pytest.raises(OptionError, match="unknown output 'cat': use one of 'list', 'concat'"):
        lwt.SWT1d(output="cat")  # type: ignore[type-var]
    with pytest.raises(OptionError, match="unknown output 'list': use one of 'stack', 'concat'"):
        lwt.WaveletPacket1d(output="list")  # type: ignore[arg-type]
    idwt = lwt.IDWT2d("haar", output="concat")
    with pytest.raises(ShapeError, match=r"4 bands in one tensor of shape \(C \* 4, …\)"):
        idwt(torch.ones(1, 6, 4, 4))
    with pytest.raises(ShapeError, match=r"tensor of shape \(C, 4, …\)"):
        lwt.IDWT2d("haar", output="stack")(torch.ones(4, 4, 4))
    with pytest.raises(ArgumentTypeError, match="one tensor of all bands"):
        idwt([torch.ones(1, 1, 4, 4), None])


# --- groups --------------------------------------------------------------------------------------

GROUPED = [
    ("DWT", 1, "lifting", "symmetric"),
    ("DWT", 2, "orthonormal", "reflect"),
    ("DWT", 3, "orthonormal", "periodization"),
    ("SWT", 2, "orthonormal", "periodization"),
    ("MODWT", 1, "linear-phase", "periodic"),
    ("WaveletPacket", 1, "orthonormal", "periodization"),
    ("WaveletPacket", 2, "filters", "periodization"),
]


@pytest.mark.parametrize(("name", "d", "learn", "mode"), GROUPED)
def test_each_group_has_its_wavelet(name: str, d: int, learn: str, mode: str) -> None:
    transform = getattr(lwt, f"{name}{d}d")
    wavelet = "cdf5.3" if learn in ("lifting", "linear-phase") else "db2"
    layer = transform(wavelet, 2, mode, learn=learn, groups=2).double()
    with torch.no_grad():
        for k, parameter in enumerate(layer.parameters()):
            parameter += 0.05 * k
    x = signals(d, channels=4)
    halves = [
        transform(group, 2, mode)(part)
        for group, part in zip(layer.wavelet, x.chunk(2, 1), strict=True)
    ]
    coeffs = layer(x)
    if name == "WaveletPacket":
        parts, halves = [coeffs], [[half] for half in halves]
    else:
        parts, halves = bands_of(coeffs, d), [bands_of(half, d) for half in halves]
    for whole, *both in zip(parts, *halves, strict=True):
        assert torch.equal(whole, torch.cat(both, 1))
    inverse = layer.inverse()
    assert inverse.groups == 2
    if learn != "filters":
        options = {} if name in ("SWT", "MODWT") else {"output_size": x.shape[2:]}
        torch.testing.assert_close(inverse(coeffs, **options), x)
        torch.testing.assert_close(inverse(layer(x[0]), **options), x[0])
    assert inverse.wavelet is layer.wavelet


def test_groups_learn_apart_and_are_saved() -> None:
    layer = lwt.DWT1d("db3", mode="periodization", learn="orthonormal", groups=3, output="stack")
    assert "groups=3" in repr(layer)
    assert [p.shape for p in layer.parameters()] == [(2,)] * 3
    layer(torch.randn(4, 3, 16))[:, 1].abs().sum().backward()
    grads = [float(p.grad.abs().sum()) for p in layer.parameters()]
    assert grads[1] > 0 == grads[0] == grads[2]
    again = lwt.DWT1d("db3", mode="periodization", learn="orthonormal", groups=3, random=True)
    again.load_state_dict(layer.state_dict())
    assert isinstance(again.wavelet[2](), lw.FilterBank)
    x = torch.randn(1, 3, 16)
    assert torch.equal(again(x)[0], layer(x)[:, :, 0])


def test_missing_details_and_wrong_groups() -> None:
    layer = lwt.DWT2d("db2", learn="orthonormal", mode="periodization", groups=2)
    approx, _ = layer(torch.randn(2, 4, 8, 8))
    assert layer.inverse()([approx, None]).shape == (2, 4, 8, 8)
    with pytest.raises(ShapeError, match="groups=2 takes a multiple of 2 channels"):
        layer(torch.ones(1, 3, 8, 8))
    with pytest.raises(OptionError, match="groups=2 needs learned parameters"):
        lwt.DWT2d("db2", groups=2)
    with pytest.raises(OptionError, match="groups=2 needs a wavelet for each group"):
        lwt.DWT2d(lwt.OrthonormalWavelet("db2"), groups=2)
    with pytest.raises(OptionError, match="groups"):
        lwt.DWT2d("db2", learn="orthonormal", groups=0)
