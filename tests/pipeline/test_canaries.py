"""A thousand planted values, and not one of them is ever written, whatever happens to the run.

The values are those of the scorecard's labelled set that redaction finds: hundreds of kinds, in
many syntaxes. They lie in files that ship, in files that each stage drops, in license files,
manifests, readmes and wishes, in archives and tables, in what is damaged, in what kills or breaks a
worker, and in what git knows beside files. The run is killed, started again, stopped before it
publishes, and started again; after each, every byte below it is searched, through all compression,
for the values and their plain digests.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate.redaction.alone import redact_records
from stackcurate.redaction.labelled import cases
from stackcurate.redaction.settings import Settings
from tests.sources.swh_tables import Graph

from ..driving import (
    MIT,
    Site,
    assert_same_bytes,
    code,
    environment,
    git,
    repository,
    site,
    wait_until_gone,
)
from .searching import Searcher, proof
from .test_kill import phases_since_start
from .traps import COMMAND, KILL, RAISE

SPDX = "# SPDX-License-Identifier: MIT\n"
CLOSED = "All rights reserved. No part of this may be copied, used or changed by anybody at all.\n"
ODD = (
    "You may read this program on Sundays. Any other use is subject to a license agreement with "
    "the authors, who grant no warranty and whose permission must be asked in writing.\n"
)
NO_TEXT = bytes(range(1, 32)) * 8 + bytes(range(128, 256)) * 6
MORE = {"fetch": {"max_bytes": 65536}}
BROKEN_MANIFESTS = ("package.json", "pyproject.toml", "Cargo.toml", "pom.xml", "setup.cfg")


@dataclass
class Canaries:
    """Texts with values in them, handed out one by one; remembers the values it gave away."""

    texts: list[tuple[str, str, tuple[str, ...]]]  # path, text, values
    planted: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, where: str | None = None, around: str = "{}") -> tuple[str, str]:
        """(path, text) of the next, which redaction must find in ``around`` at ``where``."""
        for number, (path, text, values) in enumerate(self.texts):
            if where is None or _cleaned(where, around.replace("{}", text), values):
                del self.texts[number]
                self.planted += values
                return path, text
        raise AssertionError(f"no canary is left that would be found in {where}")

    def word(self, where: str | None = None, around: str = "{}") -> str:
        """The next single value of letters and digits, under the same condition."""
        for number, (_, _, (value, *more)) in enumerate(self.texts):
            plain = value.isalnum() and value.isascii() and not more
            if plain and (not where or _cleaned(where, around.replace("{}", value), (value,))):
                del self.texts[number]
                self.planted.append(value)
                return value
        raise AssertionError(f"no word is left that would be found in {where}")


def _cleaned(path: str, text: str, values: tuple[str, ...]) -> bool:
    (row,) = redact_records([{"id": None, "path": path, "text": text}], Settings())
    return not any(max(value.splitlines(), key=len) in row["text"] for value in values)


def all_canaries() -> Canaries:
    """The labelled values of 12 characters and more that redaction finds where they lie."""
    labelled = [case for case in cases() if case.labels]
    given = [
        {"id": n, "path": f"/made/c{n}{case.path}", "text": case.text.decode()}
        for n, case in enumerate(labelled)
    ]
    seen: set[str] = set()
    texts = []
    for case, record, row in zip(labelled, given, redact_records(given, Settings()), strict=True):
        values = tuple(case.text[one.start : one.end].decode() for one in case.labels)
        lines = [max(value.splitlines(), key=len) for value in values]
        short = any(len(line) < 12 or line in seen for line in lines)
        if not short and not any(line in row["text"] for line in lines):
            seen.update(lines)
            texts.append((str(record["path"]), case.text.decode(), values))
    return Canaries(texts)


# --- where they lie -------------------------------------------------------------------------------


def in_git(folder: Path, birds: Canaries) -> None:
    """Repositories: control files, what each stage drops, what kills, and what git knows."""
    files: dict[str, bytes | str] = {
        f"broken/{n}/{name}": "{[<" + birds.take()[1] for n in range(4) for name in BROKEN_MANIFESTS
    }
    for n in range(15):
        files[f"license{n}/LICENSE"] = MIT + "\n" + birds.take("/LICENSE", f"{MIT}\n{{}}")[1]
        files[f"license{n}/a.py"] = code(f"license{n}")
        readme = "# Read me\n\nLicensed under the MIT License.\n\n"
        files[f"readme{n}/README.md"] = readme + birds.take("/README.md", readme + "{}")[1]
        files[f"notice{n}/NOTICE"] = "Notice\n" + birds.take("/NOTICE", "Notice\n{}")[1]
    files["odd/LICENSE"] = ODD + birds.take("/LICENSE", ODD + "{}")[1]  # for ScanCode
    manifest = json.dumps({"name": "one", "license": "MIT", "token": "HERE"}, indent=1)
    for n in range(10):
        word = birds.word("/package.json", manifest.replace("HERE", "{}"))
        files[f"manifest{n}/package.json"] = manifest.replace("HERE", word)
        files[f"manifest{n}/a.js"] = f"// {code(f'manifest{n}')}"
        files[f"wish{n}/.stackcurate-optout"] = "# " + birds.take()[1] + "docs/**\n"
        files[f"words{n}/.stackcurate-optout"] = birds.take()[1]
        files[f"closed{n}/a.py"] = "# SPDX-License-Identifier: GPL-3.0-only\n" + birds.take()[1]
        files[f"binary{n}.py"] = b"\0" + birds.take()[1].encode()
        files[f"garbled{n}.py"] = NO_TEXT + birds.take()[1].encode()
        files[f"long{n}.json"] = json.dumps([birds.take()[1]] * 300)
        files[f"wide{n}.py"] = birds.take("/wide.py")[1].encode("utf-16")
        near = code("near", 60)
        files[f"near{n}.py"] = near + "# " + birds.take("/near.py", near + "# {}")[1]
    files["kill.py"] = f"# {KILL}\n" + birds.take()[1]
    files["raise.py"] = f"# {RAISE}\n" + birds.take()[1]
    files["raising/LICENSE"] = f"{RAISE}\n{MIT}" + birds.take()[1]
    files[f"names/{KILL}.py"] = SPDX + birds.take("/a.py", SPDX + "{}")[1]
    one = repository(folder / "one", files)
    known_to_git(one, birds)
    closed = {f"c{n}.py": birds.take()[1] for n in range(20)}
    repository(folder / "closed", closed, license_=CLOSED)
    links_and_lists(folder / "lists", birds)
    damaged(folder, birds)


def links_and_lists(repo: Path, birds: Canaries) -> None:
    """Links that say a value, and lists of folders that name one where there is none."""
    files: dict[str, bytes | str] = {}
    for n in range(4):
        module = birds.word("/.stackcurate-optout", "lib/{}/")
        files[f"modules{n}/.gitmodules"] = f"[submodule]\n\tpath = lib/{module}\n"
        listed = birds.word("/.stackcurate-optout", "{}/")
        files[f"pack{n}/x-1.dist-info/RECORD"] = f"{listed}/a.py,,\nlib/a.py,,\n"
        files[f"pack{n}/x-1.dist-info/METADATA"] = "License-Expression: MIT\n"
        files[f"pack{n}/lib/a.py"] = code(f"pack{n}")
        files[f"link{n}/a.py"] = code(f"link{n}")
    repository(repo, files)
    for n in range(4):
        (repo / f"link{n}" / "LICENSE").symlink_to(f"../{birds.word()}")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "links")


def known_to_git(repo: Path, birds: Canaries) -> None:
    """Who wrote what, in which branch, and where it was cloned from."""
    git(repo, "tag", "-a", "v1", "-m", birds.take()[1])
    git(repo, "branch", birds.word())
    url = f"https://{birds.word()}:{birds.word()}@example.org/o/one.git?key={birds.word()}"
    git(repo, "config", "remote.origin.url", url)
    who = {"GIT_AUTHOR_NAME": birds.word(), "GIT_AUTHOR_EMAIL": f"{birds.word()}@nowhere.net"}
    stamp = {"GIT_AUTHOR_DATE": "1600000001 +0000", "GIT_COMMITTER_DATE": "1600000001 +0000"}
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q"]
    subprocess.run(
        [*command, "--allow-empty", "-m", birds.take()[1]], cwd=repo, check=True,
        env={**os.environ, **who, **stamp},
    )  # fmt: skip


def damaged(folder: Path, birds: Canaries) -> None:
    """Objects and refs that cannot be read, full of values."""
    repo = repository(folder / "torn", {"a.py": code("torn"), "b.py": birds.take()[1]})
    name = git(repo, "rev-parse", "HEAD:b.py")
    place = repo / ".git" / "objects" / name[:2] / name[2:]
    place.chmod(0o644)
    place.write_bytes(zlib.compress(f"blub 5\0{birds.take()[1]}".encode()))
    repo = repository(folder / "bad-commit", {"a.py": code("bad")})
    words = birds.take()[1]
    name = git(repo, "hash-object", "-t", "commit", "-w", "--literally", "--stdin",
               given=f"tree {words}\nauthor {words}\n\n{words}".encode())  # fmt: skip
    (repo / ".git" / "refs" / "heads" / "main").write_text(f"{name}\n")
    repo = repository(folder / "bad-head", {"a.py": code("head")})
    (repo / ".git" / "HEAD").write_text(birds.take()[1])
    repo = repository(folder / "bad-refs", {"a.py": code("refs")})
    (repo / ".git" / "packed-refs").write_text(birds.take()[1] * 3)


def in_archives(folder: Path, birds: Canaries) -> None:
    """Packed once and twice, and torn."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "one.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("LICENSE", MIT)
        made.comment = birds.take()[1].encode()
        for _ in range(40):
            path, text = birds.take()
            made.writestr(path.lstrip("/"), text)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for n in range(40):
            path, text = ("/LICENSE", MIT) if n == 0 else birds.take()
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    (folder / "two.tar.gz").write_bytes(buffer.getvalue())
    (folder / "torn.tar.gz").write_bytes(buffer.getvalue()[:-400])
    (folder / "liar.whl").write_bytes(birds.take()[1].encode())
    with zipfile.ZipFile(folder / "p-1.0-py3-none-any.whl", "w") as made:
        head = "Metadata-Version: 2.1\nName: p\nVersion: 1.0\nLicense: MIT\nX: "
        made.writestr("p-1.0.dist-info/METADATA", head + birds.take("/METADATA", head + "{}")[1])
        made.writestr("p/a.py", code("wheel"))


