"""The functions that are single nodes of compiled graphs; torch is not imported here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""The functions by their full names."""
