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


_ONES = np.uint64(0x0101010101010101)  # times n: the byte n, eight times
_TOPS = np.uint64(0x8080808080808080)


@njit(cache=True, nogil=True)
def _equal(word: np.uint64, byte: int) -> np.uint64:
    """A one in each of eight ASCII bytes that equals ``byte``."""
    return (~((word ^ (_ONES * np.uint64(byte))) + _ONES * np.uint64(127)) & _TOPS) >> np.uint64(7)


@njit(cache=True, nogil=True)
def _between(word: np.uint64, low: int, above: int) -> np.uint64:
    """A one in each of eight ASCII bytes that is ``low`` or more and less than ``above``."""
    reaches = word + _ONES * np.uint64(128 - low)
    passes = word + _ONES * np.uint64(128 - above)
    return (reaches & ~passes & _TOPS) >> np.uint64(7)


@njit(cache=True, nogil=True)
def _sum(word: np.uint64) -> np.int64:
    """The sum of eight bytes."""
    pairs = np.uint64(0x00FF00FF00FF00FF)
    both = (word & pairs) + ((word >> np.uint64(8)) & pairs)
    return np.int64((both * np.uint64(0x0001000100010001)) >> np.uint64(48))


_BLOCK = 4096  # bytes that are counted in 16 bits


@njit(cache=True, nogil=True)
def _survey(data: np.ndarray) -> tuple[bool, bool, int, int, int]:
    """(any byte above 127, any ``\\r``, line feeds, ASCII letters, digits) of bytes uint8[n].

    No branches and nothing wider than 16 bits inside: compilers make whole vectors of it.
    """
    high = returned = False
    n_feeds = n_letters = n_digits = np.int64(0)
    for begin in range(0, len(data), _BLOCK):
        block = data[begin : begin + _BLOCK]
        above = np.uint8(0)
        returns = feeds = letters = digits = np.uint16(0)
        for i in range(len(block)):
            byte = block[i]
            lower = np.uint8(byte | np.uint8(32))
            above = np.uint8(above | byte)
            returns = np.uint16(returns + np.uint16(byte == np.uint8(13)))
            feeds = np.uint16(feeds + np.uint16(byte == np.uint8(10)))
            letters = np.uint16(letters + np.uint16(np.uint8(lower - np.uint8(97)) < np.uint8(26)))
            digits = np.uint16(digits + np.uint16(np.uint8(byte - np.uint8(48)) < np.uint8(10)))
        high |= above >= 128
        returned |= returns != 0
        n_feeds += feeds
        n_letters += letters
        n_digits += digits
    return high, returned, n_feeds, n_letters, n_digits


