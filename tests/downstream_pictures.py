"""A picture in place of ``scipy.datasets.face``, which is downloaded.

``tests/downstream.py`` copies this file to the tests of a library as ``conftest.py``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.datasets
from numpy.typing import NDArray

_SHAPE = (768, 1024, 3)


@cache
def face(gray: bool = False) -> NDArray[np.uint8]:
    """Waves and noise, of the shape and dtype of the picture."""
    rows, columns, channels = np.ogrid[tuple(map(slice, _SHAPE))]
    waves = np.sin(columns / (9 + channels)) * np.cos(rows / (13 + channels))
    noise = np.random.default_rng(0).normal(0, 12, _SHAPE)
    picture = np.clip(128 + 60 * waves + noise, 0, 255).astype(np.uint8)
    return picture[..., 0] if gray else picture


scipy.datasets.face = face
