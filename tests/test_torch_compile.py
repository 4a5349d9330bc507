"""Tensors under compilation, export, tracing, autocast, and in worker processes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pywt
import torch
from helpers import assert_close, zero_mean
from torch import nn
from torch.utils._pytree import tree_leaves

import liftwave as lw
from liftwave import torch as lwt
from liftwave._operations.operation import parse
from liftwave._operations.planned_transform import TransformAxis, detail_keys
from liftwave._operations.transform import Transform
from liftwave._operations.wavelet_data import to_json

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning"),
    # About array-api-compat's cache of array types, which tracing bypasses.
    pytest.mark.filterwarnings("ignore:Dynamo detected a call to a .functools.lru_cache"),
]

slow = pytest.mark.slow
ROOT = Path(lw.__file__).parents[1]
LAYERS = [
    (None, "db2", "symmetric"),
    ("orthonormal", "db3", "symmetric"),
    ("linear-phase", "cdf9.7", "reflect"),
    ("lifting", "db2", "periodization"),
    ("filters", "db2", "periodization"),
]


class RoundTrip(nn.Module):
    """A transform and its inverse, with a change in between."""

    def __init__(self, learn: str | None, wavelet: str, mode: str) -> None:
        super().__init__()
        self.dwt = lwt.DWT2d(wavelet, 2, mode, learn=learn)
        self.idwt = self.dwt.inverse()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        approx, coarse, fine = self.dwt(x)
        return self.idwt([approx.sin(), coarse, fine], output_size=x.shape[-2:])


def image(*shape: int) -> torch.Tensor:
    return torch.asarray(zero_mean(shape or (2, 3, 17, 16), dtype="float32"))


def same_as_eager(function: Any, compiled: Any, x: torch.Tensor, parameters: Any = ()) -> None:
    """Equal values and gradients."""
    results = []
    for f in (compiled, function):
        given = x.clone().requires_grad_()
        outputs = tree_leaves(f(given))
        loss = sum(y.sin().sum() for y in outputs)
        found = torch.autograd.grad(loss, [given, *parameters])
        results.append([y.detach() for y in outputs] + list(found))
    for got, expected in zip(*results, strict=True):
        assert_close(got, expected, ulps=64, scale=8.0 + float(expected.abs().max()))


# --- compiled ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("learn", "wavelet", "mode"),
    [each if each[0] == "lifting" else pytest.param(*each, marks=slow) for each in LAYERS],
)
def test_layers_compile_whole(learn: str | None, wavelet: str, mode: str) -> None:
    """Also for changing sizes."""
    layer = RoundTrip(learn, wavelet, mode)
    parameters = [p for p in layer.parameters() if p.numel()]
    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=True)
    for shape in ((2, 3, 17, 16), (1, 3, 20, 23)):
        same_as_eager(layer, compiled, image(*shape), parameters)


FUNCTIONS = {
    "wavedec2": lambda x: lw.wavedec2(x, "db2", level=2),
    "there and back": lambda x: lw.waverec2(lw.wavedec2(x, "db2", level=2), "db2"),
    "default level": lambda x: lw.wavedec(x, "haar"),
    "dwt": lambda x: lw.dwt(x, "db2", "smooth", axis=-2),
    "idwt": lambda x: lw.idwt(x, None, "db2"),
    "dwt2": lambda x: lw.idwt2(lw.dwt2(x, "db2"), "db2"),
    "wavedecn": lambda x: lw.waverecn(lw.wavedecn(x, "haar", axes=(1, 2)), "haar", axes=(1, 2)),
    "scheme": lambda x: lw.waverec(lw.wavedec(x, SCHEME, "reflect"), SCHEME, "reflect"),
    "bank": lambda x: lw.dwt(x, BANK),
}
SCHEME = lw.LiftingScheme.from_wavelet("db3")
BANK = lw.FilterBank(*pywt.Wavelet("sym3").filter_bank)


# Functions in one graph: each compilation takes seconds.
TOGETHER = (
    ("wavedec2", "default level", "dwt", "idwt", "bank"),
    ("there and back", "dwt2", "wavedecn", "scheme"),
)


@pytest.mark.parametrize("names", [pytest.param(TOGETHER[0], marks=slow), TOGETHER[1]])
def test_functions_compile_whole(names: tuple[str, ...]) -> None:
    """The second shape makes torch compile for dynamic shapes."""

    def together(x: torch.Tensor) -> Any:
        return [FUNCTIONS[name](x) for name in names]

    torch._dynamo.reset()
    compiled = torch.compile(together, fullgraph=True, backend="aot_eager")
    for shape in ((2, 6, 17, 16), (2, 6, 18, 20)):
        same_as_eager(together, compiled, image(*shape))


def test_learned_taps_of_compiled_functions() -> None:
    torch._dynamo.reset()
    taps = [torch.tensor(f, requires_grad=True) for f in pywt.Wavelet("db2").filter_bank]

    def function(x: torch.Tensor) -> Any:
        return lw.dwt2(x, lw.FilterBank(*taps))

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    same_as_eager(function, compiled, image(), taps[:2])


DERIVED = {
    "grad": torch.func.grad,
    "grad of each": lambda f: torch.vmap(torch.func.grad(f)),
    "grad of a batch": lambda f: torch.func.grad(lambda x: torch.vmap(f)(x).sum()),
    "second": lambda f: torch.func.grad(lambda x: torch.func.grad(f)(x).square().sum()),
}


# The others are compositions of these, or have the same kind of taps.
QUICK = [
    (None, "second"),
    ("orthonormal", "grad of a batch"),
    ("lifting", "grad of each"),
]
LEARNED = (None, "orthonormal", "lifting", "function")


@pytest.mark.parametrize(
    ("learn", "derived"),
    [
        each if each in QUICK else pytest.param(*each, marks=slow)
        for each in product(LEARNED, DERIVED)
    ],
)
def test_derivatives_compile_whole(learn: str | None, derived: str) -> None:
    """Derivatives by ``torch.func``, where torch supports no operators with gradients."""
    layer = lwt.DWT1d("db2", learn=None if learn == "function" else learn)

    def loss(x: torch.Tensor) -> torch.Tensor:
        low, high = lw.dwt(x, "db2") if learn == "function" else layer(x)
        return low.sin().sum() + high.square().sum()

    torch._dynamo.reset()
    x = image(2, 3, 17)
    wanted = DERIVED[derived](loss)
    compiled = torch.compile(wanted, fullgraph=True, backend="aot_eager")
    assert_close(compiled(x).detach(), wanted(x).detach(), ulps=64, scale=8.0)


def test_forward_mode_compiles_whole() -> None:
    layer = lwt.DWT1d("db2")
    x = image(2, 3, 17)

    def derived(x: torch.Tensor) -> torch.Tensor:
        return torch.func.jvp(lambda x: layer(x.sin())[0].square(), (x,), (x.cos(),))[1]

    torch._dynamo.reset()
    compiled = torch.compile(derived, fullgraph=True, backend="aot_eager")
    assert_close(compiled(x), derived(x), ulps=64, scale=8.0)


@pytest.mark.parametrize(
    "layer",
    [
        lwt.DWT2d("haar", 2),
        pytest.param(RoundTrip("orthonormal", "db2", "symmetric"), marks=slow),
    ],
    ids=["fixed", "learned"],
)
def test_the_default_compiler(layer: nn.Module) -> None:
    torch._dynamo.reset()
    try:
        compiled = torch.compile(layer, fullgraph=True)
        same_as_eager(layer, compiled, image(), list(layer.parameters()))
    except torch._inductor.exc.InductorError as error:  # no C++ compiler
        pytest.skip(f"torch's default compiler does not work here: {error}")


class Inverted(nn.Module):
    """The inverse of each layer, made in ``forward``."""

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> Any:
        for layer in self.layers:
            x = layer.inverse()(layer(x.sin()))
        return x


@pytest.mark.parametrize(
    "layers",
    [
        (lwt.SWT1d("haar", learn="filters"),),
        pytest.param((lwt.DWT1d("db2", learn="orthonormal"), lwt.SWT1d("db2")), marks=slow),
        pytest.param((lwt.MODWT1d("haar"), lwt.WaveletPacket1d("db2", 2)), marks=slow),
        pytest.param((lwt.DWT1d("db2", 2), lwt.MODWT1d("db2", learn="filters")), marks=slow),
        pytest.param((lwt.SWT1d("cdf5.3", learn="linear-phase"),), marks=slow),
    ],
)
def test_inverses_are_made_in_compiled_code(layers: Any) -> None:
    torch._dynamo.reset()
    model = Inverted(*layers)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    x = image(2, 3, 16)
    assert_close(compiled(x).detach(), model(x).detach(), ulps=64, scale=8.0)


class Made(nn.Module):
    """A layer that is made in ``forward``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return lwt.DWT1d("db2")(x)[0]


