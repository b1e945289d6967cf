"""Renames the identifiers of a copy of the corpus, so that ten copies are ten times the code.

Words of four characters and more change some of their letters, by a rule of (word, copy): the
same word becomes the same other word all through a copy. Lengths, lines, case, digits and hex
digits stay, and so do keywords and the words of license notices, so that detectors meet what they
met before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

# Keywords of widespread languages, and words by which notices are recognized.
KEPT = """
abstract alignas array assert async await begin bool boolean break byte case cast catch char class
const constexpr constructor continue default defer define defined delete double elif else elseif
elsif endif ensure enum error except explicit export extends extern false field final finally float
foreach from func function global goto ifdef ifndef impl implements import include inline instanceof
integer interface internal lambda length list long loop match module mutable namespace native nil
none nonlocal null object operator override package pass print private procedure protected public
pragma raise range readonly record redo register repeat require rescue restrict return self short
signed sizeof static string struct super switch synchronized template then this throw throws trait
true type typedef typeof typename undefined union unless unsigned until using value virtual void
volatile when where while with yield
apache authors clause code conditions contributors copies copyright copyrighted damages disclaimer
distribute distributed distribution free general granted hereby holder implied including liability
license licensed licenses limitations merchantability modification modify notice permission
permissions permitted provided public purpose redistribution redistributions reserved rights
software source spdx identifier terms under warranties warranty without http https html json utf8
"""
_CONTROL = ("LICEN", "COPYING", "COPYRIGHT", "NOTICE", "METADATA", "PACKAGE.JSON", "UNLICENSE")
_SEED = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)


def is_notice(path: str) -> bool:
    """Whether a file is one that says under which license its folder is."""
    return path.rsplit("/", 1)[-1].upper().startswith(_CONTROL)


def salt(texts: Sequence[bytes], copy: int) -> list[bytes]:
    """``texts`` with the identifiers of copy number ``copy``; lengths stay."""
    ends = np.cumsum([0, *map(len, texts)])
    data = np.frombuffer(b"".join(texts), np.uint8).copy()
    if data.size:
        _rename(data, ends, _KEPT, np.uint64(copy))
    whole = data.tobytes()
    return [whole[a:b] for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]


def _hash(word: bytes) -> int:
    value = int(_SEED)
    for byte in word.lower():
        value = (value ^ byte) * int(_PRIME) % (1 << 64)
    return value


_KEPT = np.array(sorted(_hash(word.encode()) for word in KEPT.split()), np.uint64)


@njit(cache=True, nogil=True)
def _rename(data: np.ndarray, ends: np.ndarray, kept: np.ndarray, copy: np.uint64) -> None:
    """In place; words do not reach over the ends of texts."""
    for text in range(len(ends) - 1):
        begin = ends[text]
        while begin < ends[text + 1]:
            end = begin
            value = _SEED
            while end < ends[text + 1] and _in_word(data[end]):
                low = data[end] | np.uint8(32) if 65 <= data[end] <= 90 else data[end]
                value = (value ^ np.uint64(low)) * _PRIME
                end += 1
            if end - begin >= 4:
                at = np.searchsorted(kept, value)
                if at == len(kept) or kept[at] != value:
                    _turn(data, begin, end, value, copy)
            begin = max(end, begin + 1)


@njit(cache=True, nogil=True)
def _in_word(byte: np.uint8) -> bool:
    return 97 <= byte <= 122 or 65 <= byte <= 90 or 48 <= byte <= 57 or byte == 95


@njit(cache=True, nogil=True)
def _turn(data: np.ndarray, begin: int, end: int, value: np.uint64, copy: np.uint64) -> None:
    """Turn each letter but the first within its class: a-f (hex digits) and g-z.

    In numbers (``0x1f``, ``10ul``) only hex digits turn.
    """
    number = 48 <= data[begin] <= 57
    state = (value ^ (copy * np.uint64(0x9E3779B97F4A7C15))) * _PRIME
    for at in range(begin + 1, end):
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        step = state >> np.uint64(40)
        base = data[at] & np.uint8(0xDF)  # as a capital
        if 65 <= base <= 70:
            turned = 65 + (np.uint64(base - 65) + step) % np.uint64(6)
        elif 71 <= base <= 90 and not number:
            turned = 71 + (np.uint64(base - 71) + step) % np.uint64(20)
        else:
            continue
        data[at] = np.uint8(turned) | (data[at] & np.uint8(32))
