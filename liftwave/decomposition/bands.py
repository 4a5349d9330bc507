"""The bands of a multilevel transform: their names, and the methods that only read them."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass, fields
from math import sqrt
from numbers import Integral
from types import MappingProxyType
from typing import Any, NoReturn, overload

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import dtype_name
from liftwave._plan.axes import AxisPlan, as_axis_plans
from liftwave._typing import Array
from liftwave.errors import ArgumentTypeError, BandError
from liftwave.wavelets.lifting.scheme import LiftingScheme

# Names of the bands of two axes: PyWavelets', and with the horizontal letter first.
_NAMES_2D = {"LL": "aa", "LH": "da", "HL": "ad", "HH": "dd"}
_NAMES_2D |= {"cA": "aa", "cH": "da", "cV": "ad", "cD": "dd"}
_NAMES_1D = {"L": "a", "H": "d", "cA": "a", "cD": "d"}


@dataclass(frozen=True, eq=False, repr=False)
class Bands:
    """The bands of a decomposition, and the plans that computed them.

    Its methods only read the bands. :class:`Decomposition` and :class:`Undecimated` document the
    attributes, and add the methods that return data or other coefficients.
    """

    approx: Array
    details: tuple[Mapping[str, Array], ...]
    shape: tuple[int, ...]
    dtype: Any
    plans: tuple[AxisPlan, ...]

    def __post_init__(self) -> None:
        approx, *details = _read_only([{"": self.approx}, *self.details])
        object.__setattr__(self, "approx", approx[""])
        object.__setattr__(self, "details", tuple(details))

    def __reduce__(self) -> tuple[Any, ...]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["details"] = tuple(map(dict, self.details))  # read-only views have no pickle
        return type(self), tuple(values.values())

    # --- properties ----------------------------------------------------------------------

    @property
    def _is_integer(self) -> bool:
        return as_axis_plans(self.plans).is_integer

    @property
    def level(self) -> int:
        """Number of levels."""
        return len(self.details)

    @property
    def ndim(self) -> int:
        """Number of dimensions of the data."""
        return len(self.shape)

    @property
    def axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        return tuple(plan.axis for plan in self.plans)

    @property
    def wavelet(self) -> Any:
        """The wavelet of all axes; a tuple if the axes have different ones."""
        return _common(self.wavelets)

    @property
    def mode(self) -> Any:
        """The boundary mode of all axes; a tuple if the axes have different ones."""
        return _common(self.modes)

    @property
    def wavelets(self) -> tuple[Any, ...]:
        """The wavelet (filter bank or lifting scheme) of each axis."""
        return tuple(plan.wavelet for plan in self.plans)

    @property
    def modes(self) -> tuple[str, ...]:
        """The boundary mode of each axis."""
        return tuple(plan.boundary for plan in self.plans)

    @property
    def _file_fields(self) -> dict[str, Any]:
        """The fields of the description in a file that not all transforms have."""
        return {}

    @property
    def _layout(self) -> tuple[Any, ...]:
        """The data that bands of the same transform share."""
        return type(self), self.shape, self.plans

    @property
    def bands(self) -> dict[tuple[int, str], Array]:
        """All bands by ``(level, key)``, coarsest first; level 1 is the finest."""
        bands = {(self.level, "a" * len(self.plans)): self.approx}
        for depth, details in zip(range(self.level, 0, -1), self.details, strict=True):
            bands |= {(depth, key): band for key, band in details.items()}
        return bands

    # --- a mapping of bands ------------------------------------------------------------------

    def __len__(self) -> int:
        """The number of bands."""
        return len(self.bands)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Iterate over the names of the bands, ``(level, key)``, as in :attr:`bands`."""
        return iter(self.bands)

    def __contains__(self, which: object) -> bool:
        """Whether the decomposition has the level or the band."""
        try:
            self[which]  # type: ignore[call-overload]
        except BandError:
            return False
        return True

    def keys(self) -> KeysView[tuple[int, str]]:
        """Return the names of the bands, ``(level, key)``, coarsest level first."""
        return self.bands.keys()

    def values(self) -> ValuesView[Array]:
        """Return the bands, coarsest level first."""
        return self.bands.values()

    def items(self) -> ItemsView[tuple[int, str], Array]:
        """Return pairs of name and band, coarsest level first."""
        return self.bands.items()

    @overload
    def __getitem__(self, which: int) -> dict[str, Array]: ...
    @overload
    def __getitem__(self, which: tuple[int, str]) -> Array: ...
    def __getitem__(self, which: int | tuple[int, str]) -> Array | dict[str, Array]:
        """Return the band ``[level, key]``, or all bands of ``[level]`` by key.

        Parameters
        ----------
        which : int or (int, str)
            Level (1 is the finest, -1 the coarsest) and key: one letter per axis (``"ad"``),
            for two axes also ``LL, LH, HL, HH`` (horizontal letter first:
            the filter along the last axis) or ``cA, cH, cV, cD``.

        Raises
        ------
        BandError
            If the level or the band does not exist (a :class:`KeyError`).
        """
        if isinstance(which, tuple):
            return self.bands[self._resolve(which)]
        level = self._resolve_level(which)
        return {key: band for (depth, key), band in self.bands.items() if depth == level}

    def _resolve(self, which: Any) -> tuple[int, str]:
        """The name ``(level, key)`` of a band, from any of its names."""
        names = {1: _NAMES_1D, 2: _NAMES_2D}.get(len(self.plans), {})
        bands = self.bands
        if isinstance(which, tuple) and len(which) == 2 and isinstance(which[1], str):
            band = (self._from_finest(which[0]), names.get(which[1], which[1]))
            if band in bands:
                return band
        raise BandError(
            f"no band {which!r}: use [level, key], one of {', '.join(map(str, bands))}"
            + (f" (or a name: {', '.join(names)})" if names else "")
        )

    def _resolve_level(self, which: Any) -> int:
        """A level between 1 and the number of levels; negative ones count from the coarsest."""
        level = self._from_finest(which)
        if level is None or not 1 <= level <= self.level:
            count = self.level
            levels = f"the levels are 1 (finest) to {count}, or -1 (coarsest) to {-count}"
            raise BandError(
                f"no level {which!r}: {levels if count else 'there are no levels'}; "
                "use [level, key] for a band"
            )
        return level

    def _from_finest(self, level: Any) -> int | None:
        if not isinstance(level, Integral):
            return None
        return int(level) + (self.level + 1 if level < 0 else 0)

    def _in_band_dtype(self, band: Array, old: Array) -> Array:
        """New coefficients: rounded to integers of the band's dtype for an integer scheme."""
        xp = array_namespace(old)
        if self._is_integer and band.dtype != old.dtype:
            floating = xp.isdtype(band.dtype, "real floating")
            return xp.astype(xp.round(band) if floating else band, old.dtype)
        return band

    def __repr__(self) -> str:
        wavelets = _each([getattr(w, "name", "") or repr(w) for w in self.wavelets])
        name = dtype_name(self.dtype, array_namespace(self.approx))
        lines = [
            f"{type(self).__name__} of shape {self.shape}, {name}, by {wavelets}, "
            f"mode {_each(self.modes)}, axes {self.axes}, "
            f"{self.level} level{'' if self.level == 1 else 's'}"
        ]
        for depth in range(self.level, 0, -1):
            shapes = {k: tuple(b.shape) for (d, k), b in self.bands.items() if d == depth}
            lines.append(f"  level {depth}: " + ", ".join(f"{k} {s}" for k, s in shapes.items()))
        return "\n".join(lines)

    # --- other structures ------------------------------------------------------------------

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise ArgumentTypeError(
            f"cannot convert {type(self).__name__} to an array: use to_array() for all bands in "
            "one array, or bands for a dictionary of arrays"
        )

    def to_pywt(self) -> list[Any]:
        """Return the coefficient list of PyWavelets, as copies.

        Returns
        -------
        list
            As from :func:`wavedec` (one axis), :func:`wavedec2` (two axes)
            or :func:`wavedecn`.
        """
        copies = [{key: _copied(band) for key, band in b.items()} for b in self.details]
        if len(self.plans) == 1:
            return [_copied(self.approx), *(bands["d"] for bands in copies)]
        if len(self.plans) == 2:
            return [_copied(self.approx), *((b["da"], b["ad"], b["dd"]) for b in copies)]
        return [_copied(self.approx), *copies]

    def energy(self) -> dict[tuple[int, str], float]:
        """Return the share of each band in the energy of all bands.

        The energy of a band is the sum of its squared magnitudes. Bands of lifting schemes that
        are not normalized, such as integer schemes, are first multiplied by the factor that the
        normalized scheme would have (a low-pass gain of the square root of 2 per level and axis).
        Therefore a lossless transform has similar shares as the normalized one.

        Returns
        -------
        dict
            Shares by ``(level, key)``. Their sum is 1. All shares are 0 if all
            coefficients are 0.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.arange(64) ** 2
        >>> scheme = lw.LiftingScheme.from_name("cdf5.3")
        >>> exact = lw.decompose(x, scheme, level=1, mode="reflect").energy()
        >>> whole = lw.decompose(x, scheme.to_integer(), level=1, mode="reflect").energy()
        >>> bool(np.isclose(exact[1, "a"], whole[1, "a"], rtol=1e-3))
        True
        """
        xp = array_namespace(self.approx)
        weights = self._weights()
        energies = {which: _energy(band, xp) * weights[which] for which, band in self.items()}
        total = sum(energies.values())
        return {which: energy / total if total else 0.0 for which, energy in energies.items()}

    def _weights(self) -> dict[tuple[int, str], float]:
        """The factor of the energy of each band."""
        factors = [_low_pass_factor(plan.wavelet) ** 2 for plan in self.plans]
        return {(level, key): _weight(level, key, factors) for level, key in self.bands}


