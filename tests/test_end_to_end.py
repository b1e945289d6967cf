"""The sample data through the whole road: what comes out, for whom, and that it never varies."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import polars
import pyarrow.parquet as pq
import pytest

from stackcurate.pipeline.why import why
from stackcurate.schema import FILE

from .driving import Site, assert_same_bytes, call, sample_site, tree
from .sample_expectations import compare, compare_redactions

# --- what became of every file --------------------------------------------------------------------


def test_every_file_ends_as_the_sample_data_says(sample, expected) -> None:
    assert compare(expected, sample.site.ledger()) == []


def test_every_redaction_is_the_one_that_was_planted(sample, expected) -> None:
    assert compare_redactions(expected, sample.site.files()) == []


def test_no_planted_value_is_left_and_every_span_is_a_placeholder(sample) -> None:
    for row in sample.site.files().select(["content", "redactions"]).to_pylist():
        text = row["content"].encode()
        for finding in row["redactions"] or ():
            span = text[finding["start"] : finding["end"]]
            assert span, finding
            assert b"@kestrelholm" not in span


def test_the_funnel_adds_up(sample, expected) -> None:
    counts = json.loads((sample.release / "ledger" / "counts.json").read_text())
    manifest = sample.site.manifest()
    dropped = sum(
        one["files"]
        for reasons in manifest["counts"]["dropped"].values()
        for one in reasons.values()
    )
    kept = manifest["counts"]["kept"]["files"]
    assert kept + dropped == manifest["counts"]["listed"]["files"] == len(expected["files"])
    assert counts["kept"]["files"] == kept == sample.site.files().num_rows
    wanted = Counter(one["outcome"] for one in expected["files"])
    for stage, reasons in manifest["counts"]["dropped"].items():
        for reason, one in reasons.items():
            assert wanted.pop(f"{stage}:{reason}") == one["files"], (stage, reason)
    assert wanted == {"kept": kept}


def test_verify_passes_and_so_does_a_second_scan(sample) -> None:
    assert call("verify", sample.site.config).code == 0
    said = call("verify", sample.release, "--rescan", "--json")
    answer = json.loads(said.text)
    assert said.code == 0 and answer["passed"], answer


def test_verify_names_the_damaged_file(sample, tmp_path) -> None:
    broken = tmp_path / "v2.1.0"
    shutil.copytree(sample.release, broken)
    shard = sorted(broken.glob("data/Python/*.parquet"))[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    said = call("verify", broken, "--files")
    assert said.code == 3
    assert "data/Python/train-00000-of-00001.parquet" in said.all


def test_what_the_command_tells_a_person(sample) -> None:
    told = sample.said.text
    assert "stack-sample v2.1.0 written to" in told
    for line in ("license:refused", "choose:copy", "dedup:near", "Languages", "Licenses"):
        assert line in told
    assert "stack-sample v2.0.0 is not there yet and comes first" in sample.said.all
    assert "Traceback" not in sample.said.all


def test_a_release_holds_what_it_should_and_nothing_of_this_machine(sample) -> None:
    names = tree(sample.release)
    for name in (
        "manifest.json", "SHA256SUMS", "README.md", "CITATION.cff", "CHANGELOG.md", "report.html",
        "repositories.parquet", "revisions.parquet", "evidence.parquet", "quarantine.jsonl",
        "ledger/counts.json",
    ):  # fmt: skip
        assert name in names
    here = [str(sample.site.config.parent.parent), os.uname().nodename, str(Path.home())]
    for name in names:
        data = (sample.release / name).read_bytes()
        assert not [one for one in here if len(one) > 5 and one.encode() in data], name
    assert not list(sample.release.parent.glob(".*")), "a staging folder was left"


def test_shards_have_the_one_schema_and_no_duplicate_content(sample) -> None:
    for shard in (sample.release / "data").rglob("*.parquet"):
        assert pq.read_schema(shard).remove_metadata().equals(FILE)
    ids = sample.site.files()["content_id"].to_pylist()
    assert len(ids) == len(set(ids))


# --- the same bytes, wherever and however ---------------------------------------------------------


def test_bytes_do_not_depend_on_workers_place_or_surroundings(sample, cache, tmp_path) -> None:
    """One worker, the previous release there already, another folder, locale, zone and umask."""
    there = sample_site(tmp_path / "an other\u00e9 place", cache)
    before = Site(there.config.with_name("v2.0.yaml"))
    source = Site(sample.site.config.with_name("v2.0.yaml"))
    shutil.copytree(source.release, before.release)
    surroundings = {
        "LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7", "HOME": str(tmp_path),
    }  # fmt: skip
    there.built("--workers", 1, env=surroundings, umask=0o077)
    assert_same_bytes(sample.release, there.release)
    assert not (there.run_folder.parent / "v2.0.0").exists(), "the previous one was built again"


def test_four_workers_build_the_same_bytes_and_the_same_previous_release(
    sample, cache, tmp_path
) -> None:
    there = sample_site(tmp_path / "four", cache).built("--workers", 4)
    assert_same_bytes(sample.release.parent, there.release.parent)


# --- readers --------------------------------------------------------------------------------------


@pytest.fixture
def datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    module = pytest.importorskip("datasets")
    module.disable_progress_bars()
    return module


def test_load_dataset_reads_all_and_one_language(sample, datasets, tmp_path) -> None:
    files = sample.site.files()
    everything = datasets.load_dataset(str(sample.release), cache_dir=str(tmp_path))["train"]
    assert sorted(everything["row_key"]) == sorted(files["row_key"].to_pylist())
    python = datasets.load_dataset(str(sample.release), "Python", cache_dir=str(tmp_path))["train"]
    wanted = {
        row["row_key"]: row["content"] for row in files.to_pylist() if row["language"] == "Python"
    }
    assert dict(zip(python["row_key"], python["content"], strict=True)) == wanted
    assert len(wanted) > 1


def test_duckdb_and_polars_read_it_as_it_is(sample) -> None:
    files = sample.site.files()
    pattern = str(sample.release / "data" / "**" / "*.parquet")
    counted = duckdb.sql(
        f"SELECT count(*), sum(octet_length(encode(content))) FROM read_parquet('{pattern}')"
    ).fetchall()[0]
    assert counted == (files.num_rows, sum(files["text_bytes"].to_pylist()))
    frame = polars.read_parquet(pattern)
    assert frame.height == files.num_rows
    assert set(frame["language"].drop_nulls()) == {x for x in files["language"].to_pylist() if x}


# --- a finished version ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(sample, tmp_path_factory) -> Site:
    """The sample's site once more, to be changed."""
    place = tmp_path_factory.mktemp("finished") / "site"
    shutil.copytree(sample.site.config.parent.parent, place, symlinks=True)
    return Site(place / "configs" / "v2.1.yaml")


