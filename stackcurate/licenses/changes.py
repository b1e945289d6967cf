"""Where a text and the rule it matches differ inside a sentence that grants or sets a condition."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from stackcurate.licenses import query, rules
from stackcurate.licenses.matcher import Match

_WORD = re.compile(r"[^_\W]+\+?[^_\W]*")
_END = re.compile(r"[.;:!?](?=\s|$)|\n\s*\n")
# What a sentence that grants or sets a condition says, and what one about other things does.
_GRANTS = re.compile(
    r"\bpermi(?:tted|ssion)|\bgrant|\bfree to\b|\bfree of charge|\bredistribut|\bcondition|"
    r"\brights? to\b|"
    r"\blicen[sc]e to\b|\bmay (?:be |not )?(?:use|cop|modif|distribut|publish|sell)"
)
_OTHER = re.compile(
    r"\b(?:warrant\w*|liab\w+|damages|merchantab\w+|disclaim\w*|endors\w*|promot\w+|advertis\w+|"
    r"publicity|trademarks?|misrepresent\w*|as[ -]is)\b"
)
NEAR = 400  # characters of a sentence on each side of a change that are looked at

# Words that change what a sentence grants where a text adds them.
_ADDED = re.compile(
    # a limit
    r"not|non\w*|no|never|nor|neither|cannot|denied|den(?:y|ies)|refus\w+|withh[eo]ld\w*|only|"
    r"solely|exclusively|limit(?:ed|s)|restrict\w+|prohibit\w*|forbid\w*|except\w*|exclud\w+|"
    r"unless|without|but|ban(?:s|ned)?|"
    # a purpose
    r"commercial\w*|academi\w+|educat\w+|research\w*|evaluat\w+|personal\w*|private\w*|"
    r"internal\w*|teaching|scientific|hobby\w*|experiment\w*|military|ethical\w*|good|evil|lawful|"
    r"peaceful|nuclear|weapons?|train|training|ai|llms?|crawlers?|bots?|"
    # a price
    r"fees?|pay|paid|pays|payment\w*|payable|pric(?:e|es|ed)|purchas\w+|subscri\w+|bearing|"
    r"donat\w+|royalt\w+|"
    # a time
    r"days?|weeks?|months?|until|expir\w+|temporar\w+|trial|period|revoc\w+|revok\w+|terminat\w+|"
    r"withdraw\w*|"
    # a place
    r"countr\w+|territor\w+|citizens?|residents?|nationals?|outside|within|inside|usa?|states|"
    r"europe\w*|russia\w*|china|iran|"
    # a circle of persons
    r"students?|employees?|members?|teachers?|researchers?|universit(?:y|ies)|schools?|"
    r"compan(?:y|ies)|governments?|individuals?|natural|humans?|humanity|customers?|subscribers?|"
    r"women|men|"
    # an approval, a passing on
    r"approv\w+|consents?|request\w*|ask|asking|notify|notif\w+|prior|register\w*|registration|"
    r"copyleft|same|sharealike"
)
_DROPPED = frozenset(
    ["sell", "without", "irrevocable", "modify", "modification", "commercial", "not"]
)
_CHOICE = frozenset(["with", "or"])  # dropped from "with or without"
_NO_COST = frozenset(["free", "charge"])
_NAMES = re.compile(r"copyright|copyrights|reserved|(?:19|20)\d\d|https?")
MOST = 16  # words; a longer run is a text of its own, which riders are looked for in
FEWEST = 70  # percent of a rule that must be found before any difference counts


class Change(NamedTuple):
    """Words of the text (lower case) that stand in the place of words of the rule."""

    extra: tuple[str, ...]
    missing: tuple[int, ...]  # word ids


def telling(match: Match, asked: query.Query, text: str, known: rules.Table) -> list[str]:
    """Words that came into a sentence that grants something, or went, and change what it grants.

    A word that went has a minus sign. Names, years, articles and spelling do not tell.
    """
    told: list[str] = []
    if match.coverage < FEWEST:
        return told
    lost = {rules.word_id(known.rules, word): word for word in _DROPPED | _CHOICE | _NO_COST}
    for one in changes(match, asked, text, known):
        if len(one.extra) <= MOST and not any(map(_NAMES.fullmatch, one.extra)):
            told += [word for word in one.extra if _ADDED.fullmatch(word)]
        gone = {lost[number] for number in one.missing if number in lost}
        if len(one.missing) > MOST // 4:
            continue
        told += ["-" + word for word in sorted(gone & _DROPPED)]
        for group in (_CHOICE, _NO_COST):
            if gone >= group:
                told += ["-" + word for word in sorted(group)]
    return told


def changes(match: Match, asked: query.Query, text: str, known: rules.Table) -> list[Change]:
    """The changes in sentences that grant something, in the order of the text."""
    extra, places = _extra(match, asked, text)
    missing = _missing(match, known)
    moved = _moved(extra, missing, known)
    found = []
    for at in sorted({*extra, *missing}):
        more = tuple(w for w in extra.get(at, ()) if not moved[rules.word_id(known.rules, w)])
        less = tuple(i for i in missing.get(at, ()) if not moved[i])
        sentence = _sentence(text, places[min(at, len(places) - 1)])
        if (more or less) and _GRANTS.search(sentence) and not _OTHER.search(sentence):
            found.append(Change(more, less))
    return found


def _extra(match: Match, asked: query.Query, text: str) -> tuple[dict[int, list[str]], list[int]]:
    """Words that only the text has, by how many of the match's own stand before; their places."""
    own: set[int] = set()
    for first, last in match.in_text:
        own.update(asked.begin[first : last + 1].tolist())
    extra: dict[int, list[str]] = {}
    places = []
    for word in _WORD.finditer(text, int(asked.begin[match.first]), int(asked.end[match.last])):
        if word.start() in own:
            places.append(word.start())
        else:
            extra.setdefault(len(places), []).append(word[0].lower())
    return extra, places


def _missing(match: Match, known: rules.Table) -> dict[int, list[int]]:
    """Words that only the rule has, by how many of the match's own stand before."""
    start = int(known.rules.facts.start[match.row])
    missing: dict[int, list[int]] = {}
    at = own = 0
    for first, last in match.in_rule:
        if first > at:
            missing[own] = known.rules.facts.tokens[start + at : start + first].tolist()
        own += last + 1 - first
        at = last + 1
    return missing


def _moved(
    extra: dict[int, list[str]], missing: dict[int, list[int]], known: rules.Table
) -> Counter[int]:
    more = Counter(rules.word_id(known.rules, w) for words in extra.values() for w in words)
    less = Counter(number for numbers in missing.values() for number in numbers)
    return more & less


def _sentence(text: str, place: int) -> str:
    """The sentence around a place, in lower case and with single spaces."""
    before = _END.split(text[max(0, place - NEAR) : place])[-1]
    after = _END.split(text[place : place + NEAR], maxsplit=1)[0]
    return " ".join((before + after).lower().split())
