"""Gradients of all constraints for libraries that do not differentiate by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from liftwave._typing import Array
from liftwave.constraints import penalties
from liftwave.constraints._terms import Penalty
from liftwave.constraints.lifting import symmetric_lifting, symmetric_vjp
from liftwave.constraints.orthonormal import (
    gradient_in_lowpass,
    lowpass_vjp,
    orthonormal_filters,
    orthonormal_lowpass,
)
from liftwave.errors import ArgumentTypeError
from liftwave.filterbank import FilterBank

Pullback: TypeAlias = Callable[..., tuple[Array, ...]]


def vjp(function: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, Pullback]:
    r"""The value of a constraint, and the function that pulls gradients back through it.

    Parameters
    ----------
    function : callable
        A penalty, or :func:`orthonormal_lowpass`, :func:`orthonormal_filters` or
        :func:`symmetric_lifting`.
    *args, **options
        What to call it with.

    Returns
    -------
    value : array, FilterBank or LiftingScheme
        ``function(*args, **options)``.
    pullback : callable
        Takes the gradient of a number in the value, and returns the gradients of that number in
        the arrays that the function was called with, a tuple:

        * of a penalty from an array of its shape (1 for a single penalty);
        * of ``orthonormal_lowpass`` from an array of the shape of the filter;
        * of ``orthonormal_filters`` from ``(dec_lo, dec_hi, rec_lo, rec_hi)``, gradients in the
          four filters, None for those that do not matter;
        * of ``symmetric_lifting`` from ``(taps, scale)``, gradients in the taps of each step and
          in the two scales; one array for each step comes back.

    Raises
    ------
    ArgumentTypeError
        If there is no rule for the function.

    Examples
    --------
    >>> from liftwave import constraints
    >>> value, pullback = constraints.vjp(constraints.highpass_penalty, [1.0, -1.0])
    >>> float(value)
    1.0
    >>> (gradient,) = pullback(1.0)
    >>> gradient.tolist()
    [4.0, -4.0]
    """
    rule = _RULES.get(function)
    if rule is None:
        known = ", ".join(sorted(f.__name__ for f in _RULES))
        name = getattr(function, "__name__", repr(function))
        raise ArgumentTypeError(f"there is no gradient of {name}: use one of {known}")
    result: tuple[Any, Pullback] = rule(*args, **options)
    return result


def _of_penalty(make: Callable[..., Penalty]) -> Callable[..., tuple[Array, Pullback]]:
    def rule(*filters: Any, **options: Any) -> tuple[Array, Pullback]:
        penalty = make(*filters, **options)
        return penalty.value, penalty.pullback

    return rule


def _of_bank(
    angles: Any, *, zero_sum: bool = True, symmetric: bool = False
) -> tuple[FilterBank, Pullback]:
    bank = orthonormal_filters(angles, zero_sum=zero_sum, symmetric=symmetric)
    to_angles: Pullback
    low, to_angles = lowpass_vjp(angles, zero_sum=zero_sum)

    def pullback(gradients: Sequence[Array | None]) -> tuple[Array, ...]:
        return to_angles(gradient_in_lowpass(gradients, 0.0 * low))

    return bank, pullback


def _of_symmetric(*args: Any, **options: Any) -> tuple[Any, Pullback]:
    scheme, pull = symmetric_vjp(*args, **options)

    def pullback(gradients: tuple[Sequence[Array], Sequence[Array]]) -> tuple[Array, ...]:
        return tuple(pull(*gradients))

    return scheme, pullback


_RULES: dict[Callable[..., Any], Callable[..., tuple[Any, Pullback]]] = {
    penalties.lowpass_penalty: _of_penalty(penalties.lowpass_terms),
    penalties.highpass_penalty: _of_penalty(penalties.highpass_terms),
    penalties.reversibility_penalty: _of_penalty(penalties.reversibility_terms),
    penalties.symmetry_penalty: _of_penalty(penalties.symmetry_terms),
    penalties.orthonormality_penalty: _of_penalty(penalties.orthonormality_terms),
    penalties.wavelet_penalty: _of_penalty(penalties.wavelet_terms),
    orthonormal_lowpass: lowpass_vjp,
    orthonormal_filters: _of_bank,
    symmetric_lifting: _of_symmetric,
}
