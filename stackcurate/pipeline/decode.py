"""Archived bytes into UTF-8 text, with the original encoding on record.

UTF-8 stays as it is. A byte order mark of UTF-16 or UTF-32 is believed where all of the file
decodes. Any NUL byte else makes a file binary, as in The Stack v2. What is left is guessed by
charset-normalizer from a bounded head, and dropped where the guess does not decode all of it.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

BINARY, UNDECODABLE = "fetch:binary", "fetch:undecodable"

# The longer marks first: UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH = re.compile(rb"[\x80-\xff]")
# Where several encodings give the same text, the one that source code most often has.
_COMMON = ("cp1252", "latin_1")
_HEAD = 16_384  # bytes that the guess looks at; more costs time and hardly changes it


def decode(data: bytes) -> tuple[bytes | None, str]:
    """(text as UTF-8, name of its encoding), or (None, verdict)."""
    if data.isascii():
        return (None, BINARY) if b"\0" in data else (data, "UTF-8")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                break
            return text.encode("utf-8", "replace"), encoding.upper()
    if b"\0" in data:
        return None, BINARY
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _guess(data)
    return data, "UTF-8"


def _guess(data: bytes) -> tuple[bytes | None, str]:
    # Guess where the first byte that is not ASCII lies: the head of a long file may be all ASCII.
    high = _HIGH.search(data)
    begin = max(0, (high.start() if high else 0) - _HEAD // 2)
    best = from_bytes(data[begin : begin + _HEAD], threshold=0.3, language_threshold=0.2).best()
    if best is None:
        return None, UNDECODABLE
    same = [name for name in _COMMON if name in best.could_be_from_charset]
    for encoding in (*same, best.encoding):
        try:
            return data.decode(encoding).encode("utf-8", "replace"), encoding
        except (UnicodeDecodeError, LookupError):
            continue
    return None, UNDECODABLE
