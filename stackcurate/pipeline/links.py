"""Follows license files and manifests that are symbolic links, before control files are read.

One task per group of containers, because a root lies in one group. It leaves, per partition, the
listed row that each such link leads to; `control` reads that row in the place of the link. Only
links that are named as control files are looked at, some thousand at a time, and a listing is
searched once for each link on the longest way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.engine.base import Failure
from stackcurate.licenses import links, names
from stackcurate.pipeline.control import FOLLOWED, distinct, in_chunks
from stackcurate.pipeline.culprits import Quarantine, Skip, do_without_culprits
from stackcurate.pipeline.listing import LISTED, Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import one_chunk
from stackcurate.sources.base import Source
from stackcurate.sources.ids import MODE_KIND, MODE_SYMLINK, hexed
from stackcurate.storage import partitions

WAYS = 2000  # links that are followed together: some hundred MB where all are as long as can be
_VERDICTS = ("source:symlink", "source:unsafe_link")  # what sources say of links
Key = tuple[str, bytes]  # root and path


@dataclass(frozen=True)
class LinksItem:
    """The partitions of one group, or the links [begin, end) of them."""

    parts: tuple[Partition, ...]
    index: Path
    out: Path
    begin: int = 0
    end: int | None = None
    skip: Skip = frozenset()


@dataclass(frozen=True)
class LinksTask:
    """Follow the links of a group."""

    sources: tuple[Source, ...]

    def __call__(self, item: LinksItem) -> tuple[int, int]:
        skip = {bytes.fromhex(key) for key, _ in item.skip}
        counts = [len(_rows(part)) for part in item.parts]
        holders = _holders(item.parts) if any(counts) else {}
        first = done = 0
        with partitions.whole_folder(item.out) as folder:
            for part, count in zip(item.parts, counts, strict=True):
                begin = max(0, item.begin - first)
                end = count if item.end is None else min(count, item.end - first)
                first += count
                if begin >= end:
                    continue
                asked = _links(part)[begin:end]
                tables = []
                for at in range(0, asked.num_rows, WAYS):
                    tables.append(self._follow(asked[at : at + WAYS], holders, item.index, skip))
                partitions.write_arrow(folder / part.path.name, pa.concat_tables(tables))
                done += asked.num_rows
        return done, 0

    def _follow(
        self, asked: pa.Table, holders: Mapping[str, list[Path]], index: Path, skip: set[bytes]
    ) -> pa.Table:
        roots = asked["root"].to_pylist()
        ways = [links.Way(path) for path in _raw(asked).to_pylist()]
        known: dict[Key, bytes | None] = {}
        rows: dict[Key, dict[str, Any]] = {}
        while any(way.is_open for way in ways):
            ahead = {
                (root, path)
                for root, way in zip(roots, ways, strict=True) if way.is_open
                for path in way.ahead()
            }  # fmt: skip
            fresh = _found(ahead - rows.keys(), holders)
            rows |= {key: row for key, row in fresh.items() if row is not None}
            told = [(key, row) for key, row in fresh.items() if row and _is_link(row)]
            known |= self._read(told, index, skip)
            for root, way in zip(roots, ways, strict=True):
                if way.is_open:
                    ahead_ = [path for path in way.ahead() if (root, path) in known]
                    way.go({path: known[root, path] for path in ahead_})
        ends = [(root, way.end or b"") for root, way in zip(roots, ways, strict=True)]
        folders = _folders({key for key in ends if key not in rows}, holders)
        found = []
        columns = ("at", "root", "path", "content_id", "kind")
        for one, way, key in zip(asked.select(columns).to_pylist(), ways, ends, strict=True):
            if way.why is None and key in folders:
                continue
            row = rows.get(key)
            why = way.why or (links.NOWHERE if row is None else None)
            why = why or (links.UNREAD if row and row["verdict"] else None)
            link = {"at": one["at"], "link": one["path"], "link_root": one["root"], "why": why,
                    "kind": one["kind"], "link_id": one["content_id"].hex()}  # fmt: skip
            found.append({**(row or {}), **link} if why is None else link)
        return pa.Table.from_pylist(found, schema=FOLLOWED)

    def _read(
        self,
        told: Sequence[tuple[Key, dict[str, Any]]],
        index: Path,
        skip: set[bytes],
    ) -> dict[Key, bytes | None]:
        """What links say; None where they cannot be read."""
        if not told:
            return {}
        rows = pa.Table.from_pylist([row for _, row in told], schema=LISTED)
        rows = rows.append_column("kind", pa.array([names.LICENSE_FILE] * rows.num_rows))
        wanted = [one for one in distinct(rows) if one not in skip]
        said: dict[bytes, bytes] = {}
        for _, data, _ in in_chunks(rows, wanted, self.sources, index):
            said |= data
        return {key: said.get(row["content_id"]) for key, row in told}


def _is_link(row: Mapping[str, Any]) -> bool:
    return row["verdict"] in _VERDICTS and (row["mode"] or 0) & MODE_KIND == MODE_SYMLINK


def _raw(rows: pa.Table) -> pa.Array:
    """The paths of listed rows as bytes."""
    raw = pc.coalesce(rows["path_bytes"], rows["path"].cast(pa.binary()))
    return one_chunk(pa.table({"raw": raw}), "raw")


def _rows(part: Partition) -> np.ndarray:
    """The rows of a partition that are links of living roots, named as control files."""
    modes = partitions.read_arrow(part.path, ["mode"])["mode"].fill_null(0).to_numpy()
    rows = np.flatnonzero(modes & MODE_KIND == MODE_SYMLINK)
    if not len(rows):
        return rows
    some = partitions.read_arrow(part.path, ["root", "path", "verdict", "content_id"])
    some = some.take(pa.array(rows))
    heads = partitions.read_arrow(part.heads, ["root", "verdict"])
    live = heads.filter(pc.is_null(heads["verdict"]))["root"].combine_chunks()
    kinds = names.control_files(one_chunk(some, "path"))
    mask = pc.and_(pc.is_in(some["root"], live), pc.is_in(some["verdict"], pa.array(_VERDICTS)))
    mask = pc.and_(mask, pc.is_in(kinds, pa.array(links.FOLLOWED)))
    mask = pc.and_(mask, pc.is_valid(some["content_id"]))
    return rows[pc.fill_null(mask, False).to_numpy().astype(bool)]


def _links(part: Partition) -> pa.Table:
    rows = pa.array(_rows(part), pa.int32())
    table = partitions.read_arrow(part.path).take(rows)
    kinds = names.control_files(one_chunk(table, "path"))
    return table.append_column("at", rows).append_column("kind", kinds)


def _holders(parts: Sequence[Partition]) -> dict[str, list[Path]]:
    """The listings that hold rows of each root with such links."""
    wanted: set[str] = set()
    for part in parts:
        rows = pa.array(_rows(part), pa.int32())
        wanted.update(partitions.read_arrow(part.path, ["root"])["root"].take(rows).to_pylist())
    holders: dict[str, list[Path]] = {root: [] for root in wanted}
    for part in parts:
        for root in pc.unique(partitions.read_arrow(part.path, ["root"])["root"]).to_pylist():
            if root in wanted:
                holders[root].append(part.path)
    return holders


def _keyed(
    asked: set[Key], holders: Mapping[str, list[Path]]
) -> Iterator[tuple[pa.Table, pa.Array]]:
    """The rows of the asked roots with their keys (root, NUL, path), listing by listing."""
    roots = {root for root, _ in asked}
    for path in sorted({one for root in roots for one in holders[root]}):
        rows = partitions.read_arrow(path)
        rows = rows.filter(pc.is_in(rows["root"], pa.array(sorted(roots), pa.string())))
        keys = pc.binary_join_element_wise(rows["root"].cast(pa.binary()), _raw(rows), b"\0")
        yield rows, one_chunk(pa.table({"key": keys}), "key")


def _key(root: str, path: bytes) -> bytes:
    return root.encode() + b"\0" + path


def _found(asked: set[Key], holders: Mapping[str, list[Path]]) -> dict[Key, dict[str, Any]]:
    """The listed rows at some paths; of several at one path the one that is a file or a link."""
    found: dict[Key, dict[str, Any]] = {}
    wanted = pa.array(sorted(_key(*one) for one in asked), pa.binary())
    for rows, keys in _keyed(asked, holders) if asked else ():
        at = pc.indices_nonzero(pc.is_in(keys, wanted))
        for row, key in zip(rows.take(at).to_pylist(), keys.take(at).to_pylist(), strict=True):
            root, _, path = key.partition(b"\0")
            before = found.get((root.decode(), path))
            if before is None or (before["verdict"] and not _is_link(before)):
                found[root.decode(), path] = row
    return found


def _folders(asked: set[Key], holders: Mapping[str, list[Path]]) -> set[Key]:
    """Those of some paths below which something is listed."""
    found = {one for one in asked if not one[1]}  # the root
    left = asked - found
    for _, keys in _keyed(left, holders) if left else ():
        listed = sorted(keys.to_pylist())
        for one in left:
            key = _key(*one) + b"/"
            at = bisect_left(listed, key)
            if at < len(listed) and listed[at].startswith(key):
                found.add(one)
    return found


# --- the phase ------------------------------------------------------------------------------------


def follow_links(
    run: Run, found: Sequence[Partition], index: Path, quarantine: Quarantine
) -> list[Partition]:
    """The partitions, each with what its links lead to, where the config looks at licenses."""
    if "license" not in run.config.stages:
        return list(found)
    groups: dict[Path, list[Partition]] = {}
    for one in found:
        groups.setdefault(one.path.parent, []).append(one)
    suspects = _Links(run, quarantine)
    items = [suspects.again(LinksItem(tuple(some), index, index)) for some in groups.values()]
    done = do_without_culprits(run, "links", LinksTask(run.config.sources), items, suspects)
    places = {part.number: item.out / part.path.name for item in done for part in item.parts}
    return [replace(one, links=places[one.number]) for one in found]


@dataclass(frozen=True)
class _Links:
    """Groups are cut by their links; one that the task fell over leads nowhere."""

    run: Run
    quarantine: Quarantine

    def size(self, item: LinksItem) -> int:
        return sum(len(_rows(part)) for part in item.parts)

    def part(self, item: LinksItem, begin: int, end: int) -> LinksItem:
        return self.again(replace(item, begin=begin, end=end))

    def again(self, item: LinksItem) -> LinksItem:
        skip = self.quarantine.skip("links")
        if skip:
            skip = self.quarantine.skip("links", among={one for one in self._names(item)})
        places = [(one.name, one.number, one.heads.parent.name) for one in item.parts]
        place = self.run.place("links", places, item.begin, item.end, skip)
        return replace(item, skip=skip, out=place)

    def accuse(self, item: LinksItem, at: int, failure: Failure) -> str:
        name = self._names(item)[at]
        self.quarantine.add("links", "content_id", name, failure.reason)
        return f"swh:1:cnt:{name}"

    def _names(self, item: LinksItem) -> list[str]:
        tables = [_links(part).select(["content_id"]) for part in item.parts]
        return [one for table in tables for one in hexed(table["content_id"]).to_pylist()]
