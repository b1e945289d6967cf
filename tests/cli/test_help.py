"""What `--help` and the README tell people to type is what the commands take."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from stackcurate.cli.main import cli

TOP = Path(__file__).parents[2]


def all_commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*words, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, (*words, name))


def find(words: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"there is no command {' '.join(words)!r}"
        command = found
    return command


def lines_of(text: str) -> Iterator[str]:
    """Lines that begin with the command, whatever shell stands around them."""
    text = re.sub(r"\\\n\s*", " ", text)  # the shell's way to go on
    # a line with one quote goes on in the next
    text = re.sub(r'^([^"\n]*(?:"[^"\n]*"[^"\n]*)*"[^"\n]*)\n\s+', r"\1 ", text, flags=re.M)
    for line in re.findall(r"^(?:.*?(?:[:|$&] +|\$\()| *)(stackcurate +.*)$", text, re.M):
        yield re.split(r" [|>&]| {2,}#| # |; |\)$", line)[0].strip()


def parse(line: str) -> None:
    """Raise what click raises for a line; that a named file is not there is no mistake of it."""
    words = shlex.split(line.replace("\N{HORIZONTAL ELLIPSIS}", "x"))[1:]
    command: click.Command = cli
    named: list[str] = []
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            if command is cli:
                raise click.UsageError(f"no command {words[0]!r}")
            break  # a group that is a command itself, as `license PATH`
        command, named, words = found, [*named, words[0]], words[1:]
    if {"--help", "--version", "-h"} & {*words}:
        return
    try:
        # Below the root, as when it is run: click keeps what a command first calls its help.
        root = click.Context(cli, info_name="stackcurate", **cli.context_settings)
        command.make_context(" ".join(named), words, parent=root)
    except click.MissingParameter:
        raise
    except click.BadParameter as error:
        if not re.search("exist|No such file", error.message):
            raise


EVERY = sorted(all_commands(cli))


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_examples_of_the_help_parse(words: tuple[str, ...]) -> None:
    text = find(words).help or ""
    examples = list(lines_of(text.partition("Example")[2]))
    assert examples, f"{' '.join(words)} has no example"
    assert any(line.startswith(f"stackcurate {' '.join(words)}") for line in examples)
    for line in examples:
        parse(line)


@pytest.mark.parametrize("page", ["README.md", "docs/design.md", "CONTRIBUTING.md"])
def test_commands_of_the_documents_parse(page: str) -> None:
    text = (TOP / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|bash|console|)\n(.*?)^```", text, re.M | re.S)
    for block in blocks:
        for line in lines_of(block):
            try:
                parse(line)
            except click.UsageError as error:
                raise AssertionError(f"{page}: {line}: {error.message}") from None


def test_the_root_names_what_it_has() -> None:
    named = [one for line in lines_of(cli.help or "") for one in line.split(" | ")]
    assert named
    for words in named:
        parse(f"stackcurate {words.removeprefix('stackcurate ').strip()} --help")


@pytest.mark.parametrize("line", ["stackcurate run", "stackcurate run c.yaml --wrokers 2",
                                  "stackcurate nothing", "stackcurate query"])  # fmt: skip
def test_the_check_can_fail(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(line)
