"""Who meets whom: signatures cut into bands, equal bands into buckets, buckets into pairs.

In a bucket a file meets only its best-ranked members that are still kept, so pairs grow with the
files and not with the square of a bucket.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numba import njit

from stackcurate.dedup.exact import numbers_of
from stackcurate.dedup.near import text_buffers
from stackcurate.dedup.steps import Plan, fixed, load, numpy, read_live, received, save, send
from stackcurate.kernels.components import bit, take_bits
from stackcurate.kernels.hashing import xxh64_rows
from stackcurate.kernels.minhash import band_keys
from stackcurate.schema import one_chunk
from stackcurate.storage.exchange import iter_exchange


def chunk_paths(plan: Plan, name: str) -> list[Path]:
    """The files ``name`` of all chunks of all bundles, in order."""
    return [
        plan.path(name, bundle, chunk)
        for bundle in range(len(plan.bundles))
        for chunk in range(len(plan.chunks(bundle)))
    ]


@dataclass(frozen=True)
class SendBands:
    """A bundle's band keys to the buckets, and a sketch of each signature to the file's slot.

    A sketch is the lowest byte of each value: enough to estimate a similarity.
    """

    plan: Plan

    def __call__(self, bundle: int) -> int:
        plan = self.plan
        table = plan.bundles[bundle].read(["row", "group", "shingles", "signature"])
        table = table.combine_chunks()
        numbers = numbers_of(plan, bundle, numpy(table, "row"))
        data, offsets = text_buffers(one_chunk(table, "group").cast(pa.large_binary()))
        seeds = xxh64_rows(data, offsets, 0)
        takes_part = take_bits(read_live(plan, 0), numbers) & (numpy(table, "shingles") > 0)
        for chunk, (begin, end) in enumerate(plan.chunks(bundle)):
            some = np.flatnonzero(takes_part[begin:end])
            self._send(
                bundle,
                chunk,
                table.slice(begin, end - begin),
                some,
                numbers[begin:end],
                seeds[begin:end],
            )
        return int(takes_part.sum())

    def _send(
        self,
        bundle: int,
        chunk: int,
        table: pa.Table,
        some: np.ndarray,
        numbers: np.ndarray,
        seeds: np.ndarray,
    ) -> None:
        plan, settings = self.plan, self.plan.settings
        values = fixed(table, "signature", "<u2").reshape(-1, settings.permutations)[some]
        numbers = numbers[some]
        keys = band_keys(values, seeds[some], settings.bands, settings.rows).ravel()
        target = ((keys >> np.uint64(32)) * np.uint64(plan.band_targets)) >> np.uint64(32)
        records = pa.table({"key": keys, "number": np.repeat(numbers, settings.bands)})
        send(
            plan.path("bands", bundle, chunk),
            records,
            target.astype(np.int64),
            plan.band_targets,
            compress=False,
        )
        sketch = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(settings.permutations),
            len(some),
            [None, pa.py_buffer(values.astype(np.uint8))],
        )
        sketches = pa.table(
            {
                "number": numbers,
                "shingles": table["shingles"].take(pa.array(some)),
                "sketch": sketch,
            }
        )
        send(
            plan.path("sketches", bundle, chunk),
            sketches,
            plan.slot_of(numbers),
            plan.slots,
            compress=False,
        )


@dataclass(frozen=True)
class KeepSketches:
    """A slot's sketches and shingle counts in the order of numbers, for reading by place."""

    plan: Plan

    def __call__(self, slot: int) -> None:
        plan = self.plan
        width = plan.settings.permutations
        size = plan.starts[slot + 1] - plan.starts[slot]
        shingles = np.zeros(size, np.int32)
        sketch = np.zeros((size, width), np.uint8)
        for batch in iter_exchange(chunk_paths(plan, "sketches"), slot):
            table = pa.Table.from_batches([batch])
            at = numpy(table, "number").astype(np.int64) - plan.starts[slot]
            shingles[at] = numpy(table, "shingles")
            sketch[at] = fixed(table, "sketch", "u1").reshape(-1, width)
        save(plan.path("sketch", slot), sketch)
        save(plan.path("shingles", slot), shingles)


