"""Lifting schemes, and the factoring of filter banks into lifting steps."""
