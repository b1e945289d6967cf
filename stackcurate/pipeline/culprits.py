"""Files that kill, hang or break a worker: found by cutting, set aside, and remembered.

A phase that handles what others wrote gives its task as a ``Suspects``: how many things an item
holds, and an item for a part of them. An item that fails twice is cut into parts until single
things remain that fail, alone and twice. They enter the quarantine, which is an input of the run
from then on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from stackcurate.engine.base import Failure
from stackcurate.errors import ConfigError, StopError
from stackcurate.pipeline.tasks import Item, Run
from stackcurate.storage import partitions

FILE = "quarantine.jsonl"

# More culprits in one item than this are the fault of the code or the machine, not of files.
MOST_CULPRITS = 10
# Every failure costs a worker or the time limit, so the cuts are many and the rounds few: three for
# a thousand files.
PARTS = 16

Skip = frozenset[tuple[str, str]]  # (content id or row key in hex, reason)
T = TypeVar("T", bound=Item)


class Quarantine:
    """What killed a worker, alone and twice: an input of the run from then on.

    A line names what is skipped (``content_id``, or ``row_key`` where the name and not the bytes
    did it), the ``phase`` that it killed, and the ``reason``. `control` and `judge` skip what they
    fell over, and `decide` drops it, with what it fell over itself; `fetch` drops everything.
    """

    def __init__(self, path: Path, before: Path | None = None) -> None:
        """Read what stands at ``path`` and in ``before``: a release, or its quarantine.

        Raises ConfigError where ``before`` is neither.
        """
        self.path = path
        self._lines: dict[str, dict[str, str]] = {}
        if before is not None:
            self._lines |= _read(before / FILE if before.is_dir() else before)
        if path.exists():
            self._lines |= _read(path)

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, phase: str, name: str, value: str, reason: str) -> None:
        """Remember ``value``, a ``content_id`` or ``row_key`` as ``name`` says."""
        self._lines[value] = {name: value, "phase": phase, "reason": reason}
        self.write(self.path)

    def write(self, path: Path) -> None:
        """Write all lines, sorted, to ``path``."""
        lines = [json.dumps(self._lines[key], sort_keys=True) for key in sorted(self._lines)]
        with partitions.whole(path) as part:
            part.write_text("".join(line + "\n" for line in lines))

    def skip(self, *phases: str, among: Collection[str] | None = None) -> Skip:
        """What ``phases`` (none: all) fell over; only what is in ``among``, where it is given."""
        return frozenset(
            (value, line["reason"])
            for value, line in self._lines.items()
            if (among is None or value in among) and (not phases or line["phase"] in phases)
        )


def _read(path: Path) -> dict[str, dict[str, str]]:
    """The lines of a quarantine by what they skip. Raises ConfigError where it is none."""
    found = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            value = row.get("content_id") or row["row_key"]
            found[value] = {"phase": "fetch", **row, "reason": row["reason"]}
    except OSError as error:
        raise ConfigError(f"cannot read the quarantine {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(f"{path} is no quarantine.jsonl of a release") from None
    return found


class Suspects(Protocol[T]):
    """How the items of one phase are narrowed, and what is done about a culprit."""

    def size(self, item: T) -> int:
        """How many things the item handles."""
        ...

    def part(self, item: T, begin: int, end: int) -> T:
        """An item for the things [begin, end) alone, without those in quarantine."""
        ...

    def again(self, item: T) -> T:
        """The whole item without those that are in quarantine now."""
        ...

    def accuse(self, item: T, at: int, failure: Failure) -> str:
        """Put thing ``at`` into quarantine; returns its name for people."""
        ...


def do_without_culprits(
    run: Run,
    phase: str,
    task: Callable[[T], Any],
    items: Iterable[T],
    suspects: Suspects[T],
    timeout: float | None = None,
) -> list[T]:
    """``run.do`` for items that others' files may break; returns the items that were done.

    ``timeout`` is seconds per task, the run's own where it is not given.
    """
    timeout = timeout or run.timeout
    done = list(items)
    broken: list[tuple[T, Failure]] = []
    run.do(phase, task, done, lambda item, why: broken.append((item, why)), timeout)
    for item, failure in broken:
        run.progress.note(
            f"a {phase} task {failure.reason} twice ({failure.message}); looking for the file"
        )
        _isolate(run, task, item, suspects, timeout)
        again = suspects.again(item)
        done[done.index(item)] = again
        run.do(phase, task, [again], timeout=timeout)
    return done


def _isolate(
    run: Run,
    task: Callable[[T], Any],
    item: T,
    suspects: Suspects[T],
    timeout: float | None,
) -> None:
    found = 0
    waiting = [(0, suspects.size(item))]
    while waiting:
        begin, end = waiting.pop()
        step = max(1, -(-(end - begin) // PARTS))
        ranges = [(at, min(at + step, end)) for at in range(begin, end, step)]
        bad = _failing(run, task, [suspects.part(item, *one) for one in ranges], step, timeout)
        if step > 1:
            waiting += [ranges[number] for number in bad]
            continue
        found += len(bad)
        if found > MOST_CULPRITS or begin == end:
            many = f"{found} files of one task each" if found else "a task without files"
            raise StopError(
                f"{many} ended the worker. That is no fault of the files: report it, remove {FILE} "
                "from the run folder, and start again with a mended stackcurate"
            )
        for number, failure in bad.items():
            name = suspects.accuse(item, ranges[number][0], failure)
            run.journal.write("quarantine", name=name, reason=failure.reason)
            run.progress.note(f"{name} {failure.reason} alone and twice: in quarantine")


def _failing(
    run: Run, task: Callable[[T], Any], parts: Sequence[T], size: int, timeout: float | None
) -> dict[int, Failure]:
    """The numbers of the parts that fail; only those of one thing are tried twice."""
    numbers = {part.out: number for number, part in enumerate(parts)}
    bad: dict[int, Failure] = {}

    def failed(part: T, failure: Failure) -> None:
        bad[numbers[part.out]] = failure

    run.do("isolate", task, parts, failed, timeout, retry=size == 1)
    return bad
