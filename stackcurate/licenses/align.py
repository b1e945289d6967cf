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
def _ranked(scores, rounded, ties, rows):  # type: ignore[no-untyped-def]
    """Rows, best first."""
    rows = rows[np.argsort(-rounded[rows], kind="mergesort")]
    begin = 0
    while begin < rows.size:
        end = begin + 1
        while end < rows.size and rounded[rows[end]] == rounded[rows[begin]]:
            end += 1
        if end - begin > 1:
            rows[begin:end] = _merge_sorted(scores, rounded, ties, rows[begin:end])
        begin = end
    return rows


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
    return np.int64((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def _shared_words(rules, ids, free, first, last):  # type: ignore[no-untyped-def]
    """(counts by word, words, distinct words, shared words, shared license words, masks).

    Shared ones are by place in ``rules.approximate``; common words are only in the masks yet.
    """
    counts = np.zeros(rules.posting_start.size - 1, np.int32)
    shared = np.zeros(rules.approximate.size, np.int32)
    high = np.zeros(rules.approximate.size, np.int32)
    mask = np.zeros(HIGH_MASKS + LOW_MASKS, np.uint64)
    words, unique, legal = 0, 0, 0
    for at in range(first, last + 1):
        if not free[at]:
            continue
        token = ids[at]
        words += 1
        counts[token] += 1
        if counts[token] > 1:
            continue
        unique += 1
        legal += token < rules.legal
        bit = rules.common[token]
        if bit >= 0:
            mask[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
            continue
        begin, end = rules.posting_start[token], rules.posting_start[token + 1]
        if token < rules.legal:
            for place in range(begin, end):
                high[rules.postings[place]] += 1
        for place in range(begin, end):
            shared[rules.postings[place]] += 1
    return counts, words, unique if legal else 0, shared, high, mask


@njit(cache=True, nogil=True)
def candidates(rules, ids, free, first, last, most, alike_only):  # type: ignore[no-untyped-def]
    """Rules that share most with the free words ``first`` to ``last`` of a text, best first."""
    none = np.empty(0, np.int64)
    counts, words, unique, shared, high, mask = _shared_words(rules, ids, free, first, last)
    if unique == 0:
        return none
    picked = np.empty(rules.approximate.size, np.int32)
    bins = np.zeros(12, np.int64)
    count = 0
    begin, end = 0, rules.approximate.size
    if alike_only:  # what has far fewer or more distinct words is not alike
        begin = int(np.searchsorted(rules.asks[:, 0], int(0.7 * unique)))
        end = int(np.searchsorted(rules.asks[:, 0], int(unique / 0.7) + 1, side="right"))
    for number in range(begin, end):
        size = rules.asks[number, 0]
        legal, other = high[number], shared[number]
        for column in range(HIGH_MASKS):
            bits = _bits(rules.masks[number, column] & mask[column])
            legal += bits
            other += bits
        if legal == 0 or legal < rules.asks[number, 1]:
            continue
        for column in range(HIGH_MASKS, HIGH_MASKS + LOW_MASKS):
            other += _bits(rules.masks[number, column] & mask[column])
        if other < rules.asks[number, 2]:
            continue
        if rules.asks[number, 3] and other / size < rules.asks[number, 3] / 100:
            continue
        if alike_only and other < 0.7 * (unique + size - other):
            continue
        shared[number], high[number] = other, legal
        bins[np.int64(other / size * 10 + 0.4999)] += 1
        picked[count] = number
        count += 1
    # The share in tenths comes first in the ranking, but for rules that are alike.
    floor, above = 11, 0
    while floor > 0 and above < most * 10:
        floor -= 1
        above += bins[floor]
    return _scored(
        rules, counts, words, unique, shared, high, picked[:count], floor, most, alike_only
    )


@njit(cache=True, nogil=True)
def _scored(rules, counts, words, unique, shared, high, picked, floor, most, alike_only):  # type: ignore[no-untyped-def]
    """The first ranking of ``candidates``, then the second."""
    kept = np.empty(picked.size, np.int64)
    rounded = np.empty(picked.size, np.int64)
    count = 0
    for row in picked:
        size, other = rules.asks[row, 0], shared[row]
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
        value, alike, share, likeness = _score(shared[row], unique, rules.asks[row, 0])
        if alike_only and not (alike and value >> 40):
            continue
        kept[taken], rounded[taken], ties[taken] = row, value, rules.approximate[row]
        scores[taken, 0], scores[taken, 1], scores[taken, 2] = alike, share, likeness
        scores[taken, 3] = shared[row]
        taken += 1
    rows = _best(scores[:taken], rounded[:taken], ties, most * 10)
    return _by_counts(rules, counts, words, shared, high, kept[rows], most, alike_only)


@njit(cache=True, nogil=True)
def _by_counts(rules, counts, words, unique, legal, picked, most, alike_only):  # type: ignore[no-untyped-def]
    """The second ranking: how often words are shared counts too; one rule of many equal ones.

    ``unique`` and ``legal``: distinct words and license words that each of ``rules.approximate``
    shares; ``picked``: places there.
    """
    rounded = np.empty(picked.size, np.int64)
    scores = np.empty((picked.size, 4))
    kept = np.empty(picked.size, np.int64)
    ranks = np.empty(picked.size, np.int64)
    count = 0
    for row in picked:
        rule, shared, high = rules.approximate[row], unique[row], legal[row]
        for at in range(rules.repeat_start[rule], rules.repeat_start[rule + 1]):
            token = rules.repeats[at, 0]
            more = min(counts[token] - 1, np.int32(rules.repeats[at, 1]))
            if more > 0:
                shared += more
                high += more if token < rules.legal else 0
        if high == 0 or high < rules.min_high[rule] or shared < rules.min_length[rule]:
            continue
        value, alike, share, likeness = _score(shared, words, rules.length[rule])
        if share < rules.coverage[rule] / 100 or (alike_only and not (alike and value >> 40)):
            continue
        kept[count], rounded[count], ranks[count] = rule, value, rules.rank[rule]
        scores[count, 0], scores[count, 1], scores[count, 2] = alike, share, likeness
        scores[count, 3] = shared
        count += 1
    rows = _ranked(scores, rounded, ranks, np.arange(count))
    # Of rules with one expression, length and rounded score, the first by full score and name.
    single = np.ones(count, np.bool_)
    for a in range(count):
        if not single[a]:
            continue
        for b in range(a + 1, count):
            one, other = rows[a], rows[b]
            if rounded[one] != rounded[other]:
                break
            same = rules.expression[kept[one]] == rules.expression[kept[other]]
            if same and rules.length[kept[one]] == rules.length[kept[other]]:
                single[b] = False
    rows = rows[single]
    return kept[_ranked(scores, rounded, kept, rows)[:most]]


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
    count, begin, tick = 0, first, np.int64(1)
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
