"""The compiled kernels stay inside of their arrays: these lie between inaccessible pages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's mmap")

CALLS = Path(__file__).with_name("guard_calls.py")


def run(place: str, size: str, isa: str) -> subprocess.CompletedProcess[str]:
    """The process of the calls on an instruction set."""
    environment = os.environ | {
        "LIFTWAVE_ISA": isa,
        "LIFTWAVE_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", str(CALLS), place, size],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def check(place: str, size: str, isa: str) -> None:
    child = run(place, size, isa)
    assert child.returncode == 0, f"{place}, {isa}: {child.returncode}\n{child.stderr[-4000:]}"
    assert (child.stdout, child.stderr) == ("done\n", "")


@pytest.mark.parametrize(
    ("place", "kind"),
    [("start", "read"), ("end", "read"), ("end", "write beyond"), ("end", "write")],
)
def test_a_wrong_access_of_a_kernel_ends_the_process(place: str, kind: str) -> None:
    child = run(place, kind, _cpu.isa())
    assert child.returncode == -signal.SIGSEGV, child.stderr


def test_some_calls_stay_inside_of_their_arrays() -> None:
    check("end", "few", _cpu.isa())


@pytest.mark.slow
@pytest.mark.parametrize("isa", _cpu.available_isas())
@pytest.mark.parametrize("place", ["start", "end"])
def test_calls_of_all_lengths_stay_inside_of_their_arrays(place: str, isa: str) -> None:
    check(place, "all", isa)
