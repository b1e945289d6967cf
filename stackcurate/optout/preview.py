"""What approving a request would withdraw, before anybody approves it.

Whoever decides must see the reach of the decision: how many repositories, files and bytes, in which
published versions, and under which other names the same contents go. The rules are those of a run
(`apply.py`); DuckDB only narrows down which rows they are asked about.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.optout.apply import BY_COPIES, hits, match_files, match_heads
from stackcurate.optout.registry import APPROVED, EMPTY, Registry, Request
from stackcurate.optout.subjects import PATH, SWHID, Subject, origin_keys
from stackcurate.schema import one_chunk
from stackcurate.storage.partitions import read_arrow
from stackcurate.text import as_size, visible, with_commas

#: Names that a preview or receipt spells out; all are counted.
NAMED = 50

# Of a release's rows, what the rules and the counts need.
SLIM = (
    "row_key", "origin", "repo_name", "path", "content_id", "language", "length_bytes",
    "text_bytes", "places", "snapshot_id", "revision_id", "directory_id", "license_evidence",
)  # fmt: skip
_LEDGER = ("scope", "origin", "path", "row_key", "content_id", "files", "bytes", "outcome")
_HEADS = ["origin", "snapshot_id", "revision_id", "directory_id"]
# DuckDB prunes row groups by short lists; longer ones are joined.
_SHORT = 200


@dataclass(frozen=True)
class Place:
    """A published release, and the run that made it where its folder is at hand."""

    release: Path
    run: Path | None = None

    @property
    def name(self) -> str:
        """``NAME vX.Y.Z``."""
        return f"{self.release.parent.name} {self.release.name}"


@dataclass(frozen=True)
class Found:
    """What some requests meet in one release.

    ``heads``: rows of repositories.parquet that go. ``files``: rows of the data (SLIM and
    ``verdict``) that go. ``listed``: ledger rows (and ``verdict``) at the withdrawn places.
    ``others``: (row_key, origin, path, content_id, outcome) of other places of the same contents.
    ``same_root``: origins that stay and have the root directory of one that goes. ``copied``: ids
    of contents that go wherever they stand.
    """

    place: Place
    heads: pa.Table
    files: pa.Table
    listed: pa.Table
    others: pa.Table
    same_root: list[str]
    copied: pa.Array


@dataclass(frozen=True)
class Held:
    """What one published version holds of what is asked for. ``bytes`` are of text as it ships."""

    release: str
    repositories: int
    files: int
    bytes: int
    languages: dict[str, int]
    names: list[str]


@dataclass(frozen=True)
class Other:
    """Another place of the same contents: how many files, and what became of them."""

    origin: str
    files: int
    outcomes: dict[str, int]


@dataclass(frozen=True)
class Preview:
    """The answer for one or more requests. ``places`` counts files with these contents in all."""

    subjects: list[str]
    reaches: list[str]
    held: list[Held]
    others: list[Other]
    other_names: int
    same_root: list[str]

    @property
    def versions(self) -> list[str]:
        """Published versions that hold something of it."""
        return [one.release for one in self.held if one.files or one.repositories]

    def json(self) -> str:
        """As one JSON object."""
        return json.dumps({**asdict(self), "versions": self.versions}, indent=1, sort_keys=True)

    def text(self) -> str:
        """As lines for the person who decides."""
        asked = zip(self.subjects, self.reaches, strict=True)
        lines = [f"{visible(subject)} ({reach})" for subject, reach in list(asked)[:NAMED]]
        lines += _more(len(self.subjects))
        for one in self.held:
            if not (one.files or one.repositories):
                continue
            lines.append(
                f"{one.release}: {with_commas(one.repositories)} repositories, "
                f"{with_commas(one.files)} files, {as_size(one.bytes)}"
            )
            said = (f"{visible(name)} {with_commas(n)}" for name, n in one.languages.items())
            lines.append(f"  languages: {', '.join(said) or 'none'}")
            lines += [f"  {visible(name)}" for name in one.names]
            lines += _more(one.repositories)
        if not self.versions:
            lines.append("No published version holds any of it.")
        lines += self._others_text()
        return "\n".join(lines)

    def _others_text(self) -> list[str]:
        lines = []
        if self.same_root:
            lines.append("The same root directory is published by:")
            lines += [f"  {visible(name)}" for name in self.same_root[:NAMED]]
            lines += _more(len(self.same_root))
        if self.others:
            stay = "go too" if "copies" in self.reaches else "stay"
            lines.append(
                f"The same contents elsewhere ({stay}; reach {'/'.join(set(self.reaches))}):"
            )
            for other in self.others[:NAMED]:
                said = ", ".join(f"{n} {outcome}" for outcome, n in other.outcomes.items())
                lines.append(f"  {visible(other.origin)}: {other.files} files ({said})")
            lines += _more(self.other_names)
        return lines


def _more(number: int) -> list[str]:
    return [f"  and {with_commas(number - NAMED)} more"] if number > NAMED else []


def places(releases: Path, runs: Path | None = None) -> list[Place]:
    """The releases below a folder (NAME/vX.Y.Z/), oldest first, each with its run folder."""
    depths = [releases, *releases.glob("*"), *releases.glob("*/*")]
    found = [one for one in depths if (one / "manifest.json").is_file() and one.name[:1] != "."]
    return [Place(one, run_of(one, runs)) for one in sorted(found, key=_age)]


def _age(release: Path) -> tuple[str, list[int], str]:
    parts = release.name.removeprefix("v").split(".")
    return release.parent.name, [int(p) for p in parts if p.isdigit()], release.name


def run_of(release: Path, runs: Path | None) -> Path | None:
    """The run folder of a release; of a patch, that of the version it was made from."""
    parts = release.name.rpartition(".")
    numbers = range(int(parts[2]), -1, -1) if parts[2].isdigit() else []
    for name in [release.name, *(f"{parts[0]}.{number}" for number in numbers)]:
        folder = None if runs is None else runs / release.parent.name / name
        if folder and (folder / "ledger").is_dir():
            return folder
    return None


def as_if_approved(requests: Iterable[Request], base: Registry = EMPTY) -> Registry:
    """A registry in which these requests alone apply."""
    chosen = tuple(
        replace(request, state=APPROVED) for request in requests if request.subject is not None
    )
    return replace(base, requests=chosen, tombstones=EMPTY.tombstones)


def preview(requests: Sequence[Request], where: Sequence[Place]) -> Preview:
    """What these requests, approved, would withdraw from each of the given releases."""
    known = [request for request in requests if request.subject is not None]
    registry = as_if_approved(known)
    held: list[Held] = []
    outcomes: dict[str, Counter[str]] = {}
    roots: set[str] = set()
    for place in where:
        found = find(place, registry)
        held.append(_held(found))
        roots |= set(found.same_root)
        mine: dict[str, Counter[str]] = {}
        for row in (
            found.others.group_by(["origin", "outcome"]).aggregate([([], "count_all")]).to_pylist()
        ):
            mine.setdefault(row["origin"], Counter())[row["outcome"]] += row["count_all"]
        outcomes.update(mine)  # the newest version speaks for a name
    others = [
        Other(origin, sum(said.values()), dict(sorted(said.items())))
        for origin, said in sorted(
            outcomes.items(), key=lambda one: (-sum(one[1].values()), one[0])
        )
    ]
    return Preview(
        [str(request.subject) for request in known],
        [request.reach for request in known],
        held,
        others[:NAMED],
        len(others),
        sorted(roots),
    )


def _held(found: Found) -> Held:
    files = found.files
    languages = Counter(
        {
            row["language"] or "unknown": row["count_all"]
            for row in files.group_by("language").aggregate([([], "count_all")]).to_pylist()
        }
    )
    origins = sorted({*files["origin"].to_pylist(), *found.heads["origin"].to_pylist()})
    return Held(
        found.place.name,
        len(origins),
        files.num_rows,
        pc.sum(files["text_bytes"]).as_py() or 0,
        dict(sorted(languages.items(), key=lambda one: (-one[1], one[0]))),
        origins[:NAMED],
    )


def find(place: Place, registry: Registry) -> Found:
    """What the approved requests of ``registry`` meet in one release. Bounded by what they meet."""
    release = place.release
    repositories = pq.read_table(release / "repositories.parquet")
    gone = pc.is_valid(match_heads(repositories, registry))
    heads, remain = repositories.filter(gone), repositories.filter(pc.invert(gone))
    known = _known_heads(place, repositories)
    origins = pc.unique(
        one_chunk(known.filter(pc.is_valid(match_heads(known, registry))), "origin")
    )
    named = pc.unique(pa.concat_arrays([origins, _with_paths(known, registry)]))
    with _tables(place) as tables:
        files = tables.files(named, named_contents(registry))
        files = _judged(files, hits(files, registry))
        listed = tables.ledger(named, named_contents(registry))
        listed = _judged(listed, _ledger_verdicts(listed, origins, registry))
        copied = copied_contents(files, listed, registry)
        shared = _shared_roots(repositories, registry)
        if len(shared):
            copied = pc.unique(pa.concat_arrays([copied, tables.of_roots(shared)]))
        if len(copied):
            more = tables.files(pa.array([], pa.string()), copied)
            fresh = pc.invert(pc.is_in(more["row_key"], one_chunk(files, "row_key")))
            more = more.filter(fresh)
            by_copies = pa.repeat(pa.scalar(BY_COPIES), more.num_rows)
            files = pa.concat_tables([files, more.append_column("verdict", by_copies)])
        contents = _ids(files, listed)
        others = tables.others(contents, one_chunk(files, "row_key"), one_chunk(listed, "row_key"))
    roots = pc.drop_null(pc.unique(one_chunk(heads, "directory_id")))
    same = remain.filter(pc.is_in(remain["directory_id"], roots)) if len(roots) else remain[:0]
    names = sorted(set(same["origin"].to_pylist()))
    return Found(place, heads, files, listed, others, names, copied)


def _known_heads(place: Place, repositories: pa.Table) -> pa.Table:
    """Origins of the release, and those that its run knows: earlier patches took some away."""
    tables = [repositories.select(_HEADS)]
    for path in sorted(place.run.glob("work/roots/*/roots.arrow")) if place.run else ():
        tables.append(read_arrow(path, _HEADS))
    return pa.concat_tables(tables)


def count_held(place: Place, subject: Subject) -> tuple[int, int]:
    """(repositories, files) of one subject in one release, a path's repository for a path."""
    registry = as_if_approved([Request("count", subject, "place", APPROVED, "")])
    contents = named_contents(registry)
    with _tables(place) as tables:
        origins = pa.array([], pa.string())
        if not len(contents):
            where = _HEADS[1:] if subject.kind == SWHID else _HEADS[:1]
            word = re.split("[/:]", subject.value)[-1]
            near = tables.heads(place, word, where)
            gone = pc.is_valid(match_heads(near, registry))
            origins = pc.unique(one_chunk(near.filter(gone), "origin"))
        column, values = ("content_id", contents) if len(contents) else ("origin", origins)
        return len(origins), tables.count(column, values)


