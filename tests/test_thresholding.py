"""Thresholds: derivatives, NumPy's path and the general one, arguments."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import Library, assert_close, zero_mean

import liftwave as lw
from liftwave.errors import ArgumentTypeError, DTypeError, LiftwaveError, ShapeError

RULES = ("soft", "hard", "garrote", "greater", "less")

# --- derivatives --------------------------------------------------------------------------------

POINTS = [0.0, 0.1, 0.3, -0.3, 0.5, -2.0, inf, -inf]
# By hand, for t = 0.3: 1 + (t / x)**2 for the garrote, else 0 or 1.
DERIVATIVES = {
    "soft": [0, 0, 0, 0, 1, 1, 1, 1],
    "hard": [0, 0, 1, 1, 1, 1, 1, 1],
    "garrote": [0, 0, 0, 0, 1.36, 1.0225, 1, 1],
    "greater": [0, 0, 1, 0, 1, 0, 1, 0],
    "less": [1, 1, 1, 1, 0, 1, 0, 1],
}
# Of the garrote, -2 t**2 / x**3; the other rules are linear in pieces.
SECOND = [0, 0, 0, 0, -1.44, 0.0225, 0, 0]


def leaf(values: Any, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def thresholds(t: float) -> list[Any]:
    return [t, torch.tensor(t, dtype=torch.float64), torch.full((8,), t, dtype=torch.float64)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("form", range(3))
def test_derivatives_at_zero_at_the_threshold_and_at_infinity(rule: str, form: int) -> None:
    x = leaf(POINTS)
    y = lw.threshold(x, thresholds(0.3)[form], rule)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert first.tolist() == pytest.approx(DERIVATIVES[rule], abs=1e-15)
    if first.requires_grad:
        (second,) = torch.autograd.grad(first.sum(), x)
        expected = SECOND if rule == "garrote" else [0.0] * 8
        assert second.tolist() == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("rule", ["soft", "garrote"])
@pytest.mark.parametrize("form", range(3))
def test_derivatives_of_extreme_thresholds(rule: str, form: int) -> None:
    finite = POINTS[:6]
    for t, derivative in ((inf, 0.0), (0.0, 1.0)):
        x = leaf([*finite, nan, 1e-320])
        y = lw.threshold(x, thresholds(t)[form], rule)
        assert y[:6].tolist() == [value * derivative for value in finite]
        assert torch.isnan(y[6])
        y[:6].sum().backward()
        assert x.grad.tolist() == [derivative] * 6 + [0.0, 0.0]


def test_derivatives_with_respect_to_the_threshold() -> None:
    """By hand: minus the sign, and -2 t / x; 0 where the value is removed."""
    for rule, expected in (
        ("soft", [0, 0, 0, 0, -1, 1, 0, 0]),
        ("garrote", [0, 0, 0, 0, -1.2, 0.3, 0, 0]),
    ):
        t = torch.full((8,), 0.3, dtype=torch.float64, requires_grad=True)
        lw.threshold(leaf(POINTS), t, rule)[:6].sum().backward()
        assert t.grad.tolist() == pytest.approx(expected, abs=1e-15)
        t = leaf(inf)
        lw.threshold(leaf(POINTS[:6]), t, rule).sum().backward()
        assert t.grad.item() == 0


def test_derivatives_of_firm_thresholding() -> None:
    """The slope between 0.3 and 0.5 is 0.5 / 0.2; at the lower threshold the derivative is 0."""
    x = leaf([0.0, 0.2, 0.3, -0.3, 0.4, -0.4, 0.6, inf])
    (first,) = torch.autograd.grad(lw.threshold_firm(x, 0.3, 0.5).sum(), x, create_graph=True)
    assert first.tolist() == pytest.approx([0, 0, 0, 0, 2.5, 2.5, 1, 1], abs=1e-14)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert second.tolist() == pytest.approx([0.0] * 8, abs=1e-13)
    for low, high, expected in (
        (0.3, inf, [0, 0, 0, 0, 1, 1, 1, 1]),
        (0.3, 0.3, [0, 0, 0, 0, 1, 1, 1, 1]),
        (inf, inf, [0] * 8),
        (0.0, 0.0, [1] * 8),
        (0.0, 0.5, [1] * 8),
    ):
        x = leaf(x.tolist())
        lw.threshold_firm(x, low, high).sum().backward()
        assert x.grad.tolist() == pytest.approx(expected, abs=1e-14), (low, high)


@pytest.mark.parametrize(
    ("rule", "at_two"),
    [("soft", 1 + 0.85j), ("hard", 1 + 1j), ("garrote", 1.0225 + 0.9775j), ("firm", 1 + 1j)],
)
def test_derivatives_of_complex_values(rule: str, at_two: complex) -> None:
    """The radial derivative is that of real values; the tangential one is the factor itself."""

    def function(x: torch.Tensor) -> torch.Tensor:
        if rule == "firm":
            return lw.threshold_firm(x, 0.3, 0.8)
        return lw.threshold(x, 0.3, rule)

    x = torch.asarray(zero_mean(9, 2, "complex128")).requires_grad_()
    assert torch.autograd.gradcheck(function, (x,))
    assert torch.autograd.gradgradcheck(function, (x,))
    x = leaf([0j, 0.3, 0.3j, 2 + 0j], torch.complex128)
    torch.view_as_real(function(x)).sum().backward()
    at_threshold = 1 + 1j if rule == "hard" else 0
    assert x.grad.tolist() == pytest.approx([0, at_threshold, at_threshold, at_two])


@pytest.mark.parametrize("rule", ["soft", "garrote"])
def test_second_derivatives_agree_with_finite_differences(rule: str) -> None:
    x = torch.asarray(zero_mean(12, 3)).requires_grad_()
    t = torch.linspace(0.1, 0.5, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x, t: lw.threshold(x, t, rule), (x, t))


@pytest.mark.parametrize("method", ["bayes", "sure", "visu"])
@pytest.mark.parametrize("rule", ["soft", "hard", "garrote"])
def test_derivatives_of_denoising_are_finite(method: str, rule: str) -> None:
    """Bands of noise only are removed: their threshold is infinite."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        clean = np.sin(np.linspace(0, 12, 256))
        x = leaf(clean + 0.3 * rng.standard_normal(256))
        lw.denoise(x, method=method, rule=rule).square().sum().backward()
        assert torch.isfinite(x.grad).all()


