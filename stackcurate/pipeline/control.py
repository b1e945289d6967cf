"""What the control files of a partition say, told by the worker that reads them.

About two files in a hundred are read here, before anything else is: license files, manifests,
readmes and owners' wishes. Their bytes stay in memory. What reaches the disk are statements, and
the texts that state something, redacted as the release asks. Texts that only ScanCode can explain
are left open for `judge`, because few processes may hold its index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.engine.base import Failure
from stackcurate.licenses import layout, links, names
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.decode import text_of
from stackcurate.licenses.detect import OWN, UNDETERMINED, Text, detect_texts, evidence_id
from stackcurate.licenses.scancode import Answer, Judge
from stackcurate.optout.globs import parse_control_file
from stackcurate.pipeline import spill
from stackcurate.pipeline.addresses import address_book
from stackcurate.pipeline.choose import PLACES, target_of
from stackcurate.pipeline.culprits import Quarantine, Skip
from stackcurate.pipeline.listing import LISTED, Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.redaction.alone import redact_records
from stackcurate.redaction.settings import Settings as RedactSettings
from stackcurate.schema import EVIDENCE, ID, one_chunk
from stackcurate.sources.base import Problem, Source
from stackcurate.sources.ids import content_id, hexed
from stackcurate.storage import partitions
from stackcurate.storage.exchange import write_exchange

WISH = ".stackcurate-optout"
OPTOUT = "optout"  # the kind of such a file, beside those of licenses.names

# Control files are small; a longer one is a dump of texts and states nothing clear. Only what lists
# the files of a package may be longer (``layout.MAX_BYTES``).
CONTROL_BYTES = 1024 * 1024
CHUNK_BYTES = 48 * 1024 * 1024  # of control files that are in memory at a time
UNKNOWN_LENGTH = 16 * 1024  # what one counts as where the source does not know its length

# Matcher of a license file whose bytes nobody could look at: its folder inherits nothing.
UNREAD = "unread"

# A statement and where it stands; ``target`` is the file that says it, where a link leads there.
STATED = pa.schema(
    [("root", pa.string()), ("path", pa.string()), ("target", pa.string()), *EVIDENCE]
)
# A link, and the listed row that it leads to; that is null where ``why`` says why there is none.
FOLLOWED = pa.schema(
    [
        ("at", pa.int32()),  # row of the link in its partition
        ("link", pa.string()),  # its path
        ("link_id", pa.string()),  # its content id, 40 hex digits
        ("link_root", pa.string()),
        ("kind", pa.string()),
        ("why", pa.string()),
        *LISTED,
    ]
)
# Texts that a release may carry, as they may be kept: decoded, redacted where the config redacts.
KEPT_TEXTS = pa.schema(
    [("content_id", pa.string()), ("path", pa.string()), ("text", pa.large_string())]
)
# Texts for `judge`, each at one of its places: row of the partition's listing.
OPEN = pa.schema([("content_id", pa.string()), ("kind", pa.string()), ("row", pa.int32())])
WISHES = pa.schema([("root", pa.string()), ("globs", pa.list_(pa.string()))])


@dataclass(frozen=True)
class ControlItem:
    """A partition whose control files are read, or some of their contents: [begin, end)."""

    partition: Partition
    index: Path
    targets: int  # the evidence tasks that are told
    out: Path
    begin: int = 0
    end: int | None = None
    skip: Skip = frozenset()  # (content id, reason) that this phase fell over


@dataclass(frozen=True)
class ControlTask:
    """Read control files and leave what they state; licenses only where the config wants them."""

    sources: tuple[Source, ...]
    licenses: bool
    redact: RedactSettings | None
    cache: Cache

    def __call__(self, item: ControlItem) -> tuple[int, int]:
        rows = control_rows(item.partition, self.licenses)
        contents = distinct(rows)
        skip = {bytes.fromhex(key) for key, _ in item.skip}
        mine = [one for one in contents[item.begin : item.end] if one not in skip]
        lost, wishes = set(skip), dict.fromkeys(skip, b"")
        said, texts, size = [EVIDENCE.empty_table()], [KEPT_TEXTS.empty_table()], 0
        with closing(self.cache):
            for some, data, gone in in_chunks(rows, mine, self.sources, item.index):
                evidence = _clean(detect_texts(texts_of(some, data), self.cache, _Later()))
                said.append(evidence)
                texts.append(_kept_texts(some, evidence, data, self.redact))
                wishes |= {one: data.get(one, b"") for one in _of_kind(some, OPTOUT)}
                lost |= gone
                size += sum(map(len, data.values()))
        stated = _placed(rows, pa.concat_tables([*said, _unread(rows, lost)]))
        if self.licenses and item.begin == 0:
            stated = pa.concat_tables([stated, _leading_nowhere(item.partition)])
        with partitions.whole_folder(item.out) as part:
            _write(part, item, stated, pa.concat_tables(texts))
            partitions.write_arrow(part / "wishes.arrow", _wishes(rows, wishes))
            open_ = _open(rows, stated)
            partitions.write_arrow(part / "open.arrow", open_)
            partitions.write_json(part / "meta.json", {"open": open_.num_rows})
        return len(mine), size


class _Later(Judge):
    """Leaves every question open."""

    def ask(self, texts: Sequence[str]) -> list[Answer]:
        return [Answer(failure="later")] * len(texts)


def _write(part: Path, item: ControlItem, stated: pa.Table, texts: pa.Table) -> None:
    """Statements and roots by root, texts by content: each for the task that gathers them."""
    count = item.targets
    roots = partitions.read_arrow(item.partition.path, ["root"])["root"].unique()
    homes = pa.table({"root": roots, "part": np.full(len(roots), item.partition.number, np.int32)})
    for name, table in (("stated", stated), ("homes", homes)):
        targets = root_targets(one_chunk(table, "root"), count)
        write_exchange(part / f"{name}.arrow", table, targets, count)
    ids = pa.array([bytes.fromhex(one) for one in texts["content_id"].to_pylist()], ID)
    targets = target_of(pa.chunked_array([ids]), count)
    write_exchange(part / "texts.arrow", texts, targets, count, batch_rows=1024)


# --- reading --------------------------------------------------------------------------------------


def control_rows(partition: Partition, licenses: bool) -> pa.Table:
    """The listed rows that are control files of living roots, with ``kind`` and ``row``.

    A link that leads to a file is that file's row, with its own path as ``link``, and its kind.
    """
    listed = partitions.read_arrow(partition.path)
    kinds = pa.nulls(listed.num_rows, pa.string())
    if licenses:
        kinds = names.control_files(one_chunk(listed, "path"))
    wish = pc.ends_with(listed["path"], f"/{WISH}")
    kinds = pc.if_else(wish, pa.scalar(OPTOUT), kinds)
    listed = listed.append_column("kind", kinds)
    listed = listed.append_column("row", pa.array(np.arange(listed.num_rows, dtype=np.int32)))
    heads = partitions.read_arrow(partition.heads, ["root", "verdict"])
    live = heads.filter(pc.is_null(heads["verdict"]))["root"]
    alive = pc.and_(pc.is_null(listed["verdict"]), pc.is_in(listed["root"], live.combine_chunks()))
    rows = listed.filter(pc.and_(alive, pc.is_valid(listed["kind"])))
    rows = rows.append_column("link", pa.nulls(rows.num_rows, pa.string()))
    if not licenses:
        return rows
    led = followed(partition)
    led = led.filter(pc.is_null(led["why"]))
    led = led.append_column("row", pa.nulls(led.num_rows, pa.int32()))
    return pa.concat_tables([rows, led.select(rows.column_names).cast(rows.schema)])


def followed(partition: Partition) -> pa.Table:
    """The links of a partition that are control files, schema FOLLOWED."""
    if partition.links is None or not partition.links.exists():
        return FOLLOWED.empty_table()
    return partitions.read_arrow(partition.links)


def _stands(rows: pa.Table) -> pa.ChunkedArray:
    """The path under which each control file speaks: that of the link, where it is one."""
    return pc.coalesce(rows["link"], rows["path"])


def distinct(rows: pa.Table) -> list[bytes]:
    """The contents of rows, each once, in the order of their first rows."""
    return [one for one in dict.fromkeys(rows["content_id"].to_pylist()) if one is not None]


def in_chunks(
    rows: pa.Table, contents: Sequence[bytes], sources: Sequence[Source], index: Path
) -> Iterator[tuple[pa.Table, dict[bytes, bytes], set[bytes]]]:
    """The bytes of contents, some at a time: (their rows, bytes by content, those not to be had).

    A content is asked for at up to PLACES of its rows. What is too long is not read at all, and
    not among those that could not be had.
    """
    places: dict[bytes, list[int]] = {}
    for number, one in enumerate(rows["content_id"].to_pylist()):
        if len(at := places.setdefault(one, [])) < PLACES:
            at.append(number)
    first = pa.array([places[one][0] for one in contents], pa.int64())
    lengths = pc.fill_null(rows["length"].take(first), UNKNOWN_LENGTH).to_numpy()
    most = _most(rows.take(first))
    ends = np.cumsum(np.where(lengths > most, 1024, np.clip(lengths, 1024, most)))
    for begin, end in spill.cuts(ends, CHUNK_BYTES):
        some = contents[begin:end]
        data: dict[bytes, bytes] = {}
        long: set[bytes] = set()
        for attempt in range(PLACES):
            left = [one for one in some if one not in data and one not in long]
            asked = [places[one][attempt] for one in left if attempt < len(places[one])]
            for one, found in _read(rows.take(pa.array(asked, pa.int64())), sources, index):
                if not isinstance(found, Problem):
                    data[one] = found
                elif found.reason == "too_large":
                    long.add(one)
        mine = rows.filter(pc.is_in(rows["content_id"], pa.array(some, ID)))
        yield mine, data, {*some} - {*data} - long


def _read(
    rows: pa.Table, sources: Sequence[Source], index: Path
) -> Iterator[tuple[bytes, bytes | Problem]]:
    """What each row's container gives for its content.

    Bytes that do not hash to their id are not believed: what they state would be remembered under
    the id of a text that says something else.
    """
    book = address_book(index)
    inputs, most = rows["input"].to_numpy(), _most(rows)
    for number in np.unique(inputs).tolist():
        source, container = book.inputs[number]
        mine = inputs == number
        for limit in np.unique(most[mine]).tolist():
            some = rows.take(pa.array(np.flatnonzero(mine & (most == limit))))
            ids = some["content_id"].to_pylist()
            for at, found in sources[source].read(container, some, limit):
                if not isinstance(found, Problem) and content_id(found) != ids[at]:
                    found = Problem(container.key, "corrupt", "the bytes do not hash to their id")
                yield ids[at], bytes(found) if isinstance(found, memoryview) else found


def _most(rows: pa.Table) -> np.ndarray:
    """The bytes that each file may have; a longer one is not read."""
    lists = pc.is_in(rows["kind"], pa.array(names.LAYOUT_KINDS))
    long = pc.and_(lists, pc.fill_null(pc.greater(rows["length"], CONTROL_BYTES), False))
    return np.where(long.to_numpy().astype(bool), layout.MAX_BYTES, CONTROL_BYTES)


def texts_of(rows: pa.Table, data: Mapping[bytes, bytes]) -> list[Text]:
    """What `licenses.detect` is asked about the rows' contents, each (content, kind, name) once."""
    found: dict[tuple[bytes, str, str], Text] = {}
    told = rows.select(["content_id", "kind"]).append_column("path", _stands(rows))
    for row in told.to_pylist():
        one, kind = row["content_id"], row["kind"]
        if one not in data or kind == OPTOUT:
            continue
        # A manifest is read by its name; other texts mean the same under any name.
        name = row["path"].rsplit("/", 1)[1]
        key = (one, kind, name if kind in _NAMED else "")
        found.setdefault(key, Text(one, name, kind, data[one]))
    return [found[key] for key in sorted(found)]