def test_layers_from_names_belong_into_init() -> None:
    """Compiled code says so; with graph breaks, and in exports, they are created."""
    x, model = image(2, 3, 16), Made()
    torch._dynamo.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported, match="create the layer in __init__"):
        torch.compile(model, fullgraph=True, backend="aot_eager")(x)
    assert_close(torch.compile(model, backend="aot_eager")(x), model(x))
    assert_close(torch.export.export(model, (x,)).module()(x), model(x))


# --- exported ------------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, pytest.param(True, marks=slow)])
@pytest.mark.parametrize(
    ("learn", "wavelet", "mode"),
    [each if each[0] == "lifting" else pytest.param(*each, marks=slow) for each in LAYERS],
)
def test_layers_export(learn: str | None, wavelet: str, mode: str, strict: bool) -> None:
    """Export to a program that can be saved, loaded, and run on another batch."""
    layer = RoundTrip(learn, wavelet, mode).eval()
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(
        layer, (image(),), dynamic_shapes={"x": {0: batch}}, strict=strict
    )
    names = {str(node.target) for node in program.graph.nodes}
    assert any(name.startswith("liftwave.") for name in names)
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    x = image(5, 3, 17, 16)
    assert_close(loaded(x).detach(), layer(x).detach(), ulps=64, scale=8.0)


