"""Which matches are worth telling by themselves: whole phrases, dense, long enough.

What each question asks is what ScanCode 32 asks (its ``licensedcode/match.py``, by behavior).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.licenses.joined import (
    APART,
    HIGH,
    KIND,
    LAST_LINE,
    LEAST_DENSE,
    LENGTH,
    LINE,
    Q_COUNT,
    Q_FIRST,
    Q_LAST,
    R_COUNT,
    R_FIRST,
    R_LAST,
    RULE,
    SIZE,
    Q,
    R,
    flags_of,
)
from stackcurate.licenses.rules import CONTINUOUS, SMALL, TAG


@njit(cache=True, nogil=True)
def breadth(pool, match, unknown):  # type: ignore[no-untyped-def]
    """Words of the text from a match's first to its last, those nobody knows included."""
    size = match[Q_LAST] - match[Q_FIRST] + 1
    for row in range(match[Q], match[Q] + match[Q_COUNT]):
        for place in range(pool[row, 0], pool[row, 1] + 1):
            if place != match[Q_LAST]:
                size += unknown[place + 1]
    return size


@njit(cache=True, nogil=True)
def _stop_words(facts, rule, place):  # type: ignore[no-untyped-def]
    for row in range(facts.stop_start[rule], facts.stop_start[rule + 1]):
        if facts.stops[row, 1] == place:
            return facts.stops[row, 2]
    return 0


@njit(cache=True, nogil=True)
def _phrase_is_whole(facts, pool, match, unknown, stops, first, last):  # type: ignore[no-untyped-def]
    """Whether a rule's words ``first`` to ``last`` stand in the text without any between them."""
    row, inner = match[R], 0
    count, q_first, q_last = 0, -1, -1
    for q_row in range(match[Q], match[Q] + match[Q_COUNT]):
        for place in range(pool[q_row, 0], pool[q_row, 1] + 1):
            word = pool[row, 0] + inner
            if first <= word <= last:
                count += 1
                q_first = place if q_first < 0 else q_first
                q_last = place
            inner += 1
            if pool[row, 0] + inner > pool[row, 1]:
                row, inner = row + 1, 0
    if count == 0 or q_last - q_first + 1 != count:
        return False
    for place in range(q_first, q_last):
        if unknown[place + 1]:
            return False
    if match[RULE] >= facts.start.size - 1:
        return True
    row, inner = match[R], 0
    for q_row in range(match[Q], match[Q] + match[Q_COUNT]):
        for place in range(pool[q_row, 0], pool[q_row, 1] + 1):
            word = pool[row, 0] + inner
            inside = q_first <= place < q_last
            if inside and _stop_words(facts, match[RULE], word) != stops[place + 1]:
                return False
            inner += 1
            if pool[row, 0] + inner > pool[row, 1]:
                row, inner = row + 1, 0
    return True


@njit(cache=True, nogil=True)
def _has_phrases(facts, pool, match, unknown, stops):  # type: ignore[no-untyped-def]
    rule = match[RULE]
    if rule >= facts.start.size - 1:
        return True
    if facts.flags[rule] & CONTINUOUS:
        size = match[Q_LAST] - match[Q_FIRST] + 1
        if match[SIZE] != size or breadth(pool, match, unknown) != size:
            return False
        return _phrase_is_whole(facts, pool, match, unknown, stops, match[R_FIRST], match[R_LAST])
    for row in range(facts.phrase_start[rule], facts.phrase_start[rule + 1]):
        first, last = facts.phrases[row, 1], facts.phrases[row, 2]
        inside = False
        for at in range(match[R], match[R] + match[R_COUNT]):
            inside = inside or (pool[at, 0] <= first and last <= pool[at, 1])
        if not inside:
            return False
    for row in range(facts.phrase_start[rule], facts.phrase_start[rule + 1]):
        first, last = facts.phrases[row, 1], facts.phrases[row, 2]
        if not _phrase_is_whole(facts, pool, match, unknown, stops, first, last):
            return False
    return True


@njit(cache=True, nogil=True)
def _is_dense(pool, match, unknown):  # type: ignore[no-untyped-def]
    in_text = match[SIZE] / breadth(pool, match, unknown)
    in_rule = match[SIZE] / (match[R_LAST] - match[R_FIRST] + 1)
    return min(in_text, in_rule) >= LEAST_DENSE


@njit(cache=True, nogil=True)
def hundredths(size, length):  # type: ignore[no-untyped-def]
    """The share of ``size`` in ``length`` in hundredths of a percent, rounded."""
    return np.int64(np.rint(size / length * 10000))


@njit(cache=True, nogil=True)
def _is_lone_word(match, unknown, short):  # type: ignore[no-untyped-def]
    """Whether the only word of a match stands among words nobody knows, signs and numbers."""
    if match[SIZE] != 1:
        return False
    at = match[Q_FIRST]
    before, after = unknown[at], unknown[at + 1]
    for place in range(max(0, at - 6), at):
        before += short[place]
    for place in range(at, min(short.size, at + 6)):
        after += short[place]
    return before >= 5 and after >= 5


@njit(cache=True, nogil=True)
def is_good(facts, pool, match, unknown, stops, short):  # type: ignore[no-untyped-def]
    """Whether a match may be told, by itself."""
    if not _has_phrases(facts, pool, match, unknown, stops):
        return False
    if match[KIND] != APART:
        return True
    rule = match[RULE]
    if not _is_dense(pool, match, unknown):
        return False
    share = hundredths(match[SIZE], match[LENGTH])
    if share < 100 * facts.coverage[rule] or _is_lone_word(match, unknown, short):
        return False
    if match[SIZE] < facts.min_length[rule] or match[HIGH] < facts.min_high[rule]:
        return False
    return not (facts.flags[rule] & SMALL and share < 8000)


@njit(cache=True, nogil=True)
def is_scattered(facts, match):  # type: ignore[no-untyped-def]
    """Whether a short match takes more lines than it has words."""
    flags = flags_of(facts, match)
    if not flags & SMALL:
        return False
    size = match[SIZE] + (2 if flags & TAG else 0)
    return match[LAST_LINE] - match[LINE] + 1 > size
