"""Matches as rows of an array, how two of them lie to each other, and those of one rule made one.

A match is a row of ``found`` (columns below); a list of matches is an array of row numbers. Where
ScanCode compares names of rules, ``Facts.rank`` does.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.licenses import spans
from stackcurate.licenses.rules import TAG

# Columns of a match. SIZE and HIGH count words and license words of the rule that were found.
RULE, SIZE, HIGH, ORDER, KIND = 0, 1, 2, 3, 4
Q, Q_COUNT, R, R_COUNT = 5, 6, 7, 8  # its words in the text and in the rule: spans of the pool
Q_FIRST, Q_LAST, R_FIRST, R_LAST = 9, 10, 11, 12
LINE, LAST_LINE, LENGTH, EXPRESSION = 13, 14, 15, 16  # LENGTH: words of the rule
COLUMNS = 17
# Bits of KIND: how a match was found.
WHOLE, BY_TAG, EXACT, APART = 1, 2, 4, 8
LEAST_DENSE = 0.4  # of the words between first and last
FAR = 50  # words between two parts of one match
LIST, LONG_LIST, LISTED = 15, 150, 20  # matches that make a list of licenses; words of such a one


@njit(cache=True, nogil=True)
def flags_of(facts, match):  # type: ignore[no-untyped-def]
    """Flags of a match's rule; a tag has a rule of its own behind all others."""
    return facts.flags[match[RULE]] if match[RULE] < facts.flags.size else TAG


@njit(cache=True, nogil=True)
def _rank(facts, match):  # type: ignore[no-untyped-def]
    return facts.rank[match[RULE]] if match[RULE] < facts.rank.size else match[RULE]


@njit(cache=True, nogil=True)
def by_place(found, rows):  # type: ignore[no-untyped-def]
    """Rows by place; the one with more license words, then more words, first."""
    keys = np.empty(rows.size, np.int64)
    for at in range(rows.size):
        match = found[rows[at]]
        key = np.int64(match[Q_FIRST]) << 33
        key |= np.int64(max(0, 32767 - match[HIGH])) << 18
        keys[at] = key | np.int64(max(0, 32767 - match[SIZE])) << 3 | np.int64(match[ORDER])
    return rows[np.argsort(keys, kind="mergesort")]


@njit(cache=True, nogil=True)
def apart(pool, one, other, at, count, first, last):  # type: ignore[no-untyped-def]
    """Words from one match to another, on the side that the columns name; 0 where they overlap."""
    touching = one[first] <= other[last] and other[first] <= one[last]
    if touching and spans.overlap(pool, one[at], one[count], other[at], other[count]):
        return 0
    if one[first] == other[last] + 1 or one[last] == other[first] - 1:
        return 1
    return other[first] - one[last] if one[last] < other[first] else one[first] - other[last]


@njit(cache=True, nogil=True)
def shared(pool, one, other):  # type: ignore[no-untyped-def]
    """Words of the text that two matches share."""
    if one[Q_FIRST] > other[Q_LAST] or other[Q_FIRST] > one[Q_LAST]:
        return 0
    return spans.overlap(pool, one[Q], one[Q_COUNT], other[Q], other[Q_COUNT])


@njit(cache=True, nogil=True)
def holds(pool, one, other):  # type: ignore[no-untyped-def]
    """Whether one match has every word of the text that another has."""
    inside = one[Q_FIRST] <= other[Q_FIRST] and other[Q_LAST] <= one[Q_LAST]
    return inside and spans.holds(pool, one[Q], one[Q_COUNT], other[Q], other[Q_COUNT])


@njit(cache=True, nogil=True)
def equal(pool, one, other):  # type: ignore[no-untyped-def]
    """Whether two matches are on the same words of the text."""
    return spans.equal(pool, one[Q], one[Q_COUNT], other[Q], other[Q_COUNT])


@njit(cache=True, nogil=True)
def surrounds(one, other):  # type: ignore[no-untyped-def]
    """Whether one match begins no later and ends no earlier than another."""
    return one[Q_FIRST] <= other[Q_FIRST] and one[Q_LAST] >= other[Q_LAST]


@njit(cache=True, nogil=True)
def _high(facts, pool, match, at, count):  # type: ignore[no-untyped-def]
    if match[RULE] >= facts.start.size - 1:
        return match[HIGH]
    base, high = facts.start[match[RULE]], 0
    for row in range(at, at + count):
        for place in range(pool[row, 0], pool[row, 1] + 1):
            high += facts.tokens[base + place] < facts.legal
    return high


