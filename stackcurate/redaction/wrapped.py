"""Literals in base64 or hex that hold text: decoded once, so that the rules can look inside.

What is found inside redacts the whole literal. Images, fonts and digests decode to no text and are
passed over by the kernel; source maps and other data addresses are text, and passed over here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..kernels.literals import LONGEST

SECRETS = frozenset(("key", "password", "private_key"))
"""The kinds that are looked for: an e-mail address in an encoded blob is not worth the blob."""

_DATA_ADDRESS = re.compile(rb"(?i)(?:;base64,|sourcemappingurl=\S{0,60}|sha\d{3}-)$")
# Lines of one literal: MIME's 76 digits, PEM's 64, what `base64 -w` and YAML's blocks make of it.
_MORE_LINES = re.compile(
    rb"(?:(?:\r?\n|\\n)[ \t]{0,40}[A-Za-z0-9+/]{1,128})+(?=={0,2}(?![A-Za-z0-9+/]))"
)
_LINE = 48  # digits of a line that more lines may follow
_SPACE = re.compile(rb"(?:\\n|\s)+")
_NO_TEXT = bytes(byte for byte in range(256) if not (32 <= byte < 127 or byte in b"\t\n\r"))


@dataclass(frozen=True, slots=True, repr=False)  # its text must not reach a log
class Wrapped:
    """The text that bytes ``start`` to ``end`` of row ``file`` of a chunk encode."""

    file: int
    start: int
    end: int
    text: str


Runs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]


def wrapped(data: NDArray[np.uint8], offsets: NDArray[np.int64], runs: Runs) -> Iterator[Wrapped]:
    """Encoded texts of the files ``offsets`` of ``data``, in order; spans count from their file.

    ``runs`` are those that ``literals.text_literals`` found in them.
    """
    done = 0
    for file, start, end, is_hex in zip(*runs, strict=True):
        if start < done:
            continue
        floor, stop = int(offsets[file]), int(offsets[file + 1])
        if _DATA_ADDRESS.search(data[max(floor, start - 80) : start].tobytes()):
            continue
        if not is_hex:
            end = _whole_end(data, int(start), int(end), stop)
        done = int(end)
        text = decoded(data[start:end].tobytes(), bool(is_hex))
        if text:
            yield Wrapped(int(file), int(start) - floor, int(end) - floor, text)


def _whole_end(data: NDArray[np.uint8], start: int, end: int, stop: int) -> int:
    """Where the literal ends: behind its further lines and its padding."""
    rest = data[end : min(stop, start + LONGEST)].tobytes()
    at = 0
    if end - start >= _LINE:
        more = _MORE_LINES.match(rest)
        at = more.end() if more else 0
    padding = len(rest[at : at + 2]) - len(rest[at : at + 2].lstrip(b"="))
    return end + at + padding


def decoded(literal: bytes, is_hex: bool = False) -> str | None:
    """The text that ``literal`` encodes; None where it is none: wrong digits, bytes of no text."""
    try:
        if is_hex:
            raw = binascii.unhexlify(literal)
        else:
            digits = _SPACE.sub(b"", literal).rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
            raw = base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(raw.translate(None, _NO_TEXT)) < len(raw):
        return None
    return raw.decode("ascii")
