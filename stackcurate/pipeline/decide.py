"""Every listed file meets what is known without its bytes: opt-out, folder license, size.

One task per partition. It leaves a row of decisions per listed row, and a record per content for
`choose`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.engine.base import Failure
from stackcurate.languages.detect import told_by_name
from stackcurate.languages.flags import vendored
from stackcurate.licenses.cover import cover, of_others
from stackcurate.licenses.inherit import COVER, GRANTED, OPEN, REFUSED, declared_evidence
from stackcurate.licenses.inherit import folders as stating_folders
from stackcurate.licenses.names import PAPER_KINDS, control_files
from stackcurate.licenses.places import CLOSED, NO_PLACE, UNDATED
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.optout.apply import match_files, match_heads
from stackcurate.optout.globs import match_globs
from stackcurate.optout.registry import Registry
from stackcurate.pipeline import choose
from stackcurate.pipeline.control import followed
from stackcurate.pipeline.culprits import Quarantine, Skip, do_without_culprits
from stackcurate.pipeline.evidence import FOLDERS, Evidence, read_folders
from stackcurate.pipeline.forks import Forks
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import ID, PAPERS, drop, fill, one_chunk, row_keys
from stackcurate.sources.ids import MODE_KIND, MODE_SYMLINK, hexed
from stackcurate.storage import partitions

# Bits of RECORD.classes.
CLASSES = (
    "permissive",
    "public_domain",
    "weak_copyleft",
    "copyleft",
    "network_copyleft",
    "source_available",
    "proprietary",
    "no_ai",
    "unstated",
    "unknown",
)

# What stands for each listed row, in the order of the listing.
DECIDED = pa.schema(
    [
        ("verdict", pa.string()),
        ("note", pa.string()),
        ("head", pa.int32()),  # row of the group's heads
        ("license_expression", pa.string()),
        ("license_class", pa.string()),
        ("license_state", pa.string()),
        ("license_evidence", pa.string()),
        ("is_vendor", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class DecideItem:
    """One partition or its rows [begin, end), and where the decisions go."""

    partition: Partition
    evidence: Evidence | None
    collapsed: Path | None  # roots whose files are another's (input, root)
    out: Path
    begin: int = 0
    end: int | None = None
    skip: Skip = frozenset()  # (row key or content id, reason) in quarantine until here


@dataclass(frozen=True)
class DecideTask:
    """Decide each row of a partition and write the records for `choose`."""

    registry: Registry
    license: LicenseSettings | None  # None where the config leaves the stage out
    max_bytes: int
    targets: int

    def __call__(self, item: DecideItem) -> tuple[int, int]:
        listed = partitions.read_arrow(item.partition.path)[item.begin : item.end]
        heads = partitions.read_arrow(item.partition.heads)
        batch = self._set_aside(_join(listed, heads), item.skip)
        batch, folders = self._withdraw(batch, item)
        batch = self._license(batch, folders, heads)
        kinds = control_files(one_chunk(batch, "path"))
        nameless = pc.is_null(batch["content_id"])
        batch = drop(batch, nameless, "source:unreadable")
        over = pc.greater(batch["length"], self.max_bytes)
        batch = drop(batch, over, "fetch:too_large")
        if item.collapsed is not None:
            forks = pc.is_in(_root_keys(batch), _root_keys(partitions.read_arrow(item.collapsed)))
            batch = drop(batch, forks, "choose:fork")
        batch = fill(batch, pa.table({"is_vendor": vendored(one_chunk(batch, "path"))}))
        with partitions.whole_folder(item.out) as part:
            partitions.write_arrow(part / "rows.arrow", batch.select(DECIDED.names).cast(DECIDED))
            partitions.write_arrow(part / "papers.arrow", self._papers(batch, kinds, item))
            records = self._records(batch, heads, item.partition.number, kinds)
            choose.write_records(part / "records.arrow", records, self.targets)
        return listed.num_rows, 0

    def _set_aside(self, batch: pa.Table, skip: Skip) -> pa.Table:
        """Drop what is in quarantine before anything looks at its name."""
        if not skip:
            return batch
        reasons = dict(skip)
        ids = [one and one.hex() for one in batch["content_id"].to_pylist()]
        keys = zip(row_keys(batch), ids, strict=True)
        found = [reasons.get(key) or reasons.get(one) for key, one in keys]
        hit = pa.array([one is not None for one in found])
        for reason in sorted({one for one in found if one}):
            batch = drop(batch, pa.array([one == reason for one in found]), f"run:{reason}")
        hidden = pc.if_else(hit, pa.scalar("/"), one_chunk(batch, "path"))
        return fill(batch, pa.table({"path": hidden}))

    def _withdraw(self, batch: pa.Table, item: DecideItem) -> tuple[pa.Table, pa.Table | None]:
        """Opt-out by path and content, then by the repository's own control files."""
        found = match_files(batch, self.registry)
        # A name that its owner withdrew is in no published row, not even in that of an older visit.
        other = pc.starts_with(pc.fill_null(batch["verdict"], ""), "choose:")
        first, second = pc.coalesce(batch["verdict"], found), pc.coalesce(found, batch["verdict"])
        batch = fill(batch, pa.table({"verdict": pc.if_else(other, second, first)}))
        if item.evidence is None:
            return batch, None
        folders, wishes = read_folders(item.evidence, item.partition.number)
        for row in wishes.to_pylist():
            mine = pc.equal(one_chunk(batch, "root"), row["root"])
            if not row["globs"]:
                batch = drop(batch, mine, "optout:repository")
                continue
            rows = pc.indices_nonzero(mine)
            hit = np.zeros(batch.num_rows, bool)
            paths = one_chunk(batch, "path").take(rows)
            hit[rows.filter(match_globs(paths, row["globs"])).to_numpy()] = True
            batch = drop(batch, pa.array(hit), "optout:path")
        return batch, folders

    def _license(self, batch: pa.Table, folders: pa.Table | None, heads: pa.Table) -> pa.Table:
        if self.license is None or folders is None:
            nothing = pa.nulls(batch.num_rows, pa.string())
            return fill(batch, pa.table({name: nothing for name in COVER.names}))
        batch = fill(batch, cover_roots(batch, folders, heads, self.license))
        batch = drop(batch, pc.equal(batch["license_state"], REFUSED), "license:refused")
        batch = _told(batch)
        if self.license.look_inside == "allowed":
            batch = drop(batch, pc.equal(batch["license_state"], OPEN), "license:unstated")
        return batch

    def _papers(self, batch: pa.Table, kinds: pa.Array, item: DecideItem) -> pa.Table:
        """License and notice files of folders that may ship, schema PAPERS.

        Those that somebody withdrew, and those of a refused folder, stay out. A link has the
        content that it leads to.
        """
        if self.license is None:
            return PAPERS.empty_table()
        withdrawn = pc.starts_with(pc.fill_null(batch["verdict"], ""), "optout:")
        gone = pc.or_(withdrawn, pc.equal(batch["license_state"], REFUSED))
        batch = fill(batch, pa.table({"content_id": _contents(batch, item)}))
        there = pc.and_(pc.is_in(kinds, pa.array(PAPER_KINDS)), pc.is_valid(batch["content_id"]))
        rows = batch.append_column("kind", kinds).filter(pc.and_(there, pc.invert(gone)))
        columns = [rows["origin"], rows["path"], rows["kind"], hexed(rows["content_id"])]
        return pa.table(columns, schema=PAPERS)

    def _records(self, batch: pa.Table, heads: pa.Table, number: int, kinds: pa.Array) -> pa.Table:
        """A record per row that has a content id (schema choose.RECORD), not folded yet."""
        copies = self.registry.reaching("copies")
        head = batch["head"]
        marks = np.zeros(batch.num_rows, np.int8)
        gone = pc.starts_with(pc.fill_null(batch["verdict"], ""), "optout:")
        marks[_true(gone)] |= choose.WITHDRAWN
        by_copies = pc.coalesce(
            match_heads(heads, copies).take(head.combine_chunks()), match_files(batch, copies)
        )
        marks[_true(pc.is_valid(by_copies))] |= choose.WITHDRAWN_COPIES
        dropped = _true(pc.is_valid(batch["verdict"]))
        address = choose.address(number, np.arange(batch.num_rows))
        address[marks != 0] = -1  # nothing is read from a place that its owner withdrew
        dates = heads["committer_date"].cast(pa.int64()).fill_null(choose.NO_DATE)
        path = pc.coalesce(batch["path_bytes"], batch["path"].cast(pa.binary()))
        columns = [
            batch["content_id"],
            choose.rank(
                np.where(marks != 0, 2, dropped),
                _true(pc.equal(batch["license_state"], "open")),
                _true(batch["is_vendor"]),
                ~_true(told_by_name(one_chunk(batch, "path"))),
                _integers(heads["star_events_count"], head),
                _integers(heads["fork_events_count"], head),
                dates.take(head).to_numpy(),
                one_chunk(batch, "origin"),
                path.combine_chunks(),
            ),
            pa.array(address),
            *(pa.array(np.full(batch.num_rows, -1)) for _ in range(choose.PLACES - 1)),
            heads["origins"].take(head),
            pa.array(_class_bits(batch["license_class"])),
            dates.take(head),
            *_license_places(batch, heads, kinds, address),
            pa.array(marks),
        ]
        records = pa.Table.from_arrays(columns, schema=choose.RECORD)
        return records.filter(pc.is_valid(records["content_id"]))


