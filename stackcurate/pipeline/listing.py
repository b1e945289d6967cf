"""Roots into listed files: narrow rows in partitions, no bytes, and a count per root."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.engine.base import Failure
from stackcurate.errors import InputError
from stackcurate.pipeline.inputs import Group, Input
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import LISTING
from stackcurate.sources.base import Problem, Source
from stackcurate.storage import partitions

# Rows of a partition. A narrow row costs some 150 bytes, so one partition fits easily in memory.
PARTITION_ROWS = 400_000

# LISTING, and which input of the run holds the row.
LISTED = pa.schema([*LISTING, ("input", pa.int32())])

# Files and bytes per root, for origins that are one row of the ledger.
COUNTS = pa.schema(
    [("input", pa.int32()), ("root", pa.string()), ("files", pa.int64()), ("bytes", pa.int64())]
)


@dataclass(frozen=True)
class ListItem:
    """One group of containers to list; ``inputs`` runs along the containers of the group."""

    group: Group
    inputs: tuple[Input, ...]
    out: Path
    only: int | None = None  # list this input alone: to find the one that kills its reader
    skip: tuple[tuple[int, Problem], ...] = ()  # inputs that did, set aside


@dataclass(frozen=True)
class Partition:
    """Up to PARTITION_ROWS listed rows; ``number`` is its address in the run."""

    number: int
    path: Path
    heads: Path  # the representing rows of its group
    name: str  # stable name for the digests of what is made from it
    links: Path | None = None  # what its links lead to, see `links`; there only where it has some


@dataclass(frozen=True)
class ListTask:
    """List the files of a group, container by container."""

    sources: tuple[Source, ...]

    def __call__(self, item: ListItem) -> tuple[int, int]:
        heads = partitions.read_arrow(item.group.heads, ["root", "input"])
        counts: dict[tuple[int, str], tuple[int, int]] = {}
        problems = [problem for _, problem in item.skip]
        skipped = {number for number, _ in item.skip}
        with partitions.whole_folder(item.out) as part:
            out = _Parts(part)
            for number, one in zip(item.group.inputs, item.inputs, strict=True):
                if number in skipped or item.only not in (None, number):
                    continue
                roots = heads.filter(pc.equal(heads["input"], number))["root"].to_pylist()
                for batch in self._files(one, roots, part / "scratch", problems):
                    for root, count, length in _per_root(batch):
                        files, size = counts.get((number, root), (0, 0))
                        counts[number, root] = (files + count, size + length)
                    out.write(_with_input(batch, number))
            out.close()
            rows = [(*key, *counts[key]) for key in sorted(counts)]
            columns = list(zip(*rows, strict=True)) or [()] * len(COUNTS)
            table = pa.table(
                [pa.array(c, f.type) for c, f in zip(columns, COUNTS, strict=True)], schema=COUNTS
            )
            partitions.write_arrow(part / "counts.arrow", table)
            meta = {"parts": out.number, "problems": [asdict(problem) for problem in problems]}
            partitions.write_json(part / "meta.json", meta)
        return sum(files for files, _ in counts.values()), sum(size for _, size in counts.values())

    def _files(
        self, one: Input, roots: Sequence[str], scratch: Path, problems: list[Problem]
    ) -> Iterator[pa.RecordBatch]:
        if not roots:
            return
        scratch.mkdir()
        try:
            yield from self.sources[one.source].files(one.container, roots, scratch)
        except InputError as error:  # what was listed before the damage stays
            problems.append(Problem(one.container.key, error.reason, str(error)))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def list_files(run: Run, groups: Sequence[Group], inputs: Sequence[Input]) -> list[Path]:
    """List every group; returns the folders of the groups, in order."""
    items = []
    for group in groups:
        mine = tuple(inputs[number] for number in group.inputs)
        names = [(one.source, one.out.name) for one in mine]
        place = run.place("list", group.heads.parent.name, group.number, names)
        items.append(ListItem(group, mine, place))

    task = ListTask(run.config.sources)
    broken: list[ListItem] = []
    folders = run.do("list", task, items, lambda item, _: broken.append(item), run.timeout)
    for item in broken:
        bad = _culprits(run, task, item)
        run.do("list", task, [replace(item, skip=bad)])
    return folders


def _culprits(run: Run, task: ListTask, item: ListItem) -> tuple[tuple[int, Problem], ...]:
    """List each container of a group alone; those that kill their reader are the culprits."""
    alone = [
        replace(item, only=number, out=item.out.with_name(f"{item.out.name}-{number}"))
        for number in item.group.inputs
    ]
    keys = dict(zip(item.group.inputs, (one.container.key for one in item.inputs), strict=True))
    bad: dict[int, Problem] = {}

    def failed(one: ListItem, failure: Failure) -> None:
        number = one.only if one.only is not None else -1
        bad[number] = Problem(keys[number], failure.reason, failure.message)

    run.do("list", task, alone, failed, run.timeout)
    return tuple(sorted(bad.items()))


def find_partitions(groups: Sequence[Group], listed: Sequence[Path]) -> list[Partition]:
    """All partitions, numbered in the order of groups and rows."""
    found: list[Partition] = []
    for group, folder in zip(groups, listed, strict=True):
        parts = json.loads((folder / "meta.json").read_text())["parts"]
        for part in range(parts):
            path = folder / f"part-{part:06d}.arrow"
            found.append(Partition(len(found), path, group.heads, f"{folder.name}/{part}"))
    return found


class _Parts:
    """Writes batches into files of PARTITION_ROWS rows, cut between batches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= PARTITION_ROWS:
            self.close()

    def close(self) -> None:
        if not self._rows:
            return
        path = self.folder / f"part-{self.number:06d}.arrow"
        partitions.write_arrow(path, pa.Table.from_batches(self._waiting, LISTED))
        self.number += 1
        self._waiting, self._rows = [], 0


def _with_input(batch: pa.RecordBatch, number: int) -> pa.RecordBatch:
    column = pa.array([number] * batch.num_rows, pa.int32())
    columns = [batch.column(name) for name in LISTING.names]
    return pa.RecordBatch.from_arrays([*columns, column], schema=LISTED)


def _per_root(batch: pa.RecordBatch) -> Iterator[tuple[str, int, int]]:
    table = pa.table({"root": batch.column("root"), "length": batch.column("length")})
    grouped = table.group_by("root").aggregate([([], "count_all"), ("length", "sum")])
    columns = (grouped["root"], grouped["count_all"], grouped["length_sum"])
    for root, count, length in zip(*(column.to_pylist() for column in columns), strict=True):
        yield root, count, length or 0
