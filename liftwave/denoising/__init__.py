"""Denoising by shrinking wavelet coefficients; removal of trends."""

from liftwave.denoising.shrinkage import denoise, estimate_sigma
from liftwave.denoising.trends import frequency_band, remove_trend

__all__ = ["denoise", "estimate_sigma", "frequency_band", "remove_trend"]
