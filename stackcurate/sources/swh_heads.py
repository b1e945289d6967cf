"""Chooses each origin's newest full visit and follows its branch to a revision and a root.

Every step is one join over a table of the export, reduced while it streams to the rows that the
step before asks for: statuses, branches, releases, revisions, parents, directories. The cost is one
pass over each of these tables, whatever their size; what DuckDB keeps grows with the chosen visits
and the branches of their snapshots.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from stackcurate.schema import HEAD, REVISION, conform, escape_name
from stackcurate.sources.base import Problem
from stackcurate.sources.facts import default_branches
from stackcurate.sources.origins import repository_name
from stackcurate.sources.swh_export import Database

_DOUBLINGS = 40  # of the reach of a walk along first parents
MAX_HOPS = 32  # aliases or nested releases in a row; the archive's own loaders write one or two
_LAST_NS_SECOND = 9_223_372_035  # a date up to here fits 64-bit nanoseconds, back to its negative

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's id of a directory without entries
_NO_DEFAULTS = pa.schema([("origin", pa.string()), ("default_branch", pa.string())]).empty_table()

# What people read beside the reason of an origin without a head.
_MESSAGES = {
    "no_full_visit": "no visit of this origin ended in full by the date asked for",
    "no_snapshot": "its newest full visit names no snapshot that the export holds",
    "no_branch": "its snapshot has neither HEAD nor a default branch that leads anywhere",
    "alias_loop": "its branches are aliases of each other",
    "missing_release": "its branch leads to a release that the export does not hold",
    "missing_revision": "its branch leads to a revision that the export does not hold",
    "missing_directory": "its revision names a root directory that the export does not hold",
    "not_source": "its branch leads to something other than a revision or a directory",
}


def find_heads(
    db: Database,
    container: str,
    latest: int | None,
    visit_types: frozenset[str],
    repositories: Path | None,
    ancestry: bool = False,
) -> tuple[pa.Table, pa.Table, list[Problem]]:
    """HEAD and REVISION tables of an export, sorted by origin and id, and origins without a head.

    ``latest`` is the last second (Unix time) at which a visit may have begun; an empty
    ``visit_types`` takes all; ``repositories`` is a table of facts that may know default
    branches, see ``facts.join_facts``.
    """
    _visits(db, latest, visit_types)
    if repositories is not None:
        chosen = db.table("SELECT origin FROM pick ORDER BY origin")
        db.register("defaults", default_branches(chosen["origin"], repositories))
    else:
        db.register("defaults", _NO_DEFAULTS)
    _branches(db)
    _choose(db)
    _targets(db)
    _roots(db)
    _first_revisions(db, ancestry)
    return _heads(db, container), _revisions(db), _problems(db)


def _visits(db: Database, latest: int | None, visit_types: frozenset[str]) -> None:
    """Table ``pick``: the visit of each origin; table ``origin_all``: every origin asked about."""
    db.load("origin", "origin", "SELECT id, url FROM incoming WHERE url IS NOT NULL")
    db.load("origin_visit", "visit", "SELECT origin, visit, date_s, date_ns, type FROM incoming")
    db.load("origin_visit_status", "status", "SELECT * FROM incoming WHERE origin IS NOT NULL")
    db.register("types", pa.table({"type": pa.array(sorted(visit_types), pa.string())}))
    # The exporter writes URLs where older tables held the origin's id.
    db.run(
        """
        CREATE TABLE seen AS
        SELECT coalesce(o.url, s.origin) AS origin, s.visit, s.status, s.snapshot,
               coalesce(s.type, v.type) AS type,
               coalesce(v.date_s, s.date_s) AS date_s,
               coalesce(CASE WHEN v.date_s IS NULL THEN s.date_ns ELSE v.date_ns END, 0) AS date_ns,
               s.date_s AS at_s, s.date_ns AS at_ns
        FROM status s LEFT JOIN (SELECT id, min(url) AS url FROM origin GROUP BY id) o
          ON o.id = s.origin
        LEFT JOIN (SELECT origin, visit, min(date_s) AS date_s, min(date_ns) AS date_ns,
                          min(type) AS type FROM visit GROUP BY origin, visit) v
          ON v.origin = s.origin AND v.visit = s.visit
        """
    )
    asked = "type IN (SELECT type FROM types)" if visit_types else "true"
    unseen = "" if visit_types else "UNION SELECT url FROM origin"
    db.run(
        f"""
        CREATE TABLE origin_all AS SELECT DISTINCT origin FROM seen WHERE {asked} {unseen}
        """
    )
    by_then = "true" if latest is None else f"date_s <= {latest}"
    db.run(
        f"""
        CREATE TABLE full_visit AS SELECT * FROM seen
        WHERE status = 'full' AND date_s IS NOT NULL AND {asked} AND {by_then}
        """
    )
    db.run(
        """
        CREATE TABLE pick AS SELECT * EXCLUDE (n) FROM (
            SELECT *, row_number() OVER (PARTITION BY origin ORDER BY date_s DESC, date_ns DESC,
                visit DESC, at_s DESC NULLS LAST, at_ns DESC NULLS LAST, snapshot, type) AS n
            FROM full_visit WHERE snapshot IS NOT NULL) WHERE n = 1
        """
    )


def _branches(db: Database) -> None:
    """Tables ``branch`` and ``alias``: what the chosen snapshots hold, and where aliases lead."""
    db.run("CREATE TABLE wanted_snapshot AS SELECT DISTINCT snapshot AS id FROM pick")
    db.load(
        "snapshot",
        "snapshot",
        "SELECT id FROM incoming WHERE id IN (SELECT id FROM wanted_snapshot)",
    )
    db.load(
        "snapshot_branch",
        "branch",
        """SELECT snapshot, name, target, target_id, target_type FROM incoming
           WHERE snapshot IN (SELECT id FROM wanted_snapshot) AND name IS NOT NULL""",
    )
    db.unique("branch", "snapshot, name", "target_type, target")
    # The exporter writes an alias's target, a name, in hex like any target; hand-made tables plain.
    db.run(
        """
        CREATE TABLE alias AS
        SELECT a.snapshot, a.name, coalesce(h.name, p.name) AS next FROM (
            SELECT snapshot, name, encode(target) AS plain,
                   CASE WHEN regexp_full_match(target, '([0-9a-fA-F][0-9a-fA-F])+')
                        THEN unhex(target) END AS hexed
            FROM branch WHERE target_type = 'alias') a
        LEFT JOIN branch h ON h.snapshot = a.snapshot AND h.name = a.hexed
        LEFT JOIN branch p ON p.snapshot = a.snapshot AND p.name = a.plain
        """
    )


def _choose(db: Database) -> None:
    """Table ``chosen``: the best branch of each origin; one that is still an alias is a loop."""
    db.run(
        """
        CREATE TABLE walk AS
        SELECT origin, snapshot, 0 AS rank, 'HEAD'::BLOB AS name FROM pick
        UNION ALL SELECT p.origin, p.snapshot, 1,
            encode(CASE WHEN starts_with(d.default_branch, 'refs/') THEN d.default_branch
                   ELSE 'refs/heads/' || d.default_branch END)
        FROM pick p JOIN defaults d USING (origin) WHERE d.default_branch IS NOT NULL
        UNION ALL SELECT origin, snapshot, 2, 'refs/heads/main'::BLOB FROM pick
        UNION ALL SELECT origin, snapshot, 3, 'refs/heads/master'::BLOB FROM pick
        """
    )
    for _ in range(MAX_HOPS):
        if not db.count("walk w JOIN alias a USING (snapshot, name)"):
            break
        db.run(
            """
            CREATE OR REPLACE TABLE walk AS
            SELECT w.origin, w.snapshot, w.rank,
                   CASE WHEN a.snapshot IS NULL THEN w.name ELSE a.next END AS name
            FROM walk w LEFT JOIN alias a ON a.snapshot = w.snapshot AND a.name = w.name
            """
        )
    db.run(
        """
        CREATE TABLE chosen AS SELECT * EXCLUDE (n) FROM (
            SELECT w.origin, b.name, b.target_id, b.target_type, row_number() OVER (
                PARTITION BY w.origin ORDER BY b.target_type = 'alias', w.rank) AS n
            FROM walk w JOIN branch b ON b.snapshot = w.snapshot AND b.name = w.name
            WHERE b.target_id IS NOT NULL OR b.target_type = 'alias') WHERE n = 1
        """
    )


def _targets(db: Database) -> None:
    """Table ``aim``: the revision or directory at the end of each branch, releases followed."""
    db.run("CREATE TABLE aim AS SELECT origin, name, target_id, target_type AS kind FROM chosen")
    # Releases may lead to releases and the table is small beside revisions: it is taken whole.
    db.load("release", "release", "SELECT * FROM incoming WHERE id IS NOT NULL")
    db.unique("release", "id", "target_type, target")
    for _ in range(MAX_HOPS):
        if not db.count("aim a JOIN release r ON a.target_id = r.id", "kind = 'release'"):
            break
        db.run(
            """
            CREATE OR REPLACE TABLE aim AS
            SELECT a.origin, a.name,
                   CASE WHEN r.id IS NULL THEN a.target_id ELSE r.target END AS target_id,
                   CASE WHEN r.id IS NULL THEN a.kind ELSE r.target_type END AS kind
            FROM aim a LEFT JOIN release r
            ON r.id = CASE WHEN a.kind = 'release' THEN a.target_id END
            """
        )
    db.run("CREATE TABLE wanted AS SELECT DISTINCT target_id AS id FROM aim WHERE kind='revision'")
    db.load(
        "revision",
        "revision",
        "SELECT * FROM incoming WHERE id IN (SELECT id FROM wanted)",
    )
    order = "directory, date_s, date_ns, committer_date_s, author, committer"
    db.unique("revision", "id", f"{order}, date_offset, committer_offset")
    db.load(
        "revision_history",
        "parent",
        """SELECT id, parent, rank FROM incoming
           WHERE id IN (SELECT id FROM wanted) AND parent IS NOT NULL""",
    )


def _roots(db: Database) -> None:
    """Table ``outcome``: each origin's root, or the reason why it has none."""
    db.run(
        """
        CREATE TABLE rooted AS SELECT a.*, r.id AS revision,
            CASE WHEN a.kind = 'directory' THEN a.target_id ELSE r.directory END AS root
        FROM aim a LEFT JOIN revision r
            ON r.id = CASE WHEN a.kind = 'revision' THEN a.target_id END
        """
    )
    db.run("CREATE TABLE wanted_root AS SELECT DISTINCT root AS id FROM rooted")
    whole = db.load(
        "directory",
        "directory",
        "SELECT id FROM incoming WHERE id IN (SELECT id FROM wanted_root)",
    )
    # Without the table, or with a part of it lost, `files` finds out from the entries.
    absent = "d.id IS NULL" if whole and db.export.files("directory") else "false"
    db.run(
        f"""
        CREATE TABLE outcome AS SELECT o.origin, t.name, t.revision, t.root, CASE
            WHEN p.origin IS NULL AND f.origin IS NOT NULL THEN 'no_snapshot'
            WHEN p.origin IS NULL THEN 'no_full_visit'
            WHEN t.origin IS NULL AND s.id IS NULL AND b.snapshot IS NULL THEN 'no_snapshot'
            WHEN t.origin IS NULL THEN 'no_branch'
            WHEN t.kind = 'alias' THEN 'alias_loop'
            WHEN t.kind = 'release' THEN 'missing_release'
            WHEN t.kind = 'revision' AND t.revision IS NULL THEN 'missing_revision'
            WHEN t.kind IS NULL OR t.kind NOT IN ('revision', 'directory') THEN 'not_source'
            WHEN t.root IS NULL THEN 'missing_directory'
            WHEN {absent} AND t.root <> unhex('{EMPTY_TREE}') THEN 'missing_directory' END AS reason
        FROM origin_all o
        LEFT JOIN (SELECT DISTINCT origin FROM full_visit) f USING (origin)
        LEFT JOIN pick p USING (origin)
        LEFT JOIN rooted t USING (origin)
        LEFT JOIN (SELECT DISTINCT id FROM snapshot) s ON s.id = p.snapshot
        LEFT JOIN (SELECT DISTINCT snapshot FROM branch) b ON b.snapshot = p.snapshot
        LEFT JOIN (SELECT DISTINCT id FROM directory) d ON d.id = t.root
        """
    )


