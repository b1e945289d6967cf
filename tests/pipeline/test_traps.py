"""A file that kills, hangs or breaks a library is found, dropped and quarantined; no secret leaks.

The files are full of planted values. Whatever happens, none of them may ever stand on disk.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ..driving import Said, Site, assert_same_bytes, code, environment, git, repository, site
from .traps import COMMAND, HANG, KILL, RAISE

SPDX = "# SPDX-License-Identifier: MIT\n"


def trapped(place: Site, **env: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "run", str(place.config), "--workers", "2"],
        capture_output=True,
        env=environment(env),
        cwd=sys.prefix,
        timeout=240,
    )
    return Said(done.returncode, done.stdout, done.stderr.decode())


def planted() -> list[str]:
    """200 values that redaction must know: mail addresses, cloud keys, passwords."""
    dice = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    values = []
    for n in range(200):
        digest = hashlib.sha256(f"canary {n}".encode()).digest()
        word = "".join(dice[byte % 32] for byte in digest[:16])
        kind = n % 4
        if kind in (0, 1):
            values.append(f"{word[:9].lower()}{n}@{word[9:16].lower()}-works.com")
        elif kind == 2:
            values.append(f"AKIA{word}")
        else:
            values.append(f"{word[:5]}{word[5:9].lower()}{n}x{word[9:13]}Q")
    return values


def line_of(value: str, n: int) -> str:
    if "@" in value:
        return f'CONTACT_{n} = "write to {value} about it"\n'
    if value.startswith("AKIA"):
        return f'aws_access_key_id_{n} = "{value}"\n'
    return f'password_{n} = "{value}"\n'


def everything_below(folder: Path) -> dict[str, str]:
    """All that stands in a folder, as text: raw bytes, and tables with their buffers inflated."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        text = path.read_bytes().decode("latin-1")
        if path.suffix == ".arrow":
            with pa.OSFile(str(path)) as source:
                text += repr(pa.ipc.open_file(source).read_all().to_pylist())
        elif path.suffix == ".parquet":
            text += repr(pq.ParquetFile(path).read().to_pylist())
        found[path.relative_to(folder).as_posix()] = text
    return found


def leaks(folder: Path, values: list[str], but: tuple[str, ...] = ()) -> list[str]:
    return [
        name
        for name, text in everything_below(folder).items()
        if not any(part in name for part in but)
        for value in values
        if value in text
    ]


@pytest.fixture(scope="module")
def values() -> list[str]:
    return planted()


@pytest.fixture(scope="module")
def stormy(tmp_path_factory, cache, values):
    """A run that meets its traps, is stopped before publishing, and then goes on."""
    folder = tmp_path_factory.mktemp("traps")
    lines = [line_of(value, n) for n, value in enumerate(values)]
    filler = code("filler", 60)
    repository(
        folder / "git" / "one",
        {
            "kill.py": f"# {KILL}\n" + "".join(lines[:60]),
            "raise.py": f"# {RAISE}\n" + "".join(lines[60:110]),
            "plain.py": code("plain") + "".join(lines[110:150]),
            # a near twin of it, which dedup drops after redaction
            "near_a.py": filler + lines[150],
            "near_b.py": filler + lines[151],
            # dropped by filter, before redaction
            "data.json": "[" + ", ".join(json.dumps(line) for line in lines[152:170] * 60) + "]",
            # in a control file
            "package.json": json.dumps({"name": "one", "license": "MIT", "author": values[176]}),
            "sub/LICENSE": f"Questions: {values[180]}\n\n" + lines[183] + "All rights reserved.\n",
            # kills the reader of control files; nobody knows what it says, so x.py is not MIT
            "dead/LICENSE": f"{KILL}\n",
            "dead/x.py": code("x"),
            "latin.py": (code("latin") + "# caf\u00e9 \n" + "".join(lines[184:])).encode("latin-1"),
        },
    )
    place = site(folder, [{"kind": "git", "path": "git"}], cache)
    stopped = trapped(place, TRAP_STOP="1")
    middle = leaks(place.run_folder, values)
    done = trapped(place)
    return place, stopped, middle, done


