"""Replacement of pooling in models, and the report of what stays."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import liftwave.torch as lwt  # noqa: E402
from liftwave.errors import ArgumentTypeError, ExportError  # noqa: E402


class Block(nn.Module):
    """With a shortcut; its modules are registered in another order than they are used."""

    def __init__(self) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(4, 8, 1, stride=2)
        self.pool = nn.AvgPool2d(2)
        self.second = nn.Conv2d(4, 8, 3, padding=1)
        self.first = nn.Conv2d(3, 4, 3, stride=1, padding=1)
        self.stays = nn.MaxPool2d(3, stride=1, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stays(self.first(x))
        result: torch.Tensor = self.pool(self.second(x)) + self.shortcut(x)
        return result


def lift(place: lwt.Place) -> nn.Module:
    assert place.channels is not None
    return lwt.LiftDownPool2d(place.channels)


def test_pooling_is_replaced() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.MaxPool2d(3, 2, 1)
    )
    convolution, before = model[0], model(torch.zeros(1, 3, 33, 32)).shape
    report = lwt.replace_pooling(model, lift)
    assert str(report) == (
        "0: Conv2d of stride 2 -> Conv2d and LiftDownPool2d\n2: MaxPool2d -> LiftDownPool2d"
    )
    assert model[0][0] is convolution
    assert convolution.stride == (1, 1)
    assert [place.channels for place, _, _ in report] == [8, 8]
    assert [type(module) for _, module, _ in report] == [nn.Sequential, lwt.LiftDownPool2d]
    assert model(torch.zeros(1, 3, 33, 32)).shape == before


def test_an_example_shows_the_channels() -> None:
    model = Block().train()
    x = torch.randn(2, 3, 16, 16)
    before = model(x).shape
    state = {k: v.clone() for k, v in model.state_dict().items()}
    report = lwt.replace_pooling(model, lift, x)
    places = {each.place.name: each.place for each in report}
    assert {name: place.channels for name, place in places.items()} == {"shortcut": 8, "pool": 8}
    assert places["shortcut"].kind == "convolution"
    assert places["pool"].kernel_size == (2, 2)
    assert model(x).shape == before
    assert all(module.training for module in model.modules())
    assert torch.equal(model.state_dict()["first.weight"], state["first.weight"])


def test_what_is_left_is_said() -> None:
    pool = nn.MaxPool2d(2)
    shared = nn.Sequential(nn.Conv2d(3, 4, 1), pool, nn.Conv2d(4, 6, 1), pool)
    report = lwt.replace_pooling(shared, lift, torch.zeros(1, 3, 8, 8))
    assert str(report) == "1: unchanged: it pools [4, 6] channels"
    assert shared[3] is pool
    model = nn.Sequential(nn.Conv1d(3, 4, 2, 2), nn.MaxPool1d(3))
    assert (
        str(lwt.replace_pooling(model, lambda _: None)) == "0: unchanged: the factory returned None"
    )
    assert [r.place.name for r in lwt.replace_pooling(model, lambda _: None, stride=3)] == ["1"]
    assert len(lwt.replace_pooling(model, lambda _: None, stride=None)) == 2
    assert not lwt.replace_pooling(model, lambda _: None, convolutions=False)
    alone = lwt.replace_pooling(nn.MaxPool2d(2), lambda _: nn.Identity())
    assert str(alone) == "(model): unchanged: it is the model itself"
    with pytest.raises(ArgumentTypeError, match="module or None"):
        lwt.replace_pooling(nn.Sequential(nn.MaxPool2d(2)), lambda _: 3)  # type: ignore[arg-type, return-value]
    unused = Block()
    unused.extra = nn.MaxPool2d(2)
    text = str(lwt.replace_pooling(unused, lift, (torch.zeros(1, 3, 8, 8),)))
    assert "extra: unchanged: the example did not call it" in text


def test_one_layer_under_two_names() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ModuleDict())
    pool = nn.MaxPool2d(2)
    model[1]["a"], model[1]["b"] = pool, pool
    lwt.replace_pooling(model, lift)
    assert isinstance(model[1]["a"], lwt.LiftDownPool2d)
    assert model[1]["b"] is model[1]["a"]


# --- windows, dtypes, modes ----------------------------------------------------------------------


class Odd(nn.MaxPool2d):
    """A subclass."""


def soft(place: lwt.Place) -> nn.Module:
    return lwt.SoftPool2d(*place.windows)


def test_places_have_the_windows_of_the_stem_of_resnet() -> None:
    stem = nn.Sequential(
        nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=False), nn.MaxPool2d(3, 2, 1, ceil_mode=True)
    )
    report = lwt.replace_pooling(stem, soft, torch.zeros(1, 3, 32, 32), convolutions=False)
    assert str(report) == "1: MaxPool2d -> SoftPool2d"
    assert report[0].place.windows == ((3, 3), (2, 2), (1, 1), (1, 1), True)
    assert stem(torch.zeros(1, 3, 32, 32)).shape == (1, 4, 9, 9)
    convolution = nn.Sequential(nn.Conv2d(3, 4, 3, 2, padding="valid", dilation=(1, 2)))
    (place, _, _), *_ = lwt.replace_pooling(convolution, lambda _: None)
    assert place.windows == ((3, 3), (2, 2), (0, 0), (1, 2), False)


def test_other_sizes_are_reported() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.AvgPool2d(3, 2))
    report = lwt.replace_pooling(model, lift, torch.zeros(2, 3, 16, 16))
    assert str(report) == (
        "0: Conv2d of stride 2 -> Conv2d and LiftDownPool2d\n"
        "1: AvgPool2d -> LiftDownPool2d: result of shape (2, 4, 4, 4) instead of (2, 4, 3, 3)"
    )
    lazy = nn.Sequential(nn.AvgPool2d(2))
    lwt.replace_pooling(lazy, lambda _: lwt.AdaPool2d(2), torch.zeros(2, 3, 16, 16))
    assert nn.parameter.is_lazy(lazy[0].beta), "the comparison must not change the new layer"


def test_new_layers_have_the_dtype_and_the_mode_of_the_old() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.MaxPool2d(2)).bfloat16().eval()
    model[0].train()
    lwt.replace_pooling(model, lift)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert [module.training for module in (*model[0], model[0], model[1])] == [True] * 3 + [False]


class Calls(nn.Module):
    """Calls functions of pooling, as in Inception."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.inner = nn.Sequential(nn.Identity())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.first(x))
        y = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        z = F.avg_pool2d(x, 2)
        same = F.avg_pool2d(y, 3, stride=1, padding=1)
        result: torch.Tensor = self.inner(F.adaptive_avg_pool2d(y + z + same, 1))
        return result


