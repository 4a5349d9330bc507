"""Installing from source: with and without a compiler, from a tree and from an sdist.

The tests are slow, and pip downloads the build tools, so they run with ``pytest -m slow`` only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
UNTRACKED = (".git", ".*_cache", ".venv", ".hypothesis", "build", "dist", "__pycache__", "*.so")
# The files and folders of an sdist.
TOP_LEVEL = {
    *("liftwave", "backends", "tests", "docs", "examples", "benchmarks", "tools", "recipe"),
    *(".ci", ".github", ".gitignore", ".pre-commit-config.yaml", "CMakeLists.txt"),
    *("pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "CHANGELOG.md", "CITATION.cff"),
    *("CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md"),
}
QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The tree of a checkout, with an old compiled module in it."""
    copy = tmp_path / "source"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*UNTRACKED))
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    (copy / "liftwave" / f"_cpu{suffix}").write_bytes(b"not for another's wheel")
    return copy


class Environment:
    """A separate virtual environment with this one's packages, but without its liftwave."""

    def __init__(self, where: Path) -> None:
        self.where = where
        run([sys.executable, "-m", "venv", "--without-pip", where])  # pip is visible, too
        self.bin = where / ("Scripts" if os.name == "nt" else "bin")
        (packages,) = where.glob("**/site-packages")
        (packages / "tools.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def python(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the environment."""
        return run([self.bin / "python", *arguments], self.where, variables, check=False)

    def install(self, what: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run pip; the packages that liftwave needs are present."""
        return self.python("-m", "pip", "install", "-v", "--no-deps", what, **variables)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "environment")


def run(
    command: list[object],
    where: Path | None = None,
    variables: Mapping[str, str] | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LIFTWAVE", "PYTHON"))}
    return subprocess.run(
        list(map(str, command)),
        cwd=where,
        env=inherited | QUIET | dict(variables or {}),
        capture_output=True,
        text=True,
        timeout=3600,
        check=check,
    )


# Prints the family of kernels, the number of warnings, and their messages.
USE = """
import warnings
import numpy as np, pywt
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import liftwave as lw
    x = np.random.default_rng(0).standard_normal((30, 41))
    for _ in range(3):
        coeffs = lw.wavedec2(x, "db3", level=2)
        back = lw.waverec2(coeffs, "db3")
for got, wanted in zip(coeffs, pywt.wavedec2(x, "db3", level=2)):
    np.testing.assert_allclose(got, wanted, atol=1e-13)
np.testing.assert_allclose(back[:, :41], x, atol=1e-13)
print(len(caught), *{str(each.message) for each in caught})
lw.show_config()
"""


def used(environment: Environment) -> str:
    """The output of a program that uses the installed package."""
    result = environment.python("-c", USE)
    assert result.returncode == 0, result.stderr
    return result.stdout


# --- without a compiler ------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["a working compiler", "all programs"])
def test_without_a_compiler(missing: str, source: Path, environment: Environment) -> None:
    lacking = {"CXX": "/bin/false"} if "working" in missing else {"PATH": str(environment.bin)}
    installed = environment.install(source, **lacking)
    assert installed.returncode == 0, installed.stderr
    assert "CMake configuration failed - retrying" in installed.stderr
    said = used(environment)
    assert said.startswith("1 liftwave was installed without its compiled kernels")
    assert "kernels           reference\n" in said


def test_kernels_that_are_required_are_built_or_missed(
    source: Path, environment: Environment
) -> None:
    failed = environment.install(source, CXX="/bin/false", LIFTWAVE_BUILD="required")
    assert failed.returncode != 0
    said = failed.stdout + failed.stderr
    assert "C++ compiler" in said
    assert '"/bin/false"' in said
    assert "CMake configuration failed" in said
    assert environment.python("-c", "import liftwave").returncode != 0


def test_without_kernels_on_purpose(source: Path, environment: Environment) -> None:
    installed = environment.install(source, LIFTWAVE_BUILD="reference")
    assert installed.returncode == 0, installed.stderr
    assert "CMake" not in installed.stderr
    assert "kernels           reference\n" in used(environment)


def test_the_wheel_without_kernels_is_for_all_platforms(
    source: Path, environment: Environment, tmp_path: Path
) -> None:
    command = ("-m", "pip", "wheel", "--no-deps", "-w", tmp_path, source)
    made = environment.python(*command, LIFTWAVE_BUILD="reference")
    assert made.returncode == 0, made.stderr
    (wheel,) = tmp_path.glob("liftwave-*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".so", ".pyd"))]


# --- packed files --------------------------------------------------------------------------------


def tracked(source: Path, *folders: str) -> set[str]:
    """The project's files in these folders."""
    files = (path for folder in folders for path in (source / folder).rglob("*") if path.is_file())
    names = (path.relative_to(source) for path in files)
    ignored = ("__pycache__", ".so", ".pyd", "_build", "generated", "docs/gallery/")
    return {n.as_posix() for n in names if not any(part in n.as_posix() for part in ignored)}


def sources() -> set[str]:
    """The paths of the CUDA kernels' sources in the installed package."""
    folder = ROOT / "backends"
    paths = [path for name in ("cuda", "shared") for path in (folder / name).rglob("*.*")]
    return {f"liftwave/_backends/{path.relative_to(folder).as_posix()}" for path in paths}


def has_stable_abi() -> bool:
    """Whether wheels for this Python are also for later ones."""
    return sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED")


def suffix() -> str:
    """The end of the name of the compiled module in wheels."""
    if has_stable_abi():
        return ".pyd" if os.name == "nt" else ".abi3.so"
    return str(sysconfig.get_config_var("EXT_SUFFIX"))


# Prints the folder of the sources, and the number of kernels.
SOURCES = """
from liftwave._kernels.cuda.common.runtime import source_folder, source_text
names = [str(path) for path in source_folder().rglob("*.cuh")]
assert all("#include" not in source_text(name) for name in names)
print(len(names), source_folder())
"""


@pytest.mark.parametrize("how", [[], ["-e"]], ids=["installed", "editable"])
def test_the_sources_of_cuda_kernels_are_found(
    how: list[str], source: Path, environment: Environment
) -> None:
    if how:  # the old module in the tree would be imported
        for module in (source / "liftwave").glob("_cpu.*"):
            module.unlink()
    command = ("-m", "pip", "install", "--no-deps", *how, source)
    made = environment.python(*command, LIFTWAVE_BUILD="reference")
    assert made.returncode == 0, made.stderr
    found = environment.python("-c", SOURCES)
    assert found.returncode == 0, found.stderr
    where = source / "backends" if how else environment.where
    assert found.stdout.startswith(f"{len(list((ROOT / 'backends/cuda').rglob('*.cuh')))} {where}")


def test_the_sdist_builds_what_the_tree_builds(
    source: Path, environment: Environment, tmp_path: Path
) -> None:
    assert environment.python("-m", "pip", "install", "build").returncode == 0
    built = environment.python("-m", "build", "--sdist", "-o", tmp_path, source)
    assert built.returncode == 0, built.stderr
    (sdist,) = tmp_path.glob("liftwave-*.tar.gz")
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    wanted = tracked(source, "liftwave", "backends", "tests", "docs", "examples", "benchmarks")
    wanted |= {"CMakeLists.txt", "pyproject.toml", "README.md", "LICENSE", "PKG-INFO"}
    assert wanted <= packed
    assert not any(name.endswith(".so") or name.startswith(".git/") for name in packed)
    assert {name.partition("/")[0] for name in packed} <= TOP_LEVEL
    assert sdist.stat().st_size < 8e6

    command = ("-m", "pip", "wheel", "--no-deps", "-w", tmp_path, sdist)
    made = environment.python(*command, LIFTWAVE_BUILD="required")
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = tmp_path.glob("liftwave-*.whl")
    assert ("-abi3-" in wheel.name) is has_stable_abi()
    with zipfile.ZipFile(wheel) as archive:
        members = archive.namelist()
    code = {name for name in members if ".dist-info/" not in name}
    assert code == tracked(source, "liftwave") | {f"liftwave/_cpu{suffix()}"} | sources()
    assert any(name.endswith("/LICENSE") for name in members)

    assert environment.install(wheel).returncode == 0
    said = used(environment)
    assert said.startswith("0\n")
    assert "kernels           cpu, reference\n" in said
