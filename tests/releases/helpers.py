"""Small releases to test with: rows of FILE made by rule, and a whole release in a folder."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from stackcurate.releases.facts import ReleaseFacts
from stackcurate.releases.writer import Shard, write_shard, write_table
from stackcurate.schema import EVIDENCE, FILE, HEAD, LEDGER, REVISION, conform, row_key

FOLDERS = {"Python": "Python", "C++": "C++", "F*": "F_", "Jupyter Notebook": "Jupyter Notebook"}
HOSTILE = 'evil/<script>alert("x")</script>&\u202e\n\x1b[31m'


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def file_row(
    number: int, language: str | None = "Python", content: str | None = None, **more: Any
) -> dict[str, Any]:
    """One plausible row of FILE; ``number`` makes it unlike all others."""
    text = f"print({number})\n" * (number % 7 + 1) if content is None else content
    data = text.encode()
    repo = more.get("repo_name", f"owner{number % 3}/repo{number % 5}")
    origin, path = f"https://example.org/{repo}", f"/src/file{number:05}.x"
    row = {
        "content_id": sha1(f"content {number}"),
        "blob_id": hashlib.sha1(data).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "text_sha256": hashlib.sha256(data).hexdigest(),
        "text_bytes": len(data),
        "length_bytes": len(data),
        "row_key": row_key(origin, path.encode()),
        "origin": origin,
        "repo_name": repo,
        "path": path,
        "revision_id": sha1(f"revision {repo}"),
        "language": language,
        "detected_licenses": ["MIT"],
        "license_type": "permissive",
        "license_expression": "MIT" if number % 4 else "Apache-2.0 OR MIT",
        "license_class": "permissive",
        "redactions": [
            {"rule": "email", "kind": "email", "start": 0, "end": 3, "number": 1, "confidence": 1.0}
        ]
        if number % 6 == 0
        else [],
        "dedup_cluster_size": number % 9 + 2 if number % 5 == 0 else None,
        "places": number % 3 + 1,
        "content": text,
    }
    return row | more


def file_table(rows: list[dict[str, Any]]) -> pa.Table:
    rows = sorted(rows, key=lambda row: (row["repo_name"], row["path"]))
    return conform(pa.Table.from_pylist(rows, schema=FILE), FILE)


def corpus() -> list[dict[str, Any]]:
    """Forty files of four languages and none, one of them of a repository with a hostile name."""
    languages = itertools.cycle(["Python", "Python", "C++", "F*", "Jupyter Notebook", None])
    rows = [
        file_row(number, language) for number, language in zip(range(40), languages, strict=False)
    ]
    rows.append(file_row(99, "Python", repo_name=HOSTILE))
    return rows


def staging(
    folder: Path, rows: list[dict[str, Any]], row_group_bytes: int = 400
) -> dict[str, Shard]:
    """Write the Parquet files of a release of ``rows``, as the pipeline does."""
    files: dict[str, Shard] = {}
    for language in sorted({row["language"] for row in rows}, key=str):
        place = FOLDERS[language] if language else "_unknown"
        mine = [row for row in rows if row["language"] == language]
        half = len(mine) // 2
        for part, some in enumerate((mine[:half], mine[half:])):
            path = f"data/{place}/train-{part:05}-of-00002.parquet"
            files[path] = write_shard(folder / path, [file_table(some)], row_group_bytes)
    origins = sorted({row["origin"] for row in rows})
    heads = pa.Table.from_pylist(
        [{"origin": o, "repo_name": o.removeprefix("https://example.org/")} for o in origins]
    )
    heads = conform(heads, HEAD).append_column("outcome", pa.array(["kept"] * len(origins)))
    side = {
        "repositories.parquet": heads,
        "revisions.parquet": REVISION.empty_table(),
        "evidence.parquet": EVIDENCE.empty_table(),
        "ledger/origins.parquet": conform(
            pa.Table.from_pylist(
                [{"scope": "origin", "files": 7, "bytes": 100, "outcome": "choose:same_root"}]
            ),
            LEDGER,
        ),
        "ledger/files-00000.parquet": conform(
            pa.Table.from_pylist(
                [
                    {"scope": "file", "files": 1, "bytes": 10, "outcome": "dedup:exact"},
                    {"scope": "file", "files": 1, "bytes": 12, "outcome": "dedup:near"},
                    {"scope": "file", "files": 1, "bytes": 7, "outcome": "filter:empty"},
                ]
            ),
            LEDGER,
        ),
    }
    for path, table in side.items():
        files[path] = write_table(folder / path, table)
    (folder / "quarantine.jsonl").write_text("")
    return files


def facts(files: Mapping[str, Shard], rows: list[dict[str, Any]], **more: Any) -> ReleaseFacts:
    """Facts that agree with `staging`; ``more`` replaces single ones."""
    size = sum(row["length_bytes"] for row in rows)
    values: dict[str, Any] = {
        "name": "stack-test",
        "version": "1.0.0",
        "files": files,
        "folders": FOLDERS,
        "stages": ("optout", "license", "choose", "filter", "dedup"),
        "listed": {"files": len(rows) + 17, "bytes": size + 629},
        "kept": {"files": len(rows), "bytes": size},
        "dropped": {
            "source": {"symlink": {"files": 2, "bytes": 0}},
            "license": {"refused": {"files": 5, "bytes": 500}},
            "choose": {"same_root": {"files": 7, "bytes": 100}},
            "filter": {"empty": {"files": 1, "bytes": 7}},
            "dedup": {
                "exact": {"files": 1, "bytes": 10},
                "near": {"files": 1, "bytes": 12},
            },
        },
        "config": {"name": "stack-test", "license": {"policy": "permissive"}},
        "inputs": [{"kind": "git", "key": "repo", "digest": "ab" * 20}],
        "tables": {"languages": "cd" * 32},
        "tools": {"pyarrow": "26.0.1", "stackcurate": "0.1.0"},
        "optout": {
            "registry_head": "ef" * 32,
            "newest_event": "2026-01-02T00:00:00Z",
            "pending": 1,
        },
        "problems": [{"where": HOSTILE, "reason": "corrupt", "message": "object file is damaged"}],
    }
    return ReleaseFacts(**(values | more))
