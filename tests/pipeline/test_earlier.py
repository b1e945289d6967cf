"""What an earlier release holds is dropped or marked, verified, and only what is new is hashed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from stackcurate.optout import registry as optouts
from stackcurate.optout.registry import Event
from stackcurate.optout.subjects import parse

from ..driving import Site, call, code, repository, site, tree, write_yaml

TIME = "2024-01-01T00:00:00Z"
OLD = {"equal.py": code("equal", 30), "near.py": code("near", 30), "own.py": code("own", 30)}
NEW = {
    "a/equal.py": OLD["equal.py"],
    "a/near.py": OLD["near.py"] + "\nLAST = 1\n",
    "a/fresh.py": code("fresh", 30),
    "a/nearer.py": OLD["near.py"] + "\nLAST = 2\nMORE = 3\n",
}
PREFIX = "https://github.com/"


def run(made: Site) -> Site:
    said = call("run", made.config, "--workers", 1)
    assert said.code == 0, said.all
    return made


def source(path: str) -> dict[str, Any]:
    return {"kind": "git", "path": path, "origin_prefix": PREFIX}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases of the same old repository, with and without signatures."""
    folder = tmp_path_factory.mktemp("earlier")
    repository(folder / "old/amy/tool", OLD)
    repository(folder / "new/bob/lib", NEW)
    for name, store in (("with", True), ("without", False)):
        run(site(folder / name, [source("../old")], None, dedup={"store": store}))
    return folder


def later(place: Path, name: str, against: list[Any], **dedup: Any) -> Site:
    return site(
        place / name, [source("../new")], None, version="2.0.0", dedup={"against": against, **dedup}
    )


def ledger(made: Site) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in made.ledger().to_pylist() if row["scope"] == "file"}


def names(release: Path) -> dict[str, str]:
    """{row key: path} of a release."""
    files = [pq.read_table(f, partitioning=None) for f in sorted((release / "data").rglob("*.pa*"))]
    table = pa.concat_tables(files)
    return dict(zip(table["row_key"].to_pylist(), table["path"].to_pylist(), strict=True))


def signed(place: Path, name: str) -> list[str]:
    return sorted(path.name for path in (place / name / "runs" / ".earlier").glob("*"))


@pytest.mark.parametrize("old", ["with", "without"])
def test_what_an_earlier_release_holds_is_dropped(place: Path, old: str) -> None:
    release = place / old / "releases/tiny/v1.0.0"
    made = run(later(place, f"drop-{old}", [f"../{old}/releases/tiny/v1.0.0"]))
    rows, held = ledger(made), names(release)
    assert rows["/a/equal.py"]["outcome"] == "dedup:earlier_exact"
    assert held[rows["/a/equal.py"]["kept_row_key"]] == "/equal.py"
    assert rows["/a/near.py"]["outcome"] == rows["/a/nearer.py"]["outcome"] == "dedup:earlier_near"
    assert held[rows["/a/near.py"]["kept_row_key"]] == "/near.py"
    assert 0.7 <= rows["/a/near.py"]["similarity"] < 1
    assert rows["/a/fresh.py"]["outcome"] == "kept"
    of_old = json.loads((release / "manifest.json").read_text())["release_id"]
    assert rows["/a/near.py"]["kept_in"] == of_old
    (said,) = made.manifest()["dedup"]["against"]
    assert (said["name"], said["kind"], said["exact"], said["near"]) == (
        of_old,
        "release",
        2,
        2,
    )  # the license too
    dropped = made.manifest()["counts"]["dropped"]["dedup"]
    assert {key: count["files"] for key, count in dropped.items()} == {
        "earlier_exact": 2,
        "earlier_near": 2,
    }
    assert bool(signed(place, f"drop-{old}")) == (old == "without")  # only what has no signatures
    why = call("why", "a/near.py", made.config).text
    assert re.search(rf"held by +{of_old}: {rows['/a/near.py']['kept_row_key']}, similarity 0", why)
    from_release = call("why", "a/near.py", made.release).text
    assert f"held by    {of_old}" in from_release
    assert "earlier_near" in call("report", made.config).text
    assert call("verify", made.release).code == 0
    again = call("run", made.config, "--workers", 1)
    assert again.code == 0 and "verifying" in again.all


def test_stored_and_computed_signatures_decide_alike(place: Path) -> None:
    one, two = (ledger(run(later(place, f"like-{old}", [f"../{old}/releases/tiny/v1.0.0"])))
                for old in ("with", "without"))  # fmt: skip
    assert {p: (r["outcome"], r["kept_row_key"]) for p, r in one.items()} == {
        p: (r["outcome"], r["kept_row_key"]) for p, r in two.items()
    }


