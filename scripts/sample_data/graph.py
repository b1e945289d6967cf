"""The swh_graph source: the ORC tables of a graph export and the content store beside them.

Tables and types are those of Software Heritage's exporter (swh/export/relational.py).
"""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc as orc

from . import situations as s
from .gitwrite import PERSON, Objects
from .plan import Expectations, Planted, all_become

_TEXT, _BYTES, _INT = pa.string(), pa.binary(), pa.int64()
_WHEN = pa.timestamp("s")  # ORC keeps whole seconds of any size; nanoseconds would not hold them
TABLES: dict[str, list[tuple[str, pa.DataType]]] = {
    "origin": [("id", _TEXT), ("url", _TEXT)],
    "origin_visit": [("origin", _TEXT), ("visit", _INT), ("date", _WHEN), ("type", _TEXT)],
    "origin_visit_status": [
        ("origin", _TEXT),
        ("visit", _INT),
        ("date", _WHEN),
        ("status", _TEXT),
        ("snapshot", _TEXT),
        ("type", _TEXT),
    ],
    "snapshot": [("id", _TEXT)],
    "snapshot_branch": [
        ("snapshot_id", _TEXT),
        ("name", _BYTES),
        ("target", _TEXT),
        ("target_type", _TEXT),
    ],
    "release": [
        ("id", _TEXT),
        ("name", _BYTES),
        ("message", _BYTES),
        ("target", _TEXT),
        ("target_type", _TEXT),
        ("author", _BYTES),
        ("date", _WHEN),
        ("date_offset", pa.int16()),
        ("date_raw_offset_bytes", _BYTES),
        ("raw_manifest", _BYTES),
    ],
    "revision": [
        ("id", _TEXT),
        ("message", _BYTES),
        ("author", _BYTES),
        ("date", _WHEN),
        ("date_offset", pa.int16()),
        ("date_raw_offset_bytes", _BYTES),
        ("committer", _BYTES),
        ("committer_date", _WHEN),
        ("committer_offset", pa.int16()),
        ("committer_date_raw_offset_bytes", _BYTES),
        ("directory", _TEXT),
        ("type", _TEXT),
        ("raw_manifest", _BYTES),
    ],
    "revision_history": [("id", _TEXT), ("parent_id", _TEXT), ("parent_rank", pa.int32())],
    "revision_extra_headers": [("id", _TEXT), ("key", _BYTES), ("value", _BYTES)],
    "directory": [("id", _TEXT), ("raw_manifest", _BYTES)],
    "directory_entry": [
        ("directory_id", _TEXT),
        ("name", _BYTES),
        ("type", _TEXT),
        ("target", _TEXT),
        ("perms", pa.int32()),
    ],
    "content": [
        ("sha1", _TEXT),
        ("sha1_git", _TEXT),
        ("sha256", _TEXT),
        ("blake2s256", _TEXT),
        ("length", _INT),
        ("status", _TEXT),
        ("data", _BYTES),
    ],
    "skipped_content": [
        ("sha1", _TEXT),
        ("sha1_git", _TEXT),
        ("sha256", _TEXT),
        ("blake2s256", _TEXT),
        ("length", _INT),
        ("status", _TEXT),
        ("reason", _TEXT),
    ],
}

DAMAGE = {b"src/missing.lua": "missing", b"src/torn.lua": "torn", b"src/wrong.lua": "wrong"}
SKIPPED = b"trunk/data/world.bin"

DAY = 86_400
Y2021, Y2022, Y2023 = 1_614_600_000, 1_646_136_000, 1_677_672_000  # the first of March, noon UTC
YEAR_5000, YEAR_1600 = 95_617_584_000, -11_676_096_000
HARBOR_FORK = "https://github.com/crosswind/harbor"
SOUNDINGS = "https://github.com/mirrors-of-water/soundings"
SOUNDINGS_TWIN = "https://gitlab.com/estuary/charts/soundings"
PARSEKIT = "https://hg.fennel-works.org/parsekit"
ATLAS = "https://svn.quillworks.net/atlas"
RELICS = "https://github.com/oldbarn/relics"
RIG = "https://codeberg.org/mainstay/rig"
POSTBOX, KEEPSAKE = "https://github.com/postbox/letters", "https://github.com/keepsake/letters"
DIARY = "https://github.com/Withdrawn-Person/diary"
NOTES = "https://github.com/withdrawn-person/notes"
PRIVATE_HG = "https://hg.fennel-works.org/private-grammar"
KERNELKIT = "https://github.com/copperleaf/kernelkit"
EMPTY = "https://github.com/hollow/nothing-yet"


