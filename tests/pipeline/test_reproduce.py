"""A release comes out of its manifest again, the same bytes anywhere; never what was withdrawn."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate import config as configs
from stackcurate.errors import ConfigError
from stackcurate.optout import registry as optouts
from stackcurate.optout.registry import Event
from stackcurate.optout.subjects import parse
from stackcurate.pipeline.reproduce import (
    Reproduction,
    _by_bytes,
    _by_rows,
    _causes,
    _Plan,
    registry_of,
)
from stackcurate.pipeline.withdraw import withdraw
from stackcurate.releases.diff import diff
from stackcurate.releases.manifest import canonical, read_manifest, sums
from stackcurate.releases.writer import write_table

from ..driving import Site, call, code, git, repository, site, stackcurate

TIME = "2024-01-01T00:00:00Z"
SECRET = "only_in_the_withdrawn_repository"


def origin(folder: Path, url: str) -> None:
    git(folder, "remote", "add", "origin", url)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Site:
    """Three repositories; what `zed` holds is at better places in `amy`, who will withdraw."""
    place = tmp_path_factory.mktemp("tiny")
    shared, own = code("shared"), code(SECRET)
    near = code("near", 30)
    for name, files in {
        "amy": {"shared.py": shared, "own.py": own, "near.py": near},
        "zed": {"shared.py": shared, "near.py": near + "\nLAST = 1\n"},
        "other": {"plain.py": code("plain")},
    }.items():
        origin(repository(place / "git" / name, files), f"https://example.org/{name}/code")
    register(place / "optout.jsonl", "first", "https://example.org/nobody")
    registry = {"registry": "optout.jsonl"}
    return site(place, [{"kind": "git", "path": "git"}], cache, optout=registry).built()


def register(path: Path, name: str, owner: str) -> None:
    submit = Event("submit", name, TIME, parse("owner", owner), "place")
    optouts.append(path, [submit, Event("approve", name, TIME)])


def copy_of(made: Site, folder: Path) -> Site:
    """The site elsewhere, release and all."""
    shutil.copytree(made.config.parent, folder, ignore=shutil.ignore_patterns("runs"))
    return replace(made, config=folder / made.config.name)


def reproduced(made: Site, *options: Any) -> tuple[int, dict[str, Any]]:
    said = call("reproduce", made.release, "--config", made.config, "--json", *options)
    return said.code, json.loads(said.out) if said.out else {"said": said.err}


def rewrite(
    release: Path,
    manifest: Callable[[dict[str, Any]], None] = lambda manifest: None,
    table: Callable[[pa.Table], pa.Table] = lambda table: table,
) -> None:
    """A release as whole as the first: manifest and data changed, digests made right."""
    stated = read_manifest(release)
    for entry in stated["files"]:
        path = release / entry["path"]
        if entry["path"].startswith("data/"):
            path.chmod(0o644)
            write_table(path, table(pq.read_table(path, partitioning=None)))
            data = path.read_bytes()
            entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest(stated)
    (release / "manifest.json").write_bytes(canonical(stated))
    digests = {entry["path"]: entry["sha256"] for entry in stated["files"]}
    digests["manifest.json"] = hashlib.sha256((release / "manifest.json").read_bytes()).hexdigest()
    (release / "SHA256SUMS").write_bytes(sums(digests))


def tools(**versions: str) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest["tools"].update(
        {name.replace("_", "-"): version for name, version in versions.items()}
    )


def test_the_sample_comes_out_equal_elsewhere_under_another_sky(
    sample: Any, tmp_path: Path
) -> None:
    said = stackcurate(
        "reproduce", sample.release, "--config", sample.site.config, "--workers", 1,
        "--out", tmp_path / "other place",
        env={"LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7"}, umask=0o077,
    )  # fmt: skip
    assert said.code == 0, said.all
    assert "byte for byte: equal" in said.text
    assert "note" not in said.text  # the previous release stands beside it: all is compared


def test_equal_bytes_whatever_was_decided_since_about_others(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    later = Event("submit", "later", TIME, parse("owner", "https://example.org/amy"), "place")
    optouts.append(made.config.parent / "optout.jsonl", [later])  # pending: not approved
    found = reproduced(made, "--out", tmp_path / "out")
    assert (found[0], found[1]["by"], found[1]["different"]) == (0, "bytes", {})
    assert reproduced(made, "--out", tmp_path / "out")[0] == 2  # not empty any more


def test_what_was_withdrawn_since_is_never_written_and_counted(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    register(made.config.parent / "optout.jsonl", "second", "https://example.org/amy")
    status, found = reproduced(made, "--out", tmp_path / "out")
    assert (status, found["by"], found["different"]) == (0, "rows", {})
    # amy's files go; zed's copy and near duplicate come in their place
    held = [row for row in tiny.files().to_pylist() if row["origin"].endswith("amy/code")]
    assert found["withdrawn"] == len(held) >= 3
    assert found["replaced"] == 3
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    rows = pq.read_table(next(Path(found["folder"]).glob("data/Python/*.parquet")))
    assert {"https://example.org/zed/code"} <= set(rows["origin"].to_pylist())


def test_a_patch_is_told_by_rows_and_its_diff_names_nobody(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    registry = made.config.parent / "optout.jsonl"
    register(registry, "second", "https://example.org/amy")
    patch = withdraw(made.release, optouts.read(registry)).release
    told = diff(made.release, patch)
    assert {(one["kind"], one["cause"]) for one in told.counts} == {("removed", "optout")}
    assert "amy" not in json.dumps(told.plain())
    said = call("reproduce", patch, "--config", made.config, "--json")
    found = json.loads(said.out)
    assert (said.code, found["by"], found["different"], found["withdrawn"]) == (0, "rows", {}, 0)
    assert found["replaced"] == 3  # what the patch could not bring back, a full run does


def compared(
    then: Site, now: Site, environment: Sequence[tuple[str, str, str]] = (), since: bool = False
) -> Reproduction:
    """The comparison alone, of the release of ``then`` with a run that left the one of ``now``."""
    registry = optouts.read(now.config.parent / "optout.jsonl")
    config = configs.load(now.config)
    plan = _Plan(then.manifest(), config, registry, since, tuple(environment))
    return (_by_rows if plan.by_rows else _by_bytes)(plan, then.release, now.release)


def filled(column: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    """Every row with another value in one column."""

    def change(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index(column)
        values = pa.array([value] * table.num_rows, table.schema.field(at).type)
        return table.set_column(at, table.field(at), values)

    return change


def test_rows_that_nobody_explains_are_a_difference(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    rewrite(made.release, table=lambda table: table.slice(0, 0))
    rows = tiny.files().num_rows
    assert compared(made, tiny, since=True).different == {"rows that came": rows}
    assert compared(tiny, made, since=True).different == {"rows that went": rows}
    assert not compared(tiny, made, since=True).equal


def test_other_libraries_move_the_comparison_to_rows(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    rewrite(made.release, tools(pyarrow="1.0.0"))
    status, found = reproduced(made)
    assert (status, found["by"], found["compared"]) == (0, "rows", tiny.files().num_rows)
    assert [one[:2] for one in found["environment"]] == [["pyarrow", "1.0.0"]]
    assert found["causes"] == []  # nothing differs


def test_the_library_that_fills_a_column_is_named(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    rewrite(made.release, table=filled("license_expression", "ISC"))
    environment = [("pyarrow", "1", "2"), ("scancode-toolkit", "31", "32")]
    found = compared(made, tiny, environment)
    assert (found.by, found.different) == ("rows", {"license_expression": tiny.files().num_rows})
    assert found.causes == ("scancode-toolkit 31 → 32",)


def test_other_bytes_in_the_same_environment_are_a_difference(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    rewrite(made.release, table=filled("star_events_count", 3))
    found = compared(made, tiny)
    assert found.by == "bytes" and not found.equal
    assert {"manifest.json", "data/Python/train-00000-of-00001.parquet"} <= set(found.different)
    assert any("star_events_count" in note for note in found.notes)


def test_what_cannot_be_told_says_why(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    (made.config.parent / "git").rename(made.config.parent / "moved")
    said = call("reproduce", made.release, "--config", made.config)
    assert said.code == 2 and "--source 1=PATH" in said.err
    elsewhere = made.config.parent / "moved"
    (elsewhere / "other" / "plain.py").write_text("changed = 1\n")
    git(elsewhere / "other", "commit", "-qam", "more")
    repository(elsewhere / "new", {"a.py": code("new")})
    source = f"1={elsewhere}"
    said = call("reproduce", made.release, "--config", made.config, "--source", source)
    assert said.code == 2
    assert "source 1, new: not part of it; source 1, other: changed" in said.err
    for wrong in ("2=x", "x=1", "1="):
        said = call("reproduce", made.release, "--config", made.config, "--source", wrong)
        assert said.code == 2 and "--source" in said.err
    assert call("reproduce", tmp_path).code == 2


def test_a_damaged_release_and_a_foreign_registry(tiny: Site, tmp_path: Path) -> None:
    made = copy_of(tiny, tmp_path / "copy")
    foreign = tmp_path / "foreign.jsonl"
    register(foreign, "x", "https://example.org/somebody")
    status, found = reproduced(made, "--registry", foreign)
    assert status == 2 and "not the registry" in found["said"]
    (made.release / "README.md").write_text("changed")
    assert reproduced(made)[0] == 3


def test_the_registry_of_then_with_the_approvals_since(tmp_path: Path) -> None:
    path, copy = tmp_path / "now.jsonl", tmp_path / "copy" / "optout.jsonl"
    for name in ("kept", "undone"):
        register(path, name, f"https://example.org/{name}")
    waiting = Event("submit", "waiting", TIME, parse("owner", "https://example.org/w"), "place")
    head = optouts.append(path, [waiting]).head
    before = path.read_bytes()
    assert registry_of(path, head, copy) == (optouts.read(path), False)
    assert copy.read_bytes() == before
    optouts.append(path, [Event("undo", "undone", TIME), Event("approve", "waiting", TIME)])
    register(path, "new", "https://example.org/new")
    state, since = registry_of(path, head, tmp_path / "2" / "optout.jsonl")
    assert since
    # what was undone since stays withdrawn, as the release has it
    assert {one.id for one in state.approved()} == {"kept", "undone", "waiting", "new"}
    state, _ = registry_of(path, None, tmp_path / "3" / "optout.jsonl")
    assert {one.id for one in state.approved()} == {"kept", "waiting", "new"}
    with pytest.raises(ConfigError, match="not the registry"):
        registry_of(path, "ab" * 32, tmp_path / "4" / "optout.jsonl")


def test_causes_are_what_can_have_filled_the_column() -> None:
    changed = [("numpy", "1", "2"), ("phonenumbers", "8", "9"), ("table redactions.yaml", "a", "b")]
    assert _causes(changed, {"text_sha256": 1}) == (
        "phonenumbers 8 → 9",
        "table redactions.yaml a → b",
    )
    assert _causes(changed[:2], {"num_lines": 1}) == ("numpy 1 → 2", "phonenumbers 8 → 9")
    assert _causes(changed[:1], {"rows that came": 1}) == ("numpy 1 → 2",)
    assert _causes(changed, {}) == ()


def test_the_answer_in_words() -> None:
    found = Reproduction(
        "x-v1.0.0-0", Path("y"), "rows", 1234, {f"c{n}": n for n in range(25)}, 3, 2,
        (("numpy", "1", "2"),), ("numpy 1 → 2",), ("a note",),
    )  # fmt: skip
    text = found.text()
    assert text.startswith("x-v1.0.0-0: 1,234 rows, column by column: DIFFERENT\n")
    assert "3 rows were withdrawn since and are absent; 2 came or went" in text
    assert "… and 5 more" in text and "then 1, now 2: numpy" in text
