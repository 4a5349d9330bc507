"""Losses of wavelet coefficients compute the formula, band by band."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import liftwave as lw  # noqa: E402
from liftwave.errors import OptionError, ShapeError  # noqa: E402
from liftwave.torch import OrthonormalWavelet, WaveletLoss  # noqa: E402

KINDS = {
    "l1": lambda d: d.abs(),
    "l2": lambda d: d.square(),
    "charbonnier": lambda d: (d.square() + 0.01).sqrt(),
}


def pair(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    return x, y


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("undecimated", [True, False])
def test_the_formula(kind: str, undecimated: bool) -> None:
    x, y = pair(2, 3, 16, 12)
    options = {"undecimated": undecimated, "epsilon": 0.1}
    loss = WaveletLoss("db2", 2, kind, approximation=0.5, details=(2.0, 3.0), **options)
    if undecimated:
        low, two, one = lw.swt2(x - y, "db2", 2, trim_approx=True, norm=True)
    else:
        low, two, one = lw.wavedec2(x - y, "db2", level=2)
    rho = KINDS[kind]
    bands = [(0.5, low), *((2.0, band) for band in two), *((3.0, band) for band in one)]
    torch.testing.assert_close(loss(x, y), sum(w * rho(band).mean() for w, band in bands))
    torch.testing.assert_close(loss(x[0], y[0]), loss(x[:1], y[:1]))
    total = WaveletLoss("db2", 2, kind, details=0.0, reduction="sum", **options)
    torch.testing.assert_close(total(x, y), rho(low).sum())


def test_squares_of_an_orthonormal_transform_are_the_square_error() -> None:
    for dimensions, shape in ((1, (2, 3, 16)), (2, (2, 3, 8, 8)), (3, (1, 2, 4, 8, 4))):
        x, y = pair(*shape)
        options = {"reduction": "sum", "dimensions": dimensions}
        for more in ({"undecimated": False, "mode": "periodization"}, {}):
            loss = WaveletLoss("haar", 2, "l2", **options, **more)
            torch.testing.assert_close(loss(x, y), (x - y).square().sum())


def test_gradients_half_precision_and_learned_wavelets() -> None:
    x, y = pair(1, 2, 8, 8)
    wavelet = OrthonormalWavelet("db2").double()
    loss = WaveletLoss(wavelet, 2, "charbonnier")
    assert torch.autograd.gradcheck(loss, (x.requires_grad_(), y))
    loss(x, y).backward()
    assert wavelet.angles.grad is not None
    half = WaveletLoss("haar")(x.bfloat16(), y.bfloat16())
    assert half.dtype == torch.float32
    torch.testing.assert_close(half.double(), WaveletLoss("haar")(x, y), rtol=0.02, atol=0)
    assert WaveletLoss(approximation=0, details=0)(x, y) == 0
    assert "details=(1.0, 1.0)" in repr(WaveletLoss(level=2))


def test_wrong_arguments() -> None:
    x, y = pair(1, 2, 8, 8)
    with pytest.raises(ShapeError, match="both tensors must have the same shape"):
        WaveletLoss()(x, y[..., 1:])
    with pytest.raises(OptionError, match="2 numbers, one for each level, got 3"):
        WaveletLoss(level=2, details=(1, 2, 3))
    with pytest.raises(OptionError, match="unknown kind 'huber': use one of 'l1', 'l2'"):
        WaveletLoss(kind="huber")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="dimensions must be 1, 2 or 3, got 4"):
        WaveletLoss(dimensions=4)
