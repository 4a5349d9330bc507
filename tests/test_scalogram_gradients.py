"""Derivatives of scalograms: pullbacks, autograd, the layer."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch
from helpers import zero_mean
from numpy.testing import assert_allclose

import liftwave as lw
import liftwave.torch as lwt
from liftwave.errors import ArgumentTypeError, OptionError, ScaleError, ShapeError, WaveletError

FREQUENCIES = [0.31, 0.1, 0.04]


# --- pullbacks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("wavelet", ["morse(3, 20)", "dog(3)"])
@pytest.mark.parametrize("mode", ["symmetric", "antisymmetric", "reflect", "zero", "periodic"])
def test_pullbacks_of_signals_are_adjoints(mode: str, wavelet: str, dtype: str) -> None:
    x, v = zero_mean((2, 30), 1, dtype), zero_mean((2, 30), 2, dtype)
    options: dict[str, Any] = {"wavelet": wavelet, "mode": mode, "frequencies": FREQUENCIES}
    rate = {"rate": 0.5} if mode == "zero" else {}
    s, pullback = lw.vjp(lw.scalogram, x, **options, **rate)
    moved = lw.scalogram(v, **options, **rate)
    g = zero_mean(s.coefficients.shape, 3, str(s.coefficients.dtype))
    h = zero_mean(s.coefficients.shape, 4, str(s.coefficients.dtype))
    if s.negative is None:
        gradient, expected = pullback(g).data, np.vdot(g, moved.coefficients)
    else:
        gradient = pullback((g, h)).data
        expected = np.vdot(g, moved.coefficients) + np.vdot(h, moved.negative)
    assert gradient.dtype == x.dtype
    assert_allclose(np.vdot(gradient, v).real, expected.real, rtol=1e-12)


@pytest.mark.parametrize("norm", ["amplitude", "energy"])
@pytest.mark.parametrize("wavelet", [lw.Morse(3, 8), lw.Morlet(5), lw.Paul(4), lw.Bump(5, 0.9)])
def test_pullbacks_of_parameters_are_those_of_autograd(wavelet: Any, norm: str) -> None:
    x = zero_mean((2, 40), 5)
    s, pullback = lw.vjp(lw.scalogram, x, 2.0, wavelet, frequencies=FREQUENCIES, norm=norm)
    g = zero_mean(s.coefficients.shape, 3, "complex128")
    ours = pullback(g)
    double = {"dtype": torch.float64, "requires_grad": True}
    values = {name: torch.tensor(value, **double) for name, value in wavelet.parameters.items()}
    frequencies = torch.tensor(FREQUENCIES, **double)
    data = torch.tensor(x, requires_grad=True)
    learned = type(wavelet)(**values)
    other = lw.scalogram(data, 2.0, learned, frequencies=frequencies, norm=norm)
    assert_allclose(other.coefficients.detach().numpy(), s.coefficients, atol=1e-12)
    loss = (torch.as_tensor(g).conj() * other.coefficients).real.sum()
    loss.backward()
    assert_allclose(ours.data, data.grad.numpy(), atol=1e-12)
    assert_allclose(ours.frequencies, frequencies.grad.numpy(), rtol=1e-8)
    for name, value in values.items():
        assert_allclose(ours.wavelet[name], value.grad.item(), rtol=1e-7)


def test_pullbacks_check_their_cotangents() -> None:
    x = zero_mean(20)
    s, pullback = lw.vjp(lw.scalogram, x, frequencies=FREQUENCIES)
    assert_allclose(pullback(s).data, pullback(s.coefficients).data)
    with pytest.raises(ShapeError, match="expected cotangents of shape"):
        pullback(s.coefficients[:2])
    with pytest.raises(ArgumentTypeError, match="arrays of one library"):
        pullback(torch.ones(3, 20))
    _, pullback = lw.vjp(lw.scalogram, x + 0j, frequencies=FREQUENCIES)
    with pytest.raises(ArgumentTypeError, match="got 1 objects"):
        pullback((s.coefficients,))
    data = array_api_strict.asarray(x)
    s, pullback = lw.vjp(lw.scalogram, data, frequencies=FREQUENCIES)
    assert isinstance(pullback(s.coefficients).data, type(data))


def test_gradients_of_squeezed_and_inverse_signals_reach_tensors() -> None:
    x = torch.as_tensor(zero_mean(12)).requires_grad_()
    s = lw.scalogram(x, voices=2)
    assert torch.autograd.gradcheck(lambda v: lw.scalogram(v, voices=2).inverse((0.1, 0.3)), x)
    s.synchrosqueeze().coefficients.abs().sum().backward()
    assert x.grad.abs().max() > 0


# --- the layer -----------------------------------------------------------------------------------


def test_the_layer_is_the_function() -> None:
    x = torch.as_tensor(zero_mean((2, 3, 50)))
    layer = lwt.Scalogram1d([20.0, 10.0, 2.5], 50.0, "morlet(6)", output="complex").double()
    expected = lw.scalogram(x, 50.0, "morlet(6)", frequencies=[20.0, 10.0, 2.5]).coefficients
    assert_allclose(layer(x).numpy(), expected.numpy(), atol=1e-13)
    assert_allclose(layer(x[0]).numpy(), expected[0].numpy(), atol=1e-13)
    for output, function in (("magnitude", torch.abs), ("power", lambda c: c.abs() ** 2)):
        layer = lwt.Scalogram1d([20.0, 10.0, 2.5], 50.0, "morlet(6)", output=output).double()
        assert_allclose(layer(x).numpy(), function(expected).numpy(), atol=1e-13)
    real = lwt.Scalogram1d([0.2, 0.1], wavelet="dog(2)", output="complex")
    assert real(torch.ones(1, 8)).dtype == torch.float32
    assert lwt.Scalogram1d([0.2])(torch.ones(1, 8).half()).dtype == torch.float16


def test_the_layer_learns_frequencies_and_parameters() -> None:
    t = torch.arange(200)
    x = torch.cos(2 * torch.pi * 0.11 * t)[None]
    layer = lwt.Scalogram1d([0.14], wavelet="morse(3, 10)", learn="all")
    assert {name for name, _ in layer.named_parameters()} == {
        "log_frequencies",
        "log_parameters",
    }
    optimizer = torch.optim.Adam(layer.parameters(), 0.05)
    for _ in range(20):
        optimizer.zero_grad()
        (-layer(x)[..., 60:140].mean()).backward()
        optimizer.step()
    assert abs(layer.frequencies.item() - 0.11) < 0.01
    assert str(layer.wavelet) != "morse(3, 10)"
    again = lwt.Scalogram1d([0.14], wavelet="morse(3, 10)", learn="all")
    again.load_state_dict(layer.state_dict())
    assert_allclose(again(x).detach().numpy(), layer(x).detach().numpy())
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    assert_allclose(compiled(x).detach().numpy(), layer(x).detach().numpy(), atol=1e-6)


def test_the_layer_checks_its_arguments() -> None:
    assert "learn='frequencies'" in repr(lwt.Scalogram1d([0.1], learn="frequencies"))
    for arguments, options, error, match in (
        (([0.6],), {}, ScaleError, "at most fs / 2"),
        (([],), {}, ScaleError, "at least one"),
        (([0.1],), {"wavelet": "mors"}, WaveletError, "unknown analytic"),
        (([0.1],), {"output": "phase"}, OptionError, "output must be"),
        (([0.1],), {"learn": "taps"}, OptionError, "learn must be"),
    ):
        with pytest.raises(error, match=match):
            lwt.Scalogram1d(*arguments, **options)
    with pytest.raises(ShapeError, match=r"\(C, L\) or \(N, C, L\)"):
        lwt.Scalogram1d([0.1])(torch.ones(8))
