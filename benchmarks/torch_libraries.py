"""The compared differentiable transforms: their calls and their taps.

A subject returns, for a case, a function of a tensor that gives the library's
own structure of coefficients, and lists its learnable taps.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pywt

from benchmarks.conventions import pywt_bands
from benchmarks.rows import LAST_TWO, Row

Transform = Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    """Images in a batch, with channels, and their transform."""

    name: str
    shape: tuple[int, ...]
    level: int
    wavelet: str = "db4"
    mode: str = "zero"
    dtype: str = "float32"
    channels_last: bool = False

    def row(self) -> Row:
        """The case as a row, for code shared with the other benchmarks."""
        return Row(
            self.name,
            "wavedec2",
            self.shape,
            self.wavelet,
            self.mode,
            self.level,
            LAST_TWO,
            self.dtype,
        )

    def small(self) -> Case:
        """A case small enough for all derivatives, in double precision."""
        return replace(self, shape=(1, 2, 28, 32), dtype="float64", level=min(self.level, 2))


CASES = tuple(
    Case(f"{' × '.join(map(str, shape))}, level {level}", shape, level)
    for shape in ((16, 64, 128, 128), (8, 3, 512, 512))
    for level in (1, 3)
)
CASES += (
    Case("16 × 64 × 128 × 128, level 1, channels last", CASES[0].shape, 1, channels_last=True),
)


@dataclass(frozen=True)
class Prepared:
    """A transform, the tensors to differentiate for besides the data, and their names."""

    transform: Transform
    taps: tuple[Any, ...] = ()


class Subject(ABC):
    """One library's transform, with fixed or learned taps."""

    def __init__(self, name: str, package: str, learned: bool = False) -> None:
        self.name, self.package, self.learned = name, package, learned

    @abstractmethod
    def prepare(self, case: Case) -> Prepared | None:
        """None if the library does not support the mode, or gradients of taps."""

    @abstractmethod
    def bands(self, case: Case, coeffs: Any) -> dict[str, Any]:
        """The tensors by their labels in :mod:`benchmarks.conventions`."""

    def settled(self, case: Case) -> Case:
        """The case that this subject computes."""
        return case

    def inverse(self, case: Case) -> Transform | None:
        """The inverse, from the structure of the transform's result."""
        return None

    def available(self) -> bool:
        """True if the package is installed."""
        return importlib.util.find_spec(self.package) is not None


class _Nested(Subject):
    """Libraries with PyWavelets' nested coefficients."""

    def bands(self, case: Case, coeffs: Any) -> dict[str, Any]:
        return pywt_bands(case.row(), coeffs)


class LiftwaveFilters(_Nested):
    """By filter bank; the four filters are learned."""

    def prepare(self, case: Case) -> Prepared | None:
        import liftwave as lw

        taps = filters(case, self.learned)
        wavelet = lw.FilterBank(*taps) if self.learned else case.wavelet
        return Prepared(
            lambda x: lw.wavedec2(x, wavelet, case.mode, level=case.level),
            taps[:2] if self.learned else (),
        )

    def inverse(self, case: Case) -> Transform | None:
        import liftwave as lw

        return lambda coeffs: lw.waverec2(coeffs, case.wavelet, case.mode)


class LiftwaveLifting(_Nested):
    """By lifting, with periodic edges; each step's taps are learned."""

    def settled(self, case: Case) -> Case:
        return replace(case, mode="periodization")

    def prepare(self, case: Case) -> Prepared | None:
        import torch

        import liftwave as lw

        scheme, taps = lw.LiftingScheme.from_name(case.wavelet), ()
        if self.learned:
            dtype = getattr(torch, case.dtype)
            taps = tuple(
                torch.tensor(s.taps, dtype=dtype, requires_grad=True) for s in scheme.steps
            )
            steps = zip(scheme.steps, taps, strict=True)
            scheme = replace(scheme, steps=tuple(replace(step, taps=each) for step, each in steps))
        return Prepared(lambda x: lw.wavedec2(x, scheme, case.mode, level=case.level), taps)


