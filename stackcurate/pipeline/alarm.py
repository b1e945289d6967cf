"""Stops a run before it publishes when `dedup` took too much of one repository or language.

Near-dedup that goes wrong does so by collapse: one cluster swallows a source (859,092 rows became
two in a published set). So what counts are files that fell to clusters of ``cluster`` files and
more; a fork whose files each have their twin in its parent is no alarm. A group's share is what
fell of the files that reached `dedup`. Groups of fewer than ``files`` are never judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.errors import StopError
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.inputs import Input
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.releases.facts import Previous
from stackcurate.schema import one_chunk
from stackcurate.storage import partitions

COLUMNS = {"repository": "origin", "license": "license_class", "language": "language"}
# What an earlier release holds is no collapse, however much it is.
_REASONS = ("exact", "near")
_NAMED = 5  # groups, and clusters of each, that the message names

# Per group: files that reached dedup, all that it dropped, and those that fell to large clusters.
# What an earlier release holds is not counted as dropped.
COUNTS = pa.schema(
    [("kind", pa.string()), ("group", pa.string())]
    + [(name, pa.int64()) for name in ("files", "dropped", "fell")]
)


@dataclass(frozen=True)
class AlarmItem:
    """One body; ``large`` holds the row keys of the kept files of all large clusters."""

    body: Path
    keep: Path
    listing: Path
    sources: tuple[int, ...]  # of each input
    large: frozenset[str]
    out: Path


def alarm_task(item: AlarmItem) -> tuple[int, int]:
    """Count one body's groups."""
    rows = _rows(item)
    tables = []
    for kind in (*COLUMNS, "source"):
        found = rows.group_by(kind).aggregate(
            [("files", "sum"), ("dropped", "sum"), ("fell", "sum")]
        )
        tables.append(
            pa.table(
                {
                    "kind": pa.array([kind] * found.num_rows, pa.string()),
                    "group": pc.fill_null(found[kind], "(none)"),
                    **{name: found[f"{name}_sum"] for name in ("files", "dropped", "fell")},
                }
            ).cast(COUNTS)
        )
    with partitions.whole_folder(item.out) as part:
        partitions.write_arrow(part / "counts.arrow", pa.concat_tables(tables))
    return rows.num_rows, 0


def _rows(item: AlarmItem) -> pa.Table:
    """A body's rows with their groups, ``files`` 1, ``dropped`` and ``fell`` 0 or 1, and twin."""
    rows = partitions.read_arrow(item.body / "rows.arrow", ["row", *COLUMNS.values()])
    kept = partitions.read_arrow(item.keep / "keep.arrow", ["verdict", "kept_row_key"])
    listed = partitions.read_arrow(item.listing, ["input"])["input"].take(rows["row"])
    source = np.array(item.sources, np.int64)[listed.to_numpy()]
    dropped = pc.is_in(kept["verdict"], pa.array([f"dedup:{one}" for one in _REASONS]))
    large = pc.is_in(kept["kept_row_key"], pa.array(sorted(item.large), pa.string()))
    groups = {kind: rows[column] for kind, column in COLUMNS.items()}
    return pa.table(
        {
            **groups,
            "source": pa.array(source).cast(pa.string()),
            "files": pa.array(np.ones(rows.num_rows, np.int64)),
            "dropped": dropped.cast(pa.int64()),
            "fell": pc.and_(dropped, large).cast(pa.int64()),
            "twin": kept["kept_row_key"],
        }
    )


def watch(
    run: Run,
    inputs: Sequence[Input],
    found: Sequence[Partition],
    bodies: Sequence[Body],
    kept: Sequence[Path],
    before: Previous | None,
) -> pa.Table:
    """Raise StopError where a group lost more than ``config.alarm`` allows.

    ``before`` is the previous release: a repository, license, language or source may not lose
    ``rise`` more of its files to `dedup` than it did then. Names groups that lost most, and the
    kept files they fell to; all of these are in the release to be, so nothing withdrawn is named.
    Returns what each group lost (schema COUNTS), for the release and the alarm of the next.
    """
    limits = run.config.alarm
    large = frozenset(_large(bodies, kept, limits.cluster))
    listings = {part.number: part.path for part in found}
    sources = tuple(item.source for item in inputs)
    items = []
    for body, keep in zip(bodies, kept, strict=True):
        place = run.place("alarm", body.folder.name, keep.name, sorted(large), sources)
        items.append(AlarmItem(body.folder, keep, listings[body.partition], sources, large, place))
    folders = run.do("alarm", alarm_task, items)
    if not folders:
        return COUNTS.empty_table()
    counts = pa.concat_tables([partitions.read_arrow(f / "counts.arrow") for f in folders])
    totals = counts.group_by(["kind", "group"]).aggregate(
        [("files", "sum"), ("dropped", "sum"), ("fell", "sum")]
    )
    rows = sorted(totals.to_pylist(), key=lambda r: (-r["fell_sum"], r["kind"], r["group"]))
    names = {str(n): f"{n + 1} {source.kind}" for n, source in enumerate(run.config.sources)}
    hits = [row for row in rows if _too_much(row, limits)]
    lines = [_line(row, names, items) for row in hits[:_NAMED]]
    if before is not None:
        lines += _risen(rows, names, _shares_then(before), limits)
    if lines:
        raise StopError(
            "dedup removed more than the limits under `alarm:` allow; nothing was published.\n  "
            + "\n  ".join(lines)
            + "\nLook at these clusters (`stackcurate why`); if they are right, raise the limit in "
            "the config and start again: nothing is computed twice"
        )
    lost = [
        {
            "kind": row["kind"],
            "group": names[row["group"]] if row["kind"] == "source" else row["group"],
            "files": row["files_sum"],
            "dropped": row["dropped_sum"],
            "fell": row["fell_sum"],
        }
        for row in sorted(rows, key=lambda r: (r["kind"], r["group"]))
    ]
    return pa.Table.from_pylist(lost, schema=COUNTS)


