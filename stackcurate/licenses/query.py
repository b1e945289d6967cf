"""A text as ScanCode's matcher sees it: ids of known words, and what stands between them.

Words that no rule has are not part of the sequence; they are counted at the known word before them,
and so are words that are passed over. Runs are what four lines without license words separate.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stackcurate.licenses.rules import STOP, Rules, find

START, END, EMPTY, RUNS = 0, 1, 2, 3  # of the state of an open run
LINES_APART = 4  # lines without a license word that end a run
_FNV, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_MIX, _SHIFT = np.uint64(0xD6E8FEB86659FD93), np.uint64(32)


class Query(NamedTuple):
    """Known words of one text: id, place in the text (code points), line, and their neighbors."""

    ids: NDArray[np.int32]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    line: NDArray[np.int32]  # from 1
    short: NDArray[np.bool_]  # one sign, or digits only
    unknown: NDArray[np.int32]  # words nobody knows after word n - 1; one more than words
    stops: NDArray[np.int32]  # words passed over after word n - 1; one more than words
    runs: NDArray[np.int32]  # first and last word of each run
    tags: NDArray[np.int32]  # lines with an SPDX tag: begin and end of line, first and last word


@lru_cache(maxsize=1)
def _signs() -> NDArray[np.uint8]:
    """By code point of the basic plane: 1 for a sign of words, 2 for an end of lines."""
    signs = np.array([chr(code).isalnum() for code in range(1 << 16)], np.uint8)
    signs[[10, 11, 12, 13, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029]] = 2
    return signs


@njit(cache=True, nogil=True)
def _word(codes, signs, at):  # type: ignore[no-untyped-def]
    """Read the word at ``at``: (its end, its hash, whether it is digits only)."""
    value, plus, number = _FNV, False, True
    while at < codes.size:
        code = codes[at]
        if code == 43 and not plus:  # GPLv2+
            plus = True
        elif code >= signs.size or signs[code] != 1:
            break
        if code < 48 or code > 57:
            number = False
        value = (value ^ np.uint64(code)) * _PRIME
        at += 1
    value = (value ^ (value >> _SHIFT)) * _MIX
    return at, value ^ (value >> _SHIFT), number


@njit(cache=True, nogil=True)
def _tag_at(marks, first, entries):  # type: ignore[no-untyped-def]
    """How many words stand before a tag at the start of a line; -1 where there is none."""
    for skipped in range(min(3, entries - 2)):
        for row in range(marks.shape[0]):
            same = first[skipped] == marks[row, 0] and first[skipped + 1] == marks[row, 1]
            if same and first[skipped + 2] == marks[row, 2]:
                return skipped
    return -1


@njit(cache=True, nogil=True)
def _only_digits(digit, ids, first, last):  # type: ignore[no-untyped-def]
    place = first
    while place <= last and digit[ids[place]]:
        place += 1
    return place > last


@njit(cache=True, nogil=True)
def _end_of_line(state, runs, before, count, good):  # type: ignore[no-untyped-def]
    """Close the open run where enough lines said nothing, and add a line's words to it."""
    if state[END] >= 0 and state[EMPTY] >= LINES_APART:
        runs[state[RUNS], 0], runs[state[RUNS], 1] = state[START], state[END]
        state[RUNS] += 1
        state[END], state[EMPTY] = -1, 0
    if state[END] < 0:
        state[START] = before
    if count > before:
        state[END] = count - 1
    state[EMPTY] = 0 if good else state[EMPTY] + 1


@njit(cache=True, nogil=True)
def _read(codes, signs, lexicon, ids, begin, end, lines, short, unknown, stops, runs, tags):  # type: ignore[no-untyped-def]
    """Fill the arrays of a Query; return (words, runs, tags)."""
    size, count, at, line = codes.size, np.int64(0), np.int64(0), 0
    tag_count = 0
    state = np.array([0, -1, 0, 0])
    first = np.empty(5, np.int32)
    while at < size:
        line += 1
        line_begin, before = at, count
        entries, known, good, digits = 0, False, False, True
        while at < size:
            code = codes[at]
            sign = signs[code] if code < signs.size else 0
            if sign == 2:
                break
            if sign == 0:
                at += 1
                continue
            start = at
            at, value, number = _word(codes, signs, at)
            entry = find(lexicon.slots, lexicon.word, value)
            token = -1 if entry < 0 else lexicon.word_id[entry]
            if token == STOP:
                stops[count] += 1
                continue
            if entries < 5:
                first[entries] = token
            entries += 1
            if token < 0:
                unknown[count] += 1
                continue
            known = True
            if token < lexicon.legal:
                good = True
            if not lexicon.digit[token]:
                digits = False
            ids[count] = token
            begin[count], end[count], lines[count] = start, at, line
            short[count] = number or at - start == 1
            count += 1
            unknown[count] = 0
            stops[count] = 0
        line_end = at
        if at < size:
            at += 2 if codes[at] == 13 and at + 1 < size and codes[at + 1] == 10 else 1
        skipped = _tag_at(lexicon.marks, first, entries)
        if skipped >= 0 and before + skipped < count and tag_count < tags.shape[0]:
            tags[tag_count, 0], tags[tag_count, 1] = line_begin, line_end
            tags[tag_count, 2], tags[tag_count, 3] = before + skipped, count - 1
            tag_count += 1
        _end_of_line(state, runs, before, count, known and good and not digits)
    if state[END] >= 0 and not _only_digits(lexicon.digit, ids, state[START], state[END]):
        runs[state[RUNS], 0], runs[state[RUNS], 1] = state[START], state[END]
        state[RUNS] += 1
    return count, state[RUNS], tag_count


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of a text in lower case, as many as the text has."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return np.frombuffer(lower.encode("utf-32-le", "surrogatepass"), np.uint32)


def read(text: str, rules: Rules) -> Query:
    """``text`` as words that the rules know."""
    codes = code_points(text)
    room = len(codes) // 2 + 2
    ids, begin, end, line = (np.empty(room, np.int32) for _ in range(4))
    short = np.empty(room, np.bool_)
    unknown, stops = np.zeros(room + 1, np.int32), np.zeros(room + 1, np.int32)
    runs, tags = np.empty((room, 2), np.int32), np.empty((1000, 4), np.int32)
    count, run_count, tag_count = _read(
        codes, _signs(), rules.words, ids, begin, end, line, short, unknown, stops,
        runs, tags,
    )  # fmt: skip
    return Query(
        ids[:count], begin[:count], end[:count], line[:count], short[:count],
        unknown[: count + 1], stops[: count + 1], runs[:run_count], tags[:tag_count],
    )  # fmt: skip
