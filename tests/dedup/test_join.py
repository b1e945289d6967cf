"""Joined files read as the table of all parts, whatever reads them and whatever the columns."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate.dedup.join import join_parquet
from stackcurate.errors import IntegrityError

SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("odd", pa.bool_()),
        ("text", pa.string()),
        ("real", pa.float64()),
        ("list", pa.list_(pa.string())),
        ("when", pa.timestamp("us", "UTC")),
        ("inner", pa.struct([("a", pa.int64()), ("b", pa.list_(pa.int64()))])),
    ]
)


def table_of(begin: int, count: int) -> pa.Table:
    numbers = list(range(begin, begin + count))
    return pa.table(
        {
            "n": numbers,
            "odd": [n % 2 == 1 for n in numbers],
            "text": [None if n % 7 == 0 else f"text {n % 5} " * (n % 30) for n in numbers],
            "real": [n / 3 for n in numbers],
            "list": [[f"{n}", "x"] if n % 3 else None for n in numbers],
            "when": numbers,
            "inner": [{"a": n, "b": [n] * (n % 4)} for n in numbers],
        },
        schema=SCHEMA,
    )


def test_all_columns_in_order(tmp_path: Path):
    sizes = [700, 0, 1, 3000, 0]
    begins = [sum(sizes[:n]) for n in range(len(sizes))]
    tables = [table_of(b, s) for b, s in zip(begins, sizes, strict=True)]
    paths = [tmp_path / f"{n}.parquet" for n in range(len(tables))]
    schema = SCHEMA.with_metadata({"of": "ours"})
    for table, path in zip(tables, paths, strict=True):
        with pq.ParquetWriter(path, schema, compression="zstd", write_page_index=True) as writer:
            if len(table):
                writer.write_table(table.cast(schema), row_group_size=100)
    out = tmp_path / "out.parquet"
    join_parquet(paths, out)
    expected = pa.concat_tables(tables)
    found = pq.read_table(out)
    assert found.equals(expected) and found.schema.metadata == {b"of": b"ours"}
    file = pq.ParquetFile(out)
    assert file.metadata.num_row_groups == 38 and file.metadata.num_rows == 3701
    groups = [file.read_row_group(n) for n in range(38)]
    assert pa.concat_tables(groups).equals(expected)
    picked = pq.read_table(out, filters=[("n", ">=", 3650)], columns=["n"])
    assert picked["n"].to_pylist() == list(range(3650, 3701))
    sums = duckdb.sql(f"SELECT sum(n), count(text), sum(len(list)) FROM '{out}'").fetchall()[0]
    texts = expected["text"].to_pylist()
    lists = expected["list"].to_pylist()
    assert sums == (
        sum(range(3701)), sum(t is not None for t in texts), sum(len(x) for x in lists if x),
    )  # fmt: skip


def test_one_part_and_parts_without_rows(tmp_path: Path):
    for name, rows in (("a", 5), ("b", 0)):
        pq.write_table(table_of(0, rows), tmp_path / name)
    join_parquet([tmp_path / "b", tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert pq.read_table(tmp_path / "out").equals(table_of(0, 5))
    join_parquet([tmp_path / "b"], tmp_path / "out")
    assert pq.read_table(tmp_path / "out").equals(table_of(0, 0))


def test_a_cut_file_is_refused(tmp_path: Path):
    pq.write_table(table_of(0, 50), tmp_path / "a")
    (tmp_path / "cut").write_bytes((tmp_path / "a").read_bytes()[:-3])
    with pytest.raises(IntegrityError, match="cut"):
        join_parquet([tmp_path / "a", tmp_path / "cut"], tmp_path / "out")
