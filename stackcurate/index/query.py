"""Asks a release through DuckDB: by language, license, repository, path, pattern, or in SQL.

A release and a question may both come from strangers. DuckDB may read below the release's folder
and nowhere else, its settings are locked, only SELECT runs, values travel as parameters, and the
answer streams with bounded memory.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.index.globs import regex_of_glob
from stackcurate.schema import (
    EVIDENCE,
    FILE,
    HEAD,
    LEDGER,
    ORIGIN_GROUPS,
    PAPERS,
    REVISION,
    TEXTS,
)

#: Columns of an answer where nobody asks for others.
COLUMNS = ("repo_name", "path", "language", "license_expression", "text_bytes", "content_id")

#: The word for files whose language is null: their folder's name.
UNKNOWN = "_unknown"

# What `count_by` calls columns, besides their own names.
_ALIASES = {"license": "license_expression", "class": "license_class", "repo": "repo_name"}
_TABLES = {
    "repositories": ("repositories.parquet", HEAD),
    "revisions": ("revisions.parquet", REVISION),
    "evidence": ("evidence.parquet", EVIDENCE),
    "papers": ("papers.parquet", PAPERS),
    "texts": ("texts.parquet", TEXTS),
    "origin_groups": ("origin_groups.parquet", ORIGIN_GROUPS),
    "ledger": ("ledger/*.parquet", LEDGER),
}
_ABOUT_THE_QUESTION = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.PermissionException,
)
_ROWS = 256  # rows of an answer in memory at a time; each may carry a text
_MATCH = 200  # characters of a match that are shown


@dataclass
class Answer:
    """Rows of an answer, read once; close it, or use it as a context manager.

    ``columns`` are the names in order. ``batches`` gives Arrow batches of at most 256 rows.
    """

    columns: list[str]
    reader: pa.RecordBatchReader
    limit: int | None
    _held: ExitStack = field(default_factory=ExitStack, repr=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        left = self.limit
        with _asking():
            for batch in self.reader:
                if left is not None:
                    batch = batch.slice(0, left)
                    left -= batch.num_rows
                if batch.num_rows:
                    yield batch
                if left == 0:
                    return

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows as plain tuples."""
        for batch in self.batches():
            yield from zip(*map(_values, batch.columns), strict=True)

    def close(self) -> None:
        self._held.close()

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def query(
    release: Path,
    language: str | Sequence[str] | None = None,
    license: str | Sequence[str] | None = None,
    repo: str | Sequence[str] | None = None,
    path: str | Sequence[str] | None = None,
    pattern: str | None = None,
    sql: str | None = None,
    count_by: str | None = None,
    limit: int | None = None,
    columns: Sequence[str] | None = None,
    memory: str = "1GB",
) -> Answer:
    """Ask the release folder ``release``; several values of one filter are alternatives.

    ``language``: Linguist's name, ``_unknown`` for none. ``license``: an SPDX expression, a key in
    it, or a class; both in any case. ``repo``: owner/name or origin, with ``*``, ``?``. ``path``: a
    glob (see `globs.regex_of_glob`). ``pattern``: an RE2 expression searched for in the content;
    the answer then has a column ``match``. ``count_by``: files and bytes of text per value of a
    column. ``columns``: names, or ``["*"]`` for all. ``sql``: one SELECT over the views ``files``,
    ``repositories``, ``revisions``, ``evidence``, ``papers``, ``texts``, ``ledger``; it goes with
    ``limit`` alone.

    Rows come in the release's order. Raises ConfigError for a question that cannot be asked.
    """
    if not (release / "data").is_dir():
        raise ConfigError(f"{release} is not a release: it has no folder data")
    if limit is not None and limit < 0:
        raise ConfigError(f"the limit must be 0 or more, not {limit}")
    filters = (language, license, repo, path, pattern, count_by, columns)
    languages = _spelled(release, _several(language))
    parameters: list[Any] = []
    if sql is None:
        where, parameters = _where(
            languages, _several(license), _several(repo), _several(path), pattern
        )
        text = _question(where, parameters, pattern, count_by, columns, limit)
    elif any(one is not None for one in filters):
        raise ConfigError("an SQL question goes with a limit alone: write its filters in the SQL")
    with ExitStack() as held:
        connection = _open(release, languages, memory, held)
        if pattern is not None:
            _check_pattern(connection, pattern)
        with _asking():
            text = _one_select(connection, sql) if sql is not None else text
            relation = connection.sql(text, params=parameters or None)
            reader = _reader(relation)
        return Answer(reader.schema.names, reader, limit, held.pop_all())


