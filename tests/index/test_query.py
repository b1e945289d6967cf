"""Questions to a release: right answers, nothing outside it, nothing changed in it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.index.query import COLUMNS, Answer, _reader, query
from stackcurate.index.show import as_csv, as_json_lines, as_table
from stackcurate.releases.writer import write_shard, write_table
from stackcurate.schema import FILE, LEDGER

HOSTILE = "evil/\"x' OR 1=1 --\x1b[31m\u202e\n"
SECRET = "what only the host may read"


def rows() -> list[dict[str, Any]]:
    made = []
    for number in range(60):
        language = ("Python", "C", None)[number % 3]
        text = f"line {number}\nvalue = {number * 7}\n"
        made.append(
            {
                "path": f"/src/{'deep/' if number % 2 else ''}file{number:02}.x",
                "repo_name": f"owner{number % 2}/repo{number % 4}",
                "origin": f"https://example.org/owner{number % 2}/repo{number % 4}",
                "language": language,
                "license_expression": "MIT" if number % 5 else "Apache-2.0 OR MIT",
                "detected_licenses": ["MIT"] if number % 5 else ["Apache-2.0", "MIT"],
                "license_class": "permissive" if number else "public_domain",
                "content_id": f"{number:040x}",
                "row_key": f"{number:032x}",
                "text_bytes": len(text),
                "visit_date": datetime(2024, 1, 1, 12, 30, number % 60),
                "content": text,
            }
        )
    made[0]["repo_name"] = HOSTILE
    return made


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd [name] * it's")
    for language, place in (("Python", "Python"), ("C", "C"), (None, "_unknown")):
        mine = [row for row in rows() if row["language"] == language]
        table = pa.Table.from_pylist(mine, schema=FILE)
        write_shard(folder / "data" / place / "train-00000-of-00001.parquet", [table], 200)
    ledger = pa.Table.from_pylist([{"outcome": "dedup:near", "files": 1}], schema=LEDGER)
    write_table(folder / "ledger" / "files-00000.parquet", ledger)
    named = [
        {"language": "Python", "folder": "Python"},
        {"language": "C", "folder": "C"},
        {"language": None, "folder": "_unknown"},
    ]
    (folder / "manifest.json").write_text(json.dumps({"totals": {"languages": named}}))
    return folder


def keys(release: Path, **question: Any) -> list[str]:
    with query(release, columns=["row_key"], **question) as answer:
        return sorted(key for (key,) in answer.rows())


def expected(wanted: Any) -> list[str]:
    found = [row["row_key"] for row in rows() if wanted(row)]
    assert found
    return found


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ({}, lambda row: True),
        ({"language": "Python"}, lambda row: row["language"] == "Python"),
        ({"language": "_unknown"}, lambda row: row["language"] is None),
        ({"language": ["C", "_unknown"]}, lambda row: row["language"] != "Python"),
        ({"license": "apache-2.0"}, lambda row: "Apache-2.0" in row["detected_licenses"]),
        ({"license": "Public_Domain"}, lambda row: row["license_class"] == "public_domain"),
        ({"license": "MIT"}, lambda row: True),
        ({"repo": "owner1/repo3"}, lambda row: row["repo_name"] == "owner1/repo3"),
        ({"repo": "owner1/*"}, lambda row: row["repo_name"].startswith("owner1/")),
        ({"repo": "https://example.org/owner0/repo2"}, lambda row: row["origin"].endswith("repo2")),
        ({"repo": HOSTILE}, lambda row: row["repo_name"] == HOSTILE),
        ({"path": "/src/*.x"}, lambda row: "deep" not in row["path"]),
        ({"path": "file1?.x"}, lambda row: "file1" in row["path"]),
        ({"pattern": r"value = \d7\n"}, lambda row: re.search(r"= \d7\n", row["content"])),
        ({"pattern": "(?i)LINE 3.*\\n"}, lambda row: row["content"].startswith("line 3")),
        (
            {"language": "Python", "path": "**/deep/**", "pattern": "value"},
            lambda row: row["language"] == "Python" and "deep" in row["path"],
        ),
    ],
)
def test_filters_find_what_python_finds(release: Path, question: Any, wanted: Any) -> None:
    assert keys(release, **question) == expected(wanted)


def test_languages_are_found_in_any_case(release: Path) -> None:
    with query(release, language="python", columns=["path"]) as lower:
        found = list(lower.rows())
    with query(release, language="Python", columns=["path"]) as usual:
        assert found == list(usual.rows()) and len(found) == 20


def test_counts_by_column(release: Path) -> None:
    with query(release, count_by="license", language="Python") as answer:
        assert answer.columns == ["license_expression", "files", "bytes"]
        found = list(answer.rows())
    mine = [row for row in rows() if row["language"] == "Python"]
    number = Counter(row["license_expression"] for row in mine)
    size: Counter[str] = Counter()
    for row in mine:
        size[row["license_expression"]] += row["text_bytes"]
    assert found == [(name, n, size[name]) for name, n in number.most_common()]


def test_limit_and_order_are_the_same_every_time(release: Path) -> None:
    def first(**question: Any) -> list[Any]:
        with query(release, **question) as answer:
            return list(answer.rows())

    everything = first()
    assert first(limit=7) == everything[:7] == first(limit=7)
    assert first(sql="SELECT repo_name FROM files", limit=3) == [(r[0],) for r in everything[:3]]
    assert first(limit=0) == []


def test_sql_sees_the_tables_and_nothing_else(release: Path, tmp_path: Path) -> None:
    with query(release, sql="SELECT outcome FROM ledger") as answer:
        assert list(answer.rows()) == [("dedup:near",)]
    with query(release, sql="SELECT count(*) FROM revisions -- and a comment") as answer:
        assert list(answer.rows()) == [(0,)]
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    before = {path: path.read_bytes() for path in release.rglob("*") if path.is_file()}
    inside = next(iter(before))
    for sql in (
        f"SELECT * FROM read_text('{secret}')",
        f"SELECT * FROM read_csv('{secret}')",
        f"SELECT * FROM read_text('{release}/../../{tmp_path.name}/secret.txt')",
        f"SELECT * FROM glob('{tmp_path}/*')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"COPY (SELECT 1) TO '{release}/data/out.csv'",
        f"COPY (SELECT 1) TO '{inside}'",
        f"ATTACH '{tmp_path}/x.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "LOAD httpfs",
        "DROP VIEW files",
        "CREATE TABLE x AS SELECT 1",
        "PRAGMA memory_limit = '9GB'",
        "SELECT 1; SELECT 2",
        "",
        "SELECT * FROM secret",
        "SELECT * FROM rows",
        "SELECT nothing FROM files",
        "SELEC 1",
    ):
        with pytest.raises(ConfigError) as error, query(release, sql=sql) as answer:
            pytest.fail(f"{sql} was answered: {list(answer.rows())[:3]}")
        assert SECRET not in str(error.value), sql
    assert {path: path.read_bytes() for path in release.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


def test_errors_do_not_quote_what_files_hold(release: Path) -> None:
    with (
        pytest.raises(ConfigError) as error,
        query(release, sql="SELECT content::INTEGER FROM files") as answer,
    ):
        list(answer.rows())
    assert "value" not in str(error.value)


def test_questions_that_make_no_sense(release: Path, tmp_path: Path) -> None:
    for question, words in (
        ({"count_by": 'language" FROM files; --'}, "not a column"),
        ({"columns": ["content; DROP"]}, "not a column"),
        ({"pattern": "("}, "not an RE2 expression"),
        ({"sql": "SELECT 1", "language": "C"}, "limit alone"),
        ({"limit": -1}, "0 or more"),
    ):
        with pytest.raises(ConfigError, match=words):
            query(release, **question)
    with pytest.raises(ConfigError, match="not a release"):
        query(tmp_path)


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "manifest.json").write_text('{"totals": 3}')
    with pytest.raises(IntegrityError, match=r"manifest\.json"):
        query(tmp_path, language="C")
    (tmp_path / "manifest.json").unlink()
    with query(tmp_path) as answer:  # an empty release is one
        assert answer.columns == list(COLUMNS)
        assert list(answer.rows()) == []


def test_table_shows_hostile_names_harmlessly(release: Path) -> None:
    with query(release, count_by="repo") as answer:
        text = "\n".join(as_table(answer))
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "\\x1b[31m\\u202e\\n" in text
    assert len({len(line) for line in text.splitlines()[2:]}) == 1  # numbers line up


def test_json_lines_and_csv_keep_values(release: Path) -> None:
    wanted = ["repo_name", "visit_date", "detected_licenses", "content"]
    everything = {row["row_key"]: row for row in rows()}
    with query(release, columns=["row_key", *wanted]) as answer:
        lines = [json.loads(line) for line in as_json_lines(answer)]
    for line in lines:
        row = everything[line["row_key"]]
        assert line["visit_date"] == row["visit_date"].isoformat()
        assert [line[n] for n in wanted if n != "visit_date"] == [
            row[n] for n in wanted if n != "visit_date"
        ]
    assert len(lines) == 60
    with query(release, columns=["row_key", *wanted]) as answer:
        table = list(csv.DictReader(io.StringIO("\n".join(as_csv(answer)), newline="")))
    assert {one["row_key"]: one["content"] for one in table} == {
        key: row["content"] for key, row in everything.items()
    }
    assert {one["row_key"]: json.loads(one["detected_licenses"]) for one in table} == {
        key: row["detected_licenses"] for key, row in everything.items()
    }


def test_nanoseconds_and_numbers_that_are_none() -> None:
    relation = duckdb.sql(
        "SELECT TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS t, 'nan'::FLOAT AS f, "
        "'\\xFF'::BLOB AS b, {'a': [1, NULL]} AS s"
    )
    reader = _reader(relation)
    (line,) = as_json_lines(Answer(reader.schema.names, reader, None))
    assert json.loads(line) == {
        "t": "2024-01-01T00:00:00.123456",
        "f": None,
        "b": "/w==",
        "s": {"a": [1, None]},
    }
