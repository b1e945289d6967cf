"""What lies in a folder of this machine: the files that are asked about, and those that answer."""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stackcurate.errors import InputError
from stackcurate.licenses.names import folders_above

_PAPERS = ("/debian", "/.reuse", "/LICENSES")  # folders whose files speak for the one above
_REPOSITORY = (".git", ".hg", ".svn")  # what the root of a repository has
_MODULES = ".gitmodules"
_MODULE = re.compile(r"(?m)^\s*path\s*=\s*(\S.*?)\s*$")


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
    alone: list[str]  # folders that stand alone


def files_of(path: Path) -> Files:
    """The file, or all files of the folder. Raises InputError where ``path`` does not exist."""
    if not path.exists():
        raise InputError(f"{path} does not exist", "missing")
    root = root_of(path)
    asked = Path(os.path.abspath(path))
    inside = "" if asked == root else "/" + asked.relative_to(root).as_posix()
    alone = {one for folder in folders_above(inside) for one in _submodules(root, folder)}
    if path.is_file():
        return Files(root, [inside], [], sorted(alone))
    found: list[str] = []
    links: list[str] = []
    for folder, subfolders, files in os.walk(asked):
        within = Path(folder).relative_to(root).as_posix()
        prefix = "/" if within == "." else f"/{within}/"
        if ".git" in (*subfolders, *files):
            alone.add(prefix.rstrip("/"))
        if _MODULES in files:
            alone.update(_submodules(root, prefix.rstrip("/")))
        subfolders[:] = sorted(name for name in subfolders if name not in _REPOSITORY)
        for name in files:
            if name.isprintable():
                (links if (Path(folder) / name).is_symlink() else found).append(prefix + name)
    return Files(root, sorted(found), sorted(links), sorted(alone))


def _submodules(root: Path, folder: str) -> Iterator[str]:
    """The folders that the .gitmodules of ``folder`` names, whether or not git is there."""
    said = read(root, f"{folder}/{_MODULES}", 1 << 20).decode("utf-8", "replace")
    for found in _MODULE.findall(said):
        path = posixpath.normpath(f"{folder}/{found}")
        if path.startswith(f"{folder}/") and path != "/":
            yield path


def above(root: Path, path: str) -> list[str]:
    """The files of every folder from ``root`` down to a file's own, and their papers; sorted."""
    found = []
    for folder in folders_above(path):
        child = path[len(folder) + 1 :].partition("/")[0]
        for papers in ("", *_PAPERS, *_installed(root, folder, child)):
            here = root / f"{folder}{papers}"[1:]
            if not papers or here.is_dir():
                names = (p.name for p in here.iterdir() if p.is_file())
                found += [f"{folder}{papers}/{name}" for name in names if name.isprintable()]
    return sorted(found)


def _installed(root: Path, folder: str, child: str) -> list[str]:
    """The papers of a Python package ``child`` that lies in ``folder`` with many others."""
    if not folder.endswith(("/site-packages", "/dist-packages")):
        return []
    infos = [f"/{one.name}" for one in (root / folder[1:]).glob(f"{glob.escape(child)}-*-info")]
    return sorted(infos + [f"{one}/licenses" for one in infos])


def read_paper(root: Path, path: str, limit: int) -> bytes:
    """As ``read``, but of a link what it says, as git would check it out without links."""
    try:
        return os.fsencode(os.readlink(root / path[1:]))
    except OSError:
        return read(root, path, limit)


def read(root: Path, path: str, limit: int) -> bytes:
    """The first bytes of a file below ``root``; none where it cannot be read."""
    try:
        with open(root / path[1:], "rb") as stream:
            return stream.read(limit)
    except OSError:
        return b""