def _judged(table: pa.Table, verdicts: pa.Array) -> pa.Table:
    """The rows that have a verdict, with it."""
    return table.append_column("verdict", verdicts).filter(pc.is_valid(verdicts))


def _ledger_verdicts(rows: pa.Table, origins: pa.Array, registry: Registry) -> pa.Array:
    """Verdicts of ledger rows: by origin (``origins`` went whole), else by path or content."""
    by_name = match_heads(rows, registry)
    by_id = pc.if_else(pc.is_in(rows["origin"], origins), pa.scalar("optout:swhid"), None)
    own = pc.coalesce(by_name, one_chunk(pa.table({"v": by_id}), "v").cast(pa.string()))
    return pc.coalesce(own, match_files(rows, registry))


def _with_paths(repositories: pa.Table, registry: Registry) -> pa.Array:
    """Origins of the repositories in which a path was withdrawn."""
    wanted = sorted({subject.value for subject in registry.subjects(PATH)})
    names = pc.unique(one_chunk(repositories, "origin"))
    return names.filter(pc.is_in(origin_keys(names), pa.array(wanted, pa.string())))


def named_contents(registry: Registry) -> pa.Array:
    """Content ids that requests name themselves, as swh:1:cnt."""
    head = "swh:1:cnt:"
    values = {
        s.value.removeprefix(head) for s in registry.subjects(SWHID) if s.value.startswith(head)
    }
    return pa.array(sorted(values), pa.string())


