"""Scaling functions: two-scale equations, known values, splines, gradients."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest
import pywt
import torch

import liftwave as lw
from liftwave.errors import LevelError, OptionError, WaveletError, WaveletTypeError

NAMES = ("haar", "db2", "db5", "sym4", "coif2", "bior1.3", "bior2.2", "bior4.4", "rbio2.2", "dmey")


def at(values: Any, level: int, points: Any) -> Any:
    """Values of a function at points in units of ``2**-level``; 0 outside."""
    inside = (points >= 0) & (points < len(values))
    return np.where(inside, values[np.clip(points, 0, len(values) - 1)], 0.0)


@pytest.mark.parametrize("of", ["synthesis", "analysis"])
@pytest.mark.parametrize("name", NAMES)
def test_functions_satisfy_the_two_scale_equations(name: str, of: Any) -> None:
    if (name, of) in (("rbio2.2", "synthesis"), ("bior2.2", "analysis")):
        with pytest.raises(WaveletError, match="does not determine"):
            lw.scaling_function(name, of=of)
        return
    wavelet = pywt.Wavelet(name)
    low, high = (
        (wavelet.rec_lo, wavelet.rec_hi)
        if of == "synthesis"
        else (wavelet.dec_lo[::-1], wavelet.dec_hi[::-1])
    )
    level = 4
    phi, psi, x = lw.scaling_function(name, level, of=of)
    np.testing.assert_array_equal(x, np.arange(phi.size) / 2**level)
    assert phi.size == psi.size == (wavelet.dec_len - 1) * 2**level + 1
    places = np.arange(phi.size)
    # The sums of the taps in tables are rounded. Those of dmey are wrong by 6e-4.
    defect = max(abs(sum(low[k::2]) - 0.5**0.5) for k in (0, 1))
    tolerance = 1e-12 + 20 * defect
    for function, taps in ((phi, low), (psi, high)):
        sums = np.sqrt(2) * sum(
            tap * at(phi, level, 2 * places - k * 2**level) for k, tap in enumerate(taps)
        )
        scale = np.abs(phi).max()
        np.testing.assert_allclose(function, sums, atol=tolerance * scale)
    # The integer shifts of the scaling function add up to 1.
    np.testing.assert_allclose(phi[:: 2**level].sum(), 1, atol=1e-12)
    shifts = [phi[k :: 2**level].sum() for k in range(2**level)]
    np.testing.assert_allclose(shifts, 1, atol=tolerance)


def test_known_values() -> None:
    phi, _, _ = lw.scaling_function("db2", 0)
    root = np.sqrt(3)
    np.testing.assert_allclose(phi, [0, (1 + root) / 2, (1 - root) / 2, 0], atol=1e-14)
    phi, psi, _ = lw.scaling_function("haar", 2)
    assert phi.round(12).tolist() == [1, 1, 1, 1, 0]
    assert psi.round(12).tolist() == [1, 1, -1, -1, 0]
    hat, _, x = lw.scaling_function("bior2.2", 3)
    np.testing.assert_allclose(hat, np.maximum(0, 1 - np.abs(x - x[hat.argmax()])), atol=1e-14)


def test_the_cascade_of_pywavelets_converges_to_the_values() -> None:
    phi, psi, x = lw.scaling_function("db4", 8)
    their_phi, their_psi, points = pywt.Wavelet("db4").wavefun(8)
    assert x[-1] == points[-1] - points[0] - (points[1] - points[0]) * (their_phi.size - phi.size)
    for ours, theirs in ((phi, their_phi), (psi, their_psi)):
        np.testing.assert_allclose(ours[1:-1], theirs[1 : ours.size - 1], atol=2e-2)


@pytest.mark.parametrize("of", ["synthesis", "analysis"])
def test_schemes_have_the_functions_of_their_filters(of: Any) -> None:
    scheme = lw.LiftingScheme.from_name("cdf9.7")
    steps = [lw.LiftingStep(s.kind, torch.tensor(s.taps), s.offset) for s in scheme.steps]
    learned = lw.LiftingScheme(steps, scheme.scale, shift=scheme.shift)
    expected = lw.scaling_function(scheme.to_filter_bank(), 3, of=of)
    for ours, theirs in zip(lw.scaling_function(scheme, 3, of=of), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-14)
    for tensor, theirs in zip(lw.scaling_function(learned, 3, of=of), expected, strict=True):
        np.testing.assert_allclose(tensor.numpy(), theirs, atol=1e-5)


def test_taps_of_the_standard() -> None:
    taps = [array_api_strict.asarray(np.array(t)) for t in pywt.Wavelet("db2").filter_bank]
    functions = lw.scaling_function(lw.FilterBank(*taps), 2)
    for ours, expected in zip(functions, lw.scaling_function("db2", 2), strict=True):
        assert isinstance(ours, type(taps[0]))
        np.testing.assert_allclose(np.asarray(ours), expected, atol=1e-14)


def test_gradients_of_taps() -> None:
    """Along a curve of filters whose sums are right: the angle of orthonormal filters."""

    def functions(angle: torch.Tensor) -> Any:
        c, s = torch.cos(angle), torch.sin(angle)
        low = torch.stack([1 - c + s, 1 + c + s, 1 + c - s, 1 - c - s]) * 2**0.5 / 4
        signs = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
        high = low.flip(0) * signs
        bank = lw.FilterBank(low.flip(0), high.flip(0), low, high)
        return lw.scaling_function(bank, 2)[:2]

    angle = torch.tensor(1.1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(functions, angle)


def test_gradients_of_lifting_steps() -> None:
    scheme = lw.LiftingScheme.from_name("cdf5.3")
    scale = [torch.tensor(f, dtype=torch.float64) for f in scheme.scale]

    def functions(offset: torch.Tensor) -> Any:
        change = torch.stack([offset, -offset])
        steps = [
            lw.LiftingStep(
                step.kind, torch.tensor(step.taps, dtype=torch.float64) + change, step.offset
            )
            for step in scheme.steps
        ]
        return lw.scaling_function(lw.LiftingScheme(steps, scale, shift=scheme.shift), 2)[:2]

    offset = torch.tensor(0.01, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(functions, offset)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lw.scaling_function("nothing"), WaveletError, "Unknown wavelet"),
        (lambda: lw.scaling_function(5), WaveletTypeError, "got 5"),
        (lambda: lw.scaling_function("mexh"), WaveletError, "continuous wavelet"),
        (lambda: lw.scaling_function("haar", -1), LevelError, "from 0 to 24, got -1"),
        (lambda: lw.scaling_function("haar", 99), LevelError, "from 0 to 24, got 99"),
        (lambda: lw.scaling_function("haar", of="both"), OptionError, "got 'both'"),
        (
            lambda: lw.scaling_function(lw.FilterBank([1.0, 0.0], [1, 1], [1, 0.5], [1, 1])),
            WaveletError,
            "even and its odd taps .* got 1 and 0.5",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::liftwave.errors.ReconstructionWarning")
def test_errors_name_the_argument(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
