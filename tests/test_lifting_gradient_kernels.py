"""The derivative of lifting by compiled kernels equals the reference, for all families of kernels.

Values and cotangents of the CPU kernels are bitwise equal. They sum gradients in double precision,
so gradients agree within the rounding of the reference.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from families import cases, is_exact
from helpers import paired, shared
from lifting_cases import FLOATS, LAYOUTS, LENGTHS, SCHEMES, scheme_of
from lifting_gradient_cases import compare, liftings

from liftwave._plan.boundary import LIFTING_MODES

# CUDA kernels run slowly on the host.
FEW_SCHEMES = ["haar", "cdf9.7", "db4", "db10", "custom 1", "custom 4"]
FEW_LENGTHS = (1, 2, 3, 4, 5, 8, 13, 30)


@pytest.mark.parametrize(
    ("family", "name", "mode"),
    paired(cases(SCHEMES, FEW_SCHEMES), LIFTING_MODES, 2),
    indirect=["family"],
)
def test_every_short_length(family: Any, name: str, mode: str) -> None:
    lengths = (*LENGTHS[:20], *LENGTHS[31:36], LENGTHS[-1]) if is_exact(family) else FEW_LENGTHS
    for n in shared(lengths, LIFTING_MODES.index(mode)) if is_exact(family) else lengths:
        for is_analysis, lift in liftings(scheme_of(name), n, mode):
            compare(family, lift, is_analysis, (n,), 0, "float64")
            if not is_exact(family):
                compare(family, lift, is_analysis, (n, 3), 0, "float64")


CASES = [
    *product(["cpu"], LAYOUTS, FLOATS),
    *(("cuda", key, "float64") for key in LAYOUTS if key not in ("many columns", "empty")),
    ("cuda", "rows", "complex64"),
]


@pytest.mark.parametrize(("family", "layout", "dtype"), CASES, indirect=["family"])
def test_axes_and_strides(family: Any, layout: str, dtype: str) -> None:
    shape, axis, view = LAYOUTS[layout]
    modes = LIFTING_MODES if dtype == "float64" else ("symmetric", "periodization")
    number = [*LAYOUTS].index(layout) + FLOATS.index(dtype)  # a scheme for each layout and dtype
    each = [*product([("cdf9.7", "rbio3.3", "custom 1")[number % 3]], modes, (1, 2, 7, 30))]
    if not is_exact(family):
        each = [("cdf9.7", "reflect", 14), ("db4", "zero", 22)]
    for name, mode, n in each:
        for is_analysis, lift in liftings(scheme_of(name), n, mode):
            compare(family, lift, is_analysis, shape(n), axis, dtype, view)
