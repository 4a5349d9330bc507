"""Docstrings of layers that exist for one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from string import Template
from typing import TypeVar

from torch import nn

Layer = TypeVar("Layer", bound=type[nn.Module])

WORDS: dict[int, dict[str, str]] = {
    1: {
        "shape": "(C, L) or (N, C, L)",
        "sizes": "8, 3, 32",
        "pooled": "8, 3, 16",
        "windows": "16,",
    },
    2: {
        "shape": "(C, H, W) or (N, C, H, W)",
        "sizes": "8, 3, 32, 32",
        "pooled": "8, 3, 16, 16",
        "windows": "16, 16",
    },
    3: {
        "shape": "(C, D, H, W) or (N, C, D, H, W)",
        "sizes": "2, 3, 8, 8, 8",
        "pooled": "2, 3, 4, 4, 4",
        "windows": "4, 4, 4",
    },
}
"""The values of template words such as ``$shape``, by number of dimensions."""


def documented(template: str, dimensions: int, **words: str) -> Callable[[Layer], Layer]:
    """Decorate a layer: append the sections of a template to the summary in its docstring.

    Parameters
    ----------
    template : str
        Sections. ``$name`` is the name of the layer without the number of dimensions, ``$layer``
        the whole name. Other words are those of :data:`WORDS` and ``words``.
    dimensions : int
        The number of dimensions of the layer.
    **words : str
        More words.
    """

    def decorate(layer: Layer) -> Layer:
        if layer.__doc__ is not None:  # python -OO has none
            name = layer.__name__
            own = {"layer": name, "name": name[:-2], "d": str(dimensions)}
            sections = Template(cleandoc(template)).substitute(WORDS[dimensions] | own | words)
            layer.__doc__ = f"{cleandoc(layer.__doc__)}\n\n{sections}\n"
        return layer

    return decorate
