"""How languages and formats write ``name = "value"``: the scorecard plants its values in these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Syntax:
    """A language or format: its file, how it writes a name, and a file around an assignment.

    In ``text``, ``@`` stands for the name and ``<>`` for the value.
    """

    path: str
    spelling: Callable[[str], str]
    text: str


def _snake(name: str) -> str:
    return name


def _shout(name: str) -> str:
    return name.upper()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _dots(name: str) -> str:
    return "app." + name.replace("_", ".")


SYNTAXES = (
    Syntax("/app.py", _shout, 'import os\n\n@ = "<>"\n'),
    Syntax("/client.py", _snake, "client = Client(@='<>', retries=3)\n"),
    Syntax("/app.js", _camel, 'const retries = 3;\nconst @ = "<>";\n'),
    Syntax("/config.ts", _camel, "export const config = {\n  @: '<>',\n  retries: 3,\n};\n"),
    Syntax("/App.java", _camel, 'class App {\n  private static final String @ = "<>";\n}\n'),
    Syntax("/main.go", _camel, 'package main\n\nfunc main() {\n\t@ := "<>"\n\trun(@)\n}\n'),
    Syntax("/app.rb", _snake, "App.configure do |config|\n  config.@ = '<>'\nend\n"),
    Syntax("/config.php", _snake, "<?php\nreturn [\n    '@' => '<>',\n];\n"),
    Syntax("/App.cs", _pascal, 'class App {\n    public string @ { get; set; } = "<>";\n}\n'),
    Syntax("/main.rs", _shout, 'const @: &str = "<>";\n'),
    Syntax("/App.kt", _camel, 'object App {\n    const val @ = "<>"\n}\n'),
    Syntax("/App.swift", _camel, 'struct App {\n    let @: String = "<>"\n}\n'),
    Syntax("/app.c", _shout, '#define @ "<>"\n'),
    Syntax("/app.cpp", _snake, 'static const std::string @ = "<>";\n'),
    Syntax("/deploy.sh", _shout, '#!/bin/sh\nexport @="<>"\n'),
    Syntax("/.env", _shout, "DEBUG=false\n@=<>\n"),
    Syntax("/deploy.ps1", _pascal, '$@ = "<>"\n'),
    Syntax("/config.yaml", _snake, "app:\n  debug: false\n  @: <>\n"),
    Syntax("/config.json", _camel, '{\n  "debug": false,\n  "@": "<>"\n}\n'),
    Syntax("/config.toml", _snake, '[app]\n@ = "<>"\n'),
    Syntax("/config.ini", _snake, "[app]\ndebug = false\n@ = <>\n"),
    Syntax("/application.properties", _dots, "@=<>\n"),
    Syntax("/config.xml", _camel, "<app>\n  <@><></@>\n</app>\n"),
    Syntax("/main.tf", _snake, 'resource "app" "main" {\n  @ = "<>"\n}\n'),
    Syntax("/Dockerfile", _shout, "FROM alpine:3\nENV @=<>\n"),
    Syntax("/seed.lua", _snake, 'local @ = "<>"\n'),
    Syntax("/Config.scala", _camel, 'object Config {\n  val @ = "<>"\n}\n'),
    Syntax("/notes.md", _kebab, "# Notes\n\nSet `@: <>` in the console.\n"),
)
