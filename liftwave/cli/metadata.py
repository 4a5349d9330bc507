"""The metadata of a picture: orientation, EXIF data, colour profile, resolution."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

from liftwave.cli.exif import stored_exif

_ORIENTATION = 0x0112

# The colour space that a profile names, by the number of colours.
_SPACES = {1: b"GRAY", 3: b"RGB "}


def upright(array: np.ndarray[Any, Any], orientation: object) -> np.ndarray[Any, Any]:
    """Rotate or flip the picture so that its first row is at the top; ignore unknown values."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def orientation_of(image: Any) -> int:
    """The EXIF orientation of an opened picture; 1 (upright) if it has none."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # unreadable EXIF data do not rotate the picture
        return 1


def metadata(image: Any) -> dict[str, Any]:
    """EXIF data, colour profile and resolution of an opened picture, as text for an archive."""
    extra: dict[str, Any] = {}
    if profile := image.info.get("icc_profile"):
        extra["icc"] = packed(profile)
    if exif := _exif(image):
        extra["exif"] = packed(exif)
    dpi = image.info.get("dpi")
    if dpi and all(np.isfinite(float(n)) and float(n) > 0 for n in dpi):
        extra["dpi"] = [float(n) for n in dpi]
    return extra


def _exif(image: Any) -> bytes:
    """The EXIF data that do not depend on the samples; empty if there are none."""
    try:
        image.getexif()  # reads them, if they follow the samples
        content = image.info.get("exif")
        if content is None and (text := image.info.get("Raw profile type exif")):
            content = bytes.fromhex("".join(text.split("\n")[3:]))
        return stored_exif(io.BytesIO(content.removeprefix(b"Exif\0\0"))) if content else b""
    except Exception:  # unreadable EXIF data are dropped
        return b""


def packed(content: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(content).decode()


def unpacked(extra: dict[str, Any], name: str) -> bytes | None:
    """The bytes of an entry; None if it is missing."""
    text = extra.get(name)
    return base64.b64decode(text) if isinstance(text, str) else None


def profile_of(extra: dict[str, Any], channels: int) -> bytes | None:
    """The colour profile, if it describes this number of channels (alpha included)."""
    profile = unpacked(extra, "icc")
    colours = 1 if channels < 3 else 3
    return profile if profile and profile[16:20] == _SPACES[colours] else None


def dpi_of(extra: dict[str, Any]) -> tuple[float, float] | None:
    """The resolution in dots per inch, horizontally and vertically."""
    dpi = extra.get("dpi")
    if not isinstance(dpi, list) or len(dpi) != 2:
        return None
    return float(dpi[0]), float(dpi[1])
