"""Finds what a license's neighbor sentences take away again: "MIT, but not for training".

A matcher of known texts reports the MIT license and passes over the sentence after it. A rider is
looked for in every word that no known text explains, sentence by sentence: a sentence forbids
training when it names AI, an act, and a prohibition; it limits the use when it says so in one of
the ways below. Being too strict costs a file; being too lax costs the release its word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from stackcurate.licenses import abroad

NO_AI = "LicenseRef-stackcurate-no-ai"
RESTRICTED = "LicenseRef-stackcurate-restricted"
ALTERED = "LicenseRef-stackcurate-altered"

_UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_UNSEEN |= dict.fromkeys([0x2010, 0x2011, 0x2012, 0x2013, 0x2212], "-")
_SPACE = re.compile(r"[\s*#/;|>]+")
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+|(?<=[。！？；])|\n[\s*#/;|>-]*\n")
# A word that goes on on the next line.
_HYPHEN = re.compile(r"(?<=[^\W\d_])-[ \t]*\n[\s*#/;|>]*(?=[^\W\d_A-Z])")
_NO = re.compile(
    r"\b(?:not|no|never|nor|cannot|without|except(?:ing|ion)?|exclud(?:e|es|ed|ing)|prohibit\w*|"
    r"forbid\w*|forbidden|disallow\w*|restrict\w*|opt(?:s|ed|ing)?[- ]?out|reserv(?:e|es|ed|ing|"
    r"ations?)|deny|denied|refus\w*|ban(?:s|ned)?|unless|unlawful|may only|other than|consent)\b"
)
_AI = re.compile(
    r"\b(?:ai|a\.i\.|artificial(?:ly)? intelligen\w+|machine[- ]learning|deep[- ]learning|ml|llms?|"
    r"(?:large )?language models?|neural net\w*|generative|foundation models?|gpt|copilot|chatbots?|"  # noqa: E501
    r"text[- ]and[- ]data[- ]mining|data[- ]mining|text[- ]mining|tdm|web scrap\w+|scraping|training data\w*|"  # noqa: E501
    r"training sets?|datasets?|statistical models?|learning models?)\b"
)
_ACT = re.compile(
    r"\b(?:train\w*|fine[- ]?tun\w*|learn\w*|min(?:e|ed|ing)|tdm|scrap\w+|ingest\w*|improv\w+|"
    r"develop\w*|build\w*|creat\w+|use[sd]?|using|includ\w+|crawl\w*|harvest\w*|feed|fed)\b"
)
_FOR_AI = re.compile(
    r"\b(?:ai|a\.i\.|artificial(?:ly)? intelligen\w+|generative|llms?|tdm|"
    r"text[- ]and[- ]data[- ]mining|copilot|chatbots?)\b"
)
# Laws by which one reserves text and data mining: the EU's, Germany's, France's.
_TDM_LAW = re.compile(
    r"\bdirective (?:\(eu\) )?(?:no\.? )?2019[ /]790\b|\bdsm directive\b|"
    r"\b44 ?b (?:\([^)]*\) )?urhg\b|\bl\.? ?122-5-3\b"
)
# What a rider in a comment is about: the thing itself, or what may be done with it.
_OF_IT = re.compile(
    r"\b(?:th(?:is|e|ese)|our|its|any|all|my)\s(?:\w+\s){0,2}(?:soft-?ware|programs?|codes?|"
    r"sources?|"
    r"files?|works?|repositor\w+|projects?|librar\w+|packages?|contents?|materials?|texts?|"
    r"documents?|documentation)\b|\blicen[sc]\w*|\bpermi(?:t|ssion)\w*|\bgrant\w*|\brights?\b|"
    r"\bconsent\b|\bcopyright|\bprohibit\w*|\bforbid\w*|\breserv\w+|\bopt\w*[- ]?out\b"
)
# "All functions here are for internal use only": of the library itself.
_OF_CODE = re.compile(
    r"@internal\b|\b(?:apis?|functions?|methods?|class(?:es)?|headers?|modules?|struct\w*|"
    r"interfaces?|macros?|symbols?|variables?|routines?|constants?|members?|fields?|helpers?)\b"
)
_BOTH = re.compile(
    r"\bnon[- ]?commercial(?:ly)?(?: use)?,? ?(?:and|or|and/or|as well as|&|/) ?(?:for )?commercial(?:ly)?\b|"  # noqa: E501
    r"\bcommercial(?:ly)?(?: use)?,? ?(?:and|or|and/or|as well as|&|/|, ) ?(?:for )?non[- ]?commercial(?:ly)?\b"  # noqa: E501
)
# Said to grant: "in any form, without limitation, commercial or not".
_FREELY = re.compile(
    r"\bwithout (?:any )?(?:fees?|royalt(?:y|ies)|payments?|charge|cost)"
    r"(?:,? (?:or|and) (?:fees?|royalt(?:y|ies)|payments?|charge|cost))*\b|\broyalty[- ]free\b|"
    r"\bwith or without \w+|\bwithout (?:any )?(?:limitations?|restrictions?)(?: of any kind)?\b"
)
_LIMITS = re.compile(
    r"\bnon[- ]?commercial(?:ly)?\b|"
    r"\b(?:not|no|never|prohibit\w*|forbid\w*|without)\b[^.]{0,60}\bcommercial(?:ly)?\b|"
    r"\bcommercial(?:ly)?\b[^.]{0,60}\b(?:prohibited|forbidden|not (?:allowed|permitted|granted)|"
    r"requires?|need(?:s|ed)?|only)\b|"
    r"\b(?:personal|private|academic|educational?|research|evaluation|internal|scientific|teaching)"
    r"(?:,? (?:and|or|/) ?\w+)?(?: use| purposes?)? only\b|"
    r"\bonly (?:for|in|be used for)\b[^.]{0,30}\b(?:personal|private|academic|educational?|research|"  # noqa: E501
    r"evaluation|internal|scientific|non[- ]?profit|teaching)\b|"
    r"\bfor good,? (?:and )?not (?:for )?evil\b"
)
# Said in license texts to forbid, and in code comments about other things.
_BANS = re.compile(
    r"\b(?:may|must|shall|can)(?: ?not|not) (?:be )?(?:use|used|sell|sold|resold|redistribute|redistributed|"  # noqa: E501
    r"distribute|distributed|copy|copied|modify|modified|sublicense|sublicensed|host|publish)\b|"
    r"\b(?:not|never) (?:be )?used? (?:for|in|by)\b|"
    r"\b(?:strictly|highly)? ?(?:confidential|proprietary)\b|\btrade secrets?\b|"
    r"\b(?:un)?authori[sz]ed (?:use|copying|distribution|reproduction)\b[^.]{0,60}\b(?:prohibited|forbidden)\b|"  # noqa: E501
    r"\bprior written (?:consent|permission|approval)\b|\bpaid license\b|\bdo not (?:distribute|redistribute|copy)\b"  # noqa: E501
)
# Said of who may use, for what price and for how long; such sentences speak of nothing else.
_WHO = re.compile(
    r"\bno (?:individual|person|entity|one|company|organi[sz]ation|government)\b[^.]{0,120}\bmay (?:use|copy|modify|distribute)\b|"  # noqa: E501
    r"\bonly (?:[\w'-]+ ){1,8}may (?:use|copy|modify|distribute)\b|"
    r"\b(?:licen[sc]e|permission|rights?|grant)\b[^.]{0,60}\b(?:may|can|will|shall) be (?:revoked|withdrawn|terminated)\b(?: by | at )|"  # noqa: E501
    r"\b(?:reserves?|retains?) the rights? to (?:revoke|withdraw|terminate|cancel)\b|"
    r"\b(?:is|are) not (?:granted|given) (?:any |the )?(?:rights?|permission|licen[sc]e)\b|"
    r"\bnot (?:permitted|allowed|granted permission|licensed) (?:to |for )?(?:use|copy|copying|modify|modification|distribut\w+|redistribut\w+)\b|"  # noqa: E501
    r"\b(?:must|shall|need to|have to|required to) (?:obtain|buy|purchase|acquire) (?:an? |the )?(?:[\w-]+ ){0,3}licen[sc]es?\b|"  # noqa: E501
    r"\bfor commercial (?:use|usage|licen[sc]\w+|purposes?|applications?)\b[^.]{0,40}\b(?:contact|e-?mail|write|ask|see|visit|buy|purchase)\b|"  # noqa: E501
    r"\bcontact\b[^.]{0,60}\bfor (?:an? )?commercial (?:use|usage|licen[sc]\w+)\b"
)
# Said by permissive texts themselves: about names, warranties, and copies without the notice.
HARMLESS = re.compile(
    r"\b(?:endorse|promote|advertis\w+|publicity|trademarks?|trade names?|warrant\w*|liab\w+|"
    r"misrepresented|name of|in compliance with)\b"
)


_COMPANY_SIGNS = re.compile(
    r"\b(?:Ltd|GmbH|Inc|LLC|Corp|Corporation|Company|AG|BV|B\.V\.|Limited|Labs?|Laborator(?:y|ies)|"
    r"Consortium|Foundation|Institute|University|Team|Group|Society|Association|Trust)\b"
)
_COMPANY = re.compile(
    r"(?:\b[A-Z][\w&'’.-]*,? (?:(?:of|for|and|&) )?){1,8}?(?:" + _COMPANY_SIGNS.pattern + r")"
)


# Words without which no sentence above can match: most texts have none, and are done.
AI_WORDS = (
    " ai", "(ai", " ml", "llm", "gpt", "tdm", "a.i.", "intelligen", "learning",
    "model", "neural", "generative", "copilot", "chatbot", "mining", "scrap", "training", "dataset",
    "2019/790", "dsm directive", "urhg", "122-5-3",
)  # fmt: skip
_LIMIT_WORDS = ("commercial", "only", "evil")
_BAN_WORDS = (
    "not", "never", "confidential", "proprietary", "secret", "authori", "prior", "paid", "no ",
    "may use", "may copy", "may modify", "may distribute", "revoke", "withdr", "terminat", "licen",
)  # fmt: skip


def has_any(text: str, words: Sequence[str]) -> bool:
    """Whether one of some words occurs; faster than a pattern of them by far."""
    return any(word in text for word in words)


def sentences(text: str, fold: bool = True) -> list[str]:
    """Sentences, in lower case where ``fold``; white space and signs of comments single spaces."""
    shown = plain(text).lower() if fold else plain(text)
    shown = _HYPHEN.sub("", shown) if "-\n" in shown else shown
    return [_SPACE.sub(" ", part).strip() for part in _SENTENCE.split(shown) if part.strip()]


def without_grants(sentence: str) -> str:
    """A sentence without words by which it grants: "commercial or not", "without limitation"."""
    return _FREELY.sub(" ", _BOTH.sub(" ", sentence))


def without_companies(text: str) -> str:
    """``text`` without the names of companies: "Commercial Use Ltd."."""
    return _COMPANY.sub(" ", text) if _COMPANY_SIGNS.search(text) else text


def companies(text: str, at: int = 0) -> list[tuple[int, int]]:
    """The spans of the names of companies in a text that begins at ``at``."""
    if not _COMPANY_SIGNS.search(text):
        return []
    return [(at + found.start(), at + found.end()) for found in _COMPANY.finditer(text)]


def plain(text: str) -> str:
    """``text`` with plain letters and hyphens, and without what is not seen."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).translate(_UNSEEN)


