"""What the folders of a root state about licenses, each by itself; files follow in ``cover``.

What a folder states, ``licenses.folder`` works out of its license files and manifests; readmes,
notices and the texts in a LICENSES folder never decide. Paragraphs about paths (DEP-5, REUSE) speak
for the files they name, the papers of an installed package for what it lists (``layout``).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from stackcurate.licenses import layout, links, names, pointers
from stackcurate.licenses.expression import license_class, normalize
from stackcurate.licenses.folder import Statement, decide
from stackcurate.licenses.paths import (
    AGGREGATE,
    OVERRIDE,
    SIDECAR,
    about_paths,
    catches_all,
    glob_regex,
    globs_of,
    precedence_of,
)
from stackcurate.licenses.policy import LicenseSettings, table
from stackcurate.licenses.spoken import UNKNOWN
from stackcurate.schema import EVIDENCE

COVER = pa.schema(
    [
        ("license_expression", pa.string()),  # null where nothing is stated
        ("license_class", pa.string()),
        ("license_state", pa.string()),  # allowed, override, aggregate, refused, open
        ("license_evidence", pa.string()),  # evidence_id of the statement that decided
        # The file that states it, or that says that the folder stands on its own; null for what the
        # host declares.
        ("license_path", pa.string()),
    ]
)
# A row speaks for a folder ("" is the root, others "/a/b"), or for the files below it that any of
# ``patterns`` (RE2, relative to the folder) takes; of these, later rows count before earlier ones.
# Where ``patterns`` is empty, ``folder`` is the one file that the row speaks for. A row without an
# expression says that its folder stands on its own; the one that states its license comes later.
FOLDERS = pa.schema(
    [
        ("folder", pa.string()),
        *COVER,
        ("patterns", pa.list_(pa.string())),
        ("precedence", pa.string()),  # of rows with patterns: see licenses.paths
    ]
)
ALLOWED, REFUSED, OPEN = "allowed", "refused", "open"
# Allowed by a statement about paths before which a header does not count, or counts as well.
GRANTED = (ALLOWED, OVERRIDE, AGGREGATE)

_SAID = ["kind", "expression", "evidence_id", "rule", "start"]
_GENERATIONS = 8  # of Maven projects, each the parent of the next
# Folders that hold the papers of the folder above them.
_PAPERS = re.compile(r"/(?:debian|META-INF|EGG-INFO|\.reuse)\Z")


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
    """The folder that the control file ``path`` speaks for: its own, or the one above papers.

    Papers of an installed package speak by their name here; ``folders`` knows what they list.
    """
    whose = voice_of(path)
    return layout.by_name(whose) if layout.is_info(whose) else whose


def voice_of(path: str) -> str:
    """The folder whose control files are judged together with ``path``.

    What they speak for is that folder, or what ``layout.covered`` says of a package's papers.
    """
    folder = path.rpartition("/")[0]
    info = folder.removesuffix("/licenses")
    if layout.is_info(info):
        return info
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
    targets: Sequence[str | None] = (),
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
    alone: list[dict[str, Any]] = []
    packages: dict[str, layout.Listed] = {}
    kinds = names.control_files(paths).to_pylist()
    behind = targets or [None] * len(paths)
    asked = zip(paths.to_pylist(), kinds, content_ids, behind, strict=True)
    for path, kind, content_id, target in asked:
        where = f"{path} (a link to {target})" if target else path
        base = target.rpartition("/")[0] if target else None
        for row in stated.get(content_id or "", ()):
            # The same bytes may stand under two names; each name speaks as its own kind.
            name, voice = path.rpartition("/")[2], voice_of(path)
            rule, start = row["rule"] or "", row["start"] or 0
            if row["kind"] != kind or _of_another(rule, name):
                continue
            if kind == names.MODULES:
                alone += _standing(voice, rule, row["evidence_id"], path)
            elif kind == names.INSTALLED and layout.is_of(rule, name):
                one = layout.Listed(layout.listed_by(rule), row["evidence_id"], path)
                if layout.better(one, packages.get(voice)):
                    packages[voice] = one
            elif kind != names.INSTALLED:
                # A link that leads nowhere says why, in the place of what it would state.
                told = f"{path} ({rule})" if rule.startswith(links.RULE) else where
                said = (kind, name, row["expression"], row["evidence_id"], rule, start, told, base)
                found[voice].append(Statement(*said))
    rows: list[dict[str, Any]] = []
    about: list[dict[str, Any]] = []
    found = _followed(_with_parents(found, declared is None))
    for place, statements in sorted(_spoken_for(found, packages).items()):
        folder = place.removesuffix("/")
        if place.endswith("/"):
            statements, named = _whole_and_named(statements)
            about += [_about(folder, one, settings) for one in named]
        decision = decide(statements)
        if decision is not None:
            paths_ = {one.evidence_id: one.path for one in reversed(statements)}
            row = _row(folder, *decision, paths_[decision[1]], settings)
            rows.append(row if place.endswith("/") else row | {"patterns": []})
    if declared is not None and not any(row["folder"] == "" for row in rows):
        host = declared["expression"], declared["evidence_id"]
        rows.insert(0, _row("", *host, None, settings))
    return pa.Table.from_pylist([*alone, *rows, *about], schema=FOLDERS)


def _standing(folder: str, rule: str, evidence_id: str, path: str) -> Iterator[dict[str, Any]]:
    """The rows of the folders that a .gitmodules of ``folder`` names."""
    for name in layout.listed_by(rule):
        yield {
            "folder": f"{folder}/{name}".removesuffix("/"),
            "license_class": "unstated",
            "license_state": OPEN,
            "license_evidence": evidence_id,
            "license_path": path,
        }


def _spoken_for(
    found: Mapping[str, list[Statement]], packages: Mapping[str, layout.Listed]
) -> dict[str, list[Statement]]:
    """The statements by what they cover; the names of folders end in "/"."""
    spoken: dict[str, list[Statement]] = defaultdict(list)
    infos = {voice for voice in (*found, *packages) if layout.is_info(voice)}
    beside = Counter(map(layout.above, infos))
    for voice, statements in found.items():
        if voice not in infos:
            spoken[f"{voice}/"] += statements
            continue
        crowded = beside[layout.above(voice)] > 1
        places = layout.covered(voice, packages.get(voice), crowded)
        if places != [f"{layout.above(voice)}/"]:
            # Paragraphs about paths mean those of the project; here they bind together.
            statements = [replace(one, rule=_without_globs(one.rule)) for one in statements]
        for place in places:
            spoken[place] += statements
    return spoken


def _without_globs(rule: str) -> str:
    return rule.removeprefix("paths:") if about_paths(rule) else rule


def _with_parents(
    found: Mapping[str, list[Statement]], unknown: bool
) -> dict[str, list[Statement]]:
    """The statements with those of Maven's parents in the place of what points to them.

    A parent that does not lie in the tree leaves the root unknown (where ``unknown`` asks for it);
    other folders state nothing then, so that the folders above speak for them.
    """
    resolved: dict[str, list[Statement]] = {}
    for folder, statements in found.items():
        resolved[folder] = []
        for one in statements:
            parent: Statement | None = one
            where = folder
            for _ in range(_GENERATIONS):
                if parent is None or not _is_child(parent):
                    break
                base = where if parent.base is None else parent.base
                where, _, name = pointers.target(parent.rule, base).rpartition("/")
                above = (s for s in found.get(where, ()) if (s.kind, s.name) == (one.kind, name))
                parent = next(above, None)
            if parent is not None and not _is_child(parent):
                resolved[folder].append(replace(one, **_what_it_says(parent)))
            elif folder == "" and unknown:
                resolved[folder].append(replace(one, rule=one.rule.partition(" ")[2]))
    return {folder: statements for folder, statements in resolved.items() if statements}


def _is_child(one: Statement) -> bool:
    return one.kind == names.MANIFEST and pointers.is_pointer(one.rule)


def _what_it_says(one: Statement) -> dict[str, Any]:
    said = ("expression", "evidence_id", "rule", "path")
    return {name: getattr(one, name) for name in said}


def _followed(found: Mapping[str, list[Statement]]) -> dict[str, list[Statement]]:
    """The statements per folder, with what pointers to other license files point to in their place.

    A pointer to a file of its own folder falls away; one that leads nowhere stays unknown.
    """
    followed: dict[str, list[Statement]] = {}
    for folder, statements in found.items():
        followed[folder] = []
        for one in statements:
            base = folder if one.base is None else one.base
            path = pointers.target(one.rule, base) if pointers.is_pointer(one.rule) else "/"
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
    debian = [s for s in named if s.kind in (names.MANIFEST, names.LICENSE_FILE)]
    spoken_for = {s.name for s in debian}
    whole = [s for s in statements if not about_paths(s.rule) and s.name not in spoken_for]
    catching = [s for s in debian if catches_all(s.rule)]
    whole += catching[-1:]
    named = [s for s in named if s not in catching]
    return whole, named


def _of_another(rule: str, name: str) -> bool:
    """Whether a rule is that of ``y.license`` where ``x.license`` (``name``) has the same bytes."""
    return rule.startswith(f"paths:{SIDECAR}/") and globs_of(rule)[1] != [name[: -len(".license")]]


def _about(folder: str, one: Statement, settings: LicenseSettings) -> dict[str, Any]:
    """The row of a statement about files."""
    row: dict[str, Any] = _row(
        folder, one.expression or UNKNOWN, one.evidence_id, one.path, settings
    )
    form, globs = globs_of(one.rule)
    row["precedence"] = precedence_of(one.rule)
    if row["license_state"] == ALLOWED and row["precedence"] in GRANTED:
        row["license_state"] = row["precedence"]
    if form == SIDECAR:
        return row | {"folder": f"{folder}/{globs[0]}", "patterns": []}
    return row | {"patterns": [glob_regex(glob, form) for glob in globs]}


def _row(
    folder: str, expression: str, evidence_id: str, path: str | None, settings: LicenseSettings
) -> dict[str, str | None]:
    name = license_class(expression, settings.overrides)
    return {
        "folder": folder,
        "license_expression": expression,
        "license_class": name,
        "license_state": _state(name, settings),
        "license_evidence": evidence_id,
        "license_path": path,
    }
