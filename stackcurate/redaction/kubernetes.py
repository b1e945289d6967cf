"""Values of a Kubernetes Secret: secret by declaration, whatever they look like."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from . import noise

REACH = 1 << 16  # bytes of a document before its kind
LONGEST = 1 << 20  # bytes behind it
_KIND = re.compile(rb"kind[\"']?:[ \t]{0,4}[\"']?Secret[\"']?(?![\w-])")
_SECTION = re.compile(rb"(?m)^([ \t]{0,20})(data|stringData):[ \t]*(?:#[^\n]{0,200})?\r?\n")
_ENTRY = re.compile(
    rb"""([ \t]{1,40})["']?([\w.-]{1,128})["']?:[ \t]{0,8}"""
    rb"""(?:(?P<block>[|>][-+]?[ \t]*)|["']?(?P<value>[^\s"'#][^\s"']{0,65535})["']?[ \t]*)"""
    rb"""(?:#[^\n]{0,200})?\r?(?:\n|$)"""
)
_BLOCK = re.compile(rb"(?:[ \t]{2,60}[A-Za-z0-9+/=]{1,128}[ \t]*\r?(?:\n|$))+")
_JSON_SECTION = re.compile(rb'"(data|stringData)"\s{0,40}:\s{0,40}\{([^{}]{0,65535})\}')
_JSON_ENTRY = re.compile(rb'"([\w.-]{1,128})"\s{0,40}:\s{0,40}"([^"\\\s]{1,65535})"')
_PASSWORD = re.compile(rb"(?i)pass|pwd|pw$|kennwort|contrase")
# What stands in Secrets beside the secrets.
_OPEN = re.compile(
    rb"(?i)^(?:(?:\w*[._-])?(?:user(?:name)?|login|host(?:name)?|port|db(?:name)?|database|name|namespace|region"
    rb"|bucket|endpoint|e?mail|url|uri|issuer|type|provider|role|account|id|client[-_]?id|realm|domain)"
    rb"|.*\.(?:crt|cert|cer|pub)|.*(?:ca|cert|public[-_]?key)|service-account\.name)$"
)


def password_values(text: bytes, head: int, begin: int) -> list[tuple[int, int]]:
    """Spans of the values whose key says password, in the Secret whose kind ends at ``begin``."""
    return [span for key, span in _values(text, begin) if _PASSWORD.search(key)]


def key_values(text: bytes, head: int, begin: int) -> list[tuple[int, int]]:
    """Spans of the other secret values."""
    return [span for key, span in _values(text, begin) if not _PASSWORD.search(key)]


def _values(text: bytes, begin: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    low = max(0, text.rfind(b"\n---", max(0, begin - REACH), begin))
    high = text.find(b"\n---", begin, begin + LONGEST)
    high = min(len(text), begin + LONGEST) if high < 0 else high
    first = _KIND.search(text, max(low, begin - REACH))
    if first and first.end() < begin:
        return  # the document was read when its first kind was met
    for key, section, span in (*_yaml(text, low, high), *_json(text, low, high)):
        open_key = _OPEN.match(key) or noise.has_digest_name(key)
        if not open_key and _secret(text[slice(*span)], section == b"data"):
            yield key, span


def _yaml(text: bytes, low: int, high: int) -> Iterator[tuple[bytes, bytes, tuple[int, int]]]:
    for section in _SECTION.finditer(text, low, high):
        at = section.end()
        while entry := _ENTRY.match(text, at, high):
            if len(entry[1]) <= len(section[1]):
                break
            at = entry.end()
            if entry["value"]:
                yield entry[2], section[2], entry.span("value")
            elif block := _BLOCK.match(text, at, high):
                start = at + len(block[0]) - len(block[0].lstrip())
                yield entry[2], section[2], (start, at + len(block[0].rstrip()))
                at = block.end()


def _json(text: bytes, low: int, high: int) -> Iterator[tuple[bytes, bytes, tuple[int, int]]]:
    for section in _JSON_SECTION.finditer(text, low, high):
        for entry in _JSON_ENTRY.finditer(text, section.start(2), section.end(2)):
            yield entry[1], section[1], entry.span(2)


def _secret(value: bytes, is_encoded: bool) -> bool:
    """The value is one: in base64 where it has to be, and neither template nor placeholder."""
    if noise.noise(value) in ("template", "placeholder", "short", "lookup"):
        return False
    if not is_encoded:
        return noise.noise(value) not in ("words", "path")
    try:
        raw = base64.b64decode(b"".join(value.split()), validate=True)
    except (ValueError, binascii.Error):
        return False
    # A long text, such as a key or a file of settings, holds words of every kind.
    return len(raw) > 80 or noise.noise(raw) not in (
        "template",
        "placeholder",
        "short",
        "lookup",
        "sequence",
    )
