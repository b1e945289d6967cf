"""Files that state no license but say what a license covers: ``.gitmodules`` and pip's ``RECORD``.

``.gitmodules`` names folders that hold other repositories: they stand on their own. The papers of
an installed Python package (``x-1.0.dist-info``) lie beside it, and the package need not be called
as they are: PyYAML's folder is ``yaml``. ``RECORD`` lists its files; ``installed-files.txt`` does
the same and ``top_level.txt`` names folders and modules, where older tools installed. What such a
file says is a row of EVIDENCE without an expression, whose rule carries the names.
"""

from __future__ import annotations

import csv
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from stackcurate.licenses import names

MATCHER = "listed"
MAX_BYTES = 1 << 24  # of a list: RECORD has some hundred bytes for each file of a package
MAX_NAMES = 1000  # of folders and files that one package covers; one with more covers nothing
_RULES = {names.MODULES: "apart:", names.INSTALLED: "covers:"}
# git-config(1): a value may stand in quotes; outside of them "#" and ";" begin a comment.
_MODULE = re.compile(r'(?mi)^[ \t]*path[ \t]*=[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|([^#;\n]*))')
# A folder that holds nothing else may be shared by packages, as "google" and "zope" are.
_SHARED = re.compile(r"__init__\.pyi?|py\.typed")
_INFO = (".dist-info", ".egg-info")
_INSTALLED = ("/site-packages", "/dist-packages")  # where packages lie side by side
_MAX_PATH = 4096  # characters: PATH_MAX of Linux
LISTS = ("RECORD", "installed-files.txt", "top_level.txt")  # the best first


class Listed(NamedTuple):
    """What one file lists, below the folder it speaks for; the names of folders end in "/"."""

    names: tuple[str, ...]
    evidence_id: str
    path: str


def rule(kind: str, name: str, data: bytes) -> str | None:
    """The rule of a file of ``names.LAYOUT_KINDS`` called ``name``; None where it lists nothing."""
    text = data.decode("utf-8", "replace")
    if kind == names.MODULES:
        found: Iterable[str] = (f"{one}/" for one in map(_inside, _modules(text)) if one)
    else:
        found = _installed(name.rpartition("/")[2], text)
    listed = sorted(set(found))
    if kind == names.MODULES and not listed:
        return None
    told = _RULES[kind] + ("" if kind == names.MODULES else name.rpartition("/")[2])
    if kind == names.INSTALLED and len(listed) > MAX_NAMES:
        return f"{told} [] more than {MAX_NAMES} names"
    return f"{told} {json.dumps(listed, ensure_ascii=False)}"


def is_of(rule_: str, name: str) -> bool:
    """Whether a rule is that of a file called ``name``: the same bytes may lie under several."""
    file = rule_.partition(" ")[0].removeprefix(_RULES[names.INSTALLED])
    return file in (name, _RULES[names.MODULES])


def without(kind: str, rule_: str, told: Callable[[str], bool]) -> str:
    """A rule without the names that may not be told, which are words of a file and no paths yet.

    A package does not cover them; of submodules the folder above stands on its own.
    """
    kept = set()
    for name in listed_by(rule_):
        while name and not told(name):
            above_ = name.rstrip("/").rpartition("/")[0]
            name = f"{above_}/" if above_ and kind == names.MODULES else ""
        kept.add(name)
    listed = json.dumps(sorted(kept - {""}), ensure_ascii=False)
    return f"{rule_.partition(' ')[0]} {listed}"


def listed_by(rule_: str) -> tuple[str, ...]:
    """The names that a rule carries."""
    return tuple(json.JSONDecoder().raw_decode(rule_.partition(" ")[2])[0])


def better(one: Listed, other: Listed | None) -> bool:
    """Whether ``one`` knows more exactly what a package holds."""

    def place(listed: Listed) -> int:
        return LISTS.index(listed.path.rpartition("/")[2])

    return other is None or place(one) < place(other)


def is_info(folder: str) -> bool:
    """Whether a folder holds the papers of a Python package."""
    return folder.endswith(_INFO) and _package(folder) != ""


def _package(info: str) -> str:
    """The name that the papers of a package are called by, without its version."""
    return info.rpartition("/")[2].rpartition(".")[0].partition("-")[0]


def above(info: str) -> str:
    """The folder that the papers ``info`` of a Python package lie in."""
    return info.rpartition("/")[0]


def by_name(info: str) -> str:
    """What papers speak for where nothing lists it: the folder above, or one of their name.

    Where Python installs packages, many lie side by side.
    """
    there = above(info)
    return f"{there}/{_package(info)}" if there.endswith(_INSTALLED) else there


def covered(info: str, listed: Listed | None, crowded: bool) -> list[str]:
    """What the papers ``info`` speak for; the names of folders end in "/".

    ``crowded`` says that the papers of several packages lie side by side there. An egg-info that
    lies by itself belongs to the project around it, whatever it lists.
    """
    there = above(info)
    crowded = crowded or there.endswith(_INSTALLED)
    if listed is not None and (crowded or info.endswith(".dist-info")):
        return [f"{info}/", *(f"{there}/{name}" for name in listed.names)]
    return [f"{info}/", f"{there}/{_package(info)}/"] if crowded else [f"{there}/"]


def _modules(text: str) -> Iterator[str]:
    for quoted, plain in _MODULE.findall(text):
        yield re.sub(r"\\(.)", r"\1", quoted) if quoted else plain.strip()


def _installed(name: str, text: str) -> Iterator[str]:
    """The folders and files of a package, as far down as no other package shares them."""
    if name == "top_level.txt":
        tops = (_inside(line.strip()) for line in text.splitlines())
        return (one for top in tops if top for one in (f"{top}/", f"{top}.py"))
    lines = text.splitlines()
    if name == "RECORD":
        files = [_first(line) for line in lines]
    else:  # relative to the papers
        files = [posixpath.join("i.egg-info", line) for line in lines]
    return _tops([one for one in map(_inside, files) if one])


def _first(line: str) -> str:
    """The first field of a line of CSV; nothing where it is none."""
    if '"' not in line:
        return line.partition(",")[0]
    try:
        return next(csv.reader([line]), [""])[0]
    except csv.Error:  # a field without an end, say
        return ""


def _tops(files: Iterable[str]) -> Iterator[str]:
    known = [
        one for one in files
        if not (one.endswith(".pyc") or is_info(f"/{one.partition('/')[0]}"))
    ]  # fmt: skip
    own = {
        folder
        for folder, _, name in (one.rpartition("/") for one in known)
        if not _SHARED.fullmatch(name)
    }
    for one in known:
        ends = (at.start() for at in re.finditer("/", one))
        yield next((f"{one[:end]}/" for end in ends if one[:end] in own), one)


def _inside(name: str) -> str | None:
    """A name as a path below its folder; None where it is none."""
    if not name or name.startswith("/") or "\0" in name or len(name) > _MAX_PATH:
        return None
    path = posixpath.normpath(name)
    return None if path in (".", "..") or path.startswith("../") else path
