"""Broken and malicious inputs through a whole run: set aside by name; the rest ships."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.swh_tables import Graph, Node

from ..driving import MIT, Site, call, code, git, repository, site

BAD = "All rights reserved. No part of this may be copied, used or changed by anybody at all.\n"


def object_file(repo: Path, name: str) -> Path:
    return repo / ".git" / "objects" / name[:2] / name[2:]


def damaged_repositories(folder: Path) -> None:
    """One whole, one with a torn blob, one with a torn tree, one whose HEAD leads nowhere."""
    repository(folder / "whole", {"a.py": code("whole")})
    repo = repository(folder / "torn-blob", {"a.py": code("good"), "b.py": code("ripped")})
    place = object_file(repo, git(repo, "rev-parse", "HEAD:b.py"))
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:40])
    repo = repository(folder / "torn-tree", {"a.py": code("top"), "sub/b.py": code("below")})
    place = object_file(repo, git(repo, "rev-parse", "HEAD:sub"))
    place.chmod(0o644)
    place.write_bytes(zlib.compress(b"tree 5\0junk!"))
    repo = repository(folder / "headless", {"a.py": code("headless")})
    (repo / ".git" / "refs" / "heads" / "main").write_text("0" * 39 + "1\n")


def graph_of(folder: Path) -> None:
    """Blobs lost and torn, an unreadable wish, a dozen trees that claim ten billion files."""
    graph = Graph()
    license_ = graph.blob(MIT.encode())

    def origin(name: str, entries: dict[bytes, Node]) -> None:
        root = graph.tree({b"LICENSE": license_, **entries})
        snapshot = graph.snapshot({b"HEAD": graph.revision(root)})
        graph.visit(f"https://example.org/{name}", snapshot)

    blobs = {name: graph.blob(code(name).encode()) for name in ("fine", "lost", "torn", "swapped")}
    origin("o/store", {f"{name}.py".encode(): blob for name, blob in blobs.items()})
    wish = graph.blob(b"# please leave us out\n")
    origin("o/wishes", {b".stackcurate-optout": wish, b"w.py": graph.blob(code("w").encode())})
    liar = graph.blob(BAD.encode())
    lying = graph.tree({b"LICENSE": liar, b"l.py": graph.blob(code("liar").encode())})
    snapshot = graph.snapshot({b"HEAD": graph.revision(lying)})
    graph.visit("https://example.org/o/liar", snapshot)
    bomb = graph.tree({b"leaf": blobs["fine"]})
    for _ in range(10):
        bomb = graph.tree({f"{n}".encode(): bomb for n in range(10)})
    origin("o/bomb", {b"d": bomb})
    graph.write(folder / "graph", folder / "contents")
    store = folder / "contents" / "content"

    def stored(data: bytes) -> Path:
        return store / hashlib.sha1(data).hexdigest()

    stored(code("lost").encode()).unlink()
    torn = stored(code("torn").encode())
    torn.write_bytes(torn.read_bytes()[:50])
    stored(code("swapped").encode()).write_bytes(gzip.compress(b"something else\n"))
    stored(b"# please leave us out\n").unlink()
    # the text of another license lies under the id of this one
    stored(BAD.encode()).write_bytes(gzip.compress(MIT.encode()))
    whole = (folder / "graph" / "directory_entry" / "directory_entry-0.orc").read_bytes()
    (folder / "graph" / "directory_entry" / "directory_entry-1.orc").write_bytes(whole[:200])


def cut_export(folder: Path) -> None:
    graph = Graph()
    root = graph.tree({b"a.py": graph.blob(b"print()\n")})
    graph.visit("https://example.org/cut/cut", graph.snapshot({b"HEAD": graph.revision(root)}))
    graph.write(folder / "cut")
    place = folder / "cut" / "origin_visit_status" / "origin_visit_status-0.orc"
    place.write_bytes(place.read_bytes()[:100])


def archives(folder: Path) -> None:
    folder.mkdir()
    with zipfile.ZipFile(folder / "climb.zip", "w") as made:
        made.writestr("LICENSE", MIT)
        made.writestr("../../escape.py", "import os\n")
        made.writestr("good.py", code("zipped"))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in ("LICENSE", "first.py", "second.py"):
            data = (MIT if name == "LICENSE" else code(name[:-3], 200)).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    (folder / "torn.tar.gz").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    (folder / "liar.whl").write_bytes(b"this is no zip at all")


def tables(folder: Path) -> None:
    folder.mkdir()
    table = pa.table(
        {
            "content": [f"# SPDX-License-Identifier: MIT\n{code('table')}", code("closed")],
            "path": ["t/table.py", "t/closed.py"],
            "repo_name": ["o/tables", "o/tables"],
        }
    )
    pq.write_table(table, folder / "a.parquet")
    data = (folder / "a.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(data[: len(data) // 2])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, cache) -> tuple[Site, str]:
    folder = tmp_path_factory.mktemp("hostile")
    damaged_repositories(folder / "git")
    graph_of(folder)
    cut_export(folder)
    archives(folder / "archives")
    tables(folder / "tables")
    columns = {"content": "content", "path": "path", "repo_name": "repo_name"}
    sources = [
        {"kind": "git", "path": "git"},
        {"kind": "swh_graph", "path": "graph", "contents": "contents"},
        {"kind": "swh_graph", "path": "cut", "contents": "contents"},
        {"kind": "archive", "path": "archives"},
        {"kind": "parquet", "path": "tables", "columns": columns},
    ]
    place = site(folder, sources, cache)
    said = place.run("--workers", 2)
    assert said.code == 0, said.all
    assert "Traceback" not in said.all
    return place, said.all


def by_tail(place: Site, tail: str) -> set[str]:
    return {outcome for key, outcome in place.outcomes().items() if key.endswith(tail)}


@pytest.mark.parametrize(
    ("tail", "outcomes"),
    [
        ("whole/a.py", {"kept"}),
        ("torn-blob/a.py", {"kept"}),
        ("torn-tree/a.py", {"kept"}),
        ("o/store/fine.py", {"kept"}),
        ("o/store/lost.py", {"fetch:missing"}),
        ("o/store/torn.py", {"fetch:corrupt"}),
        ("o/store/swapped.py", {"fetch:corrupt"}),
        ("/../../escape.py", {"source:unsafe_path"}),
        ("climb.zip/good.py", {"kept"}),
        ("t/table.py", {"kept"}),
        ("t/closed.py", {"header:unstated"}),
    ],
)
def test_each_file_ends_with_its_reason_and_what_is_whole_ships(hostile, tail, outcomes) -> None:
    assert by_tail(hostile[0], tail) == outcomes


def test_a_torn_git_blob_costs_itself_alone(hostile) -> None:
    (outcome,) = by_tail(hostile[0], "torn-blob/b.py")
    assert outcome == "fetch:corrupt"


def test_a_torn_git_tree_costs_what_it_held(hostile) -> None:
    (outcome,) = by_tail(hostile[0], "torn-tree/sub")
    assert outcome == "source:unreadable"


def test_ten_billion_files_are_one_row(hostile) -> None:
    rows = [
        row
        for row in hostile[0].ledger().to_pylist()
        if row["origin"] == "https://example.org/o/bomb"
    ]
    assert [(row["outcome"], row["files"]) for row in rows] == [("source:too_many_files", 1)]


def test_a_wish_that_cannot_be_read_is_taken_at_its_widest(hostile) -> None:
    rows = {
        row["path"]: row["outcome"]
        for row in hostile[0].ledger().to_pylist()
        if row["origin"] == "https://example.org/o/wishes"
    }
    assert set(rows.values()) == {"optout:repository"}


def test_a_license_text_under_the_id_of_another_is_not_believed(hostile) -> None:
    """Nor does its folder inherit: there is a license, and nobody knows what it says."""
    rows = hostile[0].ledger().to_pylist()
    said = [(r["outcome"], r["files"]) for r in rows if r["origin"].endswith("/o/liar")]
    assert said == [("license:refused", 2)]


def test_what_was_set_aside_is_named_with_a_reason(hostile) -> None:
    place, said = hostile
    problems = place.manifest()["problems"]
    told = " ".join(f"{p['where']} {p['reason']} {p['message']}" for p in problems)
    for name in ("0" * 39 + "1", "directory_entry-1.orc", "origin_visit_status", "torn.tar.gz",
                 "liar.whl", "b.parquet"):  # fmt: skip
        assert name in told, name
    assert all(one["reason"] and one["message"] for one in problems)
    assert f"{len(problems)} inputs were set aside" in said
    assert not any(str(place.config.parent) in json.dumps(one) for one in problems)


def test_a_missing_object_is_named_with_its_repository(hostile) -> None:
    place = hostile[0]
    lost = "0" * 39 + "1"
    wheres = [one["where"] for one in place.manifest()["problems"] if lost in str(one)]
    assert wheres and all(where.startswith("headless: ") for where in wheres)
    for asked in (lost, "headless"):
        for where in (place.config, place.release):
            said = call("why", asked, where)
            assert said.code == 0 and "set aside: headless: " in said.text, said.all
    said = call("status", place.config)
    assert "set aside: headless: " in said.text and lost in said.text
    said = call("why", "nowhere/nothing", place.config)
    assert said.code == 1 and "no row for such a file" in said.text


def test_the_ledger_adds_up_over_the_wreckage(hostile) -> None:
    place = hostile[0]
    counts = place.manifest()["counts"]
    outcomes = Counter()
    for row in place.ledger().select(["outcome", "files"]).to_pylist():
        outcomes[row["outcome"]] += row["files"]
    kept = outcomes.pop("kept")
    assert kept == counts["kept"]["files"] == place.files().num_rows
    assert sum(outcomes.values()) + kept == counts["listed"]["files"]


def test_verify_passes_and_strict_exits_1(hostile) -> None:
    place = hostile[0]
    assert call("verify", place.release).code == 0
    said = place.run("--strict")
    assert said.code == 1 and "verified at" in said.text, said.all


def test_nothing_to_read_at_all_is_a_mistake_of_the_config(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    said = call("run", site(tmp_path, [{"kind": "git", "path": "empty"}], None).config)
    assert said.code == 2 and "Traceback" not in said.all
    said = call("run", site(tmp_path, [{"kind": "git", "path": "nowhere"}], None).config)
    assert said.code == 2 and "nowhere" in said.err


def test_all_inputs_broken_still_gives_a_release_of_nothing(tmp_path) -> None:
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "liar.zip").write_bytes(b"no zip")
    place = site(tmp_path, [{"kind": "archive", "path": "archives"}], None)
    said = place.run("--workers", 1)
    assert said.code == 0 and "the release is empty" in said.all and "liar.zip" in said.all
    assert place.manifest()["counts"]["kept"]["files"] == 0
    assert call("verify", place.release).code == 0
