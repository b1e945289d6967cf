"""Why a file, a content or a repository is in a release or is not: every stage's decision.

From the run folder the answer is whole. From a release alone it goes as far as what is published
goes: kept files, what `choose`, `filter` and `dedup` dropped, and the repositories that remain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from stackcurate.pipeline.status import set_aside, told
from stackcurate.releases.manifest import read_manifest
from stackcurate.schema import KEPT
from stackcurate.text import visible

_HASH = re.compile(r"(?:swh:1:(?:cnt|dir|rev|snp):)?([0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{32})")
MOST = 50  # answers shown; the number of all is always said

_MEANING = {
    "source:symlink": "a symbolic link, which has no contents of its own",
    "source:submodule": "a git submodule: another repository, listed under its own origin",
    "source:skipped": "the archive skipped this content",
    "source:special": "a device, pipe or socket",
    "source:unsafe_path": "its name would climb out of the tree",
    "source:unsafe_link": "a link that leads out of the tree",
    "source:bomb": "it unpacks to far more than it should",
    "source:unreadable": "the source could not read it",
    "source:too_many_files": "the root claims more files than the source's max_files",
    "optout:owner": "its owner withdrew all repositories",
    "optout:repository": "its owner withdrew the repository",
    "optout:origin": "its origin was withdrawn",
    "optout:swhid": "its identifier was withdrawn",
    "optout:path": "its path was withdrawn by the repository's owner",
    "optout:copies": "the owner of another place of this content withdrew all copies",
    "choose:same_root": "another origin with the same root directory represents it",
    "choose:older_visit": "a newer visit of the same origin is taken",
    "choose:fork": "its repository is a fork or copy of another; see origin_groups.parquet",
    "choose:copy": "the same content is kept at a better place",
    "license:refused": "its license is known and the policy does not allow it",
    "license:unstated": "nothing states its license",
    "license:laundered": "the same bytes lie elsewhere under a license that the policy refuses",
    "header:refused": "its own header states a license that the policy does not allow",
    "header:conflict": "its own header contradicts its folder's license",
    "header:unstated": "neither its folder nor its header states a license",
    "fetch:missing": "its bytes could not be found at any place",
    "fetch:corrupt": "its bytes do not hash to their id at any place",
    "fetch:too_large": "longer than fetch.max_bytes",
    "fetch:binary": "it holds a NUL byte",
    "fetch:undecodable": "its bytes are text in no encoding that could be told",
    "language:unwanted": "its language is not asked for",
    "dedup:exact": "another kept file has the same text after redaction",
    "dedup:near": "another kept file is nearly the same, verified",
    "dedup:earlier_exact": "an earlier release holds the same text",
    "dedup:earlier_near": "an earlier release holds a file that is nearly the same, verified",
    "run:crashed": "it crashed a worker, alone and twice; it is in quarantine",
    "run:timeout": "it hung a worker, alone and twice; it is in quarantine",
    KEPT: "it is in the release",
}


@dataclass(frozen=True)
class Answer:
    """What is known about one asked-for thing: rows of the ledger and of the release."""

    asked: str
    where: str
    rows: tuple[dict[str, Any], ...]
    total: int
    counts: dict[str, int] = field(default_factory=dict)
    set_aside: tuple[dict[str, Any], ...] = ()  # inputs that could not be read
    repositories: tuple[dict[str, Any], ...] = ()  # of that name, revision, directory or snapshot
    whole: tuple[dict[str, Any], ...] = ()  # where nothing was found: what was dropped as a whole

    def json(self) -> str:
        """As one JSON object."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, default=str)

    def text(self) -> str:
        """As lines for a person."""
        aside = [f"  repository {_repository(one)}" for one in self.repositories]
        aside += [f"  set aside: {visible(told(one))}" for one in self.set_aside]
        if not self.total:
            nothing = f"{self.asked}: no row for such a file in {self.where}"
            return "\n".join([nothing, *aside, *_whole(self.whole)])
        lines = [f"{self.asked}: {self.total:,} ledger rows in {self.where}", *aside]
        if len(self.counts) > 1 or self.total > 1:
            for outcome, files in sorted(self.counts.items(), key=lambda one: -one[1]):
                lines.append(f"  {files:>9,} files  {outcome}")
        for row in self.rows:
            lines += ["", *_row_text(row)]
        if self.total > len(self.rows):
            lines.append(f"\n… and {self.total - len(self.rows):,} more; --json shows them too")
        return "\n".join(lines)