def riders(text: str, bans: bool = True) -> list[str]:
    """The LicenseRefs of the riders in ``text``, sorted; ``text`` is what no known text explains.

    ``bans`` also takes plain "may not be used" for a limit, as in the text of a license; in the
    comments of source files such words mostly speak of the code.
    """
    text = text[:200_000]
    found = _riders(text, bans)
    named = found and companies(text)  # "Commercial Use Ltd."
    return sorted(_riders(without_companies(text), bans) if named else found)


def _riders(text: str, bans: bool) -> set[str]:
    found: set[str] = set()
    text = plain(text).lower()
    limits = has_any(text, _LIMIT_WORDS) or (bans and has_any(text, _BAN_WORDS))
    for sentence in sentences(text) if limits or has_any(text, AI_WORDS) else ():
        sentence = sentence[:4000]
        if _forbids_learning(sentence, bans):
            found.add(NO_AI)
        cleaned = without_grants(sentence)
        limited = _LIMITS.search(cleaned) or (
            bans and (_BANS.search(cleaned) or _WHO.search(cleaned))
        )
        inside = not bans and "internal" in cleaned and _OF_CODE.search(cleaned)
        if limited and not inside and not HARMLESS.search(cleaned):
            found.add(RESTRICTED)
    found.update(limits_abroad(text, not bans))
    return found


def _forbids_learning(sentence: str, bans: bool) -> bool:
    """Whether a sentence forbids to train on the text; in comments code that learns speaks, too."""
    if _TDM_LAW.search(sentence):
        return True
    if not (_AI.search(sentence) and _ACT.search(sentence) and _NO.search(sentence)):
        return False
    return bans or (_FOR_AI.search(sentence) or _OF_IT.search(sentence)) is not None


def limits_abroad(text: str, sure: bool) -> list[str]:
    """The riders that a text names in another language; ``sure`` is asked of comments."""
    text = plain(text[:200_000]).lower()
    if sure:
        may_be = has_any(text, abroad.MAY_BE_SURE)
    else:
        may_be = not text.isascii() or has_any(text, abroad.MAY_BE)
    pattern = abroad.LIMITS_SURE if sure else abroad.LIMITS
    if not may_be or not pattern.search(text):
        return []
    found = (one for one in sentences(text) if abroad.limits(one, sure))
    return sorted({NO_AI if abroad.speaks_of_learning(one) else RESTRICTED for one in found})
