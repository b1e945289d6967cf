"""What license a text states, found by the cheapest step that is certain.

    SPDX tag  →  known texts, word for word  →  cache  →  ScanCode's full matcher

A text is explained when every word that could matter belongs to a known text; one unexplained
"not" sends it on to the full matcher. Sentences that no known text explains are searched for
riders, and a permissive text that was changed at a telling word is not called permissive.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from stackcurate.licenses import names, pointers, texts
from stackcurate.licenses import words as w
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.decode import text_of
from stackcurate.licenses.expression import combine, ids, known, license_class, normalize
from stackcurate.licenses.manifests import UNKNOWN, declared
from stackcurate.licenses.paths import about_paths, statements, whole
from stackcurate.licenses.policy import table
from stackcurate.licenses.riders import ALTERED, riders
from stackcurate.licenses.scancode import Judge, detector
from stackcurate.schema import EVIDENCE

UNDETERMINED = "undetermined"  # matcher of a text that hung or crashed the full matcher
OWN = "stackcurate-licenses 1"  # detector of what is decided without ScanCode's code
MAX_PLAIN_WORDS = 60  # words without legal meaning that may stand beside known texts
FULL = frozenset((names.LICENSE_FILE,))  # kinds that are worth the full matcher

# A word that must be explained by a known text before a license file counts as understood.
LEGAL_WORDS = [
    "licenses", "licences", "licensing", "licence", "license", "licensed", "licensee",
    "licensor", "lgpl", "agpl", "gpl", "mit", "bsd", "apache", "mozilla", "mpl", "creative",
    "commons", "cc", "cc0", "gnu", "public", "domain", "copyleft", "patent", "patents",
    "warranty", "warranties", "permission", "permissions", "permits", "grant", "grants",
    "granted", "rights", "copying", "modify", "modified", "modification", "modifications",
    "redistributions", "liability", "agreement", "clause", "freely", "free", "gratis", "eula",
    "terms", "conditions", "provided", "allowed", "consent", "free",
]  # fmt: skip
_LEGAL = np.unique(np.concatenate([w.hashes_of(list(LEGAL_WORDS)), w.hashes_of(w.RIDER_WORDS)]))

# Words whose coming or going inside a permissive text changes what it grants.
_TELLING = frozenset([
    "not", "no", "non", "never", "cannot", "noncommercial", "commercial", "commercially", "only",
    "ai", "training", "prohibited", "prohibits", "forbidden", "forbids", "except", "excluding",
    "excluded", "excludes", "without", "restricted", "noncommercially", "military", "revoked",
])  # fmt: skip
_NOT = frozenset(["don", "doesn", "isn", "won", "shouldn"])  # and "t", in another token
_REMEMBERED = _TELLING | _NOT
_SHORT_LOSS = 5  # words; a longer run that is missing is a whole clause, seldom a changed meaning
_TAG = re.compile(rb"SPDX-License-Identifier:[ \t]*([^\r\n]{1,400})", re.I)


@dataclass(frozen=True)
class Text:
    """A control file: its id, path (or name), kind as ``names.control_files`` says, and bytes."""

    content_id: bytes
    name: str
    kind: str
    data: bytes


class Reading(NamedTuple):
    """What one text states: expression, byte span, and how that is known."""

    expression: str | None
    start: int
    end: int
    score: float
    rule: str
    matcher: str
    detector: str


# --- the cheap steps ------------------------------------------------------------------------------


def tag_value(raw: str) -> str | None:
    """The expression in what follows an ``SPDX-License-Identifier:`` tag on its line, or None.

    Comment ends and quotes after the expression are not part of it.
    """
    value = re.split(r"\*/|-->|\*\)|-\}|\]\]|\"\"\"|'''|\{#|#\}|%>|\?>|\\n", raw)[0]
    value = value.strip().strip("\"'`*#;,.<>[]").strip()
    for candidate in (value, re.split(r"\s{2,}|[,;\"'<>]", value)[0].strip()):
        expression = normalize(candidate) if candidate else None
        if expression is not None:
            return expression
    return None


def _by_tag(data: bytes) -> list[tuple[str, int, int]]:
    """Expressions of well-formed SPDX tags, with their byte spans."""
    found = []
    for tag in _TAG.finditer(data):
        expression = tag_value(tag[1].decode("utf-8", "replace"))
        if expression is not None:
            found.append((expression, tag.start(), tag.end()))
    return found


def _gaps(found: w.Words, taken: Sequence[texts.Match]) -> list[tuple[int, int]]:
    """The runs of words between (not in) the matches."""
    edges = [
        0,
        *(place for match in taken for place in (match.start, match.end)),
        len(found.hashes),
    ]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def _runs(data: bytes, found: w.Words, start: int, end: int) -> list[tuple[int, int]]:
    """The words ``start`` to ``end``, cut into their lines."""
    cuts = [start]
    for at in range(start + 1, end):
        if b"\n" in data[found.ends[at - 1] : found.starts[at]]:
            cuts.append(at)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _segments(data: bytes, found: w.Words, gaps: Sequence[Sequence[int]]) -> str:
    """The text of some runs of words (first, and one after the last), as sentences of their own."""
    parts = [
        data[found.starts[a] : found.ends[b - 1]].decode("utf-8", "replace")
        for a, b in gaps
        if a < b
    ]
    return "\n\n".join(parts)


def by_words(data: bytes, found: w.Words) -> Reading | None:
    """What known texts say about a text, where they explain every word that matters."""
    index = texts.load()
    entire = texts.whole(index, found)
    if entire is not None and entire.expression:
        return _reading(found, [entire], "whole", index.detector, ())
    taken = texts.matches(index, found)
    if not any(m.expression and m.kind in (texts.TEXT, texts.NOTICE) for m in taken):
        return None
    stated = frozenset().union(*(ids(match.expression) for match in taken))
    titles, open_ = [], []
    for start, end in _gaps(found, taken):
        for a, b in [(start, end)] if end - start == 1 else _runs(data, found, start, end):
            title = texts.between(index, found, a, b)
            # A title is explained by the text it stands over.
            if title is not None and ids(title.expression) <= stated:
                titles.append(title)
            else:
                open_.append((a, b))
    if sum(end - start for start, end in open_) > MAX_PLAIN_WORDS:
        return None
    if any(np.isin(found.hashes[start:end], _LEGAL).any() for start, end in open_):
        return None
    extra = riders(_segments(data, found, open_)) if open_ else []
    return _reading(found, sorted([*taken, *titles]), "exact", index.detector, extra)


def _reading(
    found: w.Words, taken: Sequence[texts.Match], matcher: str, by: str, extra: Sequence[str]
) -> Reading:
    telling = [match for match in taken if match.expression]
    expression = settle([match.expression for match in telling], extra)
    rules = dict.fromkeys(match.rule for match in telling)
    return Reading(
        expression,
        int(found.starts[telling[0].start]),
        int(found.ends[telling[-1].end - 1]),
        100.0,
        "; ".join(list(rules)[:8]),
        matcher,
        by,
    )


def settle(expressions: Sequence[str], extra: Sequence[str] = ()) -> str | None:
    """One expression of all that a text states; neutral parts fall away beside others."""
    stated = [text for text in expressions if text]
    telling = [text for text in stated if not _is_neutral(text)]
    return combine([*(telling or stated), *extra])


def _is_neutral(expression: str) -> bool:
    license_ = table().find(expression)
    return license_ is not None and license_.neutral


# --- the full matcher -----------------------------------------------------------------------------


class Canonical(NamedTuple):
    """A text as the full matcher is shown it, and the number of the first word of every line.

    Space and lines of mere decoration are gone, so that the answer depends on nothing else and may
    stand for every text of the same canonical form. Owners stay: ScanCode's texts name some.
    """

    text: str
    first_words: list[int]

    @property
    def key(self) -> bytes:
        return hashlib.blake2b(self.text.encode(), digest_size=16).digest()


def canonical(data: bytes, found: w.Words) -> Canonical:
    """``data`` (UTF-8) with single spaces, single empty lines, and nothing else changed."""
    lines: list[str] = []
    first_words: list[int] = []
    at = 0
    for raw in data.split(b"\n"):
        line = " ".join(raw.decode("utf-8", "replace").split())
        if not any(map(str.isalnum, line)):
            line = ""
        if line or (lines and lines[-1]):
            lines.append(line)
            first_words.append(int(np.searchsorted(found.starts, at)))
        at += len(raw) + 1
    return Canonical("\n".join(lines), [*first_words, len(found.hashes)])


def _placed(answer: list[dict[str, Any]], shown: Canonical) -> list[dict[str, Any]]:
    """An answer with its lines turned into words of the text that was shown."""
    last_line = len(shown.first_words) - 1
    placed = []
    for detection in answer:
        matches = []
        for match in detection["matches"]:
            first, last = match["lines"]
            start = shown.first_words[min(first - 1, last_line)]
            end = shown.first_words[min(last, last_line)]
            matches.append(match | {"words": [start, max(start, end)]})
        placed.append({"expression": detection["expression"], "matches": matches})
    return placed


def _altered(match: dict[str, Any], around: str) -> bool:
    """Whether a match differs from its rule at a word that changes the grant.

    ``around`` is the text of the match. A word that only moved does not count, nor does "don't" for
    "do not", nor a whole clause left out.
    """
    extra = Counter(_words_of(match["extra"]))
    missing = Counter(
        word
        for run in match["missing"]
        if len(run.split()) <= _SHORT_LOSS
        for word in _words_of(run.split())
    )
    long = Counter(word for run in match["missing"] for word in _words_of(run.split()))
    changed = (extra - long) + (missing - extra)
    if not _TELLING.isdisjoint(changed):
        return True
    return bool(extra) and bool(riders(around, bans=False))


def _without_text(detection: dict[str, Any]) -> dict[str, Any]:
    """A detection that may be remembered: of the text's own words only those that matter here."""
    matches = [
        match | {"extra": [word if word in _REMEMBERED else "…" for word in match["extra"]]}
        for match in detection["matches"]
    ]
    return detection | {"matches": matches}


