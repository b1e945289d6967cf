"""Which of the pairs that met are really alike: an estimate first, then the exact Jaccard.

The estimate compares two sketches and costs no text. What passes is verified: bundles compute the
shingle sets of the files in question from their texts, send them to the task that compares them,
and only pairs that reach the threshold become links. No pair is looked at twice, and no set is made
twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numba import njit

from stackcurate.dedup.near import sets
from stackcurate.dedup.steps import (
    CHUNK_SHINGLES,
    GROUP_SHINGLES,
    Part,
    Plan,
    Texts,
    by_slot,
    gather,
    load,
    numpy,
    received,
    save,
    send,
)
from stackcurate.errors import IntegrityError
from stackcurate.kernels.shingles import common
from stackcurate.schema import one_chunk
from stackcurate.storage.exchange import iter_exchange
from stackcurate.storage.partitions import batches

_SET_ROWS = 1024  # shingle sets in one batch


@njit(cache=True, nogil=True)
def equal_bytes(
    left: np.ndarray, left_at: np.ndarray, right: np.ndarray, right_at: np.ndarray
) -> np.ndarray:
    """How many bytes ``left[left_at[i]]`` and ``right[right_at[i]]`` share, place by place."""
    out = np.empty(len(left_at), dtype=np.int32)
    for pair in range(len(left_at)):
        one = left[left_at[pair]]
        other = right[right_at[pair]]
        count = np.int32(0)
        for i in range(len(one)):
            count += np.int32(one[i] == other[i])
        out[pair] = count
    return out


def may_reach(equal: np.ndarray, few: np.ndarray, many: np.ndarray, plan: Plan) -> np.ndarray:
    """Which pairs are worth verifying.

    ``equal`` counts equal bytes of the sketches. Different values agree in their lowest byte once
    in 256, which the estimate takes back. ``few`` and ``many`` are the sizes of the smaller and the
    larger set: the similarity cannot exceed their ratio.
    """
    settings = plan.settings
    estimate = (equal / settings.permutations - 1 / 256) / (1 - 1 / 256)
    wide = estimate >= settings.threshold - settings.estimate_margin
    return wide & (few / many >= settings.threshold)


@dataclass(frozen=True)
class Estimate:
    """One slot's new pairs of round ``number``: skip what is clearly apart, ask for the rest.

    Sends the pairs to the slot of the better file, and asks the parts of both files for their
    shingle sets. Returns (new pairs, pairs to verify).
    """

    plan: Plan
    number: int

    def __call__(self, slot: int) -> tuple[int, int]:
        plan, number = self.plan, self.number
        (pairs,) = received(plan.paths(f"pairs-{number}", plan.band_targets), slot, "pair")
        pairs = np.unique(pairs)
        for earlier in range(number):
            pairs = _without(pairs, np.asarray(load(plan.path("tested", earlier, slot))))
        save(plan.path("tested", number, slot), pairs)
        worse = (pairs >> np.uint64(32)).astype(np.uint32)
        better = (pairs & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        order = np.argsort(better, kind="stable")  # the better files are read from all slots
        worse, better = worse[order], better[order]
        wanted = self._promising(slot, worse, better)
        worse, better = worse[wanted], better[wanted]
        sent = pa.table({"worse": worse, "better": better})
        send(plan.path("wanted", number, slot), sent, plan.slot_of(better), plan.slots)
        self._ask(slot, worse, better)
        return len(pairs), len(worse)

    def _promising(self, slot: int, worse: np.ndarray, better: np.ndarray) -> np.ndarray:
        plan = self.plan
        own, own_size = load(plan.path("sketch", slot)), load(plan.path("shingles", slot))
        own_at = worse.astype(np.int64) - plan.starts[slot]
        out = np.zeros(len(worse), bool)
        for other, which, at in by_slot(plan, better):
            there = load(plan.path("sketch", other))
            equal = equal_bytes(np.asarray(own), own_at[which], np.asarray(there), at)
            sizes = own_size[own_at[which]], load(plan.path("shingles", other))[at]
            out[which] = may_reach(equal, np.minimum(*sizes), np.maximum(*sizes), plan)
        return out

    def _ask(self, slot: int, worse: np.ndarray, better: np.ndarray) -> None:
        """Tell the bundles which sets are needed, and for which better file (it decides where)."""
        plan = self.plan
        file = np.concatenate([worse, better])
        asked = np.unique(file.astype(np.uint64) << np.uint64(32) | np.tile(better, 2))
        file = (asked >> np.uint64(32)).astype(np.uint32)
        address = gather(plan, "address", file) if len(file) else np.zeros((0, 2), np.int32)
        table = pa.table(
            {
                "row": np.ascontiguousarray(address[:, 1]),
                "number": file,
                "better": (asked & np.uint64(0xFFFFFFFF)).astype(np.uint32),
                "shingles": gather(plan, "shingles", file) if len(file) else np.zeros(0, np.int32),
            }
        )
        path = plan.path("asked", self.number, slot)
        send(path, table, address[:, 0].astype(np.int64), len(plan.bundles))


def _without(pairs: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """``pairs`` that are not in ``earlier``; both ascending."""
    if not len(earlier):
        return pairs
    at = np.minimum(np.searchsorted(earlier, pairs), len(earlier) - 1)
    return pairs[earlier[at] != pairs]


@njit(cache=True, nogil=True)
def group_begins(sizes: np.ndarray, used: int, most: int) -> tuple[np.ndarray, int]:
    """Where new groups begin, each of at most ``most`` in all or one file.

    ``used`` is what the last group already holds, -1 where there is none; returned for the next.
    """
    begins = np.empty(len(sizes), dtype=np.int64)
    count = 0
    for i in range(len(sizes)):
        if used < 0 or used + sizes[i] > most:
            begins[count] = i
            count += 1
            used = 0
        used += sizes[i]
    return begins[:count], used


def group_edges(plan: Plan, number: int) -> list[int]:
    """Cut the better files of round ``number`` into groups whose shingle sets fit in memory.

    Returns the first number of each group and the number of files; no entry but the last if there
    is nothing to verify.
    """
    edges: list[int] = []
    used = -1  # no group yet
    for slot in range(plan.slots):
        (better,) = received(plan.paths(f"wanted-{number}", plan.slots), slot, "better")
        better = np.unique(better)
        sizes = load(plan.path("shingles", slot))[better.astype(np.int64) - plan.starts[slot]]
        begins, used = group_begins(np.asarray(sizes), used, plan.sized(GROUP_SHINGLES))
        edges += better[begins].tolist()
    return [*edges, plan.files]


@dataclass(frozen=True)
class SendSets:
    """A bundle's shingle sets that round ``number`` asks for, to the groups that compare them.

    What an earlier round asked for is taken from there; only of other files a text is read.
    Returns how many files (chunks) of sets were written.
    """

    plan: Plan
    number: int
    edges: tuple[int, ...]
    texts: Texts
    before: Sequence[Sequence[int]]  # per earlier round: files of sets per bundle

    def __call__(self, bundle: int) -> int:
        plan, number = self.plan, self.number
        row, file, better, shingles = received(
            plan.paths(f"asked-{number}", plan.slots), bundle, "row", "number", "better", "shingles"
        )
        group = np.searchsorted(np.array(self.edges[:-1]), better, side="right") - 1
        both = row.astype(np.uint64) << np.uint64(32) | group.astype(np.uint64)
        _, first = np.unique(both, return_index=True)
        row, file, shingles, group = row[first], file[first], shingles[first], group[first]
        rows, first, back = np.unique(row, return_index=True, return_inverse=True)
        chunk_of = (np.cumsum(shingles[first], dtype=np.int64) - 1) // plan.sized(CHUNK_SHINGLES)
        for chunk, some in enumerate(np.unique(chunk_of)):
            here = np.flatnonzero(chunk_of == some)
            chosen = np.flatnonzero(chunk_of[back] == some)
            made = self._sets(bundle, rows[here], file[first][here], shingles[first][here])
            table = pa.table(
                {
                    "number": file[chosen],
                    "shingles": made.take(pa.array(back[chosen] - here[0])),
                }
            )
            send(
                plan.path("sets", number, bundle, chunk),
                table,
                group[chosen],
                len(self.edges) - 1,
                compress=False,
                batch_rows=_SET_ROWS,
            )
        return len(np.unique(chunk_of))

    def _sets(
        self, bundle: int, rows: np.ndarray, numbers: np.ndarray, shingles: np.ndarray
    ) -> pa.Array:
        known, held = self._held(bundle, numbers)
        new = ~np.isin(numbers, known)
        if not len(known):
            return self._made(bundle, rows, shingles)
        if new.any():
            held = pa.concat_arrays([held, self._made(bundle, rows[new], shingles[new])])
        known = np.concatenate([known, numbers[new]])
        order = np.argsort(known)
        return held.take(pa.array(order[np.searchsorted(known, numbers, sorter=order)]))

    def _held(self, bundle: int, numbers: np.ndarray) -> tuple[np.ndarray, pa.Array]:
        """Those of ``numbers`` whose sets earlier rounds wrote, each once, and the sets."""
        found: list[np.ndarray] = [np.zeros(0, np.uint32)]
        sets_: list[pa.Array] = [pa.array([], pa.large_list(pa.uint64()))]
        for earlier, chunks in enumerate(self.before):
            for path in set_paths(self.plan, earlier, bundle, chunks[bundle]):
                for batch in batches(path):
                    some = batch.column("number").to_numpy()
                    mine = np.flatnonzero(np.isin(some, numbers))
                    if len(mine):
                        found.append(some[mine])
                        sets_.append(batch.column("shingles").take(pa.array(mine)))
        known, first = np.unique(np.concatenate(found), return_index=True)
        return known, pa.concat_arrays(sets_).take(pa.array(first))

    def _made(self, bundle: int, rows: np.ndarray, shingles: np.ndarray) -> pa.Array:
        made = [
            self._of_part(part, own, shingles[which])
            for part, which, own in self.plan.bundles[bundle].split(rows)
            if len(own)
        ]
        return pa.concat_arrays(made)

    def _of_part(self, part: Part, rows: np.ndarray, shingles: np.ndarray) -> pa.Array:
        texts = self.texts(part.number, rows)
        offsets, hashes = sets(texts, self.plan.settings)
        if len(texts) != len(rows) or (np.diff(offsets) != shingles).any():
            raise IntegrityError(
                f"dedup: the texts of part {part.number} are not those that were signed; "
                " remove the run folder and start again"
            )
        return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(hashes))


def set_paths(plan: Plan, number: int, bundle: int, chunks: int) -> list[Path]:
    """The files of one bundle's sets of round ``number``."""
    return [plan.path("sets", number, bundle, chunk) for chunk in range(chunks)]


