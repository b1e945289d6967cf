"""From what matches in a text to what the text states: one expression, its place, its grounds.

An answer is a list of ``{expression, matches}``, ours or ScanCode's. Sentences that no match covers
are searched for riders, and a permissive text that was changed at a telling word is not called
permissive.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stackcurate.licenses import changes, choices, matcher, mentions, query, rules
from stackcurate.licenses.detections import Detection, detect
from stackcurate.licenses.doubts import doubts
from stackcurate.licenses.expression import combine, ids, license_class, normalize, operands
from stackcurate.licenses.matcher import Match
from stackcurate.licenses.policy import OPEN, table
from stackcurate.licenses.riders import ALTERED, companies, riders
from stackcurate.licenses.spoken import UNKNOWN

# Words whose coming or going inside a permissive text changes what it grants.
_TELLING = frozenset([
    "not", "no", "non", "never", "cannot", "noncommercial", "commercial", "commercially", "only",
    "ai", "training", "prohibited", "prohibits", "forbidden", "forbids", "except", "excluding",
    "excluded", "excludes", "without", "restricted", "noncommercially", "military", "revoked",
])  # fmt: skip
_NOT = frozenset(["don", "doesn", "isn", "won", "shouldn"])  # what is left of "don't"
_REMEMBERED = _TELLING | _NOT
_NON_INFRINGEMENT = re.compile(r"non[\s-]+infring", re.I)  # rules have it as one word
_SHORT_LOSS = 5  # words; a longer run that is missing is a whole clause, seldom a changed meaning
_WORD = re.compile(r"[^_\W]+\+?[^_\W]*")
SHORTEST, SHORTEST_TAG = 5, 3  # words of a notice and of "License: X"; shorter ones mention
LONG = 20  # words of a rule that begins with a sentence
_EMPTY_LINES = 5  # in a row that count; more say no more
Span = tuple[int, int]


class Reading(NamedTuple):
    """What one text states: expression, byte span, and how that is known."""

    expression: str | None
    start: int
    end: int
    score: float
    rule: str
    matcher: str
    detector: str


def settle(expressions: Sequence[str], extra: Sequence[str] = ()) -> str | None:
    """One expression of all that a text states; neutral parts fall away beside others."""
    stated = [part for text in expressions if text for part in operands(text)]
    telling = [text for text in stated if not is_neutral(text)]
    return combine([*(telling or stated), *extra])


def is_neutral(expression: str) -> bool:
    """Whether an expression is one license that grants and denies nothing."""
    license_ = table().find(expression)
    return license_ is not None and license_.neutral


# --- the text that is matched ---------------------------------------------------------------------


class Canonical(NamedTuple):
    """A text as matchers are shown it, and the byte of the original where each line begins.

    Space within lines and long gaps between them are gone, so that the answer depends on nothing
    else and may stand for every text of the same canonical form. Owners stay: rules name some.
    """

    text: str
    starts: list[int]

    @property
    def key(self) -> bytes:
        return hashlib.blake2b(self.text.encode(), digest_size=16).digest()


def canonical(data: bytes) -> Canonical:
    """``data`` (UTF-8) with single spaces, few empty lines, and nothing else changed."""
    lines: list[str] = []
    starts: list[int] = []
    at, empty = 0, 0
    for raw in data.decode("utf-8", "replace").splitlines(keepends=True):
        line = " ".join(raw.split())
        if not any(map(str.isalnum, line)):
            line = ""
        empty = 0 if line else empty + 1
        if line or (lines and empty <= _EMPTY_LINES):
            lines.append(line)
            starts.append(at)
        at += len(raw.encode("utf-8", "replace"))
    return Canonical("\n".join(lines), [*starts, len(data)])


# --- our matcher's answers ------------------------------------------------------------------------


def answer(text: str) -> list[dict[str, Any]] | None:
    """What our matcher says about a canonical text, as JSON values; None where it gave up.

    A match has ``rule``, ``expression``, ``matcher``, ``score``, ``kind`` ("text" for a license or
    a notice, "name" for what states something as a line of its own, "other" for a mention),
    ``length`` (words of the rule) and ``words``: first and last of those that rules know. Where
    text and rule differ it has ``extra``, words that only the text has, ``missing``, runs of
    words that only the rule has, and ``changed``: whether some of them change what a sentence
    grants. Telling words are spelt out, others are not: answers are remembered, and words of a
    text must not be.
    """
    known = rules.load()
    found = matcher.matches(text, known)
    if found is None:
        return None
    asked, matches = found
    said = [text[asked.begin[m.first] : asked.end[m.last]].lower() for m in matches]
    return [
        {
            "expression": one.expression,
            "matches": [_told(m, asked, text, known) for m in one.matches],
        }
        for one in _stated(detect(matches, said))
    ]


def flat(data: bytes) -> Reading | None:
    """What ScanCode says of ``data`` (UTF-8) as one text: mentions count, riders do not.

    None where nothing is found; the expression is null where our matcher gave up.
    """
    known = rules.load()
    text = data.decode("utf-8", "replace")
    found = matcher.matches(text, known)
    if found is None:
        return Reading(None, 0, len(data), 0.0, "", "undetermined", known.detector)
    asked, matches = found
    said = [text[asked.begin[m.first] : asked.end[m.last]].lower() for m in matches]
    stated = _stated(detect(matches, said))
    told = [match for one in stated for match in one.matches]
    if not told:
        return None
    begin, end = _bytes(text, asked.begin), _bytes(text, asked.end)
    score, how = min((match.score, match.kind) for match in told)
    return Reading(
        settle([one.expression or "" for one in stated]),
        int(begin[min(match.first for match in told)]),
        int(end[max(match.last for match in told)]),
        score,
        "; ".join(list(dict.fromkeys(match.rule for match in told))[:8]),
        how,
        known.detector,
    )


def _stated(found: Sequence[Detection]) -> list[Detection]:
    return [one for one in found if one.expression]


def _told(match: Match, asked: query.Query, text: str, known: rules.Table) -> dict[str, Any]:
    told: dict[str, Any] = {
        "rule": match.rule,
        "expression": match.expression,
        "kind": "text" if _states(match) else "name" if _names_one(match) else "other",
        "matcher": match.kind,
        "score": match.score,
        "length": match.length,
        "words": [match.first, match.last],
    }
    if match.size < match.breadth:
        told["extra"] = _extra(match, asked, text)
    if match.size < match.length:
        told["missing"] = _missing(match, known)
    inside = asked.unknown[match.first + 1 : match.last + 1]  # words that no rule has
    differs = match.size < match.breadth or match.size < match.length or inside.any()
    if differs and match.row >= 0 and match.flags & (rules.TEXT | rules.NOTICE):
        told["changed"] = bool(changes.telling(match, asked, text, known))
    return told


def _states(match: Match) -> bool:
    """Whether a match is a statement and no mere mention, by its rule."""
    if match.flags & (rules.TEXT | rules.NOTICE):
        return match.length >= SHORTEST
    named = match.flags & rules.TAG and match.length >= SHORTEST_TAG
    named = named or (match.flags & rules.REFERENCE and match.length >= SHORTEST)
    return bool(named) and match.relevance >= 99


def _names_one(match: Match) -> bool:
    """Whether a match is nothing but the name of a license, said for certain."""
    whole = match.size == match.length and match.relevance >= 99
    return whole and bool(match.flags & (rules.NOTICE | rules.TAG | rules.REFERENCE))


def _extra(match: Match, asked: query.Query, text: str) -> list[str]:
    """Words of the text between a match's first and last that are not its own."""
    own: set[int] = set()
    for first, last in match.in_text:
        own.update(asked.begin[first : last + 1].tolist())
    begin, end = int(asked.begin[match.first]), int(asked.end[match.last])
    names = companies(text[begin:end], begin)
    found = (
        word
        for word in _WORD.finditer(text, begin, end)
        if word.start() not in own and not any(a <= word.start() < b for a, b in names)
    )
    return [
        "…" if _NON_INFRINGEMENT.match(text, word.start()) else _remembered(word[0].lower())
        for word in found
    ][:2000]


