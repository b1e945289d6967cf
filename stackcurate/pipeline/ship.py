"""Kept rows into the shards of a release: a shard is a range of repositories of one language."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.dedup.near import SIGNATURE_BYTES
from stackcurate.errors import StopError
from stackcurate.optout.apply import hits
from stackcurate.optout.registry import Registry
from stackcurate.pipeline.body import ROWS_BATCH
from stackcurate.pipeline.earlier import SIGNATURES
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.keep import kept_rows
from stackcurate.pipeline.shards import shard_ranges
from stackcurate.pipeline.spill import Batches, open_spill
from stackcurate.pipeline.tasks import Run
from stackcurate.releases.writer import Shard, write_shard, write_table
from stackcurate.schema import FILE, conform, fill
from stackcurate.storage import partitions
from stackcurate.storage.passing import give_back, is_bulk

# Rows gathered at a time, and their most text: a bound on memory, without trace in the output.
GATHER_ROWS = 4096
GATHER_BYTES = 32 * 1024 * 1024
MOST_RUNS = 64  # pieces that are read one by one; each costs about a millisecond


@dataclass(frozen=True)
class Stretch:
    """The rows of one language folder in one body."""

    body: Path
    keep: Path
    begin: int
    end: int


@dataclass(frozen=True)
class ShipItem:
    """Shard ``number`` of ``shards`` of one language folder: hashes from ``first`` to ``end``."""

    folder: str
    number: int
    shards: int
    first: int
    end: int
    stretches: tuple[Stretch, ...]
    out: Path

    @property
    def name(self) -> str:
        """The file's path inside the release."""
        return f"data/{self.folder}/train-{self.number:05d}-of-{self.shards:05d}.parquet"


@dataclass(frozen=True)
class ShipTask:
    """Sort a shard's rows and write it; an opted-out row stops the run."""

    row_group_bytes: int
    registry: Registry
    store: pa.Schema | None = None  # of the signatures, where they ship too
    passing: bool = False  # the spill is larger than what the system remembers

    def __call__(self, item: ShipItem) -> tuple[int, int]:
        order = _order(item)
        with partitions.whole_folder(item.out) as part:
            rows = self._checked(_gather(item, order, self.passing))
            shard = write_shard(part / "shard.parquet", rows, self.row_group_bytes)
            partitions.write_json(part / "meta.json", asdict(shard))
            if self.store is not None:
                signatures = _signatures(item, order)
                signed = write_table(part / "signatures.parquet", signatures, self.store)
                partitions.write_json(part / "signatures.json", asdict(signed))
        return shard.rows, shard.text_bytes

    def _checked(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        for table in tables:
            if self.registry.requests and pc.any(pc.is_valid(hits(table, self.registry))).as_py():
                raise StopError(
                    "a file that its owner withdrew reached the output; nothing was published. "
                    "This must not happen: keep the run folder and report it"
                )
            yield table


def ship(
    run: Run, bodies: Sequence[Body], kept: Sequence[Path], registry: Registry
) -> dict[str, Path]:
    """Write all shards; returns {path inside the release: folder of the task}."""
    stretches: dict[str, list[Stretch]] = {}
    spreads: dict[str, list[dict[str, int]]] = {}
    for body, folder in zip(bodies, kept, strict=True):
        rows = meta_of(body.folder)["folders"]
        for language, spread in meta_of(folder)["sizes"].items():
            begin, end = rows[language]
            stretches.setdefault(language, []).append(Stretch(body.folder, folder, begin, end))
            spreads.setdefault(language, []).append(spread)
    options = run.config.release
    store = _schema_of_signatures(run) if run.config.dedup.store else None
    items = []
    sizes = {}
    for language in sorted(stretches):
        ranges = shard_ranges(spreads[language], options.shard_bytes)
        mine = tuple(stretches[language])
        names = [(s.body.name, s.keep.name, s.begin, s.end) for s in mine]
        for number, (first, end, size) in enumerate(ranges):
            place = run.place(
                "ship", language, number, len(ranges), first, end, names, options.row_group_bytes,
                registry.head, store is not None,
            )  # fmt: skip
            items.append(ShipItem(language, number, len(ranges), first, end, mine, place))
            sizes[language, number] = size
    # The longest first, so that no worker begins it when the others are done.
    items.sort(key=lambda item: -sizes[item.folder, item.number])
    passing = is_bulk(sum(sizes.values()))
    run.do("ship", ShipTask(options.row_group_bytes, registry, store, passing), items)
    return {item.name: item.out for item in items}


def _schema_of_signatures(run: Run) -> pa.Schema | None:
    if "dedup" not in run.config.stages:
        return None
    width = SIGNATURE_BYTES * run.config.dedup.permutations
    return pa.schema(
        [("row_key", pa.string()), ("shingles", pa.int32()), ("signature", pa.binary(width))]
    )


def _order(item: ShipItem) -> pa.Table:
    """(stretch, row, text_bytes) of the shard's rows, in the order of the release."""
    found = []
    for number, stretch in enumerate(item.stretches):
        columns = ["repo_hash", "origin", "path", "path_bytes", "text_bytes"]
        table = partitions.read_arrow(stretch.body / "rows.arrow", columns)
        places = table["repo_hash"].to_numpy()[stretch.begin : stretch.end]  # rising
        inside = np.array([item.first, item.end], np.uint64)
        begin, end = (stretch.begin + np.searchsorted(places.view(np.uint64), inside)).tolist()
        rows = kept_rows(stretch.keep, begin, end)
        table = table.take(pa.array(rows))
        name = pc.coalesce(table["path_bytes"], table["path"].cast(pa.binary()))
        found.append(
            table.drop_columns(["path", "path_bytes"])
            .append_column("name", name)
            .append_column("row", pa.array(rows))
            .append_column("stretch", pa.array([number] * table.num_rows, pa.int32()))
        )
    table = pa.concat_tables(found)
    keys = [(n, "ascending") for n in ("repo_hash", "origin", "name", "stretch", "row")]
    return table.sort_by(keys).select(["stretch", "row", "text_bytes"])


def _gather(item: ShipItem, order: pa.Table, passing: bool) -> Iterator[pa.Table]:
    """The rows in order, with their texts, some thousand at a time."""
    readers: dict[int, _Reader] = {}
    sizes = np.maximum(order["text_bytes"].to_numpy(), GATHER_BYTES // GATHER_ROWS)
    ends = np.cumsum(sizes)
    stretches, rows = order["stretch"].to_numpy(), order["row"].to_numpy()
    begin = 0
    while begin < len(ends):
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + GATHER_BYTES, side="right")))
        here, mine = stretches[begin:end], rows[begin:end]
        for number in np.unique(here).tolist():
            if number not in readers:
                readers[number] = _Reader(item.stretches[number], mapped=not passing)
        table = _by_runs(readers, here, mine) or _by_stretch(readers, here, mine)
        yield table
        begin = end
    for reader in readers.values() if passing else ():
        give_back(reader.texts.path)


