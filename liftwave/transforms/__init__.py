"""Public transforms."""
