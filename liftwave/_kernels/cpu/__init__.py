"""Compiled kernels for arrays in host memory."""
