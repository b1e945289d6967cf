"""Which rows the approved opt-outs withdraw: at the start of a run, and again before publishing.

Both questions are asked of whole columns. Origins are normalized once per distinct origin, ids are
looked up in hash sets, and globs only meet rows of repositories that have any.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.optout.globs import match_globs
from stackcurate.optout.registry import Registry
from stackcurate.optout.subjects import ORIGIN, OWNER, PATH, REPOSITORY, SWHID, origin_keys
from stackcurate.schema import one_chunk

BY_OWNER, BY_REPOSITORY, BY_ORIGIN = "optout:owner", "optout:repository", "optout:origin"
BY_SWHID, BY_PATH, BY_COPIES = "optout:swhid", "optout:path", "optout:copies"

# the id column of HEAD and FILE that each kind of SWHID is compared with
_HEAD_IDS = (("snp", "snapshot_id"), ("rev", "revision_id"), ("dir", "directory_id"))


def match_heads(heads: pa.Table, registry: Registry) -> pa.Array:
    """The verdict of each row of ``heads`` (schema HEAD, or FILE), null where it is not withdrawn.

    The widest subject gives its name: owner, then repository, origin, SWHID. A ``dir`` SWHID meets
    root directories alone, and a ``rel`` none: what a branch points at is a revision here.
    """
    codes, keys = _origin_keys(heads)
    by_origin = _verdicts(
        len(keys),
        (_under(keys, _values(registry, OWNER)), BY_OWNER),
        (_among(keys, _values(registry, REPOSITORY)), BY_REPOSITORY),
        (_among(keys, _values(registry, ORIGIN)), BY_ORIGIN),
    ).take(codes)
    by_id = _verdicts(
        heads.num_rows,
        *(
            (_among(one_chunk(heads, column), _swhids(registry, kind)), BY_SWHID)
            for kind, column in _HEAD_IDS
            if column in heads.column_names
        ),
    )
    return pc.coalesce(by_origin, by_id)


def match_files(batch: pa.Table, registry: Registry) -> pa.Array:
    """The verdict of each file by its own path or content, null where it is not withdrawn.

    ``batch`` has ``origin``, ``path`` (leading ``/``) and ``content_id`` (binary(20), or 40 hex
    digits). What the origin says is ``match_heads``. A content with a tombstone was withdrawn with
    all its copies, wherever it comes from now.
    """
    wanted = _swhids(registry, "cnt")
    ids = one_chunk(batch, "content_id")
    by_content = (
        _among(ids, wanted)
        if pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type)
        else _among(ids, [bytes.fromhex(value) for value in wanted])
    )
    return _verdicts(
        batch.num_rows,
        (_by_glob(batch, registry), BY_PATH),
        (by_content, BY_SWHID),
        (registry.tombstones.among(ids), BY_COPIES),
    )


def hits(files: pa.Table, registry: Registry) -> pa.Array:
    """The verdict of each row of a release (schema FILE); all null means it may be published."""
    return pc.coalesce(match_heads(files, registry), match_files(files, registry))


def _values(registry: Registry, kind: str) -> list[str]:
    return sorted({subject.value for subject in registry.subjects(kind)})


def _swhids(registry: Registry, kind: str) -> list[str]:
    """The hex ids of the withdrawn SWHIDs of one kind (cnt, dir, rev, snp)."""
    head = f"swh:1:{kind}:"
    return [v.removeprefix(head) for v in _values(registry, SWHID) if v.startswith(head)]


def _origin_keys(table: pa.Table) -> tuple[pa.Array, pa.Array]:
    """(row -> number of its origin, keys of the distinct origins); a null origin has no number."""
    encoded = one_chunk(table, "origin").dictionary_encode()
    return encoded.indices, origin_keys(encoded.dictionary)


def _among(column: pa.Array, values: list[str] | list[bytes]) -> pa.Array:
    """Boolean, never null: which rows hold one of ``values``."""
    if not values:
        return pa.repeat(pa.scalar(False), len(column))
    return pc.is_in(column, pa.array(values, column.type), skip_nulls=True)


def _under(keys: pa.Array, owners: list[str]) -> pa.Array:
    """Which keys are an owner's or lie below one; owners may be groups within groups."""
    hit = pa.repeat(pa.scalar(False), len(keys))
    for levels in sorted({owner.count("/") for owner in owners}):
        start = pc.replace_substring_regex(keys, rf"(?s)^([^/]*(?:/[^/]*){{{levels}}})/.*$", r"\1")
        hit = pc.or_(hit, _among(start, owners))
    return hit


def _by_glob(batch: pa.Table, registry: Registry) -> pa.Array:
    """Which rows a path subject takes. Only rows of repositories with globs meet a pattern."""
    globs: dict[str, list[str]] = defaultdict(list)
    for subject in registry.subjects(PATH):
        globs[subject.value].append(subject.glob or "")
    codes, keys = _origin_keys(batch)
    repositories = sorted(globs)
    place = pc.index_in(keys, pa.array(repositories, pa.string())).take(codes)
    rows = pc.indices_nonzero(pc.is_valid(place))
    if not len(rows):
        return pa.repeat(pa.scalar(False), len(codes))
    near = place.take(rows)
    order = pc.sort_indices(near)
    rows, near = rows.take(order), near.take(order)
    text = one_chunk(batch, "path").take(rows)
    counts = pc.value_counts(near)  # in order of appearance, hence sorted
    found, start = [], 0
    for repository, count in zip(
        counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True
    ):
        found.append(match_globs(text.slice(start, count), globs[repositories[repository]]))
        start += count
    hit = np.zeros(len(codes), dtype=bool)
    hit[rows.filter(pa.concat_arrays(found)).to_numpy()] = True
    return pa.array(hit)


def _verdicts(rows: int, *found: tuple[pa.Array, str]) -> pa.Array:
    """One verdict per row: the first whose mask holds."""
    verdict = pa.nulls(rows, pa.string())
    for mask, name in reversed(found):
        verdict = pc.if_else(mask, pa.scalar(name, pa.string()), verdict)
    return verdict
