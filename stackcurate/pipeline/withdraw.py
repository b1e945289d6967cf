"""The patch release: what owners withdrew leaves a published version, and nothing else changes.

A release is never written over, so a new one (vX.Y.Z+1) is made beside it. Shards that hold nothing
withdrawn are linked; the others are written again without the withdrawn rows, every other row as it
was. A patch only withdraws: a file that had lost to a withdrawn one (a copy, a near duplicate) does
not step into its place; the next full run decides that anew.

What was withdrawn moves from its old outcome to ``optout:…`` in the counts, so that they still add
up, and its ledger rows leave with it. Files that the published ledger never named (another license,
say) stay counted as they were.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate import report
from stackcurate.config import ReleaseOptions
from stackcurate.errors import ConfigError
from stackcurate.optout import receipt, tombstones
from stackcurate.optout.apply import BY_COPIES, match_files, match_heads
from stackcurate.optout.preview import Found, Place, find, named_contents, places
from stackcurate.optout.registry import Event, Registry, append, summary
from stackcurate.pipeline import moves
from stackcurate.pipeline.earlier import SIGNATURES
from stackcurate.pipeline.release import withdrawn_in
from stackcurate.pipeline.ship import link_or_copy
from stackcurate.pipeline.tasks import versions
from stackcurate.releases.facts import ReleaseFacts
from stackcurate.releases.manifest import MANIFEST, manifest_digest, read_manifest, read_previous
from stackcurate.releases.publish import publish
from stackcurate.releases.verify import verify
from stackcurate.releases.writer import Shard, write_shard, write_table
from stackcurate.schema import FILE, KEPT, PAPERS, conform, one_chunk
from stackcurate.text import with_commas

TOMBSTONES = "tombstones.jsonl"
ORPHAN = "the file that stood for this one was withdrawn"

# Written anew by `publish`, or below.
_MADE = ("manifest.json", "SHA256SUMS", "README.md", "CITATION.cff", "CHANGELOG.md", "report.html",
         "ledger/counts.json", "quarantine.jsonl", TOMBSTONES)  # fmt: skip


@dataclass(frozen=True)
class Patch:
    """A published patch release, and what was found on the way to it."""

    before: Path
    release: Path
    found: Found
    manifest: dict[str, Any]

    @property
    def files(self) -> int:
        """Rows of data that were withdrawn."""
        return self.found.files.num_rows


def withdraw(release: Path, registry: Registry, run: Path | None = None) -> Patch:
    """Write and publish the patch of ``release`` that holds nothing ``registry`` withdraws.

    ``run`` is the run folder where it is at hand: its whole ledger knows more places of contents
    that are withdrawn with all copies. Raises ConfigError where the release holds nothing of it,
    IntegrityError where the release is damaged, StopError where something withdrawn would remain.
    """
    verify(release, files_only=True).demand()  # nothing is built on damaged bytes
    manifest = read_manifest(release)
    found = find(Place(release, run), registry)
    judge = _ledger_judge(found, registry)
    ledger = _judged_ledger(release, manifest, judge)
    if not (found.files.num_rows or found.heads.num_rows or any(v is not None for v in ledger)):
        raise ConfigError(
            f"{release.parent.name} {release.name} holds nothing that the registry withdraws; "
            "there is nothing to patch"
        )
    _refuse_again(release, registry)
    final = release.with_name(f"v{next_patch(release)}")
    staging = final.with_name(f".{final.name}.staging")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    files = _untouched(release, staging, manifest)
    files |= _data(release, staging, manifest, found)
    files |= _tables(release, staging, manifest, found, registry)
    moved: list[moves.Moved] = list(moves.of_rows(found.files, KEPT, "length_bytes"))
    files |= _ledger(release, staging, manifest, found, judge, moved)
    _lists(release, staging, found, registry)
    facts = _facts(release, manifest, files, moved, found, registry, final.name.removeprefix("v"))
    publish(staging, final, facts, report.html_of, withdrawn_in(registry))
    return Patch(release, final, found, read_manifest(final))


def _refuse_again(release: Path, registry: Registry) -> None:
    """ConfigError where a patch of ``release`` for this state of the registry stands already."""
    mine = manifest_digest(release)
    for other in sorted(release.parent.glob("v*")):
        manifest = read_manifest(other) if (other / MANIFEST).is_file() else {}
        before = (manifest.get("previous") or {}).get("manifest_sha256")
        if before == mine and manifest["optout"].get("head") == registry.head:
            raise ConfigError(
                f"{other} is that patch already: made from {release.name} and this registry"
            )


def next_patch(release: Path) -> str:
    """The first free patch number after ``release``, among what stands beside it."""
    parts = re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", release.name)
    if parts is None:
        raise ConfigError(f"{release} bears no version (vX.Y.Z), so it has no next one")
    major, minor, patch = (int(part) for part in parts.groups())
    while (release.with_name(f"v{major}.{minor}.{patch}")).exists():
        patch += 1
    return f"{major}.{minor}.{patch}"


def _shard(entry: Mapping[str, Any]) -> Shard:
    return Shard(entry["rows"] or 0, 0, entry["bytes"], entry["sha256"])


def _untouched(release: Path, staging: Path, manifest: Mapping[str, Any]) -> dict[str, Shard]:
    """Link what no rule below rewrites: files of a kind that is not known here."""
    files = {}
    for entry in manifest["files"]:
        path = entry["path"]
        if path in _MADE or path.endswith(".parquet"):
            continue
        files[path] = _link(release, staging, entry)
    return files


def _link(release: Path, staging: Path, entry: Mapping[str, Any]) -> Shard:
    target = staging / entry["path"]
    target.parent.mkdir(parents=True, exist_ok=True)
    link_or_copy(release / entry["path"], target)
    return _shard(entry)


def _entries(manifest: Mapping[str, Any], head: str) -> list[Mapping[str, Any]]:
    return [
        entry
        for entry in manifest["files"]
        if entry["path"].startswith(head) and entry["path"].endswith(".parquet")
    ]


def _data(
    release: Path, staging: Path, manifest: Mapping[str, Any], found: Found
) -> dict[str, Shard]:
    """Every shard, and its signatures: linked, or written again without the withdrawn rows."""
    signed = {entry["path"]: entry for entry in _entries(manifest, f"{SIGNATURES}/")}
    gone = one_chunk(found.files, "row_key")
    size = (manifest["config"].get("release") or {}).get("row_group_bytes")
    left: dict[str, int] = {}
    shards: list[tuple[Mapping[str, Any], int]] = []
    for entry in _entries(manifest, "data/"):
        keys = pq.read_table(release / entry["path"], columns=["row_key"], partitioning=None)
        hit = pc.sum(pc.is_in(keys["row_key"], gone)).as_py() or 0
        shards.append((entry, hit))
        folder = entry["path"].rpartition("/")[0]
        left[folder] = left.get(folder, 0) + entry["rows"] - hit
    files = {}
    for entry, hit in shards:
        path = entry["path"]
        if not left[path.rpartition("/")[0]]:
            continue  # nothing of this language remains
        beside = signed.get(SIGNATURES + path.removeprefix("data"))
        if not hit:
            files[path] = _link(release, staging, entry)
            if beside is not None:
                files[beside["path"]] = _link(release, staging, beside)
            continue
        (staging / path).parent.mkdir(parents=True, exist_ok=True)
        rows = (conform(table, FILE) for table in _without(release / path, gone))
        files[path] = write_shard(staging / path, rows, size or ReleaseOptions().row_group_bytes)
        if beside is not None:
            place = staging / beside["path"]
            place.parent.mkdir(parents=True, exist_ok=True)
            schema = pq.read_schema(release / beside["path"])
            files[beside["path"]] = write_table(
                place, _without(release / beside["path"], gone), schema
            )
    return files


def _without(path: Path, gone: pa.Array) -> Iterator[pa.Table]:
    """The rows of a table but those of ``gone``, some hundred at a time, in their order."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(512):
            table = pa.Table.from_batches([batch])
            stays = pc.invert(pc.is_in(table["row_key"], gone))
            yield table.filter(stays)


