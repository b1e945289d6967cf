"""The corpus is the same for the same downloads, and its salted copies differ as they should."""

import importlib.util
import io
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def load(name):
    sys.path.insert(0, str(FOLDER))
    try:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


corpus, salting = load("corpus"), load("salt")


@pytest.fixture
def downloads(tmp_path):
    """Two versions of a wheel and a source archive, as the clients leave them."""
    packages = [
        corpus.Package("pip", "one", "1.0"),
        corpus.Package("pip", "one", "2.0"),
        corpus.Package("apt", "two", ""),
    ]
    for package in packages[:2]:
        place = tmp_path / "archives" / package.label
        place.mkdir(parents=True)
        with zipfile.ZipFile(place / "one.whl", "w") as archive:
            archive.writestr("one/a.py", f"version = '{package.version}'\n")
            archive.writestr("one/same.py", "x = 1\n")
            archive.writestr("one/data.bin", b"\0\1")
    place = tmp_path / "archives" / "apt/two"
    place.mkdir(parents=True)
    with tarfile.open(place / "two_1.orig.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo('two-1/src/na"me.c')
        member.size = 7
        archive.addfile(member, io.BytesIO(b"int x;\n"))
    return tmp_path, packages


def rows(folder):
    return [
        row for file in sorted(folder.glob("*.parquet")) for row in pq.read_table(file).to_pylist()
    ]


def test_text_files_become_rows(downloads):
    out, packages = downloads
    assert corpus.write_parquet(out, packages) == {"files": 5, "bytes": 51, "contents": 4}
    found = {(row["repo_name"], row["path"]): row for row in rows(out / "parquet")}
    assert ("pip/one-1.0", "one/data.bin") not in found
    row = found["apt/two", 'src/na"me.c']
    assert row["content"] == b"int x;\n"
    git = subprocess.run(["git", "hash-object", "--stdin"], input=b"int x;\n", capture_output=True)
    assert row["content_id"] == git.stdout.decode().strip()
    first = {file.name: file.read_bytes() for file in (out / "parquet").iterdir()}
    corpus.write_parquet(out, packages)
    assert {file.name: file.read_bytes() for file in (out / "parquet").iterdir()} == first


def test_versions_become_history(downloads):
    out, packages = downloads
    heads = []
    for _ in range(2):
        assert corpus.write_git(out, packages) == ["pip-one"]
        log = ["git", "-C", str(out / "git" / "pip-one"), "log", "--format=%H %s", "main"]
        heads.append(subprocess.run(log, capture_output=True, check=True).stdout.decode())
    assert heads[0] == heads[1]
    assert [line.split()[1] for line in heads[0].splitlines()] == ["pip/one-2.0", "pip/one-1.0"]


def test_salt_renames_by_copy():
    text = b"def compute_total(items): return total_of(items)  # 0xdeadbeef, caf\xc3\xa9 http\n"
    one, again = salting.salt([text, text], 1)
    assert one == again == salting.salt([text], 1)[0] != salting.salt([text], 2)[0]
    assert len(one) == len(text)
    words = re.findall(rb"\w+", text), re.findall(rb"\w+", one)
    pairs = set(zip(*words, strict=True))
    assert len(pairs) == len({old for old, _ in pairs})  # a word is always the same other word
    changed = {old for old, new in pairs if old != new}
    assert changed == {b"compute_total", b"items", b"total_of", b"0xdeadbeef"}
    assert re.search(rb"0x[0-9a-f]{8}, ", one)


def test_notices_are_told_by_their_name():
    assert salting.is_notice("a/LICENSE.txt") and salting.is_notice("COPYING")
    assert not salting.is_notice("license/main.c")


def test_packages_are_listed_once():
    labels = [package.label for package in corpus.packages()]
    assert len(labels) == len(set(labels)) > 60
    assert {package.ecosystem for package in corpus.packages()} == {"pip", "npm", "apt"}
