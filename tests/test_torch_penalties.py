"""Penalties of calls: layers used twice, checkpointing, replicas, vmap, compiled graphs."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from torch import Tensor, nn  # noqa: E402
from torch._dynamo.testing import CompileCounterWithBackend  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

import liftwave.torch as lwt  # noqa: E402
from liftwave.errors import PenaltyError, PenaltyWarning  # noqa: E402
from liftwave.pooling import lift_down  # noqa: E402

pytestmark = pytest.mark.filterwarnings("error::liftwave.errors.PenaltyWarning")


def layer(**options: Any) -> Any:
    torch.manual_seed(0)
    return lwt.LiftDownPool1d(2, 3, init="random", penalty_weights=(0.3, 0.7), **options).double()


def signal(n: int = 4) -> Tensor:
    return torch.randn(n, 2, 16, dtype=torch.float64, generator=torch.manual_seed(1))


def expected(m: Any, *signals: Tensor) -> Tensor:
    """The penalties of calls with these signals, by the function."""
    total = signals[0].new_zeros(())
    for x in signals:
        _, found = lift_down(x, m.filters, dimensions=1, penalties=m.reduction)
        total = total + 0.3 * found.update + 0.7 * found.predict
    return total


def gradients(m: nn.Module, loss: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, list(m.parameters()), retain_graph=True))


def check(m: nn.Module, loss: Tensor, wanted: Tensor) -> None:
    """The same values, and the same gradients."""
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(gradients(m, loss), gradients(m, wanted))


# --- a layer that is used twice ------------------------------------------------------------------


def test_a_layer_used_twice() -> None:
    m, x = layer(), signal()
    for _ in range(2):  # a context forgets the calls before it
        with lwt.collect_penalties(nn.Sequential(m)):
            y = m(m(x))
        loss = y.square().mean() + lwt.auxiliary_loss(m)
        assert torch.equal(lwt.auxiliary_loss(m), lwt.auxiliary_loss(m))
        check(m, loss, m(m(x)).square().mean() + expected(m, x, m(x)))
        m.eval()(x)  # forgets the call above
        m.train()


def test_nested_contexts_are_one() -> None:
    m, x = layer(), signal()
    with lwt.collect_penalties(m):
        m(x)
        with lwt.collect_penalties(m):
            m(x)
        m(x)
        with torch.no_grad():
            m.eval()(x)
    torch.testing.assert_close(lwt.auxiliary_loss(m), expected(m, x, x, x))
    m.train()(x)
    torch.testing.assert_close(lwt.auxiliary_loss(m), expected(m, x))


def test_calls_that_do_not_count_are_reported() -> None:
    m, x = layer(), signal()
    y = m(m(x))
    with pytest.warns(PenaltyWarning, match=r"called 2 times.*collect_penalties"):
        lwt.auxiliary_loss(m)
    lwt.auxiliary_loss(m)
    m(x)  # no result of this call is used later
    y = m(x)
    y.sum().backward()  # an earlier step
    with torch.no_grad():
        m(x)
    z = m(x)
    lwt.auxiliary_loss(m)
    assert z.grad_fn is not y.grad_fn


def test_returned_penalties() -> None:
    m, x = layer(return_penalty=True), signal()
    y, first = m(x)
    z, second = m(y)
    check(m, z.sum() + first + second, z.sum() + expected(m, x, y))
    assert float(lwt.auxiliary_loss(m)) == 0.0
    result, nothing = m.eval()(x)
    torch.testing.assert_close(result, y)
    assert nothing.shape == ()
    assert float(nothing) == 0.0


# --- checkpointing -------------------------------------------------------------------------------


def test_checkpointing_without_reentry() -> None:
    """The layer runs again in backward. This call is not one of the next pass."""
    m, x = layer(), signal()
    for _ in range(2):
        y = checkpoint(nn.Sequential(m, nn.Tanh()), x, use_reentrant=False)
        loss = y.square().mean() + lwt.auxiliary_loss(m)
        m.zero_grad()
        loss.backward()
        found = [p.grad for p in m.parameters()]
        wanted = lift_down(x, m.filters, dimensions=1).tanh().square().mean() + expected(m, x)
        torch.testing.assert_close(loss, wanted)
        torch.testing.assert_close(found, gradients(m, wanted))


def test_checkpointing_with_reentry() -> None:
    m, x = layer(), signal().requires_grad_()
    y = checkpoint(m, x, use_reentrant=True)
    with pytest.raises(PenaltyError, match=r"LiftDownPool1d has no gradient.*return_penalty=True"):
        lwt.auxiliary_loss(m)
    with torch.no_grad():  # for a log, its value is enough
        torch.testing.assert_close(lwt.auxiliary_loss(m), expected(m, x))
    returning = layer(return_penalty=True)
    y, penalty = checkpoint(returning, x, use_reentrant=True)
    (y.square().mean() + penalty).backward()
    wanted = lift_down(x, m.filters, dimensions=1).square().mean() + expected(m, x)
    torch.testing.assert_close([p.grad for p in returning.parameters()], gradients(m, wanted))


# --- replicas ------------------------------------------------------------------------------------


def run_replicas(m: nn.Module, parts: list[Tensor], call: Callable[[Any, Tensor], Any]) -> None:
    """Run replicas as DataParallel does, which itself needs several GPUs."""
    threads = []
    for part in parts:
        replica = m._replicate_for_data_parallel()
        for name, parameter in m.named_parameters():
            setattr(replica, name, parameter.clone())
        threads.append(threading.Thread(target=call, args=(replica, part)))
        threads[-1].start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_replicas(reduction: str) -> None:
    m, x = layer(reduction=reduction), signal(5)
    with lwt.collect_penalties(m):
        run_replicas(m, [x[:3], x[3:]], lambda replica, part: replica(replica(part)))
    check(m, lwt.auxiliary_loss(m), expected(m, x, m(x)))


def test_replicas_without_a_context() -> None:
    m, x = layer(), signal()
    run_replicas(m, [x[:2], x[2:]], lambda replica, part: replica(part))
    with pytest.raises(PenaltyError, match=r"replicas of DataParallel: .*collect_penalties"):
        lwt.auxiliary_loss(m)
    m(x)
    torch.testing.assert_close(lwt.auxiliary_loss(m), expected(m, x))


# --- torch.func ----------------------------------------------------------------------------------


def test_vmap() -> None:
    m, x = layer(), signal()
    torch.vmap(lambda v: m(v[None]))(x)
    with pytest.raises(PenaltyError, match="LiftDownPool1d ran inside a transform"):
        lwt.auxiliary_loss(m)
    wanted = torch.stack([expected(m, v[None]) for v in x])
    returning = layer(return_penalty=True)
    _, penalties = torch.vmap(lambda v: returning(v[None]))(x)
    torch.testing.assert_close(penalties, wanted)

    def inside(v: Tensor) -> Tensor:
        m(v[None])
        return lwt.auxiliary_loss(m)

    torch.testing.assert_close(torch.vmap(inside)(x), wanted)
    per_sample = torch.vmap(torch.func.grad(inside))(x)
    for g, v in zip(per_sample, x, strict=True):
        v = v.clone().requires_grad_()
        torch.testing.assert_close(g, torch.autograd.grad(expected(m, v[None]), v)[0])
    with pytest.raises(PenaltyError, match="inside a transform"):
        lwt.auxiliary_loss(m)


def test_a_gradient_that_ended() -> None:
    m, x = layer(), signal()
    torch.func.grad(lambda v: m(v).sum())(x)
    check(m, lwt.auxiliary_loss(m), expected(m, x))  # parameters are outside of the transform
    m.requires_grad_(False)
    torch.func.grad(lambda v: m(v).sum())(x)
    with pytest.raises(PenaltyError, match="has ended"):
        lwt.auxiliary_loss(m)


# --- graphs, copies ------------------------------------------------------------------------------


def test_compiled_models() -> None:
    """One graph for all passes, with and without a context."""
    torch._dynamo.reset()
    # In single precision: torch traces a float64 buffer of one number twice.
    m, x = layer().float(), signal().float()
    between = lift_down(x, m.filters, dimensions=1)
    count = CompileCounterWithBackend("aot_eager")
    twice = torch.compile(nn.Sequential(m, m), fullgraph=True, backend=count)
    for _ in range(3):
        with lwt.collect_penalties(twice):
            y = twice(x)
        loss = y.sum() + lwt.auxiliary_loss(twice)
        after = lift_down(between, m.filters, dimensions=1)
        check(m, loss, after.sum() + expected(m, x, between))
    assert count.frame_count == 1
    once = torch.compile(m, fullgraph=True, backend=count)
    for _ in range(3):
        once(x)
        check(m, lwt.auxiliary_loss(once), expected(m, x))  # and not of the wrapper, too
    assert count.frame_count == 2


def test_export_in_training() -> None:
    m, x = layer(), signal()
    program = torch.export.export(m, (x,))
    torch.testing.assert_close(program.module()(x), m(x))
    m.eval()(x)
    torch.export.export(layer(return_penalty=True), (x,)).module()(x)
    assert float(lwt.auxiliary_loss(m)) == 0.0


def test_copies_have_no_penalties() -> None:
    m, x = layer(), signal()
    with lwt.collect_penalties(m):
        m(x)
        copies = [copy.deepcopy(m), pickle.loads(pickle.dumps(m))]
    for other in copies:
        assert float(lwt.auxiliary_loss(other)) == 0.0
        other(x)
        other.eval()(x)
        assert float(lwt.auxiliary_loss(other)) == 0.0
    assert float(lwt.auxiliary_loss(m).detach()) > 0.0
