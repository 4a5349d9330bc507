"""Transforms in blocks: the work on one block, and the blocks of a transform."""