def _whole(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = ["  it may lie in a repository that was dropped whole, whose files share one row:"]
    for row in rows:
        lines.append(f"    {visible(row['origin'])}, {row['files']:,} files")
        lines.append(f"      {row['outcome']}: {_MEANING.get(row['outcome'], 'see the config')}")
        if row["note"]:
            lines.append(f"      {visible(row['note'])}")
    return lines


def _repository(row: dict[str, Any]) -> str:
    outcome = row["outcome"]
    said = _MEANING.get(outcome, outcome) if outcome != KEPT else "it takes part"
    return f"{visible(row['origin'])} at revision {row['revision_id'] or '(none)'}: {said}"


def _row_text(row: dict[str, Any]) -> list[str]:
    place = f"{row['origin']} {row['path'] or '(the whole origin)'}"
    outcome = row["outcome"]
    lines = [place]
    if row["path"] is None:
        lines.append(f"  files      {row['files']:,}, {row['bytes']:,} bytes")
    for stage in row.get("steps", ()):
        lines.append(f"  {stage['stage']:<10} {stage['said']}")
    lines.append(f"  outcome    {outcome}: {_MEANING.get(outcome, 'see the policy in the config')}")
    if row.get("note"):
        lines.append(f"  note       {visible(row['note'])}")
    if row.get("twin"):
        twin = row["twin"]
        alike = "" if row["similarity"] is None else f", similarity {row['similarity']:.3f}"
        lines.append(f"  kept twin  {twin['origin']} {twin['path']}{alike}")
    if row.get("kept_in"):
        alike = "" if row["similarity"] is None else f", similarity {row['similarity']:.3f}"
        where, which = visible(row["kept_in"]), visible(row["kept_row_key"] or "(no id)")
        lines.append(f"  held by    {where}: {which}{alike}")
    return lines


def why(asked: str, release: Path | None, run_folder: Path | None, most: int = MOST) -> Answer:
    """Look up a path, a hash or a repository.

    A hash is any id of a file (content id, SHA-1, SHA-256, row key), or of a snapshot, revision or
    root directory; with or without ``swh:1:…:``.
    """
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
    ledger = _ledger_files(release, run_folder)
    files = sorted((release / "data").rglob("*.parquet")) if release else []
    # What the run folder knows about kept files is already in its ledger.
    _view(connection, "ledger", ledger)
    _view(connection, "files", files)
    if ledger:
        _with_kept_in(connection)
    connection.execute("SET enable_progress_bar = false")
    repositories = _repositories(connection, asked, release)
    origins = [one["origin"] for one in repositories]
    parts = []
    given: list[str] = []
    keys = _keys_of(connection, asked) if files else []
    for view, there, columns in (
        ("ledger", bool(ledger), _LEDGER),
        ("files", bool(files) and not _is_run(run_folder), _KEPT),
    ):
        if there:
            condition, values = _condition(asked, origins, keys)
            given += values
            parts.append(f"SELECT {columns} FROM {view} WHERE {condition}")
    if len(parts) == 2:
        parts[1] += " AND row_key NOT IN (SELECT row_key FROM ledger WHERE outcome = 'kept')"
    where = "the run folder" if _is_run(run_folder) else "the release"
    aside = tuple(_set_aside(asked, release, run_folder))
    if not parts:
        return Answer(asked, where, (), 0, {}, aside, tuple(repositories))
    union = " UNION ALL ".join(parts)
    counted = connection.execute(
        f"SELECT outcome, sum(files)::BIGINT, count(*) FROM ({union}) GROUP BY 1", given
    ).fetchall()
    query = f"SELECT * FROM ({union}) ORDER BY outcome = '{KEPT}' DESC, origin, path LIMIT {most}"
    cursor = connection.execute(query, given)
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for name in ("evidence", "papers"):
        if release is not None and (release / f"{name}.parquet").is_file():
            _view(connection, name, [release / f"{name}.parquet"])
    _explain(connection, rows, bool(files), bool(ledger))
    counts = {outcome: int(number) for outcome, number, _ in counted}
    total = sum(one[2] for one in counted)
    whole = _dropped_whole(connection, asked) if ledger and not total else []
    return Answer(
        asked, where, tuple(rows), total, counts, aside, tuple(repositories), tuple(whole)
    )


def _dropped_whole(connection: duckdb.DuckDBPyConnection, asked: str) -> list[dict[str, Any]]:
    """Origins of which the ledger has one row for all files, the largest first.

    Where notes name the asked-for file as what states their license, only these.
    """
    rows = connection.execute(
        "SELECT origin, outcome, files, note FROM ledger WHERE scope = 'origin' AND files > 0 "
        "ORDER BY contains(note, $1) DESC NULLS LAST, files DESC, origin LIMIT $2",
        {"1": f"/{asked.lstrip('/')}", "2": MOST},
    ).fetchall()
    found = [dict(zip(("origin", "outcome", "files", "note"), row, strict=True)) for row in rows]
    return [row for row in found if f"/{asked.lstrip('/')}" in (row["note"] or "")] or found


def _set_aside(
    asked: str, release: Path | None, run_folder: Path | None
) -> Iterator[dict[str, Any]]:
    """Inputs that could not be read and whose name, or missing object, is asked for."""
    found = _HASH.fullmatch(asked.strip())
    wanted = found[1] if found else asked.strip("/")
    problems = set_aside(run_folder) if run_folder is not None else []
    if not problems and release is not None:
        problems = read_manifest(release).get("problems", [])
    for problem in problems:
        if wanted and wanted in f"{problem['where']} {problem['message']}":
            yield problem


_LEDGER = """scope, origin, path, row_key, content_id, files, bytes, outcome, kept_row_key,
    kept_in, similarity, note"""
_KEPT = (
    f"'file' AS scope, origin, path, row_key, content_id, 1::BIGINT AS files, "
    f"length_bytes AS bytes, '{KEPT}' AS outcome, NULL AS kept_row_key, NULL AS kept_in, "
    "NULL AS similarity, NULL AS note"
)


def _is_run(run_folder: Path | None) -> bool:
    return run_folder is not None and (run_folder / "ledger").is_dir()


def _ledger_files(release: Path | None, run_folder: Path | None) -> list[Path]:
    if run_folder is not None and _is_run(run_folder):
        return sorted((run_folder / "ledger").glob("*.parquet"))
    return sorted((release / "ledger").glob("*.parquet")) if release else []


def _view(connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path]) -> None:
    if files:
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
        connection.execute(
            f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}], hive_partitioning=false)"
        )


