"""The claims of papers on pooling, at small scale: ``python -m examples.reproduce --help``."""
