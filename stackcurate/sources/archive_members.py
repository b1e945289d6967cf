"""Turns the members of an archive into the files that extracting it would leave, refusing traps.

Nothing is ever extracted; the rules here say what a careful extraction would do, so that paths,
duplicates and the directory id are those of the extracted tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from stackcurate.sources.base import Problem
from stackcurate.sources.ids import (
    MODE_EXECUTABLE,
    MODE_FILE,
    MODE_SYMLINK,
    MODE_TREE,
    ContentHasher,
    directory_id,
)

MAX_PATH = 4096  # bytes, PATH_MAX of Linux
_DRIVE = re.compile(rb"[A-Za-z]:")


@dataclass(frozen=True)
class Limits:
    """What an archive may claim before a member of it is refused as a bomb.

    Text seldom shrinks below a thirtieth, and deflate ends at 1:1032; small members are not judged.
    """

    max_files: int = 2_000_000
    max_member_bytes: int = 1 << 30
    max_total_bytes: int = 16 << 30
    max_ratio: int = 200
    member_floor: int = 16 << 20  # bytes; a smaller member is no bomb
    total_floor: int = 256 << 20  # bytes; a smaller archive is no bomb

    def bad_member(self, size: int, taken: int) -> str | None:
        """Why a member of ``size`` bytes that took ``taken`` compressed bytes is refused."""
        if size > self.max_member_bytes:
            return f"{size} bytes, more than max_member_bytes = {self.max_member_bytes}"
        if size > self.member_floor and size > self.max_ratio * max(taken, 1):
            return f"{size} bytes out of fewer than {size // self.max_ratio}"
        return None

    def bad_total(self, size: int, taken: int) -> str | None:
        """Why members of ``size`` bytes altogether are too many for ``taken`` compressed bytes."""
        if size > self.max_total_bytes:
            return f"the archive holds more than max_total_bytes = {self.max_total_bytes}"
        if size > self.total_floor and size > self.max_ratio * max(taken, 1):
            return f"the archive grows to more than {self.max_ratio} times its size"
        return None


class Bomb(ValueError):
    """The archive grows beyond its limits; the message says which."""


@dataclass
class Member:
    """One entry of an archive. ``ordinal`` is its place; ``data`` of a hard link its target's."""

    ordinal: int
    raw: bytes  # the name as recorded
    kind: str  # file, folder, link, hard, special
    size: int | None = None
    executable: bool = False
    target: bytes = b""
    content_id: bytes | None = None
    blob_id: bytes | None = None
    verdict: str | None = None
    note: str | None = None
    path: bytes = b""  # relative, set by settle()
    data: int = -1

    def refuse(self, verdict: str, note: str) -> None:
        """Set the verdict, unless there is one."""
        if self.verdict is None:
            self.verdict, self.note = verdict, note

    @property
    def mode(self) -> int | None:
        """As git would write it."""
        if self.kind == "link":
            return MODE_SYMLINK
        if self.kind in ("file", "hard"):
            return MODE_EXECUTABLE if self.executable else MODE_FILE
        return None


@dataclass
class Scan:
    """What one pass over an archive found; ``settle`` completes it."""

    members: list[Member] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""  # SHA-256 (hex) of the archive
    whole: bool = True  # False where the end was not reached
    too_many: str | None = None  # why an archive of too many members is set aside
    top: bytes | None = None  # the single top folder that was stripped
    directory: bytes | None = None  # directory id; None where something was refused

    def give_up(self, limits: Limits) -> bool:
        """True, and nothing listed, where there are more members than allowed."""
        if len(self.members) <= limits.max_files:
            return False
        self.too_many = f"more than max_files = {limits.max_files} files"
        self.problems.append(Problem("", "too_many_files", self.too_many))
        self.members.clear()
        self.whole = False
        return True


def clean_name(raw: bytes) -> bytes | str:
    """A member's name as a relative path without ``.`` parts; text says why it is refused."""
    if b"\0" in raw or not raw:
        return "not a file name"
    if raw.startswith((b"/", b"\\")) or _DRIVE.match(raw):
        return "an absolute path"
    if b".." in re.split(rb"[/\\]", raw):
        return "a path that climbs out of the archive"
    path = b"/".join(part for part in raw.split(b"/") if part not in (b"", b"."))
    if len(path) > MAX_PATH:
        return f"the path is longer than {MAX_PATH} bytes"
    return path


def hash_link(member: Member) -> None:
    """A symbolic link's content is its target, as in git."""
    hasher = ContentHasher(len(member.target))
    hasher.update(member.target)
    member.size = len(member.target)
    member.content_id, member.blob_id = hasher.content_id, hasher.blob_id


