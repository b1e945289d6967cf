"""Names languages for people with their own pipeline: records in, one record out for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import pyarrow as pa

from stackcurate.languages.detect import detect

BATCH_RECORDS = 1000
BATCH_BYTES = 64 << 20  # contents held at once


def languages(records: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield ``{id, language, method, confidence}`` per ``{id, path, text | content}``, in order.

    ``text`` is a string, ``content`` bytes; a record without either is named by its path alone, and
    one without a path by its content alone. Undecided is null.
    """
    source = iter(records)
    while batch := _next_batch(source):
        paths = [record.get("path") or "" for record, _ in batch]
        found = detect(
            pa.array(paths, pa.large_string()),
            pa.array([content for _, content in batch], pa.large_binary()),
        )
        for (record, _), row in zip(batch, found.to_pylist(), strict=True):
            yield {
                "id": record.get("id"),
                "language": row["language"],
                "method": row["language_method"],
                "confidence": _short(row["language_confidence"]),
            }


def _next_batch(
    source: Iterator[Mapping[str, Any]],
) -> list[tuple[Mapping[str, Any], bytes | None]]:
    batch: list[tuple[Mapping[str, Any], bytes | None]] = []
    size = 0
    for record in islice(source, BATCH_RECORDS):
        content = _content(record)
        batch.append((record, content))
        size += len(content or b"")
        if size >= BATCH_BYTES:
            break
    return batch


def _content(record: Mapping[str, Any]) -> bytes | None:
    text = record.get("text")
    if text is not None:
        return str(text).encode("utf-8", "replace")
    return record.get("content")


def _short(value: float | None) -> float | None:
    """A confidence as it was written: 0.6, not the 32-bit number nearest to it."""
    return None if value is None else round(value, 6)
