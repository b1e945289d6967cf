"""The Parquet source: three forms, known names, damage by row group, ids never taken on trust."""

from __future__ import annotations

import gzip
import hashlib
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate.contents import open_store
from stackcurate.errors import ConfigError, InputError
from stackcurate.schema import FILE, HEAD, LISTING, conform
from stackcurate.sources.base import Problem
from stackcurate.sources.ids import content_id
from stackcurate.sources.parquet import Parquet


def write(place: Path, table: pa.Table | dict, **options) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), place, **options)
    return place


class Read:
    """All that the source says about all files below a path."""

    def __init__(self, source: Parquet, tmp_path: Path) -> None:
        self.source = source
        self.containers = source.containers()
        self.answers = [source.heads(one, tmp_path) for one in self.containers]
        self.heads = pa.concat_tables([one.heads for one in self.answers])
        assert self.heads.schema == HEAD
        self.problems = [problem for one in self.answers for problem in one.problems]
        tables = []
        for one, answer in zip(self.containers, self.answers, strict=True):
            roots = sorted(set(answer.heads["root"].to_pylist()))
            batches = list(source.files(one, roots, tmp_path)) if roots else []
            assert all(batch.schema == LISTING for batch in batches)
            assert all(batch.num_rows <= 65_536 for batch in batches)
            tables.append(pa.Table.from_batches(batches, LISTING))
        self.tables = tables
        self.files = pa.concat_tables(tables)
        self.rows = self.files.to_pylist()

    def contents(self, limit: int = 1 << 24, check: bool = True) -> list[object]:
        found: list[object] = []
        for one, table in zip(self.containers, self.tables, strict=True):
            wanted = table.filter(pa.compute.is_null(table["verdict"]))
            got = dict(self.source.read(one, wanted, limit)) if len(wanted) else {}
            assert sorted(got) == list(range(len(wanted)))
            for at, row in enumerate(wanted.to_pylist()):
                if check and isinstance(got[at], (bytes, memoryview)):
                    assert content_id(got[at]) == row["content_id"]
                    assert row["length"] == len(got[at])
                found.append(got[at])
        return found


PLAIN = {
    "repo_name": ["a/one", "a/one", "b/two"],
    "path": ["x.py", "/src/y.py", "z.py"],
    "content": ["x\n", "ÿ = 1\n", ""],
}


def test_content_column(tmp_path):
    write(tmp_path / "d" / "one.parquet", PLAIN)
    read = Read(Parquet(path=tmp_path / "d"), tmp_path)
    assert read.heads["origin"].to_pylist() == ["parquet:a/one", "parquet:b/two"]
    assert read.heads["repo_name"].to_pylist() == ["a/one", "b/two"]
    assert read.heads["root"].to_pylist() == ["origin:parquet:a/one", "origin:parquet:b/two"]
    assert read.files["path"].to_pylist() == ["/x.py", "/src/y.py", "/z.py"]
    assert read.files["blob_id"].null_count == 3
    assert set(read.files["mode"].to_pylist()) == {0o100644}
    assert read.contents() == [b"x\n", "ÿ = 1\n".encode(), b""]
    assert pickle.loads(pickle.dumps(read.source)) == read.source


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.binary(),
        pa.large_binary(),
        pa.string_view(),
        pa.binary_view(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.dictionary(pa.int8(), pa.large_binary()),
        pa.binary(4),
    ],
)
def test_every_kind_of_text(tmp_path, kind):
    values = ["abcd", "efgh", None, "ijkl"]
    column = pa.array(values, pa.binary(4) if kind == pa.binary(4) else pa.string()).cast(
        kind if not pa.types.is_dictionary(kind) else kind.value_type
    )
    if pa.types.is_dictionary(kind):
        column = column.dictionary_encode().cast(kind)
    table = pa.table({"repo_name": ["r"] * 4, "path": list("abcd"), "content": column})
    write(tmp_path / "k.parquet", table)
    read = Read(Parquet(path=tmp_path / "k.parquet"), tmp_path)
    assert read.contents() == [b"abcd", b"efgh", b"ijkl"]
    assert read.files["verdict"].to_pylist() == [None, None, "source:unreadable", None]


