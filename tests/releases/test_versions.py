"""A version number says what changed; a number that says less is refused with the right one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stackcurate import config as configs
from stackcurate.errors import ConfigError
from stackcurate.releases.versions import (
    changes,
    check_version,
    find,
    latest,
    list_releases,
    needed,
    policy,
)

from ..driving import TOP, call

INPUTS = [
    {"source": 0, "kind": "git", "key": "a.git", "digest": "1", "snapshots": []},
    {"source": 0, "kind": "git", "key": "b.git", "digest": "2", "snapshots": ["s"]},
]
OLD: dict[str, Any] = {
    "name": "x",
    "version": "1.4.2",
    "schema": {"digest": "s"},
    "config": {"sources": [{"kind": "git", "path": "old/place"}], "license": {}},
    "tables": {"licenses.json": "l", "redactions.yaml": "r"},
    "tools": {"stackcurate": "0.3.1", "numpy": "2.0.0", "scancode-toolkit": "32.5.0"},
    "optout": {"head": "h", "undone": 1},
    "inputs": INPUTS,
}
SOURCE = OLD["config"]["sources"][0]


def tools(**other: str) -> dict[str, Any]:
    return {"tools": OLD["tools"] | {k.replace("_", "-"): v for k, v in other.items()}}


def config(**other: Any) -> dict[str, Any]:
    return {"config": OLD["config"] | other}


@pytest.mark.parametrize(
    ("new", "level"),
    [
        # only withdrawn
        ({}, "patch"),
        ({"optout": {"head": "i", "undone": 1}}, "patch"),
        # what names, describes or lays out is not content
        (
            config(title="T", notes="n", release={"shard_bytes": 5}, optout={"registry": "q"}),
            "patch",
        ),
        (config(sources=[SOURCE | {"path": "new/place"}]), "patch"),
        # a default written out is no change of policy
        (config(license={"policy": "permissive"}, fetch={"max_bytes": 10485760}), "patch"),
        (config(filter=None, language={"keep": []}), "patch"),
        # libraries that move rows, and a patch of the tool itself
        (tools(numpy="2.4.0", stackcurate="0.3.9"), "patch"),
        # other inputs, or files that come back
        ({"inputs": INPUTS[:1]}, "minor"),
        ({"inputs": [*INPUTS, {**INPUTS[0], "key": "c.git"}]}, "minor"),
        ({"inputs": [INPUTS[0] | {"digest": "9"}, INPUTS[1]]}, "minor"),
        (config(sources=[SOURCE | {"branch": "main"}]), "minor"),
        (config(repositories="facts.parquet"), "minor"),
        ({"optout": {"head": "i", "undone": 2}}, "minor"),
        # schema, policy, detectors
        ({"schema": {"digest": "t"}}, "major"),
        (config(license={"policy": "open_source"}), "major"),
        (config(language={"keep": ["C"]}), "major"),
        (config(stages=["optout", "choose", "fetch"]), "major"),
        (config(dedup={"option of another version": 1}), "major"),
        ({"tables": {"licenses.json": "l", "redactions.yaml": "q"}}, "major"),
        ({"tables": {"licenses.json": "l"}}, "major"),
        (tools(stackcurate="0.4.0"), "major"),
        (tools(scancode_toolkit="32.6.0"), "major"),
        ({"schema": {"digest": "t"}, "inputs": INPUTS[:1]}, "major"),
    ],
)
def test_the_least_step(new: dict[str, Any], level: str) -> None:
    assert needed(OLD, OLD | new).level == level
    assert bool(needed(OLD, OLD | new).reasons) == (level != "patch")


@pytest.mark.parametrize(
    ("new", "refused", "taken"),
    [
        ({}, ["1.4.2", "1.4.1", "0.9.9"], ["1.4.3", "1.4.9", "1.5.0", "2.0.0"]),
        ({"inputs": []}, ["1.4.3", "1.4.99"], ["1.5.0", "1.7.1", "2.0.0"]),
        ({"schema": {"digest": "t"}}, ["1.4.3", "1.5.0", "1.99.0"], ["2.0.0", "3.1.4"]),
    ],
)
def test_a_number_that_says_less_is_refused(
    new: dict[str, Any], refused: list[str], taken: list[str]
) -> None:
    for version in taken:
        check_version(OLD, OLD | new | {"version": version})
    for version in refused:
        with pytest.raises(ConfigError, match=f"Set `version: {taken[0]}`"):
            check_version(OLD, OLD | new | {"version": version})


def test_the_refusal_says_why_and_other_names_are_other_things() -> None:
    new = OLD | {"tables": {**OLD["tables"], "redactions.yaml": "q"}, "version": "1.5.0"}
    with pytest.raises(ConfigError, match=r"a major step: the table redactions\.yaml changed"):
        check_version(OLD, new)
    check_version(OLD, new | {"name": "y", "version": "0.1.0"})


def test_the_order_of_inputs_and_sources_is_no_change() -> None:
    turned = [one | {"source": 5} for one in reversed(INPUTS)]
    assert changes(OLD, OLD | {"inputs": turned}) == changes(OLD, OLD)


def test_every_policy_is_read_as_the_config_reads_it() -> None:
    config = configs.load(TOP / "configs" / "v2.1.yaml")
    manifest = {"config": json.loads(json.dumps(config.facts()))}
    for name in ("license", "fetch", "language", "filter", "redact", "dedup"):
        assert policy(manifest, name) == getattr(config, name)
    assert tuple(policy(manifest, "stages")) == config.stages


def test_the_sample_configs_take_a_minor_step() -> None:
    old, new = (
        OLD | {"config": configs.load(TOP / "configs" / name).facts()}
        for name in ("v2.0.yaml", "v2.1.yaml")
    )
    assert needed(old, new).level == "minor"


def folder_of(release: Path, folder: Path, *versions: str) -> Path:
    for version in versions:
        place = shutil.copytree(release, folder / "stack-test" / f"v{version}")
        manifest = json.loads((place / "manifest.json").read_text())
        (place / "manifest.json").write_text(json.dumps(manifest | {"version": version}))
    return folder


def test_releases_are_listed_by_number(release: Path, tmp_path: Path) -> None:
    folder = folder_of(release, tmp_path, "1.10.0", "1.9.0", "1.2.3")
    (folder / "stack-test" / ".v9.0.0.staging").mkdir()
    (folder / "stack-test" / "v9.0.0").mkdir()  # no manifest: not a release
    (folder / "note.txt").write_text("")
    assert [one.version for one in list_releases(folder)] == ["1.2.3", "1.9.0", "1.10.0"]
    assert latest(folder, "stack-test").version == "1.10.0"
    assert find(folder, "stack-test", "v1.9.0")[1]["version"] == "1.9.0"
    assert list_releases(folder, "other") == []
    for mistake in (
        lambda: find(folder, "stack-test", "3.0.0"),
        lambda: find(folder, "stack-test", "three"),
        lambda: latest(folder, "other"),
        lambda: list_releases(folder / "absent"),
    ):
        with pytest.raises(ConfigError):
            mistake()


def test_the_commands(release: Path, tmp_path: Path) -> None:
    folder = folder_of(release, tmp_path, "1.0.0", "1.1.0")
    said = call("releases", "list", "--releases", folder, "--json")
    assert [row["version"] for row in json.loads(said.out)] == ["1.0.0", "1.1.0"]
    assert "1.1.0" in call("releases", "list", "--releases", folder).text
    shown = call("releases", "show", "stack-test", "1.0.0", "--releases", folder)
    assert "newer version   1.1.0" in shown.text
    shown = call("releases", "show", "stack-test", "--releases", folder, "--json")
    assert json.loads(shown.out)["newer version"] == "none"
    newest = call("releases", "latest", "stack-test", "--releases", folder)
    assert newest.text.strip() == str(folder / "stack-test" / "v1.1.0")
    assert call("releases", "latest", "other", "--releases", folder).code == 2
