"""The contracts between rooms: what a head, a listed file and a released file look like.

Three tables carry everything. ``HEAD``: one row per origin, the revision and root directory its
chosen branch points at. ``LISTING``: one narrow row per file, no bytes. ``FILE``: one row per file
with its body and all findings; its first 26 columns are The Stack v2's, under its names, types and
conventions. Ids are bytes inside (``LISTING``) and text at the edges (``HEAD``, ``FILE``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

ID = pa.binary(20)  # SHA-1 sized ids: content_id, blob_id, directory_id
TIME = pa.timestamp("ns")

# Facts about a repository as the GHArchive merge gives them; all may be null.
FACTS = pa.schema(
    [
        ("github_id", pa.int64()),
        ("star_events_count", pa.int64()),
        ("fork_events_count", pa.int64()),
        ("gha_license_id", pa.string()),
        ("gha_event_created_at", TIME),
        ("gha_created_at", TIME),
        ("gha_language", pa.string()),
    ]
)

HEAD = pa.schema(
    [
        ("root", pa.string()),  # key of the root in LISTING: directory_id, else "origin:" + origin
        ("origin", pa.string()),  # URL, or a name of the same kind; unique within a source
        ("visit_type", pa.string()),  # git, hg, svn, tar, pypi, ...
        ("repo_name", pa.string()),  # owner/name where the origin has one, else the origin's tail
        ("visit", pa.int64()),
        ("visit_date", TIME),  # null where nobody visited (a local repository)
        ("snapshot_id", pa.string()),  # 40 hex digits, as all ids of this table
        ("branch_name", pa.string()),
        ("revision_id", pa.string()),
        ("directory_id", pa.string()),  # root directory; null where the source cannot know it
        ("revision_date", TIME),  # null where out of the range of 64-bit nanoseconds
        ("committer_date", TIME),
        ("first_revision", pa.string()),  # where first parents end; null where nobody can know
        ("container", pa.string()),  # Container.key, see sources/base.py
        *FACTS,
    ]
)

REVISION = pa.schema(
    [
        ("revision_id", pa.string()),
        ("directory_id", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("author", pa.string()),  # SHA-256 (hex) of the full name, as the archive hashes persons
        ("committer", pa.string()),
        ("date_seconds", pa.int64()),  # as recorded, however far out of range
        ("date_offset_minutes", pa.int32()),
        ("committer_date_seconds", pa.int64()),
        ("committer_date_offset_minutes", pa.int32()),
    ]
)

LISTING = pa.schema(
    [
        ("root", pa.string()),  # HEAD.root; the files of a root are listed once
        ("path", pa.string()),  # starts with "/"; bytes that are not UTF-8 as \xNN, "\" as "\\"
        ("path_bytes", pa.binary()),  # the name as it is; null unless `path` had to escape it
        ("content_id", ID),  # git SHA-1; null only where the verdict says why
        ("blob_id", ID),  # SHA-1 of the bytes where the source knows it, else null
        ("length", pa.int64()),  # bytes; null where unknown
        ("mode", pa.int32()),  # as git writes it: 0o100644, 0o100755, 0o120000, 0o160000
        ("container", pa.string()),  # who holds the bytes (Container.key)
        ("locator", pa.int64()),  # where in it, for sources that need more than an id
        ("verdict", pa.string()),  # null, or source:reason
        ("note", pa.string()),  # a word more about the verdict, never contents
    ]
)

FINDING = pa.struct(
    [
        ("rule", pa.string()),
        ("kind", pa.string()),
        ("start", pa.int64()),  # UTF-8 byte offset in the shipped content
        ("end", pa.int64()),
        ("number", pa.int32()),  # number of the distinct value within its kind and file, from 1
        ("confidence", pa.float32()),
    ]
)

STACK_V2 = pa.schema(
    [
        ("blob_id", pa.string()),
        ("directory_id", pa.string()),
        ("path", pa.string()),
        ("content_id", pa.string()),
        ("detected_licenses", pa.list_(pa.string())),
        ("license_type", pa.string()),  # permissive or no_license
        ("repo_name", pa.string()),
        ("snapshot_id", pa.string()),
        ("revision_id", pa.string()),
        ("branch_name", pa.string()),
        ("visit_date", TIME),
        ("revision_date", TIME),
        ("committer_date", TIME),
        ("github_id", pa.int64()),
        ("star_events_count", pa.int64()),
        ("fork_events_count", pa.int64()),
        ("gha_license_id", pa.string()),
        ("gha_event_created_at", TIME),
        ("gha_created_at", TIME),
        ("gha_language", pa.string()),
        ("src_encoding", pa.string()),
        ("language", pa.string()),
        ("is_vendor", pa.bool_()),
        ("is_generated", pa.bool_()),
        ("length_bytes", pa.int64()),
        ("extension", pa.string()),
    ]
)

# Written by `filter`; see filters/signals.py for the definitions.
SIGNALS = pa.schema(
    [
        ("num_lines", pa.int32()),
        ("avg_line_length", pa.float32()),  # Unicode characters
        ("max_line_length", pa.int32()),
        ("alpha_fraction", pa.float32()),
        ("alphanum_fraction", pa.float32()),
        ("encoded_fraction", pa.float32()),  # share of the file in base64, hex or \u runs
        ("max_encoded_run", pa.int32()),  # longest such run, characters
    ]
)

OURS = pa.schema(
    [
        ("row_key", pa.string()),  # hash of origin and path: the same file across releases
        ("origin", pa.string()),
        ("visit_type", pa.string()),
        ("path_bytes", pa.binary()),
        ("mode", pa.int32()),
        ("places", pa.int64()),  # files of this run that share the content, dropped ones too
        ("sha256", pa.string()),  # of the archived bytes
        ("text_sha256", pa.string()),  # of what ships
        ("text_bytes", pa.int64()),
        ("license_expression", pa.string()),
        ("license_class", pa.string()),
        ("license_evidence", pa.string()),
        ("language_method", pa.string()),
        ("language_confidence", pa.float32()),
        ("language_candidates", pa.list_(pa.string())),
        ("generated_reason", pa.string()),
        ("is_test", pa.bool_()),
        ("is_documentation", pa.bool_()),
        *SIGNALS,
        ("redactions", pa.list_(FINDING)),
        ("dedup_cluster", pa.string()),  # row_key of the kept file; null where it stands alone
        ("dedup_cluster_size", pa.int64()),
        ("content", pa.large_string()),
    ]
)

FILE = pa.schema([*STACK_V2, *OURS])


def schema_digest(schema: pa.Schema = FILE) -> str:
    """SHA-256 (hex) over names and types in order: equal where two releases read alike."""
    text = "\n".join(f"{field.name}:{field.type}" for field in schema)
    return hashlib.sha256(text.encode()).hexdigest()


def drop(batch: pa.Table, mask: pa.Array | pa.ChunkedArray, verdict: str) -> pa.Table:
    """Mark the rows of ``mask`` with ``verdict``, unless an earlier stage already dropped them.

    ``mask`` is boolean with the length of ``batch``; null counts as false.
    """
    old = batch["verdict"]
    hit = pc.and_(pc.fill_null(mask, False), pc.is_null(old))
    new = pc.if_else(hit, pa.scalar(verdict, pa.string()), old)
    return batch.set_column(batch.schema.get_field_index("verdict"), "verdict", new)


def fill(batch: pa.Table, columns: pa.Table) -> pa.Table:
    """Return ``batch`` with the columns of ``columns`` (same rows) added or replaced."""
    for name in columns.column_names:
        at = batch.schema.get_field_index(name)
        if at < 0:
            batch = batch.append_column(name, columns[name])
        else:
            batch = batch.set_column(at, name, columns[name])
    return batch


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return ``table`` with exactly the columns of ``schema``: ordered, cast, null where absent."""
    columns = []
    for field in schema:
        at = table.schema.get_field_index(field.name)
        columns.append(
            pa.nulls(table.num_rows, field.type) if at < 0 else table.column(at).cast(field.type)
        )
    return pa.Table.from_arrays(columns, schema=schema)


