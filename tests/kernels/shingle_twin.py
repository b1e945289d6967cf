"""The slow, plain twin of the shingle kernels: a regular expression and Python's integers."""

from __future__ import annotations

import re

TOKEN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_ALL = (1 << 64) - 1


def _mixed(value: int) -> int:
    value = value * 0xFF51AFD7ED558CCD & _ALL
    value = (value ^ value >> 32) * 0xC4CEB9FE1A85EC53 & _ALL
    return value ^ value >> 29


def token_hash(token: bytes) -> int:
    value = 0x243F6A8885A308D3
    for at in range(0, len(token), 8):
        value = _mixed(value ^ int.from_bytes(token[at : at + 8], "little"))
    return value


def shingle_hash(tokens: tuple[bytes, ...]) -> int:
    value = 0
    for token in tokens:
        value = (value * 0x9E3779B97F4A7C13 + token_hash(token)) & _ALL
    return _mixed(value ^ value >> 32)


def shingles(text: bytes, ngram: int) -> set[tuple[bytes, ...]]:
    """The different n-grams of a text, unhashed."""
    tokens = TOKEN.findall(text)
    return {tuple(tokens[i : i + ngram]) for i in range(len(tokens) - ngram + 1)}
