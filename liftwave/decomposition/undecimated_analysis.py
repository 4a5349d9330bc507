"""The function that transforms data to an :class:`Undecimated` object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._arrays.convert import as_array
from liftwave._execute import execute
from liftwave._operations.call import Call
from liftwave._operations.plan_transforms import analysis
from liftwave._plan.arguments import natural_level, useful_level
from liftwave._plan.axes import AxisPlans
from liftwave._typing import Array, ArrayLike, Modes
from liftwave.decomposition.undecimated_bands import Undecimated
from liftwave.decomposition.undecimated_plans import Kind, undecimated_plans
from liftwave.errors import ShapeError
from liftwave.transforms.modwt import Edges, reflected
from liftwave.transforms.structures import dict_list
from liftwave.transforms.undecimated_calls import warn_of_norm
from liftwave.wavelets.resolve import Wavelets


def undecimated(
    x: ArrayLike,
    wavelet: Wavelets,
    level: int | None = None,
    mode: Modes | Edges | None = None,
    axes: Sequence[int] | int | None = None,
    *,
    transform: Kind = "swt",
    norm: bool = False,
) -> Undecimated:
    """Multilevel transform without downsampling, as an object that can reconstruct the data.

    Parameters
    ----------
    x : array_like
        Data of at least one dimension and of any lengths (see :func:`dwt` for libraries and
        dtypes).
    wavelet : wavelet, or sequence of wavelets
        As for :func:`swtn`; one, or one per axis. A :class:`LiftingScheme` runs its steps on the
        whole grid (``"swt"`` only).
    level : int, optional
        Number of levels; by default :func:`dwtn_max_level` of the axes with more than one sample.
    mode : str, optional
        The boundary mode. A lifting scheme has those of lifting (default ``"periodization"``).
        Filter banks are periodic. ``"modwt"`` has ``"periodic"`` (the default) and
        ``"reflection"``, whose bands have twice the samples (see :func:`modwt`).
    axes : int or sequence of int, optional
        The axes to transform, each once; all by default.
    transform : {"swt", "modwt"}
        The bands of :func:`swtn`, or those of the maximal overlap transform (:func:`modwt`).
    norm : bool, optional
        Whether ``"swt"`` divides the filters by the square root of 2. ``"modwt"`` always does.

    Returns
    -------
    Undecimated
        The bands.

    Raises
    ------
    ValueError, TypeError
        As for :func:`swtn` and :func:`modwt`; also if ``transform`` is not one of these.

    Warns
    -----
    NormWarning
        If ``norm`` is set and a wavelet is not orthogonal.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.cos(0.2 * np.arange(101.0))
    >>> u = lw.undecimated(x, "sym4", level=3, transform="modwt")
    >>> all(np.array_equal(a, b) for a, b in zip(u.values(), lw.modwt(x, "sym4", 3)))
    True
    >>> clean = u.threshold(0.1).reconstruct()
    >>> clean.shape
    (101,)
    """
    array = as_array(x)
    if array.ndim < 1:
        raise ShapeError("expected data of at least one dimension, got a 0-d array")
    shape = tuple(array.shape)
    plans = undecimated_plans(wavelet, transform, mode, axes, shape, norm)
    longer = [plan for plan in plans if shape[plan.axis] != 1]
    depth = (
        useful_level([shape[p.axis] for p in longer], [p.wavelet for p in longer])
        if level is None
        else natural_level(level)
    )
    normalized = transform == "modwt" or norm
    if transform == "swt":
        warn_of_norm(wavelet, norm)
    approx, details = _analysed(array, plans, depth, mode)
    return Undecimated(approx, details, shape, array.dtype, plans, transform, normalized)


def _analysed(
    x: Array, plans: AxisPlans, level: int, mode: Any
) -> tuple[Array, tuple[dict[str, Array], ...]]:
    """The approximation of the last level, and the details of all levels."""
    structure = dict_list(len(plans))
    for plan in plans if mode == "reflection" else ():
        x = reflected(x, plan.axis)
    approx, *details = execute(Call(analysis(plans, x.ndim, level), (x,), structure))
    return approx, tuple(details)
