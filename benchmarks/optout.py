"""7,000 requests against a release of 200,000 files: run stage, lookup, preview, patch.

Prints one JSON line of seconds. The release is synthetic: 20,000 repositories of 5,000 owners, ten
files each, short texts. `python benchmarks/optout.py [--folder DIR]`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from stackcurate import report
from stackcurate.optout import inbox
from stackcurate.optout import registry as optouts
from stackcurate.optout.apply import match_files, match_heads
from stackcurate.optout.lookup import lookup
from stackcurate.optout.preview import places, preview
from stackcurate.optout.registry import Event
from stackcurate.pipeline.withdraw import withdraw
from stackcurate.releases.facts import ReleaseFacts
from stackcurate.releases.publish import publish
from stackcurate.releases.writer import write_shard, write_table
from stackcurate.schema import EVIDENCE, FILE, LEDGER, REVISION, conform, row_key

OWNERS, REPOSITORIES, FILES = 5_000, 20_000, 200_000
REQUESTS = 7_000
SHARDS = 8
NOW = "2026-08-01T00:00:00Z"


def _hash(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def release(folder: Path) -> Path:
    """Write the synthetic release; returns its folder."""
    from stackcurate.pipeline.release import REPOSITORIES as SCHEMA

    final = folder / "releases" / "bench" / "v1.0.0"
    staging = final.with_name(".v1.0.0.staging")
    origins = [f"https://github.com/owner-{n % OWNERS}/repo-{n}" for n in range(REPOSITORIES)]
    for name in ("data/Python", "ledger"):
        (staging / name).mkdir(parents=True)
    heads = {
        "origin": origins, "repo_name": [one[19:] for one in origins],
        "outcome": ["kept"] * REPOSITORIES, "container": ["c"] * REPOSITORIES,
        "directory_id": [_hash(one + "dir") for one in origins],
        "revision_id": [_hash(one + "rev") for one in origins],
        "snapshot_id": [_hash(one + "snp") for one in origins],
    }  # fmt: skip
    write_table(staging / "repositories.parquet", conform(pa.table(heads), SCHEMA))
    write_table(staging / "revisions.parquet", REVISION.empty_table(), REVISION)
    write_table(staging / "evidence.parquet", EVIDENCE.empty_table(), EVIDENCE)
    each = FILES // SHARDS
    files: dict[str, Any] = {}
    for shard in range(SHARDS):
        name = f"data/Python/train-{shard:05d}-of-{SHARDS:05d}.parquet"
        rows = conform(_rows(range(shard * each, (shard + 1) * each), origins), FILE)
        files[name] = write_shard(staging / name, [rows], 32 << 20)
    write_table(staging / "ledger/files-00000.parquet", _ledger(origins), LEDGER)
    count = {"files": FILES, "bytes": FILES * 40}
    copies = {"files": FILES // 4, "bytes": 0}
    listed = {"files": FILES + FILES // 4, "bytes": count["bytes"]}
    facts = ReleaseFacts(
        name="bench", version="1.0.0", files=files, folders={"Python": "Python"},
        stages=["optout", "choose"], listed=listed, kept=count,
        dropped={"choose": {"copy": copies}},
        config={}, inputs=[], tables={}, tools={},
    )  # fmt: skip
    publish(staging, final, facts, report.html_of)
    return final


def _rows(numbers: range, origins: list[str]) -> pa.Table:
    mine = [origins[n // 10] for n in numbers]
    paths = [f"/src/file_{n % 10}.py" for n in numbers]
    texts = [f"value = {n:>30}\n" for n in numbers]
    return pa.table(
        {
            "origin": mine, "repo_name": [one[19:] for one in mine], "path": paths,
            "content_id": [_hash(text) for text in texts], "language": ["Python"] * len(mine),
            "row_key": [row_key(o, p.encode()) for o, p in zip(mine, paths, strict=True)],
            "text_sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts],
            "text_bytes": [len(text) for text in texts], "length_bytes": [40] * len(mine),
            "content": pa.array(texts, pa.large_string()), "places": [1] * len(mine),
        }
    )  # fmt: skip


def _ledger(origins: list[str]) -> pa.Table:
    """A quarter as many copies as files, each at another repository."""
    rows = FILES // 4
    mine = [origins[(n * 7) % REPOSITORIES] for n in range(rows)]
    table = pa.table(
        {
            "scope": ["file"] * rows, "origin": mine,
            "path": [f"/copy/{n}.py" for n in range(rows)],
            "row_key": [_hash(f"copy {n}")[:32] for n in range(rows)],
            "content_id": [_hash(f"value = {n:>30}\n") for n in range(rows)],
            "files": [1] * rows, "bytes": [0] * rows, "outcome": ["choose:copy"] * rows,
        }
    )  # fmt: skip
    return conform(table, LEDGER)


def requests(folder: Path) -> Path:
    """A published list of 7,000 requests: half accounts, half repositories; some are held."""
    path = folder / "optouts.jsonl"
    lines = []
    for n in range(REQUESTS):
        here = n % 10 == 0
        owner = f"owner-{n % OWNERS}" if here else f"other-{n}"
        repos = [f"{owner}/repo-{n % REPOSITORIES}"] if n % 2 else []
        lines.append(
            {
                "issue": n,
                "author": owner,
                "optout_repos": repos,
                "optout_owners": [] if repos else [owner],
            }
        )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def timed(seconds: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    """Run ``work`` and note the best of its seconds under ``name``."""
    start = time.perf_counter()
    result = work()
    seconds[name] = round(time.perf_counter() - start, 3)
    return result


def measure(folder: Path) -> dict[str, float]:
    """All bars on a release below ``folder``, in seconds."""
    import pyarrow.parquet as pq

    seconds: dict[str, float] = {}
    built = timed(seconds, "make_release", lambda: release(folder))
    registry = folder / "optout.jsonl"
    asked = timed(seconds, "read_list", lambda: inbox.read_file(requests(folder), None, NOW))
    timed(
        seconds,
        "import",
        lambda: inbox.take_in(registry, optouts.EMPTY, asked, "bench", lambda: "s"),
    )
    pending = optouts.read(registry).requests
    where = places(folder / "releases")
    one = [request for request in pending if request.id == "issue-10"]
    timed(seconds, "preview_one", lambda: preview(one, where))
    timed(seconds, "preview_all", lambda: preview(pending, where))
    events = [Event("approve", request.id, NOW) for request in pending]
    timed(seconds, "approve_all", lambda: optouts.append(registry, events))
    state = timed(seconds, "read_registry", lambda: optouts.read(registry))
    columns = ["origin", "path", "content_id", "snapshot_id", "revision_id", "directory_id"]
    rows = pa.concat_tables(
        [pq.read_table(p, columns=columns, partitioning=None) for p in built.rglob("train*")]
    )
    heads = pq.read_table(built / "repositories.parquet")
    timed(seconds, "run_stage", lambda: (match_heads(heads, state), match_files(rows, state)))
    for asked_for in ("owner-10", "owner-10/repo-10", _swhid()):
        name = f"lookup_{asked_for.split('/')[0].split(':')[0]}{asked_for.count('/')}"
        lookup(asked_for, state, where)
        timed(seconds, name, lambda asked_for=asked_for: lookup(asked_for, state, where))
    timed(seconds, "patch", lambda: withdraw(built, state))
    return seconds


def _swhid() -> str:
    return "swh:1:cnt:" + _hash(f"value = {5:>30}\n")


def main() -> None:
    """Measure in a temporary folder, or in the one that is named."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path)
    given = options.parse_args().folder
    if given:
        print(json.dumps(measure(given)))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder))))


if __name__ == "__main__":
    main()
