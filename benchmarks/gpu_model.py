"""Upper bounds of the speed of CUDA kernels, from their machine code. Needs no GPU.

    python -m benchmarks.gpu_model [ROW ...]

For each row of ``benchmarks.gpu``, NVRTC compiles the kernel of its largest launch. The program
counts the instructions and the accesses to shared memory of the path that the inside of an array
takes (see ``machine_code``). It prints the registers, the warps that fit on a multiprocessor, the
counts for each stored number, and the share of the memory's bandwidth at which the issue of
instructions, or shared memory, becomes the limit. These bounds are not predictions: they do not
include latencies, halos, and the ends of arrays.

A kernel is not modelled if a loop updates shared memory in place: how often it runs is not in the
machine code. The packages nvidia-cuda-nvrtc and nvidia-cuda-nvdisasm of PyPI are needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

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

ITEMSIZE = {"float16": 2, "int16": 2, "float32": 4}


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


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", help="parts of rows' names; all by default")
    arguments = parser.parse_args(argv)
    compiler = _compiler()
    if compiler.compiler() != "nvrtc" or disassembler() is None:
        parser.error("needs the packages nvidia-cuda-nvrtc and nvidia-cuda-nvdisasm")
    print(" ".join(_heading()))
    for row in ROWS:
        if not row.both and (
            not arguments.rows or any(part in row.name for part in arguments.rows)
        ):
            print(" ".join(line(row, compiler)), flush=True)


def _compiler() -> Any:
    """``cuda_compile`` of the tests."""
    sys.path.append(str(ROOT / "tests"))
    import cuda_compile

    return cuda_compile


def _heading() -> Iterator[str]:
    yield f"{'row':44} {'kernel':18}"
    for device in DEVICES:
        yield f"| {device.name}: registers, warps, instructions, words, bound"


def line(row: GpuRow, compiler: Any) -> Iterator[str]:
    """The cells of a row."""
    launch = largest_launch(row)
    yield f"{row.name:44} {launch.kernel.expression.partition('<')[0].partition('::')[2]:18}"
    for device in DEVICES:
        usage, cubin = compiler.cubin(launch.kernel, device.architecture)
        warps = warps_of(device, usage.registers, launch.threads, launch.shared)
        work = work_of(instructions(cubin))
        yield f"| {usage.registers:4} {warps:3}"
        if work is None:
            yield "   – (loops over shared memory)  "
            continue
        size = ITEMSIZE[row.dtype]
        issue, shared = bounds(device, work, launch.threads, bytes_per_stored(row))
        limit = "instructions" if issue < shared else "shared memory"
        share = min(issue, shared, 1.0)
        yield f"{work.instructions * size:6.1f} {work.shared * size:5.1f}  {share:4.2f}"
        yield f"{limit if share < 1 else 'memory':13}"


# --- launches ------------------------------------------------------------------------------------


def largest_launch(row: GpuRow) -> Any:
    """The launch of a row with the most threads, of kernels that do not run."""
    import torch

    import liftwave as lw
    from liftwave import _dispatch
    from liftwave._kernels.cuda.common.recording import RecordingRuntime
    from liftwave._kernels.cuda.family import CudaKernels
    from liftwave._kernels.half_precision import in_float32

    runtime = RecordingRuntime()
    cuda = CudaKernels(runtime, in_float32(_dispatch.families()["reference"]))
    with _dispatch.registered(cuda), lw.kernels("cuda"), torch.no_grad():
        small = replace(row, shape=(max(row.shape[0] // 16, 1), *row.shape[1:]))
        x = torch.zeros(small.shape, dtype=getattr(torch, row.dtype))
        contender = next(make() for name, make in contenders(small, x) if name == "liftwave")
        runtime.launches.clear()
        contender.function(contender.data)
    return max(runtime.launches, key=lambda launch: launch.blocks * launch.threads)


def bytes_per_stored(row: GpuRow) -> float:
    """Bytes read and written for each byte written, by the first level."""
    if row.kind == "layer" and row.wavelet != "LiftDownPool2d":
        return 5.0  # one of four samples is written
    if row.is_undecimated:
        bands = 2 ** len(row.axes)
        return 1 + (bands if row.inverse else 1 / bands)
    return 2.0


# --- the model -----------------------------------------------------------------------------------


def work_of(code: list[Instruction]) -> Work | None:
    """The work for each stored byte; None if it is not in the machine code."""
    inner = [loop for loop in loops(code) if not _contains_others(loop, code)]
    paths = [path for path in (common_path(code, loop) for loop in inner) if path is not None]
    stores = [path for path in paths if path.stored]
    if not stores:
        path = common_path(code)
        return None if path is None or not path.stored or paths else _of(path, path.stored)
    best = max(stores, key=lambda path: (path.stored, -path.instructions))
    work = _of(best, best.stored)
    if best.loaded:
        return work
    if any(_updates(code, loop) for loop in inner):
        return None
    loads = [_of(path, path.loaded) for path in paths if path.loaded and not path.stored]
    if not loads:
        return None
    least = min(loads)
    return Work(work.instructions + least.instructions, work.shared + least.shared)


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
