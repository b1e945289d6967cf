"""Finds encoded data in text: base64, lists of hex bytes, escapes (see `count_encoded`)."""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.kernels.text import BASE64, HEX, SPACE, WORD

BASE64_RUN = 64  # characters of [a-zA-Z0-9+/\n=]
HEX_RUN = 8  # two-digit hex bytes in a list
_SHORTEST = 23  # characters of the shortest run of any kind: eight bare hex bytes
ESCAPE_RUN = 8  # \uXXXX escapes in a row


@njit(cache=True, nogil=True)
def _base64_runs(
    data: np.ndarray, at: int, end: int, byte_class: np.ndarray, runs: np.ndarray
) -> int:
    """Writes [start, end) of every run of BASE64_RUN and more; returns their number."""
    found = 0
    while at + BASE64_RUN <= end:
        # A run must cover every BASE64_RUN-th byte, so most text is skipped by looking back.
        back = at + BASE64_RUN - 1
        while back >= at and byte_class[data[back]] & BASE64:
            back -= 1
        if back >= at:
            at = back + 1
            continue
        stop = at + BASE64_RUN
        while stop < end and byte_class[data[stop]] & BASE64:
            stop += 1
        runs[found, 0], runs[found, 1] = at, stop
        found += 1
        at = stop + 1
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
    listed: np.ndarray,
    runs: np.ndarray,
) -> int:
    """Writes [start, end) of every list of HEX_RUN and more hex bytes; returns their number.

    ``listed`` says of each byte whether such a list may hold it. A list must cover every
    _SHORTEST-th byte, so most text is skipped by looking back, as for base64.
    """
    found, at = 0, begin
    while at + _SHORTEST <= end:
        back = at + _SHORTEST - 1
        while back >= at and listed[data[back]]:
            back -= 1
        if back >= at:
            at = back + 1
            continue
        stop = at + _SHORTEST
        while stop < end and listed[data[stop]]:
            stop += 1
        found = _hex_lists(data, at, stop, begin, end, byte_class, runs, found)
        at = stop + 1
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
    at: int,
    end: int,
    byte_class: np.ndarray,
    escaped: np.ndarray,
    runs: np.ndarray,
) -> int:
    """Writes [start, end) of every run of ESCAPE_RUN and more ``\\uXXXX``; returns their number.

    ``escaped`` says of each byte whether such a run may hold it: text is skipped as for base64.
    """
    found = 0
    least = 6 * ESCAPE_RUN
    while at + least <= end:
        back = at + least - 1
        while back >= at and escaped[data[back]]:
            back -= 1
        if back >= at:
            at = back + 1
            continue
        stop = at + least
        while stop < end and escaped[data[stop]]:
            stop += 1
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
        at = stop + 1
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
    listed = (byte_class & (HEX | SPACE)) != 0
    listed[120] = listed[88] = listed[92] = listed[44] = True  # x, X, backslash, comma
    escaped = (byte_class & HEX) != 0
    escaped[117] = escaped[92] = True  # u, backslash
    runs = np.empty((3, widest // _SHORTEST + 1, 2), np.int64)
    counts = np.zeros(3, np.int64)
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        counts[0] = _base64_runs(data, begin, end, byte_class, runs[0])
        counts[1] = _hex_runs(data, begin, end, byte_class, listed, runs[1])
        counts[2] = _escape_runs(data, begin, end, byte_class, escaped, runs[2])
        best = np.int64(0)
        for kind in range(3):
            for number in range(counts[kind]):
                best = max(best, runs[kind, number, 1] - runs[kind, number, 0])
        longest[row] = best
        covered[row] = _covered(runs, counts) if best else 0
