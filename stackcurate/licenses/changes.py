"""Where a text and the rule it matches differ inside a sentence that grants or sets a condition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from stackcurate.licenses import query, rules
from stackcurate.licenses.doubts import doubts, is_other_script, takes_back
from stackcurate.licenses.matcher import Match
from stackcurate.licenses.riders import riders

_WORD = re.compile(r"[^_\W]+\+?[^_\W]*")
_END = re.compile(r"[.;:!?](?=\s|$)|\n\s*\n")
# What a sentence that grants or sets a condition says, and what one about other things does.
_GRANTS = re.compile(
    r"\bpermi(?:tted|ssion)|\bgrant|\bfree to\b|\bfree of charge|\bredistribut|\bcondition|"
    r"\brights? to\b|"
    r"\bshall be included\b|\bprovided that\b|\bmust (?:retain|reproduce|include)\b|"
    r"\blicen[sc]e to\b|\bmay (?:be |not )?(?:use|cop|modif|distribut|publish|sell)"
)
_OTHER = re.compile(
    r"\b(?:warrant\w*|liab\w+|damages|merchantab\w+|disclaim\w*|endors\w*|promot\w+|advertis\w+|"
    r"publicity|trademarks?|misrepresent\w*|as[ -]is|be called|appear in their)\b"
)
NEAR = 800  # characters of a sentence on each side of a change that are looked at

# Words that change what a sentence grants where a text adds them.
_ADDED = re.compile(
    # a limit
    r"not|non\w*|no|never|nor|neither|cannot|denied|den(?:y|ies)|refus\w+|withh[eo]ld\w*|only|"
    r"solely|exclusively|limit(?:ed|s)|restrict\w+|prohibit\w*|forbid\w*|except(?:ing|ed)?|exclud\w+|"
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
_NAMES = re.compile(r"copyrights?|reserved|https?")
_YEAR = re.compile(r"c?(?:19|20)\d\d")
MOST = 16  # words; a longer run is a text of its own, which riders are looked for in
FEWEST = 70  # percent of a rule that must be found before any difference counts


# Words that a granting sentence may gain without granting something else.
_PLAIN = re.compile(
    r"a|an|the|this|that|these|those|such|its|their|his|her|our|your|my|it|"
    r"they|we|you|he|i|is|are|was|be|been|being|to|of|in|on|at|by|for|from|"
    r"with|as|and|or|which|who|whom|hereby|herein|hereunder|also|both|either|"
    r"every|each|all|any|following|above|below|same|said|accompanying|applicable|"
    r"own|other|some|required|otherwise|then|c|sub|re|use|used|using|copying|"
    r"distribute|distributed|distributing|include|included|including|reproduce|retain|"
    r"software|program|programs|library|libraries|work|works|package|packages|code|"
    r"source|sources|file|files|product|document|documents|documentation|data|font|"
    r"fonts|module|modules|script|scripts|application|project|tool|tools|image|"
    r"images|release|version|versions|form|forms|format|binary|object|derivative|"
    r"derivatives|distribution|distributions|theme|themes|plugin|plugins|extension|"
    r"extensions|driver|drivers|patch|patches|game|app|apps|framework|toolkit|"
    r"component|components|widget|crate|gem|icon|icons|sample|samples|example|"
    r"examples|template|templates|schema|dataset|website|site|content|contents|"
    r"article|book|tutorial|test|tests|suite|interface|header|headers|compiler|"
    r"kernel|utility|utilities|specification|standard|model|models|database|algorithm|"
    r"implementation|routine|routines|function|functions|class|classes|macro|macros|"
    r"system|copy|copies|part|parts|portion|portions|substantial|considerable|"
    r"significant|name|names|notice|notices|text|list|author|authors|owner|owners|"
    r"holder|holders|contributor|contributors|licensor|licensee|license|licenses|"
    r"licence|licences|licensed|style|clause|clauses|section|sections|item|items|"
    r"paragraph|term|terms|point|letter|bsd|mit|isc|apache|zlib|x11|expat|gpl|"
    r"lgpl|free|modified|original|new|simplified|revised|attribution|directory|"
    r"directories|information|beginning|usr|share|common|"
    r"freely|granted|grants|permission|permitted|allowed|unlimited|unrestricted|whatsoever|publish|"
    r"sublicense|merge|modify|modification|modifications|has|have|had|do|does|did|will|would"
)
_CONTRACTED = frozenset(("don", "doesn", "didn", "isn", "aren", "wasn", "won", "shan", "mustn"))
_SPACE = re.compile(r"[\s<>()\[\]]")
_ADDRESS = re.compile(r"@|://|\w\.[a-z]{2,6}(?![a-z])")
_HEADING = re.compile(r"[A-Z]|[^\W\d_]*\d")
_BREAK = re.compile(r"[.;:!?)\]\"'”’>*#=|/,-]|\n")
SENTENCE, LONG = 3, 8  # words of a run that may be a sentence; in one about other things


class Run(NamedTuple):
    """Words in a row that only the text has, as it writes them, and their place in it."""

    words: list[str]
    start: int
    end: int


class Change(NamedTuple):
    """Words of the text that stand in the place of words of the rule."""

    extra: tuple[str, ...]
    missing: tuple[int, ...]  # word ids


def _is_telling(word: str, missing: Sequence[int], known: rules.Table) -> bool:
    """Whether a word that came into a granting sentence may change what it grants.

    A word that no rule has and that replaces another is a name or a typing error; "condition" may
    stand for "conditions".
    """
    lower = word.lower()
    if lower in _CONTRACTED:  # "don't" for "do not"
        return rules.word_id(known.rules, "not") not in missing
    if _ADDED.fullmatch(lower):
        return True
    if _PLAIN.fullmatch(lower) or len(word) < 2 or _HEADING.match(word):
        return False
    forms = (lower + "s", lower.removesuffix("s"))
    if any(rules.word_id(known.rules, form) in missing for form in forms):
        return False
    return not missing or rules.word_id(known.rules, lower) >= 0


def leads(before: str) -> bool:
    """Whether words that stand on a line before a license's first change what it grants.

    "A revocable permission is hereby granted": ``before`` ends with "A revocable ".
    """
    said = _BREAK.split(before[-NEAR:])[-1].lower()
    if len(said) > 80 or "otherwise" in said or _NAMES.search(said):
        return False
    return any(_ADDED.fullmatch(word) for word in _WORD.findall(said))


def telling(match: Match, asked: query.Query, text: str, known: rules.Table) -> list[str]:
    """Words that came into a sentence that grants something, or went, and change what it grants.

    A word that went has a minus sign, a sentence that came between is told by what it does. Names,
    years, articles and spelling do not tell.
    """
    told: list[str] = []
    if match.coverage < FEWEST:
        return told
    runs, places = _extra(match, asked, text)
    for run in runs.values():
        said, other = text[run.start : run.end], _OTHER.search(_sentence(text, run.start))
        if len(run.words) >= (LONG if other else SENTENCE) or is_other_script(said):
            told += riders(said) or (takes_back if other else doubts)(said)
    lost = {rules.word_id(known.rules, word): word for word in _DROPPED | _CHOICE | _NO_COST}
    for one in changes(match, runs, places, text, known):
        if len(one.extra) <= MOST and not _is_owners(one.extra):
            told += [word for word in one.extra if _is_telling(word, one.missing, known)]
        gone = {lost[number] for number in one.missing if number in lost}
        if len(one.missing) > MOST // 4:
            continue
        if not _CONTRACTED.isdisjoint(word.lower() for word in one.extra):
            gone.discard("not")
        told += ["-" + word for word in sorted(gone & _DROPPED)]
        for group in (_CHOICE, _NO_COST):
            if gone >= group:
                told += ["-" + word for word in sorted(group)]
    return told


def _is_owners(words: Sequence[str]) -> bool:
    """Whether words that came in are a line of owners: "Copyright 2006", "2006 The Authors"."""
    named = any(_NAMES.fullmatch(word.lower()) for word in words)
    return named or (bool(words) and _YEAR.fullmatch(words[0]) is not None)


def changes(
    match: Match, runs: dict[int, Run], places: list[int], text: str, known: rules.Table
) -> list[Change]:
    """The changes in sentences that grant something, in the order of the text."""
    missing = _missing(match, known)
    moved = _moved(runs, missing, known)
    found = []
    for at in sorted({*runs, *missing}):
        words = runs[at].words if at in runs else []
        more = tuple(w for w in words if not moved[rules.word_id(known.rules, w.lower())])
        less = tuple(i for i in missing.get(at, ()) if not moved[i])
        # What came in belongs to the sentence that it ends, not to the next one.
        place = runs[at].start if more else places[min(at, len(places) - 1)]
        sentence = _sentence(text, place)
        own = sentence.replace(" ".join(words).lower(), " ")  # as it was before the change
        if (more or less) and _GRANTS.search(sentence) and not _OTHER.search(own):
            found.append(Change(more, less))
    return found


def _extra(match: Match, asked: query.Query, text: str) -> tuple[dict[int, Run], list[int]]:
    """Words that only the text has, by how many of the match's own stand before; their places."""
    own: set[int] = set()
    for first, last in match.in_text:
        own.update(asked.begin[first : last + 1].tolist())
    runs: dict[int, Run] = {}
    places: list[int] = []
    for word in _WORD.finditer(text, int(asked.begin[match.first]), int(asked.end[match.last])):
        if word.start() in own:
            places.append(word.start())
            continue
        is_command = text[word.start() - 1 : word.start()] == "\\"  # LaTeX
        if is_command or _is_in_address(text, *word.span()):
            continue
        run = runs.setdefault(len(places), Run([], word.start(), word.end()))
        run.words.append(word[0])
        runs[len(places)] = run._replace(end=word.end())
    return runs, places


def _is_in_address(text: str, start: int, end: int) -> bool:
    """Whether a word is a part of an address of mail or of the web."""
    before = _SPACE.split(text[max(0, start - 100) : start])[-1]
    after = _SPACE.split(text[end : end + 100], maxsplit=1)[0]
    return _ADDRESS.search(before + text[start:end] + after) is not None


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


def _moved(runs: dict[int, Run], missing: dict[int, list[int]], known: rules.Table) -> Counter[int]:
    words = (word.lower() for run in runs.values() for word in run.words)
    more = Counter(rules.word_id(known.rules, word) for word in words)
    less = Counter(number for numbers in missing.values() for number in numbers)
    return more & less


def _sentence(text: str, place: int) -> str:
    """The sentence around a place, in lower case and with single spaces."""
    before = _END.split(text[max(0, place - NEAR) : place])[-1]
    after = _END.split(text[place : place + NEAR], maxsplit=1)[0]
    return " ".join((before + after).lower().split())
