"""Tokens are the runs that a regular expression finds."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit

from stackcurate.kernels.tokens import PAD, blank_gaps, copy_token, next_token

TOKEN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


@njit
def walk(blank: np.ndarray, length: int, out: np.ndarray) -> tuple[int, int]:
    """Copy the tokens of a blanked text, each with a space behind: (tokens, bytes)."""
    to = base = np.intp(out.ctypes.data)
    begin = np.intp(blank.ctypes.data)
    end = begin + length
    tokens = 0
    at = next_token(begin, end)
    while at < end:
        size = copy_token(at, to)
        out[to - base + size] = 32
        to += size + 1
        tokens += 1
        at = next_token(at + size, end)
    return tokens, to - base


def joined(text: bytes) -> tuple[int, bytes]:
    data = np.frombuffer(b"ab" + text + b"cd", np.uint8)  # neighbors that must not leak in
    blank = np.full(len(text) + PAD, 7, np.uint8)
    out = np.full(len(text) + PAD, 7, np.uint8)
    blank_gaps(data, 2, 2 + len(text), blank)
    tokens, size = walk(blank, len(text), out)
    return tokens, out[:size].tobytes()


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(alphabet="ab_ \n\t.é日0", max_size=200)))
@example(b"")
@example(b"x" * 1000 + b" " * 1000 + b"y")
@example(b"12345678" * 3 + b"\0" + b"12345678")
def test_tokens_are_those_of_the_pattern(text):
    text = text.encode() if isinstance(text, str) else text
    found = TOKEN.findall(text)
    assert joined(text) == (len(found), b"".join(token + b" " for token in found))


def test_every_byte():
    for byte in range(256):
        assert joined(bytes([byte]))[0] == bool(TOKEN.fullmatch(bytes([byte])))


def test_comments_of_other_scripts_are_tokens():
    assert joined("说明 读取 文件".encode())[0] == 3
