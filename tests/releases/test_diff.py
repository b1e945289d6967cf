"""Every difference between two releases is one row, of one kind, with one cause."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate.optout import registry as optouts
from stackcurate.optout.registry import APPROVED, Request
from stackcurate.optout.subjects import parse
from stackcurate.pipeline.release import withdrawn_in
from stackcurate.releases.diff import DIFFERENCE, KINDS, Diff, Side, diff
from stackcurate.releases.diff_text import cause_table, text
from stackcurate.releases.writer import write_table
from stackcurate.schema import HEAD, LEDGER, conform, row_key

from ..driving import call
from .helpers import HOSTILE, file_row, file_table, sha1

MANIFEST: dict[str, Any] = {
    "name": "t",
    "version": "1.0.0",
    "release_id": "t-v1.0.0-0",
    "schema": {"digest": "s"},
    "config": {"sources": [{"kind": "git", "path": "a"}]},
    "tables": {"languages": "1"},
    "tools": {"stackcurate": "0.1.0"},
    "optout": {"head": "h"},
    "inputs": [{"source": 0, "kind": "git", "key": "box", "digest": "d", "snapshots": []}],
}


def place(origin: str, path: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A row of FILE at a place, with the content of ``number``."""
    row = file_row(number, content=f"print({number})\n")
    origin = f"https://example.org/{origin}"
    here = {
        "origin": origin,
        "repo_name": origin.removeprefix("https://example.org/"),
        "path": path,
        "row_key": row_key(origin, path.encode()),
    }
    return row | here | more


def side(
    folder: Path,
    rows: list[dict[str, Any]],
    dropped: list[dict[str, Any]] | None = None,
    heads: list[dict[str, Any]] | None = None,
    **manifest: Any,
) -> Side:
    """A folder as `publish` would leave it, as far as a diff reads it."""
    half = len(rows) // 2
    for number, some in enumerate((rows[:half], rows[half:])):
        write_table(folder / "data" / "All" / f"train-{number}.parquet", file_table(some))
    if heads is None:
        heads = [{"origin": origin} for origin in sorted({row["origin"] for row in rows})]
    heads = [{"directory_id": "root", "container": "box", "outcome": "kept"} | h for h in heads]
    outcome = pa.array([head["outcome"] for head in heads], pa.string())
    table = pa.Table.from_pylist(heads, schema=HEAD) if heads else HEAD.empty_table()
    write_table(folder / "repositories.parquet", table.append_column("outcome", outcome))
    ledger = pa.Table.from_pylist(dropped or [], schema=LEDGER)
    write_table(folder / "ledger" / "files-00000.parquet", conform(ledger, LEDGER))
    return Side(folder, MANIFEST | manifest)


def drop(row: dict[str, Any], outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "scope": "file",
        "row_key": row["row_key"],
        "content_id": row["content_id"],
        "outcome": outcome,
    } | more


def listed(before: Side, after: Side, tmp_path: Path, **how: Any) -> list[dict[str, Any]]:
    out = tmp_path / "rows.parquet"
    found = diff(before, after, out, **how)
    rows = pq.read_table(out)
    assert rows.schema.equals(DIFFERENCE)
    assert sum(one["files"] for one in found.counts) == rows.num_rows
    assert found.files[1] - found.files[0] == found.total("added") - found.total("removed")
    return rows.to_pylist()


