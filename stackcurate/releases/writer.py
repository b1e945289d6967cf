"""Writes Parquet files whose bytes depend on their rows alone, hashed on the way to disk.

Parquet's bytes follow from where row groups are cut and from how the Arrow columns are chunked, so
both are fixed here: a row group ends where the next row would carry its text over the limit (or at
a number of rows), counted over the sorted rows and not over the batches they arrive in, and its
columns are made one chunk before they are encoded.
"""

from __future__ import annotations

import hashlib
import inspect
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.schema import FILE
from stackcurate.storage.partitions import whole

#: Most rows of a row group, however short its texts are: bounds what a reader must hold.
MAX_ROWS = 65_536

# Values that hardly repeat: trying a dictionary on them costs time and is given up anyway.
_UNIQUE = frozenset(
    {"blob_id", "content_id", "path", "path_bytes", "row_key", "sha256", "text_sha256", "content"}
)
# Least and greatest value skip row groups for these filters; over hashes and texts they never do.
_NO_STATISTICS = _UNIQUE - {"path"}
# One release is asked for single files by these; their hashes are spread over every row group.
_BLOOM = ("content_id", "row_key")
# A row group of 32 MiB of code holds some 5,000 files. 1 % false hits cost 10 bits a value; more
# files than this only raise the share of false hits.
_BLOOM_SIZE = {"ndv": 8192, "fpp": 0.01}
# A page is closed at this size, looked at after so many rows. With pyarrow's 1,024 rows, pages of
# code grow to 10 MB, out of the processor's caches: some 8 % slower, for 0.5 % fewer bytes.
_PAGE_BYTES, _PAGE_STEP = 2 << 20, 128
_OPTIONS = frozenset(inspect.signature(pq.ParquetWriter.__init__).parameters)


@dataclass(frozen=True)
class Shard:
    """What a written file holds: rows, UTF-8 bytes of ``content``, bytes on disk, SHA-256 (hex)."""

    rows: int
    text_bytes: int
    file_bytes: int
    sha256: str


def write_shard(
    path: Path, rows: Iterable[pa.Table], row_group_bytes: int, level: int = 3
) -> Shard:
    """Write the sorted ``rows`` (schema FILE) as one Parquet file at ``path``.

    ``row_group_bytes`` bounds the text of a row group; a single longer file has one of its own.
    ``level`` is zstd's. Memory: one row group and one of the given tables. The file appears under
    its name only when it is whole and synced. Raises ValueError where a table has another schema.
    """
    return _write(path, rows, FILE, row_group_bytes, MAX_ROWS, level)


def write_table(
    path: Path, rows: pa.Table | Iterable[pa.Table], schema: pa.Schema | None = None, level: int = 3
) -> Shard:
    """Write a side table (repositories, revisions, evidence, ledger), as ``write_shard`` does.

    ``rows`` is one table or tables in order; ``schema`` is needed where there may be none.
    """
    tables: Iterable[pa.Table] = [rows] if isinstance(rows, pa.Table) else rows
    if schema is None:
        if not isinstance(rows, pa.Table):
            raise ValueError("write_table needs a schema where the rows come as an iterator")
        schema = rows.schema
    return _write(path, tables, schema.remove_metadata(), None, MAX_ROWS, level)


def row_groups(
    tables: Iterable[pa.Table], schema: pa.Schema, most_bytes: int | None, most_rows: int
) -> Iterator[tuple[pa.Table, int]]:
    """Cut tables at fixed places; yields (one-chunk table, its bytes of ``content``).

    A row opens a new group where the group is not empty and would exceed ``most_bytes`` of content
    with it, or holds ``most_rows`` already. The cuts depend on the rows, not on the tables.
    """
    waiting: list[pa.Table] = []
    held_rows = held_bytes = 0
    for table in tables:
        table = _exactly(table, schema)
        ends = np.cumsum(_text_lengths(table))
        start = 0
        while start < table.num_rows:
            before = int(ends[start - 1]) if start else 0
            stop = min(table.num_rows, start + most_rows - held_rows)
            if most_bytes is not None:
                fits = np.searchsorted(ends, before + most_bytes - held_bytes, side="right")
                stop = min(stop, max(int(fits), start + (held_rows == 0)))
            if stop > start:
                waiting.append(table.slice(start, stop - start))
                held_rows += stop - start
                held_bytes += int(ends[stop - 1]) - before
                start = stop
            if start < table.num_rows:
                yield _one_chunk(waiting), held_bytes
                waiting, held_rows, held_bytes = [], 0, 0
    if waiting:
        yield _one_chunk(waiting), held_bytes


def _write(
    path: Path,
    tables: Iterable[pa.Table],
    schema: pa.Schema,
    most_bytes: int | None,
    most_rows: int,
    level: int,
) -> Shard:
    rows = text_bytes = 0
    with whole(path) as part, open(part, "wb") as file:
        stream = _HashingStream(file)
        with pq.ParquetWriter(stream, schema, **_options(schema, level)) as writer:
            for group, size in row_groups(tables, schema, most_bytes, most_rows):
                writer.write_table(group, row_group_size=group.num_rows)
                rows += group.num_rows
                text_bytes += size
    return Shard(rows, text_bytes, stream.size, stream.hash.hexdigest())


class _HashingStream(io.RawIOBase):
    """Counts and hashes what passes through to ``file``, so that no file is read again."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: Any) -> int:
        written = self.file.write(data)
        self.hash.update(data)
        self.size += written
        return written


def _options(schema: pa.Schema, level: int) -> dict[str, Any]:
    """Parquet's settings for ``schema``: the same for every file, whatever it holds."""
    flat = [field.name for field in schema if not pa.types.is_nested(field.type)]
    options: dict[str, Any] = {
        "version": "2.6",
        "compression": "zstd",
        "compression_level": level,
        "use_dictionary": [leaf for leaf in _leaves(schema) if leaf not in _UNIQUE],
        "write_statistics": [name for name in flat if name not in _NO_STATISTICS],
        "write_page_index": True,
        "data_page_size": _PAGE_BYTES,
        "write_batch_size": _PAGE_STEP,
    }
    if "bloom_filter_options" in _OPTIONS:  # not in the oldest pyarrow that we support
        options["bloom_filter_options"] = {
            name: _BLOOM_SIZE for name in _BLOOM if name in flat and "content" in flat
        }
    return options


def _leaves(fields: Iterable[pa.Field], above: str = "") -> Iterator[str]:
    """Parquet's paths of the columns under ``fields``: ``redactions.list.element.rule``."""
    for field in fields:
        path, kind = above + field.name, field.type
        while pa.types.is_list(kind) or pa.types.is_large_list(kind):
            path, kind = path + ".list.element", kind.value_type
        if pa.types.is_struct(kind):
            yield from _leaves(kind, path + ".")
        else:
            yield path


def _text_lengths(table: pa.Table) -> np.ndarray:
    """Bytes of ``content`` per row as int64; zeros where the table has no such column."""
    if "content" not in table.column_names:
        return np.zeros(table.num_rows, np.int64)
    lengths = pc.fill_null(pc.binary_length(table["content"]), 0)
    return lengths.to_numpy().astype(np.int64, copy=False)


def _exactly(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """``table`` under ``schema`` without metadata of its own; ValueError where they differ."""
    if table.schema.names != schema.names or table.schema.types != schema.types:
        raise ValueError("rows to write do not have the schema of their table")
    return pa.Table.from_arrays(table.columns, schema=schema)


def _one_chunk(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).combine_chunks()
