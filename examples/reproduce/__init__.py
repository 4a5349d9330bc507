"""What the papers on pooling claim, measured in small: ``python -m examples.reproduce --help``."""
