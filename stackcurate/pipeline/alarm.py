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

from stackcurate.errors import StopError
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.inputs import Input
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import one_chunk
from stackcurate.storage import partitions

COLUMNS = {"repository": "origin", "license": "license_class", "language": "language"}
# What an earlier release holds is no collapse, however much it is.
_REASONS = ("exact", "near")
_NAMED = 5  # groups, and clusters of each, that the message names

# Per group: files that reached dedup, all that it dropped, and those that fell to large clusters.
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
    before: Mapping[str, Any] | None,
) -> None:
    """Raise StopError where a group lost more than ``config.alarm`` allows.

    ``before`` is the previous release's manifest: a source may not lose ``rise`` more of its files
    to `dedup` than it did then. Names groups that lost most, and the kept files they fell to; all
    of these are in the release to be, so nothing withdrawn is named.
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
        return
    counts = pa.concat_tables([partitions.read_arrow(f / "counts.arrow") for f in folders])
    totals = counts.group_by(["kind", "group"]).aggregate(
        [("files", "sum"), ("dropped", "sum"), ("fell", "sum")]
    )
    rows = sorted(totals.to_pylist(), key=lambda r: (-r["fell_sum"], r["kind"], r["group"]))
    names = {str(n): f"{n + 1} {source.kind}" for n, source in enumerate(run.config.sources)}
    hits = [row for row in rows if _too_much(row, limits)]
    lines = [_line(row, names, items) for row in hits[:_NAMED]]
    if before is not None:
        lines += _risen([r for r in rows if r["kind"] == "source"], names, before, limits)
    if lines:
        raise StopError(
            "dedup removed more than the limits under `alarm:` allow; nothing was published.\n  "
            + "\n  ".join(lines)
            + "\nLook at these clusters (`stackcurate why`); if they are right, raise the limit in "
            "the config and start again: nothing is computed twice"
        )


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


def _risen(
    rows: Sequence[dict[str, Any]], names: dict[str, str], before: Mapping[str, Any], limits: Any
) -> list[str]:
    """Sources that lose a larger share to dedup than in the previous release, by its manifest."""
    then = before["counts"].get("sources", {})
    lines = []
    for row in rows:
        name = names[row["group"]]
        if row["files_sum"] < limits.files or name not in then:
            continue
        by_reason = then[name]["dropped"].get("dedup", {})
        gone = sum(by_reason[one]["files"] for one in _REASONS if one in by_reason)
        reached = gone + then[name]["kept"]["files"]
        if reached >= limits.files:
            now, was = row["dropped_sum"] / row["files_sum"], gone / reached
            if now - was > limits.rise:
                lines.append(
                    f"source {name}: dedup dropped {now:.1%} of its files, and {was:.1%} in the "
                    f"release before (rise allowed: {limits.rise:.0%})"
                )
    return lines
