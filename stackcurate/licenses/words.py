"""Licenses are compared as words: bytes become word hashes with the parts that vary folded away.

Copyright lines, "All rights reserved", case, punctuation, white space, comment leaders and the
three places where a BSD text names its owner do not change what a license says, so they do not
change its hash. What could carry meaning is never folded: a line or a name that holds one of
``RIDER_WORDS`` stays as it is. Works on UTF-8 bytes; every function below the kernels' line is
NumPy in, NumPy out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# A copyright line or an owner's name with one of these words is kept: it may change the grant.
RIDER_WORDS = [
    "ai", "license", "licensed", "licence", "licenced", "permission", "permitted", "use",
    "used", "uses", "using", "usage", "commercial", "noncommercial", "nonprofit", "only", "not",
    "no", "non", "never", "nor", "without", "train", "training", "machine", "learning", "model",
    "models", "dataset", "mining", "scraping", "restricted", "restriction", "restrictions",
    "prohibited", "forbidden", "except", "excluding", "excluded", "unless", "redistribution",
    "redistribute", "distribute", "distributed", "under", "terms", "gpl", "agpl", "lgpl",
    "sell", "sold", "purpose", "purposes", "must", "may", "shall", "cannot", "proprietary",
    "confidential", "military", "academic", "research", "evaluation", "unlicensed", "trade",
    "secret",
]  # fmt: skip

_BASE = np.uint64(0x9E3779B97F4A7C15)
_FNV = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_SHIFT = np.uint64(32)
_SLOT = np.uint64(0x517CC1B727220A95)  # stands for a folded name
SLOT_KIND = 2
_NAME_WORDS = 24  # the longest owner's name that is folded, words
_LINE_WORDS = 24  # the longest copyright line that is folded, words


class Words(NamedTuple):
    """Words of one text: hash (uint64), byte span, and prefix hashes (one more than words)."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    prefix: NDArray[np.uint64]
    kinds: NDArray[np.uint8]  # 1 for one of RIDER_WORDS, SLOT_KIND for a folded name


def _hash(word: str) -> np.uint64:
    value = int(_FNV)
    for byte in word.encode():
        value = ((value ^ byte) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 32)) * int(_MIX)) & 0xFFFFFFFFFFFFFFFF
    return np.uint64(value ^ (value >> 32))


def hashes_of(words: list[str]) -> NDArray[np.uint64]:
    """Hashes of lower-case words, in their order."""
    return np.array([_hash(word) for word in words], dtype=np.uint64)


def _byte_classes() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    kind = np.zeros(256, np.uint8)
    fold = np.arange(256, dtype=np.uint8)
    for code in range(256):
        if chr(code).isascii() and chr(code).isalnum():
            kind[code] = 1
            fold[code] = ord(chr(code).lower())
        elif code >= 0x80:
            kind[code] = 1
    return kind, fold


_KIND, _FOLD = _byte_classes()
_RIDERS = np.sort(hashes_of(RIDER_WORDS))
_KEY = hashes_of([
    "copyright", "c", "copr", "portions", "all", "rights", "reserved", "year", "yyyy",
    "neither", "the", "name", "names", "of", "nor", "provided", "by", "as", "is", "in", "no",
    "event", "shall", "be", "liable", "dnl", "rem", "copyrighted", "and", "disclaims",
    "disclaim",
])  # fmt: skip
(
    _COPYRIGHT, _C, _COPR, _PORTIONS, _ALL, _RIGHTS, _RESERVED, _YEAR, _YYYY, _NEITHER, _THE,
    _NAME, _NAMES, _OF, _NOR, _PROVIDED, _BY, _AS, _IS, _IN, _NO, _EVENT, _SHALL, _BE, _LIABLE,
    _DNL, _REM, _COPYRIGHTED,
    _AND,
    _DISCLAIMS,
    _DISCLAIM,
) = (np.uint64(value) for value in _KEY)  # fmt: skip


@njit(cache=True, nogil=True)
def _split(data, begin, stop, hashes, starts, ends, flags):  # type: ignore[no-untyped-def]
    """Write the words of ``data[begin:stop]``; return how many. Flags: 1 line start, 2 year."""
    count = 0
    at = begin
    fresh = True
    while at < stop:
        byte = data[at]
        if byte == 10 or byte == 13:
            fresh = True
        if byte == 0xC2:  # Latin-1 signs: (c), no-break space, quotes
            at += 2
            continue
        if byte == 0xE2 or byte == 0xEF:  # typographic quotes, dashes, bullets; BOM
            at += 3
            continue
        if _KIND[byte] == 0:
            at += 1
            continue
        start = at
        value = _FNV
        digits = True
        plus = False
        while at < stop:
            byte = data[at]
            if byte == 43 and not plus:  # GPLv2+
                plus = True
            elif _KIND[byte] == 0 or byte == 0xC2 or byte == 0xE2 or byte == 0xEF:
                break
            if byte < 48 or byte > 57:
                digits = False
            value = (value ^ np.uint64(_FOLD[byte])) * _PRIME
            at += 1
        value = (value ^ (value >> _SHIFT)) * _MIX
        value = value ^ (value >> _SHIFT)
        if fresh and (value in (_DNL, _REM)):
            continue
        year = digits and at - start == 4 and (data[start] == 49 or data[start] == 50)
        hashes[count] = value
        starts[count] = start
        ends[count] = at
        flags[count] = (1 if fresh else 0) | (2 if year else 0)
        fresh = False
        count += 1
    return count


