"""The single checks of `verify`: each returns a sentence and the problems it found."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.releases.facts import UNKNOWN_FOLDER
from stackcurate.releases.manifest import MANIFEST, SUMS, files_under, read_sums, shard_of
from stackcurate.releases.totals import over_files, totals
from stackcurate.schema import KEPT, one_chunk
from stackcurate.text import visible, with_commas

#: A sentence, and one line per problem.
Outcome = tuple[str, list[str]]

#: Looks at a batch of FILE rows again; returns rows of ``row_key``, ``rule``, ``kind``, ``start``,
#: ``end``, ``confidence``, ``fails`` (bool: the release's own settings would redact it).
Rescan = Callable[[pa.Table], pa.Table]

# Stages whose rows are published; for these the ledger is counted against the manifest.
_PUBLISHED = ("choose", "filter", "dedup")
_BATCH = 1024  # rows of content in memory at a time
_SLIM = 65_536  # rows without content
_FINDINGS = 1000  # findings of a rescan that are handed back


@dataclass(frozen=True)
class Withdrawn:
    """What the opt-out registry withdraws, as verdict columns (null: may be published).

    ``heads`` is asked of ``repositories.parquet``, ``files`` of the data files without content.
    """

    heads: Callable[[pa.Table], pa.Array]
    files: Callable[[pa.Table], pa.Array]


def checksums(release: Path, manifest: Mapping[str, Any]) -> Outcome:
    """Files on disk = files of the manifest = lines of SHA256SUMS, in name, size and digest."""
    listed = {entry["path"]: entry for entry in manifest["files"]}
    stated = read_sums(release)
    present = set(files_under(release)) - {SUMS}
    problems = [f"{visible(path)} is missing" for path in sorted(set(listed) - present)]
    extra = present - set(listed) - {MANIFEST}
    problems += [f"{visible(path)} is not part of the release" for path in sorted(extra)]
    if stated.keys() != {*listed, MANIFEST}:
        odd = sorted(stated.keys() ^ {*listed, MANIFEST})
        problems += [f"{SUMS} and {MANIFEST} differ about {visible(path)}" for path in odd]
    paths = sorted({*listed, MANIFEST} & present)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:  # hashing frees the GIL
        found = threads.map(
            lambda path: _damage(release, path, listed.get(path), stated.get(path)), paths
        )
        problems += [problem for damage in found for problem in damage]
    return f"{with_commas(len(listed))} files are whole", problems


def _damage(
    release: Path, path: str, entry: Mapping[str, Any] | None, stated: str | None
) -> list[str]:
    place = release / path
    if place.is_symlink() or not place.is_file():
        return [f"{visible(path)} is not a plain file"]
    if entry is not None and place.stat().st_size != entry["bytes"]:
        return [f"{visible(path)} has another size"]
    if entry is not None and stated not in (None, entry["sha256"]):
        return [f"{SUMS} and {MANIFEST} differ about {visible(path)}"]
    wanted = stated if entry is None else entry["sha256"]
    return [] if shard_of(place).sha256 == wanted else [f"{visible(path)} is damaged"]


def schema(release: Path, manifest: Mapping[str, Any]) -> Outcome:
    """Names and types of every data file, and rows of every Parquet file, as the manifest says."""
    wanted = [(column["name"], column["type"]) for column in manifest["schema"]["columns"]]
    digest = hashlib.sha256("\n".join(f"{n}:{t}" for n, t in wanted).encode()).hexdigest()
    problems = []
    if digest != manifest["schema"]["digest"]:
        problems.append(f"{MANIFEST}: the schema digest is not that of its columns")
    for entry in manifest["files"]:
        if not entry["path"].endswith(".parquet"):
            continue
        with pq.ParquetFile(release / entry["path"]) as file:
            if file.metadata.num_rows != entry["rows"]:
                problems.append(f"{visible(entry['path'])} has another number of rows")
            found = [(column.name, _type_name(column.type)) for column in file.schema_arrow]
        if entry["path"].startswith("data/") and found != wanted:
            problems.append(f"{visible(entry['path'])} has another schema")
    return f"{len(wanted)} columns in every data file", problems


def counts(release: Path, manifest: Mapping[str, Any]) -> Outcome:
    """The totals of the manifest, counted again; every file in its language's folder."""
    stated = manifest["totals"]
    data = _data(manifest)
    folders: dict[str | None, str] = {
        entry["language"]: entry["folder"] for entry in stated["languages"]
    }
    folders.setdefault(None, UNKNOWN_FOLDER)
    problems = _misplaced(release, data, folders)
    if not problems:
        again = totals(release, data, folders)
        problems += [
            f"{MANIFEST}: totals.{key} are not those of the files"
            for key in again
            if again[key] != stated.get(key)
        ]
    rows = sum(entry["rows"] for entry in manifest["files"] if entry["path"] in set(data))
    kept = manifest["counts"]["kept"]["files"]
    if not rows == kept == stated["files"]:
        problems.append(f"{rows} rows in the data, {kept} kept, {stated['files']} in the totals")
    return f"{with_commas(rows)} rows in {with_commas(len(data))} data files", problems


