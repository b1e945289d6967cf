"""What the control files say: license evidence, and owners' wishes inside their repositories.

About two files in a hundred are read here, before anything else is. Each distinct text is detected
once; what it states travels to every partition that holds files of its root, because a repository
may be spread over several.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.names import control_files
from stackcurate.licenses.review import apply
from stackcurate.licenses.review import read as read_decisions
from stackcurate.licenses.scancode import Judge
from stackcurate.optout.globs import parse_control_file
from stackcurate.pipeline.addresses import address_book
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import EVIDENCE, ID, fill, one_chunk
from stackcurate.sources.base import Problem, Source
from stackcurate.sources.ids import content_id
from stackcurate.storage import partitions
from stackcurate.storage.exchange import read_exchange, write_exchange

WISH = ".stackcurate-optout"
OPTOUT = "optout"  # the kind of such a file, beside those of licenses.names

# Control files are small; a longer one is a dump of texts and states nothing clear.
CONTROL_BYTES = 1024 * 1024
# Texts meet by content in this many steps, so that only one of them is in memory.
TARGETS = 16

CONTROL = pa.schema(
    [
        ("part", pa.int32()),
        ("input", pa.int32()),
        ("root", pa.string()),
        ("path", pa.string()),
        ("kind", pa.string()),
        ("content_id", ID),
        ("data", pa.large_binary()),
    ]
)
WISHES = pa.schema([("root", pa.string()), ("globs", pa.list_(pa.string()))])

# A statement and where it stands: what `licenses.inherit.folders` reads, by root.
FOLDERS = pa.schema(
    [
        ("root", pa.string()),
        ("path", pa.string()),
        ("content_id", pa.string()),  # 40 hex digits, as in EVIDENCE
        ("kind", pa.string()),
        ("expression", pa.string()),
        ("evidence_id", pa.string()),
        ("rule", pa.string()),  # names files where the statement is about paths
        ("start", pa.int64()),
    ]
)


@dataclass(frozen=True)
class ControlItem:
    """One partition whose control files are read."""

    partition: Partition
    index: Path
    out: Path


@dataclass(frozen=True)
class ControlTask:
    """Read the control files of one partition; licenses only where the config wants them."""

    sources: tuple[Source, ...]
    licenses: bool

    def __call__(self, item: ControlItem) -> tuple[int, int]:
        listed = partitions.read_arrow(item.partition.path)
        kinds = pa.nulls(listed.num_rows, pa.string())
        if self.licenses:
            kinds = control_files(one_chunk(listed, "path"))
        wish = pc.ends_with(listed["path"], f"/{WISH}")
        kinds = pc.if_else(wish, pa.scalar(OPTOUT), kinds)
        listed = listed.append_column("kind", kinds)
        alive = pc.and_(pc.is_null(listed["verdict"]), self._of_live_heads(listed, item))
        rows = listed.filter(pc.and_(alive, pc.is_valid(listed["kind"])))
        data = self._read(rows, item)
        wishes = pc.equal(rows["kind"], OPTOUT).to_pylist()
        # A wish that cannot be read is taken at its widest: what was withdrawn must not ship.
        data = [b"" if one is None and w else one for one, w in zip(data, wishes, strict=True)]
        have = pa.array([one is not None for one in data], pa.bool_())
        table = pa.table(
            {
                "part": pa.array([item.partition.number] * rows.num_rows, pa.int32()),
                **{name: rows[name] for name in ("input", "root", "path", "kind", "content_id")},
                "data": pa.array(data, pa.large_binary()),
            }
        ).filter(have)
        wish = pc.equal(table["kind"], OPTOUT)
        controls = table.filter(pc.invert(wish)).cast(CONTROL)
        with partitions.whole_folder(item.out) as part:
            write_exchange(part / "controls.arrow", controls, _targets(controls), TARGETS)
            partitions.write_arrow(part / "wishes.arrow", _wishes(table.filter(wish)))
            roots = pa.table({"root": listed["root"].unique()})
            partitions.write_arrow(part / "roots.arrow", roots)
        return controls.num_rows, sum(len(one) for one in data if one is not None)

    def _of_live_heads(self, listed: pa.Table, item: ControlItem) -> pa.Array:
        heads = partitions.read_arrow(item.partition.heads, ["root", "verdict"])
        live = heads.filter(pc.is_null(heads["verdict"]))["root"]
        return pc.is_in(listed["root"], live.combine_chunks())

    def _read(self, rows: pa.Table, item: ControlItem) -> list[bytes | None]:
        """The bytes of each row; None where they cannot be had (`fetch` names the reason later).

        Bytes that do not hash to their id are not believed: what they state would be remembered
        under the id of a text that says something else.
        """
        book = address_book(item.index)
        data: list[bytes | None] = [None] * rows.num_rows
        inputs = rows["input"].to_numpy()
        for number in np.unique(inputs).tolist():
            mine = np.flatnonzero(inputs == number)
            source, container = book.inputs[number]
            some = rows.take(pa.array(mine))
            ids = some["content_id"]
            for at, found in self.sources[source].read(container, some, CONTROL_BYTES):
                if not isinstance(found, Problem) and content_id(found) == ids[at].as_py():
                    data[mine[at]] = found
        return data


@dataclass(frozen=True)
class Evidence:
    """Where evidence lies: statements by partition, the table that ships, wishes of owners."""

    folder: Path
    controls: tuple[Path, ...]

    @property
    def name(self) -> str:
        return self.folder.name

    def table(self) -> pa.Table:
        """All statements, schema EVIDENCE, sorted by id."""
        return partitions.read_arrow(self.folder / "evidence.arrow")


def gather(run: Run, found: Sequence[Partition], index: Path) -> Evidence:
    """Read all control files, detect each distinct text once, send what they state home."""
    licenses = "license" in run.config.stages
    task = ControlTask(run.config.sources, licenses)
    items = [
        ControlItem(
            one,
            index,
            run.place("control", one.name, one.number, one.heads.parent.name, licenses),
        )
        for one in found
    ]
    controls = run.do("control", task, items, timeout=run.timeout)
    decisions = read_decisions(run.config.license.decisions)
    said_by = [decisions[key] for key in sorted(decisions)]
    place = run.place("evidence", [folder.name for folder in controls], licenses, said_by)
    if not place.exists():
        spread = _spread(controls)
        run.progress.phase("licenses", TARGETS, 0)
        with (
            closing(Cache(run.config.runs / "licenses.sqlite")) as cache,
            Judge(workers=run.engine.workers) as judge,
            partitions.whole_folder(place) as part,
        ):
            said = []
            for target in range(TARGETS):
                rows = _rows(controls, target)
                evidence = apply(_detect(rows, cache, judge), decisions)
                said.append(evidence)
                _send_home(part / f"folders-{target:02d}.arrow", rows, evidence, spread, len(found))
                run.progress.step("licenses", rows.num_rows, 0)
            table = pa.concat_tables(said)
            partitions.write_arrow(part / "evidence.arrow", table.sort_by("evidence_id"))
    return Evidence(place, tuple(controls))


def read_folders(evidence: Evidence, partition: int) -> tuple[pa.Table, pa.Table]:
    """(schema FOLDERS, schema WISHES) of the roots that one partition holds files of."""
    paths = [evidence.folder / f"folders-{target:02d}.arrow" for target in range(TARGETS)]
    folders = read_exchange(paths, partition).select(FOLDERS.names)
    # Wishes are few: every partition looks through all of them.
    wishes = [partitions.read_arrow(folder / "wishes.arrow") for folder in evidence.controls]
    return folders, pa.concat_tables(wishes)


def _wishes(rows: pa.Table) -> pa.Table:
    """One row per wish; globs are relative to the folder in which the control file stands."""
    found = []
    for row in rows.select(["root", "path", "data"]).to_pylist():
        folder = row["path"][: -len(WISH)]
        globs = parse_control_file(row["data"])
        if folder != "/":
            globs = [folder + glob.lstrip("/") for glob in globs] or [folder + "**"]
        found.append({"root": row["root"], "globs": globs})
    return pa.Table.from_pylist(found, schema=WISHES)


def _targets(controls: pa.Table) -> np.ndarray:
    ids = controls["content_id"].to_pylist()
    return np.array([one[0] * TARGETS >> 8 for one in ids], np.int64)


def _rows(controls: Sequence[Path], target: int) -> pa.Table:
    if not controls:
        return CONTROL.empty_table()
    return read_exchange([folder / "controls.arrow" for folder in controls], target)


def _detect(rows: pa.Table, cache: Cache, judge: Judge) -> pa.Table:
    """Evidence of each distinct (content, kind, name) among the rows."""
    texts: dict[tuple[bytes, str, str], Text] = {}
    for row in rows.select(["content_id", "kind", "path", "data"]).to_pylist():
        # A manifest is read by its name; other texts mean the same under any name.
        name = row["path"].rsplit("/", 1)[1]
        key = (row["content_id"], row["kind"], name if row["kind"] == "manifest" else "")
        texts.setdefault(key, Text(row["content_id"], name, row["kind"], row["data"]))
    ordered = [texts[key] for key in sorted(texts)]
    return detect_texts(ordered, cache, judge) if ordered else EVIDENCE.empty_table()


def _spread(controls: Sequence[Path]) -> dict[str, list[int]]:
    """Partitions of the roots that are spread over several."""
    tables = []
    for number, folder in enumerate(controls):
        roots = partitions.read_arrow(folder / "roots.arrow")
        tables.append(roots.append_column("part", pa.array([number] * roots.num_rows, pa.int32())))
    if not tables:
        return {}
    grouped = pa.concat_tables(tables).group_by("root").aggregate([("part", "list")])
    several = pc.greater(pc.list_value_length(grouped["part_list"]), 1)
    rows = grouped.filter(several).to_pylist()
    return {row["root"]: sorted(row["part_list"]) for row in rows}


def _send_home(
    path: Path, rows: pa.Table, evidence: pa.Table, spread: dict[str, list[int]], count: int
) -> None:
    """Statements joined to the places where they stand, one copy per partition of the root."""
    columns = ("content_id", "kind", "expression", "evidence_id", "rule", "start")
    said = evidence.select(columns)
    hexed = pa.array([one.hex() for one in rows["content_id"].to_pylist()], pa.string())
    places = fill(rows.drop_columns(["data"]), pa.table({"content_id": hexed}))
    joined = places.join(said, ["content_id", "kind"], join_type="inner")
    keys = ("part", "root", "path", "evidence_id")
    joined = joined.sort_by([(key, "ascending") for key in keys])
    copies, targets = [], []
    for number, (root, part) in enumerate(
        zip(joined["root"].to_pylist(), joined["part"].to_pylist(), strict=True)
    ):
        for home in spread.get(root, (part,)):
            copies.append(number)
            targets.append(home)
    table = joined.select(FOLDERS.names).take(pa.array(copies, pa.int64())).cast(FOLDERS)
    write_exchange(path, table, np.array(targets, np.int64), count)
