"""Which matches in a comment state a license of the file, and which merely speak of one.

Missing what takes rights away launders a file, so all that is not open counts, however it is named.
What is open must be said for certain: as a text, a notice, a line of its own. A mere likeness of
one states what it names and no more ("Licensed under the Example License" is in all but its name a
notice of Apache's).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from stackcurate.licenses import choices, readings
from stackcurate.licenses.choices import REFERENCE
from stackcurate.licenses.expression import combine, ids, is_strict, license_class, normalize
from stackcurate.licenses.policy import OPEN
from stackcurate.licenses.readings import Span
from stackcurate.licenses.riders import ALTERED
from stackcurate.licenses.spoken import UNKNOWN, spoken

ELSEWHERE = frozenset(("LicenseRef-scancode-free-unknown", REFERENCE))
LONG = 100  # words of a rule that is the text of a license; what names one is shorter
FAINT = 20  # least score of a match with changes that says anything but what it names
ALIKE, ALIKE_LONG = 95, 80  # least score of a match with changes that may name an open license
SURE = 80  # least score of a mere name that takes rights away: "GPL" alone has 50
# What may stand before a tag on its line: signs of comments, and the words that are such signs.
BEFORE = re.compile(
    rb"[^A-Za-z0-9\x80-\xff]*(?:(?:dnl|rem|c|@rem|@c)\s+)?[^A-Za-z0-9\x80-\xff]*\Z", re.I
)
_LINE_END = re.compile(rb"[\n|]")  # "/*! name 1.0 | MIT License | address */"
_WORDS = re.compile(rb"[A-Za-z0-9\x80-\xff]")
_SIGNS = re.compile(r"[\s*#/;%|>\"'()-]+")
# "under the terms of the NAME license": what stands between, with the words that name nothing.
_NAMED = re.compile(
    r"\b(?:under|terms of) ((?:(?!(?:any|all|kind|see|express|implied)\b)[\w.,+&-]+ ){0,6}?"
    r"licen[cs]e)\b(,? (?:version |v)?\d[\w.]*)?",
    re.I,
)
_NAMELESS = frozenset([
    "the", "a", "an", "this", "that", "these", "those", "its", "their", "his", "our", "your",
    "same", "following", "above", "below", "terms", "of", "and", "conditions", "license", "licence",
    "provisions", "copy", "under", "in", "as", "open", "source", "software", "either", "both", "or",
    "accompanying", "included", "attached", "copyright", "any", "such", "permissive", "free",
    "style", "bsd-style", "mit-style",
])  # fmt: skip
_POINTS = re.compile(
    r"\blicen[cs]e(?:[\w ,-]{0,40}?) (?:in|at|with|from) (?:the |a |an )?(?:[\w./-]+ ){0,3}?"
    r"(?:file|licen[cs]e|copying|root|directory)\b",
    re.I,
)
# "Checks that all files are under the GPL": about other files.
_ABOUT_OTHERS = re.compile(
    r"(?:(?:this|the) (?:script|module|tool|test|program|function|class|file) )?"
    r"(?:check|verif(?:y|ie)|ensure|test|scan|detect|find|look|search|parse|read|list|report|assert|"
    r"validate|collect|count)(?:s|es)?\b[^.;]*\b(?:files?|headers?|sources?|packages?|modules?|"
    r"projects?|dependenc\w+)\b",
    re.I,
)
# "This module parses files and is licensed under the GPL": about itself after all.
_ABOUT_ITSELF = re.compile(
    r"(?:\band|,|\bbut)(?: it| which| that)? (?:(?:is|are|was) )?(?:made )?"
    r"(?:licen|releas|distribut|cover|publish|provid|availab|under)",
    re.I,
)
_SENTENCE = re.compile(r"[.!?:;]\s|\n[\s*#/;|>-]*\n|\"\"\"|'''")


class Claim(NamedTuple):
    """A place of a comment and the license it states; None where it speaks of another file's."""

    start: int
    end: int
    expression: str | None


def of(
    text: bytes, placed: Sequence[tuple[Mapping[str, Any], Span]], introduced: Sequence[bool]
) -> list[Claim]:
    """What matches with their byte spans state; ``introduced`` says which follow "under the"."""
    claims: list[Claim] = []
    unsure: list[Claim] = []
    offered = _offered(text, placed)
    for number, ((match, (start, end)), after_intro) in enumerate(
        zip(placed, introduced, strict=True)
    ):
        said = normalize(match["expression"]) or UNKNOWN
        expression = offered.get(number, said)
        open_ = license_class(said) in OPEN
        counts = _counts(match, said, open_, after_intro, _is_line(text, start, end))
        if not counts and number not in offered:
            continue
        around = text[start:end].decode("utf-8", "replace")
        claim = Claim(start, end, expression)
        if _speaks_of_others(text, start, end):
            claims.append(Claim(start, end, None))
        elif expression is None:
            claims.append(claim)
        elif _is_likeness(match, text, claim):
            if match["score"] >= FAINT or _names(_said(text, start, end)):
                unsure.append(claim)
        elif open_ and readings.altered(dict(match), around):
            claims.append(claim._replace(expression=combine([expression, ALTERED]) or expression))
        else:
            claims.append(claim)
    for one in unsure:
        if not _is_settled(text, one, claims):
            claims.append(one._replace(expression=_without_name(text, one)))
    return sorted(claims, key=lambda one: (one.start, one.end))


