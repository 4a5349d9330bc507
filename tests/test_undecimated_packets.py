"""Wavelet packets without downsampling: all shifts of packets, invertible, differentiable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
import pywt
import torch
from helpers import zero_mean

import liftwave as lw
from liftwave._dispatch import kernels_for
from liftwave._operations.operation import parse
from liftwave.errors import (
    CoefficientsError,
    LevelError,
    NormWarning,
    OptionError,
    ShapeError,
    WaveletError,
)
from liftwave.packets import calls

LINE, IMAGE = zero_mean(48), zero_mean((2, 12, 8, 3), 2)
TREE = lw.PacketTree(["a", "da", "dda", "ddd"])

# --- values --------------------------------------------------------------------------------------


def split(x: np.ndarray, wavelet: str, path: str, axis: int = -1) -> np.ndarray:
    """The packet of a path, level by level with PyWavelets' order of samples."""
    for level, letter in enumerate(path):
        ((approx, detail),) = lw.swt(x, wavelet, 1, level, axis)
        x = approx if letter == "a" else detail
    return x


@pytest.mark.parametrize("n", [1, 2, 7, 16, 37])
@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior2.2", "sym8"])
def test_packets_are_those_of_swt(wavelet: str, n: int) -> None:
    x = zero_mean((3, n + 1))[:, :n]
    leaves = lw.swpdec(x, wavelet, tree=TREE)
    # swt refuses a start_level whose dilated filters are longer than the signal.
    level = next(k for k in (3, 2, 1) if k == 1 or 2 ** (k - 1) < n)
    natural = lw.swpdec(x, wavelet, level, order="natural", full=True)
    assert [y.shape for y in natural] == [(3, 2**k, n) for k in range(level + 1)]
    for index in range(2**level):
        path = format(index, f"0{level}b").replace("0", "a").replace("1", "d")
        np.testing.assert_array_equal(natural[-1][:, index], split(x, wavelet, path))
    np.testing.assert_array_equal(leaves[0], split(x, wavelet, "a"))


@pytest.mark.filterwarnings("ignore:Level value of")
def test_every_second_coefficient_is_that_of_packets() -> None:
    for wavelet in ("haar", "db4", "bior4.4"):
        levels = lw.swpdec(LINE, wavelet, 3, full=True)
        packets = lw.wpdec(LINE, wavelet, "periodization", 3, full=True)
        for level, (ours, theirs) in enumerate(zip(levels, packets, strict=True)):
            np.testing.assert_allclose(ours[:, :: 2**level], theirs, atol=1e-14)
    both = {"axes": (1, 2)}
    ours = lw.swpdec(IMAGE, ("db2", "haar"), 2, **both)
    theirs = lw.wpdec(IMAGE, ("db2", "haar"), "periodization", 2, **both)
    np.testing.assert_allclose(ours[:, :, :, ::4, ::4], theirs, atol=1e-14)


def test_leaves_are_packets_of_their_levels() -> None:
    levels = lw.swpdec(LINE, "db2", 3, full=True, order="natural")
    leaves = lw.swpdec(LINE, "db2", tree=TREE)
    for path, leaf in zip(TREE.leaves, leaves, strict=True):
        index = int(path.replace("a", "0").replace("d", "1"), 2)
        np.testing.assert_array_equal(leaf, levels[len(path)][index])


def test_a_shift_of_the_data_is_a_shift_of_packets() -> None:
    x = zero_mean((2, 37))
    packets = lw.swpdec(x, "db3", 3)
    for shift in (1, 2, 5):
        shifted = lw.swpdec(np.roll(x, shift, -1), "db3", 3)
        np.testing.assert_array_equal(shifted, np.roll(packets, shift, -1))


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("axes", [-1, 0, (0, 1), None])
def test_data_are_reconstructed(axes: Any, norm: bool) -> None:
    for shape in ((1, 2), (5, 7), (16, 9)):
        x = zero_mean(shape)
        for order in ("freq", "natural"):
            how = {"axes": axes, "order": order, "norm": norm}
            packets = lw.swpdec(x, "db2", 2, **how)
            np.testing.assert_allclose(lw.swprec(packets, "db2", **how), x, atol=1e-12)
    tree = TREE if np.ndim(axes) == 0 and axes is not None else lw.PacketTree.wavelet(2, 2)
    leaves = lw.swpdec(x, "db2", tree=tree, axes=axes, norm=norm)
    again = lw.swprec(leaves, "db2", tree=tree, axes=axes, norm=norm)
    np.testing.assert_allclose(again, x, atol=1e-12)


