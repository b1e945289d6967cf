"""Finds the columns of a Parquet file that mean what ours mean, and turns them into our types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.errors import ConfigError
from stackcurate.schema import ID, TIME
from stackcurate.sources.ids import MODE_FILE, MODE_KIND

# Our name: the names it goes by, best first. The Stack v2 and our releases use our names; the
# others are those of The Stack v1 and v3 and of plain code datasets. A dot enters a struct.
FILE_NAMES: dict[str, tuple[str, ...]] = {
    "content": ("content", "text", "code"),
    "path": ("path", "file_path", "max_stars_repo_path"),
    "path_bytes": ("path_bytes",),
    "content_id": ("content_id",),
    "blob_id": ("blob_id",),
    "length": ("length_bytes", "size_bytes", "length", "size"),
    "mode": ("mode",),
    "src_encoding": ("src_encoding",),
    "sha256": ("sha256",),
    "text_sha256": ("text_sha256",),
}
ORIGIN_NAMES: dict[str, tuple[str, ...]] = {
    "origin": ("origin", "repo_url"),
    "repo_name": ("repo_name", "repo_path", "max_stars_repo_name", "repository_name"),
    "visit_type": ("visit_type",),
    "directory_id": ("directory_id",),
    "snapshot_id": ("snapshot_id",),
    "revision_id": ("revision_id", "commit_id", "max_stars_repo_head_hexsha"),
    "branch_name": ("branch_name", "github_metadata.branch"),
    "visit_date": ("visit_date",),
    "revision_date": ("revision_date",),
    "committer_date": ("committer_date",),
    "github_id": ("github_id",),
    "star_events_count": (
        "star_events_count",
        "stars",
        "github_metadata.stars",
        "max_stars_count",
    ),
    "fork_events_count": ("fork_events_count", "forks", "github_metadata.forks"),
    "gha_license_id": ("gha_license_id", "license"),
    "gha_event_created_at": ("gha_event_created_at",),
    "gha_created_at": ("gha_created_at", "github_metadata.repo_created_at"),
    "gha_language": ("gha_language",),
}
# Short names that a config may use for ours.
SHORT = {
    "stars": "star_events_count",
    "forks": "fork_events_count",
    "license": "gha_license_id",
    "length_bytes": "length",
}
NESTED = "files"
# Columns that only datasets of GitHub repositories have: a bare owner/name is one of GitHub's.
_GITHUB = ("github_id", "github_metadata", "max_stars_repo_name", "gha_event_created_at")
_UTF8 = pa.array(["utf-8", "utf8", "utf_8", "ascii", "us-ascii"])
_HEX = np.full(256, 255, np.uint8)
_HEX[list(b"0123456789abcdef")] = range(16)
_HEX[list(b"ABCDEF")] = range(10, 16)


@dataclass(frozen=True)
class Columns:
    """Where our columns lie: of the row (``origin``), and of the file (``file``).

    ``nested`` is the list column that holds the files of a row; null where each row is a file.
    """

    origin: Mapping[str, str]
    file: Mapping[str, str]
    nested: str | None
    github: bool

    def leaves(self, names: Sequence[str], available: Sequence[str]) -> list[str]:
        """The Parquet leaf columns behind our ``names``, to be read."""
        wanted = []
        for name in names:
            if name in self.origin:
                wanted.append(self.origin[name])
            elif name in self.file and self.nested is None:
                wanted.append(self.file[name])
            elif name in self.file:
                wanted.append(f"{self.nested}.*.{self.file[name]}")
        return [leaf for leaf in available if any(_is_leaf(leaf, one) for one in wanted)]


def _is_leaf(leaf: str, wanted: str) -> bool:
    if "*" in wanted:
        first, _, last = wanted.partition(".*.")
        parts = leaf.removeprefix(first + ".").split(".", 2)  # list, element, the rest
        rest = parts[2] if len(parts) == 3 else ""
        return leaf.startswith(first + ".") and (rest == last or rest.startswith(last + "."))
    return leaf == wanted or leaf.startswith(wanted + ".")


def find_columns(schema: pa.Schema, given: Mapping[str, str]) -> Columns:
    """Match a file's schema with ``given`` (ours: theirs), and by known names what it leaves open.

    Raises ConfigError where ``given`` names what is not there, or what is not ours.
    """
    chosen = {SHORT.get(name, name): theirs for name, theirs in given.items()}
    known = {*FILE_NAMES, *ORIGIN_NAMES, NESTED}
    for name in chosen:
        if name not in known:
            allowed = ", ".join(sorted(known | set(SHORT)))
            raise ConfigError(f"columns: {name!r} is not one of {allowed}")
    nested = chosen.pop(NESTED, None)
    if nested is None and NESTED in schema.names and _row_type(schema.field(NESTED).type):
        nested = NESTED
    inner = schema
    if nested is not None:
        row = _row_type(schema.field(nested).type) if nested in schema.names else None
        if row is None:
            raise ConfigError(f"columns: {nested!r} is no list of files in this Parquet file")
        inner = pa.schema(list(row))
    file = _match(inner, chosen, FILE_NAMES)
    origin = _match(schema, chosen, ORIGIN_NAMES)
    for name, theirs in chosen.items():
        if name not in file and name not in origin:
            raise ConfigError(f"columns: {name}: there is no column {theirs!r} in this file")
    github = any(name in schema.names for name in _GITHUB)
    return Columns(origin, file, nested, github)


def _row_type(kind: pa.DataType) -> pa.StructType | None:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return kind.value_type if pa.types.is_struct(kind.value_type) else None
    return None


def _match(
    schema: pa.Schema, given: Mapping[str, str], names: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    found = {}
    for name, candidates in names.items():
        for candidate in (given[name],) if name in given else candidates:
            if _has(schema, candidate) and (
                name in given or name not in ("content", "path") or _readable(schema, candidate)
            ):
                found[name] = candidate
                break
    return found


def _has(schema: pa.Schema, name: str) -> bool:
    if name in schema.names:
        return True
    first, _, rest = name.partition(".")
    if not rest or first not in schema.names:
        return False
    kind = schema.field(first).type
    return pa.types.is_struct(kind) and any(field.name == rest for field in kind)


def _readable(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type if name in schema.names else pa.null()
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return is_text(kind) or pa.types.is_string_view(kind) or pa.types.is_binary_view(kind)


def has(batch: pa.RecordBatch, name: str | None) -> bool:
    """Whether ``name`` was read into ``batch``."""
    return name is not None and _has(batch.schema, name)


def pick(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Column ``name`` of a batch, decoded where it is a dictionary; a dot enters a struct."""
    if name in batch.schema.names:
        return plain(batch.column(name))
    first, _, rest = name.partition(".")
    return plain(pc.struct_field(plain(batch.column(first)), rest))


