"""Wavelets as JSON data, with slots in place of arrays of taps.

The arrays are inputs of an operation. A slot is a dict with the index of the array in these
inputs and its length (0 for a scale).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from liftwave._typing import Array
from liftwave.errors import WaveletError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep
from liftwave.wavelets.resolve import Resolved, resolve_wavelet
from liftwave.wavelets.taps import is_concrete, tap_count

WaveletData: TypeAlias = "str | dict[str, Any]"
"""A PyWavelets name, or filters, or steps and scales."""


def to_json(wavelet: Resolved, arrays: list[Array]) -> WaveletData:
    """A wavelet as JSON data. Each array of taps is appended to ``arrays`` once."""
    if isinstance(wavelet, LiftingScheme):
        steps = [[s.kind, _taps_to_json(s.taps, arrays), s.offset] for s in wavelet.steps]
        scale = [_taps_to_json(factor, arrays) for factor in wavelet.scale]
        rest = {"shift": wavelet.shift, "integer": wavelet.integer, "name": wavelet.name}
        return {"steps": steps, "scale": scale, **rest}
    if wavelet.is_concrete and _is_named(wavelet):
        return wavelet.name
    filters = [_taps_to_json(taps, arrays) for taps in wavelet.filter_bank]
    return {"taps": filters, "name": wavelet.name}


def _is_named(bank: FilterBank) -> bool:
    try:
        return bool(bank.name) and resolve_wavelet(bank.name) is bank
    except WaveletError:
        return False


def _taps_to_json(taps: Any, arrays: list[Array]) -> Any:
    if is_concrete(taps) or isinstance(taps, float | int):
        return taps
    _, number, length = slot(taps, arrays)
    return {"slot": number, "length": length}


def slot_structure(wavelet: Resolved, arrays: list[Array]) -> tuple[Any, ...]:
    """A cache key for the JSON data of a wavelet. Arrays are appended as in :func:`to_json`."""
    fixed: tuple[Any, ...] = ()
    if isinstance(wavelet, LiftingScheme):
        fixed = (
            wavelet.integer,
            wavelet.shift,
            *[(step.kind, step.offset) for step in wavelet.steps],
        )
        taps: Sequence[Any] = [*[step.taps for step in wavelet.steps], *wavelet.scale]
    else:
        taps = wavelet.filter_bank
    return wavelet.name, fixed, *[slot(value, arrays) for value in taps]


def slot(taps: Any, arrays: list[Array]) -> Any:
    """The taps, if they are numbers; for an array the index and the length of its slot."""
    if isinstance(taps, tuple | float | int):
        return taps
    number = next((k for k, array in enumerate(arrays) if array is taps), len(arrays))
    if number == len(arrays):
        arrays.append(taps)
    return "slot", number, tap_count(taps) if taps.ndim else 0


def from_json(data: WaveletData, taps: Sequence[Any] | None) -> Resolved:
    """The wavelet with these taps in its slots.

    Without taps the slots hold ones, because lengths do not depend on the values.
    """
    if isinstance(data, str):
        return resolve_wavelet(data)
    name = data["name"]
    if "taps" in data:
        dec_lo, dec_hi, rec_lo, rec_hi = (_filled(value, taps) for value in data["taps"])
        return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, name=name)
    steps = [LiftingStep(kind, _filled(t, taps), offset) for kind, t, offset in data["steps"]]
    low, high = (_filled(factor, taps) for factor in data["scale"])
    shift, integer = tuple(data["shift"]), data["integer"]
    return LiftingScheme(tuple(steps), (low, high), name=name, shift=shift, integer=integer)


def with_numbers(wavelet: Resolved) -> Resolved:
    """The wavelet with numbers in place of arrays of taps. This waits for their device."""
    arrays: list[Array] = []
    data = to_json(wavelet, arrays)
    return from_json(data, [as_numbers(taps) for taps in arrays]) if arrays else wavelet


def _filled(value: Any, taps: Sequence[Any] | None) -> Any:
    if not isinstance(value, dict):
        return tuple(value) if isinstance(value, list) else value
    if taps is not None:
        return taps[value["slot"]]
    return (1.0,) * value["length"] or 1.0


def filters(data: Any, taps: Sequence[Any], of_synthesis: bool) -> tuple[Any, ...]:
    """Low-pass and high-pass of a filter bank with these taps in its slots."""
    if isinstance(data, dict):
        pair = data["taps"][2:] if of_synthesis else data["taps"][:2]
        return tuple([_filled(value, taps) for value in pair])
    bank: Any = resolve_wavelet(data) if isinstance(data, str) else data
    return (bank.rec_lo, bank.rec_hi) if of_synthesis else (bank.dec_lo, bank.dec_hi)


def as_numbers(taps: Array) -> Any:
    """The numbers in an array of taps, or of a scale."""
    values = taps.tolist()
    return tuple(values) if type(values) is list else values


def tap_slots(data: WaveletData, of_synthesis: bool) -> list[int | None]:
    """The slots of the taps that an analysis or synthesis uses, in order; ``None`` for numbers.

    For lifting these are the taps of each step, then both scales.
    """
    if isinstance(data, str):
        return [None, None]
    if "taps" in data:
        values = data["taps"][2:] if of_synthesis else data["taps"][:2]
    else:
        values = [*(step[1] for step in data["steps"]), *data["scale"]]
    return [value["slot"] if isinstance(value, dict) else None for value in values]


def with_tap_arrays(wavelet: Resolved, array: Callable[[Any], Array]) -> Resolved:
    """The wavelet with its numbers as arrays, created by a function such as ``x.new_tensor``."""
    if isinstance(wavelet, LiftingScheme):
        steps = tuple(replace(step, taps=array(step.taps)) for step in wavelet.steps)
        low, high = map(array, wavelet.scale)
        return replace(wavelet, steps=steps, scale=(low, high))
    dec_lo, dec_hi, rec_lo, rec_hi = map(array, wavelet.filter_bank)
    return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, wavelet.name)
