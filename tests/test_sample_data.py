"""sample_data/ is what its script writes, again and again, and holds what it says it holds."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import runpy
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from stackcurate.optout import registry
from stackcurate.schema import LEDGER

from .sample_expectations import compare, compare_redactions

TOP = Path(__file__).parent.parent
SAMPLE = TOP / "sample_data"
SCRIPT = TOP / "scripts" / "make_sample_data.py"


@pytest.fixture(scope="module")
def expected():
    return json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    """Two builds by two processes with different hash seeds and time zones."""
    folders = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        out = tmp_path_factory.mktemp("sample") / "out"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        subprocess.run([sys.executable, str(SCRIPT), str(out)], check=True, env=environment)
        folders.append(out)
    return folders


def files_below(folder):
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}


def meaning(path):
    """What a file says, whatever version of zlib or pyarrow packed it."""
    data = path.read_bytes()
    if path.suffix == ".orc":
        # dates out of range: read as what ORC stores is another test's business
        file = orc.ORCFile(path)
        columns = [f.name for f in file.schema if not pa.types.is_timestamp(f.type)]
        return file.read(columns=columns).to_pylist()
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if data.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(31).decompress(data)  # also of one that ends early
    if data.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            return [(i.filename, i.external_attr, archive.read(i)) for i in archive.infolist()]
    if re.search(r"objects/../[0-9a-f]{38}$", path.as_posix()):
        return zlib.decompress(data)
    if path.suffix in (".pack", ".idx"):
        return path.name  # its name is the digest of its object ids
    return data


def test_two_builds_are_equal_byte_for_byte(rebuilt):
    one, two = (files_below(folder) for folder in rebuilt)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name].read_bytes() != two[name].read_bytes()] == []


def test_the_committed_data_is_what_the_script_writes(rebuilt):
    fresh, committed = files_below(rebuilt[0]), files_below(SAMPLE)
    assert fresh.keys() == committed.keys()
    assert [n for n in fresh if meaning(fresh[n]) != meaning(committed[n])] == []


def test_it_is_small():
    assert sum(path.stat().st_size for path in files_below(SAMPLE).values()) < 5_000_000


def test_every_outcome_that_a_plan_can_have_is_planted(expected):
    outcomes = Counter(f["outcome"] for f in expected["files"])
    stages = {outcome.partition(":")[0] for outcome in outcomes}
    assert stages == {
        "kept", "source", "optout", "choose", "license", "fetch", "header", "filter", "dedup",
    }  # fmt: skip
    assert {o for o in outcomes if o.startswith("optout:")} == {
        f"optout:{kind}" for kind in ("owner", "repository", "origin", "swhid", "path")
    }
    assert all(f["why"] for f in expected["files"])
    assert outcomes["kept"] > 40


def test_the_registry_holds_and_says_what_applies():
    state = registry.read(SAMPLE / "optout.jsonl")
    assert registry.summary(state)["approved"] == dict.fromkeys(
        ("owner", "repository", "origin", "swhid", "path"), 1
    )
    assert sorted(r.state for r in state.requests if r.state != "approved") == [
        "denied",
        "pending",
        "undone",
    ]


def test_git_reads_every_repository():
    for folder in sorted((SAMPLE / "git").iterdir()):
        git = ["git", f"--git-dir={folder}"]
        subprocess.run([*git, "fsck", "--full", "--strict"], check=True, capture_output=True)
        head = subprocess.run([*git, "rev-list", "HEAD"], check=True, capture_output=True)
        assert len(head.stdout.split()) == (3 if folder.name == "lantern.git" else 1)


def test_archives_hold_members_that_mean_harm():
    with zipfile.ZipFile(SAMPLE / "archives" / "hostile.zip") as archive:
        assert {"../escape.py", "/etc/absolute.py"} <= set(archive.namelist())
    with tarfile.open(SAMPLE / "archives" / "devices.tar") as archive:
        kinds = {m.name: m.type for m in archive}
    assert kinds["gate/console"] == tarfile.CHRTYPE
    assert kinds["gate/pipe"] == tarfile.FIFOTYPE


def test_the_store_is_damaged_where_it_should_be():
    damage = Counter()
    for path in (SAMPLE / "contents" / "content").iterdir():
        try:
            data = gzip.decompress(path.read_bytes())
        except EOFError:
            damage["torn"] += 1
            continue
        damage["wrong" if hashlib.sha1(data).hexdigest() != path.name else "whole"] += 1
    assert damage["torn"] == damage["wrong"] == 1 and damage["whole"] > 40


@pytest.fixture(scope="module")
def situations():
    """The builder's own modules, for what the data alone cannot say."""
    sys.path.insert(0, str(TOP / "scripts"))
    try:
        runpy.run_path(str(SCRIPT), run_name="sample")
        from sample_data import archives, content, graph, repositories, tables
        from sample_data import situations as found
    finally:
        sys.path.remove(str(TOP / "scripts"))
    return found, content, graph, repositories, tables, archives


