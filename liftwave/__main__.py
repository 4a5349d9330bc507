"""``python -m liftwave`` is the command line."""

from liftwave.cli import run

if __name__ == "__main__":
    run()
