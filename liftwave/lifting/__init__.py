"""Lifting schemes, and how filter banks are factored into them."""

from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep

__all__ = ["LiftingScheme", "LiftingStep"]