def _words_of(tokens: Sequence[str]) -> list[str]:
    return ["not" if token in _NOT else token for token in tokens]


def by_answer(data: bytes, found: w.Words, placed: list[dict[str, Any]], by: str) -> Reading | None:
    """What ScanCode's answer means, riders and telling changes included; None for no license."""
    matches = [match for detection in placed for match in detection["matches"]]
    if not matches:
        return None
    expressions = []
    for detection in placed:
        expression = normalize(detection["expression"]) or UNKNOWN
        open_ = license_class(expression) in ("permissive", "public_domain")
        if open_ and any(
            _altered(m, _segments(data, found, [m["words"]])) for m in detection["matches"]
        ):
            expression = combine([expression, ALTERED]) or expression
        expressions.append(expression)
    spans = [match["words"] for match in matches]
    gaps = _outside(spans, len(found.hashes))
    extra = riders(_segments(data, found, gaps)) if gaps else []
    start, end = min(a for a, _ in spans), max(b for _, b in spans)
    rules = [match["rule"] for match in matches]
    size = len(found.hashes)
    score, matcher = min((match["score"], match["matcher"]) for match in matches)
    return Reading(
        settle(expressions, extra),
        int(found.starts[start]) if start < size else 0,
        int(found.ends[end - 1]) if 0 < end <= size else len(data),
        score,
        "; ".join(list(dict.fromkeys(rules))[:8]),
        matcher,
        by,
    )


