"""A source tree without compiled kernels that hides an installation says so when it is imported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import liftwave as lw

PACKAGE = Path(lw.__file__).parent
# Without other installations of this environment, and without the hook of an editable one.
CLEAN = (
    "import sys, pathlib; "
    "sys.meta_path = [f for f in sys.meta_path if 'editable' not in type(f).__module__]; "
    "sys.path = [p for p in sys.path if p in ('', {!r}) or pathlib.Path(p, 'numpy').exists() "
    "or not pathlib.Path(p, 'liftwave').exists()]\n"
)
CODE = "\nimport liftwave as lw\nlw.dwt([1.0, 2.0], 'haar')\nprint(lw.__file__)"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree that was never compiled."""
    copy = tmp_path / "tree"
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    shutil.copytree(PACKAGE, copy / "liftwave", ignore=ignored)
    return copy


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An installation with a compiled module (which must not be loaded from the tree)."""
    package = tmp_path / "site" / "liftwave"
    package.mkdir(parents=True)
    (package / f"_cpu{EXTENSION_SUFFIXES[0]}").write_bytes(b"compiled")
    return package.parent


def run(where: Path, path: list[Path], code: str = CODE, **variables: str) -> list[str]:
    """The lines of warnings, and the output, of a fresh interpreter in a folder."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LIFTWAVE", "PYTHON"))}
    environment = inherited | {"PYTHONPATH": os.pathsep.join(map(str, path))} | variables
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", CLEAN.format(str(path[0]) if path else "") + code],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(where / "liftwave" / "__init__.py")
    return [line for line in done.stderr.splitlines() if "Warning" in line]


def test_hidden_installations_are_named_once_when_imported(tree: Path, site: Path) -> None:
    (warning,) = run(tree, [site])
    assert warning.startswith("<string>:3: MissingKernelsWarning: liftwave is imported from ")
    assert f"hides the installation in {site / 'liftwave'}. Start Python in another" in warning
    assert "pip install -e ." in warning


def test_the_import_alone_warns(tree: Path, site: Path) -> None:
    assert len(run(tree, [site], "import liftwave as lw\nprint(lw.__file__)")) == 1


def test_chosen_reference_kernels_are_not_warned_of(tree: Path, site: Path) -> None:
    assert run(tree, [site], LIFTWAVE_KERNELS="reference") == []


def test_installations_without_kernels_are_reported_by_the_first_transform(tree: Path) -> None:
    (warning,) = run(tree, [])
    assert warning.startswith("<string>:4: MissingKernelsWarning: liftwave was installed without")
    assert run(tree, [], "import liftwave as lw\nprint(lw.__file__)") == []


def test_kernels_that_were_asked_for_are_explained(tree: Path, site: Path) -> None:
    code = (
        "import liftwave as lw\n"
        "try:\n    lw.kernels('cpu').__enter__()\n"
        "except ValueError as error:\n"
        "    assert 'hides the installation in' in str(error), error\n"
        "    print(lw.__file__)"
    )
    run(tree, [site], code)