# --- what is left of it ---------------------------------------------------------------------------

# Kinds whose name says how to read them.
_NAMED = (names.MANIFEST, names.REUSE, names.INSTALLED)


def _clean(evidence: pa.Table) -> pa.Table:
    """Statements whose lists of folders hold nothing that redaction would take."""
    rows = evidence.to_pylist()
    for row in rows:
        if row["matcher"] == layout.MATCHER and not _harmless(
            "\n".join(layout.listed_by(row["rule"]))
        ):
            row["rule"] = layout.without(row["kind"], row["rule"], _harmless)
    return pa.Table.from_pylist(rows, schema=EVIDENCE)


def _harmless(text: str) -> bool:
    given = {"id": None, "path": f"/{WISH}", "text": text}
    (seen,) = redact_records([given], RedactSettings(sensitivity="strict"))
    return not seen["findings"]


def _placed(rows: pa.Table, evidence: pa.Table) -> pa.Table:
    """Every statement at every place where it stands, schema STATED."""
    ids = hexed(rows["content_id"])
    target = pc.if_else(pc.is_valid(rows["link"]), rows["path"], pa.scalar(None, pa.string()))
    places = rows.select(["root", "kind"]).append_column("path", _stands(rows))
    places = places.append_column("target", target).append_column("content_id", ids)
    joined = places.join(evidence, ["content_id", "kind"], join_type="inner")
    keys = [(key, "ascending") for key in ("root", "path", "evidence_id")]
    return joined.sort_by(keys).select(STATED.names).cast(STATED)


