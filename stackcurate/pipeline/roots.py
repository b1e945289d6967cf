"""Origins into roots: who is withdrawn, who represents a shared root, and who is read together.

Opt-out speaks first. Where one origin was seen with several roots, its newest visit stays
(``choose:older_visit`` for the others). Where several remaining origins share a root, one
represents it and the others are ``choose:same_root``; all stay on record. The order is total:

1. more stars, 2. more forks, 3. the older repository (creation date), 4. the smaller GitHub id,
5. the newer visit, 6. the newer commit, 7. the origin URL, 8. the source's place in the config.

Absent numbers come last. A root that no origin may represent is still listed, so that the ledger
can count its files, but none of its contents are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from stackcurate.optout.apply import match_heads
from stackcurate.optout.registry import Registry
from stackcurate.pipeline.inputs import Group, Input
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import HEAD, names
from stackcurate.sources.facts import join_facts
from stackcurate.storage import partitions

# HEAD, and what was decided about the origin.
ROOTS = pa.schema(
    [
        *HEAD,
        ("source", pa.int32()),
        ("input", pa.int32()),  # position in the list of inputs
        ("verdict", pa.string()),  # of the origin; null for the one that represents its root
        ("represents", pa.bool_()),  # its container is where the root is listed
        ("origins", pa.int64()),  # how many origins share the root, itself included
    ]
)

# Containers that are read by one task: enough to be worth a task, little enough to share out.
GROUP_BYTES = 64 * 1024 * 1024
GROUP_CONTAINERS = 256

MEMORY = "1GB"  # of DuckDB; what needs more goes to the disk

_ORDER = """star_events_count DESC NULLS LAST, fork_events_count DESC NULLS LAST,
    gha_created_at ASC NULLS LAST, github_id ASC NULLS LAST, visit_date DESC NULLS LAST,
    committer_date DESC NULLS LAST, origin ASC, source ASC, input ASC"""
_NEWEST = """visit_date DESC NULLS LAST, committer_date DESC NULLS LAST, source ASC, input ASC,
    root ASC"""

# A root that a source made up (no directory id) is the same root only within that source.
_DECIDE = f"""
CREATE TABLE keyed AS
SELECT *, CASE WHEN directory_id IS NULL THEN source || ':' || root ELSE root END AS rootkey
FROM heads;

CREATE TABLE newest AS
SELECT origin, first(rootkey ORDER BY {_NEWEST}) AS newest FROM keyed
WHERE verdict IS NULL GROUP BY origin;

CREATE TABLE marked AS
SELECT k.* REPLACE (
    CASE WHEN k.verdict IS NOT NULL THEN k.verdict
         WHEN k.rootkey <> n.newest THEN 'choose:older_visit' END AS verdict)
FROM keyed k LEFT JOIN newest n USING (origin);

CREATE TABLE best AS
SELECT rootkey, count(DISTINCT origin) AS origins,
    first(origin ORDER BY verdict IS NOT NULL, {_ORDER}) AS best,
    first(source ORDER BY verdict IS NOT NULL, {_ORDER}) AS best_source
FROM marked GROUP BY rootkey;

CREATE TABLE decided AS
SELECT m.* REPLACE (
    CASE WHEN m.verdict IS NULL AND NOT (m.origin = b.best AND m.source = b.best_source)
         THEN 'choose:same_root' ELSE m.verdict END AS verdict),
    m.origin = b.best AND m.source = b.best_source AS represents, b.origins AS origins
