"""Lists the files below a git tree, each distinct directory read once, however hostile the tree.

Directories are counted before they are expanded: a dozen objects can claim ten billion files, and
such a root is set aside in one row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from stackcurate.sources.base import Problem
from stackcurate.sources.gitobjects import (
    ObjectReader,
    is_tree,
    parse_tree,
    read_checked,
)
from stackcurate.sources.ids import MODE_SUBMODULE, MODE_SYMLINK
from stackcurate.sources.rows import Rows

MAX_PATH = 4096  # bytes; longer paths exist only to hurt (PATH_MAX of Linux)
_TYPE = 0o170000
_REGULAR = 0o100000


@dataclass
class Trees:
    """Every distinct directory below a root: its bytes, or why it cannot be read."""

    bodies: dict[bytes, bytes] = field(default_factory=dict)
    children: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    own: dict[bytes, int] = field(default_factory=dict)  # entries that are not directories
    broken: dict[bytes, Problem] = field(default_factory=dict)

    def load(self, reader: ObjectReader, root: bytes) -> None:
        """Read all directories below ``root``, level by level."""
        level = [] if root in self.own else [root]
        while level:
            for number, body in read_checked(reader, level, "tree"):
                self._add(level[number], body)
            found = (child for tree in level for child in self.children[tree])
            level = [tree for tree in dict.fromkeys(found) if tree not in self.own]

    def _add(self, tree: bytes, body: bytes | Problem) -> None:
        children: tuple[bytes, ...] = ()
        own = 1  # a directory that cannot be read is one row
        if isinstance(body, Problem):
            self.broken[tree] = body
        else:
            try:
                entries = parse_tree(body)
            except ValueError as error:
                self.broken[tree] = Problem(tree.hex(), "corrupt", str(error))
            else:
                self.bodies[tree] = body
                children = tuple(target for mode, _, target in entries if is_tree(mode))
                own = len(entries) - len(children)
        self.children[tree] = children
        self.own[tree] = own

    def count(self, root: bytes) -> int:
        """Files that expanding ``root`` gives: each directory is added up once."""
        total: dict[bytes, int] = {}
        stack = [root]
        while stack:
            tree = stack[-1]
            open_children = [child for child in self.children[tree] if child not in total]
            if open_children:
                stack.extend(open_children)
                continue
            total[tree] = self.own[tree] + sum(total[child] for child in self.children[tree])
            stack.pop()
        return total[root]


def list_root(
    folder: Path, trees: Trees, root: bytes, container: str, max_files: int
) -> Iterator[pa.RecordBatch]:
    """LISTING batches of the root directory ``root``; ``folder`` is the git folder."""
    with ObjectReader(folder) as reader:
        trees.load(reader, root)
    rows = Rows(root.hex(), container)
    total = trees.count(root)
    if total > max_files:
        claim = f"{total} files, more than max_files = {max_files}"
        rows.add(b"/", verdict="source:too_many_files", note=claim)
        yield rows.batch()
        return
    with ObjectReader(folder, sizes_only=True) as sizes:
        for path, mode, target, verdict, note in _expand(trees, root):
            rows.add(path, target, mode=mode, verdict=verdict, note=note)
            if rows.full:
                yield _with_lengths(rows, sizes)
                rows = Rows(root.hex(), container)
        if len(rows):
            yield _with_lengths(rows, sizes)


def _with_lengths(rows: Rows, sizes: ObjectReader) -> pa.RecordBatch:
    """The batch with each content's length; a content that is not there keeps null."""
    ids = list(dict.fromkeys(one for one in rows.content_ids if one is not None))
    length: dict[bytes, int] = {}
    for number, answer in sizes.read(ids):
        if not isinstance(answer, Problem) and answer.kind == "blob":
            length[ids[number]] = answer.size
    rows.lengths = [None if one is None else length.get(one) for one in rows.content_ids]
    return rows.batch()


Row = tuple[bytes, int | None, bytes | None, str | None, str | None]


def _expand(trees: Trees, root: bytes) -> Iterator[Row]:
    """Yield (path, mode, content id, verdict, note) in git's order, depth first."""
    if root in trees.broken:
        yield _unreadable(b"/", trees.broken[root])
        return
    stack = [(b"/", _entries(trees, root))]
    while stack:
        prefix, entries = stack[-1]
        for mode, name, target, odd in entries:
            path = prefix + name
            if odd is not None or len(path) > MAX_PATH:
                note = odd or f"the path is longer than {MAX_PATH} bytes"
                yield path[:MAX_PATH], mode, None, "source:unsafe_path", note
            elif is_tree(mode):
                if target in trees.broken:
                    yield _unreadable(path, trees.broken[target])
                else:
                    stack.append((path + b"/", _entries(trees, target)))
                    break
            else:
                yield _file(path, mode, target)
        else:
            stack.pop()


def _entries(trees: Trees, tree: bytes) -> Iterator[tuple[int, bytes, bytes, str | None]]:
    """Entries with a word about names that no file system would take."""
    seen: set[bytes] = set()
    for mode, name, target in parse_tree(trees.bodies[tree]):
        odd = None
        if name in (b"", b".", b"..") or b"/" in name:
            odd = "not a file name"
        elif name in seen:
            odd = "the name occurs twice in its directory; the first is listed"
        seen.add(name)
        yield mode, name, target, odd


def _file(path: bytes, mode: int, target: bytes) -> Row:
    kind = mode & _TYPE
    if kind == _REGULAR:
        return path, mode, target, None, None
    if kind == MODE_SYMLINK:
        return path, mode, target, "source:symlink", None
    if kind == MODE_SUBMODULE:
        return path, mode, None, "source:submodule", f"commit {target.hex()}"
    return path, mode, None, "source:special", f"git mode {mode:o}"


def _unreadable(path: bytes, problem: Problem) -> Row:
    note = f"directory {problem.where}: {problem.message}"
    return path, None, None, "source:unreadable", note