@njit(cache=True, nogil=True)
def _is_rider(value):  # type: ignore[no-untyped-def]
    at = np.searchsorted(_RIDERS, value)
    return at < _RIDERS.size and _RIDERS[at] == value


@njit(cache=True, nogil=True)
def _copyright_end(hashes, flags, at, count, follows):  # type: ignore[no-untyped-def]
    """The word after a copyright line that starts at ``at``; ``at`` where it is none."""
    end = at + 1
    while end < count and flags[end] & 1 == 0:
        end += 1
    if end - at > _LINE_WORDS:
        return at
    first = hashes[at]
    if first == _PORTIONS and end - at > 1:
        first = hashes[at + 1]
    head = first in (_COPYRIGHT, _COPR, _C, _COPYRIGHTED)
    if not head and not (follows and flags[at] & 2):
        return at
    dated = False
    for i in range(at, end):
        if flags[i] & 2 or hashes[i] == _C or hashes[i] == _YEAR or hashes[i] == _YYYY:
            dated = True
        if _is_rider(hashes[i]):
            return at
    return end if dated else at


@njit(cache=True, nogil=True)
def _fold_words(hashes, starts, ends, flags, count, kinds):  # type: ignore[no-untyped-def]
    """Drop copyright lines and rights, fold names, in place; return the new count."""
    out = 0
    at = 0
    follows = False
    while at < count:
        if flags[at] & 1:
            end = _copyright_end(hashes, flags, at, count, follows)
            follows = end > at
            if follows:
                at = end
                continue
        reserved = at + 2 < count and hashes[at] == _ALL and hashes[at + 1] == _RIGHTS
        if reserved and hashes[at + 2] == _RESERVED:
            at += 3
            continue
        hashes[out] = hashes[at]
        starts[out] = starts[at]
        ends[out] = ends[at]
        kinds[out] = 1 if _is_rider(hashes[at]) else 0
        out += 1
        at += 1
        end = _slot_after(hashes, out, at, count)
        if end > at:
            hashes[out] = _SLOT
            starts[out] = starts[at]
            ends[out] = ends[end - 1]
            kinds[out] = SLOT_KIND
            out += 1
            at = end
    return out


@njit(cache=True, nogil=True)
def _slot_after(hashes, out, at, count):  # type: ignore[no-untyped-def]
    """``_slot`` for words at ``at`` whose predecessors were already moved to before ``out``."""
    if out < 4 or at >= count:
        return at
    kept0, kept1, kept2, kept3 = hashes[out - 1], hashes[out - 2], hashes[out - 3], hashes[out - 4]
    neither = kept0 == _OF and (kept1 in (_NAME, _NAMES)) and kept2 == _THE
    neither = neither and kept3 == _NEITHER
    provided = kept0 == _BY and kept1 == _PROVIDED
    event = kept0 == _SHALL and kept1 == _EVENT and kept2 == _NO
    disclaims = kept0 == _AND and kept1 == _IS and kept2 == _AS
    if not (neither or provided or event or disclaims):
        return at
    for end in range(at, min(at + _NAME_WORDS, count - 1)):
        word = hashes[end]
        follower = hashes[end + 1]
        if neither and word == _NOR and follower == _THE:
            return end
        if provided and word == _AS and follower == _IS:
            return end
        if event and word == _BE and follower == _LIABLE:
            return end
        if disclaims and (word in (_DISCLAIMS, _DISCLAIM)) and follower == _ALL:
            return end
        if _is_rider(word):
            return at
    return at


@njit(cache=True, nogil=True)
def prefix_hashes(hashes, count):  # type: ignore[no-untyped-def]
    """Polynomial prefix hashes modulo 2**64: one more than words."""
    prefix = np.zeros(count + 1, np.uint64)
    for i in range(count):
        prefix[i + 1] = prefix[i] * _BASE + hashes[i]
    return prefix


@njit(cache=True, nogil=True)
def powers(count):  # type: ignore[no-untyped-def]
    """The powers of the polynomial's base, 0 to ``count``."""
    result = np.ones(count + 1, np.uint64)
    for i in range(count):
        result[i + 1] = result[i] * _BASE
    return result


@njit(cache=True, nogil=True)
def _words(data, begin, stop):  # type: ignore[no-untyped-def]
    room = (stop - begin) // 2 + 2
    hashes = np.empty(room, np.uint64)
    starts = np.empty(room, np.int64)
    ends = np.empty(room, np.int64)
    flags = np.empty(room, np.uint8)
    kinds = np.empty(room, np.uint8)
    count = _split(data, begin, stop, hashes, starts, ends, flags)
    count = _fold_words(hashes, starts, ends, flags, count, kinds)
    return hashes[:count], starts[:count], ends[:count], prefix_hashes(hashes, count), kinds[:count]


def words(data: bytes | NDArray[np.uint8], begin: int = 0, stop: int | None = None) -> Words:
    """The folded words of UTF-8 ``data[begin:stop]``; spans are offsets in ``data``."""
    array = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    return Words(*_words(array, begin, len(array) if stop is None else stop))


def digest(found: Words) -> int:
    """One 64-bit number for all words of a text; equal where the texts say the same words."""
    return int(found.prefix[-1]) if len(found.hashes) else 0
