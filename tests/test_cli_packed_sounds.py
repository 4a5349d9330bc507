"""Sounds that soundfile reads: .flac and .ogg."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liftwave.cli import main
from liftwave.cli.media import read
from liftwave.errors import FileError

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")

RATE = 22050
TONE = np.sin(0.05 * np.arange(4000))[:, None] * np.array([0.5, 0.25])


def written(path: Path, samples: Any, subtype: str) -> Path:
    soundfile.write(path, samples, RATE, subtype=subtype)
    return path


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bits", [16, 24])
def test_flac_is_read_bit_by_bit(bits: int, channels: int, tmp_path: Path) -> None:
    largest = 2 ** (bits - 1) - 1
    samples = np.rint(TONE * largest).astype("int32")[:, :channels]
    samples[:2] = [[largest], [-largest - 1]]
    file = written(tmp_path / "x.flac", samples << (32 - bits), f"PCM_{bits}")
    media = read(file)
    assert media.kind == "sound"
    assert media.array.dtype == ("int16" if bits == 16 else "int32")
    np.testing.assert_array_equal(media.array, samples if channels > 1 else samples[:, 0])
    assert media.extra == {"rate": RATE} | ({"bits": 24} if bits == 24 else {})


def test_flac_of_8_bits(tmp_path: Path) -> None:
    samples = np.arange(-128, 128).astype("int16") << 8
    media = read(written(tmp_path / "x.flac", samples, "PCM_S8"))
    np.testing.assert_array_equal(media.array, samples)


def test_ogg_is_read_as_numbers(tmp_path: Path) -> None:
    media = read(written(tmp_path / "X.OGG", TONE, "VORBIS"))
    assert media.array.dtype == np.float32
    assert media.array.shape == TONE.shape
    assert np.abs(media.array - TONE).max() < 0.05


def test_a_command_reads_flac_and_writes_wav(tmp_path: Path) -> None:
    samples = np.rint(TONE[:, 0] * (2**23 - 1)).astype("int32")
    file = written(tmp_path / "x.flac", samples << 8, "PCM_24")
    coefficients, target = tmp_path / "x.npz", tmp_path / "x.wav"
    assert main(["decompose", str(file), str(coefficients), "-w", "cdf5.3", "--integer"]) == 0
    assert main(["reconstruct", str(coefficients), str(target)]) == 0
    back = read(target)
    np.testing.assert_array_equal(back.array, samples)
    assert back.extra == {"rate": RATE, "bits": 24}


def test_files_that_cannot_be_written_or_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "x.flac", TONE, "PCM_16")
    assert main(["denoise", str(file), str(tmp_path / "y.flac")]) != 0
    assert "cannot write data to a .flac file; use " in capsys.readouterr().err
    cut = tmp_path / "cut.flac"
    cut.write_bytes(file.read_bytes()[:-800])
    with pytest.raises(FileError, match=r"cut\.flac: not a readable sound"):
        read(cut)
    (tmp_path / "text.ogg").write_text("no sound at all")
    with pytest.raises(FileError, match=r"text\.ogg: not a readable sound"):
        read(tmp_path / "text.ogg")


def test_without_soundfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "x.flac", TONE, "PCM_16")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(FileError, match=r"a \.flac file needs soundfile: pip install 'liftwave"):
        read(file)
