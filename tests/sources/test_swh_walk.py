from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.schema import LISTING, escape_name
from stackcurate.sources.base import Container
from stackcurate.sources.swh_graph import SwhGraph
from tests.sources.swh_tables import (
    DIRECTORY,
    EMPTY_TREE,
    FILE,
    SCHEMAS,
    SYMLINK,
    Graph,
    Node,
    executable,
    git_id,
    symlink,
    write_table,
)

HERE = Container("graph", 0, "")


def listing(graph: Graph, roots: list[Node], form: str = "orc", **options: Any) -> pa.Table:
    with tempfile.TemporaryDirectory() as folder:
        graph.write(Path(folder) / "graph", form=form)
        return list_folder(Path(folder), [root.id for root in roots], **options)


def list_folder(folder: Path, roots: list[str], **options: Any) -> pa.Table:
    source = SwhGraph(folder / "graph", **options)
    scratch = Path(tempfile.mkdtemp(dir=folder))
    batches = list(source.files(HERE, roots, scratch))
    assert all(batch.schema == LISTING and batch.num_rows <= 65_536 for batch in batches)
    return pa.Table.from_batches(batches, LISTING)


def brief(table: pa.Table) -> dict[str, str | None]:
    return {row["path"]: row["verdict"] for row in table.to_pylist()}


def test_every_kind_of_entry_is_listed_with_its_outcome() -> None:
    graph = Graph()
    text, target = graph.blob(b"hello\n"), graph.blob(b"a.py")
    older = graph.revision(graph.tree({b"x": text}))
    root = graph.tree(
        {
            b"a.py": text,
            b"run": executable(text),
            b"link": symlink(target),
            b"sub": older,
            b"large": graph.blob(b"large", skipped="Content too large"),
            b"lost": graph.blob(b"lost", absent=True),
            b"gone": graph.tree({b"inner": text}, absent=True),
            b"empty": graph.tree({}),
            b"caf\xe9\\": graph.tree({b"\n": text}),
        }
    )
    table = listing(graph, [root])
    assert brief(table) == {
        "/a.py": None,
        "/caf\\xe9\\\\/\n": None,
        "/gone": "source:unreadable",
        "/large": "source:skipped",
        "/link": "source:symlink",
        "/lost": "source:unreadable",
        "/run": None,
        "/sub": "source:submodule",
    }
    rows = {row["path"]: row for row in table.to_pylist()}
    plain = rows["/a.py"]
    assert plain["content_id"].hex() == git_id("blob", b"hello\n")
    assert plain["blob_id"] == hashlib.sha1(b"hello\n").digest()
    assert (plain["length"], plain["mode"], plain["root"]) == (6, FILE, root.id)
    assert (plain["container"], plain["locator"], plain["path_bytes"]) == ("graph", None, None)
    assert rows["/run"]["mode"] == 0o100755 and rows["/link"]["mode"] == SYMLINK
    assert rows["/link"]["content_id"].hex() == target.id
    assert rows["/sub"]["content_id"] is None and older.id in rows["/sub"]["note"]
    assert rows["/large"]["note"] == "Content too large" and rows["/large"]["length"] == 5
    assert rows["/lost"]["note"] == "content not in the export"
    assert rows["/lost"]["length"] is None and rows["/lost"]["blob_id"] is None
    assert "not in the export" in rows["/gone"]["note"]
    assert rows["/caf\\xe9\\\\/\n"]["path_bytes"] == b"/caf\xe9\\/\n"


@pytest.mark.parametrize("form", ["orc", "parquet"])
def test_two_roots_share_a_directory(form: str) -> None:
    graph = Graph()
    shared = graph.tree({b"x": graph.blob(b"x"), b"y": graph.blob(b"y")})
    one = graph.tree({b"a": shared, b"b": shared})
    two = graph.tree({b"deep": one})
    table = listing(graph, [two, one, shared, one], form=form)
    found: dict[str, list[str]] = {}
    for row in table.to_pylist():
        found.setdefault(row["root"], []).append(row["path"])
    assert found == {
        shared.id: ["/x", "/y"],
        one.id: ["/a/x", "/a/y", "/b/x", "/b/y"],
        two.id: ["/deep/a/x", "/deep/a/y", "/deep/b/x", "/deep/b/y"],
    }
    assert list(found) == sorted(found)