class Ptwt(_Nested):
    """Two-dimensional convolutions with the outer products of the filters."""

    MODES = ("zero", "constant", "symmetric", "reflect", "periodic")

    def prepare(self, case: Case) -> Prepared | None:
        if case.mode not in self.MODES:
            return None
        import ptwt

        taps = filters(case, self.learned)
        wavelet = ptwt.WaveletTensorTuple(*taps) if self.learned else case.wavelet
        return Prepared(
            lambda x: ptwt.wavedec2(x, wavelet, mode=case.mode, level=case.level),
            taps[:2] if self.learned else (),
        )

    def inverse(self, case: Case) -> Transform | None:
        if case.mode not in self.MODES:
            return None
        import ptwt

        return lambda coeffs: ptwt.waverec2(coeffs, case.wavelet)


class PytorchWavelets(Subject):
    """Modules of separable convolutions; the filters are buffers without gradients."""

    MODES = ("zero", "symmetric", "reflect", "periodization", "periodic")

    def prepare(self, case: Case) -> Prepared | None:
        if case.mode not in self.MODES:
            return None
        import pytorch_wavelets

        with default_dtype(case.dtype):
            module = pytorch_wavelets.DWTForward(J=case.level, wave=case.wavelet, mode=case.mode)
        return Prepared(module)

    def inverse(self, case: Case) -> Transform | None:
        if case.mode not in self.MODES:
            return None
        import pytorch_wavelets

        with default_dtype(case.dtype):
            module: Transform = pytorch_wavelets.DWTInverse(wave=case.wavelet, mode=case.mode)
        return module

    def bands(self, case: Case, coeffs: Any) -> dict[str, Any]:
        low, details = coeffs
        found = {f"aa{case.level}": low}
        for level, each in enumerate(details, 1):
            parts = zip(("da", "ad", "dd"), each.unbind(2), strict=True)
            found |= {f"{key}{level}": part for key, part in parts}
        return found


class Conv2d(Subject):
    """``conv2d`` with stride 2, one group per channel, zeros at the edges."""

    def prepare(self, case: Case) -> Prepared | None:
        if case.mode != "zero":
            return None
        import torch
        from torch.nn.functional import conv2d, pad

        taps = filters(case, self.learned)[:2]
        channels, length = case.shape[1], len(taps[0])

        def weight() -> Any:
            low, high = (each.flip(0) for each in taps)
            pairs = ((low, low), (high, low), (low, high), (high, high))
            planes = torch.stack([torch.outer(rows, columns) for rows, columns in pairs])
            return planes[:, None].repeat(channels, 1, 1, 1)

        fixed = None if self.learned else weight()

        def transform(x: Any) -> Any:
            kernel, details = weight() if fixed is None else fixed, []
            for _ in range(case.level):
                height, width = (length - 2 + n % 2 for n in x.shape[-2:])
                x = pad(x, (length - 2, width, length - 2, height))
                x = conv2d(x, kernel, stride=2, groups=channels)
                x = x.unflatten(1, (channels, 4))
                details.append(x[:, :, 1:])
                x = x[:, :, 0]
            return x, details

        return Prepared(transform, taps if self.learned else ())

    bands = PytorchWavelets.bands


def filters(case: Case, learned: bool) -> tuple[Any, ...]:
    """The wavelet's four filters as tensors."""
    import torch

    bank = pywt.Wavelet(case.wavelet).filter_bank
    dtype = getattr(torch, case.dtype)
    return tuple(torch.tensor(taps, dtype=dtype, requires_grad=learned) for taps in bank)


@contextmanager
def default_dtype(name: str) -> Iterator[None]:
    """Modules build their filters in the default dtype; later conversions preserve its rounding."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, name))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


SUBJECTS: tuple[Subject, ...] = (
    LiftwaveFilters("liftwave", "liftwave"),
    LiftwaveLifting("liftwave lifting", "liftwave"),
    Ptwt("ptwt", "ptwt"),
    PytorchWavelets("pytorch_wavelets", "pytorch_wavelets"),
    Conv2d("conv2d", "torch"),
    LiftwaveFilters("liftwave, taps learned", "liftwave", learned=True),
    LiftwaveLifting("liftwave lifting, taps learned", "liftwave", learned=True),
    Ptwt("ptwt, taps learned", "ptwt", learned=True),
    Conv2d("conv2d, taps learned", "torch", learned=True),
)


def available() -> list[Subject]:
    """The :data:`SUBJECTS` whose package is installed."""
    return [subject for subject in SUBJECTS if subject.available()]
