"""How many contents sets share, from (content, set) records in the order of their contents."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def sampled_pairs(
    hashes: np.ndarray, owners: np.ndarray, limits: np.ndarray, most: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """What the samples of sets share with other sets.

    Record i says that set ``owners[i]`` (uint32) holds the content ``hashes[i]`` (uint64); records
    are sorted by both, each once. A content is in the sample of set s where its hash is below
    ``limits[s]``. Contents that more than ``most`` sets hold are left out; within a content a set
    meets the ``width`` sets of the smallest numbers only.

    Returns (``a << 32 | b`` for each content in the sample of a that b holds as well; the owner of
    each content in its sample), in no order.
    """
    pairs = np.empty(1 << 10, dtype=np.uint64)
    samples = np.empty(len(owners), dtype=np.uint32)
    count = 0
    sampled = 0
    begin = 0
    while begin < len(hashes):
        end = begin + 1
        while end < len(hashes) and hashes[end] == hashes[begin]:
            end += 1
        if end - begin <= most:
            while count + 2 * (end - begin) * width > len(pairs):
                larger = np.empty(2 * len(pairs), dtype=np.uint64)
                larger[:count] = pairs[:count]
                pairs = larger
            for i in range(begin, end):
                mine = hashes[i] < limits[owners[i]]
                if mine:
                    samples[sampled] = owners[i]
                    sampled += 1
                for j in range(begin, min(i, begin + width)):
                    if mine:
                        pairs[count] = np.uint64(owners[i]) << np.uint64(32) | np.uint64(owners[j])
                        count += 1
                    if hashes[j] < limits[owners[j]]:
                        pairs[count] = np.uint64(owners[j]) << np.uint64(32) | np.uint64(owners[i])
                        count += 1
        begin = end
    return pairs[:count], samples[:sampled]