@dataclass
class Graph:
    """Rows of all tables, and the objects that they name."""

    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {name: [] for name in TABLES}
    )
    objects: Objects = field(default_factory=Objects)
    special: dict[str, str] = field(default_factory=dict)  # blob -> skipped or a kind of damage
    blobs: set[str] = field(default_factory=set)

    def revision(
        self,
        files: Sequence[Planted],
        seconds: int,
        message: str,
        parents: Sequence[str] = (),
        kind: str = "git",
        offset: int = 0,
    ) -> str:
        tree = self.objects.tree(files)
        sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
        zone = f"{sign}{minutes // 60:02d}{minutes % 60:02d}"
        name = self.objects.commit(tree, parents, seconds, message, zone)
        self._mark(files)
        person = hashlib.sha256(PERSON).digest()
        self.rows["revision"].append(
            {
                "id": name,
                "message": message.encode() + b"\n",
                "author": person,
                "date": seconds,
                "date_offset": offset,
                "date_raw_offset_bytes": zone.encode(),
                "committer": person,
                "committer_date": seconds,
                "committer_offset": offset,
                "committer_date_raw_offset_bytes": zone.encode(),
                "directory": tree,
                "type": kind,
            }
        )
        for rank, parent in enumerate(parents):
            row = {"id": name, "parent_id": parent, "parent_rank": rank}
            self.rows["revision_history"].append(row)
        if kind == "svn":
            headers = {"svn_repo_uuid": "1f0c0de5-0000-4000-8000-5ac1ab1e5ac1", "svn_revision": "7"}
            self.rows["revision_extra_headers"] += [
                {"id": name, "key": key.encode(), "value": value.encode()}
                for key, value in headers.items()
            ]
        return name

    def _mark(self, files: Iterable[Planted]) -> None:
        for one in files:
            if one.data is None:
                continue
            blob = self.objects.add("blob", one.data)
            self.blobs.add(blob)
            if one.path == SKIPPED:
                self.special[blob] = "skipped"
            elif one.path in DAMAGE:
                self.special[blob] = DAMAGE[one.path]

    def release(self, target: str, name: str, seconds: int) -> str:
        found = self.objects.tag(target, name, seconds, f"Version {name}")
        self.rows["release"].append(
            {
                "id": found,
                "name": name.encode(),
                "message": f"Version {name}\n".encode(),
                "target": target,
                "target_type": "revision",
                "author": hashlib.sha256(PERSON).digest(),
                "date": seconds,
                "date_offset": 0,
                "date_raw_offset_bytes": b"+0000",
            }
        )
        return found

    def snapshot(self, *branches: tuple[str, str, str]) -> str:
        """A snapshot of (branch name, target type, target); an alias targets a branch name."""
        manifest = b""
        for name, kind, target in sorted(branches):
            raw = target.encode() if kind == "alias" else bytes.fromhex(target)
            manifest += f"{kind} {name}\0{len(raw)}:".encode() + raw
        found = hashlib.sha1(f"snapshot {len(manifest)}\0".encode() + manifest).hexdigest()
        if not any(row["id"] == found for row in self.rows["snapshot"]):
            self.rows["snapshot"].append({"id": found})
            self.rows["snapshot_branch"] += [
                {"snapshot_id": found, "name": name.encode(), "target": target, "target_type": kind}
                for name, kind, target in sorted(branches)
            ]
        return found

    def origin(self, url: str, kind: str, *visits: tuple[int, str, str | None]) -> None:
        """An origin with its visits: (seconds, status, snapshot)."""
        self.rows["origin"].append({"id": hashlib.sha1(url.encode()).hexdigest(), "url": url})
        for number, (seconds, status, snapshot) in enumerate(visits, 1):
            visit = {"origin": url, "visit": number, "type": kind}
            self.rows["origin_visit"].append({**visit, "date": seconds})
            created = {**visit, "date": seconds, "status": "created", "snapshot": None}
            ended = {**visit, "date": seconds + 90, "status": status, "snapshot": snapshot}
            self.rows["origin_visit_status"] += [created, ended]

    def write(self, out: Path) -> None:
        self._object_rows(out / "contents" / "content")
        for name, columns in TABLES.items():
            schema = pa.schema(columns)
            keys = [column for column, _ in columns]
            rows = [{key: row.get(key) for key in keys} for row in self.rows[name]]
            rows.sort(key=lambda row: repr([row[key] for key in keys]))
            folder = out / "swh_graph" / "orc" / name
            folder.mkdir(parents=True)
            orc.write_table(
                pa.Table.from_pylist(rows, schema=schema),
                str(folder / f"{name}-0.orc"),
                compression="zlib",
            )

    def _object_rows(self, store: Path) -> None:
        for name, (kind, body) in sorted(self.objects.by_id.items()):
            if kind == "tree":
                self.rows["directory"].append({"id": name})
                self.rows["directory_entry"] += list(_entries(name, body))
        for name in sorted(self.blobs):
            body = self.objects.by_id[name][1]
            special = self.special.get(name)
            row = {
                "sha1": hashlib.sha1(body).hexdigest(),
                "sha1_git": name,
                "sha256": hashlib.sha256(body).hexdigest(),
                "blake2s256": hashlib.blake2s(body).hexdigest(),
                "length": len(body),
            }
            if special == "skipped":
                skipped = {**row, "status": "absent", "reason": "Content too large"}
                self.rows["skipped_content"].append(skipped)
                continue
            self.rows["content"].append({**row, "status": "visible"})
            store_blob(store, body, special)


