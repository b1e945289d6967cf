"""Where a text offers a choice of licenses in so many words: "under MIT or Apache-2.0".

A matcher finds both names and says that both bind. They are a choice where "or" or a slash is all
that stands between them in a sentence that licenses something, and where a sentence begins with
"Alternatively". Whatever is less clear binds together, which is never too lax. An expression that
is written out ("EPL-2.0 OR GPL-2.0 WITH Classpath-exception-2.0") says itself what it means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from stackcurate.licenses.expression import combine, ids, known, normalize

REFERENCE = "LicenseRef-scancode-unknown-license-reference"
ANY_GPL = "GPL-1.0-or-later"  # what "the GPL" is read as
LONGEST = 60  # words of a rule that may be one side; longer ones are the texts themselves
NEAR = 300  # bytes before and after that are looked at for the sentence
_ASIDE = re.compile(r"\([^()]{0,200}\)|<[^<>]{0,200}>|https?://[^\s,;]+")
_SIGNS = r"[\s\"'`*#/|()<>\[\]{}_.,:-]*"
_BESIDE = (
    r"(?:(?:the|a|an|under|of|with|terms|conditions|licen[sc]es?|either|version|its|that|by|"
    r"at your (?:option|choice)|alternatively|instead|gnu|v?\d[\d.]*)\b[\s\"'`*#,:()<>-]*)*"
)
_OR = re.compile(
    rf"\s?[/|]\s?\Z|{_SIGNS}{_BESIDE}\b(?:and/)?or\b[\s\"'`*#,:()<>-]*{_BESIDE}{_SIGNS}\Z", re.I
)
_AND = re.compile(rf"{_SIGNS}{_BESIDE}(?:\band\b|&|\bor\b|,)[\s\"'`*#]*{_BESIDE}{_SIGNS}\Z", re.I)
_COMMA = re.compile(rf"[\s\"'`*#]*{_BESIDE},[\s\"'`*#]*{_BESIDE}[\s\"'`*#]*\Z", re.I)
_JOINED = re.compile(rf"{_SIGNS}{_BESIDE}(?:\band\b|&|\bboth\b){_SIGNS}{_BESIDE}{_SIGNS}\Z", re.I)
_LICENSES = re.compile(
    r"\b(?:re)?(?:licen[sc]\w+|releas\w+|distribut\w+|available|terms|provided|published)\b|"
    r"\bunder\b|\bopti(?:on|ons)\b|\bchoice\b|\bchoose\b"
)
_DUAL = re.compile(r"\b(?:dual(?:ly)?|double|tri(?:ple)?)[\s-]?licen[sc]\w+|\blicen[sc]ed dually\b")
# No offer, or one that is not about all of it.
_UNSURE = re.compile(
    r"\b(?:not|no|neither|nor|unless|except|only if|each|some|various|several|individual\w*|"
    r"respective\w*|depend\w+|compatib\w+|similar|such as|e\.g|check\w*|pars\w+|detect\w*|both|"
    r"parts?|portions?|mix\w*|which(?:ever)? (?:applies|apply))\b"
)
_END = re.compile(r"[.;!?](?=\s)|\n[\s*#/;|>-]*\n")
_SIGN_RUNS = re.compile(r"[\s*#/;|>]+")
_INSTEAD = re.compile(r"(?:\A|[.;:] |\n ?)\s*(?:or,? )?alternatively\b(?!.*[.;] )")
_ALTERNATIVELY = (b"lternatively", b"ALTERNATIVELY")
_OFFERS = (b" OR ", b" WITH ", *_ALTERNATIVELY)
_WRITTEN = re.compile(
    rb"\(?[A-Za-z][A-Za-z0-9.+-]*\)?(?:\s(?:OR|AND|WITH)\s\(?[A-Za-z][A-Za-z0-9.+-]*\)?){1,12}"
)


class Part(NamedTuple):
    """A place of a text (bytes), the expression it states, and the words of the rule it matched."""

    start: int
    end: int
    expression: str
    length: int


def may_offer(data: bytes) -> bool:
    """Whether a text has words by which one name alone may be a choice."""
    return any(word in data for word in _OFFERS)


def settled(data: bytes, parts: Sequence[Part]) -> list[str | None]:
    """The expression of each part, in their order: a whole choice at its first side, then None.

    ``parts`` are sorted by place. Where a text begins with "Alternatively", what it is an
    alternative to stands elsewhere, and the choice says so.
    """
    said: list[str | None] = [one.expression for one in parts]
    if len(parts) < 2 and not may_offer(data):
        return said
    at, instead = 0, any(word in data for word in _ALTERNATIVELY)
    while at < len(parts):
        last = _written(data, parts, at, said)
        if last is None and at and _is_said_again(parts, at):
            said[at], last = None, at
        if last is None:
            last = _last_side(data, parts, at)
            if last > at:
                said[at] = combine(_without_vague(parts[at : last + 1]), "OR")
                said[at + 1 : last + 1] = [None] * (last - at)
            elif instead and _stands_instead(data, parts, at):
                before = combine(one for one in said[:at] if one) or REFERENCE
                said[: at + 1] = [None] * (at + 1)
                said[0] = combine([before, parts[at].expression], "OR")
        at = last + 1
    return said


def _written(data: bytes, parts: Sequence[Part], first: int, said: list[str | None]) -> int | None:
    """The last part that a written expression around ``first`` covers; ``said`` learns it."""
    if parts[first].length > LONGEST:
        return None
    begin = max(0, parts[first].start - NEAR)
    near = data[begin : parts[first].end + NEAR]
    if b" OR " not in near and b" WITH " not in near:
        return None
    for found in _WRITTEN.finditer(near):
        start, end = begin + found.start(), begin + found.end()
        if not (start < parts[first].end and parts[first].start < end):
            continue
        inside = [n for n in range(first, len(parts)) if parts[n].start < end]
        text = found[0].decode()
        expression = normalize(text) if re.search(" OR | WITH ", text) else None
        if expression is None or not known(expression):
            return None
        if all(_is_part(parts[n], expression) for n in inside):
            said[first] = expression
            said[first + 1 : inside[-1] + 1] = [None] * (len(inside) - 1)
            return inside[-1]
    return None


def _is_said_again(parts: Sequence[Part], at: int) -> bool:
    """Whether a name stands inside a choice that has it: "MIT or GPL Version 2"."""
    before, here = parts[at - 1], parts[at]
    inside = here.start < before.end and " OR " in before.expression
    return inside and here.length < LONGEST and ids(here.expression) <= ids(before.expression)


def _is_part(part: Part, whole: str) -> bool:
    """Whether a part is a mere name in a written expression."""
    named = ids(part.expression)
    vague = any(name.startswith("LicenseRef-scancode-unknown") for name in named)
    return part.length < LONGEST and (vague or named <= ids(whole))


def _without_vague(sides: Sequence[Part]) -> list[str]:
    """The sides of a choice; "the GPL version 2" is one, not also "the GPL"."""
    stated = [one.expression for one in sides]
    versions = any(
        re.match(r"GPL-[123]\.0-(?!or-later WITH)", one) and one != ANY_GPL for one in stated
    )
    return [one for one in stated if not (versions and one == ANY_GPL)]


def _last_side(data: bytes, parts: Sequence[Part], first: int) -> int:
    """The last part of the choice that begins with ``first``; itself where there is none."""
    at, by_or = first, False
    while at + 1 < len(parts):
        one, other = parts[at], parts[at + 1]
        if max(one.length, other.length) > LONGEST:
            break
        if other.start < one.end:
            if one.expression != ANY_GPL or not other.expression.startswith("GPL-"):
                break
            at += 1
            continue
        gap = _gap(data, one.end, other.start)
        sentence = _sentence(data, one.start, other.end)
        if gap is None or _UNSURE.search(sentence) or not _LICENSES.search(sentence):
            break
        dual = _DUAL.search(sentence) is not None
        if not (_OR.match(gap) or _COMMA.match(gap) or (dual and _AND.match(gap))):
            break
        by_or = by_or or dual or _OR.match(gap) is not None
        at += 1
    if at > first and (
        not by_or or _is_joined(data, parts, first - 1) or _is_joined(data, parts, at)
    ):
        return first
    return at


def _is_joined(data: bytes, parts: Sequence[Part], at: int) -> bool:
    """Whether "and" is all that stands between a part and the next."""
    if not 0 <= at < len(parts) - 1:
        return False
    gap = _gap(data, parts[at].end, parts[at + 1].start)
    return gap is not None and _JOINED.match(gap) is not None


def _gap(data: bytes, start: int, end: int) -> str | None:
    """What stands between two places, with what is put in brackets left out."""
    if not 0 <= end - start <= NEAR:
        return None
    return _ASIDE.sub(" ", data[start:end].decode("utf-8", "replace"))


def _sentence(data: bytes, start: int, end: int) -> str:
    """The sentence around a span, in lower case and without signs of comments."""
    before = _END.split(data[max(0, start - NEAR) : start].decode("utf-8", "replace"))[-1]
    after = _END.split(data[end : end + NEAR].decode("utf-8", "replace"), maxsplit=1)[0]
    within = data[start:end].decode("utf-8", "replace")
    return _SIGN_RUNS.sub(" ", f"{before}{within}{after}").lower()


def _stands_instead(data: bytes, parts: Sequence[Part], at: int) -> bool:
    """Whether what a part states may be taken in the place of all that stands before it."""
    begin = parts[at - 1].end if at else 0
    text = data[max(begin, parts[at].start - NEAR) : parts[at].end].decode("utf-8", "replace")
    said = _SIGN_RUNS.sub(" ", text).lower()
    return any(
        _LICENSES.search(said, found.end()) and not _UNSURE.search(said, found.end())
        for found in _INSTEAD.finditer(said)
    )
