"""Records in and out for the stages that work alone: paths, JSON Lines, Parquet, or pipes."""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate.errors import ConfigError
from stackcurate.schema import escape_name

Record = dict[str, Any]

# A file longer than this is named and skipped: these commands hold a file in memory.
MAX_FILE = 100 * 1024 * 1024
_PARQUET = b"PAR1"
_BATCH_ROWS = 1000


def from_paths(paths: Iterable[Path]) -> Iterator[Record]:
    """One record per regular file at or below ``paths``: id and path are the file's path."""
    for top in paths:
        if not top.exists():
            raise ConfigError(f"{top} does not exist")
        for path in [top] if top.is_file() else _files_under(top):
            shown, _ = escape_name(os.fsencode(path.as_posix()))  # names need not be UTF-8
            record: Record = {"id": shown, "path": shown}
            try:
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):
                    continue
                if status.st_size > MAX_FILE:
                    record["error"] = f"longer than {MAX_FILE} bytes"
                else:
                    record["content"] = path.read_bytes()
            except OSError as error:
                record["error"] = error.strerror or "cannot be read"
            yield record


def _files_under(top: Path) -> Iterator[Path]:
    """Files below a folder in a fixed order; links are not followed, .git is left out."""
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if name != ".git")
        yield from (Path(folder) / name for name in sorted(files) if not _is_link(folder, name))


def _is_link(folder: str, name: str) -> bool:
    return os.path.islink(os.path.join(folder, name))


def from_stream(source: Path | None) -> tuple[Iterator[Record], pa.DataType | None]:
    """(records of a file or of standard input, the type of their ids where they came as Parquet).

    Parquet without a column ``id`` has ids of type null.
    """
    try:
        stream: Any = sys.stdin.buffer if source is None else source.open("rb")
    except OSError as error:
        raise ConfigError(f"cannot read {source}: {error.strerror}") from None
    if stream.peek(4)[:4] == _PARQUET:
        whole: Any = source if source is not None else pa.BufferReader(stream.read())
        try:
            file = pq.ParquetFile(whole)
        except (pa.ArrowException, OSError) as error:
            raise ConfigError(f"no Parquet file: {type(error).__name__}") from None
        schema = file.schema_arrow
        return _parquet(file), schema.field("id").type if "id" in schema.names else pa.null()
    return _json_lines(stream), None


def _json_lines(stream: Iterable[bytes]) -> Iterator[Record]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError
        except ValueError:
            yield {"id": None, "path": None, "error": f"line {number} is no JSON object"}
            continue
        yield _with_content(row, f"line {number}")


def _with_content(row: Record, where: str) -> Record:
    record: Record = {"id": row.get("id"), "path": row.get("path"), "text": row.get("text")}
    if record["path"] is not None:
        record["path"] = _whole(str(record["path"]))
    encoded = row.get("content_b64")
    if record["text"] is not None and not isinstance(record["text"], str):
        record["text"], record["error"] = None, f"{where}: text is no string"
    elif record["text"] is not None:
        record["text"] = _whole(record["text"])
    if record["text"] is None and encoded is not None:
        try:
            record["content"] = base64.b64decode(encoded, validate=True)
        except (binascii.Error, TypeError, ValueError):
            record["error"] = f"{where}: content_b64 is no base64"
    return record


def _whole(text: str) -> str:
    """The text without lone surrogates, which JSON can hold and UTF-8 cannot: each becomes "?"."""
    return text.encode("utf-8", "replace").decode()


def _parquet(file: pq.ParquetFile) -> Iterator[Record]:
    has = set(file.schema_arrow.names)
    content = next((name for name in ("text", "content") if name in has), None)
    if content is None and "content_b64" not in has:
        raise ConfigError("the Parquet file needs a column text, content or content_b64")
    columns = [name for name in ("id", "path", content, "content_b64") if name in has]
    for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
        for row in batch.to_pylist():
            value = row.get(content) if content else None
            if isinstance(value, bytes):
                yield {"id": row.get("id"), "path": row.get("path"), "content": value}
            else:
                yield _with_content({**row, "text": value}, "a row")


def write(
    records: Iterable[Record],
    target: Path | None,
    schema: pa.Schema,
    parquet: bool,
    table: Callable[[Record], str] | None = None,
) -> None:
    """Write records to a file or standard output: Parquet, JSON Lines, or lines for people."""
    if parquet:
        _write_parquet(records, target, schema)
        return
    out = sys.stdout if target is None else target.open("w", encoding="utf-8")
    try:
        for record in records:
            out.write((table(record) if table else json.dumps(record, default=_plain)) + "\n")
        out.flush()
    finally:
        if target is not None:
            out.close()


def _plain(value: Any) -> str:
    """An id that JSON has no word for: bytes in hex, dates and the like as they are printed."""
    return value.hex() if isinstance(value, bytes) else str(value)


def _write_parquet(records: Iterable[Record], target: Path | None, schema: pa.Schema) -> None:
    sink: Any = pa.PythonFile(sys.stdout.buffer, "w") if target is None else str(target)
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        rows: list[Record] = []
        for record in records:
            rows.append(record)
            if len(rows) >= _BATCH_ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema=schema))