def test_paths_and_repositories_of_odd_kinds(tmp_path):
    table = pa.table(
        {
            "repo_name": pa.array([b"r/x", b"r/\xff", None, b"r/x", b"r/x", b"r/x"], pa.binary()),
            "path": pa.array([b"caf\xe9", b"b", b"c", None, b"", b"a/../../b"], pa.binary()),
            "content": list("123456"),
        }
    )
    write(tmp_path / "odd.parquet", table)
    read = Read(Parquet(path=tmp_path / "odd.parquet"), tmp_path)
    assert read.files["path"].to_pylist() == [
        "/caf\\xe9",
        "/b",
        "/c",
        "/row-3",
        "/row-4",
        "/a/../../b",
    ]
    assert read.files["path_bytes"].to_pylist() == [b"/caf\xe9", *[None] * 5]
    assert read.files["verdict"].to_pylist() == [*[None] * 5, "source:unsafe_path"]
    assert sorted(read.heads["origin"].to_pylist()) == [
        "parquet:odd.parquet",
        "parquet:r/x",
        "parquet:r/\ufffd",
    ]


def test_text_that_is_none(tmp_path):
    """A file may call bytes text; Arrow believes it, the source does not."""
    bad = pa.array([b"caf\xe9", b"ok"], pa.binary()).view(pa.string())
    write(tmp_path / "b.parquet", {"repo_name": bad, "path": bad, "content": bad})
    read = Read(Parquet(path=tmp_path / "b.parquet"), tmp_path)
    assert read.files["path"].to_pylist() == ["/caf\\xe9", "/ok"]
    assert read.contents() == [b"caf\xe9", b"ok"]


def test_content_alone(tmp_path):
    write(tmp_path / "c.parquet", {"text": ["a", "b"]})
    read = Read(Parquet(path=tmp_path / "c.parquet"), tmp_path)
    assert read.files["path"].to_pylist() == ["/row-0", "/row-1"]
    assert read.heads["origin"].to_pylist() == ["parquet:c.parquet"]
    assert read.contents() == [b"a", b"b"]


def test_mapping_by_hand(tmp_path):
    table = {"body": ["a"], "where": ["f.py"], "who": ["o/n"], "likes": [7], "lic": ["MIT"]}
    write(tmp_path / "m.parquet", table)
    columns = {"content": "body", "path": "where", "repo_name": "who", "stars": "likes"}
    source = Parquet(
        path=tmp_path / "m.parquet",
        columns={**columns, "license": "lic"},
        origin_prefix="https://example.org/",
    )
    (head,) = Read(source, tmp_path).heads.to_pylist()
    assert head["origin"] == "https://example.org/o/n" and head["star_events_count"] == 7
    assert head["gha_license_id"] == "MIT"


@pytest.mark.parametrize(
    "columns, word",
    [({"content": "nope"}, "nope"), ({"colour": "x"}, "colour"), ({"files": "path"}, "no list")],
)
def test_mapping_mistakes_are_named(tmp_path, columns, word):
    write(tmp_path / "m.parquet", PLAIN)
    with pytest.raises(ConfigError, match=word):
        Read(Parquet(path=tmp_path / "m.parquet", columns=columns), tmp_path)
    with pytest.raises(ConfigError, match="contents"):
        write(tmp_path / "n.parquet", {"path": ["a"], "number": [1]})
        Read(Parquet(path=tmp_path / "n.parquet"), tmp_path)


def test_a_file_unlike_the_first_is_set_aside(tmp_path):
    write(tmp_path / "a.parquet", PLAIN)
    write(tmp_path / "b.parquet", {"number": [1]})
    source = Parquet(path=tmp_path)
    good, bad = source.containers()
    assert source.heads(good, tmp_path).heads.num_rows == 2
    with pytest.raises(InputError) as caught:
        source.heads(bad, tmp_path)
    assert caught.value.reason == "columns"


def stack_v2(contents: list[bytes], **more) -> dict:
    count = len(contents)
    return {
        "blob_id": [hashlib.sha1(one).hexdigest() for one in contents],
        "directory_id": ["ab" * 20] * count,
        "path": [f"/f{number}.py" for number in range(count)],
        "content_id": [content_id(one).hex() for one in contents],
        "repo_name": ["owner/name"] * count,
        "snapshot_id": ["cd" * 20] * count,
        "revision_id": ["ef" * 20] * count,
        "branch_name": ["refs/heads/main"] * count,
        "visit_date": pa.array([1_600_000_000 * 10**9] * count, pa.timestamp("ns")),
        "github_id": [5] * count,
        "star_events_count": [9] * count,
        "length_bytes": [len(one) for one in contents],
        "src_encoding": ["UTF-8"] * count,
        **more,
    }


