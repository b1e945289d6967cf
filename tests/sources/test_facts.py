from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.errors import ConfigError
from stackcurate.schema import HEAD, conform
from stackcurate.sources.facts import default_branches, join_facts


def heads(*origins: str) -> pa.Table:
    return conform(pa.table({"origin": pa.array(origins, pa.string())}), HEAD)


def parquet(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "facts.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def stars(table: pa.Table) -> list[int | None]:
    return table["star_events_count"].to_pylist()


def test_no_table_leaves_the_heads_as_they_are() -> None:
    table = heads("https://github.com/a/b")
    assert join_facts(table, None) is table


def test_the_shape_of_a_ghearchive_merge(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        [
            {
                "github_id": 7,
                "full_name": "Owner/Name",
                "star_events_count": 5,
                "fork_events_count": 2,
                "license": {"key": "mit", "spdx_id": "MIT"},
                "event_created_at": datetime(2023, 1, 2),
                "created_at": "2015-06-07T08:09:10Z",
                "language": "C",
                "default_branch": "dev",
            }
        ],
    )
    found = join_facts(heads("https://github.com/owner/name", "https://x.org/Owner/Name"), path)
    assert found.schema == HEAD
    first, second = found.to_pylist()
    assert (first["github_id"], first["star_events_count"], first["fork_events_count"]) == (7, 5, 2)
    assert (first["gha_license_id"], first["gha_language"]) == ("MIT", "C")
    assert str(first["gha_event_created_at"]) == "2023-01-02 00:00:00"
    assert str(first["gha_created_at"]) == "2015-06-07 08:09:10"
    assert second["github_id"] is None  # a full name is GitHub's alone
    origins = found["origin"]
    assert default_branches(origins, path)["default_branch"].to_pylist() == ["dev", None]
    assert default_branches(origins, None)["default_branch"].to_pylist() == [None, None]


def test_json_lines_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    row = {"full_name": "a/b", "star_events_count": 3, "created_at": "2015-06-07T08:09:10Z"}
    path.write_text(json.dumps(row) + "\n")
    (found,) = join_facts(heads("https://github.com/A/B"), path).to_pylist()
    assert found["star_events_count"] == 3
    assert str(found["gha_created_at"]) == "2015-06-07 08:09:10"


@pytest.mark.parametrize(
    "origin",
    ["https://github.com/A/B", "http://www.github.com/a/b/", "git://github.com/a/b.git"],
)
@pytest.mark.parametrize("key", ["full_name", "html_url"])
def test_spellings_of_one_repository_meet(tmp_path: Path, origin: str, key: str) -> None:
    value = "a/b" if key == "full_name" else "https://github.com/a/b"
    path = parquet(tmp_path, [{key: value, "stars": 4}])
    assert stars(join_facts(heads(origin), path)) == [4]


def test_the_url_goes_before_the_name_and_is_taken_whole(tmp_path: Path) -> None:
    rows = [
        {"html_url": "https://github.com/a/b", "full_name": "old/name", "stars": 1, "forks": None},
        {"html_url": "https://github.com/c/d", "full_name": "a/b", "stars": 2, "forks": 9},
        {"html_url": "https://gitlab.com/e/f", "full_name": "e/f", "stars": 3, "forks": 9},
    ]
    path = parquet(tmp_path, rows)
    table = join_facts(
        heads(*(f"https://github.com/{n}" for n in ("a/b", "old/name", "e/f"))), path
    )
    assert stars(table) == [1, 1, None]
    assert table["fork_events_count"].to_pylist() == [None, None, None]
    assert stars(join_facts(heads("https://gitlab.com/e/f"), path)) == [3]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(4)))
def test_the_newest_event_wins_in_any_order(order: list[int]) -> None:
    import tempfile

    rows = [
        {"full_name": "a/b", "event_created_at": datetime(2020, 1, 1), "github_id": 9, "stars": 9},
        {"full_name": "A/B", "event_created_at": datetime(2021, 1, 1), "github_id": 1, "stars": 1},
        {"full_name": "a/B", "event_created_at": datetime(2021, 1, 1), "github_id": 2, "stars": 2},
        {"full_name": "a/b", "event_created_at": None, "github_id": 99, "stars": 99},
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = parquet(Path(folder), [rows[at] for at in order])
        assert stars(join_facts(heads("https://github.com/a/b"), path)) == [2]


def test_rows_and_order_of_heads_stay(tmp_path: Path) -> None:
    path = parquet(tmp_path, [{"full_name": f"o/{n}", "stars": n} for n in range(50)])
    order = [n * 37 % 61 for n in range(61)]
    table = heads(*(f"https://github.com/o/{n}" for n in order))
    found = join_facts(table, path)
    assert found["origin"] == table["origin"]
    assert stars(found) == [n if n < 50 else None for n in order]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"stars": 1}], "full_name"),
        ([{"full_name": "a/b", "size": 1}], "star_events_count"),
        ([{"full_name": "a/b", "stars": "many"}], "star_events_count is string"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, rows: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        join_facts(heads("https://github.com/a/b"), parquet(tmp_path, rows))


def test_a_file_that_is_no_table_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "facts.parquet").write_bytes(b"nothing")
    for name in ("facts.parquet", "absent.jsonl"):
        with pytest.raises(ConfigError, match="cannot be read"):
            join_facts(heads("https://github.com/a/b"), tmp_path / name)
