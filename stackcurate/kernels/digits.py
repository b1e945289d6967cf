"""Where five digits or more stand close together: numbers of people, cards, coordinates."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LEAST = 5  # digits, with one of `` ./-`` between two of them at most


@njit(cache=True, nogil=True)
def long_numbers(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of the last digit of each long number, ascending; none crosses a file's bound.

    ``data``: bytes of all files; ``offsets``: (files + 1,) their bounds. Five digits with single
    separators between them, two of them side by side, put a digit on one of any two neighboring
    bytes, so every second byte is looked at. Of numbers like 1.2.3.4.5 some are left out.
    """
    # Places are unsigned: a signed one might count from the end, which takes a test more.
    out = np.empty(data.size // 6 + 1, np.int64)
    found = 0
    for file in range(offsets.size - 1):
        floor, stop = offsets[file], offsets[file + 1]
        at = floor
        while at < stop:
            at = _next_digit(data, at, stop)
            if at >= stop:
                break
            count = 1
            last = back = at
            while back > floor:
                back -= 1
                byte = data[np.uint64(back)]
                if 48 <= byte <= 57:
                    count += 1
                    last = back
                elif back + 1 < last or not (byte == 32 or 45 <= byte <= 47):
                    break
            last = at
            at += 1
            while at < stop:
                byte = data[np.uint64(at)]
                if 48 <= byte <= 57:
                    count += 1
                    last = at
                elif at > last + 1 or not (byte == 32 or 45 <= byte <= 47):
                    break
                at += 1
            if count >= 5:
                out[found] = last
                found += 1
            floor = at
            at += 1
    return out[:found].copy()


@njit(cache=True, nogil=True)
def _next_digit(data: NDArray[np.uint8], at: int, stop: int) -> int:
    """The first of ``at``, ``at + 2``, ... that is a digit's place; ``stop`` or more if none is."""
    while at + 16 <= stop:  # eight at a time: a branch for each would cost more than the look
        found = False
        for step in range(0, 16, 2):
            found |= np.uint8(data[np.uint64(at + step)] - np.uint8(48)) < 10
        if found:
            break
        at += 16
    while at < stop and not np.uint8(data[np.uint64(at)] - np.uint8(48)) < 10:
        at += 2
    return at
