"""Compiles the kernels of licenses once, before many processes would each do so.

numba keeps what it compiled beside the code (or where NUMBA_CACHE_DIR says). Where nothing is kept
yet, the first text costs a minute of processor and 0.7 GB.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from stackcurate.licenses import align, heads, matcher, query, refine, texts, words
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.header import headers
from stackcurate.licenses.names import LICENSE_FILE
from stackcurate.licenses.scancode import Judge

NOTE = "first use on this machine: compiling the license matcher, about a minute"
# The last to be compiled of each part; the others are there when these are.
_LAST: tuple[Any, ...] = (
    heads.find_tags, heads.find_speaking, words._words, texts._scan, query._read,
    align.candidates, matcher._approximate, refine.refine,
)  # fmt: skip
_TEXT = b"""Redistribution and use in source and other forms, with some changes, are permitted
provided that the following terms are met: redistributions of source code must keep this notice,
and this software is provided as is, without any warranty.
"""
_SHORT = b"Licensed under the MIT license; see the file LICENSE for its details.\n"


def is_cold() -> bool:
    """Whether the kernels must be compiled; False also where numba does not say."""
    try:
        return any(not kernel._cache._cache_file._load_index() for kernel in _LAST)
    except AttributeError:
        return False


def compile_kernels(_: object = None) -> None:
    """Compile every kernel of this room, or load it."""
    for text in (_TEXT, _SHORT):
        detect_texts([Text(b"", "LICENSE", LICENSE_FILE, text)], Cache(), Judge(1))
    headers(pa.array([b"# " + _TEXT.replace(b"\n", b"\n# ")], pa.large_binary()))
