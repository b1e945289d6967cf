"""Lists and reads the files of one Parquet row group at a time, a bounded batch in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.schema import ID, LISTING, escape_name
from stackcurate.sources.ids import MODE_SUBMODULE, MODE_SYMLINK, content_id
from stackcurate.sources.parquet_columns import (
    Columns,
    changed,
    has,
    ids,
    integers,
    is_bytes,
    is_text,
    kind_of,
    modes,
    pick,
    plain,
)
from stackcurate.sources.rows import BATCH_ROWS

DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError)
# The place of a file in its row, where rows hold lists of files: locator = row << 24 | place.
PLACE_BITS = 24
_BATCH_BYTES = 32 << 20
_CLIMBS = r"(^|/)\.\.(/|$)"


@dataclass(frozen=True)
class Group:
    """One row group of an open file; ``first`` is the number of its first row in the file."""

    file: pq.ParquetFile
    number: int
    first: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.file.metadata.row_group(self.number).num_rows

    def size(self, leaves: Sequence[str]) -> int:
        """Uncompressed bytes of the leaf columns ``leaves``."""
        return sum(about.total_uncompressed_size for about in self._leaves(leaves))

    def values(self, leaf: str) -> int:
        """How many values one leaf column has: files, where rows hold lists of files."""
        return sum(about.num_values for about in self._leaves([leaf]))

    def _leaves(self, leaves: Sequence[str]) -> Iterator[pq.ColumnChunkMetaData]:
        about = self.file.metadata.row_group(self.number)
        columns = map(about.column, range(about.num_columns))
        return (column for column in columns if column.path_in_schema in leaves)

    def batches(self, leaves: Sequence[str], most: int = 65_536) -> Iterator[pa.RecordBatch]:
        """The leaf columns ``leaves`` in batches of bounded size; rows without columns for none."""
        if not leaves:
            for start in range(0, self.rows, most):
                nothing = pa.nulls(min(most, self.rows - start))
                yield pa.RecordBatch.from_arrays([nothing], ["row"])
            return
        count = max(1, min(most, _BATCH_BYTES * self.rows // max(self.size(leaves), 1)))
        yield from self.file.iter_batches(
            count, row_groups=[self.number], columns=list(leaves), use_threads=False
        )


@dataclass(frozen=True)
class Entries:
    """The files of a batch of rows: their columns, the row of each, and its locator."""

    batch: pa.RecordBatch
    rows: np.ndarray
    locators: np.ndarray


def entries(batch: pa.RecordBatch, first: int, nested: str | None) -> Entries:
    """The files in ``batch``, whose first row is row ``first`` of the file."""
    rows = np.arange(batch.num_rows, dtype=np.int64)
    if nested is None:
        return Entries(batch, rows, first + rows)
    if nested not in batch.schema.names:
        return Entries(batch, rows, (first + rows) << PLACE_BITS)
    lists = plain(batch.column(nested))
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    files = pa.RecordBatch.from_struct_array(pc.list_flatten(lists))
    places = np.arange(len(rows)) - np.searchsorted(rows, rows, "left")
    return Entries(files, rows, (first + rows) << PLACE_BITS | places)


def contents(column: pa.Array) -> Callable[[int], memoryview | None]:
    """Value by number as a view of the column's memory, without a copy; None for null."""
    kind = column.type
    wide = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    if pa.types.is_fixed_size_binary(kind):
        column, wide = column.cast(pa.large_binary()), True
    valid, offset_buffer, data = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64 if wide else np.int32)[column.offset :].tolist()
    view = memoryview(data if data is not None else b"").cast("B")
    present = column.is_valid().to_numpy(zero_copy_only=False) if valid is not None else None

    def value(number: int) -> memoryview | None:
        if present is not None and not present[number]:
            return None
        return view[offsets[number] : offsets[number + 1]]

    return value


