"""From links to decisions: the cover, who stands for whom, and one decision file per part.

The cover goes through the files by rank and drops a file only if it is linked to a better file that
is kept. So no removal rests on a removed file, and there is no chain from like to unlike.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stackcurate.dedup.steps import (
    Part,
    Plan,
    gather,
    live_path,
    load,
    numpy,
    read_live,
    received,
    save,
    send,
)
from stackcurate.kernels.components import connect, cover, roots
from stackcurate.storage.exchange import read_exchange
from stackcurate.storage.partitions import whole, write_arrow

DECISION = pa.schema(
    [
        ("row", pa.int32()),
        ("verdict", pa.string()),  # one of VERDICTS; null for a kept file
        ("kept_part", pa.int32()),  # number of the part of the kept file that stands for this one
        ("kept_row", pa.int32()),
        ("similarity", pa.float32()),  # to the kept file: verified; null for components
        ("cluster_size", pa.int64()),  # of a kept file: itself and those it stands for
    ]
)

EXACT, NEAR = 1, 2
# By reason, and whether the file that stands for this one is an earlier part's.
VERDICTS = np.array(
    [["dedup:exact", "dedup:earlier_exact"], ["dedup:near", "dedup:earlier_near"]], object
)


def cover_all(plan: Plan, number: int, groups: list[int]) -> np.ndarray:
    """The bitmap of kept files after round ``number``; notes the deciding links of each slot.

    ``groups`` are the numbers of link files of the rounds so far. Starts from the files that are
    no exact copies, so that a file whose twin has gone meanwhile is kept again.
    """
    live = read_live(plan, 0).copy()
    paths = [
        plan.path("links", r, group) for r, count in enumerate(groups) for group in range(count)
    ]
    for slot in range(plan.slots):
        if paths:
            worse, better, similarity = received(paths, slot, "worse", "better", "similarity")
            order = np.lexsort((better, worse))
            worse, better, similarity = worse[order], better[order], similarity[order]
            deciding = cover(live, worse, better, similarity)
        else:
            worse = better = np.zeros(0, np.uint32)
            similarity, deciding = np.zeros(0, np.float32), np.zeros(0, np.int64)
        _note_near(plan, slot, worse[deciding], better[deciding], similarity[deciding])
    save(live_path(plan, number + 1), live)
    return live


def join_all(plan: Plan) -> None:
    """Connected components of the unverified pairs of the first round, for comparison."""
    parent = np.arange(plan.files, dtype=np.uint32)
    for slot in range(plan.slots):
        (pairs,) = received(plan.paths("pairs-0", plan.band_targets), slot, "pair")
        connect(parent, pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF))
    roots(parent)
    for slot in range(plan.slots):
        begin, end = plan.starts[slot], plan.starts[slot + 1]
        worse = np.arange(begin, end, dtype=np.uint32)
        better = parent[begin:end]
        moved = better != worse
        unknown = np.full(int(moved.sum()), np.nan, np.float32)
        _note_near(plan, slot, worse[moved], better[moved], unknown)


def _note_near(
    plan: Plan, slot: int, file: np.ndarray, twin: np.ndarray, similarity: np.ndarray
) -> None:
    decided = np.zeros(len(file), [("file", "<u4"), ("twin", "<u4"), ("similarity", "<f4")])
    decided["file"], decided["twin"], decided["similarity"] = file, twin, similarity
    save(plan.path("near", slot), decided)


@dataclass(frozen=True)
class SendTwins:
    """One slot's dropped files and the exact copies of its files, to the slots of their twins.

    A copy of a file that is itself dropped as near follows it: its twin is the kept file, its
    similarity and verdict those of the file it copies.
    """

    plan: Plan

    def __call__(self, slot: int) -> None:
        plan = self.plan
        near = np.asarray(load(plan.path("near", slot)))
        copy, best = received(plan.paths("bests", plan.digest_targets), slot, "number", "best")
        at = np.minimum(np.searchsorted(near["file"], best), max(len(near) - 1, 0))
        follows = near["file"][at] == best if len(near) else np.zeros(len(best), bool)
        twin, similarity = best.copy(), np.ones(len(best), np.float32)
        twin[follows] = near["twin"][at[follows]]
        similarity[follows] = near["similarity"][at[follows]]
        reason = np.where(follows, NEAR, EXACT).astype(np.int8)
        twins = np.concatenate([near["twin"], twin])
        table = pa.table(
            {
                "file": np.concatenate([near["file"], copy]),
                "twin": twins,
                "similarity": np.concatenate([near["similarity"], similarity]),
                "reason": np.concatenate([np.full(len(near), NEAR, np.int8), reason]),
            }
        )
        send(plan.path("twins", slot), table, plan.slot_of(twins), plan.slots)


@dataclass(frozen=True)
class SendDecisions:
    """The clusters whose kept file is in this slot, to the bundles of all their members.

    Returns ({verdict: files}, {cluster size: clusters}), both without files of earlier parts.
    """

    plan: Plan

    def __call__(self, slot: int) -> tuple[dict[str, int], dict[str, int]]:
        plan = self.plan
        file, twin, similarity, reason = received(
            plan.paths("twins", plan.slots), slot, "file", "twin", "similarity", "reason"
        )
        order = np.argsort(file)
        file, twin, similarity, reason = file[order], twin[order], similarity[order], reason[order]
        own = np.asarray(load(plan.path("address", slot)))
        home = gather(plan, "address", file) if len(file) else np.zeros((0, 2), np.int32)
        kept, members = np.unique(twin, return_counts=True)
        kept_home = own[kept.astype(np.int64) - plan.starts[slot]]
        twin_home = own[twin.astype(np.int64) - plan.starts[slot]]
        kept_part, kept_row = plan.homes(twin_home)
        dropped = pa.table(
            {
                "row": home[:, 1].copy(),
                "verdict": VERDICTS[reason - EXACT, (twin < plan.earlier).astype(np.int8)],
                "kept_part": kept_part,
                "kept_row": kept_row,
                "similarity": pa.array(similarity, from_pandas=True),  # NaN as null
                "cluster_size": pa.nulls(len(file), pa.int64()),
            }
        ).cast(DECISION)
        heads = pa.table({"row": kept_home[:, 1].copy(), "cluster_size": members + 1})
        nothing = {name: pa.nulls(len(kept), DECISION.field(name).type) for name in DECISION.names}
        heads = pa.table({**nothing, **{n: heads[n] for n in heads.column_names}}).cast(DECISION)
        send(
            plan.path("decided", slot),
            pa.concat_tables([dropped, heads]),
            np.concatenate([home[:, 0], kept_home[:, 0]]).astype(np.int64),
            len(plan.bundles),
        )
        own_files, own_heads = file >= plan.earlier, kept >= plan.earlier
        verdicts = dict(Counter(dropped["verdict"].filter(pa.array(own_files)).to_pylist()))
        sizes, clusters = np.unique(members[own_heads] + 1, return_counts=True)
        return verdicts, {str(s): int(c) for s, c in zip(sizes, clusters, strict=True)}


@dataclass(frozen=True)
class WriteDecisions:
    """A bundle's decisions by part and row: ``decisions-<part number>.arrow`` beside the steps."""

    plan: Plan

    def __call__(self, bundle: int) -> None:
        plan = self.plan
        table = read_exchange(plan.paths("decided", plan.slots), bundle)
        table = table.take(pa.array(np.argsort(numpy(table, "row"), kind="stable")))
        for part, which, rows in plan.bundles[bundle].split(numpy(table, "row")):
            own = table.slice(which.start, len(rows)).set_column(0, DECISION.field("row"), [rows])
            with whole(decisions_path(plan, part)) as beside:
                write_arrow(beside, own)


def decisions_path(plan: Plan, part: Part) -> Path:
    """Where the decisions of a part end up."""
    return plan.folder.parent / f"decisions-{part.number}.arrow"
