"""The review queue of a run: doubtful license texts, by how many files they decide."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses.review import doubtful, queue
from stackcurate.pipeline.evidence import Evidence
from stackcurate.redaction.alone import redact_records
from stackcurate.redaction.settings import Settings
from stackcurate.schema import EVIDENCE
from stackcurate.storage import partitions

FILE = "review.jsonl"
MOST = 10_000  # texts of a queue
SHOWN = 40_000  # characters of a text that are kept for the reader, redacted: the GPL has 35,000


def _clean(text: str, path: str) -> str:
    """The text without personal data and secrets: a value that redaction finds is never written."""
    record = {"id": None, "path": path, "text": text}
    (row,) = redact_records([record], Settings(sensitivity="strict"))
    return str(row["text"])


def write_review(folder: Path, evidence: Evidence, decided: Sequence[Path]) -> None:
    """Write the queue into the run folder; it stays with the maintainer and never ships."""
    doubts = [_doubtful(evidence.share(number)) for number in range(evidence.shares)]
    table = pa.concat_tables([EVIDENCE.empty_table(), *doubts])
    found = queue(table, _decides(table["evidence_id"].combine_chunks(), decided))[:MOST]
    wanted = pa.array(sorted({row["content_id"] for row in found}), pa.string())
    texts = {
        row["content_id"]: (row["path"], _clean(row["text"][:SHOWN], row["path"]))
        for some in (evidence.texts(wanted) if found else ())
        for row in some.to_pylist()
    }
    lines = []
    for row in found:
        path, text = texts.get(row["content_id"], ("", ""))
        lines.append(json.dumps({**row, "path": path, "text": text}, ensure_ascii=False))
    part = folder / f".{FILE}"
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(folder / FILE)


def _doubtful(evidence: pa.Table) -> pa.Table:
    return evidence.filter(pa.array([doubtful(row) for row in evidence.to_pylist()], pa.bool_()))


def _decides(ids: pa.Array, decided: Sequence[Path]) -> dict[str, int]:
    """The number of files that each of these statements decides."""
    counts = np.zeros(len(ids), np.int64)
    for place in decided:
        rows = partitions.read_arrow(place / "rows.arrow", ["license_evidence"])
        at = pc.index_in(rows["license_evidence"], ids).drop_null().to_numpy()
        counts += np.bincount(at, minlength=len(ids))
    return dict(zip(ids.to_pylist(), counts.tolist(), strict=True))
