"""Lengths of bands and signals, and checks of these lengths."""

from __future__ import annotations

import sys
from math import prod
from typing import Any

from liftwave._numbers import is_symbol
from liftwave._plan.boundary import LIFTING_MODES
from liftwave._plan.undecimated import AxisMode, Undecimated
from liftwave._typing import Mode
from liftwave.errors import ModeError, ShapeError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved, as_pywt

# In numbers of 16 bytes. All levels together have less than twice the numbers of the first.
_LARGEST = sys.maxsize // 32


def check_size(what: str, *shapes: tuple[int, ...]) -> None:
    """Raise unless arrays of these shapes together fit into the address space, for any dtype.

    This excludes overflows of sizes in bytes. The allocation checks whether enough memory is
    available.

    Raises
    ------
    ShapeError
        If they are too large.
    """
    numbers = sum(map(prod, shapes))
    # Symbolic sizes (in graphs that torch records) are not compared: that would fix their values.
    if isinstance(numbers, int) and numbers > _LARGEST:
        raise ShapeError(
            f"{what} would have shape {' and '.join(map(str, shapes))}: {numbers:.3g} numbers, "
            f"more than memory can hold (at most {_LARGEST:.3g})"
        )


def band_lengths(n: int, wavelet: Resolved, mode: AxisMode, what: str = "axis") -> tuple[int, int]:
    """Lengths of approximation and detail of ``n`` samples, after a check of ``n``.

    Raises
    ------
    ShapeError
        If ``n`` is 0, or 1 under ``reflect`` or ``antireflect`` with a filter
        bank, or too short for the filters under ``orthogonal``.
    ModeError
        If lifting is not defined for the mode.
    """
    if n < 1:
        raise ShapeError(
            f"Value of data_len must be greater than zero: {what} has {n} samples to transform"
        )
    if isinstance(wavelet, LiftingScheme):
        check_lifting_mode(wavelet, mode)
        if isinstance(mode, Undecimated):
            return n, n
        even = (n + 1) // 2
        return even, even if mode == "periodization" else n - even
    if mode == "orthogonal":
        _check_interval_length(n, wavelet.dec_len, what)
        return interval_lengths(n)
    boundary = mode.boundary if isinstance(mode, Undecimated) else mode
    if n == 1 and boundary in ("reflect", "antireflect"):
        raise ShapeError(
            "Input data length must be greater than 1 for [anti]reflect mode: "
            f"{what} has 1 sample (use another mode, or fewer levels)"
        )
    m = n if isinstance(mode, Undecimated) else filter_bank_length(n, wavelet.dec_len, mode)
    return m, m


def _check_interval_length(n: int, length: int, what: str) -> None:
    shortest = _shortest_interval(length)
    if not is_symbol(n) and n < shortest:  # a comparison would restrict a symbol
        raise ShapeError(
            f"{what} has {n} samples, but mode 'orthogonal' needs at least {shortest} for filters "
            f"of {length} taps. Use fewer levels, a wavelet with shorter filters, or another mode"
        )


def signal_length(n_approx: int, n_detail: int, wavelet: Resolved, mode: AxisMode) -> int:
    """Length of the signal that is synthesised from bands of these lengths.

    Raises
    ------
    ShapeError
        If no signal has bands of these lengths.
    """
    if isinstance(wavelet, LiftingScheme):
        check_lifting_mode(wavelet, mode)
        if mode != "periodization" and not isinstance(mode, Undecimated):
            return _critical_length(n_approx, n_detail)
    elif mode == "orthogonal":
        n = _critical_length(n_approx, n_detail)
        name = f"a signal with {n_approx} approximation and {n_detail} detail coefficients"
        _check_interval_length(n, wavelet.dec_len, name)
        return n
    if n_approx < 1:
        raise ShapeError(f"{n_approx} coefficients are too few: at least one is required")
    if n_approx != n_detail:
        raise ShapeError(
            "Coefficients arrays must have the same size: "
            f"got {n_approx} approximation and {n_detail} detail coefficients"
        )
    if isinstance(mode, Undecimated):
        return n_approx
    if isinstance(wavelet, LiftingScheme) or mode == "periodization":
        return 2 * n_approx
    n = 2 * n_approx - wavelet.rec_len + 2
    if n < 1:
        raise ShapeError(
            f"{n_approx} coefficients are too few to synthesise with {wavelet.rec_len} taps "
            f"under mode {mode!r}: at least {wavelet.rec_len // 2} are required"
        )
    return n


