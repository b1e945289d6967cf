"""Shingle sets equal those of a regular expression, a slice and the xxhash package."""

from __future__ import annotations

import itertools
import random
import re

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.kernels import shingles as kernel
from stackcurate.kernels.shingles import (
    GIVEN_UP,
    common,
    distinct_shingles,
    scratch,
    shingle_sets,
)

TOKEN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


def plain(text: bytes, ngram: int) -> list[int]:
    tokens = TOKEN.findall(text)
    grams = {b" ".join(tokens[i : i + ngram]) for i in range(len(tokens) - ngram + 1)}
    return sorted(xxhash.xxh64_intdigest(gram) for gram in grams)


def sets(texts: list[bytes], ngram: int) -> list[list[int]]:
    data = np.frombuffer(b"".join(texts) + b"\n", np.uint8)
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    places, hashes = shingle_sets(data, offsets[:-1], offsets[1:], ngram)
    assert hashes.dtype == np.uint64
    return [hashes[a:b].tolist() for a, b in itertools.pairwise(places)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(alphabet="abc_ .\né", max_size=120).map(str.encode), max_size=6),
    st.integers(1, 6),
)
def test_sets_equal_the_plain_ones(texts, ngram):
    assert sets(texts, ngram) == [plain(text, ngram) for text in texts]


def test_large_texts_grow_the_table():
    random_ = random.Random(2)
    words = [random_.randbytes(3).hex().encode() for _ in range(40_000)]
    texts = [b" ".join(words), b" ".join(words[:9]), b"a " * 30_000 + b" ".join(words[:2000])]
    assert sets(texts, 5) == [plain(text, 5) for text in texts]
    one_letter = [b" ".join(random_.choice([b"a", b"b", b"c"]) for _ in range(20_000))]
    assert sets(one_letter, 9) == [plain(one_letter[0], 9)]


def test_one_repeated_token_is_one_shingle():
    assert sets([b"x " * 2_000_000], 5) == [plain(b"x x x x x", 5)]
    assert sets([b"x" * 3_000_000], 1) == [plain(b"x" * 3_000_000, 1)]


def test_too_many_shingles_are_given_up(monkeypatch: pytest.MonkeyPatch):
    """A small table stands for the largest: what does not fit ends the work, not the memory."""
    words = b" ".join(str(n).encode() for n in range(2000))
    data = np.frombuffer(words, np.uint8)
    blank, joined, table, found = scratch(len(words))
    small = np.empty(256 + 256, np.uint64)
    assert distinct_shingles(data, 0, len(words), 5, blank, joined, table, found)[0] == 1996
    assert distinct_shingles(data, 0, len(words), 5, blank, joined, small, found)[0] == GIVEN_UP


def test_colliding_hashes_end_in_bounded_work():
    """Hashes with equal leading bits: the table grows to its end and gives up."""
    table = np.zeros((1 << 12) + 256, np.uint64)
    found = np.arange(1, 1000, dtype=np.uint64)  # leading bits all zero
    assert kernel._grow(table, 6, found, len(found)) == -1
    assert kernel._grow(table, 6, found[:100], 100) == 6


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
@settings(max_examples=80, deadline=None)
def test_common(left, right):
    one = np.array(sorted(left), np.uint64)
    other = np.array(sorted(right), np.uint64)
    assert common(one, other) == len(left & right)
