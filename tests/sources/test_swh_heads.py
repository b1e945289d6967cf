from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.schema import HEAD, REVISION
from stackcurate.sources.base import Heads
from stackcurate.sources.swh_graph import SwhGraph
from tests.sources.swh_tables import Graph, Node, alias, person, write_table

URL = "https://github.com/Owner/Name"


def heads(graph: Graph, form: str = "orc", **options: Any) -> Heads:
    with tempfile.TemporaryDirectory() as folder:
        graph.write(Path(folder) / "graph", form=form)
        return heads_of(Path(folder), **options)


def heads_of(folder: Path, **options: Any) -> Heads:
    source = SwhGraph(folder / "graph", **options)
    (container,) = source.containers()
    found = source.heads(container, Path(tempfile.mkdtemp(dir=folder)))
    assert found.heads.schema == HEAD and found.revisions.schema == REVISION
    return found


def reasons(found: Heads) -> dict[str, str]:
    return {problem.where: problem.reason for problem in found.problems}


def some(graph: Graph, text: bytes = b"x") -> Node:
    return graph.revision(graph.tree({b"a": graph.blob(text)}), message=text)


@pytest.mark.parametrize("form", ["orc", "parquet"])
def test_a_head_and_its_revision_in_full(form: str) -> None:
    graph = Graph()
    parents = (some(graph, b"2"), some(graph, b"1"))
    root = graph.tree({b"a": graph.blob(b"x")})
    head = graph.revision(root, parents=parents, offset=-210, author="N", message=b"m")
    snapshot = graph.snapshot({b"HEAD": alias(b"refs/heads/\xff"), b"refs/heads/\xff": head})
    graph.visit(URL, snapshot, visit=7, date=(1_600_000_000, 123_456_000))
    found = heads(graph, form)
    assert found.problems == []
    (row,) = found.heads.to_pylist()
    date = row.pop("visit_date")
    assert (date.value, row.pop("revision_date").value) == (1_600_000_000_123_456_000, 15 * 10**17)
    assert row.pop("committer_date").value == 15 * 10**17
    assert {name: value for name, value in row.items() if value is not None} == {
        "root": root.id,
        "origin": URL,
        "visit_type": "git",
        "repo_name": "Owner/Name",
        "visit": 7,
        "snapshot_id": snapshot,
        "branch_name": "refs/heads/\\xff",
        "revision_id": head.id,
        "directory_id": root.id,
        "container": "graph",
    }
    assert found.revisions.to_pylist() == [
        {
            "revision_id": head.id,
            "directory_id": root.id,
            "parents": [parent.id for parent in parents],
            "author": hashlib.sha256(b"N").hexdigest(),
            "committer": hashlib.sha256(b"N").hexdigest(),
            "date_seconds": 1_500_000_000,
            "date_offset_minutes": -210,
            "committer_date_seconds": 1_500_000_000,
            "committer_date_offset_minutes": -210,
        }
    ]


@pytest.mark.parametrize("form", ["orc", "parquet"])
@pytest.mark.parametrize("seconds", [10**13, -(10**12), 9_223_372_036, -9_223_372_036])
def test_dates_out_of_range_are_null_in_heads_and_whole_in_revisions(
    form: str, seconds: int
) -> None:
    graph = Graph()
    wild = graph.revision(graph.tree({}), date=(seconds, 0))
    graph.visit(URL, graph.snapshot({b"HEAD": wild}))
    dateless = graph.revision(graph.tree({}), date=None)
    graph.visit(URL + "2", graph.snapshot({b"HEAD": dateless}))
    found = heads(graph, form)
    assert found.heads["revision_date"].to_pylist() == [None, None]
    revisions = found.revisions.to_pylist()
    dates = {row["revision_id"]: row["date_seconds"] for row in revisions}
    assert dates == {wild.id: seconds, dateless.id: None}


def test_a_fraction_of_a_second_never_depends_on_the_dates_beside_it() -> None:
    found = []
    for seconds in (0, 10**12):  # the second makes pyarrow refuse the whole stripe
        graph = Graph()
        head = graph.revision(graph.tree({}), date=(1_400_000_000, 250_000_000))
        graph.visit(URL, graph.snapshot({b"HEAD": head}))
        graph.revision(graph.tree({}), date=(seconds, 0))
        (row,) = heads(graph).heads.to_pylist()
        found.append(row["revision_date"].value)
    assert found == [14 * 10**17, 14 * 10**17]


