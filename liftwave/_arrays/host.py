"""Copies of arrays of any library in the processor's memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._typing import Array


def as_numpy(x: Array) -> NDArray[Any]:
    """Convert an array of any library to a NumPy array. This waits for its device."""
    for method in ("detach", "resolve_conj", "resolve_neg", "cpu", "get"):
        if not isinstance(x, np.ndarray) and hasattr(x, method):
            x = getattr(x, method)()
    return np.asarray(x)
