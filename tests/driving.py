"""Drives stackcurate as a person does: commands in processes of their own, folders compared."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

TOP = Path(__file__).parent.parent
SAMPLE = TOP / "sample_data"
CACHE = "licenses.sqlite"

MIT = """MIT License

Copyright (c) 2020 The Test Authors

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "replace")

    @property
    def all(self) -> str:
        return self.text + self.err

    def records(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def command(*arguments: Any) -> list[str]:
    """The command line in a fresh process, from the package that the tests import."""
    return [sys.executable, "-m", "stackcurate.cli.main", *map(str, arguments)]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with stackcurate on the path, whatever the current folder."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(TOP)]))
    return {**os.environ, "PYTHONPATH": path, **(more or {})}


def stackcurate(
    *arguments: Any,
    env: Mapping[str, str] | None = None,
    given: bytes = b"",
    cwd: Path | None = None,
    umask: int = -1,
    timeout: float = 240,
) -> Said:
    """Run the command line to its end in a process of its own."""
    done = subprocess.run(
        command(*arguments), input=given, capture_output=True, timeout=timeout,
        env=environment(env), cwd=cwd or Path(sys.prefix), umask=umask,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def call(*arguments: Any, given: bytes = b"") -> Said:
    """Run the command line inside this process: the same `main`, without the start of Python."""
    from stackcurate.cli.main import main

    out, err = io.BytesIO(), io.BytesIO()
    # A command may close what it is given (Parquet to standard output does not own it).
    fresh = {
        "stdin": io.TextIOWrapper(io.BufferedReader(io.BytesIO(given)), encoding="utf-8"),
        "stdout": io.TextIOWrapper(out, encoding="utf-8", write_through=True),
        "stderr": io.TextIOWrapper(err, encoding="utf-8", write_through=True),
        "argv": ["stackcurate", *map(str, arguments)],
    }
    old = {name: getattr(sys, name) for name in fresh}
    before = os.environ.get("STACKCURATE_LOG_FORMAT")
    code = 0
    try:
        for name, value in fresh.items():
            setattr(sys, name, value)
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    finally:
        for name, value in old.items():
            setattr(sys, name, value)
        os.environ.pop("STACKCURATE_LOG_FORMAT", None)
        if before is not None:
            os.environ["STACKCURATE_LOG_FORMAT"] = before
    return Said(code, out.getvalue(), err.getvalue().decode())


@dataclass(frozen=True)
class Site:
    """A folder with a config, and what a run of it leaves."""

    config: Path

    @property
    def written(self) -> dict[str, Any]:
        return yaml.safe_load(self.config.read_text(encoding="utf-8"))

    def _below(self, key: str) -> Path:
        written = self.written
        place = self.config.parent / written.get(key, key)
        return place / written["name"] / f"v{written['version']}"

    @property
    def release(self) -> Path:
        return self._below("releases").resolve()

    @property
    def run_folder(self) -> Path:
        return self._below("runs").resolve()

    @property
    def cache(self) -> Path:
        return self.run_folder.parent.parent / CACHE

    def run(self, *options: Any, **how: Any) -> Said:
        return stackcurate("run", self.config, *options, **how)

    def built(self, *options: Any, **how: Any) -> Site:
        """Run and insist that it went well."""
        said = self.run(*options, **how)
        assert said.code == 0, said.all
        return self

    def change(self, **keys: Any) -> Site:
        """Write the config again with other values."""
        write_yaml(self.config, {**self.written, **keys})
        return self

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.release / "manifest.json").read_text(encoding="utf-8"))

    def ledger(self) -> pa.Table:
        """The whole ledger, from the run folder."""
        parts = sorted((self.run_folder / "ledger").glob("*.parquet"))
        return pa.concat_tables([pq.read_table(part) for part in parts])

    def outcomes(self) -> dict[str, str]:
        """{origin + path: outcome} of every ledger row; of the whole origin where path is null."""
        rows = self.ledger().select(["origin", "path", "outcome"]).to_pylist()
        return {row["origin"] + (row["path"] or ""): row["outcome"] for row in rows}

    def files(self) -> pa.Table:
        """Every row that ships."""
        parts = sorted((self.release / "data").rglob("*.parquet"))
        return pa.concat_tables([pq.read_table(part, partitioning=None) for part in parts])

    def events(self) -> list[dict[str, Any]]:
        lines = (self.run_folder / "journal.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def write_yaml(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def site(
    folder: Path, sources: Sequence[Mapping[str, Any]], cache: Path | None, **more: Any
) -> Site:
    """A small config in ``folder``; ``cache`` brings known license texts along."""
    config = {
        "name": "tiny", "version": "1.0.0", "sources": [dict(one) for one in sources],
        "license": {"look_inside": "open"}, "releases": "releases", "runs": "runs", **more,
    }  # fmt: skip
    made = Site(write_yaml(folder / "config.yaml", config))
    _bring(cache, made)
    return made


