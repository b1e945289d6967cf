"""The review queue of a run: what a person should look at, by how many files it decides.

Texts of licenses come from the control files, headers and laundered files from the pass over the
bytes. It stays with the maintainer and never ships.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses.expression import license_class
from stackcurate.licenses.layout import is_info
from stackcurate.licenses.names import folders_above
from stackcurate.licenses.review import MOST, doubt, order, queue
from stackcurate.pipeline import questions
from stackcurate.pipeline.evidence import Evidence
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.older import laundered, stands
from stackcurate.schema import EVIDENCE, one_chunk
from stackcurate.storage import partitions

FILE = "review.jsonl"

Entry = dict[str, Any]


def write_review(
    folder: Path,
    evidence: Evidence,
    found: Sequence[Partition],
    decided: Sequence[Path],
    bodies: Sequence[Body],
    older: Mapping[int, Path],
) -> None:
    """Write the queue into the run folder: the MOST entries that decide most files."""
    entries = [*_texts(evidence, decided), *_folders(evidence.conflicts(), found, decided),
               *_headers(bodies), *_copies(bodies, older)]  # fmt: skip
    entries.sort(key=order)
    lines = [json.dumps(_plain(one), ensure_ascii=False) for one in entries[:MOST]]
    part = folder / f".{FILE}"
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(folder / FILE)


def _plain(one: Entry) -> Entry:
    """An entry whose score is not shown with the digits of a 32-bit number."""
    return one | {"score": None if one["score"] is None else round(one["score"], 2)}


# --- texts of licenses ----------------------------------------------------------------------------


def _texts(evidence: Evidence, decided: Sequence[Path]) -> list[Entry]:
    asked = [_doubtful(evidence.share(number)) for number in range(evidence.shares)]
    table = pa.concat_tables([EVIDENCE.empty_table(), *asked])
    counts = _decides(table["evidence_id"].combine_chunks(), decided)
    # What decides nothing need not be decided.
    found = [one for one in queue(table, counts) if one["files"]][:MOST]
    wanted = pa.array(sorted({row["content_id"] for row in found}), pa.string())
    texts = {}
    for some in evidence.texts(wanted) if found else ():
        rows = some.to_pylist()
        shown = questions.clean((row["text"].encode(), row["path"]) for row in rows)
        for row, text in zip(rows, shown, strict=True):
            texts[row["content_id"]] = (row["path"], text)
    for row in found:
        row["path"], row["text"] = texts.get(row["content_id"], ("", ""))
    return found


def _doubtful(evidence: pa.Table) -> pa.Table:
    rows = evidence.to_pylist()
    return evidence.filter(pa.array([doubt(row) is not None for row in rows], pa.bool_()))


def _decides(ids: pa.Array, decided: Sequence[Path]) -> dict[str, int]:
    """The number of files that each of these statements decides."""
    counts = np.zeros(len(ids), np.int64)
    for place in decided:
        rows = partitions.read_arrow(place / "rows.arrow", ["license_evidence"])
        at = pc.index_in(rows["license_evidence"], ids).drop_null().to_numpy()
        counts += np.bincount(at, minlength=len(ids))
    return dict(zip(ids.to_pylist(), counts.tolist(), strict=True))


# --- folders --------------------------------------------------------------------------------------


def _folders(
    conflicts: pa.Table, found: Sequence[Partition], decided: Sequence[Path]
) -> Iterator[Entry]:
    """Entries for folders that contradict themselves; those that state the same are one of them."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for one in conflicts.to_pylist():
        groups[one["content_id"]].append(one)
    files, origins = _below(conflicts, found, decided) if groups else ({}, {})
    for key, some in groups.items():
        first = min(some, key=lambda one: (origins.get(one["root"], ""), one["folder"]))
        yield {
            "files": sum(files.get((one["root"], one["folder"]), 0) for one in some),
            "content_id": key,
            "kind": "folder",
            "origin": origins.get(first["root"], ""),
            "path": first["folder"] or "/",
            "license_class": license_class(first["expression"]),
            "matcher": "folder", "score": 100.0, "rule": "",
            **{name: first[name] for name in ("why", "expression", "text")},
        }  # fmt: skip


