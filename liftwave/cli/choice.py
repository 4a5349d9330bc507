"""The wavelet that the user names on the command line."""

from __future__ import annotations

from dataclasses import dataclass

import pywt

from liftwave._plan.boundary import LIFTING_MODES, MODES
from liftwave.errors import FactorizationError, FileError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.names import nearest_wavelet, pywt_name


@dataclass(frozen=True)
class Choice:
    """The name of the wavelet on the command line."""

    name: str
    lifting: bool = False
    integer: bool = False

    def wavelet(self) -> str | LiftingScheme:
        """The wavelet as an argument of the transforms.

        Raises
        ------
        FileError
            If the wavelet does not exist, or has no lifting scheme.
        """
        try:
            bank: str = pywt_name(self.name)
            if bank.lower() in pywt.wavelist(kind="continuous"):
                raise FileError(
                    f"{self.name!r} is a continuous wavelet, which has no filters; "
                    "'liftwave wavelets' lists the discrete wavelets"
                )
            if bank.lower() not in pywt.wavelist(kind="discrete"):
                raise FileError(
                    f"unknown wavelet {self.name!r}; 'liftwave wavelets' lists the names."
                    + nearest_wavelet(self.name)
                )
            if not self.lifting and not self.integer:
                return bank
            scheme: LiftingScheme = LiftingScheme.from_name(self.name)
        except FactorizationError:
            raise FileError(
                f"{self.name!r} has no lifting scheme, because the table of its filters does not "
                "reconstruct exactly; transform without lifting"
            ) from None
        return scheme.to_integer() if self.integer else scheme

    def check_mode(self, mode: str) -> None:
        """Raise if lifting does not have this boundary mode."""
        if (self.lifting or self.integer) and mode in MODES and mode not in LIFTING_MODES:
            raise FileError(
                f"the boundary mode {mode!r} is not defined for lifting; use one of "
                f"{', '.join(LIFTING_MODES)}, or transform without lifting"
            )
