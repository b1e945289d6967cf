"""The ledger: every file of every source ends here, in exactly one row, with exactly one outcome.

One task per partition gathers what each step left about its rows. Where all files of a repository
in the partition were dropped for one reason, they are one row of scope ``origin``. What is
published are counts, and the file rows of `choose`, `filter` and `dedup`; the rest stays in the run
folder with the maintainer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.errors import IntegrityError
from stackcurate.pipeline.choose import WITHDRAWN_COPIES, read_chosen
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.older import STANDS, laundered, stands
from stackcurate.pipeline.tasks import Run
from stackcurate.releases.writer import write_table
from stackcurate.schema import KEPT, LEDGER, one_chunk, row_keys
from stackcurate.sources.ids import hexed
from stackcurate.storage import partitions

PUBLISHED = ("choose", "filter", "dedup")
WHOLE, SHIPS = "whole.parquet", "ships.parquet"  # of one partition: all rows, and what is published
COPY, COPIES = "choose:copy", "optout:copies"

Counts = dict[str, dict[str, int]]  # outcome -> files, bytes


@dataclass(frozen=True)
class LedgerItem:
    """A partition and everything that was decided about its rows."""

    partition: Partition
    decided: Path
    chosen: tuple[Path, ...]
    bodies: tuple[tuple[Path, Path], ...]  # (body, keep)
    older: Mapping[int, Path]  # see older.find_older
    out: Path


def ledger_task(item: LedgerItem) -> tuple[int, int]:
    """Write the ledger rows of one partition, and its counts by source and outcome."""
    rows = _outcomes(item)
    table = _ledger_rows(rows)
    with partitions.whole_folder(item.out) as part:
        write_table(part / WHOLE, table, LEDGER)
        ships = write_table(part / SHIPS, published(table), LEDGER)
        partitions.write_json(part / "ships.json", asdict(ships))
        meta = {"counts": _by_input(rows), "ledger_files": pc.sum(table["files"]).as_py() or 0}
        partitions.write_json(part / "meta.json", meta)
    return rows.num_rows, 0


def _outcomes(item: LedgerItem) -> pa.Table:
    """Listed rows with origin, outcome, kept_row_key, similarity and note."""
    listed = partitions.read_arrow(item.partition.path)
    decided = partitions.read_arrow(item.decided / "rows.arrow", ["verdict", "note", "head"])
    heads = partitions.read_arrow(item.partition.heads, ["origin"])
    outcome = np.array(decided["verdict"].to_pylist(), object)
    note = np.array(pc.coalesce(decided["note"], listed["note"]).to_pylist(), object)
    twin = np.full(len(outcome), None, object)
    where = np.full(len(outcome), None, object)
    similarity = np.full(len(outcome), np.nan, np.float32)
    alive = np.array([one is None for one in outcome], bool)
    _mark_copies(listed, item, alive, outcome, twin)
    for body, keep in item.bodies:
        drops = partitions.read_arrow(body / "drops.arrow")
        at = drops["row"].to_numpy()
        outcome[at], note[at] = drops["verdict"].to_pylist(), drops["note"].to_pylist()
        _name_older(body, item.older, note)
        at = partitions.read_arrow(body / "rows.arrow", ["row"])["row"].to_numpy()
        kept = partitions.read_arrow(keep / "keep.arrow")
        where[at] = kept["kept_in"].to_pylist()
        outcome[at] = pc.fill_null(kept["verdict"], KEPT).to_pylist()
        twin[at] = kept["kept_row_key"].to_pylist()
        similarity[at] = kept["similarity"].fill_null(np.nan).to_numpy()
    if any(one is None for one in outcome):
        raise IntegrityError(
            f"a file of partition {item.partition.number} has no outcome; remove the run folder "
            "and start again, and report it if it comes back"
        )
    columns = {
        "origin": heads["origin"].take(decided["head"]),
        "head": decided["head"],
        "outcome": pa.array(outcome, pa.string()),
        "kept_row_key": pa.array(twin, pa.string()),
        "kept_in": pa.array(where, pa.string()),
        "similarity": pa.array(similarity, mask=np.isnan(similarity)),
        "note": pa.array(note, pa.string()),
        "files": pa.array(np.ones(len(outcome), np.int64)),
        "bytes": pc.fill_null(listed["length"], 0),
    }
    some = ["input", "path", "path_bytes", "content_id"]
    return pa.table({**{name: listed[name] for name in some}, **columns})


def _name_older(body: Path, older: Mapping[int, Path], note: np.ndarray) -> None:
    """Notes of laundered files name the older place; one that was withdrawn stays unnamed."""
    rows = laundered(body)
    found = stands(older, rows["refused_at"].to_numpy())
    for row, address in zip(rows["row"].to_pylist(), rows["refused_at"].to_pylist(), strict=True):
        told = "{origin} {path} ({license_expression})".format_map(
            found.get(address) or dict.fromkeys(STANDS.names, "withdrawn")
        )
        note[row] = f"{note[row]}; older: {told}"


def _mark_copies(
    listed: pa.Table, item: LedgerItem, alive: np.ndarray, outcome: np.ndarray, twin: np.ndarray
) -> None:
    """Rows that `choose` saw alive: the winner's twins, and contents withdrawn with all copies."""
    chosen = read_chosen(item.chosen, item.partition.number)
    rows = np.flatnonzero(alive)
    ids = one_chunk(listed, "content_id").take(pa.array(rows))
    at = pc.index_in(ids, one_chunk(chosen, "content_id")).to_numpy()
    winner = chosen["place0"].to_numpy()[at] == (np.int64(item.partition.number) << 32) + rows
    withdrawn = chosen["marks"].to_numpy()[at] & WITHDRAWN_COPIES != 0
    outcome[rows[withdrawn]] = COPIES
    copies = ~winner & ~withdrawn
    outcome[rows[copies]] = COPY
    keys = np.array(chosen["kept_row_key"].to_pylist(), object)
    twin[rows[copies]] = keys[at[copies]]


