"""Redaction for people with a pipeline of their own: one record in, one record out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from .find import Span
from .settings import Settings
from .stable import rewritten

BATCH = 8 << 20  # characters per scan


def redact_records(
    records: Iterable[Mapping[str, Any]], settings: Settings, engine: str | None = None
) -> Iterator[dict[str, Any]]:
    """For each record with ``id``, ``path`` and ``text``: ``id``, ``text`` and ``findings``.

    ``findings`` hold rule, kind, start, end and confidence; start and end count Unicode characters
    of the *given* text. ``text`` null (or absent) gives ``text`` and ``findings`` null. Every
    result depends on its record alone.
    """
    batch: list[Mapping[str, Any]] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.get("text") or "")
        if size >= BATCH:
            yield from _batch(batch, settings, engine)
            batch, size = [], 0
    yield from _batch(batch, settings, engine)


def _batch(
    records: list[Mapping[str, Any]], settings: Settings, engine: str | None
) -> Iterator[dict[str, Any]]:
    # A lone surrogate (JSON can hold one) is not text; it stands for itself as a question mark.
    raw = [(record.get("text") or "").encode("utf-8", "replace") for record in records]
    contents = pa.array([one.decode() for one in raw], pa.large_string())
    paths = pa.array([record.get("path") or "" for record in records], pa.string())
    ids = pa.array([git_blob_id(one) for one in raw], pa.binary(20))
    shipped = rewritten(contents, paths, ids, settings, engine)
    for row, record in enumerate(records):
        out: dict[str, Any] = {"id": record.get("id"), "text": None, "findings": None}
        if record.get("text") is not None:
            text, placed = shipped.get(row, (raw[row], []))
            out["text"] = text.decode()
            out["findings"] = list(_findings(raw[row], [one.span for one in placed]))
        yield out


def _findings(text: bytes, spans: list[Span]) -> Iterator[dict[str, Any]]:
    at = characters = 0
    for span in spans:
        start = characters + len(text[at : span.start].decode("utf-8", "ignore"))
        end = start + len(text[span.start : span.end].decode("utf-8", "ignore"))
        at, characters = span.end, end
        yield {
            "rule": span.rule.id,
            "kind": span.rule.kind,
            "start": start,
            "end": end,
            "confidence": round(span.confidence, 4),
        }


def git_blob_id(text: bytes) -> bytes:
    """The content id (20 bytes) that git and Software Heritage give to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).digest()