def _tables(
    release: Path, staging: Path, manifest: Mapping[str, Any], found: Found, registry: Registry
) -> dict[str, Shard]:
    """Repositories, revisions, evidence, papers, texts, as far as they remain; else linked."""
    repositories = pq.read_table(release / "repositories.parquet")
    revisions = pq.read_table(release / "revisions.parquet")
    evidence = pq.read_table(release / "evidence.parquet")
    texts = pq.read_table(release / "texts.parquet")
    origins = one_chunk(found.heads, "origin")
    remain = repositories.filter(pc.invert(_rows_in(repositories, found.heads)))
    used, shipping = _left(release, manifest, found)
    stated = _evidence(evidence, found, used)
    lay, lie = _papers(release, shipping, registry)
    told = pa.chunked_array([*stated["content_id"].chunks, *lie["content_id"].chunks], pa.string())
    held = pc.is_in(texts["content_id"], pc.unique(told))
    made = {
        "repositories.parquet": remain,
        "revisions.parquet": _revisions(revisions, found.heads, remain)
        if len(origins)
        else revisions,
        "evidence.parquet": stated,
        "papers.parquet": lie,
        "texts.parquet": texts.filter(held),
    }
    old = {"repositories.parquet": repositories, "revisions.parquet": revisions,
           "evidence.parquet": evidence, "papers.parquet": lay,
           "texts.parquet": texts}  # fmt: skip
    groups = release / "origin_groups.parquet"
    if groups.is_file():
        related = pq.read_table(groups)
        named = [pc.is_in(related[side], pc.unique(origins)) for side in ("origin", "of_origin")]
        old[groups.name] = related
        made[groups.name] = related.filter(pc.invert(pc.or_(*named)))
    lost = release / "dedup_groups.parquet"
    if lost.is_file():
        told = pq.read_table(lost)
        mine = pc.equal(told["kind"], "repository")
        old[lost.name] = told
        gone_too = pc.is_in(told["group"], pc.unique(origins))
        made[lost.name] = told.filter(pc.invert(pc.and_(mine, gone_too)))
    files = {}
    for entry in manifest["files"]:
        path = entry["path"]
        if path in made:
            same = made[path].num_rows == old[path].num_rows
            files[path] = (
                _link(release, staging, entry) if same else write_table(staging / path, made[path])
            )
    return files


