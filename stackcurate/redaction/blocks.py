"""Secrets of several lines: of a private key the whole body is the value, its frame stays."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import kubernetes, noise

LIMIT = 65536  # bytes of one block; a 16384-bit RSA key in PEM has 12,700
LEAST = 40  # characters of base64: an Ed25519 key in PKCS#8 has 64, a P-256 scalar alone 44

_END = re.compile(rb"-{4,5} ?(?:END|BEGIN) [A-Z0-9 ]{0,40}-{4,5}")
_RUN = re.compile(rb"(?:\\[nr]|[A-Za-z0-9+/=])+")
# Headers begin lines only: one way to read a body, so that no body is slow.
_RAW = re.compile(rb"(?:(?<=\n)[A-Za-z-]{2,24}: [^\n\"'`]*\n|[A-Za-z0-9+/=\s])*")

Block = Callable[[bytes, int], list[tuple[int, int]]]


def pem(data: bytes, begin: int) -> list[tuple[int, int]]:
    """Spans of the secret text behind the BEGIN line that ends at ``begin``; none for a bare frame.

    One span where the body stands by itself, one per run of base64 where quotes, comment signs or
    joining code stand between the lines.
    """
    end = _END.search(data, begin, begin + LIMIT)
    stop = end.start() if end else _base64_end(data, begin)
    body = data[begin:stop]
    runs = [span for span in map(_trimmed, _RUN.finditer(body)) if span[1] - span[0] >= 4]
    long_runs = [(start, stop) for start, stop in runs if stop - start >= 16]
    total = sum(stop - start for start, stop in long_runs)
    text = b"".join(body[start:stop] for start, stop in long_runs)
    if total < LEAST or len(set(text)) < 16 or noise.sequence(text[:40]) or b"EXAMPLE" in text:
        return []
    if _RAW.fullmatch(body):
        start = begin + len(body) - len(body.lstrip())
        return [(start, begin + len(body.rstrip()))]
    first, last = long_runs[0][0], long_runs[-1][1]
    # The short last line of a key counts, a word of the code around it does not.
    tail = [run for run in runs if run[0] > last and body[run[1] - 1 : run[1]] == b"="]
    inside = [run for run in long_runs if first <= run[0] <= last]
    return [(begin + start, begin + stop) for start, stop in [*inside, *tail[:1]]]


def _trimmed(run: re.Match[bytes]) -> tuple[int, int]:
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


def putty(data: bytes, begin: int) -> list[tuple[int, int]]:
    """The lines that ``Private-Lines: N``, which ends at ``begin``, counts."""
    count = int(re.search(rb"(\d+)$", data[max(0, begin - 4) : begin])[1])  # type: ignore[index]
    lines = re.compile(rb"\r?\n(?:[A-Za-z0-9+/=]+\r?\n?){1,%d}" % max(1, min(count, 400)))
    match = lines.match(data, begin, begin + LIMIT)
    if not match or len(match[0].strip()) < LEAST:
        return []
    start = begin + len(match[0]) - len(match[0].lstrip())
    return [(start, begin + len(match[0].rstrip()))]


BLOCKS: dict[str, Block] = {
    "kubernetes_keys": kubernetes.key_values,
    "kubernetes_passwords": kubernetes.password_values,
    "pem": pem,
    "putty": putty,
}