def _ledger_rows(rows: pa.Table) -> pa.Table:
    """LEDGER rows: a repository that was dropped whole for one reason is one of them."""
    grouped = rows.group_by("head").aggregate(
        [("outcome", "min"), ("outcome", "max"), ("files", "sum"), ("bytes", "sum"),
         ("note", "min"), ("note", "max")]
    )  # fmt: skip
    whole = pc.equal(grouped["outcome_min"], grouped["outcome_max"])
    stage = pc.list_element(pc.split_pattern(grouped["outcome_min"], ":"), 0)
    public = pc.is_in(stage, pa.array([KEPT, *PUBLISHED]))
    public = pc.and_not(public, pc.equal(grouped["outcome_min"], "choose:fork"))
    whole = pc.and_not(whole, public)
    heads = grouped.filter(whole)
    origins = rows.select(["head", "origin"]).group_by("head").aggregate([("origin", "min")])
    names = origins["origin_min"].take(pc.index_in(heads["head"], one_chunk(origins, "head")))
    scopes = pa.table(
        {
            "scope": pa.array(["origin"] * heads.num_rows, pa.string()),
            "origin": names,
            "files": heads["files_sum"],
            "bytes": heads["bytes_sum"],
            "outcome": heads["outcome_min"],
            "note": _common_note(heads),
        }
    )
    single = rows.filter(pc.invert(pc.is_in(rows["head"], one_chunk(heads, "head"))))
    files = single.append_column("scope", pa.array(["file"] * single.num_rows, pa.string()))
    files = files.append_column("row_key", pa.array(row_keys(single), pa.string()))
    at = files.schema.get_field_index("content_id")
    files = files.set_column(at, "content_id", hexed(single["content_id"]))
    return pa.concat_tables([_as_ledger(scopes), _as_ledger(files)])


