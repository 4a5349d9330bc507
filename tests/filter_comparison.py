"""Filter banks along one axis by compiled kernels, compared with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from families import is_exact, reference

from liftwave._plan.axis import FilterPlan, analysis_plan, synthesis_plan

# Samples along the axis: contiguous, or beside the samples of other lines.
LAYOUTS = ("along", "across")


def numbers(seed: int, *shape: int, dtype: str = "float64") -> Any:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if "complex" in dtype else x).astype(dtype)


def signals(seed: int, n: int, layout: str, dtype: str = "float64") -> Any:
    """Lines of ``n`` samples, axis 1 of (2, n, 17)."""
    x = numbers(seed, 2, n, 17, dtype=dtype)
    return np.ascontiguousarray(x.transpose(0, 2, 1)).transpose(0, 2, 1) if layout == "along" else x


def filters_of(length: int, count: int = 2) -> list[tuple[float, ...]]:
    return [tuple(map(float, numbers(100 + k, length))) for k in range(count)]


def assert_close(found: Any, wanted: Any, length: int, eps: float | None = None) -> None:
    """Equal up to a few roundings per tap; NaN and infinities at the same positions."""
    assert found.shape == wanted.shape
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(np.isfinite(found), finite)
    if not finite.any():
        return
    eps = float(np.finfo(wanted.dtype).eps) if eps is None else eps
    size = np.abs(wanted[finite]).max() + 1
    assert np.abs(found[finite] - wanted[finite]).max() <= 4 * eps * length * size


def terms_of(family: Any, plan: FilterPlan) -> int:
    """The number of rounded terms; none for kernels that are bitwise equal."""
    return 0 if is_exact(family) else plan.length


def check_analysis(
    family: Any, x: Any, filters: Sequence[Any], plan: FilterPlan, axis: int = 1
) -> None:
    found = family.analysis(x, filters, plan, axis)
    wanted = reference.analysis(x, filters, plan, axis)
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == x.dtype
        assert_close(a, b, terms_of(family, plan))


def check_synthesis(
    family: Any, bands: Any, filters: Sequence[Any], plan: FilterPlan, axis: int = 1
) -> None:
    found = family.synthesis(bands, filters, plan, axis)
    assert found.dtype == bands[0].dtype
    wanted = reference.synthesis(bands, filters, plan, axis)
    assert_close(found, wanted, terms_of(family, plan))


def check_gradients(family: Any, x: Any, plan: FilterPlan, layout: str, bands: int = 2) -> None:
    g = [signals(k, plan.n_out, layout, x.dtype.name) for k in range(bands)]
    found = family.tap_gradients(x, g, plan, 1)
    exact = np.complex128 if x.dtype.kind == "c" else np.float64
    wanted = reference.tap_gradients(x.astype(exact), [y.astype(exact) for y in g], plan, 1)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == x.real.dtype
        # Float sums are short; longer sums use double precision.
        assert_close(a, b, 128, float(np.finfo(x.dtype).eps))


def every_plan(n: int, length: int, mode: Any) -> dict[str, FilterPlan]:
    """Analyses and syntheses, also transposed, of signals or bands of ``n`` numbers."""
    analysis = analysis_plan(n, length, mode)
    plans = {"analysis": analysis, "its adjoint": analysis.analysis_adjoint()}
    synthesis = synthesis_plan(n, length, mode)
    if synthesis.n_out > 1:
        plans |= {"synthesis": synthesis, "back": synthesis.synthesis_adjoint()}
        shorter = synthesis.shortened(synthesis.n_out - 1)
        plans |= {"shorter": shorter, "folded back": shorter.synthesis_adjoint()}
    return plans


def check_every(family: Any, n: int, length: int, mode: Any, layout: str) -> None:
    filters = filters_of(length)
    for name, plan in every_plan(n, length, mode).items():
        if name in ("analysis", "back", "folded back"):
            x = signals(n, plan.extend.n, layout)
            check_analysis(family, x, filters, plan)
            check_gradients(family, x, plan, layout)
        else:
            bands = [signals(n + k, plan.extend.n, layout) for k in range(2)]
            check_synthesis(family, bands, filters, plan)


def check_circular(family: Any, plan: FilterPlan, layout: str, dtype: str = "float64") -> None:
    """Analysis, synthesis of two bands and of one, and gradients, of ``plan.n_out`` samples."""
    n, filters = plan.n_out, filters_of(plan.length)
    x, *bands = (signals(n + k, n, layout, dtype) for k in range(3))
    rounded = 0 if is_exact(family) else plan.length
    found = family.analysis(x, filters, plan, 1)
    for a, b in zip(found, reference.analysis(x, filters, plan, 1), strict=True):
        assert a.dtype == x.dtype
        assert_close(a, b, rounded)
    for count in (1, 2):
        of_some = bands[:count], filters[:count], plan, 1
        found = family.synthesis(*of_some)
        assert found.dtype == x.dtype
        assert_close(found, reference.synthesis(*of_some), rounded)
    wide = [y.astype(np.complex128 if x.dtype.kind == "c" else np.float64) for y in (x, *bands)]
    wanted = reference.tap_gradients(wide[0], wide[1:], plan, 1)
    for a, b in zip(family.tap_gradients(x, bands, plan, 1), wanted, strict=True):
        assert a.dtype == x.real.dtype
        assert_close(a, b, 128, float(np.finfo(x.dtype).eps))
