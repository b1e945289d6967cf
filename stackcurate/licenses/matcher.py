"""Our own matcher of ScanCode's rules: the same matches, thousands of times a second.

    whole text  →  SPDX tags  →  rules word for word  →  rules with changes  →  which ones are told

It follows ScanCode's matcher step by step on the arrays of ``licenses.rules``; nothing of ScanCode
is loaded. ``detections`` groups matches and says their expression as ScanCode does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stackcurate.licenses import align, query, refine, rules, spans
from stackcurate.licenses.joined import (
    APART,
    BY_TAG,
    COLUMNS,
    EXACT,
    EXPRESSION,
    HIGH,
    KIND,
    LAST_LINE,
    LENGTH,
    LINE,
    ORDER,
    Q_COUNT,
    Q_FIRST,
    Q_LAST,
    R_COUNT,
    R_FIRST,
    R_LAST,
    RULE,
    SIZE,
    WHOLE,
    Q,
    R,
    flags_of,
    merge,
)
from stackcurate.licenses.rules import FALSE_POSITIVE, TEXT, Table, find, head_hash, prefixes
from stackcurate.licenses.tags import tag_expression
from stackcurate.licenses.worth import breadth, hundredths

NEAR, SOME = 10, 70  # rules compared with the whole text, and with each of its runs
LONG_TEXT = 120  # words of a license text that, once found, is not searched again
MOST_STEPS = 2_000_000_000  # of comparing words with words, some seconds; a license takes millions
MOST_SPANS = 20_000_000
_NAMES = {WHOLE: "1-hash", BY_TAG: "1-spdx-id", EXACT: "2-aho", APART: "3-seq"}


@njit(cache=True, nogil=True)
def _add(found, pool, used, count, rule, length, expression, kind, order, q, i, size, high):  # type: ignore[no-untyped-def]
    """Append a match of ``size`` words in a row; (found, pool, used, count)."""
    if count == found.shape[0]:
        larger = np.zeros((2 * count, found.shape[1]), np.int32)
        larger[:count] = found
        found = larger
    pool = spans.room(pool, used, 2)
    pool[used, 0], pool[used, 1] = q, q + size - 1
    pool[used + 1, 0], pool[used + 1, 1] = i, i + size - 1
    row = found[count]
    row[RULE], row[SIZE], row[HIGH], row[ORDER], row[KIND] = rule, size, high, order, kind
    row[Q], row[Q_COUNT], row[R], row[R_COUNT] = used, 1, used + 1, 1
    row[Q_FIRST], row[Q_LAST], row[R_FIRST], row[R_LAST] = q, q + size - 1, i, i + size - 1
    row[LENGTH], row[EXPRESSION] = length, expression
    return found, pool, used + 2, count + 1


@njit(cache=True, nogil=True)
def _same(rules, rule, ids, start):  # type: ignore[no-untyped-def]
    """Whether the words of a rule stand at ``start``; hashes may meet, words must."""
    base = rules.start[rule]
    equal = 0
    while equal < rules.length[rule] and rules.tokens[base + equal] == ids[start + equal]:
        equal += 1
    return equal == rules.length[rule]


@njit(cache=True, nogil=True)
def _exact(rules, ids, prefix, high, found, pool, used, count):  # type: ignore[no-untyped-def]
    """Every rule that stands in the text word for word, wherever it does."""
    for start in range(ids.size):
        log = 0
        while start + (1 << log) <= ids.size:
            row = find(rules.head_slots, rules.head, head_hash(prefix, rules.power, start, log))
            if row < 0:
                break
            for number in range(rules.head_lengths[row], rules.head_lengths[row + 1]):
                length = rules.lengths[number]
                end = start + length
                if end > ids.size:
                    break
                value = prefix[end] - prefix[start] * rules.power[length]
                rule = find(rules.whole_slots, rules.whole, value)
                if rule < 0 or rules.length[rule] != length:
                    continue
                if _same(rules, rule, ids, start):
                    found, pool, used, count = _add(
                        found, pool, used, count, rule, length, rules.expression[rule], EXACT, 1,
                        start, 0, length, high[end] - high[start],
                    )  # fmt: skip
            log += 1
    return found, pool, used, count


@njit(cache=True, nogil=True)
def _approximate(rules, ids, free, first, last, picked, heads, found, pool, used, count, left):  # type: ignore[no-untyped-def]
    """Matches of the picked rules in part, each rule's joined; (found, pool, used, count, rows)."""
    begin = count
    for rule in picked:
        base = rules.start[rule]
        tokens = rules.tokens[base : rules.start[rule + 1]]
        runs = align.common_runs(ids, free, first, last, tokens, rules.legal, heads, left)
        if left[0] < 0 or used > MOST_SPANS:
            left[0] = -1
            break
        for row in range(runs.shape[0]):
            q, i, size = runs[row, 0], runs[row, 1], runs[row, 2]
            high = 0
            for at in range(i, i + size):
                high += tokens[at] < rules.legal
            found, pool, used, count = _add(
                found, pool, used, count, rule, tokens.size, rules.expression[rule], APART, 3,
                q, i, size, high,
            )  # fmt: skip
    pool, used, rows = merge(rules, found, pool, used, np.arange(begin, count))
    return found, pool, used, count, rows


