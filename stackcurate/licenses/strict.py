"""What a comment says against its reader in free words: copyleft, secrecy, refusal, limits.

Only what takes rights away is read from free words, never what grants them.
"""

from __future__ import annotations

import re

from stackcurate.licenses.doubts import NAMED_CLOSED
from stackcurate.licenses.expression import is_strict
from stackcurate.licenses.riders import (
    AI_WORDS,
    NO_AI,
    RESTRICTED,
    has_any,
    riders,
    sentences,
)
from stackcurate.licenses.spoken import UNKNOWN, spoken

CLOSED = "LicenseRef-scancode-proprietary-license"
_UNDER = (
    r"(?:under|terms|terms of|licensed|license|licence|licensed as|covered by|subject to|released|"
    r"license:|conditions of|copyright:?|bedingungen|termes|t[ée]rminos|termini|termos)"
)
_GNU = re.compile(
    rf"\b{_UNDER}\b[^.]{{0,80}}?\b(?:(gnu )?(affero|lesser|library)? ?general public licen[cs]e|"
    r"([al]?)gpl(?:[- ]?v?(?:ersion)?[- ]?([123])(?:\.(\d))?)?(\+)?)((?:[^.]|\.\d){0,120})",
    re.I,
)
_VERSION = re.compile(r"\b(?:version|v)?\.?\s*([123])(?:\.(\d))?\b")
_LATER = re.compile(
    r"or (?:\(at your option\) )?(?:any )?(?:later|newer|greater|above)|\+|at your option"
)
_CLOSED = re.compile(
    r"\bproprietary and confidential\b|\bconfidential and proprietary\b|\btrade secrets?\b|"
    r"\bunauthori[sz]ed (?:copying|use|distribution|reproduction|disclosure)\b|"
    r"\bcompany confidential\b|\bstrictly (?:confidential|prohibited)\b|"
    r"\A(?:copyright [\w ,().-]+ )?\w* ?confidential\W*\Z|"
    r"\bconfidential\b[^.]{0,40}\b(?:do not|not for|property of|proprietary)\b|"
    r"\bunpublished,?(?: and)? (?:confidential|proprietary|source code)\b|"
    r"\bproprietary (?:source|information|code of|software of)\b|"
    r"\bdo not (?:re)?distribute\b|\bis closed[- ]source\b|\bdo not copy(?: or distribute)?\W*\Z|"
    r"\b(?:information|code|file|software|document|"
    r"material)s?\b[^.]{0,40}\bis[^.]{0,30}\bconfidential\b|"
    r"\bonly be used (?:by|in accordance with)\b|\blicensed materials?\W{1,4}property of\b|"
    r"\brestricted materials of\b|"
    r"\bnot to be (?:re)?(?:distributed|disclosed|copied|published)\b|\bno re-?use\b|"
    r"\bgovernment purpose rights\b|"
    r"\b(?:may|must|shall|can) ?not (?:copy|redistribute|distribute|reproduce|"
    r"disclose)\b[^.]{0,30}\b(?:this|the) "
    r"(?:code|file|software|program|source)\b|\b(?:use|usage)(?: is)? restricted to\b|"
    r"\b(?:re)?(?:distribution|copying|reproduction|modification)\b[^.]{0,60}\bis (?:strictly )?"
    r"(?:prohibited|forbidden|not (?:allowed|permitted))\b|"
    r"\bfor customers\b[^.]{0,40}\b(?:contract|agreement|subscription)\b|"
    r"\bno part of this (?:file|program|software|code|source|work|publication|"
    r"document)\b[^.]{0,40}\bmay be\b|"
    r"\bproperty of [^.]{0,80}\b(?:may|must|shall|can) ?not\b|\bnumerical recipes software\b|"
    r"\b(?:may|must|shall) not (?:use|copy|distribute|reproduce|"
    r"modify)\b[^.]{0,60}\bwithout\b[^.]{0,60}"
    r"\b(?:licen[sc]e|permission|consent|agreement|authori[sz]ation)\b|"
    r"\bno licen[sc]e [^.]{0,120}\bis (?:hereby )?granted\b|\bcopyright epic games\b|"
    r"\bthis (?:file|software|program|code|source|material)[^.]{0,80}\b(?:may|must|shall|"
    r"can) ?not be (?:re)?"
    r"(?:copied|distributed|redistributed|reproduced|disclosed|sold|published)\b"
)
_OTHERS = re.compile(
    rf"\b{_UNDER}\b[^.]{{0,60}}?\b(mozilla public license|mpl|eclipse public license|epl|cddl|"
    r"common development and distribution license|server side public license|sspl|"
    r"business source license|busl|eupl|european union public licen[cs]e)\b"
)
_KINDS = r"(?:non[- ]?commercial|personal|private|academic|educational|research|evaluation|internal|non[- ]?profit|teaching)"  # noqa: E501
# Where no license stands beside, more of the sentence is asked for than by ``riders``.
_LIMITS = re.compile(
    rf"\b{_KINDS}(?:,? (?:and|or|/) ?[\w-]+)?(?: use| purposes?)? only\b|"
    rf"\b(?:only|solely|exclusively) (?:be used )?(?:for|in) [^.]{{0,30}}\b{_KINDS}\b|"
    r"\bfor non[- ]?commercial (?:use|purposes?)\b|"
    r"\b(?:not|never|prohibit\w*|forbid\w*|without)\b[^.]{0,40}\bcommercial (?:use|purposes?|usage)\b|"  # noqa: E501
    r"\bcommercial (?:use|purposes?|usage)\b[^.]{0,40}\b(?:prohibited|forbidden|not (?:allowed|permitted|granted))\b|"  # noqa: E501
    r"\bcan only use this (?:computer )?(?:program|software|code|file)\b|\bnot open source\b|"
    r"\b(?:must|may|can|shall) only be used (?:with|on|in) (?:an? |the )?[\w ]{0,40}(?:product|"
    r"device|processor|"
    r"circuit|controller|hardware|silicon|chip|fpga)s?\b|"
    r"\b(?:production|commercial) use (?:requires|needs) an? (?:[\w-]+ ){0,2}licen[sc]e\b|"
    r"\buse in production requires an? (?:[\w-]+ ){0,2}licen[sc]e\b|"
    r"\bcommercial (?:use|usage|purposes?)\b[^.]{0,40}\b(?:needs?|requires?|written|prior)\b|"
    r"\bnot for resale\b|"
    r"\b(?:use|usage) requires\b[^.]{0,20}\b(?:subscription|licen[sc]e|contract|fee)\b|"
    r"\bfor students of [\w ]{1,30} only\b"
)
_LIMIT_WORDS = ("commercial", "only", "open source", "requires a", "not for resale")
# "For internal use only" is said of functions too.
_OF_CODE = re.compile(
    r"\b(?:class|function|method|module|macro|variable|constant|struct|field|api|apis|interface|"
    r"header|"
    r"helpers?|routines?|types?|members?|script|element|component|test|tests|option|hook|package|"
    r"symbols?|"
    r"parameters?|bits?|definitions?|declarations?|internals|implementation)\b"
)
_OWNED = re.compile(
    r"copyright|\(c\)|©|confidential|\b(?:inc|corp|ltd|gmbh|llc|corporation|company)\b"
)
# "governed by the Example Software License": a license by a name that is all there is.
_GOVERNED = re.compile(
    r"\b(?:[Gg]overned by|[Ss]ubject to|[Cc]overed by|[Uu]nder|[Ii]n accordance with|"
    r"[Pp]ursuant to|"
    r"[Tt]erms(?: and [Cc]onditions)? of)\s+(?:the\s+)?(?:terms(?:\s+and\s+conditions)?\s+of\s+)?"
    r"(?:the|an?|its|our|their)?\s*((?:[A-Z0-9][\w.+&'-]*\s+(?:of\s+|for\s+|and\s+)?){1,7}"
    r"(?:Licen[sc]e|LICEN[SC]E|Agreement|AGREEMENT|EULA|Terms of (?:Use|Service)))\b"
)
_SIGNS = re.compile(r"[\s*#/;%|>]+")
_LINE_WORDS = (
    "gpl", "cecill", "eupl", "busl", " mpl", "mozilla", " epl", "eclipse", "cddl", "sspl", "cc by",
    "cc-by", "license:", "licence:", "license =", "lizenz", "licencia", "licenza", "licença",
    "confidential", "proprietary", "gnu general", "gnu lesser", "gnu affero",
)  # fmt: skip
# Lines that are short and begin with the name of a strict license, or end with a word of secrecy.
_LINE = re.compile(
    r"^[ \t*#/;%!|\"'-]{0,20}((?i:[al]?gpl|gnu|cecill|eupl|busl|mpl|mozilla|epl|eclipse|cddl|"
    r"sspl|osl|"
    r"cc[- ]by|@?(?:licen[sc]e|lizenz|licencia|licenza|licença)\s*[:=])[^\n]{0,60}|"
    r"[A-Z][^\na-z]{0,50}(?:CONFIDENTIAL|PROPRIETARY)[^\na-zA-Z]{0,5})$",
    re.M,
)
_STATED = re.compile(
    r"(?i)@?(?:licen[sc]e|lizenz|licencia|licenza|licença|licence)\s*[:=]\s*(\S.{1,60})\Z"
)
_CONFIDENTIAL = re.compile(
    r"(?:[A-Z][\w.&]*,? ){0,4}(?:CONFIDENTIAL|PROPRIETARY)(?: (?:AND|&) (?:CONFIDENTIAL|"
    r"PROPRIETARY))?\Z"
)
_NO_NAME = re.compile(
    r"(?:The|This|These|License|Licence|LICENSE|Agreement|Software|Source|Code|Open|Project|"
    r"Contributors?|"
    r"Contribution|Public|Same|Following|Above|Terms|Free|Your|Our|File|Version|Non-Disclosure|"
    r"Confidentiality|of|for|and|[\d.]+)\Z"
)
# Words without which none of these can match.
_UNDER_WORD = re.compile(_UNDER)
_GNU_WORDS = ("general", "gpl")
_CLOSED_WORDS = (
    "confidential", "secret", "authori", "prohibited", "forbidden", "unpublished", "proprietary",
    "closed", "no part of", "property of", "recipes", "no licen", "no re", "epic games", "only be",
    "licensed material", "restricted", "government", "customers", "not be", "not to", "not use",
    "not copy", "not distribute", "not redistribute", "not reproduce", "not disclose", "not modify",
    "not permitted", "not allowed",
)  # fmt: skip
_OTHERS_WORDS = (
    "mozilla", " mpl", "(mpl", "eclipse", " epl", "(epl", "cddl", "common development", "sspl",
    "server side", "busl", "business source", "eupl", "european union",
)  # fmt: skip
_NAMED_WORDS = (
    "clause", "commons", "unity ", "source licen", "polyform", "elastic", "confluent", "llama",
    "gemma", "rail", "hippo", "-nc", "cc-by", "cc by", "timescale", "source available",
    "cockroach", "sustainable", "fair", "prosperity", "parity", "996", "capitalis",
    "peer production", "reference", "commerciale", "side public",
)  # fmt: skip
# The General Public License in other languages; whichever of its versions, it is copyleft.
_GNU_ABROAD = re.compile(
    r"licencia p[úu]blica general|licence publique g[ée]n[ée]rale|licenza pubblica generica|"
    r"licen[çc]a p[úu]blica geral|allgemeinen? [öo]e?ffentlichen? (?:gnu[- ])?lizenz|"
    r"algemene publieke licentie|powszechn\w+ licencj\w+ publiczn\w+|genel kamu lisans|"
    r"obecn\w+ ve[řr]ejn\w+ licenc\w+|общественн\w+ лицензи\w+|通用公共(?:许可|授權|授权)|"
    r"一般公衆(?:利用)?(?:許諾|使用許諾)|일반 ?공중 ?(?:사용 ?)?(?:허가|라이선스)"
)


