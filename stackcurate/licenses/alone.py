"""``license`` for people with their own pipeline: paths or records in, licenses out."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from stackcurate.errors import InputError
from stackcurate.licenses import names, pointers, readings
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.cover import cover
from stackcurate.licenses.decode import text_of
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.expression import combine, license_class
from stackcurate.licenses.header import headers
from stackcurate.licenses.inherit import folders
from stackcurate.licenses.paths import AGGREGATE, OVERRIDE, about_paths
from stackcurate.licenses.policy import CLASSES, LicenseSettings
from stackcurate.licenses.scancode import Judge

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
_PAPERS = ("/debian", "/.reuse", "/LICENSES")  # folders whose files speak for the one above
_REPOSITORY = (".git", ".hg", ".svn")  # what the root of a repository has
_BATCH = 2000  # files whose heads are held at once


def _git_id(data: bytes) -> bytes:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).digest()


def root_of(path: Path) -> Path:
    """The repository that ``path`` lies in; else its folder, or itself where it is one."""
    folder = path.absolute() if path.is_dir() else path.absolute().parent
    above = (folder, *folder.parents)
    return next(
        (one for one in above if any((one / sign).exists() for sign in _REPOSITORY)), folder
    )


def _list(path: Path) -> tuple[Path, list[str], list[str]]:
    """The folder that stands for the root, the files to report, and folders that stand alone.

    All as "/a/b" below the root, sorted.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist", "missing")
    root = root_of(path)
    if path.is_file():
        return root, ["/" + path.absolute().relative_to(root).as_posix()], []
    found, alone = [], []
    for folder, subfolders, files in os.walk(path.absolute()):
        inside = Path(folder).relative_to(root).as_posix()
        prefix = "/" if inside == "." else f"/{inside}/"
        if ".git" in (*subfolders, *files):
            alone.append(prefix.rstrip("/"))
        subfolders[:] = sorted(name for name in subfolders if name not in _REPOSITORY)
        for name in files:
            if not (Path(folder) / name).is_symlink() and name.isprintable():
                found.append(prefix + name)
    return root, sorted(found), [*alone, *_submodules(root)]


def _submodules(root: Path) -> list[str]:
    """The folders that .gitmodules names, as "/a/b"."""
    data = _read(root, "/.gitmodules", 1 << 20).decode("utf-8", "replace")
    return [
        "/" + found.strip("/ \t") for found in re.findall(r"(?m)^\s*path\s*=\s*(\S.*?)\s*$", data)
    ]


def _above(root: Path, path: str) -> list[str]:
    """The files of every folder from ``root`` down to a file's own, and their papers; sorted."""
    found = []
    folder = path.rpartition("/")[0]
    while True:
        for papers in ("", *_PAPERS):
            here = root / f"{folder}{papers}"[1:]
            if not papers or here.is_dir():
                names_ = (p.name for p in here.iterdir() if p.is_file())
                found += [f"{folder}{papers}/{name}" for name in names_ if name.isprintable()]
        if not folder:
            return sorted(found)
        folder = folder.rpartition("/")[0]


def _read(root: Path, path: str, limit: int) -> bytes:
    try:
        with open(root / path[1:], "rb") as stream:
            return stream.read(limit)
    except OSError:
        return b""


def scan_path(
    path: Path, cache: Cache, judge: Judge, settings: LicenseSettings | None = None
) -> pa.Table:
    """The license of a file or of every file of a folder: schema PATH_ROW, sorted by path.

    The folders above it in its repository are asked too, as far as names are evidence (without a
    repository, none are). One license file or manifest answers for itself. ``path`` of a row is
    below the folder that was asked for, or below the root for a file; that of its ``evidence`` is
    below the same, or begins with "..".
    Raises InputError where the path does not exist.
    """
    settings = settings or LicenseSettings()
    root, paths, alone = _list(path)
    here = path.absolute().relative_to(root).as_posix() if path.is_dir() else "."
    inside = "" if here == "." else f"/{here}"
    above = _above(root, f"{inside.rpartition('/')[0]}/x") if inside else []
    listed = [*above, *paths] if path.is_dir() else _above(root, paths[0])
    kinds = names.control_files(pa.array(listed, pa.string())).to_pylist()
    control = [(p, kind) for p, kind in zip(listed, kinds, strict=True) if kind]
    items = []
    for name, kind in control:
        data = _read(root, name, MAX_BYTES)
        items.append(Text(_git_id(data), name, kind, data))
    evidence = detect_texts(items, cache, judge)
    by_id = {item.content_id.hex(): item.name for item in reversed(items)}
    decided = folders(
        pa.array([item.name for item in items], pa.string()),
        [item.content_id.hex() for item in items],
        evidence,
        replace(settings, allow=CLASSES),  # all that is stated is told, whatever is let in
    )
    whose = {
        row["evidence_id"]: _evidence(row, _seen_from(inside, by_id[row["content_id"]]))
        for row in evidence.to_pylist()
    }
    covered = cover(pa.array(paths, pa.string()), decided, alone)
    tables = [PATH_ROW.empty_table()]
    for at in range(0, len(paths), _BATCH):
        some = paths[at : at + _BATCH]
        rows = _with_headers(root, some, covered.slice(at, _BATCH), whose, settings, len(inside))
        tables.append(pa.Table.from_pylist(rows, schema=PATH_ROW))
    asked = [item for item in items if not path.is_dir() and item.name == paths[0]]
    own = _said_by(evidence, asked)
    for said in own.values():
        if said["expression"] and not pointers.is_pointer(said["rule"]):
            row = {
                "path": paths[0],
                **_said(said["expression"], _evidence(said, paths[0]), settings),
            }
            tables = [pa.Table.from_pylist([row], schema=PATH_ROW)]
    return pa.concat_tables(tables).combine_chunks()


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
    return {name: path if name == "path" else row[name] for name in EVIDENCE_STRUCT.names}


def _by_header(header: Mapping[str, Any], path: str | None) -> tuple[str | None, dict[str, Any]]:
    """What a row of ``headers`` states or, where that is elsewhere, what it says; and its place."""
    said = header["header_expression"]
    return said or header["elsewhere"], {
        "kind": "header", "path": path, "rule": "header" if said else "elsewhere",
        "matcher": "header", "score": 100.0, "start": header["start"], "end": header["end"],
    }  # fmt: skip


def _with_headers(
    root: Path, paths: Sequence[str], covered: pa.Table, whose: Mapping[str, dict[str, Any]],
    settings: LicenseSettings, skip: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of PATH_ROW, the first ``skip`` characters of their paths left out."""
    own = headers(pa.array([_read(root, p, 1 << 16) for p in paths], pa.large_binary()))
    rows = []
    for path, header, folder in zip(paths, own.to_pylist(), covered.to_pylist(), strict=True):
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
        if kind and data
    ]
    evidence = detect_texts(items, cache, judge)
    said = _said_by(evidence, items)
    stated = {int.from_bytes(content_id, "big"): row for content_id, row in said.items()}
    own = headers(pa.array([data[: 1 << 16] for data in texts], pa.large_binary())).to_pylist()
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
