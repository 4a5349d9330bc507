"""Run the commands."""

from examples.reproduce.app import app

app(prog_name="python -m examples.reproduce")