def _contents(batch: pa.Table, item: DecideItem) -> pa.Array:
    """The content id of every row; of a link that of the file it leads to, else null."""
    led = followed(item.partition)
    rows = pa.array(np.arange(item.begin, item.begin + batch.num_rows, dtype=np.int32))
    behind = led["content_id"].take(pc.index_in(rows, one_chunk(led, "at")))
    kinds = batch["mode"].fill_null(0).to_numpy() & MODE_KIND
    own = pc.if_else(pa.array(kinds == MODE_SYMLINK), pa.scalar(None, ID), batch["content_id"])
    return one_chunk(pa.table({"id": pc.coalesce(behind, own)}), "id")


def _told(batch: pa.Table) -> pa.Table:
    """Note which license refuses a file and which file states it, for the ledger; and why a folder
    above it does not speak for it.
    """
    refused = pc.fill_null(pc.equal(batch["verdict"], "license:refused"), False)
    words = pc.binary_join_element_wise(
        pc.fill_null(batch["license_expression"], "nothing stated"),
        " (",
        pc.fill_null(batch["license_class"], "unstated"),
        "), stated by ",
        pc.fill_null(batch["license_path"], "the host"),
        "",
    )
    silent = pc.is_null(batch["license_expression"])
    apart = pc.and_(silent, pc.is_valid(batch["license_path"]))
    says = pc.binary_join_element_wise(
        "its folder stands on its own, says ", batch["license_path"], ""
    )
    others = pc.and_(silent, pc.and_(pc.invert(apart), of_others(one_chunk(batch, "path"))))
    note = pc.if_else(refused, words, batch["note"])
    note = pc.if_else(pc.and_(apart, pc.is_null(note)), says, note)
    note = pc.if_else(
        pc.and_(others, pc.is_null(note)), "in a package of others, which inherits nothing", note
    )
    return fill(batch, pa.table({"note": note}))


