"""Cells of a batch: which are looked at again by name, and what the names of columns rule out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from . import below
from .columns import Line, is_table, lines, lines_below, lines_near, written

if TYPE_CHECKING:
    from .find import Span

Places = dict[int, list[tuple[int, int]]]
Table = tuple[int, bytes, list[Line]]
"""A row of the batch, the lines that stand for cells of its file, and where those are in it."""


Near = Mapping[str, Places]
"""By judge (``blocks.NAMED_ELSEWHERE``) and row, the first and last byte of each place: a line that
reads like the first of a table (``table_header``), a number that a neighboring line may name
(``near_name``), a name that ends its line or opens a bracket (``values_below``), several names and
as many literals (``names_in_turn``)."""


def tables(contents: pa.LargeStringArray, paths: pa.Array, near: Near) -> list[Table]:
    """The tables in ``contents``, whose columns say what their cells are, and what is like them."""
    rows = [row for row, path in enumerate(paths.to_pylist()) if path and is_table(path)]
    out = [(row, *lines(_text(contents, row), paths[row].as_py())) for row in rows]
    for row, headers in sorted(near["table_header"].items()):
        out += _below(_text(contents, row), row, headers)
    for row, numbers in near["near_name"].items():
        out.append((row, *lines_near(_text(contents, row), numbers)))
    names, turns = near["values_below"], near["names_in_turn"]
    for row in sorted({*names, *turns}):
        text, path = _text(contents, row), paths[row].as_py() or ""
        cells = [
            *below.named(text, path, names.get(row, [])),
            *below.in_turn(text, turns.get(row, [])),
        ]
        out.append((row, *written(iter(cells), text)))
    return [table for table in out if table[2]]


def _text(contents: pa.LargeStringArray, row: int) -> bytes:
    text: bytes = contents[row].as_buffer().to_pybytes()
    return text


def _below(text: bytes, row: int, headers: Iterable[tuple[int, int]]) -> Iterator[Table]:
    """The tables below ``headers`` of a file; one that stands inside another is a line of it."""
    stop = 0
    for start, _ in sorted(headers):
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
