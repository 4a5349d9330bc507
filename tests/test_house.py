"""General checks of the package: light imports, documented names, clean text."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mutations import MUTATIONS
from test_layers import PACKAGE, modules

import liftwave as lw
from liftwave._dispatch import compiled

ROOT = PACKAGE.parent


def test_mutations_are_of_present_sources() -> None:
    """Each names a piece of its file that occurs once."""
    counts = {m: (ROOT / m.path).read_text().count(m.old) for m in MUTATIONS}
    assert {m: count for m, count in counts.items() if count != 1} == {}


# --- light imports -------------------------------------------------------------------------------

HEAVY = (
    *("torch", "cupy", "matplotlib", "scipy", "dask", "zarr", "typer", "rich", "PIL", "jax"),
    *("sklearn", "xarray", "pandas", "soundfile"),
)


def loaded_after(code: str) -> list[str]:
    """The heavy packages that a fresh interpreter has loaded after running ``code``."""
    script = f"import sys\n{code}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return list(ast.literal_eval(done.stdout.strip().splitlines()[-1]))


def test_import_is_light() -> None:
    assert loaded_after("import liftwave") == []


def test_transforms_of_numpy_arrays_stay_light() -> None:
    code = """
import numpy as np
import liftwave as lw
x = np.ones((8, 8))
lw.waverec2(lw.wavedec2(x, "db2", level=1), "db2")
lw.decompose(x, lw.LiftingScheme.from_name("cdf9.7"), mode="reflect").reconstruct()
lw.wavedec(np.arange(8), lw.LiftingScheme.from_wavelet("sym4").to_integer(), "zero", level=1)
lw.threshold(x, 1.0)
"""
    assert loaded_after(code) == []


def test_the_check_of_imports_sees_heavy_ones() -> None:
    assert loaded_after("import scipy, typer") == ["scipy", "typer", *(["rich"] if _rich() else [])]


def _rich() -> bool:
    return "rich" in loaded_after("import typer")


# --- public submodules ---------------------------------------------------------------------------

SUBMODULES = (
    *("constraints", "data", "errors", "gradients", "lifting", "operators", "pooling", "torch"),
    *("dask", "sklearn", "xarray", "zarr"),
)


def skip_without(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")


def output_of(code: str) -> str:
    """The output of a fresh interpreter that runs ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", SUBMODULES)
def test_submodules_are_attributes(name: str) -> None:
    """(In a fresh interpreter, which has not imported them yet.)"""
    skip_without(lw._SUBMODULES[name])
    shown = f"print(lw.{name}.__name__, {name!r} in dir(lw))"
    assert output_of(f"import liftwave as lw; {shown}") == f"liftwave.{name} True"


@pytest.mark.parametrize(
    ("name", "library"),
    [
        *(("torch", "torch"), ("operators", "scipy"), ("sklearn", "sklearn")),
        *(("xarray", "xarray"), ("dask", "dask"), ("zarr", "zarr")),
    ],
)
def test_heavy_submodules_are_imported_when_they_are_used(name: str, library: str) -> None:
    skip_without(library)
    before = "import liftwave as lw; lw.dwt([1.0, 2.0], 'haar'); dir(lw)"
    assert library not in loaded_after(before)
    assert library in loaded_after(f"{before}; lw.{name}")


def test_functions_and_names_that_do_not_exist() -> None:
    shown = "print(lw.vjp.__module__, hasattr(lw, 'nothing'))"
    assert output_of(f"import liftwave as lw; {shown}") == "liftwave.gradients False"


@pytest.mark.parametrize(
    ("name", "library"),
    [("torch", "PyTorch"), ("sklearn", "scikit-learn"), ("xarray", "xarray")],
)
def test_submodules_say_that_they_need_a_library(name: str, library: str) -> None:
    code = f"""
import sys
sys.modules["{name}"] = None  # as if it were not installed
import liftwave as lw
print("{name}" in dir(lw))
try:
    lw.{name}
except ImportError as error:
    print(error)
"""
    needed = f"needs {library}, which is not installed: pip install 'liftwave[{name}]'"
    assert output_of(code) == f"False\nliftwave.{name} {needed}"


# --- public names --------------------------------------------------------------------------------


def test_all_matches_what_is_there() -> None:
    names = {
        name
        for name in dir(lw)
        if not name.startswith("_") and not isinstance(getattr(lw, name), ModuleType)
    }
    assert names == set(lw.__all__)
    assert list(lw.__all__) == sorted(lw.__all__)
    assert len(set(lw.__all__)) == len(lw.__all__)


def test_modules_export_what_they_say() -> None:
    for module in modules():
        if module.split(".")[0] in ("__main__", "cli", "torch"):
            continue
        if module.startswith("_kernels.cpu") and not compiled():
            continue
        if importlib.util.find_spec(lw._SUBMODULES.get(module.split(".")[0], "numpy")) is None:
            continue
        loaded = __import__(".".join(["liftwave", *filter(None, [module])]), fromlist=["_"])
        for name in getattr(loaded, "__all__", ()):
            assert hasattr(loaded, name), f"{module}.{name}"


def public_objects() -> dict[str, Any]:
    """All names that the package itself and its public subpackages define and export."""
    found = {name: getattr(lw, name) for name in lw.__all__}
    found |= {
        f"constraints.{name}": getattr(lw.constraints, name) for name in lw.constraints.__all__
    }
    found |= {f"pooling.{name}": getattr(lw.pooling, name) for name in lw.pooling.__all__}
    return {
        name: value
        for name, value in found.items()
        if getattr(value, "__module__", "").startswith("liftwave")
    }


