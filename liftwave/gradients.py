"""Derivatives of the transforms, for optimisation that no framework differentiates."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from liftwave._pullbacks import (
    FilterBankGradient,
    Gradient,
    LiftingGradient,
    Pullback,
    Shared,
    analysis,
    synthesis,
)
from liftwave._pullbacks_1d import (
    fully_separable_analysis,
    fully_separable_synthesis,
    upsampling,
)
from liftwave._pullbacks_pooling import POOLINGS
from liftwave.errors import ArgumentTypeError
from liftwave.pooling._gradient import PoolingGradient
from liftwave.pooling._pullbacks import attention_pullback, down_pullback, up_pullback
from liftwave.pooling.attention import energy_attention
from liftwave.pooling.lifting import lift_down, lift_up
from liftwave.transforms.calls import CALLS, AnalysisCall
from liftwave.transforms.dwt import upcoef
from liftwave.transforms.fully_separable import fswavedecn, fswaverecn

__all__ = [
    "FilterBankGradient",
    "Gradient",
    "LiftingGradient",
    "PoolingGradient",
    "Pullback",
    "vjp",
]

_OWN: dict[Any, Callable[..., tuple[Any, Callable[..., Any]]]] = {
    fswavedecn: fully_separable_analysis,
    fswaverecn: fully_separable_synthesis,
    upcoef: upsampling,
    **POOLINGS,
    lift_down: down_pullback,
    lift_up: up_pullback,
    energy_attention: attention_pullback,
}
"""Functions that are not one analysis or synthesis."""


def vjp(
    function: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> tuple[Any, Callable[..., Any]]:
    r"""A transform's result, and the function that pulls gradients back through it.

    Parameters
    ----------
    function : callable
        One of :func:`dwt`, :func:`idwt`, :func:`dwt2`, :func:`idwt2`, :func:`dwtn`,
        :func:`idwtn`, :func:`wavedec`, :func:`waverec`, :func:`wavedec2`, :func:`waverec2`,
        :func:`wavedecn`, :func:`waverecn`, :func:`fswavedecn`, :func:`fswaverecn`,
        :func:`downcoef`, :func:`upcoef`; or a function of :mod:`liftwave.pooling`.
    *args, **kwargs
        Its arguments, without ``out``.

    Returns
    -------
    result
        What ``function(*args, **kwargs)`` returns.
    pullback : callable
        ``pullback(cotangents, wavelet=True)`` takes the gradient of a real function of the
        result, in the structure of the result, and returns a
        :class:`~liftwave.gradients.Gradient`: that function's gradient in the data
        (``.data``) and in the wavelet's taps and scales (``.wavelet``; ``wavelet=False``
        leaves it out, which is faster). Bands that are ``None`` or left out count as zero.
        That of a pooling function is ``pullback(cotangent)`` and gives a
        :class:`~liftwave.gradients.PoolingGradient`: ``.data``, and ``.parameters`` by name.

    Raises
    ------
    TypeError
        If ``function`` is none of these, if ``out`` is given, or if cotangents are of another
        library.
    ValueError
        As the function does; for integer schemes, which round and have no derivative; if
        cotangents are not of the shapes of the result.

    Notes
    -----
    With the derivative :math:`J` of the result :math:`y`, and cotangents :math:`g`, the
    pullback computes :math:`J^* g`, the gradient of :math:`\mathrm{Re} \langle g, y \rangle`.
    For complex data that is the gradient whose real and imaginary part are the derivatives in
    the real and imaginary part (torch's convention). In the data :math:`J` is the transform
    itself, so that :math:`J^* g` is its true adjoint, which is the inverse for orthonormal
    wavelets under ``"periodization"`` and even lengths only.

    The pullback refers to the data (by filter banks) or to the result (by lifting, which is
    undone step by step: nothing else is stored). Neither should be changed before it is called.

    Examples
    --------
    The predictor that leaves the smallest details, by gradient descent:

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
    bound = _bind(function, args, kwargs)
    if function in _OWN:
        return _OWN[function](**bound)
    call = CALLS[function](**bound)
    shared = Shared(call.plans, bound["wavelet"])
    return analysis(call, shared) if isinstance(call, AnalysisCall) else synthesis(call, shared)


def _bind(function: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    known = [*CALLS, *_OWN]
    if function not in known:
        names = ", ".join(each.__name__ for each in known)
        raise ArgumentTypeError(
            f"vjp differentiates the functions {names}; "
            f"got {getattr(function, '__name__', function)!r}"
        )
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.arguments.pop("out", None) is not None:
        raise ArgumentTypeError(
            f"vjp keeps the result of {function.__name__} for its pullback, and cannot write it to "
            "out=: leave that away"
        )
    return bound.arguments
