"""Redaction of a batch: find, number, replace; files without a finding keep their bytes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..schema import FINDING
from .digests import keyed
from .replace import Placed
from .settings import Settings
from .stable import rewritten


@dataclass(frozen=True)
class Redacted:
    """``contents``: what ships; ``findings``: list of ``schema.FINDING`` per row, in its bytes.

    ``digests``: list of ``digests.DIGEST`` per row, where the settings name a key.
    """

    contents: pa.LargeStringArray
    findings: pa.ListArray
    digests: pa.ListArray | None = None


def redact(
    contents: pa.LargeStringArray,
    paths: pa.Array,
    content_ids: pa.Array,
    settings: Settings,
    engine: str | None = None,
) -> Redacted:
    """Replace what ``settings`` ask for in ``contents`` (no nulls).

    ``paths`` (string) and ``content_ids`` (20 bytes each) have the same length. Every row's result
    depends on that row alone. ``engine`` names the scan engine, see ``scan.ENGINES``; all give the
    same findings.
    """
    with _uncollected():
        shipped = rewritten(contents, paths, content_ids, settings, engine)
        texts = {row: text for row, (text, _) in shipped.items()}
        placed = {row: places for row, (_, places) in shipped.items()}
        where = settings.digest_key
        digests = keyed(len(contents), placed, where) if where else None
        return Redacted(_assembled(contents, texts), _findings(len(contents), placed), digests)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage meanwhile: a batch makes many objects, none of them in a cycle."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _assembled(contents: pa.LargeStringArray, texts: dict[int, bytes]) -> pa.LargeStringArray:
    """``contents`` with the rows of ``texts`` exchanged; runs of others are copied as one piece."""
    if not texts:
        return contents
    _, raw_offsets, raw = contents.buffers()
    offsets = np.frombuffer(raw_offsets, np.int64)
    offsets = offsets[contents.offset : contents.offset + len(contents) + 1]
    lengths = np.diff(offsets)
    for row, text in texts.items():
        lengths[row] = len(text)
    bounds = np.zeros(len(contents) + 1, np.int64)
    np.cumsum(lengths, out=bounds[1:])
    # Arrow's memory, not that of bytes: its pages are large and used again batch after batch.
    buffer = pa.allocate_buffer(int(bounds[-1]))
    source, target = np.frombuffer(raw, np.uint8), np.frombuffer(buffer, np.uint8)
    at = 0
    for row, text in texts.items():
        target[bounds[at] : bounds[row]] = source[offsets[at] : offsets[row]]
        target[bounds[row] : bounds[row + 1]] = np.frombuffer(text, np.uint8)
        at = row + 1
    target[bounds[at] :] = source[offsets[at] : offsets[-1]]
    return pa.LargeStringArray.from_buffers(len(contents), pa.py_buffer(bounds), buffer)


def _findings(rows: int, placed: dict[int, list[Placed]]) -> pa.ListArray:
    """The findings as a column; no value is in it."""
    counts = np.zeros(rows + 1, np.int32)
    for row, group in placed.items():
        counts[row + 1] = len(group)
    flat = [one for group in placed.values() for one in group]
    columns = [
        pa.array([one.span.rule.id for one in flat], pa.string()),
        pa.array([one.span.rule.kind for one in flat], pa.string()),
        pa.array([one.start for one in flat], pa.int64()),
        pa.array([one.end for one in flat], pa.int64()),
        pa.array([one.number for one in flat], pa.int32()),
        pa.array([round(one.span.confidence, 4) for one in flat], pa.float32()),
    ]
    structs = pa.StructArray.from_arrays(columns, fields=list(FINDING))
    offsets = pa.array(np.cumsum(counts, dtype=np.int32), pa.int32())
    return pa.ListArray.from_arrays(offsets, structs)