def one_cause(
    tmp_path: Path,
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> tuple[str, str, str]:
    """Kind, cause and detail of the one difference beside a file that stays."""
    stays = place("a/stays", "/same.py", 500)
    (row,) = listed(
        side(tmp_path / "a", [stays, *before], **(old or {})),
        side(tmp_path / "b", [stays, *after], **(new or {})),
        tmp_path,
    )
    return row["kind"], row["cause"], row["detail"]


ROW = place("o/r", "/x.py")
HEADS = [{"origin": ROW["origin"]}, {"origin": "https://example.org/a/stays"}]
ELSEWHERE = [HEADS[0] | {"directory_id": "other root"}, HEADS[1]]
GONE = HEADS[1:]


def config(**sections: Any) -> dict[str, Any]:
    return {"config": MANIFEST["config"] | sections}


@pytest.mark.parametrize(
    ("new", "cause", "detail"),
    [
        # a new state upstream: the repository's files are others, or it is gone with its container
        ({"heads": ELSEWHERE}, "upstream", ""),
        ({"heads": GONE, "inputs": []}, "upstream", ""),
        ({"heads": GONE}, "upstream", ""),
        ({"heads": HEADS}, "upstream", ""),
        # the ledger names what dropped it
        ({"dropped": [drop(ROW, "dedup:near")]}, "survivor", "dedup:near"),
        ({"dropped": [drop(ROW, "choose:copy")]}, "survivor", "choose:copy"),
        ({"dropped": [drop(ROW, "filter:alpha")]}, "detector", "filter:alpha"),
        (
            {"dropped": [drop(ROW, "filter:alpha")], **config(filter={"min_alpha_fraction": 0.5})},
            "config",
            "filter:alpha",
        ),
        (
            {"dropped": [drop(ROW, "filter:alpha", content_id=sha1("other"))]},
            "upstream",
            "filter:alpha",
        ),
        (
            {"heads": [HEADS[0] | {"outcome": "choose:same_root"}, HEADS[1]]},
            "survivor",
            "choose:same_root",
        ),
        # an opt-out: the origin is no longer named, though its container is still read
        ({"heads": GONE, "optout": {"head": "i"}}, "optout", ""),
        ({"heads": HEADS, "optout": {"head": "i"}}, "optout", ""),
        # decisions about files that are still there
        (
            {"heads": HEADS, **config(license={"allow": ["copyleft"]})},
            "license",
            "license:refused",
        ),
        ({"heads": HEADS, **config(license={"look_inside": "open"})}, "license", ""),
        ({"heads": HEADS, **config(language={"keep": ["C"]})}, "config", "language:unwanted"),
        ({"heads": HEADS, **config(language={"drop": ["Python"]})}, "config", "language:unwanted"),
        ({"heads": HEADS, **config(fetch={"max_bytes": 3})}, "config", "fetch:too_large"),
        ({"heads": HEADS, **config(dedup={"threshold": 0.5})}, "config", ""),
        ({"heads": HEADS, "tables": {"languages": "2"}}, "detector", ""),
        # an option that this version does not know says nothing, and breaks nothing
        ({"heads": HEADS, **config(fetch={"odd": 1})}, "config", ""),
    ],
)
def test_why_a_file_went(tmp_path: Path, new: dict[str, Any], cause: str, detail: str) -> None:
    old = {"heads": HEADS}
    new = {"heads": HEADS} | new
    assert one_cause(tmp_path, [ROW], [], old, new) == ("removed", cause, detail)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ({"heads": ELSEWHERE}, {}, "upstream"),
        ({"heads": GONE, "inputs": []}, {}, "upstream"),
        ({"heads": GONE}, {"optout": {"head": "i"}}, "optout"),
        ({"heads": HEADS, "dropped": [drop(ROW, "dedup:exact")]}, {}, "survivor"),
        ({"heads": HEADS, "dropped": [drop(ROW, "filter:empty")]}, {}, "detector"),
        ({"heads": HEADS}, config(license={"policy": "open_source"}), "license"),
        ({"heads": HEADS, **config(fetch={"max_bytes": 2})}, {}, "config"),
        ({"heads": HEADS}, {"tools": {"stackcurate": "0.2.0"}}, "detector"),
    ],
)
def test_why_a_file_came(
    tmp_path: Path, old: dict[str, Any], new: dict[str, Any], cause: str
) -> None:
    kind, found, _ = one_cause(tmp_path, [], [ROW], old, {"heads": HEADS} | new)
    assert (kind, found) == ("added", cause)


