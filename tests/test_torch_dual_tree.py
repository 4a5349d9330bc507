"""Layers of the dual tree: forms of bands, inverses, compiled graphs, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import zero_mean

import liftwave as lw
from liftwave import torch as lwt
from liftwave.errors import CoefficientsError, DTypeError, LevelError, OptionError, ShapeError

SIZES = {1: (11,), 2: (9, 10), 3: (5, 6, 7)}


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_layers_are_the_function(dims: int) -> None:
    x = torch.asarray(zero_mean((2, 3, *SIZES[dims])))
    tree, axes = lw.dtcwt(x, 2, "cdf5.3", "q10", range(2, 2 + dims)), range(-dims, 0)
    for output in ("complex", "real"):
        layer = getattr(lwt, f"DualTree{dims}d")(2, "cdf5.3", "q10", output=output)
        low, *bands = layer(x)
        torch.testing.assert_close(low, tree.lowpass)
        for band, expected in zip(bands, tree.bands, strict=True):
            if output == "real":
                band = torch.view_as_complex(band.movedim(-dims - 1, -1).contiguous())
            if dims > 1:
                expected = expected.movedim(-1, 2)
            torch.testing.assert_close(band, expected)
        size = [x.shape[axis] for axis in axes]
        torch.testing.assert_close(layer.inverse()([low, *bands], output_size=size), x)


def test_compiled_graphs_have_the_same_numbers() -> None:
    """With gradients, without breaks, and for filters of users."""
    taps = lwt.DualTree1d(qshift="q10")
    low_pass = np.asarray(lw.dtcwt(np.ones(4)).filters.analysis.tree_a[0])
    layer = lwt.DualTree1d(2, qshift=low_pass)
    inverse = layer.inverse()

    def model(x: torch.Tensor) -> torch.Tensor:
        low, *bands = layer(x)
        return inverse([low, *(band * band.abs() for band in bands)], output_size=(9,))

    x = torch.asarray(zero_mean((2, 3, 9))).requires_grad_()
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    for function in (model, compiled):
        (gradient,) = torch.autograd.grad(function(x).square().sum(), x)
        if function is model:
            expected = gradient
    torch.testing.assert_close(gradient, expected)
    assert "q10" in repr(taps)


def test_half_precision_and_batches() -> None:
    x = torch.ones(2, 3, 8, 8, dtype=torch.bfloat16)
    low, *bands = lwt.DualTree2d(1, output="real")(x)
    assert low.dtype == bands[0].dtype == torch.bfloat16
    layer = lwt.DualTree2d(1)
    single = x.float()
    batched = torch.func.vmap(layer)(single.unsqueeze(1))
    torch.testing.assert_close(batched[1][:, 0], layer(single)[1])


def test_wrong_arguments_of_layers() -> None:
    with pytest.raises(LevelError):
        lwt.DualTree2d(0)
    with pytest.raises(OptionError, match="'complex' or 'real'"):
        lwt.DualTree2d(output="list")
    layer, x = lwt.DualTree2d(2), torch.ones(1, 2, 8, 8)
    with pytest.raises(DTypeError):
        layer(x.to(torch.complex64))
    low, *bands = layer(x)
    inverse = layer.inverse()
    with pytest.raises(CoefficientsError, match="list of 3"):
        inverse([low, bands[0]])
    with pytest.raises(DTypeError, match="complex bands"):
        inverse([low, *(band.real for band in bands)])
    with pytest.raises(ShapeError, match="do not fit"):
        inverse([low, bands[1], bands[0]])
    with pytest.raises(ShapeError, match="output_size"):
        inverse([low, *bands], output_size=(6, 8))
    with pytest.raises(ShapeError, match="dimensions"):
        inverse([low, *(band[..., 0] for band in bands)])
