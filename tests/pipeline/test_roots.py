"""Who represents a root, who is withdrawn, and what a release says about origins."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from stackcurate.config import Config
from stackcurate.engine.base import SerialEngine
from stackcurate.optout import registry as optouts
from stackcurate.optout.registry import APPROVED, Request
from stackcurate.optout.subjects import parse
from stackcurate.pipeline import roots
from stackcurate.pipeline.inputs import Input, save_heads
from stackcurate.pipeline.listing import COUNTS
from stackcurate.pipeline.origins import Origins
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import HEAD, REVISION, conform
from stackcurate.sources.base import Container, Heads
from stackcurate.storage import partitions
from stackcurate.storage.durable import Durable
from stackcurate.storage.journal import Journal, Silent


@dataclass(frozen=True)
class Made:
    """A source that is never asked."""

    kind: ClassVar[str] = "made"


@dataclass
class Desk:
    """A run folder and inputs whose heads were written by hand."""

    folder: Path
    inputs: list[Input]
    run: Run

    def add(self, *heads: dict[str, Any], source: int = 0, size: int = 1) -> None:
        """One more input with these heads."""
        number = len(self.inputs)
        out = self.folder / "heads" / str(number)
        rows = [{"container": f"c{number}", "visit_type": "git"} | head for head in heads]
        table = conform(pa.Table.from_pylist(rows), HEAD) if rows else HEAD.empty_table()
        lines = [{"revision_id": r["revision_id"]} for r in rows if r.get("revision_id")]
        revisions = conform(pa.Table.from_pylist(lines), REVISION) if lines else None
        out.mkdir(parents=True)
        save_heads(out, Heads(table, revisions or REVISION.empty_table(), "d", []))
        self.inputs.append(Input(source, Container(f"c{number}", size, ""), out))

    def decided(self, *withdrawn: str) -> list[dict[str, Any]]:
        """The table of roots as rows."""
        requests = [
            Request(str(n), parse("origin", one), "place", APPROVED, "2024-01-01T00:00:00Z")
            for n, one in enumerate(withdrawn)
        ]
        registry = optouts.Registry(tuple(requests)) if requests else optouts.EMPTY
        self.place = roots.decide_roots(self.run, self.inputs, registry)
        return partitions.read_arrow(self.place / "roots.arrow").to_pylist()


@pytest.fixture
def desk(tmp_path) -> Desk:
    config = Config(tmp_path / "c.yaml", "made", "1.0.0", (Made(), Made()), runs=tmp_path / "runs")
    config.run_folder.mkdir(parents=True)
    journal = Journal(config.run_folder / "journal.jsonl")
    durable = Durable(config.run_folder)
    return Desk(tmp_path, [], Run(config, SerialEngine(), Silent(), journal, durable))


def head(name: str, root: str = "aa", **more: Any) -> dict[str, Any]:
    return {"origin": f"https://example.org/o/{name}", "root": root, "directory_id": root, **more}


def verdicts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["origin"].rpartition("/")[2]: row["verdict"] for row in rows}


# Better first, by one thing alone; the name that comes later in the alphabet is the better one.
ORDER = [
    ("stars", {"star_events_count": 9}, {"star_events_count": 8, "fork_events_count": 99}),
    ("stars or none", {"star_events_count": 0}, {"fork_events_count": 99}),
    ("forks", {"fork_events_count": 3}, {"fork_events_count": 2, "gha_created_at": 1}),
    ("older repository", {"gha_created_at": 5, "github_id": 9}, {"gha_created_at": 6}),
    ("smaller id", {"github_id": 5}, {"github_id": 6, "visit_date": 99}),
    ("newer visit", {"visit_date": 5}, {"visit_date": 4, "committer_date": 99}),
    ("newer commit", {"committer_date": 5}, {"committer_date": 4}),
]


@pytest.mark.parametrize(("why", "better", "worse"), ORDER, ids=[one[0] for one in ORDER])
def test_the_order_among_origins_of_one_root(desk, why, better, worse) -> None:
    for heads in ([head("z", **better)], [head("a", **worse)]):
        desk.add(*heads)
    rows = desk.decided()
    assert verdicts(rows) == {"z": None, "a": "choose:same_root"}
    assert {row["origin"][-1]: row["represents"] for row in rows} == {"z": True, "a": False}
    assert {row["origins"] for row in rows} == {2}


def test_the_order_ends_in_the_name(desk) -> None:
    desk.add(head("b"), head("a"))
    assert verdicts(desk.decided()) == {"a": None, "b": "choose:same_root"}


def test_the_newest_visit_of_an_origin_stays(desk) -> None:
    desk.add(head("a", "aa", visit_date=1), head("a", "bb", visit_date=3))
    desk.add(head("a", "cc", visit_date=2))
    said = {row["root"]: (row["verdict"], row["represents"]) for row in desk.decided()}
    assert said == {
        "aa": ("choose:older_visit", True), "bb": (None, True), "cc": ("choose:older_visit", True),
    }  # fmt: skip


def test_who_withdrew_represents_nothing_that_another_may(desk) -> None:
    desk.add(head("a", star_events_count=9), head("b"), head("c", "bb"))
    origin = "https://example.org/o/a"
    rows = desk.decided(origin, "https://example.org/o/c")
    said = verdicts(rows)
    assert said["b"] is None
    assert said["a"].startswith("optout:") and said["c"].startswith("optout:")
    represents = {row["origin"][-1] for row in rows if row["represents"]}
    assert represents == {"b", "c"}, "a root that nobody may represent is still listed"


def test_a_root_that_a_source_made_up_is_its_own(desk) -> None:
    made_up = {"root": "origin:x", "directory_id": None}
    desk.add(head("a") | made_up)
    desk.add(head("b") | made_up, source=1)
    desk.add(head("c") | made_up, source=1)
    said = verdicts(desk.decided())
    assert said == {"a": None, "b": None, "c": "choose:same_root"}


def test_the_order_of_inputs_changes_no_verdict(tmp_path, desk) -> None:
    dice = random.Random(1)
    heads = [
        head(f"r{n}", f"{n % 7:02d}", star_events_count=dice.choice([None, 1, 2]),
             visit_date=dice.choice([None, 5, 6]))
        for n in range(60)
    ]  # fmt: skip
    for one in heads:
        desk.add(one)
    first = verdicts(desk.decided())
    again = Desk(tmp_path / "again", [], desk.run)
    dice.shuffle(heads)
    for one in heads:
        again.add(one)
    assert verdicts(again.decided()) == first
    assert sum(verdict is None for verdict in first.values()) == 7


def test_groups_take_what_represents_in_the_order_of_their_inputs(desk, monkeypatch) -> None:
    monkeypatch.setattr(roots, "GROUP_CONTAINERS", 3)
    for n in range(8):
        many = [head(f"r{n}-{k}", f"{n}{k}") for k in range(4)] if n != 4 else []
        desk.add(*many, size=roots.GROUP_BYTES + 1 if n == 6 else 1)
    desk.decided()
    groups = roots.group_inputs(desk.run, desk.inputs, desk.place)
    assert [group.inputs for group in groups] == [(0, 1, 2), (3, 4, 5), (6,), (7,)]
    told = [partitions.read_arrow(group.heads) for group in groups]
    assert [sorted(set(one["input"].to_pylist())) for one in told] == [[0, 1, 2], [3, 5], [6], [7]]
    assert sum(one.num_rows for one in told) == 28
    for one in told:
        keys = list(zip(one["input"].to_pylist(), one["root"].to_pylist(), strict=True))
        assert keys == sorted(keys)


def test_groups_are_cut_inside_batches_too() -> None:
    schema = pa.schema([("input", pa.int32())])
    batches = [
        pa.record_batch([pa.array(some, pa.int32())], schema=schema)
        for some in ([0, 0, 1, 2, 2], [2, 4], [4, 4], [7])
    ]
    shares = roots._by_share(iter(batches), [[0, 1], [2, 3], [4], [5, 6], [7]])
    found = [[x for batch in share for x in batch.column(0).to_pylist()] for share in shares]
    assert found == [[0, 0, 1], [2, 2, 2], [4, 4, 4], [], [7]]


def test_what_a_release_says_about_origins(desk, tmp_path) -> None:
    desk.add(
        head("a", "aa", revision_id="r1", star_events_count=5, gha_license_id="mit"),
        head("b", "aa", revision_id="r1"),
        head("c", "bb", revision_id="r2"),
    )
    desk.add(head("d", "cc", revision_id="r3"), head("a", "dd", revision_id="r0"))
    desk.decided("https://example.org/o/c")
    counts = [
        {"input": 0, "root": "aa", "files": 3, "bytes": 30},
        {"input": 0, "root": "bb", "files": 4, "bytes": 40},
        {"input": 1, "root": "cc", "files": 5, "bytes": 50},
        {"input": 1, "root": "dd", "files": 6, "bytes": 60},
    ]
    listed = tmp_path / "listed"
    listed.mkdir()
    partitions.write_arrow(listed / "counts.arrow", pa.Table.from_pylist(counts, schema=COUNTS))
    with Origins(desk.place, [listed], tmp_path / "db") as said:
        assert said.listed() == {"files": 18, "bytes": 180}
        remain = pa.concat_tables(said.remaining())
        assert [one[-1] for one in remain["origin"].to_pylist()] == ["a", "a", "b", "d"]
        others = pa.concat_tables(said.others()).to_pylist()
        assert [(o["origin"][-1], o["outcome"], o["files"], o["bytes"]) for o in others] == [
            ("b", "choose:same_root", 3, 30)
        ]
        assert said.other_counts() == [
            {"source": 0, "outcome": "choose:same_root", "files": 3, "bytes": 30}
        ]
        assert said.host_licenses() == ["mit"]
        revisions = pa.concat_tables(said.revisions(desk.inputs))
        # of the input that somebody left, only heads of those that remain
        assert revisions["revision_id"].to_pylist() == ["r0", "r1", "r3"]
        assert revisions.schema == REVISION