def _remembered(word: str) -> str:
    return word if word in _REMEMBERED else "…"


def without_text(detection: dict[str, Any]) -> dict[str, Any]:
    """One of ScanCode's detections that may be remembered."""
    matches = [
        match | {"extra": [_remembered(word) for word in match["extra"]]}
        for match in detection["matches"]
    ]
    return detection | {"matches": matches}


def _missing(match: Match, known: rules.Table) -> list[str]:
    """Runs of words that only the rule has; a word that tells nothing is a dash."""
    start = int(known.rules.facts.start[match.row])
    names = _telling_ids(known)
    gaps, at = [], 0
    for first, last in [*match.in_rule, (match.length, match.length)]:
        if first > at:
            run = known.rules.facts.tokens[start + at : start + first].tolist()
            gaps.append(" ".join(names.get(token, "…") for token in run))
        at = last + 1
    return gaps


_names: dict[str, dict[int, str]] = {}


def _telling_ids(known: rules.Table) -> dict[int, str]:
    if known.detector not in _names:
        ids = ((rules.word_id(known.rules, word), word) for word in sorted(_REMEMBERED))
        _names[known.detector] = {number: word for number, word in ids if number >= 0}
    return _names[known.detector]


# --- places of an answer in the text --------------------------------------------------------------


def by_words(data: bytes, given: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], Span]]:
    """Our matches with their byte spans in ``data``, of whose canonical form the answer is."""
    text = data.decode("utf-8", "replace")
    asked = query.read(text, rules.load().rules)
    begin, end = _bytes(text, asked.begin), _bytes(text, asked.end)
    matches = [match for one in given for match in one["matches"]]
    return [(m, (int(begin[m["words"][0]]), int(end[m["words"][1]]))) for m in matches]


