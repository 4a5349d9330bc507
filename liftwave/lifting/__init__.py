"""Lifting schemes, and how filter banks are factored into them."""

from liftwave.lifting.scheme import LiftingScheme
from liftwave.lifting.step import LiftingStep

__all__ = ["LiftingScheme", "LiftingStep"]
