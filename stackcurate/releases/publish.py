"""Turns a staging folder of written shards into a release: documents, manifest, check, one rename.

The manifest is written last and the folder takes its final name last of all, so a folder that bears
a release's name is whole, and a half-written staging folder never looks like a release.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.releases import croissant
from stackcurate.releases.card import card
from stackcurate.releases.changelog import changelog
from stackcurate.releases.citation import citation
from stackcurate.releases.diff import Diff, Side, diff
from stackcurate.releases.facts import UNKNOWN_FOLDER, ReleaseFacts
from stackcurate.releases.manifest import (
    MANIFEST,
    SUMS,
    build_manifest,
    canonical,
    counts,
    file_entries,
    files_under,
    shard_of,
    sums,
)
from stackcurate.releases.totals import totals
from stackcurate.releases.verify import Withdrawn, verify
from stackcurate.releases.writer import Shard
from stackcurate.storage.partitions import clear_parts, disk_errors, sync, whole

COUNTS = "ledger/counts.json"

#: Draws report.html from the manifest's data (`report.html_of`); given, so that rooms stay apart.
ReportWriter = Callable[[Mapping[str, Any]], str]


def publish(
    staging: Path,
    final: Path,
    facts: ReleaseFacts,
    report: ReportWriter,
    withdrawn: Withdrawn | None = None,
) -> None:
    """Complete ``staging``, check it, and rename it to ``final``.

    Both lie on one file system. May be called again over what a killed call left.
    Raises ConfigError where ``final`` is there already, IntegrityError where files are not what
    ``facts`` says, StopError where the disk is full or something in the release was opted out;
    then nothing is published.
    """
    if final.exists():
        raise ConfigError(f"{final} is there already; a release is never written over")
    with disk_errors(final.parent):
        _complete(staging, facts, report)
        verify(staging, withdrawn=withdrawn, texts=False).demand()
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(staging, final)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise ConfigError(f"{final} is there already; another run published it") from None
            raise
        sync(final.parent)


def _complete(staging: Path, facts: ReleaseFacts, report: ReportWriter) -> None:
    """Write everything beside the tables: counts, card, citation, changelog, report, manifest."""
    clear_parts(staging)
    for name in (MANIFEST, SUMS):  # of a killed call: nothing may look finished meanwhile
        (staging / name).unlink(missing_ok=True)
    files = _written(staging, facts)
    files[COUNTS] = _write(staging / COUNTS, canonical(counts(facts)))
    data = sorted(path for path in files if path.startswith("data/"))
    folders: dict[str | None, str] = {None: UNKNOWN_FOLDER}
    folders.update(facts.folders)
    manifest = build_manifest(facts, files, totals(staging, data, folders))
    documents = {
        "README.md": card(facts, manifest),
        "CITATION.cff": citation(facts, manifest),
        "CHANGELOG.md": changelog(facts, manifest, _difference(staging, facts, manifest)),
        "report.html": report(manifest),
        croissant.NAME: croissant.croissant(facts, manifest),
    }
    for name, text in documents.items():
        files[name] = _write(staging / name, text.encode())
    manifest["files"] = file_entries(files)
    _finish(staging, files, canonical(manifest))


def _difference(staging: Path, facts: ReleaseFacts, manifest: Mapping[str, Any]) -> Diff | None:
    """What changed since the previous release, where its folder is at hand."""
    if facts.previous is None or facts.previous.folder is None:
        return None
    return diff(Side(facts.previous.folder, facts.previous.manifest), Side(staging, manifest))


def _finish(staging: Path, files: Mapping[str, Shard], manifest: bytes) -> None:
    """SHA256SUMS, then the manifest, then every folder made durable."""
    digests = {path: shard.sha256 for path, shard in files.items()}
    with whole(staging / MANIFEST) as part:
        part.write_bytes(manifest)
        digests[MANIFEST] = shard_of(part).sha256
        _write(staging / SUMS, sums(digests))
    for folder in sorted(path for path in staging.rglob("*") if path.is_dir()):
        sync(folder)


def _written(staging: Path, facts: ReleaseFacts) -> dict[str, Shard]:
    """Every file that the run left in ``staging``: as the writer said, or hashed now."""
    files = dict(facts.files)
    for path, shard in files.items():
        place = staging / path
        if not place.is_file() or place.stat().st_size != shard.file_bytes:
            raise IntegrityError(f"{place} is not the file that was written; run again")
    for path in files_under(staging):
        if path not in files:
            place = staging / path
            rows = pq.read_metadata(place).num_rows if path.endswith(".parquet") else 0
            files[path] = shard_of(place, rows)
    return files


def _write(path: Path, data: bytes) -> Shard:
    with whole(path) as part:
        part.write_bytes(data)
        return shard_of(part)
