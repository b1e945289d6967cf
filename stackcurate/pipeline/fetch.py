"""Runs the one pass over the bytes, and finds the file that kills it where one does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from stackcurate.engine.base import Failure
from stackcurate.errors import StopError
from stackcurate.pipeline.body import BodyTask, Slice
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.pipeline.winners import slices_of
from stackcurate.schema import one_chunk
from stackcurate.storage import partitions

# More culprits in one slice than this are the fault of the code or the machine, not of files.
MOST_CULPRITS = 10


@dataclass(frozen=True)
class Body:
    """One finished slice: its folder and the partition that its rows belong to."""

    number: int
    partition: int
    folder: Path


class Quarantine:
    """Contents that killed a worker, alone and twice: an input of the run from then on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons: dict[str, str] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                row = json.loads(line)
                self.reasons[row["content_id"]] = row["reason"]

    def add(self, content_id: str, reason: str) -> None:
        self.reasons[content_id] = reason
        lines = [
            json.dumps({"content_id": key, "reason": self.reasons[key]}, sort_keys=True)
            for key in sorted(self.reasons)
        ]
        with partitions.whole(self.path) as part:
            part.write_text("".join(line + "\n" for line in lines))

    def of(self, content_ids: pa.Array) -> frozenset[tuple[str, str]]:
        """The (content id, reason) of those of ``content_ids`` that are in quarantine."""
        if not self.reasons:
            return frozenset()
        held = {value.hex() for value in content_ids.to_pylist()}
        return frozenset((key, why) for key, why in self.reasons.items() if key in held)


def fetch(
    run: Run,
    task: BodyTask,
    settings: object,
    index: Path,
    found: Sequence[Partition],
    decided: Sequence[Path],
    winners: Sequence[Path],
    quarantine: Quarantine,
) -> list[Body]:
    """Pass over every slice; a slice that kills its worker is halved until the file is found."""
    items: list[Slice] = []
    owners: list[int] = []
    for part, decisions, folder in zip(found, decided, winners, strict=True):
        for begin, end in slices_of(folder):
            item = Slice(
                part.path, decisions, part.heads, folder / "winners.arrow", begin, end, index,
                out=folder,
            )  # fmt: skip
            items.append(_placed(run, item, settings, quarantine))
            owners.append(part.number)
    broken: list[tuple[Slice, Failure]] = []
    run.do("fetch", task, items, lambda item, why: broken.append((item, why)), run.timeout)
    for item, failure in broken:
        run.progress.note(
            f"a task {failure.reason} twice ({failure.message}); looking for the file"
        )
        _isolate(run, task, item, settings, quarantine, failure, len(quarantine.reasons))
        again = _placed(run, item, settings, quarantine)
        items[items.index(item)] = again
        run.do("fetch", task, [again], timeout=run.timeout)
    return [
        Body(number, owner, item.out)
        for number, (item, owner) in enumerate(zip(items, owners, strict=True))
    ]


def _placed(run: Run, item: Slice, settings: object, quarantine: Quarantine) -> Slice:
    """The slice with what its quarantine skips, at the place that follows from all of it."""
    skip = quarantine.of(_content_ids(item)) if quarantine.reasons else frozenset()
    place = run.place(
        "fetch", item.winners.parent.name, item.decided.name, item.begin, item.end, skip, settings
    )
    return replace(item, skip=skip, out=place)


def _isolate(
    run: Run,
    task: BodyTask,
    item: Slice,
    settings: object,
    quarantine: Quarantine,
    failure: Failure,
    before: int,
) -> None:
    """Halve a slice until single files remain that fail, alone and twice; quarantine them."""
    if len(quarantine.reasons) - before >= MOST_CULPRITS:
        raise StopError(
            f"{MOST_CULPRITS} files of one slice each ended their worker ({failure.message}). That "
            "is no fault of the files: report it, remove quarantine.jsonl from the run folder, and "
            "start again with a mended stackcurate"
        )
    if item.end - item.begin == 1:
        content_id = _content_ids(item)[0].as_py().hex()
        quarantine.add(content_id, failure.reason)
        run.journal.write("quarantine", content_id=content_id, reason=failure.reason)
        run.progress.note(f"swh:1:cnt:{content_id} {failure.reason} alone and twice: in quarantine")
        return
    middle = (item.begin + item.end) // 2
    halves = [
        _placed(run, replace(item, begin=begin, end=end), settings, quarantine)
        for begin, end in ((item.begin, middle), (middle, item.end))
    ]
    broken: list[tuple[Slice, Failure]] = []
    run.do("isolate", task, halves, lambda half, why: broken.append((half, why)), run.timeout)
    for half, why in broken:
        _isolate(run, task, half, settings, quarantine, why, before)


def _content_ids(item: Slice) -> pa.Array:
    rows = partitions.read_arrow(item.winners, ["row"]).slice(item.begin, item.end - item.begin)
    listed = partitions.read_arrow(item.listing, ["content_id"]).take(rows["row"])
    return one_chunk(listed, "content_id")
