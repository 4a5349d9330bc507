"""Calls of the transforms to packets: convert the arguments to an operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._arrays.convert import as_array
from liftwave._numbers import flag, is_several, items
from liftwave._operations.call import Call
from liftwave._plan.arguments import check_level, natural_level
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import ArrayLike, Modes
from liftwave.errors import CoefficientsError, OptionError, ShapeError, WaveletError
from liftwave.packets.arguments import (
    analysis_of_levels,
    analysis_of_tree,
    check_count,
    synthesis_of_grid,
    synthesis_of_leaves,
)
from liftwave.packets.order import check_order
from liftwave.packets.packet_tree import as_tree
from liftwave.transforms.undecimated_calls import warn_of_norm
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Wavelets

# --- with downsampling ---------------------------------------------------------------------------


def wpdec(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] | int | None = -1,
    *,
    order: str = "freq",
    full: bool = False,
    tree: Any = None,
) -> Call:
    """The call of :func:`liftwave.wpdec`."""
    x = as_array(data)
    named, everything = check_order(order), flag(full, "full")
    plans = _plans(wavelet, mode, axes, x.ndim)
    sizes, wavelets = [x.shape[p.axis] for p in plans], [p.wavelet for p in plans]
    if tree is None:
        if level is not None:
            check_count(natural_level(level), len(plans))
        depth = check_level(level, sizes, wavelets)
        return analysis_of_levels(x, plans, depth, named, everything)
    _check_alone(level, everything)
    basis = as_tree(tree, len(plans))
    check_level(basis.depth, sizes, wavelets)
    return analysis_of_tree(x, plans, basis)


def wprec(
    packets: Any,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = -1,
    *,
    shape: Any = None,
    order: str = "freq",
    tree: Any = None,
) -> Call:
    """The call of :func:`liftwave.wprec`."""
    named = check_order(order)
    first, ndim = _first(packets, axes, tree)
    plans = _plans(wavelet, mode, axes, ndim)
    if tree is None:
        return synthesis_of_grid(first, plans, ndim, shape, named)
    return synthesis_of_leaves(packets, plans, ndim, as_tree(tree, len(plans)), shape)


# --- without downsampling ------------------------------------------------------------------------


def swpdec(
    data: ArrayLike,
    wavelet: Wavelets,
    level: int | None = None,
    axes: Sequence[int] | int | None = -1,
    *,
    order: str = "freq",
    full: bool = False,
    tree: Any = None,
    norm: bool = False,
) -> Call:
    """The call of :func:`liftwave.swpdec`."""
    x = as_array(data)
    named, everything = check_order(order), flag(full, "full")
    plans = _undecimated_plans(wavelet, axes, x.ndim, norm)
    if tree is not None:
        _check_alone(level, everything)
        return analysis_of_tree(x, plans, as_tree(tree, len(plans)))
    if level is None:
        raise OptionError(
            "swpdec needs level or tree: the packets of each level have 2**level times as many "
            "samples as the data, along each axis"
        )
    return analysis_of_levels(x, plans, natural_level(level), named, everything)


def swprec(
    packets: Any,
    wavelet: Wavelets,
    axes: Sequence[int] | int | None = -1,
    *,
    order: str = "freq",
    tree: Any = None,
    norm: bool = False,
) -> Call:
    """The call of :func:`liftwave.swprec`."""
    named = check_order(order)
    first, ndim = _first(packets, axes, tree)
    plans = _undecimated_plans(wavelet, axes, ndim, norm)
    if tree is None:
        return synthesis_of_grid(first, plans, ndim, None, named)
    return synthesis_of_leaves(packets, plans, ndim, as_tree(tree, len(plans)), None)


# --- arguments -----------------------------------------------------------------------------------


def _plans(wavelet: Wavelets, mode: Modes, axes: Any, ndim: int) -> AxisPlans:
    """The plans of the axes.

    Raises
    ------
    WaveletError
        If a wavelet is an integer scheme.
    """
    _check_ndim(ndim)
    plans = axis_plans(wavelet, mode, axes, ndim)
    if plans.is_integer:
        raise WaveletError(
            f"{plans[0].wavelet!r} is an integer scheme, whose dtype depends on the level: use "
            "WaveletPacket"
        )
    return plans


def _undecimated_plans(wavelet: Wavelets, axes: Any, ndim: int, norm: Any) -> AxisPlans:
    """The plans of the axes, without downsampling.

    Raises
    ------
    WaveletError
        If a wavelet is a lifting scheme.
    """
    _check_ndim(ndim)
    wavelets = wavelet if isinstance(wavelet, list | tuple) else (wavelet,)
    if any(isinstance(scheme, LiftingScheme) for scheme in wavelets):
        raise WaveletError(
            "undecimated packets need a filter bank, got a LiftingScheme: pass "
            "scheme.to_filter_bank()"
        )
    options = Undecimated("centred", 0, flag(norm, "norm"))
    plans = axis_plans(wavelet, options, axes, ndim)
    warn_of_norm(wavelet, options.norm, "the wavelets used are")
    return plans


def _check_ndim(ndim: int) -> None:
    if ndim < 1:
        raise ShapeError("Expected at least 1D input data, got a 0-d array.")


def _check_alone(level: Any, full: bool) -> None:
    """Raise if a tree is passed together with other options for the packets."""
    if level is not None or full:
        raise OptionError("a tree determines the packets: do not pass level or full with tree")


def _first(packets: Any, axes: Any, tree: Any) -> tuple[Any, int]:
    """The first array of packets, and the number of axes of the signal."""
    if tree is not None:
        leaves = items(packets, "expected the list of the packets of all leaves", CoefficientsError)
        if not leaves:
            raise CoefficientsError("expected the packets of all leaves, got an empty list")
        first = as_array(leaves[0])
        naxes = first.ndim
    else:
        if isinstance(packets, list | tuple) and any(hasattr(x, "shape") for x in packets):
            raise CoefficientsError(
                "expected the packets of one level in one array, got a list of arrays: pass its "
                "last array, or the tree to which the packets belong"
            )
        first = as_array(packets)
        naxes = first.ndim // 2
    if type(axes) is int:
        naxes = 1
    elif axes is not None:
        naxes = len(list(axes)) if is_several(axes) else 1
    return first, first.ndim - (naxes if tree is None else 0)
