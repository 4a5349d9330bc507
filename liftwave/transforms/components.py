"""Components of a multiresolution analysis: the inverse transform of each band alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, common_namespace
from liftwave._execute import execute
from liftwave._operations.call import FLAT, SINGLE, Call, Structure
from liftwave._operations.plan_transforms import partial_synthesis
from liftwave._operations.planned_transform import detail_keys
from liftwave._plan.axes import AxisPlans
from liftwave._plan.levels import Keys
from liftwave._typing import Array
from liftwave.errors import CoefficientsError, ShapeError
from liftwave.transforms.structures import Bands


class Part(NamedTuple):
    """A component: the synthesis of some of the bands of an analysis.

    Attributes
    ----------
    call : Call
        The synthesis, with its inputs in a flat list.
    bands : tuple of int
        The numbers of the bands among those of the analysis.
    places : tuple of int
        Their places among the inputs of the synthesis.
    """

    call: Call
    bands: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Components:
    """The call of a multiresolution analysis.

    Attributes
    ----------
    call : Call
        The analysis, with its results in a flat list.
    parts : callable
        The components, from the bands of the analysis.
    pack : callable
        The structure of the result, from the components.
    unpack : callable
        The components in a value of this structure.
    shape : tuple of int
        The shape of the data, to which components are cropped.
    reflected_axis : int or None
        The axis along which the analysed signal is followed by its mirror image.
    """

    call: Call
    parts: Callable[[Sequence[Array]], list[Part]]
    pack: Callable[[Bands], Any]
    unpack: Callable[[Any], Bands]
    shape: tuple[int, ...]
    reflected_axis: int | None = None

    def run(self) -> list[Any]:
        """The components."""
        bands = execute(self.call)
        components, free = [], list[Array]()
        for part in self.parts(bands):
            components.append(self.cropped(_execute_into_one_of(free, part.call)))
            free += [bands[k] for k in part.bands if _is_reusable(bands[k])]
        result: list[Any] = self.pack(components)
        return result

    def cropped(self, part: Array) -> Array:
        """The component, cropped to the shape of the data."""
        if tuple(part.shape) == self.shape:
            return part
        return part[tuple(slice(n) for n in self.shape)]


# For shorter arrays, an allocation takes less time than the check whether the memory fits.
_FEWEST_BYTES = 1 << 16


def _is_reusable(band: Any) -> bool:
    """Whether a component can take the memory of a band that is no longer needed.

    Allocating new pages takes longer than the synthesis. Autograd may need the memory of tensors.
    """
    return type(band) is np.ndarray and band.nbytes >= _FEWEST_BYTES


def _execute_into_one_of(free: list[Array], call: Call) -> Array:
    """The result of a synthesis, in the memory of the first of these arrays if it fits."""
    out: Array | None = None
    if free:
        (shape,) = call.operation.result_shapes([tuple(x.shape) for x in call.arrays], call.sizes)
        out = free.pop(0) if tuple(free[0].shape) == shape else None
    result: Array = execute(call, out)
    return result


def parts_of(bands: Sequence[Array], plans: AxisPlans, *, levels_only: bool = False) -> list[Part]:
    """The synthesis of each band alone, or of all details of each level, from the level on.

    With downsampling, a component can be longer than the data.
    """
    smooth, *details = bands
    ndim, keys = smooth.ndim, detail_keys(len(plans))
    level = len(details) // len(keys)
    if not level:
        return [Part(synthesis_of([smooth], plans, ndim, (), True), (0,), (0,))]
    parts = [Part(synthesis_of([smooth], plans, ndim, ((),) * level, True), (0,), (0,))]
    groups = [keys] if levels_only else [(key,) for key in keys]
    number = 1
    for depth in range(level, 0, -1):
        for group in groups:
            numbers = tuple(range(number, number + len(group)))
            of_level = (tuple(group), *((),) * (depth - 1))
            call = synthesis_of([bands[k] for k in numbers], plans, ndim, of_level, False)
            parts.append(Part(call, numbers, tuple(range(len(group)))))
            number += len(group)
    return parts


def synthesis_of(
    bands: Sequence[Array], plans: AxisPlans, ndim: int, keys: Keys, has_approx: bool
) -> Call:
    """The call of the synthesis of bands with these keys."""
    operation = partial_synthesis(plans, ndim, keys, has_approx, trim_odd=False)
    return Call(operation, bands, SINGLE, FLAT)


def decimated_parts(
    bands: Sequence[Array],
    inverse: Callable[[Any], Call],
    structure: Structure,
    groups: Sequence[Sequence[int]],
) -> list[Part]:
    """The inverse of each group of bands, with zeros in place of all others."""
    zeros = [array_namespace(band).zeros_like(band) for band in bands]
    parts = []
    for group in groups:
        alone = [band if k in group else zeros[k] for k, band in enumerate(bands)]
        call = inverse(structure.pack(alone))
        parts.append(Part(replace(call, data=FLAT), tuple(group), tuple(group)))
    return parts


def listed(components: Any, function: str) -> list[Any]:
    """The items of a list of components."""
    if not isinstance(components, list | tuple) or not components:
        raise CoefficientsError(
            f"expected a list of components as {function} returns them, got "
            + ("[]" if isinstance(components, list | tuple) else type(components).__name__)
        )
    return list(components)


def total(arrays: Iterable[Any]) -> Array:
    """The sum of components of one shape, as a new array.

    Raises
    ------
    ShapeError
        If the shapes differ: each component has the shape of the data.
    """
    first, *rest = every = [as_array(array) for array in arrays]
    common_namespace(every)
    if any(array.shape != first.shape for array in rest):
        shapes = ", ".join(dict.fromkeys(str(tuple(array.shape)) for array in every))
        raise ShapeError(
            f"components of different shapes cannot be added, got {shapes}: each must have the "
            "shape of the data"
        )
    return reduce(add, rest, first) if rest else first + 0
