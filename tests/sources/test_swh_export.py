from __future__ import annotations

from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.errors import StopError
from stackcurate.sources import swh_export
from stackcurate.sources.swh_export import Database, Export
from tests.sources.swh_tables import Graph, write_table


def empty_export(folder: Path) -> Export:
    Graph().write(folder, form="parquet")
    return Export(folder)


def loaded(export: Export, scratch: Path, table: str, select: str = "*") -> list[dict[str, Any]]:
    with closing(Database(export, scratch)) as db:
        db.load(table, "found", f"SELECT {select} FROM incoming")
        assert db.problems == []
        return db.table("SELECT * FROM found ORDER BY ALL").to_pylist()


HEX = st.text("0123456789abcdefABCDEF", min_size=40, max_size=40)


@given(st.lists(st.none() | HEX | st.text(max_size=41)), st.integers(0, 3))
def test_ids_are_20_bytes_or_null(texts: list[str | None], skip: int) -> None:
    def plain(text: str | None) -> bytes | None:
        if text is None or len(text.encode()) != 40:
            return None
        good = all(sign in "0123456789abcdefABCDEF" for sign in text)
        return bytes.fromhex(text) if good else None

    column = pa.array(texts, pa.string()).slice(skip)
    assert swh_export._ident(column).to_pylist() == [plain(text) for text in texts[skip:]]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([None, -1, 1_500_000_000]),
        pa.array([None, -1, 1_500_000_000], pa.timestamp("s")),
        pa.array([None, -1000, 1_500_000_000_000], pa.timestamp("ms", tz="UTC")),
        pa.array(
            [None, {"seconds": -1, "nanoseconds": 0}, {"seconds": 1_500_000_000, "nanoseconds": 0}]
        ),
    ],
)
def test_dates_of_every_form(column: pa.Array) -> None:
    seconds, nanos = swh_export._date(column)
    assert seconds.to_pylist() == [None, -1, 1_500_000_000]
    assert nanos.to_pylist()[1:] == [0, 0]


def test_a_fraction_before_1970_counts_from_the_second_below() -> None:
    seconds, nanos = swh_export._date(pa.array([-1_500_000], pa.timestamp("us")))
    assert (seconds.to_pylist(), nanos.to_pylist()) == ([-2], [500_000_000])


def test_wide_and_binary_columns_of_other_writers_read_alike(tmp_path: Path) -> None:
    export = empty_export(tmp_path / "graph")
    row = {
        "directory_id": pa.array([b"a" * 40], pa.binary()),
        "name": pa.array(["name"], pa.large_string()),
        "type": pa.array(["file"]).dictionary_encode(),
        "target": pa.array(["b" * 40], pa.large_string()),
        "perms": pa.array([33188], pa.int64()),
    }
    pq.write_table(pa.table(row), tmp_path / "graph" / "directory_entry" / "other.parquet")
    (found,) = loaded(export, tmp_path, "directory_entry")
    assert found["directory"] == b"\xaa" * 20 and found["target"] == b"\xbb" * 20
    assert (found["name"], found["type"], found["perms"]) == (b"name", "file", 33188)


def test_text_that_is_not_utf8_is_escaped(tmp_path: Path) -> None:
    export = empty_export(tmp_path / "graph")
    raw = pa.array([b"https://x/\xff", b"https://y/"], pa.binary())
    table = pa.table({"id": ["0" * 40] * 2, "url": raw})
    pq.write_table(table, tmp_path / "graph" / "origin" / "other.parquet")
    assert [row["url"] for row in loaded(export, tmp_path, "origin")] == [
        "https://x/\\xff",
        "https://y/",
    ]


def test_one_bad_file_of_many_costs_itself_alone(tmp_path: Path) -> None:
    export = empty_export(tmp_path / "graph")
    folder = tmp_path / "graph" / "directory"
    for number in range(6):
        path = folder / f"{number}.{'orc' if number % 2 else 'parquet'}"
        write_table(path, "directory", [(f"{number:040x}", None)])
        if number in (1, 4):
            path.write_bytes(path.read_bytes()[:-3])
    with closing(Database(export, tmp_path)) as db:
        assert db.load("directory", "found", "SELECT id FROM incoming") is False
        assert sorted(one[-1] for (one,) in db.rows("SELECT id FROM found")) == [0, 2, 3, 5]
        assert [p.where for p in db.problems] == ["directory/1.orc", "directory/4.parquet"]
        assert all("cannot be read" in p.message for p in db.problems)


def test_a_file_whose_footer_is_whole_and_body_broken_gives_no_row(tmp_path: Path) -> None:
    export = empty_export(tmp_path / "graph")
    path = tmp_path / "graph" / "directory" / "broken.orc"
    write_table(path, "directory", [(f"{number:040x}", None) for number in range(5000)])
    whole = path.read_bytes()
    path.write_bytes(whole[:60] + b"\xff" * 60 + whole[120:])
    assert export.unreadable("directory") == []
    with closing(Database(export, tmp_path)) as db:
        assert db.load("directory", "found", "SELECT id FROM incoming") is False
        assert db.count("found") == 0
        assert [p.where for p in db.problems] == ["directory/broken.orc"]


def test_unique_keeps_the_first_of_each_key(tmp_path: Path) -> None:
    with closing(Database(empty_export(tmp_path / "graph"), tmp_path)) as db:
        db.run("CREATE TABLE t AS FROM (VALUES (1, 'b'), (1, 'a'), (2, 'c')) v(k, x)")
        db.unique("t", "k", "x")
        assert sorted(db.rows("SELECT * FROM t")) == [(1, "a"), (2, "c")]


def test_a_lack_of_room_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swh_export, "MEMORY", "8MB")
    (tmp_path / "spill").write_bytes(b"")  # where the spill folder would be
    with closing(Database(empty_export(tmp_path / "graph"), tmp_path)) as db:
        sql = "SELECT i, sha256(i::VARCHAR) AS x FROM range(2000000) t(i) ORDER BY x"
        with pytest.raises(StopError, match="scratch folder or memory"):
            db.run(f"CREATE TABLE large AS {sql}")
        with pytest.raises(StopError, match="scratch folder or memory"):
            list(db.batches(sql, 1000))


def test_visit_dates_keep_their_zone_out(tmp_path: Path) -> None:
    export = empty_export(tmp_path / "graph")
    moment = datetime(2020, 1, 2, tzinfo=timezone.utc)
    table = pa.table(
        {
            "origin": ["o"],
            "visit": [1],
            "date": pa.array([moment], pa.timestamp("us", tz="Asia/Tokyo")),
            "type": ["git"],
        }
    )
    pq.write_table(table, tmp_path / "graph" / "origin_visit" / "other.parquet")
    (row,) = loaded(export, tmp_path, "origin_visit")
    assert row["date_s"] == int(moment.timestamp())
