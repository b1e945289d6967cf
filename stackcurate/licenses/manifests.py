"""What package manifests declare, read by real parsers, never by running them.

Sizes are bounded, entity definitions in XML are refused, setup.py is parsed and not executed. Words
that people write for licenses ("Apache 2.0", "BSD") become SPDX ids through the known texts; what
stays unclear is no statement.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import sys
from collections.abc import Callable, Iterable
from email.parser import HeaderParser
from typing import Any, NamedTuple
from xml.etree import ElementTree

import yaml

from stackcurate.licenses import texts
from stackcurate.licenses import words as w
from stackcurate.licenses.expression import combine, known, normalize

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 1 << 20  # of one manifest; a package.json of a hundred times the usual size fits
MAX_SLOW = 1 << 18  # where the parser is slow (YAML, 100 KB/s) or recursive (Python)
MAX_TOML = 400_000
MAX_DOTS = 64  # of a line of TOML, outside of its strings
MAX_DEPTH = 200  # of nesting in JSON and YAML, by counting brackets before parsing

# What trove classifiers say, where it is one license (PyPI's list of classifiers, "License ::").
TROVE = {
    "Academic Free License (AFL)": "AFL-3.0",
    "Apache Software License": "Apache-2.0",
    "Artistic License": "Artistic-2.0",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "BSD License": "BSD-3-Clause",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "CMU License (MIT-CMU)": "MIT-CMU",
    "Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License (GPL)": "GPL-1.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-2.0-or-later",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    "Public Domain": "LicenseRef-scancode-public-domain",
    "Python Software Foundation License": "PSF-2.0",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "University of Illinois/NCSA Open Source License": "NCSA",
    "W3C License": "W3C",
    "zlib/libpng License": "Zlib",
    "Zope Public License": "ZPL-2.1",
}
# Declared names that no known text settles, in lower case.
_SPOKEN = {
    "apache": "Apache-2.0", "apache2": "Apache-2.0", "apache-2": "Apache-2.0", "asl2": "Apache-2.0",
    "asl 2.0": "Apache-2.0", "al2": "Apache-2.0", "bsd": "BSD-3-Clause", "new bsd": "BSD-3-Clause",
    "bsd-3": "BSD-3-Clause", "bsd3": "BSD-3-Clause", "3-clause bsd": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause", "bsd-2": "BSD-2-Clause", "bsd2": "BSD-2-Clause",
    "2-clause bsd": "BSD-2-Clause", "simplified bsd": "BSD-2-Clause", "bsd_3_clause": "BSD-3-Clause",  # noqa: E501
    "bsd_2_clause": "BSD-2-Clause", "expat": "MIT", "mit/x11": "MIT", "mit/expat": "MIT",
    "gpl": "GPL-1.0-or-later", "gplv2": "GPL-2.0-only", "gpl2": "GPL-2.0-only", "gpl-2": "GPL-2.0-only",  # noqa: E501
    "gplv3": "GPL-3.0-only", "gpl3": "GPL-3.0-only", "gpl-3": "GPL-3.0-only",
    "gplv2+": "GPL-2.0-or-later", "gplv3+": "GPL-3.0-or-later", "gpl-2+": "GPL-2.0-or-later",
    "gpl-3+": "GPL-3.0-or-later", "gpl-1+": "GPL-1.0-or-later", "lgpl": "LGPL-2.0-or-later",
    "lgplv3": "LGPL-3.0-only", "lgpl-3": "LGPL-3.0-only", "lgpl-3+": "LGPL-3.0-or-later",
    "lgpl-2.1+": "LGPL-2.1-or-later", "lgplv2.1": "LGPL-2.1-only", "lgpl-2+": "LGPL-2.0-or-later",
    "lgplv3+": "LGPL-3.0-or-later", "lgplv2+": "LGPL-2.0-or-later", "agplv3": "AGPL-3.0-only",
    "agpl-3": "AGPL-3.0-only", "agpl-3+": "AGPL-3.0-or-later", "agpl": "AGPL-3.0-or-later",
    "mpl": "MPL-2.0", "mpl2": "MPL-2.0", "mplv2": "MPL-2.0", "psf": "PSF-2.0", "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",  # noqa: E501
    "perl_5": "Artistic-1.0-Perl OR GPL-1.0-or-later", "apache_2_0": "Apache-2.0",
    "gpl_1": "GPL-1.0-only", "gpl_2": "GPL-2.0-only", "gpl_3": "GPL-3.0-only", "lgpl_2_1": "LGPL-2.1-only",  # noqa: E501
    "lgpl_3_0": "LGPL-3.0-only", "artistic_2": "Artistic-2.0", "artistic_1": "Artistic-1.0",
    "mozilla_1_1": "MPL-1.1", "agpl_3": "AGPL-3.0-only", "artistic": "Artistic-1.0-Perl",
    "publicdomain": "LicenseRef-scancode-public-domain",
    "allrightsreserved": "LicenseRef-scancode-proprietary-license",
    "public domain": "LicenseRef-scancode-public-domain",
    "public-domain": "LicenseRef-scancode-public-domain", "pd": "LicenseRef-scancode-public-domain",
    "proprietary": "LicenseRef-scancode-proprietary-license",
    "unlicensed": "LicenseRef-scancode-proprietary-license",
    "all rights reserved": "LicenseRef-scancode-proprietary-license",
    "commercial": "LicenseRef-scancode-commercial-license",
}  # fmt: skip


_TOML_STRING = re.compile(rb"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
UNKNOWN = "LicenseRef-scancode-unknown"  # a license is declared that cannot be read
# Values that declare nothing: they are empty, or point to a file that speaks for itself.
_ELSEWHERE = re.compile(
    r"\s*(?:$|see\b|file:|unknown$|none$|noassertion$|n/?a$|todo|other$|custom$|license\b|copying\b|dual license)",  # noqa: E501
    re.I,
)


class Declared(NamedTuple):
    """A declared license: SPDX expression, byte span of its value, and which key."""

    expression: str
    start: int
    end: int
    rule: str


class Stated(NamedTuple):
    """A declaration as written: the raw values, how several combine, and the key they stand at."""

    values: list[str]
    key: str
    word: str = "AND"


def spoken(text: str) -> str | None:
    """The SPDX expression that people mean by a declared ``text``, or None."""
    text = " ".join(text.split())
    if len(text) > 2000 or _ELSEWHERE.match(text):
        return None
    direct = _SPOKEN.get(text.lower())
    if direct is not None:
        return direct
    expression = normalize(text)
    if expression is not None and known(expression):
        return expression
    short = re.sub(r"(?i)^the | licen[cs]es?$|, see .*$", "", text).strip()
    direct = _SPOKEN.get(short.lower())
    if direct is not None:
        return direct
    index = texts.load()
    for said in (text, f"license: {text}", f"{text} license"):
        match = texts.whole(index, w.words(said.encode("utf-8", "replace")))
        if match is not None and match.expression and known(match.expression):
            return match.expression
    # Cargo's slash and "MIT, Apache-2.0" offer and list; both sides must be known to believe it.
    for sign, word in (("/", "OR"), ("|", "OR"), (" or ", "OR"), (" and ", "AND"), (",", "AND")):
        parts = [part.strip() for part in re.split(re.escape(sign), text, flags=re.I)]
        if 1 < len(parts) <= 8 and all(parts):
            sides = [spoken(part) for part in parts]
            if all(sides):
                return combine([side for side in sides if side], word)
    return None


# --- one reader per kind of manifest --------------------------------------------------------------


def _strings(value: Any) -> list[str]:
    """Every license name in a JSON value: a string, {"type": …}, or a list of them."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key in ("type", "name", "license") for text in _strings(value.get(key))][
            :1
        ]
    if isinstance(value, list):
        return [text for entry in value[:50] for text in _strings(entry)]
    return []