def test_run_again_verifies_and_changes_nothing(finished) -> None:
    before = tree(finished.release)
    said = finished.run()
    assert said.code == 0 and "verified at" in said.text, said.all
    assert tree(finished.release) == before


def test_run_again_over_a_damaged_release_is_an_integrity_error(finished) -> None:
    card = finished.release / "README.md"
    good = card.read_bytes()
    card.write_bytes(good + b" ")
    said = finished.run()
    card.write_bytes(good)
    assert said.code == 3 and "README.md" in said.all


@pytest.mark.parametrize(
    "what, number",
    [("the config", "3.0.0"), ("the input", "2.2.0"), ("the opt-out registry", "2.2.0")],
)
def test_what_changed_since_exits_2_and_names_the_next_free_number(finished, what, number) -> None:
    text = finished.config.read_text()
    sample = finished.config.parent.parent / "sample_data"
    table, registry = sample / "parquet" / "with_content.parquet", sample / "optout.jsonl"
    kept = {path: path.read_bytes() for path in (finished.config, table, registry)}
    if what == "the config":
        finished.config.write_text(text.replace("threshold: 0.7", "threshold: 0.8"))
    elif what == "the input":
        pq.write_table(pq.read_table(table).slice(1), table)
    else:
        registry.write_text("".join(registry.read_text().splitlines(keepends=True)[:-1]))
    before = tree(finished.release)
    said = finished.run()
    for path, data in kept.items():
        path.write_bytes(data)
    assert said.code == 2, said.all
    assert what in said.err and f"version: {number}" in said.err
    assert tree(finished.release) == before


# --- why ------------------------------------------------------------------------------------------


def one_of_every_outcome(expected):
    """{outcome: a file of it}, among names that stand once."""
    names = Counter((one["origin"], one["path"]) for one in expected["files"])
    found = {}
    for one in expected["files"]:
        if names[one["origin"], one["path"]] == 1:
            found.setdefault(one["outcome"], one)
    return found


def test_why_explains_one_file_of_every_outcome_from_the_run_folder(sample, expected) -> None:
    for outcome, one in one_of_every_outcome(expected).items():
        rows = why(one["path"], sample.release, sample.site.run_folder, 10_000).rows
        mine = [row for row in rows if row["origin"] == one["origin"]]
        if not mine:  # the repository is one row of the ledger
            mine = why(one["origin"], sample.release, sample.site.run_folder).rows
            mine = [row for row in mine if row["origin"] == one["origin"]]
        assert outcome in {row["outcome"] for row in mine}, one
        for row in mine:
            if outcome in ("choose:copy", "dedup:near", "dedup:exact"):
                assert row["twin"]["origin"] and row["twin"]["path"]
            if outcome == "kept":
                assert next(step["stage"] for step in row["steps"]) == "optout"


