"""``license`` for people with their own pipeline: paths or records in, licenses out."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from stackcurate.licenses import layout, links, names, pointers, readings
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.cover import cover
from stackcurate.licenses.decode import text_of
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.expression import combine, license_class
from stackcurate.licenses.header import headers
from stackcurate.licenses.inherit import folders
from stackcurate.licenses.names import without_header
from stackcurate.licenses.paths import AGGREGATE, OVERRIDE, about_paths
from stackcurate.licenses.policy import CLASSES, LicenseSettings
from stackcurate.licenses.scancode import Judge
from stackcurate.licenses.tree import above, files_of, follow, read
from stackcurate.schema import EVIDENCE, one_chunk

EVIDENCE_STRUCT = pa.struct(
    [
        ("kind", pa.string()),  # header, license_file, manifest, reuse; text for ``flat_records``
        ("path", pa.string()),  # the file that says it
        ("rule", pa.string()),  # "elsewhere" for a header that only points to another file
        ("matcher", pa.string()),
        ("score", pa.float32()),
        ("start", pa.int64()),  # bytes of that file
        ("end", pa.int64()),
    ]
)
PATH_ROW = pa.schema(
    [
        ("path", pa.string()),
        ("license_expression", pa.string()),
        ("license_class", pa.string()),
        ("evidence", EVIDENCE_STRUCT),  # null, as the others, where nothing is stated
    ]
)
MAX_BYTES = 10 << 20  # of one file; longer ones are covered by their folder only
_LIST_BYTES = layout.MAX_BYTES + 1
_BATCH = 2000  # files whose heads are held at once


class Scan(NamedTuple):
    """What covers files (schema PATH_ROW), and what files state by themselves, by path."""

    table: pa.Table
    own: dict[str, str]


def scan_path(
    path: Path, cache: Cache, judge: Judge, settings: LicenseSettings | None = None
) -> pa.Table:
    """``scan`` without what files state by themselves."""
    return scan(path, cache, judge, settings).table


def scan(path: Path, cache: Cache, judge: Judge, settings: LicenseSettings | None = None) -> Scan:
    """The license of a file or of every file of a folder: schema PATH_ROW, sorted by path.

    The folders above it in its repository are asked too, as far as names are evidence (without a
    repository, none are). One license file or manifest answers for itself. ``path`` of a row is
    below the folder that was asked for, or below the root for a file; that of its ``evidence`` is
    below the same, or begins with "..".
    Raises InputError where the path does not exist.
    """
    settings = settings or LicenseSettings()
    root, paths, linked, alone = files_of(path)
    here = Path(os.path.abspath(path)).relative_to(root).as_posix() if path.is_dir() else "."
    inside = "" if here == "." else f"/{here}"
    over = above(root, inside) if inside else []
    papers = _papers(root, [*over, *paths, *linked] if path.is_dir() else above(root, paths[0]))
    items, targets = papers.items, papers.targets
    evidence = detect_texts(items, cache, judge)
    by_id = {item.content_id.hex(): item.name for item in items}
    nowhere = [
        links.stated(item.content_id.hex(), item.kind, papers.nowhere[item.name])
        for item in items if item.name in papers.nowhere
    ]  # fmt: skip
    evidence = pa.concat_tables([evidence, pa.Table.from_pylist(nowhere, schema=EVIDENCE)])
    decided = folders(
        pa.array([item.name for item in items], pa.string()),
        [item.content_id.hex() for item in items],
        evidence,
        replace(settings, allow=CLASSES),  # all that is stated is told, whatever is let in
        targets=[targets.get(item.name) for item in items],
    )
    lies = {key: targets.get(name, name) for key, name in by_id.items()}
    whose = {
        row["evidence_id"]: _evidence(row, _seen_from(inside, lies[row["content_id"]]))
        for row in evidence.to_pylist()
    }
    covered = cover(pa.array(paths, pa.string()), decided, alone)
    tables, own = [PATH_ROW.empty_table()], {}
    for at in range(0, len(paths), _BATCH):
        some = paths[at : at + _BATCH]
        said = _headers(some, [read(root, one, 1 << 16) for one in some])
        rows = _with_headers(some, said, covered.slice(at, _BATCH), whose, settings, len(inside))
        tables.append(pa.Table.from_pylist(rows, schema=PATH_ROW))
        pairs = zip(some, said, strict=True)
        own.update({name: one["header_expression"] for name, one in pairs})
    for content_id, one in _said_by(evidence, items).items():
        if not one["expression"] or pointers.is_pointer(one["rule"]):
            continue
        name = by_id[content_id.hex()]
        own[name] = combine(text for text in (own.get(name), one["expression"]) if text)
        if [name] == paths and not path.is_dir():
            told = _said(one["expression"], _evidence(one, targets.get(name, name)), settings)
            tables = [pa.Table.from_pylist([{"path": name, **told}], schema=PATH_ROW)]
    size = len(inside)
    own = {name[size:]: said for name, said in own.items() if said and name.startswith(inside)}
    return Scan(pa.concat_tables(tables).combine_chunks(), own)


class _Papers(NamedTuple):
    """Control files; of links among them what they lead to, or why they lead nowhere, by path."""

    items: list[Text]
    targets: dict[str, str]
    nowhere: dict[str, str]


def _papers(root: Path, paths: Sequence[str]) -> _Papers:
    """The control files among paths, and what the pointers among them point to.

    Each has a number for its id: the same bytes in two folders are two statements.
    """
    found: dict[str, tuple[str, bytes]] = {}
    targets: dict[str, str] = {}
    nowhere: dict[str, str] = {}
    waiting = list(_control(paths))
    while waiting:
        name, kind = waiting.pop()
        if name in found:
            continue
        lies = name
        if (root / name[1:]).is_symlink():
            way = follow(root, name)
            if kind not in links.FOLLOWED or (way.why is None and way.end is None):
                continue
            if way.why is not None:
                if kind == names.LICENSE_FILE:
                    nowhere[name], found[name] = way.why, (kind, b"")
                continue
            lies = targets[name] = os.fsdecode(way.end or b"")
        data = read(root, lies, MAX_BYTES if kind not in names.LAYOUT_KINDS else _LIST_BYTES)
        if len(data) == _LIST_BYTES:  # a list that is not whole says nothing
            continue
        found[name] = (kind, data)
        rule = pointers.rule(text_of(data).data) if kind == names.LICENSE_FILE else None
        if rule is not None:
            near = _near(root, pointers.target(rule, lies.rpartition("/")[0]))
            waiting += _control([one for one in near if one not in found])
    items = [
        Text(number.to_bytes(8, "big"), name, kind, data)
        for number, (name, (kind, data)) in enumerate(sorted(found.items()))
    ]
    return _Papers(items, targets, nowhere)


def _control(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    kinds = names.control_files(pa.array(paths, pa.string())).to_pylist()
    return ((path, kind) for path, kind in zip(paths, kinds, strict=True) if kind)


def _near(root: Path, target: str) -> list[str]:
    """The files that a pointer to ``target`` may mean, by ``pointers.names``."""
    folder, _, wanted = target.rpartition("/")
    if not (root / folder[1:]).is_dir():
        return []
    found = (one.name for one in (root / folder[1:]).iterdir() if one.is_file())
    return sorted(f"{folder}/{name}" for name in found if pointers.names(wanted, name))


def _seen_from(inside: str, name: str) -> str:
    """A path below the root as a reader of the folder ``inside`` sees it."""
    if not inside or name.startswith(f"{inside}/"):
        return name[len(inside) :]
    return os.path.relpath(name, inside)


def _said_by(evidence: pa.Table, items: Sequence[Text]) -> dict[bytes, dict[str, Any]]:
    """Content id -> what a control file states by itself, all its paragraphs together."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in evidence.to_pylist():
        found[row["content_id"], row["kind"]].append(row)
    said = {}
    for item in items:
        rows = found.get((item.content_id.hex(), item.kind))
        if rows:
            said[item.content_id] = rows[0] if not about_paths(rows[0]["rule"]) else _sum_of(rows)
    return said


