"""Wavelets: filter banks, lifting schemes, and what names resolve to."""
