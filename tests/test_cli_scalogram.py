"""The command scalogram: pictures, ridges, components, tables, errors."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from files import enter, succeed
from scipy.io import wavfile

import liftwave as lw
from liftwave.cli import main

T = np.arange(600) / 60
TONE, CHIRP = np.cos(2 * np.pi * 12 * T), 0.4 * np.cos(2 * np.pi * (1.5 * T + 0.1 * T**2))
SOUND = (8000 * np.sin(2 * np.pi * 440 * np.arange(2000) / 8000)).astype(np.int16)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    enter(tmp_path, monkeypatch)
    np.save("x.npy", TONE + CHIRP)
    np.save("music.npy", np.stack([TONE, CHIRP]))
    np.save("signal.npy", TONE)
    wavfile.write("music.wav", 8000, np.stack([SOUND, SOUND // 2], axis=1))
    write_table("series.csv", "time,level,other", zip(T, TONE + CHIRP, CHIRP, strict=True))
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    return lambda *arguments: succeed(capsys, *arguments)


def write_table(name, header, rows):
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        file.write(header + "\n" if header else "")
        csv.writer(file).writerows(rows)


def test_the_table_has_a_line_for_each_component(run):
    said = run("scalogram", "x.npy", "--fs", "60", "--ridges", "2")
    first, second = (line.split() for line in said.splitlines() if re.match(r" *[12] ", line))
    assert float(first[1]) == pytest.approx(12, rel=0.03)
    assert float(first[4]) == pytest.approx(1, rel=0.02)
    assert 1.5 < float(second[1]) < 3.5
    assert "median Hz" in said
    assert "1/samples" in run("scalogram", "x.npy")


@pytest.mark.parametrize("squeeze", [(), ("--synchrosqueeze",)])
def test_archives_have_the_rows_and_the_components(run, squeeze):
    arguments = ("--fs", "60", "-w", "morlet(6)", "--band", "1,20", "--voices", "12")
    run("scalogram", "x.npy", "all.npz", *arguments, *squeeze)
    rows = lw.scalogram(TONE + CHIRP, 60, "morlet(6)", limits=(1, 20), voices=12)
    rows = rows.synchrosqueeze() if squeeze else rows
    (ridge,) = rows.ridges()
    with np.load("all.npz") as archive:
        np.testing.assert_allclose(archive["coefficients"], rows.coefficients)
        np.testing.assert_array_equal(archive["frequencies"], rows.frequencies)
        np.testing.assert_array_equal(archive["ridge_frequencies"], [ridge.frequencies])
        np.testing.assert_allclose(archive["components"], [ridge.component])
        assert {"times", "coi", "ridge_amplitudes"} <= set(archive.files)


def test_tables_have_times_and_columns(run):
    run("scalogram", "series.csv", "ridges.csv", "--ridges", "2")
    with Path("ridges.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["time", "frequency1", "amplitude1", "frequency2", "amplitude2"]
    values = np.array(rows[1:], float)
    np.testing.assert_allclose(values[:, 0], T, atol=1e-6)
    assert np.median(values[:, 1]) == pytest.approx(12, rel=0.03)
    said = run("scalogram", "series.csv", "--key", "other")
    assert float(re.search(r"^ *1 +(\S+)", said, re.MULTILINE)[1]) < 4
    write_table("bare.csv", "", zip(T, TONE, strict=True))
    write_table("one.csv", "x", zip(TONE, strict=True))
    assert "median Hz" in run("scalogram", "bare.csv")
    assert "1/samples" in run("scalogram", "one.csv")


def test_sounds_get_the_loudest_component(run, folder):
    said = run("scalogram", "music.wav", "loudest.wav", "--band", "100,2000", "--plot", "a.png")
    assert "the first of 2 channels" in said
    rate, samples = wavfile.read(folder / "loudest.wav")
    assert (rate, samples.dtype, samples.shape) == (8000, np.int16, (2000,))
    assert np.abs(samples[200:-200] - SOUND[200:-200]).max() < 200
    assert (folder / "a.png").read_bytes()[:4] == b"\x89PNG"
    run("scalogram", "x.npy", "y.wav", "--fs", "60")
    assert wavfile.read(folder / "y.wav")[1].dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("missing.npy", "missing.npy"),
        ("x.npy y.png", r"cannot write scalograms to a \.png file; use \.npz, \.csv or \.wav"),
        ("x.npy y.wav", "a whole number of samples per second; pass --fs"),
        ("x.npy --fs -1", "--fs must be a positive number, got -1"),
        ("x.npy --band 3", "--band needs two numbers, as 50,4000; got '3'"),
        ("x.npy --band 0.1,4", "above 0 and at most fs / 2 = 0.5"),
        ("x.npy -w db4", "unknown analytic wavelet 'db4'"),
        ("x.npy --plot y.gif", r"cannot write pictures to a \.gif file"),
        ("music.npy", r"shows one real series, but the file holds an array of shape \(2, 600\)"),
        ("series.csv --key no", "no column 'no'; it has time, level, other"),
        ("gaps.csv", "must increase by equal steps"),
        ("words.csv", "not a table of numbers"),
        ("empty.csv", "the table has no numbers"),
    ],
)
def test_errors_say_what_is_right(arguments, message, folder, capsys):
    write_table("gaps.csv", "t,x", [(0, 1), (1, 2), (3, 4)])
    write_table("words.csv", "t,x", [(0, "one")])
    write_table("empty.csv", "t,x", [])
    assert main(["scalogram", *arguments.split()]) == 2
    assert re.search(message, " ".join(capsys.readouterr().err.split()))


def test_examples_in_the_help_run(run):
    for line in re.findall(r"^ *liftwave (.*?) *$", run("scalogram", "--help"), re.MULTILINE):
        words = [part.strip("'") for part in re.findall(r"'[^']*'|\S+", line)]
        assert run(*words)
