"""Finds sentences that no pattern of ``riders`` has, and that may yet take something back.

Nobody can list all that a license may ask. But what stands beside the text of a known open license
is seldom more than its owners, its sources and which files it is for. Where that is little, what
speaks of persons, purposes or prices is doubted, and so is what no English reader understands.
"""

from __future__ import annotations

import re

from stackcurate.licenses import abroad, harmless
from stackcurate.licenses.riders import (
    ALTERED,
    HARMLESS,
    sentences,
    without_companies,
    without_grants,
)
from stackcurate.licenses.spoken import spoken

# Rights, and acts that need one.
_RIGHTS = (
    r"(?:us(?:e|es|ed|ing|age)|cop(?:y|ies|ied|ying)|(?:re-?)?distribut\w+|(?:re-?)?s(?:ell|"
    r"elling|old|ale)|"
    r"modif\w+|embed\w*|host\w*|deploy\w*|compil\w+|install\w*|run|shared?|sharing|publish\w*|"
    r"offer\w*|"
    r"rent\w*|leas(?:e|es|ed|ing)|commercial\w*|licen[sc](?:ed|ing|ees?)|permissions?|rights?|"
    r"grant\w*|train\w*|incorporat\w+|extend|extends|view\w*)"
)
_THINGS = (
    r"(?:soft-?wares?|programs?|codes?|sources?|librar(?:y|ies)|works?|products?|projects?|"
    r"packages?|"
    r"materials?|models?|weights|files?|it|this|users?|everyone|compan(?:y|ies)|organi[sz]ations?|"
    r"business\w*|employ\w+|customers?|at work|data)"
)
_TOPIC = re.compile(rf"\b{_RIGHTS}\b")
_WIDE_TOPIC = re.compile(rf"\b(?:{_RIGHTS}|{_THINGS})\b")
# What a sentence about rights takes back by, and what one about the thing itself does.
_TAKES = re.compile(
    r"\b(?:may|must|shall|can|should|will)(?: not|n[o'’]?t)\b|\bcannot\b|"
    r"\b(?:is|are|was|were|be) not (?:\w+ly )?(?:allowed|permitted|licen[sc]ed|granted|"
    r"authori[sz]ed|covered|free|open|for|intended|available|part of this)\b|"
    r"\b(?:licen[sc]e|grant|permission|agreement)s?\b[^.]{0,60}\b(?:does|do) not\b|"
    r"\bdo(?: not|n['’]?t) (?:re-?)?(?:distribut|sell|cop|us|shar|publish|upload|train|host|"
    r"modif|scrap)\w*|\b(?:never|neither|none of|nobody)\b|\bnot (?:for|to) \b|"
    r"\bno (?:part|use|person|one|commercial|rights?|licen[sc]e|permission|modif\w+|"
    r"derivative\w*)\b|"
    r"\b(?:only|solely|exclusively|except|until|on condition|as long as|other than|unless)\b"
)
_TAKES_AWAY = re.compile(
    r"\b(?:prohibit|forbid|forbad|disallow|refus|exclud|withdr|revo[kc]|expir|terminat|cancel)\w*|"
    r"\brestrict(?:s|ed|ing|ive)?\b|\brestrictions? appl\w+|\b(?:ban(?:s|ned)?|den(?:y|ies|ied))\b|"
    r"\b(?:pay|pays|paid(?!-up)|payments?|fees?|purchas\w+|buys?|bought|price[sd]?|donat\w+|"
    r"royalt\w+|subscri(?:be|ber|bers|ption|ptions))\b|\blicen[sc]e keys?\b|"
    r"\b(?:must|has to|have to|needs? to|required to|requires?|obliged to) (?:first )?"
    r"(?:ask|request|register|notify|obtain|seek|star|like|follow|join|own|be an?|get|have|not)\b|"
    r"\bneeds? (?:an? |our |my |the )?(?:\w+ )?(?:licen[sc]e|consent|permission|approval|"
    r"agreement)\b|"
    r"\b(?:our|my|prior|written|his|her|their) (?:\w+ )?(?:consent|approval|permission)\b|"
    r"\bask (?:me|us|for|first)\b"
)
# Licenses that are not open, by names that need no rule.
NAMED_CLOSED = re.compile(
    r"\bbusiness source licen[sc]e|\bfunctional source licen[sc]e|\bcommons clause|"
    r"\bserver side public licen[sc]e|"
    r"\bpolyform \w+|\belastic licen[sc]e|\bconfluent community licen[sc]e|"
    r"\bfair source licen[sc]e|"
    r"\bllama ?\d?[\d.]* (?:community )?licen[sc]e|\bgemma (?:terms|licen[sc]e)|\bopen ?rail\b|"
    r"\bhippocratic licen[sc]e|"
    r"\b(?:licen[sc]e|licen[sc]ing agreement)[- ]nc\b|\bsource code licen[sc]e-nc\b|"
    r"\b(?:cc|commons|attribution)[- ](?:by[- ])?(?:n[cd]|non-?commercial|no-?deriv\w+)\b|"
    r"\bunity (?:companion|reference)\b|"
    r"\b(?:timescale|redis source available|cockroachdb (?:software|community)|sustainable use|"
    r"fair[- ]code|"
    r"prosperity public|parity public|anti-?996|anti-?capitalist software|peer production|"
    r"big ?code openrail\S*|"
    r"reference[-_ ]only) licen[sc]e|unity_reference_only|\bpas d['’]utilisation commerciale\b",
)
# What such words count beside: rights, the thing itself, and persons.
_TOUCHED = (
    r"you|your|yours|we|us|our|i|me|my|whoever|anyone|anybody|everyone|everybody|someone|"
    r"others|part(?:y|ies)|apps?|sites?|servers?|clients?|services?|developers?|"
    r"use|forks?|forking|uploading|production"
)
_REACH = re.compile(rf"\b(?:{_RIGHTS}|{_THINGS}|{_TOUCHED})\b")
_ANY = re.compile("")
_REACH_IN_CODE = re.compile(rf"\b(?:{_RIGHTS}|licen[sc]es?)\b")  # comments speak of data and of you
_LEARNING = re.compile(r"(?i)\b(?:ai|machine learning|train(?:ed|ing)|feeding|assistants?)\b")
_GLUED = re.compile(r"\b(?:MIT|BSD|ISC|0BSD|Zlib|Unlicense|WTFPL|Apache-2\.0)-((?:\w+-?)+)")
_STYLE = re.compile(
    r"(?i)\d[\w-]*|(?:style|styled?|ish|like|type|licen\w+|lizenz\w*|compatible|derived|based|text|"
    r"clause|variant|or|and|project|modified|new|old|only|code|files?|header|notice)\b[\w-]*"
)
# Who, for what, from when and for how much: enough by themselves, as in "For schools".
_SUSPECT = re.compile(
    r"[$€£¥₹]\s?\d|\d\s?[€£¥₹]|\b(?:usd|eur|dollars?|euros?|invoices?|prices?|pricing)\b|"
    r"\b(?:tak(?:es?|ing) effect|in effect|comes? into|appl(?:y|ies) (?:from|until|after|as of|on)|"
    r"(?:up to|at most|(?:no )?more than|fewer than|less than|max\.?|maximum) (?:\d+\b(?!\.\d)|"
    r"two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|a hundred)|"
    r"needs? an? (?:\w+ )?(?:keys?|tokens?|licen[sc]e|subscription|account|contract)|"
    r"in force|loses?|forfeit\w*|effective|(?:in)?valid|void|nothing else|nobody else|"
    r"every(?:one|body) else|no one else|"
    r"all others|third part(?:y|ies)|reserved (?:to|for)|free for \d+|for \w+(?: \w+)? only|"
    r"by invitation|field[- ]of[- ]use|out of the question|hands off|end of life|(?:good|runs?|"
    r"lasts?|holds?) (?:through|until|till)|"
    r"internal (?:use|projects?|purposes?)|excepted|exempt\w*|at work|"
    r"violat\w+|infring\w+|negotiat\w+|owe|profits?|subscri\w+|commercial\w*|transfer all|"
    r"secret|confidential|households?|homes?|evaluat\w+|demos?|trials?|preview|testers?|"
    r"derivatives?|exclud\w+|seats?|enterprise|private|personal|academ\w+|educat\w+|hobb\w+|"
    r"students?|schools?|members?|non-?profits?|military|weapons?|war|politic\w+|campaigns?|"
    r"ethic\w*|harm\w*|(?<![.@])ai|assistants?|machine learning|train(?:ed|ing)?|feeding|employees|"
    r"compan(?:y|ies)|corporations?|governments?|contractors?|people|customers?|licensees?|"
    r"partners?|fees?|pay|pays|paid|payed|payments?|expir\w+|forbid\w*|prohibit\w*|withdr\w+|"
    r"discretion|consent|approv\w+|permission|ask|write to|resale|vendors|deploy\w*|armies|"
    r"belongs?|closed|proprietary|gratis|change these|grant ends|minors|ausgenommen)\b"
)
# A line of owners, of which what is written with capital letters is names.
_OWNER = re.compile(r"\A.{0,60}?(?:copyright|\(c\)|©|版权|版權|著作)|\A\W*(?:19|20)\d\d", re.I)
_FOR_USE = re.compile(r"\b(?:for|us(?:e|es|ed|age))\b")
_CAPITAL = re.compile(r"\b[A-Z][\w'’&.-]*")
# One of these stands in almost every English sentence, and few of them in other languages.
_ENGLISH = re.compile(
    r"\b(?:the|of|and|this|by|with|from|are|was|it|be|under|for|to|all|as|other|licen[sc]ed?|"
    r"software|code|"
    r"based|version|see|files?|about|that|has|not|parser|project|implementation|functions?|"
    r"generator|repository|on|is|or|an|you|we|dot|like|below|above|syntax|associated|"
    r"them|their|they|these|those|which|where|when|who|been|were|its|can|also|here|more|used|"
    r"made|parts?|"
    r"particular|please|names?|authors?|contrib|library|package|module|style|support)\b",
    re.I,
)
_ADDRESS = re.compile(r"https?:|www\.|@|\w\.\w{2,4}\b|/")
_PARTICLES = frozenset([
    "de", "la", "del", "di", "da", "von", "van", "der", "den", "dos", "das", "du", "le", "y", "e",
    "und", "et", "i", "af",
])  # fmt: skip
_ONE_WORD = re.compile(r"[(\"'«“‘¿¡]?[^\W\d_]+(?:['’-][^\W\d_]+)*[)\"'»”’.,;:!?]*")
# Scripts that are not Latin: six letters of them are some words.
_SCRIPTS = re.compile(r"[^\W\d_a-zA-Z\u00aa-\u024f\u1e00-\u1eff]")
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff]")  # Thai, CJK
FEW = 6
MOST = 60  # words; who writes more beside a license writes of other things too, or a license


