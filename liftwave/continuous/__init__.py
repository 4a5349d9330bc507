"""Continuous wavelet transforms, and functions of wavelets."""