def test_a_foreign_folder_is_hashed_once(place: Path) -> None:
    table = pa.table(
        {
            "nr": pa.array([5, 6, 7, 8], pa.int64()),
            "text": [OLD["near.py"], OLD["equal.py"], None, OLD["near.py"] + "\nX = 1\n"],
            "lang": ["python", "ruby", "python", "PYTHON"],
        }
    )
    (place / "foreign/part").mkdir(parents=True)
    pq.write_table(table, place / "foreign/part/one.parquet", row_group_size=2)
    columns = {"content": "text", "id": "nr", "language": "lang"}
    entry = {"path": "../foreign", "columns": columns}
    made = run(later(place, "drop-foreign", [entry]))
    rows = ledger(made)
    assert rows["/a/near.py"]["outcome"] == "dedup:earlier_near"
    assert rows["/a/near.py"]["kept_row_key"] in ("5", "8")
    assert rows["/a/near.py"]["kept_in"] == "foreign"
    # Equal texts are equal in any language.
    assert rows["/a/equal.py"]["outcome"] == "dedup:earlier_exact"
    assert rows["/a/equal.py"]["kept_row_key"] == "6"
    cached = signed(place, "drop-foreign")
    times = [p.stat().st_mtime_ns for p in (place / "drop-foreign/runs/.earlier").rglob("*.arrow")]
    shutil.rmtree(made.release)
    shutil.rmtree(made.run_folder)
    run(made)
    assert signed(place, "drop-foreign") == cached and len(cached) == 1
    assert times == [
        p.stat().st_mtime_ns for p in (place / "drop-foreign/runs/.earlier").rglob("*.arrow")
    ]
    first = tree(made.release)
    all_python = {"path": "../foreign", "columns": {"content": "text", "id": "nr"}}
    said = call("run", later(place, "no-language", [all_python]).config)
    assert said.code == 2 and "language" in said.err
    run(later(place, "one-language", [{**all_python, "language": "py"}]))
    pq.write_table(table.slice(0, 1), place / "foreign/part/one.parquet")
    said = call("run", made.config)  # other bytes under the same config
    assert said.code == 2 and "an earlier release" in said.err
    assert tree(made.release) == first


def test_marking_keeps_the_files_and_their_own_twins_apart(place: Path) -> None:
    """near.py and nearer.py are like each other: one stays, and is marked."""
    made = run(later(place, "mark", ["../with/releases/tiny/v1.0.0"], earlier="mark"))
    rows = ledger(made)
    outcomes = {path: row["outcome"] for path, row in rows.items()}
    assert outcomes["/a/equal.py"] == outcomes["/a/fresh.py"] == "kept"
    assert sorted([outcomes["/a/near.py"], outcomes["/a/nearer.py"]]) == ["dedup:near", "kept"]
    of_old = made.manifest()["dedup"]["against"][0]
    assert (of_old["exact"], of_old["near"]) == (2, 1)
    kept = next(path for path in ("/a/near.py", "/a/nearer.py") if outcomes[path] == "kept")
    other = {"/a/near.py": "/a/nearer.py", "/a/nearer.py": "/a/near.py"}[kept]
    assert rows[kept]["kept_in"] == of_old["name"] and rows[kept]["similarity"] < 1
    assert rows[other]["kept_in"] is None and rows[other]["kept_row_key"] == rows[kept]["row_key"]
    assert rows["/a/fresh.py"]["kept_in"] is None
    published = [pq.read_table(f) for f in sorted((made.release / "ledger").glob("*.parquet"))]
    marked = pa.concat_tables(published).filter(pc.field("outcome") == "kept")
    assert sorted(marked["path"].to_pylist()) == sorted(["/LICENSE", "/a/equal.py", kept])
    assert call("verify", made.release).code == 0
    assert call("why", kept, made.release).text.count("outcome ") == 1


def test_what_was_withdrawn_since_drops_nothing(place: Path) -> None:
    folder = place / "withdrawn"
    shutil.copytree(place / "with", folder / "with")
    optouts.append(
        folder / "optout.jsonl",
        [
            Event("submit", "one", TIME, parse("path", f"{PREFIX}amy/tool", "near.py"), "place"),
            Event("approve", "one", TIME),
        ],
    )
    made = site(
        folder, [source("../new")], None, version="2.0.0",
        optout={"registry": "optout.jsonl"}, dedup={"against": ["with/releases/tiny/v1.0.0"]},
    )  # fmt: skip
    rows = ledger(run(made))
    assert rows["/a/equal.py"]["outcome"] == "dedup:earlier_exact"
    kept = {rows[p]["outcome"] for p in ("/a/near.py", "/a/nearer.py")}
    assert kept == {"kept", "dedup:near"}