FROM marked m JOIN best b USING (rootkey);
"""


def decide_roots(run: Run, inputs: Sequence[Input], registry: Registry) -> Path:
    """Write ``roots.arrow`` (schema ROOTS, one row per origin and container) and return its folder.

    ``represents.arrow`` holds those that represent their root, in the order of the inputs. Grows
    with the number of origins, not of files; DuckDB sorts outside of memory.
    """
    facts = run.config.repositories
    stamp = partitions.file_digest(facts) if facts else ""
    names_of_inputs = [(item.source, item.out.name) for item in inputs]
    place = run.place("roots", names_of_inputs, stamp, registry.head)
    if place.exists():
        return place
    with partitions.whole_folder(place) as part:
        connection = duckdb.connect(str(part / "roots.duckdb"), config={"threads": 1})
        connection.execute(f"SET memory_limit='{MEMORY}'; SET preserve_insertion_order=true")
        connection.execute(
            f"SET temp_directory='{str(part / 'spill').replace(chr(39), chr(39) * 2)}'"
        )
        for number, chunk in enumerate(_marked_heads(run, inputs, registry)):
            verb = "CREATE TABLE heads AS" if number == 0 else "INSERT INTO heads"
            connection.register("chunk", chunk)
            connection.execute(f"{verb} SELECT * FROM chunk")
            connection.unregister("chunk")
        connection.execute(_DECIDE)
        columns = ", ".join(f'"{name}"' for name in names(ROOTS))
        for name, some, order in (
            ("roots", "true", "root, origin, input"),
            ("represents", "represents", "input, root, origin"),
        ):
            rows = connection.sql(f"SELECT {columns} FROM decided WHERE {some} ORDER BY {order}")
            with partitions.arrow_writer(part / f"{name}.arrow", ROOTS) as writer:
                for batch in rows.to_arrow_reader(65_536):
                    writer.write_table(pa.Table.from_batches([batch]).cast(ROOTS))
        connection.close()
        (part / "roots.duckdb").unlink()
    return place


def _marked_heads(run: Run, inputs: Sequence[Input], registry: Registry) -> Iterator[pa.Table]:
    """The heads of all inputs with facts and opt-out verdicts, some thousand rows at a time."""
    waiting: list[pa.Table] = []
    for number, item in enumerate(inputs):
        heads = partitions.read_arrow(item.out / "heads.arrow")
        rows = heads.num_rows
        heads = heads.append_column("source", pa.array([item.source] * rows, pa.int32()))
        waiting.append(heads.append_column("input", pa.array([number] * rows, pa.int32())))
        if sum(table.num_rows for table in waiting) >= 50_000:
            yield _mark(run, pa.concat_tables(waiting), registry)
            waiting = []
    yield _mark(run, pa.concat_tables(waiting) if waiting else _no_heads(), registry)


def _no_heads() -> pa.Table:
    return pa.schema([*HEAD, ("source", pa.int32()), ("input", pa.int32())]).empty_table()


def _mark(run: Run, heads: pa.Table, registry: Registry) -> pa.Table:
    places = heads.select(["source", "input"])
    heads = join_facts(heads.select(names(HEAD)), run.config.repositories)
    for name in places.column_names:
        heads = heads.append_column(name, places[name])
    return heads.append_column("verdict", match_heads(heads, registry))


def group_inputs(run: Run, inputs: Sequence[Input], roots: Path) -> list[Group]:
    """Share the containers out to listing tasks; each group gets the rows it must list."""
    place = run.place("groups", roots.name, [(item.source, item.out.name) for item in inputs])
    shares = list(_shares(inputs))
    if not place.exists():
        with partitions.whole_folder(place) as part:
            rows = _by_share(partitions.batches(roots / "represents.arrow"), shares)
            for number, batches in enumerate(rows):
                with partitions.arrow_writer(part / f"{number:06d}.arrow", ROOTS) as writer:
                    for batch in batches:
                        writer.write_batch(batch)
    return [
        Group(number, tuple(share), place / f"{number:06d}.arrow")
        for number, share in enumerate(shares)
    ]


def _by_share(
    batches: Iterator[pa.RecordBatch], shares: Sequence[Sequence[int]]
) -> Iterator[Iterator[pa.RecordBatch]]:
    """The rows of each share; rows and shares are in the order of the inputs."""
    left: list[pa.RecordBatch] = []

    def upto(last: int) -> Iterator[pa.RecordBatch]:
        while batch := left.pop() if left else next(batches, None):
            inputs = batch.column("input").to_numpy()
            end = int(np.searchsorted(inputs, last, side="right"))
            yield batch.slice(0, end)
            if end < len(inputs):
                left.append(batch.slice(end))
                return

    for share in shares:
        yield upto(share[-1])


def _shares(inputs: Sequence[Input]) -> Iterator[list[int]]:
    share: list[int] = []
    size = 0
    for number, item in enumerate(inputs):
        full = size + item.container.size > GROUP_BYTES or len(share) >= GROUP_CONTAINERS
        if share and full:
            yield share
            share, size = [], 0
        share.append(number)
        size += item.container.size
    if share:
        yield share
