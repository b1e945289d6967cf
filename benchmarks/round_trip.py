"""An opt-out there and back on a real corpus: withdraw one origin, prove it, undo, see it return.

    python benchmarks/round_trip.py CORPUS WORK [--origin git:pip-sympy]

CORPUS is what `corpus.py` made, WORK a new folder. Every step is the command that a maintainer
types; the first that does not do what it should ends the script with its output.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

CONFIG = """name: corpus
version: {version}
sources:
  - {{kind: git, path: {corpus}/git}}
  - {{kind: archive, path: {corpus}/archives}}
license: {{look_inside: open}}
optout: {{registry: optout.jsonl}}
"""


def call(work: Path, *words: str) -> str:
    """Run one command in ``work``, print what it took, return what it said."""
    start = time.perf_counter()
    said = subprocess.run(
        [sys.executable, "-m", "stackcurate.cli.main", *words],
        cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
    print(f"{time.perf_counter() - start:7.1f} s  stackcurate {' '.join(words)}", flush=True)
    if said.returncode:
        sys.exit(f"exit {said.returncode}\n{said.stdout}{said.stderr}")
    return said.stdout


def held(work: Path, version: str, origin: str) -> int:
    """How many files of the origin a release holds."""
    sql = f"SELECT count(*) AS n FROM files WHERE origin = '{origin}'"
    release = f"releases/corpus/v{version}"
    return int(call(work, "query", release, "--sql", sql, "--format", "csv").split()[1])


def main() -> None:
    """Run the whole trip and compare the numbers of files."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("corpus", type=Path)
    words.add_argument("work", type=Path)
    words.add_argument("--origin", default="git:pip-sympy")
    given = words.parse_args()
    work, corpus, origin = given.work, given.corpus.resolve(), given.origin
    work.mkdir(parents=True)
    (work / "optout.jsonl").touch()
    (work / "c.yaml").write_text(CONFIG.format(version="1.0.0", corpus=corpus))
    call(work, "run", "c.yaml")
    before = held(work, "1.0.0", origin)
    about = ("--config", "c.yaml")
    call(work, "optout", "submit", "--origin", origin, "--id", "trip", *about)
    call(work, "optout", "preview", "trip", *about)
    call(work, "optout", "approve", "trip", "--yes", *about)
    call(work, "optout", "apply", "releases/corpus/v1.0.0", *about)
    call(work, "verify", "releases/corpus/v1.0.1", "--registry", "optout.jsonl")
    call(work, "optout", "receipt", "trip", *about)
    call(work, "optout", "undo", "trip", *about)
    (work / "c.yaml").write_text(CONFIG.format(version="1.1.0", corpus=corpus))
    call(work, "run", "c.yaml")
    patched, after = held(work, "1.0.1", origin), held(work, "1.1.0", origin)
    print(f"{origin}: {before} files, {patched} in the patch, {after} after undo")
    if not before or patched or after != before:
        sys.exit("the round trip did not come back to where it began")


if __name__ == "__main__":
    main()