def store_blob(store: Path, body: bytes, damage: str | None = None) -> None:
    """Put ``body`` into a content store under its SHA-1, whole or damaged in a known way."""
    if damage == "missing":
        return
    store.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, buffer, mtime=0) as file:
        file.write(b"-- not what the name says\n" if damage == "wrong" else body)
    packed = buffer.getvalue()
    name = hashlib.sha1(body).hexdigest()
    (store / name).write_bytes(packed[:-6] if damage == "torn" else packed)


def _entries(directory: str, body: bytes) -> Iterable[dict[str, Any]]:
    at = 0
    while at < len(body):
        end = body.index(b"\0", at)
        mode, _, name = body[at:end].partition(b" ")
        perms = int(mode, 8)
        at = end + 21
        yield {
            "directory_id": directory,
            "name": name,
            "type": {0o040000: "dir", 0o160000: "rev"}.get(perms, "file"),
            "target": body[end + 1 : at].hex(),
            "perms": perms,
        }


def build(out: Path, expected: Expectations) -> None:
    """Write swh_graph/ and contents/, and note what must become of every file."""
    graph = Graph()
    _harbor(graph)
    _soundings(graph)
    _other_systems(graph)
    _odd_branches(graph)
    _withdrawn(graph)
    graph.write(out)
    twin = "another origin with the same root directory represents it"
    for origin, files in (
        (s.HARBOR, s.harbor()),
        (HARBOR_FORK, all_become(s.harbor(), "choose:same_root", twin)),
        (SOUNDINGS, s.soundings()),
        (SOUNDINGS_TWIN, all_become(s.soundings(), "choose:same_root", twin)),
        (PARSEKIT, s.parsekit()),
        (ATLAS, s.atlas()),
        (RELICS, s.relics()),
        (RIG, s.rig()),
        (POSTBOX, s.letters()),
        (KEEPSAKE, all_become(s.letters(), "optout:repository", "this repository is withdrawn")),
        (DIARY, s.diary()),
        (NOTES, s.vim_notes()),
        (PRIVATE_HG, _private_hg()),
        (KERNELKIT, s.kernelkit()),
    ):
        expected.add("swh_graph", origin, files)