def _deep(data: bytes) -> bool:
    depth = deepest = 0
    for byte in re.findall(rb"[\[\]{}]", data):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_DEPTH


def _json(data: bytes) -> Any:
    return {} if _deep(data) else json.loads(data.decode("utf-8-sig"))


def _package_json(data: bytes) -> Stated | None:
    package = _json(data)
    if package.get("license"):
        return Stated(_strings(package["license"]), "license")
    return Stated(_strings(package.get("licenses")), "licenses", "OR")


def _composer(data: bytes) -> Stated | None:
    return Stated(_strings(_json(data).get("license")), "license", "OR")


def _meta_json(data: bytes) -> Stated | None:
    return Stated(_strings(_json(data).get("license")), "license")


def toml(data: bytes) -> dict[str, Any]:
    """A TOML document of bounded cost. Raises ValueError where it is none, or nests too deeply.

    Keys of many dots cost the parser their square, in time and memory: 200 KB of them are 40 GB.
    """
    bare = _TOML_STRING.sub(b'""', data)
    if len(data) > MAX_TOML or _deep(data):
        raise ValueError("too long or too deep")
    if any(line.count(b".") > MAX_DOTS for line in bare.split(b"\n")):
        raise ValueError("too many dots")
    return tomllib.loads(data.decode("utf-8-sig"))


