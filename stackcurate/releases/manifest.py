"""The manifest: one canonical JSON file that names every byte of a release and where it came from.

Canonical means sorted keys, two spaces, UTF-8, a newline at the end: the same facts are the same
bytes. The manifest lists every file of the release but itself and ``SHA256SUMS``; ``SHA256SUMS``
lists every file but itself, so ``sha256sum -c`` checks the manifest too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.releases.facts import Previous, ReleaseFacts
from stackcurate.releases.writer import Shard
from stackcurate.schema import FILE, schema_digest

FORMAT = 1
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"

_SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def canonical(value: Any) -> bytes:
    """``value`` as canonical JSON: what a digest may be taken of."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def release_id(name: str, version: str, files: Mapping[str, Shard]) -> str:
    """``NAME-vVERSION-`` and 16 hex digits over the schema and the data files' digests.

    Two releases with one id hold the same files; what is merely said about them (report, card) does
    not enter.
    """
    body = {
        "schema": schema_digest(),
        "data": {path: shard.sha256 for path, shard in files.items() if path.startswith("data/")},
    }
    return f"{name}-v{version}-{hashlib.sha256(canonical(body)).hexdigest()[:16]}"


def build_manifest(
    facts: ReleaseFacts, files: Mapping[str, Shard], totals: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest of ``files`` as plain data; ``totals`` as `totals.totals` gives them."""
    previous = None
    if facts.previous is not None:
        old = facts.previous.manifest
        previous = {
            "name": old["name"],
            "version": old["version"],
            "release_id": old["release_id"],
            "manifest_sha256": facts.previous.manifest_sha256,
        }
    return {
        "format": FORMAT,
        "name": facts.name,
        "version": facts.version,
        "title": facts.heading,
        "release_id": release_id(facts.name, facts.version, files),
        "schema": {
            "digest": schema_digest(),
            "columns": [{"name": column.name, "type": str(column.type)} for column in FILE],
        },
        "files": file_entries(files),
        "config": facts.config,
        "inputs": facts.inputs,
        "tables": dict(facts.tables),
        "tools": dict(facts.tools),
        "optout": dict(facts.optout),
        "dedup": _plain(facts.dedup),
        "forks": dict(facts.forks),
        "counts": counts(facts),
        "totals": totals,
        "problems": [dict(problem) for problem in facts.problems],
        "previous": previous,
    }


def file_entries(files: Mapping[str, Shard]) -> list[dict[str, Any]]:
    """The manifest's file list, sorted by path; ``rows`` is null for what is not Parquet."""
    return [
        {
            "path": path,
            "rows": shard.rows if path.endswith(".parquet") else None,
            "bytes": shard.file_bytes,
            "sha256": shard.sha256,
        }
        for path, shard in sorted(files.items())
    ]


def counts(facts: ReleaseFacts) -> dict[str, Any]:
    """The funnel as plain data: what ``ledger/counts.json`` and the manifest hold alike."""
    return {
        "stages": list(facts.stages),
        "listed": dict(facts.listed),
        "kept": dict(facts.kept),
        "dropped": _plain(facts.dropped),
        "sources": _plain(facts.sources),
    }


def read_manifest(release: Path) -> dict[str, Any]:
    """The manifest of the release folder ``release``.

    Raises ConfigError where there is no release, IntegrityError where the manifest cannot be read.
    """
    path = release / MANIFEST
    if not path.is_file():
        raise ConfigError(f"{release} is not a release: it has no {MANIFEST}")
    try:
        manifest = json.loads(path.read_bytes())
        known = manifest["format"] == FORMAT
    except (ValueError, TypeError, KeyError) as error:
        raise IntegrityError(f"{path} is damaged: it is not a manifest") from error
    if not known:
        raise ConfigError(f"{path} has a format that this version of stackcurate does not know")
    return manifest


def manifest_digest(release: Path) -> str:
    """SHA-256 (hex) of the release's manifest file: with it, every byte of the release is fixed."""
    return hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()


def sums(digests: Mapping[str, str]) -> bytes:
    """``SHA256SUMS`` for {path: SHA-256 hex}, sorted, as ``sha256sum -c`` reads it."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items())).encode()


def read_sums(release: Path) -> dict[str, str]:
    """{path: SHA-256 hex} from ``SHA256SUMS``; IntegrityError where it is missing or damaged."""
    path = release / SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{path} is missing or damaged") from error
    found = {}
    for line in lines:
        match = _SUM_LINE.fullmatch(line)
        if match is None:
            raise IntegrityError(f"{path} is damaged: a line is not a checksum and a name")
        found[match[2]] = match[1]
    return found


def shard_of(path: Path, rows: int = 0) -> Shard:
    """A file that somebody else wrote, measured and hashed in pieces of 1 MiB."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            size += len(piece)
    return Shard(rows, 0, size, digest.hexdigest())


def read_previous(release: Path) -> Previous:
    """What the next release must know about the release folder ``release``."""
    changelog = release / "CHANGELOG.md"
    return Previous(
        manifest=read_manifest(release),
        manifest_sha256=manifest_digest(release),
        changelog=changelog.read_text(encoding="utf-8") if changelog.is_file() else "",
        folder=release,
    )


def files_under(folder: Path) -> Iterable[str]:
    """Every file below ``folder`` as a relative path with "/", sorted; folders are not named."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return value
