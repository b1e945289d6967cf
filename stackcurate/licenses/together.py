"""Folders whose license texts and manifests contradict each other, for people to decide about.

`folder.decide` lets the stricter side bind. Where the policy refuses the outcome and lets in what
one of the sides says, a person may know better; a decision is about the texts together, by the
digest of their ids, so that it holds for every folder that states just this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses import names, pointers
from stackcurate.licenses.decided import words_id
from stackcurate.licenses.detect import evidence_id
from stackcurate.licenses.expression import license_class, normalize
from stackcurate.licenses.folder import Statement, decide
from stackcurate.licenses.inherit import voice_of
from stackcurate.licenses.paths import about_paths
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.licenses.review import TOGETHER, Decision, said_in
from stackcurate.schema import one_chunk

CONFLICTS = pa.schema(
    [
        ("content_id", pa.string()),  # of the texts together: what a decision is about
        ("root", pa.string()),
        ("folder", pa.string()),  # "" is the root
        ("expression", pa.string()),  # what the folder states now
        ("evidence", pa.list_(pa.string())),  # ids of the statements
        ("text", pa.string()),  # a line for each: file and expression
        ("why", pa.string()),  # together, or decided
    ]
)
Rows = Sequence[Mapping[str, Any]]


def settle(
    said: pa.Table, decided: Mapping[str, Decision], settings: LicenseSettings
) -> tuple[pa.Table, pa.Table]:
    """Statements (columns of EVIDENCE, ``root``, ``path``) as people decided about folders, and
    the folders whose statements contradict each other: schema CONFLICTS.
    """
    kinds = pa.array([names.LICENSE_FILE, names.MANIFEST])
    asked = pc.and_(pc.is_in(said["kind"], kinds), pc.is_valid(said["expression"]))
    at = pc.indices_nonzero(one_chunk(pa.table({"asked": asked}), "asked"))
    columns = ["root", "path", "content_id", "kind", "expression", "evidence_id", "rule", "start",
               "end"]  # fmt: skip
    rows = said.select(columns).take(at).to_pylist()
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    # What speaks of single files (debian/copyright) has its own word for the folder.
    files = said.select(["root", "path", "rule"]).filter(pc.starts_with(said["rule"], "paths:"))
    apart = {(row["root"], row["path"]) for row in files.to_pylist() if about_paths(row["rule"])}
    for number, row in enumerate(rows):
        if (row["root"], row["path"]) not in apart and not pointers.is_pointer(row["rule"]):
            groups[row["root"], voice_of(row["path"])].append(number)
    found: list[dict[str, Any]] = []
    changed: dict[int, tuple[Mapping[str, Any], Decision]] = {}
    for (root, folder), numbers in sorted(groups.items()):
        mine = [rows[number] for number in numbers]
        if len({row["expression"] for row in mine}) < 2:
            continue
        key = together_id(mine)
        one = decided.get(key)
        if one is not None:
            changed |= {at[number].as_py(): (rows[number], one) for number in numbers}
        if one is not None or _contradict(mine, settings):
            why = "together" if one is None else "decided"
            found.append({"content_id": key, "root": root, "folder": folder, "why": why,
                          **_told(mine)})  # fmt: skip
    conflicts = pa.Table.from_pylist(found, schema=CONFLICTS)
    return (_changed(said, changed) if changed else said), conflicts


def together_id(rows: Rows) -> str:
    """The id of texts together: of a file with a line for each of their ids, sorted."""
    lines = [f"{one}\n" for one in sorted({row["content_id"] for row in rows})]
    return words_id("".join(lines).encode())


def _outcome(rows: Rows) -> str | None:
    statements = [
        Statement(row["kind"], row["path"].rpartition("/")[2], row["expression"],
                  row["evidence_id"], row["rule"] or "", row["start"] or 0)
        for row in rows
    ]  # fmt: skip
    outcome = decide(statements)
    return outcome[0] if outcome else None


def _contradict(rows: Rows, settings: LicenseSettings) -> bool:
    """Whether the folder is refused though one of its statements is not."""

    def let_in(expression: str | None) -> bool:
        return license_class(expression, settings.overrides) in settings.allowed

    return not let_in(_outcome(rows)) and any(let_in(row["expression"]) for row in rows)


def _told(rows: Rows) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: (row["path"], row["expression"]))
    lines = dict.fromkeys(f"{row['path']}: {row['expression']}" for row in ordered)
    evidence = sorted({row["evidence_id"] for row in rows})
    return {"expression": _outcome(rows), "evidence": evidence, "text": "\n".join(lines)}


def _changed(said: pa.Table, changed: Mapping[int, tuple[Mapping[str, Any], Decision]]) -> pa.Table:
    """Statements as decided, in the place of those at some rows."""
    told = said.to_pylist()
    for at, (row, one) in changed.items():
        expression = normalize(one.expression or "")
        key = evidence_id(row["content_id"], row["kind"], row["start"], row["end"], expression)
        told[at] |= {"expression": expression, "evidence_id": key, "score": 100.0,
                     "rule": said_in(one), "matcher": TOGETHER, "detector": one.who}  # fmt: skip
    return pa.Table.from_pylist(told, schema=said.schema)
