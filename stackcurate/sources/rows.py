"""Builds LISTING batches from plain Python columns; names are bytes until checked here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from stackcurate.schema import ID, LISTING, escape_name

BATCH_ROWS = 65_536  # what sources/base.py allows


def path_columns(paths: Sequence[bytes]) -> tuple[pa.Array, pa.Array]:
    """The columns ``path`` and ``path_bytes`` for names as they are, each starting with "/"."""
    raw = pa.array(paths, pa.binary())
    try:
        return raw.cast(pa.string()), pa.nulls(len(raw), pa.binary())
    except pa.ArrowInvalid:  # some name is not UTF-8
        pairs = [escape_name(path) for path in paths]
        return pa.array([p for p, _ in pairs], pa.string()), pa.array(
            [b for _, b in pairs], pa.binary()
        )


@dataclass
class Rows:
    """Files of one root, collected row by row until they are a batch."""

    root: str
    container: str
    paths: list[bytes] = field(default_factory=list)
    content_ids: list[bytes | None] = field(default_factory=list)
    blob_ids: list[bytes | None] = field(default_factory=list)
    lengths: list[int | None] = field(default_factory=list)
    modes: list[int | None] = field(default_factory=list)
    locators: list[int | None] = field(default_factory=list)
    verdicts: list[str | None] = field(default_factory=list)
    notes: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def full(self) -> bool:
        """Whether a batch takes no more rows."""
        return len(self.paths) >= BATCH_ROWS

    def add(
        self,
        path: bytes,
        content_id: bytes | None = None,
        blob_id: bytes | None = None,
        length: int | None = None,
        mode: int | None = None,
        locator: int | None = None,
        verdict: str | None = None,
        note: str | None = None,
    ) -> None:
        """Add one file; ``path`` starts with "/"."""
        self.paths.append(path)
        self.content_ids.append(content_id)
        self.blob_ids.append(blob_id)
        self.lengths.append(length)
        self.modes.append(mode)
        self.locators.append(locator)
        self.verdicts.append(verdict)
        self.notes.append(note)

    def batch(self) -> pa.RecordBatch:
        """The rows so far as one batch of LISTING."""
        count = len(self.paths)
        path, path_bytes = path_columns(self.paths)
        return pa.RecordBatch.from_arrays(
            [
                pa.array([self.root] * count, pa.string()),
                path,
                path_bytes,
                pa.array(self.content_ids, ID),
                pa.array(self.blob_ids, ID),
                pa.array(self.lengths, pa.int64()),
                pa.array(self.modes, pa.int32()),
                pa.array([self.container] * count, pa.string()),
                pa.array(self.locators, pa.int64()),
                pa.array(self.verdicts, pa.string()),
                pa.array(self.notes, pa.string()),
            ],
            schema=LISTING,
        )
