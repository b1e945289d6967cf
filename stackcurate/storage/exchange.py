"""Bringing rows with one key together is a file layout, not an engine feature.

Each task of the sending side writes *one* file whose rows are sorted by target, with a list of
where each target begins. Each task of the receiving side opens all these files and reads only its
own stretch. There is never a file per target, and rows keep their order within a target, so what a
target receives depends on nothing but the files and their order.

The layout is a plain Arrow IPC file: the batches lie in the order of their targets, no batch holds
rows of two, and the schema's metadata says how many rows each target has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from stackcurate.errors import IntegrityError
from stackcurate.storage.partitions import whole

BATCH_ROWS = 65_536
_KEY = b"stackcurate.exchange"


def write_exchange(
    path: Path,
    table: pa.Table,
    target: np.ndarray,
    targets: int,
    *,
    compress: bool = True,
    batch_rows: int = BATCH_ROWS,
    synced: bool = True,
) -> None:
    """Write the rows of ``table`` to ``path``, row i for the target ``target[i]``.

    ``target`` is integer with the length of the table, each 0 <= target < ``targets``. The file is
    there whole or not at all, where ``synced`` even after a crash of the system. ``compress`` is
    for columns that shrink (lz4 per buffer); hashes do not. ``batch_rows`` bounds a batch, for
    tables with large rows: no batch may hold 2 GB in a column with 32-bit offsets. Dictionary
    columns have no place here.
    """
    target = np.asarray(target)
    if len(target) != table.num_rows:
        raise ValueError(f"{len(target)} targets for {table.num_rows} rows")
    if len(target) and (int(target.min()) < 0 or int(target.max()) >= targets):
        raise ValueError(f"targets must be at least 0 and below {targets}")
    counts = np.bincount(target, minlength=targets)
    table = table.combine_chunks()
    if targets > 1:
        # A 16-bit key makes NumPy sort by radix: one pass instead of a merge sort.
        key = target.astype(np.uint16) if targets <= 1 << 16 else target
        order = np.argsort(key, kind="stable")
    layout = json.dumps({"batch_rows": batch_rows, "counts": counts.tolist()})
    schema = table.schema.with_metadata({_KEY: layout.encode()})
    options = pa.ipc.IpcWriteOptions(compression="lz4" if compress else None)
    with (
        whole(path, synced) as part,
        pa.OSFile(str(part), "wb") as sink,
        pa.ipc.new_file(sink, schema, options=options) as writer,
    ):
        for begin, end in _stretches(counts, batch_rows):
            if targets > 1:
                rows = table.take(pa.array(order[begin:end])).combine_chunks()
            else:
                rows = table.slice(begin, end - begin)
            batch = pa.RecordBatch.from_arrays(
                [column.chunk(0) for column in rows.columns], schema=schema
            )
            writer.write_batch(batch)


def iter_exchange(paths: Sequence[Path], target: int) -> Iterator[pa.RecordBatch]:
    """The batches for ``target``: files in the order of ``paths``, rows in the order written."""
    for path in paths:
        with _open(path) as reader:
            yield from _batches(reader, path, target)


def read_exchange(paths: Sequence[Path], target: int) -> pa.Table:
    """Everything for ``target`` as one table, possibly of no rows. ``paths`` is not empty."""
    schema: pa.Schema | None = None
    batches = []
    for path in paths:
        with _open(path) as reader:
            schema = schema or reader.schema.remove_metadata()
            for batch in _batches(reader, path, target):
                batches.append(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def _batches(
    reader: pa.ipc.RecordBatchFileReader, path: Path, target: int
) -> Iterator[pa.RecordBatch]:
    """One file's batches for ``target``."""
    counts, first = _layout(reader, path)
    if not 0 <= target < len(counts):
        raise ValueError(f"{path.name} has {len(counts)} targets, not target {target}")
    missing = int(counts[target])
    number = int(first[target])
    while missing > 0:
        batch = reader.get_batch(number)
        missing -= batch.num_rows
        number += 1
        yield batch


def exchange_counts(path: Path) -> np.ndarray:
    """Rows per target of one file, int64, without reading any."""
    with _open(path) as reader:
        return _layout(reader, path)[0]


def _stretches(counts: np.ndarray, batch_rows: int) -> Iterator[tuple[int, int]]:
    """The row ranges of the batches: each target's rows, cut at ``batch_rows``."""
    begin = 0
    for count in counts[counts > 0].tolist():
        end = begin + count
        while begin < end:
            cut = min(begin + batch_rows, end)
            yield begin, cut
            begin = cut


def _open(path: Path) -> pa.ipc.RecordBatchFileReader:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)))
    except pa.ArrowInvalid:
        raise IntegrityError(
            f"{path.name} is no whole Arrow file; remove it and start the run again"
        ) from None


def _layout(reader: pa.ipc.RecordBatchFileReader, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Rows per target, and the number of the first batch of each target."""
    metadata = reader.schema.metadata or {}
    if _KEY not in metadata:
        raise IntegrityError(f"{path.name} is no exchange file: it has no list of targets")
    layout = json.loads(metadata[_KEY])
    counts = np.array(layout["counts"], dtype=np.int64)
    batches = -(-counts // layout["batch_rows"])
    return counts, np.concatenate([[0], np.cumsum(batches)])
