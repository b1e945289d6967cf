"""The git source on repositories built here: ids as git gives them, damage costs what it hit."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import subprocess
import zlib
from pathlib import Path

import pyarrow as pa
import pytest

from stackcurate.errors import ConfigError, InputError
from stackcurate.schema import HEAD, LISTING, REVISION
from stackcurate.sources.base import Problem
from stackcurate.sources.git import Git, latest_second
from stackcurate.sources.ids import directory_id, object_id

DAY = 86_400
START = 1_700_000_000


def git(folder: Path, *arguments: str, data: bytes = b"", when: int = START) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "A U Thor",
        "GIT_AUTHOR_EMAIL": "author@example.org",
        "GIT_COMMITTER_NAME": "C O Mitter",
        "GIT_COMMITTER_EMAIL": "committer@example.org",
        "GIT_AUTHOR_DATE": f"{when - 60} +0530",
        "GIT_COMMITTER_DATE": f"{when} -0100",
    }
    command = ["git", "-c", "protocol.file.allow=always", "-c", "gc.auto=0", *arguments]
    done = subprocess.run(
        command, cwd=folder, input=data, capture_output=True, check=True, env=environment
    )
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def commit(folder: Path, files: dict[str, bytes], when: int = START) -> str:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "step", when=when)
    return git(folder, "rev-parse", "HEAD")


def new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    return folder


def write_object(folder: Path, kind: str, body: bytes) -> bytes:
    """A loose object that git itself might refuse to write."""
    one = object_id(kind, body)
    place = folder / ".git" / "objects" / one.hex()[:2] / one.hex()[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(zlib.compress(b"%s %d\0" % (kind.encode(), len(body)) + body))
    return one


def commit_tree(folder: Path, tree: bytes) -> None:
    person = b"Name <n@example.org> 1700000000 +0000"
    body = b"tree %s\nauthor %s\ncommitter %s\n\nx\n" % (tree.hex().encode(), person, person)
    one = write_object(folder, "commit", body)
    (folder / ".git" / "refs" / "heads" / "main").write_text(one.hex() + "\n")


def loose(folder: Path, revision: str) -> Path:
    one = git(folder, "rev-parse", revision)
    return folder / ".git" / "objects" / one[:2] / one[2:]


def head_of(source: Git, tmp_path: Path):
    (container,) = source.containers()
    answer = source.heads(container, tmp_path)
    assert answer.heads.schema == HEAD and answer.revisions.schema == REVISION
    return container, answer, (answer.heads.to_pylist() or [None])[0]


def listed(source: Git, tmp_path: Path) -> tuple[object, pa.Table]:
    container, answer, _ = head_of(source, tmp_path)
    roots = answer.heads["root"].to_pylist()
    batches = list(source.files(container, roots, tmp_path))
    assert all(batch.schema == LISTING for batch in batches)
    return container, pa.Table.from_batches(batches, LISTING)


def contents(source: Git, tmp_path: Path, limit: int = 1 << 20) -> dict[str, object]:
    container, files = listed(source, tmp_path)
    files = files.filter(pa.compute.is_null(files["verdict"]))
    found = dict(source.read(container, files, limit))
    assert sorted(found) == list(range(files.num_rows))
    return {path: found[row] for row, path in enumerate(files["path"].to_pylist())}


@pytest.fixture
def plain(tmp_path):
    folder = new(tmp_path / "code")
    commit(folder, {"a.py": b"one\n"}, START)
    commit(folder, {"a.py": b"two\n", "src/b.py": b"b\n", "src/deep/c.py": b"c\n"}, START + DAY)
    return folder


def test_ids_are_gits(plain, tmp_path):
    git(plain, "tag", "-a", "v1", "-m", "first", "HEAD~1")
    source = Git(path=plain)
    container, files = listed(source, tmp_path)
    _, answer, head = head_of(source, tmp_path)
    assert container.key == "code" and container.size > 0
    assert head["origin"] == "git:code" and head["repo_name"] == "code"
    assert head["branch_name"] == "refs/heads/main"
    assert head["revision_id"] == git(plain, "rev-parse", "HEAD")
    assert head["root"] == head["directory_id"] == git(plain, "rev-parse", "HEAD^{tree}")
    assert head["visit_date"] is None
    committed = answer.heads["committer_date"].cast(pa.int64()).to_pylist()
    assert committed == [(START + DAY) * 10**9]
    expected = []
    for line in git(plain, "ls-tree", "-r", "-l", "HEAD").splitlines():
        mode, _, one, size, name = line.split(None, 4)
        expected.append((f"/{name}", int(mode, 8), one, int(size)))
    found = zip(
        files["path"].to_pylist(),
        files["mode"].to_pylist(),
        [one.hex() for one in files["content_id"].to_pylist()],
        files["length"].to_pylist(),
        strict=True,
    )
    assert list(found) == expected
    assert set(files["root"].to_pylist()) == {head["root"]}
    assert files["blob_id"].null_count == len(files)
    assert pickle.loads(pickle.dumps(source)) == source


def test_snapshot_id_is_the_archives(plain, tmp_path):
    git(plain, "tag", "-a", "v1", "-m", "first", "HEAD~1")
    git(plain, "tag", "light")
    git(plain, "update-ref", "refs/pull/7/merge", "HEAD")  # the archive leaves these out
    branches = [
        ("alias", "HEAD", b"refs/heads/main"),
        ("revision", "refs/heads/main", bytes.fromhex(git(plain, "rev-parse", "main"))),
        ("revision", "refs/tags/light", bytes.fromhex(git(plain, "rev-parse", "light"))),
        ("release", "refs/tags/v1", bytes.fromhex(git(plain, "rev-parse", "v1"))),
    ]
    manifest = b"".join(
        f"{kind} {name}\0{len(target)}:".encode() + target for kind, name, target in branches
    )
    _, _, head = head_of(Git(path=plain), tmp_path)
    assert bytes.fromhex(head["snapshot_id"]) == object_id("snapshot", manifest)


def test_revision_row_hashes_persons(plain, tmp_path):
    _, answer, _ = head_of(Git(path=plain), tmp_path)
    (row,) = answer.revisions.to_pylist()
    assert row["author"] == hashlib.sha256(b"A U Thor <author@example.org>").hexdigest()
    assert row["committer"] == hashlib.sha256(b"C O Mitter <committer@example.org>").hexdigest()
    assert (row["date_seconds"], row["date_offset_minutes"]) == (START + DAY - 60, 330)
    assert (row["committer_date_seconds"], row["committer_date_offset_minutes"]) == (
        START + DAY,
        -60,
    )
    assert row["parents"] == [git(plain, "rev-parse", "HEAD~1")]
    _, answer, _ = head_of(Git(path=plain, history="all"), tmp_path)
    assert sorted(answer.revisions["revision_id"].to_pylist()) == sorted(
        git(plain, "rev-list", "HEAD").split()
    )


def test_read_gives_the_bytes(plain, tmp_path):
    commit(plain, {"empty": b"", "copy.py": b"two\n", "big": b"x" * 300_000})
    found = contents(Git(path=plain), tmp_path, limit=100_000)
    assert found["/a.py"] == found["/copy.py"] == b"two\n"
    assert found["/empty"] == b"" and found["/src/deep/c.py"] == b"c\n"
    assert found["/big"].reason == "too_large"


def test_more_objects_than_the_window_from_a_pack(tmp_path):
    folder = new(tmp_path / "many")
    files = {f"d{number % 7}/f{number}": b"%d\n" % number * number for number in range(700)}
    commit(folder, files)
    git(folder, "repack", "-a", "-d", "-q")
    found = contents(Git(path=folder), tmp_path)
    assert found == {f"/{name}": data for name, data in files.items()}


def test_as_of_picks_by_committer_date(plain, tmp_path):
    def chosen(as_of):
        return head_of(Git(path=plain, as_of=as_of), tmp_path)

    first, second = git(plain, "rev-list", "--reverse", "HEAD").split()
    assert chosen("2023-11-14T22:13:20")[2]["revision_id"] == first
    assert chosen("2023-11-15")[2]["revision_id"] == second  # a date is its whole day
    assert chosen("2023-11-14")[2]["revision_id"] == first
    _, answer, head = chosen("2023-11-14T22:13:19Z")
    assert head is None and answer.problems[0].reason == "too_young"
    with pytest.raises(ConfigError):
        Git(path=plain, as_of="last tuesday")


def test_as_of_takes_the_newest_not_the_nearest_and_the_child_of_a_tie(tmp_path):
    folder = new(tmp_path / "clock")
    commit(folder, {"a": b"1"}, START)
    newest = commit(folder, {"a": b"2"}, START + 5 * DAY)  # a clock that ran ahead
    commit(folder, {"a": b"3"}, START + DAY)
    source = Git(path=folder, as_of="2023-11-30")
    assert head_of(source, tmp_path)[2]["revision_id"] == newest
    commit(folder, {"a": b"4"}, START + 6 * DAY)
    child = commit(folder, {"a": b"5"}, START + 6 * DAY)
    assert head_of(source, tmp_path)[2]["revision_id"] == child


def test_latest_second_reads_zones():
    assert latest_second("1970-01-01") == DAY - 1
    assert latest_second("1970-01-01T01:00:00+01:00") == 0
    assert latest_second(None) is None


@pytest.mark.parametrize("branch", ["side", "refs/heads/side", "old", "refs/tags/old"])
def test_branch_by_any_name(plain, tmp_path, branch):
    git(plain, "branch", "side", "HEAD~1")
    git(plain, "tag", "-a", "old", "-m", "x", "HEAD~1")
    _, _, head = head_of(Git(path=plain, branch=branch), tmp_path)
    assert head["revision_id"] == git(plain, "rev-parse", "HEAD~1")
    assert head["branch_name"].startswith("refs/")


def test_detached_head_and_unknown_branch(plain, tmp_path):
    git(plain, "checkout", "-q", "--detach", "HEAD~1")
    _, _, head = head_of(Git(path=plain), tmp_path)
    assert head["branch_name"] == "HEAD"
    assert head["revision_id"] == git(plain, "rev-parse", "HEAD")
    _, answer, head = head_of(Git(path=plain, branch="nope"), tmp_path)
    assert head is None and "nope" in answer.problems[0].message


def test_a_head_that_names_no_branch_falls_back_to_main_then_master(plain, tmp_path):
    tip = git(plain, "rev-parse", "HEAD")
    older = git(plain, "rev-parse", "HEAD~1")
    git(plain, "checkout", "-q", "--detach")
    for branch in git(plain, "for-each-ref", "--format=%(refname)", "refs/heads").split():
        git(plain, "update-ref", "-d", branch)
    git(plain, "branch", "master", older)
    git(plain, "symbolic-ref", "HEAD", "refs/heads/gone")
    _, _, head = head_of(Git(path=plain), tmp_path)
    assert head["revision_id"] == older and head["branch_name"] == "refs/heads/master"
    git(plain, "branch", "main", tip)
    _, _, head = head_of(Git(path=plain), tmp_path)
    assert head["revision_id"] == tip
    _, _, head = head_of(Git(path=plain, branch="gone"), tmp_path)
    assert head is None


def test_empty_repository_is_a_problem_not_an_error(tmp_path):
    new(tmp_path / "empty")
    _, answer, head = head_of(Git(path=tmp_path / "empty"), tmp_path)
    assert head is None and answer.problems[0].reason == "empty"


@pytest.mark.parametrize(
    "remote, origin, name",
    [
        ("https://user:t0ken@github.com/Owner/name.git", "https://github.com/Owner/name", None),
        ("git@gitlab.com:group/sub/name.git", "https://gitlab.com/group/sub/name.git", None),
        ("ssh://git@example.org:2222/a/b", "ssh://example.org:2222/a/b", "a/b"),
        ("/home/me/elsewhere", "git:code", "code"),
        ("file:///home/me/elsewhere", "git:code", "code"),
        ("C:\\work\\code", "git:code", "code"),
        ("https://example.org/a/b?token=1#frag", "https://example.org/a/b", "a/b"),
    ],
)
def test_origin_from_the_remote_has_no_secret_and_no_path(plain, tmp_path, remote, origin, name):
    git(plain, "remote", "add", "origin", remote)
    _, _, head = head_of(Git(path=plain), tmp_path)
    assert head["origin"] == origin
    expected = name or origin.split("/", 3)[3].removesuffix(".git")
    assert head["repo_name"] == expected


def test_origin_options_come_in_order(plain, tmp_path):
    prefixed = Git(path=plain, origin_prefix="https://github.com/me/")
    assert head_of(prefixed, tmp_path)[2]["origin"] == "https://github.com/me/code"
    git(plain, "remote", "add", "origin", "https://example.org/x/y")
    assert head_of(prefixed, tmp_path)[2]["origin"] == "https://example.org/x/y"
    named = Git(path=plain, origins={"code": "https://u:p@example.org/z"})
    assert head_of(named, tmp_path)[2]["origin"] == "https://example.org/z"


def test_folder_of_repositories(tmp_path):
    top = tmp_path / "all"
    commit(new(top / "owner" / "one"), {"a": b"1"})
    git(top / "owner" / "one", "clone", "-q", "--bare", ".", str(top / "owner" / "two.git"))
    commit(new(top / "owner" / "one" / "vendored"), {"b": b"1"})  # inside another: not searched
    (top / "loop").symlink_to(top, target_is_directory=True)
    (top / "not a repository").mkdir()
    source = Git(path=top)
    assert [one.key for one in source.containers()] == ["owner/one", "owner/two.git"]
    for container in source.containers():
        answer = source.heads(container, tmp_path)
        assert answer.heads.num_rows == 1
        roots = answer.heads["root"].to_pylist()
        assert sum(batch.num_rows for batch in source.files(container, roots, tmp_path)) >= 1
    with pytest.raises(ConfigError):
        Git(path=top / "not a repository").containers()


def test_a_git_file_that_leaves_the_source_is_set_aside(tmp_path):
    private = commit(new(tmp_path / "private"), {"secret": b"x"})
    assert private
    inside = tmp_path / "all" / "trap"
    inside.mkdir(parents=True)
    (inside / ".git").write_text(f"gitdir: {tmp_path / 'private' / '.git'}\n")
    (container,) = Git(path=tmp_path / "all").containers()
    with pytest.raises(InputError) as caught:
        Git(path=tmp_path / "all").heads(container, tmp_path)
    assert caught.value.reason == "outside"


def test_linked_work_tree(plain, tmp_path):
    git(plain, "remote", "add", "origin", "https://example.org/x/y")
    git(plain, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"), "HEAD~1")
    _, _, head = head_of(Git(path=tmp_path / "linked"), tmp_path)
    assert head["branch_name"] == "refs/heads/side"
    assert head["origin"] == "https://example.org/x/y"
    assert contents(Git(path=tmp_path / "linked"), tmp_path) == {"/a.py": b"one\n"}


def test_stamp_changes_with_refs_and_stays_otherwise(plain):
    def stamp():
        return Git(path=plain).containers()[0].stamp

    before = stamp()
    assert stamp() == before
    git(plain, "branch", "other")
    assert stamp() != before


def test_digest_is_the_same_for_a_copy(plain, tmp_path):
    shutil.copytree(plain, tmp_path / "else" / "code")
    _, one, _ = head_of(Git(path=plain), tmp_path)
    _, two, _ = head_of(Git(path=tmp_path / "else" / "code"), tmp_path)
    assert one.digest == two.digest and one.heads == two.heads


def test_links_submodules_and_names_that_are_not_utf8(tmp_path):
    folder = new(tmp_path / "odd")
    (folder / "link").symlink_to("target")
    commit(folder, {"x": b"x"})
    blob = git(folder, "hash-object", "-w", "--stdin", data=b"y").encode()
    entries = b"100644 blob %s\tcaf\xe9\\%c160000 commit %s\tsub%c100755 blob %s\trun\n.sh%c" % (
        blob,
        0,
        b"12" * 20,
        0,
        blob,
        0,
    )
    git(folder, "update-index", "-z", "--index-info", data=entries)
    git(folder, "commit", "-q", "-m", "odd")
    _, files = listed(Git(path=folder), tmp_path)
    rows = {row["path"]: row for row in files.to_pylist()}
    assert rows["/link"]["verdict"] == "source:symlink" and rows["/link"]["length"] == 6
    assert rows["/sub"]["verdict"] == "source:submodule" and rows["/sub"]["content_id"] is None
    assert rows["/caf\\xe9\\\\"]["path_bytes"] == b"/caf\xe9\\"
    assert rows["/run\n.sh"]["mode"] == 0o100755 and rows["/run\n.sh"]["path_bytes"] is None
    assert rows["/x"]["verdict"] is None


def test_a_missing_directory_costs_its_files(plain, tmp_path):
    loose(plain, "HEAD:src/deep").unlink()
    _, files = listed(Git(path=plain), tmp_path)
    rows = {row["path"]: row for row in files.to_pylist()}
    assert sorted(rows) == ["/a.py", "/src/b.py", "/src/deep"]
    assert rows["/src/deep"]["verdict"] == "source:unreadable"
    assert "not have" in rows["/src/deep"]["note"]
    assert contents(Git(path=plain), tmp_path) == {"/a.py": b"two\n", "/src/b.py": b"b\n"}


def test_a_missing_root_is_one_row(plain, tmp_path):
    loose(plain, "HEAD^{tree}").unlink()
    _, files = listed(Git(path=plain), tmp_path)
    assert files["path"].to_pylist() == ["/"]
    assert files["verdict"].to_pylist() == ["source:unreadable"]


def test_damaged_blobs_cost_themselves(plain, tmp_path):
    commit(plain, {f"n{number}": os.urandom(3000) for number in range(150)})
    for number in (3, 4, 90):
        place = loose(plain, f"HEAD:n{number}")
        place.chmod(0o600)
        data = place.read_bytes()
        place.write_bytes(data[:1500] if number != 4 else data[:900] + bytes(400) + data[1300:])
    loose(plain, "HEAD:n120").unlink()
    found = contents(Git(path=plain), tmp_path)
    bad = {path: one.reason for path, one in found.items() if isinstance(one, Problem)}
    assert bad == {
        "/n3": "corrupt",
        "/n4": "corrupt",
        "/n90": "corrupt",
        "/n120": "missing",
    }


def test_a_cut_pack_costs_what_lay_behind_the_cut(tmp_path):
    folder = new(tmp_path / "cut")
    commit(folder, {f"n{number}": os.urandom(3000) for number in range(60)})
    git(folder, "repack", "-a", "-d", "-q")
    (pack,) = (folder / ".git" / "objects" / "pack").glob("*.pack")
    pack.chmod(0o600)
    data = bytearray(pack.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 5000] = bytes(5000)
    pack.write_bytes(data)
    found = contents(Git(path=folder), tmp_path)
    bad = [one for one in found.values() if isinstance(one, Problem)]
    assert len(found) == 60 and 1 <= len(bad) <= 5


def test_a_lying_object_is_found(plain, tmp_path):
    """A directory whose bytes do not have its id is not believed."""
    place = loose(plain, "HEAD:src")
    place.chmod(0o600)
    other = b"100644 evil\0" + b"\x01" * 20
    place.write_bytes(zlib.compress(b"tree %d\0" % len(other) + other))
    _, files = listed(Git(path=plain), tmp_path)
    row = files.to_pylist()[-1]
    assert (row["path"], row["verdict"]) == ("/src", "source:unreadable")


def test_partial_clone_reads_what_is_there_and_fetches_nothing(plain, tmp_path):
    git(plain, "config", "uploadpack.allowFilter", "true")
    url = f"file://{plain}"
    target = tmp_path / "partial"
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", url, str(target))
    found = contents(Git(path=target), tmp_path)
    assert {one.reason for one in found.values()} == {"missing"} and len(found) == 3
    _, files = listed(Git(path=target), tmp_path)
    assert files["length"].null_count == 3


def test_objects_borrowed_from_another_repository_are_read(plain, tmp_path):
    git(tmp_path, "clone", "-q", "--shared", "--no-checkout", str(plain), "borrower")
    assert not list((tmp_path / "borrower" / ".git" / "objects").glob("??/*"))
    assert contents(Git(path=tmp_path / "borrower"), tmp_path)["/a.py"] == b"two\n"


def test_shallow_clone_keeps_its_parents(plain, tmp_path):
    target = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{plain}", str(target))
    _, answer, head = head_of(Git(path=target, as_of="2030-01-01", history="all"), tmp_path)
    (row,) = answer.revisions.to_pylist()
    assert row["parents"] == [git(plain, "rev-parse", "HEAD~1")]
    assert head["revision_id"] == row["revision_id"]


def test_lost_commit_below_the_head_keeps_the_head(plain, tmp_path):
    loose(plain, "HEAD~1").unlink()
    _, answer, head = head_of(Git(path=plain, history="all"), tmp_path)
    assert head["revision_id"] == git(plain, "rev-parse", "HEAD")
    assert [problem.reason for problem in answer.problems] == ["missing"]


def test_lost_head_commit_is_a_problem(plain, tmp_path):
    loose(plain, "HEAD").unlink()
    _, answer, head = head_of(Git(path=plain), tmp_path)
    assert head is None and {one.reason for one in answer.problems} == {"missing"}


def test_broken_repositories_are_set_aside(plain, tmp_path):
    (plain / ".git" / "config").write_text("[core\n")
    (container,) = Git(path=plain).containers()
    with pytest.raises(InputError) as caught:
        Git(path=plain).heads(container, tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_a_tag_without_its_object_costs_the_snapshot_id_alone(plain, tmp_path):
    git(plain, "tag", "-a", "v1", "-m", "x")
    one = git(plain, "rev-parse", "v1")
    (plain / ".git" / "objects" / one[:2] / one[2:]).unlink()
    _, answer, head = head_of(Git(path=plain), tmp_path)
    assert head["snapshot_id"] is None and head["revision_id"]
    assert [(one.where, one.reason) for one in answer.problems] == [
        ("code: refs/tags/v1", "missing")
    ]


def test_a_repository_without_configuration_is_read(plain, tmp_path):
    (plain / ".git" / "config").unlink()
    assert len(contents(Git(path=plain), tmp_path)) == 3


def test_sha256_repositories_are_set_aside(tmp_path):
    folder = tmp_path / "wide"
    folder.mkdir()
    git(folder, "init", "-q", "--object-format=sha256")
    (container,) = Git(path=folder).containers()
    with pytest.raises(InputError, match="sha256"):
        Git(path=folder).heads(container, tmp_path)


def test_ten_billion_claimed_files_are_one_row(tmp_path):
    folder = new(tmp_path / "bomb")
    tree = write_object(folder, "tree", b"100644 f\0" + write_object(folder, "blob", b"boom"))
    for _ in range(10):
        entries = [(0o40000, b"%d" % number, tree) for number in range(10)]
        body = b"".join(b"%o %s\0%s" % entry for entry in entries)
        tree = write_object(folder, "tree", body)
    commit_tree(folder, tree)
    _, files = listed(Git(path=folder), tmp_path)
    (row,) = files.to_pylist()
    assert row["verdict"] == "source:too_many_files" and "10000000000 files" in row["note"]


def test_more_files_than_a_batch(tmp_path):
    """A directory of 700 files at 100 places: 70,000 rows in two batches, in order."""
    folder = new(tmp_path / "wide")
    blob = write_object(folder, "blob", b"four")
    names = [b"%03d" % number for number in range(700)]
    inner = write_object(folder, "tree", b"".join(b"100644 %s\0%s" % (n, blob) for n in names))
    outer = b"".join(b"40000 %s\0%s" % (name, inner) for name in names[:100])
    commit_tree(folder, write_object(folder, "tree", outer))
    source = Git(path=folder)
    container, answer, _ = head_of(source, tmp_path)
    batches = list(source.files(container, answer.heads["root"].to_pylist(), tmp_path))
    assert [batch.num_rows for batch in batches] == [65_536, 70_000 - 65_536]
    paths = pa.Table.from_batches(batches)["path"].to_pylist()
    assert paths == [f"/{n // 700:03d}/{n % 700:03d}" for n in range(70_000)]
    assert set(batches[1]["length"].to_pylist()) == {4}


def test_shared_directories_are_listed_at_each_place(tmp_path):
    folder = new(tmp_path / "shared")
    commit(folder, {"a/x/f": b"1", "b/x/f": b"1", "b/y/x/f": b"1"})
    _, files = listed(Git(path=folder), tmp_path)
    assert files["path"].to_pylist() == ["/a/x/f", "/b/x/f", "/b/y/x/f"]


def test_names_no_file_system_takes(tmp_path):
    folder = new(tmp_path / "names")
    blob = write_object(folder, "blob", b"x")
    deep = write_object(folder, "tree", b"100644 ok\0" + blob)
    for _ in range(30):
        deep = write_object(folder, "tree", b"40000 " + b"d" * 200 + b"\0" + deep)
    entries = [
        b"100644 ..\0" + blob,
        b"100644 a/b\0" + blob,
        b"100644 twice\0" + blob,
        b"100644 twice\0" + blob,
        b"60000 device\0" + blob,
        b"40000 deep\0" + deep,
        b"100644 fine\0" + blob,
    ]
    commit_tree(folder, write_object(folder, "tree", b"".join(entries)))
    _, files = listed(Git(path=folder), tmp_path)
    found = [(row["path"][:9], row["verdict"]) for row in files.to_pylist()]
    assert found == [
        ("/..", "source:unsafe_path"),
        ("/a/b", "source:unsafe_path"),
        ("/twice", None),
        ("/twice", "source:unsafe_path"),
        ("/device", "source:special"),
        ("/deep/ddd", "source:unsafe_path"),
        ("/fine", None),
    ]


@pytest.mark.parametrize("body", [b"100644 cut\0abc", b"1_0644 f\0" + bytes(20), b"no mode"])
def test_malformed_directories(tmp_path, body):
    folder = new(tmp_path / "malformed")
    good = write_object(folder, "tree", b"")
    assert good == directory_id([])
    commit_tree(folder, write_object(folder, "tree", body))
    _, files = listed(Git(path=folder), tmp_path)
    assert files["verdict"].to_pylist() == ["source:unreadable"]


def test_dates_out_of_range(tmp_path):
    folder = new(tmp_path / "dates")
    tree = write_object(folder, "tree", b"")
    body = (
        b"tree %s\nauthor Late <l@example.org> 9223372036854775807 +9999\n"
        b"committer no date at all\n\nx\n" % tree.hex().encode()
    )
    one = write_object(folder, "commit", body)
    (folder / ".git" / "refs" / "heads" / "main").write_text(one.hex() + "\n")
    _, answer, head = head_of(Git(path=folder), tmp_path)
    assert head["revision_date"] is None and head["committer_date"] is None
    (row,) = answer.revisions.to_pylist()
    assert row["date_seconds"] == 2**63 - 1 and row["committer_date_seconds"] is None


def test_hooks_and_programs_of_the_repository_never_run(plain, tmp_path):
    marker = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor"):
        git(plain, "config", name, str(script))
    git(plain, "config", "remote.origin.url", f"ext::{script}")
    git(plain, "config", "remote.origin.promisor", "true")
    git(plain, "config", "protocol.ext.allow", "always")
    git(plain, "config", "filter.x.smudge", str(script))
    loose(plain, "HEAD:a.py").unlink()
    found = contents(Git(path=plain), tmp_path)
    assert found["/a.py"].reason == "missing" and found["/src/b.py"] == b"b\n"
    assert not marker.exists()


def test_replace_refs_and_grafts_do_not_lie(plain, tmp_path):
    first = git(plain, "rev-parse", "HEAD~1")
    git(plain, "replace", git(plain, "rev-parse", "HEAD"), first)
    found = contents(Git(path=plain), tmp_path)
    assert found["/a.py"] == b"two\n"
