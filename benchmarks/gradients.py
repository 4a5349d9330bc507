"""Checks the gradients of libraries: ``python -m benchmarks.gradients`` writes a docs table.

For every library's two-dimensional transform and its inverse, in double
precision, for each mode and several wavelets: the result is compared with
PyWavelets, and the gradient with finite differences
(``torch.autograd.gradcheck``, along random directions).
The table is ``docs/tables/gradients.md``.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pywt

from benchmarks.conventions import pywt_bands
from benchmarks.machine import versions
from benchmarks.torch_libraries import SUBJECTS, Case, Subject
from liftwave._plan.boundary import EXTENSION_MODES

TABLE = Path(__file__).parent.parent / "docs" / "tables" / "gradients.md"
WAVELETS = ("haar", "db2", "db4", "bior4.4", "sym5")
SHAPE = (1, 1, 19, 22)
# The transforms are linear: finite differences have rounding errors only.
STRICT: dict[str, Any] = {
    "atol": 1e-7,
    "rtol": 1e-6,
    "fast_mode": True,
    "raise_exception": False,
}
RIGHT, WRONG, NO_MODE = "✓", "wrong gradient", "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    importlib.import_module("torch").set_num_threads(1)  # for arrays this small
    arguments.out.write_text(table(subjects()), encoding="utf-8")


def subjects() -> list[Subject]:
    """The installed libraries with their default modes."""
    names = ("liftwave", "ptwt", "pytorch_wavelets")
    return [each for each in SUBJECTS if each.name in names and each.available()]


def table(
    compared: Sequence[Subject],
    modes: Sequence[str] = EXTENSION_MODES,
    wavelets: Sequence[str] = WAVELETS,
) -> str:
    """The complete table, as Markdown."""
    headings = [f"{each.name}{what}" for each in compared for what in ("", ", inverse")]
    lines = [["mode", "wavelet", *headings], ["---"] * (2 + len(headings))]
    for mode in modes:
        for wavelet in wavelets:
            case = Case("", SHAPE, 1, wavelet, mode, "float64")
            cells = [verdict(case) for each in compared for verdict in _verdicts(each)]
            lines.append([mode, f"`{wavelet}`", *cells])
    rows = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    measured = versions(["torch", *(each.package for each in compared)])
    shape = " × ".join(map(str, SHAPE[-2:]))
    return f"{rows}\n\nImages of {shape} samples, one level, double precision; {measured}.\n"


def _verdicts(subject: Subject) -> list[Callable[[Case], str]]:
    return [lambda case: forward(subject, case), lambda case: inverse(subject, case)]


def forward(subject: Subject, case: Case) -> str:
    """The cell of the transform: ``✓``, the error, or ``–`` if the mode is unsupported."""
    import torch

    prepared = subject.prepare(case)
    if prepared is None:
        return NO_MODE
    x = torch.randn(case.shape, dtype=torch.float64, generator=_seeded(), requires_grad=True)

    def bands(x: Any) -> tuple[Any, ...]:
        found = subject.bands(case, prepared.transform(x))
        return tuple(found[key] for key in sorted(found))

    expected = pywt_bands(case.row(), pywt.wavedec2(x.detach().numpy(), case.wavelet, case.mode, 1))
    return _verdict(bands, (x,), [expected[key] for key in sorted(expected)])


def inverse(subject: Subject, case: Case) -> str:
    """The cell of the inverse, on random coefficients."""
    import torch

    prepared, back = subject.prepare(case), subject.inverse(case)
    if prepared is None or back is None:
        return NO_MODE
    coeffs = prepared.transform(torch.zeros(case.shape, dtype=torch.float64))
    generator, leaves = _seeded(), []

    def drawn(value: Any) -> Any:
        """The same structure with random tensors."""
        if isinstance(value, torch.Tensor):
            leaves.append(torch.randn(value.shape, dtype=value.dtype, generator=generator))
            return leaves[-1].requires_grad_()
        made = [drawn(each) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)

    structure = drawn(coeffs)
    found = subject.bands(case, structure)
    ordinary = {key: band.detach().numpy() for key, band in found.items()}
    packed = [ordinary["aa1"], tuple(ordinary[key] for key in ("da1", "ad1", "dd1"))]
    expected = pywt.waverec2(packed, case.wavelet, case.mode)

    def rebuilt(*values: Any) -> tuple[Any, ...]:
        return (back(_refilled(structure, iter(values))),)

    return _verdict(rebuilt, tuple(leaves), [expected])


def _refilled(structure: Any, values: Any) -> Any:
    """The same structure with the next values for its tensors."""
    import torch

    if isinstance(structure, torch.Tensor):
        return next(values)
    made = [_refilled(each, values) for each in structure]
    return type(structure)(*made) if hasattr(structure, "_fields") else type(structure)(made)


def _verdict(
    function: Callable[..., tuple[Any, ...]], inputs: tuple[Any, ...], expected: list[np.ndarray]
) -> str:
    from torch.autograd import gradcheck

    try:
        found = function(*inputs)
        if any(a.shape != b.shape for a, b in zip(found, expected, strict=True)):
            return "wrong shape"
        if any(not _equal(a, b) for a, b in zip(found, expected, strict=True)):
            return "wrong result"
        right = gradcheck(function, inputs, **STRICT)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        return f"fails ({type(error).__name__})"
    return RIGHT if right else WRONG


def _equal(found: Any, expected: np.ndarray) -> bool:
    return bool(np.abs(found.detach().numpy() - expected).max() <= 1e-10)


def _seeded() -> Any:
    import torch

    return torch.Generator().manual_seed(0)


if __name__ == "__main__":
    main()
