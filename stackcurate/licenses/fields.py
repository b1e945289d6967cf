"""Parsers of manifests at a bounded cost, and what readers of manifests give."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple
from xml.etree import ElementTree

import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 1 << 20  # of one manifest; a package.json of a hundred times the usual size fits
MAX_SLOW = 1 << 18  # where the parser is slow (YAML, 100 KB/s) or recursive (Python)
MAX_TOML = 400_000
MAX_DOTS = 64  # of a line of TOML, outside of its strings
MAX_DEPTH = 200  # of nesting in JSON and YAML, by counting brackets before parsing
_TOML_STRING = re.compile(rb"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")


class Refused(ValueError):
    """A manifest that is not parsed, because parsing could cost too much; says why."""


class Stated(NamedTuple):
    """A declaration as written: the raw values, how several combine, and the key they stand at.

    ``beside`` is what else the manifest says of its license, in sentences.
    """

    values: list[str]
    key: str
    word: str = "AND"
    beside: tuple[str, ...] = ()


def strings(value: Any) -> list[str]:
    """Every license name in a JSON value: a string, {"type": …}, or a list of them."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key in ("type", "name", "license") for text in strings(value.get(key))][:1]
    if isinstance(value, list):
        return [text for entry in value[:50] for text in strings(entry)]
    return []


def _deep(data: bytes) -> bool:
    depth = deepest = 0
    for byte in re.findall(rb"[\[\]{}]", data):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_DEPTH


def json_of(data: bytes) -> Any:
    """A JSON document of bounded depth. Raises Refused, and ValueError where it is none."""
    if _deep(data):
        raise Refused("nested too deeply")
    return json.loads(data.decode("utf-8-sig"))


def yaml_of(text: str) -> Any:
    """A YAML document; anchors, which can make a small text grow without end, are refused."""
    if _deep(text.encode()) or re.search(r"(?:^|[\s\[{,:])&\w", text):
        raise Refused("nested too deeply, or with anchors")
    return yaml.safe_load(text)


def toml(data: bytes) -> dict[str, Any]:
    """A TOML document of bounded cost. Raises Refused, and ValueError where it is none.

    Keys of many dots cost the parser their square, in time and memory: 200 KB of them are 40 GB.
    """
    bare = _TOML_STRING.sub(b'""', data)
    if len(data) > MAX_TOML or _deep(data):
        raise Refused("too long, or nested too deeply")
    if any(line.count(b".") > MAX_DOTS for line in bare.split(b"\n")):
        raise Refused("too many dots in a line")
    return tomllib.loads(data.decode("utf-8-sig"))


def xml(data: bytes) -> ElementTree.Element:
    """An XML document without entities. Raises Refused and ElementTree.ParseError."""
    if b"\0" in data[:200]:
        raise ValueError("no text")
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", data, re.I):
        raise Refused("document types and entities are not read")
    return ElementTree.fromstring(data)


def local(element: ElementTree.Element) -> str:
    """An element's name without its namespace, in lower case."""
    return element.tag.rpartition("}")[2].lower()


def assignment(pattern: str, word: str = "AND") -> Callable[[bytes], Stated | None]:
    """A reader of lines like ``license = "MIT"``; the pattern's group is the value as written."""
    compiled = re.compile(pattern, re.M | re.I)

    def read(data: bytes) -> Stated | None:
        text = data.decode("utf-8", "replace")
        found = compiled.search(text)
        if found is None:
            return None
        array = re.match(r"%w[\[({]([^\])}]*)", found[1])  # Ruby's array of words
        if array is not None:
            return Stated(array[1].split()[:8], "license", word)
        # An array, a hash or one string: the quoted strings in it, keys of a hash left out.
        values = [
            a or b for a, b in re.findall(r"\"([^\"\n]*)\"(?!\s*=>)|'([^'\n]*)'(?!\s*=>)", found[1])
        ]
        return Stated(values[:8] or [found[1].strip()], "license", word)

    return read