def _rows_in(table: pa.Table, gone: pa.Table) -> pa.Array:
    """Which rows of repositories.parquet are among ``gone``: one origin may stand there twice."""
    keys = ("origin", "container", "directory_id", "revision_id", "snapshot_id")
    return pc.is_in(_key(table, keys), _key(gone, keys))


def _key(table: pa.Table, names: Sequence[str]) -> pa.Array:
    parts = [pc.fill_null(one_chunk(table, name), "") for name in names]
    return pc.binary_join_element_wise(*parts, pa.scalar("\0"))


def _revisions(revisions: pa.Table, gone: pa.Table, remain: pa.Table) -> pa.Table:
    """Without heads of withdrawn origins and their history, as far as no other origin has it."""
    ids = revisions["revision_id"].to_pylist()
    parents = dict(zip(ids, revisions["parents"].to_pylist(), strict=True))

    def history(heads: pa.Table) -> set[str]:
        seen: set[str] = set()
        front = [one for one in heads["revision_id"].to_pylist() if one in parents]
        while front:
            one = front.pop()
            if one not in seen:
                seen.add(one)
                front += [parent for parent in parents[one] or () if parent in parents]
        return seen

    leaves = history(gone) - history(remain)
    return revisions.filter(pa.array([one not in leaves for one in ids], pa.bool_()))


def _left(
    release: Path, manifest: Mapping[str, Any], found: Found
) -> tuple[set[str | None], set[str]]:
    """(evidence ids, origins) of the files that remain."""
    gone = one_chunk(found.files, "row_key")
    used: set[str | None] = set()
    origins: set[str] = set()
    columns = ["row_key", "license_evidence", "origin"]
    for entry in _entries(manifest, "data/"):
        rows = pq.read_table(release / entry["path"], columns=columns, partitioning=None)
        rows = rows.filter(pc.invert(pc.is_in(rows["row_key"], gone)))
        used.update(pc.unique(rows["license_evidence"]).to_pylist())
        origins.update(pc.unique(rows["origin"]).to_pylist())
    return used, origins


