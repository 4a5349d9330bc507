"""Gradients of all constraints, for libraries without automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from liftwave._numbers import items
from liftwave._typing import Array
from liftwave.constraints import penalties
from liftwave.constraints.lifting import symmetric_lifting, symmetric_vjp
from liftwave.constraints.orthonormal import (
    gradient_in_lowpass,
    lowpass_vjp,
    orthonormal_filters,
    orthonormal_lowpass,
)
from liftwave.constraints.terms import Penalty
from liftwave.errors import ArgumentTypeError, ShapeError
from liftwave.gradients import FilterBankGradient, LiftingGradient
from liftwave.wavelets.filter_bank import FilterBank

Pullback: TypeAlias = Callable[..., tuple[Array, ...]]


def vjp(function: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, Pullback]:
    r"""Return the value of a constraint and its pullback (the vector-Jacobian product).

    Parameters
    ----------
    function : callable
        A penalty, or :func:`orthonormal_lowpass`, :func:`orthonormal_filters` or
        :func:`symmetric_lifting`.
    *args, **options
        The arguments of ``function``.

    Returns
    -------
    value : array, FilterBank or LiftingScheme
        ``function(*args, **options)``.
    pullback : callable
        Maps the gradient of a loss with respect to the value to a tuple of its gradients with
        respect to the array arguments of ``function``. The pullback of

        * a penalty takes an array of the penalty's shape (1 for a single penalty);
        * ``orthonormal_lowpass`` takes an array of the shape of the filter;
        * ``orthonormal_filters`` takes the gradient with respect to a wavelet from
          :func:`liftwave.vjp`, or a tuple ``(dec_lo, dec_hi, rec_lo, rec_hi)`` of gradients, where
          None means zero;
        * ``symmetric_lifting`` takes such a gradient, or a pair of gradients ``(taps, scale)``,
          and returns one array for each step.

    Raises
    ------
    ArgumentTypeError
        If the function is not one of these.

    Examples
    --------
    >>> from liftwave import constraints
    >>> value, pullback = constraints.vjp(constraints.highpass_penalty, [1.0, -1.0])
    >>> float(value)
    1.0
    >>> (gradient,) = pullback(1.0)
    >>> gradient.tolist()
    [4.0, -4.0]

    The energy of the details of one level, as a function of lattice angles:

    >>> import liftwave as lw
    >>> angles = constraints.lattice_angles("db2")
    >>> bank, to_angles = constraints.vjp(constraints.orthonormal_filters, angles)
    >>> x = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 3.0, 3.0]
    >>> (cA, cD), to_taps = lw.vjp(lw.dwt, x, bank, "periodization")
    >>> to_angles(to_taps((None, 2 * cD)).wavelet)[0].round(3).tolist()
    [17.856]
    """
    rule = next((rule for candidate, rule in _RULES.items() if candidate is function), None)
    if rule is None:
        names = ", ".join(sorted(f.__name__ for f in _RULES))
        name = getattr(function, "__name__", repr(function))
        raise ArgumentTypeError(f"vjp does not support {name}: use one of {names}")
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

    def pullback(gradients: FilterBankGradient | Sequence[Array | None]) -> tuple[Array, ...]:
        if isinstance(gradients, FilterBankGradient):
            filters = ("dec_lo", "dec_hi", "rec_lo", "rec_hi")
            gradients = [getattr(gradients, name) for name in filters]
        return to_angles(gradient_in_lowpass(gradients, 0.0 * low))

    return bank, pullback


def _of_symmetric(*args: Any, **options: Any) -> tuple[Any, Pullback]:
    scheme, pull = symmetric_vjp(*args, **options)

    def pullback(
        gradients: LiftingGradient | tuple[Sequence[Array], Sequence[Array]],
    ) -> tuple[Array, ...]:
        if isinstance(gradients, LiftingGradient):
            gradients = (gradients.taps, gradients.scale)
        demand = "the cotangent of a LiftingScheme must be a LiftingGradient or a pair"
        pair = items(gradients, demand)
        if len(pair) != 2:
            raise ShapeError(f"{demand} (taps, scale), got {len(pair)} objects")
        return tuple(pull(*pair))

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
