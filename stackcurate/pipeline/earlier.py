"""Earlier releases and foreign Parquet that `dedup` holds new files against.

A release of ours that ships signatures made alike is not hashed again: its texts are read only
where a pair must be verified. Any other is hashed once, and what comes of it is kept beside the run
folders, under the digest of the data, for every later run. An earlier file that was withdrawn since
drops nothing and is never named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.dedup.near import SIGNATURE_BYTES, digests_of, signatures
from stackcurate.dedup.options import Against
from stackcurate.dedup.pieces import Piece, cut, parquet_files
from stackcurate.dedup.settings import Settings
from stackcurate.dedup.steps import Part
from stackcurate.errors import ConfigError, InputError, IntegrityError
from stackcurate.languages.table import facts
from stackcurate.optout.apply import hits
from stackcurate.optout.registry import Registry
from stackcurate.pipeline.tasks import Run
from stackcurate.releases.manifest import MANIFEST, manifest_digest, read_manifest
from stackcurate.schema import FILE, conform, one_chunk
from stackcurate.storage import partitions
from stackcurate.text import visible

SIGNATURES = "signatures"  # the folder of a release that lies like its data
_LONGEST_ID = 1024  # characters; the ledger is no place for texts


@dataclass(frozen=True)
class Earlier:
    """One entry of ``dedup.against``, found: ``digest`` fixes all its bytes.

    ``manifest`` is null where it is no release of ours.
    """

    entry: Against
    name: str
    digest: str
    pieces: tuple[Piece, ...]
    manifest: dict[str, Any] | None

    def column(self, name: str) -> str:
        """What the column ``name`` is called there."""
        if self.manifest is None:
            return self.entry.column(name)
        return {"id": "row_key", "repository": "origin"}.get(name, name)

    def stored(self, settings: Settings) -> bool:
        """Whether it ships signatures that may be compared with those of ``settings``."""
        made = (self.manifest or {}).get("dedup", {}).get("signing")
        return made == json.loads(json.dumps(settings.signing))

    def lock(self) -> dict[str, Any]:
        """What the manifest of the new release says about it."""
        kind = "parquet" if self.manifest is None else "release"
        return {"name": self.name, "kind": kind, "digest": self.digest}


def find_earlier(run: Run) -> list[Earlier]:
    """Every entry of ``dedup.against``, with its digest. Raises ConfigError for one not there."""
    if "dedup" not in run.config.stages:
        return []
    settings = run.config.dedup
    found = [_find(entry, settings) for entry in settings.against]
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:  # the ledger tells them by name
        raise ConfigError(f"dedup.against: two entries are called {visible(twice[0])}; rename one")
    return found


def located(
    entry: Against, number: int, lock: Mapping[str, Any], settings: Settings, beside: Path
) -> Against:
    """The entry (``number`` from 1) with a path to the very data that ``lock`` names.

    Looks at the entry's path, and for releases of ours below ``beside`` (releases/NAME/vX.Y.Z).
    Raises ConfigError where neither holds them.
    """
    places = [entry.path]
    if lock["kind"] == "release":
        places += [found.parent for found in sorted(beside.glob(f"*/v*/{MANIFEST}"))]
    for place in places:
        at = replace(entry, path=place)
        if place.exists() and _digest_at(at, settings) == lock["digest"]:
            return at
    raise ConfigError(
        f"the earlier {lock['kind']} {visible(lock['name'])} (digest {lock['digest'][:12]}) that "
        f"files were held against is not at {entry.path}; say where it is with "
        f"--earlier {number}=PATH"
    )


def _digest_at(entry: Against, settings: Settings) -> str | None:
    if (entry.path / MANIFEST).is_file():
        return manifest_digest(entry.path)
    try:
        return _find(entry, settings).digest
    except (ConfigError, InputError):
        return None


def _find(entry: Against, settings: Settings) -> Earlier:
    path = entry.path
    if (path / MANIFEST).is_file():
        if entry.columns or entry.language:
            raise ConfigError(f"{path} is a release: it needs neither columns nor a language")
        manifest = read_manifest(path)
        _not_patched(path, manifest)
        files = [path / e["path"] for e in manifest["files"] if e["path"].startswith("data/")]
        pieces = cut(files, "content", ["row_key"], same=False)[1] if files else []
        name, digest = manifest["release_id"], manifest_digest(path)
        return Earlier(entry, name, digest, tuple(pieces), manifest)
    found = parquet_files(path)
    folder = path if path.is_dir() else path.parent
    digests = [
        (file.relative_to(folder).as_posix(), partitions.file_digest(file)) for file in found
    ]
    needed = [entry.column("id")]
    if settings.scope != "all" and not (settings.scope == "language" and entry.language):
        needed.append(entry.column(settings.scope))
    try:
        pieces = cut(found, entry.column("content"), needed, same=False)[1]
    except ConfigError as error:
        raise ConfigError(
            f"dedup.against: {error}. Say `columns: {{content: …, id: …, language: …}}` (ours: "
            "theirs), or `language: …` where all of it is in one"
        ) from None
    return Earlier(entry, path.name, partitions.digest(digests), tuple(pieces), None)


def _not_patched(path: Path, manifest: dict[str, Any]) -> None:
    """Refuse a version from which files were withdrawn: its patch is the one to name."""
    for other in sorted(path.parent.glob("v*")):
        if other == path or not (other / MANIFEST).is_file():
            continue
        patch = read_manifest(other)
        before = patch["optout"].get("patch", {}).get("of")
        if before == manifest["version"] and patch["name"] == manifest["name"]:
            raise ConfigError(
                f"dedup.against: files were withdrawn from {manifest['name']} "
                f"{manifest['version']}; name its patch, {other}"
            )


@dataclass(frozen=True)
class SignItem:
    """A piece without signatures that can be used."""

    piece: Piece
    content: str
    settings: Settings
    out: Path


def sign_task(item: SignItem) -> tuple[int, int]:
    """Digest and sign one piece; one row for each of its rows; no digest, no content."""
    tables = []
    for batch in item.piece.batches([item.content]):
        contents = batch.column(0)
        signed = signatures(contents, item.settings)
        digests = digests_of(contents)
        missing = pc.is_null(contents)
        if missing.true_count:
            digests = pc.if_else(missing, pa.scalar(None, digests.type), digests)
        tables.append(signed.add_column(0, "text_sha256", digests))
    with partitions.whole_folder(item.out) as part:
        partitions.write_arrow(part / "signed.arrow", pa.concat_tables(tables), rows=8192)
    return item.piece.rows, item.piece.bytes


@dataclass(frozen=True)
class RecordItem:
    """A piece as `dedup` wants it. ``signed`` is null where the release ships its signatures."""

    earlier: Earlier
    piece: Piece
    signed: Path | None
    settings: Settings
    registry: Registry
    out: Path


def record_task(item: RecordItem) -> tuple[int, int]:
    """Write a piece's ``records.arrow`` (see dedup.steps.Part) and ``ids.arrow``."""
    rows = _facts_of(item)
    if item.signed is not None:
        signed = partitions.read_arrow(item.signed / "signed.arrow")
    else:
        signed = _stored(item, rows)
    if signed.num_rows != rows.num_rows:
        raise IntegrityError(f"{item.earlier.name} changed while it was read; start again")
    table = pa.table(
        {
            "row": pa.array(np.arange(rows.num_rows, dtype=np.int32)),
            "group": rows["group"],
            **{name: signed[name] for name in ("text_sha256", "shingles", "signature")},
        }
    )
    takes_part = pc.and_(pc.is_valid(table["text_sha256"]), pc.is_null(rows["withdrawn"]))
    with partitions.whole_folder(item.out) as part:
        partitions.write_arrow(part / "records.arrow", table.filter(takes_part), rows=8192)
        partitions.write_arrow(part / "ids.arrow", rows.select(["id"]))
    return rows.num_rows, 0