def _large(bodies: Sequence[Body], kept: Sequence[Path], least: int) -> list[str]:
    """Row keys of the kept files of clusters of ``least`` files and more."""
    keys: list[str] = []
    for body, keep in zip(bodies, kept, strict=True):
        sizes = partitions.read_arrow(keep / "keep.arrow", ["cluster_size"])["cluster_size"]
        at = np.flatnonzero(sizes.fill_null(1).to_numpy() >= least)
        if len(at):
            known = np.load(body.folder / "keys.npy", mmap_mode="r")
            keys += [key.decode() for key in known[at].tolist()]
    return keys


def _too_much(row: dict[str, Any], limits: Any) -> bool:
    share = row["fell_sum"] / row["files_sum"]
    return bool(row["files_sum"] >= limits.files and share > getattr(limits, row["kind"]))


def _line(row: dict[str, Any], names: dict[str, str], items: Sequence[AlarmItem]) -> str:
    """What one group lost, and to which kept files."""
    kind, group = row["kind"], row["group"]
    lost: dict[str, int] = {}
    for item in items:
        rows = _rows(item)
        mine = pc.equal(pc.fill_null(rows[kind], "(none)"), group)
        twins = rows.filter(pc.and_(mine, pc.equal(rows["fell"], 1)))["twin"]
        for one in pc.value_counts(one_chunk(pa.table({"t": twins}), "t")).to_pylist():
            lost[one["values"]] = lost.get(one["values"], 0) + one["counts"]
    worst = sorted(lost.items(), key=lambda pair: (-pair[1], pair[0]))[:_NAMED]
    named = ", ".join(f"{count:,} to {key}" for key, count in worst)
    return (
        f"{kind} {names[group] if kind == 'source' else group}: {row['fell_sum']:,} of "
        f"{row['files_sum']:,} files fell to large clusters (kept files by row key: {named})"
    )


def _counts(kind: str) -> str:
    return "fell" if kind == "repository" else "dropped"


def _shares_then(before: Previous) -> dict[tuple[str, str], tuple[int, int]]:
    """{(kind, group): (files that reached dedup, those that count)} of the previous release.

    All that were dropped count; of a single repository those that fell to large clusters, because
    it may well lose all its files to a better fork that came since. A release of an older version
    tells only its sources, in its manifest.
    """
    table = before.folder / "dedup_groups.parquet" if before.folder else None
    if table is not None and table.is_file():
        rows = pq.read_table(table).to_pylist()
        return {(r["kind"], r["group"]): (r["files"], r[_counts(r["kind"])]) for r in rows}
    then = {}
    for name, part in before.manifest["counts"].get("sources", {}).items():
        by_reason = part["dropped"].get("dedup", {})
        gone = sum(by_reason[one]["files"] for one in _REASONS if one in by_reason)
        then["source", name] = (gone + part["kept"]["files"], gone)
    return then


def _risen(
    rows: Sequence[dict[str, Any]],
    names: dict[str, str],
    then: Mapping[tuple[str, str], tuple[int, int]],
    limits: Any,
) -> list[str]:
    """Groups that lose a larger share to dedup than in the previous release, the worst first."""
    risen = []
    for row in rows:
        kind, group = row["kind"], row["group"]
        name = names[group] if kind == "source" else group
        files, dropped = then.get((kind, name), (0, 0))
        if min(files, row["files_sum"]) < limits.files:
            continue
        now, was = row[f"{_counts(kind)}_sum"] / row["files_sum"], dropped / files
        if now - was > limits.rise:
            risen.append((was - now, kind, name, f"{now:.1%} of its files, and {was:.1%}"))
    lines = [
        f"{kind} {name}: dedup dropped {shares} in the release before (rise allowed: "
        f"{limits.rise:.0%})"
        for _, kind, name, shares in sorted(risen)[:_NAMED]
    ]
    more = len(risen) - _NAMED
    return [*lines, f"and {more:,} more groups rose as much"] if more > 0 else lines
