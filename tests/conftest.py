"""Fixtures: array libraries, kernels; Hypothesis profiles."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import pytest
from cuda_host import HostKernels, HostRuntime
from helpers import Library, libraries
from hypothesis import HealthCheck, settings

import liftwave as lw
from liftwave import _dispatch, _execute
from liftwave._kernels.contract import Kernels
from liftwave._kernels.half_precision import in_float32

# The benchmarks are tested, too; behind whatever is installed, which the tests are of.
sys.path.append(str(Path(__file__).parent.parent))

# LIFTWAVE_TEST_KERNELS=cuda-host: every test that chooses no kernels itself has those for CUDA
# devices, whose sources are compiled for the host and run on arrays of NumPy and tensors there.
if os.environ.get("LIFTWAVE_TEST_KERNELS") == "cuda-host":
    _reference = in_float32(_dispatch.families()["reference"])
    _registration = _dispatch.registered(HostKernels(HostRuntime(), _reference))
    _registration.__enter__()  # it ends when it is collected
    # In all threads: a value set here would be that of this thread alone.
    _dispatch.CHOICE = _execute.CHOICE = ContextVar("liftwave_kernels", default="cuda")

# The fixtures choose a library or kernels and do not depend on the drawn examples.
_SHARED_FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=_SHARED_FIXTURES,
)
settings.register_profile(
    "nightly", deadline=None, max_examples=3000, suppress_health_check=_SHARED_FIXTURES
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def _library_params() -> list[object]:
    """Without a GPU, CuPy is no parameter: one test in test_arrays.py says so by its skip."""
    gpu = pytest.mark.gpu
    return [pytest.param(name, marks=gpu if name == "cupy" else ()) for name in libraries()]


@pytest.fixture(params=_library_params())
def xp(request: pytest.FixtureRequest) -> Library:
    """Each array library in turn."""
    return Library(request.param)


@pytest.fixture(params=sorted(_dispatch.families()))
def kernels(request: pytest.FixtureRequest) -> Iterator[Kernels]:
    """Each family of kernels in turn; the public functions use it while the test runs."""
    with lw.kernels(request.param):
        yield _dispatch.families()[request.param]