def sample_site(folder: Path, cache: Path | None = None) -> Site:
    """The sample data and its configs, laid out as in the repository, somewhere else."""
    shutil.copytree(SAMPLE, folder / "sample_data", symlinks=True)
    shutil.copytree(TOP / "configs", folder / "configs")
    made = Site(folder / "configs" / "v2.1.yaml")
    _bring(cache, made)
    return made


def _bring(cache: Path | None, made: Site) -> None:
    if cache is not None and cache.exists():  # absent where no text needed the full matcher
        made.cache.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(cache, made.cache)


def tree(folder: Path) -> dict[str, str]:
    """{relative path: SHA-256} of every file below ``folder``."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_same_bytes(one: Path, two: Path) -> None:
    """Two releases are equal byte for byte; names the files that are not."""
    left, right = tree(one), tree(two)
    assert left, f"{one} holds nothing"
    differ = [n for n in sorted({*left, *right}) if left.get(n) != right.get(n)]
    assert differ == []


def git(folder: Path, *arguments: str, given: bytes | None = None) -> str:
    """Run git in ``folder`` with fixed names and dates."""
    stamp = "1600000000 +0000"
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "Test"), ("EMAIL", "test@example.org"), ("DATE", stamp))
    }
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=given, capture_output=True, check=True,
        env={**os.environ, **who, **alone},
    )  # fmt: skip
    return done.stdout.decode().strip()


def repository(folder: Path, files: Mapping[str, bytes | str], license_: str | None = MIT) -> Path:
    """A git repository with one commit of ``files``, under the MIT license unless told."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    everything = {**({"LICENSE": license_} if license_ else {}), **files}
    for name, data in everything.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def code(topic: str, lines: int = 12) -> str:
    """A small program about ``topic`` that looks like no other."""
    words = hashlib.shake_256(topic.encode()).hexdigest(2 * lines + 8)
    body = [
        f"def {topic}_{words[n * 3 : n * 3 + 6]}(value_{n}, other):\n"
        f'    """Combine {words[n + 5 : n + 12]} of {topic} with number {n}."""\n'
        f"    return value_{n} * {int(words[n : n + 4], 16)} + len(other) - {n}\n"
        for n in range(lines)
    ]
    return f"# {topic}\n" + "\n".join(body)


@contextlib.contextmanager
def started(*arguments: Any, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen]:
    """A command in a process group of its own; the group is ended with the block."""
    process = subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=environment(env), cwd=sys.prefix, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def group_members(group: int) -> list[int]:
    """Processes of a process group that still run (Linux)."""
    found = []
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                found.append(int(place.name))
    return found


def wait_until_gone(group: int, seconds: float = 20) -> list[int]:
    """Wait for a process group to empty; returns what is left when time is up."""
    end = time.monotonic() + seconds
    while (left := group_members(group)) and time.monotonic() < end:
        time.sleep(0.05)
    return left
