"""The benchmarks of gradients run, and detect wrong gradients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gradients, torch_peers
from benchmarks.conventions import decomposition, pywt_split
from benchmarks.torch_checking import checked
from benchmarks.torch_libraries import CASES, LiftwaveFilters, Prepared, available
from benchmarks.torch_peers import kept

pytest.importorskip("torch")

CASE = replace(CASES[1], shape=(2, 2, 64, 64))
TABLE = Path(__file__).parent.parent / "docs" / "tables" / "gradients.md"


def verdict(subject, case):
    x = np.random.default_rng(0).standard_normal(case.shape).astype(case.dtype)
    row = subject.settled(case).row()
    return checked(subject, subject.settled(case), x, decomposition(pywt_split(row), row, x))


@pytest.mark.parametrize("subject", available(), ids=lambda subject: subject.name)
def test_results_and_gradients_are_right(subject):
    assert verdict(subject, CASE) == ""


class Spoilt(LiftwaveFilters):
    """A transform, correct or with a wrong gradient for the data or the taps."""

    def __init__(self, what):
        super().__init__("spoilt", "liftwave", learned=True)
        self._what = what

    def prepare(self, case):
        prepared = super().prepare(case)

        def transform(x):
            if self._what == "data" and x.requires_grad:
                x = x + 1e-3 * (x - x.detach()).roll(1, -1)
            if self._what == "small" and case.dtype == "float64" and x.requires_grad:
                x = x + 1e-3 * (x - x.detach()).roll(1, -1)
            low, *details = prepared.transform(x)
            if self._what == "taps":
                low = low + 1e-3 * (prepared.taps[0] - prepared.taps[0].detach()).sum()
            return (low + 1e-3 if self._what == "result" else low), *details

        return Prepared(transform, prepared.taps)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nothing", ""),
        ("result", "wrong: result (aa3)"),
        ("data", "wrong: gradient (dot product)"),
        ("small", "wrong: gradient of the data"),
        ("taps", "wrong: gradient of the taps"),
    ],
)
def test_what_is_wrong_is_said(what, said):
    assert verdict(Spoilt(what), CASE) == said


def test_what_the_graph_keeps_is_counted_once_and_without_input_and_output():
    x = np.ones((4, 8), "float32")
    assert kept(Prepared(lambda t: (t * 2.0,)), x) == 0
    assert kept(Prepared(lambda t: (t.exp(),)), x) == 0  # its output
    assert kept(Prepared(lambda t: (t.square(),)), x) == 0  # its input
    # Sine and cosine save the same square.
    assert kept(Prepared(lambda t: ((s := t.square()).sin(), s.cos())), x) == x.nbytes


def test_quick_run_writes_the_page(tmp_path, capsys):
    out = tmp_path / "page.md"
    torch_peers.main(["512, level 1", "--quick", "--out", str(out)])
    page = out.read_text(encoding="utf-8")
    assert len(capsys.readouterr().out.splitlines()) == len(available())
    for subject in available():
        assert f"| {subject.name} |" in page
    assert "right |" in page
    assert "wrong" not in page


def test_gradients_of_every_mode_are_right():
    ours = [each for each in gradients.subjects() if each.name == "liftwave"]
    rows = gradients.table(ours, wavelets=["db2", "bior4.4"]).split("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows[::2]] == list(gradients.EXTENSION_MODES)
    assert all(row.endswith("| ✓ | ✓ |") for row in rows)


def test_the_committed_table_has_every_mode_and_ours_are_right():
    rows = [line.split(" | ") for line in TABLE.read_text(encoding="utf-8").splitlines()[2:-2]]
    found = {(row[0].strip("| "), row[1].strip("`")) for row in rows}
    modes, wavelets = gradients.EXTENSION_MODES, gradients.WAVELETS
    assert found == {(mode, name) for mode in modes for name in wavelets}
    assert {cell for row in rows for cell in row[2:4]} == {"✓"}


def test_a_wrong_gradient_is_found():
    class Wrong(LiftwaveFilters):
        def prepare(self, case):
            inner = super().prepare(case).transform
            return Prepared(lambda x: inner(x + 1e-3 * (x - x.detach()).roll(1, -1)))

    case = replace(CASE, shape=gradients.SHAPE, level=1, dtype="float64")
    assert gradients.forward(Wrong("wrong", "liftwave"), case) == gradients.WRONG