def in_tables(folder: Path, birds: Canaries) -> None:
    """Parquet with contents, and one that is no Parquet."""
    folder.mkdir()
    rows = [birds.take() for _ in range(60)]
    table = pa.table(
        {
            "content": [text for _, text in rows] + [MIT],
            "path": [path for path, _ in rows] + ["/LICENSE"],
            "repo_name": ["o/tables"] * 61,
        }
    )
    pq.write_table(table, folder / "a.parquet")
    (folder / "b.parquet").write_bytes(b"PAR1" + birds.take()[1].encode() + b"PAR1")


def in_graph(folder: Path, birds: Canaries) -> None:
    """A graph export with its content store; some contents are not what they should be."""
    graph = Graph()
    entries = {b"LICENSE": graph.blob(MIT.encode())}
    for n in range(30):
        name = f"g{n}.py".encode()
        text = SPDX + birds.take("/g.py", SPDX + "{}")[1]
        entries[name] = graph.blob(text.encode())
    root = graph.tree(entries)
    graph.visit("https://example.org/o/g", graph.snapshot({b"HEAD": graph.revision(root)}))
    graph.write(folder / "graph", folder / "contents")
    stored = sorted((folder / "contents" / "content").iterdir())
    stored[0].write_bytes(gzip.compress(birds.take()[1].encode()))
    stored[1].write_bytes(birds.take()[1].encode())


