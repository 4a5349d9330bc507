"""Example programs of liftwave, and their shared modules."""
