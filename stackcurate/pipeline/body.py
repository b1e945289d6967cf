"""The one pass over the bytes: fetch, decode, the stages that look inside, hashes, spill.

A task handles one slice of a partition's chosen rows. It leaves the survivors' findings, their text
in the spill, what `dedup` needs, and the rows that it dropped with their reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.dedup.near import signatures
from stackcurate.dedup.settings import Settings as DedupSettings
from stackcurate.languages.folders import folder_name
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.header import share
from stackcurate.licenses.policy import OPEN
from stackcurate.licenses.stage import Header, header_evidence
from stackcurate.pipeline import questions, spill
from stackcurate.pipeline.addresses import AddressBook, address_book
from stackcurate.pipeline.arena import Arena
from stackcurate.pipeline.choose import NO_DATE, PLACES
from stackcurate.pipeline.decode import decode
from stackcurate.pipeline.digests import write_part
from stackcurate.pipeline.winners import SLICE_BYTES
from stackcurate.schema import EVIDENCE, FILE, HEAD, SIGNALS, conform, fill, one_chunk
from stackcurate.sources.base import Problem, Source
from stackcurate.sources.ids import content_id, hexed, id_array
from stackcurate.stages import RowStage
from stackcurate.storage import partitions

# FILE without the text, and the listed row it stands for.
ROWS = pa.schema(
    [*(f for f in FILE if f.name != "content"), ("row", pa.int32()), ("repo_hash", pa.int64())]
)
ROWS_BATCH = 8192  # rows of a batch of rows.arrow
DROPS = pa.schema([("row", pa.int32()), ("verdict", pa.string()), ("note", pa.string())])
RANK = pa.binary(41)  # class from 1, stars, forks, date, row_key: see _dedup_rank


@dataclass(frozen=True)
class Slice:
    """Rows [begin, end) of the winners of a partition; ``index`` is the run's address book."""

    listing: Path
    decided: Path
    heads: Path
    winners: Path
    begin: int
    end: int
    index: Path
    out: Path
    skip: frozenset[tuple[str, str]] = frozenset()  # (content id, reason) in quarantine


