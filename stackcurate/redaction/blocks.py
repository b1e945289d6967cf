"""Secrets of several lines: of a private key the whole body is the value, its frame stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from . import kubernetes, noise, places

LIMIT = 65536  # bytes of one block; a 16384-bit RSA key in PEM has 12,700
LEAST = 32  # characters: an Ed25519 key in PKCS#8 has 64 of base64, a key of 128 bits 32 of hex

_END = re.compile(rb"-{4,5} ?(?:END|BEGIN) [A-Za-z0-9 ]{0,40}-{4,5}")
_RUN = re.compile(rb"(?:\\[nr]|[A-Za-z0-9+/=])+")
# Headers begin lines only: one way to read a body, so that no body is slow.
_RAW = re.compile(rb"(?:(?<=\n)[A-Za-z-]{2,24}: [^\n\"'`]*\n|[A-Za-z0-9+/=\s])*")

Piece = tuple[int, int]


class Found(NamedTuple):
    """A secret from ``start`` to ``end``; only ``parts`` of it are replaced, the frame stays."""

    start: int
    end: int
    parts: tuple[Piece, ...]


Block = Callable[[bytes, int, int], list[Found]]
"""Looks at a whole text around the pattern's match from a first to a second position."""


def pem(data: bytes, head: int, begin: int) -> list[Found]:
    """The block whose BEGIN line stands from ``head`` to ``begin``; nothing for a bare frame.

    One part where the body stands by itself, one per run of base64 where quotes, comment signs or
    joining code stand between the lines.
    """
    parts = _body(data, begin)
    if not parts:
        return []
    stop = parts[-1][1]
    end = _END.search(data, stop, stop + 160)
    if end and b"END" in end[0][:8]:
        stop = end.end()
    return [Found(head, stop, tuple(parts))]


def _body(data: bytes, begin: int) -> list[Piece]:
    end = _END.search(data, begin, begin + LIMIT)
    stop = end.start() if end else _base64_end(data, begin)
    body = data[begin:stop]
    runs = [span for span in map(_trimmed, _RUN.finditer(body)) if span[1] - span[0] >= 4]
    long_runs = [(start, stop) for start, stop in runs if stop - start >= 16]
    total = sum(stop - start for start, stop in long_runs)
    text = b"".join(body[start:stop] for start, stop in long_runs)
    least = 10 if noise.is_hex(text) else 16
    if total < LEAST or len(set(text)) < least or noise.sequence(text[:40]) or b"EXAMPLE" in text:
        return []
    if _RAW.fullmatch(body):
        start = begin + len(body) - len(body.lstrip())
        return [(start, begin + len(body.rstrip()))]
    first, last = long_runs[0][0], long_runs[-1][1]
    # The short last line of a key counts, a word of the code around it does not.
    tail = [run for run in runs if run[0] > last and body[run[1] - 1 : run[1]] == b"="]
    inside = [run for run in long_runs if first <= run[0] <= last]
    return [(begin + start, begin + stop) for start, stop in [*inside, *tail[:1]]]


def _trimmed(run: re.Match[bytes]) -> Piece:
    """A run without the escaped line ends at both its ends."""
    start, _end = run.span()
    text = run[0]
    lead = len(text)
    while text.startswith((b"\\n", b"\\r")):
        text = text[2:]
    start += lead - len(text)
    while text.endswith((b"\\n", b"\\r")):
        text = text[:-2]
    return start, start + len(text)


_OPEN_BODY = re.compile(
    rb"(?:\r?\n[ \t]{0,40}[A-Za-z0-9+/=]{16,200})+(?:\r?\n[ \t]{0,40}[A-Za-z0-9+/]{1,200}={1,2})?"
    rb"|(?:\\[nr]|[A-Za-z0-9+/=])*"
)


def _base64_end(data: bytes, begin: int) -> int:
    """Where a block without an END line stops: behind its last line, or run, of base64."""
    match = _OPEN_BODY.match(data, begin, begin + LIMIT)
    return match.end() if match else begin


def putty(data: bytes, head: int, begin: int) -> list[Found]:
    """The lines that ``Private-Lines: N``, which ends at ``begin``, counts, and the file's MAC.

    The finding is the whole file, of which the header and the public key stay.
    """
    count = int(re.search(rb"(\d+)$", data[max(0, begin - 4) : begin])[1])  # type: ignore[index]
    most = max(1, min(count, 400))
    lines = re.compile(
        rb"(?:\\r)?\\n((?:[A-Za-z0-9+/=]+(?:(?:\\r)?\\n)?){1,%d})"  # in a literal
        rb"|\r?\n((?:[ \t]{0,40}[A-Za-z0-9+/=]+\r?\n?){1,%d})" % (most, most)
    )
    match = lines.match(data, begin, begin + LIMIT)
    if not match or len(match[0].strip()) < LEAST:
        return []
    start, end = match.span(match.lastindex or 0)
    body = data[start:end]
    parts = [(end - len(body.lstrip()), start + len(body.rstrip()))]
    mac = _PUTTY_MAC.search(data, parts[0][1], parts[0][1] + 200)
    if mac:
        parts.append(mac.span(1))
    first = data.rfind(b"PuTTY-User-Key-File-", max(0, head - LIMIT), head)
    return [Found(head if first < 0 else first, parts[-1][1], tuple(parts))]


_PUTTY_MAC = re.compile(rb"Private-(?:MAC|Hash): ([0-9a-f]{40,64})")


NAMED_ELSEWHERE = ("table_header", "near_name", "values_below", "names_in_turn")
"""Judges of rules that only say where a name and a value stand apart."""


def _elsewhere(data: bytes, head: int, begin: int) -> list[Found]:
    """Nothing by itself: with its name, it is looked at as a cell of a table (``cells``)."""
    return []


def _alone(values: Callable[[bytes, int, int], list[Piece]]) -> Block:
    """Values that stand by themselves, each a finding of its own."""

    def block(data: bytes, head: int, begin: int) -> list[Found]:
        return [Found(start, end, ((start, end),)) for start, end in values(data, head, begin)]

    return block


BLOCKS: dict[str, Block] = {
    "kubernetes_keys": _alone(kubernetes.key_values),
    "kubernetes_passwords": _alone(kubernetes.password_values),
    "pem": pem,
    "places_below": _alone(places.below),
    "places_listed": _alone(places.listed),
    "putty": putty,
    **dict.fromkeys(NAMED_ELSEWHERE, _elsewhere),
}
