"""Rows arrive at their target, all of them, once, in order, whatever wrote them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.errors import IntegrityError
from stackcurate.storage.exchange import (
    exchange_counts,
    iter_exchange,
    read_exchange,
    write_exchange,
)


def numbered(numbers: list[int]) -> pa.Table:
    return pa.table(
        {
            "number": pa.array(numbers, pa.int64()),
            "text": pa.array([f"row {n}" for n in numbers], pa.large_string()),
            "key": pa.array([n.to_bytes(8, "big") for n in numbers], pa.binary(8)),
        }
    )


@settings(max_examples=40, deadline=None)
@given(
    files=st.lists(st.lists(st.integers(0, 6), max_size=40), min_size=1, max_size=4),
    batch_rows=st.integers(1, 9),
    compress=st.booleans(),
)
def test_each_target_reads_its_rows_in_order(tmp_path_factory, files, batch_rows, compress):
    folder = tmp_path_factory.mktemp("exchange")
    paths, truth, number = [], {target: [] for target in range(7)}, 0
    for at, targets in enumerate(files):
        numbers = list(range(number, number + len(targets)))
        number += len(targets)
        for row, target in zip(numbers, targets, strict=True):
            truth[target].append(row)
        paths.append(folder / f"{at}.arrow")
        write_exchange(
            paths[-1],
            numbered(numbers),
            np.array(targets, dtype=np.int64),
            7,
            compress=compress,
            batch_rows=batch_rows,
        )
    for target, numbers in truth.items():
        table = read_exchange(paths, target)
        assert table.equals(numbered(numbers))
        assert all(b.num_rows <= batch_rows for b in iter_exchange(paths, target))
    assert sum(exchange_counts(path) for path in paths).tolist() == [
        len(truth[target]) for target in range(7)
    ]


def test_many_targets_and_chunked_tables(tmp_path: Path):
    table = pa.concat_tables([numbered(list(range(at, at + 1000))) for at in range(0, 5000, 1000)])
    target = (np.arange(5000, dtype=np.uint32) * 7919) % 70_000
    write_exchange(tmp_path / "x.arrow", table, target, 70_000)
    for wanted in (0, 7919, 69_999):
        expected = np.flatnonzero(target == wanted)
        assert read_exchange([tmp_path / "x.arrow"], wanted)["number"].to_pylist() == list(expected)


def test_same_rows_same_bytes(tmp_path: Path):
    target = np.arange(100) % 3
    for name in ("a", "b"):
        write_exchange(tmp_path / name, numbered(list(range(100))), target, 3)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("target", [[0, 3], [-1, 0], [0]])
def test_wrong_targets_are_refused_and_nothing_is_written(tmp_path: Path, target):
    with pytest.raises(ValueError, match="targets"):
        write_exchange(tmp_path / "x", numbered([1, 2]), np.array(target), 3)
    assert not (tmp_path / "x").exists()


def test_broken_and_foreign_files_say_so(tmp_path: Path):
    write_exchange(tmp_path / "x", numbered([1, 2, 3]), np.zeros(3, np.int64), 1)
    data = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(data[: len(data) // 2])
    with pytest.raises(IntegrityError, match="no whole Arrow file"):
        read_exchange([tmp_path / "x"], 0)
    with pa.OSFile(str(tmp_path / "y"), "wb") as sink:
        table = numbered([1])
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    with pytest.raises(IntegrityError, match="no list of targets"):
        read_exchange([tmp_path / "y"], 0)
    with pytest.raises(ValueError, match="not target 5"):
        write_exchange(tmp_path / "z", numbered([1]), np.zeros(1, np.int64), 1)
        read_exchange([tmp_path / "z"], 5)
