"""Several Parquet files of one schema as one, without decoding a page, so that workers can write.

A Parquet file is its row groups one after another and a footer that says where they lie. Joining
copies the row groups and moves the places in their footers. The footer is Thrift's compact protocol
(https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md); the numbers of
its fields are those of parquet.thrift, Apache Parquet format 2.11.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stackcurate.errors import IntegrityError

_MAGIC = b"PAR1"
_COPY_BYTES = 1 << 20
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)

# FileMetaData, RowGroup, ColumnChunk and ColumnMetaData of parquet.thrift.
_NUM_ROWS, _ROW_GROUPS = 3, 4
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
_CHUNK_OFFSET, _METADATA, _OFFSET_INDEX, _COLUMN_INDEX = 2, 3, 4, 6
_PAGES = (9, 10, 11, 14)  # data, index and dictionary page, bloom filter

Field = tuple[int, Any]  # (type, value)
Struct = dict[int, Field]  # by field number


def join_parquet(parts: Sequence[Path], out: Path) -> None:
    """Write the row groups of ``parts`` (one or more, by one writer with one schema) to ``out``.

    Parts without rows add nothing. Raises IntegrityError where a footer cannot be read.
    """
    whole: Struct = {}
    groups: list[Struct] = []
    rows = 0
    with out.open("wb") as sink:
        sink.write(_MAGIC)
        for part in parts:
            footer, end = _footer(part)
            whole = whole or footer
            rows += footer[_NUM_ROWS][1]
            if not footer[_ROW_GROUPS][1][1]:
                continue
            by = sink.tell() - len(_MAGIC)
            for group in footer[_ROW_GROUPS][1][1]:
                groups.append(_moved(group, by, len(groups)))
            with part.open("rb") as source:
                source.seek(len(_MAGIC))
                left = end - len(_MAGIC)
                while left > 0:
                    left -= sink.write(source.read(min(left, _COPY_BYTES)))
        whole[_NUM_ROWS] = (_I64, rows)
        whole[_ROW_GROUPS] = (_LIST, (_STRUCT, groups))
        written = bytearray()
        _write_struct(written, whole)
        sink.write(written + struct.pack("<I", len(written)) + _MAGIC)


def _footer(path: Path) -> tuple[Struct, int]:
    """(FileMetaData, where it begins)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        tail = file.read(8)
        if len(tail) < 8 or tail[4:] != _MAGIC:
            raise IntegrityError(f"{path.name} is no whole Parquet file; start again")
        begin = size - 8 - struct.unpack("<I", tail[:4])[0]
        file.seek(begin)
        return _Reader(file.read(size - 8 - begin)).struct(), begin


def _moved(group: Struct, by: int, ordinal: int) -> Struct:
    """A RowGroup that lies ``by`` bytes further on."""
    group = {**group, _ORDINAL: (_I16, min(ordinal, (1 << 15) - 1))}
    if ordinal >= 1 << 15:  # the field is optional, and has 16 bits
        del group[_ORDINAL]
    _move(group, by, _GROUP_OFFSET)
    columns = []
    for column in group[_COLUMNS][1][1]:
        chunk = dict(column)
        metadata = dict(chunk[_METADATA][1])
        _move(metadata, by, *_PAGES)
        chunk[_METADATA] = (_STRUCT, metadata)
        _move(chunk, by, _CHUNK_OFFSET, _OFFSET_INDEX, _COLUMN_INDEX)
        columns.append(chunk)
    group[_COLUMNS] = (_LIST, (_STRUCT, columns))
    return group


def _move(struct_: Struct, by: int, *fields: int) -> None:
    """Add ``by`` to those of ``fields`` that are there; 0 stands for "not said" and stays."""
    for field in fields:
        if field in struct_ and struct_[field][1] > 0:
            struct_[field] = (struct_[field][0], struct_[field][1] + by)


class _Reader:
    """Thrift compact protocol into plain values: structs as {field: (type, value)}."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self) -> Struct:
        out: Struct = {}
        field = 0
        while True:
            head = self._byte()
            if head == 0:
                return out
            kind, step = head & 15, head >> 4
            field = field + step if step else self._zigzag()
            out[field] = (kind, kind == _TRUE if kind <= _FALSE else self._value(kind))

    def _value(self, kind: int) -> Any:
        if kind in (_I16, _I32, _I64):
            return self._zigzag()
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            return head & 15, [self._value(head & 15) for _ in range(count)]
        if kind == _STRUCT:
            return self.struct()
        if kind in (_BYTE, _TRUE, _FALSE):  # booleans as elements of a list are bytes
            return self._byte()
        if kind == _DOUBLE:
            return self._bytes(8)
        raise IntegrityError(f"a Parquet footer holds the unknown Thrift type {kind}")

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def _write_struct(out: bytearray, struct_: Struct) -> None:
    before = 0
    for field, (kind, value) in sorted(struct_.items()):
        if kind <= _FALSE:
            kind = _TRUE if value else _FALSE
        step = field - before
        out.append((step << 4 if 0 < step < 16 else 0) | kind)
        if not 0 < step < 16:
            _write_varint(out, _zigzag(field))
        before = field
        if kind > _FALSE:
            _write_value(out, kind, value)
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in (_I16, _I32, _I64):
        _write_varint(out, _zigzag(value))
    elif kind == _BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind in (_LIST, _SET):
        of, items = value
        out.append((len(items) << 4 if len(items) < 15 else 0xF0) | of)
        if len(items) >= 15:
            _write_varint(out, len(items))
        for item in items:
            _write_value(out, of, item)
    elif kind == _STRUCT:
        _write_struct(out, value)
    elif kind == _DOUBLE:
        out += value
    else:
        out.append(value)


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _write_varint(out: bytearray, value: int) -> None:
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
