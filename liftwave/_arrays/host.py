"""Copies of arrays of any library in the processor's memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._typing import Array


def as_numpy(x: Array) -> NDArray[Any]:
    """Convert an array of any library to a NumPy array. This waits for its device.

    Tensors of bfloat16, a dtype that NumPy does not have, become float32, which holds their values.
    """
    for method in ("detach", "resolve_conj", "resolve_neg", "cpu", "get"):
        if not isinstance(x, np.ndarray) and hasattr(x, method):
            x = getattr(x, method)()
    if str(getattr(x, "dtype", "")) == "torch.bfloat16":
        x = x.float()
    return np.asarray(x)
