"""Commands as people meet them: help, first steps, exit codes, words and machine lines."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate import __version__
from stackcurate.cli.init import config_text
from stackcurate.cli.main import Commands
from stackcurate.config import parse
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.redaction.settings import Settings

from ..driving import Said, call, code, environment, repository, site, stackcurate


@pytest.mark.parametrize("name", [None, *Commands.modules])
def test_help_says_what_it_does_and_how(name) -> None:
    said = call(*filter(None, [name]), "--help")
    assert said.code == 0 and said.text.startswith("Usage: stackcurate")
    assert "--help" in said.text
    if name:
        assert f"Example:  stackcurate {name}" in said.text
        assert said.text == call(name, "-h").text
    else:
        for one in Commands.modules:
            assert f"\n  {one} " in said.text
        assert "Exit codes: 0 done, 1 done but something was set aside" in said.text


def test_the_version() -> None:
    assert __version__ in call("--version").text


def test_help_is_quick_and_needs_no_heavy_library() -> None:
    script = "from stackcurate.cli.main import main; main()"
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", script, "init", "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        cwd=sys.prefix,
    ).stderr
    for heavy in ("licensedcode", "numba", "hyperscan", "detect_secrets", "datasets"):
        assert f" {heavy}\n" not in seen


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "nonsense"),
        (["run"], "CONFIG"),
        (["run", "none.yaml"], "none.yaml"),
        (["run", "none.yaml", "--workers", "0"], "workers"),
        (["run", "none.yaml", "--limit", "-1"], "limit"),
        (["plan", "none.yaml"], "stackcurate init"),
        (["status", "none.yaml"], "none.yaml"),
        (["report", "none"], "none"),
        (["verify", "none"], "none"),
        (["why", "x", "none.yaml"], "none.yaml"),
        (["query", "none"], "none"),
        (["init"], "--git"),
        (["init", "--git", "/no/such/folder"], "/no/such/folder"),
    ],
)
def test_a_persons_mistake_exits_2_and_is_named(arguments, words) -> None:
    said = call(*arguments)
    assert said.code == 2 and words in said.err, said.all
    assert "Traceback" not in said.all


def test_a_folder_that_is_no_release(tmp_path) -> None:
    for name in ("verify", "report", "query"):
        said = call(name, tmp_path)
        assert said.code in (2, 3) and "Traceback" not in said.all and said.err + said.text


def test_a_mistake_in_machine_lines_is_one_too(tmp_path) -> None:
    said = stackcurate("run", tmp_path / "none.yaml", "--log-format", "json")
    (line,) = said.err.splitlines()
    assert said.code == 2
    assert json.loads(line)["kind"] == "ConfigError" and "none.yaml" in json.loads(line)["message"]


@pytest.fixture(scope="module")
def first_steps(tmp_path_factory, cache):
    """What a newcomer does: init, plan, status, run with machine lines, status."""
    folder = tmp_path_factory.mktemp("first")
    repository(folder / "src" / "one", {"a.py": code("one")})
    repository(folder / "src" / "two", {"b.py": code("two")})
    config = folder / "config.yaml"
    said = {"init": call("init", "--git", folder / "src", "--name", "Mine!", "--out", config)}
    said["plan"] = call("plan", config)
    said["plan json"] = call("plan", config, "--json")
    said["status"] = call("status", config)
    said["report"] = call("report", config)
    said["why"] = call("why", "a.py", config)
    said["limit"] = stackcurate("run", config, "--limit", 1, "--workers", 1)
    said["run"] = stackcurate("run", config, "--log-format", "json", "--workers", 2)
    said["after"] = call("status", config, "--json")
    return folder, said


def test_init_writes_a_config_that_runs_and_never_writes_over_one(first_steps) -> None:
    folder, said = first_steps
    assert said["init"].code == 0 and "next: stackcurate plan" in said["init"].text
    assert (folder / "config.yaml").read_text().count("#") > 5
    again = call("init", "--git", folder / "src", "--out", folder / "config.yaml")
    assert again.code == 2 and "is there already" in again.err


def test_before_a_run(first_steps) -> None:
    _, said = first_steps
    assert said["plan"].code == 0 and "2 containers" in said["plan"].text
    assert json.loads(said["plan json"].text)["state"] == "new"
    assert "not begun" in said["status"].text
    assert said["report"].code == 2 and "stackcurate run" in said["report"].err
    assert said["why"].code == 2 and "comes first" in said["why"].err


def test_a_limited_run_is_no_version_of_the_full_one(first_steps) -> None:
    folder, said = first_steps
    assert said["limit"].code == 0, said["limit"].all
    names = sorted(path.name for path in (folder / "releases").iterdir())
    assert names == ["mine-", "mine--limit1"] or names == ["mine", "mine-limit1"]


def test_a_run_in_machine_lines(first_steps) -> None:
    _, said = first_steps
    run: Said = said["run"]
    assert run.code == 0
    events = [json.loads(line) for line in run.err.splitlines()]
    assert len(events) > 5
    state = json.loads(said["after"].text)
    assert state["state"].startswith("published as")


def test_what_init_teaches_in_comments_is_a_config(tmp_path) -> None:
    (tmp_path / "repos").mkdir()
    (tmp_path / "decisions.jsonl").write_text("")
    text = config_text({"git": (str(tmp_path / "repos"),)}, "tiny", tmp_path)
    taught = re.findall(r"^  # (\w+): ", text, re.M)
    told = {field.name for section in (LicenseSettings, Settings) for field in fields(section)}
    assert told - {"look_inside", "policy", "sensitivity"} <= set(taught)
    config = parse(re.sub(r"^  # (?=\w+:)", "  ", text, flags=re.M), tmp_path / "c.yaml")
    assert config.redact.threshold("ipv4-address", "ip") == 0.9
    assert config.license.overrides == {"JSON": "permissive"}


def test_init_for_every_kind_of_source(tmp_path) -> None:
    for option in ("--git", "--archive", "--swh-graph", "--parquet"):
        folder = tmp_path / 'it\'s "here"'
        folder.mkdir(exist_ok=True)
        said = call("init", option, folder)
        assert said.code == 0
        place = tmp_path / f"c{option}.yaml"
        place.write_text(said.text)
        # the written config is read back, whatever the folder is called
        plan = call("plan", place)
        assert "unknown key" not in plan.all and "not YAML" not in plan.all, plan.all


def test_init_looks_at_what_is_there(tmp_path) -> None:
    def said(*words: object) -> str:
        return call("init", *words).text

    table = pa.table({"body": ["def f(): pass\n" * 9], "filename": ["a.py"], "n": [1]})
    pq.write_table(table, tmp_path / "odd.parquet")
    assert "columns: {content: body, path: filename}" in said("--parquet", tmp_path / "odd.parquet")
    ids = pa.table({"blob_id": ["a" * 40], "path": ["/a.py"]})
    pq.write_table(ids, tmp_path / "ids.parquet")
    assert "contents: s3://" in said("--parquet", tmp_path / "ids.parquet")
    store = tmp_path / "content"
    store.mkdir()
    (store / ("a" * 40)).write_bytes(b"")
    assert f"contents: {store}" in said("--parquet", tmp_path / "ids.parquet")
    graph = tmp_path / "graph"
    graph.mkdir()
    assert f"contents: {store}" in said("--swh-graph", graph)


def test_two_runs_of_one_version_at_a_time(tmp_path, cache) -> None:
    import fcntl

    repository(tmp_path / "git" / "one", {"a.py": code("a")})
    place = site(tmp_path, [{"kind": "git", "path": "git"}], cache)
    place.run_folder.mkdir(parents=True)
    with (place.run_folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = call("run", place.config)
    assert said.code == 4 and "another run works in" in said.err
