"""LiftPool layers: values, exact inverses, gradients of every option, and torch features."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from helpers import assert_close, zero_mean
from torch import nn
from torch.nn import functional

import liftwave as lw
from liftwave import torch as lwt
from liftwave.errors import ArgumentTypeError, BandError, DTypeError, OptionError, ShapeError
from liftwave.pooling import lift_down, lift_up
from liftwave.pooling import lifting_calls as calls

DOWN = {1: lwt.LiftDownPool1d, 2: lwt.LiftDownPool2d, 3: lwt.LiftDownPool3d}
UP = {1: lwt.LiftUpPool1d, 2: lwt.LiftUpPool2d, 3: lwt.LiftUpPool3d}
SIZES = {1: (9,), 2: (5, 6), 3: (3, 4, 2)}


def data(dims: int, dtype: str = "float32", channels: int = 2) -> torch.Tensor:
    return torch.asarray(zero_mean((2, channels, *SIZES[dims]), dims, dtype))


def layer(dims: int, *arguments: Any, seed: int = 0, **options: Any) -> Any:
    """A layer with random parameters, in double precision."""
    torch.manual_seed(seed)
    return DOWN[dims](2, *arguments, init="random", **options).double()


def plain(x: torch.Tensor, m: Any) -> torch.Tensor:
    """The same with torch's convolutions: the sum of the bands of images."""
    channels, kernel = m.channels, m.kernel_size
    before, after = (kernel - 1) // 2, kernel // 2

    def function(v: torch.Tensor, p: int, k: int, axis: int) -> torch.Tensor:
        across = axis == -1
        wide = functional.pad(
            v, (before, after, 0, 0) if across else (0, 0, before, after), mode="reflect"
        )
        taps = m.weight[p, k].reshape(channels, 1, *((1, -1) if across else (-1, 1)))
        inner = functional.conv2d(wide, taps, m.bias[p, k], groups=channels).relu()
        return m.gain[p, k].reshape(-1, 1, 1) * inner + m.offset[p, k].reshape(-1, 1, 1)

    def split(v: torch.Tensor, p: int, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
        even, odd = v.unflatten(axis, (-1, 2)).unbind(axis)
        detail = odd - function(even, p, 0, axis)
        return even + function(detail, p, 1, axis), detail

    smooth, detail = split(x, 0, -1)
    bands = [*split(smooth, 1, -2), *split(detail, 2, -2)]
    return torch.stack(bands).sum(0)


# --- values --------------------------------------------------------------------------------------


def test_the_number_of_parameters() -> None:
    assert sum(p.numel() for p in lwt.LiftDownPool2d(64, kernel_size=5).parameters()) == 3072
    assert sum(p.numel() for p in lwt.LiftDownPool2d(64, 5, shared=True).parameters()) == 1024
    assert sum(p.numel() for p in lwt.LiftDownPool3d(2, 3).parameters()) == 7 * 2 * 2 * 6


@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_plain_operations_of_torch_agree(kernel: int, kernels: Any) -> None:
    m = layer(2, kernel)
    x = torch.asarray(zero_mean((2, 2, 16, 20))).requires_grad_()
    y, expected = m(x), plain(x, m)
    assert_close(y.detach(), expected.detach(), ulps=64)
    weights = torch.asarray(zero_mean(y.shape, 5))
    inputs = [x, *m.parameters()]
    for a, b in zip(
        torch.autograd.grad((y * weights).sum(), inputs),
        torch.autograd.grad((expected * weights).sum(), inputs),
        strict=True,
    ):
        assert_close(a, b, ulps=1024)


@pytest.mark.parametrize("output", ["sum", "concat", "bands", "first"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_layers_give_what_the_function_gives(dims: int, output: str, kernels: Any) -> None:
    output = "L" * dims if output == "first" else output
    m, x = layer(dims, 5, output, padding="circular"), data(dims, "float64")
    filters = [p.detach() for p in m.filters]
    expected = lift_down(x, type(m.filters)(*filters), output, padding="circular", dimensions=dims)
    got, unbatched = m(x), m(x[0])
    if output == "bands":
        assert list(got) == list(expected)
        pairs = [(got[k], unbatched[k], expected[k]) for k in expected]
    else:
        pairs = [(got, unbatched, expected)]
    for a, b, c in pairs:
        assert_close(a.detach(), c)
        assert_close(b.detach(), c[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_up_undoes_down_whatever_the_parameters(dims: int, dtype: str, kernels: Any) -> None:
    for form in ("bands", "concat"):
        m = layer(dims, 5, form).to(getattr(torch, dtype))
        x = data(dims, dtype)
        up = UP[dims](m)
        with torch.no_grad():
            for p in m.parameters():
                p.mul_(3.0)
            for signal in (x, x[0]):
                bands = m(signal)
                largest = max(
                    float(b.abs().max()) for b in (bands.values() if form == "bands" else [bands])
                )
                back = up(bands, SIZES[dims])
                assert_close(back, signal, ulps=64, scale=max(largest, 1.0))
    assert {id(p) for p in up.parameters()} == {id(p) for p in m.parameters()}


def test_a_picture_comes_back() -> None:
    x = torch.rand(1, 3, 255, 256)
    down = lwt.LiftDownPool2d(3, output="bands", init="random")
    error = (lwt.LiftUpPool2d(down)(down(x), x.shape[-2:]) - x).square().mean()
    assert 10 * torch.log10(1 / error) > 120


# --- gradients -----------------------------------------------------------------------------------


def as_function(m: nn.Module, call: Any) -> tuple[Any, list[torch.Tensor]]:
    """A layer's call as a function of its input and its parameters, and these tensors."""
    names = [name for name, _ in m.named_parameters()]

    def run(*tensors: torch.Tensor) -> Any:
        count = len(tensors) - len(names)
        given = dict(zip(names, tensors[count:], strict=True))
        found = torch.func.functional_call(m, given, (call(tensors[:count]),))
        return tuple(found.values()) if isinstance(found, dict) else found

    return run, [p.detach().clone().requires_grad_() for p in m.parameters()]


OPTIONS: list[dict[str, Any]] = [
    {},
    {"padding": "zeros"},
    {"padding": "replicate", "shared": True},
    {"padding": "circular", "kernel_size": 4},
]


@pytest.mark.parametrize("output", ["sum", "concat", "bands", "L"])
@pytest.mark.parametrize("dims", [1, 2])
def test_gradients(dims: int, output: str, kernels: Any) -> None:
    for options in OPTIONS:
        form = output * dims if output == "L" else output
        m = layer(dims, **{"kernel_size": 3, "output": form, **options})
        run, parameters = as_function(m, lambda t: t[0])
        x = data(dims, "float64").requires_grad_()
        assert torch.autograd.gradcheck(run, (x, *parameters), fast_mode=True)


def test_gradients_of_volumes() -> None:
    for form in ("sum", "bands"):
        run, parameters = as_function(layer(3, 3, form), lambda t: t[0])
        x = data(3, "float64").requires_grad_()
        assert torch.autograd.gradcheck(run, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_gradients_of_up(dims: int, even: bool, kernels: Any) -> None:
    m = layer(dims, 3)
    size = [2 * n - (not even) for n in ((n + 1) // 2 for n in SIZES[dims])]
    shape = (1, 2, *((n + 1) // 2 for n in size))
    bands = [torch.asarray(zero_mean(shape, k)).requires_grad_() for k in range(2**dims)]

    class Up(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = UP[dims](m)

        def forward(self, bands: Any) -> torch.Tensor:
            found: torch.Tensor = self.up(bands, size)
            return found

    run, parameters = as_function(Up(), list)
    assert torch.autograd.gradcheck(run, (*bands, *parameters), fast_mode=True)


@pytest.mark.parametrize("output", ["sum", "bands"])
def test_second_derivatives(output: str, kernels: Any) -> None:
    run, parameters = as_function(layer(1, 3, output), lambda t: t[0])
    x = data(1, "float64").requires_grad_()
    assert torch.autograd.gradgradcheck(run, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize("reduction", ["mean", "sum", "norm"])
@pytest.mark.parametrize("output", ["sum", "bands"])
def test_gradients_of_penalties(output: str, reduction: str, kernels: Any) -> None:
    m = layer(2, 3, output, reduction=reduction, penalty_weights=(0.3, 0.7))

    def run(*tensors: torch.Tensor) -> torch.Tensor:
        names = [name for name, _ in m.named_parameters()]
        torch.func.functional_call(m, dict(zip(names, tensors[1:], strict=True)), tensors[:1])
        return m.penalty()

    x = data(2, "float64").requires_grad_()
    parameters = [p.detach().clone().requires_grad_() for p in m.parameters()]
    assert torch.autograd.gradcheck(run, (x, *parameters), fast_mode=True)


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's own
def test_transforms_of_func() -> None:
    """vmap over signals and over parameters; forward mode; gradients one by one."""
    m, x = layer(1, 3, "sum"), data(1, "float64")
    each = torch.stack([m(one[None]) for one in x])
    assert_close(torch.vmap(lambda v: m(v[None]))(x).detach(), each.detach())
    m.eval()
    x = x.requires_grad_()
    back, forward = (
        way(lambda v: m(v).square().sum())(x) for way in (torch.func.jacrev, torch.func.jacfwd)
    )
    assert_close(back.detach(), forward.detach(), ulps=512)
    y = m(x)
    batched = torch.autograd.grad(
        y,
        x,
        torch.stack([torch.ones_like(y), y.detach()]),
        is_grads_batched=True,
        retain_graph=True,
    )[0]
    for g, v in zip(batched, (torch.ones_like(y), y.detach()), strict=True):
        assert_close(g, torch.autograd.grad(y, x, v, retain_graph=True)[0], ulps=64)


# --- memory --------------------------------------------------------------------------------------


def kept_for_backward(call: Any) -> set[int]:
    """Addresses of the saved memory."""
    found = set()

    def note(tensor: torch.Tensor) -> torch.Tensor:
        found.add(tensor.untyped_storage().data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
        call()
    return found


def test_nothing_is_kept_but_inputs_or_outputs() -> None:
    x = torch.randn(4, 2, 64, 64, requires_grad=True)
    for output, training in [("sum", True), ("LL", False), ("bands", True), ("concat", False)]:
        m = lwt.LiftDownPool2d(2, output=output).train(training)
        results: list[Any] = []
        kept = kept_for_backward(lambda m=m, results=results: results.append(m(x)))
        (y,) = results
        tensors = y.values() if isinstance(y, dict) else [y]
        outputs = {t.untyped_storage().data_ptr() for t in tensors}
        source = x.untyped_storage().data_ptr()
        if output in ("bands", "concat"):
            assert outputs <= kept
            assert source not in kept
        else:
            assert source in kept
            assert not outputs & kept
        # Other saved tensors: only filters, and sums for penalties.
        assert len(kept - outputs - {source}) <= 6


# --- penalties -----------------------------------------------------------------------------------


def test_penalties_of_a_model() -> None:
    model = nn.Sequential(
        lwt.LiftDownPool2d(2, penalty_weights=(2.0, 3.0)), lwt.LiftDownPool2d(2), nn.Flatten()
    )
    x = torch.randn(3, 2, 16, 16)
    assert float(lwt.auxiliary_loss(model)) == 0.0  # no layer was called yet
    model(x)
    expected = 0.0
    signal = x
    for pool, weights in ((model[0], (2.0, 3.0)), (model[1], (0.01, 0.1))):
        signal, found = lift_down(signal, pool.filters, penalties="mean")
        expected = expected + weights[0] * found.update + weights[1] * found.predict
    loss = lwt.auxiliary_loss(model)
    assert_close(loss.detach(), expected.detach(), ulps=16)
    loss.backward()
    assert all(float(p.grad.abs().sum()) > 0 for p in model[0].parameters())
    model.eval()(x)
    assert float(lwt.auxiliary_loss(model)) == 0.0
    free = lwt.LiftDownPool2d(2, penalty_weights=(0, 0))
    free(x)
    assert float(free.penalty()) == 0.0


def test_learning_makes_details_small() -> None:
    torch.manual_seed(0)
    x = (torch.rand(8, 1, 1) * torch.arange(32.0)).sin() + 1
    m = lwt.LiftDownPool1d(1, init="random")
    optimiser = torch.optim.Adam(m.parameters(), lr=0.02)
    losses = []
    for _ in range(150):
        optimiser.zero_grad()
        m(x)
        loss = lwt.auxiliary_loss(m)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


# --- torch features of layers --------------------------------------------------------------------


@pytest.mark.parametrize("output", ["sum", "bands"])
def test_compiled_layers(output: str) -> None:
    torch._dynamo.reset()
    m = lwt.LiftDownPool2d(3, output=output, init="random")
    compiled = torch.compile(m, fullgraph=True, backend="aot_eager")
    results = []
    for call in (m, compiled):
        m.zero_grad()
        x = torch.asarray(zero_mean((2, 3, 9, 8), 0, "float32")).requires_grad_()
        y = call(x)
        total = sum(t.square().sum() for t in (y.values() if output == "bands" else [y]))
        (total + lwt.auxiliary_loss(m)).backward()
        results.append([total.detach(), x.grad, *(p.grad.clone() for p in m.parameters())])
    for a, b in zip(*results, strict=True):
        assert_close(a, b, ulps=64)


def test_compiled_way_up_and_functions() -> None:
    torch._dynamo.reset()
    m = lwt.LiftDownPool2d(3, output="bands").eval()
    up = lwt.LiftUpPool2d(m)

    def both(x: torch.Tensor) -> torch.Tensor:
        return up(m(x), [9, 8])

    x = torch.asarray(zero_mean((2, 3, 9, 8), 0, "float32"))
    assert_close(torch.compile(both, fullgraph=True, backend="aot_eager")(x).detach(), x, ulps=32)

    def functions(x: torch.Tensor) -> Any:
        bands, penalties = lift_down(x, m.filters, "bands", penalties="mean")
        return lift_up(bands, m.filters, [9, 8]), penalties.update

    y, penalty = torch.compile(functions, fullgraph=True, backend="aot_eager")(x)
    assert_close(y.detach(), x, ulps=32)
    assert penalty.shape == ()


def test_operators_pass_torchs_own_checks() -> None:
    m, x = layer(1, 3), data(1, "float64")
    for output, penalties in (("bands", None), ("sum", "mean")):
        call = calls.lift_down(x, m.filters, output, dimensions=1, penalties=penalties)
        tensors = [t.detach().requires_grad_() for t in call.arrays]
        torch.library.opcheck(torch.ops.liftwave.run, (tensors, call.operation.text, []))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_autocast(dtype: torch.dtype) -> None:
    m = lwt.LiftDownPool2d(2, init="random")
    x = data(2).to(dtype).requires_grad_()
    wide = m(x.detach().float())
    y = m(x)
    assert y.dtype == dtype
    assert_close(y.detach(), wide.detach().to(dtype))
    y.float().sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == dtype
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_close(m(x.detach().float()).detach(), wide.detach())
    halved = copy.deepcopy(m).to(dtype)
    assert halved(x).dtype == dtype
    up = lwt.LiftUpPool2d(halved)
    assert up([y.detach()] * 4).dtype == dtype


def test_state() -> None:
    m = lwt.LiftDownPool2d(3, 3, "bands", init="random")
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    m(x)  # leaves a penalty, which is not part of the state
    memory = io.BytesIO()
    torch.save(m.state_dict(), memory)
    memory.seek(0)
    other = lwt.LiftDownPool2d(3, 3, "bands")
    other.load_state_dict(torch.load(memory))
    for again in (copy.deepcopy(m), pickle.loads(pickle.dumps(m)), other):
        for name, band in again(x).items():
            assert_close(band.detach(), m(x)[name].detach())
    assert set(m.state_dict()) == {"weight", "bias", "gain", "offset", "linear_range"}


def test_a_state_without_a_linear_range_has_its_relu_at_zero() -> None:
    m = lwt.LiftDownPool2d(3, linear_range=0)
    x, state = torch.randn(2, 3, 8, 8), m.state_dict()
    del state["linear_range"]
    others = lwt.LiftDownPool2d(3), nn.Sequential(lwt.LiftDownPool2d(3))
    others[0].load_state_dict(state)
    others[1].load_state_dict({f"0.{name}": values for name, values in state.items()})
    assert not torch.equal(lwt.LiftDownPool2d(3)(x), m(x))
    for other in others:
        assert torch.equal(other(x), m(x))
    assert "linear_range" not in state


# --- the start -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_layers_begin_at_a_wavelet(dims: int, kernels: Any) -> None:
    x = data(dims, "float64")
    m = DOWN[dims](2, output="bands", padding="signal").double()
    scheme = lw.LiftingScheme(lw.LiftingScheme.from_name("cdf5.3").steps)
    axes = tuple(range(-dims, 0))
    bands, expected = m(x), lw.dwtn(x, scheme, "reflect", axes=axes)
    for name, band in bands.items():
        key = "".join("a" if letter == "L" else "d" for letter in reversed(name))
        wanted = expected[key]
        within = (..., *(slice(0, n) for n in wanted.shape[2:]))
        assert_close(band[within].detach(), wanted, ulps=4096, scale=8.0)
    assert_close(UP[dims](m)(bands, SIZES[dims]).detach(), x, ulps=64, scale=8.0)


def test_the_linear_range_changes_the_start_only() -> None:
    """The paper's form with the parameters of ``filters`` is the same function."""
    torch.manual_seed(0)
    m = lwt.LiftDownPool2d(2, 3, "bands", init="random", linear_range=0.5).double()
    assert {m(torch.ones(1, 2, 4, 4, dtype=torch.float64))["LL"].dtype} == {torch.float64}
    x = data(2, "float64")
    got, filters = m(x), m.filters
    expected = lift_down(x, filters, "bands")
    for name, band in expected.items():
        assert_close(got[name].detach(), band.detach())
    assert torch.equal(filters.bias, m.bias + 0.5)
    assert_close(filters.offset.detach(), (m.offset - 0.5 * m.gain).detach())
    run, parameters = as_function(m, lambda t: t[0])
    assert torch.autograd.gradcheck(run, (x.requires_grad_(), *parameters), fast_mode=True)


def test_learning_does_not_depend_on_the_linear_range() -> None:
    """Gradients at the start are those of the linear filters, for any range beyond the data."""
    x, gradients = torch.randn(2, 2, 8, 8, dtype=torch.float64), []
    for linear_range in (16.0, 1024.0):
        m = lwt.LiftDownPool2d(2, linear_range=linear_range).double()
        m(x).square().sum().backward()
        assert all(float(p.grad.abs().sum()) > 0 for p in m.parameters())
        gradients.append([p.grad for p in m.parameters()])
    for a, b in zip(*gradients, strict=True):
        assert_close(a, b, ulps=2**16, scale=float(a.abs().max()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_parameters_keep_the_start(dtype: torch.dtype) -> None:
    x = data(2).to(dtype)
    m = lwt.LiftDownPool2d(2)
    with torch.no_grad():
        m.gain.fill_(0.75)  # 0.75 * 64 and the bias of 64.25 would be rounded
        m.bias.fill_(0.25)
    wide, halved = m(x.float()), copy.deepcopy(m).to(dtype)
    assert_close(halved(x).detach(), wide.detach().to(dtype))
    halved.float().reset_parameters()
    assert float(halved.linear_range) == 64.0


def test_the_linear_range_is_checked_and_printed() -> None:
    assert "linear_range=0.0" in repr(lwt.LiftDownPool1d(1, linear_range=0))
    assert "linear_range" not in repr(lwt.LiftDownPool1d(1))
    assert "linear_range" not in repr(lwt.LiftDownPool1d(1, init="random"))
    with pytest.raises(OptionError, match="linear_range must be a number"):
        lwt.LiftDownPool1d(1, linear_range=-1)


def test_what_is_printed() -> None:
    text = repr(lwt.LiftDownPool2d(8, 3, "concat", ["LL", "HH"], padding="zeros", shared=True))
    assert text == (
        "LiftDownPool2d(8, kernel_size=3, output='concat', bands=('LL', 'HH'), "
        "padding='zeros', shared=True, penalty_weights=(0.01, 0.1))"
    )


def test_first_parameters() -> None:
    torch.manual_seed(0)
    m = lwt.LiftDownPool1d(4, 5, init="random", dtype=torch.float64)
    assert {p.dtype for p in m.parameters()} == {torch.float64}
    assert 0 < float(m.weight.detach().abs().max()) <= 5**-0.5
    assert 5**-0.5 < float(m.gain.detach().abs().max()) <= 1
    wavelet = lwt.LiftDownPool1d(4, 5)
    expected = torch.tensor([0, 0, 0.5, 0.5, 0])
    assert torch.equal(wavelet.weight[0, 0, 0], expected)
    with torch.no_grad():
        wavelet.weight.zero_()
    wavelet.reset_parameters()
    assert torch.equal(wavelet.weight[0, 0, 0], expected)


def test_other_devices_take_the_reference() -> None:
    m = lwt.LiftDownPool2d(2).to("meta")
    assert m(torch.empty(2, 2, 7, 8, device="meta")).shape == (2, 2, 4, 4)
    with pytest.raises(ArgumentTypeError, match="device"):
        m(torch.zeros(2, 2, 7, 8))


def test_wrong_arguments() -> None:
    x = torch.zeros(2, 3, 8, 8)
    for make, error, match in [
        (lambda: lwt.LiftDownPool2d(3)(x[0, 0]), ShapeError, r"shape \(3, H, W\)"),
        (lambda: lwt.LiftDownPool2d(2)(x), ShapeError, r"\(N, 2, H, W\), got shape \(2, 3, 8, 8\)"),
        (lambda: lwt.LiftDownPool2d(3)(x[..., :0]), ShapeError, "no samples"),
        (lambda: lwt.LiftDownPool2d(3)(x.to(torch.complex64)), DTypeError, "real numbers"),
        (lambda: lwt.LiftDownPool2d(0), ShapeError, "channels must be at least 1"),
        (lambda: lwt.LiftDownPool2d(3, 0), ShapeError, "kernel_size must be at least 1"),
        (lambda: lwt.LiftDownPool2d(3, output="X"), OptionError, "unknown output"),
        (lambda: lwt.LiftDownPool2d(3, bands=["X"]), BandError, "no band"),
        (lambda: lwt.LiftDownPool2d(3, padding="x"), OptionError, "unknown padding"),
        (lambda: lwt.LiftDownPool2d(3, init="x"), OptionError, "unknown init 'x'"),
        (lambda: lwt.LiftDownPool2d(3, reduction="x"), OptionError, "unknown reduction"),
        (lambda: lwt.LiftUpPool2d(nn.Identity()), ArgumentTypeError, "of a LiftDownPool2d"),
    ]:
        with pytest.raises(error, match=match):
            make()
    up = lwt.LiftUpPool2d(lwt.LiftDownPool2d(3))
    band = torch.zeros(2, 3, 4, 4)
    for bands, size, error, match in [
        ([band] * 3, None, ArgumentTypeError, "by name or in this order"),
        ({"XX": band}, None, OptionError, "no band 'XX'"),
        ({}, None, ShapeError, "at least one band"),
        ([band, band[..., :2], band, band], None, ShapeError, "the same shape"),
        (band, None, ShapeError, "along the channels of one tensor"),
        ([band] * 4, [9, 8], ShapeError, "one less along some axes"),
        (torch.zeros(2, 8, 4, 4), None, ShapeError, r"\(3, H, W\)"),
    ]:
        with pytest.raises(error, match=match):
            up(bands, size)


def test_forced_reference_is_what_the_kernels_give() -> None:
    m, x = lwt.LiftDownPool2d(3, init="random").eval(), torch.randn(2, 3, 20, 31)
    with lw.kernels("reference"):
        expected = m(x)
    np.testing.assert_array_equal(m(x).detach().numpy(), expected.detach().numpy())
