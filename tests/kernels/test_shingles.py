"""Shingle sets equal those of the plain twin, and different shingles have different hashes."""

from __future__ import annotations

import itertools
import random
import sysconfig
from pathlib import Path

import numpy as np
import pytest
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

from .shingle_twin import shingle_hash, shingles


def plain(text: bytes, ngram: int) -> list[int]:
    return sorted(map(shingle_hash, shingles(text, ngram)))


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


def test_different_shingles_have_different_hashes():
    """Real code and made-up families of names: one hash for each, its bits even, halves too."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))
    texts = [file.read_bytes() for file in random.Random(7).sample(files, 500)]
    texts.append(b" ".join(b"x%d" % (n * n) for n in range(100_000)))
    texts.append(b" ".join(b"column_name_%05d" % (n % 991 * n % 997) for n in range(100_000)))
    texts.append(b" ".join(random.Random(8).choices([b"0", b"1"], k=100_000)))
    for ngram in (5, 13):
        grams = set().union(*(shingles(text, ngram) for text in texts))
        hashes = np.unique(np.concatenate([np.array(one, np.uint64) for one in sets(texts, ngram)]))
        assert len(hashes) == len(grams) > 300_000
        # What MinHash takes, and what finds the slot of the table.
        for half in (hashes & np.uint64(0xFFFFFFFF), hashes >> np.uint64(32)):
            assert len(hashes) - len(np.unique(half)) < 3 * len(hashes) ** 2 / 2**33
        for bit in range(64):
            share = ((hashes >> np.uint64(bit)) & np.uint64(1)).mean()
            assert abs(share - 0.5) < 6 * 0.5 / len(hashes) ** 0.5


def test_order_and_borders_of_tokens_count():
    words = [b"a", b"b", b"ab", b"c", b"bc", b"name", b"same_name"]
    grams = list(itertools.product(words, repeat=4))
    texts = [b" ".join(gram) for gram in grams]
    assert len({one for (one,) in sets(texts, 4)}) == len(grams)
    one, other, apart, glued = sets([b"a b", b"b a", b"ab c", b"a bc"], 2)
    assert one != other and apart != glued
    swapped = b"t0 t1 t2 t3 t4".split()
    assert (
        len({one for (one,) in sets(list(map(b" ".join, itertools.permutations(swapped))), 5)})
        == 120
    )
    assert sets([b"a, b\n(c)"], 3) == sets([b"a b c"], 3)  # what stands between tokens does not


def test_too_many_shingles_are_given_up(monkeypatch: pytest.MonkeyPatch):
    """A small table stands for the largest: what does not fit ends the work, not the memory."""
    words = b" ".join(str(n).encode() for n in range(2000))
    data = np.frombuffer(words, np.uint8)
    table, found = scratch(len(words))
    small = np.empty(256 + 256, np.uint64)
    assert distinct_shingles(data, 0, len(words), 5, table, found)[0] == 1996
    assert distinct_shingles(data, 0, len(words), 5, small, found)[0] == GIVEN_UP


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
