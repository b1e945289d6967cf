"""Near-dedup for people with their own pipeline: Parquet in, Parquet out, nothing else needed.

The rows of the input, in its order, are the files; the first of equals stays. The input is read
three times (sign, verify, copy) and never held in memory: a *part* is some row groups of one file.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate.dedup.join import join_parquet
from stackcurate.dedup.match import dedup
from stackcurate.dedup.near import digests_of, fixed_array, signatures
from stackcurate.dedup.pieces import Piece, cut, parquet_files
from stackcurate.dedup.settings import Settings
from stackcurate.dedup.steps import SYNCED, Part, Plan, numpy, run, send
from stackcurate.dedup.summary import Summary
from stackcurate.engine.base import Engine
from stackcurate.errors import ConfigError
from stackcurate.schema import one_chunk
from stackcurate.storage.exchange import read_exchange
from stackcurate.storage.partitions import boot, digest, read_arrow, whole, write_arrow

GROUP_BYTES = 32 << 20  # a row group of what is written
_CODE = 5  # a number in the name of unfinished work: raise it when the steps change


def dedup_parquet(
    input: Path,
    out: Path,
    content: str,
    id: str,
    settings: Settings,
    engine: Engine,
    group: str | None = None,
    against: Sequence[Path] = (),
) -> Summary:
    """Write ``out/kept.parquet`` and ``out/clusters.parquet`` for a Parquet file or folder.

    ``kept.parquet``: all columns of the rows that stay, in the order of the input (files of a
    folder by path). ``clusters.parquet``: for every row ``id``; ``cluster``, the number in the
    input of the row that stays (null where it stands alone); ``kept``; ``representative``, the id
    of the row that stays; ``similarity`` to it, null for itself.

    ``content`` names a string or binary column, rows without content stay; ``id`` any column.
    With ``group``, near-duplicates are sought among rows of equal value (cast to string);
    ``settings.scope`` is not looked at. Rows that are like one of ``against`` (Parquet files or
    folders with the same columns, for example releases) go too: their ``representative`` is an id
    from there, and their ``cluster`` a number past the rows of the input. Raises ConfigError for
    columns that are not there.
    """
    if input.is_dir() and out.resolve().is_relative_to(input.resolve()):
        raise ConfigError(f"{out} lies in the input {input}; name a folder outside")
    files = parquet_files(input)
    needed = [id, group] if group else [id]
    schema, pieces = cut(files, content, needed)
    own = len(pieces)
    for earlier in against:
        some = parquet_files(earlier)
        its, more = cut(some, content, needed, pieces)
        if its.field(id).type != schema.field(id).type:
            raise ConfigError(f"column {id!r} of {earlier} is not of the type it has in {input}")
        files, pieces = [*files, *some], more
    stamp = [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    work = out / f".work-{digest(_CODE, stamp, content, id, settings, group, own, boot())}"
    for other in out.glob(".work-*"):
        if other != work:
            shutil.rmtree(other)
    job = Job(work, schema, tuple(pieces), own, content, id, group, settings)
    parts = tuple(Part(n, job.records(n), n >= own, piece.first) for n, piece in enumerate(pieces))
    plan = Plan(work, settings, ())
    work.mkdir(parents=True, exist_ok=True)
    run(engine, plan, "sign", Sign(job), len(pieces))
    summary = dedup(parts, ReadTexts(job), engine, work / "match", settings)
    run(engine, plan, "seek", SeekIds(job), own)
    run(engine, plan, "answer", AnswerIds(job), len(pieces))
    _write_clusters(job, out / "clusters.parquet")
    run(engine, plan, "keep", WriteKept(job), own)
    _join_kept(job, out / "kept.parquet")
    shutil.rmtree(work)
    empty = sum(piece.rows for piece in pieces[:own]) - summary.files  # null: kept, never matched
    return replace(summary, files=summary.files + empty, kept=summary.kept + empty)


@dataclass(frozen=True)
class Job:
    """What the tasks must know."""

    work: Path
    schema: pa.Schema  # of the input
    pieces: tuple[Piece, ...]  # the input's, then those that it is compared against
    own: int  # how many are the input's
    content: str
    id: str
    group: str | None
    settings: Settings

    def records(self, number: int) -> Path:
        return self.work / f"records-{number}.arrow"

    def ids(self, number: int) -> Path:
        return self.work / f"ids-{number}.arrow"

    def kept(self, number: int) -> Path:
        return self.work / f"kept-{number}.parquet"

    def decisions(self, number: int) -> pa.Table:
        return read_arrow(self.work / "match" / f"decisions-{number}.arrow")

    def paths(self, name: str, count: int) -> list[Path]:
        return [self.work / f"{name}-{number}.bin" for number in range(count)]


@dataclass(frozen=True)
class Sign:
    """Digests, shingle counts and signatures of one part; keeps its ids beside them."""

    job: Job

    def __call__(self, number: int) -> None:
        job, piece = self.job, self.job.pieces[number]
        columns = list(dict.fromkeys(c for c in (job.content, job.id, job.group) if c))
        records, ids = [], []
        seen: set[bytes] = set()
        at = 0
        for batch in piece.batches(columns):
            contents = batch.column(job.content)
            present = np.flatnonzero(contents.is_valid().to_numpy(zero_copy_only=False))
            rows = (at + present).astype(np.int32)
            if len(present) < len(contents):
                contents = contents.take(pa.array(present))
            digests = digests_of(contents)
            signed = signatures(contents, job.settings, _seen(digests, seen))
            groups = pa.array([""]).take(pa.array(np.zeros(len(rows), np.int32)))
            if job.group:
                groups = batch.column(job.group).cast(pa.string()).fill_null("")
                groups = groups.take(pa.array(present))
            ranks = np.zeros(len(rows), [("new", "u1"), ("number", ">u8")])
            ranks["new"], ranks["number"] = 1, piece.first + rows
            records.append(
                pa.table(
                    {
                        "row": rows,
                        "group": groups,
                        "rank": fixed_array(ranks, 9),
                        "text_sha256": digests,
                        "shingles": signed["shingles"],
                        "signature": signed["signature"],
                    }
                )
            )
            ids.append(pa.table({"id": batch.column(job.id)}))
            at += len(batch)
        for path, tables in ((job.ids(number), ids), (job.records(number), records)):
            with whole(path, SYNCED) as beside:
                write_arrow(beside, pa.concat_tables(tables))


def _seen(digests: pa.Array, seen: set[bytes]) -> np.ndarray:
    """Which texts came before: never compared, because the first of equals has the better rank."""
    out = np.zeros(len(digests), bool)
    for number, one in enumerate(digests.to_pylist()):
        out[number] = one in seen
        seen.add(one)
    return out


@dataclass(frozen=True)
class ReadTexts:
    """The texts of some rows of a part, for verification."""

    job: Job

    def __call__(self, number: int, rows: np.ndarray) -> pa.Array:
        return self.job.pieces[number].texts(self.job.content, rows)


@dataclass(frozen=True)
class SeekIds:
    """One part's dropped rows, to the parts that hold the rows that stay."""

    job: Job

    def __call__(self, number: int) -> None:
        table = self.job.decisions(number)
        table = table.filter(table["verdict"].is_valid()).select(["row", "kept_part", "kept_row"])
        home = pa.array(np.full(table.num_rows, number, np.int32))
        target = numpy(table, "kept_part")
        table = table.append_column("home", home).drop_columns(["kept_part"])
        path = self.job.work / f"seek-{number}.bin"
        send(path, table, target, len(self.job.pieces))


