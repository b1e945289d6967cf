"""Reads ORC stripes with dates as recorded, however far out of range.

Software Heritage writes dates as ORC timestamps, a pair of seconds and nanoseconds, and revisions
hold dates from before the universe until long after it. Arrow has no type for them: pyarrow
refuses a stripe with one such date, older versions wrap it around. But an ORC timestamp keeps its
seconds as a plain run of integers, coded like a ``bigint`` column. So the file is read twice, the
second time with a footer that calls its timestamps bigint.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.orc as orc
import zstandard

# The numbers of ORC's protocol (orc_proto.proto of the ORC v1 specification).
_LONG = 4
_TIMESTAMPS = (9, 18)  # TIMESTAMP and TIMESTAMP_INSTANT
_EPOCH_SECONDS = 1_420_070_400  # 2015-01-01 UTC, which ORC counts its seconds from
_FIELD_FOOTER_LENGTH, _FIELD_COMPRESSION, _FIELD_BLOCK_SIZE = 1, 2, 3  # of the postscript
_FIELD_TYPES, _FIELD_KIND = 4, 1  # of the footer, and of a type in it
_MAX_FOOTER_BYTES = 1 << 28


class StripeReader:
    """The stripes of one ORC file as tables, a timestamp column as struct(seconds, nanos).

    Any error of opening or reading is pyarrow's (``pa.ArrowException``) or an OSError. In a stripe
    where pyarrow refuses a date, fractions of a second are lost: seconds are cut toward zero, which
    below 1970 is the next second. Dates count from UTC, as the archive's exporter writes them.
    """

    def __init__(self, path: Path) -> None:
        self._file = orc.ORCFile(str(path))
        self._path = path
        self._seconds: orc.ORCFile | None = None
        self.schema: pa.Schema = self._file.schema
        self.stripes: int = self._file.nstripes

    def read(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Each stripe in order, with ``columns``."""
        dates = [name for name in columns if pa.types.is_timestamp(self.schema.field(name).type)]
        plain = [name for name in columns if name not in dates]
        for number in range(self.stripes):
            parts = {}
            if plain:
                batch = self._file.read_stripe(number, columns=plain)
                parts.update({name: batch.column(name) for name in plain})
            if dates:
                parts.update(self._dates(number, dates))
            yield pa.table({name: parts[name] for name in columns})

    def _dates(self, number: int, columns: list[str]) -> dict[str, pa.Array]:
        if self._seconds is None:
            self._seconds = orc.ORCFile(pa.PythonFile(_WithLongDates(self._path), mode="r"))
        seconds = self._seconds.read_stripe(number, columns=columns)
        found = {}
        for name in columns:
            try:
                exact = self._file.read_stripe(number, columns=[name]).column(name)
            except pa.ArrowInvalid:
                exact = None
            found[name] = _pair(seconds.column(name), exact)
        return found


def _pair(since_epoch: pa.Array, exact: pa.Array | None) -> pa.Array:
    """struct(seconds, nanos) from the integers and, where they agree, pyarrow's timestamps."""
    valid = pc.is_valid(since_epoch)
    seconds = np.asarray(pc.fill_null(since_epoch, 0), np.int64) + _EPOCH_SECONDS
    nanos = np.zeros(len(seconds), np.int32)
    if exact is not None:
        whole = np.asarray(pc.fill_null(exact.cast(pa.timestamp("ns")).cast(pa.int64()), 0))
        floor = whole // 1_000_000_000
        same = np.abs(floor - seconds) <= 1  # ORC cuts toward zero; a wrapped date is far away
        nanos = np.where(same, whole - floor * 1_000_000_000, 0).astype(np.int32)
        seconds = np.where(same, floor, seconds)
    mask = pc.invert(valid)
    return pa.StructArray.from_arrays(
        [pa.array(seconds), pa.array(nanos)], names=["seconds", "nanos"], mask=mask
    )


