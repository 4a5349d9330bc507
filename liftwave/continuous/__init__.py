"""The continuous wavelet transform of PyWavelets, and functions of wavelets."""
