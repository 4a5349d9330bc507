"""Memory that arrays of NumPy and tensors of torch share."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from liftwave._typing import Array


def memory(x: Array) -> Any:
    """The NumPy array that shares the memory of ``x``."""
    return x if type(x) is np.ndarray else x.detach().numpy()


def like(x: Array, result: Any) -> Array:
    """A result in the library of ``x``, without copying."""
    return result if type(x) is np.ndarray else sys.modules["torch"].from_numpy(result)