def _harbor(graph: Graph) -> None:
    """An alias HEAD; an older full visit, a newer full one, and a partial one newer still."""
    old = graph.revision(s.harbor_before(), Y2021 - 9 * DAY, "Begin")
    new = graph.revision(s.harbor(), Y2022 - 3 * DAY, "Berths and soundings", [old], offset=60)
    tag = graph.release(new, "1.0", Y2022 - 2 * DAY)
    before = graph.snapshot(
        ("HEAD", "alias", "refs/heads/trunk"), ("refs/heads/trunk", "revision", old)
    )
    now = graph.snapshot(
        ("HEAD", "alias", "refs/heads/trunk"),
        ("refs/heads/old", "revision", old),
        ("refs/heads/trunk", "revision", new),
        ("refs/tags/v1.0", "release", tag),
    )
    graph.origin(
        s.HARBOR, "git", (Y2021, "full", before), (Y2022, "full", now), (Y2023, "partial", before)
    )
    # a fork that never moved on: the same HEAD revision
    fork = graph.snapshot(("HEAD", "revision", new), ("refs/heads/trunk", "revision", new))
    graph.origin(HARBOR_FORK, "git", (Y2022 + DAY, "full", fork))


def _soundings(graph: Graph) -> None:
    """Two origins share a root directory, but no revision; one date is before 1677."""
    one = graph.revision(s.soundings(), YEAR_1600, "Import")
    two = graph.revision(s.soundings(), Y2021, "Import from the survey office")
    graph.origin(SOUNDINGS, "git", (Y2022, "full", graph.snapshot(("HEAD", "revision", one))))
    graph.origin(SOUNDINGS_TWIN, "git", (Y2022, "full", graph.snapshot(("HEAD", "revision", two))))


def _other_systems(graph: Graph) -> None:
    """Mercurial and Subversion."""
    hg = graph.revision(s.parsekit(), Y2021, "Tokens", kind="hg")
    snapshot = graph.snapshot(
        ("HEAD", "alias", "branch-tip/default"), ("branch-tip/default", "revision", hg)
    )
    graph.origin(PARSEKIT, "hg", (Y2022, "full", snapshot))
    svn = graph.revision(s.atlas(), Y2021, "r7", kind="svn")
    graph.origin(ATLAS, "svn", (Y2022, "full", graph.snapshot(("HEAD", "revision", svn))))
    private = graph.revision(_private_hg(), Y2021, "Mine", kind="hg")
    snapshot = graph.snapshot(
        ("HEAD", "alias", "branch-tip/default"), ("branch-tip/default", "revision", private)
    )
    graph.origin(PRIVATE_HG, "hg", (Y2022, "full", snapshot))


def _odd_branches(graph: Graph) -> None:
    """HEAD missing with master alone; with main and master; a snapshot without any branch."""
    relics = graph.revision(s.relics(), YEAR_5000, "From the future")
    only_master = graph.snapshot(("refs/heads/master", "revision", relics))
    graph.origin(RELICS, "git", (Y2022, "full", only_master))
    stale = graph.revision(s.harbor_before(), Y2021 - DAY, "Wrong branch")
    rig = graph.revision(s.rig(), Y2021, "Springs")
    both = graph.snapshot(
        ("refs/heads/main", "revision", rig), ("refs/heads/master", "revision", stale)
    )
    graph.origin(RIG, "git", (Y2022, "full", both))
    graph.origin(EMPTY, "git", (Y2022, "full", graph.snapshot()))


def _withdrawn(graph: Graph) -> None:
    """Owners and repositories that the registry withdraws, and a twin that stays."""
    letters = graph.revision(s.letters(), Y2021, "Rounds")
    head = graph.snapshot(("HEAD", "revision", letters))
    graph.origin(POSTBOX, "git", (Y2022, "full", head))
    graph.origin(KEEPSAKE, "git", (Y2022, "full", head))
    for url, files in ((DIARY, s.diary()), (NOTES, s.vim_notes()), (KERNELKIT, s.kernelkit())):
        revision = graph.revision(files, Y2021, "Begin")
        snapshot = graph.snapshot(("HEAD", "revision", revision))
        graph.origin(url, "git", (Y2022, "full", snapshot))


def _private_hg() -> list[Planted]:
    files = [f for f in s.parsekit() if f.path in (b"LICENSE", b"ml/grammar.ml")]
    return all_become(files, "optout:origin", "this origin is withdrawn by its URL")
