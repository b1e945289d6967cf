"""Builds small graph exports with true ids, in ORC or Parquet, typed as the archive types them.

    graph = Graph()
    blob = graph.blob(b"print()\\n")
    root = graph.tree({b"a.py": blob, b"link": symlink(graph.blob(b"a.py"))})
    graph.visit("https://example.org/o/n", graph.snapshot({b"HEAD": graph.revision(root)}))
    graph.write(folder / "graph", folder / "contents")

Ids are computed as git and Software Heritage compute them, so that a reader may recompute them.
``rows`` may be changed at will before ``write``, for tables that no honest archive would hold.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq

FILE, EXECUTABLE, SYMLINK, DIRECTORY, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o40000, 0o160000
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

# A date is a pair of seconds and nanoseconds.
_STAMP = pa.struct([("seconds", pa.int64()), ("nanoseconds", pa.uint32())])
_S, _B, _I = pa.string(), pa.binary(), pa.int64()
SCHEMAS: dict[str, list[tuple[str, pa.DataType]]] = {
    "origin": [("id", _S), ("url", _S)],
    "origin_visit": [("origin", _S), ("visit", _I), ("date", _STAMP), ("type", _S)],
    "origin_visit_status": [
        ("origin", _S),
        ("visit", _I),
        ("date", _STAMP),
        ("status", _S),
        ("snapshot", _S),
        ("type", _S),
    ],
    "snapshot": [("id", _S)],
    "snapshot_branch": [("snapshot_id", _S), ("name", _B), ("target", _S), ("target_type", _S)],
    "revision": [
        ("id", _S),
        ("message", _B),
        ("author", _B),
        ("date", _STAMP),
        ("date_offset", pa.int16()),
        ("date_raw_offset_bytes", _B),
        ("committer", _B),
        ("committer_date", _STAMP),
        ("committer_offset", pa.int16()),
        ("committer_date_raw_offset_bytes", _B),
        ("directory", _S),
        ("type", _S),
        ("raw_manifest", _B),
    ],
    "revision_history": [("id", _S), ("parent_id", _S), ("parent_rank", pa.int32())],
    "release": [
        ("id", _S),
        ("name", _B),
        ("message", _B),
        ("target", _S),
        ("target_type", _S),
        ("author", _B),
        ("date", _STAMP),
        ("date_offset", pa.int16()),
        ("date_raw_offset_bytes", _B),
        ("raw_manifest", _B),
    ],
    "directory": [("id", _S), ("raw_manifest", _B)],
    "directory_entry": [
        ("directory_id", _S),
        ("name", _B),
        ("type", _S),
        ("target", _S),
        ("perms", pa.int32()),
    ],
    "content": [
        ("sha1", _S),
        ("sha1_git", _S),
        ("sha256", _S),
        ("blake2s256", _S),
        ("length", _I),
        ("status", _S),
        ("data", _B),
    ],
    "skipped_content": [
        ("sha1", _S),
        ("sha1_git", _S),
        ("sha256", _S),
        ("blake2s256", _S),
        ("length", _I),
        ("status", _S),
        ("reason", _S),
    ],
}


@dataclass(frozen=True)
class Node:
    """A thing in the graph: its kind (content, directory, revision, release, alias) and id."""

    kind: str
    id: str
    mode: int = FILE


def symlink(blob: Node) -> Node:
    return Node("content", blob.id, SYMLINK)


def executable(blob: Node) -> Node:
    return Node("content", blob.id, EXECUTABLE)


def alias(name: bytes, plain: bool = False) -> Node:
    """A branch that names another; the exporter writes the name in hex."""
    return Node("alias", name.decode() if plain else name.hex())


def git_id(kind: str, body: bytes) -> str:
    """The id of a git object of this kind and body."""
    return hashlib.sha1(b"%s %d\0%s" % (kind.encode(), len(body), body)).hexdigest()


def person(name: str) -> bytes:
    """A person as the archive publishes one."""
    return hashlib.sha256(name.encode()).digest()


@dataclass
class Graph:
    rows: dict[str, list[tuple]] = field(default_factory=lambda: {name: [] for name in SCHEMAS})
    blobs: dict[str, bytes] = field(default_factory=dict)  # SHA-1 -> bytes of the content store
    _done: set[str] = field(default_factory=set)

    def blob(self, data: bytes, *, skipped: str | None = None, absent: bool = False) -> Node:
        """A content; ``skipped`` with a reason, or ``absent`` from both tables."""
        one = git_id("blob", data)
        if one not in self._done and not absent:
            self._done.add(one)
            sha1 = hashlib.sha1(data).hexdigest()
            ids = (sha1, one, hashlib.sha256(data).hexdigest(), hashlib.blake2s(data).hexdigest())
            if skipped is None:
                self.blobs[sha1] = data
                self.rows["content"].append((*ids, len(data), "visible", None))
            else:
                self.rows["skipped_content"].append((*ids, len(data), "absent", skipped))
        return Node("content", one)

    def tree(self, entries: dict[bytes, Node], *, absent: bool = False) -> Node:
        """A directory; a revision among its entries is a submodule."""
        modes = {
            name: {"directory": DIRECTORY, "revision": SUBMODULE}.get(node.kind, node.mode)
            for name, node in entries.items()
        }
        order = sorted(entries, key=lambda name: name + b"/" if modes[name] == DIRECTORY else name)
        body = b"".join(
            b"%o %s\0%s" % (modes[name], name, bytes.fromhex(entries[name].id)) for name in order
        )
        one = git_id("tree", body)
        if one not in self._done and not absent:
            self._done.add(one)
            self.rows["directory"].append((one, None))
            for name in order:
                node = entries[name]
                kind = {"directory": "dir", "revision": "rev"}.get(node.kind, "file")
                self.rows["directory_entry"].append((one, name, kind, node.id, modes[name]))
        return Node("directory", one)

    def revision(
        self,
        root: Node,
        *,
        parents: tuple[Node, ...] = (),
        date: tuple[int, int] | None = (1_500_000_000, 0),
        offset: int = 120,
        author: str = "A <a@example.org>",
        message: bytes = b"message",
        kind: str = "git",
        absent: bool = False,
    ) -> Node:
        """A revision whose author and committer, and their dates, are the same."""
        seconds = date[0] if date else 0
        sign, minutes = "-" if offset < 0 else "+", abs(offset)
        stamp = f"{author} {seconds} {sign}{minutes // 60:02}{minutes % 60:02}"
        lines = [f"tree {root.id}", *(f"parent {one.id}" for one in parents)]
        lines += [f"author {stamp}", f"committer {stamp}", "", ""]
        one = git_id("commit", "\n".join(lines).encode() + message)
        if one not in self._done and not absent:
            self._done.add(one)
            who = person(author)
            day = (date, offset, b"+0200")
            self.rows["revision"].append((one, message, who, *day, who, *day, root.id, kind, None))
            for rank, parent in enumerate(parents):
                self.rows["revision_history"].append((one, parent.id, rank))
        return Node("revision", one)

    def release(self, target: Node, name: bytes = b"v1", *, absent: bool = False) -> Node:
        kinds = {"revision": "commit", "directory": "tree", "content": "blob", "release": "tag"}
        body = b"object %s\ntype %s\ntag %s\n" % (
            target.id.encode(),
            kinds[target.kind].encode(),
            name,
        )
        one = git_id("tag", body)
        if not absent:
            self.rows["release"].append(
                (one, name, b"", target.id, target.kind, None, None, None, None, None)
            )
        return Node("release", one)

    def snapshot(self, branches: dict[bytes, Node]) -> str:
        body = b""
        for name in sorted(branches):
            node = branches[name]
            target = bytes.fromhex(node.id) if _is_hex(node.id) else node.id.encode()
            body += b"%s %s\0%d:%s" % (node.kind.encode(), name, len(target), target)
        one = git_id("snapshot", body)
        if one not in self._done:
            self._done.add(one)
            self.rows["snapshot"].append((one,))
            for name, node in sorted(branches.items()):
                self.rows["snapshot_branch"].append((one, name, node.id, node.kind))
        return one

    def visit(
        self,
        origin: str,
        snapshot: str | None,
        *,
        visit: int = 1,
        date: tuple[int, int] = (1_600_000_000, 0),
        status: str = "full",
        kind: str = "git",
    ) -> None:
        """A visit with the statuses that a loader leaves: created, then how it ended."""
        row = (hashlib.sha1(origin.encode()).hexdigest(), origin)
        if row not in self.rows["origin"]:
            self.rows["origin"].append(row)
        self.rows["origin_visit"].append((origin, visit, date, kind))
        statuses = self.rows["origin_visit_status"]
        statuses.append((origin, visit, date, "created", None, kind))
        statuses.append((origin, visit, (date[0] + 60, date[1]), status, snapshot, kind))

    def write(self, folder: Path, contents: Path | None = None, form: str = "orc") -> None:
        """Write every table as one file under ``folder``, the blobs under ``contents``."""
        for name, rows in self.rows.items():
            write_table(folder / name / f"{name}-0.{form}", name, rows)
        if contents is not None:
            (contents / "content").mkdir(parents=True, exist_ok=True)
            for sha1, data in self.blobs.items():
                (contents / "content" / sha1).write_bytes(gzip.compress(data, mtime=0))


def write_table(path: Path, name: str, rows: list[tuple]) -> None:
    """One file of the table ``name``, ORC or Parquet by the ending of ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SCHEMAS[name])
    visits = name.startswith("origin_visit")
    found = {}
    for (column, kind), values in zip(SCHEMAS[name], columns, strict=True):
        if kind is not _STAMP:
            found[column] = pa.array(values, kind)
        elif path.suffix == ".orc":
            found[column] = _timestamps(values, None)
        elif visits:
            found[column] = _timestamps(values, "UTC")
        else:
            names = ("seconds", "nanoseconds")
            pairs = [None if v is None else dict(zip(names, v, strict=True)) for v in values]
            found[column] = pa.array(pairs, kind)
    table = pa.table(found)
    if path.suffix == ".orc":
        orc.write_table(table, str(path), compression="zstd")
    else:
        pq.write_table(table, path, compression="zstd")


def _timestamps(values: tuple, zone: str | None) -> pa.Array:
    """Microseconds where all fit and need them, else seconds, which hold every date."""
    ticks = [None if v is None else v[0] * 10**6 + v[1] // 1000 for v in values]
    if any(v and v[1] for v in values) or zone:
        return pa.array(ticks, pa.timestamp("us", tz=zone))
    return pa.array([None if v is None else v[0] for v in values], pa.timestamp("s"))


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True
