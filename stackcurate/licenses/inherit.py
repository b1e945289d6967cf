"""Which license covers which file of a root: the nearest folder that states one.

In a folder, license files speak first, then manifests; readmes, notices and the texts in a
LICENSES folder never decide. A folder of other people's code (``node_modules/x``) without a
statement of its own does not inherit: the license of the project is not theirs to give. Only
folders are walked; files follow with Arrow.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses import names
from stackcurate.licenses.expression import combine, ids, license_class, normalize
from stackcurate.licenses.manifests import UNKNOWN
from stackcurate.licenses.policy import RANK, LicenseSettings, table
from stackcurate.schema import EVIDENCE

COVER = pa.schema(
    [
        ("license_expression", pa.string()),  # null where nothing is stated
        ("license_class", pa.string()),
        ("license_state", pa.string()),  # allowed, refused, open
        ("license_evidence", pa.string()),  # evidence_id of the statement that decided
    ]
)
FOLDERS = pa.schema([("folder", pa.string()), *COVER])  # "" is the root, others "/a/b"
ALLOWED, REFUSED, OPEN = "allowed", "refused", "open"

# Folders whose subfolders are other people's packages.
_FOREIGN = frozenset([
    "node_modules", "bower_components", "jspm_packages", "third_party", "third-party",
    "thirdparty", "3rdparty", "3rd_party", "vendor", "vendored", "_vendor", "pods", "carthage",
])  # fmt: skip
# Folders that hold the papers of the folder above them.
_PAPERS = re.compile(r"/(?:[^/]+\.(?:dist|egg)-info(?:/licenses)?|debian|META-INF|\.reuse)\Z")


@dataclass(frozen=True)
class Statement:
    """One folder's evidence: kind, file name, expression (None: undetermined) and evidence id."""

    kind: str
    name: str
    expression: str | None
    evidence_id: str


def declared_evidence(license_id: str | None) -> dict[str, Any] | None:
    """An EVIDENCE row (as a dict) for the license that the host declares, or None.

    ``license_id`` is GHArchive's key (``mit``, ``apache-2.0``); ``NOASSERTION`` and ``other`` state
    nothing that can be read.
    """
    expression = normalize(license_id) if license_id else None
    if expression is None or table().find(expression) is None:
        return None
    said = hashlib.blake2b(f"declared\0{expression}".encode(), digest_size=16).hexdigest()
    row: dict[str, Any] = dict.fromkeys(EVIDENCE.names)
    return row | {
        "evidence_id": said,
        "kind": "declared",
        "expression": expression,
        "score": 100.0,
        "rule": "gha_license_id",
        "matcher": "declared",
        "detector": "host",
    }


def _folder_of(path: str) -> str:
    folder = path.rpartition("/")[0]
    papers = _PAPERS.search(folder)
    return folder[: papers.start()] if papers else folder


def _choice(statements: Sequence[Statement], manifest: str | None) -> str | None:
    """One expression for the license files of a folder.

    They bind together, except where a manifest beside them says that they are a choice
    (``MIT OR Apache-2.0`` beside LICENSE-MIT and LICENSE-APACHE), and where the GPL's text stands
    beside the LGPL because the LGPL is written as an addition to it.
    """
    parts = dict.fromkeys(s.expression for s in statements if s.expression)
    if len(parts) > 1 and manifest and " OR " in manifest:
        offered, stated = ids(manifest), frozenset().union(*(ids(part) for part in parts))
        if {_family(name) for name in stated} <= {_family(name) for name in offered}:
            return manifest
    names_ = " ".join(s.name.lower() for s in statements)
    if len(parts) == 2 and ("lesser" in names_ or "lgpl" in names_):
        lesser = [part for part in parts if part.startswith("LGPL-")]
        full = [part for part in parts if part.startswith("GPL-")]
        if lesser and full:
            return lesser[0]
    return combine(parts)


def _family(name: str) -> str:
    """A GNU license without "only" and "or later", which its text does not say."""
    return re.sub(r"-(?:only|or-later)$", "", name)


def _says_something(statement: Statement) -> bool:
    return statement.expression is None or license_class(statement.expression) != "unstated"


