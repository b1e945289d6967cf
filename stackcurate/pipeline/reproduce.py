"""Runs a release again from its manifest, in another folder, and says whether it comes out equal.

The manifest names everything that a release depends on: the config as written, the input lock, the
opt-out registry up to its head, tables and library versions. Where all of it is at hand, the bytes
must be equal. Two things move the comparison from bytes to rows:

- Somebody withdrew files since. They are not even fetched again: the run gets the registry of that
  time and every approval since. Those rows must be absent, and are counted; a row that comes back
  in their place (another copy of a content, a near duplicate of one) is explained by them.
- The environment differs. The same rows in other bytes are then the libraries' doing; other rows
  are named by column, with the changed libraries that fill it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import yaml

from stackcurate import config as configs
from stackcurate.config import Config, OptoutOptions
from stackcurate.dedup.options import Options as DedupOptions
from stackcurate.engine.base import Engine
from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.optout import registry as optouts
from stackcurate.optout import tombstones
from stackcurate.optout.registry import APPROVED, Event, Registry
from stackcurate.pipeline import inputs as heads
from stackcurate.pipeline import run as runs
from stackcurate.pipeline.earlier import located
from stackcurate.pipeline.keep import EARLIER
from stackcurate.pipeline.release import tables_of, withdrawn_in
from stackcurate.pipeline.tasks import Run, versions
from stackcurate.pipeline.withdraw import ORPHAN
from stackcurate.releases.diff import Side, joined
from stackcurate.releases.manifest import (
    MANIFEST,
    canonical,
    manifest_digest,
    read_manifest,
    read_sums,
)
from stackcurate.releases.verify import verify
from stackcurate.releases.versions import changes
from stackcurate.schema import FILE, schema_digest
from stackcurate.storage.durable import Durable
from stackcurate.storage.journal import Journal, Progress
from stackcurate.text import visible, with_commas

# Libraries that fill a column. Rows that come or go depend on all of these.
_FILLED_BY = {
    "src_encoding": ("chardetng-py",),
    "license": ("scancode-toolkit", "license-expression"),
    "text": ("detect-secrets", "phonenumbers", "hyperscan", "google-re2", "chardetng-py"),
    "dedup": ("datasketch", "numba", "numpy", "xxhash"),
}
_GROUP_OF = {
    "detected_licenses": "license",
    "license_type": "license",
    "license_expression": "license",
    "license_class": "license",
    "license_evidence": "license",
    "text_sha256": "text",
    "text_bytes": "text",
    "redactions": "text",
    "src_encoding": "src_encoding",
    "dedup_cluster": "dedup",
    "dedup_cluster_size": "dedup",
}
_NAMED = 20  # differences that are named one by one
_TOLD = ("CHANGELOG.md", MANIFEST)  # files that also tell of the previous release


@dataclass(frozen=True)
class Reproduction:
    """What came out.

    ``by`` is ``bytes`` or ``rows``. ``different`` names files (by bytes) or columns and kinds with
    their number of rows (by rows). ``withdrawn`` rows of the release were withdrawn since and are
    absent, ``replaced`` rows came or went because of them. ``environment`` is what differs, as
    (name, then, now); ``causes`` those of it that can have made the difference.
    """

    release_id: str
    folder: Path
    by: str
    compared: int
    different: Mapping[str, int]
    withdrawn: int = 0
    replaced: int = 0
    environment: tuple[tuple[str, str, str], ...] = ()
    causes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        return not self.different

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {**asdict(self), "folder": str(self.folder), "equal": self.equal}

    def text(self) -> str:
        """As lines for a person."""
        what = "files, byte for byte" if self.by == "bytes" else "rows, column by column"
        lines = [f"{self.release_id}: {with_commas(self.compared)} {what}: "]
        lines[0] += "equal" if self.equal else "DIFFERENT"
        if self.by == "rows" and (self.withdrawn or self.replaced):
            lines.append(
                f"  {with_commas(self.withdrawn)} rows were withdrawn since and are absent; "
                f"{with_commas(self.replaced)} came or went in their place"
            )
        for name, count in list(self.different.items())[:_NAMED]:
            shown = visible(name)
            lines.append(f"  differs: {shown}" + (f" ({with_commas(count)} rows)" if count else ""))
        more = len(self.different) - _NAMED
        lines += [f"  … and {with_commas(more)} more"] if more > 0 else []
        lines += [f"  then {then}, now {now}: {name}" for name, then, now in self.environment]
        lines += [f"  cause: {cause}" for cause in self.causes]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)]) + "\n"


@dataclass
class _Plan:
    """A checked reproduction: the config to run, and what to expect of its outcome."""

    manifest: Mapping[str, Any]
    config: Config
    registry: Registry
    since: bool  # approvals since, so rows will be absent
    environment: tuple[tuple[str, str, str], ...]
    notes: list[str] = field(default_factory=list)

    @property
    def by_rows(self) -> bool:
        return self.since or bool(self.environment) or "patch" in self.manifest["optout"]


def reproduce(
    release: Path,
    out: Path,
    engine: Engine,
    progress: Progress,
    base: Path,
    sources: Mapping[int, Path] | None = None,
    registry: Path | None = None,
    timeout: float = runs.TASK_SECONDS,
    earlier: Mapping[int, Path] | None = None,
) -> Reproduction:
    """Run ``release`` again below the new or empty folder ``out``, and compare.

    Paths of the written config are relative to ``base``; ``sources`` replaces single ones, by
    number from 1, ``earlier`` those of ``dedup.against``. ``registry`` is the public opt-out
    registry as it stands now; by default the one that the config names. Raises ConfigError where
    something that the manifest names is not at hand (other input, a registry without its head),
    IntegrityError where the release is damaged.
    """
    manifest = read_manifest(release)
    verify(release, files_only=True).demand()
    config = _config(release, manifest, base, sources or {}, earlier or {})
    plan = _plan(release, manifest, out, config, registry)
    _check_inputs(plan, engine, progress, timeout)
    quarantine = release / "quarantine.jsonl"
    if quarantine.is_file():
        shutil.copyfile(quarantine, plan.config.run_folder / quarantine.name)
    again = runs.run(plan.config, engine, progress, timeout=timeout).release
    return _by_rows(plan, release, again) if plan.by_rows else _by_bytes(plan, release, again)


def _plan(
    release: Path,
    manifest: Mapping[str, Any],
    out: Path,
    config: Config,
    registry: Path | None,
) -> _Plan:
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out} is not empty; a release is reproduced in a folder of its own")
    then = registry or config.optout.registry
    state, since = optouts.EMPTY, False
    out.mkdir(parents=True, exist_ok=True)
    out = out.resolve()
    if then is not None:
        copy = out / "registry" / "optout.jsonl"
        state, since = registry_of(then, manifest["optout"].get("head"), copy)
        then = copy
    elif manifest["optout"].get("head") not in (None, optouts.FIRST):
        raise ConfigError(
            "the release was built with an opt-out registry, and none is at hand; give --registry, "
            "so that nothing is written that was withdrawn"
        )
    config = replace(
        config,
        optout=OptoutOptions(then),
        releases=out / "releases",
        runs=out / "runs",
        written=dict(manifest["config"]),
        previous=None,
    )
    plan = _Plan(manifest, config, state, since, _environment(manifest, config))
    if not plan.by_rows:
        plan.config = replace(config, previous=_previous(release, manifest, out, plan.notes))
    return plan


def _config(
    release: Path,
    manifest: Mapping[str, Any],
    base: Path,
    sources: Mapping[int, Path],
    earlier: Mapping[int, Path],
) -> Config:
    """The config as written, with paths that lead somewhere here."""
    written = dict(manifest["config"])
    if written.get("name") != manifest["name"]:
        raise ConfigError(f"{manifest['name']} is a look (`run --limit`), not a release of its own")
    written["sources"] = [dict(one) for one in written["sources"]]
    written.pop("previous", None)
    for number, path in sources.items():
        if not 1 <= number <= len(written["sources"]):
            raise ConfigError(
                f"--source {number}: the config has {len(written['sources'])} sources"
            )
        written["sources"][number - 1]["path"] = str(path.resolve())
    config = configs.parse(yaml.safe_dump(written, allow_unicode=True), base / "the manifest")
    for number, source in enumerate(config.sources, 1):
        place = getattr(source, "path", None)
        if isinstance(place, Path) and not place.exists():
            raise ConfigError(
                f"source {number} ({source.kind}) is not at {place}; say where it is with "
                f"--source {number}=PATH, or where the config lay with --config"
            )
    if config.repositories is not None and not Path(config.repositories).exists():
        raise ConfigError(
            f"the facts about repositories are not at {config.repositories}; say where the config "
            "lay with --config"
        )
    return replace(config, dedup=_dedup(release, manifest, config, earlier))


def _dedup(
    release: Path, manifest: Mapping[str, Any], config: Config, earlier: Mapping[int, Path]
) -> DedupOptions:
    """What the config says of dedup, with the earlier releases where they lie here."""
    options, locks = config.dedup, manifest.get("dedup", {}).get("against", ())
    beside = release.resolve().parent.parent
    found = []
    for number, (entry, lock) in enumerate(zip(options.against, locks, strict=False), 1):
        entry = replace(entry, path=earlier[number].resolve()) if number in earlier else entry
        found.append(located(entry, number, lock, options.matching, beside))
    return replace(options, against=tuple(found))


def registry_of(path: Path, head: str | None, copy: Path) -> tuple[Registry, bool]:
    """Write the registry at ``path`` as it stood at ``head``, and all approvals since, to ``copy``.

    Returns its state, and whether there were any since. What was undone since stays withdrawn, as
    the release has it. Raises ConfigError where the registry does not hold ``head``.
    """
    try:
        events = optouts.read_events(path, head)
    except IntegrityError as error:
        raise ConfigError(
            f"this is not the registry that the release was built with: {error}"
        ) from None
    digests = [event.digest for event in events]
    count = digests.index(head) + 1 if head in digests else 0
    then, now = optouts.fold(events[:count]), optouts.fold(events)
    copy.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_bytes().split(b"\n")[:count]
    copy.write_bytes(b"".join(line + b"\n" for line in lines))
    if tombstones.folder(path).is_dir():
        shutil.copytree(tombstones.folder(path), tombstones.folder(copy))
    more = _approvals(then, now)
    if more:
        optouts.append(copy, more)
    return optouts.read(copy), bool(more)


def _approvals(then: Registry, now: Registry) -> list[Event]:
    """The events that bring what was approved since to the state of then."""
    before = {request.id: request for request in then.requests}
    events = []
    for request in now.approved():
        old = before.get(request.id)
        if old is None or old.subject is None:
            events.append(Event("submit", request.id, request.time, request.subject, request.reach))
        if old is None or old.state != APPROVED:
            events.append(Event("approve", request.id, request.time))
        known = () if old is None else old.buried
        events += [
            Event("bury", request.id, request.time, tombstones=one)
            for one in request.buried
            if one not in known
        ]
    return events


def _environment(manifest: Mapping[str, Any], config: Config) -> tuple[tuple[str, str, str], ...]:
    """Libraries and tables that are not those of the release: (name, then, now)."""
    now = {**manifest, "tables": tables_of(config), "tools": versions()}
    now["schema"] = {"digest": schema_digest()}
    found = changes(manifest, now)
    differs = [(name, then, today) for name, (then, today) in found.tools.items()]
    for name in found.tables:
        then, today = (side["tables"].get(name, "absent")[:12] for side in (manifest, now))
        differs.append((f"table {name}", then, today))
    if found.schema:
        differs.append(("schema", manifest["schema"]["digest"][:12], schema_digest()[:12]))
    return tuple(differs)


def _previous(
    release: Path, manifest: Mapping[str, Any], out: Path, notes: list[str]
) -> Path | None:
    """A config that names the previous release, where it stands beside ``release``."""
    old = manifest["previous"]
    if old is None:
        return None
    folder = release.resolve().parent.parent / old["name"] / f"v{old['version']}"
    if not (folder / MANIFEST).is_file() or manifest_digest(folder) != old["manifest_sha256"]:
        notes.append(
            f"{old['name']} {old['version']} does not stand beside the release, so {_TOLD[0]} and "
            "what the manifest says of it are not compared"
        )
        return None
    named = {
        "name": old["name"],
        "version": old["version"],
        "sources": [{"kind": "git", "path": "nothing"}],  # a config needs one; nobody reads it
        "releases": str(folder.parent.parent),
    }
    place = out / "previous.yaml"
    place.write_text(yaml.safe_dump(named, allow_unicode=True), encoding="utf-8")
    return place


def _check_inputs(plan: _Plan, engine: Engine, progress: Progress, timeout: float) -> None:
    """The containers here are those of the input lock. What is read stays for the run."""
    folder = plan.config.run_folder
    folder.mkdir(parents=True, exist_ok=True)
    with Durable(folder) as durable:
        journal = Journal(folder / "journal.jsonl")
        run = Run(plan.config, engine, progress, journal, durable, timeout)
        found = heads.find_inputs(run)
        heads.read_heads(run, found)
    here = {
        (one["source"], one["key"]): one for one in json.loads(canonical(heads.lock(run, found)))
    }
    wanted = {(one["source"], one["key"]): one for one in plan.manifest["inputs"]}
    problems = [
        f"source {key[0] + 1}, {visible(key[1])}: "
        + ("absent" if key not in here else "not part of it" if key not in wanted else "changed")
        for key in sorted({*here, *wanted})
        if here.get(key) != wanted.get(key)
    ]
    if problems:
        more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        raise ConfigError(
            f"the input is not that of {plan.manifest['release_id']}: "
            f"{'; '.join(problems[:_NAMED])}{more}"
        )


def _by_bytes(plan: _Plan, release: Path, again: Path) -> Reproduction:
    """Every file's digest. Where files differ, the rows say how."""
    then, now = read_sums(release), read_sums(again)
    left_out = _TOLD if plan.notes else ()
    names = sorted({*then, *now} - {*left_out})
    differ = [name for name in names if then.get(name) != now.get(name)]
    found = Reproduction(
        plan.manifest["release_id"], again, "bytes", len(names), dict.fromkeys(differ, 0),
        notes=tuple(plan.notes),
    )  # fmt: skip
    if not any(name.startswith("data/") for name in differ):
        return found
    rows = _by_rows(plan, release, again)
    told = ", ".join(f"{name} in {with_commas(n)}" for name, n in rows.different.items())
    return replace(found, notes=(*found.notes, f"rows that differ: {told or 'none'}"))