def _first_revisions(db: Database, wanted: bool) -> None:
    """Table ``founder``: the revision where the first parents of each head end, if it is there.

    Each pass doubles how far every revision sees, so some twenty passes reach any depth. A cycle,
    which no hash allows, never ends in a revision without parents and tells nothing.
    """
    db.run("CREATE TABLE founder (id BLOB, first BLOB)")
    if not wanted:
        return
    db.load(
        "revision_history",
        "jump",
        "SELECT id, parent FROM incoming WHERE rank = 0 AND parent IS NOT NULL AND id IS NOT NULL",
    )
    db.unique("jump", "id", "parent")
    for _ in range(_DOUBLINGS):
        if not db.count("jump a JOIN jump b ON a.parent = b.id"):
            break
        db.run(
            """
            CREATE OR REPLACE TABLE jump AS
            SELECT a.id, coalesce(b.parent, a.parent) AS parent
            FROM jump a LEFT JOIN jump b ON a.parent = b.id
            """
        )
    db.run(
        """
        CREATE TABLE ended AS SELECT w.id, coalesce(j.parent, w.id) AS first
        FROM wanted w LEFT JOIN jump j ON j.id = w.id
        """
    )
    db.load("revision", "there", "SELECT id FROM incoming WHERE id IN (SELECT first FROM ended)")
    db.run(
        """
        INSERT INTO founder SELECT DISTINCT id, first FROM ended
        WHERE first IN (SELECT id FROM there) AND first NOT IN (SELECT id FROM jump)
        """
    )