# --- vjp -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("rule", RULES)
def test_vjp_is_the_derivative_of_autograd(rule: str, dtype: str, xp: Library) -> None:
    x = np.array([*POINTS[:6], *zero_mean(10)]).reshape(2, 8).astype(dtype)
    if dtype == "complex128":
        if rule in ("greater", "less"):
            return
        x = x * np.exp(1j * np.arange(16).reshape(2, 8))
    g = zero_mean((2, 8), 5, dtype)
    for value in (0.3, np.full((2, 1), 0.3), inf, 0.0):
        leaf_x = torch.asarray(x).requires_grad_()
        t = torch.as_tensor(value, dtype=torch.float64).requires_grad_()
        y = lw.threshold(leaf_x, t, rule)
        expected = torch.autograd.grad(y, (leaf_x, t), torch.asarray(g), allow_unused=True)
        passed = value if isinstance(value, float) else xp.asarray(value)
        result, pullback = lw.vjp(lw.threshold, xp.asarray(x), passed, rule)
        assert_close(result, xp.asarray(y.detach().numpy()), ulps=4)
        gradient = pullback(xp.asarray(g))
        assert_close(gradient.data, xp.asarray(expected[0].numpy()), ulps=16)
        of_value = np.zeros(np.shape(value)) if expected[1] is None else expected[1].numpy()
        assert_close(gradient.value, xp.asarray(of_value), ulps=16, scale=10.0)


def test_vjp_of_thresholds_agrees_with_finite_differences() -> None:
    x, t, g = zero_mean((3, 5), 1), np.full((3, 1), 0.4), zero_mean((3, 5), 2)

    def rule(x: Any, t: Any) -> Any:
        return lw.threshold(x, t, "garrote", 0.25)

    _, pullback = lw.vjp(lw.threshold, x, t, "garrote", substitute=0.25)
    gradient = pullback(g)
    for index in np.ndindex(3, 5):
        slope = _slope(lambda s, i=index: np.sum(g * rule(x + s * _unit((3, 5), i), t)))
        assert gradient.data[index] == pytest.approx(slope, abs=1e-7)
    for row in range(3):
        slope = _slope(lambda s, k=row: np.sum(g * rule(x, t + s * _unit((3, 1), (k, 0)))))
        assert gradient.value[row, 0] == pytest.approx(slope, abs=1e-7)


def _slope(function: Any, step: float = 1e-6) -> float:
    return float((function(step) - function(-step)) / (2 * step))


def _unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Any:
    unit = np.zeros(shape)
    unit[index] = 1.0
    return unit


