"""The tables of a Software Heritage graph export, streamed into DuckDB out of core.

An export is a folder with one folder per table (``origin/``, ``directory_entry/``, …), each with
ORC or Parquet files, or such folders one level down in ``orc/`` or ``parquet/``. Files are read one
stripe or row group at a time, only the columns asked for, and ids become 20 bytes. A file that
cannot be read to its end is set aside whole: the exporter keeps the rows of one object in one file,
so that no directory is ever seen in part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.errors import ConfigError, StopError
from stackcurate.schema import ID, escape_name, one_chunk
from stackcurate.sources.base import Problem
from stackcurate.sources.swh_orc import StripeReader

MEMORY = "1GB"  # of DuckDB; beyond it tables, joins and sorts use the scratch folder
THREADS = 2
_SLICE_ROWS = 65_536
_WHOLE_BYTES = 1 << 26  # table files up to this size are hashed whole
_EDGE_BYTES = 1 << 16  # of longer ones this much at either end

IDENT, TEXT, BYTES, INT, DATE, UNSAFE = "id", "text", "bytes", "int", "date", "unsafe"

# What is read of each table: our column -> (its column, how it is read). A DATE becomes the columns
# NAME_s and NAME_ns, seconds and nanoseconds; UNSAFE says that a name is none in a file system. `?`
# marks columns that older exports lack.
TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "origin": {"id": ("id", TEXT), "url": ("url", TEXT)},
    "origin_visit": {
        "origin": ("origin", TEXT),
        "visit": ("visit", INT),
        "date": ("date", DATE),
        "type": ("type", TEXT),
    },
    "origin_visit_status": {
        "origin": ("origin", TEXT),
        "visit": ("visit", INT),
        "date": ("date", DATE),
        "status": ("status", TEXT),
        "snapshot": ("snapshot", IDENT),
        "type": ("?type", TEXT),
    },
    "snapshot": {"id": ("id", IDENT)},
    "snapshot_branch": {
        "snapshot": ("snapshot_id", IDENT),
        "name": ("name", BYTES),
        "target": ("target", TEXT),
        "target_id": ("target", IDENT),
        "target_type": ("target_type", TEXT),
    },
    "release": {
        "id": ("id", IDENT),
        "target": ("target", IDENT),
        "target_type": ("target_type", TEXT),
    },
    "revision": {
        "id": ("id", IDENT),
        "directory": ("directory", IDENT),
        "author": ("author", BYTES),
        "committer": ("committer", BYTES),
        "date": ("date", DATE),
        "date_offset": ("date_offset", INT),
        "committer_date": ("committer_date", DATE),
        "committer_offset": ("committer_offset", INT),
    },
    "revision_history": {
        "id": ("id", IDENT),
        "parent": ("parent_id", IDENT),
        "rank": ("parent_rank", INT),
    },
    "directory": {"id": ("id", IDENT)},
    "directory_entry": {
        "directory": ("directory_id", IDENT),
        "name": ("name", BYTES),
        "unsafe": ("name", UNSAFE),
        "type": ("type", TEXT),
        "target": ("target", IDENT),
        "perms": ("perms", INT),
    },
    "content": {
        "sha1": ("sha1", IDENT),
        "sha1_git": ("sha1_git", IDENT),
        "length": ("length", INT),
        "status": ("status", TEXT),
    },
    "skipped_content": {
        "sha1_git": ("sha1_git", IDENT),
        "length": ("length", INT),
        "reason": ("reason", TEXT),
    },
}
_NEEDED = ("origin_visit_status", "snapshot_branch", "revision", "directory_entry", "content")


@dataclass(frozen=True)
class Export:
    """The table files of an export under ``path``; ConfigError where there is none."""

    path: Path

    def __post_init__(self) -> None:
        for folder in (self.path, self.path / "orc", self.path / "parquet"):
            if (folder / "origin_visit_status").is_dir():
                object.__setattr__(self, "path", folder)
                break
        missing = [name for name in _NEEDED if not (self.path / name).is_dir()]
        if missing:
            raise ConfigError(
                f"{self.path} is no graph export: it lacks the table folder {missing[0]}/; "
                "a whole export has origin_visit_status/, snapshot_branch/, revision/, …"
            )

    def files(self, table: str) -> list[Path]:
        """The files of ``table``, sorted by name; none where the export lacks the table."""
        folder = self.path / table
        if not folder.is_dir():
            return []
        found = (one for one in folder.iterdir() if one.suffix in (".orc", ".parquet"))
        return sorted(one for one in found if one.is_file())

    def size_and_stamp(self) -> tuple[int, str]:
        """Bytes of all table files, and a digest of their names, sizes and times."""
        total, digest = 0, hashlib.sha256()
        for file in self._all_files():
            stat = file.stat()
            total += stat.st_size
            digest.update(f"{self._name(file)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
        return total, digest.hexdigest()

    def digest(self) -> str:
        """SHA-256 over names, sizes and contents of all table files.

        Of a file above 64 MiB the first and last 64 KiB stand for its content: the last hold the
        footer, with the place, length and statistics of every stripe. An export is terabytes.
        """
        digest = hashlib.sha256()
        for file in self._all_files():
            size = file.stat().st_size
            with open(file, "rb") as stream:
                content = hashlib.sha256()
                if size <= _WHOLE_BYTES:
                    content.update(stream.read())
                else:
                    content.update(stream.read(_EDGE_BYTES))
                    stream.seek(size - _EDGE_BYTES)
                    content.update(stream.read())
            digest.update(f"{self._name(file)}\0{size}\0{content.hexdigest()}\n".encode())
        return digest.hexdigest()

    def unreadable(self, table: str) -> list[Problem]:
        """The files of ``table`` whose footer cannot be read, without reading rows."""
        problems = []
        for file in self.files(table):
            try:
                _reader(file, TABLES[table])
            except _FAULTS as error:
                problems.append(self._problem(file, error))
        return problems

    def _all_files(self) -> Iterator[Path]:
        for table in sorted(TABLES):
            yield from self.files(table)

    def _name(self, file: Path) -> str:
        return f"{file.parent.name}/{file.name}"

    def _problem(self, file: Path, error: BaseException) -> Problem:
        kind = "schema" if isinstance(error, _SchemaError) else "corrupt"
        told = str(error) if kind == "schema" else f"it cannot be read ({type(error).__name__})"
        return Problem(self._name(file), kind, f"set aside: {told}")


class _SchemaError(Exception):
    """A table file has not the columns of its table."""


# ValueError and LookupError are what a garbled name or number inside a footer comes to.
_FAULTS = (pa.ArrowException, OSError, ValueError, LookupError, _SchemaError)


@dataclass
class Database:
    """A DuckDB database that spills into ``scratch``, filled from an export. Close it after use."""

    export: Export
    scratch: Path
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._db = duckdb.connect(
            ":memory:",  # its tables spill too; a file would be synced after every statement
            config={
                "memory_limit": MEMORY,
                "threads": THREADS,
                "temp_directory": str(self.scratch / "spill"),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "python_enable_replacements": False,
            },
        )

    def close(self) -> None:
        self._db.close()

    def run(self, sql: str) -> None:
        """Run one statement to its end."""
        self.rows(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a small result."""
        with _enough():
            return self._db.execute(sql).fetchall()

    def table(self, sql: str) -> pa.Table:
        """The result as one table."""
        with _enough():
            return self._db.sql(sql).to_arrow_table()

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """The result in batches of at most ``rows`` rows, to be taken to the end or closed."""
        with _enough():
            result = self._db.sql(sql)
            # DuckDB before 1.5, the last for Python 3.10, has the other name.
            reader = getattr(result, "to_arrow_reader", None) or result.fetch_arrow_reader
            yield from reader(rows)

    def count(self, table: str, where: str = "true") -> int:
        """The number of rows of ``table`` that satisfy ``where``."""
        return int(self.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])

    def unique(self, table: str, key: str, order: str) -> None:
        """Keep one row of ``table`` for each ``key`` (columns), the first in ``order``.

        Exports hold few doubles, so only these are sorted; counting spills, sorting all would not.
        """
        self.run(
            f"CREATE TABLE double AS SELECT {key} FROM {table} GROUP BY ALL HAVING count(*) > 1"
        )
        if self.count("double"):
            self.run(
                f"""CREATE TABLE first AS SELECT DISTINCT ON ({key}) *
                    FROM {table} SEMI JOIN double USING ({key}) ORDER BY {key}, {order}"""
            )
            self.run(f"DELETE FROM {table} WHERE ({key}) IN (SELECT ({key}) FROM double)")
            self.run(f"INSERT INTO {table} SELECT * FROM first")
            self.run("DROP TABLE first")
        self.run("DROP TABLE double")

    def load(self, table: str, into: str, select: str) -> bool:
        """Fill the new table ``into`` with ``select`` over ``incoming``, the rows of ``table``.

        Returns whether all files were read to their ends; the others are among ``problems``.
        """
        self._db.register("incoming", _empty(TABLES[table]))
        self.run(f"CREATE TABLE {into} AS {select} LIMIT 0")
        files, insert = self.export.files(table), f"INSERT INTO {into} {select}"
        # All at once: a statement for each file would build its joins anew each time.
        whole = self._insert(files, table, insert) is None
        for file in [] if whole else files:
            fault = self._insert([file], table, insert)
            if fault is not None:
                self.problems.append(self.export._problem(file, fault))
        self._db.unregister("incoming")
        return whole

    def _insert(self, files: Sequence[Path], table: str, insert: str) -> BaseException | None:
        """Run ``insert`` over all rows of ``files`` or, where one has a fault, over none."""
        faults: list[BaseException] = []
        columns = TABLES[table]

        def batches() -> Iterator[pa.RecordBatch]:
            # An error must not travel through DuckDB, which would make it one of its own.
            try:
                for file in files:
                    for part in _reader(file, columns)():
                        for at in range(0, part.num_rows, _SLICE_ROWS):
                            yield from _normal(part.slice(at, _SLICE_ROWS), columns).to_batches()
            except _FAULTS as error:
                faults.append(error)

        schema = _empty(columns).schema
        self._db.register("incoming", pa.RecordBatchReader.from_batches(schema, batches()))
        self.run("BEGIN")
        self.run(insert)
        self.run("ROLLBACK" if faults else "COMMIT")
        return faults[0] if faults else None

    def register(self, name: str, table: pa.Table) -> None:
        """Let statements see ``table`` as ``name``."""
        self._db.register(name, table)