def one_chunk(table: pa.Table, name: str) -> pa.Array:
    """Column ``name`` as one contiguous array, for kernels that read its buffers."""
    column = table[name]
    if column.num_chunks == 1 and column.chunk(0).offset == 0:
        return column.chunk(0)  # combining would copy it
    column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks else pa.array([], column.type)
    return column


def row_key(origin: str, path: bytes) -> str:
    """The key of a file across releases: 32 hex digits of BLAKE2b over origin, NUL, path."""
    return key_of(origin.encode() + b"\0" + path)


def key_of(place: bytes) -> str:
    """`row_key` of origin, NUL, path in one."""
    return hashlib.blake2b(place, digest_size=16).hexdigest()


def row_keys(batch: pa.Table) -> list[str]:
    """The `row_key` of every row, from ``origin``, ``path`` and ``path_bytes``."""
    path = pc.coalesce(batch["path_bytes"], batch["path"].cast(pa.binary()))
    places = pc.binary_join_element_wise(batch["origin"].cast(pa.binary()), path, b"\0")
    return [key_of(place) for place in places.to_pylist()]


def escape_name(name: bytes) -> tuple[str, bytes | None]:
    """A path as text, and its bytes where the text is not the whole truth.

    UTF-8 names come back as they are. Others have each byte that is not UTF-8 written ``\\xNN`` and
    each backslash doubled, so that the text can be turned back into the bytes.
    """
    try:
        return name.decode("utf-8"), None
    except UnicodeDecodeError:
        return name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace"), name


