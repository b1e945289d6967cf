"""Hashes of byte ranges that other kernels call inside their loops.

``xxh64`` is the published XXH64 (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md), equal to
the ``xxhash`` package for every input and seed. ``fmix32`` is the finalizer of MurmurHash3
(public domain), a bijection on 32 bits, with which datasketch prepares its shingle hashes.
Little-endian machines only, which is all that our wheels run on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)
_64 = np.uint64(64)
_32 = np.uint64(32)


def _load(bits: int) -> Any:
    """A compiled read of ``bits`` at an address with no alignment: NumPy has no such thing."""

    def load(context: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = builder.inttoptr(args[0], ir.IntType(bits).as_pointer())
            value = builder.load(pointer, align=1)
            return value if bits == 64 else builder.zext(value, ir.IntType(64))

        return types.uint64(types.intp), code

    load.__name__ = load.__qualname__ = f"load{bits}"
    return intrinsic(load)


load64 = _load(64)
load32 = _load(32)
load8 = _load(8)


def _trailing_zeros(context: Any, value: Any) -> Any:
    """Zero bits below the lowest set bit of a 64-bit value that is not 0."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.intp(types.uint64), code


trailing_zeros: Any = intrinsic(_trailing_zeros)


@njit(inline="always")
def _turn(value: np.uint64, by: int) -> np.uint64:
    return (value << np.uint64(by)) | (value >> (_64 - np.uint64(by)))


@njit(inline="always")
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _turn(lane + word * _P2, 31) * _P1


@njit(inline="always")
def _merge(value: np.uint64, lane: np.uint64) -> np.uint64:
    return (value ^ _round(np.uint64(0), lane)) * _P1 + _P4


@njit(cache=True, nogil=True)
def xxh64_at(address: int, length: int, seed: np.uint64) -> np.uint64:
    """XXH64 of ``length`` bytes at ``address`` (``array.ctypes.data`` plus an offset)."""
    end = address + length
    at = address
    if length >= 32:
        lane1 = seed + _P1 + _P2
        lane2 = seed + _P2
        lane3 = seed
        lane4 = seed - _P1
        while at + 32 <= end:
            lane1 = _round(lane1, load64(at))
            lane2 = _round(lane2, load64(at + 8))
            lane3 = _round(lane3, load64(at + 16))
            lane4 = _round(lane4, load64(at + 24))
            at += 32
        value = _turn(lane1, 1) + _turn(lane2, 7) + _turn(lane3, 12) + _turn(lane4, 18)
        value = _merge(_merge(_merge(_merge(value, lane1), lane2), lane3), lane4)
    else:
        value = seed + _P5
    value += np.uint64(length)
    while at + 8 <= end:
        value = _turn(value ^ _round(np.uint64(0), load64(at)), 27) * _P1 + _P4
        at += 8
    if at + 4 <= end:
        value = _turn(value ^ (load32(at) * _P1), 23) * _P2 + _P3
        at += 4
    while at < end:
        value = _turn(value ^ (load8(at) * _P5), 11) * _P1
        at += 1
    value = (value ^ (value >> np.uint64(33))) * _P2
    value = (value ^ (value >> np.uint64(29))) * _P3
    return value ^ (value >> _32)


@njit(cache=True, nogil=True)
def xxh64(data: np.ndarray, begin: int, end: int, seed: int) -> np.uint64:
    """XXH64 of ``data[begin:end]`` (uint8)."""
    return xxh64_at(np.intp(data.ctypes.data) + begin, end - begin, np.uint64(seed))


@njit(cache=True, nogil=True)
def xxh64_rows(data: np.ndarray, offsets: np.ndarray, seed: int) -> np.ndarray:
    """XXH64 of each ``data[offsets[i]:offsets[i + 1]]``, uint64."""
    out = np.empty(len(offsets) - 1, dtype=np.uint64)
    for row in range(len(out)):
        out[row] = xxh64(data, offsets[row], offsets[row + 1], seed)
    return out


@njit(inline="always")
def fmix32(value: np.uint32) -> np.uint32:
    """The MurmurHash3 finalizer for 32 bits."""
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value = np.uint32(value ^ (value >> np.uint32(13)))
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))