def _outside(spans: Sequence[Sequence[int]], size: int) -> list[tuple[int, int]]:
    """The runs of ``size`` words that no span covers."""
    gaps, at = [], 0
    for start, end in sorted(map(tuple, spans)):
        if start > at:
            gaps.append((at, start))
        at = max(at, end)
    return [*gaps, (at, size)] if at < size else gaps


# --- all steps over many texts --------------------------------------------------------------------


@dataclass
class Steps:
    """How many distinct texts each step decided; printed by benchmarks, never released."""

    tag: int = 0
    words: int = 0
    declared: int = 0
    cached: int = 0
    matched: int = 0
    undetermined: int = 0
    silent: int = 0


def detect_texts(
    items: Sequence[Text], cache: Cache, judge: Judge, steps: Steps | None = None
) -> pa.Table:
    """One EVIDENCE row per text that states a license, in the order of ``items``.

    A file that speaks about paths gives further rows, one per paragraph (``licenses.paths``).

    A text that should state one and cannot be read (an unknown license file) is
    ``LicenseRef-scancode-unknown``; one that the full matcher could not finish has a null
    expression and the matcher ``undetermined``, and is not cached. Readmes, notices and license
    texts are read by the cheap steps only.
    """
    steps = steps or Steps()
    rows: list[list[dict[str, Any]]] = [[] for _ in items]
    open_: list[tuple[int, bytes, bool, w.Words]] = []
    for number, item in enumerate(items):
        if item.kind == names.REUSE:
            rows[number] = _about_paths(item)
            continue
        prose = _is_debian(item)
        reading = _from_manifest(item) if item.kind == names.MANIFEST else None
        steps.declared += reading is not None
        if reading is None and (prose or item.kind != names.MANIFEST):
            text, exact = text_of(item.data)
            found = w.words(text)
            reading = _pointer(item, text) or _cheap(text, found, steps)
            if reading is None and (prose or item.kind in FULL) and len(found.hashes):
                open_.append((number, text, exact, found))
                continue
            reading = reading and _whole_span(reading, exact, item)
        steps.silent += reading is None
        rows[number] = [_row(item, reading)] if reading else []
        rows[number] += _about_paths(item) if prose else []
    for number, reading in _by_judge(items, open_, cache, judge, steps):
        rows[number] = [_row(items[number], reading)]
    return pa.Table.from_pylist([row for some in rows for row in some], schema=EVIDENCE)


