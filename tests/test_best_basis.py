"""Bases of wavelet packets: the lowest cost of all trees, and the formulas of costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from helpers import zero_mean

import liftwave as lw
from liftwave.errors import AxisError, CoefficientsError, CostError, OrderError, ShapeError
from liftwave.packets.costs import (
    coefficient_cost,
    histogram_entropy,
    spacing_entropy,
    symmetric_relative_entropy,
)

LINE = zero_mean(64)
FULL = lw.wpdec(LINE, "db2", "periodization", 3, full=True)
T = np.arange(128)
CHIRP = np.cos(2 * np.pi * (0.05 * T + 0.0012 * T**2))


def trees(root: str, depth: int, ndim: int = 1) -> Iterator[list[str]]:
    """The leaves of all trees below a root."""
    yield [root]
    if depth:
        parts = map("".join, product("ad", repeat=ndim))
        for leaves in product(*(list(trees(root + part, depth - 1, ndim)) for part in parts)):
            yield [leaf for of_part in leaves for leaf in of_part]


def entropy(c: Any, energy: float) -> float:
    p = np.abs(c.ravel()) ** 2 / energy
    return float(-np.sum(p[p > 0] * np.log(p[p > 0])))


COSTS: dict[str, tuple[Any, Any, Callable[[Any, float], float]]] = {
    "shannon": ("shannon", None, entropy),
    "log-energy": (
        "log-energy",
        None,
        lambda c, e: float(np.sum(np.log(np.abs(c[c != 0]) ** 2 / e))),
    ),
    "norm": ("norm", 0.7, lambda c, e: float(np.sum(np.abs(c) ** 0.7))),
    "threshold": ("threshold", 0.5, lambda c, e: float(np.sum(np.abs(c) > 0.5))),
    "sure": (
        "sure",
        0.8,
        lambda c, e: float(
            c.size - 2 * np.sum(np.abs(c) <= 0.8) + np.sum(np.minimum(np.abs(c) ** 2, 0.64))
        ),
    ),
    "function": (
        lambda c: np.abs(c).max(axis=-1),
        None,
        lambda c, e: float(np.abs(c).max()),
    ),
}


@pytest.mark.parametrize("order", ["freq", "natural"])
@pytest.mark.parametrize("name", COSTS)
def test_the_basis_has_the_lowest_cost_of_all_trees(name: str, order: str) -> None:
    cost, value, formula = COSTS[name]
    full = lw.wpdec(CHIRP, "db2", "periodization", 3, full=True, order=order)
    tree = lw.best_basis(full, cost, value, order=order)
    energy = float(np.sum(CHIRP**2))

    def total(leaves: Any) -> float:
        packets = lw.wpdec(CHIRP, "db2", "periodization", tree=lw.PacketTree(leaves))
        return sum(formula(c, energy) for c in packets)

    everything = [total(leaves) for leaves in trees("", 3)]
    assert len(everything) == 26
    assert total(tree.leaves) == pytest.approx(min(everything), rel=1e-12, abs=1e-12)
    assert len(tree) > 1 or name in ("function", "sure")


@pytest.mark.parametrize("name", [name for name in COSTS if name != "function"])
def test_costs_follow_their_formulas(name: str) -> None:
    cost, value, formula = COSTS[name]
    c, energy = np.append(CHIRP, [0.0, 0.8, -0.5]), 70.0
    ours = float(np.sum(coefficient_cost(cost, value)(c, np.float64(energy))))
    assert ours == pytest.approx(formula(c, energy), rel=1e-12)


def test_images_and_batches() -> None:
    image = zero_mean((3, 16, 16)) + np.cos(2 * np.pi * 0.3 * np.arange(16))
    full = lw.wpdec(image, "haar", "periodization", 2, (1, 2), full=True)
    tree = lw.best_basis(full, axes=(1, 2))
    energy = float(np.sum(image**2))

    def total(leaves: Any) -> float:
        basis = lw.PacketTree(leaves, 2)
        packets = lw.wpdec(image, "haar", "periodization", axes=(1, 2), tree=basis)
        return sum(entropy(c, energy) for c in packets)

    everything = [total(leaves) for leaves in trees("", 2, 2)]
    assert len(everything) == 17
    assert total(tree.leaves) == pytest.approx(min(everything), rel=1e-12)


def test_the_basis_reconstructs() -> None:
    tree = lw.best_basis(lw.wpdec(CHIRP, "db4", level=3, full=True))
    leaves = lw.wpdec(CHIRP, "db4", tree=tree)
    rebuilt = lw.wprec(leaves, "db4", tree=tree, shape=CHIRP.shape)
    np.testing.assert_allclose(rebuilt, CHIRP, atol=1e-12)


def test_equal_costs_keep_the_parent() -> None:
    zeros = lw.wpdec(np.zeros(16), "haar", level=2, full=True)
    for cost, value in (("shannon", None), ("log-energy", None), ("threshold", 1.0)):
        assert lw.best_basis(zeros, cost, value).leaves == ("",)
    assert lw.best_basis(FULL, lambda c: np.zeros(len(c))).leaves == ("",)


def test_tensors_and_complex_packets() -> None:
    expected = lw.best_basis(FULL)
    tensors = [torch.tensor(x, requires_grad=True) for x in FULL]
    assert lw.best_basis(tensors) == expected
    rotated = [x * np.exp(0.7j) for x in FULL]
    assert lw.best_basis(rotated) == expected


# --- many signals --------------------------------------------------------------------------------

SIGNALS = zero_mean((24, 16), 3).cumsum(axis=-1)
BATCH = lw.wpdec(SIGNALS, "haar", "periodization", 3, full=True)


def of_leaves(leaves: Any, cost: Callable[[Any], float]) -> float:
    packets = lw.wpdec(SIGNALS, "haar", "periodization", tree=lw.PacketTree(leaves))
    return sum(cost(c) for c in packets)


@pytest.mark.parametrize(
    ("value", "cost"),
    [
        (None, lambda c: float(np.sum(2 * np.log(c.std(axis=0))))),
        (1.5, lambda c: float(np.sum(c.std(axis=0) ** 1.5))),
    ],
)
def test_joint_bases_have_the_lowest_cost(value: Any, cost: Any) -> None:
    tree = lw.joint_basis(BATCH, value)
    everything = [of_leaves(leaves, cost) for leaves in trees("", 3)]
    assert of_leaves(tree.leaves, cost) == pytest.approx(min(everything), rel=1e-12)


@pytest.mark.parametrize(
    ("estimator", "entropies"), [("spacing", spacing_entropy), ("histogram", histogram_entropy)]
)
def test_least_dependent_bases_have_the_lowest_entropy(estimator: Any, entropies: Any) -> None:
    tree = lw.least_dependent_basis(BATCH, estimator)
    everything = [
        of_leaves(leaves, lambda c: float(entropies(c[None]).sum())) for leaves in trees("", 3)
    ]
    best = of_leaves(tree.leaves, lambda c: float(entropies(c[None]).sum()))
    assert best == pytest.approx(min(everything), rel=1e-12)


def test_entropies_are_those_of_known_distributions() -> None:
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((1, 20000, 2)) * [1.0, 3.0]
    uniform = rng.uniform(0, 4, (1, 20000, 1))
    for entropy_of in (spacing_entropy, histogram_entropy):
        expected = 0.5 * np.log(2 * np.pi * np.e) + np.log([1.0, 3.0])
        np.testing.assert_allclose(entropy_of(normal)[0], expected, atol=0.05)
        np.testing.assert_allclose(entropy_of(uniform)[0], np.log(4), atol=0.05)
        assert np.isneginf(entropy_of(np.ones((1, 10, 1))))[0, 0]


def test_discriminant_bases_have_the_largest_power() -> None:
    labels = np.array([0, 1, 2] * 8)

    def power(c: Any) -> float:
        maps = [
            np.sum(c[labels == k] ** 2, axis=0) / np.sum(SIGNALS[labels == k] ** 2)
            for k in range(3)
        ]
        pairs = [(maps[0], maps[1]), (maps[0], maps[2]), (maps[1], maps[2])]
        return float(sum(np.sum(p * np.log(p / q) + q * np.log(q / p)) for p, q in pairs))

    tree = lw.discriminant_basis(BATCH, labels)
    everything = [of_leaves(leaves, power) for leaves in trees("", 3)]
    assert of_leaves(tree.leaves, power) == pytest.approx(max(everything), rel=1e-12)
    assert lw.discriminant_basis(BATCH, [str(k) for k in labels]) == tree


def test_energies_of_zero_do_not_count() -> None:
    p, q = np.array([0.5, 0.3, 0.0, 0.0]), np.array([0.1, 0.0, 0.4, 0.0])
    expected = [0.4 * np.log(5), 0, 0, 0]
    np.testing.assert_allclose(symmetric_relative_entropy(p, q), expected, rtol=1e-12)


def test_discriminant_bases_find_a_tone() -> None:
    noise = np.random.default_rng(1).standard_normal((40, 128))
    noise[20:] += 3 * np.cos(2 * np.pi * 0.14 * np.arange(128))
    packets = lw.wpdec(noise, "db8", "periodization", 3, full=True)
    tree = lw.discriminant_basis(packets, [0] * 20 + [1] * 20)
    band = [band for band in tree.bands() if band[0] <= 0.14 < band[1]]
    assert band == [(0.125, 0.1875)]


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lw.best_basis(FULL, "entropy"), CostError, "'sure', or a function; got 'entropy'"),
        (lambda: lw.best_basis(FULL, "shannon", 2), CostError, "no parameter, got value=2"),
        (lambda: lw.best_basis(FULL, "norm"), CostError, "needs its exponent: pass value="),
        (lambda: lw.best_basis(FULL, "sure", -1), CostError, "its threshold, a positive .* got -1"),
        (lambda: lw.best_basis(FULL, np.sum), CostError, "one real number for each of 1 nodes"),
        (lambda: lw.best_basis(FULL[-1]), CoefficientsError, "packets of all levels, wpdec"),
        (lambda: lw.best_basis(FULL[1:]), CoefficientsError, r"level 0 have \(1,\) nodes, got"),
        (lambda: lw.best_basis([]), CoefficientsError, "an empty list"),
        (lambda: lw.best_basis(5), CoefficientsError, "got int"),
        (lambda: lw.best_basis(FULL, axes=1), AxisError, "axis 1 of an array with 1"),
        (lambda: lw.best_basis(FULL, order="up"), OrderError, "'up'"),
        (lambda: lw.joint_basis(FULL), CoefficientsError, "at least 2 signals"),
        (lambda: lw.joint_basis(BATCH, 0), CostError, "a positive number, got 0"),
        (lambda: lw.least_dependent_basis(BATCH, "kde"), CostError, "or 'histogram', got 'kde'"),
        (
            lambda: lw.least_dependent_basis([1j * x for x in BATCH]),
            CostError,
            "got complex packets",
        ),
        (lambda: lw.discriminant_basis(BATCH, [0, 1]), ShapeError, "each of 24 signals"),
        (lambda: lw.discriminant_basis(BATCH, [1] * 24), ShapeError, "at least two classes"),
        (lambda: lw.discriminant_basis(BATCH, None), ShapeError, "must be a sequence"),
    ],
)
def test_errors_name_the_argument(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()
