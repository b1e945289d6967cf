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
    out = np.empty(data.size // 6 + 1, np.int64)
    found = 0
    for file in range(offsets.size - 1):
        floor, stop = offsets[file], offsets[file + 1]
        at = floor
        while at < stop:
            if not 48 <= data[at] <= 57:
                at += 2
                continue
            count = 1
            last = back = at
            while back > floor:
                back -= 1
                byte = data[back]
                if 48 <= byte <= 57:
                    count += 1
                    last = back
                elif back + 1 < last or not (byte == 32 or 45 <= byte <= 47):
                    break
            last = at
            at += 1
            while at < stop:
                byte = data[at]
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
