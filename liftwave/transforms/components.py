"""Components of a multiresolution analysis: the inverse transform of each band alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array
from liftwave._execute import execute
from liftwave._operations.call import SINGLE, Call
from liftwave._operations.planned_transform import detail_keys
from liftwave._operations.transform import partial_synthesis
from liftwave._plan.axes import AxisPlans
from liftwave._typing import Array
from liftwave.errors import CoefficientsError
from liftwave.transforms.structures import Bands


def of_undecimated(call: Call, plans: AxisPlans, pack: Callable[[Bands], Any]) -> list[Any]:
    """The components of the bands of an analysis without downsampling."""
    result: list[Any] = pack(components(call, plans))
    return result


def components(call: Call, plans: AxisPlans) -> list[Array]:
    """The synthesis of each band of an analysis: from the band's level on, and of it alone."""
    return components_of_bands(execute(Call(call.operation, call.arrays, _Flat())), plans)


def components_of_bands(bands: Sequence[Array], plans: AxisPlans) -> list[Array]:
    """The synthesis of each band alone: the approximation, then details, coarsest level first."""
    smooth, *details = bands
    ndim, keys = smooth.ndim, detail_keys(len(plans))
    level = len(details) // len(keys)
    if not level:
        return [smooth]
    results = [_synthesised(smooth, plans, ndim, ((),) * level, True)]
    for index, band in enumerate(details):
        depth = level - index // len(keys)
        of_band = ((keys[index % len(keys)],), *((),) * (depth - 1))
        results.append(_synthesised(band, plans, ndim, of_band, False))
    return results


def _synthesised(band: Array, plans: AxisPlans, ndim: int, keys: Any, has_approx: bool) -> Array:
    synthesis = partial_synthesis(plans, ndim, keys, has_approx, trim_odd=False)
    return execute(Call(synthesis, (band,), SINGLE))


class _Flat:
    """Bands in a list."""

    def pack(self, arrays: Bands) -> list[Array | None]:
        """The list."""
        return list(arrays)

    def unpack(self, value: Any) -> Bands:
        """The bands."""
        bands: Bands = value
        return bands


def of_decimated(x: Array, bands: Any, inverse: Callable[[Any], Call], structure: Any) -> list[Any]:
    """The inverse of each band, with zeros in place of all others."""
    flat = structure.unpack(bands)
    zeros = [array_namespace(band).zeros_like(band) for band in flat]
    box = tuple(slice(n) for n in x.shape)
    results = []
    for k, band in enumerate(flat):
        alone = [*zeros[:k], band, *zeros[k + 1 :]]
        results.append(execute(inverse(structure.pack(alone)))[box])
    result: list[Any] = structure.pack(results)
    return result


def listed(components: Any, function: str) -> list[Any]:
    """The items of a list of components."""
    if not isinstance(components, list | tuple) or not components:
        raise CoefficientsError(
            f"expected a list of components as {function} returns them, got "
            + ("[]" if isinstance(components, list | tuple) else type(components).__name__)
        )
    return list(components)


def total(arrays: Iterable[Any]) -> Array:
    """The sum, as a new array."""
    first, *others = map(as_array, arrays)
    return reduce(add, others, first) if others else first + 0
