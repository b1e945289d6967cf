"""Searches every byte below some folders for planted values, through whatever compresses them."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08"


def needles(value: str) -> set[bytes]:
    """What may not stand anywhere: a value (its longest line), and plain digests of it."""
    line = max(value.splitlines(), key=len)
    found = {line.encode()}
    for text in {value, line}:
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, text.encode(), usedforsecurity=False)
            found |= {digest.digest(), digest.hexdigest().encode()}
    return found


class Searcher:
    """Finds any of some thousand byte strings of 12 bytes and more."""

    def __init__(self, values: Iterable[str]) -> None:
        self.heads: dict[bytes, list[tuple[bytes, str]]] = {}
        self.pairs = [np.zeros(1 << 16, bool) for _ in range(4)]
        for value in values:
            for needle in needles(value):
                self.heads.setdefault(needle[:8], []).append((needle, value))
                for table, pair in zip(self.pairs, np.frombuffer(needle[:8], "<u2"), strict=True):
                    table[pair] = True

    def inside(self, data: bytes) -> set[str]:
        """The values that stand in ``data``."""
        if len(data) < 8:
            return set()
        raw = np.frombuffer(data, np.uint8).astype(np.uint16)
        pair = raw[:-1] | raw[1:] << 8
        size = len(data) - 7
        likely = self.pairs[0][pair[:size]]
        for number in range(1, 4):
            likely &= self.pairs[number][pair[2 * number : 2 * number + size]]
        return {
            value
            for at in np.flatnonzero(likely).tolist()
            for needle, value in self.heads.get(data[at : at + 8], ())
            if data.startswith(needle, at)
        }

    def below(self, *folders: Path) -> dict[str, list[str]]:
        """Per file the values that stand in it, however it stores them."""
        found = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    values = set().union(*(self.inside(data) for data in layers(path)))
                    if values:
                        found[path.relative_to(folder.parent).as_posix()] = sorted(values)
        return found


def layers(path: Path) -> Iterator[bytes]:
    """A file's bytes as they lie on disk, and again with all that is packed in them unpacked."""
    data = path.read_bytes()
    yield data
    if data.startswith(b"ARROW1"):
        yield from _arrow(data)
    elif data.startswith(b"PAR1"):
        yield from _parquet(path, data)
    elif data.startswith(b"SQLite"):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            yield "\n".join(connection.iterdump()).encode("utf-8", "surrogateescape")
    else:
        yield from _frames(data)


def _arrow(data: bytes) -> Iterator[bytes]:
    """The buffers of an Arrow file, whole or cut by a kill: after the magic it is a stream."""
    with contextlib.suppress(pa.ArrowInvalid, OSError, EOFError):
        for batch in pa.ipc.open_stream(data[8:]):
            yield from _buffers(batch.columns)


def _parquet(path: Path, data: bytes) -> Iterator[bytes]:
    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowInvalid:  # cut by a kill
        yield from _frames(data)
        return
    for column in table.columns:
        yield from _buffers(column.chunks)


def _buffers(arrays: Iterable[pa.Array]) -> Iterator[bytes]:
    for array in arrays:
        yield from (bytes(buffer) for buffer in array.buffers() if buffer is not None)
        if pa.types.is_dictionary(array.type):
            yield from _buffers([array.dictionary])


def _frames(data: bytes) -> Iterator[bytes]:
    """Every zstd and gzip frame that begins anywhere, as far as it goes."""
    for at in _all(data, _ZSTD):
        with contextlib.suppress(zstandard.ZstdError):
            yield zstandard.ZstdDecompressor().decompressobj().decompress(data[at:])
    for at in _all(data, _GZIP):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(31).decompress(data[at:])


def _all(data: bytes, magic: bytes) -> Iterator[int]:
    at = data.find(magic)
    while at >= 0:
        yield at
        at = data.find(magic, at + 1)


def proof(folder: Path, value: str) -> list[Path]:
    """Files that hold ``value`` each in another way: what a search that works must find."""
    folder.mkdir()
    table = pa.table({"t": [value] * 100, "n": list(range(100))})
    digest = hashlib.sha256(value.encode())
    whole = pa.BufferOutputStream()
    with pa.ipc.new_file(
        whole, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
    ) as writer:
        writer.write_table(table)
    arrow = whole.getvalue().to_pybytes()
    pq.write_table(table, folder / "zstd.parquet", compression="zstd")
    database = sqlite3.connect(folder / "a.sqlite")
    database.execute("CREATE TABLE t (v)")
    database.execute("INSERT INTO t VALUES (?)", ["x" * 5000 + value])
    database.commit()
    database.close()
    files = {
        "plain": b"..." + value.encode(),
        "hex": digest.hexdigest().encode(),
        "raw": digest.digest(),
        "gz": b"??" + gzip.compress(value.encode() * 50),
        "whole.arrow": arrow,
        "cut.arrow": arrow[: len(arrow) * 3 // 4],
        "cut.parquet": b"PAR1" + zstandard.compress(value.encode() * 50),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())
