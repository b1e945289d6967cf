"""What a word is to near-dedup, and a 64-bit hash of each word of a text.

A token is a longest run of ASCII letters, digits, ``_`` and bytes from 0x80 up. Case counts. Bytes
from 0x80 up are the letters of every other script in UTF-8, so that a comment in Chinese or
Cyrillic is not invisible; the few separators of those scripts (U+3000, U+00A0) stay inside tokens.

A token's hash takes eight of its bytes at a time, the last ones filled up with zeros: no token
holds a zero byte, so different tokens are different words. Each step is a bijection, so tokens of
up to eight bytes never share a hash.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from stackcurate.kernels.hashing import load8, load64, trailing_zeros

ROOM = 33  # tokens that 64 bytes may end: every other byte, and one that began before

_SEED = np.uint64(0x243F6A8885A308D3)  # digits of pi
_M1 = np.uint64(0xFF51AFD7ED558CCD)  # both of MurmurHash3's 64-bit finalizer (public domain)
_M2 = np.uint64(0xC4CEB9FE1A85EC53)
_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)


def _token_bits(context: Any, address: Any) -> Any:
    """Bit i: whether byte i of the 64 at an address lies in a token. A few vector instructions."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        row = ir.VectorType(ir.IntType(8), 64)

        def all_of(value: int) -> Any:
            return ir.Constant(row, [value] * 64)

        def within(values: Any, first: str, count: int) -> Any:
            places = builder.sub(values, all_of(ord(first)))
            return builder.icmp_unsigned("<", places, all_of(count))

        text = builder.load(builder.inttoptr(args[0], row.as_pointer()), align=1)
        letter = within(builder.or_(text, all_of(32)), "a", 26)
        digit = within(text, "0", 10)
        line = builder.icmp_unsigned("==", text, all_of(ord("_")))
        high = builder.icmp_unsigned(">=", text, all_of(128))
        found = builder.or_(builder.or_(letter, digit), builder.or_(line, high))
        return builder.bitcast(found, ir.IntType(64))

    return types.uint64(types.intp), code


token_bits: Any = intrinsic(_token_bits)


@njit(cache=True, nogil=True)
def _bits_at_end(data: np.ndarray, at: int) -> np.uint64:
    """``token_bits`` where fewer than 64 bytes are left of ``data``."""
    bits = np.uint64(0)
    for i in range(len(data) - at):
        byte = data[at + i]
        letter = np.uint8(np.uint8(byte | np.uint8(32)) - np.uint8(97)) < np.uint8(26)
        digit = np.uint8(byte - np.uint8(48)) < np.uint8(10)
        if letter or digit or byte == 95 or byte >= 128:
            bits |= np.uint64(1) << np.uint64(i)
    return bits


@njit(inline="always")
def mixed(value: np.uint64) -> np.uint64:
    """A bijection on 64 bits in which every bit of ``value`` reaches the high and the low half."""
    value = value * _M1
    value = (value ^ (value >> np.uint64(32))) * _M2
    return value ^ (value >> np.uint64(29))


@njit(inline="always")
def _last_word(address: int, size: int, limit: int) -> np.uint64:
    """``size`` (1 to 8) bytes at ``address``, low byte first; nothing from ``limit`` on is read."""
    if address + 8 <= limit:
        return load64(address) & (_ONES >> np.uint64(64 - 8 * size))
    word = np.uint64(0)
    for i in range(size):
        word |= load8(address + i) << np.uint64(8 * i)
    return word


@njit(inline="always")
def _token_hash(address: int, size: int, limit: int) -> np.uint64:
    """The hash of the token of ``size`` bytes at ``address``."""
    value = _SEED
    while size > 8:
        value = mixed(value ^ load64(address))
        address += 8
        size -= 8
    return mixed(value ^ _last_word(address, size, limit))


@njit(cache=True, nogil=True)
def hash_tokens(
    data: np.ndarray, at: int, end: int, begun: int, hashes: np.ndarray
) -> tuple[int, int, int]:
    """Hashes (uint64) of the tokens of ``data[at:end]``, as many as are sure to have room.

    ``begun`` is where a token begins that reaches ``at``, -1 if none does. Returns the same two for
    the call that goes on, and the number of hashes; all is done where the first is ``end`` or more.
    ``hashes`` has ``ROOM`` places at least.
    """
    base = np.intp(data.ctypes.data)
    limit = base + len(data)
    count = 0
    while at < end and count + ROOM <= len(hashes):
        bits = token_bits(base + at) if at + 64 <= len(data) else _bits_at_end(data, at)
        if end - at < 64:
            bits &= _ONES >> np.uint64(64 - (end - at))
        edges = bits ^ (bits << np.uint64(1) | np.uint64(begun >= 0))
        while edges != 0:
            place = at + trailing_zeros(edges)
            edges &= edges - np.uint64(1)
            if begun < 0:
                begun = place
            else:
                hashes[count] = _token_hash(base + begun, place - begun, limit)
                count += 1
                begun = -1
        at += 64
    if at >= end and begun >= 0:
        hashes[count] = _token_hash(base + begun, end - begun, limit)
        count += 1
        begun = -1
    return at, begun, count
