"""Numbers that a state gives to a person: which of the things that look like one are one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .checkdigits import CHECKS
from .place import Place

_SEPARATORS = re.compile(r"[\s./()\-\u2010-\u2015]")
_ADDRESS = re.compile(rb"\d{1,3}(?:\.\d{1,3}){3}")  # IPv4; no state prints its numbers so
# Numbers that stand for a number: all alike, counted up, or printed in every manual.
_STAND_IN = re.compile(
    r"0123456|1234567|^[A-Z]+123456[A-Z]$|^[A-Z]{5}1234[A-Z]$|2345678|9876543|(\d)\1{5}|^(\d\d\d?)\2\2+.?$|^111222333$|^078051120$"
    r"|^219099999$|^457555462$|^QQ|^RSSMRA8[05]|^MRTMTT25D09F205Z|^44051401359$|^86095742719$"
)


def national(place: Place) -> float:
    """Whether the check digits of the value are right: 0 where not, 0.4 for a stand-in.

    A rule's id names its check: ``national-pl-pesel`` asks ``CHECKS["pl-pesel"]``.
    """
    if _ADDRESS.fullmatch(place.value):
        return 0.0
    number = compact(place.value)
    name = place.rule.partition("-")[2].removesuffix("-alone")
    return _confidence(number) if CHECKS[name](number) else 0.0


def compact(value: bytes) -> str:
    """The number without what people write between its parts."""
    return _SEPARATORS.sub("", value.decode("utf-8", "replace")).upper()


def _confidence(number: str) -> float:
    return 0.4 if _STAND_IN.search(number) or len(set(number)) < 4 else 1.0


# A literal of a list or of a call.
_LISTED = re.compile(rb"[\[,({]\s{0,40}[\"']([0-9A-Z][0-9A-Z ./()-]{5,24})[\"'](?=\s{0,8}[,\])}])")


def alike(text: bytes, rule: str, value: bytes) -> Iterator[tuple[int, int]]:
    """Where lists of ``text`` hold numbers of the kind of ``value``, which ``rule`` found there.

    They are as long, have their letters where it has, and their check digits are right.
    """
    shape = _shape(value)
    for match in _LISTED.finditer(text):
        start, end = match.span(1)
        if _shape(match[1]) == shape and national(Place(text, start, start, end, "", rule)) == 1.0:
            yield start, end


def _shape(value: bytes) -> str:
    return re.sub(r"\d", "0", compact(value))


def any_national(place: Place) -> float:
    """A number behind a word that names its kind and no country: only a stand-in is told apart."""
    number = compact(place.value)
    digits = sum(char.isdigit() for char in number)
    if not 7 <= digits <= 18 or digits * 2 < len(number) or _DATE.search(place.value):
        return 0.0
    if _ADDRESS.fullmatch(place.value):
        return 0.0
    return _confidence(number)


_DATE = re.compile(
    rb"(?:19|20)\d\d[-/. ][01]?\d[-/. ][0-3]?\d|\d:\d\d|\d\d[/.]\d\d[/.](?:19|20)\d\d"
)
