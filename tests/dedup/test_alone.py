"""Parquet in, Parquet out: every row is accounted for, the input's order and columns stay."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate.dedup import alone, pieces
from stackcurate.dedup.alone import dedup_parquet
from stackcurate.dedup.settings import Settings
from stackcurate.engine.base import SerialEngine
from stackcurate.errors import ConfigError, InputError

from .test_match import edited, families, made_text
from .twin import PicklingEngine, decide

ALL = Settings(scope="all")


def table_of(texts: list, ids: list | None = None) -> pa.Table:
    return pa.table(
        {
            "n": pa.array(range(len(texts)), pa.int16()),
            "text": pa.array(texts, pa.string()),
            "key": pa.array(ids or [f"id {n}" for n in range(len(texts))], pa.string()),
            "tags": pa.array([["a", str(n)] for n in range(len(texts))], pa.list_(pa.string())),
        }
    )


def run(input: Path, out: Path, **more) -> tuple[pa.Table, list[dict], object]:
    settings = more.pop("settings", ALL)
    summary = dedup_parquet(input, out, "text", "key", settings, PicklingEngine(), **more)
    kept = pq.read_table(out / "kept.parquet")
    assert sorted(p.name for p in out.iterdir()) == ["clusters.parquet", "kept.parquet"]
    return kept, pq.read_table(out / "clusters.parquet").to_pylist(), summary


def test_rows_clusters_and_columns(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pieces, "PART_BYTES", 20_000)
    monkeypatch.setattr(pieces, "BATCH_BYTES", 5_000)
    monkeypatch.setattr(alone, "GROUP_BYTES", 30_000)
    files = families(5, 40)
    for n, file in enumerate(files):
        files[n] = type(file)(f"id {n}", file.text, n)
    table = table_of([file.text for file in files])
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=7)
    kept, clusters, summary = run(tmp_path / "in.parquet", tmp_path / "out")
    truth, _ = decide(tmp_path / "truth", [files], ALL)
    stays = [truth[file.name].verdict is None for file in files]
    assert kept.equals(table.filter(pa.array(stays))) and kept.schema.equals(table.schema)
    assert [c["id"] for c in clusters] == table["key"].to_pylist()
    assert [c["kept"] for c in clusters] == stays
    for number, cluster in enumerate(clusters):
        outcome = truth[cluster["id"]]
        assert cluster["representative"] == (outcome.kept or cluster["id"])
        assert cluster["similarity"] == outcome.similarity
        alone_ = outcome.kept is None and outcome.cluster_size is None
        head = int(cluster["representative"].split()[1])
        assert cluster["cluster"] == (None if alone_ else head)
        assert head <= number
    assert summary.kept == kept.num_rows and summary.near > 0 and summary.exact > 0
    assert pq.ParquetFile(tmp_path / "out" / "kept.parquet").num_row_groups > 1


def test_a_folder_is_read_in_order_and_started_again(tmp_path: Path):
    text = made_text(1)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    pq.write_table(table_of([edited(text, 0.01, 1)], ["first"]), tmp_path / "in" / "a.parquet")
    pq.write_table(table_of([], []), tmp_path / "in" / "b.parquet")
    pq.write_table(table_of([text, "x"], ["c", "d"]), tmp_path / "in" / "sub" / "c.parquet")
    (tmp_path / "out" / ".work-of-another-call").mkdir(parents=True)
    for _ in range(2):
        kept, clusters, _ = run(tmp_path / "in", tmp_path / "out")
        assert kept["key"].to_pylist() == ["first", "d"]
        assert [c["representative"] for c in clusters] == ["first", "first", "d"]


def test_no_content_stays_and_empty_content_is_equal(tmp_path: Path):
    pq.write_table(table_of([None, "", None, ""]), tmp_path / "in.parquet")
    kept, clusters, summary = run(tmp_path / "in.parquet", tmp_path / "out")
    assert kept["n"].to_pylist() == [0, 1, 2]
    assert [c["cluster"] for c in clusters] == [None, 1, None, 1]
    assert (summary.files, summary.exact, summary.kept) == (4, 1, 3)


def test_groups(tmp_path: Path):
    text = made_text(2)
    table = table_of([text, edited(text, 0.01, 1), edited(text, 0.01, 2)])
    table = table.append_column("lang", pa.array([1, None, 1]))
    pq.write_table(table, tmp_path / "in.parquet")
    kept, _, _ = run(tmp_path / "in.parquet", tmp_path / "out", group="lang")
    assert kept["n"].to_pylist() == [0, 1]


def test_wrong_inputs_say_what_is_wrong(tmp_path: Path):
    pq.write_table(table_of(["x"]), tmp_path / "in.parquet")

    def call(path: Path, content: str = "text", id: str = "key") -> None:
        dedup_parquet(path, tmp_path.with_name("out"), content, id, ALL, SerialEngine())

    with pytest.raises(ConfigError, match="no column 'body'; it has n, text"):
        call(tmp_path / "in.parquet", content="body")
    with pytest.raises(ConfigError, match="no column 'id'"):
        call(tmp_path / "in.parquet", id="id")
    with pytest.raises(ConfigError, match="holds int16, not text"):
        call(tmp_path / "in.parquet", content="n")
    with pytest.raises(ConfigError, match="not there"):
        call(tmp_path / "gone.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no \.parquet file"):
        call(tmp_path / "empty")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match="cannot be read"):
        call(tmp_path / "bad.parquet")
    pq.write_table(table_of(["x"]).drop_columns(["tags"]), tmp_path / "other.parquet")
    with pytest.raises(InputError):
        call(tmp_path)
    (tmp_path / "bad.parquet").unlink()
    with pytest.raises(ConfigError, match="other columns"):
        call(tmp_path)
    with pytest.raises(ConfigError, match="lies in the input"):
        dedup_parquet(tmp_path, tmp_path / "out", "text", "key", ALL, SerialEngine())


def test_an_input_without_rows(tmp_path: Path):
    pq.write_table(table_of([]), tmp_path / "in.parquet")
    kept, clusters, summary = run(tmp_path / "in.parquet", tmp_path / "out")
    assert kept.num_rows == 0 and clusters == [] and summary.files == 0
    assert kept.schema.equals(table_of([]).schema)


@pytest.mark.parametrize("few", [64, 1])  # each part alone; the input's in one bundle, and theirs
def test_against_earlier_files(tmp_path: Path, monkeypatch, few: int):
    """What an earlier input holds goes, whatever its own files are like to each other."""
    monkeypatch.setattr("stackcurate.dedup.steps.FEW_BUNDLES", few)
    monkeypatch.setattr(pieces, "PART_BYTES", 4_000)
    first, second = made_text(21), made_text(22)
    earlier = [first, edited(first, 0.02, 1), second, second]
    pq.write_table(table_of(earlier, ["e0", "e1", "e2", "e3"]), tmp_path / "old.parquet")
    new = [second, "something new", edited(edited(first, 0.02, 1), 0.02, 2), made_text(23), "new b"]
    new.append(edited(new[3], 0.01, 3))
    pq.write_table(table_of(new), tmp_path / "in.parquet", row_group_size=2)
    kept, clusters, summary = run(
        tmp_path / "in.parquet", tmp_path / "out", against=[tmp_path / "old.parquet"]
    )
    assert kept["n"].to_pylist() == [1, 3, 4]
    assert clusters[0]["representative"] == "e2"
    assert clusters[2]["representative"] in ("e0", "e1") and clusters[2]["similarity"] < 1
    assert clusters[5]["representative"] == "id 3"
    assert [c["cluster"] for c in clusters][:2] == [len(new) + 2, None]
    assert (summary.files, summary.kept, summary.exact, summary.near) == (6, 3, 0, 1)
    assert (summary.earlier_exact, summary.earlier_near) == (1, 1)


def test_files_to_compare_against_need_the_same_columns(tmp_path: Path):
    pq.write_table(table_of(["x"]), tmp_path / "in.parquet")
    other = table_of(["x"]).set_column(2, "key", pa.array([1], pa.int64()))
    pq.write_table(other, tmp_path / "old.parquet")
    with pytest.raises(ConfigError, match="not of the type"):
        run(tmp_path / "in.parquet", tmp_path / "out", against=[tmp_path / "old.parquet"])
