"""What Python's manifests declare: pyproject.toml, setup.cfg, setup.py, METADATA and PKG-INFO."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterable, Iterator
from email.parser import HeaderParser
from typing import Any

from stackcurate.licenses.expression import license_class
from stackcurate.licenses.fields import Stated, toml
from stackcurate.licenses.policy import RANK
from stackcurate.licenses.python2 import setup_words
from stackcurate.licenses.spoken import TROVE, spoken

_LONGEST = 200  # characters of a name; longer ones are texts


def pyproject(data: bytes) -> Stated | None:
    """[project], and what stood in its place: Poetry's and Flit's tables."""
    document = toml(data)
    project, tool = document.get("project", {}), document.get("tool", {})
    poetry, flit = tool.get("poetry", {}), tool.get("flit", {}).get("metadata", {})
    tables = (("project", project), ("tool.poetry", poetry), ("tool.flit.metadata", flit))
    lines = [line for _, table in tables for line in table.get("classifiers") or ()]
    for key, table in tables:
        license_ = table.get("license")
        if isinstance(license_, dict):
            license_, key = license_.get("text"), f"{key}.license.text"
        else:
            key = f"{key}.license"
        if isinstance(license_, str) and len(license_) < _LONGEST:
            return _stricter(Stated([license_], key), _trove(lines, "classifiers"))
        if isinstance(license_, str):
            return _whole_text(license_, _trove(lines, "classifiers"), key)
    return _trove(lines, "classifiers")


def _stricter(said: Stated, trove: Stated | None) -> Stated:
    """A field, with classifiers beside it where these are of a stricter class."""
    expression = spoken(said.values[0])
    if trove is None or expression is None:
        return said
    rank = RANK[license_class(expression)]
    more = [one for one in trove.values if RANK[license_class(one)] > rank]
    return said._replace(values=[*said.values, *more])


def _trove(classifiers: Iterable[Any], key: str) -> Stated | None:
    found = []
    for line in classifiers:
        if isinstance(line, str) and line.strip().startswith("License ::"):
            said = line.strip().split(" :: ")[-1]
            if said in TROVE:
                found.append(TROVE[said])
            elif said not in ("OSI Approved", "License"):
                return None
    return Stated(found, key) if found else None


def setup_cfg(data: bytes) -> Stated | None:
    """The license of [metadata]; where it is no name, the classifiers."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(data.decode("utf-8-sig"))
    trove = None
    if parser.has_option("metadata", "classifiers"):
        trove = _trove(parser.get("metadata", "classifiers").splitlines(), "metadata.classifiers")
    if not parser.has_option("metadata", "license"):
        return trove
    value = parser.get("metadata", "license")
    if value.strip().startswith("file:"):
        return trove
    return _field(value, trove, "metadata.license")


def _field(value: str, trove: Stated | None, key: str) -> Stated | None:
    """A field that may be no name; the classifiers speak then, where they do."""
    said = Stated([value], key)
    if spoken(value):
        return _stricter(said, trove)
    return trove or (said if value.strip() and len(value) < _LONGEST else None)


def setup_py(data: bytes) -> Stated | None:
    """The words that setup() is called with, those of a ``**dict`` too."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return _old_setup_py(data)
    names: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                names.setdefault(target.id, node.value)
    stated: dict[str, Any] = {}
    for node in ast.walk(tree):
        called = getattr(node, "func", None)
        name = getattr(called, "attr", getattr(called, "id", None))
        if isinstance(node, ast.Call) and name == "setup":
            for word, value in _words_of(node, names):
                stated.setdefault(word, names.get(getattr(value, "id", ""), value))
    license_ = getattr(stated.get("license"), "value", None)
    lines = getattr(stated.get("classifiers"), "elts", ())
    trove = _trove([getattr(line, "value", None) for line in lines], "classifiers")
    return _field(license_, trove, "license") if isinstance(license_, str) else trove


def _old_setup_py(data: bytes) -> Stated | None:
    """A setup.py of Python 2."""
    words = setup_words(data.decode("utf-8", "replace"))
    license_, lines = words.get("license"), words.get("classifiers")
    lines = lines.splitlines() if isinstance(lines, str) else lines
    trove = _trove(lines or (), "classifiers")
    return _field(license_, trove, "license") if isinstance(license_, str) else trove


def _words_of(call: ast.Call, names: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Words and values of a call; of ``**x`` those of the dict that x names."""
    for word in call.keywords:
        if word.arg is not None:
            yield word.arg, word.value
            continue
        value = names.get(getattr(word.value, "id", ""), word.value)
        if isinstance(value, ast.Dict):
            for key, one in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, one
        elif isinstance(value, ast.Call) and getattr(value.func, "id", None) == "dict":
            yield from ((one.arg, one.value) for one in value.keywords if one.arg is not None)


def mail_headers(data: bytes) -> Any:
    """The fields of METADATA, PKG-INFO and R's DESCRIPTION."""
    return HeaderParser().parsestr(data.decode("utf-8", "replace")[:200_000])


def metadata(data: bytes) -> Stated | None:
    """License-Expression, else License, else the classifiers."""
    message = mail_headers(data)
    if message.get("License-Expression"):
        return Stated([message["License-Expression"]], "License-Expression")
    trove = _trove(message.get_all("Classifier") or (), "Classifier")
    value = message.get("License")
    if not value:
        return trove
    if len(value) < _LONGEST and spoken(value):
        return _stricter(Stated([value], "License"), trove)
    return _whole_text(value, trove, "License")


def _whole_text(value: str, trove: Stated | None, key: str) -> Stated:
    """Some put the whole text there, and with it the licenses of what they bundle."""
    if trove is not None and len(value) < _LONGEST:
        return trove
    return Stated([*(trove.values if trove else ()), value], key)
