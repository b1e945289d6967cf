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
from stackcurate.licenses.doubts import MOST, doubts, sets_limit
from stackcurate.licenses.expression import combine, known, license_class
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
from stackcurate.licenses.policy import OPEN
from stackcurate.licenses.riders import ALTERED, riders
from stackcurate.licenses.spoken import ELSEWHERE, UNKNOWN, spoken

MAX_WORDS = 300  # characters of a value that is no name and is read as words
_OTHER = re.compile(r"\s*(?:other|custom)\b", re.I)  # a license without a name, beside others
# Keys that say more of a license, as "licenseRestrictions"; where its text is says nothing.
_MORE_KEYS = re.compile(r"(?i)licen[sc]e(?!s?\Z|_?-?(?:files?|url|uri|link|path|name|filename)\Z)")
# "BSD/MIT dual, your pick": what says that the choice is free.
_FREE_CHOICE = re.compile(
    r"(?i),? *\(?\b(?:dual(?:ly)?(?:[ -]licen[sc]ed)?|(?:at )?your (?:pick|choice|option))\)?"
)
Reader = Callable[[bytes], Stated | None]


class Declared(NamedTuple):
    """A declared license: SPDX expression, byte span of its value, and which key."""

    expression: str
    start: int
    end: int
    rule: str


def _package_json(data: bytes) -> Stated | None:
    package = json_of(data)
    beside = tuple(
        value for key, value in package.items() if _MORE_KEYS.match(key) and isinstance(value, str)
    )
    if package.get("license"):
        return Stated(strings(package["license"]), "license", beside=beside)
    return Stated(strings(package.get("licenses")), "licenses", "OR", beside)


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
    values, beside, parent = [], [], None
    for child in xml(data):
        if local(child) == "licenses":
            for license_ in child:
                said = {local(e): (e.text or "").strip() for e in license_}
                values += [said.get("name") or _by_address(said.get("url", "")) or ""]
                beside += [said["comments"]] if said.get("comments") else []
        if local(child) == "parent":
            parent = {local(e): (e.text or "").strip() for e in child}
    if values or parent is None:
        return Stated(values, "licenses.license.name", "OR", tuple(beside))
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
_CABAL = assignment(r"^license:[ \t]*([^\n]{1,200})", "AND")
_OPAM = assignment(r"^license:\s*(\[[^\]]{0,400}\]|[^\n]{1,200})", "AND")
_ROCKSPEC = assignment(r"^\s*license\s*=\s*([^\n]{1,200})", "AND")
_GRADLE_LICENSE = re.compile(
    r"\blicense\s{0,20}\{[^{}]{0,400}?\bname\s{0,20}(?:=|\.set\()?\s{0,20}[\"']([^\"'\n]{1,200})"
)


def _gradle(data: bytes) -> Stated | None:
    text = data.decode("utf-8", "replace")
    return Stated(_GRADLE_LICENSE.findall(text)[:8], "licenses.license.name", "OR")


_POD = re.compile(r"^[ \t]*\w+\.license[ \t]*=[ \t]*", re.M)
_POD_TYPE = re.compile(r"(?::type\s*=>|\btype:|[\"']type[\"']\s*=>)\s*([\"'])(.{0,200}?)\1")
_POD_TEXT = re.compile(
    r"(?::text\s*=>|\btext:|[\"']text[\"']\s*=>)\s*"
    r"(?:<<[-~]?[\"']?(\w+)[\"']?[^\n]*\n(.{0,20000}?)\n[ \t]*\1\b|([\"'])(.{0,20000}?)(?<!\\)\3)",
    re.S,
)
_POD_NAME = re.compile(r"([\"'])([^\n]{0,200}?)\1")


def _podspec(data: bytes) -> Stated | None:
    """A name, or a hash of type, text and file; the file speaks for itself."""
    text = data.decode("utf-8", "replace")
    found = _POD.search(text)
    if found is None:
        return None
    value = text[found.end() : found.end() + 25_000]
    if value[:1] in "\"'":
        name = _POD_NAME.match(value)
        return Stated([name[2]], "license") if name else None
    following = re.search(r"^[ \t]*\w+\.\w+[ \t]*=", value, re.M)  # the next attribute
    type_ = _POD_TYPE.search(value[: following.start()] if following else value)
    words = _POD_TEXT.search(value)
    if words and following and words.start() > following.start():
        words = None
    said = [type_[2]] if type_ else []
    return Stated(said, "license", beside=((words[2] or words[4] or "",) if words else ()))


def _podspec_json(data: bytes) -> Stated | None:
    license_ = json_of(data).get("license")
    text = license_.get("text") if isinstance(license_, dict) else None
    beside = (text,) if isinstance(text, str) else ()
    return Stated(strings(license_), "license", beside=beside)


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
    ".podspec.json": _podspec_json, ".podspec": _podspec, ".rockspec": _ROCKSPEC,
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
    if stated is None or not (stated.values or stated.beside):
        return None
    values = [value for value in stated.values if not ELSEWHERE.match(value)]
    meant = [_meant(value, read) for value in values]
    if values and stated.word == "AND" and any(map(_OTHER.match, stated.values)):
        meant.append(UNKNOWN)
    named = combine([one for one in meant if one], stated.word)
    more = [one for text in stated.beside for one in _more(text, read)]
    expression = combine([named, *more] if named else more)
    if expression is None:
        return None
    written = values[0].encode("utf-8", "replace") if values else b""
    start = data.find(written)
    end = start + len(written) if start >= 0 else len(data)
    return Declared(expression, max(start, 0), end, f"{base}:{stated.key}")


def _meant(value: str, read: Callable[[bytes], str | None] | None) -> str | None:
    """What a value means; a name that nobody knows is unknown, a long text without license none."""
    said, name = spoken(value), len(value) < MAX_WORDS
    if said is None and name:
        said = spoken(_FREE_CHOICE.sub("", value).strip(" ,;"))
    if said is None and read is not None:
        said = read((f"license: {value}" if name else value).encode("utf-8", "replace"))
        if name and license_class(said) in OPEN and sets_limit(value):
            said = combine([said or "", ALTERED])
    return said or (UNKNOWN if name or read is None else None)


def _more(text: str, read: Callable[[bytes], str | None] | None) -> list[str]:
    """What sentences beside a name say: the riders of a few, the license of a whole text."""
    said = None
    if len(text.split()) > MOST and read is not None:
        said = read(text.encode("utf-8", "replace"))
    if said:
        return [said]
    return riders(text) or doubts(text) or ([ALTERED] if sets_limit(text[:MAX_WORDS]) else [])