@njit(cache=True, nogil=True)
def similarities(
    numbers: np.ndarray,
    offsets: np.ndarray,
    hashes: np.ndarray,
    better_numbers: np.ndarray,
    better_offsets: np.ndarray,
    better_hashes: np.ndarray,
    worse: np.ndarray,
    better: np.ndarray,
    out: np.ndarray,
) -> None:
    """The exact Jaccard of all pairs (worse, better) whose worse file is among ``numbers``.

    Set i of ``numbers`` is ``hashes[offsets[i]:offsets[i + 1]]``, the same for the better files,
    whose numbers ascend, as do the pairs by ``worse``. Writes to ``out``, one float64 per pair.
    """
    for i in range(len(numbers)):
        pair = np.searchsorted(worse, numbers[i])
        mine = hashes[offsets[i] : offsets[i + 1]]
        while pair < len(worse) and worse[pair] == numbers[i]:
            at = np.searchsorted(better_numbers, better[pair])
            other = better_hashes[better_offsets[at] : better_offsets[at + 1]]
            shared = common(mine, other)
            out[pair] = shared / (len(mine) + len(other) - shared)
            pair += 1


@dataclass(frozen=True)
class Verify:
    """Compare one group's pairs exactly; links go to the slot of the worse file.

    Returns (pairs compared, links).
    """

    plan: Plan
    number: int
    edges: tuple[int, ...]
    chunks: tuple[int, ...]  # files of sets per bundle

    def __call__(self, group: int) -> tuple[int, int]:
        plan = self.plan
        worse, better = self._pairs(group)
        similarity = np.full(len(worse), -1.0)
        known = self._better_sets(group, np.unique(better))
        for batch in iter_exchange(self._files(), group):
            numbers, offsets, hashes = _unpacked(batch)
            similarities(numbers, offsets, hashes, *known, worse, better, similarity)
        if (similarity < 0).any():
            raise IntegrityError("dedup: a shingle set did not arrive; remove the run folder")
        links = similarity >= plan.settings.threshold
        table = pa.table(
            {
                "worse": worse[links],
                "better": better[links],
                "similarity": similarity[links].astype(np.float32),
            }
        )
        slot = plan.slot_of(worse[links])
        send(plan.path("links", self.number, group), table, slot, plan.slots)
        return len(worse), table.num_rows

    def _files(self) -> list[Path]:
        return [
            path
            for bundle, chunks in enumerate(self.chunks)
            for path in set_paths(self.plan, self.number, bundle, chunks)
        ]

    def _pairs(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        """The group's pairs, ascending by worse, then better."""
        plan = self.plan
        begin, end = self.edges[group], self.edges[group + 1]
        slots = plan.slot_of(np.array([begin, end - 1]))
        paths = plan.paths(f"wanted-{self.number}", plan.slots)
        found = [received(paths, s, "worse", "better") for s in range(slots[0], slots[1] + 1)]
        worse = np.concatenate([w for w, _ in found])
        better = np.concatenate([b for _, b in found])
        mine = (better >= begin) & (better < end)
        worse, better = worse[mine], better[mine]
        order = np.lexsort((better, worse))
        return worse[order], better[order]

    def _better_sets(
        self, group: int, better: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The sets of the group's better files, in the order of their numbers."""
        numbers, sizes, hashes = [], [], []
        for batch in iter_exchange(self._files(), group):
            number, offsets, values = _unpacked(batch)
            mine = np.isin(number, better)
            numbers.append(number[mine])
            sizes.append(np.diff(offsets)[mine])
            hashes.append(values[np.repeat(mine, np.diff(offsets))])
        return _in_order(np.concatenate(numbers), np.concatenate(sizes), np.concatenate(hashes))


@njit(cache=True, nogil=True)
def _in_order(
    numbers: np.ndarray, sizes: np.ndarray, hashes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(numbers ascending, offsets, hashes) of sets that came in any order."""
    order = np.argsort(numbers)
    begins = np.zeros(len(numbers) + 1, dtype=np.int64)
    for i in range(len(numbers)):
        begins[i + 1] = begins[i] + sizes[i]
    offsets = np.zeros(len(numbers) + 1, dtype=np.int64)
    out = np.empty(len(hashes), dtype=np.uint64)
    for i in range(len(numbers)):
        source = order[i]
        offsets[i + 1] = offsets[i] + sizes[source]
        out[offsets[i] : offsets[i + 1]] = hashes[begins[source] : begins[source + 1]]
    return numbers[order], offsets, out


def _unpacked(batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(numbers, offsets from 0, hashes) of a batch of sets."""
    table = pa.Table.from_batches([batch])
    lists = one_chunk(table, "shingles")
    offsets = lists.offsets.to_numpy()
    hashes = lists.values.to_numpy()[offsets[0] : offsets[-1]]
    return numpy(table, "number"), offsets - offsets[0], hashes