@dataclass(frozen=True)
class AnswerIds:
    """The ids of one part's rows that stay, to the parts that asked."""

    job: Job

    def __call__(self, number: int) -> None:
        table = read_exchange(self.job.paths("seek", self.job.own), number)
        ids = one_chunk(read_arrow(self.job.ids(number)), "id")
        answer = pa.table({"row": table["row"], "id": ids.take(one_chunk(table, "kept_row"))})
        path = self.job.work / f"answer-{number}.bin"
        send(path, answer, numpy(table, "home"), self.job.own)


def _write_clusters(job: Job, path: Path) -> None:
    starts = np.array([piece.first for piece in job.pieces], np.int64)
    id_type = job.schema.field(job.id).type
    schema = pa.schema(
        [
            ("id", id_type),
            ("cluster", pa.int64()),
            ("kept", pa.bool_()),
            ("representative", id_type),
            ("similarity", pa.float32()),
        ]
    )
    with whole(path) as beside, pq.ParquetWriter(beside, schema, compression="zstd") as writer:
        for number in range(job.own):
            writer.write_table(_clusters(job, number, starts).cast(schema))


def _clusters(job: Job, number: int, starts: np.ndarray) -> pa.Table:
    """The rows of ``clusters.parquet`` for one part."""
    piece, table = job.pieces[number], job.decisions(number)
    own = one_chunk(read_arrow(job.ids(number)), "id")
    dropped = table["verdict"].is_valid().combine_chunks().to_numpy(zero_copy_only=False)
    row = numpy(table, "row")
    stays = np.ones(piece.rows, bool)
    stays[row[dropped]] = False
    cluster = np.full(piece.rows, -1, np.int64)
    cluster[row[~dropped]] = piece.first + row[~dropped]
    kept = table.filter(pa.array(dropped))
    cluster[row[dropped]] = starts[numpy(kept, "kept_part")] + numpy(kept, "kept_row")
    similarity = np.full(piece.rows, np.nan, np.float32)
    similarity[row[dropped]] = numpy(kept, "similarity")
    answer = read_exchange(job.paths("answer", len(job.pieces)), number)
    # Each row takes its id from its own ids, or from the answers that are appended to them.
    source = np.arange(piece.rows, dtype=np.int64)
    source[numpy(answer, "row")] = piece.rows + np.arange(answer.num_rows)
    pool = pa.concat_arrays([own, one_chunk(answer, "id")])
    return pa.table(
        {
            "id": own,
            "cluster": pa.array(cluster, mask=cluster < 0),
            "kept": stays,
            "representative": pool.take(pa.array(source)),
            "similarity": pa.array(similarity, from_pandas=True),
        }
    )


