"""Decompositions written to files and read again."""

from __future__ import annotations

import json
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liftwave as lw
from liftwave.cli import main
from liftwave.decomposition.archive import read_archive
from liftwave.errors import FileError, LiftwaveError
from liftwave.lifting import LiftingScheme

RNG = np.random.default_rng(0)
IMAGE = RNG.standard_normal((41, 53))
WHOLE = RNG.integers(0, 256, (41, 53)).astype(np.uint8)
EXACT = LiftingScheme.from_name("cdf5.3").to_integer()
OWN = LiftingScheme(
    LiftingScheme.from_name("cdf9.7").steps, scale=(1.5, -0.25), name="own", shift=(0, 0)
)
HUGE = {"slot": 0, "length": 10**12}
FACTORS = (1.25, 1.25, 0.8, 0.8)
BANK = lw.FilterBank(
    *(tuple(c * v for v in f) for c, f in zip(FACTORS, lw.Wavelet("db3").filter_bank, strict=True))
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "d.npz"


@pytest.mark.parametrize(
    "d",
    [
        lw.decompose(np.arange(7.0), "db2", level=1),
        lw.decompose(IMAGE, "bior2.2", level=2, mode="periodization"),
        lw.decompose(IMAGE.astype(np.float32), ("haar", "sym4"), 1, ("reflect", "zero")),
        lw.decompose(IMAGE, "cdf9.7", level=1, axes=1),
        lw.decompose(IMAGE + 1j * IMAGE[::-1], "coif1", level=1, axes=(1, 0)),
        lw.decompose(WHOLE, EXACT, level=2, mode="reflect"),
        lw.decompose(WHOLE, OWN, level=2, mode="symmetric"),
        lw.decompose(IMAGE, BANK, level=1),
        lw.decompose(np.ones((3, 4, 5)), "haar", level=1),
        lw.decompose(IMAGE, "haar", level=0),
        lw.decompose(np.array([np.nan, np.inf, 1.0, 2.0]), "haar", level=1).map(np.sign),
    ],
    ids=str,
)
@pytest.mark.parametrize("zstd", [False, True], ids=["zip", "zstd"])
def test_the_same_after_reading(d: Any, zstd: bool, path: Path) -> None:
    if zstd:
        pytest.importorskip("numcodecs")
    d.save(path, zstd=zstd)
    again = lw.Decomposition.load(path)
    assert again.shape == d.shape
    assert again.dtype == d.dtype
    assert again.wavelets == d.wavelets
    assert again.modes == d.modes
    assert again.axes == d.axes
    assert [w.name for w in again.wavelets] == [w.name for w in d.wavelets]
    assert again.bands.keys() == d.bands.keys()
    for band, old in zip(again.bands.values(), d.bands.values(), strict=True):
        assert band.dtype == old.dtype
        np.testing.assert_array_equal(band, old)
    np.testing.assert_array_equal(again.reconstruct(), d.reconstruct())
    assert again.reconstruct().dtype == d.reconstruct().dtype


def test_torch_arrays_are_stored_as_numpy(path: Path) -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor(IMAGE, dtype=torch.float32, requires_grad=True)
    taps = torch.tensor(lw.Wavelet("db2").dec_lo, requires_grad=True)
    bank = lw.FilterBank(*[taps * (k + 1) for k in range(4)])
    d = lw.decompose(x, bank, level=2)
    d.save(path)
    stored = lw.Decomposition.load(path)
    assert isinstance(stored.approx, np.ndarray)
    assert stored.dtype == np.float32
    assert stored.wavelet.dec_hi == tuple((taps * 2).tolist())
    np.testing.assert_array_equal(stored[1, "dd"], d[1, "dd"].detach().numpy())
    again = lw.Decomposition.load(path, like=x)
    assert again.dtype == torch.float32
    assert all(torch.equal(again[which], d[which]) for which in d)
    again.approx.add_(1)  # its memory is its own


def test_bfloat16_is_refused_before_a_file_exists(path: Path) -> None:
    torch = pytest.importorskip("torch")
    d = lw.decompose(torch.ones(8, dtype=torch.bfloat16), "haar", level=1)
    with pytest.raises(TypeError, match="not bfloat16") as error:
        d.save(path)
    assert isinstance(error.value, LiftwaveError)
    assert not path.exists()


def test_small_values_take_small_dtypes(path: Path) -> None:
    d = lw.decompose(WHOLE, EXACT, level=1, mode="reflect")
    d.save(path)
    with np.load(path) as file:
        assert file["level1_dd"].dtype == np.int16
        assert np.array_equal(file["level1_dd"], d[1, "dd"])


def test_command_line_and_library_read_each_other(tmp_path: Path) -> None:
    data, archive, again = tmp_path / "x.npy", tmp_path / "x.npz", tmp_path / "again.npy"
    np.save(data, IMAGE)
    assert main(["decompose", str(data), str(archive), "-w", "db2", "--level", "2"]) == 0
    d = lw.Decomposition.load(archive)
    assert d == lw.decompose(IMAGE, "db2", level=2)
    (2 * d).save(archive)
    assert main(["reconstruct", str(archive), str(again)]) == 0
    np.testing.assert_allclose(np.load(again), 2 * IMAGE, atol=1e-13)


@pytest.mark.parametrize(
    ("wavelet", "choice"),
    [
        ("db2", {"wavelet": "db2", "lifting": False, "integer": False}),
        (LiftingScheme.from_name("cdf9.7"), {"wavelet": "cdf9.7", "lifting": True}),
        (EXACT, {"wavelet": "cdf5.3", "integer": True}),
    ],
    ids=["filters", "lifting", "integer"],
)
def test_first_format(wavelet: Any, choice: dict[str, Any], path: Path) -> None:
    """Archives of version 0.1.0 named one wavelet and one mode."""
    d = lw.decompose(WHOLE, wavelet, level=1, mode="reflect")
    d.save(path)
    header = description(path) | {"format": 1, "mode": "reflect", "kind": "image", "extra": {}}
    header |= {"lifting": False, "integer": False} | choice
    rewrite(path, {k: v for k, v in header.items() if k not in ("wavelets", "modes", "metadata")})
    assert lw.Decomposition.load(path) == d
    assert read_archive(path).metadata == {"kind": "image", "extra": {}}


def description(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(json.loads(str(file["liftwave"])))


def rewrite(path: Path, header: Any) -> None:
    with np.load(path) as file:
        bands = {name: file[name] for name in file.files}
    np.savez(path, **(bands | {"liftwave": np.array(json.dumps(header))}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 4}, "unknown format 4"),
        ({"format": "2"}, 'unknown format "2"'),
        ({"wavelets": ["db2"]}, "its 1 wavelets and 2 modes should be as many as its 2 axes"),
        ({"wavelets": ["db2", "nix"]}, "nix"),
        ({"wavelets": ["db2", {"name": "x"}]}, "a wavelet is not valid"),
        ({"wavelets": ["db2", 3]}, "not a valid archive"),
        ({"wavelets": ["db2", {"taps": [HUGE] * 4, "name": ""}]}, "a wavelet is not valid"),
        ({"wavelets": ["db2", {"taps": [[1]], "name": ""}]}, "not a valid archive"),
        ({"modes": ["zero", "nothing"]}, "nothing"),
        ({"modes": ["zero", ["x"]]}, "not a valid archive"),
        ({"axes": [0, 0]}, "axes passed must be unique"),
        ({"axes": [0, 5]}, "axis"),
        ({"shape": [41, 60]}, "should have the shape"),
        ({"level": 40}, "too few for 40 levels"),
        ({"dtype": "O"}, "numbers"),
        ({"dtype": "nix"}, "not a valid archive"),
        ({"coefficients": "c16"}, "'coefficients' should have a kind"),
        ({"metadata": []}, "'metadata' should be a table"),
    ],
    ids=str,
)
def test_wrong_descriptions(change: dict[str, Any], message: str, path: Path) -> None:
    lw.decompose(IMAGE, "db2", level=1, mode="zero").save(path)
    rewrite(path, description(path) | change)
    with pytest.raises(FileError, match=message) as error:
        lw.Decomposition.load(path)
    assert str(error.value).startswith(str(path))


