"""Measures what a text looks like, so that a policy can drop by numbers that anyone can check.

Definitions (`schema.SIGNALS`; after the filters of The Stack v2, reference section 7):

- ``num_lines``: ended by ``\\n``, ``\\r\\n`` or ``\\r``; a last line without an end counts too.
- ``avg_line_length``, ``max_line_length``: characters (Unicode) without the line's end.
- ``alpha_fraction``, ``alphanum_fraction``: letters (and digits) per character.
- ``encoded_fraction``, ``max_encoded_run``: see `kernels.encoded.count_encoded`.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa

from stackcurate import schema
from stackcurate.kernels import encoded, text

Column: TypeAlias = pa.Array | pa.ChunkedArray
_MOST = np.iinfo(np.int32).max  # what a column of counts holds


def buffers(contents: Column) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Data (uint8), offsets (int64, n + 1) and validity (bool, n) of a string or binary column."""
    array = contents
    if isinstance(array, pa.ChunkedArray):
        # One chunk is taken as it is: combining would copy it.
        array = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # what no chunks combine to
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if not pa.types.is_large_binary(array.type):
        array = array.cast(pa.large_binary())
    valid = np.asarray(array.is_valid())
    _, offsets, data = array.buffers()
    if offsets is None or len(array) == 0:
        return np.zeros(1, np.uint8), np.zeros(len(array) + 1, np.int64), valid
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    body = np.frombuffer(data, np.uint8) if data and data.size else np.zeros(1, np.uint8)
    return body, ends, valid


def signals(contents: Column) -> pa.Table:
    """The SIGNALS columns of texts (string or binary, large or not), null where null."""
    data, offsets, valid = buffers(contents)
    rows = len(valid)
    lines, chars, ends, longest, alpha, alphanum, covered, run = np.zeros((8, rows), np.int64)
    byte_class = text.classes()
    text.count_text(
        data, offsets, byte_class, text.letters(), lines, chars, ends, longest, alpha, alphanum
    )
    encoded.count_encoded(data, offsets, byte_class, covered, run)
    whole = np.maximum(chars, 1)
    columns = {
        "num_lines": lines,
        "avg_line_length": (chars - ends) / np.maximum(lines, 1),
        "max_line_length": longest,
        "alpha_fraction": alpha / whole,
        "alphanum_fraction": alphanum / whole,
        "encoded_fraction": covered / whole,
        "max_encoded_run": run,
    }
    return pa.table(
        [
            pa.array(np.minimum(columns[field.name], _MOST), mask=~valid).cast(field.type)
            for field in schema.SIGNALS
        ],
        schema=schema.SIGNALS,
    )