def _below(
    conflicts: pa.Table, found: Sequence[Partition], decided: Sequence[Path]
) -> tuple[dict[tuple[str, str], int], dict[str, str]]:
    """Files that each (root, folder) decides, and the origin of each root."""
    ids = pc.list_flatten(conflicts["evidence"]).unique()
    roots = one_chunk(conflicts, "root").unique()
    told = conflicts.to_pylist()
    folders = {(one["root"], one["folder"]) for one in told}
    # The papers of a package lie beside what they speak for.
    papers = [one for one in told if is_info(one["folder"])]
    beside = {(one["root"], key): one["folder"] for one in papers for key in one["evidence"]}
    files: dict[tuple[str, str], int] = defaultdict(int)
    origins: dict[str, str] = {}
    for part, place in zip(found, decided, strict=True):
        said = partitions.read_arrow(place / "rows.arrow", ["license_evidence", "head"])
        listed = partitions.read_arrow(part.path, ["root", "path"])
        mine = pc.and_(pc.is_in(said["license_evidence"], ids), pc.is_in(listed["root"], roots))
        heads = partitions.read_arrow(part.heads, ["origin"])
        rows = listed.filter(mine)
        hits = said.filter(mine)
        names = heads["origin"].take(hits["head"]).to_pylist()
        keys = hits["license_evidence"].to_pylist()
        both = zip(rows["root"].to_pylist(), rows["path"].to_pylist(), names, keys, strict=True)
        for root, path, origin, key in both:
            origins[root] = min(origin, origins.get(root, origin))
            at = beside.get((root, key))
            if at is None:
                at = next((one for one in folders_above(path) if (root, one) in folders), None)
            if at is not None:
                files[root, at] += 1
    return files, origins


# --- headers and laundered files ------------------------------------------------------------------

_KEYS = ["why", "content_id"]


def _headers(bodies: Sequence[Body]) -> list[Entry]:
    """Entries for headers, each once for all bodies."""
    parts = [_questions(body, [*_KEYS, "files"]) for body in bodies]
    table = pa.concat_tables([questions.QUESTIONS.empty_table().select([*_KEYS, "files"]), *parts])
    table = table.filter(pc.not_equal(table["why"], "laundered"))
    sums = table.group_by(_KEYS).aggregate([("files", "sum")])
    sums = sums.sort_by([("files_sum", "descending"), ("content_id", "ascending")])[:MOST]
    files = {(one["why"], one["content_id"]): one["files_sum"] for one in sums.to_pylist()}
    return list(_shown(bodies, files))


def _shown(bodies: Sequence[Body], files: Mapping[tuple[str, str], int]) -> Iterator[Entry]:
    """The entry of each key, told by the first body that has it."""
    open_ = dict(files)
    for body in bodies if open_ else ():
        table = _questions(body)
        keys = list(zip(*(table[name].to_pylist() for name in _KEYS), strict=True))
        rows = [row for row, key in enumerate(keys) if key in open_]
        for one in table.take(pa.array(rows, pa.int64())).to_pylist():
            yield _entry(one) | {"files": open_.pop((one["why"], one["content_id"]))}


def _questions(body: Body, columns: list[str] | None = None) -> pa.Table:
    return partitions.read_arrow(body.folder / questions.FILE, columns)


def _entry(one: Mapping[str, Any]) -> Entry:
    row = {name: value for name, value in one.items() if name != "row"}
    return row | {"kind": "header", "license_class": license_class(one["expression"])}


def _copies(bodies: Sequence[Body], older: Mapping[int, Path]) -> Iterator[Entry]:
    """Entries for laundered files: all that one repository has from another is one of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    first: dict[tuple[str, str], tuple[Body, int, dict[str, str]]] = {}
    for body in bodies:
        table = _questions(body, ["why", "content_id", "origin", "row"])
        rows = table.filter(pc.equal(table["why"], "laundered"))
        if not rows.num_rows:
            continue
        places = laundered(body.folder)
        at = pc.index_in(rows["row"], places["row"].combine_chunks())
        addresses = places["refused_at"].take(at).to_numpy()
        found = stands(older, addresses)
        for row, address in zip(rows.to_pylist(), addresses.tolist(), strict=True):
            place = found.get(address, dict.fromkeys(("origin", "path", "license_expression"), ""))
            key = (row["origin"], place["origin"])
            groups.setdefault(key, []).append(row["content_id"])
            first.setdefault(key, (body, row["row"], place))
    most = sorted(groups, key=lambda key: (-len(groups[key]), key))[:MOST]
    for key in most:
        body, number, place = first[key]
        table = _questions(body)
        (one,) = table.filter(pc.equal(table["row"], number)).to_pylist()
        ids = sorted(groups[key])
        name = hashlib.sha1("\n".join(ids).encode(), usedforsecurity=False).hexdigest()
        yield _entry(one) | {
            "content_id": ids[0] if len(ids) == 1 else name,
            "also": ids if len(ids) > 1 else [],
            "files": len(ids),
            "kind": "copy",
            "older": {n: place[n] for n in ("origin", "path", "license_expression")},
        }
