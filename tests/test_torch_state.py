"""The state of layers: device, dtype and initial values; the meta device; FSDP and DDP."""

from __future__ import annotations

import copy
import inspect
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

torch = pytest.importorskip("torch")
import torch.distributed as dist  # noqa: E402
from no_fallback_layers import IMAGES, LAYERS, ZOO, new_of_zoo, of  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.parameter import is_lazy  # noqa: E402

import liftwave.torch as lwt  # noqa: E402
from liftwave.errors import ArgumentTypeError, DTypeError, WaveletError  # noqa: E402
from liftwave.pooling import energy_attention  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning")

PARENTS = {"LiftUpPool": "down", "LDWUnpool": "pool", "AdaUnpool": "pool"}
"""Layers that share the parameters of another layer, and the argument that is this layer."""


EACH = LAYERS | {
    name: [of(lambda kind=kind: new_of_zoo(kind, 4).eval(), IMAGES)] for name, kind in ZOO.items()
}


def tensors(m: nn.Module) -> list[Tensor]:
    return [*m.parameters(), *m.buffers()]


def has_state(name: str) -> bool:
    """Whether layers of this class can have own parameters or buffers."""
    return name[:-2] not in PARENTS and any(tensors(each.make()) for each in EACH[name])


# --- device, dtype, initial values ---------------------------------------------------------------


@pytest.mark.parametrize("name", EACH)
def test_every_layer_with_state_has_a_device_a_dtype_and_a_reset(name: str) -> None:
    kind: Any = ZOO.get(name) or getattr(lwt, name)
    parameters = inspect.signature(kind).parameters
    found = {p for p in ("device", "dtype") if p in parameters and parameters[p].default is None}
    expected = {"device", "dtype"} if has_state(name) else set()
    assert (found, hasattr(kind, "reset_parameters")) == (expected, bool(expected))


CASES: dict[str, Any] = {
    "transform": lambda **o: lwt.DWT1d("db2", learn="filters", **o),
    "inverse": lambda **o: lwt.IDWT2d("cdf9.7", learn="lifting", **o),
    "undecimated": lambda **o: lwt.SWT1d("db3", learn="orthonormal", random=True, **o),
    "maximal overlap": lambda **o: lwt.MODWT1d("bior2.2", learn="linear-phase", **o),
    "packets": lambda **o: lwt.WaveletPacket1d("db2", learn="filters", random=True, **o),
    "LDW": lambda **o: lwt.LDWPool2d(5, init="random", **o),
    "LDW, angles": lambda **o: lwt.LDWPool1d(6, learn="orthonormal", **o),
    "LDW, fixed": lambda **o: lwt.LDWPool1d("haar", learn=None, **o),
    "lifting pooling": lambda **o: lwt.LiftDownPool2d(3, init="random", **o),
    "AdaPool": lambda **o: lwt.AdaPool2d(2, mask=(3, 4), channels=2, beta=0.25, **o),
    "AdaPool, buffer": lambda **o: lwt.AdaPool2d(2, beta=torch.rand(3, 4), trainable=False, **o),
    "AdaPool, unsized": lambda **o: lwt.AdaPool2d(2, **o),
    "attention": lambda **o: lwt.EnergyAttention(4, **o),
    "gates": lambda **o: lwt.GatedAdaPool2d(2, channels=3, **o),
    "convolution": lambda **o: lwt.WTConv2d(3, 3, 2, "db2", learn="filters", random=True, **o),
    "bottleneck": lambda **o: lwt.LDWBottleneck(4, 8, **o),
    **{name: partial(new_of_zoo, kind, 4) for name, kind in ZOO.items() if has_state(name)},
}


@pytest.mark.parametrize("name", CASES)
def test_parameters_of_a_device_and_dtype(name: str) -> None:
    wide, there = CASES[name](dtype=torch.float64), CASES[name](device="meta")
    assert {t.dtype for t in tensors(wide)} <= {torch.float64, torch.int64}
    assert all(t.is_meta for t in tensors(there))
    with pytest.raises(DTypeError, match="floating-point"):
        CASES[name](dtype=torch.int32)
    with pytest.raises(ArgumentTypeError, match="device"):
        CASES[name](device="cpus")


