"""Pullbacks of pooling: what :func:`liftwave.vjp` gives back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import Opened, is_half, zeros
from liftwave._dispatch import kernels_for
from liftwave._plan.lift_pool import OWN, band_names
from liftwave._pullbacks import checked_cotangent
from liftwave._typing import Array
from liftwave.errors import BandError, ShapeError
from liftwave.pooling._gradient import PoolingGradient, PoolingPullback
from liftwave.pooling.attention import attention_call
from liftwave.pooling.lifting import (
    DownCall,
    LiftFilters,
    LiftPenalties,
    down_call,
    reduced_vjp,
    up_call,
)


def down_pullback(
    x: Any,
    filters: Any,
    output: str,
    bands: Any,
    padding: str,
    dimensions: int,
    penalties: str | None,
) -> tuple[Any, PoolingPullback]:
    """Result and pullback of :func:`lift_down`."""
    call = down_call(x, filters, output, bands, padding, dimensions, penalties)
    given, sums = call.run()
    from_outputs = call.output.holds_all(dimensions) and not is_half(call.x)
    kept = given if from_outputs else [call.x]
    opened, shape = call.opened, tuple(call.opened.array.shape)

    def pullback(cotangents: Any) -> PoolingGradient:
        of_result, of_penalties = cotangents, None
        if call.reduction is not None:
            of_result, of_penalties = _pair(cotangents)
        pulled = _of_bands(of_result, call, given)
        of_sums = _of_sums(of_penalties, call, sums)
        present = [g for g in pulled if g is not None]
        kernels = kernels_for(*kept, *present, call.filters)
        data, of_filters = kernels.lift_pool.lift_down_vjp(
            *(kept, pulled, of_sums, call.filters, call.plan, call.output, from_outputs)
        )
        data = opened.close(opened.xp.reshape(data, shape))
        return PoolingGradient(data, {"filters": _unpacked(of_filters, filters)})

    return call.packed(given, sums), pullback


def up_pullback(
    bands: Any, filters: Any, output_size: Any, padding: str, dimensions: int
) -> tuple[Any, PoolingPullback]:
    """Result and pullback of :func:`lift_up`."""
    call = up_call(bands, filters, output_size, padding, dimensions)
    x = call.run()
    result = call.packed(x)
    from_outputs = call.plan.is_even and not is_half(x)
    kept = [x] if from_outputs else call.bands

    def pullback(cotangents: Any) -> PoolingGradient:
        given = checked_cotangent(cotangents, tuple(result.shape), call.opened, "the result")
        given = call.opened.xp.reshape(given, tuple(x.shape))
        kernels = kernels_for(*kept, given, call.filters)
        found, of_filters = kernels.lift_pool.lift_up_vjp(
            kept, given, call.filters, call.plan, from_outputs
        )
        arrays = [
            call.opened.close(call.opened.xp.reshape(g, (*call.lead, *g.shape[1:]))) for g in found
        ]
        data: Any = [g if there else None for g, there in zip(arrays, call.given, strict=True)]
        if isinstance(bands, Mapping):
            data = dict(zip(band_names(dimensions), data, strict=True))
            data = {name: data[name] for name in bands}
        return PoolingGradient(data, {"filters": _unpacked(of_filters, filters)})

    return result, pullback


def attention_pullback(
    x: Any,
    squeeze: Any,
    excite: Any,
    mean: Any,
    variance: Any,
    dimensions: int,
    normalize: bool,
    epsilon: float,
) -> tuple[Any, PoolingPullback]:
    """Result and pullback of :func:`energy_attention`; mean and variance are constants."""
    call = attention_call(x, squeeze, excite, mean, variance, dimensions, normalize, epsilon)
    opened = call.opened

    def pullback(cotangents: Any) -> PoolingGradient:
        given = checked_cotangent(cotangents, tuple(opened.array.shape), opened, "the result")
        data, layers = call.pull_back(given)
        found = {"squeeze": tuple(layers[:2]), "excite": tuple(layers[2:])}
        return PoolingGradient(opened.close(data), found)

    return opened.close(call.run().result), pullback


def _pair(cotangents: Any) -> tuple[Any, Any]:
    if not isinstance(cotangents, list | tuple) or len(cotangents) != 2:
        raise ShapeError(
            "cotangents are of the result's structure, a pair (bands, penalties); "
            f"got {type(cotangents).__name__}"
        )
    return cotangents[0], cotangents[1]


def _of_bands(given: Any, call: DownCall, like: list[Array]) -> list[Array | None]:
    """Cotangents in the shapes of the kernels' results; None is zero."""
    parts: list[Any] = [given]
    if call.output.form == "bands" and not call.single:
        by_name = {} if given is None else given
        if not isinstance(by_name, Mapping):
            raise ShapeError(f"cotangents are a dict by band, got {type(given).__name__}")
        if unknown := [name for name in by_name if name not in call.names]:
            raise BandError(f"no band {unknown[0]!r} in the result: {', '.join(call.names)}")
        parts = [by_name.get(name) for name in call.names]
    found = []
    for part, band in zip(parts, like, strict=True):
        if part is not None:
            shape = (*call.lead, *band.shape[1:])
            part = checked_cotangent(part, shape, call.opened, "the result")
            part = call.opened.xp.reshape(part, tuple(band.shape))
        found.append(part)
    return found


def _of_sums(given: Any, call: DownCall, sums: Array | None) -> Array | None:
    if given is None or sums is None or call.reduction is None:
        return None
    opened: Opened = call.opened
    pair = [
        zeros((), sums, opened.xp) if g is None else checked_cotangent(g, (), opened, "a penalty")
        for g in LiftPenalties(*given)
    ]
    counts = call.plan.counts(call.x.shape[0] * call.x.shape[1])
    return reduced_vjp(sums, counts, call.reduction, pair)


def _unpacked(packed: Array, filters: Any) -> LiftFilters:
    """The gradient in the structure and the dtypes of the filters."""
    kernel = packed.shape[-1] - OWN
    parts = [packed[..., :kernel], *(packed[..., kernel + k] for k in range(OWN))]
    xp = array_namespace(packed)
    return LiftFilters(
        *(xp.astype(part, f.dtype, copy=False) for part, f in zip(parts, filters, strict=True))
    )
