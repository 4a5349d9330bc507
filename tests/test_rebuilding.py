"""Derivatives that rebuild inputs from outputs: only where gains leave enough digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from helpers import zero_mean

import liftwave as lw
from liftwave import torch as lwt
from liftwave._operations.rebuilding import growth_of_schemes, keeps_half_of_the_digits
from liftwave.errors import OptionError
from liftwave.pooling import LiftFilters, lift_down, lift_up

# Relative to the largest gradient: half of the digits of float32.
PRECISE = 2.0**-11.5


def scheme(gain: float, dtype: torch.dtype = torch.float64) -> lw.LiftingScheme:
    """CDF 5/3 with steps that are ``gain`` times as large, and whose taps are learned."""
    predict, update = (
        torch.tensor([gain * tap] * 2, dtype=dtype, requires_grad=True) for tap in (-0.5, 0.25)
    )
    return lw.LiftingScheme(
        [lw.LiftingStep("predict", predict), lw.LiftingStep("update", update, -1)]
    )


def of_taps(gain: float, dtype: torch.dtype, level: int, dims: int, synthesis: bool) -> Any:
    """The gradients of the taps of a transform, by torch."""
    wavelet, axes = scheme(gain, dtype), tuple(range(-dims, 0))
    x = torch.asarray(zero_mean((2, *{1: (256,), 2: (32, 32)}[dims])), dtype=dtype)
    coeffs = lw.wavedecn(x, wavelet, "reflect", level, axes)
    bands = [coeffs[0], *(band for details in coeffs[1:] for band in details.values())]
    if synthesis:
        held = lw.wavedecn(x, scheme(1.0, dtype), "reflect", level, axes)
        held = [held[0].detach(), *({k: v.detach() for k, v in d.items()} for d in held[1:])]
        bands = [lw.waverecn(held, wavelet, "reflect", axes)]
    loss = sum((y * torch.asarray(zero_mean(y.shape, 7), dtype=dtype)).sum() for y in bands)
    return torch.autograd.grad(loss, [step.taps for step in wavelet.steps])


def error(got: Any, expected: Any) -> float:
    return max(
        float((a.double() - b).abs().max() / b.abs().max())
        for a, b in zip(got, expected, strict=True)
    )


@pytest.mark.parametrize("synthesis", [False, True])
@pytest.mark.parametrize(("gain", "level", "dims"), [(100.0, 1, 2), (10.0, 5, 1), (10.0, 2, 2)])
def test_large_taps_have_precise_gradients(
    gain: float, level: int, dims: int, synthesis: bool, kernels: Any
) -> None:
    """With taps of ten and five levels no digit was right."""
    options = (level, dims, synthesis)
    expected = of_taps(gain, torch.float64, *options)
    assert error(of_taps(gain, torch.float32, *options), expected) < PRECISE


def test_double_precision_agrees_with_differences() -> None:
    x, taps = zero_mean(64), [np.array([-500.0, -500.0]), np.array([250.0, 250.0])]

    def energy(p: Any, u: Any) -> float:
        steps = [lw.LiftingStep("predict", p), lw.LiftingStep("update", u, -1)]
        return float((lw.wavedec(x, lw.LiftingScheme(steps), "reflect", 3)[0] ** 2).sum())

    wavelet = lw.LiftingScheme(
        [lw.LiftingStep("predict", taps[0]), lw.LiftingStep("update", taps[1], -1)]
    )
    coeffs, pullback = lw.vjp(lw.wavedec, x, wavelet, "reflect", 3)
    gradient = pullback([2 * coeffs[0], *(0 * d for d in coeffs[1:])]).wavelet.taps[0]
    step = np.array([1e-4, 0.0])
    slope = (energy(taps[0] + step, taps[1]) - energy(taps[0] - step, taps[1])) / 2e-4
    assert gradient[0] == pytest.approx(slope, rel=1e-5)


# --- LiftPool ------------------------------------------------------------------------------------


def pooled(
    gain: float, dtype: torch.dtype, reversible: Any, up: bool, padding: str = "reflect"
) -> Any:
    """The gradients of the signal or the bands, and of the filters."""
    torch.manual_seed(0)
    layer = lwt.LiftDownPool2d(
        2, output="bands", init="random", padding=padding, reversible=reversible
    ).double()
    with torch.no_grad():
        layer.gain.mul_(gain)
    layer = layer.to(dtype)
    shape = (4, 2, 2, 4, 4) if up else (2, 2, 8, 8)
    x = torch.asarray(zero_mean(shape), dtype=dtype).requires_grad_()
    results = [lwt.LiftUpPool2d(layer)(list(x))] if up else [*layer(x).values()]
    loss = sum((y * torch.asarray(zero_mean(y.shape, 3), dtype=dtype)).sum() for y in results)
    return torch.autograd.grad(loss, [x, *layer.parameters()])


@pytest.mark.parametrize("up", [False, True])
def test_gains_of_a_hundred_have_precise_gradients(up: bool, kernels: Any) -> None:
    for padding in ("reflect", "signal"):
        expected = pooled(100.0, torch.float64, False, up, padding)
        for reversible in ("auto", False):
            got = pooled(100.0, torch.float32, reversible, up, padding)
            assert error(got, expected) < PRECISE
    assert error(
        pooled(100.0, torch.float32, True, up), pooled(100.0, torch.float64, False, up)
    ) > (100 * PRECISE)


def saved(call: Callable[[], Any]) -> set[int]:
    """The addresses of the saved memory."""
    found = set()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: (found.add(t.untyped_storage().data_ptr()), t)[1], lambda t: t
    ):
        call()
    return found


@pytest.mark.parametrize("gain", [1.0, 100.0])
@pytest.mark.parametrize("reversible", ["auto", True, False])
def test_the_input_is_kept_where_gains_are_large(gain: float, reversible: Any) -> None:
    layer = lwt.LiftDownPool2d(2, output="bands", reversible=reversible)
    with torch.no_grad():
        layer.gain.mul_(gain)
    x = torch.randn(2, 2, 8, 8, requires_grad=True)
    is_kept = not reversible if reversible != "auto" else gain > 1
    assert (x.untyped_storage().data_ptr() in saved(lambda: layer(x))) == is_kept
    bands = [torch.randn(2, 2, 4, 4, requires_grad=True) for _ in range(4)]
    kept = saved(lambda: lwt.LiftUpPool2d(layer)(bands))
    assert (bands[0].untyped_storage().data_ptr() in kept) == is_kept


def test_functions_take_the_choice() -> None:
    rng = np.random.default_rng(0)
    shape = (3, 2, 2)
    filters = LiftFilters(
        rng.standard_normal((*shape, 3)), *(rng.standard_normal(shape) for _ in range(3))
    )
    x = zero_mean((1, 2, 8, 8))
    for reversible in ("auto", True, False):
        bands, pullback = lw.vjp(lift_down, x, filters, "bands", reversible=reversible)
        gradient = pullback(bands).data
        signal, pull_up = lw.vjp(lift_up, bands, filters, reversible=reversible)
        np.testing.assert_allclose(signal, x, atol=1e-9)
        if reversible == "auto":
            expected, of_bands = gradient, pull_up(x).data
        np.testing.assert_allclose(gradient, expected, rtol=1e-6)
        for name, band in pull_up(x).data.items():
            np.testing.assert_allclose(band, of_bands[name], rtol=1e-6)
    for wrong in ("yes", 2, None):
        with pytest.raises(OptionError, match="reversible must be 'auto', True or False"):
            lift_down(x, filters, reversible=wrong)
    assert "reversible=True" in repr(lwt.LiftDownPool1d(1, reversible=True))


# --- the estimate --------------------------------------------------------------------------------


def test_wavelets_by_name_are_rebuilt() -> None:
    """Their gains leave half of the digits of float32 at five levels of images."""
    for name in ("haar", "cdf5.3", "cdf9.7", "db8", "db20", "sym20", "coif5"):
        growth = growth_of_schemes([lw.LiftingScheme.from_name(name)] * 2, 5)
        assert 1 <= growth < 10
        assert keeps_half_of_the_digits(growth, 2.0**-23)


def test_the_growth_of_one_step_is_its_largest_singular_value() -> None:
    step = lw.LiftingScheme([lw.LiftingStep("predict", [-100.0])])
    expected = np.linalg.svd(np.array([[1.0, 0.0], [-100.0, 1.0]]))[1].max()
    assert growth_of_schemes([step], 1) == pytest.approx(expected)
    assert growth_of_schemes([step, step], 1) == pytest.approx(expected**2)
    assert not keeps_half_of_the_digits(expected**2, 2.0**-23)
    assert keeps_half_of_the_digits(expected**2, 2.0**-52)


def test_taps_that_cannot_be_read_are_not_undone() -> None:
    with torch.device("meta"):
        taps = torch.ones(2)
    wavelet = lw.LiftingScheme([lw.LiftingStep("predict", taps)])
    assert growth_of_schemes([wavelet], 1) == np.inf
