"""Components, bitmaps and the cover do what plain sets and loops do."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.kernels.components import clear_bits, connect, cover, roots, take_bits

LINKS = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=60)


@settings(max_examples=150, deadline=None)
@given(LINKS)
def test_components_are_named_by_their_smallest(links):
    parent = np.arange(30, dtype=np.uint32)
    left = np.array([a for a, _ in links], np.uint64)
    right = np.array([b for _, b in links], np.uint64)
    connect(parent, left, right)
    roots(parent)
    groups = [{n} for n in range(30)]
    for a, b in links:
        merged = groups[a] | groups[b]
        for node in merged:
            groups[node] = merged
    assert parent.tolist() == [min(group) for group in groups]


@given(st.sets(st.integers(0, 99)), st.sets(st.integers(0, 99)))
@settings(max_examples=60, deadline=None)
def test_bits(set_, cleared):
    bits = np.packbits([n in set_ for n in range(100)], bitorder="little")
    clear_bits(bits, np.array(sorted(cleared), np.uint32))
    assert take_bits(bits, np.arange(100)).tolist() == [
        n in set_ and n not in cleared for n in range(100)
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(1, 29), st.integers(0, 28)).filter(lambda p: p[0] > p[1]),
        st.sampled_from([0.7, 0.8, 0.9]),
        max_size=60,
    )
)
def test_cover_drops_only_what_a_kept_file_covers(links):
    ordered = sorted(links)
    worse = np.array([w for w, _ in ordered], np.uint32)
    better = np.array([b for _, b in ordered], np.uint32)
    similarity = np.array([links[pair] for pair in ordered], np.float32)
    bits = np.packbits(np.ones(30, np.uint8), bitorder="little")
    deciding = cover(bits, worse, better, similarity)
    kept = take_bits(bits, np.arange(30))
    for node in range(30):
        covering = [b for w, b in ordered if w == node and kept[b]]
        assert kept[node] == (not covering)
    assert worse[deciding].tolist() == [n for n in range(30) if not kept[n]]
    for link in deciding:
        rivals = [links[w, b] for w, b in ordered if w == worse[link] and kept[b]]
        assert kept[better[link]] and similarity[link] == np.float32(max(rivals))
