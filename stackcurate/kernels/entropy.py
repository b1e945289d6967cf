"""High-entropy strings in a whole text buffer, by the definition of detect-secrets 1.5.0.

A *quoted run* is a quote, one or more characters of an alphabet, and the same quote. Runs are taken
from left to right and do not share quotes, as a regular expression's ``findall`` takes them. The
alphabets and limits are those of detect-secrets' two plugins: base64 (letters, digits and
``+/\\-_=``) above 4.5 bits a character, hex digits above 3.0. One pass, linear in the bytes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

BASE64_LIMIT = 4.5
HEX_LIMIT = 3.0
MARGIN = 1e-9  # sums of logarithms may differ in their last bits: the caller decides inside it

_QUOTE, _BASE64, _HEX = 1, 2, 4


def _classes() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for byte in b"'\"":
        table[byte] |= _QUOTE
    for byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\\-_=":
        table[byte] |= _BASE64
    for byte in b"0123456789abcdefABCDEF":
        table[byte] |= _HEX
    return table


CLASSES = _classes()


@njit(cache=True, nogil=True)
def shannon(data: NDArray[np.uint8], start: int, end: int, counts: NDArray[np.int64]) -> float:
    """Bits per byte of ``data[start:end]``; ``counts`` is scratch (256,), zero before and after."""
    for at in range(start, end):
        counts[data[at]] += 1
    length = end - start
    bits = 0.0
    for at in range(start, end):
        count = counts[data[at]]
        if count:
            share = count / length
            bits -= share * math.log(share) / math.log(2.0)
            counts[data[at]] = 0
    return bits


@njit(cache=True, nogil=True)
def high_entropy(
    data: NDArray[np.uint8], classes: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Quoted runs above their alphabet's limit, in order.

    ``data``: bytes of all files; ``offsets``: (files + 1,) their bounds in ``data``; ``classes`` is
    ``CLASSES``. Returns starts and ends (quotes excluded) and whether the run is hex. A run within
    ``MARGIN`` below its limit is returned too.
    """
    # A hit has 9 distinct characters at least (2 ** 3.0 = 8) and two quotes.
    room = data.size // 11 + 1
    starts = np.empty(room, np.int64)
    ends = np.empty(room, np.int64)
    hexes = np.empty(room, np.bool_)
    counts = np.zeros(256, np.int64)
    found = 0
    for file in range(offsets.size - 1):
        at, stop = offsets[file], offsets[file + 1]
        while at < stop:
            if not classes[data[at]] & 1:
                at += 1
                continue
            quote = data[at]
            start = at + 1
            both = np.uint8(6)
            end = start
            while end < stop and classes[data[end]] & 2:
                both &= classes[data[end]]
                end += 1
            if end == stop or data[end] != quote:
                at = max(end, start)
                continue
            is_hex = (both & 4) != 0
            at = end + 1
            length = end - start
            if length < (9 if is_hex else 23):
                continue
            bits = shannon(data, start, end, counts)
            limit = 4.5
            if is_hex:
                limit = 3.0
                digits = True
                for place in range(start, end):
                    if data[place] > 57:
                        digits = False
                        break
                if digits:  # detect-secrets lowers plain numbers by this much
                    bits -= 1.2 / (math.log(length) / math.log(2.0))
            if bits > limit - 1e-9:
                starts[found] = start
                ends[found] = end
                hexes[found] = is_hex
                found += 1
    return starts[:found].copy(), ends[:found].copy(), hexes[:found].copy()
