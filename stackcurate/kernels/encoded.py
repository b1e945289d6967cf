"""Finds encoded data in text: base64, lists of hex bytes, escapes (see `count_encoded`)."""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.kernels.text import HEX, SPACE, WORD

BASE64_RUN = 64  # characters of [a-zA-Z0-9+/\n=]
HEX_RUN = 8  # two-digit hex bytes in a list
_SHORTEST = 23  # characters of the shortest run of any kind: eight bare hex bytes
ESCAPE_RUN = 8  # \uXXXX escapes in a row


_ONE = np.uint8(1)
# What a run of each kind may hold, as bits of `_kinds`; a whole run is found from the words inside.
_IN_BASE64, _IN_HEX, _IN_ESCAPE, _DIGIT = 1, 2, 4, 8
_BLOCK = 4096  # bytes whose kinds stay in the first-level cache


@njit(cache=True, nogil=True)
def _kinds(data: np.ndarray, out: np.ndarray) -> None:
    """Which runs each byte may be part of, into uint8[n].

    No branches and nothing wider than a byte: compilers make whole vectors of it.
    """
    for i in range(len(data)):
        byte = data[i]
        lower = np.uint8(byte | np.uint8(32))
        digit = np.uint8(byte - np.uint8(48)) < np.uint8(10)
        letter = np.uint8(lower - np.uint8(97))
        hexadecimal = digit | (letter < np.uint8(6))
        escape = (byte == np.uint8(92)) | hexadecimal
        space = (byte == np.uint8(32)) | (np.uint8(byte - np.uint8(9)) < np.uint8(5))
        base64 = digit | (letter < np.uint8(26)) | (byte == np.uint8(43)) | (byte == np.uint8(47))
        base64 |= (byte == np.uint8(10)) | (byte == np.uint8(61))
        listed = escape | space | (lower == np.uint8(120)) | (byte == np.uint8(44))
        escape |= byte == np.uint8(117)
        runs = np.uint8(base64) | np.uint8(np.uint8(listed) << _ONE)
        out[i] = runs | np.uint8(escape << np.uint8(2)) | np.uint8(hexadecimal << np.uint8(3))


@njit(cache=True, nogil=True)
def _fold(kinds: np.ndarray, words: np.ndarray, count: int, out: np.ndarray) -> None:
    """What all eight bytes of each of ``count`` words may be part of, into uint8[count].

    ``words`` are the bytes of ``kinds`` by eight. _DIGIT says whether one of the eight is a digit.
    """
    for at in range(count):
        word = words[at]
        some = word & np.uint64(0x0808080808080808)
        word &= word >> np.uint64(32)
        word &= word >> np.uint64(16)
        word &= word >> np.uint64(8)
        out[at] = np.uint8(word & np.uint64(7)) | np.uint8(np.uint8(some != 0) << np.uint8(3))