@njit(cache=True, nogil=True)
def _join(facts, pool, used, one, other, even):  # type: ignore[no-untyped-def]
    """Make ``one`` both; with ``even`` only where as many words are found as matched.

    Returns the words used of the pool and whether they were joined.
    """
    q_count, q_size = spans.union(pool, used, one[Q], one[Q_COUNT], other[Q], other[Q_COUNT])
    i_at = used + q_count
    i_count, i_size = spans.union(pool, i_at, one[R], one[R_COUNT], other[R], other[R_COUNT])
    if even and q_size != i_size:
        return used, False
    separate = i_size == one[SIZE] + other[SIZE]
    high = one[HIGH] + other[HIGH] if separate else _high(facts, pool, one, i_at, i_count)
    one[Q], one[Q_COUNT], one[R], one[R_COUNT] = used, q_count, i_at, i_count
    one[SIZE], one[HIGH] = q_size, high
    one[Q_FIRST], one[Q_LAST] = pool[used, 0], pool[used + q_count - 1, 1]
    one[R_FIRST], one[R_LAST] = pool[i_at, 0], pool[i_at + i_count - 1, 1]
    if one[KIND] | other[KIND] != one[KIND]:
        one[KIND] |= other[KIND]
        one[ORDER] = max(one[ORDER], other[ORDER])
    return i_at + i_count, True


@njit(cache=True, nogil=True)
def merge(facts, found, pool, used, rows):  # type: ignore[no-untyped-def]
    """Join matches of one rule that follow each other in text and rule; (pool, used, rows)."""
    if rows.size < 2:
        return pool, used, rows
    rows = by_place(found, rows)
    ranks = np.empty(rows.size, np.int64)
    for at in range(rows.size):
        ranks[at] = _rank(facts, found[rows[at]])
    order = np.argsort(ranks, kind="mergesort")
    rows, ranks = rows[order], ranks[order]
    gone = np.zeros(rows.size, np.bool_)
    begin = 0
    while begin < rows.size:
        end = begin + 1
        while end < rows.size and ranks[end] == ranks[begin]:
            end += 1
        if end - begin > 1:
            far = min(max(found[rows[begin], LENGTH] // 2, 1), FAR)
            pool, used = _merge_rule(
                facts, found, pool, used, rows[begin:end], gone[begin:end], far
            )
        begin = end
    return pool, used, rows[~gone]


@njit(cache=True, nogil=True)
def _merge_rule(facts, found, pool, used, rows, gone, far):  # type: ignore[no-untyped-def]
    for i in range(rows.size):
        if gone[i]:
            continue
        one = found[rows[i]]
        for j in range(i + 1, rows.size):
            if gone[j]:
                continue
            other = found[rows[j]]
            if (
                apart(pool, one, other, Q, Q_COUNT, Q_FIRST, Q_LAST) > far
                or apart(pool, one, other, R, R_COUNT, R_FIRST, R_LAST) > far
            ):
                break
            same_rule_words = spans.equal(pool, one[R], one[R_COUNT], other[R], other[R_COUNT])
            if same_rule_words and equal(pool, one, other):
                gone[j] = True
                continue
            if same_rule_words and shared(pool, one, other):
                if one[Q_LAST] - one[Q_FIRST] <= other[Q_LAST] - other[Q_FIRST]:
                    gone[j] = True
                    continue
                gone[i] = True
                break
            if holds(pool, one, other):
                gone[j] = True
                continue
            if holds(pool, other, one):
                gone[i] = True
                break
            pool = spans.room(
                pool, used, 2 * (one[Q_COUNT] + other[Q_COUNT] + one[R_COUNT] + other[R_COUNT])
            )
            if surrounds(one, other):
                used, joined = _join(facts, pool, used, one, other, True)
                if joined:
                    gone[j] = True
                    continue
            if surrounds(other, one):
                used, joined = _join(facts, pool, used, other, one, True)
                if joined:
                    gone[i] = True
                    break
            if other[Q_FIRST] > one[Q_LAST] and other[R_FIRST] > one[R_LAST]:
                used, joined = _join(facts, pool, used, one, other, False)
                gone[j] = True
                continue
            if (
                one[Q_FIRST] <= other[Q_FIRST]
                and one[Q_LAST] <= other[Q_LAST]
                and one[R_FIRST] <= other[R_FIRST]
                and one[R_LAST] <= other[R_LAST]
            ):
                common = shared(pool, one, other)
                if common and common == spans.overlap(
                    pool, one[R], one[R_COUNT], other[R], other[R_COUNT]
                ):
                    used, joined = _join(facts, pool, used, one, other, False)
                    gone[j] = True
    return pool, used