def _papers(release: Path, shipping: set[str], registry: Registry) -> tuple[pa.Table, pa.Table]:
    """License and notice files: all, and those of origins that still ship files."""
    place = release / "papers.parquet"
    if not place.exists():  # a release of an older form
        return PAPERS.empty_table(), PAPERS.empty_table()
    rows = pq.read_table(place)
    stays = pc.is_in(rows["origin"], pa.array(sorted(shipping), pa.string()))
    return rows, rows.filter(pc.and_(stays, pc.is_null(match_files(rows, registry))))


def _evidence(evidence: pa.Table, found: Found, used: set[str | None]) -> pa.Table:
    """The statements that a remaining file's license rests on."""
    freed = set(found.files["license_evidence"].to_pylist()) - used
    if not freed:
        return evidence
    return evidence.filter(
        pc.invert(pc.is_in(evidence["evidence_id"], pa.array(sorted(freed - {None}), pa.string())))
    )


#: Rows of a ledger -> their verdict, null where they stay.
Judge = Callable[[pa.Table], pa.Array]


def _ledger_judge(found: Found, registry: Registry) -> Judge:
    whole = pc.unique(one_chunk(found.heads, "origin"))

    def judge(rows: pa.Table) -> pa.Array:
        own = pc.coalesce(match_heads(rows, registry), match_files(_named(rows), registry))
        swhid = pc.if_else(pc.is_in(one_chunk(rows, "origin"), whole), "optout:swhid", None)
        copied = pc.if_else(
            pc.is_in(one_chunk(rows, "content_id"), found.copied, skip_nulls=True), BY_COPIES, None
        )
        return pc.coalesce(own, swhid.cast(pa.string()), copied.cast(pa.string()))

    return judge


def _named(rows: pa.Table) -> pa.Table:
    """Rows with a path for every row: a whole origin has none, and meets no glob."""
    at = rows.schema.get_field_index("path")
    return rows.set_column(at, "path", pc.fill_null(rows["path"], ""))


def _judged_ledger(
    release: Path, manifest: Mapping[str, Any], judge: Judge
) -> Iterator[str | None]:
    for entry in _entries(manifest, "ledger/"):
        rows = pq.read_table(release / entry["path"], partitioning=None)
        yield from pc.unique(judge(rows)).to_pylist()


