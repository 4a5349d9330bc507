"""The benchmark of denoising runs; no speed is asserted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import denoising


def test_the_table_has_a_row_for_each_recipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = np.repeat([1.0, -1.0, 0.5, 1.0], 64)
    data = [denoising.Cell("signals", "sine", clean, 0.2, 2.0)]
    monkeypatch.setattr(denoising, "cells", lambda quick: iter(data))
    monkeypatch.setattr(denoising, "find_spec", lambda name: None)  # only what is always installed
    denoising.main(["--quick", "--only", "signals"])
    rows = capsys.readouterr().out.splitlines()
    decibels = {r.split("|")[1].strip(): float(r.split("|")[2]) for r in rows[2:] if r}
    names = [f"liftwave {m}, {t}" for t in ("dwt", "swt", "dtcwt") for m in denoising.METHODS]
    assert list(decibels)[: len(names)] == names
    assert decibels["liftwave bls-gsm, swt"] > decibels["PyWavelets universal soft"] > 10


def test_the_data_are_those_of_the_page() -> None:
    kinds = [cell.kind for cell in denoising.cells(quick=True)]  # one photograph
    assert kinds == ["signals"] * 13 + ["images"] * 3 + ["volume"]
