"""Answers as text: a table for people, JSON Lines and CSV for machines."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import math
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from stackcurate.index.query import Answer
from stackcurate.text import visible

_SAMPLE = 200  # rows that decide how wide a table's columns are
_WIDEST = 60  # characters of a cell


def as_table(answer: Answer) -> Iterator[str]:
    """Lines of a text table. Names from strangers cannot act on the terminal."""
    rows = ([_cell(value) for value in row] for row in answer.rows())
    first = list(itertools.islice(rows, _SAMPLE))
    widths = [
        max([len(name), *(len(row[at]) for row in first)]) for at, name in enumerate(answer.columns)
    ]
    right = [bool(first) and all(_is_number(row[at]) for row in first) for at in range(len(widths))]

    def line(cells: list[str]) -> str:
        padded = [
            f"{cell:>{width}}" if to_right else f"{cell:<{width}}"
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        ]
        return "  ".join(padded).rstrip()

    yield line([visible(name, _WIDEST) for name in answer.columns])
    yield "  ".join("-" * width for width in widths)
    for row in itertools.chain(first, rows):
        yield line(row)


def as_json_lines(answer: Answer) -> Iterator[str]:
    """One JSON object a row, in ASCII, so that no value can act on a terminal.

    Times as ISO 8601, bytes as base64, what is not a number as null.
    """
    for row in answer.rows():
        record = dict(zip(answer.columns, map(_plain, row), strict=True))
        yield json.dumps(record, allow_nan=False)


def as_csv(answer: Answer) -> Iterator[str]:
    """CSV records with a header, quoted where needed; nested values as JSON.

    Values stand as they are: whoever opens it in a spreadsheet trusts the names in it.
    """
    yield _csv_line(answer.columns)
    for row in answer.rows():
        yield _csv_line([_flat(_plain(value)) for value in row])


def _csv_line(cells: list[Any]) -> str:
    sink = io.StringIO()
    end = "\r\n"  # the writer quotes cells that hold one of its line ends
    csv.writer(sink, lineterminator=end).writerow(cells)
    return sink.getvalue().removesuffix(end)


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float)):
        return value
    return str(value)


def _cell(value: Any) -> str:
    value = _plain(value)
    if value is None:
        return "-"
    if isinstance(value, float):
        value = f"{value:.4g}"
    return visible(value if isinstance(value, str) else json.dumps(value), _WIDEST)


def _is_number(text: str) -> bool:
    return text == "-" or text.replace(".", "", 1).lstrip("-").isdigit()