def _ledger(
    release: Path,
    staging: Path,
    manifest: Mapping[str, Any],
    found: Found,
    judge: Judge,
    moved: list[moves.Moved],
) -> dict[str, Shard]:
    """The published ledger without withdrawn rows; adds to ``moved`` what leaves.

    What lost to a withdrawn file stays, and no longer names it.
    """
    gone = one_chunk(found.files, "row_key")
    files = {}
    for entry in _entries(manifest, "ledger/"):
        rows = pq.read_table(release / entry["path"], partitioning=None)
        verdict = judge(rows)
        leaves = pc.is_valid(verdict)
        orphan = pc.is_in(one_chunk(rows, "kept_row_key"), gone, skip_nulls=True)
        if not pc.any(pc.or_(leaves, orphan)).as_py():
            files[entry["path"]] = _link(release, staging, entry)
            continue
        gone_rows = rows.append_column("verdict", verdict).filter(leaves)
        gone_rows = gone_rows.filter(pc.not_equal(gone_rows["outcome"], KEPT))  # counted as data
        moved += moves.of_rows(gone_rows, None, "bytes")
        for name, value in (("kept_row_key", None), ("note", ORPHAN)):
            at = rows.schema.get_field_index(name)
            changed = pc.if_else(orphan, pa.scalar(value, pa.string()), one_chunk(rows, name))
            rows = rows.set_column(at, rows.schema.field(name), changed)
        (staging / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
        files[entry["path"]] = write_table(staging / entry["path"], rows.filter(pc.invert(leaves)))
    return files


def _lists(release: Path, staging: Path, found: Found, registry: Registry) -> None:
    """Quarantine without withdrawn contents, and the tombstones of this and earlier patches."""
    gone = {*found.files["content_id"].to_pylist(), *found.copied.to_pylist()}
    source = release / "quarantine.jsonl"
    lines = source.read_text(encoding="utf-8").splitlines(True) if source.is_file() else []
    stays = [line for line in lines if json.loads(line).get("content_id") not in gone]
    (staging / "quarantine.jsonl").write_text("".join(stays), encoding="utf-8")
    contents = [*found.copied.to_pylist(), *named_contents(registry).to_pylist()]
    rows = found.files["row_key"].to_pylist()
    texts = [tombstones.text_of(registry.first, contents, rows)]
    older = release / TOMBSTONES
    if older.is_file():
        texts.append(older.read_text(encoding="utf-8"))
    (staging / TOMBSTONES).write_text(tombstones.merged(texts), encoding="utf-8")


def _facts(
    release: Path,
    manifest: Mapping[str, Any],
    files: Mapping[str, Shard],
    moved: Sequence[moves.Moved],
    found: Found,
    registry: Registry,
    version: str,
) -> ReleaseFacts:
    counts = moves.counts(manifest, moved, moves.labels(release, manifest))
    config = manifest["config"]
    repositories = len(set(found.heads["origin"].to_pylist()))
    gone = {"of": manifest["version"], "files": found.files.num_rows, "repositories": repositories}
    return ReleaseFacts(
        name=manifest["name"],
        version=version,
        files=files,
        folders={
            one["language"]: one["folder"]
            for one in manifest["totals"]["languages"]
            if one["language"] is not None
        },
        stages=counts["stages"],
        listed=counts["listed"],
        kept=counts["kept"],
        dropped=counts["dropped"],
        sources=counts["sources"],
        dedup=manifest.get("dedup") or {},
        forks=manifest.get("forks") or {},
        config=config,
        inputs=manifest["inputs"],
        tables=manifest["tables"],
        tools=versions(),
        optout={**summary(registry), "patch": gone},
        problems=_problems(manifest["problems"], registry),
        title=config.get("title") or "",
        description=config.get("description") or "",
        authors=config.get("authors") or (),
        notes=(
            f"A patch of {manifest['version']}: {with_commas(found.files.num_rows)} files and "
            f"{with_commas(repositories)} repositories were withdrawn at their owners' request. "
            "Every other file is as it was."
        ),
        previous=read_previous(release),
    )


def _problems(problems: Sequence[Mapping[str, str]], registry: Registry) -> list[Mapping[str, str]]:
    """Without those that name a withdrawn origin."""
    where = pa.table({"origin": pa.array([one["where"] for one in problems], pa.string())})
    gone = match_heads(where, registry).to_pylist()
    return [one for one, verdict in zip(problems, gone, strict=True) if verdict is None]


def record(path: Path, patch: Patch, registry: Registry, time: str) -> list[receipt.Receipt]:
    """Keep beside the registry at ``path`` what a patch did: receipts and tombstones.

    Each request that withdraws contents wherever they stand gets a `bury` event with the list of
    them, so that later runs know them whichever source they come from.
    """
    others = [
        place.name
        for place in places(patch.before.parent)
        if place.release not in (patch.release, patch.before) and _holds(find(place, registry))
    ]
    holders = [*others, f"{patch.before.parent.name} {patch.before.name}"]
    made = receipt.receipts(
        patch.found, registry, _identity(patch.before), _identity(patch.release), holders
    )
    receipt.keep(path, made)
    known = {one["request"] for one in made}
    buried = []
    for request in registry.approved():
        contents = (
            receipt.contents_of(request, patch.found, registry) if request.id in known else []
        )
        if contents:
            text = tombstones.text_of(registry.first, contents)
            digest = tombstones.write_list(path, text)
            if digest not in request.buried:
                buried.append(Event("bury", request.id, time, tombstones=digest))
    if buried:
        append(path, buried)
    return made


def _holds(found: Found) -> bool:
    return bool(found.files.num_rows or found.heads.num_rows)


def _identity(release: Path) -> dict[str, str]:
    manifest = read_manifest(release)
    return {
        "name": manifest["name"],
        "version": manifest["version"],
        "release_id": manifest["release_id"],
        "manifest_sha256": manifest_digest(release),
    }