def _pyproject(data: bytes) -> Stated | None:
    document = toml(data)
    project = document.get("project", {})
    license_ = project.get("license")
    if isinstance(license_, str):
        return Stated([license_], "project.license")
    if isinstance(license_, dict) and isinstance(license_.get("text"), str):
        return Stated([license_["text"]], "project.license.text")
    poetry = document.get("tool", {}).get("poetry", {})
    if isinstance(poetry.get("license"), str):
        return Stated([poetry["license"]], "tool.poetry.license")
    return _trove(project.get("classifiers") or poetry.get("classifiers") or (), "classifiers")


def _cargo(data: bytes) -> Stated | None:
    document = toml(data)
    for table in (document.get("package", {}), document.get("workspace", {}).get("package", {})):
        if isinstance(table.get("license"), str):
            return Stated([table["license"].replace("/", " OR ")], "package.license")
    return None


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


def _setup_cfg(data: bytes) -> Stated | None:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(data.decode("utf-8-sig"))
    if parser.has_option("metadata", "license"):
        value = parser.get("metadata", "license")
        if not value.strip().startswith("file:") and spoken(value):
            return Stated([value], "metadata.license")
    if parser.has_option("metadata", "classifiers"):
        return _trove(parser.get("metadata", "classifiers").splitlines(), "metadata.classifiers")
    return None


def _setup_py(data: bytes) -> Stated | None:
    names: dict[str, Any] = {}
    for node in ast.walk(ast.parse(data)):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                names.setdefault(target.id, node.value)
    stated: dict[str, Any] = {}
    for node in ast.walk(ast.parse(data)):
        called = getattr(node, "func", None)
        name = getattr(called, "attr", getattr(called, "id", None))
        if isinstance(node, ast.Call) and name == "setup":
            for word in node.keywords:
                value: Any = word.value
                if isinstance(value, ast.Name):
                    value = names.get(value.id, value)
                stated.setdefault(word.arg or "", value)
    license_ = getattr(stated.get("license"), "value", None)
    if isinstance(license_, str) and spoken(license_):
        return Stated([license_], "license")
    lines = getattr(stated.get("classifiers"), "elts", ())
    return _trove([getattr(line, "value", None) for line in lines], "classifiers")


def _headers(data: bytes) -> Any:
    return HeaderParser().parsestr(data.decode("utf-8", "replace")[:200_000])


def _metadata(data: bytes) -> Stated | None:
    message = _headers(data)
    if message.get("License-Expression"):
        return Stated([message["License-Expression"]], "License-Expression")
    stated = _trove(message.get_all("Classifier") or (), "Classifier")
    value = message.get("License")
    if value and len(value) < 200 and spoken(value):
        return Stated([value], "License")
    if not value:
        return stated
    # Some put the whole text there, and with it the licenses of what they bundle.
    found = w.words(value.encode("utf-8", "replace"))
    full = texts.whole(texts.load(), found)
    known = [full] if full else texts.matches(texts.load(), found)
    said = [m.expression for m in known if m.kind in (texts.TEXT, texts.NOTICE) and m.expression]
    both = [*(stated.values if stated else ()), *dict.fromkeys(said)]
    return Stated(both, "License") if both else None


def _description(data: bytes) -> Stated | None:
    value = _headers(data).get("License") or ""
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


def _xml(data: bytes) -> ElementTree.Element:
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", data, re.I) or b"\0" in data[:200]:
        raise ValueError("document types and entities are refused")
    return ElementTree.fromstring(data)


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2].lower()


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
    values = []
    for child in _xml(data):
        if _local(child) == "licenses":
            for license_ in child:
                said = {_local(e): (e.text or "").strip() for e in license_}
                values += [said.get("name") or _by_address(said.get("url", "")) or ""]
    return Stated(values, "licenses.license.name", "OR")


def _nuspec(data: bytes) -> Stated | None:
    for element in _xml(data).iter():
        if _local(element) == "license" and element.get("type") == "expression":
            return Stated([(element.text or "").strip()], "license")
        if _local(element) == "licenseurl" and element.text:
            found = _by_address(element.text)
            if found:
                return Stated([found], "licenseUrl")
    return None


