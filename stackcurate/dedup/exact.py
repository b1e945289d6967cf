"""Numbers for all files by rank, and the files whose texts are equal.

Ranks are sorted out of core: a sample cuts them into slots, each bundle sends its ranks to their
slots, each slot sorts its own. Texts are equal when their SHA-256 is; the best-ranked one stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from stackcurate.dedup.near import fixed_array
from stackcurate.dedup.steps import Part, Plan, fixed, numpy, received, run, save, send
from stackcurate.engine.base import Engine
from stackcurate.errors import ConfigError
from stackcurate.kernels.components import clear_bits
from stackcurate.storage.exchange import exchange_counts, read_exchange
from stackcurate.storage.partitions import read_arrow

_SAMPLE = 1 << 18  # ranks of all parts that help to cut the slots


def number_files(plan: Plan, engine: Engine) -> Plan:
    """Give every file its number; returns the plan with sizes and slots filled in."""
    sampled = run(engine, plan, "sample", Sample(plan), len(plan.bundles))
    bundles = [
        replace(bundle, firsts=(0, *np.cumsum(rooms[:-1], dtype=np.int64).tolist()))
        for bundle, (_, rooms, _) in zip(plan.bundles, sampled, strict=True)
    ]
    plan = replace(plan, bundles=tuple(bundles), rows=tuple(rows for rows, _, _ in sampled))
    plan.write()
    cuts = _cuts(sorted(bytes.fromhex(rank) for _, _, some in sampled for rank in some), plan.slots)
    run(engine, plan, "rank", SendRanks(plan, tuple(cuts)), len(plan.bundles))
    counts = sum(exchange_counts(path) for path in plan.paths("ranks", len(plan.bundles)))
    plan = replace(plan, starts=(0, *np.cumsum(counts).tolist()))
    plan.write()
    run(engine, plan, "number", NumberSlot(plan), plan.slots)
    return plan


def drop_equal(plan: Plan, engine: Engine) -> np.ndarray:
    """Find equal texts; returns the bitmap of the files that are no copy of a better one."""
    run(engine, plan, "digest", SendDigests(plan), len(plan.bundles))
    run(engine, plan, "equal", FindEqual(plan), plan.digest_targets)
    live = np.packbits(np.ones(plan.files, np.uint8), bitorder="little")
    for slot in range(plan.slots):
        (copies,) = received(plan.paths("copies", plan.digest_targets), slot, "number")
        clear_bits(live, copies)
    return live


def _cuts(ranks: list[bytes], slots: int) -> list[bytes]:
    """The first ranks of slots 1 to ``slots - 1``, evenly from a sorted sample."""
    return [ranks[len(ranks) * slot // slots] for slot in range(1, slots)]


def ranks_of(plan: Plan, bundle: int) -> np.ndarray:
    """The ranks of a bundle's files as fixed-width bytes: smaller is better."""
    own = [one.parts[0].path for one in plan.bundles if not one.earlier]
    width = rank_width(own[0]) if own else 9
    mixed = 0 < len(own) < len(plan.bundles)
    return np.concatenate([_ranks(part, width, mixed) for part in plan.bundles[bundle].parts])


def _ranks(part: Part, width: int, mixed: bool) -> np.ndarray:
    """One part's ranks; those of ``earlier`` files are made. ``mixed``: there are both kinds."""
    if not part.earlier:
        ranks = fixed(read_arrow(part.path, ["rank"]), "rank", f"S{width}")
        if mixed and (ranks.view("u1").reshape(-1, width)[:, 0] == 0).any():
            raise ConfigError("dedup: ranks begin with a zero byte, as only earlier files' may")
        return ranks
    rows = numpy(read_arrow(part.path, ["row"]), "row")
    made = np.zeros((len(rows), width), np.uint8)
    made[:, width - 8 :] = (
        (part.first + rows.astype(np.int64)).astype(">u8").view(np.uint8).reshape(-1, 8)
    )
    return made.view(f"S{width}").ravel()


def rank_width(path: Path) -> int:
    """Bytes of the ranks of an Arrow file of records."""
    with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
        return int(reader.schema.field("rank").type.byte_width)


