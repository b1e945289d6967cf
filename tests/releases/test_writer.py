"""Bytes of a Parquet file follow from its rows, never from the batches they came in."""

from __future__ import annotations

import errno
import hashlib
import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackcurate.releases import writer
from stackcurate.releases.writer import row_groups, write_shard, write_table
from stackcurate.schema import FILE, LEDGER

from .helpers import file_row, file_table


def rows_of(texts: list[str | None]) -> pa.Table:
    rows = [file_row(number) for number in range(len(texts))]
    for row, text in zip(rows, texts, strict=True):
        row["content"] = text
    return pa.Table.from_pylist(rows, schema=FILE)


def pieces(table: pa.Table, cuts: list[int]) -> list[pa.Table]:
    places = [0, *sorted(min(cut, table.num_rows) for cut in cuts), table.num_rows]
    return [table.slice(start, stop - start) for start, stop in itertools.pairwise(places)]


def groups_slowly(sizes: list[int], most_bytes: int, most_rows: int) -> list[int]:
    """The plain twin of `row_groups`: rows per group."""
    groups: list[int] = []
    held = rows = 0
    for size in sizes:
        if rows and (held + size > most_bytes or rows == most_rows):
            groups.append(rows)
            held = rows = 0
        held, rows = held + size, rows + 1
    return [*groups, rows] if rows else groups


texts = st.lists(st.none() | st.text(max_size=60) | st.just("x" * 300), max_size=40)
cuts = st.lists(st.integers(0, 40), max_size=12)


@given(texts, cuts, st.integers(1, 400))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bytes_do_not_depend_on_batches(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str | None], cuts: list[int], limit: int
) -> None:
    folder = tmp_path_factory.mktemp("w")
    table = rows_of(texts)
    whole = write_shard(folder / "a.parquet", [table], limit)
    parts = write_shard(folder / "b.parquet", iter(pieces(table, cuts)), limit)
    # rebuilt from Python: no offsets, other validity buffers
    fresh = [pa.Table.from_pylist(p.to_pylist(), schema=FILE) for p in pieces(table, cuts)]
    again = write_shard(folder / "c.parquet", fresh, limit)
    assert whole == parts == again
    assert (folder / "a.parquet").read_bytes() == (folder / "b.parquet").read_bytes()
    assert pq.read_table(folder / "a.parquet").equals(table)


@given(texts, cuts, st.integers(1, 400), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_groups_are_cut_where_the_plain_twin_cuts(
    texts: list[str | None], cuts: list[int], most_bytes: int, most_rows: int
) -> None:
    table = rows_of(texts).select(["path", "content"])
    found = list(row_groups(pieces(table, cuts), table.schema, most_bytes, most_rows))
    sizes = [len((text or "").encode()) for text in texts]
    assert [group.num_rows for group, _ in found] == groups_slowly(sizes, most_bytes, most_rows)
    assert sum(size for _, size in found) == sum(sizes)
    assert all(column.num_chunks == 1 for group, _ in found for column in group.columns)


def test_shard_says_what_is_on_disk(tmp_path: Path) -> None:
    table = file_table([file_row(number, content="é" * number) for number in range(50)])
    path = tmp_path / "data" / "Python" / "train.parquet"
    shard = write_shard(path, [table], 200)
    data = path.read_bytes()
    assert shard.sha256 == hashlib.sha256(data).hexdigest()
    assert (shard.rows, shard.file_bytes) == (50, len(data))
    assert shard.text_bytes == sum(2 * number for number in range(50))
    file = pq.ParquetFile(path)
    assert file.schema_arrow.equals(FILE)
    assert file.metadata.num_row_groups > 5
    assert [p.name for p in path.parent.iterdir()] == ["train.parquet"]


def test_columns_are_stored_for_their_use(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", [file_table([file_row(n) for n in range(30)])], 1 << 20)
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    columns = {group.column(at).path_in_schema: group.column(at) for at in range(group.num_columns)}
    assert columns["language"].statistics.max == "Python"
    assert columns["path"].statistics.min == "/src/file00000.x"
    assert not columns["content"].is_stats_set
    assert not columns["content"].has_dictionary_page
    assert columns["license_expression"].has_dictionary_page
    assert columns["redactions.list.element.rule"].has_dictionary_page
    assert {column.compression for column in columns.values()} == {"ZSTD"}


def test_a_shard_written_again_has_the_same_bytes(tmp_path: Path) -> None:
    first = write_shard(tmp_path / "a.parquet", [file_table([file_row(n) for n in range(30)])], 99)
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        batches = (pa.Table.from_batches([b]) for b in file.iter_batches(batch_size=7))
        assert write_shard(tmp_path / "b.parquet", batches, 99) == first


def test_an_empty_shard_reads_back_as_no_rows(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", iter([]), 100)
    assert (shard.rows, shard.text_bytes) == (0, 0)
    assert pq.read_table(tmp_path / "a.parquet").equals(FILE.empty_table())


def test_another_schema_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    table = file_table([file_row(1)]).drop_columns("content")
    with pytest.raises(ValueError, match="schema"):
        write_shard(tmp_path / "a.parquet", [table], 100)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_input_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_shard(path, [file_table([file_row(1)])], 100)
    before = path.read_bytes()

    def breaks() -> object:
        yield file_table([file_row(2)])
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_shard(path, breaks(), 100)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_side_tables_drop_metadata_and_chunks(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(
        [{"scope": "file", "files": n, "outcome": "kept"} for n in range(20)], schema=LEDGER
    )
    one = write_table(tmp_path / "a.parquet", table)
    marked = table.replace_schema_metadata({"made": "here"})
    two = write_table(tmp_path / "b.parquet", iter(pieces(marked, [3, 9])), schema=LEDGER)
    assert one == two
    with pytest.raises(ValueError, match="schema"):
        write_table(tmp_path / "c.parquet", iter([table]))


def test_a_full_disk_is_seen_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = 2000

    def write(self: writer._HashingStream, data: bytes) -> int:
        self.size += len(data)
        if self.size > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(data)

    monkeypatch.setattr(writer._HashingStream, "write", write)
    tables = [file_table([file_row(number, content="x" * 500)]) for number in range(50)]
    with pytest.raises(OSError) as error:
        write_shard(tmp_path / "a.parquet", tables, 1000)
    assert error.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
