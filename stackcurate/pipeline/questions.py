"""What a pass over the bytes asks of reviewers, about headers and files.

About headers that nobody can read for certain or that contradict their folder, and about files that
lie in an older repository under a refused license. One row per header (its words, or its words in
one repository) and per laundered file. What a reviewer is shown of a text is redacted here, before
it is written.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses.decided import words_at, words_id, words_of
from stackcurate.licenses.detect import UNDETERMINED
from stackcurate.licenses.inherit import OPEN
from stackcurate.licenses.review import APPROXIMATE, DOUBTFUL, MATCHER, NEAR, OWN, doubt
from stackcurate.redaction.alone import redact_records
from stackcurate.redaction.settings import Settings

FILE = "questions.arrow"
SHOWN = 40_000  # characters of a text that are kept for the reader, redacted: the GPL has 35,000
CONTEXT = 300  # bytes before and after the words in question that are shown
HEAD = 2_000  # bytes of a file that are shown where its header is not in question
QUESTIONS = pa.schema(
    [
        ("content_id", pa.string()),  # what a decision is about: see licenses.decided
        ("why", pa.string()),  # a word of licenses.review.WHY
        ("files", pa.int64()),
        ("origin", pa.string()),  # of the first file, as all that follows
        ("path", pa.string()),
        ("row", pa.int32()),
        ("expression", pa.string()),
        ("score", pa.float32()),
        ("rule", pa.string()),
        ("matcher", pa.string()),
        ("folder", pa.string()),  # what its folder states
        ("outcome", pa.string()),  # what the stage said to that: a verdict, null for none
        ("text", pa.string()),
    ]
)
CONFLICT, LAUNDERED = "header:conflict", "license:laundered"


def clean(texts: Iterable[tuple[bytes, str]]) -> Iterator[str]:
    """Texts (with the path of each) without personal data and secrets, cut at SHOWN characters.

    A value that redaction finds is never written.
    """
    records = (
        {"id": None, "path": path, "text": text.decode("utf-8", "replace")[:SHOWN]}
        for text, path in texts
    )
    return (str(row["text"]) for row in redact_records(records, Settings(sensitivity="strict")))


def of(batch: pa.Table) -> pa.Table:
    """About a batch that the stage `header` has judged: schema QUESTIONS, by content id."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    rows = _asked(batch)
    names = ["origin", "path", "row", "header_expression", "header_score", "header_rule",
             "header_matcher", "header_decided", "header_start", "header_end", "header_elsewhere",
             "folder_expression", "verdict", "content_id"]  # fmt: skip
    for at, row in zip(rows.to_pylist(), batch.select(names).take(rows).to_pylist(), strict=True):
        why = _why(row)
        if why is None:
            continue
        span = (0, 0) if why == "laundered" else (row["header_start"], row["header_end"])
        words = words_at(batch, at, *span)
        key = row["header_decided"] or _key(why, row, words)
        place = (row["origin"], row["path"])
        one = found.get((key, why))
        if one is None or place < one["place"]:
            files = one["files"] if one else 0
            found[key, why] = one = {**row, "files": files, "place": place, "at": at, "span": span}
        one["files"] += 1
    firsts = [found[key] for key in sorted(found)]
    shown = (_around(batch, one["at"], one["span"]) for one in firsts)
    texts = clean(zip(shown, (one["path"] for one in firsts), strict=True))
    told = zip(sorted(found), firsts, texts, strict=True)
    asked = [_row(*key, one, text) for key, one, text in told]
    return pa.Table.from_pylist(asked, schema=QUESTIONS)


def _key(why: str, row: dict[str, Any], words: bytes) -> str:
    """What a decision would be about."""
    if why == "laundered":
        return str(row["content_id"].hex())
    # What contradicts or points to other files means something in their repository only.
    here = why in ("conflict", "elsewhere")
    return words_of(row["origin"], words) if here else words_id(words)


def _around(batch: pa.Table, at: int, span: tuple[int, int]) -> bytes:
    """The lines of a file around a span; its first ones where there is none."""
    start, end = span
    if not end:
        return words_at(batch, at, 0, HEAD)
    text = words_at(batch, at, 0, end + CONTEXT)
    begin = text.rfind(b"\n", 0, max(0, start - CONTEXT)) + 1
    stop = text.rfind(b"\n", end)
    return text[begin : stop if stop >= 0 else None]


def _asked(batch: pa.Table) -> pa.Array:
    """The rows that may be doubtful, few of many."""
    matcher, said = batch["header_matcher"], batch["header_expression"]
    masks = [
        pc.is_in(batch["verdict"], pa.array([CONFLICT, LAUNDERED])),
        pc.is_in(batch["header_class"], pa.array(DOUBTFUL)),
        pc.is_in(matcher, pa.array([MATCHER, UNDETERMINED])),
        pc.match_substring(said, OWN),
        pc.and_(pc.match_substring(matcher, APPROXIMATE), pc.less(batch["header_score"], NEAR)),
    ]
    hit = functools.reduce(pc.or_, (pc.fill_null(mask, False) for mask in masks))
    laundered = pc.fill_null(pc.equal(batch["verdict"], LAUNDERED), False)
    hit = pc.and_(hit, pc.or_(pc.is_valid(said), laundered))
    nowhere = pc.and_(pc.equal(batch["license_state"], OPEN), pc.is_null(said))
    nowhere = pc.and_(nowhere, pc.is_valid(batch["header_elsewhere"]))
    return pc.indices_nonzero(pc.or_(hit, pc.fill_null(nowhere, False)))


def _why(row: dict[str, Any]) -> str | None:
    if row["verdict"] == LAUNDERED:
        return "laundered"
    if row["header_expression"] is None:
        return "elsewhere"
    said = {name: row[f"header_{name}"] for name in ("expression", "matcher", "score")}
    why = doubt(said)  # who cannot read the words cannot tell that they contradict
    return why or ("conflict" if row["verdict"] == CONFLICT else None)


def _row(key: str, why: str, one: dict[str, Any], text: str) -> dict[str, Any]:
    said = {name: one[f"header_{name}"] for name in ("expression", "score", "rule", "matcher")}
    said["expression"] = said["expression"] or one["header_elsewhere"]
    kept = {name: one[name] for name in ("files", "origin", "path", "row")}
    folder = one["folder_expression"] or "nothing stated"
    more = {"folder": folder, "outcome": one["verdict"], "text": text}
    return {"content_id": key, "why": why, **kept, **said, **more}