def _where(
    languages: Sequence[str],
    licenses: Sequence[str],
    repos: Sequence[str],
    paths: Sequence[str],
    pattern: str | None,
) -> tuple[str, list[Any]]:
    """The condition and its parameters."""
    conditions: list[list[tuple[str, list[Any]]]] = [
        [
            ("language IS NULL", []) if one == UNKNOWN else ("language = ?", [one])
            for one in languages
        ],
        [
            (
                "lower(license_expression) = ? OR lower(license_class) = ? "
                "OR list_contains(list_transform(detected_licenses, lambda x: lower(x)), ?)",
                [one.lower()] * 3,
            )
            for one in licenses
        ],
        [
            (
                "regexp_full_match(repo_name, ?, 's') OR regexp_full_match(origin, ?, 's')",
                [regex_of_glob(one, stars_cross=True)] * 2,
            )
            if set(one) & set("*?")
            else ("repo_name = ? OR origin = ?", [one] * 2)
            for one in repos
        ],
        [("regexp_full_match(path, ?, 's')", [regex_of_glob(one)]) for one in paths],
        [] if pattern is None else [("regexp_matches(content, ?)", [pattern])],
    ]
    parts, parameters = [], []
    for alternatives in conditions:
        if alternatives:
            parts.append("(" + " OR ".join(f"({text})" for text, _ in alternatives) + ")")
            parameters += [value for _, values in alternatives for value in values]
    return " AND ".join(parts) or "true", parameters


def _question(
    where: str,
    parameters: list[Any],
    pattern: str | None,
    count_by: str | None,
    columns: Sequence[str] | None,
    limit: int | None,
) -> str:
    """The SQL of a question; ``parameters`` gains what stands before the condition."""
    end = "" if limit is None else f" LIMIT {int(limit)}"
    if count_by is not None:
        name = _column(_ALIASES.get(count_by, count_by))
        return (
            f"SELECT {name}, count(*) AS files, coalesce(sum(text_bytes), 0)::BIGINT AS bytes "
            f"FROM files WHERE {where} GROUP BY {name} "
            f"ORDER BY files DESC, {name} NULLS LAST{end}"
        )
    wanted = COLUMNS if columns is None else columns
    names = "*" if list(wanted) == ["*"] else ", ".join(_column(name) for name in wanted)
    if pattern is not None and columns is None:
        names += f", left(regexp_extract(content, ?), {_MATCH}) AS match"
        parameters.insert(0, pattern)
    return f"SELECT {names} FROM files WHERE {where}{end}"


def _column(name: str) -> str:
    if name not in FILE.names:
        raise ConfigError(f"{name!r} is not a column of a release; it has {', '.join(FILE.names)}")
    return f'"{name}"'


def _open(
    release: Path, languages: Sequence[str], memory: str, held: ExitStack
) -> duckdb.DuckDBPyConnection:
    """A locked connection with the views; everything it needs closes with ``held``."""
    release = release.resolve()
    spill = held.enter_context(tempfile.TemporaryDirectory())
    connection = held.enter_context(duckdb.connect(":memory:"))
    for name, value in {
        "memory_limit": _quoted(memory),
        "temp_directory": _quoted(spill),
        "enable_progress_bar": "false",
        "python_enable_replacements": "false",  # a name in the SQL is never a variable of ours
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        # as it stands, and as the views spell it for DuckDB's globs
        "allowed_directories": f"[{_quoted(f'{release}/')}, {_quoted(f'{_literal(release)}/')}]",
        "enable_external_access": "false",
        "lock_configuration": "true",  # last: from here on nobody opens a door again
    }.items():
        connection.execute(f"SET {name} = {value}")
    with _asking():
        _view(connection, "files", _data(release, languages), FILE)
        for name, (place, schema) in _TABLES.items():
            _view(connection, name, sorted(release.glob(place)), schema)
    return connection