def decide(statements: Sequence[Statement]) -> tuple[str, str] | None:
    """Expression and evidence id of one folder's statements; None where none can decide.

    A manifest that is stricter than the license file beside it contradicts it: both bind.
    """
    ordered = sorted(statements, key=lambda s: (s.kind, s.name, s.evidence_id))
    files = [s for s in ordered if s.kind == names.LICENSE_FILE and _says_something(s)]
    manifests = [s for s in ordered if s.kind == names.MANIFEST and _says_something(s)]
    manifest = combine(dict.fromkeys(s.expression or UNKNOWN for s in manifests))
    if not files:
        return (manifest, manifests[0].evidence_id) if manifest else None
    if any(s.expression is None for s in files):
        undetermined = next(s for s in files if s.expression is None)
        return UNKNOWN, undetermined.evidence_id
    expression = _choice(files, manifest)
    assert expression is not None
    first = files[0].evidence_id
    for statement in manifests:
        said = statement.expression
        if said and said != UNKNOWN and RANK[license_class(said)] > RANK[license_class(expression)]:
            families = {_family(name) for name in ids(expression)}
            if not {_family(name) for name in ids(said)} <= families:
                return combine([expression, said]) or expression, statement.evidence_id
    return expression, first


def _state(name: str, settings: LicenseSettings) -> str:
    if name == "unstated":
        return OPEN
    return ALLOWED if name in settings.allowed else REFUSED


def folders(
    paths: pa.Array,
    content_ids: Sequence[str | None],
    evidence: pa.Table,
    settings: LicenseSettings,
    declared: Mapping[str, Any] | None = None,
) -> pa.Table:
    """The folders of one root that state a license: schema FOLDERS, sorted by folder.

    ``paths`` (starting with "/") and ``content_ids`` (hex) are the root's control files,
    ``evidence`` the EVIDENCE rows of their contents, ``declared`` the row of
    ``declared_evidence``; the host's word counts only where the root folder itself states nothing.
    """
    stated: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in evidence.select(["content_id", "kind", "expression", "evidence_id"]).to_pylist():
        stated[row["content_id"]].append(row)
    found: dict[str, list[Statement]] = defaultdict(list)
    kinds = names.control_files(paths).to_pylist()
    for path, kind, content_id in zip(paths.to_pylist(), kinds, content_ids, strict=True):
        for row in stated.get(content_id or "", ()):
            # The same bytes may stand under two names; each name speaks as its own kind.
            if row["kind"] == kind:
                name = path.rpartition("/")[2]
                found[_folder_of(path)].append(
                    Statement(kind, name, row["expression"], row["evidence_id"])
                )
    rows = []
    for folder, statements in sorted(found.items()):
        decision = decide(statements)
        if decision is not None:
            rows.append(_row(folder, *decision, settings))
    if declared is not None and not any(row["folder"] == "" for row in rows):
        rows.insert(0, _row("", declared["expression"], declared["evidence_id"], settings))
    return pa.Table.from_pylist(rows, schema=FOLDERS)


def _row(
    folder: str, expression: str, evidence_id: str, settings: LicenseSettings
) -> dict[str, str]:
    name = license_class(expression, settings.overrides)
    return {
        "folder": folder,
        "license_expression": expression,
        "license_class": name,
        "license_state": _state(name, settings),
        "license_evidence": evidence_id,
    }


def _nearest(directory: str, rows: Mapping[str, int], memo: dict[str, int]) -> int:
    """The row of the folder that speaks for ``directory``, or -1. Walks up once per folder."""
    climbed = []
    at, answer = directory, -1
    while True:
        if at in memo:
            answer = memo[at]
            break
        climbed.append(at)
        if at in rows:
            answer = rows[at]
            break
        above, _, _ = at.rpartition("/")
        foreign = above.rpartition("/")[2].lower() in _FOREIGN
        if not at or foreign:  # the root, or a package of others that states nothing
            break
        at = above
    memo.update(dict.fromkeys(climbed, answer))
    return answer


def cover(paths: pa.Array | pa.ChunkedArray, folders: pa.Table) -> pa.Table:
    """The license of each file of one root by its nearest stating folder: schema COVER.

    ``paths`` are full paths starting with "/"; ``folders`` is what ``folders()`` gives. Linear in
    files; Python only sees the distinct directories.
    """
    if isinstance(paths, pa.ChunkedArray):
        paths = paths.combine_chunks()
    directories = pc.replace_substring_regex(paths, r"/[^/]*\z", "").dictionary_encode()
    rows = {folder: row for row, folder in enumerate(folders["folder"].to_pylist())}
    memo: dict[str, int] = {}
    near = [_nearest(text or "", rows, memo) for text in directories.dictionary.to_pylist()]
    nearest = pa.array([row if row >= 0 else None for row in near], pa.int64())
    taken = folders.select(COVER.names).take(nearest.take(directories.indices))
    columns = [column.combine_chunks() for column in taken.columns]
    silent = pc.is_null(columns[0])
    columns[1] = pc.if_else(silent, pa.scalar("unstated"), columns[1])
    columns[2] = pc.if_else(silent, pa.scalar(OPEN), columns[2])
    return pa.table(columns, schema=COVER)