def _join(listed: pa.Table, heads: pa.Table) -> pa.Table:
    """Listed rows with the number of their head, and the head's verdict where it has one."""
    head = pc.index_in(_root_keys(listed), _root_keys(heads))
    batch = listed.append_column("head", head)
    batch = batch.append_column("origin", heads["origin"].take(head))
    gone = heads["verdict"].take(head)
    return fill(batch, pa.table({"verdict": pc.coalesce(gone, batch["verdict"])}))


def _root_keys(table: pa.Table) -> pa.Array:
    """What names a root in a run: its input and its key."""
    rows = table.select(["input", "root"]).combine_chunks()
    keys = pc.binary_join_element_wise(rows["input"].cast(pa.string()), rows["root"], " ")
    return one_chunk(pa.table({"key": keys}), "key")


def cover_roots(
    batch: pa.Table, folders: pa.Table, heads: pa.Table, settings: LicenseSettings
) -> pa.Table:
    """The folder license of every row (schema COVER); a root without any statement is open."""
    rows = batch.num_rows
    told: list[pa.Table] = []
    places: list[np.ndarray] = []
    said = dict(_by_root(folders))
    roots = one_chunk(batch, "root").dictionary_encode()
    codes = roots.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(roots.dictionary)))
    first_head = batch["head"].to_numpy()
    licenses = heads["gha_license_id"].to_pylist()
    for number, root in enumerate(roots.dictionary.to_pylist()):
        mine = order[ends[number - 1] if number else 0 : ends[number]]
        declared = declared_evidence(licenses[first_head[mine[0]]])
        statements = said.get(root)
        if statements is None and declared is None:
            continue
        if statements is None:
            statements = FOLDERS.empty_table()
        # What stands behind a link is evidence of its own, which names the link's target.
        key = pc.binary_join_element_wise(
            statements["content_id"], pc.fill_null(statements["target"], ""), " "
        )
        statements = fill(statements, pa.table({"content_id": key}))
        stand = statements.group_by(["path", "content_id", "target"]).aggregate([]).sort_by("path")
        # One text may lie in thousands of folders; what it says is said once.
        said_once = statements.drop_columns(["root", "path", "target"])
        said_once = said_once.group_by(said_once.column_names).aggregate([])
        stated = stating_folders(
            one_chunk(stand, "path"), stand["content_id"].to_pylist(), said_once, settings,
            declared, stand["target"].to_pylist(),
        )  # fmt: skip
        told.append(cover(one_chunk(batch, "path").take(pa.array(mine)), stated))
        places.append(mine)
    silent = pa.table(
        [pa.nulls(rows, pa.string()), pa.array(["unstated"] * rows, pa.string()),
         pa.array([OPEN] * rows, pa.string()), pa.nulls(rows, pa.string()),
         pa.nulls(rows, pa.string())],
        schema=COVER,
    )  # fmt: skip
    if not told:
        return silent
    found = pa.concat_tables([silent, *told])
    at = np.arange(rows)
    at[np.concatenate(places)] = np.arange(rows, found.num_rows)
    return found.take(pa.array(at))


