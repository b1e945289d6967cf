"""What stands in a value's place: a typed token, or a documentation address for an IP.

A replacement follows from the kind, the content id of the file and the number of the distinct
value within its kind in that file. It says nothing about the value. ``syntax`` knows how a file
must write it so that it still parses; coordinates stay numbers, on the null island.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .find import Span
from .settings import Settings
from .syntax import Syntax

TOKENS = {
    "card": b"<CARD>",
    "coordinates": b"<COORDINATES>",
    "email": b"<EMAIL>",
    "iban": b"<IBAN>",
    "key": b"<KEY>",
    "mac": b"<MAC>",
    "name": b"<NAME>",
    "national_id": b"<NATIONAL_ID>",
    "password": b"<PASSWORD>",
    "phone": b"<PHONE>",
    "private_key": b"<PRIVATE_KEY>",
    "username": b"<USERNAME>",
}
# RFC 5737: three networks of 254 hosts that belong to nobody.
_NETWORKS = ("192.0.2.", "198.51.100.", "203.0.113.")
_HOSTS = 254
# RFC 2544: a network for benchmarks of devices, for files with more addresses than those.
_MORE, _MORE_HOSTS = int(ipaddress.IPv4Address("198.18.0.0")), (1 << 17) - 2


def replacement(kind: str, content_id: bytes, number: int, family: int = 4) -> bytes:
    """The text that replaces value ``number`` (from 1) of ``kind`` in the file ``content_id``.

    Addresses of one file stay apart up to the 131,832nd of IPv4 and the 65,535th of IPv6.
    """
    if kind != "ip":
        return TOKENS[kind]
    start = int.from_bytes(hashlib.blake2b(content_id, digest_size=8).digest(), "big")
    if family == 6:
        return f"2001:db8:{start % 0xFFFF + 1:x}::{(number - 1) % 0xFFFF + 1:x}".encode()
    first = len(_NETWORKS) * _HOSTS
    if number > first:
        return str(ipaddress.IPv4Address(_MORE + (number - first - 1) % _MORE_HOSTS + 1)).encode()
    network, host = divmod((start + number - 1) % first, _HOSTS)
    return f"{_NETWORKS[network]}{host + 1}".encode()


@dataclass(slots=True)  # not frozen: there are many, and frozen ones are made slowly
class Placed:
    """A finding with its number, its span in the given text, and its span in what ships."""

    span: Span
    number: int
    given_start: int
    given_end: int
    start: int
    end: int


def rewrite(
    text: bytes, path: str, spans: Iterable[Span], content_id: bytes, settings: Settings
) -> tuple[bytes, list[Placed]]:
    """The text that ships and where its findings stand in it.

    ``spans`` are those of one file, by start, without overlaps; ``path`` tells how the file writes
    things. Findings of kinds that are only
    marked keep their text.
    """
    out: list[bytes] = []
    placed: list[Placed] = []
    at = length = 0
    syntax = Syntax(text, path)
    for span, number in numbered(spans):
        start, end = _whole_characters(text, span.start, span.end)
        start = max(at, syntax.start(start, end))
        new = text[start:end]
        if span.rule.kind not in settings.mark:
            family = 6 if span.rule.kind == "ip" and b":" in span.value else 4
            token = replacement(span.rule.kind, content_id, number, family)
            if span.parts or span.rule.kind == "coordinates":
                new = _replaced(text, start, end, span.parts, token, syntax)
            else:
                new = syntax.written(token, start, end)
        kept = text[at:start]
        out += [kept, new]
        length += len(kept)
        placed.append(Placed(span, number, start, end, length, length + len(new)))
        length += len(new)
        at = end
    return b"".join([*out, text[at:]]), placed


def _replaced(
    text: bytes,
    start: int,
    end: int,
    parts: tuple[tuple[int, int], ...],
    token: bytes,
    syntax: Syntax,
) -> bytes:
    """``text[start:end]`` with its parts, or all of it, replaced by ``token``."""
    if token == TOKENS["coordinates"] and _DECIMALS.fullmatch(text, start, end):
        return _DECIMAL.sub(b"0.0", text[start:end])  # numbers where code and maps expect numbers
    out: list[bytes] = []
    at = start
    for low, high in parts or ((start, end),):
        out += [text[at:low], syntax.written(token, low, high)]
        at = high
    return b"".join([*out, text[at:end]])


_DECIMAL = re.compile(rb"[+-]?[0-9]+\.[0-9]+")
_DECIMALS = re.compile(rb"(?:[+-]?[0-9]+\.[0-9]+(?:[\s,;:/~\"']|%2C)*)+")


def numbered(spans: Iterable[Span]) -> Iterator[tuple[Span, int]]:
    """Each finding with the number of its distinct value within its kind, as they appear."""
    seen: dict[str, dict[bytes, int]] = {}
    for span in spans:
        values = seen.setdefault(span.rule.kind, {})
        yield span, values.setdefault(same_value(span), len(values) + 1)


def same_value(span: Span) -> bytes:
    """What makes two values one: addresses may be written in two ways."""
    if span.rule.kind == "ip":
        try:
            return ipaddress.ip_address(span.value.decode()).packed
        except ValueError:
            return span.value
    return span.value.lower() if span.rule.kind == "email" else span.value


def _whole_characters(text: bytes, start: int, end: int) -> tuple[int, int]:
    """The span, widened to whole UTF-8 characters."""
    while start > 0 and text[start] & 0xC0 == 0x80:
        start -= 1
    while end < len(text) and text[end] & 0xC0 == 0x80:
        end += 1
    return start, end