def _facts_of(item: RecordItem) -> pa.Table:
    """Per row of a piece: id, group, withdrawn (a verdict, else null); of ours text_sha256."""
    earlier, scope, asks = item.earlier, item.settings.scope, bool(item.registry.requests)
    columns = [earlier.column("id")]
    group = None if scope == "all" else earlier.column(scope)
    if scope == "language" and earlier.entry.language is not None:
        group = None
    columns += [group] if group else []
    if earlier.manifest is not None:
        columns += [n for n in FILE.names if n != "content"] if asks else ["text_sha256"]
    tables = []
    for batch in item.piece.batches(list(dict.fromkeys(columns))):
        rows = pa.Table.from_batches([batch])
        found = {"id": _ids(rows[columns[0]], earlier.name), "group": _groups(rows, group, item)}
        found["withdrawn"] = pa.nulls(rows.num_rows, pa.string())
        if earlier.manifest is not None:
            found["text_sha256"] = rows["text_sha256"]
            if asks:
                found["withdrawn"] = hits(conform(rows, FILE), item.registry).cast(pa.string())
        tables.append(pa.table(found))
    return pa.concat_tables(tables)


def _ids(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    try:
        ids = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ConfigError(f"dedup.against: the ids of {name} cannot be written as text") from None
    longest = pc.max(pc.utf8_length(ids)).as_py()
    if longest is not None and longest > _LONGEST_ID:
        raise ConfigError(
            f"dedup.against: {name} has ids of more than {_LONGEST_ID} characters; name another "
            "column under columns: {id: …}"
        )
    return ids


def _groups(rows: pa.Table, column: str | None, item: RecordItem) -> pa.Array | pa.ChunkedArray:
    """The group of each row; foreign names of languages are turned into ours."""
    if column is None:
        language = item.earlier.entry.language if item.settings.scope == "language" else None
        one = "" if language is None else _language(language)
        return pa.array([one]).take(pa.array(np.zeros(rows.num_rows, np.int32)))
    groups = pc.fill_null(rows[column].cast(pa.string()), "")
    if item.earlier.manifest is not None or item.settings.scope != "language":
        return groups
    encoded = groups.combine_chunks().dictionary_encode()
    ours = pa.array([_language(name) for name in encoded.dictionary.to_pylist()], pa.string())
    return ours.take(encoded.indices)


def _language(name: str) -> str:
    return facts().by_alias.get(name.lower(), name)


def _stored(item: RecordItem, rows: pa.Table) -> pa.Table:
    """The shipped signatures of a piece of a release, which lie row by row as its data do."""
    piece = item.piece
    release = item.earlier.entry.path
    path = release / SIGNATURES / piece.path.relative_to(release / "data")
    begin, end, at = piece.before, piece.before + piece.rows, 0
    tables = []
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            size = file.metadata.row_group(number).num_rows
            if at < end and begin < at + size:
                group = file.read_row_group(number)
                tables.append(group.slice(max(0, begin - at), min(end, at + size) - max(at, begin)))
            at += size
    table = pa.concat_tables(tables)
    if not table["row_key"].cast(pa.string()).equals(rows["id"]):
        raise IntegrityError(f"{path} does not hold the signatures of its data; verify the release")
    digests = [bytes.fromhex(one) for one in rows["text_sha256"].to_pylist()]
    width = pa.binary(SIGNATURE_BYTES * item.settings.permutations)
    return pa.table(
        {
            "text_sha256": pa.array(digests, pa.binary(32)),
            "shingles": table["shingles"],
            "signature": table["signature"].cast(width),
        }
    )


@dataclass(frozen=True)
class EarlierParts:
    """All earlier files as parts of the matching; part ``first + n`` is ``pieces[n]``."""

    first: int
    parts: tuple[Part, ...]
    pieces: tuple[Piece, ...]
    contents: tuple[str, ...]  # name of the content column, per piece
    names: tuple[str, ...]  # of the release, per piece
    digests: tuple[str, ...]  # of the records, per piece

    def texts(self, part: int, rows: np.ndarray) -> pa.Array:
        """Texts of a part for verification, from the row groups that hold them."""
        number = part - self.first
        return self.pieces[number].texts(self.contents[number], rows)

    def ids(self, part: int, rows: np.ndarray) -> list[str | None]:
        """The ids of some rows of a part."""
        records = self.parts[part - self.first].path
        ids = one_chunk(partitions.read_arrow(records.with_name("ids.arrow")), "id")
        found: list[str | None] = ids.take(pa.array(rows)).to_pylist()
        return found


NO_PARTS = EarlierParts(0, (), (), (), (), ())


def earlier_parts(
    run: Run, found: Sequence[Earlier], registry: Registry, first: int
) -> EarlierParts:
    """Sign what has no signatures, and make parts of everything; part numbers from ``first``."""
    settings = run.config.dedup.matching
    pairs = [(earlier, piece) for earlier in found for piece in earlier.pieces]
    sign: dict[int, SignItem] = {}
    for number, (earlier, piece) in enumerate(pairs):
        if not earlier.stored(settings):
            content = earlier.column("content")
            about = (
                earlier.digest,
                _name(earlier, piece),
                piece.row_groups,
                content,
                settings.signing,
            )
            place = run.config.runs / ".earlier" / partitions.digest(*about)
            sign[number] = SignItem(piece, content, settings, place)
    run.do("sign", sign_task, list(sign.values()), timeout=run.timeout)
    items = []
    for number, (earlier, piece) in enumerate(pairs):
        signed = sign[number].out if number in sign else None
        place = run.place(
            "earlier", earlier.digest, earlier.entry, _name(earlier, piece), piece.row_groups,
            settings.signing, settings.scope, registry.head,
        )  # fmt: skip
        items.append(RecordItem(earlier, piece, signed, settings, registry, place))
    run.do("earlier", record_task, items)
    parts, before = [], 0
    for number, item in enumerate(items):
        parts.append(Part(first + number, item.out / "records.arrow", True, before))
        before += item.piece.rows
    return EarlierParts(
        first,
        tuple(parts),
        tuple(piece for _, piece in pairs),
        tuple(earlier.column("content") for earlier, _ in pairs),
        tuple(earlier.name for earlier, _ in pairs),
        tuple(item.out.name for item in items),
    )


def _name(earlier: Earlier, piece: Piece) -> str:
    """The file of a piece by its path in its release: shards of all languages have one name."""
    path = earlier.entry.path
    return piece.path.relative_to(path if path.is_dir() else path.parent).as_posix()