def every_file(situations):
    s, _, _, repositories, tables, archives = situations
    found = [s.harbor(), s.soundings(), s.parsekit(), s.atlas(), s.relics(), s.rig(), s.letters()]
    found += [make() for _, make in repositories.PLAIN.values()]
    found += [s.lantern(), tables.almanac(), tables.oil_lamp()]
    found += [make() for make in archives.ARCHIVES.values()]
    return [one for files in found for one in files if one.data is not None]


def shingles(data):
    words = [w for w in re.split(r"\W+", data.decode("utf-8", "replace").lower()) if w]
    return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}


def jaccard(left, right):
    return len(left & right) / len(left | right) if left | right else 0.0


def test_near_duplicates_are_near_and_nothing_else_is(situations):
    """By brute force over words: planted pairs clearly above 0.8, all other pairs below 0.5."""
    kept, near = [], []
    for one in every_file(situations):
        if one.outcome in ("kept", "dedup:near"):
            (near if one.outcome == "dedup:near" else kept).append((one, shingles(one.data)))
    assert len(near) == 3
    for one, mine in near:
        assert 0.8 < max(jaccard(mine, other) for _, other in kept) < 1, one.path
    close = {
        (one.path, two.path): round(jaccard(mine, other), 2)
        for (one, mine), (two, other) in combinations(kept, 2)
        if jaccard(mine, other) >= 0.5
    }
    assert close == {}
    tide = next(mine for one, mine in kept if one.path == b"src/tide.py")
    seiche = next(mine for one, mine in kept if one.path == b"src/seiche.py")
    assert 0.2 < jaccard(tide, seiche) < 0.5


def test_equal_bytes_are_kept_once(situations):
    places = defaultdict(list)
    for one in every_file(situations):
        places[one.data].append(one.outcome)
    for outcomes in places.values():
        # what is dropped before `choose` does not compete
        alive = [o for o in outcomes if not o.startswith(("source:", "optout:", "license:"))]
        assert sum(outcome != "choose:copy" for outcome in alive) == min(1, len(alive)), outcomes


def test_no_secret_stands_whole_in_a_script(situations):
    content = situations[1]
    planted = (
        re.findall(r"AKIA\w{16}|'(\S{16})';|ghp_\w{36}", text)
        for text in (
            content.deploy_with_cloud_key(),
            content.database_with_password(),
            content.release_with_token(),
        )
    )
    assert all(planted)
    for script in (TOP / "scripts" / "sample_data").glob("*.py"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"AKIA[A-Z2-7]{16}|ghp_\w{30}|BEGIN \w+ PRIVATE KEY", text)
        assert not re.search(r"\b\w+@kestrelholm|\b45\.83\.", text)


def ledger_of(rows):
    return pa.Table.from_pylist([{"files": 1, "bytes": 0, **row} for row in rows], schema=LEDGER)


def as_ledger(expected):
    """The ledger of a run that went as planned, with one origin in one row."""
    rows, closed = [], Counter()
    for f in expected["files"]:
        if f["outcome"] == "choose:same_root":
            closed[f["origin"]] += 1
        else:
            rows.append({"scope": "file", **{k: f[k] for k in ("origin", "path", "outcome")}})
    rows += [
        {"scope": "origin", "origin": o, "outcome": "choose:same_root", "files": n}
        for o, n in closed.items()
    ]
    return rows


def test_compare_is_silent_where_all_is_well(expected):
    assert compare(expected, ledger_of(as_ledger(expected))) == []


def test_compare_names_every_difference(expected):
    rows = as_ledger(expected)
    first = next(row for row in rows if row["outcome"] == "kept")
    wide = rows[-1]
    first["outcome"] = "filter:empty"
    wide["files"] += 1
    lost = rows.pop(rows.index(next(row for row in rows if row["outcome"] == "dedup:near")))
    rows.append({"scope": "file", "origin": "x", "path": "/new", "outcome": "kept"})
    told = "\n".join(compare(expected, ledger_of(rows)))
    assert f"{first['path']}: expected kept" in told and "but it is filter:empty" in told
    assert f"the ledger says {wide['files']}" in told
    assert f"{lost['path']}: expected dedup:near" in told and "nowhere in the ledger" in told
    assert "x /new: kept, but nobody planted it" in told
    assert len(told.splitlines()) == 4


def test_compare_redactions(expected):
    planted = next(f for f in expected["files"] if f.get("redactions") == {"email": 2, "ip": 2})
    finding = {"rule": "r", "start": 0, "end": 1, "confidence": 1.0}
    good = [
        {**finding, "kind": kind, "number": number}
        for kind, number in (("email", 1), ("email", 2), ("email", 1), ("ip", 1), ("ip", 2))
    ]
    place = {"origin": planted["origin"], "path": planted["path"]}
    assert compare_redactions(expected, pa.Table.from_pylist([{**place, "redactions": good}])) == []
    bad = pa.Table.from_pylist([{**place, "redactions": good[:1]}])
    assert "redacted {'email': 1}" in compare_redactions(expected, bad)[0]
