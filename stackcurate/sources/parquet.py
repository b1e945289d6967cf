"""The source `parquet`: code that already lies in Parquet files, with or without its contents.

Three forms: a content column; ids alone, joined to a content store (The Stack v2 ships so); and
one row per repository with a list of files (The Stack v3, and The Stack v2's training ids).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.errors import ConfigError, InputError
from stackcurate.schema import HEAD, REVISION, TIME
from stackcurate.sources.base import GROUP, Container, Heads, Problem
from stackcurate.sources.origins import given_origin, repository_name
from stackcurate.sources.parquet_columns import (
    Columns,
    find_columns,
    hex_ids,
    integers,
    pick,
    text,
    times,
)
from stackcurate.sources.parquet_rows import (
    DAMAGE,
    PLACE_BITS,
    Group,
    Lister,
    contents,
    entries,
    pair_hashes,
    repeated,
)
from stackcurate.storage.blobs import Store
from stackcurate.storage.partitions import file_digest

_GITHUB = "https://github.com/"
_MERGE_ROWS = 200_000


@dataclass(frozen=True)
class Parquet:
    """Parquet files at or below ``path``; where it has a folder ``data`` with some, only those.

    ``columns`` maps our names to the file's; what it leaves open is found by known names.
    ``contents`` is a content store for files whose bytes are not inside.
    ``ids: auto`` believes a ``content_id`` column where the content is the archived bytes,
    ``compute`` hashes every content. Origins: the ``origin`` column, else ``origin_prefix`` +
    ``repo_name`` (https://github.com/ where the columns are those of a GitHub dataset), else
    ``parquet:`` + ``repo_name`` or the key of the file.
    """

    kind: ClassVar[str] = "parquet"

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    contents: Store | None = None
    origin_prefix: str | None = None
    ids: str = "auto"

    def __post_init__(self) -> None:
        if self.ids not in ("auto", "compute"):
            raise ConfigError(f"ids: {self.ids!r} is not one of auto, compute")

    def containers(self) -> list[Container]:
        """Every Parquet file, by its path below ``path``. Links to folders are not followed."""
        if not self.path.exists():
            raise ConfigError(f"parquet source: {self.path} does not exist")
        if self.path.is_file():
            keys = {self.path.name: self.path}
        else:
            found = _search(self.path / "data") or _search(self.path)
            keys = {file.relative_to(self.path).as_posix(): file for file in found}
        if not keys:
            raise ConfigError(f"parquet source: there is no .parquet file at or below {self.path}")
        containers = [_container(keys[key], key) for key in sorted(keys)]
        self._check_columns(containers)
        return containers

    def _check_columns(self, containers: Sequence[Container]) -> None:
        """ConfigError where the first file that can be opened does not have the columns."""
        for container in containers:
            try:
                file = self._file(container)
            except InputError:
                continue  # its heads will say so
            try:
                self._columns(container, file)
            finally:
                file.close()
            return

    def heads(self, container: Container, scratch: Path) -> Heads:
        """The distinct origins and roots of one file; reads narrow columns only.

        ``digest`` is the file's SHA-256, as ``sha256sum`` says it: some hundredth of a run's time.
        """
        file, columns = self._open(container)
        problems: list[Problem] = []
        waiting: list[pa.Table] = [HEAD.empty_table()]
        leaves = columns.leaves(list(columns.origin), _leaves(file))
        for group in _groups(file):
            try:
                for batch in group.batches(leaves):
                    waiting.append(_distinct([self._heads(container.key, batch, columns)]))
                    if sum(table.num_rows for table in waiting) > _MERGE_ROWS:
                        waiting = [_distinct(waiting)]
            except DAMAGE as error:
                message = f"row group {group.number} is damaged ({type(error).__name__})"
                problems.append(Problem(container.key, "corrupt", message))
        found = _distinct(waiting).sort_by([("origin", "ascending"), ("root", "ascending")])
        file.close()
        digest = file_digest(self._place(container))
        return Heads(found, REVISION.empty_table(), digest, problems)

    def files(
        self, container: Container, roots: Sequence[str], scratch: Path
    ) -> Iterator[pa.RecordBatch]:
        """Files in the order of the rows. Of equal paths under one root the first is kept."""
        file, columns = self._open(container)

        def root_of(batch: pa.RecordBatch) -> pa.Array:
            return self._origins(container.key, batch, columns)[0]

        lister = Lister(
            container.key,
            columns,
            frozenset(roots),
            root_of,
            self.contents is not None,
            self.ids == "compute",
        )
        lister.twice = _twice(file, columns, lister, root_of)
        available = _leaves(file)
        for group in _groups(file):
            yield from lister.group(group, available)
        file.close()

    def groups(self, container: Container) -> pa.Table:
        """One group per row group; the mean is of its column of contents, uncompressed."""
        first, mean = [], []
        with contextlib.suppress(InputError):
            file, columns = self._open(container)
            bits = PLACE_BITS if columns.nested else 0
            named = ["content"] if "content" in columns.file else []
            leaves = columns.leaves(named, _leaves(file))
            for group in _groups(file) if leaves else ():
                first.append(group.first << bits)
                mean.append(group.size(leaves) // max(1, group.values(leaves[0])))
            file.close()
        return pa.table([pa.array(first, pa.int64()), pa.array(mean, pa.int64())], schema=GROUP)

    def read(
        self, container: Container, wanted: pa.Table, limit: int
    ) -> Iterator[tuple[int, bytes | memoryview | Problem]]:
        """Bytes by ``locator`` from the content column, else by ``blob_id`` from the store."""
        file, columns = self._open(container)
        missing = list(range(wanted.num_rows))
        if "content" in columns.file:
            locators = wanted["locator"].to_numpy()
            missing = []
            for row, data in _inside(file, columns, locators, limit):
                if data is None:
                    missing.append(row)
                else:
                    yield row, data
        file.close()
        if missing:
            yield from self._from_store(container.key, wanted, missing, limit)

    def _from_store(
        self, key: str, wanted: pa.Table, rows: Sequence[int], limit: int
    ) -> Iterator[tuple[int, bytes | Problem]]:
        blobs = wanted["blob_id"].take(pa.array(rows, pa.int64())).to_pylist()
        named = [row for row, blob in zip(rows, blobs, strict=True) if blob is not None]
        if self.contents is None or len(named) < len(rows):
            what = "no content" if self.contents is None else "neither content nor blob_id"
            for row in rows if self.contents is None else set(rows) - set(named):
                yield row, Problem(key, "missing", f"the row has {what}")
        if self.contents is None or not named:
            return
        some = [blob for blob in blobs if blob is not None]
        for at, found in self.contents.get_many(some, limit):
            if isinstance(found, bytes):
                yield named[at], found
            else:
                yield named[at], Problem(found.where, found.reason, found.message)

    def _place(self, container: Container) -> Path:
        return self.path if self.path.is_file() else self.path / container.key

    def _open(self, container: Container) -> tuple[pq.ParquetFile, Columns]:
        """An open file and its columns; a file that is unlike the first is set aside."""
        file = self._file(container)
        try:
            return file, self._columns(container, file)
        except ConfigError as error:
            file.close()
            raise InputError(str(error), "columns") from error

    def _file(self, container: Container) -> pq.ParquetFile:
        try:
            file = pq.ParquetFile(
                self._place(container),
                buffer_size=1 << 20,
                pre_buffer=False,
                page_checksum_verification=True,
            )
            assert file.schema_arrow is not None
        except FileNotFoundError as error:
            raise InputError(f"{container.key}: the file is gone", "missing") from error
        except DAMAGE as error:
            message = f"{container.key}: not a readable Parquet file ({type(error).__name__})"
            raise InputError(message, "corrupt") from error
        return file

    def _columns(self, container: Container, file: pq.ParquetFile) -> Columns:
        schema = file.schema_arrow
        columns = find_columns(schema, self.columns)
        if "content" not in columns.file and self.contents is None:
            raise ConfigError(
                f"parquet source, {container.key}: there is no column with contents; name it under "
                f"`columns: {{content: …}}` or give a store under `contents:`. The columns are "
                f"{', '.join(schema.names)}"
            )
        return columns

    def _origins(
        self, key: str, batch: pa.RecordBatch, columns: Columns
    ) -> tuple[pa.Array, pa.Array, pa.Array]:
        """(root, origin, repo_name) of each row of a batch, none of them null."""
        count = batch.num_rows
        nothing = pa.nulls(count, pa.string())
        told = {
            name: text(pick(batch, theirs))
            for name, theirs in columns.origin.items()
            if name in ("origin", "repo_name")
        }
        name = told.get("repo_name", nothing)
        prefix = self.origin_prefix or (_GITHUB if columns.github else "parquet:")
        origin = pc.coalesce(
            told.get("origin", nothing),
            pc.binary_join_element_wise(prefix, name, ""),
            pa.array(["parquet:" + key] * count, pa.string()),
        )
        origin = _each(origin, given_origin)
        name = pc.coalesce(name, _each(origin, repository_name))
        root = pc.binary_join_element_wise("origin:", origin, "")
        if "directory_id" in columns.origin:
            root = pc.coalesce(hex_ids(pick(batch, columns.origin["directory_id"])), root)
        return root, origin, name

    def _heads(self, key: str, batch: pa.RecordBatch, columns: Columns) -> pa.Table:
        count = batch.num_rows
        root, origin, name = self._origins(key, batch, columns)
        own = {"root": root, "origin": origin, "repo_name": name}
        own["container"] = pa.array([key] * count, pa.string())
        kind = "git" if "revision_id" in columns.origin else "parquet"
        own["visit_type"] = pa.array([kind] * count, pa.string())
        for field_ in HEAD:
            theirs = columns.origin.get(field_.name)
            if theirs is None or field_.name in ("origin", "repo_name"):
                own.setdefault(field_.name, pa.nulls(count, field_.type))
                continue
            column = pick(batch, theirs)
            if field_.type == TIME:
                own[field_.name] = times(column)
            elif field_.name.endswith("_id") and field_.type == pa.string():
                of_ids = field_.name in ("directory_id", "snapshot_id", "revision_id")
                own[field_.name] = hex_ids(column) if of_ids else text(column)
            elif field_.type == pa.string():
                own[field_.name] = pc.coalesce(text(column), own.get(field_.name, text(column)))
            else:
                own[field_.name] = integers(column, field_.type)
        return pa.Table.from_arrays([own[f.name] for f in HEAD], schema=HEAD)


def _each(column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """``change`` of every distinct value; columns of origins repeat themselves a lot."""
    coded = column.dictionary_encode()
    values = [None if one is None else change(one) for one in coded.dictionary.to_pylist()]
    return pa.array(values, pa.string()).take(coded.indices)


def _distinct(tables: Sequence[pa.Table]) -> pa.Table:
    """One row per root and origin: the first, with its facts."""
    table = pa.concat_tables(tables)
    rows = pa.array(np.arange(table.num_rows))
    keyed = pa.table({"root": table["root"], "origin": table["origin"], "row": rows})
    first = keyed.group_by(["root", "origin"]).aggregate([("row", "min")])["row_min"]
    return table.take(pa.array(np.sort(first.to_numpy())))


def _groups(file: pq.ParquetFile) -> Iterator[Group]:
    first = 0
    for number in range(file.num_row_groups):
        group = Group(file, number, first)
        yield group
        first += group.rows


def _leaves(file: pq.ParquetFile) -> list[str]:
    """Dotted names of all leaf columns, as Parquet writes them."""
    return [file.schema.column(number).path for number in range(len(file.schema))]


def _twice(
    file: pq.ParquetFile, columns: Columns, lister: Lister, root_of: Callable[..., pa.Array]
) -> np.ndarray:
    """Hashes of the (root, path) pairs that more than one row has."""
    if "path" not in columns.file:
        return repeated([])
    leaves = columns.leaves([*columns.origin, "path", "path_bytes"], _leaves(file))
    hashes = []
    for group in _groups(file):
        try:
            for batch in group.batches(leaves):
                found = entries(batch, group.first, columns.nested)
                roots = root_of(batch).take(pa.array(found.rows))
                hashes.append(pair_hashes(roots, lister.paths(found)[0]))
        except DAMAGE:
            continue  # listing it will say so
    return repeated(hashes)


def _inside(
    file: pq.ParquetFile, columns: Columns, locators: np.ndarray, limit: int
) -> Iterator[tuple[int, memoryview | Problem | None]]:
    """(position, content) for each of ``locators``; None where the content is null."""
    order = np.argsort(locators, kind="stable")
    sorted_locators = locators[order]
    bits = PLACE_BITS if columns.nested else 0
    leaves = columns.leaves(["content"], _leaves(file))
    most = 64 if columns.nested else 1024
    for group in _groups(file):
        low, high = np.searchsorted(
            sorted_locators, [group.first << bits, (group.first + group.rows) << bits]
        ).tolist()
        first = group.first
        try:
            for batch in group.batches(leaves, most) if low < high else ():
                if low == high:
                    break
                upto = int(np.searchsorted(sorted_locators, (first + batch.num_rows) << bits))
                if upto > low:
                    found = entries(batch, first, columns.nested)
                    yield from _values(found, columns, order[low:upto], locators, limit)
                low, first = upto, first + batch.num_rows
        except DAMAGE:
            message = f"row group {group.number} is damaged"
            for position in order[low:high].tolist():
                yield position, Problem(f"row group {group.number}", "corrupt", message)
            low = high
    for position in order[np.searchsorted(sorted_locators, _end(file) << bits) :].tolist():
        yield position, Problem("", "missing", "the file has no such row")


def _end(file: pq.ParquetFile) -> int:
    return file.metadata.num_rows


def _values(
    found: Any, columns: Columns, positions: np.ndarray, locators: np.ndarray, limit: int
) -> Iterator[tuple[int, memoryview | Problem | None]]:
    value = contents(pick(found.batch, columns.file["content"]))
    places = np.searchsorted(found.locators, locators[positions]).tolist()
    for position, place in zip(positions.tolist(), places, strict=True):
        if place >= len(found.locators) or found.locators[place] != locators[position]:
            yield position, Problem("", "missing", "the row has no such file")
            continue
        data = value(place)
        if data is not None and len(data) > limit:
            message = f"{len(data)} bytes are more than the limit of {limit}"
            yield position, Problem("", "too_large", message)
        else:
            yield position, data


def _search(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if name.lower().endswith(".parquet")]
    return [file for file in found if file.is_file()]


def _container(path: Path, key: str) -> Container:
    about = path.stat()
    return Container(key, about.st_size, f"{about.st_size}-{about.st_mtime_ns}")
