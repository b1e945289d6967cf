"""XXH64 is the xxhash package's, for every length, place and seed."""

from __future__ import annotations

import random

import numpy as np
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from stackcurate.kernels.hashing import fmix32, xxh64, xxh64_rows


@njit
def _mixed(value: np.uint32) -> np.uint32:
    return fmix32(value)


def test_every_length_up_to_many_stripes():
    random_ = random.Random(1)
    for length in [*range(140), 1000, 4097]:
        data = random_.randbytes(length + 60)
        array = np.frombuffer(data, np.uint8)
        inside = data[3 : 3 + length]
        for seed in (0, 7, (1 << 64) - 1):
            expected = xxhash.xxh64_intdigest(inside, seed)
            assert xxh64(array, 3, 3 + length, np.uint64(seed)) == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_rows(texts):
    data = np.frombuffer(b"".join(texts) + b"!", np.uint8)
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    assert xxh64_rows(data, offsets, 0).tolist() == [xxhash.xxh64_intdigest(t) for t in texts]


def test_fmix32_is_the_published_finalizer():
    def plain(h: int) -> int:
        h ^= h >> 16
        h = h * 0x85EBCA6B & 0xFFFFFFFF
        h ^= h >> 13
        h = h * 0xC2B2AE35 & 0xFFFFFFFF
        return h ^ h >> 16

    for value in (0, 1, 0xFFFFFFFF, 0x80000000, 123456789):
        assert int(_mixed(np.uint32(value))) == plain(value)