def _by_rows(plan: _Plan, release: Path, again: Path) -> Reproduction:
    """Every row and column, but those that an opt-out since explains."""
    old, new = Side.of(release), Side.of(again)
    expects = plan.since or "patch" in plan.manifest["optout"]
    withdrawn = withdrawn_in(plan.registry) if expects else None
    with joined(old, new, withdrawn) as connection:
        absent, replaced, kinds = _explained(connection, expects)
        columns = _columns(connection)
        common = connection.execute(
            "SELECT count(*) FROM old_files SEMI JOIN new_files USING (row_key)"
        ).fetchone()
    # Facts about the repository follow from which origins and copies remain.
    facts = {"places", "dedup_cluster_size"} if expects else set()
    different = kinds | {name: n for name, n in columns.items() if n and name not in facts}
    return Reproduction(
        plan.manifest["release_id"], again, "rows", common[0] if common else 0, different,
        absent, replaced, plan.environment, _causes(plan.environment, different),
        tuple(plan.notes),
    )  # fmt: skip


_EXPLAINED = f"""
CREATE TABLE explained AS
SELECT row_key FROM paired WHERE NOT had AND (
    new_content_id IN (SELECT old_content_id FROM paired SEMI JOIN withdrawn_now USING (row_key))
    OR row_key IN (SELECT row_key FROM old_ledger_rows WHERE row_key IS NOT NULL
        AND (outcome LIKE '{EARLIER}%' OR note = '{ORPHAN}'
            OR kept_row_key IN (SELECT row_key FROM withdrawn_now)))
    OR new_origin IN (SELECT origin FROM old_origins WHERE stage = 'choose'));
INSERT INTO explained
SELECT row_key FROM paired WHERE NOT has AND row_key NOT IN (SELECT row_key FROM withdrawn_now)
    AND row_key IN (SELECT row_key FROM new_ledger
        WHERE kept_row_key IN (SELECT row_key FROM explained));
"""


