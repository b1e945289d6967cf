"""The set of word n-grams of a text, as 64-bit hashes.

A shingle is ``ngram`` tokens in a row joined by one space; its hash is XXH64 with seed 0 of these
bytes. The tokens are first written out joined, so that every shingle is a stretch of one buffer.

Work and memory are bounded for any input: a text with more than ``MAX_SHINGLES`` different
shingles, or one made to collide in the table, is given up (``GIVEN_UP``) and left to exact
comparison. One repeated token, or a line of 100 MB, is no special case.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stackcurate.kernels.hashing import xxh64_at
from stackcurate.kernels.tokens import PAD, blank_gaps, copy_token, next_token

MAX_SHINGLES = 1 << 22  # different shingles of one text; about 40 MB of ordinary code
GIVEN_UP = -1
_TRIES = 256  # a hash lies at most so far behind its home slot, else the table grows
_TABLE_BITS = 23  # at most half full
_SMALLEST_BITS = 6
_BLOCK = 2048  # shingles that are hashed before the table is asked: 16 KB


@njit(cache=True, nogil=True)
def scratch(longest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Room for one text at a time of at most ``longest`` bytes: blank, joined, table, found.

    Untouched pages cost nothing, so a batch of small texts takes little.
    """
    most = min(longest // 2 + 1, MAX_SHINGLES + 1)
    bits = _SMALLEST_BITS
    while (1 << bits) < 2 * most and bits < _TABLE_BITS:
        bits += 1
    blank = np.empty(longest + PAD, dtype=np.uint8)
    joined = np.empty(longest + PAD, dtype=np.uint8)
    table = np.empty((1 << bits) + _TRIES, dtype=np.uint64)
    found = np.empty(most + 1, dtype=np.uint64)
    return blank, joined, table, found


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
    blank: np.ndarray,
    joined: np.ndarray,
    table: np.ndarray,
    found: np.ndarray,
) -> tuple[int, int]:
    """The different shingle hashes of ``data[begin:end]`` go to ``found``, by first place.

    Returns their number and the bits of the table they lie in; (0, _) for fewer than ``ngram``
    tokens and (GIVEN_UP, _) past the bounds. ``blank`` to ``found`` are ``scratch``.
    """
    bits = _begin_table(table, (end - begin) // 5)
    base = np.intp(joined.ctypes.data)
    begins = np.empty(ngram, dtype=np.intp)  # where the last tokens begin in `joined`, a ring
    block = np.empty(_BLOCK, dtype=np.uint64)
    slot = 0
    tokens = 0
    count = 0
    zero = False
    to = base
    blank_gaps(data, begin, end, blank)
    at = np.intp(blank.ctypes.data)
    stop = at + (end - begin)
    at = next_token(at, stop)
    while at < stop:
        size = 0
        while at < stop and size < _BLOCK:
            begins[slot] = to
            slot += 1
            if slot == ngram:
                slot = 0
            length = copy_token(at, to)
            at += length
            to += length
            tokens += 1
            if tokens >= ngram:
                first = begins[slot]  # the next one to be overwritten is the oldest
                block[size] = xxh64_at(first, to - first, np.uint64(0))
                size += 1
            joined[to - base] = 32
            to += 1
            at = next_token(at, stop)
        count, bits, zero = _add(block[:size], table, bits, found, count, zero)
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
    blank, joined, table, found = scratch(longest)
    offsets = np.zeros(len(begins) + 1, dtype=np.int64)
    hashes = np.empty(1 << 10, dtype=np.uint64)
    for row in range(len(begins)):
        count, bits = distinct_shingles(
            data, begins[row], ends[row], ngram, blank, joined, table, found
        )
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
