"""Counts after a withdrawal: files go from their old outcome to ``optout:…``, and all adds up."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate.schema import KEPT


@dataclass(frozen=True)
class Moved:
    """Files of one origin that go from one outcome to another."""

    origin: str
    old: str
    new: str
    files: int
    bytes: int


def of_rows(rows: pa.Table, old: str | None, size: str) -> Iterator[Moved]:
    """Sums of ``rows`` by origin, outcome (``old``, or the column) and verdict."""
    if old is not None:
        rows = rows.append_column("outcome", pa.repeat(pa.scalar(old), rows.num_rows))
        rows = rows.append_column("files", pa.repeat(pa.scalar(1, pa.int64()), rows.num_rows))
    grouped = rows.group_by(["origin", "outcome", "verdict"]).aggregate(
        [("files", "sum"), (size, "sum")]
    )
    for row in grouped.to_pylist():
        yield Moved(
            row["origin"], row["outcome"], row["verdict"], row["files_sum"],
            row[f"{size}_sum"] or 0,
        )  # fmt: skip


def labels(release: Path, manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Origin -> the names in ``counts.sources`` of the sources that may have listed it."""
    by_key: dict[str, list[str]] = {}
    for one in manifest["inputs"]:
        label = f"{one['source'] + 1} {one['kind']}"
        if label not in by_key.setdefault(one["key"], []):
            by_key[one["key"]].append(label)
    table = pq.read_table(
        release / "repositories.parquet", columns=["origin", "container", "outcome"]
    )
    found: dict[str, list[str]] = {}
    for row in table.sort_by([("outcome", "descending")]).to_pylist():
        found.setdefault(row["origin"], []).extend(by_key.get(row["container"], ()))
    return found


def counts(
    manifest: Mapping[str, Any], moved: Sequence[Moved], by_origin: Mapping[str, list[str]]
) -> dict[str, Any]:
    """The manifest's counts after all moves, in all and by source."""
    result = copy.deepcopy(dict(manifest["counts"]))
    for move in moved:
        parts = [result]
        mine = [
            result["sources"][one]
            for one in by_origin.get(move.origin, ())
            if one in result["sources"]
        ]
        parts += [part for part in mine if _count(part, move.old)["files"] >= move.files][:1]
        # Lengths that a source did not know were counted as 0 while listing.
        size = min([move.bytes, *(_count(part, move.old)["bytes"] for part in parts)])
        for part in parts:
            _move(part, move, size)
    return result


def _count(part: Mapping[str, Any], outcome: str) -> dict[str, int]:
    if outcome == KEPT:
        kept: dict[str, int] = part["kept"]
        return kept
    stage, _, reason = outcome.partition(":")
    return part["dropped"].get(stage, {}).get(reason) or {"files": 0, "bytes": 0}


def _move(part: dict[str, Any], move: Moved, size: int) -> None:
    old = _count(part, move.old)
    old["files"] -= move.files
    old["bytes"] -= size
    stage, _, reason = move.new.partition(":")
    new = part["dropped"].setdefault(stage, {}).setdefault(reason, {"files": 0, "bytes": 0})
    new["files"] += move.files
    new["bytes"] += size
    stage, _, reason = move.old.partition(":")
    if move.old != KEPT and not old["files"]:
        new["bytes"] += old["bytes"]
        del part["dropped"][stage][reason]
        if not part["dropped"][stage]:
            del part["dropped"][stage]