def test_vjp_of_thresholds_of_other_shapes_and_dtypes() -> None:
    x = np.array([-3, 0, 1, 4], dtype=np.int16)
    result, pullback = lw.vjp(lw.threshold, x, 2)
    assert result.tolist() == [-1.0, 0.0, 0.0, 2.0]
    assert pullback(np.ones(4)).data.tolist() == [1.0, 0.0, 0.0, 1.0]
    assert float(pullback(np.ones(4)).value) == 0.0
    wide, pullback = lw.vjp(lw.threshold, x, np.array([[1.0], [2.0]]))
    gradient = pullback(np.ones(wide.shape))
    assert (gradient.data.tolist(), gradient.value.shape) == ([2.0, 0.0, 0.0, 2.0], (2, 1))
    with pytest.raises(ShapeError, match="cotangent of the result"):
        pullback(np.ones(4))


# --- NumPy's path --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("rule", [*RULES, "firm"])
def test_special_values_are_equal_in_all_libraries(rule: str, dtype: str, xp: Library) -> None:
    """NumPy arrays take a shorter path for positive finite thresholds."""
    special = [0.0, -0.0, 0.3, -0.3, 1e-44, -2.0, inf, -inf, nan]
    x = np.array([*special, *zero_mean(5000)]).astype(dtype)
    if x.dtype.kind == "c" and rule in ("greater", "less"):
        return
    x = x[np.isfinite(x)] if x.dtype.kind == "c" else x  # the sign of complex infinity varies
    limits = [0.3, 0, 0.0, 1e-30, inf, 1, np.float64(0.3), np.array(0.3), 0.7]
    with np.errstate(invalid="ignore"):
        for limit in limits:
            if rule == "firm":
                actual = lw.threshold_firm(xp.asarray(x), limit, 0.8 + limit)
                expected = lw.threshold_firm(np.array(x, ndmin=2), limit, 0.8 + limit)[0]
            else:
                actual = lw.threshold(xp.asarray(x), limit, rule)
                expected = _pywavelets(x, limit, rule)
            assert_close(actual, xp.asarray(expected), ulps=4 if x.dtype.kind == "c" else 0)


def _pywavelets(x: Any, limit: Any, rule: str) -> Any:
    """Without its warnings, with 0 at 0, and with the square of the ratio in the garrote."""
    with np.errstate(all="ignore"):
        if rule == "garrote":
            expected = x * np.clip(1 - (float(limit) / np.abs(x)) ** 2, 0, None)
        else:
            expected = pywt.threshold(x, float(limit), rule)
    return np.where((x == 0) & np.isnan(expected), 0, expected).astype(x.dtype)


def test_arrays_of_thresholds() -> None:
    x = zero_mean((6, 7), 1)
    limits = np.abs(zero_mean((6, 1), 2))
    for rule in RULES:
        assert_close(lw.threshold(x, limits, rule), pywt.threshold(x, limits, rule), ulps=8)
        both = lw.threshold(x[:1], limits, rule)  # the threshold enlarges the result
        assert_close(both, pywt.threshold(x[:1], limits, rule), ulps=8)
    limits[:3, 0] = 0, inf, 1
    expected = np.stack([lw.threshold(r, float(t)) for r, t in zip(x, limits[:, 0], strict=True)])
    assert_close(lw.threshold(x, limits), expected, ulps=0)
    lists = lw.threshold([1, 2, 3], [0, 1, 4])
    assert lists.tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("rule", RULES)
def test_a_threshold_of_a_wider_dtype_keeps_the_dtype_of_the_data(rule: str, xp: Library) -> None:
    x = zero_mean(9).astype("float32")
    for limit in (np.float64(0.3), np.full(9, 0.3), np.full(9, 1), np.array(0.3)):
        expected = pywt.threshold(x, limit, rule).astype("float32")
        assert_close(
            lw.threshold(xp.asarray(x), limit, rule), xp.asarray(expected), ulps=2, scale=1.0
        )


def test_a_substitute_of_any_kind_of_number() -> None:
    x = np.arange(-4, 5)
    for substitute in (7, 0.5, np.float32(0.5), np.int64(3), True):
        expected = pywt.threshold(x, 2, "hard", substitute)
        assert_close(lw.threshold(x, 2, "hard", substitute), expected, ulps=0)
        y = x.astype(float)
        for rule in RULES:
            expected = pywt.threshold(y[y != 0], 2, rule, substitute)
            assert_close(lw.threshold(y[y != 0], 2, rule, substitute), expected, ulps=2)
    z = x[x != 0] * 1j
    assert_close(lw.threshold(z, 2, "soft", 1j), pywt.threshold(z, 2, "soft", 1j), ulps=2)


