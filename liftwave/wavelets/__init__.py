"""Wavelets: filter banks, lifting schemes, and the resolving of names."""
