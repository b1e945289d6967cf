"""Coordinates of several lines: lists of latitudes, positions whose numbers stand below a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .whereabouts import on_earth, tells_places

LISTED = 1 << 16  # bytes of one list that are looked at
_NUMBER = rb"[+-]?[0-9]{1,3}(?:\.[0-9]{1,16})?(?![\w.])"
_ITEM = re.compile(rb"[ ]?([+-]?[0-9]{1,3}\.[0-9]{3,16})[ ]?(?:,|[\])}]|$)")
_TOKEN = re.compile(
    rb"(?P<number>%b)|(?P<open>[\[({])|(?P<close>[\])}])|,|-[ \t]|\s{1,200}" % _NUMBER
)
_TUPLE = re.compile(rb"\s{0,200}(%b),(%b)(?:,%b)?(?=[\s<]|$)" % ((_NUMBER,) * 3))
ABOVE = 240  # bytes above a position in which its name ends
# Names that say by themselves what stands below them; for the others the file must tell it.
_NAME = re.compile(
    rb"(?i)(?:(?P<sure>coord(?:inate)?s?|location|lat_?lng|lng_?lat|home)"
    rb"|position|cent(?:er|re)|point|pos)(?:(?P<markup>>)|[\"']?[ \t]{0,4}(?::|=>|=)\s{0,80}"
    rb"(?P<open>(?:[\[({]\s{0,80}){0,4}))\s{0,80}$"
)

Span = tuple[int, int]


def listed(text: bytes, head: int, begin: int) -> list[Span]:
    """Spans of the numbers of the list of latitudes or longitudes that begins at ``begin``."""
    out: list[Span] = []
    at = begin
    while (number := _ITEM.match(text, at)) and at < begin + LISTED:
        if abs(float(number[1])) <= 180:
            out.append(number.span(1))
        at = number.end()
    return out


def below(text: bytes, head: int, begin: int) -> list[Span]:
    """Spans of the numbers of positions whose first number stands on the line from ``head``.

    A position is two numbers on earth, with decimals of a house, and perhaps a height: in brackets
    (JSON), as items of a list (YAML), or between commas in markup (KML). A name stands above it.
    """
    name = _NAME.search(text[max(0, head - ABOVE) : head])
    if not name:
        return []
    groups = _tuples(text, head) if name["markup"] else _groups(text, head, _depth(name["open"]))
    places = [span for group in groups if _is_place(text, group) for span in group[:2]]
    return places if name["sure"] or tells_places(text, "") else []


def _groups(text: bytes, begin: int, depth: int) -> Iterator[list[Span]]:
    """Numbers that brackets hold together, until what is neither number nor bracket."""
    group: list[Span] = []
    at = begin
    while (token := _TOKEN.match(text, at)) and at < begin + LISTED:
        at = token.end()
        if token["number"]:
            group.append(token.span())
        elif token["open"] or token["close"]:
            yield group
            group = []
            depth += 1 if token["open"] else -1
            if depth <= 0:
                return
    yield group


def _depth(opened: bytes) -> int:
    return sum(opened.count(bracket) for bracket in b"[({")


def _tuples(text: bytes, begin: int) -> Iterator[list[Span]]:
    at = begin
    while (place := _TUPLE.match(text, at)) and at < begin + LISTED:
        yield [place.span(1), place.span(2)]
        at = place.end()


def _is_place(text: bytes, group: list[Span]) -> bool:
    if not 2 <= len(group) <= 3:
        return False
    first, second = (text[start:end] for start, end in group[:2])
    decimals = sorted(len(number.partition(b".")[2]) for number in (first, second))
    return decimals[0] > 2 and decimals[1] > 3 and on_earth(float(first), float(second))
