"""General lifting steps, which change one channel by a function of the other, with inverse and VJP.

``target -= f(source)`` undoes ``target += f(source)`` exactly, for every ``f``. Therefore the
derivative needs only the outputs: the backward pass undoes each step on the values before it
differentiates the next one, and the forward pass stores nothing. Rounding errors grow as in the
inverse transform: for steps with large gains, in proportion to the product of their gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from liftwave._typing import Array


class Increment(Protocol):
    """A function of one channel, linear or not, and how it pulls cotangents back."""

    def increment(self, source: Array) -> Array:
        """The increment of the target."""
        ...

    def vjp(self, source: Array, cotangent: Array) -> tuple[Array, Any]:
        """The cotangent of the source, and gradients of the function's parameters, if any.

        ``cotangent`` is that of the increment. Both results are evaluated at ``source``.
        """
        ...


class Step(NamedTuple):
    """``channels[target] += function(channels[1 - target])``, or ``-=``."""

    target: int
    function: Increment
    subtract: bool = False


class Pullback(NamedTuple):
    """Reconstructed channels before all steps, their cotangents, and the gradients by step."""

    channels: list[Array]
    cotangents: list[Array]
    gradients: list[Any]


def run(channels: Sequence[Array], steps: Sequence[Step]) -> list[Array]:
    """The channels after the steps."""
    current = list(channels)
    for target, function, subtract in steps:
        increment = function.increment(current[1 - target])
        current[target] = _sum(current[target], increment, subtract)
    return current


def run_with_sources(
    channels: Sequence[Array], steps: Sequence[Step]
) -> tuple[list[Array], list[Array]]:
    """The channels after the steps, and the source of each step."""
    current, sources = list(channels), []
    for step in steps:
        sources.append(current[1 - step.target])
        current = run(current, [step])
    return current, sources


def undoing(steps: Sequence[Step]) -> list[Step]:
    """The steps that undo these."""
    return [step._replace(subtract=not step.subtract) for step in reversed(steps)]


def vjp(
    channels: Sequence[Array],
    cotangents: Sequence[Array],
    steps: Sequence[Step],
    sources: Sequence[Array] | None = None,
) -> Pullback:
    """The vector-Jacobian product of :func:`run`, from the channels that it returned.

    With the ``sources`` of :func:`run_with_sources` no step is undone, so that nothing is rounded,
    and the channels of the result are those passed.
    """
    current, current_cotangents, gradients = list(channels), list(cotangents), []
    for number, (target, function, subtract) in reversed(list(enumerate(steps))):
        if sources is None:
            source = current[1 - target]
            current[target] = _sum(current[target], function.increment(source), not subtract)
        else:
            source = sources[number]
        outer = -current_cotangents[target] if subtract else current_cotangents[target]
        inner, of_parameters = function.vjp(source, outer)
        current_cotangents[1 - target] = current_cotangents[1 - target] + inner
        gradients.append(of_parameters)
    return Pullback(current, current_cotangents, gradients[::-1])


def _sum(x: Array, y: Array, subtract: bool) -> Array:
    return x - y if subtract else x + y
