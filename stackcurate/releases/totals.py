"""Counts what a release holds from its own files, so that the manifest never repeats a rumor.

Reads slim columns only, through DuckDB with bounded memory; sums of integers in sorted order, so
the answer does not depend on threads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

# Upper ends of the cluster-size histogram; the last bucket is open.
_CLUSTER_ENDS = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 1024)


@contextmanager
def over_files(files: Sequence[Path], memory: str = "1GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with the view ``files`` over the given data files.

    Sorts and groups spill to a temporary folder beyond ``memory``. The view has no rows where there
    are no files, and then no columns either: ask for ``count(*)`` alone.
    """
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(":memory:") as connection:
        connection.execute(f"SET memory_limit = '{memory}'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET temp_directory = {_quoted(spill)}")
        names = ", ".join(_quoted(_literal(path)) for path in sorted(files))
        connection.execute(
            f"CREATE VIEW files AS SELECT * FROM read_parquet([{names}], hive_partitioning = false)"
            if files
            else "CREATE VIEW files AS SELECT 1 AS nothing WHERE false"
        )
        yield connection


def totals(release: Path, files: Sequence[str], folders: dict[str | None, str]) -> dict[str, Any]:
    """Counts over the data files ``files`` (paths inside ``release``).

    Returns {"files", "bytes" (UTF-8 text), "languages", "licenses", "classes", "redactions",
    "clusters"}: lists of dicts, largest first, ties by name. ``folders`` maps languages (None for
    unknown) to folder names.
    """
    if not files:
        empty: dict[str, Any] = {"files": 0, "bytes": 0}
        lists = ("languages", "licenses", "classes", "redactions", "clusters")
        return empty | {name: [] for name in lists}
    with over_files([release / path for path in files]) as connection:
        languages = _grouped(connection, {"language": "language"})
        for entry in languages:
            entry["folder"] = folders[entry["language"]]
        return {
            "files": sum(entry["files"] for entry in languages),
            "bytes": sum(entry["bytes"] for entry in languages),
            "languages": languages,
            "licenses": _grouped(
                connection, {"expression": "license_expression", "class": "license_class"}
            ),
            "classes": _grouped(connection, {"class": "license_class"}),
            "redactions": _redactions(connection),
            "clusters": _clusters(connection),
        }


def _grouped(
    connection: duckdb.DuckDBPyConnection, columns: dict[str, str]
) -> list[dict[str, Any]]:
    keys = ", ".join(columns.values())
    rows = connection.execute(
        f"SELECT {keys}, count(*) AS n, coalesce(sum(text_bytes), 0)::BIGINT FROM files "
        f"GROUP BY {keys} ORDER BY n DESC, {keys}"
    ).fetchall()
    return [dict(zip([*columns, "files", "bytes"], row, strict=True)) for row in rows]


def _redactions(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Findings and the files that hold them, by kind and rule."""
    rows = connection.execute(
        "SELECT finding.kind, finding.rule, count(*) AS n, count(DISTINCT row_key) "
        "FROM (SELECT row_key, unnest(redactions) AS finding FROM files "
        "      WHERE len(redactions) > 0) "
        "GROUP BY ALL ORDER BY n DESC, finding.kind, finding.rule"
    ).fetchall()
    keys = ("kind", "rule", "findings", "files")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def _clusters(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Kept files by the size of their near-duplicate cluster; a file alone counts as size 1."""
    ends = ", ".join(map(str, _CLUSTER_ENDS))
    rows = connection.execute(
        f"SELECT list_min(list_filter([{ends}], lambda top: top >= size)) AS most, "
        "count(*), sum(size)::BIGINT "
        "FROM (SELECT coalesce(dedup_cluster_size, 1) AS size FROM files) "
        "GROUP BY most ORDER BY most NULLS LAST"
    ).fetchall()
    least = dict(zip(_CLUSTER_ENDS[1:], _CLUSTER_ENDS, strict=False))
    return [
        {
            "least": (least.get(most, 0) if most else _CLUSTER_ENDS[-1]) + 1,
            "most": most,
            "clusters": clusters,
            "files": members,
        }
        for most, clusters, members in rows
    ]


def _literal(path: Path) -> str:
    """``path`` so that DuckDB's file globs read it as it stands."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