@contextmanager
def _enough() -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, pa.ArrowException) as error:
        raise StopError(
            "the task's scratch folder or memory does not suffice for the graph's joins "
            f"({type(error).__name__}); make room and run again"
        ) from error


def _reader(file: Path, columns: Mapping[str, tuple[str, str]]) -> Callable[[], Iterator[pa.Table]]:
    """Opens a table file, checks its columns, and returns what reads it part by part."""
    if file.suffix == ".orc":
        stripes = StripeReader(file)
        wanted = _present(stripes.schema, columns)
        return lambda: stripes.read(wanted)
    parquet = pq.ParquetFile(file)
    wanted = _present(parquet.schema_arrow, columns)
    return lambda: (
        pa.Table.from_batches([batch])
        for batch in parquet.iter_batches(batch_size=_SLICE_ROWS, columns=wanted)
    )


def _present(schema: pa.Schema, columns: Mapping[str, tuple[str, str]]) -> list[str]:
    wanted = list(dict.fromkeys(name for name, _ in columns.values()))
    missing = [name for name in wanted if not name.startswith("?") and name not in schema.names]
    if missing:
        raise _SchemaError(f"the column {missing[0]} is missing")
    return [name.lstrip("?") for name in wanted if name.lstrip("?") in schema.names]


def _normal(table: pa.Table, columns: Mapping[str, tuple[str, str]]) -> pa.Table:
    """``table`` with our names and types."""
    found: dict[str, pa.Array] = {}
    for ours, (theirs, kind) in columns.items():
        name = theirs.lstrip("?")
        if name not in table.column_names:
            found[ours] = pa.nulls(table.num_rows, pa.string())
            continue
        column = one_chunk(table, name)
        try:
            if kind == DATE:
                found[f"{ours}_s"], found[f"{ours}_ns"] = _date(column)
            else:
                found[ours] = _CASTS[kind](column)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid, KeyError) as error:
            raise _SchemaError(f"the column {name} is {column.type}, not {kind}") from error
    return pa.table(found, schema=_empty(columns).schema)


