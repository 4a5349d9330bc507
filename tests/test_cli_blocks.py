"""The command line on files that are transformed block by block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from files import enter, succeed

import liftwave as lw
import liftwave.zarr
from liftwave._blocks import tasks
from liftwave.cli import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., str]:
    enter(tmp_path, monkeypatch)
    said: Callable[..., str] = lambda *arguments: succeed(capsys, *arguments)  # noqa: E731
    return said


def image() -> Any:
    return np.random.default_rng(0).integers(0, 255, (90, 130)).astype("uint8")


def test_folders_of_zarr_come_back(run: Callable[..., str]) -> None:
    x = image()
    zarr.create_array("x.zarr", data=x, chunks=(32, 32))
    said = run("decompose", "x.zarr", "c.zarr", "-w", "cdf5.3", "--integer", "--level", "2")
    assert "45x65" in said
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    assert liftwave.zarr.open_decomposition("c.zarr") == lw.decompose(x, scheme, 2)
    assert "90x130" in run("reconstruct", "c.zarr", "again.zarr")
    np.testing.assert_array_equal(zarr.open_array("again.zarr")[...], x)
    run("reconstruct", "c.zarr", "again.npy")
    np.testing.assert_array_equal(np.load("again.npy"), x)


def test_arrays_of_other_files(run: Callable[..., str]) -> None:
    x = image()
    np.save("x.npy", x)
    run("decompose", "x.npy", "c.zarr", "--axes", "1")
    assert liftwave.zarr.open_decomposition("c.zarr") == lw.decompose(x, "bior4.4", axes=1)
    group = zarr.open_group("group.zarr", mode="w")
    for name in ("one", "two"):
        group.create_array(name, shape=x.shape, dtype=x.dtype)[...] = x
    run("decompose", "group.zarr", "c.zarr", "--key", "two", "--force")
    assert liftwave.zarr.open_decomposition("c.zarr") == lw.decompose(x, "bior4.4")


def test_hdf5(run: Callable[..., str]) -> None:
    h5py = pytest.importorskip("h5py")
    x = image()
    with h5py.File("x.h5", "w") as file:
        file.create_dataset("data", data=x, chunks=(32, 32))
    run("decompose", "x.h5", "c.zarr")
    assert liftwave.zarr.open_decomposition("c.zarr") == lw.decompose(x, "bior4.4")


def test_an_interrupted_run_continues(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    zarr.create_array("x.zarr", data=image(), chunks=(32, 32))

    def fail(self: Any, block: Any) -> Any:
        raise MemoryError("no memory")

    with monkeypatch.context() as patched:
        patched.setattr(tasks.Analysis, "run", fail)
        assert main(["decompose", "x.zarr", "c.zarr", "--level", "1"]) != 0
    assert main(["reconstruct", "c.zarr", "y.zarr"]) != 0
    assert "is not complete" in capsys.readouterr().err
    run("decompose", "x.zarr", "c.zarr", "--level", "1")
    assert liftwave.zarr.open_decomposition("c.zarr") == lw.decompose(image(), "bior4.4", 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("decompose", "nothing.zarr", "c.zarr"), "no such file"),
        (
            ("decompose", "photo.png", "c.zarr"),
            ".zarr, .h5, .hdf5, .npy can be read in blocks",
        ),
        (("decompose", "x.npy", "no/c.zarr"), "does not exist"),
        (("decompose", "x.npy", "c.zarr", "--key", "a"), "--key"),
        (("decompose", "text.zarr", "c.zarr"), "not a readable array"),
        (("decompose", "x.npy", "file.zarr"), "is a file"),
        (("decompose", "x.npy", "c.zarr", "--integer", "-w", "cdf5.3"), "needs integer data"),
        (("decompose", "two.zarr", "c.zarr"), "choose one by --key"),
        (("decompose", "two.zarr", "c.zarr", "--key", "c"), "no array 'c'"),
        (("reconstruct", "two.zarr", "y.zarr"), "not a group of coefficients"),
        (("reconstruct", "nothing.zarr", "y.zarr"), "no such folder"),
    ],
)
def test_errors(
    arguments: tuple[str, ...], message: str, run: Callable[..., str], capsys: Any
) -> None:
    np.save("x.npy", np.ones((8, 8)))
    Path("text.zarr").mkdir()
    Path("file.zarr").write_text("text")
    group = zarr.open_group("two.zarr", mode="w")
    for name in ("a", "b"):
        group.create_array(name, shape=(8, 8), dtype="float64")
    assert main([*arguments]) != 0
    assert message in " ".join(capsys.readouterr().err.split())