def test_persons_in_the_open_never_get_out() -> None:
    graph = Graph()
    graph.visit(URL, graph.snapshot({b"HEAD": graph.revision(graph.tree({}))}))
    row = list(graph.rows["revision"][0])
    row[2], row[6] = b"Jane Doe <jane@example.org>", None
    graph.rows["revision"] = [tuple(row)]
    found = heads(graph).revisions.to_pylist()[0]
    assert found["author"] == person("Jane Doe <jane@example.org>").hex()
    assert found["committer"] is None


# Which visit


def visited(*visits: dict[str, Any]) -> tuple[Graph, list[Node]]:
    graph, nodes = Graph(), []
    for number, visit in enumerate(visits):
        nodes.append(some(graph, b"%d" % number))
        graph.visit(URL, graph.snapshot({b"HEAD": nodes[-1]}), visit=number + 1, **visit)
    return graph, nodes


def day(number: int, nanos: int = 0) -> tuple[int, int]:
    return (number * 86_400, nanos)


@pytest.mark.parametrize(
    ("visits", "options", "chosen"),
    [
        ([{"date": day(1)}, {"date": day(2)}], {}, 1),
        ([{"date": day(2)}, {"date": day(1)}], {}, 0),  # by date, not by number
        ([{"date": day(1)}, {"date": day(1)}], {}, 1),  # then by number
        ([{"date": day(1, 2000)}, {"date": day(1, 1000)}], {}, 0),  # to the nanosecond
        ([{"date": day(1)}, {"date": day(2), "status": "partial"}], {}, 0),
        ([{"date": day(1)}, {"date": day(2)}], {"as_of": "1970-01-02"}, 0),
        ([{"date": day(1)}, {"date": day(2)}], {"as_of": "1970-01-03T00:00:00Z"}, 1),
        ([{"date": day(1)}, {"date": day(2)}], {"as_of": "1970-01-01"}, None),
        ([{"date": day(1)}, {"date": day(2), "kind": "hg"}], {"visit_types": ("git",)}, 0),
        ([{"date": day(1)}, {"date": day(2), "kind": "hg"}], {"visit_types": ("hg", "svn")}, 1),
    ],
)
@pytest.mark.parametrize("form", ["orc", "parquet"])
def test_the_newest_full_visit_counts(
    visits: list[dict[str, Any]], options: dict[str, Any], chosen: int | None, form: str
) -> None:
    graph, nodes = visited(*visits)
    found = heads(graph, form, **options)
    expected = [] if chosen is None else [nodes[chosen].id]
    assert found.heads["revision_id"].to_pylist() == expected
    assert reasons(found) == ({URL: "no_full_visit"} if chosen is None else {})


def test_every_visit_type_is_taken_and_other_types_are_no_problems() -> None:
    graph = Graph()
    for kind in ("git", "hg", "svn", "pypi"):
        graph.visit(
            f"https://{kind}.example.org/p", graph.snapshot({b"HEAD": some(graph)}), kind=kind
        )
    assert sorted(heads(graph).heads["visit_type"].to_pylist()) == ["git", "hg", "pypi", "svn"]
    found = heads(graph, visit_types=("svn",))
    assert found.heads["origin"].to_pylist() == ["https://svn.example.org/p"]
    assert found.problems == []


def test_older_exports_name_origins_by_id_and_lack_the_type_of_a_status(tmp_path: Path) -> None:
    graph = Graph()
    graph.visit(URL, graph.snapshot({b"HEAD": some(graph)}))
    one = hashlib.sha1(URL.encode()).hexdigest()
    for name in ("origin_visit", "origin_visit_status"):
        graph.rows[name] = [(one, *row[1:]) for row in graph.rows[name]]
    graph.write(tmp_path / "graph", form="parquet")
    (status,) = (tmp_path / "graph" / "origin_visit_status").iterdir()
    pq.write_table(pq.read_table(status).drop_columns(["type"]), status)
    (row,) = heads_of(tmp_path).heads.to_pylist()
    assert (row["origin"], row["visit_type"]) == (URL, "git")


# Which branch


def at(graph: Graph, branches: dict[bytes, Node], **options: Any) -> str | None:
    """The branch that is taken of a snapshot, or the reason why none is."""
    graph.visit(URL, graph.snapshot(branches))
    found = heads(graph, **options)
    return (found.heads["branch_name"].to_pylist() or [reasons(found)[URL]])[0]


