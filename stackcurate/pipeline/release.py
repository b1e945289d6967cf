"""From finished tasks to a published release, and the check that one stands as the config asks."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate import config as configs
from stackcurate import report
from stackcurate.errors import ConfigError
from stackcurate.languages.folders import folder_name
from stackcurate.licenses import review
from stackcurate.licenses.inherit import declared_evidence
from stackcurate.optout import apply as optout
from stackcurate.optout import registry as optouts
from stackcurate.pipeline import ledger as ledgers
from stackcurate.pipeline.culprits import FILE as QUARANTINE
from stackcurate.pipeline.culprits import Quarantine
from stackcurate.pipeline.earlier import Earlier
from stackcurate.pipeline.evidence import Evidence, first_of_each
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.forks import ANCESTRY, CONTENT, INSIDE, Forks
from stackcurate.pipeline.inputs import Group, Input, meta_of, problems_of
from stackcurate.pipeline.origins import Origins
from stackcurate.pipeline.ship import link_or_copy, place_files
from stackcurate.pipeline.tasks import Run, versions
from stackcurate.pipeline.texts import license_texts
from stackcurate.redaction.scorecard import scorecard
from stackcurate.releases.checks import Withdrawn
from stackcurate.releases.facts import Previous, ReleaseFacts
from stackcurate.releases.manifest import read_manifest, read_previous
from stackcurate.releases.publish import publish
from stackcurate.releases.verify import verify
from stackcurate.releases.versions import check_version, needed, parse, step
from stackcurate.releases.writer import Shard, write_table
from stackcurate.schema import (
    EVIDENCE,
    HEAD,
    KEPT,
    LEDGER,
    ORIGIN_GROUPS,
    PAPERS,
    REVISION,
    TEXTS,
    one_chunk,
    schema_digest,
)
from stackcurate.storage import partitions
from stackcurate.storage.exchange import read_exchange
from stackcurate.text import visible

REPOSITORIES = pa.schema(
    [*(field for field in HEAD if field.name != "root"), ("outcome", pa.string())]
)


DECISIONS = "license.decisions"  # among the tables of a manifest


@dataclass(frozen=True)
class Finished:
    """Everything that a run made, ready to become a release."""

    inputs: Sequence[Input]
    lock: list[dict[str, Any]]
    roots: Path
    groups: Sequence[Group]
    listed: Sequence[Path]
    decided: Sequence[Path]
    evidence: Evidence
    bodies: Sequence[Body]
    kept: Sequence[Path]
    shipped: dict[str, Path]
    ledger: Sequence[Path]
    earlier: Sequence[Earlier]
    forks: Forks | None
    lost: pa.Table | None  # to dedup, by group (schema alarm.COUNTS)
    registry: optouts.Registry
    quarantine: Quarantine


def finish(run: Run, made: Finished) -> tuple[dict[str, Any], int]:
    """Write the release's side tables and documents, and publish it.

    Returns its manifest and how many inputs were set aside.
    """
    config = run.config
    check_number(run, made.lock, made.registry)
    final = config.release_folder
    staging = final.with_name(f".{final.name}.staging")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    with _origins(run, made) as origins:
        others = origins.other_counts()
        total, by_input = ledgers.add_up(made.ledger, others, origins.listed())
        _keep_ledger(run, made, origins)
        files = place_files(made.shipped, staging)
        files |= _side_tables(staging, made, origins)
    made.quarantine.write(staging / QUARANTINE)
    if "redact" in config.stages:
        partitions.write_json(staging / "scorecard.json", scorecard(config.redact))
    problems = problems_of([*(one.out for one in made.inputs), *made.listed])
    facts = _facts(run, made, files, total, by_input, others, problems)
    if problems and not facts.kept["files"]:
        first = f"{visible(problems[0].where)}: {problems[0].message}"
        run.progress.note(
            f"WARNING: the release is empty. Of {facts.listed['files']} listed files none is kept; "
            f"{len(problems)} inputs or parts were set aside, the first {first}"
        )
    withdrawn = withdrawn_in(made.registry) if made.registry.requests else None
    publish(staging, final, facts, report.html_of, withdrawn)
    return read_manifest(final), len(problems)


def withdrawn_in(registry: optouts.Registry) -> Withdrawn:
    """The check that nothing opted out is inside, for `verify`."""
    return Withdrawn(
        heads=lambda rows: optout.match_heads(rows, registry),
        files=lambda rows: optout.hits(rows, registry),
    )


def same_release(
    run: Run,
    lock: Sequence[dict[str, Any]],
    earlier: Sequence[Earlier],
    registry: optouts.Registry,
) -> tuple[dict[str, Any], int]:
    """Verify a release that is there already, where it is what this config would build.

    Raises ConfigError naming the next free version where config, inputs or opt-outs differ,
    IntegrityError where the release is damaged.
    """
    config = run.config
    manifest = read_manifest(config.release_folder)
    differs = [
        name
        for name, now, then in (
            ("the config", _plain(config.facts()), manifest["config"]),
            ("the input", _plain(list(lock)), manifest["inputs"]),
            ("an earlier release", _digests(one.lock() for one in earlier), _digests_of(manifest)),
            ("the opt-out registry", registry.head, manifest["optout"].get("head")),
            (
                "what people decided about licenses",
                tables_of(config).get(DECISIONS),
                manifest["tables"].get(DECISIONS),
            ),
        )
        if now != then
    ]
    if differs:
        what = needed(manifest, _about(run, lock, registry))
        why = f" ({'; '.join(what.reasons)})" if what.reasons else ""
        raise ConfigError(
            f"{config.name} v{config.version} is published and {' and '.join(differs)} changed "
            f"since{why}. A release is never written over: set "
            f"`version: {next_free(config, what.level)}`"
        )
    run.progress.note(f"{config.name} v{config.version} is there already; verifying it")
    verify(config.release_folder, withdrawn=withdrawn_in(registry)).demand()
    return manifest, len(manifest.get("problems", []))


def check_number(run: Run, lock: Sequence[dict[str, Any]], registry: optouts.Registry) -> None:
    """Refuse a version number that says less than what changed since the previous release.

    Everything that it looks at is known once the inputs are; nothing of the release is needed.
    Raises ConfigError with the right number.
    """
    config = run.config
    previous = previous_of(config)
    if previous is None:
        if stand := _standing(config):
            newest = ".".join(map(str, max(stand)))
            run.progress.note(
                f"{config.name} v{newest} stands in {config.releases}, but the config has no "
                "`previous:`, so the number is not checked against it and the changelog will say "
                "that this is a first version"
            )
        return
    check_version(previous.manifest, _about(run, lock, registry))


def _about(run: Run, lock: Sequence[dict[str, Any]], registry: optouts.Registry) -> dict[str, Any]:
    """As much of the manifest to come as its number follows from."""
    config = run.config
    found = {
        "name": config.name,
        "version": config.version,
        "schema": {"digest": schema_digest()},
        "config": config.facts(),
        "inputs": list(lock),
        "tables": tables_of(config),
        "tools": versions(),
        "optout": optouts.summary(registry),
    }
    return dict(_plain(found))


def _digests(locks: Iterable[Mapping[str, Any]]) -> list[str]:
    return [lock["digest"] for lock in locks]


def _digests_of(manifest: Mapping[str, Any]) -> list[str]:
    return _digests(manifest.get("dedup", {}).get("against", ()))


def next_free(config: configs.Config, level: str) -> str:
    """The next number after all that stand beside the config's: a major step or a minor one.

    Never a patch: whether a changed registry only takes rows away is known when it was applied.
    """
    newest = max(_standing(config), default=(0, 0, 0))
    return ".".join(map(str, step(newest, "major" if level == "major" else "minor")))


def _standing(config: configs.Config) -> list[tuple[int, int, int]]:
    """The numbers of the releases of this name that are there."""
    folders = config.release_folder.parent.glob("v*")
    return [parse(one.name) for one in folders if re.fullmatch(r"v\d+\.\d+\.\d+", one.name)]


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True))


@contextlib.contextmanager
def _origins(run: Run, made: Finished) -> Iterator[Origins]:
    place = run.folder / f".origins.{os.getpid()}.part"
    shutil.rmtree(place, ignore_errors=True)
    try:
        with Origins(made.roots, made.listed, place) as origins:
            yield origins
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _keep_ledger(run: Run, made: Finished, origins: Origins) -> None:
    """The whole ledger, in the run folder, for `why` and the maintainer."""
    place = run.folder / "ledger"
    shutil.rmtree(place, ignore_errors=True)
    with partitions.whole_folder(place, synced=True) as part:
        write_table(part / "origins.parquet", origins.others(), LEDGER)
        for number, folder in enumerate(made.ledger):
            link_or_copy(folder / ledgers.WHOLE, part / f"files-{number:05d}.parquet")


def _side_tables(staging: Path, made: Finished, origins: Origins) -> dict[str, Shard]:
    """Repositories, revisions, evidence, papers and texts, the published ledger, each sorted."""
    files: dict[str, Shard] = {}
    groups = made.forks.groups() if made.forks else ORIGIN_GROUPS.empty_table()
    files["origin_groups.parquet"] = write_table(
        staging / "origin_groups.parquet", groups, ORIGIN_GROUPS
    )
    if made.lost is not None:
        files["dedup_groups.parquet"] = write_table(staging / "dedup_groups.parquet", made.lost)
    collapsed = one_chunk(groups.filter(groups["collapsed"]), "origin")
    repositories = (_repositories(some, collapsed) for some in origins.remaining())
    files["repositories.parquet"] = write_table(
        staging / "repositories.parquet", repositories, REPOSITORIES
    )
    files["revisions.parquet"] = write_table(
        staging / "revisions.parquet", origins.revisions(made.inputs), REVISION
    )
    kinds: list[pa.Table] = []
    files["evidence.parquet"] = write_table(
        staging / "evidence.parquet", _evidence(made, origins, kinds), EVIDENCE
    )
    files["papers.parquet"] = write_table(staging / "papers.parquet", _papers(made, kinds), PAPERS)
    texts = license_texts(made.evidence, pa.concat_tables([_KINDS.empty_table(), *kinds]))
    files["texts.parquet"] = write_table(staging / "texts.parquet", texts, TEXTS)
    (staging / "ledger").mkdir()
    others = map(ledgers.published, origins.others("origin, outcome, n"))
    files["ledger/origins.parquet"] = write_table(
        staging / "ledger" / "origins.parquet", others, LEDGER
    )
    for number, folder in enumerate(made.ledger):
        name = f"ledger/files-{number:05d}.parquet"
        link_or_copy(folder / ledgers.SHIPS, staging / name)
        files[name] = Shard(**json.loads((folder / "ships.json").read_text()))
    return files


def _repositories(roots: pa.Table, collapsed: pa.Array) -> pa.Table:
    forks = pc.and_(pc.is_in(roots["origin"], collapsed), pc.is_null(roots["verdict"]))
    outcome = pc.if_else(forks, "choose:fork", pc.fill_null(roots["verdict"], KEPT))
    return roots.append_column("outcome", outcome).select(REPOSITORIES.names).cast(REPOSITORIES)


_KINDS = pa.schema([EVIDENCE.field("content_id"), EVIDENCE.field("kind")])


def _evidence(made: Finished, origins: Origins, kinds: list[pa.Table]) -> Iterator[pa.Table]:
    """Every statement that a kept file's license rests on: folders', headers', the host's.

    Comes in shares, sorted by id. Appends the statements' contents and kinds to ``kinds``.
    """
    hosts = [declared_evidence(one) for one in origins.host_licenses()]
    declared = pa.Table.from_pylist([row for row in hosts if row], schema=EVIDENCE)
    for number in range(made.evidence.shares if made.kept else 0):
        used = read_exchange([folder / "used.arrow" for folder in made.kept], number)
        headers = read_exchange([folder / "headers.arrow" for folder in made.kept], number)
        said = pa.concat_tables([made.evidence.share(number), declared, headers])
        said = said.filter(pc.is_in(said["evidence_id"], one_chunk(used, "evidence_id")))
        said = first_of_each(said, "evidence_id").cast(EVIDENCE)
        kinds.append(said.select(_KINDS.names))
        yield said


def _papers(made: Finished, kinds: list[pa.Table]) -> Iterator[pa.Table]:
    """License and notice files of origins that ship files; appends their contents to ``kinds``."""
    ships = [partitions.read_arrow(folder / "origins.arrow")["origin"] for folder in made.kept]
    origins = pc.unique(pa.chunked_array([c for one in ships for c in one.chunks], pa.string()))
    for folder in made.decided:
        rows = partitions.read_arrow(folder / "papers.arrow")
        rows = rows.filter(pc.is_in(rows["origin"], origins))
        kinds.append(rows.select(_KINDS.names))
        yield rows


def _facts(
    run: Run,
    made: Finished,
    files: dict[str, Shard],
    total: ledgers.Counts,
    by_input: dict[str, ledgers.Counts],
    others: Sequence[Mapping[str, Any]],
    problems: Sequence[Any],
) -> ReleaseFacts:
    config = run.config
    listed, kept, dropped = _split(total)
    languages = {one for body in made.bodies for one in meta_of(body.folder)["languages"]}
    return ReleaseFacts(
        name=config.name,
        version=config.version,
        files=files,
        folders={language: folder_name(language) for language in sorted(languages)},
        stages=[*config.stages, "run"],
        listed=listed,
        kept=kept,
        dropped=dropped,
        config=_plain(config.facts()),
        inputs=_plain(made.lock),
        tables=tables_of(config),
        tools=versions(),
        optout=_plain(optouts.summary(made.registry)),
        sources=_by_source(made, by_input, others),
        dedup=_plain(_dedup_facts(config, made)),
        forks=_fork_counts(made),
        problems=[dataclasses.asdict(problem) for problem in problems],
        title=config.title,
        description=config.description,
        authors=list(config.authors),
        notes=config.notes,
        previous=previous_of(config),
    )


def _fork_counts(made: Finished) -> dict[str, int]:
    """Origins that are related to better ones, by how."""
    if made.forks is None:
        return {}
    groups = made.forks.groups()
    distinct = groups.group_by(["relation", "origin"]).aggregate([])
    found = {
        one["values"]: one["counts"] for one in pc.value_counts(distinct["relation"]).to_pylist()
    }
    return {name: found.get(name, 0) for name in (ANCESTRY, CONTENT, INSIDE)}


def _dedup_facts(config: configs.Config, made: Finished) -> dict[str, Any]:
    """What the signatures that ship depend on, and what earlier releases held already."""
    if "dedup" not in config.stages:
        return {}
    facts: dict[str, Any] = {"signing": config.dedup.signing} if config.dedup.store else {}
    like: dict[str, dict[str, int]] = {}
    for folder in made.kept:
        for name, counts in meta_of(folder)["earlier"].items():
            sums = like.setdefault(name, {"exact": 0, "near": 0})
            for reason, files in counts.items():
                sums[reason] += files
    if made.earlier:
        nothing = {"exact": 0, "near": 0}
        facts["earlier"] = config.dedup.earlier
        facts["against"] = [one.lock() | like.get(one.name, nothing) for one in made.earlier]
    return facts


def _split(total: ledgers.Counts) -> tuple[dict[str, int], dict[str, int], dict[str, Any]]:
    """(listed, kept, {stage: {reason: count}}) from counts by outcome."""
    listed = {"files": 0, "bytes": 0}
    dropped: dict[str, Any] = {}
    for outcome, count in sorted(total.items()):
        listed["files"] += count["files"]
        listed["bytes"] += count["bytes"]
        if outcome != KEPT:
            stage, _, reason = outcome.partition(":")
            dropped.setdefault(stage, {})[reason] = count
    return listed, total.get(KEPT, {"files": 0, "bytes": 0}), dropped


def _by_source(
    made: Finished, by_input: dict[str, ledgers.Counts], others: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The funnel split by source: {"0 git": {"listed", "kept", "dropped"}}."""
    counts: dict[int, ledgers.Counts] = {}
    for number, outcomes in by_input.items():
        mine = counts.setdefault(made.inputs[int(number)].source, {})
        for outcome, count in outcomes.items():
            ledgers.add(mine, outcome, count)
    for row in others:
        ledgers.add(counts.setdefault(row["source"], {}), row["outcome"], row)
    named = {}
    for source in sorted(counts):
        listed, kept, dropped = _split(counts[source])
        kind = next(one["kind"] for one in made.lock if one["source"] == source)
        named[f"{source + 1} {kind}"] = {"listed": listed, "kept": kept, "dropped": dropped}
    return named


def tables_of(config: configs.Config) -> dict[str, str]:
    """Digest of every table that decides something in this config, people's decisions included."""
    folder = Path(configs.__file__).parent / "tables"
    tables = {
        path.name: partitions.file_digest(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".")
    }
    decided = review.digest(review.read(config.license.decisions))
    return tables | ({DECISIONS: decided} if decided else {})


def previous_of(config: configs.Config) -> Previous | None:
    """What the release before this one says of itself, where the config names one."""
    if config.previous is None:
        return None
    return read_previous(configs.load(config.previous).release_folder)
