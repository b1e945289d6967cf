"""Sets of files that hang together by links, each named by its smallest member.

For comparison with datasets that were deduplicated by connected components; our own rule is the
cover (``cover``), which never removes a file that is not similar to a kept one.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def root_of(parent: np.ndarray, node: int) -> int:
    """The smallest member of the component of ``node``; halves the path on its way."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = np.intp(parent[node])
    return node


@njit(cache=True, nogil=True)
def connect(parent: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Join ``left[i]`` and ``right[i]`` for all i. ``parent`` starts as ``arange`` (uint32)."""
    for i in range(len(left)):
        a = root_of(parent, np.intp(left[i]))
        b = root_of(parent, np.intp(right[i]))
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b


@njit(cache=True, nogil=True)
def roots(parent: np.ndarray) -> None:
    """Let every node's parent be its root. A parent is never larger, so one pass in order does."""
    for node in range(len(parent)):
        parent[node] = parent[parent[node]]


@njit(cache=True, nogil=True)
def bit(bits: np.ndarray, number: int) -> bool:
    """Bit ``number`` of a bitmap: uint8, lowest bit first (``np.packbits``, "little")."""
    return (bits[number >> 3] >> np.uint8(number & 7)) & np.uint8(1) != 0


@njit(cache=True, nogil=True)
def clear_bits(bits: np.ndarray, numbers: np.ndarray) -> None:
    """Clear the bits of ``numbers``."""
    for i in range(len(numbers)):
        at = np.intp(numbers[i])
        bits[at >> 3] &= np.uint8(255 - (1 << (at & 7)))


@njit(cache=True, nogil=True)
def take_bits(bits: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The bits of ``numbers`` as bool."""
    out = np.empty(len(numbers), dtype=np.bool_)
    for i in range(len(numbers)):
        out[i] = bit(bits, np.intp(numbers[i]))
    return out


@njit(cache=True, nogil=True)
def cover(
    kept: np.ndarray, worse: np.ndarray, better: np.ndarray, similarity: np.ndarray
) -> np.ndarray:
    """Drop each file that is linked to a kept better one; return the link that dropped it.

    ``kept`` is a bitmap, all its bits for the files of ``worse`` set on entry. Links are sorted by
    ``worse``, and better < worse: when a file's turn comes, all better ones are decided. The
    deciding link is the most similar, of equal ones the first. Returns link numbers, int64.
    """
    deciding = np.empty(len(worse), dtype=np.int64)
    count = 0
    at = 0
    while at < len(worse):
        node = np.intp(worse[at])
        best = -1
        while at < len(worse) and worse[at] == node:
            if bit(kept, np.intp(better[at])) and (best < 0 or similarity[at] > similarity[best]):
                best = at
            at += 1
        if best >= 0:
            kept[node >> 3] &= np.uint8(255 - (1 << (node & 7)))
            deciding[count] = best
            count += 1
    return deciding[:count]
