"""The review queue of a run: doubtful license texts, by how many files they decide."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc

from stackcurate.licenses.decode import text_of
from stackcurate.licenses.review import queue
from stackcurate.pipeline.evidence import TARGETS, Evidence
from stackcurate.redaction.alone import redact_records
from stackcurate.redaction.settings import Settings
from stackcurate.storage import partitions
from stackcurate.storage.exchange import read_exchange

FILE = "review.jsonl"
MOST = 10_000  # texts of a queue
SHOWN = 4_000  # characters of a text that are kept for the reader, redacted


def _clean(text: str, path: str) -> str:
    """The text without personal data and secrets: a value that redaction finds is never written."""
    record = {"id": None, "path": path, "text": text}
    (row,) = redact_records([record], Settings(sensitivity="strict"))
    return str(row["text"])


def write_review(folder: Path, evidence: Evidence, decided: Sequence[Path]) -> None:
    """Write the queue into the run folder; it stays with the maintainer and never ships."""
    files: Counter[str] = Counter()
    for place in decided:
        rows = partitions.read_arrow(place / "rows.arrow", ["license_evidence"])
        for one in pc.value_counts(rows["license_evidence"].combine_chunks()).to_pylist():
            files[one["values"] or ""] += one["counts"]
    found = queue(evidence.table(), files)[:MOST]
    wanted = {row["content_id"] for row in found}
    texts: dict[str, tuple[str, str]] = {}
    controls = [place / "controls.arrow" for place in evidence.controls]
    for target in range(TARGETS if wanted and controls else 0):
        rows = read_exchange(controls, target).select(["content_id", "path", "data"])
        for row in rows.to_pylist():
            content_id = row["content_id"].hex()
            if content_id in wanted and row["path"] < texts.get(content_id, ("\U0010ffff",))[0]:
                text = text_of(row["data"]).data.decode("utf-8", "replace")
                texts[content_id] = (row["path"], _clean(text[:SHOWN], row["path"]))
    lines = []
    for row in found:
        path, text = texts.get(row["content_id"], ("", ""))
        lines.append(json.dumps({**row, "path": path, "text": text}, ensure_ascii=False))
    part = folder / f".{FILE}"
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(folder / FILE)