@njit(cache=True, nogil=True)
def _wide(
    data: np.ndarray, words: np.ndarray, at: int, end: int, letter: np.ndarray
) -> tuple[int, int, int]:
    """(bytes that continue a character, letters, letters and digits) beyond ASCII in [at, end).

    The first is -1 where a byte is malformed.
    """
    more = n_alpha = n_alphanum = np.int64(0)
    while at < end:
        if at % 8 == 0 and at + 8 <= end and words[at // 8] & _TOPS == 0:
            at += 8
            continue
        if data[at] < 0x80:
            at += 1
            continue
        code, size = _decode(data, at, end)
        if code < 0:
            return -1, 0, 0
        n_alpha += letter[code] & ALPHA
        n_alphanum += (letter[code] & ALPHANUM) >> 1
        more += size - 1
        at += size
    return more, n_alpha, n_alphanum


@njit(cache=True, nogil=True)
def _longest(data: np.ndarray, begin: int, end: int, wide: bool) -> int:
    """Characters of the longest line of [begin, end), well-formed and with ``\\n`` ends alone.

    A line of more characters must reach over the byte that lies as far ahead as the longest is
    long, so most bytes are skipped by looking back from there. ``wide`` says whether any character
    has several bytes.
    """
    best = np.int64(0)
    start = begin
    while start + best < end:
        back = start + best
        while back >= start and data[back] != 10:
            back -= 1
        if back >= start:
            start = back + 1
            continue
        stop = start + best
        while stop < end and data[stop] != 10:
            stop += 1
        size = stop - start
        if wide:
            for at in range(start, stop):
                size -= data[at] & 0xC0 == 0x80
        best = max(best, size)
        start = stop + 1
    return best


@njit(cache=True, nogil=True)
def _count(
    data: np.ndarray,
    words: np.ndarray,
    at: int,
    end: int,
    byte_class: np.ndarray,
    letter: np.ndarray,
) -> tuple[int, int, int, int, int, int]:
    """The six counts of ``count_text`` for [at, end), whatever it holds."""
    n_lines = n_chars = n_ends = n_alpha = n_alphanum = best = np.int64(0)
    line_start = np.int64(0)  # characters before this line
    while at < end:
        if at % 8 == 0 and at + 8 <= end:  # eight bytes of a line at once
            word = words[at // 8]
            if word & _TOPS == 0 and _equal(word, 10) | _equal(word, 13) == 0:
                here = _sum(_between(word | (_ONES * np.uint64(32)), 97, 123))
                n_alpha += here
                n_alphanum += here + _sum(_between(word, 48, 58))
                n_chars += 8
                at += 8
                continue
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
                n_ends += 1
            n_chars += 1
            n_ends += 1
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
    return n_lines, n_chars, n_ends, best, n_alpha, n_alphanum


@njit(cache=True, nogil=True)
def count_text(
    data: np.ndarray,
    offsets: np.ndarray,
    byte_class: np.ndarray,
    letter: np.ndarray,
    lines: np.ndarray,
    chars: np.ndarray,
    line_ends: np.ndarray,
    longest: np.ndarray,
    alpha: np.ndarray,
    alphanum: np.ndarray,
) -> None:
    """Lines, characters, those of line ends, longest line, letters, letters and digits by value.

    A line ends with ``\\n``, ``\\r\\n`` or ``\\r``; a last line without an end counts if it is not
    empty. A byte that is not part of well-formed UTF-8 is one character and no letter.
    Outputs are int64[n]; the longest line is in characters without its end.
    """
    words = data[: len(data) // 8 * 8].view(np.uint64)
    for row in range(len(offsets) - 1):
        at, end = offsets[row], offsets[row + 1]
        high, returned, ends, letters, digits = _survey(data[at:end])
        more = wide_alpha = wide_alphanum = np.int64(0)
        if high and not returned:
            more, wide_alpha, wide_alphanum = _wide(data, words, at, end, letter)
        if more >= 0 and not returned:
            lines[row] = ends + (end > at and data[end - 1] != 10)
            chars[row], longest[row] = end - at - more, _longest(data, at, end, high)
            line_ends[row] = ends
            alpha[row] = letters + wide_alpha
            alphanum[row] = letters + digits + wide_alphanum
            continue
        lines[row], chars[row], line_ends[row], longest[row], alpha[row], alphanum[row] = _count(
            data, words, at, end, byte_class, letter
        )


@njit(cache=True, nogil=True)
def beyond_ascii(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Whether each value has a byte that is NUL or above 127: bool[n].

    Such bytes, less one, are above 126, and all other bytes are not: one test finds both.
    """
    found = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(found)):
        value = data[offsets[row] : offsets[row + 1]]
        most = np.uint8(0)
        for i in range(len(value)):
            most = max(most, np.uint8(value[i] - np.uint8(1)))
        found[row] = most > 126
    return found


@njit(cache=True, nogil=True)
def line_chars(data: np.ndarray, offsets: np.ndarray, out: np.ndarray) -> None:
    """Characters of each value that belong to line ends (``\\r`` and ``\\n``), into int64[n]."""
    for row in range(len(offsets) - 1):
        count = 0
        for at in range(offsets[row], offsets[row + 1]):
            count += (data[at] == 10) | (data[at] == 13)
        out[row] = count


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