def plain(column: pa.Array) -> pa.Array:
    """The column without dictionary, view or run-end encoding."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain(column.dictionary_decode())
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_binary_view(kind):
        return column.cast(pa.large_binary())
    return column


def text(column: pa.Array) -> pa.Array:
    """As text; bytes that are not UTF-8 are replaced, what has no text is null."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        try:
            column.validate(full=True)
            return column.cast(pa.string())
        except pa.ArrowInvalid:  # text only by its label
            column = column.cast(pa.large_binary())
    elif pa.types.is_integer(kind):
        return column.cast(pa.string())
    if is_bytes(column.type):
        values = [None if v is None else v.decode("utf-8", "replace") for v in column.to_pylist()]
        return pa.array(values, pa.string())
    return pa.nulls(len(column), pa.string())


def hex_ids(column: pa.Array) -> pa.Array:
    """Ids as 40 hex digits: from hex digits, SWHIDs or 20 bytes; anything else is null."""
    if is_bytes(column.type):
        values = [None if v is None or len(v) != 20 else v.hex() for v in column.to_pylist()]
        return pa.array(values, pa.string())
    digits = pc.utf8_lower(pc.replace_substring_regex(text(column), r"^swh:1:[a-z]{3}:", ""))
    good = pc.match_substring_regex(digits, "^[0-9a-f]{40}$")
    return pc.if_else(good, digits, pa.scalar(None, pa.string()))