@pytest.mark.parametrize(
    ("other", "new", "cause", "detail"),
    [
        ({"content_id": sha1("n"), "text_sha256": "n"}, {}, "upstream", "content, text"),
        ({"text_sha256": "n"}, {}, "detector", "text"),
        ({"text_sha256": "n"}, config(redact={"sensitivity": "strict"}), "config", "text"),
        ({"redactions": file_row(6)["redactions"]}, {}, "detector", "redactions"),
        ({"license_expression": "ISC"}, {}, "license", "license"),
        ({"language": "C", "license_class": None}, {}, "license", "license, language"),
        ({"is_test": True}, {}, "detector", "language"),
    ],
)
def test_why_a_file_changed(
    tmp_path: Path, other: dict[str, Any], new: dict[str, Any], cause: str, detail: str
) -> None:
    assert one_cause(tmp_path, [ROW], [ROW | other], None, new) == ("changed", cause, detail)


def test_moved_files_are_one_row_and_say_from_where(tmp_path: Path) -> None:
    old, new = place("o/r", "/old.py", 7), place("o/s", "/new.py", 7)
    dropped = [drop(old, "choose:copy", kept_row_key=new["row_key"])]
    (row,) = listed(side(tmp_path / "a", [old]), side(tmp_path / "b", [new], dropped), tmp_path)
    assert (row["kind"], row["cause"], row["detail"]) == ("moved", "survivor", "choose:copy")
    assert (row["path_before"], row["path"]) == ("/old.py", "/new.py")
    assert (row["origin_before"], row["origin"]) == (old["origin"], new["origin"])
    assert row["kept_row_key"] == row["row_key"] == new["row_key"]
    assert row["content_id"] == row["content_id_before"] == old["content_id"]


def test_facts_alone_are_counted_and_not_listed(tmp_path: Path) -> None:
    rows = [place("o/r", f"/{n}.py", n) for n in range(4)]
    newer = [row | {"star_events_count": 9, "places": 8} for row in rows[:3]] + rows[3:]
    found = diff(side(tmp_path / "a", rows), side(tmp_path / "b", newer))
    assert (found.counts, found.unchanged, found.refreshed) == ([], 4, 3)
    assert not found.empty
    assert diff(Side(tmp_path / "a", MANIFEST), Side(tmp_path / "a", MANIFEST)).empty


def test_what_an_optout_took_is_counted_and_never_named(tmp_path: Path) -> None:
    secret = place("hidden-owner/hidden-repo", "/hidden-file.py", 3)
    moved_from = place("hidden-owner/hidden-repo", "/hidden-too.py", 4)
    moved_to = place("o/other", "/found.py", 4)
    stays = place("a/stays", "/same.py", 5)
    before = side(tmp_path / "a", [secret, moved_from, stays])
    after = side(tmp_path / "b", [moved_to, stays], optout={"head": "i"})
    out = tmp_path / "rows.parquet"
    found = diff(before, after, out)
    assert found.total("removed", "optout") == found.total("moved", "optout") == 1
    rows = pq.read_table(out).to_pylist()
    said = json.dumps([found.plain(), rows]) + text(found) + cause_table(found)
    for name in ("hidden", secret["row_key"], secret["content_id"], moved_from["row_key"]):
        assert name not in said
    assert moved_to["row_key"] in said


def test_the_registry_makes_the_cause_certain(tmp_path: Path) -> None:
    gone = place("o/r", "/secret/x.py", 3)
    deleted = place("o/r", "/deleted.py", 4)
    stays = place("o/r", "/same.py", 5)
    new_root = [{"origin": stays["origin"], "directory_id": "new"}]
    before = side(tmp_path / "a", [gone, deleted, stays])
    after = side(tmp_path / "b", [stays], heads=new_root, optout={"head": "i"})
    guessed = Counter(row["cause"] for row in listed(before, after, tmp_path))
    assert guessed == {"upstream": 2}
    subject = parse("path", "https://example.org/o/r", "secret/**")
    registry = optouts.Registry((Request("1", subject, "place", APPROVED, "t"),))
    rows = listed(before, after, tmp_path, withdrawn=withdrawn_in(registry))
    assert {(row["cause"], row["path_before"]) for row in rows} == {
        ("optout", None),
        ("upstream", "/deleted.py"),
    }


