"""The description of the machine in benchmark results."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import liftwave


def processor() -> str:
    """The processor's name and the number of processors this process may use."""
    return f"{_name()}, {processors()} processors"


def processors() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def caches() -> str:
    """Sizes of the caches of the first processor, as reported by Linux."""
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = (
            (index / each).read_text().strip() for each in ("type", "level", "size")
        )
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found)


def versions(packages: Iterable[str]) -> str:
    """Distributions and their versions, in one line."""
    return ", ".join(f"{name} {version(name)}" for name in dict.fromkeys(packages))


def version(name: str) -> str:
    """The version of a package, given by its import name."""
    if name == "liftwave":  # it can be uninstalled
        return str(liftwave.__version__)
    return metadata.version({"pywt": "PyWavelets"}.get(name, name))


def _name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
