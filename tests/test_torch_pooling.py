"""Layers of pooling: values, masks and their sizes, and all torch features of layers."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import assert_close, zero_mean
from torch import nn
from torch.autograd import gradcheck
from torch.nn.parameter import is_lazy

from liftwave import pooling
from liftwave import torch as lwt
from liftwave._operations.weighted_pool import WeightedPool
from liftwave._plan.windows import window_arguments
from liftwave.errors import ArgumentTypeError, DTypeError, MaskWarning, ShapeError, WindowError

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    # About array-api-compat's cache of array types, which tracing bypasses.
    pytest.mark.filterwarnings("ignore:Dynamo detected a call to a .functools.lru_cache"),
]

SIZES = {1: (11,), 2: (9, 8), 3: (6, 5, 7)}
PLAIN: list[tuple[str, Callable[..., Any], dict[str, Any]]] = [
    ("SoftPool", pooling.soft_pool, {}),
    ("EDSCWPool", pooling.edscw_pool, {}),
    ("EDSCWPool", pooling.edscw_pool, {"per_channel": False}),
    ("IDWPool", pooling.idw_pool, {}),
    ("IDWPool", pooling.idw_pool, {"distance": "huber", "delta": 0.3}),
    ("IDWPool", pooling.idw_pool, {"distance": "chebyshev", "per_channel": False}),
]


def layer(name: str, dims: int, *args: Any, **options: Any) -> Any:
    return getattr(lwt, f"{name}{dims}d")(*args, **options)


def signal(dims: int, batch: bool = True, dtype: str = "float32") -> torch.Tensor:
    return torch.asarray(zero_mean((*(2,) * batch, 3, *SIZES[dims]), 7, dtype))


ADA: dict[str, Callable[[], nn.Module]] = {
    "mask": lambda: lwt.AdaPool2d(2),
    "mask per channel": lambda: lwt.AdaPool2d(3, 2, 1, channels=3),
    "number": lambda: lwt.AdaPool2d(2, mask=False, beta=0.3),
    "number per channel": lambda: lwt.AdaPool2d(2, mask=False, channels=3),
    "mask of a size": lambda: lwt.AdaPool2d((2, 3), mask=(4, 2), beta=0.8),
    "constant": lambda: lwt.AdaPool2d(2, trainable=False),
    "given": lambda: lwt.AdaPool2d(2, beta=torch.linspace(0, 1, 48).reshape(3, 4, 4)),
    "given constant": lambda: lwt.AdaPool2d(2, beta=torch.tensor(0.7), trainable=False),
    "together": lambda: lwt.AdaPool2d(2, per_channel=False, ceil_mode=True),
}
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "soft": lambda: lwt.SoftPool2d(2),
    "edscw": lambda: lwt.EDSCWPool2d(3, 2, 1, per_channel=False),
    "idw": lambda: lwt.IDWPool2d((2, 3), distance="huber"),
    **ADA,
}
# One layer without beta and one with beta. The others take longer.
TRACED = ("soft", "mask per channel")
TRACED_LAYERS = [k if k in TRACED else pytest.param(k, marks=pytest.mark.slow) for k in LAYERS]


# --- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("name", "function", "options"), PLAIN)
def test_layers_do_what_the_functions_do(name: str, function: Any, options: Any, dims: int) -> None:
    for batch in (True, False):
        for dtype in ("float32", "float64"):
            x = signal(dims, batch, dtype)
            for args in ((2,), (3, 2, 1), (3, 1, 1, 2, True), ((2,) * dims,)):
                found = layer(name, dims, *args, **options)(x)
                # Not bitwise equal: NumPy and torch have different exponential functions.
                assert_close(found, function(x, *args, ndim=dims, **options), ulps=8)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_ada_pool_does_what_the_function_does(dims: int) -> None:
    for batch in (True, False):
        x = signal(dims, batch)
        pool = layer("AdaPool", dims, 2, beta=0.25)
        y = pool(x)
        assert_close(y, pooling.ada_pool(x, 2, beta=0.25, ndim=dims), ulps=4)
        assert tuple(pool.beta.shape) == tuple(n // 2 for n in SIZES[dims])
        for up, preserve in (("nearest", "sum"), ("linear", "mean")):
            options = {"up": up, "preserve": preserve}
            found = layer("AdaUnpool", dims, pool, **options)(y, x)
            expected = pooling.ada_unpool(x, y, 2, beta=0.25, ndim=dims, **options)
            assert_close(found, expected, ulps=4)


def test_arguments_are_in_the_order_of_torch() -> None:
    ours, theirs = lwt.SoftPool2d(3, 2, 1, 2), nn.MaxPool2d(3, 2, 1, 2)
    x = 1e6 * signal(2)
    assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("kind", LAYERS)
def test_gradcheck(kind: str) -> None:
    pool = LAYERS[kind]().double()
    x = signal(2, dtype="float64")[:1, :, :6, :6].clone().requires_grad_()
    pool(x)
    if any(p.numel() > 1 for p in pool.parameters()):
        with torch.no_grad():
            pool.beta.copy_(torch.rand(pool.beta.shape, generator=torch.manual_seed(0)) * 0.8 + 0.1)
    parameters = list(pool.parameters())
    assert len(parameters) == (kind in ADA and "constant" not in kind)
    assert gradcheck(lambda x, *p: pool(x), (x, *parameters))
    if kind in ADA:
        unpool, y = lwt.AdaUnpool2d(pool, "linear"), pool(x).detach().requires_grad_()
        assert gradcheck(lambda y, x, *p: unpool(y, x), (y, x, *parameters))


# --- beta ------------------------------------------------------------------------------------


def test_a_mask_takes_the_size_of_the_first_result() -> None:
    pool = lwt.AdaPool2d(2, channels=3)
    assert is_lazy(pool.beta)
    assert "of the first result" in repr(pool)
    optimizer = torch.optim.SGD(pool.parameters(), 1e-3)  # registers it before its size is known
    pool(signal(2)).sum().backward()
    assert tuple(pool.beta.shape) == (3, 4, 4)
    optimizer.step()
    assert (pool.beta != 0.5).any()
    assert "beta=(3, 4, 4)" in repr(pool)
    pool(signal(2, batch=False))
    pool(torch.randn(5, 3, 20, 12))
    assert tuple(pool.beta.shape) == (3, 4, 4)


def test_masks_do_not_depend_on_the_batch() -> None:
    pool = lwt.AdaPool2d(2)
    x = torch.randn(7, 3, 8, 8)
    whole = pool(x)
    assert tuple(pool.beta.shape) == (4, 4)
    assert_close(pool(x[2:3])[0], whole[2])
    assert_close(pool(x[2]), whole[2])


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_masks_are_interpolated_to_other_sizes(dims: int) -> None:
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[dims]
    small = (3, 4, 2)[:dims]
    mask = torch.rand((3, *small), generator=torch.manual_seed(1))
    pool = layer("AdaPool", dims, 2, beta=mask)
    for sizes in ((7, 5, 6)[:dims], (2, 3, 1)[:dims], small):
        x = torch.zeros(2, 3, *(2 * n for n in sizes))
        found = pool.mask_for(x)
        expected = nn.functional.interpolate(mask[None], size=sizes, mode=mode, align_corners=False)
        assert_close(found.detach(), expected[0], ulps=8)
        assert tuple(pool(x).shape[2:]) == sizes
    shared = layer("AdaPool", dims, 2, beta=mask[0])
    assert_close(shared.mask_for(x), pool.mask_for(x)[0])
    assert tuple(pool.beta.shape) == tuple(mask.shape)


def test_beta_is_clamped_as_it_is_used() -> None:
    x = signal(2)
    pool = lwt.AdaPool2d(2, mask=(4, 4))
    pool.beta.data.copy_(torch.tensor([2.0, -1.0, 0.5, 1.0]))  # as a large optimizer step does
    used = torch.tensor([[1.0, 0.0, 0.5, 1.0]] * 4)
    assert_close(pool(x), pooling.ada_pool(x, 2, beta=used), ulps=8)
    assert float(pool.beta.detach().max()) == 2.0


def test_masks_without_a_size_say_so() -> None:
    pool = lwt.AdaPool2d(2)
    for use in (
        lambda: sum(p.numel() for p in pool.parameters()),
        lambda: nn.init.constant_(pool.beta, 0.2),
        lambda: pool.beta.data + pool.beta,
    ):
        with pytest.raises(ShapeError, match=r"first call, but .* needs it: .* mask=\(H, W\)"):
            use()
    sized = lwt.AdaPool2d(2, mask=(4, 4))
    assert sum(p.numel() for p in sized.parameters()) == 16
    nn.init.constant_(sized.beta, 0.25)
    x = signal(2)
    assert_close(sized(x), pooling.ada_pool(x, 2, beta=0.25), ulps=8)


@pytest.mark.parametrize("channels", [None, 3])
def test_saved_masks_of_another_size_are_interpolated(channels: int | None) -> None:
    small, large = (lwt.AdaPool2d(2, mask=n, channels=channels) for n in ((2, 3), (4, 4)))
    nn.init.uniform_(small.beta)
    x = signal(2)
    with pytest.warns(MaskWarning, match=r"AdaPool2d has \(4, 4\) windows, .* \(2, 3\)"):
        large.load_state_dict(small.state_dict())
    assert tuple(large.beta.shape[-2:]) == (4, 4)
    assert_close(large(x), small(x), ulps=8)
    one = lwt.AdaPool2d(2, mask=1, channels=channels)
    with pytest.warns(MaskWarning, match="interpolated"):
        large.load_state_dict({"beta": one.state_dict()["beta"].half()})
    assert_close(large(x), pooling.ada_pool(x, 2, beta=0.5), ulps=8)
    with pytest.raises(RuntimeError, match="size mismatch"):
        large.load_state_dict(lwt.AdaPool2d(2, mask=False, channels=5).state_dict())


def test_beta_is_learned() -> None:
    """From 0.5 towards either end, depending on the target."""
    x = torch.asarray(zero_mean((4, 3, 8, 8), 1))
    for value in (0.1, 0.9):
        target = pooling.ada_pool(x, 2, beta=value)
        pool = lwt.AdaPool2d(2, mask=False).double()
        optimizer = torch.optim.Adam(pool.parameters(), 0.02)
        for _ in range(120):
            optimizer.zero_grad()
            loss = (pool(x) - target).square().mean()
            loss.backward()
            optimizer.step()
        assert abs(pool.beta.item() - value) < 0.02


def test_states_are_saved_and_loaded() -> None:
    x = signal(2)
    for make in ADA.values():
        pool = make()
        y = pool(x)
        if isinstance(pool.beta, nn.Parameter):
            nn.init.uniform_(pool.beta)
            y = pool(x)
        file = io.BytesIO()
        torch.save(pool.state_dict(), file)
        file.seek(0)
        state = torch.load(file)
        assert list(state) == ["beta"]
        for fresh in (make(), copy.deepcopy(pool)):  # before a first call, and after
            fresh.load_state_dict(state)
            assert_close(fresh(x), y)
        assert_close(pickle.loads(pickle.dumps(pool))(x), y)
    unused = lwt.AdaPool2d(2)
    again = lwt.AdaPool2d(2)
    again.load_state_dict(unused.state_dict())  # both sizes are unknown
    assert_close(copy.deepcopy(again)(x), pooling.ada_pool(x, 2), ulps=8)
    model = nn.ModuleDict({"down": lwt.AdaPool2d(2)})
    model["up"] = lwt.AdaUnpool2d(model["down"])
    model["up"](model["down"](x), x)
    assert len(list(model.parameters())) == 1


# --- torch features of layers ----------------------------------------------------------------


@pytest.mark.parametrize("kind", TRACED_LAYERS)
def test_layers_compile_whole(kind: str) -> None:
    """From the first call on; with and without a batch; and for changing sizes."""
    pool = LAYERS[kind]()
    torch._dynamo.reset()
    compiled = torch.compile(copy.deepcopy(pool), fullgraph=True, backend="aot_eager")
    for shape in ((2, 3, 9, 8), (4, 3, 12, 10), (3, 11, 7)):
        x = torch.asarray(zero_mean(shape, 3, "float32"))
        results = []
        for module in (compiled, pool):
            given = x.clone().requires_grad_()
            y = module(given)
            parameters = [p for p in module.parameters() if p.requires_grad]
            found = torch.autograd.grad(y.sin().sum(), [given, *parameters])
            results.append([y.detach(), *found])
        for got, expected in zip(*results, strict=True):
            assert_close(got, expected, ulps=16)


def test_functions_compile_whole() -> None:
    beta, weight = torch.full((3, 1, 1), 0.3), torch.asarray(zero_mean((3, 2, 2, 2), 1, "float32"))
    functions: list[Callable[[torch.Tensor], Any]] = [
        lambda x: pooling.soft_pool(x, 2),
        lambda x: pooling.similarity_pool(x, 3, 2, similarity="pce", exponential=False),
        lambda x: pooling.ada_unpool(x, pooling.ada_pool(x, 2, beta=beta), 2, beta=beta),
        lambda x: pooling.max_pool(x, 3, 2, 1),
        lambda x: pooling.nearest_unpool(pooling.idw_pool(x, 2), 2),
        lambda x: pooling.bed_of_nails_unpool(x, 2),
        lambda x: pooling.conv_transpose(x, weight, 2),
        lambda x: pooling.max_unpool(
            *pooling.max_pool(x, 2, return_indices=True), 2, output_size=x.shape[-2:]
        ),
    ]

    def together(x: torch.Tensor) -> list[torch.Tensor]:  # one graph: compilation takes seconds
        return [function(x) for function in functions]

    torch._dynamo.reset()
    compiled = torch.compile(together, fullgraph=True, backend="aot_eager")
    for shape in ((2, 3, 9, 8), (2, 3, 10, 6)):
        x = torch.asarray(zero_mean(shape, 3, "float32")).requires_grad_()
        for y, function in zip(compiled(x), functions, strict=True):
            expected = function(x)
            assert_close(y.detach(), expected.detach(), ulps=8)
            found = [
                torch.autograd.grad(v.sin().sum(), x, retain_graph=True)[0] for v in (y, expected)
            ]
            assert_close(*found, ulps=16)


@pytest.mark.parametrize(
    ("kind", "strict"),
    [
        *((kind, False) for kind in LAYERS),
        *((kind, True) for kind in TRACED),
        *(pytest.param(k, True, marks=pytest.mark.slow) for k in LAYERS if k not in TRACED),
    ],
)
def test_layers_export(kind: str, strict: bool) -> None:
    pool, x = LAYERS[kind]().eval(), signal(2)
    y = pool(x)
    program = torch.export.export(
        pool, (x,), dynamic_shapes={"x": {0: torch.export.Dim("batch", min=2)}}, strict=strict
    )
    names = {str(node.target) for node in program.graph.nodes}
    assert "liftwave.run.default" in names
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    assert_close(loaded(x).detach(), y.detach())
    assert_close(loaded(torch.cat([x, x]))[2:].detach(), y.detach())


@pytest.mark.parametrize("reverse", [False, True])
def test_operators_keep_the_rules_of_torch(reverse: bool) -> None:
    operation = WeightedPool(
        window_arguments((3, 2), 2, 1), "ada", up="linear" if reverse else None
    )
    x, beta = signal(2, dtype="float64"), torch.rand(3, 5, 5, dtype=torch.float64)
    pooled = [torch.rand(2, 3, 5, 5, dtype=torch.float64)] * reverse
    inputs = [t.clone().requires_grad_() for t in (x, *pooled, beta)]
    checks = (
        "test_schema",
        "test_autograd_registration",
        "test_faketensor",
        "test_aot_dispatch_dynamic",
    )
    operator = torch.ops.liftwave.run.default
    torch.library.opcheck(operator, (inputs, operation.text, []), test_utils=checks)
    g = (
        torch.rand(2, 3, 9, 8, dtype=torch.float64)
        if reverse
        else pooling.soft_pool(x, (3, 2), 2, 1)
    )
    plain = [t.detach() for t in inputs]
    torch.library.opcheck(
        operator,
        ([g, *plain], operation.derivative((True,), "inputs").text, []),
        test_utils=("test_schema", "test_faketensor"),
    )


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(kind: str, dtype: torch.dtype) -> None:
    x = signal(2).to(dtype).requires_grad_()
    pool = LAYERS[kind]()
    expected = pool(x.detach().float()).to(dtype)
    y = pool(x)
    assert_close(y, expected)
    y.sum().backward()
    assert x.grad.dtype == dtype
    with torch.autocast("cpu", torch.bfloat16):
        assert_close(pool(x), expected)
        mixed = nn.Sequential(nn.Conv2d(3, 3, 1), pool)
        assert mixed(x.detach().float()).dtype == torch.bfloat16
    halved = copy.deepcopy(pool).to(dtype)
    assert halved(x).dtype == dtype
    assert all(p.dtype == dtype for p in halved.parameters())


@pytest.mark.parametrize("kind", LAYERS)
def test_layers_are_deterministic(kind: str) -> None:
    pool, x = LAYERS[kind](), torch.randn(4, 3, 40, 30)
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        runs = []
        for _ in range(3):
            given = x.clone().requires_grad_()
            y = pool(given)
            runs.append(
                [y.detach(), *torch.autograd.grad(y.sin().sum(), [given, *pool.parameters()])]
            )
    finally:
        torch.use_deterministic_algorithms(before)
    for again in runs[1:]:
        for got, expected in zip(again, runs[0], strict=True):
            assert_close(got, expected)


def test_integers_become_double() -> None:
    x = torch.arange(64).reshape(1, 8, 8)
    assert_close(lwt.SoftPool2d(2)(x), pooling.soft_pool(x.double(), 2))


def test_what_layers_print() -> None:
    for pool, shown in (
        (lwt.SoftPool2d(2), "SoftPool2d(kernel_size=2, stride=2)"),
        (
            lwt.EDSCWPool1d(3, 2, 1, 2, True, per_channel=False),
            "EDSCWPool1d(kernel_size=3, stride=2, padding=1, dilation=2, ceil_mode=True, "
            "per_channel=False)",
        ),
        (
            lwt.IDWPool3d((2, 3, 4), distance="huber", delta=0.25),
            "IDWPool3d(kernel_size=(2, 3, 4), stride=(2, 3, 4), distance='huber', delta=0.25)",
        ),
        (
            lwt.AdaPool2d(2, mask=(7, 7), channels=8, trainable=False),
            "AdaPool2d(kernel_size=2, stride=2, beta=(8, 7, 7), trainable=False, channels=8)",
        ),
    ):
        assert repr(pool) == shown
    assert "up='linear', preserve='mean'" in repr(
        lwt.AdaUnpool2d(lwt.AdaPool2d(2), "linear", "mean")
    )


# --- errors ----------------------------------------------------------------------------------

X = torch.zeros(2, 3, 8, 8)
BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no batch, no channel": (
        lambda: lwt.SoftPool2d(2)(X[0, 0]),
        ShapeError,
        r"shape \(C, H, W\) or \(N, C, H, W\), got shape \(8, 8\)",
    ),
    "too many axes": (lambda: lwt.AdaPool1d(2)(X), ShapeError, r"\(C, L\) or \(N, C, L\)"),
    "complex": (lambda: lwt.SoftPool2d(2)(X.cfloat()), DTypeError, "torch.complex64"),
    "too large a window": (lambda: lwt.SoftPool2d(9)(X), WindowError, "no window fits"),
    "too many numbers": (lambda: lwt.SoftPool2d((2, 2, 2)), WindowError, "ndim=2"),
    "too much padding": (lambda: lwt.IDWPool2d(3, 1, 2), WindowError, "at most half"),
    "no number": (lambda: lwt.SoftPool2d(2.5), ArgumentTypeError, "integer.*2.5"),
    "distance": (lambda: lwt.IDWPool2d(2, distance="l3"), WindowError, "'l1', 'l2'.*'l3'"),
    "delta": (lambda: lwt.IDWPool2d(2, distance="huber", delta=0), WindowError, "positive"),
    "beta": (lambda: lwt.AdaPool2d(2, beta="0.5"), ArgumentTypeError, "got str"),
    "beta above 1": (lambda: lwt.AdaPool2d(2, beta=1.5), WindowError, "between 0 and 1, got 1.5"),
    "beta that is NaN": (lambda: lwt.AdaPool2d(2, beta=float("nan")), WindowError, "got nan"),
    "beta below 0": (
        lambda: lwt.AdaPool1d(2, beta=torch.tensor([0.5, -0.25])),
        WindowError,
        r"between 0 and 1, got values from -0\.25 to 0\.5",
    ),
    "beta of one axis": (
        lambda: lwt.AdaPool2d(2, beta=X[0, 0, 0]),
        ShapeError,
        r"got shape \(8,\)",
    ),
    "channels": (
        lambda: lwt.AdaPool2d(2, channels=4)(X),
        ShapeError,
        r"beta.*got shape \(4, 4, 4\)",
    ),
    "no channels": (
        lambda: lwt.AdaPool2d(2, channels=0),
        WindowError,
        "must be at least 1",
    ),
    "mask": (lambda: lwt.AdaPool2d(2, mask=(1, 2, 3)), WindowError, "mask must be one number or 2"),
    "reverse of another": (
        lambda: lwt.AdaUnpool2d(lwt.SoftPool2d(2)),
        ArgumentTypeError,
        "AdaUnpool2d reverses an AdaPool2d, got SoftPool2d",
    ),
    "reverse of other axes": (
        lambda: lwt.AdaUnpool2d(lwt.AdaPool1d(2)),
        ArgumentTypeError,
        "got AdaPool1d",
    ),
    "up": (lambda: lwt.AdaUnpool2d(lwt.AdaPool2d(2), "cubic"), WindowError, "'linear'.*'cubic'"),
    "preserve": (
        lambda: lwt.AdaUnpool2d(lwt.AdaPool2d(2), preserve="max"),
        WindowError,
        "'mean'.*'max'",
    ),
    "pooled": (
        lambda: lwt.AdaUnpool2d(lwt.AdaPool2d(2))(X[..., :3, :4], X),
        ShapeError,
        r"pooled has shape \(2, 3, 3, 4\).*\(2, 3, 4, 4\)",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_errors_say_what_is_wrong(what: str) -> None:
    call, error, match = BAD[what]
    with pytest.raises(error, match=match):
        call()