def test_changed_packets_give_the_mean_of_all_shifts() -> None:
    packets = zero_mean((4, 48), 9)
    rebuilt = lw.swprec(packets, "db2")
    shifts = [
        np.roll(lw.wprec(np.roll(packets, -s, -1)[:, ::4], "db2", "periodization"), s)
        for s in range(4)
    ]
    np.testing.assert_allclose(rebuilt, np.mean(shifts, axis=0), atol=1e-14)


def test_norm_preserves_energy() -> None:
    for level in (1, 2, 3):
        packets = lw.swpdec(LINE, "db4", level, norm=True)
        assert np.sum(packets**2) == pytest.approx(np.sum(LINE**2))
        np.testing.assert_allclose(packets, lw.swpdec(LINE, "db4", level) / 2 ** (level / 2))
    with pytest.warns(NormWarning, match="not orthogonal"):
        lw.swpdec(LINE, "bior2.2", 1, norm=True)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "int16"])
def test_dtypes_and_libraries(dtype: str) -> None:
    x = (10 * zero_mean((2, 24))).astype(dtype)
    expected = lw.swpdec(x, "db2", 2)
    assert expected.dtype == lw.wpdec(x, "db2", level=2).dtype
    tensor = lw.swpdec(torch.tensor(x), "db2", 2)
    np.testing.assert_array_equal(tensor.numpy(), expected)
    strict = lw.swpdec(array_api_strict.asarray(x), "db2", 2)
    np.testing.assert_allclose(np.asarray(strict), expected, rtol=1e-5, atol=1e-5)
    half = lw.swpdec(torch.tensor(x.real).half(), "db2", 2)
    assert half.dtype == torch.float16


# --- derivatives ---------------------------------------------------------------------------------

X = torch.randn(2, 9, dtype=torch.float64, requires_grad=True)
SMALL = lw.PacketTree(["a", "da", "dd"])
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "one level": lambda x: lw.swpdec(x, "db2", 2),
    "all levels": lambda x: tuple(lw.swpdec(x, "bior2.2", 2, full=True)),
    "leaves": lambda x: tuple(lw.swpdec(x, "db2", tree=SMALL, norm=True)),
    "two axes": lambda x: lw.swpdec(x, "haar", 1, (0, 1)),
    "signal": lambda x: lw.swprec(torch.stack([x, x**2, 2 * x, x]), "db2", 1),
    "signal of leaves": lambda x: lw.swprec([x, 2 * x, x**2], "db2", tree=SMALL),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name: str) -> None:
    function = FUNCTIONS[name]
    assert torch.autograd.gradcheck(function, X)
    assert torch.autograd.gradgradcheck(
        lambda x: sum((y**2).sum() for y in _several(function(x))), X
    )


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_gradients_of_filters() -> None:
    taps = [torch.tensor(np.array(t), requires_grad=True) for t in pywt.Wavelet("db2").filter_bank]

    def analysed(x: Any, *taps: Any) -> Any:
        return tuple(lw.swpdec(x, lw.FilterBank(*taps), tree=SMALL))

    def rebuilt(p: Any, *taps: Any) -> Any:
        return lw.swprec(p, lw.FilterBank(*taps))

    assert torch.autograd.gradcheck(analysed, (X, *taps))
    packets = lw.swpdec(X, "db2", 2).detach().requires_grad_()
    assert torch.autograd.gradcheck(rebuilt, (packets, *taps))
    levels, pullback = lw.vjp(lw.swpdec, X.detach().numpy(), "db2", 2, full=True)
    cotangents = [zero_mean(y.shape, k) for k, y in enumerate(levels)]
    gradient = pullback(cotangents)
    results = lw.swpdec(X.detach(), lw.FilterBank(*taps), 2, full=True)
    sum((torch.tensor(g) * y).sum() for g, y in zip(cotangents, results, strict=True)).backward()
    np.testing.assert_allclose(gradient.wavelet.dec_lo, taps[0].grad.numpy(), atol=1e-12)