class _WithLongDates(io.RawIOBase):
    """The ORC file at ``path``, whose footer says bigint wherever it said timestamp."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = open(path, "rb")  # noqa: SIM115  closed by `close`
        try:
            self._body, self._tail = _retyped_tail(self._file)
        except BaseException:
            self._file.close()
            raise
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        size = self._body + len(self._tail)
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._body + len(self._tail)
        stop = end if size is None or size < 0 else min(end, self._at + size)
        found = b""
        if self._at < min(stop, self._body):
            self._file.seek(self._at)
            found = self._file.read(min(stop, self._body) - self._at)
        if stop > self._body:
            found += self._tail[max(0, self._at - self._body) : stop - self._body]
        self._at += len(found)
        return found

    def close(self) -> None:
        self._file.close()
        super().close()


def _retyped_tail(file: io.BufferedReader) -> tuple[int, bytes]:
    """Where the footer begins, and the new footer, postscript and last byte that replace it."""
    size = file.seek(0, io.SEEK_END)
    tail_at = max(0, size - 256)
    file.seek(tail_at)
    tail = file.read()
    post = tail[-1 - tail[-1] : -1] if tail else b""
    values = {field: value for field, value, _, _ in _fields(post) if isinstance(value, int)}
    length = values.get(_FIELD_FOOTER_LENGTH, 0)
    codec, block = values.get(_FIELD_COMPRESSION, 0), values.get(_FIELD_BLOCK_SIZE, 1 << 18)
    footer_at = size - 1 - len(post) - length
    if not post or footer_at < 3 or length > _MAX_FOOTER_BYTES:
        raise pa.ArrowInvalid("the postscript is broken")
    file.seek(footer_at)
    footer = _retyped(_inflate(file.read(length), codec, block))
    if codec:  # stored as it is, in chunks that say so
        step = max(1, min(block, (1 << 23) - 1))
        pieces = [footer[at : at + step] for at in range(0, len(footer), step)]
        footer = b"".join((len(p) << 1 | 1).to_bytes(3, "little") + p for p in pieces)
    _, _, start, end = next(f for f in _fields(post) if f[0] == _FIELD_FOOTER_LENGTH)
    post = post[:start] + _varint(len(footer)) + post[end:]
    return footer_at, footer + post + bytes([len(post)])


def _retyped(footer: bytes) -> bytes:
    changed = bytearray(footer)
    for field, value, start, end in _fields(footer):
        if field != _FIELD_TYPES or isinstance(value, int):
            continue
        for inner, kind, at, _ in _fields(footer[start:end]):
            if inner == _FIELD_KIND and kind in _TIMESTAMPS:
                changed[start + at] = _LONG
    return bytes(changed)


def _fields(message: bytes) -> Iterator[tuple[int, int | None, int, int]]:
    """(number, value if a varint else None, start, end of the value) of a protobuf message."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind, start, value = key & 7, at, None
        if kind == 0:
            value, at = _read_varint(message, at)
        elif kind == 2:
            length, start = _read_varint(message, at)
            at = start + length
        else:
            at += {1: 8, 5: 4}.get(kind, len(message) + 1)
        if at > len(message):
            raise pa.ArrowInvalid("a protobuf message of the ORC tail is broken")
        yield key >> 3, value, start, at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        value |= (data[at] & 127) << shift
        at += 1
        if not data[at - 1] & 128:
            return value, at
    raise pa.ArrowInvalid("a number of the ORC tail is broken")


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _inflate(data: bytes, codec: int, block: int) -> bytes:
    """The bytes of a run of ORC chunks, each of at most ``block`` bytes when inflated."""
    if codec == 0:
        return data
    inflate = _INFLATERS.get(codec)
    if inflate is None:
        raise pa.ArrowInvalid(f"dates in ORC files compressed with codec {codec} cannot be read")
    found, at, total = [], 0, 0
    while at + 3 <= len(data):
        header = int.from_bytes(data[at : at + 3], "little")
        piece = data[at + 3 : at + 3 + (header >> 1)]
        at += 3 + (header >> 1)
        found.append(piece if header & 1 else inflate(piece, block))
        total += len(found[-1])
        if total > _MAX_FOOTER_BYTES:
            raise pa.ArrowInvalid("the ORC footer is too long")
    return b"".join(found)


def _zlib(piece: bytes, block: int) -> bytes:
    try:
        return zlib.decompressobj(-15).decompress(piece, block)
    except zlib.error as error:
        raise pa.ArrowInvalid("the ORC footer is broken") from error


def _zstd(piece: bytes, block: int) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(piece, max_output_size=block)
    except zstandard.ZstdError as error:
        raise pa.ArrowInvalid("the ORC footer is broken") from error


def _snappy(piece: bytes, block: int) -> bytes:
    length, _ = _read_varint(piece, 0)  # raw snappy begins with it
    if length > block:
        raise pa.ArrowInvalid("the ORC footer is broken")
    return bytes(pa.decompress(piece, length, "snappy", asbytes=True))


_INFLATERS: dict[int, Callable[[bytes, int], bytes]] = {1: _zlib, 2: _snappy, 5: _zstd}
