"""Denoising by wavelet thresholding."""

from liftwave.denoising.shrinkage import denoise, estimate_sigma

__all__ = ["denoise", "estimate_sigma"]