def in_files(folder: Path, birds: Canaries) -> None:
    """All that are left, each in a file that ships."""
    files = dict(birds.take() for _ in range(len(birds)))
    repository(folder / "files", {path.lstrip("/"): text for path, text in files.items()})


# --- what happens ---------------------------------------------------------------------------------


@dataclass
class Storm:
    """One site through all that happens to it."""

    place: Site
    planted: list[str]
    searcher: Searcher
    leaks: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)

    @property
    def top(self) -> Path:
        return self.place.config.parent

    @contextlib.contextmanager
    def run(self, **env: str) -> Iterator[subprocess.Popen[bytes]]:
        """A run with its log and its temporary files below the site."""
        temporary = self.top / "tmp"
        temporary.mkdir(exist_ok=True)
        with (self.top / "logs" / "all").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "run", str(self.place.config), "--workers", "2"],
                stdout=log, stderr=log, start_new_session=True, cwd=sys.prefix,
                env=environment({**env, "TMPDIR": str(temporary)}),
            )  # fmt: skip
            try:
                yield process
            finally:
                self.codes.append(process.wait(240))

    def search(self, when: str) -> None:
        """Look through everything that the run wrote until now."""
        places = ("runs", "releases", "logs", "tmp")
        self.leaks[when] = self.searcher.below(*(self.top / name for name in places))


