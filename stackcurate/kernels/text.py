"""Counts what a text looks like, so that the signals of a whole column cost a linear pass.

Every kernel takes the data and offsets of an Arrow (large) string or binary array: value ``i`` is
``data[offsets[i]:offsets[i + 1]]``. Nothing is decoded twice and nothing is backtracked over.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
from numba import njit

LETTERS = Path(__file__).resolve().parent.parent / "tables" / "letters.json"

# Bits of a character class: the first two also in the table of all code points.
ALPHA, ALPHANUM, HEX, WORD, BASE64, SPACE = 1, 2, 4, 8, 16, 32

BASE64_RUN = 64  # characters of [a-zA-Z0-9+/\n=]
HEX_RUN = 8  # two-digit hex bytes in a list
ESCAPE_RUN = 8  # \uXXXX escapes in a row

SHEBANG, MODELINE, PROLOG = 1, 2, 4  # bits of `marks`


@functools.cache
def letters() -> np.ndarray:
    """ALPHA and ALPHANUM bits of every code point: uint8[0x110000], 1.1 MB, built once."""
    table = np.zeros(0x110000, np.uint8)
    facts = json.loads(LETTERS.read_text("utf-8"))
    for key, bit in (("alpha", ALPHA), ("alphanum", ALPHANUM)):
        for first, last in facts[key]:
            table[first : last + 1] |= bit
    return table


@functools.cache
def classes() -> np.ndarray:
    """Class bits of every byte: uint8[256]; bytes above 127 have none."""
    table = np.zeros(256, np.uint8)
    for code in range(128):
        char = chr(code)
        table[code] = (
            (ALPHA if char.isalpha() else 0)
            | (ALPHANUM if char.isalnum() else 0)
            | (HEX if char in "0123456789abcdefABCDEF" else 0)
            | (WORD if char.isalnum() or char == "_" else 0)
            | (BASE64 if char.isalnum() or char in "+/\n=" else 0)
            | (SPACE if char in " \t\n\r\f\v" else 0)
        )
    return table


@njit(cache=True, nogil=True)
def _decode(data: np.ndarray, at: int, end: int) -> tuple[int, int]:
    """Code point and length in bytes of the character at ``at``; (-1, 1) where it is malformed."""
    lead = data[at]
    if 0xC2 <= lead < 0xE0:
        more, code = 1, lead & 0x1F
    elif 0xE0 <= lead < 0xF0:
        more, code = 2, lead & 0x0F
    elif 0xF0 <= lead < 0xF5:
        more, code = 3, lead & 0x07
    else:
        return -1, 1
    if at + more >= end:
        return -1, 1
    value = np.int64(code)
    for step in range(1, more + 1):
        if data[at + step] & 0xC0 != 0x80:
            return -1, 1
        value = (value << 6) | np.int64(data[at + step] & 0x3F)
    if value > 0x10FFFF:
        return -1, 1
    return value, more + 1


@njit(cache=True, nogil=True)
def count_text(
    data: np.ndarray,
    offsets: np.ndarray,
    byte_class: np.ndarray,
    letter: np.ndarray,
    lines: np.ndarray,
    chars: np.ndarray,
    longest: np.ndarray,
    alpha: np.ndarray,
    alphanum: np.ndarray,
) -> None:
    """Lines, characters without line ends, longest line, letters, letters and digits of each value.

    A line ends with ``\\n``, ``\\r\\n`` or ``\\r``; a last line without an end counts if it is not
    empty. A byte that is not part of well-formed UTF-8 is one character and no letter.
    Outputs are int64[n]; ``chars`` counts all characters, line ends too.
    """
    for row in range(len(offsets) - 1):
        at, end = offsets[row], offsets[row + 1]
        n_lines = n_chars = n_alpha = n_alphanum = best = 0
        line_start = 0  # characters before this line
        while at < end:
            byte = data[at]
            if byte >= 0x80:
                code, size = _decode(data, at, end)
                if code >= 0:
                    n_alpha += letter[code] & ALPHA
                    n_alphanum += (letter[code] & ALPHANUM) >> 1
                at += size
                n_chars += 1
                continue
            if byte == 10 or byte == 13:
                best = max(best, n_chars - line_start)
                n_lines += 1
                if byte == 13 and at + 1 < end and data[at + 1] == 10:
                    at += 1
                    n_chars += 1
                n_chars += 1
                at += 1
                line_start = n_chars
                continue
            kind = byte_class[byte]
            n_alpha += kind & ALPHA
            n_alphanum += (kind & ALPHANUM) >> 1
            n_chars += 1
            at += 1
        if n_chars > line_start:
            best = max(best, n_chars - line_start)
            n_lines += 1
        lines[row], chars[row], longest[row] = n_lines, n_chars, best
        alpha[row], alphanum[row] = n_alpha, n_alphanum


@njit(cache=True, nogil=True)
def line_chars(data: np.ndarray, offsets: np.ndarray, out: np.ndarray) -> None:
    """Characters of each value that belong to line ends (``\\r`` and ``\\n``), into int64[n]."""
    for row in range(len(offsets) - 1):
        count = 0
        for at in range(offsets[row], offsets[row + 1]):
            count += (data[at] == 10) | (data[at] == 13)
        out[row] = count


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
    data: np.ndarray, begin: int, end: int, byte_class: np.ndarray, runs: np.ndarray
) -> int:
    """Writes [start, end) of every list of HEX_RUN and more hex bytes; returns their number."""
    found, items, first, last = 0, 0, begin, begin
    # HEX and WORD bits of the last four bytes, four bits each, x as no word: no word, two digits,
    # no word is all that the common byte is asked about.
    digits = ((byte_class >> 2) & 3).astype(np.uint32)
    digits[120] = digits[88] = 0
    seen = np.uint32(0)
    for at in range(begin, end + 1):
        if at < end:
            seen = np.uint32(seen << np.uint32(4)) | digits[data[at]]
        else:
            seen = np.uint32(seen << np.uint32(4))
        if seen & np.uint32(0x2332) != np.uint32(0x0330):
            continue
        pair = at - 2
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
    data: np.ndarray, at: int, end: int, byte_class: np.ndarray, runs: np.ndarray
) -> int:
    """Writes [start, end) of every run of ESCAPE_RUN and more ``\\uXXXX``; returns their number."""
    found = backslashes = 0
    for place in range(at, end):  # counting is many times faster than looking
        backslashes += data[place] == 92
    if backslashes < ESCAPE_RUN:
        return found
    while at + 6 * ESCAPE_RUN <= end:
        if data[at] != 92:
            at += 1
            continue
        start = at
        while (
            at + 6 <= end
            and data[at] == 92
            and data[at + 1] == 117
            and byte_class[data[at + 2]] & HEX
            and byte_class[data[at + 3]] & HEX
            and byte_class[data[at + 4]] & HEX
            and byte_class[data[at + 5]] & HEX
        ):
            at += 6
        if at - start >= 6 * ESCAPE_RUN:
            runs[found, 0], runs[found, 1] = start, at
            found += 1
        elif at == start:
            at += 1
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
    # The shortest run of any kind, eight bare hex bytes, has 23 characters.
    runs = np.empty((3, widest // 16 + 1, 2), np.int64)
    counts = np.zeros(3, np.int64)
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        counts[0] = _base64_runs(data, begin, end, byte_class, runs[0])
        counts[1] = _hex_runs(data, begin, end, byte_class, runs[1])
        counts[2] = _escape_runs(data, begin, end, byte_class, runs[2])
        best = np.int64(0)
        for kind in range(3):
            for number in range(counts[kind]):
                best = max(best, runs[kind, number, 1] - runs[kind, number, 0])
        longest[row] = best
        covered[row] = _covered(runs, counts) if best else 0


@njit(cache=True, nogil=True)
def head_ends(
    data: np.ndarray, offsets: np.ndarray, lines: int, limit: int, out: np.ndarray
) -> None:
    """Where the first ``lines`` lines of each value end, at most ``limit`` bytes in: int64[n]."""
    for row in range(len(offsets) - 1):
        at = offsets[row]
        end = min(offsets[row + 1], at + limit)
        left = lines
        while at < end and left > 0:
            left -= data[at] == 10
            at += 1
        out[row] = at


@njit(cache=True, nogil=True)
def marks(data: np.ndarray, offsets: np.ndarray, lines: int, limit: int, out: np.ndarray) -> None:
    """Which values may name their language: bits SHEBANG, MODELINE and PROLOG, uint8[n].

    MODELINE: ``*-`` in the first ``lines`` lines, or a colon as in ``vim:`` in the first or last
    ones, each end at most ``limit`` bytes. It may be set in vain, never missed.
    """
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        start = begin
        if end - start >= 3 and data[start] == 0xEF and data[start + 1] == 0xBB:
            start += 3
        found = 0
        if end - start >= 2 and data[start] == 35 and data[start + 1] == 33:
            found |= SHEBANG
        while start < end and (data[start] == 32 or 9 <= data[start] <= 13):
            start += 1
        if end - start >= 5 and data[start] == 60 and data[start + 1] == 63:
            found |= PROLOG
        if _has_modeline(data, begin, end, lines, limit):
            found |= MODELINE
        out[row] = found


@njit(cache=True, nogil=True)
def _may_be_modeline(data: np.ndarray, at: int, end: int) -> bool:
    """Whether a modeline's mark is at ``at``: ``*-``, or a colon as in ``vi:`` or ``vim9:``."""
    byte = data[at]
    if byte == 42:
        return at + 1 < end and data[at + 1] == 45
    if byte != 58:
        return False
    before = data[at - 1]
    return before == 109 or before == 105 or before == 120 or 48 <= before <= 57


@njit(cache=True, nogil=True)
def _has_modeline(data: np.ndarray, begin: int, end: int, lines: int, limit: int) -> bool:
    at, stop, left = begin + 1, min(end, begin + limit), lines
    while at < stop and left > 0:
        byte = data[at]
        if byte == 10:
            left -= 1
        elif (byte == 42 or byte == 58) and _may_be_modeline(data, at, end):
            return True
        at += 1
    at, stop, left = end - 1, max(begin + 1, end - limit), lines + 1
    while at >= stop and left > 0:
        byte = data[at]
        if byte == 10:
            left -= 1
        elif byte == 58 and _may_be_modeline(data, at, end):
            return True
        at -= 1
    return False


@njit(cache=True, nogil=True)
def gather(data: np.ndarray, offsets: np.ndarray, where: np.ndarray, out: np.ndarray) -> None:
    """Copies the first ``where[i + 1] - where[i]`` bytes of each value into ``out``."""
    for row in range(len(offsets) - 1):
        size = where[row + 1] - where[row]
        out[where[row] : where[row + 1]] = data[offsets[row] : offsets[row] + size]
