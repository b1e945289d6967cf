"""Every kind of damage is found, and named by the file it is in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from stackcurate import report
from stackcurate.errors import ConfigError, IntegrityError, StopError
from stackcurate.releases.manifest import (
    canonical,
    files_under,
    read_manifest,
    read_sums,
    shard_of,
    sums,
)
from stackcurate.releases.publish import publish
from stackcurate.releases.verify import Verification, Withdrawn, verify

from .helpers import HOSTILE, corpus, facts, file_row, file_table, staging

SHARD = "data/Python/train-00001-of-00002.parquet"


@pytest.fixture
def copy(release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(release, tmp_path / "copy"))


def seal(release: Path, **changes: Any) -> None:
    """Make checksums agree with what lies there: damage that somebody signed."""
    manifest = read_manifest(release) | changes
    for entry in manifest["files"]:
        shard = shard_of(release / entry["path"])
        entry["bytes"], entry["sha256"] = shard.file_bytes, shard.sha256
    (release / "manifest.json").write_bytes(canonical(manifest))
    names = [name for name in files_under(release) if name != "SHA256SUMS"]
    (release / "SHA256SUMS").write_bytes(
        sums({name: shard_of(release / name).sha256 for name in names})
    )


def failed(answer: Verification) -> dict[str, tuple[str, ...]]:
    return {check.name: check.problems for check in answer.checks if not check.passed}


def test_a_whole_release_passes_every_check(release: Path) -> None:
    answer = verify(release)
    assert [check.name for check in answer.checks] == [
        "checksums",
        "schema",
        "counts",
        "ledger",
        "unique",
        "texts",
    ]
    answer.demand()
    assert "58 listed = 41 kept + 17 dropped" in answer.text()
    assert [check.name for check in verify(release, files_only=True).checks] == ["checksums"]


@pytest.mark.parametrize("name", [SHARD, "repositories.parquet", "README.md", "ledger/counts.json"])
@pytest.mark.parametrize("files_only", [True, False])
def test_one_flipped_bit_is_named(copy: Path, name: str, files_only: bool) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    answer = verify(copy, files_only=files_only)
    assert failed(answer) == {"checksums": (f"{name} is damaged",)}
    with pytest.raises(IntegrityError, match=name.replace(".", r"\.")) as error:
        answer.demand()
    assert error.value.exit_code == 3


def test_truncated_missing_extra_and_linked_files_are_named(copy: Path) -> None:
    (copy / SHARD).write_bytes((copy / SHARD).read_bytes()[:-9])
    (copy / "evidence.parquet").unlink()
    (copy / "data" / "Python" / "more\n.parquet").write_bytes(b"x")
    (copy / "README.md").rename(copy.parent / "README.md")
    (copy / "README.md").symlink_to(copy.parent / "README.md")
    assert set(failed(verify(copy))["checksums"]) == {
        f"{SHARD} has another size",
        "evidence.parquet is missing",
        "data/Python/more\\n.parquet is not part of the release",
        "README.md is not a plain file",
    }


def test_a_changed_manifest_is_found(copy: Path) -> None:
    path = copy / "manifest.json"
    path.write_text(path.read_text().replace('"files": 41', '"files": 42'))
    assert failed(verify(copy)) == {"checksums": ("manifest.json is damaged",)}
    path.write_text("{")
    with pytest.raises(IntegrityError, match=r"manifest\.json"):
        verify(copy)
    path.unlink()
    with pytest.raises(ConfigError, match="not a release"):
        verify(copy)


def test_checksum_file_and_manifest_must_agree(copy: Path) -> None:
    digests = read_sums(copy)
    del digests[SHARD]
    (copy / "SHA256SUMS").write_bytes(sums(digests))
    assert "differ about" in failed(verify(copy))["checksums"][0]
    (copy / "SHA256SUMS").write_bytes(b"not a checksum\n")
    with pytest.raises(IntegrityError, match="SHA256SUMS"):
        verify(copy)


def test_a_manifest_cannot_point_outside(copy: Path) -> None:
    manifest = read_manifest(copy)
    outside = copy.parent / "outside.txt"
    outside.write_text("x")
    manifest["files"].append({"path": "../outside.txt", "rows": None, "bytes": 1, "sha256": "0"})
    (copy / "manifest.json").write_bytes(canonical(manifest))
    assert "../outside.txt is missing" in failed(verify(copy))["checksums"]


def rewritten(copy: Path, table: pa.Table, name: str = SHARD) -> None:
    pq.write_table(table, copy / name)
    seal(copy)


def test_signed_damage_of_schema_and_rows(copy: Path) -> None:
    table = pq.read_table(copy / SHARD, partitioning=None)
    rewritten(copy, table.drop_columns("places"))
    assert failed(verify(copy)) == {"schema": (f"{SHARD} has another schema",)}
    rewritten(copy, table.slice(1))
    assert failed(verify(copy)) == {"schema": (f"{SHARD} has another number of rows",)}


def test_signed_damage_of_texts_ids_and_places(copy: Path) -> None:
    table = pq.read_table(copy / SHARD, partitioning=None)

    def with_column(name: str, values: list[Any]) -> pa.Table:
        at = table.schema.get_field_index(name)
        return table.set_column(at, name, pa.array(values, table.schema.field(name).type))

    texts = table["content"].to_pylist()
    rewritten(copy, with_column("content", ["changed", *texts[1:]]))
    assert failed(verify(copy)) == {"texts": (f"{SHARD}: 1 texts do not match their hash",)}

    ids = table["content_id"].to_pylist()
    rewritten(copy, with_column("content_id", [ids[1], *ids[1:]]))
    assert failed(verify(copy)) == {"unique": (f"content_id {ids[1]} stands 2 times",)}

    rewritten(copy, with_column("language", ["C++"] * len(ids)))
    found = failed(verify(copy))["counts"]
    assert found == (f"{SHARD} holds files of another language",)

    sizes = table["license_class"].to_pylist()
    rewritten(copy, with_column("license_class", ["copyleft", *sizes[1:]]))
    assert (
        "manifest.json: totals.classes are not those of the files" in failed(verify(copy))["counts"]
    )


def test_a_ledger_that_does_not_add_up(copy: Path) -> None:
    counts = read_manifest(copy)["counts"]
    counts["dropped"]["dedup"]["exact"]["files"] += 1
    seal(copy, counts=counts)
    assert set(failed(verify(copy))["ledger"]) == {
        "all sources: 58 files listed, but 41 kept and 18 dropped",
        "ledger/counts.json and manifest.json differ",
        "the ledger's rows of dedup:exact do not add up",
    }


def test_the_ledger_is_checked_by_source(tmp_path: Path) -> None:
    rows = corpus()
    files = staging(tmp_path / "s", rows)
    good = {"listed": {"files": 3, "bytes": 3}, "kept": {"files": 3, "bytes": 3}, "dropped": {}}
    bad = good | {"kept": {"files": 2, "bytes": 3}}
    made = facts(files, rows, sources={"git": good, "archive": bad})
    with pytest.raises(IntegrityError, match="source archive: 3 files listed, but 2 kept"):
        publish(tmp_path / "s", tmp_path / "v1", made, report.html_of)


@pytest.mark.parametrize("key", ["content_id", "row_key"])
def test_duplicates_are_not_published(tmp_path: Path, key: str) -> None:
    rows = [*corpus(), file_row(100)]
    rows[-1][key] = rows[0][key]
    files = staging(tmp_path / "s", rows)
    with pytest.raises(IntegrityError, match=f"unique: {key}"):
        publish(tmp_path / "s", tmp_path / "v1", facts(files, rows), report.html_of)


def withdraws(owner: str) -> Withdrawn:
    def verdicts(rows: pa.Table) -> pa.Array:
        assert "content" not in rows.column_names
        hit = pc.starts_with(rows["repo_name"].combine_chunks(), owner + "/")
        return pc.if_else(hit, pa.scalar("optout:owner"), pa.scalar(None, pa.string()))

    return Withdrawn(heads=verdicts, files=verdicts)


def test_withdrawn_files_stop_publishing_and_name_nobody(release: Path, tmp_path: Path) -> None:
    assert verify(release, withdrawn=withdraws("nobody")).passed
    answer = verify(release, withdrawn=withdraws("owner1"))
    assert list(failed(answer)) == ["opt-out"]
    assert "repositories.parquet: optout:owner (" in answer.text()
    assert "owner1" not in answer.text()
    rows = corpus()
    files = staging(tmp_path / "s", rows)
    with pytest.raises(StopError) as error:
        publish(
            tmp_path / "s",
            tmp_path / "v1",
            facts(files, rows),
            report.html_of,
            withdrawn=withdraws("owner1"),
        )
    assert error.value.exit_code == 4
    assert not (tmp_path / "v1").exists()


def test_rescan_fails_on_what_the_release_would_redact(release: Path) -> None:
    def rescan(fails: bool) -> Any:
        def look(batch: pa.Table) -> pa.Table:
            hit = batch.filter(pc.match_substring(batch["content"], "print(7)"))
            found = {"rule": "seven", "kind": "number", "start": 0, "end": 8, "fails": fails}
            return pa.Table.from_pylist(
                [{"row_key": key, **found} for key in hit["row_key"].to_pylist()]
            )

        return look

    loud = verify(release, rescan=rescan(True))
    assert failed(loud) == {"rescan": ("1 x number (seven) left in",)}
    assert len(loud.findings) == 1 and loud.findings[0]["file"].startswith("data/")
    quiet = verify(release, rescan=rescan(False))
    assert quiet.passed
    assert "a strict scan still sees 1 x number (seven)" in quiet.text()


def test_a_manifest_of_another_shape_is_a_failed_check(copy: Path) -> None:
    for totals in (None, {"languages": 3}, []):
        seal(copy, totals=totals)
        assert set(failed(verify(copy))) & {"counts", "schema"}


def test_text_check_holds_for_every_batch_of_a_large_group(tmp_path: Path) -> None:
    rows = [file_row(number, content="é" * (number % 50)) for number in range(3000)]
    files = staging(tmp_path / "s", rows, row_group_bytes=1 << 20)
    publish(tmp_path / "s", tmp_path / "v1", facts(files, rows), report.html_of)
    answer = verify(tmp_path / "v1")
    assert answer.passed, answer.text()
    assert file_table(rows).num_rows == 3000
    assert HOSTILE not in (tmp_path / "v1" / "report.html").read_text()
    assert json.loads((tmp_path / "v1" / "ledger" / "counts.json").read_text())["stages"]
