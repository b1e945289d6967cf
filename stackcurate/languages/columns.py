"""Arrow columns as the buffers and heads that detection reads, contents uncopied."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa

from stackcurate.kernels import text

Column: TypeAlias = pa.Array | pa.ChunkedArray


def one_array(column: Column, kind: pa.DataType) -> pa.Array:
    """``column`` as one contiguous array of type ``kind``."""
    if isinstance(column, pa.ChunkedArray):
        column = column.cast(kind).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0) if column.num_chunks else pa.array([], kind)
    return column if column.type == kind else column.cast(kind)


def data_and_offsets(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Data (uint8) and offsets (int64, n + 1) of a large_binary array, not copied."""
    _, offsets, data = array.buffers()
    if offsets is None or len(array) == 0:
        return np.zeros(1, np.uint8), np.zeros(len(array) + 1, np.int64)
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data, np.uint8) if data and data.size else np.zeros(1, np.uint8), ends


def heads(array: pa.Array, lines: int, limit: int) -> pa.Array:
    """The first ``lines`` lines, at most ``limit`` bytes, as large_binary; null as empty."""
    data, offsets = data_and_offsets(array)
    ends = np.empty(len(array), np.int64)
    text.head_ends(data, offsets, lines, limit, ends)
    sizes = ends - offsets[:-1]
    where = np.zeros(len(array) + 1, np.int64)
    np.cumsum(sizes, out=where[1:])
    body = np.empty(where[-1], np.uint8)
    text.gather(data, offsets, where, body)
    return pa.Array.from_buffers(
        pa.large_binary(), len(array), [None, pa.py_buffer(where), pa.py_buffer(body)]
    )


def texts(column: Column) -> pa.Array:
    """A column of names as large_string; bytes that are not UTF-8 become U+FFFD."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return one_array(column, pa.large_string())
    names = [
        None if name is None else name.decode("utf-8", "replace") for name in column.to_pylist()
    ]
    return pa.array(names, pa.large_string())
