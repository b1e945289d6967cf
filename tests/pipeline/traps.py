"""The command line with a library in it that dies, hangs or raises at the sight of some files.

``python -c "from tests.pipeline.traps import main; main()" run CONFIG``. What else goes wrong is
told by the environment: TRAP_STOP stops before publishing, TRAP_SECONDS is the limit of a task,
TRAP_FULL is the number of synced files after which this process finds its disk full.
"""

from __future__ import annotations

import errno
import functools
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from stackcurate.cli import main as root
from stackcurate.errors import StopError
from stackcurate.licenses.detect import detect_texts
from stackcurate.pipeline import control, decide, evidence
from stackcurate.pipeline import run as runs
from stackcurate.storage import partitions

COMMAND = "import sys; from tests.pipeline.traps import main; main()"
KILL, HANG, RAISE = "trap: kill", "trap: hang", "trap: raise"


@dataclass(frozen=True)
class Trap:
    """A row stage that calls such a library."""

    name: ClassVar[str] = "trap"
    needs: ClassVar[tuple[str, ...]] = ("content",)
    fills: ClassVar[tuple[str, ...]] = ()

    def find(self, batch: pa.Table) -> pa.Table:
        for text in batch["content"].to_pylist():
            spring(text)
        return batch.select([])

    def judge(self, batch: pa.Table) -> pa.Table:
        return batch


def spring(text: str) -> None:
    """What such a library does."""
    if KILL in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if HANG in text:
        time.sleep(3600)
    if RAISE in text:
        raise ValueError(text)  # libraries do quote what they are given


class TrapControl(control.ControlTask):
    """Reads control files with a license library that is such a one."""

    def __call__(self, item: control.ControlItem) -> tuple[int, int]:
        def detect(texts: Any, *others: Any) -> pa.Table:
            for text in texts:
                spring(text.data.decode("latin-1"))
            return detect_texts(texts, *others)

        control.detect_texts = detect
        return super().__call__(item)


class TrapDecide(decide.DecideTask):
    """Looks at names with such a library."""

    def _withdraw(self, batch: pa.Table, item: decide.DecideItem) -> Any:
        for path in batch["path"].to_pylist():
            spring(path)
        return super()._withdraw(batch, item)


def _full_after(count: int, sync: Callable[[Any], None]) -> Callable[[Any], None]:
    left = [count]

    def full(path: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(path)

    return full


def main() -> None:
    """The command line, trapped."""
    made = runs.row_stages
    runs.row_stages = lambda config: (Trap(), *made(config))
    evidence.ControlTask, decide.DecideTask = TrapControl, TrapDecide
    if "TRAP_SECONDS" in os.environ:
        runs.run = functools.partial(runs.run, timeout=float(os.environ["TRAP_SECONDS"]))
    if "TRAP_FULL" in os.environ:
        partitions.sync = _full_after(int(os.environ["TRAP_FULL"]), partitions.sync)
    if "TRAP_STOP" in os.environ:

        def stop(*_: object) -> None:
            raise StopError("stopped by the test")

        runs.finish = stop
    sys.argv[0] = "stackcurate"
    root.main()
