"""Looking again at what would ship, until nothing is found: redacting twice changes nothing.

A replacement can bring text into view that a value had hidden (an address whose last label was the
start of a token). Only files with findings are looked at again, and rarely more than once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby

import pyarrow as pa

from .find import Span, find, settled
from .replace import Placed, rewrite
from .settings import Settings

ROUNDS = 8  # each round covers more of the text; real files need one or two


def find_all(
    contents: pa.LargeStringArray,
    paths: pa.Array,
    content_ids: pa.Array,
    settings: Settings,
    engine: str | None = None,
) -> dict[int, list[Span]]:
    """The findings of each row that has some, ascending, in bytes of the given text.

    They include what only shows once the others are replaced.
    """
    found = dict(_by_file(find(contents, paths, settings, engine)))
    rows = list(found)
    for _ in range(ROUNDS):
        if not rows:
            break
        shipped: list[bytes] = []
        placed: list[list[Placed]] = []
        for row in rows:
            text = contents[row].as_buffer().to_pybytes()
            new, places = rewrite(text, found[row], content_ids[row].as_py() or b"", settings)
            shipped.append(new)
            placed.append(places)
        array = pa.array(shipped, pa.large_binary()).cast(pa.large_string())
        again = find(array, paths.take(pa.array(rows)), settings, engine)
        rows = _join(found, rows, placed, again, settings)
    return found


def _join(
    found: dict[int, list[Span]],
    rows: list[int],
    placed: list[list[Placed]],
    again: list[Span],
    settings: Settings,
) -> list[int]:
    """Add what a second look found to ``found``; returns the rows it changed."""
    changed: list[int] = []
    for number, spans in _by_file(again):
        row = rows[number]
        fresh = [
            _given(span, row, placed[number])
            for span in spans
            if span.rule.kind not in settings.mark
        ]
        if fresh:
            found[row] = settled([*found[row], *fresh], settings)
            changed.append(row)
    return changed


def _given(span: Span, row: int, placed: list[Placed]) -> Span:
    """A finding of the shipped text as one of the given text; replacements it touches are in it."""
    starts = [place.start for place in placed]
    start = _position(span.start, starts, placed, False)
    end = _position(span.end, starts, placed, True)
    return Span(row, start, end, span.rule, span.confidence, span.value)


def _position(at: int, starts: list[int], placed: list[Placed], is_end: bool) -> int:
    number = bisect_right(starts, at - is_end) - 1
    if number < 0:
        return at
    place = placed[number]
    if at < place.end + is_end:
        return place.given_end if is_end else place.given_start
    return place.given_end + at - place.end


def _by_file(spans: list[Span]) -> Iterator[tuple[int, list[Span]]]:
    for row, group in groupby(spans, key=lambda span: span.file):
        yield row, list(group)
