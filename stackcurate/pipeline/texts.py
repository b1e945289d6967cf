"""The license texts of a release: what its evidence points at, decoded and redacted, each once."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses.decode import text_of
from stackcurate.licenses.notices import TEXTS
from stackcurate.pipeline.evidence import CONTROL, TARGETS, Evidence
from stackcurate.redaction.alone import redact_records
from stackcurate.redaction.settings import Settings as RedactSettings
from stackcurate.storage.exchange import read_exchange


def license_texts(evidence: Evidence, used: pa.Table, redact: RedactSettings | None) -> pa.Table:
    """The texts behind ``used`` (schema EVIDENCE) that are control files; schema TEXTS, sorted.

    Headers are left out: their files ship. Names of authors stay, as their notices ask; addresses
    and secrets go where ``redact`` is given, as they do in the files.
    """
    kinds = dict(zip(used["content_id"].to_pylist(), used["kind"].to_pylist(), strict=True))
    wanted = {bytes.fromhex(one) for one, kind in kinds.items() if one and kind != "header"}
    controls = [folder / "controls.arrow" for folder in evidence.controls]
    tables = []
    for target in range(TARGETS if controls else 0):
        rows = read_exchange(controls, target)
        rows = rows.filter(
            pc.is_in(rows["content_id"], pa.array(sorted(wanted), CONTROL.field("content_id").type))
        )
        tables.append(pa.Table.from_pylist(_texts(rows, kinds, redact), schema=TEXTS))
    return pa.concat_tables([TEXTS.empty_table(), *tables]).sort_by("content_id")


def _texts(
    rows: pa.Table, kinds: dict[str, str], redact: RedactSettings | None
) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in rows.select(["content_id", "path", "data"]).to_pylist():
        content_id = row["content_id"].hex()
        if content_id not in found:
            text = text_of(row["data"]).data.decode("utf-8", "replace")
            found[content_id] = {"id": content_id, "path": row["path"], "text": text}
    records = [found[key] for key in sorted(found)]
    if redact is not None:
        # A text lies at many paths; its name must not depend on which was read first.
        given = [{"id": one["id"], "path": "/LICENSE", "text": one["text"]} for one in records]
        records = list(redact_records(given, redact))
    return [
        {"content_id": one["id"], "kind": kinds[one["id"]], "text": one["text"]} for one in records
    ]
