"""Benchmarks, run as modules from the repository's root."""
