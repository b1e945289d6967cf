"""Values on lines of their own, or in brackets, behind a name that ends its line.

As ``columns`` does for tables, each is written out as a line ``name: value`` for the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .columns import Cell
from .place import is_written_plainly
from .strength import LABEL

MOST, REACH = 64, 8192  # values below one name; bytes below it that are read
# Behind the name: what assigns or opens, and a comment, up to the next line or into a bracket.
_OPENING = re.compile(
    rb"[\"'`\])]{0,3}[ \t]{0,8}(?:[:=]=?|=>|>)[ \t]{0,8}"
    rb"(?:(?P<bracket>[\[({]|c\(|array\(|\w{0,8}!?\[)[ \t]{0,8}|[>|][+-]?[ \t]{0,8}|\\)?"
    rb"(?:(?:\#|//|--|/\*)[^\n]{0,120})?(?P<line>\r?\n(?:[ \t]{0,80}\r?\n)?)?[ \t]{0,80}"
)
_INNER = (
    rb"(?:[\"']?(?:value|default|val|content|text|plain\w{0,6}|current|_)[\"']?"
    rb"[ \t]{0,4}(?:=>|[:=])[ \t]{0,4})?"
)
_QUOTED = re.compile(
    rb"(?P<dash>-[ \t]{1,4})?(?:[{][ \t]{0,4})?" + _INNER + rb"[bBrRuU@]?(?P<quote>[\"'`])"
    rb"(?P<value>[^\"'`\n\\]{3,400})(?P=quote)[ \t]{0,4}(?P<end>[,;)\]}]{0,4})[ \t]{0,4}"
    rb"(?:(?:\#|//|--)[^\n]{0,120})?"
)
_PAIR = rb"[+-]?[0-9]{1,3}\.[0-9]{4,16},[ ]?[+-]?[0-9]{1,3}\.[0-9]{4,16}"
_BARE = re.compile(
    rb"(?P<dash>-[ \t]{1,4})?" + _INNER + rb"(?P<value>" + _PAIR + rb"|[^\s\"'`<>\[\](){},;:\#-]"
    rb"[^\s\"'`<>\[\](){},;]{3,400})[ \t]{0,4}(?:\#[^\n]{0,120})?(?=\r?\n|$|</)"
)
_NEXT = re.compile(rb"\s{0,200}")


def values(text: bytes, at: int, plain: bool) -> Iterator[tuple[int, int]]:
    """First and last byte of each value below or inside the name that ends at ``at``.

    ``plain``: the file is of a sort in which values may stand without quotes.
    """
    opening = _OPENING.match(text, at, at + 400)
    if not opening or not (opening["line"] or opening["bracket"]):
        return
    begin, stop = opening.end(), min(len(text), at + REACH)
    many = opening["bracket"] is not None
    for number in range(MOST):
        item = _QUOTED.match(text, begin, stop)
        if not item and plain and (opening["line"] or number):
            item = _BARE.match(text, begin, stop)
        if not item:
            return
        listed = item["dash"] is not None
        if number and not (many or listed):
            return
        yield item.span("value")
        end = item.groupdict().get("end") or b""
        if (many and end.strip(b",")) or not (many or listed):
            return
        step = _NEXT.match(text, item.end(), stop)
        begin = step.end() if step else stop


def named(text: bytes, path: str, names: Iterable[tuple[int, int]]) -> Iterator[Cell]:
    """What stands below or inside each of the ``names`` (first and last byte)."""
    plain = is_written_plainly(path) or path.lower().endswith(_MARKUP)
    for start, end in names:
        begin = start - len(_PREFIX.search(text[max(0, start - 40) : start])[0])  # type: ignore[index]
        name = text[begin:end]
        one = name[:-1] if name[-1:] == b"s" and name[-2:] != b"ss" else name
        for low, high in values(text, end, plain):
            value = text[low:high]
            if not (value.isalpha() and LABEL.search(value)):  # a list of names like it
                yield one, low, high


_PREFIX = re.compile(rb"[\w.$-]*\Z")
_MARKUP = (".xml", ".html", ".htm", ".config", ".plist", ".resx", ".csproj", ".pom", ".kml")
_WORD = re.compile(rb"[$@]?[A-Za-z_][\w.]*")
_LITERAL = re.compile(rb"[\"']([^\"'\n\\]{1,200})[\"']")
_KEYWORD = re.compile(rb"(?:const|let|var|my|local|val)[ \t]")


def in_turn(text: bytes, places: Iterable[tuple[int, int]]) -> Iterator[Cell]:
    """Literals behind as many names: A, B = "x", "y"."""
    for start, end in places:
        left = text.find(b"=", start, end)
        first = _KEYWORD.search(text, start, left)
        names = _WORD.findall(text, first.end() if first else start, left)
        literals = list(_LITERAL.finditer(text, left, end))
        if len(names) == len(literals):
            for name, literal in zip(names, literals, strict=True):
                yield name.lstrip(b"$@"), *literal.span(1)
