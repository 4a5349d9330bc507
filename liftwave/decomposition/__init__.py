"""A multilevel transform as one object that can reconstruct the data."""

from liftwave.decomposition.decomposition import Decomposition, decompose

__all__ = ["Decomposition", "decompose"]
