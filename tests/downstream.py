"""Runs the wavelet tests of seven libraries with liftwave in PyWavelets' place.

    python tests/downstream.py              all of them
    python tests/downstream.py pylops odl   some of them

Installs liftwave from this checkout, and the libraries in fixed versions, in a temporary virtual
environment. Runs the tests of each library without and with ``tests/pywt_shim.py``. Exits with 1
if a test that passes without the shim does not pass with it. A library that cannot be installed,
or none of whose tests passes without the shim, is reported by name and does not fail the run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

TESTS = Path(__file__).resolve().parent

# ODL needs NumPy 2.3, and its plugin does not load in pytest 9.1. sigpy fails with NumPy 2.4.
PINS = (
    "numpy==2.3.5",
    "scipy==1.17.1",
    "torch==2.13.0",
    "PyWavelets==1.9.0",
    "pytest==9.0.2",
    "setuptools==80.10.2",  # pytorch_wavelets imports pkg_resources, which later versions lack
)


@dataclass(frozen=True)
class Suite:
    """The wavelet tests of a library.

    ``source`` is the release whose source distribution holds the ``folder`` of tests. Without
    one, the installed library holds its tests.
    """

    name: str
    version: str
    options: tuple[str, ...]
    source: str = ""
    folder: str = "tests"
    extras: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


# Thousands of combinations, which take an hour. The other tests of ptwt cover the same functions.
PTWT_GRIDS = (
    "sparse_math or test_1d_packets or test_2d_packets or test_boundary_matrix_packets2 or "
    "test_boundary_matrix_fwt_2d or test_2d_wavedec_rec or test_conv_fwt1d or "
    "test_1d_matrix_fwt_ifwt or test_waverec3"
)

SUITES = (
    Suite("pylops", "2.8.0", ("pytests/test_dwts.py",), "pylops==2.8.0", "pytests"),
    Suite(
        "scikit-image",
        "0.25.2",
        (
            "--pyargs",
            "skimage.restoration.tests.test_denoise",
            "skimage.restoration.tests.test_j_invariant",
            "-k",
            "wavelet or cycle or invariant or calibrate",
        ),
        extras=("dask[array]==2026.8.0", "pooch==1.9.0"),
    ),
    Suite(
        "sigpy",
        "0.1.27",  # its source distribution lacks the tests, and 0.1.26 needs NumPy 1
        ("tests/test_wavelet.py", "tests/test_linop.py", "tests/mri/test_app.py", "-k", "avelet"),
        "sigpy==0.1.26",
    ),
    Suite("ptwt", "1.0.1", ("tests", "-k", f"not ({PTWT_GRIDS})"), "ptwt==1.0.1"),
    Suite(
        "pytorch_wavelets",
        "1.3.0",
        ("tests/test_dwt.py", "tests/test_dwt1d.py", "tests/test_dwt_grad.py"),
        "pytorch_wavelets==1.3.0",
        extras=("py3nvml==0.2.7",),
    ),
    # Later source distributions lack files of the tests.
    Suite(
        "ImageHash", "4.3.2", ("tests/test_whash.py",), "ImageHash==4.2.1", extras=("six==1.17.0",)
    ),
    Suite(
        "odl",
        "1.0.0",
        (
            "-p",
            "odl.core.util.pytest_config",
            "--pyargs",
            "odl.test.trafos.wavelet_test",
            "odl.test.trafos.backends.pywt_bindings_test",
        ),
    ),
)


class Environment:
    """A virtual environment with liftwave and the packages that all suites need."""

    def __init__(self, where: Path) -> None:
        self.where = where
        subprocess.run([sys.executable, "-m", "venv", where / "venv"], check=True)
        self.python = where / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        self.pins = where / "pins.txt"
        self.pins.write_text("\n".join(PINS))
        self.shim = where / "shim"
        self.shim.mkdir()
        shutil.copy(TESTS / "pywt_shim.py", self.shim / "sitecustomize.py")

    def prepare(self) -> None:
        """Install liftwave, and check that the shim replaces PyWavelets."""
        self.install(*PINS)
        # Its own build folder: that of the checkout may belong to an editable installation.
        self.install("-C", f"build-dir={self.where / 'build'}", str(TESTS.parent))
        code = "import liftwave, pywt; assert pywt.dwt is liftwave.dwt"
        self.run("-c", code, shim=True).check_returncode()

    def install(self, *packages: str) -> None:
        """Install packages, none of which changes the pinned ones."""
        self.run("-m", "pip", "install", "-q", "-c", self.pins, *packages).check_returncode()

    def run(
        self, *arguments: object, shim: bool = False, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run Python outside the checkout, so that it imports the installed liftwave."""
        variables = {
            **os.environ,
            "MPLBACKEND": "Agg",
            # ODL's plugin imports torch, which breaks tests of scikit-image.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(self.shim) if shim else "",
        }
        command = [str(self.python), *map(str, arguments)]
        return subprocess.run(command, cwd=cwd or self.where, env=variables, check=False)

    def tests(self, suite: Suite) -> Path:
        """Return a folder that holds the tests, but not the library's sources."""
        folder = self.where / suite.name
        folder.mkdir()
        shutil.copy(TESTS / "downstream_pictures.py", folder / "conftest.py")
        if suite.source:
            download = ("-m", "pip", "download", "-q", "--no-deps", "--no-binary", suite.name)
            self.run(*download, "-d", folder, suite.source).check_returncode()
            (archive,) = folder.glob("*.tar.gz")
            _extract(archive, suite.folder, folder)
        return folder

    def outcomes(self, suite: Suite, folder: Path, shim: bool) -> dict[str, bool]:
        """Run the tests of a library and return by name which of them pass."""
        report = folder / f"report-{shim}.xml"
        options = ("-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={report}")
        self.run("-m", "pytest", *options, *suite.options, shim=shim, cwd=folder)
        return _outcomes(report) if report.exists() else {}


