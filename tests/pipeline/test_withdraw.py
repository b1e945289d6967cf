"""A patch release holds nothing withdrawn and changes nothing else; undone, the files come back."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stackcurate.errors import ConfigError, IntegrityError, StopError
from stackcurate.optout import registry as r
from stackcurate.optout import tombstones
from stackcurate.optout.subjects import Subject, parse
from stackcurate.pipeline.release import withdrawn_in
from stackcurate.pipeline.withdraw import record, withdraw
from stackcurate.releases.verify import verify

from ..driving import MIT, Site, call, code, repository, site, tree

NOW = "2026-05-01T00:00:0{}Z"
SHARED = code("shared by two")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Site:
    """Three repositories: alice and bob hold one equal file, carol's are like nobody's."""
    place = tmp_path_factory.mktemp("withdraw")
    repository(
        place / "git/alice/tool",
        {
            "a.py": code("alice one"),
            "docs/b.py": code("alice two"),
            "shared.py": SHARED,
            "x.go": "package x\n",
        },
    )
    repository(
        place / "git/bob/lib", {"copy.py": SHARED, "c.py": code("bob")}, MIT.replace("2020", "2021")
    )
    repository(
        place / "git/carol/site",
        {"d.py": code("carol"), "e.rb": "puts 1\n"},
        MIT.replace("2020", "2022"),
    )
    source = {"kind": "git", "path": "git", "origin_prefix": "https://github.com/"}
    made = site(place, [source], None, optout={"registry": "optout.jsonl"})
    (place / "optout.jsonl").write_text("")
    said = call("run", made.config, "--workers", 1)
    assert said.code == 0, said.all
    assert made.files().num_rows >= 7
    return made


@dataclass
class Desk:
    site: Site
    registry: Path
    turn: int = 0

    def approve(self, id_: str, subject: Subject, reach: str = "place") -> r.Registry:
        self.turn += 1
        now = NOW.format(self.turn)
        submit = r.Event("submit", id_, now, subject, reach)
        r.append(self.registry, [submit, r.Event("approve", id_, now)])
        return r.read(self.registry)

    def apply(self, release: Path | None = None):
        state = r.read(self.registry)
        patch = withdraw(release or self.site.release, state, self.site.run_folder)
        return patch, record(self.registry, patch, state, NOW.format(9))


@pytest.fixture
def desk(built, tmp_path) -> Desk:
    place = tmp_path / "site"
    shutil.copytree(built.config.parent, place)
    return Desk(Site(place / "config.yaml"), place / "optout.jsonl")


def rows(release: Path) -> dict:
    """{row key: the whole row} of a release."""
    parts = sorted((release / "data").rglob("*.parquet"))
    return {
        row["row_key"]: row
        for part in parts
        for row in pq.read_table(part, partitioning=None).to_pylist()
    }


def passes(release: Path, registry: Path) -> bool:
    return verify(release, withdrawn=withdrawn_in(r.read(registry))).passed


def test_only_what_was_withdrawn_leaves_and_every_other_row_is_the_same(desk) -> None:
    desk.approve("one", parse("repository", "github.com/alice/tool"))
    patch, _ = desk.apply()
    before, after = rows(desk.site.release), rows(patch.release)
    gone = {key for key, row in before.items() if row["origin"] == "https://github.com/alice/tool"}
    assert gone and after == {key: row for key, row in before.items() if key not in gone}
    assert patch.files == len(gone) and patch.release.name == "v1.0.1"
    assert passes(patch.release, desk.registry)
    # its license text, which nobody else's file rests on, goes with it
    told = pq.read_table(patch.release / "texts.parquet")["content_id"].to_pylist()
    held = pq.read_table(desk.site.release / "texts.parquet")["content_id"].to_pylist()
    assert 0 < len(told) < len(held) and set(told) <= set(held)
    for name, digest in tree(patch.release).items():
        assert b"alice" not in (patch.release / name).read_bytes() or name == "manifest.json", name
        if name.startswith("data/Ruby/"):
            assert tree(desk.site.release)[name] == digest
            assert (desk.site.release / name).stat().st_ino == (patch.release / name).stat().st_ino


def test_counts_move_and_still_add_up(desk) -> None:
    desk.approve("one", parse("owner", "github.com/alice"))
    patch, _ = desk.apply()
    old, new = desk.site.manifest()["counts"], patch.manifest["counts"]
    moved = new["dropped"]["optout"]["owner"]["files"]
    assert new["listed"] == old["listed"] and new["sources"].keys() == old["sources"].keys()
    assert new["kept"]["files"] == old["kept"]["files"] - patch.files
    copies = old["dropped"].get("choose", {}).get("copy", {"files": 0})["files"]
    left = new["dropped"].get("choose", {}).get("copy", {"files": 0})["files"]
    assert moved == patch.files + copies - left
    assert patch.manifest["previous"]["version"] == "1.0.0"
    assert patch.manifest["optout"]["patch"] == {
        "of": "1.0.0",
        "files": patch.files,
        "repositories": 1,
    }
    text = (patch.release / "CHANGELOG.md").read_text()
    assert "## 1.0.1" in text and "alice" not in text


def test_the_same_patch_has_the_same_bytes(desk, tmp_path) -> None:
    state = desk.approve("one", parse("path", "github.com/alice/tool", "docs/"))
    again = tmp_path / "again/tiny/v1.0.0"
    shutil.copytree(desk.site.release, again)
    first = withdraw(desk.site.release, state)
    second = withdraw(again, state)
    assert tree(first.release) == tree(second.release)
    assert first.files == 1


def test_place_leaves_equal_contents_elsewhere_and_copies_takes_them(desk) -> None:
    keeper = next(row for row in rows(desk.site.release).values() if row["content"] == SHARED)
    other = "bob/lib" if "alice" in keeper["origin"] else "alice/tool"
    desk.approve("place", parse("repository", f"github.com/{other}"))
    patch, made = desk.apply()
    assert keeper["row_key"] in rows(patch.release)
    stayed = [one for one in made[0]["stayed"] if keeper["origin"] in one["names"]]
    assert stayed and "same contents" in stayed[0]["why"]

    desk.approve("copies", parse("repository", f"github.com/{other}"), "copies")
    second, made = desk.apply(patch.release)
    assert keeper["row_key"] not in rows(second.release)
    assert second.release.name == "v1.0.2" and passes(second.release, desk.registry)
    assert "copies" in {one["request"] for one in made}


def test_what_lost_to_a_withdrawn_file_stays_out_and_no_longer_names_it(desk) -> None:
    keeper = next(row for row in rows(desk.site.release).values() if row["content"] == SHARED)
    desk.approve("one", parse("origin", keeper["origin"]))
    patch, made = desk.apply()
    assert SHARED not in {row["content"] for row in rows(patch.release).values()}
    ledger = [
        row
        for part in sorted((patch.release / "ledger").glob("*.parquet"))
        for row in pq.read_table(part).to_pylist()
    ]
    orphans = [row for row in ledger if row["note"]]
    assert orphans and all(row["kept_row_key"] is None for row in orphans)
    assert not [row for row in ledger if row["kept_row_key"] == keeper["row_key"]]
    assert any("a later full run can" in one["why"] for one in made[0]["stayed"])


def test_nothing_to_withdraw_is_said_and_nothing_is_written(desk) -> None:
    state = desk.approve("one", parse("owner", "github.com/nobody"))
    with pytest.raises(ConfigError, match="nothing to patch"):
        withdraw(desk.site.release, state)
    assert [one.name for one in desk.site.release.parent.iterdir()] == ["v1.0.0"]


def test_a_damaged_release_is_not_built_upon(desk) -> None:
    state = desk.approve("one", parse("repository", "github.com/alice/tool"))
    shard = next((desk.site.release / "data/Ruby").glob("*.parquet"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises((IntegrityError, StopError)):
        withdraw(desk.site.release, state)
    assert not (desk.site.release.parent / "v1.0.1").exists()


def test_tombstones_keep_contents_out_when_their_place_is_gone(desk) -> None:
    """Alice asks for all copies; her repository vanishes; bob's copy does not come back."""
    desk.approve("copies", parse("repository", "github.com/alice/tool"), "copies")
    patch, _ = desk.apply()
    listed = (patch.release / "tombstones.jsonl").read_text()
    salt = json.loads(listed.splitlines()[0])["salt"]
    shared = next(row for row in rows(desk.site.release).values() if row["content"] == SHARED)
    assert tombstones.stone(salt, "content", shared["content_id"]).hex() in listed
    assert shared["content_id"] not in listed

    shutil.rmtree(desk.site.config.parent / "git/alice")
    built = desk.site.change(version="1.1.0")
    said = call("run", built.config, "--workers", 1)
    assert said.code == 0, said.all
    assert SHARED not in {row["content"] for row in rows(built.release).values()}
    assert built.outcomes()["https://github.com/bob/lib/copy.py"] == "optout:copies"

    r.append(desk.registry, [r.Event("undo", "copies", NOW.format(9))])
    again = desk.site.change(version="1.2.0")
    said = call("run", again.config, "--workers", 1)
    assert said.code == 0, said.all
    assert SHARED in {row["content"] for row in rows(again.release).values()}


def test_lost_or_altered_tombstones_are_noticed(desk) -> None:
    desk.approve("copies", parse("repository", "github.com/alice/tool"), "copies")
    desk.apply()
    (kept,) = tombstones.folder(desk.registry).glob("*.jsonl")
    kept.write_text(kept.read_text() + "\n")
    with pytest.raises(IntegrityError, match="tombstones"):
        r.read(desk.registry)