@pytest.mark.parametrize(
    ("names", "branch"),
    [
        ([b"HEAD", b"refs/heads/main"], "HEAD"),
        ([b"refs/heads/master", b"refs/heads/main", b"refs/heads/z"], "refs/heads/main"),
        ([b"refs/heads/master", b"refs/heads/a"], "refs/heads/master"),
        ([b"refs/heads/a"], "no_branch"),
        ([], "no_branch"),
    ],
)
def test_the_order_of_branches(names: list[bytes], branch: str) -> None:
    graph = Graph()
    assert at(graph, {name: some(graph) for name in names}) == branch


@pytest.mark.parametrize("plain", [False, True])
def test_aliases_are_followed_in_hex_and_plain(plain: bool) -> None:
    graph = Graph()
    branches = {
        b"HEAD": alias(b"one", plain),
        b"one": alias(b"two", plain),
        b"two": alias(b"refs/heads/x", plain),
        b"refs/heads/x": some(graph),
        b"refs/heads/main": some(graph),
    }
    assert at(graph, branches) == "refs/heads/x"


def test_a_dangling_alias_falls_through() -> None:
    graph = Graph()
    branches = {b"HEAD": alias(b"refs/heads/none"), b"refs/heads/master": some(graph)}
    assert at(graph, branches) == "refs/heads/master"
    assert at(Graph(), {b"HEAD": alias(b"refs/heads/none")}) == "no_branch"


def test_a_loop_of_aliases_ends() -> None:
    loop = {b"HEAD": alias(b"a"), b"a": alias(b"b"), b"b": alias(b"a")}
    assert at(Graph(), loop) == "alias_loop"
    graph = Graph()
    assert at(graph, {**loop, b"refs/heads/main": some(graph)}) == "refs/heads/main"


def test_a_known_default_branch_comes_before_main(tmp_path: Path) -> None:
    facts = tmp_path / "facts.parquet"
    pq.write_table(pa.table({"full_name": ["owner/name"], "default_branch": ["dev"]}), facts)
    graph = Graph()
    branches = {b"refs/heads/dev": some(graph), b"refs/heads/main": some(graph)}
    assert at(graph, branches, repositories=facts) == "refs/heads/dev"
    assert at(graph, {b"HEAD": some(graph), **branches}, repositories=facts) == "HEAD"


# What the branch leads to


def test_releases_directories_and_nested_releases_are_followed() -> None:
    graph = Graph()
    one = some(graph)
    root = graph.tree({b"b": graph.blob(b"y")})
    targets = [
        graph.release(graph.release(graph.release(one, b"1"), b"2"), b"3"),
        root,
        graph.release(root),
    ]
    for number, target in enumerate(targets):
        graph.visit(f"{URL}{number}", graph.snapshot({b"HEAD": target}))
    found = heads(graph).heads
    assert found["revision_id"].to_pylist() == [one.id, None, None]
    assert found["directory_id"].to_pylist()[1:] == [root.id, root.id]


def test_each_dead_end_has_its_reason() -> None:
    graph = Graph()
    lost = graph.tree({b"lost": graph.blob(b"z")}, absent=True)
    root = graph.tree({})
    ends = {
        "missing_release": graph.release(root, absent=True),
        "missing_revision": graph.revision(root, message=b"lost", absent=True),
        "missing_directory": graph.revision(lost),
        "not_source": graph.blob(b"x"),
    }
    for reason, node in ends.items():
        graph.visit(f"https://example.org/{reason}", graph.snapshot({b"HEAD": node}))
    graph.visit("https://example.org/no_full_visit", None, status="failed")
    graph.visit("https://example.org/no_snapshot", None)
    graph.visit("https://example.org/good", graph.snapshot({b"HEAD": graph.revision(root)}))
    graph.rows["origin"].append(("0" * 40, "https://example.org/no_full_visit/2"))
    graph.visit("https://example.org/no_snapshot/2", "1" * 40)
    found = heads(graph)
    assert found.heads["origin"].to_pylist() == ["https://example.org/good"]
    for origin, reason in reasons(found).items():
        assert origin.split("/")[3] == reason
    assert len(found.problems) == 8


def test_every_origin_of_a_shared_revision_has_its_row() -> None:
    graph = Graph()
    one = some(graph)
    names = ["https://b.example.org/x", "https://a.example.org/y", "http://[bad", "svn+ssh://h"]
    for name in names:
        graph.visit(name, graph.snapshot({b"HEAD": one, b"refs/heads/z": one}))
    found = heads(graph)
    assert found.heads["origin"].to_pylist() == sorted(names)
    assert found.revisions.num_rows == 1
    assert found.heads["repo_name"].to_pylist() == ["http://[bad", "y", "x", "svn+ssh://h"]


