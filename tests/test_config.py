"""A config mistake names the key, the value, what is allowed, and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackcurate.config import ORDER, load, parse
from stackcurate.errors import ConfigError

GOOD = """\
name: tiny
version: 1.0.0
sources:
  - {kind: git, path: repos}
stages: [optout, license, choose, fetch, header, language, filter, redact, dedup]
license:
  look_inside: allowed
fetch: {max_bytes: 1000}
dedup: {threshold: 0.7}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "repos").mkdir()
    return tmp_path / "config.yaml"


def complaint(place: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, place)
    assert str(caught.value).startswith(str(place))
    return str(caught.value).removeprefix(str(place))


def test_a_good_one_is_read(place) -> None:
    config = parse(GOOD, place)
    assert (config.name, config.version, config.stages) == ("tiny", "1.0.0", ORDER)
    assert config.fetch.max_bytes == 1000 and config.dedup.threshold == 0.7
    assert config.sources[0].path == place.parent / "repos"
    assert config.release_folder == place.parent / "releases" / "tiny" / "v1.0.0"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        # unknown keys, at every depth, with what was likely meant
        ("fetch:", "fetsh:", 8, ["'fetsh'", "did you mean 'fetch'?", "Allowed: name, version"]),
        ("look_inside", "lookinside", 7, ["'lookinside'", "did you mean 'look_inside'?"]),
        ("path: repos", "path: repos, brunch: x", 4, ["'brunch'", "did you mean 'branch'?"]),
        ("{threshold: 0.7}", "{treshold: 0.7}", 9, ["'treshold'", "'threshold'?"]),
        ("name: tiny", "xyzzy: 1\nname: tiny", 1, ["'xyzzy'", "Allowed:"]),
        # wrong types and values
        ("max_bytes: 1000", "max_bytes: many", 8, ["max_bytes", "'many'", "integer"]),
        ("max_bytes: 1000", "max_bytes: 0", 8, ["max_bytes", "1 or more"]),
        ("max_bytes: 1000", "max_bytes: [1]", 8, ["max_bytes", "[1]"]),
        ("threshold: 0.7", "threshold: 7", 9, ["threshold"]),
        ("look_inside: allowed", "look_inside: sometimes", 6, ["look_inside", "allowed", "open"]),
        ("fetch: {max_bytes: 1000}", "fetch: 1000", 8, ["fetch", "mapping"]),
        ("{threshold: 0.7}", "[0.7]", 9, ["dedup", "mapping"]),
        # redaction: bounds and ids, with the line of the value
        ("name: tiny", "redact:\n  rules:\n    nope-rule: 0.5\nname: tiny", 3, ["'nope-rule'"]),
        ("name: tiny", "redact:\n  kinds: {email: -1}\nname: tiny", 2, ["email", "0 to 1", "off"]),
        ("name: tiny", "redact:\n  rules:\n    npm-token: 2\nname: tiny", 3, ["npm-token", "2"]),
        ("name: tiny", "redact:\n  mark: mails\nname: tiny", 2, ["'mails'", "username"]),
        # missing keys
        ("name: tiny\n", "", 1, ["'name'", "missing"]),
        ("version: 1.0.0\n", "", 1, ["'version'", "missing"]),
        ("{kind: git, path: repos}", "{kind: git}", 4, ["'path'", "missing"]),
        # sources
        ("kind: git", "kind: svn", 4, ["'svn'", "archive, git, parquet, swh_graph"]),
        ("- {kind: git, path: repos}", "- repos", 4, ["'repos'", "archive, git"]),
        ("  - {kind: git, path: repos}", "  kind: git", 3, ["list"]),
        # duplicates
        ("max_bytes: 1000", "max_bytes: 1, max_bytes: 2", 8, ["'max_bytes'", "twice"]),
        ("dedup:", "name: again\ndedup:", 9, ["'name'", "twice"]),
        # names and versions
        ("name: tiny", "name: Tiny Stack", 1, ["'Tiny Stack'", "lowercase"]),
        ("name: tiny", "name: ../evil", 1, ["'../evil'"]),
        ("version: 1.0.0", "version: 1.0", 2, ["'1.0'", "2.1.0"]),
        ("version: 1.0.0", "version: v1.0.0", 2, ["'v1.0.0'"]),
        ("version: 1.0.0", "version: 01.0.0", 2, ["'01.0.0'"]),
        # the order of stages
        ("choose, fetch", "fetch, choose", 5, ["'fetch'", "'choose'", "before"]),
        ("redact, dedup", "dedup, redact", 5, ["order", "redact, dedup"]),
        ("redact, dedup", "redact, dedup, dedup", 5, ["'dedup'", "twice"]),
        ("redact,", "redakt,", 5, ["'redakt'", "allowed: optout"]),
        ("language, ", "", 5, ["'filter'", "'language'", "before"]),
        ("optout, license, ", "license, ", 5, ["'optout'"]),
        ("[optout,", "all # [optout,", 5, ["list"]),
    ],
)  # fmt: skip
def test_a_mistake_names_line_key_value_and_what_is_allowed(place, old, new, line, words) -> None:
    assert old in GOOD
    said = complaint(place, GOOD.replace(old, new, 1))
    assert said.startswith(f", line {line}: "), said
    for word in words:
        assert word in said, said


def test_redaction_by_kind_and_rule(place) -> None:
    text = "redact: {kinds: {email: off, ip: on}, rules: {npm-token: 0.5}, mark: email}\n"
    redact = parse(GOOD + text, place / "c.yaml").redact
    assert redact.threshold("email-address", "email") > 1
    assert redact.threshold("ipv4-address", "ip") == 0.6
    assert redact.threshold("npm-token", "key") == 0.5
    assert redact.mark == ("email",)


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "just words", "name: [unclosed\n", "\tname: x\n", "a: &x [*x]\n"]
)
def test_what_is_no_mapping_or_no_yaml(place, text) -> None:
    assert complaint(place, text)


def test_yaml_that_would_make_objects_or_explode_is_refused(place) -> None:
    assert complaint(place, "name: !!python/object/apply:os.system [echo]\n" + GOOD[11:])
    layers = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    assert complaint(place, f"l0: &l0 [x]\n{layers}\n")


def test_files_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(ConfigError, match="stackcurate init"):
        load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError):
        load(tmp_path)


def test_facts_hold_nothing_of_this_machine(place) -> None:
    text = (
        GOOD.replace("path: repos", f"path: {place.parent / 'repos'}") + f"runs: {place.parent}\n"
    )
    facts = parse(text, place).facts()
    assert str(place.parent) not in repr(facts) and "runs" not in facts
    assert facts["sources"][0]["path"] == "repos"