def _explained(
    connection: duckdb.DuckDBPyConnection, expects: bool
) -> tuple[int, int, dict[str, int]]:
    """(rows withdrawn since, rows that came or went for them, {kind: rows nobody explains})."""
    if expects:
        connection.execute(_EXPLAINED)
    else:
        connection.execute("CREATE TABLE explained (row_key VARCHAR)")
    row = connection.execute(
        """SELECT count(*) FILTER (w.row_key IS NOT NULL), count(*) FILTER (e.row_key IS NOT NULL),
            count(*) FILTER (NOT had AND e.row_key IS NULL),
            count(*) FILTER (NOT has AND e.row_key IS NULL AND w.row_key IS NULL)
        FROM paired p LEFT JOIN withdrawn_now w ON w.row_key = p.row_key
        LEFT JOIN explained e ON e.row_key = p.row_key"""
    ).fetchone() or (0, 0, 0, 0)
    kinds = {"rows that came": row[2], "rows that went": row[3]}
    return row[0], row[1], {name: count for name, count in kinds.items() if count}


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows that differ in each column; ``text_sha256`` stands for the content."""
    sides = [
        {row[0] for row in connection.execute(f"DESCRIBE {side}_files").fetchall()}
        for side in ("old", "new")
    ]
    names = [n for n in FILE.names if n not in ("content", "row_key") and n in sides[0] & sides[1]]
    counts = ", ".join(f'count(*) FILTER (o."{n}" IS DISTINCT FROM n."{n}")' for n in names)
    row = connection.execute(
        f"SELECT {counts} FROM old_files o JOIN new_files n ON o.row_key = n.row_key"
    ).fetchone()
    return dict(zip(names, row or [0] * len(names), strict=True))


def _causes(
    environment: Sequence[tuple[str, str, str]], different: Mapping[str, int]
) -> tuple[str, ...]:
    """The changed libraries and tables that can have filled what differs; else all that changed."""
    said = [f"{name} {then} → {now}" for name, then, now in environment]
    if not different:
        return ()
    groups = {_GROUP_OF.get(name, "") for name in different} - {""}
    if any(name.startswith("rows that") for name in different):
        groups = set(_FILLED_BY)
    wanted = {library for group in groups for library in _FILLED_BY[group]}
    likely = [
        words
        for words, (name, _, _) in zip(said, environment, strict=True)
        if name in wanted or name.startswith("table ") or name == "stackcurate"
    ]
    return tuple(likely or said)
