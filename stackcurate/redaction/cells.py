"""The tables of files: cells that are looked at again, and what the names of columns rule out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from .columns import Line, is_table, lines, lines_below, lines_near

if TYPE_CHECKING:
    from .find import Span

Table = tuple[int, bytes, list[Line]]
"""A row of the batch, the lines that stand for cells of its file, and where those are in it."""


def tables(
    contents: pa.LargeStringArray,
    paths: pa.Array,
    headers: Iterable[tuple[int, int]],
    numbers: Mapping[int, list[tuple[int, int]]],
) -> list[Table]:
    """The tables in ``contents``, whose columns say what their cells are, and what is like them.

    ``headers``: rows, and where in them a line reads like the first of a table. ``numbers``: where
    in a row a number stands that a neighboring line may name.
    """
    rows = [row for row, path in enumerate(paths.to_pylist()) if path and is_table(path)]
    out = [(row, *lines(_text(contents, row), paths[row].as_py())) for row in rows]
    out += _below(contents, headers)
    out += [(row, *lines_near(_text(contents, row), places)) for row, places in numbers.items()]
    return [table for table in out if table[2]]


def _text(contents: pa.LargeStringArray, row: int) -> bytes:
    text: bytes = contents[row].as_buffer().to_pybytes()
    return text


def _below(contents: pa.LargeStringArray, headers: Iterable[tuple[int, int]]) -> Iterator[Table]:
    """The tables below ``headers``; one that stands inside another is a line of it."""
    row, stop = -1, 0
    for number, start in sorted(headers):
        if number != row:
            row, stop, text = number, 0, _text(contents, number)
        if start >= stop:
            cells, places, stop = lines_below(text, start)
            yield row, cells, places


def without_versions(spans: list[Span], tables: list[Table]) -> list[Span]:
    """``spans`` but for addresses in columns of versions."""
    versions = {
        (row, line.start, line.end)
        for row, _, places in tables
        for line in places
        if line.is_version
    }
    if not versions:
        return spans
    return [
        span
        for span in spans
        if span.rule.kind != "ip" or (span.file, span.start, span.end) not in versions
    ]


def placed(spans: Iterable[Span], tables: list[Table]) -> Iterator[Span]:
    """``spans`` of the lines of ``tables``, by number, where their cells stand in their files."""
    for span in spans:
        row, _, places = tables[span.file]
        line = places[max(0, bisect_right(places, span.start, key=lambda line: line.at) - 1)]
        start, end = line.start + span.start - line.at, line.start + span.end - line.at
        if line.start <= start and end <= line.end:
            yield replace(span, file=row, start=start, end=end, parts=())
