"""Runs of base64 or hex digits that may hold text, or are made by chance: one pass with leaps.

A run is bytes of the alphabet: letters, digits, ``+/-_``. Windows of LEAST bytes are read from
their end: behind the last byte outside the alphabet the next window begins, so that ordinary words
cost few looks. A run is kept where what its first bytes encode is printable ASCII: of random
digits, such as images, fonts and digests, one run in a hundred thousand is. Of the others, literals
of letters of both cases and digits are told apart, which nothing but keys are made of.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LEAST = 24  # bytes of a run: 18 bytes of text in base64, 12 in hex
LONGEST = 1 << 16  # bytes; what is longer is data, not a secret

_OUTSIDE = 255
_PADDING = 64


def _values() -> NDArray[np.uint8]:
    """The six bits of each base64 digit; 64 for ``=``, 255 outside the alphabet."""
    table = np.full(256, _OUTSIDE, np.uint8)
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for value, byte in enumerate(digits):
        table[byte] = value
    table[ord("-")], table[ord("_")], table[ord("=")] = 62, 63, _PADDING
    return table


def _nibbles() -> NDArray[np.uint8]:
    """The four bits of each hex digit; 255 for others."""
    table = np.full(256, _OUTSIDE, np.uint8)
    for value, byte in enumerate(b"0123456789abcdef"):
        table[byte] = table[bytes([byte]).upper()[0]] = value
    return table


VALUES = _values()
NIBBLES = _nibbles()


@njit(cache=True, nogil=True)
def text_literals(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    values: NDArray[np.uint8],
    nibbles: NDArray[np.uint8],
) -> tuple[
    tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]],
    NDArray[np.int64],
]:
    """File, start, end of each run that may hold text, in order, and whether it is hex; and starts
    of the literals in quotes that mix letters of both cases with two digits or more.

    ``data``: bytes of all files; ``offsets``: (files + 1,) their bounds; ``values`` and ``nibbles``
    are ``VALUES`` and ``NIBBLES``.
    """
    room = data.size // 24 + 1
    files = np.empty(room, np.int64)
    starts = np.empty(room, np.int64)
    ends = np.empty(room, np.int64)
    hexes = np.empty(room, np.bool_)
    mixed = np.empty(room, np.int64)
    found = mixes = 0
    for file in range(offsets.size - 1):
        start, stop = offsets[file], offsets[file + 1]
        while start + 24 <= stop:
            at = start + 23
            # Unsigned: a signed place could count from the end, which takes one more test.
            while at >= start and values[data[np.uint64(at)]] <= 63:
                at -= 1
            if at >= start:
                start = at + 1
                continue
            end = start + 24
            while end < stop and values[data[np.uint64(end)]] <= 63:
                end += 1
            length = end - start
            if length <= 65536:
                is_hex = _hex_text(data, start, end, nibbles)
                if is_hex or _base64_text(data, start, end, values):
                    files[found] = file
                    starts[found] = start
                    ends[found] = end
                    hexes[found] = is_hex
                    found += 1
                elif _is_mixed(data, start, end, offsets[file], stop):
                    mixed[mixes] = start
                    mixes += 1
            start = end
    texts = files[:found].copy(), starts[:found].copy(), ends[:found].copy(), hexes[:found].copy()
    return texts, mixed[:mixes].copy()


@njit(cache=True, nogil=True)
def _is_mixed(data: NDArray[np.uint8], start: int, end: int, floor: int, stop: int) -> bool:
    """Between equal quotes: letters of both cases, two digits or more, and nothing else."""
    if end - start > 64 or start == floor or end == stop or data[start - 1] != data[end]:
        return False
    if data[end] != 34 and data[end] != 39 and data[end] != 96:
        return False
    small = large = digits = 0
    for at in range(start, end):
        byte = data[at]
        if 97 <= byte <= 122:
            small += 1
        elif 65 <= byte <= 90:
            large += 1
        elif 48 <= byte <= 57:
            digits += 1
        else:
            return False
    return small > 0 and large > 0 and digits > 1


@njit(cache=True, nogil=True)
def _printable(byte: int) -> bool:
    return 32 <= byte < 127 or byte == 10 or byte == 13 or byte == 9


@njit(cache=True, nogil=True)
def _base64_text(data: NDArray[np.uint8], start: int, end: int, values: NDArray[np.uint8]) -> bool:
    """The first five groups of four digits, or all there are, encode printable ASCII."""
    for group in range(min(5, (end - start) // 4)):
        at = start + 4 * group
        bits = 0
        for place in range(4):
            bits = bits << 6 | values[data[at + place]]
        if not (_printable(bits >> 16) and _printable(bits >> 8 & 255) and _printable(bits & 255)):
            return False
    return True


@njit(cache=True, nogil=True)
def _hex_text(data: NDArray[np.uint8], start: int, end: int, nibbles: NDArray[np.uint8]) -> bool:
    """The whole run is hex, and its first twelve pairs encode printable ASCII."""
    if (end - start) % 2:
        return False
    for at in range(start, end):
        if nibbles[data[at]] == 255:
            return False
    for pair in range(min(12, (end - start) // 2)):
        high, low = nibbles[data[start + 2 * pair]], nibbles[data[start + 2 * pair + 1]]
        if not _printable(high * 16 + low):
            return False
    return True
