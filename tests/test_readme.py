"""The README's numbers and lists: what other tests of the same subjects do not cover."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pywt

import liftwave as lw
from benchmarks import peers
from benchmarks.report import headline, written_between_markers
from liftwave.errors import LiftwaveError

README = Path(__file__).parent.parent / "README.md"


def test_the_table_of_times_has_the_committed_figures() -> None:
    text = README.read_text(encoding="utf-8")
    results = peers._read(peers.RESULTS / "peers.json")
    assert text == written_between_markers(text, headline(results))


def test_all_names_of_pywavelets_exist() -> None:
    names = {name for name, value in vars(pywt).items() if not isinstance(value, ModuleType)}
    public = {name for name in names if not name.startswith("_")} - {"test"}  # runs pytest
    assert public - set(dir(lw)) == set()
    assert len(public) > 60


def has_a_scheme(wavelet: str) -> bool:
    try:
        lw.LiftingScheme.from_wavelet(wavelet)
    except LiftwaveError:
        return False
    return True


def test_the_number_of_lifting_schemes() -> None:
    stated = re.findall(r"(\d+) wavelets as \[lifting", README.read_text(encoding="utf-8"))
    assert stated == [str(sum(map(has_a_scheme, pywt.wavelist(kind="discrete"))))]
