from __future__ import annotations

import pickle
import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.contents import open_store
from stackcurate.errors import ConfigError
from stackcurate.sources.base import Problem
from stackcurate.sources.swh_graph import SwhGraph
from tests.sources.swh_tables import DIRECTORY, Graph, Node, alias, executable, git_id, symlink


def small() -> Graph:
    graph = Graph()
    root = graph.tree({b"a": graph.blob(b"aaa"), b"b": graph.blob(b"b" * 50)})
    head = graph.revision(root)
    branches = {b"HEAD": alias(b"refs/heads/main"), b"refs/heads/main": head}
    graph.visit("https://example.org/o/n", graph.snapshot(branches))
    return graph


def scratch(folder: Path) -> Path:
    one = folder / f"scratch{len(list(folder.glob('scratch*')))}"
    one.mkdir()
    return one


def listed(source: SwhGraph, folder: Path) -> pa.Table:
    (container,) = source.containers()
    roots = source.heads(container, scratch(folder)).heads["root"].to_pylist()
    return pa.Table.from_batches(source.files(container, roots, scratch(folder)))


def test_from_tables_to_bytes(tmp_path: Path) -> None:
    small().write(tmp_path / "graph", tmp_path / "contents")
    source = SwhGraph(tmp_path / "graph", open_store(tmp_path / "contents"))
    source = pickle.loads(pickle.dumps(source))
    wanted = listed(source, tmp_path)
    assert dict(source.read(source.containers()[0], wanted, 100)) == {0: b"aaa", 1: b"b" * 50}


def test_what_the_store_cannot_give_is_a_problem(tmp_path: Path) -> None:
    graph = small()
    graph.write(tmp_path / "graph", tmp_path / "contents")
    source = SwhGraph(tmp_path / "graph", open_store(tmp_path / "contents"))
    wanted = listed(source, tmp_path)
    idless = wanted.slice(0, 1).set_column(4, "blob_id", pa.nulls(1, pa.binary(20)))
    absent = idless.set_column(4, "blob_id", pa.array([b"\1" * 20], pa.binary(20)))
    wanted = pa.concat_tables([idless, wanted, absent])
    found = dict(source.read(source.containers()[0], wanted, 10))
    assert found[1] == b"aaa"
    faults = {row: found[row] for row in (0, 2, 3)}
    assert all(isinstance(fault, Problem) for fault in faults.values())
    assert [fault.reason for fault in faults.values()] == ["missing", "too_large", "missing"]


def test_reading_without_a_store_says_what_to_set(tmp_path: Path) -> None:
    small().write(tmp_path / "graph")
    source = SwhGraph(tmp_path / "graph")
    with pytest.raises(ConfigError, match="contents"):
        list(source.read(source.containers()[0], listed(source, tmp_path), 10))


@pytest.mark.parametrize("level", ["", "orc", "parquet"])
def test_the_tables_may_lie_one_folder_down(tmp_path: Path, level: str) -> None:
    small().write(tmp_path / "graph" / level)
    assert listed(SwhGraph(tmp_path / "graph"), tmp_path)["path"].to_pylist() == ["/a", "/b"]


def test_wrong_options_are_config_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no graph export"):
        SwhGraph(tmp_path)
    small().write(tmp_path)
    wrong = {"max_files": 0, "max_depth": 0, "as_of": "yesterday", "visit_types": "git"}
    for name, value in wrong.items():
        with pytest.raises(ConfigError, match=name):
            SwhGraph(tmp_path, **{name: value})
    shutil.rmtree(tmp_path / "revision")
    with pytest.raises(ConfigError, match="revision/"):
        SwhGraph(tmp_path)


