"""Pullbacks of undecimated transforms that consist of several operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array
from liftwave._kernels.reference.pieces import slice_along
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import Array
from liftwave.errors import ShapeError
from liftwave.transforms import multiresolution_calls, undecimated_calls
from liftwave.transforms.components import Components, Part
from liftwave.transforms.modwt import (
    first_half,
    imodwt,
    imodwt_call,
    is_reflection,
    modwt,
    modwt_call,
    modwt_mra,
    mra_call,
)
from liftwave.transforms.multiresolution import mra, mra2, mran
from liftwave.transforms.undecimated import iswt, iswt2, iswtn, swt, swt2, swtn
from liftwave.transforms.wavelet_gradients import (
    Gradient,
    Pullback,
    transform_vjp,
)

# --- swt ---------------------------------------------------------------------------------------

_SWT: dict[Callable[..., Any], str] = {
    function: function.__name__ for function in (swt, swt2, swtn, iswt, iswt2, iswtn)
}


def _swt_vjp(name: str, arguments: dict[str, Any]) -> tuple[Any, Pullback]:
    """Result and pullback of a function of ``transforms/undecimated.py``."""
    return transform_vjp(getattr(undecimated_calls, name)(**arguments), arguments["wavelet"])


# --- the maximal overlap transform -------------------------------------------------------------


def _modwt_vjp(
    x: Any, wavelet: Any, level: int | None, axis: int, mode: Any
) -> tuple[Any, Pullback]:
    result, back = transform_vjp(modwt_call(x, wavelet, level, axis, mode), wavelet)
    if not is_reflection(mode):
        return result, back
    reflects = normalize_axis(axis, as_array(x).ndim)

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        gradient = back(cotangents, wavelet)
        return Gradient(_unreflected(gradient.data, reflects), gradient.wavelet)

    return result, pullback


def _imodwt_vjp(coeffs: Any, wavelet: Any, axis: int, mode: Any) -> tuple[Any, Pullback]:
    is_reflected = is_reflection(mode)
    signal, back = transform_vjp(imodwt_call(coeffs, wavelet, axis), wavelet)
    if not is_reflected:
        return signal, back
    result, shape = first_half(signal, axis, mode), tuple(signal.shape)

    def pullback(cotangent: Any, wavelet: bool = True) -> Gradient:
        return back(_embedded(cotangent, tuple(result.shape), shape), wavelet)

    return result, pullback


def _unreflected(x: Array, axis: int) -> Array:
    """The transpose of the signal followed by its mirror image."""
    n, xp = x.shape[axis] // 2, array_namespace(x)
    return slice_along(x, axis, 0, 1, n) + xp.flip(slice_along(x, axis, n, 1, n), axis=axis)


def _embedded(cotangent: Any, shape: tuple[int, ...], whole: tuple[int, ...]) -> Any:
    """The transpose of a crop from one shape to another: zeros beyond the ends."""
    if cotangent is None or shape == whole:
        return cotangent
    x = as_array(cotangent)
    if tuple(x.shape) != shape:
        raise ShapeError(
            f"the cotangent of the result has shape {tuple(x.shape)}, the result has {shape}"
        )
    xp = array_namespace(x)
    for axis, n in enumerate(whole):
        if x.shape[axis] < n:
            gap = xp.zeros_like(slice_along(x, axis, 0, 1, 1))
            x = xp.concat([x, *[gap] * (n - x.shape[axis])], axis=axis)
    return x


# --- components --------------------------------------------------------------------------------


def _components_vjp(components: Components, argument: Any) -> tuple[Any, Pullback]:
    """Result and pullback of a multiresolution analysis: of its analysis and each synthesis."""
    bands, back = transform_vjp(components.call, argument)
    parts = components.parts(bands)
    results, backs = zip(*(transform_vjp(part.call, argument) for part in parts), strict=True)
    shapes = [tuple(result.shape) for result in results]

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        arrays = components.unpack(cotangents)
        if len(arrays) != len(parts):
            raise ShapeError(
                f"cotangents of {len(arrays)} components do not fit a result of {len(parts)}: pass "
                "the structure of the result"
            )
        of_bands: list[Any] = [None] * len(bands)
        gradients = []
        for g, part, pull, shape in zip(arrays, parts, backs, shapes, strict=True):
            if g is not None:
                gradient = pull(_embedded(g, components.shape, shape), wavelet)
                gradients.append(gradient.wavelet)
                _place(of_bands, part, gradient.data)
        whole = back(of_bands, wavelet)
        x, axis = whole.data, components.reflected_axis
        data = x if axis is None else _unreflected(x, axis)
        return Gradient(data, reduce(_added, gradients, whole.wavelet))

    return components.pack([components.cropped(result) for result in results]), pullback


def _place(of_bands: list[Any], part: Part, cotangents: Sequence[Any]) -> None:
    for band, place in zip(part.bands, part.places, strict=True):
        of_bands[band] = cotangents[place]


def _added(a: Any, b: Any) -> Any:
    """The sum of two gradients of a wavelet, or of several."""
    if a is None:
        return None
    return list(map(add, a, b)) if isinstance(a, list) else a + b


def _modwt_mra_vjp(**arguments: Any) -> tuple[Any, Pullback]:
    return _components_vjp(mra_call(**arguments), arguments["wavelet"])


def _mra_vjp(name: str, arguments: dict[str, Any]) -> tuple[Any, Pullback]:
    call = getattr(multiresolution_calls, name)
    return _components_vjp(call(**arguments), arguments["wavelet"])


VJPS: dict[Callable[..., Any], Callable[..., tuple[Any, Pullback]]] = {
    **{
        function: lambda _name=name, **arguments: _swt_vjp(_name, arguments)
        for function, name in _SWT.items()
    },
    **{
        function: lambda _name=function.__name__, **arguments: _mra_vjp(_name, arguments)
        for function in (mra, mra2, mran)
    },
    modwt: _modwt_vjp,
    imodwt: _imodwt_vjp,
    modwt_mra: _modwt_mra_vjp,
}
"""The function that returns result and pullback, for each undecimated transform."""
