"""Regions are the same wherever hits are, cover every hit, and stay within lines and files."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.kernels.regions import HARD, cuts, joined, regions


def plain(text: bytes) -> list[tuple[int, int]]:
    """All regions of one file, by the definition."""
    out = []
    at = 0
    for line in text.split(b"\n"):
        start = 0
        for place in range(len(line)):
            length = place - start
            before = line[place - 1 : place]
            soft = length > 2048 and before in (b";", b"}")
            firm = length > 4096 and before in (b",", b" ", b"]", b")")
            if soft or firm or length >= HARD:
                out.append((at + start, at + place))
                start = place
        out.append((at + start, at + len(line)))
        at += len(line) + 1
    return out


PIECES = st.sampled_from(
    [b"\n", b"x" * 900, b";", b"}", b", ", b"a" * 2500, b"word ", b"z" * 33000]
)
FILES = st.lists(st.lists(PIECES, max_size=6).map(b"".join), min_size=1, max_size=3)


@settings(deadline=None, max_examples=40)
@given(FILES, st.randoms(use_true_random=False))
def test_every_hit_gets_its_region(files: list[bytes], draw) -> None:  # type: ignore[no-untyped-def]
    data = np.frombuffer(b"".join(files), np.uint8)
    offsets = np.concatenate([[0], np.cumsum([len(file) for file in files])]).astype(np.int64)
    places = [at for at in range(data.size) if data[at] != 10]
    hits = np.array(sorted(draw.sample(places, min(len(places), 30))), np.int64)
    numbers, starts, ends = regions(data, offsets, hits)
    for hit, file, start, end in zip(hits, numbers, starts, ends, strict=True):
        base = offsets[file]
        assert base <= start <= hit < end <= offsets[file + 1]
        assert (start - base, end - base) in plain(files[file])


@settings(deadline=None, max_examples=40)
@given(FILES)
def test_cuts_are_the_inner_bounds_of_long_lines(files: list[bytes]) -> None:
    for text in files:
        bounds = cuts(np.frombuffer(text, np.uint8), 0, len(text)).tolist()
        inner = [start for start, _ in plain(text) if start and text[start - 1 : start] != b"\n"]
        assert bounds == [0, *inner, len(text)]


@settings(deadline=None, max_examples=40)
@given(FILES)
def test_joined_regions_are_lines(files: list[bytes]) -> None:
    text = b"".join(files)
    spans = [span for span in plain(text) if span[0] < span[1]]
    starts, ends = np.array(spans, np.int64).reshape(-1, 2).T.copy()
    shown, bounds = joined(np.frombuffer(text, np.uint8), starts, ends)
    assert shown.tobytes() == b"".join(text[start:end] + b"\n" for start, end in spans)
    assert bounds.tolist() == [0, *np.cumsum(ends - starts + 1).tolist()]