_DATE = f"CASE WHEN abs({{0}}_s) <= {_LAST_NS_SECOND} THEN {{0}}_s * 1000000000 {{1}} END"


def _heads(db: Database, container: str) -> pa.Table:
    visit = _DATE.format("p.date", "+ p.date_ns")
    # Whole seconds, as REVISION has them: how ORC stores fractions depends on a date's neighbors.
    date, committed = _DATE.format("r.date", ""), _DATE.format("r.committer_date", "")
    found = db.table(
        f"""
        SELECT lower(hex(t.root)) AS root, lower(hex(t.root)) AS directory_id, p.origin,
               p.type AS visit_type, p.visit, {visit} AS visit_date,
               lower(hex(p.snapshot)) AS snapshot_id, t.name AS branch_bytes,
               lower(hex(t.revision)) AS revision_id,
               {date} AS revision_date, {committed} AS committer_date,
               lower(hex(f.first)) AS first_revision
        FROM outcome t JOIN pick p USING (origin) LEFT JOIN revision r ON r.id = t.revision
            LEFT JOIN founder f ON f.id = t.revision
        WHERE t.reason IS NULL ORDER BY p.origin
        """
    )
    names = [_repo_name(origin) for origin in found["origin"].to_pylist()]
    branches = [escape_name(name)[0] for name in found["branch_bytes"].to_pylist()]
    found = found.append_column("repo_name", pa.array(names, pa.string()))
    found = found.append_column("branch_name", pa.array(branches, pa.string()))
    held = pa.array([container] * found.num_rows, pa.string())
    return conform(found.append_column("container", held), HEAD)


