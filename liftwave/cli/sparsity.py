"""The quality of a signal from its largest coefficients, by their share."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from liftwave._files.writing import write_whole
from liftwave.cli import console
from liftwave.cli.media import Media
from liftwave.decomposition import Decomposition

# Suffixes of the pictures that matplotlib writes.
picture_suffixes = (".png", ".pdf", ".svg")

_SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_INK, _MARK = "#1f4e79", "#c05000"


@dataclass(frozen=True)
class Row:
    """The quality of the data from a share of the coefficients.

    Attributes
    ----------
    share : float
        The share of the coefficients, at most 1.
    count : int
        The number of coefficients that are not zero.
    quality : float
        The peak signal-to-noise ratio in dB; infinite for equal data.
    bytes : int or None
        The size of a JPEG 2000 file of about this quality; None if the data are
        not a picture of 8 bits.
    """

    share: float
    count: int
    quality: float
    bytes: int | None


def lean(media: Media) -> Media:
    """Integers of up to 16 bits in single precision, which is exact and needs half the storage."""
    array = media.array
    small = array.dtype.kind in "biu" and array.dtype.itemsize <= 2
    return replace(media, array=array.astype(np.float32)) if small else media


def sparse(media: Media, d: Decomposition, keep: float) -> tuple[Decomposition, Media]:
    """The largest coefficients, and the data from them; the same data if all are kept."""
    if keep == 1:
        return d, media
    sparse_bands = d.keep_largest(keep)
    return sparse_bands, media.with_array(np.asarray(sparse_bands.reconstruct()))


def measure(media: Media, d: Decomposition) -> list[Row]:
    """The quality for several shares, from low to high."""
    rows = []
    for share in _SHARES:
        sparse_bands, result = sparse(media, d, share)
        count = sum(int(np.count_nonzero(band)) for band in sparse_bands.bands.values())
        quality = console.psnr(media.array, result.array, media.peak)
        rows.append(Row(share, count, quality, jpeg_2000_size(media, quality)))
    return rows


def report(title: str, media: Media, rows: Sequence[Row]) -> None:
    """Print the table of shares and qualities, and the sizes of files without loss."""
    columns: tuple[str, ...] = ("kept", "coefficients", "quality")
    columns += ("JPEG 2000 of this quality",) if _is_picture(media) else ()
    cells = [
        (f"{row.share:.1%}", str(row.count), console.quality(row.quality))
        + (() if row.bytes is None else (console.size(row.bytes),))
        for row in rows
    ]
    console.table(title, columns, cells, numbers=len(columns))
    if (size := png_size(media)) is not None:
        console.say(f"\nPNG without loss: {console.size(size)}")


def _is_picture(media: Media) -> bool:
    """Whether Pillow can write it as JPEG 2000 and PNG: 8 bits, grey or colour."""
    shape, dtype = media.array.shape, media.array.dtype
    return media.kind == "image" and dtype == np.uint8 and shape[2:] in ((), (3,), (4,))


def jpeg_2000_size(media: Media, quality: float) -> int | None:
    """The bytes of a JPEG 2000 file of about this quality in dB; None for other data."""
    if not _is_picture(media):
        return None
    if np.isinf(quality):
        return _size(media.array, "JPEG2000", irreversible=False)
    options = {"quality_mode": "dB", "quality_layers": [quality], "irreversible": True}
    return _size(media.array, "JPEG2000", **options)


def png_size(media: Media) -> int | None:
    """The bytes of a PNG file; None for other data."""
    return _size(media.array, "PNG", optimize=True) if _is_picture(media) else None


def _size(array: np.ndarray[Any, Any], kind: str, **options: Any) -> int:
    import PIL.Image

    stream = io.BytesIO()
    PIL.Image.fromarray(array).save(stream, format=kind, **options)
    return stream.getbuffer().nbytes


def write_curves(path: Path, name: str, media: Media, rows: Sequence[Row]) -> None:
    """Draw quality against the share kept and, for pictures, against the size of JPEG 2000."""
    from matplotlib.figure import Figure

    finite = [row for row in rows if np.isfinite(row.quality)]
    columns = 2 if _is_picture(media) else 1
    figure = Figure(figsize=(5 * columns, 4), layout="constrained")
    left, *right = np.atleast_1d(figure.subplots(1, columns, sharey=True))
    left.semilogx(
        [100 * row.share for row in finite], [row.quality for row in finite], "o-", color=_INK
    )
    left.set(xlabel="coefficients kept (%)", ylabel="PSNR (dB)")
    for ax in right:
        sizes = [row.bytes / 1000 for row in finite if row.bytes is not None]
        ax.semilogx(sizes, [row.quality for row in finite], "o-", color=_MARK, label="JPEG 2000")
        ax.axvline((png_size(media) or 0) / 1000, color="0.5", label="PNG, without loss")
        ax.set(xlabel="size of the file (kB)")
        ax.legend(frameon=False)
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{name}: quality from the largest coefficients")
    kind = path.suffix[1:].lower()
    write_whole(path, lambda stream: figure.savefig(stream, format=kind, dpi=110))
