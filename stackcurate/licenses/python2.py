"""The words that setup() is called with in a setup.py that Python 3 cannot parse, by its tokens.

``print "x"``, ``except E, e`` and the like make the parser give up; what is a string, a name or a
bracket is the same in both languages. Nothing is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import NamedTuple

Value = str | list[str] | None
MAX_TOKENS = 100_000
_TOKEN = re.compile(
    r"#[^\n]*|(?P<string>[rRbBuUfF]{0,3}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\""
    r"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"))|(?P<name>[A-Za-z_]\w*)|(?P<sign>[^\s\w\\]|\d+)",
    re.S,
)
_OPEN, _CLOSE = "([{", ")]}"


class _Token(NamedTuple):
    kind: str
    text: str


def setup_words(source: str) -> dict[str, Value]:
    """Keyword -> its string, its list of strings, or None for anything else."""
    tokens = [_Token(one.lastgroup, one[0]) for one in _TOKEN.finditer(source) if one.lastgroup][
        :MAX_TOKENS
    ]
    names: dict[str, Value] = {}
    words: dict[str, Value] = {}
    depth = 0
    call = None  # the depth inside the brackets of setup()
    for at, token in enumerate(tokens):
        if token.text in _OPEN and token.kind == "sign":
            depth += 1
            called = at and tokens[at - 1] == ("name", "setup")
            if call is None and called and token.text == "(" and not _is_defined(tokens, at):
                call = depth
        elif token.text in _CLOSE and token.kind == "sign":
            call = None if call == depth else call
            depth = max(0, depth - 1)
        elif token == ("sign", "=") and at and tokens[at - 1].kind == "name":
            if tokens[at + 1 : at + 2] == [("sign", "=")]:
                continue
            if depth == (call or 0):
                value = _value(tokens, at + 1, names)[0]
                (words if call else names).setdefault(tokens[at - 1].text, value)
    return words


def _is_defined(tokens: list[_Token], at: int) -> bool:
    return at > 1 and tokens[at - 2] == ("name", "def")


def _value(tokens: list[_Token], at: int, names: Mapping[str, Value]) -> tuple[Value, int]:
    """The value that begins at a token, and the place after it."""
    if at >= len(tokens):
        return None, at
    kind, text = tokens[at]
    if kind == "name":
        return names.get(text), at + 1
    if kind == "string":
        said = []
        while at < len(tokens) and tokens[at].kind == "string":
            said.append(_string(tokens[at].text))
            at += 1
        return "".join(said), at
    if text not in "([":
        return None, at + 1
    found: list[str] = []
    commas, at = 0, at + 1
    while at < len(tokens) and tokens[at].text not in _CLOSE:
        if tokens[at].kind == "string":
            value, at = _value(tokens, at, names)
            found.append(str(value))
            continue
        commas += tokens[at].text == ","
        at += 1
    single = text == "(" and not commas and len(found) == 1
    return found[0] if single else found, at + 1


def _string(text: str) -> str:
    quoted = text.lstrip("rRbBuUfF")
    try:
        value = ast.literal_eval(quoted)
    except (ValueError, SyntaxError):
        return quoted.strip("'\"")
    return value if isinstance(value, str) else ""