def _package_xml(data: bytes) -> Stated | None:
    values = [(e.text or "").strip() for e in _xml(data) if _local(e) == "license"]
    return Stated(values, "license")


def _meta_yaml(data: bytes) -> Stated | None:
    text = re.sub(r"(?m)^\s*\{%.*?%\}\s*$|\{\{.*?\}\}", "", data.decode("utf-8-sig"))
    # Anchors can make a small text grow without end.
    if _deep(text.encode()) or re.search(r"(?:^|[\s\[{,:])&\w", text):
        return None
    document = yaml.safe_load(text)
    license_ = (document.get("about") or document).get("license")
    return Stated(_strings(license_), "about.license" if "about" in document else "license")


def _assignment(pattern: str, word: str) -> Callable[[bytes], Stated | None]:
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


_GEMSPEC = _assignment(r"^\s*\w+\.licenses?\s*=\s*(\[[^\]]{0,400}\]|[^\n]{1,200})", "AND")
_PODSPEC = _assignment(
    r"^\s*\w+\.license\s*=\s*(\{[^}]{0,400}?:type\s*=>\s*[^,}]{1,100}|[^\n]{1,200})", "OR"
)
_CABAL = _assignment(r"^license:[ \t]*([^\n]{1,200})", "AND")
_OPAM = _assignment(r"^license:\s*(\[[^\]]{0,400}\]|[^\n]{1,200})", "AND")
_ROCKSPEC = _assignment(r"^\s*license\s*=\s*([^\n]{1,200})", "AND")
_GRADLE_LICENSE = re.compile(
    r"\blicense\s{0,20}\{[^{}]{0,400}?\bname\s{0,20}(?:=|\.set\()?\s{0,20}[\"']([^\"'\n]{1,200})"
)


def _gradle(data: bytes) -> Stated | None:
    text = data.decode("utf-8", "replace")
    return Stated(_GRADLE_LICENSE.findall(text)[:8], "licenses.license.name", "OR")


def _reader(name: str) -> Callable[[bytes], Stated | None] | None:
    base = name.rpartition("/")[2]
    exact: dict[str, Callable[[bytes], Stated | None]] = {
        "package.json": _package_json, "bower.json": _package_json, "composer.json": _composer,
        "pyproject.toml": _pyproject, "cargo.toml": _cargo, "setup.cfg": _setup_cfg,
        "setup.py": _setup_py, "pkg-info": _metadata, "metadata": _metadata, "pom.xml": _pom,
        "package.xml": _package_xml, "meta.json": _meta_json, "meta.yaml": _meta_yaml,
        "meta.yml": _meta_yaml, "description": _description, "opam": _OPAM,
        "build.gradle": _gradle, "build.gradle.kts": _gradle, "pubspec.yaml": _meta_yaml,
    }  # fmt: skip
    endings: dict[str, Callable[[bytes], Stated | None]] = {
        ".gemspec": _GEMSPEC, ".cabal": _CABAL, ".nuspec": _nuspec, ".opam": _OPAM,
        ".podspec.json": _composer, ".podspec": _PODSPEC, ".rockspec": _ROCKSPEC,
    }  # fmt: skip
    lower = base.lower()
    if lower in exact:
        return exact[lower]
    return next((read for end, read in endings.items() if lower.endswith(end)), None)


def declared(name: str, data: bytes) -> Declared | None:
    """The license a manifest declares, or None where it declares none that can be read.

    ``name`` is its path; ``data`` its bytes, of which more than ``MAX_BYTES`` are refused. Several
    values bind together, or offer a choice where the format says so.
    """
    reader = _reader(name)
    if reader is None or len(data) > (MAX_SLOW if reader in (_setup_py, _meta_yaml) else MAX_BYTES):
        return None
    try:
        stated = reader(data)
    except (ValueError, TypeError, AttributeError, KeyError, SyntaxError, RecursionError,
            MemoryError, configparser.Error, yaml.YAMLError, ElementTree.ParseError):  # fmt: skip
        return None
    if stated is None or not stated.values:
        return None
    values = [value for value in stated.values if not _ELSEWHERE.match(value)]
    expression = combine([spoken(value) or UNKNOWN for value in values], stated.word)
    if expression is None:
        return None
    written = values[0].encode("utf-8", "replace")
    start = data.find(written)
    end = start + len(written) if start >= 0 else len(data)
    return Declared(expression, max(start, 0), end, f"{name.rpartition('/')[2]}:{stated.key}")