def _leading_nowhere(partition: Partition) -> pa.Table:
    """Statements, schema STATED, that license files are links without an end."""
    led = followed(partition)
    led = led.filter(pc.and_(pc.is_valid(led["why"]), pc.equal(led["kind"], names.LICENSE_FILE)))
    found = [
        {"root": row["link_root"], "path": row["link"]}
        | links.stated(row["link_id"], row["kind"], row["why"])
        for row in led.to_pylist()
    ]
    return pa.Table.from_pylist(found, schema=STATED)


def _of_kind(rows: pa.Table, kind: str) -> list[bytes]:
    return distinct(rows.filter(pc.equal(rows["kind"], kind)))


def _unread(rows: pa.Table, contents: Collection[bytes]) -> pa.Table:
    """EVIDENCE that license files are there, and that nobody could look into them."""
    kind = names.LICENSE_FILE
    ids = [one.hex() for one in _of_kind(rows, kind) if one in contents]
    none = {"kind": kind, "start": 0, "end": 0, "score": 0.0, "rule": "", "matcher": UNREAD}
    found = [
        {"evidence_id": evidence_id(one, kind, 0, 0, None), "content_id": one, "detector": OWN}
        | none
        for one in ids
    ]
    return pa.Table.from_pylist(found, schema=EVIDENCE)