def test_ids_alone_join_a_content_store(tmp_path):
    contents = [b"one\n", b"two\n", b"three\n", b"x" * 200]
    table = stack_v2(contents)
    store = tmp_path / "store" / "content"
    store.mkdir(parents=True)
    for number in (0, 2, 3):
        (store / table["blob_id"][number]).write_bytes(gzip.compress(contents[number]))
    (store / table["blob_id"][2]).write_bytes(b"no gzip")
    write(tmp_path / "s" / "train.parquet", table)
    read = Read(Parquet(path=tmp_path / "s", contents=open_store(tmp_path / "store")), tmp_path)
    (head,) = read.heads.to_pylist()
    assert head["origin"] == "https://github.com/owner/name" and head["visit_type"] == "git"
    assert head["root"] == head["directory_id"] == "ab" * 20
    assert head["github_id"] == 5 and head["star_events_count"] == 9
    assert read.heads["visit_date"].cast(pa.int64()).to_pylist() == [1_600_000_000 * 10**9]
    assert [row["length"] for row in read.rows] == [4, 4, 6, 200]
    found = read.contents(limit=100)
    assert found[0] == b"one\n"
    assert [one.reason for one in found[1:]] == ["missing", "corrupt", "too_large"]


def test_swhids_binary_ids_and_bad_ids(tmp_path):
    contents = [b"a", b"b", b"c", b"d"]
    table = stack_v2(contents)
    table["content_id"] = [
        "swh:1:cnt:" + content_id(b"a").hex(),
        content_id(b"b").hex().upper(),
        "zz" * 20,
        None,
    ]
    table["blob_id"] = pa.array([hashlib.sha1(one).digest() for one in contents], pa.binary())
    table["directory_id"] = ["swh:1:dir:" + "ab" * 20, "AB" * 20, "ab" * 20, "short"]
    store = tmp_path / "content"
    store.mkdir()
    write(tmp_path / "s" / "t.parquet", table)
    read = Read(Parquet(path=tmp_path / "s", contents=open_store(store)), tmp_path)
    assert [row["content_id"] for row in read.rows[:2]] == [content_id(b"a"), content_id(b"b")]
    assert [row["verdict"] for row in read.rows] == [None, None, *["source:unreadable"] * 2]
    assert read.rows[0]["blob_id"] == hashlib.sha1(b"a").digest()
    assert read.heads["root"].to_pylist() == ["ab" * 20, "origin:https://github.com/owner/name"]


def test_ids_beside_contents_are_used_where_they_are_true(tmp_path):
    """A text that was decoded from another encoding no longer has the archived bytes' id."""
    contents = [b"plain\n", "größe\n".encode("latin-1")]
    table = stack_v2(contents, src_encoding=["UTF-8", "ISO-8859-1"])
    table["content"] = [one.decode("latin-1") for one in contents]
    write(tmp_path / "t.parquet", table)
    read = Read(Parquet(path=tmp_path / "t.parquet"), tmp_path)
    assert read.contents() == [b"plain\n", "größe\n".encode()]
    assert [row["blob_id"] for row in read.rows] == [hashlib.sha1(b"plain\n").digest(), None]


def test_ids_can_be_computed_anew(tmp_path):
    table = stack_v2([b"a"])
    table["content"] = ["changed"]
    write(tmp_path / "t.parquet", table)
    believed = Read(Parquet(path=tmp_path / "t.parquet"), tmp_path)
    assert believed.rows[0]["content_id"] == content_id(b"a")
    computed = Read(Parquet(path=tmp_path / "t.parquet", ids="compute"), tmp_path)
    assert computed.contents() == [b"changed"]
    with pytest.raises(ConfigError):
        Parquet(path=tmp_path, ids="guess")


V3 = pa.struct(
    {
        "content_id": pa.string(),
        "content": pa.string(),
        "size_bytes": pa.int64(),
        "file_path": pa.string(),
    }.items()
)