def _misplaced(release: Path, data: list[str], folders: Mapping[str | None, str]) -> list[str]:
    """Data files with rows of a language that belongs elsewhere, or that the manifest lacks."""
    problems = []
    for path in data:
        found: set[str | None] = set()
        for batch in _batches(release / path, ["language"], _SLIM):
            found.update(batch["language"].unique().to_pylist())
        if any(folders.get(language) != path.split("/")[1] for language in found):
            problems.append(f"{visible(path)} holds files of another language")
    return problems


def ledger(release: Path, manifest: Mapping[str, Any]) -> Outcome:
    """Files in = kept + dropped by reason, in all and by source, and the published rows agree."""
    stated = manifest["counts"]
    problems = _sum_problems("all sources", stated)
    for name, source in sorted(stated["sources"].items()):
        problems += _sum_problems(f"source {visible(name)}", source)
    written = release / "ledger" / "counts.json"
    if written.is_file() and json.loads(written.read_bytes()) != stated:
        problems.append(f"ledger/counts.json and {MANIFEST} differ")
    found: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for entry in manifest["files"]:
        if entry["path"].startswith("ledger/") and entry["path"].endswith(".parquet"):
            for batch in _batches(release / entry["path"], ["outcome", "files", "bytes"], _SLIM):
                _add(batch, found, size)
    for stage in _PUBLISHED:
        for reason, count in stated["dropped"].get(stage, {}).items():
            verdict = f"{stage}:{reason}"
            if (found.pop(verdict, 0), size[verdict]) != (count["files"], count["bytes"]):
                problems.append(f"the ledger's rows of {visible(verdict)} do not add up")
    found.pop(KEPT, None)  # kept files that are like one of an earlier release
    problems += [f"the ledger has rows of {visible(name)}, the counts none" for name in found]
    listed, kept = stated["listed"]["files"], stated["kept"]["files"]
    words = f"{with_commas(listed)} listed = {with_commas(kept)} kept"
    return f"{words} + {with_commas(listed - kept)} dropped", problems


def _sum_problems(what: str, part: Mapping[str, Any]) -> list[str]:
    problems = []
    for unit in ("files", "bytes"):
        dropped = sum(
            count[unit] for reasons in part["dropped"].values() for count in reasons.values()
        )
        if part["listed"][unit] != part["kept"][unit] + dropped:
            problems.append(
                f"{what}: {part['listed'][unit]} {unit} listed, but {part['kept'][unit]} kept "
                f"and {dropped} dropped"
            )
    return problems


def _add(rows: pa.Table, files: Counter[str], size: Counter[str]) -> None:
    grouped = rows.group_by("outcome").aggregate([("files", "sum"), ("bytes", "sum")])
    for row in grouped.to_pylist():
        files[row["outcome"]] += row["files_sum"] or 0
        size[row["outcome"]] += row["bytes_sum"] or 0


def unique(release: Path, manifest: Mapping[str, Any]) -> Outcome:
    """No ``content_id`` and no ``row_key`` twice, none missing. Out of core."""
    problems = []
    data = _data(manifest)
    if data:
        with over_files([release / path for path in data]) as connection:
            for key in ("content_id", "row_key"):
                rows = connection.execute(
                    f"SELECT {key}, count(*) FROM files GROUP BY {key} "
                    f"HAVING count(*) > 1 OR {key} IS NULL ORDER BY {key} LIMIT 20"
                ).fetchall()
                problems += [f"{key} {visible(str(value))} stands {n} times" for value, n in rows]
    return "every content_id and row_key stands once", problems