def test_why_tells_from_the_release_alone_what_is_published(sample, expected) -> None:
    for outcome, one in one_of_every_outcome(expected).items():
        stage = outcome.partition(":")[0]
        rows = [
            row
            for row in why(one["path"], sample.release, None, 10_000).rows
            if row["origin"] == one["origin"]
        ]
        if stage in ("kept", "filter", "dedup") or outcome == "choose:copy":
            assert [row["outcome"] for row in rows] == [outcome], one
        elif stage == "optout":
            assert rows == [], "a withdrawn file is named in a release"


def test_the_why_command_speaks_in_words(sample, expected) -> None:
    kept = one_of_every_outcome(expected)["kept"]
    said = call("why", kept["path"], sample.site.config)
    assert said.code == 0
    for word in ("license", "choose", "language", "redact", "outcome    kept"):
        assert word in said.text
    near = one_of_every_outcome(expected)["dedup:near"]
    said = call("why", near["path"], sample.release)
    assert "dedup:near" in said.text and "kept twin" in said.text and "similarity 0." in said.text
    by_hash = call(
        "why", "swh:1:cnt:" + sample.site.files()["content_id"][0].as_py(), sample.release
    )
    assert by_hash.code == 0 and "outcome    kept" in by_hash.text
    assert call("why", "/no/such/file", sample.release).code == 1


def test_why_knows_every_id_of_a_kept_file_and_of_its_repository(sample) -> None:
    file = sample.site.files().slice(0, 1).to_pylist()[0]
    for name in ("content_id", "blob_id", "sha256", "text_sha256", "row_key"):
        for place in ((sample.release, None), (sample.release, sample.site.run_folder)):
            rows = why(file[name], *place).rows
            assert file["row_key"] in {row["row_key"] for row in rows}, name
    for name in ("revision_id", "directory_id", "snapshot_id"):
        if file[name] is not None:
            found = why(file[name], sample.release, None, 10_000)
            assert file["origin"] in {one["origin"] for one in found.repositories}
            assert file["row_key"] in {row["row_key"] for row in found.rows}
    named = call("why", file["origin"], sample.release)
    assert named.code == 0 and f"repository {file['origin']}" in named.text


def test_why_finds_a_repository_by_its_name_in_the_table_of_repositories(sample) -> None:
    file = sample.site.files().slice(0, 1).to_pylist()[0]
    found = why(file["repo_name"], sample.release, None, 10_000)
    assert file["row_key"] in {row["row_key"] for row in found.rows}


def test_why_says_that_files_of_what_was_dropped_whole_are_not_listed(sample) -> None:
    rows = why("/no/such/file", sample.release, sample.site.run_folder).whole
    assert {row["outcome"] for row in rows} >= {"license:refused", "choose:same_root"}
    for row in rows:
        again = why(row["origin"], sample.release, sample.site.run_folder).rows
        assert row["outcome"] in {one["outcome"] for one in again}
    published = {row["outcome"] for row in why("/no/such/file", sample.release, None).whole}
    assert not any(one.startswith("optout:") for one in published)
    said = call("why", "/no/such/file", sample.site.config)
    assert "dropped whole" in said.text and "license:refused" in said.text


def test_why_names_what_refused_a_dropped_file(sample, expected) -> None:
    words = {
        "license:refused": "stated by",
        "header:conflict": "folder",
        "header:refused": "header",
    }
    seen = set()
    for one in expected["files"]:
        if one["outcome"] not in words or one["outcome"] in seen:
            continue
        rows = why(one["path"], sample.release, sample.site.run_folder, 10_000).rows
        # A repository that was refused whole has no row of the file, but one of itself.
        for row in rows:
            if row["origin"] != one["origin"] or row["outcome"] != one["outcome"]:
                continue
            assert words[one["outcome"]] in row["note"], one
            steps = [step["stage"] for step in row["steps"]]
            assert steps[:2] == ["source", "optout"]
            assert steps[-1] == one["outcome"].partition(":")[0]
            seen.add(one["outcome"])
    assert seen == words.keys()


def test_status_plan_report_and_query_speak_of_it(sample) -> None:
    assert "published" in call("status", sample.site.config).text
    assert "run` will verify it" in call("plan", sample.site.config).text
    numbers = json.loads(call("report", sample.site.config, "--format", "json").text)
    assert numbers
    page = call("report", sample.release, "--format", "html").text
    assert page.strip() == (sample.release / "report.html").read_text(encoding="utf-8").strip()
    said = call("query", sample.release, "--count-by", "language", "--format", "json")
    files = sample.site.files()
    assert sum(row["files"] for row in said.records()) == files.num_rows