def _kept_texts(
    rows: pa.Table, evidence: pa.Table, data: Mapping[bytes, bytes], redact: RedactSettings | None
) -> pa.Table:
    """The texts that a release may carry, each once, as they may be kept.

    They state something, or go with the code: a notice states nothing, and must not be lost.
    """
    papers = rows.filter(pc.is_in(rows["kind"], pa.array(names.PAPER_KINDS)))
    read = {one.hex() for one in distinct(papers) if one in data}
    stating = evidence.filter(pc.not_equal(evidence["matcher"], layout.MATCHER))
    told = read.union(stating["content_id"].to_pylist())
    first: dict[str, dict[str, str]] = {}
    places = rows.select(["kind", "content_id"]).append_column("path", _stands(rows))
    for row in places.to_pylist():
        key = row["content_id"].hex()
        if key in told and (key not in first or row["path"] < first[key]["path"]):
            first[key] = row
    records = []
    for key in sorted(first):
        row = first[key]
        # Only of these may the name say how to look at the text: a license lies under many names.
        name = row["path"].rsplit("/", 1)[1] if row["kind"] in _NAMED else "LICENSE"
        text = text_of(data[bytes.fromhex(key)]).data.decode("utf-8", "replace")
        records.append({"id": key, "path": f"/{name}", "text": text})
    if redact is not None:
        records = list(redact_records(records, redact))
    columns = [
        [one["id"] for one in records],
        [first[one["id"]]["path"] for one in records],
        [one["text"] for one in records],
    ]
    return pa.table(
        [pa.array(c, f.type) for c, f in zip(columns, KEPT_TEXTS, strict=True)], schema=KEPT_TEXTS
    )