@pytest.mark.parametrize("name", CASES)
def test_initial_values_again(name: str) -> None:
    torch.manual_seed(0)
    m = CASES[name]()
    first = copy.deepcopy(m.state_dict())
    with torch.no_grad():
        for t in tensors(m):
            if not is_lazy(t):
                t.fill_(7)
    torch.manual_seed(0)
    m.reset_parameters()
    for key, value in m.state_dict().items():
        assert is_lazy(value) or torch.equal(value, first[key]), key


def test_double_precision_begins_at_double_precision() -> None:
    """The initial values are those of float64, and not of float32."""
    wavelet = lwt.FiltersWavelet("db4", dtype=torch.float64)
    assert float(wavelet.penalty().detach()) < 1e-28


def test_a_wavelet_that_exists_has_its_device() -> None:
    wavelet = lwt.FiltersWavelet("db2")
    for make in (lwt.DWT1d, lwt.LDWPool1d, lwt.MODWT1d):
        with pytest.raises(WaveletError, match=r"use wavelet.to\(device, dtype\)"):
            make(wavelet, dtype=torch.float64)


# --- the meta device -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", EACH)
def test_layers_of_the_meta_device(name: str) -> None:
    """Created without memory, then given memory and initial values: as without the detour."""
    for each in EACH[name]:
        torch.manual_seed(0)
        expected = each.make()
        with torch.device("meta"):
            m: Any = each.make()
        assert all(t.is_meta for t in tensors(m))
        m = m.to_empty(device="cpu")
        torch.manual_seed(0)
        if hasattr(m, "reset_parameters"):
            m.reset_parameters()
        state = m.state_dict()
        for key, value in expected.state_dict().items():
            assert is_lazy(value) or torch.equal(value, state[key]), key
        assert list(state) == list(expected.state_dict())
    torch.manual_seed(0)
    x = torch.randn(each.shape)
    found = each.call(m, x)
    torch.testing.assert_close(found, each.call(expected, x))


# --- FSDP and DDP --------------------------------------------------------------------------------


@pytest.fixture
def one_process() -> Iterator[None]:
    """A process group of this process."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def sharded(m: nn.Module) -> nn.Module:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    return fully_shard(m, mesh=init_device_mesh("cpu", (dist.get_world_size(),)))


class Net(nn.Module):
    """All kinds of parameters, among them some without numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = lwt.LiftDownPool2d(3)
        self.mask = lwt.AdaPool2d(2, mask=(8, 8))
        self.attention = lwt.EnergyAttention(3)
        options: dict[str, Any] = {"mode": "periodization"}
        kinds = {"orthonormal": "haar", "linear-phase": "cdf9.7", "lifting": "cdf5.3"}
        self.transforms = nn.ModuleList(
            lwt.DWT2d(wavelet, learn=learn, **options)
            for learn, wavelet in {**kinds, "filters": "db2"}.items()
        )
        with torch.no_grad():
            self.transforms[-1].wavelet.lowpass.mul_(1.1)

    def loss(self, x: Tensor) -> Tensor:
        """A loss with all penalties."""
        total = self(x)
        return total + lwt.auxiliary_loss(self)

    def forward(self, x: Tensor) -> Tensor:
        """A number."""
        x = self.attention(self.mask(x) + self.pool(x))
        return sum(dwt(x)[0].square().mean() for dwt in self.transforms)  # type: ignore[return-value]


def pair() -> tuple[Net, Net, Tensor]:
    torch.manual_seed(0)
    net = Net()
    return net, copy.deepcopy(net), torch.randn(4, 3, 16, 16)


def check_gradients(net: nn.Module, expected: nn.Module) -> None:
    for (name, p), q in zip(net.named_parameters(), expected.parameters(), strict=True):
        if q.numel() == 0:
            continue
        gradient = p.grad.full_tensor() if hasattr(p.grad, "full_tensor") else p.grad
        torch.testing.assert_close(gradient, q.grad, msg=lambda m, name=name: f"{name}: {m}")


