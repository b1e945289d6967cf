"""How many contents sets share, from (content, set) records in the order of their contents.

And which sets are a better one's fork, from what they share."""

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


@njit(cache=True, nogil=True)
def families(
    first: np.ndarray, gone: np.ndarray, a: np.ndarray, b: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each root is a fork of: (root or -1, whether by ancestry), in the order of rank.

    ``first`` numbers the first revision of each root (-1: not known); ``gone`` roots are nobody's.
    Links (a, b, share) say that a and a better b are alike; they ascend by a, then b. A root is a
    fork of the best one with its first revision, else of the one that shares most with it, of
    equal ones the best, among those that are no forks.
    """
    of = np.full(len(first), -1, dtype=np.int64)
    by_ancestry = np.zeros(len(first), dtype=np.bool_)
    founder = np.full(first.max() + 1 if len(first) else 0, -1, dtype=np.int64)
    at = 0
    for root in range(len(first)):
        best = -1
        while at < len(a) and a[at] == root:
            if of[b[at]] < 0 and (best < 0 or share[at] > share[best]):
                best = at
            at += 1
        if gone[root]:
            continue
        if first[root] >= 0 and founder[first[root]] >= 0:
            of[root] = founder[first[root]]
            by_ancestry[root] = True
        elif best >= 0:
            of[root] = b[best]
        elif first[root] >= 0:
            founder[first[root]] = root
    return of, by_ancestry
