"""Finds rules that are in a text with changes: by shared words, then by common runs of words.

What ScanCode's set and sequence matchers do (its ``match_set.py`` and ``match_seq.py``, by
behavior), with an index from words to rules in place of one comparison per rule.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.licenses.rules import HIGH_MASKS, LOW_MASKS

ALIKE = 0.8  # of the words of text and rule together, where one is nearly the other


@njit(cache=True, nogil=True)
def tenths(value):  # type: ignore[no-untyped-def]
    """``value`` in tenths, rounded as Python rounds: by its exact value, halves to even."""
    a, b = value * 8.0, value * 2.0  # both exact; their sum and its error are ten times the value
    ten = a + b
    error = b - (ten - a)
    low = np.floor(ten)
    rest = (ten - low) - 0.5
    if rest == 0.0:
        up = error > 0.0 or (error == 0.0 and np.int64(low) % 2 == 1)
    else:
        up = rest > 0.0
    return np.int64(low) + (1 if up else 0)


@njit(cache=True, nogil=True)
def _score(shared, size, rule_size):  # type: ignore[no-untyped-def]
    """(rounded score as one number, alike, share of the rule, likeness squared)."""
    likeness = shared / (size + rule_size - shared)
    share = shared / rule_size
    alike = likeness >= ALIKE
    rounded_alike = tenths(likeness) >= 8
    rounded = np.int64(rounded_alike) << 40 | tenths(share) << 32 | tenths(likeness**2) << 24
    return rounded | tenths(shared / 20), alike, share, likeness**2


@njit(cache=True, nogil=True)
def _ahead(scores, rounded, ties, a, b):  # type: ignore[no-untyped-def]
    """Whether candidate ``a`` ranks before ``b``."""
    if rounded[a] != rounded[b]:
        return rounded[a] > rounded[b]
    for part in range(scores.shape[1]):
        if scores[a, part] != scores[b, part]:
            return scores[a, part] > scores[b, part]
    return ties[a] > ties[b]


@njit(cache=True, nogil=True)
def _merge_sorted(scores, rounded, ties, rows):  # type: ignore[no-untyped-def]
    """Rows by ``_ahead``."""
    rows, other = rows.copy(), rows.copy()
    width = 1
    while width < rows.size:
        for low in range(0, rows.size, 2 * width):
            middle, high = min(low + width, rows.size), min(low + 2 * width, rows.size)
            i, j = low, middle
            for at in range(low, high):
                right = i == middle
                if i < middle and j < high:
                    right = _ahead(scores, rounded, ties, rows[j], rows[i])
                if not right:
                    other[at] = rows[i]
                    i += 1
                else:
                    other[at] = rows[j]
                    j += 1
        rows, other = other, rows
        width *= 2
    return rows


@njit(cache=True, nogil=True)
def _best(scores, rounded, ties, count):  # type: ignore[no-untyped-def]
    """The ``count`` best rows, in any order."""
    if rounded.size <= count:
        return np.arange(rounded.size)
    floor = np.partition(rounded, rounded.size - count)[rounded.size - count]
    above = np.flatnonzero(rounded > floor)
    at_floor = _merge_sorted(scores, rounded, ties, np.flatnonzero(rounded == floor))
    return np.concatenate((above, at_floor[: count - above.size]))


@njit(cache=True, nogil=True, inline="always")
def _bits(value):  # type: ignore[no-untyped-def]
    """Number of bits that are set."""
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + (
        (value >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (value * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True, nogil=True)
def _count_common(masks, mask, high, shared, begin, end):  # type: ignore[no-untyped-def]
    """Add the common words of ``mask`` to the counts of the places ``begin`` to ``end``.

    Plain loops, which the processor does for many places at once.
    """
    high, shared = high[begin:end], shared[begin:end]
    for column in range(HIGH_MASKS + LOW_MASKS):
        words = mask[column]
        if words == 0:
            continue
        here = masks[column][begin:end]
        for at in range(shared.size):
            shared[at] += np.uint16(_bits(here[at] & words))
        if column < HIGH_MASKS:
            for at in range(high.size):
                high[at] += np.uint16(_bits(here[at] & words))


@njit(cache=True, nogil=True)
def _shared_words(legal, alike, ids, free, first, last):  # type: ignore[no-untyped-def]
    """(counts by word, words, distinct words, shared words, shared license words, masks).

    Shared ones are by place in ``alike``; common words are only in the masks yet.
    """
    counts = np.zeros(alike.posting_start.size - 1, np.int32)
    shared = np.zeros(alike.rules.size, np.uint16)
    high = np.zeros(alike.rules.size, np.uint16)
    mask = np.zeros(HIGH_MASKS + LOW_MASKS, np.uint64)
    words, unique, telling = 0, 0, 0
    for at in range(first, last + 1):
        if not free[at]:
            continue
        token = ids[at]
        words += 1
        counts[token] += 1
        if counts[token] > 1:
            continue
        unique += 1
        telling += token < legal
        bit = alike.common[token]
        if bit >= 0:
            mask[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
            continue
        begin, end = alike.posting_start[token], alike.posting_start[token + 1]
        if token < legal:
            for place in range(begin, end):
                high[alike.postings[place]] += np.uint16(1)
        for place in range(begin, end):
            shared[alike.postings[place]] += np.uint16(1)
    return counts, words, unique if telling else 0, shared, high, mask


@njit(cache=True, nogil=True)
def _enough(alike, high, shared, begin, end):  # type: ignore[no-untyped-def]
    """The places from ``begin`` to ``end`` that share as many words as their rules ask for."""
    some = np.zeros((end - begin + 7) // 8, np.uint64)
    each = some.view(np.uint8)[: end - begin]
    least_high, least = alike.least_high[begin:end], alike.least[begin:end]
    high, shared = high[begin:end], shared[begin:end]
    for at in range(each.size):  # as above; few pass, and the next loop skips eight at once
        each[at] = (high[at] >= least_high[at]) & (shared[at] >= least[at])
    places = np.empty(each.size, np.int32)
    count = 0
    for eight in range(some.size):
        if some[eight] == 0:
            continue
        for at in range(8 * eight, min(8 * eight + 8, each.size)):
            if each[at]:
                places[count] = begin + at
                count += 1
    return places[:count]


@njit(cache=True, nogil=True)
def candidates(facts, alike, ids, free, first, last, most, alike_only):  # type: ignore[no-untyped-def]
    """Rules that share most with the free words ``first`` to ``last`` of a text, best first."""
    counts, words, unique, shared, high, mask = _shared_words(
        facts.legal, alike, ids, free, first, last
    )
    if unique == 0:
        return np.empty(0, np.int64)
    begin, end = 0, alike.rules.size
    if alike_only:  # what has far fewer or more distinct words is not alike
        begin = int(np.searchsorted(alike.size, int(0.7 * unique)))
        end = int(np.searchsorted(alike.size, int(unique / 0.7) + 1, side="right"))
    _count_common(alike.masks, mask, high, shared, begin, end)
    picked = np.empty(end - begin, np.int32)
    bins = np.zeros(12, np.int64)
    count = 0
    for number in _enough(alike, high, shared, begin, end):
        other, size = np.int64(shared[number]), alike.size[number]
        if alike.coverage[number] and other / size < alike.coverage[number] / 100:
            continue
        if alike_only and other < 0.7 * (unique + size - other):
            continue
        bins[np.int64(other / size * 10 + 0.4999)] += 1
        picked[count] = number
        count += 1
    # The share in tenths comes first in the ranking, but for rules that are alike.
    floor, above = 11, 0
    while floor > 0 and above < most * 10:
        floor -= 1
        above += bins[floor]
    return _scored(
        facts, alike, counts, words, unique, shared, high, picked[:count], floor, most, alike_only
    )


@njit(cache=True, nogil=True)
def _scored(facts, alike, counts, words, unique, shared, high, picked, floor, most, alike_only):  # type: ignore[no-untyped-def]
    """The first ranking of ``candidates``, then the second."""
    if picked.size <= most * 10 and not alike_only:
        return _by_counts(facts, alike, counts, words, shared, high, picked, most, alike_only)
    kept = np.empty(picked.size, np.int32)
    rounded = np.empty(picked.size, np.int64)
    count = 0
    for row in picked:
        size, other = alike.size[row], np.int64(shared[row])
        low = other * 10 + 0.6 * size < floor * size  # surely below the tenths that are taken
        if low and other < 0.7 * (unique + size - other):
            continue
        kept[count] = row
        count += 1
    scores = np.empty((count, 4))
    ties = np.empty(count, np.int64)
    taken = 0
    for number in range(count):
        row = kept[number]
        value, near, share, likeness = _score(np.int64(shared[row]), unique, alike.size[row])
        if alike_only and not (near and value >> 40):
            continue
        kept[taken], rounded[taken], ties[taken] = row, value, alike.rules[row]
        scores[taken, 0], scores[taken, 1], scores[taken, 2] = near, share, likeness
        scores[taken, 3] = shared[row]
        taken += 1
    rows = _best(scores[:taken], rounded[:taken], ties, most * 10)
    return _by_counts(facts, alike, counts, words, shared, high, kept[rows], most, alike_only)


@njit(cache=True, nogil=True)
def _by_counts(facts, alike, counts, words, unique, legal, picked, most, alike_only):  # type: ignore[no-untyped-def]
    """The second ranking: how often words are shared counts too; one rule of many equal ones.

    ``unique`` and ``legal``: distinct words and license words that each place shares; ``picked``:
    places.
    """
    rounded = np.empty(picked.size, np.int64)
    scores = np.empty((picked.size, 4))
    kept = np.empty(picked.size, np.int64)
    ranks = np.empty(picked.size, np.int64)
    count = 0
    for row in picked:
        rule = alike.rules[row]
        shared, high = np.int64(unique[row]), np.int64(legal[row])
        for at in range(alike.repeat_start[rule], alike.repeat_start[rule + 1]):
            token = alike.repeats[at, 0]
            more = min(counts[token] - 1, np.int32(alike.repeats[at, 1]))
            if more > 0:
                shared += more
                high += more if token < facts.legal else 0
        if high == 0 or high < facts.min_high[rule] or shared < facts.min_length[rule]:
            continue
        value, near, share, likeness = _score(shared, words, facts.length[rule])
        if share < facts.coverage[rule] / 100 or (alike_only and not (near and value >> 40)):
            continue
        kept[count], rounded[count], ranks[count] = rule, value, facts.rank[rule]
        scores[count, 0], scores[count, 1], scores[count, 2] = near, share, likeness
        scores[count, 3] = shared
        count += 1
    return kept[_first(facts, kept[:count], rounded[:count], scores, ranks, most)]


@njit(cache=True, nogil=True)
def _first(facts, kept, rounded, scores, ranks, most):  # type: ignore[no-untyped-def]
    """The ``most`` best rows, best first, and no more of the sorting than they take.

    Of rules with one expression, length and rounded score only the first by full score and name
    counts. What the sort looks at first has few values, so it begins with the rows of the highest.
    """
    out = np.empty(most, np.int64)
    level = rounded >> 32
    taken, below = 0, np.int64(1) << 32
    while taken < most:
        here = np.int64(-1)
        for row in range(level.size):
            if here < level[row] < below:
                here = level[row]
        if here < 0:
            break
        below = here
        rows = np.flatnonzero(level == here)
        rows = rows[np.argsort(-rounded[rows], kind="mergesort")]
        begin = 0
        while begin < rows.size and taken < most:
            end = begin + 1
            while end < rows.size and rounded[rows[end]] == rounded[rows[begin]]:
                end += 1
            alike = rows[begin:end]
            if alike.size > 1:
                alike = _single(facts, kept, _merge_sorted(scores, rounded, ranks, alike))
                alike = _merge_sorted(scores, rounded, kept, alike)
            for row in alike[: most - taken]:
                out[taken] = row
                taken += 1
            begin = end
    return out[:taken]


@njit(cache=True, nogil=True)
def _single(facts, kept, rows):  # type: ignore[no-untyped-def]
    """Rows without those whose expression and length an earlier one has."""
    single = np.ones(rows.size, np.bool_)
    for a in range(rows.size):
        if not single[a]:
            continue
        one = kept[rows[a]]
        for b in range(a + 1, rows.size):
            other = kept[rows[b]]
            same = facts.expression[one] == facts.expression[other]
            if same and facts.length[one] == facts.length[other]:
                single[b] = False
    return rows[single]


@njit(cache=True, nogil=True)
def _longest(ids, free, tokens, heads, after, run, stamp, tick, legal, a0, a1, b0, b1, left):  # type: ignore[no-untyped-def]
    """Longest common run of license words in text and rule, widened by the words around it."""
    best_a, best_b, best, steps = a0, b0, 0, a1 - a0
    for a in range(a0, a1):
        tick += 1
        token = ids[a]
        if token >= legal or not free[a]:
            continue
        now, then = tick & 1, (tick & 1) ^ 1
        b = heads[token]
        while 0 <= b < b1:
            if b >= b0:
                size = 1
                if b > 0 and stamp[then, b - 1] == tick - 1:
                    size += run[then, b - 1]
                run[now, b] = size
                stamp[now, b] = tick
                if size > best:
                    best_a, best_b, best = a - size + 1, b - size + 1, size
            b = after[b]
            steps += 1
    left[0] -= steps
    if best:
        while (
            best_a > a0
            and best_b > b0
            and ids[best_a - 1] == tokens[best_b - 1]
            and free[best_a - 1]
        ):
            best_a, best_b, best = best_a - 1, best_b - 1, best + 1
        while (
            best_a + best < a1
            and best_b + best < b1
            and ids[best_a + best] == tokens[best_b + best]
            and free[best_a + best]
        ):
            best += 1
    return best_a, best_b, best, tick + 1


@njit(cache=True, nogil=True)
def _runs_between(  # type: ignore[no-untyped-def]
    ids, free, tokens, heads, after, run, stamp, tick, legal, begin, last, out, count, left
):
    """Append the longest common run, and those on both sides of it; (out, count, tick)."""
    stack = np.empty((64, 4), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = begin, last + 1, 0, tokens.size
    deep = 1
    while deep and left[0] >= 0:
        deep -= 1
        a0, a1, b0, b1 = stack[deep, 0], stack[deep, 1], stack[deep, 2], stack[deep, 3]
        a, b, length, tick = _longest(
            ids, free, tokens, heads, after, run, stamp, tick, legal, a0, a1, b0, b1, left
        )
        if not length:
            continue
        if count == out.shape[0]:
            out = np.concatenate((out, np.empty_like(out)))
        out[count, 0], out[count, 1], out[count, 2] = a, b, length
        count += 1
        if deep + 2 > stack.shape[0]:
            stack = np.concatenate((stack, np.empty_like(stack)))
        if a0 < a and b0 < b:
            stack[deep, 0], stack[deep, 1], stack[deep, 2], stack[deep, 3] = a0, a, b0, b
            deep += 1
        if a + length < a1 and b + length < b1:
            stack[deep, 0], stack[deep, 1] = a + length, a1
            stack[deep, 2], stack[deep, 3] = b + length, b1
            deep += 1
    return out, count, tick


@njit(cache=True, nogil=True)
def common_runs(ids, free, first, last, tokens, legal, heads, left):  # type: ignore[no-untyped-def]
    """Runs of words that a rule and the words ``first`` to ``last`` share: (text, rule, words).

    Repeats of a rule behind its first find are found too. ``heads`` is scratch of -1 by word id,
    and is left so. ``left`` counts steps down; below zero the search ends early.
    """
    size = tokens.size
    after = np.empty(size, np.int32)
    for at in range(size - 1, -1, -1):
        token = tokens[at]
        if token < legal:
            after[at] = heads[token]
            heads[token] = at
    run = np.empty((2, size), np.int32)
    stamp = np.zeros((2, size), np.int64)
    out = np.empty((64, 3), np.int64)
    count, begin, tick = np.int64(0), np.int64(first), np.int64(1)
    while begin <= last and left[0] >= 0:
        fresh = count
        out, count, tick = _runs_between(
            ids, free, tokens, heads, after, run, stamp, tick, legal, begin, last, out, count, left
        )
        if count == fresh:
            break
        count = _collapsed(out, fresh, count)
        begin = out[count - 1, 0] + out[count - 1, 2]
    for at in range(size):
        if tokens[at] < legal:
            heads[tokens[at]] = -1
    return out[:count]


@njit(cache=True, nogil=True)
def _collapsed(out, begin, count):  # type: ignore[no-untyped-def]
    """Sort the runs from ``begin`` by place and join those that touch; the new count."""
    part = out[begin:count].copy()
    part = part[np.argsort(part[:, 0], kind="mergesort")]
    at = begin
    out[at] = part[0]
    for number in range(1, part.shape[0]):
        touching = out[at, 0] + out[at, 2] == part[number, 0]
        if touching and out[at, 1] + out[at, 2] == part[number, 1]:
            out[at, 2] += part[number, 2]
        else:
            at += 1
            out[at] = part[number]
    return at + 1
