"""Fixtures: array libraries, kernels; Hypothesis profiles."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cuda_host import HostKernels, HostRuntime
from families import FAMILIES, family_of
from helpers import Library, libraries
from hypothesis import HealthCheck, settings

import liftwave as lw
from liftwave import _dispatch, _execute
from liftwave._kernels.contract import Kernels
from liftwave._kernels.half_precision import in_float32

# For the tests of the benchmarks. Last, so that the tests import an installed liftwave first.
sys.path.append(str(Path(__file__).parent.parent))

# LIFTWAVE_TEST_KERNELS=cuda-host: tests that choose no kernels use the CUDA kernels, whose sources
# are compiled for the host and run on NumPy arrays and tensors there.
if os.environ.get("LIFTWAVE_TEST_KERNELS") == "cuda-host":
    _reference = in_float32(_dispatch.families()["reference"])
    _registration = _dispatch.registered(HostKernels(HostRuntime(), _reference))
    _registration.__enter__()  # exits when it is garbage-collected
    # For all threads: a value set here would apply to this thread only.
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


@pytest.fixture(autouse=True)
def seed_of_torch() -> None:
    """Every test draws the same random numbers, whichever tests ran before in its process."""
    _seed_torch()


def _seed_torch() -> None:
    with suppress(ImportError):  # the wheels are tested without torch
        import torch

        torch.manual_seed(0)


_seed_torch()  # modules make layers and data when they are imported


@pytest.fixture
def xp(request: pytest.FixtureRequest) -> Library:
    """Each array library in turn."""
    return Library(request.param)


@pytest.fixture
def kernels(request: pytest.FixtureRequest) -> Iterator[Kernels]:
    """Each family of kernels in turn; the public functions use it while the test runs."""
    with lw.kernels(request.param):
        yield _dispatch.families()[request.param]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Any:
    """Each family of compiled kernels in turn, for comparisons with the reference kernels."""
    return family_of(request.param)


# Redundant pairs of a library and kernels: array-api-strict always uses the reference kernels,
# which treat read-only NumPy arrays like all others.
_REPEATED_PAIRS = {("strict", "cpu"), ("numpy-readonly", "reference")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of ``xp`` and ``kernels`` with each library, each family, or each pair of these.

    Without a GPU, CuPy is left out; the skip of one test in test_arrays.py reports this.
    """
    chosen = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    names = [name for name in ("xp", "kernels") if name in {*metafunc.fixturenames} - chosen]
    values = {"xp": libraries(), "kernels": sorted(_dispatch.families())}
    sets = [each for each in product(*map(values.get, names)) if each not in _REPEATED_PAIRS]
    if names:
        marked = [pytest.param(*each, marks=_marks(*each)) for each in sets]
        metafunc.parametrize(names, marked, indirect=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Processes that have no tests left take over tests of others: some tests last seconds."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def _marks(*values: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.gpu] if "cupy" in values else []
