"""Layers in graphs of ``torch.fx``, and inputs that no layer takes."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import assert_close
from torch import fx, nn
from torch.utils._pytree import tree_leaves, tree_map
from torch_layer_cases import CASES, EACH, Case

from liftwave import torch as lwt
from liftwave.errors import ArgumentTypeError, LiftwaveError


class One(nn.Module):
    """A model that holds a layer with one argument."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.inner = nn.Sequential(layer)

    def forward(self, x: Any) -> Any:
        return self.inner(x)


class Two(nn.Module):
    """A model that holds a layer with two arguments."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, pooled: Any, x: Any) -> Any:
        return self.layer(pooled, x)


def model_of(case: Case) -> nn.Module:
    return One(case.layer) if len(case.arguments()) == 1 else Two(case.layer)


def same(got: Any, expected: Any) -> None:
    for a, b in zip(tree_leaves(got), tree_leaves(expected), strict=True):
        assert_close(a.detach(), b.detach())


@pytest.mark.parametrize("name", [*EACH, "LDWBottleneck"])
def test_layers_are_leaves(name: str) -> None:
    """A graph calls them as a whole, for any size. Copies and saved layers are leaves, too.

    ``LDWBottleneck`` is a network: its graph calls each of its layers.
    """
    case = CASES[name]
    file = io.BytesIO()
    torch.save(case.layer, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    for layer in (case.layer, loaded, copy.deepcopy(case.layer)):
        graph = fx.symbolic_trace(model_of(case._replace(layer=layer)))
        calls = [node for node in graph.graph.nodes if node.op not in ("placeholder", "output")]
        is_leaf = not isinstance(layer, lwt.LDWBottleneck)
        assert {node.op for node in calls} == {"call_module"} or not is_leaf
        assert len(calls) == 1 or not is_leaf
        arguments = case.arguments(5, 1)
        same(graph(*arguments), case.layer(*arguments))


class Network(nn.Module):
    """A small network, as for feature extractors."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
        self.pool = lwt.SoftPool2d(2)
        self.dwt = lwt.DWT2d("db2", learn="orthonormal")
        self.idwt = self.dwt.inverse()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        approx, details = self.dwt(self.pool(self.conv(x)))
        rebuilt: torch.Tensor = self.idwt([approx.sin(), details])
        return rebuilt


def test_networks_are_traced() -> None:
    """Bands are unpacked and changed. Features are taken after a layer, as torchvision does."""
    model, x = Network(), torch.randn(2, 3, 18, 18)
    traced = fx.symbolic_trace(model)
    same(traced(x), model(x))
    targets = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    assert targets == ["conv", "pool", "dwt", "idwt"]

    (pool,) = (node for node in traced.graph.nodes if node.target == "pool")
    (end,) = (node for node in traced.graph.nodes if node.op == "output")
    end.args = ({"pool": pool},)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    same(traced(x)["pool"], model.pool(model.conv(x)))


def test_a_layer_alone_is_not_traced() -> None:
    with pytest.raises(ArgumentTypeError, match=r"trace the model, or nn.Sequential\(layer\)"):
        fx.symbolic_trace(lwt.SoftPool2d(2))


def test_classes_keep_their_module() -> None:
    layer = lwt.DWT1d("db2")
    assert type(layer).__module__ == "liftwave.torch.transforms"
    assert type(pickle.loads(pickle.dumps(layer))) is lwt.DWT1d


# --- inputs that no layer takes ------------------------------------------------------------------

KINDS: dict[str, Callable[[torch.Tensor], Any]] = {
    "quantised": lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
    "sparse": lambda x: x.to_sparse(),
    "sparse rows": lambda x: x[(0,) * (x.ndim - 2)].to_sparse_csr(),
    "nested": lambda x: torch.nested.nested_tensor(list(x)),
    "jagged": lambda x: torch.nested.nested_tensor([y.flatten(1) for y in x], layout=torch.jagged),
    "8-bit float": lambda x: x.to(torch.float8_e4m3fn),
    "array": lambda x: x.numpy(),
    "list": lambda x: x.tolist(),
}


@pytest.mark.parametrize("name", EACH)
@pytest.mark.filterwarnings("ignore:.*quantized tensor creation:UserWarning")
@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_other_inputs_are_refused_in_one_line(name: str) -> None:
    case = CASES[name]
    for make in KINDS.values():
        arguments = tree_map(make, case.arguments())
        with pytest.raises(LiftwaveError) as caught:
            case.layer(*arguments)
        assert "\n" not in str(caught.value)
