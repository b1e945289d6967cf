"""Parquet read in pieces: some row groups of a file, small enough for a task, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate.errors import ConfigError, InputError

PART_BYTES = 64 << 20  # of the content column as stored in memory
_FEW = 64  # parts; an input that would be fewer is cut finer, so that workers end together
BATCH_BYTES = 32 << 20


@dataclass(frozen=True)
class Piece:
    """Some row groups of one input file: ``first`` is their first row's number in the input.

    ``before`` is how many rows the file has before them.
    """

    path: Path
    row_groups: tuple[int, ...]
    first: int
    rows: int
    bytes: int
    before: int = 0

    def batches(self, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
        """The rows in batches of about ``BATCH_BYTES``."""
        with pq.ParquetFile(self.path, memory_map=True) as file:
            yield from file.iter_batches(
                self._batch_rows(), row_groups=list(self.row_groups), columns=columns
            )

    def texts(self, column: str, rows: np.ndarray) -> pa.Array:
        """The texts of ``rows`` (ascending numbers in the piece) as large binary.

        Reads only the row groups that hold one of them, and of these a batch at a time.
        """
        found = []
        at = 0
        with pq.ParquetFile(self.path, memory_map=True) as file:
            for group in self.row_groups:
                size = file.metadata.row_group(group).num_rows
                begin, end = np.searchsorted(rows, [at, at + size])
                if begin < end:
                    wanted = rows[begin:end].astype(np.int64) - at
                    found += _taken(file, group, column, wanted, self._batch_rows())
                at += size
        return pa.concat_arrays(found) if found else pa.array([], pa.large_binary())

    def _batch_rows(self) -> int:
        return min(max(1, self.rows * BATCH_BYTES // max(self.bytes, 1)), 65_536)


def _taken(
    file: pq.ParquetFile, group: int, column: str, wanted: np.ndarray, batch_rows: int
) -> list[pa.Array]:
    found = []
    at = 0
    for batch in file.iter_batches(batch_rows, row_groups=[group], columns=[column]):
        begin, end = np.searchsorted(wanted, [at, at + len(batch)])
        if begin < end:
            rows = batch.column(0).take(pa.array(wanted[begin:end] - at))
            found.append(rows.cast(pa.large_binary()))
        at += len(batch)
        if at > wanted[-1]:
            break
    return found


def parquet_files(input: Path) -> list[Path]:
    """The Parquet files of a folder by path, or the one file. Raises ConfigError for none."""
    if not input.exists():
        raise ConfigError(f"{input} is not there")
    files = sorted(input.rglob("*.parquet")) if input.is_dir() else [input]
    if not files:
        raise ConfigError(f"there is no .parquet file below {input}")
    return files


def cut(
    files: Sequence[Path],
    content: str,
    needed: Sequence[str],
    before: Sequence[Piece] = (),
    same: bool = True,
) -> tuple[pa.Schema, list[Piece]]:
    """Cut files into pieces behind those ``before``; returns the schema of the first file, too.

    Raises ConfigError where a file lacks one of the columns ``needed``, where ``content`` is no
    text, or, with ``same``, where the files do not all have the same columns.
    """
    part_bytes = PART_BYTES
    if sum(path.stat().st_size for path in files) < _FEW * PART_BYTES:
        part_bytes //= 4
    pieces = list(before)
    first = sum(piece.rows for piece in before)
    schema: pa.Schema | None = None
    for path in files:
        try:
            file = pq.ParquetFile(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{path} cannot be read as Parquet ({type(error).__name__})") from None
        with file:
            _check_columns(path, file.schema_arrow, content, needed)
            schema = schema or file.schema_arrow
            if same and not file.schema_arrow.equals(schema):
                raise ConfigError(f"{path} has other columns than {files[0]}; give one at a time")
            column = file.schema_arrow.get_field_index(content)
            some: list[int] = []
            rows = size = above = 0
            for number in range(file.num_row_groups):
                of = file.metadata.row_group(number)
                bytes_here = _column_bytes(of, content, column)
                if some and size + bytes_here > part_bytes:
                    pieces.append(Piece(path, tuple(some), first, rows, size, above))
                    first, above, some, rows, size = first + rows, above + rows, [], 0, 0
                some, rows, size = [*some, number], rows + of.num_rows, size + bytes_here
            if rows:
                pieces.append(Piece(path, tuple(some), first, rows, size, above))
                first += rows
    assert schema is not None  # there is at least one file
    return schema, pieces


def _check_columns(path: Path, schema: pa.Schema, content: str, needed: Sequence[str]) -> None:
    for name in (content, *needed):
        if name not in schema.names:
            raise ConfigError(f"{path} has no column {name!r}; it has {', '.join(schema.names)}")
    kind = schema.field(content).type
    if not any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
    ):
        raise ConfigError(f"column {content!r} of {path} holds {kind}, not text")


def _column_bytes(group: pq.RowGroupMetaData, name: str, near: int) -> int:
    """Bytes of a column in a row group, before compression. Nested columns shift its place."""
    for number in range(near, group.num_columns):
        column = group.column(number)
        if column.path_in_schema == name:
            return int(column.total_uncompressed_size)
    return int(group.total_byte_size)
