"""Counts of what samples share, against sets of Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.kernels.shared import families, sampled_pairs

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


def plain_families(first, gone, links):
    """{root: (better one, by ancestry)} by the words of ``families``."""
    fork_of: dict[int, tuple[int, bool]] = {}
    for root, revision in enumerate(first):
        if root in gone:
            continue
        kept = [one for one in range(root) if one not in fork_of and one not in gone]
        family = [one for one in kept if revision >= 0 and first[one] == revision]
        alike = [(-share, b) for a, b, share in links if a == root and b not in fork_of]
        if family:
            fork_of[root] = (family[0], True)
        elif alike:
            fork_of[root] = (min(alike)[1], False)
    return fork_of


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_families_like_the_twin(data):
    count = data.draw(st.integers(0, 14))
    number = st.integers(0, max(count - 1, 0))
    first = data.draw(st.lists(st.integers(-1, 5), min_size=count, max_size=count))
    gone = data.draw(st.sets(number, max_size=count // 4)) if count else set()
    share = st.sampled_from([0.5, 0.6, 0.9, 1.0])
    found = data.draw(st.dictionaries(st.tuples(number, number), share, max_size=30))
    links = sorted((a, b, how) for (a, b), how in found.items() if b < a)
    links = [link for link in links if not {*link[:2]} & gone]
    a, b, how = (np.array([link[n] for link in links], kind) for n, kind in enumerate("qqd"))
    out = np.array([n in gone for n in range(count)], bool)
    of, by_ancestry = families(np.array(first, np.int64), out, a, b, how)
    forks = {int(n): (int(of[n]), bool(by_ancestry[n])) for n in np.flatnonzero(of >= 0)}
    assert forks == plain_families(first, gone, links)
