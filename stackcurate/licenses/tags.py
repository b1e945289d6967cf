"""What a line with an SPDX tag states, as ScanCode reads it: never nothing where something is said.

A list without words between its ids is a choice; what cannot be parsed is what can be, and unknown.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape

from license_expression import Keyword, LicenseSymbol, Licensing
from license_expression import LicenseWithExceptionSymbol as With

from stackcurate.licenses.expression import UNKNOWN_TAG, normalize
from stackcurate.licenses.policy import table

_LICENSING = Licensing()
_LABEL = re.compile(
    r"spd[xz][\-\s]+lin?[cs]en?[sc]es?[\-\s]+identifi?er\s*:?\s*|"
    r"licenses(?:\.|\s)+nuget(?:\.|\s)+org\s*:?\s*",
    re.I,
)
_MARKUP = re.compile(r"</?[a-z!?][^<>]*>", re.I)
_LEFT = "!\"#$%&'*,-./:;<=>?@[\\]^_`{|}~\t\r\n )+"
_RIGHT = "!\"#$%&'*,-./:;<=>?@[\\]^_`{|}~\t\r\n ("


@lru_cache(maxsize=65536)
def tag_expression(line: str) -> str | None:
    """The SPDX expression of a line with a tag, or None where nothing follows the tag."""
    text = unescape(_MARKUP.sub(" ", line)) if _MARKUP.search(line) else line
    text = " ".join(_LABEL.split(text)[-1].split()).lstrip(_LEFT).rstrip(_RIGHT)
    if text.count("(") == 1 and ")" not in text:
        text = text.replace("(", " ")
    elif text.count(")") == 1 and "(" not in text:
        text = text.replace(")", " ")
    text = " ".join(text.split())[:2000].lower()
    if not text:
        return None
    try:
        return _known_only(text)
    except Exception:  # whatever the parser meets in a stranger's line, it is an unknown license
        return _loose(text)


def _known_only(text: str) -> str | None:
    """The expression with ids that nobody knows made unknown."""
    tree = _LICENSING.parse(text, simple=True)
    if tree is None:
        return None
    shown = {}
    for symbol in _LICENSING.license_symbols(tree, unique=True, decompose=False):
        if isinstance(symbol, With):
            shown[symbol] = With(
                LicenseSymbol(_id(symbol.license_symbol.key)),
                LicenseSymbol(_id(symbol.exception_symbol.key)),
            )
        else:
            shown[symbol] = LicenseSymbol(_id(symbol.key))
    return normalize(tree.subs(shown).render()) or UNKNOWN_TAG


def _id(key: str) -> str:
    license_ = table().find(key)
    if license_ is None and key not in table().former:
        return UNKNOWN_TAG
    return license_.id if license_ else key


def _loose(text: str) -> str:
    """What a broken expression names, and that it is broken."""
    try:
        tokens = [token.value for token in _LICENSING.simple_tokenizer(text)]
        names = [token.key for token in tokens if isinstance(token, LicenseSymbol)]
        words = any(isinstance(token, Keyword) for token in tokens)
        if not names:
            return UNKNOWN_TAG
        stated = _known_only((" AND " if words else " OR ").join(names)) or UNKNOWN_TAG
        return normalize(f"({stated}) AND {UNKNOWN_TAG}") or UNKNOWN_TAG if words else stated
    except Exception:  # as above
        return UNKNOWN_TAG