@njit(cache=True, nogil=True)
def _folded(
    data: np.ndarray,
    begin: int,
    end: int,
    kinds: np.ndarray,
    words: np.ndarray,
    out: np.ndarray,
) -> int:
    """``_fold`` of the words of [begin, end), the first at ``begin``; returns their number."""
    total = (end - begin) // 8
    done = 0
    while done < total:
        count = min(_BLOCK // 8, total - done)
        at = begin + 8 * done
        _kinds(data[at : at + 8 * count], kinds)
        _fold(kinds, words, count, out[done:])
        done += count
    return total


@njit(cache=True, nogil=True)
def _next(folded: np.ndarray, at: int, total: int, kind: int, least: int) -> int:
    """The first of ``least`` words in a row, from word ``at`` on, that are of ``kind``; else -1.

    Such a row covers every ``least``-th word, so most are skipped by looking back from there.
    """
    while at + least <= total:
        back = at + least - 1
        while back >= at and folded[back] & kind:
            back -= 1
        if back < at:
            return at
        at = back + 1
    return -1


@njit(cache=True, nogil=True)
def _stretch(
    data: np.ndarray,
    word: int,
    begin: int,
    end: int,
    member: np.ndarray,
) -> tuple[int, int]:
    """The widest stretch of bytes of the class ``member`` around word ``word`` of [begin, end)."""
    start = begin + 8 * word
    stop = start + 8
    while start > begin and member[data[start - 1]]:
        start -= 1
    while stop < end and member[data[stop]]:
        stop += 1
    return start, stop


@njit(cache=True, nogil=True)
def _base64_runs(
    data: np.ndarray,
    begin: int,
    end: int,
    folded: np.ndarray,
    total: int,
    member: np.ndarray,
    runs: np.ndarray,
) -> int:
    """Writes [start, end) of every run of BASE64_RUN and more; returns their number.

    ``member`` says of each byte whether such a run may hold it, and so for the other kinds.
    """
    found, word = 0, _next(folded, 0, total, _IN_BASE64, BASE64_RUN // 8 - 1)
    while word >= 0:
        start, stop = _stretch(data, word, begin, end, member)
        if stop - start >= BASE64_RUN:
            runs[found, 0], runs[found, 1] = start, stop
            found += 1
        word = _next(folded, (stop - begin) // 8, total, _IN_BASE64, BASE64_RUN // 8 - 1)
    return found


@njit(cache=True, nogil=True)
def _hex_item(data: np.ndarray, pair: int, begin: int, end: int, byte_class: np.ndarray) -> int:
    """Where the item whose two digits stand at ``pair`` begins, -1 where they are no item.

    Only a word that is a pair, or ``0x`` and a pair, or ``x`` and a pair behind a backslash.
    """
    if not (byte_class[data[pair]] & HEX and byte_class[data[pair + 1]] & HEX):
        return -1
    if pair + 2 < end and byte_class[data[pair + 2]] & WORD:
        return -1
    if pair == begin or not byte_class[data[pair - 1]] & WORD:
        return pair
    if (data[pair - 1] | 32) != 120 or pair - 2 < begin:  # x or X
        return -1
    if data[pair - 2] == 92:
        return pair - 2 if data[pair - 1] == 120 else -1
    if data[pair - 2] == 48 and (pair - 2 == begin or not byte_class[data[pair - 3]] & WORD):
        return pair - 2
    return -1


@njit(cache=True, nogil=True)
def _listed(data: np.ndarray, at: int, stop: int, byte_class: np.ndarray) -> bool:
    """Whether [at, stop) may stand between two items: blanks and at most one comma."""
    commas = 0
    while at < stop:
        if data[at] == 44:
            commas += 1
        elif not byte_class[data[at]] & SPACE:
            return False
        at += 1
    return commas <= 1


@njit(cache=True, nogil=True)
def _hex_runs(
    data: np.ndarray,
    begin: int,
    end: int,
    byte_class: np.ndarray,
    folded: np.ndarray,
    total: int,
    member: np.ndarray,
    runs: np.ndarray,
) -> int:
    """Writes [start, end) of every list of HEX_RUN and more hex bytes; returns their number.

    Beside the whole words of a list lie at most 14 bytes, fewer than its digits: a pair of words
    without any, as in most indentation, is none of a list or not the only pair.
    """
    found, word = 0, _next(folded, 0, total, _IN_HEX, _SHORTEST // 8)
    while word >= 0:
        if not (folded[word] | folded[word + 1]) & _DIGIT:
            word = _next(folded, word + 1, total, _IN_HEX, _SHORTEST // 8)
            continue
        start, stop = _stretch(data, word, begin, end, member)
        if stop - start >= _SHORTEST:
            found = _hex_lists(data, start, stop, begin, end, byte_class, runs, found)
        word = _next(folded, (stop - begin) // 8, total, _IN_HEX, _SHORTEST // 8)
    return found


@njit(cache=True, nogil=True)
def _hex_lists(
    data: np.ndarray,
    start: int,
    stop: int,
    begin: int,
    end: int,
    byte_class: np.ndarray,
    runs: np.ndarray,
    found: int,
) -> int:
    """Adds the lists of hex bytes in [start, stop) of the text [begin, end) to ``runs``."""
    items, first, last = 0, begin, begin
    for pair in range(start, stop - 1):
        if not byte_class[data[pair]] & HEX:
            continue
        item = _hex_item(data, pair, begin, end, byte_class)
        if item < 0:
            continue
        if items and _listed(data, last, item, byte_class):
            items += 1
        else:
            if items >= HEX_RUN:
                runs[found, 0], runs[found, 1] = first, last
                found += 1
            items, first = 1, item
        last = pair + 2
    if items >= HEX_RUN:
        runs[found, 0], runs[found, 1] = first, last
        found += 1
    return found


@njit(cache=True, nogil=True)
def _escape_runs(
    data: np.ndarray,
    begin: int,
    end: int,
    byte_class: np.ndarray,
    folded: np.ndarray,
    total: int,
    member: np.ndarray,
    runs: np.ndarray,
) -> int:
    """Writes [start, end) of every run of ESCAPE_RUN and more ``\\uXXXX``; returns their number."""
    found, least = 0, 6 * ESCAPE_RUN
    word = _next(folded, 0, total, _IN_ESCAPE, least // 8 - 1)
    while word >= 0:
        at, stop = _stretch(data, word, begin, end, member)
        while at + least <= stop:
            start = at
            while (
                at + 6 <= stop
                and data[at] == 92
                and data[at + 1] == 117
                and byte_class[data[at + 2]] & HEX
                and byte_class[data[at + 3]] & HEX
                and byte_class[data[at + 4]] & HEX
                and byte_class[data[at + 5]] & HEX
            ):
                at += 6
            if at - start >= least:
                runs[found, 0], runs[found, 1] = start, at
                found += 1
            elif at == start:
                at += 1
        word = _next(folded, (stop - begin) // 8, total, _IN_ESCAPE, least // 8 - 1)
    return found


@njit(cache=True, nogil=True)
def _covered(runs: np.ndarray, counts: np.ndarray) -> int:
    """Bytes in the union of three lists of runs, each in order: a merge, linear in their number."""
    at = np.zeros(3, np.int64)
    total = reached = np.int64(0)
    while True:
        pick = -1
        for kind in range(3):
            if at[kind] < counts[kind] and (
                pick < 0 or runs[kind, at[kind], 0] < runs[pick, at[pick], 0]
            ):
                pick = kind
        if pick < 0:
            return total
        start, stop = runs[pick, at[pick], 0], runs[pick, at[pick], 1]
        at[pick] += 1
        start = max(start, reached)
        if stop > start:
            total += stop - start
            reached = stop


@njit(cache=True, nogil=True)
def count_encoded(
    data: np.ndarray,
    offsets: np.ndarray,
    byte_class: np.ndarray,
    covered: np.ndarray,
    longest: np.ndarray,
) -> None:
    """Characters of each value in encoded runs, and the longest run, into int64[n].

    Runs (reference: The Stack v2's encoded-data filter): base64, 64 and more of
    ``[a-zA-Z0-9+/\\n=]``; lists of 8 and more two-digit hex bytes, each with ``0x``, ``\\x`` or
    nothing before it, with blanks and at most one comma between; 8 and more ``\\uXXXX``.
    All are ASCII, so bytes are characters. Overlaps count once.
    """
    widest = 0
    for row in range(len(offsets) - 1):
        widest = max(widest, offsets[row + 1] - offsets[row])
    kinds = np.empty(_BLOCK, np.uint8)
    words = kinds.view(np.uint64)
    every = np.arange(256).astype(np.uint8)
    kind_of = np.empty(256, np.uint8)
    _kinds(every, kind_of)
    in_base64, in_hex = (kind_of & _IN_BASE64) != 0, (kind_of & _IN_HEX) != 0
    in_escape = (kind_of & _IN_ESCAPE) != 0
    folded = np.empty(widest // 8, np.uint8)
    runs = np.empty((3, widest // _SHORTEST + 1, 2), np.int64)
    counts = np.zeros(3, np.int64)
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        total = _folded(data, begin, end, kinds, words, folded)
        counts[0] = _base64_runs(data, begin, end, folded, total, in_base64, runs[0])
        counts[1] = _hex_runs(data, begin, end, byte_class, folded, total, in_hex, runs[1])
        counts[2] = _escape_runs(data, begin, end, byte_class, folded, total, in_escape, runs[2])
        best = np.int64(0)
        for kind in range(3):
            for number in range(counts[kind]):
                best = max(best, runs[kind, number, 1] - runs[kind, number, 0])
        longest[row] = best
        covered[row] = _covered(runs, counts) if best else 0