def _low_pass_factor(wavelet: Any) -> float:
    """The factor that gives the low-pass filter of a lifting scheme the gain sqrt(2)."""
    if not isinstance(wavelet, LiftingScheme):
        return 1.0
    gain = float(sum(map(float, wavelet.to_filter_bank().dec_lo)))
    return sqrt(2) / gain if gain else 1.0


def _weight(level: int, key: str, weights: Sequence[float]) -> float:
    """The squared factor of a band: low-pass filters on all levels, its own filters on the last.

    A step of lifting has determinant 1, so the high-pass factor is the inverse of the low-pass one.
    """
    product = 1.0
    for letter, weight in zip(key, weights, strict=True):
        product *= weight ** (level if letter == "a" else level - 2)
    return product


def _read_only(levels: Sequence[Mapping[str, Array]]) -> list[Mapping[str, Array]]:
    """The bands as views that cannot be written to. Only NumPy has such views."""
    views: list[Mapping[str, Array]] = []
    for bands in levels:
        level = dict(bands)
        for key, band in level.items():
            if type(band) is np.ndarray and band.flags.writeable:
                level[key] = view = band.view()
                view.flags.writeable = False
        views.append(MappingProxyType(level))
    return views


def _copied(band: Array) -> Array:
    return array_namespace(band).asarray(band, copy=True)


def _common(values: tuple[Any, ...]) -> Any:
    return values[0] if all(value == values[0] for value in values) else values


def _each(values: Sequence[str]) -> str:
    """Return one value if all are the same, else all of them."""
    return repr(values[0]) if len(set(values)) == 1 else str(tuple(values))


def _energy(band: Array, xp: Any) -> float:
    if xp.isdtype(band.dtype, "integral"):
        band = xp.astype(band, xp.float64)
    return float(xp.sum(xp.abs(band) ** 2))