def _gnu_id(found: re.Match[str]) -> str:
    """The SPDX id of a GNU license named in free words."""
    kind = {"affero": "AGPL", "lesser": "LGPL", "library": "LGPL"}.get((found[2] or "").lower(), "")
    kind = kind or (found[3] or "").upper() + "GPL"
    rest = found[7] or ""
    number, minor = found[4], found[5]
    if number is None:
        version = _VERSION.search(rest[:40])
        number, minor = (version[1], version[2]) if version else (None, None)
    later = bool(found[6]) or bool(_LATER.search(rest))
    if number is None:
        return {"AGPL": "AGPL-3.0-or-later", "LGPL": "LGPL-2.0-or-later"}.get(
            kind, "GPL-1.0-or-later"
        )
    text = f"{kind}-{number}.{minor or 0}"
    return f"{text}-{'or-later' if later else 'only'}"


def strict_words(comment: str) -> list[str]:
    """Expressions of what a comment says against its reader: copyleft, closed, no AI; sorted.

    Only what takes rights away is read from free words, never what grants them.
    """
    found: set[str] = set()
    lower = comment.lower()
    if has_any(lower, _GNU_WORDS) and _UNDER_WORD.search(lower):
        text = re.sub(r"[\s*#/;|>\"-]+", " ", lower)
        found.update(_gnu_id(gnu) for gnu in _GNU.finditer(text))
    if "gnu" in lower and _GNU_ABROAD.search(" ".join(lower.split())) and not found:
        found.add("GPL-1.0-or-later")
    closed, others = has_any(lower, _CLOSED_WORDS), has_any(lower, _OTHERS_WORDS)
    known = has_any(lower, _NAMED_WORDS)
    for sentence in sentences(lower) if closed or others or known else ():
        if closed and _CLOSED.search(sentence):
            found.add(CLOSED)
        if others and _OTHERS.search(sentence):
            found.add(UNKNOWN)
        if known and NAMED_CLOSED.search(sentence):
            found.add(UNKNOWN)
    if has_any(lower, AI_WORDS):
        found.update(rider for rider in riders(lower, bans=False) if rider == NO_AI)
    if has_any(lower, _LINE_WORDS):
        found |= _lines(comment)
    return sorted(found)