def test_culprits_are_dropped_and_the_run_goes_on(stormy) -> None:
    place, stopped, _, done = stormy
    assert stopped.code == 4 and not any(place.release.parent.glob("*1.0.0.staging/manifest.json"))
    assert done.code == 0, done.all
    outcomes = {key.rpartition("/")[2]: outcome for key, outcome in place.outcomes().items()}
    assert outcomes["kill.py"] == outcomes["raise.py"] == "run:crashed"
    assert outcomes["plain.py"] == outcomes["near_a.py"] == outcomes["latin.py"] == "kept"
    assert outcomes["near_b.py"].startswith("dedup:")
    rows = {r["path"]: r["outcome"] for r in place.ledger().to_pylist()}
    assert rows["/dead/LICENSE"] == "run:crashed" and rows["/dead/x.py"] == "license:refused"
    assert place.manifest()["counts"]["dropped"]["run"]["crashed"]["files"] == 3


def test_quarantine_names_contents_and_ships(stormy) -> None:
    place = stormy[0]
    lines = (place.release / "quarantine.jsonl").read_text().splitlines()
    repo = place.config.parent / "git" / "one"
    names = {"kill.py": "fetch", "raise.py": "fetch", "dead/LICENSE": "control"}
    wanted = sorted((git(repo, "hash-object", name), phase) for name, phase in names.items())
    rows = [json.loads(line) for line in lines]
    assert [(row["content_id"], row["phase"]) for row in rows] == wanted
    assert (place.run_folder / "quarantine.jsonl").read_text().splitlines() == lines


def test_no_planted_value_is_ever_on_disk_or_on_the_screen(stormy, values) -> None:
    place, stopped, middle, done = stormy
    assert middle == []
    assert leaks(place.run_folder, values) == []
    assert leaks(place.release, values) == []
    said = stopped.all + done.all
    assert [value for value in values if value in said] == []
    redactions = place.files()["redactions"].to_pylist()
    assert sum(len(found or ()) for found in redactions) >= 40, "the canaries do not sing"


def test_a_rebuild_with_the_quarantine_gives_the_same_bytes(stormy, cache, tmp_path) -> None:
    """The library is not even called for what it could not bear."""
    place = stormy[0]
    shutil.copytree(place.config.parent / "git", tmp_path / "git", symlinks=True)
    again = site(tmp_path, [{"kind": "git", "path": "git"}], cache)
    again.run_folder.mkdir(parents=True)
    shutil.copy(place.release / "quarantine.jsonl", again.run_folder)
    assert again.built("--workers", 1)
    assert_same_bytes(place.release, again.release)


def test_a_file_that_hangs_a_library_is_found_too(tmp_path, cache) -> None:
    files = {"a.py": f"{SPDX}# {HANG}\n" + code("a"), "b.py": SPDX + code("b")}
    repository(tmp_path / "git" / "one", files, license_=None)
    place = site(tmp_path, [{"kind": "git", "path": "git"}], cache)
    said = trapped(place, TRAP_SECONDS="12")
    assert said.code == 0, said.all
    outcomes = {key.rpartition("/")[2]: outcome for key, outcome in place.outcomes().items()}
    assert outcomes == {"a.py": "run:timeout", "b.py": "kept"}


@pytest.mark.parametrize("synced", [0, 5, 30])
def test_a_full_disk_stops_and_the_run_goes_on_when_there_is_room(tmp_path, cache, synced) -> None:
    repository(tmp_path / "git" / "one", {"a.py": code("a"), "b.py": code("b")})
    place = site(tmp_path, [{"kind": "git", "path": "git"}], cache)
    said = trapped(place, TRAP_FULL=str(synced))
    assert said.code == 4, said.all
    assert "is full; nothing was published" in said.err and "Traceback" not in said.err
    assert not place.release.exists()
    if synced == 30:  # once is enough: goes on where it was
        place.built()
        assert set(place.outcomes().values()) == {"kept"}
