"""What package manifests declare, read by real parsers, never by running them.

Sizes and depths are bounded (``fields``), setup.py is parsed and not executed (``pypi``), names
that people write become SPDX ids (``spoken``). A value that nobody can read is an unknown license;
so is a manifest that is refused for what parsing it could cost, with the reason in the rule.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable
from typing import NamedTuple
from xml.etree import ElementTree

import yaml

from stackcurate.licenses import ecosystems, pointers, pypi
from stackcurate.licenses.expression import combine, known
from stackcurate.licenses.fields import (
    MAX_BYTES,
    MAX_SLOW,
    Refused,
    Stated,
    assignment,
    json_of,
    local,
    strings,
    toml,
    xml,
    yaml_of,
)
from stackcurate.licenses.spoken import ELSEWHERE, UNKNOWN, spoken

MAX_WORDS = 300  # characters of a value that is no name and is read as words
_OTHER = re.compile(r"\s*(?:other|custom)\b", re.I)  # a license without a name, beside others
Reader = Callable[[bytes], Stated | None]


class Declared(NamedTuple):
    """A declared license: SPDX expression, byte span of its value, and which key."""

    expression: str
    start: int
    end: int
    rule: str


def _package_json(data: bytes) -> Stated | None:
    package = json_of(data)
    if package.get("license"):
        return Stated(strings(package["license"]), "license")
    return Stated(strings(package.get("licenses")), "licenses", "OR")


def _composer(data: bytes) -> Stated | None:
    return Stated(strings(json_of(data).get("license")), "license", "OR")


def _meta_json(data: bytes) -> Stated | None:
    return Stated(strings(json_of(data).get("license")), "license")


def _cargo(data: bytes) -> Stated | None:
    document = toml(data)
    for table in (document.get("package", {}), document.get("workspace", {}).get("package", {})):
        if isinstance(table.get("license"), str):
            return Stated([table["license"].replace("/", " OR ")], "package.license")
    return None


def _description(data: bytes) -> Stated | None:
    value = pypi.mail_headers(data).get("License") or ""
    # CRAN writes "MIT + file LICENSE" and "GPL (>= 2) | Apache License (== 2.0)".
    sides = []
    for side in value.split("|"):
        if re.fullmatch(r"\s*file\s+LICEN[CS]E\s*", side, re.I):
            continue  # the file speaks for itself
        side = re.sub(r"\+\s*file\s+LICEN[CS]E", "", side, flags=re.I).strip()
        version = re.fullmatch(r"([AL]?GPL)(?:-\d+(?:\.\d+)?)?\s*\((>=|==)\s*([\d.]+)\)", side)
        if version:
            number = version[3] if "." in version[3] else f"{version[3]}.0"
            side = f"{version[1]}-{number}-{'or-later' if version[2] == '>=' else 'only'}"
        side = re.sub(r"\s*\((?:>=|==)\s*([\d.]+)\)", r" \1", side)
        sides.append(side)
    return Stated(sides, "License", "OR")


def dep5_expression(short: str) -> str | None:
    """A DEP-5 short name such as ``GPL-2+ or Expat`` as SPDX."""
    spdx = re.sub(
        r"(?i)\b(expat|[al]?gpl-\d(?:\.\d)?\+?|perl|artistic|public-domain|apache-2(?:\.0)?|bsd-[23]-clause)"
        r"(?=$|[\s,()])",
        lambda found: f"({spoken(found[0]) or found[0]})",
        short.replace(",", " "),
    )
    return spoken(spdx)


def _by_address(url: str) -> str | None:
    """The license that a well-known address names; what others hold, nobody here can read."""
    found = re.search(r"licenses\.nuget\.org/([\w.%+-]+)", url)
    if found:
        return found[1].replace("%20", " ")
    if re.search(r"apache\.org/licenses/LICENSE-2\.0(?:\.\w+)?/?\s*$", url):
        return "Apache-2.0"
    found = re.search(r"(?:opensource|spdx)\.org/licen[sc]es?/([\w.+-]+?)(?:\.\w{3,4})?/?\s*$", url)
    return found[1] if found and known(found[1]) else None


def _pom(data: bytes) -> Stated | None:
    values, parent = [], None
    for child in xml(data):
        if local(child) == "licenses":
            for license_ in child:
                said = {local(e): (e.text or "").strip() for e in license_}
                values += [said.get("name") or _by_address(said.get("url", "")) or ""]
        if local(child) == "parent":
            parent = {local(e): (e.text or "").strip() for e in child}
    if values or parent is None:
        return Stated(values, "licenses.license.name", "OR")
    name = ":".join(parent.get(key, "") for key in ("groupid", "artifactid", "version"))
    where = parent.get("relativepath", "../pom.xml")
    return Stated([], pointers.parent(where or "../pom.xml", name))


def _nuspec(data: bytes) -> Stated | None:
    for element in xml(data).iter():
        if local(element) == "license" and element.get("type") == "expression":
            return Stated([(element.text or "").strip()], "license")
        if local(element) == "licenseurl" and element.text:
            found = _by_address(element.text)
            if found:
                return Stated([found], "licenseUrl")
    return None


def _package_xml(data: bytes) -> Stated | None:
    values = [(e.text or "").strip() for e in xml(data) if local(e) == "license"]
    return Stated(values, "license")


def _meta_yaml(data: bytes) -> Stated | None:
    text = re.sub(r"(?m)^\s*\{%.*?%\}\s*$|\{\{.*?\}\}", "", data.decode("utf-8-sig"))
    document = yaml_of(text)
    license_ = (document.get("about") or document).get("license")
    return Stated(strings(license_), "about.license" if "about" in document else "license")


def _recipe_yaml(data: bytes) -> Stated | None:
    """Conda's newer recipes; other tools have files of that name."""
    about = yaml_of(data.decode("utf-8-sig")).get("about")
    return Stated(strings(about.get("license")), "about.license") if about else None


