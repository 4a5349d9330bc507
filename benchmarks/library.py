"""A library that is compared: its calls, and the layout of its coefficients.

A library returns, for a row, a function of the data (``forward`` or
``inverse``), or ``None`` if it does not provide the transform. ``bands``
reads the result. ``split`` is the convention with which the bands are
compared (:mod:`benchmarks.conventions`).
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.conventions import Bands, Split, standard_split
from benchmarks.machine import version
from benchmarks.rows import Row

Call = Callable[[Any], Any]


class Library(ABC):
    """One library, or one of the methods that it provides."""

    name: str
    package: str

    @cached_property
    def module(self) -> Any:
        """The imported package; raises ``ImportError`` if it is missing."""
        return importlib.import_module(self.package)

    @property
    def version(self) -> str:
        """The installed version."""
        return version(self.package)

    @abstractmethod
    def forward(self, row: Row) -> Call | None:
        """The transform as a function of the result of ``load``; None if there is none."""

    @abstractmethod
    def inverse(self, row: Row) -> Call | None:
        """The inverse as a function of the result of ``forward``."""

    @abstractmethod
    def bands(self, row: Row, coeffs: Any) -> Bands:
        """The coefficients by label."""

    def load(self, row: Row, x: np.ndarray) -> Any:
        """The library's array, on the same memory."""
        return x

    def array(self, row: Row, loaded: Any) -> np.ndarray:
        """The result of ``inverse`` as a NumPy array."""
        return np.asarray(loaded)

    def split(self, row: Row) -> Split:
        """The transform of one axis with which the bands are compared."""
        return standard_split(row)

    def edge(self, row: Row) -> int:
        """The number of coefficients at each end in another convention; they are not compared."""
        return 0