@njit(cache=True, nogil=True)
def met_twice(keys: np.ndarray) -> np.ndarray:
    """False where a key surely occurs once. Most do, and need not be sorted."""
    bits = 10
    while (1 << bits) < 8 * len(keys):
        bits += 1
    shift = np.uint64(64 - bits)
    odd = np.uint64(0x9E3779B97F4A7C15)
    once = np.zeros(1 << (bits - 3), dtype=np.uint8)
    twice = np.zeros(1 << (bits - 3), dtype=np.uint8)
    for i in range(len(keys)):
        at = np.intp((keys[i] * odd) >> shift)
        mask = np.uint8(1 << (at & 7))
        if once[at >> 3] & mask:
            twice[at >> 3] |= mask
        else:
            once[at >> 3] |= mask
    out = np.empty(len(keys), dtype=np.bool_)
    for i in range(len(keys)):
        out[i] = bit(twice, np.intp((keys[i] * odd) >> shift))
    return out


@njit(cache=True, nogil=True)
def sort_runs(values: np.ndarray, begins: np.ndarray) -> None:
    """Sort each ``values[begins[i]:begins[i + 1]]`` in place: cheaper than sorting by two keys."""
    for run in range(len(begins) - 1):
        if begins[run + 1] - begins[run] > 1:
            values[begins[run] : begins[run + 1]].sort()


@dataclass(frozen=True)
class MakeBuckets:
    """One target's buckets of two files and more: their members ascending, bucket after bucket."""

    plan: Plan

    def __call__(self, target: int) -> None:
        plan = self.plan
        key, number = received(chunk_paths(plan, "bands"), target, "key", "number")
        several = met_twice(key)
        key, number = key[several], number[several]
        order = np.argsort(key)
        key, number = key[order], number[order]
        first = np.ones(len(key) + 1, bool)
        first[1:-1] = key[1:] != key[:-1]
        begins = np.flatnonzero(first)
        sort_runs(number, begins)
        sizes = np.diff(begins)
        several = np.repeat(sizes > 1, sizes)
        save(plan.path("members", target), number[several])
        save(plan.path("buckets", target), np.cumsum([0, *sizes[sizes > 1]]).astype(np.int64))


@njit(cache=True, nogil=True)
def bucket_pairs(
    members: np.ndarray,
    buckets: np.ndarray,
    live: np.ndarray,
    before: np.ndarray,
    width: int,
    width_before: int,
) -> tuple[np.ndarray, int]:
    """The pairs of one round: each live member with the ``width`` best live ones before it.

    Bucket i is ``members[buckets[i]:buckets[i + 1]]``, ascending. Where the live members are those
    of the round ``before``, only what the larger width adds is new. Returns the pairs as
    ``worse << 32 | better`` (uint64) and the number of buckets that had more members to meet.
    """
    pairs = np.empty(1 << 10, dtype=np.uint64)
    count = 0
    limited = 0
    some = np.empty(len(members), dtype=np.uint32)
    for bucket in range(len(buckets) - 1):
        size = 0
        same = True
        for i in range(buckets[bucket], buckets[bucket + 1]):
            is_live = bit(live, np.intp(members[i]))
            same &= is_live == bit(before, np.intp(members[i]))
            if is_live:
                some[size] = members[i]
                size += 1
        limited += size > width + 1
        begin = width_before if same else 0
        for i in range(begin + 1, size):
            for j in range(begin, min(i, width)):
                if count == len(pairs):
                    larger = np.empty(2 * count, dtype=np.uint64)
                    larger[:count] = pairs
                    pairs = larger
                pairs[count] = (np.uint64(some[i]) << np.uint64(32)) | np.uint64(some[j])
                count += 1
    return pairs[:count], limited


@dataclass(frozen=True)
class SendPairs:
    """The pairs of one target's buckets in round ``number``, to the slot of the worse file."""

    plan: Plan
    number: int

    def __call__(self, target: int) -> int:
        plan, number = self.plan, self.number
        live = read_live(plan, number)
        before = read_live(plan, number - 1) if number else live
        pairs, limited = bucket_pairs(
            np.asarray(load(plan.path("members", target))),
            np.asarray(load(plan.path("buckets", target))),
            live,
            before,
            plan.settings.width(number),
            plan.settings.width(number - 1) if number else 0,
        )
        pairs = np.unique(pairs)
        pairs = pairs[pairs >> np.uint64(32) >= np.uint64(plan.earlier)]
        slot = plan.slot_of(pairs >> np.uint64(32))
        send(plan.path("pairs", number, target), pa.table({"pair": pairs}), slot, plan.slots)
        return int(limited)
