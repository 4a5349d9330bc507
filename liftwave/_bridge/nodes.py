"""The functions that are single nodes of compiled graphs. This module does not import torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""The functions by their full names."""


def register(name: str, function: Callable[..., Any]) -> None:
    """Make a function a node, now or when graphs are first traced."""
    FUNCTIONS[name] = function
    graph = sys.modules.get("liftwave._bridge.graph")
    if graph is not None:
        graph.add_node(name, function)