def is_other_script(said: str) -> bool:
    """Whether some words are of no Latin script: more than a name or a heading has."""
    letters = _SCRIPTS.findall(said)
    return len(letters) >= FEW and (" " in said.strip() or _WITHOUT_SPACES.search(said) is not None)


def _is_foreign(said: str) -> bool:
    """Whether three words or more are no list of names and hold no word of English."""
    if _ENGLISH.search(said) or _ADDRESS.search(said) or harmless.is_harmless(said.lower()):
        return False
    words = [word for word in said.split() if _ONE_WORD.fullmatch(word)]
    small = [word.strip("(\"'«“‘¿¡") for word in words]
    low = sum(word[:1].islower() and word not in _PARTICLES for word in small)
    return len(words) >= 3 and low >= 2 and len(words) * 2 > len(said.split())


def _is_strange(sentence: str) -> bool:
    """Whether a sentence is not English, nor a line of owners."""
    strange = is_other_script(sentence) or _is_foreign(sentence[:4000])
    return strange and not _OWNER.search(sentence)


def doubts(text: str) -> list[str]:
    """ALTERED where a sentence may say more than whom a text is from and what it is about.

    For the text of an open license, of which ``text`` is what no known text explains. Of 469 real
    license files that nobody had looked at when this was written, three are doubted, here or below.
    """
    thanked = False
    little = len(text.split()) <= MOST
    for sentence in sentences(text[:200_000], fold=False) if little else ():
        if _is_strange(sentence):
            harms = not abroad.allows(sentence.lower())
        else:
            harms = not thanked and _is_doubtful(sentence[:4000], _REACH)
        if harms:
            return [ALTERED]
        thanked = harmless.THANKS.fullmatch(sentence) is not None  # who is thanked comes next
    return takes_back(text)