def test_names_that_no_file_system_takes_are_unsafe_and_not_entered() -> None:
    graph = Graph()
    text = graph.blob(b"x")
    inner = graph.tree({b"x": text})
    root = graph.tree(
        {b"..": inner, b".": text, b"a/b": text, b"": text, b"n\0l": text, b"ok": text}
    )
    table = listing(graph, [root])
    assert sorted(table["verdict"].to_pylist(), key=str) == [None, *["source:unsafe_path"] * 5]
    assert brief(table)["/.."] == "source:unsafe_path" and brief(table)["/ok"] is None


def test_a_name_held_twice_is_listed_once_and_the_other_is_unsafe() -> None:
    graph = Graph()
    one, two = graph.blob(b"1"), graph.blob(b"2")
    root = graph.tree({b"a": one})
    entries = graph.rows["directory_entry"]
    entries.append(entries[0])  # an exact copy of a row is no second entry
    assert listing(graph, [root])["path"].to_pylist() == ["/a"]
    entries.append((root.id, b"a", "file", two.id, FILE))
    found = listing(graph, [root]).to_pylist()
    assert [row["verdict"] for row in found] == [None, "source:unsafe_path"]
    assert found[0]["content_id"].hex() == min(one.id, two.id)


def test_odd_permissions_and_types() -> None:
    graph = Graph()
    text = graph.blob(b"x")
    root = graph.tree({b"a": text})
    odd = [
        (b"bare", "file", 0o644),
        (b"none", "file", None),
        (b"group", "file", 0o100664),
        (b"device", "file", 0o020644),
        (b"other", "what", 0o100644),
        (b"huge", "file", -1),
    ]
    for name, kind, perms in odd:
        graph.rows["directory_entry"].append((root.id, name, kind, text.id, perms))
    graph.rows["directory_entry"].append((root.id, b"idless", "file", "nohex", FILE))
    graph.rows["directory_entry"].append((root.id, b"dirless", "dir", None, DIRECTORY))
    table = listing(graph, [root])
    assert brief(table) == {
        "/a": None,
        "/bare": None,
        "/device": "source:special",
        "/dirless": "source:unreadable",
        "/group": None,
        "/huge": "source:special",
        "/idless": "source:unreadable",
        "/none": None,
        "/other": "source:special",
    }
    modes = {row["path"]: row["mode"] for row in table.to_pylist()}
    assert (modes["/bare"], modes["/none"], modes["/group"]) == (0o644, FILE, 0o100664)


def test_contents_hidden_by_the_archive_stay_hidden() -> None:
    graph = Graph()
    root = graph.tree({b"a": graph.blob(b"secret")})
    row = graph.rows["content"][0]
    graph.rows["content"] = [row, (*row[:5], "hidden", None)]
    found = listing(graph, [root]).to_pylist()
    assert [(r["verdict"], r["blob_id"]) for r in found] == [("source:skipped", None)]


def test_a_missing_root_is_one_row() -> None:
    graph = Graph()
    gone = graph.tree({b"a": graph.blob(b"x")}, absent=True)
    found = listing(graph, [gone, Node("directory", EMPTY_TREE)]).to_pylist()
    assert [(r["path"], r["verdict"]) for r in found] == [("/", "source:unreadable")]


def test_a_dozen_objects_that_claim_ten_billion_files_are_one_row() -> None:
    graph = Graph()
    node = graph.tree({b"%d" % n: graph.blob(b"x") for n in range(10)})
    for _ in range(9):
        node = graph.tree({b"%d" % n: node for n in range(10)})
    small = graph.tree({b"a": graph.blob(b"x")})
    found = listing(graph, [node, small]).to_pylist()
    rows = {row["root"]: row for row in found}
    assert len(found) == 2 and rows[small.id]["verdict"] is None
    large = rows[node.id]
    assert (large["path"], large["verdict"]) == ("/", "source:too_many_files")
    assert large["note"].startswith("10000000000 files in 1111111110 directories")
    assert large["length"] is None and large["content_id"] is None


