"""Wavelet packets: trees as in PyWavelets, packets as arrays, and the choice of a basis."""