@njit(cache=True, nogil=True)
def _take(pool, match, mask, value):  # type: ignore[no-untyped-def]
    for row in range(match[Q], match[Q] + match[Q_COUNT]):
        mask[pool[row, 0] : pool[row, 1] + 1] = value


@njit(cache=True, nogil=True)
def _leave_out(found, pool, rows, rules, free, settled):  # type: ignore[no-untyped-def]
    """Long texts that were found are not searched again; whole finds settle their words."""
    for row in rows:
        match = found[row]
        flags = flags_of(rules, match)
        share = hundredths(match[SIZE], match[LENGTH])
        if flags & TEXT and match[LENGTH] > LONG_TEXT and share > 9800:
            _take(pool, match, free, False)
        if share == 10000:
            _take(pool, match, settled, True)


@njit(cache=True, nogil=True)
def _is_open(ids, mask, taken, legal, digit, first, last):  # type: ignore[no-untyped-def]
    """Whether a license word is left, and not all words are numbers."""
    left, numbers = False, True
    for at in range(first, last + 1):
        left = left or (ids[at] < legal and mask[at] and not taken[at])
        numbers = numbers and digit[ids[at]]
    return left and not numbers


@njit(cache=True, nogil=True)
def _changed(rules, query, free, settled, found, pool, used, count, left):  # type: ignore[no-untyped-def]
    """Rules that stand in the text with changes; (found, pool, used, count, rows)."""
    ids = query.ids
    every = np.ones(ids.size, np.bool_)
    part = np.empty(0, np.int64)
    if not _is_open(ids, every, settled, rules.legal, rules.digit, 0, ids.size - 1):
        return found, pool, used, count, part
    heads = np.full(rules.legal, -1, np.int32)
    picked = align.candidates(rules, ids, every, 0, ids.size - 1, NEAR, True)
    if picked.size:
        found, pool, used, count, part = _approximate(
            rules, ids, every, 0, ids.size - 1, picked, heads, found, pool, used, count, left
        )
        for row in part:
            _take(pool, found[row], free, False)
    for number in range(query.runs.shape[0]):
        first, last = query.runs[number, 0], query.runs[number, 1]
        if not _is_open(ids, free, settled, rules.legal, rules.digit, first, last):
            continue
        picked = align.candidates(rules, ids, free, first, last, SOME, False)
        found, pool, used, count, more = _approximate(
            rules, ids, free, first, last, picked, heads, found, pool, used, count, left
        )
        part = np.concatenate((part, more))
    pool, used, part = merge(rules, found, pool, used, part)
    return found, pool, used, count, part