def names(columns: Sequence[pa.Field] | pa.Schema) -> list[str]:
    """The column names of a schema, in order."""
    return [field.name for field in columns]


# One row of the ledger: a scope with its number of files, bytes and one outcome.
LEDGER = pa.schema(
    [
        ("scope", pa.string()),  # origin, folder or file
        ("origin", pa.string()),
        ("path", pa.string()),  # null for the scope origin
        ("row_key", pa.string()),  # null unless the scope is a file
        ("content_id", pa.string()),
        ("files", pa.int64()),
        ("bytes", pa.int64()),  # as listed; null lengths count as 0
        ("outcome", pa.string()),  # kept, or the verdict stage:reason
        ("kept_row_key", pa.string()),  # choose and dedup: the file that stands for this one;
        # of a foreign earlier release its id there
        ("kept_in", pa.string()),  # the earlier release that holds that file; null: this one
        ("similarity", pa.float32()),  # dedup: verified Jaccard; 1.0 for equal texts
        ("note", pa.string()),
    ]
)

KEPT = "kept"

# What one origin is to another (see pipeline/forks.py). Shares are null where none was measured.
ORIGIN_GROUPS = pa.schema(
    [
        ("origin", pa.string()),
        ("root", pa.string()),
        ("relation", pa.string()),  # ancestry, content or vendored
        ("of_origin", pa.string()),  # the better one; of a vendored root the one that holds it
        ("shared", pa.float32()),  # share of this root's contents that the other holds
        ("shared_back", pa.float32()),  # and the other way round
        ("collapsed", pa.bool_()),  # its files were dropped as choose:fork
    ]
)

# What `license` writes about evidence: why a license was believed, one row per statement.
EVIDENCE = pa.schema(
    [
        ("evidence_id", pa.string()),  # hash of content_id, kind, span and expression
        ("content_id", pa.string()),  # of the file that states it, 40 hex digits
        ("kind", pa.string()),  # license_file, header, manifest, readme, declared
        ("start", pa.int64()),  # byte span of the statement in that file
        ("end", pa.int64()),
        ("expression", pa.string()),  # SPDX expression
        ("score", pa.float32()),  # 0 to 100, as the matcher gives it
        ("rule", pa.string()),
        ("matcher", pa.string()),
        ("detector", pa.string()),  # name and version of what decided
    ]
)

# License and notice files of the origins that ship files: what must go with their code.
PAPERS = pa.schema(
    [
        ("origin", pa.string()),
        ("path", pa.string()),
        ("kind", pa.string()),  # license_file, license_text (of a LICENSES folder), notice
        ("content_id", pa.string()),
    ]
)

# Each distinct text that EVIDENCE and PAPERS point at.
TEXTS = pa.schema(
    [
        ("content_id", pa.string()),
        ("kind", pa.string()),  # license_file, notice, manifest, ...
        ("text", pa.large_string()),  # decoded, and redacted where the release is
    ]
)
