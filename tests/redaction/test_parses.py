"""Redacted code still parses: tree-sitter finds no error that the given text did not have."""

from __future__ import annotations

import importlib
import sysconfig
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

from stackcurate.redaction.alone import git_blob_id
from stackcurate.redaction.examples import expand
from stackcurate.redaction.labelled import cases
from stackcurate.redaction.redact import redact
from stackcurate.redaction.settings import Settings

tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is for tests only")

# Suffix of a path: module of the grammar and the function that gives it.
GRAMMARS = {
    "bash": ("bash", "language"),
    "c": ("c", "language"),
    "cpp": ("cpp", "language"),
    "cs": ("c_sharp", "language"),
    "go": ("go", "language"),
    "html": ("html", "language"),
    "java": ("java", "language"),
    "js": ("javascript", "language"),
    "json": ("json", "language"),
    "kt": ("kotlin", "language"),
    "php": ("php", "language_php"),
    "py": ("python", "language"),
    "rb": ("ruby", "language"),
    "rs": ("rust", "language"),
    "scala": ("scala", "language"),
    "sh": ("bash", "language"),
    "env": ("bash", "language"),
    "toml": ("toml", "language"),
    "ts": ("typescript", "language_typescript"),
    "tsx": ("typescript", "language_tsx"),
    "xml": ("xml", "language_xml"),
    "yaml": ("yaml", "language"),
    "yml": ("yaml", "language"),
}


@cache
def parser(suffix: str):  # type: ignore[no-untyped-def]
    name, function = GRAMMARS[suffix]
    module = pytest.importorskip(f"tree_sitter_{name}", reason="a grammar is for tests only")
    return tree_sitter.Parser(tree_sitter.Language(getattr(module, function)()))


def errors(text: str, suffix: str) -> int:
    """Nodes of the tree that are errors or missing."""
    count = 0
    waiting = [parser(suffix).parse(text.encode()).root_node]
    while waiting:
        node = waiting.pop()
        count += node.is_error or node.is_missing
        waiting += [child for child in node.children if child.has_error]
    return count


def shipped(texts: list[str], path: str, options: Settings) -> list[str]:
    ids = pa.array([git_blob_id(text.encode()) for text in texts], pa.binary(20))
    paths = pa.array([path] * len(texts))
    once = redact(pa.array(texts, pa.large_string()), paths, ids, options).contents
    assert redact(once, paths, ids, options).contents.equals(once), "redacting twice changes text"
    return once.to_pylist()


def worse(texts: list[str], path: str, options: Settings = Settings()) -> list[str]:  # noqa: B008
    """Redacted texts with more errors than their originals."""
    suffix = path.rpartition(".")[2]
    new = shipped(texts, path, options)
    return [
        b
        for a, b in zip(texts, new, strict=True)
        if a != b and errors(b, suffix) > errors(a, suffix)
    ]


PATHS = sorted({case.path for case in cases() if case.path.rpartition(".")[2] in GRAMMARS})


@pytest.mark.parametrize("path", PATHS)
def test_the_labelled_set(path: str) -> None:
    texts = [case.text.decode() for case in cases() if case.path == path]
    assert worse(texts, path) == []
    assert worse(texts, path, Settings(sensitivity="strict")) == []


SSN, CARD = expand("{valid:us-ssn:6########}", "parses"), "4539148803436467"
EMAIL, TOKEN = "m.keller@uni-weimar.de", expand("ghp_{A-Za-z0-9*36}", "parses")
HARD = {
    "/a.py": [
        f"ssn = {SSN}\ncard_number = {CARD}\n",
        f'x = "\\n{EMAIL}"\ny = r"{EMAIL}"\n',
        "home = (48.137154, 11.576124)\nlatitude = 48.137154\n",
        f'"""Written by\n\n{EMAIL}\n"""\nTOKEN = b"{TOKEN}"\n',
    ],
    "/a.json": [
        f'{{"ssn": {SSN}, "mail": "a\\n{EMAIL}", "latitude": 48.137154, "x": "\\u00e9{EMAIL}"}}'
    ],
    "/a.tsx": [f"const a = <p>mail {EMAIL} now</p>;\nconst card = {{card: {CARD}}};\n"],
    "/a.js": [f"const m = `{EMAIL}`;\nconst t = `${{x}} {TOKEN}`;\nconst ssn = {SSN};\n"],
    "/a.java": [f"/** @author Mia Keller <{EMAIL}> */\nclass A {{ long ssn = {SSN}L; }}\n"],
    "/a.go": [f'package a\n\nvar ssn = {SSN}\nvar m = "x\\t{EMAIL}"\n'],
    "/a.rs": [
        f"fn f<'a>(x: &'a str) -> u64 {{ let ssn: u64 = {SSN}; let m = \"{EMAIL}\"; ssn }}\n"
    ],
    "/a.c": [f'char *m = "\\n{EMAIL}"; long ssn = {SSN}; /* {EMAIL} */\n'],
    "/a.rb": [f"# {EMAIL}\nssn = {SSN}\nputs 'x {EMAIL}'\n"],
    "/a.php": [f"<?php\n$ssn = {SSN};\n$m = '{EMAIL}'; // {EMAIL}\n"],
    "/a.sh": [f'#!/bin/sh\nexport API_TOKEN={TOKEN}\nmail {EMAIL} < /dev/null\necho "{EMAIL}"\n'],
    "/a.env": [f"API_TOKEN={TOKEN}\nMAIL={EMAIL}\n"],
    "/a.yaml": [
        f"token: {TOKEN}\nmail: [{EMAIL}, x]\nssn: {SSN}\nat: {{lat: 48.137154, lon: 11.576124}}\n"
    ],
    "/a.toml": [f'ssn = {SSN}\nmail = "{EMAIL}"\n'],
    "/a.xml": [f"<a mail='{EMAIL}'><b>{TOKEN}</b><!-- {EMAIL} --></a>\n"],
    "/a.html": [f"<!doctype html>\n<p>{EMAIL}</p><script>var t = '{TOKEN}';</script>\n"],
}


@pytest.mark.parametrize("path", HARD)
def test_values_where_angles_do_not_fit(path: str) -> None:
    texts = HARD[path]
    assert not any(errors(text, path.rpartition(".")[2]) for text in texts)
    assert worse(texts, path) == []
    assert not any(
        value in text for text in shipped(texts, path, Settings()) for value in (EMAIL, TOKEN)
    )


def test_real_code() -> None:
    library = Path(sysconfig.get_paths()["stdlib"])
    names = (
        "smtplib.py",
        "imaplib.py",
        "netrc.py",
        "uuid.py",
        "email/utils.py",
        "ipaddress.py",
        "getpass.py",
    )
    texts = [(library / name).read_text("utf-8") for name in names if (library / name).exists()]
    assert worse(texts, "/a.py", Settings(sensitivity="strict", attribution="redact")) == []


def test_every_grammar_is_there() -> None:
    for name, function in GRAMMARS.values():
        assert callable(getattr(importlib.import_module(f"tree_sitter_{name}"), function))