def _bytes(text: str, places: NDArray[np.int32]) -> NDArray[np.int64]:
    """Byte offsets of code points."""
    if text.isascii():
        return places.astype(np.int64)
    raw = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    starts = np.flatnonzero((raw & 0xC0) != 0x80)
    return np.append(starts, len(raw))[places]


def by_lines(
    shown: Canonical, given: Sequence[dict[str, Any]]
) -> list[tuple[dict[str, Any], Span]]:
    """ScanCode's matches with the byte spans of their lines."""
    last_line = len(shown.starts) - 1
    placed = []
    for match in (match for one in given for match in one["matches"]):
        first, last = match["lines"]
        start = shown.starts[min(first - 1, last_line)]
        placed.append((match, (start, max(start, shown.starts[min(last, last_line)]))))
    return placed


# --- what an answer means -------------------------------------------------------------------------


def _words_of(tokens: Sequence[str]) -> list[str]:
    return ["not" if token in _NOT else token for token in tokens]


def altered(match: dict[str, Any], around: str) -> bool:
    """Whether a match differs from its rule at a word that changes the grant.

    ``changed`` tells of such words in sentences that grant something (``licenses.changes``).

    ``around`` is the text of the match. A word that only moved does not count, nor does "don't" for
    "do not", nor a whole clause left out.
    """
    if match.get("changed"):
        return True
    runs = [run.split() for run in match.get("missing", ())]
    extra = Counter(_words_of(match.get("extra", ())))
    missing = Counter(w for run in runs if len(run) <= _SHORT_LOSS for w in _words_of(run))
    long = Counter(word for run in runs for word in _words_of(run))
    changed = (extra - long) + (missing - extra)
    if not _TELLING.isdisjoint(changed):
        return True
    return bool(extra) and bool(riders(around, bans=False))


def reading(
    data: bytes,
    given: Sequence[dict[str, Any]],
    placed: Sequence[tuple[dict[str, Any], Span]],
    by: str,
    doubt: Callable[[str], list[str]] = doubts,
) -> Reading | None:
    """What an answer means, riders and telling changes included; None for no license.

    ``doubt`` judges what stands beside an open license.
    """
    gaps = _outside([span for _, span in placed], len(data))
    given, placed = mentions.without(data, given, placed)
    if not placed:
        return None
    spans = iter(span for _, span in placed)
    expressions = []
    for detection in given:
        around = [(match, next(spans)) for match in detection["matches"]]
        expression = _with_choices(data, normalize(detection["expression"]) or UNKNOWN, around)
        open_ = license_class(expression) in OPEN
        if open_ and any(_is_changed(data, match, span) for match, span in around):
            expression = combine([expression, ALTERED]) or expression
        expressions.append(expression)
    beside = _said(data, gaps)
    extra = riders(beside)
    if not extra and license_class(settle(expressions)) in OPEN:
        extra = doubt(beside)
    score, how = min((match["score"], match["matcher"]) for match, _ in placed)
    names = dict.fromkeys(match["rule"] for match, _ in placed)
    return Reading(
        settle(expressions, extra),
        min(start for _, (start, _) in placed),
        max(end for _, (_, end) in placed),
        score,
        "; ".join(list(names)[:8]),
        how,
        by,
    )


def _is_changed(data: bytes, match: dict[str, Any], span: Span) -> bool:
    """Whether a match, or what its first sentence begins with, changes what is granted."""
    start, _ = span
    if altered(match, _said(data, [span])):
        return True
    before = data[max(0, start - changes.NEAR) : start].decode("utf-8", "replace")
    long = match.get("kind") == "text" and match.get("length", 0) >= LONG
    return long and changes.leads(before)


def _with_choices(
    data: bytes, expression: str, around: Sequence[tuple[dict[str, Any], Span]]
) -> str:
    """A detection's expression, and what of it the text offers as a choice."""
    parts = []
    for match, (start, end) in around:
        said = normalize(match["expression"]) or UNKNOWN
        if ids(said) <= ids(expression):
            size = match.get("length", choices.LONGEST + 1)  # ScanCode's have none
            parts.append(choices.Part(start, end, said, size))
    parts.sort()
    said_by = choices.settled(data, parts)
    if said_by == [one.expression for one in parts]:
        return expression
    return combine(one for one in said_by if one) or expression


def _said(data: bytes, spans: Sequence[Span]) -> str:
    """The text of some spans, as sentences of their own."""
    return "\n\n".join(data[a:b].decode("utf-8", "replace") for a, b in spans if a < b)


def _outside(spans: Sequence[Span], size: int) -> list[Span]:
    """What of ``size`` bytes no span covers."""
    gaps, at = [], 0
    for start, end in sorted(spans):
        if start > at:
            gaps.append((at, start))
        at = max(at, end)
    return [*gaps, (at, size)] if at < size else gaps
