"""Lifting by CUDA kernels."""