def _with_kept_in(connection: duckdb.DuckDBPyConnection) -> None:
    """Ledgers of older versions do not have the column."""
    columns = [row[0] for row in connection.execute("DESCRIBE ledger").fetchall()]
    if "kept_in" not in columns:
        connection.execute("ALTER VIEW ledger RENAME TO old_ledger")
        connection.execute("CREATE VIEW ledger AS SELECT *, NULL AS kept_in FROM old_ledger")


def _condition(asked: str, origins: Sequence[str], keys: Sequence[str]) -> tuple[str, list[str]]:
    """SQL for the asked-for thing, and its values."""
    found = _HASH.fullmatch(asked.strip())
    if found:
        value = found[1]
        named = [f"{column} IN ({', '.join('?' * len(some))})" for column, some in (
            ("origin", origins), ("row_key", keys)) if some]  # fmt: skip
        every = ["content_id = ?", "row_key = ?", *named]
        return f"({' OR '.join(every)})", [value, value, *origins, *keys]
    path = asked if asked.startswith("/") else f"/{asked}"
    # A repository is an origin, or owner/name at its end, or has the name in the table of
    # repositories; a path is whole or an end of one.
    more = f" OR origin IN ({', '.join('?' * len(origins))})" if origins else ""
    return (
        f"(path = ? OR path LIKE ? ESCAPE '!' OR origin = ? OR origin LIKE ? ESCAPE '!'{more})",
        [path, f"%{_like(path)}", asked, f"%/{_like(asked.strip('/'))}", *origins],
    )


def _keys_of(connection: duckdb.DuckDBPyConnection, asked: str) -> list[str]:
    """Row keys of kept files that have the hash by another name: plain SHA-1, or a SHA-256."""
    found = _HASH.fullmatch(asked.strip())
    if not found:
        return []
    rows = connection.execute(
        "SELECT row_key FROM files WHERE blob_id = $1 OR sha256 = $1 OR text_sha256 = $1 "
        f"ORDER BY row_key LIMIT {MOST}",
        {"1": found[1]},
    ).fetchall()
    return [row[0] for row in rows]


_HEADS = ("snapshot_id", "revision_id", "directory_id")


def _repositories(
    connection: duckdb.DuckDBPyConnection, asked: str, release: Path | None
) -> list[dict[str, Any]]:
    """Rows of the table of repositories that have the id or the name that is asked for."""
    table = [release / "repositories.parquet"] if release else []
    if not table or not table[0].is_file():
        return []
    _view(connection, "repositories", table)
    found = _HASH.fullmatch(asked.strip())
    if found:
        condition = " OR ".join(f"{name} = $1" for name in _HEADS)
        values = {"1": found[1]}
    else:
        condition = "origin = $1 OR repo_name = $1 OR origin LIKE $2 ESCAPE '!'"
        values = {"1": asked, "2": f"%/{_like(asked.strip('/'))}"}
    columns = ", ".join(("origin", "outcome", *_HEADS))
    cursor = connection.execute(
        f"SELECT {columns} FROM repositories WHERE {condition} ORDER BY origin LIMIT {MOST}", values
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _like(text: str) -> str:
    return re.sub(r"([%_!])", r"!\1", text)


def _explain(
    connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], files: bool, ledger: bool
) -> None:
    """Add the kept twin of dropped copies, and what each stage said on the way."""
    for row in rows:
        if row["path"] is not None and row["outcome"] != KEPT:
            row["steps"] = _passed(row["outcome"])
        if row["kept_row_key"] and not row["kept_in"]:
            row["twin"] = _place(connection, row["kept_row_key"], files, ledger)
        if row["outcome"] == KEPT and files and row["row_key"]:
            row["steps"] = _steps(connection, row["row_key"])