@dataclass(frozen=True)
class WriteKept:
    """The rows of one part that stay, all columns, in row groups of about ``GROUP_BYTES``."""

    job: Job

    def __call__(self, number: int) -> None:
        job, piece = self.job, self.job.pieces[number]
        table = job.decisions(number)
        stays = np.ones(piece.rows, bool)
        stays[numpy(table.filter(table["verdict"].is_valid()), "row")] = False
        with pq.ParquetWriter(
            job.kept(number), job.schema, compression="zstd", use_dictionary=_dictionaries(job)
        ) as writer:
            held: list[pa.RecordBatch] = []
            size = at = 0
            for batch in piece.batches(None):
                some = batch.filter(pa.array(stays[at : at + len(batch)]))
                at += len(batch)
                held.append(some)
                size += some.nbytes
                if size >= GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(held, schema=job.schema))
                    held, size = [], 0
            if held:
                writer.write_table(pa.Table.from_batches(held, schema=job.schema))


def _dictionaries(job: Job) -> list[str] | bool:
    """The columns that may have a dictionary: no two texts are equal, theirs would be thrown away.

    Where columns are nested, only the writer knows their names, and all may have one.
    """
    if any(pa.types.is_nested(kind) for kind in job.schema.types):
        return True
    return [name for name in job.schema.names if name != job.content]


def _join_kept(job: Job, path: Path) -> None:
    """The parts' files as one, in order."""
    if not job.own:
        with whole(path) as beside:
            pq.write_table(job.schema.empty_table(), beside, compression="zstd")
        return
    with whole(path) as beside:
        join_parquet([job.kept(number) for number in range(job.own)], beside)
