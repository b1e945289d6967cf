"""Outputs are there whole or not at all, and equal things get equal names."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from stackcurate.errors import StopError
from stackcurate.storage import partitions


def test_a_file_appears_only_when_the_block_ends_well(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "out.txt"
    with pytest.raises(RuntimeError), partitions.whole(place) as part:
        part.write_text("half")
        raise RuntimeError
    assert not place.exists() and list(place.parent.iterdir()) == []
    with partitions.whole(place) as part:
        part.write_text("all")
    assert place.read_text() == "all"


def test_a_folder_made_twice_stays_as_first_made(tmp_path: Path) -> None:
    place = tmp_path / "task"
    for _ in range(2):
        with partitions.whole_folder(place) as part:
            (part / "rows").write_text("same")
    assert [p.name for p in tmp_path.iterdir()] == ["task"]
    assert (place / "rows").read_text() == "same"


def test_parts_of_killed_tasks_are_cleared(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".x.7.part").mkdir()
    (tmp_path / ".y.8.part").write_text("half")
    partitions.clear_parts(tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["a"]


@dataclass(frozen=True)
class Options:
    keep: frozenset
    path: Path


def test_digests_do_not_depend_on_set_order_and_see_every_field() -> None:
    one = partitions.digest(Options(frozenset({"a", "b"}), Path("x")), b"\x00")
    assert one == partitions.digest(Options(frozenset({"b", "a"}), Path("x")), b"\x00")
    assert one != partitions.digest(Options(frozenset({"a"}), Path("x")), b"\x00")


def test_arrow_files_come_back_equal_and_by_column(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(5)), "b": ["x"] * 5})
    partitions.write_arrow(tmp_path / "t.arrow", table, rows=2)
    assert partitions.read_arrow(tmp_path / "t.arrow").equals(table)
    assert partitions.read_arrow(tmp_path / "t.arrow", ["b"]).column_names == ["b"]


def test_a_full_disk_says_what_to_do(tmp_path: Path) -> None:
    message = "start the same command again"
    with pytest.raises(StopError, match=message), partitions.disk_errors(tmp_path):
        raise OSError(28, os.strerror(28))


def test_duckdb_tells_of_a_full_disk_in_words() -> None:
    full = duckdb.TransactionException(f"Failed to commit: {os.strerror(errno.ENOSPC)}")
    assert partitions.disk_error_number(full) == errno.ENOSPC
    assert partitions.disk_error_number(duckdb.BinderException("no such column")) is None
    assert partitions.disk_error_number(ValueError(os.strerror(errno.ENOSPC))) is None
