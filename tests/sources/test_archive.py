"""The archive source: extraction's files without extraction, traps refused by name."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import pickle
import shutil
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

from stackcurate.errors import ConfigError, InputError
from stackcurate.schema import HEAD, LISTING
from stackcurate.sources.archive import Archive
from stackcurate.sources.base import Problem
from stackcurate.sources.ids import content_id


def entry(name: str | bytes, data: bytes = b"", **fields) -> tuple[tarfile.TarInfo, bytes]:
    text = name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
    info = tarfile.TarInfo(text)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE):
    return entry(name, type=kind, linkname=target)


def tar(*entries, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, errors="surrogateescape") as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes], method=zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            # A name alone would take the time of now, and tests are named by these bytes.
            info = zipfile.ZipInfo(name) if isinstance(name, str) else name
            archive.writestr(info, data, method)
    return buffer.getvalue()


def unix(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


class Read:
    """All that the source says about one archive."""

    def __init__(self, folder: Path, name: str, data: bytes | None, **options) -> None:
        if data is not None:
            (folder / name).write_bytes(data)
        self.source = Archive(path=folder / name, **options)
        (self.container,) = self.source.containers()
        answer = self.source.heads(self.container, folder)
        assert answer.heads.schema == HEAD
        (self.head,) = answer.heads.to_pylist()
        self.problems, self.digest = answer.problems, answer.digest
        batches = list(self.source.files(self.container, [self.head["root"]], folder))
        assert all(batch.schema == LISTING for batch in batches)
        self.files = pa.Table.from_batches(batches, LISTING)
        self.rows = self.files.to_pylist()
        assert {row["root"] for row in self.rows} <= {self.head["root"]}

    @property
    def verdicts(self) -> dict[str, str | None]:
        return {row["path"]: row["verdict"] for row in self.rows}

    def contents(self, limit: int = 1 << 24) -> dict[str, object]:
        wanted = self.files.filter(pa.compute.is_null(self.files["verdict"]))
        found = dict(self.source.read(self.container, wanted, limit)) if len(wanted) else {}
        assert sorted(found) == list(range(len(wanted)))
        for row, one in zip(wanted.to_pylist(), (found[i] for i in sorted(found)), strict=True):
            if isinstance(one, bytes):
                assert row["content_id"] == content_id(one) and row["length"] == len(one)
                assert row["blob_id"] == hashlib.sha1(one).digest()
        return {row["path"]: found[at] for at, row in enumerate(wanted.to_pylist())}


PLAIN = (entry("pkg-1.0/a.py", b"a\n"), entry("pkg-1.0/src/b.py", b"b" * 70_000, mode=0o755))

PACKERS = {
    "pkg-1.0.tar": lambda data: data,
    "pkg-1.0.tar.gz": gzip.compress,
    "pkg-1.0.tgz": lambda data: gzip.compress(data[:5000]) + gzip.compress(data[5000:]),
    "pkg-1.0.tar.bz2": bz2.compress,
    "pkg-1.0.tar.xz": lambda data: lzma.compress(data) + b"\0" * 8,
    "pkg-1.0.tar.zst": lambda data: zstandard.compress(data[:700]) + zstandard.compress(data[700:]),
}


@pytest.mark.parametrize("name", PACKERS)
def test_tar_in_every_packing(tmp_path, name):
    data = PACKERS[name](tar(*PLAIN))
    read = Read(tmp_path, name, data)
    assert read.contents() == {"/a.py": b"a\n", "/src/b.py": b"b" * 70_000}
    assert [row["mode"] for row in read.rows] == [0o100644, 0o100755]
    assert read.head["origin"] == f"archive:{name}" and read.head["repo_name"] == "pkg"
    assert read.digest == hashlib.sha256(data).hexdigest() and read.problems == []
    assert pickle.loads(pickle.dumps(read.source)) == read.source


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_dialects_against_the_standard_library(tmp_path, form):
    deep = "/".join(["directory"] * 14)
    entries = [entry("short", b"1"), entry(f"{deep}/file", b"2" * 513)]
    if form != tarfile.USTAR_FORMAT:
        entries += [
            entry("x" * 180, b"3"),
            entry("latin-\udce9", b"4"),
            link("to", "y" * 150),
            entry("ünïcode", b"5" * 512),
        ]
    data = tar(*entries, form=form)
    read = Read(tmp_path, "dialect.tar", data)
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        expected = {
            b"/" + m.name.encode("utf-8", "surrogateescape"): archive.extractfile(m).read()
            for m in archive
            if m.isreg()
        }
    found = read.contents()
    by_bytes = {
        row["path_bytes"] or row["path"].encode(): found[row["path"]]
        for row in read.rows
        if row["verdict"] is None
    }
    assert by_bytes == expected


@pytest.mark.parametrize("form", ["tar", "zip", "folder"])
def test_what_a_link_says_is_its_content(tmp_path, form):
    if form == "tar":
        read = Read(
            tmp_path, "a.tar", tar(entry("a", b"1"), link("sub/link", "../a"), link("b", "x"))
        )
    elif form == "zip":
        link_ = unix("sub/link", 0o120777)
        read = Read(tmp_path, "a.zip", zipped(("a", b"1"), (link_, b"../a"), ("c", b"2")))
    else:
        (tmp_path / "top/sub").mkdir(parents=True)
        (tmp_path / "top/a").write_bytes(b"1")
        (tmp_path / "top/sub/link").symlink_to("../a")
        read = Read(tmp_path, "top", None, folders="self")
    found = dict(read.source.read(read.container, read.files, 1 << 20))
    said = {row["path"]: (found[at], row) for at, row in enumerate(read.rows)}
    target, row = said["/sub/link"]
    assert target == b"../a" and said["/a"][0] == b"1"
    assert row["content_id"] == content_id(target) and row["verdict"] == "source:symlink"


def test_directory_id_equals_git(tmp_path):
    entries = (
        entry("top/a.py", b"a"),
        entry("top/run", b"#!", mode=0o700),
        entry("top/a/x", b"x"),
        entry("top/a.b/y", b"y"),
        link("top/link", "a/x"),
    )
    read = Read(tmp_path, "tree.tar.gz", gzip.compress(tar(*entries)))
    work = tmp_path / "work"
    work.mkdir()
    (work / "a").mkdir()
    (work / "a.b").mkdir()
    for name, data in [("a.py", b"a"), ("run", b"#!"), ("a/x", b"x"), ("a.b/y", b"y")]:
        (work / name).write_bytes(data)
    (work / "run").chmod(0o700)
    (work / "link").symlink_to("a/x")
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=work, check=True)
    expected = subprocess.check_output(["git", "write-tree"], cwd=work, text=True).strip()
    assert read.head["directory_id"] == read.head["root"] == expected
    assert read.verdicts["/link"] == "source:symlink"


def test_directory_id_equals_the_archives(tmp_path):
    """The id that swh.model 8.4.1 gives for this tree, unpacked with GNU tar."""
    entries = (
        entry("p/a", b"1"),
        entry("p/x/run", b"2", mode=0o744),
        entry("p/empty", type=tarfile.DIRTYPE, mode=0o755),
        link("p/l", "/etc/passwd"),
        link("p/h", "p/x/run", tarfile.LNKTYPE),
        entry("p/a.d/z", b"3"),
        entry("p/a", b"new", mode=0o644),
    )
    read = Read(tmp_path, "p.tar", tar(*entries))
    assert read.head["directory_id"] == "219c010d02cb4de69b00d68aaf5e5a3ea746e86a"


def test_empty_folders_count_in_the_directory_id(tmp_path):
    without = Read(tmp_path, "a.tar", tar(entry("t/f", b"x")))
    folder = entry("t/empty", type=tarfile.DIRTYPE)
    with_one = Read(tmp_path, "b.tar", tar(entry("t/f", b"x"), folder))
    assert without.verdicts == with_one.verdicts == {"/f": None}
    assert without.head["directory_id"] != with_one.head["directory_id"]


def test_zip_and_its_kinds(tmp_path):
    data = zipped(
        ("pkg-2/a.py", b"a\n"),
        (unix("pkg-2/run", stat.S_IFREG | 0o755), b"#!"),
        (unix("pkg-2/link", stat.S_IFLNK | 0o777), b"a.py"),
        (unix("pkg-2/out", stat.S_IFLNK | 0o777), b"../../etc/passwd"),
        (unix("pkg-2/pipe", stat.S_IFIFO | 0o600), b""),
        ("pkg-2/folder/", b""),
    )
    read = Read(tmp_path, "pkg-2.zip", data)
    assert read.verdicts == {
        "/a.py": None,
        "/run": None,
        "/link": "source:symlink",
        "/out": "source:unsafe_link",
        "/pipe": "source:special",
    }
    assert read.contents() == {"/a.py": b"a\n", "/run": b"#!"}
    assert read.head["directory_id"] is None  # a special file was left out
    assert read.head["root"] == "origin:archive:pkg-2.zip"


def test_zip_names_keep_their_bytes(tmp_path):
    data = zipped(("caf_.py", b"1"), ("ü.py", b"2"))
    data = data.replace(b"caf_.py", b"caf\xe9.py")
    read = Read(tmp_path, "names.zip", data)
    assert [(row["path"], row["path_bytes"]) for row in read.rows] == [
        ("/caf\\xe9.py", b"/caf\xe9.py"),
        ("/ü.py", None),
    ]
    assert list(read.contents().values()) == [b"1", b"2"]


def test_damaged_and_encrypted_zip_members(tmp_path):
    data = bytearray(zipped(("a", b"A" * 50), ("b", b"B" * 50), ("c", b"C" * 50), method=0))
    data[data.index(b"B" * 50)] ^= 1
    for signature, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        place = data.rindex(signature)
        data[place + at] |= 1  # encrypted
    read = Read(tmp_path, "bad.zip", bytes(data))
    assert read.verdicts == {"/a": None, "/b": "source:unreadable", "/c": "source:unreadable"}
    assert [row["note"] for row in read.rows][2] == "encrypted"
    assert read.contents() == {"/a": b"A" * 50}
    wanted = read.files.slice(1)
    assert {one.reason for _, one in read.source.read(read.container, wanted, 99)} == {"corrupt"}


@pytest.mark.parametrize(
    "name",
    [
        "../up",
        "a/../../up",
        "/etc/passwd",
        "C:/windows/x",
        "c:x",
        "..\\up",
        "\\\\host\\x",
        "a/" + "d" * 4100,
        "d/../x",
    ],
)
def test_unsafe_paths_are_refused_and_the_rest_goes_on(tmp_path, name):
    for pack, data in (
        ("x.tar", tar(entry("good/a", b"1"), entry(name, b"evil"), entry("good/b", b"2"))),
        ("x.zip", zipped(("good/a", b"1"), (name, b"evil"), ("good/b", b"2"))),
    ):
        read = Read(tmp_path, pack, data)
        assert list(read.verdicts.values()) == [None, "source:unsafe_path", None]
        assert all(row["path"].startswith("/") for row in read.rows)
        assert read.contents() == {"/a": b"1", "/b": b"2"}
        assert read.head["directory_id"] is None


def test_links_and_special_files(tmp_path):
    read = Read(
        tmp_path,
        "links.tar",
        tar(
            entry("t/a", b"data", mode=0o755),
            link("t/in", "sub/../a"),
            link("t/sub/up", "../a"),
            link("t/out", "../../outside"),
            link("t/root", "/etc/passwd"),
            link("t/hard", "t/a", tarfile.LNKTYPE),
            link("t/hard2", "t/hard", tarfile.LNKTYPE),
            link("t/lost", "t/none", tarfile.LNKTYPE),
            link("t/outhard", "../../etc/shadow", tarfile.LNKTYPE),
            entry("t/fifo", type=tarfile.FIFOTYPE),
            entry("t/disk", type=tarfile.BLKTYPE),
        ),
    )
    assert read.verdicts == {
        "/a": None,
        "/in": "source:symlink",
        "/sub/up": "source:symlink",
        "/out": "source:unsafe_link",
        "/root": "source:unsafe_link",
        "/hard": None,
        "/hard2": None,
        "/lost": "source:unsafe_link",
        "/outhard": "source:unsafe_link",
        "/fifo": "source:special",
        "/disk": "source:special",
    }
    assert read.contents() == {"/a": b"data", "/hard": b"data", "/hard2": b"data"}
    modes = {row["path"]: row["mode"] for row in read.rows}
    assert modes["/in"] == 0o120000 and modes["/hard2"] == 0o100755


def test_nothing_goes_through_a_link_or_a_file(tmp_path):
    read = Read(
        tmp_path,
        "through.tar",
        tar(
            link("t/dir", "/etc"),
            entry("t/dir/passwd", b"evil"),
            entry("t/file", b"f"),
            entry("t/file/below", b"evil"),
            entry("t/folder/x", b"x"),
            entry("t/folder", b"evil"),
        ),
    )
    assert read.verdicts == {
        "/dir": "source:unsafe_link",
        "/dir/passwd": "source:unsafe_path",
        "/file": None,
        "/file/below": "source:unsafe_path",
        "/folder/x": None,
        "/folder": "source:unsafe_path",
    }


def test_of_equal_names_the_last_is_kept(tmp_path):
    for pack, data in (
        ("twice.tar", tar(entry("t/a", b"old"), entry("t/b", b"b"), entry("./t//a", b"new"))),
        ("twice.zip", zipped(("t/a", b"old"), ("t/b", b"b"), ("./t//a", b"new"))),
    ):
        read = Read(tmp_path, pack, data)
        assert [row["verdict"] for row in read.rows] == ["source:skipped", None, None]
        assert read.contents() == {"/b": b"b", "/a": b"new"}
        single = Read(tmp_path, f"once-{pack}.tar", tar(entry("t/a", b"new"), entry("t/b", b"b")))
        assert read.head["directory_id"] == single.head["directory_id"]


def test_bomb_members_are_refused_and_the_rest_goes_on(tmp_path):
    zeros = bytes(20 << 20)
    packed = gzip.compress(tar(entry("t/a", b"1"), entry("t/zeros", zeros), entry("t/b", b"2")))
    for name, data in (
        ("bomb.tar.gz", packed),
        ("bomb.zip", zipped(("t/a", b"1"), ("t/zeros", zeros), ("t/b", b"2"))),
    ):
        read = Read(tmp_path, name, data)
        assert read.verdicts == {"/a": None, "/zeros": "source:bomb", "/b": None}
        assert read.contents() == {"/a": b"1", "/b": b"2"}
    small = Read(
        tmp_path, "size.tar", tar(entry("t/a", b"1"), entry("t/b", b"22")), max_member_bytes=1
    )
    assert small.verdicts == {"/a": None, "/b": "source:bomb"}


def test_an_archive_of_many_small_bombs_ends(tmp_path):
    members = [entry(f"t/{number}", bytes(1000)) for number in range(40)]
    read = Read(tmp_path, "many.tar.gz", gzip.compress(tar(*members)), max_total_bytes=10_000)
    assert list(read.verdicts.values()) == [None] * 10 + ["source:bomb"]
    assert [problem.reason for problem in read.problems] == ["bomb"]
    packed = zipped(*((f"t/{number}", bytes(1000)) for number in range(40)))
    read = Read(tmp_path, "many.zip", packed, max_total_bytes=10_000)
    assert list(read.verdicts.values()).count("source:bomb") == 30


def test_too_many_members_are_one_row(tmp_path):
    for name, data in (
        ("many.tar", tar(*(entry(f"f{number}") for number in range(30)))),
        ("many.zip", zipped(*((f"f{number}", b"") for number in range(30)))),
    ):
        read = Read(tmp_path, name, data, max_files=20)
        assert read.verdicts == {"/": "source:too_many_files"}


def test_long_headers_take_no_memory(tmp_path):
    """A pax header that claims a gigabyte ends the archive instead of being read."""
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    data = tar(entry("a", b"1"))[:1024] + info.tobuf(tarfile.USTAR_FORMAT) + bytes(4096)
    read = Read(tmp_path, "pax.tar", data)
    assert read.contents() == {"/a": b"1"}
    assert [problem.reason for problem in read.problems] == ["corrupt"]


@pytest.mark.parametrize("pack", ["cut.tar", "cut.tar.gz", "cut.tar.xz", "cut.tar.zst"])
def test_a_cut_tar_keeps_what_came_before(tmp_path, pack):
    noise = [os.urandom(400_000) for _ in range(4)]
    whole = tar(*(entry(f"t/{number}", data) for number, data in enumerate(noise)))
    data = PACKERS[f"pkg-1.0{pack[3:]}"](whole)
    read = Read(tmp_path, pack, data[: len(data) * 6 // 10])
    assert read.verdicts["/0"] is None and read.verdicts["/2"] == "source:unreadable"
    assert "/3" not in read.verdicts
    assert [problem.reason for problem in read.problems] == ["corrupt"]
    assert read.contents() == {"/0": noise[0], "/1": noise[1]}
    assert read.head["directory_id"] is None


def test_damage_in_the_middle_and_a_missing_end(tmp_path):
    whole = bytearray(tar(entry("a", b"1"), entry("b", b"2"), entry("c", b"3")))
    whole[1024 + 5] ^= 0xFF  # the header of b
    read = Read(tmp_path, "header.tar", bytes(whole))
    assert read.verdicts == {"/a": None} and read.problems[0].reason == "corrupt"
    read = Read(tmp_path, "end.tar", tar(entry("a", b"1"))[:1024])
    assert read.verdicts == {"/a": None} and read.problems[0].reason == "no_end"


@pytest.mark.parametrize(
    "name, data",
    [
        ("text.tar", b"no archive at all\n" * 99),
        ("empty.tar", b""),
        ("cut.zip", zipped(("a", b"1"))[:-30]),
        ("noise.tar.gz", gzip.compress(b"hello", mtime=0)),
        ("cut.tar.gz", gzip.compress(b"hello", mtime=0)[:12]),
    ],
)
def test_what_is_no_archive_is_set_aside(tmp_path, name, data):
    with pytest.raises(InputError) as caught:
        Read(tmp_path, name, data)
    assert str(tmp_path) not in str(caught.value) and name in str(caught.value)


def test_an_empty_tar_has_no_files(tmp_path):
    read = Read(tmp_path, "none.tar", bytes(10240))
    assert (
        read.rows == [] and read.head["directory_id"] == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    )


@pytest.mark.parametrize(
    "name, members, expected",
    [
        ("left-pad-1.3.0.tgz", ["package/package.json", "package/i.js"], ("npm", "left-pad")),
        (
            "requests-2.0.tar.gz",
            ["requests-2.0/PKG-INFO", "requests-2.0/s.py"],
            ("pypi", "requests"),
        ),
        ("zlib_1.2.orig.tar.xz", ["zlib-1.2/z.c"], ("deb", "zlib")),
        ("serde-1.0.0.crate", ["serde-1.0.0/Cargo.toml"], ("crates", "serde")),
        ("stuff.tar", ["a", "b/c"], ("archive", "stuff.tar")),
    ],
)
def test_shapes_of_packages(tmp_path, name, members, expected):
    pack = {"tgz": gzip.compress, "gz": gzip.compress, "crate": gzip.compress, "xz": lzma.compress}
    data = pack.get(name.rsplit(".", 1)[1], bytes)(tar(*(entry(m, b"x") for m in members)))
    read = Read(tmp_path, name, data)
    assert (read.head["visit_type"], read.head["repo_name"]) == expected
    stripped = 0 if name == "stuff.tar" else 1
    assert list(read.verdicts) == ["/" + "/".join(m.split("/")[stripped:]) for m in members]


def test_wheels_keep_their_layout_and_strip_can_be_refused(tmp_path):
    wheel = zipped(("pkg/__init__.py", b""), ("pkg/a.py", b"1"))
    read = Read(tmp_path, "my_pkg-1.0-py3-none-any.whl", wheel)
    assert list(read.verdicts) == ["/pkg/__init__.py", "/pkg/a.py"]
    assert (read.head["visit_type"], read.head["repo_name"]) == ("pypi", "my_pkg")
    read = Read(tmp_path, "x-1.tar", tar(entry("x-1/a", b"")), strip_top="never")
    assert list(read.verdicts) == ["/x-1/a"]


def test_vault_bundle_is_held_to_its_name(tmp_path):
    true = Read(tmp_path, "any.tar", tar(entry("t/f", b"x"))).head["directory_id"]
    good = Read(tmp_path, "v.tar.gz", gzip.compress(tar(entry(f"swh:1:dir:{true}/f", b"x"))))
    assert good.head["directory_id"] == true and good.problems == []
    assert good.head["visit_type"] == "vault" and list(good.verdicts) == ["/f"]
    false = Read(tmp_path, "w.tar.gz", gzip.compress(tar(entry(f"swh:1:dir:{true}/f", b"y"))))
    assert [problem.reason for problem in false.problems] == ["corrupt"]


def test_limit_and_order_of_reading(tmp_path):
    read = Read(
        tmp_path, "x.tar", tar(entry("a", b"1" * 10), entry("b", b"2" * 99), entry("c", b"3"))
    )
    found = read.contents(limit=50)
    assert found["/a"] == b"1" * 10 and found["/c"] == b"3"
    assert isinstance(found["/b"], Problem) and found["/b"].reason == "too_large"
    backwards = read.files.take([2, 0])
    assert dict(read.source.read(read.container, backwards, 50)) == {0: b"3", 1: b"1" * 10}


def test_folder_of_archives_and_folders(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b.tar").write_bytes(tar(*PLAIN))
    (tmp_path / "a.zip").write_bytes(zipped(("x", b"x")))
    (tmp_path / "readme.txt").write_text("no archive")
    (tmp_path / "link.zip").symlink_to("a.zip")
    assert [c.key for c in Archive(path=tmp_path).containers()] == ["a.zip", "deep/er/b.tar"]
    (tmp_path / "plain" / "src").mkdir(parents=True)
    (tmp_path / ".cache").mkdir()
    keys = [c.key for c in Archive(path=tmp_path).containers()]
    assert keys == ["a.zip", "deep/er/b.tar", "plain"]
    alone = Archive(path=tmp_path, folders=False)
    assert [c.key for c in alone.containers()] == ["a.zip", "deep/er/b.tar"]
    assert [c.key for c in Archive(path=tmp_path / "plain").containers()] == ["plain"]
    shutil.rmtree(tmp_path / "plain")
    shutil.rmtree(tmp_path / ".cache")
    both = Archive(path=tmp_path, folders=True)
    assert [c.key for c in both.containers()] == ["a.zip", "deep"]
    with pytest.raises(ConfigError):
        Archive(path=tmp_path / "nowhere").containers()
    with pytest.raises(ConfigError):
        Archive(path=tmp_path, folders="some")


def test_plain_folder(tmp_path):
    top = tmp_path / "project"
    (top / "src").mkdir(parents=True)
    (top / ".git").mkdir()
    (top / ".git" / "config").write_text("x")
    (top / "src" / "a.py").write_bytes(b"a\n")
    (top / "run").write_bytes(b"#!")
    (top / "run").chmod(0o755)
    (top / "link").symlink_to("src/a.py")
    (top / "out").symlink_to("../../x")
    (top / os.fsdecode(b"caf\xe9")).write_bytes(b"e")
    read = Read(tmp_path, "project", None, folders="self")
    assert read.verdicts == {
        "/.git": "source:skipped",
        "/caf\\xe9": None,
        "/link": "source:symlink",
        "/out": "source:unsafe_link",
        "/run": None,
        "/src/a.py": None,
    }
    assert read.contents() == {"/caf\\xe9": b"e", "/run": b"#!", "/src/a.py": b"a\n"}
    assert (read.head["visit_type"], read.head["origin"]) == ("folder", "archive:project")
    before = read.container.stamp
    (top / "src" / "a.py").write_bytes(b"changed\n")
    (after,) = read.source.containers()
    assert after.stamp != before
    assert read.source.heads(after, tmp_path).digest != read.digest
    os.mkfifo(top / "pipe")
    read = Read(tmp_path, "project", None, folders="self")
    assert read.verdicts["/pipe"] == "source:special"


def test_folder_that_changed_in_between_is_a_problem(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a").write_bytes(b"a")
    read = Read(tmp_path, "p", None, folders="self")
    (tmp_path / "p" / "a").unlink()
    ((_, problem),) = read.source.read(read.container, read.files, 99)
    assert problem.reason == "missing"
    with pytest.raises(InputError):
        list(read.source.files(read.container, [read.head["root"]], tmp_path))


def test_origins(tmp_path):
    read = Read(tmp_path, "a.tar", tar(*PLAIN), origin_prefix="https://u:p@example.org/dl/")
    assert read.head["origin"] == "https://example.org/dl/a.tar"
    read = Read(tmp_path, "a.tar", None, origins={"a.tar": "https://example.org/z"})
    assert read.head["origin"] == "https://example.org/z"