class Missing(nn.Module):
    """An inverse without some of its bands."""

    def __init__(self) -> None:
        super().__init__()
        self.idwt = lwt.IDWT2d("db2", 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.idwt([None, None, (x, None, x)])


class Function(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, x: torch.Tensor) -> Any:
        return FUNCTIONS[self.name](x)


@pytest.mark.parametrize("model", [Missing(), *map(Function, ("there and back", "scheme", "bank"))])
def test_functions_export(model: nn.Module) -> None:
    """Also with ``strict=True``, which traces all Python code."""
    x = image(2, 3, 17, 16)
    program = torch.export.export(model, (x,), strict=True)
    for got, expected in zip(tree_leaves(program.module()(x)), tree_leaves(model(x)), strict=True):
        assert_close(got, expected)


def test_programs_load_in_new_processes(tmp_path: Path) -> None:
    """After ``import liftwave.torch``, before any computation."""
    program = torch.export.export(lwt.DWT1d("db2"), (image(2, 3, 17),))
    torch.export.save(program, tmp_path / "program.pt2")
    load = "import sys, torch, liftwave.torch; torch.export.load(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", load, str(tmp_path / "program.pt2")],
        check=True,
        cwd=ROOT,
        timeout=240,
    )


# --- operators -----------------------------------------------------------------------------------


RUN = torch.ops.liftwave.run


def transform(wavelet: Any, mode: str, synthesis: bool) -> tuple[Transform, list[Any]]:
    """Two levels along the last axis, and the arrays of taps."""
    taps: list[Any] = []
    axis = TransformAxis(-1, to_json(wavelet, taps), mode)
    keys = (detail_keys(1),) * 2
    return Transform((axis,), synthesis, True, keys, n_slots=len(taps)), taps


@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
def test_linear_operators(mode: str) -> None:
    """A transform, its inverse, and the transposes of both."""
    x = torch.asarray(zero_mean((3, 19))).requires_grad_()
    bank = lw.FilterBank(*pywt.Wavelet("db2").filter_bank)
    analysis, _ = transform(bank, mode, False)
    synthesis, _ = transform(bank, mode, True)
    bands = RUN([x], analysis.text, [])
    sizes = [band.shape[-1] for band in bands]
    for inputs, text, lengths in (
        ([x], analysis.text, []),
        (bands, analysis.transpose.text, [19]),
        (bands, synthesis.text, []),
        (RUN(bands, synthesis.text, []), synthesis.transpose.text, sizes),
    ):
        ready = [y.detach().requires_grad_() for y in inputs]
        torch.library.opcheck(RUN.default, (ready, text, lengths))
    assert parse(analysis.text).text == analysis.text


