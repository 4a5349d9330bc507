"""The measured transforms, sizes and targets, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Transform = Literal[
    "dwt",
    "dwt2",
    "dwtn",
    "wavedec",
    "wavedec2",
    "packets",
    "packet levels",
    "swt",
    "swt2",
    "mra",
    "mra2",
]
Method = Literal["filter bank", "lifting", "integer lifting"]


@dataclass(frozen=True)
class Row:
    """One transform of one array.

    ``copies`` is the target in multiples of ``x.copy()``. ``faster`` contains the target
    ratio of each other library's time to liftwave's. A library that is not named must
    not be faster than liftwave.
    """

    name: str
    transform: Transform
    shape: tuple[int, ...]
    wavelet: str
    mode: str = "symmetric"
    level: int = 1
    axes: tuple[int, ...] = (-1,)
    dtype: str = "float32"
    inverse: bool = False
    method: Method = "filter bank"
    copies: float | None = None
    faster: Mapping[str, float] = field(default_factory=dict)

    @property
    def undecimated(self) -> bool:
        """Whether all bands have the shape of the array."""
        return self.transform in ("swt", "swt2", "mra", "mra2")

    @property
    def has_packets(self) -> bool:
        """Whether all bands are split further."""
        return self.transform in ("packets", "packet levels")

    @property
    def small(self) -> bool:
        """True if the overhead of calls dominates the time."""
        return int(np.prod(self.shape)) < 1 << 14

    def capped(self, side: int) -> Row:
        """The same row with no axis longer than ``side`` (its square for a signal)."""
        cap = side if len(self.shape) > 1 else side * side
        return replace(self, shape=tuple(min(n, cap) for n in self.shape))

    def input(self) -> np.ndarray:
        """White noise; 8-bit pixels for the integer transforms."""
        rng = np.random.default_rng(0)
        if np.issubdtype(self.dtype, np.integer):
            return rng.integers(0, 256, self.shape).astype(self.dtype)
        return rng.standard_normal(self.shape).astype(self.dtype)


LAST_TWO, ALL_THREE = (-2, -1), (-3, -2, -1)


def _image(name: str, wavelet: str, **other: object) -> Row:
    settings = {"transform": "dwt2", "shape": (4096, 4096), "axes": LAST_TWO, "wavelet": wavelet}
    return Row(name, **(settings | other))  # type: ignore[arg-type]


def _signal(name: str, **other: object) -> Row:
    settings = {"transform": "dwt", "shape": (1 << 24,), "wavelet": "db4", "faster": IN_1D}
    return Row(name, **(settings | other))  # type: ignore[arg-type]


def _packets(name: str, **other: object) -> Row:
    settings = {"transform": "packets", "shape": (1 << 23,), "level": 6, "faster": PACKETS}
    return Row(name, wavelet="db4", **(settings | other))  # type: ignore[arg-type]


def _undecimated(name: str, wavelet: str = "db4", **other: object) -> Row:
    settings = {
        "transform": "swt",
        "shape": (1 << 23,),
        "mode": "periodization",
        "level": 5,
        "faster": UNDECIMATED,
    }
    return Row(name, wavelet=wavelet, **(settings | other))  # type: ignore[arg-type]


FORWARD = {"PyWavelets": 15.0, "ndwt": 4.0}
BACKWARD = {"PyWavelets": 8.0, "ndwt": 4.0}
IN_1D = {"PyWavelets": 3.0, "ndwt": 4.0}
UNDECIMATED = {"PyWavelets": 15.0}
PACKETS = {"PyWavelets": 15.0}
# With periodic edges, both methods of ndwt give the same transform.
PERIODIC = FORWARD | {"ndwt lifting": 4.0}

ROWS = (
    _image("dwt2 haar", "haar", mode="periodization", copies=1.3, faster=PERIODIC),
    _image("dwt2 bior4.4", "bior4.4", copies=2.2, faster=FORWARD),
    _image(
        "dwt2 bior4.4 by lifting",
        "bior4.4",
        mode="periodization",
        method="lifting",
        copies=2.2,
        faster=PERIODIC,
    ),
    _image("dwt2 db4", "db4", copies=2.2, faster=FORWARD),
    _image("idwt2 db4", "db4", inverse=True, faster=BACKWARD),
    _image(
        "wavedec2 db4, 4 levels", "db4", transform="wavedec2", level=4, copies=3.0, faster=FORWARD
    ),
    _image(
        "waverec2 db4, 4 levels",
        "db4",
        transform="wavedec2",
        level=4,
        inverse=True,
        copies=3.0,
        faster=BACKWARD,
    ),
    _image("dwt2 db4 float64", "db4", dtype="float64", copies=2.2, faster=BACKWARD),
    _image("dwt2 db20", "db20", copies=5.0, faster=FORWARD),
    _image(
        "dwt2 CDF 5/3 integers",
        "cdf5.3",
        mode="reflect",
        dtype="int16",
        method="integer lifting",
        copies=2.2,
    ),
    _image("dwt db4, axis 0", "db4", transform="dwt", axes=(0,), copies=2.0, faster=FORWARD),
    _signal("dwt db4", copies=2.0),
    _signal("idwt db4", inverse=True),
    _signal("wavedec db4, 8 levels", transform="wavedec", level=8, copies=3.5),
    Row("dwtn bior4.4", "dwtn", (256,) * 3, "bior4.4", axes=ALL_THREE, copies=3.5, faster=FORWARD),
    Row(
        "idwtn bior4.4",
        "dwtn",
        (256,) * 3,
        "bior4.4",
        axes=ALL_THREE,
        inverse=True,
        faster=BACKWARD,
    ),
    Row(
        "wavedec2 db2, 3 levels, batch",
        "wavedec2",
        (256, 128, 128),
        "db2",
        level=3,
        axes=LAST_TWO,
        copies=3.0,
        faster=FORWARD,
    ),
    _packets("wpdec db4, 6 levels", shape=(1 << 18,)),
    _packets("wprec db4, 6 levels", shape=(1 << 18,), inverse=True),
    _packets("wpdec db4, 4 levels, image", shape=(1024, 1024), level=4, axes=LAST_TWO),
    _packets("wpdec db4, 6 levels, long", copies=2.5),
    _packets("wpdec db4, all 6 levels, long", transform="packet levels", copies=6.0),
    _packets("wprec db4, 6 levels, long", inverse=True),
    _packets(
        "wpdec db4, all 4 levels, image",
        transform="packet levels",
        shape=(4096, 4096),
        level=4,
        axes=LAST_TWO,
        copies=6.0,
    ),
    _packets(
        "wprec db4, 4 levels, image",
        shape=(4096, 4096),
        level=4,
        axes=LAST_TWO,
        inverse=True,
    ),
    _undecimated("swt haar, 5 levels", "haar", copies=4.0),
    _undecimated("swt db4, 5 levels", copies=6.0),
    _undecimated("iswt db4, 5 levels", inverse=True, copies=6.0, faster=FORWARD),
    _undecimated("mra db4, 5 levels", transform="mra", copies=14.0, faster=FORWARD),
    _image("swt2 haar", "haar", transform="swt2", mode="periodization", copies=3.0, faster=FORWARD),
    _image(
        "swt2 db4, 3 levels",
        "db4",
        transform="swt2",
        mode="periodization",
        level=3,
        copies=13.5,
        faster=FORWARD,
    ),
    _image(
        "iswt2 db4, 3 levels",
        "db4",
        transform="swt2",
        mode="periodization",
        level=3,
        inverse=True,
        copies=13.5,
        faster=FORWARD,
    ),
    _image(
        "mra2 db4, 3 levels",
        "db4",
        transform="mra2",
        shape=(1024, 1024),
        mode="periodization",
        level=3,
        copies=40.0,
        faster={"PyWavelets": 200.0},
    ),
    Row("swt db4, small", "swt", (64,), "db4", "periodization", 6, faster={"PyWavelets": 1.0}),
    Row("dwt db4, small", "dwt", (64,), "db4", faster={"PyWavelets": 1.0}),
    Row("dwt2 db4, small", "dwt2", (32, 32), "db4", axes=LAST_TWO, faster={"PyWavelets": 2.0}),
    Row("wavedec db4, small", "wavedec", (1024,), "db4", level=5, faster={"PyWavelets": 2.0}),
)


def growing(exponent: int) -> Row:
    """The row of the growth with the number of samples."""
    return Row(f"dwt db4 of 2^{exponent}", "dwt", (1 << exponent,), "db4")


def named(name: str) -> Row:
    """The row of :data:`ROWS` with this name."""
    return next(row for row in ROWS if row.name == name)


def matching(parts: list[str]) -> list[Row]:
    """The rows whose name contains one of the parts; all of them without parts."""
    return [row for row in ROWS if not parts or any(part in row.name for part in parts)]
