"""The command line: ``liftwave``, or ``python -m liftwave``."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_FAILURE = 2

# Old names of commands.
_RENAMED = {"compress": "sparsify"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Every user error prints one line on stderr, and returns status 2.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the arguments of the process.

    Returns
    -------
    int
        Exit status: 0, or 2 after an error.
    """
    with warnings.catch_warnings(record=True) as records, _quiet_logging():
        # Warnings are never raised as errors. They are printed after the progress bar is cleared.
        warnings.simplefilter("always", UserWarning)
        status = _run(list(sys.argv[1:] if arguments is None else arguments))
    for message in dict.fromkeys(str(record.message) for record in records):
        _say("warning", message)
    return status


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """Suppress logs of libraries, which only repeat their exceptions."""
    last, logging.lastResort = logging.lastResort, logging.NullHandler()
    try:
        yield
    finally:
        logging.lastResort = last


def _current(arguments: list[str]) -> list[str]:
    """The arguments with the current name of the command."""
    if not arguments or arguments[0] not in _RENAMED:
        return arguments
    old, *rest = arguments
    new = _RENAMED[old]
    warnings.warn(f"the command {old!r} was renamed to {new!r}", stacklevel=2)
    return [new, *rest]


def _run(arguments: list[str]) -> int:
    try:
        from liftwave.cli.app import app

        # The commands return nothing; a number reports an interruption.
        if app(args=_current(arguments), standalone_mode=False):
            raise KeyboardInterrupt
        sys.stdout.flush()
    except ImportError as error:
        return _fail(f"{error}; the command line needs: pip install 'liftwave[cli]'")
    except KeyboardInterrupt:
        return _fail("interrupted")
    except BrokenPipeError:
        # The reader closed the pipe, so no more data can be flushed to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, OSError, MemoryError, OverflowError, KeyError) as error:
        return _fail(_described(error))
    except Exception as error:
        # The command line's library raises these for wrong arguments; other errors are bugs.
        if not hasattr(error, "format_message"):
            raise
        return _fail(error.format_message())
    return 0


def _described(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _fail(message: str) -> int:
    _say("error", message)
    return _FAILURE


def _say(kind: str, message: str) -> None:
    print(f"liftwave: {kind}: {' '.join(message.split())}", file=sys.stderr)


def run() -> None:
    """Entry point of the console script."""
    # This removes files that are only partly written.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
