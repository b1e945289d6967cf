"""What changed between two releases, file by file, each with its cause: `diff` and the changelog.

A file is its ``row_key`` (origin and path). Every difference is one row, and rows are one of

    added     in the new release alone
    removed   in the old release alone
    moved     in both by content, under another origin or path
    changed   in both by row_key, with another text, license, language or redaction

so files now = files before + added - removed. Rows in which only facts about the repository differ
(stars, dates, revision, number of places) are counted as ``refreshed`` and not listed.

Files that an opt-out took away are counted and never named. DuckDB joins out of core, so memory is
bounded whatever the releases hold.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.releases.checks import Withdrawn
from stackcurate.releases.diff_causes import SQL, settings
from stackcurate.releases.manifest import read_manifest
from stackcurate.releases.versions import Changes, changes
from stackcurate.releases.writer import write_table
from stackcurate.schema import FILE, HEAD, LEDGER, conform

KINDS = ("added", "removed", "changed", "moved")
CAUSES = ("upstream", "optout", "license", "detector", "survivor", "config")

#: One row per difference. ``before`` is the old release's side; null where there is none.
DIFFERENCE = pa.schema(
    [
        ("kind", pa.string()),  # one of KINDS
        ("cause", pa.string()),  # one of CAUSES
        ("detail", pa.string()),  # the verdict that dropped it, or what changed: "text, license"
        ("row_key", pa.string()),  # null, as all names, where an opt-out took the file away
        ("row_key_before", pa.string()),  # of a moved file
        ("origin", pa.string()),
        ("origin_before", pa.string()),
        ("repo_name", pa.string()),
        ("path", pa.string()),
        ("path_before", pa.string()),
        ("content_id", pa.string()),
        ("content_id_before", pa.string()),
        ("language", pa.string()),
        ("language_before", pa.string()),
        ("license", pa.string()),
        ("license_before", pa.string()),
        ("bytes", pa.int64()),  # of text
        ("bytes_before", pa.int64()),
        ("kept_row_key", pa.string()),  # the file that stands for a removed one
    ]
)

# What a reader of the file would notice, by the word that `detail` uses for it.
GROUPS = {
    "content": ("content_id",),
    "text": ("text_sha256",),
    "license": ("license_expression", "license_class", "license_type", "detected_licenses"),
    "language": (
        "language",
        "src_encoding",
        "is_vendor",
        "is_generated",
        "is_test",
        "is_documentation",
    ),
    "redactions": ("redactions",),
}
# What a difference shows of each side, and what its cause is found by.
_SHOWN = (
    "row_key",
    "content_id",
    "origin",
    "repo_name",
    "path",
    "language",
    "license_expression",
    "license_class",
    "text_bytes",
    "length_bytes",
)
_REPOSITORIES = 1000  # repositories that a diff names, those with the most differences
_BATCH = 65_536
MEMORY = "512MB"  # of DuckDB; a diff of two 500,000-row releases stays below without spilling


@dataclass(frozen=True)
class Side:
    """One release to compare: its folder, and its manifest (which a staging folder lacks)."""

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def of(cls, release: Path) -> Side:
        return cls(release, read_manifest(release))

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.folder.glob(pattern))


@dataclass(frozen=True)
class Diff:
    """The differences of two releases, counted.

    ``counts`` by kind, cause and detail: files and bytes of text. ``languages``, ``licenses`` and
    ``repositories`` by kind, most differences first; of repositories at most 1,000, ``others``
    counts the rest. ``unchanged`` rows differ in nothing but, in ``refreshed`` of them, facts.
    """

    before: str
    after: str
    files: tuple[int, int]
    counts: list[dict[str, Any]]
    unchanged: int
    refreshed: int
    languages: list[dict[str, Any]]
    licenses: list[dict[str, Any]]
    repositories: list[dict[str, Any]]
    others: int
    changes: Changes = field(default_factory=Changes)

    def total(self, kind: str, cause: str | None = None) -> int:
        """Files of one kind, of one cause or all."""
        return sum(
            one["files"]
            for one in self.counts
            if one["kind"] == kind and cause in (None, one["cause"])
        )

    @property
    def empty(self) -> bool:
        return not self.counts and not self.refreshed

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


def diff(
    before: Path | Side,
    after: Path | Side,
    rows: Path | None = None,
    withdrawn: Withdrawn | None = None,
    memory: str = MEMORY,
) -> Diff:
    """Compare two releases. Writes every difference to the Parquet file ``rows`` where given.

    ``withdrawn`` is the opt-out registry's answer: with it the cause of a removal is certain;
    without it an opt-out is inferred from what both releases state. ``memory`` bounds DuckDB.
    Raises ConfigError where there is no release.
    """
    old = before if isinstance(before, Side) else Side.of(before)
    new = after if isinstance(after, Side) else Side.of(after)
    with joined(old, new, withdrawn, memory) as connection:
        if rows is not None:
            write_table(rows, _listed(connection), DIFFERENCE)
        return _counted(connection, old, new)


@contextmanager
def opened(memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection whose tables, joins and sorts spill beyond ``memory``."""
    with tempfile.TemporaryDirectory() as spill:
        place = Path(spill)
        with duckdb.connect(str(place / "diff.duckdb")) as connection:
            for name, value in {
                "memory_limit": _quoted(memory),
                "temp_directory": _quoted(str(place / "spill")),
                "threads": str(min(4, os.cpu_count() or 1)),  # each has buffers of its own
                "preserve_insertion_order": "false",
                "enable_progress_bar": "false",
            }.items():
                connection.execute(f"SET {name} = {value}")
            yield connection


