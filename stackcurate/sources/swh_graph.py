"""Reads a Software Heritage graph export: origins to revisions to files, without cloning anything.

The tables (ORC or Parquet) are those that the archive publishes; bytes come from a content store by
SHA-1. See ``swh_export`` for the tables, ``swh_heads`` for the way from origins to roots and
``swh_walk`` for the way from roots to files.

What it costs: ``heads`` streams nine tables once, ``files`` three (``directory_entry``, ``content``
and ``skipped_content``) once for each call, whatever the number of roots, so a run should ask for
many roots at a time. DuckDB's memory is limited (``swh_export.MEMORY``), the rest
goes to the task's scratch folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from stackcurate.errors import ConfigError
from stackcurate.schema import one_chunk
from stackcurate.sources.base import Container, Heads, Problem
from stackcurate.sources.git import latest_second
from stackcurate.sources.swh_export import Database, Export
from stackcurate.sources.swh_heads import find_heads
from stackcurate.sources.swh_walk import Walk
from stackcurate.storage.blobs import Store

KEY = "graph"
# Tables that `heads` does not read: a file of them that cannot be opened is told all the same.
_LATER = ("directory_entry", "content", "skipped_content")


@dataclass(frozen=True)
class SwhGraph:
    """A graph export at ``path``, with blobs in ``contents`` (None lists without reading).

    ``as_of``: an ISO date or time (UTC): the newest full visit that began by then, else the newest.
    ``visit_types``: git, hg, svn, pypi, …; empty takes all. ``repositories``: a table of facts that
    may know default branches. A root with more than ``max_files`` files or directories is set aside
    in one row (``source:too_many_files``), as is one with ``max_depth`` levels of directories, or
    with a cycle of them, which no hash allows but a corrupt table holds (``source:unreadable``).
    ``ancestry`` also follows first parents to the first revision, which tells forks; it reads the
    whole table of revision history, some twenty times in DuckDB.
    """

    kind: ClassVar[str] = "swh_graph"

    path: Path
    contents: Store | None = None
    as_of: str | date | None = None
    visit_types: tuple[str, ...] = ()
    repositories: Path | None = None
    max_files: int = 5_000_000
    max_depth: int = 1000
    ancestry: bool = False

    def __post_init__(self) -> None:
        Export(self.path)
        latest_second(self.as_of)
        if isinstance(self.visit_types, str):
            raise ConfigError("visit_types: it should be a list, such as [git, hg]")
        for name in ("max_files", "max_depth"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}: it should be 1 or more")

    def containers(self) -> list[Container]:
        """One container, the export."""
        size, stamp = Export(self.path).size_and_stamp()
        return [Container(KEY, size, stamp)]

    def heads(self, container: Container, scratch: Path) -> Heads:
        """One HEAD row for each origin with a usable visit, others among the problems."""
        export = Export(self.path)
        with closing(Database(export, scratch)) as db:
            heads, revisions, problems = find_heads(
                db,
                container.key,
                latest_second(self.as_of),
                frozenset(self.visit_types),
                self.repositories,
                self.ancestry,
            )
            told = db.problems
        for table in _LATER:
            told += export.unreadable(table)
        told.sort(key=lambda problem: problem.where)
        return Heads(heads, revisions, export.digest(), told + problems)

    def files(
        self, container: Container, roots: Sequence[str], scratch: Path
    ) -> Iterator[pa.RecordBatch]:
        """The files of ``roots``, sorted by root and path bytes."""
        with closing(Database(Export(self.path), scratch)) as db:
            yield from Walk(db, container.key, self.max_files, self.max_depth).files(roots)

    def read(
        self, container: Container, wanted: pa.Table, limit: int
    ) -> Iterator[tuple[int, bytes | Problem]]:
        """The bytes of ``wanted`` rows from the content store; ConfigError where there is none."""
        if self.contents is None:
            raise ConfigError("swh_graph: `contents` is not set; it names where the blobs are")
        ids = one_chunk(wanted, "blob_id").to_pylist()
        known = [row for row, blob_id in enumerate(ids) if blob_id is not None]
        for row, blob_id in enumerate(ids):
            if blob_id is None:
                yield row, Problem(f"row {row}", "missing", "the export gives no SHA-1 for it")
        for number, result in self.contents.get_many([ids[row] for row in known], limit):
            row = known[number]
            if isinstance(result, bytes):
                yield row, result
            else:
                yield row, Problem(ids[row].hex(), result.reason, result.message)
