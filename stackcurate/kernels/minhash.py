"""MinHash signatures, equal bit for bit to datasketch 2's ``affine32`` scheme.

For the permutation (a, b), a signature's value is the least ``a * fmix32(h) + b`` mod 2**32 over
the hashes h of a set, of which the lower 32 bits are taken: what datasketch's ``MinHash`` gives
where its ``hashfunc`` is that of ``shingles``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.kernels.hashing import fmix32, xxh64_at
from stackcurate.kernels.shingles import distinct_shingles, scratch

_BLOCK = 4096  # mixed hashes that stay in the first-level cache while all permutations pass
_LANES = 64  # sets are filled up to a multiple with a hash they hold: whole vectors, same least


def permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """datasketch's ``affine32`` parameters: (a odd, b), uint32[count] each."""
    random = np.random.RandomState(seed)
    a = random.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return a, random.randint(0, 1 << 32, count, dtype=np.uint32)


@njit(cache=True, nogil=True)
def _lower(mixed: np.ndarray, a: np.ndarray, b: np.ndarray, least: np.ndarray) -> None:
    """Lower each ``least[k]`` to the least of permutation k over ``mixed`` (uint32)."""
    for k in range(len(a)):
        factor = a[k]
        shift = b[k]
        low = least[k]
        for i in range(len(mixed)):
            value = np.uint32(factor * mixed[i] + shift)
            low = min(low, value)
        least[k] = low


@njit(cache=True, nogil=True)
def sign(
    hashes: np.ndarray, a: np.ndarray, b: np.ndarray, mixed: np.ndarray, least: np.ndarray
) -> None:
    """Write the signature of a set that is not empty (uint64 hashes) to ``least`` (uint32).

    ``mixed`` is uint32 scratch of ``_BLOCK`` values.
    """
    least[:] = np.uint32(0xFFFFFFFF)
    for begin in range(0, len(hashes), _BLOCK):
        size = min(_BLOCK, len(hashes) - begin)
        for i in range(size):
            mixed[i] = fmix32(np.uint32(hashes[begin + i] & np.uint64(0xFFFFFFFF)))
        full = -(-size // _LANES) * _LANES
        mixed[size:full] = mixed[0]
        _lower(mixed[:full], a, b, least)


@njit(cache=True, nogil=True)
def sign_texts(
    data: np.ndarray,
    begins: np.ndarray,
    ends: np.ndarray,
    ngram: int,
    a: np.ndarray,
    b: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(shingles int32[n], signatures uint32[n, permutations]) of the texts ``data[begin:end]``.

    ``shingles`` counts different shingles; where it is 0 (too few tokens, or given up) the
    signature is zeros and means nothing.
    """
    longest = 0
    for row in range(len(begins)):
        longest = max(longest, ends[row] - begins[row])
    table, found = scratch(longest)
    mixed = np.empty(_BLOCK, dtype=np.uint32)
    counts = np.zeros(len(begins), dtype=np.int32)
    signatures = np.zeros((len(begins), len(a)), dtype=np.uint32)
    for row in range(len(begins)):
        count, _ = distinct_shingles(data, begins[row], ends[row], ngram, table, found)
        if count > 0:
            counts[row] = count
            sign(found[:count], a, b, mixed, signatures[row])
    return counts, signatures


@njit(cache=True, nogil=True)
def band_keys(signatures: np.ndarray, seeds: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """64-bit keys uint64[n, bands]: equal where ``rows`` values in a row and the seed are equal.

    ``signatures`` is uint16 or uint32[n, permutations] in one stretch of memory, ``seeds``
    uint64[n] is the hash of a file's group. Band k is the values from ``k * rows`` on; XXH64 mixes
    seed, band and values.
    """
    base = np.intp(signatures.ctypes.data)
    size = signatures.itemsize
    width = signatures.shape[1] * size
    keys = np.empty((len(signatures), bands), dtype=np.uint64)
    for row in range(len(signatures)):
        for band in range(bands):
            seed = seeds[row] + np.uint64(band)
            keys[row, band] = xxh64_at(base + row * width + band * rows * size, rows * size, seed)
    return keys