def _by_root(folders: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    table = folders.sort_by("root")
    roots = table["root"].to_numpy()
    begins = [n for n in range(len(roots)) if n == 0 or roots[n] != roots[n - 1]]
    for begin, end in zip(begins, [*begins[1:], len(roots)], strict=bool(begins)):
        yield roots[begin], table.slice(begin, end - begin)


def decide(
    run: Run,
    found: Sequence[Partition],
    evidence: Evidence | None,
    registry: Registry,
    targets: int,
    quarantine: Quarantine,
    forks: Forks | None,
) -> list[Path]:
    """Decide every partition; returns the folders of the decisions."""
    config = run.config
    settings = config.license if "license" in config.stages else None
    task = DecideTask(registry, settings, config.fetch.max_bytes, targets)
    collapsed = forks.collapsed if forks is not None and config.choose.forks == "collapse" else None
    settings_of_all = [
        collapsed.parent.name if collapsed else "",
        evidence.names if evidence else [],
        registry.head,
        settings,
        config.fetch.max_bytes,
        targets,
    ]
    suspects = _Names(run, settings_of_all, quarantine)
    items = [suspects.again(DecideItem(one, evidence, collapsed, run.folder)) for one in found]
    return [item.out for item in do_without_culprits(run, "decide", task, items, suspects)]


@dataclass(frozen=True)
class _Names:
    """Partitions are cut by their rows; here names are looked at, so names are the culprits."""

    run: Run
    settings: object
    quarantine: Quarantine

    def size(self, item: DecideItem) -> int:
        return partitions.read_arrow(item.partition.path, ["input"]).num_rows

    def part(self, item: DecideItem, begin: int, end: int) -> DecideItem:
        return self.again(replace(item, begin=begin, end=end))

    def again(self, item: DecideItem) -> DecideItem:
        one = item.partition
        skip = self.quarantine.skip("control", "judge", "decide")
        place = self.run.place(
            # `number` is part of the addresses that the records hold.
            "decide", one.name, one.number, one.heads.parent.name, self.settings, item.begin,
            item.end, skip,
        )  # fmt: skip
        return replace(item, skip=skip, out=place)

    def accuse(self, item: DecideItem, at: int, failure: Failure) -> str:
        listed = partitions.read_arrow(item.partition.path).slice(at, 1)
        (key,) = row_keys(_join(listed, partitions.read_arrow(item.partition.heads)))
        self.quarantine.add("decide", "row_key", key, failure.reason)
        return f"the file with row key {key}"


def _true(mask: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(mask, False).to_numpy(zero_copy_only=False).astype(bool)


def _integers(column: pa.ChunkedArray, rows: pa.ChunkedArray) -> np.ndarray:
    return column.fill_null(-1).take(rows).to_numpy().astype(np.int64)


def _license_places(
    batch: pa.Table, heads: pa.Table, kinds: pa.Array, address: np.ndarray
) -> list[pa.Array]:
    """Two dates per row: where its license is allowed, and where it is stated and refused; and
    the address of the latter.

    A place is as old as its repository (``gha_created_at``) or its commit, whichever is older. What
    nobody wrote for one repository (empty files, texts of licenses) says nothing about origin.
    """
    made = heads["gha_created_at"].cast(pa.int64())
    dates = pc.min_element_wise(made, heads["committer_date"].cast(pa.int64()))
    old = dates.fill_null(UNDATED).take(batch["head"]).to_numpy()
    common = _true(pc.is_valid(kinds))
    common |= _true(pc.equal(batch["length"], 0))
    allowed = _true(pc.is_in(batch["license_state"], pa.array(GRANTED)))
    refused = _true(pc.equal(batch["license_state"], REFUSED))
    refused &= _true(pc.is_in(batch["license_class"], pa.array(CLOSED))) & ~common
    dated = [pa.array(np.where(mask, old, NO_PLACE)) for mask in (allowed, refused)]
    return [*dated, pa.array(np.where(refused & (address >= 0), address, NO_PLACE))]


def _class_bits(classes: pa.ChunkedArray) -> np.ndarray:
    number = pc.index_in(classes, pa.array(CLASSES)).to_numpy(zero_copy_only=False)
    known = ~np.isnan(number.astype(float))
    bits = np.zeros(len(number), np.int64)
    bits[known] = 1 << number[known].astype(np.int64)
    return bits
