"""Which of many overlapping matches are told: ScanCode's order of filters, over arrays.

What each filter asks is what ScanCode 32 asks (its ``licensedcode/match.py``, by behavior), so that
both tell the same story.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stackcurate.licenses.joined import (
    BY_TAG,
    EXPRESSION,
    HIGH,
    KIND,
    LAST_LINE,
    LENGTH,
    LINE,
    LIST,
    LISTED,
    LONG_LIST,
    Q_COUNT,
    Q_FIRST,
    Q_LAST,
    SIZE,
    Q,
    apart,
    by_place,
    equal,
    flags_of,
    holds,
    merge,
    shared,
    surrounds,
)
from stackcurate.licenses.rules import (
    CLUE,
    ENDS_LICENSE,
    FALSE_POSITIVE,
    INTRO,
    REFERENCE,
    STARTS_LICENSE,
    SYMBOL,
    TAG,
    WITH,
)
from stackcurate.licenses.worth import hundredths, is_good, is_scattered


class Around(NamedTuple):
    """What filters ask of a text beside its words: see ``query.Query``."""

    line: NDArray[np.int32]
    unknown: NDArray[np.int32]
    stops: NDArray[np.int32]
    short: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _contained(found, pool, rows):  # type: ignore[no-untyped-def]
    """(kept, dropped): what lies inside another match, or on the same words, goes."""
    if rows.size < 2:
        return rows, rows[:0]
    rows = by_place(found, rows)
    gone = np.zeros(rows.size, np.bool_)
    dropped = np.empty(rows.size, np.int64)
    count = 0
    for i in range(rows.size):
        if gone[i]:
            continue
        one = found[rows[i]]
        for j in range(i + 1, rows.size):
            if gone[j]:
                continue
            other = found[rows[j]]
            if other[Q_LAST] > one[Q_LAST]:
                break
            loser = -1
            if equal(pool, one, other):
                more = hundredths(one[SIZE], one[LENGTH]) >= hundredths(other[SIZE], other[LENGTH])
                loser = j if more else i
            elif holds(pool, one, other):
                loser = j
            elif holds(pool, other, one):
                loser = i
            if loser >= 0:
                gone[loser] = True
                dropped[count] = rows[loser]
                count += 1
                if loser == i:
                    break
    return rows[~gone], dropped[:count]


@njit(cache=True, nogil=True)
def _part_of(facts, node, other):  # type: ignore[no-untyped-def]
    for row in range(facts.tree_start[node], facts.tree_start[node + 1]):
        if facts.tree_parts[row] == other:
            return True
    return False


@njit(cache=True, nogil=True)
def licensing_holds(facts, one, other):  # type: ignore[no-untyped-def]
    """Whether the expression of one match has that of another as itself or as a part."""
    if one[EXPRESSION] < 0 or other[EXPRESSION] < 0:
        return False
    if one[EXPRESSION] == other[EXPRESSION]:
        return True
    known = facts.tree_of.size
    if one[EXPRESSION] >= known or other[EXPRESSION] >= known:
        return False
    a, b = facts.tree_of[one[EXPRESSION]], facts.tree_of[other[EXPRESSION]]
    if a == b:
        return True
    kind = facts.tree_kind[a]
    if kind == SYMBOL:
        return False
    if _part_of(facts, a, b):
        return True
    if kind == WITH or facts.tree_kind[b] != kind:
        return False
    for row in range(facts.tree_start[b], facts.tree_start[b + 1]):
        if not _part_of(facts, a, facts.tree_parts[row]):
            return False
    return True


@njit(cache=True, nogil=True)
def _loser(facts, pool, one, other):  # type: ignore[no-untyped-def]
    """Which of two overlapping matches goes: 1 the other, 0 this one, -1 neither."""
    common = shared(pool, one, other)
    of_other, of_one = common / other[SIZE], common / one[SIZE]
    longer, shorter = one[SIZE] >= other[SIZE], one[SIZE] <= other[SIZE]
    higher, lower = one[HIGH] >= other[HIGH], one[HIGH] <= other[HIGH]
    if of_other >= 0.9 and longer:
        return 1
    if of_one >= 0.9 and shorter:
        return 0
    if of_other >= 0.7 and longer and higher:
        return 1
    if of_one >= 0.7 and shorter and lower:
        return 0
    if of_other >= 0.4:
        if longer and higher and licensing_holds(facts, one, other):
            return 1
        if (
            other[SIZE] == 2
            and one[SIZE] >= other[SIZE] + 2
            and higher
            and flags_of(facts, one) & ENDS_LICENSE
            and flags_of(facts, other) & STARTS_LICENSE
        ):
            return 1
        if shorter and lower and licensing_holds(facts, other, one):
            return 0
    if of_one >= 0.4:
        if longer and higher and licensing_holds(facts, one, other):
            return 1
        if shorter and lower and licensing_holds(facts, other, one):
            return 0
    if (
        of_other >= 0.1
        and longer
        and higher
        and surrounds(one, other)
        and licensing_holds(facts, one, other)
    ):
        return 1
    if (
        of_one >= 0.1
        and shorter
        and lower
        and surrounds(other, one)
        and licensing_holds(facts, other, one)
    ):
        return 0
    return -1


@njit(cache=True, nogil=True)
def _overlapping(facts, found, pool, rows):  # type: ignore[no-untyped-def]
    """(kept, dropped): of two that overlap much, the lesser goes."""
    if rows.size < 2:
        return rows, rows[:0]
    rows = by_place(found, rows)
    gone = np.zeros(rows.size, np.bool_)
    dropped = np.empty(rows.size, np.int64)
    count, before = 0, -1  # ``before``: the last one kept ahead of i
    for i in range(rows.size):
        if gone[i]:
            continue
        one = found[rows[i]]
        for j in range(i + 1, rows.size):
            if gone[j]:
                continue
            other = found[rows[j]]
            if other[Q_FIRST] > one[Q_LAST]:
                break
            if not shared(pool, one, other):
                continue
            if flags_of(facts, one) & flags_of(facts, other) & FALSE_POSITIVE:
                continue
            loser = _loser(facts, pool, one, other)
            if loser < 0 and before >= 0 and not shared(pool, found[rows[before]], other):
                # Most of this one may lie in the one before and the one behind it.
                left = shared(pool, one, found[rows[before]])
                right = shared(pool, one, other)
                if left and right and left + right >= one[SIZE] * 0.9:
                    loser = 0
            if loser >= 0:
                at = j if loser else i
                gone[at] = True
                dropped[count] = rows[at]
                count += 1
                if loser == 0:
                    break
        if not gone[i]:
            before = i
    return rows[~gone], dropped[:count]


@njit(cache=True, nogil=True)
def _restored(facts, found, pool, used, kept, dropped, words):  # type: ignore[no-untyped-def]
    """(pool, used, rows): ``kept`` and what was dropped and touches nothing that is kept."""
    taken = np.zeros(words, np.bool_)
    for row in kept:
        for at in range(found[row, Q], found[row, Q] + found[row, Q_COUNT]):
            taken[pool[at, 0] : pool[at, 1] + 1] = True
    pool, used, dropped = merge(facts, found, pool, used, dropped)
    back = np.zeros(dropped.size, np.bool_)
    for number in range(dropped.size):
        match, free = found[dropped[number]], True
        for at in range(match[Q], match[Q] + match[Q_COUNT]):
            for place in range(pool[at, 0], pool[at, 1] + 1):
                free = free and not taken[place]
        back[number] = free
    return pool, used, np.concatenate((kept, dropped[back]))


# --- lists of licenses ----------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _may_be_listed(facts, match):  # type: ignore[no-untyped-def]
    named = flags_of(facts, match) & (REFERENCE | TAG | INTRO | CLUE)
    whole = hundredths(match[SIZE], match[LENGTH]) == 10000
    return named != 0 and match[KIND] != BY_TAG and whole and match[SIZE] <= LISTED


@njit(cache=True, nogil=True)
def _is_list(found, rows):  # type: ignore[no-untyped-def]
    expressions = np.unique(found[rows, EXPRESSION]).size
    enough = expressions / rows.size > 1 / 3 or expressions >= LIST / 3
    return rows.size >= LIST and enough


@njit(cache=True, nogil=True)
def _without_lists(facts, found, pool, rows):  # type: ignore[no-untyped-def]
    """Without runs of names that only list licenses, as tools that know licenses have them."""
    if rows.size < LIST:
        return rows
    listed = np.zeros(rows.size, np.bool_)
    for at in range(rows.size):
        listed[at] = _may_be_listed(facts, found[rows[at]])
    if rows.size > LONG_LIST:
        expressions = np.unique(found[rows, EXPRESSION]).size
        enough = expressions / rows.size > 1 / 3 or expressions >= LONG_LIST
        if enough and listed.sum() / rows.size > 0.95:
            return rows[:0]
    kept = np.ones(rows.size, np.bool_)
    begin = 0
    while begin < rows.size:
        if not listed[begin]:
            begin += 1
            continue
        end = begin + 1
        while end < rows.size and listed[end]:
            one, other = found[rows[end - 1]], found[rows[end]]
            if apart(pool, one, other, Q, Q_COUNT, Q_FIRST, Q_LAST) > 10:
                break
            end += 1
        kept[begin:end] = not _is_list(found, rows[begin:end])
        begin = end
    return rows[kept]


@njit(cache=True, nogil=True)
def refine(facts, found, pool, used, rows, around, last, joined):  # type: ignore[no-untyped-def]
    """The matches that remain: (pool, used, rows).

    ``joined`` merges at the beginning and the end; ``last`` drops what is known to be no license.
    """
    if rows.size == 0:
        return pool, used, rows
    if joined:
        pool, used, rows = merge(facts, found, pool, used, rows)
    kept = np.zeros(rows.size, np.bool_)
    for at in range(rows.size):
        match = found[rows[at]]
        match[LINE], match[LAST_LINE] = around.line[match[Q_FIRST]], around.line[match[Q_LAST]]
        kept[at] = is_good(facts, pool, match, around.unknown, around.stops, around.short)
    rows = rows[kept]
    if rows.size > 1:
        kept = np.zeros(rows.size, np.bool_)
        for at in range(rows.size):
            kept[at] = not is_scattered(facts, found[rows[at]])
        rows = rows[kept]
    pool, used, rows = merge(facts, found, pool, used, rows)
    rows, inside = _contained(found, pool, rows)
    rows, beside = _overlapping(facts, found, pool, rows)
    if inside.size:
        pool, used, rows = _restored(facts, found, pool, used, rows, inside, around.line.size)
    if beside.size:
        pool, used, rows = _restored(facts, found, pool, used, rows, beside, around.line.size)
    rows, inside = _contained(found, pool, rows)
    if last:
        kept = np.zeros(rows.size, np.bool_)
        for at in range(rows.size):
            kept[at] = not flags_of(facts, found[rows[at]]) & FALSE_POSITIVE
        rows = _without_lists(facts, found, pool, rows[kept])
    if joined:
        pool, used, rows = merge(facts, found, pool, used, rows)
    return pool, used, rows