def test_rows_told_twice_change_nothing() -> None:
    graph = Graph()
    parent = some(graph, b"p")
    head = graph.revision(graph.tree({}), parents=(parent,))
    graph.visit(URL, graph.snapshot({b"HEAD": alias(b"m"), b"m": graph.release(head)}))
    once = heads(graph)
    for rows in graph.rows.values():
        rows.extend(list(rows))
    twice = heads(graph)
    assert twice.heads == once.heads and twice.revisions == once.revisions


# Hypothesis: the choice of visits against a plain loop


VISITS = st.tuples(
    st.sampled_from(["a", "b", "c"]),  # origin
    st.integers(0, 3),  # day
    st.sampled_from(["full", "full", "partial", "failed"]),
    st.sampled_from(["git", "hg"]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(VISITS, max_size=8), st.none() | st.integers(0, 3), st.booleans())
def test_visits_are_chosen_as_a_plain_loop_does(
    visits: list[tuple[str, int, str, str]], until: int | None, only_git: bool
) -> None:
    graph = Graph()
    best: dict[str, tuple[int, int, str]] = {}
    for number, (origin, when, status, kind) in enumerate(visits):
        node = some(graph, b"%d" % number)
        graph.visit(
            origin,
            graph.snapshot({b"HEAD": node}),
            visit=number,
            date=day(when),
            status=status,
            kind=kind,
        )
        late = until is not None and when > until
        if status == "full" and not late and (kind == "git" or not only_git):
            best[origin] = max(best.get(origin, (-1, -1, "")), (when, number, node.id))
    options: dict[str, Any] = {"visit_types": ("git",)} if only_git else {}
    if until is not None:
        options["as_of"] = f"1970-01-0{until + 1}"
    found = heads(graph, "parquet", **options)
    pairs = {row["origin"]: row["revision_id"] for row in found.heads.to_pylist()}
    assert pairs == {origin: one for origin, (_, _, one) in best.items()}
    asked = {v[0] for v in visits if not only_git or v[3] == "git"}
    assert set(reasons(found)) == asked - set(best)


def test_a_truncated_table_file_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    graph = Graph()
    graph.visit(URL, graph.snapshot({b"HEAD": some(graph, b"1")}))
    graph.write(tmp_path / "graph")
    for table in ("revision", "content", "directory_entry", "origin"):
        bad = tmp_path / "graph" / table / "cut.orc"
        write_table(bad, table, graph.rows[table])
        bad.write_bytes(bad.read_bytes()[:-20])
    (tmp_path / "graph" / "release" / "empty.orc").write_bytes(b"")
    found = heads_of(tmp_path)
    assert found.heads.num_rows == 1
    told = {problem.where: problem.reason for problem in found.problems}
    assert told == {
        "content/cut.orc": "corrupt",
        "directory_entry/cut.orc": "corrupt",
        "origin/cut.orc": "corrupt",
        "release/empty.orc": "corrupt",
        "revision/cut.orc": "corrupt",
    }


@pytest.mark.parametrize("form", ["orc", "parquet"])
def test_first_revisions_along_first_parents(form: str) -> None:
    """A long line, a merged-in stranger, a fork, and a history of which the export lacks a part."""
    graph = Graph()
    stranger = some(graph, b"stranger")
    founder = tip = fork = some(graph, b"founder")
    for number in range(70):
        parents = (tip, stranger) if number == 40 else (tip,)
        tip = graph.revision(founder_tree(graph, number), parents=parents, message=b"%d" % number)
        fork = tip if number <= 20 else fork
    fork = graph.revision(founder_tree(graph, 99), parents=(fork,), message=b"fork")
    lost = graph.revision(founder_tree(graph, 1), message=b"lost", absent=True)
    torn = graph.revision(founder_tree(graph, 2), parents=(lost,), message=b"torn")
    for name, head in {"long": tip, "fork": fork, "one": stranger, "torn": torn}.items():
        graph.visit(f"{URL}-{name}", graph.snapshot({b"HEAD": head}))
    found = heads(graph, form, ancestry=True).heads
    first = {
        origin.rpartition("-")[2]: one
        for origin, one in zip(
            found["origin"].to_pylist(), found["first_revision"].to_pylist(), strict=True
        )
    }
    assert first == {"long": founder.id, "fork": founder.id, "one": stranger.id, "torn": None}
    assert set(heads(graph, form).heads["first_revision"].to_pylist()) == {None}


def founder_tree(graph: Graph, number: int) -> Node:
    return graph.tree({b"a": graph.blob(b"%d" % number)})