def _by_runs(
    readers: dict[int, _Reader], stretches: np.ndarray, rows: np.ndarray
) -> pa.Table | None:
    """The rows run by run of one stretch, which needs no copy; None where runs are short."""
    starts = np.flatnonzero(np.append(True, stretches[1:] != stretches[:-1]))
    if len(starts) > MOST_RUNS:
        return None
    ends = np.append(starts[1:], len(rows))
    return pa.concat_tables(
        readers[int(stretches[start])].read(rows[start:end])
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    )


def _by_stretch(readers: dict[int, _Reader], stretches: np.ndarray, rows: np.ndarray) -> pa.Table:
    """The rows stretch by stretch, then put in order: for stretches that alternate row by row."""
    places = np.argsort(stretches, kind="stable")
    pieces = []
    for number in np.unique(stretches).tolist():
        pieces.append(readers[number].read(rows[stretches == number]))
    return pa.concat_tables(pieces).take(pa.array(np.argsort(places, kind="stable")))


def _signatures(item: ShipItem, order: pa.Table) -> Iterator[pa.Table]:
    """``row_key``, ``shingles`` and ``signature`` of the rows in order (see dedup.near)."""
    ends = [_ends(stretch.keep) for stretch in item.stretches]
    readers = [
        Batches(stretch.body / "signatures.arrow", end)
        for stretch, end in zip(item.stretches, ends, strict=True)
    ]
    keys = [np.load(stretch.body / "keys.npy", mmap_mode="r") for stretch in item.stretches]
    for begin in range(0, order.num_rows, GATHER_ROWS):
        some = order.slice(begin, GATHER_ROWS)
        stretches, rows = some["stretch"].to_numpy(), some["row"].to_numpy()
        places = np.argsort(stretches, kind="stable")
        pieces = []
        for number in np.unique(stretches).tolist():
            mine = rows[stretches == number]
            names = pa.array([key.decode() for key in keys[number][mine].tolist()], pa.string())
            table = readers[number].read(mine).select(["shingles", "signature"])
            pieces.append(table.add_column(0, "row_key", names))
        yield pa.concat_tables(pieces).take(pa.array(np.argsort(places, kind="stable")))


def _ends(keep: Path) -> np.ndarray:
    """Where the batches of a body's tables end, for `Batches`."""
    rows = partitions.read_arrow(keep / "keep.arrow", ["cluster_size"]).num_rows
    return np.arange(ROWS_BATCH, rows + ROWS_BATCH, ROWS_BATCH)


class _Reader:
    """Full rows of one body by number."""

    def __init__(self, stretch: Stretch, mapped: bool) -> None:
        self.keep = partitions.read_arrow(stretch.keep / "keep.arrow", ["cluster_size"])
        self.rows = Batches(stretch.body / "rows.arrow", _ends(stretch.keep))
        self.texts = open_spill(stretch.body / "spill.arrow", mapped)

    def read(self, rows: np.ndarray) -> pa.Table:
        table = fill(self.rows.read(rows), self.texts.read(rows))
        size = self.keep["cluster_size"].take(pa.array(rows))
        cluster = pc.if_else(pc.is_valid(size), table["row_key"], pa.scalar(None, pa.string()))
        extra = pa.table({"dedup_cluster": cluster, "dedup_cluster_size": size})
        return conform(fill(table, extra), FILE)


def place_files(shipped: dict[str, Path], staging: Path) -> dict[str, Shard]:
    """Link (else copy) the shards into the staging folder of the release."""
    files = {}
    for name, folder in shipped.items():
        target = staging / name
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(folder / "shard.parquet", target)
        files[name] = Shard(**meta_of(folder))
        if (folder / "signatures.json").is_file():
            name = SIGNATURES + name.removeprefix("data")
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(folder / "signatures.parquet", staging / name)
            files[name] = Shard(**json.loads((folder / "signatures.json").read_text()))
    return files


def link_or_copy(source: Path, target: Path) -> None:
    """One more name for a finished file where the disk can, a copy where it cannot; synced."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    partitions.sync(target)
