"""Wavelets: filter banks, lifting schemes, and the lookup of names."""