@njit(cache=True, nogil=True)
def _match(rules, query, tags, most):  # type: ignore[no-untyped-def]
    """Matches of a text: (found, pool, rows, whether it was not too much work).

    ``tags``: first, last word, rule and expression; ``most``: steps.
    """
    left = np.full(1, most)
    ids = query.ids
    found = np.zeros((max(64, ids.size // 4), COLUMNS), np.int32)
    pool = np.empty((2 * found.shape[0], 2), np.int32)
    used, count = 0, 0
    high = np.zeros(ids.size + 1, np.int64)
    for at in range(ids.size):
        high[at + 1] = high[at] + (ids[at] < rules.legal)
    prefix = prefixes(ids)
    rule = find(rules.whole_slots, rules.whole, prefix[ids.size])
    fits = rule >= 0 and rules.length[rule] == ids.size and _same(rules, rule, ids, 0)
    if fits and not rules.flags[rule] & FALSE_POSITIVE:
        found, pool, used, count = _add(
            found, pool, used, count, rule, ids.size, rules.expression[rule], WHOLE, 0, 0, 0,
            ids.size, high[ids.size],
        )  # fmt: skip
        found[0, LINE], found[0, LAST_LINE] = query.line[0], query.line[ids.size - 1]
        return found, pool, np.arange(1), True
    free = np.ones(ids.size, np.bool_)
    settled = np.zeros(ids.size, np.bool_)
    for number in range(tags.shape[0]):
        first, last = tags[number, 0], tags[number, 1]
        found, pool, used, count = _add(
            found, pool, used, count, tags[number, 2], last - first + 1, tags[number, 3], BY_TAG,
            2, first, 0, last - first + 1, high[last + 1] - high[first],
        )  # fmt: skip
        free[first : last + 1] = False
    pool, used, rows = merge(rules, found, pool, used, np.arange(count))
    _leave_out(found, pool, rows, rules, free, settled)
    begin = count
    found, pool, used, count = _exact(rules, ids, prefix, high, found, pool, used, count)
    pool, used, exact = refine.refine(
        rules, found, pool, used, np.arange(begin, count), query, False, False
    )
    pool, used, exact = merge(rules, found, pool, used, exact)
    _leave_out(found, pool, exact, rules, free, settled)
    rows = np.concatenate((rows, exact))
    found, pool, used, count, part = _changed(
        rules, query, free, settled, found, pool, used, count, left
    )
    rows = np.concatenate((rows, part))
    pool, used, rows = refine.refine(rules, found, pool, used, rows, query, False, True)
    pool, used, rows = refine.refine(rules, found, pool, used, rows, query, True, True)
    order = np.argsort(found[rows, Q_FIRST], kind="mergesort")
    return found, pool, rows[order], left[0] >= 0


class Match(NamedTuple):
    """A rule in a text: places are words of the query, spans lists of first and last."""

    rule: str
    expression: str
    kind: str  # how it was found, in ScanCode's words
    first: int
    last: int
    line: int
    last_line: int
    size: int
    length: int  # of the rule
    breadth: int  # words of the text from first to last, those nobody knows included
    relevance: int
    flags: int
    row: int  # of the rule, or -1
    in_text: list[tuple[int, int]]
    in_rule: list[tuple[int, int]]

    @property
    def coverage(self) -> float:
        """Percent of the rule that was found."""
        return round(self.size / self.length * 100, 2)

    @property
    def score(self) -> float:
        """ScanCode's score: percent of the rule, of the words between, and its relevance."""
        of_rule, of_text = self.size / self.length, self.size / self.breadth
        share = of_rule if of_text < 1 and of_rule < 1 else of_rule * of_text
        return round(share * (self.relevance / 100) * 100, 2)


def _tags(asked: query.Query, text: str, table: Table) -> tuple[NDArray[np.int32], list[str]]:
    """The lines with an SPDX tag that states something, and their expressions."""
    rows, said = [], []
    numbers: dict[tuple[str, str], int] = {}
    places: dict[str, int] = {}
    for begin, end, first, last in asked.tags.tolist():
        line = text[begin:end].strip()
        expression = tag_expression(line)
        if expression is None:
            continue
        rule = numbers.setdefault((expression, line), len(numbers))
        place = places.setdefault(expression, _place(table, expression, len(places)))
        rows.append((first, last, len(table.identifiers) + rule, place))
        said.append(expression)
    by_rule = {row[2]: expression for row, expression in zip(rows, said, strict=True)}
    return np.array(rows, np.int32).reshape(-1, 4), [by_rule[key] for key in sorted(by_rule)]


def _place(table: Table, expression: str, number: int) -> int:
    """The number of an expression; one that no rule has comes behind all of them."""
    try:
        return table.expressions.index(expression)
    except ValueError:
        return len(table.expressions) + number


def matches(text: str, table: Table) -> tuple[query.Query, list[Match]] | None:
    """The matches of ``text`` that are told, by place; None where that takes too long."""
    asked = query.read(text, table.rules)
    if not len(asked.ids):
        return asked, []
    tags, said = _tags(asked, text, table)
    found, pool, rows, done = _match(table.rules, asked, tags, MOST_STEPS)
    if not done:
        return None
    return asked, [_told(table, asked, found[row], pool, said) for row in rows.tolist()]


def _told(
    table: Table, asked: query.Query, row: NDArray[np.int32], pool: NDArray[np.int32],
    said: Sequence[str],
) -> Match:  # fmt: skip
    number = int(row[RULE])
    known = number < len(table.identifiers)
    kinds = [name for bit, name in _NAMES.items() if row[KIND] & bit]
    expression = said[number - len(table.identifiers)] if not known else ""
    if known:
        expression = table.expressions[table.rules.expression[number]]
    flags = int(table.rules.flags[number]) if known else rules.TAG
    flags |= rules.UNKNOWN if not known and "unknown" in expression else 0
    return Match(
        table.identifiers[number] if known else f"spdx-license-identifier: {expression}",
        expression,
        " ".join(kinds),
        int(row[Q_FIRST]),
        int(row[Q_LAST]),
        int(row[LINE]),
        int(row[LAST_LINE]),
        int(row[SIZE]),
        int(row[LENGTH]),
        int(breadth(pool, row, asked.unknown)),
        int(table.rules.relevance[number]) if known else 100,
        flags,
        number if known else -1,
        [tuple(pair) for pair in pool[row[Q] : row[Q] + row[Q_COUNT]].tolist()],
        [tuple(pair) for pair in pool[row[R] : row[R] + row[R_COUNT]].tolist()],
    )