def test_a_tower_of_empty_directories_is_too_large_too() -> None:
    graph = Graph()
    node = graph.tree({b"x": graph.tree({})})
    for _ in range(60):  # far beyond what 128 bits could count
        node = graph.tree({b"%d" % n: node for n in range(10)})
    found = listing(graph, [node]).to_pylist()
    assert [row["verdict"] for row in found] == ["source:too_many_files"]


def test_the_limit_of_files_is_inclusive() -> None:
    graph = Graph()
    text = graph.blob(b"x")
    three = graph.tree({b"%d" % n: text for n in range(3)})
    four = graph.tree({b"%d" % n: text for n in range(4)})
    table = listing(graph, [three, four], max_files=3)
    counts = {root: table["root"].to_pylist().count(root) for root in (three.id, four.id)}
    assert counts == {three.id: 3, four.id: 1}


def test_very_long_paths_count_too() -> None:
    graph = Graph()
    node = graph.tree({b"%d" % n: graph.blob(b"x") for n in range(9)})
    for _ in range(6):
        node = graph.tree({b"n" * 4000: node})
    assert listing(graph, [node], max_files=9)["verdict"].to_pylist() == ["source:too_many_files"]
    assert listing(graph, [node]).num_rows == 9


def test_a_cycle_in_corrupt_tables_ends_and_is_one_row() -> None:
    graph = Graph()
    text = graph.blob(b"x")
    one, two = graph.tree({b"a": text}), graph.tree({b"b": text})
    good = graph.tree({b"c": text, b"d": text})
    graph.rows["directory_entry"] += [
        (one.id, b"two", "dir", two.id, DIRECTORY),
        (two.id, b"one", "dir", one.id, DIRECTORY),
    ]
    above = graph.tree({b"down": one})
    found = listing(graph, [above, good, one], max_depth=40)
    assert brief(found.filter(pa.compute.equal(found["root"], good.id))) == {"/c": None, "/d": None}
    for root in (above.id, one.id):
        rows = found.filter(pa.compute.equal(found["root"], root)).to_pylist()
        assert [(r["path"], r["verdict"]) for r in rows] == [("/", "source:unreadable")]
        assert "cycle" in rows[0]["note"]


@pytest.mark.parametrize(("levels", "good"), [(7, True), (8, True), (9, False)])
def test_the_limit_of_depth(levels: int, good: bool) -> None:
    graph = Graph()
    node = graph.tree({b"a": graph.blob(b"x")})
    for _ in range(levels - 1):
        node = graph.tree({b"d": node})
    found = listing(graph, [node], max_depth=8).to_pylist()
    assert [row["path"] for row in found] == ["/d" * (levels - 1) + "/a" if good else "/"]


@pytest.mark.parametrize("form", ["orc", "parquet"])
def test_a_truncated_file_of_entries_costs_only_its_directories(tmp_path: Path, form: str) -> None:
    graph = Graph()
    text = graph.blob(b"x")
    one = graph.tree({b"a": text})
    rows, graph.rows["directory_entry"] = graph.rows["directory_entry"], []
    root = graph.tree({b"one": one, b"b": text})
    graph.write(tmp_path / "graph", form=form)
    cut = tmp_path / "graph" / "directory_entry" / f"cut.{form}"
    write_table(cut, "directory_entry", rows)
    cut.write_bytes(cut.read_bytes()[:-9])
    table = list_folder(tmp_path, [root.id])
    assert brief(table) == {"/b": None, "/one": "source:unreadable"}
    assert table["note"][1].as_py().endswith("a part of whose files was set aside")
    assert brief(list_folder(tmp_path, [one.id])) == {"/": "source:unreadable"}


# The plain twin: unfold one root by recursion, straight from the rows of the tables.


