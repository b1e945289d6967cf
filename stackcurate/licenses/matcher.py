"""Our own matcher of ScanCode's rules: the same matches, thousands of times a second.

    whole text  →  SPDX tags  →  rules word for word  →  rules with changes  →  which ones are told

It follows ScanCode's matcher step by step on the arrays of ``licenses.rules``; nothing of ScanCode
is loaded. ``detections`` groups matches and says their expression as ScanCode does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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
from stackcurate.licenses.rules import FALSE_POSITIVE, TEXT, Rules, Table, find, head_hash, prefixes
from stackcurate.licenses.tags import tag_expression
from stackcurate.licenses.worth import breadth, hundredths

NEAR, SOME = 10, 70  # rules compared with the whole text, and with each of its runs
LONG_TEXT = 120  # words of a license text that, once found, is not searched again
MOST_STEPS = 2_000_000_000  # of comparing words with words, some seconds; a license takes millions
MOST_SPANS = 20_000_000
_NAMES = {WHOLE: "1-hash", BY_TAG: "1-spdx-id", EXACT: "2-aho", APART: "3-seq"}


@njit(cache=True, nogil=True)
def _add(found, pool, used, count, rule, length, expression, kind, q, i, size, high):  # type: ignore[no-untyped-def]
    """Append a match of ``size`` words in a row; (found, pool, used, count)."""
    if count == found.shape[0]:
        larger = np.zeros((2 * count, found.shape[1]), np.int32)
        larger[:count] = found
        found = larger
    pool = spans.room(pool, used, 2)
    pool[used, 0], pool[used, 1] = q, q + size - 1
    pool[used + 1, 0], pool[used + 1, 1] = i, i + size - 1
    row = found[count]
    row[RULE], row[SIZE], row[HIGH], row[KIND] = rule, size, high, kind
    row[ORDER] = 0 if kind == WHOLE else 2 if kind == BY_TAG else 1 if kind == EXACT else 3
    row[Q], row[Q_COUNT], row[R], row[R_COUNT] = used, 1, used + 1, 1
    row[Q_FIRST], row[Q_LAST], row[R_FIRST], row[R_LAST] = q, q + size - 1, i, i + size - 1
    row[LENGTH], row[EXPRESSION] = length, expression
    return found, pool, used + 2, count + 1


@njit(cache=True, nogil=True)
def _same(facts, rule, ids, start):  # type: ignore[no-untyped-def]
    """Whether the words of a rule stand at ``start``; hashes may meet, words must."""
    base = facts.start[rule]
    equal = 0
    while equal < facts.length[rule] and facts.tokens[base + equal] == ids[start + equal]:
        equal += 1
    return equal == facts.length[rule]


@njit(cache=True, nogil=True)
def _whole(facts, whole, ids, prefix):  # type: ignore[no-untyped-def]
    """The rule that the whole text is, or -1."""
    rule = find(whole.slots, whole.hashes, prefix[ids.size])
    fits = rule >= 0 and facts.length[rule] == ids.size and _same(facts, rule, ids, 0)
    return rule if fits and not facts.flags[rule] & FALSE_POSITIVE else -1


@njit(cache=True, nogil=True)
def _tagged(tags, high, found, pool):  # type: ignore[no-untyped-def]
    """Matches of the lines with SPDX tags; (found, pool, used, count)."""
    used, count = np.int64(0), np.int64(0)
    for number in range(tags.shape[0]):
        first, last = tags[number, 0], tags[number, 1]
        found, pool, used, count = _add(
            found, pool, used, count, tags[number, 2], last - first + 1, tags[number, 3], BY_TAG,
            first, 0, last - first + 1, high[last + 1] - high[first],
        )  # fmt: skip
    return found, pool, used, count


@njit(cache=True, nogil=True)
def _exact(facts, whole, ids, prefix, high, found, pool, used, count):  # type: ignore[no-untyped-def]
    """Every rule that stands in the text word for word, wherever it does."""
    for start in range(ids.size):
        log = np.int64(0)
        while start + (1 << log) <= ids.size:
            row = find(whole.head_slots, whole.head, head_hash(prefix, whole.power, start, log))
            if row < 0:
                break
            for number in range(whole.head_lengths[row], whole.head_lengths[row + 1]):
                length = whole.lengths[number]
                end = start + length
                if end > ids.size:
                    break
                value = prefix[end] - prefix[start] * whole.power[length]
                rule = find(whole.slots, whole.hashes, value)
                if rule < 0 or facts.length[rule] != length:
                    continue
                if _same(facts, rule, ids, start):
                    found, pool, used, count = _add(
                        found, pool, used, count, rule, length, facts.expression[rule], EXACT,
                        start, 0, length, high[end] - high[start],
                    )  # fmt: skip
            log += 1
    return found, pool, used, count


@njit(cache=True, nogil=True)
def _approximate(facts, ids, free, first, last, picked, found, pool, used, count, left):  # type: ignore[no-untyped-def]
    """Matches of the picked rules in part, each rule's joined; (found, pool, used, count, rows)."""
    begin = count
    heads = np.full(facts.legal, -1, np.int32)
    for rule in picked:
        base = facts.start[rule]
        tokens = facts.tokens[base : facts.start[rule + 1]]
        runs = align.common_runs(ids, free, first, last, tokens, facts.legal, heads, left)
        if left[0] < 0 or used > MOST_SPANS:
            left[0] = -1
            break
        for row in range(runs.shape[0]):
            q, i, size = runs[row, 0], runs[row, 1], runs[row, 2]
            high = np.int64(0)
            for at in range(i, i + size):
                high += tokens[at] < facts.legal
            found, pool, used, count = _add(
                found, pool, used, count, rule, tokens.size, facts.expression[rule], APART,
                q, i, size, high,
            )  # fmt: skip
    pool, used, rows = merge(facts, found, pool, used, np.arange(begin, count))
    return found, pool, used, count, rows