def _about_paths(item: Text) -> list[dict[str, Any]]:
    """One row per paragraph that names files; see ``licenses.paths``."""
    return [
        _row(item, Reading(one.expression, one.start, one.end, 100.0, one.rule, "declared", OWN))
        for one in statements(item.name, item.data, _expression_of)
    ]


def _is_debian(item: Text) -> bool:
    return item.kind == names.MANIFEST and item.name.rpartition("/")[2] == "copyright"


def _expression_of(text: bytes) -> str | None:
    reading = by_words(text, w.words(text))
    return None if reading is None else reading.expression


def _cheap(text: bytes, found: w.Words, steps: Steps) -> Reading | None:
    tags = _by_tag(text)
    # A tag is the whole statement only where nothing but the tag could state something.
    if tags and all(known(tag[0]) for tag in tags) and len(found.hashes) <= 40 + 8 * len(tags):
        steps.tag += 1
        expression = settle([tag[0] for tag in tags])
        return Reading(expression, tags[0][1], tags[-1][2], 100.0, "spdx-tag", "spdx-tag", OWN)
    reading = by_words(text, found)
    steps.words += reading is not None
    return reading


def _pointer(item: Text, text: bytes) -> Reading | None:
    """A license file that only says which other file is the license; the folder walk follows it."""
    rule = pointers.rule(text) if item.kind == names.LICENSE_FILE else None
    if rule is None:
        return None
    return Reading(UNKNOWN, 0, len(text), 100.0, rule, pointers.MATCHER, OWN)


def _whole_span(reading: Reading, exact: bool, item: Text) -> Reading:
    return reading if exact else reading._replace(start=0, end=len(item.data))


def _from_manifest(item: Text) -> Reading | None:
    if _is_debian(item):
        said = statements(item.name, item.data, _expression_of)
        expression, size = whole(said), len(item.data)
        if expression is None:
            return None
        return Reading(expression, 0, size, 100.0, "Files/License", "declared", OWN)
    stated = declared(item.name, item.data)
    if stated is None:
        return None
    return Reading(stated.expression, stated.start, stated.end, 100.0, stated.rule, "declared", OWN)


def _by_judge(
    items: Sequence[Text],
    open_: Sequence[tuple[int, bytes, bool, w.Words]],
    cache: Cache,
    judge: Judge,
    steps: Steps,
) -> list[tuple[int, Reading]]:
    """Readings of the texts that only the full matcher can explain, from the cache where known."""
    if not open_:
        return []
    by = detector()
    shown = [canonical(text, found) for _, text, _, found in open_]
    keys = [form.key for form in shown]
    answers = cache.get(keys, by)
    steps.cached += sum(key in answers for key in keys)
    asked: dict[bytes, int] = {}
    for place, key in enumerate(keys):
        if key not in answers:
            asked.setdefault(key, place)
    places = list(asked.values())
    replies = judge.ask([shown[place].text for place in places]) if places else []
    fresh = {}
    for place, reply in zip(places, replies, strict=True):
        if reply.failure is None:
            fresh[keys[place]] = [_without_text(detection) for detection in reply.detections]
    cache.put(fresh, by)
    answers.update(fresh)
    steps.matched += len(fresh)
    steps.undetermined += len(places) - len(fresh)
    result = []
    for place, (number, text, exact, found) in enumerate(open_):
        size = len(items[number].data)
        if keys[place] not in answers:
            reading = Reading(None, 0, size, 0.0, "", UNDETERMINED, by)
        else:
            placed = _placed(answers[keys[place]], shown[place])
            stated = by_answer(text, found, placed, by)
            reading = stated or Reading(UNKNOWN, 0, size, 0.0, "", "none", by)
        result.append((number, _whole_span(reading, exact, items[number])))
    return result


def evidence_id(content_id: str, kind: str, start: int, end: int, expression: str | None) -> str:
    """The key of a statement: 32 hex digits over the file, the place and what is stated."""
    said = f"{content_id}\0{kind}\0{start}\0{end}\0{expression}"
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _row(item: Text, reading: Reading) -> dict[str, Any]:
    content_id = item.content_id.hex()
    start, end = reading.start, reading.end
    # Paragraphs of REUSE.toml share a span, and may share an expression.
    said = f"{reading.rule} {reading.expression}" if about_paths(reading.rule) else None
    said = said or reading.expression
    return {
        "evidence_id": evidence_id(content_id, item.kind, start, end, said),
        "content_id": content_id,
        "kind": item.kind,
        "start": start,
        "end": end,
        "expression": reading.expression,
        "score": reading.score,
        "rule": reading.rule,
        "matcher": reading.matcher,
        "detector": reading.detector,
    }