def _offered(
    text: bytes, placed: Sequence[tuple[Mapping[str, Any], Span]]
) -> dict[int, str | None]:
    """The matches that are sides of a choice: the whole of it for the first, None for others."""
    if len(placed) < 2 and not choices.may_offer(text):
        return {}
    order = sorted(range(len(placed)), key=lambda n: placed[n][1])
    parts = [
        choices.Part(
            *placed[n][1], normalize(placed[n][0]["expression"]) or UNKNOWN, placed[n][0]["length"]
        )
        for n in order
    ]
    said = choices.settled(text, parts)
    pairs = zip(order, parts, said, strict=True)
    return {n: now for n, part, now in pairs if now != part.expression}


def _is_settled(text: bytes, one: Claim, claims: Sequence[Claim]) -> bool:
    """Whether what is sure leaves nothing to a likeness.

    A strict license in the same place does, and so does an open one that bears every name that the
    likeness gives: "licensed by Example under the BSD 3-Clause license, the License" is like a
    notice of another license, and names its own.
    """
    names = _names(_said(text, one.start, one.end))
    weak = license_class(one.expression) in OPEN
    for other in claims:
        if not other.expression:
            continue
        there = other.start < one.end and one.start < other.end
        if there and is_strict(other.expression):
            return True
        same = ids(one.expression or "") <= ids(other.expression)
        named = all(_is_of(name, other.expression) for name in names)
        if weak and named and (same or (there and names)):
            return True
    return False


def _counts(
    match: Mapping[str, Any], expression: str, open_: bool, introduced: bool, is_line: bool
) -> bool:
    """Whether a match states its license, by what it is and where it stands."""
    if expression in ELSEWHERE:
        return not introduced
    if not open_ and match["kind"] != "other":
        return True
    if is_strict(expression):
        return bool(match["score"] >= SURE) or is_line
    return introduced or match["kind"] == "text" or (match["kind"] == "name" and is_line)


def _is_likeness(match: Mapping[str, Any], text: bytes, claim: Claim) -> bool:
    """Whether a match is too far from its rule to name its license."""
    if "3-seq" not in match["matcher"]:
        return False
    if match["length"] >= LONG:
        return bool(match["score"] < ALIKE_LONG)
    if match["score"] < ALIKE_LONG:
        return True
    names = _names(_said(text, claim.start, claim.end))
    if match["score"] >= ALIKE:
        return not all(_is_of(name, claim.expression or "") for name in names)
    # Changed, it must name its license itself: by the first part of an id, as "mit".
    said = text[claim.start : claim.end].decode("utf-8", "replace")
    return not all(_is_of(name, claim.expression or "") for name in [said, *names])


def _without_name(text: bytes, one: Claim) -> str:
    """What a likeness states: its own license if strict, else what it names, or another place."""
    expression = one.expression or UNKNOWN
    if license_class(expression) not in OPEN:
        return expression
    said = _said(text, one.start, one.end)
    names = _names(said)
    named = [spoken(name) for name in names if len(name) < 100]
    if names and len(named) == len(names) and all(named):
        return combine(name for name in named if name) or UNKNOWN
    return REFERENCE if _POINTS.search(said) and not names else UNKNOWN


def _said(text: bytes, start: int, end: int) -> str:
    """The text around a match, signs of comments made single spaces."""
    return _SIGNS.sub(" ", text[max(0, start - 80) : end + 80].decode("utf-8", "replace"))


def _names(said: str) -> list[str]:
    """The names in "under the NAME license", as they are written."""
    found = _NAMED.finditer(said[:4000]) if "icen" in said else ()
    names = []
    for one in found:
        words = [word.strip(",.") for word in one[1].split()]
        if not _NAMELESS.issuperset(word.lower() for word in words):
            kept = [word for word in words if word.lower() not in ("the", "terms", "of", "a", "an")]
            names.append(" ".join(kept) + (one[2] or ""))
    return names


@lru_cache(maxsize=4096)
def _is_of(name: str, expression: str) -> bool:
    """Whether ``name`` means a license of ``expression``: it is known so, or has its first word."""
    known = spoken(name) if len(name) < 100 else None
    if known is not None:
        return bool(ids(known) & ids(expression))
    heads = {one.lower().split("-")[0] for one in ids(expression)} - {"cc", "licenseref"}
    said = name.lower()
    return not heads.isdisjoint(re.findall(r"[a-z]+\d*", f"{said} {said.replace('-', '')}"))


def _speaks_of_others(text: bytes, start: int, end: int) -> bool:
    """Whether the sentence around a match says that something looks at files."""
    before = text[max(0, start - 400) : start].decode("utf-8", "replace")
    after = text[end : end + 100].decode("utf-8", "replace")
    said = text[start:end].decode("utf-8", "replace")
    leading, following = _SENTENCE.split(before)[-1], _SENTENCE.split(after, maxsplit=1)[0]
    sentence = _SIGNS.sub(" ", f"{leading}{said}{following}").strip()
    about_others = _ABOUT_OTHERS.match(sentence)
    return about_others is not None and not _ABOUT_ITSELF.search(sentence)


def _is_line(text: bytes, start: int, end: int) -> bool:
    """Whether a span is all that its line says, or its part between bars; signs aside."""
    before = _LINE_END.split(text[max(0, start - 400) : start])[-1]
    after = _LINE_END.split(text[end : end + 400], maxsplit=1)[0]
    return bool(BEFORE.match(before)) and not _WORDS.search(after)
