"""Signatures equal datasketch's own, bit for bit, and band keys tell bands apart."""

from __future__ import annotations

import random
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import xxhash
from datasketch import MinHash

from stackcurate.kernels.minhash import band_keys, permutations, sign, sign_texts

from .shingle_twin import shingle_hash, shingles


def hash32(value: bytes) -> int:
    """datasketch's ``hashfunc``: the hash of the shingle whose tokens a space joins."""
    return shingle_hash(tuple(value.split(b" "))) & 0xFFFFFFFF


def real_texts(count: int) -> list[bytes]:
    """Some files of the standard library, of all sizes."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    return [file.read_bytes() for file in random.Random(4).sample(files, count)]


def signed(texts: list[bytes], count: int, seed: int, ngram: int = 5):
    data = np.frombuffer(b"".join(texts), np.uint8)
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    a, b = permutations(count, seed)
    return sign_texts(data, offsets[:-1], offsets[1:], ngram, a, b)


@pytest.mark.parametrize(("count", "seed", "ngram"), [(256, 1, 5), (256, 77, 5), (100, 1, 3)])
def test_signatures_are_datasketchs(count, seed, ngram):
    texts = [*real_texts(25), b"", b"too few tokens here", "一 二 三 四 五 六".encode()]
    counts, signatures = signed(texts, count, seed, ngram)
    for text, size, signature in zip(texts, counts, signatures, strict=True):
        grams = shingles(text, ngram)
        assert size == len(grams)
        if grams:
            truth = MinHash(count, seed=seed, scheme="affine32", hashfunc=hash32)
            truth.update_batch([b" ".join(gram) for gram in grams])
            assert (signature == truth.hashvalues).all()
        else:
            assert not signature.any()


def test_permutations_are_datasketchs():
    a, b = permutations(256, 9)
    truth = MinHash(256, seed=9, scheme="affine32").permutations
    assert (a == truth[0]).all() and (b == truth[1]).all() and a.dtype == np.uint32


@pytest.mark.parametrize("size", [1, 63, 64, 65, 4095, 4096, 4097, 9000])
def test_a_set_of_any_size_is_signed_by_its_least(size):
    hashes = np.random.default_rng(size).integers(0, 1 << 63, size, dtype=np.uint64)
    a, b = permutations(32, 3)
    least = np.empty(32, np.uint32)
    sign(hashes, a, b, np.empty(4096, np.uint32), least)
    truth = MinHash(32, seed=3, scheme="affine32", hashfunc=int)
    truth.update_batch([int(h) & 0xFFFFFFFF for h in hashes])
    assert (least == truth.hashvalues).all()


def test_band_keys():
    signatures = np.arange(3 * 20, dtype=np.uint32).reshape(3, 20)
    signatures[1] = signatures[0]
    signatures[1, 7] += 1
    keys = band_keys(signatures, np.array([5, 5, 5], np.uint64), 6, 3)
    assert (keys[0] == keys[1]).tolist() == [True, True, False, True, True, True]
    expected = xxhash.xxh64_intdigest(signatures[2, 12:15].tobytes(), 5 + 4)
    assert int(keys[2, 4]) == expected
    other = band_keys(signatures, np.array([5, 10**9, 5], np.uint64), 6, 3)
    assert not (other[0] == other[1]).any()
    same = np.ones((1, 20), np.uint32)
    assert len(set(band_keys(same, np.array([0], np.uint64), 6, 3)[0].tolist())) == 6
