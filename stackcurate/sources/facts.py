"""Joins facts about repositories (stars, forks, declared license) from a GHArchive-shaped table.

The table has one row per repository or per event about it, under the names of GHArchive or of The
Stack v2. It is joined by the origin's URL, else, on github.com, by the full name; neither regards
case, ``http`` or ``https``, a last slash or ``.git``.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import pyarrow.parquet as pq

from stackcurate.errors import ConfigError
from stackcurate.schema import FACTS, HEAD

# Our column -> the names under which a table may hold it, best first.
_NAMES: dict[str, tuple[str, ...]] = {
    "github_id": ("github_id", "repo_id"),
    "star_events_count": ("star_events_count", "stars", "stargazers_count"),
    "fork_events_count": ("fork_events_count", "forks", "forks_count"),
    "gha_license_id": ("gha_license_id", "license_spdx_id", "spdx_id", "license"),
    "gha_event_created_at": ("gha_event_created_at", "event_created_at"),
    "gha_created_at": ("gha_created_at", "created_at"),
    "gha_language": ("gha_language", "language"),
}
_URL = ("origin", "repo_url", "html_url", "url")
_FULL_NAME = ("full_name", "repo_name")
_BRANCH = ("default_branch",)
_TIMES = ("gha_event_created_at", "gha_created_at")


def join_facts(heads: pa.Table, path: Path | None) -> pa.Table:
    """``heads`` (schema HEAD, same rows and order) with the columns of FACTS filled from ``path``.

    ``path`` is a Parquet or JSON Lines file; None leaves the facts as they are, and what the table
    does not know keeps the value that the source gave. Of several rows
    about one repository the newest event wins, then the greatest id, then the greatest of the
    other columns, so that the order of the rows never matters. A license is an SPDX id as text, or
    GitHub's struct with ``spdx_id``. Raises ConfigError naming what is missing.
    """
    if path is None:
        return heads
    facts = _read(path)
    found = _lookup(heads.select(["origin"]), facts, FACTS.names)
    for field in FACTS:
        at = heads.schema.get_field_index(field.name)
        known = pc.coalesce(found[field.name].cast(field.type), heads[field.name])
        heads = heads.set_column(at, field, known)
    return heads.select(HEAD.names).cast(HEAD)


def default_branches(origins: pa.ChunkedArray | pa.Array, path: Path | None) -> pa.Table:
    """The columns ``origin`` and ``default_branch`` (null where unknown), rows as ``origins``."""
    table = pa.table({"origin": origins})
    if path is None:
        return table.append_column("default_branch", pa.nulls(table.num_rows, pa.string()))
    found = _lookup(table, _read(path), ["default_branch"])
    return table.append_column("default_branch", found["default_branch"])


def _read(path: Path) -> pa.Table:
    """The facts under our names: FACTS, ``default_branch``, ``url`` and ``full_name``."""
    try:
        if path.suffix in (".jsonl", ".ndjson", ".json"):
            table = pyarrow.json.read_json(path)
        else:
            table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(f"repositories: {path} cannot be read as a table ({why})") from error
    columns = {ours: _pick(table, names) for ours, names in _NAMES.items()}
    columns["default_branch"] = _pick(table, _BRANCH)
    columns["url"], columns["full_name"] = _pick(table, _URL), _pick(table, _FULL_NAME)
    if columns["url"] is None and columns["full_name"] is None:
        wanted = ", ".join((*_URL, *_FULL_NAME))
        raise ConfigError(f"repositories: {path} names no repository; it needs one of {wanted}")
    told = (*FACTS.names, "default_branch")
    if all(columns[name] is None for name in told):
        wanted = ", ".join(told)
        raise ConfigError(f"repositories: {path} holds no fact; it needs one or more of {wanted}")
    types = {name: FACTS.field(name).type for name in FACTS.names}
    made = {
        name: pa.nulls(table.num_rows, types.get(name, pa.string()))
        if column is None
        else _cast(column, types.get(name, pa.string()), name, path)
        for name, column in columns.items()
    }
    return pa.table(made)


def _pick(table: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray | None:
    for name in names:
        if name in table.column_names:
            return table[name]
    return None


def _cast(
    column: pa.ChunkedArray, kind: pa.DataType, name: str, path: Path
) -> pa.ChunkedArray | pa.Array:
    try:
        if pa.types.is_struct(column.type) and name == "gha_license_id":
            column = pc.struct_field(column, "spdx_id")
        if pa.types.is_string(column.type) and name in _TIMES:
            # GHArchive's form, 2015-01-01T00:00:00Z; Arrow wants the zone in the type.
            column = column.cast(pa.timestamp("ns", tz="UTC"))
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp(column.type.unit))
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(
            f"repositories: {path}: the column for {name} is {column.type}, it should be {kind}"
        ) from error


def _lookup(origins: pa.Table, facts: pa.Table, wanted: list[str]) -> pa.Table:
    """``wanted`` columns of ``facts`` for each row of ``origins``, in its order."""
    # A match by URL is taken whole: its nulls are not filled from another repository's row.
    taken = ", ".join(
        f"CASE WHEN u.best IS NULL THEN n.best.{name} ELSE u.best.{name} END AS {name}"
        for name in wanted
    )
    order = ["gha_event_created_at", "github_id", *FACTS.names, "default_branch", "url"]
    by = ", ".join(f"{name} DESC NULLS LAST" for name in dict.fromkeys(order))
    row = ", ".join(f"{name} := {name}" for name in wanted)
    best = f"first(struct_pack({row}) ORDER BY {by})"
    numbered = origins.append_column("nth", pa.array(range(origins.num_rows)))
    db = duckdb.connect(config={"threads": 1, "python_enable_replacements": False})
    try:
        db.register("given", numbered)
        db.register("facts", facts)
        return db.sql(
            f"""
            WITH keyed AS (SELECT *, {_KEY.format("url")} AS k, lower(full_name) AS name
                           FROM facts),
            asked AS (SELECT nth, {_KEY.format("origin")} AS k FROM given),
            by_url AS (SELECT k, {best} AS best FROM keyed WHERE k IS NOT NULL GROUP BY k),
            by_name AS (SELECT '{_GITHUB}' || name AS k, {best} AS best FROM keyed
                        WHERE name IS NOT NULL AND (k IS NULL OR starts_with(k, '{_GITHUB}'))
                        GROUP BY name)
            SELECT {taken} FROM asked o LEFT JOIN by_url u ON u.k = o.k
            LEFT JOIN by_name n ON n.k = o.k ORDER BY nth
            """
        ).to_arrow_table()
    finally:
        db.close()


# An address without scheme, case, last slash and `.git`.
_KEY = "regexp_replace(regexp_replace(lower({}), '^[a-z+]+://(www\\.)?', ''), '(\\.git)?/*$', '')"
_GITHUB = "github.com/"  # full names are GitHub's, and mean nothing elsewhere
