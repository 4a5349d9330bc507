"""The bands of a multilevel transform: their names, and everything that only reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import dtype_name
from liftwave._plan.axes import AxisPlan, as_axis_plans
from liftwave._typing import Array
from liftwave.errors import BandError
from liftwave.transforms.coefficients import coeffs_to_array

# Names of the bands of two axes: PyWavelets', and with the horizontal letter first.
_NAMES_2D = {"LL": "aa", "LH": "da", "HL": "ad", "HH": "dd"}
_NAMES_2D |= {"cA": "aa", "cH": "da", "cV": "ad", "cD": "dd"}
_NAMES_1D = {"L": "a", "H": "d", "cA": "a", "cD": "d"}


@dataclass(frozen=True, eq=False, repr=False)
class Bands:
    """The bands of a decomposition, and how they were computed.

    Its methods only read the bands. :class:`Decomposition` documents the attributes, and adds the
    methods that return data or other coefficients.
    """

    approx: Array
    details: tuple[Mapping[str, Array], ...]
    shape: tuple[int, ...]
    dtype: Any
    plans: tuple[AxisPlan, ...]

    # --- properties ----------------------------------------------------------------------

    @property
    def _is_integer(self) -> bool:
        return as_axis_plans(self.plans).is_integer

    @property
    def level(self) -> int:
        """Number of levels."""
        return len(self.details)

    @property
    def axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        return tuple(plan.axis for plan in self.plans)

    @property
    def wavelets(self) -> tuple[Any, ...]:
        """The wavelet (filter bank or lifting scheme) of each axis."""
        return tuple(plan.wavelet for plan in self.plans)

    @property
    def modes(self) -> tuple[str, ...]:
        """The boundary mode of each axis."""
        return tuple(plan.mode for plan in self.plans)

    @property
    def bands(self) -> dict[tuple[int, str], Array]:
        """All bands by ``(level, key)``, coarsest first; level 1 is the finest."""
        bands = {(self.level, "a" * len(self.plans)): self.approx}
        for depth, details in zip(range(self.level, 0, -1), self.details, strict=True):
            bands |= {(depth, key): band for key, band in details.items()}
        return bands

    def __getitem__(self, which: tuple[int, str]) -> Array:
        """Return the band ``[level, key]``.

        Parameters
        ----------
        which : (int, str)
            Level (1 is the finest) and key: one letter per axis (``"ad"``),
            for two axes also ``LL, LH, HL, HH`` (horizontal letter first:
            the filter along the last axis) or ``cA, cH, cV, cD``.

        Raises
        ------
        BandError
            If the band does not exist (a :class:`KeyError`).
        """
        return self.bands[self._resolve(which)]

    def _resolve(self, which: Any) -> tuple[int, str]:
        names = {1: _NAMES_1D, 2: _NAMES_2D}.get(len(self.plans), {})
        bands = self.bands
        if isinstance(which, tuple) and len(which) == 2:
            band = (which[0], names.get(which[1], which[1]))
            if band in bands:
                return band
        raise BandError(
            f"no band {which!r}: a band is [level, key], here one of {', '.join(map(str, bands))}"
            + (f" (or a name: {', '.join(names)})" if names else "")
        )

    def __repr__(self) -> str:
        wavelets = _each([getattr(w, "name", "") or repr(w) for w in self.wavelets])
        name = dtype_name(self.dtype, array_namespace(self.approx))
        lines = [
            f"Decomposition of shape {self.shape}, {name}, by {wavelets}, "
            f"mode {_each(self.modes)}, axes {self.axes}, "
            f"{self.level} level{'' if self.level == 1 else 's'}"
        ]
        for depth in range(self.level, 0, -1):
            shapes = {k: tuple(b.shape) for (d, k), b in self.bands.items() if d == depth}
            lines.append(f"  level {depth}: " + ", ".join(f"{k} {s}" for k, s in shapes.items()))
        return "\n".join(lines)

    # --- other structures ------------------------------------------------------------------

    def to_pywt(self) -> list[Any]:
        """Return the coefficient list of PyWavelets.

        Returns
        -------
        list
            As from :func:`wavedec` (one axis), :func:`wavedec2` (two axes)
            or :func:`wavedecn`.
        """
        if len(self.plans) == 1:
            return [self.approx, *(bands["d"] for bands in self.details)]
        if len(self.plans) == 2:
            return [self.approx, *((b["da"], b["ad"], b["dd"]) for b in self.details)]
        return [self.approx, *map(dict, self.details)]

    def to_array(self) -> Array:
        """Return all bands in one array, in Mallat's layout (:func:`coeffs_to_array`).

        Zeros fill the gaps that occur if bands are larger than half of the signal.
        """
        return self._packed()[0]

    def _packed(self) -> tuple[Array, list[Any]]:
        return coeffs_to_array([self.approx, *map(dict, self.details)], axes=self.axes)

    def energy(self) -> dict[tuple[int, str], float]:
        """Return the share of each band in the sum of all squared magnitudes.

        Returns
        -------
        dict
            Shares by ``(level, key)``. Their sum is 1. All shares are 0 if all
            coefficients are 0.
        """
        xp = array_namespace(self.approx)
        squares = {which: _energy(band, xp) for which, band in self.bands.items()}
        total = sum(squares.values())
        return {which: square / total if total else 0.0 for which, square in squares.items()}


def _each(values: Sequence[str]) -> str:
    """Return one value if all are the same, else all of them."""
    return repr(values[0]) if len(set(values)) == 1 else str(tuple(values))


def _energy(band: Array, xp: Any) -> float:
    if xp.isdtype(band.dtype, "integral"):
        band = xp.astype(band, xp.float64)
    return float(xp.sum(xp.abs(band) ** 2))
