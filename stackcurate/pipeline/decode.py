"""Archived bytes into UTF-8 text, with the original encoding on record.

UTF-8 stays as it is. A byte order mark of UTF-16 or UTF-32 is believed where all of the file
decodes. Any NUL byte else makes a file binary, as in The Stack v2. What is left is guessed as
Firefox does (chardetng), from a stretch around the first byte that is not ASCII, and dropped where
the guess does not decode all of it or what comes out is no text.
"""

from __future__ import annotations

import codecs
import re

from chardetng_py import detect

BINARY, UNDECODABLE = "fetch:binary", "fetch:undecodable"

# The longer marks first: UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH = re.compile(rb"[\x80-\xff]")
_STRETCH = 65_536  # bytes that the guess looks at; it would take more, but seldom change its mind
# What the web means by a name is more than Python does: the encoding that holds it whole.
_WIDER = {"shift_jis": "cp932", "gbk": "gb18030", "euc-kr": "cp949", "windows-874": "cp874"}
_WESTERN = ("windows-1252", "latin_1")  # five bytes have no letter in the first
# Most that a text has of control characters, and Western text of letters beyond ASCII: what looks
# like more (compressed or encrypted bytes without a NUL) is no text. Ours, from real files.
_CONTROLS, _ACCENTS = 0.01, 0.35
_FEW = 64  # bytes beyond ASCII say nothing about their share
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")


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
    # Around the first byte that is not ASCII: the head of a long file may be all ASCII.
    high = _HIGH.search(data)
    begin = max(0, (high.start() if high else 0) - _STRETCH // 8)
    some = data[begin : begin + _STRETCH]
    guess = detect(some, allow_utf8=False)
    encodings = _WESTERN if guess == _WESTERN[0] else (_WIDER.get(guess.lower(), guess),)
    if encodings == _WESTERN and len(_HIGH.findall(some)) > max(_FEW, _ACCENTS * len(some)):
        return None, UNDECODABLE
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if len(_CONTROL.findall(text)) > _CONTROLS * len(text):
            break
        return text.encode("utf-8", "replace"), encoding
    return None, UNDECODABLE