def test_the_digest_follows_the_tables_and_not_their_place(tmp_path: Path) -> None:
    graph = small()
    graph.write(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two" / "orc")
    graph.blob(b"more")
    graph.write(tmp_path / "three")
    digests, stamps = [], []
    for name in ("one", "two", "three"):
        source = SwhGraph(tmp_path / name)
        (container,) = source.containers()
        assert container.key == "graph" and container.size > 1000
        stamps.append(container.stamp)
        digests.append(source.heads(container, scratch(tmp_path)).digest)
    assert digests[0] == digests[1] != digests[2]
    assert stamps[0] != stamps[2]


def test_both_forms_and_any_cut_into_files_give_the_same_rows(tmp_path: Path) -> None:
    graph = small()
    graph.write(tmp_path / "orc")
    graph.write(tmp_path / "parquet", form="parquet")
    mixed = tmp_path / "mixed"
    shutil.copytree(tmp_path / "orc", mixed)
    shutil.rmtree(mixed / "content")
    for row in graph.rows["content"]:
        part = Graph()
        part.rows["content"] = [row]
        part.write(tmp_path / "part", form="parquet")
        (mixed / "content").mkdir(exist_ok=True)
        shutil.move(
            tmp_path / "part" / "content" / "content-0.parquet",
            mixed / "content" / f"{row[0]}.parquet",
        )
    tables = [listed(SwhGraph(tmp_path / name), tmp_path) for name in ("orc", "parquet", "mixed")]
    assert tables[0] == tables[1] == tables[2]
    assert pc.sum(tables[0]["length"]).as_py() == 53


# Ids are never trusted: what comes out must hash to what went in.

NAMES = st.binary(min_size=1, max_size=4).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)
BLOBS = st.tuples(st.binary(max_size=20), st.sampled_from([Node, executable, symlink]))
TREES = st.recursive(
    st.dictionaries(NAMES, BLOBS, min_size=1, max_size=4),
    lambda inner: st.dictionaries(NAMES, inner | BLOBS, min_size=1, max_size=4),
    max_leaves=8,
)


def planted(graph: Graph, tree: dict) -> Node:  # type: ignore[type-arg]
    entries = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            entries[name] = planted(graph, value)
        else:
            data, how = value
            blob = graph.blob(data)
            entries[name] = blob if how is Node else how(blob)
    return graph.tree(entries)


def root_id(rows: list[tuple[bytes, int, bytes]]) -> str:
    """The id of the directory that holds ``rows`` of (path below it, mode, id)."""
    entries: dict[bytes, tuple[int, bytes]] = {}
    inner: dict[bytes, list[tuple[bytes, int, bytes]]] = {}
    for path, mode, one in rows:
        name, slash, rest = path.partition(b"/")
        if slash:
            inner.setdefault(name, []).append((rest, mode, one))
        else:
            entries[name] = (mode, one)
    for name, below in inner.items():
        entries[name] = (DIRECTORY, bytes.fromhex(root_id(below)))
    order = sorted(entries, key=lambda name: name + b"/" * (entries[name][0] == DIRECTORY))
    return git_id("tree", b"".join(b"%o %s\0%s" % (entries[n][0], n, entries[n][1]) for n in order))


@settings(max_examples=15, deadline=None)
@given(TREES, st.sampled_from(["orc", "parquet"]))
def test_ids_can_be_computed_again_from_what_is_listed_and_read(tree: dict, form: str) -> None:  # type: ignore[type-arg]
    graph = Graph()
    root = planted(graph, tree)
    graph.visit("https://example.org/o/n", graph.snapshot({b"HEAD": graph.revision(root)}))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph.write(folder / "graph", folder / "contents", form)
        source = SwhGraph(folder / "graph", open_store(folder / "contents"))
        table = listed(source, folder)
        bytes_of = dict(source.read(source.containers()[0], table, 100))
    rows = table.to_pylist()
    assert [git_id("blob", bytes_of[at]) for at in range(len(rows))] == [
        row["content_id"].hex() for row in rows
    ]
    paths = [row["path_bytes"] or row["path"].encode() for row in rows]
    assert root.id == root_id(
        [(path[1:], row["mode"], row["content_id"]) for path, row in zip(paths, rows, strict=True)]
    )