def test_wrong_files(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file") as error:
        lw.Decomposition.load(path)
    assert isinstance(error.value, LiftwaveError)
    with pytest.raises(FileError, match="directory"):
        lw.Decomposition.load(path.parent)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="empty"):
        lw.Decomposition.load(path)
    np.savez(path, a=np.ones(3))
    with pytest.raises(FileError, match=r"not an archive of coefficients \(it holds a\)"):
        lw.Decomposition.load(path)
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(FileError, match="pickled objects, which are never read"):
        lw.Decomposition.load(path)


@pytest.mark.parametrize("name", [3, None, b"name", [], object()])
def test_names_that_are_none(name: Any) -> None:
    d = lw.decompose(np.ones(4), "haar", level=1)
    for call in (d.save, lw.Decomposition.load):
        with pytest.raises(TypeError, match="path must be the name of a file") as error:
            call(name)
        assert isinstance(error.value, LiftwaveError)


def test_targets(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    d = lw.decompose(np.ones(4), "haar", level=1)
    with pytest.raises(OSError, match="cannot write it"):
        d.save(path / "missing" / "file.npz")
    with pytest.raises(FileError, match="cannot write it"):
        d.save(path.parent)
    monkeypatch.chdir(path.parent)
    d.save("-")  # a file of this name, not standard output
    assert lw.Decomposition.load("-") == d
    (2 * d).save("-")
    assert lw.Decomposition.load("-") == 2 * d
    path.write_bytes(b"precious")
    path.chmod(0o444)
    with pytest.raises(FileError, match="read-only"):
        d.save(path)
    assert path.read_bytes() == b"precious"
    assert sorted(file.name for file in path.parent.iterdir()) == ["-", "d.npz"]


def test_large_files_need_permission(path: Path) -> None:
    d = lw.decompose(np.zeros(2**17), "haar", level=1)
    d.save(path)
    header = description(path)
    with zipfile.ZipFile(path) as file:
        ratio = Fraction(sum(e.file_size for e in file.infolist()), path.stat().st_size)
    assert ratio > 100  # a file that would be refused if it were large
    assert header["shape"] == [2**17]
    assert lw.Decomposition.load(path, large=True) == lw.Decomposition.load(path) == d
