"""Finds sentences that no pattern of ``riders`` has, and that may yet take something back.

Nobody can list all that a license may ask. But what stands beside the text of a known open license
is seldom more than its owners, its sources and which files it is for. Where that is little, what
speaks of persons, purposes or prices is doubted, and so is what no English reader understands.
"""

from __future__ import annotations

import re

from stackcurate.licenses.riders import ALTERED, HARMLESS, sentences, without_grants

# Rights, and acts that need one.
_RIGHTS = (
    r"(?:us(?:e|es|ed|ing|age)|cop(?:y|ies|ied|ying)|(?:re-?)?distribut\w+|(?:re-?)?s(?:ell|"
    r"elling|old|ale)|"
    r"modif\w+|embed\w*|host\w*|deploy\w*|compil\w+|install\w*|run|shared?|sharing|publish\w*|"
    r"offer\w*|"
    r"rent\w*|leas(?:e|es|ed|ing)|commercial\w*|licen[sc](?:ed|ing|ees?)|permissions?|rights?|"
    r"grant\w*|train\w*|"
    r"incorporat\w+|extend|extends|view\w*)"
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
    r"authori[sz]ed|"
    r"covered|free|open|for|intended|available|part of this)\b|"
    r"\b(?:licen[sc]e|grant|permission|agreement)s?\b[^.]{0,60}\b(?:does|do) not\b|"
    r"\bdo(?: not|n['’]?t) (?:re-?)?(?:distribut|sell|cop|us|shar|publish|upload|train|host|"
    r"modif|scrap)\w*|"
    r"\b(?:never|neither|none of|nobody)\b|\bnot (?:for|to) \b|"
    r"\bno (?:part|use|person|one|commercial|rights?|licen[sc]e|permission|modif\w+|"
    r"derivative\w*)\b|"
    r"\b(?:only|solely|exclusively|except|until|on condition|as long as|other than|unless)\b"
)
_TAKES_AWAY = re.compile(
    r"\b(?:prohibit|forbid|forbad|disallow|refus|exclud|withdr|revo[kc]|expir|terminat|cancel)\w*|"
    r"\brestrict(?:s|ed|ing|ive)?\b|\brestrictions? appl\w+|\b(?:ban(?:s|ned)?|den(?:y|ies|ied))\b|"
    r"\b(?:pay|pays|paid(?!-up)|payments?|fees?|purchas\w+|buys?|bought|price[sd]?|donat\w+|"
    r"royalt\w+|"
    r"subscri(?:be|ber|bers|ption|ptions))\b|\blicen[sc]e keys?\b|"
    r"\b(?:must|has to|have to|needs? to|required to|requires?|obliged to) (?:first )?"
    r"(?:ask|request|register|notify|obtain|seek|star|like|follow|join|own|be an?|get|have|not)\b|"
    r"\bneeds? (?:an? |our |my |the )?(?:\w+ )?(?:licen[sc]e|consent|permission|approval|"
    r"agreement)\b|"
    r"\b(?:our|my|prior|written|his|her|their) (?:\w+ )?(?:consent|approval|permission)\b|"
    r"\bask (?:me|us|for|first)\b"
)
# Takes nothing: about warranties and names, about which files are meant, about the notice itself.
_TAKES_NOTHING = re.compile(
    r"\b(?:endors\w*|promot\w+|advertis\w+|publicity|trademarks?|trade names?|logos?|warrant\w*|"
    r"liab\w+|misrepresent\w*|merchantab\w*|damages|indemni\w+|as[ -]is|implied|copyright \(c\)|"
    r"(?:all|some) rights reserved|in compliance with|do not edit|everything else|banner)\b|"
    r"\botherwise (?:stated|noted|indicated|specified|mentioned|marked|licen[sc]ed)\b|"
    r"\bexcept as (?:documented|noted|stated)\b|\bdata files\b|"
    r"\b(?:academic|personal|private) and commercial\b|\bno (?:cost|charge|longer)\b|"
    r"\bthis (?:notice|permission notice)\b|\bresponsib\w+|\bown (?:risk|responsibility)\b|"
    r"(?:\bnot|n['’]t) (?:need|have) to\b|\bwithheld\b|\bdoes not create\b|"
    r"\bconsist\w* (?:solely|only)\b|"
    r"\bthe licen[sc]e (?:text|file)s?\b"
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
# Words of sentences that say who, for what, for how long and for how much.
_SUSPECT = re.compile(
    r"\b(?:violat\w+|infring\w+|negotiat\w+|out of the question|owe|profits?|subscri\w+|"
    r"commercial\w*|reserved (?:to|for)|(?:not|in)valid|not valid|valid (?:for|until)|transfer all|"
    r"secret|confidential|households?|homes?|evaluat\w+|demos?|trials?|preview|beta testers?|"
    r"derivatives?|exclud\w+|unless (?:you|he|she|they|your)|seats?|field[- ]of[- ]use|enterprise|"
    r"private|personal|academ\w+|educat\w+|hobb\w+|students?|schools?|members?|non-?profits?|"
    r"military|weapons?|war|politic\w+|campaigns?|ethic\w*|harm\w*|ai|assistants?|"
    r"machine learning|train(?:ed|ing)?|feeding|corpus|employees|compan(?:y|ies)|corporations?|"
    r"governments?|contractors?|persons?|people|customers?|licensees?|fees?|pay|pays|paid|"
    r"payments?|offers?|expir\w+|forbid\w*|prohibit\w*|withdr\w+|discretion|consent|approv\w+|"
    r"permission|ask|write to|for \w+(?: \w+)? only|resale|vendors|deploy\w*|armies|belongs?|"
    r"invoices?|"
    r"gratis|hands off|free for \d+|change these|grant ends|minors|end of life)\b"
)
# Such words in sentences about warranties, names, owners, sources and which files are meant.
_PLAIN = re.compile(
    r"\b(?:endors\w*|promot\w+|advertis\w+|publicity|trademarks?|trade names?|logos?|warrant\w*|"
    r"liab\w+|"
    r"misrepresent\w*|merchantab\w*|damages|indemni\w+|as[ -]is|implied|responsib\w+|copyrights?|"
    r"all rights reserved|some rights reserved|in compliance with|do not edit|everything else|"
    r"banner|"
    r"consist\w* (?:solely|only)|withheld|does not create|public domain|free software|thank\w*|"
    r"contribut(?:or|ors|ions?|ed)|derivative work (?:of|based)|determine if|can be found|"
    r"data files|terms may differ)\b|"
    r"\botherwise (?:stated|noted|indicated|specified|mentioned|marked|licen[sc]ed|documented)\b|"
    r"\bexcept as (?:documented|noted|stated)\b|"
    r"\b(?:used|reprinted|reproduced|included) (?:here )?(?:with|by) (?:\w+ )?permission\b|"
    r"\b(?:licen[sc]e|following|notice|terms|this)s? appl(?:y|ies) to\b|\Aapplies to all code\b|"
    r"\b(?:academic|personal|private) and commercial\b|\bno (?:cost|charge|longer)\b|"
    r"\bown licen[sc]es\b|"
    r"(?:\bnot|n['’]t) (?:need|have) to\b|\bthis (?:notice|permission notice)\b|"
    r"\b(?:derived|forked|extracted|taken|copied|adapted|modified|originally|based|"
    r"written) (?:from|on|by|written)\b|"
    r"\bsee (?:the )?(?:licen|notice|authors|copying|file|source)|\bfor (?:more )?details\b|"
    r"\A\W*(?:alternatively,? )?(?:you may|it may be|this \w+ may be|may be) (?:used?|"
    r"distributed|copied)"
    r"(?: it| this \w+)?(?: under the terms of)?(?: the)?\W*\Z|\bat your (?:option|choice)\W*\Z|"
    r"\blicen[sc]ed (?:for use )?as follows\b|\A\W*(?:only|except)\b.{0,40}\bfiles?\W*\Z|"
    r"\beverything except (?:for )?(?:the )?[\w ./*-]{1,60}\bfiles?\b|"
    r"\Alicen[sc]e for \w+ except \w+\Z|"
    r"\bterms of the [\w.-]+\Z|\blegal terms\b|\bthru\b|\w\(\)|\bdom\b|\b(?:where|when|as|"
    r"if) (?:noted|stated|indicated|specified|marked) otherwise\b|\bnotice to\b|\b(?:following|"
    r"below) legal agreement\b|\bsponsoring member\b|"
    r"\bnon-profit organization\b|\bproject home\b|\bbundled dependencies\b|\bis (?:licen[sc]ed|"
    r"distributed|available|released)"
    r" (?:under|with) the\W*\Z"
)
_OWNER = re.compile(r"\(c\)|©|版权|版權|著作|(?:19|20)\d\d")
# One of these stands in almost every English sentence, and few of them in other languages.
_ENGLISH = re.compile(
    r"\b(?:the|of|and|this|by|with|from|are|was|it|be|under|for|to|all|as|other|licen[sc]ed?|"
    r"software|code|"
    r"based|version|see|files?|about|that|has|not|parser|project|implementation|functions?|"
    r"generator|"
    r"repository|on|is|or|an|you|we|dot|like|below|above|syntax|associated|"
    r"them|their|they|these|those|which|where|when|who|been|were|its|can|also|here|more|used|"
    r"made|parts?|"
    r"particular|please|names?|authors?|contrib|library|package|module|style|support)\b",
    re.I,
)
_ADDRESS = re.compile(r"https?:|www\.|@|\w\.\w{2,4}\b|/")
_ONE_WORD = re.compile(r"[(\"'«“‘¿¡]?[^\W\d_]+(?:['’-][^\W\d_]+)*[)\"'»”’.,;:!?]*")
# Scripts that are not Latin: six letters of them are some words.
_SCRIPTS = re.compile(r"[^\W\d_a-zA-Z\u00aa-\u024f\u1e00-\u1eff]")
FEW = 6
MOST = 60  # words; who writes more beside a license writes of other things too, or a license


def _is_foreign(said: str) -> bool:
    """Whether three words or more are no list of names and hold no word of English."""
    if _ENGLISH.search(said) or _ADDRESS.search(said) or _PLAIN.search(said.lower()):
        return False
    words = [word for word in said.split() if _ONE_WORD.fullmatch(word)]
    low = sum(word.strip("(\"'«“‘¿¡")[:1].islower() for word in words)
    return len(words) >= 3 and 2 * low >= len(words) and len(words) * 2 > len(said.split())


def doubts(text: str) -> list[str]:
    """ALTERED where a sentence may say more than whom a text is from and what it is about.

    For the text of an open license, of which ``text`` is what no known text explains. Of 469 real
    license files that nobody had looked at when this was written, four are doubted, here or below.
    """
    little = len(text.split()) <= MOST
    for sentence in sentences(text[:200_000], fold=False) if little else ():
        said = without_grants(sentence[:4000].lower())
        if NAMED_CLOSED.search(said):
            return [ALTERED]
        if _OWNER.search(said) and len(said) < 200:
            continue
        if len(_SCRIPTS.findall(said)) >= FEW or _is_foreign(sentence[:4000]):
            return [ALTERED]
        if _SUSPECT.search(said) and not _PLAIN.search(said) and " " in said:
            return [ALTERED]
    return takes_back(text)


def takes_back(text: str) -> list[str]:
    """ALTERED where a sentence takes something back in words that no pattern of ``riders`` has.

    For comments that license something, and for what came between the words of a known text.
    """
    for sentence in sentences(text[:200_000]):
        said = without_grants(sentence[:4000])
        if NAMED_CLOSED.search(said):
            return [ALTERED]
        if _TAKES_NOTHING.search(said) or HARMLESS.search(said):
            continue
        if _TAKES_AWAY.search(said) and _WIDE_TOPIC.search(said):
            return [ALTERED]
        if any(
            _TOPIC.search(said, max(0, one.start() - 120), one.end() + 120)
            for one in _TAKES.finditer(said)
        ):
            return [ALTERED]
    return []
