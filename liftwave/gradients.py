"""Derivatives of the public functions, for optimisation without automatic differentiation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from liftwave._arrays.convert import (
    as_array,
    common_namespace,
    is_half,
    never_native_half,
    open_array,
)
from liftwave._dispatch import kernels_for
from liftwave._numbers import flag
from liftwave._operations.call import Call
from liftwave._operations.operation import Operation
from liftwave._typing import Array, Rule
from liftwave.continuous.gradients import ScalogramGradient, scalogram_vjp
from liftwave.continuous.transform import scalogram
from liftwave.decomposition.dual_tree import dtcwt, dtcwt_vjp
from liftwave.errors import ArgumentTypeError
from liftwave.packets import calls as packet_calls
from liftwave.packets.arrays import wpdec, wprec
from liftwave.packets.undecimated import swpdec, swprec
from liftwave.pooling.differentiable import CALLS as POOLING_CALLS
from liftwave.pooling.structures import PoolingGradient, PoolingPullback
from liftwave.threshold_gradients import ThresholdGradient, pull_back
from liftwave.thresholding import opened_floats, threshold
from liftwave.transforms import calls, synthesis_calls, undecimated_calls
from liftwave.transforms.dwt import downcoef, dwt, idwt, upcoef
from liftwave.transforms.dwtn import dwt2, dwtn, idwt2, idwtn
from liftwave.transforms.fully_separable import (
    axis_analysis,
    axis_synthesis,
    band_slices,
    checked_arguments,
    fswavedecn,
    fswaverecn,
)
from liftwave.transforms.fully_separable_result import FswavedecnResult
from liftwave.transforms.multilevel import wavedec, wavedec2, wavedecn, waverec, waverec2, waverecn
from liftwave.transforms.undecimated import iswt, iswt2, iswtn, swt, swt2, swtn
from liftwave.transforms.undecimated_pullbacks import VJPS
from liftwave.transforms.wavelet_gradients import (
    FilterBankGradient,
    Gradient,
    LiftingGradient,
    Pullback,
    WaveletArgument,
    as_read,
    checked_cotangent,
    checked_cotangents,
    transform_vjp,
)

__all__ = [
    "FilterBankGradient",
    "Gradient",
    "LiftingGradient",
    "PoolingGradient",
    "Pullback",
    "ScalogramGradient",
    "ThresholdGradient",
    "vjp",
]

TRANSFORM_CALLS: dict[Callable[..., Any], Callable[..., Call]] = {
    dwt: calls.dwt,
    dwt2: calls.dwt2,
    dwtn: calls.dwtn,
    wavedec: calls.wavedec,
    wavedec2: calls.wavedec2,
    wavedecn: calls.wavedecn,
    downcoef: calls.downcoef,
    idwt: synthesis_calls.idwt,
    idwt2: synthesis_calls.idwt2,
    idwtn: synthesis_calls.idwtn,
    waverec: synthesis_calls.waverec,
    waverec2: synthesis_calls.waverec2,
    waverecn: synthesis_calls.waverecn,
    upcoef: calls.upcoef,
    wpdec: packet_calls.wpdec,
    wprec: packet_calls.wprec,
    swpdec: packet_calls.swpdec,
    swprec: packet_calls.swprec,
    swt: undecimated_calls.swt,
    swt2: undecimated_calls.swt2,
    swtn: undecimated_calls.swtn,
    iswt: undecimated_calls.iswt,
    iswt2: undecimated_calls.iswt2,
    iswtn: undecimated_calls.iswtn,
}


def vjp(
    function: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> tuple[Any, Callable[..., Any]]:
    r"""Return the result of a function and its pullback (the vector-Jacobian product).

    Parameters
    ----------
    function : callable
        One of :func:`dwt`, :func:`idwt`, :func:`dwt2`, :func:`idwt2`, :func:`dwtn`,
        :func:`idwtn`, :func:`wavedec`, :func:`waverec`, :func:`wavedec2`, :func:`waverec2`,
        :func:`wavedecn`, :func:`waverecn`, :func:`fswavedecn`, :func:`fswaverecn`,
        :func:`downcoef`, :func:`upcoef`, :func:`wpdec`, :func:`wprec`, :func:`swpdec`,
        :func:`swprec`, :func:`swt`, :func:`iswt`, :func:`swt2`, :func:`iswt2`, :func:`swtn`,
        :func:`iswtn`, :func:`modwt`, :func:`imodwt`, :func:`mra`, :func:`mra2`, :func:`mran`,
        :func:`modwt_mra`, :func:`dtcwt`, :func:`scalogram`, :func:`threshold`; or a function of
        :mod:`liftwave.pooling`.
    *args, **kwargs
        The arguments of ``function``, without ``out``.

    Returns
    -------
    result
        The result of ``function(*args, **kwargs)``.
    pullback : callable
        ``pullback(cotangents, wavelet=True)`` takes the gradient of a real function with respect
        to the result, in the structure of the result. It returns a
        :class:`~liftwave.gradients.Gradient`: the gradient with respect to the data (``.data``)
        and to the taps and scales of the wavelet (``.wavelet``; ``wavelet=False`` omits it, which
        is faster). Bands that are ``None`` or missing count as zero. For a pooling function,
        ``pullback(cotangent)`` returns a :class:`~liftwave.gradients.PoolingGradient`: ``.data``,
        and ``.parameters`` by name. For :func:`threshold` it returns a
        :class:`~liftwave.gradients.ThresholdGradient`: ``.data`` and ``.value``, for
        :func:`scalogram` a :class:`~liftwave.gradients.ScalogramGradient`: ``.data``,
        ``.frequencies``, and ``.wavelet``, a dict of its parameters. For :func:`dtcwt` it takes a
        :class:`DualTree` (such as ``result.map(...)``), and ``.wavelet`` is None.

    Raises
    ------
    TypeError
        If ``function`` is not one of these, if ``out`` is passed, or if cotangents belong to
        another library.
    ValueError
        As the function does; for integer schemes, which round and have no derivative; if the
        shapes of the cotangents differ from those of the result.

    Notes
    -----
    With the derivative :math:`J` of the result :math:`y`, and cotangents :math:`g`, the
    pullback computes :math:`J^* g`, the gradient of :math:`\mathrm{Re} \langle g, y \rangle`.
    The real and imaginary part of a complex gradient are the derivatives with respect to the
    real and imaginary part of the data (torch's convention). With respect to the data,
    :math:`J` is the transform itself, so :math:`J^* g` is its adjoint. The adjoint is the
    inverse only for orthonormal wavelets with ``"periodization"`` and even lengths, or with
    ``"orthogonal"``.

    The pullback uses the data (filter banks) or the result (lifting, whose steps it undoes). No
    other arrays are stored. Do not change these arrays before you call the pullback.

    Examples
    --------
    Gradient descent finds the predictor with the smallest details:

    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.sin(0.1 * np.arange(64))
    >>> taps = np.zeros(2)
    >>> for _ in range(50):
    ...     scheme = lw.LiftingScheme([lw.LiftingStep("predict", taps, 0)])
    ...     (cA, cD), pullback = lw.vjp(lw.dwt, x, scheme, "reflect")
    ...     gradient = pullback((None, cD)).wavelet  # of the sum of cD**2 / 2
    ...     taps = taps - 0.02 * gradient.taps[0]
    >>> taps.round(2).tolist()
    [-0.5, -0.5]
    """
    arguments = _bind(function, args, kwargs)
    if function in POOLING_CALLS:
        return _pooling_vjp(POOLING_CALLS[function](**arguments))
    if function in VJPS:
        return VJPS[function](**arguments)
    if function is threshold:
        return _threshold_vjp(**arguments)
    if function is dtcwt:
        return dtcwt_vjp(**arguments)
    if function is scalogram:
        return scalogram_vjp(**arguments)
    if function is fswavedecn:
        return _fully_separable_analysis_vjp(arguments)
    if function is fswaverecn:
        return _fully_separable_synthesis_vjp(**arguments)
    return transform_vjp(TRANSFORM_CALLS[function](**arguments), arguments["wavelet"])


def _bind(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of a function by name."""
    further = (fswavedecn, fswaverecn, dtcwt, scalogram, threshold)
    functions = dict.fromkeys([*TRANSFORM_CALLS, *VJPS, *further, *POOLING_CALLS])
    if not callable(function) or function not in functions:
        names = ", ".join(candidate.__name__ for candidate in functions)
        raise ArgumentTypeError(
            f"vjp differentiates the functions {names}; "
            f"got {getattr(function, '__name__', function)!r}"
        )
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.arguments.pop("out", None) is not None:
        raise ArgumentTypeError(
            f"vjp cannot write to out=, because the pullback of {function.__name__} needs the "
            "result: do not pass out="
        )
    if function in TRANSFORM_CALLS and bound.arguments.pop("dtype", None) is not None:
        raise ArgumentTypeError(
            f"vjp does not support dtype= of {function.__name__}: it is for integer lifting, which "
            "has no derivative"
        )
    return bound.arguments


# --- fully separable transforms: one axis after the other --------------------------------------


def _fully_separable_analysis_vjp(arguments: dict[str, Any]) -> tuple[Any, Pullback]:
    """Result and pullback of :func:`fswavedecn`."""
    data, plans, depths = checked_arguments(**arguments)
    wavelets = WaveletArgument([plan.wavelet for plan in plans], arguments["wavelet"])
    wavelets.check(data)
    opened = open_array(data)
    coeffs, slices, pullbacks = opened.array, [], []
    for plan, level in zip(plans, depths, strict=True):
        places = band_slices(tuple(coeffs.shape), plan, level)
        call = axis_analysis(coeffs, plan, places)
        coeffs, axis_pullback = transform_vjp(call, plan.wavelet)
        slices.append(places)
        pullbacks.append(axis_pullback)
    shape = tuple(coeffs.shape)

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        is_result = isinstance(cotangents, FswavedecnResult)
        values = cotangents.coeffs if is_result else cotangents
        cotangent = checked_cotangent(values, shape, opened, "the coefficients")
        cotangent, gradients = _pull_back_axes(cotangent, pullbacks, wavelet)
        of_wavelet = (
            wavelets.combine(gradients[::-1], cotangent) if flag(wavelet, "wavelet") else None
        )
        return Gradient(opened.close(cotangent), of_wavelet)

    return FswavedecnResult._of_plans(opened.close(coeffs), slices, plans), pullback


def _fully_separable_synthesis_vjp(fswavedecn_result: FswavedecnResult) -> tuple[Any, Pullback]:
    """Result and pullback of :func:`fswaverecn`."""
    result = FswavedecnResult._of(fswavedecn_result)
    used = [plan.wavelet for plan in result._plans]
    wavelets = WaveletArgument(used, used)
    opened = open_array(result.coeffs)
    wavelets.check(opened.array)
    data, pullbacks = opened.array, []
    for plan, places in reversed(list(zip(result._plans, result.coeff_slices, strict=True))):
        data, axis_pullback = transform_vjp(axis_synthesis(data, plan, places), plan.wavelet)
        pullbacks.append(axis_pullback)
    shape = tuple(data.shape)

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        cotangent = checked_cotangent(cotangents, shape, opened, "the result")
        cotangent, gradients = _pull_back_axes(cotangent, pullbacks, wavelet)
        coeffs = opened.close(cotangent)
        of_wavelet = wavelets.combine(gradients, cotangent) if flag(wavelet, "wavelet") else None
        return Gradient(
            FswavedecnResult._of_plans(coeffs, result.coeff_slices, result._plans), of_wavelet
        )

    return opened.close(data), pullback


def _pull_back_axes(
    cotangent: Array, pullbacks: Sequence[Pullback], wavelet: bool
) -> tuple[Array, list[Any]]:
    """The cotangent of the first input, and the wavelet gradients, from the last stage on."""
    gradients = []
    for pullback in reversed(pullbacks):
        gradient = pullback(cotangent, wavelet)
        cotangent = gradient.data
        gradients.append(gradient.wavelet)
    return cotangent, gradients


# --- pooling -----------------------------------------------------------------------------------


def _pooling_vjp(call: Call) -> tuple[Any, PoolingPullback]:
    """Result and pullback of a pooling function."""
    operation: Operation = call.operation
    opened = operation.open(call.arrays, never_native_half)
    inputs = as_read([x for x, *_ in opened])
    shapes = [tuple(x.shape) for x in inputs]
    results = operation.run(inputs, call.sizes, kernels_for(*inputs))
    exact = not is_half(inputs[0])
    residuals = operation.residuals(shapes, call.sizes, exact=exact, parameters=True)
    if residuals == "outputs":
        in_memory = kernels_for(*inputs).wants_numpy
        if not operation.rebuilds_precisely(inputs, in_memory):
            residuals = "inputs"
    saved = operation.saved(inputs, results, residuals)
    sizes = operation.derivative_sizes(shapes, call.sizes)

    def pullback(cotangents: Any) -> PoolingGradient:
        values = as_read(call.result.unpack(cotangents))
        names = ["the result"] * len(results)
        output_cotangents = checked_cotangents(values, results, opened[0], names)
        if all(g is None for g in output_cotangents):
            output_cotangents[0] = opened[0].xp.zeros_like(results[0])
        kernels = kernels_for(*saved, *(g for g in output_cotangents if g is not None))
        gradients = operation.vjp(output_cotangents, saved, residuals, sizes, kernels)
        gradient: PoolingGradient = call.data.pack(
            [operand.close(g) for operand, g in zip(opened, gradients, strict=False)]
        )
        return gradient

    return call.result.pack(opened[0].close_all(results, operation.data_outputs)), pullback


# --- thresholds ----------------------------------------------------------------------------------


def _threshold_vjp(
    data: Any, value: Any, mode: Rule, substitute: float
) -> tuple[Any, Callable[[Any], ThresholdGradient]]:
    """Result and pullback of :func:`threshold`."""
    result = threshold(data, value, mode, substitute)
    array = as_array(data)
    opened = opened_floats(array, common_namespace([array]))

    def pullback(cotangent: Any) -> ThresholdGradient:
        checked = checked_cotangent(cotangent, tuple(result.shape), opened, "the result")
        gradient = pull_back(checked, opened.array, value, mode)
        return ThresholdGradient(opened.close(gradient.data), gradient.value)

    return result, pullback