def test_one_row_per_repository(tmp_path):
    def file(path, content):
        return {"file_path": path, "content": content, "content_id": None, "size_bytes": 0}

    files = [
        [file("a.py", "A"), file("b/c.py", "B")],
        None,
        [],
        [file("d.py", "D"), None, file("e.py", None), file("f.py", "F")],
    ]
    metadata = [{"stars": number, "forks": 1, "branch": "refs/heads/main"} for number in range(4)]
    table = pa.table(
        {
            "repo_path": ["o/one", "o/two", "o/three", "o/four"],
            "commit_id": ["12" * 20] * 4,
            "github_metadata": metadata,
            "num_files": [2, 0, 0, 4],
            "files": pa.array(files, pa.list_(V3)),
        }
    )
    write(tmp_path / "v3.parquet", table, row_group_size=2)
    read = Read(Parquet(path=tmp_path / "v3.parquet"), tmp_path)
    assert read.heads.num_rows == 4
    head = {row["repo_name"]: row for row in read.heads.to_pylist()}["o/four"]
    assert head["origin"] == "https://github.com/o/four" and head["star_events_count"] == 3
    assert head["branch_name"] == "refs/heads/main" and head["revision_id"] == "12" * 20
    found = [(row["path"], row["root"][-5:], row["verdict"]) for row in read.rows]
    assert found == [
        ("/a.py", "o/one", None),
        ("/b/c.py", "o/one", None),
        ("/d.py", "/four", None),
        (f"/row-{(3 << 24) + 1}", "/four", "source:unreadable"),
        ("/e.py", "/four", "source:unreadable"),
        ("/f.py", "/four", None),
    ]
    assert read.contents() == [b"A", b"B", b"D", b"F"]
    container = read.containers[0]
    backwards = read.files.take([5, 0])
    assert dict(read.source.read(container, backwards, 9)) == {0: b"F", 1: b"A"}
    some = list(read.source.files(container, [head["root"]], tmp_path))
    assert sum(batch.num_rows for batch in some) == 4


def test_nested_ids_join_a_content_store(tmp_path):
    blob = hashlib.sha1(b"hello").hexdigest()
    files = [[{"blob_id": blob, "path": "/h", "content_id": content_id(b"hello").hex()}]]
    table = {"repo_name": ["o/n"], "directory_id": ["ab" * 20], "github_id": [1], "files": files}
    write(tmp_path / "ids.parquet", table)
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / blob).write_bytes(gzip.compress(b"hello"))
    store = open_store(tmp_path / "content")
    read = Read(Parquet(path=tmp_path / "ids.parquet", contents=store), tmp_path)
    assert read.heads["root"].to_pylist() == ["ab" * 20]
    assert read.contents(check=False) == [b"hello"]


def test_duplicate_paths_keep_the_first(tmp_path):
    table = {
        "repo_name": ["r/a", "r/b", "r/a", "r/a"],
        "path": ["x", "x", "y", "/x"],
        "content": ["1", "2", "3", "4"],
    }
    write(tmp_path / "t.parquet", table, row_group_size=1)
    read = Read(Parquet(path=tmp_path / "t.parquet"), tmp_path)
    assert [row["verdict"] for row in read.rows] == [None, None, None, "source:skipped"]


def test_only_wanted_roots_are_listed(tmp_path):
    write(tmp_path / "t.parquet", PLAIN)
    source = Parquet(path=tmp_path / "t.parquet")
    (container,) = source.containers()
    (batch,) = source.files(container, ["origin:parquet:b/two"], tmp_path)
    assert batch["path"].to_pylist() == ["/z.py"] and batch["locator"].to_pylist() == [2]


