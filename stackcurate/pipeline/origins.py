"""What a release says about origins and revisions, sorted and summed outside of memory.

A run may know more origins than fit into a process: these tables go through DuckDB, whose memory
has a limit, and leave it some thousand rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from stackcurate.pipeline.inputs import Input
from stackcurate.pipeline.listing import COUNTS
from stackcurate.pipeline.roots import MEMORY, ROOTS
from stackcurate.schema import LEDGER, REVISION, names
from stackcurate.storage import partitions

_BATCH = 65_536

# Files and bytes of each root, and per origin that does not represent its root a row of the ledger.
_OTHERS = """
CREATE TABLE rootsums AS
SELECT CASE WHEN r.directory_id IS NULL THEN r.source || ':' || r.root ELSE r.root END AS rootkey,
    sum(c.files)::BIGINT AS files, sum(c.bytes)::BIGINT AS bytes
FROM roots r JOIN counts c ON r.input = c.input AND r.root = c.root
WHERE r.represents GROUP BY 1;

CREATE TABLE others AS
SELECT r.n, r.origin, r.source, r.verdict AS outcome, coalesce(s.files, 0)::BIGINT AS files,
    coalesce(s.bytes, 0)::BIGINT AS bytes
FROM roots r LEFT JOIN rootsums s
    ON s.rootkey = CASE WHEN r.directory_id IS NULL THEN r.source || ':' || r.root ELSE r.root END
WHERE NOT r.represents;
"""


class Origins:
    """The table of roots and the counts of what was listed, in a database of their own.

    ``folder`` is that of `roots`, ``listed`` are those of `list`, ``place`` a new folder. Use as a
    context manager.
    """

    def __init__(self, folder: Path, listed: Sequence[Path], place: Path) -> None:
        place.mkdir(parents=True)
        self._db = duckdb.connect(str(place / "origins.duckdb"), config={"threads": 1})
        spill = str(place / "spill").replace("'", "''")
        self._db.execute(f"SET memory_limit='{MEMORY}'; SET temp_directory='{spill}'")
        self._fill("roots", ROOTS, partitions.batches(folder / "roots.arrow"))
        self._fill(
            "counts",
            COUNTS,
            (batch for one in listed for batch in partitions.batches(one / "counts.arrow")),
        )
        self._db.execute(_OTHERS)

    def __enter__(self) -> Origins:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def listed(self) -> dict[str, int]:
        """Files and bytes as counted while listing."""
        files, size = self._rows("SELECT sum(files), sum(bytes) FROM counts")[0]
        return {"files": int(files or 0), "bytes": int(size or 0)}

    def remaining(self) -> Iterator[pa.Table]:
        """ROOTS of origins that nobody withdrew, by origin and container."""
        query = f"""SELECT {_columns(ROOTS)} FROM roots
            WHERE verdict IS NULL OR NOT starts_with(verdict, 'optout:')
            ORDER BY origin, container, n"""
        return self._tables(query, ROOTS)

    def others(self, ordered: str = "n") -> Iterator[pa.Table]:
        """Rows of LEDGER: origins whose root another one represents, or that were seen anew."""
        filled = {"scope": "'origin'", **{n: n for n in ("origin", "files", "bytes", "outcome")}}
        columns = ", ".join(f"{filled.get(name, 'NULL')} AS {name}" for name in LEDGER.names)
        return self._tables(f"SELECT {columns} FROM others ORDER BY {ordered}", LEDGER)

    def other_counts(self) -> list[dict[str, Any]]:
        """The same, summed: source, outcome, files, bytes; sorted."""
        keys = ("source", "outcome", "files", "bytes")
        rows = self._rows(
            """SELECT source, outcome, sum(files)::BIGINT, sum(bytes)::BIGINT FROM others
            GROUP BY ALL ORDER BY ALL"""
        )
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def host_licenses(self) -> list[str]:
        """Every license that a host declares for some origin, sorted."""
        rows = self._rows(
            "SELECT DISTINCT gha_license_id FROM roots WHERE gha_license_id IS NOT NULL ORDER BY 1"
        )
        return [row[0] for row in rows]

    def revisions(self, inputs: Sequence[Input]) -> Iterator[pa.Table]:
        """Revisions of origins that remain, each once, sorted; schema REVISION.

        Of an input with withdrawn origins, only the chosen heads of those that remain.
        """
        rows = self._rows(
            "SELECT DISTINCT input FROM roots WHERE starts_with(verdict, 'optout:') ORDER BY 1"
        )
        gone = {row[0] for row in rows}
        numbered = pa.schema([*REVISION, ("input", pa.int32()), ("only_heads", pa.bool_())])

        def told() -> Iterator[pa.RecordBatch]:
            for number, item in enumerate(inputs):
                for batch in partitions.batches(item.out / "revisions.arrow"):
                    marks = [
                        pa.array([number] * batch.num_rows, pa.int32()),
                        pa.array([number in gone] * batch.num_rows, pa.bool_()),
                    ]
                    yield pa.RecordBatch.from_arrays([*batch.columns, *marks], schema=numbered)

        self._fill("revisions", numbered, told())
        query = f"""SELECT {_columns(REVISION)} FROM revisions
            WHERE NOT only_heads OR revision_id IN (SELECT revision_id FROM roots
                WHERE verdict IS NULL OR NOT starts_with(verdict, 'optout:'))
            QUALIFY row_number() OVER (PARTITION BY revision_id ORDER BY n) = 1
            ORDER BY revision_id"""
        return self._tables(query, REVISION)

    def _fill(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """A table of what is given, with its place in the column ``n``."""
        self._db.register("given", pa.RecordBatchReader.from_batches(schema, batches))
        self._db.execute(f"CREATE SEQUENCE of_{name}")
        self._db.execute(f"CREATE TABLE {name} AS SELECT *, nextval('of_{name}') AS n FROM given")
        self._db.unregister("given")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._db.execute(query).fetchall()

    def _tables(self, query: str, schema: pa.Schema) -> Iterator[pa.Table]:
        for batch in self._db.sql(query).to_arrow_reader(_BATCH):
            yield pa.Table.from_batches([batch]).cast(schema)


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f'"{name}"' for name in names(schema))
