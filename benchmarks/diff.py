"""`stackcurate diff` of two large releases: seconds and greatest memory.

    python benchmarks/diff.py FOLDER [--files 500000]

Writes two releases of that many files each into FOLDER, where they stay for the next call, and
compares them in a process of its own. Of a hundred files of the old release two are gone, one is
moved, three are changed; as many as are gone come anew. The facts of all repositories differ, as
they do after every visit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stackcurate.releases.manifest import canonical
from stackcurate.releases.writer import write_shard, write_table
from stackcurate.schema import FILE, HEAD, LEDGER, conform, schema_digest

LANGUAGES = ("Python", "JavaScript", "C", "Go", "Rust", "Java", "Markdown", "Shell")
LICENSES = ("MIT", "Apache-2.0", "BSD-3-Clause", "ISC")
PER_REPOSITORY = 40  # files, as the mean of The Stack v2's kept files is of this order
BATCH = 20_000


def hexes(kind: str, numbers: np.ndarray, digits: int) -> list[str]:
    """Ids that depend on a word and a number alone."""
    size = digits // 2
    return [
        hashlib.blake2b(b"%s %d" % (kind.encode(), n), digest_size=size).hexdigest()
        for n in numbers.tolist()
    ]


def rows(numbers: np.ndarray, new: bool) -> pa.Table:
    """FILE rows of the files ``numbers`` as they stand in the old or the new release."""
    moved = new & (numbers % 100 == 2)
    changed = new & (numbers % 100 >= 3) & (numbers % 100 < 6)
    repos = numbers // PER_REPOSITORY
    origins = np.char.add("https://github.com/owner/repo-", repos.astype(str))
    states = numbers + changed * 10**9
    texts = [f"value_{n} = {n * 7919}\n" * (4 + n % 9) for n in states.tolist()]
    content = hexes("content", states, 40)
    stars = pa.array(repos % 1000 + (7 if new else 0))
    columns: dict[str, Any] = {
        "row_key": hexes("place", numbers + moved * 10**9, 32),
        "content_id": content,
        "blob_id": content,
        "origin": origins,
        "repo_name": np.char.add("owner/repo-", repos.astype(str)),
        "path": np.char.add("/src/module/file_", np.char.add(numbers.astype(str), ".py")),
        "revision_id": hexes("revision new" if new else "revision old", repos, 40),
        "directory_id": hexes("directory new" if new else "directory old", repos, 40),
        "star_events_count": stars,
        "language": np.array(LANGUAGES)[numbers % 8],
        "license_expression": np.array(LICENSES)[numbers % 4],
        "detected_licenses": [[LICENSES[n % 4]] for n in numbers.tolist()],
        "license_class": ["permissive"] * len(numbers),
        "sha256": [one * 2 for one in hexes("sha", numbers, 32)],
        "text_sha256": [one * 2 for one in hexes("text", states, 32)],
        "text_bytes": [len(text) for text in texts],
        "length_bytes": [len(text) for text in texts],
        "places": pa.array(numbers % 5 + 1),
        "content": pa.array(texts, pa.large_string()),
    }
    return conform(pa.table(columns), FILE)


def release(folder: Path, count: int, new: bool) -> Path:
    """A release of ``count`` files; nothing of it is checked but by `diff`."""
    if (folder / "manifest.json").exists():
        return folder
    numbers = np.arange(count)
    if new:  # two of a hundred are gone, and as many are new
        numbers = np.concatenate([numbers[numbers % 100 >= 2], count + np.arange(count // 50)])
    for at in range(0, len(numbers), BATCH * 5):
        parts = [rows(some, new) for some in np.split(numbers[at : at + BATCH * 5], 5)]
        path = folder / f"data/all/train-{at:07}.parquet"
        write_shard(path, parts, 32 << 20)
    repos = np.unique(numbers // PER_REPOSITORY)
    heads = {
        "origin": np.char.add("https://github.com/owner/repo-", repos.astype(str)),
        "directory_id": hexes("directory new" if new else "directory old", repos, 40),
        "container": ["graph"] * len(repos),
    }
    table = conform(pa.table(heads), HEAD).append_column("outcome", pa.array(["kept"] * len(repos)))
    write_table(folder / "repositories.parquet", table)
    gone = np.arange(0, count, 100)
    dropped = {
        "scope": ["file"] * len(gone),
        "row_key": hexes("place", gone, 32),
        "outcome": ["dedup:near"] * len(gone),
    }
    ledger = conform(pa.table(dropped if new else {n: v[:0] for n, v in dropped.items()}), LEDGER)
    write_table(folder / "ledger" / "files-00000.parquet", ledger)
    manifest = {
        "format": 1, "name": "bench", "version": "1.1.0" if new else "1.0.0",
        "release_id": f"bench-{'new' if new else 'old'}", "schema": {"digest": schema_digest()},
        "config": {}, "tables": {}, "tools": {}, "optout": {"head": "ab" if new else "cd"},
        "inputs": [{"source": 0, "kind": "swh_graph", "key": "graph", "digest": str(new)}],
    }  # fmt: skip
    (folder / "manifest.json").write_bytes(canonical(manifest))
    return folder


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("folder", type=Path)
    words.add_argument("--files", type=int, default=500_000)
    given = words.parse_args()
    start = time.monotonic()
    old, new = (
        release(given.folder / f"{name}-{given.files}", given.files, name == "new")
        for name in ("old", "new")
    )
    print(f"two releases of {given.files:,} files written in {time.monotonic() - start:.1f} s")
    command = [sys.executable, "-m", "stackcurate.cli.main", "diff", str(old), str(new)]
    for form in ("json", "parquet"):
        more = ["--out", str(given.folder / "diff.parquet")] if form == "parquet" else []
        start = time.monotonic()
        said = subprocess.run(
            [*command, "--format", form, *more], check=True, capture_output=True
        ).stdout
        wall = time.monotonic() - start
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{form}: {wall:.1f} s, at most {most:.0f} MiB")
        if form == "json":
            for one in json.loads(said)["counts"]:
                print(f"  {one['kind']:<8} {one['cause']:<9} {one['detail']:<16} {one['files']:,}")


if __name__ == "__main__":
    main()