def _lines(comment: str) -> set[str]:
    """Strict licenses that are all that a line says ("GPLv2"), and "EXAMPLE CONFIDENTIAL"."""
    found: set[str] = set()
    for told in _LINE.finditer(comment[:4000]):
        said = told[1].rstrip(" \t*/.\"'-")
        if _CONFIDENTIAL.match(said):
            found.add(CLOSED)
            continue
        stated = _STATED.match(said)
        expression = spoken(stated[1] if stated else said)
        if expression is not None and is_strict(expression):
            found.add(expression)
    return found


def limits(text: str) -> list[str]:
    """The rider of a comment that limits the use and states no license otherwise."""
    text = text[:200_000].lower()
    if not has_any(text, _LIMIT_WORDS):
        return []
    owned = _OWNED.search(text) is not None
    for sentence in sentences(text):
        found = _LIMITS.search(sentence)
        if found is None:
            continue
        # Of a function, or of nothing at all in a longer text, it says who should call it.
        internal = "internal use" in found[0] or "private use" in found[0]
        if not internal or not (_OF_CODE.search(sentence) or (len(text) > 200 and not owned)):
            return [RESTRICTED]
    return []


def named(text: str) -> list[str]:
    """An unknown license where a comment says that it is under one by a name that nobody knows.

    For comments in which nothing else states a license; a name that is known says so elsewhere.
    """
    for found in _GOVERNED.finditer(_SIGNS.sub(" ", text[:20_000])):
        words = found[1].split()
        if not all(map(_NO_NAME.match, words)) and spoken(found[1]) is None:
            return [UNKNOWN]
    return []