def test_rows_do_not_depend_on_row_groups(tmp_path):
    table = {
        "repo_name": [f"r/{number // 7}" for number in range(3000)],
        "path": [f"f{number}" for number in range(3000)],
        "content": [f"{number}" * (number % 50) for number in range(3000)],
    }
    write(tmp_path / "a" / "t.parquet", table)
    write(tmp_path / "b" / "t.parquet", table, row_group_size=11, compression="zstd")
    one = Read(Parquet(path=tmp_path / "a"), tmp_path)
    two = Read(Parquet(path=tmp_path / "b"), tmp_path)
    assert one.files.equals(two.files) and one.heads.equals(two.heads)
    assert one.contents() == two.contents() == [one.encode() for one in table["content"]]
    files = ((one, tmp_path / "a" / "t.parquet"), (two, tmp_path / "b" / "t.parquet"))
    for read, path in files:  # a plain SHA-256: what sha256sum says
        assert read.answers[0].digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_groups_are_row_groups_with_the_mean_of_their_contents(tmp_path):
    table = {"path": [f"f{n}" for n in range(5)], "content": ["a" * 1000 * n for n in range(5)]}
    write(
        tmp_path / "t.parquet",
        table,
        row_group_size=2,
        use_dictionary=False,
        write_statistics=False,
    )
    source = Parquet(path=tmp_path / "t.parquet")
    groups = source.groups(source.containers()[0])
    assert groups["first"].to_pylist() == [0, 2, 4]
    for mean, true in zip(groups["mean"].to_pylist(), (500, 2500, 4000), strict=True):
        assert true <= mean < true + 100  # what a page adds
    nested = [[{"file_path": "a", "content": "x" * n} for _ in range(n)] for n in (10, 20)]
    write(tmp_path / "v3.parquet", {"repo_path": ["a/b", "c/d"], "files": nested}, row_group_size=1)
    source = Parquet(path=tmp_path / "v3.parquet")
    groups = source.groups(source.containers()[0])
    assert groups["first"].to_pylist() == [0, 1 << 24]
    assert all(mean < 40 for mean in groups["mean"].to_pylist())  # per file, not per repository
    (tmp_path / "v3.parquet").write_bytes(b"PAR1")
    assert source.groups(source.containers()[0]).num_rows == 0


def test_limit_and_rows_that_are_not_there(tmp_path):
    write(tmp_path / "t.parquet", {"path": ["a", "b"], "content": ["x" * 50, "y"]})
    read = Read(Parquet(path=tmp_path / "t.parquet"), tmp_path)
    found = read.contents(limit=10)
    assert isinstance(found[0], Problem) and found[0].reason == "too_large" and found[1] == b"y"
    odd = read.files.set_column(7 + 1, "locator", pa.array([1, 99], pa.int64()))
    answers = dict(read.source.read(read.containers[0], odd, 99))
    assert answers[0] == b"y" and answers[1].reason == "missing"


def test_a_dataset_folder_reads_its_data_alone(tmp_path):
    write(tmp_path / "data" / "Python" / "train-00000-of-00001.parquet", PLAIN)
    write(tmp_path / "data" / ".cache" / "x.parquet", PLAIN)
    write(tmp_path / "repositories.parquet", {"origin": ["x"]})
    source = Parquet(path=tmp_path)
    assert [one.key for one in source.containers()] == ["data/Python/train-00000-of-00001.parquet"]
    with pytest.raises(ConfigError):
        Parquet(path=tmp_path / "none").containers()
    (tmp_path / "void").mkdir()
    with pytest.raises(ConfigError):
        Parquet(path=tmp_path / "void").containers()


def test_modes_tell_links_and_submodules(tmp_path):
    table = pa.table(
        {
            "repo_name": ["o/n"] * 3,
            "path": ["a.py", "LICENSE", "sub"],
            "content": pa.array([b"a", b"../LICENSE", None], pa.binary()),
            "mode": pa.array([0o100644, 0o120000, 0o160000], pa.int32()),
        }
    )
    write(tmp_path / "a.parquet", table)
    read = Read(Parquet(path=tmp_path), tmp_path)
    verdicts = [row["verdict"] for row in read.rows]
    assert verdicts == [None, "source:symlink", "source:submodule"]
    assert read.rows[1]["content_id"] == content_id(b"../LICENSE")


def test_a_release_of_ours_reads_again(tmp_path):
    texts = ["kept as it was\n", "mail: <EMAIL>\n", "größe\n"]
    archived = [texts[0].encode(), b"mail: someone@example.org\n", "größe\n".encode("latin-1")]
    table = pa.table(
        {
            **stack_v2(archived, src_encoding=["UTF-8", "UTF-8", "ISO-8859-1"]),
            "origin": ["https://git.example.org/o/n", "git:local", "git:local"],
            "visit_type": ["git"] * 3,
            "path_bytes": pa.array([None, None, b"/f\xe9"], pa.binary()),
            "mode": pa.array([0o100755, 0o100644, 0o100644], pa.int32()),
            "sha256": [hashlib.sha256(one).hexdigest() for one in archived],
            "text_sha256": [hashlib.sha256(one.encode()).hexdigest() for one in texts],
            "content": texts,
        }
    )
    place = tmp_path / "data" / "Python" / "train-00000-of-00001.parquet"
    write(place, conform(table, FILE))
    read = Read(Parquet(path=tmp_path), tmp_path)
    assert read.contents() == [one.encode() for one in texts]
    assert [row["content_id"] for row in read.rows] == [content_id(one.encode()) for one in texts]
    assert read.rows[0]["blob_id"] == hashlib.sha1(archived[0]).digest()
    assert [row["mode"] for row in read.rows] == [0o100755, 0o100644, 0o100644]
    assert read.rows[2]["path_bytes"] == b"/f\xe9"
    heads = {row["origin"]: row for row in read.heads.to_pylist()}
    assert sorted(heads) == ["git:local", "https://git.example.org/o/n"]
    assert heads["git:local"]["visit_type"] == "git"


