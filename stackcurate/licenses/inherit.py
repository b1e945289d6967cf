"""Which license covers which file of a root: the nearest folder that states one.

What a folder states, ``licenses.folder`` works out of its license files and manifests; readmes,
notices and the texts in a LICENSES folder never decide. Paragraphs about paths (DEP-5, REUSE) speak
for the files they name, unless a folder further down states something of its own. A folder of other
people's code (``node_modules/x``) without a statement of its own does not inherit: the license of
the project is not theirs to give. Only folders are walked; files follow with Arrow.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stackcurate.licenses import names, pointers
from stackcurate.licenses.expression import license_class, normalize
from stackcurate.licenses.folder import Statement, decide
from stackcurate.licenses.manifests import UNKNOWN
from stackcurate.licenses.paths import about_paths, catches_all, glob_regex, globs_of
from stackcurate.licenses.policy import LicenseSettings, table
from stackcurate.schema import EVIDENCE

COVER = pa.schema(
    [
        ("license_expression", pa.string()),  # null where nothing is stated
        ("license_class", pa.string()),
        ("license_state", pa.string()),  # allowed, refused, open
        ("license_evidence", pa.string()),  # evidence_id of the statement that decided
    ]
)
# A row speaks for a folder ("" is the root, others "/a/b"), or for the files below it that any of
# ``patterns`` (RE2, relative to the folder) takes; of these, later rows count before earlier ones.
FOLDERS = pa.schema([("folder", pa.string()), *COVER, ("patterns", pa.list_(pa.string()))])
ALLOWED, REFUSED, OPEN = "allowed", "refused", "open"

# Folders whose subfolders are other people's packages.
_FOREIGN = frozenset([
    "node_modules", "bower_components", "jspm_packages", "third_party", "third-party",
    "thirdparty", "3rdparty", "3rd_party", "vendor", "vendored", "_vendor", "pods", "carthage",
])  # fmt: skip
_SAID = ["kind", "expression", "evidence_id", "rule", "start"]
_FOREIGN_PATTERNS = sorted(re.escape(name) for name in _FOREIGN)
_PATTERN_CHARS = 4000
# Folders that hold the papers of the folder above them.
_PAPERS = re.compile(r"/(?:[^/]+\.(?:dist|egg)-info(?:/licenses)?|debian|META-INF|\.reuse)\Z")


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


def folder_of(path: str) -> str:
    """The folder that the control file ``path`` speaks for: its own, or the one above papers."""
    folder = path.rpartition("/")[0]
    papers = _PAPERS.search(folder)
    return folder[: papers.start()] if papers else folder


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
    for row in evidence.select(["content_id", *_SAID]).to_pylist():
        stated[row["content_id"]].append(row)
    found: dict[str, list[Statement]] = defaultdict(list)
    kinds = names.control_files(paths).to_pylist()
    for path, kind, content_id in zip(paths.to_pylist(), kinds, content_ids, strict=True):
        for row in stated.get(content_id or "", ()):
            # The same bytes may stand under two names; each name speaks as its own kind.
            if row["kind"] == kind:
                name = path.rpartition("/")[2]
                rule, start = row["rule"] or "", row["start"] or 0
                found[folder_of(path)].append(
                    Statement(kind, name, row["expression"], row["evidence_id"], rule, start)
                )
    rows, about = [], []
    for folder, statements in sorted(_followed(found).items()):
        statements, named = _whole_and_named(statements)
        about += [
            _row(folder, one.expression or UNKNOWN, one.evidence_id, settings)
            | {"patterns": _patterns(one.rule)}
            for one in named
        ]
        decision = decide(statements)
        if decision is not None:
            rows.append(_row(folder, *decision, settings))
    if declared is not None and not any(row["folder"] == "" for row in rows):
        rows.insert(0, _row("", declared["expression"], declared["evidence_id"], settings))
    return pa.Table.from_pylist([*rows, *about], schema=FOLDERS)


def _followed(found: Mapping[str, list[Statement]]) -> dict[str, list[Statement]]:
    """The statements per folder, with what pointers to other license files point to in their place.

    A pointer to a file of its own folder falls away; one that leads nowhere stays unknown.
    """
    followed: dict[str, list[Statement]] = {}
    for folder, statements in found.items():
        followed[folder] = []
        for one in statements:
            path = pointers.target(one.rule, folder) if pointers.is_pointer(one.rule) else "/"
            where, _, name = path.rpartition("/")
            meant = [
                other
                for other in found.get(where, ())
                if other.kind in (names.LICENSE_FILE, names.LICENSE_TEXT)
                and pointers.names(name, other.name)
                and not pointers.is_pointer(other.rule)
            ]
            if path == "/" or not meant:
                followed[folder].append(one)
            elif where != folder or any(other.kind == names.LICENSE_TEXT for other in meant):
                followed[folder] += [replace(other, kind=one.kind) for other in meant]
    return followed


def _whole_and_named(statements: Sequence[Statement]) -> tuple[list[Statement], list[Statement]]:
    """Statements about the folder as a whole, and those about files that they name, in order.

    A Debian file with paragraphs speaks through them: what it says about ``*`` is its word for the
    folder, in the place of the sum of all paragraphs.
    """
    named = sorted((s for s in statements if about_paths(s.rule)), key=lambda s: (s.name, s.start))
    debian = [s for s in named if s.kind == names.MANIFEST]
    spoken_for = {s.name for s in debian}
    whole = [s for s in statements if not about_paths(s.rule) and s.name not in spoken_for]
    catching = [s for s in debian if catches_all(s.rule)]
    whole += catching[-1:]
    named = [s for s in named if s not in catching]
    return whole, named


def _patterns(rule: str) -> list[str]:
    form, globs = globs_of(rule)
    return [glob_regex(glob, form) for glob in globs]


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


def climb(directory: str) -> Iterator[str]:
    """``directory`` and the folders above that may speak for it, nearest first.

    Ends at the root, or at a package of others, for whom the folders above do not speak.
    """
    while True:
        yield directory
        above, _, _ = directory.rpartition("/")
        if not directory or above.rpartition("/")[2].lower() in _FOREIGN:
            return
        directory = above


def _nearest(directory: str, rows: Mapping[str, int], memo: dict[str, int]) -> int:
    """The row of the folder that speaks for ``directory``, or -1. Walks up once per folder."""
    climbed = []
    answer = -1
    for at in climb(directory):
        if at in memo:
            answer = memo[at]
            break
        climbed.append(at)
        if at in rows:
            answer = rows[at]
            break
    memo.update(dict.fromkeys(climbed, answer))
    return answer


def _name(
    chosen: NDArray[np.int64], row: int, said: Sequence[str], whole: Sequence[bool],
    patterns: Sequence[str], paths: pa.Array,
) -> None:  # fmt: skip
    """Let ``row`` speak for the files that its patterns take, where nothing nearer states more."""
    folder = said[row]
    below = pc.starts_with(paths, f"{folder}/").to_numpy(zero_copy_only=False)
    # Folders sort before what lies in them, so a statement of a folder further down is longer.
    deeper = [number for number, other in enumerate(said) if len(other) > len(folder)]
    free = below & ~np.isin(chosen, deeper)
    theirs = "|".join(_FOREIGN_PATTERNS)
    foreign = pc.match_substring_regex(paths, rf"(?i)/(?:{theirs})/").to_numpy(zero_copy_only=False)
    for group in _groups(patterns):
        # Who does not name a folder of other people's code does not speak for it.
        allowed = free if re.search(theirs, group, re.I) else free & ~foreign
        at = np.flatnonzero(allowed)
        if len(at):
            some = paths.take(pa.array(at))
            hit = pc.match_substring_regex(some, rf"^{_quoted(folder)}/(?:{group})$")
            chosen[at[hit.to_numpy(zero_copy_only=False)]] = row


def _groups(patterns: Sequence[str]) -> list[str]:
    """Alternatives of patterns, joined up to a size that RE2 takes gladly."""
    joined: list[str] = []
    for pattern in patterns:
        foreign = any(re.search(one, pattern, re.I) for one in _FOREIGN_PATTERNS)
        if joined and not foreign and len(joined[-1]) + len(pattern) < _PATTERN_CHARS:
            joined[-1] += f"|{pattern}"
        elif len(pattern) < 2 * _PATTERN_CHARS:
            joined.append(pattern)
    return joined


def _quoted(folder: str) -> str:
    return re.sub(r"[^\w/ ]", lambda found: f"\\x{{{ord(found[0]):02x}}}", folder, flags=re.ASCII)


def cover(paths: pa.Array | pa.ChunkedArray, folders: pa.Table) -> pa.Table:
    """The license of each file of one root by its nearest stating folder: schema COVER.

    ``paths`` are full paths starting with "/"; ``folders`` is what ``folders()`` gives. Linear in
    files; Python only sees the distinct directories.
    """
    if isinstance(paths, pa.ChunkedArray):
        paths = paths.combine_chunks()
    directories = pc.replace_substring_regex(paths, r"/[^/]*\z", "").dictionary_encode()
    whole = pc.is_null(folders["patterns"]).to_pylist()
    said = folders["folder"].to_pylist()
    rows = {folder: row for row, folder in enumerate(said) if whole[row]}
    memo: dict[str, int] = {}
    distinct = directories.dictionary.to_pylist()
    near = np.array([_nearest(text or "", rows, memo) for text in distinct], np.int64)
    chosen = near[directories.indices.to_numpy()] if len(paths) else np.zeros(0, np.int64)
    for row in range(len(said)):
        if not whole[row]:
            _name(chosen, row, said, whole, folders["patterns"][row].as_py(), paths)
    nearest = pa.array(chosen, pa.int64(), mask=chosen < 0)
    taken = folders.select(COVER.names).take(nearest)
    columns = [column.combine_chunks() for column in taken.columns]
    silent = pc.is_null(columns[0])
    columns[1] = pc.if_else(silent, pa.scalar("unstated"), columns[1])
    columns[2] = pc.if_else(silent, pa.scalar(OPEN), columns[2])
    return pa.table(columns, schema=COVER)
