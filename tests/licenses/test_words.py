"""The kernel that turns text into words, held to a slow plain twin."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.licenses import words as w

RIDERS = set(w.RIDER_WORDS)


def twin(data: bytes) -> list[str | None]:
    """Folded words; None stands for a folded name. Written from the description, not the kernel."""
    lines = []
    for raw in re.split(rb"[\r\n]+", data):
        raw = re.sub(rb"\xc2.?|[\xe2\xef].{0,2}", b" ", raw, flags=re.S)
        found = re.findall(rb"[A-Za-z0-9\x80-\xff]+(?:\+[A-Za-z0-9\x80-\xff]*)?", raw)
        words = [re.sub(rb"[A-Z]+", lambda m: m[0].lower(), one).decode("latin-1") for one in found]
        while words and words[0] in ("dnl", "rem"):
            words = words[1:]
        if words:
            lines.append(words)
    kept: list[str] = []
    follows = False
    for words in lines:
        first = words[1] if words[0] == "portions" and len(words) > 1 else words[0]
        head = first in ("copyright", "copr", "c", "copyrighted")
        year = [re.fullmatch(r"[12]\d{3}", one) is not None for one in words]
        dated = any(year) or bool({"c", "year", "yyyy"} & set(words))
        follows = (
            (head or (follows and year[0]))
            and dated
            and len(words) <= 24
            and not RIDERS & set(words)
        )
        kept += [] if follows else [*words]
    return kept


def texts():
    word = st.sampled_from(
        ["Copyright", "(c)", "2020", "1999", "Foo", "license", "MIT", "GPLv2+", "c++", "dnl", "AI",
         "portions", "©", "“quoted”", "naïve", "not", "year", "\t*", "#", "x", "REM"]
    )  # fmt: skip
    line = st.lists(word, max_size=8).map(" ".join)
    return st.lists(line, max_size=6).map("\n".join).map(str.encode)


@settings(max_examples=300, deadline=None)
@given(texts())
def test_words_equal_the_twin(data):
    expected = w.hashes_of([]) if not twin(data) else np.array(
        [_hash(word) for word in twin(data)], np.uint64
    )  # fmt: skip
    assert w.words(data).hashes.tolist() == expected.tolist()


def _hash(word: str) -> int:
    value = 0xCBF29CE484222325
    for byte in word.encode("latin-1"):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 32)) * 0xD6E8FEB86659FD93) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 32)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_have_words(data):
    found = w.words(data)
    assert len(found.prefix) == len(found.hashes) + 1
    assert all(0 <= a < b <= len(data) for a, b in zip(found.starts, found.ends, strict=True))


def same(one: str, two: str) -> bool:
    return w.digest(w.words(one.encode())) == w.digest(w.words(two.encode()))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Copyright (c) 2020 Jo\nAll rights reserved.\n\nDo it.", "do it"),
        ("/* Do\n * it */", "do it"),
        ("Neither the name of Foo Inc. nor the names of its", "neither the name of Bar nor the names of its"),  # noqa: E501
        ("THIS IS PROVIDED BY THE AUTHOR AS IS", "this is provided by the copyright holders and contributors as is"),  # noqa: E501
        ("PROVIDED AS IS AND FOO DISCLAIMS ALL", "provided as is and the author disclaims all"),
    ],
)  # fmt: skip
def test_what_does_not_matter(one, two):
    assert same(one, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Copyright (c) 2020 Jo. Not for commercial use.\nDo it.", "do it"),
        ("Neither the name of Foo, for AI training, nor the names of its", "neither the name of Foo nor the names of its"),  # noqa: E501
        ("with restriction", "without restriction"),
        ("Copyright holders shall be liable", "shall be liable"),
        ("do it", "it do"),
    ],
)  # fmt: skip
def test_what_matters(one, two):
    assert not same(one, two)
