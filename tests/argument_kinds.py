"""Wrong objects of many kinds, and everything public that they are passed to."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse

import liftwave as lw


class Case(NamedTuple):
    """A callable with valid arguments for each of its parameters."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = MappingProxyType({})

    def names(self) -> list[int | str]:
        """The positions and the keywords of all arguments."""
        return [*range(len(self.arguments)), *self.options]

    def call(self, replaced: Mapping[int | str, Any] = MappingProxyType({})) -> Any:
        """Call with some arguments replaced, by position or keyword."""
        arguments = [replaced.get(k, value) for k, value in enumerate(self.arguments)]
        keywords = {name: replaced.get(name, value) for name, value in self.options.items()}
        return self.function(*arguments, **keywords)


def cases(owner: Any, prefix: str) -> Callable[..., tuple[str, Case]]:
    """Return a function that makes a line of a table: the path and the case of an attribute."""

    def line(name: str, /, *arguments: Any, **options: Any) -> tuple[str, Case]:
        return prefix + name, Case(getattr(owner, name), arguments, options)

    return line


# --- wrong objects -------------------------------------------------------------------------------


class Other:
    """An object that is nothing in particular."""


KINDS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "text": lambda: "soft",
    "empty text": lambda: "",
    "bytes": lambda: b"ab",
    "negative": lambda: -1,
    "fraction": lambda: 2.5,
    "not a number": lambda: float("nan"),
    "huge": lambda: 10**30,
    "complex": lambda: 2j,
    "object": Other,
    "function": lambda: len,
    "empty list": list,
    "empty dict": dict,
    "set": lambda: {1},
    "ragged": lambda: [[1.0, 2.0], [3.0]],
    "texts": lambda: ["a", "b"],
    "0-d": lambda: np.array(1.0),
    "empty": lambda: np.zeros(0),
    "5-d": lambda: np.ones((1,) * 5),
    "dates": lambda: np.array(["2001-01-01"], "M8[D]"),
    "keys": lambda: {"aaa": np.eye(4)},
}
MORE_KINDS: dict[str, Callable[[], Any]] = {
    "true": lambda: True,
    "class": lambda: Other,
    "records": lambda: np.zeros(3, [("a", float)]),
    "sparse": lambda: sparse.eye(3).tocsr(),
    "sparse tensor": lambda: torch.ones(3).to_sparse(),
    "generator": lambda: iter((0, 1, 2)),
    "three": lambda: (1, 2, 3),
    "slice": lambda: slice(3),
    "other keys": lambda: {"x": np.ones(2)},
    "nothing twice": lambda: [None, None],
    "two libraries": lambda: [np.ones(2), torch.ones(2)],
}
ALL_KINDS = {**KINDS, **MORE_KINDS}

# --- everything public ---------------------------------------------------------------------------

UNCHECKED = {
    "Coherence": "wavelet_coherence() makes it",
    "CrossScalogram": "cross_scalogram() makes it",
    "Decomposition": "decompose() and from_pywt() make it",
    "DualTree": "dtcwt() makes it",
    "ImageScattering": "scattering2d() makes it",
    "Ridge": "Scalogram.ridges() makes it",
    "Scalogram": "scalogram() makes it",
    "Scattering": "scattering1d() makes it",
    "Synchrosqueezed": "Scalogram.synchrosqueeze() makes it",
    "Undecimated": "undecimated() makes it",
    "WaveletEstimate": "wavelet_variance() and others make it",
    "dask.Report": "dask.plan() makes it",
    "orthfilt": "PyWavelets' function, by its old name",
    "operators.ReconstructionOperator": "WaveletOperator.inverse() makes it",
    "torch.Replacements": "a list",
}
"""Constructors that users do not call, with the reason."""

# Methods that Python or torch calls.
_PROTOCOLS = {*dir(object), *dir(torch.nn.Module)} - {"__eq__", "forward"}


@cache
def public() -> dict[str, list[str]]:
    """The parameters of all functions, classes and methods, by path below ``liftwave``."""
    # Of the submodules, those whose library is installed.
    present = [m for m in dir(lw) if m in lw._SUBMODULES]
    modules = {"": lw, **{f"{m}.": importlib.import_module(f"liftwave.{m}") for m in present}}
    paths: dict[Any, tuple[str, Any]] = {}
    for prefix, module in modules.items():
        for name in getattr(module, "__all__", ()):
            for path, function in _callables(prefix + name, getattr(module, name)):
                # Some classes have two paths, and layers of 1 to 3 dimensions share their methods.
                paths.setdefault(getattr(function, "__func__", function), (path, function))
    found = {path: _parameters(function) for path, function in paths.values()}
    return {path: names for path, names in found.items() if names and path not in UNCHECKED}


def _callables(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A function, or the constructor, the methods and the setters of a class of liftwave."""
    if not (inspect.isclass(value) or inspect.isroutine(value)) or not _is_ours(value):
        return
    yield path, value
    for name in dir(value) if inspect.isclass(value) else ():
        owner = next(c for c in value.__mro__ if name in vars(c))
        is_private = name.startswith("_") and not name.startswith("__")
        if _is_ours(owner) and not is_private and name not in _PROTOCOLS:
            member = getattr(value, name)
            setter = member.fset if isinstance(member, property) else member
            if inspect.isfunction(setter) or inspect.ismethod(setter):
                yield f"{path}.{name}", setter


def _is_ours(value: Any) -> bool:
    return str(value.__module__).startswith("liftwave")


def _parameters(function: Any) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    named = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [name for name in named if name != "self" and not name.startswith("_")]