@njit(cache=True, nogil=True)
def _take(pool, match, mask, value):  # type: ignore[no-untyped-def]
    for row in range(match[Q], match[Q] + match[Q_COUNT]):
        mask[pool[row, 0] : pool[row, 1] + 1] = value


@njit(cache=True, nogil=True)
def _take_all(found, pool, rows, free):  # type: ignore[no-untyped-def]
    """Words of matches are not free any more."""
    for row in rows:
        _take(pool, found[row], free, False)


@njit(cache=True, nogil=True)
def _leave_out(facts, found, pool, rows, free, settled):  # type: ignore[no-untyped-def]
    """Long texts that were found are not searched again; whole finds settle their words."""
    for row in rows:
        match = found[row]
        flags = flags_of(facts, match)
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


def _changed(
    rules: Rules, asked: query.Query, free: NDArray[np.bool_], settled: NDArray[np.bool_],
    found: NDArray[np.int32], pool: NDArray[np.int32], used: int, count: int,
    left: NDArray[np.int64],
) -> tuple[Any, ...]:  # fmt: skip
    """Rules that stand in the text with changes; (found, pool, used, rows)."""
    facts, alike, digit = rules.facts, rules.alike, rules.words.digit
    ids, last = asked.ids, len(asked.ids) - 1
    every = np.ones(len(ids), np.bool_)
    part = np.empty(0, np.int64)
    if not _is_open(ids, every, settled, facts.legal, digit, 0, last):
        return found, pool, used, part
    picked = align.candidates(facts, alike, ids, every, 0, last, NEAR, True)
    if len(picked):
        found, pool, used, count, part = _approximate(
            facts, ids, every, 0, last, picked, found, pool, used, count, left
        )
        _take_all(found, pool, part, free)
    parts = [part]
    for first, last in asked.runs.tolist():
        if not _is_open(ids, free, settled, facts.legal, digit, first, last):
            continue
        picked = align.candidates(facts, alike, ids, free, first, last, SOME, False)
        found, pool, used, count, part = _approximate(
            facts, ids, free, first, last, picked, found, pool, used, count, left
        )
        parts.append(part)
    pool, used, part = merge(facts, found, pool, used, np.concatenate(parts))
    return found, pool, used, part


def _match(rules: Rules, asked: query.Query, tags: NDArray[np.int32], most: int) -> tuple[Any, ...]:
    """Matches of a text: (found, pool, rows, whether it was not too much work).

    ``tags``: first, last word, rule and expression; ``most``: steps. The steps are kernels of their
    own, because one that holds them all compiles for a minute.
    """
    facts, ids = rules.facts, asked.ids
    size = len(ids)
    left = np.full(1, most)
    found = np.zeros((max(64, size // 4), COLUMNS), np.int32)
    pool = np.empty((2 * len(found), 2), np.int32)
    high = np.zeros(size + 1, np.int64)
    np.cumsum(ids < facts.legal, out=high[1:])
    prefix = prefixes(ids)
    rule = _whole(facts, rules.whole, ids, prefix)
    if rule >= 0:
        row = found[0]
        row[[RULE, SIZE, LENGTH, KIND]] = rule, size, size, WHOLE
        row[[EXPRESSION, HIGH]] = facts.expression[rule], high[size]
        row[[Q, Q_COUNT, R, R_COUNT]] = 0, 1, 1, 1
        row[[Q_LAST, R_LAST]] = size - 1
        row[[LINE, LAST_LINE]] = asked.line[0], asked.line[size - 1]
        pool[:2] = 0, size - 1
        return found, pool, np.arange(1), True
    free, settled = np.ones(size, np.bool_), np.zeros(size, np.bool_)
    found, pool, used, begin = _tagged(tags, high, found, pool)
    pool, used, rows = merge(facts, found, pool, used, np.arange(begin))
    for first, last in tags[:, :2].tolist():
        free[first : last + 1] = False
    _leave_out(facts, found, pool, rows, free, settled)
    found, pool, used, count = _exact(
        facts, rules.whole, ids, prefix, high, found, pool, used, begin
    )
    around = refine.Around(asked.line, asked.unknown, asked.stops, asked.short)
    pool, used, exact = refine.refine(
        facts, found, pool, used, np.arange(begin, count), around, False, False
    )
    pool, used, exact = merge(facts, found, pool, used, exact)
    _leave_out(facts, found, pool, exact, free, settled)
    found, pool, used, part = _changed(rules, asked, free, settled, found, pool, used, count, left)
    rows = np.concatenate((rows, exact, part))
    pool, used, rows = refine.refine(facts, found, pool, used, rows, around, False, True)
    pool, used, rows = refine.refine(facts, found, pool, used, rows, around, True, True)
    order = np.argsort(found[rows, Q_FIRST], kind="stable")
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
        expression = table.expressions[table.rules.facts.expression[number]]
    flags = int(table.rules.facts.flags[number]) if known else rules.TAG
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
        int(table.relevance[number]) if known else 100,
        flags,
        number if known else -1,
        [tuple(pair) for pair in pool[row[Q] : row[Q] + row[Q_COUNT]].tolist()],
        [tuple(pair) for pair in pool[row[R] : row[R] + row[R_COUNT]].tolist()],
    )
