"""Reads tar streams member by member (v7, ustar, pax, GNU long names), trusting no number in them.

A reader of our own, because the standard library's takes a header's word for how much to hold in
memory. Formats: POSIX.1-2024 "pax", GNU tar manual "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

_BLOCK = 512
_MAX_HEADER = 1 << 20  # bytes of a long name or of pax records
_STEP = 1 << 20

_REGULAR = b"0\x007"
_KINDS = {b"1": "hard", b"2": "link", b"3": "special", b"4": "special", b"5": "folder"}
_KINDS |= {b"6": "special", b"D": "folder", b"S": "sparse", b"V": "label", b"M": "special"}
_NO_BODY = frozenset({"hard", "link", "special", "folder"})


class TarDamage(ValueError):
    """The stream is no tar from here on."""


class TarEntry(NamedTuple):
    """One member; names are bytes as they are recorded."""

    name: bytes
    kind: str  # file, folder, link, hard, special, sparse, label
    size: int
    mode: int
    target: bytes  # of links


class TarStream:
    """Iterates over entries; the body of the current one is read with ``body`` or skipped."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = 0  # of the current body
        self._padding = 0
        self._empty = True
        self.ended = False  # whether the mark of the end was seen

    def __iter__(self) -> Iterator[TarEntry]:
        while True:
            self._skip()
            entry = self._next()
            if entry is None:
                return
            yield entry

    def body(self, step: int = _STEP) -> Iterator[bytes]:
        """The bytes of the current member in pieces of at most ``step``."""
        while self._left:
            data = self._stream.read(min(step, self._left))
            if not data:
                raise EOFError("the archive is cut")
            self._left -= len(data)
            yield data

    def _skip(self) -> None:
        for _ in self.body():
            pass
        if self._padding and len(self._stream.read(self._padding)) != self._padding:
            raise EOFError("the archive is cut")
        self._padding = 0

    def _set_body(self, size: int) -> None:
        self._left = size
        self._padding = -size % _BLOCK

    def _next(self) -> TarEntry | None:
        """The next member, with the extended headers before it; None at the end."""
        long: dict[str, bytes] = {}
        pax: dict[bytes, bytes] = {}
        while True:
            block = self._stream.read(_BLOCK)
            if len(block) == _BLOCK and not any(block):
                self.ended = True
                return None
            if not block and not self._empty:
                return None
            if len(block) < _BLOCK:
                raise EOFError("the archive is cut")
            self._empty = False
            _check(block)
            kind, size = block[156:157], _number(block[124:136])
            if kind in (b"L", b"K"):
                long["name" if kind == b"L" else "target"] = self._header(size).split(b"\0")[0]
            elif kind in (b"x", b"X"):
                pax.update(_records(self._header(size)))
            elif kind == b"g":
                self._header(size)
            else:
                return self._entry(block, kind, size, long, pax)

    def _header(self, size: int) -> bytes:
        if size > _MAX_HEADER:
            raise TarDamage(f"an extended header of {size} bytes")
        self._set_body(size)
        data = b"".join(self.body())
        self._skip()
        return data

    def _entry(
        self, block: bytes, flag: bytes, size: int, long: dict[str, bytes], pax: dict[bytes, bytes]
    ) -> TarEntry:
        name = block[:100].split(b"\0")[0]
        if block[257:263] == b"ustar\0" and block[345]:
            name = block[345:500].split(b"\0")[0] + b"/" + name
        name = pax.get(b"path", long.get("name", name))
        target = block[157:257].split(b"\0")[0]
        target = pax.get(b"linkpath", long.get("target", target))
        if b"size" in pax:
            size = _decimal(pax[b"size"])
        kind = _KINDS.get(flag, "file")
        if flag in _REGULAR and name.endswith(b"/"):
            kind = "folder"
        if any(key.startswith(b"GNU.sparse.") for key in pax):
            kind = "sparse"
        if flag == b"S":
            self._sparse_extensions(block)
        self._set_body(0 if kind in _NO_BODY else size)
        return TarEntry(name, kind, size, _number(block[100:108]), target)

    def _sparse_extensions(self, block: bytes) -> None:
        """GNU's old sparse format continues its map in further blocks before the data."""
        more = block[482]
        while more:
            extension = self._stream.read(_BLOCK)
            if len(extension) < _BLOCK:
                raise EOFError("the archive is cut")
            more = extension[504]


def _check(block: bytes) -> None:
    """The checksum is a sum of bytes with its own field as spaces; old tools summed signed ones."""
    rest = block[:148] + b" " * 8 + block[156:]
    total = sum(rest)
    given = _number(block[148:156])
    if given != total and given != total - 256 * sum(byte > 127 for byte in rest):
        raise TarDamage("a header has a wrong checksum")


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256 where the first bit is set."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        if field[0] & 0x40:
            raise TarDamage("a negative number in a header")
        if value >= 2**62:
            raise TarDamage("a number out of range in a header")
        return value
    digits = field.split(b"\0")[0].strip()
    if not digits:
        return 0
    if not digits.isdigit():
        raise TarDamage("a header with a bad number")
    try:
        return int(digits, 8)
    except ValueError as error:
        raise TarDamage("a header with a bad number") from error


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 18:
        raise TarDamage("a size that is no number")
    return int(digits)


def _records(data: bytes) -> dict[bytes, bytes]:
    """Pax records ``<length> <key>=<value>\\n``; the length counts itself."""
    found = {}
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + 20)
        if space < 0 or not data[at:space].isdigit():
            raise TarDamage("a pax record without a length")
        end = at + int(data[at:space])
        if end > len(data) or end <= space or data[end - 1 : end] != b"\n":
            raise TarDamage("a pax record with a wrong length")
        key, equal, value = data[space + 1 : end - 1].partition(b"=")
        if not equal:
            raise TarDamage("a pax record without a value")
        found[key] = value
        at = end
    return found
