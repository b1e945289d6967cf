"""Where shards are cut: by the text, whatever the repositories' sizes, and always the same."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.pipeline.shards import (
    HASH_BITS,
    LEAST_BYTES,
    SHARED_BY,
    Range,
    shard_ranges,
    spread,
)

TOP = 1 << HASH_BITS
Rows = list[tuple[int, int]]
repositories = st.lists(
    st.tuples(st.integers(0, TOP - 1), st.integers(0, 1 << 40)), min_size=1, max_size=60
)


def sizes(rows: Rows, ranges: list[Range]) -> list[int]:
    return [sum(n for place, n in rows if one.first <= place < one.end) for one in ranges]


def spread_of(rows: Rows) -> dict[str, int]:
    places, lengths = (np.array(side, np.int64) for side in zip(*rows, strict=True))
    return spread(places, lengths)


@given(repositories, st.integers(1, 1 << 42))
def test_ranges_cover_all_hashes_once_and_know_their_size(rows: Rows, shard_bytes: int) -> None:
    shard_bytes = max(shard_bytes, sum(n for _, n in rows) // 300)
    ranges = shard_ranges([spread_of(rows)], shard_bytes)
    assert ranges[0].first == 0 and ranges[-1].end == TOP
    assert all(a.end == b.first for a, b in pairwise(ranges))
    assert sizes(rows, ranges) == [one.size for one in ranges]


@given(repositories, st.integers(1, 1 << 42))
def test_no_shard_is_empty_and_none_holds_two_shares_but_for_one_repository(
    rows: Rows, shard_bytes: int
) -> None:
    rows = [(place, size + 1) for place, size in rows]
    total = sum(n for _, n in rows)
    shard_bytes = max(shard_bytes, total // 300)
    ranges = shard_ranges([spread_of(rows)], shard_bytes)
    share = total / max(1, -(-total // shard_bytes), min(SHARED_BY, total // LEAST_BYTES))
    heaviest = max(spread_of(rows).values())
    assert all(one.size > 0 for one in ranges)
    assert max(one.size for one in ranges) <= share + heaviest


@given(repositories, st.integers(0, 1 << 32))
def test_bodies_and_their_order_change_no_cut(rows: Rows, seed: int) -> None:
    parts = [spread_of([row]) for row in rows]
    random.Random(seed).shuffle(parts)
    assert shard_ranges(parts, 1 << 36) == shard_ranges([spread_of(rows)], 1 << 36)


def test_many_repositories_give_even_shards() -> None:
    places = np.random.default_rng(7).integers(0, TOP, 4000).tolist()
    even = sizes(
        [(p, 1 << 20) for p in places],
        [*shard_ranges([spread_of([(p, 1 << 20) for p in places])], 200 << 20)],
    )
    assert len(even) == 20
    assert max(even) < 1.05 * min(even)


def test_one_heavy_repository_has_a_shard_of_its_own() -> None:
    rows = [(n * (TOP // 64) + 1, 8 << 20) for n in range(64)] + [(TOP // 5, 900 << 20)]
    found = sizes(rows, shard_ranges([spread_of(rows)], 128 << 20))
    assert max(found) < 970 << 20
    assert sorted(found)[-2] < 160 << 20


def test_a_small_folder_is_shared_out_but_never_into_crumbs() -> None:
    def shards(total: int) -> int:
        rows = [(n * (TOP // 64), total // 64) for n in range(64)]
        return len(shard_ranges([spread_of(rows)], 256 << 20))

    assert shards(LEAST_BYTES) == 1
    assert shards(3 * LEAST_BYTES) == 3
    assert shards(700 << 20) == SHARED_BY
    assert shards(256 * 40 << 20) == 40


def test_a_folder_of_empty_files_is_one_shard() -> None:
    assert shard_ranges([spread_of([(5, 0), (TOP - 1, 0)])], 1) == [Range(0, TOP, 0)]
