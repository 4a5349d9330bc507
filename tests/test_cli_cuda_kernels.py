"""The command compile-kernels, without a device: CuPy's compiler is replaced."""

from __future__ import annotations

import pytest
from files import succeed

from liftwave._kernels.cuda.common import recording
from liftwave._kernels.cuda.common.runtime import DeviceRuntime
from liftwave.cli import main
from liftwave.cli.choice import Choice
from liftwave.cli.cuda_kernels import kernels_of

TILES = [
    "liftwave::analysis_tile<float, float, float, 8, 8, 2, 4, false, false>",
    "liftwave::synthesis_tile<float, float, float, 8, 8, 4, false, false>",
]


def names(*arguments, gradients=False):
    wavelet, mode, dtype, dimensions = arguments
    found = kernels_of([wavelet], mode, dtype, dimensions, gradients)
    return [kernel.expression.partition("<")[0].removeprefix("liftwave::") for kernel in found]


def test_each_kernel_is_compiled_once(monkeypatch, capsys):
    compiled = []
    monkeypatch.setattr(DeviceRuntime, "missing", lambda self: None)
    monkeypatch.setattr(recording, "compiled", compiled.append)
    table = succeed(capsys, "compile-kernels", "db4", "sym4")  # of equal length
    assert [kernel.expression for kernel in compiled] == TILES
    assert all(name in table for name in TILES)
    listed = succeed(capsys, "compile-kernels", "db4", "--dry")
    assert all(name in listed for name in TILES)
    assert len(compiled) == 2


def test_dimensions_lifting_and_gradients_have_their_kernels():
    assert names(Choice("db4"), "symmetric", "float64", 1) == ["analysis_lines", "synthesis_lines"]
    lifted = ["lift_analysis", "lift_synthesis"]
    assert names(Choice("cdf5.3", integer=True), "reflect", "int16", 2) == [lifted[0], *lifted]
    lifting = Choice("cdf9.7", lifting=True)
    pulled = names(lifting, "reflect", "float64", 1, gradients=True)
    assert pulled == [*lifted, "lift_vjp", "lift_vjp"]
    by_filters = names(lifting, "periodization", "float32", 1)
    assert by_filters == ["analysis_lines", "synthesis_lines"]
    assert "tap_gradients" in names(Choice("db4"), "symmetric", "float16", 2, gradients=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dtype", "float12"], "use one of float16, float32"),
        (["--dimensions", "4"], "must be 1, 2 or 3, got 4"),
        (["--lifting", "--mode", "smooth"], "not defined for lifting"),
        ([], "cannot be compiled here: nothing is here"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(options, message, monkeypatch, capsys):
    monkeypatch.setattr(DeviceRuntime, "missing", lambda self: "nothing is here")
    monkeypatch.setattr(recording, "compiled", None)
    assert main(["compile-kernels", "db4", *options]) != 0
    assert message in capsys.readouterr().err
