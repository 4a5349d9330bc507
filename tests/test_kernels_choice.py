"""The choice of kernels: unsupported calls fall back, or raise under ``"cpu!"``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from helpers import zero_mean

import liftwave as lw
from liftwave import _dispatch, pooling
from liftwave._kernels.contract import Kernels
from liftwave._kernels.no_fallback import TASKS, no_fallback
from liftwave._kernels.pooling_contract import LiftPoolKernels, PoolingKernels
from liftwave.errors import KernelsError

pytestmark = [
    pytest.mark.skipif(not _dispatch.compiled(), reason="compiled kernels were not built"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning"),  # torch's own
]

MAPS = zero_mean((2, 3, 8, 8))


@pytest.mark.parametrize("call", [
    lambda: lw.dwt(MAPS.astype("longdouble"), "db2"),
    lambda: pooling.edscw_pool(MAPS, 2, per_channel=False),
    lambda: lw.vjp(lw.dwt, torch.ones(8).requires_grad_(), "db2"),
])  # fmt: skip
def test_a_fallback_is_an_error_only_if_the_user_says_so(call: Callable[[], Any]) -> None:
    with lw.kernels("cpu"):
        call()
    with lw.kernels("cpu!"), pytest.raises(KernelsError, match="no compiled kernel supports"):
        call()
    call()


def test_the_error_says_what_was_asked_and_what_would_be_right() -> None:
    with lw.kernels("cpu!"):
        with pytest.raises(KernelsError) as of_array:
            lw.dwt(np.ones(8, "longdouble"), "db2")
        with pytest.raises(KernelsError) as of_arguments:
            pooling.edscw_pool(MAPS.astype("f4"), 2, per_channel=False)
        with pytest.raises(KernelsError) as of_recorded:
            lw.vjp(lw.dwt, torch.ones(8).requires_grad_(), "db2")
    assert str(of_array.value) == (
        f"kernels 'cpu!': no compiled kernel supports a transform of numpy.ndarray of "
        f"{np.dtype('longdouble')} with shape (8,) on cpu. Pass NumPy arrays or torch tensors in "
        "the processor's memory, in float32, float64, complex64 or complex128 (integers for "
        "integer lifting), or use lw.kernels('cpu'), which falls back to the reference kernels"
    )
    assert str(of_arguments.value) == (
        "kernels 'cpu!': no compiled kernel supports pooling by weights (weights='exp-dice', "
        "up='nearest', vectors of 3 channels) of numpy.ndarray of float32 with shape (6, 8, 8) on "
        "cpu. Change the arguments, or use lw.kernels('cpu'), which falls back to the reference "
        "kernels"
    )
    assert "torch.Tensor of float32 with shape (8,) on cpu" in str(of_recorded.value)
    assert "call it under torch.no_grad()" in str(of_recorded.value)


@pytest.mark.parametrize(("name", "said"), [
    ("gpu!", "unknown kernels 'gpu!'; available: 'reference', 'cpu', 'cpu!'"),
    ("reference!", "unknown kernels 'reference!'.*the reference kernels have no fallback"),
    ("!", "unknown kernels '!'"),
    ("cpu!!", "unknown kernels 'cpu!!'"),
])  # fmt: skip
def test_wrong_names(name: str, said: str) -> None:
    with pytest.raises(KernelsError, match=said), lw.kernels(name):
        pass


def test_cuda_without_a_device_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dispatch, "_load_cuda", lambda: "there is no device")
    monkeypatch.delitem(_dispatch._families, "cuda!", raising=False)
    with (
        pytest.raises(KernelsError, match="kernels 'cuda!' cannot run here: there is no device"),
        lw.kernels("cuda!"),
    ):
        pass


def run_script(code: str, choice: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import numpy as np, liftwave as lw; " + code],
        env=os.environ | {"LIFTWAVE_KERNELS": choice},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_environment() -> None:
    done = run_script("lw.dwt(np.ones(8), 'haar'); lw.show_config()", "cpu!")
    assert "kernels           cpu! (no fallback)" in done.stdout
    assert "no compiled kernel supports" in run_script(
        "lw.dwt(np.ones(8, 'longdouble'), 'haar')", "cpu!"
    ).stderr  # fmt: skip
    assert "unknown kernels 'gpu!'" in run_script("lw.dwt(np.ones(8), 'haar')", "gpu!").stderr


def test_the_configuration_is_that_of_the_block(capsys: pytest.CaptureFixture[str]) -> None:
    with lw.kernels("cpu!"):
        lw.show_config()
    assert "cpu! (no fallback)" in capsys.readouterr().out
    lw.show_config()
    assert "fallback" not in capsys.readouterr().out


def test_torch_honours_it_in_the_backward_pass() -> None:
    x = torch.tensor(MAPS, requires_grad=True)
    y = pooling.edscw_pool(x, 2, per_channel=False).sum()
    with lw.kernels("cpu!"), pytest.raises(KernelsError, match="derivative of pooling by weights"):
        y.backward()
    with lw.kernels("cpu!"):
        pooled = pooling.soft_pool(x, 2).square().sum()
        (gradient,) = torch.autograd.grad(pooled, x, create_graph=True)
        with pytest.raises(KernelsError, match="Use first derivatives only"):
            gradient.sum().backward()


def test_what_torch_records_by_design_is_no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.tensor(MAPS)
    with lw.kernels("cpu!"):
        torch.func.jvp(lambda v: pooling.soft_pool(v, 2), (x,), (x,))
        monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
        lw.dwt2(x.requires_grad_(), "db2")


def test_every_kernel_has_words() -> None:
    protocols: list[Any] = [Kernels, PoolingKernels, LiftPoolKernels]
    names = {
        name
        for protocol in protocols
        for cls in protocol.__mro__
        for name, value in vars(cls).items()
        if callable(value) and not name.startswith("_")
    }
    # these compute nothing
    names -= {"native_run", "native_packets", "native_spectral", "native_dual_tree"}
    assert names == set(TASKS)
    kernels: Any = no_fallback("cpu", "arrays")
    assert get_args(get_type_hints(no_fallback)["cause"]) == ("arguments", "arrays", "derivative")
    for name in names:
        with pytest.raises(KernelsError, match=TASKS[name]):
            getattr(kernels.pooling, name)(np.ones(3))
    with pytest.raises(AttributeError):
        _ = kernels.analyze
