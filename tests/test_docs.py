"""README and documentation: code runs, links have targets, names and tables are complete."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
import shlex
import sys
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers import has_cuda

import liftwave as lw

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

# A comment on the line before a block names its requirement, e.g. <!-- needs: cupy -->.
_BLOCK = re.compile(r"(?ms)(?:^<!-- needs: (\w+) -->\n)?^```(python|console)\n(.*?)^```$")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
_LIBRARIES = ("jax", "librosa", "mne", "napari", "obspy", "pylops", "xarray")
_GENERATED = ("_build", "generated", "tables")


@dataclass(frozen=True)
class Block:
    """A block of Python or of commands in a page."""

    page: Path
    line: int
    needs: str | None
    language: str
    code: str

    def __str__(self) -> str:
        return f"{_name(self.page)}:{self.line}"

    def run(self, namespace: dict[str, Any]) -> None:
        """Run it unchanged: as Python, as a doctest if it contains a prompt, or as commands."""
        if self.language == "console":
            self._run_commands()
            return
        if ">>>" not in self.code:
            # Empty lines first, so that errors have the page's line numbers.
            padded = "\n" * self.line + self.code
            exec(compile(padded, str(self.page), "exec"), namespace)
            return
        parser, said = doctest.DocTestParser(), []
        test = parser.get_doctest(self.code, namespace, str(self), str(self.page), self.line)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        result = runner.run(test, out=said.append, clear_globs=False)
        assert result.failed == 0, "".join(said)
        namespace.update(test.globs)

    def _run_commands(self) -> None:
        from liftwave.cli import main

        for line in self.code.splitlines():
            program, *arguments = shlex.split(line.removeprefix("$ "))
            assert program == "liftwave", line
            assert main(arguments) == 0, line


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _pages() -> list[Path]:
    found = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    return sorted(page for page in found if not set(_GENERATED) & set(page.parts))


def _blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, m.start(3)), *m.groups()) for m in _BLOCK.finditer(text)
    ]


def _has_onnx() -> bool:
    return all(map(importlib.util.find_spec, ("onnxscript", "onnxruntime")))


PAGES = _pages()
BLOCKS = [block for page in PAGES for block in _blocks(page)]


@pytest.mark.parametrize("page", sorted({b.page for b in BLOCKS if b.needs is None}), ids=_name)
def test_code_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in BLOCKS:
        if block.page == page and block.needs is None:
            block.run(namespace)


@pytest.mark.slow  # exports to ONNX take seconds
@pytest.mark.parametrize("block", [b for b in BLOCKS if b.needs is not None], ids=str)
# Warnings of torch's exporter, and of ObsPy, about themselves.
@pytest.mark.filterwarnings("ignore:SelectableGroups dict interface:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.:FutureWarning")
def test_code_with_needs_of_its_own_runs(block, tmp_path, monkeypatch):
    met = {"cupy": has_cuda, "onnxruntime": _has_onnx}
    assert block.needs in (*met, *_LIBRARIES)
    if not met.get(block.needs, lambda: importlib.util.find_spec(block.needs) is not None)():
        pytest.skip(f"{block} needs {block.needs} (and a device for it), not here")
    monkeypatch.chdir(tmp_path)
    block.run({"__name__": "__main__"})


def test_every_fence_of_python_is_found():
    # Blocks with indented or misspelt fences would be skipped silently.
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    fences = sum(len(re.findall(r"```\s*(?:py|console)", text)) for text in texts)
    assert fences == len(BLOCKS)
    assert {"README.md", "docs/getting_started.md", "docs/guide/lifting.md"} <= {
        _name(block.page) for block in BLOCKS
    }


def test_a_wrong_output_in_a_page_is_noticed():
    with pytest.raises(AssertionError, match="Expected"):
        Block(ROOT / "README.md", 1, None, "python", ">>> 1 + 1\n3\n").run({})


def test_a_command_that_fails_in_a_page_is_noticed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match="liftwave decompose there-is-none"):
        Block(
            ROOT / "README.md", 1, None, "console", "$ liftwave decompose there-is-none.npy x.npz"
        ).run({})
    assert "there-is-none.npy" in capsys.readouterr().err


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_to_files_lead_somewhere(page):
    targets = [t for t in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in t]
    # A page that includes another page contains its relative links.
    missing = [t for t in targets if not _source((page.parent / t).resolve()).exists()]
    assert missing == []


def _source(target: Path) -> Path:
    """The file behind a link; the build writes pages of the gallery from scripts."""
    if not target.is_relative_to(DOCS / "gallery"):
        return target
    script = ROOT / "examples" / target.relative_to(DOCS)
    return script.parent if target.name == "index" else script.with_suffix(".py")


def test_readme_has_two_commands_to_set_up():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"```bash\n(.*?)```", text, re.DOTALL) == [
        'python -m pip install ".[cli]" && liftwave tour\n',
        'python -m pip install -e ".[test]" && pytest -n 2\n',
    ]


def _documented() -> dict[str, set[str]]:
    """The names that the reference pages list, by module."""
    names: dict[str, set[str]] = {}
    for page in sorted((DOCS / "api").glob("*.md")):
        module = "liftwave"
        for line in page.read_text(encoding="utf-8").splitlines():
            if moved := re.match(r"\.\. currentmodule:: (\S+)", line):
                module = moved[1]
            elif name := re.match(r"(?:   |\| `)(\w+)\b", line):
                names.setdefault(module, set()).add(name[1])
    return names


@pytest.mark.parametrize(
    "module",
    ["", ".constraints", ".gradients", ".operators", ".pooling", ".sklearn", ".xarray"],
)
def test_the_reference_has_every_public_name(module):
    if importlib.util.find_spec(lw._SUBMODULES.get(module[1:], "numpy")) is None:
        pytest.skip(f"liftwave{module} needs a library that is not installed")
    package = importlib.import_module(f"liftwave{module}")
    public = set(package.__all__)
    if module:  # liftwave's own names are listed there
        public = {name for name in public if getattr(lw, name, None) is not getattr(package, name)}
    assert _documented()[f"liftwave{module}"] == public


def test_every_name_of_the_reference_links_to_related_names():
    script = _script("_extensions/related_names")
    for name in script.GROUPS.split():
        assert _public(f"liftwave.{name}") is not None
    public = {f"{module}.{name}" for module, names in _documented().items() for name in names}
    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.md"))
    pages = set(re.findall(r"(?m)^   (\w+)$", text))  # names with a page; others are in a table
    alone = [
        name
        for name in sorted(public)
        if name.rpartition(".")[2] in pages
        and "See Also" not in (_public(name).__doc__ or "")
        and not script.related(name.removeprefix("liftwave."))
    ]
    assert alone == []


def _public(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_page_speaks_of_paths_of_a_machine(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|work|tmp|root|Users)/", text)


# --- tables and pictures -------------------------------------------------------------------------


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(name).name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look up their module
    spec.loader.exec_module(module)
    return module


def _table(name: str) -> list[list[str]]:
    lines = (DOCS / "tables" / f"{name}.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("name", "function"), [("integer_range", "integer_table"),
                                                ("dtypes", "dtype_table"),
                                                ("fallbacks", "fallback_table")])  # fmt: skip
def test_committed_tables_without_rounding_are_what_is_computed(name, function):
    computed = getattr(_script("make_tables"), function)()
    assert (DOCS / "tables" / f"{name}.md").read_text(encoding="utf-8") == computed


def test_committed_accuracies_are_what_is_measured():
    script = _script("make_tables")
    rows = {row[0].strip("`"): row[1:] for row in _table("lifting_accuracy")[2:]}
    assert list(rows) == script.wavelets_with_schemes()
    for name in ("haar", "db5", "sym13", "coif3", "bior5.5", "rbio3.9"):
        now = script.measured(name)
        steps, taps, max_tap, gain, *errors = map(float, rows[name])
        assert (steps, taps) == (now.steps, now.taps)
        assert (max_tap, gain) == pytest.approx((now.max_tap, now.noise_gain), rel=1e-2)
        # Rounding differs between machines, but not by an order of magnitude.
        for written, measured in zip(errors, now.errors, strict=True):
            assert written / 8 <= measured <= written * 8


def test_every_picture_is_drawn_by_the_script_and_used():
    script = _script("make_pictures")
    drawn = {*script.DRAWN, *chain(*script.DRAWN_BY_EXAMPLES.values())}
    drawn |= {*script.DRAWN_BY_REPRODUCTIONS}
    there = {path.name for path in (DOCS / "pictures").iterdir()}
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    used = set(re.findall(r"pictures/([\w.]+)", text))
    assert drawn == there == used
