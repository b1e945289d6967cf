"""Encoded runs against regular expressions."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.kernels import encoded as kernel
from stackcurate.kernels import text
from tests.kernels.texts import TEXTS


def encoded(values: list[bytes]) -> list[tuple[int, int]]:
    data = np.frombuffer(b"".join(values) or b"\0", np.uint8)
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int64)
    out = np.zeros((2, len(values)), np.int64)
    kernel.count_encoded(data, offsets, text.classes(), *out)
    return [tuple(row) for row in out.T.tolist()]


BASE64 = re.compile(r"[a-zA-Z0-9+/\n=]{64,}")
ITEM = r"(?:(?<![0-9A-Za-z_])(?:0[xX])?|\\x)[0-9a-fA-F]{2}(?![0-9A-Za-z_])"
BLANK = r"[ \t\n\r\f\v]*"
HEX = re.compile(rf"{ITEM}(?:{BLANK},?{BLANK}{ITEM}){{7,}}")
ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,}")


def plain_encoded(value: str) -> tuple[int, int]:
    covered: set[int] = set()
    longest = 0
    for pattern in (BASE64, HEX, ESCAPE):
        for found in pattern.finditer(value):
            covered.update(range(*found.span()))
            longest = max(longest, found.end() - found.start())
    return len(covered), longest


@settings(max_examples=600, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_encoded_like_the_twin(values):
    raw = [value.encode("utf-8", "replace") for value in values]
    assert encoded(raw) == [plain_encoded(value.decode()) for value in raw]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=4))
def test_any_bytes_are_looked_at_alone(values):
    assert encoded(values) == [encoded([value])[0] for value in values]


def test_runs_at_their_shortest():
    assert encoded([b"A" * 63, b"A" * 64, b" " + b"A" * 64 + b" "]) == [(0, 0), (64, 64), (64, 64)]
    assert encoded([b"1f " * 7, b"1f " * 8, b"0x1f,\n" * 8]) == [(0, 0), (23, 23), (46, 46)]
    assert encoded([b"\\u00e9" * 7, b"\\u00e9" * 8 + b"bc"]) == [(0, 0), (48, 48)]
    assert encoded([b"\\x1f" * 8, b"1f,,1f " * 8]) == [(32, 32), (0, 0)]


def test_overlapping_runs_count_once():
    value = b"12\n" * 40  # base64 characters and a list of hex bytes
    assert encoded([value]) == [(120, 120)]


def test_hostile_texts_take_one_pass():
    values = [b"1f " * 300_000, b"1f " * 7 + b"x " * 300_000, b"\\u12" * 300_000, b"A" * 63 + b"-"]
    assert encoded(values)[0] == (899_999, 899_999)
    assert [row for row in encoded(values)[1:]] == [(0, 0)] * 3
