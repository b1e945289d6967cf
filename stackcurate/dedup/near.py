"""Signatures and shingle sets of texts: Arrow in, Arrow out, the kernels between.

A file's *shingles* are the different word n-grams of its text below its license header. Too few
tokens, or more than the kernels' bounds, count as none: such files are compared exactly only.
"""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pyarrow as pa

from stackcurate.dedup.header import header_ends
from stackcurate.dedup.settings import Settings
from stackcurate.kernels.minhash import permutations, sign_texts
from stackcurate.kernels.shingles import shingle_sets

SIGNATURE_BYTES = 2  # kept of each value


def signatures(contents: pa.Array, settings: Settings, skip: np.ndarray | None = None) -> pa.Table:
    """One row per text of ``contents`` (string or binary; null as the empty text).

    Texts where ``skip`` (bool[n]) is true are not looked at and have no shingles: copies of others.

    Columns: ``shingles`` int32, the number of different shingles, 0 where the file has none to
    compare; ``signature`` fixed-size binary of 2 * permutations bytes, null where ``shingles`` is
    0: of each value of datasketch's signature the lower 16 bits (little-endian). Different values
    agree in them once in 65,536, which a band of several values does not feel, and it is half the
    bytes of everything that is kept and sent.
    """
    data, begins, ends = _stretches(contents, settings)
    if skip is not None:
        ends = np.where(skip, begins, ends)
    a, b = permutations(settings.permutations, settings.seed)
    counts, values = sign_texts(data, begins, ends, settings.ngram, a, b)
    valid = pa.array(counts > 0)
    signature = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(SIGNATURE_BYTES * settings.permutations),
        len(counts),
        [_bitmap(valid), pa.py_buffer(values.astype("<u2"))],
    )
    return pa.table({"shingles": pa.array(counts), "signature": signature})


def sets(contents: pa.Array, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """The shingle sets: (offsets int64[n + 1], 64-bit hashes, ascending in each set)."""
    data, begins, ends = _stretches(contents, settings)
    return shingle_sets(data, begins, ends, settings.ngram)


def _stretches(contents: pa.Array, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bytes of all texts, and where the compared part of each begins and ends."""
    data, offsets = text_buffers(contents)
    begins = header_ends(data, offsets) if settings.skip_header else offsets[:-1]
    return data, begins, offsets[1:]


def fixed_array(values: np.ndarray, width: int) -> pa.Array:
    """Rows of ``width`` bytes each as a fixed-size binary array."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(values))]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), buffers)


def digests_of(contents: pa.Array) -> pa.Array:
    """SHA-256 of each text, as 32 bytes."""
    data, offsets = text_buffers(contents)
    view = memoryview(data.data)
    places = offsets.tolist()
    found = b"".join(
        hashlib.sha256(view[begin:end]).digest() for begin, end in itertools.pairwise(places)
    )
    return fixed_array(np.frombuffer(found, np.uint8).reshape(-1, 32), 32)


def text_buffers(contents: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(bytes uint8, offsets int64[n + 1]) of an array of texts, without a copy where it can be.

    Nulls must be empty stretches, so an array with nulls is filled first.
    """
    if contents.null_count:
        empty = "" if pa.types.is_string(contents.type) or _is_large_string(contents) else b""
        contents = contents.fill_null(empty)
    if not (_is_large_string(contents) or pa.types.is_large_binary(contents.type)):
        contents = contents.cast(pa.large_binary())
    _, offset_buffer, bytes_buffer = contents.buffers()
    if len(contents) == 0 or bytes_buffer is None:
        return np.zeros(0, np.uint8), np.zeros(len(contents) + 1, np.int64)
    offsets = np.frombuffer(offset_buffer, np.int64)
    data = np.frombuffer(bytes_buffer, np.uint8)
    return data, offsets[contents.offset : contents.offset + len(contents) + 1]


def _is_large_string(contents: pa.Array) -> bool:
    return pa.types.is_large_string(contents.type)


def _bitmap(valid: pa.Array) -> pa.Buffer | None:
    return None if valid.true_count == len(valid) else valid.buffers()[1]
