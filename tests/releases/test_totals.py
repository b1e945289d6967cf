"""Totals counted by DuckDB equal those counted by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.releases.totals import totals
from stackcurate.releases.writer import write_shard

from .helpers import FOLDERS, file_row, file_table

languages = st.sampled_from([None, "Python", "C++", "F*"])
licenses = st.sampled_from([("MIT", "permissive"), ("CC0-1.0", "public_domain"), (None, None)])
kinds = st.sampled_from([("email", "email"), ("ip", "ipv4"), ("ip", "ipv6")])
findings = st.lists(kinds, max_size=4)
sizes = st.none() | st.integers(1, 3000)
files = st.lists(st.tuples(languages, licenses, findings, sizes), min_size=1, max_size=30)


def rows_of(drawn: list[Any]) -> list[dict[str, Any]]:
    return [
        file_row(
            number,
            language,
            license_expression=expression,
            license_class=license_class,
            redactions=[{"kind": kind, "rule": rule} for kind, rule in found],
            dedup_cluster_size=size,
        )
        for number, (language, (expression, license_class), found, size) in enumerate(drawn)
    ]


def counted(rows: list[dict[str, Any]], *columns: str) -> dict[tuple[Any, ...], tuple[int, int]]:
    number: Counter[Any] = Counter()
    size: Counter[Any] = Counter()
    for row in rows:
        key = tuple(row[column] for column in columns)
        number[key] += 1
        size[key] += row["text_bytes"]
    return {key: (number[key], size[key]) for key in number}


@given(files)
@settings(max_examples=25, deadline=None)
def test_totals_are_those_of_the_plain_twin(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any]
) -> None:
    rows = rows_of(drawn)
    folder = tmp_path_factory.mktemp("t")
    half = len(rows) // 2
    for name, some in (("a", rows[:half]), ("b", rows[half:])):
        write_shard(folder / f"data/{name}.parquet", [file_table(some)] if some else [], 100)
    names: dict[str | None, str] = {**FOLDERS, None: "_unknown"}
    found = totals(folder, ["data/b.parquet", "data/a.parquet"], names)
    assert (found["files"], found["bytes"]) == (len(rows), sum(r["text_bytes"] for r in rows))
    for part, keys, columns in (
        ("languages", ("language",), ("language",)),
        ("licenses", ("expression", "class"), ("license_expression", "license_class")),
        ("classes", ("class",), ("license_class",)),
    ):
        entries = found[part]
        as_dict = {tuple(e[k] for k in keys): (e["files"], e["bytes"]) for e in entries}
        assert as_dict == counted(rows, *columns)
        assert [e["files"] for e in entries] == sorted((e["files"] for e in entries), reverse=True)
    redactions = Counter((f["kind"], f["rule"]) for row in rows for f in row["redactions"])
    holding = Counter(
        pair for row in rows for pair in {(f["kind"], f["rule"]) for f in row["redactions"]}
    )
    assert {(e["kind"], e["rule"]): (e["findings"], e["files"]) for e in found["redactions"]} == {
        pair: (redactions[pair], holding[pair]) for pair in redactions
    }
    members = [row["dedup_cluster_size"] or 1 for row in rows]
    assert sum(entry["clusters"] for entry in found["clusters"]) == len(rows)
    for entry in found["clusters"]:
        most = entry["most"] or 10**9
        inside = [size for size in members if entry["least"] <= size <= most]
        assert (entry["clusters"], entry["files"]) == (len(inside), sum(inside))


def test_an_empty_release_has_totals(tmp_path: Path) -> None:
    found = totals(tmp_path, [], {})
    assert found["files"] == 0 and found["languages"] == []
    write_shard(tmp_path / "data" / "x.parquet", [], 100)
    assert totals(tmp_path, ["data/x.parquet"], {})["bytes"] == 0
