"""The machine code of a CUDA kernel: its loops, and the instructions of their common paths.

``nvdisasm`` prints the code. PyPI's package nvidia-cuda-nvdisasm contains it, and so does the CUDA
toolkit.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_INSTRUCTION = re.compile(r"/\*(?P<address>[0-9a-f]{4,})\*/\s+(?P<text>.+?) ;(?P<rest>.*)")
_LABEL = re.compile(r"(?P<name>\.L_x_\d+):")
_NAMES = re.compile(r"\.L_x_\d+")
_WIDTH = re.compile(r"\.(64|128|U8|S8|U16|S16)\b")
_BYTES = {"64": 8, "128": 16, "U8": 1, "S8": 1, "U16": 2, "S16": 2}


class Cost(NamedTuple):
    """The work of a thread on a path: bytes of global memory, words of shared memory.

    ``changed`` counts the words that are written to shared memory.
    """

    stored: int = 0
    loaded: int = 0
    shared: int = 0
    instructions: int = 0
    changed: int = 0

    def plus(self, other: Cost) -> Cost:
        return Cost(*(a + b for a, b in zip(self, other, strict=True)))

    def rank(self) -> tuple[int, int, int]:
        """Paths of the inside of an array move the most bytes with the fewest instructions."""
        return -self.stored, -self.loaded, self.instructions

    def rank_of_change(self) -> tuple[int, int]:
        """The same of a loop that changes shared memory."""
        return -self.changed, self.instructions

    def rank_of_reads(self) -> tuple[int, int]:
        """The same of a loop that reads shared memory."""
        return -self.shared, self.instructions


@dataclass(frozen=True)
class Instruction:
    """One instruction; ``targets`` are the positions that it may jump to."""

    text: str
    targets: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return self.text.split()[1 if self.text.startswith("@") else 0]

    @property
    def falls_through(self) -> bool:
        """Whether the next instruction may follow."""
        ends = self.name.split(".")[0] in ("BRA", "BRX", "EXIT", "RET", "JMP")
        return not ends or self.text.startswith("@")

    @property
    def cost(self) -> Cost:
        kind, width = self.name.split(".")[0], _WIDTH.search(self.name)
        size = _BYTES[width[1]] if width else 4
        words = -(-size // 4)
        return Cost(
            size if kind == "STG" else 0,
            size if kind == "LDG" else 0,
            words if kind in ("LDS", "STS") else 0,
            0 if kind == "NOP" else 1,
            words if kind == "STS" else 0,
        )


class Loop(NamedTuple):
    """Consecutive instructions, the last of which jumps back to the first."""

    first: int
    last: int


def disassembler() -> str | None:
    """The path of nvdisasm; None if it is not installed."""
    spec = importlib.util.find_spec("nvidia")
    for folder in [] if spec is None else list(spec.submodule_search_locations or ()):
        for path in sorted(Path(folder).glob("*/bin/nvdisasm")):
            return str(path)
    return shutil.which("nvdisasm")


def instructions(cubin: bytes) -> list[Instruction]:
    """The instructions of the only kernel of a program."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        command = [str(disassembler()), "-c", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return parsed(done.stdout)


def parsed(listing: str) -> list[Instruction]:
    """The instructions of a listing of nvdisasm."""
    labels: dict[str, int] = {}
    lines: list[tuple[str, list[str]]] = []
    for line in listing.splitlines():
        if label := _LABEL.match(line):
            labels[label["name"]] = len(lines)
        elif match := _INSTRUCTION.search(line):
            calls = "CALL" in match["text"]
            names = [] if calls else _NAMES.findall(match["text"] + match["rest"])
            lines.append((match["text"].strip(), names))
    return [
        Instruction(text, tuple(labels[name] for name in names if name in labels))
        if text.lstrip("@!UP0123456789T ").startswith(("BRA", "BRX"))
        else Instruction(text)
        for text, names in lines
    ]


def loops(code: list[Instruction]) -> list[Loop]:
    """All loops; those that contain others come last."""
    last: dict[int, int] = {}
    for at, instruction in enumerate(code):
        for target in instruction.targets:
            if target < at:
                last[target] = max(at, last.get(target, 0))
    return sorted((Loop(*ends) for ends in last.items()), key=lambda loop: loop.last - loop.first)


Rank = Callable[[Cost], tuple[int, ...]]
"""The path with the least rank is the common one."""


def common_path(
    code: list[Instruction], loop: Loop | None = None, rank: Rank = Cost.rank
) -> Cost | None:
    """The cost of a path through a loop, or through the whole kernel; None if no path ends.

    By default it is the path with the most bytes stored and loaded, and among these with the
    fewest instructions. Loops inside are passed once.
    """
    first, last = loop or Loop(0, len(code) - 1)
    best: dict[int, Cost] = {}
    for at in range(last, first - 1, -1):
        instruction = code[at]
        ends = [Cost()] if _ends(instruction, at, loop) else []
        rest = [best[to] for to in _next(instruction, at) if at < to <= last and to in best]
        if rest or ends:
            best[at] = min(ends + rest, key=rank).plus(instruction.cost)
    return best.get(first)


def _ends(instruction: Instruction, at: int, loop: Loop | None) -> bool:
    if loop is None:
        return instruction.name == "EXIT"
    return loop.first in instruction.targets


def _next(instruction: Instruction, at: int) -> Iterator[int]:
    yield from instruction.targets
    if instruction.falls_through:
        yield at + 1
