"""Bands packed by a byte shuffle and zstd, which needs numcodecs."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from liftwave.cli.files import FileError

# The header of a Blosc buffer: 4 bytes of versions and flags, then the unpacked size.
_SIZE = slice(4, 8)
_HEADER = 16


def packed(band: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bytes of a band after zstd, and a byte shuffle if that helps.

    Raises
    ------
    FileError
        If numcodecs is not installed.
    """
    # The shuffle makes bands of all coefficients smaller, and bands of few coefficients larger.
    contents = (_codec(shuffle).encode(np.ascontiguousarray(band)) for shuffle in (0, 1))
    return np.frombuffer(min(contents, key=len), np.uint8)


def unpacked(
    content: np.ndarray[Any, Any], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    """The band of a known shape and dtype.

    Raises
    ------
    FileError
        If the content unpacks to another size, or numcodecs is not installed.
    """
    size = prod(shape) * dtype.itemsize
    stated = int.from_bytes(content[_SIZE].tobytes(), "little")
    if content.size < _HEADER or stated != size:
        raise FileError(f"a packed band should unpack to {size} bytes, it states {stated}")
    # Blosc cannot pack nothing.
    buffer = _codec().decode(content.tobytes()) if size else b""
    if len(buffer) != size:
        raise FileError(f"a packed band should unpack to {size} bytes, got {len(buffer)}")
    return np.frombuffer(buffer, dtype).reshape(shape)


def _codec(shuffle: int = 0) -> Any:
    try:
        from numcodecs import Blosc
    except ImportError:
        raise FileError("--zstd needs numcodecs: pip install numcodecs") from None
    return Blosc(cname="zstd", clevel=9, shuffle=shuffle)