def _repo_name(origin: str) -> str:
    try:
        return repository_name(origin)
    except ValueError:  # an address that no URL parser takes, such as http://[x
        return origin


# A person is 32 bytes, SHA-256 of the full name; a name in the open is hashed here.
_PERSON = "CASE WHEN octet_length({0}) = 32 THEN lower(hex({0})) ELSE sha256({0}) END"


def _revisions(db: Database) -> pa.Table:
    found = db.table(
        f"""
        WITH family AS (
            SELECT id, list(lower(hex(parent)) ORDER BY rank, parent) AS parents
            FROM (SELECT DISTINCT id, parent, rank FROM parent) GROUP BY id)
        SELECT lower(hex(r.id)) AS revision_id, lower(hex(r.directory)) AS directory_id,
               coalesce(f.parents, []) AS parents,
               {_PERSON.format("r.author")} AS author, {_PERSON.format("r.committer")} AS committer,
               r.date_s AS date_seconds, r.date_offset AS date_offset_minutes,
               r.committer_date_s AS committer_date_seconds,
               r.committer_offset AS committer_date_offset_minutes
        FROM revision r LEFT JOIN family f ON f.id = r.id
        WHERE r.id IN (SELECT revision FROM outcome WHERE reason IS NULL) ORDER BY r.id
        """
    )
    return conform(found, REVISION)


def _problems(db: Database) -> list[Problem]:
    rows = db.rows("SELECT origin, reason FROM outcome WHERE reason IS NOT NULL ORDER BY origin")
    return [Problem(origin, reason, _MESSAGES[reason]) for origin, reason in rows]
