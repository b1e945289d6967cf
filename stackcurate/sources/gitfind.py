"""Finds git repositories below a folder, and stays inside that folder while it does."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from stackcurate.errors import ConfigError, InputError
from stackcurate.sources.base import Container

_DEEPEST = 32


def find_repositories(path: Path) -> list[Container]:
    """Every repository at or below ``path``, sorted by key.

    A repository's key is its path below ``path``; ``path`` itself has its own name for a key.
    Symbolic links are not followed, and nothing is searched inside a repository.
    """
    if not path.is_dir():
        raise ConfigError(f"git source: {path} is not a folder")
    if _git_folder_of(path) is not None:
        found = [path]
    else:
        found = sorted(_search(path, 0))
    if not found:
        raise ConfigError(f"git source: there is no git repository at or below {path}")
    containers = []
    for one in found:
        key = one.relative_to(path).as_posix() if one != path else path.resolve().name
        size, stamp = _state(_git_folder_of(one) or one)
        containers.append(Container(key, size, stamp))
    return sorted(containers, key=lambda container: container.key)


def git_folder(path: Path, key: str) -> Path:
    """The git folder (`x/.git`, or `x` where it is bare) of the repository with ``key``.

    Raises InputError where it is gone, or where a `.git` file or a link inside it leaves ``path``:
    a copied repository must not make another one on this machine public.
    """
    repository = path if _git_folder_of(path) is not None else path / key
    folder = _git_folder_of(repository)
    if folder is None:
        raise InputError(f"{key}: there is no git repository any more", "missing")
    folder = folder.resolve()
    if repository != path:
        top = path.resolve()
        parts = (folder, *(folder / part for part in ("HEAD", "objects", "refs", "packed-refs")))
        for part in (*parts, common_folder(folder)):
            if not part.resolve().is_relative_to(top):
                raise InputError(f"{key}: its git folder lies outside of the source", "outside")
    return folder


def _search(folder: Path, depth: int) -> Iterator[Path]:
    if _git_folder_of(folder) is not None:
        yield folder
        return
    if depth >= _DEEPEST:
        return
    try:
        with os.scandir(folder) as entries:
            inner = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in inner:
        yield from _search(folder / name, depth + 1)


def _git_folder_of(folder: Path) -> Path | None:
    """The git folder of a repository whose top is ``folder``; None where it is not one."""
    inside = folder / ".git"
    try:
        if inside.is_dir():
            return inside if _looks_bare(inside) else None
        if inside.is_file() and inside.stat().st_size < 65_536:
            text = os.fsdecode(inside.read_bytes()).strip()
            target = folder / text.removeprefix("gitdir:").strip()
            return target if text.startswith("gitdir:") and target.is_dir() else None
    except (OSError, ValueError):
        return None
    return folder if _looks_bare(folder) else None


def _looks_bare(folder: Path) -> bool:
    """Whether ``folder`` has what git wants of a git folder, also where HEAD is a dangling link."""
    return os.path.lexists(folder / "HEAD") and (folder / "objects").is_dir()


def common_folder(folder: Path) -> Path:
    """Where objects and config lie: a linked work tree names the place in ``commondir``."""
    try:
        return folder / os.fsdecode((folder / "commondir").read_bytes()).strip()
    except (OSError, ValueError):
        return folder


def _state(folder: Path) -> tuple[int, str]:
    """Bytes of the objects, and a digest over what changes when refs or objects do.

    Names, sizes and times of everything but loose objects, of which names and sizes say enough.
    """
    size = 0
    lines: list[str] = []
    for number, top in enumerate(dict.fromkeys((folder, common_folder(folder)))):
        for part in ("", "refs", "reftable"):
            for name, about in _scan(top / part, recursive=part == "refs"):
                lines.append(f"{number}/{part}/{name} {about.st_size} {about.st_mtime_ns}")
        for name, about in _scan(top / "objects", recursive=True):
            loose = len(name) == 41 and name[2] == "/"
            size += about.st_size
            lines.append(f"{name} {about.st_size} {0 if loose else about.st_mtime_ns}")
    return size, hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _scan(folder: Path, recursive: bool) -> Iterator[tuple[str, os.stat_result]]:
    """(relative name, lstat) of what lies in ``folder``, folders included."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        name = ascii(entry.name)[1:-1]
        try:
            about = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        yield name, about
        if recursive and entry.is_dir(follow_symlinks=False):
            for inner, about in _scan(Path(entry.path), recursive):
                yield f"{name}/{inner}", about
