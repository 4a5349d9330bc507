"""Lifting schemes, and the factoring of filter banks into lifting steps."""

from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep

__all__ = ["LiftingScheme", "LiftingStep"]