def test_what_cannot_be_replaced_is_reported() -> None:
    model = nn.Sequential(
        *(Odd(2), nn.MaxPool2d(2, return_indices=True), nn.AdaptiveAvgPool2d(1), nn.LPPool1d(2, 2)),
    )
    report = lwt.replace_pooling(model, soft)
    assert str(report).splitlines() == [
        "0: unchanged: a subclass of MaxPool2d can compute something else",
        "1: unchanged: it also returns indices",
        "2: unchanged: AdaptiveAvgPool2d has no windows of one size and stride",
        "3: unchanged: LPPool1d has no windows of one size and stride",
    ]
    assert [place.kind for place, _, _ in report] == ["max", "max", "other", "other"]
    assert all(module is None for _, module, _ in report)


def test_calls_of_functions_are_reported_and_become_modules() -> None:
    model = nn.ModuleDict({"stage": Calls()})["stage"].eval()
    x = torch.randn(2, 3, 16, 16)
    report = lwt.replace_pooling(model, soft, x, convolutions=False, stride=None)
    assert str(report).splitlines() == [
        "pool: MaxPool2d -> SoftPool2d",
        "(model): unchanged: its forward calls max_pool2d: use pooling_modules first",
        "(model): unchanged: its forward calls avg_pool2d: use pooling_modules first",
        "(model): unchanged: its forward calls adaptive_avg_pool2d",
    ]
    traced = lwt.pooling_modules(model)
    assert torch.equal(traced(x), model(x))
    assert set(traced.state_dict()) == set(model.state_dict())
    pools = {name: m for name, m in traced.named_modules() if isinstance(m, nn.MaxPool2d)}
    assert [(m.kernel_size, m.stride, m.padding, m.training) for m in pools.values()] == [
        (3, 2, 1, False)
    ]
    report = lwt.replace_pooling(traced, soft, x, convolutions=False)
    assert str(report).splitlines() == [
        "max_pool2d: MaxPool2d -> SoftPool2d",
        "avg_pool2d: AvgPool2d -> SoftPool2d",
        "(model): unchanged: its forward calls adaptive_avg_pool2d",
    ]
    y = model.pool(model.first(x))
    y = lwt.SoftPool2d(3, 2, 1)(y) + lwt.SoftPool2d(2)(y)
    expected = nn.AdaptiveAvgPool2d(1)(y)  # of both terms
    same = F.avg_pool2d(lwt.SoftPool2d(3, 2, 1)(model.pool(model.first(x))), 3, 1, 1)
    torch.testing.assert_close(traced(x), expected + same.mean((-2, -1), keepdim=True))


class Branches(nn.Module):
    """Cannot be traced."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


class Dynamic(nn.Module):
    """Its windows depend on the input, or it needs indices."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, _ = F.max_pool2d(x, 2, return_indices=True)
        return y + F.avg_pool2d(x, (x.shape[-2] // 4, 2), stride=2)


def test_calls_that_cannot_become_modules() -> None:
    with pytest.raises(ExportError, match="cannot trace Branches"):
        lwt.pooling_modules(Branches())
    traced, x = lwt.pooling_modules(Dynamic()), torch.randn(1, 1, 8, 8)
    assert not list(traced.children())
    assert torch.equal(traced(x), Dynamic()(x))
    with pytest.raises(ArgumentTypeError, match="the model must be"):
        lwt.pooling_modules(3)  # type: ignore[arg-type]