def _common_note(heads: pa.Table) -> pa.Array:
    """Why a whole repository was dropped for its licenses: what all its rows say, or the first."""
    both = zip(heads["note_min"].to_pylist(), heads["note_max"].to_pylist(), strict=True)
    said = [least if least == most else f"{least}; and others" for least, most in both]
    licenses = pc.starts_with(heads["outcome_min"], "license:")
    return pc.if_else(licenses, pa.array(said, pa.string()), pa.scalar(None, pa.string()))


def _as_ledger(table: pa.Table) -> pa.Table:
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in LEDGER
    ]
    return pa.Table.from_arrays(columns, schema=LEDGER)


def _by_input(rows: pa.Table) -> dict[str, Counts]:
    grouped = rows.group_by(["input", "outcome"]).aggregate([("files", "sum"), ("bytes", "sum")])
    counts: dict[str, Counts] = {}
    for row in grouped.to_pylist():
        mine = counts.setdefault(str(row["input"]), {})
        mine[row["outcome"]] = {"files": row["files_sum"], "bytes": row["bytes_sum"]}
    return counts


def write_ledger(
    run: Run,
    found: Sequence[Partition],
    decided: Sequence[Path],
    chosen: Sequence[Path],
    bodies: Sequence[Body],
    kept: Sequence[Path],
    older: Mapping[int, Path],
) -> list[Path]:
    """The ledger of every partition; returns the folders."""
    mine: dict[int, list[tuple[Path, Path]]] = {}
    for body, keep in zip(bodies, kept, strict=True):
        mine.setdefault(body.partition, []).append((body.folder, keep))
    items = []
    for part, decisions in zip(found, decided, strict=True):
        pairs = tuple(mine.get(part.number, ()))
        names: list[Any] = [(body.name, keep.name) for body, keep in pairs]
        place = run.place(
            "ledger", part.name, part.number, decisions.name, [c.name for c in chosen], names
        )
        items.append(LedgerItem(part, decisions, tuple(chosen), pairs, dict(older), place))
    return run.do("ledger", ledger_task, items)


def add_up(
    folders: Sequence[Path], others: Sequence[Mapping[str, Any]], listed: Mapping[str, int]
) -> tuple[Counts, dict[str, Counts]]:
    """Counts by outcome, in all and by input; checks that they add up to what was listed.

    ``others`` are sums (outcome, files, bytes) of origins that were not listed. ``listed`` is
    {"files", "bytes"} as counted while listing. Raises IntegrityError.
    """
    total: Counts = {}
    by_input: dict[str, Counts] = {}
    in_ledger = 0
    for folder in folders:
        meta = meta_of(folder)
        in_ledger += meta["ledger_files"]
        for number, counts in meta["counts"].items():
            for outcome, count in counts.items():
                add(total, outcome, count)
                add(by_input.setdefault(number, {}), outcome, count)
    files = sum(count["files"] for count in total.values())
    if not files == in_ledger == listed["files"]:
        raise IntegrityError(
            f"the ledger does not add up: {listed['files']} files listed, {files} decided, "
            f"{in_ledger} in the ledger. Nothing was published; remove the run folder, start "
            "again, and report it if it comes back"
        )
    for row in others:
        add(total, row["outcome"], row)
    return total, by_input


def add(counts: Counts, outcome: str, count: Mapping[str, Any]) -> None:
    """Add one count (files, bytes) to the sums of an outcome."""
    sums = counts.setdefault(outcome, {"files": 0, "bytes": 0})
    sums["files"] += count["files"]
    sums["bytes"] += count["bytes"]


def published(table: pa.Table) -> pa.Table:
    """The ledger rows that ship: what `choose`, `filter` or `dedup` dropped or marked."""
    stage = pc.list_element(pc.split_pattern(table["outcome"], ":"), 0)
    return table.filter(pc.or_(pc.is_in(stage, pa.array(PUBLISHED)), table["kept_in"].is_valid()))