def _sum_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    start, end = min(row["start"] for row in rows), max(row["end"] for row in rows)
    together = combine(row["expression"] for row in rows)
    return {**rows[0], "expression": together, "start": start, "end": end}


def _said(
    expression: str | None, evidence: dict[str, Any] | None, settings: LicenseSettings
) -> dict[str, Any]:
    """The three columns that every answer has; all null where nothing is stated."""
    return {
        "license_expression": expression,
        "license_class": license_class(expression, settings.overrides) if expression else None,
        "evidence": evidence if expression else None,
    }


def _evidence(row: Mapping[str, Any], path: str | None) -> dict[str, Any]:
    """EVIDENCE_STRUCT of a row of EVIDENCE."""
    one = {name: row.get(name) for name in EVIDENCE_STRUCT.names}
    return one | {"path": path, "score": round(row["score"], 2)}


def _by_header(header: Mapping[str, Any], path: str | None) -> tuple[str | None, dict[str, Any]]:
    """What a row of ``headers`` states or, where that is elsewhere, what it says; and its place."""
    said = header["header_expression"]
    return said or header["elsewhere"], {
        "kind": "header", "path": path, "rule": header["rule"] if said else "elsewhere",
        "matcher": header["matcher"], "score": round(header["score"] or 0, 2),
        "start": header["start"], "end": header["end"],
    }  # fmt: skip


