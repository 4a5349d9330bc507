"""Layers: each folder is a layer, imports go downwards, and there are no import cycles."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import liftwave as lw

PACKAGE = Path(lw.__file__).parent

# From the bottom. A name stands for a module or for a folder with all its modules.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "_optional", "_typing", "_version"),
    ("_numbers", "_files"),
    ("wavelets",),
    ("lifting",),
    ("_plan",),
    ("_arrays",),
    ("_kernels.contract", "_kernels.pooling_contract", "_threshold_arguments"),
    ("_kernels.interval",),
    ("_kernels.axis_by_axis", "_kernels.half_precision"),
    ("_kernels", "thresholding", "threshold_gradients"),
    ("_operations",),
    ("_dispatch",),
    ("_bridge",),
    ("_execute", "_config"),
    ("pooling", "transforms"),
    ("continuous", "decomposition", "_blocks"),
    ("packets",),
    ("gradients", "operators"),
    ("constraints", "denoising"),
    ("", "torch", "sklearn", "xarray", "data", "dask", "zarr"),
    ("cli",),
    ("__main__",),
)
# Families of kernels do not import each other.
FAMILIES = ("_kernels.reference", "_kernels.cpu", "_kernels.cuda")
# Allowed imports within functions: heavy or optional libraries, modules that import these at their
# top, and rarely used modules that would slow down every import.
HEAVY = (
    *("torch", "cupy", "cupyx", "matplotlib", "scipy", "PIL", "png", "tifffile", "onnx", "dask"),
    *("numcodecs", "zarr", "h5py", "soundfile"),
)
HEAVY_MODULES = ("_bridge", "_kernels.cuda", "torch", "operators", "cli", "dask", "zarr")
RARE = ("json", "difflib", "pkgutil")
RARE_MODULES = (
    "_arrays.out",
    "wavelets.lifting.factorization",
    "decomposition.archive",
    "_plan.restricted",
    "_kernels.half_precision",
    "_operations.upsample",
    "_plan.interval",
    "_plan.interval_ends",
    "_kernels.interval",
    "_kernels.cpu.lift_pool",
    "_kernels.cpu.dual_tree",
    "_kernels.cpu.packets",
    "_kernels.cpu.pooling",
    "_kernels.cpu.reused_memory",
    "_kernels.cpu.spectral",
    "_kernels.cpu.time_frequency",
    "_kernels.cpu.whole_gradient",
    "_kernels.reference.lift_pool",
    "_kernels.reference.pooling",
    "_kernels.reference.time_frequency",
    "_kernels.reference.whole_lifting",
)


class Import(NamedTuple):
    """An import: its module, its line, and whether it is within a function."""

    target: str
    line: int
    late: bool


def modules() -> dict[str, Path]:
    """All modules of the package by dotted name relative to it ("" is the package)."""
    paths = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


MODULES = modules()


def is_inside(module: str, folder: str) -> bool:
    return module == folder or (folder != "" and module.startswith(folder + "."))


def floor_of(module: str) -> int | None:
    """The number of a module's layer: that of the longest matching name."""
    names = [(len(n), k) for k, floor in enumerate(FLOORS) for n in floor if is_inside(module, n)]
    return max(names)[1] if names else None


