"""Says which files are vendored, generated, tests or documentation, from the full path.

The Stack v2 asked Linguist with the base name alone, so no rule about folders matched.
Whether a file was generated is also read off its first lines, and for JavaScript and CSS off the
length of its lines. The rules are data: tables/languages.paths.yaml.
"""

from __future__ import annotations

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.kernels import text
from stackcurate.languages.columns import Column, data_and_offsets, heads, one_array, texts
from stackcurate.languages.table import read_yaml

SCHEMA = pa.schema(
    [
        ("is_vendor", pa.bool_()),
        ("is_generated", pa.bool_()),
        ("generated_reason", pa.string()),
        ("is_test", pa.bool_()),
        ("is_documentation", pa.bool_()),
    ]
)

HEAD_LINES, TOP_LINES, HEAD_BYTES = 40, 5, 4096
# Hand-written JavaScript and CSS stays near 40 bytes a line; minified files reach thousands.
MINIFIED_LANGUAGES = ("JavaScript", "CSS")
MINIFIED_LINE_BYTES = 200
MINIFIED_BYTES = 1000  # shorter files say nothing


@functools.cache
def rules() -> dict[str, dict[str, list[str]]]:
    """The table, read once per process."""
    return read_yaml("languages.paths.yaml")


@functools.cache
def _pattern(kind: str) -> str:
    return _either(rules()[kind]["patterns"])


def _either(patterns: list[str]) -> str:
    return "(?i)" + "|".join(f"(?:{pattern})" for pattern in patterns)


def vendored(paths: Column) -> pa.BooleanArray:
    """Whether each full path is in a vendored folder or a widely copied file; needs no bytes."""
    return _matches(texts(paths), _pattern("vendored"))


def flags(paths: Column, contents: Column, languages: Column) -> pa.Table:
    """The SCHEMA columns of files: full ``paths``, ``contents`` (string or binary), ``languages``.

    ``generated_reason`` is the first rule that matched, ``minified`` where long lines gave it away,
    and null where ``is_generated`` is false. A null content is judged by its path alone.
    """
    names = texts(paths)
    reasons = _generated(names, contents, one_array(languages, pa.string()))
    columns = [
        _matches(names, _pattern("vendored")),
        pc.is_valid(reasons),
        reasons,
        _matches(names, _pattern("test")),
        _matches(names, _pattern("documentation")),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _matches(values: pa.Array, pattern: str) -> pa.BooleanArray:
    return pc.fill_null(pc.match_substring_regex(values, pattern), False)


def _generated(names: pa.Array, contents: Column, languages: pa.Array) -> pa.Array:
    """The reason why each file counts as generated, null where nothing says so."""
    body = one_array(contents, pa.large_binary())
    places = {
        "path": names,
        "head": heads(body, HEAD_LINES, HEAD_BYTES),
        "top": heads(body, TOP_LINES, HEAD_BYTES),
    }
    reasons = np.full(len(names), None, object)
    table: list[list[str]] = rules()["generated"]  # type: ignore[assignment]
    for place, values in places.items():
        here = [(reason, pattern) for reason, where, pattern, _ in table if where == place]
        # One pass over everything finds the few that match; only they are asked why.
        hit = np.flatnonzero(_matches(values, _either([pattern for _, pattern in here])))
        suspects = values.take(pa.array(hit))
        for reason, pattern in here:
            matched = hit[np.asarray(_matches(suspects, f"(?i)(?:{pattern})"))]
            reasons[[row for row in matched if reasons[row] is None]] = reason
    long_lines = _long_lines(body, languages)
    reasons[[row for row in long_lines if reasons[row] is None]] = "minified"
    return pa.array(reasons, pa.string())


def _long_lines(body: pa.Array, languages: pa.Array) -> np.ndarray:
    """The rows of JavaScript and CSS whose lines are too long to have been written by hand."""
    wanted = pc.fill_null(pc.is_in(languages, pa.array(MINIFIED_LANGUAGES)), False)
    rows = np.flatnonzero(wanted)
    some = body.take(pa.array(rows))
    data, offsets = data_and_offsets(some)
    ends = np.zeros(len(some), np.int64)
    text.line_chars(data, offsets, ends)
    size = np.diff(offsets)
    return rows[(size >= MINIFIED_BYTES) & (size > (ends + 1) * MINIFIED_LINE_BYTES)]
