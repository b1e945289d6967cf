"""Killed with kill -9 again and again, at random moments of every phase: the bytes do not care."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..driving import (
    SAMPLE,
    assert_same_bytes,
    code,
    environment,
    group_members,
    repository,
    site,
    wait_until_gone,
)

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")

# Phases that the journal tells the end of. A kill comes some moments after one of them, so the
# next phase, or what lies between them (license detection, dedup, publishing), is hit.
AFTER = (None, "heads", "list", "control", "control", "decide", "choose", "winners", "fetch",
         "fetch", "keep", "ship", "ledger")  # fmt: skip


class Zygote:
    """Starts runs of one site, see zygote.py."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.zygote"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=environment(), cwd=sys.prefix,
        )  # fmt: skip

    def start(self, *arguments: str) -> int:
        self.process.stdin.write(json.dumps([arguments, str(self.log)]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def status(self) -> int:
        """Of the last one: its exit code, or minus the signal that ended it."""
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture
def zygote(tmp_path):
    made = Zygote(tmp_path / "log")
    yield made
    made.close()


def make(folder: Path, inputs: Path, cache: Path):
    """Repositories, archives and Parquet rows: twins, secrets, and something broken."""
    sources = [
        {"kind": "git", "path": str(inputs)},
        {"kind": "archive", "path": str(SAMPLE / "archives")},
        {"kind": "parquet", "path": str(SAMPLE / "parquet"),
         "columns": {"content": "content", "path": "path", "repo_name": "repo_name"}},
    ]  # fmt: skip
    return site(folder, sources, cache)


def phases_since_start(journal: Path) -> set[str]:
    """Phases that the latest start has ended, and "start"."""
    found: set[str] = set()
    if journal.exists():
        for line in journal.read_text().splitlines():
            event = json.loads(line)
            if event["event"] == "start":
                found = set()
            found.add(event.get("phase", event["event"]))
    return found


def wait_for(journal: Path, phase: str, starts: int, pid: int) -> None:
    """Wait until start number ``starts`` has ended ``phase``, or the process is dead."""
    end = time.monotonic() + 120
    while time.monotonic() < end and group_members(pid):
        events = journal.read_text().count('"event": "start"') if journal.exists() else 0
        if events >= starts and phase in phases_since_start(journal):
            return
        time.sleep(0.002)


def power_cut(run_folder: Path) -> None:
    """What a crash of the system may do: outputs that nobody synced are there, but empty."""
    log = run_folder / "durable.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    noted = {name for line in lines for name in line.get("outputs", ())}
    for output in run_folder.glob("work/*/*"):
        if str(output.relative_to(run_folder / "work")) not in noted:
            for file in [path for path in output.rglob("*") if path.is_file()]:
                os.truncate(file, 0)
    if log.exists():
        now = [{"boot": "another"} if "boot" in line else line for line in lines]
        log.write_text("".join(json.dumps(line) + "\n" for line in now))


def test_kills_at_random_moments_of_every_phase_change_no_byte(zygote, cache, tmp_path) -> None:
    inputs = tmp_path / "inputs"
    shared = code("shared", 40)
    for name in ("one", "two", "three"):
        files = {f"src/{name}{n}.py": code(f"{name}{n}") for n in range(4)}
        near = shared.replace("40", name, 1) + f"# {name}\n"
        mail = f"{name}@corp-works.com\n"
        repository(inputs / name, {**files, "near.py": near, "mail.txt": mail})
    (inputs / "broken" / ".git").mkdir(parents=True)
    (inputs / "broken" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    calm = make(tmp_path / "calm", inputs, cache).built("--workers", 2)
    stormy = make(tmp_path / "stormy", inputs, cache)
    journal = stormy.run_folder / "journal.jsonl"

    dice = random.Random(20)
    kills = done = 0
    for phase, whole_group in ((phase, group) for phase in AFTER for group in (True, False)):
        pid = zygote.start("run", str(stormy.config), "--workers", "2")
        before = journal.read_text().count('"event": "start"') if journal.exists() else 0
        wait_for(journal, phase or "start", before + 1, pid)
        # Publishing takes some hundredths of a second here; most other gaps are wider.
        time.sleep(dice.uniform(0, {None: 1.2, "ledger": 0.03}.get(phase, 0.12)))
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if whole_group else os.kill)(pid, signal.SIGKILL)
        kills += zygote.status() == -signal.SIGKILL
        assert wait_until_gone(pid) == [], "workers outlived their parent"
        if dice.random() < 0.3:
            power_cut(stormy.run_folder)
        if stormy.release.exists():
            done += 1
            assert_same_bytes(calm.release, stormy.release)
    assert kills >= 20, f"only {kills} kills hit; {done} runs were done before"
    zygote.start("run", str(stormy.config), "--workers", "2")
    assert zygote.status() == 0, zygote.log.read_text()
    assert_same_bytes(calm.release, stormy.release)
    left = [
        p.name for p in stormy.config.parent.rglob("*") if p.name.endswith((".part", ".staging"))
    ]
    assert left == []
