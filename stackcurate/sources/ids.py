"""Computes the ids that git and Software Heritage give, so that no id has to be trusted.

The core part of a SWHID for contents, directories, revisions and releases is the git object id:
SHA-1 over ``<kind> <length>\\0<bytes>``. Snapshots are hashed the same way over a manifest of
their branches (Software Heritage, "SWHIDs", version 1.2 = ISO/IEC 18670:2025, snapshots).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stackcurate.schema import ID

MODE_TREE = 0o40000
MODE_FILE = 0o100644
MODE_EXECUTABLE = 0o100755
MODE_SYMLINK = 0o120000
MODE_SUBMODULE = 0o160000
MODE_KIND = 0o170000  # the bits that say which of these something is


class ContentIds(NamedTuple):
    """Ids of many contents, as Arrow arrays in the order of the contents; none is null."""

    content_id: pa.FixedSizeBinaryArray  # git blob id, 20 bytes
    blob_id: pa.FixedSizeBinaryArray  # plain SHA-1, 20 bytes
    sha256: pa.FixedSizeBinaryArray  # 32 bytes


class ContentHasher:
    """Hashes one content of known ``length`` as its chunks pass by."""

    def __init__(self, length: int) -> None:
        self._git = hashlib.sha1(b"blob %d\0" % length, usedforsecurity=False)
        self._plain = hashlib.sha1(usedforsecurity=False)

    def update(self, chunk: bytes | memoryview) -> None:
        """Add the next bytes."""
        self._git.update(chunk)
        self._plain.update(chunk)

    @property
    def content_id(self) -> bytes:
        """Git blob id, 20 bytes; true only when ``length`` bytes have passed."""
        return self._git.digest()

    @property
    def blob_id(self) -> bytes:
        """Plain SHA-1, 20 bytes."""
        return self._plain.digest()


def object_id(kind: str, data: bytes | memoryview) -> bytes:
    """The git id (20 bytes) of the object with body ``data``; ``kind``: blob, tree, commit"""
    digest = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(data)), usedforsecurity=False)
    digest.update(data)
    return digest.digest()


def content_id(data: bytes | memoryview) -> bytes:
    """The git blob id (20 bytes), which is the core of ``swh:1:cnt:``."""
    return object_id("blob", data)


def content_ids(blobs: Sequence[bytes | memoryview]) -> ContentIds:
    """All three ids of each content in one go (hashlib frees the GIL for contents over 2 KB)."""
    git, plain, sha256 = [], [], []
    for data in blobs:
        git.append(content_id(data))
        plain.append(hashlib.sha1(data, usedforsecurity=False).digest())
        sha256.append(hashlib.sha256(data).digest())
    return ContentIds(id_array(git), id_array(plain), id_array(sha256, pa.binary(32)))


def id_array(values: Sequence[bytes], kind: pa.DataType = ID) -> pa.FixedSizeBinaryArray:
    """Ids of equal length as one Arrow array without a copy per id."""
    buffer = pa.py_buffer(b"".join(values))
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(values), [None, buffer])


def hexed(ids: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Fixed-size ids as text, two hex digits a byte; null stays null."""
    if isinstance(ids, pa.ChunkedArray):
        ids = pa.concat_arrays(ids.chunks) if ids.num_chunks else pa.array([], ids.type)
    if ids.null_count:
        values = ids.to_pylist()
        return pa.array([None if value is None else value.hex() for value in values], pa.string())
    width = ids.type.byte_width
    data = memoryview(ids.buffers()[1] or b"")[ids.offset * width :][: len(ids) * width]
    ends = np.arange(len(ids) + 1, dtype=np.int32) * np.int32(2 * width)
    text = pa.py_buffer(data.hex().encode())
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(ends), text)


def directory_id(entries: Iterable[tuple[int, bytes, bytes]]) -> bytes:
    """The git tree id (20 bytes) of (mode, name, id) entries, given in any order.

    Git sorts names as bytes, a directory as if its name ended in "/".
    """
    ordered = sorted(entries, key=lambda entry: _tree_order(entry[0], entry[1]))
    body = b"".join(b"%o %s\0%s" % (mode, name, target) for mode, name, target in ordered)
    return object_id("tree", body)


def _tree_order(mode: int, name: bytes) -> bytes:
    return name + b"/" if mode == MODE_TREE else name


def snapshot_id(branches: Mapping[bytes, tuple[str, bytes] | None]) -> bytes:
    """The Software Heritage snapshot id (20 bytes) of ``branches``.

    A branch is (target type, target): ``revision``, ``release``, ``directory``, ``content`` or
    ``snapshot`` with a 20-byte id, or ``alias`` with the name of another branch; None is a dangling
    branch. The manifest is, by branch name in byte order and without separators,
    ``<type> <name>\\0<length of target>:<target>``.
    """
    parts = []
    for name in sorted(branches):
        kind, target = branches[name] or ("dangling", b"")
        parts.append(b"%s %s\0%d:%s" % (kind.encode(), name, len(target), target))
    return object_id("snapshot", b"".join(parts))