@dataclass(frozen=True)
class BodyTask:
    """Read a slice and run the stages over it."""

    sources: tuple[Source, ...]
    stages: tuple[RowStage, ...]
    dedup: DedupSettings | None
    max_bytes: int
    way: spill.Way = field(default_factory=spill.Way)  # no result depends on it
    known: Cache = field(
        default_factory=Cache
    )  # what headers state; no result depends on it either

    def __call__(self, item: Slice) -> tuple[int, int]:
        with closing(self.known):
            share(self.known)
            return self._pass(item)

    def _pass(self, item: Slice) -> tuple[int, int]:
        wanted = self._wanted(item)
        batch, drops = self._fetch(wanted, item)
        size = int(pc.sum(batch["length_bytes"]).as_py() or 0)
        evidence, asked = EVIDENCE.empty_table(), questions.QUESTIONS.empty_table()
        for stage in self.stages:
            batch = stage.judge(fill(batch, stage.find(batch)))
            if isinstance(stage, Header):
                asked = questions.of(batch)
            batch, gone = _separate(batch)
            drops.append(gone)
            if isinstance(stage, Header):
                evidence = header_evidence(
                    fill(batch, pa.table({"content_id": hexed(batch["content_id"])}))
                )
        with partitions.whole_folder(item.out) as part:
            texts = one_chunk(batch, "content").cast(pa.large_string())
            batch, order = _sorted(_finish(batch.drop_columns(["content"]), texts))
            write_part(part, batch)
            partitions.write_arrow(part / "rows.arrow", conform(batch, ROWS), rows=ROWS_BATCH)
            np.save(part / "keys.npy", np.array(batch["row_key"].to_pylist(), "S32"))
            spill.write_spill(part / "spill.arrow", texts, order, self.way)
            if self.dedup is not None:
                signed = signatures(texts, self.dedup).take(pa.array(order))
                for_dedup = _for_dedup(batch, signed, self.dedup)
                partitions.write_arrow(part / "signatures.arrow", for_dedup, rows=ROWS_BATCH)
            dropped = pa.concat_tables(drops).sort_by("row")
            partitions.write_arrow(part / "drops.arrow", dropped)
            partitions.write_arrow(part / "laundered.arrow", _laundered(wanted, dropped))
            partitions.write_arrow(part / "evidence.arrow", evidence)
            partitions.write_arrow(part / questions.FILE, asked)
            partitions.write_json(part / "meta.json", _meta(batch))
        return wanted.num_rows, size

    def _wanted(self, item: Slice) -> pa.Table:
        """The slice's listed rows with decisions, head columns and what `choose` found."""
        winners = partitions.read_arrow(item.winners).slice(item.begin, item.end - item.begin)
        rows = winners["row"]
        listed = partitions.read_arrow(item.listing).take(rows)
        decided = partitions.read_arrow(item.decided / "rows.arrow").take(rows)
        heads = partitions.read_arrow(item.heads)
        batch = fill(listed.drop_columns(["verdict", "note"]), decided)
        about = [n for n in HEAD.names if n in FILE.names] + ["origin"]
        facts = heads.select(list(dict.fromkeys(about))).take(batch["head"])
        batch = fill(batch, facts)
        # The stage `header` puts a file's own license over its folder's; notes name both.
        batch = batch.append_column("folder_expression", batch["license_expression"])
        return fill(batch, winners)

    def _fetch(self, wanted: pa.Table, item: Slice) -> tuple[pa.Table, list[pa.Table]]:
        """Bytes of every row, checked and decoded; rows that fail come back as drops."""
        ids = wanted["content_id"].to_pylist()
        verdicts: list[str | None] = [None] * len(ids)
        notes: list[str | None] = [None] * len(ids)
        skip = dict(item.skip)
        for number, one in enumerate(ids):
            if one.hex() in skip:
                verdicts[number] = f"run:{skip[one.hex()]}"
        ready = [n for n, verdict in enumerate(verdicts) if verdict is None]
        blobs = _Blobs(_likely_bytes(wanted))
        for number, found in self._read_all(wanted, ready, item.index):
            if isinstance(found, Problem):
                verdicts[number], notes[number] = f"fetch:{found.reason}", found.message
            else:
                blobs.add(number, found)
        kept, columns, undecoded = blobs.decoded()
        for number, verdict in undecoded.items():
            verdicts[number] = verdict
        batch = fill(wanted.take(pa.array(kept, pa.int64())), columns)
        lost = [n for n, verdict in enumerate(verdicts) if verdict is not None]
        gone = pa.table(
            [
                wanted["row"].take(pa.array(lost, pa.int64())).cast(pa.int32()),
                pa.array([verdicts[n] for n in lost], pa.string()),
                pa.array([notes[n] for n in lost], pa.string()),
            ],
            schema=DROPS,
        )
        return batch, [gone]

    def _read_all(
        self, wanted: pa.Table, rows: Sequence[int], index: Path
    ) -> Iterator[tuple[int, bytes | memoryview | Problem]]:
        """Each row from its place, and where that fails from its other places."""
        book = address_book(index)
        empty = set(self._empty(wanted, rows))
        yield from ((row, b"") for row in sorted(empty))
        rows = [row for row in rows if row not in empty]
        for number, found in self._read(wanted, rows, book):
            if isinstance(found, Problem) and found.reason != "too_large":
                found = self._elsewhere(wanted, number, found, book)
            yield number, found

    def _empty(self, wanted: pa.Table, rows: Sequence[int]) -> list[int]:
        """Rows whose id says that nothing is in them: no source needs to be asked."""
        nothing = content_id(b"")
        ids = wanted["content_id"].to_pylist()
        return [row for row in rows if ids[row] == nothing]

    def _read(
        self, listed: pa.Table, rows: Sequence[int], book: AddressBook
    ) -> Iterator[tuple[int, bytes | memoryview | Problem]]:
        """Ask each container for its rows; check what comes against the content id."""
        inputs = listed["input"].to_numpy()[np.array(rows, np.int64)]
        ids = listed["content_id"].to_pylist()
        for input_number in np.unique(inputs).tolist():
            mine = [rows[n] for n in np.flatnonzero(inputs == input_number).tolist()]
            source, container = book.inputs[input_number]
            some = listed.take(pa.array(mine, pa.int64()))
            seen = set()
            for at, found in self.sources[source].read(container, some, self.max_bytes):
                seen.add(at)
                if not isinstance(found, Problem) and content_id(found) != ids[mine[at]]:
                    found = Problem(container.key, "corrupt", "the bytes do not hash to their id")
                yield mine[at], found
            for at in sorted(set(range(len(mine))) - seen):
                yield mine[at], Problem(container.key, "missing", "the source gave no bytes")

    def _elsewhere(
        self, wanted: pa.Table, number: int, first: Problem, book: AddressBook
    ) -> bytes | memoryview | Problem:
        for n in range(1, PLACES):
            place = wanted[f"place{n}"][number].as_py()
            if place is None or place < 0:
                continue
            listing = partitions.read_arrow(book.listings[place >> 32])
            other = listing.slice(place & 0xFFFFFFFF, 1)
            for _, found in self._read(other, [0], book):
                if not isinstance(found, Problem):
                    return found
        return first


