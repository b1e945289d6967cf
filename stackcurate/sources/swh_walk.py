"""Walks the directories under chosen roots: each once, counted before any path is written.

Directories are shared between revisions and origins, so the graph is far smaller than the trees
it unfolds into; a dozen directories can claim ten billion files. The walk has four parts:

1. Reach: level by level, the directories under the roots, each once.
2. Count: bottom-up, the files, directories and bytes of paths under each directory, cut off at a
   ceiling, so that a root that is too large is known from the graph alone.
3. Join: each distinct entry once to ``content`` and ``skipped_content``.
4. Unfold: level by level, the paths of the roots that remain, sorted by root and path.

With E entries in the export, D of them directories under the roots, h levels and P paths: one pass
over E on disk, h passes over the D edges (20 bytes an id) for parts 1 and 2, and h joins and one
external sort over P rows for part 4. Memory stays at DuckDB's limit, scratch space grows to about
E + P rows. The whole archive (half a trillion edges) is too much for one task: a cluster would cut
part 4 by root (``files`` takes any subset) and parts 1 and 3 by the first byte of the directory and
content id, with the export's tables sorted by them once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from stackcurate.schema import ID, LISTING
from stackcurate.sources.rows import BATCH_ROWS, path_columns
from stackcurate.sources.swh_export import Database
from stackcurate.sources.swh_heads import EMPTY_TREE

MAX_DEPTH = 1000  # levels of directories; real trees have tens, a cycle has no end
_PATH_BYTES_PER_FILE = 256  # all paths of a root may hold this many bytes per allowed file
_GROUP_PATHS = 16_000_000  # roots are unfolded together up to about so many paths
_CEILING = 10**15  # counts stop here, far below what sums of them could overflow

_IS_FILE, _IS_DIRECTORY, _IS_REVISION, _IS_OTHER = range(4)  # types of entries


@dataclass(frozen=True)
class Walk:
    """Unfolds roots of the export behind ``db``; see ``SwhGraph`` for the limits."""

    db: Database
    container: str
    max_files: int
    max_depth: int

    def files(self, roots: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The files of ``roots`` (hex) as LISTING batches, sorted by root and path."""
        ids = pa.array([bytes.fromhex(root) for root in sorted(set(roots))], ID)
        self.db.register("asked", pa.table({"id": ids}))
        self._load()
        self._reach()
        self._entries()
        self._levels()
        self._count()
        self._join()
        for first, last in self._groups():
            self._unfold(first, last)
            yield from self._listing()

    def _load(self) -> None:
        """Table ``entry``: all entries of the export."""
        self.db.load(
            "directory_entry",
            "entry",
            f"""SELECT directory, coalesce(name, ''::BLOB) AS name, unsafe, target, perms,
                CASE type WHEN 'file' THEN {_IS_FILE} WHEN 'dir' THEN {_IS_DIRECTORY}
                WHEN 'rev' THEN {_IS_REVISION} ELSE {_IS_OTHER} END::TINYINT AS kind
                FROM incoming WHERE directory IS NOT NULL""",
        )

    def _reach(self) -> None:
        """Table ``num``: the directories under the roots, numbered; ``gone``: the absent ones."""
        self.db.run(
            f"""CREATE TABLE edge AS SELECT DISTINCT directory, target FROM entry
                WHERE kind = {_IS_DIRECTORY} AND NOT unsafe AND target IS NOT NULL"""
        )
        self.db.run("CREATE TABLE node AS SELECT id, 0 AS level FROM asked")
        for level in range(self.max_depth):
            before = self.db.count("node")
            self.db.run(
                f"""INSERT INTO node SELECT DISTINCT e.target, {level + 1}
                    FROM edge e JOIN node n ON n.id = e.directory AND n.level = {level}
                    WHERE NOT EXISTS (SELECT 1 FROM node o WHERE o.id = e.target)"""
            )
            if self.db.count("node") == before:
                break
        self.db.run("DROP TABLE edge")
        self.db.run("CREATE TABLE num AS SELECT id, row_number() OVER (ORDER BY id) n FROM node")
        # Only one directory is empty, for an id is a hash of the entries.
        self.db.run(
            f"""CREATE TABLE gone AS SELECT n FROM num ANTI JOIN entry ON entry.directory = id
                WHERE id <> unhex('{EMPTY_TREE}')"""
        )

    def _entries(self) -> None:
        """Tables ``sub`` (directories in directories) and ``leaf`` (all else), each entry once."""
        self.db.run(
            """CREATE TABLE twin AS SELECT hash(directory, name) AS h FROM entry
               WHERE directory IN (SELECT id FROM num) GROUP BY h HAVING count(*) > 1"""
        )
        columns = "d.n AS dir, e.name, e.unsafe, e.target, e.perms, e.kind"
        table = "entry e JOIN num d ON d.id = e.directory"
        self.db.run(
            f"""CREATE TABLE item AS SELECT {columns}, 1 AS nth FROM {table}
                WHERE hash(e.directory, e.name) NOT IN (SELECT h FROM twin)
                UNION ALL SELECT *, row_number() OVER (
                    PARTITION BY dir, name ORDER BY kind, target, perms) AS nth
                FROM (SELECT DISTINCT {columns} FROM {table}
                      WHERE hash(e.directory, e.name) IN (SELECT h FROM twin))"""
        )
        self.db.run("DROP TABLE entry")
        walked = f"""i.kind = {_IS_DIRECTORY} AND NOT i.unsafe AND i.nth = 1
                     AND c.n IS NOT NULL AND c.n NOT IN (SELECT n FROM gone)"""
        # The condition on the left side is part of the key: beside it, DuckDB 1.4 would loop.
        key = f"CASE WHEN i.kind = {_IS_DIRECTORY} THEN i.target END"
        table = f"item i LEFT JOIN num c ON c.id = {key}"
        self.db.run(
            f"CREATE TABLE sub AS SELECT i.dir, c.n AS child, i.name FROM {table} WHERE {walked}"
        )
        self.db.run(
            f"CREATE TABLE leaf_raw AS SELECT i.* FROM {table} WHERE ({walked}) IS NOT TRUE"
        )
        self.db.run("DROP TABLE item")

    def _levels(self) -> None:
        """Table ``top``: how deep each directory lies at its deepest place, from 0."""
        self.db.run(
            "CREATE TABLE place AS SELECT n, 0 AS level FROM num SEMI JOIN asked USING (id)"
        )
        for level in range(self.max_depth):
            before = self.db.count("place")
            self.db.run(
                f"""INSERT INTO place SELECT DISTINCT s.child, {level + 1}
                    FROM sub s JOIN place p ON p.n = s.dir AND p.level = {level}"""
            )
            if self.db.count("place") == before:
                break
        self.db.run("CREATE TABLE top AS SELECT n, max(level) AS level FROM place GROUP BY n")
        self.db.run("DROP TABLE place")

    def _count(self) -> None:
        """Table ``total``: files, directories and bytes of paths under each directory."""
        self.db.run(
            """CREATE TABLE own AS SELECT dir AS n, count(*) AS files,
               sum(octet_length(name) + 1) AS bytes FROM leaf_raw GROUP BY dir"""
        )
        self.db.run(
            """CREATE TABLE total(
               n BIGINT, files HUGEINT, dirs HUGEINT, bytes HUGEINT, deep BOOLEAN)"""
        )
        deepest = self.db.rows("SELECT coalesce(max(level), 0) FROM top")[0][0]
        for level in range(deepest, -1, -1):
            self.db.run(
                f"""INSERT INTO total SELECT t.n,
                    least({_CEILING}, coalesce(any_value(o.files), 0) + coalesce(sum(c.files), 0)),
                    least({_CEILING}, coalesce(sum(c.dirs + 1), 0)),
                    least({_CEILING}, coalesce(any_value(o.bytes), 0) + coalesce(sum(
                        c.bytes + (c.files + c.dirs + 1) * (octet_length(s.name) + 1)), 0)),
                    {level} >= {self.max_depth} OR coalesce(bool_or(c.deep), false)
                    FROM top t LEFT JOIN own o ON o.n = t.n LEFT JOIN sub s ON s.dir = t.n
                    LEFT JOIN total c ON c.n = s.child
                    WHERE t.level = {level} GROUP BY t.n"""
            )

    def _join(self) -> None:
        """Table ``leaf``: entries with ids, length, mode, verdict and note."""
        self.db.run(
            f"""CREATE TABLE wanted AS SELECT DISTINCT target AS id FROM leaf_raw
                WHERE kind = {_IS_FILE}"""
        )
        self.db.load(
            "content",
            "content",
            """SELECT sha1_git AS id, sha1, length, coalesce(status, 'visible') AS status
               FROM incoming WHERE sha1_git IN (SELECT id FROM wanted)""",
        )
        self.db.load(
            "skipped_content",
            "skipped",
            """SELECT sha1_git AS id, length, coalesce(reason, 'no reason given') AS reason
               FROM incoming WHERE sha1_git IN (SELECT id FROM wanted)""",
        )
        lossy = bool(self.db.problems)
        self.db.unique("content", "id", "status = 'hidden' DESC, sha1, length")
        self.db.unique("skipped", "id", "reason, length")
        # Where a file of entries or contents was set aside, people should look there first.
        self.db.run(_LEAF.replace(_LOSS, ", a part of whose files was set aside" * lossy))
        self.db.run("DROP TABLE leaf_raw")

    def _groups(self) -> Iterator[tuple[str, str]]:
        """Ranges of roots (hex, both ends included) that are unfolded together."""
        self.db.run(
            f"""CREATE TABLE root AS SELECT lower(hex(a.id)) AS root, num.n AS dir,
                g.n IS NOT NULL AS gone, t.deep, t.files, t.dirs, t.bytes,
                t.files > {self.max_files} OR t.dirs > {self.max_files}
                    OR t.bytes > {self.max_files * _PATH_BYTES_PER_FILE + BATCH_ROWS} AS large
                FROM asked a JOIN num USING (id) JOIN total t ON t.n = num.n
                LEFT JOIN gone g ON g.n = num.n"""
        )
        weights = self.db.rows(
            """SELECT root, CASE WHEN gone OR deep OR large THEN 1 ELSE files + dirs END::BIGINT
               FROM root ORDER BY root"""
        )
        first, paths, last = "", 0, ""
        for root, weight in weights:
            if first and paths + weight > _GROUP_PATHS:
                yield first, last
                first, paths = "", 0
            first, last, paths = first or root, root, paths + weight
        if first:
            yield first, last

    def _unfold(self, first: str, last: str) -> None:
        """Table ``under``: each place of each directory under the roots from first to last."""
        self.db.run(
            f"""CREATE OR REPLACE TABLE under AS
                SELECT root, dir, ''::BLOB AS path, 0 AS level FROM root
                WHERE root BETWEEN '{first}' AND '{last}' AND NOT (gone OR deep OR large)"""
        )
        for level in range(self.max_depth):
            before = self.db.count("under")
            self.db.run(
                f"""INSERT INTO under SELECT u.root, s.child, u.path || '/'::BLOB || s.name,
                    {level + 1} FROM under u JOIN sub s ON s.dir = u.dir WHERE u.level = {level}"""
            )
            if self.db.count("under") == before:
                break
        self.db.run(
            f"""CREATE OR REPLACE TABLE aside AS SELECT root, '/'::BLOB AS path, CASE
                WHEN gone THEN 'source:unreadable' WHEN deep THEN 'source:unreadable'
                ELSE 'source:too_many_files' END AS verdict, CASE
                WHEN gone THEN 'directory ' || root || ' is not in the export'
                WHEN deep THEN '{self.max_depth} levels of directories or more, or a cycle of them'
                ELSE files || ' files in ' || dirs || ' directories, ' || bytes
                     || ' bytes of paths; at most {self.max_files} files are taken' END AS note
                FROM root WHERE root BETWEEN '{first}' AND '{last}' AND (gone OR deep OR large)"""
        )

    def _listing(self) -> Iterator[pa.RecordBatch]:
        result = self.db.batches(
            """SELECT u.root, u.path || '/'::BLOB || l.name AS path, l.content_id, l.blob_id,
                      l.length, l.mode, l.verdict, l.note, l.nth
               FROM under u JOIN leaf l ON l.dir = u.dir
               UNION ALL SELECT root, path, NULL, NULL, NULL, NULL, verdict, note, 1 FROM aside
               ORDER BY root, path, nth""",
            BATCH_ROWS,
        )
        for batch in result:
            if batch.num_rows:
                yield self._batch(batch)

    def _batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        raw = batch.column("path")
        try:
            path, path_bytes = raw.cast(pa.string()), pa.nulls(len(raw), pa.binary())
        except pa.ArrowInvalid:  # some name is not UTF-8
            path, path_bytes = path_columns(raw.to_pylist())
        found = {name: batch.column(name) for name in ("root", "length", "mode", "verdict", "note")}
        found |= {"path": path, "path_bytes": path_bytes, "locator": pa.nulls(len(raw))}
        found |= {name: batch.column(name) for name in ("content_id", "blob_id")}
        found["container"] = pa.array([self.container] * len(raw), pa.string())
        columns = [found[field.name].cast(field.type) for field in LISTING]
        return pa.RecordBatch.from_arrays(columns, schema=LISTING)