def _open(rows: pa.Table, stated: pa.Table) -> pa.Table:
    """Texts that only the full matcher can explain, schema OPEN, sorted by row."""
    asked = stated.filter(pc.equal(stated["matcher"], UNDETERMINED))
    keys = set(zip(asked["content_id"].to_pylist(), asked["kind"].to_pylist(), strict=True))
    found: dict[tuple[str, str], int] = {}
    for row in rows.select(["content_id", "kind", "row"]).to_pylist() if keys else ():
        key = (row["content_id"].hex() if row["content_id"] else "", row["kind"])
        if key in keys and row["row"] is not None:  # what a link leads to may lie elsewhere
            found.setdefault(key, row["row"])
    lines = [{"content_id": k[0], "kind": k[1], "row": row} for k, row in found.items()]
    return pa.Table.from_pylist(lines, schema=OPEN)


def _wishes(rows: pa.Table, data: Mapping[bytes, bytes]) -> pa.Table:
    """One row per wish that ``data`` holds; globs are relative to the file's folder.

    A wish that cannot be read is taken at its widest: what was withdrawn must not ship.
    """
    found = []
    wishes = rows.filter(pc.equal(rows["kind"], OPTOUT))
    for row in wishes.select(["root", "path", "content_id"]).to_pylist():
        if row["content_id"] is not None and row["content_id"] not in data:
            continue
        globs = _globs(data.get(row["content_id"], b""))
        folder = row["path"][: -len(WISH)]
        if folder != "/":
            globs = [folder + glob.lstrip("/") for glob in globs] or [folder + "**"]
        found.append({"root": row["root"], "globs": globs})
    return pa.Table.from_pylist(found, schema=WISHES)


def _globs(data: bytes) -> list[str]:
    """The globs of a wish. Where one holds what redaction would take, it was meant as words."""
    globs = parse_control_file(data)
    return globs if _harmless("\n".join(globs)) else []


def root_targets(roots: pa.Array, targets: int) -> np.ndarray:
    """Which evidence task each root goes to: even, and the same for equal roots."""
    coded = roots.dictionary_encode()
    of = np.zeros(len(coded.dictionary), np.int64)
    for number, root in enumerate(coded.dictionary.to_pylist() if targets > 1 else ()):
        of[number] = int.from_bytes(hashlib.sha256(root.encode()).digest()[:8], "big") % targets
    return of[coded.indices.to_numpy()]


# --- the culprits ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Controls:
    """Control tasks are cut by their distinct contents; what they fell over is not read again."""

    run: Run
    licenses: bool
    redact: RedactSettings | None
    quarantine: Quarantine

    def size(self, item: ControlItem) -> int:
        return len(distinct(control_rows(item.partition, self.licenses)))

    def part(self, item: ControlItem, begin: int, end: int) -> ControlItem:
        return self.again(replace(item, begin=begin, end=end))

    def again(self, item: ControlItem) -> ControlItem:
        one = item.partition
        skip = self.quarantine.skip("control")
        if skip:
            held = distinct(partitions.read_arrow(one.path, ["content_id"]))
            skip = self.quarantine.skip("control", among={key.hex() for key in held})
        place = self.run.place(
            "control", one.name, one.number, one.heads.parent.name, self.licenses, self.redact,
            item.targets, item.begin, item.end, skip, one.links.parent.name if one.links else "",
        )  # fmt: skip
        return replace(item, skip=skip, out=place)

    def accuse(self, item: ControlItem, at: int, failure: Failure) -> str:
        name = distinct(control_rows(item.partition, self.licenses))[at].hex()
        self.quarantine.add("control", "content_id", name, failure.reason)
        return f"swh:1:cnt:{name}"
