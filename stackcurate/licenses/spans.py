"""Sets of positions as sorted, separate intervals in a pool; every function here is a kernel.

A span is a row range of the pool: ``pool[at : at + count]`` holds first and last positions. Spans
never change once written; what is derived goes to the end of the pool.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def room(pool, used, more):  # type: ignore[no-untyped-def]
    """The pool, or a larger copy where ``more`` intervals would not fit."""
    if used + more <= pool.shape[0]:
        return pool
    larger = np.empty((2 * (used + more), 2), np.int32)
    larger[:used] = pool[:used]
    return larger


@njit(cache=True, nogil=True)
def overlap(pool, a, a_count, b, b_count):  # type: ignore[no-untyped-def]
    """Number of positions that two spans share."""
    shared, i, j = 0, 0, 0
    while i < a_count and j < b_count:
        low = max(pool[a + i, 0], pool[b + j, 0])
        high = min(pool[a + i, 1], pool[b + j, 1])
        if high >= low:
            shared += high - low + 1
        if pool[a + i, 1] < pool[b + j, 1]:
            i += 1
        else:
            j += 1
    return shared


@njit(cache=True, nogil=True)
def holds(pool, a, a_count, b, b_count):  # type: ignore[no-untyped-def]
    """Whether span ``a`` has every position of ``b``."""
    i = 0
    for j in range(b_count):
        while i < a_count and pool[a + i, 1] < pool[b + j, 0]:
            i += 1
        if i == a_count or pool[a + i, 0] > pool[b + j, 0] or pool[a + i, 1] < pool[b + j, 1]:
            return False
    return True


@njit(cache=True, nogil=True)
def equal(pool, a, a_count, b, b_count):  # type: ignore[no-untyped-def]
    """Whether two spans are the same positions."""
    if a_count != b_count:
        return False
    for i in range(a_count):
        if pool[a + i, 0] != pool[b + i, 0] or pool[a + i, 1] != pool[b + i, 1]:
            return False
    return True


@njit(cache=True, nogil=True)
def union(pool, used, a, a_count, b, b_count):  # type: ignore[no-untyped-def]
    """Write the union at ``used``, where there must be room; return (intervals, positions)."""
    out, i, j, size = used - 1, 0, 0, 0
    while i < a_count or j < b_count:
        take_a = j == b_count or (i < a_count and pool[a + i, 0] <= pool[b + j, 0])
        at = a + i if take_a else b + j
        i, j = (i + 1, j) if take_a else (i, j + 1)
        low, high = pool[at, 0], pool[at, 1]
        if out >= used and low <= pool[out, 1] + 1:
            if high > pool[out, 1]:
                size += high - pool[out, 1]
                pool[out, 1] = high
        else:
            out += 1
            pool[out, 0], pool[out, 1] = low, high
            size += high - low + 1
    return out - used + 1, size
