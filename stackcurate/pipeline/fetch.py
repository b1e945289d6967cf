"""Runs the one pass over the bytes, and finds the file that kills it where one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stackcurate.engine.base import Failure
from stackcurate.pipeline.body import BodyTask, Slice
from stackcurate.pipeline.culprits import Quarantine, do_without_culprits
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.spill import way_of
from stackcurate.pipeline.tasks import Run
from stackcurate.pipeline.winners import slices_of
from stackcurate.storage import partitions


@dataclass(frozen=True)
class Body:
    """One finished slice: its folder and the partition that its rows belong to."""

    number: int
    partition: int
    folder: Path


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
    slices = _Slices(run, settings, quarantine)
    size = sum(meta_of(folder)["bytes"] for folder in winners)
    task = replace(task, way=way_of(run.folder, size, run.engine.workers))
    items: list[Slice] = []
    owners: list[int] = []
    for part, decisions, folder in zip(found, decided, winners, strict=True):
        for begin, end in slices_of(folder):
            item = Slice(
                part.path, decisions, part.heads, folder / "winners.arrow", begin, end, index,
                out=folder,
            )  # fmt: skip
            items.append(slices.again(item))
            owners.append(part.number)
    done = do_without_culprits(run, "fetch", task, items, slices)
    return [
        Body(number, owner, item.out)
        for number, (item, owner) in enumerate(zip(done, owners, strict=True))
    ]


@dataclass(frozen=True)
class _Slices:
    """Slices are cut by their winners; everything in quarantine is dropped here."""

    run: Run
    settings: object
    quarantine: Quarantine

    def size(self, item: Slice) -> int:
        return item.end - item.begin

    def part(self, item: Slice, begin: int, end: int) -> Slice:
        return self.again(replace(item, begin=item.begin + begin, end=item.begin + end))

    def again(self, item: Slice) -> Slice:
        """The slice with what its quarantine skips, at the place that follows from all of it."""
        held = self.quarantine.skip()
        skip = held and self.quarantine.skip(among=frozenset(_content_ids(item)))
        place = self.run.place(
            "fetch", item.winners.parent.name, item.decided.name, item.begin, item.end, skip,
            self.settings,
        )  # fmt: skip
        return replace(item, skip=skip, out=place)

    def accuse(self, item: Slice, at: int, failure: Failure) -> str:
        name = _content_ids(item)[at]
        self.quarantine.add("fetch", "content_id", name, failure.reason)
        return f"swh:1:cnt:{name}"


def _content_ids(item: Slice) -> list[str]:
    """The contents of a slice, 40 hex digits each, in the order of its rows."""
    rows = partitions.read_arrow(item.winners, ["row"]).slice(item.begin, item.end - item.begin)
    listed = partitions.read_arrow(item.listing, ["content_id"]).take(rows["row"])
    return [value.hex() for value in listed["content_id"].to_pylist()]
