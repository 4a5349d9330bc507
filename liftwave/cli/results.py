"""The line that commands print about the file that they wrote."""

from __future__ import annotations

from pathlib import Path

from liftwave._files.source import STANDARD
from liftwave.cli import console
from liftwave.cli.media import Media


def say(target: Path, line: str) -> None:
    """Print a line on stdout, or on stderr if stdout holds the data."""
    console.say(line, aside=target == STANDARD)


def described(media: Media) -> str:
    """The kind, shape, dtype and rate of data."""
    rate = f", {media.extra['rate']} Hz" if "rate" in media.extra else ""
    kind = "stack of images" if "frames" in media.extra else media.kind
    dtype = "int24" if media.extra.get("bits") == 24 else media.array.dtype
    return f"{kind} of shape {'x'.join(map(str, media.array.shape))}, {dtype}{rate}"