def unfolded(graph: Graph, root: str) -> list[tuple[bytes, str | None]]:
    entries: dict[str, list[tuple]] = {}
    for row in graph.rows["directory_entry"]:
        entries.setdefault(row[0], []).append(row)
    present = {row[0] for row in graph.rows["directory"]} | {EMPTY_TREE}
    contents = {row[1] for row in graph.rows["content"]}

    def below(one: str, path: bytes) -> list[tuple[bytes, str | None]]:
        found: list[tuple[bytes, str | None]] = []
        for _, name, kind, target, perms in entries.get(one, []):
            here = path + b"/" + name
            if kind == "dir":
                if target in present:
                    found += below(target, here)
                else:
                    found.append((here, "source:unreadable"))
            elif kind == "rev":
                found.append((here, "source:submodule"))
            elif perms == SYMLINK:
                found.append((here, "source:symlink"))
            else:
                found.append((here, None if target in contents else "source:unreadable"))
        return found

    return sorted(below(root, b"")) if root in present else [(b"/", "source:unreadable")]


NAMES = st.binary(min_size=1, max_size=3).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, list[Node]]:
    graph, nodes = Graph(), []
    for _ in range(draw(st.integers(1, 7))):
        entries: dict[bytes, Node] = {}
        for name in draw(st.sets(NAMES, max_size=5)):
            kind = draw(st.integers(0, 5))
            blob = graph.blob(b"%d" % draw(st.integers(0, 5)), absent=kind == 0)
            if kind == 1:
                entries[name] = graph.revision(Node("directory", EMPTY_TREE))
            elif kind == 2:
                entries[name] = symlink(blob)
            elif kind >= 4 and nodes:
                entries[name] = draw(st.sampled_from(nodes))
            else:
                entries[name] = blob
        nodes.append(graph.tree(entries, absent=draw(st.integers(0, 9)) == 0))
    return graph, draw(st.lists(st.sampled_from(nodes), min_size=1))


@settings(max_examples=15, deadline=None)
@given(graphs(), st.sampled_from(["orc", "parquet"]))
def test_any_graph_unfolds_as_the_plain_twin_does(
    drawn: tuple[Graph, list[Node]], form: str
) -> None:
    graph, roots = drawn
    expected = [
        (root, escape_name(path)[0], escape_name(path)[1], verdict)
        for root in sorted({node.id for node in roots})
        for path, verdict in unfolded(graph, root)
    ]
    table = listing(graph, roots, form=form).select(["root", "path", "path_bytes", "verdict"])
    assert [tuple(row.values()) for row in table.to_pylist()] == expected


def test_many_files_come_in_sorted_batches_in_little_time(tmp_path: Path) -> None:
    graph, per, count = Graph(), 50, 3_000
    ids = [hashlib.sha1(b"%d" % n).hexdigest() for n in range(per * count)]
    folders = [hashlib.sha1(b"d%d" % n).hexdigest() for n in range(count)]
    rows = graph.rows
    rows["directory_entry"] = [
        (folders[n // per], b"%d.py" % n, "file", one, FILE) for n, one in enumerate(ids)
    ]
    rows["content"] = [(one[::-1], one, one, one, 7, "visible", None) for one in ids]
    root = graph.tree({b"d%d" % n: Node("directory", one) for n, one in enumerate(folders)})
    graph.write(tmp_path / "graph")
    table = list_folder(tmp_path, [root.id])
    assert table.num_rows == per * count and set(table["verdict"].to_pylist()) == {None}
    paths = table["path"].to_pylist()
    assert paths == sorted(paths) and paths[0] == "/d0/0.py"


def test_a_column_of_the_wrong_type_sets_the_file_aside(tmp_path: Path) -> None:
    graph = Graph()
    root = graph.tree({b"a": graph.blob(b"x")})
    graph.write(tmp_path / "graph", form="parquet")
    entries = graph.rows["directory_entry"]
    columns = dict(
        zip([n for n, _ in SCHEMAS["directory_entry"]], zip(*entries, strict=True), strict=True)
    )
    columns["perms"] = ["rw-"]
    pa.parquet.write_table(pa.table(columns), tmp_path / "graph" / "directory_entry" / "b.parquet")
    assert brief(list_folder(tmp_path, [root.id])) == {"/a": None}
