"""What license a text states, found by the cheapest step that is certain.

    SPDX tag  →  known texts, word for word  →  cache  →  our matcher of ScanCode's rules

A text is explained by known texts when every word that could matter belongs to one; a single
unexplained "not" sends it on to the matcher (``licenses.matcher``). ScanCode itself is asked only
about a text that our matcher gives up on, which no license does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from stackcurate.licenses import changes, layout, names, pointers, readings, rules, texts
from stackcurate.licenses import words as w
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.decode import text_of
from stackcurate.licenses.doubts import doubts, takes_back
from stackcurate.licenses.expression import UNKNOWN_TAG, ids, license_class, listed
from stackcurate.licenses.manifests import declared
from stackcurate.licenses.paths import about_paths, is_dep5, statements, whole
from stackcurate.licenses.policy import OPEN
from stackcurate.licenses.readings import Reading, settle
from stackcurate.licenses.riders import riders
from stackcurate.licenses.scancode import Judge, detector
from stackcurate.licenses.spoken import UNKNOWN
from stackcurate.schema import EVIDENCE

UNDETERMINED = "undetermined"  # matcher of a text that hung or crashed the full matcher
OWN = "stackcurate-licenses 1"  # detector of what is decided without ScanCode's code
MATCHER = "stackcurate-rules 6"
Doubt = Callable[[str], list[str]]
MAX_PLAIN_WORDS = 60  # words without legal meaning that may stand beside known texts
FULL = frozenset((names.LICENSE_FILE,))  # kinds that are worth the matcher

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
# Words that may make a choice of two licenses, which the matcher's answer is asked about.
_OFFERS = w.hashes_of(["or", "either", "alternatively", "dual", "dually"])

_TAG = re.compile(rb"SPDX-License-Identifier:[ \t]*([^\r\n]{1,400})", re.I)


@dataclass(frozen=True)
class Text:
    """A control file: its id, path (or name), kind as ``names.control_files`` says, and bytes."""

    content_id: bytes
    name: str
    kind: str
    data: bytes


def detected_by() -> str:
    """Name and version of our matcher and of the rules it knows; part of every cache key."""
    return f"{MATCHER}, rules of {rules.load().detector}"


# --- the cheap steps ------------------------------------------------------------------------------


def tag_value(raw: str) -> str | None:
    """The expression in what follows an ``SPDX-License-Identifier:`` tag on its line, or None.

    Comment ends and quotes after the expression are not part of it. Ids that nobody knows are
    unknown ones, LicenseRefs stay.
    """
    value = re.split(r"\*/|-->|\*\)|-\}|\]\]|\"\"\"|'''|\{#|#\}|%>|\?>|\\n", raw)[0]
    value = value.strip().strip("\"'`*#;,.<>[]").strip()
    for candidate in (value, re.split(r"\s{2,}|[,;\"'<>]", value)[0].strip()):
        expression = listed(candidate) if candidate else None
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


def by_words(data: bytes, found: w.Words, doubt: Doubt = doubts) -> Reading | None:
    """What known texts say about a text, where they explain every word that matters.

    ``doubt`` judges what else stands there.
    """
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
    if len(stated) > 1 and any(np.isin(found.hashes[a:b], _OFFERS).any() for a, b in open_):
        return None
    if any(_leads(data, found, match) for match in taken if match.kind == texts.TEXT):
        return None
    beside = _segments(data, found, open_)
    extra = riders(beside)
    if not extra and all(
        license_class(match.expression) in OPEN for match in taken if match.expression
    ):
        extra = doubt(beside)
    return _reading(found, sorted([*taken, *titles]), "exact", index.detector, extra)


def _leads(data: bytes, found: w.Words, match: texts.Match) -> bool:
    """Whether the sentence that a text begins with has words before it that may change it."""
    start = int(found.starts[match.start])
    return changes.leads(data[max(0, start - changes.NEAR) : start].decode("utf-8", "replace"))


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


# --- all steps over many texts --------------------------------------------------------------------


@dataclass
class Steps:
    """How many distinct texts each step decided; printed by benchmarks, never released."""

    tag: int = 0
    words: int = 0
    declared: int = 0
    cached: int = 0
    matched: int = 0
    full: int = 0
    undetermined: int = 0
    silent: int = 0


def detect_texts(
    items: Sequence[Text], cache: Cache, judge: Judge, steps: Steps | None = None
) -> pa.Table:
    """One EVIDENCE row per text that states a license, in the order of ``items``.

    A file that speaks about paths gives further rows, one per paragraph (``licenses.paths``); one
    that says what licenses cover gives a row without an expression (``licenses.layout``).

    A text that should state one and cannot be read (an unknown license file) is
    ``LicenseRef-scancode-unknown``; one that the full matcher could not finish has a null
    expression and the matcher ``undetermined``, and is not cached. Readmes, notices and license
    texts are read by the cheap steps only.
    """
    steps = steps or Steps()
    rows: list[list[dict[str, Any]]] = [[] for _ in items]
    open_: list[tuple[int, bytes, bool]] = []
    for number, item in enumerate(items):
        if item.kind == names.REUSE:
            rows[number] = _about_paths(item)
            continue
        if item.kind in names.LAYOUT_KINDS:
            rows[number] = _lists(item)
            continue
        prose = _is_debian(item)
        manifest = prose or item.kind == names.MANIFEST
        reading = _from_manifest(item, prose) if manifest else None
        steps.declared += reading is not None
        if reading is None and (prose or item.kind != names.MANIFEST):
            text, exact = text_of(item.data)
            found = w.words(text)
            reading = _pointer(item, text) or _cheap(text, found, steps, _doubt(item))
            if reading is None and (prose or item.kind in FULL) and len(found.hashes):
                open_.append((number, text, exact))
                continue
            reading = reading and _whole_span(reading, exact, item)
        steps.silent += reading is None
        rows[number] = [_row(item, reading)] if reading else []
        rows[number] += _about_paths(item) if prose else []
    for number, reading in _by_matcher(items, open_, cache, judge, steps):
        rows[number] = [_row(items[number], reading)]
    return pa.Table.from_pylist([row for some in rows for row in some], schema=EVIDENCE)


def _about_paths(item: Text) -> list[dict[str, Any]]:
    """One row per paragraph that names files; see ``licenses.paths``."""
    return [
        _row(item, Reading(one.expression, one.start, one.end, 100.0, one.rule, "declared", OWN))
        for one in statements(item.name, item.data, _expression_of)
        if one.globs
    ]


def _lists(item: Text) -> list[dict[str, Any]]:
    """What a file says about folders: a row without an expression; see ``licenses.layout``."""
    rule = layout.rule(item.kind, item.name, item.data)
    if rule is None:
        return []
    return [_row(item, Reading(None, 0, len(item.data), 100.0, rule, layout.MATCHER, OWN))]


def _doubt(item: Text) -> Doubt:
    """How sentences beside an open license are judged: Debian's say much about their sources."""
    return doubts if item.kind == names.LICENSE_FILE else takes_back