def _extract(archive: Path, inner: str, folder: Path) -> None:
    """Extract one top folder of a source distribution."""
    with tarfile.open(archive) as sources:
        for member in sources.getmembers():
            member.name = member.name.partition("/")[2]
            if member.name.startswith(f"{inner}/"):
                sources.extract(member, folder, filter="data")


def _outcomes(report: Path) -> dict[str, bool]:
    """The tests that pass, with all their subtests. Subtests have separate elements."""
    outcomes: dict[str, bool] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        passed = not {"failure", "error", "skipped"} & {child.tag for child in case}
        outcomes[name] = passed and outcomes.get(name, True)
    return outcomes


def compare(suite: Suite, environment: Environment) -> tuple[str, bool]:
    """Return a line about a library, and whether its tests fail because of the shim."""
    try:
        environment.install(suite.requirement, *suite.extras)
        folder = environment.tests(suite)
    except subprocess.CalledProcessError as error:
        return f"{suite.requirement}: NOT TESTED, cannot be installed: {error}", False
    without = environment.outcomes(suite, folder, shim=False)
    passed = [name for name in without if without[name]]
    if not passed:
        return f"{suite.requirement}: NOT TESTED, no test passes with PyWavelets either", False
    with_shim = environment.outcomes(suite, folder, shim=True)
    lost = [name for name in passed if not with_shim.get(name, False)]
    line = f"{suite.requirement}: {len(passed)} of {len(without)} tests pass with PyWavelets"
    return "\n    ".join([f"{line}, {len(lost)} of these fail with liftwave", *lost]), bool(lost)


def main(arguments: Sequence[str] | None = None) -> int:
    """Test the named libraries, or all."""
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help=f"libraries to test: {', '.join(names)} (all)")
    chosen = parser.parse_args(arguments).names or names
    if unknown := set(chosen) - set(names):
        parser.error(f"unknown libraries: {', '.join(sorted(unknown))}. Use {', '.join(names)}")
    with tempfile.TemporaryDirectory() as where:
        environment = Environment(Path(where))
        environment.prepare()
        results = [compare(suite, environment) for suite in SUITES if suite.name in chosen]
    print("\n=== Tests of other libraries", *(line for line, _ in results), sep="\n")
    untested = all("NOT TESTED" in line for line, _ in results)
    return int(untested or any(failed for _, failed in results))


if __name__ == "__main__":
    sys.exit(main())