@pytest.fixture(scope="module")
def storm(tmp_path_factory, cache) -> Storm:
    folder = tmp_path_factory.mktemp("canaries")
    (folder / "logs").mkdir()
    birds = all_canaries()
    in_git(folder / "git", birds)
    in_archives(folder / "archives", birds)
    in_tables(folder / "tables", birds)
    in_graph(folder, birds)
    in_files(folder / "git", birds)
    columns = {"content": "content", "path": "path", "repo_name": "repo_name"}
    sources = [
        {"kind": "git", "path": "git"},
        {"kind": "archive", "path": "archives"},
        {"kind": "parquet", "path": "tables", "columns": columns},
        {"kind": "swh_graph", "path": "graph", "contents": "contents"},
    ]
    place = site(folder, sources, cache, **MORE)
    made = Storm(place, birds.planted, Searcher(birds.planted))
    with made.run() as process:
        journal = place.run_folder / "journal.jsonl"
        while process.poll() is None and "winners" not in phases_since_start(journal):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    assert wait_until_gone(process.pid) == []
    made.search("killed")
    with made.run(TRAP_STOP="1"):
        pass
    made.search("stopped before publishing")
    with made.run():
        pass
    made.search("published")
    return made


def test_a_thousand_values_are_planted_and_the_search_finds_them(storm, tmp_path) -> None:
    assert len(set(storm.planted)) >= 1000
    value = storm.planted[500]
    files = proof(tmp_path / "proof", value)
    found = storm.searcher.below(tmp_path / "proof")
    assert found == {f"proof/{path.name}": [value] for path in files}
    inputs = storm.searcher.below(storm.top / "git" / "one", storm.top / "tables")
    assert sum(map(len, inputs.values())) >= 200


def test_the_run_met_its_traps(storm) -> None:
    assert storm.codes == [-signal.SIGKILL, 4, 0], (storm.top / "logs" / "all").read_text()
    dropped = storm.place.manifest()["counts"]["dropped"]
    assert dropped["run"]["crashed"]["files"] == 4
    for stage, reason in (("fetch", "binary"), ("fetch", "undecodable"), ("fetch", "corrupt"),
                          ("license", "refused"), ("header", "conflict"), ("dedup", "near"),
                          ("optout", "path")):  # fmt: skip
        assert dropped[stage][reason]["files"], (stage, reason)
    lines = (storm.place.release / "quarantine.jsonl").read_text().splitlines()
    phases = [json.loads(line)["phase"] for line in lines]
    assert {phase: phases.count(phase) for phase in phases} == {
        "control": 1, "decide": 1, "fetch": 2,
    }  # fmt: skip
    redactions = storm.place.files()["redactions"].to_pylist()
    assert sum(len(found or ()) for found in redactions) >= 500, "the canaries do not sing"


@pytest.mark.parametrize("when", ["killed", "stopped before publishing", "published"])
def test_no_planted_value_is_ever_written(storm, when) -> None:
    assert storm.leaks[when] == {}


def test_a_new_run_takes_the_quarantine_of_the_release_and_gives_the_same_bytes(storm, tmp_path):
    """Without the traps: what is skipped is not even tried."""
    sources = storm.place.written["sources"]
    for one in sources:
        one |= {key: str(storm.top / one[key]) for key in ("path", "contents") if key in one}
    again = site(tmp_path, sources, storm.place.cache, **MORE, quarantine=str(storm.place.release))
    assert again.built("--workers", 1)
    assert_same_bytes(storm.place.release, again.release)
