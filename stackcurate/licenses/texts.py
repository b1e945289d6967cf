"""Finds known license texts and notices word for word, without loading ScanCode.

``tables/licenses.npz`` holds for every text of ScanCode's database the digest of its words, their
number, and the digest of its first four. One pass over a text's prefix hashes then finds every
known text in it: where four words open a known text, the longest one whose digest fits there is
taken. This is what ScanCode's own exact matchers find, at a thousand times their speed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stackcurate.licenses import words as w

# What a known text is. NOTHING is known to state nothing; a TITLE means its license only beside it.
TEXT, NOTICE, OTHER, NOTHING, TITLE = 0, 1, 2, 3, 4
MAX_WORDS = 200_000  # of one text that are looked at


class Match(NamedTuple):
    """A known text at words ``start`` to ``end`` (exclusive) of a text."""

    start: int
    end: int
    expression: str
    kind: int
    rule: str


@dataclass(frozen=True, eq=False)
class Index:
    """The table's arrays. Rows are sorted: short texts first, then by anchor, longest first."""

    count: NDArray[np.uint16]
    digest: NDArray[np.uint64]
    expression: NDArray[np.uint16]
    kind: NDArray[np.uint8]
    expressions: list[str]
    anchor_words: int
    slots: NDArray[np.int64]  # open-addressed: row of an anchor's first text + 1, or 0
    anchors: NDArray[np.uint64]
    whole: dict[tuple[int, int], int]  # (digest, words) -> row
    detector: str
    table_digest: str


@njit(cache=True, nogil=True)
def _fill_slots(anchors, slots):  # type: ignore[no-untyped-def]
    mask = np.uint64(slots.size - 1)
    for row in range(anchors.size):
        if anchors[row] == 0 or (row > 0 and anchors[row - 1] == anchors[row]):
            continue
        at = anchors[row] & mask
        while slots[at]:
            at = (at + np.uint64(1)) & mask
        slots[at] = row + 1


@njit(cache=True, nogil=True)
def _scan(prefix, power, k, slots, anchors, counts, digests, out):  # type: ignore[no-untyped-def]
    """Write (start, row) of the longest known text at each place, unless it lies inside another."""
    size = prefix.size - 1
    mask = np.uint64(slots.size - 1)
    found = 0
    covered = 0
    for start in range(size - k + 1):
        anchor = prefix[start + k] - prefix[start] * power[k]
        at = anchor & mask
        row = slots[at]
        while row and anchors[row - 1] != anchor:
            at = (at + np.uint64(1)) & mask
            row = slots[at]
        if row == 0:
            continue
        row -= 1
        while row < anchors.size and anchors[row] == anchor:
            count = np.int64(counts[row])
            end = start + count
            fits = covered < end <= size
            if fits and prefix[end] - prefix[start] * power[count] == digests[row]:
                out[found, 0] = start
                out[found, 1] = row
                found += 1
                covered = end
                break
            row += 1
    return found


@lru_cache(maxsize=1)
def load() -> Index:
    """The index of the installed table; 3 MB, some 50 ms."""
    path = files("stackcurate") / "tables" / "licenses.npz"
    data = path.read_bytes()
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as table:
        arrays = {name: table[name] for name in table.files}
    anchors = arrays["anchor"]
    slots = np.zeros(1 << int(len(anchors) * 2).bit_length(), np.int64)
    _fill_slots(anchors, slots)
    pairs = zip(arrays["digest"].tolist(), arrays["count"].tolist(), strict=True)
    return Index(
        count=arrays["count"],
        digest=arrays["digest"],
        expression=arrays["expression"],
        kind=arrays["kind"],
        expressions=json.loads(arrays["expressions"].tobytes()),
        anchor_words=int(arrays["anchor_words"][0]),
        slots=slots,
        anchors=anchors,
        whole={pair: row for row, pair in enumerate(pairs)},
        detector=arrays["detector"].tobytes().decode(),
        table_digest=hashlib.sha256(data).hexdigest(),
    )


@lru_cache(maxsize=1)
def _power() -> NDArray[np.uint64]:
    return w.powers(0xFFFF)


def _match(index: Index, row: int, start: int) -> Match:
    return Match(
        start,
        start + int(index.count[row]),
        index.expressions[index.expression[row]],
        int(index.kind[row]),
        f"text:{int(index.digest[row]):016x}",
    )


def whole(index: Index, found: w.Words) -> Match | None:
    """The known text that all the words of a text are, or None."""
    row = index.whole.get((w.digest(found), len(found.hashes)))
    return None if row is None else _match(index, row, 0)


def between(index: Index, found: w.Words, start: int, end: int) -> Match | None:
    """The known text that exactly the words ``start`` to ``end`` are, or None."""
    if not 0 < end - start <= 0xFFFF:
        return None
    head, tail = int(found.prefix[start]), int(found.prefix[end])
    value = (tail - head * int(_power()[end - start])) & 0xFFFFFFFFFFFFFFFF
    row = index.whole.get((value, end - start))
    return None if row is None else _match(index, row, start)


def matches(index: Index, found: w.Words) -> list[Match]:
    """Known texts of four words and more in a text, by place, none overlapping another.

    Of two that overlap, the longer stays.
    """
    prefix = found.prefix[: MAX_WORDS + 1]
    out = np.empty((len(prefix), 2), np.int64)
    count = _scan(
        prefix, _power(), index.anchor_words, index.slots, index.anchors, index.count,
        index.digest, out,
    )  # fmt: skip
    raw = [_match(index, row, start) for start, row in out[:count].tolist()]
    raw.sort(key=lambda match: (match.start - match.end, match.start))
    taken: list[Match] = []
    for match in raw:
        if all(match.end <= other.start or match.start >= other.end for other in taken):
            taken.append(match)
    return sorted(taken)