@contextmanager
def joined(
    old: Side, new: Side, withdrawn: Withdrawn | None = None, memory: str = MEMORY
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with what two releases hold and how they differ.

    Views ``old_files``, ``new_files``; tables ``old_ledger``, ``old_origins`` and the same of
    ``new``, ``paired`` (files that differ, came or went), ``withdrawn_now``, ``differences``.
    """
    with opened(memory) as connection:
        columns = [_columns(connection, side) for side in (old, new)]
        shared = [name for name in FILE.names if all(name in have for have in columns)]
        for side, one, have in (("old", old, columns[0]), ("new", new, columns[1])):
            _side_views(connection, side, one, have, shared)
        connection.execute(SQL["paired"])
        connection.register("withdrawn_now", pa.table({"row_key": pa.array([], pa.string())}))
        if withdrawn is not None:
            gone = _withdrawn(connection, withdrawn)
            connection.unregister("withdrawn_now")
            connection.register("withdrawn_now", gone)
        connection.register("settings", settings(old.manifest, new.manifest))
        connection.execute(SQL["moves"])
        connection.execute(SQL["causes"])
        connection.execute(SQL["differences"])
        yield connection


def _columns(connection: duckdb.DuckDBPyConnection, side: Side) -> set[str]:
    files = side.files("data/*/*.parquet")
    return set(pq.read_schema(files[0]).names) if files else set(FILE.names)


def _side_views(
    connection: duckdb.DuckDBPyConnection,
    side: str,
    release: Side,
    have: set[str],
    shared: Sequence[str],
) -> None:
    """Views over one release: rows with digests of their columns, ledger, origins, containers."""
    view(connection, f"{side}_files", release.files("data/*/*.parquet"), FILE)
    view(connection, f"{side}_ledger_rows", release.files("ledger/*.parquet"), LEDGER)
    heads = pa.schema([*HEAD, ("outcome", pa.string())])
    view(connection, f"{side}_heads", release.files("repositories.parquet"), heads)
    types = {"text_bytes": "BIGINT", "length_bytes": "BIGINT"}
    named = [
        name if name in have else f"NULL::{types.get(name, 'VARCHAR')} AS {name}" for name in _SHOWN
    ]
    seen = {name: [c for c in group if c in shared] for name, group in GROUPS.items()}
    seen["all"] = [c for c in shared if c != "content"]  # text_sha256 stands for it
    marks = [f"hash({', '.join(group) or '0'}) AS h_{name}" for name, group in seen.items()]
    connection.execute(
        f"CREATE VIEW {side}_rows AS SELECT {', '.join([*named, *marks])} FROM {side}_files"
    )
    locked = release.manifest["inputs"]
    connection.register(
        f"{side}_inputs",
        pa.table(
            {
                "container": pa.array([one["key"] for one in locked], pa.string()),
                "digest": pa.array([one["digest"] for one in locked], pa.string()),
            }
        ),
    )
    connection.execute(SQL["side"].replace("SIDE", side))


def view(
    connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path], schema: pa.Schema
) -> None:
    """A view over Parquet files, or an empty table of ``schema`` where there are none."""
    if not files:
        connection.register(name, schema.empty_table())
        return
    listed = ", ".join(_quoted(_literal(path)) for path in files)
    connection.execute(
        f"CREATE VIEW {name} AS SELECT * FROM "
        f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
    )


def _withdrawn(connection: duckdb.DuckDBPyConnection, withdrawn: Withdrawn) -> pa.Table:
    """Row keys of removed files that the registry withdraws now."""
    gone: list[str] = []
    reader = _reader(
        connection.sql(
            "SELECT row_key, content_id, origin, path, snapshot_id, revision_id, directory_id "
            "FROM old_files SEMI JOIN (SELECT row_key FROM paired WHERE NOT has) USING (row_key)"
        ),
        _BATCH,
    )
    for batch in reader:
        table = conform(pa.Table.from_batches([batch]), FILE)
        gone += table["row_key"].filter(pc.is_valid(withdrawn.files(table))).to_pylist()
    return pa.table({"row_key": pa.array(gone, pa.string())})


def _listed(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.Table]:
    """The differences in a fixed order."""
    names = ", ".join(DIFFERENCE.names)
    relation = connection.sql(f"SELECT {names} FROM differences ORDER BY ALL NULLS LAST")
    for batch in _reader(relation, _BATCH):
        yield pa.Table.from_batches([batch]).cast(DIFFERENCE)


def _counted(connection: duckdb.DuckDBPyConnection, old: Side, new: Side) -> Diff:
    counts = _dicts(
        connection,
        "SELECT kind, cause, detail, count(*) AS files, "
        "sum(coalesce(bytes, bytes_before, 0))::BIGINT AS bytes FROM differences "
        "GROUP BY ALL ORDER BY kind, files DESC, cause, detail",
    )
    before, after, gone, changed, equal = connection.execute(SQL["sums"]).fetchone() or (0,) * 5
    same = before - gone - changed
    repositories = _by(connection, "repository", "repo_name", _REPOSITORIES)
    named = connection.execute(
        "SELECT count(DISTINCT repo_name) FROM differences WHERE repo_name IS NOT NULL"
    ).fetchone()
    return Diff(
        before=old.manifest["release_id"],
        after=new.manifest["release_id"],
        files=(before, after),
        counts=counts,
        unchanged=same,
        refreshed=same - equal,
        languages=_by(connection, "language", "coalesce(language, language_before)"),
        licenses=_by(connection, "license", "coalesce(license, license_before)"),
        repositories=repositories,
        others=max((named[0] if named else 0) - _REPOSITORIES, 0),
        changes=changes(old.manifest, new.manifest),
    )


def _by(
    connection: duckdb.DuckDBPyConnection, name: str, value: str, most: int | None = None
) -> list[dict[str, Any]]:
    """Counts by kind of one value of the differences; null is those without (or not named)."""
    kinds = ", ".join(f"count(*) FILTER (kind = '{kind}') AS {kind}" for kind in KINDS)
    where = "" if most is None else f"WHERE {value} IS NOT NULL "
    end = "" if most is None else f" LIMIT {most}"
    return _dicts(
        connection,
        f"SELECT {value} AS {name}, {kinds} FROM differences {where}GROUP BY 1 "
        f"ORDER BY count(*) DESC, 1 NULLS LAST{end}",
    )


def _dicts(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _reader(relation: duckdb.DuckDBPyRelation, rows: int) -> pa.RecordBatchReader:
    if hasattr(duckdb.DuckDBPyRelation, "to_arrow_reader"):
        return relation.to_arrow_reader(rows)
    return relation.fetch_arrow_reader(rows)  # before DuckDB 2


def _literal(path: Path) -> str:
    """``path`` so that DuckDB's file globs read it as it stands."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
