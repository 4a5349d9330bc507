"""The benchmark for GPUs, run on the CPU: its rows, checks and page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import gpu
from benchmarks.gpu_rows import ROWS, Contender, GpuRow, checked, contenders, moved

torch = pytest.importorskip("torch")


def named(name: str) -> GpuRow:
    return next(row for row in ROWS if row.name == name).sized(True)


def ours(row: GpuRow) -> Contender:
    x = row.input("cpu")
    return dict(contenders(row, x))["liftwave"]()


@pytest.mark.parametrize(
    "name",
    [
        "dwt2 db4, zero",
        "idwt2 haar, symmetric",
        "dwt2 bior4.4, periodization, float16",
        "wavedec2 db4, 4 levels",
        "dwtn db4",
        "dwt db4, short rows",
        "dwt2 CDF 9/7 by lifting",
        "idwt2 CDF 9/7 by lifting",
        "dwt2 CDF 5/3, integers",
        "swt db4, 5 levels, long rows",
        "iswt2 db4, 3 levels",
        "swt2 CDF 9/7 by lifting, 3 levels",
    ],
)
def test_results_are_checked(name: str) -> None:
    row = named(name)
    contender, x = ours(row), row.input("cpu")
    assert checked(row, contender, x) == ""
    spoilt = replace(
        contender,
        data=x if row.inverse else contender.data,
        function=(lambda data: data + 1)
        if row.inverse
        else lambda data: contender.function(data + data.abs().amax() // 2 + 1),
    )
    assert checked(row, spoilt, x).startswith("wrong")


def test_layers_are_compared_with_plain_operations() -> None:
    row = named("SoftPool2d")
    assert gpu.agreeing(row, row.input("cpu"), gpu.Clock("cpu")) == ""


def test_bytes_are_counted_once_each_way() -> None:
    row = named("dwt2 haar, periodization, float32")
    contender = ours(row)
    size = contender.data.numel() * 4
    assert moved(row, contender) == 2 * size
    assert moved(replace(row, both=True), contender) == 4 * size


def test_quick_run_writes_the_page(tmp_path, capsys) -> None:
    out = tmp_path / "gpu.md"
    rows = ["dwt2 db4, zero", "SoftPool2d", "CDF 9/7", "volumes"]
    gpu.main([*rows, "--quick", "--device", "cpu", "--out", str(out)])
    text = out.read_text(encoding="utf-8")
    assert text.startswith("# Not a GPU\n")
    for name in ("dwt2 db4, zero", "SoftPool2d, forward and backward", "dwt2 CDF 9/7 by lifting"):
        assert f"| {name} |" in text
    assert "wrong" not in text
    assert "fails" not in text
    assert "copies move" in capsys.readouterr().out


def test_an_interrupted_run_leaves_the_rows_before(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(gpu, "ROWS", [named("dwt2 db4, zero"), named("SoftPool2d")])

    def fail_or_stop(row: GpuRow, *_: object) -> gpu.Found:
        if row.name == "SoftPool2d":
            raise KeyboardInterrupt
        raise RuntimeError("no memory")

    monkeypatch.setattr(gpu, "measure", fail_or_stop)
    out = tmp_path / "gpu.md"
    with pytest.raises(KeyboardInterrupt):
        gpu.main(["--quick", "--device", "cpu", "--out", str(out)])
    assert "fails: RuntimeError: no memory" in out.read_text(encoding="utf-8")
    assert "dwt2 db4, zero" in capsys.readouterr().out


def test_launches_are_queued_behind_a_waiting_device(monkeypatch) -> None:
    """So that the time between the events is that of the device alone."""
    done: list[str] = []

    class Event:
        def __init__(self, enable_timing: bool) -> None:
            pass

        def record(self) -> None:
            done.append("event")

        def synchronize(self) -> None:
            done.append("wait")

        def elapsed_time(self, end: Event) -> float:
            return 3.0

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: done.append("wait"))
    monkeypatch.setattr(torch.cuda, "_sleep", lambda cycles: done.append("sleep"))
    assert gpu.Clock("cuda").seconds(lambda: done.append("run")) == 3e-3
    assert done == ["wait", "sleep", "event", "run", "event", "wait"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device")
def test_without_a_device_it_says_so(capsys) -> None:
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "--device cpu --quick" in capsys.readouterr().err
