"""A multilevel transform as one object that can reconstruct the data."""

from liftwave.decomposition.decomposition import Decomposition, decompose
from liftwave.decomposition.undecimated_analysis import undecimated
from liftwave.decomposition.undecimated_bands import Undecimated

__all__ = ["Decomposition", "Undecimated", "decompose", "undecimated"]
