"""The benchmarks run and report results correctly; no speed is asserted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pywt

import liftwave as lw
from benchmarks import measuring, peers, report, roofline, threads
from benchmarks.asv import transforms
from benchmarks.checking import MISSING, Oracle, checked
from benchmarks.conventions import block_bands, decomposition, pywt_split
from benchmarks.libraries import LIBRARIES, Liftwave, PyWavelets, installed
from benchmarks.measuring import QUICK, Effort, Measured
from benchmarks.rows import ROWS, Row, matching, named

SLOW = pytest.mark.slow
SMALL = [QUICK.sized(row) for row in ROWS]


def verdict(library, row):
    x = row.input()
    return checked(library, row, x, Oracle(row, x)).verdict


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.parametrize("row", SMALL, ids=lambda row: row.name)
@pytest.mark.parametrize(
    "library",
    [
        each if isinstance(each, Liftwave | PyWavelets) else pytest.param(each, marks=SLOW)
        for each in installed()
    ],
    ids=lambda library: library.name,
)
def test_every_library_gives_right_results_or_has_not_the_transform(library, row):
    assert verdict(library, row) in ("", MISSING)


class Wrong(Liftwave):
    """One coefficient, or one sample, has a relative error of a thousandth."""

    name = "wrong"

    def __init__(self, direction):
        self._direction = direction

    def _spoilt(self, call, direction):
        def run(data):
            result = call(data)
            array = result[0] if isinstance(result, tuple | list) else result
            array[(array.shape[0] // 2,) * array.ndim] += 1e-3 * np.abs(array).max()
            return result

        return run if direction == self._direction else call

    def forward(self, row):
        return self._spoilt(super().forward(row), "forward")

    def inverse(self, row):
        return self._spoilt(super().inverse(row), "inverse")


@pytest.mark.parametrize(
    ("name", "direction"),
    [("dwt2 db4", "forward"), ("dwt db4", "forward"), ("idwt2 db4", "inverse"),
     ("idwt2 db4", "forward"), ("wavedec2 db4, 4 levels", "forward")],
)  # fmt: skip
def test_a_wrong_result_is_found(name, direction):
    row = QUICK.sized(named(name))
    assert verdict(Wrong(direction), row).startswith("wrong: off by 1.0e-03")


def test_an_integer_that_is_off_by_one_is_found():
    class OffByOne(Liftwave):
        def forward(self, row):
            call = super().forward(row)
            return lambda x: (call(x)[0] + 1, call(x)[1])

    row = QUICK.sized(named("dwt2 CDF 5/3 integers"))
    assert verdict(Liftwave(), row) == ""
    assert verdict(OffByOne(), row).startswith("wrong: off by")


def test_an_error_is_told():
    class Failing(PyWavelets):
        def forward(self, row):
            return lambda x: pywt.dwt2(x, "no such wavelet")

    assert verdict(Failing(), SMALL[0]).startswith("fails: ValueError: Unknown wavelet")


def test_blocks_are_where_pywavelets_puts_them():
    row = Row("", "wavedec2", (64, 32), "haar", "periodization", level=3, axes=(-2, -1))
    x = row.input()
    packed, _ = pywt.coeffs_to_array(pywt.wavedec2(x, "haar", "periodization", level=3))
    found = block_bands(row, packed, lambda n: n // 2)
    expected = decomposition(pywt_split(row), row, x)
    assert found.keys() == expected.keys()
    for key, band in expected.items():
        np.testing.assert_array_equal(found[key], band)


@pytest.mark.slow  # draws growth and pictures of all libraries
def test_quick_run_writes_everything(tmp_path, capsys):
    parts = ["dwt2 haar", "idwt2", "CDF 5/3", "dwt db4, small"]
    absent = ["ndwt lifting", "ptwt"]
    peers.main([*parts, "--quick", "--without", *absent, "--out", str(tmp_path)])
    names = [row.name for row in matching(parts)]
    assert len(names) == 4
    assert [line[:30].rstrip() for line in capsys.readouterr().out.splitlines()] == names
    page = (tmp_path / "peers.md").read_text(encoding="utf-8")
    for name in names:
        assert f"| {name} |" in page
    for picture in ("peers.png", "peers_growth.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    stored = json.loads((tmp_path / "peers.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in stored["rows"]] == names
    libraries = {library.name for library in installed()}.difference(absent)
    assert set(stored["versions"]) == libraries >= {"liftwave", "PyWavelets"}
    assert set(stored["growth"]["liftwave"]) == {"1024", "2048", "4096"}
    peers.main(["--redraw", "--out", str(tmp_path)])
    assert (tmp_path / "peers.md").read_text(encoding="utf-8") == page


def test_what_bounds_a_row():
    speeds = roofline.Machine(copied=1e9, fresh=2e9, operations={"float32": 4e9, "float64": 2e9})
    row = replace(named("dwt2 db4"), shape=(1000, 500))
    least = roofline.floors(row, 6_000_000, 4_000_000, speeds)
    # 2 MB in and 4 MB out; 8 products and as many sums for each coefficient along either axis
    assert least == pytest.approx((6e-3, 2e-3, 16e6 / 4e9))
    assert (least.warm, least.fresh) == pytest.approx((6e-3, 8e-3))
    slow = roofline.floors(row, 6_000_000, 0, speeds._replace(operations={"float32": 1e9}))
    assert (slow.warm, slow.fresh) == pytest.approx((16e-3, 16e-3))
    two_levels = replace(row, transform="wavedec2", level=2, dtype="float64")
    assert roofline.operations(two_levels) == pytest.approx(16e6 * 1.25)
    assert roofline.operations(named("dwt2 CDF 5/3 integers")) == 0
    # Without downsampling, each of 3 levels has 2 outputs per sample, then 4.
    undecimated = replace(named("iswt2 db4, 3 levels"), shape=(1000, 500))
    assert roofline.operations(undecimated) == pytest.approx(2 * 8 * 3 * 6 * 500_000)
    # The parts need 1, 2 and 3 filters from the detail bands, and 3 from the approximation.
    signals = replace(named("mra db4, 5 levels"), shape=(1000,), level=3)
    assert roofline.operations(signals) == pytest.approx(2 * 8 * (3 * 2 + 6 + 3) * 1000)
    lifted = replace(named("dwt2 bior4.4 by lifting"), shape=(1000, 500))
    assert roofline.operations(lifted) == pytest.approx(2 * 8 * 0.5 * 2 * 500_000)


def test_bytes_of_a_row_are_those_of_all_its_arrays():
    memory: Any = SimpleNamespace(runs=dict, speeds=lambda times: (1e9, 1e9))
    moved = {}
    for name in ("swt2 db4, 3 levels", "iswt2 db4, 3 levels", "idwt2 db4", "wprec db4, 6 levels"):
        row = named(name).capped(64)
        timed = roofline.timed(row, memory, {}, rounds=1)
        moved[name] = timed.moved / row.input().nbytes
    # An image and ten bands; bands of odd sizes are larger than their share.
    assert moved.pop("swt2 db4, 3 levels") == moved.pop("iswt2 db4, 3 levels") == 11
    assert moved.pop("idwt2 db4") == pytest.approx(1 + (35 / 32) ** 2)
    assert moved.pop("wprec db4, 6 levels") > 2


def test_threads_prints_and_writes_three_tables(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(
        threads, "POOLS", {"threads": threads.POOLS["threads"], "none": ("no", None)}
    )
    before = lw.get_num_threads()
    page = tmp_path / "threads.md"
    threads.main(["dwt2 db4", "--side", "32", "--rounds", "1", "--write", str(page)])
    assert lw.get_num_threads() == before
    text = capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == f"{threads.TITLE}\n{text}"
    tables = re.split("^## ", text, flags=re.MULTILINE)[1:]
    scaling, sizes, pools = (
        [row for row in text.splitlines() if row[:1] == "|"] for text in tables
    )
    assert [row.split("|")[1].strip() for row in scaling[2:]] == [
        row.name for row in matching(["dwt2 db4"]) if not row.small
    ]
    assert [row.split("|")[1].strip() for row in sizes[2:]] == list(threads.TRANSFORMS)
    assert re.match(r"\| threads \| [\d.]+ ms \| [\d.]+ ms \| [\d.]+ \|", pools[2])
    assert pools[3] == "| none | – | – | without no |"


def test_runs_have_their_numbers_of_threads():
    with threads.same_threads_after() as before:
        counts = [threads.with_threads(count, lw.get_num_threads)() for count in (1, 3)]
        assert counts == [1, 3]
    assert lw.get_num_threads() == before


def test_roofline_prints_and_writes_rows(capsys, tmp_path):
    names = ["dwt2 haar", "idwt2 db4", "mra2 ", "small"]
    page = tmp_path / "roofline.md"
    roofline.main([*names, "--side", "64", "--rounds", "1", "--write", str(page)])
    printed = capsys.readouterr().out
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines()[7:]]
    assert [cells[0] for cells in rows] == [row.name for row in matching(names) if not row.small]
    is_warm = {cells[0]: cells[7] != "–" for cells in rows}
    assert is_warm == {name: not name.startswith("mra") for name in is_warm}
    assert all(len(cells) == len(roofline.HEAD) for cells in rows)
    assert page.read_text(encoding="utf-8").endswith(printed)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
def test_memory_is_that_of_the_result_and_little_else():
    row = named("dwt2 db4")
    effort = Effort(side=1024)
    peak = measuring.peak_memory(row, Liftwave(), effort)
    size = effort.sized(row).input().nbytes
    assert 0.9 * size < peak < 2 * size


def measured(**changes):
    found = Measured("dwt2 db4", (4096, 4096), "float32", 1 << 26, 1 << 26, 6e-3, 4e-3, 2.0)
    found.seconds = {"liftwave": 12e-3, "PyWavelets": 0.24, "ndwt": 0.06, "ptwt": 1.2}
    found.ratios = {"PyWavelets": 20.0, "ndwt": 5.0, "ptwt": 100.0}
    found.verdicts = {"liftwave": "", "PyWavelets": "", "ndwt": "", "ptwt": ""}
    return replace(found, **changes)


def test_targets_are_met_or_said_to_be_missed():
    row = named("dwt2 db4")
    assert report.verdict(row, measured()) == "met"
    assert report.verdict(row, measured(copies=2.31)) == "2.31 > 2.2 copies"
    slower = {"PyWavelets": 14.0, "ndwt": 3.9, "ptwt": 0.9}
    assert report.verdict(row, measured(ratios=slower)) == (
        "PyWavelets 14 < 15; ndwt 3.9 < 4; ptwt 0.9 < 1"
    )


def results(rows):
    versions = {"liftwave": "1", "PyWavelets": "1", "ndwt": "1", "ptwt": "1"}
    return report.Results("python -m benchmarks.peers", "a processor", "", {}, versions, 9, rows)


def test_a_wrong_result_is_said_in_the_table():
    row = measured(verdicts=measured().verdicts | {"ptwt": "wrong: off by 1.0e-01 of the largest"})
    page = report.page(results([row]))
    assert "100 (wrong)" in page
    assert "- dwt2 db4, ptwt: wrong: off by 1.0e-01" in page


def test_the_section_of_the_readme_is_rewritten_and_nothing_else(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    report.rewrite(readme, results([measured()]))
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "old" not in text
    assert "| dwt2 db4 | 4096 × 4096 float32, 64 MiB | 12.0 ms | 2.0 | 20 | 5 | 100 |" in text


def test_a_readme_without_its_markers_is_an_error():
    with pytest.raises(ValueError, match="speed: begin"):
        report.written_between_markers("no markers", "section")


def test_runs_are_interleaved_with_what_comes_before_each():
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in "ab"}
    times = measuring.interleaved(runs, 2, before=lambda: calls.append("-"))
    # Each runs once before, to choose the number of calls per measurement.
    assert "".join(calls).endswith("-a-b-a-b")
    assert {name: len(each) for name, each in times.items()} == {"a": 2, "b": 2}
    calls.clear()
    times = measuring.interleaved(runs, 2, before="itself")
    assert "".join(calls).endswith("aabbaabb")
    assert {name: len(each) for name, each in times.items()} == {"a": 2, "b": 2}


def test_growth_is_fitted():
    assert measuring.exponent({1 << k: 3.0 * (1 << k) for k in range(10, 20)}) == pytest.approx(1)
    assert measuring.exponent({1 << 10: 1.0}) is None


TIMED = [
    (transforms.Transforms(), ("dwt db4, small",)),
    (transforms.Copy(), ("dwt db4, small",)),
    (transforms.Growth(), (1024,)),
    (transforms.Threads(), ("wavedec2 db2, 3 levels, batch", 1)),
]


@pytest.mark.parametrize(("timed", "params"), TIMED, ids=lambda value: type(value).__name__)
def test_timing_functions_run(timed, params):
    functions = [name for name in dir(timed) if name.startswith(("time_", "peakmem_"))]
    assert functions
    lists = timed.params if isinstance(timed.params[0], list) else [timed.params]
    assert all(param in each for param, each in zip(params, lists, strict=True))
    timed.setup(*params)
    try:
        for name in functions:
            getattr(timed, name)(*params)
    finally:
        getattr(timed, "teardown", lambda *_: None)(*params)


def test_every_library_has_a_name_of_its_own():
    names = [library.name for library in LIBRARIES]
    assert len(set(names)) == len(names)