def _empty(columns: Mapping[str, tuple[str, str]]) -> pa.Table:
    fields: list[tuple[str, pa.DataType]] = []
    for ours, (_, kind) in columns.items():
        if kind == DATE:
            fields += [(f"{ours}_s", pa.int64()), (f"{ours}_ns", pa.int64())]
        else:
            fields.append((ours, _TYPES[kind]))
    return pa.schema(fields).empty_table()


_DIGITS = np.full(256, 255, np.uint8)
_DIGITS[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
_DIGITS[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)


def _ident(column: pa.Array) -> pa.Array:
    """Hex digits as 20 bytes; null where they are not 40 hex digits."""
    text = column.cast(pa.binary())
    whole = pc.equal(pc.binary_length(text), 40)
    dense = pc.if_else(pc.fill_null(whole, False), text, pa.scalar(b"0" * 40, pa.binary()))
    raw = np.frombuffer(dense.buffers()[2] or b"", np.uint8)
    start = np.frombuffer(dense.buffers()[1], np.int32)[dense.offset] if len(dense) else 0
    digits = _DIGITS[raw[start : start + 40 * len(dense)]].reshape(-1, 40)
    good = np.asarray(pc.fill_null(whole, False)) & (digits != 255).all(axis=1)
    packed = (digits[:, 0::2] << 4) | (digits[:, 1::2] & 15)
    bitmap = pa.array(good).buffers()[1]
    return pa.Array.from_buffers(ID, len(good), [bitmap, pa.py_buffer(packed.tobytes())])


def _text(column: pa.Array) -> pa.Array:
    raw = column.cast(pa.binary())
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8 somewhere
        return pa.array([None if v is None else escape_name(v)[0] for v in raw.to_pylist()])


def _date(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Seconds and nanoseconds of any form that exports have used."""
    kind = column.type
    if pa.types.is_struct(kind):
        names = [kind.field(at).name for at in range(kind.num_fields)]
        nanos = "nanoseconds" if "nanoseconds" in names else "nanos"
        flat = dict(zip(names, column.flatten(), strict=True))
        return flat["seconds"].cast(pa.int64()), flat[nanos].cast(pa.int64())
    if pa.types.is_integer(kind):
        return column.cast(pa.int64()), pa.array(np.zeros(len(column), np.int64))
    if not pa.types.is_timestamp(kind):
        raise pa.ArrowNotImplementedError("not a date")
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    ticks = column.cast(pa.timestamp(kind.unit)).cast(pa.int64())
    valid = pc.is_valid(ticks)
    whole = np.asarray(pc.fill_null(ticks, 0))
    seconds = whole // per_second
    nanos = (whole - seconds * per_second) * (10**9 // per_second)
    mask = ~np.asarray(valid)
    return pa.array(seconds, mask=mask), pa.array(nanos, mask=mask)


def _unsafe(column: pa.Array) -> pa.Array:
    """Whether a name is null, empty, ``.`` or ``..``, or holds a slash or a NUL byte."""
    name = pc.fill_null(column.cast(pa.binary()), b"")
    bad = pc.is_in(name, pa.array([b"", b".", b".."], pa.binary()))
    return pc.or_(bad, pc.match_substring_regex(name, r"[/\x00]"))


_TYPES = {
    IDENT: ID,
    TEXT: pa.string(),
    BYTES: pa.binary(),
    INT: pa.int64(),
    UNSAFE: pa.bool_(),
}
_CASTS: dict[str, Callable[[pa.Array], pa.Array]] = {
    IDENT: _ident,
    TEXT: _text,
    BYTES: lambda column: column.cast(pa.binary()),
    INT: lambda column: column.cast(pa.int64()),
    UNSAFE: _unsafe,
}
