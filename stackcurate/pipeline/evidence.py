"""Gathers what control files state: to the partitions that hold files of their roots, and to ship.

A repository may be spread over several partitions, so statements and roots meet by root, in as many
tasks as `choose` has. What ScanCode said about open texts, and what people decided, comes in here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import UNDETERMINED
from stackcurate.licenses.links import by_link
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.licenses.review import Decision, apply
from stackcurate.licenses.review import read as read_decisions
from stackcurate.licenses.together import CONFLICTS, settle
from stackcurate.pipeline.control import (
    KEPT_TEXTS,
    STATED,
    ControlItem,
    Controls,
    ControlTask,
)
from stackcurate.pipeline.culprits import Quarantine, do_without_culprits
from stackcurate.pipeline.judge import judge_open
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import EVIDENCE, conform, fill
from stackcurate.storage import partitions
from stackcurate.storage.exchange import read_exchange, write_exchange

# A statement and where it stands: what `licenses.inherit.folders` reads, by root.
FOLDERS = pa.schema(
    [
        ("root", pa.string()),
        ("path", pa.string()),
        ("target", pa.string()),  # what ``path`` is a link to; else null
        ("content_id", pa.string()),  # 40 hex digits, as in EVIDENCE
        ("kind", pa.string()),
        ("expression", pa.string()),
        ("evidence_id", pa.string()),
        ("rule", pa.string()),  # names files where the statement is about paths
        ("start", pa.int64()),
    ]
)


@dataclass(frozen=True)
class EvidenceItem:
    """All that was stated about the roots that fall to ``target``, and who must know."""

    target: int
    targets: int
    partitions: int
    controls: tuple[Path, ...]
    judged: Path | None
    decisions: tuple[Decision, ...]
    settings: LicenseSettings
    out: Path


def evidence_task(item: EvidenceItem) -> tuple[int, int]:
    """Send the statements of some roots home, and keep each once to ship."""
    said = read_exchange([folder / "stated.arrow" for folder in item.controls], item.target)
    homes = read_exchange([folder / "homes.arrow" for folder in item.controls], item.target)
    if item.judged is not None:
        said = _answered(said, partitions.read_arrow(item.judged))
    by_id = {one.content_id: one for one in item.decisions}
    said, conflicts = settle(_linked(_decided(said, by_id)), by_id, item.settings)
    home = said.join(homes, "root", join_type="inner")
    keys = ("part", "root", "path", "evidence_id")
    home = home.sort_by([(key, "ascending") for key in keys])
    once = first_of_each(said.select(EVIDENCE.names), "evidence_id")
    with partitions.whole_folder(item.out) as part:
        parts = home["part"].to_numpy()
        folders = home.select(FOLDERS.names).cast(FOLDERS)
        write_exchange(part / "folders.arrow", folders, parts, item.partitions)
        shares = evidence_shares(once["evidence_id"], item.targets)
        write_exchange(part / "evidence.arrow", once, shares, item.targets)
        partitions.write_arrow(part / "conflicts.arrow", conflicts)
    return said.num_rows, 0


def _answered(said: pa.Table, judged: pa.Table) -> pa.Table:
    """Statements with what ScanCode said in the place of what was open."""
    keys = ["content_id", "kind"]
    answered = judged.select(keys).group_by(keys).aggregate([])
    open_ = said.filter(pc.equal(said["matcher"], UNDETERMINED))
    found = open_.select(["root", "path", "target", *keys]).join(judged, keys, join_type="inner")
    rest = open_.join(answered, keys, join_type="left anti")
    known = said.filter(pc.not_equal(said["matcher"], UNDETERMINED))
    return pa.concat_tables([known, conform(found, STATED), conform(rest, STATED)])


def _decided(said: pa.Table, by_id: Mapping[str, Decision]) -> pa.Table:
    """Statements as people decided them."""
    mine = pc.is_in(said["content_id"], pa.array(sorted(by_id), pa.string()))
    some = said.filter(mine)
    changed = fill(some, apply(some.select(EVIDENCE.names), by_id))
    return pa.concat_tables([said.filter(pc.invert(mine)), changed.select(STATED.names)])


def _linked(said: pa.Table) -> pa.Table:
    """Statements, where a link leads to what states them, as rows that name it."""
    mine = pc.is_valid(said["target"])
    rows = [by_link(row, row["target"]) for row in said.filter(mine).to_pylist()]
    named = pa.Table.from_pylist(rows, schema=STATED)
    return pa.concat_tables([said.filter(pc.invert(mine)), named])


def first_of_each(table: pa.Table, name: str) -> pa.Table:
    """Rows sorted by all their columns, the first of each value of ``name``."""
    keys = [name, *(other for other in table.column_names if other != name)]
    table = table.sort_by([(key, "ascending") for key in keys]).combine_chunks()
    values = table[name].to_numpy()
    new = np.ones(len(values), bool)
    new[1:] = values[1:] != values[:-1]
    return table.filter(pa.array(new))


def evidence_shares(ids: pa.ChunkedArray, shares: int) -> np.ndarray:
    """Which share of the evidence each id falls to: even, and in the order of the ids."""
    heads = [int(one[:8], 16) for one in ids.to_pylist()]
    return np.array(heads, np.int64) * shares >> 32


@dataclass(frozen=True)
class Evidence:
    """Where evidence lies: folders of the control tasks, and of the tasks that gathered them."""

    controls: tuple[Path, ...]
    gathered: tuple[Path, ...]

    @property
    def names(self) -> list[str]:
        return [folder.name for folder in self.gathered]

    @property
    def shares(self) -> int:
        """How many parts the evidence comes in."""
        return len(self.gathered)

    def share(self, number: int) -> pa.Table:
        """Statements (schema EVIDENCE) of one share, each once, sorted by evidence id."""
        paths = [folder / "evidence.arrow" for folder in self.gathered]
        return first_of_each(read_exchange(paths, number), "evidence_id")

    def conflicts(self) -> pa.Table:
        """The folders whose statements contradict each other: schema together.CONFLICTS."""
        parts = [partitions.read_arrow(folder / "conflicts.arrow") for folder in self.gathered]
        return pa.concat_tables([CONFLICTS.empty_table(), *parts])

    def texts(self, content_ids: pa.Array) -> Iterator[pa.Table]:
        """The kept texts of some contents (schema KEPT_TEXTS), each once, sorted by content id.

        A content's path is the smallest of those that the texts were kept under.
        """
        paths = [folder / "texts.arrow" for folder in self.controls]
        for number in range(self.shares if paths else 0):
            rows = read_exchange(paths, number)
            rows = rows.filter(pc.is_in(rows["content_id"], content_ids))
            yield first_of_each(rows, "content_id").cast(KEPT_TEXTS)


def gather(
    run: Run, found: Sequence[Partition], index: Path, targets: int, quarantine: Quarantine
) -> Evidence:
    """Read all control files and send what they state home."""
    licenses = "license" in run.config.stages
    redact = run.config.redact if "redact" in run.config.stages else None
    cache = Cache(run.config.runs / "licenses.sqlite")
    task = ControlTask(run.config.sources, licenses, redact, cache)
    suspects = Controls(run, licenses, redact, quarantine)
    items = [suspects.again(ControlItem(one, index, targets, index)) for one in found]
    controls = tuple(
        item.out for item in do_without_culprits(run, "control", task, items, suspects)
    )
    if not controls:
        return Evidence((), ())
    judged = judge_open(run, found, controls, index, cache, quarantine)
    settings = run.config.license
    decisions = read_decisions(settings.decisions)
    said_by = tuple(decisions[key] for key in sorted(decisions))
    names = [folder.name for folder in controls]
    after = judged.parent.name if judged else ""
    gathered = [
        EvidenceItem(
            target, targets, len(found), controls, judged, said_by, settings,
            run.place("evidence", names, after, said_by, settings, target, targets),
        )
        for target in range(targets)
    ]  # fmt: skip
    return Evidence(controls, tuple(run.do("evidence", evidence_task, gathered)))


def read_folders(evidence: Evidence, partition: int) -> tuple[pa.Table, pa.Table]:
    """(schema FOLDERS, schema WISHES) of the roots that one partition holds files of."""
    folders = read_exchange([one / "folders.arrow" for one in evidence.gathered], partition)
    # Wishes are few: every partition looks through all of them.
    wishes = [partitions.read_arrow(folder / "wishes.arrow") for folder in evidence.controls]
    return folders, pa.concat_tables(wishes)
