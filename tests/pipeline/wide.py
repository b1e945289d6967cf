"""A repository of very many files, and a run over it in little memory.

    python -m tests.pipeline.wide 2000000

Half of the files lie in folders that share their trees and contents; the others are contents of
their own that the repository does not hold, as in a partial clone. So every phase up to the ledger
meets all files, and few of them must be read.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..driving import MIT, code, command, environment, git, site

EACH = 500  # entries of a folder
# Runs a command and writes what its largest process held (Linux counts in KiB): the caller's own
# children may have been larger.
MEASURED = """
import pathlib, resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
pathlib.Path(sys.argv[1]).write_text(str(peak))
sys.exit(code)
"""


def repository_of(folder: Path, files: int) -> int:
    """Make it below ``folder``; returns how many files it has (about ``files``)."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")

    def blob(text: str) -> str:
        return git(folder, "hash-object", "-w", "--stdin", given=text.encode())

    def tree(kind: str, entries: list[tuple[str, str]]) -> str:
        lines = "".join(f"{kind} {name}\t{path}\n" for path, name in entries)
        return git(folder, "mktree", "--missing", given=lines.encode())

    some = [(f"f{n}.py", blob(code(f"wide{n}", 3))) for n in range(20)]
    names = [(f"f{n}.py", some[n % 20][1]) for n in range(EACH - 1)]
    shared = tree("100644 blob", [("LICENSE", blob(MIT)), *names])
    folders = files // EACH // 2
    own = [
        tree(
            "100644 blob",
            [(f"g{n}.py", hashlib.sha1(b"%d %d" % (at, n)).hexdigest()) for n in range(EACH)],
        )
        for at in range(folders)
    ]
    # Two levels, because a folder of thousands of folders is no repository that anybody has.
    tops = []
    for at in range(0, folders, 100):
        some_own = own[at : at + 100]
        entries = [(f"s{n}", shared) for n in range(len(some_own))]
        entries += [(f"o{n}", name) for n, name in enumerate(some_own)]
        tops.append((f"d{at}", tree("040000 tree", entries)))
    root = tree("040000 tree", tops)
    commit = git(folder, "commit-tree", "-m", "all", root)
    git(folder, "update-ref", "refs/heads/main", commit)
    return 2 * folders * EACH


def run(folder: Path, files: int, cache: Path | None = None) -> dict[str, Any]:
    """Build the repository, run over it, and say what came out, how long it took, how large."""
    count = repository_of(folder / "git" / "wide", files)
    place = site(folder, [{"kind": "git", "path": "git"}], cache)
    start = time.monotonic()
    peak = folder / "peak"
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(peak), *command("run", place.config, "--workers", 2)],
        env=environment(), capture_output=True, text=True, cwd=sys.prefix,
    )  # fmt: skip
    facts: dict[str, Any] = {"files": count, "code": done.returncode}
    if done.returncode:
        return facts | {"said": done.stderr}
    journal = (place.run_folder / "journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in journal]
    return facts | {
        "counts": place.manifest()["counts"],
        "ledger": place.ledger().num_rows,
        "seconds": round(time.monotonic() - start, 1),
        "phases": {e["phase"]: e["seconds"] for e in events if e["event"] == "phase"},
        "peak_mb": int(peak.read_text()) // 1024,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(run(Path(place) / "site", int(sys.argv[1])), indent=1))
