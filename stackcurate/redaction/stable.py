"""Looking again at what would ship, until nothing is found: redacting twice changes nothing.

A replacement can bring text into view that a value had hidden (an address whose last label was the
start of a token). Only the lines around replacements are looked at again; a file in which that
brings something to light is looked at whole, and from the third look on the whole word around a
finding is replaced, so that hostile text comes to rest too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from .blocks import BLOCKS
from .find import Span, find, settled
from .replace import Placed, rewrite
from .settings import Settings

ROUNDS = 8  # real files need one or two; hostile ones rest after four
WIDEN = 2  # rounds before words are replaced whole


@dataclass(frozen=True)
class _Look:
    """What is shown of a shipped text: all of it, or the lines with replacements, joined."""

    text: bytes
    lines: tuple[int, ...]  # where each line begins in the shipped text; none: all of it is shown
    starts: tuple[int, ...]  # where it begins in ``text``

    def shipped(self, at: int) -> int:
        """The place in the shipped text of byte ``at`` of ``text``."""
        if not self.lines:
            return at
        line = max(0, bisect_right(self.starts, at) - 1)
        return self.lines[line] + at - self.starts[line]


def rewritten(
    contents: pa.LargeStringArray,
    paths: pa.Array,
    content_ids: pa.Array,
    settings: Settings,
    engine: str | None = None,
) -> dict[int, tuple[bytes, list[Placed]]]:
    """What ships of each row that has findings, and where they stand in it, by row.

    They include what only shows once the others are replaced.
    """
    found = dict(_by_file(find(contents, paths, settings, engine)))
    rows = list(found)
    shipped: dict[int, tuple[bytes, list[Placed]]] = {}

    def write(row: int) -> None:
        text = contents[row].as_buffer().to_pybytes()
        path, content_id = paths[row].as_py() or "", content_ids[row].as_py() or b""
        shipped[row] = rewrite(text, path, found[row], content_id, settings)

    for turn in range(ROUNDS):
        if not rows:
            break
        placed: list[list[Placed]] = []
        looks: list[_Look] = []
        for row in rows:
            write(row)
            new, places = shipped[row]
            placed.append(places)
            part = turn == 0 and not any(one.span.rule.judge in BLOCKS for one in places)
            looks.append(_around(new, places) if part else _Look(new, (), ()))
        array = pa.array([look.text for look in looks], pa.large_binary()).cast(pa.large_string())
        again = find(array, paths.take(pa.array(rows)), settings, engine)
        rows = _join(found, rows, placed, looks, again, settings, turn >= WIDEN)
    for row in rows:
        write(row)
    return shipped


def _around(text: bytes, placed: list[Placed]) -> _Look:
    """The whole lines of ``text`` that replacements stand in."""
    lines: list[int] = []
    starts: list[int] = []
    out: list[bytes] = []
    stop = length = 0
    for place in placed:
        if place.end <= stop and lines:
            continue
        low = max(stop, text.rfind(b"\n", 0, place.start) + 1)
        high = text.find(b"\n", place.end)
        stop = len(text) if high < 0 else high + 1
        lines.append(low)
        starts.append(length)
        out.append(text[low:stop])
        length += stop - low
    return _Look(b"".join(out), tuple(lines), tuple(starts))


def _join(
    found: dict[int, list[Span]],
    rows: list[int],
    placed: list[list[Placed]],
    looks: list[_Look],
    again: list[Span],
    settings: Settings,
    widen: bool,
) -> list[int]:
    """Add what another look found to ``found``; returns the rows it changed."""
    changed: list[int] = []
    for number, spans in _by_file(again):
        row, look = rows[number], looks[number]
        fresh = [span for span in spans if span.rule.kind not in settings.mark]
        if not fresh:
            continue
        changed.append(row)
        if look.lines and any(span.rule.judge in BLOCKS for span in fresh):
            continue  # a block reaches beyond the lines shown: the whole text is next
        if widen:
            fresh = _widened(fresh, look.text)
        given = [_given(span, row, placed[number], look) for span in fresh]
        found[row] = settled([*found[row], *given], settings)
    return changed


_BOUNDS = bytes.maketrans(b"\t\r\n\"'`", b"      ")


def _widened(spans: list[Span], text: bytes) -> list[Span]:
    """Each finding with the whole word it stands in: up to the next blank or quote on both sides.

    Tokens strung together otherwise show one by one, each when its neighbor is replaced.
    """
    words = text.translate(_BOUNDS)
    out: list[Span] = []
    for span in spans:
        if out and span.end <= out[-1].end:
            continue
        start = max(words.rfind(b" ", 0, span.start) + 1, out[-1].end if out else 0)
        end = words.find(b" ", span.end)
        end = len(words) if end < 0 else end
        out.append(Span(span.file, start, end, span.rule, span.confidence, span.value))
    return out


def _given(span: Span, row: int, placed: list[Placed], look: _Look) -> Span:
    """A finding of the shipped text as one of the given text; replacements it touches are in it."""
    starts = [place.start for place in placed]
    start = _position(look.shipped(span.start), starts, placed, False)
    end = _position(look.shipped(span.end - 1) + 1, starts, placed, True)
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