@dataclass
class Lister:
    """Turns batches of one container into LISTING rows of the roots that are wanted.

    ``roots`` gives the root of each row of a batch. ``twice`` are Python hashes of (root, path)
    that more than one row has: a filter for the exact look at ``seen``. ``store`` says whether
    bytes may come from a content store.
    """

    container: str
    columns: Columns
    wanted: frozenset[str]
    roots: Callable[[pa.RecordBatch], pa.Array]
    store: bool
    compute: bool
    twice: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    seen: set[tuple[str, str]] = field(default_factory=set)

    def group(self, group: Group, available: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of one row group. Where contents cannot be read, rows say so and stay."""
        origin = self.columns.leaves(list(self.columns.origin), available)
        narrow = [name for name in self.columns.file if name != "content"]
        named = sorted({*origin, *self.columns.leaves(narrow, available)}, key=available.index)
        attempts = [(named, 65_536), (origin or named, 65_536)]
        if self._looks_inside(group, available):
            every = [leaf for leaf in available if leaf in self._with_content(named, available)]
            attempts.insert(0, (every, 64 if self.columns.nested else 1024))
        done = 0
        broken: str | None = None
        for leaves, most in attempts:
            try:
                at = 0
                for batch in group.batches(leaves, most):
                    at += batch.num_rows
                    if at <= done:
                        continue
                    batch = batch.slice(max(0, batch.num_rows - (at - done)))
                    yield from self._listing(batch, group.first + done, broken)
                    done = at
                return
            except DAMAGE as error:
                broken = f"row group {group.number} is damaged ({type(error).__name__})"

    def _with_content(self, named: Sequence[str], available: Sequence[str]) -> set[str]:
        return {*named, *self.columns.leaves(["content"], available)}

    def _looks_inside(self, group: Group, available: Sequence[str]) -> bool:
        """Whether contents of this row group must be read to know their ids."""
        if "content" not in self.columns.file:
            return False
        if self.compute or "content_id" not in self.columns.file:
            return True
        wanted = ["content_id", "sha256", "text_sha256", "src_encoding"]
        try:
            for batch in group.batches(self.columns.leaves(wanted, available)):
                files = entries(batch, 0, self.columns.nested).batch
                if pc.any(self._unknown(files)).as_py():
                    return True
        except DAMAGE:
            return True
        return False

    def _unknown(self, files: pa.RecordBatch) -> pa.Array:
        """Files whose ``content_id`` is not told, or is another content's."""
        if self.compute or not has(files, self.columns.file.get("content_id")):
            return pa.array(np.ones(files.num_rows, bool))
        mask = pc.is_null(ids(pick(files, self.columns.file["content_id"])))
        other = changed(files, self.columns.file) if "content" in self.columns.file else None
        return mask if other is None else pc.or_(mask, other)

    def paths(self, found: Entries) -> tuple[pa.Array, pa.Array]:
        """Columns ``path`` and ``path_bytes``; a row without a path is named by its number."""
        names = pa.array([f"/row-{locator}" for locator in found.locators.tolist()], pa.string())
        nothing = pa.nulls(len(names), pa.binary())
        name = self.columns.file.get("path", "")
        if not has(found.batch, name) or not is_text(pick(found.batch, name).type):
            return names, nothing
        path, raw = _as_path(pick(found.batch, name))
        own = self.columns.file.get("path_bytes", "")
        if has(found.batch, own) and is_bytes(pick(found.batch, own).type):
            raw = pick(found.batch, own).cast(pa.binary())
        return pc.coalesce(path, names), raw

    def _listing(
        self, batch: pa.RecordBatch, first: int, broken: str | None
    ) -> Iterator[pa.RecordBatch]:
        found = entries(batch, first, self.columns.nested)
        files = found.batch
        count = files.num_rows
        root = self.roots(batch).take(pa.array(found.rows))
        keep = self._wanted(root)
        path, raw = self.paths(found)
        verdict = _Verdicts(count)
        verdict.add(pc.match_substring_regex(path, _CLIMBS), "source:unsafe_path", "not a path")
        verdict.add(self._seen_before(root, path, keep), "source:skipped", "an earlier row has it")
        mode_name = self.columns.file.get("mode", "")
        mode = modes(pick(files, mode_name) if has(files, mode_name) else None, count)
        verdict.add(pc.equal(kind_of(mode), MODE_SUBMODULE), "source:submodule", "git's mode")
        one, blob, length = self._ids(files, keep, verdict)
        if broken is not None:
            verdict.add(pc.is_null(one), "source:unreadable", broken)
        verdict.add(pc.is_null(one), "source:unreadable", "neither a content nor a content_id")
        verdict.add(pc.equal(kind_of(mode), MODE_SYMLINK), "source:symlink", "git's mode")
        table = pa.RecordBatch.from_arrays(
            [
                root,
                path,
                raw,
                one,
                blob,
                length,
                mode,
                pa.array([self.container] * count, pa.string()),
                pa.array(found.locators),
                verdict.names,
                verdict.notes,
            ],
            schema=LISTING,
        ).filter(keep)
        for start in range(0, table.num_rows, BATCH_ROWS):
            yield table.slice(start, BATCH_ROWS)

    def _ids(
        self, files: pa.RecordBatch, keep: pa.Array, verdict: _Verdicts
    ) -> tuple[pa.Array, pa.Array, pa.Array]:
        """content_id, blob_id and length: as told, or as hashed where a content is at hand."""
        count = files.num_rows
        told = {
            name: pick(files, theirs)
            for name, theirs in self.columns.file.items()
            if has(files, theirs)
        }
        unknown = self._unknown(files)
        one = ids(told["content_id"]) if "content_id" in told else pa.nulls(count, ID)
        blob = ids(told["blob_id"]) if "blob_id" in told else pa.nulls(count, ID)
        blob = pc.if_else(unknown, pa.scalar(None, ID), blob)
        length = integers(told["length"], pa.int64()) if "length" in told else None
        if length is None:
            length = pa.nulls(count, pa.int64())
        content = told.get("content")
        if content is None or not is_text(content.type):
            if "content" in self.columns.file:  # told ids would be another content's
                one = pc.if_else(unknown, pa.scalar(None, ID), one)
            return one, blob, length
        if not self.store:
            verdict.add(pc.is_null(content), "source:unreadable", "its content is null")
        length = pc.coalesce(pc.binary_length(content).cast(pa.int64()), length)
        hashed = self._hash(content, pc.and_(unknown, keep))
        return pc.if_else(unknown, hashed, one), blob, length

    def _wanted(self, root: pa.Array) -> pa.Array:
        coded = root.dictionary_encode()
        mask = [one in self.wanted for one in coded.dictionary.to_pylist()]
        return pa.array(mask, pa.bool_()).take(coded.indices)

    def _hash(self, content: pa.Array, mask: pa.Array) -> pa.Array:
        value = contents(content)
        found: list[bytes | None] = [None] * len(content)
        for number in np.flatnonzero(mask.to_numpy(zero_copy_only=False)).tolist():
            data = value(number)
            if data is not None:
                found[number] = content_id(data)
        return pa.array(found, ID)

    def _seen_before(self, root: pa.Array, path: pa.Array, keep: pa.Array) -> pa.Array:
        mask = np.zeros(len(path), bool)
        if len(self.twice):
            kept = keep.to_numpy(zero_copy_only=False)
            candidates = np.isin(pair_hashes(root, path), self.twice) & kept
            for number in np.flatnonzero(candidates).tolist():
                pair = (root[number].as_py(), path[number].as_py())
                mask[number] = pair in self.seen
                self.seen.add(pair)
        return pa.array(mask)


class _Verdicts:
    """The columns ``verdict`` and ``note``; the first word about a row stays."""

    def __init__(self, count: int) -> None:
        self.names = pa.nulls(count, pa.string())
        self.notes = pa.nulls(count, pa.string())

    def add(self, mask: pa.Array, verdict: str, note: str) -> None:
        """Mark the rows of ``mask`` that have no verdict yet."""
        hit = pc.and_(pc.fill_null(mask, False), pc.is_null(self.names))
        self.names = pc.if_else(hit, verdict, self.names)
        self.notes = pc.if_else(hit, note, self.notes)


def pair_hashes(root: pa.Array, path: pa.Array) -> np.ndarray:
    """Python's hash of each (root, path): a filter within one process, never part of a result."""
    pairs = zip(root.to_pylist(), path.to_pylist(), strict=True)
    return np.fromiter(map(hash, pairs), np.int64, len(path))


def repeated(hashes: Sequence[np.ndarray]) -> np.ndarray:
    """The values that occur more than once."""
    if not hashes:
        return np.zeros(0, np.int64)
    values = np.sort(np.concatenate(hashes))
    return np.unique(values[1:][values[1:] == values[:-1]])


def _as_path(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Text that starts with "/" (null where there is none), and bytes where text had to escape."""
    if not is_bytes(column.type):
        try:
            column.validate(full=True)
            return _rooted(column.cast(pa.string())), pa.nulls(len(column), pa.binary())
        except pa.ArrowInvalid:  # text only by its label
            column = column.cast(pa.large_binary())
    pairs = [(None, None) if v is None else escape_name(v) for v in column.to_pylist()]
    path = _rooted(pa.array([text for text, _ in pairs], pa.string()))
    raws = [raw if raw is None or raw.startswith(b"/") else b"/" + raw for _, raw in pairs]
    return path, pa.array(raws, pa.binary())


def _rooted(path: pa.Array) -> pa.Array:
    slash = pc.starts_with(path, "/")
    path = pc.if_else(slash, path, pc.binary_join_element_wise("/", path, ""))
    return pc.if_else(pc.equal(path, "/"), pa.scalar(None, pa.string()), path)
