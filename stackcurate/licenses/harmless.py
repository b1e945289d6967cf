"""What a sentence beside an open license may say without taking anything back.

Thanks and wishes, what else is offered or allowed, sources, owners, warranties, and which files are
meant. A wish that binds ("please pay before you use it") is none.
"""

from __future__ import annotations

import re

# Little words by which any sentence sets a limit: negation, duty, condition, number, exception.
MARKS = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|\w+n['’]t|"
    r"must|shall|needs?|required?|requires|ha(?:s|ve) to|obliged|agree[sd]?|"
    r"if|unless|until|till|while|once|(?:as|so) long as|provided that|conditional(?:ly)?|(?:on|"
    r"extra|additional|further) conditions?|"
    r"in (?:return|exchange)|only|solely|exclusively|merely|up to|at (?:most|least)|max(?:imum)?|"
    r"fewer|less than|more than|(?:over|above) (?:\d+|that|this|the)|under \d+|within|limit(?:s|"
    r"ed)?|restrict\w*|else|"
    r"other than|except(?:s|ed|ing)?|with (?:\w+ )?exceptions?|exclud\w+|exempt\w*|but|"
    r"apart from|instead of|stop)\b"
)
# Phrases that take nothing, whatever else their sentence says.
_NEUTRAL = re.compile(
    r"\b(?:except that (?:you|it) )?(?:(?:do|does)(?: not|n['’]t)|needn['’]t|need not|"
    r"without) ?(?:have|need|having|needing)?(?: to)?(?<= to) (?:\w+)|"
    r"\b(?:not|n['’]t|never) (?:an? |any )?(?:obligat\w+|obliged|required|necessary|mandatory|"
    r"needed|requirements?|conditions?)\b|"
    r"\b(?:needs? )?no (?:obligations?|requirements?|registration|costs?|charge|royalt\w+|"
    r"time limits?|limits?|limitations?|restrictions?|strings attached|attribution)"
    r"(?: (?:is|are))?(?: (?:required|needed|necessary|asked))?\b|"
    r"\b(?:can ?not|can['’]t|may not|must not|will not|never) be (?:revoked|withdrawn|terminated|"
    r"taken back|cancell?ed)\b|\birrevocabl\w+|"
    r"\b(?:nothing|none) (?:here|in (?:this|here)(?: \w+)?|above|below|of this) (?:adds?|changes?|"
    r"limits?|restricts?|modif\w+)\b[^.]*|"
    r"\b(?:except|unless|where|when|as|if|is|are)?(?: (?:where|when|as|it is))? ?"
    r"(?:otherwise|explicitly|expressly) (?:stated|noted|indicated|specified|mentioned|marked|"
    r"documented|licen[sc]ed)\b|"
    r"\b(?:except|unless|where|when|as|if) (?:\w+ )?(?:stated|noted|indicated|specified|mentioned|"
    r"marked|documented)(?: otherwise)?\b|"
    r"\bunless (?:\w+ ){1,4}(?:says|states|notes) otherwise\b|\bdon['’]t sue\b|"
    r"\bnot only\b|\bif any\b|\bif not,? (?:see|write)\b|\bwhether or not\b|"
    r"\b(?:but )?(?:is )?not limited to\b|\bif you (?:like|want|wish|prefer)\b|"
    r"\bnot (?:affiliated|certified|recommended?)\b|\bdo(?:es)? not (?:recommend|create|claim|"
    r"trigger|impose)\b|\bdoes(?:n['’]t| not) mean\b[^.]*|"
    r"\bno rights reserved\b|\b(?:is|are) not (?:included|shipped|compiled|linked|built)\b|"
    r"\bdistribution (?:is )?unlimited\b|\bapproved for public release\b|"
    r"\b(?:(?:written|made|generated|created|developed|built|drafted) )?with the (?:help|"
    r"assistance|aid) of (?:an )?(?:ai|llms?)\b|"
    r"\b(?:written|made|generated|created|developed|built|drafted)(?: \w+)? (?:by|using|with) "
    r"(?:an )?(?:ai|llms?)\b|\bai[- ](?:generated|assisted|written)\b|"
    r"\b(?:academic|personal|private) and commercial\b|"
    r"\b(?:not |no )?(?:grants? )?(?:any |the )?(?:rights?|permission) to use (?:them|th(?:e|"
    r"ese|is) (?:names?|logos?|marks?))\b|"
    r"\b(?:used|reprinted|reproduced|included) (?:here )?(?:with|by) (?:\w+ )?permission\b|"
    r"\bnon-profit organi[sz]ation\b|\bderivative works? (?:of|based)\b|\bdata files\b"
)
THANKS = re.compile(r"\W*(?:\w+ ){0,3}thank(?:s| you)(?: (?:go )?to)?\W*:\W*", re.I)
# Courtesies: wishes, thanks and gifts, where nothing in the sentence binds.
_WISH = re.compile(
    r"\b(?:please|kindly|we (?:would )?(?:ask|appreciate|encourage)|consider|would be (?:\w+ )?"
    r"(?:nice|great|lovely|appreciated|welcome)|i(?:['’]d| would) (?:love|like)|feel free)\b"
    r".*\b(?:cit(?:e|ing|ations?)|acknowledg\w*|mention|credit|star|feedback|let (?:me|us) know|"
    r"hear|tell|report|patches|contribut\w*|sponsor\w*|donat\w*|postcards?|e-?mails?|drop)\b|"
    r"\bwould be (?:\w+ )?(?:nice|great|lovely|appreciated|welcome)\b|"
    r"\bbuy (?:me|us|him|her|the authors?) (?:an?|some)\b|"
    r"\bthank(?:s| you)\b|\bkudos\b|\bdedicated to\b|\bin memory of\b"
)
_BINDS = re.compile(
    r"\b(?:must|shall|required?|requires|ha(?:s|ve) to|only|unless|not (?:be )?(?:us|sell|sold|cop|"
    r"shar|train|distrib)\w*|before|first|prohibit\w*|forbid\w*)\b"
)
# What is offered beside the license takes nothing of it.
_BESIDES = re.compile(
    r"\A\W*(?:commercial |paid |professional )?(?:support|consulting|maintenance|training|"
    r"hosting)\b"
    r"[^.]*\b(?:available|offered|sold|contact|from|by)\b|"
    r"\bother terms\b[^.]*\b(?:bought|available|arranged|offered|possible)\b|"
    r"\b(?:does|do) not (?:suit|fit)\b|\bused to be\b|\bformerly\b|\bpreviously\b|"
    r"\bbefore (?:19|20)\d\d,? (?:this|it) was\b"
)
# Grants: what is fine for all, or what else may be done.
_GRANT = re.compile(
    r"\b(?:(?:is|are) (?:\w+ )?(?:fine|ok|okay|allowed|permitted|welcome)|you (?:may|can|"
    r"are free to)|grants?|free for|lets? you|feel free)\b"
)
_WIDE = re.compile(
    r"\b(?:yes|also|too|even|including|any (?:purpose|use|kind|way)|every\w*|anyone|all|"
    r"whatever|whatsoever|freely|unlimited|anything|commercial (?:use|usage|purposes))\b|"
    r"\bpatents?\b"
)
# Sentences about warranties, names, owners, sources and which files are meant.
_PLAIN = re.compile(
    r"\b(?:endors\w*|promot\w+|advertis\w+|publicity|legal advice|lawyers?|trademarks?|"
    r"trade names?|logos?|warrant\w*|"
    r"liab\w+|misrepresent\w*|merchantab\w*|damages|indemni\w+|as[ -]is|implied|responsib\w+|"
    r"(?:all|some) rights reserved|in compliance with|do not edit|everything else|banner|"
    r"consist\w* (?:solely|only)|disclaim\w*|copyright notices?|gpl-compatible|no longer|"
    r"withheld|public domain|free software|"
    r"determine if|can be found|terms may differ|be available at|third[- ]party (?:parts?|code|"
    r"librar\w+|components?|software|files?)|version of this (?:document|file|notice))\b|"
    r"\b(?:licen[sc]e|following|notice|terms|this)s? appl(?:y|ies) to\b|\Aapplies to all code\b|"
    r"\bown licen[sc]es\b|\bthis (?:notice|permission notice)\b|"
    r"\b(?:derived|forked|extracted|taken|copied|adapted|modified|originally|based|"
    r"written) (?:from|on|by|written)\b|\b(?:contributed|copyrighted|developed) by\b|"
    r"\bsee (?:the )?(?:licen|notice|authors|copying|file|source)|\bfor (?:more )?details\b|"
    r"\A\W*(?:alternatively,? )?(?:you may|it may be|this \w+ may be|may be) (?:used?|"
    r"distributed|copied)"
    r"(?: it| this \w+)?(?: under the terms of)?(?: the)?\W*\Z|\bat your (?:option|choice)\W*\Z|"
    r"\blicen[sc]ed (?:for use )?as follows\b|\A\W*(?:only|except)\b.{0,40}\bfiles?\W*\Z|"
    r"\beverything except (?:for )?(?:the )?[\w ./*-]{1,60}\bfiles?\b|"
    r"\Alicen[sc]e for \w+ except \w+\Z|"
    r"\bterms of the [\w.-]+\Z|\blegal terms\b|\bthru\b|\w\(\)|\bdom\b|\bnotice to\b|"
    r"\b(?:following|below) legal agreement\b|\bsponsoring member\b|"
    r"\bexclud\w+ (?:the )?[\w ]{1,20}\bpart\b|\bend of (?:the )?terms\b|\b(?:called|"
    r"name) (?:by (?:a|another) name|other than)\b|\bothers? do(?:n['’]t| not)\W*\Z|"
    r"\bproject home\b|\bbundled dependencies\b|\bis (?:licen[sc]ed|distributed|available|released)"
    r" (?:under|with) the\W*\Z"
)
# Even a sentence that grants much may be about a price or a ban.
_HARD = re.compile(
    r"[$€£¥₹]|\b(?:pa(?:y|ys|id|yed)|fees?|prices?|prohibit\w*|forbid\w*|exclu\w+|withdr\w+|"
    r"expir\w+|consent|approv\w+|ask|misuse|breach|reserved|lose|forfeit\w*|ban(?:s|ned)?|"
    r"infringement|violat\w+)\b"
)
# Nor does a word about warranties or sources make up for these.
_STRONG = re.compile(
    r"[$€£¥₹]\s?\d|\b(?:pay|pays|payments?|fees?|prices?|prohibited|forbidden|students?|schools?|"
    r"personal|private|non-?commercial|for commercial|commercial use|consent|ask)\b"
)
# "Training models on this code is fine with us.", without a word on who or where.
_ALL_FINE = re.compile(
    r"\A(?!.*\b(?:for|in|by|within|at|inside|among)\b).*\bis (?:\w+ly )?"
    r"(?:fine|ok|okay|allowed|permitted|welcome)(?: with (?:us|me))?\W*\Z"
)
_MORE = re.compile(r"\b(?:also|too|even|including|patents?)\b")


def _is_plain(said: str) -> bool:
    """Whether a sentence (lower case) is about warranties, names, owners, sources or files."""
    return _PLAIN.search(said) is not None


def without_neutral(said: str) -> str:
    """A sentence (lower case) without phrases that take nothing."""
    return _NEUTRAL.sub(" ", said)


def is_harmless(said: str) -> bool:
    """Whether a sentence (lower case) leaves an open license as it is."""
    if (_is_plain(said) and not _STRONG.search(said)) or _BESIDES.search(said):
        return True
    said = without_neutral(said)
    if _WISH.search(said) and not _BINDS.search(said):
        return True
    if MARKS.search(said) or _HARD.search(said):
        return False
    if _MORE.search(said) or _ALL_FINE.search(said):
        return True
    return _GRANT.search(said) is not None and _WIDE.search(said) is not None
