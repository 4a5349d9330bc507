"""LDW-Pooling, attention by energy, and the replacement of pooling in models."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import MODES, Library, assert_close, to_numpy, zero_mean
from torch import nn

import liftwave as lw
from liftwave import torch as lwt
from liftwave._execute import execute
from liftwave._operations.call import Call
from liftwave._operations.learned import analysis_and_taps
from liftwave._operations.plan_transforms import analysis
from liftwave._operations.transform import Transform
from liftwave._plan.axes import axis_plans
from liftwave.constraints import wavelet_penalty
from liftwave.errors import (
    ArgumentTypeError,
    BandError,
    ConstraintError,
    DTypeError,
    ModeError,
    OptionError,
    ShapeError,
    WaveletError,
)
from liftwave.pooling import energy_attention
from liftwave.transforms.structures import BAND_LIST

POOL = {1: lwt.LDWPool1d, 2: lwt.LDWPool2d, 3: lwt.LDWPool3d}
UNPOOL = {1: lwt.LDWUnpool1d, 2: lwt.LDWUnpool2d, 3: lwt.LDWUnpool3d}
SIZES = {1: (13,), 2: (9, 12), 3: (6, 7, 8)}


def data(dims: int, dtype: str = "float64") -> torch.Tensor:
    return torch.asarray(zero_mean((2, 3, *SIZES[dims]), dims, dtype))


# --- LDW-Pooling ---------------------------------------------------------------------------------


def correlated(line: np.ndarray, taps: np.ndarray, mode: str) -> np.ndarray:
    """``y[k] = sum_i w[i] * x[2 k + i - (K - 1) // 2]``, with the signal extended by ``mode``."""
    n, kernel = len(line), len(taps)
    wide = pywt.pad(line, 2 * kernel, mode)
    if mode == "periodization":  # this repeats the last sample of odd lengths
        line = np.append(line, line[-1:]) if n % 2 else line
        wide = np.pad(line, 2 * kernel, mode="wrap")
    first = 2 * kernel - (kernel - 1) // 2
    return np.array([taps @ wide[first + 2 * k :][:kernel] for k in range((n + 1) // 2)])


def along(x: np.ndarray, axis: int, taps: np.ndarray, mode: str) -> np.ndarray:
    return np.apply_along_axis(correlated, axis, x, taps, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("taps", [2, 3, 4, 7])
def test_bands_are_those_of_the_formula(taps: int, mode: str, kernels: Any) -> None:
    for dims in (1, 2):
        pool = POOL[dims](taps, "bands", mode=mode, init="random").double()
        low, high = (to_numpy(f) for f in (pool.wavelet.lowpass, pool.wavelet.highpass))
        assert len(low) == taps
        x = data(dims)
        found = pool(x)
        for name, band in found.items():
            expected = to_numpy(x)
            for k, letter in enumerate(name):
                expected = along(expected, -1 - k, low if letter == "L" else high, mode)
            assert_close(band.detach(), torch.asarray(expected), ulps=512)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_it_is_the_transform(dims: int, kernels: Any) -> None:
    """Under periodization, the named bands equal the bands of the transform."""
    pool, x = POOL[dims]("db3", "bands", learn=None), data(dims)
    coeffs = lw.dwtn(x, "db3", "periodization", tuple(range(-dims, 0)))
    for name, band in pool(x).items():
        key = "".join("a" if letter == "L" else "d" for letter in name[::-1])
        assert_close(band, coeffs[key])
    assert not list(pool.parameters())


@pytest.mark.parametrize("learn", ["filters", "orthonormal"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling_undoes_orthonormal_filters(dims: int, learn: str) -> None:
    x = data(dims)
    for taps in (2, 4, 8, *((5,) if learn == "filters" else ())):
        for form in ("bands", "concat"):
            # (The initial parameters are in single precision.)
            pool = POOL[dims](taps, form, learn=learn).double()
            back = UNPOOL[dims](pool)(pool(x), SIZES[dims])
            assert_close(back, x, ulps=1 << 12 if learn == "orthonormal" else 1 << 33)
            one = UNPOOL[dims](pool)(pool(x[0]), SIZES[dims])
            assert_close(one.detach(), back[0].detach(), ulps=64)


@pytest.mark.parametrize("mode", ["symmetric", "reflect", "constant", "zero"])
def test_unpooling_in_other_modes_is_exact_inside(mode: str) -> None:
    pool = lwt.LDWPool1d("db2", "bands", learn=None, mode=mode)
    x = torch.asarray(zero_mean((1, 32)))
    back = lwt.LDWUnpool1d(pool)(pool(x))
    assert_close(back[..., 4:-4], x[..., 4:-4], ulps=64, scale=4.0)
    ones = torch.ones(1, 32, dtype=torch.float64)
    if mode != "zero":  # other modes preserve constants
        assert_close(lwt.LDWUnpool1d(pool)(pool(ones)), ones, ulps=64)


def test_beginnings() -> None:
    torch.manual_seed(0)
    for taps in (2, 4, 6, 7):
        pretrained = lwt.LDWPool2d(taps).wavelet
        assert float(pretrained.penalty().detach()) < 1e-10
        free = lwt.LDWPool2d(taps, init="random").wavelet
        assert free.lowpass.shape == (taps,)
        assert float(free.penalty().detach()) > 1e-3
    first, second = (lwt.LDWPool2d(6).wavelet.lowpass for _ in range(2))
    assert not torch.allclose(first, second)
    named = lwt.LDWPool2d("db2").wavelet
    assert_close(named.lowpass.detach(), torch.tensor(pywt.Wavelet("db2").rec_lo))
    shared = lwt.OrthonormalWavelet("db2")
    assert lwt.LDWPool2d(shared).wavelet is shared
    assert lwt.LDWPool2d("db4", learn="orthonormal").learn == "orthonormal"


def test_symmetry_and_orthonormality_exclude_each_other() -> None:
    """So the default is one of them: the one with which filters reconstruct."""
    assert lwt.LDWPool2d(4).wavelet.symmetry is None
    assert lwt.LDWPool2d(4).wavelet.orthonormal
    for make in (
        lambda: lwt.LDWPool2d(5, symmetry="paper"),
        lambda: lwt.FiltersWavelet("db2", symmetry="paper"),
    ):
        with pytest.raises(ConstraintError, match="taps are both orthonormal and symmetric"):
            make()
    haar = lwt.LDWPool2d(2, symmetry="linear-phase")
    assert float(lwt.auxiliary_loss(haar).detach()) < 1e-10
    longer = lwt.LDWPool2d(4, symmetry="linear-phase", orthonormal=False)
    assert float(lwt.auxiliary_loss(longer).detach()) > 0.0


def test_the_penalty_of_the_paper() -> None:
    pool = lwt.LDWPool2d(5, init="random", penalty_weight=0.5, symmetry="paper", orthonormal=False)
    low, high = pool.wavelet.lowpass, pool.wavelet.highpass
    expected = 0.5 * wavelet_penalty(low, high, symmetry="paper", orthonormal=False)
    assert_close(lwt.auxiliary_loss(pool).detach(), expected.detach())
    assert float(lwt.auxiliary_loss(lwt.LDWPool2d(4, learn="orthonormal"))) == 0.0


def test_the_analysis_has_no_synthesis_filters_among_its_inputs() -> None:
    def make(wavelet: Any) -> Transform:
        return analysis(axis_plans(wavelet, "periodization", (-1,), 2), 2, 1)

    low, high, other = torch.rand(3, 4, dtype=torch.float64).unbind()
    x = torch.rand(2, 10, dtype=torch.float64)
    numbers = (0.1, 0.2, 0.3, 0.4)
    banks = {
        lw.FilterBank(low, high, other, other): [low, high],
        lw.FilterBank(low, low, other, high): [low],
        lw.FilterBank(low, numbers, numbers, numbers): [low],
        lw.FilterBank(numbers, numbers, low, high): [low, high],
    }
    for bank, inputs in banks.items():
        for _ in range(2):  # the transform is made, and taken from the cache
            transform, taps = analysis_and_taps(bank, "test", make)
            assert len(taps) == len(inputs)
            assert all(a is b for a, b in zip(taps, inputs, strict=True))
            bands = execute(Call(transform, (x, *taps), BAND_LIST))
            expected = lw.dwt(x, bank, "periodization")
            assert all(map(torch.equal, bands, expected))


def test_outputs() -> None:
    torch.manual_seed(0)
    x = data(2, "float32")
    pool = lwt.LDWPool2d(4, "bands")

    def other(*arguments: Any) -> torch.Tensor:
        made = lwt.LDWPool2d(pool.wavelet, *arguments)
        result: torch.Tensor = made(x).detach()
        return result

    bands = {name: band.detach() for name, band in pool(x).items()}
    assert_close(other(), bands["LL"])
    assert_close(other("sum"), bands["LL"] + bands["LH"] + bands["HL"] + bands["HH"])
    assert_close(other("concat", ["HH", "LL"]), torch.cat([bands["HH"], bands["LL"]], 1))
    assert other("concat").shape == (2, 12, 5, 6)


@pytest.mark.parametrize("mode", ["periodization", "symmetric", "smooth"])
@pytest.mark.parametrize("learn", ["filters", "orthonormal"])
def test_gradients(learn: str, mode: str, kernels: Any) -> None:
    torch.manual_seed(0)
    pool = lwt.LDWPool2d(4, "concat", learn=learn, mode=mode).double()
    up = lwt.LDWUnpool2d(pool)
    names = [name for name, _ in pool.named_parameters()]
    parameters = [p.detach().clone().requires_grad_() for p in pool.parameters()]
    x = data(2)[:1, :1, :5, :6].clone().requires_grad_()

    def down(x: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.func.functional_call(
            pool, dict(zip(names, given, strict=True)), (x,)
        )
        return result

    def both(x: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        with torch.nn.utils.stateless._reparametrize_module(
            pool, dict(zip(names, given, strict=True))
        ):
            result: torch.Tensor = up(pool(x), (5, 6))
        return result

    assert torch.autograd.gradcheck(down, (x, *parameters), fast_mode=True)
    assert torch.autograd.gradcheck(both, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize("mode", ["periodization", "symmetric"])
def test_compiled(mode: str) -> None:
    torch._dynamo.reset()
    pool = lwt.LDWPool2d(4, "concat", mode=mode)
    model = nn.Sequential(pool, lwt.EnergyAttention(12))
    up = lwt.LDWUnpool2d(pool)

    def call(x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = up(model(x), (9, 12))
        return result

    x = data(2, "float32")
    model.eval()
    compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
    assert_close(compiled(x).detach(), call(x).detach(), ulps=64)


def test_half_precision() -> None:
    pool = lwt.LDWPool2d(4, "concat", mode="symmetric")
    attention = lwt.EnergyAttention(12, ratio=4).eval()
    x = data(2, "float32")
    for dtype in (torch.float16, torch.bfloat16):
        y = pool(x.to(dtype))
        assert y.dtype == dtype
        assert attention(y * 60).isfinite().all()  # energies beyond float16
        assert attention(y).dtype == dtype
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert attention(pool(x)).dtype == torch.float32


def test_state() -> None:
    pool = lwt.LDWPool2d(4, "bands")
    model = nn.ModuleList([pool, lwt.LDWUnpool2d(pool)])
    assert len(list(model.parameters())) == 2
    again = copy.deepcopy(model)
    assert again[1].pool is again[0]
    assert again[1].inverse.wavelet is again[0].wavelet
    x = data(2, "float32")
    other = nn.ModuleList([p := lwt.LDWPool2d(4, "bands"), lwt.LDWUnpool2d(p)])
    other.load_state_dict(model.state_dict())
    for name, band in pool(x).items():
        assert_close(other[0](x)[name].detach(), band.detach())
    assert "output='bands'" in repr(pool)
    assert "mode='periodization'" in repr(pool)


def test_wrong_arguments() -> None:
    x = data(2, "float32")
    for make, error, match in [
        (lambda: lwt.LDWPool2d(1), WaveletError, "at least two taps"),
        (lambda: lwt.LDWPool2d(5, learn="orthonormal"), WaveletError, "even number of taps"),
        (lambda: lwt.LDWPool2d(4, learn=None), WaveletError, "need a name"),
        (lambda: lwt.LDWPool2d(4, learn="x"), OptionError, "unknown way to learn 'x'"),
        (lambda: lwt.LDWPool2d("haar", init="x"), OptionError, "init is None, 'pretrain'"),
        (lambda: lwt.LDWPool2d("haar", init="random"), OptionError, "a number of taps"),
        (lambda: lwt.LDWPool2d("haar", learn=None, init="pretrain"), OptionError, "learned"),
        (lambda: lwt.LDWPool2d(4, "XX"), OptionError, "unknown output"),
        (lambda: lwt.LDWPool2d(4, "sum", ["XX"]), BandError, "no band 'XX'"),
        (lambda: lwt.LDWPool2d(4, mode="x"), ModeError, "x"),
        (lambda: lwt.LDWPool2d("unknown"), WaveletError, "unknown"),
        (lambda: lwt.LDWPool2d(4)(x[0, 0]), ShapeError, "takes tensors of shape"),
        (lambda: lwt.LDWPool2d(4)(x.to(torch.complex64)), DTypeError, "real numbers"),
        (lambda: lwt.LDWUnpool2d(lwt.LDWPool1d(4)), ArgumentTypeError, "of a LDWPool2d"),
        (
            lambda: lwt.LDWUnpool2d(lwt.LDWPool2d(4))(x[:, :2]),
            ShapeError,
            "takes 4 bands",
        ),
    ]:
        with pytest.raises(error, match=match):
            make()


# --- attention -----------------------------------------------------------------------------------


def layers(channels: int, inner: int, seed: int = 0) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    sizes = (inner, channels), (inner,), (channels, inner), (channels,)
    first, second, third, fourth = (rng.standard_normal(s) for s in sizes)
    return (first, second), (third, fourth)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_attention_is_that_of_the_formula(dims: int, normalize: bool, xp: Library) -> None:
    x = to_numpy(data(dims))
    (w1, b1), (w2, b2) = layers(3, 2)
    mean, variance = np.array([0.1, -0.2, 0.3]), np.array([0.5, 1.0, 2.0])
    expected = np.empty_like(x)
    for n in range(2):
        energy = np.empty(3)
        for c in range(3):
            squares = ((x[n, c] - mean[c]) / np.sqrt(variance[c] + 1e-5)) ** 2
            energy[c] = squares.mean() if normalize else squares.sum()
        hidden = np.maximum(w1 @ energy + b1, 0)
        weight = 1 / (1 + np.exp(-(w2 @ hidden + b2)))
        for c in range(3):
            expected[n, c] = weight[c] * x[n, c]
    tree = xp.tree(((w1, b1), (w2, b2), mean, variance))
    got = energy_attention(xp.asarray(x), *tree, dimensions=dims, normalize=normalize)
    assert_close(got, xp.asarray(expected), ulps=1 << 10)


@pytest.mark.parametrize("normalize", [True, False])
def test_the_layer_is_the_function(normalize: bool) -> None:
    m = lwt.EnergyAttention(8, ratio=4, normalize=normalize).double().eval()
    m.norm.running_mean.uniform_(-1, 1)
    m.norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 8, 5, 6, dtype=torch.float64)
    statistics = m.norm.running_mean, m.norm.running_var
    pairs = [(layer.weight.detach(), layer.bias.detach()) for layer in (m.squeeze, m.excite)]
    expected = energy_attention(x, *pairs, *statistics, normalize=normalize)
    assert_close(m(x).detach(), expected, ulps=64)
    assert_close(m(x[0]).detach(), expected[0], ulps=64)
    assert lwt.EnergyAttention(8).squeeze.out_features == 1
    assert repr(m).startswith("EnergyAttention(\n  8, ratio=4, normalize=")


@pytest.mark.parametrize("normalize", [True, False])
def test_gradients_of_attention(normalize: bool) -> None:
    x = zero_mean((2, 3, 2, 3))
    squeeze, excite = layers(3, 4)
    statistics = np.array([0.1, 0.0, -0.1]), np.array([1.0, 2.0, 0.5])
    result, pullback = lw.vjp(
        energy_attention, x, squeeze, excite, *statistics, normalize=normalize
    )
    cotangent = zero_mean(x.shape, 1)
    gradient = pullback(cotangent)
    flat = [x, *squeeze, *excite]
    gradients = gradient.parameters
    found = [gradient.data, *gradients["squeeze"], *gradients["excite"]]
    leaves = [torch.asarray(a).requires_grad_() for a in flat]

    def call(x: Any, *four: Any) -> Any:
        fixed = map(torch.asarray, statistics)
        return energy_attention(x, four[:2], four[2:], *fixed, normalize=normalize)

    y = call(*leaves)
    assert_close(to_numpy(y), result, ulps=64)
    for a, b in zip(found, torch.autograd.grad(y, leaves, torch.asarray(cotangent)), strict=True):
        assert_close(a, to_numpy(b), ulps=1 << 10)
    assert torch.autograd.gradcheck(call, leaves)
    m = lwt.EnergyAttention(3, 1).double()
    assert torch.autograd.gradcheck(m, leaves[:1])


def test_wrong_arguments_of_attention() -> None:
    x, (squeeze, excite) = zero_mean((2, 3, 4, 4)), layers(3, 2)
    for arguments, error, match in [
        ((x[0, 0, 0], squeeze, excite), ShapeError, "spatial axes"),
        ((x, squeeze[0], excite), ArgumentTypeError, "pair"),
        ((x, excite, squeeze), ShapeError, "for 3 channels"),
        ((x, squeeze, excite, np.zeros(3)), ArgumentTypeError, "both mean and variance"),
        ((x.astype(complex), squeeze, excite), DTypeError, "real numbers"),
    ]:
        with pytest.raises(error, match=match):
            energy_attention(*arguments)
    with pytest.raises(ShapeError, match="at least 1"):
        lwt.EnergyAttention(0)
    with pytest.raises(ShapeError, match=r"shape \(4, …\)"):
        lwt.EnergyAttention(4)(torch.asarray(x))
