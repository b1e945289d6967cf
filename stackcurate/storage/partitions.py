"""Partitions on disk: there whole or not at all, and named by the digest of what made them.

A task writes beside the place of its output, syncs and renames. Whatever kills it, the place holds
a whole output or none, so resuming a killed run and building on an earlier one are the same thing:
an output that is there is not made again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pyarrow as pa

from stackcurate.errors import StopError

_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")
_inside: ContextVar[bool] = ContextVar("_inside", default=False)  # a folder that is being made


@contextlib.contextmanager
def whole(path: Path, synced: bool = True) -> Iterator[Path]:
    """Give a place beside ``path`` to write a file; sync and rename it when the block ends well.

    Without ``synced`` a kill leaves the file whole or not there, but a crash of the system may not:
    for steps that begin anew after one (see ``boot``). So do files of a ``whole_folder``, which
    answers for them.
    """
    synced = synced and not _inside.get()
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield beside
        if synced:
            sync(beside)
        os.replace(beside, path)
        if synced:
            sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path, synced: bool | None = None) -> Iterator[Path]:
    """The same for a folder of files: the folder appears under its name with all of them, or not.

    Where another process made the same output meanwhile, its copy stays: equal names mean equal
    contents. Waits for the disk only if ``synced``, or by itself where boots have no names: a run's
    outputs become durable from time to time (see ``storage.durable``).
    """
    synced = not boot() if synced is None else synced
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    token = _inside.set(True)
    try:
        yield beside
        if synced:
            for file in beside.rglob("*"):
                sync(file)
        try:
            os.rename(beside, path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        if synced:
            sync(path.parent)
    finally:
        _inside.reset(token)
        shutil.rmtree(beside, ignore_errors=True)


def sync(path: Path) -> None:
    """Flush a file or a folder's entries to the disk; folders only where the system allows it."""
    flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) if path.is_dir() else os.O_RDONLY
    try:
        handle = os.open(path, flags)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)


@functools.lru_cache(maxsize=1)
def boot() -> str:
    """A name for this boot of this machine; empty where the system gives none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def clear_parts(folder: Path) -> None:
    """Remove what killed tasks left beside their places."""
    if not folder.is_dir():
        return
    for left in folder.rglob(".*.part"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def digest(*parts: Any) -> str:
    """SHA-256 (40 hex digits of it) over a canonical JSON form of ``parts``.

    Dataclasses, paths, sets, bytes and tuples have one form each, so equal settings always get
    equal names.
    """
    text = json.dumps(parts, sort_keys=True, default=_plain, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes, read a little at a time."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            hasher.update(piece)
    return hasher.hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"class": type(value).__name__, **fields}
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"no canonical form for {type(value).__name__}")


def write_arrow(path: Path, table: pa.Table, rows: int = 65_536) -> None:
    """Write ``table`` as an lz4 Arrow file in batches of at most ``rows`` rows."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=_LZ4) as w:
        for batch in table.combine_chunks().to_batches(max_chunksize=rows):
            w.write_batch(batch)


@contextlib.contextmanager
def arrow_writer(path: Path, schema: pa.Schema) -> Iterator[pa.ipc.RecordBatchFileWriter]:
    """A writer of an lz4 Arrow file, closed when the block ends."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=_LZ4) as writer:
        yield writer


def read_arrow(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read an Arrow file whole, or only some columns of it."""
    source = pa.memory_map(str(path))
    with pa.ipc.open_file(source) as reader:
        if columns is None:
            return reader.read_all()
        wanted = [reader.schema.get_field_index(name) for name in columns]
    options = pa.ipc.IpcReadOptions(included_fields=wanted)
    with pa.ipc.open_file(source, options=options) as reader:
        return reader.read_all().select(columns)


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of an Arrow file, one at a time."""
    with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def write_json(path: Path, value: Any, synced: bool = True) -> None:
    """Write ``value`` as canonical JSON (sorted keys), whole or not at all."""
    with whole(path, synced) as part:
        part.write_text(json.dumps(value, sort_keys=True, indent=1, default=_plain) + "\n")


def disk_error_number(error: BaseException) -> int | None:
    """The number of the system error that ``error`` is; None where it is none.

    DuckDB tells it in words, in an exception of its own.
    """
    if isinstance(error, OSError):
        return error.errno
    if type(error).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            if os.strerror(number) in str(error):
                return number
    return None


@contextlib.contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a StopError that says what to do."""
    try:
        yield
    except Exception as error:
        number = disk_error_number(error)
        if number in (errno.ENOSPC, errno.EDQUOT):
            raise StopError(
                f"the disk below {where} is full; nothing was published. Free some room (see "
                "`stackcurate plan`) and start the same command again: it goes on where it stopped"
            ) from None
        if number in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise StopError(
                f"cannot write below {where}: {os.strerror(number)}. Make it writable, or name "
                "another folder under `releases:` and `runs:` in the config"
            ) from None
        raise