def _critical_length(n_approx: int, n_detail: int) -> int:
    """The number of samples, equal to that of all coefficients (lifting, orthogonal mode)."""
    if _are_symbols(n_approx, n_detail):
        return n_approx + n_detail
    if n_approx - n_detail not in (0, 1) or n_approx < 1:
        raise ShapeError(
            "coefficient shape mismatch: lifting schemes and mode 'orthogonal' need as many "
            f"approximation as detail coefficients, or one more; got {n_approx} and {n_detail}"
        )
    return n_approx + n_detail


def fitting_length(n_approx: int, n_detail: int, wavelet: Resolved, mode: AxisMode) -> int:
    """The number of ``n_approx`` reconstructed coefficients that fit ``n_detail`` details.

    A level of odd length is reconstructed with one sample too many, which is
    dropped. Lifting and mode ``orthogonal`` reconstruct the exact length.
    """
    is_lifted = isinstance(wavelet, LiftingScheme) and not isinstance(mode, Undecimated)
    if (is_lifted and mode != "periodization") or mode == "orthogonal":
        _critical_length(n_approx, n_detail)
        return n_approx
    if _are_symbols(n_approx, n_detail):
        return n_detail
    if n_approx - n_detail not in ((0,) if isinstance(mode, Undecimated) else (0, 1)):
        raise ShapeError(
            "coefficient shape mismatch: incompatible coefficient array sizes "
            f"{n_approx} (approximation) and {n_detail} (detail)"
        )
    return n_detail


def _are_symbols(*lengths: int) -> bool:
    """Whether a comparison of these lengths would fix, in a graph, which of them are even."""
    return any(map(is_symbol, lengths))


def check_lifting_mode(scheme: LiftingScheme, mode: AxisMode) -> None:
    """Raise if lifting is not defined for ``mode``."""
    mode = mode.boundary if isinstance(mode, Undecimated) else mode
    if mode not in LIFTING_MODES:
        raise ModeError(
            f"mode {mode!r} is not defined for lifting ({scheme!r}); use one of "
            f"{', '.join(map(repr, LIFTING_MODES))}, or the filter bank (scheme.to_filter_bank())"
        )


def check_interval(bank: FilterBank) -> None:
    """Raise unless a filter bank is orthonormal, and its taps are numbers.

    Raises
    ------
    ModeError
        If it is not.
    """
    if not bank.is_concrete:
        raise ModeError(
            f"mode 'orthogonal' needs taps that are numbers, got {bank!r}: the functions at the "
            "ends are computed from the taps beforehand. Use a FilterBank of numbers, or "
            "mode='periodization', which is orthogonal for even lengths and any orthonormal taps"
        )
    # PyWavelets counts 'dmey' as orthogonal, whose table is orthonormal to 0.2 %.
    known_wavelet: Any = as_pywt(bank)
    if not bank.orthogonal and not known_wavelet.orthogonal:
        raise ModeError(
            f"mode 'orthogonal' needs an orthonormal wavelet (to 1e-8), got {bank!r}. Use a "
            "wavelet of the families 'haar', 'db', 'sym' or 'coif', or another mode"
        )


def interval_lengths(n: int) -> tuple[int, int]:
    """The lengths of approximation and detail of ``n`` samples."""
    return (n + 1) // 2, n // 2


def _shortest_interval(length: int) -> int:
    """The smallest number of samples for filters of ``length`` taps.

    The samples that the functions of both ends read must not overlap.
    """
    return max(2, 2 * (length - 2))


def filter_bank_length(n: int, length: int, mode: Mode) -> int:
    """Number of approximations: ``ceil(n / 2)`` or ``floor((n + length - 1) / 2)``."""
    return (n + 1) // 2 if mode in {"periodization", "orthogonal"} else (n + length - 1) // 2