def _is_debian(item: Text) -> bool:
    """Whether a file may be in DEP-5 form: debian/copyright, and license files that say so.

    Installed packages have it as /usr/share/doc/NAME/copyright, projects as COPYRIGHT.txt.
    """
    if item.kind == names.MANIFEST:
        return item.name.rpartition("/")[2] == "copyright"
    return item.kind == names.LICENSE_FILE and is_dep5(item.data)


@lru_cache(maxsize=1024)
def _expression_of(text: bytes) -> str | None:
    """What a paragraph's text states, by the steps that need no process and no cache."""
    # The value of a field, as ``manifests`` gives it; else a paragraph of Debian's.
    doubt = doubts if text.startswith(b"license: ") else takes_back
    stated = by_words(text, w.words(text), doubt)
    if stated is None:
        answer = readings.answer(readings.canonical(text).text)
        placed = readings.by_words(text, answer or ())
        stated = readings.reading(text, answer or (), placed, detected_by(), doubt)
    return None if stated is None else stated.expression


def _cheap(text: bytes, found: w.Words, steps: Steps, doubt: Doubt) -> Reading | None:
    tags = _by_tag(text)
    # A tag is the whole statement only where nothing but the tag could state something.
    if (
        tags
        and all(UNKNOWN_TAG not in tag[0] for tag in tags)
        and len(found.hashes) <= 40 + 8 * len(tags)
    ):
        steps.tag += 1
        rest = _TAG.sub(b"\n\n", text).decode("utf-8", "replace")
        expression = settle([tag[0] for tag in tags], riders(rest))
        return Reading(expression, tags[0][1], tags[-1][2], 100.0, "spdx-tag", "spdx-tag", OWN)
    reading = by_words(text, found, doubt)
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


