"""What a content store is, and the one bounded way from a gzip body to checked bytes.

A store is named by SHA-1 of the plain bytes (``blob_id``, not the git id) and holds each blob as
one gzip member. Whoever wrote it is not trusted: nothing leaves a store that does not hash to its
name, and nothing is inflated beyond what was asked for.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable

from stackcurate.errors import Problem

# gzip makes incompressible bytes 0.03 % longer; a body beyond these bounds is no honest one.
_SLACK_BYTES = 1 << 16
_GZIP = 31  # wbits of zlib: a gzip header is required


def name_of(blob_id: bytes) -> str:
    """The name of a blob in a store, 40 hex digits; ValueError where the id is not 20 bytes."""
    if len(blob_id) != 20:
        raise ValueError(f"a blob id has 20 bytes, this one {len(blob_id)}")
    return bytes(blob_id).hex()


def body_bound(limit: int) -> int:
    """The most bytes a gzip body may have that holds ``limit`` bytes or fewer."""
    return limit + (limit >> 3) + _SLACK_BYTES


def unpack(chunks: Iterable[bytes], blob_id: bytes, limit: int) -> bytes | Problem:
    """Inflate one gzip member from ``chunks`` and check it against ``blob_id``.

    Never holds more than ``limit`` + 1 inflated bytes. ``too_large`` where there are more;
    ``corrupt`` for a broken or truncated body, anything after its end, or another SHA-1.
    """
    name = name_of(blob_id)
    inflater = zlib.decompressobj(_GZIP)
    pieces: list[bytes] = []
    left, bound = limit + 1, body_bound(limit)
    for chunk in chunks:
        bound -= len(chunk)
        if bound < 0:
            return Problem(name, "too_large", f"its gzip body is too long for {limit} bytes")
        if inflater.eof:
            if chunk:
                return Problem(name, "corrupt", "bytes follow the end of its gzip body")
            continue
        try:
            piece = inflater.decompress(chunk, left)
        except zlib.error:
            return Problem(name, "corrupt", "its gzip body is broken")
        pieces.append(piece)
        left -= len(piece)
        if left <= 0:
            return Problem(name, "too_large", f"longer than {limit} bytes")
        if inflater.unused_data:
            return Problem(name, "corrupt", "bytes follow the end of its gzip body")
    if not inflater.eof:
        return Problem(name, "corrupt", "its gzip body is truncated")
    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if hashlib.sha1(data, usedforsecurity=False).digest() != blob_id:
        return Problem(name, "corrupt", "its bytes have another SHA-1 than its name")
    return data
