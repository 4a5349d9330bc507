r"""Closed forms of the biorthogonal spline wavelets and their relatives, by name.

The families are those of Cohen, Daubechies & Feauveau, *Biorthogonal bases of
compactly supported wavelets*, Comm. Pure Appl. Math. 45, 1992, in PyWavelets'
normalisation; the lifting form of the spline wavelets 1.k, 2.k and 3.k has
rational taps (Sweldens, *The lifting scheme: a custom-design construction of
biorthogonal wavelets*, Appl. Comput. Harmon. Anal. 3, 1996). 4.4 is the 9/7
pair of JPEG 2000 (ISO/IEC 15444-1, annex F).

``rbioN.M`` is the inverse transpose of ``biorN.M``: each step
``e += Q o`` becomes ``o -= Q* e`` with mirrored taps, and the scales are
inverted.
"""

from __future__ import annotations

from functools import cache
from math import sqrt
from typing import TypeAlias

from liftwave.wavelets.lifting.polyphase import Factors, Polyphase, matrix_of
from liftwave.wavelets.lifting.step import LiftingStep, StepKind

_ROOT2 = sqrt(2.0)
_Numbers: TypeAlias = tuple[float, ...]

# 2.k: the right half of the symmetric update, over a common denominator.
_UPDATE_2: dict[str, tuple[int, _Numbers]] = {
    "2.2": (4, (1,)),
    "2.4": (64, (19, -3)),
    "2.6": (512, (162, -39, 5)),
    "2.8": (16384, (5359, -1563, 335, -35)),
}

# 1.k: q_m = -q_-m, m = 1, 2, …, of the update, whose middle tap is q_0 = 1/2.
_UPDATE_1: dict[str, tuple[int, _Numbers]] = {
    "1.1": (1, ()),
    "1.3": (16, (1,)),
    "1.5": (256, (22, -3)),
}

# 3.k: the same with the middle tap q_0 = 4/9.
_UPDATE_3: dict[str, tuple[int, _Numbers]] = {
    "3.1": (1, ()),
    "3.3": (12, (1,)),
    "3.5": (288, (34, -5)),
    "3.7": (9216, (1263, -300, 35)),
    "3.9": (73728, (10986, -3282, 658, -63)),
}

# Filters of odd length: the right halves of the symmetric steps, predict and
# update in turn, then the two scales.
_SYMMETRIC: dict[str, tuple[tuple[_Numbers, ...], tuple[float, float]]] = {
    "4.4": (
        (
            (-1.5861343420599237,),
            (-0.052980118572961414,),
            (0.88291107553093329,),
            (0.44350685204397117,),
        ),
        (1.1496043988602411, -1 / 1.1496043988602411),
    ),
    "5.5": (
        (
            (4.993274520830699,),
            (-0.0043674455919730003,),
            (-5.5857862003155425,),
            (0.35223144285242308,),
            (-0.29009307325470635,),
        ),
        (0.92496193505997248, 1 / 0.92496193505997248),
    ),
    "6.8": (
        (
            (-0.99715069105239817,),
            (0.27351197468507865,),
            (-0.38746044045226719,),
            (-0.28650325796837439,),
            (0.54859416825547169,),
            (0.34381326275410062, -0.099823217010000465),
        ),
        (1.1513061546400225, -1 / 1.1513061546400225),
    ),
}

_ORDERS = (*_UPDATE_1, *_UPDATE_2, *_UPDATE_3, *_SYMMETRIC)


@cache
def table_factors(name: str) -> Factors | None:
    """Return the factors of ``"biorN.M"``, ``"rbioN.M"``, ``"haar"`` or ``"db1"``, else None."""
    if name in ("haar", "db1"):
        return _factors("1.1")
    family, order = name[:-3], name[-3:]
    if order not in _ORDERS or family not in ("bior", "rbio"):
        return None
    factors = _factors(order)
    return factors if family == "bior" else _inverse_transpose(factors)


@cache
def tables() -> tuple[tuple[Factors, Polyphase], ...]:
    """Return the factors of all tables, with their matrices."""
    names = [family + order for order in _ORDERS for family in ("bior", "rbio")]
    factors = [f for f in map(table_factors, names) if f is not None]
    return tuple((f, matrix_of(f)) for f in factors)


def _factors(order: str) -> Factors:
    if order in _UPDATE_1:
        steps, scale = _spline_1(order)
    elif order in _UPDATE_2:
        steps, scale = _spline_2(order)
    elif order in _UPDATE_3:
        steps, scale = _spline_3(order)
    else:
        halves, scale = _SYMMETRIC[order]
        steps = [
            _symmetric("update" if k % 2 else "predict", half) for k, half in enumerate(halves)
        ]
    return Factors(tuple(steps), scale)


def _spline_1(order: str) -> tuple[list[LiftingStep], tuple[float, float]]:
    update = _antisymmetric(0.5, *_UPDATE_1[order])
    return [LiftingStep("predict", [-1.0]), update], (_ROOT2, -1 / _ROOT2)


def _spline_2(order: str) -> tuple[list[LiftingStep], tuple[float, float]]:
    denominator, numerators = _UPDATE_2[order]
    update = _symmetric("update", tuple(n / denominator for n in numerators))
    return [LiftingStep("predict", [-0.5, -0.5]), update], (_ROOT2, -1 / _ROOT2)


def _spline_3(order: str) -> tuple[list[LiftingStep], tuple[float, float]]:
    base = [
        LiftingStep("update", [-1 / 3], offset=-1),
        LiftingStep("predict", [-9 / 8, -3 / 8]),
    ]
    return [*base, _antisymmetric(4 / 9, *_UPDATE_3[order])], (3 / _ROOT2, _ROOT2 / 3)


def _symmetric(kind: StepKind, half: _Numbers) -> LiftingStep:
    """Return a step with equal taps on both sides of the target sample."""
    offset = 1 - len(half) if kind == "predict" else -len(half)
    return LiftingStep(kind, [*half[::-1], *half], offset)


def _antisymmetric(centre: float, denominator: int, numerators: _Numbers) -> LiftingStep:
    """Return the step ``e[k] += centre*o[k] + sum_m q_m (o[k-m] - o[k+m])``."""
    before = [n / denominator for n in reversed(numerators)]
    after = [-q for q in reversed(before)]
    return LiftingStep("update", [*before, centre, *after], offset=-len(before))


def _inverse_transpose(factors: Factors) -> Factors:
    steps = tuple(step.adjoint().negated() for step in factors.steps)
    return Factors(steps, (1.0 / factors.scale[0], 1.0 / factors.scale[1]))
