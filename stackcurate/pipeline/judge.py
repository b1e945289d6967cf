"""Asks ScanCode about the license texts that `control` left open, in one task.

Its index takes 1.4 GB, so this is one task and no more: it reads the open texts once more, each at
one of its places, and hands them from memory to ScanCode's process, whose children share the index.
Answers are remembered in the cache, so a run that was killed here asks only for what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from stackcurate.engine.base import Failure
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.scancode import LIMIT, Judge
from stackcurate.pipeline.control import distinct, in_chunks, texts_of
from stackcurate.pipeline.culprits import Quarantine, Skip, do_without_culprits
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import EVIDENCE
from stackcurate.sources.base import Source
from stackcurate.storage import partitions

BATCH = 512  # texts that ScanCode is given at a time


@dataclass(frozen=True)
class JudgeItem:
    """All partitions and their control folders; the open contents [begin, end) of them."""

    found: tuple[Partition, ...]
    controls: tuple[Path, ...]
    index: Path
    out: Path
    begin: int = 0
    end: int | None = None
    skip: Skip = frozenset()


@dataclass(frozen=True)
class JudgeTask:
    """Detect open texts with the full matcher; ``workers`` of its children work side by side."""

    sources: tuple[Source, ...]
    cache: Cache
    workers: int

    def __call__(self, item: JudgeItem) -> tuple[int, int]:
        files = size = 0
        with (
            closing(self.cache),
            Judge(workers=self.workers) as judge,
            partitions.whole_folder(item.out) as part,
            partitions.arrow_writer(part / "judged.arrow", EVIDENCE) as writer,
        ):
            for texts in _batches(self._texts(item)):
                writer.write_table(detect_texts(texts, self.cache, judge))
                files += len(texts)
                size += sum(len(text.data) for text in texts)
        return files, size

    def _texts(self, item: JudgeItem) -> Iterator[Text]:
        wanted = set(_open_contents(item.controls)[item.begin : item.end])
        wanted -= {key for key, _ in item.skip}
        for partition, folder in zip(item.found, item.controls, strict=True):
            open_ = partitions.read_arrow(folder / "open.arrow")
            mine = {key for key in open_["content_id"].to_pylist() if key in wanted}
            if not mine:
                continue
            wanted -= mine
            rows = _rows(partition, open_)
            contents = [one for one in distinct(rows) if one.hex() in mine]
            for some, data, _ in in_chunks(rows, contents, self.sources, item.index):
                yield from texts_of(some, data)


def _rows(partition: Partition, open_: pa.Table) -> pa.Table:
    """The listed rows of open texts, with their kind."""
    listed = partitions.read_arrow(partition.path).take(open_["row"])
    return listed.append_column("kind", open_["kind"])


def _batches(texts: Iterator[Text]) -> Iterator[list[Text]]:
    some: list[Text] = []
    for text in texts:
        some.append(text)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some


def _open_contents(controls: Sequence[Path]) -> list[str]:
    """Every open content once, in the order of partitions and rows."""
    tables = [partitions.read_arrow(folder / "open.arrow", ["content_id"]) for folder in controls]
    return list(dict.fromkeys(key for one in tables for key in one["content_id"].to_pylist()))


def judge_open(
    run: Run,
    found: Sequence[Partition],
    controls: Sequence[Path],
    index: Path,
    cache: Cache,
    quarantine: Quarantine,
) -> Path | None:
    """Answer what `control` left open; returns the EVIDENCE file, None where nothing is open."""
    if not any(meta_of(folder)["open"] for folder in controls):
        return None
    task = JudgeTask(run.config.sources, cache, run.engine.workers)
    suspects = _Open(run, quarantine)
    item = suspects.again(JudgeItem(tuple(found), tuple(controls), index, index))
    # ScanCode has a limit of its own for each text.
    limit = run.timeout and run.timeout + LIMIT * suspects.size(item)
    (done,) = do_without_culprits(run, "judge", task, [item], suspects, limit)
    return done.out / "judged.arrow"


@dataclass(frozen=True)
class _Open:
    """The task is cut by open contents; one that it fell over stays undetermined."""

    run: Run
    quarantine: Quarantine

    def size(self, item: JudgeItem) -> int:
        return len(_open_contents(item.controls))

    def part(self, item: JudgeItem, begin: int, end: int) -> JudgeItem:
        return self.again(replace(item, begin=begin, end=end))

    def again(self, item: JudgeItem) -> JudgeItem:
        skip = self.quarantine.skip("judge")
        if skip:
            skip = self.quarantine.skip("judge", among=frozenset(_open_contents(item.controls)))
        names = [folder.name for folder in item.controls]
        place = self.run.place("judge", names, item.begin, item.end, skip)
        return replace(item, skip=skip, out=place)

    def accuse(self, item: JudgeItem, at: int, failure: Failure) -> str:
        name = _open_contents(item.controls)[at]
        self.quarantine.add("judge", "content_id", name, failure.reason)
        return f"swh:1:cnt:{name}"