def check_sharded(rank: int, count: int) -> None:
    """The gradients of FSDP are those of one process with the whole batch."""
    net, alone, x = pair()
    sharded(net)
    for each, part in ((net, x.chunk(count)[rank]), (alone, x)):
        each.eval().loss(part).backward()  # batch normalisation depends on the parts
    check_gradients(net, alone)
    assert type(lwt.auxiliary_loss(net)) is Tensor
    bank = net.transforms[-1].wavelet()
    torch.testing.assert_close(bank.rec_lo, alone.transforms[-1].wavelet.lowpass)


@pytest.mark.usefixtures("one_process")
def test_fsdp() -> None:
    check_sharded(0, 1)


def _process(rank: int, count: int, file: str) -> None:
    dist.init_process_group("gloo", f"file://{file}", rank=rank, world_size=count)
    check_sharded(rank, count)
    dist.destroy_process_group()


@pytest.mark.slow
def test_fsdp_of_two_processes(tmp_path: Any) -> None:
    torch.multiprocessing.spawn(_process, (2, str(tmp_path / "store")), nprocs=2)


@pytest.mark.filterwarnings("ignore:DTensor random operators:UserWarning")  # torch's linear layers
@pytest.mark.usefixtures("one_process")
def test_fsdp_of_the_meta_device() -> None:
    """Sharded without memory, then given memory and initial values."""
    with torch.device("meta"):
        net = Net()
    sharded(net)
    net.to_empty(device="cpu")
    for m in net.modules():
        if hasattr(m, "reset_parameters"):
            m.reset_parameters()
    expected = dict(Net().named_parameters())
    for name, p in net.named_parameters():
        if not name.startswith("attention"):  # random
            wanted = expected[name] / 1.1 if "lowpass" in name else expected[name]
            torch.testing.assert_close(p.full_tensor(), wanted)


@pytest.mark.usefixtures("one_process")
def test_ddp() -> None:
    net, alone, x = pair()
    parallel = nn.parallel.DistributedDataParallel(net, find_unused_parameters=True)
    (parallel(x) + lwt.auxiliary_loss(parallel)).backward()
    alone.loss(x).backward()
    check_gradients(net, alone)
    with pytest.raises(RuntimeError, match="uninitialized parameters"):
        nn.parallel.DistributedDataParallel(lwt.AdaPool2d(2))


def test_parameters_can_be_resized_after_a_call() -> None:
    """FSDP frees the memory of parameters so. Views of NumPy would forbid it."""
    net, _, x = pair()
    net.loss(x).backward()
    with torch.no_grad():
        net(x)
    for p in net.parameters():
        p.untyped_storage().resize_(0)


# --- energy attention ----------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["none", "affine-free"])
def test_attention_with_other_normalisations(norm: str) -> None:
    attention: Any = lwt.EnergyAttention(4, 2)
    x = torch.randn(3, 4, 5, 6)
    if norm == "none":
        attention.norm = nn.Identity()
        statistics = torch.zeros(4), torch.ones(4)
        options = {"epsilon": 0.0}
    else:
        attention.norm = nn.BatchNorm2d(4, affine=False).eval()
        attention.norm.running_mean.fill_(0.5)
        statistics, options = (torch.full((4,), 0.5), torch.ones(4)), {}
    layers = [(layer.weight, layer.bias) for layer in (attention.squeeze, attention.excite)]
    torch.testing.assert_close(attention(x), energy_attention(x, *layers, *statistics, **options))
    attention.norm = nn.InstanceNorm2d(4)  # neither parameters nor buffers
    assert attention(x.bfloat16()).dtype == torch.bfloat16
    attention.reset_parameters()


def test_states_do_not_hold_initial_values() -> None:
    for name, make in CASES.items():
        if name == "AdaPool, unsized":  # torch does not load a file with an unsized parameter
            continue
        m = make()
        file = io.BytesIO()
        torch.save(m.state_dict(), file)
        file.seek(0)
        m.load_state_dict(torch.load(file))
