"""What a word is to near-dedup, and how to walk from word to word.

A token is a longest run of ASCII letters, digits, ``_`` and bytes from 0x80 up. Case counts. Bytes
from 0x80 up are the letters of every other script in UTF-8, so that a comment in Chinese or
Cyrillic is not invisible; the few separators of those scripts (U+3000, U+00A0) stay inside tokens.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.kernels.hashing import load64, store64, trailing_zeros

PAD = 16  # bytes behind the text that the kernels may read or write eight at a time

_LOW = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)


@njit(cache=True, nogil=True)
def blank_gaps(data: np.ndarray, begin: int, end: int, blank: np.ndarray) -> None:
    """Copy ``data[begin:end]`` to ``blank``, each byte that is in no token as 0, and ``PAD`` zeros.

    Comparisons and not a table, because they become vector instructions.
    """
    for i in range(end - begin):
        byte = data[begin + i]
        letter = np.uint8(np.uint8(byte | np.uint8(32)) - np.uint8(97)) < np.uint8(26)
        digit = np.uint8(byte - np.uint8(48)) < np.uint8(10)
        other = (byte >= np.uint8(128)) | (byte == np.uint8(95))
        blank[i] = byte if letter | digit | other else np.uint8(0)
    blank[end - begin : end - begin + PAD] = 0


@njit(inline="always")
def next_token(address: int, end: int) -> int:
    """The first address from ``address`` on that is not 0 in a blanked text, or some >= ``end``."""
    word = load64(address)
    while word == 0 and address < end:
        address += 8
        word = load64(address)
    if word == 0:
        return end
    return address + (trailing_zeros(word) >> 3)


@njit(inline="always")
def copy_token(address: int, to: int) -> int:
    """Copy the token at ``address`` of a blanked text to address ``to``; returns its length.

    Writes up to 8 bytes more than the token has.
    """
    length = 0
    while True:
        word = load64(address + length)
        store64(to + length, word)
        zeros = (word - _LOW) & ~word & _HIGH
        if zeros != 0:
            return length + (trailing_zeros(zeros) >> 3)
        length += 8
