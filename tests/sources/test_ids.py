"""Ids are held to git's own answers and to the published definition of snapshots."""

from __future__ import annotations

import hashlib
import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.sources import ids


def git(folder, *arguments, data=b""):
    return subprocess.run(
        ["git", *arguments], cwd=folder, input=data, capture_output=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ids")
    git(folder, "init", "-q")
    return folder


@pytest.mark.parametrize("data", [b"", b"a\n", bytes(range(256)) * 700])
def test_content_ids_equal_git_and_hashlib(repository, data):
    found = ids.content_ids([data, b"other"])
    assert (
        found.content_id[0].as_py().hex()
        == git(repository, "hash-object", "--stdin", data=data).decode()
    )
    assert found.blob_id[0].as_py() == hashlib.sha1(data).digest()
    assert found.sha256[0].as_py() == hashlib.sha256(data).digest()
    assert found.content_id[1].as_py() == ids.content_id(b"other")


def test_no_contents_give_empty_arrays():
    assert [len(array) for array in ids.content_ids([])] == [0, 0, 0]


def test_streamed_hash_equals_whole():
    hasher = ids.ContentHasher(5)
    hasher.update(b"ab")
    hasher.update(memoryview(b"cde"))
    assert hasher.content_id == ids.content_id(b"abcde")
    assert hasher.blob_id == hashlib.sha1(b"abcde").digest()


# Names around "." "/" "0" are where a directory sorts differently from a file of the same name.
NAMES = st.lists(
    st.text(alphabet="a.-/0é", min_size=1, max_size=4).filter(lambda name: "/" not in name),
    unique=True,
    max_size=8,
)


@settings(max_examples=15, deadline=None)
@given(names=NAMES, folders=st.sets(st.integers(0, 7)))
def test_directory_id_equals_git_mktree(repository, names, folders):
    blob = bytes.fromhex(git(repository, "hash-object", "-w", "--stdin", data=b"x").decode())
    tree = bytes.fromhex(git(repository, "mktree", data=b"").decode())
    entries = [
        (ids.MODE_TREE, os.fsencode(name), tree)
        if number in folders
        else (ids.MODE_FILE, os.fsencode(name), blob)
        for number, name in enumerate(names)
        if name not in (".", "..")
    ]
    lines = b"".join(
        b"%06o %s %s\t%s\0"
        % (mode, b"tree" if mode == ids.MODE_TREE else b"blob", target.hex().encode(), name)
        for mode, name, target in entries
    )
    expected = git(repository, "mktree", "-z", data=lines).decode()
    assert ids.directory_id(reversed(entries)).hex() == expected


def test_snapshot_id_follows_the_manifest():
    one, two = bytes(range(20)), bytes(range(20, 40))
    branches = {
        b"refs/heads/main": ("revision", one),
        b"HEAD": ("alias", b"refs/heads/main"),
        b"refs/tags/v1": ("release", two),
        b"refs/heads/gone": None,
    }
    manifest = (
        b"alias HEAD\x0015:refs/heads/main"
        b"dangling refs/heads/gone\x000:"
        b"revision refs/heads/main\x0020:" + one + b"release refs/tags/v1\x0020:" + two
    )
    expected = hashlib.sha1(b"snapshot %d\0" % len(manifest) + manifest).digest()
    assert ids.snapshot_id(branches) == expected


def test_snapshot_id_of_known_answers():
    """The empty snapshot, and one checked against swh.model 8.4.1."""
    assert ids.snapshot_id({}).hex() == "1a8893e6a86f444e8be8e7bda6cb34fb1735a00e"
    branches = {
        b"refs/heads/main": ("revision", b"\x11" * 20),
        b"HEAD": ("alias", b"refs/heads/main"),
        b"refs/tags/v1": ("release", b"\x22" * 20),
        b"refs/heads/gone": None,
    }
    assert ids.snapshot_id(branches).hex() == "27768e1943acaac4423831529927fae466dec9ff"