def test_signatures_leave_with_their_files_and_lie_like_the_data(place: Path) -> None:
    release = place / "with/releases/tiny/v1.0.0"
    shards = sorted((release / "data").rglob("*.parquet"))
    for shard in shards:
        beside = release / "signatures" / shard.relative_to(release / "data")
        keys = pq.read_table(shard, columns=["row_key"], partitioning=None)["row_key"]
        assert pq.read_table(beside, partitioning=None)["row_key"].equals(keys)
    folder = place / "patched"
    shutil.copytree(place / "with", folder)
    optouts.append(
        folder / "optout.jsonl",
        [
            Event("submit", "one", TIME, parse("path", f"{PREFIX}amy/tool", "near.py"), "place"),
            Event("approve", "one", TIME),
        ],
    )
    old = folder / "releases/tiny/v1.0.0"
    said = call("optout", "apply", old, "--registry", folder / "optout.jsonl")
    assert said.code == 0, said.all
    patch = folder / "releases/tiny/v1.0.1"
    files = pa.concat_tables(
        pq.read_table(f, partitioning=None) for f in (patch / "signatures").rglob("*.parquet")
    )
    assert sorted(files["row_key"].to_pylist()) == sorted(names(patch))
    assert "/near.py" not in names(patch).values()
    assert call("verify", patch).code == 0
    made = later(place, "against-patched", ["../patched/releases/tiny/v1.0.0"])
    said = call("run", made.config)
    assert said.code == 2 and "v1.0.1" in said.err
    made = run(later(place, "against-patch", ["../patched/releases/tiny/v1.0.1"]))
    assert ledger(made)["/a/equal.py"]["outcome"] == "dedup:earlier_exact"
    assert not ledger(made)["/a/near.py"]["outcome"].startswith("dedup:earlier")
    assert not signed(place, "against-patch")


def test_a_changed_config_is_another_matching(place: Path) -> None:
    """Signatures made with another n-gram length are of no use."""
    made = run(later(place, "ngram", ["../with/releases/tiny/v1.0.0"], ngram=4))
    assert signed(place, "ngram") and ledger(made)["/a/equal.py"]["outcome"].startswith("dedup:ear")


@pytest.mark.parametrize(
    ("against", "words"),
    [
        (["nothing here"], "is not there"),
        (["s3://bucket/old"], "not on this machine"),
        ([5], "must be a mapping"),
        ([{"path": "x", "columns": {"stars": "y"}}], "'stars' is not one of"),
        ("x", "must be a list"),
        ([{"path": "x", "language": "C", "columns": {"language": "l"}}], "not both"),
    ],
)
def test_mistakes_are_named(place: Path, tmp_path: Path, against: Any, words: str) -> None:
    made = site(tmp_path, [{"kind": "git", "path": str(place / "new")}], None)
    write_yaml(made.config, {**made.written, "dedup": {"against": against}})
    said = call("run", made.config)
    assert said.code == 2 and words in said.err, said.err


def test_it_comes_out_again_with_the_earlier_release_at_hand(place: Path, tmp_path: Path) -> None:
    made = run(later(place, "again", ["../with/releases/tiny/v1.0.0"]))
    said = call("reproduce", made.release, "--config", made.config, "--workers", 1)
    assert said.code == 0 and "byte for byte: equal" in said.text, said.all
    moved = tmp_path / "other"
    shutil.copytree(place / "again", moved / "again", ignore=shutil.ignore_patterns("runs"))
    shutil.copytree(place / "new", moved / "new")
    site_there = Site(moved / "again/config.yaml")
    said = call("reproduce", site_there.release, "--config", site_there.config, "--workers", 1)
    assert said.code == 2 and "--earlier 1=PATH" in said.err
    old = place / "with/releases/tiny/v1.0.0"
    there = ("reproduce", site_there.release, "--config", site_there.config, "--workers", 1)
    said = call(*there, "--earlier", f"1={old}")
    assert said.code == 0, said.all
    said = call(*there, "--earlier", f"1={place / 'without/releases/tiny/v1.0.0'}")
    assert said.code == 2  # another release
    shutil.copytree(old, site_there.release.parent.parent / "elder/v1.0.0")
    assert call(*there).code == 0  # found beside the release


def test_several_earlier_releases_of_several_languages(place: Path, tmp_path: Path) -> None:
    """A next version over the same source and more: all that was released once is dropped."""
    more = {"x.go": "package x\n", "e.rb": "puts 1\n", "b.py": code("b", 30)}
    repository(tmp_path / "more/carl/tool", more)
    sources = [source(str(place / "old")), source("more")]
    first = run(site(tmp_path, sources, None, dedup={"store": True}))
    assert len({*first.files()["language"].to_pylist()}) > 2
    against = ["releases/tiny/v1.0.0", str(place / "without/releases/tiny/v1.0.0")]
    write_yaml(first.config, {**first.written, "version": "2.0.0", "dedup": {"against": against}})
    rows = ledger(run(first))
    rows = {path: row for path, row in rows.items() if row["outcome"] != "choose:copy"}
    assert {row["outcome"] for row in rows.values()} == {"dedup:earlier_exact"}
    assert first.manifest()["counts"]["kept"]["files"] == 0
    held = names(tmp_path / "releases/tiny/v1.0.0")
    assert all(held[row["kept_row_key"]] == path for path, row in rows.items())
    assert call("verify", first.release).code == 0 and call("report", first.config).code == 0


def test_entries_have_names_of_their_own(place: Path) -> None:
    release = "../with/releases/tiny/v1.0.0"
    said = call("run", later(place, "twice", [release, release]).config)
    assert said.code == 2 and "two entries are called tiny-v1.0.0" in said.err
