"""Distributed tensors: operations run on the parts of each rank, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import (
    DTensor,
    Replicate,
    Shard,
    distribute_module,
    distribute_tensor,
)

import liftwave as lw
import liftwave.torch as lt
from examples.halo import split_dwt, split_idwt
from liftwave.errors import ArgumentTypeError

SCHEME = lw.LiftingScheme.from_name("cdf9.7")
INTEGER = lw.LiftingScheme.from_name("cdf5.3").to_integer()


def joined(rank: int, ranks: int, folder: str) -> DeviceMesh:
    """The mesh of all ranks."""
    store = f"file://{folder}/store"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=ranks)
    return init_device_mesh("cpu", (ranks,))


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[DeviceMesh]:
    """A mesh of this process alone."""
    yield joined(0, 1, str(tmp_path))
    dist.destroy_process_group()


def volume(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


# Functions of data of the shape (5, 4, 12, 10), and the axes along which these can be split.
CALLS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "dwt": (lambda x: lw.dwt(x, "db2", axis=-1), (0, 1, 2)),
    "wavedec2": (lambda x: lw.wavedec2(x, "db2", level=1), (0, 1)),
    "wavedec2 of the first axes": (lambda x: lw.wavedec2(x, "haar", level=1, axes=(0, 1)), (2, 3)),
    "waverec2": (lambda x: lw.waverec2([x, (x, x, x)], "db3"), (0, 1)),
    "lifting": (lambda x: lw.dwt2(x, SCHEME, "reflect"), (0, 1)),
    "swt": (lambda x: lw.swt2(x, "haar", 1), (0, 1)),
    "every level": (lambda x: lw.swt(x, "haar", 2, axis=-2), (0, 1, 3)),
    "dual tree": (lambda x: lw.dtcwt(x, 1, axes=(2, 3)).lowpass, (0, 1)),
    "packets": (lambda x: lw.wpdec(x, "haar", level=1), ()),
    "soft_pool": (lambda x: lw.pooling.soft_pool(x, 2), (0,)),
    "max_pool": (lambda x: lw.pooling.max_pool(x, 2), (0, 1)),
}
LAYERS: dict[str, Callable[[], torch.nn.Module]] = {
    "DWT2d": lambda: lt.DWT2d("db2", 1, learn="filters", dtype=torch.float64),
    "orthonormal": lambda: lt.DWT2d("db2", 1, learn="orthonormal", dtype=torch.float64),
    "lifting": lambda: lt.DWT2d("cdf5.3", 1, "reflect", learn="lifting", dtype=torch.float64),
    "AdaPool2d": lambda: lt.AdaPool2d(2, mask=(6, 5), dtype=torch.float64),
    "LiftDownPool2d": lambda: lt.LiftDownPool2d(4, dtype=torch.float64),
}


def tensors_of(results: Any) -> list[Any]:
    if isinstance(results, dict):
        results = list(results.values())
    if isinstance(results, list | tuple):
        return [x for each in results for x in tensors_of(each)]
    return [results]


def backward(results: list[Any]) -> None:
    """The sum of the squares, backward."""
    total = sum((y * y).sum() for y in results)
    total = total.full_tensor() if isinstance(total, DTensor) else total
    total.backward()


def close(actual: DTensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual.full_tensor(), expected, rtol=1e-10, atol=1e-10)


# --- what each rank checks -----------------------------------------------------------------------


def check_call(name: str, mesh: DeviceMesh) -> None:
    function, axes = CALLS[name]
    x = volume(5, 4, 12, 10).requires_grad_()
    expected = tensors_of(function(x))
    backward(expected)
    for axis in range(4):
        split = distribute_tensor(x.detach(), mesh, [Shard(axis)]).requires_grad_()
        results = tensors_of(function(split))
        placement = Shard(axis) if axis in axes else Replicate()
        for y, wanted in zip(results, expected, strict=True):
            assert y.placements == (placement,)
            assert y.shape == wanted.shape
            assert y.stride() == wanted.stride()
            close(y, wanted)
        backward(results)
        close(split.grad, x.grad)


def check_layer(name: str, mesh: DeviceMesh) -> None:
    """Gradients of parameters are sums over the ranks."""
    torch.manual_seed(0)
    whole, layer = LAYERS[name](), LAYERS[name]()
    layer.load_state_dict(whole.state_dict())
    x = volume(5, 4, 12, 10)
    expected = tensors_of(whole(x))
    backward(expected)
    distribute_module(layer, mesh)
    results = tensors_of(layer(distribute_tensor(x, mesh, [Shard(0)])))
    for y, wanted in zip(results, expected, strict=True):
        close(y, wanted)
    backward(results)
    for parameter, wanted in zip(layer.parameters(), whole.parameters(), strict=True):
        close(parameter.grad, wanted.grad)


def check_integers(mesh: DeviceMesh) -> None:
    x = (100 * volume(3, 12, 10)).to(torch.int32)
    for axis in range(3):
        bands = lw.wavedec2(distribute_tensor(x, mesh, [Shard(axis)]), INTEGER, level=1)
        for y, wanted in zip(
            tensors_of(bands), tensors_of(lw.wavedec2(x, INTEGER, level=1)), strict=True
        ):
            assert torch.equal(y.full_tensor(), wanted)


def check_parts_without_rows(mesh: DeviceMesh) -> None:
    x = volume(1, 12, 10)
    results = tensors_of(lw.dwt2(distribute_tensor(x, mesh, [Shard(0)]), "db2"))
    for y, wanted in zip(results, tensors_of(lw.dwt2(x, "db2")), strict=True):
        close(y, wanted)


def check_compiled(mesh: DeviceMesh) -> None:
    function = CALLS["wavedec2"][0]
    x = volume(5, 4, 12, 10).requires_grad_()
    expected = tensors_of(function(x))
    backward(expected)
    split = distribute_tensor(x.detach(), mesh, [Shard(0)]).requires_grad_()
    results = tensors_of(torch.compile(function, backend="aot_eager")(split))
    for y, wanted in zip(results, expected, strict=True):
        close(y, wanted)
    backward(results)
    close(split.grad, x.grad)


def check_halo(mesh: DeviceMesh) -> None:
    """Values and gradients are those of the whole signal; the last part is odd."""
    rank, ranks = mesh.get_local_rank(), mesh.size()
    x = volume(12 * ranks + 5, 3).requires_grad_()
    rows = slice(12 * rank, None if rank == ranks - 1 else 12 * (rank + 1))
    part = x.detach()[rows].requires_grad_()
    for wavelet, mode in (("haar", "zero"), ("db3", "symmetric"), ("bior4.4", "smooth")):
        whole, own = lw.dwt(x, wavelet, mode, axis=0), split_dwt(part, wavelet, mesh, mode)
        places = slice(6 * rank, None if rank == ranks - 1 else 6 * (rank + 1))
        for y, wanted in zip(own, whole, strict=True):
            torch.testing.assert_close(y, wanted[places])
        back, both = split_idwt(*own, wavelet, mesh), lw.idwt(*whole, wavelet, axis=0)
        torch.testing.assert_close(back[: len(part)], part)
        x.grad = part.grad = None
        backward([*whole, both])
        backward([*own, back])
        torch.testing.assert_close(part.grad, x.grad[rows])


def check_all(rank: int, ranks: int, folder: str) -> None:
    """All checks on one of several ranks."""
    torch.set_num_threads(1)
    mesh = joined(rank, ranks, folder)
    try:
        for name in CALLS:
            check_call(name, mesh)
        for name in LAYERS:
            check_layer(name, mesh)
        check_integers(mesh)
        check_parts_without_rows(mesh)
        check_halo(mesh)
        check_compiled(mesh)
    finally:
        dist.destroy_process_group()


# --- tests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str, mesh: DeviceMesh) -> None:
    check_call(name, mesh)


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str, mesh: DeviceMesh) -> None:
    check_layer(name, mesh)


def test_integers_and_halos(mesh: DeviceMesh) -> None:
    check_integers(mesh)
    check_halo(mesh)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_several_ranks(ranks: int, tmp_path: Path) -> None:
    torch.multiprocessing.spawn(check_all, (ranks, str(tmp_path)), nprocs=ranks)


def test_data_that_are_not_all_distributed(mesh: DeviceMesh) -> None:
    x = volume(2, 12, 10)
    split = distribute_tensor(x, mesh, [Shard(0)])
    with pytest.raises(ArgumentTypeError, match="the data must all be distributed tensors"):
        lw.idwt(split, x, "db2")
