"""Type checkers find wrong arguments in a user's script, and know the types of results."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import liftwave as lw

ROOT = Path(lw.__file__).parent.parent

# A line with the comment "wrong" has an error of types. The other lines have none.
SCRIPT = """
from typing import assert_type

import numpy as np
import torch
from numpy.typing import NDArray

import liftwave as lw
import liftwave.torch as lwt

x: NDArray[np.float64] = np.ones(8)
image: NDArray[np.float64] = np.ones((8, 8))
tensor: torch.Tensor = torch.ones(8)

assert_type(lw.dwt(x, "db2"), tuple[NDArray[np.float64], NDArray[np.float64]])
assert_type(lw.dwt(tensor, "db2"), tuple[torch.Tensor, torch.Tensor])
cA, cD = lw.dwt([1.0, 2.0, 3.0], "haar")
print(cA.shape, lw.idwt(cA, None, "haar").mean())
assert_type(lw.wavedec(tensor, lw.LiftingScheme.from_name("haar"), "zero"), list[torch.Tensor])
assert_type(lw.waverec(lw.wavedec(x, lw.Wavelet("db2")), "db2"), NDArray[np.float64])
assert_type(lw.dwtn(image, ("db1", "db2"), ["zero", "smooth"]), dict[str, NDArray[np.float64]])
assert_type(lw.idwt2(lw.dwt2(image, "db1"), "db1"), NDArray[np.float64])
assert_type(lw.threshold(tensor, 1.0, "hard"), torch.Tensor)
assert_type(lw.denoise(x, rule="garrote"), NDArray[np.float64])
assert_type(lw.dwt(x, "db1", out=lw.dwt(x, "db1")), tuple[NDArray[np.float64], NDArray[np.float64]])
lw.wavedec(x, "db1", out=lw.wavedec(x, "db1"))
lw.decompose(x, "db1", out=lw.decompose(x, "db1"))
lw.dwt(x, "db1", lw.Modes.zero)
lw.dwt(x, "db1", 4)
lw.dwt(x, "db1", "per")

lw.dwt(x, "db1", mode="mirror")  # wrong
lw.dwt(x, 5)  # wrong
lw.wavedec2(image, "db1", mode=("zero", "mirror"))  # wrong
lw.denoise(x, rule="firm")  # wrong
lw.denoise(x, method="minimax")  # wrong
lw.threshold(x, 1.0, "sotf")  # wrong
lw.decompose(x, "db1").threshold(1.0, "firm")  # wrong
lw.pad(x, 2, "wrap")  # wrong
lw.downcoef("b", x, "db1")  # wrong
lw.array_to_coeffs(x, [], "wavedec3")  # wrong
lw.wavedec(x, "db1", level="2")  # wrong
lw.idwt(cA, cD)  # wrong
lw.dwt(x, "db1", out=cA)  # wrong
lw.decompose(x, "db1", out=lw.wavedecn(x, "db1"))  # wrong
lw.LiftingScheme("db4")  # wrong

dwt = lwt.DWT1d("db2", level=2, learn="orthonormal")
assert_type(dwt(tensor), list[torch.Tensor])
assert_type(dwt.inverse()(dwt(tensor), output_size=(8,)), torch.Tensor)
approx, (horizontal, vertical, diagonal) = lwt.DWT2d("db2")(tensor)
assert_type(lwt.SWT1d()(tensor), list[torch.Tensor])
assert_type(lwt.DWT2d("db2", output="concat")(tensor), torch.Tensor)
assert_type(lwt.SWT3d(output="stack").inverse()(tensor), torch.Tensor)
assert_type(lwt.MODWT1d().inverse()(lwt.MODWT1d()(tensor)), torch.Tensor)
assert_type(lwt.WaveletPacket2d()(tensor), torch.Tensor)
assert_type(lwt.SoftPool2d(2)(tensor), torch.Tensor)
assert_type(lwt.AdaPool2d(2, beta=0.5)(tensor), torch.Tensor)
assert_type(lwt.AdaUnpool2d(lwt.AdaPool2d(2))(tensor, tensor), torch.Tensor)
assert_type(lwt.LDWPool2d()(tensor), torch.Tensor)
assert_type(lwt.LDWPool2d("db2", "sum", learn=None)(tensor), torch.Tensor)
assert_type(lwt.LDWPool2d(4, "bands")(tensor), dict[str, torch.Tensor])
assert_type(lwt.LiftDownPool2d(3)(tensor), torch.Tensor)
assert_type(lwt.LiftDownPool2d(3, output="bands")(tensor)["LL"], torch.Tensor)
assert_type(lwt.LiftUpPool2d(lwt.LiftDownPool2d(3))([tensor] * 4), torch.Tensor)
assert_type(lwt.EnergyAttention(8)(tensor), torch.Tensor)
assert_type(lwt.OrthonormalWavelet("db2")(), lw.FilterBank)
assert_type(lwt.LinearPhaseWavelet()(), lw.LiftingScheme)
pool: lwt.LDWPool2d = lwt.LDWPool2d()
assert_type(pool(tensor), torch.Tensor)

lwt.DWT2d("db4", levl=2)  # wrong
lwt.DWT2d("db4", learn="orthogonal")  # wrong
lwt.DWT2d(5)  # wrong
lwt.DWT1d()(image)  # wrong
lwt.DWT1d()(tensor, 2)  # wrong
lwt.DWT1d(output="cat")  # wrong
lwt.SWT1d(mode="mirror")  # wrong
lwt.WaveletPacket1d(order="time")  # wrong
lwt.SoftPool2d(2, strid=2)  # wrong
lwt.IDWPool2d(2, distance="l3")  # wrong
lwt.SimilarityPool1d(2, similarity="cos")  # wrong
lwt.LDWPool2d(4, "smu")  # wrong
lwt.LiftDownPool2d(3, output="LM")  # wrong
lwt.AdaUnpool2d(lwt.AdaPool2d(2))(tensor)  # wrong
lwt.AdaUnpool2d(lwt.SoftPool2d(2))  # wrong
"""


def wrong_lines() -> list[int]:
    return [n for n, line in enumerate(SCRIPT.splitlines(), 1) if line.endswith("# wrong")]


def check(command: list[str], script: Path) -> list[int]:
    """The numbers of the lines in which a type checker finds errors."""
    done = subprocess.run(
        [*command, str(script)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    found = [line for line in done.stdout.splitlines() if f"{script.name}:" in line]
    errors = [line.partition(f"{script.name}:")[2] for line in found if "error" in line]
    assert errors, done.stdout + done.stderr
    return sorted({int(error.split(":")[0]) for error in errors})


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


@pytest.mark.slow  # .ci/run calls it
def test_mypy_finds_wrong_arguments(script: Path) -> None:
    pytest.importorskip("mypy")
    cache = str(script.parent / "cache")
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--cache-dir", cache]
    assert (
        check([*command, "--ignore-missing-imports", "--python-executable", sys.executable], script)
        == wrong_lines()
    )


@pytest.mark.slow
def test_pyright_finds_wrong_arguments(script: Path) -> None:
    settings = script.parent / "pyrightconfig.json"
    settings.write_text(f'{{"extraPaths": ["{ROOT.as_posix()}"], "typeCheckingMode": "standard"}}')
    for name in ("pyright", "basedpyright"):
        command = [sys.executable, "-m", name] if importlib.util.find_spec(name) else [name]
        if shutil.which(command[0]):
            options = ["--pythonpath", sys.executable, "-p", str(settings)]
            assert check([*command, *options], script) == wrong_lines()
            return
    pytest.skip("pyright is not installed; .ci/nightly installs it")
