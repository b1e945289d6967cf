"""Counts of what samples share, against sets of Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from stackcurate.kernels.shared import sampled_pairs

TOP = 1 << 64


def slow(held: dict[int, set[int]], limits: list[int], most: int, width: int):
    pairs: Counter[tuple[int, int]] = Counter()
    samples: Counter[int] = Counter()
    for content in set().union(*held.values()):
        owners = sorted(owner for owner, some in held.items() if content in some)
        if len(owners) > most:
            continue
        samples.update(owner for owner in owners if content < limits[owner])
        for one in owners:
            for other in owners:
                near = owners[:width]
                meets = one != other and (min(one, other) in near)
                if meets and content < limits[one]:
                    pairs[one, other] += 1
    return pairs, samples


@pytest.mark.parametrize(("most", "width"), [(100, 100), (4, 100), (100, 2), (5, 1)])
def test_against_sets(most: int, width: int) -> None:
    random = np.random.default_rng(most * 10 + width)
    contents = random.integers(0, TOP, 300, dtype=np.uint64).tolist()
    held = {
        owner: {contents[n] for n in random.integers(0, 300, random.integers(1, 120)).tolist()}
        for owner in range(12)
    }
    limits = [[TOP - 1, TOP // 2, TOP // 5][random.integers(0, 3)] for _ in held]
    rows = sorted((content, owner) for owner, some in held.items() for content in some)
    hashes = np.array([content for content, _ in rows], np.uint64)
    owners = np.array([owner for _, owner in rows], np.uint32)
    pairs, samples = sampled_pairs(hashes, owners, np.array(limits, np.uint64), most, width)
    found = Counter((int(pair) >> 32, int(pair) & 0xFFFFFFFF) for pair in pairs.tolist())
    assert (found, Counter(samples.tolist())) == slow(held, limits, most, width)
    assert len(found) > 3


def test_nothing() -> None:
    pairs, samples = sampled_pairs(
        np.zeros(0, np.uint64), np.zeros(0, np.uint32), np.zeros(0, np.uint64), 5, 5
    )
    assert len(pairs) == len(samples) == 0
