"""Gradients of ``upcoef`` on torch tensors: correct, of every kind, by compiled kernels."""

from __future__ import annotations

from typing import Any

import pytest
import pywt
import torch
from helpers import assert_close, zero_mean
from torch.autograd import gradcheck, gradgradcheck

import liftwave as lw
from liftwave import _dispatch

pytestmark = [
    pytest.mark.skipif(not _dispatch.compiled(), reason="compiled kernels were not built"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning"),  # torch's own
]

EVERY_KIND: Any = {"check_forward_ad": True, "check_batched_grad": True, "fast_mode": True}
CASES = [(part, level, take) for part in "ad" for level in (1, 3) for take in (0, 9)]


def leaf(n: int, seed: int = 0) -> torch.Tensor:
    return torch.asarray(zero_mean(n, seed)).requires_grad_()


def filters() -> list[torch.Tensor]:
    bank = pywt.Wavelet("db2").filter_bank
    return [torch.tensor(taps, dtype=torch.float64, requires_grad=True) for taps in bank]


@pytest.mark.parametrize(("part", "level", "take"), CASES)
def test_gradients_in_the_band(part: str, level: int, take: int) -> None:
    with lw.kernels("cpu!"):
        assert gradcheck(lambda x: lw.upcoef(part, x, "db2", level, take), leaf(7), **EVERY_KIND)
        assert gradgradcheck(lambda x: lw.upcoef(part, x, "db2", level, take), leaf(7))


@pytest.mark.parametrize(("part", "level", "take"), CASES)
def test_gradients_in_the_taps(part: str, level: int, take: int) -> None:
    def upcoef(x: torch.Tensor, *taps: torch.Tensor) -> torch.Tensor:
        return lw.upcoef(part, x, lw.FilterBank(*taps), level, take)

    with lw.kernels("cpu!"):
        assert gradcheck(upcoef, (leaf(7), *filters()), **EVERY_KIND)
    assert gradgradcheck(upcoef, (leaf(7), *filters()), fast_mode=True)


@pytest.mark.parametrize("part", ["a", "d"])
def test_the_gradients_of_vjp(part: str) -> None:
    x, taps = leaf(9), filters()
    y = lw.upcoef(part, x, lw.FilterBank(*taps), 2, 11)
    cotangent = torch.asarray(zero_mean(11, 1))
    wanted = torch.autograd.grad(y, [x, *taps[2:]], cotangent, allow_unused=True)
    got, pullback = lw.vjp(lw.upcoef, part, x.detach().numpy(), "db2", 2, 11)
    gradient = pullback(cotangent.numpy())
    assert_close(y.detach().numpy(), got)
    assert_close(wanted[0].numpy(), gradient.data)
    for value, of_vjp in zip(
        wanted[1:], (gradient.wavelet.rec_lo, gradient.wavelet.rec_hi), strict=True
    ):
        assert_close(
            torch.zeros(4).double().numpy() if value is None else value.numpy(), of_vjp, ulps=4
        )


def test_batches_and_compiled_functions() -> None:
    bands = torch.asarray(zero_mean((3, 7)))

    def upcoef(x: torch.Tensor) -> torch.Tensor:
        return lw.upcoef("a", 2 * x, "db2", 2, 9)

    wanted = torch.stack([upcoef(x) for x in bands])
    with lw.kernels("cpu!"):
        assert_close(torch.vmap(upcoef)(bands), wanted)
        whole = torch.compile(upcoef, backend="aot_eager", fullgraph=True)
        assert_close(whole(bands[0]), wanted[0])
        reverse = torch.func.jacrev(upcoef)(bands[0])
    assert_close(torch.func.jacfwd(upcoef)(bands[0]), reverse, ulps=4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.complex64])
def test_dtypes(dtype: torch.dtype) -> None:
    x = torch.ones(7, dtype=dtype, requires_grad=True)
    with lw.kernels("cpu!"):
        y = lw.upcoef("d", x, "db2", 2)
        (y.abs() ** 2).sum().backward()
    assert x.grad is not None
    assert (y.dtype, x.grad.dtype) == (dtype, dtype)