def doubtful(sentence: str, goes_on: bool = False) -> bool:
    """Whether a sentence beside an open notice in a comment may set a limit.

    ``goes_on``: the notice is its beginning. What code learns from is left to ``riders``.
    """
    reach = _ANY if goes_on else _REACH_IN_CODE
    return _is_doubtful(_LEARNING.sub(" ", sentence[:4000]), reach)


def _is_doubtful(sentence: str, reach: re.Pattern[str]) -> bool:
    """Whether a sentence beside an open license is not known to leave all as it is.

    It may be a limit of what ``reach`` finds, and more.
    """
    if not _may_limit(sentence.lower()) and not _GLUED.search(sentence):
        return False
    sentence = without_companies(sentence)
    owned = _OWNER.search(sentence) is not None
    shown = _CAPITAL.sub(" ", sentence) if owned else sentence
    said = without_grants(shown.lower())
    if NAMED_CLOSED.search(sentence.lower()) or any(map(_is_rider, _GLUED.finditer(sentence))):
        return True
    if harmless.is_harmless(said):
        return False
    said = harmless.without_neutral(said)
    if not said.strip().count(" "):
        return False
    if harmless.MARKS.search(said) and reach.search(said):
        return True
    return _SUSPECT.search(said) is not None and (not owned or _FOR_USE.search(said) is not None)