class _Blobs:
    """What is kept of contents' bytes: their hashes, found while they are at hand, and their text.

    ``size`` is the bytes that are likely to come.
    """

    def __init__(self, size: int) -> None:
        self._rows: list[int] = []
        self._sha1: list[bytes] = []
        self._sha256: list[str] = []
        self._arena = Arena(size)

    def add(self, row: int, data: bytes | memoryview) -> None:
        self._rows.append(row)
        self._sha1.append(hashlib.sha1(data, usedforsecurity=False).digest())
        self._sha256.append(hashlib.sha256(data).hexdigest())
        self._arena.add(data)

    def decoded(self) -> tuple[list[int], pa.Table, dict[int, str]]:
        """(rows whose contents are text, their columns, {other row: its verdict})."""
        encodings = ["UTF-8"] * len(self._rows)
        changed: dict[int, bytes] = {}
        verdicts: dict[int, str] = {}
        for number in self._arena.unsure():
            data = self._arena.content(number)
            text, encodings[number] = decode(data)
            if text is None:
                verdicts[self._rows[number]] = encodings[number]
            elif text is not data:
                changed[number] = text
        good = [n for n, row in enumerate(self._rows) if row not in verdicts]
        columns = {
            "blob_id": id_array([self._sha1[n] for n in good]),
            "sha256": pa.array([self._sha256[n] for n in good], pa.string()),
            "length_bytes": pa.array(self._arena.lengths()[good]),
            "src_encoding": pa.array([encodings[n] for n in good], pa.string()),
            "content": self._arena.texts(good, changed),
        }
        return [self._rows[n] for n in good], pa.table(columns), verdicts


def _likely_bytes(wanted: pa.Table) -> int:
    """What the listed lengths promise, within reason: they may be lies."""
    lengths = wanted["length"].fill_null(0).to_numpy()
    return int(min(np.clip(lengths, 0, 2 * SLICE_BYTES).sum(), 2 * SLICE_BYTES))


