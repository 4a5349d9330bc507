"""Upper bounds of the speed of CUDA kernels, from their machine code. Needs no GPU.

    python -m benchmarks.gpu_model [ROW ...]

For each row of ``benchmarks.gpu``, NVRTC compiles the kernel of its largest launch. The program
counts the instructions and the accesses to shared memory of the path that the inside of an array
takes (see ``machine_code``). It prints the registers, the warps that fit on a multiprocessor, the
counts for each stored number, and the share of the memory's bandwidth at which the issue of
instructions, or shared memory, becomes the limit. These bounds are not predictions: they do not
include latencies, halos, and the ends of arrays.

Kernels of lifting change tiles in shared memory. ``tile_model`` counts their work, with the halos
of the tiles. The packages nvidia-cuda-nvrtc and nvidia-cuda-nvdisasm of PyPI are needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch

import liftwave as lw
import liftwave.torch as lt
from benchmarks.gpu_rows import ROWS, GpuRow, contenders
from benchmarks.machine_code import (
    Cost,
    Instruction,
    common_path,
    disassembler,
    instructions,
    loops,
)
from benchmarks.measuring import ROOT
from benchmarks.tile_model import Changes, changes_of, costs_of_changes
from liftwave import _dispatch
from liftwave._kernels.cuda.common.recording import RecordingRuntime
from liftwave._kernels.cuda.family import CudaKernels
from liftwave._kernels.half_precision import in_float32

ITEMSIZE = {"float16": 2, "int16": 2, "float32": 4, "float64": 8}


@dataclass(frozen=True)
class Device:
    """A device: numbers of NVIDIA's data sheets and of CUDA's tables of compute capabilities."""

    name: str
    architecture: str
    processors: int
    clock: float  # boost, in Hz
    bandwidth: float  # of the memory, in bytes per second
    warps: int  # of a multiprocessor
    blocks: int
    shared: int  # bytes

    @property
    def lanes(self) -> float:
        """Instructions of single lanes that the device issues per second."""
        return self.processors * 128 * self.clock

    @property
    def words(self) -> float:
        """Words of shared memory per second."""
        return self.processors * 32 * self.clock


DEVICES = (
    Device("H200", "sm_90", 132, 1.98e9, 4.8e12, 64, 32, 228 << 10),
    Device("L4", "sm_89", 58, 2.04e9, 3.0e11, 48, 24, 100 << 10),
)
_REGISTERS, _RESERVED = 65536, 1024  # registers of a multiprocessor; shared bytes of each block


class Work(NamedTuple):
    """The work of a thread for each byte that it stores, on a path that stores the most."""

    instructions: float
    shared: float

    def plus(self, other: Work, factor: float) -> Work:
        """The sum with a multiple of other work."""
        return Work(*(a + factor * b for a, b in zip(self, other, strict=True)))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", help="parts of rows' names; all by default")
    arguments = parser.parse_args(argv)
    compiler = _compiler()
    if compiler.compiler() != "nvrtc" or disassembler() is None:
        parser.error("needs the packages nvidia-cuda-nvrtc and nvidia-cuda-nvdisasm")
    print(" ".join(_heading()))
    for row in model_rows():
        if not arguments.rows or any(part in row.name for part in arguments.rows):
            print(" ".join(line(row, compiler)), flush=True)


class ModelRow(NamedTuple):
    """A row: the call, the bytes of its dtype, and bytes moved for each byte written."""

    name: str
    call: Callable[[], Any]
    itemsize: int
    moved: float = 2.0
    kernel: str = ""
    """The kernel of the row; by default that of the largest launch."""


def model_rows() -> Iterator[ModelRow]:
    """The rows of ``benchmarks.gpu`` without gradients, and others of one library."""
    for row in ROWS:
        if not row.both:
            yield row_of(row)
    yield from _other_rows()


def row_of(row: GpuRow) -> ModelRow:
    """The row of a GpuRow, on a small batch."""
    small = replace(row, shape=(max(row.shape[0] // 64, 1), *row.shape[1:]))

    def call() -> Any:
        x = torch.zeros(small.shape, dtype=getattr(torch, row.dtype))
        contender = next(make() for name, make in contenders(small, x) if name == "liftwave")
        return contender.function(contender.data)

    kernel = ""
    if row.inverse:
        kernel = "synthesis"
    return ModelRow(row.name, call, ITEMSIZE[row.dtype], bytes_per_stored(row), kernel)


def _other_rows() -> Iterator[ModelRow]:
    """Lifting of one axis and of integers, lifting pooling back, packets, dual trees."""

    def images(dtype: str = "float32") -> Any:
        return torch.zeros((1, 16, 512, 512), dtype=getattr(torch, dtype))

    def both(x: Any, scheme: Any, mode: str) -> Any:
        return lw.idwt2(lw.dwt2(x, scheme, mode), scheme, mode)

    cdf97, cdf53 = (lw.LiftingScheme.from_name(name) for name in ("cdf9.7", "cdf5.3"))
    integer = cdf53.to_integer()
    for name, scheme, mode, dtype in (
        ("CDF 9/7, reflect", cdf97, "reflect", "float32"),
        ("CDF 5/3, periodization", cdf53, "periodization", "float32"),
        ("CDF 5/3, reflect", cdf53, "reflect", "float32"),
        ("CDF 9/7, periodization, float16", cdf97, "periodization", "float16"),
        ("CDF 9/7, periodization, float64", cdf97, "periodization", "float64"),
        ("CDF 5/3, reflect, int16", integer, "reflect", "int16"),
    ):
        call = partial(both, images(dtype), scheme, mode)
        for transform, kernel in (("dwt2", "analysis"), ("idwt2", "synthesis")):
            yield ModelRow(f"{transform} {name}", call, ITEMSIZE[dtype], 2.0, kernel)
    lines = torch.zeros((16, 1 << 20))
    yield ModelRow("dwt CDF 9/7, long rows", lambda: lw.dwt(lines, cdf97, "periodization"), 4)
    pool = lt.LiftDownPool2d(16, kernel_size=5, output="bands")
    for name, kernel in (("forward", "lift_pool"), ("back", "lift_pool_back")):
        call = partial(_pool_back, pool, images())
        yield ModelRow(f"LiftDownPool2d, k = 5, bands, {name}", call, 4, 2.0 + (name == "back"),
                       kernel)  # fmt: skip
    yield ModelRow("wpdec db4, 2 levels, images",
                   lambda: lw.wpdec(images(), "db4", "symmetric", 2, (-2, -1)), 4)  # fmt: skip
    # Each level writes four times as many numbers as the first one reads.
    yield ModelRow("dtcwt q14, 2 levels, images", lambda: lw.dtcwt(images(), 2, axes=(-2, -1)), 4)


def _pool_back(pool: Any, x: Any) -> None:
    x.requires_grad_()
    bands = pool(x)
    torch.autograd.grad([band.sum() for band in bands.values()], [x, *pool.parameters()])


def _compiler() -> Any:
    """``cuda_compile`` of the tests."""
    sys.path.append(str(ROOT / "tests"))
    import cuda_compile

    return cuda_compile


def _heading() -> Iterator[str]:
    yield f"{'row':44} {'kernel':18}"
    for device in DEVICES:
        yield f"| {device.name}: registers, warps, instructions, words, bound"


def line(row: ModelRow, compiler: Any) -> Iterator[str]:
    """The cells of a row."""
    launch = largest_launch(row, DEVICES[0])
    yield f"{row.name:44} {launch.kernel.expression.partition('<')[0].partition('::')[2]:18}"
    for device in DEVICES:
        launch = largest_launch(row, device)
        usage, cubin = compiler.cubin(launch.kernel, device.architecture)
        warps = warps_of(device, usage.registers, launch.threads, launch.shared)
        work = work_of(instructions(cubin), changes_of(launch), row.itemsize)
        yield f"| {usage.registers:4} {warps:3}"
        if work is None:
            yield "   – (not counted)              "
            continue
        issue, shared = bounds(device, work, launch.threads, row.moved)
        limit = "instructions" if issue < shared else "shared memory"
        share, size = min(issue, shared, 1.0), row.itemsize
        yield f"{work.instructions * size:6.1f} {work.shared * size:5.1f}  {share:4.2f}"
        yield f"{limit if share < 1 else 'memory':13}"


# --- launches ------------------------------------------------------------------------------------


def largest_launch(row: ModelRow, device: Device = DEVICES[0]) -> Any:
    """The launch of a row with the most threads, of kernels that do not run."""
    runtime = RecordingRuntime(device.shared - _RESERVED)
    cuda = CudaKernels(runtime, in_float32(_dispatch.families()["reference"]))
    with _dispatch.registered(cuda), lw.kernels("cuda"):
        row.call()
    names = [(launch, f"{launch.kernel.expression.partition('<')[0]}<") for launch in
             runtime.launches]  # fmt: skip
    chosen = [launch for launch, name in names if row.kernel in name]
    if row.kernel.startswith("lift_pool"):
        chosen = [launch for launch, name in names if name.endswith(f"::{row.kernel}<")]
    return max(chosen, key=lambda launch: launch.blocks * launch.threads)


def bytes_per_stored(row: GpuRow) -> float:
    """Bytes read and written for each byte written, by the first level."""
    if row.kind == "layer" and row.wavelet != "LiftDownPool2d":
        return 5.0  # one of four samples is written
    if row.is_undecimated:
        bands = 2 ** len(row.axes)
        return 1 + (bands if row.inverse else 1 / bands)
    return 2.0


# --- the model -----------------------------------------------------------------------------------


def work_of(
    code: list[Instruction], changes: Changes | None = None, itemsize: int = 4
) -> Work | None:
    """The work for each stored byte; None if it is not in the machine code.

    ``changes`` are those of a tile in shared memory, for each stored number of ``itemsize`` bytes.
    """
    inner = [loop for loop in loops(code) if not _contains_others(loop, code)]
    paths = [path for path in (common_path(code, loop) for loop in inner) if path is not None]
    stores = [path for path in paths if path.stored]
    if not stores:
        path = common_path(code)
        return None if path is None or not path.stored or paths else _of(path, path.stored)
    best = max(stores, key=lambda path: (path.stored, -path.instructions))
    if changes is not None:
        best = min(stores, key=lambda path: path.instructions / path.stored)
    work = _of(best, best.stored)
    if best.loaded:
        return work
    if changes is None and any(_updates(code, loop) for loop in inner):
        return None
    loads = [_of(path, path.loaded) for path in paths if path.loaded and not path.stored]
    if not loads:
        return None
    work = work.plus(min(loads), 1.0 if changes is None else changes.loaded)
    for taps, count in () if changes is None else changes.changed:
        cost = costs_of_changes(code, taps)
        if cost is None:
            return None
        work = work.plus(Work(*cost), count / min(itemsize, 4))  # costs are those of words
    return work


def _contains_others(loop: Any, code: list[Instruction]) -> bool:
    """Whether a loop has another one inside with accesses to global memory."""
    inside = (other for other in loops(code) if other != loop)
    return any(
        loop.first <= other.first and other.last <= loop.last and _moves(code, other)
        for other in inside
    )


def _moves(code: list[Instruction], loop: Any) -> bool:
    return any(i.cost.loaded or i.cost.stored for i in code[loop.first : loop.last + 1])


def _updates(code: list[Instruction], loop: Any) -> bool:
    """Whether a loop reads and writes shared memory, and no global memory."""
    names = {i.name.split(".")[0] for i in code[loop.first : loop.last + 1]}
    return {"LDS", "STS"} <= names and not names & {"LDG", "STG"}


def _of(path: Cost, size: int) -> Work:
    return Work(path.instructions / size, path.shared / size)


def warps_of(device: Device, registers: int, threads: int, shared: int) -> int:
    """Warps of blocks that fit on a multiprocessor."""
    warps = -(-threads // 32)
    by_registers = _REGISTERS // (-(-registers // 8) * 256 * warps)
    by_shared = device.shared // (shared + _RESERVED)
    return warps * min(by_registers, by_shared, device.warps // warps, device.blocks)


def bounds(device: Device, work: Work, threads: int, moved: float) -> tuple[float, float]:
    """Shares of the bandwidth at which instructions, and shared memory, are the limit."""
    busy = threads / (-(-threads // 32) * 32)  # lanes of the last warp idle
    by_issue = busy * device.lanes / work.instructions * moved
    by_shared = device.words / work.shared * moved if work.shared else float("inf")
    return by_issue / device.bandwidth, by_shared / device.bandwidth


if __name__ == "__main__":
    main()
