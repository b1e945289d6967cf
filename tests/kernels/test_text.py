"""The text kernels against slow plain twins."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.kernels import text
from tests.kernels.texts import TEXTS


def columns(values: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    data = np.frombuffer(b"".join(values) or b"\0", np.uint8)
    return data, np.cumsum([0, *map(len, values)], dtype=np.int64)


def count(values: list[bytes]) -> list[tuple[int, ...]]:
    out = np.zeros((6, len(values)), np.int64)
    text.count_text(*columns(values), text.classes(), text.letters(), *out)
    return [tuple(row) for row in out.T.tolist()]


def plain_count(value: str) -> tuple[int, ...]:
    """Lines, characters, line ends, longest line, letters, letters and digits: Python's view."""
    lines = re.split(r"\r\n|\r|\n", value)
    if lines[-1] == "":
        lines.pop()
    return (
        len(lines),
        len(value),
        value.count("\r") + value.count("\n"),
        max(map(len, lines), default=0),
        sum(bool(text.letters()[ord(char)] & text.ALPHA) for char in value),
        sum(bool(text.letters()[ord(char)] & text.ALPHANUM) for char in value),
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_counts_like_the_twin(values):
    raw = [value.encode("utf-8", "replace") for value in values]
    assert count(raw) == [plain_count(value.decode()) for value in raw]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=4))
def test_any_bytes_are_counted_alone(values):
    assert count(values) == [count([value])[0] for value in values]


@pytest.mark.parametrize("start", range(9))
@pytest.mark.parametrize("other", ["", "\r", "é", "\x7f@[`{/:", "\r\nA9é漢" * 30])
def test_long_texts_count_like_the_twin(start, other):
    """Longer than the blocks in which plain text is counted, and at every place in a word."""
    long = "Az09_ zZaA\n" * 400 + other + "word" * 900 + "\n" + "b" * 3000
    values = ["x" * start, long, "y", long + "\n"]
    assert count([value.encode() for value in values]) == [plain_count(value) for value in values]


@pytest.mark.parametrize(
    ("value", "chars"),
    [(b"\xff", 1), (b"\xc3", 1), (b"\xc3\xa9", 1), (b"\xe2\x82", 2), (b"\xf0\x9f\x98\x80", 1),
     (b"\xf8\x88\x80\x80\x80", 5), (b"\xc0\x80", 2), (b"a\xcc\x81", 2)],
)  # fmt: skip
def test_malformed_bytes_are_single_characters(value, chars):
    assert count([value])[0][1] == chars


def test_letters_are_those_of_unicode():
    table = text.letters()
    for char in "aZéßжあ漢ñ\U00020000":
        assert table[ord(char)] == text.ALPHA | text.ALPHANUM
    for char in "0٣½":
        assert table[ord(char)] == text.ALPHANUM
    for char in "_ \n😀-\ue000":
        assert table[ord(char)] == 0


def test_heads_end_after_lines_or_bytes():
    values = [b"a\nb\nc\n", b"", b"x" * 50, b"a\n"]
    data, offsets = columns(values)
    ends = np.zeros(4, np.int64)
    text.head_ends(data, offsets, 2, 10, ends)
    assert (ends - offsets[:-1]).tolist() == [4, 0, 10, 2]
    where = np.cumsum([0, *(ends - offsets[:-1])])
    out = np.zeros(where[-1], np.uint8)
    text.gather(data, offsets, where, out)
    assert out.tobytes() == b"a\nb\n" + b"x" * 10 + b"a\n"


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        (b"#!/bin/sh", text.SHEBANG),
        (b"\xef\xbb\xbf#!/bin/sh", text.SHEBANG),
        (b" #!/bin/sh", 0),
        (b"\n <?xml version", text.PROLOG),
        (b"// -*- c++ -*-", text.MODELINE),
        (b"\n" * 6 + b"// -*- c++ -*-" + b"\n" * 9, 0),
        (b"\n" * 20 + b"# vim: ft=c\n\n", text.MODELINE),
        (b"#!/bin/sh\n# ex: ft=c", text.SHEBANG | text.MODELINE),
        (b"int x; // a * b: c", 0),
        (b"", 0),
    ],
)
def test_marks(value, bits):
    data, offsets = columns([b"vim: ", value, b"-*-"])
    out = np.zeros(3, np.uint8)
    text.marks(data, offsets, 5, 2048, out)
    assert out[1] == bits


def test_line_ends():
    data, offsets = columns([b"a\r\nb\n", b"", b"\r\r"])
    out = np.zeros(3, np.int64)
    text.line_chars(data, offsets, out)
    assert out.tolist() == [3, 0, 2]