_LOSS = "<loss>"  # replaced where a table file was set aside
# What an entry is by the type bits of its permissions: 8 regular, 10 symlink, 0 not recorded.
_BITS = "((coalesce(l.perms, 0) >> 12) & 15)"
_LEAF = f"""
CREATE TABLE leaf AS SELECT l.dir, l.name, l.nth, l.content_id,
    CASE WHEN c.status <> 'hidden' THEN c.sha1 END AS blob_id,
    CASE WHEN coalesce(c.length, s.length) >= 0 THEN coalesce(c.length, s.length) END AS length,
    CASE WHEN l.perms BETWEEN 0 AND 65535 THEN l.perms
         WHEN l.kind = {_IS_DIRECTORY} THEN 16384 WHEN l.kind = {_IS_REVISION} THEN 57344
         ELSE 33188 END::INTEGER AS mode,
    CASE WHEN l.unsafe OR l.nth > 1 THEN 'source:unsafe_path'
         WHEN l.kind = {_IS_DIRECTORY} THEN 'source:unreadable'
         WHEN l.kind = {_IS_REVISION} THEN 'source:submodule'
         WHEN l.kind = {_IS_OTHER} THEN 'source:special'
         WHEN {_BITS} = 10 THEN 'source:symlink'
         WHEN {_BITS} NOT IN (0, 8) THEN 'source:special'
         WHEN c.status = 'hidden' THEN 'source:skipped'
         WHEN c.sha1 IS NOT NULL THEN NULL
         WHEN c.id IS NOT NULL THEN 'source:unreadable'
         WHEN s.id IS NOT NULL THEN 'source:skipped'
         ELSE 'source:unreadable' END AS verdict,
    CASE WHEN l.unsafe THEN 'the name is none that a file system takes'
         WHEN l.nth > 1 THEN 'its directory holds the name twice'
         WHEN l.kind = {_IS_DIRECTORY} THEN
             'directory ' || coalesce(lower(hex(l.target)), '?') || ' is not in the export{_LOSS}'
         WHEN l.kind = {_IS_REVISION} THEN 'revision ' || coalesce(lower(hex(l.target)), '?')
         WHEN l.kind = {_IS_OTHER} THEN 'neither file nor directory nor revision'
         WHEN {_BITS} = 10 THEN NULL
         WHEN {_BITS} NOT IN (0, 8) THEN 'not a regular file by its permissions'
         WHEN c.status = 'hidden' THEN 'hidden by the archive'
         WHEN c.sha1 IS NOT NULL THEN NULL
         WHEN c.id IS NOT NULL THEN 'the export gives no SHA-1 for it'
         WHEN s.id IS NOT NULL THEN left(s.reason, 200)
         ELSE 'content not in the export{_LOSS}' END AS note
FROM (SELECT *, CASE WHEN kind = {_IS_FILE} THEN target END AS content_id FROM leaf_raw) l
LEFT JOIN content c ON c.id = l.content_id
LEFT JOIN skipped s ON s.id = l.content_id
"""
