"""Tombstones: salted digests of what was withdrawn, so that it cannot come back by another road.

A request that reaches all copies takes contents that stand in repositories nobody named. When the
place that was named is gone from the sources, only the contents themselves can be recognized. So
they are remembered, as digests: whoever has a file can tell that it was withdrawn, and nobody can
read off a digest what was. The salt is the digest of the registry's first line: it is public, ships
with every list, and is another one for every registry.

A list is JSON Lines: a line with the salt, then sorted lines of ``content`` (git blob id) or
``row`` (row key). The registry's own lists lie in a folder beside it, each named by its SHA-256 and
by a line of the registry, so that an undone request takes its tombstones along.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from stackcurate.errors import IntegrityError
from stackcurate.storage.partitions import whole

CONTENT, ROW = "content", "row"
WIDTH = 16  # bytes of a digest


@dataclass(frozen=True)
class Tombstones:
    """Digests of withdrawn contents under one salt; empty for most registries."""

    salt: str = ""
    contents: frozenset[bytes] = frozenset()

    def among(self, ids: pa.Array) -> pa.Array:
        """Which content ids (binary(20), or 40 hex digits) have a tombstone: boolean, never null.

        One hash a row: only registries that have tombstones pay for it.
        """
        if not self.contents:
            return pa.repeat(pa.scalar(False), len(ids))
        values = (value.hex() if isinstance(value, bytes) else value for value in ids.to_pylist())
        return pa.array(
            [v is not None and stone(self.salt, CONTENT, v) in self.contents for v in values],
            pa.bool_(),
        )


NONE = Tombstones()


def stone(salt: str, kind: str, value: str) -> bytes:
    """The tombstone of a content id or row key (hex): BLAKE2b over salt, kind and value."""
    text = f"{salt}\0{kind}\0{value}"
    return hashlib.blake2b(text.encode(), digest_size=WIDTH).digest()


def text_of(salt: str, contents: Iterable[str], rows: Iterable[str] = ()) -> str:
    """A list of tombstones for content ids and row keys (hex), sorted by digest."""
    stones = {(CONTENT, stone(salt, CONTENT, one).hex()) for one in contents}
    stones |= {(ROW, stone(salt, ROW, one).hex()) for one in rows}
    return _lines(salt, stones)


def merged(texts: Sequence[str]) -> str:
    """Several lists under one salt as one. Raises IntegrityError where the salts differ."""
    salts, stones = set(), set()
    for text in texts:
        salt, mine = _parsed(text)
        salts.add(salt)
        stones |= mine
    if len(salts) != 1:
        raise IntegrityError("these tombstones belong to different registries: their salts differ")
    return _lines(salts.pop(), stones)


def _lines(salt: str, stones: set[tuple[str, str]]) -> str:
    lines = [{"salt": salt, "digest": f"blake2b-{WIDTH * 8}(salt, NUL, kind, NUL, hex)"}]
    lines += [{kind: value} for kind, value in sorted(stones)]
    return "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)


def _parsed(text: str) -> tuple[str, set[tuple[str, str]]]:
    try:
        head, *lines = [json.loads(line) for line in text.splitlines()]
        stones = {(kind, bytes.fromhex(v).hex()) for line in lines for kind, v in line.items()}
        return head["salt"], stones
    except (ValueError, KeyError, TypeError, AttributeError):
        raise IntegrityError("this list of tombstones is damaged") from None


def folder(registry: Path) -> Path:
    """Where the lists of the registry at ``registry`` lie."""
    return registry.with_name(registry.stem + ".tombstones")


def write_list(registry: Path, text: str) -> str:
    """Keep a list beside the registry; returns its SHA-256 for the `bury` event."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    place = folder(registry) / f"{digest}.jsonl"
    if not place.exists():
        with whole(place) as part:
            part.write_text(text, encoding="utf-8")
    return digest


def read_tombstones(registry: Path, digests: Sequence[str]) -> Tombstones:
    """The contents of the named lists. Raises IntegrityError where one is missing or altered."""
    salt, contents = "", set()
    for digest in digests:
        place = folder(registry) / f"{digest}.jsonl"
        data = place.read_bytes() if place.is_file() else b""
        if hashlib.sha256(data).hexdigest() != digest:
            raise IntegrityError(f"the tombstones {place.name} are missing or were altered")
        salt, stones = _parsed(data.decode())
        contents |= {bytes.fromhex(value) for kind, value in stones if kind == CONTENT}
    return Tombstones(salt, frozenset(contents))