def test_thresholds_of_no_values_and_of_one() -> None:
    assert lw.threshold(np.zeros(0), 1.0).shape == (0,)
    assert lw.threshold(np.zeros((0, 3)), np.ones(3)).shape == (0, 3)
    assert float(lw.threshold(3.0, 1.0)) == 2.0
    assert float(lw.threshold(np.array(3.0), 1.0, "hard", 5)) == 3.0


# --- mistakes of PyWavelets ----------------------------------------------------------------------


def test_firm_thresholding_of_one_row() -> None:
    """(PyWavelets looks at the row numbers of large values, which are zero.)"""
    x = np.array([[0.5, 1.5, 3.0]])
    assert lw.threshold_firm(x, 1.0, 2.0).tolist() == [[0.0, 1.0, 3.0]]


def test_the_garrote_of_small_integers() -> None:
    """(PyWavelets squares them in their own dtype.)"""
    x = np.array([3, 20, 100, 200])
    expected = [0.0, 20 - 25 / 20, 100 - 25 / 100, 200 - 25 / 200]
    for dtype in ("uint8", "int16", "int64"):
        actual = lw.threshold(x.astype(dtype), 5, "garrote")
        assert actual.tolist() == pytest.approx(expected)


# --- mistakes ------------------------------------------------------------------------------------

X = np.ones(3)


@pytest.mark.parametrize(
    ("call", "error", "builtin", "message"),
    [
        (lambda: lw.threshold(X, 1j), DTypeError, ValueError, r"must be real, got 1j"),
        (lambda: lw.threshold(X, X + 1j), DTypeError, TypeError, r"real, got an array of complex"),
        (lambda: lw.threshold(X, X > 0), DTypeError, TypeError, r"real, got an array of bool"),
        (lambda: lw.threshold(X, "soft"), DTypeError, TypeError, r"a real number .*, got 'soft'"),
        (lambda: lw.threshold(X, None), DTypeError, TypeError, r"a real number .*, got None"),
        (lambda: lw.threshold(X, [[1], [1, 2]]), DTypeError, ValueError, r"got \[\[1\], \[1, 2\]"),
        (lambda: lw.threshold(X, 10**400), DTypeError, ValueError, "range of floats, got 0x"),
        (lambda: lw.threshold(X, [1, 2]), ShapeError, ValueError, r"\(2,\) do not .* \(3,\)"),
        (lambda: lw.threshold(X, [1, 2], "hard"), ShapeError, ValueError, r"\(2,\) do not"),
        (lambda: lw.threshold(X, torch.ones(3)), ArgumentTypeError, TypeError, "of one library"),
        (lambda: lw.threshold(X, 1, ["soft"]), LiftwaveError, ValueError, r"Got \['soft'\]"),
        (lambda: lw.threshold(X, 1, None), LiftwaveError, ValueError, "Got None"),
        (lambda: lw.threshold(X, 1, "soft", 1j), DTypeError, TypeError, "for data of float64"),
        (lambda: lw.threshold(X, 1, "hard", 1j), DTypeError, TypeError, "for data of float64"),
        (lambda: lw.threshold(X, 1, "hard", "a"), DTypeError, TypeError, "a number, got 'a'"),
        (lambda: lw.threshold(X, 1, "hard", X), DTypeError, TypeError, "substitute must be"),
        (lambda: lw.threshold_firm(X, 1j, 2), DTypeError, TypeError, "real, got 1j"),
        (lambda: lw.threshold_firm(X, 1, "b"), DTypeError, TypeError, "got 'b'"),
        (lambda: lw.threshold_firm(X, nan, 2), LiftwaveError, ValueError, "non-negative, got nan"),
        (lambda: lw.threshold_firm(X, 1, nan), LiftwaveError, ValueError, "got nan < 1"),
        (lambda: lw.threshold_firm(X, X, 2), LiftwaveError, ValueError, r"one number.*\(3,\)"),
    ],
)
def test_mistakes(call: Any, error: Any, builtin: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        call()
    assert isinstance(raised.value, builtin)
    assert isinstance(raised.value, LiftwaveError)


@pytest.mark.parametrize("mode", ["soft", "garrote"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int16", "uint32"])
def test_a_threshold_that_is_not_a_number_makes_every_value_nan(mode: Any, dtype: str) -> None:
    x = np.array([3, 0, 7], dtype)
    np.testing.assert_array_equal(lw.threshold(x, np.nan, mode), pywt.threshold(x, np.nan, mode))