def texts(release: Path, manifest: Mapping[str, Any]) -> Outcome:
    """``text_sha256`` and ``text_bytes`` of every row, computed again from ``content``."""
    problems = []
    for path in _data(manifest):
        bad = 0
        for batch in _batches(release / path, ["content", "text_sha256", "text_bytes"], _BATCH):
            bad += _wrong_texts(batch)
        if bad:
            problems.append(f"{visible(path)}: {with_commas(bad)} texts do not match their hash")
    return "every text matches its hash", problems


def _wrong_texts(batch: pa.Table) -> int:
    chunk = one_chunk(batch, "content")
    if chunk.null_count:  # every released file has a text
        return int(chunk.null_count)
    buffers = chunk.buffers()
    ends = np.frombuffer(buffers[1], np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    data = memoryview(buffers[2]) if buffers[2] is not None else memoryview(b"")
    digests = [
        hashlib.sha256(data[start:stop]).hexdigest()
        for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    same = pc.and_(
        pc.equal(batch["text_sha256"], pa.array(digests, pa.string())),
        pc.equal(batch["text_bytes"], pa.array(np.diff(ends))),
    )
    return len(chunk) - int(pc.sum(pc.fill_null(same, False)).as_py() or 0)


def opted_out(release: Path, manifest: Mapping[str, Any], withdrawn: Withdrawn) -> Outcome:
    """Nothing of the release is withdrawn. Problems count by verdict and name nobody."""
    found: Counter[str] = Counter()
    for path, question in [
        ("repositories.parquet", withdrawn.heads),
        *((path, withdrawn.files) for path in _data(manifest)),
    ]:
        if not (release / path).is_file():
            continue
        with pq.ParquetFile(release / path) as file:
            columns = [name for name in file.schema_arrow.names if name != "content"]
        for batch in _batches(release / path, columns, _SLIM):
            for verdict in pc.drop_null(question(batch)).to_pylist():
                found[f"{visible(path)}: {visible(verdict)}"] += 1
    related = release / "origin_groups.parquet"
    for side in ("origin", "of_origin") if related.is_file() else ():
        for batch in _batches(related, [side], _SLIM):
            verdicts = withdrawn.heads(batch.rename_columns(["origin"]))
            for verdict in pc.drop_null(verdicts).to_pylist():
                found[f"{related.name}: {visible(verdict)}"] += 1
    problems = [f"{name} ({with_commas(count)} rows)" for name, count in sorted(found.items())]
    return "nothing inside was opted out", problems


def rescanned(
    release: Path, manifest: Mapping[str, Any], rescan: Rescan, findings: list[Mapping[str, Any]]
) -> Outcome:
    """Run the detectors again. The first findings (never values) go to ``findings``."""
    failing: Counter[str] = Counter()
    noted: Counter[str] = Counter()
    for path in _data(manifest):
        for batch in _batches(release / path, None, _BATCH):
            for row in rescan(batch).to_pylist():
                (failing if row["fails"] else noted)[f"{row['kind']} ({row['rule']})"] += 1
                if len(findings) < _FINDINGS:
                    findings.append({"file": path, **row})
    problems = [f"{with_commas(n)} x {name} left in" for name, n in sorted(failing.items())]
    seen = ", ".join(f"{with_commas(n)} x {name}" for name, n in sorted(noted.items()))
    return f"a strict scan still sees {seen or 'nothing'}", problems


def _data(manifest: Mapping[str, Any]) -> list[str]:
    return [entry["path"] for entry in manifest["files"] if entry["path"].startswith("data/")]


def _batches(path: Path, columns: list[str] | None, rows: int) -> Iterator[pa.Table]:
    """Batches of at most ``rows`` rows that never span row groups: those bound their bytes."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(rows, row_groups=[group], columns=columns):
                yield pa.Table.from_batches([batch])


def _type_name(kind: pa.DataType) -> str:
    """A type as `schema_digest` spells it; Parquet calls a list's inner field "element"."""
    return str(kind).replace("<element: ", "<item: ")