def _may_limit(said: str) -> bool:
    return any(one.search(said) for one in (harmless.MARKS, _SUSPECT, NAMED_CLOSED))


def sets_limit(value: str) -> bool:
    """Whether a few words in a field beside an open license set any limit: "MIT (max. 3 shops)"."""
    said = harmless.without_neutral(without_grants(value.lower()))
    limited = harmless.MARKS.search(said) or _SUSPECT.search(said)
    return limited is not None and not harmless.is_harmless(said)


def _is_rider(glued: re.Match[str]) -> bool:
    """Whether what is glued to the name of a license makes another one of it: "MIT-NC"."""
    return not _STYLE.fullmatch(glued[1]) and spoken(glued[0]) is None


def takes_back(text: str) -> list[str]:
    """ALTERED where a sentence takes something back in words that no pattern of ``riders`` has.

    For comments that license something, and for what came between the words of a known text.
    """
    for sentence in sentences(text[:200_000], fold=False):
        lower = sentence[:4000].lower()
        if NAMED_CLOSED.search(lower):
            return [ALTERED]
        if not _takes(lower):
            continue
        said = without_grants(without_companies(sentence[:4000]).lower())
        if HARMLESS.search(said) or harmless.is_harmless(said):
            continue
        if _takes(harmless.without_neutral(said)):
            return [ALTERED]
    return []


def _takes(said: str) -> bool:
    """Whether a sentence (lower case) has words that take something that it speaks of."""
    if _TAKES_AWAY.search(said) and _WIDE_TOPIC.search(said):
        return True
    return any(
        _TOPIC.search(said, max(0, one.start() - 120), one.end() + 120)
        for one in _TAKES.finditer(said)
    )