def public_members(cls: type) -> dict[str, Any]:
    """The public methods and properties of a class, also those of its bases in the package."""
    bases = [base for base in cls.__mro__ if base.__module__.startswith("liftwave")]
    return {
        name: value
        for base in reversed(bases)
        for name, value in vars(base).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property | classmethod | staticmethod))
    }


def sections(docstring: str) -> dict[str, list[str]]:
    """The numpydoc sections of a docstring, by title."""
    lines = inspect.cleandoc(docstring).splitlines()
    starts = [
        k
        for k in range(len(lines) - 1)
        if lines[k].strip() and re.fullmatch(r"-{3,}", lines[k + 1]) and lines[k][0] != " "
    ]
    ends = [*starts[1:], len(lines)]
    return {lines[a].strip(): lines[a + 2 : b] for a, b in zip(starts, ends, strict=True)}


def described_parameters(lines: list[str]) -> set[str]:
    """Names at the margin of a Parameters section: ``a, b : type`` or ``a, b``."""
    heads = [line.partition(":")[0] for line in lines if line and line[0] != " "]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def lacking(name: str, function: Any) -> list[str]:
    """The parts that are missing in the docstring of a public function."""
    found = sections(function.__doc__ or "")
    signature = inspect.signature(function)
    missing = [] if "Examples" in found else [f"{name}: Examples"]
    described = described_parameters(found.get("Parameters", []))
    missing += [
        f"{name}: parameter {p}" for p in signature.parameters if p not in ("self", *described)
    ]
    # A generator behind a context manager returns nothing that could be described.
    gives = str(signature.return_annotation)
    if gives != "None" and not gives.startswith("Iterator") and not {"Returns"} & set(found):
        missing.append(f"{name}: Returns")
    return missing


PUBLIC = public_objects()
FUNCTIONS = [name for name, value in PUBLIC.items() if inspect.isfunction(value)]
CLASSES = [name for name, value in PUBLIC.items() if inspect.isclass(value)]


def test_the_package_exports_functions_and_classes() -> None:
    """The lists for the next tests come from the package; they must not be empty."""
    assert len(FUNCTIONS) >= 30
    assert {"FilterBank", "LiftingScheme", "LiftingStep", "FswavedecnResult"} <= set(CLASSES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_documented(name: str) -> None:
    assert lacking(name, PUBLIC[name]) == []


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_documented(name: str) -> None:
    cls = PUBLIC[name]
    assert cls.__doc__ is not None
    assert not cls.__doc__.startswith(f"{name}("), "the docstring that dataclasses make up"
    if not issubclass(cls, BaseException):
        found = sections(cls.__doc__)
        described = described_parameters(found.get("Parameters", []) + found.get("Attributes", []))
        # Functions make objects with private parameters.
        parameters = [p for p in inspect.signature(cls).parameters if not p.startswith("_")]
        assert [p for p in parameters if p not in described] == []
    undocumented = [member for member, value in public_members(cls).items() if not _doc(value)]
    assert undocumented == []


def _doc(value: Any) -> str | None:
    return (value.__func__ if isinstance(value, classmethod | staticmethod) else value).__doc__


def test_everything_exported_has_a_docstring() -> None:
    """(The names that come from PyWavelets, too.)"""
    assert [name for name in lw.__all__ if not (getattr(lw, name).__doc__ or "").strip()] == []


def test_modules_begin_with_a_docstring() -> None:
    bare = [
        m for m, path in modules().items() if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert bare == []


def test_the_check_of_docstrings_sees_gaps() -> None:
    def bad(x: int, y: int) -> int:
        """Do something.

        Parameters
        ----------
        x : int
            A number.
        """
        return x + y

    assert lacking("bad", bad) == ["bad: Examples", "bad: parameter y", "bad: Returns"]


# --- text ----------------------------------------------------------------------------------------


def tracked_text() -> Iterator[tuple[Path, str]]:
    """All text files under version control (without version control, all text files)."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        kept = ("liftwave", "tests", "docs", "examples", "benchmarks", "backends")
        paths = [p for folder in kept for p in (ROOT / folder).rglob("*") if p.is_file()]
        paths = [p for p in paths if "__pycache__" not in p.parts]
    for path in paths:
        try:
            yield path, path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue


# Written in pieces, so that the search does not find this file.
MACHINE_PATH = re.compile(
    r"(?<![\w.~-])/(?:" + "work|root|home/[a-z]|Users/[a-z]|mnt|tmp/[a-z])" + r"[\w/.-]*"
)
ISSUE = re.compile(r"(?<![\w&'\"#(/])#\d{1,5}\b(?![\w-])|(?:issues|pull)" + r"/\d+")


def findings(pattern: re.Pattern[str], texts: Iterator[tuple[Path, str]]) -> list[str]:
    return [
        f"{path}:{number}: {match.group()}"
        for path, text in texts
        for number, line in enumerate(text.splitlines(), 1)
        for match in pattern.finditer(line)
    ]


def test_no_paths_of_a_machine() -> None:
    assert findings(MACHINE_PATH, tracked_text()) == []


def test_no_issue_numbers() -> None:
    """Text is self-contained; numbers of external threads explain nothing."""
    assert findings(ISSUE, tracked_text()) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "see /" + "work/main/x.py"),
        (MACHINE_PATH, 'open("/' + 'home/me/data.npy")'),
        (ISSUE, "fixes #" + "123."),
        (ISSUE, "https://github.com/a/b/iss" + "ues/7"),
    ],
)
def test_the_checks_of_text_see_both(pattern: re.Pattern[str], text: str) -> None:
    assert findings(pattern, iter([(Path("x"), text)]))


def test_files_are_seen() -> None:
    """The checks above read some files."""
    assert {"__init__.py", "boundary.py", "test_house.py"} <= {p.name for p, _ in tracked_text()}


def test_the_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