def imports(source: str, module: str, is_package: bool) -> Iterator[Import]:
    """The imports in a source, without those for type checkers only."""
    tree = ast.parse(source)
    conditions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    skipped = {id(inner) for node in conditions for s in node.body for inner in ast.walk(s)}
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    late = {id(inner) for function in functions for inner in ast.walk(function)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        for target in _targets(node, module, is_package):
            yield Import(target, node.lineno, id(node) in late)  # type: ignore[attr-defined]


def _targets(node: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parts = ["liftwave", *filter(None, module.split("."))]
        parts = parts[: len(parts) - node.level + is_package] if node.level else []
        base = ".".join([*parts, *filter(None, [node.module])])
        yield from (f"{base}.{alias.name}" for alias in node.names)


def inner_module(name: str) -> str | None:
    """The module of the package that contains a dotted name; None for other packages."""
    head, _, rest = name.partition(".")
    if head != "liftwave" or rest.partition(".")[0] == "_cpu":  # compiled: no imports
        return None
    while rest and rest not in MODULES:
        rest = rest.rpartition(".")[0]
    return rest


def family_of(module: str) -> str | None:
    return next((family for family in FAMILIES if is_inside(module, family)), None)


Sources = Mapping[str, tuple[str, bool]]


def violations(sources: Sources) -> list[str]:
    """Imports that go upwards, between families of kernels, or within functions."""
    complaints = []
    for module, (source, is_package) in sources.items():
        for name, line, late in imports(source, module, is_package):
            place = f"{module or 'liftwave'}:{line} imports {name}"
            target = inner_module(name)
            if late and not _may_be_late(name, target):
                complaints.append(f"{place} within a function")
            if target is None:
                continue
            below, above = floor_of(module), floor_of(target)
            if below is not None and above is not None and above > below:
                complaints.append(f"{place}, which is above it")
            families = {family_of(module), family_of(target)} - {None}
            if len(families) == 2:
                complaints.append(f"{place}, another family of kernels")
    return complaints


def _may_be_late(name: str, target: str | None) -> bool:
    if target is None:
        return name.partition(".")[0] in (*HEAVY, *RARE, "liftwave")
    return any(is_inside(target, module) for module in (*HEAVY_MODULES, *RARE_MODULES))


def cycles(sources: Sources) -> list[list[str]]:
    """The sets of files that import each other, directly or indirectly (Tarjan's algorithm)."""
    graph = {
        module: {
            target
            for name, _, _ in imports(source, module, is_package)
            if (target := inner_module(name)) is not None
        }
        - {module}
        for module, (source, is_package) in sources.items()
    }
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in graph.get(module, ()):
            if target not in index:
                visit(target)
            if target in stack:
                low[module] = min(low[module], low[target])
        if low[module] == index[module]:
            start = stack.index(module)
            components.append(stack[start:])
            del stack[start:]

    for module in graph:
        if module not in index:
            visit(module)
    return [component for component in components if len(component) > 1]


def sources() -> dict[str, tuple[str, bool]]:
    return {
        module: (path.read_text(), path.name == "__init__.py") for module, path in MODULES.items()
    }


def test_every_module_has_a_floor() -> None:
    homeless = [module for module in MODULES if floor_of(module) is None]
    assert not homeless, f"put {homeless} on a floor in {Path(__file__).name}"


def test_imports_go_downwards() -> None:
    assert violations(sources()) == []


def test_no_files_import_each_other() -> None:
    assert cycles(sources()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_plan.boundary", "from liftwave.transforms.dwt import dwt"),
        ("_plan.boundary", "from liftwave import dwt"),
        ("_plan.boundary", "import liftwave._kernels.reference.family"),
        ("_kernels.reference.family", "from liftwave._dispatch import kernels_for"),
        ("_kernels.reference.family", "from ... import _dispatch"),
        ("_kernels.cpu.family", "from ..reference import family"),
        ("_kernels.cpu.family", "from liftwave._kernels.reference.pieces import extended"),
        ("_kernels.contract", "from liftwave._kernels import axis_by_axis"),
        ("_arrays.convert", "from liftwave._kernels.contract import Kernels"),
        ("transforms.dwt", "import liftwave as lw"),
        ("transforms.dwt", "import liftwave.cli"),
        ("wavelets.lifting.scheme", "if True:\n    import liftwave.transforms.padding"),
        ("transforms.dwt", "def f():\n    from liftwave._plan import axes"),
        ("transforms.dwt", "def f():\n    import csv"),
    ],
)
def test_the_check_sees_violations(module: str, source: str) -> None:
    assert violations({module: (source, False)})


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_plan.boundary", "from liftwave.errors import ModeError"),
        ("_plan.boundary", "if TYPE_CHECKING:\n    from liftwave.transforms.dwt import dwt"),
        ("_kernels.reference.family", "from liftwave._kernels.contract import Kernels"),
        ("_kernels.reference.family", "import numpy\nfrom liftwave._plan.axis import FilterPlan"),
        ("_arrays.convert", "from liftwave._plan.axis import FilterPlan"),
        ("", "from liftwave.transforms.dwt import dwt"),
        ("cli.app", "import liftwave as lw"),
        ("_execute", "def f():\n    import torch\n    from liftwave._bridge import operator"),
    ],
)
def test_the_check_lets_others_pass(module: str, source: str) -> None:
    assert not violations({module: (source, module == "")})


def test_the_check_sees_cycles() -> None:
    circle = {
        "_plan.axis": ("from liftwave._plan.lengths import a", False),
        "_plan.lengths": ("from liftwave._plan import levels", False),
        "_plan.levels": ("import liftwave._plan.axis", False),
        "_plan.axes": ("import liftwave._plan.axis", False),
    }
    assert [sorted(component) for component in cycles(circle)] == [
        ["_plan.axis", "_plan.lengths", "_plan.levels"]
    ]
