"""Forks, mirrors and vendored copies are told from strangers with equal licenses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stackcurate.optout import registry as optouts
from stackcurate.optout.registry import Event
from stackcurate.optout.subjects import parse

from ..driving import Site, assert_same_bytes, call, code, git, repository, site

PREFIX = "https://github.com/"
PROJECT = {f"src/part{n}.py": code(f"project {n}") for n in range(20)}
BOILERPLATE = {".gitignore": "*.pyc\n", "tox.ini": "[tox]\n", "setup.cfg": "[metadata]\n"}
TIME = "2024-01-01T00:00:00Z"


def own(name: str, count: int) -> dict[str, str]:
    return {f"{name}/own{n}.py": code(f"{name} {n}") for n in range(count)}


def commit(folder: Path, files: Mapping[str, str | None], message: str) -> None:
    """Write (or remove, for None) and commit."""
    for name, text in files.items():
        place = folder / name
        if text is None:
            place.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def clone(source: Path, target: Path, *options: str) -> Path:
    git(source.parent, "clone", "-q", *options, source.as_uri(), str(target))
    git(target, "remote", "remove", "origin")
    return target


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forks") / "git"
    upstream = repository(folder / "a/upstream", {**PROJECT, **BOILERPLATE})
    commit(upstream, {"src/late.py": code("late")}, "late")
    fork = clone(upstream, folder / "b/fork")
    commit(fork, {"src/part3.py": code("patched"), "src/extra.py": code("extra")}, "own way")
    hard = clone(upstream, folder / "c/hard-fork")
    every = {name: None for name in git(hard, "ls-files").split("\n")}
    commit(hard, {**every, **own("hard", 12)}, "rewritten")
    behind = clone(upstream, folder / "d/mirror-behind")
    git(behind, "reset", "-q", "--hard", "HEAD~1")
    some = {name: text for name, text in list(PROJECT.items())[:17]}
    repository(folder / "e/copied", {**some, **own("copied", 2)})
    vendored = {f"third_party/{name}": text for name, text in PROJECT.items()}
    vendored |= {"third_party/src/late.py": code("late")}
    repository(folder / "f/app", {**vendored, **own("app", 60), **BOILERPLATE})
    merged = repository(folder / "g/merged", own("merged", 30))
    git(merged, "fetch", "-q", str(upstream))
    git(merged, "merge", "-q", "-s", "ours", "--allow-unrelated-histories", "FETCH_HEAD", "-m", "m")
    for name in ("h/stranger", "i/stranger"):
        repository(folder / name, {**BOILERPLATE, **own(name[0], 9)})
        commit(folder / name, {"second.py": code(name[0] + " second")}, "second")
    clone(folder / "h/stranger", folder / "j/shallow", "--depth", "1")
    commit(folder / "j/shallow", {"more.py": code("more")}, "on a shallow clone")
    return folder


def built(repositories: Path, place: Path, *options: Any, **more: Any) -> Site:
    source = {"kind": "git", "path": str(repositories), "origin_prefix": PREFIX}
    # Near-dedup is not what is looked at.
    stages = ["optout", "license", "choose", "fetch"]
    made = site(place, [source], None, stages=stages, **more)
    said = call("run", made.config, *options)
    assert said.code == 0, said.all
    return made


def related(made: Site) -> dict[tuple[str, str], tuple[str, bool]]:
    rows = pq.read_table(made.release / "origin_groups.parquet").to_pylist()
    names = [(r["origin"].removeprefix(PREFIX), r["of_origin"].removeprefix(PREFIX)) for r in rows]
    return {
        name: (row["relation"], row["collapsed"]) for name, row in zip(names, rows, strict=True)
    }


EXPECTED = {
    ("b/fork", "a/upstream"): "ancestry",
    ("c/hard-fork", "a/upstream"): "ancestry",
    ("d/mirror-behind", "a/upstream"): "ancestry",
    ("e/copied", "a/upstream"): "content",
    ("a/upstream", "f/app"): "vendored",
    ("b/fork", "f/app"): "vendored",
    ("d/mirror-behind", "f/app"): "vendored",
    ("e/copied", "f/app"): "vendored",
    ("j/shallow", "h/stranger"): "content",
}


@pytest.fixture(scope="module")
def kept(repositories: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return built(repositories, tmp_path_factory.mktemp("kept"), "--workers", 1)


def test_relations_are_told_and_nothing_is_dropped(kept: Site) -> None:
    assert related(kept) == {pair: (relation, False) for pair, relation in EXPECTED.items()}
    assert kept.manifest()["forks"] == {"ancestry": 3, "content": 2, "vendored": 4}
    assert not any(outcome == "choose:fork" for outcome in kept.outcomes().values())
    report = call("report", kept.config).text
    assert "Related repositories" in report and "ancestry" in report
    rows = pq.read_table(kept.release / "origin_groups.parquet").to_pylist()
    hard = next(row for row in rows if row["origin"].endswith("hard-fork"))
    assert hard["shared"] is None  # not one file
    fork = next(row for row in rows if row["origin"].endswith("b/fork"))
    assert 0.8 < fork["shared"] < 1 and 0.8 < fork["shared_back"] < 1


def test_first_revisions(kept: Site) -> None:
    rows = pq.read_table(kept.release / "repositories.parquet").to_pylist()
    first = {row["repo_name"]: row["first_revision"] for row in rows}
    family = {first[name] for name in ("a/upstream", "b/fork", "c/hard-fork", "d/mirror-behind")}
    assert len(family) == 1 and None not in family
    assert first["j/shallow"] is None
    assert first["g/merged"] not in family and first["h/stranger"] != first["i/stranger"]


def test_a_family_collapses_to_its_best(repositories: Path, tmp_path: Path) -> None:
    made = built(repositories, tmp_path, "--workers", 1, choose={"forks": "collapse"})
    expected = {pair: (relation, relation != "vendored") for pair, relation in EXPECTED.items()}
    assert related(made) == expected
    files = made.files()
    origins = {one.removeprefix(PREFIX) for one in files["origin"].to_pylist()}
    assert origins == {"a/upstream", "f/app", "g/merged", "h/stranger", "i/stranger"}
    assert call("verify", made.release).code == 0
    rows = pq.read_table(made.release / "repositories.parquet").to_pylist()
    outcome = {row["repo_name"]: row["outcome"] for row in rows}
    assert outcome["c/hard-fork"] == "choose:fork" and outcome["a/upstream"] == "kept"
    dropped = made.manifest()["counts"]["dropped"]["choose"]["fork"]["files"]
    whole = [row for row in made.ledger().to_pylist() if row["outcome"] == "choose:fork"]
    assert sum(row["files"] for row in whole) == dropped > 50
    assert {row["scope"] for row in whole} == {"origin"}
    assert "fork or copy of another" in call("why", "c/hard-fork", made.config).text


def test_equal_on_any_number_of_workers_and_partitions(
    repositories: Path, kept: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = built(repositories, tmp_path / "two", "--workers", 2)
    assert_same_bytes(kept.release, two.release)
    monkeypatch.setattr("stackcurate.pipeline.forks.TARGET_ROWS", 20)
    monkeypatch.setattr("stackcurate.pipeline.listing.PARTITION_ROWS", 30)
    monkeypatch.setattr("stackcurate.pipeline.roots.GROUP_CONTAINERS", 2)
    many = built(repositories, tmp_path / "many", "--workers", 1)
    assert related(many) == related(kept)


def test_who_withdrew_is_no_ones_relation(repositories: Path, tmp_path: Path) -> None:
    subject = parse("origin", f"{PREFIX}a/upstream")
    optouts.append(
        tmp_path / "optout.jsonl",
        [Event("submit", "one", TIME, subject, "place"), Event("approve", "one", TIME)],
    )
    made = built(
        repositories, tmp_path, "--workers", 1, optout={"registry": "optout.jsonl"},
        choose={"forks": "collapse"},
    )  # fmt: skip
    found = related(made)
    assert ("c/hard-fork", "b/fork") in found and ("e/copied", "b/fork") in found
    assert not any("a/upstream" in pair for pair in found)


def test_a_control_file_withdraws_from_families_too(repositories: Path, tmp_path: Path) -> None:
    for name in ("a/upstream", "b/fork"):
        clone(repositories / name, tmp_path / "git" / name)
    commit(tmp_path / "git/a/upstream", {".stackcurate-optout": ""}, "leave")
    made = built(tmp_path / "git", tmp_path, "--workers", 1, choose={"forks": "collapse"})
    assert related(made) == {}
    assert "b/fork" in {one.removeprefix(PREFIX) for one in made.files()["origin"].to_pylist()}


def test_ignored(repositories: Path, tmp_path: Path) -> None:
    made = built(repositories, tmp_path, "--workers", 1, choose={"forks": "ignore"})
    assert related(made) == {} and made.manifest()["forks"] == {}
