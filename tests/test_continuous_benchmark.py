"""The benchmark of the continuous transform runs; no speed is asserted."""

from __future__ import annotations

import pytest

from benchmarks import continuous


def test_the_table_has_a_line_for_each_call(capsys: pytest.CaptureFixture[str]) -> None:
    continuous.main(["--samples", "4096", "--repeat", "1"])
    said = capsys.readouterr().out
    for name in ("scalogram, periodic", "pywt cwt, conv", "liftwave coherence", "scattering2d"):
        assert name in said
    twice = 2 * continuous.signal(4096, "float64")
    options = {"frequencies": continuous.frequencies(), "mode": "periodic"}
    with pytest.raises(SystemExit, match="wrong amplitude"):
        continuous.check(twice, options)