def _view(
    connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path], schema: pa.Schema
) -> None:
    """A view over Parquet files, or an empty table of ``schema`` where there are none."""
    if files:
        names = ", ".join(_quoted(_literal(path)) for path in files)
        connection.execute(
            f"CREATE VIEW {name} AS "
            f"SELECT * FROM read_parquet([{names}], hive_partitioning = false)"
        )
    else:
        connection.register(name, schema.empty_table())


def _folders(release: Path) -> dict[str, str]:
    """Folder by language, as the manifest names them; nothing where there is no manifest."""
    if not (release / "manifest.json").is_file():
        return {}
    try:
        totals = json.loads((release / "manifest.json").read_bytes())["totals"]
        return {one["language"] or UNKNOWN: one["folder"] for one in totals["languages"]}
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{release / 'manifest.json'} is damaged") from error


def _spelled(release: Path, languages: Sequence[str]) -> list[str]:
    """Languages as the release spells them; those that it does not have stay as they are."""
    if not languages:
        return []
    spelled = {name.lower(): name for name in _folders(release)}
    return [spelled.get(one.lower(), one) for one in languages]


def _data(release: Path, languages: Sequence[str]) -> list[Path]:
    """The data files, of the folders of ``languages`` alone where the manifest names them."""
    named = _folders(release) if languages else {}
    folders = [named[language] for language in languages if language in named]
    files = sorted(path for path in (release / "data").glob("*/*.parquet"))
    return [path for path in files if path.parent.name in folders] if folders else files


def _check_pattern(connection: duckdb.DuckDBPyConnection, pattern: str) -> None:
    """Try the pattern on no file at all, so that what the error quotes is the pattern alone."""
    try:
        connection.execute("SELECT regexp_matches('', ?)", [pattern]).fetchall()
    except duckdb.Error as error:
        raise ConfigError(f"the pattern is not an RE2 expression: {_first_line(error)}") from None


def _one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """``sql`` if it is one SELECT; ConfigError otherwise."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise ConfigError("only one SELECT is answered here; a release is never changed")
    return statements[0].query


def _values(column: pa.Array) -> list[Any]:
    """Python values; times in microseconds, because Python knows no shorter ones.

    32-bit floats as they are written: 0.7, not the nearest of 64 bits, 0.699999988079071.
    """
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_float32(column.type):
        return [None if one is None else float(str(np.float32(one))) for one in column.to_pylist()]
    return column.to_pylist()


def _reader(relation: duckdb.DuckDBPyRelation) -> pa.RecordBatchReader:
    # asked of the class: on a relation, every name may be a column
    if hasattr(duckdb.DuckDBPyRelation, "to_arrow_reader"):
        return relation.to_arrow_reader(_ROWS)
    return relation.fetch_arrow_reader(_ROWS)  # before DuckDB 2


class _asking:
    """Turns DuckDB's errors into ours. Only errors about the question itself keep their words:
    others may quote what a file holds."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _ABOUT_THE_QUESTION):
            raise ConfigError(f"the question cannot be asked: {_first_line(error)}") from None
        if isinstance(error, (duckdb.Error, pa.ArrowException)):
            raise ConfigError(
                "the question could not be answered: "
                f"{type(error).__name__}. Is the release whole (`stackcurate verify`)?"
            ) from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _several(value: str | Sequence[str] | None) -> Sequence[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _literal(path: Path) -> str:
    """``path`` so that DuckDB's file globs read it as it stands."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
