"""A staging folder becomes a release in one rename, with the same bytes every time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import polars
import pytest
import yaml

from stackcurate import report
from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.releases.facts import Previous
from stackcurate.releases.manifest import manifest_digest, read_manifest, read_previous
from stackcurate.releases.publish import publish
from stackcurate.releases.verify import verify

from .helpers import HOSTILE, corpus, facts, file_row, staging


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_release_stands_and_verifies(release: Path) -> None:
    names = {path.name for path in release.iterdir()}
    documents = {"README.md", "CITATION.cff", "CHANGELOG.md", "report.html"}
    assert names >= documents | {"manifest.json", "SHA256SUMS", "data", "ledger"}
    answer = verify(release)
    assert answer.passed, answer.text()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_reads_the_checksums(release: Path, tmp_path: Path) -> None:
    command = ["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"]
    subprocess.run(command, cwd=release, check=True)
    copy = shutil.copytree(release, tmp_path / "copy")
    (copy / "README.md").write_text("changed")
    assert subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode == 1


def test_same_facts_same_bytes(release: Path, tmp_path: Path) -> None:
    rows = corpus()
    files = staging(tmp_path / "s", rows)
    publish(tmp_path / "s", tmp_path / "r" / "v1.0.0", facts(files, rows), report.html_of)
    assert bytes_of(tmp_path / "r" / "v1.0.0") == bytes_of(release)
    assert not (tmp_path / "s").exists()


def test_a_killed_publish_can_be_called_again(release: Path, tmp_path: Path) -> None:
    rows = corpus()
    place = tmp_path / "s"
    files = staging(place, rows)
    (place / "manifest.json").write_text("{")
    (place / "README.md").write_text("half")
    (place / "data" / "Python" / ".train-00000-of-00002.parquet.77.part").write_text("half")
    publish(place, tmp_path / "v1.0.0", facts(files, rows), report.html_of)
    assert bytes_of(tmp_path / "v1.0.0") == bytes_of(release)


def test_a_failure_before_the_end_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    rows = corpus()
    files = staging(tmp_path / "s", rows)

    def breaks(manifest: object) -> str:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        publish(tmp_path / "s", tmp_path / "v1", facts(files, rows), breaks)
    assert not (tmp_path / "v1").exists()
    with pytest.raises(ConfigError, match="not a release"):
        verify(tmp_path / "s")


def test_a_release_is_never_written_over(release: Path, tmp_path: Path) -> None:
    rows = corpus()
    files = staging(tmp_path / "s", rows)
    before = bytes_of(release)
    with pytest.raises(ConfigError, match="never written over"):
        publish(tmp_path / "s", release, facts(files, rows), report.html_of)
    assert bytes_of(release) == before


def test_files_that_changed_since_they_were_written_stop_it(tmp_path: Path) -> None:
    rows = corpus()
    files = staging(tmp_path / "s", rows)
    with open(tmp_path / "s" / "repositories.parquet", "ab") as file:
        file.write(b"x")
    with pytest.raises(IntegrityError, match=r"repositories\.parquet"):
        publish(tmp_path / "s", tmp_path / "v1", facts(files, rows), report.html_of)


def test_counts_that_do_not_add_up_stop_it(tmp_path: Path) -> None:
    rows = corpus()
    files = staging(tmp_path / "s", rows)
    wrong = facts(files, rows, listed={"files": len(rows), "bytes": 1})
    with pytest.raises(IntegrityError, match="ledger: all sources"):
        publish(tmp_path / "s", tmp_path / "v1", wrong, report.html_of)
    assert not (tmp_path / "v1").exists()


def test_the_id_follows_the_data_alone(release: Path, tmp_path: Path) -> None:
    first = read_manifest(release)["release_id"]
    assert first.startswith("stack-test-v1.0.0-")
    for name, rows, more, same in [
        ("title", corpus(), {"title": "Another title"}, True),
        ("data", [*corpus(), file_row(100)], {}, False),
    ]:
        files = staging(tmp_path / name, rows)
        publish(tmp_path / name, tmp_path / "r" / name, facts(files, rows, **more), report.html_of)
        assert (read_manifest(tmp_path / "r" / name)["release_id"] == first) is same


def test_changelog_counts_against_the_previous_one(release: Path, tmp_path: Path) -> None:
    rows = [row for row in corpus() if row["language"] != "C++"] + [file_row(100), file_row(101)]
    files = staging(tmp_path / "s", rows)
    later = facts(
        files,
        rows,
        version="1.1.0",
        previous=read_previous(release),
        notes="A person's words.",
    )
    publish(tmp_path / "s", tmp_path / "v1.1.0", later, report.html_of)
    text = (tmp_path / "v1.1.0" / "CHANGELOG.md").read_text()
    assert text.count("# Changelog") == 1
    assert text.index("## 1.1.0") < text.index("A person's words.") < text.index("## 1.0.0")
    gone = sum(row["language"] == "C++" for row in corpus())
    assert f"| C++ | {gone} | 0 | -{gone} |" in text
    assert "| Python | 15 | 17 | +2 |" in text
    assert "F*" not in text
    stated = read_manifest(tmp_path / "v1.1.0")["previous"]
    assert stated["manifest_sha256"] == manifest_digest(release)
    assert isinstance(later.previous, Previous)


def test_card_and_citation_are_valid_yaml(release: Path) -> None:
    text = (release / "README.md").read_text()
    header = yaml.safe_load(text.split("---\n")[1])
    names = {config["config_name"] for config in header["configs"]}
    assert names == {"default", "Python", "C++", "F_", "Jupyter Notebook", "_unknown"}
    assert header["size_categories"] == ["n<1K"]
    assert "| license | refused | 5 | 500 B |" in text
    assert HOSTILE not in text
    citation = yaml.safe_load((release / "CITATION.cff").read_text())
    assert citation["identifiers"][0]["value"] == read_manifest(release)["release_id"]


def test_no_place_or_clock_enters(release: Path, tmp_path: Path) -> None:
    for name, data in bytes_of(release).items():
        assert str(tmp_path.parent).encode() not in data, name
        assert os.uname().nodename.encode() not in data or len(os.uname().nodename) < 6, name


def test_duckdb_and_polars_read_it_as_it_is(release: Path) -> None:
    pattern = f"{release}/data/*/*.parquet"
    expected = sorted(row["content"] for row in corpus())
    found = duckdb.sql(f"SELECT content FROM '{pattern}'").fetchall()
    assert sorted(text for (text,) in found) == expected
    assert sorted(polars.read_parquet(pattern)["content"].to_list()) == expected


def test_datasets_load_it_offline(release: Path, tmp_path: Path) -> None:
    code = """
import json, sys
from datasets import load_dataset, get_dataset_config_names
path = sys.argv[1]
print(json.dumps({
    "configs": get_dataset_config_names(path),
    "all": sorted(load_dataset(path, split="train")["row_key"]),
    "folders": {n: sorted(load_dataset(path, n, split="train")["row_key"])
                for n in ("Python", "C++", "F_", "Jupyter Notebook", "_unknown")},
    "streamed": sorted(
        row["row_key"] for row in load_dataset(path, "C++", split="train", streaming=True)
    ),
}))
"""
    env = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path),
        "HF_DATASETS_CACHE": str(tmp_path / "cache"),
    }
    copy = shutil.copytree(release, tmp_path / "copied release")
    done = subprocess.run(
        [sys.executable, "-c", code, str(copy)],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    rows = corpus()
    assert found["configs"][0] == "default"
    assert found["all"] == sorted(row["row_key"] for row in rows)
    languages = {"F_": "F*", "_unknown": None}
    for folder, keys in found["folders"].items():
        wanted = languages.get(folder, folder)
        assert keys == sorted(row["row_key"] for row in rows if row["language"] == wanted)
    assert found["streamed"] == found["folders"]["C++"]
