"""Kernels: the few functions that touch samples.

Every family of kernels (the reference, and compiled ones) is a module with the
functions of :class:`Kernels`. They get validated plans and never decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from liftwave._levels import AnalysisLevel, SynthesisLevel
from liftwave._plan import FilterPlan, LiftPlan
from liftwave._taps import Taps
from liftwave._typing import Array


class LiftPullback(NamedTuple):
    """What :meth:`AxisKernels.lift_vjp` gives back.

    Attributes
    ----------
    inputs : list of array
        What went in, rebuilt: the signal, or approximation and detail.
    cotangents : list of array
        Those of the inputs.
    taps : list of array
        The gradient in the taps of each step, of shape (length,), in the order of the plan.
    scale : (array, array)
        The gradients in the two factors, of shape ().
    """

    inputs: list[Array]
    cotangents: list[Array]
    taps: list[Array]
    scale: tuple[Array, Array]


class AxisKernels(Protocol):
    """Transforms along one axis."""

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """One band per filter: filtered, and every second sample kept."""
        ...

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """The sum over bands, each upsampled by two and filtered."""
        ...

    def lift_analysis(
        self, x: Array, plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Split, step, scale, roll: approximation and detail."""
        ...

    def lift_synthesis(
        self,
        approx: Array,
        detail: Array,
        plan: LiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> Array:
        """Roll back, scale, step, merge."""
        ...

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        r"""The gradient of an analysis in its taps, one array of shape (length,) per cotangent.

        For :math:`y = \mathtt{analysis}(x, f)` and a cotangent :math:`g` of :math:`y` it is that
        of :math:`\mathrm{Re}\langle g, y\rangle` in :math:`f`, with the precision of ``x``:

        .. math:: G_j = \sum_k \mathrm{Re}(\overline{\tilde x_{2k+\mathtt{phase}-j}}\, \tilde g_k)

        summed over all other axes too, where the first tilde is ``plan.extend`` and the second
        ``plan.fold``, which extends cotangents as far as it folds outputs.
        """
        ...

    def lift_vjp(
        self,
        outputs: Sequence[Array],
        cotangents: Sequence[Array],
        plan: LiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> LiftPullback:
        """The derivative of lifting, transposed, from what lifting returned.

        Two outputs are those of :meth:`lift_analysis`, one is that of :meth:`lift_synthesis`,
        called with the same plan, taps and scale; cotangents are of the outputs' shapes and
        dtype. Values are rebuilt step by step, last step first, so that a synthesis must not have
        dropped any (its plan's ``edge`` has no rows).
        """
        ...


class Kernels(AxisKernels, Protocol):
    """What a family of kernels offers: one axis, and all axes and levels at once."""

    name: str

    def analyse(
        self, x: Array, levels: Sequence[AnalysisLevel], dtype: Any = None
    ) -> tuple[Array, list[dict[str, Array]]]:
        """Approximation, and the details of each level, finest first.

        Computed and given in ``dtype``, where that is wider than that of ``x``.
        """
        ...

    def synthesise(
        self,
        approx: Array | None,
        details: Sequence[Mapping[str, Array]],
        levels: Sequence[SynthesisLevel],
        out: Array | None = None,
    ) -> Array:
        """The array with this approximation and these details, coarsest first.

        It may be written to ``out``, an array of its shape, and is that array then.
        """
        ...