def _from_manifest(item: Text, prose: bool) -> Reading | None:
    if prose:
        said = statements(item.name, item.data, _expression_of)
        expression, size = whole(said), len(item.data)
        if expression is None:
            return None
        return Reading(expression, 0, size, 100.0, "Files/License", "declared", OWN)
    stated = declared(item.name, item.data, _expression_of)
    if stated is None:
        return None
    return Reading(stated.expression, stated.start, stated.end, 100.0, stated.rule, "declared", OWN)


def _by_matcher(
    items: Sequence[Text],
    open_: Sequence[tuple[int, bytes, bool]],
    cache: Cache,
    judge: Judge,
    steps: Steps,
) -> list[tuple[int, Reading]]:
    """Readings of the texts that only a matcher can explain, from the cache where known."""
    by = detected_by()
    shown = [readings.canonical(text) for _, text, _ in open_]
    keys = [form.key for form in shown]
    answers = cache.get(keys, by)
    steps.cached += sum(key in answers for key in keys)
    fresh: dict[bytes, Any] = {}
    hard: dict[bytes, int] = {}
    for place, key in enumerate(keys):
        if key in answers or key in fresh or key in hard:
            continue
        answer = readings.answer(shown[place].text)
        if answer is None:
            hard[key] = place
        else:
            fresh[key] = answer
    cache.put(fresh, by)
    steps.matched += len(fresh)
    answers.update(fresh)
    full = _by_judge(hard, [form.text for form in shown], cache, judge, steps)
    result = []
    for place, (number, text, exact) in enumerate(open_):
        size, key = len(items[number].data), keys[place]
        if key in answers:
            said, who = answers[key], by
            placed = readings.by_words(text, said)
        elif key in full:
            said, who = full[key], detector()
            placed = readings.by_lines(shown[place], said)
        else:
            result.append((number, Reading(None, 0, size, 0.0, "", UNDETERMINED, detector())))
            continue
        stated = readings.reading(text, said, placed, who, _doubt(items[number]))
        stated = stated or Reading(UNKNOWN, 0, size, 0.0, "", "none", who)
        result.append((number, _whole_span(stated, exact, items[number])))
    return result


def _by_judge(
    hard: dict[bytes, int], shown: Sequence[str], cache: Cache, judge: Judge, steps: Steps
) -> dict[bytes, Any]:
    """ScanCode's answers about texts that our matcher gave up on; what it cannot finish is out."""
    answers = cache.get(hard, detector())
    asked = [(key, place) for key, place in hard.items() if key not in answers]
    replies = judge.ask([shown[place] for _, place in asked]) if asked else []
    fresh = {
        key: [readings.without_text(one) for one in reply.detections]
        for (key, _), reply in zip(asked, replies, strict=True)
        if reply.failure is None
    }
    cache.put(fresh, detector())
    steps.full += len(fresh)
    steps.undetermined += len(asked) - len(fresh)
    return answers | fresh


def evidence_id(content_id: str, kind: str, start: int, end: int, expression: str | None) -> str:
    """The key of a statement: 32 hex digits over the file, the place and what is stated."""
    said = f"{content_id}\0{kind}\0{start}\0{end}\0{expression}"
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _row(item: Text, reading: Reading) -> dict[str, Any]:
    content_id = item.content_id.hex()
    start, end = reading.start, reading.end
    # Paragraphs of REUSE.toml share a span, and may share an expression.
    named = about_paths(reading.rule) or reading.matcher == layout.MATCHER
    said = f"{reading.rule} {reading.expression}" if named else reading.expression
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