def plain_kinds(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Counter[str]:
    """The slow plain twin: kinds by dictionaries."""
    old, new = ({row["row_key"]: row for row in rows} for rows in (before, after))
    gone = {row["content_id"] for key, row in old.items() if key not in new}
    came = {row["content_id"] for key, row in new.items() if key not in old}
    moved = len(gone & came)
    changed = sum(
        old[key][name] != new[key][name]
        for key in old.keys() & new.keys()
        for name in ("content_id",)
    )
    counts = {"moved": moved, "changed": changed}
    return Counter(counts | {"removed": len(gone) - moved, "added": len(came) - moved})


@pytest.mark.parametrize("seed", range(4))
def test_kinds_are_those_of_the_plain_twin(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)

    def some() -> list[dict[str, Any]]:
        contents = chance.sample(range(90), 60)  # a content once, at any of a hundred places
        return [
            place(f"o/r{spot % 4}", f"/{spot}.py", number)
            for spot, number in zip(chance.sample(range(100), 60), contents, strict=True)
        ]

    before, after = some(), some()
    found = diff(side(tmp_path / "a", before), side(tmp_path / "b", after))
    assert {kind: found.total(kind) for kind in KINDS} == plain_kinds(before, after)
    for entries in (found.languages, found.licenses, found.repositories):
        assert {k: sum(one[k] for one in entries) for k in KINDS} == plain_kinds(before, after)


def test_memory_has_a_bound_and_the_rows_one_order(tmp_path: Path) -> None:
    rows = [place(f"o/r{n % 50}", f"/{n}.py", n) for n in range(3000)]
    before, after = side(tmp_path / "a", rows[:2000]), side(tmp_path / "b", rows[1000:])
    small = diff(before, after, tmp_path / "1.parquet", memory="64MB")
    large = diff(before, after, tmp_path / "2.parquet")
    assert small == large
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_releases_of_nothing_and_of_older_columns(tmp_path: Path) -> None:
    empty = Side(tmp_path / "none", MANIFEST)
    (tmp_path / "none").mkdir()
    rows = [place("o/r", f"/{n}.py", n) for n in range(3)]
    full = side(tmp_path / "b", rows)
    assert diff(empty, full).total("added") == diff(full, empty).total("removed") == 3
    older = tmp_path / "older"
    side(older, rows)
    for path in older.glob("data/*/*.parquet"):
        write_table(path, pq.read_table(path).drop_columns(["license_type", "repo_name"]))
    assert diff(Side(older, MANIFEST), full).counts == []


def test_hostile_names_stay_words(tmp_path: Path) -> None:
    before = side(tmp_path / "it's [a]*", [place("a/b", "/x.py", 1)])
    rows = [place(HOSTILE, "/\x1b[2J.py", 2), place("a/b", "/x.py", 1)]
    shown = text(diff(before, side(tmp_path / "b", rows)))
    assert "\x1b" not in shown and "\u202e" not in shown


def test_text_names_few_and_counts_the_rest(tmp_path: Path) -> None:
    rows = [place(f"o/r{n}", "/x.py", n) for n in range(20)]
    found: Diff = diff(side(tmp_path / "a", rows[:1]), side(tmp_path / "b", rows))
    shown = text(found)
    assert "1 files before, 20 now; 1 the same\n" in shown
    assert "… and 4 more" in shown
    assert "no file was added" in text(
        diff(Side(tmp_path / "a", MANIFEST), Side(tmp_path / "a", MANIFEST))
    )


def test_the_command_writes_each_form(release: Path, tmp_path: Path) -> None:
    said = call("diff", release, release, "--format", "json")
    assert (said.code, json.loads(said.out)["counts"]) == (0, [])
    out = tmp_path / "d.parquet"
    assert call("diff", release, release, "--format", "parquet", "--out", out).code == 0
    assert pq.read_table(out).num_rows == 0
    assert call("diff", release, release, "--format", "parquet").code == 2
    assert call("diff", release, tmp_path).code == 2
