"""Opens an archive file as one stream of plain bytes, and knows how many bytes it took to get them.

Decompressors run with memory limits, and the file is hashed as it passes by.
"""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from stackcurate.errors import InputError

CHUNK = 1 << 18  # plain bytes at a time
TAKE = 1 << 16  # compressed bytes at a time; what one member took is known to this much
_XZ_MEMORY = 256 << 20  # bytes; the largest preset (-9) takes 65 MiB
_ZSTD_WINDOW = 128 << 20  # bytes; the largest that zstd takes without being asked

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, ValueError)


class HashedFile:
    """Reads a file from its start to its end, hashing and counting what passes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.taken = 0

    def read(self, count: int) -> bytes:
        """At most ``count`` bytes; empty at the end."""
        data = self._file.read(count)
        self._hash.update(data)
        self.taken += len(data)
        return data

    def finish(self) -> str:
        """SHA-256 (hex) of the whole file; reads what is left."""
        while self.read(CHUNK):
            pass
        return self._hash.hexdigest()


class _Zlib:
    """zlib's decompressor with the interface of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes, limit: int) -> bytes:
        """At most ``limit`` plain bytes; what is left of the input is kept for the next call."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, limit)

    @property
    def needs_input(self) -> bool:
        """Whether the next call wants more compressed bytes."""
        return not self._inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream was reached."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the compressed stream."""
        return self._inner.unused_data


class Decompressed(io.RawIOBase):
    """Plain bytes of concatenated gzip, bzip2 or xz streams, as a raw stream.

    Raises EOFError where a stream is cut, and the library's error where it is damaged. Bytes behind
    the last stream that start no other are ignored, as the command line tools do.
    """

    def __init__(self, file: HashedFile, kind: str) -> None:
        self._file = file
        self._kind = kind
        self._decoder: Any = _decoder(kind)
        self._rest = b""
        self._done = False

    def readable(self) -> bool:
        """True: the stream can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill ``target`` as far as one step of the decompressor goes; 0 at the end."""
        while not self._done:
            data = self._step(len(target))
            if data:
                target[: len(data)] = data
                return len(data)
        return 0

    def _step(self, limit: int) -> bytes:
        if self._decoder.eof:
            self._next_stream()
            return b""
        data = b""
        if self._decoder.needs_input:
            data = self._rest or self._file.read(TAKE)
            self._rest = b""
            if not data:
                raise EOFError("the compressed data is cut")
        return self._decoder.decompress(data, limit)

    def _next_stream(self) -> None:
        rest = self._decoder.unused_data or self._rest
        while len(rest) < 6:
            more = self._file.read(TAKE)
            if not more:
                break
            rest += more
        self._rest = rest
        if sniff(rest) == self._kind:
            self._decoder = _decoder(self._kind)
        else:
            self._done = True


def _decoder(kind: str) -> Any:
    if kind == "gzip":
        return _Zlib()
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


def sniff(start: bytes) -> str:
    """What a file is by its first bytes: gzip, bzip2, xz, zstd, zip or plain (perhaps tar)."""
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    if start.startswith(b"BZh"):
        return "bzip2"
    if start.startswith(b"\xfd7zXZ\0"):
        return "xz"
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    if start.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08")):
        return "zip"
    return "plain"


def file_kind(path: Path) -> str:
    """``sniff`` of a file. Raises InputError where it cannot be opened."""
    try:
        with path.open("rb") as file:
            return sniff(file.read(8))
    except OSError as error:
        raise InputError(f"the archive cannot be opened: {error.strerror}") from error


def plain_stream(file: HashedFile, kind: str) -> Any:
    """An object whose ``read(n)`` gives exactly n plain bytes, fewer only at the end."""
    if kind == "zstd":
        context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        source: Any = file  # all it needs is read()
        raw: Any = context.stream_reader(source, read_size=TAKE, read_across_frames=True)
        return io.BufferedReader(raw, CHUNK)
    if kind == "plain":
        return _Plain(file)
    return io.BufferedReader(Decompressed(file, kind), CHUNK)


class _Plain:
    """A file that is not compressed."""

    def __init__(self, file: HashedFile) -> None:
        self._file = file

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes, fewer only at the end."""
        return self._file.read(count)
