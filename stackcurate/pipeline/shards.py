"""Where the shards of one language folder are cut.

A shard is a range of `repo_hash`, so that a repository's rows stay together. Ranges of equal width
would hold unequal text wherever repositories are few or large, and one long shard keeps every other
worker waiting; so the ranges are cut by how the text lies along the hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

HASH_BITS = 63  # of repo_hash
# The text is counted in this many equal ranges of the hash, and cuts lie between them: with 256 MB
# a shard they are finer than shards up to 16 TB of one language.
BUCKET_BITS = 16
_WIDTH = HASH_BITS - BUCKET_BITS
# A small folder is cut finer than `shard_bytes` asks, so that two or eight workers, and whoever
# reads it later, can share it out; but never below what makes a file worth opening.
SHARED_BY = 8
LEAST_BYTES = 32 * 1024 * 1024


class Range(NamedTuple):
    """One shard: rows with ``first`` <= `repo_hash` < ``end``, and the bytes of their text."""

    first: int
    end: int
    size: int


def spread(places: np.ndarray, lengths: np.ndarray) -> dict[str, int]:
    """{bucket, as text for JSON: bytes of text} of rows at ``places``; empty buckets lack."""
    buckets, which = np.unique(places >> _WIDTH, return_inverse=True)
    sums = np.bincount(which, lengths).astype(np.int64)
    return {str(bucket): size for bucket, size in zip(buckets.tolist(), sums.tolist(), strict=True)}


def shard_ranges(spreads: Iterable[Mapping[str, int]], shard_bytes: int) -> list[Range]:
    """A folder's shards; ``spreads`` are those of all bodies.

    They follow from the text alone: as many as are asked for, cut where the sums come nearest to
    equal shares, and fewer where one repository is more than a share.
    """
    sizes = Counter[int]()
    for one in spreads:
        for name, size in one.items():
            sizes[int(name)] += size
    buckets = sorted(sizes)
    below = [0, *accumulate(sizes[bucket] for bucket in buckets)]  # at the start of each bucket
    shards = max(1, -(-below[-1] // shard_bytes), min(SHARED_BY, below[-1] // LEAST_BYTES))
    cuts = [0, len(buckets)]
    at = 0
    for share in range(1, shards):
        # Exact for any size: shares are compared without dividing.
        while below[at + 1] * shards <= share * below[-1]:
            at += 1
        over = (below[at] + below[at + 1]) * shards < 2 * share * below[-1]
        cuts.append(at + over)
    places = [0, *(bucket << _WIDTH for bucket in buckets[1:]), 1 << HASH_BITS]
    return [
        Range(places[begin], places[end], below[end] - below[begin])
        for begin, end in pairwise(sorted(set(cuts)))
    ]
