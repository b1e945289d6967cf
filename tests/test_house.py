"""The house stands as HOUSE.md draws it: imports point down, files stay small, tables sorted."""

from __future__ import annotations

import ast
import json
import re
from itertools import chain
from pathlib import Path

import click
import pytest
import yaml

import stackcurate
from stackcurate.cli.main import cli

ROOT = Path(stackcurate.__file__).parent
TOP = Path(__file__).parent.parent
FILES = sorted(ROOT.rglob("*.py"))

# From the top down. Rooms on one line do not import each other; `cli` and `web` may use all below.
# `stages` and `text` are contracts like `schema`: everybody may read them.
LAYERS = (
    ("__main__",),
    ("cli", "web"),
    ("pipeline",),
    ("report", "index", "releases"),
    ("config",),
    ("licenses", "optout", "languages", "filters", "redaction", "dedup", "sources", "contents"),
    ("engine",),
    ("storage", "kernels", "tables"),
    ("stages", "text"),
    ("schema",),
    ("errors",),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Full names of the stackcurate modules that a file imports, wherever in it."""
    package = ["stackcurate", *path.relative_to(ROOT).parent.parts]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            # `from stackcurate import config` names a module too
            found |= {module} | {f"{module}.{name.name}" for name in node.names}
    return {name for name in found if name.split(".")[0] == "stackcurate"}


def rooms_imported(path: Path) -> set[str]:
    rooms = {name.split(".")[1] for name in imported(path) if "." in name}
    return {room for room in rooms if room in LEVEL}


def test_every_room_has_its_line() -> None:
    rooms = {room_of(path) for path in FILES} - {"__init__", "__main__"}
    assert rooms <= set(LEVEL), "a new room: give it a line in LAYERS and in HOUSE.md"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path: Path) -> None:
    here = room_of(path)
    if here == "__init__":
        assert rooms_imported(path) == set()
        return
    wrong = {room for room in rooms_imported(path) - {here} if LEVEL[room] <= LEVEL[here]}
    assert wrong == set(), f"{here} imports {wrong}"


def test_only_one_file_imports_ray_and_only_extras_their_libraries() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        if re.search(r"^\s*(import|from) ray\b", path.read_text(encoding="utf-8"), re.M)
    }
    assert users <= {"engine/ray.py"}


def functions(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_functions_are_under_60_lines_and_files_under_500() -> None:
    long = {
        (path.relative_to(ROOT).as_posix(), one.name)
        for path in FILES
        for one in functions(path)
        if one.end_lineno - one.lineno >= 60
    }
    assert long == set()
    big = [
        (path.relative_to(ROOT).as_posix(), lines)
        for path in FILES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 500
    ]
    assert big == []


def test_every_module_says_why_it_exists_and_every_public_thing_what_it_does() -> None:
    silent = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(ROOT).as_posix()
        if not ast.get_docstring(tree):
            silent.append(name)
        for node in tree.body:
            if (
                isinstance(node, ast.FunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
            ):
                silent.append(f"{name}: {node.name}")
    assert silent == []


def test_every_signature_is_typed() -> None:
    bare = []
    for path in FILES:
        for one in functions(path):
            if any("njit" in ast.unparse(one_of) for one_of in one.decorator_list):
                continue  # numba reads types off its arguments
            given = [*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs]
            given = [a for a in given if a.arg not in ("self", "cls")]
            if one.returns is None or any(a.annotation is None for a in given):
                bare.append(f"{path.relative_to(ROOT)}:{one.lineno} {one.name}")
    assert bare == []


def test_stages_do_not_touch_paths_networks_or_clocks() -> None:
    """A stage takes rows and gives rows: no folder, no socket, no time."""
    for path in ROOT.glob("*/stage.py"):
        text = path.read_text(encoding="utf-8")
        for word in ("import socket", "import time", "datetime.now", "requests", "open("):
            assert word not in text, f"{path.name} of {path.parent.name} uses {word}"


def test_the_package_names_no_place_of_a_machine() -> None:
    words = re.compile(r"(?<![\w.])/(?:home|root|work|Users|opt|mnt)/\w")
    texts = chain(FILES, (ROOT / "tables").iterdir(), (TOP / "configs").iterdir())
    found = [
        f"{path.name}: {hit.group()}"
        for path in texts
        if path.is_file()
        for hit in [words.search(path.read_text(encoding="utf-8", errors="replace"))]
        if hit
        and not path.name.startswith("redaction")  # rules and their examples know such places
    ]
    assert found == []


def test_tables_are_data_that_parses_and_says_where_it_comes_from() -> None:
    for path in sorted((ROOT / "tables").iterdir()):
        if path.suffix in (".yaml", ".yml"):
            assert yaml.safe_load(path.read_text(encoding="utf-8"))
        elif path.suffix == ".json":
            assert json.loads(path.read_text(encoding="utf-8"))


def test_generated_tables_are_sorted() -> None:
    languages = json.loads((ROOT / "tables" / "languages.json").read_text(encoding="utf-8"))
    names = languages["languages"]
    names = [one["name"] for one in names] if isinstance(names, list) else list(names)
    assert names == sorted(names) or names == sorted(names, key=str.lower)
    assert len(names) == len(set(names)) >= 700


def commands() -> list[tuple[str, click.Command]]:
    context = click.Context(cli)
    return [(name, cli.get_command(context, name)) for name in cli.list_commands(context)]


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_has_words_an_example_and_helped_options(name, command) -> None:
    text = command.help or ""
    assert text.strip(), f"{name} says nothing"
    assert f"stackcurate {name} " in text.partition("Example")[2], f"{name} has no Example"
    for one in command.params:
        if isinstance(one, click.Option):
            assert one.help, f"{name} {one.opts} says nothing"


def test_every_command_is_in_the_readme_and_in_the_roots_help() -> None:
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    for name, _ in commands():
        assert re.search(rf"stackcurate {name}\b|`{name}[` ]", readme), (
            f"{name} is not in README.md"
        )
        assert name in (cli.help or "")