_GEMSPEC = assignment(r"^\s*\w+\.licenses?\s*=\s*(\[[^\]]{0,400}\]|[^\n]{1,200})", "AND")
_PODSPEC = assignment(
    r"^\s*\w+\.license\s*=\s*(\{[^}]{0,400}?:type\s*=>\s*[^,}]{1,100}|[^\n]{1,200})", "OR"
)
_CABAL = assignment(r"^license:[ \t]*([^\n]{1,200})", "AND")
_OPAM = assignment(r"^license:\s*(\[[^\]]{0,400}\]|[^\n]{1,200})", "AND")
_ROCKSPEC = assignment(r"^\s*license\s*=\s*([^\n]{1,200})", "AND")
_GRADLE_LICENSE = re.compile(
    r"\blicense\s{0,20}\{[^{}]{0,400}?\bname\s{0,20}(?:=|\.set\()?\s{0,20}[\"']([^\"'\n]{1,200})"
)


def _gradle(data: bytes) -> Stated | None:
    text = data.decode("utf-8", "replace")
    return Stated(_GRADLE_LICENSE.findall(text)[:8], "licenses.license.name", "OR")


_EXACT: dict[str, Reader] = {
    "package.json": _package_json, "bower.json": _package_json, "composer.json": _composer,
    "pyproject.toml": pypi.pyproject, "cargo.toml": _cargo, "setup.cfg": pypi.setup_cfg,
    "setup.py": pypi.setup_py, "pkg-info": pypi.metadata, "metadata": pypi.metadata,
    "pom.xml": _pom, "package.xml": _package_xml, "meta.json": _meta_json,
    "meta.yaml": _meta_yaml, "meta.yml": _meta_yaml, "description": _description, "opam": _OPAM,
    "build.gradle": _gradle, "build.gradle.kts": _gradle, "pubspec.yaml": _meta_yaml,
    "recipe.yaml": _recipe_yaml, **ecosystems.EXACT,
}  # fmt: skip
_ENDINGS: dict[str, Reader] = {
    ".gemspec": _GEMSPEC, ".cabal": _CABAL, ".nuspec": _nuspec, ".opam": _OPAM,
    ".podspec.json": _composer, ".podspec": _PODSPEC, ".rockspec": _ROCKSPEC,
    **ecosystems.ENDINGS,
}  # fmt: skip
_SLOW = (pypi.setup_py, _meta_yaml, _recipe_yaml)


def _reader(name: str) -> Reader | None:
    lower = name.rpartition("/")[2].lower()
    if lower in _EXACT:
        return _EXACT[lower]
    return next((read for end, read in _ENDINGS.items() if lower.endswith(end)), None)


def declared(
    name: str, data: bytes, read: Callable[[bytes], str | None] | None = None
) -> Declared | None:
    """The license a manifest declares, or None where it declares none.

    ``name`` is its path; ``data`` its bytes. Several values bind together, or offer a choice where
    the format says so. ``read`` gives the expression of words that are no known name.
    """
    reader, base = _reader(name), name.rpartition("/")[2]
    if reader is None:
        return None
    try:
        if len(data) > (MAX_SLOW if reader in _SLOW else MAX_BYTES):
            raise Refused("too large")
        stated = reader(data)
    except (Refused, RecursionError, MemoryError) as error:
        reason = str(error) if isinstance(error, Refused) else "too deep to parse"
        return Declared(UNKNOWN, 0, len(data), f"{base}: not read, {reason}")
    except (ValueError, TypeError, AttributeError, KeyError, SyntaxError,
            configparser.Error, yaml.YAMLError, ElementTree.ParseError):  # fmt: skip
        return None
    if stated is not None and pointers.is_pointer(stated.key):
        return Declared(UNKNOWN, 0, len(data), stated.key)
    if stated is None or not stated.values:
        return None
    values = [value for value in stated.values if not ELSEWHERE.match(value)]
    meant = [_meant(value, read) for value in values]
    if values and stated.word == "AND" and any(map(_OTHER.match, stated.values)):
        meant.append(UNKNOWN)
    expression = combine([one for one in meant if one], stated.word)
    if expression is None:
        return None
    written = values[0].encode("utf-8", "replace")
    start = data.find(written)
    end = start + len(written) if start >= 0 else len(data)
    return Declared(expression, max(start, 0), end, f"{base}:{stated.key}")


def _meant(value: str, read: Callable[[bytes], str | None] | None) -> str | None:
    """What a value means; a name that nobody knows is unknown, a long text without license none."""
    said, name = spoken(value), len(value) < MAX_WORDS
    if said is None and read is not None:
        said = read((f"license: {value}" if name else value).encode("utf-8", "replace"))
    return said or (UNKNOWN if name or read is None else None)