@pytest.mark.parametrize("data", [b"", b"PAR1 and no more", b"PAR1" + b"\0" * 99 + b"PAR1"])
def test_what_is_no_parquet_file_is_set_aside(tmp_path, data):
    (tmp_path / "bad.parquet").write_bytes(data)
    source = Parquet(path=tmp_path / "bad.parquet")
    (container,) = source.containers()
    with pytest.raises(InputError) as caught:
        source.heads(container, tmp_path)
    assert str(tmp_path) not in str(caught.value)


def damage(place: Path, group: int, column: str) -> None:
    about = pq.ParquetFile(place).metadata.row_group(group)
    for number in range(about.num_columns):
        chunk = about.column(number)
        if chunk.path_in_schema == column:
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            data = bytearray(place.read_bytes())
            data[start : start + chunk.total_compressed_size] = (
                b"\xff" * chunk.total_compressed_size
            )
            place.write_bytes(data)


def test_a_damaged_row_group_costs_itself(tmp_path):
    table = {
        "repo_name": ["r/a", "r/a", "r/b", "r/b", "r/a", "r/a"],
        "path": list("abcdef"),
        "content": list("123456"),
    }
    place = write(tmp_path / "t.parquet", table, row_group_size=2)
    good = Read(Parquet(path=place), tmp_path)
    damage(place, 1, "content")
    read = Read(Parquet(path=place), tmp_path)
    assert read.files["path"].to_pylist() == [f"/{name}" for name in "abcdef"]
    bad = "source:unreadable"
    assert read.files["verdict"].to_pylist() == [None, None, bad, bad, None, None]
    assert read.contents() == [b"1", b"2", b"5", b"6"]
    answers = dict(read.source.read(read.containers[0], good.files, 99))
    assert [not isinstance(answers[at], Problem) for at in range(6)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    assert answers[2].reason == "corrupt"
    damage(place, 1, "path")
    read = Read(Parquet(path=place), tmp_path)
    assert read.files["path"].to_pylist()[2:4] == ["/row-2", "/row-3"]
    assert read.files["verdict"].to_pylist() == [None, None, bad, bad, None, None]
    damage(place, 1, "repo_name")
    read = Read(Parquet(path=place), tmp_path)
    assert [problem.reason for problem in read.problems] == ["corrupt"]
    assert read.contents() == [b"1", b"2", b"5", b"6"]


def test_times_of_every_unit_and_out_of_range(tmp_path):
    table = {
        "origin": ["https://x.org/a/b", "https://x.org/c/d"],
        "visit_date": pa.array([1, 2**62], pa.timestamp("ms")),
        "committer_date": pa.array([1, 2], pa.timestamp("us", tz="UTC")),
        "revision_date": ["no", "time"],
        "content": ["a", "b"],
    }
    write(tmp_path / "t.parquet", table)
    heads = Read(Parquet(path=tmp_path / "t.parquet"), tmp_path).heads

    def nanoseconds(name):
        return heads[name].cast(pa.int64()).to_pylist()

    assert nanoseconds("visit_date") == [10**6, None]
    assert nanoseconds("committer_date") == [1000, 2000]
    assert nanoseconds("revision_date") == [None, None]


def test_an_empty_file_has_nothing(tmp_path):
    write(tmp_path / "t.parquet", pa.table({"content": pa.array([], pa.string())}))
    read = Read(Parquet(path=tmp_path / "t.parquet"), tmp_path)
    assert read.heads.num_rows == 0 and read.rows == []