def _place(
    connection: duckdb.DuckDBPyConnection, key: str, files: bool, ledger: bool
) -> dict[str, str]:
    for view, there in (("files", files), ("ledger", ledger)):
        if there:
            found = connection.execute(
                f"SELECT origin, path FROM {view} WHERE row_key = ? LIMIT 1", [key]
            ).fetchone()
            if found:
                return {"origin": found[0], "path": found[1], "row_key": key}
    return {"origin": "row_key", "path": key, "row_key": key}


def _stated_by(connection: duckdb.DuckDBPyConnection, key: str) -> str:
    """What states the license of a kept file: its header, or the nearest file with such a text."""
    tables = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
    if not {"evidence", "papers"} <= tables:  # a release of an older form
        return ""
    said = connection.execute(
        "SELECT f.origin, f.path, e.* FROM files f JOIN evidence e "
        "ON e.evidence_id = f.license_evidence WHERE f.row_key = ?", [key]
    )  # fmt: skip
    found = said.fetchone()
    if found is None:
        return ""
    one = dict(zip([column[0] for column in said.description], found, strict=True))
    paths = connection.execute(
        "SELECT path FROM papers WHERE origin = ? AND content_id = ? ORDER BY path",
        [one["origin"], one["content_id"]],
    ).fetchall()
    where = one["path"] if one["kind"] == "header" else _nearest(one["path"], [p for (p,) in paths])
    by = f"{one['matcher']} {one['score']:.4g}"
    span = "" if one["start"] is None else f", bytes {one['start']} to {one['end']}"
    return (
        f", stated by {where or 'a ' + one['kind']} ({one['rule']}; {by}{span}), "
        f"evidence {one['evidence_id']}"
    )


def _nearest(path: str, papers: Sequence[str]) -> str | None:
    """The paper of the nearest folder above a file; else the first, which lies aside."""
    above = [one for one in papers if path.startswith(one.rpartition("/")[0] + "/")]
    return max(above, key=len, default=None) or next(iter(papers), None)


_STAGES = ("source", "optout", "license", "choose", "fetch", "header", "language", "filter",
           "redact", "dedup")  # fmt: skip


def _passed(outcome: str) -> list[dict[str, str]]:
    """The stages that let a dropped file pass, up to the one that did not."""
    stage = outcome.partition(":")[0]
    if stage not in _STAGES:
        return []
    before = [{"stage": one, "said": "passed"} for one in _STAGES[: _STAGES.index(stage)]]
    return [*before, {"stage": stage, "said": "dropped it"}]


_STEPS = """SELECT license_expression, license_class, license_evidence, places, src_encoding,
    length_bytes, language, language_method, language_confidence, num_lines, max_line_length,
    alpha_fraction, is_vendor, is_generated, len(redactions) AS redacted, dedup_cluster_size
FROM files WHERE row_key = ?"""


def _steps(connection: duckdb.DuckDBPyConnection, key: str) -> list[dict[str, str]]:
    """What each stage found about a kept file, in the order of the stages."""
    cursor = connection.execute(_STEPS, [key])
    row = cursor.fetchone()
    if row is None:
        return []
    file = dict(zip([column[0] for column in cursor.description], row, strict=True))
    group = file["dedup_cluster_size"]
    said = {
        "optout": "no approved opt-out matches",
        "license": f"{file['license_expression'] or 'nothing stated'} "
        f"({file['license_class'] or 'no class'}){_stated_by(connection, key)}",
        "choose": f"the best of {file['places']:,} places of this content",
        "fetch": f"{file['length_bytes']:,} bytes, {file['src_encoding']}",
        "language": f"{file['language'] or 'undecided'} by {file['language_method']}",
        "filter": f"{file['num_lines']} lines, longest {file['max_line_length']}",
        "redact": f"{file['redacted'] or 0} findings",
        "dedup": f"stands for {group:,} files" if group else "no twin",
    }
    return [{"stage": stage, "said": words} for stage, words in said.items()]