def is_bytes(kind: pa.DataType) -> bool:
    """Binary of any width."""
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Text or binary: what can be a content or a path."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or is_bytes(kind)


def ids(column: pa.Array, width: int = 20) -> pa.Array:
    """Ids as binary: from binary, hex digits or SWHIDs; anything else is null."""
    kind = column.type
    target = ID if width == 20 else pa.binary(width)
    if is_bytes(kind):
        lengths = pc.binary_length(column)
        fits = pc.equal(lengths, width)
        return pc.if_else(fits, column.cast(pa.binary()), pa.scalar(None, pa.binary())).cast(target)
    if not is_text(kind):
        return pa.nulls(len(column), target)
    column = pc.replace_substring_regex(text(column), r"^swh:1:[a-z]{3}:", "")
    fits = pc.fill_null(pc.equal(pc.binary_length(column), 2 * width), False)
    whole = pc.if_else(fits, column, pa.scalar("0" * 2 * width))
    offsets = np.frombuffer(whole.buffers()[1], np.int32)[whole.offset :][: len(whole) + 1]
    if not len(whole):
        return pa.nulls(0, target)
    data = np.frombuffer(whole.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    digits = _HEX[data].reshape(len(whole), 2 * width)
    good = (digits < 16).all(axis=1) & fits.to_numpy(zero_copy_only=False)
    packed = np.ascontiguousarray((digits[:, ::2] << 4) | digits[:, 1::2])
    bits = pa.array(good).buffers()[1]
    return pa.FixedSizeBinaryArray.from_buffers(target, len(whole), [bits, pa.py_buffer(packed)])


def times(column: pa.Array) -> pa.Array:
    """As nanoseconds; what is no timestamp or out of their range is null."""
    kind = column.type
    if not pa.types.is_timestamp(kind):
        return pa.nulls(len(column), TIME)
    if kind.tz is not None:
        column = column.cast(pa.timestamp(kind.unit))
    if kind.unit == "ns":
        return column.cast(TIME)
    scale = {"s": 10**9, "ms": 10**6, "us": 10**3}[kind.unit]
    edge = (2**63 - 1) // scale
    number = column.cast(pa.int64())
    fits = pc.and_(pc.less_equal(number, edge), pc.greater_equal(number, -edge))
    return pc.if_else(fits, column, pa.scalar(None, column.type)).cast(TIME)


def integers(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """As integers; what is none, or does not fit, is null."""
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.nulls(len(column), kind)


def modes(column: pa.Array | None, count: int) -> pa.Array:
    """Git modes; a plain file where nothing is said."""
    if column is None:
        return pa.array(np.full(count, MODE_FILE, np.int32))
    return pc.fill_null(integers(column, pa.int32()), MODE_FILE)


def kind_of(mode: pa.Array) -> pa.Array:
    """The bits of git modes that say what a file is."""
    return pc.bit_wise_and(mode, pa.scalar(MODE_KIND, mode.type))


def changed(batch: pa.RecordBatch, columns: Mapping[str, str]) -> pa.Array | None:
    """Rows whose content is not the archived bytes, so that their ids are another's.

    A release of ours says so by ``text_sha256``; The Stack v2 by an encoding other than UTF-8.
    Null where the batch cannot say.
    """
    mask = None
    if "sha256" in columns and "text_sha256" in columns:
        archived, shipped = pick(batch, columns["sha256"]), pick(batch, columns["text_sha256"])
        mask = pc.fill_null(pc.not_equal(archived, shipped), True)
    elif "src_encoding" in columns:
        encoding = text(pick(batch, columns["src_encoding"]))
        mask = pc.invert(pc.is_in(pc.utf8_lower(encoding), _UTF8))
    return mask