def copied_contents(files: pa.Table, listed: pa.Table, registry: Registry) -> pa.Array:
    """Ids of the contents that requests of reach ``copies`` meet in rows of data and ledger."""
    copies = registry.reaching("copies")
    if not copies.requests:
        return pa.array([], pa.string())
    mine = files.filter(pc.is_valid(hits(files, copies)))
    of_rows = pc.coalesce(match_heads(listed, copies), match_files(listed, copies))
    return _ids(mine, listed.filter(pc.is_valid(of_rows)))


def _shared_roots(repositories: pa.Table, registry: Registry) -> pa.Array:
    """Root directories of origins that are withdrawn with all copies: others may publish them."""
    copies = registry.reaching("copies")
    gone = repositories.filter(pc.is_valid(match_heads(repositories, copies)))
    return pc.drop_null(pc.unique(one_chunk(gone, "directory_id")))


def _ids(*tables: pa.Table) -> pa.Array:
    chunks = [one_chunk(table, "content_id") for table in tables]
    return pc.drop_null(pc.unique(pa.concat_arrays(chunks)))


class _Tables:
    """Questions to the data and the ledger of one release, through one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, place: Place) -> None:
        self.connection = connection
        self.data = _view(connection, "files", sorted((place.release / "data").rglob("*.parquet")))
        folder = (place.run or place.release) / "ledger"
        self.rows = _view(connection, "ledger", sorted(folder.glob("*.parquet")))

    def heads(self, place: Place, word: str, where: Sequence[str]) -> pa.Table:
        """Rows of repositories.parquet that hold ``word`` in one of ``where``, in any case."""
        columns = ", ".join(_HEADS)
        held = " OR ".join(f"contains(lower({name}), {_quoted(word.lower())})" for name in where)
        path = _quoted(str(place.release / "repositories.parquet"))
        found = self.connection.sql(f"SELECT {columns} FROM read_parquet({path}) WHERE {held}")
        return found.to_arrow_table().cast(pa.schema([(name, pa.string()) for name in _HEADS]))

    def files(self, origins: pa.Array, contents: pa.Array) -> pa.Table:
        """SLIM rows of these origins or contents."""
        if not self.data:
            return pa.table({name: pa.array([], _type(name)) for name in SLIM})
        return self._ask("files", SLIM, origins, contents)

    def count(self, column: str, values: pa.Array) -> int:
        """How many files have one of ``values`` in ``column``."""
        if not (self.data and len(values)):
            return 0
        self.connection.register("counted", pa.table({column: values}))
        narrow = ", ".join(_quoted(one) for one in values.to_pylist()[:_SHORT])
        query = (
            f"SELECT count(*) FROM files WHERE {column} IN ({narrow})"
            if len(values) <= _SHORT
            else f"SELECT count(*) FROM files SEMI JOIN counted USING ({column})"
        )
        ((number,),) = self.connection.sql(query).fetchall()
        return int(number)

    def ledger(self, origins: pa.Array, contents: pa.Array) -> pa.Table:
        """Ledger rows of single files of these origins or contents, kept ones too."""
        if not self.rows:
            return pa.table({name: pa.array([], _type(name)) for name in _LEDGER})
        return self._ask("ledger", _LEDGER, origins, contents)

    def of_roots(self, roots: pa.Array) -> pa.Array:
        """Ids of the contents below these root directories."""
        if not self.data:
            return pa.array([], pa.string())
        self.connection.register("wanted_roots", pa.table({"directory_id": roots}))
        table = self.connection.sql(
            "SELECT DISTINCT content_id FROM files SEMI JOIN wanted_roots USING (directory_id) "
            "ORDER BY content_id"
        ).to_arrow_table()
        return one_chunk(table, "content_id").cast(pa.string())

    def others(self, contents: pa.Array, gone: pa.Array, listed: pa.Array) -> pa.Table:
        """Other places of ``contents``: not among the row keys of ``gone`` or ``listed``."""
        none = pa.array([], pa.string())
        files = self.files(none, contents)
        kept = pa.repeat(pa.scalar("kept"), files.num_rows)
        parts = [
            files.select(["row_key", "origin", "path", "content_id"]).append_column("outcome", kept)
        ]
        rows = self.ledger(none, contents)
        parts.append(rows.select(parts[0].column_names))
        table = pa.concat_tables(parts)
        away = pc.or_(pc.is_in(table["row_key"], gone), pc.is_in(table["row_key"], listed))
        table = table.filter(pc.invert(away))
        order = [("row_key", "ascending"), ("outcome", "ascending")]
        table = table.sort_by(order)  # a kept row stands in the data and in a run's ledger
        keys = one_chunk(table, "row_key")
        first = pc.index_in(pc.unique(keys), keys)
        return table.take(first).sort_by([("origin", "ascending"), ("path", "ascending")])

    def _ask(
        self, view: str, names: Sequence[str], origins: pa.Array, contents: pa.Array
    ) -> pa.Table:
        columns = ", ".join(names)
        parts = []
        for column, values in (("origin", origins), ("content_id", contents)):
            if not len(values):
                continue
            if len(values) <= _SHORT:
                listed = ", ".join(_quoted(value) for value in values.to_pylist())
                parts.append(f"SELECT {columns} FROM {view} WHERE {column} IN ({listed})")
            else:
                self.connection.register(f"wanted_{column}", pa.table({column: values}))
                parts.append(
                    f"SELECT {columns} FROM {view} SEMI JOIN wanted_{column} USING ({column})"
                )
        if not parts:
            parts.append(f"SELECT {columns} FROM {view} WHERE false")
        table = self.connection.sql(" UNION ".join(parts)).to_arrow_table()
        return pa.table({name: table[name].cast(_type(name)) for name in names}).sort_by(
            [("origin", "ascending"), ("path", "ascending"), ("row_key", "ascending")]
        )


_INTEGERS = ("length_bytes", "text_bytes", "places", "files", "bytes")


def _type(name: str) -> pa.DataType:
    return pa.int64() if name in _INTEGERS else pa.string()


@contextmanager
def _tables(place: Place) -> Iterator[_Tables]:
    settings: dict[str, Any] = {"threads": 2, "memory_limit": "1GB"}
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET enable_progress_bar = false")
        yield _Tables(connection, place)


def _view(connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path]) -> bool:
    if files:
        listed = ", ".join(_quoted(str(path)) for path in files)
        connection.execute(
            f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}], hive_partitioning=false)"
        )
    return bool(files)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
