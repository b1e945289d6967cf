"""The set of word n-grams of a text, as 64-bit hashes.

A shingle is ``ngram`` tokens in a row. Its hash is the polynomial ``t1 * K**(n-1) + ... + tn`` mod
2**64 of the hashes of its tokens (``tokens``), which rolls from token to token, and a bijection
that mixes it. So which tokens, in which order, and where one ends decides it, and not what stands
between them.

Work and memory are bounded for any input: a text with more than ``MAX_SHINGLES`` different
shingles, or one made to collide in the table, is given up (``GIVEN_UP``) and left to exact
comparison. One repeated token, or a line of 100 MB, is no special case.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.kernels.tokens import hash_tokens, mixed

MAX_SHINGLES = 1 << 22  # different shingles of one text; about 40 MB of ordinary code
GIVEN_UP = -1
_TRIES = 256  # a hash lies at most so far behind its home slot, else the table grows
_TABLE_BITS = 23  # at most half full
_SMALLEST_BITS = 6
_BLOCK = 2048  # tokens that are hashed before the table is asked: 16 KB
# Odd, so that a token counts in every place; K - 1 is twice and K + 1 four times an odd number, so
# that swapped tokens never agree by the powers of two in K**m - 1 alone.
_K = np.uint64(0x9E3779B97F4A7C13)


@njit(cache=True, nogil=True)
def scratch(longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Room for one text at a time of at most ``longest`` bytes: table, found.

    Untouched pages cost nothing, so a batch of small texts takes little.
    """
    most = min(longest // 2 + 1, MAX_SHINGLES + 1)
    bits = _SMALLEST_BITS
    while (1 << bits) < 2 * most and bits < _TABLE_BITS:
        bits += 1
    table = np.empty((1 << bits) + _TRIES, dtype=np.uint64)
    found = np.empty(most + 1, dtype=np.uint64)
    return table, found


@njit(cache=True, nogil=True)
def _place(table: np.ndarray, shift: np.uint64, value: np.uint64) -> int:
    """1 if ``value`` was new and is now in the table, 0 if it was there, -1 if there is no room."""
    at = np.intp(value >> shift)
    stop = at + _TRIES
    while at < stop:
        held = table[at]
        if held == value:
            return 0
        if held == 0:
            table[at] = value
            return 1
        at += 1
    return -1


@njit(cache=True, nogil=True)
def _grow(table: np.ndarray, bits: int, found: np.ndarray, count: int) -> int:
    """Put ``found[:count]`` into a table of ``bits`` or more; returns its bits, -1 if none does."""
    while (1 << bits) + _TRIES <= len(table):
        table[: (1 << bits) + _TRIES] = 0
        shift = np.uint64(64 - bits)
        fits = True
        for i in range(count):
            if found[i] != 0 and _place(table, shift, found[i]) < 0:
                fits = False
                break
        if fits:
            return bits
        bits += 1
    return -1


@njit(cache=True, nogil=True)
def _begin_table(table: np.ndarray, expected: int) -> int:
    """Empty a table for so many hashes, or as large as there is room for; returns its bits."""
    bits = _SMALLEST_BITS
    while (1 << bits) < expected and (1 << (bits + 1)) + _TRIES <= len(table):
        bits += 1
    table[: (1 << bits) + _TRIES] = 0
    return bits


@njit(cache=True, nogil=True)
def distinct_shingles(
    data: np.ndarray,
    begin: int,
    end: int,
    ngram: int,
    table: np.ndarray,
    found: np.ndarray,
) -> tuple[int, int]:
    """The different shingle hashes of ``data[begin:end]`` go to ``found``, by first place.

    Returns their number and the bits of the table they lie in; (0, _) for fewer than ``ngram``
    tokens and (GIVEN_UP, _) past the bounds. ``table`` and ``found`` are ``scratch``.
    """
    bits = _begin_table(table, (end - begin) // 3)  # ordinary code fills a fifth
    tokens = np.zeros(ngram + _BLOCK, dtype=np.uint64)  # the last ones before a block lie before it
    block = np.empty(_BLOCK, dtype=np.uint64)
    leaves = np.uint64(1)  # the factor of the token that leaves
    for _ in range(ngram):
        leaves *= _K
    rolling = np.uint64(0)
    missing = ngram - 1  # tokens until there is a shingle
    count = 0
    zero = False
    at = begin
    begun = -1
    while at < end:
        at, begun, size = hash_tokens(data, at, end, begun, tokens[ngram:])
        for i in range(size):
            rolling = rolling * _K + tokens[ngram + i] - tokens[i] * leaves
            block[i] = mixed(rolling ^ (rolling >> np.uint64(32)))
        for i in range(ngram):
            tokens[i] = tokens[size + i]
        first = min(missing, size)
        missing -= first
        count, bits, zero = _add(block[first:size], table, bits, found, count, zero)
        if count < 0:
            return GIVEN_UP, 0
    return count, bits


@njit(cache=True, nogil=True)
def _add(
    block: np.ndarray, table: np.ndarray, bits: int, found: np.ndarray, count: int, zero: bool
) -> tuple[int, int, bool]:
    """Put hashes into the table, new ones into ``found[count:]`` too; (count or GIVEN_UP, ...).

    A loop of its own: what the processor guesses wrong here does not throw away hashing.
    """
    shift = np.uint64(64 - bits)
    for i in range(len(block)):
        value = block[i]
        if value == 0:  # 0 marks an empty slot of the table
            new = 0 if zero else 1
            zero = True
        else:
            new = _place(table, shift, value)
        if new < 0 or 2 * count > (1 << bits):
            bits = _grow(table, bits + 1, found, count)
            if bits < 0:
                return GIVEN_UP, 0, zero
            shift = np.uint64(64 - bits)
            if value != 0:
                placed = _place(table, shift, value)
                if placed < 0:
                    return GIVEN_UP, 0, zero
                new = max(new, placed)
        if count + new > MAX_SHINGLES:
            return GIVEN_UP, 0, zero
        found[count] = value
        count += new
    return count, bits, zero


@njit(cache=True, nogil=True)
def _sorted_from_table(table: np.ndarray, bits: int, out: np.ndarray) -> None:
    """Read the table in order into ``out``, ascending.

    A hash's home is its leading bits, so the table is sorted but for close neighbors.
    """
    to = 0
    for at in range((1 << bits) + _TRIES):
        value = table[at]
        if value == 0:
            continue
        back = to
        while back > 0 and out[back - 1] > value:
            out[back] = out[back - 1]
            back -= 1
        out[back] = value
        to += 1


@njit(cache=True, nogil=True)
def shingle_sets(
    data: np.ndarray, begins: np.ndarray, ends: np.ndarray, ngram: int
) -> tuple[np.ndarray, np.ndarray]:
    """The shingle sets of many texts: (offsets int64[n + 1], hashes uint64), ascending in each.

    Text i is ``data[begins[i]:ends[i]]``. Texts without shingles, or given up, have empty sets.
    """
    longest = 0
    for row in range(len(begins)):
        longest = max(longest, ends[row] - begins[row])
    table, found = scratch(longest)
    offsets = np.zeros(len(begins) + 1, dtype=np.int64)
    hashes = np.empty(1 << 10, dtype=np.uint64)
    for row in range(len(begins)):
        count, bits = distinct_shingles(data, begins[row], ends[row], ngram, table, found)
        count = max(count, 0)
        used = offsets[row]
        if used + count > len(hashes):
            larger = np.empty(max(2 * len(hashes), used + count), dtype=np.uint64)
            larger[:used] = hashes[:used]
            hashes = larger
        if count > 0:
            out = hashes[used : used + count]
            zeros = 0
            for i in range(count):
                if found[i] == 0:
                    zeros = 1
                    out[0] = 0
            _sorted_from_table(table, bits, out[zeros:])
        offsets[row + 1] = used + count
    return offsets, hashes[: offsets[-1]]


@njit(cache=True, nogil=True)
def common(left: np.ndarray, right: np.ndarray) -> int:
    """How many hashes two ascending sets share."""
    shared = 0
    i = 0
    j = 0
    while i < len(left) and j < len(right):
        a = left[i]
        b = right[j]
        shared += a == b
        i += a <= b
        j += b <= a
    return shared
