"""liftwave's rows, their growth with size, and their threads, as asv's classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import liftwave as lw
from benchmarks.libraries import Liftwave, prepared
from benchmarks.rows import ROWS, Row, growing, named

LARGE = [row.name for row in ROWS if not row.small]


class _Timed:
    """Prepares the data of a row; asv times the methods that follow."""

    run: Callable[[], object]

    def prepare(self, row: Row) -> None:
        self.run = prepared(Liftwave(), row)
        self.run()


class Transforms(_Timed):
    """All rows of the table of targets."""

    params: ClassVar = [row.name for row in ROWS]
    param_names: ClassVar = ["row"]

    def setup(self, name: str) -> None:
        self.prepare(named(name))

    def time_transform(self, name: str) -> None:
        self.run()

    def peakmem_transform(self, name: str) -> None:
        self.run()


class Copy:
    """The reference: a copy of each row's input, including its allocation."""

    params: ClassVar = [row.name for row in ROWS]
    param_names: ClassVar = ["row"]

    def setup(self, name: str) -> None:
        self.x = named(name).input()

    def time_copy(self, name: str) -> None:
        self.x.copy()


class Growth(_Timed):
    """``dwt`` with db4 for a growing number of samples."""

    params: ClassVar = [1 << exponent for exponent in range(10, 27, 2)]
    param_names: ClassVar = ["samples"]

    def setup(self, samples: int) -> None:
        self.prepare(growing(samples.bit_length() - 1))

    def time_dwt(self, samples: int) -> None:
        self.run()

    def peakmem_dwt(self, samples: int) -> None:
        self.run()


class Threads(_Timed):
    """The large rows with one and two threads."""

    params: ClassVar = [LARGE, [1, 2]]
    param_names: ClassVar = ["row", "threads"]

    def setup(self, name: str, threads: int) -> None:
        self.before = lw.get_num_threads()
        lw.set_num_threads(threads)
        self.prepare(named(name))

    def teardown(self, name: str, threads: int) -> None:
        lw.set_num_threads(self.before)

    def time_transform(self, name: str, threads: int) -> None:
        self.run()