def _headers(paths: Sequence[str], texts: Sequence[bytes]) -> list[dict[str, Any]]:
    """What files say about themselves; the names of some say that they do not."""
    found = headers(pa.array(texts, pa.large_binary()))
    none = without_header(pa.array(paths, pa.string()), one_chunk(found, "matcher")).to_pylist()
    nothing = dict.fromkeys(found.column_names)
    return [nothing if mute else one for mute, one in zip(none, found.to_pylist(), strict=True)]


def _with_headers(
    paths: Sequence[str], own: Sequence[Mapping[str, Any]], covered: pa.Table,
    whose: Mapping[str, dict[str, Any]], settings: LicenseSettings, skip: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of PATH_ROW, the first ``skip`` characters of their paths left out."""
    rows = []
    for path, header, folder in zip(paths, own, covered.to_pylist(), strict=True):
        expression, evidence = _by_header(header, path[skip:])
        above = folder["license_expression"]
        heard = header["header_expression"] and folder["license_state"] != OVERRIDE
        if above and not heard:
            expression, evidence = above, whose.get(folder["license_evidence"] or "") or evidence
        elif above and folder["license_state"] == AGGREGATE:
            expression = combine([above, expression or ""])
        rows.append({"path": path[skip:], **_said(expression, evidence, settings)})
    return rows


def scan_records(
    records: Iterable[Mapping[str, Any]],
    cache: Cache,
    judge: Judge,
    settings: LicenseSettings | None = None,
) -> Iterator[dict[str, Any]]:
    """One result per record, in order.

    A result has ``id``, ``license_expression``, ``license_class`` and ``evidence``
    (EVIDENCE_STRUCT); what stays undecided is null.

    A record has ``id``, ``text`` (str or bytes) and perhaps ``path``, whose name says whether it
    is a license file or a manifest; anything else is a source file and speaks through its header.
    There is no folder that could speak for it, so a header that only points to another file is
    told as it stands: as a license that cannot be read, by the rule "elsewhere".
    """
    settings = settings or LicenseSettings()
    batch: list[Mapping[str, Any]] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield from _records(batch, cache, judge, settings)
            batch = []
    yield from _records(batch, cache, judge, settings)


def flat_records(
    records: Iterable[Mapping[str, Any]], settings: LicenseSettings | None = None
) -> Iterator[dict[str, Any]]:
    """As ``scan_records``, but every text is read as ScanCode reads it: see ``readings.flat``."""
    settings = settings or LicenseSettings()
    for record in records:
        found = readings.flat(text_of(_bytes(record.get("text"))).data)
        evidence = None
        if found is not None:
            evidence = _evidence({"kind": "text", **found._asdict()}, record.get("path"))
        expression = found.expression if found else None
        yield {"id": record.get("id"), **_said(expression, evidence, settings)}


def _records(
    batch: Sequence[Mapping[str, Any]], cache: Cache, judge: Judge, settings: LicenseSettings
) -> Iterator[dict[str, Any]]:
    texts = [_bytes(record.get("text")) for record in batch]
    paths = pa.array([record.get("path") or "" for record in batch], pa.string())
    kinds = names.control_files(paths).to_pylist()
    items = [
        Text(number.to_bytes(8, "big"), path, kind, data)
        for number, (path, kind, data) in enumerate(
            zip(paths.to_pylist(), kinds, texts, strict=True)
        )
        if kind and kind not in names.LAYOUT_KINDS and data
    ]
    evidence = detect_texts(items, cache, judge)
    said = _said_by(evidence, items)
    stated = {int.from_bytes(content_id, "big"): row for content_id, row in said.items()}
    # What states a license by itself is not asked for a header.
    tops = [b"" if number in stated else data[: 1 << 16] for number, data in enumerate(texts)]
    own = _headers(paths.to_pylist(), tops)
    for number, (record, header) in enumerate(zip(batch, own, strict=True)):
        row, path = stated.get(number), record.get("path")
        if row is not None:
            expression, evidence = row["expression"], _evidence(row, path)
        else:
            expression, evidence = _by_header(header, path)
        yield {"id": record.get("id"), **_said(expression, evidence, settings)}


def _bytes(text: Any) -> bytes:
    if isinstance(text, str):
        return text.encode("utf-8", "replace")
    return bytes(text) if text is not None else b""


def summary(table: pa.Table) -> str | None:
    """All licenses of a scanned folder as one expression: what a user of the whole must meet."""
    return combine(sorted({text for text in table["license_expression"].to_pylist() if text}))