@slow
@pytest.mark.parametrize("residuals", ["inputs", "outputs"])
@pytest.mark.parametrize("synthesis", [False, True])
def test_learned_operators(residuals: str, synthesis: bool) -> None:
    """Transforms whose taps are inputs, and their derivatives, which are also operations."""
    taps = [torch.asarray(zero_mean(4, k)).requires_grad_() for k in range(4)]
    steps = [lw.LiftingStep("predict", taps[0]), lw.LiftingStep("update", taps[1], -2)]
    wavelet = lw.FilterBank(*taps) if residuals == "inputs" else lw.LiftingScheme(steps)
    operation, tensors = transform(wavelet, "symmetric", synthesis)
    data = [torch.asarray(zero_mean((3, 20 if synthesis else 19)))]
    if synthesis:
        data = RUN([*data, *tensors], transform(wavelet, "symmetric", False)[0].text, [])
    inputs = [*(x.detach().requires_grad_() for x in data), *tensors]
    torch.library.opcheck(RUN.default, (inputs, operation.text, []))

    outputs = [y.detach() for y in RUN(inputs, operation.text, [])]
    shapes = [x.shape for x in inputs]
    assert operation.residuals(shapes, [], exact=True, parameters=True) == residuals
    derivative = operation.derivative((True,) * len(outputs), residuals)
    saved = operation.saved(inputs, outputs, residuals)
    ready = [x.detach().requires_grad_() for x in [*outputs, *saved]]
    arguments = (ready, derivative.text, operation.derivative_sizes(shapes, []))
    torch.library.opcheck(RUN.default, arguments)
    assert parse(derivative.text).text == derivative.text


def test_operators_are_batched_by_themselves() -> None:
    """Functions and layers use another batching rule, which also supports ``torch.func``."""
    x = torch.asarray(zero_mean((4, 3, 19)))
    taps = [torch.asarray(zero_mean(4, k)) for k in range(4)]
    learned, tensors = transform(lw.FilterBank(*taps), "symmetric", False)
    fixed, _ = transform(lw.FilterBank(*(t.tolist() for t in taps)), "symmetric", False)
    expected = RUN([x], fixed.text, [])
    for got in (
        torch.vmap(lambda x: RUN([x], fixed.text, []))(x),
        torch.vmap(lambda x: RUN([x, *tensors], learned.text, []))(x),
    ):
        for a, b in zip(got, expected, strict=True):
            assert_close(a, b)


# --- precision, workers, processes ---------------------------------------------------------------


@pytest.mark.parametrize(("learn", "wavelet", "mode"), LAYERS)
def test_autocast_changes_nothing(learn: str | None, wavelet: str, mode: str) -> None:
    """Single precision is preserved; half is computed in single and returned in half."""
    layer = RoundTrip(learn, wavelet, mode)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        x = image().to(dtype)
        expected = [y.detach() for y in tree_leaves(layer.dwt(x))]
        with torch.autocast("cpu", torch.bfloat16):
            got = tree_leaves(layer.dwt(x))
            functions = tree_leaves(lw.wavedec2(x, "db2", level=2))
        for a, b in zip(got, expected, strict=True):
            assert_close(a.detach(), b)
        assert {y.dtype for y in functions} == {dtype}


class Transformed(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """Images, transformed by a worker."""

    def __init__(self) -> None:
        self.layer = lwt.DWT2d("db2", learn="orthonormal")
        self.layer(image())

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        with torch.no_grad():
            return self.layer(image(3, 8, 8) + index)[0]


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_transform(context: str) -> None:
    if sys.platform != "linux" and context == "fork":
        pytest.skip("workers are forked on Linux only")
    dataset = Transformed()
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=2, num_workers=1, multiprocessing_context=context, timeout=120
    )
    got = torch.cat(list(loader))
    for k in range(4):
        assert_close(got[k], dataset[k])


PROCESSES = """
import os, sys
import torch
import torch.distributed as distributed
from torch.nn.parallel import DistributedDataParallel
from liftwave.torch import DWT1d

rank = int(sys.argv[1])
distributed.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=2)
torch.manual_seed(0)
for learn in sys.argv[3:]:
    layer = DWT1d("db3", 2, learn=learn)
    x = torch.randn(2, 4, 1, 32)
    wrapped = DistributedDataParallel(layer)
    sum(band.square().mean() for band in wrapped(x[rank])).backward()
    mine = [p.grad.clone() for p in layer.parameters()]
    layer.zero_grad()
    alone = [0.5 * sum(b.square().mean() for b in layer(part)) for part in x]
    sum(alone).backward()
    for got, parameter in zip(mine, layer.parameters(), strict=True):
        torch.testing.assert_close(got, parameter.grad)
        assert bool(got.abs().max() > 0)
    del wrapped
distributed.barrier()  # neither process may close its connections while the other uses them
distributed.destroy_process_group()
print("equal")
"""


@slow
def test_two_processes_share_their_gradients(tmp_path: Path) -> None:
    if not torch.distributed.is_available():
        pytest.skip("torch was built without distributed")
    store = tmp_path / "store"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESSES, str(rank), str(store), "orthonormal", "lifting"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        for rank in range(2)
    ]
    for process in running:
        out, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        assert out.strip() == "equal"