def test_operations_are_serialized() -> None:
    call = calls.swpdec(LINE, "db2", 3, norm=True)
    again = parse(call.operation.text)
    for operation in (call.operation, again):
        (packets,) = operation.run([LINE], (), kernels_for(LINE))
        np.testing.assert_array_equal(packets, lw.swpdec(LINE, "db2", 3, norm=True))


# --- bases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cost", ["shannon", "log-energy", "norm", lambda c: abs(c).sum(axis=-1)])
def test_a_redundant_basis_has_the_mean_cost_of_all_shifts(cost: Any) -> None:
    x = np.cos(0.02 * np.arange(64.0) ** 2)
    value = 1.0 if cost == "norm" else None
    levels = lw.swpdec(x, "db3", 3, full=True)
    tree = lw.best_basis(levels, cost, value, redundant=True)
    shifts = [lw.wpdec(np.roll(x, s), "db3", "periodization", 3, full=True) for s in range(8)]
    batch = [np.stack(packets) for packets in zip(*shifts, strict=True)]
    if cost in ("shannon", "log-energy"):  # the energy of the batch is the sum
        costs = {
            leaves: sum(_total_cost(packets, leaves, cost) for packets in shifts)
            for leaves in _trees()
        }
        assert tree.leaves == lw.PacketTree(min(costs, key=lambda t: costs[t])).leaves
    else:
        assert tree == lw.best_basis(batch, cost, value)
    for shift in (1, 3, 6):
        rolled = lw.swpdec(np.roll(x, shift), "db3", 3, full=True)
        assert lw.best_basis(rolled, cost, value, redundant=True) == tree


def _trees(depth: int = 3) -> list[tuple[str, ...]]:
    """The leaves of all trees."""
    if not depth:
        return [("",)]
    below = _trees(depth - 1)
    joined = [
        (*("a" + p for p in left), *("d" + p for p in right)) for left in below for right in below
    ]
    return [("",), *joined]


def _total_cost(levels: list[np.ndarray], leaves: tuple[str, ...], cost: str) -> float:
    total, energy = 0.0, np.sum(levels[0] ** 2)
    for path in leaves:
        index = int("0" + path.replace("a", "0").replace("d", "1"), 2)
        places = np.argsort([k ^ (k >> 1) for k in range(2 ** len(path))])
        p = levels[len(path)][places[index]] ** 2 / energy
        p = p[p > 0]
        total += float(np.sum(-p * np.log(p) if cost == "shannon" else np.log(p)))
    return total


def test_all_choices_accept_redundant_packets() -> None:
    signals = zero_mean((8, 32), 3)
    levels = lw.swpdec(signals, "haar", 2, full=True)
    options = {"redundant": True}
    for tree in (
        lw.joint_basis(levels, 1.0, **options),
        lw.least_dependent_basis(levels, **options),
        lw.discriminant_basis(levels, [0, 1] * 4, **options),
    ):
        leaves = lw.swpdec(signals, "haar", tree=tree)
        np.testing.assert_allclose(lw.swprec(leaves, "haar", tree=tree), signals, atol=1e-12)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: lw.swpdec(LINE, "haar"), OptionError, "needs level or tree"),
        (lambda: lw.swpdec(LINE, "haar", 1, tree=TREE), OptionError, "do not pass level"),
        (lambda: lw.swpdec(LINE, "haar", -1), LevelError, "level"),
        (lambda: lw.swpdec(LINE, "haar", 30), ShapeError, "too many"),
        (lambda: lw.swpdec(3.0, "haar", 1), ShapeError, "0-d"),
        (
            lambda: lw.swpdec(LINE, lw.LiftingScheme.from_name("haar"), 1),
            WaveletError,
            "to_filter_bank",
        ),
        (lambda: lw.swprec(np.ones((3, 8)), "haar"), ShapeError, "power of two"),
        (lambda: lw.swprec([LINE], "haar", tree=TREE), CoefficientsError, "leaves"),
        (
            lambda: lw.swprec([LINE, LINE, LINE, LINE[:6]], "haar", tree=TREE),
            ShapeError,
            "shape",
        ),
        (
            lambda: lw.best_basis(lw.wpdec(LINE, "haar", level=2, full=True), redundant=True),
            CoefficientsError,
            "without downsampling",
        ),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