@dataclass(frozen=True)
class Sample:
    """How many files a bundle has, how many rows to leave each part, some ranks in hex."""

    plan: Plan

    def __call__(self, bundle: int) -> tuple[int, list[int], list[str]]:
        parts = self.plan.bundles[bundle].parts
        rows = [numpy(read_arrow(part.path, ["row"]), "row") for part in parts]
        rooms = [int(some.max(initial=-1)) + 1 for some in rows]
        ranks = ranks_of(self.plan, bundle)
        some_here = max(8, min(1024, _SAMPLE // len(self.plan.bundles)))
        step = max(1, -(-len(ranks) // some_here))
        width = ranks.dtype.itemsize
        some = [rank.ljust(width, b"\0").hex() for rank in ranks[::step].tolist()]
        return len(ranks), rooms, some


@dataclass(frozen=True)
class SendRanks:
    """A bundle's ranks, to their slots."""

    plan: Plan
    cuts: tuple[bytes, ...]

    def __call__(self, bundle: int) -> None:
        table = self.plan.bundles[bundle].read(["row"])
        ranks = ranks_of(self.plan, bundle)
        width = ranks.dtype.itemsize
        slot = np.searchsorted(np.array(self.cuts, f"S{width}"), ranks, side="right")
        table = table.append_column("rank", fixed_array(ranks, width))
        table = table.append_column("bundle", pa.array(np.full(len(ranks), bundle, np.int32)))
        send(self.plan.path("ranks", bundle), table, slot, self.plan.slots)


@dataclass(frozen=True)
class NumberSlot:
    """Sort one slot's ranks; note each file's address, and tell the bundles their numbers."""

    plan: Plan

    def __call__(self, slot: int) -> None:
        plan = self.plan
        table = read_exchange(plan.paths("ranks", len(plan.bundles)), slot)
        width = table.schema.field("rank").type.byte_width
        ranks = fixed(table, "rank", f"S{width}")
        order = np.argsort(ranks, kind="stable")
        ranks = ranks[order]
        if (ranks[1:] == ranks[:-1]).any():
            raise ConfigError("dedup: two files have the same rank; make it unique by a key")
        bundle, row = numpy(table, "bundle")[order], numpy(table, "row")[order]
        number = (plan.starts[slot] + np.arange(len(order))).astype(np.uint32)
        save(plan.path("address", slot), np.stack([bundle, row], axis=1))
        told = pa.table({"row": row, "number": number})
        send(plan.path("numbers", slot), told, bundle, len(plan.bundles))


def numbers_of(plan: Plan, bundle: int, rows: np.ndarray) -> np.ndarray:
    """The numbers (uint32) of a bundle's files, in the order of its ``rows``, all of them."""
    told, numbers = received(plan.paths("numbers", plan.slots), bundle, "row", "number")
    out = np.empty(len(rows), np.uint32)
    out[np.argsort(rows, kind="stable")] = numbers[np.argsort(told, kind="stable")]
    return out


@dataclass(frozen=True)
class SendDigests:
    """A bundle's text digests, to the targets that compare them."""

    plan: Plan

    def __call__(self, bundle: int) -> None:
        plan = self.plan
        table = plan.bundles[bundle].read(["row", "text_sha256"])
        numbers = numbers_of(plan, bundle, numpy(table, "row"))
        leading = fixed(table, "text_sha256", "<u4")[::8].astype(np.uint64)
        target = (leading * np.uint64(plan.digest_targets)) >> np.uint64(32)
        sent = pa.table({"digest": table["text_sha256"], "number": numbers})
        send(
            plan.path("digests", bundle),
            sent,
            target.astype(np.int64),
            plan.digest_targets,
            compress=False,
        )


@dataclass(frozen=True)
class FindEqual:
    """Compare one target's digests; send each copy to its own slot and to that of its best."""

    plan: Plan

    def __call__(self, target: int) -> int:
        plan = self.plan
        table = read_exchange(plan.paths("digests", len(plan.bundles)), target)
        number = numpy(table, "number")
        words = fixed(table, "digest", "<u8").reshape(-1, 4)
        first = np.sort(words[:, 0])
        several = np.isin(words[:, 0], first[1:][first[1:] == first[:-1]])
        number, words = number[several], words[several]
        order = np.lexsort((number, words[:, 3], words[:, 2], words[:, 1], words[:, 0]))
        number, words = number[order], words[order]
        same = np.zeros(len(number), bool)  # equal to the one before
        same[1:] = (words[1:] == words[:-1]).all(axis=1)
        head = np.maximum.accumulate(np.where(same, 0, np.arange(len(number))))
        copies = pa.table({"number": number[same], "best": number[head[same]]})
        for name, column in (("copies", "number"), ("bests", "best")):
            slot = plan.slot_of(numpy(copies, column))
            send(plan.path(name, target), copies, slot, plan.slots)
        return copies.num_rows