def settle(scan: Scan, strip: bool) -> None:
    """Decide paths, duplicates and links of all members, strip the top folder, compute the id."""
    for member in scan.members:
        cleaned = clean_name(member.raw)
        if isinstance(cleaned, str):
            member.path = member.raw.lstrip(b"/")[:MAX_PATH]
            member.refuse("source:unsafe_path", cleaned)
        else:
            member.path = cleaned
    tree = _Tree()
    for member in scan.members:
        if member.verdict is None or member.kind != "folder":
            tree.add(member)
    scan.top = _single_top(tree) if strip else None
    if scan.top is not None:
        for member in scan.members:
            if member.path.startswith(scan.top + b"/"):
                member.path = member.path[len(scan.top) + 1 :]
    for member in tree.files.values():
        if member.kind == "link" and member.verdict is None:
            _judge_link(member)
    if scan.whole and not any(map(_left_out, scan.members)):
        scan.directory = tree.directory(scan.top)


def _left_out(member: Member) -> bool:
    """Whether the tree lacks this member, so that its id would not be the extracted tree's."""
    if member.verdict == "source:unsafe_link":
        return member.kind == "hard"
    return member.verdict not in (None, "source:symlink", "source:skipped")


class _Tree:
    """Names as extraction would leave them: of equal names the last member stays."""

    def __init__(self) -> None:
        self.files: dict[bytes, Member] = {}
        self.folders: set[bytes] = {b""}

    def add(self, member: Member) -> None:
        path = member.path
        if member.verdict == "source:unsafe_path":
            return
        if member.kind == "folder":
            if path in self.files:
                member.refuse("source:unsafe_path", "a folder where a file lies")
            elif self._open_way(member, path):
                self.folders.add(path)
            return
        if not path or path in self.folders:
            member.refuse("source:unsafe_path", "a file where a folder lies")
            return
        if not self._open_way(member, path.rpartition(b"/")[0]):
            return
        if member.kind == "hard":
            self._follow(member)
        earlier = self.files.get(path)
        if earlier is not None:
            earlier.verdict = "source:skipped"
            earlier.note = "a later member has the same name"
        self.files[path] = member

    def _open_way(self, member: Member, folder: bytes) -> bool:
        """Make the folders above; False, and refused, where one of them is a file or a link."""
        missing = []
        while folder not in self.folders:
            if folder in self.files:
                member.refuse("source:unsafe_path", "its folder is a file or a link")
                return False
            missing.append(folder)
            folder = folder.rpartition(b"/")[0]
        self.folders.update(missing)
        return True

    def _follow(self, member: Member) -> None:
        """A hard link has its target's content: the member that holds the name by now."""
        name = clean_name(member.target)
        found = self.files.get(name) if isinstance(name, bytes) else None
        if found is None or found.kind not in ("file", "hard") or found.verdict is not None:
            member.refuse("source:unsafe_link", "a hard link to nothing in the archive")
            return
        member.size, member.data = found.size, found.data
        member.content_id, member.blob_id = found.content_id, found.blob_id
        member.executable = found.executable

    def directory(self, top: bytes | None) -> bytes:
        """The directory id of the tree below ``top``, empty folders included."""
        children: dict[bytes, list[tuple[int, bytes, bytes]]] = {one: [] for one in self.folders}
        for path, member in self.files.items():
            folder, _, name = path.rpartition(b"/")
            assert member.mode is not None and member.content_id is not None
            children[folder].append((member.mode, name, member.content_id))
        # Below before above: a folder's path is longer than that of the one that holds it.
        for path in sorted(self.folders, key=len, reverse=True):
            one = directory_id(children[path])
            if path == (top or b""):
                return one
            folder, _, name = path.rpartition(b"/")
            children[folder].append((MODE_TREE, name, one))
        raise AssertionError("the top is one of the folders")


def _single_top(tree: _Tree) -> bytes | None:
    """The one folder that everything lies in; None where there is more or nothing in it."""
    if not tree.files:
        return None
    tops = {path.partition(b"/")[0] for path in (*tree.files, *tree.folders) if path}
    top = tops.pop()
    return top if not tops and top in tree.folders else None


def _judge_link(member: Member) -> None:
    """A link is not a file; one that leaves the tree is named as such."""
    depth = member.path.count(b"/")
    target = member.target
    safe = not target.startswith((b"/", b"\\")) and not _DRIVE.match(target)
    for part in target.split(b"/"):
        if part == b"..":
            depth -= 1
            safe = safe and depth >= 0
        elif part not in (b"", b"."):
            depth += 1
    member.verdict = "source:symlink" if safe else "source:unsafe_link"
    member.note = None if safe else "the link leaves the archive"


def file_members(members: Iterable[Member]) -> list[Member]:
    """What is listed: everything but folders."""
    return [member for member in members if member.kind != "folder" or member.verdict]
