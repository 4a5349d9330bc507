"""Kernels: the only code that computes on samples. See ``contract.py``."""
