"""A second look at a release: the detectors run again over what shipped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from stackcurate.redaction.redact import redact
from stackcurate.redaction.settings import Settings
from stackcurate.schema import one_chunk

_FOUND = pa.schema(
    [
        ("row_key", pa.string()),
        ("rule", pa.string()),
        ("kind", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("confidence", pa.float32()),
        ("fails", pa.bool_()),
    ]
)


def rescanner(manifest: Mapping[str, Any]) -> Callable[[pa.Table], pa.Table]:
    """A rescan for `verify`: what the release's own settings would redact fails it.

    What only a strict scan sees is listed. Kinds that the release marks instead of redacting stay
    in the text on purpose and do not fail.
    """
    own = Settings(**(manifest["config"].get("redact") or {}))
    strict = dataclasses.replace(
        own, sensitivity="strict", kinds=(), rules=(), attribution="redact"
    )
    stages = manifest["config"].get("stages")
    redacts = stages is None or "redact" in stages

    def rescan(batch: pa.Table) -> pa.Table:
        fails = _scan(batch, own) if redacts else []
        known = {(row["row_key"], row["start"], row["end"]) for row in fails}
        seen = [
            row
            for row in _scan(batch, strict)
            if (row["row_key"], row["start"], row["end"]) not in known
        ]
        rows = [{**row, "fails": row["kind"] not in own.mark} for row in fails]
        rows += [{**row, "fails": False} for row in seen]
        return pa.Table.from_pylist(rows, schema=_FOUND)

    return rescan


def _scan(batch: pa.Table, settings: Settings) -> list[dict[str, Any]]:
    ids = [bytes.fromhex(value) for value in batch["content_id"].to_pylist()]
    found = redact(
        one_chunk(batch, "content").cast(pa.large_string()),
        one_chunk(batch, "path"),
        pa.array(ids, pa.binary(20)),
        settings,
    )
    rows = []
    for key, findings in zip(batch["row_key"].to_pylist(), found.findings.to_pylist(), strict=True):
        for one in findings or ():
            rows.append({"row_key": key, **{n: one[n] for n in _FOUND.names[1:6]}})
    return rows
