from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.sources.swh_orc import StripeReader

CODECS = ["uncompressed", "zlib", "snappy", "zstd"]
NS = 10**9


def read(path: Path, columns: list[str]) -> pa.Table:
    return pa.concat_tables(StripeReader(path).read(columns))


def pairs(table: pa.Table, column: str) -> list[tuple[int, int] | None]:
    return [v and (v["seconds"], v["nanos"]) for v in table[column].to_pylist()]


@pytest.mark.parametrize("codec", CODECS)
def test_dates_out_of_range_keep_their_seconds(tmp_path: Path, codec: str) -> None:
    seconds = [0, -1, None, 10**11, -(10**11), 10**13, 2**40, -62_135_596_800 * 2, 1_500_000_000]
    table = pa.table(
        {
            "id": pa.array([str(n) for n in range(9)]),
            "date": pa.array(seconds, pa.timestamp("s")),
            "name": pa.array([b"\xff"] * 9),
        }
    )
    orc.write_table(table, str(tmp_path / "a.orc"), compression=codec)
    found = read(tmp_path / "a.orc", ["name", "date", "id"])
    assert found.column_names == ["name", "date", "id"]
    assert pairs(found, "date") == [None if s is None else (s, 0) for s in seconds]
    assert found["name"].to_pylist() == [b"\xff"] * 9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.none() | st.integers(-(2**63) + NS, 2**63 - NS), min_size=1, max_size=40))
def test_dates_in_range_keep_their_nanoseconds(ticks: list[int | None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.orc"
        orc.write_table(pa.table({"date": pa.array(ticks, pa.timestamp("ns"))}), str(path))
        expected = [None if t is None else divmod(t, NS) for t in ticks]
        assert pairs(read(path, ["date"]), "date") == expected


@settings(max_examples=30, deadline=None)
@given(st.lists(st.none() | st.integers(-(2**53), 2**53), min_size=1, max_size=40))
def test_any_second_comes_back(seconds: list[int | None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.orc"
        table = pa.table({"date": pa.array(seconds, pa.timestamp("s"))})
        orc.write_table(table, str(path), compression="zstd")
        expected = [None if s is None else (s, 0) for s in seconds]
        assert pairs(read(path, ["date"]), "date") == expected


def test_every_stripe_is_read_in_order(tmp_path: Path) -> None:
    count = 300_000
    ids = pa.array([f"{n * 2654435761 % 2**64:040x}" for n in range(count)])
    dates = pa.array(range(10**11, 10**11 + count), pa.timestamp("s"))
    path = tmp_path / "a.orc"
    orc.write_table(pa.table({"id": ids, "date": dates}), str(path), stripe_size=1 << 20)
    reader = StripeReader(path)
    assert reader.stripes > 3
    found = pa.concat_tables(reader.read(["id", "date"]))
    assert found["id"].combine_chunks().equals(ids)
    assert pairs(found, "date")[::9999] == [(10**11 + n, 0) for n in range(0, count, 9999)]


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_cut_anywhere_fails_cleanly(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.orc"
    table = pa.table({"date": pa.array([10**12] * 50, pa.timestamp("s")), "id": ["x"] * 50})
    orc.write_table(table, str(path), compression=codec)
    whole = path.read_bytes()
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        with pytest.raises((pa.ArrowException, OSError)):
            read(path, ["date", "id"])


# Not snappy: ORC's own decoder can crash on changed snappy bytes.
@pytest.mark.parametrize("codec", ["uncompressed", "zlib", "zstd"])
def test_a_broken_footer_fails_cleanly_or_not_at_all(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.orc"
    dates = pa.array(range(10**11, 10**11 + 50), pa.timestamp("s"))
    orc.write_table(pa.table({"date": dates}), str(path), compression=codec)
    whole = path.read_bytes()
    failed = 0
    for at in range(len(whole) // 2, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            assert read(path, ["date"]).num_rows <= 50
        except (pa.ArrowException, OSError, ValueError, LookupError):
            failed += 1
    assert failed > 5
