"""Run the command line: ``python -m liftwave``."""

from liftwave.cli import run

if __name__ == "__main__":
    run()
