"""What lies in a folder of this machine: the files that are asked about, and those that answer."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from stackcurate.errors import InputError
from stackcurate.licenses import layout
from stackcurate.licenses.links import NOWHERE, Way
from stackcurate.licenses.names import INSTALLED, folders_above

_PAPERS = (
    "/debian",
    "/.reuse",
    "/LICENSES",
    "/META-INF",
    "/EGG-INFO",
)  # folders whose files speak for the one above
_REPOSITORY = (".git", ".hg", ".svn")  # what the root of a repository has


def root_of(path: Path) -> Path:
    """The repository that ``path`` lies in; else its folder, or itself where it is one."""
    asked = Path(os.path.abspath(path))
    folder = asked if path.is_dir() else asked.parent
    above = (folder, *folder.parents)
    return next(
        (one for one in above if any((one / sign).exists() for sign in _REPOSITORY)), folder
    )


class Files(NamedTuple):
    """What is asked about, as "/a/b" below the root, sorted."""

    root: Path
    paths: list[str]  # to report
    links: list[str]  # not reported, but a link named LICENSE says where the license is
    alone: list[str]  # folders in which git says that they stand alone


def files_of(path: Path) -> Files:
    """The file, or all files of the folder. Raises InputError where ``path`` does not exist."""
    if not path.exists():
        raise InputError(f"{path} does not exist", "missing")
    root = root_of(path)
    asked = Path(os.path.abspath(path))
    inside = "" if asked == root else "/" + asked.relative_to(root).as_posix()
    if path.is_file():
        return Files(root, [inside], [], [])
    alone: set[str] = set()
    found: list[str] = []
    links: list[str] = []
    for folder, subfolders, files in os.walk(asked):
        within = Path(folder).relative_to(root).as_posix()
        prefix = "/" if within == "." else f"/{within}/"
        if ".git" in (*subfolders, *files):
            alone.add(prefix.rstrip("/"))
        subfolders[:] = sorted(name for name in subfolders if name not in _REPOSITORY)
        for name in files:
            if name.isprintable():
                (links if (Path(folder) / name).is_symlink() else found).append(prefix + name)
    return Files(root, sorted(found), sorted(links), sorted(alone))


def above(root: Path, path: str) -> list[str]:
    """The files of every folder from ``root`` down to a file's own, and their papers; sorted."""
    found = []
    for folder in folders_above(path):
        child = path[len(folder) + 1 :]
        for papers in ("", *_PAPERS, *_installed(root, folder, child)):
            here = root / f"{folder}{papers}"[1:]
            if not papers or here.is_dir():
                names = (p.name for p in here.iterdir() if p.is_file() or p.is_symlink())
                found += [f"{folder}{papers}/{name}" for name in names if name.isprintable()]
    return sorted(found)


def _installed(root: Path, folder: str, child: str) -> list[str]:
    """The papers of Python packages in ``folder`` that may speak for ``child`` below it."""
    infos = sorted(
        f"/{one.name}" for one in (root / folder[1:]).glob("*.*-info")
        if layout.is_info(f"/{one.name}") and one.name.isprintable()
    )  # fmt: skip
    mine = [one for one in infos if _speaks(root, folder, one, child, len(infos) > 1)]
    return [papers for one in mine for papers in (one, f"{one}/licenses")]


def _speaks(root: Path, folder: str, info: str, child: str, crowded: bool) -> bool:
    voice = f"{folder}{info}"
    listed: layout.Listed | None = None
    for name in layout.LISTS:
        data = read(root, f"{voice}/{name}", layout.MAX_BYTES)
        rule = layout.rule(INSTALLED, name, data) if data and listed is None else None
        if rule is not None:
            listed = layout.Listed(layout.listed_by(rule), "", f"{voice}/{name}")
    asked = f"{folder}/{child}/"
    places = (f"{one.removesuffix('/')}/" for one in layout.covered(voice, listed, crowded))
    # Who asks about a folder asks about what speaks for parts of it, too.
    return any(asked.startswith(one) or one.startswith(asked) for one in places)


def follow(root: Path, path: str) -> Way:
    """The way from the link ``path`` below ``root``; neither end nor why where it is a folder's."""
    way = Way(os.fsencode(path))
    top = os.fsencode(root)
    while way.is_open:
        known = {}
        for one in way.ahead():
            with contextlib.suppress(OSError):
                known[one] = os.readlink(top + one)
        way.go(known)
    if way.end is not None and os.path.isdir(top + way.end):
        way.end = None
    elif way.end is not None and not os.path.isfile(top + way.end):
        way.why = NOWHERE
    return way


def read(root: Path, path: str, limit: int) -> bytes:
    """The first bytes of a file below ``root``; none where it cannot be read."""
    try:
        with open(root / path[1:], "rb") as stream:
            return stream.read(limit)
    except OSError:
        return b""
