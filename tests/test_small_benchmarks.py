"""The benchmarks of small calls run: functions, times, and comparisons of two checkouts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import liftwave as lw
from benchmarks import (
    checkouts,
    comparable,
    compare,
    host_kernels,
    import_time,
    journeys,
    small_functions,
)
from benchmarks import small_calls as small
from benchmarks.measuring import ROOT

CHECKOUT = Path(lw.__file__).parent.parent

# --- journeys ------------------------------------------------------------------------------------

SOURCES = {
    "outer.py": """
from recorded.inner import numbers, squares

def run():
    squares(3)
    return sum(numbers(2)) + (lambda: 1)()
""",
    "inner.py": """
def squares(count):
    return [square(k) for k in range(count)]

def square(k):
    return k * k

def numbers(count):
    yield from range(count)
""",
    "__init__.py": "",
}


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """The frames of a small package's function."""
    package = tmp_path / "recorded"
    package.mkdir()
    for name, text in SOURCES.items():
        (package / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    from recorded.outer import run

    yield journeys.record(run, str(package))
    for name in ("recorded", "recorded.outer", "recorded.inner"):
        sys.modules.pop(name)


def test_calls_are_recorded_in_order(recorded):
    named = [(call.depth, call.file, call.function) for call in recorded if call.is_named]
    # A generator of two numbers is entered three times.
    assert named == [
        (0, "outer.py", "run"),
        (1, "inner.py", "squares"),
        *[(2, "inner.py", "square")] * 3,
        *[(1, "inner.py", "numbers")] * 3,
    ]


def test_counts_of_recorded_calls(recorded):
    # The lambda is a frame; the comprehension is one before Python 3.12.
    frames = 10 if sys.version_info < (3, 12) else 9
    assert journeys.counted(recorded) == journeys.Counts(8, 2, 1, frames)


def test_changes_count_both_directions():
    calls = [journeys.Call(file, "f", 0) for file in "aabac"]
    assert journeys.counted(calls).changes == 3


def test_every_journey_runs(tmp_path, capsys):
    out = tmp_path / "journeys.json"
    journeys.main(["--json", str(out)])
    lines = capsys.readouterr().out.splitlines()[2:]
    stored = json.loads(out.read_text(encoding="utf-8"))["journeys"]
    assert len(lines) == len(stored) == 8
    for line, (name, counts) in zip(lines, stored.items(), strict=True):
        assert line.startswith(f"| {journeys.named(name).title} | ")
        if "missing" in counts:
            assert counts["missing"] in line
            continue
        assert 1 < counts["files"] <= counts["calls"] <= counts["frames"]
        assert counts["files"] - 1 <= counts["changes"] < counts["calls"]
    assert "missing" not in stored["wavedec2"]


def test_the_backward_pass_is_recorded():
    pytest.importorskip("torch")
    files = {call.file for call in journeys.warm(journeys.named("torch"))}
    assert any(file.startswith("_bridge/") for file in files)
    forward = journeys.record(lambda: lw.wavedec2(_tensor(), "db4", level=3))
    assert len(journeys.warm(journeys.named("torch"))) > len(forward)


def _tensor():
    import torch

    return torch.ones(64, 64, dtype=torch.float64, requires_grad=True)


def test_cuda_kernels_run_on_the_processor():
    if reason := host_kernels.missing():
        pytest.skip(reason)
    frames = journeys.warm(journeys.named("cuda"))
    assert any("cuda" in call.file for call in frames)


def test_a_walk_is_printed(capsys):
    journeys.main(["--walk", "decompose"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "decomposition/decomposition.py:decompose"
    assert len(lines) == journeys.counted(journeys.warm(journeys.named("decompose"))).calls


def test_what_is_missing_is_said(monkeypatch, capsys):
    monkeypatch.setattr(host_kernels, "missing", lambda: "no compiler")
    journeys.main(["cuda"])
    assert capsys.readouterr().out.endswith("processor | – (no compiler) |\n")
    with pytest.raises(SystemExit, match="cuda: no compiler"):
        journeys.main(["--walk", "cuda"])


# --- small calls ---------------------------------------------------------------------------------


def test_small_calls_are_right_and_timed(tmp_path, capsys):
    out = tmp_path / "small.json"
    small.main(["--rounds", "1", "--json", str(out)])
    lines = capsys.readouterr().out.splitlines()[4:]
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert len(lines) == len(rows) == len(small.FUNCTIONS) * len(small.FORMS) == 32
    for line, row in zip(lines, rows, strict=True):
        assert line.startswith(f"| {row['function']} | {row['form']} | {row['mode']} | ")
        assert min(row["microseconds"], row["to_pywt_name"], row["to_pywt_wavelet"]) > 0
        assert row["form"] != "name" or row["to_name"] == 1


def test_a_wrong_result_is_not_timed():
    calls = small.runs(small.FUNCTIONS[0])
    small.check(calls)
    approximation, detail = calls["liftwave", "FilterBank", "symmetric"]()
    calls["liftwave", "FilterBank", "symmetric"] = lambda: (approximation, detail + 1e-9)
    with pytest.raises(AssertionError, match="FilterBank, symmetric"):
        small.check(calls)


# --- imports -------------------------------------------------------------------------------------


def test_imports_are_timed(tmp_path, capsys):
    out = tmp_path / "imports.json"
    import_time.main(["--rounds", "1", "--json", str(out)])
    stored = json.loads(out.read_text(encoding="utf-8"))
    assert set(stored["milliseconds"]) == {"import numpy, pywt", "import liftwave"}
    assert min(stored["milliseconds"].values()) > 0
    assert f"| ratio | {stored['ratio']:.2f} |" in capsys.readouterr().out


def test_the_import_of_another_liftwave_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(import_time.lw, "__file__", str(tmp_path / "liftwave" / "__init__.py"))
    with pytest.raises(RuntimeError, match=r"a fresh interpreter imports .* instead of"):
        import_time.seconds("import liftwave")


def _fake(folder):
    """A checkout whose liftwave contains only a version."""
    (folder / "liftwave").mkdir()
    (folder / "liftwave" / "__init__.py").write_text("__version__ = 'fake'\n", encoding="utf-8")
    return folder


# --- checkouts -----------------------------------------------------------------------------------


def test_liftwave_is_taken_from_the_checkout(tmp_path):
    script = "from benchmarks import checkouts; from pathlib import Path; "
    script += f"checkouts.use(Path({str(_fake(tmp_path))!r})); import liftwave; "
    script += "print(liftwave.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "fake\n"


def test_a_folder_without_liftwave_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match=r"does not contain liftwave\. Pass the root"):
        checkouts.use(tmp_path)


def test_a_benchmark_runs_on_a_checkout():
    command = checkouts.command(CHECKOUT, "journeys", "--walk", "wavedec2")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    wrapper, function = done.stdout.splitlines()[:2]
    assert wrapper.endswith(":graph_node.<locals>.call")
    assert function.endswith(":wavedec2")


def test_checkouts_are_compared(tmp_path, capsys):
    out = tmp_path / "compared.json"
    options = ["--quick", "--rounds", "1", "--seconds", "0", "--only", "dwt2"]
    options += ["--rows", "peers,small_calls", "--new", str(CHECKOUT), "--json", str(out)]
    compare.main([str(CHECKOUT), *options])
    stored = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert {row["name"].partition(":")[0] for row in stored} == {"peers", "small_calls"}
    assert all(row["is_equal"] and "dwt2" in row["name"] for row in stored)
    text = capsys.readouterr().out
    assert all(f"| {row['name']} | " in text for row in stored)
    assert f"{len(stored)} rows: geometric means" in text


def test_a_row_that_one_checkout_does_not_have_is_said(capsys):
    class Listed(Stopwatch):
        folder, version = CHECKOUT, "1"

        def names(self):
            return ["row"]

    rows = compare.report(Listed([]), Listed([], None), "", compare.Effort(1, 0))
    assert rows == []
    assert "| row | – | – | – | – | the checkout has no such function |" in capsys.readouterr().out


@pytest.mark.parametrize("group", ["torch_peers", "pooling"])
def test_rows_of_torch_are_prepared_and_equal_each_time(group):
    pytest.importorskip("torch")
    server = comparable.Server([group], quick=True)
    for name in (server.names()[0], server.names()[-1]):
        digest, number = server.prepare(name)
        assert server.prepare(name)[0] == digest
        assert server.seconds(number) > 0


def test_unknown_rows_are_an_error():
    with pytest.raises(SystemExit, match=r"No rows pers\. Choose from peers, torch_peers"):
        compare.main([str(CHECKOUT), "--rows", "pers"])


def test_digests_tell_the_last_bit():
    x = np.ones(3)
    assert comparable.digest((x, {"d": [x]})) == comparable.digest((x.copy(), {"d": [x]}))
    assert comparable.digest(x) != comparable.digest(np.nextafter(x, 2))
    assert comparable.digest(x) != comparable.digest(x.astype("float32"))


class Stopwatch:
    """A checkout whose calls take the times in a list."""

    def __init__(self, times, digest="same"):
        self._times, self._digest = times, digest

    def prepare(self, name):
        if self._digest is None:
            raise compare.RowError("the checkout has no such function")
        return self._digest, 1

    def seconds(self, number):
        return self._times.pop(0)


@pytest.mark.parametrize(
    ("new", "is_slower"),
    [([1.1, 1.2, 1.3], True), ([1.0, 1.2, 1.3], False), ([1.06, 1.0, 1.0], False)],
)
def test_slower_means_median_and_shortest(new, is_slower):
    old = Stopwatch([1.0, 1.0, 1.0])
    row = compare.measured("row", old, Stopwatch(new), compare.Effort(3, 0))
    assert row.is_slower == is_slower
    assert row.is_equal
    assert ("slower than 1.05" in compare._line(row)) == is_slower


def test_a_slower_row_is_measured_again():
    old, new = Stopwatch([1.0] * 4), Stopwatch([2.0] + [1.0] * 3)
    assert not compare.compared("row", old, new, compare.Effort(1, 0)).is_slower


def test_other_results_are_said():
    row = compare.measured("row", Stopwatch([1.0]), Stopwatch([1.0], "other"), compare.Effort(1, 0))
    assert compare._line(row).endswith("| other results |")


# --- functions that are not transforms -----------------------------------------------------------


def test_small_functions_are_timed(capsys):
    small_functions.main(["threshold_firm", "reconstruct, 32", "ravel_coeffs", "--rounds", "1"])
    rows = capsys.readouterr().out.splitlines()[4:]
    assert [row.split(" | ")[0] for row in rows] == [
        "| threshold_firm",
        "| ravel_coeffs, wavedec",
        "| unravel_coeffs, wavedec",
        "| ravel_coeffs, wavedec2",
        "| unravel_coeffs, wavedec2",
        "| ravel_coeffs, wavedecn",
        "| unravel_coeffs, wavedecn",
        "| decompose, reconstruct, 32 x 32",
    ]
    for row in rows:
        assert all(float(cell) > 0 for cell in row.strip("| ").split(" | ")[1:])


@pytest.mark.filterwarnings("ignore:Level value of")
def test_small_functions_give_equal_results():
    """Estimates of noise and denoising differ by definition."""
    for name, ours, theirs in small_functions.pairs():
        if not name.startswith(("denoise", "estimate_sigma")):
            _assert_equal(ours(), theirs(), name)


def _assert_equal(actual, expected, name):
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys(), name
        for key in expected:
            _assert_equal(actual[key], expected[key], name)
    elif isinstance(expected, list | tuple):
        assert len(actual) == len(expected), name
        for a, b in zip(actual, expected, strict=True):
            _assert_equal(a, b, name)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12, err_msg=name)
    elif not isinstance(expected, slice):  # None and 0 are equal starts of slices
        assert actual == expected, name


@pytest.mark.slow  # each row is a process
def test_the_benchmark_of_data_bigger_than_memory(tmp_path):
    sizes = ["--megabytes=1", "--side=256", "--chunk=128", f"--folder={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bigger_than_memory", *sizes],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    names = ["write", "copy", "decompose, graph", "decompose, direct", "reconstruct, direct"]
    assert [row.split(" | ")[0][2:] for row in rows[2:7]] == names
    assert "| 64 x 64 |" in done.stdout
    assert not list(tmp_path.iterdir())