def _separate(batch: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(rows still kept, the dropped rows' numbers and verdicts)."""
    kept = pc.is_null(batch["verdict"])
    if pc.all(kept).as_py():
        return batch, DROPS.empty_table()
    gone = batch.filter(pc.invert(kept))
    notes = pa.array([_note(row) for row in gone.select(_noted(gone)).to_pylist()], pa.string())
    return batch.filter(kept), gone.select(["row", "verdict"]).append_column("note", notes).cast(
        DROPS
    )


def _laundered(wanted: pa.Table, dropped: pa.Table) -> pa.Table:
    """The rows that were dropped for an older place, and its address; see `older`."""
    rows = dropped.filter(pc.equal(dropped["verdict"], "license:laundered"))["row"]
    at = pc.index_in(rows, one_chunk(wanted, "row"))
    return pa.table({"row": rows, "refused_at": wanted["refused_at"].take(at)})


def _noted(batch: pa.Table) -> list[str]:
    names = ["verdict", "header_expression", "header_class", "license_state", "folder_expression",
             "note"]  # fmt: skip
    return [name for name in (*names, *SIGNALS.names) if name in batch.schema.names]


def _note(row: dict[str, Any]) -> str | None:
    """What the stage saw that dropped a file, for the ledger: licenses or signals, no content."""
    stage = row["verdict"].partition(":")[0]
    if stage in ("header", "license"):
        own = row.get("header_expression")
        said = f"header {own} ({row['header_class']})" if own else "the header states nothing"
        folder = row["folder_expression"] or "nothing stated"
        note = f"; {row['note']}" if row.get("note") else ""
        return f"{said}; folder {folder} ({row['license_state'] or 'not looked at'}){note}"
    if stage == "filter":
        return ", ".join(
            f"{f.name} {row[f.name]:g}" for f in SIGNALS if row.get(f.name) is not None
        )
    return None


def _finish(batch: pa.Table, texts: pa.LargeStringArray) -> pa.Table:
    """The columns that follow from others: ids as text, keys, hashes of what ships, extension."""
    bounds = spill.offsets(texts)
    extension = pc.struct_field(pc.extract_regex(batch["path"], r"(?s)[^/]\.(?P<e>[^./]+)$"), "e")
    columns = {
        "content_id": hexed(batch["content_id"]),
        "blob_id": hexed(batch["blob_id"]),
        "text_sha256": _text_hashes(batch, texts),
        "text_bytes": pa.array(np.diff(bounds)),
        "extension": extension,
    }
    return fill(batch, pa.table(columns))


def _text_hashes(batch: pa.Table, texts: pa.LargeStringArray) -> pa.Array:
    """SHA-256 (hex) of what ships; the archived bytes' own where nothing rewrote them."""
    same = pc.equal(batch["src_encoding"], "UTF-8")
    if "redactions" in batch.column_names:
        count = pc.fill_null(pc.list_value_length(batch["redactions"]), 0)
        same = pc.and_(same, pc.equal(count, 0))
    digests = batch["sha256"].to_pylist()
    bounds = spill.offsets(texts)
    data = memoryview(texts.buffers()[2] or b"")
    for row in np.flatnonzero(~same.to_numpy(zero_copy_only=False)).tolist():
        digests[row] = hashlib.sha256(data[bounds[row] : bounds[row + 1]]).hexdigest()
    return pa.array(digests, pa.string())


def repo_hash(origin: str) -> int:
    """Where a repository falls among the shards: 63 bits, even over repositories."""
    return int.from_bytes(hashlib.sha256(origin.encode()).digest()[:8], "big") >> 1


def _sorted(batch: pa.Table) -> tuple[pa.Table, np.ndarray]:
    """Rows in the order of a release (language folder, place of the repository, origin, path).

    Also returns where each of them was; the texts, which are large, are put in order by who writes
    them, a little at a time.
    """
    languages = batch["language"].to_pylist() if "language" in batch.column_names else []
    folders = [folder_name(language) for language in languages] or ["_unknown"] * batch.num_rows
    origins = one_chunk(batch, "origin").dictionary_encode()
    hashes = np.array([repo_hash(o) for o in origins.dictionary.to_pylist()], np.int64)
    batch = batch.append_column("folder", pa.array(folders, pa.string()))
    batch = batch.append_column("repo_hash", pa.array(hashes[origins.indices.to_numpy()]))
    batch = batch.append_column(
        "order", pc.coalesce(batch["path_bytes"], batch["path"].cast(pa.binary()))
    )
    keys = [("folder", "ascending"), ("repo_hash", "ascending"), ("origin", "ascending")]
    order = pc.sort_indices(batch, sort_keys=[*keys, ("order", "ascending"), ("row", "ascending")])
    return batch.take(order), order.to_numpy()


def _meta(batch: pa.Table) -> dict[str, Any]:
    """Per language folder the range of rows, and what the release's shards are planned from."""
    folders = batch["folder"].to_pylist()
    ranges: dict[str, list[int]] = {}
    for number, folder in enumerate(folders):  # sorted by folder
        ranges.setdefault(folder, [number, number])[1] = number + 1
    languages = (
        sorted({x for x in batch["language"].to_pylist() if x})
        if "language" in batch.column_names
        else []
    )
    return {"rows": batch.num_rows, "folders": ranges, "languages": languages}


def _for_dedup(batch: pa.Table, signed: pa.Table, settings: DedupSettings) -> pa.Table:
    """What `dedup` matches by; ``row`` is the row in the spill."""
    group = {
        "language": batch["language"] if "language" in batch.column_names else None,
        "repository": batch["origin"],
    }.get(settings.scope)
    if group is None:
        group = pa.array([""] * batch.num_rows, pa.string())
    digests = [bytes.fromhex(value) for value in batch["text_sha256"].to_pylist()]
    columns = {
        "row": pa.array(np.arange(batch.num_rows), pa.int32()),
        "group": pc.fill_null(group, ""),
        "rank": _dedup_rank(batch),
        "text_sha256": pa.array(digests, pa.binary(32)),
    }
    return fill(pa.table(columns), signed)


def _dedup_rank(batch: pa.Table) -> pa.Array:
    """41 bytes, smaller is better: permissive first, more stars, forks, older commit, row_key."""
    classes = batch["license_class"] if "license_class" in batch.column_names else None
    first = np.ones(batch.num_rows, np.uint8)  # 0 is for files of earlier releases
    if classes is not None:
        permissive = pc.is_in(classes, pa.array(sorted(OPEN)))
        first = 2 - pc.fill_null(permissive, False).to_numpy(zero_copy_only=False).astype(np.uint8)
    fixed = np.zeros(
        batch.num_rows,
        [("class", "u1"), ("stars", ">u8"), ("forks", ">u8"), ("date", ">u8"), ("key", "V16")],
    )
    top = np.uint64(1 << 63)
    fixed["class"] = first
    for name, column in (("stars", "star_events_count"), ("forks", "fork_events_count")):
        count = batch[column].fill_null(-1).to_numpy().astype(np.int64)
        fixed[name] = top - np.minimum(count + 1, NO_DATE).astype(np.uint64)
    date = batch["committer_date"].cast(pa.int64()).fill_null(NO_DATE).to_numpy()
    fixed["date"] = date.astype(np.int64).view(np.uint64) ^ top
    keys = b"".join(bytes.fromhex(key) for key in batch["row_key"].to_pylist())
    fixed["key"] = np.frombuffer(keys, "V16") if keys else fixed["key"]
    return pa.FixedSizeBinaryArray.from_buffers(
        RANK, len(fixed), [None, pa.py_buffer(fixed.tobytes())]
    )
